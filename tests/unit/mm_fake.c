// SPDX-License-Identifier: Apache-2.0
/* What mm/ stands on in the tests: a host that remembers its mappings, one task, files of a known pattern. */
#include <husk/boot.h>
#include "mm_unit.h"
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/time.h>

void unit_ram(unsigned long bytes);
void unit_drop(void *p, unsigned long len);

static struct task_struct task;
static struct thread_info ti;
static struct signal_struct signal_state;
static struct cred cred = {.cap_effective = ~0ULL};
struct task_struct *hosted_current = &task;
struct task_struct init_task, *child_reaper;
struct list_head init_task_list = LIST_HEAD_INIT(init_task_list);
struct rw_semaphore tasklist_lock;
struct host_proc host_procs[4];
unsigned long ram_released, unit_reads, unit_writes;
int unit_sig, unit_code;

/* ---- locks and sleeping: one thread, so nothing is ever contended ---- */
void __lock_slow(spinlock_t *l)
{
	unit_fail(__FILE__, __LINE__, "a lock is taken twice");
}
void __unlock_slow(spinlock_t *l)
{
}
void init_rwsem(struct rw_semaphore *s)
{
	memset(s, 0, sizeof(*s));
}
void down_read(struct rw_semaphore *s)
{
	CHECK(s->count >= 0);
	s->count++;
}
void up_read(struct rw_semaphore *s)
{
	CHECK(s->count > 0);
	s->count--;
}
void down_write(struct rw_semaphore *s)
{
	CHECK(!s->count);
	s->count = -1;
}
void up_write(struct rw_semaphore *s)
{
	CHECK(s->count == -1);
	s->count = 0;
}
void downgrade_write(struct rw_semaphore *s)
{
	CHECK(s->count == -1);
	s->count = 1;
}
void init_waitqueue_entry(struct wait_queue_entry *e, struct task_struct *t)
{
}
int autoremove_wake_function(struct wait_queue_entry *e, unsigned mode, int sync, void *key)
{
	return 0;
}
void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned state)
{
}
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e)
{
}
void __wake_up(wait_queue_head_t *q, unsigned mode, int nr, void *key)
{
}
void schedule(void)
{
	unit_fail(__FILE__, __LINE__, "sleeps for ever");
}
s64 schedule_timeout(s64 ns)
{
	return 0;
}
void set_current_state(unsigned state)
{
}
int signal_pending_state(unsigned state, struct task_struct *t)
{
	return 0;
}
int do_send_sig_info(int sig, struct kernel_siginfo *info, struct task_struct *t, bool group)
{
	return 0;
}
struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *fmt, ...)
{
	return NULL;
}
void __put_task_struct(struct task_struct *t)
{
}
u64 get_random_u64(void)
{
	return unit_rand();
}
void printk(int level, const char *fmt, ...)
{
}
/* ---- the host ---- */
struct host_proc *host_proc(struct mm_struct *mm)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(host_procs); i++) {
		if (host_procs[i].mm == mm)
			return &host_procs[i];
	}
	return NULL;
}

static struct host_page *host_at(struct host_proc *h, unsigned long va)
{
	return va >= ARENA && va < ARENA + ARENA_PAGES * PAGE_SIZE ? &h->page[(va - ARENA) >> PAGE_SHIFT] : NULL;
}

static int fake_map(struct mm_struct *mm, unsigned long va, unsigned long pfn, unsigned long n, int hprot,
		    bool populate)
{
	struct host_proc *h = host_proc(mm);

	CHECK(mm == current->mm && h && n && pfn + n <= max_pfn);
	CHECK((hprot & (HPROT_WRITE | HPROT_EXEC)) != (HPROT_WRITE | HPROT_EXEC));
	h->maps++;
	for (; n--; va += PAGE_SIZE, pfn++) {
		struct host_page *p = host_at(h, va);

		if (p)
			*p = (struct host_page){pfn, hprot};
	}
	return 0;
}

