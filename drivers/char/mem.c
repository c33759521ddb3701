// SPDX-License-Identifier: Apache-2.0
/* /dev/null, zero, full and the other devices of major 1. */
#include <husk/device.h>
#include <husk/init.h>
#include <husk/pipe.h>

#ifndef SPLICE_F_NONBLOCK
#define SPLICE_F_NONBLOCK 2
#endif

static ssize_t read_null(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return 0;
}

static ssize_t write_null(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	return n;
}

static ssize_t read_iter_null(struct kiocb *iocb, struct iov_iter *to)
{
	return 0;
}

static ssize_t write_iter_null(struct kiocb *iocb, struct iov_iter *from)
{
	size_t n = iov_iter_count(from);

	iov_iter_advance(from, n);
	return n;
}

/* splice_write_null: pages in the pipe are let go of unread */
static ssize_t splice_write_null(struct pipe_inode_info *pipe, struct file *out, loff_t *pos, size_t n, unsigned flags)
{
	ssize_t done = 0;
	int err = 0;

	mutex_lock(&pipe->mutex);
	while (done < n) {
		struct pipe_buffer *b;
		u32 part;

		if (pipe_empty(pipe->head, pipe->tail)) {
			if (done || !pipe->writers)
				break;
			err = flags & SPLICE_F_NONBLOCK ? -EAGAIN : pipe_wait_readable(pipe);
			if (err)
				break;
			continue;
		}
		b = pipe_slot(pipe, pipe->tail);
		part = min_t(size_t, n - done, b->len);
		b->offset += part;
		b->len -= part;
		done += part;
		if (!b->len) {
			pipe_buf_release(pipe, b);
			pipe->tail++;
		}
	}
	mutex_unlock(&pipe->mutex);
	if (done)
		wake_up_interruptible_poll(&pipe->wr_wait, EPOLLOUT | EPOLLWRNORM);
	return done ? done : err;
}

static ssize_t read_zero(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	size_t done = 0;

	while (done < n) {
		size_t part = min_t(size_t, n - done, 1u << 20), left;

		left = clear_user(buf + done, part);
		done += part - left;
		if (left)
			return done ? done : -EFAULT;
		if (signal_pending(current))
			break;
	}
	return done;
}

static ssize_t read_iter_zero(struct kiocb *iocb, struct iov_iter *to)
{
	size_t done = 0;

	while (iov_iter_count(to)) {
		size_t part = min_t(size_t, iov_iter_count(to), 1u << 20), c;

		c = iov_iter_zero(part, to);
		done += c;
		if (c < part)
			return done ? done : -EFAULT;
		if (signal_pending(current))
			break;
	}
	return done;
}

static ssize_t write_full(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	return -ENOSPC;
}

static ssize_t write_iter_full(struct kiocb *iocb, struct iov_iter *from)
{
	return -ENOSPC;
}

/* null_lseek: any seek succeeds and means nothing */
static loff_t null_lseek(struct file *f, loff_t off, int whence)
{
	return f->f_pos = 0;
}

/* mmap_zero: a private mapping is plain anonymous memory, a shared one is memory of its own */
static int mmap_zero(struct file *f, struct vm_area_struct *vma)
{
	struct file *shm;

	if (!(vma->vm_flags & VM_SHARED)) {
		vma->vm_ops = NULL;
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
		if (vma->vm_file) {
			fput(vma->vm_file);
			vma->vm_file = NULL;
		}
		return 0;
	}
	shm = shmem_file_setup("dev/zero", vma->vm_end - vma->vm_start, vma->vm_flags);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	if (vma->vm_file)
		fput(vma->vm_file);
	vma->vm_file = shm;
	vma->vm_pgoff = 0;
	return shm->f_op->mmap(shm, vma);
}

static const struct file_operations null_fops = {
	.llseek = null_lseek,
	.read = read_null,
	.write = write_null,
	.read_iter = read_iter_null,
	.write_iter = write_iter_null,
	.splice_write = splice_write_null,
};

static const struct file_operations zero_fops = {
	.llseek = null_lseek,
	.read = read_zero,
	.write = write_null,
	.read_iter = read_iter_zero,
	.write_iter = write_iter_null,
	.splice_read = generic_file_splice_read,
	.splice_write = splice_write_null,
	.mmap = mmap_zero,
};

static const struct file_operations full_fops = {
	.llseek = null_lseek,
	.read = read_zero,
	.write = write_full,
	.read_iter = read_iter_zero,
	.write_iter = write_iter_full,
	.splice_read = generic_file_splice_read,
};

static const struct {
	const char *name;
	int minor;
	umode_t mode;
	const struct file_operations *fops;
} devices[] = {
	{"null", 3, 0666, &null_fops},	   {"zero", 5, 0666, &zero_fops},	{"full", 7, 0666, &full_fops},
	{"random", 8, 0666, &random_fops}, {"urandom", 9, 0666, &urandom_fops}, {"kmsg", 11, 0644, &kmsg_fops},
};

static int mem_init_devices(void)
{
	for (int i = 0; i < ARRAY_SIZE(devices); i++) {
		dev_t dev = MKDEV(MEM_MAJOR, devices[i].minor);

		register_chrdev_region_ops(dev, 1, "mem", devices[i].fops);
		devtmpfs_create_node(devices[i].name, S_IFCHR | devices[i].mode, dev);
	}
	return 0;
}
device_initcall(mem_init_devices);
