// SPDX-License-Identifier: Apache-2.0
// Crash points: bad pointers, BUGs in each subsystem, stack overflow, panic.

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/oops.h>
#include <husk/skbuff.h>
#include <husk/time.h>
#include <husk/tty.h>
#include <husk/virtio.h>
#include "lkdtm.h"

#define OVERFLOW_FRAME 512

/* ---- plain faults, no lock held ---- */

static noinline void lkdtm_WRITE_NULL(void)
{
	int *volatile p = NULL;

	*p = 1;
}

static noinline void lkdtm_READ_BAD(void)
{
	volatile unsigned long *volatile p = (void *)0x6b6b6b6b6b6b6b6bUL;

	(void)*p;
}

static noinline void lkdtm_EXEC_NULL(void)
{
	void (*volatile fn)(void) = NULL;

	fn();
}

static noinline void lkdtm_WRITE_TEXT(void)
{
	volatile u8 *p = (u8 *)lkdtm_EXEC_NULL;

	*p = 0xc3;
}

static noinline void lkdtm_DIVIDE(void)
{
	__asm__ volatile("xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\tdivl %%ecx" ::: "rax", "rcx", "rdx");
}

static noinline void lkdtm_OOPS(void)
{
	BUG();
}

static noinline void lkdtm_WARNING(void)
{
	WARN_ON(current->pid > 0);
}

/* A clock that no vDSO reads: it makes the system call itself, as it does for every clock on a host without a good TSC. */
static noinline void lkdtm_CLOCK_CALL(void)
{
	s64 a, an, b, bn;

	host_clock_gettime(3 /* CLOCK_THREAD_CPUTIME_ID */, &a, &an);
	host_clock_gettime(1 /* CLOCK_MONOTONIC */, &b, &bn);
	pr_info("lkdtm: the clocks are read by %s",
		a * NSEC_PER_SEC + an > 0 && b * NSEC_PER_SEC + bn > 0 ? "calls" : "nobody");
}

static noinline void lkdtm_PANIC(void)
{
	panic("lkdtm: asked for");
}

/* the sum keeps the compiler from making a loop of it */
static noinline int recurse(int n)
{
	volatile char frame[OVERFLOW_FRAME];

	for (unsigned int i = 0; i < sizeof(frame); i += 64)
		frame[i] = n;
	return n ? recurse(n - 1) + frame[n & (OVERFLOW_FRAME - 1)] : frame[0];
}

static noinline void lkdtm_STACK_OVERFLOW(void)
{
	volatile int sum = recurse(1000);

	(void)sum;
}

/* the stack pointer leads nowhere: the report cannot use it either */
static noinline void lkdtm_BAD_STACK(void)
{
	__asm__ volatile("movq $0x1000, %%rsp\n\tpushq $0" ::: "memory");
}

static noinline int oops_thread(void *unused)
{
	BUG();
	return 0;
}

static noinline void lkdtm_KTHREAD(void)
{
	kthread_run(oops_thread, NULL, "lkdtm");
	schedule_timeout(NSEC_PER_SEC);
}

static noinline void lkdtm_HUNG_TASK(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule();
}

static noinline void lkdtm_LIVELOCK_FREE(void)
{
	for (;;)
		cpu_relax();
}

/* ---- in a subsystem, as its own code would: with its locks held ---- */

static noinline void lkdtm_BUG_MM(void)
{
	mmap_write_lock(current->mm);
	BUG();
}

static noinline void lkdtm_BUG_VFS(void)
{
	inode_lock(d_inode(current->fs->pwd.dentry));
	BUG();
}

static void bad_destructor(struct sk_buff *skb)
{
	BUG();
}

static noinline void lkdtm_BUG_NET(void)
{
	struct sk_buff *skb = alloc_skb(64);

	if (!skb)
		return;
	skb->destructor = bad_destructor;
	kfree_skb(skb);
}

static int bad_wake(struct wait_queue_entry *e, unsigned mode, int sync, void *key)
{
	BUG();
}

static noinline void lkdtm_BUG_SCHED(void)
{
	DECLARE_WAIT_QUEUE_HEAD(q);
	struct wait_queue_entry e;

	init_waitqueue_func_entry(&e, bad_wake);
	add_wait_queue(&q, &e);
	wake_up(&q);
}

static noinline void lkdtm_BUG_TTY(void)
{
	mutex_lock(&tty_mutex);
	BUG();
}

/* a queue that nobody set up: the driver's own code faults under the queue's lock */
static noinline void lkdtm_BUG_VIRTIO(void)
{
	struct virtqueue *vq = kzalloc(PAGE_SIZE, GFP_KERNEL);
	struct vq_buf b = {vq, 16};

	*(u32 *)((char *)vq + 512) = 0;
	virtqueue_lock(vq);
	memset((char *)vq + 8, 0x11, 256);
	virtqueue_add(vq, &b, 1, 0, vq);
	BUG();
}

static void bad_timer(struct timer *t)
{
	BUG();
}

static noinline void lkdtm_BUG_TIME(void)
{
	static struct timer t;

	timer_init(&t, bad_timer);
	timer_set(&t, ktime_get_ns());
	schedule_timeout(NSEC_PER_SEC);
}

const struct crashpoint lkdtm_bugs[] = {
	CRASHPOINT(WRITE_NULL, "writes through a NULL pointer"),
	CRASHPOINT(READ_BAD, "reads a non-canonical address"),
	CRASHPOINT(EXEC_NULL, "calls a NULL pointer"),
	CRASHPOINT(WRITE_TEXT, "writes into kernel text"),
	CRASHPOINT(DIVIDE, "divides by zero"),
	CRASHPOINT(OOPS, "BUG() with no lock held"),
	CRASHPOINT(WARNING, "WARN_ON(), and goes on"),
	CRASHPOINT(CLOCK_CALL, "a clock that the vDSO cannot read, and goes on"),
	CRASHPOINT(PANIC, "panic()"),
	CRASHPOINT(STACK_OVERFLOW, "recurses into the stack's guard page"),
	CRASHPOINT(BAD_STACK, "loses its stack pointer"),
	CRASHPOINT(KTHREAD, "BUG() in a kernel thread"),
	CRASHPOINT(HUNG_TASK, "sleeps uninterruptibly for ever"),
	CRASHPOINT(LIVELOCK_FREE, "spins in the kernel with no lock held"),
	CRASHPOINT(BUG_MM, "BUG() under mmap_lock"),
	CRASHPOINT(BUG_VFS, "BUG() under the current directory's lock"),
	CRASHPOINT(BUG_NET, "BUG() in a socket buffer's destructor"),
	CRASHPOINT(BUG_SCHED, "BUG() in a wake-up function"),
	CRASHPOINT(BUG_TTY, "BUG() under tty_mutex"),
	CRASHPOINT(BUG_VIRTIO, "adds to a virtqueue that is garbage"),
	CRASHPOINT(BUG_TIME, "BUG() in a timer"),
	{},
};
