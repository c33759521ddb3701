// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel as the monitor sees it: starts it beside the jail, tells it what is wanted, waits for it at a crash.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "control.h"
#include "mdump.h"
#include "run.h"

#define PROGRESS_NS 300000000u /* a dump that is done sooner is not worth a line */

static struct {
	struct mdump_ctl *ctl;
	pid_t pid;
	int wake, out;
	bool dead, due;
	char dir[PATH_MAX], why[PATH_MAX + 128]; /* why there will be no dump */
	struct {
		int conn;
		int64_t level;
		bool kill;
	} waiting[CONTROL_MAX_CONNS]; /* the first one's dump is being made */
	uint32_t ticket;	      /* it is done when this is served */
	unsigned nwaiting;
} m = {.wake = -1, .out = -1};

#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

static void ring(void)
{
	uint64_t one = 1;
	ssize_t n = write(m.wake, &one, sizeof(one));

	(void)n;
}

/* ---- start ---- */

/* husk-mdump lies where husk-kernel or husk does */
static int find_program(char *path, size_t n)
{
	static const char *const places[] = {"", "../libexec/husk/", "../lib/husk/"};
	char self[PATH_MAX];

	own_path(self, sizeof(self));
	*(strrchr(self, '/') ? strrchr(self, '/') + 1 : self) = 0;
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, n, "%s%shusk-mdump", self, places[i]);
		if (!access(path, X_OK))
			return 0;
	}
	return -1;
}

