// SPDX-License-Identifier: Apache-2.0
/* shmctl(2), /proc/sysvipc/shm and the limits of shared memory. */
#include "shm.h"
#include <husk/init.h>
#include <husk/proc_fs.h>

/* Pages that a segment has in RAM. */
static unsigned long resident(struct shmid_kernel *s)
{
	return READ_ONCE(s->file->f_mapping->nrpages);
}

static void fill_ds(struct shmid64_ds *ds, struct shmid_kernel *s)
{
	memset(ds, 0, sizeof(*ds));
	spin_lock(&s->perm.lock);
	ipc_fill(&ds->shm_perm, &s->perm);
	ds->shm_segsz = s->size;
	ds->shm_atime = s->atim;
	ds->shm_dtime = s->dtim;
	ds->shm_ctime = s->ctim;
	ds->shm_cpid = s->cpid;
	ds->shm_lpid = s->lpid;
	ds->shm_nattch = s->nattch;
	spin_unlock(&s->perm.lock);
}

/* IPC_STAT, SHM_STAT, SHM_STAT_ANY: the latter two name a slot and return the identifier */
static long shm_stat(int id, int cmd, void __user *buf)
{
	struct ipc_obj *p = cmd == IPC_STAT ? ipc_find(&shm_ids, id) : ipc_find_slot(&shm_ids, id);
	struct shmid64_ds ds;
	long r;

	if (IS_ERR(p))
		return PTR_ERR(p);
	r = cmd == SHM_STAT_ANY ? 0 : ipc_permitted(p, 0444);
	if (!r) {
		fill_ds(&ds, shm_of(p));
		if (copy_to_user(buf, &ds, sizeof(ds)))
			r = -EFAULT;
		else if (cmd != IPC_STAT)
			r = p->id;
	}
	ipc_put(&shm_ids, p);
	return r;
}

static long shm_limits(void __user *buf)
{
	struct shminfo64 info = {
		.shmmax = shm_max,
		.shmmin = SHMMIN,
		.shmmni = shm_mni,
		.shmseg = shm_mni,
		.shmall = shm_all,
	};

	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_last_slot(&shm_ids);
}

static long shm_usage(void __user *buf)
{
	struct shm_info info = {};
	struct ipc_obj *p;
	unsigned long i;

	down_read(&shm_ids.rwsem);
	info.used_ids = shm_ids.in_use;
	info.shm_tot = atomic_long_read(&shm_total);
	xa_for_each (&shm_ids.slots, i, p)
		info.shm_rss += resident(shm_of(p));
	up_read(&shm_ids.rwsem);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : ipc_last_slot(&shm_ids);
}

/* rwsem held for writing. Removal waits for the last mapping; the key is free at once. */
static void shm_rmid(struct shmid_kernel *s)
{
	if (!s->nattch) {
		shm_destroy(s);
		return;
	}
	spin_lock(&s->perm.lock);
	s->perm.mode |= SHM_DEST;
	ipc_forget_key(&shm_ids, &s->perm);
	spin_unlock(&s->perm.lock);
	if (!READ_ONCE(s->nattch) && !s->perm.deleted)
		shm_destroy(s);
}

static long shm_change(int id, int cmd, const struct shmid64_ds *ds)
{
	struct shmid_kernel *s;
	struct ipc_obj *p;
	long r = 0;

	down_write(&shm_ids.rwsem);
	p = ipc_find_owned(&shm_ids, id);
	if (IS_ERR(p)) {
		r = PTR_ERR(p);
	} else if (cmd == IPC_RMID) {
		shm_rmid(shm_of(p));
	} else {
		s = shm_of(p);
		spin_lock(&p->lock);
		r = ipc_set(p, &ds->shm_perm);
		if (!r)
			s->ctim = ipc_seconds();
		spin_unlock(&p->lock);
	}
	up_write(&shm_ids.rwsem);
	return r;
}

/* There is no swap, so all that locking does is show. */
static long shm_lock(int id, bool lock)
{
	struct ipc_obj *p = ipc_find(&shm_ids, id);
	uid_t uid = current_euid();
	long r = 0;

	if (IS_ERR(p))
		return PTR_ERR(p);
	spin_lock(&p->lock);
	if (!capable(CAP_IPC_LOCK) && ((uid != p->uid && uid != p->cuid) || (lock && !rlimit(RLIMIT_MEMLOCK))))
		r = -EPERM;
	else if (lock)
		p->mode |= SHM_LOCKED;
	else
		p->mode &= ~SHM_LOCKED;
	spin_unlock(&p->lock);
	ipc_put(&shm_ids, p);
	return r;
}

SYSCALL_DEFINE3(shmctl, int, id, int, cmd, void __user *, buf)
{
	struct shmid64_ds ds;

	if (cmd < 0 || id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return shm_limits(buf);
	case SHM_INFO:
		return shm_usage(buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return shm_stat(id, cmd, buf);
	case IPC_SET:
		if (copy_from_user(&ds, buf, sizeof(ds)))
			return -EFAULT;
		return shm_change(id, cmd, &ds);
	case IPC_RMID:
		return shm_change(id, cmd, NULL);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	}
	return -EINVAL;
}

static int shm_show(struct seq_file *m, void *v)
{
	struct shmid_kernel *s;
	struct ipc_obj *p;
	unsigned long i;

	seq_puts(m, "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      "
		    "atime"
		    "      dtime      ctime                   rss                  swap\n");
	down_read(&shm_ids.rwsem);
	xa_for_each (&shm_ids.slots, i, p) {
		s = shm_of(p);
		seq_printf(m, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10lu %10lu %10lu %21lu %21lu\n",
			   p->key, p->id, p->mode, (unsigned long)s->size, s->cpid, s->lpid, s->nattch, p->uid, p->gid,
			   p->cuid, p->cgid, s->atim, s->dtim, s->ctim, resident(s) << PAGE_SHIFT, 0UL);
	}
	up_read(&shm_ids.rwsem);
	return 0;
}

static int limit_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lu\n", *(unsigned long *)m->private);
	return 0;
}

static int limit_store(char *buf, void *data)
{
	unsigned long long v;
	int err = kstrtoull(buf, 0, &v);

	if (!err)
		WRITE_ONCE(*(unsigned long *)data, v);
	return err;
}

SYSCTL_RW("kernel/shmmax", 0644, limit_show, limit_store, &shm_max);
SYSCTL_RW("kernel/shmall", 0644, limit_show, limit_store, &shm_all);
SYSCTL_INT("kernel/shmmni", 0644, shm_mni, 0, IPCMNI);

static int shm_setup(void)
{
	proc_create_data("sysvipc/shm", 0444, NULL, shm_show, NULL);
	return 0;
}
device_initcall(shm_setup);
