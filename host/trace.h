/* SPDX-License-Identifier: Apache-2.0 */
/* What `husk run --trace-fd` and husk-trace say to each other before the guest starts. */
#ifndef HOST_TRACE_H
#define HOST_TRACE_H

#include <stdint.h>

/**
 * DOC: handing over
 *
 * The monitor sends one packet, struct trace_hello with RAM's descriptor (SCM_RIGHTS), when RAM is set up and nothing runs in it yet.
 * The reader maps RAM, fills in struct hostif_trace and answers with one byte; then the guest starts, traced from its first call.
 */
#define TRACE_HELLO_MAGIC 0x6563617254487368ULL
struct trace_hello {
	uint64_t magic;
	uint64_t ram_size;
	uint64_t trace_phys; /* struct hostif_trace */
};

struct sandbox;
struct err;
/* trace_hand_over: to the reader at the other end of config->trace_fd; before monitor_confine(). 0, or -1 with the reason. */
int trace_hand_over(struct sandbox *s, struct err *e);

#endif
