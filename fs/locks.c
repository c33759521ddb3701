// SPDX-License-Identifier: Apache-2.0
/* File locks (POSIX, OFD, flock): what is held, conflicts, waiting. */
/*
 * DOC: file locks
 *
 * An inode gets a file_lock_context with its first lock and keeps it. POSIX and OFD locks are in
 * one list; of one owner they are in order, disjoint, and those of one type do not touch. Locks
 * hang on the inode that the path names (d_inode of f_path), so that a stacked file system's lower
 * and upper files meet in one place.
 *
 * A request that has to wait is put on the list of one lock that is in its way. Whoever removes,
 * shrinks or weakens that lock takes the requests off, all under flc_lock, and wakes just those;
 * they try again. A request lies on its task's stack: the task does not leave before it has had
 * flc_lock after being taken off.
 *
 * Deadlock: a POSIX request that waits for a POSIX lock is in a table by its owner, with the owner
 * of that lock. Before another is added the chain from the new blocker's owner is followed; if it
 * ends at the requester: EDEADLK. The entry goes when the request is taken off the lock, not when
 * the task runs, so that a lock given up is never taken for one held.
 *
 * Lock order: all_lock, flc_lock, waits_lock. Giving up everything (close, exit) allocates nothing,
 * so it cannot fail.
 */
#include "internal.h"
#include <husk/filelock.h>

static DEFINE_SPINLOCK(all_lock);
static LIST_HEAD(all_contexts); /* for /proc/locks */

#define WAITS_BITS 6
#define MAX_CHAIN 100
static DEFINE_SPINLOCK(waits_lock);
static struct hlist_head waits[1 << WAITS_BITS];

/* ---- contexts ---- */
struct file_lock_context *locks_get_context(const struct file *f, bool create)
{
	struct inode *i = d_inode(f->f_path.dentry);
	struct file_lock_context *c = smp_load_acquire(&i->i_flctx), *old;

	if (c || !create)
		return c;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return NULL;
	INIT_LIST_HEAD(&c->flc_posix);
	INIT_LIST_HEAD(&c->flc_flock);
	c->flc_inode = i;
	old = cmpxchg(&i->i_flctx, NULL, c);
	if (old) {
		kfree(c);
		return old;
	}
	spin_lock(&all_lock);
	list_add_tail(&c->flc_all, &all_contexts);
	spin_unlock(&all_lock);
	return c;
}

/* locks_free_lock_context: the inode is being freed; nobody has it open, so nothing is locked. */
void locks_free_lock_context(struct inode *i)
{
	struct file_lock_context *c = i->i_flctx;

	if (!c)
		return;
	WARN_ON_ONCE(!list_empty(&c->flc_posix) || !list_empty(&c->flc_flock));
	spin_lock(&all_lock);
	list_del(&c->flc_all);
	spin_unlock(&all_lock);
	i->i_flctx = NULL;
	kfree(c);
}

/* locks_for_each_context: fn is called with flc_lock held. */
void locks_for_each_context(void (*fn)(struct file_lock_context *c, void *data), void *data)
{
	struct file_lock_context *c;

	spin_lock(&all_lock);
	list_for_each_entry (c, &all_contexts, flc_all) {
		spin_lock(&c->flc_lock);
		fn(c, data);
		spin_unlock(&c->flc_lock);
	}
	spin_unlock(&all_lock);
}

/* ---- conflicts ---- */
static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->fl_end >= b->fl_start && b->fl_end >= a->fl_start;
}

/* Owners are pointers to a files_struct or a file, so equal ones are of one kind. */
static bool conflict(const struct file_lock *l, const struct file_lock *r)
{
	return l->fl_owner != r->fl_owner && (l->fl_type == F_WRLCK || r->fl_type == F_WRLCK) && overlap(l, r);
}

static struct file_lock *find_conflict(struct list_head *locks, const struct file_lock *r)
{
	struct file_lock *l;

	list_for_each_entry (l, locks, fl_list)
		if (conflict(l, r))
			return l;
	return NULL;
}

