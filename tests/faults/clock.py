#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clocks that are put back: that of the packets, and that of the machine while logs are put aside by its time. No
record is lost or doubled, and nothing waits until the clock is where it was."""

import os
import re
import signal
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import program  # noqa: E402
from lib.live_run import LiveRun, wait_for  # noqa: E402
from lib.tap import Tap  # noqa: E402
from traffic import FIRST_PORT, Traffic  # noqa: E402

DAY = 86400


def numbers_in(folder, log="sessions.jsonl"):
    return [line["client_port"] - FIRST_PORT for line in program.json_lines((folder / log).read_bytes())]


def of_packets(tap, mailtap, folder, workers):
    """Half of the sessions, and the other half from a day before: all are there, and the statistics add up."""
    logs, traffic, name = folder / f"packets-{workers}", Traffic(), f"packets, {workers} workers"
    run = LiveRun(mailtap, "-w", logs, "--interval", "600", "--workers", workers)
    run.give(traffic.take(40))
    traffic.put_back(DAY)
    run.give(traffic.take(40))
    code, said = run.end()
    tap.check(code == 0 and not said, f"{name}: nothing to say", [str(code), *said])
    found = sorted(numbers_in(logs))
    tap.check(found == list(range(80)), f"{name}: every session once", [str(len(found))])
    *intervals, whole = program.json_lines((logs / "statistics.jsonl").read_bytes())
    wrong = [f"{line['start']} to {line['end']}" for line in intervals if line["start"] >= line["end"]]
    tap.check(not wrong, f"{name}: no interval ends before it begins", wrong)
    total = sum(line["sessions"] for line in intervals)
    tap.check(total == whole["sessions"] == 80, f"{name}: each counts in one interval", [str(total)])
    negative = [line for line in program.json_lines((logs / "sessions.jsonl").read_bytes()) if line["duration"] < 0]
    tap.check(not negative, f"{name}: no session lasts less than no time", [str(len(negative))])


def aside(logs):
    return sorted(path.name for path in logs.glob("sessions-*.jsonl"))


def of_machine(tap, mailtap, folder, preload):
    """While logs are put aside each second: before, a day back, and a day on again."""
    logs, clock, traffic = folder / "machine", folder / "clock", Traffic()
    clock.write_bytes(struct.pack("=q", 0))
    run = LiveRun(mailtap, "-w", logs, "--rotate-interval", "1",
                  environment={"LD_PRELOAD": preload, "CLOCK_FILE": str(clock)})  # fmt: skip

    def put_aside(more):
        before = len(aside(logs))

        def done():
            run.give(traffic.take(1))
            signal.sigtimedwait([], 0.1)
            return len(aside(logs)) >= before + more

        wait_for(done, "logs put aside")

    put_aside(2)
    with open(clock, "r+b") as file:
        file.write(struct.pack("=q", -DAY))
    put_aside(3)
    with open(clock, "r+b") as file:
        file.write(struct.pack("=q", 0))
    put_aside(2)
    code, said = run.end()
    tap.check(code == 0 and not said, "machine: nothing to say", [str(code), *said])
    names = aside(logs)
    days = {re.match(r"sessions-(\S{10})T", name)[1] for name in names}
    tap.check(len(names) >= 7 and len(days) > 1, "machine: logs are put aside by the clock as it is", names)
    found = sorted(number for name in (*names, "sessions.jsonl") for number in numbers_in(logs, name))
    tap.check(found == list(range(traffic.count)), "machine: every session once", [f"{len(found)} of {traffic.count}"])
    done = program.run(mailtap, ["report", "--json", "-i", logs])
    sessions = program.json_lines(done.stdout)[0]["sessions"]
    tap.check(done.returncode == 0 and sessions == traffic.count, "machine: and is reported", [str(sessions)])


def of_memory(tap, mailtap, folder, preload):
    """What is known of servers is saved while a run goes on: what kills it leaves that."""
    servers, clock, traffic = folder / "servers", folder / "clock", Traffic()
    clock.write_bytes(struct.pack("=q", 0))
    how = ["-w", folder / "memory", "--append", "--server-memory", servers]
    run = LiveRun(mailtap, *how, environment={"LD_PRELOAD": preload, "CLOCK_FILE": str(clock)})
    saved = []
    for minutes in (6, 12):
        sessions = traffic.take(20)
        run.give(sessions)
        before = servers.stat().st_ino if saved else None
        wait_for(lambda: len(program.json_lines((folder / "memory" / "sessions.jsonl").read_bytes())) >= traffic.count - 1
                 if (folder / "memory" / "sessions.jsonl").exists() else False, "records")  # fmt: skip
        early = servers.exists() and servers.stat().st_ino != before
        tap.check(not early, f"memory: not saved before its time, minute {minutes}")
        with open(clock, "r+b") as file:
            file.write(struct.pack("=q", minutes * 60))
        wait_for(lambda: servers.exists() and servers.stat().st_ino != before, "the memory of servers")
        saved.append(servers.read_bytes())
    run.kill()
    tap.check(servers.read_bytes() == saved[1] and saved[0] != saved[1], "memory: saved again, and still there behind kill -9")
    told = program.run(mailtap, ["servers", "--server-memory", servers])
    tap.check(told.returncode == 0 and told.stdout and not told.stderr, "memory: and whole", [program.text(told.stderr)])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    preload = os.environ.get("CLOCK_PRELOAD")
    with tempfile.TemporaryDirectory(prefix="clock-") as folder:
        for workers in (0, 2):
            of_packets(tap, options.mailtap, Path(folder), workers)
        if preload:
            of_machine(tap, options.mailtap, Path(folder), preload)
            of_memory(tap, options.mailtap, Path(folder), preload)
        else:
            tap.skip("the machine's clock", "CLOCK_PRELOAD names no library that puts it")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
