// SPDX-License-Identifier: Apache-2.0
// Commit accounting, and what happens when memory is gone.
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/proc_fs.h>
#include "internal.h"

int sysctl_overcommit_memory, sysctl_overcommit_ratio = 50;
atomic_long_t vm_committed_as;

unsigned long vm_commit_limit(void)
{
	return totalram_pages * sysctl_overcommit_ratio / 100;
}

int vm_enough_memory(long pages)
{
	long reserve;

	atomic_long_add(pages, &vm_committed_as);
	if (sysctl_overcommit_memory == 1)
		return 0;
	if (sysctl_overcommit_memory == 0) {
		/* only what cannot ever be */
		if ((unsigned long)pages <= totalram_pages)
			return 0;
		goto out;
	}
	reserve = capable(CAP_SYS_ADMIN) ? 0 : min_t(long, totalram_pages / 32, 2048);
	if (atomic_long_read(&vm_committed_as) <= (long)vm_commit_limit() - reserve)
		return 0;
out:
	vm_unacct_memory(pages);
	return -ENOMEM;
}

void vm_unacct_memory(long pages)
{
	atomic_long_sub(pages, &vm_committed_as);
}

static bool (*oom_killer)(void);

/**
 * register_oom_killer - who makes room when nothing can be reclaimed
 * @killer: called by a task that needs memory, without locks; may sleep. true: try the allocation again
 */
void register_oom_killer(bool (*killer)(void))
{
	oom_killer = killer;
}

bool out_of_memory(gfp_t gfp)
{
	if (fatal_signal_pending(current) || (current->flags & PF_EXITING))
		return false;
	return reclaim_wait() || (oom_killer && oom_killer());
}

SYSCTL_INT("vm/overcommit_memory", 0644, sysctl_overcommit_memory, 0, 2);
SYSCTL_INT("vm/overcommit_ratio", 0644, sysctl_overcommit_ratio, 0, 1000);
