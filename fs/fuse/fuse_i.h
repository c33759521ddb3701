/* SPDX-License-Identifier: Apache-2.0 */
/* Internals of the FUSE client: connection, requests, inodes. */
#ifndef FUSE_I_H
#define FUSE_I_H

#include <husk/fs.h>
#include <husk/fuse.h>
#include <husk/virtio.h>
#include <linux/fuse.h>
#include <linux/fs.h>
#include <linux/falloc.h>

#define FUSE_MAX_SEGS 120     /* pieces of data of one request */
#define FUSE_MAX_IO_PAGES 256 /* pages of one READ or WRITE */
#define FUSE_IN_ROOM 640      /* arguments and two names */
#define FUSE_OUT_ROOM 192
#define FUSE_FORGET_BATCH 64
#define FUSE_SPIN_NS 100000
#define FUSE_STAT_HEAT_MAX 64

/**
 * struct fuse_conn - one share: its queue, what the server can do, its super block
 *
 * Waiting for answers (leader, followers, and every request's state) is under the queue's lock.
 */
struct fuse_conn {
	struct hostif_device *dev;
	struct virtqueue *vq;
	struct super_block *sb;
	unsigned max_chain;
	struct fuse_req *leader;    /* sleeps on the queue's doorbell */
	struct list_head followers; /* sleep on their own state */
	u64 unique;
	u32 max_write, max_pages;
	u64 clock0, ns0;  /* for fuse_deadline() */
	u64 attr_version; /* atomic; grows with each local change of a size */
	bool readonly;
	bool no_open, no_opendir, no_flush, no_fsync, no_fsyncdir, no_xattr, no_create, no_tmpfile;
	bool no_fallocate, no_lseek, no_copy, no_rename2, no_plus;
	int stat_heat;		 /* > 0: listings are lately followed by stats; racy */
	int pf_heat;		 /* > 0: directories are lately read file by file; racy */
	u32 reading;		 /* READs under way that nobody waits for; atomic */
	char *readdir_buf;	 /* a spare one; exchanged */
	spinlock_t walk_lock;	 /* walk.c */
	struct list_head aheads; /* listings asked for ahead of a walk, naheads of them */
	unsigned naheads;
	int walk_heat;	/* > 0: the last guess at the next directory was right; racy */
	u64 walk_guess; /* nodeid of the directory that should be listed next; racy */
	spinlock_t forget_lock;
	struct fuse_forget_batch *forgets;
};

/* What a request's state says; the word is a futex while FUSE_REQ_ASLEEP. */
enum { FUSE_REQ_SENT, FUSE_REQ_ASLEEP, FUSE_REQ_LEAD, FUSE_REQ_DONE };

/**
 * struct fuse_req - one request, from the slab so that the server can reach it
 * @in: header and small arguments, contiguous; @in_len so far
 * @data: larger pieces, read by the server, or written when @data_in
 */
struct fuse_req {
	struct list_head node;
	u32 state;
	u32 out_len;	 /* bytes of @out and data that the server wrote */
	bool background; /* nobody waits: freed when done */
	bool data_in;
	u16 in_len, out_args, out_more; /* fixed part of the answer, and room for what may follow it there */
	u16 ndata;
	struct vq_buf *data;
	struct vq_buf one; /* for data of one piece */
	void *free_data;   /* kfree()d with a background request */
	/* background: called with the answer under the queue's lock, or without one if it cannot be sent */
	void (*end)(struct fuse_conn *fc, struct fuse_req *req);
	struct page *pages; /* read.c: npages, contiguous */
	u32 npages;
	struct {
		struct fuse_in_header h;
		char args[FUSE_IN_ROOM];
	} in;
	struct {
		struct fuse_out_header h;
		union {
			char room[FUSE_OUT_ROOM];
			struct fuse_entry_out entry;
			struct {
				struct fuse_entry_out entry;
				char link[FUSE_OUT_ROOM -
					  sizeof(struct fuse_entry_out)]; /* the body of a short symbolic link */
			} looked;
			struct {
				struct fuse_entry_out entry;
				struct fuse_open_out open;
			} create;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
			struct fuse_write_out write;
			struct fuse_statfs_out statfs;
			struct fuse_getxattr_out getxattr;
			struct fuse_lseek_out lseek;
			struct fuse_init_out init;
			struct hostif_fuse_plain plain;
		};
	} out;
};

