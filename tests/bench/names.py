# SPDX-License-Identifier: Apache-2.0
"""DNS for traces: questions and answers as resolvers near mail servers see them, names of all kinds.

Most are for addresses of hosts that have nothing to do with mail; a tenth is what mail asks for. Of these some are
the exchanges of a capture with DNSSEC, whose signatures verify.
"""

import random
import struct

from traces import CLIENTS, SERVERS, fold, host, words

from lib import capture_file as cf
from lib import packets as pk
from lib import program

SIGNED = "dns-dnssec-nsd-unbound"
SIGNED_SHARE = 0.02  # of exchanges, from that capture
RESOLVERS = 32
DOMAINS = 50_000
A, NS, PTR, MX, TXT, AAAA, HTTPS = 1, 2, 12, 15, 16, 28, 65
# type -> (share, records in an answer, bytes of their data)
KINDS = {A: (0.48, 3, 4), AAAA: (0.24, 2, 16), HTTPS: (0.12, 1, 40), PTR: (0.05, 1, 20), NS: (0.02, 4, 12),
         TXT: (0.05, 1, 60), MX: (0.04, 2, 14)}  # fmt: skip
TEXTS = (b"v=spf1 mx include:_spf.example.net ~all", b"v=DMARC1; p=reject; rua=mailto:r@example.org", b"verification=1234")


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def data_of(rng, kind, size):
    if kind == MX:
        return struct.pack("!H", 10) + b"\x02mx\xc0\x0c"
    if kind == TXT:
        text = rng.choice(TEXTS)
        return bytes([len(text)]) + text
    if kind in (PTR, NS):
        return b"\x04host\xc0\x0c"
    return rng.randbytes(size)


def exchange(rng):
    """A question and its answer, both without their number."""
    kind = rng.choices(list(KINDS), [share for share, *_ in KINDS.values()])[0]
    domain = f"d{rng.randrange(DOMAINS)}.example.org"
    under = {TXT: ("", "_dmarc."), MX: ("",)}.get(kind, ("www.", "a.b.", "cdn7."))
    asked = name(rng.choice(under) + domain) + struct.pack("!HH", kind, 1)
    option = b"\0" + struct.pack("!HHIH", 41, 1232, 0x8000, 0)
    _, count, size = KINDS[kind]
    found = (data_of(rng, kind, size) for _ in range(count))
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(data)) + data for data in found)
    question = struct.pack("!5H", 0x0100, 1, 0, 0, 1) + asked + option
    return question, struct.pack("!5H", 0x8180, 1, count, 0, 1) + asked + body + option


def captured():
    """The exchanges of the capture with DNSSEC, likewise."""
    waiting, found = {}, []
    for packet in cf.read(program.PCAPS / f"{SIGNED}.pcap"):
        data = packet.data[42:]
        if packet.data[23] != 17 or packet.data[12:14] != b"\x08\0":
            continue
        if data[2] & 0x80 and data[:2] in waiting:
            found.append((waiting.pop(data[:2]), data[2:]))
        else:
            waiting[data[:2]] = data[2:]
    return found


class Names:
    """An endless stream of frames of DNS: each question, and behind it its answer."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.signed = captured()
        self.waiting = []

    def next(self):
        if self.waiting:
            return self.waiting.pop()
        rng = self.rng
        pair = rng.choice(self.signed) if rng.random() < SIGNED_SHARE else exchange(rng)
        number, port = struct.pack("!H", rng.randrange(1 << 16)), rng.randrange(10000, 65000)
        client = host(CLIENTS[4], rng.randrange(1, 1000))
        server = host(SERVERS[4], rng.randrange(1, RESOLVERS))
        self.waiting.append(self._frame(server, client, 53, port, number + pair[1]))
        return self._frame(client, server, port, 53, number + pair[0])

    @staticmethod
    def _frame(source, target, source_port, target_port, data):
        head = struct.pack("!BBHHHBB", 0x45, 0, 28 + len(data), 7, 0, 60, 17)
        ends = words(source) + words(target)
        udp = struct.pack("!HHH", source_port, target_port, 8 + len(data))
        total = 0xFFFF - fold(words(udp) + words(data) + ends + 17 + 8 + len(data))
        check = struct.pack("!H", 0xFFFF - fold(words(head) + ends))
        return pk.ethernet_header(4) + head + check + source + target + udp + struct.pack("!H", total or 0xFFFF) + data
