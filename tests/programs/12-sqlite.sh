# SPDX-License-Identifier: Apache-2.0
# sqlite3 in journal and WAL mode: inserts, transactions, rollback, two processes, integrity; by the shell and by python.
. "$(dirname "$0")/common.sh"
PY=/usr/bin/python3; [ -x $PY ] || { echo "SKIP: no python3"; exit 77; }
cat > s.py <<'E'
import sqlite3, os, sys, multiprocessing as mp
def writer(mode, k):
    c = sqlite3.connect(mode + ".db", timeout=250)
    for i in range(20):
        with c: c.execute("insert into t values(?, ?)", (k * 1000000 + i, "w"))
for mode in ("delete", "truncate", "persist", "wal", "memory"):
    c = sqlite3.connect(mode + ".db"); print(c.execute("pragma journal_mode=" + mode).fetchone())
    c.execute("create table t(a integer primary key, b text)")
    with c: c.executemany("insert into t values(?, ?)", ((i, "row %d" % (i * 7)) for i in range(10000)))
    print(c.execute("select count(*), sum(a), max(b) from t").fetchone())
    for i in range(50):
        with c: c.execute("update t set b = ? where a = ?", ("updated", i * 100))
    c.execute("delete from t where a % 3 = 0"); c.rollback(); print(c.execute("select count(*) from t where b = 'updated'").fetchone())
    ps = [mp.Process(target=writer, args=(mode, k)) for k in (1, 2)]; [p.start() for p in ps]; [p.join() for p in ps]; print([p.exitcode for p in ps])
    print(c.execute("select count(*) from t").fetchone(), c.execute("pragma integrity_check").fetchone()); c.execute("vacuum"); c.close()
    print(sorted(f for f in os.listdir(".") if f.startswith(mode)))
# A writer that is killed in the middle leaves a journal that is rolled back.
for mode in ("delete", "wal"):
    p = os.fork()
    if p == 0:
        c = sqlite3.connect(mode + ".db"); c.execute("pragma cache_size=5"); c.execute("begin immediate"); c.execute("update t set b = 'torn'"); os.kill(os.getpid(), 9)
    os.waitpid(p, 0); c = sqlite3.connect(mode + ".db"); print(c.execute("select count(*) from t where b = 'torn'").fetchone(), c.execute("pragma integrity_check").fetchone())
a, b = sqlite3.connect("wal.db", timeout=0.1, isolation_level=None), sqlite3.connect("wal.db", timeout=0.1, isolation_level=None)
a.execute("begin immediate"); a.execute("insert into t values(-1, 'x')"); print(b.execute("select count(*) from t where a = -1").fetchone())
try: b.execute("begin immediate")
except sqlite3.OperationalError as e: print(e)
a.execute("commit"); print(b.execute("select count(*) from t where a = -1").fetchone())
E
$PY s.py; echo $?
if command -v sqlite3 >/dev/null; then
	sqlite3 x.db 'create table q(n); with recursive c(i) as (select 1 union all select i+1 from c where i<10000) insert into q select i from c; select sum(n) from q;'
	sqlite3 x.db 'pragma mmap_size=1000000; pragma integrity_check; select count(*) from q;' ; sqlite3 x.db .dump | sha256sum; ls
fi
