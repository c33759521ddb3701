// SPDX-License-Identifier: Apache-2.0
// Leaves bytes of the program's choice on its kernel stack, as any system call may, and says where: what an attacker would have to find out.

#include <husk/device.h>
#include <husk/fs.h>
#include <husk/mm.h>
#include <husk/module.h>

#define STALE_MINOR 243
#define STALE_BYTES 2048

static struct {
	u64 room;   /* where the bytes of the last write lay */
	u64 canary; /* kernel memory that nobody writes */
	u64 value;
} told;
static u32 canary[2] = {0x11111111, 0x22222222};

static ssize_t noinline stale_write(struct file *f, const char __user *buf, size_t n, loff_t *pos)
{
	char room[STALE_BYTES] __aligned(64);

	if (n > sizeof(room) || copy_from_user(room, buf, n))
		return -EFAULT;
	told.room = (u64)room;
	__asm__ volatile("" ::"r"(room) : "memory"); /* they stay when this returns */
	return n;
}

static ssize_t stale_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	loff_t start = 0;

	told.canary = (u64)canary;
	told.value = READ_ONCE(*(u64 *)canary);
	return simple_read_from_buffer(buf, n, &start, &told, sizeof(told));
}

static const struct file_operations stale_fops = {.owner = THIS_MODULE, .read = stale_read, .write = stale_write};

static int __init stale_init(void)
{
	return misc_register(STALE_MINOR, "stale", 0666, &stale_fops);
}

static void __exit stale_exit(void)
{
	misc_deregister(STALE_MINOR);
}
module_init(stale_init);
module_exit(stale_exit);
MODULE_LICENSE("GPL");
