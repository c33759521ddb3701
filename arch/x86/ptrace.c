// SPDX-License-Identifier: Apache-2.0
// What a debugger sees and changes of a stopped task: general registers, extended state, struct user; single steps.

#include <husk/mm.h>
#include <husk/ptrace.h>
#include <linux/elf.h>
#include "arch.h"
#include "asm.h"

/**
 * DOC: registers of a stopped task
 *
 * The general registers lie in thread_info, where the exit to user mode takes them from. The FS base and the extended state live in
 * the processor while a task is in the kernel, so a task that stops for its tracer puts them into memory first (arch_ptrace_stopping), and
 * takes back what the tracer changed when it goes on. Only a stopped task is looked at, so none of this needs a lock.
 *
 * A single step is the trap flag in the registers that user mode is left for with: step_begin() sets it as the last thing on the
 * way out, step_end() removes it as the first thing on the way in, so that neither tracer nor signal frames see it.
 */

#define USER_FLAGS_SETTABLE 0x54dd5UL /* CF PF AF ZF SF TF DF OF NT RF AC, as Linux's FLAG_MASK */
#define DEBUGREG_OFFSET 848	      /* offsetof(struct user, u_debugreg) */
#define USER_SIZE 928		      /* of the kernel's struct user */
#define SW_XCR0_OFFSET 464	      /* what a debugger takes the layout of the extended state from */
#define XSTATE_HEADER 512
#define FX_SIZE 512
#define MXCSR_OFFSET 24

/* The ABI's user_regs_struct: the first part is struct pt_regs. */
#define NREGS 27
enum {
	REG_CS = 17,
	REG_FLAGS = 18,
	REG_SP = 19,
	REG_SS = 20,
	REG_FS_BASE,
	REG_GS_BASE,
	REG_DS,
	REG_ES,
	REG_FS,
	REG_GS
};
static_assert(offsetof(struct pt_regs, ss) == REG_SS * 8 && offsetof(struct pt_regs, flags) == REG_FLAGS * 8,
	      "user_regs");

void step_end(struct thread_info *ti)
{
	u64 how = ti->arch[TA_STEP];

	if (likely(!how))
		return;
	ti->arch[TA_STEP] = 0;
	if (how == STEP_FORCED)
		ti->regs.flags &= ~X86_FLAG_TF;
}

void step_begin(struct thread_info *ti)
{
	ti->arch[TA_STEP] = ti->regs.flags & X86_FLAG_TF ? STEP_OWN : STEP_FORCED;
	ti->regs.flags |= X86_FLAG_TF;
}

void arch_set_single_step(struct task_struct *t, bool on)
{
	if (on)
		set_tsk_flag(t, TIF_SINGLESTEP);
	else
		clear_tsk_flag(t, TIF_SINGLESTEP);
}

void arch_ptrace_disable(struct task_struct *t)
{
	arch_set_single_step(t, false);
	clear_tsk_flag(t, TIF_WATCH);
}

/* ---- stopping and going on ---- */

static u8 *xstate_of(struct task_struct *t)
{
	return t->ptrace_xstate ? (u8 *)ALIGN((u64)t->ptrace_xstate, 64) : NULL;
}

static u32 mxcsr_mask(struct task_struct *t)
{
	u32 m = *(u32 *)(xstate_of(t) + MXCSR_OFFSET + 4);

	return m ?: 0xffbf;
}

void arch_ptrace_stopping(void)
{
	struct task_struct *me = current;
	struct thread_info *ti = me->ti;

	if (!ti->fs_dirty)
		ti->fs_base = rdfsbase();
	if (!me->ptrace_xstate)
		me->ptrace_xstate = kzalloc(xstate_size + 64, GFP_KERNEL);
	me->ptrace_xstate_dirty = false;
	if (me->ptrace_xstate)
		fpu_save_user(xstate_of(me), xfeature_mask);
}

void arch_ptrace_resumed(void)
{
	struct task_struct *me = current;
	struct thread_info *ti = me->ti;

	if (me->ptrace_xstate_dirty) {
		me->ptrace_xstate_dirty = false;
		if (fpu_restore_safe(xstate_of(me), xfeature_mask))
			fpu_reset();
	}
	if (ti->fs_dirty) {
		ti->fs_dirty = 0;
		wrfsbase(ti->fs_base);
	}
	set_thread_flag(TIF_FULL_EXIT);
}

bool arch_settle_ip(void)
{
	return text_original_ip(&current_pt_regs()->ip);
}

/* ---- general registers ---- */

