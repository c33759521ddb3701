# SPDX-License-Identifier: Apache-2.0
# What is measured: one Job is one command run in a sandbox, and gives the values of one or more Rows.
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    id: str
    title: str
    unit: str = "ns"  # "ns" or "bytes"
    ratio: float | None = None  # target: at most this times native
    most: float | None = None  # target: at most this much, in the row's unit


@dataclass(frozen=True)
class Job:
    # inside: the command prints "result ROW VALUE" lines itself, so the start of the sandbox is not in them.
    # whole: wall time of the whole command, start and end of the sandbox included.
    # memory: what the command's processes hold while it sleeps.
    kind: str
    argv: tuple
    rows: tuple
    needs: tuple = ()  # programs on PATH
    fresh: bool = False  # warm the host before each cell, not only after a pause


def inside(program, *rows, fresh=False):
    return [Job("inside", ("@" + program, row.id), (row,), fresh=fresh) for row in rows]


def shell(script):
    return ("/bin/sh", "-c", script)


MS = 1e6
MIB = 1 << 20

# "@name" is replaced by the path of build/bench/name, "%name" by that of bench/name.
TARGETS = [
    *inside(
        "syscall",
        Row("getppid", "getppid through libc", ratio=0.8),
        Row("read4k", "read 4 KiB of a cached file", ratio=1.5),
        Row("open_close", "open+close of an existing file", ratio=1.5),
        Row("stat", "stat of an existing file", ratio=1.5),
    ),
    *inside(
        "memory",
        Row("touch_first", "anonymous memory, per page, first", ratio=1.0),
        Row("touch_again", "anonymous memory, per page, again", ratio=1.0),
        fresh=True,
    ),
    *inside(
        "process",
        Row("fork", "fork+wait", ratio=1.5),
        Row("vfork_exec", "vfork+exec+wait of /bin/true", ratio=1.5),
        Row("signal", "signal to self and handler", ratio=1.5),
    ),
    Job("whole", ("/bin/true",), (Row("true", "cold start of /bin/true, whole", most=15 * MS),)),
    Job(
        "memory",
        shell("echo ready; exec sleep 1000"),
        (
            Row("pss", "memory while sleep runs, PSS", unit="bytes", most=6 * MIB),
            Row("held", "the same + memfd pages not mapped", unit="bytes"),
        ),
    ),
    Job("whole", ("python3", "-c", "pass"), (Row("python", "python3 -c pass, whole", ratio=2.0),), ("python3",)),
    Job(
        "whole",
        shell("gcc -o $BENCH_TMP/hello-$$ %hello.c && $BENCH_TMP/hello-$$; s=$?; rm -f $BENCH_TMP/hello-$$; exit $s"),
        (Row("gcc", "gcc hello world, whole", ratio=2.0),),
        ("gcc",),
    ),
    Job(
        "inside",
        ("@timed", "find_first,find_second", "find", "/usr/lib"),
        (
            Row("find_first", "find /usr/lib, first time", ratio=4.0),
            Row("find_second", "find /usr/lib, second time", ratio=1.5),
        ),
    ),
    Job(
        "whole",
        shell("tar cf - -C / usr/include | wc -c"),
        (Row("tar", "tar of /usr/include | wc, whole", ratio=2.5),),
    ),
    Job(
        "inside",
        ("python3", "%sqlite.py", "sqlite_tx"),
        (Row("sqlite_tx", "sqlite3, 10,000 rows, 1 transaction", ratio=1.5),),
        ("python3",),
    ),
    Job(
        "inside",
        ("python3", "%sqlite.py", "sqlite_auto"),
        (Row("sqlite_auto", "sqlite3, per row, autocommit", ratio=1.5),),
        ("python3",),
    ),
]

# No target; they say where time goes when a target is missed.
EXTRA = [
    *inside("syscall", Row("write_null", "write to /dev/null"), Row("clock", "clock_gettime")),
    *inside("memory", Row("mmap_munmap", "mmap+touch+munmap of 64 KiB")),
    *inside("process", Row("thread", "thread create+join")),
    *inside(
        "ipc",
        Row("pipe", "pipe round trip, 2 processes"),
        Row("unix", "unix socket round trip"),
        Row("futex", "futex round trip, 2 threads"),
    ),
    *inside(
        "files",
        Row("create_unlink", "create+write+unlink, tmpfs"),
        Row("rename_twice", "rename there and back, tmpfs"),
        Row("list100", "list 100 entries, tmpfs"),
    ),
    Job(
        "whole",
        shell("i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done"),
        (Row("sh50", "sh running 50 commands, whole"),),
    ),
    Job(
        "whole",
        shell("sqlite3 $BENCH_TMP/cli-$$.db < %insert.sql; s=$?; rm -f $BENCH_TMP/cli-$$.db; exit $s"),
        (Row("sqlite_cli", "sqlite3 command, 10,000 rows, whole"),),
        ("sqlite3",),
    ),
    Job("whole", ("node", "-e", "0"), (Row("node", "node -e 0, whole"),), ("node",)),
]

JOBS = TARGETS + EXTRA
