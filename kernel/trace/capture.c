// SPDX-License-Identifier: Apache-2.0
// From a system call's argument kinds to copies of the memory that it reads and writes.
/*
 * DOC: The table is generated from arch/x86/syscalls.tbl: an op for each of six arguments. An op is served before the call, after it or
 * both. Each piece of memory becomes a blob with its user address, so that who decodes follows pointers as the kernel would. All
 * sizes that come from user memory are bounded before use; a piece without room is cut or left out.
 */
#include <husk/trace_capture.h>

enum capture_op {
	CAP_NONE,
	CAP_FD,
	CAP_PATH,
	CAP_STR,
	CAP_IN,
	CAP_OUT,
	CAP_IO,
	CAP_POLLFD,
	CAP_FDPAIR,
	CAP_BUF_IN,
	CAP_BUF_OUT,
	CAP_IOV_IN,
	CAP_IOV_OUT,
	CAP_SIZED,
	CAP_SOCK_IN,
	CAP_SOCK_OUT,
	CAP_MSG_IN,
	CAP_MSG_OUT,
	CAP_MMSG_IN,
	CAP_MMSG_OUT,
	CAP_FDSET,
	CAP_SIGSET6,
	CAP_PAGES,
	CAP_DENTS,
	CAP_ARGV,
	CAP_ENVP,
	CAP_CLONE3,
	CAP_CMD,
	CAP_SIGFRAME,
};
#define CAP_ONE 6    /* ref: one element */
#define CAP_RESULT 7 /* ref: as many as the result says */

#define MAX_PATH 4096u
#define MAX_ARRAY 4096u	 /* bytes of an array */
#define MAX_DENTS 65536u /* all of it: its entries are counted */
#define MAX_IOV 64u	 /* vectors, messages, strings of argv */
#define MAX_ENVP 1024u
#define MAX_ADDR 128u
#define MAX_CONTROL 2048u
#define MAX_OPT 256u

struct capture_kind {
	u8 op, ref;
	u16 size;
};
struct capture_row {
	u8 makes_fd;
	struct capture_kind arg[6];
};

#define K(nr, fd, ...) [nr] = {fd, {__VA_ARGS__}},
static const struct capture_row rows[] = {
#include <trace_kinds.h>
};
#undef K

struct user_iovec {
	u64 base, len;
};
struct user_msghdr {
	u64 name;
	u32 namelen, pad0;
	u64 iov, iovlen, control, controllen;
	u32 flags, pad1;
};
struct user_mmsghdr {
	struct user_msghdr hdr;
	u32 len, pad;
};

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* A new blob's data, with room for max bytes or what is left of it; NULL if there is none. */
static void *blob_begin(struct trace_capture *c, u64 max, u64 *room)
{
	if (c->room - c->used < sizeof(struct hostif_trace_blob) + 8) {
		c->dropped = true;
		return NULL;
	}
	*room = c->room - c->used - sizeof(struct hostif_trace_blob);
	if (max < *room)
		*room = max;
	return c->buf + c->used + sizeof(struct hostif_trace_blob);
}

static void blob_end(struct trace_capture *c, int kind, int arg, u64 addr, u64 len, u64 want)
{
	struct hostif_trace_blob *b = (void *)(c->buf + c->used);
	b->kind = kind;
	b->arg = arg;
	b->len = len;
	b->want = want > 0xffffffffu ? 0xffffffffu : want;
	b->pad = 0;
	b->addr = addr;
	c->used += sizeof(*b) + ((len + 7) & ~7ull); /* there is room for it: c->room is a multiple of 8 */
	c->nblobs++;
}

/* len bytes at addr, of want that there are; the copy, and in *got how much of it there is. */
static const void *mem(struct trace_capture *c, int arg, u64 addr, u64 len, u64 want, u64 *got)
{
	u64 room, n;
	void *dst;

	*got = 0;
	if (!addr || !len)
		return NULL;
	dst = blob_begin(c, len, &room);
	if (!dst)
		return NULL;
	n = trace_read_user(dst, addr, room);
	if (!n)
		return NULL;
	blob_end(c, TRACE_BLOB_MEM, arg, addr, n, want);
	*got = n;
	return dst;
}

