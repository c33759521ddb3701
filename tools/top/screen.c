// SPDX-License-Identifier: Apache-2.0
// husk top on a terminal: two tables, a cursor, keys.

#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "screen.h"
#include "top.h"

#define HEAD_LINES 3
#define LINE 512

/**
 * struct ui - what is on the screen
 * @tasks: the tasks of @chosen are shown, else the sandboxes. @cursor, @first: rows; the chosen row is found again after each sample
 * @message: in the second line until the next key
 */
struct ui {
	struct top *t;
	bool tasks, help, quit;
	struct client_entry chosen;
	struct row *rows;
	size_t n, cursor, first;
	uint32_t cursor_pid;
	char message[200];
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = 1;
}

static const char *const help_lines[] = {
	"Up Down PgUp PgDn Home End   move the cursor (also k j)",
	"Enter Right                  the tasks of the sandbox under the cursor",
	"Esc Left Backspace           back to the sandboxes",
	"P C F I M N                  sort by CPU, calls, faults, I/O, memory, name or pid",
	"s r                          next sort key; the other way round",
	"H K                          threads or processes; kernel threads too",
	"x                            send a signal (to a sandbox: to its first process)",
	"d                            seconds between samples",
	"Space                        a sample now",
	"h ?                          this help",
	"q                            quit",
};

static void add_line(int y, const char *text, int attr)
{
	if (y >= LINES)
		return;
	attron(attr);
	mvaddnstr(y, 0, text, COLS);
	for (int x = strlen(text); attr & A_REVERSE && x < COLS; x++)
		addch(' ');
	attroff(attr);
}

static int visible_rows(void)
{
	return LINES > HEAD_LINES + 1 ? LINES - HEAD_LINES - 1 : 1;
}

/* The cursor stays on its row when the order changes, and on the screen. */
static void place_cursor(struct ui *u)
{
	size_t room = visible_rows();

	for (size_t i = 0; i < u->n; i++)
		if (u->cursor_pid && u->rows[i].pid == u->cursor_pid)
			u->cursor = i;
	if (u->cursor >= u->n)
		u->cursor = u->n ? u->n - 1 : 0;
	if (u->first > u->cursor)
		u->first = u->cursor;
	if (u->cursor >= u->first + room)
		u->first = u->cursor - room + 1;
}

static struct view *chosen_view(struct ui *u)
{
	return u->tasks ? views_find(&u->t->views, &u->chosen) : NULL;
}

static void make_rows(struct ui *u)
{
	struct view *w = chosen_view(u);

	free(u->rows);
	u->n = w ? task_rows(w, u->t->threads, u->t->kernel, &u->rows) : sandbox_rows(&u->t->views, &u->rows);
	if (!u->rows)
		u->n = 0;
	sort_rows(u->rows, u->n, u->t->sort, u->t->reverse);
	place_cursor(u);
}

static void draw_head(struct ui *u)
{
	struct view *w = chosen_view(u);
	time_t now = time(NULL);
	char line[LINE], clock[16] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	snprintf(line, sizeof(line), "husk top  %s  %zu sandbox%s, every %g s, sorted by %s%s", clock, u->t->views.n,
		 u->t->views.n == 1 ? "" : "es", u->t->delay, sort_names[u->t->sort],
		 u->t->reverse ? ", reversed" : "");
	add_line(0, line, A_BOLD);
	*line = 0;
	if (*u->message)
		snprintf(line, sizeof(line), "%s", u->message);
	else if (w && *w->note)
		snprintf(line, sizeof(line), "%s: %s", w->entry.name, w->note);
	else if (w)
		view_summary(w, line, sizeof(line));
	else if (!u->t->views.n)
		snprintf(line, sizeof(line), "no sandbox runs");
	add_line(1, line, *u->message ? A_STANDOUT : 0);
	if (w)
		task_header(line, sizeof(line));
	else
		sandbox_header(line, sizeof(line));
	add_line(2, line, A_REVERSE);
}

