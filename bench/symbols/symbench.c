// SPDX-License-Identifier: Apache-2.0
// Symbols resolved per second: the compressed index of the image against a scan of a plain list, which is the best a scan can be.

#include <husk/kallsyms.h>
#include <husk/kernel.h>
#include <husk/module.h>
#include <husk/slab.h>
#include <husk/time.h>

static unsigned int rounds = 5;
module_param(rounds, uint, 0);
MODULE_PARM_DESC(rounds, "how often each is measured; the fastest counts");

struct entry {
	unsigned long addr;
	const char *name;
};
static struct entry *list;
static unsigned long nr;
static unsigned long *addrs; /* of queries, in no order */
static const char **names;

static unsigned long by_index_name(unsigned long i)
{
	return kallsyms_lookup_name(names[i]);
}

static unsigned long by_scan_name(unsigned long i)
{
	for (unsigned long k = 0; k < nr; k++)
		if (!strcmp(list[k].name, names[i]))
			return list[k].addr;
	return 0;
}

static unsigned long by_index_addr(unsigned long i)
{
	char name[KSYM_NAME_LEN];
	unsigned long size, offset;

	return kallsyms_lookup(addrs[i] + 1, &size, &offset, NULL, name) ? size : 0;
}

static unsigned long by_scan_addr(unsigned long i)
{
	unsigned long k = 0;
	char name[KSYM_NAME_LEN];

	while (k + 1 < nr && list[k + 1].addr <= addrs[i] + 1)
		k++;
	strscpy(name, list[k].name, sizeof(name));
	return k + 1 < nr ? list[k + 1].addr - list[k].addr : 0;
}

static u64 measure(unsigned long (*fn)(unsigned long))
{
	u64 best = UINT64_MAX, t;
	unsigned long sum = 0;

	for (unsigned int r = 0; r < rounds; r++) {
		t = ktime_get_ns();
		for (unsigned long i = 0; i < nr; i++)
			sum += fn(i);
		t = ktime_get_ns() - t;
		best = min(best, t);
	}
	return sum ? best * 1000 / nr : 0; /* ps each */
}

static void report(const char *what, unsigned long (*scan)(unsigned long), unsigned long (*index)(unsigned long))
{
	u64 a = measure(scan), b = measure(index);

	pr_notice("symbench: %s: scan %llu ns, %llu/s; index %llu ns, %llu/s; ratio %llu.%llu", what,
		  (unsigned long long)a / 1000, 1000000000000ULL / (a ? a : 1), (unsigned long long)b / 1000,
		  1000000000000ULL / (b ? b : 1), (unsigned long long)(a / b), (unsigned long long)(a * 10 / b % 10));
}

static int fill(void)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long n = kallsyms_count(), k;

	list = kcalloc(n, sizeof(*list), GFP_KERNEL);
	addrs = kcalloc(n, sizeof(*addrs), GFP_KERNEL);
	names = kcalloc(n, sizeof(*names), GFP_KERNEL);
	if (!list || !addrs || !names)
		return -ENOMEM;
	for (nr = 0; nr < n && kallsyms_get(nr, &list[nr].addr, &type, name); nr++) {
		list[nr].name = kstrdup(name, GFP_KERNEL);
		if (!list[nr].name)
			return -ENOMEM;
	}
	for (unsigned long i = 0; i < nr; i++) { /* every symbol once, far from the one before */
		k = i * 1597 % nr;
		addrs[i] = list[k].addr;
		names[i] = list[k].name;
	}
	return 0;
}

static int __init symbench_init(void)
{
	int err = fill();

	if (!err) {
		pr_notice("symbench: %lu symbols", nr);
		report("name to address", by_scan_name, by_index_name);
		report("address to name", by_scan_addr, by_index_addr);
	}
	for (unsigned long i = 0; list && i < nr; i++)
		kfree(list[i].name);
	kfree(list);
	kfree(addrs);
	kfree(names);
	return err ?: -ECANCELED; /* done: nothing to stay for */
}
module_init(symbench_init);
MODULE_LICENSE("GPL");
