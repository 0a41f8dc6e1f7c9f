#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets that two hosts may read differently: what mailtap reads of them, and that its record says so.

The cases are those of configs/reassembly.md, which must name each of them and no other. All are sessions in which a
client asks for TLS, and something comes in between.
"""

import re
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.conversation import CLIENT, SERVER, STEP, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

TABLE = program.ROOT / "configs" / "reassembly.md"
ASKS, LIES = b"STARTTLS\r\n", b"NOOPNOOP\r\n"
HELLO = bytes.fromhex("16030100060100000203ff")
FAR = 5 << 20  # bytes: further than anything in flight
PATIENCE = 7 * 10**9  # longer than a missing piece is waited for
SILENCE = 12 * 10**9  # longer than a connection is kept that has ended, however few packets of others there are


class Game(Conversation):
    """A conversation, and forged packets in it."""

    def greet(self):
        return self.open().say_all()

    def opened_beside(self, between):
        """Something comes between the SYN and its answer."""
        self._emit(CLIENT, pk.SYN)
        between()
        self._emit(SERVER, pk.SYN | pk.ACK)
        self._emit(CLIENT, pk.ACK)
        return self.say_all()

    def say_all(self):
        self.server(b"220 mx.example.net ESMTP Postfix\r\n").client(b"EHLO client.example.org\r\n")
        return self.server(b"250-mx.example.net\r\n250-PIPELINING\r\n250 STARTTLS\r\n")

    def secure(self):
        """The client asks, the server agrees, and TLS begins."""
        return self.client(ASKS).agree()

    def agree(self):
        return self.server(b"220 2.0.0 Ready\r\n").client(HELLO).close()

    def forge(self, payload, flags=pk.PSH | pk.ACK, ahead=0, ttl=64, wrong=False, who=CLIENT, **fields):
        """A packet as from `who`, whose own next bytes stay what they are."""
        spoken, self.next[who] = self.next[who], (self.next[who] + ahead) & pk.MASK32
        self._emit(who, flags & ~(pk.SYN | pk.FIN), payload)
        self.next[who] = spoken
        segment = pk.parse_segment(self.packets[-1])
        ip = bytearray(segment.ip)
        ip[8] = ttl
        segment = segment.copy(ip=bytes(ip), flags=flags, **{**({} if flags & pk.ACK else {"ack": 0}), **fields})
        self.packets[-1] = pk.build(self.packets[-1], segment, bad_checksum=wrong)
        return self

    def forged_by_both(self, flags, ahead=0):
        return self.forge(b"", flags=flags, ahead=ahead).forge(b"", flags=flags, ahead=ahead, who=SERVER)

    def mail(self):
        """In the clear."""
        for command, answer in ((b"MAIL FROM:<a@example.org>", b"250 ok"), (b"RCPT TO:<b@example.net>", b"250 ok"),
                                (b"DATA", b"354 go"), (b"Subject: x\r\n\r\n.", b"250 ok")):  # fmt: skip
            self.client(command + b"\r\n").server(answer + b"\r\n")
        return self.close()

    def in_fragments(self, cuts, change=None):
        """The last packet with payload, in fragments; the second one twice, the first time with other bytes."""
        at = max(i for i, packet in enumerate(self.packets) if pk.parse_segment(packet).payload)
        pieces = pk.fragment(self.packets[at], cuts, 0x4242)
        if change is not None:
            data = pieces[1].data
            pieces.insert(1, pieces[1].with_data(data[: -len(change)] + change))
        self.packets[at : at + 1] = pieces
        return self

    def far(self):
        """Three in a row, as if the stream went on there."""
        return self.forge(b"NOOP\r\n", ahead=FAR).forge(b"NOOP\r\n", ahead=FAR + 6).forge(b"NOOP\r\n", ahead=FAR + 12)

    def pause(self):
        """Longer than anything missing is waited for."""
        self.time += PATIENCE
        self._emit(CLIENT, pk.ACK)
        return self

    def silence(self):
        self.time += SILENCE
        return self

    def shift(self, count):
        """What was forged was the client's own."""
        self.next[CLIENT] += count
        self._emit(SERVER, pk.ACK)
        return self

    def begin_at(self, sequence):
        self.next[CLIENT] = sequence
        return self

    def opened_under_reset(self):
        """A reset that does not acknowledge the SYN comes before the answer."""
        self.greet()
        first = self.packets[0]
        reset = pk.parse_segment(self.packets[1]).copy(seq=77, ack=0, flags=pk.RST)
        self.packets.insert(1, pk.build(first.at(first.time + STEP // 2), reset))
        return self

    def opened_with(self, data):
        """Data in the SYN; the server acknowledges the SYN alone, and the data comes again, as without fast open."""
        self.greet()
        syn = pk.parse_segment(self.packets[0])
        self.packets[0] = pk.build(self.packets[0], syn.copy(payload=data))
        return self.secure()


def stamps(value):
    return b"\1\1\x08\x0a" + struct.pack("!II", value, 0)


# --- the cases -------------------------------------------------------------------------------

SEEN = {"starttls_requested": True, "starttls_accepted": True, "verdict": "tls_failed", "evidence": []}
CLEAN = {**SEEN, "client_missing_bytes": 0, "end_reason": "fin"}
SUSPECTED, CONFIRMED = ["injected_segment suspected"], ["injected_segment confirmed"]

CASES = {
    "overlap": (lambda g: g.greet().forge(LIES).secure(), {"evidence": SUSPECTED}),
    "overlap-ttl": (lambda g: g.greet().forge(LIES, ttl=9).secure(), {"evidence": CONFIRMED}),
    "overlap-held": (
        lambda g: g.greet().forge(b"PNOOP\r\n", ahead=3).forge(b"RTTLS\r\n", ahead=3).client(ASKS).agree(),
        {"evidence": SUSPECTED},
    ),
    "overlap-far-back": (
        lambda g: g.greet().client(b"NOOP " + b"x" * 400 + b"\r\n").server(b"250 ok\r\n")
        .forge(b"EHLO", ahead=-407).secure(),
        CLEAN,
    ),
    "damaged-first": (lambda g: g.greet().forge(LIES, wrong=True).client(ASKS).server(b"220 go\r\n").close(),
                      {"starttls_requested": None, "evidence": [], "verdict": "partial"}),
    "damaged-again": (lambda g: g.greet().client(ASKS).forge(LIES, ahead=-len(ASKS), wrong=True).agree(), CLEAN),
    "urgent": (lambda g: g.greet().forge(b"STARTXTLS\r\n", flags=pk.PSH | pk.ACK | pk.URG, urgent=6)
               .shift(11).agree(), {**SEEN, "client_missing_bytes": 11}),
    "no-acknowledgement": (lambda g: g.greet().forge(LIES, flags=pk.PSH).secure(), CLEAN),
    "old-timestamp": (
        lambda g: g.greet().forge(LIES, options=stamps(1)).secure(),
        {"evidence": SUSPECTED},
    ),
    "keep-alive": (lambda g: g.greet().forge(b"x", ahead=-1).secure(), CLEAN),
    "reset-in-window": (lambda g: g.greet().forge(b"", flags=pk.RST, ahead=1000).secure(), CLEAN),
    "reset-in-window-waits": (
        lambda g: g.greet().forged_by_both(pk.RST, ahead=1000).pause().secure(),
        {**CLEAN, "server_missing_bytes": 0},
    ),
    "reset-in-window-last": (lambda g: g.greet().forge(b"", flags=pk.RST, ahead=1000),
                             {"end_reason": "rst", "client_missing_bytes": 1000}),
    "reset-in-place": (lambda g: g.greet().forged_by_both(pk.RST).secure(), {**CLEAN, "server_missing_bytes": 0}),
    "reset-in-place-waits": (lambda g: g.greet().forged_by_both(pk.RST).silence().secure(), [
        {"verdict": "no_mail", "end_reason": "rst", "starttls_offered": True, "starttls_requested": False, "evidence": []},
        {**SEEN, "saw_start": False, "starttls_offered": None, "end_reason": "fin"},
    ]),
    "reset-in-place-waits-clear": (lambda g: g.greet().forged_by_both(pk.RST).silence().mail(), [
        {"verdict": "no_mail", "end_reason": "rst", "starttls_offered": True, "evidence": []},
        {"verdict": "cleartext", "reason": None, "saw_start": False, "starttls_offered": None, "evidence": []},
    ]),
    "reset-in-place-last": (lambda g: g.greet().forge(b"", flags=pk.RST),
                            {"end_reason": "rst", "client_missing_bytes": 0}),
    "reset-then-syn": (lambda g: g.greet().forge(b"", flags=pk.RST).forge(b"", flags=pk.SYN, ahead=1 << 20).secure(),
                       CLEAN),
    "reset-outside": (lambda g: g.greet().forge(b"", flags=pk.RST, ahead=1 << 24).secure(), CLEAN),
    "reset-behind": (lambda g: g.greet().forge(b"", flags=pk.RST, ahead=-100).secure(), CLEAN),
    "reset-of-syn": (lambda g: g.opened_under_reset().secure(), CLEAN),
    "end-in-window": (
        lambda g: g.greet().forged_by_both(pk.FIN | pk.ACK, ahead=1000).pause().secure(),
        {**CLEAN, "server_missing_bytes": 0},
    ),
    "end-in-place": (lambda g: g.greet().forged_by_both(pk.FIN | pk.ACK).secure(),
                     {**CLEAN, "server_missing_bytes": 0}),
    "end-in-place-acknowledged": (
        lambda g: g.greet().forge(b"", flags=pk.FIN | pk.ACK).forge(b"", who=SERVER, ack=g.next[CLIENT] + 1).secure(),
        {"end_reason": "fin", "evidence": [], "client_missing_bytes": len(ASKS)},
    ),
    "behind-end": (lambda g: g.greet().close().forge(b"AUTH PLAIN AHVzZXIAcGFzcw==\r\n"),
                   {"verdict": "no_mail", "auth_mechanism": None, "client_bytes": 25, "client_missing_bytes": 0}),
    "end-outside": (lambda g: g.greet().forge(b"", flags=pk.FIN | pk.ACK, ahead=1 << 24).secure(), CLEAN),
    "syn-again": (lambda g: g.greet().forge(b"", flags=pk.SYN, ahead=1 << 20).secure(), CLEAN),
    "syn-twice": (lambda g: g.opened_beside(lambda: g.forge(b"", flags=pk.SYN, ahead=1 << 20)).secure(), CLEAN),
    "reset-and-syn-before-data": (
        lambda g: g.open().forge(b"", flags=pk.RST).forge(b"", flags=pk.SYN, ahead=1 << 20).say_all().secure(),
        CLEAN,
    ),
    "syn-data": (lambda g: g.opened_with(b"EHLO client.example.org\r\n"), CLEAN),
    "beyond-window": (lambda g: g.greet().forge(b"NOOP\r\n", ahead=100_000).secure(), CLEAN),
    "beyond-window-last": (
        lambda g: g.greet().forge(b"NOOP\r\n", ahead=100_000).client(ASKS).server(b"220 2.0.0 Ready\r\n"),
        {**SEEN, "verdict": "partial", "client_missing_bytes": 100_000 - len(ASKS)},
    ),
    "beyond-window-late": (
        lambda g: g.greet().forge(b"NOOP\r\n", ahead=100_000).pause().forge(b"NOOP\r\n", ahead=100_006).client(ASKS)
        .server(b"220 go\r\n").close(),
        {"starttls_requested": None, "evidence": [], "verdict": "partial", "client_missing_bytes": 100_000},
    ),
    "far": (lambda g: g.greet().forge(b"NOOP\r\n", ahead=FAR).secure(), CLEAN),
    "far-goes-on": (lambda g: g.greet().far().secure(), CLEAN),
    "far-goes-on-late": (
        lambda g: g.greet().far().pause().client(ASKS).server(b"220 go\r\n").close(),
        {"evidence": [], "verdict": "partial", "client_missing_bytes": FAR + 12},
    ),
    "acknowledged-ahead": (
        lambda g: g.greet().forge(ASKS, ack=g.next[SERVER] + 1000).shift(len(ASKS)).pause()
        .server(b"220 go\r\n").close(),
        {"starttls_accepted": None, "evidence": [], "verdict": "partial"},
    ),
    "wrap": (lambda g: g.begin_at(0xFFFFFFE0).greet().secure(), CLEAN),
    "fragments": (lambda g: g.greet().client(ASKS).in_fragments([8, 16]).agree(), CLEAN),
    "fragments-overlap": (lambda g: g.greet().client(ASKS).in_fragments([16, 24], change=b"NOOP").agree(),
                          {**SEEN, "client_missing_bytes": len(ASKS)}),
}  # fmt: skip


def told(record, key):
    if key == "evidence":
        return [f"{piece['kind']} {piece['confidence']}" for piece in record["evidence"]]
    return record[key]


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, packets = Tap(), []
    for number, (play, _) in enumerate(CASES.values()):
        client = f"192.0.2.{number + 1}"  # what one has suffered says nothing of another
        packets += play(Game(25, client=client, client_port=40000 + number, start=attack.START + number * STEP // 7)).packets
    alone, outcome = attack.beside(options.mailtap, sorted(packets, key=lambda packet: packet.time))
    played = [record for record in outcome.records if not attack.is_bystander(record)]
    for number, (name, (_, expected)) in enumerate(CASES.items()):
        found = sorted((record for record in played if record["client_port"] == 40000 + number), key=lambda r: r["start"])
        wanted = expected if isinstance(expected, list) else [expected]
        lines = [] if len(found) == len(wanted) else [f"{len(found)} records"]
        lines += [f"{key} is {program.show(told(record, key))}, not {program.show(value)}"
                  for record, one in zip(found, wanted) for key, value in one.items() if told(record, key) != value]  # fmt: skip
        tap.check(not lines, name, lines)
    attack.check_beside(tap, "all", alone, outcome, 2)
    tap.check(outcome.capture["segments_set_aside"] == 4, "the SYNs in the middle are set aside")
    tap.check(outcome.capture["fragments_lost"] == 1, "the datagram whose fragments differ is lost")
    elsewhere = Game(2526).open().forged_by_both(pk.RST).say_all().secure()
    found = attack.run(options.mailtap, elsewhere.packets, "--any-port").records
    lines = [program.show(told(found[0], key)) for key in ("protocol", "starttls_accepted")] if found else []
    tap.check(lines == ['"smtp"', "true"], "with --any-port, a reset that never arrives does not end the look", lines)
    named = set(re.findall(r"\| `([\w-]+)` \|$", TABLE.read_text(encoding="utf-8"), re.M))
    tap.check(named == CASES.keys(), f"{TABLE.name} names each case", sorted(named ^ CASES.keys()))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
