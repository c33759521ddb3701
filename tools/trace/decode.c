// SPDX-License-Identifier: Apache-2.0
// A call as a line: its name, its arguments before and after, its result.
#include <errno.h>
#include "printers.h"

static const uint64_t no_args[6];

/* Decoding begins: what all printers look at. */
static struct dec begin(struct text *t, const struct call *c, const struct decode_options *o, bool at_exit)
{
	struct dec d = {.t = t, .c = c, .o = o, .a = c->enter ? c->enter->args : no_args};

	if (at_exit && c->exit) {
		d.exit = true;
		d.ret = c->exit->ret;
		d.failed = (uint64_t)d.ret >= (uint64_t)-4095;
	}
	return d;
}

void decode_enter(struct text *t, const struct call *c, const struct decode_options *o)
{
	const struct spec *s = spec_of(c->nr);
	struct dec d = begin(t, c, o, false);

	text_str(t, decode_name(c->nr));
	text_char(t, '(');
	if (!c->enter)
		return;
	for (int i = 0; i < s->nenter; i++) {
		if (i && s->a[i].p != own_comma)
			text_mem(t, ", ", 2);
		s->a[i].fn(&d, i, s->a[i].p);
	}
	if (s->nenter && s->nenter < s->n && s->a[s->nenter].p != own_comma)
		text_mem(t, ", ", 2);
}

void decode_exit(struct text *t, const struct call *c, const struct decode_options *o)
{
	const struct spec *s = spec_of(c->nr);
	struct dec d = begin(t, c, o, true);

	if (!c->enter || !c->exit)
		return;
	for (int i = s->nenter; i < s->n; i++) {
		if (i > s->nenter && s->a[i].p != own_comma)
			text_mem(t, ", ", 2);
		s->a[i].fn(&d, i, s->a[i].p);
	}
}

static void put_error(struct dec *d)
{
	static const struct {
		const char *name, *text;
	} restart[] = {
		[0] = {"ERESTARTSYS", "To be restarted if SA_RESTART is set"},
		[1] = {"ERESTARTNOINTR", "To be restarted"},
		[2] = {"ERESTARTNOHAND", "To be restarted if no handler"},
		[4] = {"ERESTART_RESTARTBLOCK", "Interrupted by signal"},
	};
	int e = -d->ret;
	const char *name;

	if (e >= 512 && e < 512 + (int)(sizeof(restart) / sizeof(restart[0])) && restart[e - 512].name) {
		P("? %s (%s)", restart[e - 512].name, restart[e - 512].text);
		return;
	}
	name = decode_errno(e);
	if (name)
		P("-1 %s (%s)", name, strerrordesc_np(e));
	else if (e == 524)
		S("-1 ENOTSUPP (Operation not supported)");
	else
		P("-1 (errno %d)", e);
}

void decode_result(struct text *t, const struct call *c, const struct decode_options *o)
{
	const struct spec *s = spec_of(c->nr);
	struct dec d = begin(t, c, o, true);

	text_mem(t, " = ", 3);
	if (!c->exit || (c->exit->flags & TRACE_F_NORETURN) || s->result == R_NONE) {
		text_char(t, '?');
		return;
	}
	if (d.failed)
		put_error(&d);
	else if (s->result == R_HEX)
		put_number(&d, d.ret);
	else if (s->result == R_OCT)
		text_printf(t, "%#03o", (unsigned)d.ret);
	else if (s->result == R_FD)
		put_fd(&d, d.ret);
	else if (s->result == R_UDEC)
		text_udec(t, d.ret);
	else if (s->result != R_AUX || !c->enter)
		text_dec(t, d.ret);
	if (s->aux && c->enter)
		s->aux(&d);
	if (c->exit->flags & TRACE_F_INJECTED)
		text_str(t, " (INJECTED)");
}

const char *decode_errno(int err)
{
	return strerrorname_np(err);
}
