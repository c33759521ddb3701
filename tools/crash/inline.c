// SPDX-License-Identifier: Apache-2.0
// Functions of the kernel that the compiler put into others: which ones an address is in.

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

static u64 word(Dwarf_Die *d, unsigned attr)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	return dwarf_attr(d, attr, &a) && !dwarf_formudata(&a, &v) ? v : 0;
}

/* The name within the source tree of the file that call_file numbers. */
static const char *call_file(Dwarf_Die *cu, u64 number)
{
	Dwarf_Attribute a;
	Dwarf_Files *files;
	const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &a)), *file;
	size_t n;

	if (dwarf_getsrcfiles(cu, &files, &n) || number >= n || !(file = dwarf_filesrc(files, number, NULL, NULL)))
		return NULL;
	if (dir && !strncmp(file, dir, strlen(dir)) && file[strlen(dir)] == '/')
		file += strlen(dir) + 1;
	return file;
}

/**
 * inlined_at - the inlined functions that addr lies in, innermost first
 *
 * Each with the place that it was called from.
 */
size_t inlined_at(u64 addr, struct inlined *in, size_t max)
{
	Dwarf_Die cu, *scope;
	size_t found = 0;
	int n;

	if (!kernel_dwarf || !dwarf_addrdie(kernel_dwarf, addr, &cu))
		return 0;
	n = dwarf_getscopes(&cu, addr, &scope);
	for (int i = 0; i < n && found < max; i++) {
		const char *name, *file;

		if (dwarf_tag(&scope[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scope[i]) != DW_TAG_inlined_subroutine || !(name = dwarf_diename(&scope[i])))
			continue;
		file = call_file(&cu, word(&scope[i], DW_AT_call_file));
		snprintf(in[found].name, sizeof(in[found].name), "%s", name);
		snprintf(in[found].called_at, sizeof(in[found].called_at), "%s:%llu", file ?: "?",
			 (unsigned long long)word(&scope[i], DW_AT_call_line));
		found++;
	}
	if (n > 0)
		free(scope);
	return found;
}
