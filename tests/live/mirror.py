#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real Postfix and Dovecot behind a mirror port that mailtap has by DPDK: net_af_packet, net_af_xdp. What is found is
what `mailtap -r` finds in tcpdump's capture of the same traffic, but for the times.

The mirror port is a process that sends each packet of the servers' cable, of both directions, on another one.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dpdk"))

import ports  # noqa: E402
import servers as real  # noqa: E402
from lib import network as net  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402
from live import difference  # noqa: E402

MIRROR, MIRROR_PORT = "mirror0", "mirror1"
WAYS = ("net_af_packet", "net_af_xdp")
MIRRORING = """
import socket, sys
taken = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
taken.bind((sys.argv[1], 3))
taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
given = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
given.bind((sys.argv[2], 0))
while True:
    given.send(taken.recv(65536))
"""


class Mirroring(net.Capture):
    """The mirror port."""

    def __init__(self):
        super().__init__([sys.executable, "-c", MIRRORING, real.TAP, MIRROR_PORT], 1)


def send_single_segments(servers):
    """A wire has no segments larger than its frames; neither has the mirror."""
    net.ip("link", "set", "dev", real.TAP, "gso_max_segs", "1")
    servers.run(*servers.inside, "ip", "link", "set", "dev", real.PORT, "gso_max_segs", "1")


def packets_of(name):
    """What an interface has sent and received, by its own count."""
    (link,) = json.loads(net.ip("-json", "-statistics", "link", "show", "dev", name))
    return link["stats64"]["rx"]["packets"] + link["stats64"]["tx"]["packets"]


def from_file(options, dump, folder):
    """Records of a capture, and how many packets were kept."""
    program.run(options.mailtap, ["-r", dump, "-w", folder, "-q", "--sensor", program.SENSOR])
    *_, run = program.json_lines((folder / "statistics.jsonl").read_bytes())
    return program.json_lines((folder / "sessions.jsonl").read_bytes()), run["capture"]["packets_kept"]


def check(tap, options, device, folder):
    net.make_pair(MIRROR, MIRROR_PORT)
    for name in (MIRROR, MIRROR_PORT):
        net.ip("link", "set", "dev", name, "mtu", "1500")  # XDP takes no larger frames
    live = ports.Live(options.mailtap, folder, ports.on_ports([f"{device}0,iface={MIRROR}"]))
    if not live.wait_line(ports.READY):
        live.end()
        tap.skip(device, f"does not work on this machine: {' | '.join(live.said)}")
        return
    mirroring = Mirroring()
    before = packets_of(real.TAP)
    recorder = net.Recorder(real.TAP, folder / "dump.pcap")
    failures = [reason for _, command, _, _ in real.TALKS if (reason := real.talk(command))]
    tap.check(not failures, f"{device}: servers and clients talk", failures)
    recorder.wait_for(packets_of(real.TAP) - before)
    recorder.stop()
    expected, kept = from_file(options, folder / "dump.pcap", folder / "file")
    arrived = live.wait_packets(kept)
    code = live.end()
    mirroring.stop()
    net.remove_pair(MIRROR)
    details = difference(program.json_lines(live.records.read_bytes()), expected)
    if not arrived or code != 0:
        details += [f"exit code {code}", f"{kept} packets were to come", *live.said]
    tap.check(not details, f"{device}: {len(expected)} sessions are as in the file", details)
    tap.check(len(expected) == len(real.TALKS), f"{device}: every session has a record", [str(len(expected))])


def main():
    options = program.parse_arguments(program.arguments("Real servers behind a mirror port of DPDK."))
    missing = [name for name in real.PROGRAMS if shutil.which(name) is None]
    reason = f"not installed: {' '.join(missing)}" if missing else None
    if b"with DPDK" not in program.run(options.mailtap, ["--version"]).stdout:
        reason = "mailtap is built without DPDK"
    reason = reason or net.enter()
    tap = Tap()
    if reason is not None:
        tap.skip("real servers, by DPDK", reason)
        return tap.done()
    with tempfile.TemporaryDirectory(prefix="mirror-") as folder:
        os.chmod(folder, 0o755)
        servers = real.Servers(folder)
        try:
            servers.start()
            send_single_segments(servers)
            for device in WAYS:
                own = Path(folder) / device
                own.mkdir()
                check(tap, options, device, own)
        except (net.NetworkError, OSError, subprocess.TimeoutExpired) as error:
            tap.check(False, "real servers", [str(error)])
        finally:
            net.end_captures()
            servers.stop()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
