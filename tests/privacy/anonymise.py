#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--anonymise: no address of any capture stands in any output, and nothing else is lost.

All captures, and conversations whose texts are full of addresses, are read once as they are and twice with
a key. The addresses in the place of the real ones are computed here independently (Crypto-PAn over the
openssl program). Then

- nothing that mailtap wrote or said, in files or on its outputs, has a real address in it, in any form;
- records, alerts and certificates are those of the plain run with the other addresses in them;
- both runs with the key wrote the same, byte by byte;
- `mailtap report` makes the same tables of both kinds of logs, and hides what it is asked to hide itself;
- ASN and country are those of the real addresses, and none where a log does not have these;
- what is remembered of servers has their real addresses, for its owner alone, and is printed without them.
"""

import base64
import hashlib
import ipaddress
import json
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import mmdb, program  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

KEY = bytes(range(7, 39))
QUAD = re.compile(r"(?<!\d)(\d{1,3})([.-])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?!\d)")
GROUPS = re.compile(r"(?:(?<=IPv6:)|(?<=ipv6:)|(?<![0-9A-Za-z:]))[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]+(?:\d+\.\d+\.\d+\.\d+)?")
LOGS = ["sessions.jsonl", "alerts.jsonl", "certificates.jsonl", "statistics.jsonl"]
TABLES = {"64500": ["198.51.100.0/24", "2001:db8:2::/48"], "64501": ["192.0.2.0/24", "203.0.113.0/24"]}


class Mapping:
    """Crypto-PAn, as its paper has it: what stands in the place of an address."""

    def __init__(self, key):
        self.key = key[:16].hex()
        self.pad = int.from_bytes(self.aes(key[16:]), "big")
        self.known = {}

    def aes(self, blocks):
        command = ["openssl", "enc", "-aes-128-ecb", "-nopad", "-K", self.key]
        return subprocess.run(command, input=blocks, capture_output=True, check=True).stdout

    def learn(self, addresses):
        """Computes many at once: the program is started for each call."""
        new = sorted(set(addresses) - self.known.keys(), key=lambda address: (address.version, address))
        blocks = bytearray()
        for address in new:
            bits = address.max_prefixlen
            value = int(address) << (128 - bits)
            for n in range(bits):
                rest = (1 << (128 - n)) - 1
                blocks += ((value & ~rest) | (self.pad & rest)).to_bytes(16, "big")
        out, at = self.aes(bytes(blocks)) if blocks else b"", 0
        for address in new:
            bits, changes = address.max_prefixlen, 0
            for n in range(bits):
                changes |= (out[at + 16 * n] >> 7) << (bits - 1 - n)
            at += 16 * bits
            self.known[address] = type(address)(int(address) ^ changes)

    def of(self, address):
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        if address not in self.known:
            self.learn([address])
        return self.known[address]

    def text(self, text):
        """A text with the other addresses in it; a network gets the one of its first address."""
        return GROUPS.sub(self._groups, QUAD.sub(self._quad, text))

    def _quad(self, match):
        parts = [int(match[i]) for i in (1, 3, 4, 5)]
        if max(parts) > 255:
            return match[0]
        other = self.of(ipaddress.IPv4Address(bytes(parts)))
        if match.string[match.end() : match.end() + 3] == "/24":
            other = ipaddress.IPv4Network((other, 24), strict=False).network_address
        return str(other).replace(".", match[2])

    def _groups(self, match):
        try:
            other = self.of(ipaddress.IPv6Address(match[0]))
        except ValueError:
            return match[0]
        if match.string[match.end() : match.end() + 3] == "/48":
            other = ipaddress.IPv6Network((other, 48), strict=False).network_address
        return str(other)

    def value(self, value, skip=()):
        """Whatever JSON has, with other addresses in all its texts."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {key: one if key in skip else self.value(one) for key, one in value.items()}
        return value


# --- captures ---------------------------------------------------------------------------------


