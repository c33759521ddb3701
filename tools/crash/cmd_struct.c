// SPDX-License-Identifier: Apache-2.0
// struct, union, p, whatis, list: the kernel's data by its types.

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"
#include "print_type.h"

/* "name.a,b" in its parts; the type found. */
static bool find_type(const char *command, char *word, char **members, Dwarf_Die *t)
{
	char name[MAX_NAME + 8];
	char *dot = strchr(word, '.');

	*members = NULL;
	if (dot) {
		*dot = 0;
		*members = dot + 1;
	}
	snprintf(name, sizeof(name), "%s %s", command, word);
	if ((!strcmp(command, "struct") || !strcmp(command, "union")) && type_named(name, t))
		return true;
	if (type_named(word, t))
		return true;
	complain("the kernel has no type %s", word);
	return false;
}

static int members_layout(Dwarf_Die *t, char *members)
{
	char *save = NULL;

	list("members");
	for (char *n = strtok_r(members, ",", &save); n; n = strtok_r(NULL, ",", &save)) {
		char name[MAX_NAME];
		struct member m;

		if (!type_member(t, n, &m)) {
			end();
			complain("there is no member %s", n);
			return -1;
		}
		obj(NULL);
		f_uint("offset", "  [%llu] ", m.offset);
		f_str("type", "%s ", type_name(&m.type, name, sizeof(name)));
		f_str("name", "%s;\n", n);
		f_uint("size", NULL, type_size(&m.type));
		end();
	}
	end();
	return 0;
}

static int members_of(Dwarf_Die *t, const char *members, u64 addr, bool hex, bool offsets)
{
	char *copy = strdup(members), *save = NULL;
	int r = 0;

	for (char *n = strtok_r(copy, ",", &save); n && !r; n = strtok_r(NULL, ",", &save)) {
		struct member m;

		if (!type_member(t, n, &m)) {
			complain("there is no member %s", n);
			r = -1;
			break;
		}
		if (offsets)
			text("  [%llx]", (unsigned long long)(addr + m.offset));
		text("  %s = ", n);
		r = print_object(n, &m.type, addr + m.offset, &m, hex);
		text("\n");
	}
	free(copy);
	return r;
}

static int show_struct(Dwarf_Die *t, const char *members, u64 addr, bool hex, bool offsets)
{
	char name[MAX_NAME];
	int r;

	if (members) {
		obj(NULL);
		f_hex("address", NULL, addr);
		r = members_of(t, members, addr, hex, offsets);
		end();
		return r;
	}
	obj(NULL);
	f_hex("address", NULL, addr);
	text("%s ", type_name(t, name, sizeof(name)));
	r = print_object("value", t, addr, NULL, hex);
	text("\n");
	end();
	return r;
}

int cmd_struct(int argc, char **argv)
{
	bool hex = false, offsets = false;
	char *word = NULL, *at = NULL, *members;
	u64 count = 1, addr, size;
	Dwarf_Die t;
	int r = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-x"))
			hex = true;
		else if (!strcmp(argv[i], "-o"))
			offsets = true;
		else if (*argv[i] == '-')
			return usage("struct");
		else if (!word)
			word = argv[i];
		else if (!at)
			at = argv[i];
		else if (!parse_count(argv[i], &count) || !count || count > 100000)
			return usage("struct");
	}
	if (!word)
		return usage("struct");
	if (!find_type(argv[0], word, &members, &t))
		return -1;
	if (!at) {
		if (members)
			return members_layout(&t, members);
		print_layout(&t, offsets);
		return 0;
	}
	size = type_size(&t);
	if (!parse_address(at, &addr))
		return -1;
	list("objects");
	for (u64 i = 0; i < count && !r && !interrupted; i++)
		r = show_struct(&t, members, addr + i * size, hex, offsets);
	end();
	return r;
}

/* A pointer's target becomes the object. */
static bool follow(const char *expr, struct member *m, u64 *addr)
{
	Dwarf_Die t = m->type, to;

	if (!type_strip(&t) || dwarf_tag(&t) != DW_TAG_pointer_type || !die_type(&t, &to)) {
		complain("%s is no pointer, or one to nothing known", expr);
		return false;
	}
	*addr = kread_u64(*addr);
	*m = (struct member){.type = to};
	return true;
}

