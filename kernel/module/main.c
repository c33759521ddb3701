// SPDX-License-Identifier: Apache-2.0
// Modules come and go: loading, references, removal, and the system calls for them.

#include <husk/moduleloader.h>
#include <abi.h>
#include <husk/boot.h>
#include <husk/cred.h>
#include <husk/mm.h>
#include <husk/oops.h>
#include <husk/syscalls.h>
#include <husk/utsname.h>
#include <husk/wait.h>
#include <hostif/hostif.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/module.h>

/**
 * DOC: life of a module
 *
 * UNFORMED while its file is read and linked, COMING while its init runs, LIVE, GOING until its memory is free. refcnt has 1 for "may be
 * used", and another 1 until its start is over; try_module_get() succeeds while it is not 0. delete_module() takes the 1 away, which it
 * can only where nobody else holds anything: from then on nobody can get the module. States change under module_mutex; init and exit run
 * without it.
 * Order: module_mutex is taken before the locks of proc, sysfs and the allocator, never inside of them.
 */
DEFINE_MUTEX(module_mutex);
LIST_HEAD(modules);
static DECLARE_WAIT_QUEUE_HEAD(module_wq); /* a module has become LIVE, or is gone */
static struct module_notifier *notifiers, *last_notifier;
extern struct hostif_boot *boot;

void register_module_notifier(struct module_notifier *n)
{
	mutex_lock(&module_mutex);
	n->next = NULL;
	n->prev = last_notifier;
	*(last_notifier ? &last_notifier->next : &notifiers) = n;
	last_notifier = n;
	mutex_unlock(&module_mutex);
}

static void tell_gone(struct module *m, struct module_notifier *from)
{
	for (struct module_notifier *n = from; n; n = n->prev)
		n->fn(m, MODULE_STATE_GOING);
}

static int tell(struct module *m, enum module_state state)
{
	for (struct module_notifier *n = notifiers; n; n = n->next) {
		int err = n->fn(m, state);

		if (err && state == MODULE_STATE_COMING) {
			tell_gone(m, n->prev);
			return err;
		}
	}
	return 0;
}

bool __try_module_get(struct module *m)
{
	return atomic_inc_not_zero(&m->refcnt);
}

void __module_put(struct module *m)
{
	BUG_ON(atomic_dec_return(&m->refcnt) < 0);
}

unsigned int module_refcount(const struct module *m)
{
	int n = atomic_read(&m->refcnt);

	return n > 0 ? (unsigned int)n - 1 : 0;
}

const char *module_name(const struct module *m)
{
	return m ? m->name : "kernel";
}

/* "-" in a name that is asked for is "_" in a module's. */
static struct module *find_module(const char *name)
{
	struct module *m;

	list_for_each_entry (m, &modules, list) {
		const char *a = m->name, *b = name;

		while (*a && (*a == *b || (*a == '_' && *b == '-')))
			a++, b++;
		if (!*a && !*b)
			return m;
	}
	return NULL;
}

static void set_state(struct module *m, enum module_state state)
{
	mutex_lock(&module_mutex);
	m->state = state;
	mutex_unlock(&module_mutex);
	wake_up_all(&module_wq);
}

/* ---- what the file says of itself ---- */

static const char vermagic[] = UTS_RELEASE " SMP mod_unload " HUSK_ABI;

static int check_version(const struct load_info *info)
{
	const char *v = module_info_tag(info, "vermagic", NULL);

	if (v && !strcmp(v, vermagic))
		return 0;
	pr_err("module %s: it was built for \"%s\", this kernel is \"%s\": build it again%s", info->name,
	       v ?: "(nothing)", vermagic, info->ignore & MODULE_INIT_IGNORE_VERMAGIC ? "; ignored, as asked for" : "");
	return info->ignore & MODULE_INIT_IGNORE_VERMAGIC ? 0 : -ENOEXEC;
}

static bool licence_ok(const char *l)
{
	static const char *const good[] = {"GPL",	   "GPL v2",	   "GPL and additional rights",
					   "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
					   "Apache-2.0"};

	for (unsigned int i = 0; l && i < ARRAY_SIZE(good); i++)
		if (!strcmp(l, good[i]))
			return true;
	return false;
}

static unsigned long taints_of(const struct load_info *info)
{
	unsigned long t = BIT(TAINT_OOT_MODULE);
	const char *v = module_info_tag(info, "vermagic", NULL);

	if (!licence_ok(module_info_tag(info, "license", NULL)))
		t |= BIT(TAINT_PROPRIETARY_MODULE);
	if (!v || strcmp(v, vermagic))
		t |= BIT(TAINT_FORCED_MODULE);
	return t;
}

/* ---- loading ---- */

