# SPDX-License-Identifier: Apache-2.0
# Runs one Job in one System and returns its values; cleans up whatever the run leaves behind.
import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time

RESULT = re.compile(rb"^result (\w+) ([0-9.]+)\r?$", re.M)


class Failed(Exception):
    pass


class Hung(Failed):
    pass


def become_subreaper():
    """Orphans of a run become children of this process, so that none is lost from sight."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(root):
    """Every process below root (root not included), from one look at /proc."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry, "rb") as f:
                fields = f.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if fields[0] != b"Z":
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def clean_up(wait=0.5):
    """Ends what the last run left behind; returns how many processes outlived it by more than `wait` seconds."""
    end = time.monotonic() + wait
    while (left := descendants(os.getpid())) and time.monotonic() < end:
        time.sleep(0.01)
    count = len(left)
    while left := descendants(os.getpid()):
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return count


class Measurer:
    """Owns the paths that a Job's argv may name and the hang guard."""

    def __init__(self, programs, sources, guard):
        self.programs, self.sources, self.guard = programs, sources, guard

    def expand(self, argv):
        argv = [self.programs + "/" + a[1:] if a.startswith("@") else a for a in argv]
        return [re.sub(r"%(?=[a-z]+\.(py|c|sql)\b)", self.sources + "/", a) for a in argv]

    def spawn(self, system, argv, out, err, launcher=()):
        return subprocess.Popen(
            [*launcher, *system.argv(argv)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=system.environ(),
            start_new_session=True,
        )

    def finish(self, process, out, err):
        """The output of a process that must end well."""
        try:
            status = process.wait(self.guard)
        except subprocess.TimeoutExpired:
            raise Hung("no end after %d s" % self.guard) from None
        out.seek(0)
        if status:
            raise Failed("status %d: %s" % (status, last_line(err) or last_line(out) or "no message"))
        return out.read()

    def run(self, system, job):
        """{row id: value}, and a remark or None."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                values = getattr(self, job.kind)(system, self.expand(job.argv), job, out, err)
            except OSError as e:
                raise Failed(str(e)) from None
            finally:
                left = clean_up()
        return values, "%d processes outlived the command" % left if left else None

    def inside(self, system, argv, job, out, err):
        output = self.finish(self.spawn(system, argv, out, err), out, err)
        values = {name.decode(): float(value) for name, value in RESULT.findall(output)}
        wanted = {row.id for row in job.rows}
        if not wanted <= values.keys():
            raise Failed("no result printed: %s" % (last_line(err) or last_line(out) or "no output"))
        return {name: values[name] for name in wanted}

    def whole(self, system, argv, job, out, err):
        # A small C launcher takes the time: python's own start of a process would add a millisecond.
        launcher = [self.programs + "/timed", job.rows[0].id]
        output = self.finish(self.spawn(system, argv, out, err, launcher), out, err)
        return {job.rows[0].id: float(RESULT.findall(output)[0][1])}

    def memory(self, system, argv, job, out, err):
        process = self.spawn(system, argv, out, err)
        try:
            self.await_ready(process, out, err)
            pss = held = before = -1
            end = time.monotonic() + 10
            while time.monotonic() < end:
                time.sleep(0.3)
                pss, held = memory_of([process.pid, *descendants(process.pid), *descendants(os.getpid())])
                if pss == before:
                    break
                before = pss
        finally:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return {"pss": pss, "held": held}

    def await_ready(self, process, out, err):
        end = time.monotonic() + self.guard
        while os.pread(out.fileno(), 64, 0).strip() != b"ready":
            if process.poll() is not None:
                raise Failed("status %d: %s" % (process.returncode, last_line(err) or "no message"))
            if time.monotonic() > end:
                raise Hung("not ready after %d s" % self.guard)
            time.sleep(0.02)


def last_line(file):
    file.seek(0)
    lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:160] if lines else ""


def memory_of(pids):
    """(PSS, PSS with each memfd counted by its allocated size instead of its mapped part), in bytes."""
    pss = mapped = 0
    memfds = {}
    for pid in set(pids):
        try:
            with open("/proc/%d/smaps" % pid) as f:
                total, of_memfd = parse_smaps(f)
            pss, mapped = pss + total, mapped + of_memfd
            memfds.update(memfds_of(pid))
        except PermissionError:
            raise Failed("process %d hides its memory from this user: run as root" % pid) from None
        except OSError:
            continue  # it ended meanwhile
    return pss, pss - mapped + sum(memfds.values())


def parse_smaps(lines):
    total = of_memfd = 0
    is_memfd = False
    for line in lines:
        if line.startswith("Pss:"):
            size = int(line.split()[1]) * 1024
            total += size
            of_memfd += size if is_memfd else 0
        elif not line.split(" ", 1)[0].endswith(":"):
            is_memfd = "/memfd:" in line or "/husk-ram" in line
    return total, of_memfd


def memfds_of(pid):
    """{inode: allocated bytes} of the memfds that a process has open or mapped."""
    found = {}
    for directory in ("fd", "map_files"):
        base = "/proc/%d/%s" % (pid, directory)
        try:
            names = os.listdir(base)
        except OSError:
            continue
        for name in names:
            path = base + "/" + name
            try:
                if os.readlink(path).startswith(("/memfd:", "/husk-ram")):
                    st = os.stat(path)
                    found[st.st_dev, st.st_ino] = st.st_blocks * 512
            except OSError:
                continue
    return found
