// SPDX-License-Identifier: Apache-2.0
/* kcmp(2): do two tasks share an object. The order that it tells is the same as long as the system runs, and hides addresses. */
#include "internal.h"
#include <husk/file.h>
#include <husk/ptrace.h>
#include <husk/syscalls.h>
#include <linux/kcmp.h>

static u64 cookies[KCMP_TYPES][2];
static bool have_cookies;
static DEFINE_MUTEX(cookie_lock);

static void make_cookies(void)
{
	if (smp_load_acquire(&have_cookies))
		return;
	mutex_lock(&cookie_lock);
	if (!have_cookies) {
		get_random_bytes(cookies, sizeof(cookies));
		smp_store_release(&have_cookies, true);
	}
	mutex_unlock(&cookie_lock);
}

/* 0 the same, 1 the first is less, 2 greater */
static long compare(const void *a, const void *b, int type)
{
	u64 x, y;

	make_cookies();
	x = ((u64)a ^ cookies[type][0]) * (cookies[type][1] | 1);
	y = ((u64)b ^ cookies[type][0]) * (cookies[type][1] | 1);
	return x == y ? 0 : x < y ? 1 : 2;
}

static long compare_files(struct task_struct *a, struct task_struct *b, unsigned long fd1, unsigned long fd2)
{
	struct file *x = fd1 > UINT32_MAX ? NULL : fget_task(a, fd1), *y = fd2 > UINT32_MAX ? NULL : fget_task(b, fd2);
	long r = x && y ? compare(x, y, KCMP_FILE) : -EBADF;

	if (x)
		fput(x);
	if (y)
		fput(y);
	return r;
}

static long compare_tasks(struct task_struct *a, struct task_struct *b, int type, unsigned long i, unsigned long j)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, b, i, j);
	case KCMP_VM:
		return compare(a->mm, b->mm, type);
	case KCMP_FILES:
		return compare(a->files, b->files, type);
	case KCMP_FS:
		return compare(a->fs, b->fs, type);
	case KCMP_SIGHAND:
		return compare(a->sighand, b->sighand, type);
	case KCMP_IO:
		return compare(NULL, NULL, type); /* nobody has an I/O context */
	case KCMP_SYSVSEM:
		return compare(a->sysvsem, b->sysvsem, type);
	case KCMP_EPOLL_TFD:
		return -EOPNOTSUPP;
	}
	return -EINVAL;
}

SYSCALL_DEFINE5(kcmp, pid_t, pid1, pid_t, pid2, int, type, unsigned long, i, unsigned long, j)
{
	struct task_struct *a = find_get_task_by_pid(pid1), *b = find_get_task_by_pid(pid2);
	long r = -ESRCH;

	if (a && b)
		r = ptrace_may_access(a, true) && ptrace_may_access(b, true) ? compare_tasks(a, b, type, i, j) : -EPERM;
	if (a)
		put_task_struct(a);
	if (b)
		put_task_struct(b);
	return r;
}
