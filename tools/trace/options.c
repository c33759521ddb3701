// SPDX-License-Identifier: Apache-2.0
// The command line of husk trace: strace's options, and those of husk run that are passed on.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../bad_option.h"
#include "trace.h"

enum {
	OPT_HELP = 256,
	OPT_STATUS,
	OPT_INJECT,
	OPT_FAULT,
	OPT_SIGNAL,
	OPT_JSON,
	OPT_HISTOGRAM,
	OPT_NO_WAIT,
	OPT_DUMP,
	OPT_STAMPS,
	OPT_TIMES,
	OPT_FDS,
	OPT_SEPARATE,
	OPT_TRACE,
	OPT_RUN, /* and on: an option of husk run */
};

/* What husk run knows by the same name and husk trace does not; true: takes a value. */
static const struct run_option {
	const char *name;
	bool value;
} run_options[] = {
	{"platform", true},	  {"memory", true},	{"root", true},	      {"volume", true},
	{"read-only", false},	  {"env", true},	{"env-file", true},   {"clear-env", false},
	{"workdir", true},	  {"user", true},	{"hostname", true},   {"timeout", true},
	{"log-level", true},	  {"log", true},	{"jit", true},	      {"tty", false},
	{"overlay-size", true},	  {"max-tasks", true},	{"trap-only", false}, {"name", true},
	{"dump-dir", true},	  {"dump-level", true}, {"no-dump", false},   {"core-dir", true},
	{"allow-modules", false},
};
#define NRUN (sizeof(run_options) / sizeof(*run_options))

static const struct option own_options[] = {
	{"help", no_argument, NULL, OPT_HELP},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"status", required_argument, NULL, OPT_STATUS},
	{"inject", required_argument, NULL, OPT_INJECT},
	{"fault", required_argument, NULL, OPT_FAULT},
	{"signal", required_argument, NULL, OPT_SIGNAL},
	{"json", no_argument, NULL, OPT_JSON},
	{"histogram", no_argument, NULL, OPT_HISTOGRAM},
	{"no-wait", no_argument, NULL, OPT_NO_WAIT},
	{"dump-records", no_argument, NULL, OPT_DUMP},
	{"follow-forks", no_argument, NULL, 'f'},
	{"output", required_argument, NULL, 'o'},
	{"output-append-mode", no_argument, NULL, 'A'},
	{"output-separately", no_argument, NULL, OPT_SEPARATE},
	{"string-limit", required_argument, NULL, 's'},
	{"columns", required_argument, NULL, 'a'},
	{"absolute-timestamps", optional_argument, NULL, OPT_STAMPS},
	{"timestamps", optional_argument, NULL, OPT_STAMPS},
	{"relative-timestamps", no_argument, NULL, 'r'},
	{"syscall-times", optional_argument, NULL, OPT_TIMES},
	{"decode-fds", optional_argument, NULL, OPT_FDS},
	{"decode-pids", optional_argument, NULL, 'Y'},
	{"no-abbrev", no_argument, NULL, 'v'},
	{"const-print-style", required_argument, NULL, 'X'},
	{"instruction-pointer", no_argument, NULL, 'i'},
	{"syscall-number", no_argument, NULL, 'n'},
	{"successful-only", no_argument, NULL, 'z'},
	{"failed-only", no_argument, NULL, 'Z'},
	{"trace-path", required_argument, NULL, 'P'},
	{"attach", required_argument, NULL, 'p'},
	{"summary-only", no_argument, NULL, 'c'},
	{"summary", no_argument, NULL, 'C'},
	{"summary-sort-by", required_argument, NULL, 'S'},
	{"summary-wall-clock", no_argument, NULL, 'w'},
	{"stack-traces", no_argument, NULL, 'k'},
	{"stack-trace", no_argument, NULL, 'k'},
	{"quiet", optional_argument, NULL, 'q'},
};
#define NOWN (sizeof(own_options) / sizeof(*own_options))

