// SPDX-License-Identifier: Apache-2.0
// Kernel backtraces: where a task is in the kernel, by frame pointers and call frame information.

#include <string.h>
#include "crash.h"

/**
 * DOC: where a kernel stack is read from
 *
 * In this order: the dump's registers of the task, if it was in the kernel; the place where it sleeps, which the kernel records; else the stack itself is
 * searched for the frame of the call that put it to sleep. From there frame pointers lead up to the entry, whose saved rbp is 0; where the
 * frame pointer is not yet set up (the first instructions of a function) .debug_frame says it. A host signal's frame on
 * the stack (a fault or a kick taken in kernel mode) is stepped over by its saved registers.
 */
#define THREAD_SIZE 32768ull /* include/husk/thread_info.h */

struct stack {
	u64 base, end;
};

static struct stack stack_of(const struct task *t)
{
	u64 base = t->ti & ~(THREAD_SIZE - 1);

	return (struct stack){base, t->ti};
}

static bool on_stack(const struct stack *s, u64 addr, u64 n)
{
	return addr >= s->base && addr % 8 == 0 && addr <= s->end - n;
}

static int read_kernel(void *arg, u64 addr, void *buf, size_t n)
{
	return kread_quiet(addr, buf, n) == READ_OK ? 0 : -1;
}

/* Is this where a call returns to? The bytes before it are a call. */
static bool after_call(u64 ip)
{
	u8 b[7];

	if (!is_kernel_text(ip) || !is_kernel_text(ip - 7) || kread_quiet(ip - 7, b, sizeof(b)) != READ_OK)
		return false;
	if (b[2] == 0xe8)
		return true;
	for (int i = 0; i < 6; i++) /* call *r/m: ff /2 */
		if (b[i] == 0xff && (b[i + 1] >> 3 & 7) == 2)
			return true;
	return false;
}

/* ---- finding where to begin ---- */

/*
 * The frame in which a sleeping task waits, searched for: the return address of a call of the host's futex wait, with a saved frame
 * pointer below it that leads up a chain of call sites. The lowest such place could be left from an earlier, deeper sleep; so the
 * one is taken whose caller is what the task's state says: schedule for a sleeper, anything else otherwise.
 */
static bool chain_ok(const struct stack *s, u64 fp, unsigned *len)
{
	u64 rec[2];

	for (*len = 0; *len < MAX_FRAMES; ++*len) {
		if (!fp)
			return *len > 1;
		if (!on_stack(s, fp, 16) || kread_quiet(fp, rec, sizeof(rec)) != READ_OK || !after_call(rec[1]) ||
		    (rec[0] && rec[0] <= fp))
			return false;
		fp = rec[0];
	}
	return false;
}

static bool in_function(u64 ip, const char *name)
{
	const struct symbol *s = symbol_at(ip, NULL);

	return s && !strncmp(s->name, name, strlen(name));
}

static bool scan_stack(const struct task *t, const struct stack *s, struct frame *f)
{
	const struct symbol *wait = symbol_named("host_futex_wait");
	bool asleep = t->state && !t->exit_state;

	for (u64 fp = s->base; fp + 16 <= s->end; fp += 8) {
		unsigned len;
		u64 rec[2];

		if (kread_quiet(fp, rec, sizeof(rec)) != READ_OK)
			return false;
		if (!is_kernel_text(rec[1]) || !wait || !chain_ok(s, fp, &len))
			continue;
		if (asleep && !in_function(rec[1], "schedule"))
			continue;
		*f = (struct frame){.ip = wait->addr + wait->size / 2, .sp = fp, .bp = fp};
		return true;
	}
	return false;
}

static bool from_note(const struct task *t, const struct stack *s, struct frame *f)
{
	const struct core_note *n = task_note(t);

	if (!n || n->in_user || n->from == MDUMP_REGS_NONE || n->from == MDUMP_REGS_USER ||
	    !is_kernel_text(n->regs.ip) || !on_stack(s, n->regs.sp & ~7ull, 8))
		return false;
	*f = (struct frame){.ip = n->regs.ip, .sp = n->regs.sp, .bp = n->regs.bp, .exact = true};
	return true;
}

