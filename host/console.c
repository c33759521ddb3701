// SPDX-License-Identifier: Apache-2.0
// Console devices: the guest's terminal and standard streams, to and from descriptors of the host.

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "sandbox.h"
#include "virtq.h"

/*
 * DOC: one thread per direction
 *
 * Input is read only when the guest has posted a buffer, straight into it: what the guest does not ask for stays in the
 * host's pipe, for whoever reads it next. Output is written straight from the guest's buffer, and the buffer is given back when
 * the host took all of it: a full pipe blocks the guest as it would block a process. The end of input, or a reader that
 * is gone, is a buffer given back with length 0.
 */
#define BACKGROUND_POLL_MS 250

struct console {
	struct virtq to_guest, from_guest;
	int in_fd, out_fd, done;
	bool tty, complained;
	int stop, drained;
	pthread_t in_thread, out_thread;
};

/* Waits until in_fd has something. A terminal is only read while it is ours. */
static void wait_input(struct console *c)
{
	struct pollfd p = {.fd = c->in_fd, .events = POLLIN};

	for (;;) {
		if (c->tty && !terminal_foreground()) {
			poll(NULL, 0, BACKGROUND_POLL_MS);
			continue;
		}
		if (poll(&p, 1, -1) <= 0)
			continue;
		if (!c->tty || terminal_foreground())
			return;
	}
}

/* Bytes read, 0 at the end of input. */
static size_t read_input(struct console *c, struct virtq_chain *ch)
{
	ssize_t n;

	if (!ch->nin)
		return 0;
	if (c->tty)
		wait_input(c);
	for (;;) {
		n = readv(c->in_fd, ch->iov + ch->nout, ch->nin);
		if (n >= 0)
			return n;
		if (errno == EAGAIN || errno == EINTR || (errno == EIO && c->tty && !terminal_foreground()))
			wait_input(c);
		else
			return 0;
	}
}

static void *input_main(void *arg)
{
	struct console *c = arg;
	struct virtq_chain *ch = malloc(sizeof(*ch));
	size_t n;
	int r;

	while (ch && (r = virtq_pop(&c->to_guest, ch)) >= 0) {
		if (!r) {
			virtq_wait(&c->to_guest, -1, NULL);
			continue;
		}
		n = read_input(c, ch);
		virtq_push(&c->to_guest, ch->head, n);
		virtq_notify(&c->to_guest);
		if (!n && ch->nin)
			break;
	}
	free(ch);
	return NULL;
}

static void complain(struct console *c, int err)
{
	if (c->complained || err == EPIPE)
		return;
	c->complained = true;
	say("cannot write the program's output to descriptor %d: %s", c->out_fd, strerror(err));
}

/* All of a chain; 0 or an errno. */
static int write_output(struct console *c, struct virtq_chain *ch)
{
	struct pollfd p = {.fd = c->out_fd, .events = POLLOUT};
	struct iovec *v = ch->iov;
	unsigned n = ch->nout;
	ssize_t w;

	while (n) {
		w = writev(c->out_fd, v, n);
		if (w < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		else if (w < 0 && errno != EINTR)
			return errno;
		if (w <= 0)
			continue;
		for (; n && (size_t)w >= v->iov_len; v++, n--)
			w -= v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + w;
			v->iov_len -= w;
		}
	}
	return 0;
}

static void *output_main(void *arg)
{
	struct console *c = arg;
	struct virtq_chain *ch = malloc(sizeof(*ch));
	uint64_t one = 1;
	int r, err;

	while (ch && (r = virtq_pop(&c->from_guest, ch)) >= 0) {
		if (r) {
			err = write_output(c, ch);
			if (err)
				complain(c, err);
			virtq_push(&c->from_guest, ch->head, err ? 0 : ch->out_len);
			virtq_notify(&c->from_guest);
		} else if (__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
			break;
		} else {
			virtq_wait(&c->from_guest, -1, &c->stop);
		}
	}
	free(ch);
	__atomic_store_n(&c->drained, 1, __ATOMIC_RELEASE);
	if (write(c->done, &one, sizeof(one)) < 0)
		return NULL; /* cannot fail: the counter never comes near its end */
	return NULL;
}

/**
 * console_add - a console device over two descriptors; -1 for a direction that is not there
 * Call it before the jail runs, with the queues placed.
 */
struct console *console_add(struct ram *r, struct hostif_device *d, int in_fd, int out_fd, bool tty)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->in_fd = in_fd;
	c->out_fd = out_fd;
	c->tty = tty;
	c->drained = out_fd < 0;
	if ((in_fd >= 0 && virtq_init(&c->to_guest, &d->queue[0], r->base, r->size)) ||
	    (out_fd >= 0 && virtq_init(&c->from_guest, &d->queue[1], r->base, r->size))) {
		free(c);
		return NULL;
	}
	c->to_guest.spin_ns = c->from_guest.spin_ns = 0; /* until traffic shows that it pays */
	return c;
}

int console_start(struct console *c, int done, struct err *e)
{
	int r = 0;

	c->done = done;
	if (c->in_fd >= 0)
		r = thread_start(&c->in_thread, input_main, c);
	if (!r && c->out_fd >= 0)
		r = thread_start(&c->out_thread, output_main, c);
	return r ? err_set(e, 125, "cannot start a thread: %s; see ulimit -u and -v", strerror(r)) : 0;
}

void console_drain(struct console *c)
{
	if (c->out_fd < 0)
		return;
	__atomic_store_n(&c->stop, 1, __ATOMIC_SEQ_CST);
	virtq_wake(&c->from_guest);
}

bool console_drained(const struct console *c)
{
	return __atomic_load_n(&c->drained, __ATOMIC_ACQUIRE);
}

bool console_lost(const struct console *c)
{
	return c->complained;
}
