// SPDX-License-Identifier: Apache-2.0
// Host signals become traps: system calls, faults, kicks. Tells user from kernel by the in_user flag, never by what user code can set.

#include <husk/mm.h>
#include <husk/moduleloader.h>
#include <hostif/hostif.h>
#include "arch.h"
#include "asm.h"
#include "hostcall.h"
#include "hostsig.h"
#include "crash.h"

/**
 * DOC: what the host pushes
 *
 * A host signal arrives on the kernel stack (the thread's alternate stack). If in_user was 1 the frame is where user code stood, or
 * one of four windows of the gate, all between "in_user is 1" and "user code runs":
 *  - gate entry, signal entry (two host signals at once: the second interrupts the first at its first instruction): nothing happened
 *    yet; a kick just returns, what it interrupted will see the flags on its way out;
 *  - either exit: the whole user state is in ti->regs; the exit is abandoned and done again.
 * If in_user was 0, kernel code was interrupted: a user-access fault is resolved and retried or sent to its fix-up; a kick only
 * serves shoot-downs; anything else is an oops. The host's rt_sigreturn, with the secret, resumes kernel code.
 */

struct host_sigaction {
	void *handler;
	u64 flags;
	void *restorer;
	u64 mask;
};
struct host_stack {
	void *sp;
	int flags, pad;
	u64 size;
};

#define AUDIT_ARCH_X86_64_ 0xc000003eu
/*
 * What the host pushes first, as the return address of a handler that never returns: a number that only it and the kernel know. It tells a frame
 * of the host's from bytes that a system call left on the stack, for user code can jump to sig_entry with any stack pointer. It is
 * taken out when the frame is looked at, so that none serves twice.
 */
static u64 frame_token;
static const int sync_signals[] = {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, HOST_KICK_SIGNAL};

void traps_init(void)
{
	struct host_sigaction sa = {
		.handler = sig_entry,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER,
	};

	frame_token = get_random_u64();
	sa.restorer = (void *)frame_token;
	for (unsigned i = 0; i < ARRAY_SIZE(sync_signals); i++) {
		/* Kicks do not nest: a busy sender of shoot-downs would fill the stack with their frames. See kicks_unblock(). */
		if (sync_signals[i] == HOST_KICK_SIGNAL)
			sa.flags &= ~(u64)SA_NODEFER;
		long r = host_call(13 /* rt_sigaction */, sync_signals[i], (u64)&sa, 0, 8, 0);

		if (r)
			panic("rt_sigaction(%d): %ld", sync_signals[i], r);
	}
	WRITE_ONCE(sa.restorer, NULL); /* no copy stays on a stack */
}

/* thread_enter: the calling host thread is ti's from now on: GS base and alternate stack */
void thread_enter(struct thread_info *ti)
{
	unsigned long low = ti_stack_low(ti) + stack_room;
	struct host_stack ss = {(void *)low, 0, 0, (u64)ti - low};

	long r = host_call(158 /* arch_prctl */, 0x1001 /* ARCH_SET_GS */,
			   GATE_SCRATCH_BASE + ((u64)ti->slot << SLOT_SHIFT), 0, 0, 0);

	if (r)
		panic("setting the GS base: %ld", r);
	stack_guard(ti);
	r = host_sigaltstack(&ss);
	if (r)
		panic("sigaltstack: %ld", r);
	smp_store_release(&ti->arch[TA_READY], 1);
	shootdown_serve(); /* what could not be asked for by a kick before */
}

void serialize_core(void)
{
	u32 a = 0, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)::"memory");
}

struct ex_entry {
	u64 insn, fixup;
};
extern struct ex_entry __start_ex_table[], __stop_ex_table[];

static u64 search_extable(u64 ip)
{
	for (struct ex_entry *e = __start_ex_table; e < __stop_ex_table; e++)
		if (e->insn == ip)
			return e->fixup;
	return is_module_address((const void *)ip) && module_extable ? module_extable(ip) : 0;
}

static __noreturn void leave_to_user(struct thread_info *ti)
{
	__asm__ volatile("mov %0, %%rbx\n\tjmp exit_to_user" ::"r"(ti) : "memory");
	__builtin_unreachable();
}

static void regs_from_host(struct pt_regs *r, const struct host_sigcontext *c)
{
	r->r15 = c->r15;
	r->r14 = c->r14;
	r->r13 = c->r13;
	r->r12 = c->r12;
	r->bp = c->bp;
	r->bx = c->bx;
	r->r11 = c->r11;
	r->r10 = c->r10;
	r->r9 = c->r9;
	r->r8 = c->r8;
	r->ax = c->ax;
	r->cx = c->cx;
	r->dx = c->dx;
	r->si = c->si;
	r->di = c->di;
	r->orig_ax = -1UL;
	r->ip = c->ip;
	r->cs = USER_CS;
	r->flags = c->flags;
	r->sp = c->sp;
	r->ss = USER_DS;
}

