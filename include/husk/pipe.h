/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: a ring of page references between readers and writers (fs/pipe.c, fs/splice.c). */
#ifndef HUSK_PIPE_H
#define HUSK_PIPE_H

#include <husk/fs.h>

#define PIPE_DEF_BUFFERS 16
#define PIPE_TMP_PAGES 8
#ifndef PIPE_BUF
#define PIPE_BUF 4096
#endif

struct pipe_inode_info;
struct pipe_buffer;

/* What a buffer's page is. ops of a full slot are never NULL. */
struct pipe_buf_operations {
	int (*confirm)(struct pipe_inode_info *pipe,
		       struct pipe_buffer *buf); /* content is there: 0 or -errno; optional */
	void (*release)(struct pipe_inode_info *pipe, struct pipe_buffer *buf); /* drops the page reference */
};
struct pipe_buffer {
	struct page *page;
	unsigned int offset, len;
	const struct pipe_buf_operations *ops;
	unsigned int flags; /* PIPE_BUF_FLAG_* */
};
#define PIPE_BUF_FLAG_CAN_MERGE 1 /* a writer may append: the page is the pipe's own */
#define PIPE_BUF_FLAG_PACKET 2	  /* read() stops behind it */

/**
 * struct pipe_inode_info - one pipe or open FIFO
 * @mutex: everything below; copies from and to user memory are done under it
 * @head: next slot to fill, @tail: next to empty; both only grow, the slot is their value modulo @ring_size
 * @readers, @writers: open descriptors' files of each side; @files: files in all, under inode->i_lock
 * @r_counter, @w_counter: opens so far, for FIFOs whose open waits for the other side
 * @gathering: a reader sleeps for a short time, to be woken when the pipe is half full; @gather_in: sleeps until that is tried next,
 * @gather_gap: how many it was the last time; @writes: write calls so far, @gather_from: when the reader fell asleep
 * @poll_usage: someone polled it: wake pollers at every write, as edge-triggered epoll wants
 */
struct pipe_inode_info {
	struct mutex mutex;
	unsigned int head, tail, ring_size;
	unsigned int readers, writers, files;
	unsigned int r_counter, w_counter;
	unsigned int gather_in, gather_gap, gather_from, writes;
	bool poll_usage, gathering;
	unsigned int nr_tmp;
	struct page *tmp_page[PIPE_TMP_PAGES]; /* spare pages */
	wait_queue_head_t rd_wait, wr_wait;
	struct pipe_buffer *bufs;
	struct fasync_struct *fasync_readers, *fasync_writers;
};
static inline bool pipe_empty(unsigned int head, unsigned int tail)
{
	return head == tail;
}
static inline unsigned int pipe_occupancy(unsigned int head, unsigned int tail)
{
	return head - tail;
}
static inline bool pipe_full(unsigned int head, unsigned int tail, unsigned int limit)
{
	return head - tail >= limit;
}
static inline struct pipe_buffer *pipe_slot(const struct pipe_inode_info *p, unsigned int i)
{
	return &p->bufs[i & (p->ring_size - 1)];
}
static inline int pipe_buf_confirm(struct pipe_inode_info *p, struct pipe_buffer *b)
{
	return b->ops->confirm ? b->ops->confirm(p, b) : 0;
}
static inline void pipe_buf_release(struct pipe_inode_info *p, struct pipe_buffer *b)
{
	const struct pipe_buf_operations *ops = b->ops;

	b->ops = NULL;
	ops->release(p, b);
}

extern const struct pipe_buf_operations page_cache_pipe_buf_ops, default_pipe_buf_ops;

struct pipe_inode_info *alloc_pipe_info(void);
void free_pipe_info(struct pipe_inode_info *pipe);
struct pipe_inode_info *get_pipe_info(struct file *f); /* NULL: not a pipe */
int create_pipe_files(struct file **res, int flags);
long pipe_fcntl(struct file *f, unsigned int cmd, unsigned long arg); /* F_SETPIPE_SZ, F_GETPIPE_SZ */
void pipe_wake_readers(struct pipe_inode_info *pipe);
void pipe_wake_writers(struct pipe_inode_info *pipe);
int pipe_wait_readable(struct pipe_inode_info *pipe); /* pipe->mutex held, dropped while sleeping; 0 or -ERESTARTSYS */
int pipe_wait_writable(struct pipe_inode_info *pipe);
/* default_splice_read: any file with a read operation; the data is copied into fresh pages */
ssize_t default_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe, size_t n, unsigned int flags);

/* fs/pseudo.c: file systems that are never mounted by a user (pipefs, sockfs) */
struct dentry *pseudo_mount(struct file_system_type *t, const struct super_operations *ops,
			    const struct dentry_operations *dops, unsigned long magic);
#endif