static bool name_settled(const char *name)
{
	struct module *m;
	bool r;

	mutex_lock(&module_mutex);
	m = find_module(name);
	r = !m || m->state == MODULE_STATE_LIVE;
	mutex_unlock(&module_mutex);
	return r;
}

/* A place in the list under a name that no other has. Waits for one that is coming or going. */
static int claim_name(struct load_info *info)
{
	struct module *other;
	int err;

	for (;;) {
		mutex_lock(&module_mutex);
		other = find_module(info->name);
		if (!other || other->state == MODULE_STATE_LIVE)
			break;
		mutex_unlock(&module_mutex);
		err = wait_event_interruptible(module_wq, name_settled(info->name));
		if (err)
			return -EINTR;
	}
	if (!other)
		list_add(&info->self->list, &modules); /* the newest first, as in Linux */
	mutex_unlock(&module_mutex);
	return other ? -EEXIST : 0;
}

/* struct module is at its place in the data region: mod is where it is written, self where it is. In the kernel both are mapped. */
static int allocate(struct load_info *info)
{
	struct module_region r[MODULE_NR_REGIONS];
	int err;

	for (int k = 0; k < MODULE_NR_REGIONS; k++)
		r[k] = (struct module_region){.size = info->size[k]};
	mutex_lock(&module_mutex);
	err = module_memory_get(r);
	mutex_unlock(&module_mutex);
	if (err) {
		pr_err("module %s: no room for it: %u KiB text, %u KiB constants, %u KiB data", info->name,
		       info->size[MODULE_TEXT] >> 10, info->size[MODULE_RODATA] >> 10, info->size[MODULE_DATA] >> 10);
		return err;
	}
	info->self = (struct module *)(r[MODULE_DATA].base + info->module_off);
	info->mod = info->self;
	memset(info->mod, 0, sizeof(*info->mod));
	memcpy(info->mod->region, r, sizeof(r));
	INIT_LIST_HEAD(&info->mod->users);
	INIT_LIST_HEAD(&info->mod->uses);
	strscpy(info->mod->name, info->name, MODULE_NAME_LEN);
	info->mod->state = MODULE_STATE_UNFORMED;
	info->mod->taints = taints_of(info);
	return 0;
}

/* Nothing refers to m any more. It lies in what is given back. */
static void free_module(struct module *m)
{
	struct module_region r[MODULE_NR_REGIONS];

	module_drop_uses(m);
	memcpy(r, m->region, sizeof(r));
	mutex_lock(&module_mutex);
	if (!list_empty(&m->list))
		list_del(&m->list);
	module_pages_claim(m, false);
	module_memory_put(r);
	mutex_unlock(&module_mutex);
	wake_up_all(&module_wq);
}

static int relocate(struct load_info *info)
{
	int err = 0;

	for (unsigned int i = 1; !err && i < info->nsec; i++)
		if (info->sec[i].sh_type == SHT_RELA && info->addr[info->sec[i].sh_info])
			err = apply_relocate_add(info, i);
	return err;
}

/* The file's own words that live on, in the module's .modinfo. */
static const char *kept_tag(const struct load_info *info, const char *tag)
{
	const char *v = module_info_tag(info, tag, NULL);

	if (!v)
		return NULL;
	return (const char *)(info->addr[info->info] + (v - (const char *)section_data(info, info->info)));
}

/* Linked, its tables known, its name in the list, but nothing of it has run. */
static int link_module(struct load_info *info)
{
	struct module *m = info->mod;
	int err;

	module_move(info);
	err = module_resolve_symbols(info) ?: relocate(info) ?: module_finish(info) ?: arch_module_check_text(m);
	if (err)
		return err;
	m->version = kept_tag(info, "version");
	m->srcversion = kept_tag(info, "srcversion");
	mutex_lock(&module_mutex);
	err = module_check_exports(m);
	if (!err) {
		atomic_set(&m->refcnt, 2); /* one of them is start_module()'s */
		m->state = MODULE_STATE_COMING;
		module_pages_claim(m, true);
	}
	mutex_unlock(&module_mutex);
	arch_module_text_written();
	return err;
}

static void taint_kernel(struct module *m)
{
	if ((m->taints & BIT(TAINT_PROPRIETARY_MODULE)) && !(tainted_mask & BIT(TAINT_PROPRIETARY_MODULE)))
		pr_warn("module %s: its licence taints the kernel", m->name);
	for (unsigned int i = 0; i < 64; i++)
		if (m->taints & BIT(i))
			add_taint(i);
}

/* m's init refused, or was never called. Only what uses m now, which nothing should, makes us wait. */
static void undo_module(struct module *m)
{
	set_state(m, MODULE_STATE_GOING);
	if (atomic_sub_return(2, &m->refcnt) != 0)
		pr_err("module %s: its init failed, but it is in use: it stays", m->name);
}

