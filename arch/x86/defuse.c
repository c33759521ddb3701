// SPDX-License-Identifier: Apache-2.0
// Takes forbidden sequences out of executable memory: finds the instruction that contains one and makes it run elsewhere, or not at all.

#include <husk/mm.h>
#include <husk/fs.h>
#include "arch.h"
#include "insn.h"
#include "text.h"

/**
 * DOC: defusing
 *
 * A sequence that the scanner found is either an instruction of its own or an accident inside others. To tell, the instructions are decoded from
 * the beginning of the function, which the file's .eh_frame_hdr knows; where the file has none, the decodings that begin at many earlier bytes must
 * agree (x86 code synchronises by itself within a few instructions). Bytes outside every function of such a table are data, or functions without an
 * entry, as most of chromium's are: the decodings decide, and what they agree on is taken out, but the view counts as lossy.
 *
 * Of the instructions that the sequence touches, one is taken out of the view:
 *  - with an operand relative to rip, five bytes or longer: a jump to a stub that has it with another displacement;
 *  - a simple one: its bytes become int3, and the trap emulates what the page cache has at that place (emulate.c);
 *  - wrpkru and wrgsbase themselves become ud2, xrstor is emulated, but for its PKRU bit.
 * A sequence that begins in one page and ends in the next is dealt with in the first; an instruction that begins in the page before is
 * remembered until that page's view is made. What is left, data mostly, is destroyed in the view (int3), and the page is shown as it is, not
 * executable, until somebody runs something in it.
 */

unsigned long text_unhandled; /* sequences that had to be destroyed */

#define FUNCTION_MAX (1UL << 20)
#define VOTERS 32
#define CODE_AHEAD 16

struct defuse {
	struct address_space *m;
	struct text_info *ti;
	u8 *view;
	u64 off; /* of the view */
	bool may_read;
	bool guessed; /* the sequence lies outside all functions of the table: it may be data all the same */
};

/* A page of the file; without may_read only if it is there. */
static struct page *file_page(struct defuse *d, pgoff_t index)
{
	struct page *p;

	if (d->may_read) {
		p = read_mapping_page(d->m, index, NULL);
		return IS_ERR(p) ? NULL : p;
	}
	p = find_get_page(d->m, index);
	if (p && !PageUptodate(p)) {
		put_page(p);
		return NULL;
	}
	return p;
}

/* n bytes of the file from off; how many were read. Not with text_info.lock held. */
static unsigned file_bytes(struct defuse *d, u64 off, void *buf, unsigned n)
{
	u64 size = i_size_read(d->m->host);
	unsigned done = 0;

	while (done < n && off + done < size) {
		unsigned in = offset_in_page(off + done),
			 k = min_t(u64, min_t(unsigned, n - done, PAGE_SIZE - in), size - off - done);
		struct page *p = file_page(d, (off + done) >> PAGE_SHIFT);

		if (!p)
			break;
		memcpy((char *)buf + done, page_address(p) + in, k);
		put_page(p);
		done += k;
	}
	return done;
}

static unsigned decode_at(struct defuse *d, u64 off, struct insn *i)
{
	u8 buf[15];
	unsigned n = file_bytes(d, off, buf, sizeof(buf));

	return insn_decode(i, buf, n);
}

/* ---- where functions begin ---- */

struct eh_hdr {
	u8 version, eh_frame_enc, count_enc, table_enc;
	s32 eh_frame;
	u32 count;
};

/* The function around file offset off, from the table. 1: found, 0: none there, -1: no usable table. */
static int find_function(struct defuse *d, u64 off, u64 *start)
{
	struct text_info *ti = d->ti;
	struct eh_hdr h;
	s32 entry[2], pc;
	u32 fde[2], range, lo = 0, hi;
	s64 target = (s64)(off + ti->delta) - (s64)ti->eh_vaddr; /* as the table's addresses are */
	u64 at;

	if (!ti->eh_vaddr || file_bytes(d, ti->eh_off, &h, sizeof(h)) != sizeof(h) || h.version != 1 ||
	    h.count_enc != 0x03 || h.table_enc != 0x3b || !h.count)
		return -1;
	for (hi = h.count; hi - lo > 1;) {
		u32 mid = lo + (hi - lo) / 2;

		if (file_bytes(d, ti->eh_off + 12 + 8ULL * mid, entry, 8) != 8)
			return -1;
		if (entry[0] <= target)
			lo = mid;
		else
			hi = mid;
	}
	if (file_bytes(d, ti->eh_off + 12 + 8ULL * lo, entry, 8) != 8)
		return -1;
	if (entry[0] > target)
		return 0;
	at = ti->eh_off + entry[1];
	if (file_bytes(d, at, fde, 8) != 8 || file_bytes(d, at + 8, &pc, 4) != 4 ||
	    file_bytes(d, at + 12, &range, 4) != 4)
		return -1;
	if (entry[1] + 8 + pc != entry[0]) /* not relative in 32 bits: cannot tell its end */
		return -1;
	if (target - entry[0] >= range)
		return 0;
	*start = off - (target - entry[0]);
	return off - *start < FUNCTION_MAX;
}

