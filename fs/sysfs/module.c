// SPDX-License-Identifier: Apache-2.0
/* /sys/module/NAME: state, references, parameters, addresses of sections, and which modules hold it. */
#include <husk/proc_fs.h>
#include <husk/init.h>
#include <husk/module.h>

#define PATH_LEN (MODULE_NAME_LEN + 96)

static int initstate_show(char *buf, size_t n, void *priv)
{
	static const char *const states[] = {"coming", "coming", "live", "going"};
	struct module *m = priv;

	return scnprintf(buf, n, "%s\n", states[READ_ONCE(m->state)]);
}

static int refcnt_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "%u\n", module_refcount(priv));
}

static int taint_show(char *buf, size_t n, void *priv)
{
	struct module *m = priv;
	char letters[32];

	taint_letters(m->taints, letters);
	return scnprintf(buf, n, "%s\n", letters);
}

static int coresize_show(char *buf, size_t n, void *priv)
{
	struct module *m = priv;
	unsigned long size = 0;

	for (int k = 0; k < MODULE_NR_REGIONS; k++)
		size += PAGE_ALIGN(m->region[k].size);
	return scnprintf(buf, n, "%lu\n", size);
}

static int text_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "%s\n", (const char *)priv);
}

static int section_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "0x%016lx\n", (unsigned long)priv);
}

static int param_show(char *buf, size_t n, void *priv)
{
	const struct kernel_param *kp = priv;

	return kp->ops->get ? kp->ops->get(buf, n, kp) : -EPERM;
}

static DEFINE_MUTEX(param_lock); /* one change of a parameter at a time */

static int param_store(const char *buf, size_t n, void *priv)
{
	const struct kernel_param *kp = priv;
	char *copy = kstrndup(buf, n, GFP_KERNEL), *nl;
	int err;

	if (!copy)
		return -ENOMEM;
	nl = strchr(copy, '\n');
	if (nl)
		*nl = 0;
	mutex_lock(&param_lock);
	err = kp->ops->set ? kp->ops->set(copy, kp) : -EPERM;
	mutex_unlock(&param_lock);
	kfree(copy);
	return err;
}

static int add_file(struct module *m, const char *name, umode_t mode, int (*show)(char *, size_t, void *),
		    int (*store)(const char *, size_t, void *), void *priv)
{
	char path[PATH_LEN];

	if (snprintf(path, sizeof(path), "module/%s/%s", m->name, name) >= (int)sizeof(path))
		return 0; /* a section's name can be any length: it is not shown */
	return sysfs_create_file(path, mode, show, store, priv);
}

static int add_params(struct module *m)
{
	char name[80];
	int err = 0;

	for (unsigned int i = 0; !err && i < m->nparams; i++) {
		struct kernel_param *kp = &m->params[i];

		if (!(kp->perm & 0777))
			continue;
		snprintf(name, sizeof(name), "parameters/%s", kp->name);
		err = add_file(m, name, kp->perm & 0777, kp->perm & 0444 ? param_show : NULL,
			       kp->perm & 0222 ? param_store : NULL, kp);
	}
	return err;
}

/* Addresses are for root. Two sections of one name are one file. */
static void add_sections(struct module *m)
{
	char name[PATH_LEN];

	for (unsigned int i = 0; i < m->nsections; i++) {
		if (strchr(m->sections[i].name, '/') || !m->sections[i].name[0])
			continue;
		if (snprintf(name, sizeof(name), "sections/%s", m->sections[i].name) < (int)sizeof(name))
			add_file(m, name, 0400, section_show, NULL, (void *)m->sections[i].addr);
	}
}

/* /sys/module/TARGET/holders/NAME for each module whose symbols m uses */
static void holders(struct module *m, bool add)
{
	char path[2 * PATH_LEN], to[PATH_LEN];
	struct module_use *u;

	list_for_each_entry (u, &m->uses, on_source) {
		snprintf(path, sizeof(path), "module/%s/holders/%s", u->target->name, m->name);
		snprintf(to, sizeof(to), "../../%s", m->name);
		if (add)
			sysfs_create_link(path, to);
		else
			sysfs_remove(path);
	}
}

static void remove_module(struct module *m)
{
	char path[PATH_LEN];

	holders(m, false);
	snprintf(path, sizeof(path), "module/%s", m->name);
	sysfs_remove(path);
}

static int add_module(struct module *m)
{
	char path[PATH_LEN];
	int err;

	snprintf(path, sizeof(path), "module/%s", m->name);
	err = sysfs_create_removable_dir(path);
	if (err)
		return err;
	snprintf(path, sizeof(path), "module/%s/holders", m->name);
	err = sysfs_create_dir(path) ?:
	      add_file(m, "initstate", 0444, initstate_show, NULL, m) ?:
	      add_file(m, "refcnt", 0444, refcnt_show, NULL, m) ?:
	      add_file(m, "taint", 0444, taint_show, NULL, m) ?:
	      add_file(m, "coresize", 0444, coresize_show, NULL, m) ?:
	      add_params(m);
	if (!err && m->version)
		err = add_file(m, "version", 0444, text_show, NULL, (void *)m->version);
	if (!err && m->srcversion)
		err = add_file(m, "srcversion", 0444, text_show, NULL, (void *)m->srcversion);
	if (!err) {
		add_sections(m);
		holders(m, true);
		return 0;
	}
	pr_err("module %s: /sys/module: error %d", m->name, err);
	remove_module(m);
	return err;
}

static int module_event(struct module *m, enum module_state state)
{
	if (state == MODULE_STATE_COMING)
		return add_module(m);
	if (state == MODULE_STATE_GOING)
		remove_module(m);
	return 0;
}

static struct module_notifier notifier = {.fn = module_event};

static int sysfs_module_init(void)
{
	register_module_notifier(&notifier);
	return sysfs_create_dir("module");
}
subsys_initcall(sysfs_module_init);
