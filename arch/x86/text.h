/* SPDX-License-Identifier: Apache-2.0 */
/* Executed files: text views, their stub areas, what the scanner looks for. */
#ifndef ARCH_X86_TEXT_H
#define ARCH_X86_TEXT_H

#include <husk/fs.h>

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
};

enum forbidden { FORBIDDEN_NONE, FORBIDDEN_WRPKRU, FORBIDDEN_XRSTOR, FORBIDDEN_WRGSBASE };
/* scan_text: first forbidden sequence at or after *at in n bytes; *at is where its first byte lies */
enum forbidden scan_text(const u8 *p, size_t n, size_t *at);
struct text_info *text_info_get(struct address_space *m);
u8 *text_stub_alloc(struct text_info *ti, unsigned *index);
/* defuse what scan_text finds in a view; neighbours: up to 16 bytes either side, NULL where there are none */
void text_defuse(struct text_info *ti, u8 *view, u64 file_off, const u8 *prev, const u8 *next);

#endif