static void bytes(struct trace_capture *c, int arg, u64 addr, u64 len)
{
	u64 got;

	mem(c, arg, addr, len, len, &got);
}

/* A string of which up to max bytes are kept; nothing if it cannot be read up to its end or max. */
static void string(struct trace_capture *c, int arg, u64 addr, u64 max)
{
	u64 room, n = 0, chunk, got, i;
	char *dst;

	dst = addr ? blob_begin(c, max + 1, &room) : NULL;
	if (!dst)
		return;
	while (n < room) {
		chunk = least(room - n, n ? 512 : 64);
		chunk = least(chunk, 4096 - ((addr + n) & 4095));
		got = trace_read_user(dst + n, addr + n, chunk);
		for (i = 0; i < got; i++)
			if (!dst[n + i]) {
				n += i + 1;
				blob_end(c, TRACE_BLOB_STR, arg, addr, n, n);
				return;
			}
		n += got;
		if (got < chunk)
			return;
	}
	if (n > max)
		n = max;
	if (n)
		blob_end(c, TRACE_BLOB_STR, arg, addr, n, n + 1);
}

static void fd_path(struct trace_capture *c, int arg, int fd)
{
	u64 room;
	char *dst;
	long n;

	if (!c->fd_paths || (fd < 0 && fd != -100))
		return;
	dst = blob_begin(c, MAX_PATH, &room);
	if (!dst)
		return;
	n = trace_fd_path(fd, dst, room);
	if (n > 0)
		blob_end(c, TRACE_BLOB_FDPATH, arg, (u64)(s64)fd, n, n);
}

static void iov(struct trace_capture *c, int arg, u64 addr, u64 count, u64 total)
{
	u64 got, i, n;
	const struct user_iovec *v = mem(c, arg, addr, least(count, MAX_IOV) * sizeof(*v), count * sizeof(*v), &got);

	if (!v)
		return;
	for (i = 0; i < got / sizeof(*v) && total; i++) {
		n = least(v[i].len, total);
		mem(c, arg, v[i].base, least(n, c->limit), n, &(u64){0});
		total -= n;
	}
}

static void msg_parts(struct trace_capture *c, int arg, const struct user_msghdr *m, u64 total)
{
	bytes(c, arg, m->name, least(m->namelen, MAX_ADDR));
	iov(c, arg, m->iov, m->iovlen, total);
	mem(c, arg, m->control, least(m->controllen, MAX_CONTROL), m->controllen, &(u64){0});
}

static void msg(struct trace_capture *c, int arg, u64 addr, u64 total, bool deep)
{
	u64 got;
	const struct user_msghdr *m = mem(c, arg, addr, sizeof(*m), sizeof(*m), &got);

	if (m && deep && got == sizeof(*m))
		msg_parts(c, arg, m, total);
}

static void mmsg(struct trace_capture *c, int arg, u64 addr, u64 count, bool in, bool deep)
{
	u64 got, i;
	const struct user_mmsghdr *m = mem(c, arg, addr, least(count, MAX_IOV) * sizeof(*m), count * sizeof(*m), &got);

	for (i = 0; m && deep && i < got / sizeof(*m); i++)
		msg_parts(c, arg, &m[i].hdr, in ? ~0ull : m[i].len);
}

