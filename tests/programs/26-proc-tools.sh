# SPDX-License-Identifier: Apache-2.0
# Tools that read /proc: ps, pgrep, pkill, top, free, uptime, lsof-like, pstree; only what is the same everywhere.
. "$(dirname "$0")/common.sh"
need ps
id=87.$RANDOM$$ # others may run this beside us
sleep $id & p=$!; soon runs $p sleep
ps -o comm= -p $p; ps -o args= -p $p | sed "s/$id/ID/"; ps -o ppid= -p $p | tr -d ' ' | grep -cx $$; ps -o stat= -p $p | cut -c1; ps -o nlwp=,ni= -p $p | tr -s ' '
ps -ef | grep -c "[s]leep $id"; ps aux | awk 'NR == 1 {print $1, $2, $11}'; ps -e --no-headers | wc -l | awk '{print ($1 > 1)}'
pgrep -f "sleep ${id/./[.]}" | grep -cx $p; pkill -f "sleep ${id/./[.]}"; wait $p 2>/dev/null; echo $?
free | awk 'NR == 2 {print ($2 > 1000 && $4 > 0)}'; uptime -p | cut -d' ' -f1; top -bn1 | grep -c 'PID USER'; vmstat 2>/dev/null | wc -l
cat /proc/self/comm; tr '\0' ' ' < /proc/self/cmdline; echo; wc -l < /proc/self/maps | awk '{print ($1 > 10)}'; grep -c '^processor' /proc/cpuinfo | awk '{print ($1 > 0)}'
readlink /proc/self/exe | sed 's,^/usr,,'; ls /proc/self/task | wc -l; stat -c %F /proc/self/fd/0; head -c 0 /proc/self/environ; echo $?
awk '/^MemTotal/ {print ($2 > 1000)}' /proc/meminfo; grep -c . /proc/mounts | awk '{print ($1 > 0)}'; mount | grep -c ' on / ' ; df / | awk 'NR == 2 {print ($2 > 0)}'; hostname | grep -c .; whoami | grep -c .; getconf PAGESIZE; ulimit -c
(exec -a renamed sleep 50 & echo $! > pid); p=$(cat pid); soon runs $p sleep; ps -o args= -p $p; kill $p
