// SPDX-License-Identifier: Apache-2.0
// husk run: options, defaults, and one sandbox.

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../host/control.h"
#include "../host/mdump.h"
#include "bad_option.h"
#include "husk.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum {
	OPT_ROOT = 256,
	OPT_NAME,
	OPT_READ_ONLY,
	OPT_ENV_FILE,
	OPT_CLEAR_ENV,
	OPT_HOSTNAME,
	OPT_TIMEOUT,
	OPT_LOG_LEVEL,
	OPT_LOG,
	OPT_BOOT_TIME,
	OPT_PLATFORM,
	OPT_JIT,
	OPT_ALLOW_MODULES,
	OPT_CORE_DIR,
	OPT_TRAP_ONLY,
	OPT_MAX_TASKS,
	OPT_OVERLAY_SIZE,
	OPT_TRACE_FD,
	OPT_DUMP_DIR,
	OPT_DUMP_TO,
	OPT_DUMP_LEVEL,
	OPT_DUMP_COMPRESS,
	OPT_NO_DUMP,
	OPT_WATCHDOG,
	OPT_HELP,
};

static const struct option longopts[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"root", required_argument, NULL, OPT_ROOT},
	{"volume", required_argument, NULL, 'v'},
	{"read-only", no_argument, NULL, OPT_READ_ONLY},
	{"env", required_argument, NULL, 'e'},
	{"env-file", required_argument, NULL, OPT_ENV_FILE},
	{"clear-env", no_argument, NULL, OPT_CLEAR_ENV},
	{"workdir", required_argument, NULL, 'w'},
	{"user", required_argument, NULL, 'u'},
	{"hostname", required_argument, NULL, OPT_HOSTNAME},
	{"memory", required_argument, NULL, 'm'},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"log", required_argument, NULL, OPT_LOG},
	{"boot-time", no_argument, NULL, OPT_BOOT_TIME},
	{"platform", required_argument, NULL, OPT_PLATFORM},
	{"jit", required_argument, NULL, OPT_JIT},
	{"core-dir", required_argument, NULL, OPT_CORE_DIR},
	{"allow-modules", no_argument, NULL, OPT_ALLOW_MODULES},
	{"trap-only", no_argument, NULL, OPT_TRAP_ONLY},
	{"max-tasks", required_argument, NULL, OPT_MAX_TASKS},
	{"overlay-size", required_argument, NULL, OPT_OVERLAY_SIZE},
	{"tty", no_argument, NULL, 't'},
	{"interactive", no_argument, NULL, 'i'},
	{"trace-fd", required_argument, NULL, OPT_TRACE_FD},
	{"dump-dir", required_argument, NULL, OPT_DUMP_DIR},
	{"dump-to", required_argument, NULL, OPT_DUMP_TO},
	{"dump-level", required_argument, NULL, OPT_DUMP_LEVEL},
	{"dump-compress", required_argument, NULL, OPT_DUMP_COMPRESS},
	{"no-dump", no_argument, NULL, OPT_NO_DUMP},
	{"watchdog", required_argument, NULL, OPT_WATCHDOG},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help_text[] =
	"Usage: husk run [OPTIONS] [--] PROGRAM [ARG...]\n\n"
	"Runs PROGRAM in a sandbox with a kernel of its own. By default it sees this host's files,\n"
	"read-only under a layer in memory: nothing that it writes reaches the host.\n\n"
	"Files\n"
	"      --root DIR           directory that is the root file system (default /)\n"
	"  -v, --volume SRC:DST[:ro]\n"
	"                           share the host's directory SRC as DST; may be written unless :ro\n"
	"      --read-only          no layer in memory: the root cannot be written at all\n"
	"      --overlay-size SIZE  what the layer in memory may take (default: half of the memory)\n"
	"  -w, --workdir DIR        start in DIR (default: the current directory; / with --root)\n"
	"Program\n"
	"  -e, --env NAME[=VALUE]   set a variable; without =VALUE, pass on this shell's\n"
	"      --env-file FILE      variables, one NAME=VALUE a line\n"
	"      --clear-env          start with no environment but PATH\n"
	"  -u, --user USER[:GROUP]  names of the guest's /etc/passwd, or numbers (default: the caller)\n"
	"  -t, --tty                standard streams are a terminal inside, whatever they are here\n"
	"  -i, --interactive        accepted for docker's sake: standard input is always connected\n"
	"      --name NAME          what husk ps and the like call the sandbox (default husk-PID)\n"
	"      --hostname NAME      the host name inside (default husk)\n"
	"Limits\n"
	"  -m, --memory SIZE        memory, with k, m, g (default: most of what is free)\n"
	"      --max-tasks N        processes and threads (default 32768)\n"
	"      --timeout SECONDS    end everything after this time, with status 124\n"
	"      --core-dir DIR       programs that crash leave core.NAME.PID in the host's directory DIR\n"
	"Kernel\n"
	"      --platform NAME      pku, none (no protection between program and kernel) or auto\n"
	"      --jit MODE           strict (default) or fast: code that a program writes is not scanned\n"
	"      --allow-modules      root in the guest may load kernel modules, which are kernel code\n"
	"      --log-level LEVEL    kernel messages up to this: emerg ... err, warning, info, debug\n"
	"      --log FILE           write kernel messages to FILE, not to standard error\n"
	"      --dump-dir DIR       where a crash leaves its dump (default ~/.local/state/husk)\n"
	"      --dump-to ADDRESS    send it to unix:PATH or tcp:ADDRESS:PORT instead\n"
	"      --dump-level N       0 (all of memory) to 31 (default: what the kernel owns); see husk-dump(1)\n"
	"      --dump-compress HOW  none (default), zstd or lz4\n"
	"      --no-dump            leave none\n"
	"      --watchdog SECONDS   how long the kernel may hang before that is a crash (default 20; 0: for ever)\n"
	"      --boot-time          print milliseconds for each phase of the start\n"
	"      --trap-only          never patch system call sites (slow; for tests)\n"
	"      --help               show this help\n\n"
	"The status is the program's own; 128+N when signal N ended it; 124 time limit; 125 husk\n"
	"failed; 126 PROGRAM cannot be run; 127 it was not found; 70 the sandbox's kernel crashed.\n";

