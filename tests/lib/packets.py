# SPDX-License-Identifier: Apache-2.0
"""Take TCP packets apart and put them together again, with correct lengths and checksums.

Only what the tests need: the link types that mailtap's captures come in, VLAN tags and MPLS
labels below IP, IPv4 and IPv6 with options and extension headers, TCP. What is no plain TCP
segment (other protocols, fragments, tunnels, cut headers) gives None and is left as it is.
"""

import ipaddress
import struct
from dataclasses import dataclass, replace
from functools import cached_property

from lib import capture_file as cf

FIN, SYN, RST, PSH, ACK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ETHER_IPV4, ETHER_IPV6 = 0x0800, 0x86DD
ETHER_VLAN, ETHER_QINQ, ETHER_MPLS = 0x8100, 0x88A8, 0x8847
VLAN_TYPES = (ETHER_VLAN, ETHER_QINQ, 0x9100)
PROTO_IPIP, PROTO_TCP, PROTO_IPV6, PROTO_GRE, PROTO_FRAGMENT = 4, 6, 41, 47, 44
IPV6_EXTENSIONS = (0, 43, 60)
OPTION_SACK = 5
MASK32 = 0xFFFFFFFF


@dataclass
class Segment:
    """A TCP segment and the headers it came in.

    `link` is all that stands before the IP header, `ip` the IP header with its options or
    extension headers. `missing` counts payload bytes that were on the wire but not captured.
    """

    link: bytes
    ip: bytes
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int = 65535
    urgent: int = 0
    options: bytes = b""
    payload: bytes = b""
    missing: int = 0

    @property
    def version(self):
        return self.ip[0] >> 4

    @cached_property
    def source(self):
        """(address bytes, port) of the sender."""
        return (self.ip[12:16] if self.version == 4 else self.ip[8:24], self.sport)

    @cached_property
    def destination(self):
        return (self.ip[16:20] if self.version == 4 else self.ip[24:40], self.dport)

    @cached_property
    def flow(self):
        """The connection's key, the same for both directions."""
        source, destination = self.source, self.destination
        return (source, destination) if source <= destination else (destination, source)

    @property
    def size(self):
        """Payload bytes on the wire."""
        return len(self.payload) + self.missing

    @property
    def next_seq(self):
        """The sequence number after this segment."""
        control = bool(self.flags & SYN) + bool(self.flags & FIN)
        return (self.seq + self.size + control) & MASK32

    def copy(self, **changes):
        """As dataclasses.replace, in half the time: the tests make millions of segments."""
        values = {**self.__dict__, **changes}
        for name in _COMPUTED:
            values.pop(name, None)
        return Segment(**values)


_COMPUTED = ("source", "destination", "flow")  # kept, once asked for, beside the fields


# --- checksums -------------------------------------------------------------------------------


def checksum(data):
    """The internet checksum: one's complement of the one's complement sum of 16-bit words."""
    if len(data) & 1:
        data += b"\0"
    # Modulo 0xffff a big-endian number equals the sum of its 16-bit digits.
    total = int.from_bytes(data, "big")
    return 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0))


def _ipv4_with(header, total_length, changes=()):
    """An IPv4 header with its length, given (offset, bytes) changes and a fresh checksum."""
    header = bytearray(header)
    struct.pack_into("!H", header, 2, total_length)
    for offset, value in changes:
        header[offset : offset + len(value)] = value
    header[10:12] = b"\0\0"
    struct.pack_into("!H", header, 10, checksum(bytes(header)))
    return bytes(header)


# --- finding IP in a frame -------------------------------------------------------------------


def ip_offset(data, linktype):
    """Where the IP header starts below VLAN tags and MPLS labels, or None."""
    if linktype in (cf.LINK_RAW, cf.LINK_RAW_BSD, cf.LINK_IPV4, cf.LINK_IPV6):
        at = 0
    elif linktype in (cf.LINK_NULL, cf.LINK_LOOP):
        at = 4
    elif linktype in (cf.LINK_ETHERNET, cf.LINK_SLL):
        at = _ethertype_walk(data, 12 if linktype == cf.LINK_ETHERNET else 14)
    elif linktype == cf.LINK_SLL2:
        at = 20 if data[:2] in (b"\x08\x00", b"\x86\xdd") else None
    else:
        at = None
    if at is None or at >= len(data) or data[at] >> 4 not in (4, 6):
        return None
    return at


