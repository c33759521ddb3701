// SPDX-License-Identifier: Apache-2.0
// search: values and text in memory. foreach: a command for many tasks.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pages.h"

#define MAX_VALUES 32
#define MAX_HITS 100000

struct search {
	u64 value[MAX_VALUES];
	unsigned nvalues;
	u64 mask;
	const char *string;
	unsigned long hits;
	bool user, physical;
	u64 bias; /* user: address of the page being searched, less its physical one */
};

static void hit(struct search *s, u64 phys, u64 value)
{
	u64 addr = s->physical ? phys : s->user ? phys + s->bias : phys + kernel_layout.direct_map;
	u64 image = phys - kernel_layout.image_phys + kernel_layout.image;
	char sym[MAX_NAME];

	if (!s->physical && !s->user && image >= kernel_layout.image && image < kernel_layout.image_end)
		addr = image;
	s->hits++;
	obj(NULL);
	f_hex("address", "%llx: ", addr);
	if (s->string)
		f_str("text", "%s", s->string);
	else
		f_hex("value", "%llx", value);
	if (symbol_at(addr, NULL))
		f_str("symbol", " <%s>", symbolise(addr, sym, sizeof(sym)));
	text("\n");
	end();
}

static void search_page(struct search *s, u64 phys, const u8 *p, size_t n)
{
	size_t len = s->string ? strlen(s->string) : 0;

	for (const u8 *at = p; s->string && (at = memmem(at, n - (size_t)(at - p), s->string, len)); at++)
		hit(s, phys + (u64)(at - p), 0);
	for (size_t i = 0; !s->string && i + 8 <= n; i += 8) {
		u64 v;

		memcpy(&v, p + i, 8);
		for (unsigned k = 0; k < s->nvalues; k++)
			if ((v | s->mask) == (s->value[k] | s->mask))
				hit(s, phys + i, v);
	}
}

/* The first byte at or after phys that is in the dump, or not a hole of live RAM; ~0: none. */
static u64 next_data(u64 phys)
{
	off_t o;

	if (live) {
		o = lseek(core.fd, (off_t)phys, SEEK_DATA);
		return o < 0 ? ~0ull : (u64)o;
	}
	for (size_t i = core_segment_near(phys); i < core.nseg; i++) {
		const struct core_segment *g = &core.seg[i];

		if (g->kind == SEGMENT_BYTES && g->phys + g->size > phys)
			return g->phys > phys ? g->phys : phys;
	}
	return ~0ull;
}

/* Page types that are not the kernel's; where the page array cannot be read, all of RAM is. */
struct owner {
	struct pages p;
	bool known, theirs[MAX_PAGE_TYPES];
	u64 offset;
};

static void owner_open(struct owner *o)
{
	static const char *const names[] = {"PGT_ANON", "PGT_CACHE", "PGT_TEXT", "PGT_FREE"};

	*o = (struct owner){.offset = FIELD_OFFSET(page, type)};
	o->known = !pages_open(&o->p);
	for (u64 t = 0; t < MAX_PAGE_TYPES; t++)
		for (unsigned i = 0; enum_name("page_type", t) && i < sizeof(names) / sizeof(*names); i++)
			o->theirs[t] |= !strcmp(enum_name("page_type", t), names[i]);
}

static bool kernels_page(struct owner *o, u64 phys)
{
	u64 pfn = phys / PAGE_SIZE, type;
	const u8 *b;

	if (!o->known || pfn < o->p.lowest || pfn >= o->p.max || !(b = page_bytes(&o->p, pfn)))
		return true;
	type = page_part(b, o->offset, 1);
	return type >= MAX_PAGE_TYPES || !o->theirs[type];
}

static void search_ram(struct search *s)
{
	struct owner o = {0};
	u8 page[PAGE_SIZE];

	if (!s->physical)
		owner_open(&o);
	for (u64 phys = next_data(0); phys != ~0ull && !interrupted && s->hits < MAX_HITS; phys = next_data(phys)) {
		phys &= ~(PAGE_SIZE - 1);
		if ((s->physical || kernels_page(&o, phys)) && core_read_phys(phys, page, sizeof(page)) == READ_OK)
			search_page(s, phys, page, sizeof(page));
		phys += PAGE_SIZE;
	}
	pages_close(&o.p);
}

