// SPDX-License-Identifier: Apache-2.0
/* Ancillary data of local sockets: open files and credentials. */
#include <husk/net.h>

/**
 * DOC: freeing files that were on their way
 *
 * Dropping a file may close a socket whose queue holds more files, and so on without end. So only the outermost call on a task's
 * stack drops files; those within put their lists on its list (task->scm_work).
 */
void scm_fp_free(struct scm_fp_list *fp)
{
	struct list_head work;

	if (current->scm_work) {
		list_add_tail(&fp->work, current->scm_work);
		return;
	}
	INIT_LIST_HEAD(&work);
	list_add_tail(&fp->work, &work);
	current->scm_work = &work;
	while (!list_empty(&work)) {
		fp = list_first_entry(&work, struct scm_fp_list, work);
		list_del(&fp->work);
		while (fp->count)
			fput(fp->fp[--fp->count]);
		kfree(fp);
	}
	current->scm_work = NULL;
}

static struct scm_fp_list *fp_alloc(int max)
{
	struct scm_fp_list *fp = kmalloc(sizeof(*fp) + max * sizeof(fp->fp[0]), GFP_KERNEL);

	if (!fp)
		return NULL;
	fp->count = 0;
	fp->max = max;
	return fp;
}

struct scm_fp_list *scm_fp_dup(struct scm_fp_list *fp)
{
	struct scm_fp_list *n = fp_alloc(fp->count);

	if (!n)
		return NULL;
	for (; n->count < fp->count; n->count++)
		n->fp[n->count] = get_file(fp->fp[n->count]);
	return n;
}

/* The descriptors of one control message; several may follow each other. */
static int copy_fds(struct cmsghdr *c, struct scm_cookie *scm)
{
	int n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)), i;
	struct scm_fp_list *fp = scm->fp, *grown;
	const int *fds = CMSG_DATA(c);

	if (n <= 0)
		return 0;
	if (n > SCM_MAX_FD)
		return -EINVAL;
	if (!fp || fp->count + n > fp->max) {
		if (fp && fp->count + n > SCM_MAX_FD)
			return -EINVAL;
		grown = fp_alloc(fp ? SCM_MAX_FD : n);
		if (!grown)
			return -ENOMEM;
		if (fp) {
			memcpy(grown->fp, fp->fp, fp->count * sizeof(fp->fp[0]));
			grown->count = fp->count;
			kfree(fp);
		}
		scm->fp = fp = grown;
	}
	for (i = 0; i < n; i++) {
		struct file *f = fds[i] < 0 ? NULL : fget_raw(fds[i]);

		if (!f)
			return -EBADF;
		fp->fp[fp->count++] = f;
	}
	return 0;
}

/* May current say that it is this? */
static bool creds_allowed(const struct ucred *u)
{
	const struct cred *c = current_cred();

	if (u->pid != (u32)current->tgid && !capable(CAP_SYS_ADMIN))
		return false;
	if (u->uid != c->uid && u->uid != c->euid && u->uid != c->suid && !capable(CAP_SETUID))
		return false;
	return u->gid == c->gid || u->gid == c->egid || u->gid == c->sgid || capable(CAP_SETGID);
}

static int parse_cmsg(struct socket *s, struct cmsghdr *c, struct scm_cookie *scm)
{
	if (c->cmsg_level != SOL_SOCKET)
		return 0;
	switch (c->cmsg_type) {
	case SCM_RIGHTS:
		return s->ops->family == AF_UNIX ? copy_fds(c, scm) : -EINVAL;
	case SCM_CREDENTIALS:
		if (c->cmsg_len != CMSG_LEN(sizeof(struct ucred)))
			return -EINVAL;
		memcpy(&scm->creds, CMSG_DATA(c), sizeof(scm->creds));
		if (!creds_allowed(&scm->creds))
			return -EPERM;
		scm->have_creds = true;
		return 0;
	}
	return -EINVAL;
}

static void own_creds(struct scm_cookie *scm)
{
	scm->creds.pid = current->tgid;
	scm->creds.uid = current_uid();
	scm->creds.gid = current_gid();
	scm->have_creds = true;
}

