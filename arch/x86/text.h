/* SPDX-License-Identifier: Apache-2.0 */
/* Executed files: text views, their stub areas, what the scanner looks for. */
#ifndef ARCH_X86_TEXT_H
#define ARCH_X86_TEXT_H

#include <husk/fs.h>
#include "scan.h"

#define STUB_SIZE 64UL
#define STUB_PAGES 8
#define STUB_AREA (STUB_PAGES * PAGE_SIZE)

/**
 * struct text_info - what the arch keeps for a file that is executed (mapping->text)
 * @stub_delta: stub area's distance from the address of file offset 0 (of the executable segment)
 * @span: address space to keep for a mapping of the whole file, stub area included
 * @lock: views, stubs, patches; taken with mmap_lock (read) held, never the other way round
 */
struct text_info {
	struct mutex lock;
	bool patchable;
	unsigned long stub_delta, span;
	struct page *stub[STUB_PAGES];
	unsigned nstubs;
	u64 *site; /* what each stub is for: STUB_KEY(), a site whose view was dropped and made again finds its stub */
	unsigned long delta;		/* address minus file offset of the executable segment */
	unsigned long eh_vaddr, eh_off; /* .eh_frame_hdr, 0: none */
	u64 cross[16];			/* taken-out instructions that begin in one page and end in the next */
	unsigned ncross;
};
#define STUB_NONE (~0U)
enum { STUB_A, STUB_B, STUB_MOVED };
#define STUB_KEY(off, kind) ((u64)(off) << 2 | (kind))
#define STUB_UNWRITTEN (1ULL << 63)
/* The stub of the dynamic linker's xrstor: its first byte, which no other moved instruction has; where it jumps back; the instruction's length. */
#define LDSO_STUB_BEGINS 0xa9
#define LDSO_STUB_BACK 19
#define LDSO_XRSTOR_LEN 5
#define STUB_B_TAIL 20 /* length of the jump to the gate that a stub of form B begins with */

struct text_info *text_info_get(struct address_space *m);
/* text_stub_reserve: the stub with this key (the skip-th), a new one where there are not so many; STUB_NONE: full. ti->lock held, as for the next. */
unsigned text_stub_reserve(struct text_info *ti, u64 key, unsigned skip);
/* text_stub_write: false when the stub is there and differs: somebody may be running it */
bool text_stub_write(struct text_info *ti, unsigned index, const u8 code[STUB_SIZE]);
/* text_defuse: number of sequences that had to be destroyed. may_read: it may wait for other pages of the file */
unsigned text_defuse(struct address_space *m, struct text_info *ti, u8 *view, u64 file_off, bool may_read);
bool text_suspicious(const u8 *page);
bool text_open_tail(const u8 *page);
bool text_joins_well(struct page *lo, struct page *hi); /* they spell nothing forbidden across their border */
/* what the original instruction at va was where private memory was defused; its length, 0: nothing */
unsigned text_private_original(struct mm_struct *mm, u64 va, u8 bytes[16]);
extern unsigned long text_unhandled;

static inline void put32(u8 *p, s64 v)
{
	s32 x = v;

	memcpy(p, &x, 4);
}

/* ---- defuse.c: see struct text_ops ---- */
int text_scan_private(struct mm_struct *mm, unsigned long va, struct page *page);
void text_cut_border(struct page *lo, struct page *hi);
extern const struct text_ops arch_text_ops; /* text.c */

#endif
