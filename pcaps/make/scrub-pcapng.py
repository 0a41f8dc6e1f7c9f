#!/usr/bin/env python3
"""scrub-pcapng.py IN OUT: drops from a pcapng file what names the machine it
was made on: the section header's options and the interfaces' operating system.
Little-endian files only."""
import struct
import sys

SECTION, INTERFACE, IF_OS = 0x0A0D0D0A, 1, 12


def options(data, drop):
    kept, at = b"", 0
    while at + 4 <= len(data):
        code, size = struct.unpack("<HH", data[at:at + 4])
        end = at + 4 + (size + 3) // 4 * 4
        if code != drop:
            kept += data[at:end]
        at = end
        if code == 0:
            break
    return kept


def main():
    data, out, at = open(sys.argv[1], "rb").read(), b"", 0
    while at < len(data):
        kind, size = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + size - 4]
        at += size
        if kind == SECTION:
            body = body[:16]
        elif kind == INTERFACE:
            body = body[:8] + options(body[8:], IF_OS)
        out += struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    open(sys.argv[2], "wb").write(out)


main()
