#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lies to what is remembered of servers and clients: who wants an alarm against a network that nobody touched, or
silence about one that is.

Whoever can send packets past the tap can have sessions that look like anything, between any addresses but those
whose packets he cannot keep from being answered. So an offer that was never made must not make an alarm, and what
others saw must not be talked away. Floods of servers and of clients: tests/unit/server_memory.c, client_memory.c.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks import tls_lies as tls  # noqa: E402
from lib import attack, evidence, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

SERVER, PORT = "198.51.100.200", 25
MANY, SHARE = 120, 100  # sessions of a liar: more than one network's share
MINUTE = 60 * 10**9
FINISHED = tls.record(b"\x01", 20) + tls.record(bytes(40))
DATA = tls.record(bytes(200), tls.APPLICATION)


class Day:
    """Sessions one after the other."""

    def __init__(self):
        self.packets, self.count, self.time = [], 0, START

    def session(self, client, port=PORT):
        self.count += 1
        self.time += MINUTE // 30
        return Conversation(port, client=client, server=SERVER, client_port=20000 + self.count, start=self.time)

    def keep(self, talk):
        self.packets += talk.packets
        return self

    def greet(self, client, offers, banner=b"Postfix"):
        talk = self.session(client).open().server(b"220 mx.example.net ESMTP " + banner + b"\r\n")
        talk.client(b"EHLO client.example.org\r\n")
        keywords = [b"PIPELINING", *([b"STARTTLS"] if offers else []), b"8BITMIME"]
        return talk.server(b"250-mx.example.net\r\n" + b"".join(b"250-%s\r\n" % k for k in keywords) + b"250 DSN\r\n")

    def leaves(self, client, offers, **how):
        return self.keep(self.greet(client, offers, **how).client(b"QUIT\r\n").server(b"221 bye\r\n").close())

    def secure(self, client):
        """TLS is offered, begun and completed."""
        talk = self.greet(client, True).client(b"STARTTLS\r\n").server(b"220 go\r\n").client(tls.ASKED)
        talk.server(tls.records(tls.AGREED + tls.message(tls.DONE, b"")))
        talk.client(tls.record(tls.message(16, tls.vector(1, bytes(65)))) + FINISHED).server(FINISHED)
        return self.keep(talk.client(DATA).server(DATA).close())

    def mail(self, client, offers=False):
        """In the clear."""
        talk = self.greet(client, offers)
        for command, answer in ((b"MAIL FROM:<a@example.org>", b"250 ok"), (b"RCPT TO:<b@example.net>", b"250 ok"),
                                (b"DATA", b"354 go"), (b"Subject: x\r\n\r\n.", b"250 ok"), (b"QUIT", b"221 bye")):  # fmt: skip
            talk.client(command + b"\r\n").server(answer + b"\r\n")
        return self.keep(talk.close())

    def syn(self, client, port):
        """To a port that does not answer; twice, as a client would."""
        talk = self.session(client, port)
        for wait in (0, 1, 3):
            talk.time += wait * 10**9
            talk.next["client"] = 1000
            talk._emit("client", 2)  # pylint: disable=protected-access
        return self.keep(talk)


INNOCENT = [f"203.0.113.{n}" for n in (1, 2)] + ["198.18.7.7"]
LIAR = ["192.0.2.66", "198.18.66.66", "198.18.67.66"]


def innocent_mail(day):
    for client in INNOCENT:
        day.mail(client)
    return day


def lie(networks, tell):
    """Liars tell of an offer, and then innocent clients see none: there is none."""
    day = innocent_mail(Day())
    for number in range(MANY):
        for client in LIAR[:networks]:
            tell(day, client, number)
    return innocent_mail(day).packets


def offers(day, client, _):
    day.leaves(client, True)


def completes(day, client, _):
    day.secure(client)


def blocks(day, client, number):
    """A port for TLS that works, by forged sessions; and SYNs to it, as from the innocent, without an answer."""
    if number < 5:
        talk = day.session(client, 465).open().client(tls.ASKED)
        talk.server(tls.records(tls.AGREED + tls.message(tls.DONE, b"")))
        talk.client(tls.record(tls.message(16, tls.vector(1, bytes(65)))) + FINISHED).server(FINISHED)
        day.keep(talk.client(DATA).server(DATA).close())
    elif number == MANY - 1:
        for innocent in INNOCENT:
            day.syn(innocent, 465)


