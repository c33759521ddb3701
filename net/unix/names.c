// SPDX-License-Identifier: Apache-2.0
/* Names of AF_UNIX sockets: paths, abstract names, and the tables to find them. */
#include "unix.h"
#include <husk/proc_fs.h>
#include <husk/init.h>

#define HASH_BITS 8
#define HASH_SIZE (1 << HASH_BITS)
#define AUTOBIND_MAX 0xfffff

/* All tables and the list of all sockets. */
static DEFINE_SPINLOCK(unix_table_lock);
static struct hlist_head name_hash[HASH_SIZE];	/* abstract names, by name and type */
static struct hlist_head inode_hash[HASH_SIZE]; /* path names, by the inode made for them */
static LIST_HEAD(all_sockets);

static inline struct hlist_head *name_bucket(const struct sockaddr_un *n, int len, int type)
{
	return &name_hash[hash_name((void *)(long)type, (const char *)n, len) & (HASH_SIZE - 1)];
}

static inline struct hlist_head *inode_bucket(const struct inode *i)
{
	return &inode_hash[((unsigned long)i * 0x9e3779b97f4a7c15UL) >> (64 - HASH_BITS)];
}

void unix_insert(struct sock *sk)
{
	spin_lock(&unix_table_lock);
	list_add_tail(&unix_sk(sk)->all, &all_sockets);
	spin_unlock(&unix_table_lock);
}

void unix_remove(struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk);

	spin_lock(&unix_table_lock);
	hlist_del_init(&u->name_node);
	hlist_del_init(&u->inode_node);
	list_del_init(&u->all);
	spin_unlock(&unix_table_lock);
}

void unix_addr_put(struct unix_address *a)
{
	if (a && refcount_dec_and_test(&a->refs))
		kfree(a);
}

/* Family and length. 0 or -EINVAL. */
int unix_check_addr(const struct sockaddr *addr, int len)
{
	if (len <= (int)offsetof(struct sockaddr_un, sun_path) || len > (int)sizeof(struct sockaddr_un))
		return -EINVAL;
	return addr->sa_family == AF_UNIX ? 0 : -EINVAL;
}

static struct unix_address *new_addr(const struct sockaddr *addr, int len)
{
	struct unix_address *a = kzalloc(sizeof(*a) + 1, GFP_KERNEL); /* a path of full length gets a NUL */

	if (!a)
		return NULL;
	refcount_set(&a->refs, 1);
	memcpy(&a->name, addr, len);
	a->len = len;
	return a;
}

/* Under unix_table_lock. */
static struct sock *find_abstract(const struct sockaddr_un *n, int len, int type)
{
	struct unix_sock *u;

	hlist_for_each_entry (u, name_bucket(n, len, type), name_node)
		if (u->sk.type == type && u->addr->len == len && !memcmp(&u->addr->name, n, len))
			return &u->sk;
	return NULL;
}

static struct sock *find_by_inode(struct inode *i)
{
	struct unix_sock *u;

	spin_lock(&unix_table_lock);
	hlist_for_each_entry (u, inode_bucket(i), inode_node) {
		if (d_inode(u->path.dentry) == i) {
			sock_hold(&u->sk);
			spin_unlock(&unix_table_lock);
			return &u->sk;
		}
	}
	spin_unlock(&unix_table_lock);
	return NULL;
}

static struct sock *find_path(const struct sockaddr_un *n, int len, int type, int *err)
{
	char name[UNIX_PATH_MAX + 1];
	struct inode *inode;
	struct sock *sk;
	struct path path;

