# SPDX-License-Identifier: Apache-2.0
# The systems that are compared: how each one is found, and the command line that runs a program in it.
import os
import shutil
from dataclasses import dataclass

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(HERE)


@dataclass
class System:
    id: str
    label: str
    prefix: list  # put before the program's argv
    tmp: str  # a memory-backed directory that is writable inside: the same kind of file system for all
    absent: str = ""  # why it cannot be measured; "-" in the table
    broken: str = ""  # why it failed its first /bin/true; "fail" in the table

    def argv(self, argv):
        return self.prefix + list(argv)

    def environ(self):
        env = dict(os.environ, BENCH_TMP=self.tmp, TMPDIR=self.tmp, LC_ALL="C")
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return env

    @property
    def usable(self):
        return not (self.absent or self.broken)


def native():
    return System("native", "native", [], "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp")


def husk(path, platform=None):
    name = "husk" if platform is None else "husk " + platform
    option = [] if platform is None else ["--platform=" + platform]
    system = System(name.replace(" ", "_"), name, [path, "run", *option, "--"], "/tmp")
    if not os.access(path, os.X_OK):
        system.broken = path + " is not built"
    return system


def found(id, label, program, arguments, tmp):
    path = shutil.which(program)
    return System(id, label, [path or program, *arguments], tmp, "" if path else program + " is not on PATH")


def bubblewrap():
    arguments = "--unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp".split()
    if REPO.startswith("/tmp/"):
        arguments += ["--ro-bind", REPO, REPO]
    return found("bwrap", "bwrap", "bwrap", arguments, "/tmp")


def proot():
    return found("proot", "proot", "proot", ["-r", "/"], native().tmp)


def runsc():
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    return found("runsc", "runsc", "runsc", [*rootless, "--ignore-cgroups", "--network=none", "do"], "/tmp")


def uml():
    kernel = shutil.which("linux.uml") or shutil.which("linux")
    return System(
        "uml", "UML", [HERE + "/uml-run", kernel or ""], "/tmp", "" if kernel else "linux.uml is not on PATH"
    )


def peers():
    return [bubblewrap(), proot(), runsc(), uml()]