static void argv(struct trace_capture *c, int arg, u64 addr, bool strings)
{
	u64 room, n = 0, got, i, *p, max = strings ? MAX_IOV : MAX_ENVP;

	p = addr ? blob_begin(c, max * 8, &room) : NULL;
	if (!p)
		return;
	room &= ~7ull;
	while (n * 8 < room) { /* page by page: the array's end is not known */
		u64 chunk = least(room - n * 8, 4096 - ((addr + n * 8) & 4095)) & ~7ull;

		got = chunk ? trace_read_user(p + n, addr + n * 8, chunk) / 8 : 0;
		for (i = 0; i < got; i++)
			if (!p[n + i])
				break;
		n += i;
		if (i < got || got * 8 < chunk || !chunk)
			break;
	}
	if (n * 8 < room && trace_read_user(p + n, addr + n * 8, 8) == 8)
		n++;
	if (!n)
		return;
	blob_end(c, TRACE_BLOB_MEM, arg, addr, n * 8, n * 8);
	for (i = 0; strings && i < n && p[i]; i++)
		string(c, arg, p[i], c->limit);
}

static void count(struct trace_capture *c, int arg, u64 addr, u64 n)
{
	u64 room, *dst = blob_begin(c, 8, &room);

	if (!dst)
		return;
	*dst = n;
	blob_end(c, TRACE_BLOB_COUNT, arg, addr, 8, 8);
}

/* How many strings an array names; false if its end cannot be read. The room for blobs serves to look at it. */
static bool count_strings(struct trace_capture *c, int arg, u64 addr)
{
	u64 room = 0, chunk, got, n = 0, i;
	u64 *p = addr ? blob_begin(c, 4096, &room) : NULL;

	while (p && n < MAX_ARRAY * 16) {
		chunk = least(room & ~7ull, 4096 - ((addr + n * 8) & 4095)) & ~7ull;
		got = chunk ? trace_read_user(p, addr + n * 8, chunk) / 8 : 0;
		for (i = 0; i < got; i++, n++)
			if (!p[i]) {
				count(c, arg, addr, n);
				return true;
			}
		if (!got)
			break;
	}
	return false;
}

/* How many entries of a directory were read. */
static void count_entries(struct trace_capture *c, int arg, u64 addr, u64 size)
{
	u64 room = 0, got, at = 0, pos, n = 0, len;
	u8 *p = addr ? blob_begin(c, 4096, &room) : NULL;

	while (p && at < size) {
		got = trace_read_user(p, addr + at, least(room, size - at));
		for (pos = 0; pos + 18 <= got; pos += len, n++) {
			len = p[pos + 16] | p[pos + 17] << 8; /* d_reclen */
			if (len < 18)
				return;
		}
		if (!pos)
			return;
		at += pos;
	}
	if (p)
		count(c, arg, addr, n);
}

static void select_set(struct trace_capture *c, int arg, u64 addr, s32 nfds, bool exit)
{
	u64 got, i;
	const u8 *set;

	if (nfds <= 0)
		return;
	i = (u64)(nfds + 63) / 64 * 8;
	set = mem(c, arg, addr, least(i, MAX_ADDR), i, &got);
	for (i = 0; set && c->fd_paths && !exit && i < got * 8 && i < (u64)nfds; i++)
		if (set[i / 8] & 1 << i % 8)
			fd_path(c, arg, i);
}

/* Memory of ioctl's, fcntl's and prctl's arguments: as the command says. */
static void command(struct trace_capture *c, unsigned int nr, const u64 *args, int arg, bool exit)
{
	u32 cmd = nr == 157 || nr == 158 ? args[0] : args[1];
	u64 size;

	if (nr == 16) { /* _IOC_SIZE, and before there was that at most struct termios */
		size = cmd >> 16 & 0x3fff;
		if (!size)
			size = cmd == 0x5401 || (cmd >= 0x5402 && cmd <= 0x5404) ? 36 : 0;
		if (!size)
			size = args[2] >= 4096 ? 8 : 0;
		bytes(c, arg, args[2], least(size, MAX_ARRAY));
	} else if (nr == 72) { /* struct flock, f_owner_ex, hints */
		if (cmd >= 5 && cmd <= 7)
			bytes(c, arg, args[2], 32);
		else if (cmd >= 36 && cmd <= 38)
			bytes(c, arg, args[2], 32);
		else if (cmd == 15 || cmd == 16 || (cmd >= 1035 && cmd <= 1038))
			bytes(c, arg, args[2], 8);
	} else if (nr == 157) {
		if (cmd == 15 && !exit)
			string(c, arg, args[1], 16);
		else if (cmd == 16 && exit)
			string(c, arg, args[1], 16);
		else if (exit && (cmd == 2 || cmd == 5 || cmd == 9 || cmd == 11 || cmd == 19 || cmd == 25 || cmd == 37))
			bytes(c, arg, args[1], 4);
		else if (exit && cmd == 40)
			bytes(c, arg, args[1], 8);
	} else if (exit && (cmd == 0x1003 || cmd == 0x1004)) {
		bytes(c, arg, args[1], 8);
	}
}

