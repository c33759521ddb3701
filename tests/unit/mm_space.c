// SPDX-License-Identifier: Apache-2.0
/* Tests of address spaces: VMAs, faults, fork, files, on a host that checks every mapping. */
#include "mm_unit.h"
#include <linux/mman.h>

#define TEST(n)                                                                                                        \
	void unit_test_##n(void);                                                                                      \
	void unit_test_##n(void)
#define RD 0
#define WR FAULT_FLAG_WRITE
#define EX FAULT_FLAG_INSTRUCTION
#define RW_ (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define AT(page) (ARENA + ((unsigned long)(page) << PAGE_SHIFT))

long sys_mprotect(struct pt_regs *r);
long sys_mremap(struct pt_regs *r);
long sys_madvise(struct pt_regs *r);
long sys_munmap(struct pt_regs *r);
long sys_brk(struct pt_regs *r);

static long call(long (*fn)(struct pt_regs *), u64 a, u64 b, u64 c, u64 d, u64 e)
{
	struct pt_regs r = {.di = a, .si = b, .dx = c, .r10 = d, .r8 = e};

	return fn(&r);
}

static unsigned long map(unsigned long page, unsigned long n, int prot, int flags, struct file *f, unsigned long pgoff)
{
	unsigned long r = vm_mmap(f, AT(page), n << PAGE_SHIFT, prot, flags | MAP_FIXED, pgoff << PAGE_SHIFT);

	CHECK(r == AT(page));
	return r;
}

static void unmap(unsigned long page, unsigned long n)
{
	CHECK(!call(sys_munmap, AT(page), n << PAGE_SHIFT, 0, 0, 0));
}

static void put(unsigned long page, u8 v)
{
	u8 *p = user_byte(AT(page), WR);

	CHECK(p);
	*p = v;
}

static u8 get(unsigned long page)
{
	u8 *p = user_byte(AT(page), RD);

	CHECK(p);
	return *p;
}

TEST(vma_merge_split)
{
	struct mm_struct *mm = space_begin();

	map(10, 10, RW_, ANON, NULL, 0);
	map(30, 10, RW_, ANON, NULL, 0);
	CHECK(mm->map_count == 2);
	map(20, 10, RW_, ANON, NULL, 0);
	CHECK(mm->map_count == 1 && find_vma(mm, AT(15))->vm_end == AT(40));
	CHECK(!call(sys_mprotect, AT(15), 5 << PAGE_SHIFT, PROT_READ, 0, 0));
	CHECK(mm->map_count == 3);
	check_space(mm);
	CHECK(!call(sys_mprotect, AT(15), 5 << PAGE_SHIFT, RW_, 0, 0));
	CHECK(mm->map_count == 1);
	unmap(12, 2);
	CHECK(mm->map_count == 2 && !find_vma_intersection(mm, AT(12), AT(14)));
	map(11, 5, PROT_READ, ANON, NULL, 0);
	CHECK(mm->map_count == 3);
	CHECK(call(sys_mprotect, AT(39), 2 << PAGE_SHIFT, PROT_READ, 0, 0) == -ENOMEM);
	CHECK(vm_mmap(NULL, AT(20), PAGE_SIZE, RW_, ANON | MAP_FIXED_NOREPLACE, 0) == (unsigned long)-EEXIST);
	unmap(0, ARENA_PAGES);
	CHECK(!mm->map_count && !mm->total_vm);
	space_end();
}

TEST(vma_addresses)
{
	struct mm_struct *mm = space_begin();
	unsigned long a, b, c, d;

	a = vm_mmap(NULL, 0, 16 * PAGE_SIZE, RW_, ANON, 0);
	b = vm_mmap(NULL, 0, 16 * PAGE_SIZE, PROT_READ, ANON, 0);
	CHECK(a == mm->mmap_base - 16 * PAGE_SIZE && b == a - 16 * PAGE_SIZE);
	c = vm_mmap(NULL, 0, PAGE_SIZE, RW_, ANON, 0);
	CHECK(c == b - PAGE_SIZE);
	CHECK(!vm_munmap(a + 4 * PAGE_SIZE, 4 * PAGE_SIZE));
	d = vm_mmap(NULL, 0, 5 * PAGE_SIZE, PROT_READ, ANON, 0); /* does not fit into the hole */
	CHECK(d == c - 5 * PAGE_SIZE);
	d = vm_mmap(NULL, 0, 3 * PAGE_SIZE, PROT_READ, ANON, 0);
	CHECK(d == a + 5 * PAGE_SIZE);
	d = vm_mmap(NULL, AT(7), PAGE_SIZE, RW_, ANON, 0); /* a hint */
	CHECK(d == AT(7));
	CHECK(vm_mmap(NULL, AT(7), PAGE_SIZE, RW_, ANON, 0) != AT(7));
	d = vm_mmap(NULL, 0, PAGE_SIZE, RW_, ANON | MAP_32BIT, 0);
	CHECK(d < 1UL << 31);
	CHECK(vm_mmap(NULL, 0, PAGE_SIZE, RW_, ANON | MAP_FIXED, 0) == (unsigned long)-EPERM);
	CHECK(vm_mmap(NULL, TASK_SIZE - PAGE_SIZE, 2 * PAGE_SIZE, RW_, ANON | MAP_FIXED, 0) == (unsigned long)-ENOMEM);
	CHECK(vm_mmap(NULL, 0, 0, RW_, ANON, 0) == (unsigned long)-EINVAL);
	CHECK(vm_mmap(NULL, 0, PAGE_SIZE, RW_, MAP_ANONYMOUS, 0) == (unsigned long)-EINVAL);
	mm->start_brk = mm->brk = AT(100);
	CHECK(call(sys_brk, AT(103) + 5, 0, 0, 0, 0) == AT(103) + 5 && find_vma(mm, AT(103))->vm_end == AT(104));
	put(103, 9);
	CHECK(call(sys_brk, AT(101), 0, 0, 0, 0) == AT(101) && !find_vma_intersection(mm, AT(101), AT(110)));
	space_end();
}

