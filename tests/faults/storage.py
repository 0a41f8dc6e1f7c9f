#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks that fill up or turn read-only, files and directories that go away while they are written, readers that
leave: what a run goes on with, what it says, and what it counts as lost. On small file systems of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.live_run import LiveRun, session, wait_for  # noqa: E402
from lib.tap import Tap  # noqa: E402
from traffic import Traffic  # noqa: E402

INSIDE = "MAILTAP_TEST_MOUNTS"
INTERVAL = "600"  # seconds of packets; sessions come a minute apart


def enter():
    """Runs the calling script again where what it mounts is its own. Why that cannot be, or None."""
    if os.environ.get(INSIDE):
        return None
    if os.getuid() != 0:
        return "only root may mount file systems"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        return "namespaces cannot be made here: " + program.text(done.stderr).strip()
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


@dataclass
class Bench:
    tap: Tap
    mailtap: str
    folder: Path

    def disk(self, name, size="1M"):
        """A small file system of its own."""
        path = self.folder / name
        path.mkdir()
        mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
        return path

    def records(self):
        """Where all records are written, whatever becomes of the logs."""
        return self.folder / "records"

    def printed(self):
        return len(program.json_lines(self.records().read_bytes()))

    def live(self, *arguments):
        return LiveRun(self.mailtap, *arguments)

    def run(self, *arguments):
        return program.run(self.mailtap, arguments)


def side_outputs(folder):
    """What is written beside the logs."""
    return ["--csv", folder / "csv", "--metrics", folder / "metrics.prom", "--tls-rpt", folder / "reports",
            "--write-certs", folder / "certificates", "--interval", INTERVAL]  # fmt: skip


def lines_of(logs, log="sessions"):
    return program.json_lines((logs / f"{log}.jsonl").read_bytes())


def grown(path):
    """A condition: there is something in a file."""
    return lambda: path.exists() and path.stat().st_size > 0


def unfinished(folder):
    return [str(path) for path in folder.rglob("*") if path.name.endswith((".new", "~"))]


class Listener:
    """The lines that a run says while it goes on."""

    def __init__(self, run):
        self.run = run
        self.bytes = b""
        os.set_blocking(run.process.stderr.fileno(), False)

    def said(self):
        self.bytes += self.run.process.stderr.read() or b""
        return program.text(self.bytes).splitlines()

    def wait_for(self, text):
        try:
            wait_for(lambda: any(text in line for line in self.said()), text)
        except program.RunError as error:
            raise program.RunError(f"{error}; it said {self.said()}") from error

    def end(self):
        os.set_blocking(self.run.process.stderr.fileno(), True)
        code, said = self.run.end()
        return code, program.text(self.bytes).splitlines() + said


# --- the disk is full ------------------------------------------------------------------------------------


def fill(disk):
    """Takes all the room there is; the file that does."""
    path = disk / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return path


def full(bench):
    """All outputs on a disk that fills up while they are written, and has room again later."""
    disk, traffic = bench.disk("full"), Traffic()
    logs, servers = disk / "logs", disk / "servers"
    how = ["-w", logs, "--append", "--server-memory", servers, *side_outputs(disk), "-o", bench.records()]
    run = bench.live(*how)
    run.give(traffic.take(20))
    code, said = run.end()
    bench.tap.check(code == 0 and not said, "full: before, all is well", [str(code), *said])
    before, printed = servers.read_bytes(), bench.printed()
    filler = fill(disk)
    run = bench.live(*how)
    heard = Listener(run)
    run.give(traffic.take(60))
    heard.wait_for("sessions.jsonl: No space left on device")
    run.give(traffic.take(60))
    filler.unlink()

    def again():
        run.give(traffic.take(1))
        signal.sigtimedwait([], 0.2)
        return any("sessions.jsonl: can be written again" in line for line in heard.said())

    wait_for(again, "the log to be written again")
    run.give(traffic.take(20))
    code, said = heard.end()
    printed += bench.printed()
    bench.tap.check(printed == traffic.count, "full: the run goes on to its end", [f"{printed} of {traffic.count}"])
    written = lines_of(logs)
    bench.tap.check(code == 1 and len(written) < printed, "full: it says that records were lost", [str(code)])
    lost = [line for line in said if line.endswith(f"sessions.jsonl: {printed - len(written)} records were lost")]
    bench.tap.check(len(lost) == 1, "full: how many", [*lost, str(printed - len(written))])
    bench.tap.check(len(said) < 20, "full: without many words", said)
    known = program.json_lines(servers.read_bytes())
    bench.tap.check(servers.read_bytes() != before and len(known) == known[0]["servers"] + 1,
                    "full: the memory of servers is the new one")  # fmt: skip
    bench.tap.check((disk / "metrics.prom").read_bytes().endswith(b"# EOF\n"), "full: the metrics are whole")
    bench.tap.check(not unfinished(disk), "full: nothing is left half written", unfinished(disk))
    known = servers.read_bytes()
    fill(disk)
    run = bench.live(*how)
    run.give(traffic.take(20))
    code, said = run.end()
    same = servers.read_bytes() == known
    bench.tap.check(code == 1 and same, "full: at the end, the memory of servers is as it was", [str(code), *said])
    bench.tap.check(not unfinished(disk), "full: and nothing half written beside it", unfinished(disk))
    done = bench.run("report", "--json", "-i", logs)
    bench.tap.check(done.returncode == 0, "full: what was written is read", [program.text(done.stderr)])


