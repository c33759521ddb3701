// SPDX-License-Identifier: Apache-2.0
// A session with a sandbox: its RAM mapped here, the trace switched on and off.

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../host/trace.h"
#include "../client/client.h"
#include "trace.h"

#define RING_DEFAULT (512u << 10)
#define RING_MOST (4u << 20)
#define WAIT_MS 5000   /* a writer gives us up when the beat stops for so long */
#define BEAT_US 200000 /* so often it beats */
#define OFF_MS 2000    /* the kernel's time to switch the trace off */

void *session_ptr(struct session *s, uint64_t phys, uint64_t len)
{
	if (len > s->ram_size || phys > s->ram_size - len)
		return NULL;
	return s->ram + phys;
}

static struct hostif_boot *boot_page(struct session *s)
{
	return (struct hostif_boot *)s->ram;
}

static void map_ram(struct session *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size < (off_t)sizeof(struct hostif_boot))
		die("the sandbox's memory cannot be looked at");
	s->ram_size = st.st_size;
	s->ram = mmap(NULL, s->ram_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (s->ram == MAP_FAILED)
		die("cannot map the sandbox's memory: %s", strerror(errno));
	madvise(s->ram, s->ram_size, MADV_NOHUGEPAGE); /* who looks takes no memory that the sandbox did not take */
	close(fd);
}

static void find_directory(struct session *s, uint64_t phys)
{
	struct hostif_boot *b = boot_page(s);

	if (b->magic != HOSTIF_MAGIC || b->version != HOSTIF_VERSION || b->size != sizeof(*b))
		die("the sandbox was started by another version of husk");
	s->dir = phys % 64 ? NULL : session_ptr(s, phys, sizeof(*s->dir));
	if (!phys || !s->dir)
		die("the sandbox has no room for a trace");
}

/* The kernel's event: something for it to look at. */
static void ring_kernel(struct session *s)
{
	struct hostif_boot *b = boot_page(s);

	__atomic_fetch_or(&b->event_bits, HOSTIF_EV_TRACE, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&b->event_kick, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &b->event_kick, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- what is wanted ---- */

static uint32_t ring_size(unsigned limit)
{
	uint32_t size = RING_DEFAULT;

	/* a record may take a quarter, and have several strings */
	while (size < RING_MOST && size / 16 < limit)
		size *= 2;
	return size;
}

static void fill_directory(struct hostif_trace *d, const struct options *o)
{
	bool memory = o->summary != 'c' || o->paths.n;

	d->version = HOSTIF_TRACE_VERSION;
	d->size = sizeof(*d);
	d->string_limit = o->decode.string_limit;
	d->ring_size = ring_size(o->decode.string_limit);
	d->wait_ms = o->no_wait ? 0 : WAIT_MS;
	d->flags = (memory ? TRACE_WANT_MEMORY : 0) | (o->decode.fd_paths || o->paths.n ? TRACE_WANT_FDPATHS : 0) |
		   (o->stacks ? TRACE_WANT_STACKS : 0) | (o->signals && o->summary != 'c' ? TRACE_WANT_SIGNALS : 0) |
		   (o->decode.verbose ? TRACE_WANT_VERBOSE : 0) |
		   (o->durations || o->summary || o->histogram || o->json || o->dump ? TRACE_WANT_TIMES : 0);
	memset(d->calls, 0, sizeof(d->calls));
	for (unsigned i = 0; i < HOSTIF_TRACE_NR; i++) {
		bool injected = false;

		for (unsigned k = 0; k < o->nrules; k++)
			injected |= o->rules[k].calls[i / 64] >> (i % 64) & 1;
		if (o->calls[i] || injected)
			d->calls[i / 64] |= 1ULL << (i % 64);
	}
	memcpy(d->pids, o->pids, sizeof(d->pids));
	d->npids = o->npids;
	memcpy(d->rule, o->rules, sizeof(d->rule));
	d->nrules = o->nrules;
	d->lost = 0;
}

/* One reader at a time. One that died left its pid. */
static void take_ownership(struct hostif_trace *d)
{
	uint32_t owner = __atomic_load_n(&d->owner, __ATOMIC_SEQ_CST);

	for (;;) {
		if (owner && owner <= INT_MAX && owner != (uint32_t)getpid() && (!kill(owner, 0) || errno == EPERM))
			die("the sandbox is being traced already, by process %u", owner);
		if (__atomic_compare_exchange_n(&d->owner, &owner, getpid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
	}
}

/* What the rings still have of an earlier trace is not ours. */
static void forget_old(struct session *s)
{
	uint32_t n = s->dir->nrings;

	for (uint32_t i = 0; i < n && i < HOSTIF_TRACE_RINGS; i++) {
		struct hostif_trace_ring *h = session_ptr(s, s->dir->ring[i], sizeof(*h));

		if (s->dir->ring[i] && h && s->dir->ring[i] % 64 == 0)
			__atomic_store_n(&h->tail, __atomic_load_n(&h->head, __ATOMIC_ACQUIRE) & ~7ULL,
					 __ATOMIC_SEQ_CST);
	}
}

static void *beat_main(void *arg)
{
	struct session *s = arg;

	for (;;) {
		__atomic_add_fetch(&s->dir->beat, 1, __ATOMIC_SEQ_CST);
		usleep(BEAT_US);
	}
	return NULL;
}

static void switch_on(struct session *s, const struct options *o)
{
	struct hostif_trace *d = s->dir;
	pthread_t t;

	take_ownership(d);
	forget_old(s);
	fill_directory(d, o);
	__atomic_add_fetch(&d->beat, 1, __ATOMIC_SEQ_CST);
	if (pthread_create(&t, NULL, beat_main, s))
		die("cannot start a thread: %s", strerror(errno));
	pthread_detach(t);
	__atomic_add_fetch(&d->generation, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&d->on, 1, __ATOMIC_SEQ_CST);
	s->on = true;
}

/* ---- a program of our own ---- */

static int receive_hello(int fd, struct trace_hello *h)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {h, sizeof(*h)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room)};
	struct cmsghdr *c;
	ssize_t n;
	int ram;

	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*h) || h->magic != TRACE_HELLO_MAGIC)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&ram, CMSG_DATA(c), sizeof(ram));
	return ram;
}

