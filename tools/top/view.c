// SPDX-License-Identifier: Apache-2.0
// Samples of running sandboxes: counters over the control socket, the list of tasks from RAM.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "top.h"
#include "view.h"

#define PATIENCE_MS 700
#define READ_TRIES 20

static void close_view(struct view *w)
{
	client_close(&w->c);
	if (w->ram >= 0)
		close(w->ram);
	w->ram = -1;
}

static void free_view(struct view *w)
{
	close_view(w);
	free(w->tasks.task);
	free(w->tasks_before.task);
	free(w);
}

void views_free(struct views *v)
{
	for (size_t i = 0; i < v->n; i++)
		free_view(v->view[i]);
	free(v->view);
	*v = (struct views){0};
}

static bool same_sandbox(const struct client_entry *a, const struct client_entry *b)
{
	/* one that is stopped has no pid just now */
	return a->uid == b->uid && !strcmp(a->name, b->name) && (!a->pid || !b->pid || a->pid == b->pid);
}

struct view *views_find(struct views *v, const struct client_entry *entry)
{
	for (size_t i = 0; i < v->n; i++)
		if (same_sandbox(&v->view[i]->entry, entry))
			return v->view[i];
	return NULL;
}

static struct view *add_view(struct views *v, const struct client_entry *entry)
{
	struct view **more = realloc(v->view, (v->n + 1) * sizeof(*more)), *w;

	if (!more)
		return NULL;
	v->view = more;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->c.fd = w->ram = -1;
	w->entry = *entry;
	return v->view[v->n++] = w;
}

static void drop_unseen(struct views *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (v->view[i]->seen)
			v->view[kept++] = v->view[i];
		else
			free_view(v->view[i]);
	}
	v->n = kept;
}

/* Both requests at once; the answers are taken after all sandboxes were asked. */
static void ask(struct view *w)
{
	struct client_error e;

	w->asked = w->answered = w->fresh = false;
	*w->note = 0;
	if (w->c.fd < 0 && client_open(&w->entry, &w->c, &e)) {
		snprintf(w->note, sizeof(w->note), "%.150s", e.text);
		return;
	}
	w->entry.pid = w->c.pid ?: w->entry.pid;
	w->c.patience_ms = PATIENCE_MS;
	w->asked =
		!client_send(&w->c, "{\"cmd\":\"info\"}", &e) &&
		!client_send(&w->c, w->want_tasks ? "{\"cmd\":\"stats\",\"tasks\":true}" : "{\"cmd\":\"stats\"}", &e);
}

static void take_info(struct view *w, struct json_object *o)
{
	format_argv(w->command, sizeof(w->command), o);
	snprintf(w->state, sizeof(w->state), "%s", client_string(o, "state"));
	w->uptime = client_number(o, "uptime_ns");
	w->ram_used = client_number(o, "ram_used");
	w->ram_size = client_number(o, "ram_size");
	w->boot_size = client_number(o, "boot_size");
}

static void take_stats(struct view *w, struct json_object *o)
{
	struct hostif_stats s = {
		.time = client_number(o, "time_ns"),
		.processes = client_number(o, "processes"),
		.threads = client_number(o, "tasks"),
		.running = client_number(o, "running"),
		.blocked = client_number(o, "blocked"),
		.zombies = client_number(o, "zombies"),
		.cpu = client_number(o, "cpu_ns"),
		.syscalls = client_number(o, "syscalls"),
		.min_flt = client_number(o, "faults"),
		.maj_flt = client_number(o, "major_faults"),
		.nvcsw = client_number(o, "switches"),
		.nivcsw = client_number(o, "involuntary_switches"),
		.forks = client_number(o, "forks"),
		.rchar = client_number(o, "read_chars"),
		.wchar = client_number(o, "write_chars"),
		.mem_total = client_number(o, "mem_total"),
		.mem_free = client_number(o, "mem_free"),
		.mem_cached = client_number(o, "mem_cached"),
		.mem_anon = client_number(o, "mem_anon"),
	};

	w->known = client_bool(o, "known");
	w->fresh = w->known && client_bool(o, "fresh");
	if (!w->fresh)
		return;
	w->before = w->now;
	if (!w->before.time) /* the first sample: since the start */
		w->before.time = s.time > w->uptime ? s.time - w->uptime : 0;
	w->now = s;
}

/* One that said nothing in time is asked on a new connection next time: a late answer must not be taken for the next one. */
static void hear(struct view *w)
{
	struct client_answer a;
	struct client_error e;

	if (!w->asked || client_receive(&w->c, &a, &e)) {
		if (w->asked)
			snprintf(w->note, sizeof(w->note), "%.150s", e.text);
		client_close(&w->c);
		return;
	}
	take_info(w, a.object);
	client_answer_free(&a);
	w->answered = !client_receive(&w->c, &a, &e);
	if (!w->answered) {
		snprintf(w->note, sizeof(w->note), "%.150s", e.text);
		client_close(&w->c);
		return;
	}
	take_stats(w, a.object);
	client_answer_free(&a);
	if (!w->fresh)
		snprintf(w->note, sizeof(w->note), "the sandbox's kernel does not answer (%s)", w->state);
}

