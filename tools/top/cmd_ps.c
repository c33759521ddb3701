// SPDX-License-Identifier: Apache-2.0
// husk ps: one line for each running sandbox.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../bad_option.h"
#include "../client/client.h"
#include "top.h"

static const char help_text[] =
	"Usage: husk ps [OPTIONS] [SANDBOX...]\n\n"
	"Lists the running sandboxes of this user, or those that are named.\n\n"
	"  -a, --all    those of all users (root only)\n"
	"  -q, --quiet  names only\n"
	"      --json   one JSON object for each sandbox, a line each\n"
	"  -h, --help   show this help\n\n"
	"A sandbox that does not answer is listed with what is known of it, and \"-\" for the rest.\n";

struct ps {
	bool all, quiet, json;
};

/* One sandbox's line in the making: what has been learned so far. */
struct row {
	struct client_entry entry;
	struct client c;
	struct client_error error;
	struct client_answer info, stats;
	bool asked, answered, counted, gone;
};

/* All are asked before the first is waited for: one that does not answer costs its patience once. */
static void ask(struct row *r, const struct client_entry *entry)
{
	r->entry = *entry;
	r->asked = !client_open(entry, &r->c, &r->error) && !client_send(&r->c, "{\"cmd\":\"info\"}", &r->error) &&
		   !client_send(&r->c, "{\"cmd\":\"stats\"}", &r->error);
}

static void hear(struct row *r)
{
	struct client_error ignored;

	r->answered = r->asked && !client_receive(&r->c, &r->info, &r->error);
	r->counted = r->answered && !client_receive(&r->c, &r->stats, &ignored);
	r->gone = r->error.gone;
}

static void print_row(struct row *r)
{
	struct json_object *info = r->info.object, *stats = r->stats.object;
	char uptime[32] = "-", tasks[32] = "-", cpu[32] = "-", mem[32] = "-", pid[16] = "-", command[256] = "",
	     note[48] = "";
	uint64_t up = client_number(info, "uptime_ns");
	const char *state = client_string(info, "state");

	if (r->entry.pid)
		snprintf(pid, sizeof(pid), "%d", (int)r->entry.pid);
	if (r->answered) {
		format_time(uptime, sizeof(uptime), up);
		format_size(mem, sizeof(mem), client_number(info, "ram_used"));
		format_argv(command, sizeof(command), info);
	}
	if (r->counted && client_bool(stats, "known")) {
		snprintf(tasks, sizeof(tasks), "%llu", (unsigned long long)client_number(stats, "tasks"));
		if (up)
			snprintf(cpu, sizeof(cpu), "%.1f", 100.0 * client_number(stats, "cpu_ns") / up);
	}
	if (!r->answered)
		strcpy(note, "<does not answer>");
	else if (strcmp(state, "running"))
		snprintf(note, sizeof(note), "%s<%.30s>", *command ? " " : "", state);
	else if (r->counted && !client_bool(stats, "fresh"))
		snprintf(note, sizeof(note), " <kernel does not answer>");
	printf("%-20s %7s %8s %5s %5s %7s %s%s\n", r->entry.name, pid, uptime, tasks, cpu, mem, command, note);
}

/* The members of both answers in one object. */
static void print_json(struct row *r)
{
	struct json_object *o = json_object_new_object(), *parts[] = {r->info.object, r->stats.object};

	json_object_object_add(o, "name", json_object_new_string(r->entry.name));
	json_object_object_add(o, "uid", json_object_new_int64(r->entry.uid));
	json_object_object_add(o, "pid", r->entry.pid ? json_object_new_int64(r->entry.pid) : NULL);
	json_object_object_add(o, "answers", json_object_new_boolean(r->answered));
	for (size_t i = 0; i < 2; i++) {
		if (!parts[i])
			continue;
		json_object_object_foreach(parts[i], key, value) if (strcmp(key, "ok") && strcmp(key, "name") &&
								     strcmp(key, "pid") && strcmp(key, "uid"))
			json_object_object_add(o, key, json_object_get(value));
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void print_rows(const struct ps *p, struct row *rows, size_t n)
{
	if (!p->json && !p->quiet)
		printf("%-20s %7s %8s %5s %5s %7s %s\n", "NAME", "PID", "UPTIME", "TASKS", "CPU%", "MEM", "COMMAND");
	for (size_t i = 0; i < n; i++) {
		if (rows[i].gone)
			continue;
		if (p->quiet)
			puts(rows[i].entry.name);
		else if (p->json)
			print_json(&rows[i]);
		else
			print_row(&rows[i]);
	}
}

/* One that ended while it was asked is no running sandbox any more. */
static int show(const struct ps *p, const struct client_entry *list, size_t n)
{
	struct row *rows = calloc(n ? n : 1, sizeof(*rows));

	if (!rows) {
		fputs("husk ps: out of memory\n", stderr);
		return EXIT_HUSK;
	}
	for (size_t i = 0; i < n; i++) {
		rows[i].entry = list[i];
		if (!p->quiet)
			ask(&rows[i], &list[i]);
	}
	for (size_t i = 0; i < n; i++)
		hear(&rows[i]);
	print_rows(p, rows, n);
	for (size_t i = 0; i < n; i++) {
		client_answer_free(&rows[i].info);
		client_answer_free(&rows[i].stats);
		client_close(&rows[i].c);
	}
	free(rows);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fputs("husk ps: cannot write to standard output\n", stderr);
	return EXIT_HUSK;
}

/* The named ones of those that run; 0, or -1 when one is not there. */
static int pick(char **words, int nwords, struct client_entry **list, size_t *n)
{
	struct client_error e;

	*list = calloc(nwords, sizeof(**list));
	*n = 0;
	if (!*list) {
		fputs("husk ps: out of memory\n", stderr);
		return -1;
	}
	for (int i = 0; i < nwords; i++) {
		if (client_resolve(words[i], &(*list)[(*n)++], &e)) {
			fprintf(stderr, "husk ps: %s\n", e.text);
			free(*list);
			return -1;
		}
	}
	return 0;
}

int cmd_ps(int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"quiet", no_argument, NULL, 'q'},
						{"json", no_argument, NULL, 'j'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	struct client_entry *list;
	struct client_error e;
	struct ps p = {false};
	size_t n;
	int opt, rc;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":aqh", options, NULL)) >= 0) {
		switch (opt) {
		case 'a':
			p.all = true;
			break;
		case 'q':
			p.quiet = true;
			break;
		case 'j':
			p.json = true;
			break;
		case 'h':
			return fputs(help_text, stdout) < 0 || fflush(stdout) ? EXIT_HUSK : 0;
		default:
			fprintf(stderr, "husk ps: %s; see \"husk ps --help\"\n", bad_option_text(opt, argv));
			return EXIT_HUSK;
		}
	}
	if (optind < argc) {
		if (pick(argv + optind, argc - optind, &list, &n))
			return 1;
	} else if (client_list(p.all, &list, &n, &e)) {
		fprintf(stderr, "husk ps: %s\n", e.text);
		return EXIT_HUSK;
	}
	rc = show(&p, list, n);
	free(list);
	return rc;
}
