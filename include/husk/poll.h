/* SPDX-License-Identifier: Apache-2.0 */
/* poll tables: how a file's poll operation names the wait queues it depends on (fs/select.c, fs/eventpoll.c). */
#ifndef HUSK_POLL_H
#define HUSK_POLL_H
#include <husk/fs.h>
typedef void (*poll_queue_proc)(struct file *f, wait_queue_head_t *q, struct poll_table_struct *pt);
typedef struct poll_table_struct {
	poll_queue_proc _qproc;
	u32 _key;
} poll_table;
static inline void poll_wait(struct file *f, wait_queue_head_t *q, poll_table *pt)
{
	if (pt && pt->_qproc && q)
		pt->_qproc(f, q, pt);
}
static inline u32 vfs_poll(struct file *f, poll_table *pt)
{
	return f->f_op->poll ? f->f_op->poll(f, pt) : (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM);
}
void eventpoll_release(struct file *f); /* a watched file is going away */
#endif
