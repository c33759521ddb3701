// SPDX-License-Identifier: Apache-2.0
// ps, set, runq, task, sig: tasks and what is in them.

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"
#include "print_type.h"

enum { PS_PLAIN, PS_PARENTS, PS_TIMES, PS_ARGS };

static u64 mm_pages(u64 mm)
{
	return FIELD(mm, mm_struct, rss_anon.counter) + FIELD(mm, mm_struct, rss_file.counter) +
	       FIELD(mm, mm_struct, rss_shmem.counter);
}

static bool runs(const struct task *t)
{
	return t->pid && !strcmp(task_state(t), "RU");
}

static void ps_line(const struct task *t)
{
	u64 rss = t->mm ? mm_pages(t->mm) : 0, vsz = t->mm ? FIELD(t->mm, mm_struct, total_vm) : 0;
	char comm[80];

	obj(NULL);
	text("%c", t == panic_task() || runs(t) ? '>' : t->lost ? '?' : ' ');
	f_int("pid", "%8lld", t->pid);
	f_int("tgid", NULL, t->tgid);
	f_int("ppid", "%8lld", t->ppid);
	f_hex("task", "  %12llx", t->addr);
	f_str("state", "  %2s", task_state(t));
	f_double("mem_percent", "  %4.1f", core.ram_size ? 100.0 * (double)rss * PAGE_SIZE / (double)core.ram_size : 0);
	f_uint("vsz_kb", "  %8llu", vsz * 4);
	f_uint("rss_kb", "  %7llu", rss * 4);
	f_bool("kernel", t->flags & PF_KTHREAD);
	f_bool("lost", t->lost);
	snprintf(comm, sizeof(comm), t->flags & PF_KTHREAD || !t->pid ? "[%s]" : "%s", t->comm);
	f_str("comm", out_json ? "" : "  %s\n", out_json ? t->comm : comm);
	end();
}

static void ps_parents(const struct task *t)
{
	const struct task *chain[64] = {t};
	int n = 0;

	for (; t && n < 64; t = task_by_addr(t->parent)) {
		chain[n++] = t;
		if (t->parent == t->addr)
			break;
	}
	obj(NULL);
	f_int("pid", NULL, chain[0]->pid);
	list("ancestors");
	for (int i = n; i--;) {
		text("%*s", n - 1 - i, "");
		task_header(chain[i]);
		obj(NULL);
		task_members(chain[i]);
		end();
	}
	end();
	end();
	text("\n");
}

static void ps_times(const struct task *t)
{
	obj(NULL);
	task_header(t);
	task_members(t);
	f_double("start", "    START: %.6f s after the start of the sandbox\n",
		 ((double)FIELD(t->addr, task_struct, start_time) -
		  (double)kread_u64(kernel_layout.direct_map + FIELD_OFFSET(hostif_boot, boot_monotonic_ns))) /
			 1e9);
	f_double("utime", "    UTIME: %.6f s\n", (double)FIELD(t->addr, task_struct, utime) / 1e9);
	f_double("stime", "    STIME: %.6f s\n", (double)FIELD(t->addr, task_struct, stime) / 1e9);
	f_uint("syscalls", "    SYSTEM CALLS: %llu\n\n", FIELD(t->addr, task_struct, syscalls));
	end();
}

/* Strings that follow each other in the program's memory: arguments and environment. */
static void strings_of(const struct task *t, const char *name, const char *head, u64 from, u64 to)
{
	size_t n = to > from && to - from < 1 << 20 ? to - from : 0;
	char *raw = calloc(n + 1, 1), *safe = malloc(4 * n + 8);

	if (!raw || !safe)
		abort();
	text("    %s:", head);
	list(name);
	if (n && uread(t->mm, from, raw, n) == READ_OK) {
		for (size_t i = 0; i < n; i += strlen(raw + i) + 1) {
			printable(safe, 4 * n + 8, raw + i, strlen(raw + i));
			f_str(NULL, " %s", safe);
		}
	} else {
		text(" (not in the dump)");
	}
	text("\n");
	end();
	free(raw);
	free(safe);
}

