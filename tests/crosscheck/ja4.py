# SPDX-License-Identifier: Apache-2.0
"""JA4 of a ClientHello, written from its published description alone, to compare with mailtap's.

(github.com/FoxIO-LLC/ja4, technical_details/JA4.md. Debian's tshark computes JA3 and JA3S only.)
"""

import hashlib

SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS = 0, 13, 16, 43
GREASE = {0x0A0A + 0x1010 * n for n in range(16)}
VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
NOTHING = "0" * 12


class Reader:
    """Bytes taken from the front; a ValueError where there are too few."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise ValueError("too short")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def vector(self, size):
        return Reader(self.take(self.number(size)))

    def numbers(self):
        """All that is left, as numbers of two bytes, without GREASE."""
        values = []
        while self.data:
            values.append(self.number(2))
        return [value for value in values if value not in GREASE]


def _extensions(reader):
    """[(type, body)] without GREASE; a ValueError where the list contradicts itself."""
    found = []
    while reader.data:
        kind, body = reader.number(2), reader.vector(2)
        if kind not in GREASE:
            found.append((kind, body.data))
    return found


def _list(extensions, kind, size):
    body = dict(extensions).get(kind)
    return [] if body is None else Reader(body).vector(size).numbers()


def _protocol(extensions):
    body = dict(extensions).get(ALPN)
    names = Reader(body).vector(2) if body else Reader(b"")
    name = names.vector(1).data if names.data else b""
    if not name:
        return "00"
    text = name.decode("latin-1")
    if all(c.isascii() and c.isalnum() for c in (text[0], text[-1])):
        return text[0] + text[-1]
    return name.hex()[0] + name.hex()[-1]


def _hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else NOTHING


def _codes(values):
    return ",".join(f"{value:04x}" for value in values)


def ja4(message):
    """The JA4 of a handshake message (type and length included) that came over TCP."""
    hello = Reader(message[4:])
    version = hello.number(2)
    hello.take(32)
    hello.vector(1)
    suites = hello.vector(2).numbers()
    hello.vector(1)
    extensions = _extensions(hello.vector(2)) if hello.data else []
    kinds = [kind for kind, _ in extensions]
    if SUPPORTED_VERSIONS in kinds:
        version = max(_list(extensions, SUPPORTED_VERSIONS, 1), default=0)
    signatures = _list(extensions, SIGNATURE_ALGORITHMS, 2)
    first = "t" + VERSIONS.get(version, "00") + ("d" if SERVER_NAME in kinds else "i")
    first += f"{min(len(suites), 99):02}{min(len(kinds), 99):02}{_protocol(extensions)}"
    hashed = _codes(sorted(kind for kind in kinds if kind not in (SERVER_NAME, ALPN)))
    if signatures:
        hashed += "_" + _codes(signatures)
    return f"{first}_{_hash(_codes(sorted(suites)))}_{_hash(hashed)}"