static u64 get_reg(struct task_struct *t, unsigned i)
{
	switch (i) {
	case REG_CS:
		return USER_CS;
	case REG_SS:
		return USER_DS;
	case REG_FS_BASE:
		return t->ti->fs_base;
	case REG_FLAGS:
		return (t->ti->regs.flags & X86_FLAGS_USER) | 0x202;
	case REG_GS_BASE:
	case REG_DS:
	case REG_ES:
	case REG_FS:
	case REG_GS:
		return 0;
	}
	return ((u64 *)&t->ti->regs)[i];
}

static int put_reg(struct task_struct *t, unsigned i, u64 v)
{
	struct thread_info *ti = t->ti;

	switch (i) {
	case REG_CS:
		return v == USER_CS ? 0 : -EIO;
	case REG_SS:
		return v == USER_DS ? 0 : -EIO;
	case REG_DS:
	case REG_ES:
	case REG_FS:
	case REG_GS:
	case REG_GS_BASE: /* the gate's */
		return v ? -EIO : 0;
	case REG_FS_BASE:
		if (v >= TASK_SIZE)
			return -EIO;
		ti->fs_base = v;
		ti->fs_dirty = 1;
		return 0;
	case REG_FLAGS:
		ti->regs.flags = (ti->regs.flags & ~USER_FLAGS_SETTABLE) | (v & USER_FLAGS_SETTABLE);
		return 0;
	}
	((u64 *)&ti->regs)[i] = v;
	return 0;
}

static int general_get(struct task_struct *t, void __user *buf, size_t len)
{
	u64 r[NREGS];

	for (unsigned i = 0; i < NREGS; i++)
		r[i] = get_reg(t, i);
	return copy_to_user(buf, r, min_t(size_t, len, sizeof(r))) ? -EFAULT : 0;
}

static int general_set(struct task_struct *t, const void __user *buf, size_t len)
{
	u64 r[NREGS];
	int err = 0;

	len = min_t(size_t, len, sizeof(r));
	if (copy_from_user(r, buf, len))
		return -EFAULT;
	for (unsigned i = 0; i < len / 8 && !err; i++)
		err = put_reg(t, i, r[i]);
	return err;
}

/* ---- extended state ---- */

static int fx_get(struct task_struct *t, void __user *buf, size_t len)
{
	u8 *x = xstate_of(t);

	if (!x)
		return -EIO;
	memset(x + SW_XCR0_OFFSET, 0, FX_SIZE - SW_XCR0_OFFSET);
	return copy_to_user(buf, x, min_t(size_t, len, FX_SIZE)) ? -EFAULT : 0;
}

static int fx_set(struct task_struct *t, const void __user *buf, size_t len)
{
	u8 *x = xstate_of(t), new[FX_SIZE];

	if (!x)
		return -EIO;
	if (len != FX_SIZE)
		return -EINVAL;
	if (copy_from_user(new, buf, len))
		return -EFAULT;
	if (*(u32 *)(new + MXCSR_OFFSET) & ~mxcsr_mask(t))
		return -EINVAL;
	memcpy(x, new, MXCSR_OFFSET + 4);
	memcpy(x + MXCSR_OFFSET + 8, new + MXCSR_OFFSET + 8, SW_XCR0_OFFSET - MXCSR_OFFSET - 8);
	*(u64 *)(x + XSTATE_HEADER) |= 3;
	t->ptrace_xstate_dirty = true;
	return 0;
}

static int xstate_get(struct task_struct *t, void __user *buf, size_t len)
{
	u8 *x = xstate_of(t);

	if (!x)
		return -EIO;
	memset(x + SW_XCR0_OFFSET, 0, FX_SIZE - SW_XCR0_OFFSET);
	*(u64 *)(x + SW_XCR0_OFFSET) = xfeature_mask;
	return copy_to_user(buf, x, min_t(size_t, len, xstate_size)) ? -EFAULT : 0;
}

static int xstate_set(struct task_struct *t, const void __user *buf, size_t len)
{
	u8 *x = xstate_of(t), *new;
	u64 *header;
	int err = 0;

	if (!x)
		return -EIO;
	if (len != xstate_size)
		return -EFAULT;
	new = memdup_user(buf, len);
	if (IS_ERR(new))
		return PTR_ERR(new);
	header = (u64 *)(new + XSTATE_HEADER);
	for (int i = 1; i < 8; i++)
		if (header[i])
			err = -EINVAL;
	if ((header[0] & ~xfeature_mask) || (*(u32 *)(new + MXCSR_OFFSET) & ~mxcsr_mask(t)))
		err = -EINVAL;
	if (!err) {
		memcpy(x, new, len);
		t->ptrace_xstate_dirty = true;
	}
	kfree(new);
	return err;
}

/* ---- core files ---- */

void arch_core_regs(struct task_struct *t, u64 *regs)
{
	for (unsigned i = 0; i < NREGS; i++)
		regs[i] = get_reg(t, i);
}