TEST(vma_stack)
{
	struct mm_struct *mm = space_begin();
	unsigned long top;
	u32 word = 0x12345678;
	struct vm_area_struct *vma;
	int sig, code;

	CHECK(!setup_stack_vma(mm, &top));
	CHECK(!copy_to_mm(mm, top - 8, &word, 4) && !copy_to_mm(mm, top - 300000, &word, 4));
	vma = find_vma(mm, top - 8);
	CHECK(vma->vm_start <= top - 300000 && vma->vm_end == top);
	CHECK(!do_page_fault(vma->vm_start - 100, WR | FAULT_FLAG_USER, &sig, &code));
	CHECK(do_page_fault(top - (9UL << 20), WR | FAULT_FLAG_USER, &sig, &code) && sig == SIGSEGV &&
	      code == SEGV_MAPERR);
	map(0, 300, RW_, ANON | MAP_GROWSDOWN, NULL, 0);
	CHECK(!do_page_fault(AT(0) - 1, WR | FAULT_FLAG_USER, &sig, &code));
	map(-280L, 1, RW_, ANON, NULL, 0);
	CHECK(do_page_fault(AT(-30L), WR | FAULT_FLAG_USER, &sig, &code) == -EFAULT);
	CHECK(!vm_munmap(AT(-280L), PAGE_SIZE));
	space_end();
}

TEST(anon_granule)
{
	struct mm_struct *mm = space_begin();
	struct host_proc *h = host_proc(mm);

	map(0, 100, RW_, ANON, NULL, 0);
	put(20, 1);
	CHECK(h->maps == 1 && get_mm_rss(mm) == 16); /* 64 KiB around, in one host mapping */
	CHECK(get(16) == 0 && get(31) == 0 && h->maps == 1);
	CHECK(user_byte(AT(200), RD) == NULL && unit_sig == SIGSEGV && unit_code == SEGV_MAPERR);
	CHECK(!call(sys_mprotect, AT(0), 100 << PAGE_SHIFT, PROT_READ, 0, 0));
	CHECK(user_byte(AT(20), WR) == NULL && unit_code == SEGV_ACCERR);
	CHECK(get(20) == 1);
	CHECK(!call(sys_madvise, AT(0), 100 << PAGE_SHIFT, MADV_DONTNEED, 0, 0) && !get_mm_rss(mm));
	CHECK(get(20) == 0);
	space_end();
}

TEST(anon_sequential)
{
	struct mm_struct *mm = space_begin();

	map(0, 2048, RW_, ANON, NULL, 0);
	for (int i = 0; i < 2048; i++)
		put(i, i);
	CHECK(host_proc(mm)->maps < 20);
	for (int i = 0; i < 2048; i++)
		CHECK(get(i) == (u8)i);
	unmap(0, 2048);
	space_end();
}

/* fork as kernel/fork.c does it; soon: what both write at once */
static struct mm_struct *fork_space_soon(const unsigned long *soon)
{
	struct mm_struct *parent = current->mm, *mm = dup_mm(soon);

	CHECK(mm);
	host_fork(parent, mm);
	dup_mm_done();
	check_space(parent);
	check_space(mm);
	return mm;
}

/* the child becomes current when asked */
static struct mm_struct *fork_space(void)
{
	static const unsigned long none[FORK_SOON];

	return fork_space_soon(none);
}

static void end_child(struct mm_struct *mm)
{
	check_space(mm);
	mmput(mm);
}

TEST(cow_after_fork)
{
	struct mm_struct *parent = space_begin(), *child;

	map(0, 40, RW_, ANON, NULL, 0);
	put(3, 33);
	put(39, 44);
	child = fork_space();
	CHECK(get(3) == 33);
	put(3, 1);
	current->mm = child;
	CHECK(get(3) == 33 && get(39) == 44);
	put(39, 2);
	current->mm = parent;
	CHECK(get(3) == 1 && get(39) == 44);
	check_space(parent);
	end_child(child);
	put(39, 5); /* alone again: no copy */
	CHECK(get(39) == 5);
	space_end();
}

