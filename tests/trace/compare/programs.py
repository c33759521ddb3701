# SPDX-License-Identifier: Apache-2.0
# The programs whose traces are compared with strace's, and the differences that are honest.
"""Each program does the same in each run. A difference is allowed by a regular expression of the
normalised line, with its reason beside it."""

STRACE = "6.1"  # Debian 12


class Case:
    def __init__(self, name, command, needs=(), allowed=(), options=(), output_differs=False):
        self.name, self.command, self.needs, self.allowed = name, command, needs, list(allowed)
        self.options, self.output_differs = list(options), output_differs

    def argv(self, out):
        if isinstance(self.command, str):
            return ["/bin/sh", "-c", self.command]
        return [self.command[0].replace("@", out)] + [a.replace("@", out) for a in self.command[1:]]


# What differs in any program, because the kernel is another one.
ALLOWED = [
    r"^rseq\(",  # husk has no restartable sequences: ENOSYS
    r"^uname\(",  # the sandbox has its own name
    r"^f?statfs\(",  # the root is an overlay file system
    r"^sched_getaffinity\(",  # a mask has 64 bits
    r"^syscall_(0x|ADDR)",  # calls that no kernel has are not traced
    r'"system\.posix_acl_(access|default)", ',  # it has no access control lists
]

# When a child's end is heard of depends on who is faster.
CHILDREN = [r"^--- SIGCHLD ", r"^rt_sigreturn\(", r"^wait4\(.* = (\? ERESTARTSYS|PID$)"]

PROGRAMS = [
    Case("true", ["/bin/true"]),
    Case("echo", ["/bin/echo", "hello", "world"]),
    Case("cat", ["/bin/cat", "words"]),
    Case("ls", ["/bin/ls", "-l", "tree"]),
    Case("cp", ["/bin/cp", "words", "copy"]),
    Case("dd", ["/bin/dd", "if=/dev/zero", "of=out", "bs=512", "count=4", "status=none"]),
    Case("sh-pipeline", "cat words | sort | uniq -c | head -n 3", allowed=CHILDREN),
    Case("sh-redirect", "echo a >x; echo b >>x; read l <x; echo $l; rm x; mkdir d; rmdir d", allowed=CHILDREN),
    Case("python", ["/usr/bin/python3", "-S", "-c", "print(sum(range(10)))"]),
    Case("gcc", "gcc -O0 -o hello hello.c && ./hello", needs=["gcc"], allowed=CHILDREN + [r"^getrandom\("]),
    Case("tar", ["/bin/tar", "cf", "tree.tar", "tree"]),
    # reads /proc/self/maps into a buffer that grows with it
    Case("grep", ["/bin/grep", "-r", "needle", "tree"], allowed=[r"^(mmap|munmap)\(\w+, 16384", r"^close\(3\)", r"^read\(a file of /proc"]),
    Case("find", ["/usr/bin/find", "tree", "-name", "t*"]),
    Case("git", "git init -q . && git status --short", needs=["git"], allowed=CHILDREN),
    Case("sqlite", "sqlite3 db 'create table t(a); insert into t values(1),(2); select sum(a) from t;'", needs=["sqlite3"],
         allowed=CHILDREN + [r"^read\(\d, \".*, 44\)", r"^pwrite64\(4, .* (512|4), "]),  # a random number in the journal
    Case("sort", ["/usr/bin/sort", "--parallel=1", "words"]),
    Case("sed", ["/bin/sed", "-n", "s/line/LINE/p", "words"]),
    Case("awk", ["/usr/bin/awk", "{ n += $3 } END { print n }", "words"]),
    Case("fd-paths", ["/bin/cat", "words", "link"], options=["-y"]),
    Case("verbose", ["/bin/ls", "-l", "tree"], options=["-v", "-s", "100"]),
]

# Programs of tests/syscalls in which tasks do not race: in husk, and natively for the decoders. What they leave is removed in the
# order of the directory, which is each file system's own; malloc asks for random bytes at different times.
SYSCALLS = {"001_nolibc", "002_nolibc_regs", "003_hello", "004_args", "005_malloc", "006_file", "007_exit_term", "010_enosys", "013_mmap_file",
            "014_mmap_fixed", "015_mprotect", "016_mremap", "017_madvise", "018_stack", "019_mlock_mincore", "020_memfd", "024_exec_stack",
            "048_sched", "080_open", "082_rename_link", "086_xattr", "087_cwd", "091_splice", "102_unix_passing",
            "103_inet_loopback"}
SYSCALLS_HOST = {"001_nolibc", "010_enosys", "016_mremap", "045_creds", "080_open", "082_rename_link", "086_xattr", "088_dup_fcntl"}
CLEANING = [r"^unlinkat\(\d+, ", r"^(openat|newfstatat)\(\d+, ", r"^(close|fcntl|getdents64)\(\d", r"^getrandom\(", r"^pause\(", r"^kill\("]
OWN = {"045_creds": [r"^futex\("],  # a thread may end before it is waited for
       "048_sched": [r"^sched_getattr\("],  # the scheduler's slice is the host's
       "088_dup_fcntl": [r"^fcntl\(\d, F_SETOWN, "]}


def cases(part):
    out = list(PROGRAMS) if part == "husk" else [c for c in PROGRAMS if c.name in ("ls", "python", "tar", "fd-paths", "verbose")]
    out += [Case(n, ["@/" + n], allowed=CHILDREN + CLEANING + OWN.get(n, [])) for n in sorted(SYSCALLS if part == "husk" else SYSCALLS_HOST)]
    if part == "host":
        out.append(Case("flags", ["@/flags"]))
    return out
