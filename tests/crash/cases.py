#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What husk crash says of a sandbox, running or dumped, against what /proc inside said. usage: cases.py WORK NAME (see run)
import json, os, re, subprocess, sys, xml.etree.ElementTree as ET

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
husk, kernel = top + "/build/husk", top + "/build/husk-kernel"
work, name = sys.argv[1], sys.argv[2]
truth = json.load(open(work + "/truth.ready"))
me = truth["me"]
core = work + "/core"
passed = failed = 0


def crash(*args, source=None, stdin=""):
    cmd = [husk, "crash", *args, *(source if source is not None else [core])]
    p = subprocess.run(cmd, input=stdin, capture_output=True, text=True, timeout=120, errors="replace")
    return p.returncode, p.stdout, p.stderr


class Source:
    def __init__(self, label, args):
        self.label, self.args = label, args

    def text(self, commands):
        rc, out, err = crash("-c", commands, source=self.args)
        assert rc == 0, "status %d, stderr %r" % (rc, err)
        return out

    def json(self, commands):
        rc, out, err = crash("--json", "-c", commands, source=self.args)
        assert rc == 0, "status %d, stderr %r" % (rc, err)
        return [json.loads(line) for line in out.splitlines()]


def same(got, want, what=""):
    assert got == want, "%s: got %r, want %r" % (what, got, want)


cases = []


def case(fn):
    cases.append(fn)
    return fn


# ---- tasks ----


@case
def sys_says_what_it_is(s):
    o = s.json("sys")[0]
    same(o["state"], "running")
    assert len(o["build_id"]) == 40 and o["nodename"] == "husk", o
    same(o["memory_kb"], 96 * 1024)


@case
def ps_agrees_with_proc(s):
    got = {t["pid"]: t for t in s.json("ps")[0]["tasks"]}
    letters = {"RU": "RS", "IN": "S", "UN": "DI", "ST": "T", "TR": "t", "ZO": "Z", "DE": "X"}
    for t in truth["tasks"]:
        g = got[t["pid"]]
        same(g["tgid"], t["tgid"], "tgid of %d" % t["pid"])
        same(g["comm"], t["comm"], "name of %d" % t["pid"])
        same(g["ppid"], t["ppid"], "parent of %d" % t["pid"])
        if t["pid"] != me:  # it ran when it looked
            assert t["state"] in letters[g["state"]], (t, g)
    same(sorted(p for p, t in got.items() if t["tgid"] == me), truth["threads"])
    same([t for t in got.values() if t["lost"]], [])
    same(got[me]["state"], "IN")
    same(got[truth["zombie"]]["state"], "ZO")


@case
def ps_lists_arguments(s):
    assert "ARG: sleep 100000" in s.text("ps -a %d" % truth["child"])


@case
def ps_shows_ancestors(s):
    line = s.text("ps -p %d" % truth["child"]).splitlines()
    same(['"python3"' in x or '"sleep"' in x for x in line if x][-2:], [True, True])


@case
def set_and_task(s):
    o = s.json("set %d; task -R pid,comm %d" % (truth["child"], me))
    same((o[0]["pid"], o[0]["comm"]), (truth["child"], "sleep"))
    t = o[1]["tasks"][0]
    same((t["pid"], t["comm"]), (me, "python3"))


@case
def backtrace_of_a_reader(s):
    t = s.json("bt %d" % me)[0]["tasks"][0]
    kernel_side = [f["function"] for f in t["kernel"]]
    for f in ("host_futex_wait", "pipe_read", "vfs_read", "sys_read", "do_syscall_64"):
        assert f in kernel_side, (f, kernel_side)
    assert kernel_side.index("pipe_read") < kernel_side.index("sys_read")
    lines = [f["line"] for f in t["kernel"] if f["function"] == "pipe_read"]
    assert lines[0].startswith("fs/pipe.c:"), lines
    assert t["registers"]["orig_rax"] == "0x0", t["registers"]
    user = " ".join(str(f.get("symbol")) for f in t["user"])
    assert "read" in user and len(t["user"]) > 4, t["user"]
    assert any("libc" in str(f["where"]) for f in t["user"]), t["user"]


