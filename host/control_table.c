// SPDX-License-Identifier: Apache-2.0
// The requests that the control socket knows: each subsystem of the monitor adds a line.

#include "control.h"
#include "mdump.h"

const struct control_command control_commands[] = {
	{"info", control_info}, /* who and what this sandbox is */
	{"ram", control_ram},	{"kernel", control_kernel}, {"stats", control_stats},
	{"kill", control_kill}, {"dump", control_dump},	    {NULL, NULL},
};
