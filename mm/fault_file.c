// SPDX-License-Identifier: Apache-2.0
/* Faults on mappings of files and devices: the page cache and text views mapped in windows, private copies, shared writes. */
#include <husk/mm.h>
#include <husk/fs.h>
#include "internal.h"
#include "uaccess.h"

/**
 * DOC: file faults
 *
 * Where the VMA's pages are the page cache's (VM_OPS_FAULT_AROUND), a fault maps what is there around it: the granule of 64 KiB, and beyond
 * that, up to MAX_AROUND pages, what follows in RAM as well, so that it is one host mapping. Only a page that is not there, or has no text
 * view yet, is asked of vm_ops->fault, and locked.
 *
 * Pages are found and entered with mapping->invalidate_lock held for reading. Who takes a page out of the file, or its view away, unmaps
 * it and removes it under the same lock for writing; so no page stays mapped that has left its file. Lock order: page lock,
 * invalidate_lock; a page is only tried to be locked within.
 *
 * What is shown for execution is the page's text view. A page that has a view is not writable in any mapping: giving write
 * access drops the view first (page_drop_text()), making a view takes write access away first (page_mkclean()).
 *
 * Where nobody can ever write the file the page itself can be the view: as it is if it has no system call to be patched, else only if
 * nobody looks at it as data, from then on or now (page_is_view()). Large files' pages are taken where they are; of others only those that lie in
 * their places (mm/text_run.c) or beside a neighbour, for a host mapping for each is too much, and the rest are copied to their places.
 */
#define AROUND_ORDER 4
#define TEXT_ORDER 4
#define MAX_AROUND_ORDER 7
#define MAX_AROUND (1UL << MAX_AROUND_ORDER)
#define LARGE_FILE (4L << 20)

/* Pages around a fault; slot i is for start + i pages. */
struct window {
	unsigned long start, n;
	struct page *page[1 << AROUND_ORDER]; /* for private copies: locked, with a reference; NULL: none */
};

/* As fault_window(), aligned in the file: text views of one window lie together wherever the file is mapped. */
static void file_window(struct fault_ctx *c, unsigned int order, unsigned long *start, unsigned long *end)
{
	unsigned long skew = (c->vma->vm_pgoff << PAGE_SHIFT) - c->vma->vm_start, size = PAGE_SIZE << order;
	unsigned long lo = ALIGN_DOWN(c->addr + skew, size) - skew, hi = lo + size;

	if (lo > c->addr) /* below address 0 */
		lo = 0;
	*start = max(lo, max(c->vma->vm_start, c->addr & PMD_MASK));
	*end = min(hi, pmd_end(c->addr, c->vma->vm_end));
}

static inline bool fault_around(struct vm_area_struct *vma)
{
	return (vma->vm_ops->flags & VM_OPS_FAULT_AROUND) || vma->vm_ops->fault == filemap_fault;
}

/* What is shown of a file's pages: themselves, their text views, or (in an address space that is traced) the views without patches. */
enum shown { SHOW_DATA, SHOW_TEXT, SHOW_PLAIN };

/* Is text shown through views in this VMA (and not only where it is executed)? */
static inline enum shown shows_text(struct fault_ctx *c)
{
	unsigned long f = c->vma->vm_flags & (VM_EXEC | VM_WRITE);

	if (c->vma->vm_flags & VM_OWN_TEXT)
		return SHOW_DATA;
	if (f != VM_EXEC && (f != (VM_EXEC | VM_WRITE) || !(c->flags & FAULT_FLAG_INSTRUCTION)))
		return SHOW_DATA;
	return unlikely(c->mm->plain_text) ? SHOW_PLAIN : SHOW_TEXT;
}

static inline struct page *view_of(struct page *p, enum shown text)
{
	struct page *v = READ_ONCE(p->text);

	if (text == SHOW_PLAIN && v)
		return page_is_view(p) ? NULL : READ_ONCE(v->text);
	return v;
}

