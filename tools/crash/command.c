// SPDX-License-Identifier: Apache-2.0
// The commands: their table, lines with quotes, pipes and files, help, arguments that are addresses.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crash.h"

#define MAX_WORDS 64

const struct command commands[] = {
	{"bt", "[-a|-A] [-l] [-f] [-k] [PID|TASK]...", "backtraces of kernel and program",
	 "Of the current task, or those named. -a: those that run, or crashed. -A: all. -l: with file and line.\n"
	 "-f: with what lies on the stack. -k: the kernel's frames only.",
	 cmd_bt},
	{"dis", "[-l] [-r] ADDRESS|SYMBOL [COUNT]", "disassemble",
	 "A function, or COUNT instructions from an address. -r: from the function's start to the address. -l: with "
	 "lines of source.",
	 cmd_dis},
	{"files", "[-R NAME] [PID|TASK]...", "open files, root and working directory",
	 "-R: only those whose path contains NAME.", cmd_files},
	{"foreach", "[user|kernel|active|NAME|PID]... COMMAND [ARGUMENT]...", "a command for many tasks",
	 "COMMAND is one of bt, vm, files, task, sig, set. NAME is a task's; \\NAME if it reads like a command.",
	 cmd_foreach},
	{"help", "[COMMAND]", "this list, or more about a command", "", cmd_help},
	{"kmem", "-i | -s [CACHE|ADDRESS] | -p [ADDRESS] | -f | ADDRESS", "memory of the kernel",
	 "-i: what RAM is used for. -s: object caches. -p: the page structures, or that of an address. -f: free "
	 "blocks.\n"
	 "With an address: what it belongs to.",
	 cmd_kmem},
	{"list", "[-h] ADDRESS [-o OFFSET|STRUCT.MEMBER] [-s STRUCT[.MEMBER]]", "follow a list",
	 "From a list head, each entry's address less the offset. -h: ADDRESS is an entry, not the head. -s: print "
	 "each.",
	 cmd_list},
	{"locks", "", "locks that are held or waited for", "", cmd_locks},
	{"log", "[-t] [-l LEVEL]", "the kernel log", "-t: without the time. -l: only lines of this level or graver.",
	 cmd_log},
	{"mod", "", "loadable modules", "", cmd_mod},
	{"mount", "[PID|TASK]", "mounts, as the task sees them", "", cmd_mount},
	{"p", "[-x] EXPRESSION", "print a variable: NAME, NAME.member, NAME[3].member", "-x: numbers in hexadecimal.",
	 cmd_print},
	{"ps", "[-k|-u|-G] [-p|-t|-a] [PID|TASK|NAME]...", "tasks",
	 "> marks those that run or crashed, ? those that are not on the task list. -k: kernel threads. -u: programs. "
	 "-G: leaders\n"
	 "only. -p: ancestors. -t: times. -a: arguments.",
	 cmd_ps},
	{"rd", "[-p|-u] [-8|-16|-32|-64] [-s|-S] ADDRESS|SYMBOL [COUNT]", "show memory",
	 "-p: a physical address. -u: of the current task's program. -s: with symbols. -a: text up to a NUL.", cmd_rd},
	{"runq", "", "tasks that run or are ready to", "", cmd_runq},
	{"search", "[-k|-u|-p] [-m MASK] [-c TEXT] VALUE...", "find values in memory",
	 "-k: the kernel's memory (default). -u: the current task's program. -p: all of RAM. -m: bits that do not "
	 "matter. -c: a string.",
	 cmd_search},
	{"set", "[PID|TASK]", "show or set the current task", "", cmd_set},
	{"sig", "[PID|TASK]...", "signals: pending, blocked, handlers", "", cmd_sig},
	{"struct", "NAME[.MEMBER] [-o] [-x] [ADDRESS|SYMBOL] [COUNT]", "a structure's layout, or one in memory",
	 "-o: with offsets. -x: numbers in hexadecimal. Members: NAME.a,b and NAME.a.b[3]; NAME may be a union or "
	 "typedef too.",
	 cmd_struct},
	{"sym", "[-l [PREFIX]] [-q TEXT] ADDRESS|SYMBOL...", "symbols of addresses, addresses of symbols",
	 "With file and line. -l: all that begin with PREFIX. -q: all whose name contains TEXT.", cmd_sym},
	{"sys", "[-i]", "the system: kernel, dump, cause", "", cmd_sys},
	{"task", "[-x] [PID|TASK] [-R MEMBER,...]", "the task_struct and thread_info of a task",
	 "-R: only these members.", cmd_task},
	{"union", "NAME ...", "as struct", "", cmd_struct},
	{"vm", "[-p] [PID|TASK]...", "an address space and its areas", "-p: each page too.", cmd_vm},
	{"vtop", "[-u|-k] ADDRESS...", "translate an address", "-u: of the current task's program.", cmd_vtop},
	{"whatis", "NAME", "the type of a variable, or what a type is", "", cmd_whatis},
	{NULL, NULL, NULL, NULL, NULL},
};

