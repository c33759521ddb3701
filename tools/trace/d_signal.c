// SPDX-License-Identifier: Apache-2.0
// Signals: names, sets, actions, siginfo.
#include <signal.h>
#include "printers.h"

#define V (d->a[i])

static const char *const names[32] = {"0",	"HUP",	"INT",	  "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
				      "FPE",	"KILL", "USR1",	  "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
				      "STKFLT", "CHLD", "CONT",	  "STOP", "TSTP",  "TTIN", "TTOU", "URG",
				      "XCPU",	"XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS"};

/* The name without SIG: in *s, or made in b. NULL: no such signal. */
static const char *short_name(int sig, char b[16])
{
	if (sig > 0 && sig < 32)
		return names[sig];
	if (sig == 32)
		return "RTMIN";
	if (sig < 32 || sig > 64)
		return NULL;
	snprintf(b, 16, "RT_%d", sig - 32);
	return b;
}

const char *decode_signal_name(int sig)
{
	static _Thread_local char b[32];
	char rt[16];
	const char *s = short_name(sig, rt);

	if (!s)
		return NULL;
	snprintf(b, sizeof(b), "SIG%s", s);
	return b;
}

void put_signal(struct dec *d, int sig)
{
	char b[16];
	const char *s = d->o->raw ? NULL : short_name(sig, b);

	if (!s) {
		text_dec(d->t, sig);
		return;
	}
	S("SIG");
	text_str(d->t, s);
}

void put_sigset(struct dec *d, uint64_t set)
{
	bool inverted = __builtin_popcountll(set) >= 64 * 2 / 3, any = false;
	char b[16];

	if (inverted) {
		S("~");
		set = ~set;
	}
	S("[");
	for (int sig = 1; sig <= 64; sig++) {
		if (!(set >> (sig - 1) & 1))
			continue;
		if (any)
			S(" ");
		any = true;
		text_str(d->t, short_name(sig, b));
	}
	S("]");
}

static void sigset_at(struct dec *d, uint64_t addr, uint64_t size, bool out)
{
	const uint64_t *m = size != 8 ? NULL : out ? get(d, addr, 8) : get_in(d, addr, 8);

	if (!null_or_missing(d, addr, m))
		put_sigset(d, *m);
}

/* a set: its size is the argument p places on */
ARG(a_sigset)
{
	sigset_at(d, V, d->a[i + (int)(uintptr_t)p], false);
}

ARG(a_sigset_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		sigset_at(d, V, d->a[i + (int)(uintptr_t)p], true);
}

ARG(a_sigaction)
{
	const uint64_t *a = d->failed && d->exit ? NULL : get(d, V, 32);

	if (null_or_missing(d, V, a))
		return;
	S("{sa_handler=");
	if (a[0] == 0)
		S("SIG_DFL");
	else if (a[0] == 1)
		S("SIG_IGN");
	else if (a[0] == UINT64_MAX)
		S("SIG_ERR");
	else
		text_hex(d->t, a[0]);
	S(", sa_mask=");
	put_sigset(d, a[3]);
	S(", sa_flags=");
	put_names(d, a[1], &n_sa);
	if (a[1] & 0x04000000) {
		S(", sa_restorer=");
		put_addr(d, a[2]);
	}
	S("}");
}

ARG(a_sigframe)
{
	const struct call *c = d->c;

	S("{mask=");
	if (c->nblobs && c->blob[0].head->kind == TRACE_BLOB_MEM && c->blob[0].head->len >= 8) {
		uint64_t set;

		memcpy(&set, c->blob[0].data, 8);
		put_sigset(d, set);
	} else {
		S("?");
	}
	S("}");
}

ARG(a_stack)
{
	const struct {
		uint64_t sp;
		int flags, pad;
		uint64_t size;
	} *s = d->exit && d->failed ? NULL : get(d, V, 24);

	if (null_or_missing(d, V, s))
		return;
	S("{ss_sp=");
	put_addr(d, s->sp);
	S(", ss_flags=");
	put_names(d, (uint32_t)s->flags, &n_ss);
	P(", ss_size=%llu}", (unsigned long long)s->size);
}

/* What a siginfo says, as laid out for 64 bits. */
struct info {
	int signo, err, code, pad0;
	union {
		struct {
			int pid, uid;
			union {
				struct {
					int status, pad;
					int64_t utime, stime;
				};
				uint64_t value;
			};
		};
		struct {
			int timerid, overrun;
			uint64_t timer_value;
		};
		uint64_t addr;
		struct {
			int64_t band;
			int fd;
		};
		struct {
			uint64_t call_addr;
			int call, arch;
		};
	};
};

static const struct names *codes_of(int sig)
{
	switch (sig) {
	case SIGCHLD:
		return &n_si_chld;
	case SIGSEGV:
		return &n_si_segv;
	case SIGBUS:
		return &n_si_bus;
	case SIGFPE:
		return &n_si_fpe;
	case SIGILL:
		return &n_si_ill;
	case SIGTRAP:
		return &n_si_trap;
	case SIGPOLL:
		return &n_si_poll;
	case SIGSYS:
		return &n_si_sys;
	}
	return NULL;
}

