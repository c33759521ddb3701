// SPDX-License-Identifier: Apache-2.0
// ELF programs for x86-64: static, static-pie, dynamic.

#include <husk/binfmts.h>
#include <husk/boot.h>
#include <husk/syscalls.h>
#include <elf.h>
#include <linux/auxvec.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <asm/mman.h>

/**
 * DOC: where things go
 *
 * A position-independent program lies at PIE_BASE plus a random part, its interpreter where mmap puts it; a program that is
 * its own interpreter (static-pie, ld.so by hand) too. Behind an image's text the arch keeps stubs (text_span), so the heap begins
 * after both. The stack, from the top: a null word, the file name, the environment, the arguments, the platform's
 * name, 16 random bytes, a random gap, the auxiliary vector, envp, argv, argc.
 */

#define PIE_BASE 0x555555554000UL
#define PIE_RANDOM_PAGES 0xfffffffUL
#define BRK_RANDOM_PAGES 0x1fffUL
#define STACK_RANDOM 0x1ff0UL
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

struct image {
	struct file *file;
	Elf64_Ehdr eh;
	Elf64_Phdr *ph;
	unsigned long start, end; /* page-aligned span of the segments, before bias */
	unsigned long align;
	unsigned long bias;
	unsigned long phdr, entry; /* after mapping */
};

#define for_each_load(im, p)                                                                                           \
	for (Elf64_Phdr *p = (im)->ph; p < (im)->ph + (im)->eh.e_phnum; p++)                                           \
		if (p->p_type == PT_LOAD && p->p_memsz)

static bool randomised(void)
{
	return !(current->personality & ADDR_NO_RANDOMIZE);
}

static unsigned long random_pages(unsigned long mask)
{
	return randomised() ? (get_random_u64() & mask) << PAGE_SHIFT : 0;
}

/* ---- headers ---- */

static int read_exact(struct file *f, void *buf, size_t n, loff_t pos)
{
	ssize_t r = kernel_read(f, buf, n, &pos);

	return r == (ssize_t)n ? 0 : r < 0 ? (int)r : -ENOEXEC;
}

static bool header_ok(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_machine == EM_X86_64 && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum && h->e_phnum <= 65536 / sizeof(Elf64_Phdr);
}

static bool segment_ok(const Elf64_Phdr *p)
{
	return p->p_filesz <= p->p_memsz && p->p_memsz <= TASK_SIZE && p->p_vaddr <= TASK_SIZE - p->p_memsz &&
	       offset_in_page(p->p_vaddr) == offset_in_page(p->p_offset);
}

/* im->eh is filled; reads and checks the program headers */
static int read_headers(struct image *im)
{
	size_t n = im->eh.e_phnum * sizeof(Elf64_Phdr);
	int r;

	if (!header_ok(&im->eh) || !im->file->f_op->mmap)
		return -ENOEXEC;
	im->ph = kmalloc(n, GFP_KERNEL);
	if (!im->ph)
		return -ENOMEM;
	r = read_exact(im->file, im->ph, n, im->eh.e_phoff);
	if (r)
		return r;
	im->start = ~0UL;
	im->align = PAGE_SIZE;
	for_each_load(im, p)
	{
		if (!segment_ok(p))
			return -ENOEXEC;
		im->start = min(im->start, ALIGN_DOWN(p->p_vaddr, PAGE_SIZE));
		im->end = max(im->end, PAGE_ALIGN(p->p_vaddr + p->p_memsz));
		if (is_power_of_2(p->p_align))
			im->align = max(im->align, p->p_align);
	}
	return im->end ? 0 : -ENOEXEC;
}

static Elf64_Phdr *find_header(struct image *im, u32 type)
{
	for (Elf64_Phdr *p = im->ph; p < im->ph + im->eh.e_phnum; p++)
		if (p->p_type == type)
			return p;
	return NULL;
}

/* im->file stays NULL where the program names no interpreter */
static int open_interp(struct image *prog, struct image *im)
{
	Elf64_Phdr *p = find_header(prog, PT_INTERP);
	char *name;
	int r;

	if (!p)
		return 0;
	if (p->p_filesz < 2 || p->p_filesz > PATH_MAX)
		return -ENOEXEC;
	name = kmalloc(p->p_filesz, GFP_KERNEL);
	if (!name)
		return -ENOMEM;
	r = read_exact(prog->file, name, p->p_filesz, p->p_offset);
	if (!r && name[p->p_filesz - 1])
		r = -ENOEXEC;
	if (!r) {
		im->file = open_exec(AT_FDCWD, name, 0);
		if (IS_ERR(im->file)) {
			r = PTR_ERR(im->file);
			im->file = NULL;
		}
	}
	kfree(name);
	if (r)
		return r;
	r = read_exact(im->file, &im->eh, sizeof(im->eh), 0);
	if (!r)
		r = read_headers(im);
	return r == -ENOEXEC ? -ELIBBAD : r;
}

/* ---- mapping ---- */

