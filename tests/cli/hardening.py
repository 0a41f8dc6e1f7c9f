#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the program is built: at a place that is chosen anew each time, with nothing writable that need not be, and
with the compiler's checks in it."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()

    def lines(what):
        done = subprocess.run(["readelf", "-W", what, options.mailtap], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def first(found, *words):
        return next((line for line in found if all(word in line for word in words)), "")

    dynamic, segments, symbols = lines("-d"), lines("-l"), lines("--dyn-syms")
    tap.check("PIE" in first(dynamic, "FLAGS_1"), "its addresses are random (PIE)", dynamic[-8:])
    tap.check("NOW" in first(dynamic, "FLAGS_1"), "functions of libraries are bound at the start (BIND_NOW)")
    tap.check(first(segments, "GNU_RELRO"), "and their addresses are read-only from then on (RELRO)")
    stack = first(segments, "GNU_STACK").split()
    tap.check("RW" in stack and "RWE" not in stack, "no code is run on its stack", [stack])
    writable_code = [line for line in segments if line.split()[:1] == ["LOAD"] and "RWE" in line]
    tap.check(not writable_code, "no part of it is both written and run", writable_code)
    tap.check(first(symbols, "__stack_chk_fail"), "overwritten stack frames are noticed (stack protector)")
    tap.check(first(symbols, "_chk@"), "and buffers whose size is known (FORTIFY_SOURCE)")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
