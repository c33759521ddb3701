// SPDX-License-Identifier: Apache-2.0
// panic(): the sandbox stops and says why. kernel_shutdown(): it ends in order.

#include <husk/sched.h>
#include <husk/boot.h>
#include "oops.h"

static struct reboot_notifier *reboot_notifiers;
static DEFINE_SPINLOCK(reboot_lock);

/* The first to panic; NULL: nobody did. */
struct thread_info *panicking;

static __noreturn void wait_for_the_end(void)
{
	for (;;) /* the monitor ends every process of the jail */
		host_futex_wait(&boot->state, HOSTIF_PANIC, INT64_MAX);
}

/* Publishes the panic: the monitor and the dump kernel wait for the state. */
static __noreturn void publish(void)
{
	__atomic_store_n(&boot->state, HOSTIF_PANIC, __ATOMIC_SEQ_CST);
	host_futex_wake(&boot->state, INT32_MAX);
	wait_for_the_end();
}

static __noreturn void do_panic(const char *fmt, va_list ap, struct host_sigcontext *c, u32 held)
{
	struct thread_info *ti = current_thread_info(), *none = NULL;

	if (!__atomic_compare_exchange_n(&panicking, &none, ti, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (none == ti) /* again, on the way down */
			publish();
		crash_wait(ti, c);
	}
	__atomic_fetch_add(&oops_in_progress, 1, __ATOMIC_SEQ_CST);
	vsnprintf(boot->panic_msg, sizeof(boot->panic_msg), fmt, ap);
	pr_err("kernel panic: %s", boot->panic_msg);
	if (c)
		show_report(c, held);
	arch_stop_threads();
	publish();
}

/**
 * panic - the sandbox cannot go on
 *
 * Writes the log, stops the other threads as well as that can be done, and reports to the monitor. Any context, any lock held.
 */
void panic(const char *fmt, ...)
{
	struct thread_info *ti = current_thread_info();
	struct host_sigcontext *c = NULL;
	u32 held = ti->lock_depth;
	va_list ap;

	if (!ti->crash_regs || !READ_ONCE(oops_in_progress)) {
		unsigned long *f = __builtin_frame_address(0);

		c = arch_capture(f[1], f[0], (unsigned long)(f + 2));
		ti->crash_regs = c;
	}
	va_start(ap, fmt);
	do_panic(fmt, ap, c, held);
}

void panic_reported(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	do_panic(fmt, ap, NULL, 0);
}

void register_reboot_notifier(struct reboot_notifier *n)
{
	spin_lock(&reboot_lock);
	n->next = reboot_notifiers;
	smp_store_release(&reboot_notifiers, n);
	spin_unlock(&reboot_lock);
}

/**
 * kernel_shutdown - end the sandbox with the wait(2) status of its program
 *
 * Runs what was registered (write-back, consoles), then reports to the monitor. May sleep.
 */
void kernel_shutdown(int wait_status)
{
	s64 sec, nsec;

	for (struct reboot_notifier *n = smp_load_acquire(&reboot_notifiers); n; n = n->next)
		n->fn();
	host_clock_gettime(1, &sec, &nsec);
	boot->phase_ns[HOSTIF_PHASE_EXIT] = sec * NSEC_PER_SEC + nsec;
	host_shutdown(wait_status);
}

void kernel_exec_failed(int err)
{
	boot->exec_errno = err < 0 ? -err : err;
	kernel_shutdown((err == ENOENT || err == -ENOENT ? 127 : 126) << 8);
}