static void change(struct host_proc *h, unsigned long va, unsigned long len, int hprot)
{
	unsigned long lo = max(va, ARENA), hi = min(va + len, ARENA + ARENA_PAGES * PAGE_SIZE);

	for (va = lo; va < hi; va += PAGE_SIZE) {
		struct host_page *p = host_at(h, va);

		if (hprot < 0)
			p->pfn = 0;
		else if (p->pfn)
			p->prot = hprot;
	}
}

static int fake_unmap(struct mm_struct *mm, unsigned long va, unsigned long len)
{
	CHECK(mm == current->mm && host_proc(mm));
	host_proc(mm)->unmaps++;
	change(host_proc(mm), va, len, -1);
	return 0;
}

static int fake_protect(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot)
{
	CHECK(mm == current->mm && host_proc(mm));
	host_proc(mm)->protects++;
	change(host_proc(mm), va, len, hprot);
	return 0;
}

static void fake_shootdown(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot)
{
	struct host_proc *h = host_proc(mm);

	CHECK(!mm->forking && !spin_is_locked(&mm->page_table_lock));
	if (!h)
		return;
	h->shootdowns++;
	change(h, va, len, hprot);
}

static int fake_mm_init(struct mm_struct *mm)
{
	return 0;
}

static void fake_mm_destroy(struct mm_struct *mm)
{
	struct host_proc *h = host_proc(mm);

	if (h)
		memset(h, 0, sizeof(*h));
}

static const struct platform_ops fake_ops = {
	.name = "fake",
	.map = fake_map,
	.unmap = fake_unmap,
	.protect = fake_protect,
	.shootdown = fake_shootdown,
	.mm_init = fake_mm_init,
	.mm_destroy = fake_mm_destroy,
};
const struct platform_ops *platform = &fake_ops;

static struct host_proc *new_proc(struct mm_struct *mm)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(host_procs); i++) {
		if (!host_procs[i].mm) {
			memset(&host_procs[i], 0, sizeof(host_procs[i]));
			host_procs[i].mm = mm;
			return &host_procs[i];
		}
	}
	unit_fail(__FILE__, __LINE__, "too many processes");
}

void host_fork(struct mm_struct *from, struct mm_struct *to)
{
	struct host_proc *h = new_proc(to);

	memcpy(h->page, host_proc(from)->page, sizeof(h->page));
}

int host_ram_release(unsigned long pfn, unsigned long npages)
{
	unit_drop(phys_to_virt(pfn << PAGE_SHIFT), npages << PAGE_SHIFT);
	ram_released += npages;
	return 0;
}
void host_yield(void)
{
}

/* The user address is not this process': say that the access failed, and the direct map is used. */
unsigned long __copy_user(void *to, const void *from, unsigned long n)
{
	return n;
}
unsigned long __clear_user(void *to, unsigned long n)
{
	return n;
}

/* ---- files ---- */
static struct super_block sb;
static struct inode inodes[8];
static struct file files[8];
static struct vfsmount mnt;

u8 unit_file_fill; /* what every page read has in it; 0: something of its own */

static int unit_read_folio(struct file *f, struct page *p)
{
	u64 *q = page_address(p);

	CHECK(PageLocked(p));
	unit_reads++;
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		q[i] = p->mapping->in_memory
			       ? 0
			       : 0x0101010101010101ULL * (unit_file_fill ? unit_file_fill : (p->index + 1) & 0xff);
	SetPageUptodate(p);
	unlock_page(p);
	return 0;
}

static int unit_writepage(struct page *p, struct address_space *m)
{
	unit_writes++;
	unlock_page(p);
	return 0;
}

static const struct address_space_operations unit_aops = {.read_folio = unit_read_folio, .writepage = unit_writepage};
static const struct file_operations unit_fops = {.mmap = generic_file_mmap};