def stripped(talk_away):
    """A server that offers TLS to all, as they prove; the offer goes for one network; and liars in between."""
    day = Day()
    for _ in range(4):
        for client in INNOCENT:
            day.secure(client)
    day.mail(INNOCENT[0])
    for number in range(MANY):
        talk_away(day, LIAR[0], number)
    day.secure(INNOCENT[2]).mail(INNOCENT[0])
    return day.packets


def nothing(*_):
    pass


def denies(day, client, _):
    day.leaves(client, False)


def varies(day, client, number):
    day.leaves(client, number % 2 == 0, banner=b"Other %d" % (number % 3))


def refuses(day, client, _):
    talk = day.greet(client, True).client(b"STARTTLS\r\n").server(b"454 not now\r\n")
    day.keep(talk.client(b"QUIT\r\n").server(b"221 bye\r\n").close())


def said_of(outcome):
    """What each session of the innocent came to, in the order of time."""
    mine = sorted((r for r in outcome.records if r["client_ip"] in INNOCENT and r["server_ip"] == SERVER and r["server_port"] == PORT),
                  key=lambda record: record["start"])  # fmt: skip
    return mine, [(r["client_ip"], r["verdict"], r["confidence"],
                   sorted((p["kind"], p["confidence"]) for p in r["evidence"])) for r in mine]  # fmt: skip


def check_alarm(tap, mailtap, what, packets, silent):
    """No alarm against the innocent; with `silent` not even a suspicion."""
    before, after = attack.beside(mailtap, packets)
    attack.check_beside(tap, what, before, after, 2)
    records, _ = said_of(after)
    lines = [line for record in records for line in evidence.alarms(record)]
    if silent:
        lines += [f"{record['verdict']}" for record in records if record["evidence"] or record["verdict"] != "cleartext"]
    tap.check(not lines and len(records) == 2 * len(INNOCENT), what, lines)


def check_shares(tap, mailtap):
    """What is known of the server in the end: all sessions, and of a liar's network no more than its share of what
    they say."""
    for count, tell, expected in (
        (1, offers, {"offered": SHARE, "not_offered": 2 * len(INNOCENT)}),
        (2, offers, {"offered": 2 * SHARE, "offered_networks": 2}),
        (1, denies, {"offered": 0, "not_offered": SHARE + 2 * len(INNOCENT)}),
        (1, completes, {"offered": SHARE, "accepted": SHARE, "established": SHARE}),
        (1, refuses, {"offered": SHARE, "refused": SHARE}),
    ):
        with tempfile.TemporaryDirectory(prefix="poisoning-") as folder:
            memory = Path(folder) / "servers"
            attack.run(mailtap, lie(count, tell), "--server-memory", memory)
            known = program.json_lines(program.run(mailtap, ["servers", "--json", "--server-memory", memory]).stdout)
        expected = {"sessions": count * MANY + 2 * len(INNOCENT), **expected}
        found = [{key: server[key] for key in expected} for server in known if server["server_port"] == PORT]
        tap.check(found == [expected], f"{count} who {tell.__name__}: a network counts for its share", [f"{found}, not {expected}"])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    check_alarm(tap, options.mailtap, "offers in two networks", lie(2, offers), True)
    check_alarm(tap, options.mailtap, "offers in three networks", lie(3, offers), False)
    check_alarm(tap, options.mailtap, "forged handshakes", lie(3, completes), False)
    check_alarm(tap, options.mailtap, "a port that does not answer", lie(3, blocks), False)
    told, honest = attack.beside(options.mailtap, stripped(nothing))
    before, expected = said_of(honest)
    tap.check(bool(evidence.alarms(before[-1])), "an offer that goes is noticed", [f"{expected[-1]}"])
    for talk_away in (denies, varies, refuses):
        _, lied = attack.beside(options.mailtap, stripped(talk_away))
        attack.check_beside(tap, talk_away.__name__, told, lied, 2)
        _, found = said_of(lied)
        right = found == expected
        tap.check(right, f"it is noticed beside one who {talk_away.__name__}", [] if right else [f"{found[-1]}"])
    check_shares(tap, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
