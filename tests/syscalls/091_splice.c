// SPDX-License-Identifier: Apache-2.0
// sendfile, splice, tee, vmsplice, copy_file_range: data, offsets, kinds of files, errors.
#include "t.h"
#include <sys/sendfile.h>
int main(void)
{
	static char d[100000], b[100000];
	int p[2], q[2], sv[2];
	tmp();
	for (size_t i = 0; i < sizeof d; i++)
		d[i] = i * 17 >> 4;
	int in = MUST(open("in", O_RDWR | O_CREAT, 0600)), out = MUST(open("out", O_RDWR | O_CREAT, 0600));
	MUST(write(in, d, sizeof d));
	lseek(in, 0, SEEK_SET);
	// sendfile: file to file, to pipe, to socket.
	R(sendfile(out, in, 0, 50000));
	R(lseek(in, 0, SEEK_CUR));
	off_t o = 50000;
	R(sendfile(out, in, &o, 100000));
	say("offset %ld\n", (long)o);
	R(lseek(in, 0, SEEK_CUR));
	R(pread(out, b, sizeof b, 0));
	T(!memcmp(b, d, sizeof d));
	o = 200000;
	R(sendfile(out, in, &o, 10));
	o = -1;
	R(sendfile(out, in, &o, 10));
	MUST(pipe(p));
	MUST(pipe(q));
	o = 10;
	R(sendfile(p[1], in, &o, 1000));
	R(read(p[0], b, sizeof b));
	T(!memcmp(b, d + 10, 1000));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	o = 0;
	R(sendfile(sv[0], in, &o, 5000));
	R(recv(sv[1], b, 5000, MSG_WAITALL));
	T(!memcmp(b, d, 5000));
	R(sendfile(out, p[0], 0, 10) == -1);
	int ro = MUST(open("in", O_RDONLY)), ap = MUST(open("out", O_WRONLY | O_APPEND));
	R(sendfile(ro, in, 0, 10));
	R(sendfile(99, in, 0, 10));
	R(sendfile(ap, in, 0, 10));
	// splice.
	loff_t lo = 100;
	R(splice(in, &lo, p[1], 0, 3000, 0));
	say("offset %ld\n", (long)lo);
	loff_t zero = 0;
	ftruncate(out, 0);
	R(splice(p[0], 0, out, &zero, 2000, SPLICE_F_MOVE));
	R(splice(p[0], 0, q[1], 0, 10000, SPLICE_F_NONBLOCK));
	R(read(q[0], b, sizeof b));
	T(!memcmp(b, d + 2100, 1000));
	R(pread(out, b, sizeof b, 0));
	T(!memcmp(b, d + 100, 2000));
	R(splice(p[0], 0, out, 0, 10, SPLICE_F_NONBLOCK));
	R(splice(in, 0, out, 0, 10, 0));
	R(splice(p[0], &lo, out, 0, 10, 0));
	R(splice(in, &lo, p[1], 0, 0, 0));
	R(splice(in, &lo, p[1], 0, 10, 0x800));
	R(splice(99, 0, p[1], 0, 10, 0));
	lo = 1000000;
	R(splice(in, &lo, p[1], 0, 10, 0));
	// tee.
	MUST(write(p[1], "to be seen twice", 16));
	R(tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
	R(read(q[0], b, 100));
	R(read(p[0], b + 50, 100));
	say("%.16s %.16s\n", b, b + 50);
	R(tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
	R(tee(p[0], p[1], 100, 0));
	R(tee(in, p[1], 100, 0));
	// vmsplice.
	struct iovec v[2] = {{d, 100}, {d + 5000, 200}};
	R(vmsplice(p[1], v, 2, 0));
	R(read(p[0], b, 1000));
	T(!memcmp(b, d, 100) && !memcmp(b + 100, d + 5000, 200));
	R(vmsplice(in, v, 1, 0));
	// copy_file_range.
	ftruncate(out, 0);
	loff_t a = 5, c = 0;
	R(copy_file_range(in, &a, out, &c, 20000, 0));
	say("%ld %ld\n", (long)a, (long)c);
	R(pread(out, b, sizeof b, 0));
	T(!memcmp(b, d + 5, 20000));
	a = 99990;
	R(copy_file_range(in, &a, out, &c, 100, 0));
	R(copy_file_range(in, &a, out, &c, 100, 0));
	R(copy_file_range(in, &a, out, &c, 100, 1));
	a = 0;
	c = 10;
	R(copy_file_range(out, &a, out, &c, 100, 0));
	R(copy_file_range(in, &a, ro, &c, 100, 0));
	R(copy_file_range(in, &a, p[1], 0, 100, 0));
	R(copy_file_range(in, &a, ap, &c, 100, 0));
	return 0;
}
