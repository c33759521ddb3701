// SPDX-License-Identifier: Apache-2.0
// Where dumps go: the dump directory, which is made if need be, or a socket.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "mdump.h"
#include "sandbox.h"

/*
 * Directories that did not exist are made when the sandbox starts, for its dump process is shut in there. A sandbox that ends well
 * leaves nothing behind: it removes those that it made, while they are empty and no other sandbox uses them. Each one that does has
 * a shared lock (flock) on the directory. The default directory goes whoever made it, for a monitor that was killed could not remove it.
 */
#define MADE_MAX 64
static struct {
	char path[PATH_MAX];
	unsigned short end[MADE_MAX]; /* where in path the names of those end that were made, from the top down */
	unsigned n;
	int fd;
} made = {.fd = -1};

static int make_one(const char *path)
{
	if (!mkdir(path, 0700)) {
		if (made.n < MADE_MAX)
			made.end[made.n++] = strlen(path);
		return 0;
	}
	return errno == EEXIST ? 0 : -1;
}

/* The directory and what is missing above it, for the user alone. */
static int make_path(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		int r;

		*p = 0;
		r = make_one(path);
		*p = '/';
		if (r)
			return -1;
	}
	return make_one(path);
}

void mdump_leave_dir(void)
{
	if (!made.n || flock(made.fd, LOCK_EX | LOCK_NB))
		return;
	while (made.n) {
		made.path[made.end[--made.n]] = 0;
		if (rmdir(made.path) && errno != ENOENT)
			break;
	}
	made.n = 0;
}

static int open_dir(char *path, bool make, bool own)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (own ? O_NOFOLLOW : 0), fd = open(path, flags);
	struct stat st;

	for (int tries = 0; tries < 4; tries++) {
		if (fd < 0 && errno == ENOENT && make && !make_path(path))
			fd = open(path, flags);
		if (fd < 0)
			return -1;
		flock(fd, LOCK_SH | LOCK_NB);
		if (fstat(fd, &st) || st.st_nlink)
			break;
		close(fd); /* who made it has just removed it */
		fd = open(path, flags);
	}
	if (fd < 0)
		return -1;
	if (own && (fstat(fd, &st) || st.st_uid != geteuid())) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS)) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* The environment's choice, else the user's state directory. A place in /var/tmp must be ours. */
static void default_path(char *path, size_t n, bool *shared)
{
	const char *v;

	*shared = false;
	if ((v = getenv("HUSK_DUMP_DIR")) && *v == '/')
		snprintf(path, n, "%s", v);
	else if ((v = getenv("XDG_STATE_HOME")) && *v == '/')
		snprintf(path, n, "%s/husk", v);
	else if ((v = getenv("HOME")) && *v == '/' && !access(v, W_OK | X_OK))
		snprintf(path, n, "%s/.local/state/husk", v);
	else
		*shared = snprintf(path, n, "/var/tmp/husk-%u", (unsigned)geteuid());
}

/**
 * mdump_open_dir - the directory that dumps are written to
 * @wanted: of --dump-dir, or NULL. @path: gets its absolute path. Return: a descriptor, or -1 with the reason in @why
 */
int mdump_open_dir(const char *wanted, char *path, size_t n, char *why, size_t nwhy)
{
	char cwd[PATH_MAX] = "";
	bool shared = false;
	int fd;

	if (!wanted)
		default_path(path, n, &shared);
	else if (*wanted == '/' || !getcwd(cwd, sizeof(cwd)))
		snprintf(path, n, "%s", wanted);
	else
		snprintf(path, n, "%s/%s", strcmp(cwd, "/") ? cwd : "", wanted);
	fd = open_dir(path, true, shared);
	if (fd < 0)
		snprintf(why, nwhy, "%s: %s", path, strerror(errno));
	made.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (!wanted && !made.n)
		made.end[made.n++] = strlen(path);
	snprintf(made.path, sizeof(made.path), "%s", path);
	return fd;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
	} else {
		strcpy(a.sun_path, path);
		if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ADDRESS:PORT or [ADDRESS]:PORT; no names, which would need a resolver in the monitor */
static int connect_tcp(const char *spec)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {0};
	const char *colon = strrchr(spec, ':');
	char host[64], *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	int fd;

	errno = EINVAL;
	if (!colon || !port || port > 65535 || *end || colon - spec >= (int)sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - spec), spec);
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = 0;
		a.any.sa_family = AF_INET6;
		a.v6.sin6_port = htons(port);
		if (inet_pton(AF_INET6, host + 1, &a.v6.sin6_addr) != 1)
			return -1;
	} else {
		a.any.sa_family = AF_INET;
		a.v4.sin_port = htons(port);
		if (inet_pton(AF_INET, host, &a.v4.sin_addr) != 1)
			return -1;
	}
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, &a.any, a.any.sa_family == AF_INET ? sizeof(a.v4) : sizeof(a.v6)))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int mdump_connect(const char *to, struct err *e)
{
	int fd = -1;

	errno = EINVAL;
	if (!strncmp(to, "unix:", 5))
		fd = connect_unix(to + 5);
	else if (!strncmp(to, "tcp:", 4))
		fd = connect_tcp(to + 4);
	if (fd < 0)
		return err_set(e, 125,
			       "--dump-to %s: %s; it is unix:PATH or tcp:ADDRESS:PORT, and somebody must listen there",
			       to, strerror(errno));
	return fd;
}
