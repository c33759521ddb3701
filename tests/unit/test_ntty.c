// SPDX-License-Identifier: Apache-2.0
/*
 * The line discipline alone: editing, echo, canonical and raw reading, signals, overflow. Compiled as the kernel is and
 * linked with libc; nothing here ever sleeps, so there is no current task.
 */
#include <husk/tty.h>

#pragma GCC visibility push(default) /* libc's */
int printf(const char *fmt, ...) __printf(1, 2);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void free(void *p);
void abort(void) __noreturn;
#pragma GCC visibility pop

static struct tty_struct *tty;
static struct file file;
static struct tty_file tty_file;
static char out[1 << 20];
static size_t out_len, out_room = sizeof(out);
static int last_sig, failures;

/* ---- what the line discipline calls ---- */
void __wake_up(wait_queue_head_t *q, unsigned m, int n, void *k)
{
}
void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *e, unsigned s)
{
}
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *e)
{
}
void init_waitqueue_entry(struct wait_queue_entry *e, struct task_struct *t)
{
}
int autoremove_wake_function(struct wait_queue_entry *e, unsigned m, int s, void *k)
{
	return 1;
}
int signal_pending_state(unsigned s, struct task_struct *t)
{
	return 1;
} /* nothing ever sleeps here */
s64 schedule_timeout(s64 ns)
{
	return 0;
}
void __lock_slow(spinlock_t *l)
{
	abort();
}
void __unlock_slow(spinlock_t *l)
{
	abort();
}
void *kmalloc(size_t n, gfp_t g)
{
	return malloc(n);
}
void kfree(const void *p)
{
	free((void *)p);
}
void tty_signal_pgrp(struct tty_struct *t, int s)
{
	last_sig = s;
}
void tty_start(struct tty_struct *t)
{
	t->stopped = false;
}
void tty_stop(struct tty_struct *t)
{
	t->stopped = true;
}
void tty_packet_event(struct tty_struct *t, u8 set, u8 clear)
{
}
int tty_check_change(struct tty_struct *t, int s)
{
	return 0;
}
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i)
{
	memcpy((char *)i->ubuf + i->iov_offset, from, n);
	i->iov_offset += n;
	i->count -= n;
	return n;
}
u32 tty_ring_put(struct tty_ring *r, const u8 *p, u32 n)
{
	n = min(n, tty_ring_room(r));
	for (u32 i = 0; i < n; i++)
		r->buf[(r->head + i) & (r->size - 1)] = p[i];
	r->head += n;
	return n;
}
u32 tty_ring_peek(struct tty_ring *r, u8 **p)
{
	u32 at = r->tail & (r->size - 1);

	*p = r->buf + at;
	return min(tty_ring_used(r), r->size - at);
}

static size_t drv_write(struct tty_struct *t, const u8 *b, size_t n)
{
	n = min(n, out_room - out_len);
	memcpy(out + out_len, b, n);
	out_len += n;
	return n;
}
static size_t drv_room(struct tty_struct *t)
{
	return out_room - out_len;
}
static const struct tty_operations ops = {.write = drv_write, .write_room = drv_room};
static const struct tty_driver driver = {.name = "test", .ops = &ops};

static const struct ktermios cooked = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = {[VINTR] = 3,
		 [VQUIT] = 28,
		 [VERASE] = 127,
		 [VKILL] = 21,
		 [VEOF] = 4,
		 [VMIN] = 1,
		 [VSTART] = 17,
		 [VSTOP] = 19,
		 [VSUSP] = 26,
		 [VREPRINT] = 18,
		 [VWERASE] = 23,
		 [VLNEXT] = 22},
};

static void fresh(void)
{
	if (tty)
		n_tty_free(tty);
	free(tty);
	tty = calloc(1, sizeof(*tty));
	tty->driver = &driver;
	tty->ops = &ops;
	tty->pgrp = 1;
	tty->termios = cooked;
	n_tty_init(tty);
	tty_file = (struct tty_file){.tty = tty};
	file = (struct file){.private_data = &tty_file, .f_flags = O_NONBLOCK};
	out_len = 0;
	out_room = sizeof(out);
	last_sig = 0;
}

