// SPDX-License-Identifier: Apache-2.0
/* Consoles: the port shared by terminals and standard streams; descriptors 0, 1, 2 of the first program. */
#include "virtio_console.h"
#include <husk/init.h>

/*
 * DOC: who waits. Finished buffers are reaped by whoever looks: a reader, a writer, poll. Only when one of them must
 * sleep does a kernel thread of that direction (made then) wait for the monitor's doorbell, reap, and wake it; so an idle
 * console costs no thread, and a busy one no wake-up per buffer. The thread stops waiting when nobody needs it.
 */

static struct vport *ports[HOSTIF_MAX_DEVICES];
static DEFINE_MUTEX(ports_lock);

static struct vport *vport_create(struct hostif_device *dev)
{
	struct vport *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return ERR_PTR(-ENOMEM);
	p->dev = dev;
	mutex_init(&p->out_lock);
	mutex_init(&p->in_lock);
	init_waitqueue_head(&p->read_wait);
	init_waitqueue_head(&p->write_wait);
	init_waitqueue_head(&p->in_kick);
	init_waitqueue_head(&p->out_kick);
	p->in = virtqueue_init(&dev->queue[0]);
	p->out = virtqueue_init(&dev->queue[1]);
	if (IS_ERR(p->in))
		p->in = NULL;
	if (IS_ERR(p->out))
		p->out = NULL;
	return p;
}

/* The port of a device, made on first use; ERR_PTR. */
static struct vport *vport_get(unsigned device)
{
	struct vport *p;

	if (device >= boot->ndevices || device >= HOSTIF_MAX_DEVICES || boot->device[device].type != HOSTIF_DEV_CONSOLE)
		return ERR_PTR(-ENODEV);
	mutex_lock(&ports_lock);
	p = ports[device];
	if (!p) {
		p = vport_create(&boot->device[device]);
		if (!IS_ERR(p))
			ports[device] = p;
	}
	mutex_unlock(&ports_lock);
	return p;
}

int vport_out_init(struct vport *p, u32 size)
{
	if (p->obuf)
		return 0;
	if (!p->out)
		return -ENODEV;
	p->obuf = kmalloc(size, GFP_KERNEL);
	if (!p->obuf)
		return -ENOMEM;
	p->osize = size;
	return 0;
}

/* post: what lies between oposted and ohead, as far as the queue has places */
static bool post(struct vport *p)
{
	bool any = false;

	while (p->oposted != p->ohead && p->phead - p->ptail < VPORT_PIECES) {
		u32 at = p->oposted & (p->osize - 1), n = min(p->ohead - p->oposted, VPORT_PIECE_MAX);
		u32 first = min(n, p->osize - at);
		struct vq_buf b[2] = {{p->obuf + at, first}, {p->obuf, n - first}};
		struct vport_piece *piece = &p->piece[p->phead % VPORT_PIECES];
		int err;

		*piece = (struct vport_piece){.end = p->oposted + n};
		virtqueue_lock(p->out);
		err = virtqueue_add(p->out, b, n > first ? 2 : 1, 0, piece);
		virtqueue_unlock(p->out);
		if (err)
			break;
		p->phead++;
		p->oposted += n;
		any = true;
	}
	return any;
}

void vport_send(struct vport *p)
{
	if (post(p))
		virtqueue_kick(p->out);
}

void vport_reap_out(struct vport *p)
{
	struct vport_piece *piece;
	bool any = false;
	u32 len;

	if (!p->obuf || !virtqueue_used(p->out))
		return;
	virtqueue_lock(p->out);
	while ((piece = virtqueue_get(p->out, &len))) {
		piece->done = true;
		if (!len)
			p->gone = true;
		any = true;
	}
	virtqueue_unlock(p->out);
	while (p->ptail != p->phead && p->piece[p->ptail % VPORT_PIECES].done)
		WRITE_ONCE(p->otail, p->piece[p->ptail++ % VPORT_PIECES].end);
	if (any && p->oposted != p->ohead)
		vport_send(p);
}

u32 vport_put(struct vport *p, const u8 *buf, u32 n)
{
	u32 done = 0;

	n = min(n, vport_room(p));
	while (done < n) {
		u32 at = (p->ohead + done) & (p->osize - 1), part = min(n - done, p->osize - at);

		memcpy(p->obuf + at, buf + done, part);
		done += part;
	}
	p->ohead += done;
	return done;
}

static void wake_output(struct vport *p)
{
	if (p->tty)
		tty_wake_writers(p->tty);
	__wake_up(&p->write_wait, TASK_NORMAL, 0, (void *)(unsigned long)(EPOLLOUT | EPOLLWRNORM));
}

