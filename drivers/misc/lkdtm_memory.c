// SPDX-License-Identifier: Apache-2.0
// Crash points: corrupted memory. Each goes on until the kernel notices, or uses what it broke.

#include <husk/mm.h>
#include <husk/boot.h>
#include <husk/list.h>
#include <husk/sched.h>
#include "lkdtm.h"

extern char early_stack[];

#define OBJECTS 600
#define POISON 0x41
#define SCRIBBLE_STEP 100 /* one page of so many: 1% */

/* what was broken is used until something falls over; then it is certain that nobody noticed */
static noinline void use_slabs(size_t size)
{
	static void *kept[OBJECTS];

	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < OBJECTS; i++) {
			kept[i] = kmalloc(size, GFP_KERNEL);
			if (kept[i])
				memset(kept[i], 0, size);
		}
		for (unsigned int i = 0; i < OBJECTS; i++)
			kfree(kept[i]);
	}
}

/* a freed object's first word is the free list's link once it went back to its slab */
static noinline void lkdtm_SLAB_FREELIST(void)
{
	static void *kept[OBJECTS];

	for (unsigned int i = 0; i < OBJECTS; i++)
		kept[i] = kmalloc(128, GFP_KERNEL);
	for (unsigned int i = 0; i < OBJECTS; i++)
		kfree(kept[i]);
	for (unsigned int i = 0; i < OBJECTS; i++)
		if (kept[i])
			memset(kept[i], POISON, 128);
	use_slabs(128);
	panic("lkdtm: the slab's free lists are corrupt");
}

static noinline void lkdtm_DOUBLE_FREE(void)
{
	u64 *a = kmalloc(64, GFP_KERNEL), *b, *c;

	kfree(a);
	kfree(a);
	b = kmalloc(64, GFP_KERNEL);
	c = kmalloc(64, GFP_KERNEL);
	if (b && b == c)
		panic("lkdtm: object %p was handed out twice", (void *)b);
}

static noinline void lkdtm_USE_AFTER_FREE(void)
{
	struct list_head *a = kmalloc(64, GFP_KERNEL);
	u64 *b;

	kfree(a);
	b = kmalloc(64, GFP_KERNEL);
	if (!a || !b)
		return;
	memset(b, POISON, 64); /* the new owner's */
	list_del(a);	       /* the old one's */
	memset(a, 0, 64);
	kfree(b);
	BUG();
}

static noinline void lkdtm_PAGE_ARRAY(void)
{
	unsigned long n = max_pfn - lowest_pfn;

	memset(pfn_to_page(lowest_pfn + n / 2), POISON, n / 4 * sizeof(struct page));
	memset(pfn_to_page(lowest_pfn), POISON, n / 8 * sizeof(struct page));
	for (unsigned int i = 0; i < OBJECTS; i++)
		(void)alloc_pages(GFP_KERNEL, i % 4);
	panic("lkdtm: the page array is corrupt");
}

static noinline void lkdtm_TASK_LIST(void)
{
	struct task_struct *p = list_last_entry(&init_task_list, struct task_struct, tasks);

	write_lock(&tasklist_lock);
	p->tasks.next = (struct list_head *)0x4141414141414141UL;
	p->tasks.prev = NULL;
	write_unlock(&tasklist_lock);
	read_lock(&tasklist_lock);
	for_each_process (p)
		if (p->pid < 0)
			break;
	read_unlock(&tasklist_lock);
}

/* the tables of one's own address space, then a walk of them */
static noinline void lkdtm_PAGE_TABLES(void)
{
	u64 *pgd = current->mm->pgd;
	char buf[16];

	for (unsigned int i = 0; i < 512; i++)
		if (pgd[i])
			pgd[i] = 0x4141414141414141UL ^ (u64)i << 12;
	for (unsigned long a = 0; a < 1UL << 46; a += 1UL << 33)
		(void)copy_from_user(buf, (void *)a, sizeof(buf));
	(void)copy_to_user((void *)(current_pt_regs()->sp - (1 << 20)), buf, sizeof(buf));
	panic("lkdtm: page tables are corrupt");
}

/* one page in a hundred of what the kernel uses for itself, but not this stack and not the log */
static noinline void lkdtm_SCRIBBLE(void)
{
	unsigned long log = boot->log_phys >> PAGE_SHIFT, logs = boot->log_size >> PAGE_SHIFT, seen = 0, done = 0;

	for (unsigned long pfn = lowest_pfn; pfn < max_pfn; pfn++) {
		struct page *p = pfn_to_page(pfn);

		if (p->type != PGT_KERNEL && p->type != PGT_SLAB && p->type != PGT_PTE)
			continue;
		if (pfn >= log && pfn < log + logs)
			continue;
		if (seen++ % SCRIBBLE_STEP != 7)
			continue;
		get_random_bytes(page_address(p), PAGE_SIZE);
		done++;
	}
	pr_notice("lkdtm: scribbled over %lu of %lu pages", done, seen);
	for (size_t size = 16; size <= 4096; size *= 2)
		use_slabs(size);
	panic("lkdtm: scribbled over %lu pages", done);
}

/* where a push goes that finds the stack full: of the boot, of a blank */
static noinline void lkdtm_BOOT_STACK(void)
{
	u64 end = (u64)early_stack;

	__asm__("" : "+r"(end)); /* the compiler knows that nothing is there */
	*(volatile u64 *)(end - 8) = POISON;
}

static noinline void lkdtm_BLANK_STACK(void)
{
	*(volatile u64 *)(HOSTIF_PRIVATE_ADDR - 8) = POISON;
}

const struct crashpoint lkdtm_memory[] = {
	CRASHPOINT(BOOT_STACK, "writes below the boot's stack"),
	CRASHPOINT(BLANK_STACK, "writes below a blank's stack"),
	CRASHPOINT(SLAB_FREELIST, "overwrites freed objects, then allocates"),
	CRASHPOINT(DOUBLE_FREE, "frees an object twice"),
	CRASHPOINT(USE_AFTER_FREE, "unlinks an object that was freed and is another's"),
	CRASHPOINT(PAGE_ARRAY, "overwrites a part of the page array"),
	CRASHPOINT(TASK_LIST, "breaks the list of tasks"),
	CRASHPOINT(PAGE_TABLES, "overwrites its page tables"),
	CRASHPOINT(SCRIBBLE, "overwrites 1% of the kernel's memory"),
	{},
};
