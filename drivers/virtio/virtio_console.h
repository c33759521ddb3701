/* SPDX-License-Identifier: Apache-2.0 */
/* A console port: two queues, an output ring, an input buffer; under the terminal and under plain standard streams. */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

#include <husk/tty.h>
#include <husk/virtio.h>
#include <husk/boot.h>

#define VPORT_PIECES 64	       /* chains in flight on the output queue */
#define VPORT_PIECE_MAX 65536u /* bytes of one */
#define VPORT_IN_SIZE 65536u

struct vport_piece {
	u32 end;
	bool done;
};

/*
 * Output: [otail, oposted) is with the monitor, [oposted, ohead) waits for a place in the queue or for more to
 * come; indices run freely. Everything of the output is under out_lock, of the input under in_lock; both are mutexes.
 */
struct vport {
	struct hostif_device *dev;
	struct virtqueue *in, *out;
	struct mutex out_lock, in_lock;
	u8 *obuf;
	u32 osize, ohead, oposted, otail;
	struct vport_piece piece[VPORT_PIECES];
	u32 phead, ptail;
	bool gone; /* the host's reader is */
	u8 *ibuf;
	u32 ilen, ioff;	  /* received, not yet taken */
	bool posted, eof; /* ibuf is with the monitor; it said end of file */
	wait_queue_head_t read_wait, write_wait;
	u32 in_need, out_need; /* somebody sleeps until the queue moves */
	wait_queue_head_t in_kick, out_kick;
	struct task_struct *in_thread, *out_thread;
	struct tty_struct *tty; /* NULL: a stream */
	struct inode *inode;	/* a stream's */
};

int vport_out_init(struct vport *p, u32 size);
static inline u32 vport_room(struct vport *p)
{
	return p->osize - (READ_ONCE(p->ohead) - READ_ONCE(p->otail));
}
void vport_reap_out(struct vport *p);		      /* out_lock held */
u32 vport_put(struct vport *p, const u8 *buf, u32 n); /* out_lock held */
void vport_send(struct vport *p);		      /* out_lock held; posts and rings */
void vport_need_out(struct vport *p);		      /* wake write_wait when there is room again */
void vport_need_in(struct vport *p);
int vport_post_in(struct vport *p, u32 size); /* in_lock held */
void vport_reap_in(struct vport *p);	      /* in_lock held */
bool vport_in_ready(struct vport *p);
struct file *vport_stream_file(struct vport *p, int flags); /* ERR_PTR */
int vport_tty_init(struct vport *p);

#endif
