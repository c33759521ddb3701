// SPDX-License-Identifier: Apache-2.0
// Compresses a dump as the dump kernel does (docs/design/mini-dump.md), for tests: pack zstd|lz4 FROM TO.

#include <lz4frame.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <hostif/mdump.h>

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, 4, 1, f);
}

int main(int argc, char **argv)
{
	size_t room = LZ4F_compressFrameBound(MDUMP_FRAME_SIZE, NULL) + ZSTD_compressBound(MDUMP_FRAME_SIZE), n;
	char *in = malloc(MDUMP_FRAME_SIZE), *to = malloc(room);
	uint32_t *table = NULL, frames = 0;
	FILE *from, *out;

	if (argc != 4 || !in || !to || !(from = fopen(argv[2], "rb")) || !(out = fopen(argv[3], "wb"))) {
		fprintf(stderr, "usage: pack zstd|lz4 FROM TO\n");
		return 2;
	}
	while ((n = fread(in, 1, MDUMP_FRAME_SIZE, from))) {
		size_t k = !strcmp(argv[1], "lz4") ? LZ4F_compressFrame(to, room, in, n, NULL)
						   : ZSTD_compress(to, room, in, n, 1);

		if (k > room || fwrite(to, 1, k, out) != k)
			return 1;
		table = realloc(table, 8 * (size_t)(frames + 1));
		table[2 * frames] = (uint32_t)k;
		table[2 * frames + 1] = (uint32_t)n;
		frames++;
	}
	put32(out, MDUMP_SEEK_SKIPPABLE);
	put32(out, 8 * frames + 9);
	fwrite(table, 8, frames, out);
	put32(out, frames);
	fputc(0, out);
	put32(out, MDUMP_SEEK_MAGIC);
	return fclose(out) != 0;
}
