# SPDX-License-Identifier: Apache-2.0
"""What all traces of the benchmarks are made of: connections with addresses of their own, and files of frames.

A template is a connection of a capture, or one that a script made. A session is one use of it: other
addresses, another port, correct checksums, which are not computed anew but changed by what changed. Frames are
written as they come: of a million sessions at once only their positions are in memory.
"""

import struct
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program, records  # noqa: E402

START = 1_700_000_000_000_000_000
RATE = 10**9  # bits a second
BUFFER = 8 << 20
# (first address, bytes) of each IP version
CLIENTS = {4: (10 << 24, 4), 6: (0x20010DB8_000C << 80, 16)}
SERVERS = {4: (0xAC10 << 16, 4), 6: (0x20010DB8_0005 << 80, 16)}
REPLACED = {4: 16, 6: 38}  # bytes of a packet that a template leaves to its sessions
NO_TAG = {version: pk.ethernet_header(version) for version in (4, 6)}


def fold(total):
    """A sum of 16-bit words folded into one."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def words(data):
    """The sum of the 16-bit words of some bytes."""
    if len(data) & 1:
        data += b"\0"
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def host(base, number):
    """The bytes of the address so many behind one of CLIENTS or SERVERS."""
    return (base[0] + number).to_bytes(base[1], "big")


# --- connections -----------------------------------------------------------------------------


class Part(NamedTuple):
    """A packet of a template, in the pieces between what a session replaces."""

    from_server: bool
    ip: bytes  # up to the addresses, without IPv4's checksum
    ip_sum: int  # of the words of IPv4's header without addresses and checksum
    options: bytes  # of IP, or extension headers
    tcp: bytes  # between the ports and the checksum
    tcp_sum: int  # of all words that the checksum covers, without addresses and ports that change
    rest: bytes  # behind the checksum


class Template:
    """A connection whose packets are ready to get other addresses and another port of the client."""

    def __init__(self, version, parts, port):
        self.version, self.parts, self.port = version, parts, port
        pieces = ((part.ip, part.options, part.tcp, part.rest) for part in parts)
        self.size = len(parts) * REPLACED[version] + sum(sum(map(len, piece)) for piece in pieces)

    def cut(self, start, end=None):
        """Some of its packets only."""
        return Template(self.version, self.parts[start:end], self.port)

    def payload(self, index):
        part = self.parts[index]
        return part.rest[(part.tcp[8] >> 4) * 4 - 18 :]

    def patched(self, index, offset, data):
        """Other bytes at an offset of one packet's payload."""
        part = self.parts[index]
        at = (part.tcp[8] >> 4) * 4 - 18 + offset
        rest = part.rest[:at] + data + part.rest[at + len(data) :]
        total = part.tcp_sum - words(part.rest) + words(rest)
        return Template(
            self.version,
            [*self.parts[:index], part._replace(rest=rest, tcp_sum=total), *self.parts[index + 1 :]],
            self.port,
        )


def template(pairs):
    """A template of the (packet, segment) of one connection; None where it is no mail or not whole."""
    first = pairs[0][1]
    if first.destination[1] not in records.MAIL_PORTS or not first.flags & pk.SYN:
        return None
    parts = [_part(packet, segment, first) for packet, segment in pairs]
    return Template(first.version, parts, first.destination[1])


def _part(packet, segment, first):
    data, at = pk.build(packet, segment.copy(link=b"")).data, len(segment.ip)
    ip, tcp = data[:at], data[at:]
    addresses = segment.source[0] + segment.destination[0]
    if segment.version == 4:
        head, options = ip[:10], ip[20:]
    else:
        head, options = ip[:8], ip[40:]
    # What the checksum leaves out or a session replaces is taken from the sum of all, 0xffff.
    total = 0xFFFF * 40 - words(tcp[16:18]) - words(addresses) - first.sport
    return Part(
        segment.source != first.source, head, words(head) + words(options), options, tcp[4:16],
        fold(total), tcp[18:],
    )  # fmt: skip


def connections(packets):
    """The (packet, segment) of each TCP connection among some packets."""
    flows = {}
    for packet in packets:
        segment = pk.parse_segment(packet)
        if segment and not segment.missing:
            flows.setdefault(segment.flow, []).append((packet, segment))
    return list(flows.values())


def of_capture(path):
    """The templates of a capture: its whole connections to mail ports; none where it is damaged."""
    try:
        return list(filter(None, map(template, connections(cf.read(path)))))
    except cf.CaptureError:
        return []


