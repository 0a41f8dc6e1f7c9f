#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers: `seeds.py TARGET DIRECTORY`. Made anew each time from what there is: pcaps/, the
records of the golden tests, the shipped files, the certificates of the system. What a seed of a target looks
like stands at the head of the target's file."""

import hashlib
import json
import lzma
import random
import re
import ssl
import struct
import sys
import zlib
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file, packets  # noqa: E402

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
PATTERNS = Path(__file__).resolve().parents[2] / "configs" / "patterns"
SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "mailtap.yaml"
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SERVERS = [25, 587, 143, 110, 465, 993, 995, 2526]
EXAMPLE = Path(__file__).resolve().parents[2] / "configs" / "servers.example"
CERTIFICATES = Path("/usr/share/ca-certificates")
PEM = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
LARGEST = 16 * 1024  # bytes of a capture worth mutating
SETTINGS_AT = 12  # in a pcap file, as captured.h has it
MORE = ("dns-", "headers-")  # captures for which DNS and headers of mail are to be read
FLOWS_OF_MORE, PACKETS_OF_MORE = 6, 60
FIN, SYN, RST = 1, 2, 4
LINKS = [1, 0, 9, 12, 14, 51, 101, 108, 113, 228, 229, 276]  # as headers.c has them
LITERAL, UNHEARD, CLIENT, SERVER = 0xFB, 0xFD, 0xFE, 0xFF  # turns.h
IMPLICIT = {465: 25, 587: 25, 993: 143, 995: 110}  # the protocol's own port
DATA, LONG_DATA, SYN_STEP, FIN_STEP, RST_STEP, ACK_STEP = 0, 6, 8, 9, 10, 11


def step_of(segment):
    """The steps of one segment, or nothing if it is not on a port that the fuzzer has."""
    if segment.dport in SERVERS:
        number, sender = SERVERS.index(segment.dport), 0
    elif segment.sport in SERVERS:
        number, sender = SERVERS.index(segment.sport), 8
    else:
        return b""

    def first(kind):
        return bytes([kind << 4 | sender | number])

    size = len(segment.payload)
    if segment.flags & SYN:
        return first(SYN_STEP)
    if segment.flags & RST:
        return first(RST_STEP)
    steps = b""
    if 0 < size < 256:
        steps = first(DATA) + bytes([size]) + segment.payload
    elif size:
        steps = first(LONG_DATA) + size.to_bytes(2, "big") + segment.payload
    if segment.flags & FIN:
        steps += first(FIN_STEP)
    return steps or first(ACK_STEP)


def script(captured):
    """The steps of a capture's segments."""
    steps = b""
    for packet in captured:
        segment = packets.parse_segment(packet)
        if segment is not None:
            steps += step_of(segment)
    return steps


def captures(kind):
    """(name, seed) of each capture that is small enough, every other one with a run's settings that are unusual:
    little memory, say (pipeline.c, capture.c); and a few compressed."""
    small = [(path.name, captured, path.read_bytes()) for path, captured in small_captures()]
    parts = [(name, captured, capture_file.pcap_bytes(captured, False, "<")) for name, captured in parts_of_more()]
    for number, (name, captured, capture) in enumerate(small + parts):
        settings = number // 2 % 32 if number % 2 else 0
        if name.startswith(MORE):
            settings = 32
        if kind == "pipeline":
            steps = script(captured)
            yield name, bytes([settings << 2 & 0xF0 | 4 | settings & 3]) + steps if steps else b""
            continue
        data = bytearray(capture)
        if data[:4] == struct.pack("<I", capture_file.MICRO_MAGIC):
            data[SETTINGS_AT] = settings
        yield name, bytes(data)
        if number % 100 == 0:
            yield f"{name}.zst", zstd(bytes(data))
            yield f"{name}.xz", lzma.compress(bytes(data))


def parts_of_more():
    """(name, packets) of connections, and of datagrams, of captures of DNS and of headers that are too large."""
    for path in sorted(PCAPS.glob("*.pcap")):
        if not path.name.startswith(MORE) or path.stat().st_size <= LARGEST:
            continue
        flows = {}
        for packet in capture_file.read(path):
            segment = packets.parse_segment(packet)
            flows.setdefault(segment.flow if segment else None, []).append(packet)
        for number, flow in enumerate(list(flows.values())[:FLOWS_OF_MORE]):
            yield f"{path.stem}-{number}", flow[:PACKETS_OF_MORE]


