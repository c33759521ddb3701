// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/mem, environ, auxv, cmdline, maps: a task's memory as a file. */
#include "internal.h"
#include <husk/proc_mm.h>

/*
 * DOC: open keeps the mm_struct (mm_count), not the memory; each access takes mm_users and finds an exited task's memory
 * gone: end of file. cmdline alone looks at the task anew for each read, as on Linux.
 */

static int open_mm(struct inode *inode, struct file *f, bool attach)
{
	struct task_struct *t = get_proc_task(inode);
	struct mm_struct *mm;

	if (!t)
		return -ESRCH;
	mm = get_task_mm(t);
	if (mm && mm != current->mm && !proc_may_access(t, attach)) {
		mmput(mm);
		mm = ERR_PTR(-EACCES);
	}
	put_task_struct(t);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	if (mm) {
		refcount_inc(&mm->mm_count);
		mmput(mm);
	}
	f->private_data = mm;
	return 0;
}

static int mm_release(struct inode *inode, struct file *f)
{
	if (f->private_data)
		mmdrop(f->private_data);
	return 0;
}

static bool mm_use(struct mm_struct *mm)
{
	return mm && refcount_inc_not_zero(&mm->mm_users);
}

/* copy_out: n bytes at addr to the user; bytes, or -EFAULT; stops at what cannot be read */
static ssize_t copy_out(struct mm_struct *mm, unsigned long addr, char __user *buf, size_t n)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t done = 0;

	if (!page)
		return -ENOMEM;
	while (done < n) {
		int len = min_t(size_t, n - done, PAGE_SIZE), got;

		got = access_remote_vm(mm, addr + done, page, len, false);
		if (got <= 0)
			break;
		if (copy_to_user(buf + done, page, got)) {
			done = done ? done : -EFAULT;
			break;
		}
		done += got;
	}
	free_page((unsigned long)page);
	return done;
}

static ssize_t copy_in(struct mm_struct *mm, unsigned long addr, const char __user *buf, size_t n)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t done = 0;

	if (!page)
		return -ENOMEM;
	while (done < n) {
		int len = min_t(size_t, n - done, PAGE_SIZE), got;

		if (copy_from_user(page, buf + done, len)) {
			done = done ? done : -EFAULT;
			break;
		}
		got = access_remote_vm(mm, addr + done, page, len, true);
		if (got <= 0)
			break;
		done += got;
	}
	free_page((unsigned long)page);
	return done;
}

static int mem_open(struct inode *inode, struct file *f)
{
	return open_mm(inode, f, true);
}

static ssize_t mem_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct mm_struct *mm = f->private_data;
	ssize_t r;

	if (!n || !mm_use(mm))
		return 0;
	r = copy_out(mm, *pos, buf, n);
	mmput(mm);
	if (r > 0)
		*pos += r;
	return r ? r : -EIO;
}

static ssize_t mem_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	struct mm_struct *mm = f->private_data;
	ssize_t r;

	if (!n || !mm_use(mm))
		return 0;
	r = copy_in(mm, *pos, buf, n);
	mmput(mm);
	if (r > 0)
		*pos += r;
	return r ? r : -EIO;
}

static loff_t mem_lseek(struct file *f, loff_t off, int whence)
{
	switch (whence) {
	case SEEK_SET:
		f->f_pos = off;
		break;
	case SEEK_CUR:
		f->f_pos += off;
		break;
	default:
		return -EINVAL;
	}
	return f->f_pos;
}

const struct file_operations pid_mem_fops = {
	.open = mem_open,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_lseek,
	.release = mm_release,
};

static int environ_open(struct inode *inode, struct file *f)
{
	return open_mm(inode, f, false);
}

/* read_range: of [start, end) from *pos on */
static ssize_t read_range(struct mm_struct *mm, unsigned long start, unsigned long end, char __user *buf, size_t n,
			  loff_t *pos)
{
	unsigned long len = end > start ? end - start : 0;
	ssize_t r;

	if (*pos < 0 || *pos >= len)
		return 0;
	r = copy_out(mm, start + *pos, buf, min_t(size_t, n, len - *pos));
	if (r > 0)
		*pos += r;
	return r;
}

static ssize_t environ_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct mm_struct *mm = f->private_data;
	ssize_t r;

	if (!mm_use(mm))
		return 0;
	r = mm->env_end ? read_range(mm, mm->env_start, mm->env_end, buf, n, pos) : 0;
	mmput(mm);
	return r;
}

