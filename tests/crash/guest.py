# SPDX-License-Identifier: Apache-2.0
# Runs in the sandbox that the analyser's tests look into: makes things of known shape, says what /proc says of them, and waits.
import json, mmap, os, signal, socket, subprocess, sys, threading, time

marker = "marker-" + "of-the-crash-tests"  # the whole of it is in memory only once joined
keep = [bytearray(marker.encode()) for _ in range(3)]
os.chdir("/usr")
r, w = os.pipe()
r2, w2 = os.pipe()
f = open("/etc/passwd")
f.seek(7)
s = socket.socketpair()
shared = mmap.mmap(-1, 8192)
shared[:5] = b"share"
deleted = open("/tmp/husk-crash-gone", "w+")
os.unlink("/tmp/husk-crash-gone")
signal.signal(signal.SIGUSR2, lambda *a: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
for _ in range(3):
    threading.Thread(target=lambda: time.sleep(100000), daemon=True).start()
child = subprocess.Popen(["sleep", "100000"])
orphan = subprocess.Popen(["sh", "-c", "exit 3"])  # a zombie
time.sleep(0.3)


def text(path):
    with open(path) as h:
        return h.read()


def stat(pid, tid):
    head, tail = text("/proc/%d/task/%d/stat" % (pid, tid)).rsplit(")", 1)
    return {"pid": tid, "tgid": pid, "comm": head.split("(", 1)[1], "state": tail.split()[0], "ppid": int(tail.split()[1])}


me = os.getpid()
tasks = []
for p in sorted(int(d) for d in os.listdir("/proc") if d.isdigit()):
    for t in os.listdir("/proc/%d/task" % p):
        tasks.append(stat(p, int(t)))
fds = {}
for n in os.listdir("/proc/self/fd"):
    try:
        fds[n] = os.readlink("/proc/self/fd/" + n)
    except OSError:
        pass
truth = {
    "me": me,
    "child": child.pid,
    "zombie": orphan.pid,
    "tasks": tasks,
    "fds": {n: p for n, p in fds.items() if not p.startswith("/proc")},
    "maps": text("/proc/self/maps"),
    "mounts": text("/proc/self/mounts"),
    "meminfo": text("/proc/meminfo"),
    "cwd": os.getcwd(),
    "environ": len(text("/proc/self/environ")),
    "threads": sorted(int(t) for t in os.listdir("/proc/self/task")),
}
with open(sys.argv[1], "w") as o:
    json.dump(truth, o)
os.rename(sys.argv[1], sys.argv[1] + ".ready")
os.read(r, 1)
