// SPDX-License-Identifier: Apache-2.0
// Text views: the scanned, patched second copy of a file page that is executed, shared by every process of the sandbox.

#include <husk/mm.h>
#include <husk/fs.h>
#include <elf.h>
#include "arch.h"
#include "text.h"

/**
 * DOC: text views
 *
 * A file page that is mapped executable is shown through page->text, a copy in which forbidden instructions are defused and met
 * system-call sites are patched. read(2), data mappings and debuggers see the page itself. Patches jump to the file's stub area, which lies at a
 * fixed distance from the text in every address space, so that one view serves them all. The page holds the reference to its view; text_page_release()
 * drops it when the page leaves the cache. Most pages of a file that nobody can write need no copy: they are their own view
 * (mm/fault_file.c).
 */

static DEFINE_MUTEX(text_create_lock);

static void parse_elf(struct address_space *m, struct text_info *ti)
{
	struct page *p = read_mapping_page(m, 0, NULL);
	unsigned long end = 0, start = ~0UL, delta = 0;
	bool have_exec = false;
	Elf64_Ehdr *eh;
	Elf64_Phdr *ph;

	if (IS_ERR(p))
		return;
	eh = page_address(p);
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phoff > PAGE_SIZE ||
	    eh->e_phnum > (PAGE_SIZE - eh->e_phoff) / sizeof(Elf64_Phdr))
		goto out;
	ph = (void *)((char *)eh + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_GNU_EH_FRAME) {
			ti->eh_vaddr = ph[i].p_vaddr;
			ti->eh_off = ph[i].p_offset;
		}
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_vaddr + ph[i].p_memsz > TASK_SIZE)
			goto out;
		end = max(end, ph[i].p_vaddr + ph[i].p_memsz);
		start = min(start, ALIGN_DOWN(ph[i].p_vaddr, PAGE_SIZE));
		if (ph[i].p_flags & PF_X) {
			if (have_exec && delta != ph[i].p_vaddr - ph[i].p_offset)
				goto out;
			have_exec = true;
			delta = ph[i].p_vaddr - ph[i].p_offset;
		}
	}
	if (!have_exec || end - start > 0x40000000)
		goto out;
	ti->stub_delta = PAGE_ALIGN(end) + PAGE_SIZE - delta;
	ti->delta = delta;
	ti->span = PAGE_ALIGN(end) - start + PAGE_SIZE + STUB_AREA;
	ti->site = kzalloc(STUB_AREA / STUB_SIZE * sizeof(*ti->site), GFP_KERNEL);
	ti->patchable = ti->site != NULL;
	for (int i = 0; i < STUB_PAGES; i++) {
		ti->stub[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!ti->stub[i]) {
			ti->patchable = false;
			break;
		}
		ti->stub[i]->type = PGT_TEXT;
	}
out:
	put_page(p);
}

static void free_info(struct text_info *ti)
{
	for (int i = 0; i < STUB_PAGES; i++)
		if (ti->stub[i])
			put_page(ti->stub[i]);
	kfree(ti->site);
	kfree(ti);
}

struct text_info *text_info_get(struct address_space *m)
{
	struct text_info *ti = smp_load_acquire((struct text_info **)&m->text);

	if (ti)
		return ti;
	ti = kzalloc(sizeof(*ti), GFP_KERNEL);
	if (!ti)
		return NULL;
	mutex_init(&ti->lock);
	parse_elf(m, ti);
	mutex_lock(&text_create_lock);
	if (!m->text)
		smp_store_release((struct text_info **)&m->text, ti);
	if (m->text != ti) { /* lost the race */
		mutex_unlock(&text_create_lock);
		free_info(ti);
		return m->text;
	}
	mutex_unlock(&text_create_lock);
	return ti;
}

static void text_mapping_release(struct address_space *m)
{
	struct text_info *ti = m->text;

	if (!ti)
		return;
	m->text = NULL;
	free_info(ti);
}

static void text_page_release(struct page *page)
{
	struct page *v = page->text;

	page->text = NULL;
	while (v && v != page) {
		struct page *plain = v->text;

		v->text = NULL;
		mod_vm_stat(NR_TEXT_VIEW, -1);
		put_page(v);
		v = plain;
	}
}

static unsigned long text_span(struct address_space *mapping)
{
	struct text_info *ti;

	if (!mapping->host || !S_ISREG(mapping->host->i_mode) || i_size_read(mapping->host) < 64)
		return 0;
	ti = text_info_get(mapping);
	return ti ? ti->span : 0;
}

static bool text_mapped(struct mm_struct *mm, struct address_space *mapping, unsigned long va, u64 off,
			unsigned long len)
{
	struct text_info *ti = text_info_get(mapping);
	unsigned long stub;
	struct vm_area_struct *vma;

	if (!ti)
		return false;
	if (!ti->patchable)
		return true; /* its views have no stubs */
	stub = va - off + ti->stub_delta;
	if (stub >= TASK_SIZE - STUB_AREA)
		return false;
	vma = find_vma(mm, stub);
	if (vma && vma->vm_start < stub + STUB_AREA)
		return (vma->vm_flags & VM_STUBS) && vma->vm_start == stub;
	return !insert_special_mapping(
		mm, stub, STUB_AREA, VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC | VM_STUBS | VM_DONTEXPAND, ti->stub);
}

