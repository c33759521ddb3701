/* SPDX-License-Identifier: Apache-2.0 */
/* The husk command: subcommands and what they share. */
#ifndef TOOLS_HUSK_H
#define TOOLS_HUSK_H

#include "../host/sandbox.h"

#define EXIT_HUSK 125 /* husk's own errors, as docker run has it */

struct command {
	const char *name, *summary;
	int (*main)(int argc, char **argv); /* argv[0] is the subcommand's name */
};
extern uint64_t command_start_ns;
extern unsigned command_stdio_closed; /* bit n: descriptor n was closed at the start; it is /dev/null now */

int cmd_run(int argc, char **argv);

/* usage_error: "husk run: ...", a hint at the help, and the status 125 */
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* options.c */
int parse_size(const char *s, uint64_t *out);	 /* bytes, with k, m, g, t suffixes; 0 or -1 */
int parse_duration(const char *s, uint64_t *ns); /* seconds, fractions and s, m, h suffixes allowed */
int parse_number(const char *s, uint64_t max, uint64_t *out);
int parse_log_level(const char *s);   /* a name or 0..7; -1 */
char *clean_path(const char *path);   /* absolute path without empty parts, "." and ".."; malloc */
int find_kernel(char *out, size_t n); /* HUSK_KERNEL, beside the command, ../lib/husk; 0 or -1 */

/* An environment being put together. */
struct environment {
	char **var;
	size_t n, room;
};
void env_set(struct environment *env, const char *assignment); /* NAME=VALUE; replaces */
void env_copy(struct environment *env, char **from);
const char *env_get(const struct environment *env, const char *name);
int env_read_file(struct environment *env, const char *path, struct err *e); /* as docker's --env-file */

/* volumes.c */
int volume_add(struct sandbox_config *c, const char *arg);
bool guest_directory(const struct sandbox_config *c, const char *path, unsigned n, bool *other);
int volumes_check(const struct sandbox_config *c, struct err *e);

/* users.c */
int open_in_root(const char *root, const char *path, int flags); /* its symbolic links never lead out of root */
int user_resolve(const char *root, const char *spec, struct sandbox_config *c, char **home, struct err *e);

#endif
