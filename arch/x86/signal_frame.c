// SPDX-License-Identifier: Apache-2.0
// Signal frames on the guest's stack, in the ABI's layout (arch/x86/include/uapi/asm/{sigcontext,ucontext}.h), and rt_sigreturn.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include "arch.h"
#include "asm.h"

#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define SW_RESERVED_OFFSET 464 /* of fpx_sw_bytes in the legacy area */

struct fpx_sw_bytes {
	u32 magic1, extended_size;
	u64 xfeatures;
	u32 xstate_size, padding[7];
};
struct sigcontext_abi {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2, fpstate;
	u64 reserved1[8];
};
struct stack_abi {
	u64 sp;
	int flags, pad;
	u64 size;
};
struct rt_sigframe {
	u64 pretcode;
	struct {
		u64 uc_flags, uc_link;
		struct stack_abi uc_stack;
		struct sigcontext_abi mc;
		husk_sigset_t sigmask;
	} uc;
	struct kernel_siginfo info;
};
static_assert(sizeof(struct sigcontext_abi) == 256, "sigcontext");

unsigned arch_min_sigstack(void)
{
	return sizeof(struct rt_sigframe) + xstate_size + 4 + 64 + 16 + 128;
}

static bool on_sig_stack(struct task_struct *t, u64 sp)
{
	if (t->sas_ss_flags & SS_AUTODISARM)
		return false;
	return t->sas_ss_size && sp > t->sas_ss_sp && sp - t->sas_ss_sp <= t->sas_ss_size;
}

/* The live extended state, straight to the user's stack: xsave faults like any user access. */
static int save_fpu_user(u64 dst)
{
	struct fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = xstate_size + 4,
		.xfeatures = xfeature_mask,
		.xstate_size = xstate_size,
	};
	u32 magic2 = FP_XSTATE_MAGIC2;

	if (clear_user((void *)(dst + 512), 64) || fpu_save_user((void *)dst, xfeature_mask) ||
	    copy_to_user((void *)(dst + SW_RESERVED_OFFSET), &sw, sizeof(sw)) ||
	    copy_to_user((void *)(dst + xstate_size), &magic2, 4))
		return -EFAULT;
	return 0;
}

/* An image that is not ours in size: only what it says it holds, the rest in its initial state. */
static int restore_fpu_odd(u64 src, u32 size, u64 mask)
{
	u8 *buf = kzalloc(xstate_size + 64, GFP_KERNEL), *img;
	u64 *hdr;
	int r = -EFAULT;

	if (!buf)
		return -ENOMEM;
	img = (u8 *)ALIGN((u64)buf, 64);
	hdr = (u64 *)(img + 512);
	if (!copy_from_user(img, (void *)src, size)) {
		hdr[0] = size > 512 ? hdr[0] & mask : 3;
		memset(hdr + 1, 0, 56);
		r = fpu_restore_safe(img, xfeature_mask);
	}
	kfree(buf);
	return r;
}

static int restore_fpu_user(u64 src)
{
	struct fpx_sw_bytes sw;
	u32 magic2;

	if (!src) {
		fpu_reset();
		return 0;
	}
	if (!access_ok((void *)src, xstate_size + 4) ||
	    copy_from_user(&sw, (void *)(src + SW_RESERVED_OFFSET), sizeof(sw)))
		return -EFAULT;
	if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size > xstate_size || sw.xstate_size < 576 ||
	    copy_from_user(&magic2, (void *)(src + sw.xstate_size), 4) || magic2 != FP_XSTATE_MAGIC2)
		return restore_fpu_odd(src, 512, 3);
	if (sw.xstate_size == xstate_size && sw.xfeatures == xfeature_mask && IS_ALIGNED(src, 64))
		return fpu_restore_safe((void *)src, xfeature_mask);
	return restore_fpu_odd(src, sw.xstate_size, sw.xfeatures & xfeature_mask);
}

/* What sigaltstack(2) would do with the stack saved in a frame; a frame taken on it leaves it alone. */
static void restore_altstack_abi(u64 sp, int flags, u64 size)
{
	struct task_struct *t = current;

	if (flags & SS_DISABLE) {
		t->sas_ss_sp = t->sas_ss_size = 0;
		t->sas_ss_flags = SS_DISABLE;
	} else if (!(flags & ~(SS_ONSTACK | SS_AUTODISARM))) {
		t->sas_ss_sp = sp;
		t->sas_ss_size = size;
		t->sas_ss_flags = flags & SS_AUTODISARM;
	}
}

