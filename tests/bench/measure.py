# SPDX-License-Identifier: Apache-2.0
"""Measures programs beside each other: CPU time, memory, and instructions.

They take turns, so that other load on the machine hits all alike, each on the processors it is given. A ratio
is taken in each round, and the median of the rounds counts: it means something on any machine, a time only on this
one. Instructions are those that callgrind counts: no load changes them, and no miss of a cache shows in them.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import traces  # noqa: E402
from lib import program  # noqa: E402

PORTS = (25, 465, 587, 110, 143, 993, 995)
FILTER = "tcp port " + " or ".join(map(str, PORTS))


@dataclass(order=True)
class Run:
    """One run of a program."""

    cpu: float  # seconds, user and system
    wall: float  # seconds
    memory: float  # most that was resident, in MiB


cpu, wall, resident = map(attrgetter, ("cpu", "wall", "memory"))


def run(command, processors):
    """Run a command on these processors only; ends the benchmark where it fails."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, processors)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.execvpe(command[0], list(map(str, command)), program.environment())
    _, status, usage = os.wait4(child, 0)
    if status:
        program.fail(f"{' '.join(map(str, command))}: exit status {os.waitstatus_to_exitcode(status)}")
    return Run(usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024)


def in_turns(commands, runs, processors):
    """name -> command gives name -> its runs."""
    rounds = [{name: run(command, processors) for name, command in commands.items()} for _ in range(runs)]
    return {name: [one[name] for one in rounds] for name in commands}


def ratio(runs, others, figure=cpu):
    """The median of a figure's ratios, round by round."""
    return statistics.median(figure(one) / figure(other) for one, other in zip(runs, others))


def middle(runs, figure):
    return statistics.median(map(figure, runs))


def instructions(command):
    """How many instructions a command takes, by callgrind; None where that is not installed."""
    if not shutil.which("valgrind"):
        return None
    counting = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)]
    done = subprocess.run(counting, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=program.environment(), check=False)  # fmt: skip
    if done.returncode:
        program.fail(f"{' '.join(counting)}: exit code {done.returncode}: {done.stderr[-500:]}")
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def tcpdump(trace):
    """The program that all are compared with."""
    return ["tcpdump", "-r", trace, "-w", "/dev/null", FILTER]


def bare_loop(mailtap):
    """The program beside mailtap that only reads and finds the ports; perhaps not built."""
    return Path(mailtap).parent / "tests/bench/bench-bare"


class Bench:
    """What is measured, with what, and where traces and logs lie meanwhile."""

    def __init__(self, options, folder):
        self.mailtap, self.runs, self.quick = options.mailtap, options.runs, options.quick
        self.processor = options.processor
        self.scratch, self.keep = Path(folder), options.scratch is not None
        self.logs = self.scratch / "logs"
        self.counts = {}  # packets of each trace
        self.start = None  # instructions without a packet
        run(self.command(self.trace("empty", ())), {self.processor})  # compiles the patterns, if nothing has yet

    def size(self, whole, quick):
        return quick if self.quick else whole

    def trace(self, name, frames, rate=traces.RATE):
        """The trace of that name, made of these frames unless it is there."""
        path = self.scratch / f"{name}.pcap"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            self.counts[path] = traces.write(unfinished, frames, rate)[0]
            unfinished.rename(path)
        elif path not in self.counts:
            self.counts[path] = traces.packets_in(path)
        return path

    def drop(self, trace):
        """It is not needed any more."""
        if not self.keep:
            trace.unlink()

    def packets(self, trace):
        return self.counts[trace]

    def command(self, trace, *more):
        """mailtap on a trace, with all its logs; one thread reads and follows, unless said otherwise."""
        return [self.mailtap, "-r", trace, "-q", "-w", self.logs, "--workers", 0, *more]

    def run(self, command, processors):
        return run(command, processors)

    def in_turns(self, commands):
        return in_turns(commands, self.runs, {self.processor})

    def capture(self):
        """What the last run says of its capture."""
        last = (self.logs / "statistics.jsonl").read_text().splitlines()[-1]
        return json.loads(last)["capture"]

    def instructions(self, trace, *more):
        """Instructions a packet of mailtap on a trace, its start left out."""
        if self.start is None:
            start = self.command(self.trace("empty", ()), "--no-sandbox")
            instructions(start)  # callgrind's processor is another one: the patterns are compiled for it once
            self.start = instructions(start)
        return (instructions(self.command(trace, "--no-sandbox", *more)) - self.start) / self.packets(trace)
