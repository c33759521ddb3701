// SPDX-License-Identifier: Apache-2.0
// The kernel's types and variables from DWARF: an index by name, members by path, fields that are looked up once.

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

/**
 * DOC: index
 *
 * One pass over the top-level entries of all compilation units, at the first question, makes a hash of names: structures, unions,
 * enumerations, typedefs, base types, variables. Every unit repeats the headers' types, so the first complete one is kept; of variables all are,
 * since static ones may share a name. Dies are kept by offset. Depths are bounded: the file is the user's, but may be damaged.
 */
#define HASH_SIZE 16384u
#define MAX_STRIP 32

struct entry {
	struct entry *next;
	const char *name;
	Dwarf_Off off;
	int tag;
};
static struct entry *table[HASH_SIZE];
static bool indexed;

static unsigned hash(const char *s)
{
	unsigned h = 5381;

	while (*s)
		h = h * 33 ^ (unsigned char)*s++;
	return h % HASH_SIZE;
}

static bool has(Dwarf_Die *d, unsigned attr)
{
	return dwarf_hasattr(d, attr);
}

static void index_die(Dwarf_Die *d)
{
	int tag = dwarf_tag(d);
	const char *name;
	struct entry **e;

	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_base_type:
	case DW_TAG_variable:
		break;
	default:
		return;
	}
	name = dwarf_diename(d);
	if (!name || has(d, DW_AT_declaration))
		return;
	e = &table[hash(name)];
	for (struct entry *x = *e; x && tag != DW_TAG_variable; x = x->next)
		if (x->tag == tag && !strcmp(x->name, name))
			return;
	struct entry *new = malloc(sizeof(*new));

	if (!new)
		abort();
	*new = (struct entry){*e, name, dwarf_dieoffset(d), tag};
	*e = new;
}

static void build_index(void)
{
	Dwarf_Off off = 0, next;
	size_t header;

	if (indexed || !kernel_dwarf)
		return;
	indexed = true;
	for (; !dwarf_nextcu(kernel_dwarf, off, &next, &header, NULL, NULL, NULL); off = next) {
		Dwarf_Die cu, d;

		if (!dwarf_offdie(kernel_dwarf, off + header, &cu) || dwarf_child(&cu, &d))
			continue;
		do
			index_die(&d);
		while (!dwarf_siblingof(&d, &d));
	}
}

static bool lookup(const char *name, int tag, Dwarf_Die *out)
{
	build_index();
	for (struct entry *e = table[hash(name)]; e; e = e->next)
		if (e->tag == tag && !strcmp(e->name, name))
			return dwarf_offdie(kernel_dwarf, e->off, out) != NULL;
	return false;
}

void type_index_each(const char *prefix, void (*fn)(const char *name, Dwarf_Die *die))
{
	build_index();
	for (unsigned i = 0; i < HASH_SIZE; i++) {
		for (struct entry *e = table[i]; e; e = e->next) {
			Dwarf_Die d;

			if (!strncmp(e->name, prefix, strlen(prefix)) && dwarf_offdie(kernel_dwarf, e->off, &d))
				fn(e->name, &d);
		}
	}
}

bool type_named(const char *name, Dwarf_Die *out)
{
	static const int any[] = {DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_typedef, DW_TAG_enumeration_type,
				  DW_TAG_base_type};

	if (!strncmp(name, "struct ", 7))
		return lookup(name + 7, DW_TAG_structure_type, out);
	if (!strncmp(name, "union ", 6))
		return lookup(name + 6, DW_TAG_union_type, out);
	if (!strncmp(name, "enum ", 5))
		return lookup(name + 5, DW_TAG_enumeration_type, out);
	for (unsigned i = 0; i < sizeof(any) / sizeof(*any); i++)
		if (lookup(name, any[i], out))
			return true;
	return false;
}

static bool variable_address(Dwarf_Die *d, u64 *addr)
{
	Dwarf_Attribute a;
	Dwarf_Op *op;
	size_t n;

	if (!dwarf_attr(d, DW_AT_location, &a) || dwarf_getlocation(&a, &op, &n) || n != 1 || op->atom != DW_OP_addr)
		return false;
	*addr = op->number;
	return true;
}

/* A definition may leave its type to the declaration that it completes: dwarf_attr_integrate follows. */
bool die_type(Dwarf_Die *d, Dwarf_Die *type)
{
	Dwarf_Attribute a;

	return dwarf_attr_integrate(d, DW_AT_type, &a) && dwarf_formref_die(&a, type);
}

bool variable_named(const char *name, Dwarf_Die *type, u64 *addr)
{
	bool found = false;

	build_index();
	for (struct entry *e = table[hash(name)]; e; e = e->next) {
		Dwarf_Die d, t;
		u64 at;

		if (e->tag != DW_TAG_variable || strcmp(e->name, name) || !dwarf_offdie(kernel_dwarf, e->off, &d) ||
		    !variable_address(&d, &at) || !die_type(&d, &t))
			continue;
		if (!found || has(&d, DW_AT_external)) {
			*type = t;
			*addr = at;
		}
		found = true;
	}
	return found;
}

