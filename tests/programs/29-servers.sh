# SPDX-License-Identifier: Apache-2.0
# Servers on local sockets: redis, nginx, PostgreSQL: start, questions, reload or snapshot, orderly end; each only if installed.
. "$(dirname "$0")/common.sh"
have() { command -v "$1" >/dev/null || { echo "no $1"; return 1; }; }
until_there() { local i; for ((i = 0; i < 1200; i++)); do [ -S "$1" ] && return; sleep 0.1; done; echo "no $1"; }
if have redis-server; then
	redis-server --port 0 --unixsocket "$PWD/r" --dir "$PWD" --save '' > redis.log 2>&1 &
	until_there r
	ask() { redis-cli -s r "$@"; }
	ask set a b; ask get a; for i in 1 2 3; do ask rpush l $i; done; ask lrange l 0 -1; ask eval 'return redis.call("get", "a")' 0
	redis-benchmark -s r -q -n 2000 -c 20 -t set,get 2>&1 | tr '\r' '\n' | grep -c 'requests per second'
	ask save; ask flushall; ask shutdown nosave; wait $!; echo "redis $?"; ls r dump.rdb 2>&1
fi
PATH=$PATH:/usr/sbin
if have nginx; then
	mkdir n; seq 50000 > n/f; cat > n/conf <<-C
	daemon off; pid $PWD/n/pid; error_log $PWD/n/log; worker_processes 2; events {}
	http { access_log off; sendfile on; client_body_temp_path n1; proxy_temp_path n2; fastcgi_temp_path n3; uwsgi_temp_path n4; scgi_temp_path n5;
	server { listen unix:$PWD/n/s; root $PWD/n; autoindex on; } }
	C
	chmod 755 n
	nginx -p "$PWD" -c n/conf 2>/dev/null &
	until_there n/s
	if command -v curl >/dev/null; then
		fetch() { curl -s --unix-socket n/s "http://x/$1"; }
		fetch f | cksum; fetch none | grep -c 404; nginx -p "$PWD" -c n/conf -s reload 2>/dev/null; for i in 1 2 3 4 5; do fetch f | wc -c; done
	fi
	nginx -p "$PWD" -c n/conf -s quit 2>/dev/null; wait $!; echo "nginx $?"
fi
for d in /usr/lib/postgresql/*/bin; do [ -x "$d/initdb" ] && PATH=$d:$PATH; done
if [ "$(id -u)" -ne 0 ] && have initdb; then # it will not run as root
	initdb -D pg --no-locale -E UTF8 -A trust >/dev/null 2>&1; echo "initdb $?"
	pg_ctl -D pg -o "-c listen_addresses= -c unix_socket_directories=$PWD" -w -l pg.log start >/dev/null; echo "start $?"
	psql -h "$PWD" -d postgres -Atc 'create table t as select generate_series(1, 10000) a; select sum(a), count(*) from t'
	psql -h "$PWD" -d postgres -Atc 'set max_parallel_workers_per_gather = 2' -c 'select count(*) from pg_class a, pg_class b' | grep -c .
	pg_ctl -D pg stop >/dev/null; echo "stop $?"
fi
exit 0
