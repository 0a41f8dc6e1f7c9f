# SPDX-License-Identifier: Apache-2.0
"""Attacks on the tap: packets made by the ten thousand, bystanders' sessions among them, and a run that tells what
it cost.

Bystanders are sessions of pcaps/ with addresses of their own, stretched over as long as the attack lasts. What is
said of them beside an attack must be what is said without it, or less: a fact that was not seen is null, evidence
is not there. Never another fact.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from lib import capture_file, evidence, program
from lib import packets as pk
from lib.conversation import START

BYSTANDERS = [
    "smtp-starttls-tls13-postfix-swaks", "smtp-starttls-tls12-client-certificate-postfix-postfix",
    "smtp-cleartext-postfix-swaks", "smtp-submission-auth-plain-clear-postfix-swaks",
    "smtp-implicit-tls12-465-postfix-curl", "imap-starttls-tls12-dovecot-fetchmail", "imap-login-literal-dovecot-script",
    "imap-implicit-tls13-dovecot-curl", "pop3-starttls-tls12-dovecot-fetchmail", "pop3-apop-dovecot-fetchmail",
    "attack-garble-command-postfix-swaks",
]  # fmt: skip
LASTS = 20  # seconds of packet time, bystanders and attacks alike
# What only says how much of a connection was seen, and how it was lost sight of.
COUNTS = {"client_packets", "server_packets", "client_bytes", "server_bytes", "duration", "message_bytes", "messages"}
MISSES = {"client_missing_bytes", "server_missing_bytes", "end", "end_reason", "directions", "saw_start"}
JOINED = {"session_id", "start"}  # of what was lost sight of and found again: a record of its own
# What packets change that somebody else sent between the same ends.
TOUCHED = {"client_packets", "server_packets", "duration", "end"}
# Starts mailtap from a process that is small: what a process was before it became another counts as its own.
MEASURED = """
import os, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
os.write(2, b"\\n%d %d" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss))
"""


# --- bystanders ------------------------------------------------------------------------------


def moved(packet, number):
    """The packet between other ends; the client's port and the payload stay."""
    segment = pk.parse_segment(packet)
    ends = {client_of(packet): f"203.0.113.{number}", server_of(packet): f"198.51.100.{number}"}
    source, destination = (ends[address] for address in (segment.source[0], segment.destination[0]))
    ident = struct.unpack("!H", segment.ip[4:6])[0] if segment.version == 4 else 0
    ip = pk.ip_header(source, destination, ident=ident)
    return pk.build(packet, segment.copy(link=pk.ethernet_header(4), ip=ip))


def client_of(packet):
    segment = pk.parse_segment(packet)
    return segment.source[0] if segment.dport < 1024 else segment.destination[0]


def server_of(packet):
    segment = pk.parse_segment(packet)
    return segment.destination[0] if segment.dport < 1024 else segment.source[0]


@cache
def bystanders():
    """The packets of their sessions, in the order of time. Once a side wants to end, it goes fast."""
    made = []
    for number, name in enumerate(BYSTANDERS, 1):
        packets, time, ends = capture_file.read(program.PCAPS / f"{name}.pcap"), START, False
        step = LASTS * 10**9 // (len(packets) + 1)
        for packet in packets:
            time += step // 1000 if ends else step
            ends = ends or bool(pk.parse_segment(packet).flags & (pk.FIN | pk.RST))
            made.append(moved(packet, number).at(time))
    return sorted(made, key=lambda packet: packet.time)


def server(number):
    """The address of a bystander's server."""
    return f"198.51.100.{number}"


def is_bystander(record):
    return record["client_ip"].startswith("203.0.113.") and record["server_ip"].startswith("198.51.100.")


# --- many packets ----------------------------------------------------------------------------


