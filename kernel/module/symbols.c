// SPDX-License-Identifier: Apache-2.0
// Symbols and modules: what a module may link to, who links to whom, and the names of addresses in modules.

#include <husk/moduleloader.h>
#include <husk/kallsyms.h>
#include <husk/oops.h>
#include <husk/lock.h>

extern const struct kernel_symbol __start___ksymtab[], __stop___ksymtab[];

/* For measurements: 0 makes the loader compare names one after the other (sysctl kernel.module_symbol_index). */
int module_symbol_index = 1;

static const struct kernel_symbol *search(const struct kernel_symbol *t, unsigned int n, const char *name)
{
	unsigned int lo = 0;

	if (unlikely(!READ_ONCE(module_symbol_index))) {
		for (; lo < n; lo++)
			if (!strcmp(ksym_name(&t[lo]), name))
				return &t[lo];
		return NULL;
	}
	while (lo < n) {
		unsigned int mid = (lo + n) / 2;
		int c = strcmp(name, ksym_name(&t[mid]));

		if (!c)
			return &t[mid];
		if (c < 0)
			n = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Who exports name: *owner is the module, or NULL for the kernel. module_mutex held. */
static const struct kernel_symbol *find_export(const char *name, struct module **owner)
{
	const struct kernel_symbol *s;
	struct module *m;

	*owner = NULL;
	s = search(__start___ksymtab, (unsigned int)(__stop___ksymtab - __start___ksymtab), name);
	if (s)
		return s;
	list_for_each_entry (m, &modules, list) {
		if (m->state == MODULE_STATE_UNFORMED || !(s = search(m->syms, m->nsyms, name)))
			continue;
		*owner = m;
		return s;
	}
	return NULL;
}

/* m uses target's symbols from now on: target stays as long as m does. module_mutex held. */
static int use_module(struct module *m, struct module *target)
{
	struct module_use *u;

	if (target->state != MODULE_STATE_LIVE)
		return -EBUSY;
	list_for_each_entry (u, &m->uses, on_source)
		if (u->target == target)
			return 0;
	u = kzalloc(sizeof(*u), GFP_KERNEL);
	if (!u)
		return -ENOMEM;
	if (!try_module_get(target)) {
		kfree(u);
		return -EBUSY;
	}
	u->source = m;
	u->target = target;
	list_add_tail(&u->on_target, &target->users);
	list_add_tail(&u->on_source, &m->uses);
	return 0;
}

void module_drop_uses(struct module *m)
{
	struct module_use *u;

	mutex_lock(&module_mutex);
	while (!list_empty(&m->uses)) {
		u = list_first_entry(&m->uses, struct module_use, on_source);
		list_del(&u->on_source);
		list_del(&u->on_target);
		module_put(u->target);
		kfree(u);
	}
	mutex_unlock(&module_mutex);
}

/* module_mutex held */
static int resolve_one(struct load_info *info, const char *name, unsigned int bind, u64 *value)
{
	struct module *owner, *m = info->self;
	const struct kernel_symbol *s = find_export(name, &owner);
	int err;

	if (!s && bind == STB_WEAK)
		return 0;
	if (!s) {
		pr_err("module %s: unknown symbol %s: neither the kernel nor a loaded module exports it", m->name,
		       name);
		return -ENOENT;
	}
	if (s->gpl_only && (m->taints & BIT(TAINT_PROPRIETARY_MODULE))) {
		pr_err("module %s: symbol %s is for modules under a compatible licence; MODULE_LICENSE says otherwise",
		       m->name, name);
		return -ENOENT;
	}
	err = owner ? use_module(m, owner) : 0;
	if (err == -EBUSY)
		pr_err("module %s: module %s, which exports %s, is being loaded or removed", m->name, owner->name,
		       name);
	*value = ksym_value(s);
	return err;
}

/**
 * module_resolve_symbols - the value of every symbol of the file
 * Return: 0; -ENOENT with a line in the log for each symbol that is not there.
 */
int module_resolve_symbols(struct load_info *info)
{
	int err = 0, r;

	mutex_lock(&module_mutex);
	for (unsigned int i = 1; i < info->nsyms; i++) {
		const Elf64_Sym *s = &info->symtab[i];
		const char *name = info->strtab + s->st_name;

		r = 0;
		if (s->st_shndx == SHN_ABS)
			info->value[i] = s->st_value;
		else if (s->st_shndx)
			info->value[i] = info->addr[s->st_shndx] + s->st_value;
		else if (!strcmp(name, "__this_module"))
			info->value[i] = (u64)info->self;
		else if (*name)
			r = resolve_one(info, name, ELF64_ST_BIND(s->st_info), &info->value[i]);
		err = err ?: r;
	}
	mutex_unlock(&module_mutex);
	return err;
}

/* No two may export one name. module_mutex held. */
int module_check_exports(const struct module *m)
{
	for (unsigned int i = 0; i < m->nsyms; i++) {
		struct module *owner;

		if (!find_export(ksym_name(&m->syms[i]), &owner))
			continue;
		pr_err("module %s: it exports %s, which %s exports already", m->name, ksym_name(&m->syms[i]),
		       owner ? owner->name : "the kernel");
		return -ENOEXEC;
	}
	return 0;
}

/* ---- names of addresses ---- */

/*
 * m, from page_owner, may be on its way out on another CPU: what is read of it, in the window that stays mapped, may then be anything.
 * Hence the bounds, on values that are read once.
 */
static bool in_window(const void *p, unsigned long n)
{
	return is_module_address(p) && n <= MODULE_BASE + MODULE_WINDOW_SIZE - (unsigned long)p;
}

static void copy_name(char *to, const struct module *m, const char *strtab, u32 off)
{
	const char *s = strtab + off;
	size_t i = 0;

	for (; i < KSYM_NAME_LEN - 1 && in_window(s + i, 1) && s[i]; i++)
		to[i] = s[i];
	to[i] = 0;
}

const char *module_address_lookup(unsigned long addr, unsigned long *size, unsigned long *offset, const char **modname,
				  char *namebuf)
{
	struct module *m = module_of((const void *)addr);
	const struct module_symbol *t;
	unsigned int lo = 0, hi;

	if (!m)
		return NULL;
	t = READ_ONCE(m->symbols);
	hi = READ_ONCE(m->nsymbols);
	if (!hi || hi > MODULE_WINDOW_SIZE / sizeof(*t) || !in_window(t, hi * sizeof(*t)) || t[0].addr > addr)
		return NULL;
	for (unsigned int n = hi; n - lo > 1;) {
		unsigned int mid = (lo + n) / 2;

		if (t[mid].addr <= addr)
			lo = mid;
		else
			n = mid;
	}
	while (lo && t[lo - 1].addr == t[lo].addr)
		lo--;
	copy_name(namebuf, m, READ_ONCE(m->strtab), t[lo].name);
	if (offset)
		*offset = addr - t[lo].addr;
	if (size) {
		unsigned int next = lo + 1;
		unsigned long end = MODULE_BASE + MODULE_WINDOW_SIZE;

		for (int k = 0; k < MODULE_NR_REGIONS; k++)
			if (addr - m->region[k].base < m->region[k].size)
				end = m->region[k].base + m->region[k].size;
		while (next < hi && t[next].addr == t[lo].addr)
			next++;
		*size = (next < hi && t[next].addr < end ? t[next].addr : end) - t[lo].addr;
	}
	if (modname)
		*modname = m->name;
	return namebuf;
}

bool is_module_text_address(unsigned long addr)
{
	return addr - MODULE_BASE < MODULE_TEXT_SIZE && module_of((const void *)addr);
}

unsigned long module_kallsyms_lookup_name(const char *name)
{
	unsigned long found = 0;
	struct module *m;

	mutex_lock(&module_mutex);
	list_for_each_entry (m, &modules, list)
		for (unsigned int i = 0; !found && m->state != MODULE_STATE_UNFORMED && i < m->nsymbols; i++)
			if (!strcmp(m->strtab + m->symbols[i].name, name))
				found = m->symbols[i].addr;
	mutex_unlock(&module_mutex);
	return found;
}

int module_kallsyms_on_each_symbol(int (*fn)(void *data, const char *name, char type, unsigned long addr,
					     const char *modname),
				   void *data)
{
	struct module *m;
	int r = 0;

	mutex_lock(&module_mutex);
	list_for_each_entry (m, &modules, list)
		for (unsigned int i = 0; !r && m->state != MODULE_STATE_UNFORMED && i < m->nsymbols; i++)
			r = fn(data, m->strtab + m->symbols[i].name, m->symbols[i].type, m->symbols[i].addr, m->name);
	mutex_unlock(&module_mutex);
	return r;
}

bool module_get_kallsym(unsigned long nr, unsigned long *addr, char *type, char *name, char *modname)
{
	bool found = false;
	struct module *m;

	mutex_lock(&module_mutex);
	list_for_each_entry (m, &modules, list) {
		if (m->state == MODULE_STATE_UNFORMED)
			continue;
		if (nr >= m->nsymbols) {
			nr -= m->nsymbols;
			continue;
		}
		*addr = m->symbols[nr].addr;
		*type = m->symbols[nr].type;
		strscpy(name, m->strtab + m->symbols[nr].name, KSYM_NAME_LEN);
		strscpy(modname, m->name, MODULE_NAME_LEN);
		found = true;
		break;
	}
	mutex_unlock(&module_mutex);
	return found;
}

struct ex_entry {
	u64 insn, fixup;
};

u64 module_search_extable(u64 ip)
{
	struct module *m = module_of((const void *)ip);

	for (unsigned int i = 0; m && i < m->nextable; i++)
		if (m->extable[i].insn == ip)
			return m->extable[i].fixup;
	return 0;
}
