// SPDX-License-Identifier: Apache-2.0
// Tasks: exec, clone, wait, limits, scheduling, identity, capabilities, futexes.
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "printers.h"

#define V (d->a[i])

bool captured_count(struct dec *d, uint64_t addr, uint64_t *n)
{
	for (unsigned k = 0; k < d->c->nblobs; k++) {
		const struct hostif_trace_blob *b = d->c->blob[k].head;

		if (b->kind != TRACE_BLOB_COUNT || b->addr != addr || b->len < 8)
			continue;
		memcpy(n, d->c->blob[k].data, 8);
		return true;
	}
	return false;
}

ARG(a_argv)
{
	const uint64_t *p_;
	uint64_t k, max = d->o->verbose ? UINT64_MAX : d->o->string_limit;

	if (!V || !get_in(d, V, 8)) {
		put_addr(d, V);
		return;
	}
	S("[");
	for (k = 0; (p_ = get_in(d, V + k * 8, 8)) && *p_; k++) {
		if (k >= max) {
			S(", ...");
			break;
		}
		if (k)
			S(", ");
		put_string(d, *p_);
	}
	if (!p_)
		P("%s... /* %#llx */", k ? ", " : "", (unsigned long long)(V + k * 8));
	S("]");
}

ARG(a_envp)
{
	const uint64_t *m;
	uint64_t n = 0;

	if (!V) {
		S("NULL");
		return;
	}
	if (d->o->verbose && get_in(d, V, 8)) {
		a_argv(d, i, p);
		return;
	}
	put_addr(d, V);
	if (captured_count(d, V, &n)) {
		P(" /* %llu var%s */", (unsigned long long)n, n == 1 ? "" : "s");
		return;
	}
	while ((m = get_in(d, V + n * 8, 8)) && *m)
		n++;
	if (m || n)
		P(" /* %llu var%s%s */", (unsigned long long)n, n == 1 ? "" : "s", m ? "" : ", unterminated");
}

static void put_clone_flags(struct dec *d, uint64_t flags)
{
	put_names(d, flags, &n_clone);
}

ARG(a_clone)
{
	uint64_t flags = d->a[0], sig = flags & 0xff;

	S("child_stack=");
	put_addr(d, d->a[1]);
	S(", flags=");
	if (flags & ~0xffull)
		put_clone_flags(d, flags & ~0xffull);
	if (sig) {
		if (flags & ~0xffull)
			S("|");
		put_signal(d, sig);
	}
	if (!flags)
		S("0");
}

ARG(a_clone_out)
{
	uint64_t flags = d->a[0];

	if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) {
		const int *t = d->failed ? NULL : get(d, d->a[2], 4);

		text_str(d->t, flags & CLONE_PARENT_SETTID ? ", parent_tid=" : ", pidfd=");
		if (!null_or_missing(d, d->a[2], t)) {
			S("[");
			if (flags & CLONE_PARENT_SETTID)
				put_pid(d, *t);
			else
				put_fd(d, *t);
			S("]");
		}
	}
	if (flags & CLONE_SETTLS) {
		S(", tls=");
		put_addr(d, d->a[4]);
	}
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		S(", child_tidptr=");
		put_addr(d, d->a[3]);
	}
}

static void put_tid_array(struct dec *d, uint64_t addr, uint64_t n)
{
	const int *t = n && n <= 32 ? get_in(d, addr, n * 4) : NULL;

	if (null_or_missing(d, addr, t))
		return;
	for (uint64_t k = 0; k < n; k++)
		P("%s%d", k ? ", " : "[", t[k]);
	S("]");
}

ARG(a_clone3)
{
	uint64_t size = d->a[1], f;
	const uint64_t *c = size >= 64 ? get_in(d, V, 64) : NULL, *more = size >= 80 ? get_in(d, V, 80) : NULL;

	if (null_or_missing(d, V, c))
		return;
	f = c[0];
	S("{flags=");
	put_clone_flags(d, f);
	if (f & CLONE_PIDFD) {
		S(", pidfd=");
		put_addr(d, c[1]);
	}
	if (f & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		S(", child_tid=");
		put_addr(d, c[2]);
	}
	if (f & CLONE_PARENT_SETTID) {
		S(", parent_tid=");
		put_addr(d, c[3]);
	}
	S(", exit_signal=");
	put_signal(d, c[4]);
	S(", stack=");
	put_addr(d, c[5]);
	S(", stack_size=");
	put_number(d, c[6]);
	if (f & CLONE_SETTLS) {
		S(", tls=");
		put_addr(d, c[7]);
	}
	if (more && (more[8] || more[9])) {
		S(", set_tid=");
		put_tid_array(d, more[8], more[9]);
		P(", set_tid_size=%llu", (unsigned long long)more[9]);
	}
	if (f & 0x200000000ull && size >= 88 && get_in(d, V, 88))
		P(", cgroup=%llu", (unsigned long long)((const uint64_t *)get_in(d, V, 88))[10]);
	S("}");
}

