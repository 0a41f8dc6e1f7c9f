# SPDX-License-Identifier: Apache-2.0
"""Read and write capture files: classic pcap and pcapng, both byte orders, any time resolution, gzip.

Deliberately independent of the program under test and of libpcap: the tests make their
captures with it, so a mistake here must not be the same mistake as there.
"""

import gzip
import struct
from dataclasses import dataclass

LINK_NULL = 0
LINK_ETHERNET = 1
LINK_RAW_BSD = 12
LINK_RAW = 101
LINK_LOOP = 108
LINK_SLL = 113
LINK_IPV4 = 228
LINK_IPV6 = 229
LINK_SLL2 = 276

MICRO_MAGIC = 0xA1B2C3D4
NANO_MAGIC = 0xA1B23C4D
SECTION_HEADER = 0x0A0D0D0A
BYTE_ORDER_MAGIC = 0x1A2B3C4D
BLOCK_INTERFACE, BLOCK_PACKET, BLOCK_SIMPLE, BLOCK_ENHANCED = 1, 2, 3, 6
OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14

CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")


class CaptureError(Exception):
    """The file is no capture file that this module can read."""


@dataclass(slots=True)
class Packet:
    """One captured packet: `time` in nanoseconds since 1970, `length` as it was on the wire.

    `interface` tells the interfaces of a pcapng file apart; where there is one it is 0.
    """

    time: int
    data: bytes
    length: int
    linktype: int = LINK_ETHERNET
    interface: int = 0

    def with_data(self, data, length=None):
        """The same packet at the same time with other bytes (by default not truncated)."""
        length = len(data) if length is None else length
        return Packet(self.time, data, length, self.linktype, self.interface)

    def at(self, time):
        """The same packet at another time."""
        return Packet(time, self.data, self.length, self.linktype, self.interface)


@dataclass
class Interface:
    """What a pcapng interface block says that its packets need."""

    linktype: int
    snaplen: int
    ticks: int = 1_000_000  # per second
    offset: int = 0  # seconds

    def nanoseconds(self, stamp):
        return stamp * 1_000_000_000 // self.ticks + self.offset * 1_000_000_000


# --- reading ---------------------------------------------------------------------------------


def read(path):
    """All packets of a capture file. A file cut short gives the packets before the cut."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return parse(data, path)


def parse(data, name="capture"):
    """All packets of a capture file's bytes."""
    if len(data) < 4:
        raise CaptureError(f"{name}: too short for a capture file")
    for order in "<>":
        magic = struct.unpack(order + "I", data[:4])[0]
        if magic in (MICRO_MAGIC, NANO_MAGIC):
            return list(_pcap_packets(data, order, 1 if magic == NANO_MAGIC else 1000))
    if magic == SECTION_HEADER:
        return list(_pcapng_packets(data))
    raise CaptureError(f"{name}: neither pcap nor pcapng")


def _pcap_packets(data, order, nanoseconds_per_tick):
    if len(data) < 24:
        raise CaptureError("pcap header cut short")
    linktype = struct.unpack(order + "I", data[20:24])[0] & 0x0FFFFFFF
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, length = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + captured > len(data):
            return
        time = seconds * 1_000_000_000 + fraction * nanoseconds_per_tick
        yield Packet(time, data[at : at + captured], length, linktype)
        at += captured


def _pcapng_packets(data):
    at, order, interfaces = 0, "<", []
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            little = struct.unpack_from("<I", data, at + 8)[0] == BYTE_ORDER_MAGIC
            order, interfaces = ("<" if little else ">"), []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8 : at + size - 4]
        if kind == BLOCK_INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (BLOCK_ENHANCED, BLOCK_PACKET, BLOCK_SIMPLE):
            yield _pcapng_packet(kind, body, order, interfaces)
        at += size


def _interface(body, order):
    linktype, _, snaplen = struct.unpack_from(order + "HHI", body)
    interface = Interface(linktype, snaplen)
    at = 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == OPTION_TSRESOL:
            power = value[0] & 0x7F
            interface.ticks = 2**power if value[0] & 0x80 else 10**power
        elif code == OPTION_TSOFFSET:
            interface.offset = struct.unpack(order + "q", value)[0]
        elif code == 0:
            break
        at += 4 + (size + 3) // 4 * 4
    return interface


