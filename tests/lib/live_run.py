# SPDX-License-Identifier: Apache-2.0
"""A mailtap that goes on: fed by a pipe, sent signals, listened to as a service manager does."""

import os
import signal
import socket
import struct
import subprocess
import time

from lib import capture_file as cf
from lib import program
from lib.conversation import START, Conversation

WAIT = 30 * program.PATIENCE  # seconds for what has to come; nothing is measured by it
MINUTE = 60_000_000_000


def session(number, port=25, banner=b"220 mx.example.org ESMTP\r\n"):
    """A short session, a minute behind the one before: it ends that one by the packets' clock."""
    address = f"192.0.2.{number % 250 + 1}"
    talk = Conversation(port, client=address, client_port=1024 + number % 60000, start=START + number * MINUTE)
    talk.open().server(banner).client(b"EHLO client.example.org\r\n")
    talk.server(b"250-mx.example.org\r\n250 8BITMIME\r\n").client(b"QUIT\r\n")
    return talk.server(b"221 2.0.0 Bye\r\n").close().packets


def records_of(packets):
    """Packets as they stand in a pcap file behind its header."""
    chunks = []
    for packet in packets:
        seconds, rest = divmod(packet.time, 1_000_000_000)
        chunks.append(struct.pack("<IIII", seconds, rest // 1000, len(packet.data), packet.length))
        chunks.append(packet.data)
    return b"".join(chunks)


def wait_for(condition, what):
    """What the condition gives once it gives something."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise program.RunError(f"waited in vain: {what}")


class LiveRun:
    """mailtap -r - with a pipe. `listen`: a folder for the socket of a service manager."""

    def __init__(self, mailtap, *arguments, listen=None, environment=None, **popen):
        variables = {**program.environment(), **(environment or {})}
        self.manager = None
        if listen:
            self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            path = os.path.join(listen, f"notify-{time.monotonic_ns()}")
            self.manager.bind(path)
            self.manager.settimeout(WAIT)
            variables["NOTIFY_SOCKET"] = path
        popen.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen(
            [mailtap, "-q", "-r", "-", *map(str, arguments)],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, **popen,
        )  # fmt: skip
        self.give(cf.pcap_header(cf.LINK_ETHERNET))

    def give(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def sessions(self, numbers, **how):
        for number in numbers:
            self.give(records_of(session(number, **how)))

    def signal(self, number):
        self.process.send_signal(number)

    def heard(self):
        """The next message for the service manager, as a dictionary."""
        message = self.manager.recv(4096).decode()
        return dict(line.split("=", 1) for line in message.splitlines())

    def hear(self, key, value=None):
        """Waits for a message with this key."""
        while True:
            message = self.heard()
            if key in message and (value is None or message[key] == value):
                return message

    def end(self, how=None):
        """Ends the input, or ends it by a signal; gives the exit code and the lines on standard error."""
        if how is not None:
            self.signal(how)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        output = self.process.stdout.read() if self.process.stdout else b""
        said = self.process.stderr.read()
        code = self.process.wait(WAIT)
        self.process.stderr.close()
        if self.process.stdout:
            self.process.stdout.close()
        if self.manager:
            self.manager.close()
        self.output = output
        return code, program.text(said).splitlines()

    def kill(self):
        return self.end(signal.SIGKILL)