def _ethertype_walk(data, at):
    """From the EtherType at `at` over VLAN tags and MPLS labels to the IP header, or None."""
    while at + 2 <= len(data):
        kind = struct.unpack_from("!H", data, at)[0]
        at += 2
        if kind in VLAN_TYPES:
            at += 2
        elif kind == ETHER_MPLS:
            while at + 4 <= len(data) and not data[at + 2] & 1:
                at += 4
            return at + 4
        else:
            return at if kind in (ETHER_IPV4, ETHER_IPV6) else None
    return None


# --- parsing ---------------------------------------------------------------------------------


def _ip_extent(data, at):
    """(protocol, offset of what IP carries, its end on the wire), or None for what is not plain."""
    if data[at] >> 4 == 4:
        if at + 20 > len(data) or struct.unpack_from("!H", data, at + 6)[0] & 0x3FFF:
            return None
        start = at + (data[at] & 15) * 4
        total = struct.unpack_from("!H", data, at + 2)[0]
        return data[at + 9], start, at + total if total else len(data)
    if at + 40 > len(data):
        return None
    kind, start = data[at + 6], at + 40
    length = struct.unpack_from("!H", data, at + 4)[0]
    while kind in IPV6_EXTENSIONS and start + 8 <= len(data):
        kind, start = data[start], start + (data[start + 1] + 1) * 8
    return kind, start, at + 40 + length if length else len(data)


def parse_segment(packet):
    """The TCP segment in a captured packet, or None."""
    data = packet.data
    at = ip_offset(data, packet.linktype)
    extent = _ip_extent(data, at) if at is not None else None
    if extent is None or extent[0] != PROTO_TCP or extent[1] + 20 > len(data):
        return None
    _, tcp, end = extent
    sport, dport, seq, ack, offset, flags, window, _, urgent = struct.unpack_from(
        "!HHIIBBHHH", data, tcp
    )
    start = tcp + (offset >> 4) * 4
    if start < tcp + 20 or start > min(end, len(data)):
        return None
    payload = data[start : min(end, len(data))]
    return Segment(
        data[:at], data[at:tcp], sport, dport, seq, ack, flags, window, urgent,
        data[tcp + 20 : start], payload, end - start - len(payload),
    )  # fmt: skip


def is_fragment(packet):
    """Is this a fragment of an IP datagram?"""
    at = ip_offset(packet.data, packet.linktype)
    if at is None or at + 40 > len(packet.data):
        return False
    if packet.data[at] >> 4 == 4:
        return bool(struct.unpack_from("!H", packet.data, at + 6)[0] & 0x3FFF)
    extent = _ip_extent(packet.data, at)
    return extent is not None and extent[0] == PROTO_FRAGMENT


# --- building --------------------------------------------------------------------------------


def ip_with_length(ip, carried):
    """The IP header for `carried` bytes behind it, lengths and checksum made right."""
    if ip[0] >> 4 == 4:
        return _ipv4_with(ip, len(ip) + carried)
    return ip[:4] + struct.pack("!H", len(ip) - 40 + carried) + ip[6:]


def pseudo_header(segment, length):
    """What TCP's checksum covers besides the segment itself."""
    addresses = segment.source[0] + segment.destination[0]
    if segment.version == 4:
        return addresses + struct.pack("!HH", PROTO_TCP, length)
    return addresses + struct.pack("!II", length, PROTO_TCP)


