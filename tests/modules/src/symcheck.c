// SPDX-License-Identifier: Apache-2.0
// Every symbol of the image, looked up by its address, by its name, and at its last byte; the result is a line in the log.

#include <husk/kallsyms.h>
#include <husk/kernel.h>
#include <husk/module.h>
#include <husk/slab.h>

struct check {
	char name[KSYM_NAME_LEN], found[KSYM_NAME_LEN], text[KSYM_SYMBOL_LEN];
	unsigned int wrong;
};

static void complain(struct check *c, const char *what, unsigned long addr)
{
	if (c->wrong++ < 5)
		pr_err("symcheck: %s: %s at 0x%lx, found %s", what, c->name, addr, c->found);
}

static void check_one(struct check *c, unsigned long addr)
{
	unsigned long size = 0, offset = 1, by_name;
	const char *mod = "?";

	by_name = kallsyms_lookup_name(c->name);
	if (!by_name || by_name > addr)
		complain(c, "by name", by_name);
	if (!kallsyms_lookup(addr, &size, &offset, &mod, c->found)) { /* _end is behind the last */
		if (strcmp(c->name, "_end"))
			complain(c, "not found", addr);
		return;
	}
	if (offset || mod || !size)
		complain(c, "by address", addr);
	/* an alias is another name of the same place */
	if (strcmp(c->name, c->found) && kallsyms_lookup_name(c->found) > addr)
		complain(c, "alias", addr);
	strscpy(c->name, c->found, sizeof(c->name));
	if (!kallsyms_lookup(addr + size - 1, NULL, &offset, NULL, c->found) || offset != size - 1 ||
	    strcmp(c->name, c->found))
		complain(c, "last byte", addr);
}

static void check_text(struct check *c)
{
	unsigned long panic_at = kallsyms_lookup_name("panic");
	const char *mod;

	snprintf(c->text, sizeof(c->text), "%ps %ps|%20ps|%-8ps|", (void *)panic_at, (void *)panic_at, (void *)panic_at,
		 (void *)panic_at);
	if (strcmp(c->text, "panic panic|               panic|panic   |"))
		complain(c, c->text, panic_at);
	snprintf(c->text, sizeof(c->text), "%pS", (void *)(panic_at + 4));
	if (strncmp(c->text, "panic+0x4/0x", 12))
		complain(c, c->text, panic_at);
	snprintf(c->text, sizeof(c->text), "%pB",
		 (void *)panic_at); /* a return address: the call is of the one before */
	if (!strncmp(c->text, "panic+", 6))
		complain(c, c->text, panic_at);
	snprintf(c->text, sizeof(c->text), "%pS %ps", (void *)4096, (void *)-1UL);
	if (strcmp(c->text, "0x1000 0xffffffffffffffff"))
		complain(c, c->text, 4096);
	snprintf(c->text, sizeof(c->text), "%pS", (void *)check_one);
	if (strncmp(c->text, "check_one+0x0/0x", 16) || !strstr(c->text, " [symcheck]"))
		complain(c, c->text, (unsigned long)check_one);
	if (!kallsyms_lookup((unsigned long)check_text + 1, NULL, NULL, &mod, c->found) ||
	    strcmp(c->found, "check_text") || strcmp(mod, "symcheck") ||
	    kallsyms_lookup_name("check_text") != (unsigned long)check_text)
		complain(c, "module", (unsigned long)check_text);
	if (!kernel_text_address(panic_at) || !kernel_text_address((unsigned long)check_text) ||
	    kernel_text_address((unsigned long)c) || kallsyms_lookup_name("no such name") || kallsyms_lookup_name("") ||
	    kallsyms_lookup_name("zzzz"))
		complain(c, "text address", panic_at);
}

static int __init symcheck_init(void)
{
	struct check *c = kzalloc(sizeof(*c), GFP_KERNEL);
	unsigned long nr, addr;
	char type;

	if (!c)
		return -ENOMEM;
	for (nr = 0; kallsyms_get(nr, &addr, &type, c->name); nr++)
		check_one(c, addr);
	check_text(c);
	pr_notice("symcheck: %u wrong, %s", c->wrong, nr == kallsyms_count() && nr > 1000 ? "all seen" : "too few");
	kfree(c);
	return 0;
}
static void __exit symcheck_exit(void)
{
}
module_init(symcheck_init);
module_exit(symcheck_exit);
MODULE_LICENSE("GPL");
