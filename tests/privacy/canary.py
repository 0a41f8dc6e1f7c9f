#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No password, token, body, subject, sender or recipient in any output, whatever the packets, and no secret of a key
log.

Every capture of pcaps/ and every conversation of scenarios.py is run as it is, with each single
packet lost, from each packet on, and with only one direction; then all that mailtap wrote (logs,
standard output, standard error) is searched for the markers, plain and encoded. A capture with a key log
is run with it, and its outputs are searched for the secrets as well. What is damaged is read with --dns and
--mail-headers.
"""

import base64
import json
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import scenarios  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program, records  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

ALL = ["--dns", "--mail-headers"]  # what has more told
MOST_DAMAGED = 120  # packets of a capture up to which every one is lost in turn
FIRST_PORT = 20000
GAP = 60_000_000_000  # nanoseconds between the connections in one file


# --- what to look for ------------------------------------------------------------------------


def base64_forms(data):
    """How `data` looks inside a base64 text, at each of the three alignments."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).rstrip(b"=")
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        yield encoded[first:last]


def needles(marker):
    """The marker's two ends (so that a cut text is found too) in every form."""
    for part in (marker[:10], marker[-8:]):
        yield part
        yield from base64_forms(part)
        yield part.hex().encode()
        yield part.replace(b"-", b"=2D")
        yield b"".join(b"=%02X" % byte for byte in part)
        yield b"".join(b"\\u%04x" % byte for byte in part)


# Searched in lower case: a text in another case is a leak too.
NEEDLES = {
    name: sorted({needle.lower() for needle in needles(marker)})
    for name, marker in scenarios.MARKERS.items()
}


def secrets(keylog):
    """As NEEDLES: every secret of a key log, as it stands there, as bytes, and in base64."""
    found = {}
    for line in keylog.read_text().splitlines() if keylog else []:
        if not line.startswith("#"):
            label, session, digits = line.split()
            secret = bytes.fromhex(digits)
            forms = [digits[:20].encode(), digits[-20:].encode(), secret[:10], *base64_forms(secret[:16])]
            found[f"{label} {session[:8]}"] = sorted({form.lower() for form in forms})
    return found


def leaks(name, data, needles=NEEDLES):
    """Lines that say which marker stands where in an output (of each needle the first place)."""
    lowered = data.lower()
    for marker, forms in needles.items():
        for needle in forms:
            place = lowered.find(needle)
            if place >= 0:
                around = data[max(0, place - 60) : place + len(needle) + 20]
                yield f"{marker} in {name}: …{program.text(around)}…"


def markers_in(data):
    """The names of the markers that are in some bytes."""
    lowered = data.lower()
    return {name for name, forms in NEEDLES.items() if any(form in lowered for form in forms)}


# --- what to read ----------------------------------------------------------------------------


class Renumbered:
    """Collects damaged copies of packets as connections of their own, one behind the other."""

    def __init__(self, packets, servers):
        segments = [(packet, pk.parse_segment(packet)) for packet in packets]
        # Another client port; several connections keep apart by their old ports.
        self.source = [
            (index, segment, packet.time, segment.dport, pk.PortChanger(packet, segment, 1))
            if segment.source in servers
            else (index, segment, packet.time, segment.sport, pk.PortChanger(packet, segment, 0))
            for index, (packet, segment) in enumerate(segments)
            if segment
        ]
        self.span = max(p.time for p in packets) - min(p.time for p in packets) + GAP
        self.packets = []
        self.copies = 0
        self.ports = 0

    def add(self, keep):
        """A copy of the packets for which keep(index, segment) holds, from other client ports."""
        shift = self.copies * self.span
        ports = {}
        for index, segment, time, port, changer in self.source:
            if keep(index, segment):
                moved = ports.setdefault(port, FIRST_PORT + self.ports + len(ports))
                self.packets.append(changer.at(time + shift, moved))
        self.copies += 1
        self.ports += len(ports)


def damaged(packets, servers):
    """As it is, each direction alone, without each packet, and from each packet on."""
    made = Renumbered(packets, servers)
    made.add(lambda index, segment: True)
    made.add(lambda index, segment: segment.source in servers)
    made.add(lambda index, segment: segment.source not in servers)
    if len(packets) <= MOST_DAMAGED:
        for lost in range(len(packets)):
            made.add(lambda index, segment, lost=lost: index != lost)
            made.add(lambda index, segment, lost=lost: index >= lost)
            made.add(lambda index, segment, lost=lost: not lost <= index < lost + 3)
    return made.packets


def servers_of(packets):
    """The (address, port) ends on mail ports."""
    segments = filter(None, map(pk.parse_segment, packets))
    return {end for s in segments for end in s.flow if end[1] in records.MAIL_PORTS}


