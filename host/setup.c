// SPDX-License-Identifier: Apache-2.0
// Fills in the boot page: the program, the devices with their queues, the log.

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <hostif/trace.h>
#include "run.h"

#define LOG_SIZE (256u << 10)
#define FS_QUEUE 256
#define CONSOLE_QUEUE 64

static void place_queue(struct ram *r, struct hostif_queue *q, unsigned num)
{
	q->desc = ram_alloc(r, num * sizeof(struct vring_desc), 64);
	q->avail = ram_alloc(r, sizeof(struct vring_avail) + 2 * num + 2, 64);
	q->used = ram_alloc(r, sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) + 2, 64);
	q->num = num;
}

static struct hostif_device *new_device(struct ram *r, uint32_t type)
{
	struct hostif_boot *b = ram_boot(r);
	struct hostif_device *d = &b->device[b->ndevices++];

	d->type = type;
	return d;
}

/* Two random halves, neither of them zero: a zeroed register must never carry half of it. */
static int random_values(struct hostif_boot *b, struct err *e)
{
	uint64_t v[9];

	do {
		if (getrandom(v, sizeof(v), 0) != sizeof(v))
			return err_set(e, 125, "cannot get random numbers: %s", strerror(errno));
	} while (!(uint32_t)v[8] || !(v[8] >> 32));
	memcpy(b->seed, v, sizeof(b->seed));
	b->secret = v[8];
	explicit_bzero(v, sizeof(v));
	return 0;
}

static int place_args(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;
	struct hostif_boot *b = ram_boot(&s->ram);
	size_t len = 0, n;
	char *p;

	for (char **a = c->argv; *a; a++, b->argc++)
		len += strlen(*a) + 1;
	for (char **v = c->envp; *v; v++, b->envc++)
		len += strlen(*v) + 1;
	if (len > s->ram.size / 4)
		return err_set(e, 125, "arguments and environment do not fit into guest memory; use a larger --memory");
	b->args_len = len;
	b->args = ram_alloc(&s->ram, len + 1, 8);
	p = s->ram.base + b->args;
	for (char **a = c->argv; *a; a++, p += n)
		memcpy(p, *a, n = strlen(*a) + 1);
	for (char **v = c->envp; *v; v++, p += n)
		memcpy(p, *v, n = strlen(*v) + 1);
	return 0;
}

static int copy_string(char *to, size_t room, const char *from, const char *what, struct err *e)
{
	size_t n = strlen(from);

	if (n >= room)
		return err_set(e, 125, "%s is too long (%zu bytes, at most %zu)", what, n, room - 1);
	memcpy(to, from, n + 1);
	return 0;
}

/* The file system that a share is of must be a directory the monitor may look into. */
static int add_share(struct sandbox *s, const char *src, const char *dst, bool ro, struct err *e)
{
	struct hostif_device *d;
	int fd = open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EACCES)
		fd = open(src, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, 125, "cannot share %s: %s", src, err_reason(errno));
	s->share[s->nshares].fd = fd;
	s->share[s->nshares].read_only = ro;
	s->share[s->nshares++].device = ram_boot(&s->ram)->ndevices;
	d = new_device(&s->ram, HOSTIF_DEV_FS);
	d->flags = ro;
	if (ram_boot(&s->ram)->ndevices == 1)
		strcpy(d->tag, "root");
	else
		snprintf(d->tag, sizeof(d->tag), "share%u", ram_boot(&s->ram)->ndevices - 1);
	place_queue(&s->ram, &d->queue[0], FS_QUEUE);
	return copy_string(d->mount_point, sizeof(d->mount_point), dst, "the path in the guest of a share", e);
}

static int add_console(struct sandbox *s, int in_fd, int out_fd, bool tty, struct err *e)
{
	struct hostif_device *d = new_device(&s->ram, HOSTIF_DEV_CONSOLE);

	strcpy(d->tag, tty ? "tty" : in_fd >= 0 ? "stdin" : out_fd == 1 ? "stdout" : "stderr");
	if (in_fd >= 0)
		place_queue(&s->ram, &d->queue[0], CONSOLE_QUEUE);
	if (out_fd >= 0)
		place_queue(&s->ram, &d->queue[1], CONSOLE_QUEUE);
	s->console[s->nconsoles] = console_add(&s->ram, d, in_fd, out_fd, tty);
	if (!s->console[s->nconsoles])
		return err_set(e, 125, "out of memory");
	s->nconsoles++;
	return 0;
}

