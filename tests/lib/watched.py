# SPDX-License-Identifier: Apache-2.0
"""A tap that is looked at while it runs: traffic of hours that is fed to it, and what its page and its logs then say."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "cli"))

import hostile  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.service import Service  # noqa: E402

SECOND = 1_000_000_000
BEGIN = 1_800_000_000 * SECOND  # a full hour

# Stripping, and mail with and without TLS.
CAPTURES = [
    "attack-answer-454-postfix-postfix.pcap",
    "attack-remove-imap-dovecot-curl.pcap",
    "attack-garble-x-postfix-swaks.pcap",
    "imap-starttls-tls13-dovecot-curl.pcap",
    "pop3-cleartext-dovecot-fetchmail.pcap",
    "smtp-starttls-tls13-postfix-swaks.pcap",
]


def moved(packets, start):
    """The same, from this time on."""
    return [packet.at(packet.time - packets[0].time + start) for packet in packets]


def traffic(pcaps, rounds, every=60 * SECOND, begin=BEGIN):
    """The captures one after the other, again and again, each of them so long after the one before."""
    captures = [cf.read(Path(pcaps) / name) for name in CAPTURES]
    packets = []
    for number in range(rounds * len(captures)):
        packets += moved(captures[number % len(captures)], begin + number * every)
    return sorted(packets, key=lambda packet: packet.time)


def strange_traffic(pcaps):
    """What tests/cli/hostile.py has wherever somebody can say something, and so much later another session, by which
    these are at an end."""
    talks = hostile.conversations()
    packets = sorted((packet for talk in talks for packet in talk.packets), key=lambda packet: packet.time)
    return packets + moved(cf.read(Path(pcaps) / CAPTURES[-1]), packets[-1].time + 600 * SECOND)


class Watched(Service):
    """A service that writes logs, and is fed packets."""

    def __init__(self, mailtap, folder, *arguments):
        self.logs = Path(folder) / "logs"
        self.fed = 0
        super().__init__(mailtap, "-q", "-w", self.logs, *arguments)

    def packets(self, packets):
        """Feeds them, and waits until they are in the figures and their sessions in the logs."""
        data = cf.pcap_bytes(packets)
        self.feed(data if not self.fed else data[24:])  # one header
        self.fed += len(packets)
        self.until(lambda: self.live()["capture"]["packets_seen"] == self.fed)
        self.until(lambda: len(self.lines("sessions")) == self.live()["sessions"])

    def live(self, window="24h"):
        answer = self.get(f"/live.json?window={window}")
        if answer.code != 200 or not answer.whole():
            raise program.RunError(f"/live.json: {answer.code} {answer.body[:200]}")
        return json.loads(answer.body)

    def page(self, window="24h"):
        return self.get(f"/?window={window}").body.decode()

    def lines(self, name):
        path = self.logs / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []
