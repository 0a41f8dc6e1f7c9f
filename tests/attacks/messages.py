#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mail whose header wants to be read wrongly, or for long, or to be kept (--mail-headers): lines and headers without
end, thousands of hops and signatures, tags that lie, and many at once."""

import base64
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dns"))

import dns  # noqa: E402
from lib import attack, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

SERVER = "198.51.100.250"
HEADER_MAX, FIELDS_MAX, HOPS_MAX, SIGNATURES_MAX, RESULTS_MAX = 65536, 512, 32, 4, 16
HOP = b"Received: from a.example (a.example [192.0.2.1])\r\n\tby b.example with ESMTPS (TLS1.3); x\r\n"
END = b"From: <a@example.org>\r\nSubject: x\r\n\r\nbody\r\n"
HEAD = len(b"X: \r\n" + END.partition(b"\r\n\r\n")[0]) + 2  # bytes of a header with one long field besides END's
GOOD = {"v": b"1", "a": b"rsa-sha256", "d": b"example.org", "s": b"one", "h": b"from:subject", "bh": base64.b64encode(bytes(32)),
        "b": base64.b64encode(bytes(256))}  # fmt: skip


def dkim(**tags):
    """A signature's field, with these tags instead of good ones; None: without."""
    tags = {**GOOD, **tags}
    return b"DKIM-Signature: " + b"; ".join(name.encode() + b"=" + value for name, value in tags.items() if value is not None) + b"\r\n"


def many_names(count):
    return b":".join(b"x%d" % number for number in range(count))