static bool output_moved(struct vport *p)
{
	u32 room;

	mutex_lock(&p->out_lock);
	vport_reap_out(p);
	room = vport_room(p);
	mutex_unlock(&p->out_lock);
	/* somebody may wait for all of it to have left */
	return p->gone || room == p->osize || (room >= TTY_WAKE_ROOM && !p->tty);
}

static int out_thread(void *arg)
{
	struct vport *p = arg;

	for (;;) {
		wait_event_interruptible(p->out_kick, READ_ONCE(p->out_need));
		while (READ_ONCE(p->out_need)) {
			u32 seen = virtqueue_irq(p->out);

			xchg(&p->out_need, 0); /* before the look: whoever asks after it is not missed */
			if (!output_moved(p))
				xchg(&p->out_need, 1);
			wake_output(p);
			if (READ_ONCE(p->out_need))
				virtqueue_wait_irq(p->out, seen, INT64_MAX);
		}
	}
	return 0;
}

static int in_thread(void *arg)
{
	struct vport *p = arg;

	for (;;) {
		wait_event_interruptible(p->in_kick, READ_ONCE(p->in_need));
		while (READ_ONCE(p->in_need)) {
			u32 seen = virtqueue_irq(p->in);
			bool ready;

			xchg(&p->in_need, 0);
			mutex_lock(&p->in_lock);
			vport_reap_in(p);
			ready = vport_in_ready(p) || !p->posted;
			mutex_unlock(&p->in_lock);
			if (!ready)
				xchg(&p->in_need, 1);
			if (ready)
				__wake_up(&p->read_wait, TASK_NORMAL, 0,
					  (void *)(unsigned long)(EPOLLIN | EPOLLRDNORM));
			else
				virtqueue_wait_irq(p->in, seen, INT64_MAX);
		}
	}
	return 0;
}

static void need(u32 *flag, wait_queue_head_t *q, struct task_struct **thread, int (*fn)(void *), void *arg,
		 const char *name)
{
	if (xchg(flag, 1))
		return; /* it will look again before it sleeps for good */
	if (!READ_ONCE(*thread)) {
		mutex_lock(&ports_lock);
		if (!*thread) {
			struct task_struct *t = kthread_run(fn, arg, "%s", name);

			if (!IS_ERR_OR_NULL(t))
				*thread = t;
			else /* the host allows no more: whoever writes next tries again */
				WRITE_ONCE(*flag, 0);
		}
		mutex_unlock(&ports_lock);
	}
	wake_up(q);
}

void vport_need_out(struct vport *p)
{
	if (p->out)
		need(&p->out_need, &p->out_kick, &p->out_thread, out_thread, p, "hvc_out");
}

void vport_need_in(struct vport *p)
{
	if (p->in)
		need(&p->in_need, &p->in_kick, &p->in_thread, in_thread, p, "hvc_in");
}

bool vport_in_ready(struct vport *p)
{
	return READ_ONCE(p->ilen) != READ_ONCE(p->ioff) || READ_ONCE(p->eof);
}

/* vport_post_in: ask the monitor for at most size bytes, unless it was asked, or there are some, or there is no more */
int vport_post_in(struct vport *p, u32 size)
{
	struct vq_buf b;
	int err;

	if (p->posted || vport_in_ready(p))
		return 0;
	if (!p->ibuf)
		p->ibuf = kmalloc(VPORT_IN_SIZE, GFP_KERNEL);
	if (!p->ibuf)
		return -ENOMEM;
	b = (struct vq_buf){p->ibuf, min(size, VPORT_IN_SIZE)};
	virtqueue_lock(p->in);
	err = virtqueue_add(p->in, &b, 0, 1, p);
	virtqueue_unlock(p->in);
	if (err)
		return err;
	p->ilen = p->ioff = 0;
	p->posted = true;
	virtqueue_kick(p->in);
	return 0;
}

void vport_reap_in(struct vport *p)
{
	u32 len;

	if (!p->posted || !virtqueue_used(p->in))
		return;
	virtqueue_lock(p->in);
	if (virtqueue_get(p->in, &len)) {
		p->posted = false;
		p->ilen = min(len, VPORT_IN_SIZE);
		if (!len)
			p->eof = true;
	}
	virtqueue_unlock(p->in);
}

/* own_console: the program's user may open its own terminal, as after a login */
static void own_console(void)
{
	struct path path;
	struct inode *inode;

	if (kern_path("/dev/console", LOOKUP_FOLLOW, &path))
		return;
	inode = path.dentry->d_inode;
	inode_lock(inode);
	inode->i_uid = boot->uid; /* whom the program will be run as */
	inode->i_gid = 5;	  /* tty */
	inode->i_mode = S_IFCHR | 0620;
	inode_unlock(inode);
	path_put(&path);
}

