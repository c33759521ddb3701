/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: struct page, the page allocator, address spaces, VMAs, faults, user access. */
#ifndef HUSK_MM_H
#define HUSK_MM_H

#include <husk/list.h>
#include <husk/rbtree.h>
#include <husk/lock.h>
#include <husk/slab.h>
#include <husk/sched.h>

/* Fixed addresses: the same in every host process that runs kernel code. */
#define TASK_SIZE 0x700000000000UL	   /* guest programs live below */
#define KERNEL_BASE 0x700000000000UL	   /* kernel image */
#define GATE_SCRATCH_BASE 0x7000e0000000UL /* per host process, user-accessible: 64 bytes a thread slot */
#define PROC_PRIVATE_BASE 0x7000f0002000UL /* per host process, kernel only: one page, with a blank's stack below it */
#define DIRECT_MAP_BASE 0x701000000000UL   /* RAM, offset 0 of the memfd first */
#define MMAP_MIN_ADDR 0x10000UL
#define STACK_TOP (TASK_SIZE - PAGE_SIZE)

/**
 * struct page - one page of RAM, 64 bytes
 * @_refcount: users; 0: free. @_mapcount: user mappings (0 for none; husk counts from 0, not -1)
 */
struct page {
	u32 flags; /* PG_*, atomic */
	atomic_t _refcount;
	atomic_t _mapcount;
	u8 order;   /* of a free block's or an allocated block's head */
	u8 type;    /* PGT_* owner, for /proc, dumps */
	u16 io_seq; /* locked while its data is under way: of which request, as its file system counts them */
	union {
		struct list_head lru; /* free lists, LRU */
		struct {
			struct kmem_cache *slab_cache;
			void *freelist;
		};
	};
	struct address_space *mapping; /* page cache or anon owner */
	union {
		pgoff_t index;
		struct {
			u16 inuse, objects;
			u32 frozen;
		};
	};
	union {
		unsigned long private;
		struct page *text; /* text view, page-cache pages; of a view: the one without patches */
	};
	unsigned long rmap; /* mm's: reverse map of anonymous pages */
};
static_assert(sizeof(struct page) == 64, "struct page is 64 bytes");
enum page_flags {
	PG_locked,
	PG_uptodate,
	PG_dirty,
	PG_writeback,
	PG_referenced,
	PG_slab,
	PG_reserved,
	PG_buddy,
	PG_anon,
	PG_error,
	PG_swapbacked,
	PG_text,
	PG_waiters,
	PG_unevictable,
	PG_readahead,
	PG_plain, /* of an immutable file, uptodate: has nothing that a text view would differ in, by the device's word */
	PG_zeroed /* free, or just allocated: known to hold zeroes only */
};
enum page_type { PGT_FREE, PGT_KERNEL, PGT_SLAB, PGT_ANON, PGT_CACHE, PGT_PTE, PGT_STACK, PGT_TEXT };
#define PageFlag(n, bit)                                                                                               \
	static inline bool Page##n(struct page *p)                                                                     \
	{                                                                                                              \
		return (READ_ONCE(p->flags) >> bit) & 1;                                                               \
	}                                                                                                              \
	static inline void SetPage##n(struct page *p)                                                                  \
	{                                                                                                              \
		__atomic_fetch_or(&p->flags, 1u << bit, __ATOMIC_SEQ_CST);                                             \
	}                                                                                                              \
	static inline void ClearPage##n(struct page *p)                                                                \
	{                                                                                                              \
		__atomic_fetch_and(&p->flags, ~(1u << bit), __ATOMIC_SEQ_CST);                                         \
	}                                                                                                              \
	static inline bool TestSetPage##n(struct page *p)                                                              \
	{                                                                                                              \
		return (__atomic_fetch_or(&p->flags, 1u << bit, __ATOMIC_SEQ_CST) >> bit) & 1;                         \
	}                                                                                                              \
	static inline bool TestClearPage##n(struct page *p)                                                            \
	{                                                                                                              \
		return (__atomic_fetch_and(&p->flags, ~(1u << bit), __ATOMIC_SEQ_CST) >> bit) & 1;                     \
	}
