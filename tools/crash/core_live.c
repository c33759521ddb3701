// SPDX-License-Identifier: Apache-2.0
// A running sandbox: its RAM through the control socket, read while it changes.

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crash.h"
#include "../client/client.h"

static int live_read(u64 phys, void *buf, size_t n)
{
	return core_pread(phys, buf, n) ? READ_TRUNCATED : READ_OK;
}

/* One answer that brings a descriptor, which is the caller's. */
static int ask(struct client *c, const char *request, struct client_answer *a, struct client_error *e)
{
	int fd;

	if (client_call(c, request, a, NULL, NULL, e))
		return -1;
	fd = a->nfds ? a->fd[0] : -1;
	if (fd >= 0)
		a->fd[0] = -1;
	else
		snprintf(e->text, sizeof(e->text), "the sandbox's answer lacks the descriptor");
	return fd;
}

int core_open_live(const char *sandbox, int *kernel_fd, const char **kernel)
{
	static char path[MAX_PATH];
	struct client_error e = {0};
	struct client_answer a;
	struct client c;
	struct stat st;

	*kernel_fd = -1;
	if (client_connect(sandbox, &c, &e)) {
		complain("%s", e.text);
		return -1;
	}
	snprintf(core.path, sizeof(core.path), "sandbox %s, pid %d", c.name, c.pid);
	core.fd = ask(&c, "{\"cmd\":\"ram\"}", &a, &e);
	if (core.fd < 0) {
		complain("%s: %s", sandbox, e.text);
		return -1;
	}
	core.ram_size = client_number(a.object, "ram_size");
	client_answer_free(&a);
	if (fstat(core.fd, &st) || (u64)st.st_size < core.ram_size) {
		complain("%s: the RAM that it gave is smaller than it says", sandbox);
		return -1;
	}
	/* the file as it was loaded, even if another was built since */
	if (!*kernel) {
		*kernel_fd = ask(&c, "{\"cmd\":\"kernel\"}", &a, &e);
		if (*kernel_fd >= 0) {
			snprintf(path, sizeof(path), "%s", client_string(a.object, "kernel"));
			if (*path)
				*kernel = path;
			client_answer_free(&a);
		}
	}
	client_close(&c);
	core.format = "live";
	core.read = live_read;
	core.file_size = core.elf_size = (u64)st.st_size;
	return 0;
}
