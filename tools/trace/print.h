/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of records: lines as strace prints them, JSON objects, counts. */
#ifndef TRACE_PRINT_H
#define TRACE_PRINT_H

#include "trace.h"

struct out;					     /* output.c: a buffered file */
struct out *out_open(const char *name, bool append); /* NULL: standard error; "|COMMAND": a pipe */
struct text *out_text(struct out *o);		     /* what is to be written next; append to it */
uint64_t out_position(struct out *o);		     /* bytes ever appended */
void out_check(struct out *o);			     /* after appending: written when there is much of it */
void out_flush(struct out *o);
bool out_failed(const struct out *o);
void out_close(struct out *o); /* waits for a pipe's command */

/**
 * struct task - a task of the sandbox
 * @enter: its ENTER record while @in_call. @announced: its beginning is printed. @hidden: a filter of paths passed it over
 */
struct task {
	int tid, tgid;
	struct task *next;
	char comm[17];
	bool in_call, announced, hidden;
	int restarts; /* 1 + the call that restart_syscall would go on with */
	struct hostif_trace_rec *enter;
	size_t room;
	struct out *out;
	char number[16]; /* before each of its lines in a file */
	unsigned number_length;
	uint64_t line; /* position in its output where its line begins, while it is the open one */
};

/* A call put together; blobs point into the records. */
struct whole_call {
	struct call call;
	struct call_blob blob[512];
};
void call_build(struct whole_call *w, const struct hostif_trace_rec *enter, const struct hostif_trace_rec *exit);

struct printer;
struct printer *printer_new(const struct options *o, struct out *out, bool attached);
void printer_record(const struct hostif_trace_rec *r, void *printer); /* a record_fn */
void printer_idle(struct printer *p); /* nothing more for now: what there is becomes visible */
void printer_end(struct printer *p);  /* summary, files */
uint64_t printer_lost(const struct printer *p);

/* fast.c */
bool fast_possible(const struct options *o);
bool fast_call(struct out *out, uint64_t start, const struct hostif_trace_rec *r, const struct options *o);

/* summary.c */
struct summary;
struct summary *summary_new(void);
void summary_count(struct summary *s, int nr, int64_t ret, uint64_t ns);
void summary_print(struct summary *s, struct text *t, const struct options *o);

/* json.c: one object, with its newline */
void json_call(struct text *t, const struct task *task, const struct call *c, const struct options *o,
	       uint64_t realtime);
void json_event(struct text *t, const struct task *task, const struct hostif_trace_rec *r, const struct options *o,
		uint64_t realtime);

void stack_init(const char *guest_root); /* where the guest's files are here; NULL: as they are named */
/* stack.c: lines " > file(symbol+0x12) [0x7f..]" of a record's stacks */
void stack_print(struct text *t, const struct call *c);

static inline bool call_failed(const struct hostif_trace_rec *exit)
{
	return exit->ret < 0 && exit->ret >= -4095;
}

#endif
