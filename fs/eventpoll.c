// SPDX-License-Identifier: Apache-2.0
/* epoll. */
#include <husk/poll.h>
#include <husk/init.h>
#include <husk/seq_file.h>
#include <husk/syscalls.h>
#include <asm/poll.h>

/**
 * DOC: epoll
 *
 * Every watched descriptor has an epitem with an entry in each wait queue that its file's poll operation names. A wake-up
 * there puts the item on the ready list and wakes a waiter; so a wait costs what is ready, not what is
 * watched. Waiters take items off the list, ask each file once more, report what is true, and put level-triggered items back.
 *
 * Locks, outermost first: epnested_mutex (adding an epoll file to an epoll file), ep->mtx (the tree, the items, one scan of the ready
 * list at a time; a nested epoll's after its parent's), then the lock of a file's f_ep list; ep->lock (the ready list), taken inside any wait
 * queue's lock by the wake-up callback, and itself around ep->wq's.
 *
 * An item lives until both its descriptor's file is watched no more and its epoll is gone: the one that removes it, under ep->mtx,
 * frees it. An epoll closing and a watched file closing may meet over one item: the file marks it `dying` under that
 * list's lock and is then the one to remove it. Every item counts as a reference on its epoll.
 *
 * Nesting is bounded by EP_MAX_NESTS so that callbacks cannot overrun the stack: `above` is the deepest chain of epolls that ever
 * watched this one; what hangs below is counted when something is added.
 */
#define EP_MAX_NESTS 4
#define EP_PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)
#define EP_ALWAYS (EPOLLERR | EPOLLHUP)
#define EP_EXCLUSIVE_OK (EPOLLIN | EPOLLOUT | EP_ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define EP_MAX_EVENTS (INT32_MAX / sizeof(struct epoll_event))

struct eventpoll {
	struct mutex mtx;
	spinlock_t lock;
	struct list_head rdllist;  /* under lock */
	bool scanning;		   /* someone has taken the list; under lock and mtx */
	wait_queue_head_t wq;	   /* epoll_wait() */
	wait_queue_head_t poll_wq; /* pollers of the epoll file */
	struct rb_root items;	   /* under mtx */
	refcount_t refs;
	unsigned int above; /* under epnested_mutex */
};

struct ep_entry { /* place in one wait queue */
	struct ep_entry *next;
	struct epitem *item;
	wait_queue_head_t *head; /* NULL: the queue is gone */
	struct wait_queue_entry wait;
};

struct epitem {
	struct rb_node node;
	struct list_head ready;	 /* on rdllist or a scan's list; under ep->lock */
	struct list_head f_link; /* file->f_ep; under list_lock() */
	struct eventpoll *ep;
	struct file *file; /* no reference: eventpoll_release() comes before its end */
	int fd;
	bool dying;
	struct epoll_event event;
	struct ep_entry *entries;
	struct ep_entry first; /* files name one queue most of the time */
};

struct ep_pqueue {
	poll_table pt;
	struct epitem *item; /* NULL: out of memory on the way */
};

static DEFINE_MUTEX(epnested_mutex);
static struct kmem_cache *item_cache, *entry_cache;
static const struct file_operations eventpoll_fops;

/*
 * Files' f_ep lists. Not f_lock: a file whose list has become empty may be freed at once, before the one who emptied the list has
 * given the lock back.
 */
static spinlock_t list_locks[16];

static inline spinlock_t *list_lock(const struct file *f)
{
	return &list_locks[((unsigned long)f / sizeof(*f)) % ARRAY_SIZE(list_locks)];
}

static inline bool is_epoll(struct file *f)
{
	return f->f_op == &eventpoll_fops;
}

static void ep_put(struct eventpoll *ep)
{
	if (refcount_dec_and_test(&ep->refs))
		kfree(ep);
}

static int cmp_key(const struct file *f, int fd, const struct epitem *it)
{
	if (f != it->file)
		return f < it->file ? -1 : 1;
	return fd - it->fd;
}

static struct epitem *ep_find(struct eventpoll *ep, struct file *f, int fd)
{
	struct rb_node *n = ep->items.rb_node;

	while (n) {
		struct epitem *it = rb_entry(n, struct epitem, node);
		int c = cmp_key(f, fd, it);

		if (!c)
			return it;
		n = c < 0 ? n->rb_left : n->rb_right;
	}
	return NULL;
}

