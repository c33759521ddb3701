// SPDX-License-Identifier: Apache-2.0
// The two tables of husk top: rates between two samples, order, lines of text.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "top.h"
#include "view.h"

const char *const sort_names[NSORTS] = {"CPU", "calls", "faults", "I/O", "memory", "tasks", "name", "pid"};

/* Per second; a counter that went back (a thread is gone, or the kernel lies) counts as none. */
static double rate(uint64_t now, uint64_t before, double seconds)
{
	return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static double seconds_between(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) / 1e9 : 0;
}

static void fill_sandbox(struct row *r, struct view *w)
{
	const struct hostif_stats *a = &w->before, *b = &w->now;
	double s = seconds_between(b->time, a->time);

	r->view = w;
	snprintf(r->name, sizeof(r->name), "%s", w->entry.name);
	snprintf(r->command, sizeof(r->command), "%s", *w->note ? w->note : w->command);
	r->pid = w->entry.pid;
	r->uid = w->entry.uid;
	r->known = w->known;
	r->threads = b->threads;
	r->cpu = 100 * rate(b->cpu, a->cpu, s) / 1e9;
	r->calls = rate(b->syscalls, a->syscalls, s);
	r->faults = rate(b->min_flt + b->maj_flt, a->min_flt + a->maj_flt, s);
	r->switches = rate(b->nvcsw + b->nivcsw, a->nvcsw + a->nivcsw, s);
	r->reads = rate(b->rchar, a->rchar, s);
	r->writes = rate(b->wchar, a->wchar, s);
	r->mem = w->ram_used;
	r->time = w->uptime;
}

size_t sandbox_rows(struct views *v, struct row **rows)
{
	*rows = calloc(v->n ? v->n : 1, sizeof(**rows));
	if (!*rows)
		return 0;
	for (size_t i = 0; i < v->n; i++)
		fill_sandbox(&(*rows)[i], v->view[i]);
	return v->n;
}

static const struct hostif_task *find_before(const struct task_list *l, const struct hostif_task *t)
{
	return l->n ? bsearch(t, l->task, l->n, sizeof(*t), task_order) : NULL;
}

/* Names come from the guest. */
static void clean(char *out, size_t n, const char *in, size_t in_n)
{
	size_t i;

	for (i = 0; i < in_n && i + 1 < n && in[i]; i++)
		out[i] = in[i] < 32 || in[i] > 126 ? '?' : in[i];
	out[i] = 0;
}

static void fill_task(struct row *r, struct view *w, const struct hostif_task *t)
{
	static const struct hostif_task none;
	const struct hostif_task *b = find_before(&w->tasks_before, t) ?: &none;
	double s = seconds_between(w->tasks.time, b->pid ? w->tasks_before.time : t->start);

	r->view = w;
	r->known = true;
	clean(r->name, sizeof(r->name), t->comm, sizeof(t->comm));
	snprintf(r->command, sizeof(r->command), "%s", r->name);
	r->pid = t->pid;
	r->ppid = t->ppid;
	r->uid = t->uid;
	r->threads = 1;
	r->state = t->state > 32 && t->state < 127 ? t->state : '?';
	r->cpu = 100 * rate(t->utime + t->stime, b->utime + b->stime, s) / 1e9;
	r->calls = rate(t->syscalls, b->syscalls, s);
	r->faults = rate(t->min_flt + t->maj_flt, b->min_flt + b->maj_flt, s);
	r->switches = rate(t->nvcsw + t->nivcsw, b->nvcsw + b->nivcsw, s);
	r->reads = rate(t->rchar, b->rchar, s);
	r->writes = rate(t->wchar, b->wchar, s);
	r->mem = t->rss;
	r->time = t->utime + t->stime;
}

/* A thread's share into its process's row, which the leader began. */
static void add_thread(struct row *r, const struct row *t)
{
	r->threads++;
	r->cpu += t->cpu;
	r->calls += t->calls;
	r->faults += t->faults;
	r->switches += t->switches;
	r->reads += t->reads;
	r->writes += t->writes;
	r->time += t->time;
	if (t->state == 'R' || (t->state == 'D' && r->state != 'R') || r->state == 'Z')
		r->state = t->state;
	r->mem = r->mem ?: t->mem;
}