/* The user's registers, without what was changed in them for user mode to run. */
static void user_regs(struct thread_info *ti, const struct host_sigcontext *c)
{
	regs_from_host(&ti->regs, c);
	step_end(ti);
}

static unsigned fault_flags(const struct host_sigcontext *c)
{
	return (c->err & PF_WRITE ? FAULT_FLAG_WRITE : 0) | (c->err & PF_INSTR ? FAULT_FLAG_INSTRUCTION : 0) |
	       (c->err & PF_PRESENT ? FAULT_FLAG_PROT : 0);
}

/* As Linux's show_unhandled_signals: a line for a program that dies of a fault. */
static void log_unhandled(struct thread_info *ti, int sig, const char *what)
{
	if (current->sighand->action[sig - 1].handler == HUSK_SIG_DFL && !current->ptrace)
		pr_info("%s[%d]: %s at %lx ip %lx sp %lx error %lx\n", current->comm, current->pid, what,
			(unsigned long)ti->arch[TA_CR2], (unsigned long)ti->regs.ip, (unsigned long)ti->regs.sp,
			(unsigned long)ti->arch[TA_ERR]);
}

static void user_page_fault(struct thread_info *ti, const struct host_sigcontext *c, int hostsig)
{
	int sig = SIGSEGV, code = SEGV_MAPERR;

	if (c->cr2 >= TASK_SIZE || (c->err & PF_PK)) {
		log_unhandled(ti, SIGSEGV, "segfault");
		force_sig_fault(SIGSEGV, SEGV_MAPERR, (void *)c->cr2);
		return;
	}
	if (do_page_fault(c->cr2, fault_flags(c) | FAULT_FLAG_USER, &sig, &code)) {
		log_unhandled(ti, SIGSEGV, "segfault");
		force_sig_fault(sig, code, (void *)c->cr2);
	} else if (hostsig == SIGBUS)
		force_sig_fault(SIGBUS, BUS_ADRERR, (void *)c->cr2);
}

static void user_syscall(struct thread_info *ti, const struct host_siginfo *info)
{
	struct pt_regs *r = &ti->regs;

	if (info->arch != AUDIT_ARCH_X86_64_) {
		r->ax = -ENOSYS;
		return;
	}
	r->orig_ax = r->ax;
	patch_syscall_site(r);
	do_syscall_64(r);
}

/* A signal that the host forces (a jump into the vsyscall page's middle) carries what the last trap left: only its code is true. */
static bool is_page_fault(const struct host_siginfo *info, const struct host_sigcontext *c)
{
	return c->trapno == TRAP_PF && info->code != SI_KERNEL;
}

/* What a signal frame says of the trap; never the protection key's bit. Kernel addresses look as if mapped, as on Linux. */
static void record_trap(struct thread_info *ti, const struct host_sigcontext *c)
{
	ti->arch[TA_TRAPNO] = c->trapno;
	ti->arch[TA_ERR] = c->err;
	if (c->trapno == TRAP_PF) {
		ti->arch[TA_ERR] &= PF_PRESENT | PF_WRITE | PF_USER | PF_INSTR;
		ti->arch[TA_CR2] = c->cr2;
		if (c->cr2 >= TASK_SIZE)
			ti->arch[TA_ERR] |= PF_PRESENT;
	}
}

/* The trap flag: the program's own, or a debugger's step, which a jump into a stub does not end. */
static void user_debug(struct thread_info *ti, const struct host_siginfo *info)
{
	bool step = test_bit(TIF_SINGLESTEP, &ti->flags);

	if (test_bit(TIF_WATCH, &ti->flags)) {
		if (watch_step(&ti->regs, step)) {
			force_sig_fault(SIGTRAP, TRAP_HWBKPT, (void *)ti->regs.ip);
			return;
		}
		if (!step && !(ti->regs.flags & X86_FLAG_TF))
			return;
	}
	if (text_in_stub(ti->regs.ip))
		return;
	force_sig_fault(SIGTRAP, info->code, (void *)ti->regs.ip);
}

