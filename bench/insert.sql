-- SPDX-License-Identifier: Apache-2.0
-- 10,000 rows in one transaction, for the sqlite3 command.
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v REAL);
CREATE INDEX by_name ON t (name);
BEGIN;
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO t SELECT i, 'name ' || i, i * 3.5 FROM n;
COMMIT;
