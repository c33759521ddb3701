/* SPDX-License-Identifier: Apache-2.0 */
/* What mm counts (mm/mm_stat.c, mm/oom.c), and what fs/proc shows of a task's memory with it (fs/proc/task_mmu.c). */
#ifndef HUSK_PROC_MM_H
#define HUSK_PROC_MM_H
#include <husk/mm.h>
#include <husk/seq_file.h>
struct task_struct;
struct vm_area_struct;
/* struct smap: sums over mappings, in pages; pss and pss_dirty in bytes << 12, each page divided by its users */
struct smap {
	unsigned long size, rss, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anon, locked;
	u64 pss, pss_dirty;
};
void mm_smap_add(struct smap *s, struct vm_area_struct *vma);
unsigned long vm_stat_read(enum vm_stat_item i);
unsigned long nr_dirty_free_pages(void);
struct zone_numbers {
	unsigned long nr[2][MAX_ORDER + 1]; /* free blocks: dirty, known zero */
	unsigned long cached;
};
void zone_numbers(struct zone_numbers *n);
unsigned long vm_commit_limit(void); /* pages */
/* All return 0, or -errno; a task without memory shows nothing (statm: zeroes). */
int mm_maps_show(struct seq_file *m, struct mm_struct *mm);
int mm_smaps_show(struct seq_file *m, struct mm_struct *mm);
int mm_smaps_rollup_show(struct seq_file *m, struct mm_struct *mm);
int task_statm_show(struct seq_file *m, struct task_struct *t);
int task_mem_status_show(struct seq_file *m, struct task_struct *t); /* the Vm* and Rss* lines of status */
unsigned long task_rss(struct mm_struct *mm);			     /* pages */
unsigned long task_max_rss(struct mm_struct *mm);		     /* the most that it ever was */
/* oom_badness: pages that killing t would free, weighed by oom_score_adj; 0: never killed */
#endif