const struct command *find_command(const char *name)
{
	const struct command *found = NULL;
	size_t n = strlen(name);

	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		if (n > 1 && !strncmp(c->name, name, n)) {
			if (found)
				return NULL;
			found = c;
		}
	}
	return found;
}

int usage(const char *name)
{
	const struct command *c = find_command(name);

	complain("usage: %s %s", c->name, c->args);
	return -1;
}

int cmd_help(int argc, char **argv)
{
	const struct command *c;

	if (argc > 1) {
		c = find_command(argv[1]);
		if (!c) {
			complain("there is no command \"%s\"; \"help\" lists them", argv[1]);
			return -1;
		}
		f_str("name", "%s ", c->name);
		f_str("arguments", "%s\n", c->args);
		f_str("summary", "  %s\n", c->summary);
		f_str("help", *c->help ? "\n%s\n" : NULL, c->help);
		return 0;
	}
	list("commands");
	for (c = commands; c->name; c++) {
		obj(NULL);
		f_str("name", "%-9s", c->name);
		f_str("summary", " %s\n", c->summary);
		end();
	}
	end();
	text("\n\"help COMMAND\" tells more. A line may end in \"| PROGRAM\" or \"> FILE\". \"q\" leaves.\n");
	return 0;
}

/* ---- arguments ---- */

bool parse_count(const char *s, u64 *v)
{
	char *stop;

	errno = 0;
	*v = strtoull(s, &stop, !strncmp(s, "0x", 2) ? 16 : 10);
	return *s && isdigit((unsigned char)*s) && !*stop && !errno;
}

static bool parse_hex(const char *s, u64 *v)
{
	char *stop;

	errno = 0;
	*v = strtoull(s, &stop, 16);
	return isxdigit((unsigned char)*s) && !*stop && !errno;
}

/* A symbol comes before a number, so that "add" is the function; 0xadd is the number. */
bool parse_address(const char *s, u64 *v)
{
	char name[MAX_NAME];
	const char *plus = strchr(s, '+');
	const struct symbol *sym;
	u64 off = 0;

	if (plus) {
		if (!parse_count(plus + 1, &off) && !parse_hex(plus + 1, &off))
			goto bad;
		snprintf(name, sizeof(name), "%.*s", (int)(plus - s), s);
		s = name;
	}
	sym = symbol_named(s);
	if (sym)
		*v = sym->addr;
	else if (!parse_hex(s, v))
		goto bad;
	*v += off;
	return true;
bad:
	complain("%s is neither an address nor a symbol", s);
	return false;
}

/* ---- lines ---- */

