#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Logs of runs that go on for months: put aside by size, time and signal, compressed, kept over crashes; no
record lost, doubled or split, and read back by `mailtap report` as if they were one."""

import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.live_run import LiveRun, session, wait_for  # noqa: E402
from lib.tap import Tap  # noqa: E402

LOGS = ["sessions", "certificates", "alerts", "statistics"]
NAME = re.compile(r"(\w+)-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d+))?\.jsonl(\.zst)?")


@dataclass
class Bench:
    tap: Tap
    mailtap: str
    folder: Path

    def run(self, *arguments, **how):
        return program.run(self.mailtap, arguments, **how)

    def path(self, name):
        return self.folder / name

    def live(self, *arguments, **how):
        return LiveRun(self.mailtap, *arguments, **how)

    def report(self, *logs):
        done = self.run("report", "--json", "-i", *logs)
        return done.returncode, program.json_lines(done.stdout), program.text(done.stderr)


def files_of(folder, log):
    """What was put aside, oldest first by what the names say, then what is written to now."""
    found = [(NAME.fullmatch(path.name), path) for path in folder.iterdir()] if folder.exists() else []
    aside = [(match[2], int(match[3] or 0), path) for match, path in found if match and match[1] == log]
    current = folder / f"{log}.jsonl"
    return [path for _, _, path in sorted(aside)] + ([current] if current.exists() else [])


def has_records(folder):
    current = folder / "sessions.jsonl"
    return current.exists() and current.stat().st_size > 0


def put_aside(folder):
    """How many session logs were, whether or not they are just being compressed."""
    found = [NAME.fullmatch(path.name) for path in folder.iterdir()]
    return len({(match[2], match[3]) for match in found if match and match[1] == "sessions"})


def bytes_of(path):
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
    return path.read_bytes()


def records_in(folder, log="sessions"):
    """All records of a log; each file must have whole lines only."""
    return [record for path in files_of(folder, log) for record in program.json_lines(bytes_of(path))]


def numbers_in(folder):
    return [record["client_port"] - 1024 for record in records_in(folder)]


# --- what was read back ----------------------------------------------------------------------------------


def by_size(bench):
    """The same capture with and without: the same records in the same order, and the same report."""
    capture, plain, aside = bench.path("many.pcap"), bench.path("plain"), bench.path("aside")
    cf.write(capture, [packet for number in range(600) for packet in session(number)])
    bench.run("-q", "-r", capture, "-w", plain)
    how = ["--rotate-size", "40K", "--rotate-zstd"]
    done = bench.run("-q", "-r", capture, "-w", aside, *how)
    bench.tap.check(done.returncode == 0 and not done.stderr, "size: nothing to say", program.text(done.stderr))
    for log in LOGS:
        same = records_in(plain, log)
        found = records_in(aside, log)
        if log == "statistics":  # whose lines name the run where there are others beside it
            names = {record.pop("run") for record in found}
            bench.tap.check(len(names) == 1 and None not in names, "size: the run has a name", [str(names)])
            wrong = [record.pop("run") for record in same]
            bench.tap.check(not any(wrong), "size: and none where it is alone")
        bench.tap.check(same == found, f"size: the same records in {log}", [f"{len(same)} and {len(found)}"])
    files = files_of(aside, "sessions")
    sizes = [len(bytes_of(path)) for path in files]
    bench.tap.check(len(files) > 5, "size: sessions were put aside", [f"{len(files)} files"])
    bench.tap.check(all(size <= 40 * 1024 for size in sizes), "size: none is larger", [str(sizes)])
    packed = [path.suffix == ".zst" for path in files]
    bench.tap.check(packed == [True] * (len(files) - 1) + [False], "size: all but the last are compressed")
    left = [path.name for path in aside.iterdir() if path.name.endswith(".new")]
    bench.tap.check(not left, "size: nothing is half done at the end", left)
    one, other = bench.report(plain), bench.report(aside)
    bench.tap.check(one == other and one[0] == 0, "report: the same of what was put aside", [one[2], other[2]])
    bench.tap.check(one[1][0]["sessions"] == 600, "report: all sessions", [program.show(one[1][0])])
    first = bench.report(files[0])
    bench.tap.check(first[0] == 0 and first[1][0]["lines"] == bytes_of(files[0]).count(b"\n"),
                    "report: one compressed log by itself", [first[2]])  # fmt: skip
    again = bench.run("-q", "-r", capture, "-w", aside, *how)
    found = [number for number in numbers_in(aside)]
    bench.tap.check(again.returncode == 0 and len(found) == 1200, "size: a second run adds", [str(len(found))])
    bench.run("-q", "-r", capture, "-w", aside, *how, "--rotate-keep", "2")
    counts = [len(files_of(aside, log)) for log in LOGS]
    bench.tap.check(max(counts) == 3, "keep: two are kept, and what is written to", [str(counts)])


def usage(bench):
    capture = bench.path("many.pcap")
    for option in (["--append"], ["--rotate-size", "1M"], ["--rotate-interval", "60"], ["--rotate-zstd"]):
        done = bench.run("-r", capture, *option)
        said = program.text(done.stderr)
        bench.tap.check(done.returncode == 2 and "-w DIR" in said, f"usage: {option[0]} without logs", [said])


def doubles(bench):
    """What is there plain and compressed, as behind a crash, counts once; so does a log that is gone."""
    logs = bench.path("doubles")
    run = bench.live("-w", logs, "--append")
    run.sessions(range(20))
    wait_for(lambda: has_records(logs), "records")
    run.signal(signal.SIGHUP)
    wait_for(lambda: put_aside(logs) == 1, "a log put aside")
    run.end()
    aside = files_of(logs, "sessions")[0]
    shutil.copy(logs / "sessions.jsonl", bench.path("kept"))
    subprocess.run(["zstd", "-q", aside], check=True)
    code, lines, said = bench.report(logs)
    bench.tap.check(code == 0 and lines[0]["sessions"] == 20, "report: plain and compressed counts once", [said])
    (logs / "sessions.jsonl").unlink()
    code, lines, said = bench.report(logs)
    missing = bench.path("kept").read_bytes().count(b"\n")
    bench.tap.check(code == 0 and lines[0]["sessions"] == 20 - missing, "report: only what was put aside", [said])
    for path in logs.iterdir():
        path.unlink()
    code, lines, said = bench.report(logs)
    bench.tap.check(code == 1 and "no sessions.jsonl" in said, "report: a directory without logs", [said])


# --- signals and crashes ---------------------------------------------------------------------------------


def by_signal(bench):
    """SIGHUP again and again while sessions come."""
    logs = bench.path("signal")
    run = bench.live("-w", logs, "--append", "--rotate-zstd", "--sensor", "here")
    given = 0
    for _ in range(3):
        run.sessions(range(given, given + 50))
        given += 50
        wait_for(lambda: has_records(logs), "records")
        before = put_aside(logs)
        run.signal(signal.SIGHUP)
        wait_for(lambda: put_aside(logs) > before, "a log put aside")
    code, said = run.end(signal.SIGTERM)
    bench.tap.check(code == 0 and not said, "SIGHUP: and SIGTERM ends in order", [str(code), *said])
    found = numbers_in(logs)
    bench.tap.check(found == list(range(given)), "SIGHUP: every session once, in order", [str(len(found))])
    code, lines, said = bench.report(logs)
    run_line = records_in(logs, "statistics")[-1]
    bench.tap.check(code == 0 and lines[0]["capture"] == run_line["capture"] and lines[0]["runs"] == 1,
                    "SIGHUP: the capture is the run's", [program.show(lines[0]), said])  # fmt: skip


def by_time(bench):
    logs = bench.path("time")
    run = bench.live("-w", logs, "--rotate-interval", "1")
    for number in range(1000):
        run.sessions([number])
        wait_for(lambda: (logs / "sessions.jsonl").exists(), "a log")
        if put_aside(logs) > 1:
            break
        signal.sigtimedwait([], 0.05)
    code, said = run.end()
    found = numbers_in(logs)
    bench.tap.check(code == 0 and found == list(range(number + 1)), "time: every session once", [str(len(found)), *said])
    bench.tap.check(len(files_of(logs, "sessions")) > 2, "time: logs were put aside")


def by_kill(bench):
    """Killed at random moments, and begun again: whole lines, none of them twice."""
    logs, chance = bench.path("killed"), random.Random(5)
    how = ["-w", logs, "--rotate-size", "8K", "--rotate-zstd", "--append"]
    torn = 0
    for number in range(8):
        run = bench.live(*how)
        try:
            for part in range(chance.randrange(1, 40)):
                run.sessions(range(number * 1000 + part * 10, number * 1000 + part * 10 + 10))
        except BrokenPipeError:
            pass
        code, said = run.kill()
        log = logs / "sessions.jsonl"
        if number % 2 and log.exists() and log.stat().st_size > 40:  # as a kernel that stops would leave it
            log.write_bytes(log.read_bytes()[: -chance.randrange(1, 40)])
            torn += 1
    run = bench.live(*how)
    run.sessions(range(9000, 9100))
    code, said = run.end()
    cut = [line for line in said if "was not written whole" in line]
    bench.tap.check(code == 0 and len(cut) == len(said), "killed: the next run only tells of a torn line", said)
    found = numbers_in(logs)
    bench.tap.check(len(set(found)) == len(found) > 100, "killed: whole lines, none twice", [str(len(found))])
    bench.tap.check(found[-100:] == list(range(9000, 9100)), "killed: the last run is whole")
    left = [path.name for path in logs.iterdir() if path.name.endswith(".new")]
    plain = [path.name for path in files_of(logs, "sessions")[:-1] if path.suffix != ".zst"]
    bench.tap.check(not left and not plain, "killed: what was left undone was done", left + plain)
    code, lines, said = bench.report(logs)
    head = lines[0]
    bench.tap.check(code == 0 and head["sessions"] == len(found), "killed: and reported", [program.show(head), said])
    bench.tap.check(head["runs_without_end"] == head["runs"] - 1, "killed: runs without an end are told of")


def torn_line(bench):
    logs = bench.path("torn")
    bench.run("-q", "-r", bench.path("many.pcap"), "-w", logs)
    log = logs / "sessions.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole[:-10])
    run = bench.live("-w", logs, "--append")
    run.sessions(range(10))
    code, said = run.end()
    wrong = [] if code == 0 and len(said) == 1 and "sessions.jsonl: its last line" in said[0] else [str(code), *said]
    bench.tap.check(not wrong, "torn: a line that was not written whole is cut off, and told of", wrong)
    found = records_in(logs)
    bench.tap.check(len(found) == whole.count(b"\n") - 1 + 10, "torn: the others stay", [str(len(found))])


def full_disk(bench):
    """A run that adds stays up, says so once, and counts."""
    logs, size = bench.path("full"), 30 * 1024
    run = bench.live("-w", logs, "--append", "-o", "-")
    resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (size, size))
    run.sessions(range(300))
    code, said = run.end()
    printed = len(program.json_lines(run.output))
    written = len(records_in(logs))
    bench.tap.check(printed == 300, "full disk: the run goes on to its end", [str(printed)])
    bench.tap.check(0 < written < 300, "full disk: whole lines", [str(written)])
    lost = [line for line in said if line.endswith(f"sessions.jsonl: {300 - written} records were lost")]
    bench.tap.check(code == 1 and len(lost) == 1, "full disk: what was lost is counted", said)
    once = [line for line in said if "sessions.jsonl: File too large; the records from here on are lost until" in line]
    bench.tap.check(len(once) == 1, "full disk: and told once", said)


def two_runs(bench):
    logs = bench.path("two")
    run = bench.live("-w", logs, "--append")
    run.sessions(range(3))
    wait_for(lambda: (logs / "sessions.jsonl").exists(), "a log")
    done = bench.run("-q", "-r", bench.path("many.pcap"), "-w", logs)
    said = program.text(done.stderr)
    bench.tap.check(done.returncode == 1 and "another mailtap writes to it" in said, "two: one run at a time", [said])
    run.end()
    bench.tap.check(numbers_in(logs) == [0, 1, 2], "two: the first has its records")


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="rotation-") as folder:
        bench = Bench(tap, options.mailtap, Path(folder))
        by_size(bench)
        usage(bench)
        doubles(bench)
        by_signal(bench)
        by_time(bench)
        by_kill(bench)
        torn_line(bench)
        full_disk(bench)
        two_runs(bench)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
