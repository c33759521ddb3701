/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mini dump kernel: what its file format adds to ELF, and the page it shares with the monitor. See docs/design/mini-dump.md.
 * Fixed width; used by mdump/ (freestanding), host/ and tools/.
 */
#ifndef HOSTIF_MDUMP_H
#define HOSTIF_MDUMP_H

#include <stdint.h>

/* ---- the file ---- */

/* Levels (-d): bits of what is left out, as makedumpfile has them. */
#define MDUMP_D_ZERO 1u		 /* pages of zeroes */
#define MDUMP_D_CACHE 2u	 /* page cache, text views included */
#define MDUMP_D_CACHE_PRIVATE 4u /* page cache that somebody holds or maps */
#define MDUMP_D_USER 8u		 /* memory of programs */
#define MDUMP_D_FREE 16u
#define MDUMP_D_MAX 31u
#define MDUMP_D_DEFAULT 31u

/* p_flags of a PT_LOAD with p_filesz 0 (bits of PF_MASKOS): why it has no bytes */
#define PF_HUSK_ZERO 0x00100000u     /* all of it is zero */
#define PF_HUSK_FILTERED 0x00200000u /* left out, by the level */
#define PF_HUSK_LOST 0x00400000u     /* could not be written: the disk was full */

/* Notes whose owner is "HUSK" */
#define MDUMP_OWNER "HUSK"
#define NT_HUSK_TABLE 0x48550001u /* in the kernel image: struct mdump_entry[]; not in dumps (VMCOREINFO has it) */
#define NT_HUSK_INFO 0x48550002u  /* struct mdump_info: the first note of a dump */
#define NT_HUSK_TASK 0x48550003u  /* struct mdump_task: ends the notes of one task */

/* Addresses, sizes and offsets that a reader without DWARF needs; the text of VMCOREINFO is made of it. */
struct mdump_entry {
	char name[40]; /* SYMBOL(mem_map), SIZE(page), OFFSET(page.type), NUMBER(PGT_CACHE) */
	uint64_t value;
};

enum mdump_reason {
	MDUMP_NONE,
	MDUMP_PANIC,	/* the kernel said so */
	MDUMP_WATCHDOG, /* the kernel's heartbeat stopped */
	MDUMP_KILLED, /* the jail's processes are gone, and the kernel had not ended: a host signal, somebody's SIGKILL, the host's OOM killer */
	MDUMP_REQUEST, /* husk dump; the sandbox goes on */
	MDUMP_REASONS
};

/* mdump_info.lost: what is not as it should be */
#define MDUMP_LOST_REGS 0x001u	   /* registers of some tasks: see their mdump_task */
#define MDUMP_LOST_TASKS 0x002u	   /* more tasks than there was memory for */
#define MDUMP_LOST_TASKLIST 0x004u /* the task list is corrupt; tasks were found by their kernel stacks */
#define MDUMP_LOST_PAGES 0x008u	   /* the page array is corrupt; nothing was filtered by type */
#define MDUMP_LOST_BYTES 0x010u	   /* the disk was full, or the reader went away: bytes_lost */
#define MDUMP_LOST_LOG 0x020u	   /* the log's head makes no sense; the ring is there */
#define MDUMP_LOST_MEMORY 0x040u   /* too little memory for the plan: filtered in larger blocks than pages */
#define MDUMP_LOST_STOP 0x080u	   /* some threads may have run while the dump was written */
#define MDUMP_LOST_COMPRESS 0x100u /* too little memory to compress: written as it is */

#define MDUMP_INFO_VERSION 1
struct mdump_info {
	uint32_t version, size;
	uint32_t reason, level, lost;
	uint32_t complete; /* 1 once everything was written; patched at the end */
	uint64_t time_ns;  /* CLOCK_REALTIME of the dump */
	uint64_t start_ns; /* of the sandbox */
	uint64_t ram_size, kernel_phys, kernel_phys_end, mem_start;
	uint64_t log_phys, log_size, log_head; /* the log's ring, and bytes ever written (0 with MDUMP_LOST_LOG) */
	uint64_t bytes_total, bytes_lost;
	uint64_t current_task; /* address of the task that crashed, or 0 */
	uint32_t ntasks, nregs_lost;
	uint32_t pages_zero, pages_filtered; /* 4 KiB pages left out */
	char sandbox[64];
	char cause[256];
};

