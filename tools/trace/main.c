// SPDX-License-Identifier: Apache-2.0
// husk trace: options, the session, and the loop that reads and prints.

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "print.h"

#define IDLE_MS 10	 /* how late a quiet program's calls are seen */
#define SPIN_NS 200000	 /* how long it is looked for more before going to sleep */
#define LOOK_NS 20000000 /* how often it is looked whether the sandbox is still there */

void trouble(const char *fmt, ...)
{
	va_list ap;

	fputs("husk trace: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("husk trace: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_TRACE);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		die("out of memory");
	return p;
}

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t child_ended; /* the wait for records was broken off for this */

static void on_signal(int sig)
{
	interrupted = sig;
}

static void on_child(int sig)
{
	(void)sig;
	child_ended = 1;
}

/* Attached: the sandbox is left alone again. */
static void catch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction sa = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, NULL);
}

static void dump(const struct hostif_trace_rec *r, void *f)
{
	dump_record(f, r);
}

/* Until the sandbox ends, or we are told to leave it, or nobody reads what we write. */
static void follow(struct session *s, struct reader *r, struct printer *p, const struct out *out, record_fn *fn,
		   void *arg)
{
	uint64_t busy = 0, looked = now_ns();

	while (!interrupted && !out_failed(out)) {
		uint64_t n = reader_sweep(r, false, fn, arg), now = now_ns();

		if (child_ended || now - looked > LOOK_NS) {
			child_ended = 0;
			looked = now;
			if (!session_alive(s))
				break;
		}
		if (n) {
			busy = now;
		} else if (now - busy < SPIN_NS) {
			sched_yield(); /* more will come; to be woken costs the program more */
		} else {
			printer_idle(p);
			reader_wait(r, IDLE_MS);
		}
	}
}

static void say_lost(struct reader *r, struct printer *p)
{
	uint64_t n = printer_lost(p) + reader_lost(r);

	if (n)
		trouble("%llu records were lost", (unsigned long long)n);
	if (reader_bad(r))
		trouble("%llu times a ring made no sense and was skipped", (unsigned long long)reader_bad(r));
}

static int status_of(const struct session *s)
{
	if (!s->child)
		return 0;
	return WIFEXITED(s->status) ? WEXITSTATUS(s->status) : 128 + WTERMSIG(s->status);
}

static void trace(struct session *s, const struct options *o, struct out *out)
{
	struct printer *p = printer_new(o, out, !s->child);
	struct reader *r = reader_new(s);
	record_fn *fn = o->dump ? dump : printer_record;
	void *arg = o->dump ? (void *)stderr : (void *)p;
	struct sigaction ended = {.sa_handler = on_child, .sa_flags = SA_RESTART};

	stack_init(o->root);
	sigaction(SIGCHLD, &ended, NULL);
	follow(s, r, p, out, fn, arg);
	if (!s->over) /* what was under way when we left */
		session_detach(s);
	while (!out_failed(out) && reader_sweep(r, true, fn, arg))
		;
	say_lost(r, p);
	printer_end(p);
}

int main(int argc, char **argv)
{
	static struct session s;
	static struct options o;
	struct out *out;
	bool program;

	argv = options_parse(&o, argc, argv, &program);
	signal(SIGPIPE, SIG_IGN);
	out = out_open(o.separate > 1 ? "/dev/null" : o.output, o.append);
	if (program) {
		session_start(&s, &o, o.run_args, argv);
	} else {
		const char *sandbox = argv[0];

		if (o.nrun_args)
			die("%s is for a sandbox that husk trace starts (husk trace [OPTIONS] -- PROGRAM), not for a "
			    "running one, \"%s\"",
			    o.run_args[0], sandbox);
		while (*++argv)
			options_add_pids(&o, *argv);
		catch_signals();
		session_attach(&s, &o, sandbox);
	}
	trace(&s, &o, out);
	while (s.child && !s.over) { /* our output failed: the program goes on untraced */
		usleep(10000);
		session_alive(&s);
	}
	return !s.child && out_failed(out) ? EXIT_TRACE : status_of(&s);
}
