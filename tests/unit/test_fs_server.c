// SPDX-License-Identifier: Apache-2.0
/* Unit tests of the FUSE server on a scratch directory: what it does, and that nothing leaves the share. */
#include <ftw.h>
#include <linux/fs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "fuse_driver.h"
#include "../../host/plain.h"
#include <hostif/hostif.h>

static char base[] = "/tmp/husk-fs-test.XXXXXX";
static struct fuse_client c;
static int dirfd_;

static void put(const char *name, const char *text)
{
	int fd = openat(dirfd_, name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int read_at(uint64_t node, uint64_t off, uint32_t size)
{
	struct fuse_read_in in = {.offset = off, .size = size};

	client_begin(&c, FUSE_READ, node);
	client_add(&c, &in, sizeof(in));
	return client_send(&c, true);
}

static int open_write(uint64_t node)
{
	struct fuse_open_in in = {.flags = O_RDWR};

	client_begin(&c, FUSE_OPEN, node);
	client_add(&c, &in, sizeof(in));
	return client_send(&c, true);
}

static int write_at(uint64_t node, uint64_t off, const char *text)
{
	struct fuse_write_in in = {.offset = off, .size = strlen(text)};

	client_begin(&c, FUSE_WRITE, node);
	client_add(&c, &in, sizeof(in));
	client_add(&c, text, strlen(text));
	return client_send(&c, true);
}

static int64_t create(uint64_t dir, const char *name, unsigned mode)
{
	struct fuse_create_in in = {.flags = O_RDWR, .mode = mode | S_IFREG};
	int err;

	client_begin(&c, FUSE_CREATE, dir);
	client_add(&c, &in, sizeof(in));
	client_str(&c, name);
	err = client_send(&c, true);
	return err ? err : (int64_t)((struct fuse_entry_out *)client_out(&c))->nodeid;
}

static int name_op(uint32_t op, uint64_t dir, const char *name)
{
	client_begin(&c, op, dir);
	client_str(&c, name);
	return client_send(&c, true);
}

static int do_rename(uint64_t od, const char *on, uint64_t nd, const char *nn)
{
	struct fuse_rename2_in in = {.newdir = nd};

	client_begin(&c, FUSE_RENAME2, od);
	client_add(&c, &in, sizeof(in));
	client_str(&c, on);
	client_str(&c, nn);
	return client_send(&c, true);
}

static void forget(uint64_t node, uint64_t n)
{
	struct fuse_forget_in in = {.nlookup = n};

	client_begin(&c, FUSE_FORGET, node);
	client_add(&c, &in, sizeof(in));
	client_send(&c, false);
}

static void test_lookup_read(void)
{
	int64_t n, d;

	put("file", "0123456789");
	mkdirat(dirfd_, "dir", 0755);
	put("dir/inner", "inside");
	n = client_lookup(&c, 1, "file");
	CHECK(n > 1 && ((struct fuse_entry_out *)client_out(&c))->attr.size == 10);
	CHECK(client_lookup(&c, 1, "file") == n);
	CHECK(client_lookup(&c, 1, "none") == 0);
	CHECK(!read_at(n, 2, 100) && c.out_len == 8 && !memcmp(client_out(&c), "23456789", 8));
	CHECK(!read_at(n, 10, 100) && c.out_len == 0);
	d = client_lookup(&c, 1, "dir");
	CHECK(d > 1 && read_at(d, 0, 10) == -EISDIR);
	n = client_lookup(&c, d, "inner");
	CHECK(n > 1 && !read_at(n, 0, 100) && c.out_len == 6);
	forget(n, 1);
	CHECK(read_at(n, 0, 1) == -ESTALE);
	CHECK(read_at(0, 0, 1) == -ESTALE && read_at(~0ULL, 0, 1) == -ESTALE && read_at(12345, 0, 1) == -ESTALE);
}

/* READ that tells which pages are plain text */
static void test_plain(void)
{
	struct fuse_read_in in = {.size = 5 * PLAIN_BYTES, .read_flags = HOSTIF_FUSE_READ_PLAIN};
	const size_t told = sizeof(struct hostif_fuse_plain);
	static char text[4 * PLAIN_BYTES + 100];
	struct hostif_fuse_plain *plain;
	int64_t n;
	int fd;

	memset(text, 0x90, sizeof(text));
	memcpy(text + PLAIN_BYTES + 77, "\x0f\x05", 2);
	text[3 * PLAIN_BYTES - 1] = 0x0f;
	fd = openat(dirfd_, "text", O_CREAT | O_WRONLY, 0644);
	CHECK(write(fd, text, sizeof(text)) == sizeof(text));
	close(fd);
	n = client_lookup(&c, 1, "text");
	client_begin(&c, FUSE_READ, n);
	client_add(&c, &in, sizeof(in));
	CHECK(!client_send(&c, true) && c.out_len == told + sizeof(text));
	plain = client_out(&c);
	CHECK(plain->page[0] == 0x9 && !plain->page[1] && !plain->page[2] && !plain->page[3]);
	CHECK(!memcmp((char *)(plain + 1), text, sizeof(text)));
	in.offset = 3 * PLAIN_BYTES;
	client_begin(&c, FUSE_READ, n);
	client_add(&c, &in, sizeof(in));
	CHECK(!client_send(&c, true) && c.out_len == told + PLAIN_BYTES + 100 && plain->page[0] == 1);
	in.offset = sizeof(text);
	client_begin(&c, FUSE_READ, n);
	client_add(&c, &in, sizeof(in));
	CHECK(!client_send(&c, true) && c.out_len == told && plain->page[0] == 0);
	/* no room for what is told, or in pieces that are no whole pages */
	driver_desc(&c.v, 0, FD_IN, c.in_len, VRING_DESC_F_NEXT, 1);
	driver_desc(&c.v, 1, FD_OUT, sizeof(struct fuse_out_header) + told - 1, VRING_DESC_F_WRITE, 0);
	driver_submit(&c.v, 0);
	CHECK(fs_dev_process(c.dev) == 1 && driver_used(&c.v, &(struct vring_used_elem){0}));
	CHECK(((struct fuse_out_header *)(c.v.ram + FD_OUT))->error == -EINVAL);
	in.offset = 0;
	client_begin(&c, FUSE_READ, n);
	client_add(&c, &in, sizeof(in));
	((struct fuse_in_header *)(c.v.ram + FD_IN))->len = c.in_len;
	driver_desc(&c.v, 0, FD_IN, c.in_len, VRING_DESC_F_NEXT, 1);
	driver_desc(&c.v, 1, FD_OUT, sizeof(struct fuse_out_header) + told + 100,
		    VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 2);
	driver_desc(&c.v, 2, FD_OUT + 0x8000, 0x8000, VRING_DESC_F_WRITE, 0);
	driver_submit(&c.v, 0);
	CHECK(fs_dev_process(c.dev) == 1 && driver_used(&c.v, &(struct vring_used_elem){0}));
	CHECK(plain->page[0] == 0x8); /* the first begins in another piece */
}

static void test_confined(void)
{
	struct fuse_open_in in = {.flags = O_RDONLY};
	int64_t l, d;

	CHECK(client_lookup(&c, 1, "..") == -EINVAL);
	CHECK(client_lookup(&c, 1, ".") == -EINVAL);
	CHECK(client_lookup(&c, 1, "a/b") == -EINVAL);
	CHECK(client_lookup(&c, 1, "/etc") == -EINVAL);
	CHECK(client_lookup(&c, 1, "") == -EINVAL);
	CHECK(!symlinkat("/etc", dirfd_, "out") && !symlinkat("/etc/passwd", dirfd_, "outf"));
	l = client_lookup(&c, 1, "out");
	CHECK(l > 1 && S_ISLNK(((struct fuse_entry_out *)client_out(&c))->attr.mode));
	/* there is room for it: the body comes along */
	CHECK(c.out_len == sizeof(struct fuse_entry_out) + 4 &&
	      !memcmp((char *)client_out(&c) + sizeof(struct fuse_entry_out), "/etc", 4));
	CHECK(client_lookup(&c, l, "passwd") == -ENOTDIR);
	client_begin(&c, FUSE_READLINK, l);
	CHECK(!client_send(&c, true) && c.out_len == 4 && !memcmp(client_out(&c), "/etc", 4));
	l = client_lookup(&c, 1, "outf");
	CHECK(read_at(l, 0, 10) == -EINVAL);
	client_begin(&c, FUSE_OPEN, l);
	client_add(&c, &in, sizeof(in));
	CHECK(client_send(&c, true) == -EINVAL);
	/* a directory that becomes a link behind the server's back */
	mkdirat(dirfd_, "swap", 0755);
	put("swap/passwd", "mine");
	d = client_lookup(&c, 1, "swap");
	CHECK(d > 1);
	CHECK(!unlinkat(dirfd_, "swap/passwd", 0) && !unlinkat(dirfd_, "swap", AT_REMOVEDIR) &&
	      !symlinkat("/etc", dirfd_, "swap"));
	CHECK(client_lookup(&c, d, "passwd") == -ESTALE);
	/* a file that becomes a FIFO is not opened for reading */
	put("pipe", "x");
	l = client_lookup(&c, 1, "pipe");
	CHECK(!unlinkat(dirfd_, "pipe", 0) && !mkfifoat(dirfd_, "pipe", 0644));
	CHECK(read_at(l, 0, 10) == -ESTALE);
	l = client_lookup(&c, 1, "pipe");
	CHECK(l > 1 && read_at(l, 0, 10) == -EINVAL);
	unlinkat(dirfd_, "out", 0);
	unlinkat(dirfd_, "outf", 0);
	unlinkat(dirfd_, "swap", 0);
	unlinkat(dirfd_, "pipe", 0);
}

static void test_write(void)
{
	struct stat st;
	int64_t n;

	n = create(1, "new", 0444);
	CHECK(n > 1 && c.out_len == sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out));
	CHECK(!fstatat(dirfd_, "new", &st, 0) && (st.st_mode & 0777) == 0444);
	CHECK(!write_at(n, 0, "hello") && !write_at(n, 5, " world"));
	CHECK(!read_at(n, 0, 100) && c.out_len == 11);
	CHECK(create(1, "new", 0644) == -EEXIST);
	/* deleted, but open: still there for who has it */
	CHECK(!name_op(FUSE_UNLINK, 1, "new") && client_lookup(&c, 1, "new") == 0);
	CHECK(!write_at(n, 0, "HELLO") && !read_at(n, 0, 5) && !memcmp(client_out(&c), "HELLO", 5));
	forget(n, 1);
	CHECK(write_at(n, 0, "x") == -ESTALE);
	CHECK(name_op(FUSE_UNLINK, 1, "new") == -ENOENT);
}

static void test_unlink_open_for_reading(void)
{
	int64_t n;

	put("gone", "content");
	n = client_lookup(&c, 1, "gone");
	CHECK(!name_op(FUSE_UNLINK, 1, "gone"));
	CHECK(!read_at(n, 0, 100) && c.out_len == 7);
	CHECK(!open_write(n) && !write_at(n, 0, "C") && !read_at(n, 0, 100) && !memcmp(client_out(&c), "Content", 7));
	forget(n, 1);
}

static void test_rename(void)
{
	int64_t a, b, d;

	put("a", "AAA");
	put("b", "BB");
	mkdirat(dirfd_, "d", 0755);
	a = client_lookup(&c, 1, "a");
	b = client_lookup(&c, 1, "b");
	d = client_lookup(&c, 1, "d");
	CHECK(!do_rename(1, "a", 1, "b"));
	CHECK(!read_at(a, 0, 10) && c.out_len == 3);
	CHECK(!read_at(b, 0, 10) && c.out_len == 2);
	CHECK(client_lookup(&c, 1, "b") == a);
	CHECK(!do_rename(1, "b", d, "x") && client_lookup(&c, d, "x") == a && client_lookup(&c, 1, "b") == 0);
	CHECK(!do_rename(1, "d", 1, "e"));
	CHECK(client_lookup(&c, 1, "e") == d);
	CHECK(!name_op(FUSE_UNLINK, d, "x") && !name_op(FUSE_RMDIR, 1, "e"));
	CHECK(do_rename(1, "nope", 1, "e") == -ENOENT);
	forget(b, 1);
}

static void test_evicted(void)
{
	int64_t d1, d2, f;
	struct fs_node *n;

	mkdirat(dirfd_, "l1", 0755);
	mkdirat(dirfd_, "l1/l2", 0755);
	put("l1/l2/f", "deep");
	d1 = client_lookup(&c, 1, "l1");
	d2 = client_lookup(&c, d1, "l2");
	f = client_lookup(&c, d2, "f");
	CHECK(!read_at(f, 0, 10) && c.out_len == 4);
	/* close everything by hand: all is found again from the root */
	for (uint32_t s = 2; s < c.dev->nslots; s++) {
		n = c.dev->slots[s];
		if (n && n->name)
			node_close(c.dev, n);
	}
	CHECK(!read_at(f, 0, 10) && c.out_len == 4);
	CHECK(!renameat(dirfd_, "l1/l2", dirfd_, "l1/moved"));
	for (uint32_t s = 2; s < c.dev->nslots; s++) {
		n = c.dev->slots[s];
		if (n && n->name)
			node_close(c.dev, n);
	}
	CHECK(read_at(f, 0, 10) == -ESTALE);
	CHECK(client_lookup(&c, d1, "moved") == d2);
	CHECK(!read_at(f, 0, 10) && c.out_len == 4);
}

static int list(uint64_t dir, bool plus, uint32_t size, uint32_t flags, int *dirs)
{
	struct fuse_read_in in = {.size = size, .read_flags = flags};
	int total = 0;

	for (bool end = false; !end;) {
		char *p;
		uint32_t left;

		client_begin(&c, plus ? FUSE_READDIRPLUS : FUSE_READDIR, dir);
		client_add(&c, &in, sizeof(in));
		CHECK(!client_send(&c, true));
		p = client_out(&c);
		left = c.out_len;
		end = !left;
		while (left) {
			struct fuse_direntplus *dp = (void *)p;
			struct fuse_dirent *de = plus ? &dp->dirent : (void *)p;
			uint32_t rec =
				FUSE_REC_ALIGN((plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET) + de->namelen);

			CHECK(rec <= left);
			if (!de->namelen) {
				end = true;
				break;
			}
			total++;
			if (plus && dp->entry_out.nodeid)
				++*dirs;
			in.offset = de->off;
			p += rec;
			left -= rec;
		}
	}
	return total;
}

/* The entry of that name in an answer to READDIRPLUS, and how many pages of data come before its own */
static struct fuse_entry_out *find_entry(const char *name, unsigned *before)
{
	char *p = client_out(&c);

	*before = 0;
	for (uint32_t left = c.out_len; left;) {
		struct fuse_direntplus *dp = (void *)p;
		uint32_t rec = FUSE_REC_ALIGN(FUSE_NAME_OFFSET_DIRENTPLUS + dp->dirent.namelen);

		if (!dp->dirent.namelen)
			break;
		if (dp->dirent.namelen == strlen(name) && !memcmp(dp->dirent.name, name, strlen(name)))
			return &dp->entry_out;
		if (dp->entry_out.attr.flags & HOSTIF_FUSE_ATTR_DATA)
			*before += (dp->entry_out.attr.size + 4095) / 4096;
		p += rec;
		left -= rec;
	}
	return NULL;
}

#define LIST_BYTES 0x4000
#define DATA_AT (FD_OUT + 0x8000)

/* READDIRPLUS with `pages` pages for data in a piece of their own */
static void list_with_data(uint64_t dir, unsigned pages)
{
	struct fuse_read_in in = {.size = LIST_BYTES, .read_flags = HOSTIF_FUSE_READDIR_EOF | HOSTIF_FUSE_READDIR_DATA};
	struct vring_used_elem e;

	client_begin(&c, FUSE_READDIRPLUS, dir);
	client_add(&c, &in, sizeof(in));
	((struct fuse_in_header *)(c.v.ram + FD_IN))->len = c.in_len;
	memset(c.v.ram + DATA_AT, 0xcc, (pages + 1) * 4096);
	driver_desc(&c.v, 0, FD_IN, c.in_len, VRING_DESC_F_NEXT, 1);
	driver_desc(&c.v, 1, FD_OUT, sizeof(struct fuse_out_header) + LIST_BYTES,
		    VRING_DESC_F_WRITE | (pages ? VRING_DESC_F_NEXT : 0), 2);
	driver_desc(&c.v, 2, DATA_AT, pages * 4096, VRING_DESC_F_WRITE, 0);
	driver_submit(&c.v, 0);
	CHECK(fs_dev_process(c.dev) == 1 && driver_used(&c.v, &e));
	CHECK(((struct fuse_out_header *)(c.v.ram + FD_OUT))->error == 0);
	c.out_len = e.len - sizeof(struct fuse_out_header);
	CHECK(c.v.ram[DATA_AT + pages * 4096] == (char)0xcc);
}

/* Small files' data comes along with a listing: whole, in order, only what all may read */
static void test_readdir_data(void)
{
	static char big[140 * 1024];
	struct fuse_entry_out *e;
	unsigned before, brought = 0;
	int64_t d;
	int fd;

	mkdirat(dirfd_, "data", 0755);
	mkdirat(dirfd_, "data/sub", 0755);
	put("data/one", "first of them");
	memset(big, 'b', sizeof(big) - 1);
	put("data/large", big);
	big[5000] = 0;
	put("data/two", big);
	put("data/empty", "");
	put("data/secret", "not for all");
	CHECK(!fchmodat(dirfd_, "data/secret", 0600, 0) && !symlinkat("one", dirfd_, "data/link") &&
	      !mkfifoat(dirfd_, "data/fifo", 0644));
	d = client_lookup(&c, 1, "data");
	list_with_data(d, 8);
	e = find_entry("one", &before);
	CHECK(e && e->nodeid && e->attr.size == 13 && (e->attr.flags & HOSTIF_FUSE_ATTR_DATA));
	CHECK(!memcmp(c.v.ram + DATA_AT + before * 4096, "first of them", 13));
	e = find_entry("two", &before);
	CHECK(e && e->attr.size == 5000 && (e->attr.flags & HOSTIF_FUSE_ATTR_DATA));
	CHECK(!memcmp(c.v.ram + DATA_AT + before * 4096, big, 5000));
	for (const char *const *n = (const char *const[]){"large", "empty", "secret", "link", "fifo", "sub", NULL}; *n;
	     n++) {
		e = find_entry(*n, &before);
		CHECK(e && e->nodeid && !(e->attr.flags & HOSTIF_FUSE_ATTR_DATA));
	}
	fd = openat(dirfd_, "data/fifo", O_WRONLY | O_NONBLOCK);
	CHECK(fd < 0 && errno == ENXIO); /* nobody has it open */
	/* room for one of them, and for none */
	list_with_data(d, 1);
	for (const char *const *n = (const char *const[]){"one", "two", NULL}; *n; n++)
		brought += !!(find_entry(*n, &before)->attr.flags & HOSTIF_FUSE_ATTR_DATA);
	CHECK(brought == 1 && (find_entry("one", &before)->attr.flags & HOSTIF_FUSE_ATTR_DATA));
	list_with_data(d, 0);
	e = find_entry("one", &before);
	CHECK(e && e->nodeid && !(e->attr.flags & HOSTIF_FUSE_ATTR_DATA));
}

static void test_readdir(void)
{
	char name[32];
	int64_t d;
	int with = 0;

	mkdirat(dirfd_, "many", 0755);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "many/entry-%d", i);
		if (i % 10)
			put(name, "");
		else
			mkdirat(dirfd_, name, 0755);
	}
	d = client_lookup(&c, 1, "many");
	CHECK(list(d, false, 4096, 0, NULL) == 502);
	CHECK(list(d, false, 4096, HOSTIF_FUSE_READDIR_EOF, NULL) == 502);
	CHECK(list(d, true, 4096, HOSTIF_FUSE_READDIR_EOF, &with) == 502 && with == 500);
	with = 0;
	CHECK(list(d, true, 65536, HOSTIF_FUSE_READDIR_EOF | HOSTIF_FUSE_READDIR_DIRS, &with) == 502 && with == 50);
}