/**
 * struct fuse_listing - a directory's entries as they were at one moment
 *
 * Records are { u64 ino; u8 type; u8 len; char name[len]; }, packed; a file position is an offset here. The inode holds one
 * reference while the listing is fresh, and every open directory that is part way through it another.
 */
struct fuse_listing {
	refcount_t refs;
	u32 len, entries;
	char data[];
};

#define FUSE_REC_HEAD 10 /* of a listing's record: u64 ino, u8 type, u8 len */
static inline u8 fuse_record_type(const struct fuse_listing *l, u32 at)
{
	return l->data[at + 8];
}
static inline struct qstr fuse_record_name(const struct fuse_listing *l, u32 at)
{
	return qstr_init(l->data + at + FUSE_REC_HEAD, (u8)l->data[at + 9]);
}
static inline bool fuse_record_is(const struct fuse_listing *l, u32 at, const struct qstr *name)
{
	return (u8)l->data[at + 9] == name->len && !memcmp(l->data + at + FUSE_REC_HEAD, name->name, name->len);
}
static inline u32 fuse_record_after(const struct fuse_listing *l, u32 at)
{
	return at + FUSE_REC_HEAD + (u8)l->data[at + 9];
}
static inline bool fuse_is_dots(const char *name, u32 len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* A listing that was asked for before anybody wanted it: walk.c */
struct fuse_ahead {
	struct list_head node; /* fc->aheads; under walk_lock */
	struct inode *dir;     /* which has it as ahead: no reference */
	struct fuse_req *req;
	int err; /* of sending it */
	bool all;
	u64 version, sent_ns;
	char *buf;
	struct vq_buf seg[2];
	struct page *pages;	    /* npages in one piece, for data that comes along; each has a reference */
	unsigned long npages, used; /* the first of them are in page caches, or gone */
};
#define FUSE_AHEAD_BUF (16 * 1024)

struct fuse_inode {
	struct inode inode;
	u64 nodeid;
	u64 nlookup;		      /* lookups the server counted for us; under i_lock */
	u64 attr_deadline;	      /* fuse_clock() until which the attributes hold */
	u64 attr_version;	      /* under i_lock */
	unsigned long state;	      /* FUSE_I_*, atomic */
	struct mutex readdir_lock;    /* one filler of the listing at a time; outside link_lock */
	struct mutex link_lock;	      /* looking for a name and hashing it: lookup against listing */
	struct fuse_listing *listing; /* under i_lock */
	struct fuse_listing *names;   /* the same for lookups only: absent.c; under i_lock */
	u32 listing_version;	      /* changes when the directory does; under i_lock */
	u32 misses;		      /* lookups of non-directories since it was listed; racy */
	u32 absents;		      /* lookups in vain since it changed; racy */
	u32 pf_at,
		pf_version; /* prefetch.c: behind the record of the last miss, in the listing of that version; under i_lock */
	u32 pf_run;	    /* how often in order; racy */
	struct fuse_ahead *ahead; /* under walk_lock */
	u32 walk_at,
		walk_version; /* walk.c: the record of the subdirectory listed last, in the listing of that version; racy */
};
#define FUSE_I_OPENED 0	     /* the server has shown that it can open it for reading */
#define FUSE_I_OPEN_CREDIT 1 /* CREATE left it open for writing on the server, and no file uses that yet */
#define FUSE_I_MTIME_OURS 2  /* its mtime or size changed by our doing: no reason to drop pages */
#define FUSE_I_NO_XATTR 3    /* had none when the attributes were fetched */
#define FUSE_I_PRIMED 4	     /* the listing came with attributes for everything */
#define FUSE_I_PF_MARK 5     /* prefetch.c: whoever opens it is half through what was read ahead of him */
#define FUSE_I_LARGE_DIR 6   /* absent.c: too large to know all its names */

static inline struct fuse_inode *get_fuse_inode(const struct inode *i)
{
	return container_of(i, struct fuse_inode, inode);
}
static inline struct fuse_conn *get_fuse_conn(const struct inode *i)
{
	return i->i_sb->s_fs_info;
}
static inline u64 get_node_id(const struct inode *i)
{
	return get_fuse_inode(i)->nodeid;
}

/* Deadlines are in ticks of the time-stamp counter: checked on every path component, so they must cost nothing. */
static inline u64 fuse_clock(void)
{
	return __builtin_ia32_rdtsc();
}
u64 fuse_deadline(struct fuse_conn *fc, u64 sec, u32 nsec);
static inline bool fuse_attr_fresh(const struct inode *i)
{
	return fuse_clock() < READ_ONCE(get_fuse_inode(i)->attr_deadline);
}
static inline void fuse_invalidate_attr(struct inode *i)
{
	WRITE_ONCE(get_fuse_inode(i)->attr_deadline, 0);
}

/* req.c: requests */
int fuse_req_init(void);
struct fuse_req *fuse_get_req(struct fuse_conn *fc, u32 opcode, u64 nodeid);
struct fuse_req *fuse_get_req_gfp(struct fuse_conn *fc, u32 opcode, u64 nodeid, gfp_t gfp);
void fuse_put_req(struct fuse_req *req);
/* room for @size bytes of arguments, zeroed. The caller keeps the sum within FUSE_IN_ROOM */
void *fuse_arg(struct fuse_req *req, size_t size);
void fuse_arg_name(struct fuse_req *req, const char *name, size_t len); /* with a NUL */
/* send and wait: 0 or the server's -errno. out_args: the size of the fixed part of the answer */
int fuse_send(struct fuse_conn *fc, struct fuse_req *req, size_t out_args);
/* fuse_send in two steps: what fuse_send_start returned goes into fuse_send_finish, whatever it was */
int fuse_send_start(struct fuse_conn *fc, struct fuse_req *req, size_t out_args);
int fuse_send_finish(struct fuse_conn *fc, struct fuse_req *req, int err);
void fuse_reap_unlocked(struct fuse_conn *fc); /* hand out all answers there are */
void fuse_send_background(struct fuse_conn *fc, struct fuse_req *req, bool answered);
/* bytes of data that followed the fixed part */
static inline u32 fuse_data_len(const struct fuse_req *req)
{
	u32 fixed = sizeof(req->out.h) + req->out_args;

	return req->out_len > fixed ? req->out_len - fixed : 0;
}
/* opcode without arguments or answer worth keeping */
int fuse_simple(struct fuse_conn *fc, u32 opcode, u64 nodeid, const char *name, size_t len);

/* inode.c */
struct inode *fuse_iget(struct super_block *sb, const struct fuse_entry_out *e, u64 attr_version);
void fuse_change_attr(struct inode *i, const struct fuse_attr *a, u64 deadline, u64 attr_version);
static inline u64 fuse_attr_version(struct fuse_conn *fc)
{
	return __atomic_load_n(&fc->attr_version, __ATOMIC_SEQ_CST);
}
void fuse_size_changed(struct inode *i, loff_t size, bool grow_only);
int fuse_update_attr(struct inode *i); /* GETATTR */
void fuse_queue_forget(struct fuse_conn *fc, u64 nodeid, u64 nlookup, bool now);
int fuse_do_setattr(struct inode *i, struct iattr *a);
int fuse_getattr(const struct path *p, struct kstat *st, u32 mask, unsigned flags);
int fuse_setattr(struct dentry *d, struct iattr *a);
int fuse_fill_super(struct super_block *sb, struct fuse_conn *fc);
extern const struct super_operations fuse_super_operations;

/* dir.c */
extern const struct inode_operations fuse_dir_inode_operations, fuse_file_inode_operations,
	fuse_symlink_inode_operations, fuse_special_inode_operations;
extern const struct dentry_operations fuse_dentry_operations;
void fuse_dir_changed(struct inode *dir);
bool fuse_valid_type(u32 mode);
/* hash d for i (consumed), unless a listing did in the meantime. As inode_operations.lookup */
struct dentry *fuse_splice(struct inode *dir, struct dentry *d, struct inode *i, u64 deadline);

/* readdir.c */
extern const struct file_operations fuse_dir_operations;
void fuse_drop_listing(struct inode *dir);
struct fuse_listing *fuse_get_fresh_listing(struct inode *dir); /* what the inode has, with a reference, or NULL */
void fuse_put_listing(struct fuse_listing *l);
bool fuse_has_files(const struct fuse_listing *l); /* anything but directories */
/* names only, if one request of size bytes brings them all: a reference, NULL if not, or ERR_PTR */
struct fuse_listing *fuse_list_names(struct inode *dir, u32 size);
void fuse_prime_dir(struct inode *dir, struct dentry *parent); /* dir's i_rwsem held */
/* READDIR(PLUS) from offset on, not sent yet. all: attributes of everything, not of subdirectories only */
struct fuse_req *fuse_readdir_req(struct fuse_conn *fc, struct inode *dir, u64 offset, bool all, char *buf, u32 size);
void fuse_forget_entries(struct fuse_conn *fc, const char *buf,
			 u32 len); /* an answer to READDIRPLUS that nobody wants */

/* absent.c */
bool fuse_is_absent(struct inode *dir, const struct qstr *name); /* known without asking; may ask for all names */
void fuse_note_absent(struct inode *dir);			 /* the server did not know a name */

/* walk.c */
void fuse_walk_on(struct fuse_conn *fc, struct dentry *d, const struct fuse_listing *l); /* d was listed just now */
struct fuse_ahead *fuse_ahead_take(struct fuse_conn *fc, struct inode *dir);		 /* the caller's now, or NULL */
int fuse_ahead_wait(struct fuse_conn *fc, struct fuse_ahead *a, u32 *len); /* 0: len bytes are in a->buf */
void fuse_ahead_done(struct fuse_ahead *a, unsigned long used);	  /* the answer was used, and so many of its pages */
void fuse_ahead_drop(struct fuse_conn *fc, struct fuse_ahead *a); /* it is not wanted; waits for it */

/* file.c */
extern const struct file_operations fuse_file_operations, fuse_ro_file_operations;
int fuse_open_common(struct inode *i, struct file *f, bool dir);
void fuse_release_write(struct inode *i, u32 flags);

/* read.c */
extern const struct address_space_operations fuse_aops;
void fuse_read_register(struct fuse_conn *fc);
bool fuse_read_async(struct fuse_conn *fc, struct inode *i, struct page *p, u32 nr, bool text);

/* prefetch.c */
void fuse_prefetch_siblings(struct fuse_conn *fc, struct inode *i); /* somebody has to wait for the start of i */
void fuse_prefetch_more(struct fuse_conn *fc, struct inode *i);	    /* i is marked, and opened */
/* n new pages hold all of the data of i, a file that was listed just now: into its cache. Drops the references. */
void fuse_adopt_pages(struct inode *i, struct page *pages, unsigned long n, bool first);
/* pages for data that shall come along with a listing: in one piece, *got of them; NULL: it is not worth while */
struct page *fuse_prefetch_room(struct fuse_conn *fc, unsigned long *got);
/* parent was listed with everything's attributes just now */
void fuse_prefetch_listed(struct fuse_conn *fc, struct dentry *parent, struct fuse_listing *l, u32 version);

/* write.c */
ssize_t fuse_file_write_iter(struct kiocb *k, struct iov_iter *from);
void fuse_zero_tail(struct inode *i);
int fuse_writepage(struct page *p, struct address_space *m);
vm_fault_t fuse_page_mkwrite(struct vm_fault *vmf);

/* xattr.c */
ssize_t fuse_getxattr(struct dentry *d, struct inode *i, const char *name, void *buf, size_t n);
int fuse_setxattr(struct dentry *d, struct inode *i, const char *name, const void *v, size_t n, int flags);
ssize_t fuse_listxattr(struct dentry *d, char *buf, size_t n);

#endif
