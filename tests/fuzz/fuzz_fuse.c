// SPDX-License-Identifier: Apache-2.0
/*
 * Fuzzes the FUSE server: the input is a series of requests against a scratch directory. The sanitizers say what goes wrong; a
 * file outside the share that changes, or is read, does too.
 */
#include "standalone.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../unit/fuse_driver.h"

static int share = -1, outside = -1;
static char base[] = "/tmp/husk-fuzz.XXXXXX";

static void scrub(int dir)
{
	static const char *const names[] = {"a", "b", "c", "l", "aa"};

	for (int k = 0; k < 3; k++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (unlinkat(dir, names[i], 0))
				unlinkat(dir, names[i], AT_REMOVEDIR);
}

static void setup(void)
{
	int fd;

	if (share >= 0)
		return;
	if (!mkdtemp(base) || chdir(base) || mkdir("share", 0755) || mkdir("outside", 0755))
		abort();
	share = open("share", O_RDONLY | O_DIRECTORY);
	outside = open("outside", O_RDONLY | O_DIRECTORY);
	fd = openat(outside, "secret", O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "SECRET-SECRET", 13) != 13)
		abort();
	close(fd);
}

static void refill(void)
{
	int d;

	scrub(share);
	d = openat(share, "a", O_RDONLY | O_DIRECTORY);
	if (d >= 0) {
		scrub(d);
		close(d);
	}
	scrub(share);
	mkdirat(share, "a", 0755);
	close(openat(share, "b", O_CREAT | O_WRONLY, 0644));
	if (symlinkat("../outside/secret", share, "l") && errno != EEXIST)
		abort();
}

static void check_outside(struct fuse_client *c)
{
	struct stat st;

	if (fstatat(outside, "secret", &st, 0) || st.st_size != 13 || (st.st_mode & 0777) != 0600)
		abort();
	if (memmem(client_out(c), FD_OUT_LEN - 16, "SECRET-SECRET", 13))
		abort();
}

/* Names from a small set, so that requests meet. */
static size_t put_name(struct fuse_client *c, uint8_t b)
{
	static const char *const names[] = {"a", "b", "c", "l", "aa", "..", ".", "", "a/b", "../outside", "/etc"};

	client_str(c, names[b % (sizeof(names) / sizeof(names[0]))]);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuse_client c;

	setup();
	refill();
	client_init(&c, share, false);
	c.dev->own_fs = false; /* one thread: its directory must stay */
	while (size >= 4) {
		uint32_t op = data[0] == 255 ? 1u << data[1] % 32 : data[0] % 55;
		uint64_t node = data[1] & 0x80 ? ((uint64_t)data[2] << 32 | data[3]) : data[1] % 6 + 1;
		size_t fixed = data[2] % 120;
		struct fuse_in_header *h;
		struct vring_used_elem e;
		size_t out_len;

		if (op == FUSE_FSYNC || op == FUSE_FSYNCDIR)
			op = FUSE_LOOKUP; /* slow */
		data += 3;
		size -= 3;
		client_begin(&c, op, node);
		if (fixed > size)
			fixed = size;
		client_add(&c, data, fixed);
		data += fixed;
		size -= fixed;
		if (size) {
			put_name(&c, data[0]);
			put_name(&c, data[0] >> 4);
			data++;
			size--;
		}
		h = (void *)(c.v.ram + FD_IN);
		h->len = c.in_len;
		/* a file of exabytes, or a fallocate of all of /tmp, teaches nothing */
		if (op == FUSE_WRITE || op == FUSE_FALLOCATE || op == FUSE_SETATTR || op == FUSE_COPY_FILE_RANGE)
			for (size_t i = 8; i + 8 <= c.in_len - sizeof(*h); i += 8)
				*(uint64_t *)(c.v.ram + FD_IN + sizeof(*h) + i) &=
					0x3fffffff000fffffULL & 0xffff000fffffULL;
		out_len = fixed % 3 ? FD_OUT_LEN : fixed * 7;
		driver_desc(&c.v, 0, FD_IN, c.in_len, VRING_DESC_F_NEXT, 1);
		driver_desc(&c.v, 1, FD_OUT, out_len, VRING_DESC_F_WRITE, 0);
		driver_submit(&c.v, 0);
		if (fs_dev_process(c.dev) != 1 || !driver_used(&c.v, &e) || e.len > out_len)
			abort();
	}
	check_outside(&c);
	client_fini(&c);
	return 0;
}

static int rm(const char *p, const struct stat *st, int f, struct FTW *w)
{
	return remove(p);
}

__attribute__((destructor)) static void cleanup(void)
{
	if (share >= 0 && !chdir("/"))
		nftw(base, rm, 32, FTW_DEPTH | FTW_PHYS);
}