const struct file_operations pid_environ_fops = {
	.open = environ_open,
	.read = environ_read,
	.llseek = generic_file_llseek,
	.release = mm_release,
};

static ssize_t auxv_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct mm_struct *mm = f->private_data;
	unsigned words = 0;

	if (!mm)
		return 0;
	do
		words += 2;
	while (words < ARRAY_SIZE(mm->auxv) && mm->auxv[words - 2]);
	return simple_read_from_buffer(buf, n, pos, mm->auxv, words * sizeof(mm->auxv[0]));
}

const struct file_operations pid_auxv_fops = {
	.open = environ_open,
	.read = auxv_read,
	.llseek = generic_file_llseek,
	.release = mm_release,
};

/* The arguments are those of the program that the task runs when they are read, not when the file was opened. */
static struct mm_struct *cmdline_mm(struct file *f)
{
	struct task_struct *t = get_proc_task(file_inode(f));
	struct mm_struct *mm;

	if (!t)
		return ERR_PTR(-ESRCH);
	mm = get_task_mm(t);
	put_task_struct(t);
	return mm;
}

/*
 * read_title: the program wrote a title over its arguments that runs into the environment: one string from arg_start
 * up to its NUL, at most a page.
 */
static ssize_t read_title(struct mm_struct *mm, unsigned long end, char __user *buf, size_t n, loff_t *pos)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	ssize_t r = 0;
	int len;

	if (!page)
		return -ENOMEM;
	len = access_remote_vm(mm, mm->arg_start, page, min_t(unsigned long, end - mm->arg_start, PAGE_SIZE), false);
	if (len > 0) {
		size_t text = strnlen(page, len);

		r = simple_read_from_buffer(buf, n, pos, page, min_t(size_t, text + 1, len));
	}
	free_page((unsigned long)page);
	return r;
}

static ssize_t cmdline_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct mm_struct *mm = cmdline_mm(f);
	ssize_t r = 0;
	char last = 0;

	if (IS_ERR_OR_NULL(mm))
		return PTR_ERR(mm);
	if (mm->arg_end <= mm->arg_start)
		goto out;
	if (mm->env_start == mm->arg_end && mm->env_end > mm->env_start &&
	    access_remote_vm(mm, mm->arg_end - 1, &last, 1, false) == 1 && last)
		r = read_title(mm, mm->env_end, buf, n, pos);
	else
		r = read_range(mm, mm->arg_start, mm->arg_end, buf, n, pos);
out:
	mmput(mm);
	return r;
}

const struct file_operations pid_cmdline_fops = {
	.read = cmdline_read,
	.llseek = generic_file_llseek,
};

/* open_maps: the memory that the task has now; after its next exec the file is empty */
static int open_maps(struct inode *inode, struct file *f, int (*show)(struct seq_file *m, void *v))
{
	struct mm_struct *mm;
	int r = open_mm(inode, f, false);

	if (r)
		return r;
	mm = f->private_data;
	f->private_data = NULL;
	r = single_open(f, show, mm);
	if (r && mm)
		mmdrop(mm);
	return r;
}

static int maps_release(struct inode *inode, struct file *f)
{
	struct mm_struct *mm = ((struct seq_file *)f->private_data)->private;

	if (mm)
		mmdrop(mm);
	return single_release(inode, f);
}

#define MAPS_FILE(name)                                                                                                \
	static int name##_show(struct seq_file *m, void *v)                                                            \
	{                                                                                                              \
		int r = 0;                                                                                             \
                                                                                                                       \
		if (mm_use(m->private)) {                                                                              \
			r = mm_##name##_show(m, m->private);                                                           \
			mmput(m->private);                                                                             \
		}                                                                                                      \
		return r;                                                                                              \
	}                                                                                                              \
	static int name##_open(struct inode *inode, struct file *f)                                                    \
	{                                                                                                              \
		return open_maps(inode, f, name##_show);                                                               \
	}                                                                                                              \
	const struct file_operations pid_##name##_fops = {                                                             \
		.open = name##_open,                                                                                   \
		.read = seq_read,                                                                                      \
		.read_iter = seq_read_iter,                                                                            \
		.llseek = seq_lseek,                                                                                   \
		.release = maps_release,                                                                               \
	}

MAPS_FILE(maps);
MAPS_FILE(smaps);
MAPS_FILE(smaps_rollup);