static void ep_link(struct eventpoll *ep, struct epitem *it)
{
	struct rb_node **p = &ep->items.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = cmp_key(it->file, it->fd, rb_entry(parent, struct epitem, node)) < 0 ? &parent->rb_left
											 : &parent->rb_right;
	}
	rb_link_node(&it->node, parent, p);
	rb_insert_color(&it->node, &ep->items);
}

/* ---- readiness ---- */

static inline void wake_pollers(struct eventpoll *ep)
{
	wake_up_poll(&ep->poll_wq, EPOLLIN);
}

/* A queue that is about to be freed says POLLFREE: the entry goes, with the queue's lock held by the caller. */
static void forget_queue(struct ep_entry *e)
{
	list_del_init(&e->wait.entry);
	smp_store_release(&e->head, NULL);
}

/* Does a wake-up that says `flags` end with an EPOLLEXCLUSIVE item that looks for `events`, or go on to the next in the queue? */
static bool exclusive_served(u32 flags, u32 events)
{
	u32 inout = flags & (EPOLLIN | EPOLLOUT);

	if (flags & POLLFREE)
		return false;
	return !inout || (inout != (EPOLLIN | EPOLLOUT) && (inout & events));
}

static int ep_callback(struct wait_queue_entry *w, unsigned int mode, int sync, void *key)
{
	struct ep_entry *e = container_of(w, struct ep_entry, wait);
	struct epitem *it = e->item;
	struct eventpoll *ep = it->ep;
	u32 flags = (u32)(unsigned long)key, events;
	bool woke = false;

	spin_lock(&ep->lock);
	events = it->event.events;
	/* disabled by EPOLLONESHOT, or not what it waits for */
	if (!(events & ~EP_PRIVATE_BITS) || (flags && !(flags & events))) {
		spin_unlock(&ep->lock);
		goto out;
	}
	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &ep->rdllist);
	if (waitqueue_active(&ep->wq)) {
		woke = exclusive_served(flags, events);
		wake_up(&ep->wq);
	}
	spin_unlock(&ep->lock);
	wake_pollers(ep);
out:
	if (unlikely(flags & POLLFREE))
		forget_queue(e);
	return events & EPOLLEXCLUSIVE ? woke : 1;
}

static void ep_queue_proc(struct file *f, wait_queue_head_t *head, poll_table *pt)
{
	struct ep_pqueue *pq = container_of(pt, struct ep_pqueue, pt);
	struct epitem *it = pq->item;
	struct ep_entry *e;

	if (!it)
		return;
	if (!it->entries) {
		e = &it->first;
	} else {
		e = kmem_cache_alloc(entry_cache, GFP_KERNEL);
		if (!e) {
			pq->item = NULL;
			return;
		}
	}
	init_waitqueue_func_entry(&e->wait, ep_callback);
	e->item = it;
	e->head = head;
	e->next = it->entries;
	it->entries = e;
	if (it->event.events & EPOLLEXCLUSIVE)
		add_wait_queue_exclusive(head, &e->wait);
	else
		add_wait_queue(head, &e->wait);
}

static u32 ep_poll_items(struct eventpoll *ep);

/* What of the item's events is true now. */
static u32 item_poll(struct epitem *it, poll_table *pt)
{
	struct eventpoll *nested;
	u32 mask;

	pt->_key = it->event.events;
	if (likely(!is_epoll(it->file)))
		return vfs_poll(it->file, pt) & it->event.events;
	nested = it->file->private_data;
	poll_wait(it->file, &nested->poll_wq, pt);
	mask = ep_poll_items(nested);
	return mask & it->event.events;
}

/* Something may be ready: on the list, or in the hands of a scan; taking mtx waits for its end. */
static bool ep_maybe_ready(struct eventpoll *ep)
{
	bool ready;

	if (!list_empty(&ep->rdllist))
		return true;
	spin_lock(&ep->lock);
	ready = !list_empty(&ep->rdllist) || ep->scanning;
	spin_unlock(&ep->lock);
	return ready;
}

/* Takes the ready list for a scan; ep->mtx held. */
static void scan_begin(struct eventpoll *ep, struct list_head *tx)
{
	spin_lock(&ep->lock);
	list_splice_init(&ep->rdllist, tx);
	ep->scanning = true;
	spin_unlock(&ep->lock);
}

