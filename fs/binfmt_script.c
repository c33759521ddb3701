// SPDX-License-Identifier: Apache-2.0
// "#!" scripts: the first line names the interpreter and at most one argument.

#include <husk/binfmts.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *skip_blank(char *s)
{
	while (blank(*s))
		s++;
	return s;
}

static char *skip_word(char *s)
{
	while (*s && !blank(*s))
		s++;
	return s;
}

/* The two parts of the first line, in place; *arg NULL when there is none. 0 or -ENOEXEC */
static int parse_line(char *line, char **interp, char **arg)
{
	char *end = strchr(line, '\n'), *name = skip_blank(line + 2), *after;

	if (!end) { /* cut off: good enough when the interpreter's name is whole */
		end = line + strlen(line);
		if (end == line + BINPRM_BUF_SIZE && !*skip_word(name))
			return -ENOEXEC;
	}
	while (end > name && blank(end[-1]))
		end--;
	if (end <= name)
		return -ENOEXEC;
	*end = '\0';
	after = skip_word(name);
	*arg = NULL;
	if (*after) {
		*after++ = '\0';
		after = skip_blank(after);
		*arg = *after ? after : NULL;
	}
	*interp = name;
	return 0;
}

int load_script(struct linux_binprm *b)
{
	char line[BINPRM_BUF_SIZE + 1], *interp, *arg, *copy;
	const char *args[3];
	struct file *f;
	int n = 0, r;

	if (b->buf[0] != '#' || b->buf[1] != '!')
		return -ENOEXEC;
	memcpy(line, b->buf, BINPRM_BUF_SIZE);
	line[BINPRM_BUF_SIZE] = '\0';
	r = parse_line(line, &interp, &arg);
	if (r)
		return r;
	if (b->path_inaccessible) /* the interpreter could not open the script */
		return -ENOENT;
	args[n++] = interp;
	if (arg)
		args[n++] = arg;
	args[n++] = b->interp ? b->interp : b->path;
	r = strvec_replace_first(&b->argv, args, n);
	if (r)
		return r;
	copy = kstrdup(interp, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	kfree(b->interp);
	b->interp = copy;
	f = open_exec(AT_FDCWD, interp, 0);
	if (IS_ERR(f))
		return PTR_ERR(f);
	allow_write_access(b->file);
	fput(b->file);
	b->file = f;
	return 1;
}