int setup_rt_frame(struct ksignal *ks, struct pt_regs *regs)
{
	struct task_struct *t = current;
	struct rt_sigframe f = {0};
	u64 sp = regs->sp - 128, ip = regs->ip, fp, frame;

	if (!(ks->ka.flags & SA_RESTORER))
		return -EFAULT;
	if ((ks->ka.flags & SA_ONSTACK) && t->sas_ss_size && !on_sig_stack(t, regs->sp))
		sp = t->sas_ss_sp + t->sas_ss_size;
	text_original_ip(&ip);
	fp = ALIGN_DOWN(sp - xstate_size - 4, 64);
	frame = ALIGN_DOWN(fp - sizeof(f), 16) - 8;
	if (on_sig_stack(t, regs->sp) && (ks->ka.flags & SA_ONSTACK) && frame <= t->sas_ss_sp)
		return -EFAULT;
	if (!access_ok((void *)frame, sp - frame))
		return -EFAULT;
	f.pretcode = (u64)ks->ka.restorer;
	f.uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	f.uc.uc_stack.sp = t->sas_ss_sp;
	f.uc.uc_stack.size = t->sas_ss_size;
	f.uc.uc_stack.flags = (!t->sas_ss_size		   ? SS_DISABLE
			       : on_sig_stack(t, regs->sp) ? SS_ONSTACK
							   : 0) |
			      (t->sas_ss_flags & SS_AUTODISARM);
	f.uc.mc = (struct sigcontext_abi){
		.r8 = regs->r8,
		.r9 = regs->r9,
		.r10 = regs->r10,
		.r11 = regs->r11,
		.r12 = regs->r12,
		.r13 = regs->r13,
		.r14 = regs->r14,
		.r15 = regs->r15,
		.di = regs->di,
		.si = regs->si,
		.bp = regs->bp,
		.bx = regs->bx,
		.dx = regs->dx,
		.ax = regs->ax,
		.cx = regs->cx,
		.sp = regs->sp,
		.ip = ip,
		.flags = regs->flags,
		.cs = USER_CS,
		.ss = USER_DS,
		.fpstate = fp,
		.cr2 = t->ti->arch[TA_CR2],
		.trapno = t->ti->arch[TA_TRAPNO],
		.err = t->ti->arch[TA_ERR],
	};
	f.uc.sigmask = test_thread_flag(TIF_RESTORE_SIGMASK) ? t->saved_sigmask : t->blocked;
	f.uc.mc.oldmask = f.uc.sigmask;
	f.info = ks->info;
	if (save_fpu_user(fp) || copy_to_user((void *)frame, &f, sizeof(f)))
		return -EFAULT;
	if (t->sas_ss_flags & SS_AUTODISARM) {
		t->sas_ss_sp = t->sas_ss_size = 0;
		t->sas_ss_flags = SS_DISABLE;
	}
	fpu_reset(); /* a handler starts with a fresh one */
	regs->di = ks->sig;
	regs->si = frame + offsetof(struct rt_sigframe, info);
	regs->dx = frame + offsetof(struct rt_sigframe, uc);
	regs->ax = 0;
	regs->ip = (u64)ks->ka.handler;
	regs->sp = frame;
	regs->flags &= ~(0x400UL | 0x100UL | 0x10000UL); /* DF, TF, RF */
	regs->orig_ax = -1UL;
	set_thread_flag(TIF_FULL_EXIT);
	return 0;
}

long sys_rt_sigreturn(struct pt_regs *regs);
long sys_rt_sigreturn(struct pt_regs *regs)
{
	struct rt_sigframe f;
	u64 frame = regs->sp - 8;
	struct sigcontext_abi *c = &f.uc.mc;

	if (copy_from_user(&f, (void *)frame, sizeof(f)))
		goto bad;
	if (restore_fpu_user(c->fpstate))
		goto bad;
	set_current_blocked(&f.uc.sigmask);
	restore_altstack_abi(f.uc.uc_stack.sp, f.uc.uc_stack.flags, f.uc.uc_stack.size);
	*regs = (struct pt_regs){
		.r8 = c->r8,
		.r9 = c->r9,
		.r10 = c->r10,
		.r11 = c->r11,
		.r12 = c->r12,
		.r13 = c->r13,
		.r14 = c->r14,
		.r15 = c->r15,
		.di = c->di,
		.si = c->si,
		.bp = c->bp,
		.bx = c->bx,
		.dx = c->dx,
		.ax = c->ax,
		.cx = c->cx,
		.sp = c->sp,
		.ip = c->ip,
		.flags = c->flags & X86_FLAGS_USER,
		.cs = USER_CS,
		.ss = USER_DS,
		.orig_ax = -1UL,
	};
	text_enter_stub(&regs->ip);
	set_thread_flag(TIF_FULL_EXIT);
	return regs->ax;
bad:
	force_sigsegv(SIGSEGV);
	return 0;
}
