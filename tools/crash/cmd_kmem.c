// SPDX-License-Identifier: Apache-2.0
// kmem: what RAM is used for, object caches, page structures, what an address belongs to.

#include <stdlib.h>
#include <string.h>
#include "crash.h"
#include "pages.h"

/* ---- -i ---- */

static void info_line(const char *key, const char *name, u64 pages, u64 total)
{
	obj(NULL);
	f_str("name", "%12s", name);
	f_uint("pages", "  %9llu", pages);
	f_uint("kb", "  %10llu kB", 4 * pages);
	text("  %3llu%% of TOTAL MEM\n", (unsigned long long)(total ? 100 * pages / total : 0));
	end();
}

struct use {
	u64 count[MAX_PAGE_TYPES], free;
};

static void count_pages(u64 pfn, u64 n, int type, void *arg)
{
	struct use *u = arg;

	if (type < 0)
		u->free += n;
	else
		u->count[type] += n;
}

static int kmem_info(void)
{
	u64 total = global("totalram_pages"), known = 0;
	struct use u = {0};
	struct pages p;

	if (pages_open(&p))
		return -1;
	pages_each(&p, count_pages, &u);
	/* beyond highest_pfn nothing was ever handed out */
	text("                  PAGES         TOTAL    PERCENTAGE\n");
	list("use");
	info_line("total", "TOTAL MEM", total, total);
	for (u64 i = 0; i < MAX_PAGE_TYPES; i++)
		known += i ? u.count[i] : 0;
	info_line("free", "FREE", total > known ? total - known : u.free, total);
	info_line("used", "USED", known, total);
	for (u64 i = 1; i < MAX_PAGE_TYPES; i++) {
		const char *name = enum_name("page_type", i);

		if (name)
			info_line(name, !strncmp(name, "PGT_", 4) ? name + 4 : name, u.count[i], total);
	}
	end();
	list("counters");
	for (u64 i = 0; enum_name("vm_stat_item", i) && strcmp(enum_name("vm_stat_item", i), "NR_VM_STAT"); i++) {
		obj(NULL);
		f_str("name", "%20s", enum_name("vm_stat_item", i));
		f_int("value", "  %lld\n", (s64)kread_u64(global_addr("vm_stat") + 8 * i));
		end();
	}
	end();
	pages_close(&p);
	return 0;
}

/* ---- -s ---- */

struct cache {
	u64 addr, objsize, objs, inuse, slabs, order, cached;
	char name[64];
};

static void read_cache(u64 addr, struct cache *c)
{
	u64 mag = FIELD_ADDR(addr, kmem_cache, mag), size = struct_size("struct magazine");
	u64 shards = size ? (struct_size("struct kmem_cache") - FIELD_OFFSET(kmem_cache, mag)) / size : 0;

	*c = (struct cache){.addr = addr,
			    .objsize = FIELD(addr, kmem_cache, objsize),
			    .objs = FIELD(addr, kmem_cache, objs),
			    .inuse = FIELD(addr, kmem_cache, nr_inuse),
			    .slabs = FIELD(addr, kmem_cache, nr_slabs),
			    .order = FIELD(addr, kmem_cache, order)};
	for (u64 i = 0; i < shards && i < 64; i++) /* freed objects that wait in magazines */
		c->cached += FIELD(mag + i * size, magazine, n);
	kstring(FIELD(addr, kmem_cache, name), c->name, sizeof(c->name));
}

static void cache_line(const struct cache *c)
{
	obj(NULL);
	f_hex("cache", "%12llx", c->addr);
	f_uint("objsize", "  %8llu", c->objsize);
	f_uint("allocated", "  %9llu", c->inuse > c->cached ? c->inuse - c->cached : 0);
	f_uint("total", "  %8llu", c->slabs * c->objs);
	f_uint("slabs", "  %6llu", c->slabs);
	f_uint("slab_kb", "  %4lluk", c->order < 32 ? 4ull << c->order : 0);
	f_str("name", "  %s\n", c->name);
	end();
}

static int kmem_slabs(const char *only)
{
	u64 head = global_addr("slab_caches");
	bool found = false;
	struct walk w;

	if (!head) {
		complain("the kernel has no list of object caches");
		return -1;
	}
	text("   CACHE       OBJSIZE  ALLOCATED     TOTAL   SLABS  SSIZE  NAME\n");
	list("caches");
	for_each_entry(&w, head, kmem_cache, list, "object caches")
	{
		struct cache c;

		read_cache(w.entry, &c);
		if (only && strcmp(only, c.name))
			continue;
		cache_line(&c);
		found = true;
	}
	end();
	if (!found)
		complain("there is no object cache %s", only ?: "");
	return found ? 0 : -1;
}

/* ---- -f ---- */

static int kmem_free(void)
{
	u64 zone = global_addr("zone");
	struct member nr;
	Dwarf_Die t;
	u64 addr;
	static const char *const kind[2] = {"dirty", "zero"};

	if (!zone || !variable_named("zone", &t, &addr) || !type_member(&t, "nr", &nr)) {
		complain("the page allocator's lists are not those that this husk-crash knows");
		return -1;
	}
	text("KIND   ORDER    BLOCKS      PAGES\n");
	list("free");
	for (unsigned k = 0; k < 2; k++) {
		u64 orders = type_size(&nr.type) / 8 / 2;

		for (u64 o = 0; o < orders && o < 32; o++) {
			u64 n = kread_u64(addr + nr.offset + (k * orders + o) * 8);

			obj(NULL);
			f_str("kind", "%-5s", kind[k]);
			f_uint("order", "  %5llu", o);
			f_uint("blocks", "  %8llu", n);
			f_uint("pages", "  %9llu\n", n << o);
			end();
		}
	}
	end();
	return 0;
}

