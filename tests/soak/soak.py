#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hours of churn: mail among other traffic without an end, into one run of mailtap.

A trace is sent again and again by a pipe, each time later and between other addresses and with other names in its
DNS, so that connections come and go as fast as they can be read. Memory and descriptors are looked at after each
round: once tables and rings have filled they must not grow. At the end every packet and every message of DNS must be
found in one of the counters, and every session in a record. Records are counted in a pipe; of the logs, which are put
aside as they grow, and of the store few are kept.

    tests/soak/soak.py --seconds 600 --mailtap build/mailtap
    tests/soak/soak.py --seconds 3600 --everything --variants 128 --mailtap build/mailtap

Once without workers as mailtap is by default, once with two and everything that remembers switched on. With more
variants tables of servers, clients and names reach their bounds; memory is flat once all variants came a few times, so
that what is remembered of each is full as well.
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

TRACE = ["--size", "12M", "--dns", "0.2", "--mail", "0.5", "--concurrent", "400"]
ROUNDS_MIN = 100
OPTIONS = ["--memory", "64M", "--rotate-size", "32M", "--rotate-keep", "2"]
PAUSE = 20  # seconds of packet time between rounds
VARIANTS = 8  # of addresses and names
WARM_UP = 0.6  # of the rounds: what fills tables and rings comes in these
GROWTH = 1.02  # of the most memory
GROWTH_OF_FEW, FEW = 1.05, 1000  # rounds, in which not all that is remembered has reached its bounds
RECORD = 16  # bytes of a packet's header in the trace
IPV4, IPV6, VLAN = b"\x08\x00", b"\x86\xdd", b"\x81\x00"
PLACES = {IPV4: (14, 18), IPV6: (22, 38)}  # behind the type: of the bytes of both addresses where a variant is put in
UDP, DNS_PORT, DNS_AT = 17, 53, 28  # behind IPv4's first byte
NAME = b"\x07example\x03org"  # of the domains of the trace: three of its letters tell the variant
LETTERS = 26


def everything(folder):
    """What makes mailtap remember more, or write elsewhere too."""
    return ["--dns", "--mail-headers", "--store", "sqlite", "--store-file", folder / "store.db", "--store-size", "64M",
            "--server-memory", folder / "servers", "--listen", "127.0.0.1:0"]  # fmt: skip


