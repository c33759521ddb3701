// SPDX-License-Identifier: Apache-2.0
// Faults of the kernel itself: what happened, BUG and WARN, stopping the other threads. See docs/design/oops.md.

#include <husk/mm.h>
#include <husk/oops.h>
#include <husk/time.h>
#include <hostif/hostif.h>
#include "arch.h"
#include "asm.h"
#include "hostcall.h"
#include "hostsig.h"
#include "crash.h"

unsigned long __copy_user(void *to, const void *from, unsigned long n); /* gate.S */

#define STOP_TRIES 200 /* ms */
#define CAUSE_MAX 200

u32 crash_stopping;

/**
 * copy_nofault - copy from an address of the kernel that may be bad
 * Return: 0, or -EFAULT with nothing said of what was copied.
 */
int copy_nofault(void *to, const void *from, size_t n)
{
	if ((u64)from < TASK_SIZE || (u64)from + n < (u64)from)
		return -EFAULT;
	return __copy_user(to, from, n) ? -EFAULT : 0;
}

/* ---- BUG and WARN: ud1 entry(%rip), %eax; the compiler may have taken another register for the base ---- */

static u64 modrm_base(const struct host_sigcontext *c, unsigned rm, u64 next)
{
	switch (rm) {
	case 0:
		return c->ax;
	case 1:
		return c->cx;
	case 2:
		return c->dx;
	case 3:
		return c->bx;
	case 6:
		return c->si;
	case 7:
		return c->di;
	}
	return next;
}

/* The entry that the instruction at c->ip names, copied; its length in *len. False: it is not one of ours. */
static bool bug_at(const struct host_sigcontext *c, struct bug_entry *b, struct bug_entry **at, unsigned *len)
{
	u8 i[7];
	s32 disp = 0;
	u64 addr;

	if (copy_nofault(i, (void *)c->ip, sizeof(i)) || i[0] != 0x0f || i[1] != 0xb9)
		return false;
	if ((i[2] & 0xc7) == 0x05) { /* rip-relative */
		memcpy(&disp, i + 3, 4);
		*len = 7;
		addr = c->ip + 7 + disp;
	} else if ((i[2] & 0xc0) == 0 && (i[2] & 7) != 4) {
		*len = 3;
		addr = modrm_base(c, i[2] & 7, 0);
	} else {
		return false;
	}
	*at = (struct bug_entry *)addr;
	return !copy_nofault(b, *at, sizeof(*b)) && b->magic == BUG_MAGIC;
}

/* true: it was a warning, and the kernel goes on */
static bool do_bug(struct host_sigcontext *c, char *cause)
{
	struct bug_entry b, *at;
	unsigned len;

	if (!bug_at(c, &b, &at, &len))
		return false;
	if (!(b.flags & BUGFLAG_WARN)) {
		if (b.expr)
			scnprintf(cause, CAUSE_MAX, "kernel BUG: %s at %s:%u/%s()", b.expr, b.file, b.line, b.func);
		else
			scnprintf(cause, CAUSE_MAX, "kernel BUG at %s:%u/%s()", b.file, b.line, b.func);
		return false;
	}
	if (!(b.flags & BUGFLAG_ONCE) ||
	    !(__atomic_fetch_or(&at->flags, BUGFLAG_DONE, __ATOMIC_RELAXED) & BUGFLAG_DONE)) {
		scnprintf(cause, CAUSE_MAX, "WARNING: %s at %s:%u/%s()", b.expr, b.file, b.line, b.func);
		warn_report(cause, c);
	}
	c->ip += len;
	return true;
}

/* ---- causes ---- */

static void page_fault_cause(char *cause, const struct host_sigcontext *c)
{
	const char *how = c->err & PF_INSTR ? "instruction fetch" : c->err & PF_WRITE ? "write" : "read";
	const char *why = c->err & PF_PK	? "protection key"
			  : c->err & PF_PRESENT ? "protection violation"
						: "not mapped";
	const char *what = c->cr2 < PAGE_SIZE	? "kernel NULL pointer dereference"
			   : c->cr2 < TASK_SIZE ? "kernel access to user memory"
						: "unable to handle kernel page fault";

	scnprintf(cause, CAUSE_MAX, "BUG: %s, address: %016lx (%s, %s)", what, (unsigned long)c->cr2, how, why);
}

