#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No packet is lost silently: in every line of the statistics the figures add up to the packets that were read.

All captures are read as one traffic: every link type, fragments, copies, forged SYNs, wrong checksums, headers
that contradict themselves, and with little memory connections that are given up.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

PACKETS = ("packets_kept", "packets_other_port", "packets_other_protocol", "packets_malformed", "packets_unreadable")
SEGMENTS = ("segments_tracked", "segments_duplicated", "segments_set_aside", "segments_left_out", "segments_refused",
            "dropped_by_ring")  # fmt: skip
RUNS = {
    "no threads": [],
    "three workers": ["--workers", "3"],
    "wrong checksums left out": ["--drop-bad-checksums"],
    "every port": ["--any-port"],
    "a filter": ["-f", "not port 110"],
    "little memory": ["--memory", "8M"],
}
FORGED = "smtp-cleartext-postfix-swaks.pcap"
MUST_OCCUR = {"packets_other_port", "packets_other_protocol", "packets_malformed", "segments_duplicated",
              "segments_set_aside", "segments_left_out", "packets_filtered"}  # fmt: skip


def forged(path, out):
    """A capture with a header that contradicts itself, and a SYN in the middle of a connection. Of Ethernet."""
    packets = cf.read(path)
    opening, last = packets[0], packets[-1]
    broken, syn = bytearray(opening.data), bytearray(opening.data)
    broken[14] = 0x42  # an IPv4 header of 8 bytes
    syn[38:42] = b"fake"  # another sequence number
    middle = len(packets) // 2
    packets[middle:middle] = [opening.with_data(bytes(data)).at(packets[middle].time) for data in (broken, syn)]
    cf.write_pcap(out, packets)
    return out


def lines_of(options, captures, extra, folder):
    command = [options.mailtap, "-r", *captures, "-q", "--interval", "1", "-w", folder, *extra]
    subprocess.run(command, check=False, timeout=2 * program.TIMEOUT, stderr=subprocess.DEVNULL)
    return [line["capture"] for line in program.json_lines((Path(folder) / "statistics.jsonl").read_bytes())]


def wrong_sums(capture):
    """What does not add up in a line."""
    sums = [("packets_seen", PACKETS), ("segments_kept", SEGMENTS)]
    return [f"{whole} is {capture[whole]}, its parts {[capture[part] for part in parts]}" for whole, parts in sums
            if capture[whole] != sum(capture[part] for part in parts)]  # fmt: skip


def check(tap, options, name, captures, folder):
    """One way to read the captures. Gives the kinds of figures that are not zero."""
    there = sum(len(cf.read(path)) for path in captures)
    *intervals, run = lines_of(options, captures, RUNS[name], folder)
    problems = [problem for line in [*intervals, run] for problem in wrong_sums(line)]
    tap.check(not problems, f"{name}: {len(intervals)} intervals and the run add up", problems[:3])
    read = run["packets_seen"] + run["packets_filtered"]
    tap.check(read == there, f"{name}: {there} packets are there, {read} were read")
    grown = {key for key in run if run[key] != sum(line[key] for line in intervals)}
    tap.check(not grown, f"{name}: the intervals add up to the run", sorted(grown))
    return {key for key, value in run.items() if value > 0}


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    captures = [path for path in program.captures(options.pcaps) if path.suffix in (".pcap", ".pcapng")]
    with tempfile.TemporaryDirectory(prefix="accounting-") as folder:
        captures.append(forged(options.pcaps / FORGED, Path(folder) / "forged.pcap"))
        occurred = set().union(*(check(tap, options, name, captures, folder) for name in RUNS))
    tap.check(MUST_OCCUR <= occurred, "each kind of loss occurs", sorted(MUST_OCCUR - occurred))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
