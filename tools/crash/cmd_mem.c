// SPDX-License-Identifier: Apache-2.0
// rd, sym, dis, search, vtop: memory, names and instructions.

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

/* ---- rd ---- */

enum space { KERNEL, USER, PHYSICAL };

static int read_in(enum space space, u64 addr, void *buf, size_t n)
{
	if (space == PHYSICAL)
		return core_read_phys(addr, buf, n);
	if (space == KERNEL)
		return kread_quiet(addr, buf, n);
	return current && current->mm ? uread(current->mm, addr, buf, n) : READ_RANGE;
}

static enum space space_of(u64 addr, enum space asked)
{
	if (asked == KERNEL && !is_kernel_address(addr) && addr < kernel_layout.image && current && current->mm)
		return USER;
	return asked;
}

static int cannot_read(u64 addr, int r)
{
	complain("cannot read %llx: %s", (unsigned long long)addr, read_error(r));
	return -1;
}

static int rd_text(enum space space, u64 addr, u64 max)
{
	char raw[4096], safe[4 * 4096];
	size_t n = 0;

	if (max > sizeof(raw))
		max = sizeof(raw);
	while (n < max) {
		int r = read_in(space, addr + n, raw + n, 1);

		if (r != READ_OK && !n)
			return cannot_read(addr, r);
		if (r != READ_OK || !raw[n])
			break;
		n++;
	}
	printable(safe, sizeof(safe), raw, n);
	f_hex("address", "%12llx:  ", addr);
	f_str("text", "%s\n", safe);
	return 0;
}

static void rd_item(enum space space, u64 addr, unsigned width, bool symbols_, u8 *ascii)
{
	u64 v = 0;
	char sym[MAX_NAME];

	read_in(space, addr, &v, width);
	memcpy(ascii, &v, width);
	if (symbols_ && width == 8 && symbol_at(v, NULL))
		f_str(NULL, " %-16s", symbolise(v, sym, sizeof(sym)));
	else if (width == 8)
		f_hex(NULL, " %016llx", v);
	else if (width == 4)
		f_hex(NULL, " %08llx", v);
	else if (width == 2)
		f_hex(NULL, " %04llx", v);
	else
		f_hex(NULL, " %02llx", v);
}

static int rd_rows(enum space space, u64 addr, u64 count, unsigned width, bool symbols_)
{
	unsigned per_row = 16 / width;

	list("rows");
	for (u64 i = 0; i < count && !interrupted; i += per_row) {
		u8 ascii[17] = "";
		unsigned n = count - i < per_row ? (unsigned)(count - i) : per_row;
		u64 at = addr + i * width, probe;
		int r = read_in(space, at, &probe, width);

		if (r != READ_OK) {
			end();
			return cannot_read(at, r);
		}
		obj(NULL);
		f_hex("address", "%12llx: ", at);
		list("values");
		for (unsigned k = 0; k < n; k++)
			rd_item(space, at + k * width, width, symbols_, ascii + k * width);
		end();
		for (unsigned k = 0; k < n * width; k++)
			ascii[k] = ascii[k] >= 0x20 && ascii[k] < 0x7f ? ascii[k] : '.';
		text("%*s   %.*s\n", (int)((per_row - n) * (2 * width + 1)), "", (int)(n * width), ascii);
		end();
	}
	end();
	return 0;
}

