#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the program and its modules are built: at a place that is chosen anew each time, with nothing writable that
need not be, with the compiler's checks in them, and with no library from a place where others may put one."""

import functools
import platform
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

# Where others may jump to: this instruction stands there, and an object file says that it does.
ENDBR64 = bytes.fromhex("f30f1efa")
FILL = re.compile("X*")  # meson's room for the path of the installed program
# Checked at run time against a size that is known only then: what level 3 of FORTIFY_SOURCE has over level 2.
DYNAMIC_CHECKS = ("__memset_chk", "__read_chk")


class Binary:
    """A program or module, by what readelf says of it."""

    def __init__(self, path):
        self.path = Path(path)
        self.data = self.path.read_bytes()

    @functools.cache
    def lines(self, *what):
        command = ["readelf", "-W", *what, self.path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    def first(self, what, *words):
        return next((line for line in self.lines(what) if all(word in line for word in words)), "")

    def segments(self, kind):
        """(offset, address, size in the file, flags) of the segments of a kind."""
        for line in self.lines("-l"):
            parts = line.split()
            if parts[:1] == [kind]:
                yield int(parts[1], 16), int(parts[2], 16), int(parts[4], 16), "".join(parts[6:-1])

    def functions(self):
        """(name, address) of the functions of its own that others may call, by pointer or as a library."""
        for line in self.lines("--syms"):
            parts = line.split()
            if len(parts) == 8 and parts[3] == "FUNC" and parts[4] == "GLOBAL" and parts[6].isdigit():
                yield parts[7], int(parts[1], 16)

    def bytes_at(self, address, size):
        for offset, start, length, _ in self.segments("LOAD"):
            if start <= address < start + length:
                return self.data[offset + address - start :][:size]
        return b""

    def run_path(self):
        found = [re.search(r"\((RPATH|RUNPATH)\).*\[(.*)\]", line) for line in self.lines("-d")]
        paths = [path for match in found if match for path in match[2].split(":") if not FILL.fullmatch(path)]
        return [path.replace("$ORIGIN", str(self.path.parent)).rstrip("/") for path in paths]  # as the loader does


def check(tap, binary, modules):
    """`modules`: the directories that libraries may come from besides the system's."""
    name = binary.path.name
    kind = binary.first("-h", "Type:")
    tap.check("DYN" in kind, f"{name}: it runs at any address (PIE, PIC)", [kind])
    now = binary.first("-d", "(FLAGS_1)")
    tap.check("NOW" in now, f"{name}: functions of libraries are bound at the start (BIND_NOW)", [now])
    tap.check(list(binary.segments("GNU_RELRO")), f"{name}: and their addresses are read-only from then on (RELRO)")
    stack = [flags for *_, flags in binary.segments("GNU_STACK")]
    tap.check(stack == ["RW"], f"{name}: no code is run on its stack", stack)
    both = [flags for *_, flags in binary.segments("LOAD") if "W" in flags and "E" in flags]
    tap.check(not both, f"{name}: no part of it is both written and run", both)
    patched = binary.first("-d", "TEXTREL")
    tap.check(not patched, f"{name}: its code is not written to when it is loaded")
    tap.check(binary.first("--dyn-syms", "__stack_chk_fail"), f"{name}: overwritten stack frames are noticed")
    elsewhere = [path for path in binary.run_path() if path not in modules]
    tap.check(not elsewhere, f"{name}: libraries are taken from the system and the module's directory", elsewhere)
    if platform.machine() == "x86_64":
        marked = {function for function, at in binary.functions() if binary.bytes_at(at, 4) == ENDBR64}
        # What the C library's start files bring is as Debian compiled it.
        bare = {function for function, _ in binary.functions()} - marked - {"_start", "_init", "_fini"}
        tap.check(marked and not bare, f"{name}: indirect calls find only beginnings of functions (IBT)", sorted(bare)[:5])


def check_objects(tap, mailtap):
    """The program itself does not say that it is ready for CET: the C library's start files, of Debian, are not."""
    objects = [Binary(path) for path in sorted(mailtap.path.parent.glob("mailtap.p/*.o"))]
    bare = [str(found.path) for found in objects if not found.first("-n", "IBT", "SHSTK")]
    tap.check(objects and not bare, "mailtap: it is compiled for CET (IBT, SHSTK)", bare)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    mailtap = Binary(options.mailtap)
    built = mailtap.path.parent
    modules = [Binary(path) for path in sorted([*built.glob("*/mailtap-*.so"), *built.glob("*/*/mailtap-*.so")])]
    directories = [str(module.path.parent) for module in modules]
    for binary in (mailtap, *modules):
        check(tap, binary, directories)
    tap.check("PIE" in mailtap.first("-d", "FLAGS_1"), "mailtap: its addresses are random (PIE)")
    fortified = [check for check in DYNAMIC_CHECKS if mailtap.first("--dyn-syms", f"{check}@")]
    tap.check(mailtap.first("--dyn-syms", "__snprintf_chk@"), "mailtap: buffers are checked where their size is known")
    known_late = "mailtap: and where it is known only when it runs (FORTIFY_SOURCE 3)"
    if any("clang" in line for line in mailtap.lines("-p", ".comment")):
        tap.skip(known_late, "which of these checks clang makes depends on its version")
    else:
        tap.check(fortified, known_late)
    if platform.machine() == "x86_64":
        check_objects(tap, mailtap)
    said = subprocess.run([options.mailtap, "--version"], capture_output=True, text=True, check=True).stdout
    names = {module.path.name for module in modules}
    always = {"mailtap-clickhouse.so", "mailtap-dns.so", "mailtap-http.so", "mailtap-sqlite.so", "mailtap-top.so"}
    expected = always | ({"mailtap-dpdk.so"} if "with DPDK" in said else set())
    tap.check(names == expected, "all of its modules have been looked at", sorted(names))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