static void release_window(struct window *w)
{
	for (unsigned long i = 0; i < w->n; i++) {
		if (w->page[i]) {
			unlock_page(w->page[i]);
			put_page(w->page[i]);
		}
	}
}

/* Empty entries of the window; bit i of the result: slot i is to be filled. For private copies mapped file pages count as well. */
static u64 wanted_slots(struct fault_ctx *c, struct window *w, bool cow)
{
	pte_t *p;
	u64 want = 0;

	spin_lock(&c->mm->page_table_lock);
	p = pte_find(c->mm, w->start);
	for (unsigned long i = 0; i < w->n; i++) {
		if (!p || !(p[i] & PTE_PRESENT) || (cow && !(p[i] & (PTE_ANON | PTE_SPECIAL))))
			want |= 1UL << i;
	}
	spin_unlock(&c->mm->page_table_lock);
	return want;
}

/* Locks what the page cache has for the wanted slots; unseen: what has no text view yet. Slots taken already stay. */
static void gather(struct fault_ctx *c, struct window *w, u64 want, bool unseen)
{
	struct address_space *m = c->vma->vm_file->f_mapping;
	pgoff_t first = linear_page_index(c->vma, w->start);
	pgoff_t eof = DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE);

	spin_lock(&m->i_pages_lock);
	for (unsigned long i = 0; i < w->n && first + i < eof; i++) {
		struct page *p;

		if (w->page[i] || !(want & (1UL << i)))
			continue;
		p = xa_load(&m->i_pages, first + i);
		if (!p || !PageUptodate(p) || PageReadahead(p) || page_is_view(p) || (unseen && p->text) ||
		    !trylock_page(p))
			continue;
		if (!PageUptodate(p) || page_is_view(p)) {
			unlock_page(p);
			continue;
		}
		get_page(p);
		w->page[i] = p;
	}
	spin_unlock(&m->i_pages_lock);
}

/* The page of the fault itself, locked, from the file. */
static vm_fault_t get_target(struct fault_ctx *c, struct page **page)
{
	struct vm_fault vmf = {
		.vma = c->vma, .flags = c->flags, .address = c->addr, .pgoff = linear_page_index(c->vma, c->addr)};
	vm_fault_t r;

	if (!c->vma->vm_ops->fault)
		return VM_FAULT_SIGBUS;
	r = c->vma->vm_ops->fault(&vmf);
	if (r & (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_NOPAGE | VM_FAULT_RETRY))
		return r;
	if (!vmf.page)
		return VM_FAULT_SIGBUS;
	if (!(r & VM_FAULT_LOCKED)) {
		lock_page(vmf.page);
		if (fault_around(c->vma) && vmf.page->mapping != c->vma->vm_file->f_mapping) {
			unlock_page(vmf.page);
			put_page(vmf.page);
			return VM_FAULT_RETRY;
		}
	}
	*page = vmf.page;
	return r & VM_FAULT_MAJOR;
}

/* Makes a page its own view if it can be. It is locked; refs: what references are known. */
static bool view_in_place(struct address_space *m, struct page *p, enum shown text, int refs)
{
	enum text_form form = TEXT_COPY;
	bool done;

	if (m->immutable && !p->text && (i_size_read(m->host) >= LARGE_FILE || text_lies_well(m, p)))
		form = text_ops->form(m, p, p->index);
	if (form == TEXT_SAME) {
		smp_store_release(&p->text, p);
		return true;
	}
	if (form == TEXT_COPY || text == SHOW_PLAIN)
		return false;
	spin_lock(&m->i_pages_lock);
	done = page_count(p) == refs && !page_mapcount(p) && !PageDirty(p);
	if (done) {
		SetPageText(p);
		smp_store_release(&p->text, p);
	}
	spin_unlock(&m->i_pages_lock);
	return done;
}

/* The text view of a locked page, made if need be; NULL: out of memory. refs: the cache's reference and the callers'. */
static struct page *make_view(struct page *p, enum shown text, int refs)
{
	struct address_space *m = p->mapping;
	struct page *v = view_of(p, text), *place;