int cmd_rd(int argc, char **argv)
{
	enum space space = KERNEL;
	bool symbols_ = false, is_text = false;
	unsigned width = 8;
	char *at = NULL;
	u64 addr, count = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-p"))
			space = PHYSICAL;
		else if (!strcmp(argv[i], "-u"))
			space = USER;
		else if (!strcmp(argv[i], "-s") || !strcmp(argv[i], "-S"))
			symbols_ = true;
		else if (!strcmp(argv[i], "-a"))
			is_text = true;
		else if (!strcmp(argv[i], "-8") || !strcmp(argv[i], "-16") || !strcmp(argv[i], "-32") ||
			 !strcmp(argv[i], "-64"))
			width = (unsigned)atoi(argv[i] + 1) / 8;
		else if (*argv[i] == '-')
			return usage("rd");
		else if (!at)
			at = argv[i];
		else if (!parse_count(argv[i], &count))
			return usage("rd");
	}
	if (!at || count > 1 << 24)
		return usage("rd");
	if (!parse_address(at, &addr))
		return -1;
	space = space_of(addr, space);
	return is_text ? rd_text(space, addr, count ?: 4096) : rd_rows(space, addr, count ?: 1, width, symbols_);
}

/* ---- sym ---- */

static void sym_line(const struct symbol *s, u64 off)
{
	char line[MAX_PATH];
	const char *src = s->type == 't' || s->type == 'T' ? source_line(s->addr + off, line, sizeof(line)) : NULL;

	obj(NULL);
	f_hex("address", "%llx ", s->addr + off);
	text("(%c) ", s->type);
	f_str("name", "%s", s->name);
	f_uint("offset", off ? "+%llu" : NULL, off);
	f_str("line", src ? "  %s" : NULL, src);
	text("\n");
	end();
}

static int sym_arg(const char *arg)
{
	const struct symbol *s = symbol_named(arg);
	bool any = false;
	u64 addr, off;

	for (size_t i = 0; s && i < nsymbols; i++) {
		if (!strcmp(symbols[i].name, arg)) { /* static ones may share it */
			sym_line(&symbols[i], 0);
			any = true;
		}
	}
	if (any)
		return 0;
	if (!parse_address(arg, &addr))
		return -1;
	s = symbol_at(addr, &off);
	if (!s) {
		complain("no symbol covers %llx", (unsigned long long)addr);
		return -1;
	}
	sym_line(s, off);
	return 0;
}

int cmd_sym(int argc, char **argv)
{
	int r = 0;

	if (argc < 2)
		return usage("sym");
	list("symbols");
	if (!strcmp(argv[1], "-l") || !strcmp(argv[1], "-q")) {
		const char *what = argc > 2 ? argv[2] : "";

		for (size_t i = 0; i < nsymbols && !interrupted; i++)
			if (argv[1][1] == 'l' ? !strncmp(symbols[i].name, what, strlen(what))
					      : strstr(symbols[i].name, what) != NULL)
				sym_line(&symbols[i], 0);
	} else {
		for (int i = 1; i < argc; i++)
			r |= sym_arg(argv[i]);
	}
	end();
	return r;
}

/* ---- dis ---- */

static void operand_names(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op, u64 addr)
{
	char sym[MAX_NAME];
	ZyanU64 target;

	for (unsigned i = 0; i < in->operand_count_visible; i++)
		if ((op[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE || op[i].type == ZYDIS_OPERAND_TYPE_MEMORY) &&
		    ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(in, &op[i], addr, &target)) && symbol_at(target, NULL))
			f_str("target", " <%s>", symbolise(target, sym, sizeof(sym)));
}

/* One instruction at addr; its length, or 0. */
static unsigned dis_one(ZydisDecoder *d, ZydisFormatter *f, enum space space, u64 addr, bool lines)
{
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction in;
	char s[256], sym[MAX_NAME], line[MAX_PATH], hex[3 * 16] = "";
	static char last[MAX_PATH];
	u8 b[15];
	size_t n = sizeof(b);
	bool ok;

	while (n && read_in(space, addr, b, n) != READ_OK)
		n--;
	if (!n)
		return 0;
	ok = ZYAN_SUCCESS(ZydisDecoderDecodeFull(d, b, n, &in, op));
	if (lines && source_line(addr, line, sizeof(line)) && strcmp(line, last)) {
		snprintf(last, sizeof(last), "%s", line);
		text("%s\n", line);
	}
	if (!ok || !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(f, &in, op, in.operand_count_visible, s, sizeof(s),
								 addr, NULL)))
		snprintf(s, sizeof(s), "(bad)");
	obj(NULL);
	f_hex("address", "0x%llx", addr);
	f_str("symbol", symbol_at(addr, NULL) ? " <%s>:\t" : ":\t", symbolise(addr, sym, sizeof(sym)));
	f_str("instruction", "%s", s);
	for (unsigned i = 0; ok && i < in.length; i++)
		sprintf(hex + 2 * i, "%02x", b[i]);
	f_str("bytes", NULL, hex);
	if (ok)
		operand_names(&in, op, addr);
	text("\n");
	end();
	return ok ? in.length : 1;
}

