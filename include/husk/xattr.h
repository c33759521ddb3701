/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes kept in memory, for tmpfs and its kind (fs/xattr.c). */
#ifndef HUSK_XATTR_H
#define HUSK_XATTR_H
#include <husk/fs.h>
#include <linux/xattr.h>
struct simple_xattrs {
	struct simple_xattr *head;
	spinlock_t lock;
};
ssize_t simple_xattr_get(struct simple_xattrs *x, const char *name, void *buf, size_t n);
int simple_xattr_set(struct simple_xattrs *x, const char *name, const void *v, size_t n,
		     int flags); /* v NULL: remove */
ssize_t simple_xattr_list(struct simple_xattrs *x, char *buf, size_t n);
void simple_xattrs_free(struct simple_xattrs *x);
#endif
