// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: stops the jail's host threads and takes their registers.

#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include "sys.h"

/*
 * DOC: registers of threads
 *
 * The jail's processes are one host process group: one kill() stops them, whatever their kernel does. Registers are had with ptrace, by a
 * helper that is born in the jail's pid namespace: there host_tid means what the kernel believes, and no process outside has a
 * name. It shares our memory and is gone before we go on. Without a namespace we do it ourselves, to threads of the jail's
 * process group only. Everything waits for a bounded time; a thread that does not stop has no registers.
 */
#define SIGSTOP_ 19
#define SIGCONT_ 18
#define SIGCHLD_ 17
#define STOP_WAIT_NS 2000000000ULL
#define HELPER_STACK 16384

static u8 helper_stack[HELPER_STACK] __attribute__((aligned(64)));

static struct {
	struct task *(*at)(u32);
	u32 n, got;
	u8 *xstate;
	size_t xstate_size;
} job;

static void pause_ns(u64 ns)
{
	u64 ts[2] = {0, ns};

	sys(nanosleep, ts, 0);
}

/* All get the signal at once; a moment later all have stopped. */
void stop_jail(void)
{
	sys(kill, -config.jail_pid, SIGSTOP_);
	for (int i = 0; i < 50 && !jail_is_gone() && !jail_is_stopped(); i++)
		pause_ns(1000000);
	pause_ns(1000000);
}

void resume_jail(void)
{
	sys(kill, -config.jail_pid, SIGCONT_);
}

bool jail_is_gone(void)
{
	struct {
		int fd;
		short events, revents;
	} p = {MDUMP_FD_JAIL, 1 /* POLLIN */, 0};
	u64 none[2] = {0, 0};

	return sys(ppoll, &p, 1, none, 0, 8) == 1 && p.revents;
}

/* The letter behind the name, in /proc/PID/stat. */
bool jail_is_stopped(void)
{
	char buf[128];
	long n = sys(pread64, MDUMP_FD_STAT, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return false;
	while (n > 2)
		if (buf[--n] == ' ' && buf[n - 1] == ')')
			return buf[n + 1] == 'T' || buf[n + 1] == 't';
	return false;
}

/* As the processor has it enabled; what the host's GETREGSET gives. */
size_t xstate_bytes(void)
{
	u32 a = 0xd, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >= 576 && b <= 65536 ? b : 0;
}

static bool attach(s32 tid)
{
	if (!(config.flags & MDUMP_F_PIDNS) && sys(getpgid, tid) != config.jail_pid)
		return false;
	if (sys(ptrace, PTRACE_SEIZE, tid, 0, 0))
		return false;
	sys(ptrace, PTRACE_INTERRUPT, tid, 0, 0);
	return true;
}

static bool wait_stopped(s32 tid, u64 until)
{
	int status;
	long r;

	for (u64 nap = 20000;; nap = min(nap * 2, 5000000)) {
		r = sys(wait4, tid, &status, WNOHANG | __WALL, 0);
		if (r == tid)
			return (status & 0xff) == 0x7f;
		if (r < 0 || now_ns(1) > until)
			return false;
		pause_ns(nap);
	}
}

static void take(struct task *t)
{
	struct {
		void *p;
		u64 n;
	} iov = {t->regs, sizeof(t->regs)};

	if (!sys(ptrace, PTRACE_GETREGSET, t->d.host_tid, NT_PRSTATUS, &iov) && iov.n == sizeof(t->regs)) {
		t->d.regs_from = MDUMP_REGS_HOST;
		job.got++;
	}
	if (!job.xstate)
		return;
	iov.p = job.xstate + (size_t)t->slot * job.xstate_size;
	iov.n = job.xstate_size;
	if (!sys(ptrace, PTRACE_GETREGSET, t->d.host_tid, NT_X86_XSTATE, &iov))
		t->have_xstate = iov.n;
}

static void take_all(void)
{
	u64 until;

	for (u32 i = 0; i < job.n; i++) {
		struct task *t = job.at(i);

		t->have_xstate = t->d.host_tid > 0 && attach(t->d.host_tid);
	}
	until = now_ns(1) + STOP_WAIT_NS;
	for (u32 i = 0; i < job.n; i++) {
		struct task *t = job.at(i);
		bool mine = t->have_xstate;

		t->have_xstate = 0;
		if (mine && wait_stopped(t->d.host_tid, until))
			take(t);
		if (mine)
			sys(ptrace, PTRACE_DETACH, t->d.host_tid, 0, 0);
	}
}

static void helper_main(void)
{
	take_all();
	for (;;)
		sys(exit, 0);
}

/* What is not detached when the helper ends, the host detaches. */
u32 stop_get_registers(struct task *(*at)(u32), u32 n, u8 *xstate, size_t xstate_size)
{
	int status;
	long pid;

	job.at = at;
	job.n = n;
	job.got = 0;
	job.xstate = xstate;
	job.xstate_size = xstate_size;
	if (!(config.flags & MDUMP_F_PIDNS)) {
		take_all();
		return job.got;
	}
	pid = spawn(CLONE_VM | CLONE_VFORK | SIGCHLD_, helper_stack + HELPER_STACK, helper_main);
	if (pid > 0)
		sys(wait4, pid, &status, __WALL, 0);
	return job.got;
}
