// SPDX-License-Identifier: Apache-2.0
/* Text files made of records: iterate, print into a buffer, hand out. */
#include <husk/seq_file.h>

/**
 * DOC: seq_file
 *
 * buf holds records that were printed and not yet read: count bytes at `from`. A read gives those out first, then prints
 * records until the reader's buffer is full or none is left. A record that does not fit an empty buffer makes
 * it twice as large and is printed again; one that does not fit behind others waits for the next read. index is the
 * iterator's position behind the last whole record; read_pos the file offset that all this stands for.
 */
static bool overflowed(const struct seq_file *m)
{
	return m->count == m->size;
}

int seq_open(struct file *f, const struct seq_operations *op)
{
	struct seq_file *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	mutex_init(&m->lock);
	m->op = op;
	m->file = f;
	f->private_data = m;
	return 0;
}

static bool enlarge(struct seq_file *m)
{
	size_t size = m->size ? m->size * 2 : PAGE_SIZE;

	kvfree(m->buf);
	m->count = m->from = 0;
	m->buf = kvmalloc(size, GFP_KERNEL);
	m->size = m->buf ? size : 0;
	return m->buf != NULL;
}

/* Goes to a file offset other than the current one: prints everything before it again. */
static int traverse(struct seq_file *m, loff_t offset)
{
	loff_t pos = 0;
	int err = 0;
	void *p;

	m->index = 0;
	m->count = m->from = 0;
	if (!offset)
		return 0;
	if (!m->buf && !enlarge(m))
		return -ENOMEM;
	p = m->op->start(m, &m->index);
	while (p) {
		err = IS_ERR(p) ? (int)PTR_ERR(p) : m->op->show(m, p);
		if (err < 0)
			break;
		if (err) {
			err = 0;
			m->count = 0;
		}
		if (overflowed(m)) {
			m->op->stop(m, p);
			m->index = 0;
			pos = 0;
			if (!enlarge(m))
				return -ENOMEM;
			p = m->op->start(m, &m->index);
			continue;
		}
		p = m->op->next(m, p, &m->index);
		if (pos + m->count > offset) {
			m->from = offset - pos;
			m->count -= m->from;
			break;
		}
		pos += m->count;
		m->count = 0;
		if (pos == offset)
			break;
	}
	m->op->stop(m, p);
	return err;
}

/* Prints the next record, enlarging the buffer for it: 1: there is text, 0: the end, or -errno. Iteration is left started in *pp. */
static int first_record(struct seq_file *m, void **pp)
{
	void *p;
	int err;

	m->from = 0;
	p = m->op->start(m, &m->index);
	for (;;) {
		err = IS_ERR(p) ? (int)PTR_ERR(p) : 0;
		if (!p || err)
			break;
		err = m->op->show(m, p);
		if (err < 0)
			break;
		if (err)
			m->count = 0; /* SEQ_SKIP */
		if (!m->count) {
			err = 0;
			p = m->op->next(m, p, &m->index);
			continue;
		}
		if (!overflowed(m)) {
			*pp = p;
			return 1;
		}
		m->op->stop(m, p);
		if (!enlarge(m))
			return -ENOMEM;
		p = m->op->start(m, &m->index);
	}
	m->op->stop(m, p);
	m->count = 0;
	return err;
}

/* Adds records while they fit and the reader wants more. */
static int more_records(struct seq_file *m, void *p, size_t want)
{
	int err = 0;

	for (;;) {
		size_t before = m->count;
		loff_t at = m->index;

		p = m->op->next(m, p, &m->index);
		if (m->index == at)
			m->index++; /* an iterator that forgot to count */
		if (!p || IS_ERR(p) || m->count >= want)
			break;
		err = m->op->show(m, p);
		if (err > 0) {
			m->count = before;
		} else if (err || overflowed(m)) {
			m->count = before;
			break;
		}
	}
	m->op->stop(m, p);
	return err < 0 ? err : 0;
}

/* Gives out what the buffer holds; the bytes copied, or -EFAULT. */
static ssize_t flush(struct seq_file *m, struct iov_iter *to)
{
	size_t n = min(iov_iter_count(to), m->count);

	if (copy_to_iter(m->buf + m->from, n, to) != n)
		return -EFAULT;
	m->count -= n;
	m->from += n;
	return n;
}

