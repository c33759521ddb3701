/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with an option that getopt_long() refused: the same words for every husk command. */
#ifndef TOOLS_BAD_OPTION_H
#define TOOLS_BAD_OPTION_H

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/**
 * bad_option_text - one line, without the command's name, a hint or a newline
 * @opt: ':' or '?', as getopt_long() returned it: opterr is 0, and the short options begin with ':' (or "+:")
 */
static inline const char *bad_option_text(int opt, char **argv)
{
	const char *word = argv[optind - 1];
	static char text[200];

	if (opt == ':')
		snprintf(text, sizeof(text), "option \"%.150s\" wants a value", word);
	else if (optopt && !strncmp(word, "--", 2) && strchr(word, '='))
		snprintf(text, sizeof(text), "option \"%.150s\" takes no value", word);
	else if (optopt)
		snprintf(text, sizeof(text), "unknown option \"-%c\"", optopt);
	else
		snprintf(text, sizeof(text), "unknown option \"%.150s\"", word);
	return text;
}
#endif
