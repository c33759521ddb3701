// SPDX-License-Identifier: Apache-2.0
/* finit_module: a kernel module from an open file. */
#include <husk/fs.h>
#include <husk/file.h>
#include <husk/mm.h>
#include <husk/module.h>
#include <husk/syscalls.h>
#include <linux/module.h>

#define MAX_FILE (16 << 20)

static int read_whole(struct file *f, char **image, size_t *len)
{
	loff_t size = i_size_read(file_inode(f)), pos = 0;
	ssize_t n;

	if (!S_ISREG(file_inode(f)->i_mode))
		return -EINVAL;
	if (size <= 0)
		return -ENOEXEC;
	if (size > MAX_FILE)
		return -EFBIG;
	*image = kvmalloc(size, GFP_KERNEL);
	if (!*image)
		return -ENOMEM;
	while (pos < size) {
		n = kernel_read(f, *image + pos, size - pos, &pos);
		if (n <= 0)
			return n ? (int)n : -EIO; /* shorter than it was a moment ago */
	}
	*len = size;
	return 0;
}

SYSCALL_DEFINE3(finit_module, int, fd, const char __user *, uargs, int, flags)
{
	int err = may_load_modules();
	char *image = NULL, *args;
	struct file *f;
	size_t len = 0;

	if (err)
		return err;
	if (flags & ~(MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC | MODULE_INIT_COMPRESSED_FILE))
		return -EINVAL;
	if (flags & MODULE_INIT_COMPRESSED_FILE)
		return -EOPNOTSUPP; /* kmod unpacks it itself then */
	f = fget(fd);
	if (!f)
		return -EBADF;
	args = strndup_user(uargs, PAGE_SIZE);
	if (IS_ERR(args)) {
		err = PTR_ERR(args) == -EINVAL ? -E2BIG : PTR_ERR(args);
		args = NULL;
	} else if (!(f->f_mode & FMODE_READ)) {
		err = -EBADF;
	} else {
		err = read_whole(f, &image, &len) ?: load_module(image, len, args, flags);
	}
	kvfree(image);
	kfree(args);
	fput(f);
	return err;
}
