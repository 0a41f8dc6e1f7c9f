#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mailtap on ports of DPDK, as far as that goes without a card: the same records as from the capture.

net_pcap replays captures, on 1, 2 and 4 workers; net_memif, net_af_packet and net_af_xdp get them from another
process; net_null and net_ring are counted (net_ring's packets are those of the unit test dpdk_source).
What this machine does not allow is skipped, and says so.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

DEADLINE = 60  # seconds: not what is expected of mailtap, but when something is certainly wrong
EAL = "--no-huge -m 256 --no-pci --no-shconf"
READY = "leaves nothing out"
# What is of the run and not of the connection, where packets have the time at which they came.
OF_THE_RUN = ("session_id", "start", "end", "duration")
INTERFACE = ("session_id",)  # depends on the interface as well
LIVE_CAPTURES = [
    "smtp-starttls-tls13-postfix-swaks.pcap",
    "imap-cleartext-dovecot-curl.pcap",
    "pop3-cleartext-dovecot-fetchmail.pcap",
    "smtp-rcpt-rejected-550-postfix-swaks.pcap",
]
SENDER = """
import socket, sys, time
sys.path.insert(0, sys.argv[1])
from lib import capture_file as cf
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((sys.argv[2], 0))
for packet in cf.read(sys.argv[3]):
    out.send(packet.data)
    time.sleep(0.0005)
"""


# --- captures --------------------------------------------------------------------------------


def plain(packet):
    """As a card would deliver it: Ethernet, whole; and as net_pcap stamps it: in microseconds."""
    return packet.linktype == cf.LINK_ETHERNET and packet.length == len(packet.data)


def to_microseconds(packet):
    return packet.at(packet.time // 1000 * 1000)


def join_captures(path, names, folder):
    """All packets of some captures in one, each a second behind the one before. Returns how many.

    Captures with packets that no card delivers are left out.
    """
    joined = []
    end = 1_700_000_000_000_000_000
    for name in names:
        packets = cf.read(folder / name)
        if not packets or not all(plain(packet) for packet in packets):
            continue
        shift = end + 1_000_000_000 - min(packet.time for packet in packets)
        joined += [to_microseconds(packet.at(packet.time + shift)) for packet in packets]
        end = max(packet.time for packet in packets) + shift
    cf.write_pcap(path, joined)
    return len(joined)


def in_jumbo_frames(packets):
    """Segments of one side that follow each other put together into frames of up to 9000 bytes."""
    joined = []
    for packet in packets:
        segment = pk.parse_segment(packet)
        last = joined[-1] if joined else None
        if (
            last
            and segment.payload
            and last[1].payload
            and last[1].flow == segment.flow
            and last[1].seq + len(last[1].payload) == segment.seq
            and not (segment.flags | last[1].flags) & ~(pk.ACK | pk.PSH)
            and len(last[1].payload) + len(segment.payload) <= 8900
        ):
            last[1].payload += segment.payload
        else:
            joined.append((packet, segment))
    return [pk.build(packet, segment) for packet, segment in joined]


# --- running ---------------------------------------------------------------------------------


def on_ports(devices):
    """mailtap's arguments for vdevs."""
    return ["--dpdk", " ".join([EAL, *(f"--vdev '{device}'" for device in devices)])]


def lines_of(records):
    return sorted(json.dumps(record, sort_keys=True) for record in records)


def differences(expected, found):
    """What to print of records that are not the same: the fields that differ, where they can be paired."""
    if expected == found:
        return
    yield f"{len(expected)} records expected, {len(found)} found"
    for one, other in zip(*(sorted(set(lines) - set(others)) for lines, others in
                            ((expected, found), (found, expected)))):  # fmt: skip
        one, other = json.loads(one), json.loads(other)
        yield program.show({name: [one[name], other[name]] for name in one if one[name] != other[name]}, 400)


def without(records, fields):
    return [{name: value for name, value in record.items() if name not in fields} for record in records]


def records_of(mailtap, arguments):
    done = program.run(mailtap, [*arguments, "-q", "-o", "-", "--sensor", program.SENSOR], DEADLINE)
    if done.returncode != 0:
        raise program.RunError(f"exit code {done.returncode}: {program.text(done.stderr)[-2000:]}")
    return program.json_lines(done.stdout)


class Live:
    """mailtap on a port that does not end, in a directory of its own."""

    def __init__(self, mailtap, folder, arguments, prefix=()):
        self.records = folder / "records.jsonl"
        self.metrics = folder / "metrics"
        self.said = []
        command = [*prefix, mailtap, *arguments, "-q", "-o", self.records, "--metrics", self.metrics]
        command += ["--interval", "1", "--sensor", program.SENSOR]
        self.process = subprocess.Popen(
            list(map(str, command)),
            env=program.environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait_line(self, text):
        """Reads what it says up to a line with this text. False: it ended before."""
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if text in line:
                return True
        return False

    def wait_packets(self, count):
        """Until it has counted so many packets of mail ports. False: never."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                kept = re.search(r"^mailtap_capture_packets_kept_total (\d+)", self.metrics.read_text(), re.M)
                if kept and int(kept[1]) >= count:
                    return True
            time.sleep(0.1)
        return False

    def end(self):
        """Ends it as a user would; returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            _, rest = self.process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not end"
        self.said += rest.splitlines()
        return self.process.returncode

    def found(self):
        return program.json_lines(self.records.read_bytes())


# --- what is tested --------------------------------------------------------------------------


def check_refused(tap, mailtap):
    """Built without DPDK: one line that says so."""
    done = program.run(mailtap, on_ports(["net_null0"]), DEADLINE)
    said = program.text(done.stderr)
    tap.check(done.returncode == 1 and "built without DPDK" in said and said.count("\n") == 1,
              "without DPDK --dpdk is refused", said.splitlines())  # fmt: skip


def check_errors(tap, mailtap):
    """Wrong usage, and what is not there: what is wrong and what to do, and the exit code."""
    for arguments, code, expected in [
        (["--dpdk", f"{EAL} --vdev net_nul0"], 1, "failed to parse device"),
        (["--dpdk", "--no-such-option"], 1, "dpdk-testpmd --help"),
        (["--dpdk", "--no-huge --in-memory"], 1, "not compatible"),
        (["--dpdk", f"{EAL} --vdev 'net_null0"], 1, "not closed"),
        (["--dpdk", "--help"], 1, "dpdk-testpmd --help"),
        (["--dpdk", EAL], 1, "found no port"),
        (["--dpdk", f"{EAL} --vdev net_pcap0,rx_pcap=/does/not/exist"], 1, "Couldn't open /does/not/exist"),
        ([*on_ports(["net_null0"]), "-p", "7"], 1, "no port 7"),
        ([*on_ports(["net_null0"]), "-p", "0-x"], 1, "expected"),
        (["--dpdk", "--no-huge -m 4 --no-pci --no-shconf --vdev net_null0"], 1, "give DPDK more"),
        (["-p", "0"], 2, "needs --dpdk"),
        (["--dpdk", EAL, "-r", "/dev/null"], 2, "only one"),
    ]:
        done = program.run(mailtap, [*arguments, "-q", "-o", "-"], DEADLINE)
        said = program.text(done.stderr)
        good = done.returncode == code and expected in said and done.stdout == b""
        good &= all(line.startswith("mailtap: ") for line in said.splitlines())
        tap.check(good, f"{' '.join(arguments)}: {expected}", [f"exit code {done.returncode}", *said.splitlines()])


def check_replay(tap, mailtap, folder, pcaps):
    """Everything there is, as one traffic: the same records with any number of workers."""
    path = folder / "all.pcap"
    names = [capture.relative_to(pcaps) for capture in program.captures(pcaps)]
    packets = join_captures(path, names, pcaps)
    expected = lines_of(records_of(mailtap, ["-r", path]))
    for workers in (1, 2, 4):
        found = lines_of(records_of(
            mailtap, [*on_ports([f"net_pcap0,rx_pcap={path}"]), "--workers", workers]))  # fmt: skip
        tap.check(len(expected) > 100 and found == expected,
                  f"net_pcap, {workers} workers: {len(expected)} records of {packets} packets",
                  differences(expected, found))  # fmt: skip


def check_filter(tap, mailtap, folder):
    """A filter expression leaves out the same packets; the end of a replay is found all the same."""
    arguments = ["-f", "tcp port 143 or vlan"]
    path = folder / "all.pcap"
    expected = lines_of(records_of(mailtap, ["-r", path, *arguments]))
    found = lines_of(records_of(mailtap, [*on_ports([f"net_pcap0,rx_pcap={path}"]), *arguments]))
    tap.check(expected and found == expected, f"net_pcap with a filter: {len(expected)} records")


def check_two_queues(tap, mailtap, folder, pcaps):
    """Two files are two queues without RSS: both are polled. Two ports are two interfaces."""
    one, other = (pcaps / name for name in LIVE_CAPTURES[:2])
    expected = [*records_of(mailtap, ["-r", one]), *records_of(mailtap, ["-r", other])]
    for name, devices in {
        "two queues": [f"net_pcap0,rx_pcap={one},rx_pcap={other}"],
        "two ports": [f"net_pcap0,rx_pcap={one}", f"net_pcap1,rx_pcap={other}"],
    }.items():
        found = records_of(mailtap, on_ports(devices))
        tap.check(lines_of(without(found, INTERFACE)) == lines_of(without(expected, INTERFACE)),
                  f"net_pcap: {name}", [program.show(record) for record in found])  # fmt: skip
    found = records_of(mailtap, [*on_ports([f"net_pcap0,rx_pcap={one}", f"net_pcap1,rx_pcap={other}"]), "-p", "1"])
    tap.check(lines_of(found) == lines_of(records_of(mailtap, ["-r", other])), "net_pcap: only port 1 of two")


def check_jumbo(tap, mailtap, folder, pcaps):
    """Frames longer than a buffer come in several pieces, and are put together."""
    path = folder / "jumbo.pcap"
    packets = in_jumbo_frames(cf.read(pcaps / "certificate-good-64k-openssl-openssl.pcap"))
    cf.write_pcap(path, [to_microseconds(packet) for packet in packets])
    longest = max(len(packet.data) for packet in packets)
    expected = records_of(mailtap, ["-r", path])
    found = records_of(mailtap, on_ports([f"net_pcap0,rx_pcap={path}"]))
    tap.check(longest > 4096 and expected and expected == found and expected[0]["server_missing_bytes"] == 0,
              f"net_pcap: frames of up to {longest} bytes", [program.show(found, 2000)])  # fmt: skip


def check_counted(tap, mailtap, folder):
    """Drivers that make packets of nothing, or none: counted, and ended by a signal."""
    for device, workers in [("net_null0,size=64", 1), ("net_null0,size=64", 3), ("net_ring0", 1)]:
        live = Live(mailtap, folder, [*on_ports([device]), "--workers", workers, "-w", folder / "logs"])
        ready = live.wait_line(READY)
        if ready and device.startswith("net_null"):
            ready = live.wait_packets(0) and live.process.poll() is None
        code = live.end()
        last = program.json_lines((folder / "logs" / "statistics.jsonl").read_bytes())[-1]["capture"]
        seen = last["packets_seen"]
        tap.check(ready and code == 0 and (seen > 0) == device.startswith("net_null") and
                  last["packets_kept"] == 0 and last["dropped_reported"] == 0,
                  f"{device}, {workers} workers: counted",
                  [f"exit code {code}", program.show(last), *live.said])  # fmt: skip
        live.metrics.unlink(missing_ok=True)


def judge_live(tap, name, live, code, expected, lines=()):
    found = live.found() if code == 0 else []
    one, other = (lines_of(without(records, OF_THE_RUN)) for records in (expected, found))
    missing = [text for text in lines if not any(text in line for line in live.said)]
    tap.check(code == 0 and one == other and not missing, name,
              [f"exit code {code}", *live.said, *(f"not said: {text}" for text in missing),
               *differences(one, other)])  # fmt: skip


def live_parts(mailtap, folder, pcaps):
    """Two captures to send, the records of both, and how many packets there are up to the end of each."""
    paths, expected, until = [], [], []
    for part in (0, 1):
        paths.append(folder / f"part{part}.pcap")
        packets = join_captures(paths[part], LIVE_CAPTURES[2 * part :][:2], pcaps)
        expected += records_of(mailtap, ["-r", paths[part]])
        until.append(packets + sum(until))
    return paths, expected, until


def check_memif(tap, mailtap, folder, pcaps, traffic):
    """Packets of another process; it goes away, another comes: the link is down, and up again."""
    paths, expected, until = live_parts(mailtap, folder, pcaps)
    end = f"socket={folder}/memif,socket-abstract=no"
    # Its peers connect at any time: more than the sandbox lets a run do.
    live = Live(mailtap, folder, [*on_ports([f"net_memif0,role=server,{end}"]), "--no-sandbox"])
    ready = live.wait_line(READY)
    sender = f"{EAL} --vdev net_memif0,role=client,{end}"
    for path, packets in zip(paths, until):
        if not ready:
            break
        process = subprocess.Popen([traffic, sender, "send", path, "20000", "0"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        ready = live.wait_line("the link is up") and live.wait_packets(packets)
        process.communicate(b"", timeout=DEADLINE)
        ready = ready and live.wait_line("the link is down")
    code = live.end()
    judge_live(tap, "net_memif: another process sends, goes, and comes again", live, code, expected)


@contextlib.contextmanager
def network():
    """A network namespace with two ends of a cable in it; None where that is not permitted."""
    name = f"mailtap-{os.getpid()}"
    if os.geteuid() != 0 or subprocess.run(["ip", "netns", "add", name], stderr=subprocess.DEVNULL).returncode:
        yield None
        return
    inside = ["ip", "netns", "exec", name]
    try:
        for command in [
            "sysctl -qw net.ipv6.conf.default.disable_ipv6=1",
            "ip link add tap0 type veth peer name tap1",
            "ip link set tap0 up",
            "ip link set tap1 up",
        ]:
            subprocess.run([*inside, *command.split()], check=True)
        yield inside
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def check_cable(tap, mailtap, folder, pcaps, device):
    """Packets over a cable between two interfaces, that is pulled out between two captures."""
    paths, expected, until = live_parts(mailtap, folder, pcaps)
    with network() as inside:
        if inside is None:
            tap.skip(device, "needs root, to make a network namespace")
            return
        live = Live(mailtap, folder, on_ports([f"{device}0,iface=tap0"]), inside)
        if not live.wait_line(READY):
            live.end()
            tap.skip(device, f"does not work on this machine: {' | '.join(live.said)}")
            return
        good = True
        for path, packets in zip(paths, until):
            for state in ["down", "up"]:
                subprocess.run([*inside, "ip", "link", "set", "tap1", state], check=True)
            send = [*inside, sys.executable, "-c", SENDER, str(program.TESTS), "tap1", str(path)]
            good = good and subprocess.run(send, check=False).returncode == 0 and live.wait_packets(packets)
        code = live.end()
    judge_live(tap, f"{device}: a cable, pulled out and put in again", live, code, expected)


def main():
    parser = program.arguments("mailtap on ports of DPDK.")
    parser.add_argument("--traffic", default=os.environ.get("DPDK_TRAFFIC"), help="the program that sends")
    options = program.parse_arguments(parser)
    mailtap, pcaps = options.mailtap, options.pcaps
    tap = Tap()
    if b"with DPDK" not in program.run(mailtap, ["--version"]).stdout:
        check_refused(tap, mailtap)
        tap.skip("everything else about DPDK", "mailtap is built without it")
        return tap.done()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        quiet = folder / "suppressions"
        # libxdp's own; and net_pcap's file of a port that was found and not asked for: it is left as it is.
        quiet.write_text("leak:xsk_umem__create\nleak:libpcap.so\n")
        os.environ["LSAN_OPTIONS"] = f"suppressions={quiet}:print_suppressions=0"
        check_errors(tap, mailtap)
        check_replay(tap, mailtap, folder, pcaps)
        check_filter(tap, mailtap, folder)
        check_two_queues(tap, mailtap, folder, pcaps)
        check_jumbo(tap, mailtap, folder, pcaps)
        check_counted(tap, mailtap, folder)
        check_memif(tap, mailtap, folder, pcaps, options.traffic)
        for device in ("net_af_packet", "net_af_xdp"):
            check_cable(tap, mailtap, folder, pcaps, device)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