/**
 * scm_send - take the control data of a message that is being sent
 * @forcecreds: fill in the sender's own credentials if it names none
 */
int scm_send(struct socket *s, struct msghdr *m, struct scm_cookie *scm, bool forcecreds)
{
	char *p = m->msg_control;
	size_t left = m->msg_controllen;
	struct cmsghdr *c;
	int err;

	memset(scm, 0, sizeof(*scm));
	if (forcecreds)
		own_creds(scm);
	if (likely(!p))
		return 0;
	while (left >= sizeof(*c)) {
		c = (struct cmsghdr *)p;
		err = -EINVAL;
		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > left)
			goto out;
		err = parse_cmsg(s, c, scm);
		if (err)
			goto out;
		if (CMSG_ALIGN(c->cmsg_len) >= left)
			break;
		left -= CMSG_ALIGN(c->cmsg_len);
		p += CMSG_ALIGN(c->cmsg_len);
	}
	if (scm->fp && !scm->fp->count) {
		kfree(scm->fp);
		scm->fp = NULL;
	}
	return 0;
out:
	scm_destroy(scm);
	return err;
}

/**
 * put_cmsg - add a control message to what the receiver gets
 * Sets MSG_CTRUNC where there is no room for all of it.
 */
int put_cmsg(struct msghdr *m, int level, int type, int len, const void *data)
{
	struct cmsghdr h = {CMSG_LEN(len), level, type};
	char __user *u = m->msg_control;
	size_t space;

	if (!u || m->msg_controllen < sizeof(h)) {
		m->msg_flags |= MSG_CTRUNC;
		return 0;
	}
	if (m->msg_controllen < h.cmsg_len) {
		m->msg_flags |= MSG_CTRUNC;
		h.cmsg_len = m->msg_controllen;
	}
	if (copy_to_user(u, &h, sizeof(h)) || copy_to_user(u + sizeof(h), data, h.cmsg_len - sizeof(h)))
		return -EFAULT;
	space = min(CMSG_SPACE(len), m->msg_controllen);
	m->msg_control = u + space;
	m->msg_controllen -= space;
	return 0;
}

static int give_fd(struct file *f, int __user *u, unsigned int flags)
{
	int fd = get_unused_fd_flags(flags);

	if (fd < 0)
		return fd;
	if (put_user(fd, u)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, get_file(f));
	return 0;
}

/* As many as there is room for; the rest is closed. */
static void give_fds(struct msghdr *m, struct scm_cookie *scm, unsigned int flags)
{
	struct scm_fp_list *fp = scm->fp;
	char __user *u = m->msg_control;
	int __user *data = (int __user *)(u + sizeof(struct cmsghdr));
	struct cmsghdr h = {0, SOL_SOCKET, SCM_RIGHTS};
	int room = 0, i;
	size_t space;

	if (u && m->msg_controllen > sizeof(h))
		room = (int)min_t(size_t, (m->msg_controllen - sizeof(h)) / sizeof(int), SCM_MAX_FD);
	for (i = 0; i < fp->count && i < room; i++)
		if (give_fd(fp->fp[i], data + i, flags))
			break;
	if (i < fp->count)
		m->msg_flags |= MSG_CTRUNC;
	if (i) {
		h.cmsg_len = CMSG_LEN(i * sizeof(int));
		if (!copy_to_user(u, &h, sizeof(h))) {
			space = min(CMSG_SPACE(i * sizeof(int)), m->msg_controllen);
			m->msg_control = u + space;
			m->msg_controllen -= space;
		}
	}
	scm_destroy(scm);
}

/**
 * scm_recv - hand the receiver what came with a message
 * @flags: of the receiving call
 */
void scm_recv(struct socket *s, struct msghdr *m, struct scm_cookie *scm, int flags)
{
	struct sock *sk = s->sk;

	if (!m->msg_control) {
		if (sk->passcred || scm->fp)
			m->msg_flags |= MSG_CTRUNC;
		scm_destroy(scm);
		return;
	}
	if (sk->passcred) {
		if (!scm->have_creds)
			scm->creds = (struct ucred){0, 65534, 65534};
		put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(scm->creds), &scm->creds);
	}
	if (scm->fp)
		give_fds(m, scm, flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
}
