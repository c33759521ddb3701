// SPDX-License-Identifier: Apache-2.0
// The bytes of a dump: segments of RAM by physical address, notes, a cache of pages. What the file says is checked before it is used.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crash.h"
#include "formats.h"

/**
 * DOC: reading a dump
 *
 * Each format gives a table of stretches of RAM, or a function that reads a page. Everything above asks for physical addresses through
 * core_read_phys(), which goes page by page through a small cache. A page is there, is known to be left out by the filter, or
 * lies beyond the end of a file that was cut short; the caller learns which. Live RAM is not cached from one command to the next.
 */
#define CACHE_SLOTS 2048
#define MAX_NOTES 65536

struct core core = {.fd = -1};

static struct slot {
	u64 page; /* number + 1; 0: empty */
	int status;
	u8 *data;
} cache[CACHE_SLOTS];

const char *read_error(int status)
{
	switch (status) {
	case READ_RANGE:
		return "no memory is there";
	case READ_EXCLUDED:
		return "the page was left out of the dump";
	case READ_TRUNCATED:
		return "the dump's file ends before that page";
	case READ_LOST:
		return "the page could not be written to the dump: the disk was full";
	case READ_CORRUPT:
		return "the dump's file is damaged there";
	}
	return "no error";
}

/* Bytes of the ELF file, where the file is that. */
static int plain_bytes(u64 offset, void *buf, size_t n)
{
	return core_pread(offset, buf, n) ? READ_TRUNCATED : READ_OK;
}

int core_pread(u64 offset, void *buf, size_t n)
{
	size_t done = 0;

	if (offset > INT64_MAX - n)
		return -1;
	while (done < n) {
		ssize_t r = pread(core.fd, (char *)buf + done, n - done, offset + done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		done += r;
	}
	return 0;
}

void core_add_segment(u64 phys, u64 size, u64 offset, enum segment_kind kind)
{
	static size_t room;

	if (!size)
		return;
	if (!core.nseg)
		room = 0;
	if (core.nseg == room) {
		room = room ? room * 2 : 64;
		core.seg = realloc(core.seg, room * sizeof(*core.seg));
		if (!core.seg)
			abort();
	}
	core.seg[core.nseg++] = (struct core_segment){phys, size, offset, kind};
}

static int by_phys(const void *a, const void *b)
{
	const struct core_segment *x = a, *y = b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

int core_sort_segments(void)
{
	if (!core.nseg)
		return -1;
	qsort(core.seg, core.nseg, sizeof(*core.seg), by_phys);
	return 0;
}

/* The first segment that begins above phys. */
static size_t segment_after(u64 phys)
{
	size_t lo = 0, hi = core.nseg;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (core.seg[mid].phys <= phys)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#define NEAR 8 /* segments may overlap where the image is in the dump twice */
size_t core_segment_near(u64 phys)
{
	size_t i = segment_after(phys);

	return i > NEAR ? i - NEAR : 0;
}

static const struct core_segment *find_segment(u64 phys)
{
	size_t i = segment_after(phys);

	for (unsigned back = 0; i-- > 0 && back < NEAR; back++)
		if (phys - core.seg[i].phys < core.seg[i].size)
			return &core.seg[i];
	return NULL;
}

/* Reads up to n bytes that may lie in several segments; none crosses the end of the page. */
int core_read_segments(u64 phys, void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		const struct core_segment *s = find_segment(phys + done);
		u64 off = s ? phys + done - s->phys : 0, len = s ? s->size - off : 0;

		if (!s)
			return !core.ram_size || phys + done < core.ram_size ? READ_EXCLUDED : READ_RANGE;
		if (len > n - done)
			len = n - done;
		if (s->kind == SEGMENT_FILTERED)
			return READ_EXCLUDED;
		if (s->kind == SEGMENT_LOST)
			return READ_LOST;
		if (s->kind == SEGMENT_CUT)
			return READ_TRUNCATED;
		if (s->kind == SEGMENT_ZERO) {
			memset((char *)buf + done, 0, len);
		} else {
			int r = core.bytes(s->offset + off, (char *)buf + done, len);

			if (r != READ_OK)
				return r;
		}
		done += len;
	}
	return READ_OK;
}

static int read_page(u64 page, struct slot **out)
{
	struct slot *s = &cache[page % CACHE_SLOTS];

	*out = s;
	if (s->page == page + 1)
		return s->status;
	if (!s->data)
		s->data = malloc(PAGE_SIZE);
	if (!s->data)
		abort();
	s->page = page + 1;
	s->status = core.read(page * PAGE_SIZE, s->data, PAGE_SIZE);
	return s->status;
}

int core_read_phys(u64 phys, void *buf, size_t n)
{
	if (core.ram_size && (phys >= core.ram_size || n > core.ram_size - phys))
		return READ_RANGE;
	while (n) {
		size_t in = phys % PAGE_SIZE, len = PAGE_SIZE - in < n ? PAGE_SIZE - in : n;
		struct slot *s;
		int r = read_page(phys / PAGE_SIZE, &s);

		if (r != READ_OK) /* a page may be there in part */
			r = core.read(phys, buf, len);
		else
			memcpy(buf, s->data + in, len);
		if (r != READ_OK)
			return r;
		buf = (char *)buf + len;
		phys += len;
		n -= len;
	}
	return READ_OK;
}

void core_forget(void)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		cache[i].page = 0;
}

/* ---- notes ---- */

/* struct elf_prstatus of x86-64, by offset */
#define PRSTATUS_SIZE 336
#define PRSTATUS_CURSIG 12
#define PRSTATUS_PID 32
#define PRSTATUS_REG 112

static void note_prstatus(const u8 *d, size_t n)
{
	struct core_note *note;
	int16_t sig;

	if (n < PRSTATUS_SIZE || core.nnote >= MAX_NOTES)
		return;
	if (core.nnote % 64 == 0) {
		note = realloc(core.note, (core.nnote + 64) * sizeof(*note));
		if (!note)
			abort();
		core.note = note;
	}
	note = &core.note[core.nnote++];
	*note = (struct core_note){.from = MDUMP_REGS_HOST};
	memcpy(&note->pid, d + PRSTATUS_PID, 4);
	memcpy(&sig, d + PRSTATUS_CURSIG, 2);
	note->signo = sig;
	memcpy(&note->regs, d + PRSTATUS_REG, sizeof(note->regs));
}

/* Ends the notes of one task. */
static void note_task(const u8 *d, size_t n)
{
	struct core_note *note = core.nnote ? &core.note[core.nnote - 1] : NULL;
	struct mdump_task t;

	if (!note || note->task || n < sizeof(t))
		return;
	memcpy(&t, d, sizeof(t));
	note->task = t.task;
	note->pid = (u32)t.pid;
	note->from = t.regs_from;
	note->in_user = t.in_user;
}

static void note_info(const u8 *d, size_t n)
{
	memcpy(&core.info, d, n < sizeof(core.info) ? n : sizeof(core.info));
	core.info.sandbox[sizeof(core.info.sandbox) - 1] = 0;
	core.info.cause[sizeof(core.info.cause) - 1] = 0;
	core.has_info = n >= offsetof(struct mdump_info, sandbox);
	if (core.has_info && !core.ram_size && core.info.ram_size % PAGE_SIZE == 0)
		core.ram_size = core.info.ram_size;
}

static char *copy_text(const u8 *d, size_t n)
{
	char *s = malloc(n + 1);

	if (!s)
		abort();
	memcpy(s, d, n);
	s[n] = 0;
	return s;
}

static void one_note(const char *name, size_t namesz, u32 type, const u8 *d, size_t n)
{
	if (namesz >= 4 && !memcmp(name, "CORE", 4) && type == NT_PRSTATUS) {
		note_prstatus(d, n);
	} else if (namesz >= 10 && !memcmp(name, "VMCOREINFO", 10)) {
		free(core.vmcoreinfo);
		core.vmcoreinfo = copy_text(d, n);
	} else if (namesz >= 4 && !memcmp(name, MDUMP_OWNER, 4)) {
		if (type == NT_HUSK_INFO)
			note_info(d, n);
		else if (type == NT_HUSK_TASK)
			note_task(d, n);
	}
}

int core_parse_notes(const u8 *p, size_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, p, sizeof(h));
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (name > n - sizeof(h) || desc > n - sizeof(h) - name)
			return -1;
		one_note((const char *)p + sizeof(h), h.n_namesz, h.n_type, p + sizeof(h) + name, h.n_descsz);
		p += sizeof(h) + name + desc;
		n -= sizeof(h) + name + desc;
	}
	return 0;
}