	if (v)
		return v;
	if (view_in_place(m, p, text, refs))
		return p;
	text_ops->prepare(m, p, p->index);
	place = p->text ? NULL : text_run_take(m, p->index);
	down_write(&m->invalidate_lock); /* nobody is given write access meanwhile */
	page_mkclean(p);
	if (place)
		cache_single_page(place); /* for text_view() to allocate */
	v = text == SHOW_PLAIN ? text_ops->view_plain(m, p, p->index) : text_ops->view(m, p, p->index);
	up_write(&m->invalidate_lock);
	return v;
}

/* A view that had to lose bytes that may be data is shown only to who runs it; who reads is shown the page, which cannot be run. */
static struct page *view_or_data(struct page *p, struct page *v, bool run)
{
	return v && text_ops->view_lossy(v) && !run ? p : v;
}

/* What is shown of a locked page; NULL: nothing can be. */
static struct page *page_to_show(struct fault_ctx *c, struct page *p, enum shown text)
{
	if (!text || c->vma->vm_ops == &special_mapping_vm_ops)
		return p;
	return p->mapping ? view_or_data(p, make_view(p, text, 2), c->flags & FAULT_FLAG_INSTRUCTION)
			  : NULL; /* a device's page: nobody has looked at what is in it */
}

static pte_t file_pte(struct fault_ctx *c, struct page *p, struct page *show)
{
	unsigned long vf = c->vma->vm_flags;
	u64 flags = PTE_FILE | PTE_YOUNG;

	if (show != p || (p->text == p && shows_text(c)))
		return mk_pte(show, flags | PTE_TEXT | PTE_EXEC);
	if (c->vma->vm_ops == &special_mapping_vm_ops)
		return mk_pte(p, flags | (vf & VM_EXEC ? PTE_EXEC : 0));
	/* memory that is a file has no dirty state to keep: writable at once, unless it is run somewhere */
	if ((vf & (VM_SHARED | VM_WRITE | VM_EXEC)) == (VM_SHARED | VM_WRITE) && p->mapping && p->mapping->in_memory &&
	    !p->text && !c->vma->vm_ops->page_mkwrite)
		flags |= PTE_WRITE | PTE_DIRTY;
	return mk_pte(p, flags);
}

/* A run of pages to enter, from start on; base[i] is the file's page, show[i] has a reference that is the entry's. */
struct run {
	unsigned long start, n;
	bool unseen; /* it ends, or has a gap, at a page that could be shown if it had a text view */
	struct page *base[MAX_AROUND], *show[MAX_AROUND];
};

/* Enters the run's pages where the entries are still empty, and shows them. */
static vm_fault_t install(struct fault_ctx *c, struct run *w)
{
	struct mm_struct *mm = c->mm;
	long rss[3] = {0, 0, 0}, mapped = 0;
	pte_t *p;

	spin_lock(&mm->page_table_lock);
	p = pte_modify(mm, w->start);
	if (!p) {
		spin_unlock(&mm->page_table_lock);
		return VM_FAULT_OOM;
	}
	for (unsigned long i = 0; i < w->n; i++) {
		struct page *show = w->show[i];

		if (!show || (p[i] & PTE_PRESENT))
			continue;
		mapped += page_add_map(show);
		p[i] = file_pte(c, w->base[i], show);
		if ((p[i] & PTE_WRITE) && !PageDirty(w->base[i]))
			SetPageDirty(w->base[i]);
		rss[pte_rss_kind(p[i], show)]++;
		w->show[i] = NULL;
	}
	for (int k = 1; k < 3; k++) {
		if (rss[k])
			atomic_long_add(rss[k], mm_rss(mm, k));
	}
	if (mapped)
		mod_vm_stat(NR_FILE_MAPPED, mapped);
	host_map_range(c, w->start, w->start + (w->n << PAGE_SHIFT), false);
	spin_unlock(&mm->page_table_lock);
	return 0;
}