static int make_ctl(struct sandbox *s)
{
	int fd = memfd_create("husk-mdump", MFD_CLOEXEC);
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(*m.ctl)))
		return -1;
	p = mmap(NULL, sizeof(*m.ctl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	m.ctl = p;
	m.ctl->flags = (s->jail.missing & JAIL_NO_PIDNS ? 0 : MDUMP_F_PIDNS) |
		       (s->jail.missing & JAIL_NO_USERNS ? 0 : MDUMP_F_USERNS) | (m.out >= 0 ? MDUMP_F_SOCKET : 0);
	m.ctl->jail_pid = s->jail.pid;
	m.ctl->monitor_pid = getpid();
	return fd;
}

static int reopen_read_only(int fd)
{
	char path[64];
	int ro;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	return ro < 0 ? dup(fd) : ro;
}

static int open_stat(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * The child shares the monitor's memory until it execs, but not its time: the monitor goes on at once, so the child has a stack of its own,
 * what it reads lies still, and its host calls leave libc's errno alone.
 */
static struct birth {
	char program[PATH_MAX + 32];
	int fd[MDUMP_NFDS];
	_Alignas(16) char stack[8192];
} birth;

static long raw(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

/* Descriptors to their numbers, by way of higher ones where they are in the way. Nothing else of the monitor goes along. */
static int become(void *arg)
{
	static char name[] = "husk-mdump";
	static char *argv[] = {name, NULL}, *envp[] = {NULL};
	int high[MDUMP_NFDS];

	for (int i = 0; i < MDUMP_NFDS; i++)
		high[i] = birth.fd[i] < 0 || birth.fd[i] >= MDUMP_NFDS
				  ? birth.fd[i]
				  : (int)raw(SYS_fcntl, birth.fd[i], F_DUPFD, MDUMP_NFDS);
	raw(SYS_close_range, 0, MDUMP_NFDS - 1, 0);
	for (int i = 0; i < MDUMP_NFDS; i++)
		if (high[i] >= 0)
			raw(SYS_dup2, high[i], i, 0);
	raw(SYS_close_range, MDUMP_NFDS, ~0U, 0);
	raw(SYS_setsid, 0, 0, 0); /* Ctrl-C is not for it */
	raw(SYS_execve, (long)birth.program, (long)argv, (long)envp);
	raw(SYS_exit, 127, 0, 0);
	return 0;
}

static int spawn_program(struct sandbox *s, int ctl_fd, int dir_fd)
{
	int *fd = birth.fd;

	fd[MDUMP_FD_RAM] = reopen_read_only(s->ram.fd);
	fd[MDUMP_FD_CTL] = ctl_fd;
	fd[MDUMP_FD_WAKE] = m.wake;
	fd[MDUMP_FD_NOTIFY] = s->event_fd;
	fd[MDUMP_FD_JAIL] = syscall(SYS_pidfd_open, s->jail.pid, 0);
	fd[MDUMP_FD_STAT] = open_stat(s->jail.pid);
	fd[MDUMP_FD_DIR] = dir_fd;
	fd[MDUMP_FD_OUT] = m.out;
	m.pid = clone(become, birth.stack + sizeof(birth.stack), CLONE_VM | SIGCHLD, NULL);
	close(fd[MDUMP_FD_RAM]);
	close(fd[MDUMP_FD_JAIL]);
	close(fd[MDUMP_FD_STAT]);
	return m.pid < 0 ? -1 : 0;
}

/* Something is missing: the sandbox runs without, and a crash says why there is no dump. */
static int without(const char *why)
{
	snprintf(m.why, sizeof(m.why), "%s", why);
	return 0;
}

int mdump_start(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;
	char why[PATH_MAX + 64];
	int dir = -1, ctl, r;

	if (c->no_dump)
		return 0;
	if (c->dump_to)
		m.out = mdump_connect(c->dump_to, e);
	else
		dir = mdump_open_dir(c->dump_dir, m.dir, sizeof(m.dir), why, sizeof(why));
	if (c->dump_to && m.out < 0)
		return -1;
	if (!c->dump_to && dir < 0)
		return c->dump_dir ? err_set(e, 125, "--dump-dir %s", why) : without(why);
	if (find_program(birth.program, sizeof(birth.program)))
		return without("there is no husk-mdump beside husk; run make");
	m.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ctl = make_ctl(s);
	r = m.wake < 0 || ctl < 0 || spawn_program(s, ctl, dir);
	if (r)
		without(strerror(errno));
	close(dir);
	close(ctl);
	return 0;
}

void mdump_arm(struct sandbox *s)
{
	const struct sandbox_config *c = s->config;
	struct hostif_boot *b = ram_boot(&s->ram);
	struct mdump_ctl *ctl = m.ctl;

	if (m.pid <= 0)
		return;
	ctl->version = MDUMP_VERSION;
	ctl->size = sizeof(*ctl);
	ctl->level = c->dump_level;
	ctl->compression = c->dump_compress;
	ctl->watchdog_s = c->watchdog_s;
	ctl->ram_size = s->ram.size;
	ctl->kernel_phys_end = b->kernel_phys_end;
	ctl->mem_start = b->mem_start;
	ctl->log_phys = b->log_phys;
	ctl->log_size = b->log_size;
	ctl->start_ns = b->boot_realtime_ns;
	ctl->secret = b->secret;
	snprintf(ctl->sandbox, sizeof(ctl->sandbox), "%s", control_name(s));
	snprintf(ctl->release, sizeof(ctl->release), "husk-%s", HUSK_VERSION);
	mdump_read_table(c->kernel, ctl);
	__atomic_store_n(&ctl->magic, MDUMP_MAGIC, __ATOMIC_SEQ_CST);
	ring();
}

/* ---- while the sandbox runs ---- */

static bool gone(void)
{
	siginfo_t si = {0};

	if (!m.dead && m.pid > 0)
		m.dead = !waitid(P_PID, m.pid, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid;
	return m.pid <= 0 || m.dead;
}

static bool busy(uint32_t state)
{
	return state == MDUMP_STOPPING || state == MDUMP_WRITING;
}

static bool over(uint32_t state)
{
	return state == MDUMP_DONE || state == MDUMP_FAILED;
}

bool mdump_crash(struct sandbox *s)
{
	uint32_t state = m.ctl ? READ(m.ctl->state) : 0, reason = m.ctl ? READ(m.ctl->reason) : 0;

	return (busy(state) || over(state)) && reason != MDUMP_REQUEST && reason != MDUMP_NONE;
}

const char *mdump_cause(struct sandbox *s)
{
	static char text[sizeof(m.ctl->cause)];

	if (!m.ctl)
		return "";
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(text) - 1, m.ctl->cause);
	return text;
}

/* One at a time: what the page says of a dump is read before the next one begins. */
static void ask_next(void)
{
	m.ctl->request_level = m.waiting[0].level;
	m.ticket = __atomic_add_fetch(&m.ctl->request, 1, __ATOMIC_SEQ_CST);
	ring();
}

int control_dump(struct control_request *r)
{
	int64_t level = -1, kill = 0;

	if (m.pid <= 0 || gone())
		return control_fail(r, "this sandbox has no dump process: %s",
				    *m.why ? m.why : "it was started with --no-dump");
	if (!control_get_number(r->json, "level", &level) && (level < 0 || level > MDUMP_D_MAX))
		return control_fail(r, "a level is 0 to %u", MDUMP_D_MAX);
	if (m.nwaiting == CONTROL_MAX_CONNS)
		return control_fail(r, "too many dumps are wanted at once");
	control_get_number(r->json, "kill", &kill);
	m.waiting[m.nwaiting].kill = kill;
	m.waiting[m.nwaiting].level = level;
	m.waiting[m.nwaiting++].conn = r->conn;
	r->later = true;
	if (m.nwaiting == 1)
		ask_next();
	return 0;
}

/* A place where a file name from outside the monitor is shown. */
static void file_name(char *out, size_t n)
{
	char name[sizeof(m.ctl->name)];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, m.ctl->name);
	for (char *p = name; *p; p++)
		if (*p == '/' || *p < 33 || *p > 126)
			*p = '?';
	if (m.out >= 0)
		snprintf(out, n, "%s", "(sent)");
	else
		snprintf(out, n, "%s/%s", m.dir, name);
}

bool mdump_waiting(void)
{
	return m.nwaiting;
}

static void tell(struct sandbox *s, int conn, bool failed)
{
	static char path[PATH_MAX + 128], quoted[2 * PATH_MAX], text[2 * PATH_MAX + 256];
	const struct mdump_ctl *c = m.ctl;

	if (failed) {
		snprintf(text, sizeof(text), "the dump could not be written: %s", strerror(c->error));
		control_reply(s, conn, NULL, text);
		return;
	}
	file_name(path, sizeof(path));
	if (!control_json_quote(quoted, sizeof(quoted), path))
		strcpy(quoted, "\"\"");
	snprintf(text, sizeof(text),
		 "\"path\":%s,\"bytes\":%llu,\"tasks\":%u,\"registers_lost\":%u,\"bytes_lost\":%llu,\"lost\":%u,\"ns\":"
		 "%llu",
		 quoted, (unsigned long long)c->file_size, c->ntasks, c->nregs_lost, (unsigned long long)c->bytes_lost,
		 c->lost, (unsigned long long)(c->end_ns - c->begin_ns));
	control_reply(s, conn, text, NULL);
}

/* The main loop's turn: dumps that were asked for and are done; progress for those that wait. A crash's dump is everybody's. */
void mdump_poll(struct sandbox *s)
{
	uint32_t served = m.ctl ? READ(m.ctl->served) : 0, state = m.ctl ? READ(m.ctl->state) : 0;
	bool done = (int32_t)(served - m.ticket) >= 0, lost = !done && gone(), all = lost || mdump_crash(s);
	char text[128];
	unsigned n = m.nwaiting, told = !n || !(done || lost) ? 0 : all ? n : 1;

	for (unsigned i = 0; i < told; i++) {
		if (done && m.waiting[i].kill)
			s->killed_by = SIGKILL;
		tell(s, m.waiting[i].conn, lost || state == MDUMP_FAILED);
	}
	m.nwaiting = n -= told;
	memmove(m.waiting, m.waiting + told, n * sizeof(*m.waiting));
	if (told && n)
		ask_next();
	if (n && state == MDUMP_WRITING) {
		snprintf(text, sizeof(text), "\"done\":%llu,\"total\":%llu", (unsigned long long)m.ctl->bytes_done,
			 (unsigned long long)m.ctl->bytes_total);
		for (unsigned i = 0; i < n; i++)
			control_notify(s, m.waiting[i].conn, text);
	}
}

/* ---- the end ---- */

static void show_progress(uint64_t now)
{
	uint64_t done = READ(m.ctl->bytes_done), total = READ(m.ctl->bytes_total), begin = m.ctl->begin_ns;
	double seconds = now > begin ? (now - begin) / 1e9 : 0, rate = seconds > 0 ? done / seconds : 0;

	if (!isatty(2) || !total || !terminal_foreground() || now - begin < PROGRESS_NS)
		return;
	dprintf(2, "\rhusk: writing the dump: %llu of %llu MiB, %.0f MiB/s, %.0f s left ",
		(unsigned long long)done >> 20, (unsigned long long)total >> 20, rate / (1 << 20),
		rate > 0 && total > done ? (total - done) / rate : 0);
	m.due = true;
}

static bool crash_expected(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	uint32_t state = READ(b->state);

	if (state == HOSTIF_EXITED || s->timed_out || s->killed_by)
		return false;
	return state == HOSTIF_PANIC || mdump_crash(s) || (s->jail_dead && READ(b->phase_ns[HOSTIF_PHASE_ENTRY]));
}

void mdump_finish(struct sandbox *s)
{
	struct pollfd p[2] = {{.fd = s->signal_fd, .events = POLLIN}, {.fd = s->event_fd, .events = POLLIN}};
	unsigned urgent = s->urgent;
	uint64_t v;

	if (m.pid <= 0)
		return;
	if (crash_expected(s)) {
		while (!gone() && !(mdump_crash(s) && over(READ(m.ctl->state))) && s->urgent == urgent) {
			poll(p, 2, 100);
			if (p[0].revents)
				events_signal(s);
			if (p[1].revents && read(s->event_fd, &v, sizeof(v)) < 0)
				v = 0;
			show_progress(clock_ns());
		}
		if (m.due)
			dprintf(2, "\r%*s\r", 76, "");
		if (s->urgent != urgent)
			without("the wait for it was interrupted");
	}
	mdump_poll(s);
	__atomic_store_n(&m.ctl->quit, 1, __ATOMIC_SEQ_CST);
	ring();
}

void mdump_end(void)
{
	if (m.pid <= 0)
		return;
	kill(m.pid, SIGKILL);
	while (waitpid(m.pid, NULL, 0) < 0 && errno == EINTR)
		;
	m.pid = -1;
}

static void human(char *out, size_t n, uint64_t bytes)
{
	if (bytes >= 10u << 20)
		snprintf(out, n, "%llu MiB", (unsigned long long)bytes >> 20);
	else
		snprintf(out, n, "%.1f MiB", bytes / 1048576.0);
}

static void report_lost(uint32_t lost)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} kinds[] = {
		{MDUMP_LOST_TASKS, "the host had no memory for all tasks"},
		{MDUMP_LOST_TASKLIST, "the task list is corrupt (tasks were found by their stacks)"},
		{MDUMP_LOST_PAGES, "the page array is corrupt (nothing was filtered by kind of page)"},
		{MDUMP_LOST_LOG, "the log's state is corrupt"},
		{MDUMP_LOST_MEMORY, "the host had little memory (coarse filtering)"},
		{MDUMP_LOST_COMPRESS, "the host had no memory to compress"},
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (lost & kinds[i].bit)
			say("dump: %s", kinds[i].text);
}

void mdump_report(struct sandbox *s)
{
	static char path[PATH_MAX + 128];
	char size[32], missing[64] = "", regs[64] = "", have[32];
	const struct mdump_ctl *c = m.ctl;

	if (s->config->no_dump)
		return;
	if (!*m.why && (!c || !over(READ(c->state))))
		without(gone() ? "the dump process is gone" : "it did not come to its end");
	else if (!*m.why && READ(c->state) == MDUMP_FAILED)
		snprintf(m.why, sizeof(m.why), "%s: %s", m.dir, strerror(c->error));
	if (*m.why) {
		say("no dump was written: %s", m.why);
		return;
	}
	file_name(path, sizeof(path));
	human(size, sizeof(size), c->file_size);
	if (c->nregs_lost)
		snprintf(regs, sizeof(regs), ", registers of %u lost", c->nregs_lost);
	if (c->bytes_lost) {
		human(have, sizeof(have), c->bytes_lost);
		snprintf(missing, sizeof(missing), "; incomplete: %s missing: %s", have, strerror(c->error));
	}
	say("dump: %s (%s, %u tasks%s%s)", path, size, c->ntasks, regs, missing);
	report_lost(c->lost);
}
