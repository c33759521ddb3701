# SPDX-License-Identifier: Apache-2.0
# The monitor with a stand-in for the kernel (stub-kernel.c): streams, ends, crashes, a hostile kernel. Sourced by tests/cli/run.

test_stub_status() { run_stub -- true; status 0; quiet; run_stub -- exit7; status 7; run_stub -- signal9; status 137; }
test_stub_not_found() { run_stub -- enoent; status 127; says 'cannot run enoent'; one_line; }
test_stub_not_executable() { run_stub -- enoexec; status 126; says 'neither an x86-64 program nor a script'; one_line; }
test_stub_odd_errno() { run_stub -- odd-errno; status 126; one_line; }
test_stub_panic() {
	run_stub --log-level err -- panic
	status 70
	says 'kernel panic: it ?[31mbroke'
}
test_stub_panic_log() { run_stub --log-level info --log "$work/log" -- panic; status 70; says 'stub kernel'; }
test_stub_crash() { run_stub -- crash; status 70; says 'was killed by signal 11'; }
test_stub_no_secret() { run_stub -- no-secret; status 70; says 'signal 31'; }
test_stub_odd_state() { run_stub -- odd-state; status 70; }
test_stub_scribble() { run_stub -- scribble; status 70; says 'kernel panic: ???'; }
test_stub_scribble_streams() { head -c 100000 /dev/zero | run_stub -- scribble; status 70; }
test_stub_echo() { run_stub -- echo 'a b'; status 0; prints 'a b'; [ "$err" = 'to stderr' ] || wrong "stderr is $err"; }
test_stub_one_file() {
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- echo one >"$work/both" 2>&1
	[ "$(<"$work/both")" = $'one\nto stderr' ] || wrong "order: $(<"$work/both")"
}
test_stub_pipes() {
	local n
	n=$(head -c 5000000 /dev/urandom | tee "$work/in" | HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- cat | tee "$work/copy" | wc -c)
	[ "$n" -eq 5000000 ] || wrong "$n bytes"
	cmp -s "$work/in" "$work/copy" || wrong "data differ"
}
test_stub_slow_reader() {
	local n
	n=$(head -c 1000000 /dev/zero | HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- cat | (sleep 1; wc -c))
	[ "$n" -eq 1000000 ] || wrong "$n bytes"
}
test_stub_reader_gone() {
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- yes 2>"$work/err" | head -n 2 >"$work/out"
	[ "${PIPESTATUS[0]}" -eq 0 ] || wrong "status ${PIPESTATUS[0]}"
	[ "$(wc -l <"$work/out")" -eq 2 ] || wrong "output"
}
test_stub_full_disk() {
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- yes >/dev/full 2>"$work/err"
	rc=$? err=$(<"$work/err")
	status 125 # it ended well, but what it said is lost
	says 'No space left on device'
	one_line
}
test_stub_closed() {
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- echo x >&- 2>"$work/err" || wrong "closed stdout: $?"
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- echo x 2>&- >"$work/out" || wrong "closed stderr: $?"
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- cat <&- >"$work/out" || wrong "closed stdin: $?"
	HUSK_KERNEL=$stub_kernel guard "$husk" run --platform=none -- echo x <&- >&- 2>&- || wrong "all closed: $?"
}
test_stub_nonblocking() {
	local n
	command -v python3 >/dev/null || return 0
	n=$(HUSK_KERNEL=$stub_kernel guard python3 -c '
import os, subprocess, sys
r, w = os.pipe()
os.set_blocking(w, False)
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=w)
os.close(w)
import threading, time
def feed():
    p.stdin.write(bytes(1000000)); p.stdin.close()
threading.Thread(target=feed).start()
time.sleep(0.5)
n = 0
while True:
    d = os.read(r, 65536)
    if not d: break
    n += len(d)
print(n)' "$husk" run --platform=none -- cat)
	[ "$n" = 1000000 ] || wrong "$n bytes"
}
test_stub_timeout() {
	local start=$EPOCHREALTIME
	run_stub --timeout 0.3 -- hang
	status 124
	says 'time limit of 0.3 seconds'
	one_line
	[ $((${EPOCHREALTIME/./} - ${start/./})) -lt 30000000 ] || wrong "took too long"
}
test_stub_signals() {
	local s pid
	for s in TERM INT HUP QUIT USR1; do
		background_stub signals wait-signal
		kill -"$s" "$pid"
		ended
		[ "$rc" -eq $((128 + $(kill -l "$s"))) ] || wrong "$s: status $rc"
	done
	none_left signals
}
# what the caller ignores is not passed on: nohup(1) works
test_stub_ignored_signal() {
	local pid
	HUSK_KERNEL=$stub_kernel env --ignore-signal=HUP "$husk" run --platform=none --log-level info --log "$work/ready" -- wait-signal </dev/null >"$work/out" 2>"$work/err" &
	pid=$!
	soon grep -qs 'stub kernel' "$work/ready"
	kill -HUP "$pid"
	kill -TERM "$pid"
	ended
	status 143
	rm "$work/ready"
}
test_stub_three_signals() {
	local pid i
	background_stub three hang
	for ((i = 0; i < 600; i++)); do # two of a kind that come at once are one
		kill -TERM "$pid" 2>/dev/null || break
		sleep 0.1
	done
	ended
	status 143
}
test_stub_monitor_killed() {
	local pid
	background_stub monitor hang
	kill -KILL "$pid"
	ended
	none_left monitor
}
test_stub_jail_killed() {
	local pid
	background_stub jail hang
	kill -KILL $(jailed "$pid")
	ended
	status 70
	says 'killed by signal 9'
}
test_stub_terminal() {
	command -v script >/dev/null && command -v python3 >/dev/null || return 0
	# the host's terminal is raw while the sandbox runs, and as before afterwards, however it ends
	guard python3 tests/cli/terminal.py "$husk" "$stub_kernel" >"$work/out" 2>&1 || wrong "$(tail -n 5 "$work/out")"
}
test_stub_log_file() {
	run_stub --log "$work/log" -- true
	status 0
	quiet
	grep -q '^\[ *0.000\] stub kernel' "$work/log" || grep -q 'stub kernel' "$work/log" || wrong "log is $(<"$work/log")"
}
test_stub_log_level() { run_stub --log-level info -- true; says 'stub kernel'; run_stub --log-level err -- true; quiet; }
test_stub_boot_time() { run_stub --boot-time -- true; says 'boot-time:'; says 'in all'; }
test_stub_file_limit() {
	(ulimit -f 1000; run_stub -- true; status 125; says 'ulimit -f'; one_line; echo "$problem" >"$work/problem")
	problem=$(<"$work/problem")
}
test_stub_memory_limit() {
	(ulimit -v 200000; run_stub --memory 1g -- true; status 125; says 'ulimit -v'; one_line; echo "$problem" >"$work/problem")
	problem=$(<"$work/problem")
}
test_stub_nothing_left() { # here, that is: others may run sandboxes meanwhile
	local before after
	before=$(ls -A "$work" | grep -i husk; grep -c "$work" /proc/self/mountinfo)
	TMPDIR=$work run_stub -- true
	after=$(ls -A "$work" | grep -i husk; grep -c "$work" /proc/self/mountinfo)
	[ "$before" = "$after" ] || wrong "files or mounts were left behind"
}
test_stub_user() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || return 0
	chmod 755 "$stub_kernel"
	HUSK_KERNEL=$stub_kernel as_user "$work/bin/husk" run --platform=none -- echo hi
	rc=$? out=$(<"$work/out") err=$(<"$work/err")
	status 0
	prints hi
}
# where namespaces are refused (as in a container) it runs all the same, and says so in one line
test_stub_no_namespaces() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && [ -w /proc/sys/user/max_user_namespaces ] || return 0
	local known
	for known in no accepted; do
		guard unshare -U --map-current-user sh -c "echo 0 >/proc/sys/user/max_user_namespaces && HUSK_WEAK_JAIL=$known HUSK_KERNEL='$stub_kernel' HUSK_CLI_TEST=nons.$$ exec setpriv --inh-caps=-all --bounding-set=-all '$husk' run --platform=none -- echo hi" >"$work/out" 2>"$work/err"
		rc=$? out=$(<"$work/out") err=$(<"$work/err")
		status 0
		prints hi
		case $known in
		no) one_line; says 'refused by this host: user namespaces' ;;
		accepted) quiet ;;
		esac
		none_left nons
	done
}
