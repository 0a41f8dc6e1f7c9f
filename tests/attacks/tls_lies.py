#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lengths in TLS that are not true, and true ones that are as large as may be: records, handshake messages,
extensions, lists. None makes a session established, costs more than its bytes, or changes what others say."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

HANDSHAKE, ALERT, APPLICATION = 22, 21, 23
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, DONE = 1, 2, 11, 14
SUITES = b"\x00\x04\xc0\x2f\x00\x9c"


def record(body, kind=HANDSHAKE, length=None):
    return struct.pack("!BHH", kind, 0x0303, len(body) if length is None else length) + body


def records(body, size=1 << 14):
    return b"".join(record(body[at : at + size]) for at in range(0, len(body), size))


def message(kind, body, length=None):
    return struct.pack("!I", kind << 24 | (len(body) if length is None else length)) + body


def vector(size, body, length=None):
    return (len(body) if length is None else length).to_bytes(size, "big") + body


def extension(kind, body, length=None):
    return struct.pack("!H", kind) + vector(2, body, length)


def hello(*extensions, padding=0, session=b"\x00", suites=SUITES, length=None):
    """The body of a ClientHello; with `padding`, of as many bytes."""
    listed = b"".join(extensions)
    body = b"\x03\x03" + bytes(32) + session + suites + b"\x01\x00"
    if padding:
        listed += extension(21, bytes(padding - len(body) - 2 - len(listed) - 4))
    return body + vector(2, listed, length)


def sni(name):
    return extension(0, vector(2, b"\x00" + vector(2, name)))


def alpn(*names):
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def client(body, **how):
    """A client that says this, and no answer."""
    return lambda talk: talk.client(body, **how)


def asks(*extensions, **how):
    return client(records(message(CLIENT_HELLO, hello(*extensions, **how))))


ASKED = record(message(CLIENT_HELLO, hello(sni(b"mx.example.net"))))
AGREED = message(SERVER_HELLO, b"\x03\x03" + bytes(32) + b"\x00\xc0\x2f\x00")
LONG = vector(3, vector(3, bytes(190_000)))  # a list of one certificate


def server(body, **how):
    """A server that answers this to a true hello."""
    return lambda talk: talk.client(ASKED).server(body, **how)


def answers(length):
    """A ServerHello with as many bytes."""
    body = AGREED[4:]
    return server(records(message(SERVER_HELLO, body + vector(2, extension(65000, bytes(length - len(body) - 6))))))


def shows(chain, length=None, whole=None):
    listed = vector(3, chain, length)
    return server(records(AGREED + message(CERTIFICATE, listed, whole) + message(DONE, b"")))


# What is said, and what the record must say of it. All else that it could say must be null or false.
CASES = {
    "a true hello": (client(ASKED), {"sni": "mx.example.net"}),
    "name of 255": (asks(sni(b"a" * 255)), {"sni": "a" * 255}),
    "name of 256": (asks(sni(b"a" * 256)), {"sni": "a" * 255}),
    "name of 16000": (asks(sni(b"a" * 16000)), {"sni": "a" * 255}),
    "ALPN of 64": (asks(alpn(b"p" * 64)), {"alpn": "p" * 64}),
    "ALPN of 65": (asks(alpn(b"p" * 65)), {"alpn": "p" * 64}),
    "hello of 65535": (asks(sni(b"mx.example.net"), padding=65535), {"sni": "mx.example.net"}),
    "hello of 65536": (asks(sni(b"mx.example.net"), padding=65536), {"sni": None, "ja3": None}),
    "message that says 16 MiB": (client(record(message(CLIENT_HELLO, hello(), 0xFFFFFF))), {"ja3": None}),
    **{f"message in records of {size}": (client(records(message(CLIENT_HELLO, hello(sni(b"a.example"))), size)),
                                         {"sni": "a.example"}) for size in (1, 2, 3, 4)},
    "record of 18432": (client(record(message(CLIENT_HELLO, hello(sni(b"a.example")) + bytes(18432 - 4 - 72)))), {}),
    "record that says 18433": (client(record(bytes(100), length=18433)), {"ja3": None}),
    "record that says 65535": (client(record(message(CLIENT_HELLO, hello()), length=65535)), {"ja3": None}),
    "empty records": (client(record(b"") * 5000 + ASKED), {}),
    "session of 255": (asks(session=vector(1, bytes(255))), {}),
    "session longer than all": (asks(session=b"\xff"), {}),
    "half a suite": (asks(suites=b"\x00\x03\xc0\x2f\x00"), {"ja3": None}),
    "extensions longer than all": (asks(sni(b"a.example"), length=60000), {"ja3": None}),
    "extension longer than all": (asks(extension(0, b"\x00", 60000)), {"sni": None}),
    "name longer than its list": (asks(extension(0, b"\x00\x04\x00\xff\xffa")), {"sni": None}),
    "20000 extensions": (asks(*[extension(n, b"") for n in range(30000, 43000)]), {"ja3": None, "ja4": None}),
    "answer of 65536": (answers(65536), {"tls_version": "TLSv1.2"}),
    "answer of 65537": (answers(65537), {"tls_version": None}),
    "answer that says more": (server(record(message(SERVER_HELLO, AGREED[4:], 70000))), {"tls_version": None}),
    "list of 256 KiB": (shows(vector(3, bytes((1 << 18) - 6))), {}),
    "list above": (shows(vector(3, bytes((1 << 18) - 5))), {"server_chain": None}),
    "list that says more": (shows(vector(3, bytes(100)), 1000), {"server_chain": None}),
    "list that says less": (shows(vector(3, bytes(100)), 4), {"server_chain": None}),
    "certificate that says more": (shows(vector(3, bytes(100), 10000)), {"server_chain": None}),
    "certificates of nothing": (shows(vector(3, b"") * 5000), {"server_chain": None}),
    "message that never ends": (server(records(AGREED + message(CERTIFICATE, LONG[:100_000], 200_000))),
                                {"server_chain": None}),
    "requests for a hello": (server(records(message(0, b"") * 10_000)), {"tls_version": None}),
    "alerts": (server(record(b"\x01\x00", ALERT) * 5000), {"tls_version": None}),
    "data at once": (server(record(bytes(1000), APPLICATION) * 50), {"tls_version": None}),
}  # fmt: skip


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, packets = Tap(), []
    for number, (say, _) in enumerate(CASES.values()):
        talk = Conversation(993, client_port=40000 + number, start=START + number * 1000).open()
        packets += say(talk).close().packets
    before, after = attack.beside(options.mailtap, sorted(packets, key=lambda packet: packet.time))
    found = {record["client_port"] - 40000: record for record in after.of(server="198.51.100.20")}
    for number, (name, (_, expected)) in enumerate(CASES.items()):
        told = found[number]
        lines = [f"{key} is {program.show(told[key])}" for key, value in expected.items() if told[key] != value]
        lines += [f"established: {told['verdict']}"] if told["tls_established"] or told["verdict"] == "encrypted" else []
        lines += ["evidence"] if told["evidence"] else []
        tap.check(not lines, name, lines)
    attack.check_beside(tap, "lies", before, after, 12)  # all that --memory gives, and what sanitizers add
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