static u64 count_of(const struct capture_kind *k, const u64 *args, s64 ret)
{
	if (k->ref == CAP_ONE)
		return 1;
	if (k->ref == CAP_RESULT)
		return ret > 0 ? ret : 0;
	return args[k->ref];
}

static void fixed(struct trace_capture *c, const struct capture_kind *k, int arg, u64 addr, const u64 *args, s64 ret)
{
	u64 n = count_of(k, args, ret);

	if (n > MAX_ARRAY)
		n = MAX_ARRAY;
	n *= k->size;
	mem(c, arg, addr, least(n, MAX_ARRAY), n, &(u64){0});
}

/* pollfd and pairs of descriptors: what they refer to as well */
static void with_fds(struct trace_capture *c, const struct capture_kind *k, int arg, const u64 *args, bool exit)
{
	u64 n = least(count_of(k, args, 0) * 8, MAX_ARRAY), got, i;
	const s32 *p = mem(c, arg, args[arg], n, n, &got);

	if (!p || !c->fd_paths || (k->op == CAP_POLLFD && exit))
		return;
	for (i = 0; i < got / 8; i++) {
		fd_path(c, arg, p[2 * i]);
		if (k->op == CAP_FDPAIR)
			fd_path(c, arg, p[2 * i + 1]);
	}
}

static void at_enter(struct trace_capture *c, unsigned int nr, const struct capture_kind *k, int i, const u64 *args)
{
	u64 a = args[i], r = args[k->ref < 6 ? k->ref : 0], got;
	const u64 *p;

	switch (k->op) {
	case CAP_FD:
		fd_path(c, i, (s32)a);
		break;
	case CAP_PATH:
		string(c, i, a, MAX_PATH);
		break;
	case CAP_STR:
		string(c, i, a, c->limit);
		break;
	case CAP_IN:
	case CAP_IO:
		fixed(c, k, i, a, args, 0);
		break;
	case CAP_POLLFD:
		with_fds(c, k, i, args, false);
		break;
	case CAP_BUF_IN:
		mem(c, i, a, least(r, c->limit), r, &got);
		break;
	case CAP_SIZED:
		mem(c, i, a, least(r, MAX_OPT), r, &got);
		break;
	case CAP_SOCK_IN:
		mem(c, i, a, least((u32)r, MAX_ADDR), (u32)r, &got);
		break;
	case CAP_SOCK_OUT:
		bytes(c, k->ref, r, 4);
		break;
	case CAP_IOV_IN:
	case CAP_IOV_OUT: /* of buffers to be filled, where they are */
		iov(c, i, a, r, k->op == CAP_IOV_IN ? ~0ull : 0);
		break;
	case CAP_MSG_IN:
	case CAP_MSG_OUT:
		msg(c, i, a, ~0ull, k->op == CAP_MSG_IN);
		break;
	case CAP_MMSG_IN:
	case CAP_MMSG_OUT:
		mmsg(c, i, a, (u32)r, true, k->op == CAP_MMSG_IN);
		break;
	case CAP_FDSET:
		select_set(c, i, a, r, false);
		break;
	case CAP_SIGSET6:
		p = mem(c, i, a, 16, 16, &got);
		if (p && got == 16)
			bytes(c, i, p[0], least(p[1], 8));
		break;
	case CAP_ARGV:
	case CAP_ENVP:
		if (k->op == CAP_ARGV || c->verbose || !count_strings(c, i, a))
			argv(c, i, a, k->op == CAP_ARGV || c->verbose);
		break;
	case CAP_CLONE3:
		bytes(c, i, a, least(r, MAX_OPT));
		break;
	case CAP_CMD:
		command(c, nr, args, i, false);
		break;
	case CAP_SIGFRAME:
		bytes(c, i, c->sp + 296, 8); /* uc_sigmask */
		break;
	}
}

