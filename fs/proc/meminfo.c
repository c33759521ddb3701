// SPDX-License-Identifier: Apache-2.0
/* /proc/meminfo, vmstat, buddyinfo, slabinfo. */
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/init.h>
#include <husk/proc_fs.h>
#include <husk/proc_mm.h>
#include <husk/slab.h>

static void line(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%-15s %8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static int meminfo_show(struct seq_file *m, void *v)
{
	unsigned long cached = vm_stat_read(NR_FILE_PAGES), shmem = vm_stat_read(NR_SHMEM),
		      anon = vm_stat_read(NR_ANON_PAGES);
	unsigned long file = cached - min(shmem, cached);

	line(m, "MemTotal:", totalram_pages);
	line(m, "MemFree:", nr_free_pages());
	line(m, "MemAvailable:", mem_available());
	line(m, "Buffers:", 0);
	line(m, "Cached:", cached);
	line(m, "SwapCached:", 0);
	line(m, "Active:", anon + file / 2);
	line(m, "Inactive:", shmem + file - file / 2);
	line(m, "Active(anon):", anon);
	line(m, "Inactive(anon):", shmem);
	line(m, "Active(file):", file / 2);
	line(m, "Inactive(file):", file - file / 2);
	line(m, "Unevictable:", 0);
	line(m, "Mlocked:", 0);
	line(m, "SwapTotal:", 0);
	line(m, "SwapFree:", 0);
	line(m, "Dirty:", vm_stat_read(NR_FILE_DIRTY));
	line(m, "Writeback:", vm_stat_read(NR_WRITEBACK));
	line(m, "AnonPages:", anon);
	line(m, "Mapped:", vm_stat_read(NR_FILE_MAPPED));
	line(m, "Shmem:", shmem);
	line(m, "KReclaimable:", 0);
	line(m, "Slab:", vm_stat_read(NR_SLAB));
	line(m, "SReclaimable:", 0);
	line(m, "SUnreclaim:", vm_stat_read(NR_SLAB));
	seq_printf(m, "%-15s %8lu kB\n", "KernelStack:", vm_stat_read(NR_KERNEL_STACK) << (PAGE_SHIFT - 10));
	line(m, "PageTables:", vm_stat_read(NR_PAGETABLE));
	line(m, "TextViews:", vm_stat_read(NR_TEXT_VIEW));
	line(m, "CommitLimit:", vm_commit_limit());
	line(m, "Committed_AS:", max_t(long, atomic_long_read(&vm_committed_as), 0));
	line(m, "VmallocTotal:", 0);
	line(m, "VmallocUsed:", 0);
	line(m, "VmallocChunk:", 0);
	line(m, "HugePages_Total:", 0);
	return 0;
}

static int vmstat_show(struct seq_file *m, void *v)
{
	seq_printf(m, "nr_free_pages %lu\n", nr_free_pages());
	seq_printf(m, "nr_anon_pages %lu\n", vm_stat_read(NR_ANON_PAGES));
	seq_printf(m, "nr_mapped %lu\n", vm_stat_read(NR_FILE_MAPPED));
	seq_printf(m, "nr_file_pages %lu\n", vm_stat_read(NR_FILE_PAGES));
	seq_printf(m, "nr_dirty %lu\n", vm_stat_read(NR_FILE_DIRTY));
	seq_printf(m, "nr_writeback %lu\n", vm_stat_read(NR_WRITEBACK));
	seq_printf(m, "nr_slab_unreclaimable %lu\n", vm_stat_read(NR_SLAB));
	seq_printf(m, "nr_page_table_pages %lu\n", vm_stat_read(NR_PAGETABLE));
	seq_printf(m, "nr_kernel_stack %lu\n", vm_stat_read(NR_KERNEL_STACK) << (PAGE_SHIFT - 10));
	seq_printf(m, "nr_shmem %lu\n", vm_stat_read(NR_SHMEM));
	seq_printf(m, "nr_text_view %lu\n", vm_stat_read(NR_TEXT_VIEW));
	seq_printf(m, "nr_host_backed_free %lu\n", nr_dirty_free_pages());
	seq_printf(m, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	seq_printf(m, "pgfault %lu\n", vm_stat_read(PGFAULT));
	seq_printf(m, "pgmajfault %lu\n", vm_stat_read(PGMAJFAULT));
	return 0;
}

static int buddyinfo_show(struct seq_file *m, void *v)
{
	static const char *const kind[2] = {"dirty", "zero"};
	struct zone_numbers n;

	zone_numbers(&n);
	for (int z = 0; z < 2; z++) {
		seq_printf(m, "Node 0, zone %8s ", kind[z]);
		for (unsigned int o = 0; o <= MAX_ORDER; o++)
			seq_printf(m, "%6lu ", n.nr[z][o] + (!o && !z ? n.cached : 0));
		seq_putc(m, '\n');
	}
	return 0;
}

static void slab_line(const struct slab_numbers *n, void *m)
{
	seq_printf(m, "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", n->name,
		   n->inuse, n->objects, n->size, n->per_slab, n->pages, 0, 0, 0, n->slabs, n->slabs, 0);
}

static int slabinfo_show(struct seq_file *m, void *v)
{
	seq_puts(m,
		 "slabinfo - version: 2.1\n"
		 "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
		 "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	slab_for_each_cache(slab_line, m);
	return 0;
}

PROC_SINGLE("meminfo", 0444, meminfo_show);
PROC_SINGLE("vmstat", 0444, vmstat_show);
PROC_SINGLE("buddyinfo", 0444, buddyinfo_show);
PROC_SINGLE("slabinfo", 0400, slabinfo_show);
