#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Checks the structure of a dump, by docs/design/mini-dump.md, with no code of husk's. Prints NAME=VALUE lines of what it says.
# usage: check.py DUMP
import struct
import sys

ZERO, FILTERED, LOST = 0x100000, 0x200000, 0x400000
INFO, TASK = 0x48550002, 0x48550003
DIRECT, BASE = 0x701000000000, 0x700000000000


def fail(text):
    sys.exit(f"{sys.argv[1]}: {text}")


def notes(data):
    at = 0
    while at + 12 <= len(data):
        namesz, descsz, kind = struct.unpack_from("<III", data, at)
        name = data[at + 12:at + 12 + namesz - 1]
        desc = at + 12 + (namesz + 3 & ~3)
        if desc + descsz > len(data):
            fail("a note reaches beyond the segment")
        yield name.decode(), kind, data[desc:desc + descsz]
        at = desc + (descsz + 3 & ~3)


def cstring(b):
    return b.split(b"\0")[0].decode()


def headers(f):
    f.seek(0)
    eh = f.read(64)
    if eh[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", eh, 16) != (4, 62):
        fail("no ELF core file of x86-64")
    phoff, = struct.unpack_from("<Q", eh, 32)
    phnum, = struct.unpack_from("<H", eh, 56)
    f.seek(phoff)
    return [struct.unpack("<IIQQQQQQ", f.read(56)) for _ in range(phnum)]


def check_loads(ph, size, ram_size, lost):
    """Every byte of RAM once at its direct-map address; the image a second time, with the same bytes."""
    at, segs = 0, []
    for typ, flags, off, vaddr, paddr, filesz, memsz, _ in ph:
        if typ != 1:
            continue
        if filesz and off + filesz > size:
            fail(f"bytes of {vaddr:x} lie beyond the file's end")
        if filesz not in (0, memsz) and not flags & LOST:
            fail(f"{vaddr:x} is there in part, and nothing says why")
        if not filesz and not flags & (ZERO | FILTERED | LOST):
            fail(f"{vaddr:x} has no bytes, and nothing says why")
        if flags & LOST and not lost:
            fail("something is lost in a complete dump")
        if vaddr >= DIRECT:
            if vaddr != DIRECT + paddr:
                fail(f"{vaddr:x} is not the direct-map address of {paddr:x}")
            segs.append((paddr, memsz, off, filesz))
        elif vaddr - BASE + 0x200000 != paddr:
            fail(f"{vaddr:x} is not where the image has {paddr:x}")
        else:
            image = [s for s in segs if s[0] <= paddr and paddr + memsz <= s[0] + s[1]]
            if not image or (filesz and image[0][2] + paddr - image[0][0] != off):
                fail(f"the image at {vaddr:x} has other bytes than RAM")
    for paddr, memsz, _, _ in sorted(segs):
        if paddr != at:
            fail(f"RAM at {at:x} is in no segment, or in two")
        at += memsz
    if at != ram_size:
        fail(f"the segments end at {at:x}, RAM at {ram_size:x}")


def main():
    f = open(sys.argv[1], "rb")
    ph = headers(f)
    f.seek(0, 2)
    size = f.tell()
    if ph[0][0] != 4:
        fail("the first segment is not PT_NOTE")
    f.seek(ph[0][2])
    ns = list(notes(f.read(ph[0][5])))
    if ns[0][:2] != ("HUSK", INFO) or ns[1][0] != "VMCOREINFO":
        fail("the first notes are not HUSK's and VMCOREINFO")
    b = ns[0][2]
    version, isize, reason, level, lost, complete = struct.unpack_from("<6I", b)
    (_, _, ram_size, _, _, _, log_phys, log_size, log_head, total, bytes_lost, current, ntasks, nregs, zero,
     filtered) = struct.unpack_from("<12Q4I", b, 24)
    if isize != len(b) or version != 1:
        fail("the info note has another size")
    check_loads(ph, size, ram_size, bytes_lost)
    if bool(complete) == bool(bytes_lost):
        fail("complete and bytes lost contradict each other")
    regs, comms = [struct.unpack_from("<I", d, 0) for n, k, d in ns if (n, k) == ("CORE", 1)], []
    for n, k, d in ns:
        if (n, k) == ("HUSK", TASK):
            task, ti, pid, tgid, tid, source, user, state = struct.unpack_from("<QQiiiIII", d)
            comms.append(f"{pid}:{cstring(d[40:56])}:{source}")
            if len(comms) == 1 and current and task != current:
                fail("the crashed task is not the first")
    if len(regs) != len(comms) or (len(comms) != ntasks and not bytes_lost):
        fail(f"{ntasks} tasks, {len(comms)} notes of tasks, {len(regs)} of registers")
    info = dict(line.split("=", 1) for line in cstring(ns[1][2] + b"\0").splitlines())
    if not info["OSRELEASE"].startswith("husk-") or len(info["BUILD-ID"]) != 40:
        fail("VMCOREINFO says nothing of the kernel")
    log = b""
    for typ, flags, off, vaddr, paddr, filesz, memsz, _ in ph:
        if typ == 1 and filesz and vaddr == DIRECT + paddr and paddr <= log_phys < paddr + filesz:
            f.seek(off + log_phys - paddr)
            log = f.read(min(log_head, log_size))
    print(f"reason={reason}\nlevel={level}\nlost={lost:#x}\ncomplete={complete}\nbytes_lost={bytes_lost}\ntasks={ntasks}\nregs_lost={nregs}")
    print(f"sandbox={cstring(b[136:200])}\ncause={cstring(b[200:456])}\nzero={zero}\nfiltered={filtered}\nsize={size}")
    print("task=" + "\ntask=".join(comms))
    print("log=" + "\nlog=".join(log.decode(errors="replace").splitlines()))


main()
