#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# husk trace: its options, filters, injection, attaching, statuses; what it says of bad input.
# usage: tests/trace/options.sh [--platform pku|none] [--only REGEX]      Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
platform=none only=.
while [ $# -gt 0 ]; do
	case $1 in
	--platform) platform=$2; shift ;;
	--only) only=$2; shift ;;
	*) echo "usage: tests/trace/options.sh [--platform NAME] [--only REGEX]" >&2; exit 2 ;;
	esac
	shift
done
husk=$PWD/build/husk
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
passed=0 failed=0 problem= trace= out= err= rc=0

# trace OPTIONS -- PROGRAM: fills $trace (the file of -o), $out, $err, $rc
trace() {
	: >"$work/trace"
	timeout -k 5 300 "$husk" trace --platform="$platform" -o "$work/trace" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	out=$(tr '\0' @ <"$work/out") err=$(<"$work/err") trace=$(<"$work/trace")
}
plain() { # the command as it is; its trace is on stderr
	timeout -k 5 300 "$husk" trace "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	out=$(<"$work/out") err=$(<"$work/err")
}
wrong() { problem="$problem${problem:+; }$*"; }
status() { [ "$rc" -eq "$1" ] || wrong "status $rc, expected $1 ($err)"; }
prints() { [ "$out" = "$1" ] || wrong "printed \"${out:0:200}\", expected \"$1\""; }
says() { [[ $err == *"$1"* ]] || wrong "stderr is \"${err:0:300}\", which lacks \"$1\""; }
quiet() { [ -z "$err" ] || wrong "stderr is \"${err:0:300}\""; }
one_line() { [ "$(printf '%s\n' "$err" | wc -l)" -eq 1 ] || wrong "more than one line on stderr: \"${err:0:300}\""; }
has() { grep -Eq -- "$1" <<<"$trace" || wrong "no line matches \"$1\": \"${trace:0:600}\""; }
lacks() { ! grep -Eq -- "$1" <<<"$trace" || wrong "a line matches \"$1\": $(grep -E -m1 -- "$1" <<<"$trace")"; }
count() { # N REGEX
	local n
	n=$(grep -Ec -- "$2" <<<"$trace")
	[ "$n" -eq "$1" ] || wrong "$n lines match \"$2\", expected $1: \"${trace:0:600}\""
}
every() { # each line matches
	local bad
	bad=$(grep -Ev -m1 -- "$1" <<<"$trace") && wrong "a line does not match \"$1\": $bad"
}

