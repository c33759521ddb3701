// SPDX-License-Identifier: Apache-2.0
// Stacks for the trace: where in the kernel a call slept, and what the reader needs to unwind the program.

#include <husk/mm.h>
#include <husk/trace_capture.h>
#include "internal.h"

#define STACK_COPY 8192u
#define MAPS_MAX 64

/* Return addresses along the frame pointers, from the caller on, as long as they stay on this stack. */
static u32 trace_kernel_stack(u64 *out, u32 max)
{
	u64 *fp = *(u64 **)__builtin_frame_address(0); /* the caller's own frame says nothing */
	u64 end = (u64)current_thread_info();
	u32 n = 0;

	while (n < max && (u64)fp < end && (u64)fp + 16 <= end && (u64)fp >= end + 1024 - THREAD_SIZE &&
	       !((u64)fp & 7)) {
		u64 *next = (u64 *)fp[0];

		if (!fp[1])
			break;
		out[n++] = fp[1];
		if (next <= fp)
			break;
		fp = next;
	}
	return n;
}

/* Who looks on shall see that the call has begun. The first sleep is where it waited; later ones are often locks on the way out. */
void __trace_sleep(void)
{
	struct trace_task *tt = current->trace;

	if (tt->staged)
		trace_publish_staged(tt);
	if (tt->in_call && !tt->nstack && (trace_config.flags & TRACE_WANT_STACKS))
		tt->nstack = trace_kernel_stack(tt->stack, TRACE_STACK_MAX);
}

/* Where the program's files are mapped executable. */
static void maps(struct trace_task *tt, struct hostif_trace_rec *r, u32 *used)
{
	struct mm_struct *mm = current->mm;
	struct map {
		struct hostif_trace_map m;
		char path[1024];
	} *buf = kmalloc(sizeof(*buf), GFP_KERNEL);
	struct vm_area_struct *v;
	int n = 0;

	if (!buf)
		return;
	mmap_read_lock(mm);
	for (v = find_vma(mm, 0); v && n < MAPS_MAX; v = find_vma(mm, v->vm_end)) {
		long len;

		if (!(v->vm_flags & VM_EXEC) || !v->vm_file)
			continue;
		len = trace_fs->file(v->vm_file, buf->path, sizeof(buf->path));
		if (len < 0)
			continue;
		buf->m = (struct hostif_trace_map){v->vm_start, v->vm_end, (u64)v->vm_pgoff << PAGE_SHIFT};
		trace_blob(tt, r, used, TRACE_BLOB_MAP, v->vm_start, buf, sizeof(buf->m) + len);
		n++;
	}
	mmap_read_unlock(mm);
	kfree(buf);
}

void trace_stacks(struct trace_task *tt, struct hostif_trace_rec *r, u32 *used, const struct pt_regs *regs)
{
	u32 room = trace_rec_room(tt) - *used, n = min_t(u32, STACK_COPY, room / 2 & ~7u);
	struct hostif_trace_blob *b;

	r->flags |= TRACE_F_STACK;
	trace_blob(tt, r, used, TRACE_BLOB_UREGS, 0, regs, sizeof(*regs));
	b = (void *)((u8 *)(r + 1) + *used);
	n = trace_read_user(b + 1, regs->sp, n) & ~7u;
	*b = (struct hostif_trace_blob){.kind = TRACE_BLOB_USTACK, .len = n, .want = n, .addr = regs->sp};
	*used += sizeof(*b) + n;
	r->nblobs++;
	if (current->mm && trace_fs)
		maps(tt, r, used);
}
