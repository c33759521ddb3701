#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Runs a command as a container's root: in a user namespace that has root and the numbers that husk gives jails, and no further ones.
# usage: container.py COMMAND [ARG...]
import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
IDS = "0 0 1\n2147483648 2147483648 1073741824\n"


def run(parent, child):
    pid = os.fork()
    if pid:
        parent(pid)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xFF)
    child()


ready, mapped = os.pipe(), os.pipe()


def parent(pid):
    os.read(ready[0], 1)
    for which in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{which}", "w") as f:
            f.write(IDS)
    os.write(mapped[1], b"x")


def child():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        sys.exit("no user namespaces here")
    os.write(ready[1], b"x")
    os.read(mapped[0], 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as f:
        f.write("0")
    os.execvp(sys.argv[1], sys.argv[1:])


run(parent, child)
