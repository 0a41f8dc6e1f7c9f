#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tag.py OUT FILE=VLAN...: the frames of several Ethernet captures in one, by their times, each with the
VLAN of its file, as a switch delivers several mirrored ports on one line."""

import struct
import sys

frames = []
for argument in sys.argv[2:]:
    path, _, vlan = argument.rpartition("=")
    with open(path, "rb") as file:
        data = file.read()
    header, at = data[:24], 24
    while at + 16 <= len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + captured]
        tagged = frame[:12] + struct.pack("!HH", 0x8100, int(vlan)) + frame[12:]
        frames.append((seconds, fraction, struct.pack("<II", captured + 4, length + 4) + tagged))
        at += 16 + captured
frames.sort(key=lambda frame: frame[:2])
with open(sys.argv[1], "wb") as file:
    file.write(header + b"".join(struct.pack("<II", s, f) + rest for s, f, rest in frames))
