/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace's records, as the kernel writes them into rings in RAM and husk-trace reads them from there.
 *
 * A traced task has a ring of its own, so that its writer takes no lock; the reader is one process outside the sandbox. A ring is
 * a header (struct hostif_trace_ring) and `size` bytes of data, a power of two. Records never wrap: a TRACE_PAD record, of which only
 * size and type count and which may be 8 bytes long, fills the end. What does not fit is counted in `lost`, and the next record
 * that does is preceded by a TRACE_LOST one. A ring whose task has ended goes on as another task's: it is only a stream, records say whose
 * they are. The reader copies what it reads and checks every length: RAM is the guest kernel's to scribble on.
 *
 * A call that neither slept nor was in anybody's way is one record, TRACE_CALL, whose time is its beginning's; it is seen when it has
 * ended. Others are TRACE_ENTER and TRACE_EXIT.
 *
 * Order. Within a ring times never go back. While a record is being made bit 0 of `head` is set, from before its time is read; so a reader
 * that found the bit clear at time T has seen, or will see by reading up to `head`, all of the ring that is older than T.
 *
 * Memory that a call's arguments point to is copied as blobs, each with the user address it came from: an array of iovec is one
 * blob, each buffer it names another. A decoder looks memory up by address, and what is not there is shown as an address.
 */
#ifndef HOSTIF_TRACE_H
#define HOSTIF_TRACE_H

#include <stdint.h>

#define HOSTIF_TRACE_VERSION 1

enum hostif_trace_type {
	TRACE_PAD,
	TRACE_ENTER,  /* a call begins: args, and blobs of what it reads */
	TRACE_EXIT,   /* it ends: ret, and blobs of what it wrote */
	TRACE_SIGNAL, /* a signal is delivered: nr is its number; args: si_code, si_pid, si_uid, si_addr or si_status, si_value; of a child: args[5]: si_utime, and si_stime << 32 */
	TRACE_NEWTASK, /* a task is there: args: parent tid, clone flags; blob 0: its comm */
	TRACE_GONE,    /* a task ended; ret: wait(2) status; args[0]: 1 if its process ended with it */
	TRACE_EXEC, /* execve succeeded; blob 0: the program's path; tid is the leader's now; args[0]: the tid before */
	TRACE_STOP, /* a task stopped (args[0] = 1, nr: the signal) or continued (args[0] = 0) */
	TRACE_LOST, /* ret: how many records were lost before this one */
	TRACE_CALL, /* a call as a whole: ENTER and EXIT in one; the first TRACE_ENTER_BLOBS(flags) blobs are what it read */
	TRACE_ATTACH, /* tracing of a task that was already there begins; blob 0: its comm */
};

/**
 * struct hostif_trace_rec - the head of a record; blobs follow, each 8-byte aligned
 * @size: bytes with head and blobs, a multiple of 8. @nr: call or signal. @nblobs: how many follow. @flags: TRACE_F_*
 * @time: CLOCK_MONOTONIC, ns, as the guest reads it. @args: all six registers. @ret: the result on EXIT and CALL
 * @ip: user instruction pointer. @ticket: on EXIT and CALL the duration in ns
 */
struct hostif_trace_rec {
	uint32_t size;
	uint16_t type;
	uint16_t nr;
	int32_t tid, tgid;
	uint64_t time;
	uint64_t args[6];
	int64_t ret;
	uint64_t ip;
	uint64_t ticket;
	uint32_t flags;
	uint32_t nblobs;
};
#define TRACE_F_INJECTED 1u /* the result was injected: no call was made */
#define TRACE_F_RESTART                                                                                                \
	2u /* interrupted by a signal; ret is one of -ERESTARTSYS (512), -ERESTARTNOINTR (513), -ERESTARTNOHAND (514), -ERESTART_RESTARTBLOCK (516) */
#define TRACE_F_NORETURN                                                                                               \
	4u		 /* EXIT of a call that does not come back (exit, exit_group, rt_sigreturn has its own ret) */
#define TRACE_F_STACK 8u /* blobs of kind TRACE_BLOB_KSTACK and TRACE_BLOB_USTACK are there */
#define TRACE_F_DELAYED 16u /* a delay was injected */
#define TRACE_ENTER_BLOBS(flags) ((flags) >> 16)

enum hostif_trace_blob_kind {
	TRACE_BLOB_MEM, /* user memory at addr */
	TRACE_BLOB_STR, /* a NUL-terminated string at addr, the NUL included if it was within `want` */
	TRACE_BLOB_FDPATH, /* addr: a descriptor's number; data: what it refers to, as the link in /proc/PID/fd has it (-y) */
	TRACE_BLOB_KSTACK, /* kernel return addresses, 8 bytes each */
	TRACE_BLOB_USTACK, /* user memory from the stack pointer, addr, upwards */
	TRACE_BLOB_MAP, /* addr: start of an executable mapping of a file; data: struct hostif_trace_map, then its path */
	TRACE_BLOB_COUNT, /* addr: of an array too long to copy; data: u64, how many elements it has (getdents, environment) */
	TRACE_BLOB_UREGS, /* user registers: struct pt_regs of the kernel, for unwinding with USTACK */
};

