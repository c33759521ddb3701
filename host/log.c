// SPDX-License-Identifier: Apache-2.0
// The kernel's log: follows the ring in RAM and writes its lines to stderr or a file.

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "klines.h"
#include "sandbox.h"

/*
 * DOC: reading a ring that is not to be trusted
 *
 * Place and size were copied before the sandbox started; only log_head is read afterwards, and only as a counter: the reader
 * takes at most one ring's worth behind it. Text may change while it is copied (the kernel overtakes the reader, or is
 * hostile), so it is copied first and cleaned after that: what is not printable is shown as '?', so that the guest kernel
 * cannot send commands to the terminal.
 */
#define LINE_MAX_LOG 1024
#define REPLAY_BYTES 16384
#define LEVEL_REPORT 3 /* lines of reports */
#define NOTE_ROOM 256  /* " (file:line)" */

struct log_reader {
	struct hostif_boot *boot;
	const char *ring;
	uint64_t size, tail;
	int fd, level;
	bool to_stderr;
	int stop;
	bool have_thread;
	pthread_t thread;
	char line[LINE_MAX_LOG];
	size_t len;
	struct klines lines;
};

static void put(int fd, const char *p, size_t n)
{
	struct pollfd pf = {.fd = fd, .events = POLLOUT};

	while (n) {
		ssize_t w = write(fd, p, n);

		if (w >= 0) {
			p += w;
			n -= w;
		} else if (errno == EAGAIN) {
			if (poll(&pf, 1, 1000) <= 0)
				return;
		} else if (errno != EINTR) {
			return;
		}
	}
}

void say(const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int n = snprintf(buf, sizeof(buf), "husk: ");

	va_start(ap, fmt);
	n += vsnprintf(buf + n, sizeof(buf) - n - 2, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(buf) - 3)
		n = sizeof(buf) - 3;
	if (terminal_is_raw())
		buf[n++] = '\r';
	buf[n++] = '\n';
	put(2, buf, n);
}

static int level_of(const char *line, size_t n)
{
	return n >= 3 && line[0] == '<' && line[2] == '>' && line[1] >= '0' && line[1] <= '7' ? line[1] - '0' : 6;
}

/* one whole line, "<L>text": to stderr without its level, to a file with it */
static void emit_line(struct log_reader *l, const char *line, size_t n, int fd, bool to_stderr, int level)
{
	char buf[LINE_MAX_LOG + NOTE_ROOM];
	bool report = level_of(line, n) <= LEVEL_REPORT;
	size_t out = 0, text = 0;

	if (level_of(line, n) > level)
		return;
	if (!to_stderr && n >= 3 && line[0] == '<')
		text = 3;
	if (to_stderr && n >= 3 && line[0] == '<' && line[2] == '>') {
		line += 3;
		n -= 3;
	}
	for (size_t i = 0; i < n && i < LINE_MAX_LOG; i++) {
		unsigned char c = line[i];

		buf[out++] = c == '\t' || (c >= 32 && c < 127) ? c : '?';
	}
	if (report)
		out = text + klines_note(&l->lines, buf + text, out - text, sizeof(buf) - 2 - text);
	if (to_stderr && terminal_is_raw())
		buf[out++] = '\r';
	buf[out++] = '\n';
	put(fd, buf, out);
}

static void take(struct log_reader *l, const char *p, size_t n)
{
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t part = nl ? (size_t)(nl - p) : n, room = sizeof(l->line) - l->len;

		memcpy(l->line + l->len, p, part < room ? part : room); /* what is too long is cut */
		l->len += part < room ? part : room;
		if (!nl)
			return;
		emit_line(l, l->line, l->len, l->fd, l->to_stderr, l->level);
		l->len = 0;
		p = nl + 1;
		n -= part + 1;
	}
}

static uint64_t ring_head(struct log_reader *l)
{
	return __atomic_load_n(&l->boot->log_head, __ATOMIC_ACQUIRE);
}

