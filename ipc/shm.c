// SPDX-License-Identifier: Apache-2.0
/* shmget, shmat, shmdt: segments of shared memory and their mappings; docs/design/sysvipc.md. */
#include "shm.h"
#include <linux/mman.h>

atomic_long_t shm_total;
unsigned long shm_max = UINT64_MAX - (1UL << 24), shm_all = UINT64_MAX - (1UL << 24);
int shm_mni = 4096;

/* ---- segments ---- */

static struct ipc_obj *shm_create(const struct ipc_params *q)
{
	size_t pages = (q->size >> PAGE_SHIFT) + !!(q->size & ~PAGE_MASK);
	struct shmid_kernel *s;
	char name[16];

	if (q->size < SHMMIN || q->size > READ_ONCE(shm_max))
		return ERR_PTR(-EINVAL);
	if (pages << PAGE_SHIFT < q->size || pages > shm_all || atomic_long_read(&shm_total) + pages > shm_all)
		return ERR_PTR(-ENOSPC);
	if (q->flags & SHM_HUGETLB)
		return ERR_PTR(-ENOMEM); /* there is no pool of huge pages */
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	ipc_init(&s->perm, q);
	snprintf(name, sizeof(name), "SYSV%08x", (u32)q->key);
	s->size = q->size;
	s->file = shmem_file_setup(name, q->size, q->flags & SHM_NORESERVE ? VM_NORESERVE : 0);
	if (IS_ERR(s->file)) {
		struct ipc_obj *e = ERR_CAST(s->file);

		kfree(s);
		return e;
	}
	s->cpid = current->tgid;
	s->ctim = ipc_seconds();
	atomic_long_add(pages, &shm_total);
	return &s->perm;
}

static void shm_release(struct ipc_obj *p)
{
	struct shmid_kernel *s = shm_of(p);

	atomic_long_sub(SHM_PAGES(s), &shm_total);
	fput(s->file);
	kfree(s);
}
struct ipc_ids shm_ids = IPC_IDS(shm_release);

static int shm_check(struct ipc_obj *p, const struct ipc_params *q)
{
	return shm_of(p)->size < q->size ? -EINVAL : 0;
}

SYSCALL_DEFINE3(shmget, __kernel_key_t, key, size_t, size, int, flags)
{
	static const struct ipc_kind kind = {&shm_ids, shm_create, shm_check, &shm_mni};
	const struct ipc_params q = {.key = key, .flags = flags, .size = size};

	return ipc_get(&kind, &q);
}

void shm_destroy(struct shmid_kernel *s)
{
	ipc_remove(&shm_ids, &s->perm);
	ipc_put(&shm_ids, &s->perm);
}

/* ---- mappings ---- */

static struct shmid_kernel *vma_shm(struct vm_area_struct *vma)
{
	return vma->vm_file->private_data;
}

static const struct vm_operations_struct *memory_ops; /* tmpfs's */

static vm_fault_t shm_fault(struct vm_fault *vmf)
{
	return memory_ops->fault(vmf);
}

static void shm_attached(struct shmid_kernel *s)
{
	spin_lock(&s->perm.lock);
	s->nattch++;
	s->atim = ipc_seconds();
	s->lpid = current->tgid;
	spin_unlock(&s->perm.lock);
}

/* One user less; the last of a segment that is to go takes it along. */
static void shm_detached(struct shmid_kernel *s)
{
	bool last;

	spin_lock(&s->perm.lock);
	last = !--s->nattch && (s->perm.mode & SHM_DEST) && !s->perm.deleted;
	spin_unlock(&s->perm.lock);
	if (!last)
		return;
	down_write(&shm_ids.rwsem);
	if (!s->perm.deleted && !READ_ONCE(s->nattch))
		shm_destroy(s);
	up_write(&shm_ids.rwsem);
}

static void shm_vm_open(struct vm_area_struct *vma)
{
	shm_attached(vma_shm(vma));
}

static void shm_vm_close(struct vm_area_struct *vma)
{
	struct shmid_kernel *s = vma_shm(vma);

	spin_lock(&s->perm.lock);
	s->dtim = ipc_seconds();
	s->lpid = current->tgid;
	spin_unlock(&s->perm.lock);
	shm_detached(s);
}

static const struct vm_operations_struct shm_vm_ops = {
	.open = shm_vm_open,
	.close = shm_vm_close,
	.fault = shm_fault,
	.flags = VM_OPS_FAULT_AROUND,
};

static int shm_mmap(struct file *f, struct vm_area_struct *vma)
{
	struct shmid_kernel *s = f->private_data;
	int err = s->file->f_op->mmap(f, vma);

	if (err)
		return err;
	WRITE_ONCE(memory_ops, vma->vm_ops);
	vma->vm_ops = &shm_vm_ops;
	shm_attached(s);
	return 0;
}

