// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE extended attributes.
 *
 * Most files have none, and most questions are about capabilities and ACLs that are not there: the first
 * question about an inode asks for the list of names, and if that is empty no further one leaves the
 * kernel until the attributes are fetched anew.
 */
#include "fuse_i.h"
#include <linux/xattr.h>

#define FUSE_XATTR_MAX 65536

/* GETXATTR (name) or LISTXATTR (no name) into a buffer of n bytes; n == 0 asks for the size. */
static ssize_t fuse_query_xattr(struct inode *i, const char *name, void *buf, size_t n)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req;
	struct fuse_getxattr_in *in;
	char *tmp = NULL;
	ssize_t ret;

	n = min_t(size_t, n, FUSE_XATTR_MAX);
	req = fuse_get_req(fc, name ? FUSE_GETXATTR : FUSE_LISTXATTR, get_node_id(i));
	if (n)
		tmp = kvmalloc(n, GFP_KERNEL);
	ret = -ENOMEM;
	if (!req || (n && !tmp))
		goto out;
	in = fuse_arg(req, sizeof(*in));
	in->size = n;
	if (name)
		fuse_arg_name(req, name, strlen(name));
	if (n) {
		req->one = (struct vq_buf){tmp, n};
		req->data = &req->one;
		req->ndata = 1;
		req->data_in = true;
	}
	ret = fuse_send(fc, req, n ? 0 : sizeof(struct fuse_getxattr_out));
	if (!ret && !n)
		ret = min_t(u32, req->out.getxattr.size, FUSE_XATTR_MAX);
	else if (!ret) {
		ret = min_t(size_t, fuse_data_len(req), n);
		memcpy(buf, tmp, ret);
	}
out:
	if (req)
		fuse_put_req(req);
	kvfree(tmp);
	if (ret == -ENOSYS) {
		fc->no_xattr = true;
		ret = -EOPNOTSUPP;
	}
	return ret;
}

static bool fuse_known_empty(struct inode *i)
{
	return fuse_attr_fresh(i) && test_bit(FUSE_I_NO_XATTR, &get_fuse_inode(i)->state);
}

/* Ask for the list's size once; true if there is nothing. */
static bool fuse_probe_empty(struct inode *i)
{
	if (!fuse_attr_fresh(i) || test_bit(FUSE_I_NO_XATTR, &get_fuse_inode(i)->state))
		return false;
	if (fuse_query_xattr(i, NULL, NULL, 0) != 0)
		return false;
	set_bit(FUSE_I_NO_XATTR, &get_fuse_inode(i)->state);
	return true;
}

ssize_t fuse_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n)
{
	if (get_fuse_conn(i)->no_xattr)
		return -EOPNOTSUPP;
	if (strlen(name) > XATTR_NAME_MAX)
		return -ERANGE;
	if (fuse_known_empty(i) || fuse_probe_empty(i))
		return -ENODATA;
	return fuse_query_xattr(i, name, buf, n);
}

ssize_t fuse_listxattr(struct dentry *d, char *buf, size_t n)
{
	struct inode *i = d_inode(d);

	if (get_fuse_conn(i)->no_xattr)
		return -EOPNOTSUPP;
	if (fuse_known_empty(i))
		return 0;
	return fuse_query_xattr(i, NULL, buf, n);
}

int fuse_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags)
{
	struct fuse_conn *fc = get_fuse_conn(i);
	struct fuse_req *req;
	void *copy = NULL;
	int err = -ENOMEM;

	if (fc->no_xattr)
		return -EOPNOTSUPP;
	if (strlen(name) > XATTR_NAME_MAX)
		return -ERANGE;
	if (n > FUSE_XATTR_MAX)
		return -E2BIG;
	req = fuse_get_req(fc, v ? FUSE_SETXATTR : FUSE_REMOVEXATTR, get_node_id(i));
	if (v && n)
		copy = kmemdup(v, n, GFP_KERNEL);
	if (!req || (v && n && !copy))
		goto out;
	if (v) { /* without FUSE_SETXATTR_EXT the structure ends here */
		struct fuse_setxattr_in *in = fuse_arg(req, FUSE_COMPAT_SETXATTR_IN_SIZE);

		in->size = n;
		in->flags = flags;
	}
	fuse_arg_name(req, name, strlen(name));
	if (copy) {
		req->one = (struct vq_buf){copy, n};
		req->data = &req->one;
		req->ndata = 1;
	}
	err = fuse_send(fc, req, 0);
	clear_bit(FUSE_I_NO_XATTR, &get_fuse_inode(i)->state);
	fuse_invalidate_attr(i);
out:
	if (req)
		fuse_put_req(req);
	kfree(copy);
	return err == -ENOSYS ? -EOPNOTSUPP : err;
}
