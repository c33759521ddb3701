// SPDX-License-Identifier: Apache-2.0
// -u USER[:GROUP]: names are looked up in the guest's own /etc/passwd and /etc/group.

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "husk.h"

int open_in_root(const char *root, const char *path, int flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0)
		return -1;
	fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	close(dir);
	return fd;
}

static FILE *fopen_in_root(const char *root, const char *path)
{
	int fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK);
	FILE *f;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, "r");
	if (!f)
		close(fd);
	return f;
}

/* Splits a line of passwd or group at its colons; false when there are too few fields. */
static bool split(char *line, char **field, int n)
{
	line[strcspn(line, "\n")] = 0;
	for (int i = 0; i < n; i++) {
		field[i] = line;
		if (i == n - 1)
			break;
		line = strchr(line, ':');
		if (!line)
			return false;
		*line++ = 0;
	}
	return true;
}

struct lookup {
	const char *name; /* NULL: by number */
	uint64_t id;
	char *found_name, *home;
	uint64_t gid;
	bool found;
};

static bool matches(const struct lookup *l, const char *name, const char *number, uint64_t *id)
{
	if (parse_number(number, UINT32_MAX - 1, id))
		return false;
	return l->name ? !strcmp(l->name, name) : *id == l->id;
}

static void find_passwd(const char *root, struct lookup *l)
{
	FILE *f = fopen_in_root(root, "etc/passwd");
	char *line = NULL, *fld[7];
	size_t room = 0;
	uint64_t id;

	while (f && !l->found && getline(&line, &room, f) >= 0) {
		if (!split(line, fld, 7) || !matches(l, fld[0], fld[2], &id) ||
		    parse_number(fld[3], UINT32_MAX - 1, &l->gid))
			continue;
		l->found = true;
		l->id = id;
		l->found_name = strdup(fld[0]);
		l->home = strdup(*fld[5] ? fld[5] : "/");
	}
	free(line);
	if (f)
		fclose(f);
}

static void find_group(const char *root, struct lookup *l)
{
	FILE *f = fopen_in_root(root, "etc/group");
	char *line = NULL, *fld[4];
	size_t room = 0;
	uint64_t id;

	while (f && !l->found && getline(&line, &room, f) >= 0) {
		if (split(line, fld, 4) && matches(l, fld[0], fld[2], &id)) {
			l->found = true;
			l->id = id;
		}
	}
	free(line);
	if (f)
		fclose(f);
}

static bool is_member(char *members, const char *name)
{
	char *save = NULL;

	for (char *m = strtok_r(members, ",", &save); m; m = strtok_r(NULL, ",", &save))
		if (!strcmp(m, name))
			return true;
	return false;
}

static void add_groups(const char *root, const char *name, struct sandbox_config *c)
{
	FILE *f = fopen_in_root(root, "etc/group");
	char *line = NULL, *fld[4];
	size_t room = 0;
	uint64_t id;

	while (f && getline(&line, &room, f) >= 0 && c->ngroups < 64) {
		if (split(line, fld, 4) && !parse_number(fld[2], UINT32_MAX - 1, &id) && is_member(fld[3], name))
			c->groups[c->ngroups++] = id;
	}
	free(line);
	if (f)
		fclose(f);
}

static int resolve_group(const char *root, const char *group, struct sandbox_config *c, struct err *e)
{
	struct lookup l = {.name = group};

	if (!parse_number(group, UINT32_MAX - 1, &l.id)) {
		c->gid = l.id;
		return 0;
	}
	find_group(root, &l);
	if (!l.found)
		return err_set(e, EXIT_HUSK, "-u: there is no group \"%s\" in the guest's /etc/group; give its number",
			       group);
	c->gid = l.id;
	return 0;
}

/**
 * user_resolve - fill in uid, gid and groups from "USER[:GROUP]"
 * @home: gets the user's home directory, or NULL when the guest's /etc/passwd does not say
 * A user given by number need not exist in the guest. Without GROUP the user's own groups are taken.
 */
int user_resolve(const char *root, const char *spec, struct sandbox_config *c, char **home, struct err *e)
{
	char *user = strdup(spec), *group = user ? strchr(user, ':') : NULL;
	struct lookup l = {0};
	int rc = 0;

	*home = NULL;
	if (!user)
		return err_set(e, EXIT_HUSK, "out of memory");
	if (group)
		*group++ = 0;
	if (!*user || (group && !*group)) {
		free(user);
		return err_set(e, EXIT_HUSK, "-u wants USER or USER:GROUP, names or numbers, not \"%s\"", spec);
	}
	l.name = parse_number(user, UINT32_MAX - 1, &l.id) ? user : NULL;
	find_passwd(root, &l);
	if (!l.found && l.name) {
		rc = err_set(e, EXIT_HUSK, "-u: there is no user \"%s\" in the guest's /etc/passwd; give a number",
			     user);
		goto out;
	}
	c->uid = l.id;
	c->gid = l.found ? l.gid : 0;
	c->ngroups = 0;
	*home = l.home;
	if (group)
		rc = resolve_group(root, group, c, e);
	else if (l.found)
		add_groups(root, l.found_name, c);
out:
	free(l.found_name);
	free(user);
	return rc;
}