/* ---- -p, ADDRESS ---- */

static void page_line(struct pages *p, u64 pfn)
{
	const u8 *b = page_bytes(p, pfn);
	u64 flags, type;
	const char *type_;

	if (!b)
		return;
	flags = page_part(b, FIELD_OFFSET(page, flags), 4);
	type = page_part(b, FIELD_OFFSET(page, type), 1);
	type_ = enum_name("page_type", type);
	obj(NULL);
	f_hex("page", "%12llx", page_struct(p, pfn));
	f_hex("physical", "  %10llx", pfn * PAGE_SIZE);
	f_hex("mapping", "  %12llx", page_part(b, FIELD_OFFSET(page, mapping), 8));
	f_uint("index", "  %8llu", page_part(b, FIELD_OFFSET(page, index), 8));
	f_int("refs", "  %4lld", (s64)(int)page_part(b, FIELD_OFFSET(page, _refcount), 4));
	f_str("type", "  %-6s", type_ ? type_ + (!strncmp(type_, "PGT_", 4) ? 4 : 0) : "?");
	f_hex("flags", "  %llx", flags);
	list("flag_names");
	for (int i = 0; i < MAX_PAGE_FLAGS; i++) {
		const char *n = flags >> i & 1 ? enum_name("page_flags", (u64)i) : NULL;

		if (n)
			f_str(NULL, " %s", n + (!strncmp(n, "PG_", 3) ? 3 : 0));
	}
	end();
	text("\n");
	end();
}

static int kmem_pages(const char *at)
{
	struct pages p;
	u64 addr, phys;

	if (pages_open(&p))
		return -1;
	text("    PAGE         PHYSICAL      MAPPING        INDEX  REFS  TYPE    FLAGS\n");
	list("pages");
	if (at) {
		if (!parse_address(at, &addr)) {
			end();
			return -1;
		}
		if (addr >= p.map && addr < p.map + p.max * p.size)
			phys = (addr - p.map) / p.size * PAGE_SIZE;
		else if (kernel_phys(addr, &phys))
			phys = addr;
		if (phys / PAGE_SIZE >= p.max) {
			end();
			complain("%s is no page of RAM", at);
			return -1;
		}
		page_line(&p, phys / PAGE_SIZE);
	} else {
		for (u64 pfn = 0; pfn <= p.highest && !interrupted; pfn++)
			page_line(&p, pfn);
	}
	end();
	pages_close(&p);
	return 0;
}

static bool is_free_object(u64 page, u64 object)
{
	struct bound b = {.what = "free objects of a slab"};

	for (u64 o = FIELD(page, page, freelist); o && bound_step(&b, o); o = kread_u64(o))
		if (o == object)
			return true;
	return false;
}

static void owner_slab(u64 page, u64 addr, u64 phys)
{
	u64 head = FIELD(page, page, mapping), cache = FIELD(page, page, slab_cache), size, base, n;
	u64 map = global("mem_map");
	struct cache c;

	if (!is_kernel_address(cache) || head < map)
		return;
	read_cache(cache, &c);
	size = FIELD(cache, kmem_cache, size);
	base = kernel_layout.direct_map + (head - map) / struct_size("struct page") * PAGE_SIZE;
	if (!size || addr < kernel_layout.direct_map)
		return;
	n = (kernel_layout.direct_map + phys - base) / size;
	f_str("cache", "object of the cache \"%s\"", c.name);
	f_hex("object", ": %llx", base + n * size);
	f_uint("offset", " + %llu", kernel_layout.direct_map + phys - base - n * size);
	if (n >= FIELD(head, page, frozen) || is_free_object(head, base + n * size))
		f_str("allocated", " (%s)", "free");
	text("\n");
}

static int kmem_owner(const char *at)
{
	struct pages p;
	u64 addr, phys, page;
	const char *type;
	char sym[MAX_NAME];
	const u8 *b;

	if (!parse_address(at, &addr))
		return -1;
	f_hex("address", "%llx: ", addr);
	if (symbol_at(addr, NULL)) {
		f_str("symbol", "%s\n", symbolise(addr, sym, sizeof(sym)));
		return 0;
	}
	if (kernel_phys(addr, &phys) || pages_open(&p))
		return complain("it is no address of the kernel's memory"), -1;
	for (size_t i = 0; i < ntasks; i++) {
		if (tasks[i].ti && (tasks[i].ti & ~0x7fffull) == (addr & ~0x7fffull)) {
			text("kernel stack of ");
			task_header(&tasks[i]);
			task_members(&tasks[i]);
			return 0;
		}
	}
	page = page_struct(&p, phys / PAGE_SIZE);
	b = page_bytes(&p, phys / PAGE_SIZE);
	type = b ? enum_name("page_type", page_part(b, FIELD_OFFSET(page, type), 1)) : NULL;
	f_str("type", "page of type %s, ", type ?: "unknown");
	f_hex("page", "struct page %llx\n", page);
	if (type && !strcmp(type, "PGT_SLAB"))
		owner_slab(page, addr, phys);
	pages_close(&p);
	return 0;
}

int cmd_kmem(int argc, char **argv)
{
	if (argc < 2)
		return usage("kmem");
	if (!strcmp(argv[1], "-i"))
		return kmem_info();
	if (!strcmp(argv[1], "-f"))
		return kmem_free();
	if (!strcmp(argv[1], "-s"))
		return kmem_slabs(argc > 2 ? argv[2] : NULL);
	if (!strcmp(argv[1], "-p"))
		return kmem_pages(argc > 2 ? argv[2] : NULL);
	return *argv[1] == '-' ? usage("kmem") : kmem_owner(argv[1]);
}
