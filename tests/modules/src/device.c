// SPDX-License-Identifier: Apache-2.0
// A character device that keeps what was written to it, and a directory of /proc.

#include <husk/device.h>
#include <husk/kernel.h>
#include <husk/mm.h>
#include <husk/module.h>
#include <husk/proc_fs.h>

#define DEVICE_MINOR 242

static char *kept;
static size_t kept_len;
static DEFINE_MUTEX(kept_lock);
static struct proc_dir_entry *dir;
static unsigned int opened;

static int device_open(struct inode *inode, struct file *f)
{
	__atomic_fetch_add(&opened, 1, __ATOMIC_RELAXED);
	return 0;
}

static ssize_t device_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	ssize_t r;

	mutex_lock(&kept_lock);
	r = simple_read_from_buffer(buf, n, pos, kept, kept_len);
	mutex_unlock(&kept_lock);
	return r;
}

static ssize_t device_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	char *copy = n <= PAGE_SIZE ? kmalloc(n, GFP_KERNEL) : NULL;

	if (!copy)
		return -ENOSPC;
	if (copy_from_user(copy, buf, n)) {
		kfree(copy);
		return -EFAULT;
	}
	mutex_lock(&kept_lock);
	kfree(kept);
	kept = copy;
	kept_len = n;
	mutex_unlock(&kept_lock);
	return n;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE, .open = device_open, .read = device_read, .write = device_write};

static ssize_t raw_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	return simple_read_from_buffer(buf, n, pos, "raw\n", 4);
}
static const struct file_operations raw_fops = {.owner = THIS_MODULE, .read = raw_read};
static const struct file_operations no_owner_fops = {.read = raw_read};

static int count_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", opened);
	return 0;
}

static int __init device_init(void)
{
	int err = misc_register(DEVICE_MINOR, "kept", 0666, &device_fops);

	if (err)
		return err;
	dir = proc_mkdir("kept", NULL);
	if (!dir || !proc_create_single("count", 0444, dir, count_show) || !proc_create("raw", 0444, dir, &raw_fops) ||
	    !proc_symlink("link", dir, "raw")) {
		proc_remove(dir);
		misc_deregister(DEVICE_MINOR);
		return -ENOMEM;
	}
	if (proc_create("no-owner", 0444, dir, &no_owner_fops))
		pr_err("device: operations without an owner were taken");
	return 0;
}

static void __exit device_exit(void)
{
	proc_remove(dir);
	misc_deregister(DEVICE_MINOR);
	kfree(kept);
}
module_init(device_init);
module_exit(device_exit);
MODULE_LICENSE("GPL");
