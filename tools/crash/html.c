// SPDX-License-Identifier: Apache-2.0
// The report: one web page with all that a first look at a dump wants, nothing outside of it.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crash.h"
#include "picture.h"

static const char style[] =
	"body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 "
	"1em;color:#1b1f24;background:#fff}"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #d0d7de}"
	"pre{font:12px/1.4 ui-monospace,monospace;background:#f6f8fa;padding:.8em;overflow:auto;border-radius:6px}"
	".cause{background:#ffebe9;border:1px solid #ff8182;border-radius:6px;padding:.8em 1em;font-weight:600}"
	".well{background:#dafbe1;border-color:#4ac26b}.lost{background:#fff8c5;border-color:#d4a72c}"
	"table{border-collapse:collapse;font-size:13px}td,th{padding:.15em .8em .15em "
	"0;text-align:left;vertical-align:top}"
	"th{color:#57606a;font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}"
	"details{margin:.2em 0}summary{cursor:pointer}summary code{color:#57606a}.crashed "
	"summary{color:#cf222e;font-weight:600}"
	"svg{max-width:100%;height:auto}nav a{margin-right:1.2em}"
	"@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#161b22}h2{border-"
	"color:#30363d}"
	".cause{background:#4b1113;border-color:#8e1519}.well{background:#0f2d16;border-color:#238636}.lost{background:"
	"#3b2e04;"
	"border-color:#9e6a03}svg text{fill:#e6edf3}a{color:#58a6ff}}";

void html_escape(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else
			fputc(*s, f);
	}
}

/* What a command prints, as text; free it. */
static char *capture(int (*fn)(int, char **), char *a0, char *a1, char *a2)
{
	char *args[] = {a0, a1, a2, NULL}, *s = NULL;
	FILE *was = out;
	size_t n;

	out = open_memstream(&s, &n);
	if (!out)
		abort();
	fn(a2 ? 3 : a1 ? 2 : 1, args);
	fclose(out);
	out = was;
	read_faults = 0;
	return s;
}

static void pre(FILE *f, char *s)
{
	fputs("<pre>", f);
	html_escape(f, s);
	fputs("</pre>\n", f);
	free(s);
}

static void section(FILE *f, const char *id, const char *title)
{
	fprintf(f, "<h2 id=\"%s\">%s</h2>\n", id, title);
}

static void head(FILE *f)
{
	char name[256] = "husk", cause[512];

	if (core.has_info)
		printable(name, sizeof(name), core.info.sandbox, strlen(core.info.sandbox));
	crash_cause(cause, sizeof(cause));
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>\n<title>",
	      f);
	html_escape(f, name);
	fprintf(f, ": %s</title>\n<style>%s</style></head>\n<body>\n<h1>", live ? "a look inside" : "crash report",
		style);
	html_escape(f, name);
	fputs("</h1>\n", f);
	fprintf(f, "<p class=\"cause%s\">", *cause ? "" : " well");
	html_escape(f, *cause ? cause : "The sandbox was running: no crash.");
	fputs("</p>\n<nav><a href=\"#system\">System</a><a href=\"#task\">Task</a><a href=\"#log\">Log</a>"
	      "<a href=\"#tasks\">Tasks</a><a href=\"#memory\">Memory</a><a href=\"#space\">Address space</a>"
	      "<a href=\"#locks\">Locks</a><a href=\"#mounts\">Mounts</a></nav>\n",
	      f);
}

static void task_part(FILE *f)
{
	char pid[32];

	if (!current)
		return;
	section(f, "task", panic_task() ? "The task that crashed" : "The current task");
	snprintf(pid, sizeof(pid), "%lld", (long long)current->pid);
	pre(f, capture(cmd_bt, "bt", "-l", pid));
	pre(f, capture(cmd_files, "files", pid, NULL));
}

static void tasks_part(FILE *f)
{
	section(f, "tasks", "Tasks");
	pre(f, capture(cmd_ps, "ps", NULL, NULL));
	fputs("<p>Each with its backtrace:</p>\n", f);
	for (size_t i = 0; i < ntasks && i < 5000 && !interrupted; i++) {
		char pid[32];

		snprintf(pid, sizeof(pid), "%llx", (unsigned long long)tasks[i].addr);
		fprintf(f, "<details%s><summary>%lld ", &tasks[i] == panic_task() ? " class=\"crashed\"" : "",
			(long long)tasks[i].pid);
		html_escape(f, tasks[i].comm);
		fprintf(f, " <code>%s</code></summary>", task_state(&tasks[i]));
		pre(f, capture(cmd_bt, "bt", "-l", pid));
		fputs("</details>\n", f);
	}
}

static void body(FILE *f)
{
	head(f);
	section(f, "system", "System");
	pre(f, capture(cmd_sys, "sys", NULL, NULL));
	task_part(f);
	section(f, "log", "Kernel log");
	pre(f, capture(cmd_log, "log", NULL, NULL));
	tasks_part(f);
	section(f, "memory", "What RAM is used for");
	picture_ram(f);
	pre(f, capture(cmd_kmem, "kmem", "-i", NULL));
	if (current && current->mm) {
		section(f, "space", "The task's address space");
		picture_space(f, current);
	}
	section(f, "locks", "Locks");
	pre(f, capture(cmd_locks, "locks", NULL, NULL));
	section(f, "mounts", "Mounts");
	pre(f, capture(cmd_mount, "mount", NULL, NULL));
	section(f, "slabs", "Object caches");
	pre(f, capture(cmd_kmem, "kmem", "-s", NULL));
	fprintf(f, "<p>Written by husk crash from %s</p>\n</body></html>\n", live ? "a running sandbox" : "a dump");
}

int html_report(const char *path)
{
	FILE *f = fopen(path, "we");
	struct stat st;
	bool bad;

	if (!f) {
		complain("cannot create %s: %s", path, strerror(errno));
		return -1;
	}
	out_json = false;
	body(f);
	bad = ferror(f) | fclose(f);
	if (bad || interrupted) {
		complain("cannot write %s: %s", path, interrupted ? "interrupted" : strerror(errno));
		if (!lstat(path, &st) && S_ISREG(st.st_mode)) /* not a device that was named */
			unlink(path);
		return -1;
	}
	return 0;
}
