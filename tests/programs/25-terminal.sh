# SPDX-License-Identifier: Apache-2.0
# Programs on a pseudo-terminal: script(1), tmux, stty, a shell with job control, less, python's pty module.
# time: 600
. "$(dirname "$0")/common.sh"
need script
script -qec 'echo in script; test -t 1 && echo is a tty; stty -a | head -1 | cut -d" " -f1-2; exit 5' log </dev/null; echo $?; grep -c 'in script' log
script -qec 'stty rows 33 cols 77; stty size' /dev/null </dev/null | tr -d '\r'
printf 'echo typed\nexit 3\n' | script -qec 'PS1= sh' /dev/null 2>&1 | tr -d '\r' | grep -c typed
cat > p.py <<'E'
import pty, os, sys, time, select, signal, struct, fcntl, termios
def talk(argv, steps, env=None):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(PS1="$ ", ENV="", TERM="xterm"); os.execvp(argv[0], argv)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    out = b""
    for send, want in steps:
        if send: os.write(fd, send)
        end, seen = time.time() + 120, b""
        while want not in seen and time.time() < end:
            if select.select([fd], [], [], 0.2)[0]:
                try: d = os.read(fd, 4096)
                except OSError: break
                if not d: break
                seen += d
        print(repr(want), want in seen); out += seen
    try:
        while os.read(fd, 4096): pass
    except OSError: pass
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(talk(["bash", "--norc", "--noprofile", "-i"], [(b"", b"$ "), (b"echo a$((1+1))b\n", b"a2b\r\n"), (b"sh -c 'echo r\"\"eady; exec sleep 100'\n", b"ready\r\n"), (b"\x03", b"^C"), (b"echo s$?t\n", b"s130t"),
  (b"sh -c 'echo r\"\"eady; exec sleep 100'\n", b"ready\r\n"), (b"\x1a", b"Stopped"), (b"jobs\n", b"sleep 100"), (b"bg; kill %1; wait; echo k$?k\n", b"k0k"), (b"sh -c 'echo r\"\"eady; exec cat'\n", b"ready\r\n"), (b"line\n", b"line\r\nline"), (b"\x04", b"$ "), (b"stty size\n", b"24 80"), (b"exit 7\n", b"exit")]))
print(talk(["python3", "-q"], [(b"", b">>> "), (b"1+1\n", b"2\r\n"), (b"import os; print(os.isatty(0))\n", b"True\r\n"), (b"exit(4)\n", b"")]))
print(talk(["sh", "-c", "trap 'echo winch' WINCH; echo go; read x; echo got $x; exit 6"], [(b"", b"go"), (b"data\n", b"got data")]))
E
timeout 500 /usr/bin/python3 p.py; echo $?
if command -v tmux >/dev/null; then
	export TMUX_TMPDIR=$TESTDIR; T="tmux -f /dev/null -L t"
	$T new-session -d -x 80 -y 24 -s s 'PS1="> " exec sh'; $T has-session -t s; echo $?
	$T send-keys -t s 'echo to-$((40+2)); tty | grep -c pts' Enter
	for i in $(seq 1200); do $T capture-pane -p -t s | grep -Eq '^(> )?to-42' && break; sleep 0.1; done; $T capture-pane -p -t s | grep -Ec '^(> )?to-42' # typed before the prompt, it follows it
	$T split-window -t s 'sleep 60'; $T list-panes -t s | wc -l; $T resize-window -t s -x 100 -y 30 2>/dev/null; $T display-message -p -t s '#{window_width}'
	$T kill-server; while $T has-session -t s 2>/dev/null; do sleep 0.1; done; $T has-session -t s 2>/dev/null; echo $?
else echo 'no tmux'; fi
