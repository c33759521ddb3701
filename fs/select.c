// SPDX-License-Identifier: Apache-2.0
/* poll and select. */
#include <husk/poll.h>
#include <husk/syscalls.h>
#include <asm/poll.h>
#include <linux/personality.h>

/**
 * DOC: polling
 *
 * A call asks every file for its state; while none has anything, the first round also registers one entry per wait queue that a
 * file names. A wake-up whose key has none of the events looked for is ignored; any other sets `triggered`,
 * so that a wake-up between asking and sleeping is not lost, and the files are asked again. Entries come from the caller's
 * stack for the first few files, then a page at a time.
 */
#define INLINE_ENTRIES 8

struct poll_table_entry {
	struct file *file; /* a reference */
	u32 key;
	struct wait_queue_entry wait;
	wait_queue_head_t *head;
};

struct poll_table_page {
	struct poll_table_page *next;
	unsigned int n;
	struct poll_table_entry entries[];
};
#define ENTRIES_PER_PAGE ((PAGE_SIZE - sizeof(struct poll_table_page)) / sizeof(struct poll_table_entry))

struct poll_wqueues {
	poll_table pt;
	struct task_struct *task;
	u32 triggered;
	int error;
	unsigned int n_inline;
	struct poll_table_page *pages;
	struct poll_table_entry inline_entries[INLINE_ENTRIES];
};

static int pollwake(struct wait_queue_entry *e, unsigned int mode, int sync, void *key)
{
	struct poll_table_entry *pe = container_of(e, struct poll_table_entry, wait);
	struct poll_wqueues *pw = e->private;

	if (key && !((u32)(unsigned long)key & pe->key))
		return 0;
	__atomic_store_n(&pw->triggered, 1, __ATOMIC_SEQ_CST);
	return wake_up_state(pw->task, TASK_NORMAL);
}

static struct poll_table_entry *new_entry(struct poll_wqueues *pw)
{
	struct poll_table_page *p = pw->pages;

	if (pw->n_inline < INLINE_ENTRIES)
		return &pw->inline_entries[pw->n_inline++];
	if (!p || p->n == ENTRIES_PER_PAGE) {
		p = (struct poll_table_page *)__get_free_page(GFP_KERNEL);
		if (!p) {
			pw->error = -ENOMEM;
			return NULL;
		}
		p->n = 0;
		p->next = pw->pages;
		pw->pages = p;
	}
	return &p->entries[p->n++];
}

static void add_entry(struct file *f, wait_queue_head_t *q, poll_table *pt)
{
	struct poll_wqueues *pw = container_of(pt, struct poll_wqueues, pt);
	struct poll_table_entry *pe = new_entry(pw);

	if (!pe)
		return;
	pe->file = get_file(f);
	pe->head = q;
	pe->key = pt->_key;
	init_waitqueue_func_entry(&pe->wait, pollwake);
	pe->wait.private = pw;
	add_wait_queue(q, &pe->wait);
}

static void poll_init(struct poll_wqueues *pw)
{
	pw->pt._qproc = add_entry;
	pw->pt._key = ~0u;
	pw->task = current;
	pw->triggered = 0;
	pw->error = 0;
	pw->n_inline = 0;
	pw->pages = NULL;
}

static void drop_entries(struct poll_table_entry *pe, unsigned int n)
{
	for (; n; n--, pe++) {
		remove_wait_queue(pe->head, &pe->wait);
		fput(pe->file);
	}
}

static void poll_free(struct poll_wqueues *pw)
{
	struct poll_table_page *p, *next;

	drop_entries(pw->inline_entries, pw->n_inline);
	for (p = pw->pages; p; p = next) {
		next = p->next;
		drop_entries(p->entries, p->n);
		free_page((unsigned long)p);
	}
}

/* Sleeps until something is triggered or until @end (CLOCK_MONOTONIC ns, 0: for ever). False: the time is over. */
static bool poll_sleep(struct poll_wqueues *pw, u64 end)
{
	s64 left = MAX_SCHEDULE_TIMEOUT;

	if (end) {
		u64 now = ktime_get_ns();

		if (now >= end)
			return false;
		left = (s64)(end - now);
	}
	set_current_state(TASK_INTERRUPTIBLE);
	if (!__atomic_load_n(&pw->triggered, __ATOMIC_SEQ_CST) && !signal_pending(current))
		left = schedule_timeout(left);
	set_current_state(TASK_RUNNING);
	__atomic_store_n(&pw->triggered, 0, __ATOMIC_SEQ_CST);
	return left != 0;
}

