// SPDX-License-Identifier: Apache-2.0
// husk module new: makes the folder of a new kernel module, ready for make.

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "top.h"

#define MODULE_NAME_MAX 55 /* MODULE_NAME_LEN - 1 of the kernel */

static const char usage_text[] =
	"Usage: husk module new NAME [DIR]\n\n"
	"Makes the folder DIR (default: NAME) with a small kernel module and its Makefile: \"make\"\n"
	"there builds NAME.ko, which root in a sandbox started with \"husk run --allow-modules\"\n"
	"loads with insmod.\n";

static const char source_text[] = "// SPDX-License-Identifier: Apache-2.0\n"
				  "// A kernel module of husk: docs/modules.md in husk's source tells what it can do.\n"
				  "\n"
				  "#include <husk/kernel.h>\n"
				  "#include <husk/module.h>\n"
				  "#include <husk/proc_fs.h>\n"
				  "\n"
				  "static char *who = \"world\";\n"
				  "module_param(who, charp, 0644);\n"
				  "MODULE_PARM_DESC(who, \"whom to greet\");\n"
				  "\n"
				  "static int @_show(struct seq_file *m, void *v)\n"
				  "{\n"
				  "\tseq_printf(m, \"hello, %s\\n\", who);\n"
				  "\treturn 0;\n"
				  "}\n"
				  "\n"
				  "static int __init @_init(void)\n"
				  "{\n"
				  "\tif (!proc_create_single(\"@\", 0444, NULL, @_show))\n"
				  "\t\treturn -ENOMEM;\n"
				  "\tpr_notice(\"@: loaded\\n\");\n"
				  "\treturn 0;\n"
				  "}\n"
				  "\n"
				  "static void __exit @_exit(void)\n"
				  "{\n"
				  "\tremove_proc_entry(\"@\", NULL);\n"
				  "}\n"
				  "\n"
				  "module_init(@_init);\n"
				  "module_exit(@_exit);\n"
				  "MODULE_LICENSE(\"GPL\");\n"
				  "MODULE_DESCRIPTION(\"greets in /proc/@\");\n"
				  "MODULE_VERSION(\"0.1\");\n";

static const char make_text[] = "# SPDX-License-Identifier: Apache-2.0\n"
				"# make: @.ko. For several sources: @-y := one.o two.o\n"
				"obj-m := @.o\n"
				"\n"
				"HUSK ?= $\n"
				"include $(HUSK)/module.mk\n";

static int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int complain(const char *fmt, ...)
{
	va_list ap;

	fputs("husk module: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_HUSK;
}

static int name_ok(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return 0;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return 0;
	return strlen(name) <= MODULE_NAME_MAX;
}

/* The folder with module.mk: the one that was built, beside this program, or an installed one. */
static int find_build(char *out, size_t n)
{
	static const char *const places[] = {"", "../lib/husk/build", "../../lib/husk/build"};
	const char *env = getenv("HUSK_BUILD");
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t len;

	if (env && *env)
		return snprintf(out, n, "%s", env) < (int)n ? 0 : -1;
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len <= 0)
		return -1;
	self[len] = 0;
	*(strrchr(self, '/') + 1) = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s%s/module.mk", self, places[i]);
		if (access(path, R_OK))
			continue;
		*strrchr(path, '/') = 0;
		len = strlen(path);
		while (len > 1 && path[len - 1] == '/')
			path[--len] = 0;
		return realpath(path, self) && snprintf(out, n, "%s", self) < (int)n ? 0 : -1;
	}
	return -1;
}

/* A file of text, with the module's name for each @, and the build's folder for a $ at the end of a line. 0 or -1. */
static int write_file(const char *dir, const char *file, const char *text, const char *name, const char *build)
{
	char path[PATH_MAX];
	FILE *f;
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	f = fopen(path, "wxe");
	if (!f)
		return -1;
	for (; *text; text++) {
		if (*text == '@')
			fputs(name, f);
		else if (*text == '$' && text[1] == '\n')
			fputs(build, f);
		else
			fputc(*text, f);
	}
	err = ferror(f);
	return fclose(f) || err ? -1 : 0;
}

static int remove_all(const char *dir, const char *const *files, int n)
{
	char path[PATH_MAX];

	while (n--)
		if (snprintf(path, sizeof(path), "%s/%s", dir, files[n]) < (int)sizeof(path))
			unlink(path);
	return rmdir(dir);
}

static int module_new(const char *name, const char *dir)
{
	char build[PATH_MAX], source[MODULE_NAME_MAX + 3];
	const char *files[] = {"Makefile", source, ".gitignore"};
	const char *texts[] = {make_text, source_text, "*.ko\n*.o\n*.d\n.*.mod.c\nModule.symvers\n"};

	if (!name_ok(name))
		return complain("\"%s\" cannot be a module's name: letters, digits and _, at most %d", name,
				MODULE_NAME_MAX);
	if (find_build(build, sizeof(build)))
		return complain("there is no module.mk beside this program: run make in husk's source, or set "
				"HUSK_BUILD to its build folder");
	snprintf(source, sizeof(source), "%s.c", name);
	if (mkdir(dir, 0777))
		return complain("cannot make the folder %s: %s", dir, strerror(errno));
	for (int i = 0; i < 3; i++) {
		if (!write_file(dir, files[i], texts[i], name, build))
			continue;
		complain("cannot write %s/%s: %s", dir, files[i], strerror(errno));
		remove_all(dir, files, i + 1);
		return EXIT_HUSK;
	}
	printf("%s: %s, Makefile. Build and load it:\n"
	       "  make -C %s && husk run --allow-modules -- sh -c 'insmod %s/%s.ko && cat /proc/%s'\n",
	       dir, source, dir, dir, name, name);
	return fflush(stdout) ? complain("cannot write to standard output: %s", strerror(errno)) : 0;
}

/* husk module new NAME [DIR] */
int cmd_module(int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (argc < 3 || argc > 4 || strcmp(argv[1], "new")) {
		if (argc > 1 && strcmp(argv[1], "new"))
			return complain("there is no \"husk module %s\"; see \"husk module --help\"", argv[1]);
		return complain(argc > 4 ? "too many arguments; see \"husk module --help\""
					 : "a name is missing: husk module new NAME [DIR]");
	}
	return module_new(argv[2], argv[argc - 1]);
}
