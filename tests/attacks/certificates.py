#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates made to be dear: huge keys, deep chains, circles, names and constraints by the thousand, DER that
says more than it has. None is signed by anybody; what is said of each must be so, within bounds.

Compressed ones are only read with a key log: tests/unit/tls_certificate_compression.c has the bombs.
"""

import base64
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks import tls_lies as tls  # noqa: E402
from lib import attack, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

INTEGER, BITS, OCTETS, NULL, OID, UTF8, TIME, SEQUENCE, SET = 2, 3, 4, 5, 6, 12, 23, 0x30, 0x31
DNS, PERMITTED, EXCLUDED = 0x82, 0xA0, 0xA1
KEY = random.Random(1).getrandbits(2048) | 1 | 1 << 2047  # a modulus; nobody has the key


# --- certificates ----------------------------------------------------------------------------


def der(tag, *contents, length=None):
    content = b"".join(contents)
    length = len(content) if length is None else length
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def integer(value):
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    return der(OID, bytes.fromhex(text))


def name(text):
    return der(SEQUENCE, der(SET, der(SEQUENCE, oid("550403"), der(UTF8, text))))


def extension(number, value, critical=False):
    return der(SEQUENCE, oid(f"551d{number:02x}"), *([b"\x01\x01\xff"] if critical else []), der(OCTETS, value))


def names(count):
    return these_names(b"h%05d.example" % i for i in range(count))


def these_names(listed):
    return extension(17, der(SEQUENCE, *(der(DNS, one) for one in listed)))


def encoded(count):
    """Names of 253 bytes, all of whose labels say that they are Punycode: of many digits, of one, of none."""
    labels = [b"xn--" + b"9" * 59, b"xn--" + b"a" * 57 + b"-0", b"xn--" + b"z" * 59, b"xn--" + b"-" * 57]
    return these_names(b".".join([b"%05d" % i, *labels])[:253] for i in range(count))


def constraints(count, tag=EXCLUDED):
    return extension(30, der(SEQUENCE, der(tag, *(der(SEQUENCE, der(DNS, b"x%05d.test" % i)) for i in range(count)))))


ISSUER = extension(19, der(SEQUENCE, b"\x01\x01\xff"), critical=True)
RSA_SHA256 = der(SEQUENCE, oid("2a864886f70d01010b"), der(NULL))


def certificate(subject, issuer, *extensions, modulus=KEY, exponent=65537, serial=1):
    key = der(SEQUENCE, integer(modulus), integer(exponent))
    body = der(SEQUENCE, der(0xA0, integer(2)), integer(serial), RSA_SHA256, name(issuer),
               der(SEQUENCE, der(TIME, b"200101000000Z"), der(TIME, b"400101000000Z")), name(subject),
               der(SEQUENCE, der(SEQUENCE, oid("2a864886f70d010101"), der(NULL)), der(BITS, b"\0", key)),
               *([der(0xA3, der(SEQUENCE, *extensions))] if extensions else []))  # fmt: skip
    return der(SEQUENCE, body, RSA_SHA256, der(BITS, b"\0", b"s" * ((modulus.bit_length() + 7) // 8)))


def chain(which, count, *extensions, leaf=(), **key):
    """`count` certificates, each issued by the next, the last by itself."""
    labels = [b"%s %d" % (which, i) for i in range(count)] + [b"%s %d" % (which, count - 1)]
    return [certificate(labels[i], labels[i + 1], *(leaf if i == 0 else (ISSUER, *extensions)), **key)
            for i in range(count)]  # fmt: skip


def large(bits, seed):
    return random.Random(seed).getrandbits(bits) | 1 | 1 << bits - 1


def nested(depth):
    """An extension of nothing but sequences, one in the other."""
    value = b""
    for _ in range(depth):
        value = der(SEQUENCE, value)
    return extension(99, value)


# Who shows which list, of how many it is known (None: not seen), and what is wrong with it besides its name.
UNTRUSTED, MALFORMED = ["untrusted"], ["malformed"]
CASES = {
    "plain": (chain(b"plain", 2), 2, UNTRUSTED),
    "32 deep": (chain(b"deep", 32), 32, UNTRUSTED),
    "33 deep": (chain(b"deeper", 33), None, None),
    "100 deep": (chain(b"deepest", 100), None, None),
    "keys of 16384 bits": (chain(b"huge", 12, modulus=large(16384, 2)), 12, UNTRUSTED),
    "key of 100000 bits": (chain(b"vast", 2, modulus=large(100_000, 3)), 2, None),
    "exponents as long": (chain(b"long", 32, modulus=large(3072, 4), exponent=large(3071, 5)), 32, MALFORMED),
    "exponents of 64 bits": (chain(b"short", 8, modulus=large(3072, 4), exponent=large(64, 6)), 8, UNTRUSTED),
    "10000 names": (chain(b"names", 2, leaf=(names(10_000),)), 2, UNTRUSTED),
    "70000 names": (chain(b"crowd", 2, leaf=(these_names([b"a"] * 70_000),)), 2, UNTRUSTED),
    "100000 names": (chain(b"crowds", 2, leaf=(these_names([b"a"] * 100_000),)), None, None),
    "names in Punycode": (chain(b"encoded", 2, leaf=(encoded(1000),)), 2, UNTRUSTED),
    "names by constraints": (chain(b"product", 3, constraints(1000), leaf=(names(1000),)), 3, UNTRUSTED),
    "names by permissions": (chain(b"allowed", 3, constraints(1000, PERMITTED), leaf=(names(1000),)), 3, UNTRUSTED),
    "too many of both": (chain(b"square", 2, constraints(4000), leaf=(names(4000),)), 2, UNTRUSTED),
    "a circle": ([certificate(b"round a", b"round b", ISSUER), certificate(b"round b", b"round a", ISSUER)], 2, UNTRUSTED),
    "the same 32 times": ([certificate(b"same", b"other", ISSUER)] * 32, 32, None),
    "32 of one name": ([certificate(b"leaf of many", b"many")] + [
        certificate(b"many", b"many", ISSUER, modulus=large(2048, 100 + i)) for i in range(31)], 32, UNTRUSTED),
    "2000 extensions": (chain(b"extended", 2, leaf=tuple(extension(60 + i % 60, b"") for i in range(2000))), 2, UNTRUSTED + MALFORMED),
    "nested 2000 deep": (chain(b"nested", 2, leaf=(nested(2000),)), 2, UNTRUSTED),
    "says 4 GiB": ([der(SEQUENCE, bytes(50), length=0xFFFFFFFF)], 1, MALFORMED),
    "says nothing": ([b"\x30\x80\x00\x00"], 1, MALFORMED),
    "names of 8 KiB": ([certificate(b"n" * 8192, b"i" * 8192)], 1, None),
    "serial of 64": ([certificate(b"serial 64", b"x", serial=(1 << 504) + 1)], 1, None),
    "serial of 65": ([certificate(b"serial 65", b"x", serial=(1 << 512) + 1)], 1, None),
    "issued by many": ([certificate(b"leaf", b"Anchor")], 1, UNTRUSTED),
}  # fmt: skip
ANCHORS = 100


def session(number, shown, later=0):
    """A client that completes the handshake over this list, and goes on."""
    body = tls.AGREED + tls.message(tls.CERTIFICATE, tls.vector(3, b"".join(tls.vector(3, c) for c in shown)))
    talk = Conversation(993, client_port=40000 + number, start=START + number * 1000 + later).open().client(tls.ASKED)
    talk.server(tls.records(body + tls.message(tls.DONE, b"")))
    ended = tls.record(b"\x01", 20) + tls.record(bytes(40))
    talk.client(tls.record(tls.message(16, tls.vector(1, bytes(65)))) + ended).server(ended)
    data = tls.record(bytes(200), tls.APPLICATION)
    return talk.client(data).server(data).close()


def anchors(path):
    """A trust store of as many certificates of one name, none of which issued anything."""
    with open(path, "w", encoding="ascii") as file:
        for number in range(ANCHORS):
            made = certificate(b"Anchor", b"Anchor", ISSUER, modulus=large(2048, 1000 + number), serial=number + 1)
            text = base64.encodebytes(made).decode("ascii")
            file.write(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    return path


DEAR, FIRST_DEAR, SECOND = 14, 100, 10**9
ORDINARY, AGAIN = FIRST_DEAR + DEAR, FIRST_DEAR + DEAR + 1


def dear_lists():
    """More lists of 200 KiB than are judged in so short a time, an ordinary one, and later another of theirs."""

    def dear(number):
        return [certificate(b"dear %d" % number, b"x", extension(99, bytes(200 << 10)))]

    packets = [packet for n in range(DEAR) for packet in session(FIRST_DEAR + n, dear(n), SECOND).packets]
    packets += session(ORDINARY, chain(b"ordinary", 2), SECOND).packets
    return packets + session(AGAIN, dear(DEAR), 60 * SECOND).packets


def check_dear(tap, after):
    """Beyond the budget nothing is said; others are judged as ever, and so are they once it has come back."""
    found = {record["client_port"] - 40000: record["certificate_status"] for record in after.of(server="198.51.100.20")}
    told = [found[FIRST_DEAR + n] for n in range(DEAR)]
    judged = [status for status in told if status is not None]
    tap.check(5 <= len(judged) <= 10 and all("untrusted" in status for status in judged),
              "of too many dear lists some are judged, and of the others nothing is said", [str(told)])  # fmt: skip
    tap.check("untrusted" in (found[ORDINARY] or []), "an ordinary list beside them is judged", [str(found[ORDINARY])])
    tap.check("untrusted" in (found[AGAIN] or []), "and a dear one later", [str(found[AGAIN])])


def check_cases(tap, after):
    found = {record["client_port"] - 40000: record for record in after.of(server="198.51.100.20")}
    for number, (what, (_, known, wrong)) in enumerate(CASES.items()):
        told = found[number]
        count = told["server_chain"] and len(told["server_chain"])
        status = told["certificate_status"]
        lines = [] if count == known else [f"{count} certificates"]
        lines += [f"is {status}"] if wrong and [f for f in status or [] if f != "name_mismatch"] != wrong else []
        lines += [f"verdict {told['verdict']}"] if told["verdict"] != "encrypted" else []
        tap.check(not lines, what, lines)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, packets = Tap(), []
    for number, (shown, _, _) in enumerate(CASES.values()):
        packets += session(number, shown).packets
    packets += dear_lists()
    packets.sort(key=lambda packet: packet.time)
    with tempfile.TemporaryDirectory(prefix="anchors-") as folder:
        trusted = ["--ca-file", anchors(Path(folder) / "anchors.pem")]
        before, after = attack.beside(options.mailtap, packets, *trusted, memory="64M")
    check_cases(tap, after)
    check_dear(tap, after)
    subjects = [made["subject"] for made in after.certificates if made["subject"]]
    tap.check(max(map(len, subjects)) == 4096, "a subject in the log has 4 KiB at most")
    serials = {made["subject"]: made["serial"] for made in after.certificates}
    tap.check(len(serials["CN=serial 64"] or "") >= 127, "a serial number of 64 bytes is told")
    tap.check(serials["CN=serial 65"] is None, "one of 65 is not")
    attack.check_beside(tap, "certificates", before, after, 24)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