static int rows_by_pid(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

size_t task_rows(struct view *w, bool threads, bool kernel, struct row **rows)
{
	struct task_list *l = &w->tasks;
	struct row key, *leader;
	size_t n = 0, leaders;

	*rows = calloc(l->n ? l->n : 1, sizeof(**rows));
	if (!*rows)
		return 0;
	for (uint32_t i = 0; i < l->n; i++)
		if ((threads || l->task[i].pid == l->task[i].tgid) &&
		    (kernel || !(l->task[i].flags & HOSTIF_TASK_KTHREAD)))
			fill_task(&(*rows)[n++], w, &l->task[i]);
	leaders = n;
	for (uint32_t i = 0; i < l->n && !threads; i++) {
		struct row one = {0};

		if (l->task[i].pid == l->task[i].tgid)
			continue;
		key.pid = l->task[i].tgid;
		leader = bsearch(&key, *rows, leaders, sizeof(key), rows_by_pid);
		fill_task(&one, w, &l->task[i]);
		if (leader)
			add_thread(leader, &one);
	}
	return n;
}

static enum row_sort sort_by;
static bool sort_reverse;

static double weight(const struct row *r)
{
	switch (sort_by) {
	case SORT_CPU:
		return r->cpu;
	case SORT_CALLS:
		return r->calls;
	case SORT_FAULTS:
		return r->faults;
	case SORT_IO:
		return r->reads + r->writes;
	case SORT_MEM:
		return r->mem;
	case SORT_TASKS:
		return r->threads;
	default:
		return 0;
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double p = weight(x), q = weight(y);
	int c = (p < q) - (p > q);

	if (sort_by == SORT_NAME)
		c = strcmp(x->name, y->name);
	if (!c)
		c = (x->pid > y->pid) - (x->pid < y->pid);
	return sort_reverse ? -c : c;
}

void sort_rows(struct row *rows, size_t n, enum row_sort by, bool reverse)
{
	sort_by = by;
	sort_reverse = reverse;
	if (n)
		qsort(rows, n, sizeof(*rows), compare_rows);
}

/* 7, 1234, 56.7k, 8.9M: at most five characters */
static const char *count(char out[16], double v)
{
	static const char units[] = "kMGT";
	int u = -1;

	while (v >= 9999.5 && u < 3) {
		v /= 1000;
		u++;
	}
	if (u < 0)
		snprintf(out, 16, "%.0f", v);
	else
		snprintf(out, 16, v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
	return out;
}

static const char *bytes(char out[16], double v)
{
	if (v < 512)
		snprintf(out, 16, v < 1 ? "0" : "<1K");
	else
		format_size(out, 16, (uint64_t)v);
	return out;
}

static const char *percent(char out[16], double v)
{
	snprintf(out, 16, v < 99.95 ? "%.1f" : "%.0f", v > 99999 ? 99999 : v);
	return out;
}

void sandbox_header(char *out, size_t n)
{
	snprintf(out, n, "%-16s %7s %8s %5s %5s %7s %7s %7s %6s %6s %6s %s", "NAME", "PID", "UPTIME", "TASKS", "CPU%",
		 "CALLS/s", "FAULT/s", "SWTCH/s", "READ/s", "WRIT/s", "MEM", "COMMAND");
}

void sandbox_line(const struct row *r, char *out, size_t n)
{
	char up[32], mem[16], cpu[16], calls[16], faults[16], switches[16], rd[16], wr[16];

	format_time(up, sizeof(up), r->time);
	format_size(mem, sizeof(mem), r->mem);
	if (r->known)
		snprintf(out, n, "%-16.24s %7u %8s %5u %5s %7s %7s %7s %6s %6s %6s %s", r->name, r->pid, up, r->threads,
			 percent(cpu, r->cpu), count(calls, r->calls), count(faults, r->faults),
			 count(switches, r->switches), bytes(rd, r->reads), bytes(wr, r->writes), mem, r->command);
	else
		snprintf(out, n, "%-16.24s %7u %8s %5s %5s %7s %7s %7s %6s %6s %6s %s", r->name, r->pid,
			 r->time ? up : "-", "-", "-", "-", "-", "-", "-", "-", r->mem ? mem : "-", r->command);
}

void task_header(char *out, size_t n)
{
	snprintf(out, n, "%7s %7s %6s %s %4s %5s %7s %7s %7s %6s %6s %6s %9s %s", "PID", "PPID", "UID", "S", "THR",
		 "CPU%", "CALLS/s", "FAULT/s", "SWTCH/s", "READ/s", "WRIT/s", "RSS", "TIME", "COMMAND");
}

void task_line(const struct row *r, char *out, size_t n)
{
	char mem[16], cpu[16], calls[16], faults[16], switches[16], rd[16], wr[16], time[32];
	unsigned long long cs = r->time / 10000000;

	snprintf(time, sizeof(time), "%llu:%02llu.%02llu", cs / 6000, cs / 100 % 60, cs % 100);
	format_size(mem, sizeof(mem), r->mem);
	snprintf(out, n, "%7u %7u %6u %c %4u %5s %7s %7s %7s %6s %6s %6s %9s %s", r->pid, r->ppid, r->uid, r->state,
		 r->threads, percent(cpu, r->cpu), count(calls, r->calls), count(faults, r->faults),
		 count(switches, r->switches), bytes(rd, r->reads), bytes(wr, r->writes), mem, time, r->name);
}

void view_summary(const struct view *w, char *out, size_t n)
{
	char total[16], free[16], cached[16], anon[16], used[16];

	format_size(total, sizeof(total), w->now.mem_total);
	format_size(free, sizeof(free), w->now.mem_free);
	format_size(cached, sizeof(cached), w->now.mem_cached);
	format_size(anon, sizeof(anon), w->now.mem_anon);
	format_size(used, sizeof(used), w->ram_used);
	snprintf(out, n,
		 "%s: %u tasks, %u running, %u blocked, %u zombies; memory %s, %s free, %s cache, %s anonymous; %s of "
		 "the host's",
		 w->entry.name, w->now.threads, w->now.running, w->now.blocked, w->now.zombies, total, free, cached,
		 anon, used);
}