/* Copies up to n bytes from position pos of the ring. */
static size_t ring_copy(struct log_reader *l, uint64_t pos, char *to, size_t n)
{
	size_t at = pos & (l->size - 1), first = l->size - at;

	if (first > n)
		first = n;
	memcpy(to, l->ring + at, first);
	memcpy(to + first, l->ring, n - first);
	return n;
}

static void read_new(struct log_reader *l)
{
	char buf[4096];
	uint64_t head = ring_head(l), lost;
	size_t n;

	while (head != l->tail) {
		if (head - l->tail > l->size) {
			lost = head - l->tail - l->size;
			l->tail = head - l->size;
			l->len = 0;
			if (head < l->size) /* the counter went backwards: start again from here */
				l->tail = head;
			else
				dprintf(l->fd, "husk: %llu bytes of the log were lost\n", (unsigned long long)lost);
			continue;
		}
		n = head - l->tail < sizeof(buf) ? head - l->tail : sizeof(buf);
		ring_copy(l, l->tail, buf, n);
		l->tail += n;
		take(l, buf, n);
		if (head == l->tail && !__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE))
			head = ring_head(l);
	}
}

static void *log_thread(void *arg)
{
	struct log_reader *l = arg;
	struct hostif_boot *b = l->boot;

	while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) {
		uint32_t seen = __atomic_load_n(&b->log_kick, __ATOMIC_SEQ_CST);

		__atomic_store_n(&b->log_kick_sleep, 1, __ATOMIC_SEQ_CST);
		if (ring_head(l) == l->tail && !__atomic_load_n(&l->stop, __ATOMIC_SEQ_CST))
			syscall(SYS_futex, &b->log_kick, FUTEX_WAIT, seen, NULL, NULL, 0);
		__atomic_store_n(&b->log_kick_sleep, 0, __ATOMIC_SEQ_CST);
		read_new(l);
	}
	return NULL;
}

/**
 * log_start - follow the kernel's log
 * @phys, @size: the ring. @fd: where to; @to_stderr: for people's eyes: no level in front
 * @level: highest level written; -1: nothing is written and there is no thread, only log_replay() works
 */
struct log_reader *log_start(struct ram *r, uint64_t phys, uint64_t size, int fd, bool to_stderr, int level)
{
	struct log_reader *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->boot = ram_boot(r);
	l->ring = r->base + phys;
	l->size = size;
	l->lines.fd = r->kernel_fd;
	l->fd = fd;
	l->to_stderr = to_stderr;
	l->level = level;
	l->have_thread = level >= 0 && !thread_start(&l->thread, log_thread, l);
	return l;
}

void log_finish(struct log_reader *l)
{
	if (!l)
		return;
	if (l->have_thread) {
		__atomic_store_n(&l->stop, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&l->boot->log_kick, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &l->boot->log_kick, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
		pthread_join(l->thread, NULL);
		l->have_thread = false;
	}
	if (l->level >= 0)
		read_new(l);
}

void log_replay(struct log_reader *l, unsigned lines)
{
	static char buf[REPLAY_BYTES];
	uint64_t head;
	size_t n, at, end;

	if (!l)
		return;
	head = ring_head(l);
	n = head < l->size ? head : l->size;
	if (n > sizeof(buf))
		n = sizeof(buf);
	ring_copy(l, head - n, buf, n);
	while (n && buf[n - 1] == '\n')
		n--;
	for (at = n; at && lines; at--)
		if (buf[at - 1] == '\n' && !--lines)
			break;
	for (; at < n; at = end + 1) {
		const char *nl = memchr(buf + at, '\n', n - at);

		end = nl ? (size_t)(nl - buf) : n;
		if (!l->to_stderr || level_of(buf + at, end - at) > l->level) /* else it was shown when it came */
			emit_line(l, buf + at, end - at, 2, true, 7);
	}
}
