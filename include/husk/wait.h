/* SPDX-License-Identifier: Apache-2.0 */
/* Wait queues, completions and sleeping (kernel/wait.c). As in Linux; times are nanoseconds. */
#ifndef HUSK_WAIT_H
#define HUSK_WAIT_H

#include <husk/list.h>
#include <husk/lock.h>

struct task_struct;
struct wait_queue_entry;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *e, unsigned mode, int sync, void *key);

#define WQ_FLAG_EXCLUSIVE 1
struct wait_queue_entry {
	unsigned int flags;
	void *private; /* the task, for default_wake_function */
	wait_queue_func_t func;
	struct list_head entry;
};
typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;
typedef struct wait_queue_entry wait_queue_entry_t;
#define DECLARE_WAIT_QUEUE_HEAD(n) wait_queue_head_t n = {__SPIN_LOCK_UNLOCKED, LIST_HEAD_INIT(n.head)}
/* macros, so that each user's queues are a lock class of their own */
#define init_waitqueue_head(q)                                                                                         \
	do {                                                                                                           \
		wait_queue_head_t *__q = (q);                                                                          \
		spin_lock_init(&__q->lock);                                                                            \
		INIT_LIST_HEAD(&__q->head);                                                                            \
	} while (0)
static inline bool waitqueue_active(wait_queue_head_t *q)
{
	smp_mb();
	return !list_empty(&q->head);
}

void init_waitqueue_entry(struct wait_queue_entry *e, struct task_struct *t);
void init_waitqueue_func_entry(struct wait_queue_entry *e, wait_queue_func_t f);
int default_wake_function(struct wait_queue_entry *e, unsigned mode, int sync, void *key);
int autoremove_wake_function(struct wait_queue_entry *e, unsigned mode, int sync, void *key);
void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e);
void add_wait_queue_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e);
void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *e);
void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned state);
void prepare_to_wait_exclusive(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned state);
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e);
void __wake_up(wait_queue_head_t *q, unsigned mode, int nr_exclusive, void *key);

/* task states; the word is the host futex a sleeping task waits on */
#define TASK_RUNNING 0u
#define TASK_INTERRUPTIBLE 1u
#define TASK_UNINTERRUPTIBLE 2u
#define __TASK_STOPPED 4u
#define __TASK_TRACED 8u
#define EXIT_DEAD 16u
#define EXIT_ZOMBIE 32u
#define EXIT_TRACE (EXIT_ZOMBIE | EXIT_DEAD) /* its tracer has reaped it, its parent is to be told */
#define TASK_WAKEKILL 0x100u
#define TASK_KILLABLE (TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)
#define TASK_STOPPED (TASK_WAKEKILL | __TASK_STOPPED)
#define TASK_TRACED (TASK_WAKEKILL | __TASK_TRACED)
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)

#define wake_up(q) __wake_up(q, TASK_NORMAL, 1, NULL)
#define wake_up_nr(q, n) __wake_up(q, TASK_NORMAL, n, NULL)
#define wake_up_all(q) __wake_up(q, TASK_NORMAL, 0, NULL)
#define wake_up_interruptible(q) __wake_up(q, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_all(q) __wake_up(q, TASK_INTERRUPTIBLE, 0, NULL)
/* key: the EPOLL* mask that became true, for poll and epoll entries */
#define wake_up_poll(q, mask) __wake_up(q, TASK_NORMAL, 1, (void *)(unsigned long)(mask))
#define wake_up_interruptible_poll(q, mask) __wake_up(q, TASK_INTERRUPTIBLE, 1, (void *)(unsigned long)(mask))

/* schedule: sleep until the task's state is TASK_RUNNING again (wake_up_process) */
void schedule(void);
/* schedule_timeout: as schedule(), for at most ns nanoseconds (MAX_SCHEDULE_TIMEOUT: for ever);
 * returns what is left, 0 when the time ran out. The state is TASK_RUNNING afterwards. */
s64 schedule_timeout(s64 ns);
#define MAX_SCHEDULE_TIMEOUT INT64_MAX
void set_current_state(unsigned state);
#define __set_current_state set_current_state
int signal_pending_state(unsigned state, struct task_struct *t);

