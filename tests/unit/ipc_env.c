// SPDX-License-Identifier: Apache-2.0
/* Stand-ins for what pipes, sockets and epoll need from the rest of the kernel. */
#include "ipc_env.h"
#include <husk/init.h>
#include <husk/oops.h>
#include <husk/syscalls.h>

#define RAM (256UL << 20)

int last_signal;
u32 mount_seq;
atomic_t fsnotify_nr_marks;
const struct file_operations def_chr_fops;
static struct signal_struct sig = {.rlim[RLIMIT_NOFILE] = {4096, 4096}};
static struct sighand_struct sighand;
extern initcall_t test_initcalls[], test_initcalls_end[];

/* ---- tasks ---- */
static void become_task(void *info)
{
	struct thread_info *ti = info;
	struct task_struct *t = kzalloc(sizeof(*t), GFP_KERNEL);
	static int next_pid;

	memset(ti, 0, sizeof(*ti));
	ti->task = t;
	t->ti = ti;
	t->pid = t->tgid = __atomic_add_fetch(&next_pid, 1, __ATOMIC_RELAXED);
	t->files = &init_files;
	t->fs = &init_fs;
	t->signal = &sig;
	t->sighand = &sighand;
	t->cred = &init_cred;
}

static void lock_went_bad(const void *lock, const char *what)
{
	__builtin_trap();
}

static void lock_stalled(void *lock, unsigned int seconds)
{
	__builtin_trap();
}

static const struct lock_reports lock_checks = {
	.bad = lock_went_bad,
	.spin_stalled = lock_stalled,
	.mutex_stalled = lock_stalled,
};

void tests_run(void);
void test_main(void *info);
void test_thread(void *info, void (*fn)(void *), void *arg);

void test_main(void *info)
{
	/* the allocator wants a current for its shards */
	static struct task_struct first;
	initcall_t *p;

	memset(info, 0, sizeof(struct thread_info));
	((struct thread_info *)info)->task = &first;
	test_map((void *)DIRECT_MAP_BASE, RAM);
	locking_init(2, &lock_checks);
	mem_init(1 << 20, RAM);
	slab_init();
	become_task(info);
	init_waitqueue_head(&sighand.signalfd_wqh);
	for (p = test_initcalls; p < test_initcalls_end; p++)
		CHECK_EQ((*p)(), 0);
	tests_run();
}

void test_thread(void *info, void (*fn)(void *), void *arg)
{
	static struct task_struct first;

	memset(info, 0, sizeof(struct thread_info));
	((struct thread_info *)info)->task = &first;
	become_task(info);
	fn(arg);
}

long sys_call6(long (*fn)(struct pt_regs *), long a, long b, long c, long d, long e, long f)
{
	struct pt_regs r = {.di = a, .si = b, .dx = c, .r10 = d, .r8 = e, .r9 = f};

	return fn(&r);
}

int host_futex_wait(u32 *w, u32 v, s64 ns)
{
	test_futex_wait(w, v, ns);
	return 0;
}

int host_futex_wake(u32 *w, u32 n)
{
	test_futex_wake(w, n);
	return 0;
}

void host_yield(void)
{
	test_yield();
}

int host_ram_release(unsigned long pfn, unsigned long n)
{
	memset(page_address(pfn_to_page(pfn)), 0, n << PAGE_SHIFT);
	return 0;
}

/* ---- time ---- */
void host_clock_gettime(int clk, s64 *sec, s64 *nsec)
{
	u64 now = test_now(clk);

	*sec = now / NSEC_PER_SEC;
	*nsec = now % NSEC_PER_SEC;
}

struct timespec64 current_time(struct inode *i)
{
	return ns_to_timespec64(0);
}

void account_cputime(void)
{
}

/* ---- user memory: the process's own ---- */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	if (!access_ok(from, n) || (unsigned long)from < 4096)
		return n;
	memcpy(to, from, n);
	return 0;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	if (!access_ok(to, n) || (unsigned long)to < 4096)
		return n;
	memcpy(to, from, n);
	return 0;
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	memset(to, 0, n);
	return 0;
}

/* ---- signals ---- */
int send_sig(int s, struct task_struct *t, int priv)
{
	last_signal = s;
	return 0;
}

int set_user_sigmask(const husk_sigset_t *m, size_t n)
{
	return 0;
}

void restore_saved_sigmask_unless(bool interrupted)
{
}

int dequeue_signal(struct task_struct *t, husk_sigset_t *mask, struct kernel_siginfo *info)
{
	return 0;
}

/* ---- log ---- */
void printk(int level, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	test_printf("%s", buf);
}

void panic(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	test_printf("panic: %s\n", buf);
	test_die();
}

/* ---- VFS around the edges ---- */
struct vfsmount *kern_mount(struct file_system_type *t, void *data)
{
	struct vfsmount *m = kzalloc(sizeof(*m), GFP_KERNEL);

	m->mnt_root = t->mount(t, 0, t->name, data);
	m->mnt_sb = m->mnt_root->d_sb;
	return m;
}

struct vfsmount *mntget(struct vfsmount *m)
{
	return m;
}

void mntput(struct vfsmount *m)
{
}

void path_get(const struct path *p)
{
	dget(p->dentry);
}

void path_put(const struct path *p)
{
	dput(p->dentry);
}

void address_space_init(struct address_space *m, struct inode *host, const struct address_space_operations *ops)
{
	memset(m, 0, sizeof(*m));
	m->host = host;
	m->a_ops = ops;
}

int stream_open(struct inode *i, struct file *f)
{
	f->f_mode |= FMODE_STREAM;
	return 0;
}

int fasync_helper(int fd, struct file *f, int on, struct fasync_struct **list)
{
	return 0;
}

void kill_fasync(struct fasync_struct **list, int s, int band)
{
}

int f_setown(struct file *f, int who, int force)
{
	return 0;
}

bool out_of_memory(gfp_t gfp)
{
	return false;
}

unsigned long reclaim_pages(unsigned long nr)
{
	return 0;
}

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent);
struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)
{
	return NULL;
}

struct proc_dir_entry *proc_create_single(const char *name, umode_t mode, struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *));
struct proc_dir_entry *proc_create_single(const char *name, umode_t mode, struct proc_dir_entry *parent,
					  int (*show)(struct seq_file *, void *))
{
	return NULL;
}

/* ---- kernel threads ---- */
struct kthread_start {
	int (*fn)(void *);
	void *data;
};

static void kthread_entry(void *p)
{
	struct kthread_start s = *(struct kthread_start *)p;

	kfree(p);
	s.fn(s.data);
}

struct task_struct *kthread_run(int (*fn)(void *), void *data, const char *fmt, ...)
{
	static struct task_struct some;
	struct kthread_start *s = kmalloc(sizeof(*s), GFP_KERNEL);

	s->fn = fn;
	s->data = data;
	test_start(kthread_entry, s);
	return &some;
}

long sys_ioctl(struct pt_regs *r);
long sys_ioctl(struct pt_regs *r)
{
	struct file *f = fget((unsigned int)r->di);
	long ret = f->f_op->unlocked_ioctl(f, (unsigned int)r->si, r->dx);

	fput(f);
	return ret;
}

/* nothing is executed here */
static void no_mapping_release(struct address_space *m)
{
}
static const struct text_ops no_text = {.mapping_release = no_mapping_release};
const struct text_ops *text_ops = &no_text;