ssize_t seq_read_iter(struct kiocb *k, struct iov_iter *to)
{
	struct seq_file *m = k->ki_filp->private_data;
	loff_t *pos = &k->ki_pos;
	size_t n = iov_iter_count(to);
	ssize_t done = 0, got;
	void *p = NULL;
	int err;

	if (!n)
		return 0;
	mutex_lock(&m->lock);
	if (*pos != m->read_pos) {
		err = traverse(m, *pos);
		if (err) {
			m->read_pos = 0;
			m->index = 0;
			m->count = 0;
			goto out_err;
		}
		m->read_pos = *pos;
	}
	err = -ENOMEM;
	if (!m->buf && !enlarge(m))
		goto out_err;
	if (m->count) {
		got = flush(m, to);
		if (got < 0 || (size_t)got == n || m->count) {
			done = got;
			goto out;
		}
		done = got;
	}
	err = first_record(m, &p);
	if (err > 0) {
		more_records(m, p, n - done);
		got = flush(m, to);
		done = got < 0 ? (done ? done : got) : done + got;
	} else if (err < 0 && !done) {
		done = err;
	}
out:
	if (done > 0) {
		*pos += done;
		m->read_pos += done;
	}
	mutex_unlock(&m->lock);
	return done;
out_err:
	mutex_unlock(&m->lock);
	return err;
}

ssize_t seq_read(struct file *f, char __user *buf, size_t n, loff_t *pos)
{
	struct kiocb k = {.ki_filp = f, .ki_pos = *pos};
	struct iov_iter to;
	ssize_t r;

	iov_iter_ubuf(&to, ITER_DEST, buf, n);
	r = seq_read_iter(&k, &to);
	*pos = k.ki_pos;
	return r;
}

loff_t seq_lseek(struct file *f, loff_t off, int whence)
{
	struct seq_file *m = f->private_data;
	loff_t ret = -EINVAL;

	mutex_lock(&m->lock);
	if (whence == SEEK_CUR)
		off += f->f_pos;
	else if (whence != SEEK_SET)
		goto out;
	if (off < 0)
		goto out;
	ret = off;
	if (off != m->read_pos) {
		int err = traverse(m, off);

		if (err) {
			m->read_pos = 0;
			m->index = 0;
			m->count = 0;
			f->f_pos = 0;
			ret = err;
			goto out;
		}
		m->read_pos = off;
	}
	f->f_pos = off;
out:
	mutex_unlock(&m->lock);
	return ret;
}

int seq_release(struct inode *i, struct file *f)
{
	struct seq_file *m = f->private_data;

	kvfree(m->buf);
	kfree(m);
	return 0;
}

static void *single_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? NULL : SEQ_START_TOKEN;
}

static void *single_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return NULL;
}

static void single_stop(struct seq_file *m, void *v)
{
}

int single_open(struct file *f, int (*show)(struct seq_file *, void *), void *data)
{
	struct seq_operations *op = kmalloc(sizeof(*op), GFP_KERNEL);
	int err;

	if (!op)
		return -ENOMEM;
	*op = (struct seq_operations){single_start, single_stop, single_next, show};
	err = seq_open(f, op);
	if (err)
		kfree(op);
	else
		((struct seq_file *)f->private_data)->private = data;
	return err;
}

int single_release(struct inode *i, struct file *f)
{
	const struct seq_operations *op = ((struct seq_file *)f->private_data)->op;

	seq_release(i, f);
	kfree(op);
	return 0;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (m->count >= m->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(m->buf + m->count, m->size - m->count, fmt, ap);
	va_end(ap);
	m->count = (size_t)n < m->size - m->count ? m->count + n : m->size;
}

void seq_write(struct seq_file *m, const void *data, size_t n)
{
	if (n < m->size - m->count) {
		memcpy(m->buf + m->count, data, n);
		m->count += n;
	} else {
		m->count = m->size;
	}
}

void seq_puts(struct seq_file *m, const char *s)
{
	seq_write(m, s, strlen(s));
}

void seq_putc(struct seq_file *m, char c)
{
	if (m->count < m->size)
		m->buf[m->count++] = c;
}

/* Text with the characters of @esc (NULL: none) as \ooo. */
void seq_escape(struct seq_file *m, const char *s, const char *esc)
{
	for (; *s; s++) {
		if (esc && strchr(esc, *s))
			seq_printf(m, "\\%03o", (u8)*s);
		else
			seq_putc(m, *s);
	}
}

int seq_path(struct seq_file *m, const struct path *p, const char *esc)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *name;
	int ret = -1;

	if (!buf)
		return -ENOMEM;
	name = d_path(p, buf, PATH_MAX);
	if (!IS_ERR(name)) {
		seq_escape(m, name, esc);
		ret = 0;
	}
	kfree(buf);
	return ret;
}
