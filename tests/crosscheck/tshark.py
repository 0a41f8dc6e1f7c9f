#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cross-check: mailtap's facts against tshark's, and against facts written beside a capture.

For every capture of pcaps/ and of the folder MAILTAP_EXTRA_CAPTURES, tshark (dissect.py) is asked per
TCP stream for what both can know; JA4 is computed by ja4.py from the hello that tshark put together. A
capture NAME with NAME.truth.json beside it is also compared with the facts in there. Differences must stand
in known.py, one by one, with a reason.
"""

import hashlib
import ipaddress
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import known  # noqa: E402
from dissect import CLIENT_HELLO, dissect  # noqa: E402
from ja4 import GREASE, ja4  # noqa: E402
from lib import program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

VERSIONS = {
    0x0002: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}  # fmt: skip
SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_STATUS = "2", "11", "13", "22"
MASTER_SECRET, CLIENT_HELLO_INSIDE, RENEGOTIATION, RENEGOTIATION_SUITE = 23, 0xFE0D, 0xFF01, 0x00FF
FATAL = "2"
START_TLS = {"STARTTLS", "STLS"}
SEEN_ON_THE_WIRE = {"handshake", "keylog"}
FINGERPRINTS = {"ja3", "ja3s", "ja4"}

TSHARK_FIELDS = [
    "tcp.stream", "frame.protocols",
    "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
    "tls.handshake.version", "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite", "tls.handshake.extensions_server_name",
    "tls.handshake.certificate", "tls.handshake.ja3", "tls.handshake.ja3s", "communityid",
    "tls.handshake.extensions_alpn_str", "smtp.command_line", "imap.request.command",
    "pop.request.command", "tls.handshake.extension.type", "tls.handshake.comp_method",
    "tls.handshake.extensions_key_share_group",
    "tls.handshake.extensions_key_share_key_exchange_length",
    "tls.alert_message.level", "tls.alert_message.desc",
]  # fmt: skip


@dataclass
class Comparison:
    """The differences of one capture against one other reader."""

    capture: str
    compared: int = 0
    fingerprints: int = 0
    lines: list = field(default_factory=list)
    excused: set = field(default_factory=set)

    def compare(self, flow, name, ours, theirs, table):
        self.compared += 1
        if records.same(ours, theirs):
            return
        for entry in table:
            if entry.explains(self.capture, flow, name, ours, theirs):
                self.excused.add(entry)
                return
        self.lines.append(f"{flow} {name}: mailtap {program.show(ours)}, the other {program.show(theirs)}")


# --- tshark ----------------------------------------------------------------------------------


@dataclass
class Names:
    """What numbers are called, as tshark knows it."""

    ciphers: dict = field(default_factory=dict)  # IANA names of the cipher suites
    alerts: dict = field(default_factory=dict)


def tshark_names():
    listed = subprocess.run(["tshark", "-G", "values"], capture_output=True, check=True).stdout
    names = Names()
    for line in program.text(listed).split("\n"):
        parts = line.split("\t")
        if parts[:2] == ["V", "tls.handshake.ciphersuite"]:
            names.ciphers[int(parts[2], 0)] = parts[3]
        if parts[:2] == ["V", "tls.alert_message.desc"]:
            names.alerts[int(parts[2], 0)] = parts[3].lower().replace(" ", "_")
    return names


def _end(row, side):
    """(address bytes, port); in tunnels those of the IP header next to TCP."""
    layers = [layer for layer in row["frame.protocols"].split(":") if layer in ("ip", "ipv6")]
    address = row[f"{layers[-1]}.{side}"].split(",")[-1]
    return ipaddress.ip_address(address).packed, int(row[f"tcp.{side}port"].split(",")[-1])


def tshark_streams(rows):
    """(connection, rows) of each TCP stream, by connection, in order."""
    streams = {}
    for row in rows:
        streams.setdefault(row["tcp.stream"].split(",")[-1], []).append(row)
    groups = {}
    for stream in streams.values():
        flow = tuple(sorted((_end(stream[0], "src"), _end(stream[0], "dst"))))
        groups.setdefault(flow, []).append(stream)
    return groups


def tshark_facts(stream, server, names, hellos):
    """What tshark saw in a stream, under mailtap's names; None where it saw nothing."""
    facts = dict.fromkeys(
        ["tls_version", "tls_cipher", "sni", "alpn", "ja3", "ja3s", "server_chain", "client_chain",
         "tls_alert"]
    )  # fmt: skip
    hello = hellos.get(stream[0]["tcp.stream"].split(",")[-1])
    try:
        facts["ja4"] = ja4(hello) if hello else None
    except ValueError:
        facts["ja4"] = None  # the hello contradicts itself
    facts["starttls_requested"] = facts["client_certificate_requested"] = False
    facts["community_id"] = stream[0]["communityid"].split(",")[-1] or None
    for row in stream:
        kinds = row["tls.handshake.type"].split(",")
        from_server = _end(row, "src") == server
        if CERTIFICATE in kinds:
            chain = "server_chain" if from_server else "client_chain"
            facts[chain] = facts[chain] or _hashes(row["tls.handshake.certificate"])
        if from_server and SERVER_HELLO in kinds:
            _server_hello(facts, row, names.ciphers)
            facts.update(_server_quality(row))
        if from_server and CERTIFICATE_STATUS in kinds:
            facts["tls_ocsp_staple"] = True
        if not from_server and CLIENT_HELLO in kinds:
            facts = _client_quality(row) | facts
            facts["sni"] = _first(row["tls.handshake.extensions_server_name"])
            facts["alpn"] = _first(row["tls.handshake.extensions_alpn_str"])
            facts["ja3"] = facts["ja3"] or _first(row["tls.handshake.ja3"])
        facts["starttls_requested"] |= not from_server and _asks_for_tls(row)
        facts["client_certificate_requested"] |= from_server and CERTIFICATE_REQUEST in kinds
        facts["tls_alert"] = facts["tls_alert"] or _fatal_alert(row, from_server, names.alerts)
    return facts