static void draw(struct ui *u)
{
	char line[LINE];

	erase();
	draw_head(u);
	for (size_t i = u->first; i < u->n && i < u->first + visible_rows(); i++) {
		if (u->tasks)
			task_line(&u->rows[i], line, sizeof(line));
		else
			sandbox_line(&u->rows[i], line, sizeof(line));
		add_line(HEAD_LINES + i - u->first, line, i == u->cursor ? A_STANDOUT : 0);
	}
	if (u->help)
		for (size_t i = 0; i < sizeof(help_lines) / sizeof(*help_lines); i++) {
			move(HEAD_LINES + i, 0);
			clrtoeol();
			add_line(HEAD_LINES + i, help_lines[i], 0);
		}
	if (LINES > HEAD_LINES + 1)
		add_line(LINES - 1,
			 u->tasks ? "q quit  h help  Esc back  s sort  H threads  x signal"
				  : "q quit  h help  Enter tasks  s sort  x signal",
			 A_DIM);
	refresh();
}

static void sample(struct ui *u)
{
	struct client_error e;

	if (top_update(u->t, u->tasks ? &u->chosen : NULL, &e))
		snprintf(u->message, sizeof(u->message), "%.190s", e.text);
	if (u->tasks && !chosen_view(u)) {
		snprintf(u->message, sizeof(u->message), "the sandbox %s has ended", u->chosen.name);
		u->tasks = false;
		u->cursor_pid = 0;
	}
	make_rows(u);
}

/* A line of input in the second line; false if it was left with Esc or is empty. */
static bool prompt(const char *text, char *out, size_t n)
{
	size_t len = 0;
	int c = 0;

	timeout(-1);
	curs_set(1);
	*out = 0;
	while (!ended) {
		move(1, 0);
		clrtoeol();
		mvaddnstr(1, 0, text, COLS);
		addnstr(out, COLS);
		refresh();
		c = getch();
		if (c == 27 || c == '\n' || c == '\r' || c == KEY_ENTER || c == ERR)
			break;
		if ((c == KEY_BACKSPACE || c == 127 || c == 8) && len)
			out[--len] = 0;
		else if (c >= 32 && c < 127 && len + 1 < n) {
			out[len++] = c;
			out[len] = 0;
		}
	}
	curs_set(0);
	return len && c != 27 && c != ERR;
}

/* a number, or a name with or without SIG */
static int parse_signal(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end != s && !*end)
		return n >= 0 && n <= 64 ? (int)n : -1;
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (int i = 1; i < 32; i++)
		if (sigabbrev_np(i) && !strcasecmp(sigabbrev_np(i), s))
			return i;
	return -1;
}

static void send_signal(struct ui *u)
{
	struct row *r = u->cursor < u->n ? &u->rows[u->cursor] : NULL;
	struct client_error e = {0};
	char text[128], answer[16];
	int sig, pid;

	if (!r)
		return;
	pid = u->tasks ? (int)r->pid : 1;
	snprintf(text, sizeof(text), "Signal to %s (%u), as TERM or 9: ", r->name, r->pid);
	if (!prompt(text, answer, sizeof(answer)))
		return;
	sig = parse_signal(answer);
	if (sig < 0)
		snprintf(u->message, sizeof(u->message), "there is no signal \"%s\"", answer);
	else if (view_kill(r->view, pid, sig, &e))
		snprintf(u->message, sizeof(u->message), "%.190s", e.text);
	else
		snprintf(u->message, sizeof(u->message), "signal %d was sent", sig);
	sample(u);
}

static void ask_delay(struct ui *u)
{
	char answer[16], *end;
	double d;

	if (!prompt("Seconds between samples: ", answer, sizeof(answer)))
		return;
	d = strtod(answer, &end);
	if (end == answer || *end || !(d >= 0.05 && d <= 86400))
		snprintf(u->message, sizeof(u->message), "0.05 to 86400 seconds, not \"%s\"", answer);
	else
		u->t->delay = d;
}

