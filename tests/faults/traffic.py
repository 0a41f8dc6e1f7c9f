# SPDX-License-Identifier: Apache-2.0
"""Mail without an end for runs to which something happens: sessions that are all different, some stripped, some with
certificates."""

from lib import capture_file as cf
from lib import packets as pk
from lib import program
from lib.conversation import START, Conversation
from lib.live_run import MINUTE, records_of

WITH_CERTIFICATES = "smtp-starttls-tls12-rsa-postfix-swaks.pcap"
FIRST_PORT = 1024  # session N comes from this port and N more


def conversation(number, start):
    """Mail in the clear with a server of its own, every third time of one that is stripped of its offer."""
    talk = Conversation(25, client=f"192.0.2.{number % 250 + 1}", server=f"198.51.100.{number % 200 + 1}",
                        client_port=FIRST_PORT + number, start=start)  # fmt: skip
    talk.open().server(b"220 mx.example.org ESMTP Postfix\r\n").client(b"EHLO client.example.org\r\n")
    offer = b"250-XXXXXXXX" if number % 3 == 0 else b"250-STARTTLS"
    talk.server(b"250-mx.example.org\r\n" + offer + b"\r\n250 8BITMIME\r\n").client(b"QUIT\r\n")
    return talk.server(b"221 2.0.0 Bye\r\n").close().packets


class Traffic:
    """Sessions that are all different, numbered from 0 on; one in each run has certificates."""

    def __init__(self):
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
            return conversation(number, start)
        moved = start - self.begin
        return [changer.at(at + moved, FIRST_PORT + number) for at, _, changer in self.encrypted]

    def take(self, count, certificates=True):
        """The packets of the next sessions, as they stand in a file."""
        first, self.count = self.count, self.count + count
        made = [self._session(n, certificates and n == first) for n in range(first, self.count)]
        return records_of([packet for packets in made for packet in packets])
