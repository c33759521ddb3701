// SPDX-License-Identifier: Apache-2.0
// Names of kernel addresses and addresses of names, from the table that scripts/gen-kallsyms puts into the image.

#include <husk/kernel.h>
#include <husk/init.h>
#include <husk/kallsyms.h>
#include <husk/module.h>

/**
 * DOC: the table
 *
 * Symbols are numbered twice: by address and by name. Offsets from _stext stand in address order; names stand in name order, in blocks of
 * KALLSYMS_BLOCK. A name is what it shares with the one before it (a count), and a tail of tokens: bytes below 128 are
 * themselves, others strings of kallsyms_data_tokens. Two arrays of 16-bit numbers lead from one order to the other. Everything is
 * read-only and position-independent of the data, so a reader needs no lock and no memory: an oops can use it.
 */
#define KALLSYMS_BLOCK 16

extern const u32 kallsyms_data[2]; /* number of symbols, bytes of names */
extern const u32 kallsyms_data_offsets[], kallsyms_data_blocks[];
extern const u16 kallsyms_data_name_of[], kallsyms_data_addr_of[], kallsyms_data_token_index[];
extern const u8 kallsyms_data_tokens[], kallsyms_data_types[], kallsyms_data_names[];
extern char _stext[], _etext[], _end[];

unsigned long kallsyms_count(void)
{
	return kallsyms_data[0];
}

/* Decode the record at *r over the name before it in buf. Return: the next record. */
static const u8 *next_name(const u8 *r, char *buf)
{
	size_t n = *r++, left = *r++;

	for (; left; left--, r++) {
		const u8 *t = r;
		size_t len = 1;

		if (*r >= 128) {
			const u16 *ix = &kallsyms_data_token_index[*r - 128];

			t = kallsyms_data_tokens + ix[0];
			len = ix[1] - ix[0];
		}
		for (; len && n < KSYM_NAME_LEN - 1; len--)
			buf[n++] = *t++;
	}
	buf[n] = 0;
	return r;
}

static void name_at(unsigned nr, char *buf)
{
	const u8 *r = kallsyms_data_names + kallsyms_data_blocks[nr / KALLSYMS_BLOCK];

	for (unsigned i = nr % KALLSYMS_BLOCK;; i--) {
		r = next_name(r, buf);
		if (!i)
			break;
	}
}

/**
 * kallsyms_get - the image's symbol number @nr in address order
 * @name: KSYM_NAME_LEN bytes. Return: false when there is none.
 */
bool kallsyms_get(unsigned long nr, unsigned long *addr, char *type, char *name)
{
	if (nr >= kallsyms_data[0])
		return false;
	*addr = (unsigned long)_stext + kallsyms_data_offsets[nr];
	*type = (char)kallsyms_data_types[nr];
	name_at(kallsyms_data_name_of[nr], name);
	return true;
}

