// SPDX-License-Identifier: Apache-2.0
// The husk command: finds the subcommand.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "husk.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct command commands[] = {
	{"run", "run a program in a sandbox of its own", cmd_run},
	{"help", "show this help, or that of a command", cmd_help},
	{"version", "show the version", cmd_version},
};
#define NCOMMANDS (sizeof(commands) / sizeof(*commands))

/* Commands that are programs of their own: libraries that the monitor has no use for stay out of it. */
static const struct external {
	const char *name, *program, *summary;
} externals[] = {
	{"trace", "husk-trace", "show the system calls of a program or of a running sandbox"},
	{"ps", "husk-top", "list the running sandboxes"},
	{"top", "husk-top", "watch the running sandboxes"},
	{"dump", "husk-top", "write a dump of a running sandbox"},
	{"crash", "husk-crash", "take a dump, or a running sandbox, apart"},
	{"module", "husk-top", "make the folder of a new kernel module"},
};
#define NEXTERNALS (sizeof(externals) / sizeof(*externals))

uint64_t command_start_ns;
unsigned command_stdio_closed;

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static const struct external *find_external(const char *name)
{
	for (size_t i = 0; i < NEXTERNALS; i++)
		if (!strcmp(externals[i].name, name))
			return &externals[i];
	return NULL;
}

/* Replaces this process by the command's own program, which lies beside this one or in ../libexec/husk. */
static int run_external(const struct external *x, char **argv)
{
	static const char *const places[] = {"", "../libexec/husk/"};
	char self[PATH_MAX], path[PATH_MAX + 64];

	own_path(self, sizeof(self));
	*(strrchr(self, '/') ? strrchr(self, '/') + 1 : self) = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s%s%s", self, places[i], x->program);
		execv(path, argv);
		if (errno != ENOENT)
			break;
	}
	fprintf(stderr, "husk: cannot start %s: %s%s\n", path, strerror(errno),
		errno == ENOENT ? "; \"make\" builds it beside husk" : "");
	return EXIT_HUSK;
}

static void help(FILE *f)
{
	fputs("Usage: husk COMMAND [OPTIONS]\n\n"
	      "Runs unmodified Linux programs inside a kernel of their own, as an ordinary user.\n\nCommands:\n",
	      f);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
	for (size_t i = 0; i < NEXTERNALS; i++)
		fprintf(f, "  %-10s %s\n", externals[i].name, externals[i].summary);
	fputs("\n\"husk COMMAND --help\" tells more about a command.\n"
	      "Example: husk run -- python3 -c 'print(\"hello\")'\n",
	      f);
}

/* Output that could not be written is an error: stdout may be closed or its disk full. */
static int finish_stdout(void)
{
	if (!(command_stdio_closed & 2) && !fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "husk: cannot write to standard output: %s\n",
		command_stdio_closed & 2 ? "it is closed" : "no room, or its reader is gone");
	return EXIT_HUSK;
}

static int cmd_help(int argc, char **argv)
{
	const struct external *x;
	const struct command *c;
	char *args[] = {NULL, (char *)"--help", NULL};

	if (argc > 1 && strcmp(argv[1], "--help") && strcmp(argv[1], "-h")) {
		c = find_command(argv[1]);
		x = find_external(argv[1]);
		args[0] = argv[1];
		if (x)
			return run_external(x, args);
		if (!c)
			return usage_error(NULL, "there is no command \"%s\"", argv[1]);
		if (c->main != cmd_help && c->main != cmd_version) {
			return c->main(2, args);
		}
	}
	help(stdout);
	return finish_stdout();
}

static int cmd_version(int argc, char **argv)
{
	printf("husk %s\n", HUSK_VERSION);
	return finish_stdout();
}

/* The command that the user may have meant: one that starts alike. */
static const char *guess(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strncmp(commands[i].name, name, 2))
			return commands[i].name;
	for (size_t i = 0; i < NEXTERNALS; i++)
		if (!strncmp(externals[i].name, name, 2))
			return externals[i].name;
	return NULL;
}

int usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "husk%s%s: ", command ? " " : "", command ?: "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see \"husk%s%s --help\"\n", command ? " " : "", command ?: "");
	return EXIT_HUSK;
}

/* What is opened later must not land on a closed standard descriptor. */
static void plug_stdio(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		command_stdio_closed |= 1u << fd;
		if (open("/dev/null", (fd ? O_WRONLY : O_RDONLY)) < 0)
			_exit(EXIT_HUSK);
	}
}

int main(int argc, char **argv)
{
	const struct command *c;

	command_start_ns = clock_ns();
	plug_stdio();
	if (argc < 2) {
		help(stderr);
		return EXIT_HUSK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return cmd_version(1, argv + 1);
	c = find_command(argv[1]);
	if (c)
		return c->main(argc - 1, argv + 1);
	if (find_external(argv[1]))
		return run_external(find_external(argv[1]), argv + 1);
	if (argv[1][0] == '-')
		return usage_error(NULL, "unknown option \"%s\"", argv[1]);
	if (guess(argv[1]))
		return usage_error(NULL, "there is no command \"%s\"; did you mean \"husk %s\"?", argv[1],
				   guess(argv[1]));
	return usage_error(NULL, "there is no command \"%s\"; to run a program: husk run -- %s", argv[1], argv[1]);
}
