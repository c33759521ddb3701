// SPDX-License-Identifier: Apache-2.0
// Parameters of modules: "name=value" texts to variables and back.

#include <husk/moduleloader.h>
#include <husk/mm.h>

#define DEFINE_NUMBER(name, type, parse, ptype, fmt)                                                                   \
	static int set_##name(const char *val, const struct kernel_param *kp)                                          \
	{                                                                                                              \
		ptype v;                                                                                               \
		int err = val ? parse(val, 0, &v) : -EINVAL;                                                           \
                                                                                                                       \
		if (err)                                                                                               \
			return err;                                                                                    \
		if ((ptype)(type)v != v)                                                                               \
			return -ERANGE;                                                                                \
		*(type *)kp->arg = (type)v;                                                                            \
		return 0;                                                                                              \
	}                                                                                                              \
	static int get_##name(char *buf, size_t n, const struct kernel_param *kp)                                      \
	{                                                                                                              \
		return scnprintf(buf, n, fmt "\n", *(type *)kp->arg);                                                  \
	}                                                                                                              \
	const struct kernel_param_ops param_ops_##name = {.set = set_##name, .get = get_##name}

DEFINE_NUMBER(byte, u8, kstrtoull, unsigned long long, "%u");
DEFINE_NUMBER(short, short, kstrtoll, long long, "%d");
DEFINE_NUMBER(ushort, unsigned short, kstrtoull, unsigned long long, "%u");
DEFINE_NUMBER(int, int, kstrtoll, long long, "%d");
DEFINE_NUMBER(uint, unsigned int, kstrtoull, unsigned long long, "%u");
DEFINE_NUMBER(long, long, kstrtoll, long long, "%ld");
DEFINE_NUMBER(ulong, unsigned long, kstrtoull, unsigned long long, "%lu");
DEFINE_NUMBER(ullong, unsigned long long, kstrtoull, unsigned long long, "%llu");

/* a name alone is yes */
static int parse_bool(const char *val, bool *b)
{
	if (!val || !strcmp(val, "1") || *val == 'y' || *val == 'Y' || !strcmp(val, "on"))
		*b = true;
	else if (!strcmp(val, "0") || *val == 'n' || *val == 'N' || !strcmp(val, "off"))
		*b = false;
	else
		return -EINVAL;
	return 0;
}

static int set_bool(const char *val, const struct kernel_param *kp)
{
	return parse_bool(val, kp->arg);
}

static int set_invbool(const char *val, const struct kernel_param *kp)
{
	bool b;
	int err = parse_bool(val, &b);

	if (!err)
		*(bool *)kp->arg = !b;
	return err;
}

static int get_bool(char *buf, size_t n, const struct kernel_param *kp)
{
	return scnprintf(buf, n, "%c\n", *(bool *)kp->arg ? 'Y' : 'N');
}

static int get_invbool(char *buf, size_t n, const struct kernel_param *kp)
{
	return scnprintf(buf, n, "%c\n", *(bool *)kp->arg ? 'N' : 'Y');
}

const struct kernel_param_ops param_ops_bool = {.set = set_bool, .get = get_bool, .no_arg = true};
const struct kernel_param_ops param_ops_invbool = {.set = set_invbool, .get = get_invbool, .no_arg = true};

/* What a charp was given is allocated; what it starts with is the module's own text. */
static void free_charp(void *arg)
{
	char **p = arg;

	if (*p && !is_module_address(*p))
		kfree(*p);
	*p = NULL;
}

static int set_charp(const char *val, const struct kernel_param *kp)
{
	char *copy, *old = *(char **)kp->arg;

	if (!val)
		return -EINVAL;
	if (strnlen(val, 1025) > 1024)
		return -ENOSPC;
	copy = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	*(char **)kp->arg = copy;
	if (old && !is_module_address(old))
		kfree(old);
	return 0;
}

static int get_charp(char *buf, size_t n, const struct kernel_param *kp)
{
	return scnprintf(buf, n, "%s\n", *(char **)kp->arg ?: "(null)");
}

const struct kernel_param_ops param_ops_charp = {.set = set_charp, .get = get_charp, .free = free_charp};

