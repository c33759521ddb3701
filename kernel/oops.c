// SPDX-License-Identifier: Apache-2.0
// Oops: the report of a fault in the kernel, and who pays for it: the task alone, or the sandbox.

#include <husk/sched.h>
#include <husk/mm.h>
#include <husk/module.h>
#include <husk/oops.h>
#include <husk/boot.h>
#include <husk/time.h>
#include <husk/utsname.h>
#include "oops.h"

/**
 * DOC: who pays
 *
 * An oops kills the process of the task that it happened in, and the kernel goes on, when that task holds no lock and the kernel can
 * do without it. Its task_struct and kernel stack are never freed: other tasks' lists may still lead to what lay on that
 * stack. Everything else that it held (references, pages locked for I/O) stays held.
 *
 * A report is written under oops_owner, which is a thread, not a lock: a fault inside the report is seen by it and ends the sandbox.
 */

#define CALL_LINE 400

const char *(*oops_syscall_name)(unsigned long nr);
unsigned long tainted_mask;
static struct thread_info *oops_owner;
static unsigned int oops_count;
int panic_on_oops, panic_on_warn;
int oops_limit = 1000; /* each keeps a stack for ever; 0: no limit */

void add_taint(unsigned int bit)
{
	__atomic_fetch_or(&tainted_mask, 1UL << bit, __ATOMIC_RELAXED);
}

/* ---- one report at a time ---- */

