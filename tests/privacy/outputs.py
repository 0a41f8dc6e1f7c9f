#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No password, token, body, subject, sender or recipient by any of the ways out that a run over a capture does not have: pages over
HTTP and what mailtap top makes of them, what a service manager is told, every file that is written beside the logs, what is known of servers, reports,
and what is said of files that cannot be read.

tests/privacy/canary.py has the packets in all their damages, and the logs; this has the outputs, in one run.
"""

import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import canary  # noqa: E402
import scenarios  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.live_run import records_of  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.tap import Tap  # noqa: E402

ASKED = ("/metrics", "/healthz", "/readyz", "/?window=24h", "/live.json?window=24h", "/" + scenarios.PASSWORD.decode()[:4])
SAY_SOMETHING = (*(f"HTTP {path}" for path in ASKED), "top", "service manager", "summary", "servers", "servers, JSON",
                 "report", "report, JSON", "query", "query, JSON", "store", "said of a capture that is none", "said of logs that are none",
                 "said of a capture that is cut", "said of a memory of servers that is none")  # fmt: skip
FILES = ("--csv", "--tls-rpt", "--write-certs")


def traffic(pcaps):
    """Everything that is said in any capture of Ethernet and any scenario, one behind the other."""
    talks = []
    for capture in program.readable(program.captures(pcaps)):
        packets = cf.read(capture)
        if packets and all(packet.linktype == cf.LINK_ETHERNET for packet in packets):
            talks.append(packets)
    for _, port, play in scenarios.scenarios():
        talk = Conversation(port)
        play(talk)
        talks.append(talk.packets)
    made, time = [], talks[0][0].time
    for packets in talks:
        first = min(packet.time for packet in packets)
        moved = [packet.at(packet.time - first + time) for packet in packets]
        made += moved
        time = max(packet.time for packet in moved) + canary.GAP
    return made


class Manager:
    """Hears what a service manager is told."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.setblocking(False)
        os.environ["NOTIFY_SOCKET"] = str(folder / "notify")

    def heard(self):
        del os.environ["NOTIFY_SOCKET"]
        messages = []
        try:
            while True:
                messages.append(self.socket.recv(4096))
        except BlockingIOError:
            return b"\n".join(messages)


def run(mailtap, packets, folder):
    """name -> bytes of what came out of a run."""
    manager = Manager(folder)
    options = ["-w", folder / "logs", "--append", "--rotate-zstd", "--pem", "--any-port", *program.TRUST, *canary.ALL,
               "--metrics", folder / "metrics.prom", "--server-memory", folder / "servers",
               "--store", "sqlite", "--store-file", folder / "store.db"]  # fmt: skip
    for option in FILES:
        options += [option, folder / option.strip("-")]
    found = {}
    with open(folder / "summary", "wb") as summary, Service(mailtap, *options, stdout=summary) as service:
        service.feed(cf.pcap_header(cf.LINK_ETHERNET) + records_of(packets))
        count = f"mailtap_capture_packets_seen_total {len(packets)}\n".encode()
        service.until(lambda: count in service.get("/metrics").body)
        for path in ASKED:
            found[f"HTTP {path}"] = service.get(path).data
        found["top"] = program.run(mailtap, ["top", "--once", "--window", "24h", "--connect", str(service.port)]).stdout
        service.process.send_signal(signal.SIGUSR1)
        service.process.send_signal(signal.SIGHUP)
        service.feed(records_of([packets[-1]]))
        code = service.end()
        found["standard error"] = service.said
    found["service manager"] = manager.heard()
    if code != 0:
        raise program.RunError(f"exit code {code}: {program.text(service.said)[-500:]}")
    return found


def later(mailtap, folder):
    """What is made of a run's files afterwards."""
    logs, servers = folder / "logs", folder / "servers"
    for name, arguments in {
        "servers": ["servers", "--server-memory", servers],
        "servers, JSON": ["servers", "--json", "--server-memory", servers],
        "report": ["report", "--all", "-i", logs],
        "report, JSON": ["report", "--json", "-i", logs],
        "report, files": ["report", "-q", "-i", logs, "--csv", folder / "report-csv", "--tls-rpt", folder / "report-rpt",
                          "--metrics", folder / "report.prom"],
        "report, page": ["report", "-q", "-i", logs, "-o", folder / "report.html"],
        "query": ["query", "--store-file", folder / "store.db", "server_list"],
        "query, JSON": ["query", "--store-file", folder / "store.db", "--format", "json", "--sql", "SELECT * FROM sessions"],
        "store": ["store", "-i", logs, "--store-file", folder / "again.db"],
    }.items():  # fmt: skip
        done = program.run(mailtap, arguments)
        if done.returncode != 0:
            raise program.RunError(f"{name}: exit code {done.returncode}: {program.text(done.stderr)}")
        yield name, done.stdout + done.stderr


def wrong_files(mailtap, folder):
    """What is said of files that are none, with the markers in them."""
    markers = b"\r\n".join(scenarios.MARKERS.values()) + b"\r\n"
    path, cut = folder / "wrong", folder / "cut.pcap"
    path.write_bytes(markers + scenarios.MESSAGE)
    packets = Conversation(25).open().server(b"220 mx.example.org ESMTP\r\n").client(markers + scenarios.NO_GREETING).packets
    cf.write(cut, packets)
    cut.write_bytes(cut.read_bytes()[:-40])
    for name, arguments in {
        "a capture that is none": ["-r", path, "-o", "-"],
        "a capture that is cut": ["-r", cut, "-o", "-"],
        "logs that are none": ["report", "-i", path],
        "a memory of servers that is none": ["servers", "--server-memory", path],
        "a key log that is none": ["-r", cut, "-o", "-", "--tls-keylog", path],
    }.items():
        done = program.run(mailtap, arguments)
        yield name, done.stdout + done.stderr
    path.unlink()
    cut.unlink()


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="outputs-") as name:
        folder = Path(name)
        packets = traffic(options.pcaps)
        inside = canary.markers_in(b"\n".join(packet.data for packet in packets))
        tap.check(inside == scenarios.MARKERS.keys(), f"all markers are in the {len(packets)} packets", sorted(inside))
        found = {f"said of {name}": data for name, data in wrong_files(options.mailtap, folder)}
        found |= run(options.mailtap, packets, folder)
        found |= dict(later(options.mailtap, folder))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".zst":
                found[str(path.relative_to(folder))] = path.read_bytes()
    shown = found["top"].count(b"\n"), found["HTTP /live.json?window=24h"].count(b"client_network")
    tap.check(min(shown) > 20, "the page has alerts and servers of them", shown)
    silent = [name for name in SAY_SOMETHING if not found[name]]
    tap.check(not silent, "what says something does", silent)
    told = [name for name in ("domains", "lookups", "messages", "alerts") if len(found.get(f"logs/{name}.jsonl", b"")) < 1000]
    tap.check(not told, "the logs tell of domains, who looked them up, headers of mail, and alerts", told)
    for what in (*(option.strip("-") for option in FILES), "report-csv", "report-rpt", "logs"):
        tap.check(any(name.startswith(what + "/") for name in found), f"there are files in {what}")
    for name, data in found.items():
        if name.startswith("write-certs/"):
            continue  # public, and as they were sent
        leaks = [*canary.leaks(name, data), *canary.leaks(name, canary.decoded(data))]
        tap.check(not leaks, f"{name}, {len(data)} bytes", leaks[:10])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
