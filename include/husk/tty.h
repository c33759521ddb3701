/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals: struct tty_struct, its driver operations, the line discipline, job control, ptys, the console.
 *
 * Lock order, outermost first: tty_mutex, n.lock (input), output_lock, then tasklist_lock, flow_lock, wait queues.
 * n.lock and output_lock are mutexes and may be held while user memory is touched; neither is held while sleeping for
 * room or input. A tty has no reference from signal->tty: whoever ends a tty clears those pointers (tty_clear_session).
 */
#ifndef HUSK_TTY_H
#define HUSK_TTY_H

#include <husk/fs.h>
#include <husk/poll.h>
#include <asm/termios.h>

struct tty_struct;
struct pts_fs_info;

#define N_TTY_BUF_SIZE 4096u
#define TTY_INQ_SIZE 65536u /* input that the line discipline has no room for yet */
#define TTY_RX_SIZE 65536u  /* output of a pty that its master has not read */
#define TTY_WRITE_CHUNK 4096u
#define TTY_ECHO_SIZE 4096u
#define TTY_WAKE_ROOM 16384u /* a writer that waits, or polls, goes on with so much room */

/**
 * struct tty_operations - what a driver does
 * @write: take bytes for output, as many as there is room for; under output_lock; never sleeps; 0 while stopped
 * @flush_chars: what was written goes on its way now (one doorbell or wake-up for a whole write)
 * @unthrottle: the line discipline took pending input: there is room for more
 */
struct tty_operations {
	int (*open)(struct tty_struct *tty, struct file *f);
	void (*close)(struct tty_struct *tty); /* last descriptor gone; under tty_mutex */
	size_t (*write)(struct tty_struct *tty, const u8 *buf, size_t n);
	size_t (*write_room)(struct tty_struct *tty);
	size_t (*chars_in_buffer)(struct tty_struct *tty);
	void (*flush_chars)(struct tty_struct *tty);
	void (*flush_buffer)(struct tty_struct *tty);
	void (*unthrottle)(struct tty_struct *tty);
	void (*wait_room)(struct tty_struct *tty); /* somebody is about to wait for room */
	long (*ioctl)(struct tty_struct *tty, struct file *f, unsigned cmd, unsigned long arg);
	void (*cleanup)(struct tty_struct *tty); /* the last reference is gone */
};
struct tty_driver {
	const char *name;
	unsigned major, minor_start;
	bool pty_master, pty_slave;
	const struct tty_operations *ops;
};

/* One producer and one consumer at a time, each side serialised by its own lock; head and tail run freely. */
struct tty_ring {
	u8 *buf;
	u32 size, head, tail;
};
static inline u32 tty_ring_used(struct tty_ring *r)
{
	return smp_load_acquire(&r->head) - smp_load_acquire(&r->tail);
}
static inline u32 tty_ring_room(struct tty_ring *r)
{
	return r->buf ? r->size - tty_ring_used(r) : 0;
}
u32 tty_ring_put(struct tty_ring *r, const u8 *p, u32 n);
u32 tty_ring_peek(struct tty_ring *r, u8 **p); /* contiguous bytes at the tail */
static inline void tty_ring_skip(struct tty_ring *r, u32 n)
{
	smp_store_release(&r->tail, r->tail + n);
}

/* State of the line discipline; all under lock but column and the echo queue, which are under output_lock. */
struct n_tty_data {
	struct mutex lock;
	u8 *read_buf;				  /* N_TTY_BUF_SIZE; indices run freely */
	DECLARE_BITMAP(line_end, N_TTY_BUF_SIZE); /* a line ends after this byte */
	DECLARE_BITMAP(special, 256);		  /* input bytes that mean something under the present termios */
	u32 read_head, read_tail, canon_head;
	bool lnext, erasing, icanon, raw, throttled;
	u32 column, canon_column;
	u8 *echo;
	u32 echo_len; /* echoed output the driver had no room for */
};

struct tty_struct {
	refcount_t refs;
	const struct tty_driver *driver;
	const struct tty_operations *ops;
	int index;
	char name[16];
	dev_t dev;
	unsigned long flags;			 /* TTY_* bits, atomic */
	struct tty_struct *link;		 /* the other side of a pty */
	struct ktermios termios, termios_locked; /* written under n.lock and output_lock */
	struct winsize winsize;			 /* under flow_lock */
	pid_t pgrp, session;			 /* under tasklist_lock */
	struct pid *pgrp_pid;			 /* pgrp's object, a reference: the number may be another's by now */
	int count;				 /* open files, hung up or not; under tty_mutex */
	u32 hangup_seq;				 /* files opened under another number are hung up */
	spinlock_t flow_lock;
	bool stopped, tco_stopped, packet;
	u8 pktstatus; /* under flow_lock */
	wait_queue_head_t read_wait, write_wait;
	struct mutex write_mutex; /* one write(2) at a time */
	struct mutex output_lock;
	u8 *write_buf; /* under write_mutex */
	struct n_tty_data n;
	struct tty_ring rx; /* pty master: to be read; consumer under read_mutex */
	struct mutex read_mutex;
	struct tty_ring inq; /* input waiting for the line discipline; under n.lock */
	struct dentry *pts_dentry;
	struct vfsmount *pts_mnt;
	struct pts_fs_info *pts;
	void *driver_data;
};
enum { TTY_EXCLUSIVE, TTY_OTHER_CLOSED, TTY_PTY_LOCK, TTY_DEAD };

struct tty_file {
	struct tty_struct *tty;
	u32 hangup_seq;
};

