// SPDX-License-Identifier: Apache-2.0
/* /dev/random and /dev/urandom: the kernel's generator, which the monitor seeded before the first instruction ran. */
#include <husk/device.h>
#include <linux/random.h>

static ssize_t random_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	u8 buf[256];
	size_t done = 0;

	while (iov_iter_count(to)) {
		size_t n = min_t(size_t, iov_iter_count(to), sizeof(buf)), c;

		get_random_bytes(buf, n);
		c = copy_to_iter(buf, n, to);
		done += c;
		if (c < n) {
			memset(buf, 0, sizeof(buf));
			return done ? done : -EFAULT;
		}
		if (!(done & 4095)) {
			touch_watchdog();
			if (signal_pending(current))
				break;
		}
	}
	memset(buf, 0, sizeof(buf));
	barrier();
	return done;
}

/* random_write_iter: stirred in, credited with nothing */
static ssize_t random_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	u8 buf[256];
	size_t done = 0;

	while (iov_iter_count(from)) {
		size_t n = min_t(size_t, iov_iter_count(from), sizeof(buf)), c = copy_from_iter(buf, n, from);

		add_random_bytes(buf, c);
		done += c;
		if (c < n)
			return done ? done : -EFAULT;
	}
	return done;
}

static long add_entropy(int __user *arg)
{
	int head[2]; /* bits, bytes */
	u8 buf[256];

	if (copy_from_user(head, arg, sizeof(head)))
		return -EFAULT;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	for (int done = 0; done < head[1];) {
		int n = min_t(int, head[1] - done, sizeof(buf));

		if (copy_from_user(buf, (u8 __user *)(arg + 2) + done, n))
			return -EFAULT;
		add_random_bytes(buf, n);
		done += n;
	}
	return 0;
}

static long random_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	switch (cmd) {
	case RNDGETENTCNT:
		return put_user(256, (int __user *)arg);
	case RNDADDTOENTCNT:
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG: /* the generator is always seeded: no count to change */
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	case RNDADDENTROPY:
		return capable(CAP_SYS_ADMIN) ? add_entropy((int __user *)arg) : -EPERM;
	}
	return -ENOIOCTLCMD;
}

#define RANDOM_FOPS                                                                                                    \
	{                                                                                                              \
		.llseek = noop_llseek, .read_iter = random_read_iter, .write_iter = random_write_iter,                 \
		.unlocked_ioctl = random_ioctl, .splice_read = generic_file_splice_read                                \
	}
const struct file_operations random_fops = RANDOM_FOPS;
const struct file_operations urandom_fops = RANDOM_FOPS;
