// SPDX-License-Identifier: Apache-2.0
// futex: requeue, cmp_requeue, wake_op, robust lists, and what is ENOSYS or EINVAL.
// build: static
#include "t.h"
#include <linux/futex.h>
static int a, b;
static long fx(int *u, int op, int v, long t, int *u2, int v3)
{
	return syscall(SYS_futex, u, op, v, t, u2, v3);
}
static volatile pid_t tid[8];
static pthread_t th[8];
static void *waiter(void *p)
{
	long i = (long)p;
	tid[i] = my_tid();
	fx(i >= 6 ? &b : &a, FUTEX_WAIT, 0, 0, 0, 0);
	return 0;
}
static void start(int from, int to)
{
	for (long i = from; i < to; i++) {
		tid[i] = 0;
		pthread_create(th + i, 0, waiter, (void *)i);
		while (!tid[i])
			sched_yield();
		settle(tid[i]);
	}
}
static struct robust_list_head head;
struct lock {
	struct robust_list list;
	int word;
};
static struct lock *lock;
static void *holder(void *p)
{
	(void)p;
	head.list.next = &lock->list;
	head.futex_offset = offsetof(struct lock, word);
	head.list_op_pending = 0;
	lock->list.next = &head.list;
	lock->word = my_tid() | (lock->word & FUTEX_WAITERS);
	R(syscall(SYS_set_robust_list, &head, sizeof head));
	syscall(SYS_exit, 0);
	return 0;
}
int main(void)
{
	start(0, 6);
	R(fx(&a, FUTEX_REQUEUE, 1, 2, &b, 0));
	R(fx(&b, FUTEX_WAKE, 10, 0, 0, 0));
	R(fx(&a, FUTEX_CMP_REQUEUE, 1, 10, &b, 1));
	R(fx(&a, FUTEX_CMP_REQUEUE, 1, 10, &b, 0));
	R(fx(&a, FUTEX_WAKE, 10, 0, 0, 0));
	R(fx(&b, FUTEX_WAKE, 10, 0, 0, 0));
	for (int i = 0; i < 6; i++)
		pthread_join(th[i], 0);
	R(fx(&a, FUTEX_REQUEUE, -1, 2, &b, 0));
	R(fx(&a, FUTEX_REQUEUE, 1, -2, &b, 0));
	R(fx(&a, FUTEX_REQUEUE, 1, 2, (int *)8, 0));
	// wake_op: arithmetic on the second word, comparison with its old value.
#define OP(op, arg, cmp, cmparg) FUTEX_OP(op, arg, cmp, cmparg)
	b = 5;
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 5)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 5)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_OR, 4, FUTEX_OP_CMP_NE, 0)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_ANDN, 2, FUTEX_OP_CMP_NE, 0)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_XOR, 15, FUTEX_OP_CMP_NE, 0)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 6, FUTEX_OP_CMP_NE, 0)));
	say("b %d\n", b);
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, (int *)8, 0));
	b = 0;
	start(4, 8); // two on a, two on b
	R(fx(&a, FUTEX_WAKE_OP, 1, 1, &b, OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 1)));
	b = 0;
	R(fx(&a, FUTEX_WAKE_OP, 1, 2, &b, OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0)));
	for (int i = 4; i < 8; i++)
		pthread_join(th[i], 0);
	// Robust list by hand: the word gets OWNER_DIED, a waiter is woken.
	lock = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t t;
	pthread_create(&t, 0, holder, 0);
	pthread_join(t, 0);
	say("owner died %d, tid cleared %d\n", !!(lock->word & FUTEX_OWNER_DIED), (lock->word & FUTEX_TID_MASK) == 0);
	lock->word = FUTEX_WAITERS | 1;
	pid_t k = MUST(fork());
	if (!k) {
		long r = fx(&lock->word, FUTEX_WAIT, FUTEX_WAITERS | 1, 0, 0, 0);
		_exit(r == 0 || errno == EAGAIN ? 0 : 1);
	}
	settle(k);
	lock->word = FUTEX_WAITERS | 1;
	pid_t o = MUST(fork());
	if (!o) {
		head.list.next = &lock->list;
		head.futex_offset = offsetof(struct lock, word);
		lock->list.next = &head.list;
		lock->word = my_tid() | FUTEX_WAITERS;
		syscall(SYS_set_robust_list, &head, sizeof head);
		kill(getpid(), SIGKILL);
	}
	reap(o);
	say("waiter %s, died %d\n", st(reap(k)), !!(lock->word & FUTEX_OWNER_DIED));
	struct robust_list_head *hp;
	size_t len;
	R(syscall(SYS_set_robust_list, &head, 5));
	R(syscall(SYS_get_robust_list, 0, &hp, &len));
	say("len %zu\n", len);
	R(syscall(SYS_get_robust_list, 1 << 22, &hp, &len));
	// A robust list that runs in a circle or into nowhere does not hang or kill.
	CHILD("circle", {
		struct lock *l = calloc(2, sizeof *l);
		l[0].list.next = &l[1].list;
		l[1].list.next = &l[0].list;
		head.list.next = &l[0].list;
		syscall(SYS_set_robust_list, &head, sizeof head);
	});
	CHILD("bad pointer", {
		head.list.next = (void *)8;
		syscall(SYS_set_robust_list, &head, sizeof head);
	});
	CHILD("bad head", syscall(SYS_set_robust_list, 8, sizeof head));
	// clear_child_tid at a bad address does not matter.
	CHILD("bad clear_child_tid", T(syscall(SYS_set_tid_address, 8) == my_tid()));
	return 0;
}