static int map_fixed(struct file *f, unsigned long addr, unsigned long len, int prot, u64 off)
{
	unsigned long r = vm_mmap(f, addr, len, prot, MAP_PRIVATE | MAP_FIXED | (f ? 0 : MAP_ANONYMOUS), off);

	return IS_ERR_VALUE(r) ? (int)r : 0;
}

static int map_segment(struct image *im, const Elf64_Phdr *p)
{
	unsigned long va = im->bias + p->p_vaddr, page = ALIGN_DOWN(va, PAGE_SIZE), mapped = page;
	unsigned long file_end = va + p->p_filesz, mem_end = va + p->p_memsz;
	int prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
		   (p->p_flags & PF_X ? PROT_EXEC : 0);
	int r;

	if (p->p_filesz) {
		mapped = PAGE_ALIGN(file_end);
		r = map_fixed(im->file, page, mapped - page, prot, ALIGN_DOWN(p->p_offset, PAGE_SIZE));
		if (r)
			return r;
	}
	if (mem_end > mapped) {
		r = map_fixed(NULL, mapped, PAGE_ALIGN(mem_end) - mapped, prot, 0);
		if (r)
			return r;
	}
	/* what the file holds behind the segment must not show in its bss */
	if (mem_end > file_end && mapped > file_end && (prot & PROT_WRITE) &&
	    clear_user((void *)file_end, mapped - file_end))
		return -EFAULT;
	return 0;
}

static int map_image(struct image *im)
{
	u64 phoff = im->eh.e_phoff;
	int r;

	for_each_load(im, p)
	{
		r = map_segment(im, p);
		if (r)
			return r;
		if (phoff >= p->p_offset && phoff < p->p_offset + p->p_filesz)
			im->phdr = im->bias + p->p_vaddr + (phoff - p->p_offset);
	}
	im->entry = im->bias + im->eh.e_entry;
	return im->entry < TASK_SIZE ? 0 : -EINVAL;
}

/* Anywhere: let mmap choose for the first mapping of the file, so that it leaves room for text stubs as well. */
static int place_anywhere(struct image *im)
{
	unsigned long slack = im->align > PAGE_SIZE ? im->align : 0, len = im->end - im->start + slack;
	unsigned long a = vm_mmap(im->file, 0, len, PROT_NONE, MAP_PRIVATE, 0);

	if (IS_ERR_VALUE(a))
		return (int)a;
	im->bias = ALIGN(a, im->align) - im->start;
	return vm_munmap(a, len);
}

static int load_images(struct image *prog, struct image *in)
{
	int r = 0;

	if (prog->eh.e_type == ET_DYN) {
		if (in->file)
			prog->bias = ALIGN_DOWN(PIE_BASE + random_pages(PIE_RANDOM_PAGES), prog->align) - prog->start;
		else
			r = place_anywhere(prog);
	}
	if (!r)
		r = map_image(prog);
	if (r || !in->file)
		return r;
	if (in->eh.e_type == ET_DYN)
		r = place_anywhere(in);
	return r ? r : map_image(in);
}

/* ---- the new address space's description ---- */

static void set_layout(struct mm_struct *mm, struct image *im, struct image *in)
{
	if (in->file) {
		mm->interp_start = in->bias + in->start;
		mm->interp_end = in->bias + in->end;
	}
	mm->start_code = ~0UL;
	mm->end_code = mm->start_data = mm->end_data = 0;
	for_each_load(im, p)
	{
		unsigned long s = im->bias + p->p_vaddr, e = s + p->p_filesz;

		mm->start_code = min(mm->start_code, s);
		mm->start_data = max(mm->start_data, s);
		if (p->p_flags & PF_X)
			mm->end_code = max(mm->end_code, e);
		mm->end_data = max(mm->end_data, e);
	}
}

static void set_brk(struct mm_struct *mm, struct image *im, bool interpreted)
{
	unsigned long brk = im->bias + im->end, span = text_ops->span(im->file->f_mapping);

	if (im->eh.e_type == ET_DYN && !interpreted) /* it lies among the mappings: the heap needs room of its own */
		brk = PIE_BASE;
	else if (span)
		brk = max(brk, im->bias + im->start + span);
	mm->start_brk = mm->brk = PAGE_ALIGN(brk) + random_pages(BRK_RANDOM_PAGES);
}

static void set_stack_exec(struct mm_struct *mm, struct image *im, unsigned long top)
{
	Elf64_Phdr *p = find_header(im, PT_GNU_STACK);
	struct vm_area_struct *vma;

	if (!p || !(p->p_flags & PF_X))
		return;
	mmap_write_lock(mm);
	vma = find_vma(mm, top - 1);
	if (vma && vma->vm_start < top)
		vma->vm_flags |= VM_EXEC;
	mmap_write_unlock(mm);
}

/* ---- the stack ---- */

static u32 hwcap(void)
{
	u32 a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return d;
}

struct stack_addrs {
	unsigned long path, env, arg, platform, random, sp;
};

