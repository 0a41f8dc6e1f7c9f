#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile files and frames: pcapng whose blocks and options lie about their lengths, compressed captures cut short or
made to be dear, IPv4 options of every length, frames larger than any link carries.

Bystanders' packets are in the same file: of those before the harm, and behind it where reading goes on, all is said.
"""

import gzip
import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, program  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

FAILED = 1
STATISTICS, NAMES, CUSTOM, UNKNOWN = 5, 4, 0xBAD, 0x7FFFFFFF
MIB = 1 << 20
ZSTD_MAGIC, RAW, RUN, BLOCK = 0xFD2FB528, 0, 1, 1 << 17  # RFC 8878


# --- pcapng ----------------------------------------------------------------------------------


def option(code, value, length=None):
    return struct.pack("<HH", code, len(value) if length is None else length) + value + bytes(-len(value) % 4)


def interface(options):
    return cf.block(cf.BLOCK_INTERFACE, struct.pack("<HHI", 1, 0, 0) + options)


def packet(number=0, captured=0, data=b"", options=b""):
    return cf.block(cf.BLOCK_ENHANCED, struct.pack("<IIIII", number, 0, 0, captured, captured) + data + options)


LONG = option(2988, b"x" * 65532)
# A block between the packets of others, and how many packets or blocks are counted as damaged for it.
PASSED = {
    "option that says 65535": (interface(option(2, b"eth0", 65535)), 0),
    "option longer than its block by one": (interface(option(9, b"\x06", 5)), 0),
    "options of nothing": (interface(option(2, b"") * 10_000), 0),
    "options without an end": (interface(LONG * 3), 0),
    "resolution of no bytes, of 255": (interface(option(9, b"") + option(9, b"\xff") + option(14, b"\xff" * 8)), 0),
    "10000 interfaces": (interface(b"") * 10_000, 0),
    "an interface of nothing": (cf.block(cf.BLOCK_INTERFACE, b""), 1),
    "packet options that lie": (packet(options=option(1, b"a", 65535)), 0),
    "packet of an interface that is not there": (packet(number=0xFFFFFFFF), 1),
    "packet that says 4 GiB": (packet(captured=0xFFFFFFFF), 1),
    "packet that says more than its block": (packet(captured=5, data=b"1234"), 1),
    "packet of nothing": (cf.block(cf.BLOCK_ENHANCED, b"") + cf.block(cf.BLOCK_SIMPLE, b"") + cf.block(cf.BLOCK_PACKET, b""), 3),
    "statistics of nothing": (cf.block(STATISTICS, b""), 1),
    "statistics of nobody": (cf.block(STATISTICS, struct.pack("<III", 0xFFFFFFFF, 0, 0)), 1),
    "names that lie": (cf.block(NAMES, struct.pack("<HH", 1, 65535) + b"\xff" * 4), 0),
    "a block of 3 MiB": (cf.block(CUSTOM, bytes(3 * MIB)), 0),
    "a packet of 3 MiB": (packet(captured=3 * MIB, data=bytes(3 * MIB)), 1),
    "10000 empty blocks": (cf.block(UNKNOWN, b"") * 10_000, 0),
}  # fmt: skip
# What cannot be passed over, and what is said of it.
ENDS = {
    "length 0": (struct.pack("<III", 6, 0, 0), "impossible length"),
    "length 13": (struct.pack("<III", 6, 13, 0), "impossible length"),
    "length of 4 GiB": (struct.pack("<III", CUSTOM, 0xFFFFFFFC, 0), "ends inside a block"),
    "interface of 4 GiB": (struct.pack("<III", cf.BLOCK_INTERFACE, 0xFFFFFFFC, 0), "impossible length"),
    "another length at its end": (struct.pack("<IIII", CUSTOM, 16, 0, 12), "two lengths there differ"),
    "section of no order": (cf.block(cf.SECTION_HEADER, bytes(16)), "no byte-order magic"),
    "section of version 9": (cf.block(cf.SECTION_HEADER, struct.pack("<IHHq", cf.BYTE_ORDER_MAGIC, 9, 0, -1)), "version 9"),
}


def between(harm, at):
    """The bystanders' packets, and this behind the at-th of them."""
    packets = attack.bystanders()
    whole, begun = cf.pcapng_bytes(packets), cf.pcapng_bytes(packets[:at])
    return begun + harm + whole[len(begun) :]


