// SPDX-License-Identifier: Apache-2.0
// Host threads and processes under the tasks: stack slots, start and end of threads, blank processes for execve.

#include <husk/mm.h>
#include <husk/time.h>
#include <hostif/hostif.h>
#include <linux/mman.h>
#include "arch.h"
#include "asm.h"
#include "hostcall.h"

/**
 * DOC: blanks
 *
 * execve in a process that others live in (vfork, the kernel process) needs an empty host process. The kernel process clones such
 * blanks beforehand: each sleeps on a word. A task moves by publishing its stack pointer and waking the blank, whose host thread
 * goes on with the task's kernel stack; the old host thread ends without touching the stack again (blank_switch).
 *
 * A blank sleeps on a stack that is no part of RAM: it lies below the private page, at the same address in each host process, with nothing
 * mapped below it.
 */

struct thread_info *gate_table[MAX_THREAD_SLOTS];
static DECLARE_BITMAP(slot_map, MAX_THREAD_SLOTS);
static DEFINE_SPINLOCK(slot_lock);
static unsigned slot_hint;

struct blank {
	u32 word;     /* 0 ready, 1 handed over */
	u32 host_tid; /* set by the host at its start */
	u64 sp;
	struct list_head list;
};
static LIST_HEAD(blanks);
static DEFINE_SPINLOCK(blank_lock);
static u32 blank_count, blank_kick, blank_ready;
static bool blank_refused; /* the last one could not be made: the host allows no more processes, or memory is short */
#define BLANK_POOL 2
#define BLANK_RETRY (20 * NSEC_PER_MSEC)
static bool no_pid_namespace; /* of the jail's own: then each host process asks to die with its parent */
#define BLANK_PATIENCE 100    /* so often: somebody may end */

static int slot_get(void)
{
	unsigned long s;

	spin_lock(&slot_lock);
	s = find_next_zero_bit(slot_map, MAX_THREAD_SLOTS, slot_hint);
	if (s >= MAX_THREAD_SLOTS)
		s = find_next_zero_bit(slot_map, MAX_THREAD_SLOTS, 0);
	if (s < MAX_THREAD_SLOTS) {
		set_bit(s, slot_map);
		slot_hint = s + 1;
	}
	spin_unlock(&slot_lock);
	return s < MAX_THREAD_SLOTS ? (int)s : -1;
}

static void slot_put(unsigned slot)
{
	spin_lock(&slot_lock);
	clear_bit(slot, slot_map);
	if (slot < slot_hint)
		slot_hint = slot;
	spin_unlock(&slot_lock);
}

/* ---- stack slots ---- */

/**
 * DOC: slots and their guard pages
 *
 * A slot, from its lowest address: a guard page, room for a host signal (stack_room), the stack, room for a host signal again, the
 * thread_info. The alternate signal stack begins above the lower room. So the host finds either rsp in it and pushes below, where
 * there is room; or rsp is lower (or anywhere else), and it pushes right below the thread_info, where kernel code keeps nothing:
 * the stack has overflowed, and there is a place to see it from. A signal from user code is pushed there too.
 *
 * Only the host process that runs a slot's task protects its guard page, and remembers that in its private page. Slots are
 * used again, last freed first, so this is mostly done already: of its first few children a process protects the guard page itself, before
 * the fork that they inherit it with. Not of more, for a guard page is two more host mappings that each later fork copies. A slot that goes back to the page allocator may leave its guard page
 * protected in some process: who touches it as something else faults, and takes the protection away (stack_guard_stale).
 */
#define SLOT_POOL 128
#define SIGNAL_HANDLER_ROOM 1536 /* what the handler of a kick needs */
#define SIGNAL_FRAME_ROOM 640	 /* siginfo, ucontext, red zone, alignment */
unsigned stack_room;
static struct thread_info *slot_pool[SLOT_POOL];
static unsigned slot_pooled;

static struct thread_info *slot_memory(void)
{
	struct thread_info *ti = NULL;
	struct page *p;

	spin_lock(&slot_lock);
	if (slot_pooled)
		ti = slot_pool[--slot_pooled];
	spin_unlock(&slot_lock);
	if (ti)
		return ti;
	p = alloc_pages(GFP_KERNEL, THREAD_ORDER);
	if (!p)
		return NULL;
	p->type = PGT_STACK;
	return page_address(p) + THREAD_SIZE - 1024;
}

