# SPDX-License-Identifier: Apache-2.0
"""The transformations of the property test: what networks, taps and capture files do to packets.

A transformation takes a random generator and a Trace and gives the packets of the variant.
It touches only the connections that mailtap reported, so that a variant that differs from its
original differs where it counts. One that does not apply gives the packets unchanged, and the
driver does not count it.
"""

import struct
from dataclasses import dataclass, field, replace

from lib import capture_file as cf
from lib import packets as pk

REORDER_WINDOW = 5  # packets
REORDER_TIME = 50_000_000  # nanoseconds
MOST_PIECES = 6000  # of one capture, when its segments are cut small
MOST_REPEATED = 1000  # bytes in front of a segment, so that no datagram grows too long
SMALLEST_SNAPLEN = 60


@dataclass
class Trace:
    """A capture with its TCP segments taken apart.

    `servers` maps the flow key of each reported connection to its server's (address, port).
    `segments[i]` is the segment in `packets[i]`, None unless it belongs to such a connection. A connection
    with two different payloads for the same bytes, or copies from two places, has none: which of them is
    lost, or comes first, decides what is said in it.
    """

    packets: list
    servers: dict
    segments: list = field(init=False)

    def __post_init__(self):
        self.segments = [self._segment(packet) for packet in self.packets]
        forged = self._contradictory()
        self.segments = [s if s and s.flow not in forged else None for s in self.segments]

    def _segment(self, packet):
        segment = pk.parse_segment(packet)
        return segment if segment and segment.flow in self.servers else None

    def _contradictory(self):
        """The connections with two different payloads for the same bytes, or copies from two VLANs."""
        said, places, found = {}, {}, set()
        for segment in filter(None, self.segments):
            way = (segment.source, segment.destination)
            bytes_at = (*way, segment.seq, len(segment.payload))
            probe = len(segment.payload) < 2  # a keep-alive's byte may be anything
            other = not probe and said.setdefault(bytes_at, segment.payload) != segment.payload
            if other or places.setdefault(way, segment.link[12:]) != segment.link[12:]:
                found.add(segment.flow)
        return found

    def pairs(self):
        return zip(self.packets, self.segments)

    def fragmented(self):
        """Are there IP fragments, whose segments are not in `segments`?"""
        return any(map(pk.is_fragment, self.packets))

    def orderly(self):
        """The connections whose segments came in order, each once, none missing."""
        expected, unruly = {}, set()
        for segment in filter(None, self.segments):
            key = (segment.flow, segment.source)
            if expected.get(key, segment.seq) != segment.seq and segment.size:
                unruly.add(segment.flow)
            expected[key] = segment.next_seq
        return self.servers.keys() - unruly

    def from_server(self, segment):
        return segment.source == self.servers[segment.flow]

    def mail_indexes(self):
        return [index for index, segment in enumerate(self.segments) if segment]


def each_segment(trace, change):
    """Replace every segment by the packets that `change(packet, segment)` gives (None: as it is)."""
    out = []
    for packet, segment in trace.pairs():
        made = change(packet, segment) if segment else None
        out += [packet] if made is None else made
    return out


def after_each(trace, extra):
    """Put the packets that `extra(packet, segment)` gives behind each segment."""

    def change(packet, segment):
        return [packet, *extra(packet, segment)]

    return each_segment(trace, change)


def on_ethernet(trace):
    """The packets as Ethernet frames; those that are no IP and no Ethernet are left out."""
    out = []
    for packet in trace.packets:
        if packet.linktype == cf.LINK_ETHERNET:
            out.append(packet)
        elif pk.ip_version(packet):
            out.append(pk.relink(packet, cf.LINK_ETHERNET))
    return out


# --- lossless: below IP ----------------------------------------------------------------------


def vlan(rng, trace):
    """One VLAN tag on every frame."""
    tag = (pk.ETHER_VLAN, rng.randrange(1, 4095))
    return [pk.add_vlan(packet, [tag]) for packet in on_ethernet(trace)]


def qinq(rng, trace):
    """A service tag and a customer tag on every frame."""
    tags = [(pk.ETHER_QINQ, rng.randrange(1, 4095)), (pk.ETHER_VLAN, rng.randrange(1, 4095))]
    return [pk.add_vlan(packet, tags) for packet in on_ethernet(trace)]