static void exec_run(int fd, char **run_args, char **program)
{
	char self[PATH_MAX - 8], path[PATH_MAX], number[16];
	size_t n = 0, i = 0;
	char **argv;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		len = 0;
	self[len] = 0;
	*(strrchr(self, '/') ? strrchr(self, '/') + 1 : self) = 0;
	snprintf(path, sizeof(path), "%shusk", self);
	snprintf(number, sizeof(number), "%d", fd);
	for (char **a = run_args; *a; a++)
		n++;
	for (char **a = program; *a; a++)
		n++;
	argv = calloc(n + 6, sizeof(*argv));
	if (!argv)
		die("out of memory");
	argv[i++] = (char *)"husk";
	argv[i++] = (char *)"run";
	argv[i++] = (char *)"--trace-fd";
	argv[i++] = number;
	for (char **a = run_args; *a; a++)
		argv[i++] = *a;
	argv[i++] = (char *)"--";
	for (char **a = program; *a; a++)
		argv[i++] = *a;
	execv(path, argv);
	die("cannot start %s: %s", path, strerror(errno));
}

/* Signals of the terminal are for the program; the trace goes on until it has ended. */
static void leave_signals_to_child(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
}

void session_start(struct session *s, const struct options *o, char **run_args, char **program)
{
	struct trace_hello hello;
	int pair[2], ram;

	s->control = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		die("cannot make a socket: %s", strerror(errno));
	s->child = fork();
	if (s->child < 0)
		die("cannot start a process: %s", strerror(errno));
	if (!s->child) {
		close(pair[0]);
		exec_run(pair[1], run_args, program);
	}
	close(pair[1]);
	leave_signals_to_child();
	ram = receive_hello(pair[0], &hello);
	if (ram < 0) { /* husk run has said why */
		while (waitpid(s->child, &s->status, 0) < 0 && errno == EINTR)
			;
		exit(WIFEXITED(s->status) ? WEXITSTATUS(s->status) : 128 + WTERMSIG(s->status));
	}
	map_ram(s, ram);
	find_directory(s, hello.trace_phys);
	switch_on(s, o);
	if (write(pair[0], "g", 1) != 1)
		trouble("husk run is gone");
	close(pair[0]);
}

/* ---- a running sandbox ---- */

/* With -p: was there such a process? */
static void check_matched(struct session *s, const struct options *o)
{
	for (unsigned i = 0; i < OFF_MS && !__atomic_load_n(&s->dir->state, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	if (!__atomic_load_n(&s->dir->state, __ATOMIC_ACQUIRE)) {
		session_detach(s);
		die("the sandbox's kernel does not answer");
	}
	if (o->npids && !s->dir->matched) {
		session_detach(s);
		die("there is no process %d in the sandbox; husk ps and ps inside show them", o->pids[0]);
	}
}

void session_attach(struct session *s, const struct options *o, const char *sandbox)
{
	struct client_error e;
	struct client_answer a;
	struct client c;

	if (client_connect(sandbox, &c, &e))
		die("%s; to trace a program: husk trace -- PROGRAM", e.text);
	if (client_call(&c, "{\"cmd\":\"ram\",\"rw\":true}", &a, NULL, NULL, &e))
		die("%s", e.text);
	if (!a.nfds)
		die("the sandbox gave no memory");
	s->control = c.fd;
	map_ram(s, a.fd[0]);
	a.fd[0] = -1;
	client_answer_free(&a);
	find_directory(s, boot_page(s)->trace_phys);
	switch_on(s, o);
	ring_kernel(s);
	check_matched(s, o);
}

void session_detach(struct session *s)
{
	if (!s->on)
		return;
	s->on = false;
	__atomic_store_n(&s->dir->on, 0, __ATOMIC_SEQ_CST);
	ring_kernel(s);
	for (unsigned i = 0; i < OFF_MS && __atomic_load_n(&s->dir->state, __ATOMIC_ACQUIRE) && session_alive(s); i++)
		usleep(1000);
	__atomic_store_n(&s->dir->owner, 0, __ATOMIC_SEQ_CST);
}

bool session_alive(struct session *s)
{
	struct pollfd p = {.fd = s->control, .events = POLLIN};
	int r;

	if (s->over)
		return false;
	if (s->child) {
		r = waitpid(s->child, &s->status, WNOHANG);
		s->over = r == s->child || (r < 0 && errno == ECHILD);
	} else {
		s->over = poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
	}
	return !s->over;
}
