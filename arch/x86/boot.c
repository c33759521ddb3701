// SPDX-License-Identifier: Apache-2.0
// From the monitor's jump to start_kernel(): take the secret, choose the platform, empty the address space, bring up memory.

#include <husk/mm.h>
#include <husk/oops.h>
#include <husk/time.h>
#include <hostif/hostif.h>
#include <linux/mman.h>
#include "arch.h"
#include "asm.h"
#include "hostcall.h"
#include "scan.h"
#include "text.h"

void platform_select(u32 which);
void start_kernel(void) __noreturn;
void random_init(const u64 *seed);
u64 ram_bytes; /* what the direct map spans, for the gate */
extern u64 __start_pkru_sites[], __stop_pkru_sites[];

#define offset_of_regs(f, o) static_assert(offsetof(struct pt_regs, f) == (o), #f)
offset_of_regs(r15, R_R15);
offset_of_regs(ax, R_AX);
offset_of_regs(orig_ax, R_ORIG_AX);
offset_of_regs(ip, R_IP);
offset_of_regs(sp, R_SP);
offset_of_regs(ss, R_SS);
static_assert(offsetof(struct thread_info, task) == TI_TASK, "TI_TASK");
static_assert(offsetof(struct thread_info, flags) == TI_FLAGS, "TI_FLAGS");
static_assert(offsetof(struct thread_info, in_user) == TI_IN_USER, "TI_IN_USER");
static_assert(offsetof(struct thread_info, kstack_top) == TI_KSTACK, "TI_KSTACK");
static_assert(offsetof(struct thread_info, mm_id) == TI_MM_ID, "TI_MM_ID");
static_assert(offsetof(struct thread_info, host_tid) == TI_HOST_TID, "TI_HOST_TID");
static_assert(offsetof(struct thread_info, slot) == TI_SLOT, "TI_SLOT");
static_assert(TIF_FULL_EXIT_BIT == 1 << TIF_FULL_EXIT, "TIF_FULL_EXIT");
static_assert(DIRECT_MAP_BASE == ASM_DIRECT_MAP, "asm.h agrees");
static_assert(THREAD_SIZE == ASM_THREAD_SIZE && TASK_SIZE == ASM_TASK_SIZE, "asm.h agrees");
static_assert(GATE_SCRATCH_BASE == ASM_GATE_SCRATCH && PROC_PRIVATE_BASE == ASM_PROC_PRIVATE, "asm.h agrees");

/* Where there are no keys, every wrpkru becomes a nop; text is written through its place in the direct map. */
static void patch_pkru_sites(void)
{
	static const u8 nop3[3] = {0x0f, 0x1f, 0x00};

	for (u64 *s = __start_pkru_sites; s < __stop_pkru_sites; s++)
		memcpy(phys_to_virt(HOSTIF_KERNEL_PHYS + (*s - KERNEL_BASE)), nop3, 3);
}

#define HOST_TOP 0x7ffffffff000ULL

/*
 * The host's vDSO is text that user code can run: it stays only where it holds nothing that user code must not have. It also stays only
 * above the window; under "ulimit -s unlimited" the host puts it below, where the guest's programs are to be.
 */
static void check_vdso(u64 direct_end)
{
	size_t at;

	if (boot->vdso_start >= direct_end && boot->vdso >= boot->vdso_start && boot->vdso_end > boot->vdso &&
	    boot->vdso_end <= HOST_TOP) {
		if (!scan_text((u8 *)boot->vdso, boot->vdso_end - boot->vdso, &at))
			return;
		pr_warn("the host's vDSO has a forbidden instruction at %zx; it is not used", at);
	}
	boot->vdso = boot->vdso_start = boot->vdso_end = 0;
}

/* Everything of the monitor's goes; what stays is the kernel window and the vDSO. */
static void unmap_monitor(u64 direct_end)
{
	u64 lo = boot->vdso_start, hi = boot->vdso_end;

	host_munmap(0, TASK_SIZE);
	if (!boot->vdso) {
		host_munmap(direct_end, HOST_TOP - direct_end);
		return;
	}
	host_munmap(direct_end, lo - direct_end);
	host_munmap(hi, HOST_TOP - hi);
}

static_assert(GATE_SCRATCH_BASE == HOSTIF_SCRATCH_ADDR && MAX_THREAD_SLOTS << SLOT_SHIFT == HOSTIF_SCRATCH_SIZE,
	      "the filter allows the scratch lines");
static_assert(PROC_PRIVATE_BASE + PAGE_SIZE == HOSTIF_PRIVATE_ADDR + HOSTIF_PRIVATE_SIZE,
	      "the filter allows the private page");

static void map_process_pages(void)
{
	int key_prot = PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
	long r;

	r = host_mmap(HOSTIF_SCRATCH_ADDR, HOSTIF_SCRATCH_SIZE, key_prot, flags, -1, 0);
	if (r < 0 && r > -4096)
		panic("mapping the gate's scratch lines: %ld", r);
	r = host_mmap(HOSTIF_PRIVATE_ADDR, HOSTIF_PRIVATE_SIZE, key_prot, flags, -1, 0);
	if (r < 0 && r > -4096)
		panic("mapping the process page: %ld", r);
	if (platform_has_keys && (r = host_pkey_mprotect(HOSTIF_PRIVATE_ADDR, HOSTIF_PRIVATE_SIZE, key_prot, 1)))
		panic("protecting the process page: %ld", r);
}

static __noreturn __used void boot_on_slot(void)
{
	struct thread_info *ti = current_thread_info();

	thread_enter(ti);
	start_kernel();
}

__noreturn __used void arch_boot(struct hostif_boot *b)
{
	struct thread_info *ti;
	s64 sec, nsec;

	boot = b;
	ram_bytes = b->ram_size;
	host_secret = b->secret;
	WRITE_ONCE(b->secret, 0);
	direct_map = (char *)DIRECT_MAP_BASE;
	platform_select(b->platform);
	text_ops = &arch_text_ops;
	if (!platform_has_keys)
		patch_pkru_sites();
	check_vdso(DIRECT_MAP_BASE + b->ram_size);
	unmap_monitor(DIRECT_MAP_BASE + b->ram_size);
	map_process_pages();
	host_process_init(1, true);
	proc_private->host_pid = host_gettid(); /* of its first thread: the process */
	if (b->vdso)
		vdso_init(b->vdso);
	host_clock_gettime(1, &sec, &nsec);
	b->phase_ns[HOSTIF_PHASE_ENTRY] = sec * NSEC_PER_SEC + nsec;
	fpu_init();
	random_init(b->seed);
	memset(b->seed, 0, sizeof(b->seed));
	locking_init(b->host_ncpus, &lock_reports);
	mem_init(b->mem_start, b->ram_size);
	if (b->features & HOSTIF_F_HUGE)
		ram_back = host_ram_back;
	slab_init();
	module_window_init();
	ti = alloc_thread_info(&init_task);
	if (!ti)
		panic("no memory for the boot stack");
	ti->mm_id = 1;
	ti->host_tid = ti->host_pid = proc_private->host_pid;
	init_task.ti = ti;
	traps_init();
	__asm__ volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall boot_on_slot" ::"r"(ti->kstack_top - 64)
			 : "memory");
	__builtin_unreachable();
}