TEST(cow_granule)
{
	struct mm_struct *parent = space_begin(), *child;
	unsigned long maps;

	map(0, 64, RW_, ANON, NULL, 0);
	for (int i = 0; i < 64; i++)
		put(i, i);
	child = fork_space();
	current->mm = child;
	maps = host_proc(child)->maps;
	for (int i = 0; i < 64; i++) {
		CHECK(get(i) == i);
		put(i, i + 100);
	}
	CHECK(host_proc(child)->maps - maps <= 8); /* a few pages, then granules */
	current->mm = parent;
	maps = host_proc(parent)->maps + host_proc(parent)->protects;
	end_child(child);
	for (int i = 0; i < 64; i++) {
		CHECK(get(i) == i);
		put(i, i);
	}
	CHECK(host_proc(parent)->maps + host_proc(parent)->protects - maps == 4);
	space_end();
}

TEST(wx_toggle)
{
	struct mm_struct *mm = space_begin();
	u8 *p;

	map(0, 4, RW_ | PROT_EXEC, ANON, NULL, 0);
	put(1, 0x90);
	CHECK(host_proc(mm)->page[1].prot == (HPROT_READ | HPROT_WRITE));
	p = user_byte(AT(1), EX);
	CHECK(p && *p == 0x90 && host_proc(mm)->page[1].prot == (HPROT_READ | HPROT_EXEC));
	put(1, 0xc3);
	CHECK(!(host_proc(mm)->page[1].prot & HPROT_EXEC));
	CHECK(user_byte(AT(1), EX));
	put(1, 0xee); /* what the scan refuses */
	CHECK(!user_byte(AT(1), EX) && unit_sig == SIGSEGV);
	/* somebody holds the page to write to it: it does not run meanwhile */
	put(2, 0x90);
	CHECK(user_byte(AT(2), EX));
	{
		struct page *g = get_user_page(mm, AT(2), true);
		int sig, code;

		CHECK(g && !(host_proc(mm)->page[2].prot & HPROT_EXEC));
		CHECK(!do_page_fault(AT(2), EX | FAULT_FLAG_USER, &sig, &code) &&
		      !(host_proc(mm)->page[2].prot & HPROT_EXEC));
		put_page(g);
		CHECK(user_byte(AT(2), EX));
	}
	CHECK(!call(sys_mprotect, AT(0), 4 << PAGE_SHIFT, PROT_READ | PROT_EXEC, 0, 0));
	CHECK(user_byte(AT(2), EX) && !user_byte(AT(2), WR));
	CHECK(!call(sys_mprotect, AT(0), 4 << PAGE_SHIFT, RW_, 0, 0));
	CHECK(!user_byte(AT(2), EX));
	check_space(mm);
	space_end();
}

static u8 pattern(unsigned long index)
{
	return index + 1;
}

TEST(file_private)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(50, false);

	map(0, 60, RW_, MAP_PRIVATE, f, 0);
	CHECK(get(5) == pattern(5) && get(40) == pattern(40));
	put(5, 200);
	put(45, 201);
	CHECK(get(5) == 200 && get(6) == pattern(6) && get(45) == 201 && get(44) == pattern(44));
	CHECK(!user_byte(AT(50), RD) && unit_sig == SIGBUS && unit_code == BUS_ADRERR);
	CHECK(!user_byte(AT(55), WR) && unit_sig == SIGBUS);
	check_space(mm);
	unmap(0, 60);
	map(0, 20, PROT_READ, MAP_PRIVATE, f, 3);
	CHECK(get(2) == pattern(5)); /* the file is as it was */
	CHECK(unit_reads <= 50);
	space_end();
}

TEST(file_shared)
{
	struct mm_struct *mm = space_begin(), *child;
	struct file *f = unit_file(50, false);
	unsigned long writes = unit_writes;

	map(0, 50, RW_, MAP_SHARED, f, 0);
	map(100, 50, PROT_READ, MAP_SHARED, f, 0);
	CHECK(get(7) == pattern(7) && get(107) == pattern(7));
	put(7, 77);
	CHECK(get(107) == 77 && f->f_mapping->nrdirty == 1);
	child = fork_space();
	current->mm = child;
	put(8, 88);
	current->mm = mm;
	CHECK(get(8) == 88 && get(108) == 88 && f->f_mapping->nrdirty == 2);
	CHECK(!filemap_write_and_wait_range(f->f_mapping, 0, -1));
	CHECK(unit_writes == writes + 2 && !f->f_mapping->nrdirty);
	check_space(mm);
	check_space(child);
	CHECK(!(host_proc(child)->page[8].prot & HPROT_WRITE)); /* the next write is noticed */
	put(8, 99);
	CHECK(f->f_mapping->nrdirty == 1);
	current->mm = mm;
	end_child(child);
	CHECK(!filemap_fdatawrite(f->f_mapping));
	writeback_inodes(true);
	space_end();
}

