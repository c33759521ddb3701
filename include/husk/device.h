/* SPDX-License-Identifier: Apache-2.0 */
/* Character devices: numbers of the ABI and what drivers share (fs/char_dev.c, drivers/char). */
#ifndef HUSK_DEVICE_H
#define HUSK_DEVICE_H

#include <husk/fs.h>

#define MEM_MAJOR 1
#define TTY_MAJOR 4
#define TTYAUX_MAJOR 5
#define MISC_MAJOR 10
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_SLAVE_MAJOR 136

/* new_encode_dev: 32 bits, as in /proc/PID/stat and TIOCGDEV */
static inline u32 new_encode_dev(dev_t d)
{
	return (MINOR(d) & 0xff) | (MAJOR(d) << 8) | ((MINOR(d) & ~0xffu) << 12);
}

int chrdev_show(struct seq_file *m);	    /* the "Character devices:" part of /proc/devices */
int misc_show(struct seq_file *m, void *v); /* /proc/misc */
int misc_register(int minor, const char *name, umode_t mode, const struct file_operations *ops);
void misc_deregister(int minor); /* of a module that goes */
extern const struct file_operations random_fops, urandom_fops, kmsg_fops;

#endif
