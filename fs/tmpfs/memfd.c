// SPDX-License-Identifier: Apache-2.0
// memfd_create(2) and the seals of tmpfs files.
#include "tmpfs.h"
#include <husk/syscalls.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/shmem.h>
#include <linux/memfd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC 0x10U
#endif
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)
#define NAME_PREFIX "memfd:"
#define NAME_MAX_LEN (NAME_MAX - (sizeof(NAME_PREFIX) - 1))

/* vm.memfd_noexec, for calls with neither MFD_EXEC nor MFD_NOEXEC_SEAL: 0 as MFD_EXEC, 1 as
 * MFD_NOEXEC_SEAL; 2: that is enforced */
static int memfd_noexec;

/*
 * Sealing against a new mapping: the seal is set and then the mappings are counted, where mmap()
 * counts itself and then looks at the seals. So one of them sees the other; both may, and fail.
 */
static int seal(struct inode *i, struct file *f, unsigned *have, unsigned seals)
{
	unsigned old = *have;

	if (old & F_SEAL_SEAL)
		return -EPERM;
	if ((seals & F_SEAL_EXEC) && (i->i_mode & 0111)) /* an executable never changes again */
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	WRITE_ONCE(*have, old | seals);
	smp_mb();
	if ((seals & ~old & F_SEAL_WRITE) && atomic_read(shmem_writable_maps(f)) > 0) {
		WRITE_ONCE(*have, old);
		return -EBUSY;
	}
	return 0;
}

static int add_seals(struct file *f, unsigned seals)
{
	unsigned *have = shmem_file_seals(f);
	struct inode *i = file_inode(f);
	int r;

	if (!(f->f_mode & FMODE_WRITE))
		return -EPERM;
	if ((seals & ~ALL_SEALS) || !have)
		return -EINVAL;
	inode_lock(i); /* keeps writes, truncation, fallocate and chmod out */
	r = seal(i, f, have, seals);
	inode_unlock(i);
	return r;
}

long shmem_seals(struct file *f, unsigned cmd, unsigned long arg)
{
	unsigned *have;

	if (cmd == F_ADD_SEALS)
		return arg >> 32 ? -EINVAL : add_seals(f, arg);
	have = shmem_file_seals(f);
	return have ? (long)READ_ONCE(*have) : -EINVAL;
}

/* Checks flags and adds what the sysctl says. */
static int memfd_flags(unsigned *flags)
{
	int noexec = READ_ONCE(memfd_noexec);
	unsigned known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC;

	if (*flags & MFD_HUGETLB)
		known |= (unsigned)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
	if ((*flags & ~known) || (*flags & (MFD_NOEXEC_SEAL | MFD_EXEC)) == (MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	if (!(*flags & (MFD_NOEXEC_SEAL | MFD_EXEC)))
		*flags |= noexec ? MFD_NOEXEC_SEAL : MFD_EXEC;
	if (!(*flags & MFD_NOEXEC_SEAL) && noexec >= 2)
		return -EACCES;
	return *flags & MFD_HUGETLB ? -ENOSYS : 0; /* as a Linux without hugetlbfs */
}

SYSCALL_DEFINE2(memfd_create, const char __user *, uname, unsigned, flags)
{
	char name[NAME_MAX + 1] = NAME_PREFIX;
	unsigned *seals;
	struct file *f;
	long n;
	int fd;

	n = memfd_flags(&flags);
	if (n)
		return n;
	n = strncpy_from_user(name + sizeof(NAME_PREFIX) - 1, uname, NAME_MAX_LEN + 1);
	if (n < 0)
		return n;
	if (n > NAME_MAX_LEN)
		return -EINVAL;
	fd = get_unused_fd_flags(flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	f = shmem_file_setup(name, 0, VM_NORESERVE);
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		return PTR_ERR(f);
	}
	f->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
	f->f_flags |= O_LARGEFILE;
	seals = shmem_file_seals(f);
	if (flags & MFD_NOEXEC_SEAL) {
		file_inode(f)->i_mode &= ~0111;
		*seals = F_SEAL_EXEC;
	} else if (flags & MFD_ALLOW_SEALING) {
		*seals = 0;
	}
	fd_install(fd, f);
	return fd;
}

SYSCTL_INT("vm/memfd_noexec", 0644, memfd_noexec, 0, 2);
