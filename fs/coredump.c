// SPDX-License-Identifier: Apache-2.0
// Core files: when one is written, its name by core_pattern, the file or the program that gets it.

#include <husk/mm.h>
#include <husk/fs.h>
#include <husk/boot.h>
#include <husk/coredump.h>
#include <husk/init.h>
#include <husk/pipe.h>
#include <husk/proc_fs.h>
#include <husk/time.h>
#include <husk/utsname.h>
#include "internal.h"

/**
 * DOC: core files
 *
 * core_pattern is a path, or '|' and a program that reads the core file from its standard input, run by the kernel with the rights of pid
 * 1's parent: root, at the sandbox's root directory, with nothing but that pipe open. Rules for files as on Linux: made anew, never
 * through a symbolic link, a regular file with one link that belongs to the process, mode 0600. A file that could not be written to its end
 * for another reason than RLIMIT_CORE is removed, and the wait status does not claim it.
 */

#define PATTERN_MAX 128
#define NAME_MAX_ 4096
#define PIPE_ARGS 64

static char core_pattern[PATTERN_MAX] = "core";
static int core_uses_pid, core_pipe_limit;
static struct fs_struct *core_fs; /* the sandbox's root, whatever pid 1 has made of its own */

/* ---- the name ---- */

struct core_name {
	char *buf;
	size_t len;
	bool pipe, too_long;
	char *arg[PIPE_ARGS + 1]; /* pipe: offsets in buf, then pointers */
	int argc;
	bool has_pid;
};

static void put_char(struct core_name *n, char c)
{
	if (n->len + 1 < NAME_MAX_)
		n->buf[n->len++] = c;
	else
		n->too_long = true;
}

/* Text of the process's own: in a file name it must stay one component. */
static void put_text(struct core_name *n, const char *s)
{
	size_t start = n->len;

	for (; *s; s++)
		put_char(n, *s == '/' && !n->pipe ? '!' : *s);
	if (n->pipe)
		return;
	/* "." and ".." would name a directory */
	if ((n->len - start == 1 && n->buf[start] == '.') ||
	    (n->len - start == 2 && n->buf[start] == '.' && n->buf[start + 1] == '.'))
		n->buf[start] = '!';
	if (n->len == start)
		put_char(n, '!');
}

static void put_number(struct core_name *n, u64 v)
{
	char b[24];

	snprintf(b, sizeof(b), "%llu", (unsigned long long)v);
	for (const char *s = b; *s; s++)
		put_char(n, *s);
}

static void put_exe(struct core_name *n, bool whole)
{
	struct file *exe = current->mm->exe_file;
	char *page, *path, *slash;

	if (!exe) {
		put_text(n, current->comm);
		return;
	}
	page = (char *)__get_free_page(GFP_KERNEL);
	path = page ? d_path(&exe->f_path, page, PAGE_SIZE) : NULL;
	if (IS_ERR_OR_NULL(path)) {
		n->too_long = true;
	} else {
		slash = strrchr(path, '/');
		put_text(n, whole || !slash ? path : slash + 1);
	}
	free_page((unsigned long)page);
}

static void put_specifier(struct core_name *n, char c, const struct kernel_siginfo *info)
{
	const struct cred *cred = current->cred;

	switch (c) {
	case '%':
		put_char(n, '%');
		break;
	case 'p':
	case 'P': /* there is one pid namespace */
		n->has_pid = true;
		put_number(n, current->tgid);
		break;
	case 'i':
	case 'I':
		put_number(n, current->pid);
		break;
	case 'u':
		put_number(n, cred->uid);
		break;
	case 'g':
		put_number(n, cred->gid);
		break;
	case 'd':
		put_number(n, current->mm->dumpable);
		break;
	case 's':
		put_number(n, info->si_signo);
		break;
	case 't':
		put_number(n, ktime_get_real_ns() / NSEC_PER_SEC);
		break;
	case 'h':
		put_text(n, sys_nodename);
		break;
	case 'e':
		put_text(n, current->comm);
		break;
	case 'f':
		put_exe(n, false);
		break;
	case 'E':
		put_exe(n, true);
		break;
	case 'c':
		put_number(n, rlimit(RLIMIT_CORE));
		break;
	case 'C':
		put_number(n, host_getcpu());
		break;
	}
}

/* A pipe's pattern is split into arguments before it is expanded, so that no value becomes two. */
static void begin_arg(struct core_name *n)
{
	if (n->argc == PIPE_ARGS) {
		n->too_long = true;
		return;
	}
	n->arg[n->argc++] = n->buf + n->len;
}

