// SPDX-License-Identifier: Apache-2.0
// What the monitor tells the kernel: window changes, signals, hang-up, the end.

#include <husk/sched.h>
#include <husk/boot.h>
#include <husk/init.h>
#include <husk/stats.h>
#include <husk/tty.h>
#include <husk/trace.h>

const struct host_console_ops *host_console;

/* --timeout and the like: everybody dies; the end of pid 1 ends the sandbox. */
static void kill_all(void)
{
	struct task_struct *t;

	read_lock(&tasklist_lock);
	for_each_process (t)
		if (!(t->flags & PF_KTHREAD))
			do_send_sig_info(SIGKILL, SEND_SIG_PRIV, t, true);
	read_unlock(&tasklist_lock);
}

static void serve(u32 bits)
{
	u32 sig = READ_ONCE(boot->event_signal);

	if (bits & HOSTIF_EV_WINCH)
		host_console->winch();
	if ((bits & HOSTIF_EV_SIGNAL) && sig >= 1 && sig <= _NSIG)
		host_console->signal(sig);
	if (bits & HOSTIF_EV_HANGUP)
		host_console->hangup();
	if (bits & HOSTIF_EV_TRACE)
		trace_reconfigure();
	if (bits & HOSTIF_EV_STATS)
		stats_refresh(bits & HOSTIF_EV_TASKS);
	if (bits & HOSTIF_EV_KILL)
		stats_kill();
	if (bits & HOSTIF_EV_SHUTDOWN)
		kill_all();
}

static int monitor_events(void *unused)
{
	for (;;) {
		u32 seen, bits;

		__atomic_store_n(&boot->event_kick_sleep, 1, __ATOMIC_SEQ_CST);
		seen = __atomic_load_n(&boot->event_kick, __ATOMIC_SEQ_CST);
		bits = xchg(&boot->event_bits, 0);
		if (!bits)
			host_sleep(&boot->event_kick, seen, INT64_MAX);
		__atomic_store_n(&boot->event_kick_sleep, 0, __ATOMIC_SEQ_CST);
		serve(bits);
	}
	return 0;
}

/* Late: there is a console by then, and what came before is still in event_bits. */
static int monitor_events_init(void)
{
	return PTR_ERR_OR_ZERO(kthread_run(monitor_events, NULL, "kmonitor"));
}
late_initcall(monitor_events_init);