static void settings(u32 iflag, u32 oflag, u32 lflag)
{
	struct ktermios old = tty->termios;

	tty->termios.c_iflag = iflag;
	tty->termios.c_oflag = oflag;
	tty->termios.c_lflag = lflag;
	n_tty_termios_changed(tty, &old);
}

static void in(const char *s)
{
	tty_receive(tty, (const u8 *)s, strlen(s));
}

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	failures++;
	printf("FAIL %s; output so far: \"", what);
	for (size_t i = 0; i < out_len && i < 200; i++)
		printf("%c", out[i] >= 32 && out[i] < 127 ? out[i] : '.');
	printf("\"\n");
}

static void reads(size_t n, const char *want, const char *what)
{
	char buf[70000];
	struct iov_iter it = {.ubuf = buf, .count = n};
	ssize_t r = n_tty_read(tty, &file, &it);
	bool ok = want ? r == (ssize_t)strlen(want) && !memcmp(buf, want, r) : r == -EAGAIN;

	if (!ok)
		printf("     read gave %zd: %.*s\n", r, r > 0 ? (int)r : 0, buf);
	check(ok, what);
}

static void echoed(const char *want, const char *what)
{
	check(out_len == strlen(want) && !memcmp(out, want, out_len), what);
	out_len = 0;
}

static void test_lines(void)
{
	fresh();
	in("ab");
	reads(10, NULL, "half a line is not read");
	echoed("ab", "echo of typing");
	in("c\rsecond\n");
	echoed("c\r\nsecond\r\n", "CR becomes NL, echoed as CR NL");
	reads(2, "ab", "a short read takes the start");
	reads(10, "c\n", "and the next the rest");
	reads(100, "second\n", "one line a read");
	in("x\004");
	reads(10, "x", "^D ends a line without NL");
	in("\004");
	reads(10, "", "^D alone is end of file");
	in("abc\004");
	reads(3, "abc", "a read of just the bytes takes the ^D too");
	reads(10, NULL, "so there is no end of file behind it");
}

static void test_editing(void)
{
	fresh();
	in("abx\177c\n");
	echoed("abx\b \bc\r\n", "erase wipes one");
	reads(10, "abc\n", "erase");
	in("one two  \027three\n");
	echoed("one two  \b \b\b \b\b \b\b \b\b \bthree\r\n", "word erase");
	reads(20, "one three\n", "word erase takes blanks and a word");
	in("junk\025ok\n");
	echoed("junk\b \b\b \b\b \b\b \bok\r\n", "kill");
	reads(20, "ok\n", "kill");
	in("\001\177z\n");
	echoed("^A\b \b\b \bz\r\n", "a control character takes two places");
	reads(20, "z\n", "erase of a control character");
	in("a\t\177b\n");
	echoed("a\t\b\b\b\b\b\b\bb\r\n", "a tab is erased to where it began");
	reads(20, "ab\n", "erase of a tab");
	in("\026\003\n");
	echoed("^\b^C\r\n", "literal next");
	reads(20, "\003\n", "literal next");
	check(!last_sig, "no signal from a quoted character");
	in("ab\022\n");
	echoed("ab^R\r\nab\r\n", "reprint");
	reads(20, "ab\n", "reprint");
	settings(ICRNL | IUTF8, OPOST | ONLCR, cooked.c_lflag);
	in("\303\251\177e\n");
	echoed("\303\251\b \be\r\n", "a UTF-8 character is erased whole");
	reads(20, "e\n", "erase of a UTF-8 character");
}

static void test_signals(void)
{
	fresh();
	in("lost\003new\n");
	check(last_sig == SIGINT, "^C");
	echoed("lost^Cnew\r\n", "echo of ^C");
	reads(20, "new\n", "^C drops what was typed");
	in("\032");
	check(last_sig == SIGTSTP, "^Z");
	in("\034");
	check(last_sig == SIGQUIT, "^\\");
	out_len = 0;
	settings(cooked.c_iflag, cooked.c_oflag, cooked.c_lflag | NOFLSH);
	in("kept\003!\n");
	reads(20, "kept!\n", "NOFLSH");
}

