// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: finds the tasks, whatever state the kernel's lists are in, and where each one's registers are.

#include "sys.h"

/*
 * DOC: finding tasks
 *
 * A kernel stack says of itself what it is: at its top lies a thread_info that names its own address and a task, which names the
 * thread_info. So every stack of the right size and alignment is asked; the page array only saves the look at what is no stack. The task list is
 * walked as well, to say whether it is whole.
 */
#define MAX_TASKS 65536
#define FEW 40
#define TI_SIZE 1024
#define UC_SIGCONTEXT 40 /* in the host's struct ucontext */
#define PID_OF_SWAPPER 4194304

static struct task few[FEW];
static struct task *tasks;
static u32 ntasks, room, problems;
static size_t tasks_mapped, xstate_mapped;
static u8 *xstate;
static size_t xstate_size;
static u64 current_task;

/* offsets, by the kernel's table */
static struct {
	u64 stack, direct, init_task;
	u64 ti_task, ti_kstack, ti_in_user, ti_host_tid, ti_sleep_bp, ti_regs, ti_crash;
	u64 t_ti, t_pid, t_tgid, t_state, t_comm, t_tasks, t_thread_node, t_signal, t_exit, s_head;
} o;

static bool learn(void)
{
	u64 v;

	o.stack = table("NUMBER(THREAD_SIZE)", 0);
	o.direct = table("NUMBER(DIRECT_MAP_BASE)", 0);
	o.init_task = table("SYMBOL(init_task)", 0);
	o.ti_task = table("OFFSET(thread_info.task)", 0);
	o.ti_kstack = table("OFFSET(thread_info.kstack_top)", 0);
	o.ti_in_user = table("OFFSET(thread_info.in_user)", 0);
	o.ti_host_tid = table("OFFSET(thread_info.host_tid)", 0);
	o.ti_sleep_bp = table("OFFSET(thread_info.sleep_bp)", 0);
	o.ti_regs = table("OFFSET(thread_info.regs)", 0);
	o.ti_crash = table("OFFSET(thread_info.crash_regs)", 0);
	o.t_ti = table("OFFSET(task_struct.ti)", 0);
	o.t_pid = table("OFFSET(task_struct.pid)", 0);
	o.t_tgid = table("OFFSET(task_struct.tgid)", 0);
	o.t_state = table("OFFSET(task_struct.state)", 0);
	o.t_comm = table("OFFSET(task_struct.comm)", 0);
	o.t_tasks = table("OFFSET(task_struct.tasks)", 0);
	o.t_thread_node = table("OFFSET(task_struct.thread_node)", 0);
	o.t_signal = table("OFFSET(task_struct.signal)", 0);
	o.t_exit = table("OFFSET(task_struct.exit_state)", 0);
	o.s_head = table("OFFSET(signal_struct.thread_head)", 0);
	return table_get("OFFSET(task_struct.comm)", &v) && o.stack >= 2 * TI_SIZE && !(o.stack & (o.stack - 1));
}

/* Is there a thread_info at the top of the stack at off? Then *task is where its task lies. */
static bool stack_at(u64 off, u64 *ti, u64 *task)
{
	u64 va;

	*ti = off + o.stack - TI_SIZE;
	if (off + o.stack > config.ram_size || plan_hole(*ti))
		return false;
	if (o.direct + *ti - ram_u64(*ti + o.ti_kstack) >
	    o.stack - TI_SIZE) /* below it, or at it: room may be kept between them */
		return false;
	va = ram_u64(*ti + o.ti_task);
	return kva_to_off(va, o.t_comm + 16, task) && !plan_hole(*task) && ram_u64(*task + o.t_ti) == o.direct + *ti;
}

static void add(u64 ti, u64 task)
{
	struct task *t = &tasks[ntasks];

	memset(t, 0, sizeof(*t));
	t->slot = ntasks++;
	t->ti_off = ti;
	t->d.task = ram_u64(ti + o.ti_task);
	t->d.thread_info = o.direct + ti;
	t->d.pid = ram_u32(task + o.t_pid);
	t->d.tgid = ram_u32(task + o.t_tgid);
	if (t->d.task == o.init_task)
		t->d.pid = t->d.tgid = PID_OF_SWAPPER;
	t->d.host_tid = ram_u32(ti + o.ti_host_tid);
	t->d.in_user = ram_u32(ti + o.ti_in_user) == 1;
	t->d.state = ram_u32(task + o.t_state);
	str_copy(t->d.comm, (const char *)ram + task + o.t_comm, sizeof(t->d.comm));
}

