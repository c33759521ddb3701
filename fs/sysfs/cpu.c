// SPDX-License-Identifier: Apache-2.0
/* /sys/devices/system/cpu and node, and the character devices below /sys/class. */
#include <husk/proc_fs.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/device.h>
#include <cpuid.h>

static unsigned ncpus(void)
{
	return boot->host_ncpus ? boot->host_ncpus : 1;
}

static int range_show(char *buf, size_t n, void *priv)
{
	if (ncpus() == 1)
		return scnprintf(buf, n, "0\n");
	return scnprintf(buf, n, "0-%u\n", ncpus() - 1);
}

static int empty_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "\n");
}

static int number_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "%ld\n", (long)priv);
}

static int text_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "%s\n", (const char *)priv);
}

/* mask: of all processors (priv NULL), or of the one numbered priv - 1; groups of 32 bits, highest first */
static int mask_show(char *buf, size_t n, void *priv)
{
	unsigned count = ncpus(), groups = (count + 31) / 32, len = 0;
	long only = (long)priv - 1;

	for (int g = groups - 1; g >= 0; g--) {
		u32 word = 0;

		for (unsigned b = 0; b < 32; b++) {
			unsigned cpu = g * 32 + b;

			if (cpu < count && (only < 0 || cpu == only))
				word |= 1u << b;
		}
		if (g == (int)groups - 1)
			len += scnprintf(buf + len, n - len, "%0*x", (int)((count - g * 32 + 3) / 4), word);
		else
			len += scnprintf(buf + len, n - len, ",%08x", word);
	}
	return len + scnprintf(buf + len, n - len, "\n");
}

static void file(const char *dir, const char *name, int (*show)(char *, size_t, void *), void *priv)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	sysfs_create_file(path, 0444, show, NULL, priv);
}

static void add_topology(const char *cpu_dir, long cpu)
{
	char dir[72];

	snprintf(dir, sizeof(dir), "%s/topology", cpu_dir);
	file(dir, "physical_package_id", number_show, (void *)0);
	file(dir, "die_id", number_show, (void *)0);
	file(dir, "core_id", number_show, (void *)cpu);
	file(dir, "thread_siblings", mask_show, (void *)(cpu + 1));
	file(dir, "thread_siblings_list", number_show, (void *)cpu);
	file(dir, "core_cpus", mask_show, (void *)(cpu + 1));
	file(dir, "core_cpus_list", number_show, (void *)cpu);
	file(dir, "core_siblings", mask_show, NULL);
	file(dir, "core_siblings_list", range_show, NULL);
	file(dir, "package_cpus", mask_show, NULL);
	file(dir, "package_cpus_list", range_show, NULL);
}

struct cache_info {
	char size[16];
	const char *type;
	long level, line, ways, sets;
};

/* add_caches: as cpuid's deterministic cache parameters tell; every processor has the same */
static void add_caches(const char *cpu_dir, struct cache_info *info, int count, long cpu)
{
	for (int i = 0; i < count; i++) {
		char dir[80];

		snprintf(dir, sizeof(dir), "%s/cache/index%d", cpu_dir, i);
		file(dir, "level", number_show, (void *)info[i].level);
		file(dir, "type", text_show, (void *)info[i].type);
		file(dir, "size", text_show, info[i].size);
		file(dir, "coherency_line_size", number_show, (void *)info[i].line);
		file(dir, "ways_of_associativity", number_show, (void *)info[i].ways);
		file(dir, "number_of_sets", number_show, (void *)info[i].sets);
		file(dir, "shared_cpu_map", mask_show, info[i].level >= 3 ? NULL : (void *)(cpu + 1));
		file(dir, "shared_cpu_list", info[i].level >= 3 ? range_show : number_show, (void *)cpu);
	}
}

static int read_caches(struct cache_info *info, int max)
{
	static const char *const types[] = {"", "Data", "Instruction", "Unified"};
	u32 a, b, c, d, top, leaf = 4;
	int n = 0;

	__cpuid(0, top, b, c, d);
	if (c == 0x444d4163) /* "cAMD" */
		leaf = 0x8000001d;
	else if (top < 4)
		return 0;
	for (; n < max; n++) {
		__cpuid_count(leaf, n, a, b, c, d);
		if (!(a & 31) || (a & 31) > 3)
			break;
		info[n] = (struct cache_info){.type = types[a & 31],
					      .level = (a >> 5) & 7,
					      .line = (b & 0xfff) + 1,
					      .ways = (b >> 22) + 1,
					      .sets = (long)c + 1};
		snprintf(info[n].size, sizeof(info[n].size), "%ldK",
			 info[n].line * info[n].ways * info[n].sets * (((b >> 12) & 0x3ff) + 1) / 1024);
	}
	return n;
}

