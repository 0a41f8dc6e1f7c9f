#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run as a service: what signals ask for, what a service manager hears, and the units that are shipped."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import mmdb, program  # noqa: E402
from lib.live_run import LiveRun, records_of, wait_for  # noqa: E402
from lib.tap import Tap  # noqa: E402

UNITS = program.ROOT / "configs" / "systemd"
SECOND = 1_000_000_000
EXPOSURE_MAX = 20  # tenths, as systemd-analyze security counts


@dataclass
class Bench:
    tap: Tap
    mailtap: str
    folder: Path
    notifies: bool  # built with libsystemd

    def path(self, name):
        return self.folder / name

    def live(self, *arguments, **how):
        return LiveRun(self.mailtap, *arguments, **how)


def lines_of(path):
    return program.json_lines(path.read_bytes()) if path.exists() else []


# --- SIGUSR1 ---------------------------------------------------------------------------------------------


def statistics_now(bench, workers):
    logs, csv = bench.path(f"now-{workers}"), bench.path(f"csv-{workers}")
    metrics = bench.path(f"now-{workers}.prom")
    run = bench.live("-w", logs, "--csv", csv, "--metrics", metrics, "--interval", "0", "--workers", workers)
    run.sessions(range(10))
    log = logs / "statistics.jsonl"
    wait_for(lambda: (logs / "sessions.jsonl").exists() and (logs / "sessions.jsonl").stat().st_size > 0, "records")
    run.signal(signal.SIGUSR1)
    run.sessions(range(10, 20))
    wait_for(lambda: log.stat().st_size > 0, "statistics")
    so_far = lines_of(log)[0]
    written = metrics.exists() and (csv / "sessions.csv").exists()
    bench.tap.check(written, f"SIGUSR1, {workers} workers: tables and metrics are written")
    wrong = [] if so_far["kind"] == "so_far" and 0 < so_far["sessions"] < 20 else [program.show(so_far)]
    capture = so_far["capture"]
    wrong += [] if capture["segments_tracked"] == capture["packets_kept"] > 0 else [program.show(capture, 600)]
    bench.tap.check(not wrong, f"SIGUSR1, {workers} workers: a line of what was counted so far", wrong)
    code, said = run.end()
    kinds = [line["kind"] for line in lines_of(log)]
    bench.tap.check(code == 0 and not said and kinds == ["so_far", "run"], f"SIGUSR1, {workers} workers: kinds",
                    [str(kinds), *said])  # fmt: skip
    done = program.run(bench.mailtap, ["report", "--json", "-i", logs])
    head = program.json_lines(done.stdout)[0]
    same = head["capture"] == lines_of(log)[-1]["capture"] and head["runs"] == 1 and head["runs_without_end"] == 0
    bench.tap.check(same, f"SIGUSR1, {workers} workers: a report does not count it", [program.show(head, 600)])


# --- SIGHUP ----------------------------------------------------------------------------------------------


def put_patterns(bench, name):
    text = f"[software]\n{name}  /^220 \\S+ ESMTP$/\n"
    path = bench.path("own.patterns.new")
    path.write_text(text)
    path.rename(bench.path("own.patterns"))


def reload(bench, run):
    """SIGHUP, and until it is done."""
    run.signal(signal.SIGHUP)
    run.hear("RELOADING")
    run.hear("READY")


def patterns(bench, workers):
    """Of sessions behind the signal; a file that is wrong changes nothing."""
    put_patterns(bench, "Former")
    run = bench.live("-o", "-", "--patterns", bench.path("own.patterns"), "--workers", workers, listen=bench.folder)
    run.hear("READY")
    run.sessions(range(10))
    put_patterns(bench, "Later")
    reload(bench, run)
    run.sessions(range(10, 20))
    bench.path("own.patterns").write_text("[software]\nBroken  /(/\n")
    reload(bench, run)
    run.sessions(range(20, 30))
    code, said = run.end()
    found = [record["server_software"] for record in program.json_lines(run.output)]
    changed = found.index("Later") if "Later" in found else 0
    wrong = [] if found == ["Former"] * changed + ["Later"] * (30 - changed) and changed <= 10 else [str(found)]
    wrong += [] if code == 0 and len(said) == 1 else [str(code), *said]
    wrong += [] if said and said[0].startswith("mailtap: patterns stay as they were: ") else ["another line"]
    wrong += [] if said and f"{bench.path('own.patterns')}:2: " in said[0] else ["no place"]
    bench.tap.check(not wrong, f"SIGHUP: patterns, {workers} workers", wrong)


def beginning_at(name, time):
    """A capture's packets at another time, as they stand in a file; and when they end."""
    packets = cf.read(program.PCAPS / name)
    shift = time - packets[0].time
    return records_of([packet.at(packet.time + shift) for packet in packets]), packets[-1].time + shift