/* tty_io.c */
extern struct mutex tty_mutex;
struct tty_struct *tty_alloc(const struct tty_driver *drv, int index);
void tty_put(struct tty_struct *tty);
static inline struct tty_struct *tty_get(struct tty_struct *t)
{
	refcount_inc(&t->refs);
	return t;
}
int tty_attach_file(struct tty_struct *tty, struct file *f); /* under tty_mutex; takes over a reference */
void tty_register_console(struct tty_struct *tty);
static inline struct tty_struct *file_tty(struct file *f)
{
	return ((struct tty_file *)f->private_data)->tty;
}
static inline bool tty_hung_up(struct file *f)
{
	struct tty_file *p = f->private_data;
	return READ_ONCE(p->tty->hangup_seq) != p->hangup_seq;
}
void tty_hangup(struct tty_struct *tty, bool exit_session); /* takes tty_mutex */
void tty_hangup_locked(struct tty_struct *tty, bool exit_session);
int tty_open_peer(struct tty_struct *master, int flags);
void tty_wake_writers(struct tty_struct *tty); /* the driver has room again */

/* tty_ioctl.c */
long tty_ioctl(struct file *f, unsigned cmd, unsigned long arg);
int tty_do_resize(struct tty_struct *tty, const struct winsize *ws);
void tty_stop(struct tty_struct *tty);
void tty_start(struct tty_struct *tty);
void tty_packet_event(struct tty_struct *tty, u8 set, u8 clear); /* tty: the slave */

/* tty_jobctrl.c */
int tty_check_change(struct tty_struct *tty, int sig); /* 0, -EIO, -ERESTARTSYS after signalling */
struct tty_struct *get_current_tty(void);	       /* a reference, or NULL */
void tty_open_set_ctty(struct tty_struct *tty, struct file *f);
long tty_jobctrl_ioctl(struct tty_struct *tty, struct tty_struct *real, struct file *f, unsigned cmd,
		       unsigned long arg);
void tty_signal_pgrp(struct tty_struct *tty, int sig); /* to the foreground group, if it still exists */
void tty_signal_session(struct tty_struct *tty, bool exit_session);
void __proc_set_tty(struct tty_struct *tty);
/* tty_proc_info: device number and foreground group for /proc/PID/stat; 0 and -1 without a terminal. tasklist_lock held. */
void tty_proc_info(struct signal_struct *sig, u32 *nr, pid_t *pgrp);

/* n_tty.c (input), n_tty_output.c */
int n_tty_init(struct tty_struct *tty);
void n_tty_free(struct tty_struct *tty);
void n_tty_reset(struct tty_struct *tty);
void n_tty_termios_changed(struct tty_struct *tty, const struct ktermios *old); /* n.lock, output_lock held */
size_t tty_receive(struct tty_struct *tty, const u8 *buf, size_t n);		/* from the driver; bytes taken */
size_t tty_receive_room(struct tty_struct *tty);
ssize_t n_tty_read(struct tty_struct *tty, struct file *f, struct iov_iter *to);
ssize_t n_tty_write(struct tty_struct *tty, struct file *f, const u8 *buf, size_t n);
u32 n_tty_poll(struct tty_struct *tty);
u32 n_tty_inq(struct tty_struct *tty); /* FIONREAD */
void n_tty_flush_input(struct tty_struct *tty);
void n_tty_drain_echo(struct tty_struct *tty);	    /* output_lock held */
void n_tty_echo_flush(struct tty_struct *tty);	    /* takes output_lock */
void n_tty_echo_char(struct tty_struct *tty, u8 c); /* these hold output_lock */
void n_tty_echo_raw(struct tty_struct *tty, u8 c);
void n_tty_echo_verbatim(struct tty_struct *tty, const char *s);
#define I_(t, f) ((t)->termios.c_iflag & (f))
#define O_(t, f) ((t)->termios.c_oflag & (f))
#define L_(t, f) ((t)->termios.c_lflag & (f))
#define CC_(t, i) ((t)->termios.c_cc[i])
#define TTY_DISABLED_CHAR '\0'
static inline bool tty_is_cntrl(u8 c)
{
	return c < 32 || c == 127;
}
static inline bool tty_is_cont(const struct tty_struct *t, u8 c)
{
	return I_(t, IUTF8) && (c & 0xc0) == 0x80;
}

/* pty.c, fs/devpts */
ssize_t pty_master_read(struct tty_struct *tty, struct file *f, struct iov_iter *to);
u32 pty_master_poll(struct tty_struct *tty);
struct pts_fs_info *devpts_acquire(struct file *ptmx, struct vfsmount **mnt); /* ERR_PTR */
void devpts_release(struct pts_fs_info *fsi);
int devpts_new_index(struct pts_fs_info *fsi);
void devpts_kill_index(struct pts_fs_info *fsi, int index);
struct dentry *devpts_pty_new(struct pts_fs_info *fsi, int index, struct tty_struct *slave); /* ERR_PTR */
struct tty_struct *devpts_get_tty(struct inode *inode); /* a reference to the slave; under tty_mutex */
void devpts_pty_kill(struct dentry *d);
int ptmx_open(struct inode *inode, struct file *f);

/* drivers/virtio/virtio_console.c: for init and the event thread */
int console_open_stdio(void); /* in pid 1, before exec: descriptors 0, 1, 2; the terminal becomes its controlling one */
/**
 * struct host_console_ops - what the monitor's events do to the console; its driver sets host_console (kernel/monitor_events.c)
 * @winch: the host's window changed
 * @signal: to the console's foreground group, else to pid 1
 * @hangup: the host's terminal is gone
 */
struct host_console_ops {
	void (*winch)(void);
	void (*signal)(int sig);
	void (*hangup)(void);
};
extern const struct host_console_ops *host_console;
/* kernel/exit.c: a session leader ends; the terminals' part, set by drivers/tty */
extern void (*session_leader_exit)(struct task_struct *leader);
void console_drain(void); /* all output has left for the host; before host_shutdown() */

#endif
