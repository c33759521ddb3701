// SPDX-License-Identifier: Apache-2.0
// Test tool: traces a native program with ptrace, makes the records that the kernel makes, prints them with the decoders of husk trace.
/*
 * usage: host-trace [-y] [-v] [-s N] -o PREFIX PROGRAM [ARG...]
 * Each task's lines go to PREFIX.TID, as those of strace -ff do, so that the two can be compared without a sandbox.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <husk/trace_capture.h>
#include "../../../tools/trace/decode.h"

#define MAX_TASKS 4096
#define ROOM (128 * 1024)
#define MAX_BLOBS 4096

struct task {
	int tid;
	bool in_call;
	FILE *out;
	int nr, restarts;
	struct hostif_trace_rec enter, exit;
	uint64_t *in; /* blobs */
	struct trace_capture cin;
	struct text line;
};

static struct task tasks[MAX_TASKS];
static struct decode_options opts = {.string_limit = 32};
static const char *prefix = "trace";
static int reading; /* whose memory */
static int alive;
static bool begun; /* the program's own execve was seen */

unsigned long trace_read_user(void *dst, uint64_t addr, unsigned long n)
{
	struct iovec here = {dst, n}, there = {(void *)addr, n};
	ssize_t r = process_vm_readv(reading, &here, 1, &there, 1, 0);

	return r < 0 ? 0 : r;
}

long trace_fd_path(int fd, char *dst, unsigned long n)
{
	char path[64];

	if (fd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd", reading);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", reading, fd);
	return readlink(path, dst, n);
}

static struct task *task_of(int tid, bool make)
{
	struct task *spare = NULL;
	char path[4096];

	for (struct task *t = tasks; t < tasks + MAX_TASKS; t++) {
		if (t->tid == tid)
			return t;
		if (!t->tid && !spare)
			spare = t;
	}
	if (!make || !spare)
		return NULL;
	spare->tid = tid;
	spare->in_call = false;
	if (!spare->in)
		spare->in = malloc(ROOM);
	snprintf(path, sizeof(path), "%s.%d", prefix, tid);
	spare->out = fopen(path, "ae");
	if (!spare->out || !spare->in) {
		perror(path);
		exit(1);
	}
	alive++;
	return spare;
}

/* The blobs of a record, for the decoders. */
static unsigned blobs_of(const void *buf, const struct trace_capture *c, bool exit, struct call_blob *b, unsigned n)
{
	const uint8_t *at = buf, *end = at + c->used;

	for (unsigned i = 0; i < c->nblobs && n < MAX_BLOBS && at < end; i++, n++) {
		b[n].head = (const void *)at;
		b[n].data = at + sizeof(*b[n].head);
		b[n].at_exit = exit;
		at += sizeof(*b[n].head) + ((b[n].head->len + 7) & ~7u);
	}
	return n;
}

static void capture(struct task *t, struct trace_capture *c, void *buf, uint64_t sp, bool exit)
{
	*c = (struct trace_capture){.buf = buf,
				    .room = ROOM,
				    .limit = opts.string_limit,
				    .fd_paths = opts.fd_paths,
				    .verbose = opts.verbose,
				    .sp = sp};
	reading = t->tid;
	trace_capture(c, t->nr, t->enter.args, t->exit.ret, exit);
}

static void entered(struct task *t, const struct __ptrace_syscall_info *s)
{
	begun |= s->entry.nr == SYS_execve;
	if (!begun)
		return;
	t->in_call = true;
	t->nr = s->entry.nr;
	t->enter = (struct hostif_trace_rec){.type = TRACE_ENTER, .nr = t->nr, .tid = t->tid};
	for (int i = 0; i < 6; i++)
		t->enter.args[i] = s->entry.args[i];
	t->exit.ret = 0;
	capture(t, &t->cin, t->in, s->stack_pointer, false);
}

static void finish_line(struct task *t)
{
	struct text *l = &t->line;

	text_char(l, '\n');
	fwrite(l->s, 1, l->n, t->out);
	text_reset(l);
}

