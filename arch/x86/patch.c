// SPDX-License-Identifier: Apache-2.0
// Lazy patching of system-call sites: the first trap at a site turns it into a jump to the gate.

#include <husk/mm.h>
#include <husk/fs.h>
#include <hostif/hostif.h>
#include <linux/membarrier.h>
#include <asm/unistd.h>
#include "arch.h"
#include "hostcall.h"
#include "insn.h"
#include "text.h"

/**
 * DOC: patching
 *
 * Form A, "mov $nr,%eax; syscall" with nothing between: the five bytes of the mov become a jump to a stub; the syscall instruction stays,
 * so jumps to it still trap, and a thread parked between the two is safe.
 * Form B, any other site: the syscall and the whole instructions after it, five bytes or more of kinds that can run
 * elsewhere, become a jump; the stub runs them after the gate and jumps back. Only at the first trap ever of a site, under the file's text lock: a thread that
 * trapped at the same time finds the jump and goes on in the stub.
 * Bytes that other threads may be executing change as int3, tail, first byte, with every core that may run the text made to
 * serialise between the steps. A thread that meets the int3 waits for the lock and tries again.
 */

#define OP_JMP 0xe9
#define OP_INT3 0xcc

struct site {
	struct address_space *mapping;
	struct text_info *ti;
	struct page *view;
	u64 file_off;	  /* of the syscall instruction */
	unsigned long va; /* its address */
	u8 *p;		  /* it, in the view */
	unsigned room;	  /* bytes from p to the end of the page */
};

/* The text view behind addr in current's address space; false where there is none. mmap_lock held. */
static bool find_site(unsigned long addr, struct site *s)
{
	struct vm_area_struct *vma = find_vma(current->mm, addr);
	struct page *page;
	pgoff_t index;

	if (!vma || addr < vma->vm_start || !vma->vm_file || !(vma->vm_flags & VM_EXEC) ||
	    (vma->vm_flags & (VM_WRITE | VM_STUBS)))
		return false;
	s->mapping = vma->vm_file->f_mapping;
	s->ti = s->mapping->text;
	if (!s->ti)
		return false;
	index = vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
	if (mm_has_copy(current->mm, addr)) /* with a debugger's breakpoints perhaps */
		return false;
	page = find_get_any_page(s->mapping, index);
	if (!page)
		return false;
	s->view = page_is_view(page) ? page : text_copy(page);
	if (s->view && current->mm->plain_text)
		s->view = s->view == page ? NULL : s->view->text;
	if (s->view)
		get_page(s->view);
	put_page(page);
	if (!s->view)
		return false;
	s->va = addr;
	s->file_off = ((u64)index << PAGE_SHIFT) + offset_in_page(addr);
	s->p = (u8 *)page_address(s->view) + offset_in_page(addr);
	s->room = PAGE_SIZE - offset_in_page(addr);
	return true;
}

/* Length of the instruction at p if it can run at another address, else 0. *ret: it does not fall through. */
static unsigned relocatable(const u8 *p, unsigned room, bool *ret)
{
	unsigned n = 0;

	*ret = false;
	if (!room)
		return 0;
	if (p[0] == 0xc3) {
		*ret = true;
		return 1;
	}
	if ((p[0] & 0xf0) == 0x50)
		return 1; /* push, pop */
	if ((p[0] & 0xf0) == 0x40)
		n = 1; /* REX */
	if (room < n + 2)
		return 0;
	switch (p[n]) {
	case 0x3d: /* cmp $imm32,%eax */
		return room >= n + 5 ? n + 5 : 0;
	case 0x83: /* op $imm8, register */
		return (p[n + 1] & 0xc0) == 0xc0 && room >= n + 3 ? n + 3 : 0;
	case 0x81:
		return (p[n + 1] & 0xc0) == 0xc0 && room >= n + 6 ? n + 6 : 0;
	case 0x85:
	case 0x89:
	case 0x8b:
	case 0x31:
	case 0x39:
	case 0x01:
	case 0x29:
	case 0x63:
		if ((p[n + 1] & 0xc0) == 0xc0)
			return n + 2;
		/* memory operands without rip or SIB: disp8 or none */
		if ((p[n + 1] & 7) == 4) { /* SIB */
			if ((p[n + 1] & 0xc0) == 0x40)
				return room >= n + 4 ? n + 4 : 0;
			if ((p[n + 1] & 0xc0) == 0x80)
				return room >= n + 7 ? n + 7 : 0;
			return 0;
		}
		if ((p[n + 1] & 0xc0) == 0x40)
			return room >= n + 3 ? n + 3 : 0;
		if ((p[n + 1] & 0xc0) == 0x80)
			return room >= n + 6 ? n + 6 : 0;
		return 0;
	case 0x58:
	case 0x59:
	case 0x5a:
	case 0x5b:
	case 0x5c:
	case 0x5d:
	case 0x5e:
	case 0x5f:
		return n + 1;
	}
	return 0;
}