/* The instruction that contains off, decoding from start: its offset, 0 on nonsense. */
static u64 walk(struct defuse *d, u64 start, u64 off)
{
	struct insn i;

	while (start <= off) {
		if (!decode_at(d, start, &i))
			return 0;
		if (start + i.len > off)
			return start;
		start += i.len;
	}
	return 0;
}

/* Where most decodings that begin at the n bytes before p[at] find the instruction around p[at]; -1: they do not agree. */
static int vote(const u8 *p, unsigned at, unsigned size)
{
	u8 votes[16] = {0};
	unsigned n = 0, best = 0;
	struct insn i;

	for (unsigned s = at > 2 * VOTERS ? at - 2 * VOTERS : 0; s < at && n < VOTERS; s++, n++) {
		unsigned k = s;

		while (k <= at && insn_decode(&i, p + k, size - k) && k + i.len <= at)
			k += i.len;
		if (k <= at && at - k < 16 && i.len)
			votes[at - k]++;
	}
	for (unsigned k = 1; k < 16; k++)
		if (votes[k] > votes[best])
			best = k;
	return n >= 8 && votes[best] * 4 >= n * 3 ? (int)(at - best) : -1;
}

/* The file offset of the instruction that contains off; 0 where there is none to be found (data, or no telling). */
static u64 containing(struct defuse *d, u64 off)
{
	u64 start;
	int r = find_function(d, off, &start), k;
	u8 buf[2 * VOTERS + CODE_AHEAD];
	unsigned back, n;

	d->guessed = !r;
	if (r > 0)
		return walk(d, start, off);
	back = min_t(u64, off, 2 * VOTERS);
	n = file_bytes(d, off - back, buf, back + CODE_AHEAD);
	if (n <= back)
		return 0;
	k = vote(buf, back, n);
	return k < 0 ? 0 : off - back + k;
}

/* ---- taking an instruction out ---- */

static void fill(struct defuse *d, u64 off, unsigned len, u8 what)
{
	for (u64 o = off; o < off + len; o++)
		if (o >= d->off && o < d->off + PAGE_SIZE)
			d->view[o - d->off] = what;
}

/* Replaces an instruction of the view by int3. One that began in the page before is replaced there too, now or when that view is made. */
static bool fill_int3(struct defuse *d, u64 off, unsigned len)
{
	struct text_info *ti = d->ti;
	struct page *p, *v;
	bool ok = true;
	unsigned k;

	if (off < d->off) {
		p = find_get_any_page(d->m, off >> PAGE_SHIFT);
		v = p ? smp_load_acquire(&p->text) : NULL;
		if (p)
			put_page(p); /* compared only */
		if (v && v == p)     /* without an instruction that is open at its end */
			return false;
		mutex_lock(&ti->lock);
		for (k = 0; k < ti->ncross && ti->cross[k] != off; k++)
			;
		if (k == ARRAY_SIZE(ti->cross))
			ok = false;
		else if (k == ti->ncross)
			ti->cross[ti->ncross++] = off;
		mutex_unlock(&ti->lock);
		if (!ok)
			return false;
		p = find_get_any_page(d->m, off >> PAGE_SHIFT);
		v = p && !d->may_read ? smp_load_acquire(&p->text) : NULL;
		for (; v && v != p; v = v->text) /* its last bytes cannot be running: this page was never executable */
			WRITE_ONCE(((u8 *)page_address(v))[offset_in_page(off)], 0xcc);
		if (p)
			put_page(p);
	}
	fill(d, off, len, 0xcc);
	return true;
}

