/* SPDX-License-Identifier: Apache-2.0 */
/* Boot order: functions registered with these run from init/main.c, level by level, link order within a level. */
#ifndef HUSK_INIT_H
#define HUSK_INIT_H
#include <husk/types.h>
typedef int (*initcall_t)(void);
#define __initcall(fn, level) static initcall_t __initcall_##fn __used __section(".initcall" #level) = fn
#define core_initcall(fn) __initcall(fn, 1)   /* needs slab only */
#define subsys_initcall(fn) __initcall(fn, 2) /* kernel threads may be started */
#define fs_initcall(fn) __initcall(fn, 3)     /* file systems register */
#define device_initcall(fn) __initcall(fn, 4) /* root is not mounted yet; devtmpfs nodes may be made */
#define late_initcall(fn) __initcall(fn, 5)   /* root is mounted */
#endif
