# SPDX-License-Identifier: Apache-2.0
"""A day of honest mail traffic, made of the connections in the honest captures.

A Library holds these connections, sorted by what their server looks like (port, greeting, capabilities,
certificate); a server of the day shows one such face, or changes it as honest servers do. An episode
is a whole capture whose connections belong together (a client that fails and comes again). All is taken
from a generator with a fixed seed, so that a day can be made again.
"""

import ipaddress
import random
import re
import zlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lib import capture_file as cf
from lib import packets as pk
from lib import program, records

DAY = 24 * 3600 * 10**9
NETWORKS = 60  # of clients
SCANNERS = 3
USUAL = 8  # sessions of others at the server of an episode
NAME = b"example.com"  # how all servers of the captures end
TLS_RECORDS = (b"\x16", b"\x15", b"\x14", b"\x17", b"\x80")
SNAPLENS = (96, 128, 200)

# Captures in which one server shows what honest servers do not mix, or that are no plain TCP.
LEFT_OUT = re.compile(r"^(attack-|link-|keylog-|clean-two-taps|.*-proxy-|.*-xclient|.*-revo)")
EPISODES = re.compile(
    r"^(smtp-starttls-failed-then-clear|clean-454|clean-large-hello|clean-implicit-closed|clean-scanner"
    r"|clean-client-refuses|smtp-pipeconnect|smtp-two-interleaved|.*-resumed-)"
)
# Their server is as no other: a day has servers that are always like that.
ALONE = re.compile(r"^(smtp-ehlo-rejected|.*-preauth|.*-refused|smtp-starttls-internal|other-)")
ANYWHERE = re.compile(r"^(other-syn|other-refused)")  # probes to which a server need not have answered
DATE = re.compile(r"[A-Z][a-z]{2}, \d.*$")
REFUSING = "smtp-starttls-refused-454-postfix-postfix.pcap"
PROBES = re.compile(
    r"^(smtp-probe|pop3-probe|smtp-starttls-client-leaves|clean-scanner|other-syn|other-refused)"
)


@dataclass
class Connection:
    """A connection of a capture: its segments as (time since its capture began, packet, segment)."""

    capture: str
    client: tuple
    server: tuple
    port: int
    record: dict
    segments: list = field(default_factory=list)

    @property
    def face(self):
        """What its server looks like; None: nothing is seen of it."""
        if ALONE.match(self.capture):
            return (self.port, self.capture)
        capabilities = self.record["capabilities"]
        if capabilities is None and self.record["verdict"] != "encrypted":
            return None
        banner = DATE.sub("", self.record["server_banner"] or "")
        return (self.port, banner, tuple(capabilities or ()))

    @property
    def leaf(self):
        chain = self.record["server_chain"]
        return chain[0] if chain else None

    @property
    def trusted(self):
        return self.record["certificate_status"] == []


