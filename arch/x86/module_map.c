// SPDX-License-Identifier: Apache-2.0
// The window that modules lie in: reserved and mapped at boot, in the first host process, so that every later one inherits it.

#include <husk/mm.h>
#include <husk/moduleloader.h>
#include <hostif/hostif.h>
#include <linux/mman.h>
#include "arch.h"
#include "hostcall.h"
#include "scan.h"

char *module_window;
u64 (*module_extable)(u64 ip);

static void map_part(unsigned long addr, size_t len, int prot, u64 phys)
{
	long r = host_mmap(addr, len, prot, MAP_SHARED | MAP_FIXED, HOSTIF_RAM_FD, phys);

	if (!(r < 0 && r > -4096) && platform_has_keys)
		r = host_pkey_mprotect(addr, len, prot, 1);
	if (r < 0 && r > -4096)
		panic("mapping the room for modules: %ld", r);
}

/**
 * module_window_init - reserve and map the room for modules, if they are allowed
 * In each process the window has the kernel's key, and each part of it the protection it keeps: text R-X, constants R--, data RW-.
 * The kernel writes all of it through the direct map.
 */
void module_window_init(void)
{
	unsigned int order = 0;
	struct page *p;
	u64 phys;

	if (!(boot->flags & HOSTIF_B_ALLOW_MODULES))
		return;
	while ((PAGE_SIZE << order) < MODULE_WINDOW_SIZE)
		order++;
	p = alloc_pages(GFP_KERNEL | __GFP_NOWARN, order);
	if (!p) {
		pr_err("modules: no room: --allow-modules takes %lu MiB of memory in one piece; use a larger --memory",
		       MODULE_WINDOW_SIZE >> 20);
		return;
	}
	phys = (u64)page_to_pfn(p) << PAGE_SHIFT;
	map_part(MODULE_BASE, MODULE_TEXT_SIZE, PROT_READ | PROT_EXEC, phys);
	map_part(MODULE_BASE + MODULE_TEXT_SIZE, MODULE_RODATA_SIZE, PROT_READ, phys + MODULE_TEXT_SIZE);
	map_part(MODULE_BASE + MODULE_TEXT_SIZE + MODULE_RODATA_SIZE, MODULE_DATA_SIZE, PROT_READ | PROT_WRITE,
		 phys + MODULE_TEXT_SIZE + MODULE_RODATA_SIZE);
	module_window = phys_to_virt(phys);
}

/**
 * arch_module_check_text - a protection key does not keep user code from jumping into kernel text, so none of it may change keys
 * Return: 0, or -ENOEXEC where the bytes of such an instruction stand anywhere, as one or by accident.
 */
int arch_module_check_text(const struct module *m)
{
	const struct module_region *r = &m->region[MODULE_TEXT];
	size_t at = 0;

	if (!r->base || scan_text(module_alias(r->base), r->size, &at) == FORBIDDEN_NONE)
		return 0;
	pr_err("module %s: byte 0x%zx of its text begins an instruction that changes protection keys or the GS base; "
	       "write it otherwise",
	       m->name, at);
	return -ENOEXEC;
}

/* New text may lie where other text lay: no processor must run what it fetched before. */
void arch_module_text_written(void)
{
	serialize_core();
	host_membarrier_sync_core();
}