static void slot_memory_free(struct thread_info *ti)
{
	struct page *p = virt_to_page((void *)ti_stack_base(ti));

	spin_lock(&slot_lock);
	if (slot_pooled < SLOT_POOL) {
		slot_pool[slot_pooled++] = ti;
		ti = NULL;
	}
	spin_unlock(&slot_lock);
	if (!ti)
		return;
	p->type = PGT_KERNEL;
	__free_pages(p, THREAD_ORDER);
}

#ifdef HUSK_DEBUG
#define STACK_PATTERN 0x57ac57ac57ac57acUL

static void stack_depth_begin(struct thread_info *ti)
{
	for (u64 *p = (u64 *)ti_stack_low(ti); p < (u64 *)ti; p++)
		*p = STACK_PATTERN;
}

/* A line for each task that went deeper than all before it. */
static void stack_depth_end(struct thread_info *ti)
{
	static u64 deepest;
	u64 *p = (u64 *)ti_stack_low(ti), used, room;

	while (p < (u64 *)ti && *p == STACK_PATTERN)
		p++;
	used = (u64)ti - (u64)p;
	room = (u64)ti - ti_stack_low(ti);
	if (used <= READ_ONCE(deepest))
		return;
	WRITE_ONCE(deepest, used);
	pr_info("%.16s used %lu bytes of its kernel stack, of %lu", ti->task->comm, (unsigned long)used,
		(unsigned long)room);
}
#else
static inline void stack_depth_begin(struct thread_info *ti)
{
}
static inline void stack_depth_end(struct thread_info *ti)
{
}
#endif

struct thread_info *alloc_thread_info(struct task_struct *t)
{
	struct thread_info *ti;
	int slot = slot_get();

	if (slot < 0)
		return NULL;
	ti = slot_memory();
	if (!ti) {
		slot_put(slot);
		return NULL;
	}
	mod_vm_stat(NR_KERNEL_STACK, 1 << THREAD_ORDER);
	if (!stack_room)
		stack_room = ALIGN(xstate_size + SIGNAL_FRAME_ROOM + SIGNAL_HANDLER_ROOM, 64);
	stack_depth_begin(ti);
	memset(ti, 0, sizeof(*ti));
	ti->task = t;
	ti->slot = slot;
	ti->kstack_top = (u64)ti - stack_room;
	smp_store_release(&gate_table[slot], ti);
	return ti;
}

void free_thread_info(struct thread_info *ti)
{
	/* the host thread may be in its last instructions */
	while (READ_ONCE(ti->host_tid))
		host_yield();
	stack_depth_end(ti);
	gate_table[ti->slot] = NULL;
	slot_put(ti->slot);
	mod_vm_stat(NR_KERNEL_STACK, -(1 << THREAD_ORDER));
	slot_memory_free(ti);
}

static u32 *guard_entry(u64 base, u32 *key)
{
	*key = (base - DIRECT_MAP_BASE) / THREAD_SIZE + 1;
	return &proc_private->guard[*key % PROC_GUARDS];
}

/* ti runs in this host process from now on. Without a guard page, where the host has no more mappings to give, it runs all the same. */
void stack_guard(struct thread_info *ti)
{
	u32 key, *e = guard_entry(ti_stack_base(ti), &key);

	if (*e != key && !host_mprotect(ti_stack_base(ti), THREAD_STACK_GUARD, PROT_NONE))
		*e = key;
}

/* ti is about to run in a copy of this process. */
static void stack_guard_for_child(struct thread_info *ti)
{
	u32 key, *e = guard_entry(ti_stack_base(ti), &key);

	if (*e || proc_private->child_guards == PROC_CHILD_GUARDS ||
	    host_mprotect(ti_stack_base(ti), THREAD_STACK_GUARD, PROT_NONE))
		return;
	*e = key;
	proc_private->child_guards++;
}

