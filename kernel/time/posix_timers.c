// SPDX-License-Identifier: Apache-2.0
// POSIX timers: timer_create and what belongs to it.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/pid.h>
#include "posix_timers.h"

/**
 * DOC: POSIX timers
 *
 * A timer owns one signal-queue entry. While that is queued, further expiries only count as overruns; a periodic timer is
 * armed for its next period when the signal is taken (posixtimer_rearm), so a process that does not look costs nothing.
 * sys_private in the siginfo carries the generation: a signal of an earlier setting rearms nothing.
 *
 * Locks: siglock for the list and look-up (which takes a reference); the timer's own lock for its setting. lock -> siglock.
 * A deleted timer is never armed again, so its memory is in no tree of timers when the last reference goes.
 */

#define SIGEV_SIGNAL_ 0
#define SIGEV_NONE_ 1
#define SIGEV_THREAD_ 2
#define SIGEV_THREAD_ID_ 4
#define DELAYTIMER_MAX_ 0x7fffffff

struct sigevent_abi {
	u64 value;
	int signo, notify, tid;
	int pad[11];
};
struct itimerspec_abi {
	struct timespec64 interval, value;
};

struct k_itimer {
	struct timer timer;    /* timer.expires: CLOCK_MONOTONIC, or the CPU clock's time */
	struct list_head list; /* signal->posix_timers */
	refcount_t refs;
	spinlock_t lock;
	struct signal_struct *sig;
	struct pid *target; /* SIGEV_THREAD_ID: the thread; else NULL */
	struct sigqueue *q;
	clockid_t clock;
	int id, notify;
	bool cpu, active, waiting; /* waiting: periodic, fired, its signal not taken yet */
	bool gone;		   /* deleted: whoever had looked it up before arms it no more */
	u64 interval;
	int overrun_last;
	u64 missed; /* times that were over when it was set */
	int generation;
};

static void put_timer(struct k_itimer *k)
{
	if (!refcount_dec_and_test(&k->refs))
		return;
	put_pid(k->target);
	kfree(k);
}

static struct k_itimer *get_timer(int id)
{
	struct signal_struct *s = current->signal;
	struct k_itimer *k, *found = NULL;

	spin_lock(&current->sighand->siglock);
	list_for_each_entry (k, &s->posix_timers, list)
		if (k->id == id) {
			refcount_inc(&k->refs);
			found = k;
			break;
		}
	spin_unlock(&current->sighand->siglock);
	return found;
}

/* ---- expiry ---- */

/* Returns whether nobody will take the signal. k->lock held, tasklist_lock read-held. */
static bool fire(struct k_itimer *k)
{
	struct task_struct *t;
	int r;

	if (k->interval)
		k->generation++;
	k->q->info._timer.sys_private = k->interval ? k->generation : 0;
	if (k->target) {
		t = get_pid_task(k->target);
		r = t ? send_sigqueue(k->q, t, false) : -1;
		if (t)
			put_task_struct(t);
	} else {
		r = send_sigqueue(k->q, k->sig->leader, true);
	}
	return r != 0;
}

/* Periods between expires and now, expires moved past now. */
static u64 forward(struct k_itimer *k)
{
	u64 now, n;

	if (!k->cpu)
		return timer_forward(&k->timer, k->interval);
	if (clock_now(k->clock, &now) || k->timer.expires > now)
		return 0;
	n = (now - k->timer.expires) / k->interval + 1;
	k->timer.expires += n * k->interval;
	return n;
}

static void timer_fn(struct timer *t)
{
	struct k_itimer *k = container_of(t, struct k_itimer, timer);

	read_lock(&tasklist_lock);
	spin_lock(&k->lock);
	if (!k->active)
		goto out;
	if (!k->interval)
		k->active = false;
	k->waiting = k->interval != 0;
	if (fire(k) && k->interval) { /* ignored: nobody will ask for the next period */
		k->waiting = false;
		forward(k);
		if (!k->cpu) /* not faster than anybody could notice */
			timer_set(t, max(t->expires, ktime_get_ns() + NSEC_PER_MSEC));
	}
out:
	spin_unlock(&k->lock);
	read_unlock(&tasklist_lock);
}

void posixtimer_rearm(struct kernel_siginfo *info)
{
	struct k_itimer *k = get_timer(info->_timer.tid);
	u64 n;

	if (!k)
		return;
	spin_lock(&k->lock);
	if (k->interval && k->active && k->generation == info->_timer.sys_private) {
		n = forward(k);
		k->waiting = false;
		n = info->_timer.overrun + k->missed + (n ? n - 1 : 0);
		k->missed = 0;
		k->overrun_last = min_t(u64, n, DELAYTIMER_MAX_);
		info->_timer.overrun = k->overrun_last;
		if (!k->cpu)
			timer_set(&k->timer, k->timer.expires);
	}
	spin_unlock(&k->lock);
	put_timer(k);
}

