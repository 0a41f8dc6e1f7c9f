#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives fuzzers what was found with them before (found/TARGET), and those of libFuzzer some of their seeds and
mutations of these as well, the same ones each time:
`replay.py TARGET PROGRAM …` or `replay.py --mutations COUNT TARGET PROGRAM [SEEDER]`.
SEEDER: a program that writes more seeds into a directory."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEEDS_MAX = 60  # of a target in a test's run; other tests go through all captures
sys.path.insert(0, str(HERE.parent))

import dictionaries  # noqa: E402
from lib.tap import Tap  # noqa: E402


def found(target):
    """The inputs that once failed."""
    return sorted(path for path in (HERE / "found" / target).glob("*") if path.is_file())


def run(tap, what, command):
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
        check=False,
    )
    tap.check(done.returncode == 0, what, [] if done.returncode == 0 else done.stderr.splitlines()[-80:])


def fuzz(tap, mutations, target, program, seeders):
    """Seeds, what was found, and mutations of them."""
    with tempfile.TemporaryDirectory() as directory:
        seeds, corpus = Path(directory) / "seeds", Path(directory) / "corpus"
        corpus.mkdir()
        subprocess.run([sys.executable, HERE / "seeds.py", target, seeds], check=True)
        for seeder in seeders:
            subprocess.run([seeder, seeds], check=True)
        made = sorted(seeds.iterdir())
        chosen = set(made[:: -(-len(made) // SEEDS_MAX)])
        for path in made:
            if path not in chosen:
                path.unlink()
        count = len(chosen)
        inputs = [path for path in [HERE / "found" / target] if path.is_dir()]
        words = dictionaries.option(target, seeds, Path(directory) / "words")
        runs = count + len(found(target)) + mutations
        run(tap, f"{target}: {count} seeds, {len(found(target))} found before, {mutations} mutations", [
            program, f"-runs={runs}", "-seed=1", "-max_len=4096", "-rss_limit_mb=1024", "-timeout=20", *words,
            f"-artifact_prefix={directory}/", corpus, seeds, *inputs,
        ])  # fmt: skip
        tap.check(count > 0, f"{target} has seeds", [])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mutations", type=int)
    arguments.add_argument("programs", nargs="+")
    chosen = arguments.parse_args()
    tap = Tap()
    if chosen.mutations is not None:
        target, program, *seeders = chosen.programs
        fuzz(tap, chosen.mutations, target, program, seeders)
    else:
        for target, program in zip(chosen.programs[::2], chosen.programs[1::2], strict=True):
            if found(target):
                run(tap, f"{target}: {len(found(target))} found before", [program, *found(target)])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
