#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A real crash's dump, compressed and with programs' memory, in husk crash, gdb and drgn. usage: dumps.py WORK PLATFORM
import glob, json, os, re, subprocess, sys

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
husk, kernel = top + "/build/husk", top + "/build/husk-kernel"
work, platform = sys.argv[1] + "/dumps", sys.argv[2]
program = """
import threading, time
for _ in range(3):
    threading.Thread(target=lambda: time.sleep(100000), daemon=True).start()
time.sleep(0.5)
open("/proc/sysrq-trigger", "w").write("c")
"""
passed = failed = 0


def sh(*cmd):
    return subprocess.run(cmd, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, errors="replace")


def crash(dump, commands):
    p = sh(husk, "crash", "--json", "-c", commands, dump)
    assert p.returncode == 0, p.stderr
    return [json.loads(l) for l in p.stdout.splitlines()]


def make_dump(how):
    os.makedirs(work, exist_ok=True)
    p = sh(husk, "run", "--platform=" + platform, "--name", "dump-" + how, "-u", "0", "--memory", "128m", "--dump-dir", work, "--dump-level",
           "1", "--dump-compress", how, "--", "python3", "-c", program)
    assert p.returncode == 70, (p.returncode, p.stderr)
    found = glob.glob("%s/vmcore-dump-%s-*" % (work, how))
    assert len(found) == 1, (found, p.stderr)
    return found[0]


def look(dump):
    o = crash(dump, "sys; bt; ps; runq; bt -A; log")
    assert o[0]["state"] == "panic" and "sysrq" in o[0]["cause"] and o[0]["pid"] == 1 and not o[0]["lost"], o[0]
    t = o[1]["tasks"][0]
    names = [f["function"] for f in t["kernel"]]
    assert names[0] == "sysrq_crash" and "vfs_write" in names and "do_syscall_64" in names, names
    assert t["registers"]["orig_rax"] == "0x1", t["registers"]
    user = [str(f["symbol"]) for f in t["user"]]
    assert any("write" in s for s in user) and len(user) > 5, user
    threads = [x for x in o[2]["tasks"] if x["tgid"] == 1]
    assert len(threads) == 4 and not any(x["lost"] for x in o[2]["tasks"]), threads
    asleep = [x for x in o[4]["tasks"] if x["tgid"] == 1 and x["pid"] != 1]
    for x in asleep:
        assert "sys_clock_nanosleep" in [f["function"] for f in x["kernel"]], x
        assert any("clock_nanosleep" in str(f["symbol"]) for f in x["user"]), x["user"]
    assert any("kernel panic: sysrq" in l["text"] for l in o[5]["lines"])
    return len(o[2]["tasks"])


def in_gdb(elf, ntasks):
    if sh("sh", "-c", "command -v gdb").returncode:
        return
    p = sh("gdb", "-nx", "-batch", kernel, elf, "-ex", "info threads", "-ex", "bt", "-ex", "p init_task.comm", "-ex", "p child_reaper->pid",
           "-ex", "source %s/scripts/husk-gdb.py" % top, "-ex", "husk-ps", "-ex", "husk-log")
    threads = re.findall(r"^\*?\s+\d+\s+LWP (\d+)", p.stdout, re.M)
    assert len(threads) == len(set(threads)) >= ntasks, (threads, ntasks)
    assert re.search(r"^#0 .*sysrq_crash", p.stdout, re.M) and re.search(r"^#\d+ .*do_syscall_64", p.stdout, re.M), p.stdout
    assert '"swapper' in p.stdout and "$2 = 1" in p.stdout and "python3" in p.stdout, p.stdout
    assert "kernel panic: sysrq triggered crash" in p.stdout


def in_drgn(elf):
    for python in ("/usr/bin/python3", sys.executable):
        if sh(python, "-c", "import drgn").returncode == 0:
            p = sh(python, top + "/docs/drgn/husk.py", kernel, elf)
            assert p.returncode == 0 and " python3\n" in p.stdout and "sys_clock_nanosleep" in p.stdout, (p.stdout, p.stderr)
            return


def run(label, fn, *args):
    global passed, failed
    try:
        r = fn(*args)
        passed += 1
        print("ok %s" % label)
        return r
    except Exception as e:
        failed += 1
        print("FAIL %s: %s: %s" % (label, type(e).__name__, str(e)[:2000]))


def main():
    for how in ("none", "zstd", "lz4"):
        dump = run("a crash leaves a dump (%s)" % how, make_dump, how)
        if not dump:
            continue
        ntasks = run("the dump says what happened (%s)" % how, look, dump)
        elf = dump
        if how != "none":
            elf = dump + ".elf"
            p = sh(husk, "crash", "--extract", elf, dump)
            run("extract (%s)" % how, look, elf)
        if how != "lz4" and ntasks:
            run("gdb shows threads, frames and variables (%s)" % how, in_gdb, elf, ntasks)
            run("drgn reads it (%s)" % how, in_drgn, elf)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
