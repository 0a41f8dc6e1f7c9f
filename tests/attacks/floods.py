#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods: SYNs, resets, fragments, half-open dialogues, as many connections as memory holds and several times more.

Each is more than `--memory 8M` can hold; a million of them differ from that in nothing but the time they take
(tests/unit/worker.c makes a million SYNs).
"""

import random
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.tap import Tap  # noqa: E402

CONNECTIONS = 30_000
# MiB: what --memory gives, an eighth of it for certificates, and the tables of as many clients.
MOST = 8 + 1 + 15


def syns():
    """Each from another address, to the server of a bystander."""
    shooter = attack.Shooter("2001:db8:ffff::1", 25)
    return [shooter.segment(attack.address(i), 1024 + i % 60000, i, 0, pk.SYN) for i in range(CONNECTIONS)]


def colliding():
    """SYNs whose ends come to the same for who takes their exclusive or, adds them up, or looks at their last bytes."""
    clients, servers = 0x20010DB8 << 96, 0x20010DB8FFFF << 80
    for i in range(CONNECTIONS):
        number = i // 3
        client, server = [(number, number), (number, 0xFFFF - number), (number + 1 << 64, 0)][i % 3]
        shooter = attack.Shooter(servers + server, 25)
        yield shooter.segment((clients + client).to_bytes(16, "big"), 40000, 1, 0, pk.SYN)


def resets():
    """Of connections that nobody opened; and, one in a hundred, aimed at those of bystanders."""
    shooter = attack.Shooter("2001:db8:ffff::1", 143)
    made = [shooter.segment(attack.address(i), 1024 + i % 60000, i, i, pk.RST | i % 2 * pk.ACK) for i in range(CONNECTIONS)]
    rng = random.Random(1)
    ends = {pk.parse_segment(packet).flow: pk.parse_segment(packet) for packet in attack.bystanders()}
    # Before and behind them they would be connections of their own.
    for at in range(CONNECTIONS // 8, CONNECTIONS // 3 * 2, 100):
        for place, segment in enumerate(ends.values(), at):
            far = (segment.seq + rng.randrange(1 << 24, 1 << 31)) & pk.MASK32
            reset = segment.copy(seq=far, ack=0, flags=pk.RST, payload=b"")
            made[place] = pk.build(attack.bystanders()[0], reset).data
    return made


def half_open():
    """Greeted, and then silence: each has to be remembered as a dialogue."""
    shooter, greeting = attack.Shooter("2001:db8:ffff::1", 25), b"220 mx.example.net ESMTP Postfix\r\n"
    for i in range(CONNECTIONS // 3):
        source, port = attack.address(i), 1024 + i
        yield shooter.segment(source, port, 1, 0, pk.SYN)
        yield shooter.answer(source, port, 1, 2, pk.SYN | pk.ACK)
        yield shooter.segment(source, port, 2, 2, pk.ACK)
        yield shooter.answer(source, port, 2, 2, pk.PSH | pk.ACK, greeting)
        yield shooter.segment(source, port, 2, 2 + len(greeting), pk.PSH | pk.ACK, b"EHLO client.example.org")


def hoarding():
    """Bytes behind a hole, in as many connections: as much as each of them may hold back."""
    shooter, text = attack.Shooter("2001:db8:ffff::1", 110), b"x" * 1400
    for i in range(CONNECTIONS // 120):
        source, port = attack.address(i), 1024 + i
        yield shooter.answer(source, port, 1, 2, pk.SYN | pk.ACK)
        for piece in range(46):
            yield shooter.answer(source, port, 100 + 1400 * piece, 2, pk.ACK, text)


def fragments():
    """First or last pieces of datagrams that never become whole, of mail ports, and of lengths that want much room."""
    rng, link = random.Random(2), pk.ethernet_header(4)
    head = struct.pack("!HHIIBBHHH", 40000, 25, 1, 0, 0x50, pk.SYN, 65535, 0, 0)
    made = []
    for i in range(CONNECTIONS):
        first = i % 2 == 0
        offset = 0 if first else rng.randrange(8000)
        body = head + bytes(12) if first else bytes(32)
        ip = pk.ipv4_header(f"192.0.2.{i % 250 + 1}", attack.server(1), pk.PROTO_TCP, len(body), i % 65536)
        ip = pk._ipv4_with(ip, 20 + len(body), [(6, struct.pack("!H", 0x2000 | offset))])
        made.append(link + ip + body)
    return made


def rewritten_fragments():
    """Of IPv6: a piece, the same place in other bytes, and one behind a hole, of datagrams that never become whole."""
    link, server = pk.ethernet_header(6), "2001:db8:ffff::1"
    for i in range(CONNECTIONS):
        number, turn = divmod(i, 3)
        place = [0x0001, 0x0009, 0x4001][turn]  # the offset, and that more follow
        piece = struct.pack("!HHIIBBHHH", 40000, 25, 1, 0, 0x50, pk.SYN, 65535, 0, 0) + bytes([turn]) * 44
        body = struct.pack("!BBHI", pk.PROTO_TCP, 0, place, number) + piece
        yield link + pk.ipv6_header(f"2001:db8::{number % 250:x}", server, pk.PROTO_FRAGMENT, len(body)) + body


def check(tap, mailtap, what, frames, least, counters, touched=False):
    """Nobody else is told other things, memory is as large as it may be, and what is lost is counted."""
    before, after = attack.beside(mailtap, attack.spread(list(frames)))
    attack.check_bystanders(tap, what, before, after, least, touched)
    attack.check_memory(tap, what, before, after, MOST)
    reserved = after.metrics["mailtap_memory_reserved_bytes"]
    tap.check(reserved <= 8 << 20, f"{what}: {reserved:.0f} bytes for connections")
    attack.check_sums(tap, what, after)
    for counter, most in counters.items():
        value = after.capture.get(counter, after.metrics.get(counter))
        tap.check(0 < value <= most, f"{what}: {counter} is {value:.0f}")
    return after


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, everybody = Tap(), len(attack.BYSTANDERS)
    # Of one the list of capabilities is longer than what blocks are left for.
    check(tap, options.mailtap, "SYN flood", syns(), everybody - 1, {"flows_evicted": CONNECTIONS})
    check(tap, options.mailtap, "hash flood", colliding(), everybody - 1, {"flows_evicted": CONNECTIONS})
    check(tap, options.mailtap, "reset flood", resets(), everybody,
          {"mailtap_segments_out_of_window_total": CONNECTIONS}, touched=True)  # fmt: skip
    check(tap, options.mailtap, "half-open dialogues", half_open(), 0, {"flows_evicted": CONNECTIONS})
    check(tap, options.mailtap, "bytes behind holes", hoarding(), 0, {"mailtap_stream_gaps_total": CONNECTIONS})
    check(tap, options.mailtap, "fragment flood", fragments(), everybody, {"fragments_lost": CONNECTIONS})
    check(tap, options.mailtap, "rewritten fragments", rewritten_fragments(), everybody, {"fragments_lost": CONNECTIONS})
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