static void enter(struct ui *u)
{
	if (u->tasks || u->cursor >= u->n)
		return;
	u->chosen = u->rows[u->cursor].view->entry;
	u->tasks = true;
	u->cursor = u->first = u->cursor_pid = 0;
	sample(u);
}

static void leave(struct ui *u)
{
	if (!u->tasks)
		return;
	u->tasks = false;
	u->cursor = u->first = 0;
	u->cursor_pid = u->chosen.pid;
	sample(u);
}

static void move_cursor(struct ui *u, long by)
{
	long to = (long)u->cursor + by;

	u->cursor = to < 0 ? 0 : to >= (long)u->n ? (u->n ? u->n - 1 : 0) : (size_t)to;
	u->cursor_pid = u->cursor < u->n ? u->rows[u->cursor].pid : 0;
	place_cursor(u);
}

static bool sort_key(struct ui *u, int c)
{
	static const char keys[] = "PCFIMTN";
	const char *at = c > 0 && c < 128 ? strchr(keys, c) : NULL;

	if (c == 's')
		u->t->sort = (u->t->sort + 1) % NSORTS;
	else if (c == 'r')
		u->t->reverse = !u->t->reverse;
	else if (c == 'H')
		u->t->threads = !u->t->threads;
	else if (c == 'K')
		u->t->kernel = !u->t->kernel;
	else if (at)
		u->t->sort = c == 'N' && u->tasks ? SORT_PID : (enum row_sort)(at - keys);
	else
		return false;
	make_rows(u);
	return true;
}

static void key(struct ui *u, int c)
{
	if (c == KEY_RESIZE) {
		place_cursor(u);
		return;
	}
	*u->message = 0;
	if (u->help && c != 'q') {
		u->help = false;
		return;
	}
	if (sort_key(u, c))
		return;
	switch (c) {
	case 'q':
		u->quit = true;
		break;
	case 'h':
	case '?':
		u->help = true;
		break;
	case KEY_UP:
	case 'k':
		move_cursor(u, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_cursor(u, 1);
		break;
	case KEY_PPAGE:
		move_cursor(u, -visible_rows());
		break;
	case KEY_NPAGE:
		move_cursor(u, visible_rows());
		break;
	case KEY_HOME:
		move_cursor(u, -(long)u->n);
		break;
	case KEY_END:
		move_cursor(u, u->n);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
	case KEY_RIGHT:
		enter(u);
		break;
	case 27:
	case KEY_LEFT:
	case KEY_BACKSPACE:
	case 127:
		leave(u);
		break;
	case 'x':
		send_signal(u);
		break;
	case 'd':
		ask_delay(u);
		break;
	case ' ':
		sample(u);
		break;
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void loop(struct ui *u)
{
	int64_t next = now_ms(), left;
	long samples = 0;
	int c, gone = 0;

	while (!u->quit && !ended) {
		if (now_ms() >= next) {
			if (u->t->iterations && samples++ == u->t->iterations)
				return;
			sample(u);
			next = now_ms() + (int64_t)(u->t->delay * 1000);
		}
		draw(u);
		left = next - now_ms();
		timeout(left < 1 ? 1 : left > 60000 ? 60000 : (int)left);
		c = getch();
		if (c != ERR)
			key(u, c);
		/* nothing, and at once: the terminal is gone */
		gone = c == ERR && left > 10 && next - now_ms() > left - 5 ? gone + 1 : 0;
		if (gone > 20)
			return;
	}
}

int screen(struct top *t)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct ui u = {.t = t};
	SCREEN *s;

	setlocale(LC_ALL, "");
	if (t->nonly == 1) {
		u.tasks = true;
		u.chosen = t->only[0];
		views_update(&t->views, t->all, t->only, t->nonly, &(struct client_error){0});
	}
	s = newterm(NULL, stdout, stdin);
	if (!s) {
		fputs("husk top: this terminal is not known (TERM); for plain text use -b\n", stderr);
		return EXIT_HUSK;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	loop(&u);
	endwin();
	delscreen(s);
	free(u.rows);
	return 0;
}
