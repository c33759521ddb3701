/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of kernel/trace: rings, records, what the reader wants. */
#ifndef KERNEL_TRACE_INTERNAL_H
#define KERNEL_TRACE_INTERNAL_H

#include <husk/trace.h>
#include <hostif/trace.h>

#define TRACE_STACK_MAX 24

/**
 * struct trace_config - the kernel's own copy of what the reader wants, checked
 * Changed only while no task has TIF_TRACE; so are trace_calls.
 */
struct trace_config {
	u32 flags, string_limit, generation;
	u32 nrules;
	s64 wait_ns;
	struct hostif_trace_rule rule[HOSTIF_TRACE_RULES];
};
extern struct trace_config trace_config;
extern struct hostif_trace *trace_dir; /* NULL: the monitor gave no room for it */

/* One ring; on a list of its own when no task has it. */
struct trace_ring {
	struct hostif_trace_ring hdr; /* first, and aligned: the reader finds it by its address */
	u8 *data;
	unsigned order, slot;
	u64 lost_told; /* of hdr.lost, by TRACE_LOST records */
	struct trace_ring *next;
};

/**
 * struct trace_task - a traced task's own; touched by that task only
 * @head: what the ring's head will be. @tail: the reader's, as last looked at. @generation: of the trace that it was told about
 * @in_call: an ENTER record was written, and its EXIT is due; @nr, @args, @began, @tid: of it
 * @count: calls of each rule's set. @injected, @delay_exit: what the rules want of this call. @stack: where the call slept
 */
struct trace_task {
	struct trace_ring *ring;
	u64 head, tail;
	u32 generation;
	bool in_call;
	u8 injected;			 /* TRACE_F_INJECTED, TRACE_F_DELAYED */
	struct hostif_trace_rec *staged; /* ENTER record of in_call that nobody can see yet, */
	u32 staged_bytes;		 /* and its blobs */
	u16 nr;
	u64 args[6];
	u64 began;
	pid_t tid;
	u32 count[HOSTIF_TRACE_RULES];
	u64 delay_exit;
	u32 nstack;
	u64 stack[TRACE_STACK_MAX];
};

/* ring.c */
int trace_rings_init(void);
int trace_ring_get(struct trace_task *tt);
void trace_ring_put(struct trace_task *tt);
void trace_rings_free(void); /* those that no task has */
/* trace_rec_begin - room for a record, its head filled in but for size; NULL: there is none, and that is counted */
struct hostif_trace_rec *trace_rec_begin(struct trace_task *tt, unsigned type);
u32 trace_rec_room(struct trace_task *tt); /* bytes of blobs that a record may have */
void trace_rec_end(struct trace_task *tt, struct hostif_trace_rec *r, u32 blob_bytes);
/* trace_publish_staged - the call goes on for long, or something else is to be told: its beginning is a record of its own */
void trace_publish_staged(struct trace_task *tt);
/* trace_blob - appends one to r, whose blobs take *used bytes so far; what does not fit is left out */
void trace_blob(struct trace_task *tt, struct hostif_trace_rec *r, u32 *used, unsigned kind, u64 addr, const void *data,
		u32 len);

/* stack.c */
void trace_stacks(struct trace_task *tt, struct hostif_trace_rec *r, u32 *used, const struct pt_regs *regs);

/* inject.c: false: the call is not to be made, *ret is its result */
bool trace_inject_enter(struct trace_task *tt, unsigned nr, s64 *ret);
void trace_inject_exit(struct trace_task *tt);

/* trace.c: current's, made at need; NULL: nothing is to be traced */
struct trace_task *trace_current(void);

#endif