/* The instruction runs in a stub instead, where its displacement is another one. */
static bool to_stub(struct defuse *d, u64 off, const struct insn *i)
{
	u8 code[STUB_SIZE] = {0}, old[15], *p = d->view + (off - d->off);
	unsigned at = i->rip_relative ? i->disp_off : i->imm_off, idx, n = i->len;
	s64 target = (s64)off + i->len + (i->rip_relative ? (s64)i->disp : i->imm);
	u64 stub;
	size_t scan = 0;

	if (i->len < 5 || off < d->off || off + i->len > d->off + PAGE_SIZE || !d->ti->patchable ||
	    (i->branch && i->imm_len != 4) || !(i->branch || i->rip_relative))
		return false;
	if (i->branch && !i->map && i->opcode == 0xe8)
		return false; /* the return address would be the stub's: emulated */
	for (unsigned tries = 0; tries < 4; tries++) {
		memcpy(code, p, n);
		idx = text_stub_reserve(d->ti, STUB_KEY(off, STUB_MOVED), tries);
		if (idx == STUB_NONE)
			return false;
		stub = d->ti->stub_delta + idx * STUB_SIZE;
		put32(code + at, target - (s64)(stub + n));
		code[n] = 0xe9;
		put32(code + n + 1, (s64)(off + n) - (s64)(stub + n + 5));
		scan = 0;
		if (scan_text(code, sizeof(code), &scan) != FORBIDDEN_NONE)
			continue;
		memcpy(old, p, n);
		memset(p, 0xcc, n);
		p[0] = 0xe9;
		put32(p + 1, (s64)stub - (s64)(off + 5));
		scan = offset_in_page(off) < 4 ? 0 : offset_in_page(off) - 4;
		if (scan_text(d->view, min_t(u64, PAGE_SIZE, offset_in_page(off) + n + 4), &scan) == FORBIDDEN_NONE &&
		    text_stub_write(d->ti, idx, code))
			return true;
		memcpy(p, old, n);
	}
	return false;
}

static bool is_forbidden(const struct insn *i)
{
	if (i->vex || i->map != 1)
		return false;
	if (i->opcode == 0x01)
		return i->modrm == 0xef;
	return i->opcode == 0xae && i->modrm >= 0xc0 && (i->modrm & 0x38) == 0x18;
}

/* test $0x200,%eax; jnz 1f; xrstor 0x40(%rsp); test $0x200,%eax; jnz 1f; jmp back; 1: ud2 */
static const u8 ldso_stub[STUB_SIZE] = {LDSO_STUB_BEGINS,
					0,
					2,
					0,
					0,
					0x75,
					0x11,
					0x0f,
					0xae,
					0x6c,
					0x24,
					0x40,
					0xa9,
					0,
					2,
					0,
					0,
					0x75,
					0x05,
					0xe9,
					0,
					0,
					0,
					0,
					0x0f,
					0x0b};
#define LDSO_XRSTOR 7 /* where xrstor begins in it */

/*
 * The dynamic linker's: a stub that tests the mask instead of a trap, for it runs at every first call of a function. The compiler must not
 * turn the bytes into constants of instructions, which user code could jump to (scripts/check-forbidden).
 */
static bool ldso_xrstor(struct defuse *d, u64 off, const struct insn *i)
{
	const u8 *stub_text = ldso_stub;
	u8 code[STUB_SIZE], *p = d->view + (off - d->off);
	unsigned idx;
	u64 stub;

	__asm__("" : "+r"(stub_text));
	if (off < d->off || off + 5 > d->off + PAGE_SIZE || i->len != 5 || memcmp(p, stub_text + LDSO_XRSTOR, 5) ||
	    !d->ti->patchable)
		return false;
	memcpy(code, stub_text, STUB_SIZE);
	idx = text_stub_reserve(d->ti, STUB_KEY(off, STUB_MOVED), 0);
	if (idx == STUB_NONE)
		return false;
	stub = d->ti->stub_delta + idx * STUB_SIZE;
	put32(code + LDSO_STUB_BACK + 1, (s64)(off + LDSO_XRSTOR_LEN) - (s64)(stub + LDSO_STUB_BACK + 5));
	if (!text_stub_write(d->ti, idx, code))
		return false;
	p[0] = 0xe9;
	put32(p + 1, (s64)stub - (s64)(off + 5));
	return true;
}