static int set_string(const char *val, const struct kernel_param *kp)
{
	if (!val)
		return -EINVAL;
	return strscpy(kp->str->text, val, kp->str->max) < 0 ? -ENOSPC : 0;
}

static int get_string(char *buf, size_t n, const struct kernel_param *kp)
{
	return scnprintf(buf, n, "%s\n", kp->str->text);
}

const struct kernel_param_ops param_ops_string = {.set = set_string, .get = get_string};

static int set_array(const char *val, const struct kernel_param *kp)
{
	const struct kparam_array *a = kp->arr;
	unsigned int n = 0;
	int err = val ? 0 : -EINVAL;
	char *copy, *p;

	if (err)
		return err;
	copy = p = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (char *end; p && !err; p = end, n++) {
		struct kernel_param one = {.name = kp->name, .ops = a->ops};

		end = strchr(p, ',');
		if (end)
			*end++ = 0;
		if (n >= a->max) {
			pr_err("module parameter %s: at most %u values", kp->name, a->max);
			err = -EINVAL;
			break;
		}
		one.arg = (char *)a->elem + (size_t)n * a->elemsize;
		err = a->ops->set(p, &one);
	}
	kfree(copy);
	if (!err && a->num)
		*a->num = n;
	return err;
}

static int get_array(char *buf, size_t n, const struct kernel_param *kp)
{
	const struct kparam_array *a = kp->arr;
	unsigned int count = a->num ? min(*a->num, a->max) : a->max;
	size_t len = 0;

	for (unsigned int i = 0; i < count && len + 1 < n; i++) {
		struct kernel_param one = {.ops = a->ops, .arg = (char *)a->elem + (size_t)i * a->elemsize};

		if (len)
			buf[len - 1] = ','; /* in place of the newline */
		len += a->ops->get(buf + len, n - len, &one);
	}
	return (int)len;
}

static void free_array(void *arg)
{
	const struct kparam_array *a = arg;

	for (unsigned int i = 0; a->ops->free && i < a->max; i++)
		a->ops->free((char *)a->elem + (size_t)i * a->elemsize);
}

const struct kernel_param_ops param_ops_array = {.set = set_array, .get = get_array, .free = free_array};

/* "-" and "_" are one character in names. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && (*a == *b || ((*a == '-' || *a == '_') && (*b == '-' || *b == '_'))); a++, b++)
		;
	return !*a && !*b;
}

static int set_one(struct module *m, const char *name, const char *val)
{
	for (unsigned int i = 0; i < m->nparams; i++) {
		const struct kernel_param *kp = &m->params[i];
		int err;

		if (!same_name(name, kp->name))
			continue;
		err = !val && !kp->ops->no_arg ? -EINVAL : kp->ops->set(val, kp);
		if (err)
			pr_err("module %s: \"%s%s%s\" is not a value for that parameter (error %d)", m->name, name,
			       val ? "=" : "", val ?: "", err);
		return err;
	}
	pr_warn("module %s: there is no parameter \"%s\": ignored", m->name, name);
	return 0;
}

/* The next word of *p, which ends at white space outside of double quotes; the quotes are taken out. */
static char *next_word(char **p)
{
	char *s = *p, *out, *word;
	bool quoted = false;

	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	word = out = s;
	for (; *s && (quoted || (*s != ' ' && *s != '\t' && *s != '\n')); s++) {
		if (*s == '"')
			quoted = !quoted;
		else
			*out++ = *s;
	}
	*p = *s ? s + 1 : s;
	*out = 0;
	return word;
}

/**
 * module_parse_args - set m's parameters
 * @args: cut up. A name that m does not know is a warning, as in Linux. Return: 0 or what the parameter's type says.
 */
int module_parse_args(struct module *m, char *args)
{
	int err = 0;

	while (!err) {
		char *word = next_word(&args), *val;

		if (!*word)
			break;
		val = strchr(word, '=');
		if (val)
			*val++ = 0;
		err = set_one(m, word, val);
	}
	return err;
}

void module_free_params(struct module *m)
{
	for (unsigned int i = 0; i < m->nparams; i++)
		if (m->params[i].ops->free)
			m->params[i].ops->free(m->params[i].arg);
}
