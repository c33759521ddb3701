// SPDX-License-Identifier: Apache-2.0
// The scanner for forbidden instructions must find what a look at every byte finds, in random text dense with parts of them.
#include <stdio.h>
#include <stdlib.h>
#include "../../arch/x86/scan.h"
#include "../../host/plain.h"

static uint32_t seed = 1;
static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Written from the list of the sequences in the Intel SDM, not from the scanner. */
static enum forbidden naive(const u8 *p, size_t n, size_t i)
{
	if (i + 3 > n || p[i] != 0x0f)
		return FORBIDDEN_NONE;
	if (p[i + 1] == 0x01 && p[i + 2] == 0xef)
		return FORBIDDEN_WRPKRU;
	if (p[i + 1] != 0xae)
		return FORBIDDEN_NONE;
	if (p[i + 2] >> 6 != 3 && (p[i + 2] >> 3 & 7) == 5)
		return FORBIDDEN_XRSTOR;
	if (p[i + 2] >> 6 == 3 && (p[i + 2] >> 3 & 7) == 3) /* whatever prefixes there are, also in the page before */
		return FORBIDDEN_WRGSBASE;
	return FORBIDDEN_NONE;
}

/* The file server's word counts: it may call no page plain that is not, and should of those that are. */
static int check_pages(void)
{
	static const u8 second[] = {0x01, 0x05, 0x34, 0xae, 0x04, 0x1f, 0x85, 0xb6, 0x0f};
	unsigned plains = 0, runs = 4000;

	for (unsigned r = 0; r < runs; r++) {
		u8 *p = malloc(PLAIN_BYTES); /* of the exact size */
		bool plain = true;

		for (size_t i = 0; i < PLAIN_BYTES; i++)
			p[i] = 0x10 + rnd(0xef);
		for (unsigned k = rnd(3); k; k--) { /* anywhere, the borders of 16 bytes and of the page most of all */
			size_t at = rnd(2) ? rnd(PLAIN_BYTES) : rnd(PLAIN_BYTES / 16) * 16 + 15;

			p[at] = 0x0f;
			if (at + 1 < PLAIN_BYTES)
				p[at + 1] = second[rnd(sizeof(second))];
		}
		for (size_t i = 0; i + 1 < PLAIN_BYTES; i++)
			plain &= p[i] != 0x0f ||
				 (p[i + 1] != 0x01 && p[i + 1] != 0xae && p[i + 1] != 0x05 && p[i + 1] != 0x34);
		plain &= p[PLAIN_BYTES - 1] != 0x0f;
		if (plain_page(p) != plain) {
			printf("page %u: plain %d\n", r, !plain);
			return 1;
		}
		plains += plain;
		free(p);
	}
	printf("%u pages, %u plain\n", runs, plains);
	return plains < 1000 || plains > 3900;
}

int main(void)
{
	static const u8 parts[] = {0x0f, 0x0f, 0x01, 0xae, 0xef, 0x28, 0x6f, 0xf3, 0x48, 0xd8, 0x00, 0x0e, 0xaf};
	unsigned long hits = 0, runs = 20000, plains = 0, missed = 0;

	for (unsigned long r = 0; r < runs; r++) {
		size_t n = rnd(80), at = 0;
		u8 *p = malloc(n ? n : 1); /* of the exact size: reading beyond it is an error */

		for (size_t i = 0; i < n; i++)
			p[i] = rnd(8) ? parts[rnd(sizeof(parts))] : rnd(256);
		for (size_t i = 0; i <= n; i++) {
			enum forbidden want = i < n ? naive(p, n, i) : FORBIDDEN_NONE, got;

			if (i < n && !want)
				continue;
			got = scan_text(p, n, &at);
			if (got != want || at != i) {
				printf("length %zu: %d at %zu, should be %d at %zu\n", n, got, at, want, i);
				return 1;
			}
			hits += got != FORBIDDEN_NONE;
			at++;
		}
		bool plain = true;

		for (size_t i = 0; i + 1 < n; i++)
			plain &= p[i] != 0x0f ||
				 (p[i + 1] != 0x01 && p[i + 1] != 0xae && p[i + 1] != 0x05 && p[i + 1] != 0x34);
		/* it may err to the safe side only */
		if (n && text_plain(p, n) && !plain) {
			printf("length %zu: not plain\n", n);
			return 1;
		}
		plains += n && plain;
		missed += n && plain && !text_plain(p, n);
		free(p);
	}
	printf("%lu texts, %lu sequences found\n", runs, hits);
	if (missed * 10 > plains) {
		printf("%lu of %lu plain texts were not seen as such\n", missed, plains);
		return 1;
	}
	if (hits < 1000 || check_pages())
		return 1;
	puts("test_scan: ok");
	return 0;
}