static void ps_args(const struct task *t)
{
	obj(NULL);
	task_header(t);
	task_members(t);
	if (t->mm) {
		strings_of(t, "arguments", "ARG", FIELD(t->mm, mm_struct, arg_start), FIELD(t->mm, mm_struct, arg_end));
		strings_of(t, "environment", "ENV", FIELD(t->mm, mm_struct, env_start),
			   FIELD(t->mm, mm_struct, env_end));
	}
	text("\n");
	end();
}

static bool named(const struct task *t, int argc, char **argv, bool *any)
{
	bool match = false;

	*any = false;
	for (int i = 1; i < argc; i++) {
		char *stop;
		u64 n;

		if (*argv[i] == '-')
			continue;
		*any = true;
		n = strtoull(argv[i], &stop, 10);
		match |= !*stop && (s64)n == t->pid;
		n = strtoull(argv[i], &stop, 16);
		match |= !*stop && n == t->addr;
		match |= !strcmp(argv[i], t->comm);
	}
	return match || !*any;
}

int cmd_ps(int argc, char **argv)
{
	bool kernel = false, user = false, leaders = false, any = false, found = false;
	int how = PS_PLAIN;

	for (int i = 1; i < argc; i++) {
		for (const char *c = argv[i] + 1; *argv[i] == '-' && *c; c++) {
			kernel |= *c == 'k';
			user |= *c == 'u';
			leaders |= *c == 'G';
			how = *c == 'p' ? PS_PARENTS : *c == 't' ? PS_TIMES : *c == 'a' ? PS_ARGS : how;
			if (!strchr("kuGpta", *c))
				return usage("ps");
		}
	}
	if (how == PS_PLAIN)
		text("      PID    PPID      TASK      ST  %%MEM       VSZ      RSS  COMM\n");
	list("tasks");
	for (size_t i = 0; i < ntasks && !interrupted; i++) {
		const struct task *t = &tasks[i];
		bool is_kernel = t->flags & PF_KTHREAD || !t->pid;

		if ((kernel && !is_kernel) || (user && is_kernel) || (leaders && !t->leader) ||
		    !named(t, argc, argv, &any))
			continue;
		found = true;
		if (how == PS_PARENTS)
			ps_parents(t);
		else if (how == PS_TIMES)
			ps_times(t);
		else if (how == PS_ARGS)
			ps_args(t);
		else
			ps_line(t);
	}
	end();
	if (!found && any)
		complain("no such task");
	return found || !any ? 0 : -1;
}

int cmd_set(int argc, char **argv)
{
	if (argc > 1) {
		struct task *t = task_arg(argv[1]);

		if (!t)
			return -1;
		current = t;
	}
	if (!current) {
		complain("there is no task");
		return -1;
	}
	text("    PID: %lld\nCOMMAND: \"%s\"\n   TASK: %llx  [THREAD_INFO: %llx]\n  STATE: %s%s\n",
	     (long long)current->pid, current->comm, (unsigned long long)current->addr, (unsigned long long)current->ti,
	     task_state(current), current == panic_task() ? " (the task that crashed)" : "");
	task_members(current);
	return 0;
}

int cmd_runq(int argc, char **argv)
{
	unsigned n = 0;

	text("The host schedules husk's tasks. These are not asleep:\n");
	list("tasks");
	for (size_t i = 0; i < ntasks; i++) {
		const struct task *t = &tasks[i];
		const struct core_note *note = task_note(t);

		if (!runs(t))
			continue;
		n++;
		text("  ");
		task_header(t);
		obj(NULL);
		task_members(t);
		f_bool("in_user", t->in_user);
		text("    %s", t->in_user ? "in user code" : "in the kernel");
		if (note && !t->in_user && is_kernel_text(note->regs.ip)) {
			char sym[MAX_NAME];

			f_str("at", " at %s", symbolise(note->regs.ip, sym, sizeof(sym)));
		}
		text("\n");
		end();
	}
	end();
	text("%s", n ? "" : "  none: every task sleeps\n");
	return 0;
}

/* ---- task ---- */

static int show_members(u64 addr, const char *type, char *names, bool hex)
{
	Dwarf_Die t;
	char *save = NULL;

	if (!type_named(type, &t))
		return -1;
	for (char *n = strtok_r(names, ",", &save); n; n = strtok_r(NULL, ",", &save)) {
		struct member m;

		if (!type_member(&t, n, &m)) {
			complain("%s has no member %s", type, n);
			return -1;
		}
		text("  %s = ", n);
		if (print_object(n, &m.type, addr + m.offset, &m, hex))
			return -1;
		text("\n");
	}
	return 0;
}