def build_tcp(segment, bad_checksum=False):
    """TCP header and payload. What is missing from the payload counts as zeros in the checksum."""
    options = segment.options + bytes(-len(segment.options) % 4)
    header = struct.pack(
        "!HHIIBBHHH", segment.sport, segment.dport, segment.seq & MASK32, segment.ack & MASK32,
        (20 + len(options)) // 4 << 4, segment.flags, segment.window, 0, segment.urgent,
    )  # fmt: skip
    tcp = header + options + segment.payload
    value = checksum(pseudo_header(segment, len(tcp) + segment.missing) + tcp)
    if bad_checksum:
        value ^= 0x5A5A
    return tcp[:16] + struct.pack("!H", value) + tcp[18:]


def build(packet, segment, bad_checksum=False):
    """A packet like `packet` (time, link type) that carries `segment`."""
    tcp = build_tcp(segment, bad_checksum)
    ip = ip_with_length(segment.ip, len(tcp) + segment.missing)
    data = segment.link + ip + tcp
    return packet.with_data(data, len(data) + segment.missing)


class PortChanger:
    """Makes packets like one with a segment, but for a port of it: `end` is 0 for the sender's, 1 for the
    receiver's. The checksum is brought up to date (RFC 1624), which is much less work than building each."""

    def __init__(self, packet, segment, end):
        frame = build(packet, segment).data
        tcp = len(segment.link) + len(segment.ip)
        port, check = tcp + 2 * end, tcp + 16
        self.packet = packet
        self.length = len(frame) + segment.missing
        self.before, self.between, self.after = frame[:port], frame[port + 2 : check], frame[check + 2 :]
        old, value = (struct.unpack_from("!H", frame, at)[0] for at in (port, check))
        self.others = (0xFFFF - value) + (0xFFFF - old)

    def at(self, time, port):
        total = self.others + port
        value = 0xFFFF - (total % 0xFFFF or 0xFFFF)
        data = b"".join((self.before, port.to_bytes(2, "big"), self.between, value.to_bytes(2, "big"), self.after))
        return cf.Packet(time, data, self.length, self.packet.linktype, self.packet.interface)


def ipv4_header(source, destination, protocol, carried, ident=0, ttl=64):
    """A plain IPv4 header in front of `carried` bytes; addresses as text."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 0, ident, 0, ttl, protocol, 0)
    addresses = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    return _ipv4_with(head + addresses, 20 + carried)


def ipv6_header(source, destination, protocol, carried, hops=64):
    """A plain IPv6 header in front of `carried` bytes; addresses as text."""
    head = struct.pack("!IHBB", 6 << 28, carried, protocol, hops)
    addresses = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed
    return head + addresses


def ip_header(source, destination, protocol=PROTO_TCP, carried=0, ident=0):
    """An IPv4 or IPv6 header, as the addresses want."""
    if ":" in source:
        return ipv6_header(source, destination, protocol, carried)
    return ipv4_header(source, destination, protocol, carried, ident)


def ethernet_header(version, source=b"\x02\0\0\0\0\x01", destination=b"\x02\0\0\0\0\x02"):
    """The Ethernet header for an IP version."""
    return destination + source + struct.pack("!H", ETHER_IPV4 if version == 4 else ETHER_IPV6)


# --- encapsulation ---------------------------------------------------------------------------


def ip_version(packet):
    """4, 6, or None where the packet is no IP."""
    at = ip_offset(packet.data, packet.linktype)
    return None if at is None else packet.data[at] >> 4


def add_vlan(packet, tags):
    """The Ethernet frame with VLAN tags, outermost first, as (EtherType, id) pairs."""
    pushed = b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in tags)
    return _grown(packet, packet.data[:12] + pushed + packet.data[12:])


def add_mpls(packet, labels):
    """An untagged Ethernet IP frame with an MPLS label stack, outermost first."""
    stack = b"".join(
        struct.pack("!I", label << 12 | (number == len(labels) - 1) << 8 | 64)
        for number, label in enumerate(labels)
    )
    frame = packet.data[:12] + struct.pack("!H", ETHER_MPLS) + stack + packet.data[14:]
    return _grown(packet, frame)


def add_tunnel(packet, source, destination, protocol, inner_header=b""):
    """The IP datagram of an Ethernet frame behind another IP header (and GRE or the like)."""
    at = ip_offset(packet.data, packet.linktype)
    datagram = packet.data[at:]
    missing = packet.length - len(packet.data)
    carried = len(inner_header) + len(datagram) + missing
    outer = ip_header(source, destination, protocol, carried)
    link = packet.data[:at]
    if link[-2:] in (ethernet_header(4)[12:], ethernet_header(6)[12:]):  # not behind MPLS labels
        link = link[:-2] + ethernet_header(outer[0] >> 4)[12:]
    return _grown(packet, link + outer + inner_header + datagram)


def relink(packet, linktype):
    """The packet's IP datagram as another link type would have captured it."""
    at = ip_offset(packet.data, packet.linktype)
    version = packet.data[at] >> 4
    kind = ethernet_header(version)[12:]
    header = {
        cf.LINK_ETHERNET: ethernet_header(version),
        cf.LINK_RAW: b"",
        cf.LINK_NULL: struct.pack("<I", 2 if version == 4 else 30),
        cf.LINK_LOOP: struct.pack(">I", 2 if version == 4 else 30),
        cf.LINK_SLL: struct.pack("!HHH", 0, 1, 6) + b"\x02\0\0\0\0\x01\0\0" + kind,
        cf.LINK_SLL2: kind + struct.pack("!HIHBB", 0, 2, 1, 0, 6) + b"\x02\0\0\0\0\x01\0\0",
    }[linktype]
    return _grown(replace(packet, linktype=linktype), header + packet.data[at:])