@case
def backtraces_of_sleeping_threads(s):
    others = [p for p in truth["threads"] if p != me]
    for t in s.json("bt %s" % " ".join(map(str, others)))[0]["tasks"]:
        assert "sys_clock_nanosleep" in [f["function"] for f in t["kernel"]], t
        assert "clock_nanosleep" in " ".join(str(f.get("symbol")) for f in t["user"]), t["user"]


@case
def bt_of_all_is_complete(s):
    o = s.json("bt -A")[0]["tasks"]
    assert len(o) >= len(truth["tasks"])
    for t in o:
        if t["state"] == "IN" and t["pid"]:
            assert len(t["kernel"]) >= 2, t


@case
def foreach_runs_for_each(s):
    out = s.text("foreach python3 bt -k")
    same(out.count("COMMAND: \"python3\""), len(truth["threads"]))
    o = s.json("foreach sleep files")[0]["results"]
    same(len(o), 1)


@case
def signals(s):
    t = s.json("sig %d" % me)[0]["tasks"][0]
    assert "HUP" in "".join(t["blocked"]), t["blocked"]
    assert 12 in [a["signal"] for a in t["actions"]], t["actions"]  # SIGUSR2


# ---- memory ----


@case
def vm_is_what_maps_said(s):
    areas = s.json("vm %d" % me)[0]["tasks"][0]["areas"]
    got = [(a["start"], a["end"], a["rights"], a["file"] or "") for a in areas if a["file"] != "[stubs]"]
    want = []
    for line in truth["maps"].splitlines():
        p = line.split(None, 5)
        a, b = p[0].split("-")
        path = p[5] if len(p) > 5 else ""
        want.append(("0x" + a.lstrip("0"), "0x" + b.lstrip("0"), p[1], path))
    want = [x for x in want if x[3] not in ("[vdso]", "[vvar]", "[vsyscall]")]
    got = [x for x in got if x[:2] in [y[:2] for y in want] or not x[3].startswith("[")]
    # what was mapped since (the answer was being written) may be more or less by a heap's end
    missing = [x for x in want if x not in got and x[3] not in ("[heap]", "")]
    same(missing, [], "areas")
    assert len([x for x in want if x in got]) >= 0.9 * len(want), (len(got), len(want))


@case
def files_are_what_proc_said(s):
    t = s.json("files %d" % me)[0]["tasks"][0]
    got = {str(f["fd"]): f["path"] for f in t["files"]}
    for fd, path in truth["fds"].items():
        same(got.get(fd), path, "descriptor " + fd)
    same((t["root"], t["cwd"]), ("/", truth["cwd"]))
    types = {f["path"].split(":")[0]: f["type"] for f in t["files"]}
    same((types["pipe"], types["socket"], types["/etc/passwd"]), ("FIFO", "SOCK", "REG"))
    same([f["pos"] for f in t["files"] if f["path"] == "/etc/passwd"], [7])


@case
def mounts_are_what_proc_said(s):
    got = [(m["device"], m["directory"], m["type"]) for m in s.json("mount")[0]["mounts"]]
    want = [tuple(l.split()[:3]) for l in truth["mounts"].splitlines()]
    same(got, want)


@case
def kmem_totals(s):
    use = {u["name"]: u for u in s.json("kmem -i")[0]["use"]}
    total = int(re.search(r"MemTotal:\s+(\d+)", truth["meminfo"]).group(1))
    same(use["TOTAL MEM"]["kb"], total)
    stacks = int(re.search(r"KernelStack:\s+(\d+)", truth["meminfo"]).group(1))
    assert abs(use["STACK"]["kb"] - stacks) <= 64, (use["STACK"], stacks)
    assert use["FREE"]["kb"] + use["USED"]["kb"] == total


