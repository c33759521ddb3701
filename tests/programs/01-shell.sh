# SPDX-License-Identifier: Apache-2.0
# bash: pipes, here-documents, substitutions, arrays, arithmetic, functions, redirections.
. "$(dirname "$0")/common.sh"
echo one two three | tr ' ' '\n' | sort -r | head -2
cat <<E1; cat <<'E2'
expanded $((6 * 7)) $(echo sub)
E1
literal $x `y`
E2
cat <<-E3
	tab removed
	E3
read -r a b <<< "here string rest"; echo "$a/$b"
x=$(printf 'a\nb\n\n'); echo "[$x]"
arr=(zero one "two words"); echo "${#arr[@]} ${arr[2]} ${arr[@]:1}"
declare -A m=([k]=v [other]=w); echo "${m[k]} ${#m[@]}"
f() { local v=$1; ((v <= 1)) && { echo 1; return; }; echo $((v * $(f $((v - 1))))); }
f 10
diff <(printf '1\n2\n3\n') <(printf '1\n3\n4\n'); echo "diff $?"
echo out > f; echo more >> f; cat < f; wc -c < f
{ echo to-stdout; echo to-stderr >&2; } 2>&1 >g | sed 's/^/err: /'; cat g
exec 5> five; echo five >&5; exec 5>&-; cat five
exec 6< f; read -r l <&6; echo "$l"; read -r l <&6; echo "$l"; exec 6<&-
for i in {1..5}; do [ $i = 3 ] && continue; echo -n "$i "; done; echo
i=0; while true; do i=$((i + 1)); [ $i -ge 1000 ] && break; done; echo $i
case "some string" in s*g) echo matched;; *) echo no;; esac
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
s=/path/to/file.tar.gz; echo "${s##*/} ${s%.*} ${s/path/road} ${s^^}"
printf '%05d %x %q\n' 42 255 'a b'
true | false | true; echo "${PIPESTATUS[@]}"
set -o pipefail; true | false | true; echo $?
(exit 7); echo $?; ! true; echo $?
yes | head -1000 | wc -l
seq 100000 | awk '{s += $1} END {print s}'
(cd / && pwd); mkdir sub && cd sub && pwd -P | sed "s,^$TESTDIR,T,"; cd ..
touch a1 a2 a3 b1; echo a* [ab]1 *.none
echo "$-" | grep -c i; echo $# "$0" | sed 's,.*/,,'
coproc CO { while read -r l; do echo "got $l"; done; }
co_pid=$CO_PID
echo hello >&"${CO[1]}"; read -r l <&"${CO[0]}"; echo "$l"; eval "exec ${CO[1]}>&-"; wait "$co_pid"; echo "co $?"
mapfile -t lines < <(seq 5); echo "${lines[*]}"
ulimit -n 64; ulimit -n; bash -c 'ulimit -n'
time -p true 2>/dev/null; echo end
exit 3