static const char help[] =
	"Usage: husk trace [OPTIONS] -- PROGRAM [ARG...]\n"
	"       husk trace [OPTIONS] SANDBOX [PID...]\n\n"
	"Shows the system calls of PROGRAM, run in a sandbox of its own, or of a running sandbox (husk ps\n"
	"lists them) until Ctrl-C. Options are strace's; -f is implied.\n\n"
	"What is shown\n"
	"  -e, --trace=SET          only these calls: names, %file and other classes, /REGEX, !SET\n"
	"      --status=SET         only calls that were successful, failed, unfinished\n"
	"  -z, -Z                   only successful, only failed calls\n"
	"  -P, --trace-path=PATH    only calls that use PATH\n"
	"  -p, --attach=PID         only this process of the sandbox, and what it starts\n"
	"      --signal=SET         only these signals\n"
	"Output\n"
	"  -o, --output=FILE        to FILE, or \"|COMMAND\"; -A appends; -ff: FILE.PID for each task\n"
	"      --json               one JSON object a line\n"
	"  -s, --string-limit=N     so many bytes of strings (default 32)\n"
	"  -y, --decode-fds         what descriptors refer to; -Y: names of processes\n"
	"  -v, -x, -xx, -X raw      structures in full; strings in hexadecimal; flags as numbers\n"
	"  -t, -tt, -ttt, -r, -T    time of day, with microseconds, since 1970; since the last line; spent\n"
	"  -i, -n, -a N, -q         instruction pointer; call's number; column of results; fewer messages\n"
	"  -k, --stack-traces       where in the program, and where in the kernel it slept\n"
	"  -c, -C                   counts of calls, errors, time: instead, as well\n"
	"  -S, --summary-sort-by=BY time, calls, errors, name, latency, max, min (default time)\n"
	"      --histogram          and how the times of each call are spread\n"
	"Changing\n"
	"      --inject=SET:WHAT... error=E, retval=N, signal=S, delay_enter=T, delay_exit=T, when=N[..M][+STEP]\n"
	"      --fault=SET[:error=E]\n"
	"Sandbox\n"
	"  husk run's options, in their long form: --platform, --memory, --volume, --root, --env, ...\n"
	"      --no-wait            lose records (they are counted) rather than let the program wait\n\n"
	"The status is the program's own; 125 when husk trace failed.\n";

static struct option *all_options(void)
{
	static struct option o[NOWN + NRUN + 1];

	memcpy(o, own_options, sizeof(own_options));
	for (size_t i = 0; i < NRUN; i++)
		o[NOWN + i] =
			(struct option){run_options[i].name, run_options[i].value ? required_argument : no_argument,
					NULL, (int)(OPT_RUN + i)};
	return o;
}

static void bad(const char *fmt, const char *arg)
{
	char msg[512];

	snprintf(msg, sizeof(msg), fmt, arg);
	die("%s; see \"husk trace --help\"", msg);
}

static unsigned number(const char *what, const char *arg, unsigned long most)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end || errno || v > most)
		die("%s wants a number up to %lu, not \"%s\"; see \"husk trace --help\"", what, most, arg);
	return v;
}

static void set_calls(struct options *o, const char *set)
{
	char msg[256];

	if (filter_calls(set, o->calls, msg, sizeof(msg)))
		bad("%s", msg);
}

static void add_rule(struct options *o, const char *arg, bool fault)
{
	char msg[512];

	if (o->nrules == HOSTIF_TRACE_RULES)
		die("at most %d injections", HOSTIF_TRACE_RULES);
	if (inject_parse(arg, fault, &o->rules[o->nrules++], msg, sizeof(msg)))
		bad("%s", msg);
}

static void set_status(struct options *o, const char *set)
{
	char msg[256];

	if (filter_status(set, &o->statuses, msg, sizeof(msg)))
		bad("%s", msg);
}

static void set_signals(struct options *o, const char *set)
{
	char msg[256];

	if (filter_signals(set, &o->signals, msg, sizeof(msg)))
		bad("%s", msg);
}

void options_add_pids(struct options *o, const char *list)
{
	char *copy = strdup(list), *save;

	for (char *w = strtok_r(copy, ", \t\n", &save); w; w = strtok_r(NULL, ", \t\n", &save)) {
		if (o->npids == HOSTIF_TRACE_PIDS)
			die("at most %d processes", HOSTIF_TRACE_PIDS);
		o->pids[o->npids] = number("a process", w, 1 << 22);
		if (!o->pids[o->npids++])
			die("there is no process 0 in a sandbox");
	}
	free(copy);
}

static void add_path(struct options *o, const char *path)
{
	o->paths.path = xrealloc(o->paths.path, (o->paths.n + 1) * sizeof(char *));
	o->paths.path[o->paths.n++] = strdup(path);
}