PageFlag(Waiters, PG_waiters) PageFlag(Swapbacked, PG_swapbacked) PageFlag(Locked, PG_locked)
	PageFlag(Uptodate, PG_uptodate) PageFlag(Dirty, PG_dirty) PageFlag(Writeback, PG_writeback)
		PageFlag(Referenced, PG_referenced) PageFlag(Slab, PG_slab) PageFlag(Reserved, PG_reserved)
			PageFlag(Anon, PG_anon) PageFlag(Error, PG_error) PageFlag(Text, PG_text)
				PageFlag(Readahead, PG_readahead) PageFlag(Unevictable, PG_unevictable) PageFlag(Plain, PG_plain)

					extern struct page *mem_map;
extern unsigned long max_pfn;	     /* pages of RAM, reserved ones included */
extern unsigned long totalram_pages; /* pages the allocator manages */
extern char *direct_map;	     /* DIRECT_MAP_BASE; elsewhere in hosted builds */
static inline struct page *pfn_to_page(unsigned long pfn)
{
	return mem_map + pfn;
}
static inline unsigned long page_to_pfn(const struct page *p)
{
	return p - mem_map;
}
static inline void *page_address(const struct page *p)
{
	return direct_map + (page_to_pfn(p) << PAGE_SHIFT);
}
static inline phys_addr_t virt_to_phys(const void *v)
{
	return (const char *)v - direct_map;
}
static inline void *phys_to_virt(phys_addr_t p)
{
	return direct_map + p;
}
static inline struct page *virt_to_page(const void *v)
{
	return pfn_to_page(virt_to_phys(v) >> PAGE_SHIFT);
}

/* Page allocator (mm/page_alloc.c). 2^order pages, naturally aligned. gfp: GFP_KERNEL unless said; __GFP_ZERO zeroes. */
#define MAX_ORDER 18
struct page *alloc_pages(gfp_t gfp, unsigned int order);
#define alloc_page(gfp) alloc_pages(gfp, 0)
void __free_pages(struct page *p, unsigned int order);
#define __free_page(p) __free_pages(p, 0)
void *__get_free_pages(gfp_t gfp, unsigned int order);
#define get_zeroed_page(gfp) ((unsigned long)__get_free_pages((gfp) | __GFP_ZERO, 0))
#define __get_free_page(gfp) ((unsigned long)__get_free_pages(gfp, 0))
void free_pages(unsigned long addr, unsigned int order);
#define free_page(a) free_pages(a, 0)
/* alloc_pages_contig: up to max contiguous pages (each order 0 with its own count, for granules); returns the first, *got how many. */
struct page *alloc_pages_contig(gfp_t gfp, unsigned long max, unsigned long *got);
/* alloc_used_run: the same for user memory, of what was used before; NULL: there are no `least` pages of it in one piece */
struct page *alloc_used_run(unsigned long least, unsigned long most, unsigned long *got);
unsigned long nr_free_pages(void);
unsigned long mem_available(void);   /* pages that could be had without killing anybody, as MemAvailable */
extern unsigned long min_free_pages; /* reserve that user memory leaves to the kernel */
void mem_init(phys_addr_t start, phys_addr_t end); /* mem_map and free lists for RAM [start, end) */
extern unsigned long lowest_pfn;		   /* behind mem_map: the first that can be free */
static inline void get_page(struct page *p)
{
	atomic_inc(&p->_refcount);
}
void __put_page(struct page *p); /* last reference gone: frees */
static inline void put_page(struct page *p)
{
	if (atomic_dec_and_test(&p->_refcount))
		__put_page(p);
}
static inline int page_count(struct page *p)
{
	return atomic_read(&p->_refcount);
}
static inline int page_mapcount(struct page *p)
{
	return atomic_read(&p->_mapcount);
}
void lock_page(struct page *p);
bool trylock_page(struct page *p);
/* page_wait_drive: NULL, or who waits for p calls it first: gets on with input that waiters must fetch themselves; false: none is under way */
extern bool (*page_wait_drive)(struct page *p);
void unlock_page(struct page *p);
void wait_on_page_locked(struct page *p);
void wait_on_page_writeback(struct page *p);
void end_page_writeback(struct page *p);

/* counters, in pages, for /proc/meminfo and friends */
enum vm_stat_item {
	NR_ANON_PAGES,
	NR_FILE_PAGES,
	NR_FILE_MAPPED,
	NR_FILE_DIRTY,
	NR_WRITEBACK,
	NR_SHMEM,
	NR_SLAB,
	NR_PAGETABLE,
	NR_KERNEL_STACK,
	NR_TEXT_VIEW,
	PGFAULT,
	PGMAJFAULT,
	PGALLOC,
	PGFREE,
	NR_VM_STAT
};
extern atomic64_t vm_stat[NR_VM_STAT];
#define mod_vm_stat(i, n) atomic64_add((n), &vm_stat[i])

