// SPDX-License-Identifier: Apache-2.0
// Names of open files for the trace, as the links in /proc/PID/fd have them.

#include <husk/fs.h>
#include <husk/init.h>
#include <husk/trace.h>
#include <linux/fcntl.h>

static long copy_path(const struct path *p, char *buf, unsigned long n)
{
	char *page = (char *)__get_free_page(GFP_KERNEL), *s;
	long len;

	if (!page)
		return -ENOMEM;
	s = d_path(p, page, PAGE_SIZE);
	len = PTR_ERR_OR_ZERO(s);
	if (!len) {
		len = min_t(long, n, strlen(s));
		memcpy(buf, s, len);
	}
	free_page((unsigned long)page);
	return len;
}

static long describe_file(struct file *f, char *buf, unsigned long n)
{
	return copy_path(&f->f_path, buf, n);
}

static long describe_fd(int fd, char *buf, unsigned long n)
{
	struct file *f;
	struct path p;
	long r;

	if (fd == AT_FDCWD) {
		get_fs_pwd(current->fs, &p);
		r = copy_path(&p, buf, n);
		path_put(&p);
		return r;
	}
	f = fget_raw(fd);
	if (!f)
		return -EBADF;
	r = describe_file(f, buf, n);
	fput(f);
	return r;
}

static const struct trace_fs_ops ops = {describe_fd, describe_file};

static int trace_path_init(void)
{
	trace_fs = &ops;
	return 0;
}
core_initcall(trace_path_init);