static bool format_name(struct core_name *n, const char *pattern, const struct kernel_siginfo *info)
{
	n->pipe = *pattern == '|';
	if (n->pipe) {
		pattern++;
		while (*pattern == ' ')
			pattern++;
		begin_arg(n);
	}
	for (; *pattern; pattern++) {
		if (n->pipe && *pattern == ' ') {
			while (pattern[1] == ' ')
				pattern++;
			if (!pattern[1])
				break;
			put_char(n, 0);
			begin_arg(n);
		} else if (*pattern != '%') {
			put_char(n, *pattern);
		} else if (pattern[1]) {
			put_specifier(n, *++pattern, info);
		}
	}
	if (!n->pipe && !n->has_pid && core_uses_pid) {
		put_char(n, '.');
		put_number(n, current->tgid);
	}
	n->buf[n->len] = 0;
	return !n->too_long && n->buf[0];
}

/* ---- writing ---- */

static bool write_out(struct core_writer *w, const void *p, size_t n)
{
	while (n) {
		loff_t pos = w->pos; /* a pipe leaves it alone */
		ssize_t r = kernel_write(w->file, p, n, &pos);

		if (r <= 0) {
			w->err = r ? r : -EIO;
			return false;
		}
		p = (const char *)p + r;
		n -= r;
		w->pos += r;
	}
	return true;
}

/* A pipe gets the zeros, a file a hole. */
static bool flush_hole(struct core_writer *w)
{
	static const char zeros[PAGE_SIZE];

	if (!w->pipe) {
		w->pos += w->hole;
		w->hole = 0;
	}
	while (w->hole) {
		size_t n = min_t(u64, w->hole, sizeof(zeros));

		if (!write_out(w, zeros, n))
			return false;
		w->hole -= n;
	}
	return true;
}

bool core_emit(struct core_writer *w, const void *p, size_t n)
{
	if (w->err || n > w->limit - w->written) {
		w->err = w->err ? w->err : -EFBIG;
		return false;
	}
	if (w->hole && !flush_hole(w))
		return false;
	if (!write_out(w, p, n))
		return false;
	w->written += n;
	return true;
}

void core_skip(struct core_writer *w, u64 n)
{
	w->hole += n;
}

/* All of it, or as much as RLIMIT_CORE allows. */
static bool write_core(struct core_writer *w, const struct kernel_siginfo *info)
{
	int r = 0;

	if (!core_write_elf(w, info))
		return w->err == -EFBIG;
	if (w->pipe)
		return flush_hole(w);
	if (w->hole)
		r = do_truncate(file_dentry(w->file), w->pos + w->hole, 0, w->file);
	if (!r)
		r = vfs_fsync(w->file, 1); /* a full disk may be noticed no earlier */
	w->err = r;
	return !r;
}

/* ---- to a file ---- */

/* In the host's directory (dump_for_monitor) files belong to the monitor's user, whoever that is. */
static bool acceptable(struct file *f)
{
	struct inode *i = file_inode(f);

	return S_ISREG(i->i_mode) && i->i_nlink == 1 && (i->i_uid == current_fsuid() || current->cred == &init_cred) &&
	       (i->i_mode & 0677) == 0600;
}

static bool dump_to_file(const char *name, const struct kernel_siginfo *info)
{
	struct core_writer w = {.limit = rlimit(RLIMIT_CORE)};
	bool ok;

	if (w.limit < PAGE_SIZE)
		return false;
	kern_unlink(name);
	w.file = filp_open(name, O_CREAT | O_RDWR | O_NOFOLLOW | O_LARGEFILE | O_EXCL, 0600);
	if (IS_ERR(w.file)) {
		pr_notice("%s[%d]: core file %s: error %ld\n", current->comm, current->pid, name, -PTR_ERR(w.file));
		return false;
	}
	ok = acceptable(w.file) && write_core(&w, info);
	fput(w.file);
	if (!ok) {
		pr_notice("%s[%d]: core file %s: error %d; removed\n", current->comm, current->pid, name, -w.err);
		kern_unlink(name);
	}
	return ok;
}

/* ---- to a program ---- */

struct core_helper {
	refcount_t refs; /* the dumper's, and the program's until it runs */
	struct file *in;
	char **argv;
	int result;
	struct completion started;
};

static void put_helper(struct core_helper *h)
{
	if (refcount_dec_and_test(&h->refs))
		kfree(h);
}

