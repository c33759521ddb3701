// SPDX-License-Identifier: Apache-2.0
// Tests of husk trace's decoders: records made by hand against strace's text, and random records, which must do no harm.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "../../tools/trace/decode.h"

#define AT_CWD ((uint64_t)-100)
#define P 0x1000ull /* user addresses of the tests */
#define Q 0x2000ull
#define MAX_BLOBS 16

static unsigned passed, failed;
static struct decode_options opts;
static struct text line;

/* The call in the making. */
static struct hostif_trace_rec enter, leave;
static struct hostif_trace_blob heads[MAX_BLOBS];
static struct call_blob blobs[MAX_BLOBS];
static struct call now;

static void call(int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	enter = (struct hostif_trace_rec){.type = TRACE_ENTER, .nr = nr, .args = {a, b, c, d, e, f}};
	leave = (struct hostif_trace_rec){.type = TRACE_EXIT, .nr = nr};
	now = (struct call){.nr = nr, .enter = &enter, .blob = blobs};
}
#define CALL(nr, ...)                                                                                                  \
	call(nr, (uint64_t[6]){__VA_ARGS__}[0], (uint64_t[6]){__VA_ARGS__}[1], (uint64_t[6]){__VA_ARGS__}[2],          \
	     (uint64_t[6]){__VA_ARGS__}[3], (uint64_t[6]){__VA_ARGS__}[4], (uint64_t[6]){__VA_ARGS__}[5])

static void add(int kind, uint64_t addr, const void *data, size_t len, size_t want, bool at_exit)
{
	unsigned n = now.nblobs++;
	uint8_t *copy = aligned_alloc(8, (len + 15) & ~7ul);

	memcpy(copy, data, len);
	heads[n] = (struct hostif_trace_blob){.kind = kind, .len = len, .want = want, .addr = addr};
	blobs[n] = (struct call_blob){&heads[n], copy, at_exit};
}
static void before(uint64_t addr, const void *data, size_t len)
{
	add(TRACE_BLOB_MEM, addr, data, len, len, false);
}
static void after(uint64_t addr, const void *data, size_t len)
{
	add(TRACE_BLOB_MEM, addr, data, len, len, true);
}
static void string(uint64_t addr, const char *s)
{
	add(TRACE_BLOB_STR, addr, s, strlen(s) + 1, strlen(s) + 1, false);
}

static void free_blobs(void)
{
	for (unsigned i = 0; i < now.nblobs; i++)
		free((void *)blobs[i].data);
	now.nblobs = 0;
}

static void whole(void)
{
	text_reset(&line);
	decode_enter(&line, &now, &opts);
	if (now.exit)
		decode_exit(&line, &now, &opts);
	text_char(&line, ')');
	decode_result(&line, &now, &opts);
	text_char(&line, 0);
}

static void check(int at, const char *want)
{
	if (!strcmp(line.s, want)) {
		passed++;
	} else {
		printf("FAIL test_decode.c:%d:\n  want %s\n  have %s\n", at, want, line.s);
		failed++;
	}
}

static void returns(int at, int64_t ret, const char *want)
{
	leave.ret = ret;
	now.exit = &leave;
	whole();
	check(at, want);
	free_blobs();
}
#define RETURNS(ret, want) returns(__LINE__, ret, want)

static void test_strings(void)
{
	char s[64];

	CALL(SYS_write, 1, P, 6);
	before(P, "a\n\"\0018\\", 6);
	RETURNS(6, "write(1, \"a\\n\\\"\\18\\\\\", 6) = 6");
	CALL(SYS_write, 1, P, 3);
	before(P, "\0019x", 3);
	RETURNS(3, "write(1, \"\\19x\", 3) = 3");
	memset(s, 'x', sizeof(s));
	CALL(SYS_write, 1, P, 33);
	before(P, s, 32);
	RETURNS(33, "write(1, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..., 33) = 33");
	CALL(SYS_read, 3, P, 100);
	after(P, "abc", 3);
	RETURNS(3, "read(3, \"abc\", 100) = 3");
	CALL(SYS_read, 3, P, 100);
	RETURNS(0, "read(3, \"\", 100) = 0");
	CALL(SYS_read, 3, P, 100);
	RETURNS(3, "read(3, 0x1000, 100) = 3");
	CALL(SYS_read, 3, P, 100);
	RETURNS(-EAGAIN, "read(3, 0x1000, 100) = -1 EAGAIN (Resource temporarily unavailable)");
	CALL(SYS_chdir, P);
	RETURNS(-EFAULT, "chdir(0x1000) = -1 EFAULT (Bad address)");
	CALL(SYS_chdir, 0);
	RETURNS(-EFAULT, "chdir(NULL) = -1 EFAULT (Bad address)");
	opts.string_limit = 2;
	CALL(SYS_removexattr, P, Q);
	string(P, "/path/whole");
	string(Q, "user.x");
	RETURNS(0, "removexattr(\"/path/whole\", \"us\"...) = 0");
	opts.string_limit = 32;
}

