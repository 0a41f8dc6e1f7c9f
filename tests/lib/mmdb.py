# SPDX-License-Identifier: Apache-2.0
"""Writes tables of addresses in MaxMind's format (https://maxmind.github.io/MaxMind-DB/): a binary tree
over the bits of an address, the entries, and what describes the file."""

import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"


class Short(int):
    """A number of 16 bits."""


class Long(int):
    """A number of 64 bits."""


class Entry(dict):
    """A leaf of the tree."""


def write(path, kind, entries):
    """`entries`: network (text) to a map of texts, numbers below 2^32 and further maps."""
    root = [None, None]
    for network, values in entries.items():
        _insert(root, _bits(network), Entry(values))
    nodes, numbers = [], {}
    _number(root, nodes, numbers)
    tree, data = bytearray(), bytearray()
    for node in nodes:
        for branch in node:
            value = len(nodes)  # nothing is known
            if isinstance(branch, Entry):
                value = len(nodes) + 16 + len(data)
                data += _encode(branch)
            elif branch is not None:
                value = numbers[id(branch)]
            tree += struct.pack(">I", value)
    about = {
        "node_count": len(nodes), "record_size": Short(32), "ip_version": Short(6),
        "database_type": kind, "binary_format_major_version": Short(2),
        "binary_format_minor_version": Short(0), "build_epoch": Long(1), "languages": [],
        "description": {"en": "made for a test"},
    }  # fmt: skip
    path.write_bytes(bytes(tree) + bytes(16) + bytes(data) + MARKER + _encode(about))


def _bits(network):
    network = ipaddress.ip_network(network)
    if network.version == 4:  # ::/96
        return "0" * 96 + f"{int(network.network_address):032b}"[: network.prefixlen]
    return f"{int(network.network_address):0128b}"[: network.prefixlen]


def _insert(node, bits, entry):
    for bit in map(int, bits[:-1]):
        if node[bit] is None:
            node[bit] = [None, None]
        node = node[bit]
    node[int(bits[-1])] = entry


def _number(node, nodes, numbers):
    numbers[id(node)] = len(nodes)
    nodes.append(node)
    for branch in node:
        if isinstance(branch, list):
            _number(branch, nodes, numbers)


def _encode(value):
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(_encode(k) + _encode(v) for k, v in value.items())
    if isinstance(value, str):
        data = value.encode()
        return _control(2, len(data)) + data
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encode, value))
    if isinstance(value, Long):
        return _control(9, 8) + struct.pack(">Q", value)
    if isinstance(value, Short):
        return _control(5, 2) + struct.pack(">H", value)
    return _control(6, 4) + struct.pack(">I", value)


def _control(kind, size):
    """Types above 7 stand in a second byte, sizes from 29 on in one behind it."""
    first = (kind if kind <= 7 else 0) << 5 | min(size, 29)
    return bytes([first] + [kind - 7] * (kind > 7) + [size - 29] * (size >= 29))
