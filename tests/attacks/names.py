#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DNS that wants to be read wrongly, or for long (--dns): streams of TCP cut anywhere, names that point in circles,
floods of names, records without end, names that are none, and sets of records with as many keys and signatures as
fit (as in KeyTrap)."""

import base64
import re
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dns"))

import dns  # noqa: E402
from lib import attack, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

CLIENT, RESOLVER = "192.0.2.201", "198.51.100.253"
FATES = ("kept", "other", "malformed", "left_out")
DNSKEY, RRSIG = 48, 46
LONGEST = 16384  # bytes of a message that is read
MANY = 1500


def counts(outcome):
    return {fate: outcome.capture[f"dns_messages_{fate}"] for fate in ("seen", *FATES)}


def check_sums(tap, what, outcome):
    found = counts(outcome)
    tap.check(found["seen"] == sum(found[fate] for fate in FATES), f"{what}: every message is in one of the counters", [str(found)])


# --- by TCP ----------------------------------------------------------------------------------


def framed(message, length=None):
    return struct.pack("!H", len(message) if length is None else length) + message


def asked(number, domain, *hosts):
    """A question and its answer, of MX."""
    return (framed(dns.question(number, domain, dns.MX)),
            framed(dns.answer(number, domain, dns.MX, *(dns.mx(host) for host in hosts))))  # fmt: skip


FIRST, SECOND, THIRD = (asked(n, f"d{n}.example", f"mx.d{n}.example") for n in (1, 2, 3))
LONG = framed(bytes(LONGEST + 1))
# Two answers in one, as the text of a third: where an answer began is not to be guessed.
WITHIN = framed(dns.answer(1, "d1.example", dns.TXT, dns.txt("x" * 50) + b"\xff" + SECOND[1]))


def stream(play, opened=True):
    talk = Conversation(53, client=CLIENT, server=RESOLVER)
    return play(talk.open() if opened else talk).close().packets


def in_turn(talk, *pairs):
    for ask, tell in pairs:
        talk.client(ask).server(tell)
    return talk


# What is said, what each domain's hosts come to, and how many messages are kept, malformed, left out.
STREAMS = {
    "byte by byte": (lambda: stream(lambda t: t.client(FIRST[0], split=[1] * 40).server(FIRST[1], split=[1] * 99)), [1], (2, 0, 0)),
    "all questions, then all answers": (
        lambda: stream(lambda t: t.client(FIRST[0] + SECOND[0] + THIRD[0]).server(FIRST[1] + SECOND[1] + THIRD[1], split=[7, 60, 1])),
        [1, 2, 3], (6, 0, 0)),
    "answers in another order": (
        lambda: stream(lambda t: t.client(FIRST[0] + SECOND[0]).server(SECOND[1] + FIRST[1])), [1, 2], (4, 0, 0)),
    "a gap in an answer": (
        lambda: stream(lambda t: in_turn(in_turn(t, FIRST).client(SECOND[0]).server(SECOND[1][:20], lose=True).server(SECOND[1][20:]), THIRD)),
        [1], (3, 0, 1)),
    "a gap, and an answer within an answer": (
        lambda: stream(lambda t: t.client(FIRST[0]).server(WITHIN[: -len(SECOND[1])], lose=True).server(SECOND[1])), [], (1, 0, 1)),
    "joined within an answer": (lambda: stream(lambda t: t.server(SECOND[1]).client(FIRST[0]), opened=False), [], (0, 0, 1)),
    "cut off": (lambda: stream(lambda t: in_turn(t, FIRST).client(SECOND[0]).server(SECOND[1][:-1])), [1], (3, 0, 1)),
    "an answer that is too long, then another": (lambda: stream(lambda t: in_turn(t, (FIRST[0], LONG + FIRST[1]))), [1], (2, 0, 1)),
    "an answer of no bytes": (lambda: stream(lambda t: in_turn(t, (FIRST[0], b"\0\0" + FIRST[1]))), [1], (2, 1, 0)),
    "a length that lies": (
        lambda: stream(lambda t: in_turn(t, (FIRST[0], framed(FIRST[1][2:], len(FIRST[1]) - 12)))), [], (2, 0, 1)),
}  # fmt: skip


def check_streams(tap, mailtap):
    for what, (made, domains, fates) in STREAMS.items():
        outcome = attack.run(mailtap, made(), "--dns")
        found = counts(outcome)
        hosts = sorted(line["mx"][0]["host"] for line in outcome.lines.get("domains", []) if line["mx"])
        right = hosts == [f"mx.d{n}.example" for n in domains] and fates == tuple(found[f] for f in ("kept", "malformed", "left_out"))
        tap.check(right, f"by TCP: {what}", [f"{hosts} {found}"])
        check_sums(tap, f"by TCP: {what}", outcome)


# --- floods, beside bystanders ---------------------------------------------------------------


class Flood(dns.Wire):
    """Datagrams over the time that bystanders take."""

    def __init__(self, count):
        super().__init__()
        self.time, self.step = START, attack.LASTS * 10**9 // (2 * count + 1)

    def send(self, source, destination, payload, ports):
        self.time += self.step - 1_000_000
        super().send(source, destination, payload, ports)


def told(messages):
    """Messages as what a resolver answers to questions for the same."""
    wire = Flood(len(messages))
    for number, message in enumerate(messages):
        answer = message(number % 65536, f"d{number % 7}.example")
        wire.ask(answer[:2] + b"\1\0\0\1" + bytes(6) + answer[12 : answer.index(b"\0", 12) + 5], 1024 + number % 60000)
        wire.tell(answer, 1024 + number % 60000)
    return wire.packets


def head(ident, domain, answers, kind=dns.MX):
    return struct.pack("!6H", ident, 0x8180, 1, answers, 0, 0) + dns.name(domain) + struct.pack("!2H", kind, 1)


def circle(ident, domain):
    """Each record's name points to the one before, the first to the last."""
    start, count, size = len(head(ident, domain, 0)), 80, 16
    record = struct.pack("!2HIH2B2s", dns.MX, 1, 300, 4, 0, 10, b"\xc0\x0c")
    owners = [struct.pack("!H", 0xC000 | (start + size * ((number - 1) % count))) for number in range(count)]
    return head(ident, domain, count) + b"".join(owner + record for owner in owners)