static void user_trap(struct thread_info *ti, int sig, const struct host_siginfo *info, const struct host_sigcontext *c)
{
	if (sig != SIGSYS)
		record_trap(ti, c);
	switch (sig) {
	case SIGSYS:
		user_syscall(ti, info);
		break;
	case SIGSEGV:
	case SIGBUS:
		if (is_page_fault(info, c))
			user_page_fault(ti, c, sig);
		else if (!text_trap_fixup(&ti->regs, sig)) {
			log_unhandled(ti, SIGSEGV, "general protection fault");
			force_sig_fault(sig, sig == SIGBUS ? BUS_ADRALN : SI_KERNEL, NULL); /* #GP, #AC: no address */
		}
		break;
	case SIGTRAP:
		if (c->trapno == TRAP_DB) {
			user_debug(ti, info);
			break;
		}
		fallthrough;
	case SIGILL:
		if (text_trap_fixup(&ti->regs, sig)) {
			if (test_bit(TIF_SINGLESTEP, &ti->flags) && ti->regs.ip != c->ip - 1)
				force_sig_fault(SIGTRAP, TRAP_TRACE,
						(void *)ti->regs.ip); /* emulated: that was the step */
			break;
		}
		log_unhandled(ti, sig, sig == SIGTRAP ? "trap" : "invalid opcode");
		if (sig == SIGTRAP && c->trapno == TRAP_BP) {
			force_sig(SIGTRAP);
			break;
		}
		force_sig_fault(sig, info->code, (void *)ti->regs.ip);
		break;
	default:
		force_sig_fault(sig, info->code, (void *)info->addr);
	}
}

static bool in_range(u64 ip, const char *a, const char *b)
{
	return ip >= (u64)a && ip < (u64)b;
}

static void kernel_trap(struct thread_info *ti, int sig, const struct host_siginfo *info, struct host_sigcontext *c)
{
	u64 fixup = search_extable(c->ip);
	int s, code;

	if (sig == SIGSYS && vdso_clock_trap(c))
		return;
	if (unlikely(!ti_has_stack(ti, c->sp)) && (!fixup || c->cr2 < TASK_SIZE))
		stack_lost(ti, c);
	if (fixup && c->trapno == TRAP_PF && c->cr2 < TASK_SIZE && (sig == SIGSEGV || sig == SIGBUS)) {
		if (!current->mm || do_page_fault(c->cr2, fault_flags(c), &s, &code))
			c->ip = fixup;
		return;
	}
	if (fixup) {
		c->ip = fixup;
		return;
	}
	if (sig == SIGSEGV && c->trapno == TRAP_PF && stack_guard_stale(c->cr2))
		return;
	kernel_fault(sig, info, c);
}

/* The kick's handler runs with kicks blocked. The host's sigreturn ends that; where user code is left by hand it must be done before. */
void kicks_unblock(void)
{
	u64 set = 1ULL << (HOST_KICK_SIGNAL - 1);

	host_call(14 /* rt_sigprocmask */, SIG_UNBLOCK, (u64)&set, 0, 8, 0);
}

/* A jump to sig_entry with a stack that is not the thread's own, or without a frame of the host's: it is user code, and it is over for it. */
__used __noreturn void sig_forged(struct thread_info *ti)
{
	if (!xchg(&ti->in_user, 0))
		panic("signal entry on a foreign stack while in the kernel");
	pr_warn("%s[%d]: forged signal entry\n", current->comm, current->pid);
	force_sig(SIGKILL);
	leave_to_user(ti);
}

static __noreturn void frame_refused(struct thread_info *ti, u32 from_user)
{
	WRITE_ONCE(ti->in_user, from_user);
	__asm__ volatile("mov %0, %%r9\n\tjmp sig_foreign" ::"r"(ti) : "memory");
	__builtin_unreachable();
}

static bool is_kick(int sig, const struct host_siginfo *info)
{
	return sig == HOST_KICK_SIGNAL || info->code <= 0;
}

static bool in_exit(u64 ip)
{
	return in_range(ip, gate_exit_start, gate_exit_end) || in_range(ip, full_exit_start, full_exit_end);
}

/*
 * The rest of a signal that met user code, from the start of the kernel stack. The frame stays above it, for the time being; but not one that met an exit
 * which was still on this stack. What is read of that must be read first: the next kick's frame may lie over it once kicks are let in.
 */
static __noreturn void user_signal(struct thread_info *ti, int sig, struct host_siginfo *info,
				   struct host_sigcontext *c)
{
	bool kick = is_kick(sig, info);

