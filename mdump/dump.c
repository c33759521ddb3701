// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: one dump, from the stop of the jail to the file's name. Layout and order: docs/design/mini-dump.md.

#include "sys.h"

#define DATA_ALIGN 4096u
#define PHDR_BATCH 64

static struct mdump_info info;
static struct {
	u32 nphdr, ntasks;
	u64 notes_at, notes_len, data_at, end;
	u64 image_start, image_end;
} l;

/* ---- program headers: made again whenever they are needed, they are never all in memory ---- */

struct phdr_maker {
	struct segment seg;
	u64 offset; /* of the next stored segment */
	bool started, alias;
};

static u64 direct(void)
{
	return table("NUMBER(DIRECT_MAP_BASE)", 0x701000000000ULL);
}

/* Only what the file has counts as stored; @have: bytes of the stream that are there. */
static void describe(const struct segment *s, u64 offset, u64 have, Elf64_Phdr *p)
{
	static const u32 why[PLAN_CLASSES] = {[PLAN_ZERO] = PF_HUSK_ZERO, [PLAN_FILTERED] = PF_HUSK_FILTERED};

	memset(p, 0, sizeof(*p));
	p->p_type = PT_LOAD;
	p->p_flags = PF_R | PF_W | why[s->class];
	p->p_vaddr = direct() + s->start;
	p->p_paddr = s->start;
	p->p_memsz = s->len;
	p->p_align = DATA_ALIGN;
	p->p_offset = l.notes_at; /* with no bytes; but gdb takes what lies at 0, this file's header, for a program's */
	if (s->class > PLAN_REST)
		return;
	p->p_offset = offset;
	p->p_filesz = have <= offset ? 0 : min(s->len, have - offset);
	if (p->p_filesz < s->len)
		p->p_flags |= PF_HUSK_LOST;
}

/* The part of a segment that is kernel image, at its other address. False: there is none. */
static bool image_part(const Elf64_Phdr *p, Elf64_Phdr *a)
{
	u64 start = p->p_paddr, end = start + p->p_memsz;
	u64 lo = start > l.image_start ? start : l.image_start, hi = min(end, l.image_end);

	if (lo >= hi)
		return false;
	*a = *p;
	a->p_flags |= PF_X;
	a->p_paddr = lo;
	a->p_vaddr = table("NUMBER(KERNEL_BASE)", 0x700000000000ULL) + (lo - l.image_start);
	a->p_memsz = hi - lo;
	if (p->p_filesz) {
		a->p_offset = p->p_offset + (lo - start);
		a->p_filesz = p->p_filesz > lo - start ? min(p->p_filesz - (lo - start), hi - lo) : 0;
	}
	return true;
}

/* Calls fn for each PT_LOAD, in order. */
static int each_load(u64 have, int (*fn)(const Elf64_Phdr *))
{
	struct segment s = {0};
	u64 offset = l.data_at;
	Elf64_Phdr p, a;

	while (plan_next(&s)) {
		describe(&s, offset, have, &p);
		if (s.class <= PLAN_REST)
			offset += s.len;
		if (fn(&p) || (image_part(&p, &a) && fn(&a)))
			return -1;
	}
	l.end = offset;
	return 0;
}

static int count_one(const Elf64_Phdr *p)
{
	l.nphdr++;
	return 0;
}

static Elf64_Phdr note_header(u64 have)
{
	Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = l.notes_at, .p_filesz = l.notes_len, .p_align = 4};

	if (have < l.notes_at + l.notes_len)
		p.p_filesz = have > l.notes_at ? have - l.notes_at : 0;
	return p;
}

static void layout(void)
{
	u64 at;

	l.image_start = HOSTIF_KERNEL_PHYS;
	l.image_end = config.kernel_phys_end;
	l.nphdr = 1;
	l.data_at = 0;
	each_load(~0ULL, count_one);
	l.notes_at = sizeof(Elf64_Ehdr) + l.nphdr * sizeof(Elf64_Phdr);
	l.notes_len = notes_size(l.ntasks);
	at = l.end; /* with data_at 0: the data's length */
	l.data_at = align_up(l.notes_at + l.notes_len, DATA_ALIGN);
	l.end = l.data_at + at;
}