static int put_strings(struct linux_binprm *b, struct stack_addrs *s)
{
	size_t n = strlen(b->path) + 1;
	u8 random[16];

	get_random_bytes(random, sizeof(random));
	s->path = b->stack_top - 8 - n;
	s->env = s->path - b->envp.len;
	s->arg = s->env - b->argv.len;
	s->platform = s->arg - 8;
	s->random = ALIGN_DOWN(s->platform - 16, 16);
	s->sp = s->random - (randomised() ? get_random_u64() & STACK_RANDOM : 0);
	if (copy_to_user((void *)s->path, b->path, n) || copy_to_user((void *)s->env, b->envp.buf, b->envp.len) ||
	    copy_to_user((void *)s->arg, b->argv.buf, b->argv.len) || copy_to_user((void *)s->platform, "x86_64", 7) ||
	    copy_to_user((void *)s->random, random, sizeof(random)))
		return -EFAULT;
	return 0;
}

static size_t fill_auxv(u64 *aux, struct linux_binprm *b, struct image *prog, struct image *in, struct stack_addrs *s)
{
	const struct cred *c = current->cred;
	size_t n = 0;

#define AUX(id, val)                                                                                                   \
	do {                                                                                                           \
		aux[n++] = (id);                                                                                       \
		aux[n++] = (val);                                                                                      \
	} while (0)
	if (boot->vdso)
		AUX(AT_SYSINFO_EHDR, boot->vdso);
	AUX(AT_MINSIGSTKSZ, arch_min_sigstack());
	AUX(AT_HWCAP, hwcap());
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, 100);
	AUX(AT_PHDR, prog->phdr);
	AUX(AT_PHENT, sizeof(Elf64_Phdr));
	AUX(AT_PHNUM, prog->eh.e_phnum);
	AUX(AT_BASE, in->file ? in->bias + in->start : 0);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, prog->entry);
	AUX(AT_UID, c->uid);
	AUX(AT_EUID, c->euid);
	AUX(AT_GID, c->gid);
	AUX(AT_EGID, c->egid);
	AUX(AT_SECURE, b->secure);
	AUX(AT_RANDOM, s->random);
	AUX(AT_HWCAP2, 0); /* the GS base is the gate's: no FSGSBASE for user code to count on */
	AUX(AT_EXECFN, s->path);
	AUX(AT_PLATFORM, s->platform);
	AUX(AT_NULL, 0);
#undef AUX
	return n;
}

/* Pointers to the strings of v, which lie at addr, and a NULL; *end: behind the last */
static size_t fill_pointers(u64 *w, const struct strvec *v, unsigned long addr, unsigned long *end)
{
	const char *s = v->buf;
	size_t n = 0;

	for (int i = 0; i < v->count; i++) {
		size_t len = strlen(s) + 1;

		w[n++] = addr;
		addr += len;
		s += len;
	}
	w[n++] = 0;
	*end = addr;
	return n;
}

static int create_tables(struct linux_binprm *b, struct image *prog, struct image *in, unsigned long *sp)
{
	struct mm_struct *mm = current->mm;
	struct stack_addrs s;
	size_t naux, words, n = 0;
	u64 *w;
	int r = put_strings(b, &s);

	if (r)
		return r;
	memset(mm->auxv, 0, sizeof(mm->auxv));
	naux = fill_auxv(mm->auxv, b, prog, in, &s);
	words = 1 + b->argv.count + 1 + b->envp.count + 1 + naux;
	w = kmalloc(words * sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	w[n++] = b->argv.count;
	mm->arg_start = s.arg;
	n += fill_pointers(w + n, &b->argv, s.arg, &mm->arg_end);
	mm->env_start = s.env;
	n += fill_pointers(w + n, &b->envp, s.env, &mm->env_end);
	memcpy(w + n, mm->auxv, naux * sizeof(*w));
	*sp = ALIGN_DOWN(s.sp - words * sizeof(*w), 16);
	mm->start_stack = *sp;
	r = copy_to_user((void *)*sp, w, words * sizeof(*w)) ? -EFAULT : 0;
	kfree(w);
	return r;
}

/* ---- all together ---- */

static int become(struct linux_binprm *b, struct image *prog, struct image *in)
{
	struct mm_struct *mm = current->mm;
	unsigned long sp;
	int r;

	set_stack_exec(mm, prog, b->stack_top);
	r = load_images(prog, in);
	if (r)
		return r;
	set_layout(mm, prog, in);
	set_brk(mm, prog, in->file != NULL);
	r = create_tables(b, prog, in, &sp);
	if (r)
		return r;
	setup_new_exec(b);
	arch_start_user(current_pt_regs(), in->file ? in->entry : prog->entry, sp);
	return 0;
}

int load_elf_binary(struct linux_binprm *b)
{
	struct image prog = {.file = b->file}, in = {};
	int r;

	memcpy(&prog.eh, b->buf, sizeof(prog.eh));
	r = read_headers(&prog);
	if (!r)
		r = open_interp(&prog, &in);
	if (!r)
		r = begin_new_exec(b);
	if (!r)
		r = become(b, &prog, &in);
	if (in.file) {
		allow_write_access(in.file);
		fput(in.file);
	}
	kfree(in.ph);
	kfree(prog.ph);
	return r;
}