def ladder(ident, domain):
    """A label, and a pointer to the label and pointer before: names of all lengths, to which each record points again."""
    start = len(head(ident, domain, 0)) + 12
    text = b"\x01a\xc0\x0c" + b"".join(b"\x01a" + struct.pack("!H", 0xC000 | (start + 4 * step)) for step in range(200))
    first = b"\xc0\x0c" + struct.pack("!2HIH", dns.TXT, 1, 300, len(text)) + text
    last = struct.pack("!H", 0xC000 | (start + 4 * 200))
    record = last + struct.pack("!2HIH", dns.MX, 1, 300, 4) + b"\0\x0a" + last
    return head(ident, domain, 201) + first + record * 200


def other(ident, domain):
    """Of a domain that nobody asked for again, with a host of its own."""
    return dns.answer(ident, f"n{ident}.{domain}", dns.MX, dns.mx(f"mx.n{ident}.{domain}"))


def wide(ident, domain):
    return dns.answer(ident, domain, dns.TXT, *(dns.txt(f"v=spf1 include:{number}.{'a' * 63}.{'b' * 63}.{'c' * 63}.example -all") for number in range(60)))


def check_flood(tap, mailtap, what, messages, most, least, extra=(), of=None):
    """`of`: the counter that tells, at least so often."""
    before, after = attack.beside(mailtap, told(messages), "--dns", *extra)
    attack.check_beside(tap, what, before, after, most)
    check_sums(tap, what, after)
    value = after.metrics[of] if of in after.metrics else counts(after)[of]
    tap.check(value >= least, f"{what}: {of} is {value:.0f}, at least {least}")
    return after


def check_control(tap, mailtap):
    """Names with every byte that is none of a name: they stand nowhere as they are."""
    evil = [bytes([3, byte, byte, byte]) + b"\x07example\0" for byte in range(256)]

    def message(index):
        def made(ident, domain):
            hosts = [struct.pack("!H", 10) + evil[(8 * index + step) % 256] for step in range(8)]
            return dns.answer(ident, domain, dns.MX, *hosts)
        return made  # fmt: skip

    after = check_flood(tap, mailtap, "names that are none", [message(n) for n in range(32)], 2, 60, of="kept")
    raw = re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]|[\x80-\xff]{3}", after.written)
    tap.check(not raw, "names that are none: no byte of them stands as it is", [str(raw[:10])])
    wild = [line for line in after.lines.get("domains", []) for entry in line["mx"] or [] if re.search(r"[\x00- \"<>&]", entry["host"])]
    tap.check(not wild, "names that are none: nor as a character that means something", [str(wild[:2])])


