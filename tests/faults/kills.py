#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Killed at random moments and begun again, over a hundred times, with everything that a run writes: whole lines
only, no session and no message twice, sums that hold, a memory of servers that is the old one or the new one, a store
that is whole, and nothing left lying about.

    tests/faults/kills.py [--restarts N] [--seed N]
"""

import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import program  # noqa: E402
from lib.live_run import LiveRun  # noqa: E402
from lib.tap import Tap  # noqa: E402
from traffic import FIRST_PORT, Traffic  # noqa: E402

LOGS = ("sessions", "certificates", "alerts", "statistics", "domains", "lookups", "messages")
SESSIONS_A_RUN = 24
KEPT = 20  # old logs
EVERY_SUM = {
    "packets_seen": ("packets_kept", "packets_other_port", "packets_other_protocol", "packets_malformed",
                     "packets_unreadable"),
    "segments_kept": ("segments_tracked", "segments_duplicated", "segments_set_aside", "segments_left_out",
                      "segments_refused", "dropped_by_ring"),
}  # fmt: skip
# What may lie in a run's folder when it has ended in order.
WRITTEN = re.compile(
    r"logs/(sessions|certificates|alerts|statistics|domains|lookups|messages)(\.jsonl|-[0-9TZ-]+\.jsonl\.zst)"
    r"|servers|store\.db(-wal|-shm)?|metrics\.prom|csv/\w+\.csv|certificates/[0-9a-f]{64}\.pem|reports/mailtap!.*!\d+!\d+\.json"
)
# Until when at most it is killed, in seconds behind what makes the moment. What it has judged is in the files after
# a second.
MOST = {"begin": 0.06, "work": 0.05, "put aside": 0.05, "end": 0.15, "a second": 1.2}
MOMENTS = ("begin", "begin", "work", "work", "work", "put aside", "put aside", "end", "end", "end", "end", "a second")


# --- what a run leaves behind ----------------------------------------------------------------------------


def pieces(folder, log):
    """(name, bytes) of a log's files; what is there plain and compressed, as behind a crash, comes once."""
    for path in sorted(folder.glob(f"logs/{log}*.jsonl*")):
        if path.suffix == ".new" or (path.suffix == ".zst" and path.with_suffix("").exists()):
            continue
        packed = path.suffix == ".zst"
        yield path, subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout if packed else path.read_bytes()


def lines_of(folder, log):
    return [line for _, data in pieces(folder, log) for line in program.json_lines(data)]


def numbers_of(lines):
    return [line["client_port"] - FIRST_PORT for line in lines]


def torn(folder):
    """The names of logs whose last line is not whole, of those that are written to; a whole line is JSON."""
    found = []
    for log in LOGS:
        path = folder / "logs" / f"{log}.jsonl"
        data = path.read_bytes() if path.exists() else b""
        whole, _, rest = data.rpartition(b"\n")
        for line in whole.splitlines():
            json.loads(line)
        found += [log] if rest else []
    return found


def memory_of(folder):
    """What is known of servers: None or bytes; wrong if it is not all of a file that was written."""
    path = folder / "servers"
    if not path.exists():
        return None
    data = path.read_bytes()
    head, *servers = program.json_lines(data)
    if head["servers"] != len(servers):
        raise program.RunError(f"the memory of servers is not whole: {head}, {len(servers)} servers")
    return data


def wrong_sums(lines):
    return [f"{line['kind']}: {whole} is {line['capture'][whole]}, not {parts}" for line in lines
            for whole, parts in EVERY_SUM.items()
            if line["capture"][whole] != sum(line["capture"][part] for part in parts)]  # fmt: skip


# --- runs ------------------------------------------------------------------------------------------------


