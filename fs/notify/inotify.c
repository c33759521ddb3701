// SPDX-License-Identifier: Apache-2.0
/* inotify(7): instances, their event queues and the system calls. */
#include "notify.h"
#include <husk/file.h>
#include <husk/init.h>
#include <husk/poll.h>
#include <husk/proc_fs.h>
#include <husk/syscalls.h>
#include <asm/ioctls.h>

#define ADD_FLAGS (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT)
#define ALL_BITS (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | ADD_FLAGS)
#define USER_EVENTS (IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)
#define KEPT_FLAGS (IN_ONESHOT | IN_EXCL_UNLINK)

/* A queued event; the name, with a NUL, follows it. */
struct queued_event {
	struct list_head list;
	u32 mask, cookie;
	int wd;
	unsigned len; /* of the name; 0: none */
};

/**
 * struct inotify_group - an inotify instance
 * @refs: the open file's, and one while on sigio_groups
 * @lock: the queue: @events, @nr_events
 * @overflow: queued (at most once) in place of what did not fit
 * @watches: marks by wd; under fsnotify_mutex, as @last_wd
 * @sigio: on sigio_groups; under sigio_lock
 */
struct inotify_group {
	refcount_t refs;
	spinlock_t lock;
	struct list_head events;
	unsigned nr_events, max_events;
	struct queued_event overflow;
	wait_queue_head_t wq;
	struct rb_root watches;
	int last_wd;
	struct user_struct *user;
	struct fasync_struct *fasync;
	struct list_head sigio;
};

static int max_user_instances = 128;
static int max_user_watches = 8192;
static int max_queued_events = 16384;

/* Groups whose owners are to get a signal, which cannot be sent under the locks that events are
 * queued with. */
static DEFINE_SPINLOCK(sigio_lock);
static LIST_HEAD(sigio_groups);

static void put_group(struct inotify_group *g)
{
	if (refcount_dec_and_test(&g->refs))
		kfree(g);
}

static inline char *event_name(struct queued_event *e)
{
	return (char *)(e + 1);
}

/* ---- the queue ---- */
static bool same_event(struct queued_event *e, int wd, u32 mask, const char *name, unsigned len)
{
	return e->wd == wd && e->mask == mask && e->len == len && !(mask & IN_IGNORED) &&
	       (!len || !memcmp(event_name(e), name, len));
}

static struct queued_event *new_event(int wd, u32 mask, u32 cookie, const char *name, unsigned len)
{
	struct queued_event *e = kmalloc(sizeof(*e) + (len ? len + 1 : 0), GFP_ATOMIC);

	if (!e)
		return NULL;
	e->wd = wd;
	e->mask = mask;
	e->cookie = cookie;
	e->len = len;
	if (len) {
		memcpy(event_name(e), name, len);
		event_name(e)[len] = 0;
	}
	return e;
}

/**
 * inotify_queue_event - add an event to a group's queue
 * @len: of the name; 0: none
 *
 * An event equal to the last one in the queue is dropped. Called under the inode's i_lock or
 * fsnotify_mutex. Returns whether the caller is to call inotify_send_sigio() when it has dropped
 * its locks.
 */
bool inotify_queue_event(struct inotify_group *g, int wd, u32 mask, u32 cookie, const char *name, unsigned len)
{
	struct queued_event *e = NULL;

	mask &= USER_EVENTS;
	len = min_t(unsigned, len, NAME_MAX);
	spin_lock(&g->lock);
	if (!list_empty(&g->events) &&
	    same_event(list_last_entry(&g->events, struct queued_event, list), wd, mask, name, len))
		goto out;
	if (likely(g->nr_events < g->max_events))
		e = new_event(wd, mask, cookie, name, len);
	if (unlikely(!e)) {
		if (!list_empty(&g->overflow.list))
			goto out;
		e = &g->overflow;
	}
	list_add_tail(&e->list, &g->events);
	g->nr_events++;
	spin_unlock(&g->lock);
	if (waitqueue_active(&g->wq))
		wake_up_interruptible_poll(&g->wq, EPOLLIN | EPOLLRDNORM);
	if (likely(!READ_ONCE(g->fasync)))
		return false;
	spin_lock(&sigio_lock);
	if (list_empty(&g->sigio)) {
		refcount_inc(&g->refs);
		list_add_tail(&g->sigio, &sigio_groups);
	}
	spin_unlock(&sigio_lock);
	return true;
out:
	spin_unlock(&g->lock);
	return false;
}