	if (c->ip == (u64)gate_entry) { /* a single step into the gate */
		user_regs(ti, c);
		ti->regs.ip = c->cx;
		ti->regs.orig_ax = c->ax;
		do_syscall_64(&ti->regs);
		leave_to_user(ti);
	}
	if (in_exit(c->ip)) {
		ti->regs.orig_ax = -1UL;
		if (!kick)
			force_sig_fault(SIGSEGV, SI_KERNEL, NULL);
	} else if (in_range(c->ip, _stext, _etext)) {
		user_regs(ti, c);
		pr_warn("%s[%d]: jump into the kernel at %lx", current->comm, current->pid, (unsigned long)c->ip);
		force_sig_fault(SIGSEGV, SEGV_MAPERR, (void *)c->ip);
	} else {
		user_regs(ti, c);
		if (!kick)
			user_trap(ti, sig, info, c);
	}
	if (sig == HOST_KICK_SIGNAL)
		kicks_unblock();
	if (kick) {
		shootdown_serve();
		WRITE_ONCE(ti->kick_sent, 0);
	}
	leave_to_user(ti);
}

/*
 * The extended state goes back before anything else, for only here it is sure to be whole. User code's stack pointer may lie on this stack, and then the
 * host pushed there, where what follows would run over it: no program needs that.
 */
static __noreturn void on_kernel_stack(struct thread_info *ti, int sig, struct host_siginfo *info,
				       struct host_sigcontext *c, unsigned long sp)
{
	if (sp < ti->kstack_top && !(in_exit(c->ip) && c->sp == ti->kstack_top))
		frame_refused(ti, 1);
	fpu_restore(c->fpstate, xfeature_mask);
	__asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%1\n\tud2" ::"r"(ti->kstack_top), "r"(user_signal),
			 "D"(ti), "S"(sig), "d"(info), "c"(c)
			 : "memory");
	__builtin_unreachable();
}

/**
 * sig_dispatch - every host signal, from sig_entry
 * @sp: stack pointer at entry. @ti: the thread. @from_user: in_user was 1, and is now taken. Returns to resume interrupted kernel code; does not return for user traps.
 */
void sig_dispatch(int sig, void *info_, void *uc_, unsigned long sp, struct thread_info *ti, u32 from_user)
{
	struct host_siginfo *info = info_;
	struct host_ucontext *uc = uc_;
	struct host_sigcontext *c = &uc->mc;
	bool kick = is_kick(sig, info);
	u64 *token = (u64 *)sp;

	/* rsp is on this thread's own stack. A frame that the host pushed lies right above it, with its extended state above that. */
	if (*token != frame_token || (u64)uc_ != sp + 8 || (u64)info_ < sp || (u64)info_ >= (u64)ti ||
	    (u64)c->fpstate <= (u64)info_ || (u64)c->fpstate + xstate_size > (u64)ti)
		frame_refused(ti, from_user);
	*token = 0;

	if (kick && unlikely(READ_ONCE(crash_stopping)))
		crash_park(ti, c);
	if (kick && unlikely(ti->arch[TA_SNAP]))
		stack_snapshot(ti, c);
	if (!from_user) {
		if (kick) {
			shootdown_serve();
			WRITE_ONCE(ti->kick_sent, 0);
		} else {
			kernel_trap(ti, sig, info, c);
		}
		return;
	}

	/* nothing was done yet at the gate's entry, or at that of another host signal that came at the same moment */
	if (in_range(c->ip, gate_entry, gate_entry_taken) || in_range(c->ip, sig_entry, sig_entry_taken) ||
	    in_range(c->ip, sig_lost_gs, sig_lost_gs_end)) {
		if (sig == SIGTRAP && c->trapno == TRAP_DB && c->ip == (u64)gate_entry)
			on_kernel_stack(ti, sig, info, c, sp);
		if (!kick) /* only a jump into its middle can fault there */
			frame_refused(ti, 1);
		shootdown_serve();
		WRITE_ONCE(ti->kick_sent, 0);
		WRITE_ONCE(ti->in_user, 1);
		return;
	}
	on_kernel_stack(ti, sig, info, c, sp);
}

/* On the way to user mode with every register: pending work, then a last look at what is loaded. */
__used void exit_to_user_work(struct thread_info *ti)
{
	struct pt_regs *r = &ti->regs;

	step_end(ti); /* an exit that is done again */
	for (;;) {
		clear_bit(TIF_FULL_EXIT, &ti->flags);
		if (test_and_clear_bit(TIF_SYNC_CORE, &ti->flags))
			serialize_core();
		if (!(READ_ONCE(ti->flags) & TIF_WORK_MASK))
			break;
		do_notify_resume(r);
	}
	r->cs = USER_CS;
	r->ss = USER_DS;
	r->flags = (r->flags & X86_FLAGS_USER) | 0x202;
	if (unlikely(ti->flags & (1 << TIF_SINGLESTEP | 1 << TIF_WATCH)))
		step_begin(ti);
}
