#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wire between two devices, client's side first, on which somebody forges (IPv4, TCP).

forge.py A B race SOURCE TRIGGER OLD NEW
    The server's answer to TRIGGER, with OLD in it, is remembered. When the client with the address SOURCE then
    sends TRIGGER, it gets that segment with NEW in OLD's place at once, as if from the server, but with
    the forger's own TTL, IP ID and window; the server's answer comes behind it. OLD and NEW are
    of one length, so that the connection goes on.
forge.py A B rewrite SOURCE OLD NEW
    OLD is overwritten with NEW, of one length, in what the server sends to SOURCE.

A and B carry every other frame as it came.
"""

import select
import socket
import struct
import sys

FORGED = {"ttl": 43, "ident": 4242, "window": 1024}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - total


class Frame:
    """An Ethernet frame with IPv4 and TCP in it; `tcp` False: another."""

    def __init__(self, data):
        self.tcp = data[12:14] == b"\x08\x00" and data[23] == 6
        if self.tcp:
            self.link, head = data[:14], (data[14] & 15) * 4
            total = struct.unpack("!H", data[16:18])[0]
            self.ip, tcp = data[14 : 14 + head], data[14 + head : 14 + total]
            size = (tcp[12] >> 4) * 4
            self.head, self.payload = tcp[:size], tcp[size:]
            self.source, self.destination = (socket.inet_ntoa(self.ip[a : a + 4]) for a in (12, 16))

    def bytes(self):
        total = len(self.ip) + len(self.head) + len(self.payload)
        ip = self.ip[:2] + struct.pack("!H", total) + self.ip[4:10] + b"\0\0" + self.ip[12:]
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        tcp = self.head[:16] + b"\0\0" + self.head[18:] + self.payload
        pseudo = ip[12:20] + struct.pack("!HH", 6, len(tcp))
        return self.link + ip + tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]


def forged_answer(asked, payload):
    """The frame that answers the client's frame `asked`, as if from the server."""
    frame = Frame(asked.bytes())
    ports, seq, ack = asked.head[:4], asked.head[4:8], asked.head[8:12]
    acknowledged = (struct.unpack("!I", seq)[0] + len(asked.payload)) & 0xFFFFFFFF
    frame.link = asked.link[6:12] + asked.link[:6] + asked.link[12:]
    frame.ip = struct.pack("!BBHHHBBH", 0x45, 0, 0, FORGED["ident"], 0x4000, FORGED["ttl"], 6, 0)
    frame.ip += asked.ip[16:20] + asked.ip[12:16]
    frame.head = ports[2:] + ports[:2] + ack + struct.pack("!IBBHI", acknowledged, 5 << 4, 0x18, FORGED["window"], 0)
    frame.payload = payload
    return frame.bytes()


class Racer:
    def __init__(self, source, trigger, old, new):
        self.source, self.trigger, self.old, self.new = source, trigger.encode(), old, new
        self.remembered, self.asked = None, False

    def from_client(self, frame, back):
        self.asked = self.asked or self.trigger in frame.payload
        ready = self.remembered and frame.source == self.source
        if ready and self.trigger in frame.payload:
            back.send(forged_answer(frame, self.remembered.replace(self.old, self.new)))

    def from_server(self, frame):
        if self.asked and self.old in frame.payload and not self.remembered:
            self.remembered = frame.payload


class Rewriter:
    def __init__(self, source, old, new):
        self.source, self.old, self.new = source, old, new

    def from_client(self, frame, back):
        pass

    def from_server(self, frame):
        if frame.destination == self.source:
            frame.payload = frame.payload.replace(self.old, self.new)


def main():
    names, mode, source, words = sys.argv[1:3], sys.argv[3], sys.argv[4], sys.argv[5:]
    old, new = (word.encode().decode("unicode_escape").encode() for word in words[-2:])
    assert len(old) == len(new), "OLD and NEW differ in length"
    forger = Racer(source, words[0], old, new) if mode == "race" else Rewriter(source, old, new)
    socks = []
    for name in names:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((name, 3))
        socks.append(sock)
    while True:
        for sock in select.select(socks, [], [])[0]:
            data, address = sock.recvfrom(65536)
            if address[2] == 4:  # what we sent
                continue
            frame, out = Frame(data), socks[sock is socks[0]]
            if frame.tcp and sock is socks[0]:
                forger.from_client(frame, sock)
            elif frame.tcp:
                forger.from_server(frame)
            out.send(frame.bytes() if frame.tcp else data)


main()
