// SPDX-License-Identifier: Apache-2.0
/* Unit tests of the control socket: its JSON, connections that misbehave, answers that were put off, what the confined monitor may do. */
#include "control_env.h"
#include <sys/wait.h>

#define CHECK(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                        \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

static int later_conn = -1, closed_conn = -1;

static void on_close(struct sandbox *s, int conn)
{
	closed_conn = conn;
}

static int cmd_later(struct control_request *r)
{
	later_conn = r->conn;
	r->later = 1;
	r->on_close = on_close;
	return 0;
}

static int cmd_big(struct control_request *r)
{
	for (int i = 0; i < 5000; i++)
		control_add_string(r, "member", "twenty characters...");
	return 0;
}

static int cmd_fds(struct control_request *r)
{
	for (int i = 0; i < CONTROL_MAX_FDS; i++)
		control_add_fd(r, dup(0), true);
	control_add_string(r, "text", "\"\\\n\xff\xc3\xa4");
	return 0;
}

const struct control_command control_commands[] = {
	{"info", control_info}, {"stats", control_stats}, {"later", cmd_later},
	{"big", cmd_big},	{"fds", cmd_fds},	  {NULL, NULL},
};

static void test_json_valid(void)
{
	static const char *const good[] = {"{}", " { } ", "{\"a\":1}", "{\"a\":-1.5e+3,\"b\":\"\\u00e4\",\"c\":null}",
					   "{\"\":true}"};
	static const char *const bad[] = {"",
					  "{",
					  "}",
					  "[]",
					  "{\"a\"}",
					  "{\"a\":}",
					  "{\"a\":1,}",
					  "{,}",
					  "{\"a\":1}x",
					  "{\"a\":{}}",
					  "{\"a\":[1]}",
					  "{\"a\":\"}",
					  "{\"a\":\"\\x\"}",
					  "{\"a\":\"\\u12\"}",
					  "{\"a\":1.}",
					  "{\"a\":-}",
					  "{\"a\":tru}",
					  "{a:1}",
					  "{\"a\":\"\n\"}",
					  "\"a\"",
					  "{\"a\":1}{"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(control_json_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!control_json_valid(bad[i], strlen(bad[i])));
	CHECK(!control_json_valid("{}\0", 3));
	/* each beginning of a good one is bad, and nothing behind its end is looked at (the sanitizer sees that) */
	for (size_t n = 0; n < strlen(good[3]); n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, good[3], n);
		CHECK(!control_json_valid(copy, n));
		free(copy);
	}
}

static void test_json_get(void)
{
	const char *j = "{\"s\":\"a\\n\\u00e4\\ud83d\\ude00\\/"
			"\",\"n\":-42,\"f\":1.5,\"t\":true,\"big\":9223372036854775808,\"z\":\"\\u0000\","
			"\"half\":\"\\ud800\",\"s\":\"second\"}";
	char s[32];
	int64_t n;
	bool b;

	CHECK(!control_get_string(j, "s", s, sizeof(s)) && !strcmp(s, "a\n\xc3\xa4\xf0\x9f\x98\x80/"));
	CHECK(control_get_string(j, "s", s, 3) && control_get_string(j, "n", s, sizeof(s)) &&
	      control_get_string(j, "z", s, sizeof(s)));
	CHECK(control_get_string(j, "half", s, sizeof(s)) && control_get_string(j, "none", s, sizeof(s)));
	CHECK(!control_get_number(j, "n", &n) && n == -42);
	CHECK(control_get_number(j, "f", &n) && control_get_number(j, "big", &n) && control_get_number(j, "s", &n));
	CHECK(!control_get_bool(j, "t", &b) && b && control_get_bool(j, "n", &b));
}

static void test_json_quote(void)
{
	char out[64];

	CHECK(control_json_quote(out, sizeof(out), "a\"\\\n\x01\x7f") &&
	      !strcmp(out, "\"a\\\"\\\\\\n\\u0001\\u007f\""));
	CHECK(control_json_quote(out, sizeof(out), "\xc3\xa4\xff\xc3") && !strcmp(out, "\"\xc3\xa4\\ufffd\\ufffd\""));
	CHECK(control_json_quote(out, sizeof(out), "\xed\xa0\x80\xc0\x80") && !strstr(out, "\xed"));
	for (size_t n = 0; n < 12; n++)
		CHECK(!control_json_quote(out, n, "0123456789"));
	CHECK(control_json_quote(out, 13, "0123456789") == 12);
}

