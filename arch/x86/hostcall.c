// SPDX-License-Identifier: Apache-2.0
// Calls to the host and the services built on them: futexes, mappings, clocks, the end of the sandbox.

#include <husk/mm.h>
#include <husk/time.h>
#include <hostif/hostif.h>
#include <asm/unistd.h>
#include <asm-generic/mman-common.h>
#include <asm/mman.h>
#include <linux/mman.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <elf.h>
#include "hostcall.h"
#include "arch.h"
#include "hostsig.h"

u64 host_secret;
struct hostif_boot *boot;
/* What mm and the kernel call through; the boot fills them in. */
const struct platform_ops *platform;
const struct text_ops *text_ops;

struct host_timespec {
	s64 sec, nsec;
};
static int (*vdso_clock_gettime)(int, struct host_timespec *);
static int (*vdso_getcpu)(unsigned *, unsigned *, void *);

/* mmap takes six arguments that all count: the secret rides in the upper halves of flags and fd */
long host_mmap(unsigned long addr, unsigned long len, int prot, int flags, int fd, u64 off)
{
	u64 s = host_secret;

	return host_call6(__NR_mmap, addr, len, prot, (u32)flags | (s << 32), (u32)fd | (s & 0xffffffff00000000ULL),
			  off);
}

long host_munmap(unsigned long addr, unsigned long len)
{
	return host_call(__NR_munmap, addr, len, 0, 0, 0);
}

long host_mprotect(unsigned long addr, unsigned long len, int prot)
{
	return host_call(__NR_mprotect, addr, len, prot, 0, 0);
}

long host_pkey_mprotect(unsigned long addr, unsigned long len, int prot, int pkey)
{
	return host_call(__NR_pkey_mprotect, addr, len, prot, pkey, 0);
}

long host_madvise(unsigned long addr, unsigned long len, int advice)
{
	return host_call(__NR_madvise, addr, len, advice, 0, 0);
}

long host_sigaltstack(void *ss)
{
	return host_call(__NR_sigaltstack, (u64)ss, 0, 0, 0, 0);
}

long host_tgkill(int tgid, int tid, int sig)
{
	return host_call(__NR_tgkill, tgid, tid, sig, 0, 0);
}

int host_gettid(void)
{
	return host_call(__NR_gettid, 0, 0, 0, 0, 0);
}

long host_membarrier_sync_core(void)
{
	return host_call(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0, 0, 0);
}

/* EFAULT: a guard page of a stack that is gone (stack_guard_stale); a touch mends that */
static int host_futex(u32 *uaddr, int op, u32 val, struct host_timespec *ts)
{
	int r = host_call(__NR_futex, (u64)uaddr, op, val, (u64)ts, 0);

	if (unlikely(r == -EFAULT)) {
		(void)READ_ONCE(*uaddr);
		r = host_call(__NR_futex, (u64)uaddr, op, val, (u64)ts, 0);
	}
	return r;
}

int host_futex_wait(u32 *uaddr, u32 val, s64 ns)
{
	struct host_timespec ts, *tp = NULL;

	if (ns != INT64_MAX) {
		if (ns < 0)
			ns = 0;
		ts.sec = ns / NSEC_PER_SEC;
		ts.nsec = ns % NSEC_PER_SEC;
		tp = &ts;
	}
	return host_futex(uaddr, FUTEX_WAIT, val, tp);
}

int host_futex_wake(u32 *uaddr, u32 n)
{
	return host_futex(uaddr, FUTEX_WAKE, n, NULL);
}

/* where a page of RAM lies in the direct map */
static inline unsigned long ram_addr(unsigned long pfn)
{
	return DIRECT_MAP_BASE + (pfn << PAGE_SHIFT);
}

int host_ram_release(unsigned long pfn, unsigned long npages)
{
	return host_madvise(ram_addr(pfn), npages << PAGE_SHIFT, MADV_REMOVE);
}

/*
 * The host's fallocate() takes the largest folio, of any order, that fits into the hole of the file there. A page in the other half of what is twice as large
 * keeps it to what is wanted. That page comes by a fault in the direct map, where folios are single pages (MADV_NOHUGEPAGE): the
 * last one, for the first of a stack is its guard page.
 */
