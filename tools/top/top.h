/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of husk-top. */
#ifndef TOOLS_TOP_H
#define TOOLS_TOP_H

#define EXIT_HUSK 125

#include <stddef.h>
#include <stdint.h>

int cmd_ps(int argc, char **argv);
int cmd_dump(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_module(int argc, char **argv);

/* format.c. Bytes as 512K, 1.5M, 3.2G. */
void format_size(char *out, size_t n, uint64_t bytes);
/* 3s, 12:05, 3:02:01, 5d 03h */
void format_time(char *out, size_t n, uint64_t ns);

struct json_object;
/* The command line in an answer to "info" as one line of text, without what a terminal might obey. */
void format_argv(char *out, size_t n, struct json_object *info);

#endif