# Headers, and what must be said of each.
CASES = {
    "a field without end": (b"X: " + b"x" * 10**6 + b"\r\n" + END, {"complete": False}),
    "a field that is folded without end": (b"Received: x" + b"\r\n\ty" * 300_000 + b"\r\n" + END, {"complete": False, "hops": []}),
    "a name without end": (b"x" * 10**6 + b"\r\n" + END, {"complete": False}),
    "a header without end": (b"X: y\r\n" * 100_000, {"complete": False}),
    "a hundred thousand hops": (HOP * 100_000 + END, {"complete": False, "hops": HOPS_MAX, "hops_left_out": FIELDS_MAX - HOPS_MAX}),
    "as many fields as are read": (HOP * (FIELDS_MAX - 2) + END, {"complete": True, "hops_left_out": FIELDS_MAX - 2 - HOPS_MAX}),
    "one more": (HOP * (FIELDS_MAX - 1) + END, {"complete": False}),
    "as many bytes as are held": (b"X: " + b"x" * (HEADER_MAX - HEAD) + b"\r\n" + END, {"complete": True, "header_bytes": HEADER_MAX}),
    "one byte more": (b"X: " + b"x" * (HEADER_MAX - HEAD + 1) + b"\r\n" + END, {"complete": False}),
    "signatures": (dkim() * 50 + END, {"complete": True, "dkim": ["unverifiable key_not_seen"] * SIGNATURES_MAX, "dkim_left_out": 50 - SIGNATURES_MAX}),
    "results": ((b"Authentication-Results: b.example; " + b"spf=pass; dkim=fail; dmarc=none; " * 900 + b"\r\n") + END,
                {"complete": True, "authentication_results": RESULTS_MAX}),
    "comments in comments": (b"Received: from a " + b"(" * 50_000 + b" by b with SMTP; x\r\n" + END, {"complete": True, "hops": 1}),
    "quotes without end": (b"Authentication-Results: b; spf=\"" + b"\\\"" * 20_000 + b"\r\n" + END, {"complete": True}),
    "tags without end": (b"DKIM-Signature: " + b"a=;b=;" * 10_000 + b"\r\n" + END, {"dkim": ["fail malformed"]}),
    "a tag of all bytes": (dkim(x=b"y" * 60_000) + END, {"dkim": ["fail malformed"]}),
    "a tag in capitals": (dkim(D=b"example.net") + END, {"complete": True, "dkim": ["unverifiable key_not_seen"]}),
    "only in capitals": (dkim(d=None, D=b"example.net") + END, {"complete": True, "dkim": ["fail malformed"]}),
    "two of a tag": (dkim()[:-2] + b"; d=example.net\r\n" + END, {"dkim": ["fail malformed"]}),
    "128 names of fields": (dkim(h=b"from:" + many_names(127)) + END, {"dkim": ["unverifiable key_not_seen"]}),
    "129 names of fields": (dkim(h=b"from:" + many_names(128)) + END, {"dkim": ["unverifiable too_long"]}),
    "9000 names of fields": (dkim(h=b"from:" + many_names(9000)) + END, {"dkim": ["unverifiable too_long"]}),
    "nothing signed": (dkim(h=b"") + END, {"dkim": ["fail malformed"]}),
    "a signature of 512 bytes": (dkim(b=base64.b64encode(bytes(512))) + END, {"dkim": ["unverifiable key_not_seen"]}),
    "a signature of 513 bytes": (dkim(b=base64.b64encode(bytes(513))) + END, {"dkim": ["unverifiable too_long"]}),
    "a signature that is none": (dkim(b=b"%%%%" * 100) + END, {"dkim": ["fail malformed"]}),
    "a hash that is none": (dkim(bh=b"====") + END, {"dkim": ["fail malformed"]}),
    "a hash that is too long": (dkim(bh=base64.b64encode(bytes(33))) + END, {"dkim": ["fail malformed"]}),
    "a length of nothing": (dkim(l=b"0") + END, {"dkim": ["unverifiable key_not_seen"]}),
    "a length beyond all": (dkim(l=b"9" * 76) + END, {"dkim": ["unverifiable key_not_seen"]}),
    "a length beyond 64 bits": (dkim(l=b"18446744073709551617") + END, {"dkim": ["unverifiable key_not_seen"]}),
    "a length that is none": (dkim(l=b"-1") + END, {"dkim": ["fail malformed"]}),
    "bodies in bodies": (b"Content-Type: multipart/mixed; boundary=\"" + b"x" * 1000 + b"\"\r\n" + END
                         + (b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n") * 20_000, {"complete": True, "body_protection": "none"}),
    "control characters": (dkim(d=b"ex\x1b[31mample.org", s=b"\x00\x07") + b"Authentication-Results: \x1b]0;x\x07; spf=\x9b\r\n"
                           b"Received: from \x1b[2J by \x00 with \x7f; \xff\r\n" + END, {"complete": True}),
}  # fmt: skip


def mail(number, message, dot=b".\r\n"):
    """A message with CR and LF at the end of each line; `dot` empty: it does not end."""
    talk = Conversation(25, client=f"192.0.2.{number % 200 + 1}", server=SERVER, client_port=2000 + number, start=START + number * 10**8)
    talk.open().server(b"220 mx.example.net ESMTP\r\n").client(b"EHLO a.example\r\n").server(b"250 mx.example.net\r\n")
    for command, answer in ((b"MAIL FROM:<a@example.org>", b"250 ok"), (b"RCPT TO:<b@example.net>", b"250 ok"), (b"DATA", b"354 go")):
        talk.client(command + b"\r\n").server(answer + b"\r\n")
    talk.client(message + dot)
    return (talk.server(b"250 ok\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close() if dot else talk).packets


def told(line, key):
    value = line[key]
    if key == "dkim":
        return [f"{one['result']} {one['why']}" for one in value]
    return len(value) if isinstance(value, list) and value else value


def check_cases(tap, mailtap):
    packets = [packet for number, (message, _) in enumerate(CASES.values()) for packet in mail(number, message)]
    before, after = attack.beside(mailtap, sorted(packets, key=lambda packet: packet.time), "--dns", "--mail-headers")
    attack.check_beside(tap, "headers", before, after, 4)
    lines = {line["client_port"] - 2000: line for line in after.lines["messages"] if line["server_ip"] == SERVER}
    for number, (what, (_, expected)) in enumerate(CASES.items()):
        line = lines.get(number)
        wrong = [f"{key} is {program.show(told(line, key))}, not {program.show(value)}"
                 for key, value in expected.items() if told(line, key) != value] if line else ["nothing is told"]  # fmt: skip
        tap.check(not wrong, what, wrong)
    raw = re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]", after.written)
    tap.check(not raw, "no control character stands in any output", [str(raw)])
    others = [[line for line in outcome.lines["messages"] if line["server_ip"] != SERVER] for outcome in (before, after)]
    shown = [[json.dumps(line) for line in lines] for lines in others]
    tap.check(others[0] and shown[0] == shown[1], "of bystanders' messages the same is told", [str(len(lines)) for lines in others])


def check_many(tap, mailtap):
    """A thousand at once, each with a header that has no end, in a quarter of the memory that they would take."""
    packets = [packet for number in range(500) for packet in mail(number, b"X: y\r\n" * 5000, b"")]
    packets = [packet.at(START + (index * attack.LASTS * 10**9) // len(packets)) for index, packet in enumerate(packets)]
    before, after = attack.beside(mailtap, packets, "--dns", "--mail-headers")
    attack.check_memory(tap, "headers at once", before, after, 10)
    attack.check_sums(tap, "headers at once", after)
    used = after.metrics["mailtap_memory_refused_total"] + after.capture["flows_evicted"]
    tap.check(used > 0, f"headers at once: {used:.0f} were given up or refused")


def filled(text, count=60_000):
    return text * (count // len(text))


# Texts of which a part looks like the beginning of something, again and again: whoever looks from there to the end
# each time is at it for hours.
DEAR = [
    b"Received: from a (" + filled(b"TLS1 ") + b") by b with SMTP; x", b"Received: from a " + filled(b"(TLS1)") + b" by b; x",
    b"Received: from a (" + filled(b"10.0.0.1 ") + b") by b; x", b"Received: from a " + filled(b"(") + b" by b; x",
    b"Received: from a " + filled(b"by ") + b"with SMTP; x", b"Received: from a " + filled(b"\"") + b" by b; x",
    b"Authentication-Results: b; " + filled(b"dkim=pass (x) header.d=x "), b"Authentication-Results: b; " + filled(b"spf="),
    b"Authentication-Results: " + filled(b"((((") + b"; spf=pass", b"Content-Type: multipart/signed; " + filled(b"protocol=x;"),
    b"Content-Type: " + filled(b"multipart/"), b"From: " + filled(b"<"), b"From: " + filled(b"a@b,"), b"From: " + filled(b"(\\"),
    b"Subject: " + filled(b"\r\n "), dkim(h=b"from" + b" " * 60_000).strip(), dkim(b=b" " * 60_000).strip(), dkim(d=filled(b"a.")).strip(),
    b"DKIM-Signature: " + filled(b"b=;"), dkim(i=filled(b"@")).strip(), b"\r\n".join([dkim(h=b"from:" + many_names(127)).strip()] * 4 + [b"x: y"] * 500),
]  # fmt: skip


def check_work(tap, mailtap):
    """That it ends within the minute that a run has."""
    packets = [packet for number, field in enumerate(DEAR * 8) for packet in mail(number, field + b"\r\n" + END)]
    before, after = attack.beside(mailtap, sorted(packets, key=lambda packet: packet.time), "--dns", "--mail-headers")
    attack.check_beside(tap, "what is dear to read", before, after, 4)
    told = [line for line in after.lines["messages"] if line["server_ip"] == SERVER]
    tap.check(len(told) == len(DEAR) * 8, "what is dear to read: all are told of", [str(len(told))])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    check_cases(tap, options.mailtap)
    check_work(tap, options.mailtap)
    check_many(tap, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
