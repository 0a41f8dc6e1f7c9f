#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Passive DNS (--dns): what domains publish, from captures of a real resolver and from forged answers.

- the lines of domains.jsonl of each capture dns-*.pcap are those of the golden file beside this test, whatever
  the number of workers;
- messages add up, and without --dns none is looked at;
- no local part stands in any log: not one that SPF's macros brought into a name;
- answers that nobody asked for, that come second, or that cannot be read, change nothing and are counted;
- a flood of names and messages that point in circles end in time.

--update writes the golden files.
"""

import json
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

GOLDENS = Path(__file__).resolve().parent
FATES = ("kept", "other", "malformed", "left_out")
CLIENT, RESOLVER, OTHER = "192.0.2.9", "198.51.100.53", "203.0.113.66"
MX, TXT, A, CNAME, SOA = 15, 16, 1, 5, 6
CANARY = b"canary-user-3d77"


def anchors(capture):
    """What DNSSEC is trusted from, where the capture's servers have a root of their own."""
    file = capture.with_suffix(".anchors")
    return ["--trust-anchors", file] if file.is_file() else []


def read(mailtap, capture, extra=()):
    """The domains' lines, the last accounting, and all bytes that were written."""
    with tempfile.TemporaryDirectory() as logs:
        done = program.run(mailtap, ["-q", "--dns", "-r", capture, "-w", logs, "--sensor", program.SENSOR, *anchors(capture), *extra])
        if done.returncode != 0:
            raise program.RunError(f"{capture}: exit code {done.returncode}: {program.text(done.stderr)}")
        written = {path.name: path.read_bytes() for path in Path(logs).iterdir()}
    lines = program.json_lines(written["domains.jsonl"])
    capture = json.loads(written["statistics.jsonl"].splitlines()[-1])["capture"]
    return lines, capture, b"".join(written.values())


def check(tap, passed, what, details):
    """What was found is told only where it is not what it should be."""
    tap.check(passed, what, () if passed else str(details).splitlines())


def counts(capture):
    return {fate: capture[f"dns_messages_{fate}"] for fate in ("seen", *FATES)}


# ---- captures of real servers


def check_capture(tap, options, capture):
    golden = GOLDENS / f"{capture.name}.jsonl"
    lines, accounting, written = read(options.mailtap, capture)
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    if options.update:
        golden.write_text(text)
    found = counts(accounting)
    check(tap, golden.is_file() and golden.read_text() == text, f"{capture.name}: as its golden file says", text)
    check(tap, found["seen"] > 0 and found["seen"] == sum(found[fate] for fate in FATES), f"{capture.name}: adds up", str(found))
    threads, *_ = read(options.mailtap, capture, ["--workers", "3"])
    check(tap, threads == lines, f"{capture.name}: the same with three workers", str(threads))
    tap.check(CANARY not in written, f"{capture.name}: no local part in a name")
    with tempfile.TemporaryDirectory() as logs:
        program.run(options.mailtap, ["-q", "-r", capture, "-w", logs])
        line = json.loads(Path(logs, "statistics.jsonl").read_bytes().splitlines()[-1])["capture"]
        tap.check(line["dns_messages_seen"] == 0 and not Path(logs, "domains.jsonl").exists(), f"{capture.name}: nothing without --dns")


# ---- forged ones


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def question(ident, text, kind):
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + name(text) + struct.pack("!2H", kind, 1)


def answer(ident, text, kind, *records, flags=0x8180):
    body = b"".join(b"\xc0\x0c" + struct.pack("!2HIH", kind, 1, 300, len(data)) + data for data in records)
    return struct.pack("!6H", ident, flags, 1, len(records), 0, 0) + name(text) + struct.pack("!2H", kind, 1) + body


def mx(host):
    return struct.pack("!H", 10) + name(host)


def txt(text):
    data = text.encode()
    return b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))


class Wire:
    """Datagrams between a client and resolvers, a millisecond apart."""

    def __init__(self):
        self.packets = []
        self.time = 1_700_000_000_000_000_000

    def send(self, source, destination, payload, ports):
        self.time += 1_000_000
        udp = struct.pack("!4H", *ports, 8 + len(payload), 0) + payload
        frame = pk.ethernet_header(4) + pk.ip_header(source, destination, 17, len(udp)) + udp
        self.packets.append(cf.Packet(self.time, frame, len(frame)))

    def ask(self, payload, port=4000):
        self.send(CLIENT, RESOLVER, payload, (port, 53))

    def tell(self, payload, port=4000, by=RESOLVER):
        self.send(by, CLIENT, payload, (53, port))


