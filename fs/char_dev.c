// SPDX-License-Identifier: Apache-2.0
/* Character devices: the registry of numbers, and open by number. */
#include <husk/device.h>
#include <husk/seq_file.h>

struct chrdev_region {
	struct cdev cdev;
	const char *name;
	struct chrdev_region *next;
};

/* Regions are only ever added; readers follow the list without the lock. */
static struct chrdev_region *regions;
static DEFINE_SPINLOCK(regions_lock);

/**
 * register_chrdev_region_ops - ops serve the devices first ... first + count - 1
 * @count: may be 0, for a major that is only to be listed in /proc/devices
 * @name: kept, not copied
 * Return: 0, -EBUSY where a number is taken, -ENOMEM
 */
int register_chrdev_region_ops(dev_t first, unsigned count, const char *name, const struct file_operations *ops)
{
	struct chrdev_region *r, **p, *new = kzalloc(sizeof(*new), GFP_KERNEL);
	u64 lo = MINOR(first), hi = lo + count;
	int err = 0;

	if (!new)
		return -ENOMEM;
	new->cdev = (struct cdev){.ops = ops, .dev = first, .count = count};
	INIT_LIST_HEAD(&new->cdev.list);
	new->name = name;
	spin_lock(&regions_lock);
	for (r = regions; r; r = r->next) {
		u64 rlo = MINOR(r->cdev.dev);

		if (MAJOR(r->cdev.dev) == MAJOR(first) && lo < rlo + r->cdev.count && rlo < hi)
			err = -EBUSY;
	}
	if (!err) { /* by major, for /proc/devices */
		for (p = &regions; *p && MAJOR((*p)->cdev.dev) <= MAJOR(first); p = &(*p)->next)
			;
		new->next = *p;
		smp_store_release(p, new);
	}
	spin_unlock(&regions_lock);
	if (err)
		kfree(new);
	return err;
}

static struct cdev *find_cdev(dev_t dev)
{
	struct chrdev_region *r;

	for (r = smp_load_acquire(&regions); r; r = smp_load_acquire(&r->next))
		if (MAJOR(r->cdev.dev) == MAJOR(dev) && MINOR(dev) - MINOR(r->cdev.dev) < r->cdev.count)
			return &r->cdev;
	return NULL;
}

static int chrdev_open(struct inode *inode, struct file *f)
{
	struct cdev *c = READ_ONCE(inode->i_cdev);

	if (!c) {
		c = find_cdev(inode->i_rdev);
		if (!c)
			return -ENXIO;
		WRITE_ONCE(inode->i_cdev, c);
	}
	f->f_op = c->ops;
	return c->ops->open ? c->ops->open(inode, f) : 0;
}

const struct file_operations def_chr_fops = {
	.open = chrdev_open,
	.llseek = noop_llseek,
};

int chrdev_show(struct seq_file *m)
{
	const char *last = "";

	seq_puts(m, "Character devices:\n");
	for (struct chrdev_region *r = smp_load_acquire(&regions); r; r = smp_load_acquire(&r->next)) {
		if (strcmp(last, r->name))
			seq_printf(m, "%3u %s\n", MAJOR(r->cdev.dev), r->name);
		last = r->name;
	}
	return 0;
}
