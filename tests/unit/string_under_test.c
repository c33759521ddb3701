// SPDX-License-Identifier: Apache-2.0
/* lib/string.c as the kernel compiles it, under names that do not clash with libc's. */
#define memcpy k_memcpy
#define memmove k_memmove
#define memset k_memset
#define memcmp k_memcmp
#define memchr k_memchr
#define strlen k_strlen
#define strnlen k_strnlen
#define strcmp k_strcmp
#define strncmp k_strncmp
#define strcasecmp k_strcasecmp
#define strchr k_strchr
#define strchrnul k_strchrnul
#define strrchr k_strrchr
#define strstr k_strstr
#define strcpy k_strcpy
#define strncpy k_strncpy
#define strcat k_strcat
#include "../../lib/string.c"