bool posix_cpu_timers_armed(struct signal_struct *s)
{
	struct k_itimer *k;

	if (!s->leader->sighand)
		return false;
	list_for_each_entry (k, &s->posix_timers, list)
		if (k->cpu && k->active)
			return true;
	return false;
}

/* One due CPU timer of current's process, with a reference. */
static struct k_itimer *due_cpu_timer(u64 ut, u64 st)
{
	struct k_itimer *k, *found = NULL;
	u64 now;

	spin_lock(&current->sighand->siglock);
	list_for_each_entry (k, &current->signal->posix_timers, list) {
		if (!k->cpu || !k->active || k->waiting || k->notify == SIGEV_NONE_)
			continue;
		now = ut + st;
		if (k->clock == CLOCK_THREAD_CPUTIME_ID || (k->clock < 0 && (k->clock & 4)))
			now = current->utime + current->stime;
		if (now >= k->timer.expires) {
			refcount_inc(&k->refs);
			found = k;
			break;
		}
	}
	spin_unlock(&current->sighand->siglock);
	return found;
}

void posix_cpu_timers_check(u64 ut, u64 st)
{
	struct k_itimer *k;

	if (list_empty(&current->signal->posix_timers))
		return;
	while ((k = due_cpu_timer(ut, st))) {
		timer_fn(&k->timer);
		put_timer(k);
		if (signal_pending(current))
			break;
	}
}

/* ---- system calls ---- */

static int check_sigevent(const struct sigevent_abi *ev, struct pid **target)
{
	struct task_struct *t;
	struct pid *p;

	switch (ev->notify) {
	case SIGEV_SIGNAL_ | SIGEV_THREAD_ID_:
		p = find_get_pid(ev->tid);
		t = p ? get_pid_task(p) : NULL;
		if (!t || !same_thread_group(t, current)) {
			if (t)
				put_task_struct(t);
			put_pid(p);
			return -EINVAL;
		}
		put_task_struct(t);
		*target = p;
		fallthrough;
	case SIGEV_SIGNAL_:
	case SIGEV_THREAD_:
		if (ev->signo <= 0 || ev->signo > _NSIG) {
			put_pid(*target);
			*target = NULL;
			return -EINVAL;
		}
		fallthrough;
	case SIGEV_NONE_:
		return 0;
	}
	return -EINVAL;
}

static bool timer_clock_ok(clockid_t which)
{
	u64 ns;

	if (which == CLOCK_MONOTONIC_RAW || which == CLOCK_REALTIME_COARSE || which == CLOCK_MONOTONIC_COARSE)
		return false;
	return !clock_now(which, &ns);
}

static void free_timer(struct k_itimer *k)
{
	timer_cancel(&k->timer);
	sigqueue_free(k->q);
	put_timer(k);
}

/* under siglock: an id nobody has */
static int new_id(struct signal_struct *s)
{
	struct k_itimer *k;
	int id;

again:
	id = s->next_posix_timer_id++;
	if (s->next_posix_timer_id < 0)
		s->next_posix_timer_id = 0;
	list_for_each_entry (k, &s->posix_timers, list)
		if (k->id == id)
			goto again;
	return id;
}