bool type_strip(Dwarf_Die *t)
{
	for (int i = 0; i < MAX_STRIP; i++) {
		switch (dwarf_tag(t)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type:
			if (!die_type(t, t))
				return false;
			break;
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
			/* declared only, in this unit: the complete one is in another */
			if (has(t, DW_AT_declaration) && dwarf_diename(t))
				lookup(dwarf_diename(t), dwarf_tag(t), t);
			return true;
		default:
			return true;
		}
	}
	return false;
}

u64 type_size(Dwarf_Die *t)
{
	Dwarf_Die s = *t;
	Dwarf_Word n;

	if (!type_strip(&s))
		return 0;
	if (dwarf_tag(&s) == DW_TAG_pointer_type)
		return 8;
	return dwarf_aggregate_size(&s, &n) ? 0 : n;
}

u64 struct_size(const char *type)
{
	Dwarf_Die t;

	return type_named(type, &t) ? type_size(&t) : 0;
}

/* ---- names of types, as C has them ---- */

static void name_into(Dwarf_Die *t, char *buf, size_t n, int depth)
{
	Dwarf_Die inner;
	const char *name = dwarf_diename(t), *word = "";
	size_t len;

	switch (dwarf_tag(t)) {
	case DW_TAG_pointer_type:
		if (depth < MAX_STRIP && die_type(t, &inner)) {
			name_into(&inner, buf, n, depth + 1);
		} else {
			snprintf(buf, n, "void");
		}
		len = strlen(buf);
		snprintf(buf + len, n - len, "%s", len && buf[len - 1] == '*' ? "*" : " *");
		return;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
		word = dwarf_tag(t) == DW_TAG_const_type ? "const " : "volatile ";
		len = (size_t)snprintf(buf, n, "%s", word);
		if (len >= n)
			return;
		if (depth < MAX_STRIP && die_type(t, &inner))
			name_into(&inner, buf + len, n - len, depth + 1);
		else
			snprintf(buf + len, n - len, "void");
		return;
	case DW_TAG_array_type:
		if (depth < MAX_STRIP && die_type(t, &inner))
			name_into(&inner, buf, n, depth + 1);
		return;
	case DW_TAG_subroutine_type:
		if (depth < MAX_STRIP && die_type(t, &inner))
			name_into(&inner, buf, n, depth + 1);
		else
			snprintf(buf, n, "void");
		len = strlen(buf);
		snprintf(buf + len, n - len, " (...)");
		return;
	case DW_TAG_structure_type:
		word = "struct ";
		break;
	case DW_TAG_union_type:
		word = "union ";
		break;
	case DW_TAG_enumeration_type:
		word = "enum ";
		break;
	default:
		break;
	}
	snprintf(buf, n, "%s%s", word, name ?: "{...}");
}

const char *type_name(Dwarf_Die *t, char *buf, size_t n)
{
	*buf = 0;
	name_into(t, buf, n, 0);
	return buf;
}

/* ---- members ---- */

static u64 attr_word(Dwarf_Die *d, unsigned attr, u64 other)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	return dwarf_attr(d, attr, &a) && !dwarf_formudata(&a, &v) ? v : other;
}

static void member_place(Dwarf_Die *d, struct member *m)
{
	u64 bit = attr_word(d, DW_AT_data_bit_offset, 0);

	m->offset += attr_word(d, DW_AT_data_member_location, 0);
	m->bit_size = (unsigned)attr_word(d, DW_AT_bit_size, 0);
	if (m->bit_size) {
		u64 unit = type_size(&m->type) ?: 4;

		m->offset += bit / 8 / unit * unit;
		m->bit_offset = (unsigned)(bit % (8 * unit));
	}
}

static bool find_member(Dwarf_Die *type, const char *name, size_t len, struct member *m, int depth)
{
	Dwarf_Die t = *type, d;

	if (depth > 8 || !type_strip(&t) || dwarf_child(&t, &d))
		return false;
	do {
		const char *n = dwarf_diename(&d);
		struct member in = {0};

		if (dwarf_tag(&d) != DW_TAG_member || !die_type(&d, &in.type))
			continue;
		if (n && strlen(n) == len && !memcmp(n, name, len)) {
			m->type = in.type;
			member_place(&d, m);
			return true;
		}
		if (!n && find_member(&in.type, name, len, &in, depth + 1)) { /* an anonymous structure or union */
			m->type = in.type;
			m->offset += in.offset + attr_word(&d, DW_AT_data_member_location, 0);
			m->bit_offset = in.bit_offset;
			m->bit_size = in.bit_size;
			return true;
		}
	} while (!dwarf_siblingof(&d, &d));
	return false;
}

