// SPDX-License-Identifier: Apache-2.0
// syslog(2): the kernel log as dmesg reads it.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include "log.h"

static u64 log_clear; /* SYSLOG_CLEAR: readers start here */
static u64 log_read;  /* SYSLOG_READ has come so far */

/* Copy out of the ring [from, to), at most n bytes; the last ones when tail. Bytes, or -errno. */
static long log_copy(char __user *buf, long n, u64 from, bool tail, u64 *next)
{
	u64 head = smp_load_acquire(&boot->log_head), mask = boot->log_size - 1;
	long done = 0;

	if (head - from > boot->log_size)
		from = head - boot->log_size;
	if (tail && head - from > (u64)n)
		from = head - n;
	n = min_t(u64, n, head - from);
	while (done < n) {
		u64 off = (from + done) & mask;
		size_t len = min_t(size_t, n - done, boot->log_size - off);

		if (copy_to_user(buf + done, log_buf() + off, len))
			return done ? done : -EFAULT;
		done += len;
	}
	if (next)
		*next = from + done;
	return done;
}

static long syslog_read(char __user *buf, int len)
{
	long r;

	r = wait_event_interruptible(log_wait, READ_ONCE(log_read) != smp_load_acquire(&boot->log_head));
	if (r)
		return r;
	return log_copy(buf, len, log_read, false, &log_read);
}

enum {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER
};

SYSCALL_DEFINE3(syslog, int, type, char __user *, buf, int, len)
{
	u64 head;
	long r;

	if (type < SYSLOG_CLOSE || type > SYSLOG_SIZE_BUFFER)
		return -EINVAL;
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER && !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (type >= SYSLOG_READ && type <= SYSLOG_READ_CLEAR) {
		if (!buf || len < 0)
			return -EINVAL;
		if (!len)
			return 0;
	}
	switch (type) {
	case SYSLOG_READ:
		return syslog_read(buf, len);
	case SYSLOG_READ_ALL:
		return log_copy(buf, len, log_clear, true, NULL);
	case SYSLOG_READ_CLEAR:
		r = log_copy(buf, len, log_clear, true, NULL);
		log_clear = boot->log_head;
		return r;
	case SYSLOG_CLEAR:
		log_clear = boot->log_head;
		return 0;
	case SYSLOG_CONSOLE_LEVEL:
		if (len < 1 || len > 8)
			return -EINVAL;
		WRITE_ONCE(boot->log_level, len - 1);
		return 0;
	case SYSLOG_CONSOLE_OFF: /* the console is the monitor's; --log-level says what it prints */
	case SYSLOG_CONSOLE_ON:
		return -EINVAL;
	case SYSLOG_SIZE_UNREAD:
		head = smp_load_acquire(&boot->log_head);
		return min_t(u64, head - log_read, boot->log_size);
	case SYSLOG_SIZE_BUFFER:
		return boot->log_size;
	}
	return 0;
}