static void put_run(struct run *w)
{
	for (unsigned long i = 0; i < w->n; i++) {
		if (w->show[i])
			put_page(w->show[i]);
	}
}

/* A page that is known to be as its view must be becomes that. i_pages_lock is held: one that somebody else has locked is left to him. */
static void view_at_once(struct address_space *m, struct page *p)
{
	if (!PagePlain(p) || !m->immutable || !text_ops->same_known(m, p) || !trylock_page(p))
		return;
	if (!p->text)
		smp_store_release(&p->text, p);
	unlock_page(p);
}

/* What the cache has to show in slot i, at index; i_pages_lock and invalidate_lock are held. */
static struct page *cached(struct address_space *m, struct run *w, unsigned long i, pgoff_t index, enum shown text)
{
	struct page *p = xa_load(&m->i_pages, index), *v;

	if (!p || !PageUptodate(p) || PageReadahead(p)) /* read-ahead wants to hear of it */
		return NULL;
	if (!text && page_is_view(p))
		return NULL;
	w->base[i] = p;
	if (!text)
		return p;
	if (!p->text)
		view_at_once(m, p);
	v = view_of(p, text);
	if (!v && !page_is_view(p))
		w->unseen = true;
	return view_or_data(p, v, false);
}

/*
 * Fill the run with what is there: all of the granule [lo, hi), and on either side what follows in RAM. Slots are relative to
 * w->start, which is that of slot 0 for index `first`. i_pages_lock and invalidate_lock are held.
 */
static void collect(struct address_space *m, struct run *w, pgoff_t first, unsigned long lo, unsigned long hi,
		    enum shown text)
{
	pgoff_t eof = DIV_ROUND_UP((u64)i_size_read(m->host), PAGE_SIZE);
	unsigned long end = w->n, i;

	if (first + end > eof)
		end = eof > first ? eof - first : 0;
	for (i = lo; i < hi && i < end; i++)
		w->show[i] = cached(m, w, i, first + i, text);
	for (i = lo; i && i <= end && w->show[i]; i--) {
		struct page *s = cached(m, w, i - 1, first + i - 1, text);

		if (!s || s + 1 != w->show[i])
			break;
		w->show[i - 1] = s;
	}
	for (i = hi; i < end && w->show[i - 1]; i++) {
		struct page *s = cached(m, w, i, first + i, text);

		if (!s || s != w->show[i - 1] + 1)
			break;
		w->show[i] = s;
	}
	for (i = 0; i < w->n; i++) {
		if (w->show[i])
			get_page(w->show[i]);
	}
}

/*
 * Text: make views of the pages of a granule, from start to end, that have none. The caller has a reference to target. What is a view in
 * place is unlocked at once: others may wait for it with pages locked that the next one needs to be read.
 */
static void view_granule(struct fault_ctx *c, unsigned long start, unsigned long end, enum shown text,
			 struct page *target)
{
	struct address_space *m = c->vma->vm_file->f_mapping;
	struct window w = {.start = start, .n = (end - start) >> PAGE_SHIFT};

	memset(w.page, 0, w.n * sizeof(w.page[0]));
	gather(c, &w, ~0ULL, text == SHOW_TEXT);
	for (unsigned long i = 0; i < w.n; i++) {
		struct page *p = w.page[i];

		if (!p || p->mapping != m || view_of(p, text))
			continue;
		if (make_view(p, text, 2 + (p == target)) == p) {
			unlock_page(p);
			put_page(p);
			w.page[i] = NULL;
		}
	}
	release_window(&w);
}

/* The same of all that a fault may map. */
static void make_views(struct fault_ctx *c, enum shown text, struct page *target)
{
	unsigned long start, end, next;

	file_window(c, MAX_AROUND_ORDER, &start, &end);
	for (; start < end; start = next) {
		next = min(end, start + (PAGE_SIZE << AROUND_ORDER));
		view_granule(c, start, next, text, target);
	}
}