@case
def kmem_counts_tasks(s):
    c = {c["name"]: c for c in s.json("kmem -s")[0]["caches"]}["task_struct"]
    pids = len(s.json("ps")[0]["tasks"]) - 1  # init_task is in the image
    same(c["allocated"], pids)
    assert c["objsize"] == s.json("struct task_struct")[0]["size"], c


@case
def kmem_finds_the_owner(s):
    task = s.json("set %d" % me)[0]["task"][2:]
    assert '"task_struct": %s + 8' % task in s.text("kmem %x" % (int(task, 16) + 8))
    stack = s.json("task -R ti %d" % me)[0]["tasks"][0]["ti"]
    assert 'kernel stack of PID: %d ' % me in s.text("kmem %x" % (int(stack, 16) - 64))
    assert "init_task" in s.text("kmem init_task")
    assert "SLAB" in s.text("kmem -p %s" % task)


@case
def search_finds_text_and_values(s):
    hits = s.json('set %d; search -u -c "marker-of-the-crash-tests"' % me)[1]["hits"]
    assert len(hits) >= 3, hits
    at = hits[0]["address"][2:]
    assert "marker-of-the-crash-tests" in s.text("set %d; rd -u -a %s 25" % (me, at))
    task = s.json("set %d" % me)[0]["task"]
    assert [h for h in s.json("search %s" % task[2:])[0]["hits"]], "nobody points at the task"


@case
def structures(s):
    o = s.json("struct task_struct.pid,comm %s" % s.json("set %d" % me)[0]["task"][2:])[0]["objects"][0]
    same((o["pid"], o["comm"]), (me, "python3"))
    layout = s.json("struct list_head")[0]
    same([(m["name"], m["offset"]) for m in layout["members"]], [("next", 0), ("prev", 8)])
    assert "SIZE: 16" in s.text("struct list_head -o")
    same(s.json("p init_task.comm")[0]["value"], "swapper")
    same(s.json("p child_reaper->pid")[0]["value"], 1)
    assert s.text("whatis init_task").startswith("struct task_struct init_task")
    pids = re.findall(r"pid = (\d+)", s.text("list init_task_list -o task_struct.tasks -s task_struct.pid"))
    assert str(me) in pids and "1" in pids, pids


@case
def symbols(s):
    o = s.json("sym schedule")[0]["symbols"][0]
    assert o["line"].startswith("kernel/wait.c:"), o
    back = s.json("sym %x" % (int(o["address"], 16) + 1))[0]["symbols"][0]
    same((back["name"], back["offset"]), ("schedule", 1))
    nm = subprocess.run(["nm", kernel], capture_output=True, text=True).stdout
    if nm:
        same(int(re.search(r"^([0-9a-f]+) . schedule$", nm, re.M).group(1), 16), int(o["address"], 16))
    assert "kernel/" in s.text("dis -l schedule 3") and "push" in s.text("dis schedule 2")
    assert any(i["symbol"] == "schedule" for i in s.json("dis schedule")[0]["instructions"])


@case
def raw_memory(s):
    row = s.json("rd init_task 2")[0]["rows"][0]
    same(len(row["values"]), 2)
    phys = s.json("vtop init_task")[0]["addresses"][0]["physical"][2:]
    same(s.json("rd -p %s 2" % phys)[0]["rows"][0]["values"], row["values"])
    area = s.json("vm %d" % me)[0]["tasks"][0]["areas"][0]["start"][2:]
    assert "7f 45 4c 46" in s.text("set %d; rd -u -8 %s 4" % (me, area))  # an ELF header


@case
def log_runq_locks(s):
    lines = s.json("log")[0]["lines"]
    assert lines and all(l["text"] and l["time"] >= 0 and 0 <= l["level"] <= 7 for l in lines), lines
    o = s.json("runq; locks; kmem -f")
    assert [x["ok"] for x in o] == [True] * 3
    assert sum(b["pages"] for b in o[2]["free"]) > 100


@case
def every_command_makes_json(s):
    o = s.json("help")[0]["commands"]
    names = [c["name"] for c in o]
    assert len(names) > 20 and "bt" in names
    for n in names:
        assert n in s.text("help " + n)


