#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of mailtap on any trace, beside other programs on the same trace."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import measure
import traces
from measure import cpu, ratio

from lib import program

REFERENCE, WITH_LOGS = "tcpdump", "mailtap, logs written"


def commands(options, logs):
    """name -> command, of what is installed."""
    read = [options.mailtap, "-r", options.trace, "-q", "--workers", 0]
    table = {
        "mailtap": read,
        WITH_LOGS: [*read, "-w", logs],
        REFERENCE: measure.tcpdump(options.trace),
        "ndpiReader": ["ndpiReader", "-i", options.trace, "-q"],
        "bare loop": [measure.bare_loop(options.mailtap), options.trace],
    }
    return {name: command for name, command in table.items() if shutil.which(command[0])}


def report(options, count, runs):
    size = options.trace.stat().st_size
    print(f"{options.trace.name}: {count} packets, {size / 1e6:.0f} MB; "
          f"least of {options.runs} interleaved runs, median of their ratios")  # fmt: skip
    print(f"{'':24}{'CPU s':>8}{'ns/packet':>11}{'Mpkt/s':>9}{'Gbit/s':>9}{'MiB':>8}{'x tcpdump':>11}")
    for name, of in runs.items():
        least = min(of)
        times = f"{ratio(of, runs[REFERENCE]):.2f}" if REFERENCE in runs else "-"
        print(
            f"{name:24}{least.cpu:8.3f}{least.cpu / count * 1e9:11.0f}{count / least.cpu / 1e6:9.2f}"
            f"{size * 8 / least.cpu / 1e9:9.1f}{least.memory:8.1f}{times:>11}"
        )


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path, help="a pcap file, as generate.py makes it")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processor", type=int, default=max(os.sched_getaffinity(0)), help="to measure on (the last)")
    parser.add_argument("--most", type=float, help="fail if mailtap's CPU time is more than this "
                        "many times tcpdump's")  # fmt: skip
    options = program.parse_arguments(parser)
    with tempfile.TemporaryDirectory(prefix="bench-") as logs:
        runs = measure.in_turns(commands(options, logs), options.runs, {options.processor})
    report(options, traces.packets_in(options.trace), runs)
    return int(options.most is not None and ratio(runs[WITH_LOGS], runs[REFERENCE], cpu) > options.most)


if __name__ == "__main__":
    sys.exit(main())
