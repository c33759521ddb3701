// SPDX-License-Identifier: Apache-2.0
// What the monitor tells of its sandbox: who it is, its RAM and kernel image, counters that the kernel refreshes.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "control.h"
#include "run.h"

#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define ARGV_MAX 16384

static const char *state_name(struct sandbox *s)
{
	static const char *const names[] = {"booting", "running", "exited", "panic"};
	uint32_t state = READ(ram_boot(&s->ram)->state);

	return state < 4 ? names[state] : "unknown";
}

static void add_argv(struct control_request *r)
{
	static char text[ARGV_MAX];
	size_t len = 0, n;

	for (char **a = r->s->config->argv; *a; a++) {
		if (len)
			text[len++] = ',';
		n = control_json_quote(text + len, sizeof(text) - len - 8, *a);
		if (!n) { /* there is more of it */
			if (len)
				len--;
			break;
		}
		len += n;
	}
	text[len] = 0;
	control_add(r, "\"argv\":[%s]", text);
}

/* The file that the kernel was loaded from, as it is called now; "" if the host does not say. */
static void kernel_path(struct sandbox *s, char *path, size_t n)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->ram.kernel_fd);
	len = readlink(link, path, n - 1);
	path[len < 0 ? 0 : len] = 0;
}

/* A build id in one PT_NOTE's bytes, as hexadecimal digits. */
static bool find_build_id(const char *note, size_t n, char *out, size_t room)
{
	const Elf64_Nhdr *h;
	size_t name, desc;

	while (n >= sizeof(*h)) {
		h = (const void *)note;
		name = ((size_t)h->n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h->n_descsz + 3) & ~(size_t)3;
		if (name > n - sizeof(*h) || desc > n - sizeof(*h) - name)
			return false;
		if (h->n_type == NT_GNU_BUILD_ID && h->n_namesz == 4 && !memcmp(h + 1, "GNU", 4) &&
		    h->n_descsz * 2 < room) {
			for (size_t i = 0; i < h->n_descsz; i++)
				sprintf(out + 2 * i, "%02x", (unsigned char)note[sizeof(*h) + name + i]);
			return true;
		}
		note += sizeof(*h) + name + desc;
		n -= sizeof(*h) + name + desc;
	}
	return false;
}

/* From the file that was loaded, which is still open: the image in RAM is the guest kernel's to scribble on. */
static void build_id(struct sandbox *s, char *out, size_t room)
{
	_Alignas(16) char head[4096], note[1024];
	const Elf64_Ehdr *eh = (const void *)head;
	ssize_t n = pread(s->ram.kernel_fd, head, sizeof(head), 0), len;
	const Elf64_Phdr *ph;

	*out = 0;
	if (n < (ssize_t)sizeof(*eh) || eh->e_phoff % 8 || eh->e_phoff > (size_t)n ||
	    eh->e_phnum > (n - eh->e_phoff) / sizeof(*ph))
		return;
	ph = (const void *)(head + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_NOTE)
			continue;
		len = ph[i].p_filesz < sizeof(note) ? ph[i].p_filesz : sizeof(note);
		len = pread(s->ram.kernel_fd, note, len, ph[i].p_offset);
		if (len > 0 && find_build_id(note, len, out, room))
			return;
	}
}

/* RAM that the host has given so far */
static uint64_t ram_used(struct sandbox *s)
{
	struct stat st;

	return fstat(s->ram.fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

static void add_common(struct control_request *r)
{
	struct sandbox *s = r->s;

	control_add_string(r, "name", control_name(s));
	control_add(r, "\"pid\":%d", (int)getpid());
	control_add_string(r, "state", state_name(s));
	control_add(r, "\"uptime_ns\":%llu", (unsigned long long)(clock_ns() - s->config->start_ns));
	control_add(r, "\"ram_used\":%llu", (unsigned long long)ram_used(s));
}

int control_info(struct control_request *r)
{
	static const char *const platforms[] = {"none", "pku", "skas", "auto"};
	struct sandbox *s = r->s;
	char path[4096], id[129];

	add_common(r);
	control_add(r, "\"uid\":%u", (unsigned)geteuid());
	control_add(r, "\"jail_pid\":%d", (int)s->jail.pid);
	add_argv(r);
	control_add(r, "\"ram_size\":%llu", (unsigned long long)s->ram.size);
	control_add(r, "\"boot_size\":%zu", sizeof(struct hostif_boot));
	control_add(r, "\"ncpus\":%llu", (unsigned long long)get_nprocs());
	control_add_string(r, "platform", platforms[s->platform]);
	control_add_string(r, "hostname", s->config->hostname);
	kernel_path(s, path, sizeof(path));
	control_add_string(r, "kernel", path);
	build_id(s, id, sizeof(id));
	control_add_string(r, "build_id", id);
	control_add_string(r, "version", HUSK_VERSION);
	return 0;
}

static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* Reopened: a descriptor of its own, so that neither side moves the other's file position. */
int control_ram(struct control_request *r)
{
	bool rw = false;
	int fd;

	control_get_bool(r->json, "rw", &rw);
	fd = reopen(r->s->ram.fd, rw ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return control_fail(r, "RAM cannot be reopened: %s", strerror(errno));
	control_add_fd(r, fd, true);
	control_add(r, "\"ram_size\":%llu", (unsigned long long)r->s->ram.size);
	return 0;
}

int control_kernel(struct control_request *r)
{
	int fd = reopen(r->s->ram.kernel_fd, O_RDONLY);
	char path[4096];

	if (fd < 0)
		return control_fail(r, "the kernel's file cannot be reopened: %s", strerror(errno));
	control_add_fd(r, fd, true);
	kernel_path(r->s, path, sizeof(path));
	control_add_string(r, "kernel", path);
	return 0;
}
