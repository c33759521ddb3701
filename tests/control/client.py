# SPDX-License-Identifier: Apache-2.0
# A client of the control socket that may misbehave. usage: client.py NAME ACTION [ARG...]; see the functions below.
import array, ctypes, json, os, socket, struct, sys, threading, time


def connect(name, uid=None):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(60)
    s.connect("\0husk/%d/%s" % (os.geteuid() if uid is None else int(uid), name))
    return s


def receive(s):
    data, anc, flags, addr = s.recvmsg(65536, socket.CMSG_SPACE(16 * 4))
    fds = array.array("i")
    for level, kind, body in anc:
        fds.frombytes(body[: len(body) - len(body) % 4])
    return (json.loads(data.decode()) if data else None), list(fds)


def ask(s, **request):
    s.send(json.dumps(request).encode())
    return receive(s)


# each request's answer on a line
def send(name, *requests):
    s = connect(name)
    for r in requests:
        s.send(r.encode())
        print(json.dumps(receive(s)[0]))


# packets that are no requests: each is answered with an error, and the connection goes on
def garbage(name):
    s = connect(name)
    for junk in (b"x", b"{", b"[]", b'{"cmd":{}}', b'{"cmd":"info"', b"\0", b'{"cmd":"info"}\0', b'{"cmd":"\\u0000"}', b"\xff" * 300,
                 b'{"cmd":' + b"9" * 60000 + b"}", b'{"a":1,' * 5000, b"[" * 60000, b'{"cmd":"kill"}', b'{"cmd":"kill","pid":-1}',
                 b'{"cmd":"kill","pid":1,"sig":99}', b'{"cmd":"kill","pid":1,"sig":"x"}', b'{"cmd":"' + b"a" * 60000 + b'"}', b" " * 70000):
        s.send(junk)
        a, fds = receive(s)
        assert a["ok"] is False and a["error"] and not fds, (junk[:40], a)
    assert ask(s, cmd="info")[0]["ok"]
    print("ok")


# asks and never reads, on many connections, until it is thrown out
def deaf(name):
    thrown = 0
    for i in range(8):
        s = connect(name)
        s.setblocking(False)
        for k in range(3000):
            try:
                s.send(b'{"cmd":"info"}')
            except BlockingIOError:
                time.sleep(0.001)
            except (BrokenPipeError, ConnectionResetError):
                thrown += 1
                break
        s.close()
    assert thrown, "never thrown out"
    print("ok")


# many connections at once: some are refused with a reason; all who were let in are answered
def crowd(name):
    socks, served, refused = [], 0, 0
    for i in range(100):
        try:
            socks.append(connect(name))
        except BlockingIOError:
            pass
    for s in socks:
        try:
            a, fds = ask(s, cmd="info")
            served += a is not None and a["ok"]
            refused += a is not None and "too many" in a.get("error", "")
        except (BrokenPipeError, ConnectionResetError):
            refused += 1
    assert served >= 16 and served + refused == len(socks), (served, refused, len(socks))
    print("ok")


# RAM's descriptor is the sandbox's memory; read-only unless asked otherwise
def ram(name):
    s = connect(name)
    a, fds = ask(s, cmd="ram")
    assert a["ok"] and len(fds) == 1 and os.fstat(fds[0]).st_size == a["ram_size"]
    assert struct.unpack("<Q", os.pread(fds[0], 8, 0))[0] == 0x6B73756846495648
    try:
        os.pwrite(fds[0], b"x", 4096)
        raise SystemExit("RAM could be written")
    except OSError:
        pass
    a, fds = ask(s, cmd="ram", rw=True)
    assert os.pwrite(fds[0], os.pread(fds[0], 1, 8), 8) == 1
    a, fds = ask(s, cmd="kernel")
    assert os.pread(fds[0], 4, 0) == b"\x7fELF"
    info = ask(s, cmd="info")[0]
    assert len(info["build_id"]) == 40 and bytes.fromhex(info["build_id"]) in os.pread(fds[0], 1 << 24, 0), info["build_id"]
    print("ok")


