# SPDX-License-Identifier: Apache-2.0
# Odd callers: what a program that starts husk may leave to it. The sandbox is as ever, or one line says why not. Sourced by tests/cli/run.

# by COMMAND...: husk, started through it, runs a few processes and threads; fills $out, $err, $rc
by() {
	guard "$@" "$husk" run --platform="$platform" -- sh -c 'echo $(echo piped | cat); ls /proc/self/fd | wc -l
		exec python3 -c "import threading, time; t = threading.Thread(target=time.sleep, args=(0.01,)); t.start(); t.join(); print(time.monotonic() > 0); exit(7)"' \
		>"$work/out" 2>"$work/err" </dev/null
	rc=$?
	out=$(<"$work/out") err=$(<"$work/err")
}
as_ever() {
	[ "$rc" -eq 7 ] && [ "$out" = $'piped\n4\nTrue' ] && [ -z "$err" ] || wrong "$1: status $rc, printed \"${out:0:200}\", said \"${err:0:300}\""
}
limited() { # limited WHAT: under ulimit WHAT
	# shellcheck disable=SC2016
	by bash -c 'ulimit $0 2>/dev/null; exec "$@"' "$1"
	as_ever "ulimit $1"
}
test_caller_stack() { # without a limit the host lays out a process the other way round: its vDSO is where programs are to be
	local s
	for s in unlimited 1024 128; do limited "-s $s"; done
	command -v setarch >/dev/null || return 0
	by setarch x86_64 --addr-compat-layout
	as_ever 'setarch -L'
	by setarch x86_64 --addr-no-randomize
	as_ever 'setarch -R'
	by setarch x86_64 --read-implies-exec
	as_ever 'setarch -X'
}
test_caller_limits() {
	local l
	for l in '-c unlimited' '-l 0' '-q 0' '-i 0' '-x 0' '-m 1000' '-d 100000' '-n 64' '-Sn 20'; do limited "$l"; done
}
test_caller_signals() { # all blocked, all ignored
	by python3 -c 'import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); os.execv(sys.argv[1], sys.argv[1:])'
	as_ever blocked
	by python3 -c '
import os, signal, sys
for s in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(s, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])'
	as_ever ignored
}
test_caller_descriptors() { # pipes, sockets, files, directories: none gets in, none is in the way
	local n
	for n in 1 2 5 30 200; do
		by python3 -c '
import os, socket, sys
for i in range(int(sys.argv[1])):
    for fd in (*os.pipe(), socket.socket(socket.AF_UNIX).detach(), os.open("/", 0), os.open("/etc/passwd", 0)):
        os.set_inheritable(fd, True)
os.execv(sys.argv[2], sys.argv[2:])' "$n"
		as_ever "$n of each kind"
	done
}
test_caller_scheduling() {
	local how
	for how in 'chrt -i 0' 'chrt -b 0' 'nice -n 19' 'ionice -c 3' "taskset -c $(taskset -cp $$ | sed 's/.*[: ,-]//')" 'setsid -w'; do
		command -v "${how%% *}" >/dev/null || continue
		# shellcheck disable=SC2086
		by $how
		as_ever "$how"
	done
}
test_caller_privileges() {
	local how
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || return 0
	for how in --no-new-privs '--inh-caps=-all --bounding-set=-all' '--securebits +noroot,+no_setuid_fixup' '--groups 1,2,3'; do
		# shellcheck disable=SC2086
		by env HUSK_WEAK_JAIL=accepted setpriv $how # without privileges the host refuses parts of the jail
		as_ever "setpriv $how"
	done
}
# a name space where something of the usual is missing or may not be written
test_caller_places() {
	local how
	[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || return 0
	for how in 'umount -l /dev/shm' 'mount -o remount,bind,ro /dev/shm' 'umount -l /sys' 'mount -o remount,bind,ro /sys' 'umount -l /dev/pts' \
		'mount -o remount,bind,ro /' 'mount -t tmpfs -o noexec,mode=1777 none /run'; do
		by unshare -m bash -c "$how"' 2>/dev/null; exec "$@"' x
		as_ever "$how"
	done
}