/* Map what the cache has around the fault. True if that includes the page of the fault. again: it was asked of the file just now. */
static bool map_cached(struct fault_ctx *c, enum shown text, bool again, vm_fault_t *r)
{
	struct address_space *m = c->vma->vm_file->f_mapping;
	unsigned long start, end, lo, hi, target;
	bool hit, looked = again;
	struct run w;

	file_window(c, MAX_AROUND_ORDER, &start, &end);
	file_window(c, text ? TEXT_ORDER : AROUND_ORDER, &lo, &hi);
	w.start = start;
	w.n = (end - start) >> PAGE_SHIFT;
	target = (c->addr - start) >> PAGE_SHIFT;
retry:
	w.unseen = false;
	memset(w.show, 0, w.n * sizeof(w.show[0]));
	down_read(&m->invalidate_lock);
	spin_lock(&m->i_pages_lock);
	collect(m, &w, linear_page_index(c->vma, start), (lo - start) >> PAGE_SHIFT, (hi - start) >> PAGE_SHIFT, text);
	if (w.unseen && !looked && w.show[target]) {
		spin_unlock(&m->i_pages_lock);
		up_read(&m->invalidate_lock);
		put_run(&w);
		make_views(c, text, NULL);
		looked = true;
		goto retry;
	}
	if (again && !w.show[target]) {
		struct page *p = xa_load(&m->i_pages, linear_page_index(c->vma, c->addr));

		if (p && PageUptodate(p) && (text || !page_is_view(p))) {
			w.base[target] = p;
			w.show[target] =
				text ? view_or_data(p, view_of(p, text), c->flags & FAULT_FLAG_INSTRUCTION) : p;
			if (w.show[target])
				get_page(w.show[target]);
		}
	}
	if (text && w.show[target] && w.show[target] == w.base[target] && view_of(w.base[target], text) &&
	    c->flags & FAULT_FLAG_INSTRUCTION) {
		get_page(view_of(w.base[target], text));
		put_page(w.show[target]);
		w.show[target] = view_of(w.base[target], text);
	}
	spin_unlock(&m->i_pages_lock);
	hit = w.show[target];
	if (hit) {
		if (!PageReferenced(w.base[target]))
			SetPageReferenced(w.base[target]);
		*r = install(c, &w);
	}
	up_read(&m->invalidate_lock);
	put_run(&w);
	return hit;
}

/* One page that no neighbour comes with. The page is locked. */
static noinline vm_fault_t map_single(struct fault_ctx *c, struct page *page, enum shown text)
{
	struct run w = {.start = c->addr, .n = 1};
	vm_fault_t r;

	w.base[0] = page;
	w.show[0] = page_to_show(c, page, text);
	if (!w.show[0])
		return page->mapping ? VM_FAULT_OOM : VM_FAULT_SIGSEGV;
	get_page(w.show[0]);
	r = install(c, &w);
	put_run(&w);
	return r;
}

/* Reads, executions, and first writes to shared memory that needs no notice of them. */
static vm_fault_t map_window(struct fault_ctx *c)
{
	enum shown text = shows_text(c);
	bool around = fault_around(c->vma);
	struct page *page = NULL;
	vm_fault_t r = 0, r2 = 0;

	if (around && map_cached(c, text, false, &r))
		return r;
	r = get_target(c, &page);
	if (!page)
		return r;
	if (!around) {
		r |= map_single(c, page, text);
		unlock_page(page);
		put_page(page);
		return r;
	}
	/* it is there now, and its neighbours are: once more. Our reference keeps it from being reclaimed meanwhile. */
	unlock_page(page);
	if (text) {
		make_views(c, text, page); /* of all together, so that they lie together */
		lock_page(page);
		if (page->mapping && !make_view(page, text, 2))
			r |= VM_FAULT_OOM;
		unlock_page(page);
	}
	if (!(r & VM_FAULT_OOM) && !map_cached(c, text, true, &r2))
		r2 = VM_FAULT_RETRY; /* truncated */
	put_page(page);
	return r | r2;
}

