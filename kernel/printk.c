// SPDX-License-Identifier: Apache-2.0
// The kernel log: a ring of text lines that the monitor prints and syslog(2) reads. Everything but lib/ and the host calls may use it.

#include <husk/time.h>
#include <husk/boot.h>
#include <husk/oops.h>
#include "log.h"

#define LINE_MAX_ 480
#define LOG_LOCK_TRIES 200

static DEFINE_SPINLOCK(log_lock);
DECLARE_WAIT_QUEUE_HEAD(log_wait);
u32 oops_in_progress;

static void log_put(u64 *head, const char *s, size_t n)
{
	u64 mask = boot->log_size - 1;

	for (size_t done = 0; done < n;) {
		u64 off = (*head + done) & mask;
		size_t len = min_t(size_t, n - done, boot->log_size - off);

		memcpy(log_buf() + off, s + done, len);
		done += len;
	}
	*head += n;
}

static void log_kick(void)
{
	__atomic_fetch_add(&boot->log_kick, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&boot->log_kick_sleep, __ATOMIC_SEQ_CST))
		host_futex_wake(&boot->log_kick, 1);
}

/* A report must come out even if its own task, or one that is stopped, holds the lock. */
static bool log_lock_get(void)
{
	static bool broken;
	u32 zero = 0;

	if (likely(!READ_ONCE(oops_in_progress))) {
		spin_lock(&log_lock);
		return true;
	}
	for (unsigned i = 0; i < LOG_LOCK_TRIES && !broken; i++) {
		if (spin_trylock(&log_lock))
			return true;
		host_futex_wait(&zero, 0, NSEC_PER_MSEC);
	}
	broken = true;
	return spin_trylock(&log_lock);
}

static void log_line(int level, const char *text, size_t n)
{
	u64 ns = ktime_get_ns() - boot->boot_monotonic_ns, head;
	char prefix[40];
	bool locked;
	int len = scnprintf(prefix, sizeof(prefix), "<%d>[%5llu.%06llu] ", level,
			    (unsigned long long)(ns / NSEC_PER_SEC), (unsigned long long)(ns % NSEC_PER_SEC / 1000));

	locked = log_lock_get();
	head = boot->log_head;
	log_put(&head, prefix, len);
	log_put(&head, text, n);
	log_put(&head, "\n", 1);
	__atomic_store_n(&boot->log_head, head, __ATOMIC_RELEASE);
	if (locked)
		spin_unlock(&log_lock);
}

void vprintk(int level, const char *fmt, va_list ap)
{
	char buf[LINE_MAX_], *line = buf, *nl;
	int n;

	if (!boot || !boot->log_size || level > (int)READ_ONCE(boot->log_level))
		return;
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	if (n >= (int)sizeof(buf))
		n = sizeof(buf) - 1;
	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	do { /* every line is a record of its own */
		nl = strchrnul(line, '\n');
		log_line(level, line, nl - line);
		line = nl + 1;
	} while (*nl);
	log_kick();
	if (likely(!READ_ONCE(
		    oops_in_progress))) /* the queue's lock may be the report's subject; the next line wakes */
		wake_up_interruptible(&log_wait);
}

void printk(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(level, fmt, ap);
	va_end(ap);
}