def hosts(lines, domain="example.org"):
    found = next((line for line in lines if line["domain"] == domain), None)
    return found and found["mx"] and [entry["host"] for entry in found["mx"]]


def from_wire(options, wire, folder, extra=()):
    capture = Path(folder) / "made.pcap"
    cf.write_pcap(capture, wire.packets)
    return read(options.mailtap, capture, extra)


def forged(tap, options, folder):
    good, bad = mx("mx.example.org"), mx("evil.example.net")
    cases = {
        "the answer to a question counts": ([("a", 1, good, RESOLVER)], ["mx.example.org"]),
        "one from another server does not": ([("a", 1, bad, OTHER), ("a", 1, good, RESOLVER)], ["mx.example.org"]),
        "one of another number does not": ([("a", 2, bad, RESOLVER), ("a", 1, good, RESOLVER)], ["mx.example.org"]),
        "one that comes second does not": ([("a", 1, good, RESOLVER), ("a", 1, bad, RESOLVER)], ["mx.example.org"]),
        "one that comes much too late does not": ([("wait", 31, None, None), ("a", 1, good, RESOLVER)], None),
    }
    for what, (events, wanted) in cases.items():
        wire = Wire()
        wire.ask(question(1, "example.org", MX))
        for kind, number, data, by in events:
            if kind == "wait":
                wire.time += number * 1_000_000_000
            else:
                wire.tell(answer(number, "example.org", MX, data), by=by)
        lines, *_ = from_wire(options, wire, folder)
        if what.startswith("one from another"):
            # Nobody was ever asked at that address: it may be one of a network whose questions go another way.
            # What was asked for goes before it, and it is said that they differ.
            check(tap, hosts(lines) == wanted and lines[0]["dns_answers_differ"], what, str(lines))
        else:
            check(tap, hosts(lines) == wanted, what, str(lines))


def one_direction(tap, options, folder):
    wire = Wire()
    wire.tell(answer(1, "example.org", MX, mx("mx.example.org")))
    lines, *_ = from_wire(options, wire, folder)
    check(tap, hosts(lines) == ["mx.example.org"] and lines[0]["dns_questions_seen"] is False, "answers alone are told as such", str(lines))


def referral(tap, options, folder):
    wire = Wire()
    wire.ask(question(1, "example.org", MX))
    wire.tell(answer(1, "example.org", MX, flags=0x8000))
    lines, *_ = from_wire(options, wire, folder)
    check(tap, lines == [], "a server that only refers to others says nothing", str(lines))


def addresses(tap, options, folder):
    wire = Wire()
    for number, host in enumerate(("www.example.org", "mx.example.org"), 10):
        wire.ask(question(number, host, A))
    wire.ask(question(1, "example.org", MX))
    wire.tell(answer(1, "example.org", MX, mx("mx.example.org")))
    wire.ask(question(2, "MX.example.org", A))
    wire.tell(answer(2, "mx.example.org", A, bytes([192, 0, 2, 1])))
    _, capture, _ = from_wire(options, wire, folder)
    check(tap, counts(capture) == {"seen": 6, "kept": 4, "other": 2, "malformed": 0, "left_out": 0}, "A is kept for mail hosts alone", str(counts(capture)))


def circles(tap, options, folder):
    wire = Wire()
    pointing = struct.pack("!6H", 1, 0x8180, 1, 200, 0, 0) + name("example.org") + struct.pack("!2H", MX, 1)
    at = len(pointing)
    bad = [
        pointing + (b"\xc0" + bytes([at]) + struct.pack("!2HIH", MX, 1, 1, 4) + b"\0\x0a\xc0" + bytes([at])) * 200,
        question(1, "example.org", MX)[:-3],
        struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + b"\xc0\x0c" + struct.pack("!2H", MX, 1),
        b"\0",
        answer(1, "example.org", TXT, *[txt("x" * 4000)] * 9),
    ]
    for message in bad:
        wire.ask(question(1, "example.org", MX))
        wire.tell(message)
    lines, capture, _ = from_wire(options, wire, folder)
    found = counts(capture)
    check(tap, lines == [] and found["malformed"] == 3 and found["left_out"] == 1, "what points in circles, is cut or far too long says nothing", f"{lines} {found}")


