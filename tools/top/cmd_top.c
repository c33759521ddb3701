// SPDX-License-Identifier: Apache-2.0
// husk top: options, and the batch mode for scripts.

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../bad_option.h"
#include "screen.h"
#include "top.h"

static const char help_text[] =
	"Usage: husk top [OPTIONS] [SANDBOX...]\n\n"
	"Watches the running sandboxes, and the tasks of the chosen one: CPU, system calls, faults,\n"
	"switches, bytes read and written, memory. With one SANDBOX it begins with its tasks.\n\n"
	"  -a, --all            sandboxes of all users (root only)\n"
	"  -b, --batch          write tables to standard output, for scripts; with SANDBOX: their tasks\n"
	"  -n, --iterations N   end after N samples (batch mode: default 1)\n"
	"  -d, --delay SECS     between samples (default 1)\n"
	"  -s, --sort KEY       cpu, calls, faults, io, memory, tasks, name or pid\n"
	"  -H, --threads        threads, not processes\n"
	"  -K, --kernel         kernel threads too\n"
	"  -h, --help           show this help\n\n"
	"The first sample's rates are since the start of the sandbox. Keys are shown by the key h.\n";

static int parse_sort(const char *arg, enum row_sort *out)
{
	static const char *const words[NSORTS] = {"cpu", "calls", "faults", "io", "memory", "tasks", "name", "pid"};

	for (unsigned i = 0; i < NSORTS; i++)
		if (*arg && !strncmp(words[i], arg, strlen(arg))) {
			*out = i;
			return 0;
		}
	fprintf(stderr, "husk top: -s is cpu, calls, faults, io, memory, tasks, name or pid, not \"%s\"\n", arg);
	return EXIT_HUSK;
}

static int parse_count(const char *arg, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(arg, &end, 10);
	if (!errno && end != arg && !*end && *out > 0)
		return 0;
	fprintf(stderr, "husk top: -n wants a number from 1 on, not \"%s\"\n", arg);
	return EXIT_HUSK;
}

static int parse_delay(const char *arg, double *out)
{
	char *end;

	*out = strtod(arg, &end);
	if (end != arg && !*end && isfinite(*out) && *out >= 0.05 && *out <= 86400)
		return 0;
	fprintf(stderr, "husk top: -d wants seconds, 0.05 to 86400, not \"%s\"\n", arg);
	return EXIT_HUSK;
}

static int one_option(struct top *t, int opt, const char *arg)
{
	switch (opt) {
	case 'a':
		t->all = true;
		return 0;
	case 'b':
		t->batch = true;
		return 0;
	case 'n':
		return parse_count(arg, &t->iterations);
	case 'd':
		return parse_delay(arg, &t->delay);
	case 's':
		return parse_sort(arg, &t->sort);
	case 'H':
		t->threads = true;
		return 0;
	case 'K':
		t->kernel = true;
		return 0;
	}
	return EXIT_HUSK; /* getopt has said why */
}

/* The names are resolved once: a sandbox that ends is not replaced by one of the same name. */
static int resolve_all(struct top *t, int n, char **words)
{
	struct client_error e;

	t->only = calloc(n ? n : 1, sizeof(*t->only));
	if (!t->only)
		return EXIT_HUSK;
	for (int i = 0; i < n; i++) {
		if (client_resolve(words[i], &t->only[t->nonly++], &e)) {
			fprintf(stderr, "husk top: %s\n", e.text);
			return 1;
		}
	}
	return 0;
}

static void print_sandboxes(struct top *t)
{
	char line[512];
	struct row *rows;
	size_t n = sandbox_rows(&t->views, &rows);

	sort_rows(rows, n, t->sort, t->reverse);
	sandbox_header(line, sizeof(line));
	puts(line);
	for (size_t i = 0; i < n; i++) {
		sandbox_line(&rows[i], line, sizeof(line));
		puts(line);
	}
	free(rows);
}

static void print_tasks(struct top *t, struct view *w)
{
	char line[512];
	struct row *rows;
	size_t n = task_rows(w, t->threads, t->kernel, &rows);

	view_summary(w, line, sizeof(line));
	printf("\n%s\n", line);
	if (*w->note)
		puts(w->note);
	sort_rows(rows, n, t->sort, t->reverse);
	task_header(line, sizeof(line));
	puts(line);
	for (size_t i = 0; i < n; i++) {
		task_line(&rows[i], line, sizeof(line));
		puts(line);
	}
	if (w->tasks.more)
		printf("and %u more tasks\n", w->tasks.more);
	free(rows);
}

static void pause_for(double seconds)
{
	struct timespec ts = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* top_update: a sample of what is watched. @tasks_of: the one whose tasks are wanted, or NULL: those that were named */
int top_update(struct top *t, const struct client_entry *tasks_of, struct client_error *e)
{
	for (size_t i = 0; i < t->views.n; i++)
		t->views.view[i]->want_tasks = false;
	if (tasks_of) {
		struct view *w = views_find(&t->views, tasks_of);

		if (w)
			w->want_tasks = true;
	}
	return views_update(&t->views, t->all, t->only, t->nonly, e);
}

static int batch(struct top *t)
{
	struct client_error e;
	long count = t->iterations ?: 1;

	for (long i = 0; i < count; i++) {
		if (i) {
			pause_for(t->delay);
			putchar('\n');
		}
		t->views.all_tasks = t->nonly > 0;
		if (views_update(&t->views, t->all, t->only, t->nonly, &e)) {
			fprintf(stderr, "husk top: %s\n", e.text);
			return EXIT_HUSK;
		}
		print_sandboxes(t);
		for (size_t k = 0; k < t->views.n && t->nonly; k++)
			print_tasks(t, t->views.view[k]);
		if (fflush(stdout) || ferror(stdout)) {
			fputs("husk top: cannot write to standard output\n", stderr);
			return EXIT_HUSK;
		}
		if (t->nonly && !t->views.n)
			break; /* they have ended */
	}
	return 0;
}

int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"batch", no_argument, NULL, 'b'},
						{"iterations", required_argument, NULL, 'n'},
						{"delay", required_argument, NULL, 'd'},
						{"sort", required_argument, NULL, 's'},
						{"threads", no_argument, NULL, 'H'},
						{"kernel", no_argument, NULL, 'K'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	static struct top t = {.delay = 1};
	int opt, rc;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":abn:d:s:HKh", options, NULL)) >= 0) {
		if (opt == 'h')
			return fputs(help_text, stdout) < 0 || fflush(stdout) ? EXIT_HUSK : 0;
		if (opt == ':' || opt == '?') {
			fprintf(stderr, "husk top: %s; see \"husk top --help\"\n", bad_option_text(opt, argv));
			return EXIT_HUSK;
		}
		rc = one_option(&t, opt, optarg);
		if (rc)
			return rc;
	}
	rc = resolve_all(&t, argc - optind, argv + optind);
	if (rc)
		return rc;
	if (t.batch)
		rc = batch(&t);
	else if (!isatty(0) || !isatty(1)) {
		fputs("husk top: standard input and output must be a terminal; for a script use -b\n", stderr);
		rc = EXIT_HUSK;
	} else {
		rc = screen(&t);
	}
	views_free(&t.views);
	free(t.only);
	return rc;
}
