/* SPDX-License-Identifier: Apache-2.0 */
/* Signal numbers, flags and siginfo of the ABI, without the libc or uapi types they clash with. */
#ifndef HUSK_SIGNAL_ABI_H
#define HUSK_SIGNAL_ABI_H

#include <husk/types.h>

#ifdef HUSK_HOSTED
#include <signal.h>
#else
#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGSTKFLT 16
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGTTIN 21
#define SIGTTOU 22
#define SIGURG 23
#define SIGXCPU 24
#define SIGXFSZ 25
#define SIGVTALRM 26
#define SIGPROF 27
#define SIGWINCH 28
#define SIGIO 29
#define SIGPOLL SIGIO
#define SIGPWR 30
#define SIGSYS 31
#define SIGRTMIN 32
#define SIGRTMAX 64

#define SA_NOCLDSTOP 1u
#define SA_NOCLDWAIT 2u
#define SA_SIGINFO 4u
#define SA_EXPOSE_TAGBITS 0x800u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM (1U << 31)
#define MINSIGSTKSZ 2048

#define SI_USER 0
#define SI_KERNEL 0x80
#define SI_QUEUE -1
#define SI_TIMER -2
#define SI_MESGQ -3
#define SI_ASYNCIO -4
#define SI_SIGIO -5
#define SI_TKILL -6
#define ILL_ILLOPC 1
#define ILL_ILLOPN 2
#define ILL_PRVOPC 5
#define FPE_INTDIV 1
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_PKUERR 4
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define BUS_OBJERR 3
#define TRAP_BRKPT 1
#define TRAP_TRACE 2
#define TRAP_HWBKPT 4
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define POLL_IN 1
#define POLL_OUT 2
#define SYS_SECCOMP 1
#endif
#define HUSK_SIG_DFL ((void *)0)
#define HUSK_SIG_IGN ((void *)1)
#define HUSK_SIG_ERR ((void *)-1)

/* The ABI's siginfo_t: 128 bytes, these at their x86-64 offsets. */
struct kernel_siginfo {
	int si_signo, si_errno, si_code, _pad0;
	union {
		struct {
			int pid;
			u32 uid;
			union {
				int status;
				u64 value;
			};
			s64 utime, stime;
		} _chld; /* also kill, rt: value at 24 */
		struct {
			int tid, overrun;
			u64 value;
			int sys_private;
		} _timer;
		struct {
			u64 addr;
			short addr_lsb;
			u64 lower, upper;
		} _fault;
		struct {
			s64 band;
			int fd;
		} _poll;
		struct {
			u64 call_addr;
			int syscall;
			u32 arch;
		} _sys;
		u8 _pad[112];
	};
};
#define si_pid_(i) ((i)->_chld.pid)
#define si_uid_(i) ((i)->_chld.uid)
#define si_status_(i) ((i)->_chld.status)
#define si_value_(i) ((i)->_chld.value)
#define si_addr_(i) ((i)->_fault.addr)
static_assert(sizeof(struct kernel_siginfo) == 128, "siginfo is 128 bytes");

#endif