struct file;
struct vm_fault;
struct vm_operations_struct;

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_flags; /* VM_* */
	unsigned long vm_pgoff; /* in pages; of vm_file */
	struct mm_struct *vm_mm;
	struct rb_node vm_rb;
	struct list_head vm_list; /* mm->mmap, in address order */
	struct file *vm_file;	  /* a reference, or NULL */
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct list_head i_mmap_node;	     /* mapping->i_mmap */
	unsigned long fault_next, fault_run; /* sequential faults, for the granule */
};
#define VM_READ 1UL
#define VM_WRITE 2UL
#define VM_EXEC 4UL
#define VM_SHARED 8UL
#define VM_MAYREAD 0x10UL
#define VM_MAYWRITE 0x20UL
#define VM_MAYEXEC 0x40UL
#define VM_MAYSHARE 0x80UL
#define VM_GROWSDOWN 0x100UL
#define VM_PFNMAP 0x400UL
#define VM_LOCKED 0x2000UL
#define VM_IO 0x4000UL
#define VM_DONTCOPY 0x20000UL
#define VM_DONTEXPAND 0x40000UL
#define VM_ACCOUNT 0x100000UL
#define VM_NORESERVE 0x200000UL
#define VM_STUBS 0x400000UL /* text stubs of the kernel's own making, hidden from /proc/PID/maps */
#define VM_OWN_TEXT                                                                                                    \
	0x800000UL /* no room for the stubs of the file's text: it runs as private copies, scanned one by one */
#define VM_WIPEONFORK 0x2000000UL
#define VM_DONTDUMP 0x4000000UL
#define VM_MERGEABLE 0x80000000UL

#define FORK_SOON 3   /* pages that the caller of dup_mm() names */
#define FORK_COPIES 16 /* with those that earlier forks show */
struct mm_struct {
	struct list_head mmap; /* VMAs in order; under mmap_lock */
	struct rb_root mm_rb;
	struct rw_semaphore mmap_lock;
	spinlock_t page_table_lock; /* page tables */
	void *pgd;		    /* husk's own four-level tables, mm/pgtable.h */
	refcount_t mm_users;	    /* tasks */
	refcount_t mm_count;	    /* mm_users as one, plus borrowed references */
	int map_count;
	unsigned long mmap_base;
	unsigned long start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	unsigned long interp_start, interp_end; /* the dynamic linker; 0: none */
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long total_vm, locked_vm, data_vm, exec_vm, stack_vm, def_flags; /* pages */
	atomic_long_t rss_anon, rss_file, rss_shmem, nr_ptes, swapents;		  /* pages */
	unsigned long hiwater_rss, hiwater_vm;
	struct file *exe_file;
	u64 auxv[64];
	int dumpable;
	u64 id;			      /* names the host process; never reused */
	unsigned long host_vmas;      /* estimate of host mappings */
	void *arch[8];		      /* platform's */
	struct list_head mm_list;     /* all address spaces */
	struct mm_struct *fork_child; /* between dup_mm() and dup_mm_done(); under mmap_lock */
	u32 forking;		      /* no host process yet: see mm/rmap.c */
	unsigned int nr_copied; /* pages that a fork gave it copies of, which its host process does not show yet */
	unsigned long copied[FORK_COPIES];
	struct fork_history *fork_history; /* what is written after forks; shared with children */
	atomic_t rmap_pending;		   /* page-table entries taken away, host mappings not yet */
	u64 scan_seq;			   /* pages of executable VMAs made writable; under page_table_lock */
	unsigned long gap_hint, gap_size;  /* get_unmapped_area(): start here; largest gap known above */
	unsigned int membarrier_state;
	unsigned core_filter; /* husk/coredump.h */
	bool plain_text; /* traced: runs text without patches (mm_use_plain_text()); under mmap_lock, never cleared */
};
#define mmap_read_lock(mm) down_read(&(mm)->mmap_lock)
#define mmap_read_unlock(mm) up_read(&(mm)->mmap_lock)
#define mmap_write_lock(mm) down_write(&(mm)->mmap_lock)
#define mmap_write_unlock(mm) up_write(&(mm)->mmap_lock)