class Shooter:
    """Makes packets of one kind, all alike but for their source, sequence numbers and payload, with good checksums."""

    def __init__(self, destination, port):
        self.destination, self.port = ip_address(destination).packed, port
        self.version = 4 if len(self.destination) == 4 else 6
        self.link = pk.ethernet_header(self.version)

    def segment(self, source, sport, seq, ack, flags, payload=b""):
        """From the client, whose address is given as bytes."""
        return self._frame(source, self.destination, sport, self.port, seq, ack, flags, payload)

    def answer(self, source, sport, seq, ack, flags, payload=b""):
        """From the server to that client."""
        return self._frame(self.destination, source, self.port, sport, seq, ack, flags, payload)

    def _frame(self, source, destination, sport, dport, seq, ack, flags, payload):
        length = 20 + len(payload)
        tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & pk.MASK32, ack & pk.MASK32, 0x50, flags, 65535, 0, 0)
        total = pk.checksum(source + destination + struct.pack("!II", length, pk.PROTO_TCP) + tcp + payload)
        tcp = tcp[:16] + struct.pack("!H", total)
        if self.version == 6:
            ip = struct.pack("!IHBB", 6 << 28, length, pk.PROTO_TCP, 64)
        else:
            ip = struct.pack("!BBHHHBB", 0x45, 0, 20 + length, seq & 0xFFFF, 0, 64, pk.PROTO_TCP)
            ip += struct.pack("!H", pk.checksum(ip + source + destination))
        return self.link + ip + source + destination + tcp + b"\0\0" + payload


def address(number):
    """The number-th of an attacker's addresses (IPv6, each in a network of its own), as bytes."""
    return struct.pack("!IIQ", 0x20010DB8, number, 1)


