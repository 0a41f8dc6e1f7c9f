#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tests' own tools, tested: containers, packets, fragments, and the search for leaks.

Needs no mailtap. A tool that changes nothing, or finds nothing, would make the tests that use
it pass for nothing.
"""

import base64
import itertools
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "privacy"))

import canary  # noqa: E402
import scenarios  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

RFC_1071 = bytes.fromhex("0001f203f4f5f6f7"), 0xFFFF - 0xDDF2


def conversation():
    """Some packets of both IP versions."""
    made = []
    for client, server in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        talk = Conversation(25, client, server).open().server(b"220 hello\r\n")
        made += talk.client(bytes(range(256)) * 9).close().packets
    return made


def containers(tap):
    packets = conversation()
    two_interfaces = [replace(packet, interface=index % 2) for index, packet in enumerate(packets)]
    writers = {
        "pcap": lambda path: cf.write_pcap(path, packets),
        "pcap, nanoseconds": lambda path: cf.write_pcap(path, packets, nano=True),
        "pcap, big endian": lambda path: cf.write_pcap(path, packets, order=">"),
        "pcapng": lambda path: cf.write_pcapng(path, packets),
        "pcapng, big endian": lambda path: cf.write_pcapng(path, packets, order=">", resolution=6),
        "pcapng, 2^-30 s": lambda path: cf.write_pcapng(path, packets, resolution=0x80 | 30),
        "pcapng, 2 interfaces": lambda path: cf.write(path, two_interfaces),
    }
    with tempfile.TemporaryDirectory(prefix="selftest-") as folder:
        for name, write in writers.items():
            path = Path(folder) / "capture"
            write(path)
            again = cf.read(path)
            close = all(abs(a.time - b.time) < 2 for a, b in zip(again, packets))
            same = [p.data for p in again] == [p.data for p in packets]
            tap.check(close and same, f"written and read again: {name}")


def segments(tap):
    packets = conversation()
    rebuilt = [pk.build(packet, pk.parse_segment(packet)) for packet in packets]
    tap.check(rebuilt == packets, "taken apart and put together again")
    tap.check(pk.checksum(RFC_1071[0]) == RFC_1071[1], "the checksum of RFC 1071's example")
    sums = [pk.checksum(covered(packet)) for packet in packets]
    tap.check(not any(sums), "checksums of what was built come out as zero")
    changed = [changed_both_ways(packet, port) for packet in packets for port in (1, 25, 20000, 65535)]
    tap.check(all(one == other for one, other in changed), "a port changed, and built with the port")


def changed_both_ways(packet, port):
    """What comes of another port at each end: by PortChanger, and built anew."""
    segment = pk.parse_segment(packet)
    changed = [pk.PortChanger(packet, segment, end).at(packet.time, port) for end in (0, 1)]
    return changed, [pk.build(packet, segment.copy(**{name: port})) for name in ("sport", "dport")]


def covered(packet):
    """What a TCP checksum covers, the checksum included: it must come to zero."""
    segment = pk.parse_segment(packet)
    tcp = packet.data[len(segment.link) + len(segment.ip) :]
    return pk.pseudo_header(segment, len(tcp)) + tcp


def fragments(tap):
    wrong = []
    for packet in conversation():
        segment = pk.parse_segment(packet)
        body = packet.data[len(segment.link) + len(segment.ip) :]
        if len(body) <= 24:
            continue
        made = pk.fragment(packet, [8, 24], 99)
        skip = len(segment.link) + len(segment.ip) + (8 if segment.version == 6 else 0)
        if b"".join(part.data[skip:] for part in made) != body or len(made) != 3:
            wrong.append(f"IPv{segment.version}: the fragments do not add up")
        if any(pk.parse_segment(part) for part in made):
            wrong.append(f"IPv{segment.version}: a fragment passes for a whole segment")
    tap.check(not wrong, "fragments add up to the datagram", wrong)


def encodings():
    """Ways in which a text may stand in an output: name -> function."""
    return {
        "plain": bytes,
        "lower case": bytes.lower,
        "upper case": bytes.upper,
        "hex": lambda text: text.hex().encode(),
        "quoted-printable": lambda text: text.replace(b"-", b"=2D"),
        "quoted-printable throughout": lambda text: b"".join(b"=%02X" % byte for byte in text),
        "JSON escapes": lambda text: b"".join(b"\\u%04X" % byte for byte in text),
        "cut at the end": lambda text: text[:-4],
        "cut at the start": lambda text: text[4:],
        "base64": base64.b64encode,
        "base64 behind one byte": lambda text: base64.b64encode(b"x" + text + b"y"),
        "base64 behind two bytes": lambda text: base64.b64encode(b"xy" + text),
        "base64 in upper case": lambda text: base64.b64encode(b"\0a\0" + text).upper(),
    }


def leak_search(tap):
    wrong = []
    for (name, encode), marker in itertools.product(encodings().items(), scenarios.MARKERS.values()):
        output = b'{"server_banner": "' + encode(marker) + b'"}\n'
        if not list(canary.leaks("output", output)):
            wrong.append(f"{marker.decode()} not found as {name}: {output!r}")
    tap.check(not wrong, "the search finds every marker in every encoding", wrong)
    harmless = random.Random(1).randbytes(20000)
    harmless += base64.b64encode(harmless) + b"canary-envelope-64d0 canary-user-3d77"
    tap.check(not list(canary.leaks("output", harmless)), "the search finds nothing in noise")


def main():
    tap = Tap()
    containers(tap)
    segments(tap)
    fragments(tap)
    leak_search(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
