// SPDX-License-Identifier: Apache-2.0
/* VMAs: allocation, the tree and list of an address space, splitting and merging. */
#include <husk/mm.h>
#include <husk/init.h>
#include "internal.h"

/*
 * All of it under mmap_lock for writing, lookups under mmap_lock for reading. A file's VMAs are on mapping->i_mmap under
 * i_mmap_lock, which also guards vm_start, vm_end and vm_pgoff of these against mm/rmap.c.
 */
static struct kmem_cache *vma_cache;
int sysctl_max_map_count = 65530;

static struct kmem_cache *get_vma_cache(void)
{
	struct kmem_cache *c = smp_load_acquire(&vma_cache);

	if (unlikely(!c)) {
		c = KMEM_CACHE(vm_area_struct);
		if (c && cmpxchg(&vma_cache, NULL, c)) {
			kmem_cache_destroy(c);
			c = vma_cache;
		}
	}
	return c;
}

struct vm_area_struct *vma_alloc(struct mm_struct *mm)
{
	struct kmem_cache *c = get_vma_cache();
	struct vm_area_struct *vma = c ? kmem_cache_zalloc(c, GFP_KERNEL) : NULL;

	if (vma) {
		vma->vm_mm = mm;
		INIT_LIST_HEAD(&vma->i_mmap_node);
		INIT_LIST_HEAD(&vma->vm_list);
	}
	return vma;
}

/* A copy that shares file and operations, not linked anywhere. */
struct vm_area_struct *vma_dup(struct vm_area_struct *old)
{
	struct vm_area_struct *vma = vma_alloc(old->vm_mm);

	if (!vma)
		return NULL;
	vma->vm_start = old->vm_start;
	vma->vm_end = old->vm_end;
	vma->vm_flags = old->vm_flags;
	vma->vm_pgoff = old->vm_pgoff;
	vma->vm_ops = old->vm_ops;
	vma->vm_private_data = old->vm_private_data;
	vma->vm_file = old->vm_file;
	if (vma->vm_file)
		get_file(vma->vm_file);
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	return vma;
}

void vma_free(struct vm_area_struct *vma)
{
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file)
		fput(vma->vm_file);
	kmem_cache_free(vma_cache, vma);
}

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct rb_node *n = mm->mm_rb.rb_node;
	struct vm_area_struct *found = NULL;

	while (n) {
		struct vm_area_struct *v = rb_entry(n, struct vm_area_struct, vm_rb);

		if (v->vm_end > addr) {
			found = v;
			if (v->vm_start <= addr)
				break;
			n = n->rb_left;
		} else {
			n = n->rb_right;
		}
	}
	return found;
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

struct vm_area_struct *vma_prev(struct vm_area_struct *vma)
{
	struct list_head *p = vma->vm_list.prev;

	return p == &vma->vm_mm->mmap ? NULL : list_entry(p, struct vm_area_struct, vm_list);
}

struct vm_area_struct *vma_next(struct vm_area_struct *vma)
{
	struct list_head *n = vma->vm_list.next;

	return n == &vma->vm_mm->mmap ? NULL : list_entry(n, struct vm_area_struct, vm_list);
}

static struct address_space *vma_mapping(struct vm_area_struct *vma)
{
	return vma->vm_file && vma->vm_ops ? vma->vm_file->f_mapping : NULL;
}

/**
 * vma_add_i_mmap - make a VMA findable from its file
 * @after: fork's parent VMA: rmap.c must come to the parent before the child
 */
void vma_add_i_mmap(struct vm_area_struct *vma, struct vm_area_struct *after)
{
	struct address_space *m = vma_mapping(vma);

	if (!m)
		return;
	mutex_lock(&m->i_mmap_lock);
	if (after && !list_empty(&after->i_mmap_node))
		list_add(&vma->i_mmap_node, &after->i_mmap_node);
	else
		list_add_tail(&vma->i_mmap_node, &m->i_mmap);
	mutex_unlock(&m->i_mmap_lock);
}

void vma_del_i_mmap(struct vm_area_struct *vma)
{
	struct address_space *m = vma_mapping(vma);

	if (!m || list_empty(&vma->i_mmap_node))
		return;
	mutex_lock(&m->i_mmap_lock);
	list_del_init(&vma->i_mmap_node);
	mutex_unlock(&m->i_mmap_lock);
}

