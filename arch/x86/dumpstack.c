// SPDX-License-Identifier: Apache-2.0
// What a report shows of registers, code bytes and kernel stacks. Reads nothing that could fault, takes no lock.

#include <husk/mm.h>
#include <husk/oops.h>
#include <husk/kallsyms.h>
#include <husk/time.h>
#include "arch.h"
#include "asm.h"
#include "hostcall.h"
#include "hostsig.h"
#include "crash.h"

#define TRACE_MAX 32
#define CODE_BEFORE 21
#define CODE_AFTER 22
#define SNAP_TRIES 300 /* of 0.1 ms */
#define UL(x) ((unsigned long)(x))

struct frame {
	struct frame *next;
	unsigned long ret;
};

/* ---- registers ---- */

static void show_code(u64 ip)
{
	char line[(CODE_BEFORE + CODE_AFTER) * 3 + 8];
	size_t n = 0;
	u8 b;

	for (u64 a = ip - CODE_BEFORE; a != ip + CODE_AFTER; a++) {
		const char *fmt = a == ip ? " <%02x>" : " %02x";

		if (copy_nofault(&b, (void *)a, 1))
			n += scnprintf(line + n, sizeof(line) - n, a == ip ? " <xx>" : " xx");
		else
			n += scnprintf(line + n, sizeof(line) - n, fmt, b);
	}
	pr_err("Code:%s", line);
}

/* A context made by arch_capture() has only what a call leaves behind. */
static bool only_frame(const struct host_sigcontext *c)
{
	return c->trapno == -1UL;
}

void arch_show_regs(const struct host_sigcontext *c)
{
	pr_err("RIP: %016lx %pS", UL(c->ip), (void *)c->ip);
	if (only_frame(c)) {
		pr_err("RSP: %016lx RBP: %016lx", UL(c->sp), UL(c->bp));
		return;
	}
	show_code(c->ip);
	pr_err("RSP: %016lx RFLAGS: %08lx trap %lu error %lx", UL(c->sp), UL(c->flags), UL(c->trapno), UL(c->err));
	pr_err("RAX: %016lx RBX: %016lx RCX: %016lx", UL(c->ax), UL(c->bx), UL(c->cx));
	pr_err("RDX: %016lx RSI: %016lx RDI: %016lx", UL(c->dx), UL(c->si), UL(c->di));
	pr_err("RBP: %016lx R08: %016lx R09: %016lx", UL(c->bp), UL(c->r8), UL(c->r9));
	pr_err("R10: %016lx R11: %016lx R12: %016lx", UL(c->r10), UL(c->r11), UL(c->r12));
	pr_err("R13: %016lx R14: %016lx R15: %016lx", UL(c->r13), UL(c->r14), UL(c->r15));
}

void arch_show_user_regs(const struct thread_info *ti)
{
	const struct pt_regs *r = &ti->regs;

	if (!ti->task || !ti->task->mm)
		return;
	pr_err("User: RIP %016lx RSP %016lx RAX %016lx RDI %016lx RSI %016lx RDX %016lx ORIG_RAX %ld", UL(r->ip),
	       UL(r->sp), UL(r->ax), UL(r->di), UL(r->si), UL(r->dx), (long)r->orig_ax);
}

#define CAPTURES 16

struct host_sigcontext *arch_capture(unsigned long ip, unsigned long bp, unsigned long sp)
{
	/* several may panic at the same moment, and a dump shows each one's */
	static struct host_sigcontext some[CAPTURES];
	static u32 taken;
	struct host_sigcontext *c = &some[__atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED) % CAPTURES];

	memset(c, 0, sizeof(*c));
	c->ip = ip - 1; /* in the call, not behind it */
	c->bp = bp;
	c->sp = sp;
	c->trapno = -1UL;
	return c;
}

/* ---- stacks ---- */

/* Is this where a frame can be: aligned, in a stack slot, above its guard page and below its thread_info? */
static bool good_frame(u64 f)
{
	u64 in = f & (THREAD_SIZE - 1);

	return f >= KERNEL_BASE && !(f & 7) && in >= THREAD_STACK_GUARD && in <= THREAD_SIZE - sizeof(struct frame);
}

static bool get_frame(u64 at, struct frame *f)
{
	return good_frame(at) && !copy_nofault(f, (void *)at, sizeof(*f)) && f->ret;
}

/* Where frame pointers lead nowhere (a jump to nowhere, a smashed stack), what looks like a return address is shown with a '?'. */
static void show_guess(u64 sp)
{
	u64 end = (sp & ~(u64)(THREAD_SIZE - 1)) + THREAD_SIZE - 1024, v;
	unsigned shown = 0;

	for (u64 a = ALIGN(sp, 8); good_frame(a) && a < end && shown < TRACE_MAX / 2; a += 8) {
		if (copy_nofault(&v, (void *)a, 8))
			break;
		if (!kernel_text_address(v))
			continue;
		pr_err(" ? %pB", (void *)v);
		shown++;
	}
}

