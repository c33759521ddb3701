// SPDX-License-Identifier: Apache-2.0
// husk dump: has a running sandbox write a dump of itself.

#include <errno.h>
#include <fcntl.h>
#include <hostif/mdump.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../bad_option.h"
#include "../client/client.h"
#include "top.h"

#define NAME_TRIES 1000
#define PATIENCE_MS 60000 /* between two packets while a dump is written */

static const char help_text[] = "Usage: husk dump [OPTIONS] SANDBOX\n\n"
				"Writes a dump of the sandbox's memory, and prints its path. The sandbox stands still "
				"meanwhile, and goes on.\n\n"
				"  -d, --level N        what is left out, 0 (nothing) to 31 (all but what the kernel "
				"owns; default: the sandbox's)\n"
				"      --dump-dir DIR   put it there (default: the sandbox's dump directory)\n"
				"      --kill           end the sandbox afterwards\n"
				"  -q, --quiet          no progress, no remarks\n"
				"  -h, --help           show this help\n\n"
				"\"husk crash DUMP\" takes it apart; gdb build/husk-kernel DUMP opens it as well.\n";

struct wish {
	const char *sandbox, *dir;
	long level;
	bool kill, quiet;
};

static int usage(const char *what)
{
	fprintf(stderr, "husk dump: %s; see \"husk dump --help\"\n", what);
	return EXIT_HUSK;
}

static void show_progress(struct json_object *packet, void *arg)
{
	uint64_t done = client_number(packet, "done"), total = client_number(packet, "total");

	if (isatty(2) && total)
		fprintf(stderr, "\rhusk dump: %llu of %llu MiB ", (unsigned long long)done >> 20,
			(unsigned long long)total >> 20);
}

/* The dump, if it is a file of that user's: another user's sandbox may name any file, which root could read and move. */
static int open_dump(const char *path, uid_t uid)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == uid))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

static int copy_file(const char *from, uid_t uid, const char *to)
{
	int in = open_dump(from, uid), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = -1;

	while (out >= 0 && (n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0)) > 0)
		;
	if (out >= 0 && n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP)) {
		static char buf[1 << 20];

		while ((n = read(in, buf, sizeof(buf))) > 0)
			if (write(out, buf, n) != n) {
				n = -1;
				break;
			}
	}
	if (out >= 0 && close(out))
		n = -1;
	if (in >= 0)
		close(in);
	if (n < 0 && out >= 0)
		unlink(to);
	return n < 0 ? -1 : 0;
}

/* A name that is taken gets a number behind it. */
static int free_name(char *to, size_t n)
{
	size_t len = strlen(to);
	struct stat st;

	for (int i = 2; !lstat(to, &st); i++) {
		if (i > NAME_TRIES || (size_t)snprintf(to + len, n - len, "-%d", i) >= n - len) {
			errno = EEXIST;
			return -1;
		}
	}
	return 0;
}