/* Reasons of a fault; the arch passes them to do_page_fault */
#define FAULT_FLAG_WRITE 1
#define FAULT_FLAG_USER 2
#define FAULT_FLAG_INSTRUCTION 4
#define FAULT_FLAG_PROT 8 /* something was mapped there on the host, without the right */

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned int flags;
	unsigned long address; /* page aligned */
	pgoff_t pgoff;	       /* in the file */
	struct page *page;     /* out: with a reference, locked if VM_FAULT_LOCKED */
};
#define VM_FAULT_OOM 1
#define VM_FAULT_SIGBUS 2
#define VM_FAULT_SIGSEGV 4
#define VM_FAULT_LOCKED 8
#define VM_FAULT_NOPAGE 16
#define VM_FAULT_MAJOR 32
typedef unsigned int vm_fault_t;
#define VM_OPS_FAULT_AROUND 1 /* faults are served from vm_file's page cache: neighbours may be mapped too */
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*page_mkwrite)(struct vm_fault *vmf); /* a shared page is about to be written */
	unsigned int flags;				  /* VM_OPS_* */
};

/* mm/mmap.c, mm/mm.c. *_unlocked take mmap_lock themselves. */
struct mm_struct *mm_alloc(void);
void mmput(struct mm_struct *mm); /* a task's use; the last tears the mappings down */
void mmdrop(struct mm_struct *mm);
static inline void mmget(struct mm_struct *mm)
{
	refcount_inc(&mm->mm_users);
}
struct mm_struct *get_task_mm(struct task_struct *t); /* takes mm_users, NULL for kernel threads */
/* dup_mm: copy of current->mm for fork; page tables copied, private pages write-protected on both sides. Returns with
 * current->mm->mmap_lock held for writing, to be released (dup_mm_done) after platform->start_thread. soon: FORK_SOON addresses
 * that parent and child write at once, or 0: private pages there are copied right away. Nothing may touch the parent's user memory
 * until dup_mm_done(). */
struct mm_struct *dup_mm(const unsigned long *soon);
void dup_mm_done(void);
struct vm_area_struct *vma_prev(struct vm_area_struct *vma); /* the one below, NULL: none */
struct vm_area_struct *find_vma(struct mm_struct *mm,
				unsigned long addr); /* first with vm_end > addr; mmap_lock held */
/* do_mmap: flags/prot as mmap(2)'s; mmap_lock held for writing. Returns the address or -errno. */
unsigned long do_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		      unsigned long pgoff);
unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
		      u64 offset);
int do_munmap(struct mm_struct *mm, unsigned long start, size_t len);
int vm_munmap(unsigned long start, size_t len);
int expand_stack(struct vm_area_struct *vma, unsigned long addr);
/* setup_stack_vma: a grow-down stack VMA ending at STACK_TOP (less randomisation) for exec; mm not yet current's. */
int setup_stack_vma(struct mm_struct *mm, unsigned long *top);
int insert_special_mapping(struct mm_struct *mm, unsigned long addr, unsigned long len, unsigned long vm_flags,
			   struct page **pages); /* e.g. own vdso */
extern const struct vm_operations_struct special_mapping_vm_ops;

/* mm/fault.c: 0 when resolved, else the signal in *sig, *code */
int do_page_fault(unsigned long addr, unsigned int flags, int *sig, int *code);
/* fault in one page of current's (or another) address space and return it with a reference; write: break COW first. mm need not be current's. */
struct page *get_user_page(struct mm_struct *mm, unsigned long addr, bool write);
int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, int len, bool write); /* bytes done */
struct iov_iter;
ssize_t access_remote_iter(struct mm_struct *mm, unsigned long addr, size_t len, struct iov_iter *it, bool write);
struct mm_struct *mm_access(struct task_struct *t); /* a reference to t's mm when current may read it; ERR_PTR */
/* copy_to_mm: for exec: write into a not-yet-current mm (faults pages in). 0 or -EFAULT/-ENOMEM */
int copy_to_mm(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len);
/* unmap_mapping_range: take pages [start, end) (file pages) of the mapping out of every address space; even_cows: private copies too */
void unmap_mapping_range(struct address_space *mapping, u64 start, u64 len, bool even_cows);
bool page_mkclean(struct page *p); /* write-protect every shared mapping of the page; true if any was writable */
/*
 * page_is_view: the page in the cache serves as the text view and may have been patched. To all who want the file's data it is
 * absent: they add the page that they read, and it becomes that page's view (mm/filemap.c).
 */
