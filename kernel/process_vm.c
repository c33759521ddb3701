// SPDX-License-Identifier: Apache-2.0
// process_vm_readv and process_vm_writev.
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/syscalls.h>

#define VM_IOV_MAX 1024

static struct mm_struct *target_mm(pid_t pid)
{
	struct task_struct *t = find_get_task_by_pid(pid);
	struct mm_struct *mm;

	if (!t)
		return ERR_PTR(-ESRCH);
	mm = mm_access(t);
	put_task_struct(t);
	return mm;
}

static ssize_t copy_remote(struct mm_struct *mm, struct iov_iter *it, const struct iovec *rv, unsigned long rn,
			   bool write)
{
	ssize_t total = 0, r;

	for (unsigned long i = 0; i < rn && iov_iter_count(it); i++) {
		if (!rv[i].iov_len)
			continue;
		r = access_remote_iter(mm, (unsigned long)rv[i].iov_base, rv[i].iov_len, it, write);
		if (r < 0)
			return total ?: r;
		total += r;
		if ((size_t)r < rv[i].iov_len)
			break;
	}
	return total;
}

static struct iovec *get_remote_iov(const struct iovec *uvec, unsigned long n)
{
	struct iovec *v;

	if (n > VM_IOV_MAX)
		return ERR_PTR(-EINVAL);
	v = memdup_user(uvec, n * sizeof(*v));
	if (IS_ERR(v))
		return v;
	for (unsigned long i = 0; i < n; i++) {
		if ((ssize_t)v[i].iov_len < 0) {
			kfree(v);
			return ERR_PTR(-EINVAL);
		}
	}
	return v;
}

static ssize_t process_vm_rw(pid_t pid, const struct iovec *lvec, unsigned long ln, const struct iovec *rvec,
			     unsigned long rn, unsigned long flags, bool write)
{
	struct iovec *lv = NULL, *rv = NULL;
	struct mm_struct *mm;
	struct iov_iter it;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	if (ln > VM_IOV_MAX)
		return -EINVAL;
	ret = import_iovec(write ? ITER_SOURCE : ITER_DEST, lvec, ln, 0, &lv, &it);
	if (ret < 0)
		return ret;
	if (!iov_iter_count(&it) || !rn)
		goto out;
	rv = get_remote_iov(rvec, rn);
	if (IS_ERR(rv)) {
		ret = PTR_ERR(rv);
		rv = NULL;
		goto out;
	}
	mm = target_mm(pid);
	if (IS_ERR(mm)) {
		ret = PTR_ERR(mm);
		goto out;
	}
	ret = copy_remote(mm, &it, rv, rn, write);
	mmput(mm);
out:
	kfree(rv);
	kfree(lv);
	return ret;
}

SYSCALL_DEFINE6(process_vm_readv, pid_t, pid, const struct iovec *, lvec, unsigned long, ln, const struct iovec *, rvec,
		unsigned long, rn, unsigned long, flags)
{
	return process_vm_rw(pid, lvec, ln, rvec, rn, flags, false);
}

SYSCALL_DEFINE6(process_vm_writev, pid_t, pid, const struct iovec *, lvec, unsigned long, ln, const struct iovec *,
		rvec, unsigned long, rn, unsigned long, flags)
{
	return process_vm_rw(pid, lvec, ln, rvec, rn, flags, true);
}
