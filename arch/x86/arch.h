/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations private to arch/x86. */
#ifndef ARCH_X86_ARCH_H
#define ARCH_X86_ARCH_H

#include <husk/sched.h>
#include <husk/platform.h>

struct hostif_boot;
extern struct hostif_boot *boot;
extern bool platform_has_keys;
extern struct thread_info *gate_table[];
extern u64 xfeature_mask;    /* XCR0 */
extern unsigned xstate_size; /* bytes of an xsave image with these */
extern unsigned stack_room;  /* what a host signal needs on a kernel stack; docs/design/oops.md */
extern u64 ram_bytes;
extern char gate_entry[], gate_entry_taken[], gate_exit_start[], gate_exit_end[], full_exit_start[], full_exit_end[];
extern char sig_entry[], sig_entry_taken[], sig_lost_gs[], sig_lost_gs_end[], exit_to_user[], _stext[], _etext[],
	_end[];

#define PROC_GUARDS 512
#define PROC_CHILD_GUARDS 4
/* the page at PROC_PRIVATE_BASE: what a host process knows of itself */
struct proc_private {
	u64 mm_id;
	u32 is_kernel_process;
	u32 host_pid;
	u32 guard[PROC_GUARDS]; /* hashed: stack slots whose guard page this process protects (process.c) */
	u32 child_guards;	/* how many of them are for children */
};
#define proc_private ((struct proc_private *)PROC_PRIVATE_BASE)

/* ti->arch[] */
enum {
	TA_BLANK,
	TA_KTHREAD,
	TA_READY,
	TA_TRAPNO,
	TA_ERR,
	TA_CR2,
	TA_SNAP,
	TA_SNAP_IP,
	TA_SNAP_BP,
	TA_SNAP_SP,
	TA_STEP
};
/* TA_STEP: user mode runs with the trap flag for a debugger, */
#define STEP_FORCED 1 /* which the program itself does not have set, */
#define STEP_OWN 2    /* or has */
#define X86_FLAG_TF 0x100UL
#define USER_CS 0x33
#define USER_DS 0x2b
#define X86_FLAGS_USER 0x250dd5 /* CF PF AF ZF SF TF DF OF NT? RF AC ID: what user code may set */

static inline unsigned long ti_stack_base(struct thread_info *ti)
{
	return (unsigned long)ti + 1024 - THREAD_SIZE;
}
static inline u64 rdfsbase(void)
{
	u64 v;
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}
static inline void wrfsbase(u64 v)
{
	__asm__ volatile("wrfsbase %0" ::"r"(v));
}
static inline unsigned long ti_stack_low(struct thread_info *ti) /* lowest address that the stack may use in earnest */
{
	return ti_stack_base(ti) + THREAD_STACK_GUARD;
}
static inline bool ti_has_stack(struct thread_info *ti, u64 sp) /* is sp where a host signal finds room below it? */
{
	return sp - (ti_stack_low(ti) + stack_room + 128) <= (u64)ti - (ti_stack_low(ti) + stack_room + 128);
}
void stack_guard(struct thread_info *ti);
bool stack_guard_stale(u64 addr);
void fpu_restore(void *xstate, u64 mask);
int fpu_restore_safe(void *xstate, u64 mask);
int fpu_save_user(void *xstate, u64 mask);
void fpu_init(void);
void fpu_reset(void);
void thread_exit_asm(int *host_tid) __noreturn;
void blank_switch(u64 *sp, u32 *word);
void blank_resume(u64 sp) __noreturn;
void thread_start(struct thread_info *ti) __noreturn;
void vdso_init(u64 base);
void traps_init(void);
void module_window_init(void);
void thread_enter(struct thread_info *ti);
void sig_dispatch(int sig, void *info, void *uc, unsigned long sp, struct thread_info *ti, u32 from_user);
void sig_forged(struct thread_info *ti) __noreturn;
void serialize_core(void);
/* shoot-downs asked of the current host process; async-signal-safe */
void shootdown_serve(void);
void host_process_init(u64 mm_id, bool kernel_process);
long host_wait4(int *status);
long host_set_pdeathsig(void);
int blanks_init(void);
int arch_start_thread(struct task_struct *child, struct kernel_clone_args *a);
void arch_exit_thread(void) __noreturn;
int arch_switch_mm(struct mm_struct *mm, bool sole);
u64 text_restart_ip(u64 ip); /* where a system call that returned to ip is made again */

/* text.c, patch.c */
struct mm_struct;
void do_syscall_64(struct pt_regs *regs);
const char *syscall_name(unsigned long nr);
void exit_to_user_work(struct thread_info *ti);
bool patch_syscall_site(
	struct pt_regs *regs); /* a trap at regs->ip (after syscall): patch, or fix regs if patched meanwhile */
bool text_trap_fixup(struct pt_regs *regs, int sig); /* a trap in patched or defused text: true if regs were fixed up */

/* text_original_ip: *ip lies in a stub: it becomes the place in the file's text that it stands for. False: it is no stub. */
bool text_original_ip(u64 *ip);
bool text_in_stub(u64 ip);
/* text_enter_stub: *ip may be behind a system call whose site is a jump now: then it becomes the place in the stub that does the same. */
void text_enter_stub(u64 *ip);
void step_end(
	struct thread_info
		*ti); /* on entry: the trap flag that a debugger's single step needed is taken out of the registers */
void step_begin(struct thread_info *ti); /* on leaving: and put in */

/* watch.c: debug registers of a traced task */
long watch_set(struct task_struct *t, unsigned n, u64 v);
u64 watch_get(struct task_struct *t, unsigned n);
void watch_clear(struct task_struct *t); /* a new program: nothing is watched any more */
bool watch_step(struct pt_regs *regs, bool step);

#endif
