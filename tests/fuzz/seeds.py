#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzzers: `seeds.py
pipeline|capture|x509|chains|patterns|server_memory|session_lines|config DIRECTORY`.

For `capture` the captures themselves; for `pipeline` the script (see pipeline.c) that sends the
segments of a capture again; for `x509` the certificates of the system, for `chains` lists of
them; for `patterns` the shipped files; for `server_memory` files of each kind that it reads (see server_memory.c);
for `session_lines` the golden records; for `config` the shipped file, and files with mistakes."""

import hashlib
import json
import re
import ssl
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file, packets  # noqa: E402

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
PATTERNS = Path(__file__).resolve().parents[2] / "configs" / "patterns"
SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "mailtap.yaml"
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SERVERS = [25, 587, 143, 110, 465, 993, 995, 2526]
EXAMPLE = Path(__file__).resolve().parents[2] / "configs" / "servers.example"
CERTIFICATES = Path("/usr/share/ca-certificates")
PEM = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
LARGEST = 16 * 1024  # bytes of a capture worth mutating
FIN, SYN, RST = 1, 2, 4
DATA, LONG_DATA, SYN_STEP, FIN_STEP, RST_STEP, ACK_STEP = 0, 6, 8, 9, 10, 11


def step_of(segment):
    """The steps of one segment, or nothing if it is not on a port that the fuzzer has."""
    if segment.dport in SERVERS:
        number, sender = SERVERS.index(segment.dport), 0
    elif segment.sport in SERVERS:
        number, sender = SERVERS.index(segment.sport), 8
    else:
        return b""

    def first(kind):
        return bytes([kind << 4 | sender | number])

    size = len(segment.payload)
    if segment.flags & SYN:
        return first(SYN_STEP)
    if segment.flags & RST:
        return first(RST_STEP)
    steps = b""
    if 0 < size < 256:
        steps = first(DATA) + bytes([size]) + segment.payload
    elif size:
        steps = first(LONG_DATA) + size.to_bytes(2, "big") + segment.payload
    if segment.flags & FIN:
        steps += first(FIN_STEP)
    return steps or first(ACK_STEP)


def script(path):
    """The script of a capture; one packet a batch, the largest budget."""
    steps = b""
    for packet in capture_file.read(path):
        segment = packets.parse_segment(packet)
        if segment is not None:
            steps += step_of(segment)
    return b"\x04" + steps if steps else b""


def captures(kind):
    """(name, seed) of each capture that is small enough."""
    for path in sorted(PCAPS.iterdir()):
        if path.name.endswith(capture_file.CAPTURE_SUFFIXES) and path.stat().st_size <= LARGEST:
            yield path.name, path.read_bytes() if kind == "capture" else script(path)


def certificates():
    """(name, DER) of the certificates that the system trusts."""
    for path in sorted(CERTIFICATES.rglob("*.crt")):
        for number, text in enumerate(PEM.findall(path.read_text())):
            yield f"{path.stem}-{number}.der", ssl.PEM_cert_to_DER_cert(text)


def lists():
    """(name, list) of every certificate with the two before it, in 2024 (see chains.c)."""
    known = list(certificates())
    for number in range(2, len(known)):
        reference = b"mail.example.com"
        seed = (1718409600).to_bytes(8, "big") + bytes([len(reference)]) + reference
        for _, der in known[number - 2 : number + 1]:
            seed += len(der).to_bytes(2, "big") + der
        yield f"list-{number}", seed


def patterns():
    """(name, text) of the shipped pattern files."""
    for path in sorted(PATTERNS.glob("*.patterns")):
        yield path.name, path.read_bytes()
def servers():
    """(name, input) of a memory of servers, of its lines without their checks, and of a list of good ones."""
    networks = {"networks": [[1, 2], [3, 100]], "next": 0}
    span = {"first": 1772323200, "last": 1774915200}
    counts = ["offered", "not_offered", "proven", "accepted", "refused", "established", "ehlo_taken", "greeted_ok"]
    leaf = {
        "sha256": "ab" * 32, "spki_sha256": "cd" * 32, **span, "not_after": 2000000000, "sessions": 2,
        "trusted": True, "self_signed": False, **networks,
    }  # fmt: skip
    facts = {"port": 25, **span, "sessions": 7, **{count: {"count": 3, **span, **networks} for count in counts}}
    facts |= {"fingerprinted": 1772323200, "capabilities": "ab" * 8, "banner": "cd" * 8, "leaves": [leaf]}
    rests = [json.dumps(server | facts)[1:] for server in ({"address": "192.0.2.25"}, {"name": "mx.example.com"})]
    lines = [f'{{"check":"{hashlib.sha256(rest.encode()).hexdigest()[:16]}",{rest}' for rest in rests]
    yield "memory", ("m" + "\n".join(['{"mailtap_server_memory":1,"servers":2}', *lines, ""])).encode()
    yield "lines", ("l" + "\n".join(rests)).encode()
    yield "list", b"g" + EXAMPLE.read_bytes()


def logs():
    """(name, log) of the golden records of each capture."""
    for path in sorted(GOLDEN.glob("*.jsonl")):
        yield path.name, path.read_bytes()


def configs():
    """(name, file): the shipped one, with its examples set as well, and mistakes. None with a filter (config.c)."""
    shipped = re.sub(r".*filter.*\n", "", SHIPPED.read_text())
    yield "shipped", shipped.encode()
    yield "examples", re.sub(r"^  #(?! )", "  ", shipped, flags=re.MULTILINE).encode()
    yield "names", b"logs:\n  log_dir: a\nperformanc:\n  memory: 1G\nmemory: 1\n"
    yield "values", b"performance: {memory: 12x}\ncapture:\n  ports: [25, [26], 2x]\n  any-port: on\n"
    yield "yaml", b"a: &a !!str x\nlogs:\n  sensor: *a\n  sensor: |\n    b\n---\nlogs: ~\n"
    yield "depth", b"capture: {read: [[[[[[[[[[[[[[[[[["
    yield "escapes", b'logs:\n  sensor: "\\0\\x9b\\u202e\\n"\n? [a]\n: "b\n'


def main():
    kind, directory = sys.argv[1], Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    made = {
        "x509": certificates, "chains": lists, "patterns": patterns, "server_memory": servers,
        "session_lines": logs, "config": configs,
    }  # fmt: skip
    seeds = made.get(kind, lambda: captures(kind))
    for name, seed in seeds():
        if seed:
            (directory / name).write_bytes(seed)


if __name__ == "__main__":
    main()