/* The new process: standard input is the pipe; then it is the program. */
static int helper_main(void *data)
{
	static const char *const env[] = {"HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL};
	struct core_helper *h = data;
	int r;

	for (unsigned fd = 0; fd < 3; fd++) /* of the first program: nothing else is open here */
		close_fd(fd);
	exit_fs(current);
	current->fs = copy_fs_struct(core_fs);
	r = current->fs ? get_unused_fd_flags(0) : -ENOMEM;
	if (r == 0) {
		fd_install(0, get_file(h->in));
		r = exec_kernel_strings(h->argv[0], (const char *const *)h->argv, env);
	} else if (r > 0) {
		put_unused_fd(r);
		r = -EBUSY;
	}
	h->result = r;
	complete(&h->started);
	put_helper(h);
	return r;
}

static int helper_spawn(void *data)
{
	struct kernel_clone_args a = {.exit_signal = SIGCHLD, .fn = helper_main, .fn_arg = data};
	struct core_helper *h = data;
	pid_t pid = kernel_clone(&a);

	if (pid < 0) {
		h->result = pid;
		complete(&h->started);
		put_helper(h);
	}
	return 0;
}

static bool dump_to_program(struct core_name *n, const struct kernel_siginfo *info)
{
	struct core_helper *h = kzalloc(sizeof(*h), GFP_KERNEL);
	struct core_writer w = {.limit = RLIM_INFINITY, .pipe = true};
	struct file *end[2];
	bool ok = false;
	int r;

	/* a limit of 1 byte says that the program that reads core files must not dump core itself */
	if (!h || rlimit(RLIMIT_CORE) == 1)
		goto out;
	r = create_pipe_files(end, 0);
	if (r)
		goto out;
	refcount_set(&h->refs, 2);
	h->in = end[0];
	h->argv = n->arg;
	init_completion(&h->started);
	if (IS_ERR(kthread_run(helper_spawn, h, "kcore"))) {
		put_helper(h);
		h->result = -ENOMEM;
	} else {
		wait_for_completion(&h->started);
	}
	fput(end[0]);
	if (h->result) {
		pr_notice("%s[%d]: core_pattern: %s: error %d\n", current->comm, current->pid, n->arg[0], -h->result);
	} else {
		w.file = end[1];
		ok = write_core(&w, info);
	}
	fput(end[1]);
	put_helper(h);
	return ok;
out:
	kfree(h);
	return false;
}

/* ---- all together ---- */

/* The monitor's directory is not the guest users': the kernel writes there for them. */
static bool dump_for_monitor(const char *name, const struct kernel_siginfo *info)
{
	struct task_struct *me = current;
	const struct cred *cred = me->cred;
	struct fs_struct *fs = me->fs;
	bool ok;

	me->cred = &init_cred;
	task_lock(me);
	me->fs = core_fs;
	task_unlock(me);
	ok = dump_to_file(name, info);
	task_lock(me);
	me->fs = fs;
	task_unlock(me);
	me->cred = cred;
	return ok;
}

static void do_coredump(const struct kernel_siginfo *info)
{
	struct core_name n = {.len = 0};
	char pattern[PATTERN_MAX];
	bool ok = false;

	if (!current->mm || current->mm->dumpable != 1 || (rlimit(RLIMIT_CORE) == 0 && core_pattern[0] != '|'))
		return;
	n.buf = kmalloc(NAME_MAX_, GFP_KERNEL);
	if (!n.buf)
		return;
	strscpy(pattern, core_pattern, sizeof(pattern));
	if (coredump_begin(info->si_signo)) {
		kfree(n.buf);
		return;
	}
	if (format_name(&n, pattern, info)) {
		if (n.pipe)
			ok = dump_to_program(&n, info);
		else if (boot->core_pattern[0] && !strcmp(pattern, boot->core_pattern))
			ok = dump_for_monitor(n.buf, info);
		else
			ok = dump_to_file(n.buf, info);
	}
	coredump_end(ok);
	kfree(n.buf);
}

static int pattern_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s\n", core_pattern);
	return 0;
}

static int pattern_store(char *buf, void *data)
{
	if (buf[0] == '|' && buf[1] != '/') /* a program has a path from the root */
		return -EINVAL;
	strscpy(core_pattern, buf, sizeof(core_pattern));
	return 0;
}

SYSCTL_RW("kernel/core_pattern", 0644, pattern_show, pattern_store, NULL);
SYSCTL_INT("kernel/core_uses_pid", 0644, core_uses_pid, 0, 1);
SYSCTL_INT("kernel/core_pipe_limit", 0444, core_pipe_limit, 0, 0);

static int coredump_init(void)
{
	if (boot->core_pattern[0])
		strscpy(core_pattern, boot->core_pattern, sizeof(core_pattern));
	core_fs = copy_fs_struct(current->fs);
	if (!core_fs)
		return -ENOMEM;
	core_dump = do_coredump;
	return 0;
}
late_initcall(coredump_init); /* the root is there */
