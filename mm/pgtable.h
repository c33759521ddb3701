/* SPDX-License-Identifier: Apache-2.0 */
/* husk's own page tables: four levels of 512 entries, never seen by hardware. */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H

#include <husk/mm.h>

/**
 * DOC: page tables
 *
 * They say which RAM page a user address shows and what may be done with it now. The host's mappings are a cache of them: a host
 * mapping never gives more than the entry says, and may give less or be missing; the fault that follows makes it anew.
 *
 * An upper-level entry is the address of the next table in the direct map, or 0. A table is one page of type PGT_PTE. Lower tables hold no
 * pointer to their mm, and every change goes through pte_modify()'s result, so that tables can be shared between address spaces later.
 *
 * All of it is under mm->page_table_lock, which is held over the host call that goes with a change of entries in the current process.
 *
 * PTE_WRITE: a write needs no fault. PTE_EXEC: the page is a text view or was scanned, and may be run; never with PTE_WRITE.
 * PTE_HOST: the host may have a mapping. PTE_TEXT: the pfn is the text view's. PTE_SPECIAL: the page is not reference-counted here.
 */
typedef u64 pte_t;
#define PTE_PRESENT 1UL
#define PTE_WRITE 2UL
#define PTE_EXEC 4UL
#define PTE_HOST 8UL
#define PTE_DIRTY 0x10UL
#define PTE_YOUNG 0x20UL
#define PTE_ANON 0x40UL
#define PTE_FILE 0x80UL
#define PTE_SPECIAL 0x100UL
#define PTE_TEXT 0x200UL
#define PTE_FLAGS 0xfffUL

#define PTRS_PER_TABLE 512UL
#define PMD_SHIFT 21
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))

static inline unsigned long pte_pfn(pte_t e)
{
	return e >> PAGE_SHIFT;
}
static inline struct page *pte_page(pte_t e)
{
	return pfn_to_page(pte_pfn(e));
}
static inline pte_t mk_pte(struct page *p, u64 flags)
{
	return (u64)page_to_pfn(p) << PAGE_SHIFT | PTE_PRESENT | flags;
}
static inline int pte_hprot(pte_t e)
{
	if (e & PTE_EXEC)
		return HPROT_READ | HPROT_EXEC;
	return e & PTE_WRITE ? HPROT_READ | HPROT_WRITE : HPROT_READ;
}
static inline unsigned long pmd_end(unsigned long addr, unsigned long end)
{
	unsigned long e = (addr | ~PMD_MASK) + 1;

	return e < end ? e : end;
}

int pgd_alloc(struct mm_struct *mm); /* 0 or -ENOMEM */
void pgd_free(struct mm_struct *mm); /* with all tables; entries must be gone */
/* pte_find: the entry of addr, or NULL when it has no table. Neighbours up to the next 2 MiB boundary follow it. */
pte_t *pte_find(struct mm_struct *mm, unsigned long addr);
/* pte_modify: as pte_find, for changes: makes missing tables. NULL: out of memory. page_table_lock is held. */
pte_t *pte_modify(struct mm_struct *mm, unsigned long addr);
/* pte_next_table: first address >= addr that has a table, or end; skips holes of any size */
unsigned long pte_next_table(struct mm_struct *mm, unsigned long addr, unsigned long end);
/* free tables that lie wholly in [start, end); their entries must be gone */
void pte_free_tables(struct mm_struct *mm, unsigned long start, unsigned long end);
static inline pte_t pte_get(struct mm_struct *mm, unsigned long addr)
{
	pte_t *p = pte_find(mm, addr);

	return p ? *p : 0;
}

/* for each 2 MiB piece of [start, end) that has a table: ptep is the entry of addr, next the end of the piece */
#define for_each_pte_table(mm, addr, next, end, ptep)                                                                  \
	for (; (addr = pte_next_table(mm, addr, end)) < (end) &&                                                       \
	       (ptep = pte_find(mm, addr), (void)(ptep), next = pmd_end(addr, end), true);                             \
	     addr = next)

#endif
