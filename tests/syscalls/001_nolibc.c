// SPDX-License-Identifier: Apache-2.0
// The smallest program: a static _start without libc that writes one line and exits with 7.
// cflags: -O1 -nostdlib -static -ffreestanding -fno-stack-protector -fno-pie -no-pie
static long sys3(long n, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}

void _start(void)
{
	static const char m[] = "hello from _start\n";
	long r = sys3(1, 1, (long)m, sizeof m - 1);
	sys3(231, r == sizeof m - 1 ? 7 : 1, 0, 0);
	for (;;)
		;
}