struct run_args {
	struct sandbox_config config;
	struct environment env, extra; /* extra: -e and --env-file, in order */
	const char *user;
	bool clear_env;
	struct err err;
};

#define usage(...) usage_error("run", __VA_ARGS__)

static int show_help(void)
{
	fputs(help_text, stdout);
	if (!(command_stdio_closed & 2) && !fflush(stdout))
		return 0;
	fputs("husk run: cannot write to standard output\n", stderr);
	return EXIT_HUSK;
}

static int add_env(struct run_args *r, const char *arg)
{
	const char *value;
	char *full;

	if (!*arg || *arg == '=')
		return usage("-e wants NAME=VALUE or NAME, not \"%s\"", arg);
	if (strchr(arg, '=')) {
		env_set(&r->extra, arg);
		return 0;
	}
	value = getenv(arg);
	if (!value) /* as docker: what is not set here is not set there */
		return 0;
	if (asprintf(&full, "%s=%s", arg, value) < 0)
		return usage("out of memory");
	env_set(&r->extra, full);
	free(full);
	return 0;
}

/* Core files go through a share of their own, whose place in the guest the kernel is told in core_pattern. */
static int set_core_dir(struct run_args *r, const char *arg)
{
	struct sandbox_config *c = &r->config;
	struct stat st;

	if (c->core_dir)
		return usage("--core-dir can be given once");
	if (c->nvolumes == MAX_VOLUMES)
		return usage("at most %d volumes, with the one of --core-dir", MAX_VOLUMES);
	if (stat(arg, &st) || access(arg, W_OK | X_OK)) {
		fprintf(stderr, "husk run: --core-dir %s: %s\n", arg, strerror(errno));
		return EXIT_HUSK;
	}
	if (!S_ISDIR(st.st_mode)) {
		fprintf(stderr, "husk run: --core-dir %s: not a directory\n", arg);
		return EXIT_HUSK;
	}
	c->core_dir = arg;
	c->volume[c->nvolumes].src = strdup(arg);
	c->volume[c->nvolumes].dst = strdup(CORE_DIR_INSIDE);
	if (!c->volume[c->nvolumes].src || !c->volume[c->nvolumes].dst)
		return usage("out of memory");
	c->nvolumes++;
	return 0;
}

static int set_platform(struct sandbox_config *c, const char *arg)
{
	static const char *const names[] = {
		[PLATFORM_NONE] = "none", [PLATFORM_PKU] = "pku", [PLATFORM_SKAS] = "skas", [PLATFORM_AUTO] = "auto"};

	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(arg, names[i])) {
			c->platform = i;
			return 0;
		}
	return usage("--platform is pku, skas, none or auto, not \"%s\"", arg);
}

static int set_jit(struct sandbox_config *c, const char *arg)
{
	if (strcmp(arg, "fast") && strcmp(arg, "strict"))
		return usage("--jit is fast or strict, not \"%s\"", arg);
	c->jit_fast = *arg == 'f';
	return 0;
}

static int set_hostname(struct sandbox_config *c, const char *arg)
{
	if (!*arg || strlen(arg) > 64)
		return usage("--hostname wants 1 to 64 characters");
	c->hostname = arg;
	return 0;
}

