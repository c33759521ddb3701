// SPDX-License-Identifier: Apache-2.0
// The system as a whole: uname, sysinfo, times, personality, clocks' discipline, and other single calls.
#include <sys/ptrace.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include "printers.h"

#define V (d->a[i])

ARG(a_uname)
{
	const struct utsname *u = d->failed ? NULL : get(d, V, sizeof(*u));

	if (null_or_missing(d, V, u))
		return;
	S("{sysname=");
	put_field(d, u->sysname, sizeof(u->sysname));
	S(", nodename=");
	put_field(d, u->nodename, sizeof(u->nodename));
	if (!d->o->verbose) {
		S(", ...}");
		return;
	}
	S(", release=");
	put_field(d, u->release, sizeof(u->release));
	S(", version=");
	put_field(d, u->version, sizeof(u->version));
	S(", machine=");
	put_field(d, u->machine, sizeof(u->machine));
	S(", domainname=");
	put_field(d, u->domainname, sizeof(u->domainname));
	S("}");
}

ARG(a_sysinfo)
{
	const struct sysinfo *s = d->failed ? NULL : get(d, V, sizeof(*s));

	if (null_or_missing(d, V, s))
		return;
	P("{uptime=%lu, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu, sharedram=%lu, bufferram=%lu, totalswap=%lu, "
	  "freeswap=%lu, procs=%u, "
	  "totalhigh=%lu, freehigh=%lu, mem_unit=%u}",
	  s->uptime, s->loads[0], s->loads[1], s->loads[2], s->totalram, s->freeram, s->sharedram, s->bufferram,
	  s->totalswap, s->freeswap, s->procs, s->totalhigh, s->freehigh, s->mem_unit);
}

static void put_ticks(struct dec *d, const char *name, uint64_t v)
{
	P("%s=%llu", name, (unsigned long long)v);
	if (v)
		P(" /* %llu.%02llu s */", (unsigned long long)v / 100, (unsigned long long)v % 100);
}

ARG(a_times)
{
	const struct tms *t = d->failed ? NULL : get(d, V, sizeof(*t));

	if (null_or_missing(d, V, t))
		return;
	put_ticks(d, "{tms_utime", t->tms_utime);
	put_ticks(d, ", tms_stime", t->tms_stime);
	put_ticks(d, ", tms_cutime", t->tms_cutime);
	put_ticks(d, ", tms_cstime", t->tms_cstime);
	S("}");
}

static void put_personality(struct dec *d, uint32_t v)
{
	uint32_t flags = v & ~0xffu;

	if ((v & 0xff) == 0)
		S("PER_LINUX");
	else if ((v & 0xff) == 8)
		S("PER_LINUX32");
	else if ((v & 0xff) == 0xff)
		S("PER_MASK");
	else
		P("%#x /* PER_??? */", v & 0xff);
	if (flags) {
		S("|");
		put_names(d, flags, &n_personality);
	}
}

ARG(a_personality)
{
	if ((uint32_t)V == UINT32_MAX)
		S("0xffffffff");
	else
		put_personality(d, V);
}

void r_personality(struct dec *d)
{
	if (d->failed)
		return;
	S(" (");
	put_personality(d, d->ret);
	S(")");
}

void r_membarrier(struct dec *d)
{
	if (d->failed || d->a[0] || !d->ret)
		return;
	S(" (");
	put_names(d, d->ret, &n_membarrier);
	S(")");
}

static void put_ioprio(struct dec *d, uint32_t v)
{
	S("IOPRIO_PRIO_VALUE(");
	put_value(d, v >> 13, &n_ioprio_class);
	P(", %u)", v & 0x1fff);
}

ARG(a_ioprio)
{
	put_ioprio(d, V);
}

void r_ioprio(struct dec *d)
{
	if (d->failed)
		return;
	S(" (");
	put_ioprio(d, d->ret);
	S(")");
}

/* syslog's command, a number; most have no arguments */
ARG(a_syslog)
{
	int cmd = V;
	const char *name = NULL;

	for (const struct name *t = n_syslog.t; t->s; t++)
		if ((int)t->v == cmd)
			name = t->s;
	P("%d /* %s */", cmd, name ? name : n_syslog.unknown);
}

