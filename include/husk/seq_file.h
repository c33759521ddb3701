/* SPDX-License-Identifier: Apache-2.0 */
/* Text files made of records (fs/seq_file.c), as Linux's seq_file. */
#ifndef HUSK_SEQ_FILE_H
#define HUSK_SEQ_FILE_H
#include <husk/fs.h>
struct seq_operations;
struct seq_file {
	char *buf;
	size_t size, from, count, pad_until;
	loff_t index, read_pos;
	struct mutex lock;
	const struct seq_operations *op;
	struct file *file;
	void *private;
	unsigned poll_event; /* lists of mounts: the state of the tree last seen */
};
struct seq_operations {
	void *(*start)(struct seq_file *m, loff_t *pos);
	void (*stop)(struct seq_file *m, void *v);
	void *(*next)(struct seq_file *m, void *v, loff_t *pos);
	int (*show)(struct seq_file *m, void *v);
};
#define SEQ_START_TOKEN ((void *)1)
int seq_open(struct file *f, const struct seq_operations *op);
ssize_t seq_read_iter(struct kiocb *k, struct iov_iter *to); /* beside seq_read, for splice and sendfile */
ssize_t seq_read(struct file *f, char __user *buf, size_t n, loff_t *pos);
loff_t seq_lseek(struct file *f, loff_t off, int whence);
int seq_release(struct inode *i, struct file *f);
int single_open(struct file *f, int (*show)(struct seq_file *, void *), void *data);
int single_release(struct inode *i, struct file *f);
void seq_printf(struct seq_file *m, const char *fmt, ...) __printf(2, 3);
void seq_puts(struct seq_file *m, const char *s);
void seq_putc(struct seq_file *m, char c);
void seq_write(struct seq_file *m, const void *data, size_t n);
void seq_escape(struct seq_file *m, const char *s, const char *esc);
int seq_path(struct seq_file *m, const struct path *p, const char *esc);
#endif
