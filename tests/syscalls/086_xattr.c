// SPDX-License-Identifier: Apache-2.0
// Extended attributes in the user namespace: set, get, list, remove, flags, sizes, errors.
#include "t.h"
#include <sys/xattr.h>
static int has(const char *l, ssize_t n, const char *x)
{
	for (const char *p = l; p < l + n; p += strlen(p) + 1)
		if (!strcmp(p, x))
			return 1;
	return 0;
}
int main(void)
{
	char b[300], big[70000];
	tmp();
	put("f", "");
	mkdir("d", 0755);
	symlink("f", "l");
	symlink("none", "dl");
	int fd = MUST(open("f", O_RDWR));
	R(setxattr("f", "user.one", "value", 5, 0));
	R(getxattr("f", "user.one", b, sizeof b));
	say("%.5s\n", b);
	R(getxattr("f", "user.one", b, 0));
	R(getxattr("f", "user.one", b, 3));
	R(getxattr("f", "user.two", b, sizeof b));
	R(setxattr("f", "user.one", "x", 1, XATTR_CREATE));
	R(setxattr("f", "user.two", "x", 1, XATTR_REPLACE));
	R(setxattr("f", "user.one", "longer value", 12, XATTR_REPLACE));
	R(setxattr("f", "user.empty", "", 0, 0));
	R(getxattr("f", "user.empty", b, sizeof b));
	R(setxattr("l", "user.bylink", "v", 1, 0));
	R(fgetxattr(fd, "user.bylink", b, sizeof b));
	R(fsetxattr(fd, "user.fd", "v", 1, 0));
	ssize_t n = listxattr("f", b, sizeof b);
	say("%d %d %d %d %d\n", has(b, n, "user.one"), has(b, n, "user.empty"), has(b, n, "user.bylink"),
	    has(b, n, "user.fd"), has(b, n, "user.two"));
	R(listxattr("f", b, 0) == n);
	R(listxattr("f", b, 3));
	R(removexattr("f", "user.one"));
	R(removexattr("f", "user.one"));
	R(lsetxattr("l", "user.x", "v", 1, 0));
	R(setxattr("d", "user.dir", "v", 1, 0));
	R(getxattr("dl", "user.x", b, 10));
	R(setxattr("f", "nonamespace", "v", 1, 0));
	R(setxattr("f", "user.", "v", 1, 0));
	R(setxattr("f", "", "v", 1, 0));
	R(setxattr("f", "user.x", "v", 1, 77));
	R(setxattr("f", "user.x", big, sizeof big, 0));
	memset(b, 'n', sizeof b);
	memcpy(b, "user.", 5);
	b[270] = 0;
	R(setxattr("f", b, "v", 1, 0));
	R(fsetxattr(99, "user.x", "v", 1, 0));
	R(setxattr("f", "user.x", (void *)8, 1, 0));
	R(getxattr("none", "user.x", b, 10));
	// They follow a rename and a hard link, not a copy.
	rename("f", "g");
	link("g", "h");
	R(getxattr("h", "user.fd", b, 10));
	CHILD("only the owner or a writer", {
		chmod(".", 0755);
		chmod("g", 0444);
		nobody();
		R(setxattr("g", "user.y", "v", 1, 0) == 0 && getuid() != 65534);
	});
	return 0;
}
