/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner for forbidden instructions. */
#ifndef ARCH_X86_SCAN_H
#define ARCH_X86_SCAN_H

#ifdef HUSK_HOSTED
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint64_t u64;
#else
#include <husk/kernel.h>
#endif

enum forbidden { FORBIDDEN_NONE, FORBIDDEN_WRPKRU, FORBIDDEN_XRSTOR, FORBIDDEN_WRGSBASE };
/* scan_text: first forbidden sequence at or after *at in n bytes; *at is where its first byte lies, n when there is none */
enum forbidden scan_text(const u8 *p, size_t n, size_t *at);
/* text_plain: no system call in n >= 1 bytes and nothing like a forbidden sequence; what their end begins with is not looked at */
bool text_plain(const u8 *p, size_t n);

#endif
