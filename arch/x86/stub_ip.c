// SPDX-License-Identifier: Apache-2.0
// Addresses in the stubs of patched system-call sites, and the addresses in the program's text that they stand for.

#include <husk/mm.h>
#include <husk/fs.h>
#include "arch.h"
#include "text.h"

/**
 * DOC: what programs are told
 *
 * Who is in a stub is, for everybody else, at the place in the program's text that the stub stands for. A signal frame holds that
 * address: handlers compare it with labels around their system calls (musl's and glibc's pthread_cancel, valgrind), unwinders look it up. A stub's
 * beginning is the system call itself, which is a jump to the stub now, so it can be gone on at as it is; what follows the system call may be gone,
 * so who returns there goes on in the stub (text_enter_stub()).
 */
#define OP_JMP 0xe9
#define TAIL_MAX 14 /* bytes behind the system call that a jump may cover */

static struct vm_area_struct *stubs_at(unsigned long ip)
{
	struct vm_area_struct *vma = find_vma(current->mm, ip);

	return vma && ip >= vma->vm_start && (vma->vm_flags & VM_STUBS) ? vma : NULL;
}

/* The file text that the stubs are for: it lies below them. mmap_lock held. *va: the address of file offset 0. */
static struct text_info *stubs_owner(struct vm_area_struct *stubs, unsigned long *va)
{
	for (struct vm_area_struct *v = vma_prev(stubs); v; v = vma_prev(v)) {
		struct text_info *ti = v->vm_file && (v->vm_flags & VM_EXEC) ? v->vm_file->f_mapping->text : NULL;

		*va = v->vm_start - (v->vm_pgoff << PAGE_SHIFT);
		if (ti && ti->patchable && *va + ti->stub_delta == stubs->vm_start)
			return ti;
	}
	return NULL;
}

static const u8 *stub_code(struct text_info *ti, unsigned long index)
{
	return (u8 *)page_address(ti->stub[index * STUB_SIZE / PAGE_SIZE]) + index * STUB_SIZE % PAGE_SIZE;
}

static u64 stub_original(struct text_info *ti, unsigned long va, u64 off)
{
	unsigned k = off % STUB_SIZE;
	u64 key = ti->site[off / STUB_SIZE] & ~STUB_UNWRITTEN;

	va += key >> 2;
	if ((key & 3) == STUB_MOVED && *stub_code(ti, off / STUB_SIZE) == LDSO_STUB_BEGINS)
		return k == LDSO_STUB_BACK ? va + LDSO_XRSTOR_LEN : va; /* before its end it can be begun again */
	switch (key & 3) {
	case STUB_A: /* the mov, then the way to the gate */
		return k ? va : va - 5;
	case STUB_B: /* the way to the gate, then what follows the system call */
		return k < STUB_B_TAIL ? va : va + 2 + k - STUB_B_TAIL;
	}
	return va + k;
}

bool text_original_ip(u64 *ip)
{
	struct vm_area_struct *stubs;
	struct text_info *ti;
	unsigned long va;

	mmap_read_lock(current->mm);
	stubs = stubs_at(*ip);
	ti = stubs ? stubs_owner(stubs, &va) : NULL;
	if (ti)
		*ip = stub_original(ti, va, *ip - stubs->vm_start);
	mmap_read_unlock(current->mm);
	return stubs;
}

bool text_in_stub(u64 ip)
{
	bool stub;

	mmap_read_lock(current->mm);
	stub = stubs_at(ip);
	mmap_read_unlock(current->mm);
	return stub;
}

u64 text_restart_ip(u64 ip)
{
	return text_in_stub(ip) ? ip & ~(STUB_SIZE - 1) : ip - 2;
}

/* Bytes of the system call and what was moved with it, of the stub of form B at index for file_off; 0: it is not that. */
static unsigned bytes_moved(struct text_info *ti, unsigned long index, u64 file_off)
{
	const u8 *stub;

	if (index >= ti->nstubs || ti->site[index] != STUB_KEY(file_off, STUB_B))
		return 0;
	stub = stub_code(ti, index);
	for (unsigned n = 3; n <= 2 + TAIL_MAX; n++) {
		const u8 *p = stub + STUB_B_TAIL + n - 2;
		s64 next = ti->stub_delta + index * STUB_SIZE + STUB_B_TAIL + n - 2 + 5;
		s32 disp;

		memcpy(&disp, p + 1, 4);
		if (p[0] == OP_JMP && next + disp == (s64)(file_off + n))
			return n;
	}
	return 3; /* syscall; ret */
}

/* ip is behind the system call at `site`, where a jump to target is: the place in the stub that stands for it, 0 if none does. */
static u64 in_stub_of(u64 site, u64 ip, u64 target)
{
	struct vm_area_struct *stubs = stubs_at(target);
	unsigned long va, index;
	struct text_info *ti = stubs ? stubs_owner(stubs, &va) : NULL;
	u64 r = 0;

	if (!ti || site < va)
		return 0;
	index = (target - stubs->vm_start) / STUB_SIZE;
	mutex_lock(&ti->lock);
	if (ip - site < bytes_moved(ti, index, site - va))
		r = target + STUB_B_TAIL + ip - site - 2;
	mutex_unlock(&ti->lock);
	return r;
}

void text_enter_stub(u64 *ip)
{
	unsigned n = min_t(unsigned long, offset_in_page(*ip), 2 + TAIL_MAX);
	u8 before[2 + TAIL_MAX];
	u64 r = 0;

	if (n < 2 || *ip >= TASK_SIZE || copy_from_user(before, (void *)(*ip - n), n))
		return;
	for (unsigned k = 2; k <= n && !r; k++) { /* k bytes before *ip */
		u64 site = *ip - k;
		u8 jump[5];
		s32 disp;

		if (before[n - k] != OP_JMP || copy_from_user(jump, (void *)site, sizeof(jump)))
			continue;
		memcpy(&disp, jump + 1, 4);
		if ((site + sizeof(jump) + disp) % STUB_SIZE)
			continue;
		mmap_read_lock(current->mm);
		r = in_stub_of(site, *ip, site + sizeof(jump) + disp);
		mmap_read_unlock(current->mm);
	}
	if (r)
		*ip = r;
}
