// SPDX-License-Identifier: Apache-2.0
// How a sandbox ended: the message for people, the exit status for programs.

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "mdump.h"
#include "run.h"

#define EXIT_CRASH 70
#define EXIT_TIMEOUT 124
#define REPLAY_LINES 60 /* a report has about 30 */

/* Words of the boot page are the guest kernel's: each is read once. */
#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

/* Why ENOEXEC or EACCES, from a look at the file in the shared root; a hint only: the guest may see another file there. */
static const char *why_not(struct sandbox *s, const char *path, int err)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_IN_ROOT};
	const char *why = NULL;
	struct stat st;
	Elf64_Ehdr eh;
	int fd = -1;

	if (path[0] == '/')
		fd = syscall(SYS_openat2, s->share[0].fd, path, &how, sizeof(how));
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode))
		why = "it is a directory";
	else if (err == EACCES && !(st.st_mode & 0111))
		why = "it is not executable (chmod +x)";
	else if (err == ENOEXEC && read(fd, &eh, sizeof(eh)) == sizeof(eh) && !memcmp(eh.e_ident, ELFMAG, SELFMAG) &&
		 (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64))
		why = "it is a program for another architecture; husk runs x86-64 programs";
	close(fd);
	return why;
}

static int exec_failed(struct sandbox *s, int err)
{
	const char *path = s->config->argv[0], *why = NULL;
	int status = err == ENOENT || err == ENOTDIR ? 127 : 126;

	if (err == ENOENT && !strchr(path, '/'))
		why = *path ? "there is no such program in the PATH" : "its name is empty";
	else if (err == ENOEXEC || err == EACCES || err == EISDIR)
		why = why_not(s, path, err);
	if (!why && err == ENOEXEC)
		why = "it is neither an x86-64 program nor a script with #!";
	if (!why && err == EACCES)
		why = "permission denied: it, or a directory on the way, is not executable for the user";
	if (!why && err == EFAULT)
		why = "it is damaged: the file ends too early";
	if (err == EAGAIN || err == EMFILE) { /* the host's limits: nothing of the guest's runs yet */
		why = err == EAGAIN ? "the host allows no more processes; see ulimit -u"
				    : "the host allows no more open files; see ulimit -n";
		status = 125;
	}
	if (!why && err == ENOENT)
		why = "No such file or directory: it, or the interpreter that it names";
	say("cannot run %s: %s", path, why ?: strerror(err));
	return status;
}

static void clean_text(char *to, const char *from, size_t n)
{
	size_t i;

	for (i = 0; i < n - 1; i++) {
		unsigned char c = *(volatile const char *)(from + i);

		if (!c || c == '\n')
			break;
		to[i] = c >= 32 && c < 127 ? c : '?';
	}
	to[i] = 0;
}

/* A host process of the sandbox was killed: is it known why? */
static void say_oom(void)
{
	uint64_t n = limits_oom_kills();

	if (n)
		say("the host has killed %llu process%s of this control group for want of memory: that is the likely "
		    "cause",
		    (unsigned long long)n, n == 1 ? "" : "es");
}

/* The host counts each process of the jail for itself. */
static void say_cpu_limit(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_CPU, &l) && l.rlim_max != RLIM_INFINITY)
		say("the host's limit on CPU time (ulimit -t) is %llu s a process: that is the likely cause",
		    (unsigned long long)l.rlim_max);
}

static int panicked(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	char msg[sizeof(b->panic_msg)];

	clean_text(msg, b->panic_msg, sizeof(msg));
	say("kernel panic: %s", *msg ? msg : "no message");
	if (strstr(msg, "killed by host signal 9")) {
		say_oom();
		say_cpu_limit();
	}
	log_replay(s->log, REPLAY_LINES);
	mdump_report(s);
	return EXIT_CRASH;
}

static int crashed(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	bool entered = READ(b->phase_ns[HOSTIF_PHASE_ENTRY]);

	if (!entered && WIFEXITED(s->jail_status) && WEXITSTATUS(s->jail_status) == 125)
		return 125; /* it said why */
	if (!s->jail_dead)
		say("the sandbox crashed: %s",
		    *mdump_cause(s) ? mdump_cause(s) : "its kernel is in a state that there is not");
	else if (WIFSIGNALED(s->jail_status))
		say("the sandbox crashed: its first host process was killed by signal %d (%s)%s",
		    WTERMSIG(s->jail_status), strsignal(WTERMSIG(s->jail_status)),
		    WTERMSIG(s->jail_status) == SIGKILL ? "; by somebody, or for want of memory on the host" : "");
	else
		say("the sandbox crashed: its first host process ended with status %d", WEXITSTATUS(s->jail_status));
	if (s->jail_dead && WIFSIGNALED(s->jail_status) && WTERMSIG(s->jail_status) == SIGKILL)
		say_oom();
	log_replay(s->log, REPLAY_LINES);
	mdump_report(s);
	return EXIT_CRASH;
}

int report_end(struct sandbox *s)
{
	struct hostif_boot *b = ram_boot(&s->ram);
	uint32_t state = READ(b->state), status = READ(b->exit_status), err = READ(b->exec_errno);

	if (state == HOSTIF_PANIC)
		return panicked(s);
	if (s->timed_out) {
		say("the time limit of %g seconds is over", s->config->timeout_ns / 1e9);
		return EXIT_TIMEOUT;
	}
	if (s->killed_by) {
		say("ended by force on signal %d (%s)", s->killed_by, strsignal(s->killed_by));
		return 128 + s->killed_by;
	}
	if (state != HOSTIF_EXITED)
		return crashed(s);
	if (err)
		return exec_failed(s, err < 4096 ? err : EIO);
	if ((status & 0x7f) == 0)
		return (status >> 8) & 0xff;
	return 128 + (status & 0x7f);
}

static void phase_line(const char *who, const char *name, uint64_t *from, uint64_t to)
{
	if (!to || to < *from)
		return;
	fprintf(stderr, "husk: boot-time: %8.3f ms  %s %s\n", (to - *from) / 1e6, who, name);
	*from = to;
}

/* Milliseconds of each phase. The kernel's own are its word for it. */
void report_boot_time(struct sandbox *s)
{
	static const char *const monitor[] = {"options", "memory",	  "jail started",   "kernel image", "devices",
					      "threads", "program ended", "output drained", "jail gone"};
	static const char *const kernel[] = {"entry", "memory", "vfs", "root", "exec", "first user code"};
	struct hostif_boot *b = ram_boot(&s->ram);
	uint64_t start = s->config->start_ns, at = start, user = 0;

	for (unsigned i = 0; i <= PH_THREADS; i++)
		phase_line("monitor:", monitor[i], &at, s->phase[i]);
	at = s->phase[PH_THREADS];
	for (unsigned i = 0; i < sizeof(kernel) / sizeof(*kernel); i++) {
		uint64_t t = READ(b->phase_ns[i]);

		if (t < at || t > s->phase[PH_ENDED])
			continue;
		user = t;
		phase_line("kernel: ", kernel[i], &at, t);
	}
	if (user)
		fprintf(stderr, "husk: boot-time: %8.3f ms  from the command to the kernel's last phase\n",
			(user - start) / 1e6);
	for (unsigned i = PH_ENDED; i < PH_COUNT; i++)
		phase_line("monitor:", monitor[i], &at, s->phase[i]);
	fprintf(stderr, "husk: boot-time: %8.3f ms  in all\n", (clock_ns() - start) / 1e6);
}
