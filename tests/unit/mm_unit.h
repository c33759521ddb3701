/* SPDX-License-Identifier: Apache-2.0 */
/* What the hosted tests of mm/ share: the fake host, checks, the list of tests. */
#ifndef MM_UNIT_H
#define MM_UNIT_H

#define MM_UNIT_TESTS(X)                                                                                               \
	X(buddy_split_merge)                                                                                           \
	X(buddy_zero_tracking)                                                                                         \
	X(buddy_random)                                                                                                \
	X(buddy_contig)                                                                                                \
	X(buddy_exhaustion)                                                                                            \
	X(buddy_release)                                                                                               \
	X(backing_pieces)                                                                                              \
	X(backing_again)                                                                                               \
	X(backing_refused) X(slab_basic) X(slab_random) X(slab_sizes) X(slab_exhaustion) X(pgtable_walk)               \
		X(pgtable_free) X(vma_merge_split) X(vma_addresses) X(vma_stack) X(anon_granule) X(anon_sequential)    \
			X(cow_after_fork) X(cow_granule) X(wx_toggle) X(file_private) X(file_shared) X(file_truncate)  \
				X(file_exec_view) X(file_exec_own_view) X(file_exec_view_in_place)                     \
					X(file_exec_in_its_place) X(mprotect_rights) X(mremap_moves) X(gup_remote)     \
						X(fork_dontcopy) X(fork_copies) X(populate) X(space_random)            \
							X(space_random_fork) X(reclaim_cache) X(dirty_tracking)

#ifdef __KERNEL_HUSK__
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"

void unit_fail(const char *file, int line, const char *what) __noreturn;
#define CHECK(c)                                                                                                       \
	do {                                                                                                           \
		if (!(c))                                                                                              \
			unit_fail(__FILE__, __LINE__, #c);                                                             \
	} while (0)
void unit_print(const char *fmt, ...);
unsigned long unit_rand(void);
#define RAM_PAGES 8192UL

/* The host's view of one process: what each page of the arena shows. */
#define ARENA 0x200000000UL
#define ARENA_PAGES 2048UL
struct host_page {
	unsigned long pfn; /* 0: not mapped */
	int prot;
};
struct host_proc {
	struct mm_struct *mm;
	struct host_page page[ARENA_PAGES];
	unsigned long maps, unmaps, protects, shootdowns;
};
extern struct host_proc host_procs[4];
struct host_proc *host_proc(struct mm_struct *mm);
void host_fork(struct mm_struct *from, struct mm_struct *to);
extern unsigned long ram_released;

void unit_setup(unsigned long pages); /* fresh RAM and allocator: only before unit_main_ram() */
void unit_main_ram(void);
struct mm_struct *space_begin(void); /* a fresh address space, current's */
void space_end(void);		     /* it goes; every page must be free again */
/* the byte at addr as the guest sees it: faults until the host mapping allows it. A pointer into RAM, or NULL and unit_sig set */
u8 *user_byte(unsigned long addr, unsigned int flags);
extern int unit_sig, unit_code;
void check_space(struct mm_struct *mm);
struct file *unit_file(unsigned long pages, bool in_memory);
extern unsigned long unit_reads, unit_writes;
extern u8 unit_file_fill;
#endif
#endif