static void fault_cause(char *cause, int sig, const struct host_siginfo *info, const struct host_sigcontext *c)
{
	if (sig == SIGSYS)
		scnprintf(cause, CAUSE_MAX, "BUG: host call %d that the jail does not allow", info->syscall);
	else if (sig == SIGBUS && c->trapno == TRAP_PF)
		scnprintf(cause, CAUSE_MAX, "the host has no memory for RAM at %016lx", (unsigned long)c->cr2);
	else if (c->trapno == TRAP_PF)
		page_fault_cause(cause, c);
	else if (c->trapno == TRAP_GP)
		scnprintf(cause, CAUSE_MAX, "general protection fault, probably for a non-canonical address");
	else if (c->trapno == TRAP_UD)
		scnprintf(cause, CAUSE_MAX, "invalid opcode");
	else if (c->trapno == TRAP_DE)
		scnprintf(cause, CAUSE_MAX, "divide error");
	else
		scnprintf(cause, CAUSE_MAX, "kernel trap %lu (host signal %d, code %d)", (unsigned long)c->trapno, sig,
			  info->code);
}

void kernel_fault(int sig, const struct host_siginfo *info, struct host_sigcontext *c)
{
	char cause[CAUSE_MAX] = "";

	if (sig == SIGILL && do_bug(c, cause))
		return;
	if (!*cause)
		fault_cause(cause, sig, info, c);
	oops(cause, c);
}

/* ---- a stack pointer that is lost ---- */

#define LOST_XSTATE 8192
#define LOST_ROOM (12 * 1024)
extern char stack_lost_top[];

/*
 * On the stack for this, whose thread_info becomes a copy of the task's. The frame at the top of the task's own slot would be
 * overwritten by the next host signal: what it holds is copied.
 */
__used __noreturn void stack_lost_report(struct thread_info *ti, struct host_sigcontext *c)
{
	static u8 xstate[LOST_XSTATE] __aligned(64);
	static struct host_sigcontext copy;
	struct thread_info *me = (struct thread_info *)stack_lost_top;
	u64 base = ti_stack_base(ti);
	char cause[CAUSE_MAX];

	copy = *c;
	copy.fpstate = xstate;
	memcpy(xstate, c->fpstate, min_t(size_t, xstate_size, sizeof(xstate)));
	*me = *ti;
	ti->crash_regs = &copy;
	if (c->sp - base <= ti_stack_low(ti) + stack_room + 128 - base) {
		scnprintf(cause, sizeof(cause), "BUG: kernel stack overflow, stack %016lx to %016lx, address: %016lx",
			  (unsigned long)base, (unsigned long)ti, (unsigned long)c->cr2);
	} else {
		scnprintf(cause, sizeof(cause), "BUG: the kernel stack pointer is lost: %016lx", (unsigned long)c->sp);
		me->crash_fatal = 1;
	}
	oops(cause, &copy);
}

/**
 * arch_oops_leave - the report is written; the task goes on with fn, which does not return
 *
 * A task whose stack overflowed goes back to it some way up: the deepest callers are lost, what outer ones have there stays.
 */
void arch_oops_leave(void (*fn)(void *), struct task_struct *t)
{
	kicks_unblock();
	if (current_thread_info() != t->ti)
		stack_found(ti_stack_low(t->ti) + stack_room + LOST_ROOM, fn, t);
	fn(t);
	__builtin_unreachable();
}

/* ---- a panic stops everybody ---- */

/* A kick's handler ends here; the frame stays where it is, for whoever looks at RAM. */
void crash_park(struct thread_info *ti, struct host_sigcontext *c)
{
	static u32 never;

	smp_store_release(&ti->crash_regs, c);
	for (;;)
		host_futex_wait(&never, 0, INT64_MAX);
}

void crash_wait(struct thread_info *ti, struct host_sigcontext *c)
{
	crash_park(ti, c ? c : ti->crash_regs);
}

unsigned long crash_ip(const struct host_sigcontext *c)
{
	return c->ip;
}

static bool good_thread(struct thread_info *ti)
{
	u64 off = (u64)ti - DIRECT_MAP_BASE;

	return off < ram_bytes && (off & (THREAD_SIZE - 1)) == THREAD_SIZE - 1024 && READ_ONCE(ti->host_tid) > 0 &&
	       ti->host_tid != current_thread_info()->host_tid && smp_load_acquire(&ti->arch[TA_READY]);
}

/* How many threads run that did not stop yet; sends each a kick the first time. */
static unsigned threads_left(bool first)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MAX_THREAD_SLOTS; i++) {
		struct thread_info *ti = READ_ONCE(gate_table[i]);

		if (!ti || !good_thread(ti) || smp_load_acquire(&ti->crash_regs))
			continue;
		if (first && host_tgkill(ti->host_pid, ti->host_tid, HOST_KICK_SIGNAL))
			continue;
		n++;
	}
	return n;
}

void arch_stop_threads(void)
{
	u32 zero = 0;

	WRITE_ONCE(crash_stopping, 1);
	smp_mb();
	for (unsigned i = 0; threads_left(!i) && i < STOP_TRIES; i++)
		host_futex_wait(&zero, 0, NSEC_PER_MSEC);
}
