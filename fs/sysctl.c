// SPDX-License-Identifier: Apache-2.0
/* /proc/sys/fs: what path walks and descriptor tables allow. */
#include "namei.h"
#include <husk/proc_fs.h>
#include <husk/init.h>

static int nr_open = 1024 * 1024, leases_enable;

static int fs_sysctl_init(void)
{
	register_sysctl_int("fs/nr_open", 0444, &nr_open, 0, INT32_MAX);
	register_sysctl_int("fs/leases-enable", 0444, &leases_enable, 0, 1);
	register_sysctl_int("fs/protected_symlinks", 0600, &sysctl_protected_symlinks, 0, 1);
	register_sysctl_int("fs/protected_hardlinks", 0600, &sysctl_protected_hardlinks, 0, 1);
	return 0;
}
device_initcall(fs_sysctl_init);
