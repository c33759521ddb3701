# SPDX-License-Identifier: Apache-2.0
# gdb commands for husk's kernel, in a dump or attached to: husk-ps, husk-log, husk-bt.
#   gdb build/husk-kernel VMCORE -ex 'source scripts/husk-gdb.py' -ex husk-ps
import gdb
import re

MAX_WALK = 1000000
THREAD_SIZE = 32768  # include/husk/thread_info.h


class Trouble(gdb.GdbError):
    pass


def value(expression):
    try:
        return gdb.parse_and_eval(expression)
    except gdb.error as e:
        raise Trouble("%s: %s (is this husk's kernel, with its symbols?)" % (expression, e))


def offset_of(type_name, member):
    t = gdb.lookup_type(type_name)
    return next(f.bitpos // 8 for f in t.fields() if f.name == member)


def list_entries(head, type_name, member):
    """The objects on a list; a link that does not point back ends it."""
    pointer = gdb.lookup_type(type_name).pointer()
    off = offset_of(type_name, member)
    start = int(head.address)
    prev, at = start, int(head["next"])
    for _ in range(MAX_WALK):
        if at == start or not at:
            return
        entry = gdb.Value(at - off).cast(pointer)
        try:
            link = entry.dereference()[member]
            if int(link["prev"]) != prev:
                gdb.write("(the list is damaged at %#x)\n" % at, gdb.STDERR)
                return
            prev, at = at, int(link["next"])
        except gdb.MemoryError:
            gdb.write("(the list leads out of memory at %#x)\n" % at, gdb.STDERR)
            return
        yield entry


def tasks():
    yield value("&init_task")
    for leader in list_entries(value("init_task_list"), "struct task_struct", "tasks"):
        seen = False
        for t in list_entries(leader["signal"]["thread_head"], "struct task_struct", "thread_node"):
            seen = seen or int(t) == int(leader)
            yield t
        if not seen:
            yield leader


def text(raw):
    """A character array, up to its end, safe for a terminal."""
    data = bytes(int(raw[i]) & 0xFF for i in range(raw.type.range()[1] + 1)).split(b"\0")[0]
    return "".join(chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in data)


def state(t):
    e, s = int(t["exit_state"]), int(t["state"])
    for bits, name in ((e & 32, "Z"), (e & 16, "X"), (s & 8, "t"), (s & 4, "T"), (s & 2, "D"), (s & 1, "S")):
        if bits:
            return name
    return "R"


def parent(t):
    p = t["real_parent"]
    return 0 if int(p) in (0, int(t)) else int(p.dereference()["tgid"])


class HuskPs(gdb.Command):
    """husk-ps: the tasks of the sandbox: pid, parent, address, state, name; > marks the crashed one."""

    def __init__(self):
        super().__init__("husk-ps", gdb.COMMAND_STATUS)

    def invoke(self, arg, from_tty):
        gdb.write("    PID    PPID  TASK           ST  COMM\n")
        for t in tasks():
            gdb.write("%7d %7d  %#x %s   %s\n" % (int(t["pid"]), parent(t), int(t), state(t), text(t["comm"])))


class HuskLog(gdb.Command):
    """husk-log: the kernel log."""

    def __init__(self):
        super().__init__("husk-log", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        boot = value("boot").dereference()
        size, head = int(boot["log_size"]), int(boot["log_head"])
        if not 0 < size <= 1 << 26 or size & (size - 1):
            raise Trouble("the log's size makes no sense: %d" % size)
        base = int(value("direct_map")) + int(boot["log_phys"])
        ring = bytes(gdb.selected_inferior().read_memory(base, size))
        start = max(0, head - size)
        first = start & (size - 1)
        data = (ring[first:] + ring[:first])[: head - start]
        for line in data.split(b"\n"):
            s = "".join(chr(c) if 32 <= c < 127 or c == 9 else "\\x%02x" % c for c in line)
            if s:
                gdb.write(re.sub(r"^<\d>", "", s) + "\n")


def find_task(arg):
    arg = arg.strip()
    for t in tasks():
        if not arg and int(t["pid"]) == 1 or arg == str(int(t["pid"])) or arg == "%#x" % int(t):
            return t
    raise Trouble("there is no task %s; husk-ps lists them" % (arg or 1))


def where(pc):
    block = gdb.block_for_pc(pc)
    while block and not block.function:
        block = block.superblock
    line = gdb.find_pc_line(pc - 1)
    place = " at %s:%d" % (line.symtab.filename, line.line) if line.symtab else ""
    return "%s%s" % (block.function if block else gdb.execute("info symbol %#x" % pc, to_string=True).strip(), place)


class HuskBt(gdb.Command):
    """husk-bt [PID|TASK]: where a sleeping task is in the kernel, by its frame pointers. gdb's own bt knows the threads of a dump; this
    one needs no registers."""

    def __init__(self):
        super().__init__("husk-bt", gdb.COMMAND_STACK)

    def invoke(self, arg, from_tty):
        t = find_task(arg)
        ti = t["ti"]
        gdb.write("PID %d %s\n" % (int(t["pid"]), text(t["comm"])))
        fp = int(ti.dereference()["sleep_bp"]) if int(ti) else 0
        low, high = int(ti) & ~(THREAD_SIZE - 1), int(ti)
        word = gdb.lookup_type("unsigned long").pointer()
        if not low <= fp < high:
            raise Trouble("it does not sleep: \"info threads\" has its registers, if the dump does")
        for n in range(64):
            record = gdb.Value(fp).cast(word)
            up, ret = int(record[0]), int(record[1])
            gdb.write("#%-2d [%#x] %#x in %s\n" % (n, fp, ret, where(ret)))
            if not fp < up < high:
                break
            fp = up


HuskPs()
HuskLog()
HuskBt()