static struct file *stdio_file(int fd, struct hostif_stdio *s)
{
	struct vport *p = vport_get(s->device);
	int err;

	if (IS_ERR(p))
		return ERR_CAST(p);
	if (s->kind == HOSTIF_STDIO_PIPE)
		return vport_stream_file(p, fd == 0 ? O_RDONLY : O_WRONLY);
	err = vport_tty_init(p);
	if (!err)
		own_console();
	return err ? ERR_PTR(err) : filp_open("/dev/console", O_RDWR | O_NOCTTY, 0);
}

static int install_stdio(int want, struct hostif_stdio *s)
{
	struct file *f = stdio_file(want, s);
	int fd;

	if (IS_ERR(f)) {
		pr_err("console: descriptor %d cannot be opened: error %ld\n", want, -PTR_ERR(f));
		return PTR_ERR(f);
	}
	fd = get_unused_fd_flags(0);
	if (fd < 0) {
		fput(f);
		return fd;
	}
	fd_install(fd, f);
	return fd == want ? 0 : -EBADF;
}

/* Descriptors are given out lowest first; closed ones before an open one are held and released afterwards. */
int console_open_stdio(void)
{
	int hold[3], nhold = 0, err = 0;

	for (int i = 0; i < 3 && !err; i++) {
		struct hostif_stdio s = boot->stdio[i];

		if (s.kind == HOSTIF_STDIO_CLOSED) {
			int fd = get_unused_fd_flags(0);

			if (fd >= 0)
				hold[nhold++] = fd;
			continue;
		}
		err = install_stdio(i, &s);
	}
	while (nhold)
		put_unused_fd(hold[--nhold]);
	for (int i = 0; i < 3 && !err; i++)
		if (boot->stdio[i].kind == HOSTIF_STDIO_TTY && current->signal->sid == current->tgid &&
		    !current->signal->tty)
			__proc_set_tty(vport_get(boot->stdio[i].device)->tty);
	return err;
}

static struct tty_struct *console(void)
{
	for (unsigned i = 0; i < HOSTIF_MAX_DEVICES; i++)
		if (ports[i] && ports[i]->tty)
			return ports[i]->tty;
	return NULL;
}

static void console_winch(void)
{
	struct tty_struct *tty = console();
	struct winsize ws = {boot->tty_rows, boot->tty_cols, boot->tty_xpixel, boot->tty_ypixel};

	if (tty)
		tty_do_resize(tty, &ws);
}

/*
 * console_signal: a signal that the monitor got. What a terminal would have sent goes to the foreground group, or to the
 * program's own where it has no terminal; anything else was meant for the program.
 */
static void console_signal(int sig)
{
	bool from_keys = sig == SIGINT || sig == SIGQUIT || sig == SIGTSTP || sig == SIGCONT;
	struct tty_struct *tty = console();

	if (sig <= 0 || sig > _NSIG)
		return;
	if (from_keys && tty && READ_ONCE(tty->pgrp) > 0)
		tty_signal_pgrp(tty, sig);
	else if (!from_keys || kill_pgrp(child_reaper->signal->pgid, sig, 1))
		kill_pid(1, sig, 1);
}

static void console_hangup(void)
{
	struct tty_struct *tty = console();

	if (tty)
		tty_hangup(tty, true);
	else
		kill_pid(1, SIGHUP, 1);
}

static const struct host_console_ops console_ops = {
	.winch = console_winch,
	.signal = console_signal,
	.hangup = console_hangup,
};

/* drain: until the monitor took everything, or has nowhere to put it */
static void drain(struct vport *p)
{
	for (;;) {
		u32 seen = virtqueue_irq(p->out);
		bool empty;

		mutex_lock(&p->out_lock);
		vport_reap_out(p);
		vport_send(p);
		empty = p->otail == p->ohead;
		mutex_unlock(&p->out_lock);
		if (empty || p->gone)
			return;
		virtqueue_wait_irq(p->out, seen, NSEC_PER_SEC);
	}
}

void console_drain(void)
{
	for (unsigned i = 0; i < HOSTIF_MAX_DEVICES; i++)
		if (ports[i] && ports[i]->obuf)
			drain(ports[i]);
}

static struct reboot_notifier console_notifier = {.fn = console_drain};

static int console_init(void)
{
	host_console = &console_ops;
	register_reboot_notifier(&console_notifier);
	/* the terminal exists from the start, so that /dev/console can be opened by whoever asks */
	for (int i = 0; i < 3; i++)
		if (boot->stdio[i].kind == HOSTIF_STDIO_TTY) {
			struct vport *p = vport_get(boot->stdio[i].device);

			if (!IS_ERR(p) && vport_tty_init(p))
				pr_err("console: no memory for the terminal\n");
		}
	return 0;
}
device_initcall(console_init);
