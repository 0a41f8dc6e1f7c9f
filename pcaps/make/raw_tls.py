#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A TLS 1.2 server that sends whatever it is given as its certificates, and goes no further.

raw_tls.py ADDRESS PORT FILE...    accept one connection; each FILE is one certificate (DER, or not)

For certificates that a real server refuses to load. It answers the ClientHello with ServerHello
(RSA key exchange), Certificate, ServerHelloDone, and reads until the client has gone or been silent
for two seconds.
"""

import os
import socket
import sys
from pathlib import Path


def vector(size, *parts):
    """A vector of TLS with its length in `size` octets."""
    content = b"".join(parts)
    return len(content).to_bytes(size, "big") + content


def handshake(kind, content):
    return bytes([kind]) + vector(3, content)


def record(content):
    return b"\x16\x03\x03" + vector(2, content)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise SystemExit("closed by the client before its hello ended")
        data += more
    return data


def main():
    address, port, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection, _ = socket.create_server((address, port), family=family).accept()
    connection.settimeout(2)
    head = exactly(connection, 5)
    exactly(connection, int.from_bytes(head[3:], "big"))
    extensions = b"\xff\x01\0\x01\0"  # secure renegotiation
    cipher = b"\0\x9c"  # TLS_RSA_WITH_AES_128_GCM_SHA256
    hello = b"\x03\x03" + os.urandom(32) + vector(1) + cipher + b"\0" + vector(2, extensions)
    chain = vector(3, *(vector(3, Path(file).read_bytes()) for file in files))
    messages = handshake(2, hello) + handshake(11, chain) + handshake(14, b"")
    for start in range(0, len(messages), 16384):
        connection.sendall(record(messages[start : start + 16384]))
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        pass


main()
