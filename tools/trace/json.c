// SPDX-License-Identifier: Apache-2.0
// --json: each call, signal and end of a task as one object on a line of its own.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "print.h"

/* Bytes that are not UTF-8 are written as if they were Latin-1: the line stays valid, and nothing is lost. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	size_t len = *s < 0x80		       ? 1
		     : *s >= 0xc2 && *s < 0xe0 ? 2
		     : *s >= 0xe0 && *s < 0xf0 ? 3
		     : *s >= 0xf0 && *s < 0xf5 ? 4
					       : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
	    (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void quote(struct text *t, const char *s, size_t n)
{
	text_char(t, '"');
	for (size_t i = 0; i < n;) {
		unsigned char c = s[i];
		size_t len = utf8_length((const unsigned char *)s + i, n - i);

		if (c == '"' || c == '\\') {
			text_char(t, '\\');
			text_char(t, c);
			i++;
		} else if (c < 0x20 || c == 0x7f || !len) {
			text_printf(t, "\\u%04x", c);
			i++;
		} else if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0) { /* controls to a terminal, too */
			text_printf(t, "\\u%04x", (unsigned char)s[i + 1]);
			i += 2;
		} else {
			text_mem(t, s + i, len);
			i += len;
		}
	}
	text_char(t, '"');
}

static void head(struct text *t, const struct task *task, const char *type, uint64_t time)
{
	text_printf(t, "{\"type\":\"%s\",\"pid\":%d,\"tid\":%d,\"comm\":", type, task->tgid, task->tid);
	quote(t, task->comm, strlen(task->comm));
	text_printf(t, ",\"time\":%" PRIu64 ".%09u", time / 1000000000, (unsigned)(time % 1000000000));
}

/* Where the argument at s ends: at a comma that is in no quotes, brackets or comment. */
static size_t argument_length(const char *s, size_t n)
{
	int depth = 0;
	bool quoted = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\' && i + 1 < n)
				i++;
			else if (s[i] == '"')
				quoted = false;
			continue;
		}
		if (s[i] == '/' && i + 1 < n && s[i + 1] == '*') {
			const char *end = memmem(s + i + 2, n - i - 2, "*/", 2);

			i = end ? (size_t)(end + 1 - s) : n;
			continue;
		}
		if (s[i] == '"')
			quoted = true;
		else if (strchr("([{", s[i]))
			depth++;
		else if (strchr(")]}", s[i]))
			depth--;
		else if (s[i] == ',' && !depth)
			break;
	}
	return i < n ? i : n;
}

static void arguments(struct text *t, const struct call *c, const char *s, size_t n)
{
	unsigned nr = 0;

	text_str(t, ",\"args\":[");
	while (n) {
		size_t len = argument_length(s, n);

		text_str(t, nr ? ",{\"text\":" : "{\"text\":");
		quote(t, s, len);
		if (nr < 6)
			text_printf(t, ",\"raw\":\"%#" PRIx64 "\"", c->enter->args[nr]);
		text_char(t, '}');
		nr++;
		s += len;
		n -= len;
		while (n && (*s == ',' || *s == ' ')) {
			s++;
			n--;
		}
	}
	text_char(t, ']');
}

static void result(struct text *t, const struct hostif_trace_rec *exit)
{
	if (call_failed(exit)) {
		const char *name = decode_errno(-exit->ret);

		text_printf(t, ",\"ret\":-1,\"errno\":\"%s\"", name ? name : "?");
		if (exit->flags & TRACE_F_RESTART)
			text_str(t, ",\"restarts\":true");
	} else {
		text_printf(t, ",\"ret\":%" PRId64, exit->ret);
	}
	if (exit->flags & TRACE_F_INJECTED)
		text_str(t, ",\"injected\":true");
	if (exit->flags & TRACE_F_DELAYED)
		text_str(t, ",\"delayed\":true");
	text_printf(t, ",\"duration\":%" PRIu64 ".%09u", exit->ticket / 1000000000,
		    (unsigned)(exit->ticket % 1000000000));
}

void json_call(struct text *t, const struct task *task, const struct call *c, const struct options *o,
	       uint64_t realtime)
{
	static struct text text;
	const char *open;
	size_t skip;

	head(t, task, "call", c->enter->time + realtime);
	text_printf(t, ",\"call\":\"%s\",\"nr\":%d", decode_name(c->nr), c->nr);
	text_reset(&text);
	decode_enter(&text, c, &o->decode);
	decode_exit(&text, c, &o->decode);
	open = memchr(text.s, '(', text.n);
	skip = open ? (size_t)(open + 1 - text.s) : text.n;
	arguments(t, c, text.s + skip, text.n - skip);
	if (c->exit) {
		text_reset(&text);
		decode_result(&text, c, &o->decode);
		skip = text.n > 3 && !memcmp(text.s, " = ", 3) ? 3 : 0;
		text_str(t, ",\"result\":");
		quote(t, text.s + skip, text.n - skip);
		result(t, c->exit);
	}
	text_printf(t, ",\"ip\":\"%#" PRIx64 "\"", c->enter->ip);
	if (o->stacks) {
		text_reset(&text);
		stack_print(&text, c);
		text_str(t, ",\"stack\":");
		quote(t, text.s, text.n);
	}
	text_str(t, "}\n");
}

void json_event(struct text *t, const struct task *task, const struct hostif_trace_rec *r, const struct options *o,
		uint64_t realtime)
{
	static struct text text;
	int status = r->ret;

	switch (r->type) {
	case TRACE_SIGNAL:
		head(t, task, "signal", r->time + realtime);
		text_reset(&text);
		decode_signal(&text, r, &o->decode);
		text_printf(t, ",\"signal\":\"%s\",\"info\":", decode_signal_name(r->nr));
		quote(t, text.s, text.n);
		break;
	case TRACE_STOP:
		head(t, task, "stop", r->time + realtime);
		text_printf(t, ",\"signal\":\"%s\"", decode_signal_name(r->nr));
		break;
	case TRACE_GONE:
		head(t, task, "exit", r->time + realtime);
		if (WIFSIGNALED(status))
			text_printf(t, ",\"signal\":\"%s\",\"core\":%s", decode_signal_name(WTERMSIG(status)),
				    WCOREDUMP(status) ? "true" : "false");
		else
			text_printf(t, ",\"status\":%d", WEXITSTATUS(status));
		break;
	case TRACE_EXEC:
		head(t, task, "superseded", r->time + realtime);
		text_printf(t, ",\"by\":%d", (int)r->args[0]);
		break;
	case TRACE_LOST:
		head(t, task, "lost", r->time + realtime);
		text_printf(t, ",\"records\":%" PRId64, r->ret);
		break;
	default:
		head(t, task, r->type == TRACE_NEWTASK ? "new" : "attach", r->time + realtime);
		text_printf(t, ",\"parent\":%d", (int)r->args[0]);
	}
	text_str(t, "}\n");
}
