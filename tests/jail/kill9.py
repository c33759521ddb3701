#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Kills the monitor, or one of the sandbox's other processes, with SIGKILL at random moments of start, run and end. Nothing may be left: no
# process, mount, file, control group or socket; and a monitor that still lives must end and say something sensible.
# usage: kill9.py HUSK PLATFORM [ROUNDS [SEED]]
import ctypes
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

HUSK, PLATFORM = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
PATIENCE = 60
NAME = f"kill9-{os.getpid()}"
SCRIPT = "for i in 1 2 3; do (ls / | cat) >/dev/null; done; head -c 300000 /dev/zero >/mnt/x; exit 3"
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what is orphaned comes to this process
STATUSES = {3, 70, 125}  # the program's end; a crash of the sandbox; of its start

libc = ctypes.CDLL(None, use_errno=True)
work = f"/tmp/{NAME}"


def left_files():
    """What is left of this test in the places that programs leave things in."""
    found = []
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev/mqueue"):
        found += [p for p in glob.glob(f"{place}/*{NAME}*") + glob.glob(f"{place}/.*{NAME}*") if p != work]
    for top, dirs, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(top, d) for d in dirs if "husk" in d or "jail" in d]
    return found + os.listdir(work + "/state")


def mounts():
    with open("/proc/self/mountinfo") as f:
        return sorted(f)


def socket_is_there():
    with open("/proc/net/unix") as f:
        return any(line.rstrip().endswith("/" + NAME) for line in f)


def tree(pid):
    """pid and all below it."""
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{t}/children") as f:
                    todo += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def reap(until):
    """Waits for all children, those that were inherited too. False: some are left."""
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return True
    return False


def start():
    env = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": work + "/state"}
    return subprocess.Popen(
        [HUSK, "run", "--platform", PLATFORM, "--memory", "64m", "--name", NAME, "-v", work + "/share:/mnt", "--", "sh", "-c", SCRIPT],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def one_round(rng, length):
    p = start()
    time.sleep(rng.uniform(0, length))
    victim = p.pid
    if rng.random() < 0.5:
        victim = rng.choice(tree(p.pid))
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        pass
    try:
        text = p.communicate(timeout=PATIENCE)[1].decode(errors="replace")
    except subprocess.TimeoutExpired:
        p.kill()
        return f"the monitor does not end after the death of {victim} (it is {p.pid})"
    if p.returncode != -signal.SIGKILL and p.returncode not in STATUSES:
        return f"status {p.returncode}: {text}"
    if p.returncode in (70, 125) and "husk: " not in text:
        return f"status {p.returncode} without a word"
    return "" if reap(time.monotonic() + PATIENCE) else f"processes are left: {tree(os.getpid())[1:]}"


def main():
    if libc.prctl(SUBREAPER, 1, 0, 0, 0):
        sys.exit("prctl")
    rng = random.Random(SEED)
    for d in ("", "/share", "/state"):
        os.mkdir(work + d)
    mounted = mounts()
    begin = time.monotonic()
    if start().wait() != 3:
        sys.exit("the script does not run at all")
    length = (time.monotonic() - begin) * 1.1
    problem = ""
    for n in range(ROUNDS):
        problem = one_round(rng, length)
        if not problem and socket_is_there():
            problem = "its socket is left"
        if problem:
            problem = f"round {n} of seed {SEED}: {problem}"
            break
    reap(time.monotonic() + 5)
    for path in glob.glob(work + "/state/husk/vmcore-*"):
        os.unlink(path)  # dumps of sandboxes whose processes were killed: they are meant to stay
    start().wait()  # one that ends well: it also takes away what the dead could not
    if not problem and left_files():
        problem = f"files are left: {left_files()}"
    if not problem and mounts() != mounted:
        problem = "mounts are left"
    shutil.rmtree(work)
    if problem:
        sys.exit(problem)


main()
