# SPDX-License-Identifier: Apache-2.0
# dash: a POSIX script, functions, traps, many small processes.
. "$(dirname "$0")/common.sh"
need dash
cat > s.sh <<'E'
set -u
fact() { if [ "$1" -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1 - 1))) )); fi; }
fact 12
i=0; while [ $i -lt 300 ]; do i=$((i+1)); /bin/true || echo bad; done; echo $i
i=0; while [ $i -lt 200 ]; do x=$(echo $i | cat); [ "$x" = $i ] || echo bad; i=$((i+1)); done; echo $i
trap 'echo bye' EXIT
trap 'echo usr1' USR1
kill -USR1 $$
for f in a b c; do echo $f > $f.txt; done; cat *.txt
set -- x y z; shift; echo "$@" $#
(exit 9) || echo $?
kill -l 15
umask 077; : > priv; ls -l priv | cut -c1-10
while read -r a b; do echo "$b-$a"; done <<X
1 2
3 4
X
printf '%s|' "$@"; echo
E
dash s.sh; echo $?
dash -c 'echo $0 $1' zero one
echo 'echo from stdin; exit 4' | dash; echo $?
