// SPDX-License-Identifier: Apache-2.0
// Values of options: sizes, times, paths, environments.

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "husk.h"

static void *must(void *p)
{
	if (!p) {
		fputs("husk: out of memory\n", stderr);
		exit(EXIT_HUSK);
	}
	return p;
}

int parse_number(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return errno || *end || *out > max ? -1 : 0;
}

int parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "bkmgt";
	const char *u;
	char *end;
	uint64_t n;
	unsigned shift;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno)
		return -1;
	if (*end) {
		u = strchr(units, tolower((unsigned char)*end));
		if (!u || !*u)
			return -1;
		shift = 10 * (u - units);
		if (shift && n > (UINT64_MAX >> shift))
			return -1;
		n <<= shift;
		end++;
		if (shift && (*end == 'i' || *end == 'I')) /* KiB, MiB, GiB */
			end++;
		if (shift && (*end == 'b' || *end == 'B'))
			end++;
	}
	*out = n;
	return *end ? -1 : 0;
}

int parse_duration(const char *s, uint64_t *ns)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return -1;
	errno = 0;
	v = strtod(s, &end);
	if (errno || end == s)
		return -1;
	if (*end == 's' || *end == 'm' || *end == 'h') {
		v *= *end == 'm' ? 60 : *end == 'h' ? 3600 : 1;
		end++;
	}
	if (*end || !(v >= 0 && v <= 1e9))
		return -1;
	*ns = (uint64_t)(v * 1e9);
	return 0;
}

int parse_log_level(const char *s)
{
	static const char *const names[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
	uint64_t n;

	if (!parse_number(s, 7, &n))
		return n;
	for (int i = 0; i < 8; i++)
		if (!strcasecmp(s, names[i]))
			return i;
	if (!strcasecmp(s, "error"))
		return 3;
	return strcasecmp(s, "warn") ? -1 : 4;
}

char *clean_path(const char *path)
{
	char *out, *o;
	const char *p = path, *end;

	if (*path != '/') {
		errno = EINVAL;
		return NULL;
	}
	out = o = must(malloc(strlen(path) + 2));
	while (*p) {
		while (*p == '/')
			p++;
		end = strchrnul(p, '/');
		if (end - p == 2 && !memcmp(p, "..", 2)) {
			while (o > out && *--o != '/')
				;
		} else if (end != p && !(end - p == 1 && *p == '.')) {
			*o++ = '/';
			memcpy(o, p, end - p);
			o += end - p;
		}
		p = end;
	}
	if (o == out)
		*o++ = '/';
	*o = 0;
	return out;
}

int find_kernel(char *out, size_t n)
{
	static const char *const places[] = {"husk-kernel", "../lib/husk/husk-kernel"};
	const char *env = getenv("HUSK_KERNEL");
	char self[PATH_MAX];
	char *slash;

	if (env && *env)
		return snprintf(out, n, "%s", env) < (int)n ? 0 : -1;
	if (own_path(self, sizeof(self)) < 0)
		return -1;
	slash = strrchr(self, '/');
	if (!slash)
		return -1;
	slash[1] = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (snprintf(out, n, "%s%s", self, places[i]) < (int)n && !access(out, F_OK))
			return 0;
	snprintf(out, n, "%s%s", self, places[0]);
	return -1;
}

static size_t name_length(const char *assignment)
{
	return strchrnul(assignment, '=') - assignment;
}

void env_set(struct environment *env, const char *assignment)
{
	size_t len = name_length(assignment), i;

	for (i = 0; i < env->n; i++)
		if (name_length(env->var[i]) == len && !memcmp(env->var[i], assignment, len))
			break;
	if (i == env->n) {
		if (env->n + 1 >= env->room) {
			env->room = env->room ? 2 * env->room : 64;
			env->var = must(realloc(env->var, env->room * sizeof(*env->var)));
		}
		env->n++;
	}
	env->var[i] = must(strdup(assignment));
	env->var[env->n] = NULL;
}

/* the whole environment at once, duplicates and odd strings included: it goes through as it is */
void env_copy(struct environment *env, char **from)
{
	size_t n = 0;

	while (from[n])
		n++;
	env->room = n + 16;
	env->var = must(malloc(env->room * sizeof(*env->var)));
	memcpy(env->var, from, (n + 1) * sizeof(*from));
	env->n = n;
}

const char *env_get(const struct environment *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (!strncmp(env->var[i], name, len) && env->var[i][len] == '=')
			return env->var[i] + len + 1;
	return NULL;
}

int env_read_file(struct environment *env, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, *p, *full;
	size_t room = 0;
	ssize_t len;
	int rc = 0;

	if (!f)
		return err_set(e, EXIT_HUSK, "cannot read --env-file %s: %s", path, strerror(errno));
	while ((len = getline(&line, &room, f)) >= 0) {
		while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = 0;
		for (p = line; isspace((unsigned char)*p); p++)
			;
		if (!*p || *p == '#')
			continue;
		if (*p == '=') {
			rc = err_set(e, EXIT_HUSK, "--env-file %s: a line without a name: %s", path, p);
			break;
		}
		if (strchr(p, '=')) {
			env_set(env, p);
		} else if (getenv(p)) {
			if (asprintf(&full, "%s=%s", p, getenv(p)) < 0)
				must(NULL);
			env_set(env, full);
			free(full);
		}
	}
	if (!rc && ferror(f))
		rc = err_set(e, EXIT_HUSK, "cannot read --env-file %s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	return rc;
}