# --- the file system is read-only ------------------------------------------------------------------------


def read_only(bench):
    """From the beginning: one line, and nothing changes."""
    disk, capture = bench.disk("still"), bench.folder / "capture.pcap"
    cf.write(capture, [packet for number in range(20) for packet in session(number)])
    logs, servers = disk / "logs", disk / "servers"
    bench.run("-q", "-r", capture, "-w", logs, "--append", "--server-memory", servers)
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    mount("-o", "remount,ro", disk)
    for name, how in {
        "logs": ["-w", logs],
        "logs that are added to": ["-w", logs, "--append"],
        "records": ["-o", disk / "records"],
        "the memory of servers": ["-o", "-", "--server-memory", servers],
        "metrics": ["-o", "-", "--metrics", disk / "metrics.prom"],
        "tables": ["-o", "-", "--csv", disk / "csv"],
        "certificates": ["-o", "-", "--write-certs", disk / "certificates"],
    }.items():
        done = bench.run("-q", "-r", capture, *how)
        said = program.text(done.stderr).splitlines()
        right = done.returncode == 1 and len(said) == 1 and "Read-only file system" in said[0]
        bench.tap.check(right, f"read-only: {name} cannot be written, and one line says so", [str(done.returncode), *said])
    after = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    bench.tap.check(before == after and len(before) > 3, "read-only: all is as it was", [str(len(before))])
    done = bench.run("report", "--json", "-i", logs)
    bench.tap.check(done.returncode == 0 and not done.stderr, "read-only: logs are read", [program.text(done.stderr)])
    done = bench.run("servers", "--server-memory", servers)
    bench.tap.check(done.returncode == 0 and done.stdout, "read-only: and what is known of servers")


def turned_read_only(bench):
    """While it runs, where files are replaced as a whole: it is told once, and the run goes on."""
    disk, traffic = bench.disk("turned"), Traffic()
    logs = bench.folder / "turned-logs"
    run = bench.live("-w", logs, "--append", *side_outputs(disk))
    heard = Listener(run)
    run.give(traffic.take(15, certificates=False))
    wait_for(grown(disk / "metrics.prom"), "metrics")
    mount("-o", "remount,ro", disk)
    run.give(traffic.take(60))
    heard.wait_for("metrics.prom.new: cannot be written: Read-only file system")
    run.signal(signal.SIGUSR1)
    run.give(traffic.take(60))
    mount("-o", "remount,rw", disk)
    run.give(traffic.take(20))
    code, said = heard.end()
    bench.tap.check(len(lines_of(logs)) == traffic.count, "turned read-only: no record is lost", said)
    told = [line for line in said if "metrics.prom" in line]
    bench.tap.check(len(told) == 1, "turned read-only: told once of the metrics", said)
    bench.tap.check(code == 1 and any("certificates could not be written" in line for line in said),
                    "turned read-only: certificates that have no file are counted", [str(code), *said])  # fmt: skip
    bench.tap.check(b"# EOF\n" in (disk / "metrics.prom").read_bytes() and any((disk / "csv").iterdir()),
                    "turned read-only: what can be written again is")  # fmt: skip
    bench.tap.check(not unfinished(disk), "turned read-only: nothing is left half written", unfinished(disk))


# --- what is written to goes away ------------------------------------------------------------------------