/* A copy of the kernel process runs no kernel thread: their guard pages would only be host mappings that every fork copies. */
static void stack_guards_drop(void)
{
	for (u32 *e = proc_private->guard; e < proc_private->guard + PROC_GUARDS; e++) {
		if (*e && !host_mprotect(DIRECT_MAP_BASE + (u64)(*e - 1) * THREAD_SIZE, THREAD_STACK_GUARD,
					 PROT_READ | PROT_WRITE))
			*e = 0;
	}
	proc_private->child_guards = 0;
}

/* A kernel-mode fault at addr: is it a guard page of a slot that is none any more? Then it is accessible again. */
bool stack_guard_stale(u64 addr)
{
	u64 base = addr & ~(u64)(THREAD_SIZE - 1);
	u32 key, *e;

	if (addr - DIRECT_MAP_BASE >= ram_bytes || addr - base >= THREAD_STACK_GUARD ||
	    virt_to_page((void *)base)->type == PGT_STACK)
		return false;
	if (host_mprotect(base, THREAD_STACK_GUARD, PROT_READ | PROT_WRITE))
		return false;
	e = guard_entry(base, &key);
	if (*e == key)
		*e = 0;
	return true;
}

/* A new host process says who it is. The page is private to it. */
void host_process_init(u64 mm_id, bool kernel_process)
{
	proc_private->mm_id = mm_id;
	proc_private->is_kernel_process = kernel_process;
}

void ret_from_kernel_thread(struct task_struct *t);

/* First C code of a new host thread, on its own stack. */
void thread_start(struct thread_info *ti)
{
	struct task_struct *t = ti->task;

	if (ti->arch[TA_KTHREAD]) {
		thread_enter(ti);
		ret_from_kernel_thread(t);
	}
	if (ti->arch[TA_BLANK]) { /* a fork: this is a new host process */
		host_process_init(ti->mm_id, false);
		proc_private->host_pid = ti->host_tid;
		ti->host_pid = ti->host_tid;
		if (no_pid_namespace)
			host_set_pdeathsig();
	}
	thread_enter(ti);
	if (ti->fs_dirty) {
		ti->fs_dirty = 0;
		wrfsbase(ti->fs_base);
	}
	schedule_tail(t);
	__asm__ volatile("mov %0, %%rbx\n\tjmp exit_to_user" ::"r"(ti) : "memory");
	__builtin_unreachable();
}

/* A kernel thread, or the boot's pid 1, which becomes a user task when its function returns 0 after kernel_execve(). */
void ret_from_kernel_thread(struct task_struct *t)
{
	struct thread_info *ti = t->ti;
	int r;

	schedule_tail(t);
	r = t->kthread_fn(t->kthread_data);
	if (!t->mm)
		do_exit(r);
	ti = current_thread_info();
	ti->arch[TA_KTHREAD] = 0;
	__asm__ volatile("mov %0, %%rbx\n\tjmp exit_to_user" ::"r"(ti) : "memory");
	__builtin_unreachable();
}

#define CLONE_HOST_THREAD                                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_SETTID)

int arch_start_thread(struct task_struct *child, struct kernel_clone_args *a)
{
	struct thread_info *ti = child->ti;
	bool same = !child->mm || child->mm == current->mm;
	u64 flags;
	long r;

	ti->host_tid = 0;
	ti->arch[TA_KTHREAD] = a->fn != NULL;
	ti->arch[TA_BLANK] = !same;
	ti->arch[TA_READY] = 0;
	if (same) {
		flags = CLONE_HOST_THREAD;
		ti->mm_id = proc_private->mm_id;
		ti->host_pid = proc_private->host_pid;
	} else {
		stack_guard_for_child(ti);
		flags = CLONE_CHILD_SETTID | SIGCHLD;
		if (!proc_private->is_kernel_process)
			flags |= CLONE_PARENT;
		ti->mm_id = child->mm->id;
	}
	if (!a->fn && !ti->fs_dirty) {
		ti->fs_base = rdfsbase(); /* the host copies it; kept for who asks */
	}
	WRITE_ONCE(ti->host_tid, -1); /* the host overwrites it before the child runs */
	r = host_clone_thread(flags, ti->kstack_top - 64, (u32 *)&ti->host_tid, ti);
	if (r < 0) {
		ti->host_tid = 0;
		return r == -ENOMEM ? -ENOMEM : -EAGAIN;
	}
	return 0;
}