static int write_one(const Elf64_Phdr *p)
{
	return out_write(p, sizeof(*p));
}

static int write_headers(void)
{
	Elf64_Ehdr h = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(h),
		.e_ehsize = sizeof(h),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = l.nphdr,
	};
	Elf64_Phdr p = note_header(~0ULL);

	out_write(&h, sizeof(h));
	out_write(&p, sizeof(p));
	if (each_load(~0ULL, write_one) || notes_write(&info, l.ntasks))
		return -1;
	return out_pad(l.data_at);
}

/* ---- data ---- */

/*
 * Bytes of RAM, but for the host-call secret: it lies in a variable of the kernel, and in registers that host signals saved on its
 * stacks. A sandbox that goes on after its dump still has it.
 */
static int write_ram(u64 off, u64 n)
{
	const u64 *from = (const u64 *)(ram + off), *end = from + n / 8, *p;
	u64 zero = 0;

	for (p = from; p < end; p++) {
		if (*p != config.secret || !config.secret)
			continue;
		if (out_write(from, (p - from) * 8) || out_write(&zero, 8))
			return -1;
		from = p + 1;
	}
	return out_write(from, (end - from) * 8);
}

/* Runs of pages that are there, and of pages that are not. */
static int write_segment(const struct segment *s)
{
	u64 end = s->start + s->len, a = s->start, b;

	while (a < end) {
		bool hole = plan_hole(a);

		for (b = a + PAGE; b < end && plan_hole(b) == hole && b - a < (1u << 20);)
			b += PAGE;
		b = min(b, end);
		if (hole ? out_zero(b - a) : write_ram(a, b - a))
			return -1;
		a = b;
		ctl->bytes_done = out_pos();
	}
	return 0;
}

static int write_data(void)
{
	struct segment s = {0};

	while (plan_next(&s) && s.class <= PLAN_REST)
		if (write_segment(&s))
			return -1;
	return 0;
}

/* ---- the end ---- */

static u64 patch_at;

static int patch_one(const Elf64_Phdr *p)
{
	int r = out_patch(patch_at, p, sizeof(*p));

	patch_at += sizeof(*p);
	return r;
}

/* What is missing is said where a reader looks first. */
static void patch_headers(u64 have)
{
	Elf64_Phdr p = note_header(have);

	info.complete = have >= l.end;
	info.bytes_lost = have >= l.end ? 0 : l.end - have;
	if (info.bytes_lost)
		info.lost |= MDUMP_LOST_BYTES;
	ctl->bytes_lost = info.bytes_lost;
	ctl->lost = info.lost;
	if (have < l.notes_at + NOTE_INFO_BYTES)
		return;
	if (info.bytes_lost) {
		patch_at = sizeof(Elf64_Ehdr);
		patch_one(&p);
		each_load(have, patch_one);
	}
	out_patch(l.notes_at + sizeof(Elf64_Nhdr) + 8, &info, sizeof(info));
}

static char *put_date(char *p, u64 sec)
{
	u64 days = sec / 86400, z = days + 719468, era = z / 146097, doe = z - era * 146097;
	u64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	u64 mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;

	p = put_dec(p, yoe + era * 400 + (month <= 2), 4);
	p = put_dec(p, month, 2);
	p = put_str(put_dec(p, doy - (153 * mp + 2) / 5 + 1, 2), "-");
	p = put_dec(p, sec % 86400 / 3600, 2);
	p = put_dec(p, sec % 3600 / 60, 2);
	return put_dec(p, sec % 60, 2);
}

static void make_name(char *name, u64 ns, u32 compression)
{
	static const char *const ends[] = {"", ".zst", ".lz4"};
	char *p = put_str(put_str(put_str(name, "vmcore-"), config.sandbox), "-");

	put_str(put_date(p, ns / 1000000000), ends[compression]);
	for (p = name; *p; p++)
		if (*p == '/')
			*p = '_';
}