/* False: this thread is in a report already. */
static bool report_begin(void)
{
	struct thread_info *ti = current_thread_info(), *none = NULL;

	if (READ_ONCE(oops_owner) == ti)
		return false;
	while (!__atomic_compare_exchange_n(&oops_owner, &none, ti, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		none = NULL;
		host_yield();
	}
	__atomic_fetch_add(&oops_in_progress, 1, __ATOMIC_SEQ_CST);
	lockdep_busy(1);
	return true;
}

void report_end(void)
{
	lockdep_busy(-1);
	__atomic_fetch_sub(&oops_in_progress, 1, __ATOMIC_SEQ_CST);
	smp_store_release(&oops_owner, NULL);
}

/* ---- the parts of a report ---- */

static const char *taint_text(char *buf, size_t n)
{
	unsigned long t = READ_ONCE(tainted_mask);
	char letters[32];

	if (!t)
		return "Not tainted";
	taint_letters(t, letters);
	scnprintf(buf, n, "Tainted: %s", letters);
	return buf;
}

static void show_task_line(struct task_struct *t)
{
	char taint[32];

	pr_err("CPU: %u PID: %d TGID: %d Comm: %.16s %s husk " HUSK_VERSION, host_getcpu(), t ? t->pid : 0,
	       t ? t->tgid : 0, t ? t->comm : "boot", taint_text(taint, sizeof(taint)));
}

static void show_last_calls(struct thread_info *ti)
{
	u64 n = READ_ONCE(ti->ncalls), from = n > THREAD_CALLS ? n - THREAD_CALLS : 0;
	char line[CALL_LINE];
	size_t len = 0;

	if (!n || !oops_syscall_name)
		return;
	for (u64 i = from; i != n; i++) {
		u32 k = i % THREAD_CALLS;

		len += scnprintf(line + len, sizeof(line) - len, " %s", oops_syscall_name(ti->calls[k].nr));
		if (ti->calls[k].done)
			len += scnprintf(line + len, sizeof(line) - len, "=%lld", (long long)ti->calls[k].ret);
		else
			len += scnprintf(line + len, sizeof(line) - len, "...");
	}
	pr_err("Last system calls:%s", line);
}

static void show_held_locks(struct thread_info *ti, u32 held)
{
	if (held)
		pr_err("Locks held: %u", held);
	else
		pr_err("Locks held: none");
	lockdep_show_held();
}

/* The report's body. @c: where; @held: locks held before the report began */
void show_report(struct host_sigcontext *c, u32 held)
{
	struct thread_info *ti = current_thread_info();

	show_task_line(ti->task);
	arch_show_regs(c);
	arch_show_trace(c);
	arch_show_user_regs(ti);
	show_last_calls(ti);
	show_held_locks(ti, held);
}

/* ---- warnings ---- */

void warn_report(const char *cause, struct host_sigcontext *c)
{
	u32 held = current_thread_info()->lock_depth;

	if (!report_begin()) {
		pr_err("%s (within a report)", cause);
		return;
	}
	pr_err("------------[ cut here ]------------");
	pr_err("%s", cause);
	add_taint(TAINT_WARN);
	show_report(c, held);
	pr_err("---[ end of report ]---");
	report_end();
	if (READ_ONCE(panic_on_warn))
		panic("panic_on_warn is set: %s", cause);
}

/* ---- oopses ---- */

static const char *oops_why_fatal(void)
{
	struct thread_info *ti = current_thread_info();
	struct task_struct *t = ti->task;

	if (READ_ONCE(panic_on_oops))
		return "panic_on_oops is set";
	if (!t || !t->pid)
		return "in the boot task";
	if (ti->crash_fatal)
		return "its stack is lost";
	if (ti->lock_depth)
		return "while a lock is held";
	if (!t->mm || (t->flags & PF_KTHREAD))
		return "in a kernel thread";
	if (t->flags & PF_EXITING)
		return "in a task that is ending";
	if (!child_reaper || same_thread_group(t, child_reaper))
		return "in pid 1";
	if (READ_ONCE(oops_limit) && READ_ONCE(oops_count) >= (unsigned int)oops_limit)
		return "too many oopses";
	return NULL;
}

/* The task is cut off wherever it was: what it had begun for others is finished, what only it could see is forgotten. */
static void make_task_dead(void *task)
{
	struct task_struct *t = task;
	struct wake_q *q = t->wake_q;

	get_task_struct(t); /* never given back: so is the stack */
	set_current_state(TASK_RUNNING);
	if (q && q->n <= WAKE_Q_MAX) {
		q->inner = false;
		wake_q_end(q);
	}
	t->wake_q = NULL;
	t->nameidata = NULL;
	t->journal_info = NULL;
	t->scm_work = NULL;
	t->link_count = 0;
	t->pagefault_disabled = 0;
	do_group_exit(SIGSEGV);
}

void oops(const char *cause, struct host_sigcontext *c)
{
	struct thread_info *ti = current_thread_info();
	u32 held = ti->lock_depth;
	const char *why;

	ti->crash_regs = c;
	if (!report_begin())
		panic("fault within a report: %s at RIP %pS", cause, (void *)crash_ip(c));
	why = oops_why_fatal();
	pr_err("------------[ cut here ]------------");
	pr_err("%s", cause);
	pr_err("Oops: #%u%s", __atomic_add_fetch(&oops_count, 1, __ATOMIC_RELAXED), why ? "" : ", the task is killed");
	show_report(c, held);
	pr_err("---[ end of report ]---");
	add_taint(TAINT_DIE);
	if (why)
		panic_reported("%s, %s, at %pS", cause, why, (void *)crash_ip(c));
	ti->crash_regs = ti->task->ti->crash_regs = NULL;
	report_end();
	arch_oops_leave(make_task_dead, ti->task);
}

/* ---- locks ---- */

void bad_lock(const void *lock, const char *what)
{
	char cause[160];
	struct host_sigcontext *c =
		arch_capture((unsigned long)__builtin_return_address(0), *(unsigned long *)__builtin_frame_address(0),
			     (unsigned long)__builtin_frame_address(0) + 16);

	scnprintf(cause, sizeof(cause), "BUG: bad lock %pS: %s", lock, what);
	current_thread_info()->lock_depth++; /* the unlock took one off that was not there */
	oops(cause, c);
}

static __cold void spin_lock_stalled(void *lock, unsigned int seconds)
{
	panic("deadlock: spinlock %pS did not change hands for %u seconds", lock, seconds);
}

static __cold void mutex_stalled(void *lock, unsigned int seconds)
{
	struct task_struct *t = current;

	pr_err("INFO: task %.16s:%d waits for mutex %pS for more than %u seconds", t ? t->comm : "boot", t ? t->pid : 0,
	       lock, seconds);
	dump_stack();
}

const struct lock_reports lock_reports = {
	.bad = bad_lock,
	.spin_stalled = spin_lock_stalled,
	.mutex_stalled = mutex_stalled,
};
