// SPDX-License-Identifier: Apache-2.0
// The table of tasks: read from the task list, and from the table of threads where the list is damaged.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

/**
 * DOC: finding the tasks
 *
 * init_task_list links the leaders, each leader's signal->thread_head its threads. Independently of that, gate_table[] has the
 * thread_info of every thread that has a kernel stack, which names its task. What is found there only is shown with a mark: either the list is damaged, or
 * the thread was just being made or released.
 */
struct task *tasks;
size_t ntasks;
struct task *current;
static size_t room;

/* include/husk/wait.h */
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_STOPPED 4
#define TASK_TRACED 8
#define EXIT_DEAD 16
#define EXIT_ZOMBIE 32

struct task *task_by_addr(u64 addr)
{
	for (size_t i = 0; i < ntasks; i++)
		if (tasks[i].addr == addr)
			return &tasks[i];
	return NULL;
}

struct task *task_by_pid(s64 pid)
{
	for (size_t i = 0; i < ntasks; i++)
		if (tasks[i].pid == pid)
			return &tasks[i];
	return NULL;
}

static bool plausible(u64 addr)
{
	s64 pid = (s64)FIELD(addr, task_struct, pid), tgid = (s64)FIELD(addr, task_struct, tgid);

	return addr % 8 == 0 && is_kernel_address(addr) && pid >= 0 && tgid >= 0 && pid <= 1 << 22 && tgid <= 1 << 22;
}

static void add_task(u64 addr, bool lost)
{
	struct task *t;
	u64 parent;

	if (!plausible(addr) || ntasks > 1 << 20)
		return;
	if (ntasks == room) {
		room = room ? 2 * room : 64;
		tasks = realloc(tasks, room * sizeof(*tasks));
		if (!tasks)
			abort();
	}
	t = &tasks[ntasks++];
	*t = (struct task){.addr = addr, .lost = lost};
	t->pid = (s64)FIELD(addr, task_struct, pid);
	t->tgid = (s64)FIELD(addr, task_struct, tgid);
	t->mm = FIELD(addr, task_struct, mm);
	t->ti = FIELD(addr, task_struct, ti);
	t->signal = FIELD(addr, task_struct, signal);
	t->files = FIELD(addr, task_struct, files);
	t->fs = FIELD(addr, task_struct, fs);
	t->state = FIELD(addr, task_struct, state);
	t->exit_state = FIELD(addr, task_struct, exit_state);
	t->flags = FIELD(addr, task_struct, flags);
	t->parent = parent = FIELD(addr, task_struct, real_parent);
	t->ppid = parent && parent != addr && is_kernel_address(parent) ? (s64)FIELD(parent, task_struct, tgid) : 0;
	t->leader = t->pid == t->tgid;
	kstring(FIELD_ADDR(addr, task_struct, comm), t->comm, sizeof(t->comm));
	if (strlen(t->comm) > 60)
		t->comm[16] = 0;
	t->in_user =
		t->ti && is_kernel_address(t->ti) && FIELD(t->ti, thread_info, in_user) && !t->exit_state && !t->state;
}