void posix_test_lock(struct file *f, struct file_lock *r)
{
	struct file_lock_context *c = locks_get_context(f, false);
	struct file_lock *l, *found = NULL;

	if (c) {
		spin_lock(&c->flc_lock);
		if (r->fl_type != F_UNLCK) {
			found = find_conflict(&c->flc_posix, r);
		} else { /* F_OFD_GETLK: the file's own locks */
			list_for_each_entry (l, &c->flc_posix, fl_list) {
				if (l->fl_owner != r->fl_owner || !overlap(l, r))
					continue;
				found = l;
				break;
			}
		}
		if (found) {
			r->fl_type = found->fl_type;
			r->fl_start = found->fl_start;
			r->fl_end = found->fl_end;
			r->fl_pid = found->fl_pid;
		}
		spin_unlock(&c->flc_lock);
	}
	if (!found)
		r->fl_type = F_UNLCK;
}

/* ---- waiting ---- */
static struct hlist_head *waits_of(const void *owner)
{
	return &waits[((unsigned long)owner >> 5) * 0x9e3779b97f4a7c15UL >> (64 - WAITS_BITS)];
}

/* Would it close a circle if me waited for owner? waits_lock is held. */
static bool deadlock(const void *me, const void *owner)
{
	for (int n = 0; n < MAX_CHAIN; n++) {
		struct file_lock *w;

		if (owner == me)
			return true;
		hlist_for_each_entry (w, waits_of(owner), fl_link)
			if (w->fl_owner == owner)
				break;
		if (!w)
			return false;
		owner = w->fl_blocker_owner;
	}
	return false;
}

/* r is to wait for l. 0 or -EDEADLK. flc_lock is held. */
static int block_on(struct file_lock *l, struct file_lock *r)
{
	int ret = 0;

	if ((r->fl_flags & l->fl_flags & FL_POSIX) && !((r->fl_flags | l->fl_flags) & FL_OFDLCK)) {
		spin_lock(&waits_lock);
		if (deadlock(r->fl_owner, l->fl_owner)) {
			ret = -EDEADLK;
		} else {
			r->fl_blocker_owner = l->fl_owner;
			hlist_add_head(&r->fl_link, waits_of(r->fl_owner));
		}
		spin_unlock(&waits_lock);
		if (ret)
			return ret;
	}
	list_add_tail(&r->fl_blocked, &l->fl_blocked);
	r->fl_task = current;
	r->fl_blocker = l;
	return 0;
}

/* Take a request off the lock that it waits for. flc_lock is held. */
static void unblock(struct file_lock *r)
{
	list_del_init(&r->fl_blocked);
	if (!hlist_unhashed(&r->fl_link)) {
		spin_lock(&waits_lock);
		hlist_del_init(&r->fl_link);
		spin_unlock(&waits_lock);
	}
	WRITE_ONCE(r->fl_blocker, NULL);
}

/* l is less than it was: who waits for it may try again. flc_lock is held, which keeps the requests
 * and their tasks. */
static void wake_blocked(struct file_lock *l)
{
	while (!list_empty(&l->fl_blocked)) {
		struct file_lock *r = list_first_entry(&l->fl_blocked, struct file_lock, fl_blocked);

		unblock(r);
		wake_up_process(r->fl_task);
	}
}

static void delete_lock(struct file_lock *l)
{
	list_del(&l->fl_list);
	wake_blocked(l);
	kfree(l);
}

/* Sleep until r, which block_on() has put on a list, was taken off it. 0 or -ERESTARTSYS. */
static int wait_unblocked(struct file_lock_context *c, struct file_lock *r)
{
	int ret = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!READ_ONCE(r->fl_blocker))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	set_current_state(TASK_RUNNING);
	spin_lock(&c->flc_lock); /* also waits for the waker to be done with r */
	if (r->fl_blocker)
		unblock(r);
	else
		ret = 0; /* free at last: one more try before the signal */
	spin_unlock(&c->flc_lock);
	return ret;
}