/* no host signal may land on a stack that is about to be free */
static void block_host_signals(void)
{
	u64 set = ~0ULL;

	host_call(14 /* rt_sigprocmask */, SIG_BLOCK, (u64)&set, 0, 8, 0);
}

void arch_exit_thread(void)
{
	current_thread_info()->arch[TA_READY] = 0;
	block_host_signals();
	thread_exit_asm(&current_thread_info()->host_tid);
}

void arch_copy_thread(struct task_struct *child, struct kernel_clone_args *a)
{
	struct thread_info *ti = child->ti, *me = current_thread_info();

	ti->in_user = 0;
	ti->kick_sent = 0;
	if (a->fn)
		return;
	ti->regs = me->regs;
	ti->regs.ax = 0;
	ti->regs.orig_ax = -1UL;
	if (a->stack)
		ti->regs.sp = a->stack + a->stack_size;
	if (a->flags & CLONE_SETTLS) {
		ti->fs_base = a->tls;
		ti->fs_dirty = 1;
	}
}

void arch_start_user(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	*regs = (struct pt_regs){
		.ip = ip,
		.sp = sp,
		.cs = USER_CS,
		.ss = USER_DS,
		.flags = 0x202,
		.orig_ax = regs->orig_ax, /* which a debugger looks at when execve returns */
	};
	if (unlikely(test_thread_flag(TIF_WATCH)))
		watch_clear(current);
	fpu_reset();
	wrfsbase(0);
	current_thread_info()->fs_base = 0;
	set_thread_flag(TIF_FULL_EXIT);
}

void arch_restart_syscall(struct pt_regs *regs, long nr)
{
	regs->ip = text_restart_ip(regs->ip);
	regs->ax = nr;
	regs->orig_ax = -1UL;
	set_thread_flag(TIF_FULL_EXIT);
}

long arch_prctl_fs(struct task_struct *t, int code, unsigned long addr)
{
	u64 v;

	switch (code) {
	case 0x1002: /* ARCH_SET_FS */
		if (addr >= TASK_SIZE)
			return -EPERM;
		wrfsbase(addr);
		t->ti->fs_base = addr;
		return 0;
	case 0x1003: /* ARCH_GET_FS */
		v = rdfsbase();
		return copy_to_user((void *)addr, &v, 8) ? -EFAULT : 0;
	case 0x1004: /* ARCH_GET_GS */
		v = 0;
		return copy_to_user((void *)addr, &v, 8) ? -EFAULT : 0;
	case 0x1001: /* ARCH_SET_GS: the GS base is the gate's; zero is what user code believes it has */
		return addr == 0 ? 0 : -EINVAL;
	case 0x1011: /* ARCH_GET_CPUID: it does not trap */
		return 1;
	case 0x1012: /* ARCH_SET_CPUID */
		return -ENODEV;
	}
	return -EINVAL;
}

/* ---- blanks ---- */

static void blank_unmap_user(void)
{
	host_munmap(0, TASK_SIZE);
}

/* The blank's host thread: sleeps until a task is handed over. */
static __noreturn void blank_main(struct blank *b)
{
	u64 sp;

	host_process_init(0, false);
	proc_private->host_pid = b->host_tid;
	if (no_pid_namespace)
		host_set_pdeathsig();
	stack_guards_drop();
	while (!smp_load_acquire(&b->word))
		host_futex_wait(&b->word, 0, INT64_MAX);
	sp = b->sp;
	blank_resume(sp);
}

