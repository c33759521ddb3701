// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's side of a share (virtio_ring.c, fs/fuse/req.c, compiled as in the kernel) against the monitor's, each with its own threads:
 * no answer is lost, mixed up or waited for in vain. Prints the time of a round trip.
 *
 * Kernel code finds its task through the stack pointer, so the workers run on stacks of the kernel's size with a thread_info on top.
 */
#include "fuse_i.h"

/* libc, which kernel headers do not go together with */
int test_printf(const char *fmt, ...);
void test_futex_wait(u32 *w, u32 v, s64 ns);
int test_futex_wake(u32 *w, u32 n);
u64 test_now(void);
void test_yield(void);
void *test_ram_alloc(size_t n);
void test_ram_free(void *p);
void test_die(const char *why) __noreturn;
void test_setup(char *ram, struct hostif_boot *b, unsigned queue_size);
void test_worker(int id, int rounds);

char *direct_map;
struct hostif_boot *boot;
static struct fuse_conn conn;

static u64 one_lookup(const char *name, size_t len)
{
	struct fuse_req *req = fuse_get_req(&conn, FUSE_LOOKUP, FUSE_ROOT_ID);
	u64 ino;

	fuse_arg_name(req, name, len);
	if (fuse_send(&conn, req, sizeof(struct fuse_entry_out)))
		test_die("LOOKUP failed");
	if (req->out.h.unique != req->in.h.unique)
		test_die("somebody else's answer");
	ino = req->out.entry.nodeid ? req->out.entry.attr.ino : 0;
	if (req->out.entry.nodeid) {
		struct fuse_req *f = fuse_get_req(&conn, FUSE_FORGET, req->out.entry.nodeid);
		struct fuse_forget_in *in = fuse_arg(f, sizeof(*in));

		in->nlookup = 1;
		fuse_send_background(&conn, f, false);
	}
	fuse_put_req(req);
	return ino;
}

static void one_read(u64 node, char *buf, u32 size, char expect)
{
	struct fuse_req *req = fuse_get_req(&conn, FUSE_READ, node);
	struct fuse_read_in *in = fuse_arg(req, sizeof(*in));

	in->size = size;
	req->one = (struct vq_buf){buf, size};
	req->data = &req->one;
	req->ndata = 1;
	req->data_in = true;
	if (fuse_send(&conn, req, 0) || fuse_data_len(req) != size || buf[0] != expect || buf[size - 1] != expect)
		test_die("READ brought something else");
	fuse_put_req(req);
}

static u64 node_of(const char *name)
{
	struct fuse_req *req = fuse_get_req(&conn, FUSE_LOOKUP, FUSE_ROOT_ID);
	u64 id;

	fuse_arg_name(req, name, strlen(name));
	if (fuse_send(&conn, req, sizeof(struct fuse_entry_out)) || !req->out.entry.nodeid)
		test_die("no such file");
	id = req->out.entry.nodeid;
	fuse_put_req(req);
	return id;
}

void test_worker(int id, int rounds)
{
	char name[2] = {'a' + id % 8, 0};
	u64 node = node_of(name), ino = one_lookup(name, 1);
	char *buf = test_ram_alloc(8192);

	for (int k = 0; k < rounds; k++) {
		if (k % 3 == 0)
			one_read(node, buf, 8192, name[0]);
		else if (k % 3 == 1 && one_lookup(name, 1) != ino)
			test_die("another file's inode");
		else if (k % 3 == 2 && one_lookup("nope", 4))
			test_die("found what is not there");
	}
	test_ram_free(buf);
}

void test_setup(char *ram, struct hostif_boot *b, unsigned queue_size)
{
	direct_map = ram;
	boot = b;
	conn.vq = virtqueue_init(&b->device[0].queue[0]);
	if (IS_ERR(conn.vq))
		test_die("no queue");
	conn.max_chain = virtqueue_max_chain(conn.vq);
	INIT_LIST_HEAD(&conn.followers);
	if (fuse_req_init())
		test_die("no cache");
}

/* ---- what the kernel has elsewhere ---- */

void __lock_slow(spinlock_t *l)
{
	while (!spin_trylock(l))
		test_yield();
}
void __unlock_slow(spinlock_t *l)
{
}
int host_futex_wait(u32 *w, u32 v, s64 ns)
{
	test_futex_wait(w, v, ns);
	return 0;
}
int host_futex_wake(u32 *w, u32 n)
{
	return test_futex_wake(w, n);
}
void host_yield(void)
{
	test_yield();
}
u64 ktime_get_ns(void)
{
	return test_now();
}
void printk(int level, const char *fmt, ...)
{
	test_printf("%s", fmt);
}
void panic(const char *fmt, ...)
{
	test_die(fmt);
}
void *kmalloc(size_t n, gfp_t gfp)
{
	return test_ram_alloc(n);
}
void *kzalloc(size_t n, gfp_t gfp)
{
	void *p = test_ram_alloc(n);

	memset(p, 0, n);
	return p;
}
void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kzalloc(n * size, gfp);
}
void kfree(const void *p)
{
	if (p)
		test_ram_free((void *)p);
}
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align, unsigned flags, void (*ctor)(void *))
{
	return (void *)size;
}
void *kmem_cache_alloc(struct kmem_cache *c, gfp_t gfp)
{
	return test_ram_alloc((size_t)c);
}
void kmem_cache_free(struct kmem_cache *c, void *p)
{
	test_ram_free(p);
}