static void test_hidden(void)
{
	struct fuse_client p;
	int proc = open("/proc", O_PATH | O_DIRECTORY), dirs = 0;

	client_init(&p, proc, true);
	CHECK(client_lookup(&p, 1, "self") == 0 && client_lookup(&p, 1, "1") == 0);
	client_fini(&p);
	close(proc);
	proc = open("/", O_PATH | O_DIRECTORY);
	struct fuse_client keep = c;

	client_init(&c, proc, true);
	int64_t n = client_lookup(&c, 1, "proc");
	CHECK(n > 1 && client_lookup(&c, n, "self") == 0);
	CHECK(list(n, true, 4096, HOSTIF_FUSE_READDIR_EOF, &dirs) == 2 && !dirs);
	client_fini(&c);
	c = keep;
	close(proc);
}

/* With no descriptor left nobody can look what file system it is: then it must not be seen either. */
static void test_hidden_without_descriptors(void)
{
	int root = open("/", O_PATH | O_DIRECTORY);
	struct rlimit was, none;
	struct fuse_client p;
	int64_t n;

	client_init(&p, root, true);
	CHECK(!getrlimit(RLIMIT_NOFILE, &was));
	none = was;
	none.rlim_cur = 0;
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	n = client_lookup(&p, 1, "proc");
	CHECK(n <= 0 || client_lookup(&p, n, "self") == 0);
	CHECK(!setrlimit(RLIMIT_NOFILE, &was));
	n = client_lookup(&p, 1, "proc");
	CHECK(n > 1 && client_lookup(&p, n, "self") == 0);
	client_fini(&p);
	close(root);
}