static void at_exit(struct trace_capture *c, unsigned int nr, const struct capture_kind *k, int i, const u64 *args,
		    s64 ret)
{
	u64 a = args[i], r = args[k->ref < 6 ? k->ref : 0], got;
	const u32 *len;
	u64 clone[4];

	switch (k->op) {
	case CAP_OUT:
	case CAP_IO:
		fixed(c, k, i, a, args, ret);
		break;
	case CAP_POLLFD:
	case CAP_FDPAIR:
		with_fds(c, k, i, args, true);
		break;
	case CAP_BUF_OUT:
		mem(c, i, a, least(least(ret, r), c->limit), ret, &got);
		break;
	case CAP_IOV_OUT:
		iov(c, i, a, r, ret);
		break;
	case CAP_DENTS:
		if (c->verbose)
			mem(c, i, a, least(ret, MAX_DENTS), ret, &got);
		else
			count_entries(c, i, a, ret);
		break;
	case CAP_SOCK_OUT:
		len = mem(c, k->ref, r, 4, 4, &got);
		if (len && got == 4)
			mem(c, i, a, least(*len, MAX_ADDR), *len, &got);
		break;
	case CAP_MSG_OUT:
		msg(c, i, a, ret, true);
		break;
	case CAP_MMSG_IN: /* how much of each was sent */
	case CAP_MMSG_OUT:
		mmsg(c, i, a, ret, false, k->op == CAP_MMSG_OUT);
		break;
	case CAP_FDSET:
		select_set(c, i, a, r, true);
		break;
	case CAP_PAGES:
		mem(c, i, a, least((r + 4095) / 4096, MAX_ARRAY), (r + 4095) / 4096, &got);
		break;
	case CAP_CLONE3: /* parent_tid; pidfd */
		if (r < 32 || trace_read_user(clone, a, 32) != 32)
			break;
		if (clone[0] & 0x00100000)
			bytes(c, i, clone[3], 4);
		if (clone[0] & 0x00001000)
			bytes(c, i, clone[1], 4);
		break;
	case CAP_CMD:
		command(c, nr, args, i, true);
		break;
	}
}

/**
 * trace_capture - append the blobs of a call
 * @nr: the call; one without a row has no blobs. @ret: its result, at exit. A call that failed wrote nothing.
 */
void trace_capture(struct trace_capture *c, unsigned int nr, const u64 *args, s64 ret, bool exit)
{
	const struct capture_row *row;
	int i;

	if (nr >= sizeof(rows) / sizeof(rows[0]))
		return;
	row = &rows[nr];
	if (!exit) {
		for (i = 0; i < 6; i++)
			if (row->arg[i].op)
				at_enter(c, nr, &row->arg[i], i, args);
		return;
	}
	/* what an interrupted sleep has left is written, too */
	if (ret < 0 && nr != 35 && nr != 230 && nr != 125)
		return;
	for (i = 0; i < 6; i++)
		if (row->arg[i].op)
			at_exit(c, nr, &row->arg[i], i, args, ret);
	if (row->makes_fd || (nr == 72 && ((u32)args[1] == 0 || (u32)args[1] == 1030)))
		fd_path(c, 6, ret);
}
