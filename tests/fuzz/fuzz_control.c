// SPDX-License-Identifier: Apache-2.0
/* Fuzzes the control socket: the input is a series of packets on a few connections; every request must be answered or its connection end. */
#include "standalone.h"
#include "../unit/control_env.h"

const struct control_command control_commands[] = {
	{"info", control_info},	  {"ram", control_ram},	  {"kernel", control_kernel},
	{"stats", control_stats}, {"kill", control_kill}, {NULL, NULL},
};

/* Pieces that random bytes would hardly find. */
static const char *const pieces[] = {"{",	  "}",
				     "\"cmd\"",	  ":",
				     ",",	  "\"info\"",
				     "\"ram\"",	  "\"rw\"",
				     "true",	  "\"stats\"",
				     "\"kill\"",  "\"pid\":1",
				     "\"sig\":9", "\"tasks\":true",
				     "\\u0000",	  "\\ud83d\\ude00",
				     "\\ud800",	  "\"",
				     "\\",	  "-",
				     "1e9",	  "9223372036854775808",
				     "null",	  "[",
				     " "};
#define NPIECES (sizeof(pieces) / sizeof(*pieces))

static size_t make_request(const uint8_t **data, size_t *left, char *out, size_t n)
{
	size_t len = 0, count = *left ? *(*data)++ % 24 : 0;

	*left -= *left ? 1 : 0;
	while (count-- && *left) {
		uint8_t b = *(*data)++;
		const char *p = pieces[b % NPIECES];

		--*left;
		if (b >= 0xe0 && len < n)
			out[len++] = b;
		else if (len + strlen(p) < n)
			len += stpcpy(out + len, p) - (out + len);
	}
	return len;
}

/* A whole answer is one JSON object. */
static void check_answer(const char *buf, int n)
{
	if (n < 10 || buf[0] != '{' || buf[n - 1] != '}' || strncmp(buf, "{\"ok\":", 6))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char buf[CONTROL_MAX_PACKET], request[4096];
	struct hostif_boot *b;
	unsigned nfds;
	int fd[3], n;

	if (!env_sandbox.config)
		env_start("fuzz-control");
	b = ram_boot(&env_sandbox.ram);
	for (int i = 0; i < 3; i++)
		fd[i] = env_connect();
	env_turn();
	for (int i = 0; size; i = (i + 1) % 3) {
		size_t len = make_request(&data, &size, request, sizeof(request));

		if (!len || send(fd[i], request, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			continue;
		env_turn();
		if (size & 1) { /* the kernel answers, sometimes */
			b->stats.answered = b->stats_request;
			b->stats.seq += size & 3;
			b->kill.answered = b->kill.request;
			b->kill.result = -(int)(size & 7);
		}
		env_turn();
		while ((n = env_receive(fd[i], buf, sizeof(buf), &nfds)) > 0)
			check_answer(buf, n);
	}
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	env_turn();
	env_turn();
	return 0;
}