# the counters follow what the program does: between two looks COUNT calls more, and they never go back
def counters(name):
    s = connect(name)
    keys = ("cpu_ns", "syscalls", "faults", "switches", "forks", "read_chars", "write_chars")
    before = ask(s, cmd="stats")[0]
    assert before["known"] and before["fresh"], before
    deadline = time.monotonic() + 60
    while True:
        now = ask(s, cmd="stats")[0]
        assert all(now[k] >= before[k] for k in keys), (before, now)
        if now["syscalls"] > before["syscalls"] + 1000 and now["forks"] > before["forks"] and now["faults"] > before["faults"]:
            break
        assert time.monotonic() < deadline, (before, now)
        time.sleep(0.01)
    assert now["mem_free"] < now["mem_total"] and 1 <= now["tasks"] < 100
    print("ok")


# many clients in parallel; after some answers one ends the sandbox: every answer is whole, the end is an end of file
def hammer(name, threads):
    failures, answers, end = [], [0], [False]

    def one():
        while True:
            try:
                s = connect(name)
                for i in range(20):
                    for cmd in ("info", "stats", "ram", "nonsense"):
                        a, fds = ask(s, cmd=cmd)
                        for fd in fds:
                            os.close(fd)
                        if a is None:
                            break
                        if not a["ok"] and "too many" not in a["error"] and cmd != "nonsense":
                            failures.append(a)
                        answers[0] += 1
                        if answers[0] > 500 and not end[0]:
                            end[0] = True
                            ask(s, cmd="kill", pid=1, sig=15)
                s.close()
            except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
                # refused when too many, or ended: ended if the name is free
                if ("@husk/%d/%s\n" % (os.geteuid(), name)) not in open("/proc/net/unix").read():
                    return
            except BlockingIOError:
                pass
            except Exception as e:
                failures.append(repr(e))
                return

    all = [threading.Thread(target=one) for i in range(int(threads))]
    for t in all:
        t.start()
    for t in all:
        t.join(240)
    assert not any(t.is_alive() for t in all), "a client still waits"
    assert not failures, failures[:3]
    assert end[0], answers
    print("ok")


# gives up root for good
def become(uid):
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


# binds a name that looks like a sandbox of UID's (as another user, if one is named), and says so; until standard input ends
def squat(name, uid, listen, user=None):
    if user:
        become(int(user))
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind("\0husk/%s/%s" % (uid, name))
    if listen == "listen":
        s.listen(5)
    print("ready", flush=True)
    sys.stdin.read()


# another user's "sandbox", which answers every request with commands for the terminal, and says that its dump is FILE
def liar(name, user, file):
    become(int(user))
    escape = "\x1b]0;owned\x07\x9b31m\x7f"
    answer = json.dumps({"ok": True, "state": escape, "argv": [escape], "hostname": escape, "known": True, "fresh": True,
                         "path": file, "error": escape}, ensure_ascii=False).encode()
    refusal = json.dumps({"ok": False, "error": escape}).encode()
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind("\0husk/%s/%s" % (user, name))
    s.listen(50)
    print("ready", flush=True)

    def serve(c):
        while True:
            asked = c.recv(65536)
            if not asked:
                return
            c.send(refusal if b"ram" in asked or b"kernel" in asked else answer)

    while True:
        threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()


# asks the sandbox of UID as another user: there must be no answer
def foreign(name, uid, user):
    become(int(user))
    try:
        s = connect(name, uid)
        s.send(b'{"cmd":"info"}')
        assert receive(s)[0] is None
    except (ConnectionResetError, BrokenPipeError):
        pass
    print("ok")


# runs a program under a filter that refuses every socket(AF_UNIX)
def nosocket(name, *argv):
    class Filter(ctypes.Structure):
        _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]

    class Prog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.POINTER(Filter))]

    code = [(0x20, 0, 0, 0), (0x15, 0, 3, 41), (0x20, 0, 0, 16), (0x15, 0, 1, 1), (6, 0, 0, 0x00050000 | 97), (6, 0, 0, 0x7FFF0000)]
    libc = ctypes.CDLL(None, use_errno=True)
    prog = Prog(len(code), (Filter * len(code))(*[Filter(*c) for c in code]))
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, ctypes.byref(prog), 0, 0) == 0, os.strerror(ctypes.get_errno())
    os.execv(argv[0], argv)


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])
