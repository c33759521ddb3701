// SPDX-License-Identifier: Apache-2.0
// The reader of the kernel's line table must give the right lines, and survive any file and any text.
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "klines.h"

static uint32_t seed = 1;
static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* file 1 is fs/a.c, 2 is fs/b.h; "one": 0x20 bytes, line 10 from 0, 9 from 5, b.h:300 from 8, unknown from 0x10, a.c:12 from 0x18 */
#define ONE "\x03one\x20\x10\x01\x01\x14\x0a\x03\x07\x02\xc6\x04\x11\x00\xd9\x04\x11\x01\x18"
/* two functions named "twin", of one size, of different lines; a third of another size */
#define TWIN_A "\x04twin\x10\x03\x01\x01\x02"
#define TWIN_B "\x04twin\x10\x03\x01\x01\x04"
#define TWIN_C "\x04twin\x30\x03\x01\x01\x06"
#define FILES "\0fs/a.c\0fs/b.h" /* and the end's NUL */

struct image {
	Elf64_Ehdr eh;
	Elf64_Shdr sh[3];
	char names[32];
	char magic[8];
	uint32_t nfiles, files_bytes, nfuncs, funcs_bytes;
	char files[sizeof(FILES)];
	char funcs[sizeof(ONE TWIN_A TWIN_B TWIN_C) - 1];
} __attribute__((packed));

static const struct image good = {
	.eh = {.e_ident = ELFMAG,
	       .e_shoff = offsetof(struct image, sh),
	       .e_shentsize = 64,
	       .e_shnum = 3,
	       .e_shstrndx = 1},
	.sh = {{0},
	       {.sh_type = SHT_STRTAB, .sh_offset = offsetof(struct image, names), .sh_size = 32},
	       {.sh_type = SHT_PROGBITS,
		.sh_name = 1,
		.sh_offset = offsetof(struct image, magic),
		.sh_size = sizeof(struct image) - offsetof(struct image, magic)}},
	.names = "\0.klines",
	.magic = "HKLINES1",
	.nfiles = 3,
	.files_bytes = sizeof(FILES),
	.nfuncs = 4,
	.funcs_bytes = sizeof(ONE TWIN_A TWIN_B TWIN_C) - 1,
	.files = FILES,
	.funcs = ONE TWIN_A TWIN_B TWIN_C,
};

static int file_of(const void *data, size_t n)
{
	int fd = memfd_create("klines", 0);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	return fd;
}

static unsigned failed, passed;

static void shows(struct klines *k, const char *line, const char *more)
{
	char buf[256], want[256];
	size_t n = strlen(line);

	snprintf(want, sizeof(want), "%s%s", line, more);
	memcpy(buf, line, n);
	n = klines_note(k, buf, n, sizeof(buf));
	if (n == strlen(want) && !memcmp(buf, want, n)) {
		passed++;
		return;
	}
	failed++;
	printf("\"%.*s\", should be \"%s\"\n", (int)n, buf, want);
}

static void right_lines(void)
{
	struct klines k = {.fd = file_of(&good, sizeof(good))};

	shows(&k, "[    0.021335] RIP: 00007000000a7fc0 one+0x5/0x20", " (fs/a.c:9)"); /* exact */
	shows(&k, "[    0.021335] Call Trace:", "");
	shows(&k, "[    0.021335]  one+0x5/0x20", " (fs/a.c:9)");  /* the same instruction */
	shows(&k, "[    0.021335]  one+0x5/0x20", " (fs/a.c:10)"); /* a return address: its call is before it */
	shows(&k, " one+0x8/0x20", " (fs/a.c:9)");
	shows(&k, " one+0x9/0x20", " (fs/b.h:300)");
	shows(&k, " ? one+0x20/0x20", " (fs/a.c:12)");
	shows(&k, "Call Trace:", "");
	shows(&k, " one+0x8/0x20", " (fs/a.c:9)");
	shows(&k, " one+0x12/0x20", ""); /* no line is known */
	shows(&k, " one+0x0/0x20", "");
	shows(&k, " one+0x21/0x20", "");
	shows(&k, " one+0x5/0x21", "");
	shows(&k, " one+0x5/0x20 [module]", "");
	shows(&k, " on+0x5/0x20", "");
	shows(&k, "one+0x5/0x20", "");
	shows(&k, " twin+0x5/0x10", ""); /* which of two? */
	shows(&k, " twin+0x5/0x30", " (fs/a.c:3)");
	shows(&k, "", "");
	shows(&k, "[", "");
	shows(&k, "RIP: ", "");
	klines_free(&k);
	close(k.fd);
	k = (struct klines){.fd = -1};
	shows(&k, " one+0x5/0x20", "");
}

static void fuzz(void)
{
	static const char *const lines[] = {" one+0x9/0x20", "RIP: 00007000000a7fc0 one+0x1f/0x20",
					    "Call Trace:", " ? twin+0x30/0x30", "[ 1.2]  twin+0x5/0x10"};

	for (unsigned round = 0; round < 20000; round++) {
		union {
			struct image i;
			unsigned char b[sizeof(struct image)];
		} f = {good};
		size_t n = rnd(8) ? sizeof(f.i) : rnd(sizeof(f.i));
		struct klines k = {0};

		for (unsigned i = rnd(6); i; i--) /* half of them in the table */
			f.b[rnd(2) ? rnd(sizeof(f.i)) : sizeof(f.i) - 1 - rnd(100)] = rnd(3) ? rnd(256) : 255;
		k.fd = file_of(&f, n);
		for (unsigned i = 0; i < 8; i++) {
			const char *text = lines[rnd(5)];
			size_t len = strlen(text), room = len + rnd(40);
			char *line = malloc(room + 1);

			memcpy(line, text, len);
			if (!rnd(3))
				line[rnd(len)] = rnd(256);
			if (!rnd(4))
				len = rnd(len);
			if (klines_note(&k, line, len, room) > room)
				failed++;
			free(line);
		}
		klines_free(&k);
		close(k.fd);
	}
	passed++;
}

int main(void)
{
	right_lines();
	fuzz();
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
