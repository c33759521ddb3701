/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace copies of the memory that a system call's arguments point to; compiled into the kernel and into a test tool. */
#ifndef HUSK_TRACE_CAPTURE_H
#define HUSK_TRACE_CAPTURE_H

#include <husk/types.h>
#include <hostif/trace.h>

/**
 * struct trace_capture - where the blobs of one record go
 * @buf: filled up to @room bytes, 8-byte aligned, room a multiple of 8; @used: bytes filled so far. @nblobs: blobs in them
 * @limit: bytes of a string or buffer that are kept (-s). @fd_paths: copy what descriptors refer to (-y); @verbose: the environment, too (-v)
 * @sp: the user stack pointer, for rt_sigreturn. @dropped: something had no room
 */
struct trace_capture {
	u8 *buf;
	u32 room, used, nblobs, limit;
	bool fd_paths, verbose, dropped;
	u64 sp;
};

/* trace_capture - append the blobs of call nr; at exit with its result. Never fails: what cannot be read is not there. */
void trace_capture(struct trace_capture *c, unsigned int nr, const u64 *args, s64 ret, bool exit);

/* Supplied by who uses it. Both may sleep on a page fault and must not fail otherwise. */
/* trace_read_user: copy up to n bytes; returns how many could be read, from the start */
unsigned long trace_read_user(void *dst, u64 addr, unsigned long n);
/* trace_fd_path: what /proc/self/fd/N links to (AT_FDCWD: the working directory), without NUL; its length or a negative errno */
long trace_fd_path(int fd, char *dst, unsigned long n);

#endif
