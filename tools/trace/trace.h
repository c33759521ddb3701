/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of husk-trace: the session with a sandbox, its options, what is printed. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <hostif/hostif.h>
#include <hostif/trace.h>
#include "decode.h"

#define EXIT_TRACE 125 /* husk trace's own errors */

/* trouble: a line on stderr, "husk trace: ..." */
void trouble(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void *xrealloc(void *p, size_t n);
uint64_t now_ns(void);

/* ---- session.c: the sandbox's RAM, and the trace switched on and off ---- */

/**
 * struct session - what is traced
 * @ram: all of it, mapped. @dir: checked to lie in it. @child: the husk run that we started, 0 when attached. @over: it has ended
 */
struct session {
	uint8_t *ram;
	uint64_t ram_size;
	struct hostif_trace *dir;
	pid_t child;
	int status; /* of child, once over */
	bool over;
	bool on;
	int control; /* attached: a connection to the sandbox's monitor, closed by its end; -1 */
};

struct options;
void session_start(struct session *s, const struct options *o, char **run_args, char **program);
void session_attach(struct session *s, const struct options *o, const char *sandbox);
void session_detach(struct session *s);
bool session_alive(struct session *s); /* looks; sets over */
/* a physical range as a pointer, or NULL where it is not in RAM */
void *session_ptr(struct session *s, uint64_t phys, uint64_t len);

/* ---- reader.c: the rings, merged by time ---- */

struct reader;
struct reader *reader_new(struct session *s);
/**
 * reader_sweep - hand all records that are there, and that nothing older can come before, to fn
 * @last: the sandbox has ended, nothing more will come. Return: how many records
 * A record is copied and its size checked before fn sees it; its blobs are not checked.
 */
typedef void record_fn(const struct hostif_trace_rec *r, void *arg);
uint64_t reader_sweep(struct reader *r, bool last, record_fn *fn, void *arg);
void reader_wait(struct reader *r, unsigned ms); /* until a ring fills, or so long */
uint64_t reader_lost(
	const struct reader *r); /* records that the kernel had no ring for, and bytes that made no sense, as records */
uint64_t reader_bad(const struct reader *r); /* times that a ring made no sense and was skipped to its head */

/* ---- options.c ---- */

enum time_format { TIME_NONE, TIME_DAY, TIME_DAY_US, TIME_DAY_NS, TIME_EPOCH, TIME_EPOCH_US, TIME_EPOCH_NS };
struct path_set {
	char **path;
	size_t n;
};
/**
 * struct options - the command line
 * @calls: -e trace=. @statuses: -e status=, bit n: STATUS_*. @signals: bit n: signal n is shown. @paths: -P
 */
struct options {
	struct decode_options decode;
	bool calls[HOSTIF_TRACE_NR];
	unsigned statuses;
	uint64_t signals;
	struct path_set paths;
	int32_t pids[HOSTIF_TRACE_PIDS];
	unsigned npids;
	struct hostif_trace_rule rules[HOSTIF_TRACE_RULES];
	unsigned nrules;
	enum time_format time;
	bool relative_time, durations, instruction, numbers, stacks, json, dump, no_wait, append;
	bool quiet, quiet_exit, quiet_superseded; /* tasks that are attached, their ends, their ends by execve */
	unsigned duration_digits;
	int summary; /* 0, 'c' only, 'C' as well */
	bool histogram;
	const char *summary_sort, *output;
	unsigned column;   /* -a */
	unsigned separate; /* 2 or more: -ff */
	const char *root;  /* --root, or NULL */
	char **run_args;   /* options of husk run */
	size_t nrun_args;
};
#define STATUS_SUCCESSFUL 1u
#define STATUS_FAILED 2u
#define STATUS_UNFINISHED 4u
#define STATUS_UNAVAILABLE 8u
#define STATUS_DETACHED 16u
#define STATUS_ALL 31u

void options_add_pids(struct options *o, const char *list);
char **options_parse(struct options *o, int argc, char **argv, bool *program);

/* filter.c: SET of strace: names, %classes, /regex, ?name, !; "all", "none". 0, or -1 with the reason in msg. */
int filter_calls(const char *set, bool *calls, char *msg, size_t n);
int filter_status(const char *set, unsigned *statuses, char *msg, size_t n);
int filter_signals(const char *set, uint64_t *signals, char *msg, size_t n);
int filter_signal_number(const char *name); /* -1: no such signal */
/* inject.c: SET[:error=E][:retval=V][:signal=S][:delay_enter=T][:delay_exit=T][:when=W] */
int inject_parse(const char *arg, bool fault, struct hostif_trace_rule *rule, char *msg, size_t n);

/* dump.c: records as numbers, for who debugs the trace */
void dump_record(FILE *f, const struct hostif_trace_rec *r);

#endif
