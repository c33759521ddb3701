/* SPDX-License-Identifier: Apache-2.0 */
/* Core files of guest programs: kernel/core_wait.c gathers the threads, fs/coredump*.c write. */
#ifndef HUSK_COREDUMP_H
#define HUSK_COREDUMP_H

#include <husk/sched.h>

struct mm_struct;
struct file;

/* A process that dumps core: its other threads wait at the start of do_exit() until that is done. */
struct core_state {
	refcount_t refs;
	struct task_struct *dumper;
	atomic_t missing; /* threads that have not come yet */
	bool done;
	wait_queue_head_t wait;
	struct list_head
		threads; /* struct core_thread of those that have come; under siglock, fixed when missing is 0 */
};
struct core_thread {
	struct list_head node;
	struct task_struct *task;
};

/* kernel/core_wait.c */
void coredump_task_exit(struct task_struct *t);
int coredump_begin(
	int sig); /* the other threads have stopped with their registers saved; 0, -EAGAIN: somebody else ends the process */
void coredump_end(bool dumped); /* they go on to their end; dumped: the wait status says so */
/* core_dump: writes the core file of current, which dies of info's signal; set by fs/coredump.c. It may sleep. */
extern void (*core_dump)(const struct kernel_siginfo *info);

/* What is to be written, fs/coredump_elf.c: an ELF core file through emit. */
struct core_writer {
	struct file *file;
	loff_t pos; /* in the core file */
	u64 hole;   /* zeros that are to come before the next byte */
	u64 written, limit;
	bool pipe;
	int err; /* -EFBIG: the limit was reached, which is no error; others are */
};
bool core_emit(struct core_writer *w, const void *p, size_t n);
void core_skip(struct core_writer *w, u64 n);
bool core_write_elf(struct core_writer *w, const struct kernel_siginfo *info);

/* mm->core_filter: which mappings are dumped, as /proc/PID/coredump_filter shows it */
#define CORE_ANON_PRIVATE 1
#define CORE_ANON_SHARED 2
#define CORE_MAPPED_PRIVATE 4
#define CORE_MAPPED_SHARED 8
#define CORE_ELF_HEADERS 16
#define CORE_FILTER_DEFAULT 0x33
#define CORE_FILTER_MASK 0x1ff

#endif