/* What lies on top of the stack where a function has not pushed its frame pointer, or will not: an address behind a call. */
static bool return_address(u64 v)
{
	u8 i[6];

	if (!kernel_text_address(v) || copy_nofault(i, (void *)(v - 6), sizeof(i)))
		return false;
	return i[1] == 0xe8 || i[4] == 0xff || i[3] == 0xff || i[0] == 0xff;
}

/* sig_entry links its frame to the one that it interrupted; the host's frame, right above, has the stack pointer of that moment. */
#define LINK_TO_SP (24 + offsetof(struct host_ucontext, mc.sp))
static bool in_sig_entry(u64 ret)
{
	return ret >= (u64)sig_entry_taken && ret < (u64)sig_lost_gs;
}

static void show_repeats(unsigned *same)
{
	if (*same)
		pr_err(" ... %u times more", *same);
	*same = 0;
}

static void show_frames(u64 ip, u64 bp, u64 sp)
{
	struct frame f;
	unsigned n = 0, lines = 0, same = 0;
	u64 ret, last = 0, sp_of_trap = 0;

	pr_err("Call Trace:");
	if (kernel_text_address(ip))
		pr_err(" %pS", (void *)ip);
	if (sp && !copy_nofault(&ret, (void *)sp, 8) && return_address(ret))
		pr_err(" %pB", (void *)ret);
	for (u64 at = bp; get_frame(at, &f); at = (u64)f.next) {
		n++;
		if (in_sig_entry(last) && !copy_nofault(&sp, (void *)(at + LINK_TO_SP), 8))
			sp_of_trap = sp;
		if (f.ret == last) {
			same++;
		} else {
			show_repeats(&same);
			if (lines++ < TRACE_MAX)
				pr_err(" %pB", (void *)f.ret);
			last = f.ret;
		}
		if (sp_of_trap && !copy_nofault(&ret, (void *)sp_of_trap, 8) && return_address(ret) &&
		    lines++ < TRACE_MAX)
			pr_err(" %pB", (void *)ret);
		sp_of_trap = 0;
		if ((u64)f.next <= at) /* the stack grows down: callers lie above */
			break;
	}
	show_repeats(&same);
	if (lines > TRACE_MAX)
		pr_err(" ... and %u callers more", lines - TRACE_MAX);
	if (n < 2 && sp)
		show_guess(sp);
}

void arch_show_trace(const struct host_sigcontext *c)
{
	show_frames(c->ip, c->bp, c->sp);
}

noinline void dump_stack(void)
{
	struct frame *f = __builtin_frame_address(0);

	show_frames(0, (u64)f, 0); /* a return address as the rest are, not where anything stopped */
}

/* RIP tells the reader that the trace's first address is that of an instruction, and no return address. */
static void show_interrupted(u64 ip, u64 bp, u64 sp)
{
	pr_err("RIP: %016lx %pS", UL(ip), (void *)ip);
	show_frames(ip, bp, sp);
}

/* ---- other tasks' stacks: a kick makes their handler note where they were ---- */

void stack_snapshot(struct thread_info *ti, const struct host_sigcontext *c)
{
	ti->arch[TA_SNAP_IP] = c->ip;
	ti->arch[TA_SNAP_BP] = c->bp;
	ti->arch[TA_SNAP_SP] = c->sp;
	smp_store_release(&ti->arch[TA_SNAP], 0);
}

/**
 * arch_show_task_trace - backtrace of another task
 *
 * The caller keeps the task from going away. One that runs on may have left its frames when they are read: they are checked, the
 * result may be stale. A task in user mode has no kernel stack to show.
 */
void arch_show_task_trace(struct task_struct *t)
{
	struct thread_info *ti = t->ti;
	u32 zero = 0;
	u64 bp;

	if (t == current) {
		dump_stack();
		return;
	}
	bp = READ_ONCE(ti->sleep_bp);
	if (bp) { /* it sleeps, and said where */
		show_frames(0, bp, 0);
		return;
	}
	if (READ_ONCE(ti->host_tid) <= 0 || !smp_load_acquire(&ti->arch[TA_READY]))
		return;
	WRITE_ONCE(ti->arch[TA_SNAP], 1);
	if (host_tgkill(ti->host_pid, ti->host_tid, HOST_KICK_SIGNAL))
		return;
	for (unsigned i = 0; smp_load_acquire(&ti->arch[TA_SNAP]); i++) {
		if (i == SNAP_TRIES) {
			pr_err(" (it does not answer)");
			return;
		}
		host_futex_wait(&zero, 0, NSEC_PER_MSEC / 10);
	}
	if (ti->arch[TA_SNAP_IP] < TASK_SIZE)
		pr_err(" user mode, RIP %016lx RSP %016lx", UL(ti->arch[TA_SNAP_IP]), UL(ti->arch[TA_SNAP_SP]));
	else
		show_interrupted(ti->arch[TA_SNAP_IP], ti->arch[TA_SNAP_BP], ti->arch[TA_SNAP_SP]);
}