int core_info(const char *name, char *buf, size_t n)
{
	size_t len = strlen(name);

	for (const char *l = core.vmcoreinfo; l && *l; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL) {
		if (strncmp(l, name, len) || l[len] != '=')
			continue;
		printable(buf, n, l + len + 1, strcspn(l + len + 1, "\n"));
		return 0;
	}
	return -1;
}

/* ---- opening ---- */

static int open_file(const char *path)
{
	struct stat st;

	core.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a fifo is refused, not waited for */
	if (core.fd < 0 || fstat(core.fd, &st)) {
		complain("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		complain("%s is not a file; give a dump that husk wrote, or --live SANDBOX", path);
		return -1;
	}
	core.file_size = st.st_size;
	snprintf(core.path, sizeof(core.path), "%s", path);
	core.bytes = plain_bytes;
	core.elf_size = core.file_size;
	return 0;
}

int core_open(const char *path)
{
	u8 magic[16] = {0};

	if (open_file(path))
		return -1;
	if (!core.file_size) {
		complain("%s is empty: the dump was never written", path);
		return -1;
	}
	core_pread(0, magic, core.file_size < sizeof(magic) ? core.file_size : sizeof(magic));
	for (const struct core_format *f = core_formats; f->open; f++)
		if (!memcmp(magic, f->magic, f->magic_size))
			return f->open();
	complain("%s is not a dump: it is neither an ELF core nor a compressed one", path);
	return -1;
}

/* The boot page says how much RAM there is, where the dump's notes do not. */
void core_find_ram_size(void)
{
	u64 head[3];

	if (core.ram_size || core_read_phys(0, head, sizeof(head)) != READ_OK)
		return;
	if (head[0] == HOSTIF_MAGIC && head[2] % PAGE_SIZE == 0)
		core.ram_size = head[2];
}

void core_close(void)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++)
		free(cache[i].data);
	memset(cache, 0, sizeof(cache));
	core_close_frames();
	modules_forget();
	free(core.seg);
	free(core.note);
	free(core.vmcoreinfo);
	if (core.fd >= 0)
		close(core.fd);
	core = (struct core){.fd = -1};
}