static bool padding(const u8 *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (p[i] != 0xcc && p[i] != 0x90 && p[i] != 0x66 && p[i] != 0x0f && p[i] != 0x1f && p[i] != 0x2e &&
		    p[i])
			return false;
	return true;
}

/* lea back(%rip),%rcx; movabs $gate,%r11; jmp *%r11. at: address of out, back: address to load; both relative alike. */
static unsigned emit_gate_jump(u8 *out, s64 at, s64 back)
{
	u64 gate = (u64)gate_entry;

	out[0] = 0x48;
	out[1] = 0x8d;
	out[2] = 0x0d;
	put32(out + 3, back - (at + 7));
	out[7] = 0x49;
	out[8] = 0xbb;
	memcpy(out + 9, &gate, 8);
	out[17] = 0x41;
	out[18] = 0xff;
	out[19] = 0xe3;
	return 20;
}

/* ---- making other cores see ---- */

/* Who is in the kernel serialises on its way out, who is in user mode is kicked. */
static void sync_begin(struct task_struct *t)
{
	struct thread_info *ti = t->ti;

	set_bit(TIF_SYNC_CORE, &ti->flags);
	smp_mb();
	if (READ_ONCE(ti->in_user))
		platform->kick(t);
}

/* On a busy host the kicked thread may have to wait for its turn: that is no lockup. */
static void sync_end(struct task_struct *t)
{
	struct thread_info *ti = t->ti;

	for (int i = 0; READ_ONCE(ti->in_user) && READ_ONCE(ti->kick_sent) && i < 100000; i++) {
		host_yield();
		touch_watchdog();
	}
}

/* tasklist_lock held: fn for every thread that runs in another address space */
static void for_each_elsewhere(void (*fn)(struct task_struct *t))
{
	struct task_struct *p, *t;

	for_each_process (p)
		for_each_thread (p, t)
			if (t->mm && t->mm != current->mm)
				fn(t);
}

/* Every thread that may run this file's text, but current. All are kicked before the first is waited for. */
static void sync_cores(struct site *s)
{
	if (refcount_read(&current->mm->mm_users) > 1) {
		long r = host_membarrier_sync_core();

		if (r) {
			host_call(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0, 0, 0);
			host_membarrier_sync_core();
		}
	}
	read_lock(&tasklist_lock);
	for_each_elsewhere(sync_begin);
	for_each_elsewhere(sync_end);
	read_unlock(&tasklist_lock);
}

/* Nobody else can be executing this text: no other thread here, no other address space maps the file. */
static bool sole_user(struct site *s)
{
	struct vm_area_struct *vma;
	bool sole = refcount_read(&current->mm->mm_users) == 1;

	if (!sole)
		return false;
	mutex_lock(&s->mapping->i_mmap_lock);
	list_for_each_entry (vma, &s->mapping->i_mmap, i_mmap_node) {
		if (vma->vm_mm != current->mm) {
			sole = false;
			break;
		}
	}
	mutex_unlock(&s->mapping->i_mmap_lock);
	return sole;
}

static void poke(struct site *s, u8 *at, const u8 *code, unsigned n)
{
	if (sole_user(s)) {
		memcpy(at, code, n);
		return; /* the trap's iretq serialises */
	}
	__atomic_store_n(at, OP_INT3, __ATOMIC_SEQ_CST);
	sync_cores(s);
	memcpy(at + 1, code + 1, n - 1);
	smp_mb();
	sync_cores(s);
	__atomic_store_n(at, code[0], __ATOMIC_SEQ_CST);
	sync_cores(s);
}

/* does the jump, in its place, spell something forbidden? */
static bool spells_forbidden(struct site *s, const u8 *at, const u8 *code, unsigned n)
{
	u8 buf[24];
	size_t off = 0;
	const u8 *page = page_address(s->view);
	unsigned before = min_t(unsigned, 4, at - page), after = min_t(unsigned, 4, page + PAGE_SIZE - (at + n));

	memcpy(buf, at - before, before);
	memcpy(buf + before, code, n);
	memcpy(buf + before + n, at + n, after);
	return scan_text(buf, before + n + after, &off) != FORBIDDEN_NONE;
}

