// SPDX-License-Identifier: Apache-2.0
// Watchpoints and breakpoints of the debug registers, which the jail cannot have: a task that has some is stepped by the kernel.

#include <husk/mm.h>
#include <husk/ptrace.h>
#include "arch.h"

/**
 * DOC: debug registers without the processor's
 *
 * The host's debug registers can be set only through ptrace, which the jail may not call. So a traced task whose DR7 switches something on
 * runs with the trap flag, and after each instruction the kernel compares what is watched with what it was. A write that
 * changes nothing goes unseen, and reads cannot be watched: such a DR7 is refused. An instruction costs about two microseconds, a
 * hundredth of what it costs a debugger that steps by itself.
 *
 * The registers are read and written by the tracer of a stopped task, and looked at by the task while it runs.
 */

struct watch_regs {
	u64 dr[4], dr6, dr7;
	u64 old[4]; /* what the addresses held when last looked at */
};
#define DR6_STEP (1UL << 14)
#define DR_TYPE_EXEC 0
#define DR_TYPE_WRITE 1

static bool dr_enabled(const struct watch_regs *w, unsigned i)
{
	return (w->dr7 >> (2 * i)) & 3;
}

static unsigned dr_type(u64 dr7, unsigned i)
{
	return (dr7 >> (16 + 4 * i)) & 3;
}

static unsigned dr_len(u64 dr7, unsigned i)
{
	static const u8 len[] = {1, 2, 8, 4};

	return len[(dr7 >> (18 + 4 * i)) & 3];
}

static long check_dr7(const struct watch_regs *w, u64 v)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned type = dr_type(v, i), len = dr_len(v, i);

		if (!((v >> (2 * i)) & 3))
			continue;
		if (type != DR_TYPE_EXEC && type != DR_TYPE_WRITE)
			return -ENOSPC;
		if (w->dr[i] >= TASK_SIZE || w->dr[i] % len || (type == DR_TYPE_EXEC && len != 1))
			return -EINVAL;
	}
	return 0;
}

static void remember(struct task_struct *t, struct watch_regs *w)
{
	struct mm_struct *mm = get_task_mm(t);

	for (unsigned i = 0; mm && i < 4; i++) {
		w->old[i] = 0;
		if (dr_enabled(w, i) && dr_type(w->dr7, i) == DR_TYPE_WRITE)
			access_remote_vm(mm, w->dr[i], &w->old[i], dr_len(w->dr7, i), false);
	}
	if (mm)
		mmput(mm);
}

/**
 * watch_set - debug register n of a stopped task
 * 0; -ENOSPC: it cannot be had (reads, input and output); -EINVAL; -EIO: no such register; -ENOMEM.
 */
long watch_set(struct task_struct *t, unsigned n, u64 v)
{
	struct watch_regs *w = t->ptrace_watch;
	long r = 0;

	if (n == 4 || n == 5)
		return -EIO;
	if (!w) {
		if (!v)
			return 0;
		w = t->ptrace_watch = kzalloc(sizeof(*w), GFP_KERNEL);
		if (!w)
			return -ENOMEM;
	}
	if (n < 4) {
		if (v >= TASK_SIZE)
			return -EINVAL;
		w->dr[n] = v;
	} else if (n == 6) {
		w->dr6 = v;
	} else {
		r = check_dr7(w, v);
		if (!r)
			w->dr7 = v;
	}
	remember(t, w);
	if (w->dr7 & 0xff)
		set_tsk_flag(t, TIF_WATCH);
	else
		clear_tsk_flag(t, TIF_WATCH);
	return r;
}

void watch_clear(struct task_struct *t)
{
	clear_tsk_flag(t, TIF_WATCH);
	if (t->ptrace_watch)
		memset(t->ptrace_watch, 0, sizeof(struct watch_regs));
}

u64 watch_get(struct task_struct *t, unsigned n)
{
	struct watch_regs *w = t->ptrace_watch;

	if (!w || n == 4 || n == 5)
		return 0;
	return n < 4 ? w->dr[n] : n == 6 ? w->dr6 : w->dr7;
}

static bool changed(struct watch_regs *w, unsigned i)
{
	u64 now = 0;

	if (copy_from_user(&now, (void *)w->dr[i], dr_len(w->dr7, i)) || now == w->old[i])
		return false;
	w->old[i] = now;
	return true;
}

/**
 * watch_step - current has executed one instruction
 * True: that, or the next one, is something that the debugger waits for.
 */
bool watch_step(struct pt_regs *regs, bool step)
{
	struct watch_regs *w = current->ptrace_watch;
	u64 hit = 0;

	if (!w)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (!dr_enabled(w, i))
			continue;
		if (dr_type(w->dr7, i) == DR_TYPE_EXEC ? regs->ip == w->dr[i] : changed(w, i))
			hit |= 1UL << i;
	}
	if (hit || step)
		w->dr6 = hit | (step ? DR6_STEP : 0);
	return hit;
}
