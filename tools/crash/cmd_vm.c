// SPDX-License-Identifier: Apache-2.0
// vm: a task's address space, its areas and pages.

#include <stdlib.h>
#include <string.h>
#include "crash.h"

static void area_flags(u64 flags, char *s)
{
	sprintf(s, "%c%c%c%c", flags & 1 ? 'r' : '-', flags & 2 ? 'w' : '-', flags & 4 ? 'x' : '-',
		flags & 0x80 ? 's' : 'p');
}

static void show_pages(u64 mm, const struct vma *v)
{
	list("pages");
	for (u64 a = v->start; a < v->end && !interrupted; a += PAGE_SIZE) {
		u64 phys, pte;

		if (!user_phys(mm, a, &phys, &pte)) {
			/* nothing for the rest of a 2 MiB piece: its table is missing */
			if (!pte && a % (1 << 21) == 0 && v->end - a > 1 << 21)
				a += (1 << 21) - PAGE_SIZE;
			continue;
		}
		obj(NULL);
		f_hex("virtual", "        %12llx", a);
		f_hex("physical", "  %12llx", phys & ~(PAGE_SIZE - 1));
		f_hex("pte", NULL, pte);
		text("  %c%c%c\n", pte & 2 ? 'W' : '-', pte & 4 ? 'X' : '-', pte & 0x40 ? 'A' : pte & 0x80 ? 'F' : '-');
		end();
	}
	end();
}

static void show_area(u64 mm, const struct vma *v, bool pages)
{
	char flags[8], name[MAX_PATH] = "";

	area_flags(v->flags, flags);
	if (v->file)
		file_name(v->file, name, sizeof(name));
	obj(NULL);
	f_hex("vma", "%12llx", v->addr);
	f_hex("start", "  %12llx", v->start);
	f_hex("end", "  %12llx", v->end);
	f_hex("flags", "  %8llx", v->flags);
	f_str("rights", " %s", flags);
	f_uint("pgoff", NULL, v->pgoff);
	f_str("file", " %s\n", v->file ? name : vma_purpose(mm, v));
	if (pages)
		show_pages(mm, v);
	end();
}

static void show_vm(const struct task *t, bool pages)
{
	struct vma *v;
	size_t n;

	task_header(t);
	obj(NULL);
	task_members(t);
	if (!t->mm) {
		text("    (no address space)\n");
		end();
		return;
	}
	text("     MM              PGD          RSS    TOTAL_VM\n");
	f_hex("mm", "%12llx", t->mm);
	f_hex("pgd", "   %12llx", FIELD(t->mm, mm_struct, pgd));
	f_uint("rss_kb", "  %7lluk",
	       4 * (FIELD(t->mm, mm_struct, rss_anon.counter) + FIELD(t->mm, mm_struct, rss_file.counter) +
		    FIELD(t->mm, mm_struct, rss_shmem.counter)));
	f_uint("total_vm_kb", "  %8lluk\n", 4 * FIELD(t->mm, mm_struct, total_vm));
	text("    VMA           START           END          FLAGS RIGHTS FILE\n");
	n = vmas_load(t->mm, &v);
	list("areas");
	for (size_t i = 0; i < n && !interrupted; i++)
		show_area(t->mm, &v[i], pages);
	end();
	if (n != FIELD(t->mm, mm_struct, map_count) && !live)
		warn("the address space says that it has %llu areas; %zu are on its list",
		     (unsigned long long)FIELD(t->mm, mm_struct, map_count), n);
	free(v);
	end();
}

int cmd_vm(int argc, char **argv)
{
	bool pages = false, any = false;
	int r = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-p"))
			pages = true;
		else if (*argv[i] == '-')
			return usage("vm");
	}
	list("tasks");
	for (int i = 1; i < argc && !r; i++) {
		struct task *t;

		if (*argv[i] == '-')
			continue;
		t = task_arg(argv[i]);
		if (t)
			show_vm(t, pages);
		r = t ? 0 : -1;
		any = true;
	}
	if (!any && current)
		show_vm(current, pages);
	end();
	return r;
}
