/* SPDX-License-Identifier: Apache-2.0 */
/* What uname(2) and /proc say of the system; the names that can be set are kernel/sys.c's. */
#ifndef HUSK_UTSNAME_H
#define HUSK_UTSNAME_H

#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "6.12.0-husk" /* the Linux whose system calls this kernel follows */
#define UTS_VERSION "#1 SMP husk " HUSK_VERSION
#define UTS_MACHINE "x86_64"
#define UTS_NAME_MAX 65 /* with the NUL */

extern char sys_nodename[], sys_domainname[];

#endif
