# SPDX-License-Identifier: Apache-2.0
"""Make TCP conversations byte by byte: what is said, by whom, in which segments, and what the tap lost."""

import ipaddress

from lib import packets as pk
from lib.capture_file import LINK_ETHERNET, Packet

CLIENT, SERVER = "client", "server"
START = 1_700_000_000_000_000_000
STEP = 1_000_000  # one millisecond between packets


class Conversation:
    """A connection whose packets pile up in `packets`.

    Every `client`/`server` call sends bytes in segments of at most `mss` and has the other side
    acknowledge them; `lose=True` advances the stream without the tap seeing the packets.
    """

    def __init__(self, port, client="192.0.2.10", server="198.51.100.20", client_port=40000,
                 start=START, mss=1400):  # fmt: skip
        self.ends = {CLIENT: (client, client_port), SERVER: (server, port)}
        self.next = {CLIENT: 1000, SERVER: 500_000}
        self.time = start
        self.mss = mss
        self.packets = []

    def open(self):
        """The three-way handshake."""
        self._emit(CLIENT, pk.SYN)
        self._emit(SERVER, pk.SYN | pk.ACK)
        self._emit(CLIENT, pk.ACK)
        return self

    def client(self, data, **how):
        return self._say(CLIENT, data, **how)

    def server(self, data, **how):
        return self._say(SERVER, data, **how)

    def close(self):
        """Both sides say FIN."""
        self._emit(CLIENT, pk.FIN | pk.ACK)
        self._emit(SERVER, pk.FIN | pk.ACK)
        self._emit(CLIENT, pk.ACK)
        return self

    def reset(self, who=SERVER):
        self._emit(who, pk.RST | pk.ACK)
        return self

    def one_sided(self, who):
        """Only the packets that `who` sent."""
        source = _end_bytes(self.ends[who])
        return [p for p in self.packets if pk.parse_segment(p).source == source]

    def _say(self, who, data, lose=False, split=None):
        """`split`: sizes of the first segments; the rest goes in segments of `mss`."""
        sizes, at = list(split or ()), 0
        while at < len(data):
            size = sizes.pop(0) if sizes else self.mss
            self._emit(who, pk.PSH | pk.ACK, data[at : at + size], lose)
            at += size
        self._emit(_other(who), pk.ACK, b"", lose)
        return self

    def _emit(self, who, flags, payload=b"", lose=False):
        peer = _other(who)
        (source, sport), (destination, dport) = self.ends[who], self.ends[peer]
        ip = pk.ip_header(source, destination)
        acknowledged = self.next[peer] if flags & pk.ACK else 0
        segment = pk.Segment(
            pk.ethernet_header(ip[0] >> 4), ip, sport, dport, self.next[who],
            acknowledged, flags, payload=payload,
        )  # fmt: skip
        self.next[who] = segment.next_seq
        self.time += STEP
        if not lose:
            self.packets.append(pk.build(Packet(self.time, b"", 0, LINK_ETHERNET), segment))


def _other(who):
    return SERVER if who == CLIENT else CLIENT


def _end_bytes(end):
    return ipaddress.ip_address(end[0]).packed, end[1]
