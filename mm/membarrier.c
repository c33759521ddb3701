// SPDX-License-Identifier: Apache-2.0
/* membarrier: barriers on all running threads of a process. */
#include <husk/mm.h>
#include <husk/syscalls.h>
#include <linux/membarrier.h>
#include "internal.h"

/*
 * The threads of an address space are the threads of one host process, and the host interrupts those that run: the same call that the
 * kernel needs for itself when it patches text. Barriers over several processes (GLOBAL and its kin) are not offered.
 */
#define SUPPORTED                                                                                                      \
	(MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

SYSCALL_DEFINE3(membarrier, int, cmd, unsigned int, flags, int, cpu)
{
	struct mm_struct *mm = current->mm;

	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return SUPPORTED;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		__atomic_fetch_or(&mm->membarrier_state, cmd, __ATOMIC_RELAXED);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		if (!(mm->membarrier_state & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
			return -EPERM;
		break;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		if (!(mm->membarrier_state & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE))
			return -EPERM;
		break;
	default:
		return -EINVAL;
	}
	if (refcount_read(&mm->mm_users) == 1) {
		smp_mb();
		return 0;
	}
	return host_membarrier_sync_core();
}
