/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the monitor and the kernel share, in RAM. The only such header: fixed width, versioned.
 *
 * RAM is one memfd. Offset 0 holds struct hostif_boot; the kernel image lies at HOSTIF_KERNEL_PHYS and is
 * mapped at KERNEL_BASE; everything the monitor placed there ends at boot->mem_start, from where the kernel owns the memory.
 * All pointers are offsets into RAM ("physical addresses"). The monitor copies what it reads and checks it:
 * once the jail runs, every word here is the guest kernel's to scribble on.
 *
 * Doorbells are 32-bit words in RAM used as (shared) host futexes: the ringer increments the word and, if the other side
 * says it sleeps, wakes one waiter. A sleeper sets its *_sleep word, looks for work once more, then waits on the value it saw.
 */
#ifndef HOSTIF_H
#define HOSTIF_H

#include <stdint.h>
#include <hostif/stats.h>

#define HOSTIF_MAGIC 0x6b73756846495648ULL /* "HVIFhusk" */
#define HOSTIF_VERSION 1
#define HOSTIF_KERNEL_PHYS 0x200000ULL /* kernel image, 2 MiB aligned */
#define HOSTIF_RAM_FD 3		       /* the RAM memfd's descriptor in every jailed process */

/*
 * The only memory of the jail's that is not RAM: private to each host process, at these addresses and no others (the filter sees to it).
 * The private page has a stack below it, and below that lies nothing.
 */
#define HOSTIF_SCRATCH_ADDR 0x7000e0000000ULL
#define HOSTIF_SCRATCH_SIZE 0x200000ULL
#define HOSTIF_PRIVATE_ADDR 0x7000f0000000ULL
#define HOSTIF_PRIVATE_SIZE 0x3000ULL

/* A split virtqueue (virtio 1.2, section 2.7), placed by the monitor; desc/avail/used have the standard layouts. */
struct hostif_queue {
	uint64_t desc, avail, used; /* physical */
	uint32_t num;		    /* entries, a power of two; 0: no such queue */
	uint32_t kick;		    /* doorbell, kernel -> monitor */
	uint32_t kick_sleep;	    /* monitor sleeps on kick */
	uint32_t irq;		    /* doorbell, monitor -> kernel */
	uint32_t irq_sleep;	    /* number of kernel tasks sleeping on irq */
	uint32_t irq_at; /* not 0: they need no ring before used->idx has come to the lower 16 bits of this */
	uint32_t spare;		    /* the host has CPUs with nothing to do: long spinning is no loss; a hint */
	uint32_t pad;
};

enum hostif_device_type {
	HOSTIF_DEV_NONE,
	HOSTIF_DEV_CONSOLE = 3,
	HOSTIF_DEV_RNG = 4,
	HOSTIF_DEV_FS = 26
}; /* virtio ids */
#define HOSTIF_MAX_QUEUES 8
#define HOSTIF_MAX_DEVICES 24
/*
 * fs: queue 0 is the request queue (FUSE requests as in virtio-fs). `tag` names the share; `flags` bit 0: read-only.
 * console: one device per port. queue 0: to the guest (the kernel supplies buffers), queue 1: from the guest. A used buffer
 * of length 0 on queue 0 is end of file; on queue 1 it says that the host's reader is gone (EPIPE).
 */
struct hostif_device {
	uint32_t type;
	uint32_t flags;
	char tag[40];
	char mount_point[256]; /* fs: where the kernel mounts it; "/" is the root file system */
	struct hostif_queue queue[HOSTIF_MAX_QUEUES];
};

enum hostif_stdio_kind { HOSTIF_STDIO_CLOSED, HOSTIF_STDIO_TTY, HOSTIF_STDIO_PIPE };
/*
 * Private bits of fuse_read_in.read_flags in READDIR and READDIRPLUS; a server that does not know them ignores them.
 * EOF: end a complete listing with a record whose namelen is 0 (saves the request that would find nothing more).
 * DIRS: READDIRPLUS fills the entry (nodeid, attributes) for directories only.
 * DATA: READDIRPLUS brings small files along that anyone may read. The answer's buffers are longer than fuse_read_in.size; what lies behind
 * that many bytes takes the data of files whose entry has HOSTIF_FUSE_ATTR_DATA in attr.flags, all of each, in the order of the
 * entries, each from the next multiple of 4096 on.
 */
