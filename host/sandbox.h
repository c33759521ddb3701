/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's view of one sandbox: configuration, RAM, jail. */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <hostif/hostif.h>

#define KERNEL_BASE_ADDR 0x700000000000ULL
#define DIRECT_MAP_ADDR 0x701000000000ULL
enum platform_kind { PLATFORM_NONE, PLATFORM_PKU, PLATFORM_SKAS, PLATFORM_AUTO };

/* An error carries its message: cause first, remedy after. err_set returns -1 for "return err_set(...)". */
struct err {
	int status; /* exit status to use: 125, 126, 127 */
	char msg[512];
};
ssize_t own_path(char *buf, size_t n); /* where this program lies; also where /proc is not mounted. Its length, or -1 */
const char *err_reason(int err);       /* strerror(), with what to do about it where that is known */
int err_set(struct err *e, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define RAM_MAX_SEGS 8

/**
 * struct ram - the sandbox's memory
 * @fd: its file: on a tmpfs of our own where there may be huge pages (@huge), or a sealed memfd.
 * @kernel_fd: the kernel's file, open as long as the sandbox: who looks in from outside wants it as it was loaded. @base: the monitor's own mapping of all of it
 */
struct ram {
	int fd, kernel_fd;
	bool huge;
	uint64_t size;
	char *base;
	uint64_t next;	/* bump allocator for what the monitor places before the kernel starts */
	uint64_t entry; /* of the kernel image */
	struct {
		uint64_t vaddr, off, memsz;
		int prot;
	} seg[RAM_MAX_SEGS];
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
 * struct jail_order - what the jail's first process waits for, in memory shared with it until it enters the kernel
 * @named: futex; not 0 when @id is there: the user and group that it is to be, or 0: it stays who it is
 * @go: futex; not 0 when the rest is there
 */
struct jail_order {
	uint32_t named, id;
	uint32_t go;
	int platform;
	struct ram ram;
};

/**
 * struct jail - the host processes of a sandbox
 * @pid: the first one, as the monitor sees it; everything else in the jail dies with it
 * @missing: JAIL_NO_* walls that this host refused, of those that the monitor must know of
 * @renamed: it runs as a user that nobody else is
 * @most_tasks: so many host threads and processes it may have
 */
struct jail {
	pid_t pid;
	unsigned missing, most_tasks;
	bool renamed;
	bool scoped; /* the jail signals itself only: Landlock's scope, where the host has it */
	struct jail_order *order;
};
#define JAIL_NO_USERNS 1u
#define JAIL_NO_PIDNS 2u
#define JAIL_NO_NETNS 4u
#define JAIL_NO_OTHERNS 8u
#define JAIL_NO_ROOT 16u /* could not change to an empty root */

/* platform_choose: PLATFORM_AUTO -> the best this machine has; checks a chosen one. 0, or -1 with the reason in e. */
int platform_choose(enum platform_kind *p, struct err *e);
int jail_prepare(struct jail *j, struct ram *r, struct err *e);
void jail_start(struct jail *j, struct ram *r, enum platform_kind platform);
/* jail_kill: ends every process of the jail and reaps what is the monitor's child; returns when nothing is left */
void jail_kill(struct jail *j);
bool jail_can_scope_signals(void);
bool host_at_least(int major, int minor); /* the host kernel's version */
void jail_main(const struct jail *j, int ram_fd, char *ram_base, int monitor, uid_t uid, gid_t gid)
	__attribute__((noreturn));
int jail_seccomp_install(uint64_t secret, bool pidns, enum platform_kind platform, uint64_t back_size);

#define MAX_VOLUMES 20
#define CORE_DIR_INSIDE "/dev/husk-cores" /* below /dev, which can be written whatever the root is */
struct volume {
	char *src, *dst; /* dst is absolute, without "." and ".." */
	bool read_only;
};

/**
 * struct sandbox_config - what `husk run` asks for; strings live as long as the sandbox
 * @memory: bytes, 0 for the default. @timeout_ns: 0 for none. @log_level: LOGLEVEL_* or -1 for the default
 * @start_ns: CLOCK_MONOTONIC when the command started
 */
struct sandbox_config {
	const char *name; /* of its control socket; NULL: husk-PID */
	const char *kernel, *root, *cwd, *hostname, *log_file;
	char **argv, **envp;
	struct volume volume[MAX_VOLUMES];
	const char *core_dir; /* the host's directory for guest core files, shared as CORE_DIR_INSIDE; NULL: none */
	unsigned nvolumes;
	const char *dump_dir, *dump_to; /* NULL: the default directory; no socket */
	bool read_only, trap_only, jit_fast, boot_time, force_tty, allow_modules, no_dump;
	uint32_t dump_level, dump_compress, watchdog_s; /* MDUMP_D_*, enum mdump_compression; 0: no watchdog */
	unsigned stdio_closed;				/* bit n: descriptor n was closed when the command started */
	uint32_t uid, gid, ngroups, groups[64], umask;
	uint64_t memory, overlay_size, max_tasks, timeout_ns;
	int log_level;
	enum platform_kind platform;
	uint64_t start_ns;
	int trace_fd; /* the socket of a trace's reader, or -1 */
};

/* sandbox_run: the whole life of one sandbox. The exit status, or -1 with the reason in e. */
int sandbox_run(const struct sandbox_config *c, struct err *e);

/* limits.c: what the host has to give */
uint64_t limits_default_memory(void);
int limits_check_memory(uint64_t bytes, struct err *e);
void limits_raise_files(void);
unsigned limits_host_tasks(uint64_t max_tasks, uint64_t memory); /* what a guest needs of the host to have as many */
void limits_jail(unsigned most_tasks, bool own_user);		 /* of the calling process, for good */
uint64_t limits_oom_kills(void);

/* confine.c: the monitor gives up what it does not need once the sandbox runs */
void monitor_confine(bool may_write_files, bool may_kill);

/* log.c: the kernel's log */
struct log_reader;
struct log_reader *log_start(struct ram *r, uint64_t phys, uint64_t size, int fd, bool to_stderr, int level);
void log_finish(struct log_reader *l);		       /* prints what is left and ends the thread */
void log_replay(struct log_reader *l, unsigned lines); /* the last lines, on stderr, whatever their level */

/* terminal.c: the host's terminal */
void terminal_init(int fd, bool raw_output, struct hostif_boot *b);
void terminal_enter(void);	/* raw mode, if this is the foreground job */
void terminal_leave(void);	/* as it was; async-signal-safe */
bool terminal_foreground(void); /* may the terminal be read now? Enters raw mode on the way to true */
bool terminal_is_raw(void);
bool terminal_size(uint16_t size[4]); /* rows, columns, x and y pixels */

/* console.c: the guest's standard streams. @done: eventfd that is rung when one output has been drained */
struct console;
struct console *console_add(struct ram *r, struct hostif_device *d, int in_fd, int out_fd, bool tty);
int console_start(struct console *c, int done, struct err *e);
void console_drain(struct console *c); /* the guest is gone: write what is queued, then end */
bool console_drained(const struct console *c);
bool console_lost(const struct console *c); /* output could not be written, and not for want of a reader */

/* sandbox.c: a thread with a small stack and every signal blocked; 0 or an errno */
int thread_start(pthread_t *t, void *(*fn)(void *), void *arg);

/* A line of the monitor's own on stderr, "husk: ..." */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
