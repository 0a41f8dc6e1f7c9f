#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hours of churn: mail among other traffic without an end, into one run of mailtap.

A trace is sent again and again by a pipe, each time later and between other addresses, so that connections
come and go as fast as they can be read. Memory and descriptors are looked at after each round: once tables and
rings have filled they must not grow. At the end every packet must be found in one of the counters, and every
session in a record. Records are counted in a pipe; of the logs, which are put aside as they grow, few are kept.

    tests/soak/soak.py --seconds 600 --mailtap build/mailtap
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

TRACE = ["--size", "12M", "--mail", "0.5", "--concurrent", "400"]
ROUNDS_MIN = 100
OPTIONS = ["--memory", "64M", "--rotate-size", "32M", "--rotate-keep", "2"]
PAUSE = 20  # seconds of packet time between rounds
VARIANTS = 8  # of addresses
WARM_UP = 0.6  # of the rounds: what fills tables and rings comes in these
GROWTH = 1.02  # of the most memory
RECORD = 16  # bytes of a packet's header in the trace
IPV4, IPV6, VLAN = b"\x08\x00", b"\x86\xdd", b"\x81\x00"


class Trace:
    """A trace that can be sent later and between other addresses."""

    def __init__(self, data):
        self.header, self.data = data[:24], bytearray(data[24:])
        self.times, self.addresses = [], []
        at = 0
        while at < len(self.data):
            seconds = int.from_bytes(self.data[at : at + 4], "little")
            length = int.from_bytes(self.data[at + 8 : at + 12], "little")
            self.times.append((at, seconds))
            self.find_addresses(at + RECORD)
            at += RECORD + length
        self.seconds = self.times[-1][1] - self.times[0][1] + PAUSE

    def find_addresses(self, at):
        """The last byte but one of both addresses, where a variant is put in."""
        at += 12
        while self.data[at : at + 2] == VLAN:
            at += 4
        kind = bytes(self.data[at : at + 2])
        offsets = {IPV4: (16, 20), IPV6: (38, 54)}.get(kind, ())
        self.addresses.extend((at + offset, self.data[at + offset]) for offset in offsets)

    def round(self, number):
        for at, seconds in self.times:
            self.data[at : at + 4] = (seconds + number * self.seconds).to_bytes(4, "little")
        for at, value in self.addresses:
            self.data[at] = value ^ number % VARIANTS
        return self.data


def state(process):
    """Resident bytes and open descriptors."""
    folder = Path("/proc") / str(process.pid)
    pages = int((folder / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(folder / "fd"))


def send(process, trace, seconds):
    """Sends rounds for that long. Gives the states after each."""
    states, end = [], time.monotonic() + seconds
    process.stdin.write(trace.header)
    while time.monotonic() < end or len(states) < ROUNDS_MIN:
        process.stdin.write(trace.round(len(states)))
        states.append(state(process))
    process.stdin.close()
    return states


def soak(options, tap, folder, workers):
    path = Path(folder) / "trace.pcap"
    generate = Path(__file__).resolve().parents[1] / "bench" / "generate.py"
    subprocess.run([sys.executable, generate, path, *TRACE], check=True, stdout=subprocess.DEVNULL)
    trace = Trace(path.read_bytes())
    logs = Path(folder) / f"logs-{workers}"
    command = [options.mailtap, "-r", "-", "-q", "-w", logs, "-o", "-", "--workers", str(workers), *OPTIONS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with subprocess.Popen(["wc", "-l"], stdin=process.stdout, stdout=subprocess.PIPE, text=True) as count:
            states = send(process, trace, options.seconds)
            code = process.wait(timeout=120)
            records = int(count.communicate()[0])
    tap.check(code == 0, f"{workers} workers: exit code {code}")
    warm = int(len(states) * WARM_UP)
    for name, figures in zip(("bytes of memory", "descriptors"), zip(*states)):
        before, after = max(figures[:warm]), max(figures[warm:])
        tap.check(after <= before * GROWTH, f"{name}: {before} at most while it warms up, {after} after it")
    check_sums(tap, logs, len(trace.times) * len(states), records)
    print(f"# {workers} workers: {len(trace.times) * len(states)} packets, {records} records, "
          f"{max(memory for memory, _ in states)} bytes at most")  # fmt: skip


def check_sums(tap, logs, sent, records):
    *_, last = (json.loads(line) for line in open(logs / "statistics.jsonl", encoding="utf-8"))
    capture = last["capture"]
    tap.check(capture["packets_seen"] == sent, f"{sent} packets sent, {capture['packets_seen']} seen")
    tap.check(records == last["sessions"], f"{records} records, {last['sessions']} counted")
    for log in logs.glob("sessions*.jsonl"):
        with open(log, encoding="utf-8") as lines:
            tap.check(all(json.loads(line)["session_id"] for line in lines), f"{log.name}: each line is of a session")


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="for each number of workers")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        for workers in (0, 2):
            soak(options, tap, folder, workers)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
