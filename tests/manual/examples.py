#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of the documents are run as they stand, and print what stands there (--update writes it)."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

DOCS = program.ROOT / "configs/docs"
PAGES = ["../../README.md", "examples.md", "method.md"]
# A command, and what it prints, where that is shown.
EXAMPLE = re.compile(r"^```sh\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?", re.M | re.S)


def environment(folder, mailtap):
    """A shell in which `mailtap` is the program under test."""
    programs = folder / "bin"
    programs.mkdir()
    programs.joinpath("mailtap").symlink_to(mailtap)
    return {**program.environment(), "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def run(command, folder, shell):
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", command], cwd=folder, env=shell, check=False,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=program.TIMEOUT)  # fmt: skip
    # A reader that has seen enough (head) ends those in front of it by a signal.
    good = done.returncode in (0, 128 + 13)
    return good, program.text(done.stdout), program.text(done.stderr)


def check_page(tap, page, mailtap, update):
    """Its examples build on each other: one directory for all, beside the captures."""
    path = DOCS / page
    text, shown = path.read_text(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.joinpath("pcaps").symlink_to(program.PCAPS)
        shell = environment(folder, mailtap)
        for found in EXAMPLE.finditer(text):
            good, printed, said = run(found[1], folder, shell)
            if update and found[2] is not None:
                before = path.read_text()
                path.write_text(before.replace(found[0], f"```sh\n{found[1]}```\n```text\n{printed}```\n", 1))
            wanted = printed if found[2] is None or update else found[2]
            good = good and not said and printed == wanted and (found[2] is None or printed)
            shown += found[2] is not None
            tap.check(good, f"{path.name}: {found[1].splitlines()[0][:60]}",
                      [] if good else [*said.splitlines(), *printed.splitlines()])  # fmt: skip
    return shown


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write what the examples print")
    options = program.parse_arguments(parser)
    tap = Tap()
    shown = sum(check_page(tap, page, options.mailtap, options.update) for page in PAGES)
    tap.check(shown > 10, f"{shown} examples show what they print")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