ARG(a_clone3_out)
{
	uint64_t size = d->a[1];
	const uint64_t *c = size >= 64 ? get_in(d, d->a[0], 64) : NULL;
	const int *t;
	bool any = false;

	if (!c)
		goto size;
	if (!d->failed && c[0] & CLONE_PIDFD && (t = get(d, c[1], 4))) {
		P(" => {pidfd=[");
		put_fd(d, *t);
		S("]");
		any = true;
	}
	if (!d->failed && c[0] & CLONE_PARENT_SETTID && (t = get(d, c[3], 4))) {
		text_str(d->t, any ? ", parent_tid=[" : " => {parent_tid=[");
		put_pid(d, *t);
		S("]");
		any = true;
	}
	if (any)
		S("}");
size:
	P(", %llu", (unsigned long long)size);
}

/* How a task ended or stopped, as wait(2) has it. */
static void put_status(struct dec *d, int s)
{
	if (d->o->raw) {
		P("[%#x]", s);
		return;
	}
	if (WIFEXITED(s)) {
		P("[{WIFEXITED(s) && WEXITSTATUS(s) == %d}", WEXITSTATUS(s));
		s &= ~0xff7f;
	} else if (WIFSIGNALED(s)) {
		S("[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		put_signal(d, WTERMSIG(s));
		if (WCOREDUMP(s))
			S(" && WCOREDUMP(s)");
		S("}");
		s &= ~0xff;
	} else if (WIFSTOPPED(s)) {
		int sig = WSTOPSIG(s);

		S("[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		put_signal(d, sig & 0x7f);
		if (sig & 0x80)
			S(" | 0x80");
		S("}");
		s &= ~0xffff;
	} else if (WIFCONTINUED(s)) {
		S("[{WIFCONTINUED(s)}");
		s = 0;
	} else {
		P("[%#x]", s);
		return;
	}
	if (s)
		P(" | %#x", s);
	S("]");
}

ARG(a_status)
{
	const int *s = d->failed || !d->ret ? NULL : get(d, V, 4);

	if (!null_or_missing(d, V, s))
		put_status(d, *s);
}

void put_rusage(struct dec *d, uint64_t addr)
{
	const struct rusage *r = get(d, addr, sizeof(*r));

	if (null_or_missing(d, addr, r))
		return;
	S("{ru_utime=");
	put_timeval(d, r->ru_utime.tv_sec, r->ru_utime.tv_usec);
	S(", ru_stime=");
	put_timeval(d, r->ru_stime.tv_sec, r->ru_stime.tv_usec);
	if (!d->o->verbose) {
		S(", ...}");
		return;
	}
	P(", ru_maxrss=%ld, ru_ixrss=%ld, ru_idrss=%ld, ru_isrss=%ld, ru_minflt=%ld, ru_majflt=%ld, ru_nswap=%ld, "
	  "ru_inblock=%ld, "
	  "ru_oublock=%ld, ru_msgsnd=%ld, ru_msgrcv=%ld, ru_nsignals=%ld, ru_nvcsw=%ld, ru_nivcsw=%ld}",
	  r->ru_maxrss, r->ru_ixrss, r->ru_idrss, r->ru_isrss, r->ru_minflt, r->ru_majflt, r->ru_nswap, r->ru_inblock,
	  r->ru_oublock, r->ru_msgsnd, r->ru_msgrcv, r->ru_nsignals, r->ru_nvcsw, r->ru_nivcsw);
}

ARG(a_rusage)
{
	if (d->failed || (!d->ret && d->c->nr == 61))
		put_addr(d, V);
	else
		put_rusage(d, V);
}

static void put_limit(struct dec *d, uint64_t v, bool big)
{
	if (v == RLIM_INFINITY)
		text_str(d->t, big ? "RLIM64_INFINITY" : "RLIM_INFINITY");
	else if (v > 1024 && v % 1024 == 0)
		P("%llu*1024", (unsigned long long)v / 1024);
	else
		text_udec(d->t, v);
}

static void put_rlimit(struct dec *d, uint64_t addr, const uint64_t *l, bool big)
{
	if (null_or_missing(d, addr, l))
		return;
	S("{rlim_cur=");
	put_limit(d, l[0], big);
	S(", rlim_max=");
	put_limit(d, l[1], big);
	S("}");
}

ARG(a_rlimit_in)
{
	put_rlimit(d, V, get_in(d, V, 16), false);
}

ARG(a_rlimit_out)
{
	put_rlimit(d, V, d->failed ? NULL : get(d, V, 16), false);
}

ARG(a_rlimit64_in)
{
	put_rlimit(d, V, get_in(d, V, 16), true);
}

ARG(a_rlimit64_out)
{
	put_rlimit(d, V, d->failed ? NULL : get(d, V, 16), true);
}

ARG(a_sched_param)
{
	const int *prio = d->exit && d->failed ? NULL : get(d, V, 4);

	if (!null_or_missing(d, V, prio))
		P("[%d]", *prio);
}

ARG(a_sched_attr)
{
	const struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t prio;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} *s = d->exit && d->failed ? NULL : get(d, V, 48);

	if (null_or_missing(d, V, s))
		return;
	P("{size=%u, sched_policy=", s->size);
	put_value(d, s->policy, &n_sched);
	S(", sched_flags=");
	put_names(d, s->flags, &n_sched_flags);
	P(", sched_nice=%d, sched_priority=%u, sched_runtime=%llu, sched_deadline=%llu, sched_period=%llu", s->nice,
	  s->prio, (unsigned long long)s->runtime, (unsigned long long)s->deadline, (unsigned long long)s->period);
	if (s->size >= 56 && get(d, V, 56))
		P(", sched_util_min=%u, sched_util_max=%u", s->util_min, s->util_max);
	S("}");
}

void r_sched(struct dec *d)
{
	if (d->failed)
		return;
	S(" (");
	put_value(d, d->ret, &n_sched);
	S(")");
}

ARG(a_id_out)
{
	const uint32_t *v = d->failed ? NULL : get(d, V, 4);

	if (null_or_missing(d, V, v))
		return;
	S("[");
	put_uid(d, *v);
	S("]");
}

ARG(a_uint_out)
{
	const uint32_t *v = d->failed ? NULL : get(d, V, 4);

	if (!null_or_missing(d, V, v))
		P("[%u]", *v);
}

ARG(a_int_out)
{
	const int *v = d->failed ? NULL : get(d, V, 4);

	if (!null_or_missing(d, V, v))
		P("[%d]", *v);
}

ARG(a_ulong_out)
{
	const uint64_t *v = d->failed ? NULL : get(d, V, 8);

	if (!null_or_missing(d, V, v))
		P("[%llu]", (unsigned long long)*v);
}

ARG(a_addr_out)
{
	const uint64_t *v = d->failed ? NULL : get(d, V, 8);

	if (null_or_missing(d, V, v))
		return;
	S("[");
	put_addr(d, *v);
	S("]");
}

static void put_groups(struct dec *d, uint64_t addr, uint64_t n)
{
	const uint32_t *g;
	uint64_t k, max = !d->o->verbose && n > d->o->string_limit ? d->o->string_limit : n;

	if (!addr) {
		S("NULL");
		return;
	}
	if (n && !get(d, addr, 4)) {
		put_addr(d, addr);
		return;
	}
	S("[");
	for (k = 0; k < max && (g = get(d, addr + k * 4, 4)); k++) {
		if (k)
			S(", ");
		put_uid(d, *g);
	}
	if (k < n)
		S(", ...");
	S("]");
}

ARG(a_groups_in)
{
	if ((int)d->a[0] < 0 || d->a[0] > 65536)
		put_addr(d, V);
	else
		put_groups(d, V, d->a[0]);
}

ARG(a_groups_out)
{
	if (d->failed || !(int)d->a[0])
		put_addr(d, V);
	else
		put_groups(d, V, d->ret);
}

ARG(a_cap_header)
{
	const uint32_t *h = get_in(d, V, 8);

	if (null_or_missing(d, V, h))
		return;
	S("{version=");
	put_value(d, h[0], &n_cap_version);
	S(", pid=");
	put_pid(d, (int)h[1]);
	S("}");
}

void put_caps(struct dec *d, uint64_t set)
{
	bool any = false;

	for (const struct name *c = n_cap.t; c->s; c++) {
		if (!(set >> c->v & 1))
			continue;
		P("%s1<<%s", any ? "|" : "", c->s);
		any = true;
		set &= ~(1ull << c->v);
	}
	if (set || !any) {
		if (any)
			S("|");
		put_number(d, set);
		if (!any && set)
			S(" /* CAP_??? */");
	}
}

ARG(a_cap_data)
{
	const uint32_t *h = get_in(d, d->a[0], 8), *c = d->exit && d->failed ? NULL : get(d, V, 12), *hi;
	uint64_t two = h && (h[0] == 0x20071026 || h[0] == 0x20080522);

	if (null_or_missing(d, V, c))
		return;
	hi = two ? get(d, V, 24) : NULL;
	S("{effective=");
	put_caps(d, c[0] | (hi ? (uint64_t)hi[3] << 32 : 0));
	S(", permitted=");
	put_caps(d, c[1] | (hi ? (uint64_t)hi[4] << 32 : 0));
	S(", inheritable=");
	put_caps(d, c[2] | (hi ? (uint64_t)hi[5] << 32 : 0));
	S("}");
}
