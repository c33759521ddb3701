// SPDX-License-Identifier: Apache-2.0
// Files: opening, stat, directories, locks, mounts, times.
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include "printers.h"

#define V (d->a[i])

void put_open_flags(struct dec *d, uint64_t flags)
{
	uint64_t rest = flags & ~(uint64_t)O_ACCMODE;

	if (d->o->raw) {
		text_hex(d->t, flags);
		return;
	}
	put_value(d, flags & O_ACCMODE, &n_open_mode);
	if (rest) {
		text_char(d->t, '|');
		put_names_after(d, rest, &n_open);
	}
}

/* a_open: flags, and the mode if they create */
ARG(a_open)
{
	put_open_flags(d, (uint32_t)V);
	if (V & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
		S(", ");
		put_mode(d, d->a[i + 1]);
	}
}

/* struct open_how */
ARG(a_open_how)
{
	uint64_t size = d->a[i + 1];
	const uint64_t *h = get_in(d, V, 24);

	if (size < 24 || null_or_missing(d, V, h)) {
		if (size < 24)
			put_addr(d, V);
		return;
	}
	S("{flags=");
	put_open_flags(d, h[0]);
	if (h[0] & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
		S(", mode=");
		put_mode(d, h[1]);
	}
	S(", resolve=");
	put_names(d, h[2], &n_resolve);
	S("}");
}

void put_symbolic_mode(struct dec *d, uint32_t mode)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} special[] = {{S_ISUID, "S_ISUID"}, {S_ISGID, "S_ISGID"}, {S_ISVTX, "S_ISVTX"}};
	bool any = !d->o->raw && put_known(d, mode & S_IFMT, &n_file_type);

	if (d->o->raw || (!any && mode & S_IFMT)) {
		P("%#03o", mode);
		return;
	}
	for (int k = 0; k < 3; k++)
		if (mode & special[k].bit) {
			P("%s%s", any ? "|" : "", special[k].name);
			any = true;
		}
	P("%s%#03o", any ? "|" : "", mode & 0777);
}