int cmd_dis(int argc, char **argv)
{
	bool lines = false, reverse = false;
	char *at = NULL;
	u64 addr, count = 0, stop = ~0ull, off;
	const struct symbol *s;
	ZydisDecoder d;
	ZydisFormatter f;
	enum space space;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-l"))
			lines = true;
		else if (!strcmp(argv[i], "-r"))
			reverse = true;
		else if (*argv[i] == '-')
			return usage("dis");
		else if (!at)
			at = argv[i];
		else if (!parse_count(argv[i], &count) || !count)
			return usage("dis");
	}
	if (!at)
		return usage("dis");
	if (!parse_address(at, &addr))
		return -1;
	space = space_of(addr, KERNEL);
	s = space == KERNEL ? symbol_at(addr, &off) : NULL;
	if (reverse && s) {
		stop = addr + 1;
		addr = s->addr;
		count = ~0ull;
	} else if (!count && s && !off && s->size) {
		stop = s->addr + s->size;
		count = ~0ull;
	}
	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_ATT);
	list("instructions");
	for (count = count ?: 1; count && addr < stop && !interrupted; count--) {
		unsigned n = dis_one(&d, &f, space, addr, lines);

		if (!n) {
			end();
			return cannot_read(addr, READ_RANGE);
		}
		addr += n;
	}
	end();
	return 0;
}

/* ---- vtop ---- */

static int vtop(u64 addr, enum space space)
{
	u64 phys, pte = 0;

	obj(NULL);
	f_hex("virtual", "VIRTUAL       PHYSICAL\n%-12llx  ", addr);
	if (space == KERNEL) {
		if (kernel_phys(addr, &phys)) {
			end();
			text("(no kernel address)\n");
			complain("%llx is no kernel address", (unsigned long long)addr);
			return -1;
		}
		f_hex("physical", "%llx\n", phys);
	} else if (!current || !current->mm || !user_phys(current->mm, addr, &phys, &pte)) {
		end();
		text("(not mapped)\n");
		return 0;
	} else {
		f_hex("physical", "%llx\n", phys);
		f_hex("pte", "   PTE: %llx", pte);
		text("  (PRESENT%s%s%s%s%s%s)\n", pte & 2 ? "|WRITE" : "", pte & 4 ? "|EXEC" : "",
		     pte & 0x10 ? "|DIRTY" : "", pte & 0x40 ? "|ANON" : "", pte & 0x80 ? "|FILE" : "",
		     pte & 0x200 ? "|TEXT" : "");
	}
	if (global("mem_map"))
		f_hex("page", "  PAGE: %llx\n", global("mem_map") + phys / PAGE_SIZE * struct_size("struct page"));
	end();
	return 0;
}

int cmd_vtop(int argc, char **argv)
{
	enum space asked = KERNEL;
	int r = 0;

	if (argc < 2)
		return usage("vtop");
	list("addresses");
	for (int i = 1; i < argc; i++) {
		u64 addr;

		if (!strcmp(argv[i], "-u"))
			asked = USER;
		else if (!strcmp(argv[i], "-k"))
			asked = KERNEL;
		else if (parse_address(argv[i], &addr))
			r |= vtop(addr, space_of(addr, asked));
		else
			r = -1;
	}
	end();
	return r;
}