def talkative(folder):
    """Conversations that say their addresses, and others', wherever a record takes texts from."""
    packets = []
    ends = [("192.0.2.77", "198.51.100.88"), ("2001:db8:1::77", "2001:db8:2::88")]
    for number, (client, server) in enumerate(ends):
        literal = client if ":" not in client else f"IPv6:{client}"
        start = 1_700_000_000_000_000_000 + number * 10**10
        talk = Conversation(25, client=client, server=server, client_port=40000 + number, start=start).open()
        talk.server(f"220 [{server}] ESMTP for {client} and 203.0.113.9\r\n".encode())
        talk.client(f"EHLO [{literal}]\r\n".encode())
        talk.server(f"250-ip-198-51-100-88.example hello {literal}\r\n250-XFROM {client}\r\n"
                    f"250-XXXXXXXA {server}\r\n250 8BITMIME\r\n".encode())  # fmt: skip
        talk.client(b"MAIL FROM:<a@example.org>\r\n").server(b"250 ok\r\n")
        talk.client(b"RCPT TO:<b@example.org>\r\n").server(b"250 ok\r\n")
        talk.client(b"DATA\r\n").server(b"354 go\r\n").client(b"Subject: x\r\n\r\nx\r\n.\r\n")
        talk.server(b"250 ok\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()
        packets += talk.packets
    path = folder / "talkative.pcap"
    cf.write(path, packets)
    return path


def addresses_of(captures):
    """All addresses that packets of the captures have in their headers, at least those of plain TCP."""
    found = set()
    for capture in captures:
        for packet in cf.read(capture):
            segment = pk.parse_segment(packet)
            if segment:
                found |= {ipaddress.ip_address(segment.source[0]), ipaddress.ip_address(segment.destination[0])}
    return found


# --- looking for addresses --------------------------------------------------------------------


def addresses_in(text):
    """Whatever in a text can be read as an address."""
    for match in QUAD.finditer(text):
        parts = [int(match[i]) for i in (1, 3, 4, 5)]
        if max(parts) <= 255:
            yield ipaddress.IPv4Address(bytes(parts))
    for match in re.finditer(r"[0-9A-Fa-f]*:[0-9A-Fa-f:.]+", text):
        for start in range(min(len(match[0]), 6)):
            for end in range(len(match[0]), max(start + 2, len(match[0]) - 6), -1):
                try:
                    address = ipaddress.IPv6Address(match[0][start:end])
                except ValueError:
                    continue
                yield address.ipv4_mapped or address


def forms(address):
    """An address as it may be written."""
    yield str(address)
    yield address.exploded
    if address.version == 4:
        yield str(address).replace(".", "-")
        yield "::ffff:%02x%02x:%02x%02x" % tuple(address.packed)
    else:
        yield ":".join(f"{int.from_bytes(address.packed[i : i + 2], 'big'):x}" for i in range(0, 16, 2))


def outputs(folder):
    """name -> content of all that a run wrote."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def leaks(written, real):
    """Lines that say where a real address stands."""
    lines = []
    needles = {form: address for address in real for form in forms(address)}
    for name, content in written.items():
        text = content.decode("utf-8", "backslashreplace")
        here = {address for address in addresses_in(text) if address in real}
        lower = text.lower()
        here |= {needles[form] for form in needles if form in lower and
                 re.search(rf"(?<![0-9a-f:.-]){re.escape(form)}(?![0-9a-f])", lower)}  # fmt: skip
        lines += [f"{name}: {address}" for address in sorted(here, key=str)]
    return lines


def same_in_each_run(written):
    """Without what metrics tell of the run itself: when it began, when they were written, its memory."""
    own = (b"mailtap_page_time_", b"mailtap_start_time_", b"mailtap_memory_")
    lines = [line for line in written["metrics.prom"].splitlines() if not line.startswith(own)]
    return {**written, "metrics.prom": lines}


# --- what ought to be there -------------------------------------------------------------------


def community_id(record):
    """Version 1 of Community ID, of the addresses in the record."""
    ends = [(ipaddress.ip_address(record[f"{side}_ip"]), record[f"{side}_port"]) for side in ("client", "server")]
    packed = [(address.packed, port.to_bytes(2, "big")) for address, port in ends]
    packed.sort()
    (one, one_port), (other, other_port) = packed
    data = b"\0\0" + one + other + b"\x06\0" + one_port + other_port
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def without(record, *keys):
    return {key: value for key, value in record.items() if key not in keys}


def compare_records(tap, mapping, plain, other, name):
    differing = []
    for old, new in zip(plain, other):
        expected = mapping.value(without(old, "session_id", "community_id"), ["signature_algorithm"])
        if new.get("anonymised") is not True or expected != without(new, "session_id", "community_id", "anonymised"):
            fields = [key for key in expected if expected[key] != new.get(key)]
            differing.append(f"{fields}: {[(expected[key], new.get(key)) for key in fields][:3]}")
    tap.check(len(plain) == len(other) > 0 and not differing,
              f"{name}: {len(plain)} lines are the same but for addresses", differing[:5])  # fmt: skip


def compare_identities(tap, plain, other):
    wrong = [record for record in other if record["community_id"] != community_id(record)]
    tap.check(not wrong, "community_id is that of the other addresses", [str(r["session_id"]) for r in wrong[:5]])
    old, new = ({record["session_id"] for record in records} for records in (plain, other))
    tap.check(len(new) == len(old) and not old & new, "session_id is another one")


def compare_tables(tap, mapping, plain, other):
    """The tables of `report --json`; their rows may stand in another order."""
    wrong = []
    for old, new in zip(plain, other):
        expected = [sorted(json.dumps(row, sort_keys=True) for row in table.get("rows", ()))
                    for table in (mapping.value(old), new)]  # fmt: skip
        if expected[0] != expected[1] or old.get("table") != new.get("table"):
            rows = [row for row in expected[0] if row not in expected[1]][:2]
            wrong.append(f"{old.get('table')}: {rows}")
    tap.check(len(plain) == len(other) > 10 and not wrong, "report makes the same tables of both logs", wrong)


# --- the runs ---------------------------------------------------------------------------------


class Bench:
    def __init__(self, tap, mailtap, folder):
        self.tap, self.mailtap, self.folder = tap, mailtap, folder
        self.key = folder / "key"
        self.key.write_text(KEY.hex() + "\n")
        self.key.chmod(0o600)
        self.hiding = ["--anonymise", self.key]
        tables = [("asn", "GeoLite2-ASN", lambda n: {"autonomous_system_number": n,
                                                     "autonomous_system_organization": f"Example {n}"}),
                  ("country", "GeoLite2-Country", lambda n: {"country": {"iso_code": "XA"}})]  # fmt: skip
        self.databases = []
        for name, kind, make in tables:
            entries = {network: make(int(n)) for n, networks in TABLES.items() for network in networks}
            mmdb.write(folder / f"{name}.mmdb", kind, entries)
            self.databases += [f"--{name}-db", folder / f"{name}.mmdb"]

    def run(self, *arguments, codes=(0,)):
        done = program.run(self.mailtap, arguments, timeout=2 * program.TIMEOUT)
        if done.returncode not in codes:
            raise program.RunError(f"exit code {done.returncode}: {program.text(done.stderr)[-2000:]}")
        return done

    def read(self, captures, name, *extra):
        """Everything that can be written is, and what is said is kept beside it."""
        out = self.folder / name
        logs = ["-w", out / "logs", "--csv", out / "csv", "--metrics", out / "metrics.prom", "--tls-rpt",
                out / "tls-rpt", "-o", out / "records.jsonl"]  # fmt: skip
        out.mkdir()
        done = self.run("-r", *captures, "--any-port", *logs, "--sensor", "one", "--alert-interval", "0",
                        *self.databases, *program.TRUST, *extra, codes=(0, 1))  # fmt: skip
        (out / "stdout").write_bytes(done.stdout)
        (out / "stderr").write_bytes(done.stderr)
        return out


def json_lines(path):
    return program.json_lines(path.read_bytes())


def run_all(bench, captures):
    tap, mapping = bench.tap, Mapping(KEY)
    keylogs = [argument for capture in captures for argument in program.keylog_arguments(program.keylog_of(capture))]
    plain = bench.read(captures, "plain", *keylogs)
    other = bench.read(captures, "other", *keylogs, *bench.hiding)
    again = bench.read(captures, "again", *keylogs, *bench.hiding)
    one, two = (same_in_each_run(outputs(run)) for run in (other, again))
    tap.check(one == two, "two runs with one key write the same",
              [name for name, content in one.items() if two.get(name) != content])  # fmt: skip

    records = json_lines(plain / "logs/sessions.jsonl")
    real = addresses_of(captures)
    real |= {address for content in outputs(plain).values() for address in addresses_in(content.decode("utf-8", "replace"))}
    networks = {ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False) for address in real}
    real |= {network.network_address for network in networks}
    harmless = {ipaddress.ip_address("::"), ipaddress.ip_address("1.3.6.1")}  # the latter begins many OIDs
    mapping.learn(real)
    tap.check(not real & set(mapping.known.values()), "no address has a real one in its place by chance")
    # That the search finds what there is: in the plain run every address of a record.
    shown = {ipaddress.ip_address(record[key]) for record in records for key in ("client_ip", "server_ip")}
    found = {line.split(": ", 1)[1] for line in leaks({"plain": (plain / "logs/sessions.jsonl").read_bytes()}, real)}
    tap.check(len(shown) > 40 and {str(address) for address in shown} <= found,
              f"the search finds all {len(shown)} addresses in the plain records")  # fmt: skip
    found = leaks(outputs(other), real - harmless)
    tap.check(not found, f"none of {len(real)} real addresses and networks stands in {len(outputs(other))} outputs",
              found[:20])  # fmt: skip

    for name in LOGS[:3]:
        compare_records(tap, mapping, json_lines(plain / "logs" / name), json_lines(other / "logs" / name), name)
    compare_identities(tap, records, json_lines(other / "logs/sessions.jsonl"))
    summaries = [(run / "stdout").read_text().splitlines() for run in (plain, other)]
    expected = mapping.text("\n".join(summaries[0])).splitlines()
    tap.check(expected[0] == summaries[1][0] and summaries[1][1].startswith("Addresses are others") and
              sorted(expected[1:]) == sorted(summaries[1][2:]), "the summary is the same but for addresses",
              sorted(set(expected) ^ set(summaries[1]))[:8])  # fmt: skip
    return mapping, plain, other, real - harmless


def report(bench, mapping, plain, other, real):
    def tables(*arguments):
        done = bench.run("report", "--json", *arguments)
        return program.json_lines(done.stdout), done

    tap = bench.tap
    first, _ = tables("-i", plain / "logs")
    second, done = tables("-i", other / "logs")
    compare_tables(tap, mapping, first, second)
    tap.check(not done.stderr, "it knows all keys of anonymised records", [program.text(done.stderr)])
    hidden, done = tables("-i", plain / "logs", *bench.hiding)
    tap.check(hidden == second, "asked to hide addresses itself, it prints what the anonymised logs give")
    once, _ = tables("-i", other / "logs", *bench.hiding)
    tap.check(once == second, "those that are hidden already it does not hide again")
    text = bench.run("report", "--all", "-i", plain / "logs", *bench.hiding, "--csv", bench.folder / "report-csv",
                     "--tls-rpt", bench.folder / "report-rpt")  # fmt: skip
    written = {**outputs(bench.folder / "report-csv"), **outputs(bench.folder / "report-rpt"), "stdout": text.stdout}
    found = leaks(written, real)
    tap.check(not found, f"no real address in {len(written)} of its outputs", found[:10])


def places(bench, plain, other):
    """ASN and country come of real addresses."""
    tap = bench.tap

    def networks(folder):
        return sorted((folder / "csv/networks.csv").read_text().splitlines())

    tap.check(networks(plain) == networks(other) and any("64500" in line for line in networks(other)),
              "networks are those of the real addresses", networks(other)[:5])  # fmt: skip
    done = bench.run("report", "--json", "-i", plain / "logs", *bench.databases, *bench.hiding)
    tap.check(b"64500" in done.stdout and not done.stderr, "so they are in a report that hides addresses itself")
    done = bench.run("report", "--json", "-i", other / "logs", *bench.databases)
    tap.check(b"64500" not in done.stdout and b"64501" not in done.stdout and b"are anonymised" in done.stderr,
              "of an anonymised log no networks are made up, and that is said", [program.text(done.stderr)])  # fmt: skip


def servers(bench, capture, mapping):
    """A state file has to have real addresses; it is for its owner, and can be printed without them."""
    tap, memory = bench.tap, bench.folder / "servers"
    bench.run("-q", "-r", capture, "--server-memory", memory, *bench.hiding)
    tap.check(b"198.51.100.88" in memory.read_bytes() and stat.S_IMODE(memory.stat().st_mode) == 0o600,
              "what is remembered has real addresses, for its owner alone")  # fmt: skip
    for how in [], ["--json"]:
        plain = bench.run("servers", "--server-memory", memory, *how).stdout.decode()
        other = bench.run("servers", "--server-memory", memory, *how, *bench.hiding).stdout.decode()
        expected = sorted(mapping.text(plain).split())
        tap.check("198.51.100.88" in plain and sorted(other.split()) == expected,
                  f"servers {' '.join(how)} prints them without", [other])  # fmt: skip
    one = bench.run("servers", "--server-memory", memory, "--json", *bench.hiding, "198.51.100.88").stdout.decode()
    tap.check(one.count("\n") == 1 and str(mapping.of(ipaddress.ip_address("198.51.100.88"))) in one,
              "one is asked for by its real address")  # fmt: skip


def wrong_use(bench, capture):
    loose = bench.folder / "loose"
    loose.write_bytes(KEY)
    loose.chmod(0o640)
    cases = [
        (1, b"chmod 600", ["-r", capture, "--anonymise", loose]),
        (1, b"No such file", ["-r", capture, "--anonymise", bench.folder / "none"]),
        (1, b"chmod 600", ["report", "-i", bench.folder / "plain/logs", "--anonymise", loose]),
        (1, b"chmod 600", ["servers", "--server-memory", bench.folder / "servers", "--anonymise", loose]),
        (2, b"--pem", ["-r", capture, "-w", bench.folder / "x", "--pem", *bench.hiding]),
        (2, b"--write-certs", ["-r", capture, "--write-certs", bench.folder / "x", *bench.hiding]),
    ]
    for code, words, arguments in cases:
        done = program.run(bench.mailtap, arguments)
        lines = done.stderr.splitlines()
        bench.tap.check(done.returncode == code and len(lines) == 1 and words in lines[0] and not done.stdout,
                        f"{' '.join(map(str, arguments[:1]))}: {words.decode()}: one line, exit code {code}",
                        [program.text(done.stderr)])  # fmt: skip


def main():
    tap = Tap()
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    with tempfile.TemporaryDirectory(prefix="mailtap-anonymise-") as name:
        bench = Bench(tap, options.mailtap, Path(name))
        own = talkative(bench.folder)
        captures = [*program.captures(options.pcaps), own]
        mapping, plain, other, real = run_all(bench, captures)
        report(bench, mapping, plain, other, real)
        places(bench, plain, other)
        servers(bench, own, mapping)
        wrong_use(bench, own)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