class Library:
    """The connections of the honest captures."""

    def __init__(self, mailtap, folder):
        paths = [path for path in program.captures(folder) if not LEFT_OUT.match(path.name)]
        with ThreadPoolExecutor(2) as pool:
            read = list(pool.map(lambda path: _connections(mailtap, path), paths))
        self.faces, self.episodes, self.probes = defaultdict(list), [], []
        self.captures = self.connections = 0
        self.midnight = 0  # of the day of the newest capture, as its certificates may not be for long
        for path, found in zip(paths, read):
            self.captures += bool(found)
            times = [packet.time for c in found for _, packet, _ in c.segments]
            self.midnight = max(self.midnight, max(times, default=0) // DAY * DAY)
            self.connections += len(found)
            if EPISODES.match(path.name) and found:
                self.episodes.append(found)
            if PROBES.match(path.name):
                self.probes += found
            elif not EPISODES.match(path.name):
                for connection in found:
                    self.faces[connection.face].append(connection)
        self.faces.pop(None, None)

    def choose(self, port, offers):
        """The faces of a port that offer STARTTLS, or do not."""
        word = "STLS" if port == 110 else "STARTTLS"
        return [
            face for face in sorted(self.faces, key=str)
            if face[0] == port and len(face) == 3 and (word in face[2]) == offers and face[2]
        ]  # fmt: skip

    def twins(self):
        """Pairs of faces, one that offers it and one that does not, otherwise the same."""
        for face in [face for port in (25, 587, 143, 110) for face in self.choose(port, True)]:
            word = "STLS" if face[0] == 110 else "STARTTLS"
            twin = (*face[:2], tuple(name for name in face[2] if name != word))
            if twin in self.faces:
                yield face, twin

    def alone(self):
        return [face for face in sorted(self.faces, key=str) if len(face) == 2]

    def implicit(self):
        return [face for face in sorted(self.faces, key=str) if face[0] in (465, 993, 995)]


def _connections(mailtap, path):
    """The connections of a capture; none if it is not plain TCP over Ethernet throughout."""
    packets = cf.read(path)
    segments = [pk.parse_segment(packet) for packet in packets]
    if any(packet.linktype != cf.LINK_ETHERNET for packet in packets) or None in segments:
        return []
    groups = records.by_connection(program.sessions(mailtap, path, program.TRUST))
    made = {}
    for flow, group in groups.items():
        if len(group) == 1:
            client, server = records.endpoints(group[0])
            made[flow] = Connection(path.name, client, server, server[1], group[0])
    for packet, segment in zip(packets, segments):
        if segment.flow in made:
            made[segment.flow].segments.append((packet.time - packets[0].time, packet, segment))
    return list(made.values())


# --- servers -----------------------------------------------------------------------------------


@dataclass
class Face:
    """What a server shows: connections to choose from, all with one certificate where it is seen."""

    choices: list

    @staticmethod
    def of(rng, connections, trusted=False):
        leaves = {c.leaf for c in connections if c.leaf and (c.trusted or not trusted)}
        leaf = rng.choice(sorted(leaves)) if leaves else None
        return Face([c for c in connections if c.leaf in (None, leaf)])


@dataclass
class Server:
    """`when(time, network)` gives the face that it shows then and there."""

    address: str
    story: str
    when: object


def _steady(face):
    return lambda time, network: face


def _changes(before, after, at):
    return lambda time, network: before if time < at else after


def _by_network(rng, usual, other):
    few = set(rng.sample(range(NETWORKS), NETWORKS // 4))
    return lambda time, network: other if network in few else usual


def _balanced(rng, faces):
    return lambda time, network: rng.choice(faces)


def _breaks(start, usual, broken):
    end = start + DAY // 12
    return lambda time, network: broken if start <= time < end else usual


class Builder:
    """Makes the servers of a day."""

    def __init__(self, library, rng):
        self.stock, self.rng = library, rng

    def pair(self, port):
        """A face that offers it and one that does not: every other time nothing else differs."""
        if self.rng.random() < 0.5:
            twins = self.rng.choice(list(self.stock.twins()))
            return [Face.of(self.rng, self.stock.faces[name]) for name in twins]
        return [self.face(port, True), self.face(port, False)]

    def two(self, port):
        """Two faces that offer it, with good certificates where they are seen."""
        return [self.face(port, True, trusted=True) for _ in range(2)]

    def face(self, port, offers, trusted=False):
        """A face, or one of another port where the captures have none of this one."""
        names = self.stock.choose(port, offers) or self.stock.choose(25, offers)
        name = self.rng.choice(names)
        return Face.of(self.rng, self.stock.faces[name], trusted)

    def server(self, number):
        rng, port = self.rng, self.rng.choice((25, 25, 25, 587, 143, 143, 110))
        with_tls, without = self.pair(port)
        midday = rng.randrange(DAY // 8, DAY * 7 // 8)
        kinds = [
            (30, "one that always offers it", lambda: _steady(with_tls)),
            (15, "one that never offers it", lambda: _steady(without)),
            (6, "turned off", lambda: _changes(with_tls, without, midday)),
            (6, "turned on", lambda: _changes(without, with_tls, midday)),
            (5, "replaced", lambda: _changes(with_tls, self.face(port, True, True), midday)),
            (8, "a balancer of both", lambda: _balanced(rng, [with_tls, without])),
            (3, "a balancer of two that offer", lambda: _balanced(rng, self.two(port))),
            (8, "one that offers it to some networks", lambda: _by_network(rng, with_tls, without)),
            (4, "one turned off for two hours", lambda: _breaks(midday, with_tls, without)),
            (6, "one that breaks for two hours", lambda: _breaks(midday, *self.broken())),
            (5, "one whose certificate is renewed", self.renewed),
            (6, "one of a kind", lambda: _steady(Face(self.stock.faces[rng.choice(self.stock.alone())]))),
            (8, "one for implicit TLS", self.implicit),
        ]  # fmt: skip
        _, story, make = rng.choices(kinds, [weight for weight, _, _ in kinds])[0]
        return Server(_server_address(number), story, make())

    def broken(self):
        """A server as it is, and with its TLS out of order: it answers STARTTLS 454."""
        refusing = self.stock.faces[(25, REFUSING)]
        record = refusing[0].record
        usual = (25, record["server_banner"], tuple(record["capabilities"]))  # Postfix: no date in it
        return Face.of(self.rng, self.stock.faces[usual]), Face(refusing)

    def renewed(self):
        """From one trusted certificate to another, on a face that has two."""
        several = []
        for name in self.stock.choose(25, True) + self.stock.choose(143, True):
            connections = self.stock.faces[name]
            leaves = sorted({c.leaf for c in connections if c.leaf and c.trusted})
            if len(leaves) > 1:
                several.append((connections, leaves))
        connections, leaves = self.rng.choice(several)
        old, new = self.rng.sample(leaves, 2)
        before, after = ([c for c in connections if c.leaf in (None, leaf)] for leaf in (old, new))
        return _changes(Face(before), Face(after), self.rng.randrange(DAY))

    def implicit(self):
        name = self.rng.choice(self.stock.implicit())
        return _steady(Face.of(self.rng, self.stock.faces[name]))


def _server_address(number):
    """Every third server has IPv4."""
    if number % 3 == 0 and number // 3 < 250:
        return f"192.0.2.{number // 3 + 1}"
    return f"2001:db8:5000:{number:x}::25"


def _client_address(rng, server, network):
    """A client of a network that can reach the server; IPv4 has but two networks to take from."""
    if ":" in server:
        return f"2001:db8:{0x100 + network:x}::{rng.randrange(1, 6):x}"
    return f"{('198.51.100', '203.0.113')[network % 2]}.{rng.randrange(1, 120)}"


# --- what the network and the tap do -----------------------------------------------------------


class Renamer:
    """Gives a server a name of its own, of the same length, in what is said in clear and in the client's
    hello; not in certificates, which would be others then."""

    def __init__(self, server):
        self.name = b"x%06x.com" % (zlib.crc32(server.encode()) & 0xFFFFFF)
        self.clear = True  # the server has not spoken TLS yet

    def __call__(self, from_client, payload):
        if not from_client and payload[:1] in TLS_RECORDS:
            self.clear = False
        return payload.replace(NAME, self.name) if from_client or self.clear else payload


def _moved(connection, start, client, server, port, shifts):
    """The connection's packets at another time, with other addresses, names, ports, sequence numbers."""
    renamed = Renamer(server)
    ends = {True: client, False: server}
    head = {way: pk.ip_header(ends[way], ends[not way]) for way in ends}
    link = pk.ethernet_header(head[True][0] >> 4)
    made = []
    for offset, packet, segment in connection.segments:
        from_client = segment.source == connection.client
        own, other = shifts if from_client else shifts[::-1]
        moved = segment.copy(
            link=link, ip=head[from_client], seq=segment.seq + own,
            ack=segment.ack + other if segment.flags & pk.ACK else segment.ack,
            options=pk.shift_sack(segment.options, other),
            payload=renamed(from_client, segment.payload),
            **({"sport": port} if from_client else {"dport": port}),
        )  # fmt: skip
        made.append((from_client, pk.build(packet.at(start + offset), moved)))
    return made


def _seen(rng, packets):
    """What a tap gets of a connection: mostly all of it."""
    fate = rng.random()
    if fate < 0.80:
        kept = packets
    elif fate < 0.88:
        kept = [one for one in packets if rng.random() > 0.06]
    elif fate < 0.91:
        side = rng.random() < 0.5
        kept = [one for one in packets if one[0] == side]
    elif fate < 0.94:
        kept = packets[rng.randrange(len(packets)) :]
    elif fate < 0.97:
        kept = packets[: rng.randrange(len(packets)) + 1]
    else:
        snaplen = rng.choice(SNAPLENS)
        return [p.with_data(p.data[:snaplen], p.length) for _, p in packets]
    out = [packet for _, packet in kept]
    if rng.random() < 0.05 and out:  # a tap that sees some frames twice
        out += [packet.at(packet.time + 1000) for packet in rng.sample(out, len(out) // 3)]
    return out


# --- the day -----------------------------------------------------------------------------------


class Plan:
    """The packets of a day, and what each server is."""

    def __init__(self, rng, midnight):
        self.rng, self.midnight = rng, midnight
        self.stories = {}
        self.connections = 0
        self._packets, self._ports = [], defaultdict(int)

    def packets(self):
        return sorted(self._packets, key=lambda packet: packet.time)

    def add(self, connection, time, client, server):
        """One connection that begins at `time` nanoseconds of the day."""
        self._ports[client, server, connection.port] += 1
        number = self._ports[client, server, connection.port]
        port = 20000 + (hash_of(client, server) + number) % 40000
        shifts = (self.rng.randrange(1 << 32), self.rng.randrange(1 << 32))
        start = self.midnight + time - (connection.segments[0][0] if connection.segments else 0)
        moved = _moved(connection, start, client, server, port, shifts)
        self._packets += _seen(self.rng, moved)
        self.connections += 1

    def add_episode(self, connections, time, address, story):
        """All connections of a capture, each of its clients and servers with an address of its own."""
        clients, first = {}, min(c.segments[0][0] for c in connections)
        self.stories.setdefault(address, story)
        for connection in connections:
            network = self.rng.randrange(NETWORKS)
            client = clients.setdefault(
                connection.client[0], _client_address(self.rng, address, network)
            )
            self.add(connection, time + connection.segments[0][0] - first, client, address)


def hash_of(client, server):
    """A number for two addresses that is the same in every run."""
    return int(ipaddress.ip_address(client)) * 31 + int(ipaddress.ip_address(server))


def plan(library, seed, servers, sessions):
    """The day of a seed."""
    rng = random.Random(f"day {seed}")
    builder, made = Builder(library, rng), Plan(rng, library.midnight)
    hosts = [builder.server(number) for number in range(servers)]
    made.stories = {host.address: host.story for host in hosts}
    popular = [1 / (1 + number % 40) for number in range(servers)]
    for host in rng.choices(hosts, popular, k=sessions):
        time, network = rng.randrange(DAY), rng.randrange(NETWORKS)
        connection = rng.choice(host.when(time, network).choices)
        client = _client_address(rng, host.address, network)
        made.add(connection, time, client, host.address)
    _add_episodes(made, library, rng, servers)
    _add_scanners(made, library, rng, hosts)
    return made


def _add_episodes(made, library, rng, servers):
    """Each episode at servers of its own, several times on one of them, among usual sessions."""
    number = servers
    for connections in library.episodes:
        for _ in range(4):
            address, number = _server_address(number), number + 1
            for _ in range(rng.randint(1, 4)):
                made.add_episode(connections, rng.randrange(DAY), address, connections[0].capture)
            usual = [c for c in library.faces.get(connections[0].face, ()) if c.leaf is None]
            for connection in rng.choices(usual, k=USUAL) if usual else ():
                client = _client_address(rng, address, rng.randrange(NETWORKS))
                made.add(connection, rng.randrange(DAY), client, address)


def _fitting(probes, choices):
    """The probes that a server with these connections would have answered so."""
    shown = {(c.face, leaf) for c in choices for leaf in (c.leaf, None)}
    return [p for p in probes if (p.face, p.leaf) in shown or ANYWHERE.match(p.capture)]


def _add_scanners(made, library, rng, hosts):
    """Clients that visit server after server, as fast as a scanner does."""
    for number in range(SCANNERS):
        time = rng.randrange(DAY // 2)
        for host in rng.sample(hosts, len(hosts) // 2):
            probe = rng.choice(_fitting(library.probes, host.when(time, 0).choices))
            client = f"2001:db8:f{number}::5" if ":" in host.address else f"203.0.113.{200 + number}"
            made.add(probe, time, client, host.address)
            time += rng.randrange(10**9)
