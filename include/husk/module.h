/* SPDX-License-Identifier: Apache-2.0 */
/* Loadable modules: what a module's source says of itself, and what the rest of the kernel may do with one. docs/modules.md */
#ifndef HUSK_MODULE_H
#define HUSK_MODULE_H

#include <husk/atomic.h>
#include <husk/init.h>
#include <husk/list.h>
#include <husk/lock.h>
#include <husk/types.h>

#define MODULE_NAME_LEN 56

/*
 * Where modules lie: within 2 GiB of the kernel image, three stretches with the protection of their kind, mapped once for good
 * before the first fork, so that loading makes no host call and nothing is ever writable and executable (arch/x86/module.c).
 */
#define MODULE_BASE 0x700040000000UL
enum module_region_kind { MODULE_TEXT, MODULE_RODATA, MODULE_DATA, MODULE_NR_REGIONS };
#define MODULE_TEXT_SIZE (4UL << 20)
#define MODULE_RODATA_SIZE (2UL << 20)
#define MODULE_DATA_SIZE (2UL << 20)
#define MODULE_WINDOW_SIZE (MODULE_TEXT_SIZE + MODULE_RODATA_SIZE + MODULE_DATA_SIZE)

static inline bool is_module_address(const void *p)
{
	return (unsigned long)p - MODULE_BASE < MODULE_WINDOW_SIZE;
}

enum module_state { MODULE_STATE_UNFORMED, MODULE_STATE_COMING, MODULE_STATE_LIVE, MODULE_STATE_GOING };

/**
 * struct kernel_symbol - an exported symbol; tables of them are sorted by name
 * @value, @name: distance of the symbol, and of its name's text, from the field itself. @gpl_only: for modules under the GPL
 */
struct kernel_symbol {
	s32 value, name;
	u32 gpl_only;
};
static inline unsigned long ksym_value(const struct kernel_symbol *s)
{
	return (unsigned long)&s->value + s->value;
}
static inline const char *ksym_name(const struct kernel_symbol *s)
{
	return (const char *)((unsigned long)&s->name + s->name);
}

struct module_region {
	unsigned long base;
	unsigned int size;
};
/* what kallsyms knows of a module: symbols in address order, names behind them; all of it in the module's read-only region */
struct module_symbol {
	unsigned long addr;
	u32 name; /* offset in strtab */
	char type;
};
struct module_section {
	const char *name;
	unsigned long addr;
};
struct kernel_param;
struct ex_entry;

/**
 * struct module - a loaded module; lies at the end of the module's data region, and is what THIS_MODULE names
 * @refcnt: users, and 1 while it may be used. @users: modules that use this one's symbols (struct module_use.on_target);
 * @uses: those whose symbols it uses. Both, and @list, under module_mutex
 */
struct module {
	struct list_head list;
	enum module_state state;
	atomic_t refcnt;
	char name[MODULE_NAME_LEN];
	struct module_region region[MODULE_NR_REGIONS];
	int (*init)(void);
	void (*exit)(void);
	const struct kernel_symbol *syms;
	unsigned int nsyms, nsymbols, nparams, nsections, nextable;
	const struct module_symbol *symbols;
	const char *strtab;
	struct kernel_param *params;
	const struct module_section *sections;
	const struct ex_entry *extable;
	const char *version, *srcversion;
	unsigned long taints;
	struct list_head users, uses;
};

/* What the module's file says of it (section .gnu.linkonce.this_module, written by scripts/mod-post). */
struct module_head {
	u32 size; /* sizeof(struct module_head) */
	char name[MODULE_NAME_LEN];
	int (*init)(void);
	void (*exit)(void);
};

/* ---- in a module's source ---- */

