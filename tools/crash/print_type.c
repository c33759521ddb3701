// SPDX-License-Identifier: Apache-2.0
// Values of any of the kernel's types, and layouts of its structures, as C would write them.

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"
#include "print_type.h"

#define MAX_DEPTH 12
#define MAX_ELEMENTS 200

static u64 attr_word(Dwarf_Die *d, unsigned attr, u64 other)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	return dwarf_attr(d, attr, &a) && !dwarf_formudata(&a, &v) ? v : other;
}

static void indent(int depth)
{
	text("%*s", 2 * depth, "");
}

static u64 load(const u8 *p, u64 size)
{
	u64 v = 0;

	memcpy(&v, p, size > 8 ? 8 : size);
	return v;
}

/* Elements of an array type; false: not known, as in a flexible array. */
static bool array_count(Dwarf_Die *t, u64 *n)
{
	Dwarf_Die d;
	bool found = false;

	*n = 1;
	if (dwarf_child(t, &d))
		return false;
	do {
		u64 upper = attr_word(&d, DW_AT_upper_bound, ~0ull), count = attr_word(&d, DW_AT_count, ~0ull);

		if (dwarf_tag(&d) != DW_TAG_subrange_type)
			continue;
		if (count == ~0ull && upper == ~0ull)
			return false;
		*n *= count != ~0ull ? count : upper + 1;
		found = true;
	} while (!dwarf_siblingof(&d, &d));
	return found;
}

static const char *enumerator(Dwarf_Die *t, u64 v)
{
	Dwarf_Die d;

	if (dwarf_child(t, &d))
		return NULL;
	do
		if (dwarf_tag(&d) == DW_TAG_enumerator && attr_word(&d, DW_AT_const_value, ~0ull) == v)
			return dwarf_diename(&d);
	while (!dwarf_siblingof(&d, &d));
	return NULL;
}

static void print_base(const char *name, Dwarf_Die *t, const u8 *p, const struct member *m, bool hex)
{
	u64 size = type_size(t), v = load(p, size), enc = attr_word(t, DW_AT_encoding, 0);
	unsigned shift = 64 - (m && m->bit_size ? m->bit_size : (unsigned)(size > 8 ? 64 : 8 * size));

	if (m && m->bit_size)
		v >>= m->bit_offset;
	if (shift < 64)
		v = v << shift >> shift;
	if (size > 8)
		f_str(name, "%s", "(too large to print)");
	else if (enc == DW_ATE_boolean)
		out_json ? f_bool(name, v) : text("%s", v ? "true" : "false");
	else if (hex)
		f_hex(name, "0x%llx", v);
	else if (enc == DW_ATE_signed || enc == DW_ATE_signed_char)
		f_int(name, "%lld", shift < 64 ? (s64)(v << shift) >> shift : 0);
	else
		f_uint(name, "%llu", v);
}

static void print_pointer(const char *name, u64 v)
{
	char sym[MAX_NAME], s[MAX_NAME + 32];

	if (symbol_at(v, NULL)) {
		snprintf(s, sizeof(s), "0x%llx <%s>", (unsigned long long)v, symbolise(v, sym, sizeof(sym)));
		f_str(name, "%s", s);
	} else {
		f_hex(name, "0x%llx", v);
	}
}

static bool is_char(Dwarf_Die *t)
{
	Dwarf_Die s = *t;
	const char *n;

	return type_strip(&s) && dwarf_tag(&s) == DW_TAG_base_type && (n = dwarf_diename(&s)) && !strcmp(n, "char");
}

/* Text up to the first NUL; what follows is nobody's. */
static void print_chars(const char *name, const u8 *p, u64 n)
{
	char s[1024];

	printable(s, sizeof(s), (const char *)p, strnlen((const char *)p, n));
	f_str(name, "\"%s\"", s);
}

static void print_value(const char *name, Dwarf_Die *type, const u8 *p, u64 left, const struct member *m, int depth,
			bool hex);

static void print_array(const char *name, Dwarf_Die *t, const u8 *p, u64 left, int depth, bool hex)
{
	Dwarf_Die el;
	u64 n, size;

	if (!die_type(t, &el) || !(size = type_size(&el)) || !array_count(t, &n)) {
		f_str(name, "%s", "{}");
		return;
	}
	if (n > left / size)
		n = left / size;
	if (is_char(&el)) {
		print_chars(name, p, n);
		return;
	}
	list(name);
	text("{");
	for (u64 i = 0, shown = 0; i < n && !interrupted; i++) {
		u64 same = 1;

		if (shown++ == MAX_ELEMENTS) {
			text(", ...");
			break;
		}
		while (!out_json && i + same < n && !memcmp(p + i * size, p + (i + same) * size, size))
			same++;
		text("%s", i ? ", " : "");
		print_value(NULL, &el, p + i * size, size, NULL, depth + 1, hex);
		if (same > 3) {
			text(" <repeats %llu times>", (unsigned long long)same);
			i += same - 1;
		}
	}
	text("}");
	end();
}

static void print_aggregate(const char *name, Dwarf_Die *t, const u8 *p, u64 left, int depth, bool hex)
{
	Dwarf_Die d;
	bool first = true;

	obj(name);
	text("{");
	if (depth < MAX_DEPTH && !dwarf_child(t, &d)) {
		do {
			const char *n = dwarf_diename(&d);
			struct member m = {0};
			u64 bit = attr_word(&d, DW_AT_data_bit_offset, 0), unit;

			if (dwarf_tag(&d) != DW_TAG_member || !die_type(&d, &m.type))
				continue;
			m.offset = attr_word(&d, DW_AT_data_member_location, 0);
			m.bit_size = (unsigned)attr_word(&d, DW_AT_bit_size, 0);
			unit = type_size(&m.type);
			if (m.bit_size && unit) {
				m.offset = bit / 8 / unit * unit;
				m.bit_offset = (unsigned)(bit % (8 * unit));
			}
			if (m.offset > left || unit > left - m.offset)
				continue;
			text("%s\n", first ? "" : ",");
			first = false;
			indent(depth + 1);
			if (n)
				text("%s = ", n);
			print_value(n ?: "anonymous", &m.type, p + m.offset, left - m.offset, &m, depth + 1, hex);
		} while (!dwarf_siblingof(&d, &d));
	}
	if (!first) {
		text("\n");
		indent(depth);
	}
	text("}");
	end();
}

