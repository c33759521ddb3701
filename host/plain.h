/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of text nobody needs to change before they are run (host/plain.c). */
#ifndef HOST_PLAIN_H
#define HOST_PLAIN_H

#include <stdbool.h>

#define PLAIN_BYTES 4096

/* plain_page: p has no system call, nothing like an instruction that touches protection keys, and no beginning of one at its end */
bool plain_page(const unsigned char p[PLAIN_BYTES]);
#endif