TEST(file_truncate)
{
	struct mm_struct *mm = space_begin(), *child;
	struct file *f = unit_file(40, true);

	map(0, 40, RW_, MAP_SHARED, f, 0);
	map(100, 40, RW_, MAP_PRIVATE, f, 0);
	for (int i = 0; i < 40; i++) {
		put(i, i);
		if (i % 3 == 0)
			put(100 + i, 50 + i);
		else
			CHECK(get(100 + i) == i);
	}
	child = fork_space();
	truncate_setsize(f->f_inode, 20 << PAGE_SHIFT);
	CHECK(f->f_mapping->nrpages == 20);
	check_space(mm);
	check_space(child);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 20; i++)
			CHECK(get(i) == i && get(100 + i) == (i % 3 ? i : 50 + i));
		CHECK(!user_byte(AT(20), RD) && unit_sig == SIGBUS && !user_byte(AT(120), RD) &&
		      !user_byte(AT(121), RD));
		current->mm = child;
	}
	current->mm = mm;
	CHECK(host_proc(child)->shootdowns);
	end_child(child);
	truncate_setsize(f->f_inode, 30 << PAGE_SHIFT);
	CHECK(get(25) == 0);
	space_end();
}

TEST(file_exec_view)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(32, true);
	u8 *p;

	map(0, 32, PROT_READ | PROT_EXEC, MAP_PRIVATE, f, 0);
	map(100, 32, RW_, MAP_SHARED, f, 0);
	put(104, 42);
	p = user_byte(AT(4), EX);
	CHECK(p && *p == (u8)~42); /* the view, made of what is there now */
	CHECK(get(104) == 42 && !(host_proc(mm)->page[104].prot & HPROT_WRITE));
	put(104, 43); /* a write through the other mapping: the view is out of date */
	p = user_byte(AT(4), EX);
	CHECK(p && *p == (u8)~43);
	{
		u8 b = 0;

		CHECK(access_remote_vm(mm, AT(4), &b, 1, false) == 1 && b == 43); /* a debugger sees the original */
		b = 0xcc;
		CHECK(access_remote_vm(mm, AT(4), &b, 1, true) == 1);
		p = user_byte(AT(4), EX);
		CHECK(p && *p == 0xcc && get(104) == 43); /* a breakpoint is the process' own */
	}
	CHECK(!call(sys_mprotect, AT(0), 32 << PAGE_SHIFT, PROT_READ, 0, 0));
	CHECK(get(5) == 0 && !user_byte(AT(5), EX));
	CHECK(!call(sys_mprotect, AT(0), 32 << PAGE_SHIFT, PROT_READ | PROT_EXEC, 0, 0));
	p = user_byte(AT(5), EX);
	CHECK(p && *p == 0xff);
	check_space(mm);
	space_end();
}

/* A large file that nobody can write: pages without system calls run as they are, the others as views. */
TEST(file_exec_own_view)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(1100, false);
	struct page *p4, *p5;
	u8 *p, b = 0;

	f->f_mapping->immutable = true;
	map(0, 32, PROT_READ, MAP_PRIVATE, f, 0);
	for (int i = 0; i < 32; i++)
		(void)get(i);
	p4 = find_get_page(f->f_mapping, 4);
	p5 = find_get_page(f->f_mapping, 5);
	CHECK(p4 && p5);
	*(u8 *)page_address(p4) = 0x50;
	*(u8 *)page_address(p5) = 0x51;
	map(100, 32, PROT_READ | PROT_EXEC, MAP_PRIVATE, f, 0);
	p = user_byte(AT(104), EX);
	CHECK(p && *p == 0x50 && p4->text == p4);
	p = user_byte(AT(105), EX);
	CHECK(p && *p == (u8)~0x51 && p5->text && p5->text != p5);
	CHECK(get(4) == 0x50 && !(host_proc(mm)->page[4].prot & HPROT_EXEC)); /* data mappings of it stay data */
	b = 0xcc;
	CHECK(access_remote_vm(mm, AT(104), &b, 1, true) == 1); /* a breakpoint is a copy */
	p = user_byte(AT(104), EX);
	CHECK(p && *p == 0xcc && get(4) == 0x50);
	CHECK(!call(sys_mprotect, AT(100), 32 << PAGE_SHIFT, PROT_READ, 0, 0));
	CHECK(get(105) == 0x51 && !user_byte(AT(105), EX));
	CHECK(!call(sys_mprotect, AT(100), 32 << PAGE_SHIFT, PROT_READ | PROT_EXEC, 0, 0));
	p = user_byte(AT(106), EX);
	CHECK(p);
	put_page(p4);
	put_page(p5);
	truncate_inode_pages_range(f->f_mapping, 4 << PAGE_SHIFT, (6 << PAGE_SHIFT) - 1);
	CHECK(!find_get_page(f->f_mapping, 4) && !find_get_page(f->f_mapping, 5));
	p = user_byte(AT(105), EX); /* read again */
	CHECK(p);
	check_space(mm);
	space_end();
}

static u8 file_page_byte(struct file *f, pgoff_t index)
{
	struct page *p = read_mapping_page(f->f_mapping, index, NULL);
	u8 b;

	CHECK(!IS_ERR(p) && PageUptodate(p) && !page_is_view(p));
	b = *(u8 *)page_address(p);
	put_page(p);
	return b;
}

