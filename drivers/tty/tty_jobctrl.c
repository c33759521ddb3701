// SPDX-License-Identifier: Apache-2.0
/* Sessions, controlling terminals and foreground process groups. */
#include <husk/init.h>
#include <husk/tty.h>
#include <husk/device.h>
#include <husk/pid.h>
#include <asm/ioctls.h>

/*
 * DOC: signal->tty, tty->session and tty->pgrp are changed under tasklist_lock held for writing. A tty that ends (its
 * master is closed, it is hung up) clears every signal->tty that names it under that lock, so that whoever finds it
 * there under the lock may take a reference.
 */

static bool is_session_leader(void)
{
	return current->signal->sid == current->tgid;
}

struct tty_struct *get_current_tty(void)
{
	struct tty_struct *tty;

	read_lock(&tasklist_lock);
	tty = current->signal->tty;
	if (tty)
		tty_get(tty);
	read_unlock(&tasklist_lock);
	return tty;
}

void tty_proc_info(struct signal_struct *sig, u32 *nr, pid_t *pgrp)
{
	struct tty_struct *tty = sig->tty;

	*nr = tty ? new_encode_dev(tty->dev) : 0;
	*pgrp = tty ? (tty->pgrp ? tty->pgrp : -1) : -1;
}

static bool sig_ignored_or_blocked(int sig)
{
	bool r;

	spin_lock(&current->sighand->siglock);
	r = sigismember(&current->blocked, sig) || current->sighand->action[sig - 1].handler == HUSK_SIG_IGN;
	spin_unlock(&current->sighand->siglock);
	return r;
}

/* pgrp_orphaned: no member has a parent in another group of the same session */
static bool pgrp_orphaned(pid_t pgrp)
{
	struct signal_struct *sig;
	bool orphaned = true;
	struct pid *pid;

	read_lock(&tasklist_lock);
	pid = find_pid(pgrp);
	if (!pid)
		goto out;
	list_for_each_entry (sig, &pid->members, pgrp_node) {
		struct task_struct *p = sig->leader, *parent = p->real_parent;

		if (p->exit_state || !parent || parent == child_reaper || parent->pid == 0)
			continue;
		if (parent->signal->pgid != pgrp && parent->signal->sid == sig->sid) {
			orphaned = false;
			break;
		}
	}
out:
	read_unlock(&tasklist_lock);
	return orphaned;
}

