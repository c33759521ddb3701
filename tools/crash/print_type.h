/* SPDX-License-Identifier: Apache-2.0 */
/* Printing values and layouts of types. */
#ifndef CRASH_PRINT_TYPE_H
#define CRASH_PRINT_TYPE_H

#include "crash.h"

/* the object of this type at a kernel address, without a newline; 0 or -1 */
int print_object(const char *name, Dwarf_Die *type, u64 addr, const struct member *m, bool hex);
void print_layout(Dwarf_Die *type, bool offsets);

#endif
