#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Texts and patterns at which engines that go back over a text take for ever: here both are read once.

Of the program's own patterns texts that begin like a match again and again; of a user's those that are known for
it. What would take longer than the universe has been there must end within the time that any test has.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

ROOM = 505  # bytes of a greeting behind its code, all of which are kept
# A pattern, a text that almost matches it, and one that does.
FAMOUS = {
    "nested": (r"^220 (a+)+$", b"a" * ROOM + b"!", b"a" * ROOM),
    "alternatives": (r"^220 (b|bb|bbb)*c$", b"b" * ROOM, b"b" * (ROOM - 1) + b"c"),
    "twice anything": (r"^220 .*d.*d.*d.*d.*d.*d.*d.*d#$", b"d" * ROOM, b"d" * (ROOM - 1) + b"#"),
    "optional": (r"^220 (e?){60}e{60}$", b"e" * 59, b"e" * 60),
    "counted": (r"^220 (f{1,50}){1,9}g$", b"f" * 450, b"f" * 449 + b"g"),
}
# Beginnings of what the program's own patterns look for, over and over.
TEMPTING = [b"ESMTP Postfix (", b"Microsoft ESMTP MAIL Service, ", b"ESMTP Exim 4.", b"XXXXXXXX", b"********", b"STARTTL",
            b"command not recognized ", b"must issue a STARTTLS command firs", b"2*200**0*0*00 "]  # fmt: skip


def greeted(number, text, server):
    talk = Conversation(25, server=server, client_port=40000 + number, start=START + 1000 * number).open()
    talk.server(b"220 " + text + b"\r\n").client(b"EHLO client.example.org\r\n")
    return talk


def tempted(number, text):
    """The same text wherever patterns are asked about one."""
    filler = (text * 4000)[:4000]
    talk = greeted(number, filler, "192.0.2.77").server(b"250-" + filler + b"\r\n250-" + text * 9 + b"\r\n250 STARTTLS\r\n")
    for _ in range(20):
        talk.client(b"STARTTLS\r\n").server(b"454 " + filler + b"\r\n").client(filler + b"\r\n")
        talk.server(b"502 " + filler + b"\r\n").client(b"MAIL FROM:<a@example.org>\r\n").server(b"530 " + filler + b"\r\n")
    return talk.client(b"QUIT\r\n").server(b"221 bye\r\n").close()


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, packets, expected = Tap(), [], []
    for name, (_, almost, match) in FAMOUS.items():
        for text, software in ((almost, None), (match, name)):
            packets += greeted(len(expected), text, "192.0.2.66").server(b"250 ok\r\n").close().packets
            expected.append(software)
    for number, text in enumerate(TEMPTING, len(expected)):
        packets += tempted(number, text).packets
    packets.sort(key=lambda packet: packet.time)
    with tempfile.TemporaryDirectory(prefix="patterns-") as folder:
        own = Path(folder) / "own"
        rows = (f"{name.replace(' ', '-')}  /{pattern}/\n" for name, (pattern, _, _) in FAMOUS.items())
        own.write_text("[software]\n" + "".join(rows), encoding="ascii")
        before, after = attack.beside(options.mailtap, packets, "--patterns", own, "--pattern-cache", folder)
    found = {record["client_port"] - 40000: record["server_software"] for record in after.of(server="192.0.2.66")}
    for number, software in enumerate(expected):
        wanted = software and software.replace(" ", "-")
        tap.check(found[number] == wanted, f"text {number} is of {found[number]}", [f"not {wanted}"])
    tap.check(len(after.of(server="192.0.2.77")) == len(TEMPTING), "a record of each session that tempts")
    attack.check_beside(tap, "patterns", before, after, 8)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
