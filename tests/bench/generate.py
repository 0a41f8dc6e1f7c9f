#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make a large trace: mail sessions from pcaps/ among other traffic, all checksums correct.

Mail sessions are the connections of the captures with other addresses and ports, many at once.
The rest is TCP 443 and 80 and UDP with lengths as at an internet exchange; some of everything
is tagged with a VLAN, some is IPv6. The same arguments and captures give the same trace.
"""

import argparse
import ipaddress
import random
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program, records  # noqa: E402

START = 1_700_000_000_000_000_000
OTHER_FLOWS = 4000  # at once, besides the mail
PACKETS_PER_FLOW = 60
LARGE_SESSION = 20_000  # bytes; the sessions above make up for the many short ones
PAYLOADS = 512  # different payloads of other traffic
# (share, smallest, largest payload): together about 800 bytes a packet.
PAYLOAD_SIZES = [(0.34, 0, 0), (0.12, 40, 600), (0.54, 1360, 1440)]
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}
BUFFER = 8 << 20


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


# --- addresses -------------------------------------------------------------------------------


class Addresses:
    """Random hosts: clients and servers of the two IP versions."""

    def __init__(self, rng):
        self.rng = rng

    def client(self, version):
        return self._host(version, "10.0.0.0", 24, "2001:db8:c::")

    def server(self, version):
        """From few, so that servers have many clients."""
        return self._host(version, "172.16.0.0", 9, "2001:db8:5::")

    def port(self):
        return self.rng.randrange(10000, 65000)

    def _host(self, version, four, bits, six):
        number = self.rng.randrange(1, 1 << bits)
        if version == 4:
            return (int(ipaddress.IPv4Address(four)) + number).to_bytes(4, "big")
        return (int(ipaddress.IPv6Address(six)) + number).to_bytes(16, "big")


def link_header(rng, version, vlan_share):
    """An Ethernet header for a whole flow, some with a VLAN tag."""
    header = pk.ethernet_header(version)
    if rng.random() < vlan_share:
        return header[:12] + struct.pack("!HH", pk.ETHER_VLAN, rng.randrange(1, 4000)) + header[12:]
    return header


# --- mail ------------------------------------------------------------------------------------


@dataclass
class Template:
    """A connection of a capture: its packets from IP on, ready to get other addresses and ports."""

    version: int
    packets: list  # (from the server?, bytes from the IP header on, offset of TCP)
    size: int  # bytes of its packets
    old: int  # the sum of the words that will be replaced: both addresses, the client's port


def templates(folder):
    """All whole mail connections of the captures."""
    found = []
    for path in program.captures(folder):
        try:
            packets = cf.read(path)
        except cf.CaptureError:
            continue
        flows = {}
        for packet in packets:
            segment = pk.parse_segment(packet)
            if segment and not segment.missing:
                flows.setdefault(segment.flow, []).append((packet, segment))
        found += filter(None, map(template, flows.values()))
    return found


def template(parts):
    """A template from the packets of one connection, None where it is no mail or not whole."""
    first = parts[0][1]
    if first.destination[1] not in records.MAIL_PORTS or not first.flags & pk.SYN:
        return None
    client, server = first.source, first.destination
    packets = []
    for packet, segment in parts:
        built = pk.build(packet, segment.copy(link=b""))
        packets.append((segment.source == server, built.data, len(segment.ip)))
    old = words(client[0]) + words(server[0]) + client[1]
    size = sum(len(data) for _, data, _ in packets)
    return Template(first.version, packets, size, old)


def weights(found, mean):
    """How often to take each template so that sessions have `mean` bytes on average.

    Large ones are taken as often as that needs; among the large, and among the others, all alike.
    """
    large = [template.size > LARGE_SESSION for template in found]
    if all(large) or not any(large):
        return [1] * len(found)
    means = {
        kind: sum(t.size for t, is_large in zip(found, large) if is_large == kind)
        / large.count(kind)
        for kind in (False, True)
    }
    share = min(max((mean - means[False]) / (means[True] - means[False]), 0), 1)
    each = {True: share / large.count(True), False: (1 - share) / large.count(False)}
    return [each[kind] for kind in large]


class MailSession:
    """One use of a template, with addresses of its own; `next` gives its frames one by one."""

    def __init__(self, rng, addresses, pick, vlan_share):
        self.template = pick
        version = pick.version
        self.client, self.server = addresses.client(version), addresses.server(version)
        self.port = addresses.port()
        self.link = link_header(rng, version, vlan_share)
        changed = words(self.client) + words(self.server) + self.port
        # RFC 1624: the checksum changes by the sum of the new words less that of the old.
        self.tcp_delta = fold(changed + 0xFFFF * 40 - pick.old)
        self.at = 0

    def next(self):
        """The next frame, or None at the end."""
        if self.at == len(self.template.packets):
            return None
        from_server, data, tcp = self.template.packets[self.at]
        self.at += 1
        out = bytearray(data)
        source, target = (self.server, self.client) if from_server else (self.client, self.server)
        if self.template.version == 4:
            out[12:20] = source + target
            out[10:12] = b"\0\0"
            struct.pack_into("!H", out, 10, 0xFFFF - fold(words(bytes(out[:tcp]))))
        else:
            out[8:40] = source + target
        struct.pack_into("!H", out, tcp + (2 if from_server else 0), self.port)
        old = 0xFFFF - struct.unpack_from("!H", out, tcp + 16)[0]
        struct.pack_into("!H", out, tcp + 16, 0xFFFF - fold(old + self.tcp_delta))
        return self.link + bytes(out)


# --- everything else -------------------------------------------------------------------------


def payloads(rng):
    """Payloads of other traffic with their sums, in the mixture of PAYLOAD_SIZES."""
    pool = rng.randbytes(1 << 16)
    made = []
    for share, smallest, largest in PAYLOAD_SIZES:
        for _ in range(int(share * PAYLOADS)):
            start, size = rng.randrange(len(pool) - 2000), rng.randint(smallest, largest)
            data = pool[start : start + size]
            made.append((data, words(data)))
    return made


class OtherFlow:
    """A TCP flow on 443 or 80, or a UDP flow, from its first packet to its last."""

    def __init__(self, rng, addresses, options, stock):
        self.rng, self.stock = rng, stock
        self.version = 6 if rng.random() < options.ipv6 else 4
        self.udp = rng.random() < options.udp
        self.ends = [
            (addresses.client(self.version), addresses.port()),
            (addresses.server(self.version), rng.choice((443, 443, 80))),
        ]
        self.link = link_header(rng, self.version, options.vlan)
        self.protocol = 17 if self.udp else 6
        self.sum = words(self.ends[0][0]) + words(self.ends[1][0]) + self.protocol
        self.sequence = [rng.randrange(1 << 32), rng.randrange(1 << 32)]
        self.left = rng.randrange(1, 2 * PACKETS_PER_FLOW)
        self.opening = True

    def next(self):
        """The next frame, or None at the end."""
        if not self.left:
            return None
        self.left -= 1
        side = 0 if self.opening or self.rng.random() < 0.35 else 1
        data, total = (b"", 0) if self.opening else self.rng.choice(self.stock)
        carried = self._udp(side, data, total) if self.udp else self._tcp(side, data, total)
        self.opening = False
        source, target = self.ends[side][0], self.ends[1 - side][0]
        return self.link + self._ip(source, target, len(carried)) + carried

    def _ip(self, source, target, carried):
        if self.version == 6:
            return struct.pack("!IHBB", 6 << 28, carried, self.protocol, 60) + source + target
        head = struct.pack("!BBHHHBB", 0x45, 0, 20 + carried, 7, 0x4000, 60, self.protocol)
        value = 0xFFFF - fold(words(head) + self.sum - self.protocol)
        return head + struct.pack("!H", value) + source + target

    def _tcp(self, side, data, total):
        flags = pk.SYN if self.opening else pk.ACK
        head = struct.pack(
            "!HHIIBBH", self.ends[side][1], self.ends[1 - side][1], self.sequence[side],
            self.sequence[1 - side], 0x50, flags, 60000,
        )  # fmt: skip
        value = 0xFFFF - fold(words(head) + total + self.sum + 20 + len(data))
        self.sequence[side] = (self.sequence[side] + (len(data) or self.opening)) & pk.MASK32
        return head + struct.pack("!HH", value, 0) + data

    def _udp(self, side, data, total):
        head = struct.pack("!HHH", self.ends[side][1], self.ends[1 - side][1], 8 + len(data))
        value = 0xFFFF - fold(words(head) + total + self.sum + 8 + len(data))
        return head + struct.pack("!H", value or 0xFFFF) + data


# --- the trace -------------------------------------------------------------------------------


class Mixture:
    """Picks the next frame: mail with the given share of the packets, the rest other traffic."""

    def __init__(self, rng, options):
        self.rng, self.options = rng, options
        self.addresses = Addresses(rng)
        self.stock = payloads(rng)
        self.templates = templates(options.pcaps)
        if options.mail and not self.templates:
            program.fail(f"{options.pcaps}: no mail connections in there")
        self.weights = weights(self.templates, options.session)
        self.sessions = 0
        self.mail = [self._mail() for _ in range(options.concurrent)] if options.mail else []
        self.other = [self._other() for _ in range(OTHER_FLOWS)] if options.mail < 1 else []

    def _mail(self):
        self.sessions += 1
        pick = self.rng.choices(self.templates, self.weights)[0]
        return MailSession(self.rng, self.addresses, pick, self.options.vlan)

    def _other(self):
        return OtherFlow(self.rng, self.addresses, self.options, self.stock)

    def next(self):
        if self.rng.random() < self.options.mail:
            return self._from(self.mail, self._mail)
        return self._from(self.other, self._other)

    def _from(self, flows, make):
        """The next frame of a random flow; one that has ended makes room for a new one."""
        index = self.rng.randrange(len(flows))
        frame = flows[index].next()
        while frame is None:
            flows[index] = make()
            frame = flows[index].next()
        return frame


def write_trace(path, options):
    """Write the trace; gives (packets, bytes of packets, mail sessions)."""
    rng = random.Random(options.seed)
    mixture = Mixture(rng, options)
    count = size = 0
    step = 8 * 10**9 / options.rate  # nanoseconds a byte
    with open(path, "wb", buffering=BUFFER) as file:
        file.write(cf.pcap_header(cf.LINK_ETHERNET))
        while size < options.size:
            frame = mixture.next()
            seconds, rest = divmod(START + int(size * step), 1_000_000_000)
            length = len(frame)
            file.write(struct.pack("<IIII", seconds, rest // 1000, length, length))
            file.write(frame)
            size += length
            count += 1
    return count, size, mixture.sessions


def quantity(text):
    """A number with k, M or G behind it."""
    return int(float(text.rstrip("kMG")) * UNITS.get(text[-1], 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--pcaps", type=Path, default=program.PCAPS)
    parser.add_argument("--size", type=quantity, default=quantity("400M"), help="bytes of packets")
    parser.add_argument("--mail", type=float, default=0.02, help="share of packets that are mail")
    parser.add_argument("--vlan", type=float, default=0.2, help="share of flows with a VLAN tag")
    parser.add_argument("--ipv6", type=float, default=0.12, help="share of other flows in IPv6")
    parser.add_argument("--udp", type=float, default=0.15, help="share of other flows in UDP")
    parser.add_argument("--concurrent", type=int, default=200, help="mail sessions at once")
    parser.add_argument("--session", type=quantity, default=12000, help="bytes of a mail session, "
                        "on average")  # fmt: skip
    parser.add_argument("--rate", type=quantity, default=quantity("1G"), help="bits a second")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    count, size, sessions = write_trace(options.output, options)
    print(f"{options.output}: {count} packets, {size / count:.0f} bytes on average, {sessions} mail sessions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
