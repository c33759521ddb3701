// SPDX-License-Identifier: Apache-2.0
// execve: opening the program, carrying its arguments over, replacing the process.

#include <husk/binfmts.h>
#include <husk/proc_mm.h>
#include <husk/syscalls.h>
#include <husk/boot.h>
#include <husk/file.h>
#include <husk/ptrace.h>
#include <husk/coredump.h>
#include <husk/trace.h>
#include <linux/personality.h>
#include "internal.h"

/**
 * DOC: execve
 *
 * Everything that can fail for a reason the caller should hear of comes first, in the old program: opening, copying the
 * arguments to kernel memory, the format's own checks. begin_new_exec() is the point of no return: the other threads are
 * gone, the task moves to the new, empty address space, and from there on an error can only kill it.
 */

#define ARG_STRING_MAX (32 * PAGE_SIZE) /* MAX_ARG_STRLEN */
#define ARG_TOTAL_MAX (6UL << 20)
#define ARG_TOTAL_MIN (128UL << 10)
#define SCRIPT_DEPTH 5

/* ---- strings ---- */

static int strvec_room(struct strvec *v, size_t n)
{
	size_t cap = v->cap ? v->cap : 1024;
	char *p;

	if (v->len + n <= v->cap)
		return 0;
	while (cap < v->len + n)
		cap *= 2;
	p = krealloc(v->buf, cap, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	v->buf = p;
	v->cap = cap;
	return 0;
}

static int strvec_add(struct strvec *v, const char *s)
{
	size_t n = strlen(s) + 1;

	if (strvec_room(v, n))
		return -ENOMEM;
	memcpy(v->buf + v->len, s, n);
	v->len += n;
	v->count++;
	return 0;
}

int strvec_replace_first(struct strvec *v, const char *const *s, int n)
{
	size_t old = v->count ? strlen(v->buf) + 1 : 0, new = 0, off = 0;

	for (int i = 0; i < n; i++)
		new += strlen(s[i]) + 1;
	if (new > old && strvec_room(v, new - old))
		return -ENOMEM;
	memmove(v->buf + new, v->buf + old, v->len - old);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(s[i]) + 1;

		memcpy(v->buf + off, s[i], len);
		off += len;
	}
	v->len += new - old;
	v->count += n - (old ? 1 : 0);
	return 0;
}

/* One string of the user's; 0, -EFAULT, -E2BIG when longer than max with its NUL, -ENOMEM */
static int add_user_string(struct strvec *v, const char __user *s, size_t max)
{
	size_t done = 0;
	long n;

	for (size_t chunk = 256;; chunk = min_t(size_t, chunk * 4, 16 * PAGE_SIZE)) {
		if (done >= max)
			return -E2BIG;
		chunk = min(chunk, max - done);
		if (strvec_room(v, done + chunk))
			return -ENOMEM;
		n = strncpy_from_user(v->buf + v->len + done, s + done, chunk);
		if (n < 0)
			return n;
		done += n;
		if ((size_t)n < chunk)
			break;
	}
	v->len += done + 1;
	v->count++;
	return 0;
}

/* A NULL-terminated vector of the user's; *limit: bytes left for strings and pointers of both vectors */
static int copy_strings_user(struct strvec *v, const char __user *const __user *up, size_t *limit)
{
	const char __user *s;
	size_t before;
	int r;

	for (; up; up++) {
		if (copy_from_user(&s, up, sizeof(s)))
			return -EFAULT;
		if (!s)
			break;
		if (*limit <= sizeof(s))
			return -E2BIG;
		*limit -= sizeof(s);
		before = v->len;
		r = add_user_string(v, s, min_t(size_t, ARG_STRING_MAX, *limit));
		if (r)
			return r;
		*limit -= v->len - before;
		if (fatal_signal_pending(current))
			return -ERESTARTNOHAND;
	}
	return 0;
}

/* ---- opening ---- */

