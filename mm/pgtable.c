// SPDX-License-Identifier: Apache-2.0
/* Software page tables: allocation, walks, freeing. */
#include <husk/mm.h>
#include "internal.h"

static inline unsigned int table_index(unsigned long addr, unsigned int level)
{
	return (addr >> (PAGE_SHIFT + 9 * level)) & (PTRS_PER_TABLE - 1);
}

static u64 *table_alloc(struct mm_struct *mm)
{
	struct page *p = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);

	if (!p)
		return NULL;
	p->type = PGT_PTE;
	p->inuse = PTRS_PER_TABLE; /* an upper table: first and last entry that were ever set */
	p->objects = 0;
	atomic_long_inc(&mm->nr_ptes);
	mod_vm_stat(NR_PAGETABLE, 1);
	return page_address(p);
}

static void note_used(u64 *t, unsigned int i)
{
	struct page *p = virt_to_page(t);

	p->inuse = min_t(unsigned int, p->inuse, i);
	p->objects = max_t(unsigned int, p->objects, i);
}

static void table_free(struct mm_struct *mm, u64 *t)
{
	atomic_long_dec(&mm->nr_ptes);
	mod_vm_stat(NR_PAGETABLE, -1);
	free_page((unsigned long)t);
}

int pgd_alloc(struct mm_struct *mm)
{
	mm->pgd = table_alloc(mm);
	return mm->pgd ? 0 : -ENOMEM;
}

pte_t *pte_find(struct mm_struct *mm, unsigned long addr)
{
	u64 *t = mm->pgd;

	for (unsigned int level = 3; level; level--) {
		t = (u64 *)t[table_index(addr, level)];
		if (!t)
			return NULL;
	}
	return t + table_index(addr, 0);
}

pte_t *pte_modify(struct mm_struct *mm, unsigned long addr)
{
	u64 *t = mm->pgd;

	for (unsigned int level = 3; level; level--) {
		u64 *slot = t + table_index(addr, level);

		if (!*slot) {
			u64 *new = table_alloc(mm);

			if (!new)
				return NULL;
			*slot = (u64) new;
			note_used(t, table_index(addr, level));
		}
		t = (u64 *)*slot;
	}
	return t + table_index(addr, 0);
}

unsigned long pte_next_table(struct mm_struct *mm, unsigned long addr, unsigned long end)
{
	while (addr < end) {
		u64 *t = mm->pgd, *sub = t;
		unsigned int level, i, shift;

		for (level = 3; level; level--) {
			sub = (u64 *)t[table_index(addr, level)];
			if (!sub)
				break;
			t = sub;
		}
		if (!level)
			return addr;
		/* nothing below this entry: the next one in its table that has something, or behind the table */
		shift = PAGE_SHIFT + 9 * level;
		i = max_t(unsigned int, table_index(addr, level) + 1, virt_to_page(t)->inuse);
		if (i > virt_to_page(t)->objects)
			i = PTRS_PER_TABLE;
		for (; i < PTRS_PER_TABLE && !t[i]; i++)
			;
		addr = ((addr >> shift & ~(PTRS_PER_TABLE - 1)) + i) << shift;
	}
	return end;
}

static bool range_empty(const u64 *t, unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++) {
		if (t[i])
			return false;
	}
	return true;
}

/* May table t, which an entry of the given level leads to, go? What a lowest table held is gone: the caller saw to that. */
static bool table_unused(u64 *t, unsigned int level)
{
	if (level > 1)
		return range_empty(t, virt_to_page(t)->inuse, virt_to_page(t)->objects);
#ifdef HUSK_DEBUG
	BUG_ON(!range_empty(t, 0, PTRS_PER_TABLE - 1));
#endif
	return true;
}

/* Frees what is below table t of the given level, where [start, end) covers it; base is t's first address. */
static void free_below(struct mm_struct *mm, u64 *t, unsigned int level, unsigned long base, unsigned long start,
		       unsigned long end)
{
	unsigned long span = 1UL << (PAGE_SHIFT + 9 * level);
	unsigned long first = start > base ? (start - base) / span : 0, last = virt_to_page(t)->objects;

	for (unsigned long i = max_t(unsigned long, first, virt_to_page(t)->inuse); i <= last; i++) {
		unsigned long a = base + i * span;
		u64 *sub;

		if (a >= end)
			break;
		sub = (u64 *)t[i];
		if (!sub)
			continue;
		if (level > 1)
			free_below(mm, sub, level - 1, a, start, end);
		if (a >= start && a + span <= end && table_unused(sub, level)) {
			t[i] = 0;
			table_free(mm, sub);
		}
	}
}

void pte_free_tables(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	free_below(mm, mm->pgd, 3, 0, start, end);
}

void pgd_free(struct mm_struct *mm)
{
	if (!mm->pgd)
		return;
	free_below(mm, mm->pgd, 3, 0, 0, 1UL << 48);
	table_free(mm, mm->pgd);
	mm->pgd = NULL;
}
