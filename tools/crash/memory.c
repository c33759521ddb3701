// SPDX-License-Identifier: Apache-2.0
// Kernel and user addresses: translation, reads that never fail silently, strings made safe to print.

#include <string.h>
#include "crash.h"

struct kernel_layout kernel_layout;
unsigned long read_faults;
u64 read_fault_addr;
int read_fault_status;

int kernel_phys(u64 addr, u64 *phys)
{
	if (addr - kernel_layout.direct_map < (core.ram_size ?: 1ull << 44))
		*phys = addr - kernel_layout.direct_map;
	else if (addr >= kernel_layout.image && addr < kernel_layout.image_end)
		*phys = addr - kernel_layout.image + kernel_layout.image_phys;
	else if (!module_phys(addr, phys))
		return -1;
	return 0;
}

bool is_kernel_address(u64 addr)
{
	u64 phys;

	return !kernel_phys(addr, &phys);
}

int kread_quiet(u64 addr, void *buf, size_t n)
{
	u64 phys, last;
	int r;

	if (!n)
		return READ_OK;
	r = addr + n < addr || kernel_phys(addr, &phys) || kernel_phys(addr + n - 1, &last) || last != phys + n - 1
		    ? READ_RANGE
		    : core_read_phys(phys, buf, n);
	if (r != READ_OK)
		memset(buf, 0, n);
	return r;
}

int kread(u64 addr, void *buf, size_t n)
{
	int r = kread_quiet(addr, buf, n);

	if (r != READ_OK && !read_faults++) {
		read_fault_addr = addr;
		read_fault_status = r;
	}
	return r;
}

u64 kread_u64(u64 addr)
{
	u64 v;

	kread(addr, &v, sizeof(v));
	return v;
}

/* Length of the UTF-8 sequence at s, or 0: not one, or a control character. */
static unsigned utf8(const unsigned char *s, size_t left)
{
	unsigned n = s[0] < 0x80		   ? 1
		     : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		     : (s[0] & 0xf0) == 0xe0	   ? 3
		     : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						   : 0;

	if (!n || n > left || s[0] < 0x20 || s[0] == 0x7f)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/**
 * printable - copy text of the guest's making so that a terminal and JSON take it
 *
 * What is not UTF-8, and control characters, become \xNN; tabs stay.
 */
void printable(char *buf, size_t n, const char *in, size_t len)
{
	size_t o = 0;

	for (size_t i = 0; i < len;) {
		unsigned k = in[i] == '\t' ? 1 : utf8((const unsigned char *)in + i, len - i);

		if (o + (k ?: 4) >= n)
			break;
		if (k) {
			memcpy(buf + o, in + i, k);
			o += k;
		} else {
			o += (size_t)sprintf(buf + o, "\\x%02x", (unsigned char)in[i]);
		}
		i += k ?: 1;
	}
	if (n)
		buf[o] = 0;
}

bool kstring(u64 addr, char *buf, size_t n)
{
	char raw[MAX_PATH];
	size_t done = 0, max = n < sizeof(raw) ? n : sizeof(raw);

	*buf = 0;
	while (done < max) {
		size_t len = PAGE_SIZE - (addr + done) % PAGE_SIZE;

		if (len > max - done)
			len = max - done;
		if (len > 64)
			len = 64;
		if (kread(addr + done, raw + done, len))
			break;
		if (memchr(raw + done, 0, len)) {
			printable(buf, n, raw, strlen(raw));
			return true;
		}
		done += len;
	}
	printable(buf, n, raw, done);
	return done > 0;
}

/* ---- user memory: husk's own page tables, mm/pgtable.h ---- */
#define PTE_PRESENT 1ull
#define TABLE_LEVELS 4
#define USER_BITS 48

bool user_phys(u64 mm, u64 addr, u64 *phys, u64 *pte)
{
	u64 table = FIELD(mm, mm_struct, pgd), e = 0;

	if (pte)
		*pte = 0;
	if (addr >> USER_BITS || !table)
		return false;
	for (int level = TABLE_LEVELS - 1; level >= 0; level--) {
		if (kread_quiet(table + (addr >> (12 + 9 * level) & 511) * 8, &e, 8))
			return false;
		if (!e)
			return false;
		table = e;
	}
	if (pte)
		*pte = e;
	if (!(e & PTE_PRESENT))
		return false;
	*phys = (e & ~(PAGE_SIZE - 1)) | addr % PAGE_SIZE;
	return true;
}

int uread(u64 mm, u64 addr, void *buf, size_t n)
{
	while (n) {
		size_t len = PAGE_SIZE - addr % PAGE_SIZE;
		u64 phys;
		int r;

		if (len > n)
			len = n;
		if (!user_phys(mm, addr, &phys, NULL))
			return READ_RANGE;
		r = core_read_phys(phys, buf, len);
		if (r != READ_OK)
			return r;
		buf = (char *)buf + len;
		addr += len;
		n -= len;
	}
	return READ_OK;
}
