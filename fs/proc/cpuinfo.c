// SPDX-License-Identifier: Apache-2.0
/* /proc/cpuinfo: the processor as cpuid tells, in Linux's words. */
#include "internal.h"
#include <husk/boot.h>
#include <husk/init.h>
#include <cpuid.h>

/* Names of feature bits, in the order in which Linux lists the registers. NULL: not listed. */
static const char *const leaf1_edx[32] = {
	"fpu",	"vme",	"de",	"pse", "tsc",  "msr", "pae",   "mce", "cx8",	 "apic", NULL,
	"sep",	"mtrr", "pge",	"mca", "cmov", "pat", "pse36", "pn",  "clflush", NULL,	 "dts",
	"acpi", "mmx",	"fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",	 "pbe",
};
static const char *const ext1_edx[32] = {
	[11] = "syscall", [19] = "mp",	   [20] = "nx", [22] = "mmxext",   [25] = "fxsr_opt",
	[26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow",
};
static const char *const leaf1_ecx[32] = {
	"pni",	  "pclmulqdq",	"dtes64", "monitor", "ds_cpl",
	"vmx",	  "smx",	"est",	  "tm2",     "ssse3",
	"cid",	  "sdbg",	"fma",	  "cx16",    "xtpr",
	"pdcm",	  NULL,		"pcid",	  "dca",     "sse4_1",
	"sse4_2", "x2apic",	"movbe",  "popcnt",  "tsc_deadline_timer",
	"aes",	  "xsave",	NULL,	  "avx",     "f16c",
	"rdrand", "hypervisor",
};
static const char *const ext1_ecx[32] = {
	"lahf_lm",	 "cmp_legacy", "svm",	"extapic",    "cr8_legacy",  "abm",    "sse4a",	  "misalignsse",
	"3dnowprefetch", "osvw",       "ibs",	"xop",	      "skinit",	     "wdt",    NULL,	  "lwp",
	"fma4",		 "tce",	       NULL,	"nodeid_msr", NULL,	     "tbm",    "topoext", "perfctr_core",
	"perfctr_nb",	 NULL,	       "bpext", "ptsc",	      "perfctr_llc", "mwaitx",
};
static const char *const leaf7_ebx[32] = {
	"fsgsbase", "tsc_adjust", "sgx",      "bmi1",	  "hle",      "avx2",	    NULL,	"smep",
	"bmi2",	    "erms",	  "invpcid",  "rtm",	  "cqm",      NULL,	    "mpx",	"rdt_a",
	"avx512f",  "avx512dq",	  "rdseed",   "adx",	  "smap",     "avx512ifma", NULL,	"clflushopt",
	"clwb",	    "intel_pt",	  "avx512pf", "avx512er", "avx512cd", "sha_ni",	    "avx512bw", "avx512vl",
};
static const char *const leafd_eax[32] = {"xsaveopt", "xsavec", "xgetbv1", "xsaves"};
static const char *const leaf7a_eax[32] = {[4] = "avx_vnni", [5] = "avx512_bf16"};
static const char *const ext8_ebx[32] = {
	[0] = "clzero", [1] = "irperf", [2] = "xsaveerptr", [4] = "rdpru", [9] = "wbnoinvd",
};
/* protection keys (bits 3, 4) are the sandbox's own: pkey_alloc() has none to give, so they are not listed */
static const char *const leaf7_ecx[32] = {
	[1] = "avx512vbmi",
	[2] = "umip",
	[5] = "waitpkg",
	[6] = "avx512_vbmi2",
	[8] = "gfni",
	[9] = "vaes",
	[10] = "vpclmulqdq",
	[11] = "avx512_vnni",
	[12] = "avx512_bitalg",
	[13] = "tme",
	[14] = "avx512_vpopcntdq",
	[16] = "la57",
	[22] = "rdpid",
	[24] = "bus_lock_detect",
	[25] = "cldemote",
	[27] = "movdiri",
	[28] = "movdir64b",
};
static const char *const leaf7_edx[32] = {
	[2] = "avx512_4vnniw",	     [3] = "avx512_4fmaps", [4] = "fsrm",
	[8] = "avx512_vp2intersect", [10] = "md_clear",	    [14] = "serialize",
	[16] = "tsxldtrk",	     [18] = "pconfig",	    [19] = "arch_lbr",
	[22] = "amx_bf16",	     [23] = "avx512_fp16",  [24] = "amx_tile",
	[25] = "amx_int8",	     [28] = "flush_l1d",    [29] = "arch_capabilities",
};

static struct cpu_description {
	char vendor[13], model_name[49];
	unsigned family, model, stepping, level, cache_kb, clflush, phys_bits, virt_bits;
	unsigned mhz, khz; /* mhz.khz */
	u32 f[10];
} cpu;

static const char *const *const words[] = {leaf1_edx, ext1_edx,	  leaf1_ecx, ext1_ecx,	leaf7_ebx,
					   leafd_eax, leaf7a_eax, ext8_ebx,  leaf7_ecx, leaf7_edx};

static void read_names(void)
{
	u32 r[12], a, b, c, d;
	char *p = cpu.model_name;

	__cpuid(0, cpu.level, b, c, d);
	memcpy(cpu.vendor, &b, 4);
	memcpy(cpu.vendor + 4, &d, 4);
	memcpy(cpu.vendor + 8, &c, 4);
	__cpuid(0x80000000, a, b, c, d);
	if (a < 0x80000004) {
		strscpy(p, "unknown", sizeof(cpu.model_name));
		return;
	}
	for (int i = 0; i < 3; i++)
		__cpuid(0x80000002 + i, r[i * 4], r[i * 4 + 1], r[i * 4 + 2], r[i * 4 + 3]);
	memcpy(p, r, 48);
	p[48] = 0;
	strscpy(p, strim(p), sizeof(cpu.model_name));
}

static void read_features(void)
{
	u32 a, b, c, d, max_ext;

	__cpuid(1, a, b, c, d);
	cpu.stepping = a & 15;
	cpu.model = (a >> 4) & 15;
	cpu.family = (a >> 8) & 15;
	if (cpu.family == 6 || cpu.family == 15)
		cpu.model |= (a >> 12) & 0xf0;
	if (cpu.family == 15)
		cpu.family += (a >> 20) & 0xff;
	cpu.clflush = ((b >> 8) & 0xff) * 8;
	cpu.f[0] = d;
	cpu.f[2] = c;
	__cpuid(0x80000000, max_ext, b, c, d);
	__cpuid(0x80000001, a, b, c, d);
	cpu.f[1] = d;
	cpu.f[3] = c;
	if (cpu.level >= 7) {
		__cpuid_count(7, 0, a, b, c, d);
		cpu.f[4] = b;
		cpu.f[8] = c;
		cpu.f[9] = d;
		if (a >= 1) {
			__cpuid_count(7, 1, a, b, c, d);
			cpu.f[6] = a;
		}
	}
	if (cpu.level >= 13) {
		__cpuid_count(13, 1, a, b, c, d);
		cpu.f[5] = a;
	}
	cpu.phys_bits = 36;
	cpu.virt_bits = 48;
	if (max_ext >= 0x80000008) {
		__cpuid(0x80000008, a, b, c, d);
		cpu.phys_bits = a & 0xff;
		cpu.virt_bits = (a >> 8) & 0xff;
		cpu.f[7] = b;
	}
}

/* read_cache: size of the last-level cache, from the deterministic cache parameters */
static void read_cache(void)
{
	u32 a, b, c, d, leaf = !strcmp(cpu.vendor, "AuthenticAMD") ? 0x8000001d : 4;

	if (leaf == 4 && cpu.level < 4)
		return;
	for (int i = 0; i < 8; i++) {
		__cpuid_count(leaf, i, a, b, c, d);
		if (!(a & 31))
			break;
		cpu.cache_kb = (u64)((b >> 22) + 1) * (((b >> 12) & 0x3ff) + 1) * ((b & 0xfff) + 1) * (c + 1) / 1024;
	}
}

/* read_speed: the TSC's rate against the clock since the sandbox began, kHz. The clock the processor is sold by, more or less. */
static void read_speed(void)
{
	static u64 tsc0, ns0;
	u64 tsc = __builtin_ia32_rdtsc(), ns = ktime_get_ns();

	if (!ns0) {
		tsc0 = tsc;
		ns0 = ns;
		return;
	}
	if (ns - ns0 > 10 * NSEC_PER_MSEC) {
		u64 khz = (tsc - tsc0) * 1000 / ((ns - ns0) / 1000);

		cpu.mhz = khz / 1000;
		cpu.khz = khz % 1000;
	}
}

static bool rdtsc_synthetic(int bit_of_ext7)
{
	u32 a, b, c, d;

	__cpuid(0x80000000, a, b, c, d);
	if (a < 0x80000007)
		return false;
	__cpuid(0x80000007, a, b, c, d);
	return d >> bit_of_ext7 & 1;
}

static void print_flags(struct seq_file *m)
{
	seq_puts(m, "flags\t\t:");
	for (unsigned w = 0; w < ARRAY_SIZE(words); w++) {
		for (int i = 0; i < 32; i++)
			if (cpu.f[w] >> i & 1 && words[w][i])
				seq_printf(m, " %s", words[w][i]);
		if (w == 1) {
			if (rdtsc_synthetic(8))
				seq_puts(m, " constant_tsc");
			seq_puts(m, " rep_good nopl xtopology");
			if (rdtsc_synthetic(8))
				seq_puts(m, " nonstop_tsc");
			seq_puts(m, " cpuid");
		}
	}
	seq_puts(m, "\nbugs\t\t:\n");
}

static void print_cpu(struct seq_file *m, unsigned n, unsigned count)
{
	seq_printf(m, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\n", n,
		   cpu.vendor, cpu.family, cpu.model, cpu.model_name);
	if (cpu.stepping)
		seq_printf(m, "stepping\t: %u\n", cpu.stepping);
	else
		seq_puts(m, "stepping\t: unknown\n");
	seq_printf(m, "cpu MHz\t\t: %u.%03u\n", cpu.mhz, cpu.khz);
	if (cpu.cache_kb)
		seq_printf(m, "cache size\t: %u KB\n", cpu.cache_kb);
	seq_printf(m,
		   "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\ninitial "
		   "apicid\t: %u\n",
		   count, n, count, n, n);
	seq_printf(m, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", cpu.level);
	print_flags(m);
	seq_printf(m, "bogomips\t: %u.%02u\nclflush size\t: %u\ncache_alignment\t: %u\n", cpu.mhz * 2 + cpu.khz / 500,
		   cpu.khz % 500 / 5, cpu.clflush, cpu.clflush);
	seq_printf(m, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", cpu.phys_bits,
		   cpu.virt_bits);
}

static int cpuinfo_show(struct seq_file *m, void *v)
{
	unsigned count = boot->host_ncpus ? boot->host_ncpus : 1;
	static DEFINE_MUTEX(lock);

	mutex_lock(&lock);
	if (!cpu.level) {
		read_names();
		read_features();
		read_cache();
	}
	read_speed();
	mutex_unlock(&lock);
	for (unsigned n = 0; n < count; n++)
		print_cpu(m, n, count);
	return 0;
}

static int cpuinfo_init(void)
{
	read_speed(); /* the first of two samples */
	proc_create_single("cpuinfo", 0444, NULL, cpuinfo_show);
	return 0;
}
subsys_initcall(cpuinfo_init);