class Restarts:
    def __init__(self, tap, mailtap, folder, seed):
        self.tap = tap
        self.mailtap = mailtap
        self.folder = folder
        self.chance = random.Random(seed)
        self.traffic = Traffic(more=True)
        self.wrong = []
        self.seen = Counter()

    def begin(self):
        at = self.folder.joinpath
        return LiveRun(self.mailtap, "-w", at("logs"), "--append", "--rotate-size", "24K", "--rotate-zstd",
                       "--rotate-keep", KEPT, "--server-memory", at("servers"), "--csv", at("csv"),
                       "--metrics", at("metrics.prom"), "--tls-rpt", at("reports"),
                       "--write-certs", at("certificates"), "--interval", "600", "--dns", "--mail-headers",
                       "--store", "sqlite", "--store-file", at("store.db"),
                       "--workers", self.chance.randrange(3))  # fmt: skip

    def tear(self):
        """As a kernel that stops would leave a log."""
        path = self.folder / "logs" / f"{self.chance.choice(LOGS)}.jsonl"
        data = path.read_bytes() if path.exists() else b""
        if len(data) > 40:
            path.write_bytes(data[: -self.chance.randrange(2, 40)])

    def note(self, lines):
        self.wrong += lines

    def expect_said(self, said, cut):
        """One line for each log that was torn, and no other."""
        for log in cut:
            found = [line for line in said if f"/{log}.jsonl: its last line was not written whole" in line]
            self.note([] if len(found) == 1 else [f"{log} was torn, and was told {len(found)} times"])
        self.note([line for line in said if "was not written whole" not in line])
        self.note([] if len(said) == len(cut) else [f"{cut} were torn: {said}"])

    def kill(self, run):
        """At a moment of its life; gives what it said."""
        moment = self.chance.choice(MOMENTS)
        try:
            if moment != "begin":
                run.give(self.traffic.take(self.chance.randrange(1, SESSIONS_A_RUN)))
            if moment == "put aside":
                time.sleep(0.03)
                run.signal(signal.SIGHUP)
            if moment == "end":
                time.sleep(0.03)
                run.process.stdin.close()
        except BrokenPipeError:
            self.note(["it ended by itself"])
        time.sleep(self.chance.uniform(0, MOST[moment]))
        _, said = run.kill()
        self.seen[moment] += 1
        self.seen["ended before"] += run.process.returncode == 0
        return said

    def finish(self, run):
        """To its end, in order: all that was given is there."""
        first = self.traffic.count
        run.give(self.traffic.take(SESSIONS_A_RUN))
        code, said = run.end()
        found = lines_of(self.folder, "sessions")
        missing = set(range(first, self.traffic.count)) - set(numbers_of(found))
        self.note([f"exit code {code}"] if code else [])
        self.note([f"a run in order lost {sorted(missing)}"] if missing else [])
        missing = set(range(first, self.traffic.count)) - {number for number, in self.stored("client_port - %d" % FIRST_PORT, "sessions")}
        self.note([f"a run in order did not store {sorted(missing)}"] if missing else [])
        statistics = lines_of(self.folder, "statistics")
        last = statistics[-1]["run"]
        ours = [line for line in statistics if line["run"] == last]
        parts = [line for line in ours if line["kind"] == "interval"]
        for key in ("packets_seen", "segments_tracked"):
            total, whole = sum(line["capture"][key] for line in parts), ours[-1]["capture"][key]
            self.note([] if total == whole > 0 else [f"{key}: {total} in intervals, {whole} in all"])
        total = sum(line["sessions"] for line in parts)
        self.note([] if total == ours[-1]["sessions"] == SESSIONS_A_RUN else [f"{total} sessions in intervals"])
        self.seen["in order"] += 1
        return said

    def stored(self, what, table):
        database = sqlite3.connect(f"file:{self.folder / 'store.db'}?mode=ro", uri=True, timeout=30)
        try:
            return database.execute(f"SELECT {what} FROM {table}").fetchall()
        finally:
            database.close()

    def report(self, cut):
        """Reads what is there, torn or not, and says what it left out."""
        done = program.run(self.mailtap, ["report", "--json", "-i", self.folder / "logs"])
        if not (self.folder / "logs" / "sessions.jsonl").exists():
            return
        said = program.text(done.stderr)
        self.note([said] if ("1 torn at the end" in said) != ("sessions" in cut) else [])
        head = program.json_lines(done.stdout)[0]
        whole = sum(data.count(b"\n") for _, data in pieces(self.folder, "sessions"))
        self.note([] if head["sessions"] == whole else [f"{head['sessions']} of {whole} sessions reported"])
        self.seen["reports"] += 1

    def once(self, number):
        before, cut = memory_of(self.folder), torn(self.folder)
        run = self.begin()
        in_order = number % 12 == 11
        said = self.finish(run) if in_order else self.kill(run)
        if in_order:
            self.expect_said(said, cut)
        self.note([line for line in said if "was not written whole" not in line])
        after = memory_of(self.folder)
        if after != before:
            self.seen["new memory"] += 1
        self.note(["the memory of servers is gone"] if before and not after else [])
        self.seen["torn by the kill"] += len(torn(self.folder))
        if self.chance.randrange(3) == 0:
            self.tear()
        if number % 10 == 0:
            self.report(torn(self.folder))

    def last(self):
        """A run in order behind all others, and what there is then."""
        cut = torn(self.folder)
        self.expect_said(self.finish(self.begin()), cut)
        tap, folder = self.tap, self.folder
        tap.check(not self.wrong, "each restart found what the one before had left, and told of torn lines only",
                  [*self.wrong[:10], str(dict(self.seen))])  # fmt: skip
        wanted = (*MOST, "in order", "new memory", "reports")
        rare = [what for what in wanted if self.seen[what] < 3]
        tap.check(not rare, "it was killed at the beginning, at work, while logs were put aside and at the end", rare)
        numbers = numbers_of(lines_of(folder, "sessions"))
        twice = [number for number, count in Counter(numbers).items() if count > 1]
        tap.check(numbers and not twice, f"no session is there twice, of {len(numbers)}", [str(twice)])
        invented = [number for number in numbers if not 0 <= number < self.traffic.count]
        tap.check(not invented, "nor one that never was", [str(invented)])
        self.check_messages()
        statistics = lines_of(folder, "statistics")
        wrong = wrong_sums(statistics)
        tap.check(not wrong, f"every line of the statistics adds up, of {len(statistics)}", wrong)
        counts = {log: len(lines_of(folder, log)) for log in LOGS}
        tap.check(all(counts.values()), "every log says something", [str(counts)])
        self.check_files()

    def check_messages(self):
        """A session that is told of may have lost its message to a kill, and a message its session."""
        tap, folder = self.tap, self.folder
        told = Counter((line["session_id"], line["transaction"]) for line in lines_of(folder, "messages"))
        tap.check(told and max(told.values()) == 1, f"no message is there twice, of {len(told)}")
        wrong = [line for line in lines_of(folder, "domains") if [host["host"] for host in line["mx"] or []] not in ([], [f"mx.{line['domain']}"])]
        tap.check(not wrong, "every domain has its own mail exchanger, or none that is known", wrong[:3])
        stored = Counter(self.stored("session_id", "sessions"))
        tap.check(self.stored("*", "pragma_integrity_check") == [("ok",)] and max(stored.values()) == 1,
                  f"the store is whole, and has no session twice, of {len(stored)}")

    def check_files(self):
        tap, folder = self.tap, self.folder
        names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]
        left = [name for name in names if not WRITTEN.fullmatch(name)]
        # A report or a certificate has its own name while it is written. One that a kill leaves there is
        # written over when it comes again.
        passing = [name for name in left if name.endswith((".pem~", ".json.new"))]
        tap.check(len(left) == len(passing) <= 2, "nothing is left lying about", left)
        aside = {log: sum(f"logs/{log}-" in name for name in names) for log in LOGS}
        tap.check(max(aside.values()) <= KEPT, "as many old logs as are to be kept", [str(aside)])
        for path in folder.glob("certificates/*.pem"):
            done = subprocess.run(["openssl", "x509", "-noout", "-in", path], capture_output=True, check=False)
            tap.check(done.returncode == 0, "a certificate's file is whole", [path.name])
        done = program.run(self.mailtap, ["servers", "--json", "--server-memory", folder / "servers"])
        known = len(program.json_lines(done.stdout))
        tap.check(done.returncode == 0 and not done.stderr and known > 10, "the memory of servers is read", [str(known)])


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--restarts", type=int, default=108, help="default: 108")
    parser.add_argument("--seed", type=int, default=8)
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        restarts = Restarts(tap, options.mailtap, Path(folder), options.seed)
        for number in range(options.restarts):
            restarts.once(number)
        restarts.last()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
