// SPDX-License-Identifier: Apache-2.0
/* Miscellaneous devices (major 10): drivers with one minor number each. */
#include <husk/device.h>
#include <husk/seq_file.h>
#include <husk/list.h>

struct misc_entry {
	struct list_head list;
	int minor;
	const char *name;
};
static LIST_HEAD(misc_list);
static DEFINE_MUTEX(misc_lock);

/**
 * misc_register - a device 10:@minor with a node /dev/@name
 * Return: 0, -EBUSY, -ENOMEM
 */
int misc_register(int minor, const char *name, umode_t mode, const struct file_operations *ops)
{
	struct misc_entry *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int err;

	if (!e)
		return -ENOMEM;
	e->minor = minor;
	e->name = kstrdup(name, GFP_KERNEL);
	err = e->name ? register_chrdev_region_ops(MKDEV(MISC_MAJOR, minor), 1, "misc", ops) : -ENOMEM;
	if (err) {
		kfree(e->name);
		kfree(e);
		return err;
	}
	mutex_lock(&misc_lock);
	list_add(&e->list, &misc_list);
	mutex_unlock(&misc_lock);
	return devtmpfs_create_node(name, S_IFCHR | mode, MKDEV(MISC_MAJOR, minor));
}

/* misc_deregister - a module's device goes: node, number, entry in /proc/misc */
void misc_deregister(int minor)
{
	struct misc_entry *e, *found = NULL;

	mutex_lock(&misc_lock);
	list_for_each_entry (e, &misc_list, list)
		if (e->minor == minor)
			found = e;
	if (found)
		list_del(&found->list);
	mutex_unlock(&misc_lock);
	if (!found)
		return;
	unregister_chrdev_region_ops(MKDEV(MISC_MAJOR, minor), 1);
	devtmpfs_delete_node(found->name);
	kfree(found->name);
	kfree(found);
}

int misc_show(struct seq_file *m, void *v)
{
	struct misc_entry *e;

	mutex_lock(&misc_lock);
	list_for_each_entry (e, &misc_list, list)
		seq_printf(m, "%3d %s\n", e->minor, e->name);
	mutex_unlock(&misc_lock);
	return 0;
}
