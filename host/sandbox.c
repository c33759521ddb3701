// SPDX-License-Identifier: Apache-2.0
// One sandbox from start to end: the monitor's main thread.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "control.h"
#include "fs_server.h"
#include "mdump.h"
#include "run.h"
#include "trace.h"

#define THREAD_STACK (128u << 10)
#define GRACE_NS 1000000000ULL /* after --timeout, for the guest to end by itself */
#define PROGRESS_MS 200	       /* to those who wait for a dump */
#define RETRY_MS 5	       /* a signal that the guest had no room for */

int thread_start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	pthread_attr_t a;
	int r;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, THREAD_STACK);
	r = pthread_create(t, &a, fn, arg);
	pthread_attr_destroy(&a);
	return r;
}

static bool state_final(uint32_t state)
{
	return state != HOSTIF_BOOTING && state != HOSTIF_RUNNING;
}

static uint32_t read_state(struct sandbox *s)
{
	return __atomic_load_n(&ram_boot(&s->ram)->state, __ATOMIC_ACQUIRE);
}

/* Turns the end of the guest, a futex in RAM, into an event for poll(). */
static void *state_main(void *arg)
{
	struct sandbox *s = arg;
	uint32_t *word = &ram_boot(&s->ram)->state, v;
	uint64_t one = 1;
	ssize_t n;

	while (!state_final(v = read_state(s)))
		syscall(SYS_futex, word, FUTEX_WAIT, v, NULL, NULL, 0);
	n = write(s->event_fd, &one, sizeof(one));
	(void)n;
	return NULL;
}

static int start_devices(struct sandbox *s, struct err *e)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	char tag[16];
	int r = fd_limits_init(s->nshares);

	for (unsigned i = 0; !r && i < s->nshares; i++) {
		struct fs_share share = {.dir_fd = s->share[i].fd,
					 .readonly = s->share[i].read_only,
					 .tag = tag,
					 .ram_fd = s->ram.fd,
					 .pieces = s->ram.huge};

		snprintf(tag, sizeof(tag), i ? "share%u" : "root", i);
		r = fs_device_start(&share, &b->device[s->share[i].device].queue[0], s->ram.base, s->ram.size);
	}
	if (r)
		return err_set(e, 125, "cannot start the file server: %s", err_reason(-r));
	for (unsigned i = 0; i < s->nconsoles; i++)
		if (console_start(s->console[i], s->event_fd, e))
			return -1;
	return 0;
}

static int start_threads(struct sandbox *s, struct err *e)
{
	pthread_t t;
	int r;

	if (start_devices(s, e))
		return -1;
	r = thread_start(&t, state_main, s);
	if (r)
		return err_set(e, 125, "cannot start a thread: %s; see ulimit -u and -v", strerror(r));
	s->log = log_start(&s->ram, s->log_phys, sandbox_log_size(), s->log_fd, s->log_fd == 2, s->log_level);
	return 0;
}

static void clear_event(struct sandbox *s)
{
	uint64_t v;
	ssize_t n = read(s->event_fd, &v, sizeof(v));

	(void)n;
}

/* Milliseconds until something must be done without being told. */
static int next_timeout(struct sandbox *s)
{
	uint64_t now;
	int ms = control_timeout(s);

	if (s->pending && (ms < 0 || ms > RETRY_MS))
		ms = RETRY_MS;
	if (mdump_waiting() && (ms < 0 || ms > PROGRESS_MS))
		ms = PROGRESS_MS;
	if (s->deadline) {
		now = clock_ns();
		if (s->deadline <= now)
			return 0;
		if (ms < 0 || (s->deadline - now) / 1000000 < (uint64_t)ms)
			ms = (s->deadline - now) / 1000000 < INT_MAX - 1 ? (s->deadline - now) / 1000000 + 1 : INT_MAX;
	}
	return ms;
}

static void wait_events(struct sandbox *s)
{
	struct pollfd p[3 + CONTROL_MAX_CONNS] = {{.fd = s->signal_fd, .events = POLLIN},
						  {.fd = s->event_fd, .events = POLLIN}};
	unsigned n = control_poll_fds(s, p + 2, 1 + CONTROL_MAX_CONNS);

	if (poll(p, 2 + n, next_timeout(s)) > 0) {
		if (p[0].revents)
			events_signal(s);
		if (p[1].revents)
			clear_event(s);
	} else {
		n = 0; /* revents were not written */
	}
	events_flush(s);
	control_serve(s, p + 2, n);
	mdump_poll(s);
}

/* The time limit: first asked to end, a second later made to. False when it is time to give up. */
static bool check_deadline(struct sandbox *s)
{
	if (!s->deadline || clock_ns() < s->deadline)
		return true;
	if (s->timed_out)
		return false;
	s->timed_out = true;
	s->deadline = clock_ns() + GRACE_NS;
	events_post(s, HOSTIF_EV_SHUTDOWN);
	return true;
}

