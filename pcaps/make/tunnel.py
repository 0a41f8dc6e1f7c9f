#!/usr/bin/env python3
"""A tunnel end in user space, for the encapsulations the kernel may not have.

tunnel.py MODE INNER LOCAL REMOTE [OUTER-DEVICE]

Makes the device INNER (a TUN, or a TAP where the mode carries Ethernet), and
carries what is sent there to the other end with the mode's header in front:

  vlan qinq mpls pppoe          Ethernet frames on OUTER-DEVICE
  gre gre-key gretap ipip sit   IP protocols between LOCAL and REMOTE (v4 or v6)
  geneve gtpu                   UDP between LOCAL and REMOTE

The kernel at each end speaks TCP/IP through INNER and, for the IP and UDP
modes, fragments what is too long for the outer path.
"""
import fcntl
import select
import socket
import struct
import sys

MAC = {"c0": (bytes.fromhex("02000000000a"), bytes.fromhex("020000000019")),
       "s0": (bytes.fromhex("020000000019"), bytes.fromhex("02000000000a"))}
TAP = {"vlan", "qinq", "gretap", "geneve"}
PACKET_AUXDATA, SOL_PACKET = 8, 263


def open_tun(name, tap):
    dev = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(dev, 0x400454CA, struct.pack("16sH", name.encode(), (2 if tap else 1) | 0x1000))
    return dev


class Ether:
    """Modes that are an Ethernet type of their own."""

    def __init__(self, mode, device):
        self.mode = mode
        self.mac, self.peer = MAC[device]
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind((device, 3))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    def send(self, packet):
        ip6 = packet[0] >> 4 == 6
        if self.mode == "vlan":         # 802.1Q, priority 3, VLAN 42
            frame = packet[:12] + b"\x81\x00" + struct.pack("!H", 3 << 13 | 42) + packet[12:]
        elif self.mode == "qinq":       # 802.1ad VLAN 100, then 802.1Q VLAN 42
            frame = (packet[:12] + b"\x88\xa8" + struct.pack("!H", 100) + b"\x81\x00" + struct.pack("!H", 42)
                     + packet[12:])
        elif self.mode == "mpls":       # labels 1000 and 2000, the last with the bottom bit
            frame = self.peer + self.mac + b"\x88\x47" + struct.pack(
                "!II", 1000 << 12 | 64, 2000 << 12 | 1 << 8 | 64) + packet
        else:                           # PPPoE session 7, PPP protocol IPv4 or IPv6
            frame = self.peer + self.mac + b"\x88\x64\x11\x00" + struct.pack(
                "!HHH", 7, len(packet) + 2, 0x57 if ip6 else 0x21) + packet
        self.sock.send(frame)

    def receive(self):
        frame, extra, _, address = self.sock.recvmsg(65536, 256)
        if address[2] == 4:             # our own, outgoing
            return None
        # the kernel takes the outer tag out of the frame and reports it apart
        for level, kind, data in extra:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                if status & 0x10:
                    frame = frame[:12] + struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci) + frame[12:]
        kind = frame[12:14]
        if self.mode == "vlan" and kind == b"\x81\x00":
            return frame[:12] + frame[16:]
        if self.mode == "qinq" and kind == b"\x88\xa8":
            return frame[:12] + frame[20:]
        if self.mode == "mpls" and kind == b"\x88\x47":
            return frame[22:]
        if self.mode == "pppoe" and kind == b"\x88\x64":
            return frame[22:22 + struct.unpack("!H", frame[18:20])[0] - 2]
        return None


class Ip:
    """Modes that are an IP protocol of their own."""
    HEADER = {"gre": 4, "gre-key": 8, "gretap": 4, "ipip": 0, "sit": 0}

    def __init__(self, mode, local, remote):
        self.mode, self.remote, self.six = mode, remote, ":" in local
        number = {"ipip": 4, "sit": 41}.get(mode, 47)
        self.sock = socket.socket(socket.AF_INET6 if self.six else socket.AF_INET, socket.SOCK_RAW, number)
        if not self.six:
            self.sock.setsockopt(socket.IPPROTO_IP, 10, 0)      # IP_MTU_DISCOVER: never; fragment
        self.sock.bind((local, 0))

    def send(self, packet):
        kind = 0x6558 if self.mode == "gretap" else 0x86DD if packet[0] >> 4 == 6 else 0x0800
        if self.mode == "gre-key":
            packet = struct.pack("!HHI", 0x2000, kind, 0x01020304) + packet
        elif self.mode.startswith("gre"):
            packet = struct.pack("!HH", 0, kind) + packet
        self.sock.sendto(packet, (self.remote, 0))

    def receive(self):
        data = self.sock.recv(65536)
        if not self.six:                # a raw IPv4 socket hands over the IP header
            data = data[(data[0] & 15) * 4:]
        return data[self.HEADER[self.mode]:]


class Udp:
    def __init__(self, mode, local, remote):
        self.mode = mode
        port = 6081 if mode == "geneve" else 2152
        self.sock = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IP, 10, 0)
        self.sock.bind((local, port))
        self.peer = (remote, port)

    def send(self, packet):
        if self.mode == "geneve":       # VNI 5, one option of 4 bytes
            head = struct.pack("!BBHI", 2, 0, 0x6558, 5 << 8) + struct.pack("!HBBI", 0x0102, 3, 1, 0xCAFE)
        else:                           # GTP-U version 1, G-PDU, TEID 0x11223344
            head = struct.pack("!BBHI", 0x30, 0xFF, len(packet), 0x11223344)
        self.sock.sendto(head + packet, self.peer)

    def receive(self):
        data = self.sock.recv(65536)
        return data[8 + (data[0] & 0x3F) * 4:] if self.mode == "geneve" else data[8:]


def main():
    mode, inner, local, remote = sys.argv[1:5]
    tun = open_tun(inner, mode in TAP)
    if mode in ("vlan", "qinq", "mpls", "pppoe"):
        far = Ether(mode, sys.argv[5])
    elif mode in ("geneve", "gtpu"):
        far = Udp(mode, local, remote)
    else:
        far = Ip(mode, local, remote)
    while True:
        for ready in select.select([tun, far.sock], [], [])[0]:
            try:
                if ready is tun:
                    packet = tun.read(65536)
                    if packet:
                        far.send(packet)
                else:
                    packet = far.receive()
                    if packet:
                        tun.write(packet)
            except OSError as error:
                print(error, file=sys.stderr)


main()