def rooms(tap, options, folder):
    """As many records, and as long a text, as are read, and one more."""

    def line_of(kind, *records):
        wire = Wire()
        wire.ask(question(1, "example.org", kind))
        wire.tell(answer(1, "example.org", kind, *records))
        lines, _, _ = from_wire(options, wire, folder)
        return lines[0] if lines else {}

    for count, known in ((256, True), (257, False)):
        line = line_of(MX, *(mx(f"m{number}") for number in range(count)))
        check(tap, bool(line.get("mx")) == known, f"{count} records of a message", str(line.get("mx"))[:80])
    for length, found in ((4096, "-all"), (4097, None)):
        line = line_of(TXT, txt("v=spf1 a".ljust(length - 5) + " -all"))
        check(tap, line.get("spf_all") == found, f"{length} bytes of a record", str(line))


def dmarc(tap, options, folder):
    """What a record says: valid, p, sp, pct, rua. Compared with libopendmarc and Mail::DMARC where this was written."""
    rows = {
        "v=DMARC1; p=reject": (True, "reject", None, 100, False),
        "v=DMARC1 ;\tP = Quarantine ; SP=none;pct=7;rua=mailto:a@example.org!10m": (True, "quarantine", "none", 7, True),
        "v=DMARC1; rua=; sp=reject; foo=bar; p=none; pct=101": (True, "none", "reject", 100, False),
        "v=DMARC1; p=reject; pct=-1; foo": (True, "reject", None, 100, False),
        "v=DMARC1; p=reject; pct=0": (True, "reject", None, 0, False),
        "v=DMARC1": (False, None, None, 100, False),
        "v=DMARC1; p=what; rua=mailto:a@example.org": (False, None, None, 100, True),
        "v=DMARC1; p=reject; sp=what": (False, None, None, 100, False),
        "v=DMARC1; p=none; p=reject": (False, None, None, 100, False),
    }
    none = ["v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC1 p=none", "v=DMARC11; p=none", "v=spf1 -all"]
    wire = Wire()
    for number, text in enumerate([*rows, *none]):
        owner = f"_dmarc.d{number}.example"
        wire.ask(question(number, owner, TXT))
        wire.tell(answer(number, owner, TXT, txt(text)))
    wire.ask(question(99, "_dmarc.two.example", TXT))
    wire.tell(answer(99, "_dmarc.two.example", TXT, txt("v=DMARC1; p=none"), txt("v=DMARC1; p=reject")))
    lines = {line["domain"]: line for line in from_wire(options, wire, folder)[0]}
    keys = ("dmarc_valid", "dmarc_policy", "dmarc_subdomain_policy", "dmarc_percent", "dmarc_rua")
    found = [tuple(lines[f"d{number}.example"][key] for key in keys) for number in range(len(rows))]
    wrong = [f"{text}: {was}" for (text, wanted), was in zip(rows.items(), found) if was != wanted]
    wrong += [text for number, text in enumerate(none, len(rows)) if lines[f"d{number}.example"]["dmarc"] is not False]
    check(tap, not wrong, "DMARC: what records say", "\n".join(wrong))
    two = lines["two.example"]
    check(tap, two["dmarc"] is True and [two[key] for key in keys] == [False, None, None, None, None], "DMARC: of two records none counts", str(two))


def nothing(tap, options, folder):
    """A sender's domain that has neither SPF nor DMARC, as a receiver asks for them, and one that is not there at all."""
    wire = Wire()
    start = b"\0" + struct.pack("!2HIH", SOA, 1, 300, 22) + b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, 300)
    for number, (domain, code) in enumerate({"example.org": 0, "example.net": 3}.items(), 1):
        for kind, owner in ((number, domain), (number + 10, f"_dmarc.{domain}")):
            wire.ask(question(kind, owner, TXT))
            rcode = 3 if owner != domain else code
            wire.tell(struct.pack("!6H", kind, 0x8180 | rcode, 1, 0, 1, 0) + name(owner) + struct.pack("!2H", TXT, 1) + start)
    lines, *_ = from_wire(options, wire, folder)
    found = [(line["domain"], line["spf"], line["dmarc"], line["mx"], line["dkim"]) for line in lines]
    check(tap, found == [("example.org", False, False, None, None)], "what has neither SPF nor DMARC is counted, what is not there is not", str(lines))