first_and_last() {
	trace -- sh -c 'exit 3'
	status 3
	quiet
	has '^1     execve\(".*/sh", \["sh", "-c", "exit 3"\], 0x[0-9a-f]+ /\* [0-9]+ vars \*/\) = 0$'
	has '^1     exit_group\(3\) +  ?= \?$'
	[ "$(tail -n 1 <<<"$trace")" = "1     +++ exited with 3 +++" ] || wrong "last line: $(tail -n 1 <<<"$trace")"
}
hostile_names() { # nothing that the guest names commands the terminal
	local o
	cat >"$work/names.py" <<-'END'
		import ctypes, os, shutil
		bad = "\x1b]0;owned\x07\x9b31m\udc9b"
		ctypes.CDLL(None).prctl(15, b"\x1b]0;o\x07\xc2\x9bm", 0, 0, 0)
		os.mkdir("/tmp/" + bad)
		os.chdir("/tmp/" + bad)
		os.write(os.open(bad, os.O_RDWR | os.O_CREAT), b"\x1b[31m")
		shutil.copy("/bin/cat", "prog")
		os.execv("/tmp/" + bad + "/prog", [bad, "/dev/null"])
	END
	for o in "-k -e %file,exit_group" "-y -Y" "--json" "-c"; do
		trace $o -- python3 "$work/names.py"
		status 0
		grep -aqP '[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|[^\xc0-\xff\x80-\xbf][\x80-\xbf]' "$work/trace" && wrong "control characters with $o"
	done
}
streams() { # the program's output is its own, the trace goes to stderr
	plain --platform="$platform" -e trace=write -- sh -c 'echo out; echo err >&2; exit 4'
	status 4
	prints out
	says 'write(1, "out\n", 4)'
	says '= 4'
	says '+++ exited with 4 +++'
}
killed() {
	trace -- sh -c 'kill -TERM $$'
	status 143
	has '^1     --- SIGTERM \{si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=[0-9]+\} ---$'
	has '^1     \+\+\+ killed by SIGTERM \+\+\+$'
}
not_there() {
	trace -- ./no-such-program
	status 127
	says no-such-program
	[ -z "$trace" ] || wrong "a trace: $trace"
}
names() {
	trace -e trace=openat,close -- cat /dev/null
	has 'openat\(AT_FDCWD, "/dev/null", O_RDONLY\)'
	has 'close\('
	every '^1     (openat|close)\(|^1     \+\+\+'
}
class() {
	trace -e trace=%file -- cat /dev/null
	has 'execve\('
	has 'openat\('
	lacks 'read\(|mmap\(|close\('
}
regex() {
	trace -e 'trace=/^m(map|protect)$' -- true
	has 'mmap\('
	has 'mprotect\('
	every '(mmap|mprotect)\(|\+\+\+'
}
negation() {
	trace -e 'trace=!mmap,mprotect' -- true
	has 'openat\('
	lacks 'mmap\(|mprotect\('
}
maybe_name() {
	trace -e 'trace=?no_such_call,close' -- true
	status 0
	has 'close\('
}
none() {
	trace -e trace=none -- true
	[ "$trace" = '1     +++ exited with 0 +++' ] || wrong "$trace"
}
failed_only() {
	trace -Z -e trace=openat -- cat /no-such-file
	status 1
	has '"/no-such-file", O_RDONLY\) = -1 ENOENT \(No such file or directory\)'
	every '= -1 E|\+\+\+'
}
successful_only() {
	trace --status=successful -e trace=openat -- cat /no-such-file
	lacks '= -1'
	has 'openat\(.* = 3$'
}
paths() {
	trace -P /etc/passwd -- sh -c 'cat /etc/passwd >/dev/null; cat /etc/group >/dev/null'
	has 'openat\(AT_FDCWD, "/etc/passwd"'
	has 'read\([0-9]+, '
	lacks '/etc/group'
	lacks 'mmap|ld\.so'
}
descriptors() {
	trace -y -e trace=read,close -- cat /etc/passwd
	has 'read\(3</etc/passwd>, '
	has 'close\(3</etc/passwd>\)'
}
string_limit() {
	trace -s 5 -e trace=write -- printf %s abcdefghij
	has 'write\(1, "abcde"\.\.\., 10\)'
	trace -s 0 -e trace=write -- printf %s abc
	has 'write\(1, ""\.\.\., 3\)'
	trace -s 70000 -e trace=write -- sh -c 'printf %060000d 7'
	[ "$(tr -dc 0 <<<"$trace" | wc -c)" -ge 59999 ] || wrong "not all of a long string: ${trace:0:100}"
	lacks '"\.\.\.'
}
hexadecimal() {
	trace -xx -e trace=write -- printf ab
	has 'write\(1, "\\x61\\x62", 2\)'
}
times() {
	trace -t -e trace=close -- true
	every '^1     [0-9][0-9]:[0-9][0-9]:[0-9][0-9] [a-z+]'
	trace -tt -e trace=close -- true
	every '^1     [0-9][0-9]:[0-9][0-9]:[0-9][0-9]\.[0-9]{6} [a-z+]'
	trace -ttt -e trace=close -- true
	every "^1     $(date +%s | cut -c1-6)[0-9]{4}\\.[0-9]{6} [a-z+]"
	trace -r -e trace=close -- true
	every '^1      +[0-9]+\.[0-9]{6} [a-z+]'
	trace -T -e trace=close -- true
	has 'close\(.* <[0-9]+\.[0-9]{6}>$'
}
monotonic() { # lines never go back in time
	trace -ttt -- sh -c 'for i in 1 2 3 4 5 6; do (ls / | cat) >/dev/null & done; wait'
	status 0
	awk '{ if ($2 + 0 && $2 < last - 0.000002) bad++; if ($2 + 0 > last && $0 !~ /resumed/) last = $2 } END { exit bad > 0 }' \
		"$work/trace" || wrong "lines are out of order"
}
column() {
	trace -a 20 -e trace=close -- true
	has '^1     close\([0-9]\) +  ?= 0$'
	awk '/close/ { if (index($0, "= ") != 21) exit 1 }' "$work/trace" || wrong "results are not at column 20"
}
many_tasks() {
	plain --platform="$platform" -e trace=exit_group -- sh -c 'true & (exit 3) & wait'
	status 0
	trace=$err
	has '^\[pid +[0-9]+\] exit_group\(3\) +  ?= \?'
	has '^\[pid +[0-9]+\] \+\+\+ exited with 3 \+\+\+'
	has '^husk trace: Process [0-9]+ attached'
	has '^(\[pid +1\] )?--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=[0-9]+, si_uid=[0-9]+, si_status=[03], '
}
unfinished() { # a call that sleeps is seen while it does, another's lines come between
	trace -e trace=wait4,write -- bash -c '(until read -r stat </proc/1/stat && [[ $stat == *") S "* ]]; do :; done; echo x >/dev/null) & wait'
	has '^1     wait4\(.* <unfinished \.\.\.>$'
	has '^1     <\.\.\. wait4 resumed>.*\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0\}\]'
}
separate() {
	timeout 300 "$husk" trace --platform="$platform" -ff -o "$work/sep" -e trace=execve -- sh -c 'true; /bin/true' || wrong "status $?"
	[ "$(ls "$work"/sep.* | wc -l)" -eq 2 ] || wrong "files: $(ls "$work"/sep.*)"
	grep -q '^execve(".*/sh"' "$work/sep.1" || wrong "no execve of sh in sep.1"
}
append() {
	trace -e trace=none -- true
	timeout 300 "$husk" trace --platform="$platform" -A -o "$work/trace" -e trace=none -- sh -c 'exit 2'
	trace=$(<"$work/trace")
	count 2 'exited with'
}
to_command() {
	timeout 300 "$husk" trace --platform="$platform" -o "|cat >$work/piped" -e trace=none -- true
	grep -q 'exited with 0' "$work/piped" || wrong "$(cat "$work/piped")"
}
summary() {
	trace -c -- cat /etc/passwd
	has '^% time +seconds +usecs/call +calls +errors syscall$'
	has '^ *[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+ +[0-9]* openat$'
	has '^100.00 .* total$'
	lacks 'openat\('
	trace -C -S name -e trace=openat,close -- true
	has 'openat\('
	has ' total$'
	trace -c -S calls --histogram -e trace=%file -- true
	has 'p50 us +p90 us +p99 us +max us syscall$'
	has '^openat: [0-9]+ calls$'
	has ' us +[0-9]+ #'
}
summary_counts() { # exactly as many as there were
	trace -c -e trace=read,write -- dd if=/dev/zero of=/dev/null bs=1 count=20000 status=none
	awk '$NF == "write" { w = $4 } $NF == "read" { r = $4 } END { exit !(w == 20000 && r >= 20000 && r < 20010) }' "$work/trace" ||
		wrong "$trace"
}
complete() { # every call is there, and in order, although the ring is filled hundreds of times
	trace -e trace=write -- dd if=/dev/zero of=/dev/null bs=1 count=100000 status=none
	count 100000 '^1     write\(1, "\\0", 1\) +  ?= 1$'
	quiet
}
counted() { # without waiting: what is lost is counted, to the record
	local shown lost
	trace --no-wait -e trace=write -o "|sleep 0.5; cat >$work/slow" -- dd if=/dev/zero of=/dev/null bs=1 count=60000 status=none
	trace=$(<"$work/slow")
	shown=$(grep -c 'write(1,' "$work/slow")
	lost=$(sed -n 's/^husk trace: \([0-9]*\) records were lost$/\1/p' <<<"$err")
	[ $((shown + lost)) -ge 60000 ] && [ $((shown + lost)) -le 60005 ] || wrong "$shown shown and $lost lost of 60000"
}
json() {
	trace --json -y -- cat /no-such-file
	status 1
	python3 - "$work/trace" <<-'PY' || wrong "JSON: $(head -c 300 "$work/trace")"
		import json, sys
		lines = [json.loads(l) for l in open(sys.argv[1])]
		calls = [l for l in lines if l["type"] == "call"]
		bad = [c for c in calls if c["call"] == "openat" and c.get("errno") == "ENOENT" and c["args"][1]["text"] == '"/no-such-file"']
		assert len(bad) == 1 and bad[0]["ret"] == -1 and bad[0]["args"][0]["text"].startswith("AT_FDCWD"), bad
		assert all(c["pid"] == c["tid"] == 1 and c["time"] > 1e9 for c in calls)
		assert all("duration" in c for c in calls if c["call"] != "exit_group")
		assert lines[-1]["type"] == "exit" and lines[-1]["status"] == 1, lines[-1]
	PY
}
json_bytes() { # whatever the bytes are, a line is JSON
	trace --json -s 300 -e trace=write -- python3 -c 'import os; os.write(1, bytes(range(256)) + "é€𝄞".encode())'
	python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$work/trace" || wrong "not JSON"
}
inject_error() {
	trace --inject=openat:error=EACCES:when=1 -e trace=openat -- cat /etc/passwd
	has 'openat\(.*\) = -1 EACCES \(Permission denied\) \(INJECTED\)$'
	count 1 INJECTED
	trace -e inject=unlink,unlinkat:error=EPERM -e trace=none -- sh -c 'echo > /tmp/husk-inject; rm /tmp/husk-inject 2>/dev/null || [ -e /tmp/husk-inject ]'
	status 0
}
inject_value() {
	trace --inject=getuid,geteuid:retval=4711 -e trace=none -- sh -c 'id -u'
	prints 4711
}
inject_when() { # 2, 4, 6 of each task's calls; then 3 to 5
	trace --inject=write:error=EIO:when=2+2 -e trace=write -- python3 -c '
import os
for i in range(6):
    try: os.write(1, b"%d" % i)
    except OSError: pass'
	prints 024
	count 3 INJECTED
	trace --inject=write:error=EIO:when=3..5 -e trace=write -- python3 -c '
import os
for i in range(7):
    try: os.write(1, b"%d" % i)
    except OSError: pass'
	prints 0156
}
inject_signal() {
	trace --inject=write:signal=USR1:when=1 -e trace=write -- sh -c 'trap "exit 9" USR1; echo x; echo y'
	status 9
	has -- '--- SIGUSR1 \{si_signo=SIGUSR1'
}
inject_delay() {
	trace --inject=close:delay_enter=200ms:when=1 -T -e trace=close -- true
	count 1 'DELAYED'
	has 'close\(.*\(DELAYED\) <(0\.[2-9]|[1-9])'
	trace --inject=close:delay_exit=200000:when=1 -T -e trace=close -- true
	has 'close\(.*\(DELAYED\) <(0\.[2-9]|[1-9])'
}
fault() {
	trace --fault=openat:error=ENOMEM:when=1+ -e trace=none -- cat /etc/passwd
	[ "$rc" -ne 0 ] || wrong "status 0"
}
stacks() {
	trace -k -e trace=clock_nanosleep,nanosleep -- sleep 0.01
	has '^ > \[kernel\] .*nanosleep\+0x'
	has '^ > /.*libc.*\((__)?(clock_)?nanosleep[^)]*\+0x[0-9a-f]+\) \[0x[0-9a-f]+\]$'
	has '^ > /.*/sleep\('
}
signals_off() {
	trace -e signal=none -- sh -c 'true & wait'
	lacks -- '--- SIG'
	trace -e signal='!CHLD' -- sh -c '(kill -USR1 $$) & trap : USR1; wait; wait'
	lacks 'SIGCHLD \{'
}
superseded() { # execve by a thread that is not the first
	trace -e trace=execve -- python3 -c '
import os, threading, time
threading.Thread(target=lambda: os.execv("/bin/true", ["true"])).start()
time.sleep(20)'
	status 0
	has '\+\+\+ superseded by execve in pid [0-9]+ \+\+\+'
	has '\["true"\].* = 0$|execve resumed>.* = 0$'
}
threads() {
	trace -e trace=futex,exit -- python3 -c '
import threading
t = [threading.Thread(target=lambda: None) for _ in range(20)]
[x.start() for x in t]; [x.join() for x in t]'
	status 0
	count 21 'exited with 0'
}
fork_storm() {
	trace -e trace=exit_group -- sh -c 'i=0; while [ $i -lt 150 ]; do (exit 1) ; i=$((i+1)); done'
	status 0
	count 151 'exited with'
	count 150 'exited with 1'
}
run_options() {
	trace --memory=300m --hostname box --env A=7 -e trace=none -- sh -c 'echo $(hostname) $A'
	prints 'box 7'
}
reader_dies() { # the program goes on without it
	(
		"$husk" trace --platform="$platform" -o "$work/trace" -- sh -c 'echo up >&2; sleep 0.5; ls / >/dev/null; echo alive >&2' \
			2>"$work/err" &
		echo $! >"$work/pid"
		wait
	) 2>/dev/null &
	for i in $(seq 1200); do
		grep -q up "$work/err" && break
		sleep 0.05
	done
	kill -KILL "$(<"$work/pid")"
	for i in $(seq 1200); do
		grep -q alive "$work/err" && break
		sleep 0.05
	done
	wait $!
	err=$(<"$work/err")
	says alive
}
# sandbox NAME SCRIPT: a sandbox in the background that has /box; its monitor is $box
sandbox() {
	rm -rf "$work/box"
	mkdir "$work/box"
	"$husk" run --platform="$platform" --name "$1" -v "$work/box:/box" -- sh -c "$2" >"$work/box.out" 2>&1 </dev/null &
	box=$!
	for i in $(seq 1200); do
		grep -q ready "$work/box.out" && return
		sleep 0.05
	done
	wrong "the sandbox did not start: $(cat "$work/box.out")"
}
soon() { # soon COMMAND...: it succeeds within a minute
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" && return
		sleep 0.1
	done
	wrong "not in a minute: $*"
}
attach() {
	local name=husk-trace-test-$$ tracer limit
	sandbox $name 'echo ready; until [ -e /box/stop ]; do sleep 0.1; done; echo end'
	: >"$work/trace"
	env --default-signal=INT "$husk" trace -o "$work/trace" -e trace=clock_nanosleep,nanosleep $name 2>"$work/err" </dev/null &
	tracer=$!
	soon grep -q 'nanosleep(.*= 0$' "$work/trace"
	kill -INT $tracer
	wait $tracer
	rc=$? err=$(<"$work/err") trace=$(<"$work/trace")
	status 0
	plain $name 7777
	status 125
	says 'there is no process 7777'
	one_line
	plain --memory 1g $name
	status 125
	says "not for a running one, \"$name\""
	{ timeout -k 5 300 "$husk" trace -o /dev/full $name </dev/null; } 2>"$work/err" # a trace that cannot be written is a failure
	rc=$? err=$(<"$work/err")
	if [ -w /dev/full ] && ! { echo >/dev/full; } 2>/dev/null && [ $rc -ne 125 -o "${err#*No space left}" = "$err" ]; then
		wrong "-o /dev/full: status $rc: $err"
	fi
	for limit in 1 4 16 64; do # it counts what there is until then: a busy machine may take long to attach
		timeout -s INT -k 5 $limit "$husk" trace -c $name 1 2>"$work/err" </dev/null
		! grep -q ' total$' "$work/err" || break
	done
	grep -q ' total$' "$work/err" || wrong "no summary: $(cat "$work/err")"
	: >"$work/box/stop"
	wait $box
	rc=$?
	status 0
	grep -q '^end$' "$work/box.out" || wrong "the sandbox was disturbed: $(cat "$work/box.out")"
	plain $name
	status 125
	says "no running sandbox \"$name\""
}
attach_twice() {
	local name=husk-trace-two-$$ first
	sandbox $name 'echo ready; until [ -e /box/stop ]; do sleep 0.1; done'
	: >"$work/trace"
	timeout 300 "$husk" trace -o "$work/trace" $name 2>"$work/first" </dev/null &
	first=$!
	soon [ -s "$work/trace" ]
	plain $name
	status 125
	says 'being traced already'
	: >"$work/box/stop"
	wait $first
	rc=$?
	status 0
	wait $box
	trace=$(<"$work/trace")
	has 'exited with 0'
}
bad() { # OPTIONS TEXT: one line, status 125
	plain "${@:1:$#-1}"
	status 125
	one_line
	says "${!#}"
}
mistakes() {
	bad 'no program and no sandbox'
	bad -- 'no program and no sandbox'
	bad --bogus -- true 'unknown option "--bogus"'
	bad -e trace=nosuchcall -- true 'no system call "nosuchcall"'
	bad -e trace=%nosuch -- true 'no class of system calls "%nosuch"'
	bad -e 'trace=/(' -- true '"/("'
	bad -e trace= -- true 'empty name'
	bad -e foo=bar -- true '-e foo=bar'
	bad -s x -- true '-s wants a number'
	bad -S sideways -- true 'not "sideways"'
	bad --status=odd -- true 'no status "odd"'
	bad -e signal=SIGFOO -- true 'no signal "SIGFOO"'
	bad --inject=open -- true 'nothing to inject'
	bad --inject=open:error=EFOO -- true '"error=EFOO" is not understood'
	bad --inject=open:error=EIO:retval=1 -- true 'a call has one result'
	bad --quiet=odd -- true 'not "odd"'
	bad --inject=open:error=EIO:when=0 -- true '"when=0" is not understood'
	bad --inject=open:error=EIO:when=5..2 -- true '"when=5..2" is not understood'
	bad -o /no-such-dir/x -- true 'cannot write /no-such-dir/x'
	bad -ff -- true '-ff needs -o'
	bad -p 0 -- true 'no process 0'
	bad no-such-sandbox 'no-such-sandbox'
}
quiet_levels() { # as strace's: -q no attaching, -qq no ends either; or those that are named
	plain --platform="$platform" -q -e trace=none --signal=none -- sh -c 'true & wait'
	status 0
	[[ $err != *attached* && $err == *"exited with 0"* ]] || wrong "-q: $err"
	plain --platform="$platform" -qq -e trace=none --signal=none -- sh -c 'true & wait'
	status 0
	quiet
	plain --platform="$platform" --quiet=exit -e trace=none --signal=none -- sh -c 'true & wait'
	[[ $err == *attached* && $err != *"exited with"* ]] || wrong "--quiet=exit: $err"
}
child_times() { # SIGCHLD says how long the child ran
	trace -e trace=none -- sh -c '(while :; do read -r a b c d e f g h i j k l m ut rest </proc/self/stat; [ "$ut" -lt 3 ] || break; done); true'
	status 0
	has 'SIGCHLD \{.*si_utime=([1-9][0-9]* /\* [0-9.]+ s \*/), si_stime=[0-9]+'
}
help_text() {
	plain --help
	status 0
	quiet
	[[ $out == *"husk trace [OPTIONS] SANDBOX"* ]] || wrong "$out"
}
trace_fd() { # the descriptor is husk trace's to give
	timeout 300 "$husk" run --platform="$platform" --trace-fd 77 -- true >"$work/out" 2>"$work/err"
	rc=$? err=$(<"$work/err")
	status 125
	says 'husk trace gives it'
	timeout 300 "$husk" run --platform="$platform" --trace-fd 5 -- true 5</dev/null >"$work/out" 2>"$work/err"
	rc=$? err=$(<"$work/err")
	status 125
	says 'must be a socket'
}

for t in first_and_last hostile_names streams killed not_there names class regex negation maybe_name none failed_only successful_only paths \
	descriptors string_limit hexadecimal times monotonic column many_tasks unfinished separate append to_command summary \
	summary_counts complete counted json json_bytes inject_error inject_value inject_when inject_signal inject_delay fault \
	stacks signals_off superseded threads fork_storm run_options reader_dies attach attach_twice mistakes \
	quiet_levels child_times help_text trace_fd; do
	[[ $t =~ $only ]] || continue
	problem=
	$t
	if [ -z "$problem" ]; then
		echo "ok trace/$t"
		passed=$((passed + 1))
	else
		echo "FAIL trace/$t: $problem"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
