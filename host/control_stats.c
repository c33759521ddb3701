// SPDX-License-Identifier: Apache-2.0
// Requests that the guest kernel must answer: its counters, a signal to a task. The monitor waits for it without standing still.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "control.h"
#include "run.h"

/**
 * DOC: waiting for the kernel
 *
 * A request raises a number in RAM and posts an event; the kernel writes its answer and then the number that it saw. The main loop
 * looks every LOOK_MS while somebody waits. A kernel that says nothing for PATIENCE_NS is wedged (or ended, or is still booting):
 * counters are then shown as they were last, with "fresh": false; a signal was not sent. What is in RAM is the guest's word: copied
 * once, never used as an index or a length here.
 */
#define MAX_WAITERS CONTROL_MAX_CONNS
#define PATIENCE_NS 300000000u
#define LOOK_MS 1
#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

static struct waiter {
	int conn;
	uint32_t request;
	uint64_t until;
	bool kill;
} waiters[MAX_WAITERS];
static unsigned nwaiters;
static uint32_t stats_request, kill_request; /* kept here: what RAM says of them is the guest's word */

static int later(struct control_request *r, uint32_t request, bool kill)
{
	if (nwaiters == MAX_WAITERS)
		return control_fail(r, "too many requests wait for the kernel; try again");
	waiters[nwaiters++] = (struct waiter){r->conn, request, clock_ns() + PATIENCE_NS, kill};
	r->later = 1;
	return 0;
}

/* "tasks": true: the list of tasks too, which the client then reads from RAM. */
int control_stats(struct control_request *r)
{
	struct hostif_boot *b = ram_boot(&r->s->ram);
	bool tasks = false;

	control_get_bool(r->json, "tasks", &tasks);
	__atomic_store_n(&b->stats_request, ++stats_request, __ATOMIC_SEQ_CST);
	events_post(r->s, HOSTIF_EV_STATS | (tasks ? HOSTIF_EV_TASKS : 0));
	return later(r, stats_request, false);
}

int control_kill(struct control_request *r)
{
	struct hostif_boot *b = ram_boot(&r->s->ram);
	int64_t pid, sig = SIGTERM;

	if (control_get_number(r->json, "pid", &pid) || pid < 1 || pid > INT32_MAX)
		return control_fail(r, "\"pid\" must be the number of a task in the sandbox");
	if ((control_get_number(r->json, "sig", &sig) && strstr(r->json, "\"sig\"")) || sig < 0 || sig > 64)
		return control_fail(r, "\"sig\" must be a signal's number, 0 to 64");
	for (unsigned i = 0; i < nwaiters; i++)
		if (waiters[i].kill)
			return control_fail(r, "another signal is on its way; try again");
	b->kill.pid = pid;
	b->kill.sig = sig;
	__atomic_store_n(&b->kill.request, ++kill_request, __ATOMIC_SEQ_CST);
	events_post(r->s, HOSTIF_EV_KILL);
	return later(r, kill_request, true);
}

/* The structure as it was at one moment; false if the kernel never wrote one, or writes without end. */
static bool copy_stats(struct sandbox *s, struct hostif_stats *out)
{
	const struct hostif_stats *in = &ram_boot(&s->ram)->stats;

	for (int tries = 0; tries < 100; tries++) {
		uint32_t seq = READ(in->seq);

		for (size_t i = 0; i < sizeof(*out) / 4; i++)
			((uint32_t *)out)[i] = __atomic_load_n((const uint32_t *)in + i, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && READ(in->seq) == seq)
			return seq != 0;
	}
	return false;
}

static void put_numbers(char *out, size_t n, const struct hostif_stats *s)
{
#define U(x) ((unsigned long long)(x))
	snprintf(out, n,
		 ",\"time_ns\":%llu,\"processes\":%u,\"tasks\":%u,\"running\":%u,\"blocked\":%u,\"zombies\":%u,\"max_"
		 "tasks\":%u,"
		 "\"cpu_ns\":%llu,\"syscalls\":%llu,\"faults\":%llu,\"major_faults\":%llu,\"switches\":%llu,"
		 "\"involuntary_switches\":%llu,\"forks\":%llu,\"read_chars\":%llu,\"write_chars\":%llu,\"read_bytes\":"
		 "%llu,"
		 "\"write_bytes\":%llu,\"mem_total\":%llu,\"mem_free\":%llu,\"mem_available\":%llu,\"mem_cached\":%llu,"
		 "\"mem_anon\":%llu,\"mem_shmem\":%llu,\"mem_slab\":%llu,\"mem_pagetables\":%llu,\"mem_dirty\":%llu,"
		 "\"tasks_phys\":%llu,\"listed_tasks\":%u,\"unlisted_tasks\":%u",
		 U(s->time), s->processes, s->threads, s->running, s->blocked, s->zombies, s->max_threads, U(s->cpu),
		 U(s->syscalls), U(s->min_flt), U(s->maj_flt), U(s->nvcsw), U(s->nivcsw), U(s->forks), U(s->rchar),
		 U(s->wchar), U(s->read_bytes), U(s->write_bytes), U(s->mem_total), U(s->mem_free), U(s->mem_available),
		 U(s->mem_cached), U(s->mem_anon), U(s->mem_shmem), U(s->mem_slab), U(s->mem_pagetables),
		 U(s->mem_dirty), U(s->tasks_phys), s->ntasks, s->more_tasks);
#undef U
}

static void answer_stats(struct sandbox *s, const struct waiter *w, bool fresh)
{
	struct hostif_stats stats = {0};
	char text[2048];
	bool known = copy_stats(s, &stats);
	int n = snprintf(text, sizeof(text), "\"known\":%s,\"fresh\":%s", known ? "true" : "false",
			 known && fresh ? "true" : "false");

	if (known)
		put_numbers(text + n, sizeof(text) - n, &stats);
	control_reply(s, w->conn, text, NULL);
}

static void answer_kill(struct sandbox *s, const struct waiter *w, bool fresh)
{
	int32_t result = READ(ram_boot(&s->ram)->kill.result);
	char text[128];

	if (!fresh)
		snprintf(text, sizeof(text), "the sandbox's kernel does not answer");
	else if (result == -ESRCH)
		snprintf(text, sizeof(text), "there is no such task in the sandbox");
	else
		snprintf(text, sizeof(text), "the signal was not sent: %s",
			 result < 0 && result > -4096 ? strerror(-result) : "?");
	control_reply(s, w->conn, NULL, fresh && !result ? NULL : text);
}

/* Later than asked for is fresh too: one refresh serves all who wait. */
static bool answered(struct sandbox *s, const struct waiter *w)
{
	struct hostif_boot *b = ram_boot(&s->ram);

	return (int32_t)((w->kill ? READ(b->kill.answered) : READ(b->stats.answered)) - w->request) >= 0;
}

void control_stats_poll(struct sandbox *s)
{
	uint64_t now = nwaiters ? clock_ns() : 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < nwaiters; i++) {
		struct waiter w = waiters[i];
		bool fresh = answered(s, &w);

		if (!control_alive(s, w.conn))
			continue;
		if (!fresh && now < w.until)
			waiters[kept++] = w;
		else if (w.kill)
			answer_kill(s, &w, fresh);
		else
			answer_stats(s, &w, fresh);
	}
	nwaiters = kept;
}

int control_stats_timeout(struct sandbox *s)
{
	return nwaiters ? LOOK_MS : -1;
}