def removed_file(bench):
    """A log that somebody removes or moves away is begun anew."""
    logs, moved = bench.folder / "logs", bench.folder / "moved.jsonl"
    run = bench.live("-w", logs, "--append")
    heard = Listener(run)
    run.sessions(range(10))
    wait_for(grown(logs / "sessions.jsonl"), "records")
    (logs / "sessions.jsonl").rename(moved)
    run.sessions(range(10, 20))
    wait_for(grown(logs / "sessions.jsonl"), "a new log")
    (logs / "sessions.jsonl").unlink()
    run.sessions(range(20, 30))
    code, said = heard.end()
    first = program.json_lines(moved.read_bytes())
    bench.tap.check(code == 0 and len(said) == 2 and all("begun anew" in line for line in said),
                    "removed: it is told", [str(code), *said])  # fmt: skip
    found = [record["client_port"] for record in first + lines_of(logs)]
    last = list(range(1024 + 20, 1024 + 30))
    bench.tap.check(found[: len(first)] == list(range(1024, 1024 + len(first))) and found[-10:] == last,
                    "removed: what came afterwards is in a new log", [str(found)])  # fmt: skip


def removed_directory(bench, comes_back):
    """With its logs in it: what comes from then on is counted as lost, until the directory is there again."""
    name = "came back" if comes_back else "gone"
    place = bench.folder / name
    logs, away = place / "logs", bench.folder / f"{name} away"
    run = bench.live("-w", logs, "--append", "-o", bench.records())
    heard = Listener(run)
    run.sessions(range(10))
    wait_for(grown(logs / "sessions.jsonl"), "records")
    if comes_back:
        place.rename(away)
    else:
        shutil.rmtree(logs)
    run.sessions(range(10, 20))
    heard.wait_for("sessions.jsonl: No such file or directory; the records from here on are lost")
    given = 20
    if comes_back:
        away.rename(place)
        while not any("sessions.jsonl: can be written again" in line for line in heard.said()):
            run.sessions([given])
            given += 1
            signal.sigtimedwait([], 0.1)
    code, said = heard.end()
    printed = bench.printed()
    bench.tap.check(printed == given, f"{name}: the run goes on", [f"{printed} of {given}"])
    lost = [int(found[1]) for line in said if (found := re.search(r"sessions\.jsonl: (\d+) records were lost$", line))]
    bench.tap.check(code == 1 and len(lost) == 1, f"{name}: records are counted as lost", [str(code), *said])
    if comes_back:
        found = len(lines_of(logs))
        bench.tap.check(lost == [given - found], f"{name}: how many", [f"{lost}, {found} of {given} are there"])


def made_anew(bench):
    """The directory is removed, and another one is made in its place: the sandbox knows only the first one."""
    logs, records = bench.folder / "anew" / "logs", bench.folder / "beside" / "records"
    records.parent.mkdir()  # what is written in a directory may be written anywhere beneath it
    run = bench.live("-w", logs, "--append", "-o", records)
    heard = Listener(run)
    run.sessions(range(10))
    wait_for(grown(logs / "sessions.jsonl"), "records")
    shutil.rmtree(logs)
    run.sessions(range(10, 20))
    heard.wait_for("sessions.jsonl: No such file or directory; the records from here on are lost")
    logs.mkdir()
    given, confined = 20, "Landlock" in program.text(bench.run("--version").stdout)
    says = "start mailtap again; the records from here on" if confined else "sessions.jsonl: can be written again"

    def told():
        nonlocal given
        run.sessions([given])
        given += 1
        signal.sigtimedwait([], 0.1)
        return any(says in line for line in heard.said())

    wait_for(told, says)
    code, said = heard.end()
    printed = len(program.json_lines(records.read_bytes()))
    bench.tap.check(printed == given, "made anew: the run goes on", [f"{printed} of {given}"])
    lines = [line for line in said if says in line and "sessions" in line]
    bench.tap.check(code == 1 and len(lines) == 1, "made anew: what to do is told once", [str(code), *said])
    found = len(lines_of(logs)) if (logs / "sessions.jsonl").exists() else 0
    lost = [int(hit[1]) for line in said if (hit := re.search(r"sessions\.jsonl: (\d+) records were lost$", line))]
    bench.tap.check(len(lost) == 1 and 0 < given - found - lost[0] <= 10, "made anew: what is lost is counted",
                    [f"{lost} of {given}, {found} are there", *said])  # fmt: skip


