#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All figures of mailtap's speed and memory with one command.

Makes the traces it needs in a scratch directory, measures, and prints a table: what was aimed at, what was
measured, whether it is met. It takes half an hour, some gigabytes of disk and of page cache, and wants an idle machine;
--quick makes everything smaller and takes a few minutes: to see that it works, not for figures.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import goals
from measure import Bench

from lib import program

PARTS = {"goals": goals}


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small traces")
    parser.add_argument("--runs", type=int, default=5, help="of each program, in turns; the median counts (5)")
    parser.add_argument("--processor", type=int, default=max(os.sched_getaffinity(0)), help="to measure on")
    parser.add_argument("--scratch", type=Path, help="directory for traces, which stay there and are used again")
    parser.add_argument("only", nargs="*", help="")
    options = program.parse_arguments(parser)
    with contextlib.ExitStack() as stack:
        folder = options.scratch or stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        bench = Bench(options, folder)
        print(goals.HEAD, flush=True)
        for measure in goals.ALL:
            if not options.only or measure.__name__ in options.only:
                for row in measure(bench):
                    print(row.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
