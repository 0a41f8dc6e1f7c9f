#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many packets a second mailtap takes from a DPDK port, beside a loop that only receives and frees.

The packets of a trace (tests/bench/generate.py) are sent over net_memif by another process, again and again.
Once as fast as they are taken: what the receiver can do. Then at a steady rate, without waiting for room:
the greatest rate at which nothing was lost. Bare loop and mailtap take turns on the same kind of port, and
the best of all rounds counts. Sender and receiver should have a processor each, and mailtap's analytics
a third one; what else runs on the machine is in the figures. Not so much in the processor time of a packet,
which is given besides: of the whole receiver, its start not counted.
"""

import argparse
import contextlib
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402

SLOTS = 12  # of memif's ring: 2 to the power of
STEPS = 5  # of the search for the greatest rate without loss
SETTLE = 0.5  # seconds for what is under way


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.number = 0
        self.start = {}  # processor seconds that a receiver takes without a packet

    def port(self, role, memory):
        end = f"role={role},socket={self.folder}/memif{self.number},socket-abstract=no"
        return f"{self.options.eal} -m {memory} --vdev net_memif0,{end},rsize={SLOTS}"

    @contextlib.contextmanager
    def receiver(self, kind):
        """A receiver that is ready; ended on the way out, and its count then in self.received."""
        logs = self.folder / f"logs{self.number}"
        port = self.port("server", 256)
        command = {
            "bare": [self.options.traffic, port, "receive"],
            "mailtap": [self.options.mailtap, "--dpdk", port, "-q", "-w", logs, *shlex.split(self.options.arguments)],
        }[kind]
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=program.environment(),
        )  # fmt: skip
        for line in process.stderr:
            if "ready" in line or "leaves nothing out" in line:
                break
        try:
            yield
        finally:
            time.sleep(SETTLE)
            if kind == "mailtap":
                process.send_signal(signal.SIGINT)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            out, err = process.communicate("", timeout=60)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if process.returncode != 0:
            raise program.RunError(f"{kind}: exit code {process.returncode}: {err[-500:]}")
        if kind == "bare":
            self.received = int(out.split()[0])
        else:
            last = (logs / "statistics.jsonl").read_text().splitlines()[-1]
            self.received = json.loads(last)["capture"]["packets_seen"]

    def send(self, kind, rate):
        """Sends for some seconds. Returns (packets a second, refused, processor seconds a packet)."""
        if kind not in self.start:
            self.number += 1
            with self.receiver(kind):
                pass
            self.start[kind] = self.spent
        self.number += 1
        with contextlib.ExitStack() as stack:
            with self.receiver(kind):
                sender = [self.options.traffic, self.port("client", 1024), "send", str(self.options.trace),
                          str(rate), str(self.options.seconds)]  # fmt: skip
                process = subprocess.Popen(sender, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                stack.callback(process.communicate, "")  # net_memif does not survive that its peer goes first
                sent, refused, took = map(int, process.stdout.readline().split())
        if self.received != sent:
            raise program.RunError(f"{kind}: {sent} packets were sent, {self.received} received")
        return sent * 1e9 / took, refused, (self.spent - self.start[kind]) / sent

    def greatest_without_loss(self, kind, most):
        """The greatest rate, of those tried, at which every packet found room."""
        low, high, best = 0.0, most, 0.0
        for _ in range(STEPS):
            rate = (low + high) / 2
            reached, refused, _ = self.send(kind, rate)
            print(f"  {kind}: {reached / 1e6:.2f} M/s, {refused} lost", flush=True)
            if refused:
                high = rate
            else:
                low, best = rate, max(best, reached)
        return best


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("trace", type=Path, help="packets to send: the first 200000 of it")
    parser.add_argument("--traffic", default=os.environ.get("DPDK_TRAFFIC"), help="the program dpdk-traffic")
    parser.add_argument("--eal", default="--no-huge --no-pci --no-shconf", help="DPDK's environment, without -m")
    parser.add_argument("--seconds", type=float, default=2, help="that each run lasts (2)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (3)")
    parser.add_argument("--least", type=float, help="fail if mailtap takes less than this part of the bare loop's")
    parser.add_argument("--without-loss", action="store_true", help="search the greatest rate without loss, too")
    parser.add_argument("--arguments", default="--workers 0 --no-sandbox", help='of mailtap ("--workers 0 --no-sandbox")')
    options = program.parse_arguments(parser)
    kinds = ("bare", "mailtap")
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options, Path(name))
        best, least = dict.fromkeys(kinds, 0.0), dict.fromkeys(kinds, 1.0)
        for _ in range(options.rounds):
            for kind in kinds:
                rate, _, spent = bench.send(kind, 0)
                best[kind], least[kind] = max(best[kind], rate), min(least[kind], spent)
        ratio = best["mailtap"] / best["bare"]
        print(f"taken: bare loop {best['bare'] / 1e6:.2f} M/s, mailtap {best['mailtap'] / 1e6:.2f} M/s, "
              f"ratio {ratio:.2f}")  # fmt: skip
        print(f"processor time: bare loop {least['bare'] * 1e9:.0f} ns a packet, mailtap "
              f"{least['mailtap'] * 1e9:.0f} ns, ratio {least['bare'] / least['mailtap']:.2f}")  # fmt: skip
        if options.without_loss:
            lossless = {kind: bench.greatest_without_loss(kind, best[kind]) for kind in kinds}
            print(f"without loss: bare loop {lossless['bare'] / 1e6:.2f} M/s, "
                  f"mailtap {lossless['mailtap'] / 1e6:.2f} M/s")  # fmt: skip
    return 1 if options.least and ratio < options.least else 0


if __name__ == "__main__":
    sys.exit(main())
