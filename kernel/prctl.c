// SPDX-License-Identifier: Apache-2.0
// prctl(2).

#include <husk/syscalls.h>
#include <husk/mm.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include "signal_internal.h"

#define CAP_BIT(c) (1ULL << (c))

static long set_name(const char __user *uname)
{
	char name[TASK_COMM_LEN] = {};

	if (strncpy_from_user(name, uname, sizeof(name) - 1) < 0)
		return -EFAULT;
	set_task_comm(current, name);
	return 0;
}

static long get_name(char __user *uname)
{
	char name[TASK_COMM_LEN];

	task_lock(current);
	memcpy(name, current->comm, sizeof(name));
	task_unlock(current);
	return copy_to_user(uname, name, sizeof(name)) ? -EFAULT : 0;
}

/* Descendants learn at their parent's end to look for a subreaper above them. */
static void mark_descendants(struct signal_struct *me)
{
	struct task_struct *p, *q;

	write_lock(&tasklist_lock);
	for_each_process (p)
		for (q = p->real_parent; q != &init_task; q = q->real_parent)
			if (q->signal == me) {
				p->signal->has_child_subreaper = true;
				break;
			}
	write_unlock(&tasklist_lock);
}

static long set_subreaper(bool on)
{
	struct signal_struct *s = current->signal;

	s->is_child_subreaper = on;
	if (on)
		mark_descendants(s);
	return 0;
}

/* ---- capabilities ---- */

static long bset_drop(unsigned long cap)
{
	struct cred *new;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (!cap_valid(cap))
		return -EINVAL;
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	new->cap_bset &= ~CAP_BIT(cap);
	return commit_creds(new);
}

static long set_keepcaps(unsigned long on)
{
	struct cred *new;

	if (on > 1)
		return -EINVAL;
	if (current->cred->securebits & issecure_mask(SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	if (on)
		new->securebits |= issecure_mask(SECURE_KEEP_CAPS);
	else
		new->securebits &= ~issecure_mask(SECURE_KEEP_CAPS);
	return commit_creds(new);
}

static long set_securebits(unsigned long bits)
{
	unsigned old = current->cred->securebits;
	struct cred *new;

	/* locked bits stay, locks stay, nothing unknown */
	if (((old & SECURE_ALL_LOCKS) >> 1) & (old ^ bits))
		return -EPERM;
	if ((old & SECURE_ALL_LOCKS & ~bits) || (bits & ~(unsigned long)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)))
		return -EPERM;
	if (!capable(CAP_SETPCAP))
		return -EPERM;
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	new->securebits = bits;
	return commit_creds(new);
}

static long cap_ambient(unsigned long op, unsigned long cap, unsigned long a4, unsigned long a5)
{
	const struct cred *old = current->cred;
	struct cred *new;

	if (op == PR_CAP_AMBIENT_CLEAR_ALL ? (cap | a4 | a5) : (a4 | a5) || !cap_valid(cap))
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return !!(old->cap_ambient & CAP_BIT(cap));
	case PR_CAP_AMBIENT_RAISE:
		if (!(old->cap_permitted & old->cap_inheritable & CAP_BIT(cap)) ||
		    (old->securebits & issecure_mask(SECURE_NO_CAP_AMBIENT_RAISE)))
			return -EPERM;
		break;
	case PR_CAP_AMBIENT_LOWER:
	case PR_CAP_AMBIENT_CLEAR_ALL:
		break;
	default:
		return -EINVAL;
	}
	new = prepare_creds();
	if (!new)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		new->cap_ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		new->cap_ambient |= CAP_BIT(cap);
	else
		new->cap_ambient &= ~CAP_BIT(cap);
	return commit_creds(new);
}

/* ---- the rest ---- */

static long set_mm(void)
{
	return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
}

SYSCALL_DEFINE5(prctl, int, op, unsigned long, a2, unsigned long, a3, unsigned long, a4, unsigned long, a5)
{
	struct task_struct *me = current;
	int v;

	switch (op) {
	case PR_SET_PDEATHSIG:
		if (!valid_signal(a2))
			return -EINVAL;
		me->pdeath_signal = a2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user(me->pdeath_signal, (int *)a2);
	case PR_GET_DUMPABLE:
		return me->mm->dumpable;
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		me->mm->dumpable = a2;
		return 0;
	case PR_GET_KEEPCAPS:
		return !!(me->cred->securebits & issecure_mask(SECURE_KEEP_CAPS));
	case PR_SET_KEEPCAPS:
		return set_keepcaps(a2);
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_NAME:
		return set_name((char *)a2);
	case PR_GET_NAME:
		return get_name((char *)a2);
	case PR_GET_SECCOMP:
		return 0; /* disabled: there are no filters */
	case PR_CAPBSET_READ:
		return cap_valid(a2) ? !!(me->cred->cap_bset & CAP_BIT(a2)) : -EINVAL;
	case PR_CAPBSET_DROP:
		return bset_drop(a2);
	case PR_GET_TSC:
		v = PR_TSC_ENABLE;
		return put_user(v, (int *)a2);
	case PR_SET_TSC: /* it cannot be taken away */
		return a2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_SECUREBITS:
		return me->cred->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(a2);
	case PR_GET_TIMERSLACK:
		return me->timer_slack_ns;
	case PR_SET_TIMERSLACK:
		me->timer_slack_ns = (long)a2 <= 0 ? me->default_timer_slack_ns : a2;
		return 0;
	case PR_SET_MM:
		return set_mm();
	case PR_SET_CHILD_SUBREAPER:
		return set_subreaper(a2);
	case PR_GET_CHILD_SUBREAPER:
		v = me->signal->is_child_subreaper;
		return put_user(v, (int *)a2);
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || a4 || a5)
			return -EINVAL;
		me->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a2 || a3 || a4 || a5 ? -EINVAL : me->no_new_privs;
	case PR_GET_TID_ADDRESS:
		return put_user(me->clear_child_tid, (int **)a2);
	case PR_SET_THP_DISABLE:
		if (a3 || a4 || a5)
			return -EINVAL;
		me->thp_disabled = a2 != 0;
		return 0;
	case PR_GET_THP_DISABLE:
		return a2 || a3 || a4 || a5 ? -EINVAL : me->thp_disabled;
	case PR_CAP_AMBIENT:
		return cap_ambient(a2, a3, a4, a5);
	}
	return -EINVAL;
}