struct file *unit_file(unsigned long pages, bool in_memory)
{
	static unsigned int next;
	unsigned int k = next++ % ARRAY_SIZE(files);
	struct inode *i = &inodes[k];
	struct file *f = &files[k];

	memset(i, 0, sizeof(*i));
	memset(f, 0, sizeof(*f));
	i->i_mode = S_IFREG | 0644;
	i->i_sb = &sb;
	i->i_nlink = 1;
	atomic_set(&i->i_count, 1);
	i->i_mapping = &i->i_data;
	i->i_size = pages << PAGE_SHIFT;
	address_space_init(&i->i_data, i, &unit_aops);
	i->i_data.in_memory = in_memory;
	f->f_inode = i;
	f->f_mapping = i->i_mapping;
	f->f_op = &unit_fops;
	f->f_mode = FMODE_READ | FMODE_WRITE;
	f->f_path.mnt = &mnt;
	refcount_set(&f->f_count, 1);
	return f;
}

void fput(struct file *f)
{
	CHECK(!refcount_dec_and_test(&f->f_count));
}
struct file *shmem_file_setup(const char *name, loff_t size, unsigned long vm_flags)
{
	struct file *f = unit_file(size >> PAGE_SHIFT, true);

	refcount_inc(&f->f_count); /* stays when the mapping goes: the test looks at it */
	return f;
}
struct inode *igrab(struct inode *i)
{
	ihold(i);
	return i;
}
void iput(struct inode *i)
{
	CHECK(!atomic_dec_and_test(&i->i_count));
}
void touch_atime(const struct path *p)
{
}
void file_update_time(struct file *f)
{
}
int file_remove_privs(struct file *f)
{
	return 0;
}
ssize_t generic_write_checks(struct kiocb *k, struct iov_iter *from)
{
	return iov_iter_count(from);
}
size_t copy_page_to_iter(struct page *p, size_t off, size_t n, struct iov_iter *i)
{
	n = min(n, i->count);
	memcpy((char *)i->ubuf + i->iov_offset, (char *)page_address(p) + off, n);
	i->iov_offset += n;
	i->count -= n;
	return n;
}
size_t copy_page_from_iter(struct page *p, size_t off, size_t n, struct iov_iter *i)
{
	return 0;
}
void iov_iter_revert(struct iov_iter *i, size_t n)
{
}
size_t fault_in_iov_iter(struct iov_iter *i, size_t n)
{
	return n;
}
struct file *fget(unsigned fd)
{
	return NULL;
}

/* ---- text: a view is the page with its first byte changed, so that the two can be told apart ---- */
static struct page *fake_text_view(struct address_space *m, struct page *p, pgoff_t index)
{
	CHECK(PageLocked(p));
	if (!p->text) {
		struct page *v = alloc_page(GFP_KERNEL);

		if (!v)
			return NULL;
		memcpy(page_address(v), page_address(p), PAGE_SIZE);
		*(u8 *)page_address(v) ^= 0xff;
		v->text = NULL;
		p->text = v;
	}
	return p->text;
}
static struct page *fake_text_view_plain(struct address_space *m, struct page *p, pgoff_t index)
{
	struct page *v = fake_text_view(m, p, index), *plain;

	if (!v || v->text)
		return v ? v->text : NULL;
	plain = alloc_page(GFP_KERNEL);
	if (!plain)
		return NULL;
	memcpy(page_address(plain), page_address(v), PAGE_SIZE);
	plain->text = NULL;
	return v->text = plain;
}
/* 0x50: a page without system calls; 0x60: with some */
static enum text_form fake_text_form(struct address_space *m, struct page *p, pgoff_t index)
{
	u8 b = *(u8 *)page_address(p);