static void test_readonly(void)
{
	struct fuse_setattr_in sa = {.valid = FATTR_MODE, .mode = 0777};
	struct fuse_client keep = c;
	int64_t n;

	put("ro", "data");
	client_init(&c, dirfd_, true);
	n = client_lookup(&c, 1, "ro");
	CHECK(n > 1 && !read_at(n, 0, 10) && c.out_len == 4);
	CHECK(open_write(n) == -EROFS && write_at(n, 0, "x") == -EROFS && create(1, "y", 0644) == -EROFS);
	CHECK(name_op(FUSE_UNLINK, 1, "ro") == -EROFS && name_op(FUSE_RMDIR, 1, "dir") == -EROFS);
	CHECK(do_rename(1, "ro", 1, "rw") == -EROFS);
	client_begin(&c, FUSE_SETATTR, n);
	client_add(&c, &sa, sizeof(sa));
	CHECK(client_send(&c, true) == -EROFS);
	client_fini(&c);
	c = keep;
}

static void test_attr_links(void)
{
	struct fuse_setattr_in sa = {
		.valid = FATTR_MODE | FATTR_SIZE | FATTR_MTIME, .mode = 0600, .size = 3, .mtime = 1000};
	struct fuse_link_in li = {0};
	struct stat st;
	int64_t n;

	put("attr", "0123456789");
	n = client_lookup(&c, 1, "attr");
	client_begin(&c, FUSE_SETATTR, n);
	client_add(&c, &sa, sizeof(sa));
	CHECK(!client_send(&c, true));
	CHECK(!fstatat(dirfd_, "attr", &st, 0) && st.st_size == 3 && (st.st_mode & 07777) == 0600 &&
	      st.st_mtime == 1000);
	li.oldnodeid = n;
	client_begin(&c, FUSE_LINK, 1);
	client_add(&c, &li, sizeof(li));
	client_str(&c, "attr2");
	CHECK(!client_send(&c, true) && (int64_t)((struct fuse_entry_out *)client_out(&c))->nodeid == n);
	CHECK(!name_op(FUSE_UNLINK, 1, "attr") && !read_at(n, 0, 10) && c.out_len == 3);
	CHECK(client_lookup(&c, 1, "attr2") == n);
}