/* The next item of a scan, unlinked, so that a wake-up from now on puts it on the ready list again. */
static struct epitem *scan_next(struct eventpoll *ep, struct list_head *tx)
{
	struct epitem *it = NULL;

	spin_lock(&ep->lock);
	if (!list_empty(tx)) {
		it = list_first_entry(tx, struct epitem, ready);
		list_del_init(&it->ready);
	}
	spin_unlock(&ep->lock);
	return it;
}

static void make_ready(struct eventpoll *ep, struct epitem *it)
{
	spin_lock(&ep->lock);
	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &ep->rdllist);
	spin_unlock(&ep->lock);
}

/* Puts back what a scan left, and passes the wake-up on if there is something for another waiter. */
static void scan_end(struct eventpoll *ep, struct list_head *tx)
{
	spin_lock(&ep->lock);
	list_splice_init(tx, &ep->rdllist);
	ep->scanning = false;
	if (!list_empty(&ep->rdllist))
		wake_up(&ep->wq);
	spin_unlock(&ep->lock);
}

/* Is anything ready? For pollers of the epoll file. */
static u32 ep_poll_items(struct eventpoll *ep)
{
	LIST_HEAD(tx);
	struct epitem *it;
	poll_table pt = {NULL, 0};
	u32 mask = 0;

	mutex_lock(&ep->mtx);
	scan_begin(ep, &tx);
	while (!mask && (it = scan_next(ep, &tx))) {
		if (item_poll(it, &pt)) {
			make_ready(ep, it);
			mask = EPOLLIN | EPOLLRDNORM;
		}
	}
	scan_end(ep, &tx);
	mutex_unlock(&ep->mtx);
	return mask;
}

static u32 eventpoll_poll(struct file *f, poll_table *pt)
{
	struct eventpoll *ep = f->private_data;

	poll_wait(f, &ep->poll_wq, pt);
	return ep_poll_items(ep);
}

/* ---- items come and go ---- */

static void drop_entries(struct epitem *it)
{
	struct ep_entry *e, *next;
	wait_queue_head_t *head;

	for (e = it->entries; e; e = next) {
		next = e->next;
		head = smp_load_acquire(&e->head);
		if (head)
			remove_wait_queue(head, &e->wait);
		if (e != &it->first)
			kmem_cache_free(entry_cache, e);
	}
	it->entries = NULL;
}

/* Takes the item away, unless its file is doing that (by_file). ep->mtx held. True: the caller drops a reference of ep. */
static bool ep_remove(struct eventpoll *ep, struct epitem *it, bool by_file)
{
	struct file *f = it->file;

	drop_entries(it);
	spin_lock(list_lock(f));
	if (it->dying && !by_file) {
		spin_unlock(list_lock(f));
		return false;
	}
	list_del(&it->f_link);
	spin_unlock(list_lock(f));
	rb_erase(&it->node, &ep->items);
	spin_lock(&ep->lock);
	if (!list_empty(&it->ready))
		list_del_init(&it->ready);
	spin_unlock(&ep->lock);
	kmem_cache_free(item_cache, it);
	return true;
}

/**
 * eventpoll_release - a file that may be watched is going away
 * Called with the last reference gone and before the file's release operation.
 */
void eventpoll_release(struct file *f)
{
	struct eventpoll *ep;
	struct epitem *it;

	if (likely(!f->f_ep.next || list_empty(&f->f_ep)))
		return;
	for (;;) {
		spin_lock(list_lock(f));
		it = list_first_entry_or_null(&f->f_ep, struct epitem, f_link);
		if (!it) {
			spin_unlock(list_lock(f));
			return;
		}
		it->dying = true; /* ours now: it and its epoll stay */
		ep = it->ep;
		spin_unlock(list_lock(f));
		mutex_lock(&ep->mtx);
		ep_remove(ep, it, true);
		mutex_unlock(&ep->mtx);
		ep_put(ep);
	}
}

static int eventpoll_release_file(struct inode *i, struct file *f)
{
	struct eventpoll *ep = f->private_data;
	struct rb_node *n, *next;
	unsigned int drop = 0;

	wake_up_poll(&ep->poll_wq, EPOLLIN);
	mutex_lock(&ep->mtx);
	for (n = rb_first(&ep->items); n; n = next) {
		next = rb_next(n);
		drop += ep_remove(ep, rb_entry(n, struct epitem, node), false);
	}
	mutex_unlock(&ep->mtx);
	while (drop--)
		ep_put(ep);
	ep_put(ep);
	return 0;
}