static void main_loop(struct sandbox *s)
{
	if (s->config->timeout_ns)
		s->deadline = s->config->start_ns + s->config->timeout_ns;
	while (!state_final(read_state(s)) && !s->jail_dead && !s->killed_by && !mdump_crash(s) && check_deadline(s))
		wait_events(s);
}

static bool all_drained(struct sandbox *s)
{
	for (unsigned i = 0; i < s->nconsoles; i++)
		if (!console_drained(s->console[i]))
			return false;
	return true;
}

/* What the guest has written is written, however long its reader takes; after a crash, for a moment only. */
static void drain(struct sandbox *s)
{
	unsigned urgent = s->urgent;

	for (unsigned i = 0; i < s->nconsoles; i++)
		console_drain(s->console[i]);
	if (read_state(s) != HOSTIF_EXITED || (s->timed_out && !s->deadline))
		s->deadline = clock_ns() + GRACE_NS;
	while (!all_drained(s) && s->urgent == urgent && (!s->deadline || clock_ns() < s->deadline))
		wait_events(s);
	if (s->urgent != urgent)
		s->killed_by = s->last_urgent;
	else if (s->config->timeout_ns && !all_drained(s) && read_state(s) == HOSTIF_EXITED)
		s->timed_out = true;
	__atomic_store_n(&ram_boot(&s->ram)->console_drained, 1, __ATOMIC_SEQ_CST);
}

static bool output_lost(struct sandbox *s)
{
	for (unsigned i = 0; i < s->nconsoles; i++)
		if (console_lost(s->console[i]))
			return true;
	return false;
}

static void mark(struct sandbox *s, enum monitor_phase p)
{
	s->phase[p] = clock_ns();
}

static int open_log(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;

	s->log_fd = 2;
	s->log_level = c->log_level >= 0 ? c->log_level : c->log_file ? 6 : 3;
	if (!c->log_file)
		return 0;
	s->log_fd = open(c->log_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	if (s->log_fd < 0)
		return err_set(e, 125, "cannot write --log %s: %s", c->log_file, strerror(errno));
	return 0;
}

static bool any_writable(const struct sandbox *s)
{
	for (unsigned i = 0; i < s->nshares; i++)
		if (!s->share[i].read_only)
			return true;
	return false;
}

/* Everything up to the moment when the guest kernel runs and is served. The jail builds its walls meanwhile. */
static int start(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;
	enum platform_kind platform = c->platform;

	mark(s, PH_OPTIONS);
	if (platform_choose(&platform, e) || open_log(s, e) || events_init(s, e))
		return -1;
	s->platform = platform;
	if (control_open(s, c->name, e))
		return -1;
	if (c->memory && limits_check_memory(c->memory, e))
		return -1;
	if (ram_create(&s->ram, c->memory ? c->memory & ~((1ULL << 20) - 1) : limits_default_memory(), e))
		return -1;
	mark(s, PH_MEMORY);
	s->jail.most_tasks = limits_host_tasks(c->max_tasks, s->ram.size);
	if (jail_prepare(&s->jail, &s->ram, e))
		return -1;
	if (mdump_start(s, e))
		return -1;
	mark(s, PH_JAIL);
	if (ram_load_kernel(&s->ram, c->kernel, e))
		return -1;
	mark(s, PH_KERNEL);
	if (sandbox_setup(s, e))
		return -1;
	mdump_arm(s);
	mark(s, PH_DEVICES);
	if (trace_hand_over(s, e))
		return -1;
	monitor_confine(any_writable(s), s->jail.renamed);
	if (start_threads(s, e))
		return -1;
	mark(s, PH_THREADS);
	terminal_enter();
	jail_start(&s->jail, &s->ram, platform);
	return 0;
}

/**
 * sandbox_run - the whole life of one sandbox
 * Return: the exit status, or -1 with the reason in @e
 *
 * The device threads still run when it returns: the caller exits. Nothing outside this process and the jail's was made.
 */
int sandbox_run(const struct sandbox_config *c, struct err *e)
{
	static struct sandbox s;
	int status;

	s.config = c;
	if (start(&s, e)) {
		terminal_leave();
		if (s.jail.pid > 0)
			jail_kill(&s.jail);
		mdump_end();
		mdump_leave_dir();
		return -1;
	}
	main_loop(&s);
	mark(&s, PH_ENDED);
	drain(&s);
	mark(&s, PH_DRAINED);
	mdump_finish(&s);
	jail_kill(&s.jail);
	mark(&s, PH_KILLED);
	terminal_leave();
	log_finish(s.log);
	status = report_end(&s);
	if (!status && output_lost(&s)) /* the program ended well before its last words were refused */
		status = 125;
	mdump_end();
	mdump_leave_dir();
	if (c->boot_time)
		report_boot_time(&s);
	return status;
}
