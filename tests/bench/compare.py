#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of mailtap on a trace, beside tcpdump and ndpiReader on the same trace.

The programs take turns, so that other load on the machine hits all alike; of each the run with
the least CPU time counts. The ratios mean something on any machine, the times only on this one.
"""

import argparse
import mmap
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402

FILTER = "tcp port 25 or 465 or 587 or 110 or 143 or 993 or 995"
REFERENCE = "tcpdump"


def packets_in(path):
    """The number of packets of a little-endian pcap file."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, count, unpack = 24, 0, struct.Struct("<I").unpack_from
        while at + 16 <= len(data):
            at += 16 + unpack(data, at + 8)[0]
            count += 1
    return count


def commands(options, logs):
    """name -> command, of what is installed."""
    trace = str(options.trace)
    table = {
        "mailtap": [options.mailtap, "-r", trace, "-q"],
        "mailtap, logs written": [options.mailtap, "-r", trace, "-q", "-w", logs],
        REFERENCE: ["tcpdump", "-r", trace, "-w", "/dev/null", FILTER],
        "ndpiReader": ["ndpiReader", "-i", trace, "-q"],
    }
    return {name: command for name, command in table.items() if shutil.which(command[0])}


def measure(command):
    """(CPU seconds, peak memory in MiB) of one run."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(child, 0)
    if status:
        program.fail(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path, help="a pcap file, as generate.py makes it")
    parser.add_argument("--mailtap", default=os.environ.get("MAILTAP", "mailtap"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--most", type=float, help="fail if mailtap's CPU time is more than this "
                        "many times tcpdump's")  # fmt: skip
    options = parser.parse_args()
    count = packets_in(options.trace)
    with tempfile.TemporaryDirectory(prefix="bench-") as logs:
        table = commands(options, logs)
        measured = {name: [] for name in table}
        for _ in range(options.runs):
            for name, command in table.items():
                measured[name].append(measure(command))
    best = {name: min(runs) for name, runs in measured.items()}
    report(options, count, best)
    if options.most is None:
        return 0
    return int(best["mailtap, logs written"][0] > options.most * best[REFERENCE][0])


def report(options, count, best):
    size = options.trace.stat().st_size
    print(f"{options.trace.name}: {count} packets, {size / 1e6:.0f} MB; "
          f"least of {options.runs} interleaved runs")  # fmt: skip
    print(f"{'':24}{'CPU s':>8}{'ns/packet':>11}{'Mpkt/s':>9}{'Gbit/s':>9}{'MiB':>8}{'x tcpdump':>11}")
    for name, (seconds, memory) in best.items():
        ratio = f"{seconds / best[REFERENCE][0]:.2f}" if REFERENCE in best else "-"
        print(
            f"{name:24}{seconds:8.3f}{seconds / count * 1e9:11.0f}{count / seconds / 1e6:9.2f}"
            f"{size * 8 / seconds / 1e9:9.1f}{memory:8.1f}{ratio:>11}"
        )


if __name__ == "__main__":
    sys.exit(main())
