// SPDX-License-Identifier: Apache-2.0
// sys, log: the system as a whole, why it ended, and what it said.

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "crash.h"

#define BOOT(m) FIELD(kernel_layout.direct_map, hostif_boot, m)
#define BOOT_ADDR(m) FIELD_ADDR(kernel_layout.direct_map, hostif_boot, m)
#define MAX_LOG (64u << 20)

/**
 * crash_cause - one line that says why the sandbox ended; empty when it runs
 */
void crash_cause(char *buf, size_t n)
{
	static const char *const reasons[MDUMP_REASONS] = {"", "panic", "the kernel made no progress",
							   "its processes were killed", "asked for by husk dump"};
	char msg[300] = "";

	*buf = 0;
	if (BOOT(state) == HOSTIF_PANIC)
		kstring(BOOT_ADDR(panic_msg), msg, sizeof(msg));
	if (*msg)
		snprintf(buf, n, "kernel panic: %s", msg);
	else if (core.has_info && *core.info.cause)
		printable(buf, n, core.info.cause, strlen(core.info.cause));
	else if (core.has_info && core.info.reason < MDUMP_REASONS)
		snprintf(buf, n, "%s", reasons[core.info.reason]);
}

static void show_lost(void)
{
	static const char *const what[] = {
		"registers of some tasks",
		"some tasks: there were more than memory for them",
		"the task list: tasks were found by their kernel stacks",
		"the page array: nothing was filtered by type",
		"bytes that were not written",
		"the end of the log",
		"fine filtering, for want of memory",
		"the instant: some threads may have run while it was written",
		"compression, for want of memory",
	};

	list("lost");
	for (unsigned i = 0; core.has_info && i < sizeof(what) / sizeof(*what); i++)
		if (core.info.lost >> i & 1)
			f_str(NULL, "      LOST: %s\n", what[i]);
	if (core.has_info && !core.info.complete)
		f_str(NULL, "      LOST: %s\n", "the end of the dump: it was not finished");
	if (core.truncated)
		f_str(NULL, "      LOST: %s\n", "the end of the file: it was cut short");
	end();
}

