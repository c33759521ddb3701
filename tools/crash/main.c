// SPDX-License-Identifier: Apache-2.0
// husk crash: takes a dump, or a running sandbox, apart. Options, the prompt, messages.

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<editline/readline.h>)
#include <editline/readline.h>
#endif
#include "../bad_option.h"
#include "crash.h"

bool live;
volatile bool interrupted;
static bool prompting;

void complain(const char *fmt, ...)
{
	va_list ap;

	if (out)
		fflush(out);
	fputs(prompting ? "" : "husk crash: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	if (out)
		fflush(out);
	fputs("husk crash: warning: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void help(FILE *f)
{
	fputs("Usage: husk crash [OPTIONS] VMCORE\n"
	      "       husk crash [OPTIONS] --live SANDBOX\n\n"
	      "Takes a dump that husk wrote, or a running sandbox, apart: tasks, backtraces, memory, files, the "
	      "log.\n\n"
	      "  -c COMMANDS         run these, separated by ;, and end; may be given again\n"
	      "  -i FILE             run the commands in FILE, a line each, and end\n"
	      "  -k, --kernel FILE   the kernel with its symbols; default: husk-kernel beside the command\n"
	      "      --live SANDBOX  look into a running sandbox: a name, a pid, the start of a name\n"
	      "      --json          one JSON object a command\n"
	      "      --html FILE     write a report as one web page, and end\n"
	      "      --extract FILE  write a compressed dump as an ELF file, and end\n"
	      "  -s, --silent        no summary at the start\n"
	      "  -h, --help          this help\n\n"
	      "\"help\" at the prompt lists the commands. The status is 1 if a command failed, 125 if the dump could "
	      "not be read.\n"
	      "Example: husk crash -c 'sys; bt; log' vmcore-mybox-20260105-101500\n",
	      f);
}

enum { OPT_LIVE = 256, OPT_JSON, OPT_HTML, OPT_EXTRACT };
struct options {
	const char *kernel, *live, *html, *extract, *core;
	char *script;
	size_t script_size;
	bool scripted, silent;
};

static void add_script(struct options *o, const char *s, size_t n)
{
	o->script = realloc(o->script, o->script_size + n + 2);
	if (!o->script)
		abort();
	memcpy(o->script + o->script_size, s, n);
	o->script_size += n;
	o->script[o->script_size++] = '\n';
	o->script[o->script_size] = 0;
	o->scripted = true;
}

static int add_file(struct options *o, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!f) {
		complain("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	while ((n = getline(&line, &room, f)) >= 0)
		add_script(o, line, (size_t)n);
	add_script(o, "", 0);
	free(line);
	fclose(f);
	return 0;
}

static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"kernel", 1, NULL, 'k'},	   {"live", 1, NULL, OPT_LIVE}, {"json", 0, NULL, OPT_JSON},
		{"html", 1, NULL, OPT_HTML},	   {"help", 0, NULL, 'h'},	{"silent", 0, NULL, 's'},
		{"extract", 1, NULL, OPT_EXTRACT}, {NULL, 0, NULL, 0}};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:i:k:hs", longs, NULL)) >= 0) {
		switch (c) {
		case 'c':
			add_script(o, optarg, strlen(optarg));
			break;
		case 'i':
			if (add_file(o, optarg))
				return -1;
			break;
		case 'k':
			o->kernel = optarg;
			break;
		case 's':
			o->silent = true;
			break;
		case OPT_LIVE:
			o->live = optarg;
			break;
		case OPT_JSON:
			out_json = true;
			break;
		case OPT_HTML:
			o->html = optarg;
			break;
		case OPT_EXTRACT:
			o->extract = optarg;
			break;
		case 'h':
			help(stdout);
			exit(0);
		default:
			complain("%s; see \"husk crash --help\"", bad_option_text(c, argv));
			return -1;
		}
	}
	if (optind < argc)
		o->core = argv[optind++];
	if (optind < argc || !o->core == !o->live) {
		complain("%s; see \"husk crash --help\"", optind < argc ? "one dump at a time"
							  : o->live	? "give a dump or --live SANDBOX, not both"
								    : "which dump? Give its file, or --live SANDBOX");
		return -1;
	}
	return 0;
}

static void on_interrupt(int sig)
{
	interrupted = true;
}

static void catch_interrupt(void)
{
	struct sigaction sa = {.sa_handler = on_interrupt};

	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Splits at ; and newlines that stand outside of quotes. Words in quotes keep them for run_line(). */
static int run_script(char *s)
{
	int failed = 0;

	while (*s && !interrupted) {
		char *e = s, quote = 0;

		for (; *e && (quote || (*e != ';' && *e != '\n')); e++)
			quote = *e == quote ? 0 : !quote && (*e == '"' || *e == '\'') ? *e : quote;
		if (*e)
			*e++ = 0;
		s += strspn(s, " \t");
		if (*s && *s != '#')
			failed |= run_line(s) != 0;
		s = e;
	}
	return failed;
}

/* A line without its newline, for free(); NULL: the end. With libedit it can be edited and recalled. */
static char *read_line(bool tty)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

#if __has_include(<editline/readline.h>)
	if (tty) {
		line = readline("crash> ");
		if (line && *line)
			add_history(line);
		return line;
	}
#endif
	if (tty) {
		fputs("crash> ", stdout);
		fflush(stdout);
	}
	n = getline(&line, &room, stdin);
	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = 0;
	return line;
}

static int run_prompt(void)
{
	bool tty = isatty(0) && isatty(1), leave = false;
	int failed = 0;

	prompting = tty;
	while (!leave) {
		char *line;

		interrupted = false;
		errno = 0;
		line = read_line(tty);
		if (!line && interrupted && tty) {
			clearerr(stdin);
			fputc('\n', stdout);
			continue;
		}
		if (!line)
			break;
		leave = !strcmp(line, "q") || !strcmp(line, "quit") || !strcmp(line, "exit");
		if (!leave && line[strspn(line, " \t")])
			failed |= run_script(line);
		free(line);
	}
	if (tty && !leave)
		fputc('\n', stdout);
	return tty ? 0 : failed;
}

/* A script's report that is not all there must not look as if it were; who closed a pipe early wanted no more. */
static bool lost_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return false;
	if (errno != EPIPE)
		complain("cannot write all of the output: %s", strerror(errno));
	return errno != EPIPE;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	int r, kernel_fd = -1;

	out = stdout;
	if (parse_options(argc, argv, &o))
		return EXIT_CRASH;
	catch_interrupt();
	if (o.extract) {
		if (o.live) {
			complain("--extract takes a dump, not a running sandbox; \"husk dump\" writes one");
			return EXIT_CRASH;
		}
		return core_extract(o.core, o.extract) ? EXIT_CRASH : 0;
	}
	live = o.live != NULL;
	if (live && core_open_live(o.live, &kernel_fd, &o.kernel))
		return EXIT_CRASH;
	if (kernel_open(o.kernel, kernel_fd) || (!live && core_open(o.core)))
		return EXIT_CRASH;
	core_find_ram_size();
	if (kernel_check() || tasks_load())
		return EXIT_CRASH;
	if (o.html)
		return html_report(o.html) ? EXIT_CRASH : 0;
	if (o.scripted)
		return run_script(o.script) || lost_output() ? 1 : 0;
	if (!o.silent && !out_json)
		run_line("sys");
	r = run_prompt();
	return r || lost_output() ? 1 : 0;
}