def failed_disk(bench):
    """A disk that fails under open files: the kernel turns its file system read-only. Where that can be tried."""
    image, disk, traffic = bench.folder / "image", bench.folder / "failed", Traffic()
    if shutil.which("mkfs.ext4") is None:
        bench.tap.skip("failed disk", "e2fsprogs is not there")
        return
    disk.mkdir()
    image.write_bytes(bytes(8 << 20))
    made = subprocess.run(["mkfs.ext4", "-q", image], capture_output=True, check=False)
    done = subprocess.run(["mount", "-o", "loop", image, disk], capture_output=True, check=False)
    if made.returncode != 0 or done.returncode != 0:
        bench.tap.skip("failed disk", program.text(made.stderr or done.stderr).strip())
        return
    try:
        fail_disk(bench, disk, traffic)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def fail_disk(bench, disk, traffic):
    logs, database, servers = disk / "logs", disk / "mail.db", disk / "servers"
    how = ["-w", logs, "--append", "--server-memory", servers, "--store", "sqlite", "--store-file", database,
           *side_outputs(disk)]  # fmt: skip
    run = bench.live(*how, "-o", bench.records())
    run.give(traffic.take(20))
    code, said = run.end()
    known, stored = servers.read_bytes(), traffic.count
    bench.tap.check(code == 0 and not said, "failed disk: before, all is well", [str(code), *said])
    before = bench.printed()
    run = bench.live(*how, "-o", bench.records())
    heard = Listener(run)
    run.give(traffic.take(20))
    wait_for(lambda: len(lines_of(logs)) > stored, "more records")
    mount("-o", "remount,abort", disk)
    run.give(traffic.take(60))
    heard.wait_for("sessions.jsonl: Read-only file system; the records from here on are lost")
    run.signal(signal.SIGUSR1)
    run.give(traffic.take(60))
    code, said = heard.end()
    bench.tap.check(before + bench.printed() == traffic.count, "failed disk: the run goes on to its end")
    written = len(lines_of(logs))
    lost = [int(hit[1]) for line in said if (hit := re.search(r"sessions\.jsonl: (\d+) records were lost$", line))]
    bench.tap.check(code == 1 and lost == [traffic.count - written], "failed disk: what is lost is counted",
                    [str(code), f"{lost} of {traffic.count}, {written} are there", *said])  # fmt: skip
    bench.tap.check(any("mail.db" in line for line in said), "failed disk: the store says so", said)
    bench.tap.check(len(said) < 20, "failed disk: without many words", said)
    bench.tap.check(servers.read_bytes() == known, "failed disk: the memory of servers is as it was")
    bench.tap.check(not unfinished(disk), "failed disk: nothing is left half written", unfinished(disk))


def removed_in_run_over_files(bench):
    """A run that replaces its logs: also then what is lost is told."""
    logs = bench.folder / "of-files"
    run = bench.live("-w", logs)
    run.sessions(range(10))
    wait_for(lambda: (logs / "sessions.jsonl").exists(), "a log")
    shutil.rmtree(logs)
    run.sessions(range(10, 20))
    code, said = run.end()
    bench.tap.check(code == 1 and len(said) == 1 and "No such file or directory" in said[0],
                    "removed: a run over files ends with an error", [str(code), *said])  # fmt: skip


# --- the reader goes away --------------------------------------------------------------------------------


def reader_leaves(bench):
    """Who reads the records leaves a run that writes logs besides: it ends, and the logs are whole."""
    logs = bench.folder / "reader"
    run = bench.live("-w", logs, "--append", "-o", "-")
    run.sessions(range(10))
    wait_for(grown(logs / "sessions.jsonl"), "records")
    run.process.stdout.close()
    try:
        for number in range(10, 2000):
            run.sessions([number])
            if run.process.poll() is not None:
                break
            signal.sigtimedwait([], 0.05)
    except BrokenPipeError:
        pass
    run.process.stdout = None
    code, said = run.end()
    bench.tap.check(code == 1 and len(said) == 1 and "its reader has gone" in said[0],
                    "reader: that it left ends the run", [str(code), *said])  # fmt: skip
    numbers = [record["client_port"] - 1024 for record in lines_of(logs)]
    bench.tap.check(numbers == list(range(len(numbers))) and len(numbers) >= 10, "reader: the logs are whole", [str(len(numbers))])
    done = bench.run("report", "--json", "-i", logs)
    bench.tap.check(done.returncode == 0, "reader: and are read", [program.text(done.stderr)])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    reason = enter()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="storage-", ignore_cleanup_errors=True) as folder:
        bench = Bench(tap, options.mailtap, Path(folder))
        if reason:
            tap.skip("full and read-only file systems", reason)
        else:
            full(bench)
            read_only(bench)
            turned_read_only(bench)
            failed_disk(bench)
        removed_file(bench)
        removed_directory(bench, comes_back=False)
        removed_directory(bench, comes_back=True)
        made_anew(bench)
        removed_in_run_over_files(bench)
        reader_leaves(bench)
        if not reason:
            subprocess.run(["umount", *Path(folder).glob("*/")], capture_output=True, check=False)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