	len -= offsetof(struct sockaddr_un, sun_path);
	memcpy(name, n->sun_path, len);
	name[len] = 0;
	*err = kern_path(name, LOOKUP_FOLLOW, &path);
	if (*err)
		return NULL;
	inode = d_inode(path.dentry);
	*err = inode_permission(inode, MAY_WRITE);
	sk = NULL;
	if (*err)
		goto out;
	*err = -ECONNREFUSED;
	if (!S_ISSOCK(inode->i_mode))
		goto out;
	sk = find_by_inode(inode);
	if (!sk)
		goto out;
	*err = -EPROTOTYPE;
	if (sk->type != type) {
		sock_put(sk);
		sk = NULL;
		goto out;
	}
	touch_atime(&path);
out:
	path_put(&path);
	return sk;
}

/**
 * unix_find_other - the socket that an address names
 * Return: with a reference, or NULL and *err.
 */
struct sock *unix_find_other(const struct sockaddr *addr, int len, int type, int *err)
{
	const struct sockaddr_un *n = (const struct sockaddr_un *)addr;
	struct sock *sk;

	if (n->sun_path[0])
		return find_path(n, len, type, err);
	spin_lock(&unix_table_lock);
	sk = find_abstract(n, len, type);
	if (sk)
		sock_hold(sk);
	spin_unlock(&unix_table_lock);
	*err = -ECONNREFUSED;
	return sk;
}

/* ---- binding ---- */

static int bind_path(struct socket *s, const struct sockaddr *addr, int len)
{
	umode_t mode = S_IFSOCK | (file_inode(s->file)->i_mode & 0777 & ~current_umask());
	struct unix_sock *u = unix_sk(s->sk);
	struct unix_address *a = new_addr(addr, len);
	struct dentry *dentry;
	struct path parent;
	int err;

	if (!a)
		return -ENOMEM;
	/* the length that getsockname() reports has exactly one NUL */
	a->len = (int)(offsetof(struct sockaddr_un, sun_path) + strlen(a->name.sun_path) + 1);
	dentry = kern_path_create(AT_FDCWD, a->name.sun_path, &parent, 0);
	err = (int)PTR_ERR(dentry);
	if (IS_ERR(dentry))
		goto out_addr;
	mutex_lock(&u->bindlock);
	err = -EINVAL;
	if (u->addr)
		goto out_unlock;
	err = vfs_mknod(d_inode(parent.dentry), dentry, mode, 0);
	if (err)
		goto out_unlock;
	u->path = (struct path){mntget(parent.mnt), dget(dentry)};
	spin_lock(&unix_table_lock);
	smp_store_release(&u->addr, a);
	hlist_add_head(&u->inode_node, inode_bucket(d_inode(dentry)));
	spin_unlock(&unix_table_lock);
	mutex_unlock(&u->bindlock);
	done_path_create(&parent, dentry);
	return 0;
out_unlock:
	mutex_unlock(&u->bindlock);
	done_path_create(&parent, dentry);
out_addr:
	unix_addr_put(a);
	return err == -EEXIST ? -EADDRINUSE : err;
}

static int bind_abstract(struct sock *sk, const struct sockaddr *addr, int len)
{
	struct unix_sock *u = unix_sk(sk);
	struct unix_address *a = new_addr(addr, len);
	int err = -EINVAL;

	if (!a)
		return -ENOMEM;
	mutex_lock(&u->bindlock);
	if (u->addr)
		goto out;
	err = -EADDRINUSE;
	spin_lock(&unix_table_lock);
	if (!find_abstract(&a->name, len, sk->type)) {
		smp_store_release(&u->addr, a);
		hlist_add_head(&u->name_node, name_bucket(&a->name, len, sk->type));
		err = 0;
	}
	spin_unlock(&unix_table_lock);
out:
	mutex_unlock(&u->bindlock);
	if (err)
		unix_addr_put(a);
	return err;
}

