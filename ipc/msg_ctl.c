// SPDX-License-Identifier: Apache-2.0
/* msgctl(2), /proc/sysvipc/msg and the limits of message queues. */
#include "msg.h"
#include <husk/init.h>
#include <husk/proc_fs.h>

static long msg_stat(int id, int cmd, void __user *buf)
{
	struct ipc_obj *p = cmd == IPC_STAT ? ipc_find(&msg_ids, id) : ipc_find_slot(&msg_ids, id);
	struct msqid64_ds ds = {};
	struct msg_queue *q;
	long r;

	if (IS_ERR(p))
		return PTR_ERR(p);
	q = msg_of(p);
	spin_lock(&p->lock);
	r = cmd == MSG_STAT_ANY ? 0 : ipc_permitted(p, 0444);
	ipc_fill(&ds.msg_perm, p);
	ds.msg_stime = q->stime;
	ds.msg_rtime = q->rtime;
	ds.msg_ctime = q->ctime;
	ds.msg_cbytes = q->cbytes;
	ds.msg_qnum = q->qnum;
	ds.msg_qbytes = q->qbytes;
	ds.msg_lspid = q->lspid;
	ds.msg_lrpid = q->lrpid;
	spin_unlock(&p->lock);
	if (!r && copy_to_user(buf, &ds, sizeof(ds)))
		r = -EFAULT;
	if (!r && cmd != IPC_STAT)
		r = p->id;
	ipc_put(&msg_ids, p);
	return r;
}

static void count_all(struct msginfo *info)
{
	struct ipc_obj *p;
	unsigned long i;

	down_read(&msg_ids.rwsem);
	info->msgpool = msg_ids.in_use;
	info->msgmap = info->msgtql = 0;
	xa_for_each (&msg_ids.slots, i, p) {
		info->msgmap += msg_of(p)->qnum;
		info->msgtql += msg_of(p)->cbytes;
	}
	up_read(&msg_ids.rwsem);
}

static long msg_info(int cmd, void __user *buf)
{
	struct msginfo info = {
		.msgmni = msg_mni,
		.msgmax = msg_max,
		.msgmnb = msg_mnb,
		.msgssz = MSGSSZ,
		.msgseg = 0xffff,
		.msgmap = MSGMAP,
		.msgpool = MSGPOOL,
		.msgtql = MSGTQL,
	};

	if (cmd == MSG_INFO)
		count_all(&info);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_last_slot(&msg_ids);
}

/* rwsem held for writing */
static void msg_rmid(struct msg_queue *q)
{
	ipc_remove(&msg_ids, &q->perm);
	spin_lock(&q->perm.lock);
	msg_kick(q);
	spin_unlock(&q->perm.lock);
	ipc_put(&msg_ids, &q->perm);
}

static long msg_set(struct msg_queue *q, const struct msqid64_ds *ds)
{
	long r;

	if (ds->msg_qbytes > (unsigned long)READ_ONCE(msg_mnb) && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	spin_lock(&q->perm.lock);
	r = ipc_set(&q->perm, &ds->msg_perm);
	if (!r) {
		q->qbytes = ds->msg_qbytes;
		q->ctime = ipc_seconds();
		msg_kick(q); /* rights and room may be others now */
	}
	spin_unlock(&q->perm.lock);
	return r;
}

static long msg_change(int id, int cmd, const struct msqid64_ds *ds)
{
	struct ipc_obj *p;
	long r = 0;

	down_write(&msg_ids.rwsem);
	p = ipc_find_owned(&msg_ids, id);
	if (IS_ERR(p))
		r = PTR_ERR(p);
	else if (cmd == IPC_RMID)
		msg_rmid(msg_of(p));
	else
		r = msg_set(msg_of(p), ds);
	up_write(&msg_ids.rwsem);
	return r;
}

SYSCALL_DEFINE3(msgctl, int, id, int, cmd, void __user *, buf)
{
	struct msqid64_ds ds;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return msg_info(cmd, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return msg_stat(id, cmd, buf);
	case IPC_SET:
		if (copy_from_user(&ds, buf, sizeof(ds)))
			return -EFAULT;
		return msg_change(id, cmd, &ds);
	case IPC_RMID:
		return msg_change(id, cmd, NULL);
	}
	return -EINVAL;
}

static int msg_show(struct seq_file *m, void *v)
{
	struct msg_queue *q;
	struct ipc_obj *p;
	unsigned long i;

	seq_puts(m, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime "
		    "     rtime"
		    "      ctime\n");
	down_read(&msg_ids.rwsem);
	xa_for_each (&msg_ids.slots, i, p) {
		q = msg_of(p);
		seq_printf(m, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10lu %10lu %10lu\n", p->key, p->id,
			   p->mode, q->cbytes, q->qnum, q->lspid, q->lrpid, p->uid, p->gid, p->cuid, p->cgid, q->stime,
			   q->rtime, q->ctime);
	}
	up_read(&msg_ids.rwsem);
	return 0;
}

SYSCTL_INT("kernel/msgmax", 0644, msg_max, 0, INT32_MAX);
SYSCTL_INT("kernel/msgmnb", 0644, msg_mnb, 0, INT32_MAX);
SYSCTL_INT("kernel/msgmni", 0644, msg_mni, 0, IPCMNI);

static int msg_setup(void)
{
	proc_create_data("sysvipc/msg", 0444, NULL, msg_show, NULL);
	return 0;
}
device_initcall(msg_setup);