static int may_exec(const struct path *p)
{
	struct inode *i = d_inode(p->dentry);

	if (S_ISLNK(i->i_mode))
		return -ELOOP;
	if (!S_ISREG(i->i_mode) || path_noexec(p))
		return -EACCES;
	return inode_permission(i, MAY_EXEC | MAY_OPEN);
}

struct file *open_exec(int dfd, const char *name, int flags)
{
	unsigned lookup =
		(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	struct file *f;
	struct path p;
	int r = kern_path_at(dfd, name, lookup, &p);

	if (r)
		return ERR_PTR(r);
	r = may_exec(&p);
	f = r ? ERR_PTR(r) : dentry_open(&p, O_RDONLY | O_LARGEFILE, current_cred());
	path_put(&p);
	if (IS_ERR(f))
		return f;
	r = deny_write_access(f);
	if (!r)
		return f;
	fput(f);
	return ERR_PTR(r);
}

static void exec_file_put(struct file *f)
{
	if (!f)
		return;
	allow_write_access(f);
	fput(f);
}

/* ---- set-id programs ---- */

/* Others that share our root or working directory could fool a set-id program. */
static bool fs_shared(struct task_struct *me)
{
	return refcount_read(&me->fs->users) > me->signal->nr_threads;
}

static bool set_ids(struct linux_binprm *b)
{
	struct inode *i = file_inode(b->file);
	struct vfsmount *m = b->file->f_path.mnt;
	struct cred *c = b->cred;

	if (current->ptrace && ptrace_unsafe_exec())
		return false;
	if ((m->mnt_flags & MNT_NOSUID) || (m->mnt_sb->s_flags & SB_NOSUID) || current->no_new_privs)
		return false;
	if (!(i->i_mode & (S_ISUID | S_ISGID)) || (fs_shared(current) && !capable(CAP_SETUID)))
		return false;
	if (i->i_mode & S_ISUID)
		c->euid = i->i_uid;
	if ((i->i_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = i->i_gid;
	return c->euid != current_euid() || c->egid != current_egid();
}

/* ---- the point of no return ---- */

static int move_to_mm(struct linux_binprm *b)
{
	struct task_struct *me = current;
	struct mm_struct *old = me->mm;
	int r;

	if (old)
		exec_mm_release(me, old);
	cputime_rebase_begin();
	r = platform->switch_mm(b->mm, old && refcount_read(&old->mm_users) == 1);
	cputime_rebase_end();
	if (r)
		return r;
	task_lock(me);
	me->mm = b->mm;
	task_unlock(me);
	b->mm = NULL;
	if (old) {
		me->signal->maxrss = max_t(u64, me->signal->maxrss, task_max_rss(old));
		mmput(old);
	}
	return 0;
}

static void keep_exe_file(struct linux_binprm *b)
{
	b->mm->exe_file = get_file(b->file);
	deny_write_access(b->file); /* cannot fail: ours keeps writers out. mmput() lifts it */
}

static void install_creds(struct linux_binprm *b, bool setid)
{
	struct task_struct *me = current;
	const struct cred *old = me->cred;
	struct cred *c = b->cred;
	bool raised;

	cap_bprm_creds(c, setid);
	raised = setid || c->euid != c->uid || c->egid != c->gid;
	b->secure = raised || (c->uid && (c->cap_permitted & ~c->cap_ambient));
	me->mm->dumpable = !raised;
	if (raised || c->euid != old->euid || c->egid != old->egid)
		me->pdeath_signal = 0;
	if (setid)
		me->personality &= ~PER_CLEAR_ON_SETID;
	raised = me->mm->dumpable;
	b->cred = NULL;
	commit_creds(c);
	me->mm->dumpable = raised;
}

static void forget_old_program(struct task_struct *me)
{
	exit_itimers(me->signal);
	flush_signal_handlers(me, 0);
	me->sas_ss_sp = me->sas_ss_size = 0;
	me->sas_ss_flags = 0;
	me->restart_block.fn = NULL;
	me->robust_list = NULL;
	me->set_child_tid = me->clear_child_tid = NULL;
	do_close_on_exec(me->files);
}

/**
 * begin_new_exec - kill the other threads and move to the new address space
 * An error returned after @b->no_return is set kills current.
 */
int begin_new_exec(struct linux_binprm *b)
{
	struct task_struct *me = current;
	bool setid;
	int r;

	b->mm = mm_alloc();
	if (!b->mm)
		return -ENOMEM;
	b->mm->plain_text = current->ptrace != 0;
	b->mm->core_filter = current->mm ? current->mm->core_filter : CORE_FILTER_DEFAULT;
	r = setup_stack_vma(b->mm, &b->stack_top);
	if (r)
		return r;
	setid = set_ids(b);
	b->no_return = true;
	r = de_thread(me);
	if (!r)
		r = unshare_files();
	if (r)
		return r;
	keep_exe_file(b);
	r = move_to_mm(b);
	if (!r)
		r = unshare_sighand(me);
	if (r)
		return r;
	forget_old_program(me);
	install_creds(b, setid);
	return 0;
}

static const char *comm_of(struct linux_binprm *b)
{
	const char *slash = strrchr(b->path, '/');

	if (!strncmp(b->path, "/dev/fd/", 8) && !strchr(b->path + 8, '/')) /* fexecve: the file's own name */
		return file_dentry(b->file)->d_name.name;
	return slash ? slash + 1 : b->path;
}

void setup_new_exec(struct linux_binprm *b)
{
	struct task_struct *me = current;

	set_task_comm(me, comm_of(b));
	me->flags &= ~PF_FORKNOEXEC;
	me->did_exec = true;
	me->self_exec_id++;
}

/* ---- running it ---- */

static int load_program(struct linux_binprm *b)
{
	loff_t pos;
	ssize_t n;
	int r;

	for (b->depth = 0; b->depth <= SCRIPT_DEPTH; b->depth++) {
		pos = 0;
		memset(b->buf, 0, sizeof(b->buf));
		n = kernel_read(b->file, b->buf, sizeof(b->buf), &pos);
		if (n < 0)
			return n;
		r = load_elf_binary(b);
		if (r == -ENOEXEC && !b->no_return)
			r = load_script(b);
		if (r <= 0)
			return r;
	}
	return -ELOOP;
}

static int exec_binprm(struct linux_binprm *b)
{
	pid_t old_pid;
	int r;

	b->cred = prepare_creds();
	if (!b->cred)
		return -ENOMEM;
	if (!b->argv.count && strvec_add(&b->argv, "")) /* no program has to live without argv[0] */
		return -ENOMEM;
	old_pid = current->pid; /* of a thread that becomes the leader */
	current->in_execve = true;
	r = load_program(b);
	current->in_execve = false;
	if (!r && unlikely(current->ptrace))
		ptrace_exec_event(old_pid);
	if (r && b->no_return && !fatal_signal_pending(current))
		force_fatal_sig(SIGSEGV);
	return r;
}

static void free_bprm(struct linux_binprm *b)
{
	if (b->mm)
		mmput(b->mm);
	if (b->cred)
		abort_creds(b->cred);
	exec_file_put(b->file);
	kfree(b->argv.buf);
	kfree(b->envp.buf);
	kfree(b->path);
	kfree(b->interp);
	kfree(b);
}

static struct linux_binprm *alloc_bprm(int dfd, const char *name, int flags)
{
	struct linux_binprm *b;
	struct file *f;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return ERR_PTR(-EINVAL);
	f = open_exec(dfd, name, flags);
	if (IS_ERR(f))
		return ERR_CAST(f);
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b) {
		exec_file_put(f);
		return ERR_PTR(-ENOMEM);
	}
	b->file = f;
	if (name[0] == '/' || dfd == AT_FDCWD) {
		b->path = kstrdup(name, GFP_KERNEL);
	} else {
		b->path = name[0] ? kasprintf(GFP_KERNEL, "/dev/fd/%d/%s", dfd, name)
				  : kasprintf(GFP_KERNEL, "/dev/fd/%d", dfd);
		b->path_inaccessible = get_close_on_exec(dfd);
	}
	if (!b->path) {
		free_bprm(b);
		return ERR_PTR(-ENOMEM);
	}
	return b;
}

static int do_execveat(int dfd, const char *kname, const char __user *const __user *argv,
		       const char __user *const __user *envp, int flags)
{
	struct linux_binprm *b = alloc_bprm(dfd, kname, flags);
	size_t limit = clamp_t(u64, rlimit(RLIMIT_STACK) / 4, ARG_TOTAL_MIN, ARG_TOTAL_MAX);
	int r;

	if (IS_ERR(b))
		return PTR_ERR(b);
	r = copy_strings_user(&b->argv, argv, &limit);
	if (!r)
		r = copy_strings_user(&b->envp, envp, &limit);
	if (!r)
		r = exec_binprm(b);
	free_bprm(b);
	return r;
}

SYSCALL_DEFINE3(execve, const char __user *, uname, const char __user *const __user *, argv,
		const char __user *const __user *, envp)
{
	char *name = getname(uname);
	int r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = do_execveat(AT_FDCWD, name, argv, envp, 0);
	putname(name);
	return r;
}

SYSCALL_DEFINE5(execveat, int, dfd, const char __user *, uname, const char __user *const __user *, argv,
		const char __user *const __user *, envp, int, flags)
{
	char *name = getname_flags(uname, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	int r;

	if (IS_ERR(name))
		return PTR_ERR(name);
	r = do_execveat(dfd, name, argv, envp, flags);
	putname(name);
	return r;
}

/* ---- pid 1 ---- */

int exec_kernel_strings(const char *name, const char *const *argv, const char *const *envp)
{
	struct linux_binprm *b = alloc_bprm(AT_FDCWD, name, 0);
	int r = 0;

	if (IS_ERR(b))
		return PTR_ERR(b);
	for (; !r && *argv; argv++)
		r = strvec_add(&b->argv, *argv);
	for (; !r && *envp; envp++)
		r = strvec_add(&b->envp, *envp);
	if (!r)
		r = exec_binprm(b);
	free_bprm(b);
	return r;
}

static const char *env_path(const char *const *envp)
{
	for (; *envp; envp++)
		if (!strncmp(*envp, "PATH=", 5))
			return *envp + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Whether a file is there for the user to see: a directory that may not be searched hides what it has, as to a shell. */
static bool file_is_seen(const char *name)
{
	struct path path;

	if (kern_path(name, LOOKUP_FOLLOW, &path))
		return false;
	path_put(&path);
	return true;
}

static int exec_in_path(const char *name, const char *const *argv, const char *const *envp)
{
	const char *path = env_path(envp), *end;
	int r, best = -ENOENT;
	char *full;

	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		full = kasprintf(GFP_KERNEL, "%.*s%s%s", (int)(end - path), path, end > path ? "/" : "", name);
		if (!full)
			return -ENOMEM;
		r = exec_kernel_strings(full, argv, envp);
		if (r == -EACCES && file_is_seen(full))
			best = r;
		kfree(full);
		if (r != -EACCES && r != -ENOENT && r != -ENOTDIR)
			return r;
		if (!*end)
			return best;
	}
}

/* Boot: current becomes the sandbox's program, looked up as a shell would. Where it cannot, the sandbox ends and says why. */
int kernel_execve(const char *name, const char *const *argv, const char *const *envp)
{
	int r = -ENOENT;

	if (strchr(name, '/'))
		r = exec_kernel_strings(name, argv, envp);
	else if (*name)
		r = exec_in_path(name, argv, envp);
	if (r)
		kernel_exec_failed(r);
	boot->phase_ns[HOSTIF_PHASE_USER] = ktime_get_ns();
	trace_first_exec();
	return 0;
}