static void test_names(void)
{
	char longest[80];

	memset(longest, 'a', sizeof(longest));
	longest[CONTROL_NAME_MAX] = 0;
	CHECK(control_name_valid(longest) && control_name_valid("a") && control_name_valid("9a") &&
	      control_name_valid("a.b-c_d"));
	longest[CONTROL_NAME_MAX] = 'a';
	longest[CONTROL_NAME_MAX + 1] = 0;
	CHECK(!control_name_valid(longest) && !control_name_valid("") && !control_name_valid("12") &&
	      !control_name_valid(".a"));
	CHECK(!control_name_valid("a/b") && !control_name_valid("a b") && !control_name_valid("-a") &&
	      !control_name_valid("\xc3\xa4"));
}

static char answer[CONTROL_MAX_PACKET];
static unsigned nfds;

static const char *ask(int fd, const char *request)
{
	CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
	env_turn();
	CHECK(env_receive(fd, answer, sizeof(answer), &nfds) > 0);
	return answer;
}

static int client(void)
{
	int fd = env_connect();

	CHECK(fd >= 0);
	env_turn();
	return fd;
}

static bool ended(int fd)
{
	env_turn();
	return !env_receive(fd, answer, sizeof(answer), &nfds);
}

static void test_requests(void)
{
	int fd = client();

	CHECK(strstr(ask(fd, "{\"cmd\":\"info\"}"), "\"argv\":[\"a \\\"program\\\"\",\"\\ufffd\\u0001\"]"));
	CHECK(strstr(answer, "\"ok\":true,") && strstr(answer, "\"name\":\"unit-control\""));
	CHECK(!strncmp(ask(fd, "nonsense"), "{\"ok\":false,\"error\":", 20));
	CHECK(strstr(ask(fd, "{\"cmd\":\"none\"}"), "there is no request"));
	CHECK(strstr(ask(fd, "{\"cmd\":\"big\"}"), "does not fit"));
	CHECK(strstr(ask(fd, "{\"cmd\":\"fds\"}"), "\"text\":\"\\\"\\\\\\n\\ufffd\xc3\xa4\"") &&
	      nfds == CONTROL_MAX_FDS);
	close(fd);
	env_turn();
}

static void test_later(void)
{
	int fd = client();

	CHECK(send(fd, "{\"cmd\":\"later\"}", 15, 0) > 0);
	env_turn();
	CHECK(later_conn >= 0 && env_receive(fd, answer, sizeof(answer), &nfds) < 0);
	CHECK(!control_notify(&env_sandbox, later_conn, "\"done\":50"));
	CHECK(env_receive(fd, answer, sizeof(answer), &nfds) > 0 &&
	      !strcmp(answer, "{\"ok\":true,\"more\":true,\"done\":50}"));
	CHECK(!control_reply(&env_sandbox, later_conn, NULL, "no \"luck\""));
	CHECK(env_receive(fd, answer, sizeof(answer), &nfds) > 0 &&
	      !strcmp(answer, "{\"ok\":false,\"error\":\"no \\\"luck\\\"\"}"));
	close(fd);
	env_turn();
	CHECK(closed_conn == later_conn && !control_alive(&env_sandbox, later_conn));
	fd = client(); /* it has the slot now, but not the name */
	CHECK(control_reply(&env_sandbox, later_conn, NULL, NULL) == -1);
	CHECK(env_receive(fd, answer, sizeof(answer), &nfds) < 0);
	close(fd);
	env_turn();
}