	CHECK(PageLocked(p) && m->immutable);
	return b == 0x50 ? TEXT_SAME : b == 0x60 ? TEXT_IN_PLACE : TEXT_COPY;
}
static bool fake_text_same_known(struct address_space *m, struct page *p)
{
	return PagePlain(p) && *(u8 *)page_address(p) == 0x50;
}
static void fake_text_page_release(struct page *p)
{
	struct page *v = p->text;

	p->text = NULL;
	while (v && v != p) {
		struct page *plain = v->text;

		put_page(v);
		v = plain;
	}
}
void host_clock_gettime(int clk, s64 *sec, s64 *nsec)
{
	*sec = *nsec = 0;
}
static int fake_text_scan_private(struct mm_struct *mm, unsigned long va, struct page *page)
{
	return *(u8 *)page_address(page) == 0xee ? -EPERM : 0; /* 0xee: what may not run */
}
static unsigned long fake_text_span(struct address_space *m)
{
	return 0;
}
static bool fake_text_mapped(struct mm_struct *mm, struct address_space *m, unsigned long va, u64 off,
			     unsigned long len)
{
	return true;
}

/* the boot page: nothing of the host's vDSO */
static struct hostif_boot fake_boot;
struct hostif_boot *boot = &fake_boot;

/* ---- set-up ---- */
void unit_setup(unsigned long pages)
{
	if (max_pfn)
		drain_page_caches(); /* into the old lists */
	unit_ram(pages << PAGE_SHIFT);
	memset(&host_procs, 0, sizeof(host_procs));
	for (unsigned int i = 0; i < NR_VM_STAT; i++)
		atomic64_set(&vm_stat[i], 0);
	task = (struct task_struct){.ti = &ti, .signal = &signal_state, .cred = &cred, .group_leader = &task};
	for (unsigned int i = 0; i < RLIM_NLIMITS_; i++)
		signal_state.rlim[i].rlim_cur = signal_state.rlim[i].rlim_max = ~0UL;
	signal_state.rlim[RLIMIT_STACK].rlim_cur = 8UL << 20;
	ram_released = 0;
	mem_init(0, pages << PAGE_SHIFT);
}

/* One RAM for everything that uses slab caches: they live on in it. */
void unit_main_ram(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	unit_setup(RAM_PAGES);
	slab_init();
}

static unsigned long free_before;

struct mm_struct *space_begin(void)
{
	struct mm_struct *mm;

	unit_main_ram();
	drain_page_caches();
	free_before = nr_free_pages() + atomic64_read(&vm_stat[NR_SLAB]) + atomic64_read(&vm_stat[NR_FILE_PAGES]);
	mm = mm_alloc();
	CHECK(mm);
	new_proc(mm);
	current->mm = mm;
	return mm;
}

void space_end(void)
{
	struct mm_struct *mm = current->mm;

	check_space(mm);
	current->mm = NULL;
	mmput(mm);
	for (unsigned int i = 0; i < ARRAY_SIZE(inodes); i++) {
		if (inodes[i].i_mapping)
			truncate_inode_pages(&inodes[i].i_data, 0);
	}
	drain_page_caches();
	CHECK(nr_free_pages() + atomic64_read(&vm_stat[NR_SLAB]) + atomic64_read(&vm_stat[NR_FILE_PAGES]) ==
	      free_before);
	CHECK(!atomic64_read(&vm_stat[NR_ANON_PAGES]) && !atomic64_read(&vm_stat[NR_FILE_MAPPED]));
	CHECK(!atomic64_read(&vm_stat[NR_PAGETABLE]) && !atomic_long_read(&vm_committed_as));
}

static int need(unsigned int flags)
{
	return flags & FAULT_FLAG_WRITE ? HPROT_WRITE : flags & FAULT_FLAG_INSTRUCTION ? HPROT_EXEC : HPROT_READ;
}