static void init_request(struct file_lock *r)
{
	INIT_LIST_HEAD(&r->fl_list);
	INIT_LIST_HEAD(&r->fl_blocked);
	INIT_HLIST_NODE(&r->fl_link);
	r->fl_blocker = NULL;
	r->fl_task = NULL;
}

/* ---- POSIX and OFD ranges ---- */
struct spares {
	struct file_lock *lock[2];
	unsigned n;
};

static bool add_spare(struct spares *s)
{
	s->lock[s->n] = kmalloc(sizeof(struct file_lock), GFP_KERNEL);
	return s->lock[s->n] ? ++s->n : false;
}

/* A held lock made from one of the spares. */
static struct file_lock *take_spare(struct spares *s, const struct file_lock *from, loff_t start, loff_t end)
{
	struct file_lock *l = s->lock[--s->n];

	*l = *from;
	init_request(l);
	l->fl_flags &= ~FL_SLEEP;
	l->fl_start = start;
	l->fl_end = end;
	return l;
}

static bool touches(const struct file_lock *l, loff_t start, loff_t end)
{
	return l->fl_end >= start - 1 && (end == INT64_MAX || l->fl_start <= end + 1);
}

/* How many new locks apply() needs at most; -1: r's owner has already what it asks for. */
static int locks_needed(struct file_lock_context *c, const struct file_lock *r)
{
	int n = r->fl_type != F_UNLCK;
	struct file_lock *l;

	list_for_each_entry (l, &c->flc_posix, fl_list) {
		if (l->fl_owner != r->fl_owner)
			continue;
		if (l->fl_type == r->fl_type) {
			if (l->fl_start <= r->fl_start && l->fl_end >= r->fl_end)
				return -1;
		} else if (l->fl_start < r->fl_start && l->fl_end > r->fl_end) {
			return n + 1; /* it is split */
		}
	}
	return n;
}

/* Take r's range out of l, a lock of the same owner and another type. */
static void cut(struct file_lock *l, const struct file_lock *r, struct spares *s)
{
	bool head = l->fl_start<r->fl_start, tail = l->fl_end> r->fl_end;

	if (!head && !tail) {
		delete_lock(l);
		return;
	}
	if (head && tail) {
		struct file_lock *t = take_spare(s, l, r->fl_end + 1, l->fl_end);

		list_add(&t->fl_list, &l->fl_list);
	}
	if (head)
		l->fl_end = r->fl_start - 1;
	else
		l->fl_start = r->fl_end + 1;
	wake_blocked(l);
}

/* Give the owner of r the type r->fl_type on its range (F_UNLCK: none). */
static void apply(struct file_lock_context *c, const struct file_lock *r, struct spares *s)
{
	struct list_head *at = &c->flc_posix;
	loff_t start = r->fl_start, end = r->fl_end;
	struct file_lock *l, *n;

	list_for_each_entry_safe (l, n, &c->flc_posix, fl_list) {
		if (l->fl_owner != r->fl_owner)
			continue;
		if (l->fl_type != r->fl_type) {
			if (overlap(l, r))
				cut(l, r, s);
		} else if (touches(l, start, end)) {
			start = min(start, l->fl_start);
			end = max(end, l->fl_end);
			delete_lock(l);
		}
	}
	if (r->fl_type == F_UNLCK)
		return;
	list_for_each_entry (l, &c->flc_posix, fl_list) { /* in the owner's order */
		if (l->fl_owner != r->fl_owner)
			continue;
		at = &l->fl_list;
		if (l->fl_start > end)
			break;
		at = at->next;
	}
	l = take_spare(s, r, start, end);
	list_add_tail(&l->fl_list, at);
}