static void search_user(struct search *s, u64 mm)
{
	struct vma *v;
	size_t n = vmas_load(mm, &v);
	u8 page[PAGE_SIZE];

	for (size_t i = 0; i < n; i++) {
		for (u64 a = v[i].start; a < v[i].end && !interrupted && s->hits < MAX_HITS; a += PAGE_SIZE) {
			u64 phys, pte;

			if (!user_phys(mm, a, &phys, &pte)) {
				if (!pte && a % (1 << 21) == 0 && v[i].end - a > 1 << 21)
					a += (1 << 21) - PAGE_SIZE;
				continue;
			}
			s->bias = a - phys;
			if (core_read_phys(phys, page, sizeof(page)) == READ_OK)
				search_page(s, phys, page, sizeof(page));
		}
	}
	free(v);
}

int cmd_search(int argc, char **argv)
{
	struct search s = {0};

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-k"))
			continue;
		if (!strcmp(argv[i], "-u"))
			s.user = true;
		else if (!strcmp(argv[i], "-p"))
			s.physical = true;
		else if (!strcmp(argv[i], "-m") && i + 1 < argc && parse_address(argv[i + 1], &s.mask))
			i++;
		else if (!strcmp(argv[i], "-c") && i + 1 < argc)
			s.string = argv[++i];
		else if (*argv[i] == '-' || s.nvalues == MAX_VALUES)
			return usage("search");
		else if (!parse_address(argv[i], &s.value[s.nvalues++]))
			return -1;
	}
	if ((!s.nvalues && !s.string) || (s.string && !*s.string))
		return usage("search");
	if (s.user && (!current || !current->mm)) {
		complain("the current task has no address space; \"set PID\" chooses another");
		return -1;
	}
	list("hits");
	if (s.user)
		search_user(&s, current->mm);
	else
		search_ram(&s);
	end();
	if (s.hits >= MAX_HITS)
		warn("more than %d places; the rest is not shown", MAX_HITS);
	return 0;
}

/* ---- foreach ---- */

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	bool takes_task;
} each[] = {{"bt", cmd_bt, true},   {"vm", cmd_vm, true}, {"files", cmd_files, true}, {"task", cmd_task, true},
	    {"sig", cmd_sig, true}, {"ps", cmd_ps, true}, {"set", cmd_set, true}};

static int find_each(const char *name)
{
	for (unsigned i = 0; i < sizeof(each) / sizeof(*each); i++)
		if (!strcmp(each[i].name, name))
			return (int)i;
	return -1;
}

static bool selected(const struct task *t, int n, char **which)
{
	bool any = false, match = false;

	for (int i = 0; i < n; i++) {
		const char *w = which[i];
		char pid[32];

		snprintf(pid, sizeof(pid), "%lld", (long long)t->pid);
		any = true;
		if (!strcmp(w, "kernel"))
			match |= t->flags & PF_KTHREAD || !t->pid;
		else if (!strcmp(w, "user"))
			match |= !(t->flags & PF_KTHREAD) && t->pid;
		else if (!strcmp(w, "active"))
			match |= t->pid && !strcmp(task_state(t), "RU");
		else if (!strcmp(w, "gleader"))
			match |= t->leader;
		else
			match |= !strcmp(*w == '\\' ? w + 1 : w, t->comm) || !strcmp(w, pid) ||
				 !strcmp(w, task_state(t));
	}
	return match || !any;
}

int cmd_foreach(int argc, char **argv)
{
	struct task *was = current;
	char pid[32], *args[66];
	int at = 1, command = -1, n, r = 0;

	while (at < argc && (command = find_each(argv[at])) < 0)
		at++;
	if (command < 0) {
		complain("foreach: which command? bt, vm, files, task, sig, ps and set can be had");
		return -1;
	}
	list("results");
	for (size_t i = 0; i < ntasks && !interrupted; i++) {
		if (!selected(&tasks[i], at - 1, argv + 1))
			continue;
		n = 0;
		args[n++] = argv[at];
		snprintf(pid, sizeof(pid), "%lld", (long long)tasks[i].pid);
		args[n++] = pid;
		for (int k = at + 1; k < argc && n < 64; k++)
			args[n++] = argv[k];
		args[n] = NULL;
		obj(NULL);
		r |= each[command].fn(n, args);
		text("\n");
		end();
	}
	end();
	current = was;
	return r;
}