/* A page with system calls that nobody looks at as data is its own view; who wants the data gets another page, and the view stays. */
TEST(file_exec_view_in_place)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(1100, false);
	struct address_space *m = f->f_mapping;
	struct page *p7, *p8, *p9;
	u8 *p;

	m->immutable = true;
	for (int i = 0; i < 16; i++)
		(void)file_page_byte(f, i);
	p7 = find_get_page(m, 7);
	p8 = find_get_page(m, 8);
	p9 = find_get_page(m, 9);
	CHECK(p7 && p8 && p9);
	*(u8 *)page_address(p7) = *(u8 *)page_address(p8) = *(u8 *)page_address(p9) = 0x60;
	map(0, 32, PROT_READ, MAP_PRIVATE, f, 0);
	CHECK(get(7) == 0x60);
	CHECK(!call(sys_munmap, AT(8), 24 << PAGE_SHIFT, 0, 0, 0));
	put_page(p8);
	map(100, 32, PROT_READ | PROT_EXEC, MAP_PRIVATE, f, 0);
	p = user_byte(AT(108), EX);
	CHECK(p && *p == 0x60 && page_is_view(p8));
	CHECK(p7->text && p7->text != p7); /* somebody shows it as data */
	CHECK(p9->text && p9->text != p9); /* somebody has a reference */
	*(u8 *)page_address(p8) = 0xe9;	   /* patched */
	CHECK(!find_get_page(m, 8) && find_get_any_page(m, 8) == p8);
	put_page(p8);
	CHECK(file_page_byte(f, 8) == 9); /* read again */
	CHECK(!page_is_view(p8) && !p8->mapping);
	p = user_byte(AT(108), EX);
	CHECK(p && *p == 0xe9);
	{
		u8 b = 0;

		CHECK(access_remote_vm(mm, AT(108), &b, 1, false) == 1 && b == 9);
	}
	put_page(p7);
	put_page(p9);
	check_space(mm);
	space_end();
}

/* What is read to be run comes to lie in its place and needs no copy, in small files too; truncation takes views along. */
TEST(file_exec_in_its_place)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(64, false);
	struct address_space *m = f->f_mapping;
	struct page *v;
	u8 *p;

	m->immutable = true;
	(void)file_page_byte(f, 0); /* the loader read the header */
	unit_file_fill = 0x60;
	map(100, 64, PROT_READ | PROT_EXEC, MAP_PRIVATE, f, 0);
	p = user_byte(AT(105), EX);
	unit_file_fill = 0;
	v = find_get_any_page(m, 5);
	CHECK(p && *p == 0x60 && v && page_is_view(v) && v->text == v);
	CHECK(virt_to_page(p) == v);
	put_page(v);
	CHECK(file_page_byte(f, 5) == 6 && !page_is_view(v));
	truncate_inode_pages_range(m, (5 << PAGE_SHIFT) + 100, (6 << PAGE_SHIFT) + 100);
	CHECK(!find_get_any_page(m, 5) && !find_get_any_page(m, 6));
	v = find_get_any_page(m, 7);
	CHECK(v && page_is_view(v));
	put_page(v);
	check_space(mm);
	space_end();
}

TEST(mprotect_rights)
{
	struct mm_struct *mm = space_begin();

	map(0, 64, RW_, ANON, NULL, 0);
	for (int i = 0; i < 64; i++)
		put(i, i);
	CHECK(!call(sys_mprotect, AT(10), 20 << PAGE_SHIFT, PROT_NONE, 0, 0));
	check_space(mm);
	CHECK(!user_byte(AT(10), RD) && get(9) == 9 && get(30) == 30);
	CHECK(!call(sys_mprotect, AT(10), 20 << PAGE_SHIFT, PROT_READ, 0, 0));
	CHECK(get(10) == 10 && !user_byte(AT(10), WR));
	CHECK(!call(sys_mprotect, AT(0), 64 << PAGE_SHIFT, RW_, 0, 0) && mm->map_count == 1);
	put(10, 1);
	CHECK(call(sys_mprotect, AT(0) + 1, PAGE_SIZE, RW_, 0, 0) == -EINVAL);
	CHECK(call(sys_mprotect, AT(0), PAGE_SIZE, 0x100, 0, 0) == -EINVAL);
	space_end();
}

TEST(mremap_moves)
{
	struct mm_struct *mm = space_begin();
	unsigned long r;

	map(0, 20, RW_, ANON, NULL, 0);
	map(20, 1, PROT_READ, ANON, NULL, 0);
	for (int i = 0; i < 20; i++)
		put(i, i + 1);
	CHECK(call(sys_mremap, AT(0), 20 << PAGE_SHIFT, 30 << PAGE_SHIFT, 0, 0) == -ENOMEM);
	r = call(sys_mremap, AT(0), 20 << PAGE_SHIFT, 600 << PAGE_SHIFT, MREMAP_MAYMOVE | MREMAP_FIXED, AT(300));
	CHECK(r == AT(300) && !find_vma_intersection(mm, AT(0), AT(20)));
	check_space(mm);
	for (int i = 0; i < 20; i++)
		CHECK(get(300 + i) == i + 1);
	CHECK(get(330) == 0 && !user_byte(AT(0), RD));
	CHECK(call(sys_mremap, AT(300), 600 << PAGE_SHIFT, 5 << PAGE_SHIFT, 0, 0) == AT(300) &&
	      !user_byte(AT(305), RD));
	CHECK(call(sys_mremap, AT(300), 5 << PAGE_SHIFT, 9 << PAGE_SHIFT, 0, 0) == AT(300) && get(308) == 0 &&
	      get(304) == 5);
	r = call(sys_mremap, AT(300), 9 << PAGE_SHIFT, 9 << PAGE_SHIFT,
		 MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, AT(50));
	CHECK(r == AT(50) && get(54) == 5 && get(304) == 0);
	CHECK(call(sys_mremap, AT(500), PAGE_SIZE, PAGE_SIZE * 2, MREMAP_MAYMOVE, 0) == -EFAULT);
	space_end();
}