@case
def output_goes_to_pipes_and_files(s):
    s.text("ps > %s/ps.txt" % work)
    assert "swapper" in open(work + "/ps.txt").read()
    assert s.text("ps | grep -c swapper").strip() == "1"
    rc, out, err = crash("-s", source=s.args, stdin="set %d\nps -G\nq\nnever\n" % me)
    assert rc == 0 and "swapper" in out and not err, (rc, err)


@case
def prompt_on_a_terminal(s):
    import pty, select
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(TERM="dumb", PAGER="cat")
        os.execv(husk, [husk, "crash", "-s", *s.args])
    seen = b""
    for line in (b"set %d\n" % me, b"nosuch\n", b"ps | head -n 1\n", b"q\n"):
        while not seen.rstrip(b" ").endswith(b"crash>"):
            assert select.select([fd], [], [], 30)[0], seen
            seen += os.read(fd, 4096)
        os.write(fd, line)
        seen += b"\n"
    try:
        while True:
            more = os.read(fd, 4096)
            if not more:
                break
            seen += more
    except OSError:
        pass
    os.close(fd)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    assert b"PID: %d" % me in seen and b'no command "nosuch"' in seen and b"COMM" in seen, seen


@case
def report_is_one_page(s):
    page = work + "/report.html"
    rc, out, err = crash("--html", page, source=s.args)
    same((rc, out, err), (0, "", ""))
    html = open(page, encoding="utf-8").read()
    root = ET.fromstring(html.replace("<!DOCTYPE html>", ""))
    assert len(root.findall(".//details")) >= len(truth["tasks"])
    assert root.findall(".//svg") and "sys_clock_nanosleep" in html and "libc.so.6" in html
    for e in root.iter():
        for k, v in e.attrib.items():
            assert k not in ("src", "data") and (k != "href" or v.startswith("#")), (e.tag, k, v)
    assert "@import" not in html and "url(" not in html


# ---- what goes wrong ----


def wrong(args, words, rc=125, **kw):
    got, out, err = crash(*args, **kw)
    lines = [l for l in err.splitlines() if "warning" not in l]
    assert got == rc and len(lines) == 1 and all(w in err for w in words), (got, out[-200:], err)


def bad_commands():
    for c, words in (("nosuch", ["nosuch"]), ("p nosuch", ["nosuch"]), ("struct nosuch", ["nosuch"]), ("bt 99999", ["99999"]),
                     ("rd 1", ["1"]), ("rd zz", ["zz"]), ("sym zz", ["zz"]), ("vm -q", ["usage"]), ("kmem", ["usage"]),
                     ("struct task_struct.nosuch 0", ["nosuch"]), ("foreach ps_", ["foreach"]), ("kmem -s nosuch", ["nosuch"])):
        wrong(["-c", c], words, rc=1)


def bad_files():
    empty, noise = work + "/empty", work + "/noise"
    open(empty, "w").close()
    open(noise, "wb").write(os.urandom(5000))
    wrong([], ["No such file"], source=[work + "/nosuch"])
    wrong([], ["empty"], source=[empty])
    wrong([], ["not a dump"], source=[noise])
    wrong([], ["not a core"], source=[kernel])
    wrong([], ["not a file"], source=[work])
    os.mkfifo(work + "/fifo")
    wrong([], ["not a file"], source=[work + "/fifo"])  # and is not waited for
    wrong([], ["which dump"], source=[])
    wrong([], ["unknown option"], source=["--nosuch"])
    wrong(["-c", "ps"], ["nosuch"], source=["--live", "nosuch"])
    wrong(["--kernel", husk], ["husk"])
    wrong(["--kernel", noise], ["ELF"])


def full_disk():
    """Output that is not all there is an error, and what was named and is no file is not removed."""
    link = work + "/full"
    os.symlink("/dev/full", link)
    with open("/dev/full", "w") as full:
        p = subprocess.run([husk, "crash", "--kernel", kernel, "-c", "ps", core], stdout=full, stderr=subprocess.PIPE, text=True)
    assert p.returncode == 1 and "No space left" in p.stderr, (p.returncode, p.stderr)
    wrong(["--html", link], ["No space left"])
    assert os.path.islink(link), "it removed what was there before"