enum mdump_regs_from {
	MDUMP_REGS_NONE,  /* lost: the thread was running when it was killed, or could not be stopped */
	MDUMP_REGS_HOST,  /* of the stopped host thread: exact */
	MDUMP_REGS_CRASH, /* of the fault or the call of panic(), as the kernel recorded them */
	MDUMP_REGS_SLEEP, /* the kernel recorded where it sleeps: ip, sp and bp only */
	MDUMP_REGS_USER	  /* the registers with which it entered the kernel: where in the kernel it is was lost */
};
struct mdump_task {
	uint64_t task, thread_info; /* kernel addresses */
	int32_t pid, tgid, host_tid;
	uint32_t regs_from;
	uint32_t
		in_user; /* user code was running: NT_PRSTATUS holds user registers; else those are in thread_info.regs */
	uint32_t state;
	char comm[16];
};

/* Compressed dumps: frames of so many bytes of the ELF file, and a seek table at the end (zstd's seekable format). */
enum mdump_compression { MDUMP_PLAIN, MDUMP_ZSTD, MDUMP_LZ4 };
#define MDUMP_FRAME_SIZE 131072u
#define MDUMP_SEEK_SKIPPABLE 0x184D2A5Eu
#define MDUMP_SEEK_MAGIC 0x8F92EAB1u

/* ---- between monitor and dump process ---- */

#define MDUMP_MAGIC 0x504d55444b535548ULL /* "HUSKDUMP" */
#define MDUMP_VERSION 1
#define MDUMP_MAX_ENTRIES 128

/* The dump process's descriptors, by number */
enum {
	MDUMP_FD_RAM,	 /* RAM, read-only */
	MDUMP_FD_CTL,	 /* struct mdump_ctl */
	MDUMP_FD_WAKE,	 /* eventfd: the monitor wants something */
	MDUMP_FD_NOTIFY, /* eventfd: state changed, for the monitor's main loop */
	MDUMP_FD_JAIL,	 /* pidfd of the jail's first process */
	MDUMP_FD_STAT,	 /* its /proc/PID/stat, or nothing */
	MDUMP_FD_DIR,	 /* the dump directory, or nothing */
	MDUMP_FD_OUT,	 /* where dumps go: a socket; with a directory, the file that is being written */
	MDUMP_NFDS
};

enum mdump_state { MDUMP_STARTING, MDUMP_ASLEEP, MDUMP_STOPPING, MDUMP_WRITING, MDUMP_DONE, MDUMP_FAILED };

#define MDUMP_F_PIDNS 1u  /* the jail has a pid namespace of its own */
#define MDUMP_F_USERNS 2u /* and a user namespace */
#define MDUMP_F_SOCKET 4u /* MDUMP_FD_OUT is a socket: no directory */

struct mdump_ctl {
	/* the monitor's; fixed before the dump process starts */
	uint64_t magic;
	uint32_t version, size;
	uint32_t level, compression, watchdog_s, flags;
	int32_t jail_pid, monitor_pid;
	uint32_t build_id_len, pad0;
	uint64_t ram_size, kernel_phys_end, mem_start, log_phys, log_size, start_ns;
	uint64_t secret; /* of host calls: dumps have zeroes in its place */
	char sandbox[64], release[24];
	uint8_t build_id[32];

	/* wishes of the monitor: it writes them and rings MDUMP_FD_WAKE */
	uint32_t request;	/* counts up: a dump is wanted */
	uint32_t request_level; /* MDUMP_D_*, or ~0: the sandbox's */
	uint32_t quit;		/* the sandbox ends in order: go */
	uint32_t pad;

	/* the dump process's */
	uint32_t state;			       /* enum mdump_state */
	uint32_t reason;		       /* of the dump that is written, or was last */
	uint32_t served;		       /* = request once that one is done */
	uint32_t lost;			       /* MDUMP_LOST_* */
	int32_t error;			       /* errno, with MDUMP_FAILED or bytes lost */
	uint32_t ntasks, nregs_lost, confined; /* confined: MDUMP_C_* walls that hold */
	uint64_t bytes_total, bytes_done, file_size, bytes_lost;
	uint64_t begin_ns, end_ns; /* CLOCK_MONOTONIC */
	char name[128];		   /* of the file in the directory */
	char cause[256];

	uint32_t nentries, pad2;
	struct mdump_entry entry[MDUMP_MAX_ENTRIES];
};
#define MDUMP_C_SECCOMP 1u
#define MDUMP_C_CHROOT 2u
#define MDUMP_C_LOCKED 4u
#define MDUMP_C_PTRACE 8u /* it can stop threads one by one: registers of running ones */

#endif
