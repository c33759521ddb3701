#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Runs the scribbling kernel (scribble.c), and meanwhile every tool that looks into a sandbox: monitor and tools must end, not crash, and
# command nobody's terminal; nothing outside the share may change. usage: scribble.py HUSK KERNEL [ROUNDS [SEED]]
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HUSK, KERNEL = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
PATIENCE = 120
BAD = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
CRASHES = ("monitor crashed", "AddressSanitizer", "runtime error", "LeakSanitizer")


def check(what, status, text):
    if status < 0 or status in (124, 134, 139) or any(c in text.decode(errors="replace") for c in CRASHES):
        return f"{what}: status {status}: {text[-2000:].decode(errors='replace')}"
    found = BAD.search(text)
    if found:
        return f"{what}: control characters: {text[max(0, found.start() - 80):found.start() + 40]}"
    return ""


def tool(work, name, *args):
    command = [HUSK, *args]
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"{' '.join(args)} does not end"
    return check(" ".join(args), p.returncode, p.stdout)


def one_round(work, seed):
    name = f"scribble-{os.getpid()}"
    env = dict(os.environ, HUSK_KERNEL=KERNEL)
    share = work + "/share"
    with open(work + "/err", "w+b") as err:
        p = subprocess.Popen(
            [HUSK, "run", "--platform=none", "--memory", "64m", "--name", name, "-v", share + ":/mnt", "--dump-dir", work + "/dumps",
             "--log", work + "/log", "--root", work + "/root", "--", "/bin/true", str(seed)],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if seed % 2 else err)
        problem = ""
        tools = [("ps", name), ("ps", "--json", name), ("top", "-b", "-n", "2", "-d", "0.1", name), ("top", "-b", "-H", "-K", name),
                 ("trace", "-f", name), ("trace", "--json", name), ("dump", name), ("crash", "--live", name, "-c", "sys; ps; log; mount")]
        n = 0
        while p.poll() is None and not problem:
            args = tools[n % len(tools)]
            n += 1
            if args[0] == "trace":  # until the sandbox ends
                args = ("trace", *args[1:])
            problem = tool(work, name, *args)
        try:
            status = p.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            p.kill()
            return "the monitor does not end"
        err.seek(0)
        text = err.read()
        # the guest's own standard error is in it: only what the monitor says of itself counts
        if status < 0 or any(c in text.decode(errors="replace") for c in CRASHES):
            problem = problem or f"husk run: status {status}: {text[-3000:].decode(errors='replace')}"
    with open(work + "/log", "rb") as f:
        return problem or check("log", 0, f.read())


def main():
    work = tempfile.mkdtemp(prefix="husk-scribble.")
    problem = ""
    for d in ("/share", "/dumps", "/root"):
        os.mkdir(work + d)
    with open(work + "/canary", "w") as f:
        f.write("untouched")
    for n in range(ROUNDS):
        problem = one_round(work, SEED + n)
        if problem:
            problem = f"round {n} of seed {SEED}: {problem}"
            break
    with open(work + "/canary") as f:
        if f.read() != "untouched":
            problem = "a file outside of the share was changed"
    extra = set(os.listdir(work)) - {"share", "dumps", "root", "canary", "err", "log"}
    if extra:
        problem = f"files outside of the share: {extra}"
    shutil.rmtree(work)
    if problem:
        sys.exit(problem)


main()