static bool read_ram(struct view *w, void *out, size_t n, uint64_t at)
{
	return n <= w->ram_size && at <= w->ram_size - n && pread(w->ram, out, n, at) == (ssize_t)n;
}

static int open_ram(struct view *w)
{
	struct client_answer a;
	struct client_error e;

	if (w->ram >= 0)
		return 0;
	if (w->boot_size != sizeof(struct hostif_boot)) {
		snprintf(w->note, sizeof(w->note), "no list of tasks: the sandbox runs another version of husk");
		return -1;
	}
	if (client_call(&w->c, "{\"cmd\":\"ram\"}", &a, NULL, NULL, &e)) {
		snprintf(w->note, sizeof(w->note), "no list of tasks: %.130s", e.text);
		return -1;
	}
	if (a.nfds) {
		w->ram = a.fd[0];
		a.fd[0] = -1;
	}
	client_answer_free(&a);
	return w->ram < 0 ? -1 : 0;
}

/* The table as it was at one moment: the kernel may be writing, or be hostile. 0, -1: not this time. */
static int read_tasks(struct view *w, struct task_list *l)
{
	const uint64_t at = offsetof(struct hostif_boot, stats);
	struct hostif_stats s, again;
	size_t size;

	for (int i = 0; i < READ_TRIES; i++) {
		if (!read_ram(w, &s, sizeof(s), at) || s.ntasks > HOSTIF_MAX_TASKS)
			return -1;
		size = s.ntasks * sizeof(*l->task);
		l->task = realloc(l->task, size ?: 1);
		if (!l->task)
			return -1;
		if (!(s.seq & 1) && read_ram(w, l->task, size, s.tasks_phys) &&
		    read_ram(w, &again, sizeof(again), at) && again.seq == s.seq) {
			l->n = s.ntasks;
			l->more = s.more_tasks;
			l->time = s.time;
			return 0;
		}
		usleep(500);
	}
	return -1;
}

int task_order(const void *a, const void *b)
{
	const struct hostif_task *x = a, *y = b;

	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) : (x->start > y->start) - (x->start < y->start);
}

static void sample_tasks(struct view *w)
{
	struct task_list old = w->tasks_before;

	if (!w->want_tasks || !w->fresh || open_ram(w))
		return;
	w->tasks_before = w->tasks;
	w->tasks = old; /* its memory is used again */
	w->tasks.n = 0;
	if (read_tasks(w, &w->tasks)) {
		w->tasks.n = 0;
		snprintf(w->note, sizeof(w->note), "the list of tasks cannot be read");
	}
	if (w->tasks.n)
		qsort(w->tasks.task, w->tasks.n, sizeof(*w->tasks.task), task_order);
}

static void sample_all(struct views *v)
{
	for (size_t i = 0; i < v->n; i++) {
		v->view[i]->want_tasks |= v->all_tasks;
		ask(v->view[i]);
	}
	for (size_t i = 0; i < v->n; i++) {
		hear(v->view[i]);
		sample_tasks(v->view[i]);
	}
}

int views_update(struct views *v, bool all, const struct client_entry *only, size_t nonly, struct client_error *e)
{
	struct client_entry *list;
	size_t n;

	if (client_list(all, &list, &n, e))
		return -1;
	for (size_t i = 0; i < v->n; i++)
		v->view[i]->seen = false;
	for (size_t i = 0; i < n; i++) {
		struct view *w;
		bool wanted = !nonly;

		for (size_t k = 0; k < nonly; k++)
			wanted |= same_sandbox(&list[i], &only[k]);
		if (!wanted)
			continue;
		w = views_find(v, &list[i]) ?: add_view(v, &list[i]);
		if (w)
			w->seen = true;
	}
	free(list);
	drop_unseen(v);
	sample_all(v);
	return 0;
}

int view_kill(struct view *w, int pid, int sig, struct client_error *e)
{
	struct client_answer a;
	char request[96];

	if (w->c.fd < 0) {
		snprintf(e->text, sizeof(e->text), "the sandbox does not answer");
		return -1;
	}
	snprintf(request, sizeof(request), "{\"cmd\":\"kill\",\"pid\":%d,\"sig\":%d}", pid, sig);
	if (client_call(&w->c, request, &a, NULL, NULL, e))
		return -1;
	client_answer_free(&a);
	return 0;
}