def _pcapng_packet(kind, body, order, interfaces):
    if kind == BLOCK_SIMPLE:
        length = struct.unpack_from(order + "I", body)[0]
        interface = interfaces[0]
        captured = min(length, interface.snaplen or length)
        return Packet(0, body[4 : 4 + captured], length, interface.linktype)
    head = "IIIII" if kind == BLOCK_ENHANCED else "HHIIII"
    fields = struct.unpack_from(order + head, body)
    high, low, captured, length = fields[-4:]
    interface = interfaces[fields[0]]
    time = interface.nanoseconds(high << 32 | low)
    return Packet(time, body[20 : 20 + captured], length, interface.linktype, fields[0])


# --- writing ---------------------------------------------------------------------------------


def write(path, packets, nano=False, order="<"):
    """Write a capture in the simplest container that can hold it."""
    if len({(packet.linktype, packet.interface) for packet in packets}) > 1:
        write_pcapng(path, packets, order)
    else:
        write_pcap(path, packets, nano, order)


def pcap_header(linktype, nano=False, order="<", snaplen=262144):
    """The 24 bytes that open a classic pcap file."""
    magic = NANO_MAGIC if nano else MICRO_MAGIC
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)


def write_pcap(path, packets, nano=False, order="<", snaplen=262144):
    """Classic pcap: one link type; times cut to microseconds unless `nano`."""
    _write_bytes(path, pcap_bytes(packets, nano, order, snaplen))


def pcap_bytes(packets, nano=False, order="<", snaplen=262144):
    """As write_pcap, the file's bytes."""
    linktype = packets[0].linktype if packets else LINK_ETHERNET
    chunks = [pcap_header(linktype, nano, order, snaplen)]
    for packet in packets:
        if packet.linktype != linktype:
            raise CaptureError("a pcap file holds one link type only")
        seconds, rest = divmod(packet.time, 1_000_000_000)
        fraction = rest if nano else rest // 1000
        chunks.append(
            struct.pack(order + "IIII", seconds, fraction, len(packet.data), packet.length)
        )
        chunks.append(packet.data)
    return b"".join(chunks)


def write_pcapng(path, packets, order="<", resolution=9):
    """pcapng with an interface for each (interface, link type) of the packets.

    `resolution` is if_tsresol: 10^-resolution seconds, or 2^-(resolution & 0x7f) with bit 7 set.
    """
    _write_bytes(path, pcapng_bytes(packets, order, resolution))


def pcapng_bytes(packets, order="<", resolution=9):
    """As write_pcapng, the file's bytes."""
    ticks = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    interfaces = sorted({(p.interface, p.linktype) for p in packets}) or [(0, LINK_ETHERNET)]
    head = struct.pack(order + "IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
    chunks = [block(SECTION_HEADER, head, order)]
    option = struct.pack(order + "HHBxxxHH", OPTION_TSRESOL, 1, resolution, 0, 0)
    for _, link in interfaces:
        body = struct.pack(order + "HHI", link, 0, 262144) + option
        chunks.append(block(BLOCK_INTERFACE, body, order))
    for packet in packets:
        interface = interfaces.index((packet.interface, packet.linktype))
        # Rounded up, so that reading it back (which rounds down) gives the same nanosecond
        # wherever the resolution is fine enough.
        stamp = -(-packet.time * ticks // 1_000_000_000)
        head = struct.pack(
            order + "IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF,
            len(packet.data), packet.length,
        )  # fmt: skip
        chunks.append(block(BLOCK_ENHANCED, head + _padded(packet.data), order))
    return b"".join(chunks)


def block(kind, body, order="<"):
    """A block of pcapng."""
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def _padded(data):
    return data + bytes(-len(data) % 4)


def _write_bytes(path, data):
    with open(path, "wb") as file:
        file.write(data)