static int split(char *line, char **words)
{
	int n = 0;

	for (;;) {
		char quote = 0, *to;

		line += strspn(line, " \t");
		if (!*line || n == MAX_WORDS - 1)
			break;
		words[n++] = to = line;
		for (; *line && (quote || !strchr(" \t", *line)); line++) {
			if (*line == quote)
				quote = 0;
			else if (!quote && (*line == '"' || *line == '\''))
				quote = *line;
			else
				*to++ = *line;
		}
		if (*line)
			line++;
		*to = 0;
	}
	words[n] = NULL;
	return n;
}

static void after_command(const char *name)
{
	if (read_faults)
		warn("%s: %lu place%s could not be read (the first at %llx: %s); what is shown is incomplete", name,
		     read_faults, read_faults == 1 ? "" : "s", (unsigned long long)read_fault_addr,
		     read_error(read_fault_status));
	read_faults = 0;
}

int run_words(int argc, char **argv)
{
	const struct command *c = find_command(argv[0]);
	u64 addr;
	int r;

	if (!c) {
		/* as crash(8): a structure's or a variable's name is a command too */
		Dwarf_Die t;
		char *args[MAX_WORDS + 1] = {(char *)(type_named(argv[0], &t) ? "struct" : "p")};

		if (!type_named(argv[0], &t) && !variable_named(argv[0], &t, &addr)) {
			complain("there is no command \"%s\"; \"help\" lists them", argv[0]);
			return -1;
		}
		for (int i = 0; i < argc && i < MAX_WORDS - 1; i++)
			args[i + 1] = argv[i];
		return run_words(argc + 1, args);
	}
	if (live) {
		core_forget();
		modules_forget();
		if (tasks_load())
			return -1;
	}
	read_faults = 0;
	out_begin(c->name);
	r = c->fn(argc, argv);
	after_command(c->name);
	if (interrupted) {
		complain("interrupted");
		r = -1;
	}
	out_end(r);
	return r;
}

/* A pager, for people only. */
static FILE *open_pager(void)
{
	const char *pager = getenv("PAGER");

	if (!isatty(0) || !isatty(1) || out_json)
		return NULL;
	if (!pager || !*pager)
		pager = access("/usr/bin/less", X_OK) ? NULL : "less -FRX";
	return pager && strcmp(pager, "cat") ? popen(pager, "w") : NULL;
}

static char *find_redirect(char *line)
{
	char quote = 0, last = 0;

	for (; *line; last = *line++) {
		if (*line == quote)
			quote = 0;
		else if (!quote && (*line == '"' || *line == '\''))
			quote = *line;
		else if (!quote && (*line == '|' || (*line == '>' && last != '-'))) /* not p->member */
			return line;
	}
	return NULL;
}

static FILE *open_redirect(const char *where)
{
	bool append = where[0] == '>' && where[1] == '>';
	const char *name = where + 1 + append;
	FILE *f;

	name += strspn(name, " \t");
	if (!*name) {
		complain("\"%c\" wants a %s", *where, *where == '|' ? "program" : "file");
		return NULL;
	}
	f = *where == '|' ? popen(name, "w") : fopen(name, append ? "ae" : "we");
	if (!f)
		complain("cannot open %s: %s", name, strerror(errno));
	return f;
}

int run_line(const char *text_line)
{
	char *line = strdup(text_line), *words[MAX_WORDS], *to;
	FILE *was = out, *f = NULL;
	bool pipe;
	int argc, r = -1;

	if (!line)
		abort();
	to = find_redirect(line);
	if (to) {
		f = open_redirect(to);
		if (!f)
			goto out;
	} else if (was == stdout) {
		f = open_pager();
	}
	pipe = !to || *to == '|';
	if (to)
		*to = 0;
	argc = split(line, words);
	if (f)
		out = f;
	r = argc ? run_words(argc, words) : 0;
	out = was;
	if (f && pipe)
		pclose(f);
	else if (f && fclose(f)) {
		complain("cannot write: %s", strerror(errno));
		r = -1;
	}
out:
	free(line);
	return r;
}
