# SPDX-License-Identifier: Apache-2.0
"""The machine's file system with a layer above it that takes all changes, and what was changed there."""

import os
import stat
import subprocess
from pathlib import Path

from lib import program

LAYER = "size=1g,mode=0755"  # of memory, at most
# What each change of the installed packages touches, whichever they are. The list of packages is compared by itself.
OF_DPKG = ("var/lib/dpkg/", "var/lib/man-db/auto-update", "var/log/dpkg.log", "var/cache/man/", "var/cache/ldconfig/", "etc/ld.so.cache")
# The former state of the user database, and locks, as its tools leave them.
USERS = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow")
OF_USERS = {"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock", "etc/subuid-", "etc/subgid-"}


def _mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode != 0:
        raise program.RunError(f"mount {arguments}: {program.text(done.stderr).strip()}")


class Tree:
    """To be made in a mount namespace of one's own, with which it goes."""

    def __init__(self, folder, shared):
        layer, self.root = folder / "layer", folder / "root"
        layer.mkdir()
        self.root.mkdir()
        _mount("-t", "tmpfs", "-o", LAYER, "tmpfs", layer)
        self.upper = layer / "upper"
        # As they are now: who installs something on the machine meanwhile changes them.
        self.put = set()  # what the test itself wrote there
        self.users = {name: Path("/", name).read_bytes() for name in USERS if Path("/", name).exists()}
        for path in (self.upper, layer / "work"):
            path.mkdir()
        _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={self.upper},workdir={layer / 'work'}", self.root)
        for name in ("proc", "dev", "sys"):
            _mount("--rbind", f"/{name}", self.root / name)
        for name in ("run", "tmp"):
            _mount("-t", "tmpfs", "tmpfs", self.root / name)
        status = self.path("var/lib/dpkg/status")
        status.write_bytes(status.read_bytes())  # likewise
        _mount("--bind", shared, self.root / "mnt")
        self.path("var/lib/man-db/auto-update").unlink(missing_ok=True)  # an index of all pages takes seconds, each time

    def path(self, name):
        return self.root / str(name).lstrip("/")

    def put_program(self, name, text):
        """A program of the test's own, in the place of another one or in front of it."""
        self.path(name).unlink(missing_ok=True)
        self.path(name).write_text(text)
        self.path(name).chmod(0o755)
        self.put.add(name.lstrip("/"))

    def run(self, *command):
        """A command in it; exit code and what it said."""
        done = subprocess.run(["chroot", str(self.root), *map(str, command)], capture_output=True, check=False,
                              env={"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"}, stdin=subprocess.DEVNULL)  # fmt: skip
        return done.returncode, program.text(done.stdout + done.stderr)

    def packages(self):
        """The list of packages: each one's paragraph, in no order."""
        return set(self.path("var/lib/dpkg/status").read_text().split("\n\n"))

    def changes(self):
        """Lines that say what is not as it was, of what is left in the layer."""
        for top, folders, files in os.walk(self.upper):
            for name in sorted(folders + files):
                path = Path(top) / name
                inside = str(path.relative_to(self.upper))
                if not inside.startswith(OF_DPKG) and inside not in OF_USERS | self.put and (how := self._differs(path, inside)):
                    yield f"/{inside}: {how}"

    def _differs(self, path, inside):
        below = Path("/") / inside
        now = path.lstat()
        if stat.S_ISCHR(now.st_mode) and now.st_rdev == 0:
            return "is gone"
        if not os.path.lexists(below):
            return "is new"
        before = below.lstat()
        if (now.st_mode, now.st_uid, now.st_gid) != (before.st_mode, before.st_uid, before.st_gid):
            return f"mode and owner were {before.st_mode:o} {before.st_uid}, are {now.st_mode:o} {now.st_uid}"
        if stat.S_ISREG(now.st_mode) and path.read_bytes() != (self.users.get(inside) or below.read_bytes()):
            return "has another content"
        return None
