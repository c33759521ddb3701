# SPDX-License-Identifier: Apache-2.0
# bash: background jobs, wait, job control, traps, signals, kill, subshell statuses.
. "$(dirname "$0")/common.sh"
(exit 3) & a=$!; (sleep 0.1; exit 4) & b=$!; wait $a; echo $?; wait $b; echo $?; wait 99999 2>/dev/null; echo $?
trap 'echo trapped USR1' USR1; kill -USR1 $$; echo after
trap 'echo exit trap' EXIT
(trap 'echo sub exit' EXIT; exit 5); echo $?
trap '' INT; bash -c 'kill -INT $$; echo survived'; trap - INT
bash -c 'kill -TERM $$'; echo $?
bash -c 'kill -KILL $$' 2>/dev/null; echo $?
bash -c 'trap "echo term; exit 9" TERM; kill -TERM $$; sleep 5'; echo $?
sleep 100 & p=$!; soon runs $p sleep; kill $p; wait $p 2>/dev/null; echo $? # a child that has not run sleep yet would run the exit trap
bash -c 'trap "echo got it" USR1; (until grep -q ") S " /proc/$$/stat; do sleep 0.02; done; kill -USR1 $$) & wait; echo "wait $?"; wait'
set -m
sleep 100 & jobs | sed 's/[0-9]\{2,\}//'; soon runs $! sleep; kill %1; wait %1 2>/dev/null; echo $?
sleep 100 & p=$!; soon runs $p sleep; kill -STOP $p; soon is $p T; jobs -s | awk '{print $2}'; kill -CONT $p; soon is $p S; jobs -r | awk '{print $2}'; kill -9 $p; wait $p 2>/dev/null; echo $?
bash -c 'set -m; sleep 100 & ps -o pgid= -p $! | tr -d " " | grep -qx "$!" && echo own group; kill $!' 
set +m
for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; echo "job $i" > j$i) & done; wait; cat j?
bash -c '(sleep 0.05; exit 6) & wait -n; echo $?'
timeout 0.2 sleep 10; echo $?
timeout -s KILL 0.2 sleep 10; echo $?
nohup true 2>/dev/null; echo $?
mkfifo ff; (echo through fifo > ff) & cat ff; wait
err() { echo "line failed: $?"; }; trap err ERR; false; trap - ERR
bash -ec 'echo a; false; echo b'; echo $?
f() { trap 'echo return' RETURN; echo in f; }; f
bash -c 'exec 2>/dev/null; no_such_command'; echo $?
bash -c '/'  2>/dev/null; echo $?
echo 'exit $((40 + 2))' | bash; echo $?
( ulimit -t 1; bash -c 'while :; do :; done' ) 2>/dev/null; echo $?
exit 11