static void print_value(const char *name, Dwarf_Die *type, const u8 *p, u64 left, const struct member *m, int depth,
			bool hex)
{
	Dwarf_Die t = *type;
	const char *e;

	if (!type_strip(&t)) {
		f_str(name, "%s", "void");
		return;
	}
	if (type_size(&t) > left && dwarf_tag(&t) != DW_TAG_array_type) {
		f_str(name, "%s", "(not readable)");
		return;
	}
	switch (dwarf_tag(&t)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		print_aggregate(name, &t, p, left, depth, hex);
		break;
	case DW_TAG_array_type:
		print_array(name, &t, p, left, depth, hex);
		break;
	case DW_TAG_pointer_type:
		print_pointer(name, load(p, 8));
		break;
	case DW_TAG_enumeration_type:
		e = enumerator(&t, load(p, type_size(&t)));
		if (e)
			f_str(name, "%s", e);
		else
			f_uint(name, "%llu", load(p, type_size(&t)));
		break;
	default:
		print_base(name, &t, p, m, hex);
	}
}

int print_object(const char *name, Dwarf_Die *type, u64 addr, const struct member *m, bool hex)
{
	u64 size = type_size(type);
	u8 *p;
	int r;

	if (!size || size > 16 << 20) {
		complain("this type has no size");
		return -1;
	}
	p = malloc(size);
	if (!p)
		abort();
	r = kread_quiet(addr, p, size);
	if (r == READ_OK)
		print_value(name, type, p, size, m, 0, hex);
	else
		complain("cannot read %llu bytes at %llx: %s", (unsigned long long)size, (unsigned long long)addr,
			 read_error(r));
	free(p);
	return r == READ_OK ? 0 : -1;
}

/* ---- layouts ---- */

static void member_line(Dwarf_Die *d, u64 base, int depth, bool offsets)
{
	char name[MAX_NAME], dims[32] = "";
	struct member m = {0};
	Dwarf_Die t, inner;
	u64 n;

	if (!die_type(d, &m.type))
		return;
	m.offset = base + attr_word(d, DW_AT_data_member_location, 0);
	if (attr_word(d, DW_AT_bit_size, 0))
		m.offset = base + attr_word(d, DW_AT_data_bit_offset, 0) / 8;
	t = m.type;
	if (dwarf_tag(&t) == DW_TAG_array_type && array_count(&t, &n))
		snprintf(dims, sizeof(dims), "[%llu]", (unsigned long long)n);
	else if (dwarf_tag(&t) == DW_TAG_array_type)
		snprintf(dims, sizeof(dims), "[]");
	type_name(&m.type, name, sizeof(name));
	inner = m.type;
	obj(NULL);
	f_uint("offset", NULL, m.offset);
	f_uint("size", NULL, type_size(&m.type));
	f_str("type", NULL, name);
	f_str("name", NULL, dwarf_diename(d));
	end();
	if (offsets)
		text("%*s[%llu] ", depth ? 2 : 2, "", (unsigned long long)m.offset);
	indent(depth + (offsets ? 0 : 1));
	n = strlen(name);
	text("%s%s%s%s", name, !dwarf_diename(d) || (n && name[n - 1] == '*') ? "" : " ", dwarf_diename(d) ?: "", dims);
	if (attr_word(d, DW_AT_bit_size, 0))
		text(" : %llu", (unsigned long long)attr_word(d, DW_AT_bit_size, 0));
	text(";\n");
	/* members of anonymous parts belong to the whole */
	if (!dwarf_diename(d) && depth < MAX_DEPTH && type_strip(&inner) && !dwarf_child(&inner, &t)) {
		do
			if (dwarf_tag(&t) == DW_TAG_member)
				member_line(&t, m.offset, depth + 1, offsets);
		while (!dwarf_siblingof(&t, &t));
	}
}

void print_layout(Dwarf_Die *type, bool offsets)
{
	char name[MAX_NAME];
	Dwarf_Die t = *type, d;

	if (!type_strip(&t))
		return;
	type_name(&t, name, sizeof(name));
	f_str("type", NULL, name);
	f_uint("size", NULL, type_size(&t));
	text("%s", name);
	list("members");
	if (dwarf_tag(&t) == DW_TAG_enumeration_type && !dwarf_child(&t, &d)) {
		text(" {\n");
		do {
			obj(NULL);
			f_str("name", "    %s", dwarf_diename(&d));
			f_int("value", " = %lld,\n", (s64)attr_word(&d, DW_AT_const_value, 0));
			end();
		} while (!dwarf_siblingof(&d, &d));
		text("}");
	} else if ((dwarf_tag(&t) == DW_TAG_structure_type || dwarf_tag(&t) == DW_TAG_union_type) &&
		   !dwarf_child(&t, &d)) {
		text(" {\n");
		do
			if (dwarf_tag(&d) == DW_TAG_member)
				member_line(&d, 0, 0, offsets);
		while (!dwarf_siblingof(&d, &d));
		text("}");
	}
	end();
	text("\nSIZE: %llu\n", (unsigned long long)type_size(&t));
}