def _grown(packet, data):
    """`packet` with new bytes; its length on the wire changes by as much."""
    return packet.with_data(data, packet.length + len(data) - len(packet.data))


# --- fragments -------------------------------------------------------------------------------


def fragment(packet, cuts, ident):
    """The packet's IP datagram in fragments, cut at the given multiples of 8 behind the header.

    For IPv6 all extension headers stay in the unfragmentable part, which is what a sender
    without hop-by-hop options does too.
    """
    at = ip_offset(packet.data, packet.linktype)
    _, start, end = _ip_extent(packet.data, at)
    link, ip, body = packet.data[:at], packet.data[at:start], packet.data[start:end]
    edges = [0, *cuts, len(body)]
    made = []
    for low, high in zip(edges, edges[1:]):
        more = high < len(body)
        if ip[0] >> 4 == 4:
            header = _ipv4_fragment(ip, low, high, more, ident)
        else:
            header = _ipv6_fragment(ip, low, high, more, ident)
        made.append(packet.with_data(link + header + body[low:high]))
    return made


def _ipv4_fragment(ip, low, high, more, ident):
    place = struct.pack("!HH", ident & 0xFFFF, more << 13 | low // 8)
    return _ipv4_with(ip, len(ip) + high - low, [(4, place)])


def _ipv6_fragment(ip, low, high, more, ident):
    """Unfragmentable part, then the fragment header in front of TCP."""
    extension = struct.pack("!BBHI", PROTO_TCP, 0, low | more, ident & MASK32)
    head = bytearray(ip)
    at, kind = 6, ip[6]
    if kind in IPV6_EXTENSIONS:
        at = _last_next_header(ip)
    head[at] = PROTO_FRAGMENT
    return ip_with_length(bytes(head) + extension, high - low)


def _last_next_header(ip):
    """Offset of the next-header field that names the payload, behind the extension headers."""
    at = 40
    while ip[at] in IPV6_EXTENSIONS:
        at += (ip[at + 1] + 1) * 8
    return at


# --- TCP options -----------------------------------------------------------------------------


def shift_sack(options, shift):
    """TCP options with `shift` added to every edge in SACK blocks, modulo 2^32."""
    out, at = bytearray(options), 0
    while at < len(out) and out[at] != 0:
        if out[at] == 1:
            at += 1
            continue
        size = out[at + 1] if at + 1 < len(out) else 0
        if size < 2 or at + size > len(out):
            break
        if out[at] == OPTION_SACK:
            for edge in range(at + 2, at + size - 3, 4):
                value = struct.unpack_from("!I", out, edge)[0]
                struct.pack_into("!I", out, edge, (value + shift) & MASK32)
        at += size
    return bytes(out)
