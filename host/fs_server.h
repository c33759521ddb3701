/* SPDX-License-Identifier: Apache-2.0 */
/* Host directories for the guest: a FUSE server on a virtqueue (virtio-fs). */
#ifndef HOST_FS_SERVER_H
#define HOST_FS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <hostif/hostif.h>

/**
 * struct fs_share - a directory to be served
 * @dir_fd: open for reading (O_RDONLY|O_DIRECTORY) or O_PATH; the server makes a copy
 * @readonly: refuse everything that changes something
 * @tag: for the thread's name and messages
 * @ram_fd: RAM's file, opened a second time by the server for what the host can move without the monitor's mapping; -1: not done
 * @pieces: the guest has RAM from the host in pieces of many pages
 */
struct fs_share {
	int dir_fd;
	bool readonly;
	const char *tag;
	int ram_fd;
	bool pieces;
};

/**
 * fd_limits_init - how many descriptors the shares may have together; once, before the first is served
 *
 * Raises the limit of open files to the hard limit; the server leaves 64 of them alone, or a quarter where there are few.
 * Return: 0, -EMFILE: too few are left to serve every request that has to do with no open file
 */
int fd_limits_init(unsigned nshares);

/**
 * fs_device_start - serve a share on a queue, in a thread of its own
 * @q: in the boot page, filled in; call this before the jail runs
 * @ram: the monitor's mapping of RAM, which must stay until fs_device_stop()
 * Return: 0 or -errno
 *
 * The thread blocks all signals,
 * tries unshare(CLONE_FS) (falling back to /proc/self/fd where that is refused), and afterwards calls: openat2, openat, close, newfstatat,
 * fstat, statx, statfs, fstatfs, getdents64, lseek, preadv, pwritev, sendfile, readlinkat, futex, mmap, munmap, madvise, brk, clock_gettime, fchdir,
 * lgetxattr, fgetxattr, llistxattr, flistxattr; for writable shares also mkdirat, mknodat, symlinkat, linkat, unlinkat, renameat2, fchmod,
 * fchmodat, fchmodat2, fchownat, utimensat, ftruncate, fallocate, fsync, fdatasync, copy_file_range, [lf]setxattr, [lf]removexattr.
 */
int fs_device_start(const struct fs_share *share, struct hostif_queue *q, char *ram, uint64_t ram_size);
/* fs_device_stop: end all of them and wait for their threads */
void fs_device_stop(void);

#endif
