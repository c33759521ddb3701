#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Writes a dump of a running sandbox's RAM without the dump kernel: the analyser's tests and fuzzer want small ones of known shape.
# usage: mkcore.py SANDBOX OUT [--no-build-id]
import array, json, os, socket, struct, sys, time

DIRECT_MAP, KERNEL_BASE, KERNEL_PHYS = 0x701000000000, 0x700000000000, 0x200000
PAGE = 4096
PF_ZERO = 0x00100000


def ask(name, cmd):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("\0husk/%d/%s" % (os.getuid(), name))
    s.send(json.dumps({"cmd": cmd}).encode())
    data, anc, _, _ = s.recvmsg(65536, socket.CMSG_LEN(64))
    fds = array.array("i")
    for level, kind, d in anc:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(d[: len(d) - len(d) % 4])
    return json.loads(data), list(fds)


def note(owner, kind, desc):
    name = owner.encode() + b"\0"
    pad = lambda b: b + b"\0" * (-len(b) % 4)
    return struct.pack("<III", len(name), len(desc), kind) + pad(name) + pad(desc)


def build_id(elf):
    """From the kernel file's note segment."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    phnum, = struct.unpack_from("<H", elf, 56)
    for i in range(phnum):
        kind, _, off, _, _, size = struct.unpack_from("<IIQQQQ", elf, phoff + 56 * i)
        if kind == 4 and elf[off + 12 : off + 15] == b"GNU":
            return elf[off + 16 : off + 36].hex()
    return ""


def image_size(elf):
    phoff, = struct.unpack_from("<Q", elf, 32)
    phnum, = struct.unpack_from("<H", elf, 56)
    ends = [struct.unpack_from("<IIQQQQQQ", elf, phoff + 56 * i) for i in range(phnum)]
    return (max(p[3] + p[6] for p in ends if p[0] == 1) - KERNEL_BASE + PAGE - 1) & -PAGE


def stretches(fd, size):
    """(start, end, is_data) of the file, in order."""
    at = 0
    while at < size:
        try:
            data = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            data = size
        if data > at:
            yield at, min(data, size), False
        if data >= size:
            return
        at = os.lseek(fd, data, os.SEEK_HOLE)
        yield data, at, True


def main():
    name, out = sys.argv[1], sys.argv[2]
    answer, fds = ask(name, "ram")
    ram, size = fds[0], answer["ram_size"]
    _, kfds = ask(name, "kernel")
    elf = os.pread(kfds[0], 1 << 26, 0)
    info = struct.pack("<6I", 1, 0, 4, 1, 0, 1) + struct.pack("<QQ", time.time_ns(), 0)
    info += struct.pack("<4Q", size, KERNEL_PHYS, 0, 0) + struct.pack("<3Q", 0, 0, 0) + struct.pack("<3Q", size, 0, 0)
    info += struct.pack("<4I", 0, 0, 0, 0) + name.encode().ljust(64, b"\0") + b"asked for by a test".ljust(256, b"\0")
    notes = note("HUSK", 0x48550002, info)
    if "--no-build-id" not in sys.argv:
        notes += note("VMCOREINFO", 0, ("OSRELEASE=husk\nBUILD-ID=%s\nPAGESIZE=4096\n" % build_id(elf)).encode())
    loads = list(stretches(ram, size))
    image = KERNEL_PHYS + image_size(elf)
    again = [(max(a, KERNEL_PHYS), min(b, image), a) for a, b, d in loads if d and a < image and b > KERNEL_PHYS]
    offset = 64 + 56 * (len(loads) + len(again) + 1)
    images = b""
    headers = struct.pack("<IIQQQQQQ", 4, 0, offset, 0, 0, len(notes), len(notes), 4)
    offset = (offset + len(notes) + PAGE - 1) & -PAGE
    for start, end, data in loads:
        n = end - start
        headers += struct.pack("<IIQQQQQQ", 1, 6 | (0 if data else PF_ZERO), offset, DIRECT_MAP + start, start,
                               n if data else 0, n, PAGE)
        for a, b, of in again:  # the image a second time, where it runs
            if of == start:
                images += struct.pack("<IIQQQQQQ", 1, 7, offset + a - start, KERNEL_BASE + a - KERNEL_PHYS, a, b - a, b - a,
                                      PAGE)
        offset += n if data else 0
    headers += images
    head = b"\x7fELF\2\1\1" + b"\0" * 9
    head += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, len(loads) + len(again) + 1, 0, 0, 0)
    with open(out, "wb") as f:
        f.write(head + headers + notes)
        f.write(b"\0" * (-f.tell() % PAGE))
        for start, end, data in loads:
            while data and start < end:
                n = min(end - start, 1 << 20)
                f.write(os.pread(ram, n, start))
                start += n


main()
