#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make a large trace: mail sessions from pcaps/ among other traffic, all checksums correct.

Mail sessions are the connections of the captures with other addresses and ports, many at once.
The rest is TCP 443 and 80 and UDP with lengths as at an internet exchange; some of everything
is tagged with a VLAN, some is IPv6. The same arguments and captures give the same trace.
"""

import argparse
import random
import struct
import sys
from pathlib import Path

import names
import traces
from traces import CLIENTS, SERVERS, Session, fold, host, words

from lib import packets as pk
from lib import program

OTHER_FLOWS = 4000  # at once, besides the mail
PACKETS_PER_FLOW = 60
LARGE_SESSION = 20_000  # bytes; the sessions above make up for the many short ones
PAYLOADS = 512  # different payloads of other traffic
# (share, smallest, largest payload): together about 800 bytes a packet.
PAYLOAD_SIZES = [(0.34, 0, 0), (0.12, 40, 600), (0.54, 1360, 1440)]
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}


# --- addresses -------------------------------------------------------------------------------


class Addresses:
    """Random hosts: clients and servers of the two IP versions."""

    def __init__(self, rng, servers):
        """So few servers that they have many clients."""
        self.rng, self.servers = rng, servers

    def client(self, version):
        return host(CLIENTS[version], self.rng.randrange(1, 1 << 24))

    def server(self, version):
        return host(SERVERS[version], self.rng.randrange(1, self.servers + 1))

    def port(self):
        return self.rng.randrange(10000, 65000)


def link_header(rng, version, vlan_share):
    """An Ethernet header for a whole flow, some with a VLAN tag."""
    header = pk.ethernet_header(version)
    if rng.random() < vlan_share:
        return header[:12] + struct.pack("!HH", pk.ETHER_VLAN, rng.randrange(1, 4000)) + header[12:]
    return header


# --- mail ------------------------------------------------------------------------------------


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

    def __init__(self, options):
        self.options = options
        self.rng = rng = random.Random(options.seed)
        self.addresses = Addresses(rng, options.servers)
        self.stock = payloads(rng)
        self.templates = traces.templates(options.pcaps)
        if options.mail and not self.templates:
            program.fail(f"{options.pcaps}: no mail connections in there")
        self.weights = weights(self.templates, options.session)
        self.sessions = 0
        self.mail = [self._mail() for _ in range(options.concurrent)] if options.mail else []
        self.other = [self._other() for _ in range(OTHER_FLOWS)] if options.mail < 1 else []
        self.names = names.Names(options.seed) if options.dns else None

    def _mail(self):
        self.sessions += 1
        pick = self.rng.choices(self.templates, self.weights)[0]
        client, server = self.addresses.client(pick.version), self.addresses.server(pick.version)
        port = self.addresses.port()
        return Session(pick, client, server, port, link_header(self.rng, pick.version, self.options.vlan))

    def _other(self):
        return OtherFlow(self.rng, self.addresses, self.options, self.stock)

    def next(self):
        if self.names and self.rng.random() < self.options.dns:
            return self.names.next()
        if self.rng.random() < self.options.mail:
            return self._from(self.mail, self._mail)
        return self._from(self.other, self._other)

    def frames(self):
        """Frames of as many bytes in all as were asked for, or a few more."""
        left = self.options.size
        while left > 0:
            frame = self.next()
            left -= len(frame)
            yield frame

    def _from(self, flows, make):
        """The next frame of a random flow; one that has ended makes room for a new one."""
        index = self.rng.randrange(len(flows))
        frame = flows[index].next()
        while frame is None:
            flows[index] = make()
            frame = flows[index].next()
        return frame


def quantity(text):
    """A number with k, M or G behind it."""
    return int(float(text.rstrip("kMG")) * UNITS.get(text[-1], 1))


def options_of(arguments):
    """What a trace shall be like."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--pcaps", type=Path, default=program.PCAPS)
    parser.add_argument("--size", type=quantity, default=quantity("400M"), help="bytes of packets")
    parser.add_argument("--mail", type=float, default=0.02, help="share of packets that are mail")
    parser.add_argument("--dns", type=float, default=0, help="share of packets that are DNS; of the rest some is mail")
    parser.add_argument("--vlan", type=float, default=0.2, help="share of flows with a VLAN tag")
    parser.add_argument("--ipv6", type=float, default=0.12, help="share of other flows in IPv6")
    parser.add_argument("--udp", type=float, default=0.15, help="share of other flows in UDP")
    parser.add_argument("--concurrent", type=int, default=200, help="mail sessions at once")
    parser.add_argument("--session", type=quantity, default=12000, help="bytes of a mail session, "
                        "on average")  # fmt: skip
    parser.add_argument("--servers", type=quantity, default=511, help="of each IP version")
    parser.add_argument("--rate", type=quantity, default=traces.RATE, help="bits a second")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main():
    options = options_of(sys.argv[1:])
    mixture = Mixture(options)
    count, size = traces.write(options.output, mixture.frames(), options.rate)
    print(f"{options.output}: {count} packets, {size / count:.0f} bytes on average, {mixture.sessions} mail sessions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
