// SPDX-License-Identifier: Apache-2.0
// Records of system calls: their beginning, their end, and what they read and wrote.

#include <husk/mm.h>
#include <husk/time.h>
#include <husk/trace_capture.h>
#include <asm/unistd.h>
#include "internal.h"

const struct trace_fs_ops *trace_fs;

/* As the call itself would read it: pages are brought in, and what cannot be read is not there. */
unsigned long trace_read_user(void *dst, u64 addr, unsigned long n)
{
	if (addr >= TASK_SIZE)
		return 0;
	if (n > TASK_SIZE - addr)
		n = TASK_SIZE - addr;
	return n - copy_from_user(dst, (const void *)addr, n);
}

long trace_fd_path(int fd, char *dst, unsigned long n)
{
	return trace_fs ? trace_fs->fd(fd, dst, n) : -ENOSYS;
}

/* Blobs of a call behind its record's head and what is there already; the bytes of all. */
static u32 capture(struct trace_task *tt, struct hostif_trace_rec *r, u32 used, const struct pt_regs *regs, s64 ret,
		   bool exit)
{
	struct trace_capture c = {
		.buf = (u8 *)(r + 1),
		.used = used,
		.nblobs = r->nblobs,
		.room = trace_rec_room(tt) & ~7u,
		.limit = trace_config.string_limit,
		.fd_paths = trace_config.flags & TRACE_WANT_FDPATHS,
		.verbose = trace_config.flags & TRACE_WANT_VERBOSE,
		.sp = regs->sp,
	};

	if (!(trace_config.flags & TRACE_WANT_MEMORY))
		return used;
	trace_capture(&c, tt->nr, tt->args, ret, exit);
	r->nblobs = c.nblobs;
	return c.used;
}

/* What ends, starts or replaces a task is told at once, as others' records may refer to it. */
static bool tell_at_once(u32 nr)
{
	switch (nr) {
	case __NR_clone:
	case __NR_fork:
	case __NR_vfork:
	case __NR_execve:
	case __NR_exit:
	case __NR_exit_group:
	case __NR_execveat:
	case __NR_clone3:
		return true;
	}
	return trace_config.nrules || (trace_config.flags & TRACE_WANT_STACKS);
}

static void record_enter(struct trace_task *tt, const struct pt_regs *regs)
{
	struct hostif_trace_rec *r = trace_rec_begin(tt, TRACE_ENTER);
	u32 used;

	tt->in_call = r != NULL;
	if (!r)
		return;
	tt->began = r->time;
	r->nr = tt->nr;
	r->ip = regs->ip;
	memcpy(r->args, tt->args, sizeof(r->args));
	used = capture(tt, r, 0, regs, 0, false);
	if (tell_at_once(tt->nr)) {
		if (unlikely(trace_config.flags & TRACE_WANT_STACKS))
			trace_stacks(tt, r, &used, regs);
		trace_rec_end(tt, r, used);
		return;
	}
	tt->staged = r;
	tt->staged_bytes = used;
}

static void save_call(struct trace_task *tt, const struct pt_regs *regs)
{
	tt->nr = regs->orig_ax;
	tt->args[0] = regs->di;
	tt->args[1] = regs->si;
	tt->args[2] = regs->dx;
	tt->args[3] = regs->r10;
	tt->args[4] = regs->r8;
	tt->args[5] = regs->r9;
	tt->tid = current->pid;
	tt->nstack = 0;
	tt->injected = 0;
	tt->delay_exit = 0;
}

bool trace_syscall_enter(struct pt_regs *regs)
{
	struct trace_task *tt;
	s64 ret;

	if (!trace_wants(regs->orig_ax))
		return true;
	tt = trace_current();
	if (!tt)
		return true;
	save_call(tt, regs);
	record_enter(tt, regs);
	if (likely(!trace_config.nrules) || trace_inject_enter(tt, tt->nr, &ret))
		return true;
	regs->ax = ret;
	return false;
}

static bool restarts(s64 ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK;
}

/* The program that current runs now. */
static void record_exec(struct trace_task *tt)
{
	struct hostif_trace_rec *r = trace_rec_begin(tt, TRACE_EXEC);
	u32 used = 0;

	if (!r)
		return;
	memset(r->args, 0, sizeof(r->args));
	r->args[0] = tt->tid;
	trace_blob(tt, r, &used, TRACE_BLOB_STR, 0, current->comm, strnlen(current->comm, TASK_COMM_LEN));
	trace_rec_end(tt, r, used);
}