class Trace:
    """A trace that can be sent later, between other addresses and with other names."""

    def __init__(self, data, variants):
        self.header, self.data, self.variants = data[:24], bytearray(data[24:]), variants
        self.times, self.addresses, self.names, self.dns = [], [], [], 0
        at = 0
        while at < len(self.data):
            seconds = int.from_bytes(self.data[at : at + 4], "little")
            length = int.from_bytes(self.data[at + 8 : at + 12], "little")
            self.times.append((at, seconds))
            self.find_places(at + RECORD, at + RECORD + length)
            at += RECORD + length
        self.seconds = self.times[-1][1] - self.times[0][1] + PAUSE

    def find_places(self, at, end):
        """Two bytes of both addresses, and the name of a domain, where a variant is put in."""
        at += 12
        while self.data[at : at + 2] == VLAN:
            at += 4
        kind = bytes(self.data[at : at + 2])
        places = [at + 2 + place for place in PLACES.get(kind, ())]
        self.addresses.extend((place, self.data[place], self.data[place - 1]) for place in places)
        ip = at + 2
        if kind != IPV4 or self.data[ip + 9] != UDP or self.data[ip] != 0x45:
            return
        ports = [int.from_bytes(self.data[ip + place : ip + place + 2], "big") for place in (20, 22)]
        if DNS_PORT not in ports:
            return
        self.dns += 1
        self.data[ip + 26 : ip + 28] = b"\0\0"  # no checksum
        name = self.data.find(NAME, ip + DNS_AT, end)
        if name >= 0:
            self.names.append(name + 1)

    def round(self, number):
        for at, seconds in self.times:
            self.data[at : at + 4] = (seconds + number * self.seconds).to_bytes(4, "little")
        variant = number % self.variants
        for at, low, high in self.addresses:
            self.data[at] = low ^ variant & 0xFF
            self.data[at - 1] = high ^ variant >> 8 & 0x0F
        letters = bytes(ord("a") + variant // LETTERS**place % LETTERS for place in range(3))
        for at in self.names:
            self.data[at : at + 3] = letters
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


def soak(options, tap, folder, workers, more):
    path = Path(folder) / "trace.pcap"
    generate = Path(__file__).resolve().parents[1] / "bench" / "generate.py"
    subprocess.run([sys.executable, generate, path, *TRACE], check=True, stdout=subprocess.DEVNULL)
    trace = Trace(path.read_bytes(), options.variants)
    logs = Path(folder) / f"logs-{workers}"
    command = [options.mailtap, "-r", "-", "-q", "-w", logs, "-o", "-", "--workers", str(workers), *OPTIONS, *more]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with subprocess.Popen(["wc", "-l"], stdin=process.stdout, stdout=subprocess.PIPE, text=True) as count:
            states = send(process, trace, options.seconds)
            code = process.wait(timeout=120)
            records = int(count.communicate()[0])
    tap.check(code == 0, f"{workers} workers: exit code {code}")
    warm = int(len(states) * WARM_UP)
    memory, descriptors = zip(*states)
    before, after = max(memory[:warm]), max(memory[warm:])
    growth = GROWTH_OF_FEW if len(states) < FEW and more else GROWTH
    tap.check(after <= before * growth, f"bytes of memory: {before} at most while it warms up, {after} after it")
    # At the least: some are open for a moment, while a log is put aside.
    before, after = min(descriptors[warm // 2 : warm]), min(descriptors[-(len(states) // 5) :])
    tap.check(after <= before, f"descriptors: {before} at the least while it warms up, {after} at the end")
    check_sums(tap, logs, len(trace.times) * len(states), records)
    if "--dns" in more:
        check_names(tap, logs, trace.dns * len(states))
    print(f"# {workers} workers: {len(trace.times) * len(states)} packets, {records} records, "
          f"{max(memory)} bytes at most")  # fmt: skip
    tenths = [memory[len(memory) * tenth // 10] >> 10 for tenth in range(10)]
    print(f"# KiB of memory over the rounds: {' '.join(map(str, tenths))} {memory[-1] >> 10}")


def capture_counters(logs):
    """As the statistics say at the end."""
    *_, last = (json.loads(line) for line in open(logs / "statistics.jsonl", encoding="utf-8"))
    return last["capture"], last["sessions"]


def check_sums(tap, logs, sent, records):
    capture, sessions = capture_counters(logs)
    tap.check(capture["packets_seen"] == sent, f"{sent} packets sent, {capture['packets_seen']} seen")
    tap.check(records == sessions, f"{records} records, {sessions} counted")
    for log in logs.glob("sessions*.jsonl"):
        with open(log, encoding="utf-8") as lines:
            tap.check(all(json.loads(line)["session_id"] for line in lines), f"{log.name}: each line is of a session")


def check_names(tap, logs, sent):
    """Each message of DNS is seen, and is in one of what becomes of it."""
    capture, _ = capture_counters(logs)
    told = sum(capture[f"dns_messages_{what}"] for what in ("kept", "other", "malformed", "left_out"))
    tap.check(capture["dns_messages_seen"] == sent, f"{sent} messages of DNS, {capture['dns_messages_seen']} seen")
    tap.check(told == sent, f"{told} of them told of")
    tap.check(capture["transactions_told"] > 0, "transactions of mail are told of")


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="for each of the two runs")
    parser.add_argument("--everything", action="store_true", help="the second run only")
    parser.add_argument("--variants", type=int, default=VARIANTS, help="of addresses and names")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        if not options.everything:
            soak(options, tap, folder, 0, [])
        soak(options, tap, folder, 2, everything(Path(folder)))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
