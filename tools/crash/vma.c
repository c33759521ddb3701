// SPDX-License-Identifier: Apache-2.0
// The areas of an address space, in order.

#include <stdlib.h>
#include "crash.h"

static int by_start(const void *a, const void *b)
{
	const struct vma *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

size_t vmas_load(u64 mm, struct vma **out_)
{
	size_t n = 0, room = 0;
	struct vma *v = NULL;
	struct walk w;

	for_each_entry(&w, FIELD_ADDR(mm, mm_struct, mmap), vm_area_struct, vm_list, "areas of an address space")
	{
		if (n == room) {
			room = room ? 2 * room : 64;
			v = realloc(v, room * sizeof(*v));
			if (!v)
				abort();
		}
		v[n++] = (struct vma){w.entry,
				      FIELD(w.entry, vm_area_struct, vm_start),
				      FIELD(w.entry, vm_area_struct, vm_end),
				      FIELD(w.entry, vm_area_struct, vm_flags),
				      FIELD(w.entry, vm_area_struct, vm_pgoff),
				      FIELD(w.entry, vm_area_struct, vm_file)};
	}
	if (n)
		qsort(v, n, sizeof(*v), by_start);
	*out_ = v;
	return n;
}

/* What an area without a file is for. */
const char *vma_purpose(u64 mm, const struct vma *v)
{
	u64 brk = FIELD(mm, mm_struct, start_brk), stack = FIELD(mm, mm_struct, start_stack);

	if (v->flags & 0x400000) /* VM_STUBS, include/husk/mm.h */
		return "[stubs]";
	if (v->start <= FIELD(mm, mm_struct, brk) && v->end > brk && v->end - 1 >= brk && v->start >= brk - PAGE_SIZE)
		return "[heap]";
	if (v->start <= stack && stack < v->end)
		return "[stack]";
	return "";
}
