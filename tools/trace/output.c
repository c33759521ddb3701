// SPDX-License-Identifier: Apache-2.0
// Output: text gathered and written in large pieces, to a file, a command, or standard error.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "print.h"

#define ENOUGH (256u << 10)

struct out {
	int fd;
	pid_t command;
	struct text text;
	uint64_t written;
	bool failed, raw_terminal;
};

static pid_t start_command(const char *command, int *fd)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot start a process: %s", strerror(errno));
	if (!pid) {
		dup2(pair[0], 0);
		signal(SIGPIPE, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pair[0]);
	*fd = pair[1];
	return pid;
}

struct out *out_open(const char *name, bool append)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		die("out of memory");
	if (!name) {
		o->fd = 2;
		o->raw_terminal = isatty(2);
	} else if (*name == '|' || *name == '!') {
		o->command = start_command(name + 1, &o->fd);
	} else {
		o->fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (append ? O_APPEND : O_TRUNC), 0666);
	}
	if (o->fd < 0)
		die("cannot write %s: %s", name, strerror(errno));
	text_grow(&o->text, ENOUGH + 65536);
	return o;
}

struct text *out_text(struct out *o)
{
	return &o->text;
}

bool out_failed(const struct out *o)
{
	return o->failed;
}

static void write_all(struct out *o, const char *s, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len && !o->failed) {
		n = write(o->fd, s + done, len - done);
		if (n >= 0)
			done += n;
		else if (errno != EINTR) {
			trouble("cannot write the trace: %s", strerror(errno));
			o->failed = true;
		}
	}
}

/* husk run has the terminal in raw mode: a line needs its carriage return. */
static void write_lines(struct out *o)
{
	const char *s = o->text.s, *end = s + o->text.n, *nl;

	for (; s < end && (nl = memchr(s, '\n', end - s)); s = nl + 1) {
		write_all(o, s, nl - s);
		write_all(o, "\r\n", 2);
	}
	write_all(o, s, end - s);
}

void out_flush(struct out *o)
{
	if (o->raw_terminal)
		write_lines(o);
	else
		write_all(o, o->text.s, o->text.n);
	o->written += o->text.n;
	text_reset(&o->text);
}

uint64_t out_position(struct out *o)
{
	return o->written + o->text.n;
}

void out_check(struct out *o)
{
	if (o->text.n >= ENOUGH)
		out_flush(o);
}

void out_close(struct out *o)
{
	out_flush(o);
	if (o->fd != 2)
		close(o->fd);
	while (o->command && waitpid(o->command, NULL, 0) < 0 && errno == EINTR)
		;
	free(o->text.s);
	free(o);
}
