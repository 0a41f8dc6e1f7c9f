# SPDX-License-Identifier: Apache-2.0
"""Mail without an end for runs to which something happens: sessions that are all different, some stripped, some with
certificates."""

import struct

from lib import capture_file as cf
from lib import packets as pk
from lib import program
from lib.conversation import START, Conversation
from lib.live_run import MINUTE, records_of

WITH_CERTIFICATES = "smtp-starttls-tls12-rsa-postfix-swaks.pcap"
FIRST_PORT = 1024  # session N comes from this port and N more


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def look_up(number, start):
    """Somebody asks for the mail exchanger of a domain that nobody asked for before."""
    ident, asked = struct.pack("!H", number % 65536), name(f"d{number}.example") + struct.pack("!2H", 15, 1)
    host = struct.pack("!H", 10) + name(f"mx.d{number}.example")
    question = ident + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + asked
    answer = ident + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + asked + b"\xc0\x0c" + struct.pack("!2HIH", 15, 1, 300, len(host)) + host
    packets = []
    for ends, ports, message in ((("192.0.2.9", "198.51.100.253"), (4000, 53), question), (("198.51.100.253", "192.0.2.9"), (53, 4000), answer)):
        udp = struct.pack("!4H", *ports, 8 + len(message), 0) + message
        frame = pk.ethernet_header(4) + pk.ip_header(*ends, 17, len(udp)) + udp
        packets.append(cf.Packet(start + len(packets), frame, len(frame)))
    return packets


def message(talk, number):
    """Of which the header says where it has been."""
    for command, answer in ((b"MAIL FROM:<a@example.org>", b"250 ok"), (b"RCPT TO:<b@example.net>", b"250 ok"), (b"DATA", b"354 go")):
        talk.client(command + b"\r\n").server(answer + b"\r\n")
    hops = b"Received: from a.example by b.example with ESMTPS (TLS1.3); x\r\n" * (number % 7)
    return talk.client(hops + b"From: <a@example.org>\r\n\r\nx\r\n.\r\n").server(b"250 ok\r\n")


def conversation(number, start, more=False):
    """Mail in the clear with a server of its own, every third time of one that is stripped of its offer. `more`: a
    message, and a look-up before."""
    talk = Conversation(25, client=f"192.0.2.{number % 250 + 1}", server=f"198.51.100.{number % 200 + 1}",
                        client_port=FIRST_PORT + number, start=start)  # fmt: skip
    talk.open().server(b"220 mx.example.org ESMTP Postfix\r\n").client(b"EHLO client.example.org\r\n")
    offer = b"250-XXXXXXXX" if number % 3 == 0 else b"250-STARTTLS"
    talk.server(b"250-mx.example.org\r\n" + offer + b"\r\n250 8BITMIME\r\n")
    if more:
        message(talk, number)
    packets = talk.client(b"QUIT\r\n").server(b"221 2.0.0 Bye\r\n").close().packets
    return look_up(number, start) + packets if more else packets


class Traffic:
    """Sessions that are all different, numbered from 0 on; one in each run has certificates."""

    def __init__(self, more=False):
        self.more = more
        packets = cf.read(program.PCAPS / WITH_CERTIFICATES)
        segments = [(packet, pk.parse_segment(packet)) for packet in packets]
        self.begin = packets[0].time
        self.encrypted = [(packet.time, segment.dport != 25, pk.PortChanger(packet, segment, segment.sport == 25))
                          for packet, segment in segments]  # fmt: skip
        self.count = 0
        self.start = START

    def put_back(self, seconds):
        """The packets' clock, from here on."""
        self.start -= seconds * 1_000_000_000

    def _session(self, number, encrypted):
        start = self.start + number * MINUTE
        if not encrypted:
            return conversation(number, start, self.more)
        moved = start - self.begin
        return [changer.at(at + moved, FIRST_PORT + number) for at, _, changer in self.encrypted]

    def take(self, count, certificates=True):
        """The packets of the next sessions, as they stand in a file."""
        first, self.count = self.count, self.count + count
        made = [self._session(n, certificates and n == first) for n in range(first, self.count)]
        return records_of([packet for packets in made for packet in packets])
