// SPDX-License-Identifier: Apache-2.0
// Loadable modules: where they lie, their symbols, and the command mod.

#include <stdlib.h>
#include <string.h>
#include "crash.h"

/**
 * DOC: modules
 *
 * Modules lie in a window of addresses of their own, which is one block of RAM; the kernel's variable module_window is that block's
 * address in the direct map. Symbols come from the tables that the loader keeps for kallsyms, with what RAM says bounded by the window's size.
 */
#define MODULE_BASE 0x700040000000ull /* include/husk/module.h */
#define MODULE_TEXT_SIZE (4ull << 20)
#define MODULE_WINDOW_SIZE (8ull << 20)
#define NREGIONS 3
#define MAX_MODULES 4096

struct module {
	u64 addr, base[NREGIONS], size[NREGIONS];
	char name[64];
	struct symbol *symbols;
	size_t nsymbols;
};
static struct module *modules;
static size_t nmodules;
static bool loaded;

/* Where an address in the window lies in RAM. */
bool module_phys(u64 addr, u64 *phys)
{
	static u64 window;
	const struct symbol *s;

	if (addr - MODULE_BASE >= MODULE_WINDOW_SIZE)
		return false;
	if (!window && (s = symbol_named("module_window")))
		kread_quiet(s->addr, &window, sizeof(window));
	if (window < kernel_layout.direct_map)
		return false;
	*phys = window - kernel_layout.direct_map + (addr - MODULE_BASE);
	return true;
}

static void forget(void)
{
	for (size_t i = 0; i < nmodules; i++) {
		for (size_t k = 0; k < modules[i].nsymbols; k++)
			free((char *)modules[i].symbols[k].name);
		free(modules[i].symbols);
	}
	free(modules);
	modules = NULL;
	nmodules = 0;
}

static u64 region_end(const struct module *m, u64 addr)
{
	for (int k = 0; k < NREGIONS; k++)
		if (addr - m->base[k] < m->size[k])
			return m->base[k] + m->size[k];
	return addr;
}

/* "name [module]", with the size up to the next symbol. */
static void load_symbols(struct module *m)
{
	u64 n = FIELD(m->addr, module, nsymbols), at = FIELD(m->addr, module, symbols),
	    strtab = FIELD(m->addr, module, strtab);
	u64 size = struct_size("struct module_symbol");
	char name[128], *full;

	if (!size || n > MODULE_WINDOW_SIZE / size || !(m->symbols = calloc(n ? n : 1, sizeof(*m->symbols))))
		return;
	for (u64 i = 0; i < n; i++, at += size) {
		struct symbol *s = &m->symbols[m->nsymbols];

		if (!kstring(strtab + FIELD(at, module_symbol, name), name, sizeof(name)) ||
		    asprintf(&full, "%s [%s]", name, m->name) < 0)
			break;
		*s = (struct symbol){FIELD(at, module_symbol, addr), 0, full, (char)FIELD(at, module_symbol, type)};
		if (m->nsymbols++)
			s[-1].size = (s->addr < region_end(m, s[-1].addr) ? s->addr : region_end(m, s[-1].addr)) -
				     s[-1].addr;
		s->size = region_end(m, s->addr) - s->addr;
	}
}

static void load(void)
{
	const struct symbol *head;
	struct walk w;
	u64 region;

	if (!kernel_dwarf || core.fd < 0) /* no memory yet */
		return;
	forget();
	loaded = true; /* before any look-up that would come here again */
	head = symbol_named("modules");
	region = head ? struct_size("struct module_region") : 0;
	if (!region)
		return;
	for_each_entry(&w, head->addr, module, list, "modules")
	{
		struct module *m, *bigger = realloc(modules, (nmodules + 1) * sizeof(*modules));

		if (!bigger || nmodules == MAX_MODULES)
			break;
		modules = bigger;
		m = &modules[nmodules++];
		*m = (struct module){.addr = w.entry};
		kstring(FIELD_ADDR(w.entry, module, name), m->name, sizeof(m->name));
		for (int k = 0; k < NREGIONS; k++) {
			u64 r = FIELD_ADDR(w.entry, module, region) + k * region;

			m->base[k] = FIELD(r, module_region, base);
			m->size[k] = FIELD(r, module_region, size) & 0xffffffff;
		}
		load_symbols(m);
	}
}

static const struct module *module_at(u64 addr)
{
	if (addr - MODULE_BASE >= MODULE_WINDOW_SIZE)
		return NULL;
	if (!loaded)
		load();
	for (size_t i = 0; i < nmodules; i++)
		for (int k = 0; k < NREGIONS; k++)
			if (addr - modules[i].base[k] < modules[i].size[k])
				return &modules[i];
	return NULL;
}

const struct symbol *module_symbol_at(u64 addr, u64 *offset)
{
	const struct module *m = module_at(addr);

	for (size_t i = 0; m && i < m->nsymbols; i++) {
		if (addr - m->symbols[i].addr >= m->symbols[i].size)
			continue;
		if (offset)
			*offset = addr - m->symbols[i].addr;
		return &m->symbols[i];
	}
	return NULL;
}

const struct symbol *module_symbol_named(const char *name)
{
	size_t n = strlen(name);

	if (!loaded)
		load();
	for (size_t i = 0; i < nmodules; i++)
		for (size_t k = 0; k < modules[i].nsymbols; k++)
			if (!strncmp(modules[i].symbols[k].name, name, n) && modules[i].symbols[k].name[n] == ' ')
				return &modules[i].symbols[k];
	return NULL;
}

bool is_module_text(u64 addr)
{
	return addr - MODULE_BASE < MODULE_TEXT_SIZE && module_at(addr);
}

/* what was read of a running kernel is old */
void modules_forget(void)
{
	forget();
	loaded = false;
}

int cmd_mod(int argc, char **argv)
{
	static const char *const kinds[] = {"text", "constants", "data"};

	if (argc > 1)
		return usage("mod");
	load();
	if (nmodules)
		text("MODULE        NAME                      TEXT    SIZE  REFS  STATE\n");
	list("modules");
	for (size_t i = 0; i < nmodules; i++) {
		const struct module *m = &modules[i];
		const char *state = enum_name("module_state", FIELD(m->addr, module, state));
		s64 refs = (int)FIELD(m->addr, module, refcnt.counter);
		u64 size = m->size[0] + m->size[1] + m->size[2];

		obj(NULL);
		f_hex("module", "%12llx", m->addr);
		f_str("name", "  %-20s", m->name);
		f_hex("base", "  %12llx", m->base[0]);
		f_uint("size", "  %6llu", size);
		f_int("references", "  %4lld", refs > 0 ? refs - 1 : 0);
		f_str("state", "  %s\n", state ? state + sizeof("MODULE_STATE_") - 1 : "damaged");
		if (out_json)
			for (int k = 1; k < NREGIONS; k++)
				f_hex(kinds[k], "", m->base[k]);
		end();
	}
	end();
	text("%s", nmodules ? "" : "no modules\n");
	return 0;
}
