#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# drgn on a dump of husk: opens it, and gives for_each_task() and the like. drgn takes a core with a VMCOREINFO note for one of Linux, so the
# memory is added segment by segment, and the debug information comes from husk-kernel.
#   /usr/bin/python3 docs/drgn/husk.py build/husk-kernel VMCORE          prints the tasks
#   >>> import husk; prog = husk.open_dump("build/husk-kernel", "vmcore") in an interactive session
# A compressed dump is unpacked before: husk crash --extract ELF VMCORE.zst
import struct
import sys

import drgn
from drgn import container_of

PT_LOAD = 1
MAX_WALK = 1000000


def segments(core):
    """(address, size in the file, size in memory, offset) of each PT_LOAD."""
    head = core.read(64)
    if head[:5] != b"\x7fELF\2":
        raise ValueError("not an ELF dump; if it is compressed: husk crash --extract")
    phoff, = struct.unpack_from("<Q", head, 32)
    phnum, = struct.unpack_from("<H", head, 56)
    if phnum == 0xFFFF:
        core.seek(struct.unpack_from("<Q", head, 40)[0] + 44)
        phnum, = struct.unpack("<I", core.read(4))
    core.seek(phoff)
    for ph in struct.iter_unpack("<IIQQQQQQ", core.read(56 * phnum)):
        if ph[0] == PT_LOAD and ph[5]:
            yield ph[3], ph[5], ph[6], ph[2]


def open_dump(kernel, dump):
    core = open(dump, "rb")
    prog = drgn.Program(drgn.Platform(drgn.Architecture.X86_64))

    def reader(offset):
        def read(address, count, at, physical):
            core.seek(offset + at)
            return core.read(count)

        return read

    for address, size, _, offset in segments(core):
        prog.add_memory_segment(address, size, reader(offset))
    prog.load_debug_info([kernel])
    return prog


def list_entries(head, type_name, member):
    """Objects on a struct list_head; stops at a link that does not point back."""
    prev, at = head.address_of_(), head.next.read_()
    for _ in range(MAX_WALK):
        if at == head.address_of_() or at.prev.read_() != prev:
            return
        yield container_of(at, type_name, member)
        prev, at = at, at.next.read_()


def for_each_task(prog):
    """Every task but init_task: leaders, then their threads."""
    for leader in list_entries(prog["init_task_list"], "struct task_struct", "tasks"):
        yield from list_entries(leader.signal.thread_head, "struct task_struct", "thread_node")


def kernel_stack(task):
    """Return addresses of a sleeping task, up its frame pointers."""
    prog, frame = task.prog_, task.ti.sleep_bp.value_()
    low, high = task.ti.value_() & ~32767, task.ti.value_()
    while low <= frame < high:
        up, back = prog.read_word(frame), prog.read_word(frame + 8)
        yield back
        frame = up if up > frame else 0


def log(prog):
    boot = prog["boot"]
    size, head = boot.log_size.value_(), boot.log_head.value_()
    ring = prog.read(prog["direct_map"].value_() + boot.log_phys.value_(), size)
    start = max(0, head - size)
    first = start % size
    return (ring[first:] + ring[:first])[: head - start].decode(errors="replace")


def main():
    prog = open_dump(sys.argv[1], sys.argv[2])
    for task in for_each_task(prog):
        print(task.pid.value_(), hex(task.value_()), task.comm.string_().decode(errors="replace"))
        for address in kernel_stack(task):
            print("   ", prog.symbol(address - 1).name)


if __name__ == "__main__":
    main()