static int set_name(struct sandbox_config *c, const char *arg)
{
	if (!control_name_valid(arg))
		return usage(
			"--name wants 1 to %d letters, digits or _.- that begin with a letter or digit and are not a "
			"number, not \"%s\"",
			CONTROL_NAME_MAX, arg);
	c->name = arg;
	return 0;
}

static int set_log_level(struct sandbox_config *c, const char *arg)
{
	c->log_level = parse_log_level(arg);
	if (c->log_level < 0)
		return usage("--log-level is one of emerg, alert, crit, err, warning, notice, info, debug or 0 to 7, "
			     "not \"%s\"",
			     arg);
	return 0;
}

static int set_timeout(struct sandbox_config *c, const char *arg)
{
	if (parse_duration(arg, &c->timeout_ns))
		return usage("--timeout wants seconds (or 90s, 5m, 1h), not \"%s\"", arg);
	return 0;
}

static int set_memory(struct sandbox_config *c, const char *arg)
{
	if (parse_size(arg, &c->memory) || !c->memory)
		return usage("--memory wants a size like 512m or 2g, not \"%s\"", arg);
	return 0;
}

static int set_dump_level(struct sandbox_config *c, const char *arg)
{
	uint64_t level;

	if (parse_number(arg, MDUMP_D_MAX, &level))
		return usage("--dump-level wants a number from 0 to %u, not \"%s\"", MDUMP_D_MAX, arg);
	c->dump_level = level;
	return 0;
}

static int set_dump_compress(struct sandbox_config *c, const char *arg)
{
	static const char *const names[] = {[MDUMP_PLAIN] = "none", [MDUMP_ZSTD] = "zstd", [MDUMP_LZ4] = "lz4"};

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(arg, names[i])) {
			c->dump_compress = i;
			return 0;
		}
	return usage("--dump-compress is none, zstd or lz4, not \"%s\"", arg);
}

static int set_watchdog(struct sandbox_config *c, const char *arg)
{
	uint64_t ns;

	if (parse_duration(arg, &ns) || ns > 86400 * 1000000000ull || (ns && ns < 1000000000))
		return usage("--watchdog wants seconds from 1 to a day, or 0, not \"%s\"", arg);
	c->watchdog_s = ns / 1000000000;
	return 0;
}

/* A socket that husk trace opened for its child. */
static int set_trace_fd(struct sandbox_config *c, const char *arg)
{
	uint64_t fd;

	if (parse_number(arg, INT_MAX, &fd) || fd < 3 || fcntl(fd, F_GETFD) < 0)
		return usage("--trace-fd wants an open descriptor, not \"%s\"; husk trace gives it", arg);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	c->trace_fd = fd;
	return 0;
}

/* One option; 0, or the exit status of a wrong one. */
static int one_option(struct run_args *r, int opt, const char *arg)
{
	struct sandbox_config *c = &r->config;

	switch (opt) {
	case OPT_ROOT:
		c->root = arg;
		return 0;
	case 'v':
		return volume_add(&r->config, arg);
	case OPT_READ_ONLY:
		c->read_only = true;
		return 0;
	case 'e':
		return add_env(r, arg);
	case OPT_ENV_FILE:
		if (!env_read_file(&r->extra, arg, &r->err))
			return 0;
		fprintf(stderr, "husk run: %s\n", r->err.msg);
		return EXIT_HUSK;
	case OPT_CLEAR_ENV:
		r->clear_env = true;
		return 0;
	case 'w':
		c->cwd = clean_path(arg);
		return c->cwd ? 0 : usage("-w wants an absolute path, not \"%s\"", arg);
	case 'u':
		r->user = arg;
		return 0;
	case OPT_NAME:
		return set_name(c, arg);
	case OPT_HOSTNAME:
		return set_hostname(c, arg);
	case 'm':
		return set_memory(c, arg);
	case OPT_TIMEOUT:
		return set_timeout(c, arg);
	case OPT_LOG_LEVEL:
		return set_log_level(c, arg);
	case OPT_LOG:
		c->log_file = arg;
		return 0;
	case OPT_DUMP_DIR:
		c->dump_dir = arg;
		return *arg ? 0 : usage("--dump-dir wants a directory");
	case OPT_DUMP_TO:
		c->dump_to = arg;
		return 0;
	case OPT_DUMP_LEVEL:
		return set_dump_level(c, arg);
	case OPT_DUMP_COMPRESS:
		return set_dump_compress(c, arg);
	case OPT_NO_DUMP:
		c->no_dump = true;
		return 0;
	case OPT_WATCHDOG:
		return set_watchdog(c, arg);
	case OPT_TRACE_FD:
		return set_trace_fd(c, arg);
	case OPT_BOOT_TIME:
		c->boot_time = true;
		return 0;
	case OPT_PLATFORM:
		return set_platform(c, arg);
	case OPT_JIT:
		return set_jit(c, arg);
	case OPT_ALLOW_MODULES:
		c->allow_modules = true;
		return 0;
	case OPT_CORE_DIR:
		return set_core_dir(r, arg);
	case OPT_TRAP_ONLY:
		c->trap_only = true;
		return 0;
	case OPT_MAX_TASKS:
		if (parse_number(arg, 1 << 22, &c->max_tasks) || !c->max_tasks)
			return usage("--max-tasks wants a number from 1 on, not \"%s\"", arg);
		return 0;
	case OPT_OVERLAY_SIZE:
		if (parse_size(arg, &c->overlay_size) || !c->overlay_size)
			return usage("--overlay-size wants a size like 512m, not \"%s\"", arg);
		return 0;
	case 't':
		c->force_tty = true;
		return 0;
	case 'i':
		return 0;
	}
	return usage("unknown option");
}

