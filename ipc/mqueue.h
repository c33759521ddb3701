/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: the queue (ipc/mq_queue.c), its file system (ipc/mq_fs.c) and the calls (ipc/mqueue.c). */
#ifndef IPC_MQUEUE_H
#define IPC_MQUEUE_H
#include <husk/cred.h>
#include <husk/fs.h>
#include <husk/mm.h>
#include <husk/pid.h>
#include <husk/syscalls.h>
#include <husk/time.h>
#include <husk/wait.h>
#include <linux/mqueue.h>

#define MQ_HARD_MSGMAX 65536
#define MQ_HARD_MSGSIZEMAX (16 << 20)

struct mq_msg {
	struct list_head list;
	unsigned prio;
	size_t size;
	char text[];
};

struct mq_sigevent { /* struct sigevent of the ABI */
	u64 value;
	int signo, notify;
	int pad[12];
};

/**
 * struct mq - a queue, its inode's i_private; under lock
 * @messages: by falling priority, equal ones in the order of sending
 * @receivers: tasks that sleep for a message: then nobody is notified of one
 * @owner: the process to notify, a reference, or NULL
 * @bytes: what @user is charged
 */
struct mq {
	spinlock_t lock;
	struct list_head messages;
	long maxmsg, msgsize, count;
	size_t size;
	unsigned receivers;
	wait_queue_head_t wait_send, wait_receive;
	struct pid *owner;
	struct mq_sigevent event;
	uid_t owner_uid;
	struct user_struct *user;
	long bytes;
};

extern int mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default, mq_queues_max;
extern const struct file_operations mq_file_operations;

/* mq_new: a queue charged to the caller; ERR_PTR(-EINVAL, -ENOMEM, -EMFILE, -EOVERFLOW) */
struct mq *mq_new(const struct mq_attr *attr);
void mq_free(struct mq *q);
/* until: CLOCK_MONOTONIC ns, UINT64_MAX for ever, 0: do not wait. m is the queue's on success. */
long mq_put(struct mq *q, struct mq_msg *m, u64 until);
struct mq_msg *mq_take(struct mq *q, u64 until);
long mq_set_notify(struct mq *q, const struct mq_sigevent *ev); /* ev NULL: no more */
void mq_forget_owner(struct mq *q);				/* current's process is not to be notified any more */
struct vfsmount *mq_mount(void);				/* the file system of all queues, or ERR_PTR */
int mq_create_inode(struct inode *dir, struct dentry *d, umode_t mode, const struct mq_attr *attr);
#endif