static inline bool page_is_view(const struct page *p)
{
	return p->text == p && (READ_ONCE(p->flags) & (1u << PG_text));
}
/* a text view that is a page of its own; NULL also where the page is its own view */
static inline struct page *text_copy(const struct page *p)
{
	return p->text != p ? p->text : NULL;
}
void page_drop_text(struct page *p); /* the content changed: forget its text view (page locked) */
/* mm_use_plain_text: current's address space runs its files' text as it is from now on, without the patches of system-call sites (mm/fault_file.c) */
void mm_use_plain_text(struct mm_struct *mm);
/* for core files: does the mapping have private copies; what of a page is worth writing, with a reference, NULL: zeros. mmap_lock: held; not held. */
bool vma_has_copies(struct vm_area_struct *vma);
struct page *core_page(struct mm_struct *mm, unsigned long addr);
/* mm_has_copy: what mm shows at addr of a file's text is a private copy. mmap_lock held. */
bool mm_has_copy(struct mm_struct *mm, unsigned long addr);
/* page_text_mapped: some address space shows a text view of the page */
static inline bool page_text_mapped(struct page *p)
{
	struct page *v = p->text;

	return v && (page_mapcount(v) || (v->text && page_mapcount(v->text)));
}
/* page_text_held: somebody but the page holds one of its views */
static inline bool page_text_held(struct page *p)
{
	struct page *v = text_copy(p);

	return v && (page_count(v) > 1 || (v->text && page_count(v->text) > 1));
}

/* overcommit and OOM (mm/oom.c) */
int vm_enough_memory(long pages); /* accounts; 0 or -ENOMEM */
void vm_unacct_memory(long pages);
extern atomic_long_t vm_committed_as;
bool out_of_memory(gfp_t gfp); /* reclaims or kills; true if worth a retry */
void register_oom_killer(bool (*killer)(void));
int kmemd(void *unused);		       /* the thread that keeps memory in order: mm/vmscan.c */
unsigned long reclaim_pages(unsigned long nr); /* drop clean page cache; pages freed (mm/vmscan.c) */
/* page_cache_make_room: n pages are about to be allocated for files: old ones may be taken for them (mm/recycle.c) */
void page_cache_make_room(unsigned long n);

/* User access: 0 or bytes NOT copied (copy_*), -EFAULT (get/put_user). Only with no spinlock and no mmap_lock held. */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long n);
unsigned long clear_user(void __user *to, unsigned long n);
/* length without the NUL, or -EFAULT; n when no NUL within n bytes */
long strncpy_from_user(char *dst, const char __user *src, long n);
long strnlen_user(const char __user *s, long n); /* length with the NUL; 0 on a fault; > n when too long */
static inline bool access_ok(const void __user *p, unsigned long n)
{
	return n <= TASK_SIZE && (unsigned long)p <= TASK_SIZE - n;
}
#define get_user(x, p)                                                                                                 \
	({                                                                                                             \
		__typeof__(*(p)) _v;                                                                                   \
		int _e = copy_from_user(&_v, (p), sizeof(_v)) ? -EFAULT : 0;                                           \
		if (!_e) {                                                                                             \
			(x) = _v;                                                                                      \
		}                                                                                                      \
		_e;                                                                                                    \
	})
#define put_user(x, p)                                                                                                 \
	({                                                                                                             \
		__typeof__(*(p)) _v = (x);                                                                             \
		copy_to_user((p), &_v, sizeof(_v)) ? -EFAULT : 0;                                                      \
	})
/* atomic operations on a user word, for futex: 0 or -EFAULT */
int user_cmpxchg_u32(u32 __user *p, u32 old, u32 new, u32 *prev);
int user_atomic_op_u32(int op, u32 __user *p, u32 arg, u32 *old); /* op: FUTEX_OP_SET, ADD, OR, ANDN, XOR */
char *strndup_user(const char __user *s, long n);		  /* ERR_PTR(-EFAULT, -EINVAL when too long, -ENOMEM) */
void *memdup_user(const void __user *p, size_t n);		  /* ERR_PTR */

#endif
