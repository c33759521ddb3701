// SPDX-License-Identifier: Apache-2.0
// The kernel log: a ring of text lines that the monitor prints and syslog(2) reads.

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <husk/time.h>
#include <husk/boot.h>
#include <husk/oops.h>

#define LINE_MAX_ 480
#define LOG_LOCK_TRIES 200

static DEFINE_SPINLOCK(log_lock);
static u64 log_clear; /* syslog(SYSLOG_ACTION_CLEAR): readers start here */
static u64 log_read;  /* syslog(SYSLOG_ACTION_READ) has come so far */
static DECLARE_WAIT_QUEUE_HEAD(log_wait);

static inline char *log_buf(void)
{
	return (char *)phys_to_virt(boot->log_phys);
}

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

/* ---- syslog(2) ---- */

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