/* inotify_send_sigio: SIGIO for whoever is owed one. No locks held. */
void inotify_send_sigio(void)
{
	struct inotify_group *g;

	while (!list_empty(&sigio_groups)) {
		spin_lock(&sigio_lock);
		g = list_first_entry_or_null(&sigio_groups, struct inotify_group, sigio);
		if (g)
			list_del_init(&g->sigio);
		spin_unlock(&sigio_lock);
		if (!g)
			break;
		kill_fasync(&g->fasync, SIGIO, POLL_IN);
		put_group(g);
	}
}

static void free_event(struct inotify_group *g, struct queued_event *e)
{
	if (e != &g->overflow)
		kfree(e);
}

/* Bytes that a reader gets for e: names are padded to whole headers, at least one NUL. */
static size_t event_size(const struct queued_event *e)
{
	return sizeof(struct inotify_event) + (e->len ? round_up(e->len + 1, sizeof(struct inotify_event)) : 0);
}

/* The first event, off the queue; NULL: none; -EINVAL: it does not fit into n bytes. */
static struct queued_event *dequeue_event(struct inotify_group *g, size_t n)
{
	struct queued_event *e;

	spin_lock(&g->lock);
	e = list_first_entry_or_null(&g->events, struct queued_event, list);
	if (e) {
		if (event_size(e) > n) {
			e = ERR_PTR(-EINVAL);
		} else {
			list_del_init(&e->list);
			g->nr_events--;
		}
	}
	spin_unlock(&g->lock);
	return e;
}

static int event_to_user(struct queued_event *e, char __user *buf)
{
	char out[sizeof(struct inotify_event) * 2 + NAME_MAX + 1] __aligned(8);
	struct inotify_event *u = (void *)out;
	size_t size = event_size(e);

	u->wd = e->wd;
	u->mask = e->mask;
	u->cookie = e->cookie;
	u->len = size - sizeof(*u);
	if (e->len) {
		memcpy(u->name, event_name(e), e->len);
		memset(u->name + e->len, 0, u->len - e->len);
	}
	return copy_to_user(buf, out, size) ? -EFAULT : 0;
}

static ssize_t inotify_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct inotify_group *g = f->private_data;
	struct queued_event *e;
	size_t done = 0, size;
	int err;

	for (;;) {
		e = dequeue_event(g, n - done);
		if (!e) {
			if (done)
				return done;
			if (f->f_flags & O_NONBLOCK)
				return -EAGAIN;
			err = wait_event_interruptible(g->wq, !list_empty(&g->events));
			if (err)
				return err;
			continue;
		}
		if (IS_ERR(e))
			return done ? (ssize_t)done : PTR_ERR(e);
		size = event_size(e);
		err = event_to_user(e, buf + done);
		free_event(g, e);
		if (err)
			return err; /* the event is lost, as in Linux */
		done += size;
	}
}

static u32 inotify_poll(struct file *f, poll_table *pt)
{
	struct inotify_group *g = f->private_data;

	poll_wait(f, &g->wq, pt);
	smp_mb();
	return list_empty(&g->events) ? 0 : EPOLLIN | EPOLLRDNORM;
}

static long inotify_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct inotify_group *g = f->private_data;
	struct queued_event *e;
	size_t n = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	spin_lock(&g->lock);
	list_for_each_entry (e, &g->events, list)
		n += event_size(e);
	spin_unlock(&g->lock);
	return put_user((int)n, (int __user *)arg);
}

static int inotify_fasync(int fd, struct file *f, int on)
{
	struct inotify_group *g = f->private_data;
	int r = fasync_helper(fd, f, on, &g->fasync);

	return r < 0 ? r : 0;
}

/* ---- watches: fsnotify_mutex held ---- */
static struct fsnotify_mark *find_wd(struct inotify_group *g, int wd, struct rb_node **parent, struct rb_node ***link)
{
	struct rb_node **p = &g->watches.rb_node, *up = NULL;

