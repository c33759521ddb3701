// SPDX-License-Identifier: Apache-2.0
// panic(): the sandbox stops and says why. kernel_shutdown(): it ends in order.

#include <husk/sched.h>
#include <husk/boot.h>

#define BACKTRACE_MAX 24

static struct reboot_notifier *reboot_notifiers;
static DEFINE_SPINLOCK(reboot_lock);
static u32 panicking;

struct frame {
	struct frame *next;
	unsigned long ret;
};

/* Frame pointers of the kernel stack; only addresses inside this stack slot are followed. */
static void show_backtrace(struct frame *f)
{
	unsigned long base = (unsigned long)f & ~(THREAD_SIZE - 1), end = base + THREAD_SIZE - sizeof(*f);
	char line[BACKTRACE_MAX * 20 + 16];
	size_t n = 0;

	for (int i = 0; i < BACKTRACE_MAX; i++) {
		if ((unsigned long)f < base || (unsigned long)f > end || ((unsigned long)f & 7) || !f->ret)
			break;
		n += scnprintf(line + n, sizeof(line) - n, " %lx", f->ret);
		if (f->next <= f)
			break;
		f = f->next;
	}
	pr_err("backtrace:%.*s", (int)n, line);
}

static void show_task(void)
{
	struct task_struct *t = current;
	struct pt_regs *r = current_pt_regs();

	if (!t)
		return;
	pr_err("task %s pid %d tgid %d state %x flags %x, user ip %lx sp %lx ax %lx call %ld", t->comm, t->pid, t->tgid,
	       t->state, t->flags, (unsigned long)r->ip, (unsigned long)r->sp, (unsigned long)r->ax, (long)r->orig_ax);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	if (!__atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST)) {
		va_start(ap, fmt);
		vsnprintf(boot->panic_msg, sizeof(boot->panic_msg), fmt, ap);
		va_end(ap);
		pr_err("kernel panic: %s", boot->panic_msg);
		show_task();
		show_backtrace(__builtin_frame_address(0));
		__atomic_store_n(&boot->state, HOSTIF_PANIC, __ATOMIC_SEQ_CST);
		host_futex_wake(&boot->state, INT32_MAX);
	}
	for (;;) /* the monitor ends every process of the jail */
		host_futex_wait(&boot->state, HOSTIF_PANIC, INT64_MAX);
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
