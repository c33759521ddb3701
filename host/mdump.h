/* SPDX-License-Identifier: Apache-2.0 */
/* The mini dump kernel's process, as the monitor sees it. docs/design/mini-dump.md */
#ifndef HOST_MDUMP_H
#define HOST_MDUMP_H

#include <stdbool.h>
#include <hostif/mdump.h>

struct sandbox;
struct err;
struct control_request;

/* mdump_start: once the jail's first process is there. -1 only where what was asked for cannot be had. mdump_arm: the boot page is complete. */
int mdump_start(struct sandbox *s, struct err *e);
void mdump_arm(struct sandbox *s);
/* mdump_crash: the dump process found the sandbox dead: it is over */
bool mdump_crash(struct sandbox *s);
/* mdump_finish: the sandbox has ended: waits for a dump that is due, shows its progress on a terminal */
void mdump_finish(struct sandbox *s);
void mdump_end(void); /* the process is gone for good, and no zombie of it is left */
/* mdump_report: where the dump is, or why there is none */
void mdump_report(struct sandbox *s);
const char *mdump_cause(struct sandbox *s); /* of the crash, by the dump process; "" */

/* "dump" of the control socket: level, answers when it is done. mdump_poll: those who wait are told */
int control_dump(struct control_request *r);
void mdump_poll(struct sandbox *s); /* and sandboxes end that were to end with their dump */
bool mdump_waiting(void);	    /* somebody wants to hear of progress */

/* mdump_dir.c */
int mdump_open_dir(const char *wanted, char *path, size_t n, char *why, size_t nwhy);
void mdump_leave_dir(
	void); /* the sandbox has ended: removes the directories that were made for it, if they are empty */
int mdump_connect(const char *to, struct err *e); /* unix:PATH or tcp:ADDRESS:PORT; a descriptor or -1 */
/* mdump_table.c */
int mdump_read_table(const char *kernel, struct mdump_ctl *ctl);

#endif