/* A name of the kernel's choice: five hexadecimal digits. */
int unix_autobind(struct sock *sk)
{
	struct sockaddr_un n = {.sun_family = AF_UNIX};
	const int len = offsetof(struct sockaddr_un, sun_path) + 6;
	u32 start = (u32)get_random_u64(), i;
	int err;

	if (smp_load_acquire(&unix_sk(sk)->addr))
		return 0;
	for (i = 0; i <= AUTOBIND_MAX; i++) {
		char digits[8];

		snprintf(digits, sizeof(digits), "%05x", (start + i) & AUTOBIND_MAX);
		memcpy(n.sun_path + 1, digits, 5);
		err = bind_abstract(sk, (struct sockaddr *)&n, len);
		if (err == -EINVAL)
			return 0; /* someone bound it meanwhile */
		if (err != -EADDRINUSE)
			return err;
	}
	return -ENOSPC;
}

int unix_bind(struct socket *s, struct sockaddr *addr, int len)
{
	int err;

	if (len == (int)offsetof(struct sockaddr_un, sun_path) && addr->sa_family == AF_UNIX)
		return unix_autobind(s->sk);
	err = unix_check_addr(addr, len);
	if (err)
		return err;
	if (((struct sockaddr_un *)addr)->sun_path[0])
		return bind_path(s, addr, len);
	return bind_abstract(s->sk, addr, len);
}

/* Writes the name of a socket; its length. One without a name has only the family. */
int unix_copy_name(struct sock *sk, void *to)
{
	struct unix_address *a = smp_load_acquire(&unix_sk(sk)->addr);
	struct sockaddr_un *n = to;

	if (!a) {
		n->sun_family = AF_UNIX;
		return offsetof(struct sockaddr_un, sun_path);
	}
	memcpy(to, &a->name, a->len);
	return a->len;
}

int unix_getname(struct socket *s, struct __kernel_sockaddr_storage *addr, int peer)
{
	struct sock *sk = s->sk;
	int len;

	if (!peer)
		return unix_copy_name(sk, addr);
	unix_lock(sk);
	sk = unix_peer(sk);
	if (sk)
		sock_hold(sk);
	unix_unlock(s->sk);
	if (!sk)
		return -ENOTCONN;
	len = unix_copy_name(sk, addr);
	sock_put(sk);
	return len;
}

/* ---- /proc/net/unix ---- */

static void show_name(struct seq_file *m, const struct unix_address *a)
{
	int n = a->len - (int)offsetof(struct sockaddr_un, sun_path), i = 0;

	seq_putc(m, ' ');
	if (a->name.sun_path[0])
		n--; /* the NUL */
	else
		seq_putc(m, '@'), i = 1;
	for (; i < n; i++)
		seq_putc(m, a->name.sun_path[i] ? a->name.sun_path[i] : '@');
}

/* Closing takes the socket off the list before its file and inode go, so under the lock they are there. */
static u64 ino_of(const struct sock *sk)
{
	struct socket *s = READ_ONCE(sk->socket);
	struct file *f = s ? READ_ONCE(s->file) : NULL;

	return f ? file_inode(f)->i_ino : 0;
}

static int unix_show(struct seq_file *m, void *v)
{
	struct unix_sock *u;

	seq_puts(m, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	spin_lock(&unix_table_lock);
	list_for_each_entry (u, &all_sockets, all) {
		struct sock *sk = &u->sk;
		int st = sk->state == SK_ESTABLISHED ? SS_CONNECTED : SS_UNCONNECTED;

		seq_printf(m, "%016lx: %08X %08X %08X %04X %02X %5llu", (unsigned long)sk->cookie,
			   (unsigned int)refcount_read(&sk->refs), 0u,
			   sk->state == SK_LISTEN ? (unsigned int)__SO_ACCEPTCON : 0u, (unsigned int)sk->type,
			   (unsigned int)st, (unsigned long long)ino_of(sk));
		if (u->addr)
			show_name(m, u->addr);
		seq_putc(m, '\n');
	}
	spin_unlock(&unix_table_lock);
	return 0;
}

static int unix_proc_init(void)
{
	struct proc_dir_entry *net = proc_mkdir("net", NULL);

	proc_create_single("unix", 0444, net, unix_show);
	return 0;
}
device_initcall(unix_proc_init);