/* A descriptor that the terminal can be written through. */
static int tty_output(const bool *tty)
{
	int fd;

	for (fd = 1; fd < 3; fd++)
		if (tty[fd] && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
			return fd;
	if ((fcntl(0, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return 0;
	fd = open("/proc/self/fd/0", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? 1 : fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino && x.st_rdev == y.st_rdev;
}

/* Terminals share one device; so do stdout and stderr when they are one file, so that their lines keep their order. */
static int setup_stdio(struct sandbox *s, struct err *e)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	bool tty[3], closed[3], any = false;

	for (int fd = 0; fd < 3; fd++) {
		closed[fd] = s->config->stdio_closed & (1u << fd);
		tty[fd] = !closed[fd] && isatty(fd);
		any |= tty[fd];
	}
	s->stdin_tty = tty[0];
	if (s->config->force_tty) {
		int out = closed[1] ? -1 : tty[0] && !tty[1] ? tty_output(tty) : 1;

		if (tty[0])
			terminal_init(0, out >= 0 && isatty(out), b);
		for (int fd = 0; fd < 3; fd++)
			b->stdio[fd] = (struct hostif_stdio){HOSTIF_STDIO_TTY, b->ndevices};
		return add_console(s, closed[0] ? -1 : 0, out, true, e);
	}
	if (any) {
		int fd = tty[0] ? 0 : tty[1] ? 1 : 2;

		terminal_init(fd, tty[1], b);
		for (fd = 0; fd < 3; fd++)
			if (tty[fd])
				b->stdio[fd] = (struct hostif_stdio){HOSTIF_STDIO_TTY, b->ndevices};
		if (add_console(s, tty[0] ? 0 : -1, tty_output(tty), true, e))
			return -1;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (closed[fd] || tty[fd])
			continue;
		if (fd == 2 && !closed[1] && !tty[1] && same_file(1, 2)) {
			b->stdio[2] = b->stdio[1];
			continue;
		}
		b->stdio[fd] = (struct hostif_stdio){HOSTIF_STDIO_PIPE, b->ndevices};
		if (add_console(s, fd ? -1 : 0, fd ? fd : -1, false, e))
			return -1;
	}
	return 0;
}

static int setup_shares(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;

	if (add_share(s, c->root, "/", true, e))
		return -1;
	for (unsigned i = 0; i < c->nvolumes; i++)
		if (add_share(s, c->volume[i].src, c->volume[i].dst, c->volume[i].read_only, e))
			return -1;
	return 0;
}

static void setup_clocks(struct hostif_boot *b)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	b->boot_realtime_ns = (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	b->boot_monotonic_ns = clock_ns();
}

/* The program inherits its caller's resource limits, as any child would. */
static void setup_rlimits(struct hostif_boot *b)
{
	struct rlimit l;

	for (int i = 0; i < 16; i++) {
		if (getrlimit(i, &l))
			l.rlim_cur = l.rlim_max = RLIM_INFINITY;
		b->rlimit[i][0] = l.rlim_cur;
		b->rlimit[i][1] = l.rlim_max;
	}
}

static void setup_options(struct sandbox *s)
{
	const struct sandbox_config *c = s->config;
	struct hostif_boot *b = ram_boot(&s->ram);

	b->magic = HOSTIF_MAGIC;
	b->version = HOSTIF_VERSION;
	b->size = sizeof(*b);
	b->ram_size = s->ram.size;
	b->host_ncpus = get_nprocs();
	b->uid = c->uid;
	b->gid = c->gid;
	b->ngroups = c->ngroups;
	memcpy(b->groups, c->groups, c->ngroups * sizeof(*c->groups));
	b->umask = c->umask;
	b->nice = getpriority(PRIO_PROCESS, 0);
	b->flags = (c->read_only ? HOSTIF_B_READ_ONLY : 0) | (c->trap_only ? HOSTIF_B_TRAP_ONLY : 0) |
		   (c->jit_fast ? HOSTIF_B_JIT_FAST : 0) | (c->allow_modules ? HOSTIF_B_ALLOW_MODULES : 0);
	b->overlay_size = c->overlay_size;
	b->max_tasks = c->max_tasks;
	b->watchdog_ns = c->watchdog_s * 1000000000ull;
	setup_rlimits(b);
	if (c->core_dir) {
		b->rlimit[RLIMIT_CORE][0] = b->rlimit[RLIMIT_CORE][1] = RLIM_INFINITY;
		strcpy(b->core_pattern, CORE_DIR_INSIDE "/core.%e.%p");
	}
}

/* Everything in the boot page. The last thing that is placed ends where the kernel's own memory begins. */
int sandbox_setup(struct sandbox *s, struct err *e)
{
	const struct sandbox_config *c = s->config;
	struct hostif_boot *b = ram_boot(&s->ram);

	setup_options(s);
	if (random_values(b, e) || copy_string(b->path, sizeof(b->path), c->argv[0], "the program's path", e) ||
	    copy_string(b->cwd, sizeof(b->cwd), c->cwd, "the working directory's path", e) ||
	    copy_string(b->hostname, 65, c->hostname, "the host name", e))
		return -1;
	if (setup_shares(s, e) || setup_stdio(s, e) || place_args(s, e))
		return -1;
	s->log_phys = b->log_phys = ram_alloc(&s->ram, LOG_SIZE, 4096);
	b->log_size = LOG_SIZE;
	b->log_level = s->log_level < 0 ? 0 : s->log_level;
	s->trace_phys = b->trace_phys = ram_alloc(&s->ram, sizeof(struct hostif_trace), 4096);
	if (s->ram.next < b->kernel_phys_end)
		s->ram.next = b->kernel_phys_end;
	b->mem_start = (s->ram.next + 4095) & ~4095ULL;
	if (b->mem_start + (4u << 20) > b->ram_size)
		return err_set(e, 125, "guest memory is too small for the kernel; use a larger --memory");
	setup_clocks(b);
	return 0;
}

uint32_t sandbox_log_size(void)
{
	return LOG_SIZE;
}
