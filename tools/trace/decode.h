/* SPDX-License-Identifier: Apache-2.0 */
/* From a call's record to the text that strace would print: what the decoders of tools/trace offer and what they are given. */
#ifndef TRACE_DECODE_H
#define TRACE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <hostif/trace.h>

/**
 * struct call - one system call of one task, put together from its ENTER and EXIT records
 * @enter, @exit: checked copies; NULL while not there. @nblobs etc.: their blobs, enter's first
 */
struct call {
	int nr;
	const struct hostif_trace_rec *enter, *exit;
	struct call_blob {
		const struct hostif_trace_blob *head;
		const uint8_t *data;
		bool at_exit;
	} * blob;
	unsigned nblobs;
	int restarts; /* of restart_syscall: 1 + the number of the call that it goes on with; 0: not known */
};

struct decode_options {
	unsigned string_limit;	      /* -s; 32 by default */
	bool fd_paths;		      /* -y */
	bool verbose;		      /* -v: structures in full */
	bool raw;		      /* -X raw: flags as numbers */
	int hex_strings;	      /* 1: -x, strings that are not text; 2: -xx, all */
	bool decode_pids;	      /* -Y */
	const char *(*comm)(int pid); /* -Y: a task's name, or NULL */
};

/* A text that grows. */
struct text {
	char *s;
	size_t n, room;
};
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_reset(struct text *t);
void text_grow(struct text *t, size_t more); /* room for that many more; ends the program where memory does */
void text_mem(struct text *t, const char *s, size_t n);
void text_str(struct text *t, const char *s);
void text_char(struct text *t, char c);
void text_dec(struct text *t, int64_t v);
void text_udec(struct text *t, uint64_t v);
void text_hex(struct text *t, uint64_t v); /* 0x7f.. */
/* text_plain: names that the guest chose, with what a terminal might act upon escaped */
void text_plain(struct text *t, const char *s, size_t n);
/* text_quoted: in double quotes, with strace's escapes */
void text_quoted(struct text *t, const void *s, size_t n, const struct decode_options *o);

/* decode_name: "read"; "syscall_0x1f4" for a number without a name */
const char *decode_name(int nr);
int decode_number(const char *name); /* -1: no such call */
/* decode_class: is the call in strace's class (file, process, network, ipc, desc, memory, signal, creds, clock, pure, stat, lstat, fstat, statfs...)? -1: no such class */
int decode_class(const char *cls, int nr);

/*
 * decode_enter: "read(3, " and so on: what strace prints before the call returns (an unfinished call is cut there).
 * decode_exit: the rest of the arguments. decode_result: " = 5", " = -1 ENOENT (No such file or directory)", " = 0x7f.. ", "= ?".
 * All three append. A call as a whole is enter + exit + ")" + padding + result; the printer adds time and duration.
 */
void decode_enter(struct text *t, const struct call *c, const struct decode_options *o);
void decode_exit(struct text *t, const struct call *c, const struct decode_options *o);
void decode_result(struct text *t, const struct call *c, const struct decode_options *o);
/* decode_signal: "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, ...}" as between strace's "--- " and " ---" */
void decode_signal(struct text *t, const struct hostif_trace_rec *r, const struct decode_options *o);
const char *decode_errno(int err);	 /* "ENOENT" */
const char *decode_signal_name(int sig); /* "SIGCHLD", "SIGRT_3" */

/* For decoders: memory of the call at a user address, as captured at enter or exit; NULL if it was not, or not len bytes of it. */
const void *call_mem(const struct call *c, uint64_t addr, size_t len, bool at_exit);
/* the captured string at addr: its length without NUL, -1 if not there; *cut when it went on */
long call_str(const struct call *c, uint64_t addr, bool at_exit, const char **s, bool *cut);

#endif
