// SPDX-License-Identifier: Apache-2.0
// Lock checks of the debug build: lock order by classes, locks taken twice, sleeping or returning to user mode with a lock held.

#include <husk/sched.h>
#include <husk/kallsyms.h>
#include <husk/lockdep.h>
#include "oops.h"

#ifdef LOCK_DEBUG

/**
 * DOC: lock order
 *
 * Locks are seen as classes: all locks that one line of code initialises, or one lock that lies in the kernel image. When a task takes
 * a lock of class B with one of class A held, "A before B" becomes an edge of a graph, for ever. A new edge that closes a circle
 * is a deadlock that could happen, though nobody has waited yet: it is reported, once, with the stack that makes the edge and those that
 * made the others.
 *
 * Not seen: an order within a class (parent and child inode), other than one lock taken twice; page locks; locks that were only
 * tried (they make no edge, but what is taken under them does).
 *
 * A lock without initialiser (zeroed memory) gets its class from where it was taken first.
 *
 * The graph is guarded by a lock word of its own that nothing else is taken under.
 */

#define MAX_CLASSES 512
#define MAX_EDGES 8192
#define TRACE 6

struct lock_class {
	const char *name;  /* of its initialiser, or NULL */
	unsigned long key; /* address of a lock in the image, or of code that took it first */
};
struct edge {
	u16 from, to, parent; /* parent: for the search */
	int pid;
	unsigned long trace[TRACE];
};

static struct lock_class classes[MAX_CLASSES];
static unsigned int nclasses = 1, nedges;
static u64 before[MAX_CLASSES][MAX_CLASSES / 64]; /* before[a] has b: a was held when b was taken */
static struct edge edges[MAX_EDGES];
static u32 graph_word;
static bool full;
extern char _stext[], _end[];

static void graph_lock(void)
{
	while (__atomic_exchange_n(&graph_word, 1, __ATOMIC_ACQUIRE))
		host_yield();
}

static void graph_unlock(void)
{
	__atomic_store_n(&graph_word, 0, __ATOMIC_RELEASE);
}

static struct lockdep_task *mine(void)
{
	struct task_struct *t = current;

	return t ? &t->lockdep : NULL;
}

void lockdep_busy(int n)
{
	struct lockdep_task *d = mine();

	if (d)
		d->busy += n;
}

/* ---- classes ---- */

static u16 new_class(const char *name, unsigned long key)
{
	unsigned int c;

	for (c = 1; c < nclasses; c++)
		if (classes[c].key == key)
			return c;
	if (c == MAX_CLASSES) {
		full = true;
		return 0;
	}
	classes[c] = (struct lock_class){name, key};
	smp_store_release(&nclasses, c + 1);
	return c;
}

static u16 class_of(const void *lock, u16 *class, unsigned long ip)
{
	u16 c = READ_ONCE(*class);

	if (c)
		return c;
	graph_lock();
	if (!*class)
		*class = new_class(NULL, (char *)lock >= _stext && (char *)lock < _end ? (unsigned long)lock : ip);
	c = *class;
	graph_unlock();
	return c;
}

void lockdep_set_key(u16 *class, struct lock_class_key *key)
{
	if (!READ_ONCE(key->class)) {
		graph_lock();
		key->class = new_class(key->name, (unsigned long)key);
		graph_unlock();
	}
	*class = key->class;
}

static const char *class_name(u16 c, char *buf)
{
	if (classes[c].name)
		return classes[c].name;
	sprint_symbol(buf, classes[c].key);
	return buf;
}

/* ---- reports ---- */

static const char *const kind_names[] = {"spinlock", "mutex", "rwsem for reading", "rwsem for writing"};

void lockdep_show_held(void)
{
	struct lockdep_task *d = mine();
	char name[KSYM_SYMBOL_LEN];

	for (u32 i = 0; d && i < d->nheld && i < LOCKDEP_MAX_HELD; i++)
		pr_err(" #%u %s %s (%p), taken at %pB", i, kind_names[d->held[i].kind],
		       class_name(d->held[i].class, name), d->held[i].lock, (void *)d->held[i].ip);
}

static void __printf(2, 3) complain(unsigned long ip, const char *fmt, ...)
{
	unsigned long *f = __builtin_frame_address(0);
	char cause[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cause, sizeof(cause), fmt, ap);
	va_end(ap);
	while (f && f[1] != ip && *(unsigned long **)f > f) /* the checks' own frames are not shown */
		f = *(unsigned long **)f;
	warn_report(cause, arch_capture(ip, *f, (unsigned long)(f + 2)));
}