static void put_code(struct dec *d, const struct info *s)
{
	const struct names *n = codes_of(s->signo);

	if (put_known(d, (uint32_t)s->code, &n_si_code) || (n && put_known(d, (uint32_t)s->code, n)))
		return;
	put_number(d, (uint32_t)s->code);
}

static void put_value_of(struct dec *d, uint64_t v)
{
	P(", si_int=%d, si_ptr=", (int)v);
	put_addr(d, v);
}

static void put_sender(struct dec *d, const struct info *s)
{
	S(", si_pid=");
	put_pid(d, s->pid);
	P(", si_uid=%u", (unsigned)s->uid);
}

/* The fields of a signal that the kernel raised itself. */
static void put_kernel_info(struct dec *d, const struct info *s)
{
	switch (s->signo) {
	case SIGCHLD:
		put_sender(d, s);
		S(", si_status=");
		if (s->code == 1)
			text_dec(d->t, s->status);
		else
			put_signal(d, s->status);
		P(", si_utime=%lld", (long long)s->utime);
		if (s->utime)
			P(" /* %lld.%02lld s */", (long long)s->utime / 100, (long long)s->utime % 100);
		P(", si_stime=%lld", (long long)s->stime);
		if (s->stime)
			P(" /* %lld.%02lld s */", (long long)s->stime / 100, (long long)s->stime % 100);
		break;
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSEGV:
	case SIGBUS:
		S(", si_addr=");
		put_addr(d, s->addr);
		break;
	case SIGPOLL:
		P(", si_band=%lld, si_fd=%d", (long long)s->band, s->fd);
		break;
	case SIGSYS:
		S(", si_call_addr=");
		put_addr(d, s->call_addr);
		P(", si_syscall=__NR_%s, si_arch=", decode_name(s->call));
		if ((uint32_t)s->arch == 0xc000003e)
			S("AUDIT_ARCH_X86_64");
		else
			text_hex(d->t, (uint32_t)s->arch);
		break;
	default:
		if (s->pid || s->uid)
			put_sender(d, s);
		if (s->value)
			put_value_of(d, s->value);
	}
}

void put_siginfo(struct dec *d, const void *si)
{
	struct info s;

	memcpy(&s, si, sizeof(s));
	if (!s.signo) {
		S("{}");
		return;
	}
	S("{si_signo=");
	put_signal(d, s.signo);
	S(", si_code=");
	put_code(d, &s);
	if (s.err) {
		const char *e = decode_errno(s.err);

		S(", si_errno=");
		if (e)
			text_str(d->t, e);
		else
			text_dec(d->t, s.err);
	}
	switch (s.code) {
	case SI_KERNEL:
		if (s.signo == SIGSEGV || s.signo == SIGBUS || s.signo == SIGILL || s.signo == SIGFPE ||
		    s.signo == SIGTRAP) {
			S(", si_addr=");
			put_addr(d, s.addr);
		}
		break;
	case SI_USER:
	case SI_TKILL:
		put_sender(d, &s);
		break;
	case SI_TIMER:
		P(", si_timerid=%#x, si_overrun=%d", s.timerid, s.overrun);
		put_value_of(d, s.timer_value);
		break;
	default:
		if (s.code > 0) {
			put_kernel_info(d, &s);
			break;
		}
		put_sender(d, &s);
		if (s.value)
			put_value_of(d, s.value);
	}
	S("}");
}

ARG(a_siginfo)
{
	const void *s = get_in(d, V, 48);

	if (!null_or_missing(d, V, s))
		put_siginfo(d, s);
}

ARG(a_siginfo_out)
{
	const void *s = d->failed ? NULL : get(d, V, 48);

	if (!null_or_missing(d, V, s))
		put_siginfo(d, s);
}

void r_sigwait(struct dec *d)
{
	if (d->failed || !d->ret)
		return;
	S(" (");
	put_signal(d, d->ret);
	S(")");
}

void decode_signal(struct text *t, const struct hostif_trace_rec *r, const struct decode_options *o)
{
	struct call none = {0};
	struct dec d = {.t = t, .c = &none, .o = o};
	struct info s = {.signo = r->nr, .code = (int)r->args[0]};

	s.pid = (int)r->args[1];
	s.uid = (int)r->args[2];
	if (s.code == SI_TIMER || s.code < 0) {
		s.value = r->args[4];
	} else if (s.signo == SIGCHLD && s.code > 0 && s.code < 7) {
		s.status = (int)r->args[3];
		s.utime = (uint32_t)r->args[5];
		s.stime = r->args[5] >> 32;
	} else if (s.code > 0 && codes_of(s.signo)) {
		s.addr = r->args[3];
	} else {
		s.value = r->args[4];
	}
	put_signal(&d, r->nr);
	text_char(t, ' ');
	put_siginfo(&d, &s);
}
