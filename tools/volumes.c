// SPDX-License-Identifier: Apache-2.0
// husk run -v: the host's directories, and the places in the guest where they can be seen.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "husk.h"

#define usage(...) usage_error("run", __VA_ARGS__)

static int split_volume(char *spec, struct volume *v)
{
	char *dst = strchr(spec, ':'), *mode;

	if (!dst)
		return -1;
	*dst++ = 0;
	mode = strchr(dst, ':');
	if (mode) {
		*mode++ = 0;
		if (!strcmp(mode, "ro"))
			v->read_only = true;
		else if (strcmp(mode, "rw"))
			return -1;
	}
	v->src = spec;
	v->dst = clean_path(dst);
	return *spec && v->dst ? 0 : -1;
}

/**
 * volume_add - take one -v
 * @arg: SRC:DST[:ro]; kept
 * Return: 0, or an exit status after saying what is wrong with it.
 */
int volume_add(struct sandbox_config *c, const char *arg)
{
	struct volume *v = &c->volume[c->nvolumes];
	struct stat st;
	char *spec;

	if (c->nvolumes == MAX_VOLUMES)
		return usage("at most %d volumes", MAX_VOLUMES);
	spec = strdup(arg);
	if (!spec || split_volume(spec, v))
		return usage("-v wants SRC:DST or SRC:DST:ro with an absolute DST, not \"%s\"", arg);
	if (!strcmp(v->dst, "/"))
		return usage("-v %s: use --root for the root directory", arg);
	if (stat(v->src, &st)) {
		fprintf(stderr, "husk run: -v %s: cannot share %s: %s\n", arg, v->src, strerror(errno));
		return EXIT_HUSK;
	}
	if (!S_ISDIR(st.st_mode)) {
		fprintf(stderr, "husk run: -v %s: %s is not a directory; share the directory it is in\n", arg, v->src);
		return EXIT_HUSK;
	}
	c->nvolumes++;
	return 0;
}

/**
 * guest_directory - is there such a directory in the guest: in the root, or in a share mounted above it?
 * @path: absolute and clean
 * @n: so many of the shares count, the first ones
 * @other: true is stored where there is something that is no directory; may be NULL
 */
bool guest_directory(const struct sandbox_config *c, const char *path, unsigned n, bool *other)
{
	const char *dir = c->root, *rest = path;
	size_t best = 0, len;
	struct stat st;
	int fd;

	if (other)
		*other = false;
	for (unsigned i = 0; i < n; i++) {
		len = strlen(c->volume[i].dst);
		if (!strncmp(c->volume[i].dst, path, strlen(path)) && c->volume[i].dst[strlen(path)] == '/')
			return true; /* a directory on the way to a share: it is made */
		if (len > best && !strncmp(path, c->volume[i].dst, len) && (!path[len] || path[len] == '/')) {
			best = len;
			dir = c->volume[i].src;
			rest = path + len;
		}
	}
	fd = open_in_root(dir, *rest ? rest : "/", O_PATH);
	if (fd < 0)
		return false;
	len = !fstat(fd, &st) && S_ISDIR(st.st_mode);
	close(fd);
	if (other)
		*other = !len;
	return len;
}

/**
 * volumes_check - can every share be mounted where it is wanted?
 * Return: 0, or -1 with the reason in @e. What cannot be known yet (a directory made by nobody) the kernel finds out.
 */
int volumes_check(const struct sandbox_config *c, struct err *e)
{
	for (unsigned i = 0; i < c->nvolumes; i++) {
		const char *dst = c->volume[i].dst;
		bool other;

		for (unsigned k = 0; k < i; k++)
			if (!strcmp(c->volume[k].dst, dst))
				return err_set(e, EXIT_HUSK, "-v: two directories are to be shared as %s", dst);
		if (guest_directory(c, dst, i, &other))
			continue;
		if (other)
			return err_set(e, EXIT_HUSK, "-v: %s is not a directory in the guest; choose another place",
				       dst);
		if (c->read_only && strncmp(dst, "/dev/", 5)) /* that is the guest's own, and can be written */
			return err_set(e, EXIT_HUSK,
				       "-v: there is no directory %s in the guest, and --read-only lets none be made",
				       dst);
	}
	return 0;
}