def small_captures():
    """(path, packets) of each capture that is small enough."""
    for path in sorted(PCAPS.iterdir()):
        if path.name.endswith(capture_file.CAPTURE_SUFFIXES) and path.stat().st_size <= LARGEST:
            yield path, capture_file.read(path)


def containers():
    """(name, capture) of some captures as they are, and of one in each container there is."""
    for path in sorted(PCAPS.glob("link-*")):
        if path.suffix != ".gz" and path.stat().st_size <= LARGEST:
            yield path.name, path.read_bytes()
    few = capture_file.read(PCAPS / "smtp-probe-quit-postfix-nc.pcap")[:6]
    for order in "<>":
        for resolution in (6, 9, 0x80 | 20):
            yield f"pcapng-{order}-{resolution}", capture_file.pcapng_bytes(few, order, resolution)
        for nano in (False, True):
            yield f"pcap-{order}-{nano}", capture_file.pcap_bytes(few, nano, order)
        yield f"pcapng-{order}-options", with_options(order)
        yield from odd_blocks(order)


def odd_blocks(order):
    """(name, pcapng) with packets that have no time, blocks that nobody knows, and damaged ones."""

    def block(kind, body, lie=0):
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + struct.pack(order + "I", len(body) + 12 + lie)

    section = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    interface = block(1, struct.pack(order + "HHI", 1, 0, 5))
    simple = block(3, struct.pack(order + "I", 9) + b"12345\0\0\0")
    old = block(2, struct.pack(order + "HHIIII", 0, 0, 0x17970000, 42, 5, 9) + b"12345\0\0\0")
    unknown = block(0x0BAD, bytes(40))
    cut = block(6, struct.pack(order + "IIIII", 0, 0, 0, 500, 500))  # longer than its block
    nowhere = block(6, struct.pack(order + "IIIII", 9, 0, 0, 4, 4) + bytes(4))  # of an interface that is not there
    yield f"pcapng-{order}-simple", section + interface + simple + unknown + old + section + interface + simple
    yield f"pcapng-{order}-damaged", section + interface + cut + nowhere + simple + block(3, bytes(8), lie=4) + simple
    yield f"pcapng-{order}-bare", section + simple + block(1, b"") + block(0x0A0D0D0A, bytes(16))


def with_options(order):
    """A pcapng whose interface has a name of an odd length, a resolution and an offset of time, and two packets."""

    def option(code, value):
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def block(kind, body):
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    options = option(2, b"eth") + option(9, b"\x09") + option(14, struct.pack(order + "q", 5)) + option(0, b"")
    packet = struct.pack(order + "IIIII", 0, 0x17970000, 42, 5, 9) + b"12345\0\0\0" + option(1, b"odd") + option(0, b"")
    return (block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
            + block(1, struct.pack(order + "HHI", 1, 0, 65535) + options) + block(6, packet) * 2)  # fmt: skip


def first_packets():
    """(name, input) of the first packets of each capture of an unusual link, and of a few others (headers.c)."""
    for path in [*sorted(PCAPS.glob("link-*.pcap*")), PCAPS / "smtp-probe-quit-postfix-nc.pcap"]:
        for number, packet in enumerate(capture_file.read(path)[:3]):
            if packet.linktype in LINKS:
                head = struct.pack("!BBH", 1, LINKS.index(packet.linktype), packet.length - len(packet.data))
                yield f"{path.name}-{number}", head + packet.data
    yield from rare_links()


