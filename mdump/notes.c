// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: the notes of the ELF file, written one by one; no buffer holds them all.

#include "sys.h"

/* struct elf_prstatus and elf_prpsinfo of the host's ABI, with fixed sizes */
struct prstatus {
	s32 si_signo, si_code, si_errno;
	u16 cursig, pad;
	u64 sigpend, sighold;
	s32 pid, ppid, pgrp, sid;
	u64 times[8];
	u64 reg[27];
	s32 fpvalid, pad2;
};
struct prpsinfo {
	char state, sname, zomb, nice;
	u32 pad;
	u64 flag;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};
_Static_assert(sizeof(struct prstatus) == 336 && sizeof(struct prpsinfo) == 136, "the ABI's sizes");
#define FXSAVE_BYTES 512
#define VMCOREINFO_ROOM 8192

static char vmcoreinfo[VMCOREINFO_ROOM];

static u64 note_bytes(const char *owner, u64 n)
{
	return sizeof(Elf64_Nhdr) + align_up(str_len(owner) + 1, 4) + align_up(n, 4);
}

static int note(const char *owner, u32 type, const void *p, u64 n)
{
	Elf64_Nhdr h = {str_len(owner) + 1, n, type};
	char name[16] = "";
	u32 zero = 0;

	put_str(name, owner);
	out_write(&h, sizeof(h));
	out_write(name, align_up(h.n_namesz, 4));
	out_write(p, n);
	return out_write(&zero, align_up(n, 4) - n);
}

static char *line(char *p, const char *name, u64 v, bool hex)
{
	p = put_str(put_str(p, name), "=");
	p = hex ? put_hex(p, v) : put_dec(p, v, 0);
	return put_str(p, "\n");
}

static u32 make_vmcoreinfo(void)
{
	char *p = put_str(put_str(put_str(vmcoreinfo, "OSRELEASE="), config.release), "\nBUILD-ID=");

	for (u32 i = 0; i < config.build_id_len && i < sizeof(config.build_id); i++) {
		*p++ = "0123456789abcdef"[config.build_id[i] >> 4];
		*p++ = "0123456789abcdef"[config.build_id[i] & 15];
	}
	p = line(put_str(p, "\n"), "PAGESIZE", PAGE, false);
	p = line(p, "KERNELBASE", table("NUMBER(KERNEL_BASE)", 0x700000000000ULL), true);
	p = line(p, "DIRECTMAP", table("NUMBER(DIRECT_MAP_BASE)", 0x701000000000ULL), true);
	p = line(p, "CRASHTIME", config.start_ns ? now_ns(0) / 1000000000 : 0, false);
	for (u32 i = 0; i < config.nentries && p < vmcoreinfo + VMCOREINFO_ROOM - 80; i++)
		p = line(p, config.entry[i].name, config.entry[i].value,
			 config.entry[i].name[1] == 'Y' || config.entry[i].value >> 32);
	return p - vmcoreinfo;
}

static u64 task_bytes(u32 i)
{
	u64 n = note_bytes("CORE", sizeof(struct prstatus)) + note_bytes("HUSK", sizeof(struct mdump_task));
	size_t x;

	if (!i)
		n += note_bytes("CORE", sizeof(struct prpsinfo));
	if (task_xstate(i, &x))
		n += note_bytes("CORE", FXSAVE_BYTES) + note_bytes("LINUX", x);
	return n;
}

u64 notes_size(u32 ntasks)
{
	u64 n = note_bytes(MDUMP_OWNER, sizeof(struct mdump_info)) + note_bytes("VMCOREINFO", make_vmcoreinfo());

	for (u32 i = 0; i < ntasks; i++)
		n += task_bytes(i);
	return n;
}

static void write_task(u32 i, bool crashed)
{
	const struct task *t = task_at(i);
	struct prstatus s = {0};
	size_t x;
	const void *xs = task_xstate(i, &x);

	s.pid = t->d.pid;
	s.ppid = 1;
	s.pgrp = s.sid = t->d.tgid;
	s.si_signo = s.cursig = crashed ? 6 : 0;
	s.fpvalid = xs != NULL;
	memcpy(s.reg, t->regs, sizeof(s.reg));
	for (u32 r = 0; r < ENTRIES(s.reg); r++)
		if (s.reg[r] == config.secret)
			s.reg[r] = 0;
	note("CORE", NT_PRSTATUS, &s, sizeof(s));
	if (!i) {
		struct prpsinfo ps = {.sname = 'R', .pid = t->d.pid, .ppid = 1, .pgrp = t->d.tgid, .sid = t->d.tgid};

		memcpy(ps.fname, t->d.comm, sizeof(ps.fname));
		put_str(put_str(ps.psargs, "husk-kernel: "), t->d.comm);
		note("CORE", NT_PRPSINFO, &ps, sizeof(ps));
	}
	if (xs) {
		note("CORE", NT_FPREGSET, xs, FXSAVE_BYTES);
		note("LINUX", NT_X86_XSTATE, xs, x);
	}
	note(MDUMP_OWNER, NT_HUSK_TASK, &t->d, sizeof(t->d));
}

/* As many bytes as notes_size() said: between the two calls nothing of it changes. */
int notes_write(const struct mdump_info *info, u32 ntasks)
{
	note(MDUMP_OWNER, NT_HUSK_INFO, info, sizeof(*info));
	note("VMCOREINFO", 0, vmcoreinfo, str_len(vmcoreinfo));
	for (u32 i = 0; i < ntasks; i++)
		write_task(i, !i && tasks_current());
	return out_error();
}