# --- running ---------------------------------------------------------------------------------


def outputs(mailtap, capture, folder, options):
    """(name, bytes) of all that mailtap writes, and the number of records."""
    logs = Path(folder) / "logs"
    # What is told over HTTP is the page that --metrics writes (tests/prometheus). The summary goes to standard error.
    arguments = ["-w", logs, "--metrics", logs / "metrics.prom", "-o", "-"]
    done = program.run(mailtap, ["-r", capture, *arguments, *options])
    if done.returncode not in (0, 1):
        raise program.RunError(f"exit code {done.returncode}: {program.text(done.stderr)[-500:]}")
    count = len(program.json_lines(done.stdout))
    # What is written twice (standard output has the lines of sessions.jsonl) is searched once.
    found = {done.stdout: "standard output", done.stderr: "standard error"}
    for path in sorted(logs.rglob("*")):
        if path.is_file():
            found.setdefault(path.read_bytes(), path.name)
    found |= {decoded(data): f"{name}, decoded" for data, name in found.items()}
    return [(name, data) for data, name in found.items()], count


def decoded(data):
    """The lines that have JSON escapes, with these undone, so that nothing hides behind them."""
    lines = []
    for line in data.splitlines():
        if b"\\" not in line:
            continue
        try:
            lines.append(json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace"))
        except ValueError:
            continue
    return b"\n".join(lines)


def examine(mailtap, packets, options=(), keylog=None):
    """What leaks from a capture made of these packets: (lines, number of records)."""
    needles = NEEDLES | secrets(keylog)
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        path = Path(folder) / "capture"
        cf.write(path, packets)
        try:
            found, count = outputs(mailtap, path, folder, [*options, *program.keylog_arguments(keylog)])
        except program.RunError as error:
            return [str(error)], 0
    lines = [line for name, data in found for line in leaks(name, data, needles)]
    return list(dict.fromkeys(lines)), count


def contents(packets):
    """What was said, per protocol: the payloads of each direction, joined."""
    said = defaultdict(bytes)
    for segment in filter(None, map(pk.parse_segment, packets)):
        for end in segment.flow:
            if end[1] in records.MAIL_PORTS:
                said[records.PROTOCOL_OF_PORT[end[1]], segment.source] += segment.payload
    return said


# --- the checks ------------------------------------------------------------------------------


def try_scenario(mailtap, scenario):
    """(name, does it hold a marker, what leaks, number of records) of one conversation."""
    name, port, play = scenario
    talk = Conversation(port)
    play(talk)
    marked = bool(markers_in(b"\n".join(contents(talk.packets).values())))
    packets = damaged(talk.packets, servers_of(talk.packets))
    return name, marked, *examine(mailtap, packets, ALL)


def check_scenarios(tap, pool, mailtap):
    attempt = partial(try_scenario, mailtap)
    for name, marked, lines, count in pool.map(attempt, scenarios.scenarios()):
        if not marked:
            lines.append("no marker in the conversation: nothing is tested")
        if not count:
            lines.append("no record: nothing is tested")
        tap.check(not lines, f"conversation {name}, {count} records", lines[:10])


def try_capture(mailtap, capture):
    """(name, markers in it by protocol, what leaks, number of records) of one capture, told as little of as
    can be, and of its damaged copies, told all."""
    try:
        packets = cf.read(capture)
    except cf.CaptureError:
        return capture.name, {}, [], 0
    keylog = program.keylog_of(capture)
    ports = program.port_arguments(capture)
    lines, count = examine(mailtap, packets, ["-q", *ports], keylog)
    servers = servers_of(packets)
    if servers:
        more, extra = examine(mailtap, damaged(packets, servers), [*ALL, *ports], keylog)
        lines, count = lines + more, count + extra
    present = defaultdict(set)
    for (protocol, _), said in contents(packets).items():
        present[protocol] |= markers_in(said)
    return capture.name, present, lines, count


def check_captures(tap, pool, mailtap, captures):
    """The captures as they are and damaged; gives what markers are in them, per protocol."""
    present = defaultdict(set)
    for name, markers, lines, count in pool.map(partial(try_capture, mailtap), captures):
        for protocol, found in markers.items():
            present[protocol] |= found
        tap.check(not lines, f"capture {name}, {count} records", lines[:10])
    return present


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with ProcessPoolExecutor(2) as pool:
        captures = program.captures(options.pcaps)
        present = check_captures(tap, pool, options.mailtap, captures)
        for protocol in ("smtp", "imap", "pop3"):
            missing = sorted(scenarios.IN_CAPTURES.keys() - present[protocol])
            tap.check(not missing, f"the captures of {protocol} hold every marker", missing)
        check_scenarios(tap, pool, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
