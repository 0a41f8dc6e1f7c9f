#!/usr/bin/env python3
"""A scripted TCP client (or server) for protocol shapes no stock client makes.

talk.py [--from ADDRESS] HOST PORT < SCRIPT
                                      connect and follow the script
talk.py --listen HOST PORT < SCRIPT   accept one connection and follow it

Script lines:
  < REGEX     read until a line matches REGEX (searched, at a line's start)
  > TEXT      send TEXT and CRLF
  >> TEXT     send TEXT with Python escapes (\\r \\n \\x..), no CRLF added
  cram USER PASSWORD   answer the last line read as a CRAM-MD5 challenge
  apop USER PASSWORD   log in with the timestamp of the banner
  hello       send the ClientHello of a client with post-quantum keys, which spans segments
  wait SECONDS
  drain       read until the peer closes
  half        shut down the sending side
  reset       close with RST
  close       close
  # TEXT      comment
"""
import base64
import hashlib
import hmac
import re
import socket
import struct
import sys
import time


def large_hello():
    """A ClientHello of TLS 1.3 with a key share of X25519MLKEM768 beside one of X25519: 1500 bytes."""

    def part(size, *pieces):
        body = b"".join(pieces)
        return len(body).to_bytes(size, "big") + body

    def extension(kind, *pieces):
        return kind.to_bytes(2, "big") + part(2, *pieces)

    groups = b"\x11\xec\x00\x1d\x00\x17"
    extensions = (
        extension(0, part(2, b"\0", part(2, b"mx.example.com"))),
        extension(10, part(2, groups)),
        extension(13, part(2, bytes.fromhex("040305030603080408050806"))),
        extension(43, part(1, b"\3\4\3\3")),
        extension(45, part(1, b"\1")),
        extension(51, part(2, b"\x11\xec", part(2, bytes(range(256)) * 4 + bytes(192)), b"\x00\x1d", part(2, bytes(32)))),
        extension(21, bytes(120)),
    )
    hello = b"\3\3" + bytes(range(32)) + part(1, bytes(range(32)))
    hello += part(2, bytes.fromhex("130113021303c02bc02f")) + b"\1\0" + part(2, *extensions)
    return b"\x16\3\1" + part(2, b"\1" + part(3, hello))


class Talk:
    def __init__(self, sock):
        self.sock, self.buf, self.last, self.banner = sock, b"", b"", b""

    def line(self):
        while b"\n" not in self.buf:
            data = self.sock.recv(65536)
            if not data:
                raise SystemExit("closed by peer, left: %r" % self.buf)
            self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        print("S:", line.decode("latin-1").rstrip("\r"))
        self.banner = self.banner or line
        return line.rstrip(b"\r")

    def expect(self, pattern):
        while True:
            self.last = self.line()
            if re.match(pattern.encode(), self.last):
                return

    def send(self, data):
        print("C:", data)
        self.sock.sendall(data)

    def run(self, script):
        for step in script:
            step = step.rstrip("\n")
            word, _, rest = step.partition(" ")
            if not word or word == "#":
                continue
            if word == "<":
                self.expect(rest)
            elif word == ">":
                self.send(rest.encode() + b"\r\n")
            elif word == ">>":
                self.send(rest.encode().decode("unicode_escape").encode("latin-1"))
            elif word == "cram":
                user, password = rest.split()
                challenge = base64.b64decode(self.last.split(b" ", 1)[1])
                digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
                self.send(base64.b64encode(("%s %s" % (user, digest)).encode()) + b"\r\n")
            elif word == "apop":
                user, password = rest.split()
                stamp = re.search(rb"<[^>]+>", self.banner).group()
                digest = hashlib.md5(stamp + password.encode()).hexdigest()
                self.send(("APOP %s %s\r\n" % (user, digest)).encode())
            elif word == "hello":
                self.send(large_hello())
            elif word == "wait":
                time.sleep(float(rest))
            elif word == "drain":
                while True:
                    data = self.sock.recv(65536)
                    if not data:
                        break
                    print("S:", data)
            elif word == "half":
                self.sock.shutdown(socket.SHUT_WR)
            elif word == "reset":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.sock.close()
            elif word == "close":
                self.sock.close()
            else:
                raise SystemExit("unknown step: " + step)
            sys.stdout.flush()


def main():
    args, source = sys.argv[1:], None
    if args[0] == "--from":
        source, args = (args[1], 0), args[2:]
    listen = args[0] == "--listen"
    if listen:
        args = args[1:]
    host, port = args[0], int(args[1])
    if listen:
        server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock, _ = server.accept()
    else:
        sock = socket.create_connection((host, port), 60, source)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Talk(sock).run(sys.stdin)


main()
