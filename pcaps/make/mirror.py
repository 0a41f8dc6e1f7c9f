#!/usr/bin/env python3
"""mirror.py MODE DEVICE LOCAL REMOTE: sends a copy of every frame on DEVICE to
a collector, as a switch or a cloud does. MODE is erspan (type II in GRE with
sequence numbers) or vxlan (VNI 77)."""
import socket
import struct
import sys

mode, device, local, remote = sys.argv[1:5]
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((device, 3))
if mode == "erspan":
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
    out.bind((local, 0))
else:
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind((local, 50077))
number = 0
while True:
    frame, address = tap.recvfrom(65536)
    if mode == "erspan":
        # GRE with sequence number; ERSPAN version 1, VLAN 0, session 9, port index by direction
        head = struct.pack("!HHI", 0x1000, 0x88BE, number) + struct.pack("!HHI", 0x1000, 9, address[2] == 4)
        out.sendto(head + frame, (remote, 0))
    else:
        out.sendto(struct.pack("!II", 0x08000000, 77 << 8) + frame, (remote, 4789))
    number += 1
