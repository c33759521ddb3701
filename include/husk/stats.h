/* SPDX-License-Identifier: Apache-2.0 */
/* Counters shown to the monitor on request; the layout is hostif/stats.h. */
#ifndef HUSK_STATS_H
#define HUSK_STATS_H

#include <husk/types.h>

struct task_struct;

void stats_task_gone(struct task_struct *t); /* t is being forgotten; tasklist_lock held for writing */
void stats_refresh(bool tasks);		     /* HOSTIF_EV_STATS; @tasks: the list too. Sleeps */
void stats_kill(void);			     /* HOSTIF_EV_KILL */

#endif