/* ---- the graph ---- */

static bool test_edge(u16 a, u16 b)
{
	return READ_ONCE(before[a][b / 64]) >> (b % 64) & 1;
}

/* The shortest way from a to b, as edges; their number, 0: none. Under the graph's lock. */
static unsigned int find_path(u16 a, u16 b, const struct edge **path, unsigned int max)
{
	static u16 queue[MAX_CLASSES], via[MAX_CLASSES];
	unsigned int head = 0, tail = 0, n = 0;

	memset(via, 0, sizeof(via));
	queue[tail++] = a;
	via[a] = a;
	while (head < tail && !via[b]) {
		u16 c = queue[head++];

		for (unsigned int to = 1; to < nclasses; to++) {
			if (test_edge(c, to) && !via[to]) {
				via[to] = c;
				queue[tail++] = to;
			}
		}
	}
	for (u16 c = b; via[b] && c != a && n < max; c = via[c])
		for (unsigned int e = 0; e < nedges; e++)
			if (edges[e].to == c && edges[e].from == via[c])
				path[n++] = &edges[e];
	return n;
}

static void save_trace(struct edge *e, unsigned long ip)
{
	unsigned long *f = __builtin_frame_address(0), base = (unsigned long)f & ~(THREAD_SIZE - 1);

	e->trace[0] = ip;
	f = (unsigned long *)*f;
	for (unsigned int i = 1; i < TRACE; i++) {
		if ((unsigned long)f < base || (unsigned long)f >= base + THREAD_SIZE - 1024)
			return;
		if ((unsigned long)f[1] != ip)
			e->trace[i] = f[1];
		else
			i--;
		if ((unsigned long *)*f <= f)
			return;
		f = (unsigned long *)*f;
	}
}

static void report_circle(const struct held_lock *h, u16 c, unsigned long ip, const struct edge **path, unsigned int n)
{
	char from[KSYM_SYMBOL_LEN], to[KSYM_SYMBOL_LEN];

	complain(ip, "WARNING: possible circular locking: %s is taken with %s held", class_name(c, to),
		 class_name(h->class, from));
	pr_err("%s was taken at %pB", class_name(h->class, from), (void *)h->ip);
	for (unsigned int i = n; i-- > 0;) {
		pr_err("earlier, pid %d took %s with %s held:", path[i]->pid, class_name(path[i]->to, to),
		       class_name(path[i]->from, from));
		for (unsigned int k = 0; k < TRACE && path[i]->trace[k]; k++)
			pr_err("   %pB", (void *)path[i]->trace[k]);
	}
}

/* h is held, a lock of class c is being taken */
static void add_edge(const struct held_lock *h, u16 c, unsigned long ip)
{
	const struct edge *path[16];
	unsigned int n;

	if (!h->class || h->class == c || test_edge(h->class, c))
		return;
	graph_lock();
	if (test_edge(h->class, c) || nedges == MAX_EDGES) {
		graph_unlock();
		return;
	}
	n = find_path(c, h->class, path, ARRAY_SIZE(path));
	memset(&edges[nedges], 0, sizeof(edges[0]));
	edges[nedges] = (struct edge){.from = h->class, .to = c, .pid = current->pid};
	save_trace(&edges[nedges++], ip);
	before[h->class][c / 64] |= 1UL << (c % 64);
	graph_unlock();
	if (n)
		report_circle(h, c, ip, path, n);
}

/* ---- taking and leaving ---- */

static void check_twice(struct lockdep_task *d, const void *lock, enum lock_kind kind, unsigned long ip)
{
	for (u32 i = 0; i < d->nheld; i++) {
		if (d->held[i].lock != lock)
			continue;
		pr_err("taken before at %pB", (void *)d->held[i].ip);
		if (kind == LOCK_READ && d->held[i].kind == LOCK_READ)
			complain(ip,
				 "WARNING: %pS is taken for reading twice: a writer that comes between waits for ever",
				 lock);
		else
			bad_lock(lock, "it is held by the task that takes it");
	}
}