def fragment_scripts():
    """(name, script) of datagrams in fragments, in order and not (fragments.c)."""

    def piece(number, offset, length, more, lie=None, cut=0):
        what = number | more << 2 | (lie is not None) << 3 | bool(cut) << 4
        step = struct.pack("!BHH", what, offset // 8, length // 8 if more else length)
        return step + (b"" if lie is None else struct.pack("!H", lie)) + (bytes([cut]) if cut else b"")

    parts = [(0, 800), (800, 800), (1600, 300)]
    for name, order in (("in-order", (0, 1, 2)), ("backwards", (2, 1, 0)), ("twice", (0, 0, 1, 2, 2))):
        steps = b"".join(piece(1, *parts[i], i < 2) for i in order)
        yield name, b"\0" + steps
    first, middle, last = (piece(1, *parts[i], i < 2) for i in range(3))
    yield "contradicted", b"\0" + first + middle + piece(1, *parts[1], True, lie=300) + last
    yield "contradicted-in-part", b"\0" + first + piece(1, 400, 800, True, lie=100) + middle + last
    yield "contradicted-at-cut", b"\0" + first + middle + piece(1, *parts[1], True, lie=793, cut=5) + last
    yield "cut", b"\0" + first + piece(1, *parts[1], True, cut=5) + last + middle
    yield "several", b"\0" + b"".join(piece(n, *parts[i], i < 2) for i in (0, 1, 2) for n in range(4))
    yield "large", b"\0" + b"".join(piece(2, i * 4088, 4088, True) for i in range(16)) + piece(2, 65408, 100, False)


def tcp_steps():
    """(name, script) of the segments of each small capture, each by its place in the stream (tcp.c)."""
    for path, captured in small_captures():
        base, script = {}, b"\x04"
        for packet in captured:
            segment = packets.parse_segment(packet)
            if segment is None:
                continue
            base.setdefault(segment.source, segment.seq + bool(segment.flags & SYN))
            place = (segment.seq + bool(segment.flags & SYN) - base[segment.source]) & 0xFFFF
            sender = segment.dport not in SERVERS
            script += struct.pack(
                "!BBHHBBB", 0x10 | sender, segment.flags & 0x2F, place, min(segment.size, 0x7FF), 0, 1, 0
            )
        yield path.name, script


def spoken(words):
    """What somebody says, in a conversation (turns.h)."""
    return b"".join(bytes([LITERAL, c]) if c >= LITERAL else bytes([c]) for c in words)


def conversation(captured):
    """The turns of the first connection, and the server's port."""
    turns, at, port, first = b"", {}, 0, None
    for packet in captured:
        segment = packets.parse_segment(packet)
        if segment is None or not ({segment.dport, segment.sport} & {25, 143, 110, *IMPLICIT}):
            continue
        first = first or segment.flow
        if segment.flow != first or not segment.payload or segment.missing:
            continue
        client = segment.dport in {25, 143, 110, *IMPLICIT}
        port = segment.dport if client else segment.sport
        new = segment.seq + len(segment.payload) - at.get(client, segment.seq)
        if 0 < new <= len(segment.payload):
            turns += bytes([CLIENT if client else SERVER]) + spoken(segment.payload[-new:])
            at[client] = segment.seq + len(segment.payload)
    return turns, port


def conversations(kind):
    """(name, conversation) of the captures of a protocol: implicit TLS or not stands in its head."""
    protocol = {"smtp": 25, "imap": 143, "pop3": 110}[kind]
    for name, captured in [*((path.name, captured) for path, captured in small_captures()), *parts_of_more()]:
        turns, port = conversation(captured)
        if turns and IMPLICIT.get(port, port) == protocol:
            yield name, bytes([port in (465, 993, 995)]) + turns


def handshakes():
    """(name, conversation) of the captures in which TLS begins, from its first record on; with a key log in the
    head where there is one (tls.c)."""
    for path, captured in small_captures():
        turns, _ = conversation(captured)
        start = turns.find(bytes([CLIENT]) + b"\x16\x03")
        log = path.with_suffix(".keylog")
        if start >= 0:
            yield path.name, b"\x03" + (log.read_bytes() if log.exists() else b"") + turns[start:]
    yield "sslv2", b"\x03" + sslv2()


def chosen():
    """(name, choices) of handshakes of each kind, in whole records and in many (handshakes.c)."""
    chance = random.Random(1)
    for kind in range(16):
        for cut in (0, 1, 0x80):
            yield f"{kind}-{cut}", bytes([cut, kind % 8 | kind << 4 & 0x80]) + chance.randbytes(100 << kind % 4)


def zstd(data):
    """In a zstd frame, as it is: one segment, its size in two bytes, one last block that is raw."""
    return struct.pack("<IBH", 0xFD2FB528, 0x60, len(data) - 256) + (1 | len(data) << 3).to_bytes(3, "little") + data


def compressed():
    """(name, input) of a text compressed in each way (compressed_certificates.c)."""
    text = b"\0\0\x01\x2c" + bytes(range(64)) * 5
    head = len(text).to_bytes(3, "big")
    yield "zlib", b"\x01" + head + zlib.compress(text)
    yield "brotli", b"\x02" + head + b"\x0b" + struct.pack("<H", 0x8000 | len(text)) + text + b"\x03"
    yield "zstd", b"\x03" + head + zstd(text)
    yield "longer", b"\x01" + (len(text) + 1).to_bytes(3, "big") + zlib.compress(text)
    yield "bomb", b"\x01" + (1 << 16).to_bytes(3, "big") + zlib.compress(bytes(1 << 17))


def rare_links():
    """(name, input) of tags and tunnels that no capture in pcaps/ has (headers.c)."""
    carried = bytes(range(0x30, 0x38)) * 3
    tcp = struct.pack("!HHIIBBHHH", 40000, 25, 1, 1, 0x50, 0x18, 8192, 0, 0) + carried
    ip = packets.ipv4_header("192.0.2.1", "198.51.100.2", 6, len(tcp)) + tcp
    frame = packets.ethernet_header(4) + ip
    stations = frame[:12]

    def over_udp(port, header, inside):
        udp = struct.pack("!HHHH", 50000, port, 8 + len(header) + len(inside), 0) + header + inside
        return packets.ethernet_header(4) + packets.ipv4_header("192.0.2.3", "192.0.2.4", 17, len(udp)) + udp

    def over_gre(flags, protocol, header, inside):
        gre = struct.pack("!HH", flags, protocol) + header + inside
        return packets.ethernet_header(4) + packets.ipv4_header("192.0.2.3", "192.0.2.4", 47, len(gre)) + gre

    made = {
        "etag": stations + bytes.fromhex("893f000100020003") + frame[12:],
        "vntag": stations + bytes.fromhex("892600010002") + frame[12:],
        "cisco-metadata": stations + bytes.fromhex("8909010100010002") + frame[12:],
        "llc-snap": stations + struct.pack("!H", 8 + len(ip)) + bytes.fromhex("aaaa030000000800") + ip,
        "gpe-ip": over_udp(4790, bytes.fromhex("0c00000100000100"), ip),
        "gpe-ethernet": over_udp(4790, bytes.fromhex("0c00000300000100"), frame),
        "erspan-3": over_gre(0x1000, 0x22EB, bytes(4) + b"\x20\x07" + bytes(8) + b"\0\0", frame),
        "pptp": over_gre(0x3001, 0x880B, struct.pack("!HHI", 4 + len(ip), 7, 1), bytes.fromhex("ff030021") + ip),
        "etherip": frame[:14] + packets.ipv4_header("192.0.2.3", "192.0.2.4", 97, 2 + len(frame)) + b"\x30\0" + frame,
    }  # fmt: skip
    for name, data in made.items():
        yield name, struct.pack("!BBH", 1, 0, 0) + data
    yield from filtered()


def filtered():
    """(name, input) of what the kernel's filter looks at apart: extension headers, ranges of ports, messages of DNS."""
    for port in (2525, 2526, 2527):
        for ends in ((40000, port), (port, 40000)):
            tcp = struct.pack("!HHIIBBHHH", *ends, 1, 1, 0x50, 0x18, 8192, 0, 0)
            ip = packets.ipv4_header("192.0.2.1", "198.51.100.2", 6, len(tcp))
            yield f"ports-{ends}", struct.pack("!BBH", 0, 0, 0) + packets.ethernet_header(4) + ip + tcp
            for kind in (0, 43, 60):
                ip = packets.ipv6_header("2001:db8::1", "2001:db8::2", kind, 8 + len(tcp)) + struct.pack("!BB6x", 6, 0)
                yield f"ports-{ends}-{kind}", struct.pack("!BBH", 0, 0, 0) + packets.ethernet_header(6) + ip + tcp
    question = struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + b"\x07example\x03org\0" + struct.pack("!HH", 15, 1)
    for ends in ((40000, 53), (53, 40000)):
        udp = struct.pack("!HHHH", *ends, 8 + len(question), 0) + question
        for version, ip in ((4, packets.ipv4_header("192.0.2.1", "198.51.100.2", 17, len(udp))),
                            (6, packets.ipv6_header("2001:db8::1", "2001:db8::2", 17, len(udp)))):  # fmt: skip
            yield f"names-{ends}-{version}", struct.pack("!BBH", 4, 0, 0) + packets.ethernet_header(version) + ip + udp


def sslv2():
    """A conversation of SSLv2: hello, hello, the client's master key, and what nobody can read."""

    def record(body):
        return struct.pack("!H", 0x8000 | len(body)) + body

    client = record(b"\1\0\2" + struct.pack("!HHH", 6, 0, 16) + b"\7\0\xc0\1\0\x80" + bytes(16))
    server = record(b"\4\0\1\0\2" + struct.pack("!HHH", 40, 3, 16) + bytes(40) + b"\7\0\xc0" + bytes(16))
    key = record(b"\2\7\0\xc0" + struct.pack("!HHH", 0, 16, 8) + bytes(24)) + record(bytes(range(40)))
    says = [(CLIENT, client), (SERVER, server), (CLIENT, key), (SERVER, record(bytes(33)) * 2)]
    return b"".join(bytes([who]) + spoken(words) for who, words in says)


def names():
    """(name, lines): a reference, and names of a certificate (names.c)."""
    yield "exact", b"mx.example.com\nmx.example.com\nexample.org"
    yield "wildcard", b"mx.example.co.uk\n*.example.co.uk\n*.uk\nm*.example.co.uk"
    yield "address", b"192.0.2.1\n@\xc0\x00\x02\x01\nmx.example.com"
    yield "address6", b"2001:db8::1\n@" + bytes.fromhex("20010db8000000000000000000000001")
    yield "common", b"MX.Example.com.\n=mx.example.com"
    yield "international", "b\u00fccher.example.ck\nxn--bcher-kva.example.ck".encode()
    yield "deep", b"a.b.c.d.kawasaki.jp\n*.b.c.d.kawasaki.jp\nwww.city.kawasaki.jp"


def certificates():
    """(name, DER) of the certificates that the system trusts."""
    for path in sorted(CERTIFICATES.rglob("*.crt")):
        for number, text in enumerate(PEM.findall(path.read_text())):
            yield f"{path.stem}-{number}.der", ssl.PEM_cert_to_DER_cert(text)


def lists():
    """(name, list) of every certificate with the two before it, in 2024 (see chains.c)."""
    known = list(certificates())
    for number in range(2, len(known)):
        reference = b"mail.example.com"
        seed = (1718409600).to_bytes(8, "big") + bytes([len(reference)]) + reference
        for _, der in known[number - 2 : number + 1]:
            seed += len(der).to_bytes(2, "big") + der
        yield f"list-{number}", seed


def patterns():
    """(name, text) of the shipped pattern files."""
    for path in sorted(PATTERNS.glob("*.patterns")):
        yield path.name, path.read_bytes()


def servers():
    """(name, input) of a memory of servers, of its lines without their checks, and of a list of good ones."""
    networks = {"networks": [[1, 2], [3, 100]], "next": 0}
    span = {"first": 1772323200, "last": 1774915200}
    counts = ["offered", "not_offered", "proven", "accepted", "refused", "established", "ehlo_taken", "greeted_ok"]
    leaf = {
        "sha256": "ab" * 32, "spki_sha256": "cd" * 32, **span, "not_after": 2000000000, "sessions": 2,
        "trusted": True, "self_signed": False, **networks,
    }  # fmt: skip
    facts = {"port": 25, **span, "sessions": 7, **{count: {"count": 3, **span, **networks} for count in counts}}
    facts |= {"fingerprinted": 1772323200, "capabilities": "ab" * 8, "banner": "cd" * 8, "leaves": [leaf]}
    rests = [json.dumps(server | facts)[1:] for server in ({"address": "192.0.2.25"}, {"name": "mx.example.com"})]
    lines = [f'{{"check":"{hashlib.sha256(rest.encode()).hexdigest()[:16]}",{rest}' for rest in rests]
    yield "memory", ("m" + "\n".join(['{"mailtap_server_memory":1,"servers":2}', *lines, ""])).encode()
    yield "lines", ("l" + "\n".join(rests)).encode()
    yield "list", b"g" + EXAMPLE.read_bytes()


def logs():
    """(name, log) of the golden records of each capture, and of what stands in the logs of DNS."""
    for path in sorted([*GOLDEN.glob("*.jsonl"), *GOLDEN.parent.joinpath("dns").glob("*.jsonl")]):
        yield path.name, path.read_bytes()
    yield "escapes", ESCAPES + b"\n"


ESCAPES = (rb'{"session_id":"0","server_name":"\u00fc\ud83d\ude00\ud800x\n\"\\\/\b\f\r\t","client_name":"\u0000\u202e",'
           rb'"protocol":"s\u006dtp","tls_mode":"starttls","start":"2026-11-27T00:00:00Z"}')  # fmt: skip


def alerts():
    """(name, input) of alerts as a log has them: the evidence of the golden records (alert_lines.c)."""
    ends = ("client_ip", "client_port", "server_ip", "server_port", "server_name")
    for number, path in enumerate(sorted(GOLDEN.glob("attack-*.jsonl"))):
        lines = []
        for record in map(json.loads, path.read_text().splitlines()):
            head = {"time": record["start"], "session_id": "0" * 16, **{end: record[end] for end in ends}}
            head["client_network"] = "192.0.2.0/24"
            lines += [json.dumps(head | piece | {"networks_clean": ["192.0.2.0/24"], "networks_clean_count": 1}) for piece in record["evidence"]]
            lines += [json.dumps(head | piece | {"client_ip": None, "left_out": 3}) for piece in record["evidence"]]
        if lines:
            yield path.name, bytes([number % 2 | 20]) + "\n".join(lines).encode()


def answers():
    """(name, input) of what a tap answers to `mailtap top`, and of other things (top.c)."""
    span = {"start": "2026-11-26T23:50:00Z", "end": "2026-11-27T00:05:00Z"}
    server = {"server_ip": "2001:db8::25", "server_port": 25, "server_name": "mx.example.net", "hop": "relay", "certificate": "trusted",
              "sessions": 9, "established": 5, "offered": 7, "not_offered": 2}  # fmt: skip
    alert = {"time": span["end"], "kind": "capability_removed", "confidence": "probable", "client_network": "192.0.2.0/24", "left_out": 2,
             **{key: server[key] for key in ("server_ip", "server_port", "server_name")}}  # fmt: skip
    told = {
        "version": "1.0", "sensor": "b\u00fcro", "stage": "reading", "started": span["start"], "connections": 12,
        "memory": {"connections_reserved": 9 << 20, "connections_limit": 99 << 20, "resident": 70 << 20},
        "workers": [{"told_before": 0.2}, {"told_before": 90}],
        "now": {"seconds": 10.5, "packets": 20, "bytes": 5000, "segments": 10, "sessions": 5, "lost": 1},
        "window": {"name": "15m", **span, "sessions": 9, "lost": 7, "verdicts": {"stripped": 1, "encrypted": 8},
                   "capture": {"dropped_reported": 3, "missed_by_interfaces": 4, "packets_malformed": 2}},
        "tables": {"funnel": [{"protocol": "smtp", "step": step, "passed": 2, "ended": 1} for step in ("connected", "greeted", "listed")],
                   "protection": [{"hop": "relay", "passive_protected": 3, "passive_exposed": 1}]},
        "servers": [server, server | {"server_ip": "192.0.2.25", "server_name": None}], "servers_count": 70,
        "alerts": [alert, alert | {"confidence": "confirmed", "left_out": 0}], "alerts_count": 9,
    }  # fmt: skip
    for columns, how in ((80, 0), (199, 3), (20, 5), (0, 0)):
        yield f"columns-{columns}", bytes([columns, how]) + json.dumps(told, ensure_ascii=how == 0).encode()


def configs():
    """(name, file): the shipped one, with its examples set as well, and mistakes. None with a filter (config.c)."""
    shipped = re.sub(r".*filter.*\n", "", SHIPPED.read_text())
    yield "shipped", shipped.encode()
    yield "examples", re.sub(r"^  #(?! )", "  ", shipped, flags=re.MULTILINE).encode()
    yield "names", b"logs:\n  log_dir: a\nperformanc:\n  memory: 1G\nmemory: 1\n"
    yield "values", b"performance: {memory: 12x}\ncapture:\n  ports: [25, [26], 2x]\n  any-port: on\n"
    yield "yaml", b"a: &a !!str x\nlogs:\n  sensor: *a\n  sensor: |\n    b\n---\nlogs: ~\n"
    yield "depth", b"capture: {read: [[[[[[[[[[[[[[[[[["
    yield "escapes", b'logs:\n  sensor: "\\0\\x9b\\u202e\\n"\n? [a]\n: "b\n'


def over_tcp(messages):
    return b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def asked(message):
    """The name of its question."""
    return message[12 : message.index(0, 12) + 1].lower()


def names_of_dns():
    """(name, messages as over TCP): what a real resolver was asked and said, and of DNSSEC the way to single domains (dns.c)."""
    for capture in sorted(Path(__file__).resolve().parents[2].joinpath("pcaps").glob("dns-*.pcap")):
        messages = [packet.data[42:] for packet in capture_file.read(capture) if packet.data[12:14] == b"\x08\0" and packet.data[23] == 17]
        if messages:
            yield capture.stem, over_tcp(messages)
        for domain in ("good", "rsa", "ed25519", "ed448", "broken", "mismatch", "sha1") if "dnssec" in capture.stem else ():
            way = {b"\0", b"\7example\0", bytes([len(domain)]) + domain.encode() + b"\7example\0"}
            yield f"{capture.stem}-{domain}", over_tcp(message for message in messages if asked(message) in way)


def messages():
    """(name, how to cut and a message): what crosses in captures of signed mail, and odd ones (messages.c)."""
    for capture in sorted(Path(__file__).resolve().parents[2].joinpath("pcaps").glob("headers-*.pcap")):
        said = {}
        for segment in filter(None, map(packets.parse_segment, capture_file.read(capture))):
            if segment.dport == 25:
                said.setdefault(segment.source, {})[segment.seq] = segment.payload
        for number, pieces in enumerate(said.values()):
            for part in b"".join(pieces[at] for at in sorted(pieces)).split(b"\r\nDATA\r\n")[1:]:
                yield f"{capture.stem}-{number}", bytes([number * 7]) + part.partition(b"\r\n.\r\n")[0] + b"\r\n"
    yield "dots", b"\x05.a: b\r\n..c: d\r\n\r\n.\r..\r\n...\r\n"
    yield "bare", b"\x03Received: with\nSMTP\n\n\nx\r"
    yield "results", b"\x09Authentication-Results: a.example (x\\)) 1; spf=pass; \"dkim\"=(c)fail\r\nContent-Type: multipart/signed\r\n"


def main():
    kind, directory = sys.argv[1], Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    made = {
        "headers": first_packets, "fragments": fragment_scripts, "tcp": tcp_steps, "tls": handshakes,
        "handshakes": chosen,
        "names": names, "container": containers, "compressed_certificates": compressed, "x509": certificates,
        "chains": lists, "patterns": patterns, "server_memory": servers, "session_lines": logs, "config": configs,
        "dns": names_of_dns, "messages": messages, "alert_lines": alerts, "top": answers,
        **{name: partial(conversations, name) for name in ("smtp", "imap", "pop3")},
    }  # fmt: skip
    seeds = made.get(kind, lambda: captures(kind))
    for name, seed in seeds():
        if seed:
            (directory / name).write_bytes(seed)


if __name__ == "__main__":
    main()