static int start_module(struct module *m, char *args)
{
	int err = module_parse_args(m, args);

	if (!err)
		err = tell(m, MODULE_STATE_COMING);
	if (err) {
		undo_module(m);
		return err;
	}
	taint_kernel(m);
	err = m->init ? m->init() : 0;
	if (err >= 0) {
		if (err)
			pr_warn("module %s: init returned %d: 0 is success, negative is an error; it is loaded",
				m->name, err);
		set_state(m, MODULE_STATE_LIVE);
		tell(m, MODULE_STATE_LIVE);
		pr_info("module %s: loaded at 0x%lx", m->name, m->region[MODULE_TEXT].base);
		module_put(m); /* from here on it may be gone */
		return 0;
	}
	pr_warn("module %s: init failed: error %d", m->name, err);
	undo_module(m);
	tell_gone(m, last_notifier);
	return err < -MAX_ERRNO ? -EINVAL : err;
}

int load_module(char *image, size_t len, const char *args, unsigned int flags)
{
	struct load_info info = {.image = image, .len = len, .ignore = flags};
	char *copy = kstrdup(args, GFP_KERNEL);
	struct module *m;
	int err = copy ? module_elf_check(&info) : -ENOMEM;

	err = err ?: check_version(&info) ?: module_layout(&info) ?: allocate(&info);
	if (err)
		goto out;
	m = info.self;
	err = claim_name(&info);
	if (err) {
		INIT_LIST_HEAD(&m->list);
		free_module(m);
		goto out;
	}
	err = link_module(&info);
	if (!err) {
		err = start_module(m, copy);
		if (!err)
			goto out;
		module_free_params(m);
		if (atomic_read(&m->refcnt) > 0)
			goto out; /* somebody still has it: its memory is lost, not reused */
	}
	free_module(m);
out:
	module_elf_free(&info);
	kfree(copy);
	return err;
}

int may_load_modules(void)
{
	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	if (module_window)
		return 0;
	if (boot->flags & HOSTIF_B_ALLOW_MODULES)
		pr_err("modules cannot be loaded: there was no memory for them at the start");
	else
		pr_err("a module was refused: start the sandbox with \"husk run --allow-modules\" (module code is "
		       "kernel code)");
	return -EPERM;
}

SYSCALL_DEFINE3(init_module, const void __user *, umod, unsigned long, len, const char __user *, uargs)
{
	int err = may_load_modules();
	char *image, *args;

	if (err)
		return err;
	if (len < sizeof(Elf64_Ehdr))
		return -ENOEXEC;
	if (len > MODULE_MAX_FILE)
		return -EFBIG;
	args = strndup_user(uargs, PAGE_SIZE);
	if (IS_ERR(args))
		return PTR_ERR(args) == -EINVAL ? -E2BIG : PTR_ERR(args);
	image = kvmalloc(len, GFP_KERNEL);
	if (!image)
		err = -ENOMEM;
	else if (copy_from_user(image, umod, len))
		err = -EFAULT;
	else
		err = load_module(image, len, args, 0);
	kvfree(image);
	kfree(args);
	return err;
}

/* ---- removal ---- */

/* m is not to be had from now on, if nobody has it. module_mutex held. */
static int stop_module(struct module *m)
{
	if (!list_empty(&m->users))
		return -EWOULDBLOCK; /* other modules use it */
	if (m->state != MODULE_STATE_LIVE)
		return -EBUSY;
	if (m->init && !m->exit)
		return -EBUSY; /* made to stay */
	if (cmpxchg(&m->refcnt.counter, 1, 0) != 1)
		return -EWOULDBLOCK;
	m->state = MODULE_STATE_GOING;
	return 0;
}

SYSCALL_DEFINE2(delete_module, const char __user *, uname, unsigned int, flags)
{
	struct module *m;
	char *name;
	int err;

	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	name = strndup_user(uname, MODULE_NAME_LEN);
	if (IS_ERR(name))
		return PTR_ERR(name) == -EINVAL ? -ENOENT : PTR_ERR(name);
	mutex_lock(&module_mutex);
	m = find_module(name);
	err = m ? stop_module(m) : -ENOENT;
	mutex_unlock(&module_mutex);
	kfree(name);
	if (err)
		return err;
	if (m->exit)
		m->exit();
	tell_gone(m, last_notifier);
	module_free_params(m);
	pr_info("module %s: removed", m->name);
	free_module(m);
	return 0;
}

static int module_init_loader(void)
{
	module_extable = module_search_extable;
	return 0;
}
core_initcall(module_init_loader);