def trust(bench):
    """Certificates that are trusted from now on; the chain is judged anew. The same session, thrice."""
    authority = bench.path("roots.pem")
    stranger = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=Nobody", "-keyout", bench.path("key"), "-out", authority]  # fmt: skip
    subprocess.run(stranger, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = bench.live("-o", "-", "--ca-file", authority, listen=bench.folder)
    run.hear("READY")
    name = "certificate-good-rsa-postfix-curl.pcap"
    now = cf.read(program.PCAPS / name)[0].time
    for turn in range(3):
        if turn == 1:
            shutil.copy(program.CERTIFICATES / "roots.pem", authority)
        if turn == 2:
            authority.write_text("nothing\n")
        if turn > 0:
            reload(bench, run)
        for capture in (name, "smtp-cleartext-postfix-swaks.pcap"):  # which ends the former, by its time
            data, end = beginning_at(capture, now)
            run.give(data)
            now = end + 300 * SECOND
        _read_until(run, turn)
    code, said = run.end()
    found = [record["certificate_status"] for record in run.seen if record["server_chain"]]
    expected = [["untrusted"], [], []]
    bench.tap.check(found == expected, "SIGHUP: trusted certificates", [str(found)])
    wrong = [] if code == 0 and len(said) == 1 and "trusted certificates stay as they were" in said[0] else said
    bench.tap.check(not wrong, "SIGHUP: a file without certificates changes nothing", wrong)


def _read_until(run, turn):
    """Reads records until there is one with a certificate for this turn."""
    run.seen = getattr(run, "seen", [])
    while sum(bool(record["server_chain"]) for record in run.seen) <= turn:
        line = run.process.stdout.readline()
        if not line:
            raise program.RunError(f"no session in turn {turn}")
        run.seen += program.json_lines(line)


def lists(bench):
    """The list of good servers and the tables of addresses: refused where wrong, and the old ones stand."""
    baseline, table = bench.path("servers"), bench.path("countries.mmdb")
    baseline.write_text("198.51.100.20 25 starttls\n")
    mmdb.write(table, "GeoLite2-Country", {"198.51.100.0/24": {"country": {"iso_code": "AT"}}})
    logs = bench.path("lists")
    run = bench.live("-w", logs, "--append", "--server-baseline", baseline, "--country-db", table,
                     listen=bench.folder)  # fmt: skip
    run.hear("READY")
    run.sessions(range(5))
    mmdb.write(bench.path("new.mmdb"), "GeoLite2-Country", {"198.51.100.0/24": {"country": {"iso_code": "JP"}}})
    bench.path("new.mmdb").rename(table)
    baseline.write_text("198.51.100.20 25 starttls\n198.51.100.20 26 nonsense\n")
    wait_for(lambda: (logs / "sessions.jsonl").stat().st_size > 0, "records")
    reload(bench, run)
    bench.path("gone.mmdb").write_bytes(b"no table")
    bench.path("gone.mmdb").rename(table)
    run.sessions(range(5, 10))
    wait_for(lambda: (logs / "sessions.jsonl").stat().st_size > 0, "records")
    reload(bench, run)
    code, said = run.end()
    wrong = [] if code == 0 and len(said) == 3 else [str(code), *said]
    wrong += [] if sum(f"good stay as they were: {baseline}:2: " in line for line in said) == 2 else said
    wrong += [] if sum(f"countries stay as they were: {table}: " in line for line in said) == 1 else said
    bench.tap.check(not wrong, "SIGHUP: a wrong list or table is told of, and the old one stands", wrong)
    rows = lines_of(logs / "statistics.jsonl")[-1]["tables"]["countries"]
    found = {row["country"] for row in rows if row["country"]}
    bench.tap.check(found == {"AT", "JP"}, "SIGHUP: tables of addresses", [str(rows)])


def trust_anchors(bench):
    """Those of DNSSEC: domains are judged by them once they are there; a file without any changes nothing."""
    anchors, logs, capture = bench.path("root.key"), bench.path("anchored"), program.PCAPS / "dns-dnssec-nsd-unbound.pcap"
    anchors.write_text(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n")
    run = bench.live("-w", logs, "--dns", "--trust-anchors", anchors, listen=bench.folder)
    run.hear("READY")
    run.give(records_of(cf.read(capture)))
    shutil.copy(capture.with_suffix(".anchors"), bench.path("new.key"))
    bench.path("new.key").rename(anchors)
    reload(bench, run)
    anchors.write_text("nothing\n")
    reload(bench, run)
    code, said = run.end()
    found = {line["domain"]: line["dnssec"] for line in lines_of(logs / "domains.jsonl")}
    good = [found.get(f"{name}.example") for name in ("good", "broken")]
    bench.tap.check(good == ["secure", "bogus"], "SIGHUP: trust anchors of DNSSEC", [str(found)])
    wrong = [] if code == 0 and len(said) == 1 and f"anchors of DNSSEC stay as they were: {anchors}:1: " in said[0] else said
    bench.tap.check(not wrong, "SIGHUP: a file without anchors changes nothing", [str(code), *wrong])


# --- the end ---------------------------------------------------------------------------------------------


def second_signal(bench):
    """The first signal waits until all is written, which nobody reads here; the second does not wait."""
    for number in (signal.SIGTERM, signal.SIGINT):
        run = bench.live("-o", "-", listen=bench.folder if bench.notifies else None)
        run.sessions(range(300))  # more than a pipe takes
        if bench.notifies:
            run.hear("READY")
        run.signal(number)
        if bench.notifies:
            run.hear("STOPPING")
        else:
            wait_for(lambda: b"\0" not in Path(f"/proc/{run.process.pid}/wchan").read_bytes(), "the end")
        run.signal(number)
        try:
            code = run.process.wait(30)
        except subprocess.TimeoutExpired:
            code = None
            run.signal(signal.SIGKILL)
        run.end()
        bench.tap.check(code == -number, f"{number.name}: the second time it ends at once", [str(code)])


# --- the service manager ---------------------------------------------------------------------------------


def notifications(bench):
    watched = {"WATCHDOG_USEC": "1500000"}
    run = bench.live("-o", "-", listen=bench.folder, environment=watched)
    first = run.heard()
    bench.tap.check(first == {"READY": "1"}, "service: ready, first of all", [str(first)])
    run.hear("WATCHDOG", "1")
    run.hear("WATCHDOG", "1")
    bench.tap.check(True, "service: alive while a pipe is silent")
    run.signal(signal.SIGHUP)
    reloading = run.hear("RELOADING")
    bench.tap.check(reloading.get("MONOTONIC_USEC", "").isdigit(), "service: reloading, and since when", [str(reloading)])
    run.hear("READY")
    run.signal(signal.SIGTERM)
    run.hear("STOPPING")
    code, said = run.end()
    bench.tap.check(code == 0 and not said, "service: stopping, and then it ends", [str(code), *said])


def hanging(bench):
    """Nobody reads what is printed: no record can be written any more, and there is no sign of life."""
    run = bench.live("-o", "-", listen=bench.folder, environment={"WATCHDOG_USEC": "300000"})
    run.hear("WATCHDOG")
    run.sessions(range(300))
    run.manager.settimeout(3)
    signs = 0
    try:
        while signs < 20:
            signs += "WATCHDOG" in run.heard()
        silent = False
    except socket.timeout:
        silent = True
    bench.tap.check(silent, "service: no sign of life where nothing can be written", [f"{signs} signs"])
    run.kill()


# --- the units -------------------------------------------------------------------------------------------


def instance(bench, name):
    """The unit with this mailtap in it, under a name that can be started."""
    text = (UNITS / name).read_text()
    text = text.replace("/usr/bin/mailtap", bench.mailtap)
    text = re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE)
    path = bench.path(name.replace("@", "@eth0"))
    path.write_text(text)
    return path


def units(bench):
    if not bench.tap.needs("systemd-analyze", "systemd-sysusers", "systemd-tmpfiles"):
        return
    for name in ("mailtap.service", "mailtap@.service"):
        path = instance(bench, name)
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, check=False)
        said = program.text(done.stderr + done.stdout)
        bench.tap.check(done.returncode == 0 and not said.strip(), f"{name}: systemd takes it", said.splitlines())
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", path],
            capture_output=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        said = program.text(done.stdout).splitlines()
        bench.tap.check(done.returncode == 0, f"{name}: exposed little", said[-1:])
    own, template = ((UNITS / name).read_text().splitlines() for name in ("mailtap.service", "mailtap@.service"))
    differ = [a.split("=")[0] for a, b in zip(own, template) if a != b and "=" in a]
    expected = ["Description", "ExecStart", "LogsDirectory", "StateDirectory", "WorkingDirectory"]
    bench.tap.check(differ == expected and len(own) == len(template), "the template is the same but for these", differ)
    settings(bench)


def settings(bench):
    """Users and directories: as the tools that read them understand."""
    root = bench.path("root")
    root.mkdir()
    (root / "etc").mkdir()
    for tool, name in (("systemd-sysusers", "mailtap.sysusers"), ("systemd-tmpfiles", "mailtap.tmpfiles")):
        extra = ["--create"] if tool == "systemd-tmpfiles" else []
        done = subprocess.run([tool, f"--root={root}", *extra, UNITS / name], capture_output=True, check=False)
        said = program.text(done.stderr)
        bench.tap.check(done.returncode == 0, f"{name}: {tool} takes it", said.splitlines())


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    version = program.run(options.mailtap, ["--version"]).stdout
    with tempfile.TemporaryDirectory(prefix="service-") as folder:
        bench = Bench(tap, options.mailtap, Path(folder), b"with systemd" in version)
        for workers in (0, 2):
            statistics_now(bench, workers)
        second_signal(bench)
        if bench.notifies:
            for workers in (0, 2):
                patterns(bench, workers)
            trust(bench)
            lists(bench)
            trust_anchors(bench)
            notifications(bench)
            hanging(bench)
        else:
            tap.skip("what a service manager hears", "mailtap was built without libsystemd")
        units(bench)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
