/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of net/. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include <husk/net.h>

extern const struct file_operations socket_file_ops;

struct socket *sockfd_lookup(int fd, struct file **fp);
struct socket *sock_alloc(void);
void sock_release(struct socket *s);
struct file *sock_alloc_file(struct socket *s, int flags);
int sock_map_fd(struct socket *s, int flags);
int sock_create(int family, int type, int protocol, struct socket **res);
ssize_t sock_sendmsg(struct socket *s, struct msghdr *m);
ssize_t sock_recvmsg(struct socket *s, struct msghdr *m, int flags);
int move_addr_to_kernel(const void __user *u, int len, struct __kernel_sockaddr_storage *k);
int move_addr_to_user(const struct __kernel_sockaddr_storage *k, int klen, void __user *u, int __user *ulen);

#endif
