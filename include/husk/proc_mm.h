/* SPDX-License-Identifier: Apache-2.0 */
/* What mm shows of a task's memory in /proc/PID (mm/task_mmu.c, mm/oom.c). */
#ifndef HUSK_PROC_MM_H
#define HUSK_PROC_MM_H
#include <husk/seq_file.h>
struct task_struct;
/* All return 0, or -errno; a task without memory shows nothing (statm: zeroes). */
int mm_maps_show(struct seq_file *m, struct mm_struct *mm);
int mm_smaps_show(struct seq_file *m, struct mm_struct *mm);
int mm_smaps_rollup_show(struct seq_file *m, struct mm_struct *mm);
int task_statm_show(struct seq_file *m, struct task_struct *t);
int task_mem_status_show(struct seq_file *m, struct task_struct *t); /* the Vm* and Rss* lines of status */
/* task_pagemap_read: entries of /proc/PID/pagemap for n pages from index; how many were filled */
long task_pagemap_read(struct mm_struct *mm, unsigned long index, u64 *entry, unsigned long n);
unsigned long task_vsize(struct mm_struct *mm); /* bytes */
unsigned long task_rss(struct mm_struct *mm);	/* pages */
unsigned long task_max_rss(struct mm_struct *mm); /* the most that it ever was */
/* oom_badness: pages that killing t would free, weighed by oom_score_adj; 0: never killed */
long oom_badness(struct task_struct *t);
#endif