static void add_cpus(void)
{
	static const char base[] = "devices/system/cpu";
	static struct cache_info caches[8];
	int ncaches = read_caches(caches, ARRAY_SIZE(caches));

	file(base, "online", range_show, NULL);
	file(base, "possible", range_show, NULL);
	file(base, "present", range_show, NULL);
	file(base, "offline", empty_show, NULL);
	file(base, "isolated", empty_show, NULL);
	file(base, "kernel_max", number_show, (void *)(long)(ncpus() - 1));
	for (unsigned i = 0; i < ncpus(); i++) {
		char dir[48], link[64];

		snprintf(dir, sizeof(dir), "%s/cpu%u", base, i);
		add_topology(dir, i);
		add_caches(dir, caches, ncaches, i);
		snprintf(link, sizeof(link), "devices/system/node/node0/cpu%u", i);
		snprintf(dir, sizeof(dir), "../../cpu/cpu%u", i);
		sysfs_create_link(link, dir);
	}
}

static int node_zero_show(char *buf, size_t n, void *priv)
{
	return scnprintf(buf, n, "0\n");
}

static int node_meminfo_show(char *buf, size_t n, void *priv)
{
	unsigned long total = totalram_pages << 2, free = nr_free_pages() << 2;

	return scnprintf(
		buf, n,
		"Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\nNode 0 MemUsed:        %8lu kB\n",
		total, free, total > free ? total - free : 0);
}

static void add_node(void)
{
	static const char base[] = "devices/system/node", node[] = "devices/system/node/node0";

	file(base, "online", node_zero_show, NULL);
	file(base, "possible", node_zero_show, NULL);
	file(base, "has_cpu", node_zero_show, NULL);
	file(base, "has_memory", node_zero_show, NULL);
	file(base, "has_normal_memory", node_zero_show, NULL);
	file(node, "cpulist", range_show, NULL);
	file(node, "cpumap", mask_show, NULL);
	file(node, "meminfo", node_meminfo_show, NULL);
	file(node, "distance", number_show, (void *)10L);
}

static int dev_show(char *buf, size_t n, void *priv)
{
	dev_t dev = (dev_t)priv;

	return scnprintf(buf, n, "%u:%u\n", MAJOR(dev), MINOR(dev));
}

static int uevent_show(char *buf, size_t n, void *priv)
{
	dev_t dev = (dev_t)priv;
	static const struct {
		dev_t dev;
		const char *name;
	} names[] = {
		{MKDEV(1, 3), "null"},	 {MKDEV(1, 5), "zero"},	   {MKDEV(1, 7), "full"},
		{MKDEV(1, 8), "random"}, {MKDEV(1, 9), "urandom"}, {MKDEV(1, 11), "kmsg"},
		{MKDEV(5, 0), "tty"},	 {MKDEV(5, 1), "console"}, {MKDEV(5, 2), "ptmx"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].dev == dev)
			return scnprintf(buf, n, "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\n", MAJOR(dev), MINOR(dev),
					 names[i].name);
	return scnprintf(buf, n, "MAJOR=%u\nMINOR=%u\n", MAJOR(dev), MINOR(dev));
}

static void add_device(const char *class, const char *name, unsigned major, unsigned minor)
{
	char dir[64], link[64], target[80];
	void *dev = (void *)MKDEV(major, minor);

	snprintf(dir, sizeof(dir), "devices/virtual/%s/%s", class, name);
	file(dir, "dev", dev_show, dev);
	file(dir, "uevent", uevent_show, dev);
	snprintf(link, sizeof(link), "class/%s/%s", class, name);
	snprintf(target, sizeof(target), "../../devices/virtual/%s/%s", class, name);
	sysfs_create_link(link, target);
	snprintf(link, sizeof(link), "dev/char/%u:%u", major, minor);
	sysfs_create_link(link, target);
	snprintf(link, sizeof(link), "%s/subsystem", dir);
	snprintf(target, sizeof(target), "../../../../class/%s", class);
	sysfs_create_link(link, target);
}

static void sysfs_populate(void)
{
	static const char *const dirs[] = {"block",	"bus",	     "class/tty", "class/net",	    "class/block",
					   "class/mem", "dev/block", "dev/char",  "devices/system", "devices/virtual",
					   "firmware",	"fs/cgroup", "kernel/mm", "kernel/debug",   "module",
					   "power"};

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		sysfs_create_dir(dirs[i]);
	add_cpus();
	add_node();
	add_device("mem", "null", 1, 3);
	add_device("mem", "zero", 1, 5);
	add_device("mem", "full", 1, 7);
	add_device("mem", "random", 1, 8);
	add_device("mem", "urandom", 1, 9);
	add_device("mem", "kmsg", 1, 11);
	add_device("tty", "tty", 5, 0);
	add_device("tty", "console", 5, 1);
	add_device("tty", "ptmx", 5, 2);
	sysfs_create_file("kernel/mm/transparent_hugepage/enabled", 0444, text_show, NULL,
			  (void *)"always madvise [never]");
}

static int sysfs_cpu_init(void)
{
	sysfs_populate_later(sysfs_populate);
	return 0;
}
subsys_initcall(sysfs_cpu_init);
