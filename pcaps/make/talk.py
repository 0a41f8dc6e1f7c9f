#!/usr/bin/env python3
"""A scripted TCP client (or server) for protocol shapes no stock client makes.

talk.py HOST PORT < SCRIPT            connect and follow the script
talk.py --listen HOST PORT < SCRIPT   accept one connection and follow it

Script lines:
  < REGEX     read until a line matches REGEX (searched, at a line's start)
  > TEXT      send TEXT and CRLF
  >> TEXT     send TEXT with Python escapes (\\r \\n \\x..), no CRLF added
  cram USER PASSWORD   answer the last line read as a CRAM-MD5 challenge
  apop USER PASSWORD   log in with the timestamp of the banner
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
    args = sys.argv[1:]
    listen = args[0] == "--listen"
    if listen:
        args = args[1:]
    host, port = args[0], int(args[1])
    if listen:
        server = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock, _ = server.accept()
    else:
        sock = socket.create_connection((host, port), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Talk(sock).run(sys.stdin)


main()