#define ___wait_event(q, cond, state, timeo)                                                                           \
	({                                                                                                             \
		s64 __left = (timeo);                                                                                  \
		struct wait_queue_entry __e;                                                                           \
		init_waitqueue_entry(&__e, current);                                                                   \
		__e.func = autoremove_wake_function;                                                                   \
		long __r = 0;                                                                                          \
		for (;;) {                                                                                             \
			prepare_to_wait(&(q), &__e, state);                                                            \
			if (cond)                                                                                      \
				break;                                                                                 \
			if (signal_pending_state(state, current)) {                                                    \
				__r = -ERESTARTSYS;                                                                    \
				break;                                                                                 \
			}                                                                                              \
			if (!__left)                                                                                   \
				break;                                                                                 \
			__left = schedule_timeout(__left);                                                             \
		}                                                                                                      \
		finish_wait(&(q), &__e);                                                                               \
		__r ? __r : __left;                                                                                    \
	})
#define wait_event(q, cond)                                                                                            \
	do {                                                                                                           \
		if (!(cond))                                                                                           \
			(void)___wait_event(q, cond, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);                      \
	} while (0)
/* 0, or -ERESTARTSYS */
#define wait_event_interruptible(q, cond)                                                                              \
	({                                                                                                             \
		long __w = 0;                                                                                          \
		if (!(cond)) {                                                                                         \
			s64 __x = ___wait_event(q, cond, TASK_INTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);                    \
			if (__x < 0)                                                                                   \
				__w = __x;                                                                             \
		}                                                                                                      \
		(int)__w;                                                                                              \
	})
#define wait_event_killable(q, cond)                                                                                   \
	({                                                                                                             \
		long __w = 0;                                                                                          \
		if (!(cond)) {                                                                                         \
			s64 __x = ___wait_event(q, cond, TASK_KILLABLE, MAX_SCHEDULE_TIMEOUT);                         \
			if (__x < 0)                                                                                   \
				__w = __x;                                                                             \
		}                                                                                                      \
		(int)__w;                                                                                              \
	})
/* > 0: condition true (ns left, at least 1); 0: timed out; -ERESTARTSYS */
#define wait_event_interruptible_timeout(q, cond, ns)                                                                  \
	({                                                                                                             \
		s64 __w = (ns);                                                                                        \
		if (!(cond)) {                                                                                         \
			__w = ___wait_event(q, cond, TASK_INTERRUPTIBLE, __w);                                         \
			if (__w == 0 && (cond))                                                                        \
				__w = 1;                                                                               \
		} else if (!__w)                                                                                       \
			__w = 1;                                                                                       \
		__w;                                                                                                   \
	})
#define wait_event_timeout(q, cond, ns)                                                                                \
	({                                                                                                             \
		s64 __w = (ns);                                                                                        \
		if (!(cond)) {                                                                                         \
			__w = ___wait_event(q, cond, TASK_UNINTERRUPTIBLE, __w);                                       \
			if (__w == 0 && (cond))                                                                        \
				__w = 1;                                                                               \
		} else if (!__w)                                                                                       \
			__w = 1;                                                                                       \
		__w;                                                                                                   \
	})

/*
 * Wake-ups put off: between wake_q_begin and wake_q_end current's wake-ups change states at once, but the host calls that rouse sleepers
 * come at the end, when the caller has dropped its locks. Nests (the outermost counts). Do not sleep in between.
 */
#define WAKE_Q_MAX 16
struct wake_q {
	unsigned int n;
	bool inner;
	u32 *word[WAKE_Q_MAX];
};
void wake_q_begin(struct wake_q *q);
void wake_q_end(struct wake_q *q);

struct completion {
	unsigned int done;
	wait_queue_head_t wait;
};
#define init_completion(c)                                                                                             \
	do {                                                                                                           \
		struct completion *__c = (c);                                                                          \
		__c->done = 0;                                                                                         \
		init_waitqueue_head(&__c->wait);                                                                       \
	} while (0)
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
int wait_for_completion_killable(struct completion *c);

#endif
