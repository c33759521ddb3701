// SPDX-License-Identifier: Apache-2.0
// bt: backtraces of tasks, through the kernel and the program.

#include <stdlib.h>
#include <string.h>
#include "crash.h"

struct bt_options {
	bool lines, kernel_only, registers_only, full;
};

static void show_registers(const struct task_regs *r)
{
	obj("registers");
	f_hex("rip", "    RIP: %016llx", r->ip);
	f_hex("rsp", "  RSP: %016llx", r->sp);
	f_hex("rflags", "  RFLAGS: %08llx\n", r->flags);
	f_hex("rax", "    RAX: %016llx", r->ax);
	f_hex("rbx", "  RBX: %016llx", r->bx);
	f_hex("rcx", "  RCX: %016llx\n", r->cx);
	f_hex("rdx", "    RDX: %016llx", r->dx);
	f_hex("rsi", "  RSI: %016llx", r->si);
	f_hex("rdi", "  RDI: %016llx\n", r->di);
	f_hex("rbp", "    RBP: %016llx", r->bp);
	f_hex("r8", "   R8: %016llx", r->r8);
	f_hex("r9", "   R9: %016llx\n", r->r9);
	f_hex("r10", "    R10: %016llx", r->r10);
	f_hex("r11", "  R11: %016llx", r->r11);
	f_hex("r12", "  R12: %016llx\n", r->r12);
	f_hex("r13", "    R13: %016llx", r->r13);
	f_hex("r14", "  R14: %016llx", r->r14);
	f_hex("r15", "  R15: %016llx\n", r->r15);
	f_hex("orig_rax", "    ORIG_RAX: %016llx", r->orig_ax);
	f_hex("cs", "  CS: %04llx", r->cs);
	f_hex("ss", "  SS: %04llx\n", r->ss);
	end();
}

/* What lies between this frame and the one above, as crash(8)'s -f has it. */
static void dump_frame(u64 from, u64 to)
{
	char sym[MAX_NAME];

	if (to <= from || to - from > 8192)
		return;
	for (u64 a = from; a < to; a += 8) {
		u64 v = kread_u64(a);

		if ((a - from) % 16 == 0)
			text("    %llx:", (unsigned long long)a);
		if (is_kernel_text(v))
			text(" %-16s", symbolise(v, sym, sizeof(sym)));
		else
			text(" %016llx", (unsigned long long)v);
		if ((a - from) % 16 == 8 || a + 8 >= to)
			text("\n");
	}
}

static void show_inlined(u64 addr)
{
	struct inlined in[8];
	size_t n = inlined_at(addr, in, sizeof(in) / sizeof(*in));

	list("inlined");
	for (size_t i = 0; i < n; i++) {
		obj(NULL);
		f_str("function", "      in %s, inlined", in[i].name);
		f_str("called_at", " at %s\n", in[i].called_at);
		end();
	}
	end();
}

static unsigned kernel_part(const struct task *t, const struct bt_options *o)
{
	struct frame f[MAX_FRAMES];
	const char *how;
	size_t n = kernel_backtrace(t, f, MAX_FRAMES, &how);

	if (how)
		text("    (%s)\n", how);
	if (out_json && how)
		f_str("note", NULL, how);
	list("kernel");
	for (size_t i = 0; i < n; i++) {
		char sym[MAX_NAME], line[MAX_PATH];
		u64 look = f[i].exact || !i ? f[i].ip : f[i].ip - 1;
		const struct symbol *s = symbol_at(look, NULL);
		const char *src = source_line(look, line, sizeof(line));

		obj(NULL);
		f_uint("frame", NULL, i);
		text("%s#%zu ", i < 10 ? " " : "", i);
		f_hex("sp", "[%llx] ", f[i].sp);
		f_str("function", "%s at ", s ? s->name : "?");
		f_hex("ip", "%llx\n", f[i].ip);
		f_str("symbol", NULL, symbolise(f[i].ip, sym, sizeof(sym)));
		f_str("line", NULL, src);
		if (o->lines && src)
			text("    %s\n", src);
		if (o->lines)
			show_inlined(look);
		if (o->full)
			dump_frame(f[i].sp, i + 1 < n ? f[i + 1].sp : f[i].sp);
		end();
		if (f[i].what == 's')
			text("    --- a host signal interrupted the kernel here ---\n");
	}
	end();
	return (unsigned)n;
}

static void user_part(const struct task *t, const struct bt_options *o, unsigned number)
{
	struct user_frame *f;
	struct task_regs r;
	size_t n;

	if (!task_user_regs(t, &r)) {
		if (t->in_user)
			text("    (its registers were not recorded)\n");
		return;
	}
	show_registers(&r);
	f = calloc(MAX_FRAMES, sizeof(*f));
	if (!f)
		abort();
	n = user_backtrace(t, &r, f, MAX_FRAMES);
	list("user");
	for (size_t i = 0; i < n; i++) {
		obj(NULL);
		text("%s#%zu ", i + number < 10 ? " " : "", i + number);
		f_hex("sp", "[%llx] ", f[i].sp);
		f_str("symbol", *f[i].symbol ? "%s at " : NULL, *f[i].symbol ? f[i].symbol : NULL);
		f_hex("ip", "%llx", f[i].ip);
		f_str("where", *f[i].where ? " (%s)\n" : "\n%.0s", *f[i].where ? f[i].where : NULL);
		end();
	}
	end();
	free(f);
}

static void backtrace(const struct task *t, const struct bt_options *o)
{
	const struct core_note *n = task_note(t);
	unsigned k;

	task_header(t);
	obj(NULL);
	task_members(t);
	if (n && n->from == MDUMP_REGS_NONE)
		text("    (its registers were lost: it was running when it was killed, or could not be stopped)\n");
	k = kernel_part(t, o);
	if (!o->kernel_only)
		user_part(t, o, k);
	end();
}

int cmd_bt(int argc, char **argv)
{
	struct bt_options o = {0};
	bool all = false, active = false, any = false;

	for (int i = 1; i < argc; i++) {
		if (*argv[i] != '-')
			continue;
		for (const char *c = argv[i] + 1; *c; c++) {
			switch (*c) {
			case 'a':
				active = true;
				break;
			case 'A':
				all = true;
				break;
			case 'l':
				o.lines = true;
				break;
			case 'k':
				o.kernel_only = true;
				break;
			case 'f':
				o.full = true;
				break;
			default:
				return usage("bt");
			}
		}
	}
	list("tasks");
	for (size_t i = 0; (all || active) && i < ntasks && !interrupted; i++) {
		if (!all && (strcmp(task_state(&tasks[i]), "RU") || !tasks[i].pid) && &tasks[i] != panic_task())
			continue;
		text("%s", any ? "\n" : "");
		backtrace(&tasks[i], &o);
		any = true;
	}
	for (int i = 1; i < argc; i++) {
		struct task *t;

		if (*argv[i] == '-')
			continue;
		t = task_arg(argv[i]);
		if (!t) {
			end();
			return -1;
		}
		text("%s", any ? "\n" : "");
		backtrace(t, &o);
		any = true;
	}
	if (!any && !all && !active && current)
		backtrace(current, &o);
	else if (!any && (all || active))
		text("no task runs\n");
	end();
	return 0;
}