static bool patch_a(struct site *s, u32 nr)
{
	u32 imm;
	u8 *mov = s->p - 5, stub[STUB_SIZE] = {0}, jmp[5] = {OP_JMP};
	s64 stub_off;
	size_t scan;

	if (offset_in_page(s->p) < 6 || mov[0] != 0xb8 || (mov[-1] & 0xf0) == 0x40)
		return false;
	memcpy(&imm, mov + 1, 4);
	if (imm != nr)
		return false;
	for (unsigned tries = 0; tries < 4; tries++) {
		unsigned idx = text_stub_reserve(s->ti, STUB_KEY(s->file_off, STUB_A), tries);

		if (idx == STUB_NONE)
			return false;
		stub_off = s->ti->stub_delta + idx * STUB_SIZE;
		memcpy(stub, mov, 5);
		emit_gate_jump(stub + 5, stub_off + 5, s->file_off + 2);
		put32(jmp + 1, stub_off - (s64)s->file_off); /* the jump ends where the syscall begins */
		scan = 0;
		if (scan_text(stub, sizeof(stub), &scan) || spells_forbidden(s, mov, jmp, 5) ||
		    !text_stub_write(s->ti, idx, stub))
			continue;
		poke(s, mov, jmp, 5);
		return true;
	}
	return false;
}

/* The whole instructions behind the syscall that a jump needs room for: bytes from the syscall on, 0 when they cannot run elsewhere. */
static unsigned tail_length(struct site *s, bool *ret, unsigned *extra)
{
	unsigned n = 2, len;

	while (n < 5 && !*ret) {
		len = relocatable(s->p + n, s->room - n, ret);
		if (!len)
			return 0;
		n += len;
	}
	*extra = n;
	if (n < 5) { /* syscall; ret; padding */
		if (s->room < 5 || !padding(s->p + n, 5 - n))
			return 0;
		*extra = 5;
	}
	return n;
}

static bool patch_b(struct site *s, struct pt_regs *regs)
{
	u8 stub[STUB_SIZE] = {0}, code[16] = {OP_JMP};
	bool ret = false;
	unsigned extra, n = tail_length(s, &ret, &extra);
	s64 stub_off;
	size_t scan;

	if (!n || extra > sizeof(code))
		return false;
	memset(code + 5, OP_INT3, sizeof(code) - 5);
	for (unsigned tries = 0; tries < 4; tries++) {
		unsigned idx = text_stub_reserve(s->ti, STUB_KEY(s->file_off, STUB_B), tries);

		if (idx == STUB_NONE)
			return false;
		stub_off = s->ti->stub_delta + idx * STUB_SIZE;
		emit_gate_jump(stub, stub_off, stub_off + STUB_B_TAIL);
		memcpy(stub + STUB_B_TAIL, s->p + 2, n - 2);
		if (!ret) {
			stub[STUB_B_TAIL + n - 2] = OP_JMP;
			put32(stub + STUB_B_TAIL + n - 1, (s64)(s->file_off + n) - (stub_off + STUB_B_TAIL + n + 3));
		}
		put32(code + 1, stub_off - (s64)(s->file_off + 5));
		scan = 0;
		if (scan_text(stub, sizeof(stub), &scan) || spells_forbidden(s, s->p, code, extra) ||
		    !text_stub_write(s->ti, idx, stub))
			continue;
		poke(s, s->p, code, extra);
		regs->ip = s->va - s->file_off + stub_off + STUB_B_TAIL;
		return true;
	}
	return false;
}

/* Form A is in place before this syscall instruction: it returns right behind it, so those bytes must stay. */
static bool patched_a(struct site *s)
{
	s64 target;
	s32 disp;

	if (offset_in_page(s->p) < 5 || s->p[-5] != OP_JMP)
		return false;
	memcpy(&disp, s->p - 4, 4);
	target = (s64)s->file_off + disp;
	return target >= (s64)s->ti->stub_delta && target < (s64)(s->ti->stub_delta + STUB_AREA) &&
	       IS_ALIGNED(target - s->ti->stub_delta, STUB_SIZE);
}

/**
 * patch_syscall_site - a system call trapped; regs->ip is behind its syscall instruction
 *
 * Returns true when the site is (now) patched. regs->ip moves into the stub when the bytes behind the call are no longer there.
 */
