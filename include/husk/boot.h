/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's page, and the end of the sandbox. */
#ifndef HUSK_BOOT_H
#define HUSK_BOOT_H

#include <husk/types.h>
#include <hostif/hostif.h>

extern struct hostif_boot *boot; /* in the direct map; set by arch/x86 before anything else runs */

/* Functions run, last registered first, before the sandbox ends: write back, drain consoles. They may sleep. */
struct reboot_notifier {
	void (*fn)(void);
	struct reboot_notifier *next;
};
void register_reboot_notifier(struct reboot_notifier *n);
void kernel_shutdown(int wait_status) __noreturn;
void kernel_exec_failed(int err) __noreturn; /* the program could not be started: errno */

#endif