static int ep_insert(struct eventpoll *ep, const struct epoll_event *event, struct file *f, int fd)
{
	struct ep_pqueue pq;
	struct epitem *it;
	u32 mask;

	it = kmem_cache_zalloc(item_cache, GFP_KERNEL);
	if (!it)
		return -ENOMEM;
	INIT_LIST_HEAD(&it->ready);
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->event = *event;
	spin_lock(list_lock(f));
	if (!f->f_ep.next)
		INIT_LIST_HEAD(&f->f_ep);
	list_add_tail(&it->f_link, &f->f_ep);
	spin_unlock(list_lock(f));
	ep_link(ep, it);
	refcount_inc(&ep->refs);
	pq.item = it;
	pq.pt._qproc = ep_queue_proc;
	mask = item_poll(it, &pq.pt);
	if (unlikely(!pq.item)) {
		/* the caller's reference keeps the file from taking it first */
		ep_remove(ep, it, true);
		ep_put(ep);
		return -ENOMEM;
	}
	if (mask) {
		make_ready(ep, it);
		wake_up(&ep->wq);
		wake_pollers(ep);
	}
	return 0;
}

static void ep_modify(struct eventpoll *ep, struct epitem *it, const struct epoll_event *event)
{
	poll_table pt = {NULL, 0};

	/* under ep->lock: a callback sees the old events or the new; those it missed are found by asking */
	spin_lock(&ep->lock);
	it->event = *event;
	spin_unlock(&ep->lock);
	smp_mb();
	if (item_poll(it, &pt)) {
		make_ready(ep, it);
		wake_up(&ep->wq);
		wake_pollers(ep);
	}
}

/* ---- nesting; epnested_mutex held ---- */

/* Epolls in the longest chain below ep, ep not counted; more than EP_MAX_NESTS when one of them is `top`. */
static unsigned int depth_below(struct eventpoll *ep, struct eventpoll *top, unsigned int level)
{
	unsigned int deepest = 0, d;
	struct rb_node *n;

	if (ep == top || level > EP_MAX_NESTS)
		return EP_MAX_NESTS + 1;
	mutex_lock(&ep->mtx);
	for (n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epitem *it = rb_entry(n, struct epitem, node);

		if (!is_epoll(it->file))
			continue;
		d = 1 + depth_below(it->file->private_data, top, level + 1);
		deepest = max(deepest, d);
		if (deepest > EP_MAX_NESTS)
			break;
	}
	mutex_unlock(&ep->mtx);
	return deepest;
}

static void push_above(struct eventpoll *ep, unsigned int above)
{
	struct rb_node *n;

	if (ep->above >= above)
		return;
	ep->above = above;
	mutex_lock(&ep->mtx);
	for (n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epitem *it = rb_entry(n, struct epitem, node);

		if (is_epoll(it->file))
			push_above(it->file->private_data, above + 1);
	}
	mutex_unlock(&ep->mtx);
}

static int check_nesting(struct eventpoll *ep, struct eventpoll *target)
{
	unsigned int below = depth_below(target, ep, 0);

	if (below > EP_MAX_NESTS || ep->above + 1 + below > EP_MAX_NESTS)
		return -ELOOP;
	push_above(target, ep->above + 1);
	return 0;
}

/* ---- system calls ---- */

static int ctl_locked(struct eventpoll *ep, int op, struct file *f, int fd, struct epoll_event *event)
{
	struct epitem *it = ep_find(ep, f, fd);

	switch (op) {
	case EPOLL_CTL_ADD:
		if (it)
			return -EEXIST;
		event->events |= EP_ALWAYS;
		return ep_insert(ep, event, f, fd);
	case EPOLL_CTL_DEL:
		if (!it)
			return -ENOENT;
		if (ep_remove(ep, it, false))
			ep_put(ep); /* not the last: the epoll's own file is open */
		return 0;
	case EPOLL_CTL_MOD:
		if (!it)
			return -ENOENT;
		if (it->event.events & EPOLLEXCLUSIVE)
			return -EINVAL;
		event->events |= EP_ALWAYS;
		ep_modify(ep, it, event);
		return 0;
	}
	return -EINVAL;
}

