// SPDX-License-Identifier: Apache-2.0
// The memory that modules lie in: pages of the window, given out by region, and whose they are.

#include <husk/moduleloader.h>
#include <husk/mm.h>

#define TEXT_PAGES (MODULE_TEXT_SIZE >> PAGE_SHIFT)
#define RODATA_PAGES (MODULE_RODATA_SIZE >> PAGE_SHIFT)
#define DATA_PAGES (MODULE_DATA_SIZE >> PAGE_SHIFT)
#define WINDOW_PAGES (MODULE_WINDOW_SIZE >> PAGE_SHIFT)

/* The owner of each page, which is what an address is looked up by; in memory of its own, had when modules are allowed. */
static struct module **page_owner;
static u8 *page_used; /* under module_mutex */

static const struct {
	unsigned int first, pages;
} regions[MODULE_NR_REGIONS] = {
	[MODULE_TEXT] = {0, TEXT_PAGES},
	[MODULE_RODATA] = {TEXT_PAGES, RODATA_PAGES},
	[MODULE_DATA] = {TEXT_PAGES + RODATA_PAGES, DATA_PAGES},
};

static int have_tables(void)
{
	if (!page_used)
		page_used = kzalloc(WINDOW_PAGES, GFP_KERNEL);
	if (!page_owner)
		smp_store_release(&page_owner, kcalloc(WINDOW_PAGES, sizeof(*page_owner), GFP_KERNEL));
	return page_used && page_owner ? 0 : -ENOMEM;
}

/* The first run of n free pages; the number of its first page, or -1. */
static int find_run(enum module_region_kind kind, unsigned int n)
{
	unsigned int run = 0;

	for (unsigned int i = 0; i < regions[kind].pages; i++) {
		run = page_used[regions[kind].first + i] ? 0 : run + 1;
		if (run == n)
			return (int)(regions[kind].first + i + 1 - n);
	}
	return -1;
}

int module_memory_get(struct module_region *r)
{
	int err = have_tables(), at;

	for (int k = 0; !err && k < MODULE_NR_REGIONS; k++) {
		unsigned int n = (unsigned int)PFN_UP((u64)r[k].size);

		r[k].base = 0;
		if (!n)
			continue;
		at = find_run(k, n);
		if (at < 0) {
			module_memory_put(r);
			return -ENOMEM;
		}
		memset(page_used + at, 1, n);
		r[k].base = MODULE_BASE + ((unsigned long)at << PAGE_SHIFT);
		if (k == MODULE_TEXT) /* what is between sections and behind the last traps */
			memset(module_alias(r[k].base), 0xcc, (size_t)n << PAGE_SHIFT);
	}
	return err;
}

/* What text was there traps from now on; the pages are the next module's. */
void module_memory_put(struct module_region *r)
{
	for (int k = 0; k < MODULE_NR_REGIONS; k++) {
		unsigned int n = (unsigned int)PFN_UP((u64)r[k].size);

		if (!r[k].base)
			continue;
		memset(module_alias(r[k].base), k == MODULE_TEXT ? 0xcc : 0, (size_t)n << PAGE_SHIFT);
		memset(page_used + ((r[k].base - MODULE_BASE) >> PAGE_SHIFT), 0, n);
		r[k].base = 0;
	}
}

/* From here on, or no longer, addresses in m's regions are known to be m's. */
void module_pages_claim(struct module *m, bool on)
{
	for (int k = 0; k < MODULE_NR_REGIONS; k++) {
		unsigned long at = (m->region[k].base - MODULE_BASE) >> PAGE_SHIFT;

		if (!m->region[k].base)
			continue;
		for (unsigned long i = 0; i < PFN_UP((u64)m->region[k].size); i++)
			smp_store_release(&page_owner[at + i], on ? m : NULL);
	}
}

struct module *module_of(const void *p)
{
	struct module **owner = smp_load_acquire(&page_owner);

	if (!is_module_address(p) || !owner)
		return NULL;
	return smp_load_acquire(&owner[((unsigned long)p - MODULE_BASE) >> PAGE_SHIFT]);
}
