#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Looks from the host at the mappings of a sandbox's processes: the window's have the kernel's key, the program's have none, nothing is writable and executable.
"""mappings.py HUSK PLATFORM PROGRAM"""
import os, re, subprocess, sys

TASK_SIZE = 0x700000000000
SCRATCH = range(0x7000E0000000, 0x7000E0200000)  # the gate's: user code may write there


def descendants(pid):
    parent = {}
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p) as f:
                parent[int(p)] = int(f.read().rpartition(")")[2].split()[1])
        except OSError:
            pass
    found, new = set(), {pid}
    while new:
        found |= new
        new = {p for p in parent if parent[p] in found} - found
    return found - {pid}


def mappings(pid):
    """(start, end, rights, offset, name, key) of each; key is None where the machine has no keys."""
    found = []
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)", line)
            if m:
                found.append([int(m[1], 16), int(m[2], 16), m[3], int(m[4], 16), m[5].strip(), None])
            elif line.startswith("ProtectionKey:"):
                found[-1][5] = int(line.split()[1])
    return found


def wrong(m, image, keys):
    start, end, rights, offset, name, key = m
    if "w" in rights and "x" in rights:
        return "writable and executable"
    if start < TASK_SIZE:
        if end > TASK_SIZE:
            return "reaches into the window"
        if offset < image[1] and offset + end - start > image[0]:
            return "shows the kernel's image"
        return "has key %d" % key if keys and key else None
    if name.startswith("[") or start >= 1 << 63:
        return "may be written" if "w" in rights else None
    if start in SCRATCH:
        return None if end <= SCRATCH.stop and "x" not in rights and not key else "is not what it must be"
    return "has key %d" % key if keys and key != 1 else None


def main():
    husk, platform, program = sys.argv[1:]
    keys = platform == "pku"
    p = subprocess.Popen([husk, "run", "--platform=" + platform, "--", program, "keys" if keys else "none", "stay"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    bad = seen = programs = 0
    for line in p.stdout:
        if line == "ready\n":
            break
    for pid in descendants(p.pid):
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read() != "husk-jail\n":
                    continue
            maps = mappings(pid)
        except OSError as e:
            print("SKIP: the mappings cannot be seen: %s" % e)
            continue
        at = [m for m in maps if m[0] == TASK_SIZE]
        window = [m for m in maps if TASK_SIZE <= m[0] < TASK_SIZE + (16 << 20)]
        image = at[0][3], max(m[3] + m[1] - m[0] for m in window)
        seen += 1
        programs += any(m[0] < TASK_SIZE for m in maps)
        for m in maps:
            why = wrong(m, image, keys)
            if why:
                print("FAIL process %d: %x-%x %s %x %s: %s" % (pid, *m[:5], why))
                bad = 1
    p.stdin.close()
    p.stdout.read()
    p.wait()
    print("%d processes, %d of them with a program in" % (seen, programs))
    if seen and programs < 3:
        print("FAIL: three were expected")
        bad = 1
    return bad


sys.exit(main())
