/* SPDX-License-Identifier: Apache-2.0 */
/* execve in progress: what fs/exec.c and the binary formats share. */
#ifndef HUSK_BINFMTS_H
#define HUSK_BINFMTS_H

#include <husk/fs.h>

#define BINPRM_BUF_SIZE 256 /* bytes of the file that formats look at */

/* Strings one after the other, each with its NUL, in one buffer. */
struct strvec {
	char *buf;
	size_t len, cap;
	int count;
};
int strvec_replace_first(struct strvec *v, const char *const *s, int n); /* n strings take the place of the first */

/**
 * struct linux_binprm - the program to be
 * @file: it, or the interpreter of the script so far; write access is denied while it is here
 * @mm: the new address space, current's own after begin_new_exec(). @cred: likewise
 * @path: as given, or /dev/fd/N; becomes AT_EXECFN. @interp: what a #! line interprets, NULL: @path
 * @path_inaccessible: /dev/fd/N is closed by the exec. @secure: AT_SECURE
 */
struct linux_binprm {
	struct file *file;
	struct mm_struct *mm;
	struct cred *cred;
	char *path, *interp;
	struct strvec argv, envp;
	unsigned long stack_top;
	int depth;
	bool path_inaccessible, secure, no_return;
	u8 buf[BINPRM_BUF_SIZE];
};

/* A regular file that may be executed, write access denied; flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. ERR_PTR */
struct file *open_exec(int dfd, const char *name, int flags);
int begin_new_exec(struct linux_binprm *b);  /* no way back: other threads gone, address space replaced */
void setup_new_exec(struct linux_binprm *b); /* the program is loaded */
/* Formats: 0 loaded, 1 look again at b->file, -ENOEXEC not mine, other errors final */
int load_elf_binary(struct linux_binprm *b);
int load_script(struct linux_binprm *b);

#endif
