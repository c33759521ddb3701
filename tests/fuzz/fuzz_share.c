// SPDX-License-Identifier: Apache-2.0
/*
 * A hostile kernel and a restless host against the FUSE server: requests that know the nodes they were told of, in chains of odd pieces,
 * while one thread scribbles over the requests, and another swaps the share's files for links that lead out of it, FIFOs and directories.
 * Whatever happens: the sanitizers are silent, the server answers, nothing outside the share changes and nothing of it is seen.
 * PROGRAM [ROUNDS [SEED]]
 */
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "../unit/fuse_driver.h"

#define SECRET "SECRET-OF-THE-HOST"
#define NPOOL 48
#define REQUESTS 400
#define FILE_LIMIT (1 << 20)

static const char *const names[] = {"a",  "b",	"c", "d", "e",	 "l",	       "a",   "b",
				    "aa", "..", ".", "",  "a/b", "../outside", "/etc"};
#define NNAMES (sizeof(names) / sizeof(names[0]))
#define NGOOD 9
static char base[] = "/tmp/husk-share.XXXXXX";
static int share = -1, outside = -1;
static volatile int stop;

struct rng {
	uint64_t s;
};
static uint64_t rnd(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s * 0x2545f4914f6cdd1dULL >> 16;
}

/* ---- the host ---- */

/* All that can be told of what lies outside, as a number: names, owners, modes, sizes, times. */
static uint64_t outside_sum;
static int add_to_sum(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	uint64_t v[] = {st->st_ino,  st->st_mode,	 st->st_nlink,	      st->st_uid,	  st->st_gid,
			st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		outside_sum = (outside_sum ^ v[i]) * 0x100000001b3ULL;
	for (; *path; path++)
		outside_sum = (outside_sum ^ (unsigned char)*path) * 0x100000001b3ULL;
	return 0;
}
static uint64_t sum_outside(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/outside", base);
	outside_sum = 1;
	nftw(path, add_to_sum, 16, FTW_PHYS);
	return outside_sum;
}

static int removed(const char *p, const struct stat *st, int flag, struct FTW *f)
{
	return f->level ? remove(p) : 0;
}
static void empty_share(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/share", base);
	nftw(path, removed, 16, FTW_DEPTH | FTW_PHYS);
}
static int removed_all(const char *p, const struct stat *st, int flag, struct FTW *f)
{
	return remove(p);
}

static void put_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0 && errno != EFBIG)
			perror(name);
		close(fd);
	}
}