void lockdep_acquire(const void *lock, u16 *class, enum lock_kind kind, bool try, unsigned long ip)
{
	struct lockdep_task *d = mine();
	u16 c;

	if (!d || d->busy)
		return;
	if (kind != LOCK_SPIN && !try)
		__might_sleep("a lock that sleeps", ip);
	d->busy++;
	c = class_of(lock, class, ip);
	if (!try) {
		check_twice(d, lock, kind, ip);
		for (u32 i = 0; i < d->nheld; i++)
			add_edge(&d->held[i], c, ip);
	}
	if (d->nheld < LOCKDEP_MAX_HELD) {
		d->held[d->nheld++] = (struct held_lock){lock, ip, c, kind};
		d->spins += kind == LOCK_SPIN;
	} else if (!full) {
		full = true;
		complain(ip, "WARNING: more than %u locks are held; the checks lose sight", LOCKDEP_MAX_HELD);
	}
	d->busy--;
}

void lockdep_release(const void *lock, enum lock_kind kind, unsigned long ip)
{
	struct lockdep_task *d = mine();

	if (!d || d->busy)
		return;
	for (u32 i = d->nheld; i-- > 0;) {
		if (d->held[i].lock != lock)
			continue;
		if (d->held[i].kind == LOCK_SPIN)
			d->spins--;
		d->nheld--;
		memmove(&d->held[i], &d->held[i + 1], (d->nheld - i) * sizeof(d->held[0]));
		return;
	}
	if (!full)
		complain(ip, "WARNING: bad unlock: %pS (%s) is not held by this task", lock, kind_names[kind]);
}

void lockdep_downgrade(const void *lock)
{
	struct lockdep_task *d = mine();

	for (u32 i = 0; d && !d->busy && i < d->nheld; i++)
		if (d->held[i].lock == lock)
			d->held[i].kind = LOCK_READ;
}

/* Each place complains once. */
static bool told(unsigned long ip)
{
	static unsigned long places[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		unsigned long none = 0;

		if (places[i] == ip)
			return true;
		if (__atomic_compare_exchange_n(&places[i], &none, ip, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return false;
	}
	return true;
}

void __might_sleep(const char *what, unsigned long ip)
{
	struct lockdep_task *d = mine();

	if (!d || d->busy || !d->spins || told(ip))
		return;
	d->busy++;
	complain(ip, "WARNING: sleep in atomic: %s with a spinlock held", what);
	d->busy--;
}

void lockdep_user_exit(void)
{
	struct lockdep_task *d = mine();

	if (!d || !d->nheld)
		return;
	d->busy++;
	complain((unsigned long)__builtin_return_address(0), "WARNING: back to user mode with %u locks held", d->nheld);
	d->busy--;
	d->nheld = d->spins = 0;
}

/* ---- the lock functions, out of line here ---- */

void __spin_lock_init(spinlock_t *l, struct lock_class_key *key)
{
	l->v = 0;
	lockdep_set_key(&l->class, key);
}

#define RET_IP ((unsigned long)__builtin_return_address(0))

noinline bool spin_trylock(spinlock_t *l)
{
	if (!__raw_trylock(l))
		return false;
	lock_held(1);
	lockdep_acquire(l, &l->class, LOCK_SPIN, true, RET_IP);
	return true;
}

noinline void spin_lock(spinlock_t *l)
{
	lockdep_acquire(l, &l->class, LOCK_SPIN, false, RET_IP);
	if (unlikely(!__raw_trylock(l)))
		__lock_slow(l);
	lock_held(1);
}

static void unlock(spinlock_t *l)
{
	u32 was = __atomic_exchange_n(&l->v, 0, __ATOMIC_RELEASE);

	lock_held(-1);
	if (unlikely(was != 1))
		__unlock_contended(l, was);
}

noinline void spin_unlock(spinlock_t *l)
{
	lockdep_release(l, LOCK_SPIN, RET_IP);
	unlock(l);
}

noinline bool mutex_trylock(struct mutex *m)
{
	if (!__raw_trylock(&m->l))
		return false;
	lock_held(1);
	lockdep_acquire(m, &m->l.class, LOCK_MUTEX, true, RET_IP);
	return true;
}

noinline void mutex_lock(struct mutex *m)
{
	lockdep_acquire(m, &m->l.class, LOCK_MUTEX, false, RET_IP);
	if (unlikely(!__raw_trylock(&m->l)))
		__mutex_lock_slow(&m->l);
	lock_held(1);
}

noinline void mutex_unlock(struct mutex *m)
{
	lockdep_release(m, LOCK_MUTEX, RET_IP);
	unlock(&m->l);
}

#endif