struct hostif_trace_blob {
	uint16_t kind;
	uint16_t arg;  /* argument that led here, 0 to 5; 6: the result */
	uint32_t len;  /* bytes that follow, before padding to 8 */
	uint32_t want; /* bytes that there were to copy; > len when it was cut at the limit (-s) */
	uint32_t pad;
	uint64_t addr;
};

struct hostif_trace_map {
	uint64_t start, end, pgoff; /* bytes */
};

/**
 * struct hostif_trace_ring - one ring's header
 * @head: bytes ever written, by the kernel; bit 0: a record is being made. @tail: bytes ever taken, by the reader. @lost: records without
 * room, ever. @data: physical. @size: a power of two. @tid: whose it is, 0: nobody's now
 */
struct hostif_trace_ring {
	uint64_t head __attribute__((aligned(64)));
	uint64_t lost;
	uint64_t data;
	uint32_t size;
	int32_t tid;
	uint64_t tail __attribute__((aligned(64)));
};

/**
 * struct hostif_trace_rule - an injection
 * @calls: a bit for each call. @first, @last, @step: which of a task's calls of this set, from 1 (last 0: no end). @what: TRACE_INJECT_*
 * @ret: result instead of making the call: -errno or a value. @delay_*: ns
 */
struct hostif_trace_rule {
	uint64_t calls[8];
	uint32_t first, last, step, what;
	int64_t ret;
	uint64_t delay_enter, delay_exit;
	uint32_t signal, pad;
};
#define TRACE_INJECT_RETURN 1u
#define TRACE_INJECT_SIGNAL 2u
#define TRACE_INJECT_DELAY_ENTER 4u
#define TRACE_INJECT_DELAY_EXIT 8u

#define HOSTIF_TRACE_RINGS 4096
#define HOSTIF_TRACE_RULES 16
#define HOSTIF_TRACE_PIDS 64
#define HOSTIF_TRACE_NR 512 /* calls above are never traced */

/**
 * struct hostif_trace - the trace's directory: placed by the monitor at hostif_boot.trace_phys, zero until somebody traces
 *
 * The reader takes it by setting @owner from 0 to its pid, fills in what it wants, increments @generation, then sets @on and rings
 * HOSTIF_EV_TRACE. To end: @on to 0, ring, @owner to 0.
 * @string_limit: bytes of strings and buffers copied (-s). @flags: TRACE_WANT_*. @calls: which calls. @pids: processes or threads (with
 * what they start); none: all. @wait_ms: a writer without room waits until the reader took some, as long as @beat changes at least
 * this often; 0: it drops the record at once.
 * @doorbell: rung by writers when @reader_sleep is set and a ring is a quarter full. @room: rung by the reader when @writers_sleep
 * is not 0 and it took something.
 * By the kernel: @state: 1 while it traces. @matched: tasks that were there when it began. @lost: records of tasks for which there was no ring. @nrings: entries of @ring ever
 * used; each is the physical address of a struct hostif_trace_ring, or 0.
 */
struct hostif_trace {
	uint32_t version, size;
	uint32_t owner, on, generation, flags, string_limit, ring_size, wait_ms, npids, nrules, matched;
	uint64_t calls[HOSTIF_TRACE_NR / 64];
	int32_t pids[HOSTIF_TRACE_PIDS];
	struct hostif_trace_rule rule[HOSTIF_TRACE_RULES];

	uint32_t doorbell __attribute__((aligned(64)));
	uint32_t reader_sleep;
	uint64_t beat;
	uint32_t room __attribute__((aligned(64)));
	uint32_t writers_sleep;
	uint64_t lost __attribute__((aligned(64)));
	uint32_t state, nrings;
	uint64_t ring[HOSTIF_TRACE_RINGS];
};
#define TRACE_WANT_MEMORY 1u   /* blobs of memory: without it records have no more than registers (-c) */
#define TRACE_WANT_FDPATHS 2u  /* TRACE_BLOB_FDPATH (-y, -P) */
#define TRACE_WANT_STACKS 4u   /* -k */
#define TRACE_WANT_SIGNALS 8u  /* TRACE_SIGNAL, TRACE_STOP */
#define TRACE_WANT_TIMES 32u   /* how long calls took (-T, -c): without it, the clock is read once a call */
#define TRACE_WANT_VERBOSE 16u /* strings of the environment, all entries of a directory: what strace prints with -v */

#endif