#define HOSTIF_FUSE_READDIR_EOF (1u << 30)
#define HOSTIF_FUSE_READDIR_DIRS (1u << 31)
#define HOSTIF_FUSE_READDIR_DATA (1u << 29)
#define HOSTIF_FUSE_ATTR_DATA (1u << 31)
#define HOSTIF_FUSE_DATA_ALIGN 4096
#define HOSTIF_FUSE_DATA_MOST (128 * 1024) /* of one file */
/*
 * READ: bit of read_flags, ours as well. The answer's header is followed by a struct hostif_fuse_plain that says of the first pages of
 * data, each whole and in one piece, which have no system call, nothing like an instruction that touches the keys, and do not
 * end in what could begin one (text_plain() in arch/x86/scan.h, and a last byte that is not 0x0f).
 */
#define HOSTIF_FUSE_READ_PLAIN (1u << 30)
#define HOSTIF_FUSE_PLAIN_PAGES 256
struct hostif_fuse_plain {
	uint64_t page[HOSTIF_FUSE_PLAIN_PAGES / 64];
};
/* A standard descriptor: which console device serves it. All TTY ones share one device: the guest's /dev/console, a real tty. */
struct hostif_stdio {
	uint32_t kind;
	uint32_t device;
};

enum hostif_state { HOSTIF_BOOTING, HOSTIF_RUNNING, HOSTIF_EXITED, HOSTIF_PANIC };

struct hostif_boot {
	uint64_t magic;
	uint32_t version, size;	       /* sizeof(struct hostif_boot) */
	uint64_t ram_size;	       /* bytes of the memfd */
	uint64_t mem_start;	       /* first byte the kernel may allocate, page aligned */
	uint64_t kernel_phys_end;      /* end of the image with bss */
	uint64_t secret;	       /* host-call secret; the kernel copies and clears it */
	uint64_t seed[8];	       /* random */
	uint32_t platform;	       /* 0 none, 1 pku, 2 skas */
	uint32_t features;	       /* HOSTIF_F_* */
	uint64_t vdso;		       /* host vDSO's address in the jail (with its vvar just below), or 0 */
	uint64_t vdso_start, vdso_end; /* range [vvar, vdso end) that must stay mapped */
	uint64_t host_ncpus;
	uint64_t boot_realtime_ns; /* host's clocks at the start of the sandbox */
	uint64_t boot_monotonic_ns;

	/* the program */
	uint64_t args; /* physical: argc NUL-terminated strings, then envc of them */
	uint64_t args_len;
	uint32_t argc, envc;
	char path[4096]; /* as given; looked up in the guest's PATH by the kernel when it has no slash */
	char cwd[4096];
	char hostname[72];
	uint32_t uid, gid, ngroups, groups[64];
	uint32_t umask;
	uint32_t flags;	       /* HOSTIF_B_* */
	uint64_t overlay_size; /* bytes the in-memory layer may take; 0: half of RAM */
	uint64_t max_tasks;    /* 0: default 32768 */

	/* the kernel log: a ring of text, written by the kernel, printed by the monitor */
	uint64_t log_phys, log_size; /* power of two */
	uint64_t log_head;	     /* bytes ever written; records are lines, "<L>[  seconds] text\n" */
	uint32_t log_kick, log_kick_sleep;
	uint32_t log_level; /* LOGLEVEL_* up to which lines are written */

	/* standard streams */
	struct hostif_stdio stdio[3];
	uint32_t tty_rows, tty_cols, tty_xpixel, tty_ypixel; /* written by the monitor */
	uint32_t
		tty_termios_valid; /* initial settings of the host's terminal follow, struct termios of the kernel ABI */
	uint8_t tty_termios[64];

	/* monitor -> kernel events: the monitor sets bits and rings; the kernel takes them with an atomic exchange */
	uint32_t event_bits; /* HOSTIF_EV_* */
	uint32_t event_kick, event_kick_sleep;
	uint32_t event_signal; /* for HOSTIF_EV_SIGNAL: the signal number for guest pid 1's foreground group */

	/* state; the monitor waits on `state` as a futex */
	uint32_t state;		  /* enum hostif_state */
	uint32_t exit_status;	  /* wait(2) encoding of the program's end, when HOSTIF_EXITED */
	uint32_t exec_errno;	  /* != 0: the program could not be started, and why */
	uint32_t console_drained; /* the monitor sets 1 when all output was written, on request */
	uint64_t phase_ns[16];	  /* CLOCK_MONOTONIC at boot phases, for --boot-time; HOSTIF_PHASE_* */
	char panic_msg[256];