/* -q, -qq, -qqq; or what is not to be said. Of husk trace's lines that is attach, exit and superseded; the other words are strace's. */
static void set_quiet(struct options *o, const char *set)
{
	static const char *const other[] = {"detach", "path-resolution", "path-resolve", "personality"};
	char *copy, *word, *save;

	if (!set) {
		o->quiet_superseded |= o->quiet_exit;
		o->quiet_exit |= o->quiet;
		o->quiet = true;
		return;
	}
	o->quiet = o->quiet_exit = o->quiet_superseded = false;
	copy = strdup(set);
	if (!copy)
		die("out of memory");
	for (word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bool all = !strcmp(word, "all"), known = all || !strcmp(word, "none");

		for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
			known |= !strcmp(word, other[i]);
		if (all || !strcmp(word, "attach"))
			o->quiet = known = true;
		if (all || !strcmp(word, "exit") || !strcmp(word, "exits"))
			o->quiet_exit = known = true;
		if (all || !strcmp(word, "superseded") || !strcmp(word, "thread-execve"))
			o->quiet_superseded = known = true;
		if (!known)
			bad("--quiet is attach, exit, superseded, all or none, not \"%s\"", word);
	}
	free(copy);
}

/* -e KEY=VALUE, or a set of calls. */
static void expression(struct options *o, const char *arg)
{
	const char *eq = strchr(arg, '='), *value = eq ? eq + 1 : arg;
	size_t n = eq ? (size_t)(eq - arg) : 0;
	char key[32];

	if (n >= sizeof(key))
		n = 0;
	memcpy(key, arg, n);
	key[n] = 0;
	if (!eq || !strcmp(key, "trace") || !strcmp(key, "t"))
		set_calls(o, value);
	else if (!strcmp(key, "inject"))
		add_rule(o, value, false);
	else if (!strcmp(key, "fault"))
		add_rule(o, value, true);
	else if (!strcmp(key, "status"))
		set_status(o, value);
	else if (!strcmp(key, "signal") || !strcmp(key, "signals") || !strcmp(key, "s"))
		set_signals(o, value);
	else if (!strcmp(key, "quiet") || !strcmp(key, "silent") || !strcmp(key, "q"))
		set_quiet(o, value);
	else if (!strcmp(key, "decode-fds") || !strcmp(key, "decode-fd"))
		o->decode.fd_paths = strcmp(value, "none");
	else if (!strcmp(key, "abbrev") && (!strcmp(value, "none") || !strcmp(value, "all")))
		o->decode.verbose = !strcmp(value, "none");
	else if (!strcmp(key, "raw") && (!strcmp(value, "none") || !strcmp(value, "all")))
		o->decode.raw = !strcmp(value, "all");
	else
		bad("-e %s: trace=, status=, signal=, inject=, fault=, decode-fds=, abbrev=none and raw=all are "
		    "understood",
		    arg);
}

static void more_time(struct options *o)
{
	o->time = o->time == TIME_NONE ? TIME_DAY : o->time == TIME_DAY ? TIME_DAY_US : TIME_EPOCH_US;
}

static void stamps(struct options *o, const char *arg)
{
	bool unix_time = arg && strstr(arg, "unix"), ns = arg && strstr(arg, "ns"), us = arg && strstr(arg, "us");

	if (arg && strstr(arg, "none"))
		o->time = TIME_NONE;
	else if (unix_time)
		o->time = ns ? TIME_EPOCH_NS : us ? TIME_EPOCH_US : TIME_EPOCH;
	else
		o->time = ns ? TIME_DAY_NS : us ? TIME_DAY_US : TIME_DAY;
}

static void const_style(struct options *o, const char *arg)
{
	if (!strcmp(arg, "raw"))
		o->decode.raw = true;
	else if (strcmp(arg, "abbrev"))
		bad("-X is raw or abbrev, not \"%s\"", arg);
}

static void run_option(struct options *o, unsigned i, const char *arg)
{
	char *text;

	if (!strcmp(run_options[i].name, "root"))
		o->root = arg;
	if (asprintf(&text, arg ? "--%s=%s" : "--%s", run_options[i].name, arg) < 0)
		die("out of memory");
	o->run_args = xrealloc(o->run_args, (o->nrun_args + 2) * sizeof(char *));
	o->run_args[o->nrun_args++] = text;
	o->run_args[o->nrun_args] = NULL;
}

static void find_run_option(struct options *o, const char *name, const char *arg)
{
	for (unsigned i = 0; i < NRUN; i++)
		if (!strcmp(run_options[i].name, name))
			run_option(o, i, arg);
}

static void output_option(struct options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'o':
		o->output = arg;
		break;
	case 'A':
		o->append = true;
		break;
	case 's':
		o->decode.string_limit = number("-s", arg, 1 << 20);
		break;
	case 'a':
		o->column = number("-a", arg, 1000);
		break;
	case 'x':
		o->decode.hex_strings++;
		break;
	case 'X':
		const_style(o, arg);
		break;
	case 'S':
		o->summary_sort = arg;
		break;
	}
}