static int do_epoll_ctl(struct file *ef, int op, int fd, struct file *f, struct epoll_event *event)
{
	bool nested = op == EPOLL_CTL_ADD && is_epoll(f);
	struct eventpoll *ep;
	int err;

	if (!f->f_op->poll)
		return -EPERM;
	if (ef == f || !is_epoll(ef))
		return -EINVAL;
	if (op != EPOLL_CTL_DEL) {
		event->events &= ~EPOLLWAKEUP;
		if (event->events & EPOLLEXCLUSIVE) {
			if (op == EPOLL_CTL_MOD)
				return -EINVAL;
			if (is_epoll(f) || (event->events & ~EP_EXCLUSIVE_OK))
				return -EINVAL;
		}
	}
	ep = ef->private_data;
	if (nested) {
		mutex_lock(&epnested_mutex);
		err = check_nesting(ep, f->private_data);
		if (err)
			goto out;
	}
	mutex_lock(&ep->mtx);
	err = ctl_locked(ep, op, f, fd, event);
	mutex_unlock(&ep->mtx);
out:
	if (nested)
		mutex_unlock(&epnested_mutex);
	return err;
}

SYSCALL_DEFINE4(epoll_ctl, int, epfd, int, op, int, fd, struct epoll_event __user *, uevent)
{
	struct epoll_event event = {0};
	struct file *ef, *f;
	int err = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&event, uevent, sizeof(event)))
		return -EFAULT;
	ef = fget(epfd);
	if (!ef)
		return -EBADF;
	f = fget(fd);
	if (f) {
		err = do_epoll_ctl(ef, op, fd, f, &event);
		fput(f);
	}
	fput(ef);
	return err;
}

/* Reports up to max events. Their number, or -errno when there is none. */
static int send_events(struct eventpoll *ep, struct epoll_event __user *u, int max)
{
	poll_table pt = {NULL, 0};
	LIST_HEAD(tx);
	struct epitem *it;
	int n = 0;

	mutex_lock(&ep->mtx);
	scan_begin(ep, &tx);
	while (n < max && (it = scan_next(ep, &tx))) {
		struct epoll_event out;

		out.events = item_poll(it, &pt);
		if (!out.events)
			continue;
		out.data = it->event.data;
		if (copy_to_user(&u[n], &out, sizeof(out))) {
			make_ready(ep, it);
			if (!n)
				n = -EFAULT;
			break;
		}
		n++;
		if (it->event.events & EPOLLONESHOT) {
			spin_lock(&ep->lock);
			it->event.events &= EP_PRIVATE_BITS;
			spin_unlock(&ep->lock);
		} else if (!(it->event.events & EPOLLET)) {
			make_ready(ep, it);
		}
	}
	scan_end(ep, &tx);
	mutex_unlock(&ep->mtx);
	return n;
}

/* Sleeps until the ready list holds something. 1: it does, 0: time is over, -EINTR. */
static int ep_sleep(struct eventpoll *ep, u64 end)
{
	struct wait_queue_entry e;
	int ret = 1;

	init_waitqueue_entry(&e, current);
	e.func = autoremove_wake_function;
	for (;;) {
		s64 left = MAX_SCHEDULE_TIMEOUT;

		prepare_to_wait_exclusive(&ep->wq, &e, TASK_INTERRUPTIBLE);
		if (ep_maybe_ready(ep))
			break;
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (end) {
			u64 now = ktime_get_ns();

			if (now >= end) {
				ret = 0;
				break;
			}
			left = (s64)(end - now);
		}
		schedule_timeout(left);
	}
	finish_wait(&ep->wq, &e);
	/* a wake-up that came in between was for someone else as well */
	if (ret <= 0 && !list_empty(&ep->rdllist))
		wake_up(&ep->wq);
	return ret;
}

