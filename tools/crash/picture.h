/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of memory for the report, as inline SVG. */
#ifndef CRASH_PICTURE_H
#define CRASH_PICTURE_H

#include "crash.h"

void html_escape(FILE *f, const char *s);
void picture_ram(FILE *f);			   /* what RAM is used for, a cell for some pages */
void picture_space(FILE *f, const struct task *t); /* the areas of an address space */

#endif
