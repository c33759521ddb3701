// SPDX-License-Identifier: Apache-2.0
// What a dump's reader must know of the kernel without debug information: a note in the image (NT_HUSK_TABLE), which becomes VMCOREINFO.

#include <husk/sched.h>
#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/boot.h>
#include <hostif/mdump.h>
#include <elf.h>

extern char sig_entry[], _stext[], _etext[], _end[], __bss_start[];
extern struct thread_info *gate_table[], *panicking;

#define SYMBOL(x)                                                                                                      \
	{                                                                                                              \
		"SYMBOL(" #x ")", (u64)&x                                                                              \
	}
#define SIZE(s)                                                                                                        \
	{                                                                                                              \
		"SIZE(" #s ")", sizeof(struct s)                                                                       \
	}
#define OFFSET(s, f)                                                                                                   \
	{                                                                                                              \
		"OFFSET(" #s "." #f ")", offsetof(struct s, f)                                                         \
	}
#define NUMBER(x)                                                                                                      \
	{                                                                                                              \
		"NUMBER(" #x ")", (u64)(x)                                                                             \
	}

/* clang-format off */
#define ENTRIES \
	SYMBOL(_stext), SYMBOL(_etext), SYMBOL(__bss_start), SYMBOL(_end), \
	SYMBOL(init_task), SYMBOL(init_task_list), SYMBOL(nr_threads), SYMBOL(tasklist_lock), SYMBOL(child_reaper), \
	SYMBOL(gate_table), SYMBOL(mem_map), SYMBOL(max_pfn), SYMBOL(lowest_pfn), SYMBOL(totalram_pages), SYMBOL(vm_stat), SYMBOL(boot), SYMBOL(panicking), SYMBOL(sig_entry), \
	SIZE(page), OFFSET(page, flags), OFFSET(page, _refcount), OFFSET(page, _mapcount), OFFSET(page, order), OFFSET(page, type), \
	OFFSET(page, lru), OFFSET(page, slab_cache), OFFSET(page, mapping), OFFSET(page, index), OFFSET(page, private), \
	NUMBER(PGT_FREE), NUMBER(PGT_KERNEL), NUMBER(PGT_SLAB), NUMBER(PGT_ANON), NUMBER(PGT_CACHE), NUMBER(PGT_PTE), NUMBER(PGT_STACK), \
	NUMBER(PGT_TEXT), NUMBER(PG_buddy), NUMBER(PG_slab), NUMBER(PG_anon), NUMBER(PG_zeroed), \
	SIZE(task_struct), OFFSET(task_struct, state), OFFSET(task_struct, sleeping), OFFSET(task_struct, ti), OFFSET(task_struct, flags), \
	OFFSET(task_struct, pid), OFFSET(task_struct, tgid), OFFSET(task_struct, exit_state), OFFSET(task_struct, real_parent), \
	OFFSET(task_struct, group_leader), OFFSET(task_struct, thread_node), OFFSET(task_struct, tasks), OFFSET(task_struct, mm), \
	OFFSET(task_struct, files), OFFSET(task_struct, fs), OFFSET(task_struct, signal), OFFSET(task_struct, cred), \
	OFFSET(task_struct, comm), OFFSET(task_struct, utime), OFFSET(task_struct, stime), OFFSET(task_struct, start_time), \
	OFFSET(signal_struct, thread_head), OFFSET(signal_struct, pgid), OFFSET(signal_struct, sid), \
	SIZE(thread_info), OFFSET(thread_info, regs), OFFSET(thread_info, task), OFFSET(thread_info, flags), OFFSET(thread_info, in_user), \
	OFFSET(thread_info, slot), OFFSET(thread_info, kstack_top), OFFSET(thread_info, mm_id), OFFSET(thread_info, fs_base), \
	OFFSET(thread_info, host_frame), OFFSET(thread_info, host_tid), OFFSET(thread_info, host_pid), OFFSET(thread_info, sleep_bp), OFFSET(thread_info, crash_regs), \
	SIZE(pt_regs), NUMBER(THREAD_SIZE), NUMBER(TASK_SIZE), NUMBER(KERNEL_BASE), NUMBER(DIRECT_MAP_BASE), \
	NUMBER(PAGE_SIZE), NUMBER(PF_KTHREAD)
/* clang-format on */

static const struct mdump_entry count_only[] __maybe_unused = {ENTRIES};

static const struct __packed {
	Elf64_Nhdr h;
	char owner[8];
	struct mdump_entry entry[ARRAY_SIZE(count_only)];
} crash_table __used __aligned(4) __section(".crash_table") = {
	{sizeof(MDUMP_OWNER), sizeof(count_only), NT_HUSK_TABLE},
	MDUMP_OWNER,
	{ENTRIES},
};
static_assert(ARRAY_SIZE(count_only) <= MDUMP_MAX_ENTRIES, "the dump process has room for the table");
static_assert(sizeof(crash_table) == sizeof(Elf64_Nhdr) + 8 + sizeof(count_only), "a note is packed");
