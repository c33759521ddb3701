/* SPDX-License-Identifier: Apache-2.0 */
/* Included before everything in kernel files: every symbol lies in the image, so none is reached through a table. */
#ifndef __ASSEMBLY__
#pragma GCC visibility push(hidden)
#endif
