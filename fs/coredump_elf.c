// SPDX-License-Identifier: Apache-2.0
// The content of a core file: ELF headers, notes about the process and its threads, its memory.

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/boot.h>
#include <husk/coredump.h>
#include <husk/ptrace.h>
#include <husk/time.h>
#include <linux/elf.h>
#include "internal.h"

/**
 * DOC: a core file
 *
 * ELF header; program headers: the notes, then one for each mapping, hidden ones left out, and the vDSO; the notes; memory from a page border on. The
 * mappings are taken down once (struct core_map), so that headers and memory agree whatever happens meanwhile. Pages that
 * were never touched become holes.
 */

#define NOTES_MAX (64UL << 20)
#define ELF_NOTE_ALIGN 4
#define NREGS 27
#define EM_X86_64_ 62

struct core_map {
	unsigned long start, end, dump; /* dump: bytes from start that are written */
	unsigned long flags, pgoff;
	struct file *file; /* a reference, or NULL */
	bool vdso;
};

struct core_maps {
	struct core_map *map;
	unsigned n, max;
};

struct prstatus {
	int si_signo, si_code, si_errno;
	short cursig, pad0;
	u64 sigpend, sighold;
	int pid, ppid, pgrp, sid;
	struct {
		s64 sec, usec;
	} utime, stime, cutime, cstime;
	u64 regs[NREGS];
	int fpvalid, pad1;
};
struct prpsinfo {
	char state, sname, zomb, nice;
	u32 pad;
	u64 flag;
	u32 uid, gid;
	int pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};
static_assert(sizeof(struct prstatus) == 336 && sizeof(struct prpsinfo) == 136, "the ABI's notes");

/* ---- which memory ---- */

static bool elf_header_page(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct page *p;
	bool elf = false;

	if (file_inode(vma->vm_file)->i_mode & 0111)
		return true;
	p = find_get_page(vma->vm_file->f_mapping, 0);
	if (p) {
		elf = PageUptodate(p) && !memcmp(page_address(p), ELFMAG, SELFMAG);
		put_page(p);
	}
	return elf;
}

/* How much of a mapping is dumped. mmap_lock held. */
static unsigned long dump_size(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long whole = vma->vm_end - vma->vm_start;
	unsigned f = mm->core_filter;

	if (vma->vm_flags & (VM_DONTDUMP | VM_IO | VM_PFNMAP))
		return 0;
	if (vma->vm_flags & VM_SHARED) {
		bool nameless = !vma->vm_file || !file_inode(vma->vm_file)->i_nlink;

		return f & (nameless ? CORE_ANON_SHARED : CORE_MAPPED_SHARED) ? whole : 0;
	}
	if (!vma->vm_file)
		return f & CORE_ANON_PRIVATE ? whole : 0;
	if ((f & CORE_ANON_PRIVATE) && vma_has_copies(vma))
		return whole;
	if (f & CORE_MAPPED_PRIVATE)
		return whole;
	if ((f & CORE_ELF_HEADERS) && !vma->vm_pgoff && (vma->vm_flags & VM_READ) && elf_header_page(mm, vma))
		return PAGE_SIZE;
	return 0;
}

static void free_maps(struct core_maps *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->map[i].file)
			fput(m->map[i].file);
	kfree(m->map);
}

static bool take_maps(struct mm_struct *mm, struct core_maps *m)
{
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	m->max = mm->map_count + 1;
	m->n = 0;
	m->map = kzalloc(m->max * sizeof(*m->map), GFP_KERNEL);
	if (m->map) {
		list_for_each_entry (vma, &mm->mmap, vm_list) {
			if ((vma->vm_flags & VM_STUBS) || m->n == m->max - 1)
				continue;
			m->map[m->n++] = (struct core_map){
				.start = vma->vm_start,
				.end = vma->vm_end,
				.dump = dump_size(mm, vma),
				.flags = vma->vm_flags,
				.pgoff = vma->vm_pgoff,
				.file = vma->vm_file ? get_file(vma->vm_file) : NULL,
			};
		}
		if (boot->vdso)
			m->map[m->n++] = (struct core_map){
				.start = boot->vdso,
				.end = boot->vdso_end,
				.dump = boot->vdso_end - boot->vdso,
				.flags = VM_READ | VM_EXEC,
				.vdso = true,
			};
	}
	mmap_read_unlock(mm);
	return m->map != NULL;
}

/* ---- notes ---- */

struct notes {
	char *p;
	size_t len, cap;
	bool failed;
};