/* NAME, then .member, [index] and ->member; *addr and m->type are the object's in the end. */
static bool evaluate(const char *expr, struct member *m, u64 *addr)
{
	char part[MAX_NAME];
	size_t len = strcspn(expr, ".[-");
	Dwarf_Die t;

	snprintf(part, sizeof(part), "%.*s", (int)len, expr);
	if (!variable_named(part, &t, addr)) {
		complain("the kernel has no variable %s", part);
		return false;
	}
	*m = (struct member){.type = t};
	for (const char *p = expr + len; *p;) {
		struct member in;
		const char *arrow = strstr(p, "->");

		if (arrow == p) {
			if (!follow(expr, m, addr))
				return false;
			p += 2;
			arrow = strstr(p, "->");
		}
		len = arrow ? (size_t)(arrow - p) : strlen(p);
		snprintf(part, sizeof(part), "%.*s", (int)len, p);
		if (!type_member(&m->type, part + (*part == '.'), &in)) {
			complain("there is no %s in %s", part, expr);
			return false;
		}
		*addr += in.offset;
		*m = in;
		p += len;
	}
	return true;
}

/* NAME.member, NAME[2].member, NAME->member; &NAME: its address; *NAME: a pointer's target */
int cmd_print(int argc, char **argv)
{
	bool hex = false, address = false, deref = false;
	char name[MAX_NAME];
	const char *expr = NULL;
	const struct symbol *s;
	struct member m;
	u64 addr;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-x"))
			hex = true;
		else if (*argv[i] == '-' || expr)
			return usage("p");
		else
			expr = argv[i];
	}
	if (!expr)
		return usage("p");
	for (; *expr == '&' || *expr == '*'; expr++) {
		address |= *expr == '&';
		deref |= *expr == '*';
	}
	s = symbol_named(expr);
	if (s && (s->type == 't' || s->type == 'T')) {
		f_str("name", "%s", expr);
		f_hex("address", " = (function) 0x%llx\n", s->addr);
		return 0;
	}
	if (!evaluate(expr, &m, &addr) || (deref && !follow(expr, &m, &addr)))
		return -1;
	f_str("name", NULL, expr);
	f_hex("address", NULL, addr);
	f_str("type", NULL, type_name(&m.type, name, sizeof(name)));
	if (address) {
		text("&%s = (%s *) 0x%llx\n", expr, name, (unsigned long long)addr);
		return 0;
	}
	text("%s%s = ", deref ? "*" : "", expr);
	r = print_object("value", &m.type, addr, &m, hex);
	text("\n");
	return r;
}

int cmd_whatis(int argc, char **argv)
{
	char name[MAX_NAME];
	Dwarf_Die t;
	u64 addr;

	if (argc < 2)
		return usage("whatis");
	if (argc == 2 && variable_named(argv[1], &t, &addr)) {
		f_str("type", "%s ", type_name(&t, name, sizeof(name)));
		f_str("name", "%s;\n", argv[1]);
		return 0;
	}
	if (argc == 3)
		snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
	if (type_named(argc == 3 ? name : argv[1], &t)) {
		print_layout(&t, false);
		return 0;
	}
	complain("the kernel has neither a variable nor a type %s", argv[argc - 1]);
	return -1;
}

/* ---- list ---- */

static bool parse_offset(char *s, u64 *off)
{
	char *dot = strchr(s, '.');
	struct member m;
	Dwarf_Die t;

	if (!dot)
		return parse_count(s, off);
	*dot = 0;
	if (!type_named(s, &t) || !type_member(&t, dot + 1, &m)) {
		complain("there is no %s.%s", s, dot + 1);
		return false;
	}
	*off = m.offset;
	return true;
}

int cmd_list(int argc, char **argv)
{
	char *at = NULL, *show = NULL, *members = NULL;
	bool from_entry = false;
	u64 addr, offset = 0;
	struct walk w;
	Dwarf_Die t;
	int r = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h"))
			from_entry = true;
		else if (!strcmp(argv[i], "-o") && i + 1 < argc) {
			if (!parse_offset(argv[++i], &offset))
				return -1;
		} else if (!strcmp(argv[i], "-s") && i + 1 < argc)
			show = argv[++i];
		else if (*argv[i] == '-' || at)
			return usage("list");
		else
			at = argv[i];
	}
	if (!at)
		return usage("list");
	if (!parse_address(at, &addr) || (show && !find_type("struct", show, &members, &t)))
		return -1;
	list("entries");
	if (from_entry) {
		f_hex(NULL, "%llx\n", addr);
		addr += offset;
	}
	walk_begin(&w, addr, offset, "entries");
	while (walk_next(&w) && !r) {
		text("%llx\n", (unsigned long long)w.entry);
		if (!show)
			f_hex(NULL, NULL, w.entry);
		else
			r = show_struct(&t, members, w.entry, false, false);
	}
	end();
	return w.corrupt ? -1 : r;
}
