# SPDX-License-Identifier: Apache-2.0
# python3: start, files, json, subprocess, tempfile, signal, mmap, os functions, imports of many modules.
. "$(dirname "$0")/common.sh"
PY=/usr/bin/python3; [ -x $PY ] || need python3
PY=/usr/bin/python3
$PY -c 'print("hello")'; echo 'print(6*7)' | $PY; $PY -c 'import sys; sys.exit(5)'; echo $?; $PY -c 'raise SystemExit("msg")' 2>/dev/null; echo $?
$PY -c '1/0' 2>&1 | tail -1
cat > a.py <<'E'
import os, sys, json, subprocess, tempfile, signal, mmap, time, stat, hashlib, shutil, glob, io, zlib, struct, select, fcntl, resource, socket, errno, pathlib, random, re, pickle, csv, gzip, tarfile, zipfile, configparser, ctypes, decimal, itertools
print(sys.version_info[0], os.getpid() == int(open("/proc/self/stat").read().split()[0]))
with open("f.txt", "w") as f:
    for i in range(10000): f.write("line %d\n" % i)
print(os.stat("f.txt").st_size, hashlib.sha256(open("f.txt", "rb").read()).hexdigest()[:16])
r = subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True)
print(r.stdout.strip(), r.stderr.strip(), r.returncode)
p = subprocess.Popen(["sort"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(p.communicate("c\na\nb\n")[0].split())
try: subprocess.run(["sleep", "10"], timeout=0.2)
except subprocess.TimeoutExpired: print("timeout")
try: subprocess.run(["/no/such"])
except FileNotFoundError as e: print(errno.errorcode[e.errno])
print(subprocess.run(["sh", "-c", "kill -9 $$"]).returncode, subprocess.run("exit 4", shell=True).returncode)
print(subprocess.run(["pwd"], cwd="/usr", capture_output=True, text=True).stdout.strip(), subprocess.check_output(["env"], env={"A": "b"}))
for i in range(30): assert subprocess.call(["true"]) == 0
with tempfile.TemporaryDirectory() as d:
    with tempfile.NamedTemporaryFile(dir=d) as t: t.write(b"x"); t.flush(); print(os.path.getsize(t.name), len(os.listdir(d)))
print(os.path.exists(d)); t = tempfile.TemporaryFile(); t.write(b"abc"); t.seek(0); print(t.read())
with open("m", "wb") as f: f.truncate(100000)
with open("m", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[5000:5005] = b"mmap!"; m.flush(); print(m.find(b"mmap!"), len(m)); m.resize(200000); print(len(m), os.stat("m").st_size); m.close()
a = mmap.mmap(-1, 8192); pid = os.fork()
if pid == 0: a[0:5] = b"child"; os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), a[0:5])
got = []
signal.signal(signal.SIGUSR1, lambda s, f: got.append(s)); os.kill(os.getpid(), signal.SIGUSR1); time.sleep(0.01); print(got)
signal.signal(signal.SIGALRM, lambda s, f: got.append("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2); print(got)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigwait([signal.SIGUSR2]))
pathlib.Path("d/e/f").mkdir(parents=True); (pathlib.Path("d/e/f") / "g").write_text("t"); print(sorted(str(x) for x in pathlib.Path("d").rglob("*")))
shutil.copytree("d", "d2"); shutil.make_archive("arc", "gztar", "d"); print(tarfile.open("arc.tar.gz").getnames()); shutil.rmtree("d"); print(glob.glob("d*"))
with zipfile.ZipFile("z.zip", "w") as z: z.write("f.txt")
print(zipfile.ZipFile("z.zip").testzip()); gzip.open("g.gz", "wb").write(b"gz" * 1000); print(len(gzip.open("g.gz").read()))
s1, s2 = socket.socketpair(); s1.sendall(b"sp"); print(s2.recv(10)); r_, w_, _ = select.select([s2], [s1], [], 0); print(len(r_), len(w_))
e = select.epoll(); e.register(s2, select.EPOLLIN); s1.send(b"x"); print(len(e.poll(1)))
print([resource.getrlimit(r) for r in (resource.RLIMIT_CORE, resource.RLIMIT_STACK, resource.RLIMIT_AS, resource.RLIMIT_CPU)], oct(os.umask(0o22)), stat.filemode(os.stat("/").st_mode)[0])
print(ctypes.CDLL(None).getpid() == os.getpid(), ctypes.CDLL("libm.so.6").abs(-5))
os.symlink("f.txt", "l"); print(os.readlink("l"), os.path.islink("l")); os.setxattr("f.txt", "user.a", b"v"); print(os.getxattr("f.txt", "user.a"))
fd = os.open("f.txt", os.O_RDONLY); print(os.pread(fd, 6, 5), os.sendfile(s1.fileno(), fd, 0, 4)); fcntl.flock(fd, fcntl.LOCK_EX); os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
r, w = os.pipe(); os.write(w, b"q"); print(os.read(r, 5)); print(os.get_terminal_size.__name__, os.isatty(0), os.cpu_count() > 0, len(os.urandom(20)))
print(json.dumps(sorted(os.sched_getaffinity(0)) != []), os.sysconf("SC_PAGESIZE"), time.tzname[0])
print(sum(1 for _ in os.walk("/usr/include/linux")) > 1, len(list(os.scandir("."))))
m = os.memfd_create("x"); os.write(m, b"mem"); print(os.lseek(m, 0, 1)); ev = os.eventfd(3) if hasattr(os, "eventfd") else None
sys.stdout.flush(); os.execvp("echo", ["echo", "exec'd"])
E
$PY a.py; echo $?
