#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bombs of overlapping segments, and games with sequence numbers, in connections that hold on to all they may."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.tap import Tap  # noqa: E402

ATTACKER, GREETING = "2001:db8:ffff::1", b"220 mx.example.net ESMTP Postfix\r\n"
SEGMENTS = 4000
FAR = 4 << 20  # bytes


class Stream:
    """A connection whose server has greeted; `say` sends bytes of the client anywhere."""

    def __init__(self, number):
        self.shooter, self.source, self.port = attack.Shooter(ATTACKER, 25), attack.address(number), 1024 + number
        self.frames = [
            self.shooter.segment(self.source, self.port, 999, 0, pk.SYN),
            self.shooter.answer(self.source, self.port, 1999, 1000, pk.SYN | pk.ACK),
            self.shooter.answer(self.source, self.port, 2000, 1000, pk.PSH | pk.ACK, GREETING),
        ]

    def say(self, offset, payload, flags=pk.ACK):
        end = 2000 + len(GREETING)
        self.frames.append(self.shooter.segment(self.source, self.port, 1000 + offset, end, flags, payload))


def overlapping():
    """Segments of all lengths that overlap behind a hole, each byte with another value each time."""
    rng, stream = random.Random(1), Stream(1)
    for number in range(SEGMENTS):
        stream.say(100 + rng.randrange(200_000), bytes([number % 251 + 1]) * rng.randrange(1, 1400))
    return stream.frames


def splinters():
    """One byte in two, from the last to the first: none joins another, and each goes in front of all."""
    stream = Stream(2)
    for number in range(SEGMENTS, 0, -1):
        stream.say(2 * number, b"x")
    return stream.frames


def combs():
    """The gaps between held bytes, again and again by segments that span all of them."""
    stream = Stream(3)
    for number in range(400):
        stream.say(10 + 3 * number, b"y")
    for number in range(SEGMENTS // 10):
        stream.say(5 + number % 5, bytes([65 + number % 26]) * 1390)
    return stream.frames


def contradictions():
    """Each line again in other words, of which each is evidence."""
    stream, at = Stream(4), 0
    for number in range(SEGMENTS // 4):
        line = b"NOOP %06d\r\n" % number
        stream.say(at, line, pk.PSH | pk.ACK)
        stream.say(at, line.lower(), pk.PSH | pk.ACK)
        at += len(line)
    return stream.frames


def edges():
    """At the edge of what is taken, one behind it, around the wrap of the numbers, and on from there."""
    stream, rng = Stream(5), random.Random(2)
    for number in range(SEGMENTS // 4):
        for offset in (FAR, FAR + 1, -FAR, -FAR - 1, 1 << 31, (1 << 31) - 1, -1, rng.randrange(1 << 32)):
            stream.say(number + offset, b"EHLO x\r\n", rng.choice([pk.ACK, pk.FIN | pk.ACK, pk.RST, pk.SYN | pk.ACK]))
    return stream.frames


def acknowledgements():
    """Of what nobody sent, further each time, so that all waits for it."""
    stream = Stream(6)
    for number in range(SEGMENTS // 4):
        frame = stream.shooter.segment(stream.source, stream.port, 1000 + 6 * number, 3000 + 1000 * number, pk.ACK,
                                       b"NOOP\r\n")  # fmt: skip
        stream.frames.append(frame)
    return stream.frames


def check(tap, mailtap, what, frames, counter, least, most=SEGMENTS * 2):
    before, after = attack.beside(mailtap, attack.spread(frames))
    attack.check_beside(tap, what, before, after, 3)
    value = after.metrics[f"mailtap_{counter}_total"]
    tap.check(least <= value <= most, f"{what}: {counter} is {value:.0f} of {len(frames)} segments")
    return after


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    check(tap, options.mailtap, "overlapping", overlapping(), "stream_gaps", 40, 80)
    check(tap, options.mailtap, "splinters", splinters(), "stream_gaps", 500, 520)  # what is held, and no more
    check(tap, options.mailtap, "combs", combs(), "segments_out_of_order", 400)
    check(tap, options.mailtap, "edges", edges(), "segments_out_of_window", SEGMENTS)
    check(tap, options.mailtap, "acknowledgements", acknowledgements(), "stream_gaps", 1)
    after = check(tap, options.mailtap, "contradictions", contradictions(), "segments_duplicate", SEGMENTS // 4)
    found = [piece for record in after.of(server=ATTACKER) for piece in record["evidence"]]
    tap.check([piece["kind"] for piece in found] == ["injected_segment"], "contradictions: one piece of evidence", found)
    tap.check(found and found[0].get("more_left_out") is True, "contradictions: it says that there were more", found)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