def aliases(tap, options, folder):
    """Of a resolver that asks on: one server has the alias, another what it leads to."""
    wire = Wire()
    parts = {"_dmarc.example.org": ("dmarc.example.net", "v=DMARC1; p=reject"), "s1._domainkey.example.org": ("key.example.net", "p="),
             "_mta-sts.example.org": ("sts.example.net", None)}  # fmt: skip
    for number, (owner, (target, text)) in enumerate(parts.items(), 1):
        alias = b"\xc0\x0c" + struct.pack("!2HIH", CNAME, 1, 300, len(name(target))) + name(target)
        wire.ask(question(number, owner, TXT))
        wire.tell(struct.pack("!6H", number, 0x8400, 1, 1, 0, 0) + name(owner) + struct.pack("!2H", TXT, 1) + alias)
        if text is not None:
            wire.send(CLIENT, OTHER, question(number, target, TXT), (4000, 53))
            wire.tell(answer(number, target, TXT, txt(text), flags=0x8400), by=OTHER)
    lines, *_ = from_wire(options, wire, folder)
    line = lines[0] if len(lines) == 1 else {}
    found = [line.get(key) for key in ("dmarc_policy", "mta_sts", "dns_questions_seen", "dns_answers_differ")]
    keys = [(key["selector"], key["revoked"]) for key in line.get("dkim") or []]
    check(tap, found == ["reject", None, True, False] and keys == [("s1", True)], "aliases that lead to other servers", str(lines))


def stream(tap, options, folder):
    """Messages by TCP, however they are cut into segments: all of them, and none is waited for."""
    asked = [question(1, "example.org", MX), question(2, "_dmarc.example.org", TXT), question(3, "example.org", TXT)]
    told = [answer(1, "example.org", MX, mx("mx.example.org")), answer(2, "_dmarc.example.org", TXT, txt("v=DMARC1; p=none")),
            answer(3, "example.org", TXT, txt("v=spf1 -all"))]  # fmt: skip
    asked, told = ([struct.pack("!H", len(message)) + message for message in messages] for messages in (asked, told))
    long = struct.pack("!H", 20000) + bytes(20000)
    cuts = {
        "each by itself": (asked, told),
        "all in one segment": ([b"".join(asked)], [b"".join(reversed(told))]),
        "in segments of a byte": ([bytes([byte]) for byte in b"".join(asked)], [bytes([byte]) for byte in b"".join(told)]),
        "two and a half": ([b"".join(asked)], [b"".join(told)[: len(told[0] + told[1]) + 9], told[2][9:]]),
        "a long one between": ([b"".join(asked)], [told[0] + told[1] + long[:1000], long[1000:] + told[2]]),
    }
    for what, (client, server) in cuts.items():
        talk = Conversation(53, server=RESOLVER, client=CLIENT, start=1_700_000_000_000_000_000)
        talk.open()
        for piece in client:
            talk.client(piece)
        for piece in server:
            talk.server(piece)
        capture = Path(folder, "stream.pcap")
        cf.write_pcap(capture, talk.close().packets)
        lines, accounting, _ = read(options.mailtap, capture)
        line = lines[0] if len(lines) == 1 else {}
        found = (hosts(lines), line.get("dmarc_policy"), line.get("spf_all"), counts(accounting)["kept"])
        check(tap, found == (["mx.example.org"], "none", "-all", 6), f"by TCP: {what}", f"{lines} {counts(accounting)}")


def flood(tap, options, folder):
    wire = Wire()
    for number in range(40000):
        domain = f"d{number}.example"
        wire.ask(question(number % 65536, domain, MX), 1024 + number % 5000)
        wire.tell(answer(number % 65536, domain, MX, mx("mx." + domain)), 1024 + number % 5000)
    lines, capture, _ = from_wire(options, wire, folder)
    check(tap, len(lines) == 40000 and counts(capture)["kept"] == 80000, "many names end in time", f"{len(lines)} {counts(capture)}")


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write the golden files")
    options = program.parse_arguments(parser)
    tap = Tap()
    found = [capture for capture in program.captures(options.pcaps) if capture.name.startswith("dns-")]
    check(tap, len(found) >= 7, "there are captures of DNS", str(found))
    for capture in found:
        check_capture(tap, options, capture)
    with tempfile.TemporaryDirectory() as folder:
        for case in (forged, one_direction, referral, addresses, circles, rooms, dmarc, nothing, aliases, stream, flood):
            case(tap, options, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