int host_ram_back(unsigned long pfn, unsigned int order, enum ram_other_half other)
{
	unsigned long half = pfn ^ (1UL << order), half_end = half + (1UL << order), bytes = PAGE_SIZE << order;
	int *stop, err;

	if (half_end > boot->ram_size >> PAGE_SHIFT)
		other = RAM_HALF_BACKED;
	stop = (int *)ram_addr(half_end - 1);
	if (other == RAM_HALF_FRESH)
		WRITE_ONCE(*stop, 0);
	else if (other == RAM_HALF_UNKNOWN)
		(void)READ_ONCE(*stop); /* somebody's, perhaps: a read brings a page, too */
	err = host_call(__NR_fallocate, HOSTIF_RAM_FD, 0, pfn << PAGE_SHIFT, bytes, 0);
	if (other == RAM_HALF_FRESH)
		host_madvise((unsigned long)stop, PAGE_SIZE, MADV_REMOVE);
	return err;
}

void host_clock_gettime(int clk, s64 *sec, s64 *nsec)
{
	int (*in_vdso)(int, struct host_timespec *) = READ_ONCE(vdso_clock_gettime);
	struct host_timespec ts = {0};

	if (likely(in_vdso))
		in_vdso(clk, &ts);
	else
		host_call(__NR_clock_gettime, clk, (u64)&ts, 0, 0, 0);
	*sec = ts.sec;
	*nsec = ts.nsec;
}

/**
 * vdso_clock_trap - the vDSO made a system call in the kernel's stead, without the secret
 * @c: where the host's filter stopped it
 *
 * It can read few of the clock sources that a host may have, and a host may leave one of those for another at any time (a TSC that
 * is found to be unstable). The call is made here, and from now on always.
 */
bool vdso_clock_trap(struct host_sigcontext *c)
{
	if (!boot->vdso || c->ip < boot->vdso || c->ip >= boot->vdso_end || c->ax != __NR_clock_gettime)
		return false;
	WRITE_ONCE(vdso_clock_gettime, NULL);
	c->ax = host_call(__NR_clock_gettime, c->di, c->si, 0, 0, 0);
	return true;
}

u64 host_thread_cputime(void)
{
	struct host_timespec ts = {0};

	/* the vDSO has no thread clock: it would fall back to a system call without the secret */
	host_call(__NR_clock_gettime, 3 /* CLOCK_THREAD_CPUTIME_ID */, (u64)&ts, 0, 0, 0);
	return ts.sec * NSEC_PER_SEC + ts.nsec;
}

unsigned host_getcpu(void)
{
	unsigned cpu = 0;

	if (vdso_getcpu)
		vdso_getcpu(&cpu, NULL, NULL);
	return cpu;
}

void host_yield(void)
{
	host_call(__NR_sched_yield, 0, 0, 0, 0, 0);
}

void host_set_affinity(unsigned long mask)
{
	host_call(__NR_sched_setaffinity, 0, sizeof(mask), (u64)&mask, 0, 0);
}

long host_wait4(int *status)
{
	return host_call(__NR_wait4, (u64)-1, (u64)status, 0x40000000 /* __WALL */, 0, 0);
}

long host_set_pdeathsig(void)
{
	return host_call(__NR_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL, 0, 0, 0);
}

void host_shutdown(int status)
{
	boot->exit_status = status;
	__atomic_store_n(&boot->state, HOSTIF_EXITED, __ATOMIC_SEQ_CST);
	host_futex_wake(&boot->state, 1);
	for (;;)
		host_futex_wait(&boot->state, HOSTIF_EXITED, INT64_MAX);
}

/* The vDSO's functions, found through its dynamic symbol table. */
void vdso_init(u64 base)
{
	Elf64_Ehdr *eh = (void *)base;
	Elf64_Phdr *ph = (void *)(base + eh->e_phoff);
	Elf64_Dyn *dyn = NULL;
	Elf64_Sym *sym = NULL;
	const char *str = NULL;
	u64 load = 0;
	u32 nsym = 0;

	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			load = base + ph[i].p_offset - ph[i].p_vaddr;
		else if (ph[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_SYMTAB)
			sym = (void *)(load + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_STRTAB)
			str = (void *)(load + dyn->d_un.d_ptr);
		else if (dyn->d_tag == DT_HASH)
			nsym = ((u32 *)(load + dyn->d_un.d_ptr))[1];
	}
	if (!sym || !str)
		return;
	if (!nsym) /* only a GNU hash: the string table follows the symbols */
		nsym = ((u64)str - (u64)sym) / sizeof(*sym);
	for (u32 i = 1; i < nsym && i < 64; i++) {
		if (!strcmp(str + sym[i].st_name, "__vdso_clock_gettime"))
			vdso_clock_gettime = (void *)(load + sym[i].st_value);
		else if (!strcmp(str + sym[i].st_name, "__vdso_getcpu"))
			vdso_getcpu = (void *)(load + sym[i].st_value);
	}
}
