#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Headers of mail that is fetched in the clear (--mail-headers), by IMAP and POP3, or put into a mail store.

- each way to ask for a message gives one line, which says by what the message crossed and how much of it;
- what crosses whole is verified, and agrees with python3-dkim and libopendkim; of a part nothing is said but why;
- what only looks like a message is none, and a message is told of in the same way however it is cut into segments;
- what is missing is not seen; sessions are the same without the option;
- no address, subject, other field or body text stands in any output;
- the lines of each capture headers-fetched-* are those of the golden file beside this test, whatever the number of
  workers.

--update writes the golden files.
"""

import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import headers  # noqa: E402
from headers import MESSAGE, Conversation, cf, check, pk, program  # noqa: E402
from lib.tap import Tap  # noqa: E402

PASS, PART = ("pass", None), ("unverifiable", "not_whole")


def literal(text, sign=b""):
    return b"{%d%s}\r\n" % (len(text), sign) + text


class Imap:
    """A conversation of IMAP: what is asked and answered, and the lines that must come of it."""

    def __init__(self, message, mss=1400, number=0):
        self.message, self.expected, self.tag = message, [], 0
        self.talk = Conversation(143, mss=mss, client_port=41000 + number)
        self.talk.open().server(b"* OK [CAPABILITY IMAP4rev1 LITERAL+ CATENATE] ready\r\n")
        self.ask(b"LOGIN user password")

    def ask(self, command, response=b"", answer=b"OK done", **how):
        self.tag += 1
        self.talk.client(b"a%d %s\r\n" % (self.tag, command), **how)
        self.talk.server(response + b"a%d %s\r\n" % (self.tag, answer))
        return self

    def fetch(self, items, *lines):
        """A response to FETCH; `lines`: (part, complete, what is said of its signature) of what is told."""
        self.ask(b"FETCH 1 x", b"* 1 FETCH (%s)\r\n" % items)
        self.expected += [("fetch", *line) for line in lines]
        return self

    def append(self, rest, *lines):
        self.ask(b"APPEND " + rest)
        self.expected += [("append", *line) for line in lines]
        return self

    def end(self):
        self.ask(b"LOGOUT", b"* BYE\r\n").talk.close()
        return self.talk.packets


def everything(message, mss=1400):
    header, body = message[: message.index(b"\r\n\r\n") + 4], message[message.index(b"\r\n\r\n") + 4 :]
    whole, head, first = ("whole", True, PASS), ("header", True, PART), ("beginning", True, PART)
    imap = Imap(message, mss)
    imap.fetch(b"BODY[] " + literal(message), whole)
    imap.fetch(b"UID 7 FLAGS (\\Seen) RFC822 " + literal(message) + b" RFC822.SIZE 1", whole)
    imap.fetch(b"rfc822.header " + literal(header) + b" UID 3", head)
    imap.fetch(b"BODY[HEADER] " + literal(header) + b" BODY[TEXT] " + literal(body), head)
    imap.fetch(b"BODY[]<0> " + literal(message[:-20]), first)
    imap.fetch(b"BODY[]<0> " + literal(header[:-20]), ("beginning", False, PART))
    imap.fetch(b"BINARY[] ~" + literal(message), ("decoded", True, PART))
    # several in the answer to one command
    imap.ask(b"UID FETCH 1:2 BODY[]", b"* 1 FETCH (BODY[] %s UID 1)\r\n* 2 FETCH (UID 2 BODY[] %s)\r\n" % (literal(message), literal(message)))
    imap.expected += [("fetch", *whole)] * 2
    # a beginning that is not one, texts alone, parts, nothing, and what is not asked for
    imap.fetch(b"BODY[]<40> " + literal(message[40:]))
    imap.fetch(b"BODY[TEXT] " + literal(body) + b" RFC822.TEXT " + literal(message) + b" BODY[1] " + literal(message))
    imap.fetch(b"BODY[HEADER.FIELDS (RECEIVED)] " + literal(header) + b" BODY[1.HEADER] " + literal(header))
    imap.fetch(b'BODY[] NIL BODY[] "" BODY[] {0}\r\n UID 4')
    imap.fetch(b'ENVELOPE ("BODY[] " "a \\" BODY[] " ' + literal(message) + b" NIL)")
    imap.ask(b"NOOP", b"* OK BODY[] " + literal(message) + b"\r\n")
    # a string that is no literal is a message of one line
    imap.fetch(b'BODY[] "X-Field: canary-field-36bb \\" quoted" UID 3', ("whole", True, None))
    # the client's
    imap.append(b"Kept (\\Seen) " + literal(message, b"+"), whole)
    imap.append(literal(b"Kept", b"+") + b' (\\Seen) "27-Nov-2026 10:00:00 +0000" ~' + literal(message, b"+"), whole)
    imap.append(b'"CATENATE" ' + literal(message, b"+") + b" (\\Seen) " + literal(message, b"+"), whole, whole)
    pieces = b" TEXT ".join(literal(piece, b"+") for piece in (header[:50], header[50:], body[:9], body[9:]))
    imap.append(b"Kept CATENATE (TEXT " + pieces + b")", whole)
    imap.append(b"Kept CATENATE (TEXT " + literal(header, b"+") + b' URL "/x" TEXT ' + literal(body, b"+") + b")", first)
    torn = literal(header[:-20], b"+") + b' URL "/x" TEXT ' + literal(header[-20:], b"+")
    imap.append(b"Kept CATENATE (TEXT " + torn + b")", ("beginning", False, PART))
    imap.append(b'Kept CATENATE (URL "/x;SECTION=HEADER" TEXT ' + literal(message, b"+") + b" URL " + literal(b"/y", b"+") + b")")
    imap.append(b"Kept CATENATE (TEXT " + literal(header, b"+") + b" URL " + literal(b"/y", b"+") + b") " + literal(message, b"+"), first, whole)
    # a literal that the server asks for, and one that it does not want
    imap.talk.client(b"s1 APPEND Kept {%d}\r\n" % len(message)).server(b"+ go\r\n").client(message + b"\r\n").server(b"s1 OK done\r\n")
    imap.expected.append(("append", *whole))
    imap.talk.client(b"s2 APPEND Gone {%d}\r\n" % len(message)).server(b"s2 NO [TRYCREATE] no\r\n")
    # both directions at once
    imap.talk.client(b"s3 FETCH 1 BODY[]\r\ns4 APPEND Kept " + literal(message, b"+")[:400])
    imap.talk.server((b"* 1 FETCH (BODY[] %s)\r\ns3 OK done\r\n" % literal(message))[:500])
    imap.talk.client(literal(message, b"+")[400:] + b"\r\n")
    imap.talk.server((b"* 1 FETCH (BODY[] %s)\r\ns3 OK done\r\n" % literal(message))[500:] + b"s4 OK done\r\n")
    packets = imap.end()
    return packets, imap.expected, [("append", *whole), ("fetch", *whole)]


def dotted(message):
    return b"".join(b"." + line if line.startswith(b".") else line for line in message.splitlines(True)) + b".\r\n"


class Pop3:
    def __init__(self, mss=1400, number=0):
        self.expected = []
        self.talk = Conversation(110, mss=mss, client_port=42000 + number)
        self.talk.open().server(b"+OK ready\r\n").client(b"USER user\r\n").server(b"+OK\r\n").client(b"PASS password\r\n").server(b"+OK\r\n")

    def ask(self, command, text, *lines):
        self.talk.client(command + b"\r\n").server(b"+OK follows\r\n" + dotted(text))
        self.expected += [(command[:4].strip().lower().decode(), *line) for line in lines]

    def end(self):
        self.talk.client(b"QUIT\r\n").server(b"+OK bye\r\n").close()
        return self.talk.packets


def by_pop3(message, mss=1400):
    header, body = message[: message.index(b"\r\n\r\n") + 4], message[message.index(b"\r\n\r\n") + 4 :]
    count = body.count(b"\r\n")
    whole, part = ("whole", True, PASS), ("beginning", True, PART)
    pop3 = Pop3(mss)
    pop3.ask(b"RETR 1", message, whole)
    pop3.ask(b"TOP 1 0", header, part)
    pop3.ask(b"TOP 1 2", header + b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:2]), part)
    pop3.ask(b"TOP 1 %d" % count, message, part)
    pop3.ask(b"TOP 1 %d" % (count + 1), message, whole)
    pop3.ask(b"top 1 99999999999999999999", message, whole)
    pop3.talk.client(b"RETR 9\r\n").server(b"-ERR no such message\r\n")
    pop3.talk.client(b"LIST\r\n").server(b"+OK\r\n" + dotted(message))  # it is a list, whatever it says
    # two that are asked for at once: of each it is only known that it is one of them
    pop3.talk.client(b"TOP 1 1000\r\nTOP 2 0\r\nRETR 3\r\n")
    pop3.talk.server(b"+OK\r\n" + dotted(message) + b"+OK\r\n" + dotted(header) + b"+OK\r\n" + dotted(message))
    pop3.expected += [("top", *part), ("top", *part), ("retr", *whole)]
    # while one comes, the next is asked for
    text = b"+OK\r\n" + dotted(header)
    pop3.talk.client(b"TOP 1 0\r\n").server(text[:60]).client(b"TOP 2 100\r\n").server(text[60:] + b"+OK\r\n" + dotted(message))
    pop3.expected += [("top", *part), ("top", *part)]
    return pop3.end(), pop3.expected, []


def told(lines):
    return [
        (line["transport"], line["part"], line["complete"], headers.in_words(line["dkim"][0]) if line["dkim"] else None) for line in lines
    ]


def check_ways(tap, mailtap, folder, signed, answers):
    for name, make in (("IMAP", everything), ("POP3", by_pop3)):
        for mss in (1400, 1, 7, 61):
            packets, expected, at_once = make(signed, mss)
            lines, _, written = headers.read_packets(mailtap, folder, answers + packets)
            found = told(lines)
            good = found[: len(expected)] == expected and sorted(found[len(expected) :]) == at_once
            check(tap, good, f"{name} in segments of {mss}", "\n".join(f"{a} {b}" for a, b in zip(found, [*expected, *at_once, None])))
            places = {(line["protocol"], line["hop"], line["outcome"]) for line in lines}
            check(tap, places == {(name.lower(), "access", None)}, f"{name} in segments of {mss}: what crossed is a copy", places)
            numbers = [line["transaction"] for line in lines]
            check(tap, sorted(numbers) == list(range(1, len(numbers) + 1)), f"{name} in segments of {mss}: messages have numbers", numbers)
            headers.check_silence(tap, written, f"{name} in segments of {mss}")


def check_missing(tap, mailtap, folder, signed, answers):
    """Bytes that were lost are not seen, and what comes behind them is read again."""
    at = signed.index(b"\r\n\r\n") + 30
    text = b"* 1 FETCH (BODY[] " + literal(signed) + b")\r\n"
    cut = len(text) - len(signed) + at
    imap = Imap(signed)
    imap.talk.client(b"b FETCH 1 BODY[]\r\n").server(text[:cut]).server(text[cut : cut + 9], lose=True).server(text[cut + 9 :] + b"b OK done\r\n")
    imap.fetch(b"BODY[] " + literal(signed), ("whole", True, PASS))
    lines, *_ = headers.read_packets(mailtap, folder, answers + imap.end())
    check(tap, told(lines) == [("fetch", "whole", True, PART), *imap.expected], "IMAP: bytes of a body are missing", told(lines))
    imap = Imap(signed)
    imap.talk.client(b"b FETCH 1 BODY[]\r\n").server(text[:90]).server(text[90:120], lose=True).server(text[120:] + b"b OK done\r\n")
    lines, *_ = headers.read_packets(mailtap, folder, answers + imap.end())
    check(tap, told(lines) == [("fetch", "whole", False, None)], "IMAP: bytes of a header are missing", told(lines))
    imap = Imap(signed)
    imap.talk.client(b"b FETCH 1 BODY[]\r\n").server(text[:cut])
    lines, *_ = headers.read_packets(mailtap, folder, answers + imap.talk.packets)
    check(tap, told(lines) == [("fetch", "whole", True, PART)], "IMAP: the capture ends in a body", told(lines))
    lines, *_ = headers.read_packets(mailtap, folder, answers + Imap(signed).fetch(b"BODY[] " + literal(signed)).talk.one_sided("server"))
    check(tap, told(lines) == [("fetch", "whole", True, PASS)], "IMAP: the server's side alone", told(lines))
    pop3 = Pop3()
    text = b"+OK\r\n" + dotted(signed)
    pop3.talk.client(b"RETR 1\r\n").server(text[:cut]).server(text[cut : cut + 9], lose=True).server(text[cut + 9 :])
    pop3.ask(b"RETR 2", signed, ("whole", True, PASS))
    lines, *_ = headers.read_packets(mailtap, folder, answers + pop3.end())
    check(tap, told(lines) == [("retr", "whole", True, PART), *pop3.expected], "POP3: bytes of a body are missing", told(lines))
    pop3 = Pop3()
    pop3.talk.client(b"RETR 1\r\n").server(text[:cut])
    lines, *_ = headers.read_packets(mailtap, folder, answers + pop3.talk.packets)
    check(tap, told(lines) == [("retr", "whole", True, PART)], "POP3: the capture ends in a body", told(lines))


def check_many(tap, mailtap, folder, signed, answers):
    """More than a session may have to tell is counted."""
    imap = Imap(signed)
    for number in range(1, 501):
        imap.talk.server(b"* %d FETCH (BODY[] " % number + literal(signed) + b")\r\n")
    imap.talk.server(b"a9 OK done\r\n")
    path = Path(folder, "many.pcap")
    cf.write(path, answers + imap.end())
    with tempfile.TemporaryDirectory() as logs:
        program.run(mailtap, ["-q", "--mail-headers", "-r", path, "-w", logs])
        lines = program.json_lines(Path(logs, "messages.jsonl").read_bytes())
        capture = program.json_lines(Path(logs, "statistics.jsonl").read_bytes())[-1]["capture"]
    counted = capture["transactions_told"], capture["transactions_left_out"]
    check(tap, 50 < len(lines) < 500 and counted == (len(lines), 500 - len(lines)), "what there is no room for is counted", f"{len(lines)} {counted}")


# ---- captures of real servers


def streams(capture, port):
    """What the clients of a port say in a capture without loss, and what the server does, by connection."""
    said = {}
    for packet in cf.read(capture):
        segment = pk.parse_segment(packet)
        if segment and port in (segment.sport, segment.dport):
            by_server = segment.sport == port
            client = segment.dport if by_server else segment.sport
            said.setdefault(client, ({}, {}))[by_server][segment.seq] = segment.payload
    for client, server in said.values():
        yield tuple(b"".join(pieces[at] for at in sorted(pieces)) for pieces in (client, server))


def whole_by_imap(capture):
    for client, server in streams(capture, 143):
        for pattern, stream in ((rb"(?:BODY\[\]|RFC822) \{(\d+)\}\r\n", server), (rb"APPEND Kept \(\\Seen\) \{(\d+)\}\r\n", client)):
            for found in re.finditer(pattern, stream):
                yield stream[found.end() : found.end() + int(found[1])]


def whole_by_pop3(capture):
    for _, server in streams(capture, 110):
        tops = re.findall(rb"\+OK\r\n(Return-Path(?s:.*?)\r\n)\.\r\n", server)
        for message in [*tops[-1:], *re.findall(rb"\+OK \d+ octets\r\n((?s:.*?)\r\n)\.\r\n", server)]:
            yield message.replace(b"\r\n..", b"\r\n.")  # the last TOP asks for more than there is


def check_captures(tap, options):
    for name, messages in (("headers-fetched-imap-dovecot-imaplib", whole_by_imap), ("headers-fetched-pop3-dovecot-poplib-fetchmail", whole_by_pop3)):
        capture = options.pcaps / f"{name}.pcap"
        lines = headers.check_capture(tap, options, capture)
        found = [line for line in lines if line["part"] == "whole" and line["hop"] == "access" and line["dkim"]]
        signed = [message for message in messages(capture) if b"DKIM-Signature:" in message.partition(b"\r\n\r\n")[0]]
        check(tap, len(found) == len(signed), f"{name}: a line for each signed message", f"{len(found)} {len(signed)}")
        headers.check_others(tap, capture, signed, found)


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write the golden files")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        key = headers.Key(folder, "fetched")
        case = {"name": "fetched", "message": base64.b64encode(MESSAGE).decode(), "alter": [], "keys": {},
                "sign": [{"selector": "s1", "domain": "example.org", "key": key.secret}]}  # fmt: skip
        command = [headers.DEBIAN_PYTHON, headers.HERE / "signer.py"]
        done = subprocess.run(command, input=json.dumps([case]).encode(), stdout=subprocess.PIPE, check=True)
        signed = base64.b64decode(json.loads(done.stdout)[0]["signed"])
        answers = headers.Answers()
        answers.add("s1._domainkey.example.org", key.record)
        check_ways(tap, options.mailtap, folder, signed, answers.packets)
        check_missing(tap, options.mailtap, folder, signed, answers.packets)
        check_many(tap, options.mailtap, folder, signed, answers.packets)
        for name, make in (("imap", everything), ("pop3", by_pop3)):
            cf.write(Path(folder, f"{name}.pcap"), make(signed)[0])
        captures = [capture for name in ("imap", "pop3") for capture in (Path(folder, f"{name}.pcap"), *options.pcaps.glob(f"{name}-*.pcap"))]
        headers.check_same_sessions(tap, options.mailtap, sorted(capture for capture in captures if "tls" not in capture.name))
    check_captures(tap, options)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