unsigned text_stub_reserve(struct text_info *ti, u64 key, unsigned skip)
{
	unsigned i;

	if (!ti->patchable)
		return STUB_NONE;
	for (i = 0; i < ti->nstubs; i++)
		if ((ti->site[i] & ~STUB_UNWRITTEN) == key && !skip--)
			return i;
	if (i >= STUB_AREA / STUB_SIZE)
		return STUB_NONE;
	ti->site[i] = key | STUB_UNWRITTEN;
	ti->nstubs++;
	return i;
}

bool text_stub_write(struct text_info *ti, unsigned i, const u8 code[STUB_SIZE])
{
	u8 *stub = (u8 *)page_address(ti->stub[i * STUB_SIZE / PAGE_SIZE]) + i * STUB_SIZE % PAGE_SIZE;

	if (ti->site[i] & STUB_UNWRITTEN) {
		memcpy(stub, code, STUB_SIZE);
		ti->site[i] &= ~STUB_UNWRITTEN;
	}
	return !memcmp(stub, code, STUB_SIZE);
}

static bool text_view_lossy(struct page *view)
{
	return PageError(view);
}

/* Does what lies behind the page in the file, as far as is known, make something forbidden of its last bytes? */
static bool tail_is_harmless(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct page *next;
	bool ok;

	if (!text_open_tail(page_address(page)))
		return true;
	next = find_get_any_page(mapping, index + 1);
	ok = next && PageUptodate(next) && text_joins_well(page, next);
	if (next)
		put_page(next);
	return ok;
}

/*
 * May the page be its own view? Nobody ever writes it (mapping->immutable), nothing in it is forbidden or becomes so with what
 * lies behind it, and no instruction that was taken out ends in it. If it has no system call, nor an end that some other page mapped
 * behind it could make forbidden (text_cut_border()), it never changes.
 */
static enum text_form text_form(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct text_info *ti = text_info_get(mapping);
	u64 off = (u64)index << PAGE_SHIFT;
	const u8 *p = page_address(page);
	bool plain = PagePlain(page) || text_plain(p, PAGE_SIZE), ok = true;
	size_t at = 0;

	if (!ti || (!plain && scan_text(p, PAGE_SIZE, &at) != FORBIDDEN_NONE) ||
	    !(PagePlain(page) || tail_is_harmless(mapping, page, index)))
		return TEXT_COPY;
	mutex_lock(&ti->lock);
	for (unsigned i = 0; i < ti->ncross; i++)
		ok &= ti->cross[i] < off || ti->cross[i] >= off + PAGE_SIZE;
	mutex_unlock(&ti->lock);
	return !ok ? TEXT_COPY : plain && !text_open_tail(p) ? TEXT_SAME : TEXT_IN_PLACE;
}

static bool text_same_known(struct address_space *mapping, struct page *page)
{
	const struct text_info *ti = READ_ONCE(mapping->text);

	return PagePlain(page) && ti && !READ_ONCE(ti->ncross);
}

/* A rehearsal: the same on a copy, allowed to read. What it needs is in the page cache then, and stubs are the same ones again. */
static void text_prepare(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct text_info *ti = text_info_get(mapping);
	struct page *v;

	if (!ti || page->text || !text_suspicious(page_address(page)))
		return;
	v = alloc_page(GFP_KERNEL);
	if (!v)
		return;
	memcpy(page_address(v), page_address(page), PAGE_SIZE);
	text_defuse(mapping, ti, page_address(v), (u64)index << PAGE_SHIFT, true);
	put_page(v);
}

/* The page is locked and nobody can write it. Pages of the same file may be locked by others who wait for us: none is waited for. */
static struct page *make_view(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct text_info *ti = text_info_get(mapping);
	struct page *v = ti ? alloc_page(GFP_KERNEL) : NULL;

	if (!v)
		return NULL;
	v->text = NULL;
	memcpy(page_address(v), page_address(page), PAGE_SIZE);
	v->type = PGT_TEXT;
	SetPageText(v);
	mod_vm_stat(NR_TEXT_VIEW, 1);
	if (text_defuse(mapping, ti, page_address(v), (u64)index << PAGE_SHIFT, false))
		SetPageError(v);
	return v;
}

static struct page *text_view(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct page *v = page->text;

	if (v)
		return v;
	v = make_view(mapping, page, index);
	if (v)
		smp_store_release(&page->text, v);
	return v;
}

static struct page *text_view_plain(struct address_space *mapping, struct page *page, pgoff_t index)
{
	struct page *v = text_view(mapping, page, index), *plain;

	if (!v || v->text)
		return v ? v->text : NULL;
	plain = make_view(mapping, page, index);
	if (plain)
		smp_store_release(&v->text, plain);
	return plain;
}

const struct text_ops arch_text_ops = {
	.view = text_view,
	.view_plain = text_view_plain,
	.form = text_form,
	.same_known = text_same_known,
	.prepare = text_prepare,
	.view_lossy = text_view_lossy,
	.page_release = text_page_release,
	.mapping_release = text_mapping_release,
	.scan_private = text_scan_private,
	.cut_border = text_cut_border,
	.span = text_span,
	.mapped = text_mapped,
};
