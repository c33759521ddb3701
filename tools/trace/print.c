// SPDX-License-Identifier: Apache-2.0
// Records become lines as strace -f prints them.

#include <asm/unistd.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "print.h"

/**
 * DOC: lines
 *
 * A call's beginning is printed with its ENTER record, without an end of line; @open is the task whose line is so begun. When its EXIT
 * comes next, the line is completed. When anything else comes, " <unfinished ...>" ends the line and the EXIT begins a new one with
 * "<... NAME resumed>". Where it is not known at the beginning whether a call will be shown (-z, --status, -P of a result, JSON) nothing is
 * printed before its end.
 */

#define HASH 1024
#define MAX_RECORD (1u << 20)

struct printer {
	const struct options *o;
	struct out *out;
	struct task *hash[HASH];
	struct task *open;
	unsigned ntasks;
	bool attached, whole; /* whole: calls are printed at their end */
	bool fast;
	uint64_t last_line, realtime, lost;
	struct summary *summary;
	struct whole_call call;
};

/* ---- tasks ---- */

static struct task *find_task(struct printer *p, int tid)
{
	struct task *t;

	for (t = p->hash[(unsigned)tid % HASH]; t && t->tid != tid; t = t->next)
		;
	return t;
}

static struct out *task_output(struct printer *p, int tid)
{
	char name[PATH_MAX];

	if (p->o->separate < 2)
		return p->out;
	snprintf(name, sizeof(name), "%s.%d", p->o->output, tid);
	return out_open(name, p->o->append);
}

static struct task *get_task(struct printer *p, const struct hostif_trace_rec *r)
{
	struct task *t = find_task(p, r->tid);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			die("out of memory");
		t->tid = r->tid;
		t->out = task_output(p, t->tid);
		t->number_length = snprintf(t->number, sizeof(t->number), "%-5d ", t->tid);
		t->next = p->hash[(unsigned)t->tid % HASH];
		p->hash[(unsigned)t->tid % HASH] = t;
		p->ntasks++;
	}
	t->tgid = r->tgid;
	return t;
}

static void forget_task(struct printer *p, struct task *t)
{
	struct task **l = &p->hash[(unsigned)t->tid % HASH];

	while (*l && *l != t)
		l = &(*l)->next;
	if (*l)
		*l = t->next;
	if (p->open == t)
		p->open = NULL;
	if (t->out != p->out)
		out_close(t->out);
	free(t->enter);
	free(t);
	p->ntasks--;
}

/* ---- calls ---- */

static void add_blobs(struct whole_call *w, const struct hostif_trace_rec *r, bool at_exit)
{
	const uint8_t *p = (const uint8_t *)(r + 1), *end = (const uint8_t *)r + r->size;

	for (uint32_t i = 0; i < r->nblobs && w->call.nblobs < sizeof(w->blob) / sizeof(*w->blob); i++) {
		const struct hostif_trace_blob *b = (const void *)p;

		if (end - p < (long)sizeof(*b) || b->len > end - p - sizeof(*b))
			return;
		p += sizeof(*b);
		w->blob[w->call.nblobs++] = (struct call_blob){b, p, at_exit};
		p += (b->len + 7ULL) & ~7ULL;
		if (p > end)
			return;
	}
}

/* A record of a whole call is its beginning and its end. */
static void build_whole(struct whole_call *w, const struct hostif_trace_rec *r)
{
	unsigned n = TRACE_ENTER_BLOBS(r->flags);

	w->call = (struct call){.nr = r->nr, .enter = r, .exit = r, .blob = w->blob};
	add_blobs(w, r, false);
	for (unsigned i = n; i < w->call.nblobs; i++)
		w->blob[i].at_exit = true;
}

void call_build(struct whole_call *w, const struct hostif_trace_rec *enter, const struct hostif_trace_rec *exit)
{
	w->call = (struct call){.nr = enter->nr, .enter = enter, .exit = exit, .blob = w->blob};
	add_blobs(w, enter, false);
	if (exit)
		add_blobs(w, exit, true);
}