static void print_call(struct task *t, bool returned)
{
	static struct call_blob b[MAX_BLOBS];
	static uint64_t out[ROOM / 8];
	struct trace_capture cout = {0};
	struct call c = {.nr = t->nr, .enter = &t->enter, .exit = returned ? &t->exit : NULL, .blob = b};

	if (returned)
		capture(t, &cout, out, 0, true);
	c.nblobs = blobs_of(t->in, &t->cin, false, b, 0);
	c.nblobs = blobs_of(out, &cout, true, b, c.nblobs);
	c.restarts = t->restarts;
	decode_enter(&t->line, &c, &opts);
	if (returned)
		decode_exit(&t->line, &c, &opts);
	text_char(&t->line, ')');
	while (t->line.n < 39)
		text_char(&t->line, ' ');
	decode_result(&t->line, &c, &opts);
	finish_line(t);
	t->in_call = false;
}

static void returned(struct task *t, const struct __ptrace_syscall_info *s)
{
	if (!t->in_call)
		return;
	t->exit = (struct hostif_trace_rec){.type = TRACE_EXIT, .nr = t->nr, .tid = t->tid, .ret = s->exit.rval};
	print_call(t, true);
	if (t->exit.ret == -516)
		t->restarts = t->nr + 1;
}

static void syscall_stop(struct task *t)
{
	struct __ptrace_syscall_info s;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(s), &s) < 0)
		return;
	if (s.op == PTRACE_SYSCALL_INFO_ENTRY)
		entered(t, &s);
	else if (s.op == PTRACE_SYSCALL_INFO_EXIT)
		returned(t, &s);
}

static void signal_stop(struct task *t, int sig)
{
	struct hostif_trace_rec r = {.type = TRACE_SIGNAL, .nr = sig, .tid = t->tid};
	siginfo_t si;

	if (ptrace(PTRACE_GETSIGINFO, t->tid, 0, &si) < 0)
		return;
	r.args[0] = si.si_code;
	r.args[1] = si.si_pid;
	r.args[2] = si.si_uid;
	r.args[3] = sig == SIGCHLD ? (uint64_t)si.si_status : (uint64_t)si.si_addr;
	r.args[4] = (uint64_t)si.si_value.sival_ptr;
	r.args[5] = si.si_code > 0 && sig == SIGCHLD ? (uint64_t)si.si_utime | (uint64_t)si.si_stime << 32 : 0;
	text_str(&t->line, "--- ");
	decode_signal(&t->line, &r, &opts);
	text_str(&t->line, " ---");
	finish_line(t);
}

static void gone(struct task *t, int status)
{
	if (t->in_call)
		print_call(t, false);
	if (WIFSIGNALED(status))
		text_printf(&t->line, "+++ killed by %s%s +++", decode_signal_name(WTERMSIG(status)),
			    WCOREDUMP(status) ? " (core dumped)" : "");
	else
		text_printf(&t->line, "+++ exited with %d +++", WEXITSTATUS(status));
	finish_line(t);
	fclose(t->out);
	t->tid = 0;
	alive--;
}

/* One stop of a task: what is to be delivered when it goes on; -1: it goes on listening for the end of a group stop. */
static int stopped(struct task *t, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		syscall_stop(t);
	} else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		text_printf(&t->line, "--- stopped by %s ---", decode_signal_name(sig));
		finish_line(t);
		return -1;
	} else if (!event) {
		signal_stop(t, sig);
		return sig;
	}
	return 0;
}

static int loop(int first)
{
	int status, result = 0, tid, sig;
	struct task *t;

	while (alive) {
		tid = waitpid(-1, &status, __WALL);
		if (tid < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		t = task_of(tid, true);
		if (!t)
			exit(1);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (tid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			gone(t, status);
			continue;
		}
		sig = stopped(t, status);
		ptrace(sig < 0 ? PTRACE_LISTEN : PTRACE_SYSCALL, tid, 0, sig > 0 ? sig : 0);
	}
	return result;
}

static int start(char **argv)
{
	int go[2], pid;
	char c;

	if (pipe2(go, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		perror("host-trace");
		exit(1);
	}
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(126);
		execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) {
		perror("host-trace: ptrace");
		exit(1);
	}
	task_of(pid, true);
	if (write(go[1], "x", 1) != 1)
		exit(1);
	close(go[0]);
	close(go[1]);
	return pid;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+yvs:o:")) >= 0)
		switch (c) {
		case 'y':
			opts.fd_paths = true;
			break;
		case 'v':
			opts.verbose = true;
			break;
		case 's':
			opts.string_limit = atoi(optarg);
			break;
		case 'o':
			prefix = optarg;
			break;
		default:
			return 2;
		}
	if (optind == argc) {
		fputs("usage: host-trace [-y] [-v] [-s N] -o PREFIX PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	return loop(start(argv + optind));
}
