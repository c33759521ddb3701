/* SPDX-License-Identifier: Apache-2.0 */
/* A main() that feeds random inputs to LLVMFuzzerTestOneInput(), for compilers without libFuzzer: PROGRAM [RUNS [SEED]] */
#ifndef FUZZ_STANDALONE_H
#define FUZZ_STANDALONE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZ_STANDALONE
static uint64_t fuzz_state;

static uint64_t fuzz_random(void)
{
	fuzz_state ^= fuzz_state << 13;
	fuzz_state ^= fuzz_state >> 7;
	fuzz_state ^= fuzz_state << 17;
	return fuzz_state;
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static uint8_t buf[4096];

	for (unsigned long r = 0; r < runs; r++) {
		size_t n;

		fuzz_state = (seed + r) * 0x9e3779b97f4a7c15ULL | 1;
		n = fuzz_random() % sizeof(buf);
		for (size_t i = 0; i < n; i++) {
			uint64_t x = fuzz_random();

			/* small values are more often meaningful */
			buf[i] = x & 0x300 ? x & 0x0f : x & 0xff;
		}
		LLVMFuzzerTestOneInput(buf, n);
	}
	printf("%lu inputs, no crash\n", runs);
	return 0;
}
#endif
#endif