/* All stacks: counts them, and keeps those for which there is room. */
static u32 scan_stacks(bool keep)
{
	u64 ti, task;
	u32 n = 0;
	int stack_type = table("NUMBER(PGT_STACK)", 6);

	for (u64 off = align_up(config.mem_start, o.stack); off < config.ram_size && n < MAX_TASKS; off += o.stack) {
		if (plan_pages_sane() && plan_page_type(off >> PAGE_SHIFT) != stack_type)
			continue;
		if (!stack_at(off, &ti, &task))
			continue;
		n++;
		if (keep && ntasks < room)
			add(ti, task);
	}
	return n;
}

/* Entries of a list, -1 if it is broken. Each one's back pointer must fit. */
static int list_length(u64 head, u64 *first)
{
	u64 at = head, off, next;
	int n = 0;

	*first = 0;
	for (;;) {
		if (!kva_to_off(at, 16, &off))
			return -1;
		next = ram_u64(off);
		if (!kva_to_off(next, 16, &off) || ram_u64(off + 8) != at || n > MAX_TASKS)
			return -1;
		if (next == head)
			return n;
		if (!n++)
			*first = next;
		at = next;
	}
}

/* Every leader, and every leader's threads. */
static bool tasklist_whole(void)
{
	u64 head = table("SYMBOL(init_task_list)", 0), at, off, sig, first;
	int n = list_length(head, &at), total = 0;

	for (; n > 0; n--) {
		if (!kva_to_off(at - o.t_tasks, o.t_comm + 16, &off) ||
		    !kva_to_off(ram_u64(off + o.t_signal), o.s_head + 16, &sig))
			return false;
		if (list_length(ram_u64(off + o.t_signal) + o.s_head, &first) < 0 || total++ > MAX_TASKS)
			return false;
		at = ram_u64(off + o.t_tasks);
	}
	return n == 0;
}

/**
 * tasks_find - fill the table of tasks
 * Return: how many there are
 */
u32 tasks_find(enum mdump_reason reason)
{
	u32 n;

	problems = ntasks = 0;
	current_task = 0;
	if (!learn())
		return 0;
	n = scan_stacks(false);
	tasks_mapped = n * sizeof(*tasks);
	tasks = mem_get(tasks_mapped + 1);
	room = n;
	if (!tasks) {
		tasks_mapped = 0;
		tasks = few;
		room = FEW;
	}
	scan_stacks(true);
	if (ntasks < n)
		problems |= MDUMP_LOST_TASKS;
	if (!tasklist_whole())
		problems |= MDUMP_LOST_TASKLIST;
	return ntasks;
}

u32 tasks_problems(void)
{
	return problems;
}

struct task *task_at(u32 i)
{
	return &tasks[i];
}

/* ---- registers ---- */

enum {
	R_R15,
	R_R14,
	R_R13,
	R_R12,
	R_BP,
	R_BX,
	R_R11,
	R_R10,
	R_R9,
	R_R8,
	R_AX,
	R_CX,
	R_DX,
	R_SI,
	R_DI,
	R_ORIG_AX,
	R_IP,
	R_CS,
	R_FLAGS,
	R_SP,
	R_SS
};

/* struct sigcontext of the host's frames: where each lies in user_regs_struct, in its own order */
static const u8 sigcontext_order[] = {R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15, R_DI,
				      R_SI, R_BP, R_BX,	 R_DX,	R_AX,  R_CX,  R_SP,  R_IP,  R_FLAGS};

/* What a signal frame of the host on the kernel stack says. */
static bool from_sigcontext(struct task *t, u64 va)
{
	u64 off;

	if (!kva_to_off(va, 18 * 8, &off))
		return false;
	for (u32 i = 0; i < ENTRIES(sigcontext_order); i++)
		t->regs[sigcontext_order[i]] = ram_u64(off + i * 8);
	t->regs[R_ORIG_AX] = -1;
	t->regs[R_CS] = 0x33;
	t->regs[R_SS] = 0x2b;
	return true;
}

/* A signal had just been delivered to user code, and the kernel's handler had not begun: the user's registers are in the frame. */
static void undo_delivery(struct task *t)
{
	u64 entry = table("SYMBOL(sig_entry)", 0);

	if (t->d.in_user && entry && t->regs[R_IP] == entry && t->regs[R_DX] == t->regs[R_SP] + 8)
		from_sigcontext(t, t->regs[R_DX] + UC_SIGCONTEXT);
}