	uint32_t ndevices, pad0;
	struct hostif_device device[HOSTIF_MAX_DEVICES];
	uint64_t rlimit[16][2]; /* the caller's resource limits, soft and hard, by RLIMIT_* of the kernel ABI */

	/* trace */
	uint64_t trace_phys; /* struct hostif_trace (trace.h), or 0 */

	/* mini dump */
	uint64_t watchdog_ns; /* a task that makes no progress in the kernel for so long is a lockup; 0: nobody looks */
	uint64_t heartbeat;   /* the watchdog's rounds, four in watchdog_ns */

	/* statistics (stats.h) */
	uint32_t stats_request; /* raised by the monitor */
	uint32_t stats_pad;
	struct hostif_stats stats;
	struct hostif_kill kill;

	/* guest core files: core_pattern at the start, a path in a share of the monitor's; "": the default */
	char core_pattern[128];

	int32_t nice; /* the caller's, -20 to 19 */
	uint32_t nice_pad;
};

#define HOSTIF_B_READ_ONLY 1u /* no overlay: the root is read-only */
#define HOSTIF_B_DEBUG 2u
#define HOSTIF_B_TRAP_ONLY 4u /* never patch call sites (for tests) */
#define HOSTIF_B_JIT_FAST 8u
#define HOSTIF_B_ALLOW_MODULES 0x100u /* kernel modules may be loaded */
#define HOSTIF_F_PIDNS 1u	      /* the jail has a pid namespace: its first process is pid 1 */
#define HOSTIF_BACK_ORDER 8u	      /* one fallocate() of the jail is for at most 2^this pages */
#define HOSTIF_F_SIGSCOPE 4u	      /* the jail's signals reach only its own processes, pid namespace or not */
#define HOSTIF_F_HUGE 2u	      /* fallocate() backs RAM with large folios; the filter lets it pass */
#define HOSTIF_EV_WINCH 1u
#define HOSTIF_EV_SIGNAL 2u
#define HOSTIF_EV_HANGUP 4u
#define HOSTIF_EV_SHUTDOWN 8u /* --timeout and the like: kill everything, report 124-like status by the monitor */
#define HOSTIF_EV_TRACE 32u   /* hostif_trace.on changed */
#define HOSTIF_EV_STATS 256u  /* stats.h: refresh the counters */
#define HOSTIF_EV_TASKS 512u  /* with it: the list of tasks too */
#define HOSTIF_EV_KILL 1024u
enum {
	HOSTIF_PHASE_ENTRY,
	HOSTIF_PHASE_MM,
	HOSTIF_PHASE_VFS,
	HOSTIF_PHASE_ROOT,
	HOSTIF_PHASE_EXEC,
	HOSTIF_PHASE_USER,
	HOSTIF_PHASE_EXIT
};

/*
 * How the monitor enters the kernel. In the first jailed process, with seccomp in force, the monitor's code
 *  - has mapped the image at KERNEL_BASE from its ELF program headers (text R-X, rodata R--, data RW-, all MAP_SHARED of the memfd),
 *    all of RAM at DIRECT_MAP_BASE (RW, MAP_SHARED; key 1 on pku),
 *  - has closed every descriptor but HOSTIF_RAM_FD, unregistered rseq and the robust list, reset all signal handlers, blocked no signal,
 *  - jumps to the ELF entry point with rdi = address of struct hostif_boot in the direct map, on any stack. It never returns.
 * The kernel itself then unmaps everything outside [KERNEL_BASE, direct map end) and the vDSO.
 */

/*
 * Host calls the jail allows (seccomp), and where each carries the secret S. All else: SECCOMP_RET_TRAP.
 * lo/hi: 32-bit halves.
 */
/* mmap(addr, len, prot, flags | lo(S)<<32, fd | hi(S)<<32, off): only MAP_SHARED|MAP_FIXED of HOSTIF_RAM_FD or
 *      MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED[|MAP_NORESERVE] of HOSTIF_SCRATCH_* and HOSTIF_PRIVATE_*, whole; never PROT_EXEC with
 *      PROT_WRITE, never PROT_EXEC without PROT_READ.
 * munmap, mprotect, madvise (MADV_REMOVE only), futex (WAIT and WAKE only), clone, exit, exit_group, sigaltstack, rt_sigprocmask, rt_sigaction,
 * tgkill, membarrier, pkey_mprotect, wait4, prctl(PR_SET_PDEATHSIG), sched_yield, getcpu-free: sixth argument = S.
 * rt_sigreturn: sixth argument register (r9) = S. pkey_alloc is done by the monitor before (key 1 for the window).
 */

#endif