/* Bounds of an array type; 0: not known. */
static unsigned array_dims(Dwarf_Die *t, u64 *dim, unsigned max)
{
	unsigned n = 0;
	Dwarf_Die d;

	if (dwarf_child(t, &d))
		return 0;
	do {
		if (dwarf_tag(&d) != DW_TAG_subrange_type || n == max)
			continue;
		dim[n] = attr_word(&d, DW_AT_count, attr_word(&d, DW_AT_upper_bound, ~0ull) + 1);
		n++;
	} while (!dwarf_siblingof(&d, &d));
	return n;
}

/* [1][2] at *path: one index for each dimension. */
static bool find_element(const char **path, struct member *m)
{
	Dwarf_Die arr = m->type;
	u64 dim[8], flat = 0;
	unsigned n;

	if (!type_strip(&arr) || dwarf_tag(&arr) != DW_TAG_array_type || !(n = array_dims(&arr, dim, 8)) ||
	    !die_type(&arr, &m->type))
		return false;
	for (unsigned k = 0; k < n; k++) {
		char *stop;
		u64 i = strtoull(*path + 1, &stop, 0);

		if (**path != '[' || *stop != ']' || (dim[k] && i >= dim[k]))
			return false;
		flat = flat * (k ? dim[k] : 0) + i;
		*path = stop + 1;
	}
	m->offset += flat * type_size(&m->type);
	return true;
}

/* path: a.b[3].c */
bool type_member(Dwarf_Die *type, const char *path, struct member *out_)
{
	*out_ = (struct member){.type = *type};
	while (*path) {
		size_t len = strcspn(path, ".[");

		if (len) {
			struct member m = {0};

			if (!find_member(&out_->type, path, len, &m, 0))
				return false;
			m.offset += out_->offset;
			*out_ = m;
			path += len;
		}
		if (*path == '[' && !find_element(&path, out_))
			return false;
		if (*path == '.')
			path++;
	}
	return true;
}

/* ---- fields ---- */

static bool is_signed(Dwarf_Die *t)
{
	u64 enc = attr_word(t, DW_AT_encoding, 0);

	return dwarf_tag(t) == DW_TAG_base_type && (enc == DW_ATE_signed || enc == DW_ATE_signed_char);
}

bool field_there(struct field *f)
{
	struct member m;
	Dwarf_Die t;

	if (f->state)
		return f->state == 1;
	f->state = 2;
	if (!type_named(f->type, &t) || !type_strip(&t) || !type_member(&t, f->path, &m))
		return false;
	f->offset = m.offset;
	f->bit_offset = m.bit_offset;
	f->bit_size = m.bit_size;
	f->size = (u32)type_size(&m.type);
	f->is_signed = type_strip(&m.type) && is_signed(&m.type);
	f->state = 1;
	return true;
}

static bool field_known(struct field *f)
{
	if (f->state != 1 && !field_there(f)) {
		static unsigned said;

		if (said++ < 20)
			warn("%s has no %s.%s: this husk-crash is of another version than the kernel", kernel_path,
			     f->type, f->path);
		return false;
	}
	return true;
}

u64 field_addr(struct field *f, u64 base)
{
	return field_known(f) ? base + f->offset : base;
}

u64 field_read(struct field *f, u64 base)
{
	u64 v = 0;

	if (!field_known(f) || f->size > 8)
		return 0;
	kread(base + f->offset, &v, f->size);
	if (f->bit_size)
		return v >> f->bit_offset & ((1ull << f->bit_size) - 1);
	if (f->is_signed && f->size < 8 && f->size)
		v = (u64)((s64)(v << (64 - 8 * f->size)) >> (64 - 8 * f->size));
	return v;
}

u64 global_addr(const char *name)
{
	const struct symbol *s = symbol_named(name);
	Dwarf_Die t;
	u64 addr;

	if (s)
		return s->addr;
	return variable_named(name, &t, &addr) ? addr : 0;
}

u64 global(const char *name)
{
	Dwarf_Die t;
	u64 addr, size, v = 0;

	if (!variable_named(name, &t, &addr)) {
		warn("%s has no variable %s: this husk-crash is of another version than the kernel", kernel_path, name);
		return 0;
	}
	size = type_size(&t);
	kread(addr, &v, size && size < 8 ? size : 8);
	return v;
}

/* ---- enumerations ---- */

const char *enum_name(const char *enum_type, u64 value)
{
	Dwarf_Die t, d;

	if (!lookup(enum_type, DW_TAG_enumeration_type, &t) || dwarf_child(&t, &d))
		return NULL;
	do
		if (dwarf_tag(&d) == DW_TAG_enumerator && attr_word(&d, DW_AT_const_value, ~0ull) == value)
			return dwarf_diename(&d);
	while (!dwarf_siblingof(&d, &d));
	return NULL;
}
