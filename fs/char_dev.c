// SPDX-License-Identifier: Apache-2.0
/* Character devices: the registry of numbers, and open by number. */
#include <husk/device.h>
#include <husk/seq_file.h>
#include <husk/module.h>

struct chrdev_region {
	struct cdev cdev;
	const char *name;
	struct chrdev_region *next;
};

/*
 * Regions are added, and taken out where a module goes: then they keep their memory, which inodes and readers may still point to, and
 * wait, without operations, for the same numbers to be registered again. Readers follow the list without the lock.
 */
static struct chrdev_region *regions, *dead_regions;
static DEFINE_SPINLOCK(regions_lock);

/* A dead region with these numbers, out of its list; regions_lock held. */
static struct chrdev_region *revive(dev_t first, unsigned count)
{
	for (struct chrdev_region *r, **p = &dead_regions; (r = *p); p = &r->next) {
		if (r->cdev.dev != first || r->cdev.count != count)
			continue;
		*p = r->next;
		return r;
	}
	return NULL;
}

static bool numbers_taken(dev_t first, unsigned count)
{
	u64 lo = MINOR(first), hi = lo + count;

	for (struct chrdev_region *r = regions; r; r = r->next) {
		u64 rlo = MINOR(r->cdev.dev);

		if (MAJOR(r->cdev.dev) == MAJOR(first) && lo < rlo + r->cdev.count && rlo < hi)
			return true;
	}
	return false;
}

/* by major, for /proc/devices; regions_lock held */
static void link_region(struct chrdev_region *new)
{
	struct chrdev_region **p;

	for (p = &regions; *p && MAJOR((*p)->cdev.dev) <= MAJOR(new->cdev.dev); p = &(*p)->next)
		;
	new->next = *p;
	smp_store_release(p, new);
}

/**
 * register_chrdev_region_ops - ops serve the devices first ... first + count - 1
 * @count: may be 0, for a major that is only to be listed in /proc/devices
 * @name: kept, not copied, but for a module, whose @ops must have .owner
 * Return: 0, -EBUSY where a number is taken, -ENOMEM, -EINVAL
 */
int register_chrdev_region_ops(dev_t first, unsigned count, const char *name, const struct file_operations *ops)
{
	struct chrdev_region *r, *new;
	int err = 0;

	if (is_module_address(ops) && (!ops->owner || !(name = kstrdup(name, GFP_KERNEL))))
		return ops->owner ? -ENOMEM : -EINVAL;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->cdev = (struct cdev){.ops = ops, .dev = first, .count = count};
	INIT_LIST_HEAD(&new->cdev.list);
	new->name = name;
	spin_lock(&regions_lock);
	if (numbers_taken(first, count)) {
		err = -EBUSY;
	} else if ((r = revive(first, count))) {
		swap(r->name, new->name);
		smp_store_release(&r->cdev.ops, ops);
		link_region(r);
	} else {
		link_region(new);
		new = NULL;
	}
	spin_unlock(&regions_lock);
	if (new &&is_module_address(ops))
		kfree(new->name);
	kfree(new);
	return err;
}

/* unregister_chrdev_region_ops - of a module that goes: nobody opens these devices any more */
void unregister_chrdev_region_ops(dev_t first, unsigned count)
{
	struct chrdev_region *r, **p;

	spin_lock(&regions_lock);
	for (p = &regions; (r = *p); p = &r->next)
		if (r->cdev.dev == first && r->cdev.count == count && is_module_address(r->cdev.ops))
			break;
	if (r) {
		WRITE_ONCE(r->cdev.ops, NULL);
		*p = r->next;
		r->next = dead_regions;
		dead_regions = r;
	}
	spin_unlock(&regions_lock);
}

static struct cdev *find_cdev(dev_t dev)
{
	struct chrdev_region *r;

	for (r = smp_load_acquire(&regions); r; r = smp_load_acquire(&r->next))
		if (MAJOR(r->cdev.dev) == MAJOR(dev) && MINOR(dev) - MINOR(r->cdev.dev) < r->cdev.count)
			return &r->cdev;
	return NULL;
}

/* The operations, held: a module's are looked at where it cannot go. NULL: none any more. */
static const struct file_operations *hold_ops(struct cdev *c)
{
	const struct file_operations *ops = READ_ONCE(c->ops);

	if (likely(ops && !is_module_address(ops)))
		return ops;
	spin_lock(&regions_lock);
	ops = c->ops;
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	spin_unlock(&regions_lock);
	return ops;
}

static int chrdev_open(struct inode *inode, struct file *f)
{
	struct cdev *c = READ_ONCE(inode->i_cdev);
	const struct file_operations *ops;
	int err;

	if (!c || !READ_ONCE(c->ops)) {
		c = find_cdev(inode->i_rdev);
		if (!c)
			return -ENXIO;
		WRITE_ONCE(inode->i_cdev, c);
	}
	ops = hold_ops(c);
	if (!ops)
		return -ENXIO;
	f->f_op = ops;
	err = ops->open ? ops->open(inode, f) : 0;
	if (err)
		module_put(ops->owner);
	return err;
}

const struct file_operations def_chr_fops = {
	.open = chrdev_open,
	.llseek = noop_llseek,
};

int chrdev_show(struct seq_file *m)
{
	const char *last = "";

	seq_puts(m, "Character devices:\n");
	spin_lock(&regions_lock);
	for (struct chrdev_region *r = regions; r; r = r->next) {
		if (strcmp(last, r->name))
			seq_printf(m, "%3u %s\n", MAJOR(r->cdev.dev), r->name);
		last = r->name;
	}
	spin_unlock(&regions_lock);
	return 0;
}
