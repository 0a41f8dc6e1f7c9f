# SPDX-License-Identifier: Apache-2.0
"""What tshark sees in captures, many at once: it takes longer to start than to read most of them.

Captures whose packets are all plain TCP segments and that share no connection are read one behind the other
as one; the frames' numbers tell whose they are. All others (tunnels, fragments, anything but TCP) are read by
themselves, and so is every capture that needs a port decoded as something.
"""

import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from lib import capture_file, packets, program

DISSECTORS = {"smtp": "smtp", "imap": "imap", "pop3": "pop"}
TSHARK_KNOWS = {25, 110, 143, 465, 587, 993, 995}
CLIENT_HELLO = "1"
MOST_PACKETS = 4000  # of captures read as one: so many batches that two cores have enough
TIMEOUT = 240


@dataclass
class Dissection:
    """What tshark saw in a capture: its fields for every TCP packet."""

    rows: list = field(default_factory=list)
    hellos: dict = field(default_factory=dict)  # TCP stream -> its first ClientHello, as bytes


@dataclass
class Batch:
    """Captures that tshark reads in one run: their paths, packets and connections."""

    captures: list = field(default_factory=list)
    packets: list = field(default_factory=list)
    flows: set = field(default_factory=set)
    options: list = field(default_factory=list)

    def takes(self, found, flows):
        return not flows & self.flows and len(found) + len(self.packets) <= MOST_PACKETS

    def add(self, capture, found, flows):
        self.captures.append((capture, len(found)))
        self.packets += found
        self.flows |= flows


def dissect(sessions, fields, hellos=False):
    """Capture -> Dissection, with these fields of tshark. `sessions`: capture -> what mailtap found in it."""
    dissections = {}
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda batch: _run(batch, fields, hellos), _batches(sessions)):
            dissections.update(found)
    return {capture: dissections[capture] for capture in sessions}


# --- what is read together ---------------------------------------------------------------------


def _batches(sessions):
    together = {False: [], True: []}  # without and with a key log
    alone = []
    for capture, found in sessions.items():
        content = capture_file.read(capture)
        keylog = program.keylog_of(capture)
        segments = list(map(packets.parse_segment, content))
        options = _decode_as(found)
        if options or not all(segments):
            alone.append(Batch([(capture, len(content))], options=options + _keylog_option(keylog)))
        else:
            _place(together[bool(keylog)], capture, content, {segment.flow for segment in segments})
    # The largest first, so that none of them is left to run alone at the end.
    return sorted(alone + sum(together.values(), []), key=lambda batch: -sum(n for _, n in batch.captures))


def _place(batches, capture, content, flows):
    for batch in batches:
        if batch.takes(content, flows):
            break
    else:
        batches.append(batch := Batch())
    batch.add(capture, content, flows)


def _decode_as(found):
    """Odd ports are decoded as what mailtap found there."""
    options = []
    for record in found:
        dissector = DISSECTORS.get(record["protocol"])
        if dissector and record["server_port"] not in TSHARK_KNOWS:
            options += ["-d", f"tcp.port=={record['server_port']},{dissector}"]
    return options


def _keylog_option(keylog):
    return ["-o", f"tls.keylog_file:{keylog}"] if keylog else []


# --- running tshark ----------------------------------------------------------------------------


def _run(batch, fields, hellos):
    """Capture -> Dissection of a batch."""
    with tempfile.TemporaryDirectory(prefix="dissect-") as folder:
        path, options = batch.captures[0][0], batch.options
        if batch.packets:
            path, keylog = Path(folder) / "batch.pcap", Path(folder) / "keylog"
            capture_file.write(path, batch.packets, nano=True)
            keylogs = [program.keylog_of(capture) for capture, _ in batch.captures]
            keylog.write_bytes(b"\n".join(file.read_bytes() for file in keylogs if file))
            options = options + _keylog_option(keylog if any(keylogs) else None)
        rows = list(_rows(path, fields, options))
        wanted = hellos and any(CLIENT_HELLO in row["tls.handshake.type"].split(",") for row in rows)
        found = _hellos(path, options) if wanted else {}
    return _divided(batch, rows, found)


def _divided(batch, rows, hellos):
    """Each capture's own rows, by the numbers of their frames."""
    ends = list(accumulate(size for _, size in batch.captures))
    dissections = [Dissection(hellos=hellos) for _ in batch.captures]
    place = 0
    for row in rows:
        while int(row["frame.number"]) > ends[place]:
            place += 1
        dissections[place].rows.append(row)
    return {capture: found for (capture, _), found in zip(batch.captures, dissections)}


def _tshark(path, options):
    command = ["tshark", "-n", "-r", str(path), *options]
    command += ["-o", "tcp.reassemble_out_of_order:TRUE", "--enable-protocol", "communityid"]
    return subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT).stdout


def _rows(path, fields, options):
    """tshark's fields for every TCP packet."""
    names = ["frame.number", "tls.handshake.type", *fields]
    chosen = [word for name in names for word in ("-e", name)]
    shown = _tshark(path, [*options, "-Y", "tcp", "-T", "fields", "-E", "separator=/t", *chosen])
    for line in program.text(shown).split("\n")[:-1]:
        yield dict(zip(names, line.split("\t")))


def _hellos(path, options):
    """TCP stream -> the first ClientHello that tshark put together, as bytes."""
    shown = _tshark(path, [*options, "-Y", "tls.handshake.type == 1", "-T", "json", "-x"])
    hellos = {}
    for packet in json.loads(shown or b"[]", object_pairs_hook=lambda pairs: pairs):
        values = list(_pairs(packet))
        stream = [value for key, value in values if key == "tcp.stream"][-1]
        for key, value in values:
            if key == "tls.handshake_raw" and value[0].startswith("01"):
                hellos.setdefault(stream, bytes.fromhex(value[0]))
    return hellos


def _pairs(value):
    """All (key, value) below a JSON object whose keys may be there more than once."""
    for item in value:
        if isinstance(item, tuple):
            yield item
            value = item[1]
            if isinstance(value, list):
                yield from _pairs(value)