/* getopt's ':' and '?': which option it was */

/* 0, an exit status, or -1 when help was asked for and shown */
static int parse_options(struct run_args *r, int argc, char **argv, int *help_status)
{
	int opt, status;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "+:v:e:w:u:m:tih", longopts, NULL)) >= 0) {
		if (opt == OPT_HELP || opt == 'h') {
			*help_status = show_help();
			return -1;
		}
		status =
			opt == '?' || opt == ':' ? usage("%s", bad_option_text(opt, argv)) : one_option(r, opt, optarg);
		if (status)
			return status;
	}
	if (optind >= argc)
		return usage("no program to run");
	r->config.argv = argv + optind;
	return 0;
}

static void default_user(struct sandbox_config *c)
{
	gid_t groups[1024];
	int n = getgroups(1024, groups);

	c->uid = geteuid();
	c->gid = getegid();
	for (int i = 0; i < n && c->ngroups < 64; i++)
		c->groups[c->ngroups++] = groups[i];
	c->umask = umask(0);
	umask(c->umask);
}

/* In order: the caller's environment or nothing, the user's HOME, then -e and --env-file. */
static int finish_environment(struct run_args *r, const char *home)
{
	char *text;

	if (r->clear_env)
		env_set(&r->env, DEFAULT_PATH);
	else
		env_copy(&r->env, environ);
	if (home) {
		if (asprintf(&text, "HOME=%s", home) < 0)
			return usage("out of memory");
		env_set(&r->env, text);
		free(text);
	}
	for (size_t i = 0; i < r->extra.n; i++)
		env_set(&r->env, r->extra.var[i]);
	r->config.envp = r->env.var;
	return 0;
}

static int check_root(struct sandbox_config *c, struct err *e)
{
	struct stat st;

	if (stat(c->root, &st))
		return err_set(e, EXIT_HUSK, "--root %s: %s", c->root, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, EXIT_HUSK, "--root %s is not a directory", c->root);
	return 0;
}

static int finish(struct run_args *r, struct err *e)
{
	static char cwd[PATH_MAX], kernel[PATH_MAX];
	struct sandbox_config *c = &r->config;
	char *home = NULL;

	if (check_root(c, e))
		return -1;
	if (!c->cwd)
		c->cwd = strcmp(c->root, "/") || !getcwd(cwd, sizeof(cwd)) || cwd[0] != '/' ? "/" : cwd;
	else if (!guest_directory(c, c->cwd, c->nvolumes, NULL))
		return err_set(e, EXIT_HUSK,
			       "-w: there is no directory %s in the guest; choose another, or share it with -v",
			       c->cwd);
	if (volumes_check(c, e))
		return -1;
	if (r->user && user_resolve(c->root, r->user, c, &home, e))
		return -1;
	if (finish_environment(r, home))
		return err_set(e, EXIT_HUSK, "cannot make the environment");
	if (find_kernel(kernel, sizeof(kernel)))
		return err_set(e, EXIT_HUSK, "there is no kernel image %s; run make, or set HUSK_KERNEL", kernel);
	c->kernel = kernel;
	return 0;
}

int cmd_run(int argc, char **argv)
{
	static struct run_args r = {
		.config = {.root = "/",
			   .hostname = "husk",
			   .log_level = -1,
			   .dump_level = MDUMP_D_DEFAULT,
			   .watchdog_s = 20,
			   .platform = PLATFORM_AUTO,
			   .trace_fd = -1},
	};
	int status, help_status = 0;

	r.config.start_ns = command_start_ns;
	r.config.stdio_closed = command_stdio_closed;
	default_user(&r.config);
	status = parse_options(&r, argc, argv, &help_status);
	if (status)
		return status < 0 ? help_status : status;
	if (!finish(&r, &r.err)) {
		status = sandbox_run(&r.config, &r.err);
		if (status >= 0)
			_exit(status);
	}
	say("%s", r.err.msg);
	_exit(r.err.status ? r.err.status : EXIT_HUSK);
}