static void test_flow(void)
{
	fresh();
	in("\023");
	check(tty->stopped, "^S stops");
	in("ab");
	check(out_len == 0, "echo waits while stopped");
	in("\021");
	check(!tty->stopped, "^Q starts");
	echoed("ab", "and then comes");
	in("\n");
	out_len = 0;
	out_room = 3;
	in("abcdef\n");
	check(out_len == 3, "echo fills the driver");
	out_room = sizeof(out);
	n_tty_echo_flush(tty);
	echoed("abcdef\r\n", "echo that had no room is kept");
}

static void test_raw(void)
{
	char big[8192];

	fresh();
	settings(0, 0, 0);
	in("a\rb\003\n");
	check(!last_sig && !out_len, "raw: nothing is special");
	reads(3, "a\rb", "raw read");
	reads(9, "\003\n", "raw read of the rest");
	memset(big, 'x', sizeof(big));
	check(tty_receive(tty, (u8 *)big, sizeof(big)) == sizeof(big), "what the buffer cannot hold waits");
}

static void test_big(void)
{
	char *big = malloc(200000), *got = malloc(200000);
	size_t sent, taken = 0;

	fresh();
	settings(0, 0, 0);
	for (int i = 0; i < 200000; i++)
		big[i] = i * 31 >> 3;
	sent = tty_receive(tty, (u8 *)big, 200000);
	check(sent == 4095 + 65536, "buffer and queue are full");
	while (taken < 200000) {
		struct iov_iter it = {.ubuf = got + taken, .count = 1000};
		ssize_t r = n_tty_read(tty, &file, &it);

		if (r <= 0)
			break;
		taken += r;
		sent += tty_receive(tty, (u8 *)big + sent, 200000 - sent);
	}
	check(taken == 200000 && !memcmp(big, got, taken), "200 kB pass unharmed");
	free(big);
	free(got);
}

static void test_overflow(void)
{
	char line[6000], got[6000];
	struct iov_iter it = {.ubuf = got, .count = sizeof(got)};
	ssize_t r;

	fresh();
	memset(line, 'y', sizeof(line));
	line[5999] = '\n';
	check(tty_receive(tty, (u8 *)line, sizeof(line)) == sizeof(line), "a line too long is taken");
	r = n_tty_read(tty, &file, &it);
	check(r == 4095 && got[4094] == '\n', "and cut to 4095 bytes with its end");
}

static void test_output(void)
{
	fresh();
	check(n_tty_write(tty, &file, (const u8 *)"a\nb\tc", 5) == 5, "write");
	echoed("a\r\nb\tc", "ONLCR");
	settings(ICRNL, OPOST | ONLCR | XTABS, cooked.c_lflag);
	n_tty_write(tty, &file, (const u8 *)"\rab\tc\n", 6);
	echoed("\rab      c\r\n", "XTABS counts columns");
	out_room = 4;
	check(n_tty_write(tty, &file, (const u8 *)"ab\ncd", 5) == 3, "a full driver takes what fits");
	echoed("ab\r\n", "and never half of CR NL");
	out_room = 3;
	check(n_tty_write(tty, &file, (const u8 *)"ab\ncd", 5) == 2, "the pair waits");
	check(n_tty_write(tty, &file, (const u8 *)"\n", 1) == -EAGAIN, "no room at all");
}

static void test_modes(void)
{
	fresh();
	in("half");
	settings(ICRNL, OPOST, 0);
	reads(10, "half", "going raw gives what was typed");
	in("more");
	settings(cooked.c_iflag, cooked.c_oflag, cooked.c_lflag);
	reads(10, "more", "going canonical makes a line of it");
	settings(0, 0, 0);
	tty->termios.c_cc[VMIN] = 0;
	reads(10, "", "VMIN 0, VTIME 0: nothing is an answer");
	tty->termios.c_cc[VMIN] = 3;
	in("ab");
	check(!(n_tty_poll(tty) & EPOLLIN), "poll waits for VMIN");
	in("c");
	check(n_tty_poll(tty) & EPOLLIN, "VMIN is there");
	check(n_tty_inq(tty) == 3, "FIONREAD");
}

int main(void);
int main(void)
{
	test_lines();
	test_editing();
	test_signals();
	test_flow();
	test_raw();
	test_big();
	test_overflow();
	test_output();
	test_modes();
	printf("n_tty: %d failures\n", failures);
	return failures != 0;
}