TEST(gup_remote)
{
	struct mm_struct *parent = space_begin(), *child;
	struct page *p;
	u8 b[5] = "abcd";

	map(0, 32, RW_, ANON, NULL, 0);
	map(40, 2, PROT_READ, ANON, NULL, 0);
	put(1, 11);
	child = fork_space();
	/* the parent writes into the child: the child's copy is broken off and its host mapping goes */
	CHECK(access_remote_vm(child, AT(2) - 2, b, 4, true) == 4);
	CHECK(host_proc(child)->shootdowns);
	check_space(child);
	CHECK(get(1) == 11 && get(2) == 0);
	current->mm = child;
	CHECK(*(user_byte(AT(2) - 1, RD)) == 'b' && get(2) == 'c');
	CHECK(access_remote_vm(child, AT(40), b, 4, true) == 4 && get(40) == 'a' && !user_byte(AT(40), WR));
	CHECK(!get_user_page(child, AT(40), true) && !get_user_page(child, AT(50), false));
	p = get_user_page(parent, AT(1), false);
	CHECK(p && *(u8 *)page_address(p) == 11);
	put_page(p);
	current->mm = parent;
	end_child(child);
	space_end();
}

TEST(fork_dontcopy)
{
	struct mm_struct *parent = space_begin(), *child;

	map(0, 16, RW_, ANON, NULL, 0);
	map(32, 16, RW_, ANON, NULL, 0);
	put(0, 1);
	put(32, 2);
	CHECK(!call(sys_madvise, AT(0), 16 << PAGE_SHIFT, MADV_DONTFORK, 0, 0));
	CHECK(!call(sys_madvise, AT(32), 16 << PAGE_SHIFT, MADV_WIPEONFORK, 0, 0));
	CHECK(call(sys_madvise, AT(32), 16 << PAGE_SHIFT, MADV_MERGEABLE, 0, 0) == -EINVAL);
	child = fork_space();
	CHECK(get(0) == 1 && get(32) == 2);
	current->mm = child;
	CHECK(!user_byte(AT(0), RD) && get(32) == 0);
	current->mm = parent;
	end_child(child);
	space_end();
}

/* What both sides will write at once the child has copies of: neither of them faults, and neither sees the other. */
TEST(fork_copies)
{
	struct mm_struct *parent = space_begin(), *child, *grandchild;
	unsigned long soon[FORK_SOON] = {AT(3), AT(3) + 8, AT(5)};
	unsigned long faults;

	map(0, 16, RW_, ANON, NULL, 0);
	map(20, 4, RW_, MAP_SHARED | MAP_ANONYMOUS, NULL, 0);
	for (int i = 0; i < 8; i++)
		put(i, i);
	put(20, 20);
	child = fork_space_soon(soon);
	faults = atomic64_read(&vm_stat[PGFAULT]);
	put(3, 33);
	put(5, 55);
	current->mm = child;
	CHECK(get(3) == 3 && get(5) == 5);
	put(3, 34);
	put(5, 56);
	CHECK(atomic64_read(&vm_stat[PGFAULT]) == faults);
	put(4, 44);
	CHECK(atomic64_read(&vm_stat[PGFAULT]) > faults);
	/* shared memory, a page that is shared already, nothing at all: no copies */
	soon[0] = AT(20);
	soon[1] = AT(2);
	soon[2] = AT(100);
	grandchild = fork_space_soon(soon);
	put(20, 21);
	put(2, 22);
	current->mm = grandchild;
	CHECK(get(20) == 21 && get(2) == 2 && get(3) == 34 && get(4) == 44);
	current->mm = parent;
	CHECK(get(20) == 21 && get(2) == 2 && get(3) == 33 && get(5) == 55 && get(4) == 4);
	end_child(grandchild);
	end_child(child);
	/* nobody but the parent has pages 6 and 7 any more, but it may not write them yet; neighbours get one mapping */
	soon[0] = AT(6);
	soon[1] = AT(7);
	soon[2] = 0;
	child = fork_space_soon(soon);
	faults = atomic64_read(&vm_stat[PGFAULT]);
	current->mm = child;
	put(6, 66);
	put(7, 67);
	current->mm = parent;
	CHECK(get(6) == 6 && get(7) == 7);
	put(6, 76);
	put(7, 77);
	current->mm = child;
	CHECK(get(6) == 66 && get(7) == 67 && atomic64_read(&vm_stat[PGFAULT]) == faults);
	current->mm = parent;
	end_child(child);
	space_end();
}

