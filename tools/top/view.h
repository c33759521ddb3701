/* SPDX-License-Identifier: Apache-2.0 */
/* What husk top knows of running sandboxes: two samples of each, and rows with the rates between them. */
#ifndef TOOLS_VIEW_H
#define TOOLS_VIEW_H

#include <hostif/hostif.h>
#include "../client/client.h"

/* A list of tasks as it was read from RAM. */
struct task_list {
	struct hostif_task *task;
	uint32_t n, more;
	uint64_t time;
};

/**
 * struct view - one sandbox
 * @now, @before: counters of the last two samples; before is all zero but its time at first, so that rates are since the start
 * @fresh: the kernel made @now for this sample. @note: why there is no more to see, or ""
 * @want_tasks: read the list of tasks too
 */
struct view {
	struct client_entry entry;
	struct client c;
	int ram;
	uint64_t ram_size, boot_size;
	char command[256], state[16], note[160];
	uint64_t uptime, ram_used;
	bool asked, answered, known, fresh, seen, want_tasks;
	struct hostif_stats now, before;
	struct task_list tasks, tasks_before;
};

struct views {
	struct view **view;
	size_t n;
	bool all_tasks; /* the lists of tasks of all of them */
};

/* view_update: finds the sandboxes and takes a sample of each; with @only, of these. -1 with the reason. */
int views_update(struct views *v, bool all, const struct client_entry *only, size_t nonly, struct client_error *e);
void views_free(struct views *v);
int task_order(const void *a, const void *b); /* lists of tasks are sorted by pid, then start */
struct view *views_find(struct views *v, const struct client_entry *entry);
/* view_kill: a signal to a task of the sandbox */
int view_kill(struct view *w, int pid, int sig, struct client_error *e);

/* A line of either table. */
struct row {
	struct view *view;
	char name[64], command[256];
	uint32_t pid, ppid, uid, threads;
	char state;
	double cpu, calls, faults, switches, reads, writes; /* percent; per second; bytes per second */
	uint64_t mem, time;				    /* sandboxes: uptime; tasks: CPU time */
	bool known;
};
enum row_sort { SORT_CPU, SORT_CALLS, SORT_FAULTS, SORT_IO, SORT_MEM, SORT_TASKS, SORT_NAME, SORT_PID, NSORTS };
extern const char *const sort_names[NSORTS];

/* rows.c: an array for free(). Threads of a process are one row unless @threads; kernel threads only with @kernel. */
size_t sandbox_rows(struct views *v, struct row **rows);
size_t task_rows(struct view *w, bool threads, bool kernel, struct row **rows);
void sort_rows(struct row *rows, size_t n, enum row_sort by, bool reverse);
void sandbox_header(char *out, size_t n);
void sandbox_line(const struct row *r, char *out, size_t n);
void task_header(char *out, size_t n);
void task_line(const struct row *r, char *out, size_t n);
void view_summary(const struct view *w, char *out, size_t n);

#endif
