/* SPDX-License-Identifier: Apache-2.0 */
/* String and memory functions (lib/string.c in the kernel, libc in hosted builds). */
#ifndef HUSK_STRING_H
#define HUSK_STRING_H

#include <husk/types.h>
#ifdef HUSK_HOSTED
#include <string.h>
#else
void *memcpy(void *d, const void *s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcasecmp(const char *a, const char *b);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *h, const char *n);
char *strcpy(char *d, const char *s);
char *strncpy(char *d, const char *s, size_t n);
char *strcat(char *d, const char *s);
char *strchrnul(const char *s, int c);
#ifndef HUSK_STRING_IMPL
/* The compiler may inline small ones in spite of -fno-builtin. */
#define memcpy(d, s, n) __builtin_memcpy(d, s, n)
#define memmove(d, s, n) __builtin_memmove(d, s, n)
#define memset(d, c, n) __builtin_memset(d, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)
#endif
#endif
ssize_t strscpy(char *d, const char *s, size_t n); /* length, or -E2BIG when cut; always terminated */
char *kstrdup(const char *s, gfp_t gfp);
char *kstrndup(const char *s, size_t max, gfp_t gfp);
void *kmemdup(const void *s, size_t n, gfp_t gfp);
char *strim(char *s);
u32 crc32_le(u32 crc, const void *p, size_t n);
u64 hash_name(const void *salt, const char *name, unsigned int len); /* directory-entry hash */

#endif