static void make_outside(void)
{
	int d;

	CHECK(mkdtemp(base) && !chdir(base) && !mkdir("share", 0755) && !mkdir("outside", 0755) &&
	      !mkdir("outside/a", 0755));
	share = open("share", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	outside = open("outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(outside, "secret", SECRET);
	put_file(outside, "b", SECRET);
	d = openat(outside, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(d, "b", SECRET);
	put_file(d, "c", SECRET);
	close(d);
	CHECK(!chdir("/"));
}

/* One thing that another process of the host might do to a shared directory. */
static void host_step(struct rng *r)
{
	static const char *const targets[] = {"../outside", "../../outside", "../outside/secret", "/etc/passwd", ".",
					      "a"};
	const char *n = names[rnd(r) % NGOOD], *m = names[rnd(r) % NGOOD];
	int d = share, sub = -1;

	if (rnd(r) & 1)
		sub = openat(share, names[rnd(r) % NGOOD], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub >= 0)
		d = sub;
	switch (rnd(r) % 9) {
	case 0:
		mkdirat(d, n, 0755);
		break;
	case 1:
		if (symlinkat(targets[rnd(r) % 6], d, n) && errno == EEXIST) {
			if (!symlinkat(targets[rnd(r) % 2], d, "swap"))
				renameat2(d, "swap", d, n, 2 /* RENAME_EXCHANGE */);
			if (unlinkat(d, "swap", 0))
				unlinkat(d, "swap", AT_REMOVEDIR);
		}
		break;
	case 2:
		mkfifoat(d, n, 0666);
		break;
	case 3:
		renameat2(d, n, d, m, rnd(r) & 2);
		break;
	case 4:
		unlinkat(d, n, 0);
		break;
	case 5:
		unlinkat(d, n, AT_REMOVEDIR);
		break;
	case 6:
		put_file(d, n, "text of the share");
		break;
	case 7:
		renameat2(share, n, d, m, 2);
		break;
	case 8: {
		int fd = openat(d, n, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0) {
			if (ftruncate(fd, rnd(r) % 20000))
				errno = 0;
			close(fd);
		}
	}
	}
	if (sub >= 0)
		close(sub);
}
static void *host_main(void *arg)
{
	struct rng r = {(uintptr_t)arg | 1};

	while (!stop)
		host_step(&r);
	return NULL;
}

/* ---- the guest ---- */

struct guest {
	struct fuse_client c;
	struct rng r;
	uint64_t pool[NPOOL];
	int ram_fd;
};

/* RAM as the monitor has it: a file that is mapped, so that the server moves data with sendfile too. */
static void guest_init(struct guest *g, bool readonly)
{
	struct fs_share s = {.dir_fd = share, .readonly = readonly, .tag = "test"};
	struct fuse_client *c = &g->c;

	memset(c, 0, sizeof(*c));
	g->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	CHECK(!ftruncate(g->ram_fd, DRV_RAM));
	c->v.ram = mmap(NULL, DRV_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, g->ram_fd, 0);
	CHECK(c->v.ram != MAP_FAILED);
	c->v.q = (void *)c->v.ram;
	*c->v.q = (struct hostif_queue){.desc = DRV_DESC, .avail = DRV_AVAIL, .used = DRV_USED, .num = DRV_NUM};
	c->v.desc = (void *)(c->v.ram + DRV_DESC);
	c->v.avail = (void *)(c->v.ram + DRV_AVAIL);
	c->v.used = (void *)(c->v.ram + DRV_USED);
	c->dev = calloc(1, sizeof(*c->dev));
	s.ram_fd = g->ram_fd;
	CHECK(!fs_dev_init(c->dev, &s, c->v.q, c->v.ram, DRV_RAM));
	for (int i = 0; i < NPOOL; i++)
		g->pool[i] = 1;
}
static void guest_fini(struct guest *g)
{
	fs_dev_fini(g->c.dev);
	free(g->c.dev);
	munmap(g->c.v.ram, DRV_RAM);
	close(g->ram_fd);
}

static uint64_t some_node(struct guest *g)
{
	uint64_t v = rnd(&g->r);

	if (v % 32 == 0)
		return rnd(&g->r);
	if (v % 32 == 1)
		return rnd(&g->r) % 300;
	return v % 4 ? g->pool[rnd(&g->r) % NPOOL] : 1;
}
static uint64_t some_number(struct guest *g)
{
	static const uint64_t odd[] = {0,	  1,	      7,	  4095,	      4096,	  4097,
				       65536,	  1u << 20,   0x7fffffff, 0xffffffff, 1ULL << 40, INT64_MAX - 1,
				       INT64_MAX, 1ULL << 63, UINT64_MAX};

	return rnd(&g->r) & 1 ? rnd(&g->r) % 20000 : odd[rnd(&g->r) % (sizeof(odd) / sizeof(odd[0]))];
}
static void some_name(struct guest *g)
{
	char longer[300];
	size_t n;

	if (rnd(&g->r) % 40) {
		client_str(&g->c, names[rnd(&g->r) % (rnd(&g->r) % 4 ? NGOOD : NNAMES)]);
		return;
	}
	n = rnd(&g->r) % sizeof(longer);
	memset(longer, 'x', sizeof(longer));
	client_add(&g->c, longer, n); /* perhaps without its end */
	if (rnd(&g->r) & 1)
		client_add(&g->c, "", 1);
}
/* size bytes of argument: words of which most are small; the node ids some have are at first's place */
static void some_arg(struct guest *g, size_t size, int node_at)
{
	uint64_t w[16];

	for (size_t i = 0; i < 16; i++)
		w[i] = rnd(&g->r) % 8 ? rnd(&g->r) % 8 : some_number(g);
	if (node_at >= 0)
		w[node_at] = some_node(g);
	if (rnd(&g->r) % 64 == 0)
		size = rnd(&g->r) % sizeof(w);
	client_add(&g->c, w, size);
}

static void read_or_write(struct guest *g, uint32_t op)
{
	struct fuse_write_in in = {.fh = 0, .offset = some_number(g), .size = some_number(g)};

	if (op == FUSE_WRITE && rnd(&g->r) % 4)
		in.size = rnd(&g->r) % 9000;
	if (op != FUSE_WRITE && rnd(&g->r) % 4) {
		in.write_flags = rnd(&g->r) & 7u << 29; /* read_flags: what is ours */
		in.size = rnd(&g->r) % 0x9000;		/* and something behind it, for data that comes along */
		in.offset = rnd(&g->r) & 1 ? 0 : in.offset;
	}
	client_add(&g->c, &in, sizeof(in));
	if (op == FUSE_WRITE)
		g->c.in_len += in.size < 0x20000 ? in.size : 0x20000; /* whatever lies there */
}
static void set_attributes(struct guest *g)
{
	struct fuse_setattr_in in = {.valid = rnd(&g->r),
				     .size = some_number(g),
				     .mode = rnd(&g->r),
				     .uid = rnd(&g->r) & 1 ? 0 : 1000,
				     .gid = rnd(&g->r) & 1 ? 0 : 1000,
				     .atime = some_number(g),
				     .mtimensec = some_number(g)};

	client_add(&g->c, &in, sizeof(in));
}
static void xattr_request(struct guest *g, uint32_t op)
{
	static const char *const xa[] = {
		"user.a", "user.",	     "security.capability", "trusted.x", "system.posix_acl_access",
		"",	  "security.selinux"};
	struct fuse_setxattr_in in = {.size = rnd(&g->r) % 4 ? rnd(&g->r) % 200 : some_number(g),
				      .flags = rnd(&g->r) % 4};
	char value[256] = {1, 0, 0, 2};

	if (op == FUSE_SETXATTR)
		client_add(&g->c, &in, FUSE_COMPAT_SETXATTR_IN_SIZE);
	else if (op != FUSE_REMOVEXATTR)
		client_add(&g->c, &in, sizeof(struct fuse_getxattr_in));
	client_str(&g->c, xa[rnd(&g->r) % 7]);
	if (op == FUSE_SETXATTR)
		client_add(&g->c, value, in.size < sizeof(value) ? in.size : sizeof(value));
}

static void arguments(struct guest *g, uint32_t op)
{
	switch (op) {
	case FUSE_LOOKUP:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		some_name(g);
		break;
	case FUSE_SETATTR:
		set_attributes(g);
		break;
	case FUSE_SYMLINK:
		some_name(g);
		client_str(&g->c, rnd(&g->r) & 1 ? "../outside" : "../outside/secret");
		break;
	case FUSE_MKNOD:
		some_arg(g, sizeof(struct fuse_mknod_in), -1);
		*(uint32_t *)(g->c.v.ram + FD_IN + sizeof(struct fuse_in_header)) = rnd(&g->r); /* any type */
		some_name(g);
		break;
	case FUSE_MKDIR:
		some_arg(g, sizeof(struct fuse_mkdir_in), -1);
		*(uint32_t *)(g->c.v.ram + FD_IN + sizeof(struct fuse_in_header)) = 0700 | rnd(&g->r) % 07777;
		some_name(g);
		break;
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		some_arg(g, sizeof(struct fuse_create_in), -1);
		some_name(g);
		break;
	case FUSE_RENAME:
		some_arg(g, sizeof(struct fuse_rename_in), 0);
		some_name(g);
		some_name(g);
		break;
	case FUSE_RENAME2:
		some_arg(g, sizeof(struct fuse_rename2_in), 0);
		some_name(g);
		some_name(g);
		break;
	case FUSE_LINK:
		some_arg(g, sizeof(struct fuse_link_in), 0);
		some_name(g);
		break;
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_WRITE:
		read_or_write(g, op);
		break;
	case FUSE_GETXATTR:
	case FUSE_SETXATTR:
	case FUSE_LISTXATTR:
	case FUSE_REMOVEXATTR:
		xattr_request(g, op);
		break;
	case FUSE_COPY_FILE_RANGE:
		some_arg(g, sizeof(struct fuse_copy_file_range_in), 2);
		break;
	case FUSE_BATCH_FORGET:
		some_arg(g, 8, -1);
		for (unsigned i = rnd(&g->r) % 4; i; i--) {
			struct fuse_forget_one one = {some_node(g), 1};

			client_add(&g->c, &one, sizeof(one));
		}
		break;
	default:
		some_arg(g, rnd(&g->r) % 128, -1);
	}
}

/* The request and room for the answer, in one to four pieces each, of which some overlap. */
static void submit(struct guest *g)
{
	struct fuse_client *c = &g->c;
	unsigned n = 0, pieces = 1 + rnd(&g->r) % 4;
	size_t at = FD_IN, left = c->in_len;

	for (unsigned i = 0; i < pieces && left; i++) {
		size_t len = i + 1 == pieces ? left : 1 + rnd(&g->r) % left;

		driver_desc(&c->v, n, at, len, VRING_DESC_F_NEXT, n + 1);
		at += len;
		left -= len;
		n++;
	}
	at = FD_OUT;
	pieces = 1 + rnd(&g->r) % 4;
	for (unsigned i = 0; i < pieces; i++) {
		size_t len = rnd(&g->r) % 3 ? 0x8000 : rnd(&g->r) % 5000;

		driver_desc(&c->v, n, at, len, VRING_DESC_F_WRITE | (i + 1 < pieces ? VRING_DESC_F_NEXT : 0), n + 1);
		at += rnd(&g->r) % 16 ? len : 0;
		n++;
	}
	driver_submit(&c->v, 0);
}

static void take_answer(struct guest *g, uint32_t op)
{
	struct fuse_out_header *o = (void *)(g->c.v.ram + FD_OUT);
	struct fuse_entry_out *e = client_out(&g->c);
	struct vring_used_elem u;

	CHECK(driver_used(&g->c.v, &u) && u.id == 0);
	if (u.len >= sizeof(*o) + sizeof(*e) && !o->error && e->nodeid &&
	    (op == FUSE_LOOKUP || op == FUSE_CREATE || op == FUSE_MKDIR || op == FUSE_MKNOD || op == FUSE_SYMLINK ||
	     op == FUSE_LINK || op == FUSE_TMPFILE))
		g->pool[rnd(&g->r) % NPOOL] = e->nodeid;
}

static void one_request(struct guest *g)
{
	static const uint8_t often[] = {FUSE_LOOKUP,   FUSE_LOOKUP,  FUSE_LOOKUP,      FUSE_CREATE,
					FUSE_MKDIR,    FUSE_OPEN,    FUSE_READ,	       FUSE_WRITE,
					FUSE_READLINK, FUSE_RENAME2, FUSE_READDIRPLUS, FUSE_UNLINK};
	uint32_t op = rnd(&g->r) & 1 ? often[rnd(&g->r) % sizeof(often)] : rnd(&g->r) % 56;

	if (op == FUSE_FSYNC || op == FUSE_FSYNCDIR)
		op = FUSE_STATFS; /* slow */
	g->c.uid = geteuid() ? geteuid() : rnd(&g->r) % 3 * 500;
	g->c.gid = getegid() ? getegid() : rnd(&g->r) % 3 * 500;
	client_begin(&g->c, op, some_node(g));
	arguments(g, op);
	((struct fuse_in_header *)(g->c.v.ram + FD_IN))->len = rnd(&g->r) % 64 ? g->c.in_len : rnd(&g->r);
	submit(g);
}

/* Somebody else writes where the request lies while the server looks at it. */
static struct guest *volatile victim;
static void *scribble(void *arg)
{
	struct rng r = {(uintptr_t)arg | 1};

	while (!stop) {
		struct guest *g = victim;
		uint64_t v = rnd(&r);

		if (!g)
			continue;
		if (v & 1)
			g->c.v.ram[FD_IN + (v >> 8) % 160] = v >> 32;
		else if (v & 2)
			((char *)g->c.v.desc)[(v >> 8) % (DRV_NUM * sizeof(struct vring_desc))] = v >> 32;
		else
			g->c.v.ram[FD_OUT + (v >> 8) % 160] = v >> 32;
		for (int i = 0; i < 50; i++)
			__builtin_ia32_pause();
	}
	return NULL;
}

static void run_guest(struct guest *g, bool scribbled)
{
	for (int i = 0; i < REQUESTS; i++) {
		one_request(g);
		if (scribbled) {
			struct vring_used_elem u;
			int r = fs_dev_process(g->c.dev);

			CHECK(r == 0 || r == 1); /* a chain that broke is given back unserved */
			CHECK(driver_used(&g->c.v, &u));
		} else {
			CHECK(fs_dev_process(g->c.dev) == 1);
			take_answer(g, ((struct fuse_in_header *)(g->c.v.ram + FD_IN))->opcode);
		}
	}
	CHECK(!memmem(g->c.v.ram, DRV_RAM, SECRET, strlen(SECRET)));
}

enum { QUIET, RESTLESS_HOST, SCRIBBLED, READ_ONLY, KINDS };
static void *guest_main(void *arg)
{
	run_guest(arg, false);
	return NULL;
}

static void one_round(uint64_t seed)
{
	static struct guest g, second;
	struct rng r = {(seed + 1) * 0x9e3779b97f4a7c15ULL | 1};
	int kind = seed % KINDS;
	pthread_t helper, other;

	empty_share();
	for (int i = 0; i < 60; i++)
		host_step(&r);
	g.r.s = rnd(&r) | 1;
	second.r.s = rnd(&r) | 1;
	CHECK(!fchmod(share, 0755)); /* an earlier guest may have shut it for an ordinary user */
	guest_init(&g, kind == READ_ONLY);
	guest_init(&second, false);
	stop = 0;
	victim = &g;
	if (kind == SCRIBBLED)
		CHECK(!pthread_create(&helper, NULL, scribble, (void *)(uintptr_t)rnd(&r)));
	else if (kind != QUIET)
		CHECK(!pthread_create(&helper, NULL, host_main, (void *)(uintptr_t)rnd(&r)));
	if (kind == RESTLESS_HOST) /* the same directory shared twice */
		CHECK(!pthread_create(&other, NULL, guest_main, &second));
	run_guest(&g, kind == SCRIBBLED);
	if (kind == RESTLESS_HOST)
		pthread_join(other, NULL);
	stop = 1;
	if (kind != QUIET)
		pthread_join(helper, NULL);
	victim = NULL;
	guest_fini(&g);
	guest_fini(&second);
}

static void hung(int sig)
{
	static const char text[] = "fuzz_share: the server hangs\n";

	_exit(write(2, text, sizeof(text) - 1) < 0 ? 3 : 2);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 100;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, before;
	struct rlimit small = {FILE_LIMIT, FILE_LIMIT};
	int bad = 0;

	signal(SIGXFSZ, SIG_IGN); /* the monitor blocks it */
	signal(SIGALRM, hung);
	setrlimit(RLIMIT_FSIZE, &small);
	umask(0);
	CHECK(!fd_limits_init(1));
	make_outside();
	before = sum_outside();
	for (unsigned long i = 0; i < rounds && !bad; i++) {
		alarm(60);
		one_round(seed + i);
		if (sum_outside() != before) {
			printf("seed %lu: something outside the share changed\n", (unsigned long)(seed + i));
			bad = 1;
		}
	}
	nftw(base, removed_all, 32, FTW_DEPTH | FTW_PHYS);
	if (!bad)
		printf("fuzz_share: ok\n");
	return bad;
}
