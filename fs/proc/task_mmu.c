// SPDX-License-Identifier: Apache-2.0
/* What /proc/PID shows of an address space: maps, smaps, statm, the Vm lines of status, pagemap. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/proc_mm.h>

/* The kernel's own stubs are no part of what a guest program knows of its address space. */
static inline bool hidden(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_STUBS;
}

static const char *vma_name(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	if (vma->vm_ops == &special_mapping_vm_ops)
		return "[vdso]";
	if (vma->vm_file)
		return NULL;
	if (vma->vm_start <= mm->brk && vma->vm_end >= mm->start_brk && mm->brk > mm->start_brk)
		return "[heap]";
	if (vma->vm_start <= mm->start_stack && vma->vm_end >= mm->start_stack)
		return "[stack]";
	return NULL;
}

static void show_vma_line(struct seq_file *m, struct vm_area_struct *vma)
{
	unsigned long f = vma->vm_flags, ino = 0;
	const char *name = vma_name(vma);
	size_t start = m->count;
	u64 off = 0;
	dev_t dev = 0;

	if (vma->vm_file) {
		struct inode *i = file_inode(vma->vm_file);

		dev = i->i_sb->s_dev;
		ino = i->i_ino;
		off = (u64)vma->vm_pgoff << PAGE_SHIFT;
	}
	seq_printf(m, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %lu ", vma->vm_start, vma->vm_end, f & VM_READ ? 'r' : '-',
		   f & VM_WRITE ? 'w' : '-', f & VM_EXEC ? 'x' : '-', f & VM_MAYSHARE ? 's' : 'p',
		   (unsigned long long)off, MAJOR(dev), MINOR(dev), ino);
	if (name || vma->vm_file) {
		while (m->count < m->size && m->count - start < 73)
			seq_putc(m, ' ');
		if (vma->vm_file)
			seq_path(m, &vma->vm_file->f_path, "\n");
		else
			seq_puts(m, name);
	}
	seq_putc(m, '\n');
}

int mm_maps_show(struct seq_file *m, struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	list_for_each_entry (vma, &mm->mmap, vm_list) {
		if (!hidden(vma))
			show_vma_line(m, vma);
	}
	mmap_read_unlock(mm);
	return 0;
}

static void kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%-16s%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static void show_smap(struct seq_file *m, const struct smap *s)
{
	kb(m, "Rss:", s->rss);
	seq_printf(m, "%-16s%8llu kB\n", "Pss:", (unsigned long long)(s->pss >> 22));
	seq_printf(m, "%-16s%8llu kB\n", "Pss_Dirty:", (unsigned long long)(s->pss_dirty >> 22));
	kb(m, "Shared_Clean:", s->shared_clean);
	kb(m, "Shared_Dirty:", s->shared_dirty);
	kb(m, "Private_Clean:", s->private_clean);
	kb(m, "Private_Dirty:", s->private_dirty);
	kb(m, "Referenced:", s->referenced);
	kb(m, "Anonymous:", s->anon);
	kb(m, "LazyFree:", 0);
	kb(m, "AnonHugePages:", 0);
	kb(m, "ShmemPmdMapped:", 0);
	kb(m, "FilePmdMapped:", 0);
	kb(m, "Shared_Hugetlb:", 0);
	kb(m, "Private_Hugetlb:", 0);
	kb(m, "Swap:", 0);
	kb(m, "SwapPss:", 0);
	kb(m, "Locked:", s->locked);
}

static void show_vm_flags(struct seq_file *m, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		char name[3];
	} names[] = {
		{VM_READ, "rd"},       {VM_WRITE, "wr"},      {VM_EXEC, "ex"},	  {VM_SHARED, "sh"},
		{VM_MAYREAD, "mr"},    {VM_MAYWRITE, "mw"},   {VM_MAYEXEC, "me"}, {VM_MAYSHARE, "ms"},
		{VM_GROWSDOWN, "gd"},  {VM_PFNMAP, "pf"},     {VM_LOCKED, "lo"},  {VM_IO, "io"},
		{VM_DONTCOPY, "dc"},   {VM_DONTEXPAND, "de"}, {VM_ACCOUNT, "ac"}, {VM_NORESERVE, "nr"},
		{VM_WIPEONFORK, "wf"}, {VM_DONTDUMP, "dd"},
	};

	seq_puts(m, "VmFlags: ");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag)
			seq_printf(m, "%s ", names[i].name);
	}
	seq_putc(m, '\n');
}

