/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's view of one sandbox: configuration, RAM, jail. */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <hostif/hostif.h>

#define KERNEL_BASE_ADDR 0x700000000000ULL
#define DIRECT_MAP_ADDR 0x701000000000ULL
enum platform_kind { PLATFORM_NONE, PLATFORM_PKU, PLATFORM_SKAS, PLATFORM_AUTO };

/* An error carries its message: cause first, remedy after. err_set returns -1 for "return err_set(...)". */
struct err {
	int status; /* exit status to use: 125, 126, 127 */
	char msg[512];
};
int err_set(struct err *e, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * struct ram - the sandbox's memory
 * @fd: the memfd, sealed against shrinking and growing. @base: the monitor's own mapping of it, all of it
 */
struct ram {
	int fd;
	uint64_t size;
	char *base;
	uint64_t next; /* bump allocator for what the monitor places before the kernel starts */
	uint64_t entry; /* of the kernel image */
	struct {
		uint64_t vaddr, off, filesz, memsz;
		int prot;
	} seg[8];
	int nseg;
};
int ram_create(struct ram *r, uint64_t size, struct err *e);
void ram_destroy(struct ram *r);
uint64_t ram_alloc(struct ram *r, size_t n, size_t align);
int ram_load_kernel(struct ram *r, const char *path, struct err *e);
static inline struct hostif_boot *ram_boot(struct ram *r)
{
	return (struct hostif_boot *)r->base;
}

/**
 * struct jail - the host processes of a sandbox
 * @pid: the first one, as the monitor sees it; everything else in the jail dies with it
 */
struct jail {
	pid_t pid;
	int pidfd;
	unsigned missing; /* JAIL_NO_* walls that this host refused */
};
#define JAIL_NO_USERNS 1u
#define JAIL_NO_PIDNS 2u
#define JAIL_NO_NETNS 4u
#define JAIL_NO_MNTNS 8u
#define JAIL_NO_ROOT 16u /* could not change to an empty root */

/* jail_probe: PLATFORM_AUTO -> the best this machine has; checks a chosen one. 0, or -1 with the reason in e. */
int platform_choose(enum platform_kind *p, struct err *e);
/* jail_start: clones the first jailed process, which enters the kernel. boot is complete by now. */
int jail_start(struct jail *j, struct ram *r, enum platform_kind platform, struct err *e);
int jail_seccomp_install(uint64_t secret, bool pidns, enum platform_kind platform);

#endif
