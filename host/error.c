// SPDX-License-Identifier: Apache-2.0
// Errors that carry their message.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "sandbox.h"

int err_set(struct err *e, int status, const char *fmt, ...)
{
	va_list ap;

	e->status = status;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

const char *err_reason(int err)
{
	switch (err) {
	case EMFILE:
		return "Too many open files; see ulimit -n";
	case EAGAIN:
		return "Resource temporarily unavailable; see ulimit -u";
	}
	return strerror(err);
}
