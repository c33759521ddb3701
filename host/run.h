/* SPDX-License-Identifier: Apache-2.0 */
/* One running sandbox, as the monitor's main thread keeps it. */
#ifndef HOST_RUN_H
#define HOST_RUN_H

#include <stdio.h>
#include "sandbox.h"

enum monitor_phase {
	PH_OPTIONS,
	PH_MEMORY,
	PH_JAIL,
	PH_KERNEL,
	PH_DEVICES,
	PH_THREADS,
	PH_ENDED,
	PH_DRAINED,
	PH_KILLED,
	PH_COUNT
};

struct sandbox {
	const struct sandbox_config *config;
	struct ram ram;
	struct jail jail;
	enum platform_kind platform; /* the one that was chosen */
	struct log_reader *log;
	int log_level, log_fd;
	uint64_t log_phys;
	struct console *console[3];
	unsigned nconsoles;
	struct {
		int fd;
		bool read_only;
		unsigned device;
	} share[MAX_VOLUMES + 1];
	unsigned nshares;
	bool stdin_tty;

	int signal_fd, event_fd; /* event_fd: state changed, or an output was drained */
	uint64_t pending;	 /* signals for the guest that it has no room for yet */
	uint64_t pending_since;
	uint64_t deadline; /* CLOCK_MONOTONIC, 0: none */
	bool timed_out, jail_dead;
	int jail_status; /* wait(2) encoding */
	unsigned urgent; /* SIGINT and SIGTERM so far */
	int last_urgent;
	int killed_by; /* the signal that ended the monitor's patience */
	uint64_t phase[PH_COUNT];
	uint64_t trace_phys; /* struct hostif_trace */
};

int sandbox_setup(struct sandbox *s, struct err *e);
uint32_t sandbox_log_size(void);

/* events.c: what comes from outside while the sandbox runs */
int events_init(struct sandbox *s, struct err *e); /* blocks the signals; call it first */
void events_signal(struct sandbox *s);		   /* the signal descriptor is readable */
void events_flush(struct sandbox *s);		   /* hand pending signals to the guest if it has room */
void events_post(struct sandbox *s, uint32_t bits);

/* report.c: how it ended */
int report_end(struct sandbox *s); /* messages, and the exit status */
void report_boot_time(struct sandbox *s);

#endif
