// SPDX-License-Identifier: Apache-2.0
/* /proc/sys/fs: what path walks and descriptor tables allow. */
#include "namei.h"
#include <husk/proc_fs.h>
#include <husk/init.h>

static int nr_open = 1024 * 1024, leases_enable;

SYSCTL_INT("fs/nr_open", 0444, nr_open, 0, INT32_MAX);
SYSCTL_INT("fs/leases-enable", 0444, leases_enable, 0, 1);
SYSCTL_INT("fs/protected_symlinks", 0600, sysctl_protected_symlinks, 0, 1);
SYSCTL_INT("fs/protected_hardlinks", 0600, sysctl_protected_hardlinks, 0, 1);
