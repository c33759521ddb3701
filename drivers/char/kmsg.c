// SPDX-License-Identifier: Apache-2.0
/* /dev/kmsg: the kernel log, one record a read; writes add a line. */
#include <husk/device.h>
#include <husk/boot.h>

/*
 * DOC: the log is a ring of lines "<L>[seconds.micros] text\n" (kernel/printk.c). A reader keeps the byte position of its
 * next line; one that was overtaken by the ring gets EPIPE once and goes on at the oldest whole line.
 */

#define KMSG_MAX 1024
struct kmsg_reader {
	struct mutex lock;
	u64 pos, seq;
};

static u64 log_head(void)
{
	return smp_load_acquire(&boot->log_head);
}

static char log_char(u64 pos)
{
	return ((char *)phys_to_virt(boot->log_phys))[pos & (boot->log_size - 1)];
}

static u64 oldest(void)
{
	u64 head = log_head(), pos;

	if (head <= boot->log_size)
		return 0;
	for (pos = head - boot->log_size; pos < head && log_char(pos) != '\n'; pos++)
		;
	return pos + 1;
}

/* parse: one line as a record "prio,seq,microseconds,-;text\n" */
static int parse(const char *line, int len, u64 seq, char *out, int size)
{
	int prio = 6;
	u64 sec = 0, us = 0;
	const char *p = line, *end = line + len;

	if (p + 3 < end && p[0] == '<') {
		prio = p[1] - '0';
		p += 3;
	}
	if (p < end && *p == '[') {
		char *q;

		for (p++; p < end && *p == ' '; p++)
			;
		sec = simple_strtoul(p, &q, 10);
		if (*q == '.')
			us = simple_strtoul(q + 1, &q, 10);
		p = q;
		if (p < end && *p == ']')
			p++;
		if (p < end && *p == ' ')
			p++;
	}
	return scnprintf(out, size, "%d,%llu,%llu,-;%.*s\n", prio, (unsigned long long)seq,
			 (unsigned long long)(sec * 1000000 + us), (int)(end - p), p);
}

static ssize_t kmsg_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct kmsg_reader *r = f->private_data;
	char line[512], out[KMSG_MAX];
	int len = 0;
	u64 at;

	mutex_lock(&r->lock);
	if (log_head() - r->pos > boot->log_size) {
		r->pos = oldest();
		mutex_unlock(&r->lock);
		return -EPIPE;
	}
	at = r->pos;
	if (at == log_head()) {
		mutex_unlock(&r->lock);
		return -EAGAIN;
	}
	while (at < log_head() && log_char(at) != '\n') {
		if (len < (int)sizeof(line) - 1)
			line[len++] = log_char(at);
		at++;
	}
	line[len] = 0;
	len = parse(line, len, r->seq, out, sizeof(out));
	if (len > n) {
		mutex_unlock(&r->lock);
		return -EINVAL;
	}
	r->pos = at + 1;
	r->seq++;
	mutex_unlock(&r->lock);
	return copy_to_user(buf, out, len) ? -EFAULT : len;
}

/* kmsg_read_blocking: the ring rings no bell inside the guest, so a blocked reader looks once in a while */
static ssize_t kmsg_read_blocking(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	for (;;) {
		ssize_t r = kmsg_read(f, buf, n, pos);

		if (r != -EAGAIN || (f->f_flags & O_NONBLOCK))
			return r;
		set_current_state(TASK_INTERRUPTIBLE);
		schedule_timeout(200 * NSEC_PER_MSEC);
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
}

static ssize_t kmsg_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	int level = LOGLEVEL_NOTICE;
	char line[KMSG_MAX], *p = line;

	if (n > KMSG_MAX - 1)
		return -EINVAL;
	if (copy_from_user(line, buf, n))
		return -EFAULT;
	line[n] = 0;
	if (line[0] == '<') {
		char *q;
		unsigned long v = simple_strtoul(line + 1, &q, 10);

		if (q > line + 1 && *q == '>') {
			level = v & 7;
			p = q + 1;
		}
	}
	for (char *e = p + strlen(p); e > p && e[-1] == '\n';)
		*--e = 0;
	printk(level, "%s\n", p);
	return n;
}

static loff_t kmsg_llseek(struct file *f, loff_t off, int whence)
{
	struct kmsg_reader *r = f->private_data;

	if (off)
		return -ESPIPE;
	mutex_lock(&r->lock);
	r->pos = whence == SEEK_END ? log_head() : oldest();
	mutex_unlock(&r->lock);
	return whence == SEEK_SET || whence == SEEK_END || whence == SEEK_DATA ? 0 : -EINVAL;
}

static int kmsg_open(struct inode *inode, struct file *f)
{
	struct kmsg_reader *r;

	if ((f->f_flags & O_ACCMODE) == O_WRONLY)
		return 0;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock);
	r->pos = oldest();
	f->private_data = r;
	return 0;
}

static int kmsg_release(struct inode *inode, struct file *f)
{
	kfree(f->private_data);
	return 0;
}

const struct file_operations kmsg_fops = {
	.llseek = kmsg_llseek,
	.read = kmsg_read_blocking,
	.write = kmsg_write,
	.open = kmsg_open,
	.release = kmsg_release,
};