/* page is locked and about to be written through this shared VMA; it may be unlocked meanwhile. False: it left its file. */
static vm_fault_t make_writable(struct fault_ctx *c, struct page *page)
{
	struct vm_fault vmf = {.vma = c->vma,
			       .flags = c->flags,
			       .address = c->addr,
			       .pgoff = linear_page_index(c->vma, c->addr),
			       .page = page};
	struct address_space *m = page->mapping;
	vm_fault_t r = 0;

	if (!m)
		return 0; /* a device's page */
	if (c->vma->vm_ops->page_mkwrite) {
		unlock_page(page);
		r = c->vma->vm_ops->page_mkwrite(&vmf);
		if (!(r & VM_FAULT_LOCKED))
			lock_page(page);
		if (r & (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_NOPAGE))
			return r & ~VM_FAULT_LOCKED;
		if (page->mapping != m)
			return VM_FAULT_RETRY;
	}
	page_drop_text(page);
	set_page_dirty(page);
	return 0;
}

/* A write to a shared page: entry becomes (or is made) writable. The page is locked, the caller has a reference. */
static vm_fault_t install_shared_write(struct fault_ctx *c, struct page *page)
{
	struct mm_struct *mm = c->mm;
	pte_t *p, e;

	spin_lock(&mm->page_table_lock);
	p = pte_modify(mm, c->addr);
	if (!p) {
		spin_unlock(&mm->page_table_lock);
		return VM_FAULT_OOM;
	}
	e = *p;
	if (!(e & PTE_PRESENT)) {
		get_page(page);
		mod_vm_stat(NR_FILE_MAPPED, page_add_map(page));
		e = mk_pte(page, PTE_FILE);
		atomic_long_inc(mm_rss(mm, pte_rss_kind(e, page)));
	}
	if (pte_page(e) == page) {
		*p = (e & ~PTE_EXEC) | PTE_WRITE | PTE_DIRTY | PTE_YOUNG;
		host_map_range(c, c->addr, c->addr + PAGE_SIZE, false);
	}
	spin_unlock(&mm->page_table_lock);
	return 0;
}

static vm_fault_t shared_write(struct fault_ctx *c, struct page *page)
{
	vm_fault_t r;

	if (c->vma->vm_file && !(page->mapping && page->mapping->in_memory)) {
		unlock_page(page);
		file_update_time(c->vma->vm_file);
		lock_page(page);
		if (fault_around(c->vma) && page->mapping != c->vma->vm_file->f_mapping) {
			r = VM_FAULT_RETRY;
			goto out;
		}
	}
	r = make_writable(c, page);
	if (!r)
		r = install_shared_write(c, page);
out:
	unlock_page(page);
	put_page(page);
	return r;
}

vm_fault_t do_wp_shared(struct fault_ctx *c, pte_t pte)
{
	struct mm_struct *mm = c->mm;
	struct page *page = NULL;
	pte_t now;

	if ((pte & PTE_SPECIAL) || c->vma->vm_ops == &special_mapping_vm_ops)
		return VM_FAULT_SIGBUS;
	if (pte & PTE_TEXT) {
		/* the view is shown here: it is dropped, and the page itself mapped */
		vm_fault_t r = get_target(c, &page);

		return r & ~VM_FAULT_MAJOR || !page ? r : shared_write(c, page);
	}
	spin_lock(&mm->page_table_lock);
	now = pte_get(mm, c->addr);
	if (!(now & PTE_PRESENT) || pte_pfn(now) != pte_pfn(pte)) {
		spin_unlock(&mm->page_table_lock);
		return 0;
	}
	page = pte_page(pte);
	get_page(page);
	spin_unlock(&mm->page_table_lock);
	lock_page(page);
	if (fault_around(c->vma) && page->mapping != c->vma->vm_file->f_mapping) {
		unlock_page(page);
		put_page(page);
		return 0; /* truncated: its entry is gone or about to go */
	}
	return shared_write(c, page);
}

/* ---- private copies of file pages ---- */

static void copy_to_run(struct page *run, struct window *w, unsigned long first, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		memcpy(page_address(run + i), page_address(w->page[first + i]), PAGE_SIZE);
}