/* One try: 0, -EAGAIN (with FL_SLEEP: r waits), -EDEADLK, or 1: more spares are needed. */
static int posix_try(struct file_lock_context *c, struct file_lock *r, struct spares *s)
{
	struct file_lock *l;
	struct wake_q wq;
	int ret = 0, need;

	wake_q_begin(&wq);
	spin_lock(&c->flc_lock);
	l = r->fl_type == F_UNLCK ? NULL : find_conflict(&c->flc_posix, r);
	if (l) {
		if (r->fl_flags & FL_SLEEP)
			ret = block_on(l, r);
		if (!ret)
			ret = -EAGAIN;
	} else {
		need = locks_needed(c, r);
		if (need > (int)s->n)
			ret = 1;
		else if (need >= 0)
			apply(c, r, s);
	}
	spin_unlock(&c->flc_lock);
	wake_q_end(&wq);
	return ret;
}

/**
 * posix_lock_file - set or take away a POSIX or OFD lock
 * @r: fl_flags FL_POSIX, FL_OFDLCK, FL_SLEEP; fl_type F_RDLCK, F_WRLCK, F_UNLCK; the range, the
 * owner, file and pid
 */
int posix_lock_file(struct file *f, struct file_lock *r)
{
	struct file_lock_context *c = locks_get_context(f, r->fl_type != F_UNLCK);
	struct spares s = {.n = 0};
	int ret = 1;

	if (!c)
		return r->fl_type == F_UNLCK ? 0 : -ENOMEM;
	init_request(r);
	if (r->fl_type == F_UNLCK)
		ret = posix_try(c, r, &s);
	for (;;) {
		if (ret == 1) {
			ret = -ENOLCK;
			if (!add_spare(&s))
				break;
		} else if (ret == -EAGAIN && (r->fl_flags & FL_SLEEP)) {
			ret = wait_unblocked(c, r);
			if (ret)
				break;
		} else {
			break;
		}
		ret = posix_try(c, r, &s);
	}
	while (s.n)
		kfree(s.lock[--s.n]);
	return ret;
}

/* ---- flock ---- */
/* One try: 0 or -EAGAIN (with FL_SLEEP: r waits). A change of type gives the old lock up first, as
 * flock(2) says. */
static int flock_try(struct file_lock_context *c, struct file_lock *r, struct spares *s)
{
	struct file_lock *l, *mine = NULL;
	struct wake_q wq;
	int ret = 0;

	wake_q_begin(&wq);
	spin_lock(&c->flc_lock);
	list_for_each_entry (l, &c->flc_flock, fl_list) {
		if (l->fl_owner == r->fl_owner) {
			mine = l;
			break;
		}
	}
	if (mine && mine->fl_type == r->fl_type)
		goto out;
	if (mine)
		delete_lock(mine);
	if (r->fl_type == F_UNLCK)
		goto out;
	l = find_conflict(&c->flc_flock, r);
	if (l) {
		ret = -EAGAIN;
		if (r->fl_flags & FL_SLEEP)
			block_on(l, r);
	} else {
		l = take_spare(s, r, r->fl_start, r->fl_end);
		list_add_tail(&l->fl_list, &c->flc_flock);
	}
out:
	spin_unlock(&c->flc_lock);
	wake_q_end(&wq);
	return ret;
}

/**
 * flock_lock_file - set or take away a lock of an open file
 * @r: fl_flags FL_FLOCK, FL_SLEEP; fl_type; fl_owner and fl_file the file; the range is all of it
 */
int flock_lock_file(struct file *f, struct file_lock *r)
{
	struct file_lock_context *c = locks_get_context(f, r->fl_type != F_UNLCK);
	struct spares s = {.n = 0};
	int ret;

	if (!c)
		return r->fl_type == F_UNLCK ? 0 : -ENOMEM;
	init_request(r);
	if (r->fl_type != F_UNLCK && !add_spare(&s))
		return -ENOMEM;
	for (;;) {
		ret = flock_try(c, r, &s);
		if (ret != -EAGAIN || !(r->fl_flags & FL_SLEEP))
			break;
		ret = wait_unblocked(c, r);
		if (ret)
			break;
	}
	if (s.n)
		kfree(s.lock[0]);
	return ret;
}
