/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues (ipc/msg.c, ipc/msg_ctl.c). */
#ifndef IPC_MSG_H
#define IPC_MSG_H
#include "util.h"
#include <linux/msg.h>

struct msg {
	struct list_head list;
	long type;
	size_t size;
	char text[];
};

/**
 * struct msg_queue - a queue; under perm.lock
 * @sent, @taken: grow when a message came, when there may be room: what senders and receivers sleep for
 */
struct msg_queue {
	struct ipc_obj perm;
	long stime, rtime, ctime;
	unsigned long cbytes, qnum, qbytes;
	pid_t lspid, lrpid;
	struct list_head messages;
	unsigned sent, taken;
	wait_queue_head_t senders, receivers;
};
static inline struct msg_queue *msg_of(struct ipc_obj *p)
{
	return container_of(p, struct msg_queue, perm);
}
extern struct ipc_ids msg_ids;
extern int msg_max, msg_mnb, msg_mni;
void msg_kick(struct msg_queue *q); /* all who sleep look again; lock held */
#endif