/* a_mknod: a mode with its type, and the device where it is one */
ARG(a_mknod)
{
	uint32_t m = V;
	uint64_t dev = (uint32_t)d->a[i + 1];

	put_symbolic_mode(d, m & 0177777);
	if ((m & S_IFMT) != S_IFCHR && (m & S_IFMT) != S_IFBLK)
		return;
	S(", ");
	put_dev(d, dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
}

ARG(a_dev)
{
	uint64_t dev = (uint32_t)V;

	put_dev(d, dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
}

static void put_time_fields(struct dec *d, const char *name, int64_t sec, int64_t nsec)
{
	P(", st_%s=%lld", name, (long long)sec);
	put_time_comment(d, sec, nsec);
	P(", st_%s_nsec=%lld", name, (long long)nsec);
}

ARG(a_stat)
{
	const struct stat *s = d->failed ? NULL : get(d, V, sizeof(*s));
	bool dev;

	if (null_or_missing(d, V, s))
		return;
	dev = S_ISCHR(s->st_mode) || S_ISBLK(s->st_mode);
	S("{");
	if (d->o->verbose) {
		S("st_dev=");
		put_dev(d, major_of(s->st_dev), minor_of(s->st_dev));
		P(", st_ino=%llu, ", (unsigned long long)s->st_ino);
	}
	S("st_mode=");
	put_symbolic_mode(d, s->st_mode);
	if (d->o->verbose)
		P(", st_nlink=%llu, st_uid=%u, st_gid=%u, st_blksize=%lld, st_blocks=%lld",
		  (unsigned long long)s->st_nlink, s->st_uid, s->st_gid, (long long)s->st_blksize,
		  (long long)s->st_blocks);
	if (dev) {
		S(", st_rdev=");
		put_dev(d, major_of(s->st_rdev), minor_of(s->st_rdev));
	} else {
		S(", st_size=");
		text_dec(d->t, s->st_size);
	}
	if (d->o->verbose) {
		put_time_fields(d, "atime", s->st_atim.tv_sec, s->st_atim.tv_nsec);
		put_time_fields(d, "mtime", s->st_mtim.tv_sec, s->st_mtim.tv_nsec);
		put_time_fields(d, "ctime", s->st_ctim.tv_sec, s->st_ctim.tv_nsec);
	} else {
		S(", ...");
	}
	S("}");
}

static void put_statx_time(struct dec *d, const char *name, const struct statx_timestamp *t)
{
	P(", stx_%s={tv_sec=%lld, tv_nsec=%u}", name, (long long)t->tv_sec, t->tv_nsec);
	put_time_comment(d, t->tv_sec, t->tv_nsec);
}

ARG(a_statx)
{
	const struct statx *s = d->failed ? NULL : get(d, V, sizeof(*s));

	if (null_or_missing(d, V, s))
		return;
	S("{stx_mask=");
	put_names(d, s->stx_mask, &n_statx_mask);
	if (d->o->verbose)
		P(", stx_blksize=%u", s->stx_blksize);
	S(", stx_attributes=");
	put_names(d, s->stx_attributes, &n_statx_attr);
	if (d->o->verbose)
		P(", stx_nlink=%u, stx_uid=%u, stx_gid=%u", s->stx_nlink, s->stx_uid, s->stx_gid);
	S(", stx_mode=");
	put_symbolic_mode(d, s->stx_mode);
	if (d->o->verbose)
		P(", stx_ino=%llu", (unsigned long long)s->stx_ino);
	P(", stx_size=%llu", (unsigned long long)s->stx_size);
	if (!d->o->verbose) {
		S(", ...}");
		return;
	}
	P(", stx_blocks=%llu, stx_attributes_mask=", (unsigned long long)s->stx_blocks);
	put_names(d, s->stx_attributes_mask, &n_statx_attr);
	put_statx_time(d, "atime", &s->stx_atime);
	if (s->stx_mask & STATX_BTIME)
		put_statx_time(d, "btime", &s->stx_btime);
	put_statx_time(d, "ctime", &s->stx_ctime);
	put_statx_time(d, "mtime", &s->stx_mtime);
	P(", stx_rdev_major=%u, stx_rdev_minor=%u, stx_dev_major=%u, stx_dev_minor=%u, stx_mnt_id=%#llx}",
	  s->stx_rdev_major, s->stx_rdev_minor, s->stx_dev_major, s->stx_dev_minor, (unsigned long long)s->stx_mnt_id);
}

ARG(a_statfs)
{
	const struct statfs *s = d->failed ? NULL : get(d, V, sizeof(*s));

	if (null_or_missing(d, V, s))
		return;
	S("{f_type=");
	put_value(d, s->f_type, &n_fs_magic);
	P(", f_bsize=%llu, f_blocks=%llu, f_bfree=%llu, f_bavail=%llu, f_files=%llu, f_ffree=%llu",
	  (unsigned long long)s->f_bsize, (unsigned long long)s->f_blocks, (unsigned long long)s->f_bfree,
	  (unsigned long long)s->f_bavail, (unsigned long long)s->f_files, (unsigned long long)s->f_ffree);
	P(", f_fsid={val=[%#x, %#x]}, f_namelen=%llu, f_frsize=%llu, f_flags=", s->f_fsid.__val[0], s->f_fsid.__val[1],
	  (unsigned long long)s->f_namelen, (unsigned long long)s->f_frsize);
	put_names(d, s->f_flags, &n_st_flags);
	S("}");
}

/* How many entries a directory read gave: counted by who captured them, or here. */
static bool count_entries(struct dec *d, uint64_t addr, uint64_t *n)
{
	const uint8_t *m;
	uint16_t len;

	if (captured_count(d, addr, n))
		return true;
	m = get(d, addr, d->ret);
	*n = 0;
	for (int64_t at = 0; m && at + 19 <= d->ret; at += len) {
		memcpy(&len, m + at + 16, 2);
		if (len < 19)
			return false;
		++*n;
	}
	return m || !d->ret;
}

/* -v: all of them; the kernel's struct linux_dirent64 */
static void put_entries(struct dec *d, const uint8_t *m, int64_t size)
{
	const struct {
		uint64_t ino;
		int64_t off;
		uint16_t reclen;
		uint8_t type;
		char name[];
	} __attribute__((packed)) * e;
	int64_t at;

	for (at = 0; at + 19 <= size; at += e->reclen) {
		e = (const void *)(m + at);
		if (e->reclen < 19 || e->reclen > size - at)
			break;
		P("%s{d_ino=%llu, d_off=%lld, d_reclen=%u, d_type=", at ? ", " : "[", (unsigned long long)e->ino,
		  (long long)e->off, e->reclen);
		put_value(d, e->type, &n_dirent_type);
		S(", d_name=");
		put_field(d, e->name, e->reclen - 19);
		S("}");
	}
	text_str(d->t, at ? "]" : "[]");
}

ARG(a_dents)
{
	uint64_t n;

	if (d->o->verbose && !d->failed && d->c->nr == 217 && (!d->ret || get(d, V, d->ret))) {
		put_entries(d, get(d, V, d->ret), d->ret);
		return;
	}
	put_addr(d, V);
	if (!d->failed && V && count_entries(d, V, &n))
		P(" /* %llu entries */", (unsigned long long)n);
}

/* the value of an extended attribute: text, its last NUL left out */
static void put_xattr(struct dec *d, uint64_t addr, uint64_t size)
{
	put_buffer(d, addr, size);
}

ARG(a_xattr_in)
{
	if (d->a[i + 1] > 65536) /* more than a value may have is not looked at */
		put_addr(d, V);
	else
		put_xattr(d, V, d->a[i + 1]);
}

ARG(a_xattr_out)
{
	if (d->failed)
		put_addr(d, V);
	else
		put_xattr(d, V, d->ret);
}

ARG(a_xattr_list)
{
	if (d->a[i + 1])
		a_xattr_out(d, i, p);
	else
		put_addr(d, V);
}

static void put_utime(struct dec *d, const int64_t *t, bool nano)
{
	if (nano && t[1] == UTIME_NOW) {
		S("UTIME_NOW");
		return;
	}
	if (nano && t[1] == UTIME_OMIT) {
		S("UTIME_OMIT");
		return;
	}
	if (nano)
		put_timespec(d, t[0], t[1]);
	else
		put_timeval(d, t[0], t[1]);
	put_time_comment(d, t[0], nano ? t[1] : (int64_t)((uint64_t)t[1] * 1000));
}

static void put_utimes(struct dec *d, uint64_t addr, bool nano)
{
	const int64_t *t = get_in(d, addr, 32);

	if (null_or_missing(d, addr, t))
		return;
	S("[");
	put_utime(d, t, nano);
	S(", ");
	put_utime(d, t + 2, nano);
	S("]");
}

ARG(a_utimes)
{
	put_utimes(d, V, false);
}

ARG(a_utimens)
{
	put_utimes(d, V, true);
}

ARG(a_utimbuf)
{
	const int64_t *t = get_in(d, V, 16);

	if (null_or_missing(d, V, t))
		return;
	P("{actime=%lld", (long long)t[0]);
	put_time_comment(d, t[0], 0);
	P(", modtime=%lld", (long long)t[1]);
	put_time_comment(d, t[1], 0);
	S("}");
}

/* an offset that is read and written */
ARG(a_offset_io)
{
	const uint64_t *in = get_in(d, V, 8), *out = d->exit && !d->failed ? get(d, V, 8) : NULL;

	if (null_or_missing(d, V, in))
		return;
	P("[%llu]", (unsigned long long)*in);
	if (out && *out != *in)
		P(" => [%llu]", (unsigned long long)*out);
}

ARG(a_offset_in)
{
	const int64_t *in = get_in(d, V, 8);

	if (!null_or_missing(d, V, in))
		P("[%lld]", (long long)*in);
}

/* mount's flags: the old magic number in front */
ARG(a_mount_flags)
{
	uint64_t f = V;

	if ((f & 0xffff0000) == 0xc0ed0000) {
		S("MS_MGC_VAL");
		f &= 0xffff;
		if (!f)
			return;
		S("|");
	}
	put_names(d, f, &n_mount);
}

ARG(a_memfd_flags)
{
	uint32_t f = V, huge = f >> 26;

	if (f & ((1u << 26) - 1) || !huge)
		put_names(d, f & ((1u << 26) - 1), &n_memfd);
	if (huge)
		P("%s%u<<MFD_HUGE_SHIFT", f & ((1u << 26) - 1) ? "|" : "", huge);
}

ARG(a_statx_flags)
{
	uint32_t f = V, sync = f & 0x6000;

	if (d->o->raw) {
		text_hex(d->t, f);
		return;
	}
	if (!sync)
		S("AT_STATX_SYNC_AS_STAT");
	if (sync & 0x2000)
		S("AT_STATX_FORCE_SYNC");
	if (sync & 0x4000)
		text_str(d->t, sync & 0x2000 ? "|AT_STATX_DONT_SYNC" : "AT_STATX_DONT_SYNC");
	if (f & ~0x6000u) {
		S("|");
		put_names_after(d, f & ~0x6000u, &n_at);
	}
}

ARG(a_ustat)
{
	const struct {
		int32_t tfree;
		uint32_t pad;
		uint64_t tinode;
	} *u = d->failed ? NULL : get(d, V, 16);

	if (!null_or_missing(d, V, u))
		P("{f_tfree=%d, f_tinode=%llu}", u->tfree, (unsigned long long)u->tinode);
}
