#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What options, files and the summary have room for: as much as they may have, and one more.

Of what packets bring, tests/attacks and the unit tests go to the bounds; configs/bounds.md says which.
"""

import lzma
import re
import sys
import tempfile
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks import tls_lies as tls  # noqa: E402
from lib import capture_file, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

SAMPLE = program.PCAPS / "smtp-cleartext-postfix-swaks.pcap"
# Section, key, the last value that is good, the first that is not, and what is said of it.
OPTIONS = [
    ("statistics", "interval", "31622400", "31622401", "no number of seconds"),
    ("performance", "workers", "64", "65", "no number from 0 to 64"),
    ("performance", "cpus", "0-127", "0-128", "more than 128 processors"),
    ("performance", "cpus", "1023", "1024", "no list of processors"),
    ("certificates", "crl-dir", f"[{', '.join('abcdefgh' * 8)}]", f"[{', '.join('abcdefgh' * 8)}, i]",
     "given more than 64 times"),
]  # fmt: skip
SERVERS, ROWS, NAMED, VERSIONS = 65536, 48, 256, 8
FINISHED = tls.record(b"\x01", 20) + tls.record(bytes(40))


def check_options(tap, mailtap, folder):
    for section, key, good, bad, said in OPTIONS:
        for value, expected in ((good, "good"), (bad, said)):
            path = folder / "mailtap.yaml"
            path.write_text(f"{section}:\n  {key}: {value}\n", encoding="ascii")
            done = program.run(mailtap, ["--check-config", "--config", path])
            text = program.text(done.stdout + done.stderr)
            right = expected in text and (done.returncode == 0) == (value == good)
            tap.check(right, f"{key}: {value[-10:]}", [] if right else [text])


def check_servers(tap, mailtap, folder):
    """A list of good servers."""
    for count in (SERVERS, SERVERS + 1):
        path = folder / "servers"
        path.write_text("".join(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255} 25 starttls\n" for i in range(count)))
        done = program.run(mailtap, ["-r", SAMPLE, "-q", "-o", "-", "--server-baseline", path])
        refused = b"too many servers" in done.stderr and done.returncode != 0
        tap.check(refused == (count > SERVERS), f"a list of {count} good servers", [program.text(done.stderr)])


def wants_dictionary(packed, code):
    """An xz file that says its dictionary is as large (LZMA2's code: 31 is 192 MiB, 34 is 512)."""
    data, at = bytearray(packed), 12
    size = (data[at] + 1) * 4
    data[at + 4] = code
    data[at + size - 4 : at + size] = zlib.crc32(bytes(data[at : at + size - 4])).to_bytes(4, "little")
    return bytes(data)


def check_xz(tap, mailtap, folder):
    path = folder / "sample.pcap.xz"
    for code, good in ((31, True), (34, False)):
        path.write_bytes(wants_dictionary(lzma.compress(SAMPLE.read_bytes()), code))
        done = program.run(mailtap, ["-r", path, "-q", "-o", "-"])
        if b"without" in done.stderr:
            tap.skip("memory to unpack xz", "built without xz")
            return
        right = (done.returncode == 0 and done.stdout.count(b"\n") == 1) == good
        tap.check(right, f"a dictionary of code {code}", [program.text(done.stderr)])


# --- the summary -----------------------------------------------------------------------------


def write(path, talks):
    packets = sorted((packet for talk in talks for packet in talk.packets), key=lambda packet: packet.time)
    capture_file.write(path, packets, nano=True)
    return path


def summary(mailtap, capture, *extra):
    return program.text(program.run(mailtap, ["-r", capture, *extra]).stdout)


def greeted(port, number, server="198.51.100.20"):
    talk = Conversation(port, server=server, client_port=10000 + number, start=START + number * 1000).open()
    return talk.server(b"220 mx.example.net ESMTP\r\n").client(b"EHLO c.example.org\r\n")


def on_ports(count):
    for number in range(count):
        talk = greeted(3000 + number, number).server(b"250 mx.example.net\r\n").client(b"QUIT\r\n")
        yield talk.server(b"221 bye\r\n").close()


def stripped_by(count):
    """Servers that answer STARTTLS as none does, and take mail in the clear."""
    for number in range(count):
        talk = greeted(25, number, f"198.18.{number >> 8}.{number & 255}").server(b"250 STARTTLS\r\n")
        talk.client(b"STARTTLS\r\n").server(b"200 no\r\n").client(b"MAIL FROM:<a@example.org>\r\n").server(b"250 ok\r\n")
        talk.client(b"RCPT TO:<b@example.net>\r\n").server(b"250 ok\r\n").client(b"DATA\r\n").server(b"354 go\r\n")
        yield talk.client(b"x\r\n.\r\n").server(b"250 ok\r\n").close()


def in_versions(count):
    """Handshakes in versions that nobody has."""
    for number in range(count):
        version = bytes([3, 3 + number])
        hello = tls.message(tls.SERVER_HELLO, version + bytes(32) + b"\x00\xc0\x2f\x00")
        talk = Conversation(993, client_port=10000 + number, start=START + number * 1000).open().client(tls.ASKED)
        talk.server(tls.records(hello + tls.message(tls.DONE, b"")))
        talk.client(tls.record(tls.message(16, tls.vector(1, bytes(65)))) + FINISHED).server(FINISHED)
        data = tls.record(bytes(200), tls.APPLICATION)
        yield talk.client(data).server(data).close()


def check_summary(tap, mailtap, folder):
    ports = ",".join(f"{port}:smtp" for port in range(3000, 3100))
    for count in (ROWS, ROWS + 3):
        text = summary(mailtap, write(folder / "ports", on_ports(count)), "--ports", ports)
        others = re.search(r"^ *others +(\d+)", text, re.M)
        told = int(others[1]) if others else 0
        tap.check(told == max(count - ROWS, 0), f"{count} ports: {told} sessions are of others", [])
    for count in (NAMED, NAMED + 3):
        text = summary(mailtap, write(folder / "stripped", stripped_by(count)))
        named = len(re.findall(r"^    198\.18\.\d+\.\d+ port 25", text, re.M))
        right = re.search(rf"stripped +{count} of {count} sessions", text) and named < count and "at more servers" in text
        tap.check(right, f"{count} stripped servers are counted, {named} named")
    for count in (VERSIONS, VERSIONS + 3):
        text = summary(mailtap, write(folder / "versions", in_versions(count)))
        others = re.search(r"^  others +(\d+)", text, re.M)
        told = int(others[1]) if others else 0
        right = told == count - VERSIONS and "not seen   " not in text and "0x0307" in text
        tap.check(right, f"{count} versions of TLS: {told} are others", [] if right else text.splitlines())


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="limits-") as name:
        check_options(tap, options.mailtap, Path(name))
        check_servers(tap, options.mailtap, Path(name))
        check_xz(tap, options.mailtap, Path(name))
        check_summary(tap, options.mailtap, Path(name))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