static void say_cause(enum mdump_reason reason)
{
	static const char *const text[MDUMP_REASONS] = {
		"", "", "the kernel's heartbeat stopped: it is deadlocked, or hangs",
		"the sandbox's host processes were killed: by somebody, for want of memory on the host, or for a fault",
		"asked for by husk dump"};
	const char *said = ram_boot()->panic_msg;

	if (reason != MDUMP_PANIC)
		said = text[reason];
	str_copy(info.cause, said, sizeof(info.cause));
	if (!info.cause[0])
		put_str(info.cause, "the kernel panicked and did not say why");
	memcpy(ctl->cause, info.cause, sizeof(ctl->cause));
}

static void fill_info(enum mdump_reason reason, u32 level)
{
	u64 head = READ(ram_boot()->log_head);

	memset(&info, 0, sizeof(info));
	info.version = MDUMP_INFO_VERSION;
	info.size = sizeof(info);
	info.reason = reason;
	info.level = level;
	info.time_ns = now_ns(0);
	info.start_ns = config.start_ns;
	info.ram_size = config.ram_size;
	info.kernel_phys = HOSTIF_KERNEL_PHYS;
	info.kernel_phys_end = config.kernel_phys_end;
	info.mem_start = config.mem_start;
	info.log_phys = config.log_phys;
	info.log_size = config.log_size;
	info.log_head = head >> 40 ? 0 : head; /* nobody logs a terabyte */
	info.lost = head >> 40 ? MDUMP_LOST_LOG : 0;
	str_copy(info.sandbox, config.sandbox, sizeof(info.sandbox));
	say_cause(reason);
}

static int write_dump(u32 compression)
{
	char name[128];
	u64 have;
	int r;

	make_name(name, info.time_ns, compression);
	layout();
	info.bytes_total = ctl->bytes_total = l.end;
	info.complete =
		config.flags & MDUMP_F_SOCKET ? 1 : 0; /* a stream cannot be mended; its reader sees where it ends */
	r = out_open(name, compression, l.end, l.notes_at + NOTE_INFO_BYTES);
	if (r)
		return r;
	if (out_compression() != compression) {
		info.lost |= MDUMP_LOST_COMPRESS;
		make_name(name, info.time_ns, MDUMP_PLAIN);
	}
	if (!write_headers())
		write_data();
	have = out_finish();
	ctl->bytes_done = have;
	patch_headers(have);
	ctl->error = out_error();
	if (have < l.notes_at + l.notes_len) { /* not even the notes: that is of no use to anybody */
		out_close(NULL);
		return -(ctl->error ? ctl->error : 28);
	}
	return out_close(name);
}

static void set_state(u32 state)
{
	u64 one = 1;

	__atomic_store_n(&ctl->state, state, __ATOMIC_SEQ_CST);
	sys(write, MDUMP_FD_NOTIFY, &one, sizeof(one));
}

/**
 * dump - write one
 * The jail stays stopped, but after a request.
 */
void dump(enum mdump_reason reason, u32 level)
{
	struct plan_sums sums;
	int r;

	ctl->begin_ns = now_ns(1);
	ctl->bytes_done = ctl->bytes_total = ctl->bytes_lost = ctl->file_size = 0;
	ctl->error = ctl->end_ns = 0;
	ctl->name[0] = 0;
	ctl->reason = reason;
	set_state(MDUMP_STOPPING);
	stop_jail();
	fill_info(reason, level);
	info.lost |= plan_begin();
	l.ntasks = info.ntasks = ctl->ntasks = tasks_find(reason);
	info.lost |= tasks_registers(reason, l.ntasks, &info.nregs_lost) | tasks_problems();
	ctl->nregs_lost = info.nregs_lost;
	info.current_task = tasks_current();
	plan_make(level, &sums);
	info.pages_zero = sums.zero;
	info.pages_filtered = sums.filtered;
	set_state(MDUMP_WRITING);
	r = write_dump(config.compression);
	tasks_drop();
	plan_drop();
	ctl->lost = info.lost;
	ctl->end_ns = now_ns(1);
	if (reason == MDUMP_REQUEST)
		resume_jail();
	if (r && !ctl->error)
		ctl->error = -r;
	set_state(r ? MDUMP_FAILED : MDUMP_DONE);
}
