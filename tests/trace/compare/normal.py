# SPDX-License-Identifier: Apache-2.0
# Lines of a trace without what differs from run to run: addresses, process numbers, times; and their comparison.
"""normalise(line) is one line's constant form. tasks(prefix) reads PREFIX.TID files, split(text) the output of strace -f."""
import difflib, glob, re

ADDRESS = re.compile(r"0x[0-9a-f]{6,16}\b(?! /\* \S+_?\?\?)")
UNFINISHED = re.compile(r"(, *)?( *<unfinished \.\.\.>)?\) += \?$")
PID_FIELDS = re.compile(r"\b(si_pid|l_pid|pid|tms_[us]time|si_[us]time|sigev_notify_thread_id|parent_tid|tms_cutime|tms_cstime)=(\[)?-?\d+\b(?!x)(\])?"
                        r"( /\* [\d.]+ s \*/)?")
# arguments (from 0) that are process numbers, and whether the result is one
PIDS = {"kill": (0,), "tgkill": (0, 1), "tkill": (0,), "wait4": (0,), "getpgid": (0,), "setpgid": (0, 1), "getsid": (0,), "pidfd_open": (0,),
        "rt_sigqueueinfo": (0,), "rt_tgsigqueueinfo": (0, 1), "waitid": (1,), "sched_getaffinity": (0,), "sched_setaffinity": (0,),
        "get_robust_list": (0,), "process_vm_readv": (0,), "process_vm_writev": (0,), "prlimit64": (0,), "getpriority": (1,), "setpriority": (1,),
        "sched_getscheduler": (0,), "sched_setscheduler": (0,), "sched_getparam": (0,), "sched_setparam": (0,), "sched_rr_get_interval": (0,),
        "ptrace": (1,)}
PID_RESULT = {"getpid", "gettid", "getppid", "fork", "vfork", "clone", "clone3", "wait4", "getpgrp", "getpgid", "getsid", "setsid", "set_tid_address"}
# results that are times or sizes of this moment
ANY_RESULT = {"times", "time", "getpriority"}
TIMES = re.compile(r"tv_sec=-?\d+, tv_([nu])sec=\d+")
# calls whose times are what the clock says, not what the program says
CLOCKS = {"clock_gettime", "gettimeofday", "getrusage", "wait4", "waitid", "getitimer", "timer_gettime", "timerfd_gettime", "clock_nanosleep", "nanosleep",
          "setitimer", "timer_settime", "timerfd_settime", "adjtimex", "clock_adjtime", "clock_getres", "futex", "select", "pselect6", "ppoll", "recvmmsg",
          "sched_rr_get_interval", "restart_syscall", "rt_sigtimedwait", "getrandom", "semtimedop", "epoll_pwait2"}
# calls of which all numbers are the machine's
NUMBERS = {"sysinfo", "statfs", "fstatfs", "adjtimex", "clock_adjtime", "ustat"}
RANDOM = re.compile(r'"(\\x[0-9a-f]{2})+"')


def call_of(line):
    m = re.match(r"([a-z_0-9]+)\(", line)
    return m.group(1) if m else None