static void record_exit(struct trace_task *tt, const struct pt_regs *regs)
{
	struct hostif_trace_rec *r = trace_rec_begin(tt, TRACE_EXIT);
	u32 used;

	if (!r)
		return;
	r->nr = tt->nr;
	r->ret = regs->ax;
	r->ip = regs->ip;
	r->ticket = r->time - tt->began;
	r->flags = tt->injected | (restarts(r->ret) ? TRACE_F_RESTART : 0);
	memcpy(r->args, tt->args, sizeof(r->args));
	used = capture(tt, r, 0, regs, r->ret, true);
	if (unlikely(tt->nstack)) {
		trace_blob(tt, r, &used, TRACE_BLOB_KSTACK, 0, tt->stack, tt->nstack * sizeof(*tt->stack));
		r->flags |= TRACE_F_STACK;
	}
	trace_rec_end(tt, r, used);
}

/* Killed in the call: it has no result that anybody will see. */
static bool killed(s64 ret)
{
	return unlikely(restarts(ret)) && fatal_signal_pending(current);
}

/* The call was short: its beginning, which nobody has seen, becomes a record of all of it. */
static void complete_staged(struct trace_task *tt, const struct pt_regs *regs)
{
	struct hostif_trace_rec *r = tt->staged;
	u32 used;

	r->type = TRACE_CALL;
	r->ret = regs->ax;
	if (trace_config.flags & TRACE_WANT_TIMES)
		r->ticket = ktime_get_ns() - r->time;
	r->flags = r->nblobs << 16 | (restarts(r->ret) ? TRACE_F_RESTART : 0);
	used = capture(tt, r, tt->staged_bytes, regs, r->ret, true);
	tt->staged = NULL;
	trace_rec_end(tt, r, used);
}

void trace_syscall_exit(struct pt_regs *regs)
{
	struct trace_task *tt = current->trace;

	if (!tt || !tt->in_call)
		return;
	tt->in_call = false;
	if (killed(regs->ax))
		return; /* what is staged is published with the task's end */
	if (likely(tt->staged)) {
		complete_staged(tt, regs);
		return;
	}
	if (unlikely(tt->delay_exit))
		trace_inject_exit(tt);
	if (!READ_ONCE(trace_on) || tt->generation != READ_ONCE(trace_config.generation) || !tt->ring)
		return;
	if (unlikely(tt->nr == __NR_execve || tt->nr == __NR_execveat) && !regs->ax)
		record_exec(tt); /* first: it says whose call ends, if the task has another number now */
	record_exit(tt, regs);
}

/* ---- pid 1 ---- */

#define AT_EXECFN_ 31

/* The vectors that the kernel put on the new program's stack: argv, envp; the program's path from the auxiliary vector. */
static void stack_args(u64 *args, u64 sp)
{
	u64 v[2], argc;

	memset(args, 0, 6 * sizeof(*args));
	if (trace_read_user(&argc, sp, 8) != 8)
		return;
	args[1] = sp + 8;
	args[2] = sp + 8 + (argc + 1) * 8;
	sp = args[2];
	do {
		if (trace_read_user(v, sp, 8) != 8)
			return;
		sp += 8;
	} while (v[0]);
	for (; trace_read_user(v, sp, 16) == 16 && v[0]; sp += 16)
		if (v[0] == AT_EXECFN_)
			args[0] = v[1];
}

void trace_first_exec(void)
{
	struct pt_regs *regs = current_pt_regs();
	struct trace_task *tt;

	trace_reconfigure();
	if (!test_thread_flag(TIF_TRACE))
		return;
	tt = trace_current();
	if (!tt || !trace_wants(__NR_execve))
		return;
	save_call(tt, regs);
	tt->nr = __NR_execve;
	stack_args(tt->args, regs->sp);
	record_enter(tt, regs);
	if (!tt->in_call)
		return;
	tt->in_call = false;
	record_exec(tt);
	record_exit(tt, &(struct pt_regs){.ax = 0, .ip = regs->ip, .sp = regs->sp});
}