/* Puts a VMA into tree and list; there must be room for it. */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct rb_node **link = &mm->mm_rb.rb_node, *parent = NULL;
	struct vm_area_struct *prev = NULL;

	while (*link) {
		struct vm_area_struct *v = rb_entry(*link, struct vm_area_struct, vm_rb);

		parent = *link;
		if (vma->vm_start < v->vm_start) {
			link = &parent->rb_left;
		} else {
			prev = v;
			link = &parent->rb_right;
		}
	}
	rb_link_node(&vma->vm_rb, parent, link);
	rb_insert_color(&vma->vm_rb, &mm->mm_rb);
	list_add(&vma->vm_list, prev ? &prev->vm_list : &mm->mmap);
	mm->map_count++;
}

void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma)
{
	rb_erase(&vma->vm_rb, &mm->mm_rb);
	list_del_init(&vma->vm_list);
	mm->map_count--;
}

static void lock_i_mmap(struct address_space *m)
{
	if (m)
		mutex_lock(&m->i_mmap_lock);
}

static void unlock_i_mmap(struct address_space *m)
{
	if (m)
		mutex_unlock(&m->i_mmap_lock);
}

/**
 * split_vma - cut vma at addr
 *
 * vma keeps the part below; *high (may be NULL) gets the other. 0, -ENOMEM.
 */
int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, struct vm_area_struct **high)
{
	struct address_space *m = vma_mapping(vma);
	struct vm_area_struct *new;

	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	new = vma_dup(vma);
	if (!new)
		return -ENOMEM;
	new->vm_start = addr;
	new->vm_pgoff = linear_page_index(vma, addr);
	lock_i_mmap(m);
	vma->vm_end = addr;
	if (m && !list_empty(&vma->i_mmap_node))
		list_add(&new->i_mmap_node, &vma->i_mmap_node);
	unlock_i_mmap(m);
	vma_link(mm, new);
	if (high)
		*high = new;
	return 0;
}

struct vm_area_struct *vma_carve(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long start,
				 unsigned long end)
{
	if (vma->vm_start < start && split_vma(mm, vma, start, &vma))
		return NULL;
	if (vma->vm_end > end && split_vma(mm, vma, end, NULL))
		return NULL;
	return vma;
}

static bool can_merge(struct vm_area_struct *a, struct vm_area_struct *b)
{
	if (a->vm_end != b->vm_start || a->vm_flags != b->vm_flags || a->vm_file != b->vm_file ||
	    a->vm_ops != b->vm_ops || a->vm_private_data != b->vm_private_data)
		return false;
	if (a->vm_flags & (VM_PFNMAP | VM_STUBS) || (a->vm_ops && a->vm_ops->close))
		return false;
	return !a->vm_ops || a->vm_pgoff + vma_pages(a) == b->vm_pgoff;
}

static void merge_into(struct mm_struct *mm, struct vm_area_struct *a, struct vm_area_struct *b)
{
	struct address_space *m = vma_mapping(a);

	lock_i_mmap(m);
	a->vm_end = b->vm_end;
	if (m)
		list_del_init(&b->i_mmap_node);
	unlock_i_mmap(m);
	vma_unlink(mm, b);
	vma_free(b);
}

/**
 * vma_try_merge - merge vma with its neighbours where nothing tells them apart
 *
 * Returns the VMA that now covers vma's range; vma itself may be gone.
 */
struct vm_area_struct *vma_try_merge(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct vm_area_struct *prev = vma_prev(vma), *next = vma_next(vma);

	if (next && can_merge(vma, next))
		merge_into(mm, vma, next);
	if (prev && can_merge(prev, vma)) {
		merge_into(mm, prev, vma);
		vma = prev;
	}
	return vma;
}

void vm_stat_account(struct mm_struct *mm, unsigned long vm_flags, long pages)
{
	mm->total_vm += pages;
	if ((vm_flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC)
		mm->exec_vm += pages;
	else if (vm_flags & VM_GROWSDOWN)
		mm->stack_vm += pages;
	else if ((vm_flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE)
		mm->data_vm += pages;
}

/* RLIMIT_AS, RLIMIT_DATA */
bool may_expand_vm(struct mm_struct *mm, unsigned long vm_flags, unsigned long pages)
{
	if (mm->total_vm + pages > rlimit(RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if ((vm_flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE &&
	    mm->data_vm + pages > rlimit(RLIMIT_DATA) >> PAGE_SHIFT)
		return false;
	return true;
}
