// SPDX-License-Identifier: Apache-2.0
// getrusage and times.

#include <husk/syscalls.h>
#include <husk/proc_mm.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <linux/times.h>

#define NSEC_PER_CLOCK (NSEC_PER_SEC / 100) /* USER_HZ */
#define RUSAGE_THREAD_ 1

struct usage {
	u64 ut, st, min_flt, maj_flt, nvcsw, nivcsw, in, out, maxrss;
};

static void add_thread(struct usage *u, struct task_struct *t, bool cpu)
{
	u64 ut, st;

	if (cpu) {
		task_cputime(t, &ut, &st);
		u->ut += ut;
		u->st += st;
	}
	u->min_flt += t->min_flt;
	u->maj_flt += t->maj_flt;
	u->nvcsw += t->nvcsw;
	u->nivcsw += t->nivcsw;
	u->in += t->read_bytes >> 9;
	u->out += t->write_bytes >> 9;
}

static void self_usage(struct usage *u)
{
	struct signal_struct *s = current->signal;
	struct task_struct *t;

	spin_lock(&current->sighand->siglock);
	thread_group_cputime(current, &u->ut, &u->st);
	for_each_thread (current, t)
		add_thread(u, t, false);
	u->min_flt += s->min_flt;
	u->maj_flt += s->maj_flt;
	u->nvcsw += s->nvcsw;
	u->nivcsw += s->nivcsw;
	u->in += s->inblock;
	u->out += s->oublock;
	u->maxrss = s->maxrss;
	spin_unlock(&current->sighand->siglock);
}

static void children_usage(struct usage *u)
{
	struct signal_struct *s = current->signal;

	spin_lock(&current->sighand->siglock);
	*u = (struct usage){s->cutime,	s->cstime,   s->cmin_flt, s->cmaj_flt, s->cnvcsw,
			    s->cnivcsw, s->cinblock, s->coublock, s->cmaxrss};
	spin_unlock(&current->sighand->siglock);
}

SYSCALL_DEFINE2(getrusage, int, who, struct rusage __user *, uru)
{
	struct mm_struct *mm = current->mm;
	struct rusage ru = {};
	struct usage u = {};

	switch (who) {
	case RUSAGE_SELF:
		self_usage(&u);
		break;
	case RUSAGE_CHILDREN:
		children_usage(&u);
		break;
	case RUSAGE_THREAD_:
		add_thread(&u, current, true);
		u.maxrss = current->signal->maxrss;
		break;
	default:
		return -EINVAL;
	}
	if (who != RUSAGE_CHILDREN && mm)
		u.maxrss = max_t(u64, u.maxrss, task_max_rss(mm));
	ru.ru_utime.tv_sec = u.ut / NSEC_PER_SEC;
	ru.ru_utime.tv_usec = u.ut % NSEC_PER_SEC / 1000;
	ru.ru_stime.tv_sec = u.st / NSEC_PER_SEC;
	ru.ru_stime.tv_usec = u.st % NSEC_PER_SEC / 1000;
	ru.ru_maxrss = u.maxrss << (PAGE_SHIFT - 10);
	ru.ru_minflt = u.min_flt;
	ru.ru_majflt = u.maj_flt;
	ru.ru_nvcsw = u.nvcsw;
	ru.ru_nivcsw = u.nivcsw;
	ru.ru_inblock = u.in;
	ru.ru_oublock = u.out;
	return copy_to_user(uru, &ru, sizeof(ru)) ? -EFAULT : 0;
}

SYSCALL_DEFINE1(times, struct tms __user *, ut)
{
	struct signal_struct *s = current->signal;
	struct tms t;
	u64 u, k;

	if (ut) {
		spin_lock(&current->sighand->siglock);
		thread_group_cputime(current, &u, &k);
		t.tms_utime = u / NSEC_PER_CLOCK;
		t.tms_stime = k / NSEC_PER_CLOCK;
		t.tms_cutime = s->cutime / NSEC_PER_CLOCK;
		t.tms_cstime = s->cstime / NSEC_PER_CLOCK;
		spin_unlock(&current->sighand->siglock);
		if (copy_to_user(ut, &t, sizeof(t)))
			return -EFAULT;
	}
	return ktime_get_boottime_ns() / NSEC_PER_CLOCK;
}