static void one_option(struct options *o, int opt, const char *arg)
{
	switch (opt) {
	case 'e':
		expression(o, arg);
		break;
	case OPT_TRACE:
		set_calls(o, arg);
		break;
	case OPT_STATUS:
		set_status(o, arg);
		break;
	case OPT_SIGNAL:
		set_signals(o, arg);
		break;
	case OPT_INJECT:
	case OPT_FAULT:
		add_rule(o, arg, opt == OPT_FAULT);
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_HISTOGRAM:
		o->histogram = true;
		break;
	case OPT_NO_WAIT:
		o->no_wait = true;
		break;
	case OPT_DUMP:
		o->dump = true;
		break;
	case OPT_SEPARATE:
		o->separate = 2;
		break;
	case OPT_STAMPS:
		stamps(o, arg);
		break;
	case OPT_TIMES:
		o->durations = true;
		o->duration_digits = arg && !strcmp(arg, "ns")	 ? 9
				     : arg && !strcmp(arg, "ms") ? 3
				     : arg && !strcmp(arg, "s")	 ? 0
								 : 6;
		break;
	case OPT_FDS:
	case 'y':
		o->decode.fd_paths = !arg || strcmp(arg, "none");
		break;
	case 'Y':
		o->decode.decode_pids = true;
		break;
	case 'f':
		o->separate++;
		break;
	case 't':
		more_time(o);
		break;
	case 'r':
		o->relative_time = true;
		break;
	case 'T':
		o->durations = true;
		break;
	case 'v':
		o->decode.verbose = true;
		break;
	case 'i':
		o->instruction = true;
		break;
	case 'n':
		o->numbers = true;
		break;
	case 'k':
		o->stacks = true;
		break;
	case 'q':
		set_quiet(o, optarg);
		break;
	case 'z':
		o->statuses = STATUS_SUCCESSFUL;
		break;
	case 'Z':
		o->statuses = STATUS_FAILED;
		break;
	case 'P':
		add_path(o, arg);
		break;
	case 'p':
		options_add_pids(o, arg);
		break;
	case 'c':
	case 'C':
		o->summary = opt;
		break;
	case 'w':
		break; /* there is no other clock */
	case 'u':
		find_run_option(o, "user", arg);
		break;
	case 'E':
		find_run_option(o, "env", arg);
		break;
	default:
		if (opt >= OPT_RUN)
			run_option(o, opt - OPT_RUN, arg);
		else
			output_option(o, opt, arg);
	}
}

static void check(const struct options *o)
{
	static const char *const sorts[] = {"time",	"total-time", "time-total", "calls",   "count",	   "errors",
					    "error",	"name",	      "syscall",    "latency", "avg-time", "max",
					    "max-time", "min",	      "min-time",   "none",    "nothing"};
	bool known = false;

	for (size_t i = 0; i < sizeof(sorts) / sizeof(*sorts); i++)
		known |= !strcmp(o->summary_sort, sorts[i]);
	if (!known)
		bad("-S is time, calls, errors, name, latency, max, min or none, not \"%s\"", o->summary_sort);
	if (o->separate > 1 && !o->output)
		die("-ff needs -o FILE");
	if (o->json && o->separate > 1)
		die("--json goes to one file: not with -ff");
}

/**
 * options_parse - the command line
 * Return: what is left of argv: the program with its arguments, or SANDBOX; *program says which.
 */
char **options_parse(struct options *o, int argc, char **argv, bool *program)
{
	int opt;

	*o = (struct options){.decode.string_limit = 32,
			      .signals = ~0ULL,
			      .statuses = STATUS_ALL,
			      .summary_sort = "time",
			      .column = 40,
			      .duration_digits = 6};
	o->run_args = xrealloc(NULL, sizeof(char *));
	o->run_args[0] = NULL;
	memset(o->calls, 1, sizeof(o->calls));
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:hfFe:o:As:a:trTyYvxX:inkqzZP:p:cCS:wu:E:dDI:b:", all_options(),
				  NULL)) >= 0) {
		if (opt == 'h' || opt == OPT_HELP) {
			fputs(help, stdout);
			exit(fflush(stdout) ? EXIT_TRACE : 0);
		}
		if (opt == ':' || opt == '?')
			bad("%s", bad_option_text(opt, argv));
		if (strchr("dDIb", opt) && opt < 256)
			bad("option \"%s\" of strace has no meaning here", argv[optind - 1]);
		one_option(o, opt, optarg);
	}
	check(o);
	*program = optind > 1 && !strcmp(argv[optind - 1], "--");
	if (optind >= argc)
		die("no program and no sandbox to trace; see \"husk trace --help\"");
	return argv + optind;
}