int mm_smaps_show(struct seq_file *m, struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	list_for_each_entry (vma, &mm->mmap, vm_list) {
		struct smap s = {0};

		if (hidden(vma))
			continue;
		mm_smap_add(&s, vma);
		show_vma_line(m, vma);
		kb(m, "Size:", s.size);
		kb(m, "KernelPageSize:", 1);
		kb(m, "MMUPageSize:", 1);
		show_smap(m, &s);
		kb(m, "THPeligible:", 0);
		show_vm_flags(m, vma->vm_flags);
	}
	mmap_read_unlock(mm);
	return 0;
}

int mm_smaps_rollup_show(struct seq_file *m, struct mm_struct *mm)
{
	unsigned long first = 0, last = 0;
	struct vm_area_struct *vma;
	struct smap s = {0};

	mmap_read_lock(mm);
	list_for_each_entry (vma, &mm->mmap, vm_list) {
		if (hidden(vma))
			continue;
		if (!last)
			first = vma->vm_start;
		last = vma->vm_end;
		mm_smap_add(&s, vma);
	}
	mmap_read_unlock(mm);
	seq_printf(m, "%08lx-%08lx ---p 00000000 00:00 0                          [rollup]\n", first, last);
	show_smap(m, &s);
	return 0;
}

static unsigned long nonneg(atomic_long_t *v)
{
	long n = atomic_long_read(v);

	return n > 0 ? n : 0;
}

static unsigned long text_pages(struct mm_struct *mm)
{
	return (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) >> PAGE_SHIFT;
}

int task_statm_show(struct seq_file *m, struct task_struct *t)
{
	struct mm_struct *mm = get_task_mm(t);

	if (!mm) {
		seq_puts(m, "0 0 0 0 0 0 0\n");
		return 0;
	}
	seq_printf(m, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, task_rss(mm),
		   nonneg(&mm->rss_file) + nonneg(&mm->rss_shmem), text_pages(mm), mm->data_vm + mm->stack_vm);
	mmput(mm);
	return 0;
}

static void status_kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%s\t%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

int task_mem_status_show(struct seq_file *m, struct task_struct *t)
{
	struct mm_struct *mm = get_task_mm(t);
	unsigned long rss, text;

	if (!mm)
		return 0;
	rss = task_rss(mm);
	text = min(text_pages(mm), mm->exec_vm);
	status_kb(m, "VmPeak:", max(mm->hiwater_vm, mm->total_vm));
	status_kb(m, "VmSize:", mm->total_vm);
	status_kb(m, "VmLck:", mm->locked_vm);
	status_kb(m, "VmPin:", 0);
	status_kb(m, "VmHWM:", max(mm->hiwater_rss, rss));
	status_kb(m, "VmRSS:", rss);
	status_kb(m, "RssAnon:", nonneg(&mm->rss_anon));
	status_kb(m, "RssFile:", nonneg(&mm->rss_file));
	status_kb(m, "RssShmem:", nonneg(&mm->rss_shmem));
	status_kb(m, "VmData:", mm->data_vm);
	status_kb(m, "VmStk:", mm->stack_vm);
	status_kb(m, "VmExe:", text);
	status_kb(m, "VmLib:", mm->exec_vm - text);
	status_kb(m, "VmPTE:", nonneg(&mm->nr_ptes));
	status_kb(m, "VmSwap:", nonneg(&mm->swapents));
	status_kb(m, "HugetlbPages:", 0);
	mmput(mm);
	return 0;
}
