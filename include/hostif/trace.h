/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace's records, as the kernel writes them into rings in RAM and husk-trace reads them from there.
 *
 * A traced task has a ring of its own, so that its writer takes no lock; the reader is one process outside the sandbox. A ring is
 * a header of one page (struct hostif_trace_ring) and `size` bytes of data, a power of two. Records never wrap: a TRACE_PAD record
 * fills the end. What does not fit is counted in `lost`, and the next record that does is preceded by a TRACE_LOST one.
 * The reader copies what it reads and checks every length: RAM is the guest kernel's to scribble on.
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
	TRACE_ENTER, /* a call begins: args, and blobs of what it reads */
	TRACE_EXIT,  /* it ends: ret, and blobs of what it wrote */
	TRACE_SIGNAL, /* a signal is delivered: nr is its number; args: si_code, si_pid, si_uid, si_addr or si_status, si_value; ret: 0 */
	TRACE_NEWTASK, /* a task is there: args: parent tid, clone flags; blob 0: its comm */
	TRACE_GONE, /* a task ended; ret: wait(2) status; args[0]: 1 if its process ended with it */
	TRACE_EXEC, /* execve succeeded; blob 0: the program's path; tid is the leader's now; args[0]: the tid before */
	TRACE_STOP, /* a task stopped (args[0] = 1, nr: the signal) or continued (args[0] = 0) */
	TRACE_LOST, /* ret: how many records were lost before this one */
	TRACE_ATTACH, /* tracing of a task that was already there begins; blob 0: its comm */
};

/**
 * struct hostif_trace_rec - the head of a record; blobs follow, each 8-byte aligned
 * @size: bytes with head and blobs, a multiple of 8. @nr: call or signal. @nblobs: how many follow. @flags: TRACE_F_*
 * @time: CLOCK_MONOTONIC, ns, as the guest reads it. @args: all six registers on ENTER. @ret: the result on EXIT
 * @ip: user instruction pointer. @ticket: on EXIT the duration in ns
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
#define TRACE_F_INJECTED 1u /* the result, or a delay, was injected */
#define TRACE_F_RESTART 2u  /* interrupted by a signal; ret is one of -ERESTARTSYS (512), -ERESTARTNOINTR (513), -ERESTARTNOHAND (514), -ERESTART_RESTARTBLOCK (516) */
#define TRACE_F_NORETURN 4u /* EXIT of a call that does not come back (exit, exit_group, rt_sigreturn has its own ret) */
#define TRACE_F_STACK 8u    /* blobs of kind TRACE_BLOB_KSTACK and TRACE_BLOB_USTACK are there */

enum hostif_trace_blob_kind {
	TRACE_BLOB_MEM,	   /* user memory at addr */
	TRACE_BLOB_STR,	   /* a NUL-terminated string at addr, the NUL included if it was within `want` */
	TRACE_BLOB_FDPATH, /* addr: a descriptor's number; data: what it refers to, as the link in /proc/PID/fd has it (-y) */
	TRACE_BLOB_KSTACK, /* kernel return addresses, 8 bytes each */
	TRACE_BLOB_USTACK, /* user return addresses, 8 bytes each, innermost first; each is followed by nothing: see /proc/PID/maps blobs */
	TRACE_BLOB_MAP,	   /* addr: start of a mapping named in USTACK; data: struct hostif_trace_map, then its path */
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
 * @head: bytes ever written, by the kernel. @tail: bytes ever taken, by the reader. @lost: records without room, ever
 */
struct hostif_trace_ring {
	uint64_t head __attribute__((aligned(64)));
	uint64_t lost;
	uint64_t tail __attribute__((aligned(64)));
	uint64_t data; /* physical */
	uint32_t size;
	int32_t tid; /* whose; 0: free */
};

#endif
