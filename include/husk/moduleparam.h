/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of modules: module_param(name, type, perm) and relatives; read and written below /sys/module/NAME/parameters. */
#ifndef HUSK_MODULEPARAM_H
#define HUSK_MODULEPARAM_H

#include <husk/types.h>

struct kernel_param;
/**
 * struct kernel_param_ops - how values of a type are read and shown
 * @set: 0 or -errno; val is NULL for a parameter given without "=". @get: the text into buf of n bytes, with a newline; its length
 */
struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buf, size_t n, const struct kernel_param *kp);
	void (*free)(void *arg);
	bool no_arg; /* may be given without a value */
};
struct kparam_array {
	unsigned int max, elemsize, *num;
	const struct kernel_param_ops *ops;
	void *elem;
};
struct kparam_string {
	unsigned int max;
	char *text;
};
struct kernel_param {
	const char *name;
	const struct kernel_param_ops *ops;
	u32 perm; /* in sysfs; 0: not there */
	union {
		void *arg;
		const struct kparam_array *arr;
		const struct kparam_string *str;
	};
};

extern const struct kernel_param_ops param_ops_byte, param_ops_short, param_ops_ushort, param_ops_int, param_ops_uint,
	param_ops_long, param_ops_ulong, param_ops_ullong, param_ops_charp, param_ops_bool, param_ops_invbool,
	param_ops_array, param_ops_string;

#define __module_param_call(pname, pops, parg, pperm)                                                                  \
	static struct kernel_param __param_##pname __used __section("__param")                                         \
		__aligned(8) = {.name = #pname, .ops = pops, .perm = pperm, .arg = (void *)(parg)}
/* bool is a macro: by the time a name is made of it, it is _Bool */
#define param_ops__Bool param_ops_bool
#define __param_type(pname, type) MODULE_INFO(parmtype, #pname ":" type)
#define __PARAM_TYPE_byte "byte"
#define __PARAM_TYPE_short "short"
#define __PARAM_TYPE_ushort "ushort"
#define __PARAM_TYPE_int "int"
#define __PARAM_TYPE_uint "uint"
#define __PARAM_TYPE_long "long"
#define __PARAM_TYPE_ulong "ulong"
#define __PARAM_TYPE_ullong "ullong"
#define __PARAM_TYPE_charp "charp"
#define __PARAM_TYPE__Bool "bool"
#define __PARAM_TYPE_invbool "invbool"
#define module_param_cb(name, ops, arg, perm) __module_param_call(name, ops, arg, perm)
/* type: byte short ushort int uint long ulong ullong charp bool invbool */
#define module_param_named(name, value, type, perm)                                                                    \
	__module_param_call(name, &param_ops_##type, &(value), perm);                                                  \
	__param_type(name, __PARAM_TYPE_##type)
#define module_param(name, type, perm) module_param_named(name, name, type, perm)
/* num: where the number of elements given is kept, or NULL */
#define module_param_array_named(name, array, type, nump, perm)                                                        \
	static const struct kparam_array __param_arr_##name = {ARRAY_SIZE(array), sizeof((array)[0]), nump,            \
							       &param_ops_##type, array};                              \
	__module_param_call(name, &param_ops_array, &__param_arr_##name, perm);                                        \
	__param_type(name, "array of " __PARAM_TYPE_##type)
#define module_param_array(name, type, nump, perm) module_param_array_named(name, name, type, nump, perm)
/* a text copied into an array */
#define module_param_string(name, string, len, perm)                                                                   \
	static const struct kparam_string __param_string_##name = {len, string};                                       \
	__module_param_call(name, &param_ops_string, &__param_string_##name, perm);                                    \
	__param_type(name, "string")

#endif