u8 *user_byte(unsigned long addr, unsigned int flags)
{
	struct host_page *p = host_at(host_proc(current->mm), addr);

	for (int tries = 0; tries < 10; tries++) {
		if (p->pfn && (p->prot & need(flags)))
			return (u8 *)phys_to_virt(p->pfn << PAGE_SHIFT) + offset_in_page(addr);
		if (do_page_fault(addr, flags | FAULT_FLAG_USER | (p->pfn ? FAULT_FLAG_PROT : 0), &unit_sig,
				  &unit_code))
			return NULL;
	}
	unit_fail(__FILE__, __LINE__, "a fault is resolved again and again");
}

/* ---- invariants of an address space ---- */
static void check_vmas(struct mm_struct *mm)
{
	struct vm_area_struct *vma, *prev = NULL;
	unsigned long total = 0;
	struct rb_node *n = rb_first(&mm->mm_rb);
	int count = 0;

	list_for_each_entry (vma, &mm->mmap, vm_list) {
		CHECK(n && rb_entry(n, struct vm_area_struct, vm_rb) == vma);
		CHECK(vma->vm_start < vma->vm_end && vma->vm_mm == mm);
		CHECK(!prev || prev->vm_end <= vma->vm_start);
		CHECK(find_vma(mm, vma->vm_start) == vma && find_vma(mm, vma->vm_end - 1) == vma);
		total += vma_pages(vma);
		count++;
		prev = vma;
		n = rb_next(n);
	}
	CHECK(!n && count == mm->map_count && total == mm->total_vm);
}

/* No host mapping may give more than its entry and its VMA do. */
static void check_host(struct mm_struct *mm)
{
	struct host_proc *h = host_proc(mm);
	long rss = 0;

	for (unsigned long i = 0; i < ARENA_PAGES; i++) {
		unsigned long va = ARENA + (i << PAGE_SHIFT);
		struct vm_area_struct *vma = find_vma(mm, va);
		pte_t e = pte_get(mm, va);

		if (vma && vma->vm_start > va)
			vma = NULL;
		if (e & PTE_PRESENT) {
			CHECK(vma && page_count(pte_page(e)) >= page_mapcount(pte_page(e)) &&
			      page_mapcount(pte_page(e)) > 0);
			CHECK((e & (PTE_WRITE | PTE_EXEC)) != (PTE_WRITE | PTE_EXEC));
			CHECK(!(e & PTE_WRITE) || (vma->vm_flags & VM_WRITE));
			rss++;
		}
		if (h && h->page[i].pfn) {
			CHECK((e & PTE_HOST) && pte_pfn(e) == h->page[i].pfn && vma_accessible(vma));
			CHECK(!(h->page[i].prot & HPROT_WRITE) || ((e & PTE_WRITE) && (vma->vm_flags & VM_WRITE)));
			CHECK(!(h->page[i].prot & HPROT_EXEC) || ((e & PTE_EXEC) && (vma->vm_flags & VM_EXEC)));
			if ((h->page[i].prot & HPROT_WRITE) && (e & PTE_ANON))
				CHECK(page_mapcount(pte_page(e)) == 1);
		}
	}
	CHECK(rss <= (long)get_mm_rss(mm));
}

void check_space(struct mm_struct *mm)
{
	check_vmas(mm);
	check_host(mm);
}
int deny_write_access(struct file *f)
{
	return 0;
}
void allow_write_access(struct file *f)
{
}
static void fake_text_cut_border(struct page *lo, struct page *hi)
{
}
static void fake_text_prepare(struct address_space *m, struct page *p, pgoff_t index)
{
}
static bool fake_text_view_lossy(struct page *view)
{
	return false;
}

static const struct text_ops fake_text = {
	.view = fake_text_view,
	.view_plain = fake_text_view_plain,
	.form = fake_text_form,
	.same_known = fake_text_same_known,
	.prepare = fake_text_prepare,
	.view_lossy = fake_text_view_lossy,
	.page_release = fake_text_page_release,
	.scan_private = fake_text_scan_private,
	.cut_border = fake_text_cut_border,
	.span = fake_text_span,
	.mapped = fake_text_mapped,
};
const struct text_ops *text_ops = &fake_text;