def spread(frames):
    """Frames as packets, evenly over the time that bystanders take."""
    step = max(LASTS * 10**9 // (len(frames) + 1), 1)
    return [capture_file.Packet(START + step * i, frame, len(frame)) for i, frame in enumerate(frames)]


# --- a run -----------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a run said, and what it cost."""

    records: list
    alerts: list
    certificates: list
    capture: dict  # the counters of the last line of statistics.jsonl
    metrics: dict
    peak: int  # bytes of memory
    summary: str = ""
    errors: str = ""
    bystanders: dict = field(default_factory=dict)  # server's address -> records
    lines: dict = field(default_factory=dict)  # name -> lines of the logs that not every run writes
    written: bytes = b""  # all logs and metrics

    def of(self, client=None, server=None):  # pylint: disable=redefined-outer-name
        """The records of a client's or a server's address."""
        return [r for r in self.records if client in (None, r["client_ip"]) and server in (None, r["server_ip"])]


def run(mailtap, packets, *extra, memory="8M", exits=0):
    """Runs mailtap on packets, or on a file of these bytes. Whatever they are, it must read them to the end."""
    with tempfile.TemporaryDirectory(prefix="attack-") as name:
        folder = Path(name)
        if isinstance(packets, bytes):
            (folder / "attack.pcap").write_bytes(packets)
        else:
            capture_file.write(folder / "attack.pcap", packets, nano=True)
        arguments = ["-r", folder / "attack.pcap", "-w", folder / "logs", "--metrics", folder / "metrics",
                     "--memory", memory, "--workers", "0", *program.TRUST, *extra]  # fmt: skip
        command = [sys.executable, "-S", "-c", MEASURED, mailtap, *map(str, arguments)]
        environment = {**program.environment(), "MALLOC_PERTURB_": "0"}
        environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1"
        done = subprocess.run(command, env=environment, capture_output=True, timeout=program.TIMEOUT, check=False)
        said, cost = done.stderr.rsplit(b"\n", 1)
        code, peak = map(int, cost.split())
        if code != exits:
            raise program.RunError(f"exit code {code}: {program.text(done.stderr)[-2000:]}")
        logs = {log: program.json_lines((folder / "logs" / f"{log}.jsonl").read_bytes())
                for log in ("sessions", "alerts", "certificates", "statistics")}  # fmt: skip
        more = {path.stem: program.json_lines(path.read_bytes()) for path in folder.glob("logs/*.jsonl") if path.stem not in logs}
        written = b"".join(path.read_bytes() for path in [folder / "metrics", *folder.glob("logs/*.jsonl")])
        lines = (line.rsplit(" ", 1) for line in (folder / "metrics").read_text().splitlines() if line[0] != "#")
        metrics = {metric: float(value) for metric, value in lines}
    outcome = Outcome(logs["sessions"], logs["alerts"], logs["certificates"], logs["statistics"][-1]["capture"], metrics, peak << 10,
                      program.text(done.stdout), program.text(said), lines=more, written=written)  # fmt: skip
    for record in filter(is_bystander, outcome.records):
        outcome.bystanders.setdefault(record["server_ip"], []).append(record)
    return outcome


def beside(mailtap, attack, *extra, **how):
    """Runs mailtap on an attack with the bystanders among it: (without, with)."""
    packets = sorted([*bystanders(), *attack], key=lambda packet: packet.time)
    return run(mailtap, bystanders(), *extra, **how), run(mailtap, packets, *extra, **how)


# --- what must hold --------------------------------------------------------------------------


def less_is_judged(before, after):
    """Nothing, or what remains where the evidence was not seen."""
    return after["verdict"] == "partial" or (before["verdict"] == "stripped" and after["verdict"] == "cleartext")


def same_or_less(before, after, touched):
    """Lines on what a record says that the one without the attack does not."""
    lost = any(after[key] != before[key] for key in MISSES)
    for key, value in after.items():
        was = before[key]
        if value == was or value is None or key in MISSES or (touched and key in TOUCHED):
            continue
        if key == "evidence":
            kinds = [piece["kind"] for piece in evidence.pieces(before)]
            fewer = all(piece["kind"] in kinds for piece in evidence.pieces(after))
        elif key in COUNTS:
            fewer = lost and was is not None and value <= was
        elif key in ("verdict", "reason", "confidence"):
            fewer = (lost or after["reason"] is None) and less_is_judged(before, after)
        elif key == "capabilities":
            fewer = after["end_reason"] == "evicted"  # the last list is not the one before
        else:
            fewer = key in JOINED and not after["saw_start"]
        if not fewer:
            yield f"{after['server_ip']}: {key} is {program.show(value)}, was {program.show(was)}"


def check_bystanders(tap, what, before, after, least=len(BYSTANDERS), touched=False):
    """They are all there, and nothing else is said of them; of `least` nothing less either.

    `touched`: there were forged packets of their own connections, which count.
    """
    lines, whole = [], 0
    for of, (record,) in before.bystanders.items():
        now = after.bystanders.get(of, [])
        lines += [f"{of}: no record"] if not now else []
        lines += [line for one in now for line in same_or_less(record, one, touched)]
        ignored = TOUCHED if touched else ()
        whole += len(now) == 1 and all(now[0][key] == record[key] for key in record if key not in ignored)
    enough = whole >= least and len(before.bystanders) == len(BYSTANDERS)
    tap.check(not lines and enough, f"{what}: bystanders: {whole} of {len(before.bystanders)} as without it", lines)


@cache
def is_sanitized():
    return b"__asan_init" in Path(os.environ["MAILTAP"]).read_bytes()


def check_memory(tap, what, before, after, most):
    if program.UNDER_VALGRIND:
        tap.skip(f"{what}: memory", "it is memcheck's, too")
        return
    grown = (after.peak - before.peak) / (1 << 20)
    most *= 1.5 if is_sanitized() else 1  # what it keeps beside each block
    tap.check(grown <= most, f"{what}: {grown:.1f} MiB more memory, at most {most}")


def check_sums(tap, what, after):
    """Every packet and segment is in one of the counters."""
    seen, kept = after.capture, after.capture["segments_kept"]
    packets = sum(seen[f"packets_{fate}"] for fate in
                  ("kept", "other_port", "other_protocol", "malformed", "unreadable"))  # fmt: skip
    segments = sum(seen[f"segments_{fate}"] for fate in
                   ("tracked", "duplicated", "set_aside", "left_out", "refused")) + seen["dropped_by_ring"]  # fmt: skip
    tap.check(packets == seen["packets_seen"] and segments == kept, f"{what}: {packets} packets and {segments} "
              "segments are accounted for", [] if segments == kept else [json.dumps(seen)])  # fmt: skip


def check_beside(tap, what, before, after, most):
    """All that holds of any attack: bystanders, at most so many MiB, and sums."""
    check_bystanders(tap, what, before, after)
    check_memory(tap, what, before, after, most)
    check_sums(tap, what, after)
