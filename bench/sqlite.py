# SPDX-License-Identifier: Apache-2.0
# Times sqlite3 inserts from inside, in $BENCH_TMP: 10,000 rows in one transaction, and rows committed one by one.
import os
import sqlite3
import statistics
import sys
import tempfile
import time


def insert(db, rows):
    for i in range(rows):
        db.execute("INSERT INTO t VALUES (?, ?, ?)", (i, "name %d" % i, i * 3.5))


def one_transaction(db):
    db.execute("BEGIN")
    insert(db, 10000)
    db.execute("COMMIT")
    return 10000


def autocommit(db):
    insert(db, 300)
    return 300


# name: (what is run, nanoseconds are divided by this)
ROWS = {"sqlite_tx": (one_transaction, 1), "sqlite_auto": (autocommit, 300)}


def timed(directory, work):
    """Nanoseconds that work takes on a new data base."""
    db = sqlite3.connect(directory + "/db", isolation_level=None)
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v REAL)")
    db.execute("CREATE INDEX by_name ON t (name)")
    start = time.perf_counter_ns()
    rows = work(db)
    took = time.perf_counter_ns() - start
    if db.execute("SELECT count(*) FROM t").fetchone()[0] != rows:
        sys.exit("rows are missing")
    db.close()
    os.unlink(directory + "/db")
    return took


with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP", "/tmp")) as tmp:
    work, divisor = ROWS[sys.argv[1]]
    times = [timed(tmp, work) for _ in range(5)]
    print("result %s %.2f" % (sys.argv[1], statistics.median(times) / divisor))
