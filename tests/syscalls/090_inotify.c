// SPDX-License-Identifier: Apache-2.0
// inotify: every kind of event, rename cookies, masks, one-shot, removal, overflow of buffers, poll, errors.
#include "t.h"
#include <sys/inotify.h>
static int fd;
static int base;
static const char *names[] = {"ACCESS",	    "MODIFY",	"ATTRIB",     "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
			      "MOVED_FROM", "MOVED_TO", "CREATE",     "DELETE",	     "DELETE_SELF",   "MOVE_SELF",
			      "?",	    "UNMOUNT",	"Q_OVERFLOW", "IGNORED"};
static void drain(const char *w)
{
	char b[16384] __attribute__((aligned(8)));
	static uint32_t cookies[100];
	static int nc;
	ssize_t n;
	say("%s:", w);
	while ((n = read(fd, b, sizeof b)) > 0)
		for (char *p = b; p < b + n;) {
			struct inotify_event *e = (void *)p;
			say(" [%d", e->wd);
			for (int i = 0; i < 16; i++)
				if (e->mask & (1u << i))
					say(" %s", names[i]);
			if (e->mask & IN_ISDIR)
				say(" ISDIR");
			if (e->len)
				say(" %s", e->name);
			if (e->cookie) {
				int i;
				for (i = 0; i < nc && cookies[i] != e->cookie; i++)
					;
				if (i == nc)
					cookies[nc++] = e->cookie;
				say(" cookie %d", i);
			}
			say("]");
			p += sizeof *e + e->len;
		}
	say(" %s\n", n < 0 ? en(errno) : "end");
	(void)base;
}
int main(void)
{
	tmp();
	mkdir("d", 0755);
	mkdir("o", 0755);
	put("d/f", "x");
	fd = MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	R(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
	R(inotify_add_watch(fd, "d/f", IN_ALL_EVENTS));
	drain("nothing");
	int f = MUST(open("d/f", O_RDWR));
	char c;
	read(f, &c, 1);
	write(f, "y", 1);
	close(f);
	drain("read and written");
	f = MUST(open("d/f", O_RDONLY));
	close(f);
	drain("opened only");
	chmod("d/f", 0600);
	drain("chmod");
	truncate("d/f", 0);
	drain("truncate");
	put("d/new", "1");
	drain("new file");
	mkdir("d/sub", 0755);
	drain("new directory");
	rename("d/new", "d/renamed");
	drain("rename");
	rename("d/renamed", "o/out");
	drain("moved out");
	rename("o/out", "d/in");
	drain("moved in");
	link("d/f", "d/hard");
	drain("link");
	unlink("d/hard");
	drain("unlink of a link");
	symlink("x", "d/sym");
	drain("symlink");
	rmdir("d/sub");
	drain("rmdir");
	rename("d/f", "d/g");
	drain("rename of the watched file");
	unlink("d/g");
	drain("unlink of the watched file");
	R(inotify_rm_watch(fd, 2));
	unlink("d/in");
	unlink("d/sym");
	drain("unlinks");
	rename("d", "e");
	drain("rename of the directory");
	rmdir("e");
	drain("directory gone");
	R(inotify_rm_watch(fd, 1));
	// Options.
	put("a", "");
	int w = inotify_add_watch(fd, "a", IN_ATTRIB | IN_ONESHOT);
	R(w);
	chmod("a", 0600);
	chmod("a", 0644);
	drain("one-shot");
	w = inotify_add_watch(fd, "a", IN_OPEN);
	R(inotify_add_watch(fd, "a", IN_ATTRIB) == w);
	put("a", "z");
	drain("mask replaced");
	R(inotify_add_watch(fd, "a", IN_OPEN | IN_MASK_ADD) == w);
	chmod("a", 0600);
	f = open("a", O_RDONLY);
	drain("mask added");
	R(inotify_rm_watch(fd, w));
	drain("removed");
	R(inotify_add_watch(fd, "a", IN_ONLYDIR | IN_OPEN));
	symlink("a", "l");
	R(inotify_add_watch(fd, "l", IN_OPEN | IN_DONT_FOLLOW) > 0);
	R(inotify_add_watch(fd, "none", IN_OPEN));
	R(inotify_add_watch(fd, "a", 0));
	R(inotify_add_watch(0, "a", IN_OPEN));
	R(inotify_add_watch(99, "a", IN_OPEN));
	R(inotify_rm_watch(fd, 999));
	O(inotify_init1(0x10));
	// Poll, FIONREAD, a buffer that is too small.
	w = inotify_add_watch(fd, ".", IN_CREATE);
	struct pollfd pf = {fd, POLLIN, 0};
	R(poll(&pf, 1, 0));
	put("abc", "");
	R(poll(&pf, 1, 0));
	int n = 0;
	R(ioctl(fd, FIONREAD, &n));
	say("%d\n", n);
	char s[8];
	R(read(fd, s, sizeof s));
	drain("rest");
	// Equal events in a row are merged.
	inotify_add_watch(fd, "abc", IN_MODIFY);
	f = MUST(open("abc", O_WRONLY));
	for (int i = 0; i < 5; i++)
		write(f, "x", 1);
	char big[4096];
	say("merged %d\n", (int)(read(fd, big, sizeof big) / sizeof(struct inotify_event)));
	// Blocking read woken by another process.
	fcntl(fd, F_SETFL, 0);
	pid_t me = getpid(), k = MUST(fork());
	if (!k) {
		settle(me);
		put("from-child", "");
		_exit(0);
	}
	R(read(fd, big, sizeof big) > 0);
	say("%s\n", ((struct inotify_event *)big)->name);
	reap(k);
	return 0;
}