/* The number of the first symbol at the highest address that is not above off; there is one, _stext being at 0. */
static unsigned symbol_at(u32 off)
{
	unsigned lo = 0, hi = kallsyms_data[0];

	while (hi - lo > 1) {
		unsigned mid = (lo + hi) / 2;

		if (kallsyms_data_offsets[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	while (lo && kallsyms_data_offsets[lo - 1] == kallsyms_data_offsets[lo])
		lo--;
	return lo;
}

static u32 symbol_end(unsigned nr)
{
	u32 start = kallsyms_data_offsets[nr];

	while (++nr < kallsyms_data[0])
		if (kallsyms_data_offsets[nr] != start)
			return kallsyms_data_offsets[nr];
	return (u32)(_end - _stext);
}

const char *kallsyms_lookup(unsigned long addr, unsigned long *size, unsigned long *offset, const char **modname,
			    char *namebuf)
{
	unsigned nr;

	if (modname)
		*modname = NULL;
	namebuf[0] = 0;
	if (addr < (unsigned long)_stext || addr >= (unsigned long)_end || !kallsyms_data[0])
		return module_address_lookup(addr, size, offset, modname, namebuf);
	addr -= (unsigned long)_stext;
	nr = symbol_at(addr);
	name_at(kallsyms_data_name_of[nr], namebuf);
	if (size)
		*size = symbol_end(nr) - kallsyms_data_offsets[nr];
	if (offset)
		*offset = addr - kallsyms_data_offsets[nr];
	return namebuf;
}

/* The last block whose first name is not above name. */
static unsigned block_of(const char *name, char *buf)
{
	unsigned lo = 0, hi = DIV_ROUND_UP(kallsyms_data[0], KALLSYMS_BLOCK);

	while (hi - lo > 1) {
		unsigned mid = (lo + hi) / 2;

		next_name(kallsyms_data_names + kallsyms_data_blocks[mid], buf);
		if (strcmp(buf, name) < 0) /* of several of one name the first is wanted */
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

unsigned long kallsyms_lookup_name(const char *name)
{
	char buf[KSYM_NAME_LEN];
	const u8 *r;
	unsigned nr;
	int c = -1;

	if (kallsyms_data[0]) {
		nr = block_of(name, buf) * KALLSYMS_BLOCK;
		r = kallsyms_data_names + kallsyms_data_blocks[nr / KALLSYMS_BLOCK];
		for (; nr < kallsyms_data[0] && c < 0; nr++) {
			r = next_name(r, buf);
			c = strcmp(buf, name);
		}
		if (!c)
			return (unsigned long)_stext + kallsyms_data_offsets[kallsyms_data_addr_of[nr - 1]];
	}
	return module_kallsyms_lookup_name(name);
}

int kallsyms_on_each_symbol(int (*fn)(void *data, const char *name, char type, unsigned long addr, const char *modname),
			    void *data)
{
	char name[KSYM_NAME_LEN], type;
	unsigned long addr;
	int r = 0;

	for (unsigned long i = 0; !r && kallsyms_get(i, &addr, &type, name); i++)
		r = fn(data, name, type, addr, NULL);
	return r ?: module_kallsyms_on_each_symbol(fn, data);
}

bool kernel_text_address(unsigned long addr)
{
	return (addr >= (unsigned long)_stext && addr < (unsigned long)_etext) || is_module_text_address(addr);
}

/* back: addr is a return address. Its call may be the last instruction of its function, so the symbol is that of the byte before. */
static int print_symbol(char *buf, unsigned long addr, bool back, bool with_offset)
{
	char name[KSYM_NAME_LEN];
	unsigned long size, offset;
	const char *mod;
	int n;

	if (!kallsyms_lookup(addr - back, &size, &offset, &mod, name))
		return scnprintf(buf, KSYM_SYMBOL_LEN, "0x%lx", addr);
	n = scnprintf(buf, KSYM_SYMBOL_LEN, "%s", name);
	if (with_offset)
		n += scnprintf(buf + n, KSYM_SYMBOL_LEN - n, "+0x%lx/0x%lx", offset + back, size);
	if (mod)
		n += scnprintf(buf + n, KSYM_SYMBOL_LEN - n, " [%s]", mod);
	return n;
}

int sprint_symbol(char *buf, unsigned long addr)
{
	return print_symbol(buf, addr, false, true);
}

int sprint_symbol_no_offset(char *buf, unsigned long addr)
{
	return print_symbol(buf, addr, false, false);
}

int sprint_backtrace(char *buf, unsigned long addr)
{
	return print_symbol(buf, addr, true, true);
}

/* For vsnprintf: %pS, %ps, %pB. */
static int format_symbol(char *buf, unsigned long addr, char kind)
{
	return print_symbol(buf, addr, kind == 'B', kind != 's');
}

static int kallsyms_init(void)
{
	vsnprintf_symbol = format_symbol;
	return 0;
}
core_initcall(kallsyms_init);