/* How long: 0 end with *nowait unset is for ever. */
static u64 deadline(s64 ns, bool *nowait)
{
	u64 end;

	*nowait = ns <= 0;
	if (*nowait)
		return 0;
	if (__builtin_add_overflow(ktime_get_ns(), (u64)ns, &end) || end > INT64_MAX)
		return 0;
	return end;
}

/* ---- poll ---- */

#define POLL_INLINE 32

static inline u32 poll_one(struct pollfd *p, poll_table *pt)
{
	struct file *f;
	u32 mask, want;

	if (p->fd < 0) {
		p->revents = 0;
		return 0;
	}
	f = fget(p->fd);
	if (!f) {
		p->revents = POLLNVAL;
		return POLLNVAL;
	}
	want = (u16)p->events | EPOLLERR | EPOLLHUP;
	pt->_key = want;
	mask = vfs_poll(f, pt) & want;
	fput(f);
	p->revents = (short)mask;
	return mask;
}

static int do_poll(struct pollfd *fds, unsigned int n, struct poll_wqueues *pw, u64 end, bool nowait)
{
	unsigned int i;
	int count;

	if (nowait)
		pw->pt._qproc = NULL;
	for (;;) {
		count = 0;
		for (i = 0; i < n; i++) {
			if (poll_one(&fds[i], &pw->pt)) {
				count++;
				pw->pt._qproc = NULL;
			}
		}
		pw->pt._qproc = NULL; /* all are registered, or need not be */
		if (!count) {
			count = pw->error;
			if (signal_pending(current))
				count = -ERESTARTNOHAND;
		}
		if (count || nowait)
			return count;
		if (!poll_sleep(pw, end))
			nowait = true;
	}
}

static int do_sys_poll(struct pollfd __user *ufds, unsigned int n, u64 end, bool nowait)
{
	struct pollfd stack[POLL_INLINE], *fds = stack;
	struct poll_wqueues pw;
	unsigned int i;
	int ret = -EFAULT;

	if (n > rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > POLL_INLINE) {
		fds = kvmalloc((size_t)n * sizeof(*fds), GFP_KERNEL);
		if (!fds)
			return -ENOMEM;
	}
	if (n && copy_from_user(fds, ufds, n * sizeof(*fds)))
		goto out;
	poll_init(&pw);
	ret = do_poll(fds, n, &pw, end, nowait);
	poll_free(&pw);
	for (i = 0; ret >= 0 && i < n; i++)
		if (put_user(fds[i].revents, &ufds[i].revents))
			ret = -EFAULT;
out:
	if (fds != stack)
		kvfree(fds);
	return ret;
}

static long poll_restart(struct restart_block *r)
{
	int ret = do_sys_poll((struct pollfd __user *)r->arg[0], (unsigned int)r->arg[1], r->arg[2], false);

	if (ret == -ERESTARTNOHAND) {
		r->fn = poll_restart;
		ret = -ERESTART_RESTARTBLOCK;
	}
	return ret;
}

SYSCALL_DEFINE3(poll, struct pollfd __user *, ufds, unsigned int, nfds, int, timeout)
{
	bool nowait = !timeout;
	u64 end = timeout > 0 ? deadline(timeout * NSEC_PER_MSEC, &nowait) : 0;
	int ret = do_sys_poll(ufds, nfds, end, nowait);

	if (ret == -ERESTARTNOHAND) {
		current->restart_block.arg[0] = (unsigned long)ufds;
		current->restart_block.arg[1] = nfds;
		current->restart_block.arg[2] = end;
		current->restart_block.fn = poll_restart;
		ret = -ERESTART_RESTARTBLOCK;
	}
	return ret;
}

enum time_kind { AS_TIMESPEC, AS_TIMEVAL };