def lasting(pairs, kept, rounds):
    """The first packets of a connection; then both sides say again what they last said, in turns; FIN."""
    pairs = pairs[:kept]
    packet, client = pairs[0]
    last = [[s for _, s in pairs if (s.source == client.source) == ours and s.payload][-1] for ours in (True, False)]
    position = [segment.next_seq for segment in last]
    for flags, say in [(pk.PSH | pk.ACK, True)] * rounds + [(pk.FIN | pk.ACK, False)]:
        for side in (0, 1):
            segment = last[side].copy(seq=position[side], ack=position[1 - side], flags=flags)
            segment = segment if say else segment.copy(payload=b"")
            position[side] = segment.next_seq
            pairs.append((packet, segment))
    return template(pairs)


def segmented(pairs, size):
    """The same connection in segments of at most so many bytes."""
    made = []
    for packet, segment in pairs:
        data = segment.payload
        pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        for number, piece in enumerate(pieces):
            seq = segment.seq + number * size
            last = number == len(pieces) - 1
            flags = segment.flags if last else segment.flags & ~pk.FIN
            made.append((packet, segment.copy(seq=seq & pk.MASK32, payload=piece, flags=flags)))
    return made


def templates(folder):
    """All whole mail connections of the captures."""
    return [found for path in program.captures(folder) for found in of_capture(path)]


class Session:
    """One use of a template; `next` gives its frames one by one."""

    __slots__ = ("template", "link", "addresses", "ports", "ip_sum", "tcp_sum", "at")

    def __init__(self, template, client, server, port, link=None):
        """The addresses are bytes; `port` is the client's."""
        self.template = template
        self.link = link or NO_TAG[template.version]
        self.addresses = (client + server, server + client)
        self.ports = (struct.pack("!HH", port, template.port), struct.pack("!HH", template.port, port))
        self.ip_sum = words(self.addresses[0])
        self.tcp_sum = self.ip_sum + port
        self.at = 0

    def next(self):
        """The next frame, or None at the end."""
        parts = self.template.parts
        if self.at == len(parts):
            return None
        from_server, ip, ip_sum, options, tcp, tcp_sum, rest = parts[self.at]
        self.at += 1
        # RFC 1624: the checksum changes by the sum of the new words.
        check = (0xFFFF - fold(tcp_sum + self.tcp_sum)).to_bytes(2, "big")
        if len(ip) == 10:
            ip += (0xFFFF - fold(ip_sum + self.ip_sum)).to_bytes(2, "big")
        return b"".join((
            self.link, ip, self.addresses[from_server], options, self.ports[from_server], tcp, check, rest,
        ))  # fmt: skip


def numbered(picks, servers):
    """Makes the session of a number: these templates in turns, so many servers, each client another one."""

    def make(number):
        pick = picks[number % len(picks)]
        client, server = host(CLIENTS[pick.version], 1 + number), host(SERVERS[pick.version], 1 + number % servers)
        return Session(pick, client, server, 10000 + number % 50000)

    return make


def together(make, total, concurrent, lead=0):
    """Frames of the sessions of numbers below the total, in turns, so many of them open at once.

    The first `lead` packets of each come in one go, then one of each session in turns. The frames of a total are
    the same however many are open at once; only their order is not.
    """
    for first in range(0, total, concurrent):
        block = []
        for number in range(first, min(first + concurrent, total)):
            session = make(number)
            yield from (session.next() for _ in range(lead))
            block.append(session)
        while block:
            going_on = []
            for session in block:
                if (frame := session.next()) is not None:
                    yield frame
                    going_on.append(session)
            block = going_on


class Disturbed:
    """A session some of whose frames are lost, and some come behind the next one."""

    def __init__(self, session, rng, loss, reorder):
        self.session, self.rng, self.loss, self.reorder = session, rng, loss, reorder
        self.late = None

    def next(self):
        frame, self.late = self.late, None
        if frame is not None:
            return frame
        frame = self._kept()
        if frame is not None and self.rng.random() < self.reorder and (following := self._kept()) is not None:
            self.late = frame
            return following
        return frame

    def _kept(self):
        frame = self.session.next()
        while frame is not None and self.rng.random() < self.loss:
            frame = self.session.next()
        return frame


# --- files -----------------------------------------------------------------------------------


def write(path, frames, rate=RATE):
    """Write frames as they come; gives (packets, bytes of packets)."""
    count = size = 0
    step = 8 * 10**9 / rate  # nanoseconds a byte
    with open(path, "wb", buffering=BUFFER) as file:
        file.write(cf.pcap_header(cf.LINK_ETHERNET))
        for frame in frames:
            seconds, rest = divmod(START + int(size * step), 1_000_000_000)
            length = len(frame)
            file.write(struct.pack("<IIII", seconds, rest // 1000, length, length))
            file.write(frame)
            size += length
            count += 1
    return count, size


def packets_in(path):
    """The number of packets of a file that `write` made."""
    count = 0
    with open(path, "rb", buffering=BUFFER) as file:
        file.seek(24)
        while len(head := file.read(16)) == 16:
            file.seek(struct.unpack_from("<I", head, 8)[0], 1)
            count += 1
    return count