def check_pcapng(tap, mailtap, before):
    for what, (harm, damaged) in PASSED.items():
        after = attack.run(mailtap, between(harm, 100))
        attack.check_bystanders(tap, what, before, after)
        attack.check_memory(tap, what, before, after, 5)  # a packet of 3 MiB does not fit in a window
        counted = after.capture["records_damaged"]
        tap.check(counted == damaged, f"{what}: {counted} damaged")
    first = attack.run(mailtap, attack.bystanders()[:100])
    for what, (harm, says) in ENDS.items():
        after = check_cut(tap, mailtap, f"pcapng: {what}", between(harm, 100), before, says)
        attack.check_bystanders(tap, what, first, after)
        tap.check(after.capture["packets_seen"] == 100, f"{what}: all before it was read")


def check_cut(tap, mailtap, what, data, before, says):
    """Reading ends there, and a line says why."""
    after = attack.run(mailtap, data, exits=FAILED)
    attack.check_memory(tap, what, before, after, 2)
    attack.check_sums(tap, what, after)
    told = after.errors.strip().splitlines()
    tap.check(len(told) == 1 and says in told[0], f"{what}: one line says that", told)
    return after


# --- compressed files ------------------------------------------------------------------------


def zstd(*blocks, window=17):
    """A frame of raw blocks, or of runs: (byte, count). `window`: of 2 to the power of so many bytes."""
    parts = []
    for given in blocks:
        if isinstance(given, bytes):
            parts += [(RAW, len(given[at : at + BLOCK]), given[at : at + BLOCK]) for at in range(0, len(given), BLOCK)]
        else:
            parts += [(RUN, BLOCK, given[0])] * (given[1] // BLOCK)
    parts.append((RAW, 0, b""))
    frame = struct.pack("<IBB", ZSTD_MAGIC, 0, (window - 10) << 3)
    for number, (kind, size, data) in enumerate(parts, 1):
        frame += (size << 3 | kind << 1 | (number == len(parts))).to_bytes(3, "little") + data
    return frame


def bombs(whole):
    """A block of 256 MiB between the packets, which is passed over: of zeros, in few bytes."""
    head, size = whole, 256 * MIB
    large = struct.pack("<II", CUSTOM, size + 16) + b"\0\0\0\0"
    yield "gzip", gzip.compress(head) + zeros(large, size) + gzip.compress(struct.pack("<I", size + 16))
    yield "zstd", zstd(head + large, (b"\0", size), struct.pack("<I", size + 16))


def zeros(first, size):
    packer, parts = zlib.compressobj(1, wbits=31), []
    parts.append(packer.compress(first))
    for _ in range(size // MIB):
        parts.append(packer.compress(bytes(MIB)))
    return b"".join(parts) + packer.flush()


def check_compressed(tap, mailtap, before):
    whole = cf.pcap_bytes(attack.bystanders(), nano=True)
    for kind, packed in (("gzip", gzip.compress(whole)), ("zstd", zstd(whole))):
        plain = attack.run(mailtap, packed)
        attack.check_bystanders(tap, kind, before, plain)
        for share in (3, 2):
            cut = packed[: len(packed) * (share - 1) // share]
            after = check_cut(tap, mailtap, f"{kind} cut by one in {share}", cut, plain, "cut off")
            read = after.capture["packets_seen"]
            attack.check_bystanders(tap, f"{kind} cut", attack.run(mailtap, attack.bystanders()[:read]), after)
        after = check_cut(tap, mailtap, f"{kind} and text", packed + b"no more of it", plain, "damaged")
        attack.check_bystanders(tap, f"{kind} and text", plain, after)
    for kind, packed in bombs(cf.pcapng_bytes(attack.bystanders())):
        after = attack.run(mailtap, packed)
        attack.check_bystanders(tap, f"{kind} bomb", before, after)
        attack.check_memory(tap, f"{kind} bomb of {len(packed) >> 10} KiB", before, after, 4)
    check_cut(tap, mailtap, "window of 256 MiB", zstd(whole, window=28), before, "damaged")


# --- frames ----------------------------------------------------------------------------------

ROUTE = b"\x83\x07\x08" + bytes([192, 0, 2, 99])  # where it has been
OPTIONS = {
    **{f"{length} bytes of NOP": b"\x01" * length for length in range(4, 41, 4)},
    **{f"{length} bytes behind the end": b"\0" + b"\xff" * (length - 1) for length in range(4, 41, 4)},
    "an option of length 0": b"\x07\0\0\0", "of length 1": b"\x44\x01\0\0", "of 255": b"\x83\xff\x04\0",
    "a route that was taken": ROUTE + b"\0", "a timestamp that is full": b"\x44\x28\x29\xf0" + bytes(36),
    "all kinds": bytes(range(200, 240)),
}  # fmt: skip


def with_options(frame, options):
    segment = pk.parse_segment(frame)
    ip = bytes([0x45 + len(options) // 4]) + segment.ip[1:20] + options
    return pk.build(frame, segment.copy(ip=ip))


def mail(number, size=1400, version=4):
    """A message of 200 KB in segments of so many bytes."""
    ends = {} if version == 4 else {"client": "2001:db8::10", "server": "2001:db8::20"}
    talk = Conversation(25, client_port=40000 + number, start=START + number * 1000, mss=min(size, 65400), **ends).open()
    talk.server(b"220 mx.example.net ESMTP\r\n").client(b"EHLO client.example.org\r\n").server(b"250-mx.example.net\r\n250 SIZE\r\n")
    for command, answer in ((b"MAIL FROM:<a@example.org>", b"250 ok"), (b"RCPT TO:<b@example.net>", b"250 ok"), (b"DATA", b"354 go")):
        talk.client(command + b"\r\n").server(answer + b"\r\n")
    text = (b"x" * 998 + b"\r\n") * 200 + b".\r\n"
    if size <= 65400:
        talk.client(text)
    else:
        for at in range(0, len(text), size):
            offloaded(talk, text[at : at + size])
    return talk.server(b"250 queued\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()


def offloaded(talk, text):
    """As a receiver's card or kernel joins segments: a datagram that is longer than its length can say, which is 0."""
    talk.client(b"x")
    acknowledgement, frame = talk.packets.pop(), talk.packets.pop()
    segment = pk.parse_segment(frame)
    data = bytearray(frame.data[:-1] + text)
    at = len(segment.link) + (2 if segment.version == 4 else 4)
    data[at : at + 2] = b"\0\0"
    talk.packets += [frame.with_data(bytes(data)), acknowledgement]
    talk.next["client"] += len(text) - 1


def check_frames(tap, mailtap):
    frames, cases = [], []
    for what, options in OPTIONS.items():
        frames += [with_options(frame, options) for frame in mail(len(cases)).packets]
        cases.append(what)
    for version in (4, 6):
        for size in (9001, 16_000, 65_400, 65_600, 150_000):
            frames += mail(len(cases), size, version).packets
            cases.append(f"IPv{version}, segments of {size}")
    lies = [pk.parse_segment(mail(999).packets[5])]
    short = [lies[0].copy(ip=bytes([0x40 + words]) + lies[0].ip[1:]) for words in range(5)]
    bad = [cf.Packet(START, s.link + s.ip + bytes(60), 94) for s in short]
    beyond = lies[0].link + bytes([0x4F]) + lies[0].ip[1:2] + struct.pack("!H", 40) + lies[0].ip[4:20] + bytes(60)
    bad.append(cf.Packet(START, beyond, len(beyond)))
    before, after = attack.beside(mailtap, sorted(frames + bad, key=lambda frame: frame.time))
    found = {r["client_port"] - 40000: r for r in after.records if not attack.is_bystander(r)}
    for number, what in enumerate(cases):
        told = found.get(number)
        expected = {"verdict": "cleartext", "client_missing_bytes": 0, "messages": 1, "end_reason": "fin"}
        lines = [f"{key} is {told[key]}" for key, value in expected.items() if told[key] != value] if told else ["no record"]
        tap.check(not lines, f"frames: {what}", lines)
    malformed = after.capture["packets_malformed"]
    tap.check(malformed == len(bad), f"frames: {malformed} headers shorter than any, or longer than their datagram")
    attack.check_beside(tap, "frames", before, after, 12)  # all that --memory gives


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap, before = Tap(), attack.run(options.mailtap, attack.bystanders())
    check_pcapng(tap, options.mailtap, before)
    check_compressed(tap, options.mailtap, before)
    check_frames(tap, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