bool patch_syscall_site(struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	struct site s;
	bool done = false;
	s32 disp;

	if ((boot->flags & HOSTIF_B_TRAP_ONLY) || regs->ip >= TASK_SIZE || regs->ip < 4096)
		return false;
	mmap_read_lock(mm);
	if (mm->plain_text || !find_site(regs->ip - 2, &s))
		goto out_unlock;
	if (s.room < 2 || !s.ti->patchable)
		goto out_put;
	mutex_lock(&s.ti->lock);
	if (s.p[0] == 0x0f && s.p[1] == 0x05) {
		done = patched_a(&s) || patch_a(&s, regs->orig_ax) || patch_b(&s, regs);
	} else if (s.p[0] == OP_JMP && s.room >= 5) { /* form B, patched since we trapped */
		memcpy(&disp, s.p + 1, 4);
		regs->ip = s.va + 5 + disp + STUB_B_TAIL;
		done = true;
	}
	mutex_unlock(&s.ti->lock);
out_put:
	put_page(s.view);
out_unlock:
	mmap_read_unlock(mm);
	return done;
}

/* The bytes of the file behind an address that find_site() knows; how many. May wait for pages: no lock but mmap_lock. */
static unsigned original_bytes(struct site *s, u8 *buf, unsigned want)
{
	unsigned n = 0;

	while (n < want) {
		u64 off = s->file_off + n;
		unsigned k = min_t(unsigned, want - n, PAGE_SIZE - offset_in_page(off));
		struct page *p = off < (u64)i_size_read(s->mapping->host)
					 ? read_mapping_page(s->mapping, off >> PAGE_SHIFT, NULL)
					 : NULL;

		if (IS_ERR_OR_NULL(p))
			break;
		memcpy(buf + n, page_address(p) + offset_in_page(off), k);
		put_page(p);
		n += k;
	}
	return n;
}

enum trap_cause { TRAP_GUEST, TRAP_RETRY, TRAP_EMULATE };

/* Whose int3 is at addr? For ours that stay: what was there, in buf. */
static enum trap_cause whose_int3(u64 addr, u8 *buf, unsigned *n)
{
	enum trap_cause r = TRAP_GUEST;
	struct site s;
	u8 now;

	mmap_read_lock(current->mm);
	if (find_site(addr, &s)) {
		mutex_lock(&s.ti->lock); /* a patch in progress is over when we have it */
		now = *s.p;
		mutex_unlock(&s.ti->lock);
		put_page(s.view);
		if (now != OP_INT3) {
			r = TRAP_RETRY;
		} else {
			*n = original_bytes(&s, buf, 15);
			r = *n && buf[0] != OP_INT3 ? TRAP_EMULATE : TRAP_GUEST;
		}
	}
	mmap_read_unlock(current->mm);
	if (r == TRAP_GUEST && (*n = text_private_original(current->mm, addr, buf)))
		r = TRAP_EMULATE;
	return r;
}

/**
 * text_trap_fixup - SIGTRAP, SIGILL or SIGSEGV in user code: was it our doing?
 *
 * An int3 of a patch in progress: wait until it is done and run the new bytes. An int3 in place of an instruction that may not be
 * executable as it is: do what the instruction does.
 */
bool text_trap_fixup(struct pt_regs *regs, int sig)
{
	u8 buf[16];
	unsigned n = 0;
	struct insn i;
	u64 addr = 0;

	if (sig != SIGTRAP || regs->ip > TASK_SIZE || regs->ip < 4096)
		return false;
	switch (whose_int3(regs->ip - 1, buf, &n)) {
	case TRAP_GUEST:
		return false;
	case TRAP_RETRY:
		regs->ip -= 1;
		return true;
	case TRAP_EMULATE:
		break;
	}
	regs->ip -= 1;
	if (!insn_decode(&i, buf, n)) {
		force_sig_fault(SIGILL, ILL_ILLOPN, (void *)regs->ip);
		return true;
	}
	switch (insn_emulate(regs, &i, &addr)) {
	case EMU_DONE:
		break;
	case EMU_ILLEGAL:
		force_sig_fault(SIGILL, ILL_ILLOPN, (void *)regs->ip);
		break;
	case EMU_FAULT:
		force_sig_fault(SIGSEGV, SEGV_MAPERR, (void *)addr);
		break;
	}
	return true;
}