/* A client that asks and never reads loses its connection, and nobody waits for it. */
static void test_slow_client(void)
{
	int fd = client(), other = client();

	for (int i = 0; i < 10000; i++) {
		if (send(fd, "{\"cmd\":\"info\"}", 14, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
			break;
		env_turn();
	}
	CHECK(send(fd, "{}", 2, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	CHECK(strstr(ask(other, "{\"cmd\":\"info\"}"), "\"ok\":true"));
	close(fd);
	close(other);
	env_turn();
}

static void test_too_long(void)
{
	static char big[CONTROL_MAX_PACKET + 10];
	int fd = client();

	memset(big, ' ', sizeof(big) - 1);
	CHECK(strstr(ask(fd, big), "too long"));
	CHECK(strstr(ask(fd, "{\"cmd\":\"info\"}"), "\"ok\":true"));
	close(fd);
	env_turn();
}

static void test_many_clients(void)
{
	int fd[CONTROL_MAX_CONNS + 1];

	for (int i = 0; i < CONTROL_MAX_CONNS; i++)
		fd[i] = client();
	fd[CONTROL_MAX_CONNS] = client();
	CHECK(env_receive(fd[CONTROL_MAX_CONNS], answer, sizeof(answer), &nfds) > 0 && strstr(answer, "too many"));
	CHECK(ended(fd[CONTROL_MAX_CONNS]));
	CHECK(strstr(ask(fd[0], "{\"cmd\":\"info\"}"), "\"ok\":true"));
	for (int i = 0; i <= CONTROL_MAX_CONNS; i++)
		close(fd[i]);
	env_turn();
	fd[0] = client();
	CHECK(strstr(ask(fd[0], "{\"cmd\":\"info\"}"), "\"ok\":true"));
	close(fd[0]);
	env_turn();
}

/* Descriptors that a client sends must not pile up in the monitor. */
static void test_descriptors_dropped(void)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} u = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec v = {(void *)"{\"cmd\":\"info\"}", 14};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof(u.room)};
	int fd = client(), before = dup(0), after;

	close(before);
	memset(CMSG_DATA(&u.head), 0, sizeof(int));
	for (int i = 0; i < 20; i++) {
		CHECK(sendmsg(fd, &m, 0) > 0);
		env_turn();
		CHECK(env_receive(fd, answer, sizeof(answer), &nfds) > 0);
	}
	after = dup(0);
	close(after);
	CHECK(before == after);
	close(fd);
	env_turn();
}

/* A kernel that never answers: what is known is told after a while, and it is said to be old. */
static void test_wedged_kernel(void)
{
	int fd = client(), n;

	CHECK(send(fd, "{\"cmd\":\"stats\",\"tasks\":true}", 28, 0) > 0);
	env_turn();
	CHECK(env_posted & HOSTIF_EV_STATS && env_posted & HOSTIF_EV_TASKS && control_timeout(&env_sandbox) > 0);
	while ((n = env_receive(fd, answer, sizeof(answer), &nfds)) < 0) {
		usleep(1000);
		env_turn();
	}
	CHECK(n > 0 && strstr(answer, "\"known\":false,\"fresh\":false"));
	ram_boot(&env_sandbox.ram)->stats.seq = 3; /* and one that never ends writing */
	CHECK(send(fd, "{\"cmd\":\"stats\"}", 15, 0) > 0);
	env_turn();
	ram_boot(&env_sandbox.ram)->stats.answered = ram_boot(&env_sandbox.ram)->stats_request;
	env_turn();
	CHECK(env_receive(fd, answer, sizeof(answer), &nfds) > 0 && strstr(answer, "\"known\":false"));
	CHECK(control_timeout(&env_sandbox) < 0);
	close(fd);
	env_turn();
}

/* Out of descriptors the main loop must not spin. */
static void test_no_descriptors(void)
{
	int fill[256], n = 0, waiting = env_connect(), fd;

	CHECK(waiting >= 0);
	fcntl(0, F_GETFD);
	while (n < 256 && (fd = dup(0)) >= 0)
		fill[n++] = fd;
	CHECK(n < 256);
	env_turn();
	CHECK(control_timeout(&env_sandbox) > 0);
	while (n)
		close(fill[--n]);
	usleep(110000);
	env_turn();
	CHECK(strstr(ask(waiting, "{\"cmd\":\"info\"}"), "\"ok\":true"));
	close(waiting);
	env_turn();
}

/* The confined monitor accepts connections of the socket it has, and can make no other. */
static void test_confined(void)
{
	int fd = env_connect(), status;
	pid_t pid = fork();

	CHECK(fd >= 0 && pid >= 0);
	if (!pid) {
		monitor_confine(false, false);
		if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0)
			_exit(1);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}) != -1)
			_exit(2);
		if (connect(fd, NULL, 0) != -1 || errno != EPERM || listen(fd, 1) != -1 || errno != EPERM)
			_exit(3);
		env_turn(); /* accepts */
		if (send(fd, "x", 1, 0) != -1)
			_exit(4); /* sendto is refused: the client is the test's own, but in this process */
		_exit(write(fd, "{\"cmd\":\"info\"}", 14) == 14 ? (env_turn(), read(fd, answer, 6) == 6 ? 0 : 6) : 5);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status)
		fprintf(stderr, "test_confined: status %x\n", status);
	CHECK(!status);
	close(fd);
}

int main(void)
{
	struct err e;

	env_start("unit-control");
	CHECK(!strcmp(control_name(&env_sandbox), "unit-control"));
	test_json_valid();
	test_json_get();
	test_json_quote();
	test_names();
	test_requests();
	test_later();
	test_slow_client();
	test_too_long();
	test_many_clients();
	test_descriptors_dropped();
	test_wedged_kernel();
	if (!setrlimit(RLIMIT_NOFILE, &(struct rlimit){128, 128}))
		test_no_descriptors();
	test_confined();
	CHECK(control_open(&env_sandbox, "unit-control", &e) == -1 && strstr(e.msg, "taken"));
	puts("test_control: ok");
	return 0;
}