/* Room for n more bytes, zeroed; NULL: there is none. */
static void *notes_room(struct notes *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 16384;
	char *p;

	while (cap < b->len + n)
		cap *= 2;
	if (cap > NOTES_MAX || b->failed)
		goto fail;
	if (cap != b->cap) {
		p = krealloc(b->p, cap, GFP_KERNEL);
		if (!p)
			goto fail;
		b->p = p;
		b->cap = cap;
	}
	p = b->p + b->len;
	memset(p, 0, n);
	b->len += n;
	return p;
fail:
	b->failed = true;
	return NULL;
}

/* A note's header; the room for its content, which follows. */
static void *note_begin(struct notes *b, const char *name, u32 type, size_t size)
{
	size_t nlen = strlen(name) + 1;
	Elf64_Nhdr *h = notes_room(b, sizeof(*h) + ALIGN(nlen, ELF_NOTE_ALIGN));

	if (!h)
		return NULL;
	h->n_namesz = nlen;
	h->n_descsz = size;
	h->n_type = type;
	memcpy(h + 1, name, nlen);
	return notes_room(b, ALIGN(size, ELF_NOTE_ALIGN));
}

static void note(struct notes *b, const char *name, u32 type, const void *data, size_t size)
{
	void *p = note_begin(b, name, type, size);

	if (p)
		memcpy(p, data, size);
}

#define SET_TIME(t, ns) ((t).sec = (ns) / NSEC_PER_SEC, (t).usec = (ns) % NSEC_PER_SEC / 1000)

static void note_thread(struct notes *b, struct task_struct *t, const struct kernel_siginfo *info)
{
	struct signal_struct *s = t->signal;
	struct prstatus p = {
		.si_signo = info->si_signo,
		.cursig = info->si_signo,
		.sigpend = t->pending.signal,
		.sighold = t->blocked,
		.pid = t->pid,
		.ppid = t->ppid,
		.pgrp = s->pgid,
		.sid = s->sid,
		.fpvalid = 1,
	};
	u64 ut, st;

	if (thread_group_leader(t)) {
		read_lock(&tasklist_lock);
		thread_group_cputime(t, &ut, &st);
		read_unlock(&tasklist_lock);
	} else {
		task_cputime(t, &ut, &st);
	}
	SET_TIME(p.utime, ut);
	SET_TIME(p.stime, st);
	SET_TIME(p.cutime, s->cutime);
	SET_TIME(p.cstime, s->cstime);
	arch_core_regs(t, p.regs);
	note(b, "CORE", NT_PRSTATUS, &p, sizeof(p));
}

static void note_extended(struct notes *b, struct task_struct *t)
{
	size_t size;
	const void *x = arch_core_xstate(t, &size);
	u8 *fx;

	if (!x)
		return;
	fx = note_begin(b, "CORE", NT_PRFPREG, 512);
	if (fx)
		memcpy(fx, x, 464); /* what follows is software's */
	note(b, "LINUX", NT_X86_XSTATE, x, size);
}

static void note_process(struct notes *b)
{
	struct task_struct *me = current;
	const struct cred *c = me->cred;
	struct mm_struct *mm = me->mm;
	struct prpsinfo p = {
		.sname = 'R',
		.nice = me->nice,
		.flag = me->flags,
		.uid = c->uid,
		.gid = c->gid,
		.pid = me->tgid,
		.ppid = me->ppid,
		.pgrp = me->signal->pgid,
		.sid = me->signal->sid,
	};
	int n = mm->arg_end > mm->arg_start ? min_t(unsigned long, mm->arg_end - mm->arg_start, 79) : 0;

	memcpy(p.fname, me->comm, sizeof(p.fname));
	n = access_remote_vm(mm, mm->arg_start, p.psargs, n, false);
	for (int i = 0; i < n; i++)
		if (!p.psargs[i])
			p.psargs[i] = ' ';
	note(b, "CORE", NT_PRPSINFO, &p, sizeof(p));
}

/* NT_FILE: how many, the page size, start, end and page of each file's mapping, then their names. */
static void note_files(struct notes *b, const struct core_maps *m)
{
	char *buf = (char *)__get_free_page(GFP_KERNEL), *name;
	struct notes w = {NULL, 0, 0, false};
	u64 *e = notes_room(&w, 16), n = 0;

	for (unsigned i = 0; i < m->n && e; i++) {
		if (!m->map[i].file)
			continue;
		e = notes_room(&w, 24);
		if (e) {
			e[0] = m->map[i].start;
			e[1] = m->map[i].end;
			e[2] = m->map[i].pgoff;
			n++;
		}
	}
	for (unsigned i = 0; i < m->n && e && buf; i++) {
		if (!m->map[i].file)
			continue;
		name = d_path(&m->map[i].file->f_path, buf, PAGE_SIZE);
		if (IS_ERR(name))
			name = "<unknown>";
		e = notes_room(&w, strlen(name) + 1);
		if (e)
			memcpy(e, name, strlen(name) + 1);
	}
	if (e && buf && n) {
		((u64 *)w.p)[0] = n;
		((u64 *)w.p)[1] = PAGE_SIZE;
		note(b, "CORE", NT_FILE, w.p, w.len);
	}
	kfree(w.p);
	free_page((unsigned long)buf);
}