static int blank_create(void)
{
	struct blank *b = kzalloc(sizeof(*b), GFP_KERNEL);
	register u64 r8 __asm__("r8") = 0;
	long r;

	if (!b)
		return -ENOMEM;
	/* the child's first instructions must not need anything but its registers */
	__asm__ volatile("movq %[ctid], %%r10\n\t"
			 "movq %[secret], %%r9\n\t"
			 "movq %[b], %%rbx\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "syscall\n\t"
			 "xorl %%r9d, %%r9d\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%rbx, %%rdi\n\t"
			 "callq *%[fn]\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(r), "+r"(r8)
			 : "0"(56L), "D"((u64)(CLONE_CHILD_SETTID | SIGCHLD)), "S"(PROC_PRIVATE_BASE - 64),
			   [ctid] "r"(&b->host_tid), [secret] "r"(host_secret), [b] "r"(b), [fn] "r"(blank_main)
			 : "rbx", "rcx", "rdx", "r9", "r10", "r11", "memory");
	if (r < 0) {
		if (!blank_refused)
			pr_warn("the host allows no more processes (clone: %ld)", r);
		kfree(b);
		return -ENOMEM;
	}
	spin_lock(&blank_lock);
	list_add_tail(&b->list, &blanks);
	blank_count++;
	spin_unlock(&blank_lock);
	__atomic_fetch_add(&blank_ready, 1, __ATOMIC_SEQ_CST);
	host_futex_wake(&blank_ready, INT32_MAX);
	return 0;
}

static int blank_spawner(void *unused)
{
	for (;;) {
		u32 k = READ_ONCE(blank_kick);
		int r = 0;

		while (!r && READ_ONCE(blank_count) < BLANK_POOL) {
			r = blank_create();
			WRITE_ONCE(blank_refused, r != 0);
		}
		host_sleep(&blank_kick, k, INT64_MAX);
	}
	return 0;
}

/* Every host process of the jail is a child of the kernel process; one that dies by a signal is a crash of the sandbox. */
static int host_reaper(void *unused)
{
	for (;;) {
		int status = 0;
		long pid = host_wait4(&status);

		if (pid < 0) {
			host_sleep(&blank_ready, READ_ONCE(blank_ready), NSEC_PER_SEC);
			continue;
		}
		if ((status & 0x7f) || (status & 0xff00))
			panic("host process %ld of the sandbox died: %s %d", pid,
			      status & 0x7f ? "killed by host signal" : "exit status",
			      status & 0x7f ? status & 0x7f : status >> 8 & 0xff);
	}
	return 0;
}

int blanks_init(void)
{
	struct task_struct *t;

	no_pid_namespace = !(boot->features & HOSTIF_F_PIDNS);
	t = kthread_run(blank_spawner, NULL, "kblank");
	if (!IS_ERR(t))
		t = kthread_run(host_reaper, NULL, "kreaper");
	return PTR_ERR_OR_ZERO(t);
}

static struct blank *blank_get(void)
{
	struct blank *b;

	spin_lock(&blank_lock);
	b = list_first_entry_or_null(&blanks, struct blank, list);
	if (b) {
		list_del(&b->list);
		blank_count--;
	}
	spin_unlock(&blank_lock);
	__atomic_fetch_add(&blank_kick, 1, __ATOMIC_SEQ_CST);
	host_futex_wake(&blank_kick, 1);
	return b;
}

/* A blank, waited for; NULL where the host has allowed none for a while. */
static struct blank *blank_take(void)
{
	unsigned refused = 0;

	for (;;) {
		u32 seen = READ_ONCE(blank_ready);
		struct blank *b = blank_get();

		if (b)
			return b;
		refused = READ_ONCE(blank_refused) ? refused + 1 : 0;
		if (refused > BLANK_PATIENCE)
			return NULL;
		host_sleep(&blank_ready, seen, BLANK_RETRY);
	}
}

static int move_to_blank(struct mm_struct *mm)
{
	struct blank *b = blank_take();
	struct thread_info *ti = current_thread_info();

	if (!b)
		return -EAGAIN;
	block_host_signals(); /* the stack is about to be another host thread's */
	ti->kick_sent = 0;
	ti->arch[TA_READY] = 0;
	blank_switch(&b->sp, &b->word);
	/* in the blank's host process; its signal mask is the kernel process's: empty */
	host_process_init(mm->id, false);
	ti->mm_id = mm->id;
	ti->host_tid = ti->host_pid = b->host_tid;
	thread_enter(ti);
	if (current->cpus_mask)
		host_set_affinity(current->cpus_mask);
	kfree(b);
	return 0;
}

int arch_switch_mm(struct mm_struct *mm, bool sole)
{
	struct thread_info *ti = current_thread_info();

	if (sole && !proc_private->is_kernel_process) {
		blank_unmap_user();
		host_process_init(mm->id, false);
		ti->mm_id = mm->id;
		return 0;
	}
	return move_to_blank(mm);
}