def mpls(rng, trace):
    """One to three MPLS labels below every untagged IP frame."""
    labels = [rng.randrange(16, 1 << 20) for _ in range(rng.randint(1, 3))]
    return [
        pk.add_mpls(packet, labels) if pk.ip_offset(packet.data, packet.linktype) == 14 else packet
        for packet in on_ethernet(trace)
    ]


def link_type(rng, trace):
    """Captured with another link type: raw IP, BSD loopback, Linux cooked v1 or v2."""
    kinds = [cf.LINK_RAW, cf.LINK_NULL, cf.LINK_LOOP, cf.LINK_SLL, cf.LINK_SLL2]
    kind = rng.choice([k for k in kinds if k != trace.packets[0].linktype])
    return [pk.relink(packet, kind) for packet in trace.packets if pk.ip_version(packet)]


def padding(rng, trace):
    """Short Ethernet frames padded, with rubbish that is no payload."""
    out = []
    for packet, segment in trace.pairs():
        if segment and packet.linktype == cf.LINK_ETHERNET and packet.length == len(packet.data):
            packet = packet.with_data(packet.data + rng.randbytes(rng.randint(1, 18)))
        out.append(packet)
    return out


# --- lossless: IP ----------------------------------------------------------------------------


def _fragmented(rng, trace, shuffled):
    number = rng.randrange(1 << 16)

    def change(packet, segment):
        nonlocal number
        whole = packet.length == len(packet.data)
        body = 20 + len(segment.options) + len(segment.payload)
        step = rng.choice([8, 16, 64, 256, 512])
        if not whole or not segment.payload or step >= body or rng.random() < 0.2:
            return None
        step = max(step, body // 40 // 8 * 8)
        number += 1
        made = pk.fragment(packet, range(step, body, step), number)
        if shuffled:
            rng.shuffle(made)
        return made

    return each_segment(trace, change)


def fragments(rng, trace):
    """IP fragments in order, down to 8 bytes, so that even the TCP header is cut."""
    return _fragmented(rng, trace, shuffled=False)


def fragments_shuffled(rng, trace):
    """IP fragments of each datagram in any order."""
    return _fragmented(rng, trace, shuffled=True)


def ip_options(rng, trace):
    """IPv4 options, or an IPv6 destination options header, in front of TCP."""

    def change(packet, segment):
        ip = segment.ip
        if segment.version == 4:
            room = 15 - (ip[0] & 15)
            words = rng.randint(1, room) if room else 0
            ip = bytes([ip[0] + words]) + ip[1:] + b"\x01" * (4 * words)
        elif len(ip) == 40:
            extension = struct.pack("!BBBB4x", pk.PROTO_TCP, 0, 1, 4)
            ip = ip[:6] + bytes([60]) + ip[7:] + extension
        return [pk.build(packet, segment.copy(ip=ip))]

    return each_segment(trace, change)


def _tunnelled(trace, make):
    return [
        make(packet, pk.ip_version(packet)) if pk.ip_version(packet) else packet
        for packet in on_ethernet(trace)
    ]


def _outer(rng):
    return rng.choice([("203.0.113.1", "203.0.113.2"), ("2001:db8:f::1", "2001:db8:f::2")])


def ip_in_ip(rng, trace):
    """IPv4 or IPv6 in IPv4 or IPv6."""
    outer = _outer(rng)
    protocol = {4: pk.PROTO_IPIP, 6: pk.PROTO_IPV6}
    return _tunnelled(trace, lambda p, version: pk.add_tunnel(p, *outer, protocol[version]))


def gre(rng, trace):
    """GRE, plain or with key and sequence number."""
    outer, with_key = _outer(rng), rng.random() < 0.5

    def make(packet, version):
        kind = pk.ETHER_IPV4 if version == 4 else pk.ETHER_IPV6
        header = struct.pack("!HH", 0x3000 if with_key else 0, kind)
        header += struct.pack("!II", 77, 1) if with_key else b""
        return pk.add_tunnel(packet, *outer, pk.PROTO_GRE, header)

    return _tunnelled(trace, make)


# --- lossless: TCP ---------------------------------------------------------------------------
#
# Segments are cut only in connections that are in order: a hole that one late segment fills would
# become a hole with hundreds of segments waiting behind it, more than any tap need keep.


def _can_cut(segment):
    return len(segment.payload) > 1 and not segment.flags & (pk.SYN | pk.RST | pk.URG)


def cut(packet, segment, sizes):
    """The segment in several, of the given sizes; FIN and PSH, and what is missing, go last."""
    made, at = [], 0
    for size in sizes:
        piece = segment.payload[at : at + size]
        last = at + size >= len(segment.payload)
        flags = segment.flags if last else segment.flags & ~(pk.FIN | pk.PSH)
        made.append(
            pk.build(packet, segment.copy(
                seq=segment.seq + at, payload=piece, flags=flags,
                missing=segment.missing if last else 0,
            ))
        )  # fmt: skip
        at += size
    return made


def random_sizes(rng, total, smallest, largest):
    """Random sizes that add up to at least `total`."""
    sizes = []
    while total > 0:
        sizes.append(rng.randint(smallest, largest))
        total -= sizes[-1]
    return sizes


def byte_segments(_rng, trace):
    """Every payload byte in a segment of its own (in long captures: a few bytes)."""
    total = sum(len(segment.payload) for segment in trace.segments if segment)
    size = 1 + total // MOST_PIECES
    orderly = trace.orderly()

    def change(packet, segment):
        if not _can_cut(segment) or segment.flow not in orderly:
            return None
        return cut(packet, segment, [size] * -(-len(segment.payload) // size))

    return each_segment(trace, change)


def small_segments(rng, trace):
    """Payloads in segments of random small sizes."""
    total = sum(len(segment.payload) for segment in trace.segments if segment)
    largest = 30 + 2 * total // MOST_PIECES
    orderly = trace.orderly()

    def change(packet, segment):
        if not _can_cut(segment) or segment.flow not in orderly:
            return None
        return cut(packet, segment, random_sizes(rng, len(segment.payload), 1, largest))

    return each_segment(trace, change)


def sequence_wrap(rng, trace):
    """Sequence numbers that pass 2^32 in the middle of each direction's stream."""
    if trace.fragmented():
        return trace.packets  # the fragments would keep the old numbers
    sent = {}
    for segment in filter(None, trace.segments):
        for source in segment.flow:
            sent.setdefault((segment.flow, source), [])
        sent[segment.flow, segment.source].append(segment)
    shifts = {key: _wrap_shift(rng, segments) for key, segments in sent.items()}

    def change(packet, segment):
        own = shifts[segment.flow, segment.source]
        other = shifts[segment.flow, segment.destination]
        ack = segment.ack + other if segment.flags & pk.ACK else segment.ack
        options = pk.shift_sack(segment.options, other)
        return [pk.build(packet, segment.copy(seq=segment.seq + own, ack=ack, options=options))]

    return each_segment(trace, change)


def _wrap_shift(rng, sent):
    """What to add so that one of the direction's own data bytes gets sequence number 0."""
    sent = [segment for segment in sent if segment.size]
    if not sent:
        return rng.randrange(1 << 32)
    chosen = rng.choice(sent)
    return -(chosen.seq + rng.randrange(chosen.size)) & pk.MASK32


def reorder(rng, trace):
    """Packets change places within 5 packets and 50 ms; the times stay in order.

    SYN and RST stay where they are: a tap that shows data after the reset that threw it away,
    or before the connection exists, shows another connection.
    """
    packets = list(trace.packets)
    start = 0
    while start < len(packets):
        end = start + 1
        while end < len(packets) and _may_swap(trace, start, end):
            end += 1
        if trace.segments[start] and not _is_barrier(trace.segments[start]):
            part = packets[start:end]
            rng.shuffle(part)
            times = [packet.time for packet in packets[start:end]]
            packets[start:end] = [p.at(time) for p, time in zip(part, times)]
        start = end
    return packets


def _may_swap(trace, start, end):
    segment = trace.segments[end]
    near = end - start < REORDER_WINDOW
    soon = abs(trace.packets[end].time - trace.packets[start].time) <= REORDER_TIME
    return near and soon and segment is not None and not _is_barrier(segment)


def _is_barrier(segment):
    return bool(segment.flags & (pk.SYN | pk.RST))


def _later(rng, packets, picked, make):
    """A copy (made by `make`) of each picked packet comes again up to four packets later."""
    out = list(packets)
    for index in sorted(picked, reverse=True):
        place = min(index + 1 + rng.randrange(5), len(out))
        out.insert(place, make(index).at(out[place - 1].time))
    return out


def duplicates(rng, trace):
    """Frames that the tap sees twice, at once or a little later."""
    indexes = [index for index in trace.mail_indexes() if rng.random() < 0.3]
    return _later(rng, trace.packets, indexes, lambda index: trace.packets[index])


def retransmissions(rng, trace):
    """Data sent again, in a new IP datagram, sometimes only its tail."""
    indexes = [i for i in trace.mail_indexes() if trace.segments[i].payload and rng.random() < 0.4]

    def make(index):
        segment = _renumbered(rng, trace.segments[index])
        skip = rng.randrange(len(segment.payload)) if rng.random() < 0.3 else 0
        again = segment.copy(seq=segment.seq + skip, payload=segment.payload[skip:])
        return pk.build(trace.packets[index], again)

    return _later(rng, trace.packets, indexes, make)


def _renumbered(rng, segment):
    """With another IPv4 identification, as a retransmission has."""
    if segment.version == 6:
        return segment
    ident = struct.pack("!H", rng.randrange(1 << 16))
    return segment.copy(ip=segment.ip[:4] + ident + segment.ip[6:])


def overlaps(rng, trace):
    """Segments that begin with bytes already sent: the tail of the one before, repeated."""
    last = {}

    def change(packet, segment):
        key = (segment.flow, segment.source)
        before, last[key] = last.get(key), segment
        if not before or not before.payload or before.missing or not segment.payload:
            return None
        if before.next_seq != segment.seq or rng.random() < 0.3:
            return None
        again = before.payload[-rng.randint(1, min(len(before.payload), MOST_REPEATED)) :]
        return [pk.build(packet, segment.copy(
            seq=segment.seq - len(again), payload=again + segment.payload))]  # fmt: skip

    return each_segment(trace, change)


def keep_alives(rng, trace):
    """Keep-alive probes: the last byte before the next one, long acknowledged, empty or garbage."""
    newest, closing = {}, set()

    def extra(packet, segment):
        flow, peer = segment.flow, segment.destination
        if segment.flags & (pk.FIN | pk.RST):
            closing.add(flow)
        own = newest.get((flow, segment.source))
        if own is None or (segment.next_seq - own.next_seq) & pk.MASK32 < 1 << 31:
            newest[flow, segment.source] = own = segment
        last = newest.get((flow, peer))
        idle = last and segment.flags & pk.ACK and segment.ack == last.next_seq
        if not idle or flow in closing or segment.flags & pk.SYN or rng.random() < 0.4:
            return []
        probe = last.copy(
            seq=last.next_seq - 1, ack=own.next_seq, flags=pk.ACK, missing=0, options=b"",
            payload=rng.choice([b"", b"\0"]),
        )  # fmt: skip
        return [pk.build(packet, probe)]

    return after_each(trace, extra)


def wild_resets(rng, trace):
    """Resets far outside the window, which no TCP would obey."""

    def extra(packet, segment):
        if rng.random() < 0.7 or segment.flags & pk.SYN or not segment.flags & pk.ACK:
            return []
        wild = segment.copy(
            seq=segment.seq + (1 << 30) + rng.randrange(1 << 29), payload=b"", missing=0,
            flags=pk.RST,
        )  # fmt: skip
        return [pk.build(packet, wild)]

    return after_each(trace, extra)


def bad_checksums(rng, trace):
    """Wrong TCP checksums, as offloading leaves them in captures made on the host itself."""
    return each_segment(trace, lambda p, segment: [pk.build(p, segment, bad_checksum=True)])


def time_shift(rng, trace):
    """The whole capture somewhat later (not so much that certificates expire)."""
    shift = rng.randrange(1, 3_600_000_000_000)
    return [packet.at(packet.time + shift) for packet in trace.packets]


# --- lossless: containers --------------------------------------------------------------------


def same_packets(_rng, trace):
    """The packets as they are; what changes is the file they are written to."""
    return trace.packets


def write_nano(path, packets):
    cf.write(path, packets, nano=True)


def write_big_endian(path, packets):
    cf.write(path, packets, order=">")


def two_interfaces(_rng, trace):
    """A tap with a port for each direction, both captured into one pcapng file."""
    if any(packet.interface for packet in trace.packets):
        return trace.packets
    return [
        replace(packet, interface=int(segment is not None and trace.from_server(segment)))
        for packet, segment in trace.pairs()
    ]


def write_pcapng_big_endian(path, packets):
    cf.write_pcapng(path, packets, order=">", resolution=6)


# --- lossy -----------------------------------------------------------------------------------


def _without(trace, lost):
    return [packet for index, packet in enumerate(trace.packets) if index not in lost]


def loss_one(rng, trace):
    """One packet lost."""
    return _without(trace, {rng.choice(trace.mail_indexes())})


def loss_burst(rng, trace):
    """A few packets in a row lost."""
    indexes = trace.mail_indexes()
    start = rng.randrange(len(indexes))
    return _without(trace, set(indexes[start : start + rng.randint(2, 8)]))


def loss_many(rng, trace):
    """One to twenty of a hundred packets lost."""
    rate = rng.uniform(0.01, 0.2)
    return _without(trace, {index for index in trace.mail_indexes() if rng.random() < rate})


def _one_side(trace, server):
    return [p for p, s in trace.pairs() if s is None or trace.from_server(s) == server]


def client_only(_rng, trace):
    """The server's packets are not on this tap."""
    return _one_side(trace, server=False)


def server_only(_rng, trace):
    """The client's packets are not on this tap."""
    return _one_side(trace, server=True)


def late_start(rng, trace):
    """The capture began after the first k packets of a connection."""
    flow = rng.choice(sorted(trace.servers))
    indexes = [i for i in trace.mail_indexes() if trace.segments[i].flow == flow]
    return _without(trace, set(indexes[: rng.randint(1, max(1, len(indexes) - 1))]))


def early_end(rng, trace):
    """The capture ended: all after some packet is gone."""
    return trace.packets[: rng.choice(trace.mail_indexes())]


def snaplen(rng, trace):
    """Only the first bytes of every packet were captured."""
    longest = max(len(packet.data) for packet in trace.packets)
    keep = rng.randint(SMALLEST_SNAPLEN, max(SMALLEST_SNAPLEN, longest))
    return [packet.with_data(packet.data[:keep], packet.length) for packet in trace.packets]


# --- several at once --------------------------------------------------------------------------


def _in_turn(rng, trace, steps):
    """One transformation after the other."""
    for step in steps:
        trace = Trace(step(rng, trace), trace.servers)
    return trace.packets


def combined(rng, trace):
    """Lossless ones on top of each other: TCP first, then IP, then what is below."""
    pairs = [[small_segments, reorder], [small_segments, retransmissions], [overlaps, duplicates],
             [overlaps, wild_resets], [sequence_wrap, reorder]]  # fmt: skip
    steps = [*rng.choice(pairs), rng.choice([sequence_wrap, wild_resets, duplicates])]
    steps.append(rng.choice([fragments, fragments_shuffled, ip_options]))
    return _in_turn(rng, trace, [*steps, rng.choice([vlan, qinq, mpls, ip_in_ip, gre])])


def torn_loss(rng, trace):
    """Lost packets that begin and end anywhere in a line or a record."""
    return _in_turn(rng, trace, [small_segments, rng.choice([loss_one, loss_burst, loss_many])])


def torn_start(rng, trace):
    """A connection joined anywhere, in the middle of a line or a record."""
    return _in_turn(rng, trace, [small_segments, late_start])


def torn_end(rng, trace):
    """A capture that ends anywhere."""
    return _in_turn(rng, trace, [small_segments, early_end])


def torn_side(rng, trace):
    """One direction only, and not all of it."""
    return _in_turn(rng, trace, [rng.choice([client_only, server_only]), _some_lost])


def _some_lost(rng, trace):
    """loss_one, where one direction left anything to lose."""
    return loss_one(rng, trace) if trace.mail_indexes() else trace.packets


# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of variant: its name, whether it keeps all bytes, how it is made and written."""

    name: str
    lossless: bool
    make: object
    write: object = cf.write
    always_differs: bool = False  # the file differs though the packets do not
    reorders: bool = False


def _kinds():
    keep = [
        vlan, qinq, mpls, link_type, padding, fragments, fragments_shuffled, ip_options, ip_in_ip,
        gre, byte_segments, small_segments, sequence_wrap, reorder, duplicates, retransmissions,
        overlaps, keep_alives, wild_resets, bad_checksums, time_shift, two_interfaces, combined,
    ]  # fmt: skip
    lose = [
        loss_one, loss_burst, loss_many, client_only, server_only, late_start, early_end, snaplen,
        torn_loss, torn_start, torn_end, torn_side,
    ]  # fmt: skip
    files = [write_nano, write_big_endian, write_pcapng_big_endian]
    table = [Kind(f.__name__, True, f, reorders=f in (reorder, combined)) for f in keep]
    table += [
        Kind(f.__name__.removeprefix("write_"), True, same_packets, f, True) for f in files
    ]
    return table + [Kind(f.__name__, False, f) for f in lose]


KINDS = {kind.name: kind for kind in _kinds()}
