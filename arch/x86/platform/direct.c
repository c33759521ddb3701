// SPDX-License-Identifier: Apache-2.0
// The pku and none platforms: the kernel lies in the guest's host process; mappings are made by the process itself.

#include <husk/mm.h>
#include <husk/time.h>
#include <hostif/hostif.h>
#include <linux/mman.h>
#include "../arch.h"
#include "../asm.h"
#include "../hostcall.h"

/**
 * DOC: shoot-down
 *
 * Only a thread of a host process can change its mappings. Another process posts a request in the mm and sends a kick to one of
 * its threads; the kick's handler makes the host call in whatever mode it finds the thread (shootdown_serve() takes no lock and
 * allocates nothing). One request at a time per mm, under arch_shoot.lock; the requester waits on the request's state. A process that
 * was just forked has its parent's mappings before its thread can be kicked: it is waited for, and looks by itself when it is ready. Only where there is no thread at all, nor one
 * to be, are there no mappings.
 */
struct shoot {
	struct mutex lock; /* held while waiting for the other process */
	u32 state;	   /* 0 idle, 1 posted, 2 being served, 3 done */
	unsigned long va, len;
	int hprot;
};
#define mm_shoot(mm) ((struct shoot *)&(mm)->arch[0])
static_assert(sizeof(struct shoot) <= 8 * 8, "shoot-down request fits mm->arch");

static int host_prot(int hprot)
{
	return (hprot & HPROT_READ ? PROT_READ : 0) | (hprot & HPROT_WRITE ? PROT_READ | PROT_WRITE : 0) |
	       (hprot & HPROT_EXEC ? PROT_READ | PROT_EXEC : 0);
}

static int direct_map_pages(struct mm_struct *mm, unsigned long va, unsigned long pfn, unsigned long npages, int hprot,
			    bool populate)
{
	int prot = host_prot(hprot);
	long r;

	BUG_ON(va >= TASK_SIZE || (npages << PAGE_SHIFT) > TASK_SIZE - va || pfn + npages > max_pfn);
	if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
		return -EINVAL;
	r = host_mmap(va, npages << PAGE_SHIFT, prot, MAP_SHARED | MAP_FIXED | (populate ? MAP_POPULATE : 0),
		      HOSTIF_RAM_FD, (u64)pfn << PAGE_SHIFT);
	return r < 0 && r > -4096 ? (int)r : 0;
}

static int direct_unmap(struct mm_struct *mm, unsigned long va, unsigned long len)
{
	BUG_ON(va >= TASK_SIZE || len > TASK_SIZE - va);
	return host_munmap(va, len);
}

/* mprotect stops at the first hole: go on behind it, page by page only where there are holes */
static int direct_protect(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot)
{
	int prot = host_prot(hprot);
	long r = host_mprotect(va, len, prot);

	BUG_ON(va >= TASK_SIZE || len > TASK_SIZE - va);
	if (r != -ENOMEM)
		return r;
	for (unsigned long a = va; a < va + len; a += PAGE_SIZE) {
		r = host_mprotect(a, PAGE_SIZE, prot);
		if (r && r != -ENOMEM)
			return r;
	}
	return 0;
}

void shootdown_serve(void)
{
	struct task_struct *t = current;
	struct mm_struct *mm = t ? t->mm : NULL;
	struct shoot *s;

	if (!mm || mm->id != proc_private->mm_id)
		return;
	s = mm_shoot(mm);
	if (cmpxchg(&s->state, 1, 2) != 1)
		return;
	if (s->hprot < 0)
		host_munmap(s->va, s->len);
	else
		direct_protect(mm, s->va, s->len, s->hprot);
	smp_store_release(&s->state, 3);
	host_futex_wake(&s->state, 1);
}

/* Kicks one thread of mm's host process. False when there is none (any more); true, too, while all that there are begin or end. */
static bool shootdown_kick(struct mm_struct *mm)
{
	struct task_struct *p, *t;
	bool there = false;

	read_lock(&tasklist_lock);
	for_each_process (p) {
		for_each_thread (p, t) {
			int tid = READ_ONCE(t->ti->host_tid); /* -1: the host is making it */

			if (t->mm != mm || t->ti->mm_id != mm->id || !tid)
				continue;
			if (tid < 0 || !smp_load_acquire(&t->ti->arch[TA_READY])) {
				there = true;
			} else if (!host_tgkill(t->ti->host_pid, tid, HOST_KICK_SIGNAL)) {
				there = true;
				goto out;
			}
		}
	}
out:
	read_unlock(&tasklist_lock);
	return there;
}

static void direct_shootdown(struct mm_struct *mm, unsigned long va, unsigned long len, int hprot)
{
	struct shoot *s = mm_shoot(mm);

	if (mm->id == proc_private->mm_id) {
		if (hprot < 0)
			host_munmap(va, len);
		else
			direct_protect(mm, va, len, hprot);
		return;
	}
	mutex_lock(&s->lock);
	s->va = va;
	s->len = len;
	s->hprot = hprot;
	smp_store_release(&s->state, 1);
	while (smp_load_acquire(&s->state) != 3) {
		u32 v = READ_ONCE(s->state);

		if (v == 3)
			break;
		if (v == 1 && !shootdown_kick(mm)) {
			/* nobody lives there: the mapping is gone with its process, or not made yet */
			if (cmpxchg(&s->state, 1, 3) == 1)
				break;
		}
		host_sleep(&s->state, v, 2 * NSEC_PER_MSEC);
	}
	s->state = 0;
	mutex_unlock(&s->lock);
}

static int direct_mm_init(struct mm_struct *mm)
{
	memset(mm->arch, 0, sizeof(mm->arch));
	return 0;
}

static void direct_mm_destroy(struct mm_struct *mm)
{
}

static void direct_kick(struct task_struct *t)
{
	struct thread_info *ti = t->ti;

	smp_mb();
	if (!READ_ONCE(ti->in_user) || ti == current_thread_info())
		return;
	if (READ_ONCE(ti->host_tid) > 0 && !xchg(&ti->kick_sent, 1))
		host_tgkill(ti->host_pid, ti->host_tid, HOST_KICK_SIGNAL);
}

static struct platform_ops direct_ops = {
	.name = "pku",
	.map = direct_map_pages,
	.unmap = direct_unmap,
	.protect = direct_protect,
	.shootdown = direct_shootdown,
	.mm_init = direct_mm_init,
	.mm_destroy = direct_mm_destroy,
	.start_thread = arch_start_thread,
	.switch_mm = arch_switch_mm,
	.exit_thread = arch_exit_thread,
	.kick = direct_kick,
};
bool platform_has_keys = true;

void platform_select(u32 which)
{
	platform = &direct_ops;
	if (which == 0) {
		direct_ops.name = "none";
		platform_has_keys = false;
	}
}
