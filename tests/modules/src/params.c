// SPDX-License-Identifier: Apache-2.0
// Parameters of every type, shown in /proc/params.

#include <husk/kernel.h>
#include <husk/module.h>
#include <husk/proc_fs.h>

static u8 a_byte = 1;
static short a_short = -2;
static unsigned short a_ushort = 3;
static int an_int = -4;
static unsigned int a_uint = 5;
static long a_long = -6;
static unsigned long a_ulong = 7;
static char *a_text = "none";
static bool a_bool, an_invbool;
static int numbers[4] = {9, 9, 9, 9};
static unsigned int how_many;
static char *texts[3];
static unsigned int how_many_texts;
static char buffer[8] = "short";
static unsigned int changes;

module_param(a_byte, byte, 0644);
module_param(a_short, short, 0644);
module_param(a_ushort, ushort, 0644);
module_param(an_int, int, 0644);
MODULE_PARM_DESC(an_int, "an integer, of which there is much to say");
module_param(a_uint, uint, 0444);
module_param(a_long, long, 0644);
module_param(a_ulong, ulong, 0);
module_param_named(text, a_text, charp, 0644);
module_param(a_bool, bool, 0600);
module_param(an_invbool, invbool, 0644);
module_param_array(numbers, int, &how_many, 0644);
module_param_array(texts, charp, &how_many_texts, 0444);
module_param_string(buffer, buffer, sizeof(buffer), 0644);

static int even_set(const char *val, const struct kernel_param *kp)
{
	long long v;

	if (!val || kstrtoll(val, 0, &v) || v % 2)
		return -EDOM;
	*(int *)kp->arg = (int)v;
	changes++;
	return 0;
}
static int even_get(char *buf, size_t n, const struct kernel_param *kp)
{
	return scnprintf(buf, n, "%d (%u)\n", *(int *)kp->arg, changes);
}
static const struct kernel_param_ops even_ops = {.set = even_set, .get = even_get};
static int even;
module_param_cb(even, &even_ops, &even, 0644);

static int params_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u %d %u %d %u %ld %lu %s %d %d", a_byte, a_short, a_ushort, an_int, a_uint, a_long, a_ulong,
		   a_text, a_bool, an_invbool);
	for (unsigned int i = 0; i < how_many; i++)
		seq_printf(m, " %d", numbers[i]);
	for (unsigned int i = 0; i < how_many_texts; i++)
		seq_printf(m, " %s", texts[i]);
	seq_printf(m, " %s\n", buffer);
	return 0;
}

static int __init params_init(void)
{
	return proc_create_single("params", 0444, NULL, params_show) ? 0 : -ENOMEM;
}

static void __exit params_exit(void)
{
	remove_proc_entry("params", NULL);
}

module_init(params_init);
module_exit(params_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("the tests");
MODULE_DESCRIPTION("has parameters");
MODULE_VERSION("1.0");
