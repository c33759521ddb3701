/* SPDX-License-Identifier: Apache-2.0 */
/* husk top: what was asked for, and the screen. */
#ifndef TOOLS_SCREEN_H
#define TOOLS_SCREEN_H

#include "view.h"

/**
 * struct top - one run of husk top
 * @iterations: samples, 0: until it is quit (batch mode: 1). @only: the sandboxes that were named
 */
struct top {
	bool all, batch, threads, kernel, reverse;
	long iterations;
	double delay;
	enum row_sort sort;
	struct client_entry *only;
	size_t nonly;
	struct views views;
};

int top_update(struct top *t, const struct client_entry *tasks_of, struct client_error *e);
int screen(struct top *t); /* screen.c; the exit status */

#endif
