// SPDX-License-Identifier: Apache-2.0
// The mini dump kernel: starts, sleeps, and knows when to wake up.

#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include "sys.h"

#define SIGKILL_ 9
#define ARCH_SET_FS_ 0x1002
#define THREAD_STACK 4096
#define ROUNDS 6 /* of a quarter of the watchdog's time, without a heartbeat */

extern char __hot_start[], __hot_end[];
static u8 thread_stack[THREAD_STACK] __attribute__((aligned(64)));
static u64 tls[8]; /* the libraries look for a stack canary there */
static u32 thread_go;

static __attribute__((noreturn)) void leave(int status)
{
	for (;;)
		sys(exit_group, status);
}

static u32 kernel_state(void)
{
	return READ(ram_boot()->state);
}

static bool alive(u32 state)
{
	return state == HOSTIF_BOOTING || state == HOSTIF_RUNNING;
}

/* Turns the kernel's end, a futex in RAM, into an event for poll(). */
static void state_thread(void)
{
	u64 one = 1;
	u32 state;

	confine_thread();
	__atomic_store_n(&thread_go, 1, __ATOMIC_SEQ_CST);
	sys(futex, &thread_go, FUTEX_WAKE, 1);
	while (alive(state = kernel_state()))
		sys(futex, &ram_boot()->state, FUTEX_WAIT, state, 0);
	sys(write, MDUMP_FD_WAKE, &one, sizeof(one));
	for (;;)
		sys(exit, 0);
}

static void start_thread(void)
{
	u64 flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	if (spawn(flags, thread_stack + THREAD_STACK, state_thread) < 0)
		leave(71);
	while (!READ(thread_go))
		sys(futex, &thread_go, FUTEX_WAIT, 0, 0);
}

/* Milliseconds are enough: poll() until something is wanted, or the watchdog's next look. False: the time is over. */
static bool wait_event(bool with_jail, u64 ms)
{
	struct {
		int fd;
		short events, revents;
	} p[2] = {{MDUMP_FD_WAKE, 1, 0}, {with_jail ? MDUMP_FD_JAIL : -1, 1, 0}};
	u64 ts[2] = {ms / 1000, ms % 1000 * 1000000}, count;
	long n = sys(ppoll, p, 2, ms ? ts : 0, 0, 8);

	if (n > 0 && p[0].revents)
		sys(read, MDUMP_FD_WAKE, &count, sizeof(count));
	return n != 0;
}

static const struct mdump_ctl *map_ctl(void)
{
	long p = sys(mmap, 0, sizeof(*ctl), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, MDUMP_FD_CTL, 0);

	if (is_err(p))
		leave(72);
	ctl = (void *)p;
	return ctl;
}

/* The monitor says what it knows before the sandbox runs; from then on the copy counts. */
static void learn_config(void)
{
	long p;

	while (READ(ctl->magic) != MDUMP_MAGIC)
		wait_event(false, 0);
	config = *ctl;
	ctl->secret = 0;
	if (config.version != MDUMP_VERSION || config.size != sizeof(config) || config.nentries > MDUMP_MAX_ENTRIES)
		leave(73);
	for (u32 i = 0; i < config.nentries; i++)
		config.entry[i].name[sizeof(config.entry[i].name) - 1] = 0;
	config.sandbox[sizeof(config.sandbox) - 1] = 0;
	p = sys(mmap, 0, config.ram_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, MDUMP_FD_RAM, 0);
	if (is_err(p))
		leave(74);
	sys(madvise, p, config.ram_size, MADV_NOHUGEPAGE); /* who reads takes no memory that the sandbox did not take */
	ram = (void *)p;
}

static void lock_memory(void)
{
	struct {
		u64 cur, max;
	} none = {0, 0};

	sys(prlimit64, 0, RLIMIT_CORE, &none, 0);
	if (!sys(mlock, __hot_start, __hot_end - __hot_start))
		ctl->confined |= MDUMP_C_LOCKED;
	for (volatile char *p = __hot_start; p < __hot_end; p += PAGE)
		(void)*p;
}

void confine_pidns(void);

static void set_up(void)
{
	sys(arch_prctl, ARCH_SET_FS_, tls);
	sys(prctl, PR_SET_NAME, "husk-mdump", 0, 0, 0);
	map_ctl();
	config.flags = ctl->flags;
	confine_early();
	sys(prctl, PR_SET_PDEATHSIG, SIGKILL_, 0, 0, 0); /* after the change of user namespace, which clears it */
	if (sys(getppid) != ctl->monitor_pid)
		leave(0);
	learn_config();
	start_thread();
	confine_pidns();
	lock_memory();
	confine_late();
}

/* Counts looks in which the heart did not beat; somebody else's stopping of the jail is no fault of the kernel's. */
static bool heart_stopped(void)
{
	static u64 seen;
	static u32 rounds;
	u64 now = READ(ram_boot()->heartbeat);

	if (now != seen || kernel_state() != HOSTIF_RUNNING || jail_is_stopped()) {
		seen = now;
		rounds = 0;
		return false;
	}
	return ++rounds >= ROUNDS;
}

static enum mdump_reason why_wake(bool timeout)
{
	u32 state = kernel_state();

	if (READ(ctl->quit) || state == HOSTIF_EXITED)
		leave(0);
	if (state != HOSTIF_BOOTING && state != HOSTIF_RUNNING)
		return MDUMP_PANIC;
	if (jail_is_gone()) {
		if (!READ(ram_boot()->phase_ns[HOSTIF_PHASE_ENTRY])) /* the walls were refused: the jail said so */
			leave(0);
		return MDUMP_KILLED;
	}
	if (READ(ctl->request) != ctl->served)
		return MDUMP_REQUEST;
	return timeout && heart_stopped() ? MDUMP_WATCHDOG : MDUMP_NONE;
}

static void serve(enum mdump_reason reason)
{
	u32 wish = READ(ctl->request), level = config.level;

	if (reason == MDUMP_REQUEST && READ(ctl->request_level) <= MDUMP_D_MAX)
		level = READ(ctl->request_level);
	dump(reason, level);
	__atomic_store_n(&ctl->served, wish, __ATOMIC_SEQ_CST);
}

/* After a crash the monitor reads what became of it, and ends the sandbox. */
static __attribute__((noreturn)) void rest(void)
{
	while (!READ(ctl->quit))
		wait_event(false, 0);
	leave(0);
}

void mdump_main(void)
{
	enum mdump_reason reason;
	bool timeout = false;

	set_up();
	__atomic_store_n(&ctl->state, MDUMP_ASLEEP, __ATOMIC_SEQ_CST);
	for (;;) {
		reason = why_wake(timeout);
		timeout = false;
		if (reason != MDUMP_NONE)
			serve(reason);
		if (reason != MDUMP_NONE && reason != MDUMP_REQUEST)
			rest();
		if (reason == MDUMP_NONE)
			timeout = !wait_event(true, config.watchdog_s * 250);
	}
}
