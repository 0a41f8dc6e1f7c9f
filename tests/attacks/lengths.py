#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a stranger can say, as long as is kept of it, and longer: in records, evidence and alerts.

What such texts do to a line, a cell or a terminal is another matter (tests/cli/hostile.py).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

LINE = 4096  # bytes of a line that are read


def smtp(number, greeting=b"220 mx.example.net ESMTP\r\n", name=b"client.example.org", server=b"mx.example.net", keywords=()):
    talk = Conversation(25, client_port=40000 + number).open()
    talk.server(greeting).client(b"EHLO " + name + b"\r\n")
    lines = [server, *keywords, b"STARTTLS"]
    return talk.server(b"".join(b"250-" + line + b"\r\n" for line in lines) + b"250 HELP\r\n")


def greetings(number, length):
    return smtp(number, b"220 mx.example.net " + b"x" * (length - 19) + b"\r\n")


def server_names(number, length):
    return smtp(number, b"220 " + b"m" * length + b" ESMTP\r\n", server=b"m" * length)


def client_names(number, length):
    return smtp(number, name=b"c" * length)


def lists(number, length):
    """`length` bytes of keywords, with a byte between two."""
    length -= len(b"STARTTLS\nHELP")
    rows = [b"X" * 99 for _ in range(length // 100)]
    rows[-1] += b"X" * (length % 100)
    return smtp(number, keywords=rows)


def replies(number, length):
    return smtp(number).client(b"STARTTLS\r\n").server(b"454 " + b"x" * length + b"\r\n").client(b"QUIT\r\n")


def lines(number, length):
    """What stands behind the first 4 KiB of a line is read over, and no line of its own."""
    talk = smtp(number, b"220 mx.example.net " + b"x" * (length - 21) + b"\r\n")
    return talk.client(b"NOOP " + b"y" * (length - 5) + b"STARTTLS\r\n").server(b"250 ok\r\n").close()


def evidence(number, length):
    """An answer that no server gives, of which the line is a fact."""
    talk = smtp(number).client(b"STARTTLS\r\n").server(b"200 " + b"e" * (length - 4) + b"\r\n")
    for command in (b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.net>"):
        talk.client(command + b"\r\n").server(b"250 ok\r\n")
    return talk.client(b"DATA\r\n").server(b"354 go\r\n").client(b"Subject: x\r\n\r\n.\r\n").server(b"250 ok\r\n")


def undecided(number, length):
    """A server that speaks no protocol of mail, all at once, to a client that says nothing."""
    return Conversation(25, client_port=40000 + number, mss=length).open().server((b"z\r\n" * length)[:length])


def searched(number, length):
    """A connection joined mid-way, in which mail comes behind that many bytes of something else."""
    talk = Conversation(25, client_port=40000 + number).client(b"\xff" * length)
    talk.client(b"\r\nEHLO client.example.org\r\n").server(b"250-mx.example.net\r\n250 STARTTLS\r\n")
    return talk.client(b"QUIT\r\n").server(b"221 bye\r\n")


def pipelined(number, length):
    """Behind STARTTLS, before its answer."""
    talk = smtp(number).client(b"STARTTLS\r\n" + b"x" * length).server(b"220 go\r\n")
    return talk.client(bytes.fromhex("16030100060100000203ff"))


def injected(record):
    return next((p["bytes"] for p in record["evidence"] if p["kind"] == "starttls_command_injection"), None)


def fact(record):
    return next((piece["line"] for piece in record["evidence"] if piece["kind"] == "illegal_reply"), "")


def up_to(most, beyond):
    """Lengths and what must come of them: as long as it may be, and past it."""
    return [(most - 1, most - 1), (most, most), (most + 1, beyond), (3 * most, beyond)]


# Who says it, what of the record is compared, and for which lengths with what.
CASES = {
    "greeting": (greetings, lambda r: len(r["server_banner"]), up_to(512, 512)),
    "server's name": (server_names, lambda r: len(r["server_name"]), up_to(255, 255)),
    "client's name": (client_names, lambda r: len(r["client_name"]), up_to(255, 255)),
    "capabilities": (lists, lambda r: r["capabilities"] and len("\n".join(r["capabilities"])), up_to(4096, None)),
    "STARTTLS' answer": (replies, lambda r: r["starttls_reply"], [(500, "454"), (5000, "454")]),
    "fact": (evidence, lambda r: len(fact(r)), up_to(256, 256)),
    "line": (lines, lambda r: (r["starttls_requested"], len(r["server_banner"])),
             [(length, (False, 512)) for length in (LINE - 1, LINE, LINE + 1, 3 * LINE)]),
    "unknown words": (undecided, lambda r: r["protocol"], [(4095, None), (4096, "unknown"), (9000, "unknown")]),
    "bytes before mail": (searched, lambda r: r["protocol"], [(60_000, "smtp"), (70_000, None)]),
    "bytes before TLS": (pipelined, injected, [(length, length) for length in (65535, 65536, 65537, 200_000)]),
}  # fmt: skip


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, packets, expected = Tap(), [], []
    for name, (say, _, lengths) in CASES.items():
        for length, value in lengths:
            packets += say(len(expected), length).packets
            expected.append((name, length, value))
    before, outcome = attack.beside(options.mailtap, sorted(packets, key=lambda packet: packet.time))
    records = {record["client_port"] - 40000: record for record in outcome.records if not attack.is_bystander(record)}
    for number, (name, length, value) in enumerate(expected):
        found = CASES[name][1](records[number])
        tap.check(found == value, f"{name} of {length}: {found}", [] if found == value else [f"not {value}"])
    longest = max(len(str(value)) for alert in outcome.alerts for value in alert.values())
    tap.check(0 < longest <= 256, f"no text of an alert is longer than 256: {longest}")
    attack.check_beside(tap, "lengths", before, outcome, 12)  # all that --memory gives
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