static void copy_to_mapped(struct page *run, struct window *w, unsigned long first, unsigned long n, unsigned long addr)
{
	current->pagefault_disabled++;
	for (unsigned long i = 0; i < n; i++, addr += PAGE_SIZE) {
		if (unlikely(__copy_user((void *)addr, page_address(w->page[first + i]), PAGE_SIZE)))
			memcpy(page_address(run + i), page_address(w->page[first + i]), PAGE_SIZE);
	}
	current->pagefault_disabled--;
}

/* Replace entries [first, first + n) of the window with the copies; false: one has become something else. */
static bool install_copies(struct fault_ctx *c, struct window *w, unsigned long first, unsigned long n,
			   struct page *run, bool late)
{
	struct mm_struct *mm = c->mm;
	unsigned long start = w->start + (first << PAGE_SHIFT);
	bool write = c->vma->vm_flags & VM_WRITE;
	pte_t old[1 << AROUND_ORDER], *p;
	long files = 0;

	spin_lock(&mm->page_table_lock);
	p = pte_modify(mm, start);
	for (unsigned long i = 0; p && i < n; i++) {
		if ((p[i] & PTE_PRESENT) && (p[i] & (PTE_ANON | PTE_SPECIAL)))
			p = NULL;
	}
	if (!p) {
		spin_unlock(&mm->page_table_lock);
		return false;
	}
	for (unsigned long i = 0; i < n; i++) {
		old[i] = p[i];
		page_add_anon(run + i, mm, start + (i << PAGE_SHIFT));
		p[i] = mk_pte(run + i, PTE_ANON | PTE_DIRTY | PTE_YOUNG | (write ? PTE_WRITE : 0));
	}
	if (write)
		vma_allows_write(c->vma);
	if (c->local) {
		if (vma_accessible(c->vma))
			host_map_range(c, start, start + (n << PAGE_SHIFT), false);
		else
			host_unmap(mm, start, n << PAGE_SHIFT);
	}
	if (late)
		copy_to_mapped(run, w, first, n, start);
	atomic_long_add(n, &mm->rss_anon);
	mod_vm_stat(NR_ANON_PAGES, n);
	for (unsigned long i = 0; i < n; i++) {
		if (!(old[i] & PTE_PRESENT))
			continue;
		atomic_long_dec(mm_rss(mm, pte_rss_kind(old[i], pte_page(old[i]))));
		files += page_remove_map(pte_page(old[i]), old[i]);
		fault_note_stale(c, pte_page(old[i]), old[i], start + (i << PAGE_SHIFT));
	}
	if (files)
		mod_vm_stat(NR_FILE_MAPPED, -files);
	spin_unlock(&mm->page_table_lock);
	return true;
}

/* Private copies of the target and of as many neighbours as there are pages for, in one contiguous run. */
static vm_fault_t copy_window(struct fault_ctx *c, struct window *w, unsigned long target)
{
	unsigned long lo = target, hi = target + 1, got, first;
	struct page *run;
	bool zeroed, late;

	while (lo && w->page[lo - 1])
		lo--;
	while (hi < w->n && w->page[hi])
		hi++;
	run = alloc_user_pages(hi - lo, &got, &zeroed);
	if (!run)
		return VM_FAULT_OOM;
	first = got == hi - lo ? lo : max(lo, ALIGN_DOWN(target, got));
	if (first + got > hi)
		first = hi - got;
	late = (c->vma->vm_flags & VM_WRITE) && mm_is_private_to_us(c->mm);
	if (!late)
		copy_to_run(run, w, first, got);
	if (!install_copies(c, w, first, got, run, late)) {
		for (unsigned long i = 0; i < got; i++)
			put_page(run + i);
	}
	return 0;
}

