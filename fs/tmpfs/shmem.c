// SPDX-License-Identifier: Apache-2.0
/* Unlinked tmpfs files: memfds and shared anonymous memory. */
#include "tmpfs.h"

static struct vfsmount *shm_mnt;
static DEFINE_MUTEX(shm_lock);

static char *shm_dname(struct dentry *d, char *buf, int len)
{
	static const char tail[] = " (deleted)";
	int n = d->d_name.len, total = 1 + n + sizeof(tail);
	char *p = buf + len - total;

	if (total > len)
		return ERR_PTR(-ENAMETOOLONG);
	p[0] = '/';
	memcpy(p + 1, d->d_name.name, n);
	memcpy(p + 1 + n, tail, sizeof(tail));
	return p;
}
static const struct dentry_operations shm_dops = {.d_dname = shm_dname};

static struct dentry *shm_mount(struct file_system_type *t, int flags, const char *dev, void *data)
{
	struct shmem_sb o = {.mode = 0700};
	struct super_block *sb = sget(t, 0);
	int r;

	if (IS_ERR(sb))
		return ERR_CAST(sb);
	r = shmem_fill_super(sb, &o, false);
	if (r) {
		deactivate_super(sb);
		return ERR_PTR(r);
	}
	sb->s_d_op = &shm_dops;
	return dget(sb->s_root);
}
static struct file_system_type shm_type = {.name = "tmpfs", .mount = shm_mount, .kill_sb = kill_litter_super};

static int shm_init(void)
{
	struct vfsmount *m;

	if (likely(smp_load_acquire(&shm_mnt)))
		return 0;
	mutex_lock(&shm_lock);
	m = shm_mnt ? shm_mnt : kern_mount(&shm_type, NULL);
	if (!IS_ERR(m))
		smp_store_release(&shm_mnt, m);
	mutex_unlock(&shm_lock);
	return PTR_ERR_OR_ZERO(m);
}

struct file *shmem_file_setup(const char *name, loff_t size, unsigned long vm_flags)
{
	struct inode *i;
	struct file *f;
	int r = shm_init();

	if (r)
		return ERR_PTR(r);
	if (size < 0)
		return ERR_PTR(-EINVAL);
	i = shmem_make_inode(shm_mnt->mnt_sb, NULL, S_IFREG | 0777, 0);
	if (IS_ERR(i))
		return ERR_CAST(i);
	i->i_size = size;
	clear_nlink(i);
	SHMEM_I(i)->granules = size != 0;
	f = alloc_file_pseudo(i, shm_mnt, name, O_RDWR, &shmem_file_operations);
	if (IS_ERR(f))
		iput(i);
	return f;
}

static bool is_shmem(struct file *f)
{
	struct inode *i = file_inode(f);

	return i->i_sb->s_op == &shmem_sops && S_ISREG(i->i_mode);
}

unsigned *shmem_file_seals(struct file *f)
{
	return is_shmem(f) ? &SHMEM_I(file_inode(f))->seals : NULL;
}

atomic_t *shmem_writable_maps(struct file *f)
{
	return is_shmem(f) ? &SHMEM_I(file_inode(f))->writable_maps : NULL;
}