def top_level(args):
    """The arguments of a call's text, split at commas outside brackets and strings."""
    out, depth, quoted, begin, i = [], 0, False, 0, 0
    while i < len(args):
        c = args[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(args[begin:i])
            begin = i + 2
        i += 1
    out.append(args[begin:])
    return out


def normalise(line):
    line = UNFINISHED.sub(") = ?", line.rstrip("\n"))
    line = re.sub(r"\) +(= )", r") \1", line)
    name = call_of(line)
    if name:
        m = re.match(r"([a-z_0-9]+)\((.*)\) = (.*)$", line, re.S)
        if m:
            args, result = m.group(2), m.group(3)
            if name in PIDS:
                part = top_level(args)
                for i in PIDS[name]:
                    if i < len(part) and re.fullmatch(r"-?[1-9]\d+|[1-9]", part[i]) and part[i] != "-1":
                        part[i] = "PID" if not part[i].startswith("-") else "-PID"
                args = ", ".join(part)
            if name in PID_RESULT and re.match(r"[1-9]\d*$", result) or name == "getppid":
                result = "PID"
            if name in ANY_RESULT:
                result = "NUMBER"
            if name == "getrandom":
                args = RANDOM.sub("RANDOM", args)
            if name in CLOCKS:
                args = TIMES.sub(r"TIME\1", args)
                result = TIMES.sub(r"TIME\1", result)
            if name in NUMBERS:
                args = re.sub(r"\b\d+\b", "N", re.sub(r"\b0x[0-9a-f]+\b", "N", args))
            if name == "rt_sigreturn" and re.match(r"[1-9]\d*$", result):
                result = "NUMBER"
            if name in ("brk", "getdents64"):
                args, result = (re.sub(r"0x[0-9a-f]+", "ADDR", x) for x in (args, result))
            if name == "futex" and "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, " in args:
                args = re.sub(r"(CLOCK_REALTIME, )\d+, NULL", r"\1PID, NULL", args)
            if name == "ioctl" and re.search(r"TIOC[GS](PGRP|SID)", args):
                args = re.sub(r"\[\d+\]", "[PID]", args)
            if "S_IFDIR" in args:
                args = re.sub(r"(st|stx)_size=\d+", r"\1_size=N", args)
            line = "%s(%s) = %s" % (name, args, result)
    line = PID_FIELDS.sub(r"\1=N", line)
    line = re.sub(r"(listxattr\([^\"]*(?:\"[^\"]*\", )?)\"user\.[^\"]*\"(?:\.\.\.)?", r"\1NAMES", line) # each file system has its order
    line = re.sub(r"<(pipe|socket|anon_inode):\[\d+\]>", r"<\1:[N]>", line)
    line = re.sub(r"\b(st_dev=|st_rdev=)makedev\([^)]*\)", r"\1N", line) if "st_dev=" in line else line
    line = re.sub(r"\b(stx?_(?:[abcm]time(?:_nsec)?|ino|blocks|mnt_id|dev_major|dev_minor|attributes_mask)|d_ino|d_off)="
                  r"(?:\{[^}]*\}|[-\w]+(?:\|\w+)*)(?: /\* [^*]* \*/)?", r"\1=N", line)
    line = re.sub(r"((?:/tmp/cc|\.git/t|/husk-t-))\w{6}\b", r"\1NAME", line)
    line = re.sub(r"/proc/\d+\b", "/proc/PID", line)
    line = re.sub(r"(/\* )\d+ vars( \*/)", r"\1N vars\2", line)
    return ADDRESS.sub("ADDR", line)


MADE_UP = re.compile(r"openat\(AT_FDCWD(?:<[^>]*>)?, \"(/proc|/sys)/[^\"]*\", .*\) = (\d+)")


def contents(lines):
    """Files of /proc and /sys say what the kernel is: their reading becomes one line, however many calls it takes."""
    out, fds = [], {}
    for l in lines:
        m = MADE_UP.match(l)
        if m:
            fds[m.group(2)] = m.group(1)
        m = re.match(r"(read|pread64|newfstatat|fstat|lseek|close)\((\d+)[,)<]", l)
        if m and m.group(2) in fds:
            if m.group(1) == "close":
                del fds[m.group(2)]
            elif m.group(1) != "newfstatat":
                l = "read(a file of %s)" % fds[m.group(2)]
                if out and out[-1] == l:
                    continue
            else:
                l = re.sub(r"st_size=\d+|st_blksize=\d+", "N", l)
        out.append(l)
    return out


def tasks(prefix):
    """The lines of each task from files PREFIX.TID, in the order of the tasks' numbers."""
    out = []
    for path in glob.glob(glob.escape(prefix) + ".*"):
        with open(path, encoding="utf-8", errors="backslashreplace") as f:
            out.append((int(path.rsplit(".", 1)[1]), f.read().splitlines()))
    return [lines for _, lines in sorted(out)]


def split(text, first=None):
    """The lines of each task in the output of -f, in the order of first appearance; what was interrupted is put together."""
    order, lines, open_call = [], {}, {}
    for line in text.splitlines():
        m = re.match(r"(?:\[pid +(\d+)\]|(\d+)) +(.*)", line)
        tid, line = (m.group(1) or m.group(2), m.group(3)) if m else (first, line)
        if tid not in lines:
            order.append(tid)
            lines[tid] = []
        if re.match(r"(strace: )?Process \d+ attached", line):
            continue
        m = re.match(r"(.*) <unfinished \.\.\.>$", line)
        if m:
            open_call[tid] = m.group(1)
            continue
        m = re.match(r"<\.\.\. \w+ resumed>(.*)", line)
        if m and tid in open_call:
            line = open_call.pop(tid) + m.group(1)
        lines[tid].append(line)
    for tid, rest in open_call.items():
        lines[tid].append(rest + ") = ?")
    return [lines[t] for t in order]


def compare(a, b, allowed=(), names=("strace", "husk trace")):
    """Differences of two lists of tasks' lines, as text; allowed: regular expressions of lines that may differ."""
    out = []
    if len(a) != len(b):
        out.append("%s has %d tasks, %s has %d" % (names[0], len(a), names[1], len(b)))
    for i, (x, y) in enumerate(zip(a, b)):
        # what may differ goes first, so that the rest stands beside its like
        x, y = [[l for l in map(normalise, contents(t)) if not any(re.search(p, l) for p in allowed)] for t in (x, y)]
        for l in difflib.unified_diff(x, y, "%s, task %d" % (names[0], i), "%s, task %d" % (names[1], i), n=0, lineterm=""):
            if l[:3] in ("---", "+++") and ", task" in l or l.startswith("@@"):
                continue
            out.append(l)
    return out