/* Is one of the paths asked for among the call's strings and descriptors? */
static bool path_matches(const struct options *o, const struct call *c)
{
	for (unsigned i = 0; i < c->nblobs; i++) {
		const struct hostif_trace_blob *b = c->blob[i].head;
		size_t n = b->len;

		if (b->kind != TRACE_BLOB_STR && b->kind != TRACE_BLOB_FDPATH)
			continue;
		if (b->kind == TRACE_BLOB_STR && n && !c->blob[i].data[n - 1])
			n--;
		for (size_t k = 0; k < o->paths.n; k++)
			if (strlen(o->paths.path[k]) == n && !memcmp(o->paths.path[k], c->blob[i].data, n))
				return true;
	}
	return false;
}

static unsigned status_of(const struct hostif_trace_rec *exit)
{
	return call_failed(exit) || (exit->flags & TRACE_F_RESTART) ? STATUS_FAILED : STATUS_SUCCESSFUL;
}

/* ---- the beginning of a line ---- */

static void day_time(struct text *t, uint64_t ns)
{
	time_t sec = ns / 1000000000;
	struct tm tm;

	localtime_r(&sec, &tm);
	text_printf(t, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void stamp(struct printer *p, struct text *t, uint64_t time)
{
	uint64_t real = time + p->realtime, since = p->last_line && time > p->last_line ? time - p->last_line : 0;
	const char *close = "";

	switch (p->o->time) {
	case TIME_DAY:
	case TIME_DAY_US:
	case TIME_DAY_NS:
		day_time(t, real);
		break;
	case TIME_EPOCH:
	case TIME_EPOCH_US:
	case TIME_EPOCH_NS:
		text_udec(t, real / 1000000000);
		break;
	case TIME_NONE:
		break;
	}
	if (p->o->time == TIME_DAY_US || p->o->time == TIME_EPOCH_US)
		text_printf(t, ".%06u", (unsigned)(real % 1000000000 / 1000));
	else if (p->o->time == TIME_DAY_NS || p->o->time == TIME_EPOCH_NS)
		text_printf(t, ".%09u", (unsigned)(real % 1000000000));
	if (p->o->time != TIME_NONE)
		text_char(t, ' ');
	if (p->o->relative_time) {
		if (p->o->time != TIME_NONE) {
			text_str(t, "(+");
			close = ")";
		}
		text_printf(t, "%6u.%06u%s ", (unsigned)(since / 1000000000), (unsigned)(since % 1000000000 / 1000),
			    close);
		p->last_line = time;
	}
}

/* Ends what another task has begun, and begins a line of task's. Returns its position. */
static uint64_t leader(struct printer *p, struct task *task, const struct hostif_trace_rec *r)
{
	struct text *t = out_text(task->out);
	uint64_t start;

	if (p->open && p->open->out == task->out) {
		text_str(t, " <unfinished ...>\n");
		p->open = NULL;
	}
	start = out_position(task->out);
	if (p->o->output && p->o->separate < 2)
		text_mem(t, task->number, task->number_length);
	else if (p->ntasks > 1 && p->o->separate < 2)
		text_printf(t, "[pid %5d] ", task->tid);
	if (p->o->time != TIME_NONE || p->o->relative_time)
		stamp(p, t, r->time);
	if (p->o->numbers && (r->type == TRACE_ENTER || r->type == TRACE_EXIT || r->type == TRACE_CALL))
		text_printf(t, "[%4u] ", r->nr);
	if (p->o->instruction)
		text_printf(t, "[%016" PRIx64 "] ", r->ip);
	return start;
}

static void pad_to(struct out *o, uint64_t start, unsigned column)
{
	struct text *t = out_text(o);
	uint64_t n = out_position(o) - start;

	if (n + 1 >= column)
		return;
	n = column - 1 - n;
	text_grow(t, n);
	memset(t->s + t->n, ' ', n);
	t->n += n;
}

static void duration(struct printer *p, struct text *t, uint64_t ns)
{
	unsigned digits = p->o->duration_digits, fraction = ns % 1000000000;

	for (unsigned i = digits; i < 9; i++)
		fraction /= 10;
	if (digits)
		text_printf(t, " <%" PRIu64 ".%0*u>", ns / 1000000000, (int)digits, fraction);
	else
		text_printf(t, " <%" PRIu64 ">", ns / 1000000000);
}

/* ---- ENTER and EXIT ---- */

static void keep_enter(struct task *t, const struct hostif_trace_rec *r)
{
	if (t->room < r->size) {
		t->room = r->size < 512 ? 512 : r->size;
		t->enter = xrealloc(t->enter, t->room);
	}
	memcpy(t->enter, r, r->size);
	t->in_call = true;
	t->announced = t->hidden = false;
}

/* Is the call's beginning the end of its output? With a file for each task, only its own records could have come after it. */
static bool line_open(const struct printer *p, const struct task *t)
{
	return p->open == t || (p->o->separate >= 2 && t->announced);
}

/* restart_syscall says what it goes on with. */
static void note_restart(struct printer *p, struct task *t, const struct hostif_trace_rec *exit)
{
	p->call.call.restarts = t->restarts;
	if (exit && exit->ret == -516)
		t->restarts = exit->nr + 1;
}

static void on_enter(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	keep_enter(t, r);
	t->hidden = r->nr >= HOSTIF_TRACE_NR || !p->o->calls[r->nr];
	if (t->hidden || p->whole)
		return;
	call_build(&p->call, t->enter, NULL);
	note_restart(p, t, NULL);
	t->line = leader(p, t, r);
	decode_enter(out_text(t->out), &p->call.call, &p->o->decode);
	t->announced = true;
	p->open = t;
}

static void end_line(struct printer *p, struct task *t, const struct hostif_trace_rec *r, uint64_t start)
{
	struct text *out = out_text(t->out);

	text_char(out, ')');
	pad_to(t->out, start, p->o->column);
	decode_result(out, &p->call.call, &p->o->decode);
	if (r->flags & TRACE_F_DELAYED)
		text_str(out, " (DELAYED)");
	if (p->o->durations)
		duration(p, out, r->ticket);
	text_char(out, '\n');
	if (p->o->stacks)
		stack_print(out, &p->call.call);
	p->open = NULL;
	out_check(t->out);
}

static void print_call(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	struct text *out = out_text(t->out);
	uint64_t start = t->line;

	if (!line_open(p, t)) {
		start = leader(p, t, t->announced ? r : p->call.call.enter);
		if (t->announced)
			text_printf(out, "<... %s resumed>", decode_name(r->nr));
		else
			decode_enter(out, &p->call.call, &p->o->decode);
	}
	decode_exit(out, &p->call.call, &p->o->decode);
	end_line(p, t, r, start);
}

/* The call in p->call has ended with r. */
static void finish_call(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	if (p->o->paths.n && !path_matches(p->o, &p->call.call))
		return;
	if (!(p->o->statuses & status_of(r)))
		return;
	if (p->summary)
		summary_count(p->summary, r->nr, r->ret, r->ticket);
	if (p->o->summary == 'c')
		return;
	if (p->o->json) {
		json_call(out_text(t->out), t, &p->call.call, p->o, p->realtime);
		out_check(t->out);
	} else {
		print_call(p, t, r);
	}
}

static void on_exit_record(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	if (!t->in_call || t->enter->nr != r->nr)
		return; /* its beginning was lost, and that was said */
	t->in_call = false;
	if (t->hidden)
		return;
	call_build(&p->call, t->enter, r);
	note_restart(p, t, r);
	finish_call(p, t, r);
}

static void on_call(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	uint64_t start;

	if (r->nr >= HOSTIF_TRACE_NR || !p->o->calls[r->nr])
		return;
	t->in_call = t->announced = false;
	if (p->fast && (r->nr == __NR_read || r->nr == __NR_write)) {
		if (p->summary)
			summary_count(p->summary, r->nr, r->ret, r->ticket);
		start = leader(p, t, r);
		if (!fast_call(t->out, start, r, p->o)) {
			build_whole(&p->call, r);
			decode_enter(out_text(t->out), &p->call.call, &p->o->decode);
			decode_exit(out_text(t->out), &p->call.call, &p->o->decode);
			end_line(p, t, r, start);
		}
		out_check(t->out);
		return;
	}
	build_whole(&p->call, r);
	finish_call(p, t, r);
}

/* ---- the rest ---- */

static bool prints_events(const struct printer *p)
{
	return p->o->summary != 'c';
}

static void event(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	struct text *out = out_text(t->out);

	if ((r->type == TRACE_GONE && p->o->quiet_exit) || (r->type == TRACE_EXEC && p->o->quiet_superseded))
		return;
	if (p->o->json) {
		json_event(out, t, r, p->o, p->realtime);
		return;
	}
	leader(p, t, r);
	switch (r->type) {
	case TRACE_SIGNAL:
		text_str(out, "--- ");
		decode_signal(out, r, &p->o->decode);
		text_str(out, " ---\n");
		break;
	case TRACE_STOP:
		text_printf(out, "--- stopped by %s ---\n", decode_signal_name(r->nr));
		break;
	case TRACE_GONE:
		if (WIFSIGNALED((int)r->ret))
			text_printf(out, "+++ killed by %s%s +++\n", decode_signal_name(WTERMSIG((int)r->ret)),
				    WCOREDUMP((int)r->ret) ? " (core dumped)" : "");
		else
			text_printf(out, "+++ exited with %d +++\n", WEXITSTATUS((int)r->ret));
		break;
	case TRACE_EXEC:
		text_printf(out, "+++ superseded by execve in pid %d +++\n", (int)r->args[0]);
		break;
	case TRACE_LOST:
		text_printf(out, "+++ %" PRId64 " records lost +++\n", r->ret);
		break;
	}
	out_check(t->out);
}

/* Would decoding go on at the call's end? Then what is missing is said. */
static bool has_more(struct printer *p)
{
	struct hostif_trace_rec none = *p->call.call.enter;
	struct text t = {0};
	bool more;

	none.type = TRACE_EXIT;
	none.size = sizeof(none);
	none.nblobs = none.flags = 0;
	none.ret = 0;
	p->call.call.exit = &none;
	decode_exit(&t, &p->call.call, &p->o->decode);
	p->call.call.exit = NULL;
	more = t.n > 0;
	free(t.s);
	return more;
}

/* A call that the task did not live to see the end of. */
static void print_unended(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	struct text *out = out_text(t->out);
	uint64_t start = t->line;

	call_build(&p->call, t->enter, NULL);
	if (p->o->json) {
		json_call(out, t, &p->call.call, p->o, p->realtime);
		return;
	}
	if (!line_open(p, t)) {
		start = leader(p, t, r);
		if (t->announced)
			text_printf(out, "<... %s resumed>", decode_name(t->enter->nr));
		else
			decode_enter(out, &p->call.call, &p->o->decode);
	}
	if (has_more(p))
		text_str(out, " <unfinished ...>");
	text_char(out, ')');
	pad_to(t->out, start, p->o->column);
	text_str(out, " = ?\n");
	p->open = NULL;
}

static void on_gone(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	if (t->in_call && !t->hidden && prints_events(p) && (p->o->statuses & STATUS_UNFINISHED)) {
		call_build(&p->call, t->enter, NULL);
		if (!p->o->paths.n || path_matches(p->o, &p->call.call))
			print_unended(p, t, r);
	}
	if (prints_events(p))
		event(p, t, r);
	forget_task(p, t);
}

static void take_comm(struct task *t, const struct hostif_trace_rec *r)
{
	const struct hostif_trace_blob *b = (const void *)(r + 1);
	size_t n;

	if (!r->nblobs || r->size < sizeof(*r) + sizeof(*b) || b->len > r->size - sizeof(*r) - sizeof(*b))
		return;
	n = b->len < 16 ? b->len : 16;
	memcpy(t->comm, b + 1, n);
	t->comm[n] = 0;
}

/* Another thread than the first made execve: it goes on under the first one's number. */
static void on_exec(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	struct task *old = (int)r->args[0] != r->tid ? find_task(p, r->args[0]) : NULL;

	take_comm(t, r);
	if (!old)
		return;
	if (prints_events(p))
		event(p, t, r);
	if (p->open == old) {
		text_str(out_text(old->out), " <unfinished ...>\n");
		p->open = NULL;
	}
	if (old->in_call) {
		keep_enter(t, old->enter);
		t->announced = old->announced;
		t->hidden = old->hidden;
	}
	forget_task(p, old);
}

static void on_new(struct printer *p, struct task *t, const struct hostif_trace_rec *r)
{
	take_comm(t, r);
	if (p->o->json && prints_events(p))
		event(p, t, r);
	if (!p->o->quiet && !p->o->output && !p->o->json && prints_events(p) && (p->attached || r->tid != 1)) {
		if (p->open && p->open->out == p->out) {
			text_str(out_text(p->out), " <unfinished ...>\n");
			p->open = NULL;
		}
		text_printf(out_text(p->out), "husk trace: Process %d attached\n", r->tid);
	}
}

void printer_record(const struct hostif_trace_rec *r, void *arg)
{
	struct printer *p = arg;
	struct task *t;

	if (r->size > MAX_RECORD)
		return;
	t = get_task(p, r);
	switch (r->type) {
	case TRACE_ENTER:
		on_enter(p, t, r);
		break;
	case TRACE_CALL:
		on_call(p, t, r);
		break;
	case TRACE_EXIT:
		on_exit_record(p, t, r);
		break;
	case TRACE_SIGNAL:
		if (r->nr >= 1 && r->nr <= 64 && !(p->o->signals >> (r->nr - 1) & 1))
			break;
		/* fall through */
	case TRACE_STOP:
		if (prints_events(p))
			event(p, t, r);
		break;
	case TRACE_NEWTASK:
	case TRACE_ATTACH:
		on_new(p, t, r);
		break;
	case TRACE_EXEC:
		on_exec(p, t, r);
		break;
	case TRACE_GONE:
		on_gone(p, t, r);
		break;
	case TRACE_LOST:
		p->lost += r->ret;
		t->in_call = false; /* perhaps its end is among them */
		if (prints_events(p))
			event(p, t, r);
		break;
	}
}

/* ---- life ---- */

static uint64_t realtime_offset(void)
{
	struct timespec t;
	uint64_t mono = now_ns();

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec - mono;
}

struct printer *printer_new(const struct options *o, struct out *out, bool attached)
{
	struct printer *p = calloc(1, sizeof(*p));

	if (!p)
		die("out of memory");
	p->o = o;
	p->out = out;
	p->attached = attached;
	p->whole = o->statuses != STATUS_ALL || o->paths.n || o->json || o->summary == 'c';
	p->fast = !p->whole && fast_possible(o);
	p->realtime = realtime_offset();
	if (o->summary || o->histogram)
		p->summary = summary_new();
	return p;
}

void printer_idle(struct printer *p)
{
	out_flush(p->out);
	for (unsigned i = 0; p->o->separate > 1 && i < HASH; i++)
		for (struct task *t = p->hash[i]; t; t = t->next)
			out_flush(t->out);
}

uint64_t printer_lost(const struct printer *p)
{
	return p->lost;
}

/* The sandbox is gone, or left alone: calls that are not over are said to be so. */
void printer_end(struct printer *p)
{
	if (p->open)
		text_str(out_text(p->open->out), " <detached ...>\n");
	p->open = NULL;
	if (p->summary)
		summary_print(p->summary, out_text(p->out), p->o);
	for (unsigned i = 0; i < HASH; i++)
		while (p->hash[i])
			forget_task(p, p->hash[i]);
	out_close(p->out);
}