def wrong_kernel():
    """A kernel with another build id is refused by name and ids."""
    other = work + "/other-kernel"
    data = bytearray(open(kernel, "rb").read())
    at = data.find(b"GNU\0", data.find(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0"))
    data[at + 4] ^= 0xFF
    open(other, "wb").write(data)
    wrong(["--kernel", other, "-c", "ps"], ["build id", "--kernel"])


def cut_short():
    """What is there is shown, what is not is said; never a crash."""
    size = os.path.getsize(core)
    data = open(core, "rb").read()
    shown = 0
    for part in (10, 63, 64, 200, 4096, size // 8, size // 4, size // 2, size * 3 // 4, size - 4096, size - 1):
        cut = work + "/cut"
        open(cut, "wb").write(data[:part])
        rc, out, err = crash("-c", "sys; ps; log; bt -A; kmem -i", source=[cut])
        assert rc in (0, 1, 125) and err, (part, rc, err)
        assert "cut short" in err or "ends" in err or "shorter" in err, (part, err)
        shown += "python3" in out
    assert shown >= 2, shown


def compressed():
    for how in ("zstd", "lz4"):
        packed, back = "%s/core.%s" % (work, how), "%s/back.%s" % (work, how)
        subprocess.run([work + "/pack", how, core, packed], check=True)
        assert os.path.getsize(packed) < os.path.getsize(core) // 2
        want, got = crash("-c", "ps; bt -A; files"), crash("-c", "ps; bt -A; files", source=[packed])
        same(got, want, how)
        same(crash("--extract", back, source=[packed]), (0, "", ""))
        assert open(back, "rb").read() == open(core, "rb").read(), how
        wrong(["--extract", back], ["exists"], source=[packed])
        # without its index it is read from the start
        data = open(packed, "rb").read()
        open(packed, "wb").write(data[: len(data) * 3 // 4])
        rc, out, err = crash("-c", "ps", source=[packed])
        assert "no index" in err and rc in (0, 125), (rc, err)
    wrong(["--extract", work + "/x"], ["not compressed"])


def gdb_opens_it():
    if subprocess.run(["sh", "-c", "command -v gdb"], capture_output=True).returncode:
        return
    p = subprocess.run(["gdb", "-nx", "-batch", kernel, core, "-ex", "p init_task.comm", "-ex", "p child_reaper->pid",
                        "-ex", "source " + top + "/scripts/husk-gdb.py", "-ex", "husk-ps", "-ex", "husk-log",
                        "-ex", "husk-bt %d" % me], capture_output=True, text=True, timeout=120)
    assert '"swapper' in p.stdout and "$2 = 1" in p.stdout, p.stdout + p.stderr
    for t in truth["tasks"]:
        assert re.search(r"^\W*%d +%d .*%s" % (t["pid"], t["ppid"], re.escape(t["comm"])), p.stdout, re.M), (t, p.stdout, p.stderr)
    assert "pipe_read" in p.stdout and "sys_read" in p.stdout, p.stdout[-1500:] + p.stderr
    assert "] " in p.stdout.split("PID %d" % me)[0].splitlines()[-1], "no log"


def run(label, fn, *args):
    global passed, failed
    try:
        fn(*args)
        passed += 1
        print("ok %s" % label)
    except Exception as e:
        failed += 1
        print("FAIL %s: %s: %s" % (label, type(e).__name__, str(e)[:1500]))


def main():
    for s in (Source("live", ["--live", name]), Source("dump", [core])):
        for fn in cases:
            run("%s (%s)" % (fn.__name__, s.label), fn, s)
    for fn in (bad_commands, bad_files, full_disk, wrong_kernel, cut_short, compressed, gdb_opens_it):
        run(fn.__name__, fn)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