/* ns < 0: for ever; 0: do not wait */
static int do_epoll_wait(int epfd, struct epoll_event __user *u, int max, s64 ns)
{
	struct eventpoll *ep;
	struct file *f;
	u64 end = 0;
	int n;

	if (max <= 0 || max > (int)EP_MAX_EVENTS)
		return -EINVAL;
	if (!access_ok(u, max * sizeof(*u)))
		return -EFAULT;
	f = fget(epfd);
	if (!f)
		return -EBADF;
	n = -EINVAL;
	if (!is_epoll(f))
		goto out;
	ep = f->private_data;
	if (ns > 0 && (__builtin_add_overflow(ktime_get_ns(), (u64)ns, &end) || end > INT64_MAX))
		end = 0;
	for (;;) {
		n = ep_maybe_ready(ep) ? send_events(ep, u, max) : 0;
		if (n || !ns)
			break;
		n = ep_sleep(ep, end);
		if (n < 0)
			break;
		if (!n)
			ns = 0; /* one last look */
	}
out:
	fput(f);
	return n;
}

SYSCALL_DEFINE4(epoll_wait, int, epfd, struct epoll_event __user *, events, int, max, int, timeout)
{
	return do_epoll_wait(epfd, events, max, timeout < 0 ? -1 : timeout * NSEC_PER_MSEC);
}

static int do_epoll_pwait(int epfd, struct epoll_event __user *events, int max, s64 ns, const u64 __user *mask,
			  size_t size)
{
	int ret = set_user_sigmask(mask, size);

	if (ret)
		return ret;
	ret = do_epoll_wait(epfd, events, max, ns);
	restore_saved_sigmask_unless(ret == -EINTR);
	return ret;
}

SYSCALL_DEFINE6(epoll_pwait, int, epfd, struct epoll_event __user *, events, int, max, int, timeout, const u64 __user *,
		mask, size_t, size)
{
	return do_epoll_pwait(epfd, events, max, timeout < 0 ? -1 : timeout * NSEC_PER_MSEC, mask, size);
}

SYSCALL_DEFINE6(epoll_pwait2, int, epfd, struct epoll_event __user *, events, int, max, const void __user *, timeout,
		const u64 __user *, mask, size_t, size)
{
	struct timespec64 ts;
	s64 ns = -1;

	if (timeout) {
		if (get_timespec64(&ts, timeout))
			return -EFAULT;
		if (!timespec64_valid(&ts))
			return -EINVAL;
		ns = timespec64_to_ns(&ts);
	}
	return do_epoll_pwait(epfd, events, max, ns, mask, size);
}

static void eventpoll_show(struct seq_file *m, struct file *f)
{
	struct eventpoll *ep = f->private_data;
	struct rb_node *n;

	mutex_lock(&ep->mtx);
	for (n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epitem *it = rb_entry(n, struct epitem, node);

		seq_printf(m, "tfd: %8d events: %8x data: %16llx  pos:%lli ino:%llx sdev:%llx\n", it->fd,
			   it->event.events, (unsigned long long)it->event.data, (long long)it->file->f_pos,
			   (unsigned long long)file_inode(it->file)->i_ino,
			   (unsigned long long)file_inode(it->file)->i_sb->s_dev);
	}
	mutex_unlock(&ep->mtx);
}

static const struct file_operations eventpoll_fops = {
	.release = eventpoll_release_file,
	.poll = eventpoll_poll,
	.llseek = noop_llseek,
	.show_fdinfo = eventpoll_show,
};

static int do_epoll_create(int flags)
{
	struct eventpoll *ep;
	struct file *f;
	int fd;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->mtx);
	spin_lock_init(&ep->lock);
	INIT_LIST_HEAD(&ep->rdllist);
	init_waitqueue_head(&ep->wq);
	init_waitqueue_head(&ep->poll_wq);
	refcount_set(&ep->refs, 1);
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		goto out_free;
	f = anon_inode_getfile("[eventpoll]", &eventpoll_fops, ep, O_RDWR | (flags & O_CLOEXEC));
	if (IS_ERR(f)) {
		put_unused_fd(fd);
		fd = (int)PTR_ERR(f);
		goto out_free;
	}
	fd_install(fd, f);
	return fd;
out_free:
	kfree(ep);
	return fd;
}

SYSCALL_DEFINE1(epoll_create1, int, flags)
{
	return do_epoll_create(flags);
}

SYSCALL_DEFINE1(epoll_create, int, size)
{
	return size <= 0 ? -EINVAL : do_epoll_create(0);
}

static int eventpoll_init(void)
{
	item_cache = KMEM_CACHE(epitem);
	entry_cache = KMEM_CACHE(ep_entry);
	return item_cache && entry_cache ? 0 : -ENOMEM;
}
fs_initcall(eventpoll_init);