static int shm_file_release(struct inode *i, struct file *f)
{
	struct shmid_kernel *s = f->private_data;

	ipc_put(&shm_ids, &s->perm);
	return 0;
}

static const struct file_operations shm_file_operations = {
	.mmap = shm_mmap,
	.release = shm_file_release,
	.llseek = noop_llseek,
};

struct attach {
	unsigned long addr, prot, map_flags;
	int want, open_flags; /* permissions of the segment, mode of the file */
};

static int attach_args(struct attach *a, unsigned long addr, int flags)
{
	if (addr & ~PAGE_MASK) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
		if (!addr && (flags & SHM_REMAP))
			return -EINVAL;
	}
	if (!addr && (flags & SHM_REMAP))
		return -EINVAL;
	a->addr = addr;
	a->map_flags = MAP_SHARED | (addr ? MAP_FIXED : 0);
	a->prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
	a->want = 0444 | (flags & SHM_RDONLY ? 0 : 0222) | (flags & SHM_EXEC ? 0111 : 0);
	a->open_flags = flags & SHM_RDONLY ? O_RDONLY : O_RDWR;
	return 0;
}

/* Counted as an attachment until the mapping is, so that the segment stays. The identifier may be of one that is to go. */
static struct shmid_kernel *shm_enter(int id, int want)
{
	struct ipc_obj *p = ipc_find(&shm_ids, id);
	int err;

	if (IS_ERR(p))
		return ERR_CAST(p);
	spin_lock(&p->lock);
	err = p->deleted ? -EIDRM : ipc_permitted(p, want);
	if (!err)
		shm_of(p)->nattch++;
	spin_unlock(&p->lock);
	if (!err)
		return shm_of(p);
	ipc_put(&shm_ids, p);
	return ERR_PTR(err);
}

static long map_segment(struct shmid_kernel *s, const struct attach *a, bool remap)
{
	struct mm_struct *mm = current->mm;
	struct file *f = alloc_file_clone(s->file, a->open_flags, &shm_file_operations);
	unsigned long r = -EINVAL, end = a->addr + PAGE_ALIGN(s->size);
	struct vm_area_struct *vma;

	if (IS_ERR(f))
		return PTR_ERR(f);
	refcount_inc(&s->perm.ref); /* the file's */
	f->private_data = s;
	mmap_write_lock(mm);
	vma = a->addr && !remap ? find_vma(mm, a->addr) : NULL;
	if (end >= a->addr && (!vma || vma->vm_start >= end))
		r = do_mmap(f, a->addr, s->size, a->prot, a->map_flags, 0);
	mmap_write_unlock(mm);
	fput(f);
	return r;
}

SYSCALL_DEFINE3(shmat, int, id, unsigned long, addr, int, flags)
{
	struct shmid_kernel *s;
	struct attach a;
	long r = attach_args(&a, addr, flags);

	if (r)
		return r;
	s = shm_enter(id, a.want);
	if (IS_ERR(s))
		return PTR_ERR(s);
	r = map_segment(s, &a, flags & SHM_REMAP);
	shm_detached(s);
	ipc_put(&shm_ids, &s->perm);
	return r;
}

/* The first mapping at or after addr that shmat() made as if at addr (parts of it may be gone), or NULL. */
static struct vm_area_struct *attached_at(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	for (vma = find_vma(mm, addr); vma && &vma->vm_list != &mm->mmap; vma = list_next_entry(vma, vm_list))
		if (vma->vm_ops == &shm_vm_ops && vma->vm_start - addr == vma->vm_pgoff << PAGE_SHIFT)
			return vma;
	return NULL;
}

static int unmap_segment(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = attached_at(mm, addr);
	struct shmid_kernel *s;
	unsigned long end;
	int err;

	if (!vma)
		return -EINVAL;
	s = vma_shm(vma);
	refcount_inc(&s->perm.ref);
	end = addr + PAGE_ALIGN(s->size);
	for (err = 0; !err && vma && vma->vm_start < end; vma = attached_at(mm, addr)) {
		if (vma_shm(vma) != s)
			break;
		err = do_munmap(mm, vma->vm_start, vma->vm_end - vma->vm_start);
	}
	ipc_put(&shm_ids, &s->perm);
	return err;
}

SYSCALL_DEFINE1(shmdt, unsigned long, addr)
{
	int err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	mmap_write_lock(current->mm);
	err = unmap_segment(current->mm, addr);
	mmap_write_unlock(current->mm);
	return err;
}
