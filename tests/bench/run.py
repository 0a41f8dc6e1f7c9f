#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All figures of mailtap's speed and memory with one command.

Makes the traces that it needs, measures, and prints tables: what is aimed at, what was measured, and whether it is
met; how costs grow with the traffic (drawn in curves/ besides); what traffic costs that is made to be dear. For figures
that count nothing else may run on the machine; all of it takes hours, --only a part of them. With --quick everything is
small: minutes, to see that it works and to compare, not for figures.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

import goals
import growth
import shapes
from measure import Bench

from lib import program


def wanted(options, part, name):
    return not options.only or part in options.only or name in options.only


def show(head, rows):
    """A table, its rows as they come."""
    for index, row in enumerate(rows):
        if index == 0:
            print(f"\n{head}")
        print(row, flush=True)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="everything small")
    parser.add_argument("--runs", type=int, default=5, help="of each program, in turns; the median counts (5)")
    parser.add_argument("--processor", type=int, default=max(os.sched_getaffinity(0)), help="to measure on (the last)")
    parser.add_argument("--scratch", type=Path, help="for traces, which stay there and are used again (some 30 GB)")
    parser.add_argument("--curves", type=Path, default=growth.CURVES, help="where curves are drawn (curves/ here)")
    parser.add_argument("--only", nargs="+", help="of: goals, growth, shapes, or what is in them: all_mail, loss, …")
    options = program.parse_arguments(parser)
    with contextlib.ExitStack() as stack:
        folder = options.scratch or stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        bench = Bench(options, folder)
        rows = (row.line() for goal in goals.ALL if wanted(options, "goals", goal.__name__) for row in goal(bench))
        show(goals.HEAD, rows)
        chosen = (curve for curve in growth.ALL if wanted(options, "growth", curve.name))
        show(growth.HEAD, (row for curve in chosen for row in growth.measure(bench, curve, options.curves)))
        chosen = (shape for shape in shapes.ALL if wanted(options, "shapes", shape.__name__))
        show(shapes.HEAD, (shapes.measure(bench, shape) for shape in chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