TEST(populate)
{
	struct mm_struct *mm = space_begin();

	map(0, 1000, RW_, ANON | MAP_POPULATE, NULL, 0);
	CHECK(get_mm_rss(mm) == 1000);
	CHECK(!call(sys_madvise, AT(0), 1000 << PAGE_SHIFT, MADV_DONTNEED, 0, 0) && !get_mm_rss(mm));
	CHECK(!call(sys_madvise, AT(5), 10 << PAGE_SHIFT, 23 /* POPULATE_WRITE */, 0, 0) && get_mm_rss(mm) >= 10);
	CHECK(call(sys_madvise, AT(995), 10 << PAGE_SHIFT, 22, 0, 0) == -ENOMEM);
	space_end();
}

/* ---- a model: what each page of the arena must read as, and whether it may be written or run ---- */
struct model {
	u8 val[ARENA_PAGES];
	u8 prot[ARENA_PAGES];  /* PROT_*, 0x80: mapped */
	int file[ARENA_PAGES]; /* -1, or the page of the shared file */
};
#define SPAN 256
#define MODEL_FILE 64
static u8 shared[MODEL_FILE];

static void model_step(struct model *m, struct file *f)
{
	unsigned long a = unit_rand() % SPAN, n = 1 + unit_rand() % 40, i;
	static const int prots[] = {PROT_NONE, PROT_READ, RW_, RW_, RW_, PROT_READ | PROT_EXEC, RW_ | PROT_EXEC};
	int prot = prots[unit_rand() % ARRAY_SIZE(prots)];

	n = min_t(unsigned long, n, SPAN - a);
	switch (unit_rand() % 12) {
	case 0:
		map(a, n, prot, ANON, NULL, 0);
		for (i = a; i < a + n; i++) {
			m->val[i] = 0;
			m->prot[i] = prot | 0x80;
			m->file[i] = -1;
		}
		break;
	case 1: {
		unsigned long off = unit_rand() % MODEL_FILE;

		n = min_t(unsigned long, n, MODEL_FILE - off);
		map(a, n, prot & ~PROT_EXEC, MAP_SHARED, f, off);
		for (i = a; i < a + n; i++) {
			m->prot[i] = (prot & ~PROT_EXEC) | 0x80;
			m->file[i] = off + i - a;
		}
		break;
	}
	case 2:
		unmap(a, n);
		memset(m->prot + a, 0, n);
		break;
	case 3: {
		long r = call(sys_mprotect, AT(a), n << PAGE_SHIFT, prot, 0, 0);

		for (i = a; i < a + n && (m->prot[i] & 0x80); i++)
			m->prot[i] = prot | 0x80;
		CHECK(r == (i == a + n ? 0 : -ENOMEM));
		break;
	}
	case 4: {
		unsigned long to = unit_rand() % SPAN;
		bool whole = true;

		n = min_t(unsigned long, n, SPAN - to);
		for (i = a; i < a + n; i++)
			whole &= m->prot[i] & 0x80 && m->prot[i] == m->prot[a] &&
				 (m->file[i] < 0) == (m->file[a] < 0) &&
				 (m->file[i] < 0 || m->file[i] == m->file[a] + (int)(i - a));
		if (!whole || (to < a + n && a < to + n))
			break;
		if (call(sys_mremap, AT(a), n << PAGE_SHIFT, n << PAGE_SHIFT, MREMAP_MAYMOVE | MREMAP_FIXED, AT(to)) !=
		    AT(to)) {
			memset(m->prot + to, 0,
			       n); /* several VMAs that look alike: as in Linux, found out after clearing the way */
			break;
		}
		memcpy(m->val + to, m->val + a, n);
		memcpy(m->prot + to, m->prot + a, n);
		memcpy(m->file + to, m->file + a, n * sizeof(int));
		memset(m->prot + a, 0, n);
		break;
	}
	case 5:
		call(sys_madvise, AT(a), n << PAGE_SHIFT, MADV_DONTNEED, 0, 0);
		memset(m->val + a, 0, n);
		break;
	case 6:
	case 7:
	case 8: {
		u8 *p = user_byte(AT(a), WR);

		CHECK(!!p == !!(m->prot[a] & PROT_WRITE));
		if (!p)
			break;
		*p = unit_rand() % 200;
		if (m->file[a] >= 0)
			shared[m->file[a]] = *p;
		else
			m->val[a] = *p;
		break;
	}
	case 9: {
		u8 *p = user_byte(AT(a), EX);

		if (m->file[a] < 0)
			CHECK(!!p == !!(m->prot[a] & PROT_EXEC) && (!p || *p == m->val[a]));
		break;
	}
	default: {
		u8 *p = user_byte(AT(a), RD);

		CHECK(!!p == !!(m->prot[a] & 7));
		if (p && !(m->file[a] >= 0 && (m->prot[a] & PROT_EXEC)))
			CHECK(*p == (m->file[a] < 0 ? m->val[a] : shared[m->file[a]]));
		break;
	}
	}
}