	while (*p) {
		struct fsnotify_mark *m = rb_entry(*p, struct fsnotify_mark, node);

		if (m->wd == wd)
			return m;
		up = *p;
		p = wd < m->wd ? &(*p)->rb_left : &(*p)->rb_right;
	}
	if (link) {
		*parent = up;
		*link = p;
	}
	return NULL;
}

/* Numbers go up and are used again only after all have been. */
static void insert_watch(struct inotify_group *g, struct fsnotify_mark *m)
{
	struct rb_node *parent = NULL, **link = &g->watches.rb_node;

	do
		g->last_wd = g->last_wd == INT32_MAX ? 1 : g->last_wd + 1;
	while (find_wd(g, g->last_wd, &parent, &link));
	m->wd = g->last_wd;
	rb_link_node(&m->node, parent, link);
	rb_insert_color(&m->node, &g->watches);
}

/* inotify_forget_watch: m, which is on no inode any more, leaves g. It may be gone afterwards. */
void inotify_forget_watch(struct inotify_group *g, struct fsnotify_mark *m, bool tell)
{
	if (tell)
		inotify_queue_event(g, m->wd, IN_IGNORED, 0, NULL, 0);
	rb_erase(&m->node, &g->watches);
	atomic_dec(&g->user->inotify_watches);
	fsnotify_put_mark(m);
}

static int change_watch(struct fsnotify_mark *m, u32 arg, u32 mask)
{
	if (arg & IN_MASK_CREATE)
		return -EEXIST;
	fsnotify_set_mask(m, arg & IN_MASK_ADD ? m->mask | mask : mask);
	return m->wd;
}

/* m's reference becomes the watch's */
static int new_watch(struct inotify_group *g, struct inode *i, struct fsnotify_mark *m)
{
	if (atomic_inc_return(&g->user->inotify_watches) > READ_ONCE(max_user_watches)) {
		atomic_dec(&g->user->inotify_watches);
		return -ENOSPC;
	}
	insert_watch(g, m);
	fsnotify_attach(m, i);
	return m->wd;
}

static int add_watch(struct inotify_group *g, struct inode *i, u32 arg)
{
	u32 mask = (arg & (IN_ALL_EVENTS | KEPT_FLAGS)) | IN_UNMOUNT;
	struct fsnotify_mark *old, *m = NULL;
	int r;

	for (;;) {
		mutex_lock(&fsnotify_mutex);
		old = fsnotify_find_mark(i, g);
		if (old || m)
			break;
		mutex_unlock(&fsnotify_mutex); /* memory is allocated without it */
		m = fsnotify_alloc_mark(g, mask);
		if (!m)
			return -ENOMEM;
	}
	r = old ? change_watch(old, arg, mask) : new_watch(g, i, m);
	mutex_unlock(&fsnotify_mutex);
	if (m && (old || r < 0))
		fsnotify_put_mark(m);
	return r;
}

static int remove_watch(struct inotify_group *g, int wd)
{
	struct fsnotify_mark *m;
	struct inode *i = NULL;

	mutex_lock(&fsnotify_mutex);
	m = find_wd(g, wd, NULL, NULL);
	if (m)
		i = fsnotify_end_mark(m, true);
	mutex_unlock(&fsnotify_mutex);
	iput(i);
	inotify_send_sigio();
	return m ? 0 : -EINVAL;
}

static void show_watches(struct seq_file *s, struct file *f)
{
	struct inotify_group *g = f->private_data;

	mutex_lock(&fsnotify_mutex);
	for (struct rb_node *n = rb_first(&g->watches); n; n = rb_next(n)) {
		struct fsnotify_mark *m = rb_entry(n, struct fsnotify_mark, node);
		dev_t dev = m->inode->i_sb->s_dev;

		seq_printf(s, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:0 \n", m->wd,
			   (unsigned long)m->inode->i_ino, MAJOR(dev) << 20 | MINOR(dev),
			   m->mask & (IN_ALL_EVENTS | KEPT_FLAGS));
	}
	mutex_unlock(&fsnotify_mutex);
}