static int by_pid(const void *a, const void *b)
{
	const struct task *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void from_list(void)
{
	u64 head = global_addr("init_task_list");
	struct walk w, v;

	if (!head)
		return;
	for_each_entry(&w, head, task_struct, tasks, "tasks")
	{
		u64 leader = w.entry, signal = FIELD(leader, task_struct, signal);
		bool seen = false;

		if (signal) {
			for_each_entry(&v, FIELD_ADDR(signal, signal_struct, thread_head), task_struct, thread_node,
				       "threads")
			{
				add_task(v.entry, false);
				seen |= v.entry == leader;
			}
		}
		if (!seen) /* a zombie leader has left the list of threads */
			add_task(leader, false);
	}
}

/* Threads that have a kernel stack: an index of its own. */
static void from_threads(void)
{
	const struct symbol *s = symbol_named("gate_table");
	size_t n = s ? s->size / 8 : 0, lost = 0;
	u64 *slot = calloc(n + 1, 8), init = global_addr("init_task");
	u64 panicking = global_addr("panicking") ? global("panicking") : 0;

	if (!slot || !n || kread_quiet(s->addr, slot, n * 8)) {
		free(slot);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		u64 task;
		bool seen;

		if (!slot[i] || !is_kernel_address(slot[i]))
			continue;
		task = FIELD(slot[i], thread_info, task);
		seen = !task || task == init || task_by_addr(task);
		if (seen || FIELD(task, task_struct, ti) != slot[i])
			continue;
		/* one that is dead has left the list, and will leave its stack */
		if (FIELD(task, task_struct, exit_state) & EXIT_DEAD && slot[i] != panicking)
			continue;
		add_task(task, true);
		lost++;
	}
	free(slot);
	if (lost && !live)
		warn("%zu task%s not on the task list; found through the table of threads", lost,
		     lost == 1 ? " is" : "s are");
}

int tasks_load(void)
{
	u64 was = current ? current->addr : 0, init = global_addr("init_task");

	ntasks = 0;
	current = NULL;
	if (!init) {
		complain("%s has no init_task: it is not husk's kernel", kernel_path);
		return -1;
	}
	add_task(init, false);
	from_list();
	from_threads();
	qsort(tasks, ntasks, sizeof(*tasks), by_pid);
	current = was ? task_by_addr(was) : NULL;
	if (!current)
		current = panic_task() ?: task_by_pid(1) ?: ntasks ? &tasks[0] : NULL;
	if (current && !current->addr)
		current = NULL;
	return 0;
}

const struct core_note *task_note(const struct task *t)
{
	for (size_t i = 0; i < core.nnote; i++)
		if (core.note[i].task ? core.note[i].task == t->addr : t->pid && core.note[i].pid == (u32)t->pid)
			return &core.note[i];
	return NULL;
}

/* The task that crashed: the dump says so. */
struct task *panic_task(void)
{
	u64 ti;

	if (core.has_info && core.info.current_task)
		return task_by_addr(core.info.current_task);
	ti = live || !global_addr("panicking") ? 0 : global("panicking");
	return ti && is_kernel_address(ti) ? task_by_addr(FIELD(ti, thread_info, task)) : NULL;
}

const char *task_state(const struct task *t)
{
	if (t->exit_state & EXIT_ZOMBIE)
		return "ZO";
	if (t->exit_state & EXIT_DEAD)
		return "DE";
	if (t->state & TASK_TRACED)
		return "TR";
	if (t->state & TASK_STOPPED)
		return "ST";
	if (t->state & TASK_UNINTERRUPTIBLE)
		return "UN";
	if (t->state & TASK_INTERRUPTIBLE)
		return "IN";
	/* kernel threads wait for the monitor's doorbells without a task state */
	if (t->ti && is_kernel_address(t->ti) && HAS_FIELD(thread_info, sleep_bp) &&
	    FIELD(t->ti, thread_info, sleep_bp))
		return "IN";
	return "RU";
}

char task_state_letter(const struct task *t)
{
	static const char names[] = "RUINUNSTTRZODE", letters[] = "RSDTtZX";

	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if (!memcmp(names + 2 * i, task_state(t), 2))
			return letters[i];
	return '?';
}

struct task *task_arg(const char *arg)
{
	char *stop;
	u64 n = strtoull(arg, &stop, 10);
	struct task *t = NULL;

	if (*arg && !*stop)
		t = task_by_pid((s64)n);
	if (!t && *arg) {
		n = strtoull(arg, &stop, 16);
		if (!*stop)
			t = task_by_addr(n);
	}
	if (!t)
		complain("there is no task %s; \"ps\" lists them", arg);
	return t;
}

void task_header(const struct task *t)
{
	text("PID: %-6lld  TASK: %llx  COMMAND: \"%s\"\n", (long long)t->pid, (unsigned long long)t->addr, t->comm);
}

void task_members(const struct task *t)
{
	f_int("pid", NULL, t->pid);
	f_int("tgid", NULL, t->tgid);
	f_hex("task", NULL, t->addr);
	f_str("comm", NULL, t->comm);
	f_str("state", NULL, task_state(t));
}
