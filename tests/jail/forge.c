// SPDX-License-Identifier: Apache-2.0
// First wall: a jump to the entry of host signals with a signal frame that the program put on its own kernel stack, by way of a system
// call that leaves what it read there. If it were believed, the host's sigreturn would give it registers and keys of its choice.
// Then stack pointers on the kernel stack. A module (module/stale.c) says where that is: an attacker has to guess.
// usage: forge MODULE SIG_ENTRY ADDRESS [ADDRESS...]: of the signal entry, and of places in the gate that a return may go to
#include "attack.h"
#include <stddef.h>

#define KICK 10	       /* the host signal that makes threads look up */
#define TI_IN_USER 184 /* arch/x86/asm.h */

/* what a host signal pushes, from the lowest address */
struct frame {
	unsigned long restorer;
	unsigned long uc_flags, uc_link, ss[3];
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	unsigned short cs, gs, fs, ss_sel;
	unsigned long err, trapno, oldmask, cr2, fpstate, reserved[8], sigmask;
	struct {
		int signo, err, code, pad[29];
	} info;
};
struct bytes {
	struct frame f;
	char fx[512] __attribute__((aligned(64)));
	char rest[600];
};
static struct {
	unsigned long room, canary, value;
} told;
static unsigned written = 0x66660000;
static unsigned long sig_entry, back_to, restorer, link_word;
static int stale;

static void tell(void)
{
	if (read(stale, &told, sizeof(told)) != sizeof(told))
		_exit(45);
}

static void leave(const struct bytes *b)
{
	if (write(stale, b, sizeof(*b)) != sizeof(*b))
		_exit(45);
}

static void make_frame(struct bytes *b)
{
	memset(b, 0, sizeof(*b));
	b->f.restorer = restorer;
	b->f.uc_flags = 7;
	b->f.uc_link = link_word;
	b->f.ip = back_to;
	b->f.flags = 0x202;
	b->f.cs = 0x33;
	b->f.ss_sel = 0x2b;
	b->f.cx = written; /* the gate exchanges this with what rdx says is the flag of a thread */
	b->f.dx = told.canary - TI_IN_USER;
	b->f.r9 = told.canary - TI_IN_USER;
	b->f.ax = written;
	b->f.fpstate = told.room + offsetof(struct bytes, fx);
	b->f.info.code = -6;
	__asm__ volatile("fxsave %0" : "=m"(b->fx));
}

static void forge(void)
{
	static struct bytes b;

	for (int i = 0; i < 4; i++) { /* the first calls are traps, with more on the stack */
		unsigned long before = told.room;

		make_frame(&b);
		leave(&b);
		tell();
		if (i == 3 && before != told.room)
			_exit(46);
	}
	make_frame(&b);
	leave(&b);
	__asm__ volatile("mov %0, %%rsp\n\tjmp *%1" ::"r"(told.room), "r"(sig_entry), "D"(KICK),
			 "S"(told.room + offsetof(struct frame, info)), "d"(told.room + 8)
			 : "memory");
	__builtin_unreachable();
}

static void try_forge(const char *what)
{
	unsigned long before;
	int st;

	tell();
	before = told.value;
	written++;
	st = in_child(forge);
	tell();
	printf("%s: ", what);
	if (before != told.value)
		printf("kernel memory was written: ");
	if (!WIFSIGNALED(st))
		printf("status %x: ", st);
	must_fail("a forged frame", WIFSIGNALED(st) && before == told.value);
}

/* ---- the program's stack pointer on its kernel stack, where the host then pushes ---- */
static unsigned long distance;
static void own_stack(void)
{
	static struct bytes b;

	for (int i = 0; i < 3; i++)
		leave(&b);
	tell();
	__asm__ volatile("mov %0, %%rsp\n\tud2" ::"r"(told.room + distance) : "memory");
}
static void own_stack_call(void)
{
	static struct bytes b;

	for (int i = 0; i < 3; i++)
		leave(&b);
	tell();
	__asm__ volatile("mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov $39, %%eax\n\tsyscall\n\tud2" ::"r"(
				 told.room + distance)
			 : "memory");
}

int main(int argc, char **argv)
{
	int m;

	if (argc < 4 || (m = open(argv[1], O_RDONLY)) < 0 || syscall(SYS_finit_module, m, "", 0) ||
	    (stale = open("/dev/stale", O_RDWR)) < 0) {
		perror("the module");
		return 2;
	}
	sig_entry = strtoul(argv[2], NULL, 16);
	for (int i = 3; i < argc; i++) {
		back_to = strtoul(argv[i], NULL, 16);
		restorer = link_word = 0;
		try_forge("a fresh one");
		restorer = sig_entry;
		try_forge("with the signal entry as its restorer");
		link_word = 1;
		try_forge("with a link");
	}
	for (int d = -4000; d < 8000; d += 200) {
		distance = d;
		must_die("a fault with the stack pointer on the kernel stack", own_stack);
		must_die("calls with the stack pointer on the kernel stack", own_stack_call);
	}
	return failures != 0;
}