#ifdef MODULE
extern struct module __this_module;
#define THIS_MODULE (&__this_module)
#define module_init(fn)                                                                                                \
	int init_module(void) __attribute__((alias(#fn)));                                                             \
	static_assert(__builtin_types_compatible_p(__typeof__(fn), int(void)), "an init function is int fn(void)")
#define module_exit(fn)                                                                                                \
	void cleanup_module(void) __attribute__((alias(#fn)));                                                         \
	static_assert(__builtin_types_compatible_p(__typeof__(fn), void(void)), "an exit function is void fn(void)")
#define MODULE_PARAM_PREFIX
#else
#define THIS_MODULE ((struct module *)NULL)
#endif
#define __init
#define __exit __maybe_unused
#define __MODULE_CONCAT(a, b) __MODULE_CONCAT1(a, b)
#define __MODULE_CONCAT1(a, b) a##b
#define MODULE_INFO(tag, text)                                                                                         \
	static const char __MODULE_CONCAT(__mod_##tag, __COUNTER__)[] __used __section(".modinfo") __aligned(1) =      \
		#tag "=" text
#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_SOFTDEP(text) MODULE_INFO(softdep, text)
#define MODULE_PARM_DESC(name, text) MODULE_INFO(parm, #name ":" text)

#define __EXPORT_SYMBOL(sym, gpl)                                                                                      \
	__asm__(".pushsection __ksymtab_strings,\"a\"\n__kstrtab_" #sym ":\t.asciz \"" #sym "\"\n\t.popsection\n"      \
		"\t.pushsection __ksymtab." #sym ",\"a\"\n\t.balign 4\n__ksymtab_" #sym ":\t.long " #sym " - .\n"      \
		"\t.long __kstrtab_" #sym " - .\n\t.long " #gpl "\n\t.popsection\n")
/* symbols for modules; the kernel's own stand in kernel/module/exports.tbl */
#define EXPORT_SYMBOL(sym) __EXPORT_SYMBOL(sym, 0)
#define EXPORT_SYMBOL_GPL(sym) __EXPORT_SYMBOL(sym, 1)

#include <husk/moduleparam.h>

/* ---- for the kernel ---- */

bool __try_module_get(struct module *m);
void __module_put(struct module *m);
/* try_module_get: use m until module_put(); false when it is about to go. NULL is the kernel itself, which stays */
static inline bool try_module_get(struct module *m)
{
	return !m || __try_module_get(m);
}
static inline void module_put(struct module *m)
{
	if (unlikely(m != NULL))
		__module_put(m);
}
/* of code that runs in m, which therefore is there */
static inline void __module_get(struct module *m)
{
	if (m)
		atomic_inc(&m->refcnt);
}
unsigned int module_refcount(const struct module *m);
const char *module_name(const struct module *m);
struct module *module_of(const void *p); /* whose text or data p is in; NULL. No lock: p's owner is known to stay */

extern struct mutex module_mutex; /* the list, states and dependencies; above every other lock of this subsystem */
extern struct list_head modules;
struct module_use {
	struct list_head on_target, on_source;
	struct module *source, *target; /* source uses target */
};

/* told of states as they are entered: COMING (may refuse), LIVE, GOING. Called in order of registration, GOING in the other one */
struct module_notifier {
	int (*fn)(struct module *m, enum module_state state);
	struct module_notifier *next, *prev;
};
void register_module_notifier(struct module_notifier *n);

/**
 * load_module - load and start a module
 * @image: the file, in memory that is given up to this function to write in. @args: "name=value ..." Return: 0 or -errno
 */
int load_module(char *image, size_t len, const char *args, unsigned int flags);
int may_load_modules(void); /* 0 or -EPERM, having said why in the log */

size_t taint_letters(unsigned long mask, char *buf); /* at least 32 bytes */

/* kernel/module/symbols.c: as the functions of <husk/kallsyms.h>. The first and the last take no lock */
const char *module_address_lookup(unsigned long addr, unsigned long *size, unsigned long *offset, const char **modname,
				  char *namebuf);
bool is_module_text_address(unsigned long addr);
unsigned long module_kallsyms_lookup_name(const char *name);
int module_kallsyms_on_each_symbol(int (*fn)(void *data, const char *name, char type, unsigned long addr,
					     const char *modname),
				   void *data);
/* symbol number nr of all modules' symbols; false: there is none. name: KSYM_NAME_LEN, modname: MODULE_NAME_LEN bytes */
bool module_get_kallsym(unsigned long nr, unsigned long *addr, char *type, char *name, char *modname);
/* the place to go on at after a fault at ip in a module; 0: none */
u64 module_search_extable(u64 ip);

#endif