static bool take_out(struct defuse *d, u64 off, const struct insn *i)
{
	bool done;

	if (is_forbidden(i)) {
		if (off < d->off || off + 2 > d->off + PAGE_SIZE)
			return fill_int3(d, off, i->len);
		fill(d, off, i->len, 0xcc);
		d->view[off - d->off] = 0x0f;
		d->view[off - d->off + 1] = 0x0b;
		return true;
	}
	mutex_lock(&d->ti->lock);
	done = ldso_xrstor(d, off, i) || to_stub(d, off, i);
	mutex_unlock(&d->ti->lock);
	return done || (insn_emulable(i) && fill_int3(d, off, i->len));
}

/* A sequence of n bytes at file offset seq, part of it in this view. */
static bool handle(struct defuse *d, u64 seq, unsigned n)
{
	u64 off = containing(d, seq), first = off;
	struct insn i;

	while (off && off < seq + n) {
		if (!decode_at(d, off, &i))
			break;
		/* in this page there must be a byte of the instruction that the sequence needs */
		if (off < d->off + PAGE_SIZE && off + i.len > d->off && take_out(d, off, &i))
			return true;
		off += i.len;
	}
	if (first && decode_at(d, first, &i)) /* it cannot be emulated: it traps, rather than do something else */
		fill_int3(d, first, i.len);
	return false;
}

/* The page's last bytes may begin a sequence. */
static bool open_tail(const u8 *e)
{
	return e[-1] == 0x0f || (e[-2] == 0x0f && (e[-1] == 0x01 || e[-1] == 0xae));
}

/* What cannot be told, or not be done elsewhere, must not run at all: a page of such is shown as it is to who only reads it. */
static void destroy(struct defuse *d, unsigned at, u64 off, enum forbidden k)
{
	d->view[at] = 0xcc;
	if (d->may_read)
		return;
	__atomic_fetch_add(&text_unhandled, 1, __ATOMIC_RELAXED);
	pr_info("text: %s at file offset %lx is no instruction that can run elsewhere: destroyed (%lu so far)\n",
		k == FORBIDDEN_WRPKRU	? "wrpkru"
		: k == FORBIDDEN_XRSTOR ? "xrstor"
					: "wrgsbase",
		(unsigned long)off, text_unhandled);
}

static unsigned defuse_tail(struct defuse *d)
{
	u8 w[16];
	size_t at = 0;
	enum forbidden k;
	unsigned n;

	if (!open_tail(d->view + PAGE_SIZE))
		return 0;
	memcpy(w, d->view + PAGE_SIZE - 4, 4);
	n = file_bytes(d, d->off + PAGE_SIZE, w + 4, 4);
	while ((k = scan_text(w, 4 + n, &at)) != FORBIDDEN_NONE) {
		if (at < 4 && at + 3 > 4) {
			u64 seq = d->off + PAGE_SIZE - 4 + at;

			/* what takes out the instruction of the page behind only does not help: it is another view */
			if (handle(d, seq, 4 - at))
				return d->guessed;
			destroy(d, PAGE_SIZE - 4 + at, seq, k);
			return 1;
		}
		at++;
	}
	return 0;
}

/* Does a page end with what may be the beginning of a sequence? */
bool text_open_tail(const u8 *page)
{
	return open_tail(page + PAGE_SIZE);
}

bool text_suspicious(const u8 *page)
{
	size_t at = 0;

	return open_tail(page + PAGE_SIZE) || scan_text(page, PAGE_SIZE, &at) != FORBIDDEN_NONE;
}

/**
 * text_defuse - take what is forbidden out of a view, before it is mapped anywhere
 * The page cache page is locked, text_info.lock is not held.
 */
unsigned text_defuse(struct address_space *m, struct text_info *ti, u8 *view, u64 file_off, bool may_read)
{
	struct defuse d = {.m = m, .ti = ti, .view = view, .off = file_off, .may_read = may_read};
	unsigned lost = 0;
	size_t at = 0;
	enum forbidden k;

	while ((k = scan_text(view, PAGE_SIZE, &at)) != FORBIDDEN_NONE) {
		if (!handle(&d, file_off + at, 3)) {
			destroy(&d, at, file_off + at, k);
			lost++;
		} else if (d.guessed) {
			lost++;
		}
		at++;
	}
	lost += defuse_tail(&d);
	mutex_lock(&ti->lock);
	for (unsigned i = 0; i < ti->ncross; i++)
		if (ti->cross[i] >= file_off && ti->cross[i] < file_off + PAGE_SIZE)
			fill(&d, ti->cross[i], PAGE_SIZE, 0xcc);
	mutex_unlock(&ti->lock);
	return lost;
}