def _fatal_alert(row, from_server, alerts):
    """The first fatal alert of a packet, as mailtap writes it."""
    levels, numbers = (row[f"tls.alert_message.{part}"].split(",") for part in ("level", "desc"))
    for level, number in zip(levels, numbers):
        if level == FATAL:
            return f"{'server' if from_server else 'client'}:{alerts.get(int(number), number)}"
    return None


def _server_hello(facts, row, ciphers):
    """The last server hello counts: one before it was a retry request.

    The ALPN is the server's choice, or where TLS 1.3 hides that the client's first offer.
    """
    version = row["tls.handshake.extensions.supported_version"] or row["tls.handshake.version"]
    facts["tls_version"] = VERSIONS.get(int(_first(version), 0))
    facts["tls_cipher"] = ciphers.get(int(_first(row["tls.handshake.ciphersuite"]), 0))
    facts["alpn"] = _first(row["tls.handshake.extensions_alpn_str"]) or facts["alpn"]
    facts["ja3s"] = _first(row["tls.handshake.ja3s"])


def _server_quality(row):
    """What only a ServerHello up to TLS 1.2 says."""
    if row["tls.handshake.extensions.supported_version"]:
        return {}
    types = _numbers(row["tls.handshake.extension.type"])
    return {
        "tls_extended_master_secret": MASTER_SECRET in types,
        "tls_secure_renegotiation": RENEGOTIATION in types,
        "tls_compression": _numbers(row["tls.handshake.comp_method"]) != [0],
    }


def _client_quality(row):
    """What a ClientHello says; the first one counts."""
    types = _numbers(row["tls.handshake.extension.type"])
    suites = _numbers(row["tls.handshake.ciphersuite"])
    groups = _numbers(row["tls.handshake.extensions_key_share_group"])
    lengths = _numbers(row["tls.handshake.extensions_key_share_key_exchange_length"])
    return {
        "tls_key_share_bytes": sum(n for group, n in zip(groups, lengths) if group not in GREASE),
        "tls_ech_offered": CLIENT_HELLO_INSIDE in types,
        "tls_secure_renegotiation_offered": RENEGOTIATION in types or RENEGOTIATION_SUITE in suites,
    }


def _numbers(values):
    return [int(value, 0) for value in values.split(",") if value]


def _first(values):
    """The first of tshark's comma-separated values, None where there is none."""
    return values.split(",")[0] or None


def _hashes(certificates):
    """SHA-256 of each certificate; an empty Certificate message is an empty list."""
    return [hashlib.sha256(bytes.fromhex(der)).hexdigest() for der in certificates.split(",") if der]


def _asks_for_tls(row):
    lines = row["smtp.command_line"].replace("\\r", "").replace("\\n", "").split(",")
    words = lines + row["imap.request.command"].split(",") + row["pop.request.command"].split(",")
    return any(word.strip().upper() in START_TLS for word in words)


def against_tshark(capture, found, dissection, names, table):
    """All sessions of a capture against tshark's streams."""
    result = Comparison(capture.name)
    streams = tshark_streams(dissection.rows)
    for flow, group in records.by_connection(found).items():
        theirs = streams.get(flow, [])
        title = records.connection(group[0])
        if len(group) != len(theirs):
            result.compare(title, "(number of connections)", len(group), len(theirs), table)
            continue
        for record, stream in zip(group, theirs):
            facts = tshark_facts(stream, records.endpoints(record)[1], names, dissection.hellos)
            for name, value in facts.items():
                ours = record[name]
                result.fingerprints += name in FINGERPRINTS and ours is not None
                if name in ("starttls_requested", "client_certificate_requested"):
                    ours = ours is True
                if name == "server_chain" and record["server_certificate_source"] not in SEEN_ON_THE_WIRE:
                    ours = None
                if name.endswith("_chain") and ours == [] and value is None:
                    ours = None  # tshark shows no certificate, whether none was sent or it is hidden
                result.compare(title, name, ours, value, table)
    return result


