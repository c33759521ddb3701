# SPDX-License-Identifier: Apache-2.0
# The host's terminal: raw while a sandbox has it, as it was afterwards. usage: terminal.py HUSK STUB-KERNEL
import os, pty, select, signal, sys, termios, time

husk, stub = sys.argv[1:]
os.environ["HUSK_KERNEL"] = stub


def start(*args):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(husk, [husk, "run", "--platform=none", "--", *args])
    return pid, fd


def read_until(fd, want, seconds=60):
    text, end = b"", time.time() + seconds
    while want not in text and time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                text += os.read(fd, 4096)
            except OSError:
                break
    return text


def is_raw(fd):
    return not termios.tcgetattr(fd)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


def wait_for(what, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def check(ok, text):
    if not ok:
        print("terminal.py:", text)
        sys.exit(1)


# Raw mode; bytes go through as they are, ^C too; ^D ends the stub's cat.
pid, fd = start("cat")
before = termios.tcgetattr(fd)
check(wait_for(lambda: is_raw(fd)), "not raw")
os.write(fd, b"ab\x03\r")
check(b"ab\x03\r" in read_until(fd, b"\r"), "bytes did not come through")
os.write(fd, b"\x04")
_, status = os.waitpid(pid, 0)
check(status == 0, "cat ended with %d" % status)
check(not is_raw(fd), "raw after a normal end")
os.close(fd)

# A window size change, a stop and a continue.
pid, fd = start("hang")
check(wait_for(lambda: is_raw(fd)), "not raw (stop)")
os.kill(pid, signal.SIGTSTP)
_, status = os.waitpid(pid, os.WUNTRACED)
check(os.WIFSTOPPED(status), "not stopped")
check(not is_raw(fd), "raw while stopped")
os.kill(pid, signal.SIGCONT)
check(wait_for(lambda: is_raw(fd)), "not raw after SIGCONT")
ended = 0
while not ended:  # the third one ends it; two that come at once are one
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.1)
    ended, status = os.waitpid(pid, os.WNOHANG)
check(os.WIFEXITED(status) and os.WEXITSTATUS(status) == 143, "SIGTERM: %d" % status)
check(not is_raw(fd), "raw after SIGTERM")
os.close(fd)

# Panic, crash of the jail, crash of the monitor.
for what in ("panic", "crash"):
    pid, fd = start(what)
    _, status = os.waitpid(pid, 0)
    check(os.WEXITSTATUS(status) == 70, "%s: %d" % (what, status))
    check(not is_raw(fd), "raw after " + what)
    os.close(fd)
pid, fd = start("hang")
check(wait_for(lambda: is_raw(fd)), "not raw (monitor)")
os.kill(pid, signal.SIGSEGV)
_, status = os.waitpid(pid, 0)
check(os.WIFSIGNALED(status), "the monitor survived SIGSEGV: %d" % status)
check(not is_raw(fd), "raw after a crash of the monitor")
os.close(fd)
print("ok")
