// SPDX-License-Identifier: Apache-2.0
// Arguments, environment and the auxiliary vector as a program finds them.
// build: static
#include "t.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
extern char **environ;
int main(int argc, char **argv)
{
	say("argc %d argv0 %s end %d\n", argc, strrchr(argv[0], '/') ? "path" : argv[0], argv[argc] == NULL);
	say("HOME %s LANG %s TZ %s\n", getenv("HOME") ? "set" : "unset", getenv("LANG") ?: "-", getenv("TZ") ?: "-");
	T(getauxval(AT_PAGESZ) == 4096);
	T(getauxval(AT_PHDR) != 0 && getauxval(AT_PHENT) == 56 && getauxval(AT_PHNUM) > 2);
	T(getauxval(AT_ENTRY) != 0);
	T(getauxval(AT_RANDOM) != 0);
	T(getauxval(AT_CLKTCK) == 100);
	T(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	T(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
	T(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	T(getauxval(AT_SECURE) == 0);
	T(strstr((char *)getauxval(AT_EXECFN), "004_args") != NULL);
	T(getauxval(AT_HWCAP) != 0);
	const unsigned char *r = (void *)getauxval(AT_RANDOM);
	int nz = 0;
	for (int i = 0; i < 16; i++)
		nz += r[i] != 0;
	T(nz > 4);
	const ElfW(Phdr) *ph = (void *)getauxval(AT_PHDR);
	int load = 0;
	for (unsigned i = 0; i < getauxval(AT_PHNUM); i++)
		load += ph[i].p_type == PT_LOAD;
	T(load >= 2);
	// The strings lie on the stack, above argv.
	T((char *)environ > (char *)argv && argv[0] > (char *)environ);
	return 0;
}