static void show_time(const char *name, const char *head, u64 ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	char when[64];

	if (!ns || !gmtime_r(&s, &tm))
		return;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	text("%10s: ", head);
	f_str(name, "%s\n", when);
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static void show_uptime(u64 start, u64 when)
{
	u64 s = when > start ? (when - start) / 1000000000 : 0;

	if (start && when > start) {
		text("    UPTIME: %llu:%02llu:%02llu\n", (unsigned long long)(s / 3600),
		     (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
		f_double("uptime", NULL, (double)(when - start) / 1e9);
	}
}

static size_t programs(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ntasks; i++)
		n += tasks[i].pid && !(tasks[i].flags & PF_KTHREAD);
	return n;
}

int cmd_sys(int argc, char **argv)
{
	static const char *const states[] = {"starting", "running", "ended", "panic"};
	char s[512];
	u64 state = BOOT(state), when = live ? now_ns() : core.has_info ? core.info.time_ns : 0;
	const struct task *p = panic_task();

	f_str("kernel", "    KERNEL: %s\n", kernel_path);
	f_str("build_id", "  BUILD ID: %s\n", kernel_build_id);
	snprintf(s, sizeof(s), "%.400s (%s)", core.path, core.format);
	f_str("dump", "      DUMP: %s\n", s);
	if (core.has_info) {
		printable(s, sizeof(s), core.info.sandbox, strlen(core.info.sandbox));
		f_str("sandbox", "   SANDBOX: %s\n", s);
		f_uint("level", "     LEVEL: %llu\n", core.info.level);
	}
	show_lost();
	show_time("date", "DATE", when);
	show_uptime(BOOT(boot_realtime_ns), when);
	kstring(BOOT_ADDR(hostname), s, sizeof(s));
	f_str("nodename", "  NODENAME: %s\n", s);
	if (!core_info("OSRELEASE", s, sizeof(s)))
		f_str("release", "   RELEASE: %s\n", s);
	f_uint("cpus", "      CPUS: %llu\n", BOOT(host_ncpus));
	f_uint("memory_kb", NULL, core.ram_size / 1024);
	text("    MEMORY: %llu MiB\n", (unsigned long long)core.ram_size >> 20);
	f_uint("tasks", "     TASKS: %llu", ntasks);
	f_uint("programs", " (%llu of programs)\n", programs());
	f_str("state", "     STATE: %s\n", state < 4 ? states[state] : "unknown");
	crash_cause(s, sizeof(s));
	f_str("cause", *s ? "     CAUSE: %s\n" : NULL, *s ? s : NULL);
	if (p) {
		f_int("pid", "       PID: %lld\n", p->pid);
		f_str("comm", "   COMMAND: \"%s\"\n", p->comm);
		f_hex("task", "      TASK: %llx\n", p->addr);
	} else if (current) {
		text("       PID: %lld\n   COMMAND: \"%s\"\n      TASK: %llx\n", (long long)current->pid, current->comm,
		     (unsigned long long)current->addr);
	}
	return 0;
}

/* ---- log ---- */

static char *read_log(size_t *len)
{
	u64 phys = BOOT(log_phys), size = BOOT(log_size), head = BOOT(log_head), from;
	char *ring, *text_;
	int r;

	if (core.has_info && core.info.log_size) { /* as the monitor placed it, before anybody could scribble */
		phys = core.info.log_phys;
		size = core.info.log_size;
		head = core.info.lost & MDUMP_LOST_LOG ? size : core.info.log_head ?: head;
	}
	if (!size || size & (size - 1) || size > MAX_LOG) {
		complain("the log's place in memory makes no sense");
		return NULL;
	}
	ring = malloc(size);
	text_ = malloc(size + 1);
	if (!ring || !text_)
		abort();
	r = core_read_phys(phys, ring, size);
	if (r != READ_OK) {
		complain("cannot read the log: %s", read_error(r));
		free(ring);
		free(text_);
		return NULL;
	}
	from = head > size ? head - size : 0;
	*len = head - from;
	for (size_t i = 0; i < *len; i++)
		text_[i] = ring[(from + i) & (size - 1)];
	text_[*len] = 0;
	free(ring);
	return text_;
}

/* "<3>[    1.234567] text" */
static void log_line(char *line, size_t n, bool no_time, int max_level)
{
	char safe[4096];
	int level = n > 3 && line[0] == '<' && line[2] == '>' ? line[1] - '0' : -1;
	char *body = level >= 0 ? line + 3 : line, *close = memchr(body, ']', n - (size_t)(body - line));
	double when = *body == '[' && close ? atof(body + 1) : -1;

	if (level > max_level && level >= 0)
		return;
	if (when >= 0 && (no_time || out_json))
		body = close[1] == ' ' ? close + 2 : close + 1;
	printable(safe, sizeof(safe), body, n - (size_t)(body - line));
	obj(NULL);
	if (level >= 0)
		f_int("level", NULL, level);
	if (when >= 0)
		f_double("time", NULL, when);
	f_str("text", "%s\n", safe);
	end();
}

int cmd_log(int argc, char **argv)
{
	bool no_time = false;
	u64 level = 7;
	size_t n;
	char *log, *p;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-t"))
			no_time = true;
		else if (strcmp(argv[i], "-l") || ++i == argc || !parse_count(argv[i], &level))
			return usage("log");
	}
	log = read_log(&n);
	if (!log)
		return -1;
	p = log;
	list("lines");
	/* the ring's first line may have lost its beginning */
	while (p < log + n) {
		char *nl = memchr(p, '\n', n - (size_t)(p - log));
		size_t len = nl ? (size_t)(nl - p) : n - (size_t)(p - log);

		if (!*p) { /* never written */
			p++;
			continue;
		}
		p[len] = 0;
		if (len)
			log_line(p, len, no_time, (int)level);
		p += len + 1;
	}
	end();
	free(log);
	return 0;
}