static void test_results(void)
{
	CALL(SYS_read, 0, P, 1);
	RETURNS(-512, "read(0, 0x1000, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
	CALL(SYS_pause);
	RETURNS(-514, "pause() = ? ERESTARTNOHAND (To be restarted if no handler)");
	CALL(SYS_vfork);
	RETURNS(-513, "vfork() = ? ERESTARTNOINTR (To be restarted)");
	CALL(SYS_exit_group, 3);
	RETURNS(0, "exit_group(3) = ?");
	CALL(SYS_brk, 0);
	RETURNS(0x555500000000, "brk(NULL) = 0x555500000000");
	CALL(SYS_umask, 022);
	RETURNS(0, "umask(022) = 000");
	CALL(SYS_getpid);
	leave.flags = TRACE_F_INJECTED;
	RETURNS(-EPERM, "getpid() = -1 EPERM (Operation not permitted) (INJECTED)");
	CALL(SYS_getpid);
	RETURNS(-4000, "getpid() = -1 (errno 4000)");
	CALL(SYS_restart_syscall);
	now.restarts = 1 + SYS_clock_nanosleep;
	RETURNS(0, "restart_syscall(<... resuming interrupted clock_nanosleep ...>) = 0");
	CALL(500, 1, 2, 3, 4, 5, 0);
	RETURNS(-ENOSYS, "syscall_0x1f4(0x1, 0x2, 0x3, 0x4, 0x5, 0) = -1 ENOSYS (Function not implemented)");
	CALL(SYS_fcntl, 3, 3, 0);
	RETURNS(0100002, "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)");
	CALL(SYS_poll, 0, 0, 5);
	RETURNS(0, "poll(NULL, 0, 5) = 0 (Timeout)");
}

static void test_unfinished(void)
{
	CALL(SYS_read, 3, P, 100);
	text_reset(&line);
	decode_enter(&line, &now, &opts);
	text_char(&line, 0);
	check(__LINE__, "read(3, ");
	CALL(SYS_pause);
	whole();
	check(__LINE__, "pause() = ?");
	CALL(SYS_clone, 0x01200011, 0, 0, P);
	text_reset(&line);
	decode_enter(&line, &now, &opts);
	text_char(&line, 0);
	check(__LINE__, "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD");
	now = (struct call){.nr = SYS_read}; /* its beginning was lost */
	leave.ret = 1;
	now.exit = &leave;
	whole();
	check(__LINE__, "read() = 1");
}

static void test_structures(void)
{
	struct stat st = {.st_mode = S_IFREG | 04755, .st_size = 12};
	uint64_t sa[4] = {0x400000, 0x14000000, 0x7000, 1u << 16 | 1}, limit[2] = {8 << 20, ~0ull},
		 iov[4] = {Q, 2, Q + 2, 2};
	struct {
		int fd;
		short events, revents;
	} pfd = {3, 1, 1};
	int status = 0x100, pair[2] = {3, 4};
	char names[80] = {0};

	CALL(SYS_stat, P, Q);
	string(P, "f");
	after(Q, &st, sizeof(st));
	RETURNS(0, "stat(\"f\", {st_mode=S_IFREG|S_ISUID|0755, st_size=12, ...}) = 0");
	CALL(SYS_rt_sigaction, 2, P, 0, 8);
	before(P, sa, sizeof(sa));
	RETURNS(0, "rt_sigaction(SIGINT, {sa_handler=0x400000, sa_mask=[HUP CHLD], sa_flags=SA_RESTORER|SA_RESTART, "
		   "sa_restorer=0x7000}, NULL, 8) = 0");
	CALL(SYS_prlimit64, 0, 3, 0, P);
	after(P, limit, 16);
	RETURNS(0, "prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0");
	CALL(SYS_poll, P, 1, -1);
	before(P, &pfd, 8);
	after(P, &pfd, 8);
	RETURNS(1, "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])");
	CALL(SYS_wait4, -1, P, 0, 0);
	after(P, &status, 4);
	RETURNS(7, "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 7");
	CALL(SYS_pipe2, P, 02000000);
	after(P, pair, 8);
	RETURNS(0, "pipe2([3, 4], O_CLOEXEC) = 0");
	CALL(SYS_writev, 1, P, 2);
	before(P, iov, 32);
	before(Q, "abcd", 4);
	RETURNS(4, "writev(1, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"cd\", iov_len=2}], 2) = 4");
	CALL(SYS_execve, P, Q, 0x3000);
	string(P, "/bin/true");
	before(Q, (uint64_t[]){P, 0}, 16);
	before(0x3000, (uint64_t[]){1, 2, 3, 0}, 32);
	RETURNS(0, "execve(\"/bin/true\", [\"/bin/true\"], 0x3000 /* 3 vars */) = 0");
	memcpy(names + 16, "\30\0\10a", 4);
	memcpy(names + 24 + 16, "\30\0\10b", 4);
	CALL(SYS_getdents64, 3, P, 32768);
	after(P, names, 48);
	RETURNS(48, "getdents64(3, 0x1000 /* 2 entries */, 32768) = 48");
	CALL(SYS_getdents64, 3, P, 32768);
	add(TRACE_BLOB_COUNT, P, (uint64_t[]){70}, 8, 8, true);
	RETURNS(2000, "getdents64(3, 0x1000 /* 70 entries */, 32768) = 2000");
	CALL(SYS_openat, AT_CWD, P, 0101, 0644);
	string(P, "new");
	RETURNS(3, "openat(AT_FDCWD, \"new\", O_WRONLY|O_CREAT, 0644) = 3");
	CALL(SYS_futex, P, 128, 2, 0);
	RETURNS(0, "futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = 0");
	CALL(SYS_rt_sigreturn);
	before(0x8000, (uint64_t[]){1}, 8);
	RETURNS(0, "rt_sigreturn({mask=[HUP]}) = 0");
	CALL(SYS_mmap, 0, 4096, 3, 0x22, -1, 0);
	RETURNS(0x7000, "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7000");
	CALL(SYS_connect, 3, P, 6);
	before(P, "\1\0a\0bc", 6);
	RETURNS(0, "connect(3, {sa_family=AF_UNIX, sun_path=\"a\"}, 6) = 0");
}

static const char *comm(int pid)
{
	return pid == 7 ? "bash" : NULL;
}

static void test_options(void)
{
	opts.fd_paths = true;
	CALL(SYS_openat, AT_CWD, P, 0);
	string(P, "f");
	add(TRACE_BLOB_FDPATH, AT_CWD, "/home", 5, 5, false);
	add(TRACE_BLOB_FDPATH, 3, "/home/f<", 8, 8, true);
	RETURNS(3, "openat(AT_FDCWD</home>, \"f\", O_RDONLY) = 3</home/f\\74>");
	opts.fd_paths = false;
	opts.decode_pids = true;
	opts.comm = comm;
	CALL(SYS_kill, 7, 9);
	RETURNS(0, "kill(7<bash>, SIGKILL) = 0");
	opts.decode_pids = false;
	opts.hex_strings = 2;
	CALL(SYS_write, 1, P, 2);
	before(P, "ab", 2);
	RETURNS(2, "write(1, \"\\x61\\x62\", 2) = 2");
	opts.hex_strings = 1;
	CALL(SYS_write, 1, P, 2);
	before(P, "a\1", 2);
	RETURNS(2, "write(1, \"\\x61\\x01\", 2) = 2");
	opts.hex_strings = 0;
	opts.raw = true;
	CALL(SYS_openat, AT_CWD, P, 0101, 0644);
	string(P, "new");
	RETURNS(3, "openat(AT_FDCWD, \"new\", 0x41, 0644) = 3");
	opts.raw = false;
}

static void signal_is(int at, int sig, const uint64_t *args, const char *want)
{
	struct hostif_trace_rec r = {.type = TRACE_SIGNAL, .nr = sig};

	memcpy(r.args, args, sizeof(r.args));
	text_reset(&line);
	decode_signal(&line, &r, &opts);
	text_char(&line, 0);
	check(at, want);
}
#define SIGNAL(sig, want, ...) signal_is(__LINE__, sig, (uint64_t[6]){__VA_ARGS__}, want)

static void test_signals(void)
{
	SIGNAL(17,
	       "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5, si_uid=0, si_status=1, si_utime=0, "
	       "si_stime=0}",
	       1, 5, 0, 1);
	SIGNAL(17,
	       "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=5, si_uid=0, si_status=SIGKILL, si_utime=2 /* "
	       "0.02 s */, si_stime=0}",
	       2, 5, 0, 9, 0, 2);
	SIGNAL(11, "SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}", 1);
	SIGNAL(10, "SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=4, si_uid=1000}", -6, 4, 1000);
	SIGNAL(32, "SIGRTMIN {si_signo=SIGRTMIN, si_code=SI_TIMER, si_timerid=0x3, si_overrun=0, si_int=8, si_ptr=0x8}",
	       -2, 3, 0, 0, 8);
	SIGNAL(35, "SIGRT_3 {si_signo=SIGRT_3, si_code=SI_QUEUE, si_pid=4, si_uid=0, si_int=7, si_ptr=0x7}", -1, 4, 0,
	       0, 7);
}

#define IS(e)                                                                                                          \
	do {                                                                                                           \
		if (e) {                                                                                               \
			passed++;                                                                                      \
		} else {                                                                                               \
			printf("FAIL test_decode.c:%d: %s\n", __LINE__, #e);                                           \
			failed++;                                                                                      \
		}                                                                                                      \
	} while (0)

static void test_names(void)
{
	IS(!strcmp(decode_name(0), "read"));
	IS(!strcmp(decode_name(-1), "syscall_0xffffffff"));
	IS(decode_number("openat") == SYS_openat);
	IS(decode_number("nonsense") == -1);
	IS(decode_class("file", SYS_openat) == 1);
	IS(decode_class("file", SYS_read) == 0);
	IS(decode_class("net", SYS_socket) == 1);
	IS(decode_class("nonsense", 0) == -1);
	IS(decode_class("file", 9999) == 0);
	IS(!strcmp(decode_errno(ENOENT), "ENOENT"));
	IS(!strcmp(decode_signal_name(64), "SIGRT_32"));
	IS(!decode_signal_name(65));
}

static uint64_t seed = 88172645463325252ull;
static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* A value that a call could have, that an address could have, or any. */
static uint64_t value(void)
{
	switch (rnd() % 5) {
	case 0:
		return rnd() % 40;
	case 1:
		return 0x1000 * (1 + rnd() % 4) + rnd() % 3;
	case 2:
		return 1ull << rnd() % 64;
	case 3:
		return -(rnd() % 600);
	}
	return rnd();
}

static void random_call(void)
{
	static uint8_t data[4][4096];
	uint64_t size;

	call(rnd() % 512, value(), value(), value(), value(), value(), value());
	for (int i = rnd() % 9; i > 0; i--) {
		uint8_t *d = data[rnd() % 4];

		size = rnd() % 3 ? rnd() % 300 : rnd() % 4096;
		for (unsigned k = 0; k + 8 <= size; k += 8) {
			uint64_t v = value();

			memcpy(d + k, &v, 8);
		}
		add(rnd() % 4 == 3 ? TRACE_BLOB_COUNT : rnd() % 3,
		    rnd() % 8 ? enter.args[rnd() % 6] & ~rnd() % 4 : value(), d, size, size + rnd() % 2, rnd() & 1);
	}
	leave.ret = value();
	now.exit = rnd() % 8 ? &leave : NULL;
	now.restarts = (int)rnd() % 600;
	if (!(rnd() % 50))
		now.enter = NULL;
	opts = (struct decode_options){.string_limit = rnd() % 3 ? 32 : rnd() % 4096,
				       .fd_paths = rnd() & 1,
				       .verbose = rnd() & 1,
				       .raw = !(rnd() % 8),
				       .hex_strings = rnd() % 6 > 2 ? 0 : rnd() % 3,
				       .decode_pids = rnd() & 1,
				       .comm = comm};
	whole();
	free_blobs();
}

int main(void)
{
	uint64_t args[6];

	opts.string_limit = 32;
	test_strings();
	test_results();
	test_unfinished();
	test_structures();
	test_options();
	test_signals();
	test_names();
	for (int i = 0; i < 150000; i++)
		random_call();
	for (int i = 0; i < 20000; i++) {
		struct hostif_trace_rec r = {.nr = rnd() % 80};

		for (int k = 0; k < 6; k++)
			args[k] = value();
		memcpy(r.args, args, sizeof(args));
		text_reset(&line);
		decode_signal(&line, &r, &opts);
	}
	passed++; /* random records: no sanitizer spoke up */
	free(line.s);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