static bool syslog_bare(int cmd)
{
	return cmd == 0 || cmd == 1 || (cmd >= 5 && cmd <= 7) || cmd == 9 || cmd == 10;
}

ARG(a_syslog_out)
{
	int cmd = d->a[0];
	uint64_t buf = d->a[1];

	if (syslog_bare(cmd))
		return;
	S(", ");
	if (d->failed || cmd < 2 || cmd > 4)
		put_addr(d, buf);
	else
		put_buffer(d, buf, d->ret);
	P(", %d", (int)d->a[2]);
}

ARG(a_seccomp_flags)
{
	if ((uint32_t)d->a[0] == 1)
		put_names(d, V, &n_seccomp_flags);
	else
		a_hexint(d, i, p);
}

ARG(a_reboot)
{
	if ((uint32_t)d->a[2] != 0xA1B2C3D4)
		return;
	S(", ");
	put_string(d, V);
}

ARG(a_restart)
{
	S("<... resuming interrupted ");
	if (d->c->restarts > 0)
		text_str(d->t, decode_name(d->c->restarts - 1));
	else
		S("system call");
	S(" ...>");
}

ARG(a_timex)
{
	const struct timex *t = d->failed ? NULL : get(d, V, sizeof(*t));

	if (null_or_missing(d, V, t))
		return;
	S("{modes=");
	put_names(d, t->modes, &n_adj);
	P(", offset=%ld, freq=%ld, maxerror=%ld, esterror=%ld, status=", t->offset, t->freq, t->maxerror, t->esterror);
	put_names(d, t->status, &n_adj_status);
	P(", constant=%ld, precision=%ld, tolerance=%ld, time=", t->constant, t->precision, t->tolerance);
	put_timeval(d, t->time.tv_sec, t->time.tv_usec);
	P(", tick=%ld, ppsfreq=%ld, jitter=%ld, shift=%d, stabil=%ld, jitcnt=%ld, calcnt=%ld, errcnt=%ld, stbcnt=%ld, "
	  "tai=%d}",
	  t->tick, t->ppsfreq, t->jitter, t->shift, t->stabil, t->jitcnt, t->calcnt, t->errcnt, t->stbcnt, t->tai);
}

void r_adjtimex(struct dec *d)
{
	if (d->failed)
		return;
	S(" (");
	put_value(d, d->ret, &n_time_state);
	S(")");
}

/* Requests without an address, and those without data. */
static bool ptrace_no_addr(uint64_t req)
{
	return req == PTRACE_KILL || req == PTRACE_INTERRUPT;
}

static bool ptrace_no_data(uint64_t req)
{
	return req >= 12 && req <= 15;
}

static void ptrace_signal(struct dec *d, int sig)
{
	if (sig)
		put_signal(d, sig);
	else
		text_char(d->t, '0');
}

ARG(a_ptrace)
{
	uint64_t req = d->a[0], data = d->a[3];

	put_value(d, req, &n_ptrace);
	if (!req)
		return;
	S(", ");
	put_pid(d, d->a[1]);
	if (ptrace_no_addr(req))
		return;
	S(", ");
	put_addr(d, d->a[2]);
	if (ptrace_no_data(req))
		return;
	S(", ");
	if (req == PTRACE_SEIZE || req == PTRACE_SETOPTIONS)
		put_names(d, data, &n_ptrace_options);
	else if (req == PTRACE_CONT || req == PTRACE_DETACH || req == PTRACE_SYSCALL || req == PTRACE_SINGLESTEP ||
		 req == PTRACE_LISTEN)
		ptrace_signal(d, data);
	else
		put_addr(d, data);
}

ARG(a_shmget_flags)
{
	uint32_t f = V;

	if (f & ~0777u) {
		put_names(d, f & ~0777u, &n_ipc);
		S("|");
	}
	P("%#03o", f & 0777);
}

ARG(a_membarrier_cpu)
{
	if (!(d->a[1] & 1))
		return;
	S(", ");
	text_dec(d->t, (int)V);
}