TEST(space_random)
{
	static struct model m;

	for (int round = 0; round < 20; round++) {
		struct file *f;

		space_begin();
		f = unit_file(MODEL_FILE, true);
		memset(&m, 0, sizeof(m));
		memset(shared, 0, sizeof(shared));
		for (int i = 0; i < 3000; i++) {
			model_step(&m, f);
			if (i % 16 == 0)
				check_space(current->mm);
		}
		space_end();
	}
}

TEST(space_random_fork)
{
	static struct model m[3];

	for (int round = 0; round < 20; round++) {
		struct mm_struct *mm[3] = {space_begin()};
		struct file *f = unit_file(MODEL_FILE, true);
		int n = 1;

		memset(m, 0, sizeof(m));
		memset(shared, 0, sizeof(shared));
		for (int i = 0; i < 6000; i++) {
			int k = unit_rand() % n;

			current->mm = mm[k];
			model_step(&m[k], f);
			if (n < 3 && unit_rand() % 300 == 0) {
				unsigned long soon[FORK_SOON];

				for (int i = 0; i < FORK_SOON; i++)
					soon[i] = AT(unit_rand() % 130);
				mm[n] = fork_space_soon(soon);
				m[n] = m[k];
				n++;
			} else if (n > 1 && unit_rand() % 400 == 0) {
				n--;
				current->mm = mm[0];
				end_child(mm[n]);
			}
			if (i % 500 == 0) {
				unmap_mapping_range(f->f_mapping, 0, 0, false);
				for (int j = 0; j < n; j++)
					check_space(mm[j]);
			}
			if (i % 16 == 0)
				check_space(current->mm);
		}
		while (n > 1) {
			n--;
			current->mm = mm[0];
			end_child(mm[n]);
		}
		current->mm = mm[0];
		space_end();
	}
}

TEST(reclaim_cache)
{
	struct mm_struct *mm = space_begin();
	struct file *f = unit_file(2000, false);
	struct page *p;

	map(0, 4, PROT_READ, MAP_PRIVATE, f, 0);
	get(1);
	for (int i = 0; i < 2000; i++) {
		p = read_mapping_page(f->f_mapping, i, NULL);
		CHECK(!IS_ERR(p));
		put_page(p);
	}
	CHECK(f->f_mapping->nrpages == 2000);
	CHECK(reclaim_pages(500) >= 500 && f->f_mapping->nrpages <= 1500);
	p = read_mapping_page(f->f_mapping, 1000, NULL);
	CHECK(*(u8 *)page_address(p) == pattern(1000));
	set_page_dirty(p);
	CHECK(reclaim_pages(5000) > 0);
	/* mapped, held and dirty pages stay */
	CHECK(f->f_mapping->nrpages >= 5 && find_lock_page(f->f_mapping, 1000) == p);
	cancel_dirty_page(p);
	unlock_page(p);
	put_page(p);
	put_page(p);
	CHECK(get(1) == pattern(1));
	check_space(mm);
	truncate_inode_pages(f->f_mapping, 0);
	CHECK(!f->f_mapping->nrpages);
	writeback_inodes(true);
	space_end();
}

TEST(dirty_tracking)
{
	struct file *f;
	char buf[64];
	unsigned long writes = unit_writes;

	space_begin();
	f = unit_file(100, false);
	for (int i = 0; i < 100; i++) {
		struct page *p = find_or_create_page(f->f_mapping, i, GFP_KERNEL);

		CHECK(p && PageLocked(p) && !PageUptodate(p));
		SetPageUptodate(p);
		CHECK(set_page_dirty(p) && !set_page_dirty(p));
		unlock_page(p);
		put_page(p);
	}
	CHECK(f->f_mapping->nrdirty == 100 && atomic64_read(&vm_stat[NR_FILE_DIRTY]) == 100);
	CHECK(!filemap_write_and_wait_range(f->f_mapping, 10 << PAGE_SHIFT, (20 << PAGE_SHIFT) - 1) &&
	      unit_writes == writes + 10);
	truncate_inode_pages_range(f->f_mapping, 5 << PAGE_SHIFT, (10 << PAGE_SHIFT) + 99);
	CHECK(f->f_mapping->nrpages == 95 && f->f_mapping->nrdirty == 85);
	writeback_inodes(true);
	CHECK(!f->f_mapping->nrdirty && unit_writes == writes + 95);
	CHECK(!atomic64_read(&vm_stat[NR_FILE_DIRTY]) && atomic_read(&f->f_inode->i_count) == 1);
	{
		struct kiocb k = {.ki_filp = f, .ki_pos = 20 * PAGE_SIZE - 10};
		struct iov_iter it = {.iter_type = ITER_UBUF, .ubuf = buf, .count = sizeof(buf)};

		CHECK(generic_file_read_iter(&k, &it) == sizeof(buf) && k.ki_pos == 20 * PAGE_SIZE - 10 + sizeof(buf));
	}
	space_end();
}
