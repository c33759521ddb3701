// SPDX-License-Identifier: Apache-2.0
// The instruction decoder against objdump: every instruction of the files named (default: libc and libcrypto) must have its length.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../../arch/x86/insn.h"

static int only_prefixes(const u8 *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if ((b[i] & 0xf0) != 0x40 && !memchr("\x66\x67\xf0\xf2\xf3\x64\x65\x26\x2e\x36\x3e", b[i], 11))
			return 0;
	return 1;
}

/* one line of objdump -dw: "  ADDR:\tBYTES\tTEXT" */
static int check_line(char *line, unsigned long *count)
{
	u8 b[32];
	unsigned n = 0, got;
	struct insn i;
	char *p = strchr(line, '\t'), *text, *end;

	if (!p || line[0] != ' ')
		return 0;
	text = strchr(++p, '\t');
	if (!text || strstr(text, "(bad)"))
		return 0;
	for (*text++ = 0; n < sizeof(b); p = end, n++) {
		b[n] = strtoul(p, &end, 16);
		if (end == p)
			break;
	}
	if (only_prefixes(b, n) || (n == 1 && !b[0])) /* the last byte of a section's padding */
		return 0;
	++*count;
	got = insn_decode(&i, b, n);
	if (got == n)
		return 0;
	if (b[0] == 0x9b && got == 1) /* objdump joins fwait with what follows */
		return 0;
	printf("differs: %s: %u bytes, decoded as %u\n", line, n, got);
	return 1;
}

static int check_file(const char *path)
{
	char cmd[512], *line = NULL;
	size_t room = 0;
	unsigned long count = 0, bad = 0;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "objdump -dw %s", path);
	f = popen(cmd, "r");
	while (f && getline(&line, &room, f) > 0 && bad < 30)
		bad += check_line(line, &count);
	if (f)
		pclose(f);
	free(line);
	/* data between functions is not always code: one in 50,000 may differ */
	printf("%s insn %s: %lu instructions, %lu wrong\n", bad * 50000 > count ? "not ok" : "ok", path, count, bad);
	return bad * 50000 > count;
}

static int check_parts(void)
{
	static const u8 lea[] = {0x48, 0x8d, 0x0d, 0x0f, 0x01, 0xef, 0x00};
	static const u8 cut[] = {0x48, 0x8d, 0x0d, 0x0f, 0x01};
	struct insn i;

	if (insn_decode(&i, lea, sizeof(lea)) != 7 || !i.rip_relative || i.disp != 0xef010f || i.disp_off != 3 ||
	    i.branch)
		return 1;
	return insn_decode(&i, cut, sizeof(cut)) != 0;
}

int main(int argc, char **argv)
{
	static const char *const files[] = {"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libcrypto.so.3",
					    "/bin/bash"};
	int bad = check_parts();

	printf("%s insn parts\n", bad ? "not ok" : "ok");
	for (int k = 1; k < argc; k++)
		bad |= check_file(argv[k]);
	for (unsigned k = 0; argc < 2 && k < sizeof(files) / sizeof(*files); k++)
		if (!access(files[k], R_OK))
			bad |= check_file(files[k]);
	return bad;
}
