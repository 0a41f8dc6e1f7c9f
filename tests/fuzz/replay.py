#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives a fuzzer its seeds once, so that what it calls is known to be called rightly still:
`replay.py NAME FUZZER [SEEDER]`. SEEDER: a program that writes more seeds into a directory."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib.tap import Tap  # noqa: E402


def main():
    name, fuzzer, *seeders = sys.argv[1:]
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        for command in [[sys.executable, HERE / "seeds.py", name], *([seeder] for seeder in seeders)]:
            subprocess.run([*command, directory], check=True)
        seeds = sorted(map(str, Path(directory).iterdir()))
        done = subprocess.run(
            [fuzzer, f"-artifact_prefix={directory}/", *seeds],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        )
        good = done.returncode == 0 and bool(seeds)
        tap.check(good, f"{name}: {len(seeds)} seeds", [] if good else done.stderr.splitlines()[-60:])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