const void *arch_core_xstate(struct task_struct *t, size_t *size)
{
	u8 *x = xstate_of(t);

	if (!x)
		return NULL;
	memset(x + SW_XCR0_OFFSET, 0, FX_SIZE - SW_XCR0_OFFSET);
	*(u64 *)(x + SW_XCR0_OFFSET) = xfeature_mask;
	*size = xstate_size;
	return x;
}

/* ---- requests ---- */

struct regset {
	unsigned type;
	unsigned size;
	int (*get)(struct task_struct *t, void __user *buf, size_t len);
	int (*set)(struct task_struct *t, const void __user *buf, size_t len);
};

static bool find_regset(unsigned type, struct regset *r)
{
	switch (type) {
	case NT_PRSTATUS:
		*r = (struct regset){type, NREGS * 8, general_get, general_set};
		return true;
	case NT_PRFPREG:
		*r = (struct regset){type, FX_SIZE, fx_get, fx_set};
		return true;
	case NT_X86_XSTATE:
		*r = (struct regset){type, xstate_size, xstate_get, xstate_set};
		return true;
	}
	return false;
}

/**
 * arch_regset - PTRACE_GETREGSET and SETREGSET
 * @type: NT_*. @len: of the user's buffer, then what was copied. 0, -EINVAL: no such set or an odd length, -EFAULT, -EIO.
 */
int arch_regset(struct task_struct *t, unsigned type, bool set, void __user *buf, size_t *len)
{
	struct regset r;

	if (!find_regset(type, &r) || *len % 8)
		return -EINVAL;
	*len = min_t(size_t, *len, r.size);
	return set ? r.set(t, buf, *len) : r.get(t, buf, *len);
}

static long peek_user(struct task_struct *t, unsigned long addr, unsigned long data)
{
	u64 v = 0;

	if (addr % 8 || addr >= USER_SIZE)
		return -EIO;
	if (addr < NREGS * 8)
		v = get_reg(t, addr / 8);
	else if (addr >= DEBUGREG_OFFSET && addr < DEBUGREG_OFFSET + 64)
		v = watch_get(t, (addr - DEBUGREG_OFFSET) / 8);
	return put_user(v, (u64 *)data);
}

static long poke_user(struct task_struct *t, unsigned long addr, unsigned long data)
{
	if (addr % 8 || addr >= USER_SIZE)
		return -EIO;
	if (addr < NREGS * 8)
		return put_reg(t, addr / 8, data);
	if (addr >= DEBUGREG_OFFSET && addr < DEBUGREG_OFFSET + 64)
		return watch_set(t, (addr - DEBUGREG_OFFSET) / 8, data);
	return -EIO;
}

static long ptrace_arch_prctl(struct task_struct *t, unsigned long addr, unsigned long code)
{
	switch (code) {
	case 0x1002: /* ARCH_SET_FS */
		return put_reg(t, REG_FS_BASE, addr) ? -EPERM : 0;
	case 0x1003: /* ARCH_GET_FS */
		return put_user(t->ti->fs_base, (u64 *)addr);
	case 0x1004: /* ARCH_GET_GS */
		return put_user(0ULL, (u64 *)addr);
	}
	return -EINVAL;
}

/**
 * arch_ptrace - requests of the architecture, for a stopped task
 * -EIO: there is no such request.
 */
long arch_ptrace(struct task_struct *t, long request, unsigned long addr, unsigned long data)
{
	switch (request) {
	case PTRACE_PEEKUSR:
		return peek_user(t, addr, data);
	case PTRACE_POKEUSR:
		return poke_user(t, addr, data);
	case PTRACE_GETREGS:
		return general_get(t, (void *)data, NREGS * 8);
	case PTRACE_SETREGS:
		return general_set(t, (void *)data, NREGS * 8);
	case PTRACE_GETFPREGS:
		return fx_get(t, (void *)data, FX_SIZE);
	case PTRACE_SETFPREGS:
		return fx_set(t, (void *)data, FX_SIZE);
	case 30: /* PTRACE_ARCH_PRCTL */
		return ptrace_arch_prctl(t, addr, data);
	}
	return -EIO;
}

void arch_syscall_info(struct task_struct *t, struct ptrace_syscall_info *info, u64 args[6])
{
	struct pt_regs *r = &t->ti->regs;

	info->arch = AUDIT_ARCH_X86_64_HUSK;
	info->instruction_pointer = r->ip;
	info->stack_pointer = r->sp;
	args[0] = r->di;
	args[1] = r->si;
	args[2] = r->dx;
	args[3] = r->r10;
	args[4] = r->r8;
	args[5] = r->r9;
}