/* ---- instances ---- */
static void destroy_group(struct inotify_group *g)
{
	struct queued_event *e, *next;
	struct rb_node *n;
	struct inode *i;

	do {
		i = NULL;
		mutex_lock(&fsnotify_mutex);
		n = rb_first(&g->watches);
		if (n)
			i = fsnotify_end_mark(rb_entry(n, struct fsnotify_mark, node), false);
		mutex_unlock(&fsnotify_mutex);
		iput(i);
	} while (n);
	list_for_each_entry_safe (e, next, &g->events, list)
		free_event(g, e);
	atomic_dec(&g->user->inotify_instances);
	free_uid(g->user);
	put_group(g);
}

static int inotify_release(struct inode *inode, struct file *f)
{
	destroy_group(f->private_data);
	return 0;
}

static const struct file_operations inotify_fops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.unlocked_ioctl = inotify_ioctl,
	.fasync = inotify_fasync,
	.release = inotify_release,
	.llseek = noop_llseek,
	.show_fdinfo = show_watches,
};

static struct inotify_group *new_group(void)
{
	struct inotify_group *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return ERR_PTR(-ENOMEM);
	refcount_set(&g->refs, 1);
	INIT_LIST_HEAD(&g->events);
	INIT_LIST_HEAD(&g->overflow.list);
	INIT_LIST_HEAD(&g->sigio);
	init_waitqueue_head(&g->wq);
	g->watches = RB_ROOT;
	g->max_events = READ_ONCE(max_queued_events);
	g->overflow.wd = -1;
	g->overflow.mask = IN_Q_OVERFLOW;
	g->user = get_uid(current_cred()->user);
	if (atomic_inc_return(&g->user->inotify_instances) > READ_ONCE(max_user_instances)) {
		destroy_group(g);
		return ERR_PTR(-EMFILE);
	}
	return g;
}

static int do_inotify_init(int flags)
{
	struct inotify_group *g;
	int fd;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	g = new_group();
	if (IS_ERR(g))
		return PTR_ERR(g);
	fd = anon_inode_getfd("inotify", &inotify_fops, g, O_RDONLY | flags);
	if (fd < 0)
		destroy_group(g);
	return fd;
}

SYSCALL_DEFINE1(inotify_init1, int, flags)
{
	return do_inotify_init(flags);
}

SYSCALL_DEFINE0(inotify_init)
{
	return do_inotify_init(0);
}

static int watch_path(struct inotify_group *g, const char __user *name, u32 mask)
{
	unsigned flags = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) | (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct path p;
	int r = user_path_at(AT_FDCWD, name, flags, &p);

	if (r)
		return r;
	r = inode_permission(p.dentry->d_inode, MAY_READ);
	if (!r)
		r = add_watch(g, p.dentry->d_inode, mask);
	path_put(&p);
	return r;
}

SYSCALL_DEFINE3(inotify_add_watch, int, fd, const char __user *, path, u32, mask)
{
	struct fd f;
	int r = -EINVAL;

	if ((mask & ~ALL_BITS) || !(mask & ALL_BITS))
		return -EINVAL;
	f = fdget(fd);
	if (!f.file)
		return -EBADF;
	if (f.file->f_op == &inotify_fops && !((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		r = watch_path(f.file->private_data, path, mask);
	fdput(f);
	return r;
}

SYSCALL_DEFINE2(inotify_rm_watch, int, fd, int, wd)
{
	struct fd f = fdget(fd);
	int r = -EINVAL;

	if (!f.file)
		return -EBADF;
	if (f.file->f_op == &inotify_fops)
		r = remove_watch(f.file->private_data, wd);
	fdput(f);
	return r;
}

SYSCTL_INT("fs/inotify/max_user_instances", 0644, max_user_instances, 0, INT32_MAX);
SYSCTL_INT("fs/inotify/max_user_watches", 0644, max_user_watches, 0, INT32_MAX);
SYSCTL_INT("fs/inotify/max_queued_events", 0644, max_queued_events, 0, INT32_MAX);

static int inotify_setup(void)
{
	unsigned long per_watch = sizeof(struct fsnotify_mark) + 2 * sizeof(struct inode);

	fsnotify_init();
	/* a watch pins an inode: at most 1% of memory for one user */
	max_user_watches = clamp_t(unsigned long, totalram_pages / 100 * PAGE_SIZE / per_watch, 8192, 1048576);
	return 0;
}
device_initcall(inotify_setup);