static int show_task(const struct task *t, const char *members, bool hex)
{
	Dwarf_Die type;
	int r = -1;

	task_header(t);
	obj(NULL);
	task_members(t);
	if (members) {
		char *copy = strdup(members);

		r = show_members(t->addr, "struct task_struct", copy, hex);
		free(copy);
	} else if (type_named("struct task_struct", &type)) {
		text("struct task_struct ");
		r = print_object("task_struct", &type, t->addr, NULL, hex);
		text("\n");
		if (t->ti && is_kernel_address(t->ti) && type_named("struct thread_info", &type)) {
			text("\nstruct thread_info ");
			r |= print_object("thread_info", &type, t->ti, NULL, hex);
			text("\n");
		}
	}
	end();
	return r;
}

int cmd_task(int argc, char **argv)
{
	const char *members = NULL;
	bool hex = false, any = false;
	int r = 0;

	list("tasks");
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-R") && i + 1 < argc)
			members = argv[++i];
		else if (!strcmp(argv[i], "-x"))
			hex = true;
		else if (*argv[i] == '-')
			return end(), usage("task");
	}
	for (int i = 1; i < argc && !r; i++) {
		struct task *t;

		if (!strcmp(argv[i], "-R"))
			i++;
		if (*argv[i] == '-' || (members && argv[i] == members))
			continue;
		t = task_arg(argv[i]);
		r = t ? show_task(t, members, hex) : -1;
		any = true;
	}
	if (!any && current)
		r = show_task(current, members, hex);
	end();
	return r;
}

/* ---- sig ---- */

static void signal_names(const char *name, const char *head, u64 set)
{
	text("%s: %016llx", head, (unsigned long long)set);
	list(name);
	for (int s = 1; s <= 64; s++)
		if (set >> (s - 1) & 1)
			f_str(NULL, s < 32 && sigabbrev_np(s) ? " SIG%s" : " SIG%s",
			      s < 32 && sigabbrev_np(s) ? sigabbrev_np(s) : "RT");
	end();
	text("\n");
}

static u64 sigset_at(u64 addr)
{
	return kread_u64(addr);
}

static void show_signals(const struct task *t)
{
	u64 sighand = FIELD(t->addr, task_struct, sighand);

	task_header(t);
	obj(NULL);
	task_members(t);
	signal_names("blocked", "   BLOCKED", sigset_at(FIELD_ADDR(t->addr, task_struct, blocked)));
	signal_names("pending", "   PENDING", sigset_at(FIELD_ADDR(t->addr, task_struct, pending.signal)));
	if (t->signal)
		signal_names("shared_pending", "    SHARED",
			     sigset_at(FIELD_ADDR(t->signal, signal_struct, shared_pending.signal)));
	text(" SIG    HANDLER           MASK              FLAGS\n");
	list("actions");
	for (u64 s = 1; sighand && s <= 64; s++) {
		u64 size = struct_size("struct k_sigaction"), a;
		u64 h;

		a = FIELD_ADDR(sighand, sighand_struct, action) + (s - 1) * size;
		h = FIELD(a, k_sigaction, handler);
		if (!h)
			continue;
		obj(NULL);
		f_uint("signal", " [%llu]", s);
		text("%s", s < 10 ? " " : "");
		if (h == 1)
			f_str("handler", "   %-16s", "SIG_IGN");
		else
			f_hex("handler", "   %-16llx", h);
		f_hex("mask", "  %016llx", sigset_at(FIELD_ADDR(a, k_sigaction, mask)));
		f_hex("flags", "  %llx\n", FIELD(a, k_sigaction, flags));
		end();
	}
	end();
	end();
}

int cmd_sig(int argc, char **argv)
{
	int r = 0;

	list("tasks");
	for (int i = 1; i < argc && !r; i++) {
		struct task *t = task_arg(argv[i]);

		if (t)
			show_signals(t);
		else
			r = -1;
	}
	if (argc == 1 && current)
		show_signals(current);
	end();
	return r;
}
