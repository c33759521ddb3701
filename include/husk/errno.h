/* SPDX-License-Identifier: Apache-2.0 */
/* Error numbers: the ABI's, and the kernel-internal ones that never reach user space. */
#ifndef HUSK_ERRNO_H
#define HUSK_ERRNO_H

#include <asm/errno.h>

#define ERESTARTSYS 512		  /* restart if SA_RESTART, else EINTR */
#define ERESTARTNOINTR 513	  /* always restart */
#define ERESTARTNOHAND 514	  /* restart if no handler runs, else EINTR */
#define ENOIOCTLCMD 515		  /* no such ioctl here: becomes ENOTTY */
#define ERESTART_RESTARTBLOCK 516 /* restart by restart_syscall(), else EINTR */

#endif
