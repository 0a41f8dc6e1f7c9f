# SPDX-License-Identifier: Apache-2.0
"""Networks for live tests: namespaces of their own, pairs of interfaces, packets sent into one end, programs
that capture on the other, and waiting for what they did instead of for a time."""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import capture_file as cf
from lib import program

INSIDE = "MAILTAP_TEST_NETWORK"
PATIENCE = 60 * program.PATIENCE  # seconds after which what is waited for is taken not to come
MTU = 65535  # frames as large as offloads make them


class NetworkError(Exception):
    """The network could not be made, or a program did not do what it was waited for."""


def enter():
    """Run the calling script again in network and mount namespaces of its own.

    Returns None inside them, or why it cannot be: no right to make any, or a command is missing.
    """
    if os.environ.get(INSIDE):
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=False, stderr=subprocess.DEVNULL)
        ip("link", "set", "lo", "up")
        return None
    if os.getuid() != 0:
        return "only root may make network namespaces and look at who captures in them"
    unshare = ["unshare", "--net", "--mount"]
    try:
        done = subprocess.run([*unshare, "tcpdump", "--version"], capture_output=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    if done.returncode != 0:
        return "namespaces cannot be made here: " + program.text(done.stderr).strip()
    os.environ[INSIDE] = "1"
    os.execvp("unshare", [*unshare, sys.executable, *sys.argv])


def ip(*arguments):
    """ip(8); its output."""
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)
    if done.returncode != 0:
        raise NetworkError(f"ip {' '.join(arguments)}: {program.text(done.stderr).strip()}")
    return program.text(done.stdout)


def quieten(*names):
    """No packet that the test did not send: no IPv6 on these interfaces."""
    for name in names:
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")


def make_pair(tap, port):
    """Two interfaces: what is sent into `port` comes by `tap`. Both are up and silent."""
    ip("link", "add", "name", tap, "mtu", str(MTU), "type", "veth", "peer", "name", port, "mtu", str(MTU))
    quieten(tap, port)
    for name in (tap, port):
        ip("link", "set", "dev", name, "up")


def remove_pair(tap):
    ip("link", "delete", "dev", tap)


def wait_until(what, condition):
    """Until condition() is true; NetworkError says what did not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise NetworkError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.02)


class Port:
    """The sending end of a pair. What it sends has arrived at the other end when `send` returns: the kernel would
    drop packets that come faster than it hands them on."""

    CHUNK = 100  # packets on their way at a time
    ALL_PROTOCOLS = 3  # ETH_P_ALL
    SO_RCVBUFFORCE = 33  # Python does not name it

    def __init__(self, name, tap):
        self.socket = self._open(name, 0)
        self.arrived = self._open(tap, self.ALL_PROTOCOLS)
        self.arrived.settimeout(PATIENCE)
        self.arrived.setsockopt(socket.SOL_SOCKET, self.SO_RCVBUFFORCE, 64 << 20)

    @staticmethod
    def _open(name, protocol):
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        opened.bind((name, protocol))
        return opened

    def send(self, packets):
        packets = list(packets)
        for at in range(0, len(packets), self.CHUNK):
            chunk = packets[at : at + self.CHUNK]
            for packet in chunk:
                self.socket.send(packet.data)
            for _ in chunk:
                self.arrived.recv(1)

    def close(self):
        self.socket.close()
        self.arrived.close()


def packet_sockets(pid):
    """How many packet sockets of a process are bound and running in this network."""
    own = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(link))
        except FileNotFoundError:
            continue
        if found:
            own.add(found.group(1))
    lines = Path("/proc/net/packet").read_text().splitlines()[1:]
    columns = [line.split() for line in lines]
    return sum(column[8] in own and column[5] == "1" for column in columns)


def filtered_sockets(pid):
    """How many packet sockets of a process have their filter: before that, libpcap throws packets away."""
    done = subprocess.run(["ss", "-0Hbp"], capture_output=True, check=False)
    lines = program.text(done.stdout).splitlines()
    of_process = (follows for line, follows in zip(lines, lines[1:]) if f"pid={pid}," in line)
    return sum(bool(re.match(r"\s+bpf filter \((\d{2,})\)", line)) for line in of_process)


class Capture:
    """A program that captures until it gets a signal."""

    all = []  # that were started

    capturing = staticmethod(packet_sockets)  # on how many sockets a process does

    def __init__(self, command, sockets, **popen):
        popen.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, env=program.environment(), **popen)
        self.all.append(self)
        self.lines = []
        self.coming = queue.Queue()
        self.reader = threading.Thread(target=self._read_lines, daemon=True)
        self.reader.start()
        wait_until(f"{command[0]} to capture", lambda: self._ready(sockets))

    def _ready(self, sockets):
        if self.process.poll() is not None:
            raise NetworkError(f"it ended at once: {self.process.returncode} {self.said()}")
        return self.capturing(self.process.pid) >= sockets

    def _read_lines(self):
        for line in self.process.stderr:
            self.coming.put(program.text(line).rstrip("\n"))

    def said(self):
        """All lines on its standard error so far."""
        while not self.coming.empty():
            self.lines.append(self.coming.get())
        return self.lines

    def wait_for_line(self, text):
        """Until it says this, behind what was waited for before."""
        start = len(self.lines)
        wait_until(f'"{text}" in {self.lines}', lambda: any(text in line for line in self.said()[start:]))

    def stop(self, number=signal.SIGINT):
        """Exit code and standard output."""
        self.process.send_signal(number)
        try:
            out, _ = self.process.communicate(timeout=PATIENCE)
        except ValueError:  # the reader of its standard error has closed it
            out = self.process.stdout.read()
            self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        self.said()
        return self.process.returncode, out


def end_captures():
    """End those that a test which failed left running."""
    for capture in Capture.all:
        if capture.process.poll() is None:
            capture.process.kill()
            capture.process.wait(timeout=PATIENCE)
    Capture.all.clear()


class Recorder(Capture):
    """tcpdump, writing all packets of an interface."""

    def __init__(self, interface, path):
        self.path = path
        link = ["-y", "LINUX_SLL"] if interface == "any" else []
        super().__init__(["tcpdump", *link, "-i", interface, "-n", "-U", "-B", "65536",
                          "--time-stamp-precision", "nano", "-Z", "root", "-w", str(path)], 1)  # fmt: skip
        self.wait_for_line("listening on")  # said behind its filter: before that, its socket throws packets away

    def wait_for(self, count):
        """Until it has written that many packets. By then every other capture on the interface has them."""
        wait_until(f"{count} packets in {self.path}", lambda: self._written() >= count)

    def _written(self):
        try:
            return len(cf.read(self.path))
        except (cf.CaptureError, OSError):
            return 0  # not even the file's header