/* Where it crashed: the registers that the report of the oops or panic was made from. */
static bool from_crash(const struct task *t, const struct stack *s, struct frame *f)
{
	u64 c;

	if (!HAS_FIELD(thread_info, crash_regs))
		return false;
	c = FIELD(t->ti, thread_info, crash_regs);
	if (!c || !is_kernel_address(c))
		return false;
	*f = (struct frame){.ip = FIELD(c, host_sigcontext, ip),
			    .sp = FIELD(c, host_sigcontext, sp),
			    .bp = FIELD(c, host_sigcontext, bp),
			    .exact = true};
	return is_kernel_text(f->ip) && on_stack(s, f->sp & ~7ull, 8);
}

/*
 * Where the kernel recorded that it sleeps: the frame of the function that waits. Below it lies the frame of the host call's function, whose
 * saved frame pointer is that frame: the nearest such place.
 */
static bool from_sleep(const struct task *t, const struct stack *s, struct frame *f)
{
	const struct symbol *wait = symbol_named("host_futex_wait");
	u64 fp, rec[2];

	if (!HAS_FIELD(thread_info, sleep_bp) || !wait)
		return false;
	fp = FIELD(t->ti, thread_info, sleep_bp);
	if (!fp || !on_stack(s, fp, 16))
		return false;
	for (u64 a = fp - 16; a >= s->base && a + 1024 > fp; a -= 8) {
		if (kread_quiet(a, rec, sizeof(rec)) != READ_OK)
			return false;
		if (rec[0] != fp || !after_call(rec[1]))
			continue;
		*f = (struct frame){.ip = wait->addr + wait->size / 2, .sp = a, .bp = a};
		return true;
	}
	return false;
}

/* ---- going up ---- */

/* struct rt_sigframe's ucontext, from its start: uc_mcontext's registers */
#define UC_MCONTEXT 40
enum {
	MC_R8,
	MC_R9,
	MC_R10,
	MC_R11,
	MC_R12,
	MC_R13,
	MC_R14,
	MC_R15,
	MC_DI,
	MC_SI,
	MC_BP,
	MC_BX,
	MC_DX,
	MC_AX,
	MC_CX,
	MC_SP,
	MC_IP,
	MC_N
};

/*
 * f is in sig_entry, which calls sig_dispatch with the signal frame's ucontext in rbx and above it on the stack: uc is at sp + 8 of the
 * handler's entry, rounded down for the call. Looks for the ucontext whose registers are of kernel text and this stack.
 */
static bool over_signal(const struct stack *s, u64 from, struct unwind *u)
{
	for (u64 uc = from; uc + UC_MCONTEXT + MC_N * 8 <= s->end && uc < from + 256; uc += 8) {
		u64 r[MC_N];

		if (kread_quiet(uc + UC_MCONTEXT, r, sizeof(r)) != READ_OK)
			return false;
		if (!is_kernel_text(r[MC_IP]) || !on_stack(s, r[MC_SP] & ~7ull, 8) || r[MC_SP] <= uc)
			continue;
		u->reg[R_IP] = r[MC_IP];
		u->reg[R_SP] = r[MC_SP];
		u->reg[R_BP] = r[MC_BP];
		u->reg[R_BX] = r[MC_BX];
		u->reg[12] = r[MC_R12];
		u->reg[13] = r[MC_R13];
		u->reg[14] = r[MC_R14];
		u->reg[15] = r[MC_R15];
		u->known = 1u << R_IP | 1u << R_SP | 1u << R_BP | 1u << R_BX | 0xf000;
		return true;
	}
	return false;
}