/* ---- private executable memory ---- */

/**
 * DOC: private pages
 *
 * What a JIT compiler wrote has no file behind it: it is changed where it lies, while nobody can write it. Where an instruction was
 * taken out, a table keeps its bytes for the trap. A sequence of which no decoding is certain, or whose instruction cannot be emulated,
 * becomes ud2: in memory that the program itself fills, accidents cannot be told from attacks.
 */
struct private_site {
	u64 mm_id, va;
	u8 len, bytes[15];
};
static struct private_site private_sites[256];
static unsigned private_next;
static DEFINE_SPINLOCK(private_lock);

static void private_remember(u64 mm_id, u64 va, const u8 *p, unsigned len)
{
	struct private_site *s;

	spin_lock(&private_lock);
	s = &private_sites[private_next++ % ARRAY_SIZE(private_sites)];
	*s = (struct private_site){.mm_id = mm_id, .va = va, .len = len};
	memcpy(s->bytes, p, len);
	spin_unlock(&private_lock);
}

/* a child of fork has its parent's pages under another mm: the address decides then */
unsigned text_private_original(struct mm_struct *mm, u64 va, u8 bytes[16])
{
	unsigned n = 0;

	spin_lock(&private_lock);
	for (unsigned i = 0; i < ARRAY_SIZE(private_sites); i++) {
		struct private_site *s = &private_sites[i];

		if (s->va == va && s->len && (s->mm_id == mm->id || !n)) {
			memcpy(bytes, s->bytes, s->len);
			n = s->len;
			if (s->mm_id == mm->id)
				break;
		}
	}
	spin_unlock(&private_lock);
	return n;
}

static void defuse_private(struct mm_struct *mm, u64 va, u8 *page, unsigned at, enum forbidden k)
{
	unsigned from = at > 2 * VOTERS ? at - 2 * VOTERS : 0;
	int v = vote(page + from, at - from, PAGE_SIZE - from);
	unsigned off = v < 0 ? 0 : from + v;
	struct insn i;

	if (v >= 0 && insn_decode(&i, page + off, PAGE_SIZE - off) && !is_forbidden(&i) && insn_emulable(&i) &&
	    off + i.len > at) {
		private_remember(mm->id, va + off, page + off, i.len);
		memset(page + off, 0xcc, i.len);
		return;
	}
	page[at + 1] = 0x0b; /* 0f 0b: ud2 */
	pr_info("%s[%d]: sequence %d in private executable memory at %lx: now illegal\n", current->comm, current->pid,
		k, (unsigned long)(va + at));
}

/* Where a sequence lies across the border of two pages: the offset of its first byte in the last four bytes of lo, or -1. */
static int across(const u8 *lo, const u8 *hi)
{
	size_t at = 0;
	u8 w[8];

	memcpy(w, lo + PAGE_SIZE - 4, 4);
	memcpy(w + 4, hi, 4);
	while (scan_text(w, sizeof(w), &at) != FORBIDDEN_NONE) {
		if (at < 4 && at + 3 > 4)
			return at;
		at++;
	}
	return -1;
}

/* text_scan_private - a private page is about to be executable at va; nobody can write it. Its borders are text_cut_border()'s. */
int text_scan_private(struct mm_struct *mm, unsigned long va, struct page *page)
{
	u8 *p = page_address(page);
	size_t at = 0;
	enum forbidden k;

	while ((k = scan_text(p, PAGE_SIZE, &at)) != FORBIDDEN_NONE) {
		/* without keys xrstor does no harm; and what looks like one, every 200 KB of anything, may be data that the program reads */
		if (k != FORBIDDEN_XRSTOR || platform_has_keys)
			defuse_private(mm, va, p, at, k);
		at++;
	}
	return 0;
}

bool text_joins_well(struct page *lo, struct page *hi)
{
	return across(page_address(lo), page_address(hi)) < 0;
}

void text_cut_border(struct page *lo, struct page *hi)
{
	u8 *p = page_address(lo);
	int s = across(p, page_address(hi));

	if (s >= 0) {
		pr_info("%s[%d]: a forbidden sequence across two mappings: taken out\n", current->comm, current->pid);
		WRITE_ONCE(p[PAGE_SIZE - 4 + s], 0xcc);
	}
}