static bool from_crash(struct task *t)
{
	if (!o.ti_crash || !from_sigcontext(t, ram_u64(t->ti_off + o.ti_crash)))
		return false;
	t->d.regs_from = MDUMP_REGS_CRASH;
	t->d.in_user = t->regs[R_IP] < table("NUMBER(TASK_SIZE)", 0);
	return true;
}

/* The frame of the function that waits: its caller is where the debugger shows the task. */
static bool from_sleep(struct task *t)
{
	u64 bp = ram_u64(t->ti_off + o.ti_sleep_bp), base = t->ti_off + TI_SIZE - o.stack, off;

	if (!o.ti_sleep_bp || !kva_to_off(bp, 16, &off) || off < base || off >= t->ti_off)
		return false;
	t->regs[R_BP] = ram_u64(off);
	t->regs[R_IP] = ram_u64(off + 8);
	t->regs[R_SP] = bp + 16;
	t->regs[R_CS] = 0x33;
	t->regs[R_SS] = 0x2b;
	t->d.regs_from = MDUMP_REGS_SLEEP;
	return true;
}

static void from_entry(struct task *t)
{
	if (t->d.in_user || !ram_read(t->ti_off + o.ti_regs, t->regs, 21 * 8))
		return;
	if (t->regs[R_IP])
		t->d.regs_from = MDUMP_REGS_USER;
}

static bool dead(const struct task *t)
{
	u64 off;

	return t->d.host_tid <= 0 || !kva_to_off(t->d.task, o.t_exit + 4, &off) || ram_u32(off + o.t_exit);
}

/* Who waits for the monitor at the end of panic(), where the kernel does not say. */
static bool waits_in_panic(const struct task *t)
{
	return t->d.regs_from == MDUMP_REGS_HOST && t->regs[R_ORIG_AX] == __NR_futex &&
	       t->regs[R_DI] == o.direct + offsetof(struct hostif_boot, state);
}

static void put_first(u32 i)
{
	struct task t = tasks[i];

	tasks[i] = tasks[0];
	tasks[0] = t;
}

/* The task that crashed; the kernel may have been on a stack of its own then. Without one, pid 1 stands first. */
static void find_current(enum mdump_reason reason, u32 n)
{
	u64 off, ti, task = 0;

	if (reason == MDUMP_PANIC && kva_to_off(table("SYMBOL(panicking)", 0), 8, &off) &&
	    kva_to_off(ram_u64(off), o.ti_task + 8, &ti))
		task = ram_u64(ti + o.ti_task);
	for (u32 i = 0; i < n && reason == MDUMP_PANIC && !current_task; i++)
		if (task ? tasks[i].d.task == task : waits_in_panic(&tasks[i])) {
			current_task = tasks[i].d.task;
			put_first(i);
		}
	for (u32 i = 0; i < n && !current_task; i++)
		if (tasks[i].d.pid == 1) {
			put_first(i);
			return;
		}
}

/**
 * tasks_registers - the registers of all tasks, from the host where it gives them
 * @n: of tasks_find(). Return: MDUMP_LOST_*
 */
u32 tasks_registers(enum mdump_reason reason, u32 n, u32 *lost)
{
	u32 got = 0;

	*lost = 0;
	xstate_size = xstate_bytes();
	xstate_mapped = n * xstate_size;
	xstate = n && xstate_size ? mem_get(xstate_mapped) : NULL;
	if (n && !jail_is_gone())
		got = stop_get_registers(task_at, n, xstate, xstate_size);
	if (got)
		ctl->confined |= MDUMP_C_PTRACE;
	for (u32 i = 0; i < n; i++) {
		struct task *t = &tasks[i];

		if (reason == MDUMP_PANIC && from_crash(t))
			continue;
		if (t->d.regs_from == MDUMP_REGS_HOST)
			undo_delivery(t);
		if (t->d.regs_from == MDUMP_REGS_HOST || from_sleep(t))
			continue;
		from_entry(t);
		*lost += !dead(t);
	}
	find_current(reason, n);
	return *lost ? MDUMP_LOST_REGS : 0;
}

const void *task_xstate(u32 i, size_t *n)
{
	*n = tasks[i].have_xstate;
	return *n && xstate ? xstate + (size_t)tasks[i].slot * xstate_size : NULL;
}

u64 tasks_current(void)
{
	return current_task;
}

void tasks_drop(void)
{
	mem_put(tasks_mapped ? tasks : NULL, tasks_mapped + 1);
	mem_put(xstate, xstate_mapped);
	tasks = NULL;
	xstate = NULL;
	ntasks = 0;
}