static bool by_frame_pointer(const struct stack *s, struct unwind *u)
{
	u64 fp = u->reg[R_BP], rec[2];

	if (!on_stack(s, fp, 16) || fp + 16 <= u->reg[R_SP] || kread_quiet(fp, rec, sizeof(rec)) != READ_OK ||
	    !is_kernel_text(rec[1]))
		return false;
	u->reg[R_IP] = rec[1];
	u->reg[R_SP] = fp + 16;
	u->reg[R_BP] = rec[0];
	u->known = 1u << R_IP | 1u << R_SP | 1u << R_BP;
	return true;
}

static bool step(const struct stack *s, struct unwind *u, bool exact, bool *signal)
{
	static Dwarf_CFI *cfi;
	static bool tried;
	struct unwind was = *u;

	*signal = false;
	if (in_function(u->reg[R_IP], "sig_entry") || in_function(u->reg[R_IP], "sig_thread_known")) {
		*signal = over_signal(s, u->reg[R_SP], u);
		return *signal;
	}
	if (!tried) {
		cfi = dwarf_getcfi(kernel_dwarf);
		tried = true;
	}
	/* a call may be a function's last instruction: the return address belongs to the one before */
	if (exact && unwind_cfi(u, cfi, u->reg[R_IP]) && is_kernel_text(u->reg[R_IP]) &&
	    on_stack(s, u->reg[R_SP] - 8, 8))
		return true;
	*u = was;
	if (by_frame_pointer(s, u))
		return true;
	*u = was;
	return !exact && unwind_cfi(u, cfi, u->reg[R_IP] - 1) && is_kernel_text(u->reg[R_IP]) &&
	       on_stack(s, u->reg[R_SP] - 8, 8);
}

size_t kernel_backtrace(const struct task *t, struct frame *f, size_t max, const char **how)
{
	struct stack s = stack_of(t);
	struct unwind u = {.read = read_kernel};
	struct frame at = {0};
	size_t n = 0;
	bool exact, signal, guess = false;

	*how = NULL;
	if (!t->ti || !is_kernel_address(t->ti)) {
		*how = "it has no kernel stack any more";
		return 0;
	}
	if (t->in_user) {
		*how = "user code runs";
		return 0;
	}
	if (!from_note(t, &s, &at) && !from_crash(t, &s, &at) && !from_sleep(t, &s, &at)) {
		guess = !t->in_user && scan_stack(t, &s, &at);
		if (guess && !t->state)
			*how = "its registers were not recorded: these frames were found on its stack, and may be old";
	}
	if (!at.sp) {
		*how = t->state && !t->exit_state ? "its stack could not be made out"
						  : "it runs in the kernel: where was not recorded";
		return 0;
	}
	u.reg[R_IP] = at.ip;
	u.reg[R_SP] = at.sp;
	u.reg[R_BP] = at.bp;
	u.known = 1u << R_IP | 1u << R_SP | 1u << R_BP;
	exact = at.exact;
	while (n < max) {
		u64 sp = u.reg[R_SP];

		f[n] = (struct frame){
			.ip = u.reg[R_IP], .sp = sp, .bp = u.reg[R_BP], .exact = exact || n == 0, .what = 'k'};
		n++;
		if (!step(&s, &u, exact, &signal) || u.reg[R_SP] <= sp)
			break;
		if (signal)
			f[n - 1].what = 's';
		exact = signal;
	}
	return n;
}

/* The registers of the program: what it ran with, or entered the kernel with. */
bool task_user_regs(const struct task *t, struct task_regs *r)
{
	const struct core_note *n = task_note(t);
	u64 regs;

	if (!t->mm || t->flags & PF_KTHREAD)
		return false;
	if (t->in_user || (n && n->in_user)) {
		if (!n || !n->in_user || n->from == MDUMP_REGS_NONE)
			return false;
		*r = n->regs;
		return true;
	}
	if (!t->ti || !is_kernel_address(t->ti))
		return false;
	regs = FIELD_ADDR(t->ti, thread_info, regs);
	memset(r, 0, sizeof(*r));
	return kread_quiet(regs, r, offsetof(struct task_regs, fs_base)) == READ_OK;
}