/* Puts back the signal mask and writes the time that is left, as select, pselect6 and ppoll do. */
static int finish_timed(int ret, void __user *utime, enum time_kind kind, u64 end, bool nowait)
{
	struct timespec64 left = {0, 0};
	u64 now;

	restore_saved_sigmask_unless(ret == -ERESTARTNOHAND);
	if (!utime || (current->personality & STICKY_TIMEOUTS))
		goto out;
	if (!nowait && end) {
		now = ktime_get_ns();
		left = ns_to_timespec64(end > now ? (s64)(end - now) : 0);
	} else if (!nowait) {
		return ret; /* longer than the clock runs: it stays as it is */
	}
	if (kind == AS_TIMEVAL)
		left.tv_nsec /= NSEC_PER_USEC;
	if (!copy_to_user(utime, &left, sizeof(left)))
		return ret;
out:
	/* a restart would begin with the whole time again */
	if (utime && ret == -ERESTARTNOHAND)
		ret = -EINTR;
	return ret;
}

static int get_timeout(const void __user *utime, u64 *end, bool *nowait)
{
	struct timespec64 ts;

	*end = 0;
	*nowait = false;
	if (!utime)
		return 0;
	if (get_timespec64(&ts, utime))
		return -EFAULT;
	if (!timespec64_valid(&ts))
		return -EINVAL;
	*end = deadline(timespec64_to_ns(&ts), nowait);
	return 0;
}

SYSCALL_DEFINE5(ppoll, struct pollfd __user *, ufds, unsigned int, nfds, void __user *, utime, const u64 __user *, mask,
		size_t, size)
{
	bool nowait;
	u64 end;
	int ret = get_timeout(utime, &end, &nowait);

	if (ret)
		return ret;
	ret = set_user_sigmask(mask, size);
	if (ret)
		return ret;
	ret = do_sys_poll(ufds, nfds, end, nowait);
	return finish_timed(ret, utime, AS_TIMESPEC, end, nowait);
}

/* ---- select ---- */

#define SELECT_STACK 384 /* bytes: six bitmaps of 512 descriptors */
#define IN_SET (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define OUT_SET (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define EX_SET EPOLLPRI

/* in, out, ex: what is asked for, and in res_* what is so. One allocation, words each. */
struct fd_bits {
	unsigned long *set[3], *res[3];
	unsigned int words;
};

/* The highest descriptor asked for, plus one; -EBADF when one is not open. */
static int max_select_fd(int n, const struct fd_bits *b)
{
	struct files_struct *files = current->files;
	unsigned long want, open;
	unsigned int w;
	int max = 0;

	spin_lock(&files->file_lock);
	for (w = 0; w * BITS_PER_LONG < n; w++) {
		want = b->set[0][w] | b->set[1][w] | b->set[2][w];
		if (n - w * BITS_PER_LONG < BITS_PER_LONG)
			want &= (1UL << (n - w * BITS_PER_LONG)) - 1;
		if (!want)
			continue;
		open = w * BITS_PER_LONG < files->max_fds ? files->open_fds[w] : 0;
		if (want & ~open) {
			max = -EBADF;
			break;
		}
		max = w * BITS_PER_LONG + fls64(want);
	}
	spin_unlock(&files->file_lock);
	return max;
}

/* Asks one file; sets its result bits. How many of them. */
static int select_one(int fd, const struct fd_bits *b, poll_table *pt)
{
	static const u32 sets[3] = {IN_SET, OUT_SET, EX_SET};
	unsigned long bit = 1UL << (fd % BITS_PER_LONG);
	unsigned int w = fd / BITS_PER_LONG, i;
	u32 key = EPOLLERR | EPOLLHUP, mask;
	struct file *f = fget(fd);
	int n = 0;

	if (!f) {
		mask = POLLNVAL; /* closed meanwhile: no set has it */
	} else {
		for (i = 0; i < 3; i++)
			if (b->set[i][w] & bit)
				key |= sets[i];
		pt->_key = key;
		mask = vfs_poll(f, pt);
		fput(f);
	}
	for (i = 0; i < 3; i++) {
		if ((b->set[i][w] & bit) && (mask & sets[i])) {
			b->res[i][w] |= bit;
			n++;
		}
	}
	return n;
}