def key(number):
    """An RSA key of 4096 bits that nobody has the secret of; all of them have one tag."""
    modulus = bytes([0xC0 | number]) + bytes(509) + bytes([0, 1])
    data = struct.pack("!HBB", 257, 3, 8) + b"\x03\x01\x00\x01" + modulus
    return data[:-4] + struct.pack("!H", (0xFFFF - (0xC0 | number) * 256) & 0xFFFF) + data[-2:]


def tag_of(data):
    total = sum(byte << 8 if at % 2 == 0 else byte for at, byte in enumerate(data))
    return (total + (total >> 16)) & 0xFFFF


def signature(kind, tag, labels, fill):
    times = START // 10**9
    return (struct.pack("!HBBIIIH", kind, 8, labels, 300, times + 10**6, times - 10**6, tag) + b"\0" + bytes([fill]) * 512)  # fmt: skip


def signed(ident, domain, kind, records, signatures):
    """The root's records where the domain is empty."""
    body = b"".join(b"\xc0\x0c" + struct.pack("!2HIH", of, 1, 300, len(data)) + data
                    for of, group in ((kind, records), (RRSIG, signatures)) for data in group)  # fmt: skip
    return struct.pack("!6H", ident, 0x8180, 1, len(records) + len(signatures), 0, 0) + dns.name(domain) + struct.pack("!2H", kind, 1) + body


def check_keys(tap, mailtap):
    """Keys of one tag, and signatures that any of them might have made: of the root's keys, and of what it signs."""
    keys = [key(number) for number in range(8)]
    tags = {tag_of(data) for data in keys}
    tap.check(len(tags) == 1, "keys: all have one tag", [str(tags)])
    tag = tags.pop()

    def root(ident, _):
        return signed(ident, "", DNSKEY, keys, [signature(DNSKEY, tag, 0, fill) for fill in range(1, 9)])

    def beneath(ident, domain):
        return signed(ident, f"n{ident}.{domain}", dns.MX, [dns.mx("mx.example")], [signature(dns.MX, tag, 3, fill) for fill in range(1, 9)])

    with tempfile.NamedTemporaryFile("w") as anchors:
        for data in keys:
            anchors.write(f". IN DNSKEY 257 3 8 {base64.b64encode(data[4:]).decode()}\n")
        anchors.flush()
        messages = [root if number % 50 == 0 else beneath for number in range(MANY)]
        after = check_flood(tap, mailtap, "keys", messages, 20, 1, ["--trust-anchors", anchors.name], "mailtap_dns_signatures_left_total")
    said = {(line["dnssec"], line["dnssec_reason"]) for line in after.lines["domains"]}
    tap.check(said == {(None, "work")}, "keys: nothing is said, for the work that it takes", [str(said)])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    check_streams(tap, options.mailtap)
    for what, messages in (("circles", [circle] * MANY), ("ladders", [ladder] * (MANY // 5))):
        after = check_flood(tap, options.mailtap, what, messages, 4, len(messages), of="kept")
        tap.check(not after.lines.get("domains"), f"{what}: nothing is said of them", after.lines.get("domains"))
    after = check_flood(tap, options.mailtap, "domains", [other] * 10 * MANY, 24, 20 * MANY, of="kept")
    tap.check(len(after.lines["domains"]) == 10 * MANY, "domains: each has a line")
    after = check_flood(tap, options.mailtap, "wide", [wide] * (MANY // 5), 12, 2 * (MANY // 5), of="kept")
    said = {(line["domain"], line["spf_valid"]) for line in after.lines["domains"]}
    tap.check(said == {(f"d{n}.example", False) for n in range(7)}, "wide: sixty policies are none that is valid", [str(said)])
    check_control(tap, options.mailtap)
    check_keys(tap, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
