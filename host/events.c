// SPDX-License-Identifier: Apache-2.0
// Signals to the monitor, and what the guest is told of them.

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run.h"

#define BIT(sig) (1ULL << (sig))
#define PATIENCE 3		   /* so many SIGINTs and SIGTERMs end the sandbox by force */
#define SIGNAL_HOLD_NS 1000000000u /* how long a signal waits for the guest to take the one before it */

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT};
static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};

/* The monitor itself crashed: the terminal must be usable, and the jail must not outlive it. */
static void on_fault(int sig)
{
	static const char crash[] = "husk: the monitor crashed; this is a bug\n";
	static const char no_memory[] = "husk: the host ran out of memory for the sandbox; use a smaller --memory\n";
	ssize_t n;

	terminal_leave();
	if (sig == SIGBUS) /* a page of RAM that the host cannot provide */
		n = write(2, no_memory, sizeof(no_memory) - 1);
	else
		n = write(2, crash, sizeof(crash) - 1);
	(void)n;
	if (sig == SIGBUS)
		_exit(70);
	raise(sig); /* SA_RESETHAND */
}

int events_init(struct sandbox *s, struct err *e)
{
	struct sigaction sa = {.sa_handler = on_fault, .sa_flags = SA_RESETHAND | SA_NODEFER}, old;
	sigset_t all, wanted;

	sigfillset(&all);
	sigemptyset(&wanted);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		sigdelset(&all, faults[i]);
		sigaction(faults[i], &sa, NULL);
	}
	/* what the caller ignores (nohup) stays ignored */
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		if (!sigaction(forwarded[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaddset(&wanted, forwarded[i]);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGWINCH);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &all, NULL);
	s->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->signal_fd < 0 || s->event_fd < 0)
		return err_set(e, 125, "cannot set up signals: %s", err_reason(errno));
	return 0;
}

void events_post(struct sandbox *s, uint32_t bits)
{
	struct hostif_boot *b = ram_boot(&s->ram);

	__atomic_fetch_or(&b->event_bits, bits, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&b->event_kick, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &b->event_kick, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* One at a time: event_signal has room for one. */
void events_flush(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	int sig;

	if (!s->pending)
		return;
	if (__atomic_load_n(&b->event_bits, __ATOMIC_SEQ_CST) & HOSTIF_EV_SIGNAL) {
		if (clock_ns() - s->pending_since > SIGNAL_HOLD_NS)
			s->pending = 0;
		return;
	}
	sig = __builtin_ctzll(s->pending);
	s->pending &= s->pending - 1;
	s->pending_since = clock_ns();
	__atomic_store_n(&b->event_signal, sig, __ATOMIC_SEQ_CST);
	events_post(s, HOSTIF_EV_SIGNAL);
}

static void forward(struct sandbox *s, int sig)
{
	if (!s->pending)
		s->pending_since = clock_ns();
	s->pending |= BIT(sig);
	events_flush(s);
}

static void window_size(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	uint16_t size[4];

	if (!terminal_size(size))
		return;
	b->tty_rows = size[0];
	b->tty_cols = size[1];
	b->tty_xpixel = size[2];
	b->tty_ypixel = size[3];
	events_post(s, HOSTIF_EV_WINCH);
}

/* With a terminal of its own the guest goes on while the monitor is stopped; without one it is stopped too. */
static void suspend(struct sandbox *s)
{
	if (!s->stdin_tty)
		forward(s, SIGTSTP);
	terminal_leave();
	kill(getpid(), SIGSTOP);
}

static void resume(struct sandbox *s)
{
	terminal_enter();
	window_size(s);
	if (!s->stdin_tty)
		forward(s, SIGCONT);
}

static void child_changed(struct sandbox *s)
{
	siginfo_t si = {0};

	if (s->jail_dead || waitid(P_PID, s->jail.pid, &si, WEXITED | WNOHANG | WNOWAIT) || !si.si_pid)
		return;
	s->jail_dead = true;
	s->jail_status = si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
}

static void one_signal(struct sandbox *s, int sig)
{
	switch (sig) {
	case SIGCHLD:
		child_changed(s);
		break;
	case SIGWINCH:
		window_size(s);
		break;
	case SIGTSTP:
		suspend(s);
		break;
	case SIGCONT:
		resume(s);
		break;
	case SIGHUP:
		if (s->stdin_tty)
			events_post(s, HOSTIF_EV_HANGUP);
		forward(s, sig);
		break;
	case SIGINT:
	case SIGTERM:
		s->last_urgent = sig;
		if (++s->urgent >= PATIENCE)
			s->killed_by = sig;
		forward(s, sig);
		break;
	default:
		forward(s, sig);
	}
}

void events_signal(struct sandbox *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si))
		one_signal(s, si.ssi_signo);
}
