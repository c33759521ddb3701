# SPDX-License-Identifier: Apache-2.0
# python3: threading, multiprocessing (fork, spawn, pools, queues, shared memory), concurrent.futures, asyncio with subprocesses.
# time: 600
. "$(dirname "$0")/common.sh"
PY=/usr/bin/python3; [ -x $PY ] || { echo "SKIP: no python3"; exit 77; }
cat > th.py <<'E'
import threading, queue, time, concurrent.futures as cf, sys
q, n, lock = queue.Queue(10), [0], threading.Lock()
def work():
    while True:
        x = q.get()
        if x is None: return
        with lock: n[0] += x
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]
for i in range(2000): q.put(i)
[q.put(None) for _ in ts]; [t.join() for t in ts]; print(n[0])
b = threading.Barrier(4); e = threading.Event(); r = []
def f(i): b.wait(); e.wait(300); r.append(i)
ts = [threading.Thread(target=f, args=(i,)) for i in range(4)]; [t.start() for t in ts]; time.sleep(.05); e.set(); [t.join() for t in ts]; print(sorted(r))
with cf.ThreadPoolExecutor(8) as ex: print(sum(ex.map(lambda x: x * x, range(500))))
c = threading.Condition(); print(c.acquire(), c.wait(0.05)); c.release()
print(threading.Lock().acquire(timeout=0.01), threading.Semaphore(0).acquire(timeout=0.02)); t = threading.Timer(0.05, lambda: print("timer")); t.start(); t.join()
for i in range(200):
    t = threading.Thread(target=lambda: None); t.start(); t.join()
print(threading.active_count())
E
$PY th.py
cat > mp.py <<'E'
import multiprocessing as mp, os, sys, time
from multiprocessing import shared_memory
def sq(x): return x * x
def put(q, a, b): [q.put(i) for i in range(a, b)]
def inc(v, l):
    for _ in range(500):
        with l: v.value += 1
def pipe_child(c): c.send({"got": c.recv()}); c.close()
def die(): os.kill(os.getpid(), 9)
def wshm(name): s = shared_memory.SharedMemory(name); s.buf[:5] = b"hello"; s.close()
if __name__ == "__main__":
    for how in ("fork", "spawn", "forkserver"):
        ctx = mp.get_context(how)
        with ctx.Pool(3) as p: print(how, sum(p.map(sq, range(200))), p.apply_async(sq, (9,)).get(300), sorted(p.imap_unordered(sq, range(5))))
        q = ctx.Queue(); ps = [ctx.Process(target=put, args=(q, i * 50, i * 50 + 50)) for i in range(3)]; [p.start() for p in ps]
        print(sum(q.get(timeout=300) for _ in range(150))); [p.join() for p in ps]; print([p.exitcode for p in ps])
        v, l = ctx.Value("i", 0), ctx.Lock(); ps = [ctx.Process(target=inc, args=(v, l)) for _ in range(3)]; [p.start() for p in ps]; [p.join() for p in ps]; print(v.value)
        a, b = ctx.Pipe(); p = ctx.Process(target=pipe_child, args=(b,)); p.start(); a.send([1, "x"]); print(a.recv()); p.join()
        p = ctx.Process(target=die); p.start(); p.join(); print(p.exitcode)
    s = shared_memory.SharedMemory(create=True, size=100); p = mp.Process(target=wshm, args=(s.name,)); p.start(); p.join(); print(bytes(s.buf[:5])); s.close(); s.unlink()
    import concurrent.futures as cf
    with cf.ProcessPoolExecutor(2) as ex: print(list(ex.map(sq, range(10))))
    with mp.Manager() as m: d = m.dict(); d["k"] = 1; print(dict(d))
E
timeout 550 $PY mp.py; echo $?
cat > as.py <<'E'
import asyncio, signal, os, sys
async def sleeper(i): await asyncio.sleep(0.01 * (i % 5)); return i
async def serve(r, w): w.write((await r.readline()).upper()); await w.drain(); w.close()
async def main():
    print(sum(await asyncio.gather(*(sleeper(i) for i in range(200)))))
    s = await asyncio.start_unix_server(serve, "sock")
    async def c(i):
        r, w = await asyncio.open_unix_connection("sock"); w.write(b"line %d\n" % i); x = await r.readline(); w.close(); return x
    print(sorted(await asyncio.gather(*(c(i) for i in range(20))))[-1])
    s.close(); await s.wait_closed()
    p = await asyncio.create_subprocess_exec("sh", "-c", "read x; echo got $x; exit 6", stdin=-1, stdout=-1)
    print(await p.communicate(b"hi\n"), p.returncode)
    ps = await asyncio.gather(*(asyncio.create_subprocess_shell("exit %d" % i) for i in range(10))); print([await p.wait() for p in ps])
    try: await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except asyncio.TimeoutError: print("timeout")
    ev = asyncio.Event(); asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, ev.set); os.kill(os.getpid(), signal.SIGUSR1); await ev.wait(); print("signal")
    print(await asyncio.get_running_loop().run_in_executor(None, lambda: 42)); q = asyncio.Queue(); await q.put(1); print(await q.get())
    p = await asyncio.create_subprocess_exec("sleep", "100"); p.kill(); print(await p.wait())
asyncio.run(main())
E
$PY as.py; echo $?
