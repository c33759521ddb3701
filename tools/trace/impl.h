/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoders share: a call in the making, printers of single arguments, tables of names. */
#ifndef TRACE_IMPL_H
#define TRACE_IMPL_H

#include <string.h>
#include "decode.h"

/* One value with its name. Tables of flags and of values end with a NULL name. */
struct name {
	uint64_t v;
	const char *s;
};
#define N(x)                                                                                                           \
	{                                                                                                              \
		(uint64_t)(x), #x                                                                                      \
	}
#define N_END                                                                                                          \
	{                                                                                                              \
		0, NULL                                                                                                \
	}
/**
 * struct names - a table; printed as strace does
 * @unknown: "O_???", after a value that no name has. @wide: 64 bits of the argument count, not 32
 */
struct names {
	const struct name *t;
	const char *unknown;
	bool wide;
};

/* The call that is being printed. */
struct dec {
	struct text *t;
	const struct call *c;
	const struct decode_options *o;
	const uint64_t *a; /* the six arguments */
	int64_t ret;	   /* at exit */
	bool exit;
	bool failed; /* at exit: ret is an error */
};

typedef void arg_fn(struct dec *d, int i, const void *p);
typedef void aux_fn(struct dec *d);

enum result {
	R_DEC,
	R_HEX,
	R_OCT,
	R_FD,
	R_NONE,
	R_UDEC,
	R_AUX, /* aux prints it */
};

/**
 * struct spec - how a call is printed
 * @n: arguments. @nenter: how many of them are known before it returns. @result: how its result is shown. @aux: what follows it
 */
struct spec {
	uint8_t n, nenter, result, known;
	aux_fn *aux;
	struct spec_arg {
		arg_fn *fn;
		const void *p;
	} a[6];
};

/* --- basic.c */
void put_names(struct dec *d, uint64_t v, const struct names *n);	/* flags */
void put_names_after(struct dec *d, uint64_t v, const struct names *n); /* those that follow others */
void put_value(struct dec *d, uint64_t v, const struct names *n);	/* one of */
bool put_known(struct dec *d, uint64_t v, const struct names *n);	/* one of, only if it has a name */
void put_addr(struct dec *d, uint64_t addr);
void put_mode(struct dec *d, uint32_t mode);
void put_fd(struct dec *d, int fd);
void put_dirfd(struct dec *d, int fd);
void put_pid(struct dec *d, int pid);
void put_uid(struct dec *d, uint32_t id);
void put_dev(struct dec *d, uint64_t major, uint64_t minor);
void put_string(struct dec *d, uint64_t addr);		      /* up to its NUL or the limit */
void put_path(struct dec *d, uint64_t addr);		      /* whole */
void put_buffer(struct dec *d, uint64_t addr, uint64_t len);  /* len bytes, as many as the limit allows */
void put_field(struct dec *d, const char *name, size_t size); /* a text in a field of a structure */
void put_timespec(struct dec *d, int64_t sec, int64_t nsec);
void put_timeval(struct dec *d, int64_t sec, int64_t usec);
void put_signal(struct dec *d, int sig);
void put_sigset(struct dec *d, uint64_t set);
void put_siginfo(struct dec *d, const void *si);
const void *get(struct dec *d, uint64_t addr, size_t len); /* of this side of the call */
const void *get_in(struct dec *d, uint64_t addr, size_t len);
bool null_or_missing(struct dec *d, uint64_t addr, const void *m); /* prints the address if so */

/* Printers of arguments: p is what the table gives them. */
#define ARG(f) void f(struct dec *d, int i, const void *p)
ARG(a_int);
ARG(a_uint);
ARG(a_long);
ARG(a_ulong);
ARG(a_hex);
ARG(a_hexint);
ARG(a_addr);
ARG(a_mode);
ARG(a_fd);
ARG(a_dirfd);
ARG(a_pid);
ARG(a_uid);
ARG(a_path);
ARG(a_str);
ARG(a_flags);
ARG(a_value);
ARG(a_buf_in);
ARG(a_buf_out);
ARG(a_signal);
ARG(a_flags_5);
ARG(a_cwd);

#define P(...) text_printf(d->t, __VA_ARGS__)
#define S(s) text_mem(d->t, s, sizeof(s) - 1)

extern const char own_comma[1]; /* p of a printer that prints its own comma */
const struct spec *spec_of(int nr);

#endif
