// SPDX-License-Identifier: Apache-2.0
// Injection: results without calls, signals and delays, as the reader's rules say.

#include <husk/wait.h>
#include "internal.h"

/* Is this one of the calls that the rule wants? It has just been counted. */
static bool due(const struct hostif_trace_rule *rule, u32 n)
{
	if (n < rule->first || (rule->last && n > rule->last))
		return false;
	return rule->step ? (n - rule->first) % rule->step == 0 : n == rule->first;
}

/* Sleeps whatever is sent but a deadly signal. */
static void delay(u64 ns)
{
	while (ns && !fatal_signal_pending(current)) {
		set_current_state(TASK_KILLABLE);
		ns = schedule_timeout(min_t(u64, ns, INT64_MAX - 1));
	}
	set_current_state(TASK_RUNNING);
}

bool trace_inject_enter(struct trace_task *tt, unsigned nr, s64 *ret)
{
	u64 before = 0;
	bool call = true;

	for (u32 i = 0; i < trace_config.nrules; i++) {
		const struct hostif_trace_rule *rule = &trace_config.rule[i];

		if (!(rule->calls[nr / 64] >> (nr % 64) & 1) || !due(rule, ++tt->count[i]))
			continue;
		if (rule->what & (TRACE_INJECT_DELAY_ENTER | TRACE_INJECT_DELAY_EXIT))
			tt->injected |= TRACE_F_DELAYED;
		if (rule->what & TRACE_INJECT_RETURN) {
			tt->injected |= TRACE_F_INJECTED;
			*ret = rule->ret;
			call = false;
		}
		if (rule->what & TRACE_INJECT_SIGNAL && rule->signal >= 1 && rule->signal <= _NSIG)
			send_sig_info(rule->signal, SEND_SIG_PRIV, current);
		if (rule->what & TRACE_INJECT_DELAY_ENTER)
			before = rule->delay_enter;
		if (rule->what & TRACE_INJECT_DELAY_EXIT)
			tt->delay_exit = rule->delay_exit;
	}
	delay(before);
	return call;
}

void trace_inject_exit(struct trace_task *tt)
{
	delay(tt->delay_exit);
	tt->delay_exit = 0;
}