static void take_notes(struct notes *b, const struct core_maps *m, const struct kernel_siginfo *info)
{
	struct task_struct *me = current;
	struct mm_struct *mm = me->mm;
	struct core_thread *t;
	unsigned words = 0;

	note_thread(b, me, info);
	note_process(b);
	note(b, "CORE", NT_SIGINFO, info, sizeof(*info));
	do
		words += 2;
	while (words < ARRAY_SIZE(mm->auxv) && mm->auxv[words - 2]);
	note(b, "CORE", NT_AUXV, mm->auxv, words * sizeof(mm->auxv[0]));
	note_files(b, m);
	note_extended(b, me);
	list_for_each_entry (t, &me->signal->core_state->threads, node) { /* they wait for us */
		note_thread(b, t->task, info);
		note_extended(b, t->task);
	}
}

/* ---- the file ---- */

static bool emit_headers(struct core_writer *w, const struct core_maps *m, const struct notes *b)
{
	Elf64_Ehdr eh = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64_,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = m->n + 1,
	};
	u64 off = sizeof(eh) + eh.e_phnum * sizeof(Elf64_Phdr);
	Elf64_Phdr ph = {.p_type = PT_NOTE, .p_offset = off, .p_filesz = b->len, .p_align = ELF_NOTE_ALIGN};

	if (!core_emit(w, &eh, sizeof(eh)) || !core_emit(w, &ph, sizeof(ph)))
		return false;
	off = PAGE_ALIGN(off + b->len);
	for (unsigned i = 0; i < m->n; i++) {
		const struct core_map *v = &m->map[i];

		ph = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = (v->flags & VM_READ ? PF_R : 0) | (v->flags & VM_WRITE ? PF_W : 0) |
				   (v->flags & VM_EXEC ? PF_X : 0),
			.p_offset = off,
			.p_vaddr = v->start,
			.p_filesz = v->dump,
			.p_memsz = v->end - v->start,
			.p_align = PAGE_SIZE,
		};
		if (!core_emit(w, &ph, sizeof(ph)))
			return false;
		off += v->dump;
	}
	return core_emit(w, b->p, b->len);
}

/* Memory is given to programs in larger pieces than they touch. */
static bool all_zero(const u64 *p)
{
	for (unsigned i = 0; i < PAGE_SIZE / 8; i += 4)
		if (p[i] | p[i + 1] | p[i + 2] | p[i + 3])
			return false;
	return true;
}

static bool emit_memory(struct core_writer *w, struct mm_struct *mm, const struct core_map *v)
{
	struct page *p;
	bool ok = true;

	if (v->vdso)
		return core_emit(w, (const void *)v->start, v->dump);
	for (unsigned long a = v->start; a < v->start + v->dump && ok; a += PAGE_SIZE) {
		p = core_page(mm, a);
		if (p && !all_zero(page_address(p)))
			ok = core_emit(w, page_address(p), PAGE_SIZE);
		else
			core_skip(w, PAGE_SIZE);
		if (p)
			put_page(p);
		if (fatal_signal_pending(current)) {
			w->err = -EINTR;
			ok = false;
		}
	}
	return ok;
}

/**
 * core_write_elf - the whole core file of current's process
 * Its other threads wait in coredump_task_exit(). False: see w->err.
 */
bool core_write_elf(struct core_writer *w, const struct kernel_siginfo *info)
{
	struct mm_struct *mm = current->mm;
	struct notes b = {NULL, 0, 0, false};
	struct core_maps m;
	bool ok = false;

	if (!take_maps(mm, &m)) {
		w->err = -ENOMEM;
		return false;
	}
	take_notes(&b, &m, info);
	if (b.failed) {
		w->err = -ENOMEM;
		goto out;
	}
	ok = emit_headers(w, &m, &b);
	if (ok)
		core_skip(w, PAGE_ALIGN(w->pos) - w->pos);
	for (unsigned i = 0; i < m.n && ok; i++)
		ok = emit_memory(w, mm, &m.map[i]);
out:
	kfree(b.p);
	free_maps(&m);
	return ok;
}