static int stop_background(struct tty_struct *tty, int sig)
{
	pid_t pgrp = current->signal->pgid;

	if (sig_ignored_or_blocked(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (pgrp_orphaned(pgrp))
		return -EIO;
	kill_pgrp(pgrp, sig, 1);
	set_thread_flag(TIF_SIGPENDING);
	return -ERESTARTSYS;
}

/**
 * tty_check_change - may the caller read (SIGTTIN) or change (SIGTTOU) its controlling terminal now?
 * Return: 0; -ERESTARTSYS after its group was signalled; -EIO where it cannot be stopped
 */
int tty_check_change(struct tty_struct *tty, int sig)
{
	pid_t fg = READ_ONCE(tty->pgrp);

	if (READ_ONCE(current->signal->tty) != tty || fg <= 0 || fg == READ_ONCE(current->signal->pgid))
		return 0;
	return stop_background(tty, sig);
}

/* set_foreground: tasklist_lock held for writing; p may be NULL */
static void set_foreground(struct tty_struct *tty, struct pid *p)
{
	struct pid *old = tty->pgrp_pid;

	tty->pgrp_pid = p ? get_pid(p) : NULL;
	tty->pgrp = p ? p->nr : 0;
	put_pid(old);
}

void tty_signal_pgrp(struct tty_struct *tty, int sig)
{
	if (READ_ONCE(tty->pgrp) <= 0)
		return;
	read_lock(&tasklist_lock);
	if (tty->pgrp > 0 && find_pid(tty->pgrp) == tty->pgrp_pid)
		kill_pgrp_locked(tty->pgrp, sig, 1);
	read_unlock(&tasklist_lock);
}

void __proc_set_tty(struct tty_struct *tty)
{
	write_lock(&tasklist_lock);
	if (!test_bit(TTY_DEAD, &tty->flags)) {
		tty->session = current->signal->sid;
		set_foreground(tty, current->signal->pgrp);
		current->signal->tty = tty;
		current->signal->tty_old_pgrp = 0;
	}
	write_unlock(&tasklist_lock);
}

/* tty_open_set_ctty: the first terminal that a session leader opens becomes its controlling one */
void tty_open_set_ctty(struct tty_struct *tty, struct file *f)
{
	if (is_session_leader() && !current->signal->tty && !READ_ONCE(tty->session) && !tty->driver->pty_master)
		__proc_set_tty(tty);
}

/* clear_session: tasklist_lock held for writing */
static void clear_session(struct tty_struct *tty)
{
	struct task_struct *p;

	for_each_process (p)
		if (p->signal->tty == tty)
			p->signal->tty = NULL;
	tty->session = 0;
	set_foreground(tty, NULL);
}

/* Nobody has it as controlling terminal any more. */
static void tty_clear_session(struct tty_struct *tty)
{
	write_lock(&tasklist_lock);
	clear_session(tty);
	write_unlock(&tasklist_lock);
}

/* tty_signal_session: for a hang-up: the session leader is told, and nobody has the terminal any more */
void tty_signal_session(struct tty_struct *tty, bool exit_session)
{
	struct task_struct *p;
	pid_t pgrp;

	write_lock(&tasklist_lock);
	pgrp = tty->pgrp;
	for_each_process (p) {
		if (p->signal->tty != tty || p->signal->sid != p->tgid)
			continue;
		do_send_sig_info(SIGHUP, SEND_SIG_PRIV, p, true);
		do_send_sig_info(SIGCONT, SEND_SIG_PRIV, p, true);
		p->signal->tty_old_pgrp = pgrp;
	}
	clear_session(tty);
	write_unlock(&tasklist_lock);
	if (exit_session && pgrp > 0)
		kill_pgrp(pgrp, SIGHUP, 1);
}

static void hup_group(pid_t pgrp, bool cont)
{
	if (pgrp <= 0)
		return;
	kill_pgrp(pgrp, SIGHUP, 1);
	if (cont)
		kill_pgrp(pgrp, SIGCONT, 1);
}

/**
 * tty_exit_session - a session leader ends: its terminal is hung up, or, where it lost it before, the group that
 * was in the foreground then is told. No lock held.
 */
static void tty_exit_session(struct task_struct *leader)
{
	struct tty_struct *tty;
	pid_t old;

	if (leader->signal->sid != leader->tgid)
		return;
	tty = get_current_tty();
	if (tty) {
		tty_hangup(tty, true);
		tty_put(tty);
		return;
	}
	write_lock(&tasklist_lock);
	old = leader->signal->tty_old_pgrp;
	leader->signal->tty_old_pgrp = 0;
	write_unlock(&tasklist_lock);
	hup_group(old, true);
}

/* give_up_tty: TIOCNOTTY */
static long give_up_tty(struct tty_struct *tty)
{
	pid_t pgrp;

	if (current->signal->tty != tty)
		return -ENOTTY;
	if (is_session_leader()) {
		if (!tty->driver->pty_slave) {
			tty_hangup(tty, true);
			return 0;
		}
		write_lock(&tasklist_lock);
		pgrp = tty->pgrp;
		clear_session(tty);
		write_unlock(&tasklist_lock);
		hup_group(pgrp, true);
		return 0;
	}
	write_lock(&tasklist_lock);
	current->signal->tty = NULL;
	write_unlock(&tasklist_lock);
	return 0;
}

/* take_tty: TIOCSCTTY; steal: from another session, for root */
static long take_tty(struct tty_struct *tty, struct file *f, bool steal)
{
	if (is_session_leader() && tty->session == current->signal->sid)
		return 0;
	if (!is_session_leader() || current->signal->tty)
		return -EPERM;
	if (tty->session) {
		if (!steal || !capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_clear_session(tty);
	}
	if (!(f->f_mode & FMODE_READ) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	__proc_set_tty(tty);
	return 0;
}

/* session_of_pgrp: of any member; 0: no such group. tasklist_lock held. */
static pid_t session_of_pgrp(pid_t pgrp)
{
	struct pid *pid = find_pid(pgrp);

	if (!pid || list_empty(&pid->members))
		return 0;
	return list_first_entry(&pid->members, struct signal_struct, pgrp_node)->sid;
}

static long set_pgrp(struct tty_struct *tty, pid_t __user *arg)
{
	long r = tty_check_change(tty, SIGTTOU);
	pid_t pgrp, sid;

	if (r)
		return r == -EIO ? -ENOTTY : r;
	if (current->signal->tty != tty || tty->session != current->signal->sid)
		return -ENOTTY;
	if (get_user(pgrp, arg))
		return -EFAULT;
	if (pgrp < 0)
		return -EINVAL;
	write_lock(&tasklist_lock);
	sid = session_of_pgrp(pgrp);
	if (!sid)
		r = -ESRCH;
	else if (sid != current->signal->sid)
		r = -EPERM;
	else if (current->signal->tty == tty)
		set_foreground(tty, find_pid(pgrp));
	write_unlock(&tasklist_lock);
	return r;
}

/**
 * tty_jobctrl_ioctl - the job control ioctls
 * @tty: what the file is; @real: the terminal proper (the slave, for a pty master)
 */
long tty_jobctrl_ioctl(struct tty_struct *tty, struct tty_struct *real, struct file *f, unsigned cmd, unsigned long arg)
{
	bool other = tty == real && current->signal->tty != real;

	switch (cmd) {
	case TIOCNOTTY:
		return give_up_tty(tty);
	case TIOCSCTTY:
		return take_tty(real, f, arg == 1);
	case TIOCGPGRP:
		return other ? -ENOTTY : put_user(READ_ONCE(real->pgrp), (pid_t __user *)arg);
	case TIOCSPGRP:
		return set_pgrp(real, (pid_t __user *)arg);
	case TIOCGSID:
		if (other || !real->session)
			return -ENOTTY;
		return put_user(READ_ONCE(real->session), (pid_t __user *)arg);
	}
	return -ENOIOCTLCMD;
}

static int jobctrl_init(void)
{
	session_leader_exit = tty_exit_session;
	return 0;
}
fs_initcall(jobctrl_init); /* before pid 1 */
