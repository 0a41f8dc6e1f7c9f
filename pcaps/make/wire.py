#!/usr/bin/env python3
"""A wire between two devices that does not carry every frame as it came.

wire.py A B RULE...   where RULE is ACTION:DIRECTION:COUNT[,COUNT...]

  ACTION     drop, swap (send after the next one) or double
  DIRECTION  ab or ba
  COUNT      which TCP segments with data in that direction, from 1 ("all" is all)
"""
import select
import socket
import struct
import sys


def payload(frame):
    """Bytes of TCP data in an IPv4 or IPv6 frame."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        head = (frame[14] & 15) * 4
        return struct.unpack("!H", frame[16:18])[0] - head - (frame[14 + head + 12] >> 4) * 4
    if kind == b"\x86\xdd" and frame[20] == 6:
        return struct.unpack("!H", frame[18:20])[0] - (frame[54 + 12] >> 4) * 4
    return 0


def main():
    names, rules = sys.argv[1:3], {}
    for rule in sys.argv[3:]:
        action, way, counts = rule.split(":")
        for count in counts.split(","):
            rules[way, count] = action
    socks = []
    for name in names:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((name, 3))
        socks.append(s)
    seen, held = {"ab": 0, "ba": 0}, {"ab": None, "ba": None}
    while True:
        for s in select.select(socks, [], [])[0]:
            frame, address = s.recvfrom(65536)
            if address[2] == 4:
                continue
            way = "ab" if s is socks[0] else "ba"
            out = socks[1] if s is socks[0] else socks[0]
            action = None
            if payload(frame) > 0:
                seen[way] += 1
                action = rules.get((way, str(seen[way])), rules.get((way, "all")))
            if action == "drop":
                continue
            if action == "swap" and held[way] is None:
                held[way] = frame
                continue
            out.send(frame)
            if action == "double":
                out.send(frame)
            if held[way] is not None:
                out.send(held[way])
                held[way] = None


main()