SYSCALL_DEFINE3(timer_create, clockid_t, which, const void __user *, uev, int __user *, uid)
{
	struct signal_struct *s = current->signal;
	struct sigevent_abi ev = {.signo = SIGALRM, .notify = SIGEV_SIGNAL_};
	struct pid *target = NULL;
	struct k_itimer *k;
	int r;

	if (uev && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	if (!timer_clock_ok(which))
		return which == CLOCK_MONOTONIC_RAW || which == CLOCK_REALTIME_COARSE || which == CLOCK_MONOTONIC_COARSE
			       ? -EOPNOTSUPP
			       : -EINVAL;
	r = check_sigevent(&ev, &target);
	if (r)
		return r;
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (k)
		k->q = sigqueue_alloc();
	if (!k || !k->q) {
		kfree(k);
		put_pid(target);
		return -EAGAIN;
	}
	timer_init(&k->timer, timer_fn);
	refcount_set(&k->refs, 1);
	spin_lock_init(&k->lock);
	k->sig = s;
	k->target = target;
	k->clock = which;
	k->cpu = which < 0 || which == CLOCK_PROCESS_CPUTIME_ID || which == CLOCK_THREAD_CPUTIME_ID;
	k->notify = ev.notify;
	spin_lock(&current->sighand->siglock);
	k->id = new_id(s);
	k->q->info.si_signo = ev.signo;
	k->q->info.si_code = SI_TIMER;
	k->q->info._timer.tid = k->id;
	k->q->info._timer.value = uev ? ev.value : (u64)k->id;
	list_add_tail(&k->list, &s->posix_timers);
	spin_unlock(&current->sighand->siglock);
	if (put_user(k->id, uid)) {
		spin_lock(&current->sighand->siglock);
		list_del(&k->list);
		spin_unlock(&current->sighand->siglock);
		free_timer(k);
		return -EFAULT;
	}
	return 0;
}

/* k->lock held */
static void timer_left(struct k_itimer *k, u64 *left)
{
	u64 now, exp = k->timer.expires;

	*left = 0;
	if (!k->active)
		return;
	if (!k->cpu)
		now = ktime_get_ns();
	else if (clock_now(k->clock, &now))
		return;
	if (exp <= now && k->interval && (k->waiting || k->notify == SIGEV_NONE_))
		exp += ((now - exp) / k->interval + 1) * k->interval;
	if (exp > now)
		*left = exp - now;
	else if (k->notify != SIGEV_NONE_ && !k->waiting)
		*left = 1; /* due, not yet sent */
}

static int put_setting(void __user *u, u64 left, u64 interval)
{
	struct itimerspec_abi it = {ns_to_timespec64(interval), ns_to_timespec64(left)};

	return copy_to_user(u, &it, sizeof(it)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(timer_gettime, int, id, void __user *, usetting)
{
	struct k_itimer *k = get_timer(id);
	u64 left, interval;

	if (!k)
		return -EINVAL;
	spin_lock(&k->lock);
	timer_left(k, &left);
	interval = k->interval;
	spin_unlock(&k->lock);
	put_timer(k);
	return put_setting(usetting, left, interval);
}

SYSCALL_DEFINE1(timer_getoverrun, int, id)
{
	struct k_itimer *k = get_timer(id);
	int n;

	if (!k)
		return -EINVAL;
	n = k->overrun_last;
	put_timer(k);
	return n;
}

/* k->lock held. value: ns, not 0 */
static int arm(struct k_itimer *k, u64 value, bool abs)
{
	u64 now;

	if (k->cpu) {
		if (clock_now(k->clock, &now))
			return -EINVAL;
		k->timer.expires = abs ? value : now + value;
	} else if (abs) {
		k->timer.expires = clock_first_expiry(k->clock, value, k->interval, &k->missed);
	} else {
		k->timer.expires = min_t(u64, ktime_get_ns() + value, INT64_MAX);
	}
	k->active = true;
	if (!k->cpu && k->notify != SIGEV_NONE_)
		timer_set(&k->timer, k->timer.expires);
	return 0;
}

SYSCALL_DEFINE4(timer_settime, int, id, int, flags, const void __user *, unew, void __user *, uold)
{
	u64 left, old_interval, value, interval;
	struct itimerspec_abi it;
	struct k_itimer *k;
	int r = 0;

	if (!unew)
		return -EINVAL;
	if (copy_from_user(&it, unew, sizeof(it)))
		return -EFAULT;
	if (!timespec64_valid(&it.interval) || !timespec64_valid(&it.value))
		return -EINVAL;
	value = timespec64_to_ns(&it.value);
	interval = timespec64_to_ns(&it.interval);
	k = get_timer(id);
	if (!k)
		return -EINVAL;
	spin_lock(&k->lock);
	timer_left(k, &left);
	old_interval = k->interval;
	k->active = k->waiting = false;
	k->generation++;
	spin_unlock(&k->lock);
	timer_cancel(&k->timer); /* its function takes the lock */
	spin_lock(&k->lock);
	k->interval = value ? interval : 0;
	k->overrun_last = 0;
	k->missed = 0;
	if (k->gone)
		r = -EINVAL;
	else if (value)
		r = arm(k, value, flags & TIMER_ABSTIME);
	spin_unlock(&k->lock);
	if (!r && value && k->cpu)
		cpu_timers_arm(current->signal);
	put_timer(k);
	if (!r && uold)
		r = put_setting(uold, left, old_interval);
	return r;
}

SYSCALL_DEFINE1(timer_delete, int, id)
{
	struct k_itimer *k, *found = NULL;

	spin_lock(&current->sighand->siglock);
	list_for_each_entry (k, &current->signal->posix_timers, list)
		if (k->id == id) {
			list_del(&k->list);
			found = k;
			break;
		}
	spin_unlock(&current->sighand->siglock);
	if (!found)
		return -EINVAL;
	spin_lock(&found->lock);
	found->active = false;
	found->gone = true;
	spin_unlock(&found->lock);
	free_timer(found);
	return 0;
}

/* The process execs or ends: nobody else uses its timers. */
void exit_itimers(struct signal_struct *s)
{
	struct k_itimer *k, *n;

	if (list_empty(&s->posix_timers))
		return;
	list_for_each_entry_safe (k, n, &s->posix_timers, list) {
		spin_lock(&current->sighand->siglock);
		list_del(&k->list);
		spin_unlock(&current->sighand->siglock);
		free_timer(k);
	}
}