static int do_select(int n, const struct fd_bits *b, u64 end, bool nowait)
{
	struct poll_wqueues pw;
	unsigned long want;
	unsigned int w;
	int count;

	n = max_select_fd(n, b);
	if (n < 0)
		return n;
	poll_init(&pw);
	if (nowait)
		pw.pt._qproc = NULL;
	for (;;) {
		count = 0;
		for (w = 0; w * BITS_PER_LONG < n; w++) {
			want = b->set[0][w] | b->set[1][w] | b->set[2][w];
			for (; want; want &= want - 1) {
				int fd = w * BITS_PER_LONG + __builtin_ctzl(want);

				if (fd >= n)
					break;
				count += select_one(fd, b, &pw.pt);
				if (count)
					pw.pt._qproc = NULL;
			}
		}
		pw.pt._qproc = NULL;
		if (count || nowait)
			break;
		if (pw.error || signal_pending(current)) {
			count = pw.error ? pw.error : -ERESTARTNOHAND;
			break;
		}
		if (!poll_sleep(&pw, end))
			nowait = true;
	}
	poll_free(&pw);
	return count;
}

static int core_select(int n, void __user *uin, void __user *uout, void __user *uex, u64 end, bool nowait)
{
	void __user *const u[3] = {uin, uout, uex};
	unsigned long stack[SELECT_STACK / sizeof(long)], *mem = stack;
	struct fd_bits b;
	size_t bytes;
	unsigned int i;
	int ret;

	if (n < 0)
		return -EINVAL;
	/* as in Linux, descriptors beyond the table are not looked at */
	n = min(n, (int)READ_ONCE(current->files->max_fds));
	b.words = BITS_TO_LONGS((unsigned int)n);
	bytes = b.words * sizeof(long);
	if (bytes * 6 > sizeof(stack)) {
		mem = kvmalloc(bytes * 6, GFP_KERNEL);
		if (!mem)
			return -ENOMEM;
	}
	memset(mem, 0, bytes * 6);
	ret = -EFAULT;
	for (i = 0; i < 3; i++) {
		b.set[i] = mem + i * b.words;
		b.res[i] = mem + (i + 3) * b.words;
		if (u[i] && copy_from_user(b.set[i], u[i], bytes))
			goto out;
	}
	ret = do_select(n, &b, end, nowait);
	if (ret < 0)
		goto out;
	for (i = 0; i < 3; i++)
		if (u[i] && copy_to_user(u[i], b.res[i], bytes))
			ret = -EFAULT;
out:
	if (mem != stack)
		kvfree(mem);
	return ret;
}

SYSCALL_DEFINE5(select, int, n, void __user *, in, void __user *, out, void __user *, ex, void __user *, utime)
{
	struct timespec64 tv;
	bool nowait = false;
	u64 end = 0;
	s64 ns;

	if (utime) {
		if (copy_from_user(&tv, utime, sizeof(tv)))
			return -EFAULT;
		/* struct timeval: microseconds, which may be more than a second's */
		if (tv.tv_sec < 0 || tv.tv_nsec < 0)
			return -EINVAL;
		tv.tv_sec += tv.tv_nsec / USEC_PER_SEC;
		tv.tv_nsec = tv.tv_nsec % USEC_PER_SEC * NSEC_PER_USEC;
		ns = timespec64_to_ns(&tv);
		end = deadline(ns, &nowait);
	}
	return finish_timed(core_select(n, in, out, ex, end, nowait), utime, AS_TIMEVAL, end, nowait);
}

SYSCALL_DEFINE6(pselect6, int, n, void __user *, in, void __user *, out, void __user *, ex, void __user *, utime,
		const void __user *, sig)
{
	struct {
		const u64 __user *mask;
		size_t size;
	} arg = {NULL, 0};
	bool nowait;
	u64 end;
	int ret;

	if (sig && copy_from_user(&arg, sig, sizeof(arg)))
		return -EFAULT;
	ret = get_timeout(utime, &end, &nowait);
	if (ret)
		return ret;
	ret = set_user_sigmask(arg.mask, arg.size);
	if (ret)
		return ret;
	ret = core_select(n, in, out, ex, end, nowait);
	return finish_timed(ret, utime, AS_TIMESPEC, end, nowait);
}