vm_fault_t do_cow_file(struct fault_ctx *c, pte_t pte)
{
	/* a debugger's copy, and text, is one page; and so is what somebody may write to, whom pages not yet copied follow */
	bool around = fault_around(c->vma) && (c->vma->vm_flags & (VM_WRITE | VM_EXEC)) == VM_WRITE &&
		      atomic_read(&file_inode(c->vma->vm_file)->i_writecount) <= 0;
	struct window w = {.start = c->addr, .n = 1};
	unsigned long target, end;
	vm_fault_t r = 0;
	u64 want = 0;

	if ((pte & PTE_SPECIAL) || c->vma->vm_ops == &special_mapping_vm_ops)
		return VM_FAULT_SIGBUS;
	if (around) {
		fault_window(c, AROUND_ORDER, &w.start, &end);
		w.n = (end - w.start) >> PAGE_SHIFT;
	}
	target = (c->addr - w.start) >> PAGE_SHIFT;
	memset(w.page, 0, w.n * sizeof(w.page[0]));
	if (around) {
		want = wanted_slots(c, &w, true);
		gather(c, &w, want, false);
	}
	if (!w.page[target]) {
		release_window(&w);
		memset(w.page, 0, w.n * sizeof(w.page[0]));
		r = get_target(c, &w.page[target]);
		if (!w.page[target])
			return r;
		if (want)
			gather(c, &w, want, false);
	}
	r |= copy_window(c, &w, target);
	release_window(&w);
	return r;
}

/**
 * file_premap - show a new private mapping of a few pages before it is touched
 *
 * Loaders map a program's segments at fixed places and go on to use them: what the cache has is mapped at once, and written data copied.
 * Nothing is read, nothing fails. mmap_lock is held for writing.
 */
void file_premap(struct mm_struct *mm, struct vm_area_struct *vma)
{
	unsigned long rights = vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC);
	struct fault_ctx c;
	vm_fault_t r;

	if (mm != current->mm || !vma->vm_ops || !fault_around(vma) || (vma->vm_flags & VM_SHARED))
		return;
	if (vma_pages(vma) > (rights & VM_EXEC ? MAX_AROUND : 1UL << AROUND_ORDER))
		return;
	fault_init(&c, mm, vma, vma->vm_start, 0);
	if (rights == (VM_READ | VM_WRITE)) {
		struct page *p = find_get_page(vma->vm_file->f_mapping, vma->vm_pgoff);

		c.flags = FAULT_FLAG_WRITE;
		if (p && PageUptodate(p))
			do_cow_file(&c, 0);
		if (p)
			put_page(p);
	} else if (rights == VM_READ || rights == (VM_READ | VM_EXEC)) {
		map_cached(&c, shows_text(&c), false, &r);
	}
}

void mm_use_plain_text(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	if (!mm->plain_text) {
		mm->plain_text = true;
		list_for_each_entry (vma, &mm->mmap, vm_list) {
			if (vma->vm_file && (vma->vm_flags & VM_EXEC))
				zap_local(mm, vma->vm_start, vma->vm_end, ZAP_FILE_ONLY);
		}
	}
	mmap_write_unlock(mm);
}

vm_fault_t do_file_fault(struct fault_ctx *c)
{
	struct vm_area_struct *vma = c->vma;

	if ((vma->vm_flags & VM_OWN_TEXT) && (c->flags & FAULT_FLAG_INSTRUCTION)) {
		if (vma->vm_flags & VM_SHARED) /* nor can it be a copy */
			return VM_FAULT_SIGSEGV;
		return do_cow_file(c, 0);
	}
	if (c->flags & FAULT_FLAG_WRITE) {
		struct page *page = NULL;
		vm_fault_t r, major;

		if (!(vma->vm_flags & VM_SHARED))
			return do_cow_file(c, 0);
		if (fault_around(vma) && vma->vm_file->f_mapping->in_memory && !(vma->vm_flags & VM_EXEC)) {
			r = map_window(c);
			/* a page with a text view was entered read-only: the write faults again and drops it */
			return r;
		}
		major = get_target(c, &page);
		if (!page)
			return major;
		r = shared_write(c, page);
		return r | (major & VM_FAULT_MAJOR);
	}
	return map_window(c);
}
