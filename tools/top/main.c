// SPDX-License-Identifier: Apache-2.0
// The program behind husk ps, top, dump and module: finds the command.

#include <stdio.h>
#include <string.h>
#include "top.h"

/* A line for each; what is "husk NAME" there comes as argv[0]. */
static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"ps", cmd_ps},
	{"top", cmd_top},
	{"module", cmd_module},
	{"dump", cmd_dump},
};

int main(int argc, char **argv)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : argc ? argv[0] : "";
	if (!strcmp(name, "husk-top") && argc > 1) { /* started by hand */
		argc--;
		name = *++argv;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].main(argc, argv);
	fprintf(stderr, "husk: there is no command \"%s\" in this build; see \"husk --help\"\n", name);
	return EXIT_HUSK;
}