/* The dump process writes only where it was told at the start; another place is reached from there. One of another user's stays there, too. */
static int move(const char *path, uid_t uid, const char *dir, char *to, size_t n)
{
	const char *name = strrchr(path, '/');

	while (dir[1] && dir[strlen(dir) - 1] == '/')
		dir = strndupa(dir, strlen(dir) - 1);
	if ((size_t)snprintf(to, n, "%s%s", strcmp(dir, "/") ? dir : "", name) >= n) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (free_name(to, n))
		return -1;
	if (uid != geteuid())
		return copy_file(path, uid, to);
	if (!renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (copy_file(path, uid, to))
		return -1;
	unlink(path);
	return 0;
}

static void remark(struct json_object *o)
{
	uint64_t regs = client_number(o, "registers_lost"), bytes = client_number(o, "bytes_lost"),
		 ns = client_number(o, "ns");
	char size[32];

	format_size(size, sizeof(size), client_number(o, "bytes"));
	fprintf(stderr, "husk dump: %s, %llu tasks, %.3f s%s\n", size, (unsigned long long)client_number(o, "tasks"),
		ns / 1e9, client_number(o, "lost") & MDUMP_LOST_TASKLIST ? ", the task list is corrupt" : "");
	if (regs)
		fprintf(stderr, "husk dump: the registers of %llu tasks could not be had\n", (unsigned long long)regs);
	if (bytes)
		fprintf(stderr, "husk dump: incomplete: %llu MiB are missing; is the disk full?\n",
			(unsigned long long)bytes >> 20);
}

static int take(const struct wish *w, struct client *c, struct client_error *e)
{
	static char moved[PATH_MAX];
	struct client_answer a;
	char request[64];
	const char *path;
	int status = 0;

	if (w->level < 0)
		snprintf(request, sizeof(request), "{\"cmd\":\"dump\",\"kill\":%d}", w->kill);
	else
		snprintf(request, sizeof(request), "{\"cmd\":\"dump\",\"kill\":%d,\"level\":%ld}", w->kill, w->level);
	c->patience_ms = PATIENCE_MS;
	if (client_call(c, request, &a, w->quiet ? NULL : show_progress, NULL, e))
		return -1;
	if (isatty(2) && !w->quiet)
		fputs("\r\033[K", stderr);
	path = client_string(a.object, "path");
	if (w->dir && *path == '/') {
		if (move(path, c->uid, w->dir, moved, sizeof(moved))) {
			fprintf(stderr, "husk dump: cannot move %s to %s: %s; it stays there\n", path, w->dir,
				strerror(errno));
			status = 1;
		} else {
			path = moved;
		}
	}
	puts(path);
	if (!w->quiet)
		remark(a.object);
	status |= client_number(a.object, "bytes_lost") != 0;
	client_answer_free(&a);
	return status;
}

static int run(const struct wish *w)
{
	struct client_error e = {0};
	struct client c;
	struct stat st;
	int status;

	if (w->dir && (stat(w->dir, &st) || !S_ISDIR(st.st_mode) || access(w->dir, W_OK))) {
		fprintf(stderr, "husk dump: --dump-dir %s: %s\n", w->dir, errno ? strerror(errno) : "not a directory");
		return EXIT_HUSK;
	}
	if (client_connect(w->sandbox, &c, &e)) {
		fprintf(stderr, "husk dump: %s\n", e.text);
		return 1;
	}
	status = take(w, &c, &e);
	if (status < 0) {
		fprintf(stderr, "husk dump: %s\n", e.text);
		status = 1;
	}
	client_close(&c);
	if (fflush(stdout) || ferror(stdout)) {
		fputs("husk dump: cannot write to standard output\n", stderr);
		return EXIT_HUSK;
	}
	return status;
}

int cmd_dump(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"level", required_argument, NULL, 'd'}, {"dump-dir", required_argument, NULL, 'o'},
		{"kill", no_argument, NULL, 'k'},	 {"quiet", no_argument, NULL, 'q'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0},
	};
	struct wish w = {.level = -1};
	char *end;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":d:qh", longopts, NULL)) >= 0)
		switch (opt) {
		case 'd':
			w.level = strtol(optarg, &end, 10);
			if (*end || !*optarg || w.level < 0 || w.level > (long)MDUMP_D_MAX)
				return usage("--level wants a number from 0 to 31");
			break;
		case 'o':
			w.dir = optarg;
			break;
		case 'k':
			w.kill = true;
			break;
		case 'q':
			w.quiet = true;
			break;
		case 'h':
			fputs(help_text, stdout);
			return fflush(stdout) || ferror(stdout) ? EXIT_HUSK : 0;
		default:
			return usage(bad_option_text(opt, argv));
		}
	if (optind + 1 != argc)
		return usage(optind == argc ? "which SANDBOX? \"husk ps\" lists them" : "one SANDBOX at a time");
	w.sandbox = argv[optind];
	return run(&w);
}
