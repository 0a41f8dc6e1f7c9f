#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Headers of mail in the clear (--mail-headers): messages.jsonl, from forged conversations and from captures.

- what is verified of DKIM is what python3-dkim and libopendkim make of the same message and key;
- a message is told of in the same way however it is cut into segments, by DATA and by BDAT;
- what was not seen is not verified, and says why;
- refusals are told with what they name;
- no address, subject, other field or body text stands in any output, whatever it is asked to write;
- sessions are the same with and without the option, but for what their messages come to;
- tables are what the lines come to, of a run and of a report;
- the lines of each capture headers-* are those of the golden file beside this test, whatever the number of workers,
  and agree with python3-dkim on what the capture has.

Of mail that is fetched fetched.py says the same.

--update writes the golden files.
"""

import base64
import csv
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "report"))

import figures  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

HERE = Path(__file__).resolve().parent
DEBIAN_PYTHON = "/usr/bin/python3"  # has Debian's packages
SECOND = 1_000_000_000
RESOLVER, RECEIVER = "198.51.100.53", "198.51.100.20"
TXT, SOA, CNAME, NAME_ERROR = 16, 6, 5, 3
CANARIES = [b"canary-from-81f3", b"canary-rcpt-5c20", b"canary-subject-a7e4", b"canary-body-d915", b"canary-field-36bb",
            b"canary-id-4f08"]  # fmt: skip
# Where others think differently, and why.
KNOWN = {
    ("python3-dkim", "a key for sha1"): [True],  # it does not read h= of a key (RFC 6376 3.6.1)
    # It adds no line end in the relaxed form (RFC 6376 3.4.4), which no message by DATA lacks.
    ("libopendkim", "simple/relaxed: no line end"): [False],
    ("libopendkim", "relaxed/relaxed: no line end"): [False],
    # It passes over a signature whose expiry is no number.
    ("libopendkim", "an expiry that is none"): [],
    # No message has one (RFC 5322 2.3): each does with it as it likes.
    ("libopendkim", "simple/relaxed: bare CR"): [False],
    ("libopendkim", "relaxed/relaxed: bare CR"): [False],
}
MESSAGE = (
    b"Received: from web.example.org (web.example.org [192.0.2.7])\r\n"
    b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    b"\tby out.example.org (Postfix) with ESMTPS id canary-id-4f08\r\n"
    b"\tfor <canary-rcpt-5c20@example.com>; Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"Received: from localhost (localhost [127.0.0.1]) by web.example.org with SMTP; x\r\n"
    b"From: Somebody <canary-from-81f3@example.org>\r\n"
    b"To: <canary-rcpt-5c20@example.com>\r\n"
    b"Subject: canary-subject-a7e4\r\n  and more\r\n"
    b"Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <canary-id-4f08@example.org>\r\n"
    b"X-Field: canary-field-36bb\r\n"
    b"Content-Type: text/plain\r\n"
    b"\r\n"
    b"Hello  canary-body-d915 \t\r\n"
    b".a line with a dot\r\n"
    b"\r\n"
    b"..two \r\n"
    b" \t \r\n"
    b"the end\r\n"
)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


class Key:
    """A key for signatures, and its record."""

    def __init__(self, folder, name, algorithm="RSA", bits=2048):
        self.path = Path(folder, f"{name}.key")
        options = ["-pkeyopt", f"rsa_keygen_bits:{bits}"] if algorithm == "RSA" else []
        openssl("genpkey", "-algorithm", algorithm, *options, "-out", self.path)
        der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if algorithm == "RSA":
            self.record = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
            self.secret = openssl("rsa", "-traditional", "-in", self.path).decode()
        else:
            self.record = "v=DKIM1; k=ed25519; p=" + base64.b64encode(der[-32:]).decode()
            raw = openssl("pkey", "-in", self.path, "-outform", "DER")[-32:]
            self.secret = base64.b64encode(raw).decode()


def der(tag, content):
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x82, size >> 8, size & 255]) + content


def forged_record(modulus, exponent):
    """A record with a key of these many bytes, of which nobody has the secret."""
    numbers = der(2, b"\0" + b"\xc5" * modulus) + der(2, b"\x01" + b"\x01" * (exponent - 1))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return "v=DKIM1; k=rsa; p=" + base64.b64encode(der(0x30, algorithm + der(3, b"\0" + der(0x30, numbers)))).decode()


# ---- packets


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


class Answers:
    """Questions and answers of DNS for keys, before the mail."""

    def __init__(self):
        self.packets, self.time, self.ident = [], START - 10**9, 0

    def _send(self, source, destination, ports, payload):
        self.time += 1_000_000
        udp = struct.pack("!4H", *ports, 8 + len(payload), 0) + payload
        frame = pk.ethernet_header(4) + pk.ip_header(source, destination, 17, len(udp)) + udp
        self.packets.append(cf.Packet(self.time, frame, len(frame)))

    def add_alias(self, owner, target):
        """By a server that does not know what it leads to."""
        self.ident += 1
        question = name(owner) + struct.pack("!2H", TXT, 1)
        self._send(RECEIVER, RESOLVER, (4000, 53), struct.pack("!6H", self.ident, 0x0100, 1, 0, 0, 0) + question)
        alias = b"\xc0\x0c" + struct.pack("!2HIH", CNAME, 1, 300, len(name(target))) + name(target)
        self._send(RESOLVER, RECEIVER, (53, 4000), struct.pack("!6H", self.ident, 0x8400, 1, 1, 0, 0) + question + alias)

    def add(self, owner, text, resolver=RESOLVER):
        """`text` None: there is no such name."""
        self.ident += 1
        question = name(owner) + struct.pack("!2H", TXT, 1)
        self._send(RECEIVER, resolver, (4000, 53), struct.pack("!6H", self.ident, 0x0100, 1, 0, 0, 0) + question)
        start = b"\0\0" + struct.pack("!5I", 1, 3600, 600, 86400, 300)
        records = b"\0" + struct.pack("!2HIH", SOA, 1, 300, len(start)) + start  # of the root: there is no such name
        code = NAME_ERROR
        if text is not None:
            data = b"".join(bytes([len(text[i : i + 255])]) + text[i : i + 255].encode() for i in range(0, len(text), 255))
            records, code = b"\xc0\x0c" + struct.pack("!2HIH", TXT, 1, 300, len(data)) + data, 0
        head = struct.pack("!6H", self.ident, 0x8180 | code, 1, text is not None, text is None, 0)
        self._send(resolver, RECEIVER, (53, 4000), head + question + records)


def greet(talk):
    talk.open().server(b"220 mx.example.com ESMTP\r\n").client(b"EHLO out.example.org\r\n")
    talk.server(b"250-mx.example.com\r\n250-PIPELINING\r\n250 CHUNKING\r\n")


def envelope(talk):
    talk.client(b"MAIL FROM:<canary-from-81f3@example.org>\r\n").server(b"250 2.1.0 ok\r\n")
    talk.client(b"RCPT TO:<canary-rcpt-5c20@example.com>\r\n").server(b"250 2.1.5 ok\r\n")


def stuffed(message):
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in message.split(b"\r\n"))


def by_data(talk, message, **how):
    talk.client(b"DATA\r\n").server(b"354 go ahead\r\n")
    talk.client(stuffed(message) + (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n", **how)


def by_bdat(talk, message, sizes):
    at = 0
    for size in sizes:
        chunk = message[at : at + size]
        at += size
        talk.client(b"BDAT %d\r\n" % len(chunk) + chunk).server(b"250 ok\r\n")
    talk.client(b"BDAT %d LAST\r\n" % len(message[at:]) + message[at:])


def mail(message, mss=1400, bdat=None, number=0):
    """A session with one message that is taken."""
    talk = Conversation(25, mss=mss, client_port=40000 + number, start=START + number * 10**9)
    greet(talk)
    envelope(talk)
    if bdat is None:
        by_data(talk, message)
    else:
        by_bdat(talk, message, bdat)
    talk.server(b"250 2.0.0 taken\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()
    return talk.packets


def read(mailtap, capture, extra=("--dns",)):
    """The lines, the sessions as they were written, and all bytes that were."""
    with tempfile.TemporaryDirectory() as logs:
        done = program.run(mailtap, ["-q", "--mail-headers", *extra, "-r", capture, "-w", logs, "--sensor", program.SENSOR])
        if done.returncode != 0:
            raise program.RunError(f"{capture}: exit code {done.returncode}: {program.text(done.stderr)}")
        written = {path.name: path.read_bytes() for path in Path(logs).iterdir()}
    return program.json_lines(written["messages.jsonl"]), written["sessions.jsonl"], b"".join(written.values()) + done.stderr


def read_packets(mailtap, folder, packets, extra=("--dns",)):
    path = Path(folder, "capture.pcap")
    cf.write(path, packets)
    return read(mailtap, path, extra)


def check(tap, passed, what, details):
    """What was found is told only where it is not what it should be."""
    tap.check(passed, what, () if passed else str(details).splitlines())


# ---- signatures


def cases_of(keys):
    """(name, message, how it is signed and altered, what DNS has, what mailtap is to say)."""
    rsa, other, weak, edwards = keys["rsa"], keys["other"], keys["weak"], keys["edwards"]
    mark = {"selector": "s1", "domain": "example.org", "key": rsa.secret}
    owner = "s1._domainkey.example.org"
    body = MESSAGE[: MESSAGE.index(b"\r\n\r\n") + 4]
    bodies = {"": b"", "one line end": b"\r\n", "many line ends": b"a\r\n\r\n\r\n\r\n", "no line end": b"a b",
              "blanks": b" \t \r\n\t\r\n", "blanks and text": b" a  \t b \r\n \r\n\r\n c\r\n \t\r\n",
              "bare CR": b"a\rb\r\n\rc\r\n", "8 bit": bytes(range(160, 256)) + b"\r\n", "long": b"0123456 \r\n" * 30000}  # fmt: skip
    for header in ("simple", "relaxed"):
        for form in ("simple", "relaxed"):
            for kind, text in bodies.items():
                yield f"{header}/{form}: {kind or 'empty'}", body + text, [{**mark, "forms": (header, form)}], [], {owner: rsa.record}, [("pass", None)]
            yield f"{header}/{form} of libopendkim", MESSAGE, [{**mark, "forms": (header, form), "signer": "libopendkim"}], [], {owner: rsa.record}, [("pass", None)]
            yield f"{header}/{form}", MESSAGE, [{**mark, "forms": (header, form)}], [], {owner: rsa.record}, [("pass", None)]
    plain = [mark]
    good = {owner: rsa.record}
    yield "body altered", MESSAGE, plain, [("the end", "The end")], good, [("fail", "body_hash")]
    yield "blanks of the body altered", MESSAGE, plain, [("the end", "the   end ")], good, [("pass", None)]
    yield "blanks altered in the simple form", MESSAGE, [{**mark, "forms": ("simple", "simple")}], [("the end", "the  end")], good, [("fail", "body_hash")]
    yield "blanks at the end of lines", MESSAGE, plain, [("the end", "the end  \t")], good, [("pass", None)]
    yield "subject altered", MESSAGE, plain, [("canary-subject-a7e4", "canary-subject-a7e4 x")], good, [("fail", "signature")]
    yield "a field added above", MESSAGE, plain, [("Received: from web", "X-More: x\r\nReceived: from web")], good, [("pass", None)]
    yield "revoked", MESSAGE, plain, [], {owner: "v=DKIM1; p="}, [("fail", "key_revoked")]
    yield "no such key", MESSAGE, plain, [], {owner: None}, [("fail", "no_key")]
    yield "no key record", MESSAGE, plain, [], {owner: "something else"}, [("fail", "no_key")]
    yield "another key", MESSAGE, plain, [], {owner: other.record}, [("fail", "signature")]
    yield "a key for sha1", MESSAGE, plain, [], {owner: rsa.record + "; h=sha1"}, [("fail", "key_type")]
    yield "a key of another type", MESSAGE, plain, [], {owner: edwards.record}, [("fail", "key_type")]
    yield "weak key", MESSAGE, [{**mark, "key": weak.secret}], [], {owner: weak.record}, [("unverifiable", "weak_key")]
    yield "a key that is too long", MESSAGE, plain, [], {owner: forged_record(521, 3)}, [("unverifiable", "too_long")]
    yield "an exponent that is too long", MESSAGE, plain, [], {owner: forged_record(256, 9)}, [("unverifiable", "too_long")]
    yield "an exponent that is as long as may be", MESSAGE, plain, [], {owner: forged_record(256, 8)}, [("fail", "signature")]
    yield "ed25519", MESSAGE, [{**mark, "key": edwards.secret, "algorithm": "ed25519-sha256"}], [], {owner: edwards.record}, [("pass", None)]
    yield "two signatures", MESSAGE, [mark, {**mark, "selector": "s2", "domain": "list.example.net"}], [], \
        {owner: rsa.record, "s2._domainkey.list.example.net": rsa.record}, [("pass", None), ("pass", None)]  # fmt: skip
    yield "length tag", MESSAGE, [{**mark, "length": True}], [("the end\r\n", "the end\r\nand a footer\r\n")], good, [("pass", None)]
    yield "shorter than the length tag", MESSAGE, [{**mark, "length": True}], [("the end\r\n", "")], good, [("fail", "body_hash")]
    for what, tags in (("a tag twice", "d=example.org; d=example.org;"), ("a tag twice, of two domains", "d=example.net; d=example.org;"),
                       ("a length that is none", "l=-1; d=example.org;"), ("an expiry that is none", "x=never; d=example.org;")):  # fmt: skip
        yield what, MESSAGE, plain, [("d=example.org;", tags)], good, [("fail", "malformed")]
    yield "folded differently", MESSAGE, plain, [("canary-subject-a7e4\r\n  and", "canary-subject-a7e4 \r\n\t \r\n and")], good, [("pass", None)]
    yield "From twice in the signature", MESSAGE, [{**mark, "fields": ["from", "from", "to", "subject"]}], [("From: Some", "From: x <y@example.net>\r\nFrom: Some")], good, [("fail", "signature")]


def with_own_selectors(rows):
    """Each case asks for keys of its own, so that one capture has them all."""
    for number, (what, message, sign, alter, keys, expected) in enumerate(rows):
        own = {"s1": f"one-{number}", "s2": f"two-{number}"}
        sign = [{**one, "selector": own[one["selector"]]} for one in sign]
        keys = {own[owner[:2]] + owner[2:]: text for owner, text in keys.items()}
        yield what, message, sign, alter, keys, expected


def in_words(signature):
    return signature["result"], signature["why"]


def check_signatures(tap, mailtap, folder):
    keys = {"rsa": Key(folder, "rsa"), "other": Key(folder, "other"), "weak": Key(folder, "weak", bits=768),
            "edwards": Key(folder, "edwards", algorithm="ED25519")}  # fmt: skip
    rows = list(with_own_selectors(cases_of(keys)))
    asked = [{"name": row[0], "message": base64.b64encode(row[1]).decode(), "sign": row[2], "alter": row[3],
              "keys": {owner: text for owner, text in row[4].items() if text is not None}} for row in rows]  # fmt: skip
    command = [DEBIAN_PYTHON, HERE / "signer.py"]
    done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True)
    cases = json.loads(done.stdout)
    answers, packets, messages = Answers(), [], {}
    for number, (row, case) in enumerate(zip(rows, cases)):
        messages[row[0]] = base64.b64decode(case["signed"])
        packets += mail(messages[row[0]], number=number)
        for owner, text in row[4].items():
            answers.add(owner, text)
    lines, *_ = read_packets(mailtap, folder, answers.packets + packets)
    check(tap, len(lines) == len(rows), "a line for each message", len(lines))
    for row, case, line in zip(rows, cases, lines):
        found = [in_words(signature) for signature in line["dkim"]]
        check(tap, found == row[5], f"DKIM, {row[0]}", found)
        expected = [words[0] == "pass" for words in row[5]]
        for checker, verdicts in case["verdicts"].items():
            known = KNOWN.get((checker, row[0]), expected)
            check(tap, verdicts == known, f"DKIM, {row[0]}: {checker}", verdicts)
        if row[0] in ("relaxed/relaxed", "simple/simple"):
            check_pieces(tap, mailtap, folder, row[0], answers.packets, messages[row[0]])
    number = [row[0] for row in rows].index("relaxed/relaxed")
    owner = f"one-{number}._domainkey.example.org"
    answers = Answers()
    answers.add(owner, keys["rsa"].record)
    return owner, keys["rsa"].record, messages["relaxed/relaxed"], answers


def without_time(lines):
    return [{key: value for key, value in line.items() if key != "time"} for line in lines]


def check_pieces(tap, mailtap, folder, what, answers, message):
    expected, *_ = read_packets(mailtap, folder, answers + mail(message))
    for mss in (1, 2, 3, 61):
        lines, *_ = read_packets(mailtap, folder, answers + mail(message, mss=mss))
        check(tap, without_time(lines) == without_time(expected), f"{what} in segments of {mss}", lines)
    expected = [{**line, "transport": "bdat"} for line in without_time(expected)]
    for sizes in ([], [1], [40, 700], [len(message)], [500] * 2):
        lines, *_ = read_packets(mailtap, folder, answers + mail(message, bdat=sizes, mss=97))
        check(tap, without_time(lines) == expected, f"{what} by BDAT, in chunks of {sizes}", lines)




def check_unverifiable(tap, mailtap, folder, owner, record, signed, answers):
    """What is not known is not said."""
    expected = lambda lines: [in_words(one) for line in lines for one in line["dkim"] or []]  # noqa: E731
    lines, *_ = read_packets(mailtap, folder, mail(signed))
    check(tap, expected(lines) == [("unverifiable", "key_not_seen")], "the key was not seen", lines)
    lines, *_ = read_packets(mailtap, folder, answers.packets + mail(signed), ())
    check(tap, expected(lines) == [("unverifiable", "key_not_seen")], "nor is it without --dns", lines)
    elsewhere = Answers()
    elsewhere.add_alias(owner, "key.example.net")
    lines, *_ = read_packets(mailtap, folder, elsewhere.packets + mail(signed))
    check(tap, expected(lines) == [("unverifiable", "key_not_seen")], "an alias for the key was seen, and no more", lines)
    elsewhere.add("key.example.net", record)
    lines, *_ = read_packets(mailtap, folder, elsewhere.packets + mail(signed))
    check(tap, expected(lines) == [("pass", None)], "the key stands behind an alias", lines)
    old = Answers()
    old.add(owner, "v=DKIM1; p=")
    for after, known in ((298, ("fail", "key_revoked")), (302, ("unverifiable", "key_old"))):
        later = [packet.at(packet.time + after * SECOND) for packet in mail(signed)]
        lines, *_ = read_packets(mailtap, folder, old.packets + later)
        check(tap, expected(lines) == [known], f"a key that was revoked {after} seconds ago, good for 300", lines)
        lines, *_ = read_packets(mailtap, folder, answers.packets + later)
        check(tap, expected(lines) == [("pass", None)], f"what verifies does so {after} seconds later", lines)
    later = [packet.at(packet.time + 302 * SECOND) for packet in mail(signed.replace(b"the end", b"The end"))]
    lines, *_ = read_packets(mailtap, folder, answers.packets + later)
    check(tap, expected(lines) == [("fail", "body_hash")], "for the body the key does not matter", lines)
    differing = Answers()
    differing.add(owner, record)
    differing.add(owner, "v=DKIM1; p=", resolver="203.0.113.53")
    lines, *_ = read_packets(mailtap, folder, differing.packets + mail(signed))
    check(tap, expected(lines) == [("unverifiable", "key_contradictory")], "answers contradict each other", lines)
    talk = Conversation(25)
    greet(talk)
    envelope(talk)
    talk.client(b"DATA\r\n").server(b"354 go\r\n").client(stuffed(signed)[:-60])
    talk.client(stuffed(signed)[-60:-30], lose=True).client(stuffed(signed)[-30:] + b".\r\n")
    talk.server(b"250 ok\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()
    lines, *_ = read_packets(mailtap, folder, answers.packets + talk.packets)
    check(tap, expected(lines) == [("unverifiable", "not_whole")] and lines[0]["complete"] is True, "bytes of the body are missing", lines)
    old = signed.replace(b"a=rsa-sha256", b"a=rsa-sha1", 1)
    lines, *_ = read_packets(mailtap, folder, answers.packets + mail(old))
    check(tap, expected(lines) == [("unverifiable", "algorithm")], "rsa-sha1 is not verified", lines)
    long = b"X-Long: %s\r\n" % (b"x" * 900) * 80 + signed
    lines, *_ = read_packets(mailtap, folder, answers.packets + mail(long))
    check(tap, lines[0]["complete"] is False and lines[0]["header_bytes"] > 65536 and expected(lines) == [],
          "a header that is too long", lines)  # fmt: skip
    bare = signed[: signed.index(b"\r\n\r\n") + 4] + signed[signed.index(b"\r\n\r\n") + 4 :].replace(b"\r\n", b"\n") + b"\r\n"
    lines, *_ = read_packets(mailtap, folder, answers.packets + mail(bare))
    check(tap, expected(lines) == [("unverifiable", "bare_line_ends")], "lines that end in LF alone", lines)


# ---- what else a line says


def check_header(tap, mailtap, folder):
    top = b"Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=canary-from-81f3@example.org; dkim=fail\r\n" \
        b"Authentication-Results: other.example.net; dmarc=pass\r\n"  # fmt: skip
    lines, *_ = read_packets(mailtap, folder, mail(top + MESSAGE))
    line = lines[0]
    hops = [(hop["with"], hop["tls"], hop["tls_version"], hop["internal"]) for hop in line["hops"]]
    check(tap, hops == [("ESMTPS", True, "TLSv1.3", True), ("SMTP", False, None, True)], "hops, the latest first", hops)
    results = [(one["method"], one["result"]) for one in line["authentication_results"]]
    check(tap, line["authentication_server"] == "mx.example.net" and results == [("spf", "pass"), ("dkim", "fail")],
          "results of the topmost field", line)  # fmt: skip
    check(tap, line["body_protection"] == "none" and line["outcome"] == "accepted" and line["complete"] is True and
          line["header_bytes"] == (top + MESSAGE).index(b"\r\n\r\n") + 2, "the rest of the line", line)  # fmt: skip
    protected = MESSAGE.replace(b"text/plain", b'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x')
    lines, *_ = read_packets(mailtap, folder, mail(protected))
    check(tap, lines[0]["body_protection"] == "pgp_mime", "PGP/MIME", lines)


def several(talk):
    """Transactions one behind the other, refused at each stage; what is expected of each."""
    greet(talk)
    talk.client(b"MAIL FROM:<canary-from-81f3@example.org>\r\n").server(b"550-5.7.23 no\r\n550 5.7.23 said canary-body-d915\r\n")
    envelope(talk)
    talk.client(b"RSET\r\n").server(b"250 ok\r\n")
    talk.client(b"MAIL FROM:<canary-from-81f3@example.org>\r\n").server(b"250 ok\r\n")
    talk.client(b"RCPT TO:<canary-rcpt-5c20@example.com>\r\n")
    talk.server(b"550 5.7.1 <canary-rcpt-5c20@example.com>: SPF fail - not authorized\r\n")
    talk.client(b"RCPT TO:<b@example.com>\r\n").server(b"451 4.2.1 later\r\n")
    envelope(talk)  # without RSET: another one
    by_data(talk, MESSAGE)
    talk.server(b"550 5.7.1 rejected by DMARC policy for example.org\r\n")
    envelope(talk)
    talk.client(b"DATA\r\n").server(b"451 4.7.1 greylisted\r\n")
    # pipelined: the answer comes behind the next MAIL
    envelope(talk)
    talk.client(b"DATA\r\n").server(b"354 go\r\n")
    talk.client(stuffed(MESSAGE) + b".\r\nMAIL FROM:<canary-from-81f3@example.org>\r\n")
    talk.server(b"550 5.7.26 DKIM and SPF\r\n250 ok\r\n")
    talk.client(b"RCPT TO:<canary-rcpt-5c20@example.com>\r\n").server(b"250 ok\r\n")
    by_data(talk, MESSAGE)
    talk.server(b"250 taken\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()
    return [
        (1, None, "refused", "mail", 550, "5.7.23", ["spf"]),
        (3, None, "refused", "rcpt", 550, "5.7.1", ["spf"]),
        (4, "data", "refused", "message", 550, "5.7.1", ["dmarc"]),
        (5, None, "deferred", "data", 451, "4.7.1", []),
        (6, "data", "refused", "message", 550, "5.7.26", ["spf", "dkim", "authentication"]),
        (7, "data", "accepted", None, None, None, None),
    ]


def check_refusals(tap, mailtap, folder):
    talk = Conversation(25)
    expected = several(talk)
    lines, _, written = read_packets(mailtap, folder, talk.packets)
    keys = ("transaction", "transport", "outcome", "refused_at", "refusal_code", "refusal_status", "refusal_causes")
    found = [tuple(line[key] for key in keys) for line in lines]
    check(tap, found == expected, "what became of transactions, and where", "\n".join(map(str, found)))
    check_silence(tap, written, "refusals")
    one_sided, *_ = read_packets(mailtap, folder, talk.one_sided("client"))
    outcomes = {line["outcome"] for line in one_sided}
    check(tap, outcomes <= {None}, "without the server's side no outcome is known", one_sided)


def check_silence(tap, written, what):
    found = [canary for canary in CANARIES if canary in written]
    check(tap, not found, f"{what}: nothing of a message stands in any output", found)


def check_private(tap, mailtap, folder, signed, answers):
    """Whatever is written: with and without other addresses, with metrics, tables and a store."""
    key = Path(folder, "anonymise.key")
    key.write_text("07" * 32 + "\n")
    key.chmod(0o600)
    for extra in ([], ["--anonymise", str(key)]):
        out = Path(folder, f"out-{len(extra)}")
        out.mkdir()
        more = ["--metrics", str(out / "metrics"), "--csv", str(out / "csv"), "--store", "sqlite", "--store-file", str(out / "store.db")]
        lines, _, written = read_packets(mailtap, folder, answers.packets + mail(signed), ["--dns", *more, *extra])
        written += b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        check_silence(tap, written, "with other addresses" if extra else "all outputs")
        check(tap, lines[0]["dkim"][0]["result"] == "pass", "and the signature passes", lines)


def summed(lines):
    """What the lines of a session come to, as its record has it."""
    sums = dict.fromkeys(("hops_internal_tls", "hops_internal_clear", "hops_internal_not_seen", "hops_unplaced", "accepted",
                          "refused", "deferred", "outcome_not_seen", "refused_with_cause", "refused_spf", "refused_dkim",
                          "refused_dmarc", "refused_other"), 0)  # fmt: skip
    protection = {True: "tls", False: "clear", None: "not_seen"}
    for line in lines:
        for hop in line["hops"] or []:
            if hop["internal"] is not False:
                sums[f"hops_internal_{protection[hop['tls']]}" if hop["internal"] else "hops_unplaced"] += 1
        if line["hop"] == "access":
            continue  # of a copy nothing becomes
        sums[line["outcome"] or "outcome_not_seen"] += 1
        causes = set(line["refusal_causes"] or []) if (line["refusal_code"] or 0) >= 500 else set()
        sums["refused_with_cause"] += bool(causes)
        sums["refused_other"] += bool(causes & {"arc", "authentication"})
        for cause in causes & {"spf", "dkim", "dmarc"}:
            sums[f"refused_{cause}"] += 1
    return sums


def check_tables(tap, mailtap, folder, captures):
    """Of a run, of a report on its logs, and as figures.py has them."""
    logs, own, reported = (Path(folder, name) for name in ("logs", "csv-of-run", "csv-of-report"))
    talk = Conversation(25, client="192.0.2.99", client_port=50000)
    several(talk)
    path = Path(folder, "several.pcap")
    cf.write(path, talk.packets)
    inputs = [argument for capture in [*captures, path] for argument in ("-r", capture)]
    program.run(mailtap, ["-q", "--mail-headers", *inputs, "-w", logs, "--csv", own])
    program.run(mailtap, ["report", "-q", "-i", logs, "--csv", reported])
    records = program.json_lines(Path(logs, "sessions.jsonl").read_bytes())
    lines = program.json_lines(Path(logs, "messages.jsonl").read_bytes())
    for record in records:
        mine = summed([line for line in lines if line["session_id"] == record["session_id"]])
        if record["mail_headers"] != mine:
            check(tap, False, "a session's figures are those of its lines", f"{record['mail_headers']}\n{mine}")
    for table in ("internal_hops", "enforcement", "enforcement_networks"):
        rows = {tuple(row) for row in csv.reader(Path(own, f"{table}.csv").open(newline=""))}
        expected = figures.TABLES[table](records)
        check(tap, len(expected) > 0 and len(rows) == len(expected) + 1 and expected <= rows,
              f"{table} is what figures.py has", f"{rows}\n{expected}")  # fmt: skip
        check(tap, Path(own, f"{table}.csv").read_bytes() == Path(reported, f"{table}.csv").read_bytes(),
              f"{table} of a report is that of the run", "")  # fmt: skip


def without_figures(sessions):
    records = program.json_lines(sessions)
    tells = all("mail_headers" in record for record in records)
    return tells, [{key: value for key, value in record.items() if key != "mail_headers"} for record in records]


def check_same_sessions(tap, mailtap, captures):
    different = []
    for capture in captures:
        _, sessions, _ = read(mailtap, capture, ())
        with tempfile.TemporaryDirectory() as logs:
            program.run(mailtap, ["-q", "-r", capture, "-w", logs, "--sensor", program.SENSOR])
            plain = program.json_lines(Path(logs, "sessions.jsonl").read_bytes())
            if without_figures(sessions) != (True, plain) or Path(logs, "messages.jsonl").exists():
                different.append(capture.name)
    check(tap, captures and not different, "sessions are the same without the option, and there are no messages", different)


# ---- captures of real servers


def said_of_keys(capture):
    """Records of type TXT that answers in a capture have (by UDP): name -> text."""
    found = {}
    for packet in cf.read(capture):
        ip = packet.data[14:]
        if ip[9] != 17 or int.from_bytes(ip[20:22]) != 53:
            continue
        message = ip[28:]
        questions, answers = struct.unpack("!2H", message[4:8])
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode())
            at += 1 + message[at]
        at += 5
        if questions != 1 or not answers or int.from_bytes(message[at : at + 2]) != 0xC00C:
            continue
        kind, length = int.from_bytes(message[at + 2 : at + 4]), int.from_bytes(message[at + 10 : at + 12])
        data, text = message[at + 12 : at + 12 + length], b""
        while data:
            text, data = text + data[1 : 1 + data[0]], data[1 + data[0] :]
        if kind == TXT:
            found[".".join(labels)] = text.decode()
    return found


def said_in_mail(capture):
    """Messages that cross by DATA in a capture without loss, as they were before they were stuffed."""
    said = {}
    for packet in cf.read(capture):
        segment = pk.parse_segment(packet)
        if segment and segment.dport == 25:
            said.setdefault(segment.source, {})[segment.seq] = segment.payload
    for pieces in said.values():
        for part in b"".join(pieces[at] for at in sorted(pieces)).split(b"\r\nDATA\r\n")[1:]:
            message, dot, _ = (b"\r\n" + part).partition(b"\r\n.\r\n")
            if dot:
                yield (message + b"\r\n").replace(b"\r\n..", b"\r\n.")[2:]


def check_others(tap, capture, messages, lines):
    """What python3-dkim and libopendkim make of the messages and keys of a capture."""
    asked = [{"name": capture.name, "message": base64.b64encode(message).decode(), "sign": [], "alter": [],
              "keys": said_of_keys(capture)} for message in messages]  # fmt: skip
    command = [DEBIAN_PYTHON, HERE / "signer.py"]
    done = subprocess.run(command, input=json.dumps(asked).encode(), stdout=subprocess.PIPE, check=True)
    own = [[one["result"] == "pass" for one in line["dkim"]] for line in lines]
    for checker in ("python3-dkim", "libopendkim"):
        theirs = [case["verdicts"][checker] for case in json.loads(done.stdout)]
        check(tap, own == theirs and sum(map(len, own)) > 1, f"{capture.name}: {checker} says the same", f"{own}\n{theirs}")


def check_capture(tap, options, capture):
    golden = HERE / f"{capture.name}.jsonl"
    lines, *_ = read(options.mailtap, capture)
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    if options.update:
        golden.write_text(text)
    check(tap, golden.is_file() and golden.read_text() == text, f"{capture.name}: as its golden file says", text)
    threads, *_ = read(options.mailtap, capture, ["--dns", "--workers", "3"])
    check(tap, threads == lines, f"{capture.name}: the same with three workers", threads)
    return lines


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write the golden files")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        owner, record, signed, answers = check_signatures(tap, options.mailtap, folder)
        check_unverifiable(tap, options.mailtap, folder, owner, record, signed, answers)
        check_header(tap, options.mailtap, folder)
        check_refusals(tap, options.mailtap, folder)
        check_private(tap, options.mailtap, folder, signed, answers)
    check_same_sessions(tap, options.mailtap, sorted(options.pcaps.glob("smtp-*.pcap*")))
    captures = [capture for capture in program.captures(options.pcaps) if capture.name.startswith("headers-")]
    found = [capture for capture in captures if not capture.name.startswith("headers-fetched-")]
    check(tap, len(found) == 2, "there are captures of headers", found)
    for capture in found:
        lines = check_capture(tap, options, capture)
        check_others(tap, capture, said_in_mail(capture), [line for line in lines if line["transport"]])
    with tempfile.TemporaryDirectory() as folder:
        check_tables(tap, options.mailtap, folder, captures)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
