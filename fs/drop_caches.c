// SPDX-License-Identifier: Apache-2.0
/* /proc/sys/vm/drop_caches: clean pages of files that nobody maps (1), names and inodes that nobody uses (2). */
#include "internal.h"
#include <husk/fs.h>
#include <husk/mm.h>
#include <husk/proc_fs.h>

#define DROP_PAGES 1
#define DROP_NAMES 2
#define DROP_QUIETLY 4
#define BATCH 1024

static int last_drop;

/* What was used since the last look survives one round. */
static void until_nothing_goes(unsigned long (*drop)(unsigned long), unsigned long nr)
{
	for (int idle = 0; idle < 2 && !fatal_signal_pending(current);)
		idle = drop(nr) ? 0 : idle + 1;
}

static int drop_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", last_drop);
	return 0;
}

static int drop_store(char *buf, void *data)
{
	long long what;

	if (kstrtoll(buf, 10, &what) || what < DROP_PAGES || what > DROP_QUIETLY)
		return -EINVAL;
	last_drop = what;
	if (what & DROP_PAGES)
		until_nothing_goes(reclaim_pages, ~0UL);
	if (what & DROP_NAMES)
		until_nothing_goes(shrink_dcache, BATCH);
	if (!(what & DROP_QUIETLY))
		pr_info("%s (%d): drop_caches: %lld\n", current->comm, current->tgid, what);
	return 0;
}

SYSCTL_RW("vm/drop_caches", 0200, drop_show, drop_store, NULL);
