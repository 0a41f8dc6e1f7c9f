#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DNSSEC: what is said of signed records, from a capture of a resolver that asks a root, a zone and domains beneath it.

- the same as unbound, delv and drill said of the same records on the same servers (the file .checked beside the
  capture), but for what is known: unbound here has no ED448, SHA-1 counts for none (RFC 9905), and that there is
  no signed delegation is not looked at;
- what was not seen is not told: without keys, referrals, an anchor, or with another root;
- at another time signatures have expired, or are not yet valid;
- one changed bit in an answer is found, and one that nobody asked for is not called bogus;
- what cannot be an anchor is told in one line.
"""

import base64
import struct
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

import dns  # noqa: E402

NAME = "dns-dnssec-nsd-unbound"
DAY = 86400 * 1_000_000_000
DNSKEY, DS, MX, TXT = 48, 43, 15, 16


class Message:
    """What a packet asks or says; data None: it is no DNS."""

    def __init__(self, packet):
        data = packet.data
        udp = len(data) > 54 and data[12:14] == b"\x08\0" and data[23] == 17
        self.data = data[42:] if udp else None
        if not udp:
            return
        self.answer = bool(self.data[2] & 0x80)
        labels, at = [], 12
        while self.data[at]:
            labels.append(self.data[at + 1 : at + 1 + self.data[at]].decode().lower())
            at += 1 + self.data[at]
        self.name = ".".join(labels)
        self.type = struct.unpack_from("!H", self.data, at + 1)[0]
        self.referral = self.answer and self.data[6:8] == b"\0\0" and not self.data[2] & 4


class Case:
    def __init__(self, options):
        self.options = options
        self.source = options.pcaps / f"{NAME}.pcap"
        self.anchors = options.pcaps / f"{NAME}.anchors"
        self.packets = list(cf.read(self.source))

    def lines(self, packets, anchors=None, extra=()):
        """By domain. `packets`: of the capture, changed."""
        with tempfile.TemporaryDirectory() as folder:
            capture = Path(folder) / "made.pcap"
            cf.write_pcap(capture, packets)
            extra = ["--trust-anchors", anchors or self.anchors, *extra]
            lines, self.accounting, _ = dns.read(self.options.mailtap, capture, extra)
        return {line["domain"]: line for line in lines}

    def without(self, unwanted):
        return [packet for packet in self.packets if Message(packet).data is None or not unwanted(Message(packet))]

    def shifted(self, time):
        return [packet.at(packet.time + time) for packet in self.packets]


def state(lines, domain):
    line = lines.get(f"{domain}.example", {})
    return line.get("dnssec"), line.get("dnssec_reason")


def agreement(tap, case):
    lines = case.lines(case.packets)
    wrong, known, compared = [], 0, 0
    for row in (case.source.with_suffix(".checked")).read_text().splitlines():
        owner, kind, *tools = row.split()
        said = dict(tool.split("=") for tool in tools)
        domain = owner.split(".")[-2]
        line = lines[f"{domain}.example"]
        if kind == "TXT":
            continue  # of several texts, together with MX in `dnssec`
        ours = line["mx"][0]["tlsa_dnssec"] if kind == "TLSA" else line["dnssec"]
        compared += 1
        if domain == "ed448":
            said.pop("unbound")
        if domain == "sha1":
            known += set(said.values()) == {"secure"} and ours == "insecure"
            continue
        if domain in ("island", "plain"):
            known += said["unbound"] == said["delv"] == "insecure" and ours is None
            continue
        wanted = {"secure": "secure", "bogus": "not_secure"}.get(ours)
        if any(value not in (ours, wanted) for value in said.values()):
            wrong.append(f"{row}: {ours}")
    tap.check(compared == 26 and not wrong, "unbound, delv and drill say the same", wrong or [str(compared)])
    tap.check(known == 6, "where it is not the same, it is known why", [str(known)])
    return lines


def table(tap, lines):
    wanted = {
        "good": ("secure", None),
        "rsa": ("secure", None),
        "rsa512": ("secure", None),
        "p384": ("secure", None),
        "ed25519": ("secure", None),
        "ed448": ("secure", None),
        "broken": ("bogus", "signature"),
        "expired": ("bogus", "expired"),
        "early": ("bogus", "not_yet_valid"),
        "mismatch": ("bogus", "delegation_mismatch"),
        "sha1": ("insecure", "algorithm"),
        "plain": (None, "no_signatures"),
        "any.wild.good": (None, "wildcard"),
    }
    found = {domain: state(lines, domain) for domain in wanted}
    tap.check(found == wanted, "each domain is what its zone was made to be", [f"{d}: {s}" for d, s in found.items() if s != wanted[d]])
    island = state(lines, "island")
    tap.check(island[0] is None and island[1] in ("keys_not_seen", "delegation_not_seen"), "an island is not judged", [str(island)])
    tap.check(lines["broken.example"]["dnssec_sets"] == 5 and lines["broken.example"]["dnssec_sets_secure"] == 4, "of five sets one is broken")
    tap.check(lines["good.example"]["dkim"][0]["dnssec"] == "secure", "a key behind an alias is judged with the alias")
    tap.check(lines["plain.example"]["dnssec_signatures"] is False, "signatures that were asked for and did not come are none")


def unseen(tap, case):
    keys = case.lines(case.without(lambda m: m.type == DNSKEY and m.name == "good.example"))
    tap.check(state(keys, "good") == (None, "keys_not_seen") and state(keys, "rsa")[0] == "secure", "without its keys a domain is not judged")
    above = case.lines(case.without(lambda m: m.type == DNSKEY and m.name == "example"))
    tap.check(all(state(above, d) == (None, "keys_not_seen") for d in ("good", "broken", "mismatch")), "nor without those of the zone above", [str(state(above, "broken"))])
    referrals = case.lines(case.without(lambda m: (m.referral or m.type == DS) and m.name.endswith("p384.example")))
    tap.check(state(referrals, "p384") == (None, "delegation_not_seen"), "nor without the referral", [str(state(referrals, "p384"))])
    answers = case.lines(case.without(lambda m: not m.answer))
    tap.check(state(answers, "good")[0] == "secure" and state(answers, "expired") == (None, "not_asked_for"), "answers alone prove, and accuse nobody", [str(state(answers, "expired"))])
    cached = case.lines(case.without(lambda m: m.type in (DNSKEY, DS) or m.referral))
    tap.check({line["dnssec"] for line in cached.values()} == {None, "insecure"}, "with answers alone, as behind a resolver that has the rest, none is judged", [str({d: state(cached, d.removesuffix(".example")) for d in cached})])


def other_roots(tap, case, folder):
    other = Path(folder) / "other"
    other.write_text(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D ; of 2017\n")
    lines = case.lines(case.packets, other)
    tap.check({state(lines, d) for d in ("good", "broken")} == {(None, "no_anchor")}, "another root's keys are not known", [str(state(lines, "good"))])
    good = "".join(f". IN DS {number} 15 2 {'00' * 32}\n" for number in range(32))
    bad = {
        "empty": "\n; nothing\n",
        "no record": ". IN DS twenty\n",
        "another record": ". IN A 192.0.2.1\n",
        "one too many": good + ". IN DS 32 15 2 " + "00" * 32 + "\n",
        "one too long": ". IN DNSKEY 257 3 8 " + base64.b64encode(bytes(1021)).decode() + "\n",
    }
    other.write_text(good + "$TTL 60\n. IN A 192.0.2.1\n")
    tap.check(state(case.lines(case.packets, other), "good") == (None, "no_anchor"), "anchors: 32 are read")
    for what, text in bad.items():
        other.write_text(text)
        done = program.run(case.options.mailtap, ["-q", "--dns", "-r", case.source, "-o", "-", "--trust-anchors", other])
        said = program.text(done.stderr)
        tap.check(done.returncode != 0 and said.count("\n") == 1 and str(other) in said, f"anchors: {what} is told in one line", [said])


def times(tap, case):
    for what, days, reason in (("a year later they have expired", 366, "expired"), ("a year before they are not yet valid", -366, "not_yet_valid")):
        lines = case.lines(case.shifted(days * DAY))
        # Those of the root have, too: its keys are bogus, and so is all that rests on them.
        tap.check(state(lines, "good") == ("bogus", reason), what, [str(state(lines, "good"))])


def changed(tap, case):
    """One bit in the data of an answer for TXT, not in its signature."""

    def change(packet):
        message = Message(packet)
        if message.data is None or not message.answer or message.name != "rsa.example" or message.type != TXT:
            return packet
        at = packet.data.index(b"v=spf1 mx -all")
        data = bytearray(packet.data)
        data[at + 10] ^= 0x10
        return packet.with_data(bytes(data))

    lines = case.lines([change(packet) for packet in case.packets])
    tap.check(state(lines, "rsa") == ("bogus", "signature") and lines["rsa.example"]["dnssec_sets_secure"] == 4, "one changed bit is found", [str(lines["rsa.example"])])


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    case = Case(options)
    table(tap, agreement(tap, case))
    unseen(tap, case)
    times(tap, case)
    changed(tap, case)
    with tempfile.TemporaryDirectory() as folder:
        other_roots(tap, case, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