static void test_xattr(void)
{
	struct fuse_getxattr_in gi = {.size = 100};
	struct {
		uint32_t size, flags;
	} si = {.size = 3};
	int64_t n;

	put("xa", "");
	n = client_lookup(&c, 1, "xa");
	client_begin(&c, FUSE_SETXATTR, n);
	client_add(&c, &si, sizeof(si));
	client_str(&c, "user.k");
	client_add(&c, "val", 3);
	int err = client_send(&c, true);

	if (err == -EOPNOTSUPP)
		return; /* the scratch file system has none */
	CHECK(!err);
	client_begin(&c, FUSE_GETXATTR, n);
	client_add(&c, &gi, sizeof(gi));
	client_str(&c, "user.k");
	CHECK(!client_send(&c, true) && c.out_len == 3 && !memcmp(client_out(&c), "val", 3));
	client_begin(&c, FUSE_LISTXATTR, n);
	client_add(&c, &gi, sizeof(gi));
	CHECK(!client_send(&c, true) && c.out_len >= 7);
	CHECK(!name_op(FUSE_REMOVEXATTR, n, "user.k"));
}

static int rm(const char *p, const struct stat *st, int f, struct FTW *w)
{
	return remove(p);
}

int main(void)
{
	CHECK(mkdtemp(base));
	dirfd_ = open(base, O_RDONLY | O_DIRECTORY);
	client_init(&c, dirfd_, false);
	fs_dev_thread_setup(c.dev);
	test_lookup_read();
	test_plain();
	test_confined();
	test_write();
	test_unlink_open_for_reading();
	test_rename();
	test_evicted();
	test_readdir();
	test_readdir_data();
	test_attr_links();
	test_xattr();
	test_readonly();
	test_hidden();
	test_hidden_without_descriptors();
	client_fini(&c);
	nftw(base, rm, 32, FTW_DEPTH | FTW_PHYS);
	puts("test_fs_server: ok");
	return 0;
}
