// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE directories: knowing which names they do not have.
 *
 * DOC: looking in vain
 *
 * A command is looked for in each directory of the PATH, a header in each directory of a list, a tool in many places: most lookups find
 * nothing, each another name, and cost a message there and back. So after some in vain a directory's names are asked for, if
 * one short answer holds them all. They stay with the inode as its listing does, until the directory changes, and are
 * believed as long as its attributes are. Only on read-only shares: elsewhere names come and go by our own doing. A name that begins with a
 * dot is always asked for: file systems have some of those that they do not list.
 */
#include "fuse_i.h"

#define ABSENT_AFTER 2	       /* lookups in vain before the names are fetched */
#define ABSENT_BUF (16 * 1024) /* of the answer: some 400 names */
#define ABSENT_ENTRIES 1024    /* a listing that somebody else wanted is searched up to this size */

/* What is known of dir's names: a reference or NULL */
static struct fuse_listing *known_names(struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l;

	if (!READ_ONCE(fi->names) && !READ_ONCE(fi->listing))
		return NULL;
	spin_lock(&dir->i_lock);
	l = fi->names ? fi->names : fi->listing;
	if (l && l->entries <= ABSENT_ENTRIES)
		refcount_inc(&l->refs);
	else
		l = NULL;
	spin_unlock(&dir->i_lock);
	return l;
}

/* Asks for all names; from then on they are known, or that they are too many. */
static void fetch_names(struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l;
	u32 version;

	mutex_lock(&fi->readdir_lock);
	version = READ_ONCE(fi->listing_version);
	if (READ_ONCE(fi->names)) /* somebody else was faster */
		goto out;
	l = fuse_list_names(dir, ABSENT_BUF);
	if (IS_ERR_OR_NULL(l)) {
		set_bit(FUSE_I_LARGE_DIR, &fi->state);
		goto out;
	}
	spin_lock(&dir->i_lock);
	if (fi->listing_version == version) {
		fi->names = l;
		l = NULL;
	}
	spin_unlock(&dir->i_lock);
	fuse_put_listing(l);
out:
	mutex_unlock(&fi->readdir_lock);
}

static bool has_name(const struct fuse_listing *l, const struct qstr *name)
{
	for (u32 at = 0; at < l->len; at = fuse_record_after(l, at))
		if (fuse_record_is(l, at, name))
			return true;
	return false;
}

bool fuse_is_absent(struct inode *dir, const struct qstr *name)
{
	struct fuse_inode *fi = get_fuse_inode(dir);
	struct fuse_listing *l;
	bool absent;

	if (!get_fuse_conn(dir)->readonly || !fuse_attr_fresh(dir) || name->name[0] == '.')
		return false;
	if (READ_ONCE(fi->absents) >= ABSENT_AFTER && !READ_ONCE(fi->names) && !test_bit(FUSE_I_LARGE_DIR, &fi->state))
		fetch_names(dir);
	l = known_names(dir);
	if (!l)
		return false;
	absent = !has_name(l, name);
	fuse_put_listing(l);
	return absent;
}

void fuse_note_absent(struct inode *dir)
{
	struct fuse_inode *fi = get_fuse_inode(dir);

	WRITE_ONCE(fi->absents, READ_ONCE(fi->absents) + 1);
}