# --- the facts beside a capture ----------------------------------------------------------------

TRUTH_BANNER = 160  # characters after which a banner is cut there

# Their name -> ours. Null there means "not determined" and is not compared.
TRUTH_FIELDS = {
    "starttls_offered": "starttls_offered",
    "starttls_requested": "starttls_requested",
    "starttls_accepted": "starttls_accepted",
    "tls_established": "tls_established",
    "tls_version": "tls_version",
    "cipher": "tls_cipher",
    "sni": "sni",
    "chain_sha256": "server_chain",
    "protocol": "protocol",
    "messages_clear": "messages",
    "plaintext_auth": "auth_mechanism",
    "capabilities": "capabilities",
    "banner": "server_banner",
}


def against_truth(capture, found, table):
    """All flows of the truth file that mailtap reported against their records."""
    result = Comparison(capture.name)
    flows = json.loads(Path(f"{capture}.truth.json").read_text())["flows"]
    groups = records.by_connection(found)
    for flow in flows:
        ends = [(ipaddress.ip_address(flow["client"]).packed, flow["client_port"]),
                (ipaddress.ip_address(flow["server"]).packed, flow["port"])]  # fmt: skip
        group = groups.get(tuple(sorted(ends)), [])
        title = f"{flow['client']}:{flow['client_port']} > {flow['server']}:{flow['port']}"
        reported = len(group) >= 1
        result.compare(title, "(reported)", reported, flow["port"] in records.MAIL_PORTS, table)
        if len(group) == 1:
            compare_truth(result, title, group[0], flow, table)
    return result


def compare_truth(result, title, record, flow, table):
    for theirs, ours in TRUTH_FIELDS.items():
        value, found = truth_value(theirs, flow), record[ours]
        if value is None or value is False and found is None:
            continue
        if theirs == "banner" and found and len(value) >= TRUTH_BANNER:
            found = found[: len(value)]
        result.compare(title, ours, found, value, table)


def truth_value(name, flow):
    """A fact of a truth file in the words of the record contract; None where it says nothing."""
    value = flow.get(name)
    if name == "plaintext_auth" and value:
        names = {"USER/PASS": "USER", "LOGIN": "LOGIN-COMMAND" if flow["protocol"] == "imap" else "LOGIN"}
        return names.get(value, value.removeprefix("AUTH "))
    if name == "capabilities":
        if flow["protocol"] == "smtp":
            value = value[1:]  # the first line of an EHLO reply is a greeting
        return [line.upper() for line in value if line] or None
    if name == "protocol" and not (flow["banner"] or flow["helo"] or flow["tls_established"]):
        return None  # nothing was spoken: taken from the port
    if name == "messages_clear":
        return value or None  # 0 there does not tell "none" from "not seen"
    return value


# --- the run ---------------------------------------------------------------------------------


def check_capture(capture, found, dissection, names):
    """[(name of the check, Comparison)] of one capture."""
    checks = [("tshark", against_tshark(capture, found, dissection, names, known.TSHARK))]
    if Path(f"{capture}.truth.json").exists():
        checks.append(("truth", against_truth(capture, found, known.TRUTH)))
    return checks


def report_stale(tap, captures, excused):
    """Known differences that no longer differ, of the captures that were looked at."""
    names = {capture.name for capture in captures}
    stale = [e for e in known.TSHARK + known.TRUTH if e.capture in names and e not in excused]
    lines = [f"{e.capture} {e.flow} {e.field}: no longer differs as known.py says" for e in stale]
    tap.check(not stale, "every known difference still is one", lines)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="TEXT", help="only captures with this in their name")
    options = program.parse_arguments(parser)
    tap = Tap()
    if not shutil.which("tshark"):
        tap.skip("cross-check", "tshark is not installed")
        return tap.done()
    extra = program.extra_captures()
    if extra is None:
        tap.skip("extra captures", "MAILTAP_EXTRA_CAPTURES is not set")
    captures = [c for c in program.captures(options.pcaps) + (extra or [])
                if not options.only or options.only in c.name]  # fmt: skip
    names = tshark_names()
    excused, compared, fingerprints = set(), 0, 0
    sessions = program.all_sessions(options.mailtap, captures)
    for capture, dissection in dissect(sessions, TSHARK_FIELDS, hellos=True).items():
        for reader, result in check_capture(capture, sessions[capture], dissection, names):
            excused |= result.excused
            compared += result.compared
            fingerprints += result.fingerprints
            tap.check(not result.lines, f"{capture.name} against {reader}", result.lines)
    tap.check(compared > 0, f"{compared} comparisons")
    tap.check(fingerprints > 0 or options.only, f"{fingerprints} fingerprints compared")
    report_stale(tap, captures, excused)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
