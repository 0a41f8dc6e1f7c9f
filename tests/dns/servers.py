#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What DNS says of the servers of sessions (--dns), from captures of Postfix with unbound and nsd (pcaps/dns-*):

- names of servers by MX, and whether the certificate is for them; DANE; what receiving networks look up: as written
  here by hand from the recipes;
- the same whatever the number of workers, and none of the keys without --dns;
- a name that is seen only after a session, or that nobody asked for, is not its server's;
- the tables of a run and of a report on its logs are the same, also with other addresses in the place of the real ones;
- no recipient, no local part and no text of a message in any log.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

CANARIES = (b"canary-recipient", b"canary-sender", b"CANARY", b"canary-user")
NAME_KEYS = ("server_ip", "certificate_name_match", "certificate_name_source", "mx_names")
DANE_KEYS = ("server_ip", "sni", "dane", "dane_name", "dane_records", "dane_usage", "dane_selector", "dane_matching_type")
KEYS = {"dns_read", "server_operator", "mx_names", "dane", "dane_name", "dane_records", "dane_usage", "dane_selector", "dane_matching_type", "dane_dnssec"}

NAMES = [
    ("192.0.2.26", True, "mx", ["mx.good.example"]),
    ("192.0.2.27", False, "mx", ["mx.other.example"]),
    # The address of two: the first one was looked up alone so far, and the certificate is for the other.
    ("192.0.2.28", False, "mx", ["mx.first.example"]),
    ("192.0.2.28", True, "mx", ["mx.first.example", "mx.second.example"]),
    ("192.0.2.29", True, "mx", ["bare.example"]),  # without MX
    ("192.0.2.26", True, "mx", ["mx.good.example", "mx.alias.example"]),
]
DANE = [
    ("192.0.2.26", "mx.key.example", "match", "mx.key.example", 1, 3, 1, 1),
    ("192.0.2.27", "mx.whole.example", "match", "mx.whole.example", 1, 3, 0, 2),
    ("192.0.2.28", "mx.issuer.example", "match", "mx.issuer.example", 1, 2, 0, 1),
    ("192.0.2.29", "mx.wrong.example", "mismatch", "mx.wrong.example", 1, 3, 1, 1),
    ("192.0.2.30", None, None, "mx.pkix.example", 1, 1, 1, 1),  # of no use for mail
    ("192.0.2.26", "mx.key.example", "mismatch", "mx.key.example", 1, 3, 1, 1),  # another certificate
]
# What the second message from a sender makes a network look up is in its resolver's memory.
LOOKUPS = [
    {"network": "192.0.2.0/24", "sessions": 2, "questions": 4, "spf": 1, "dkim": 1, "dmarc": 1, "window": 60},
    {"network": "203.0.113.0/24", "sessions": 3, "questions": 0, "spf": 0, "dkim": 0, "dmarc": 0, "window": 60},
]
TABLE_LOOKUPS = [  # networks that look up, of those seen; sessions, of theirs; not seen
    ("spf", 1, 1, 1, 2, 3),
    ("dkim", 1, 1, 1, 2, 3),
    ("dmarc", 1, 1, 1, 2, 3),
]
TABLE_RECEIVERS = [  # operator, sessions, networks, shared, seen, of these looking up SPF, DKIM, DMARC
    ("example.com", 5, 2, 0, 1, 1, 1, 1),
]
TABLE_SERVICES = [  # service, address, domains of, sessions of
    ("alias.example", "192.0.2.26", 2, 5, 2, 5),
    ("first.example", "192.0.2.28", 2, 5, 2, 5),
    ("other.example", "192.0.2.27", 1, 5, 1, 5),
    (None, None, 1, None, 1, None),  # the address of bare.example is no host's of MX
]


def run(mailtap, capture, extra=(), dns=True):
    """All that a run writes: lines of each log, and the bytes of all."""
    with tempfile.TemporaryDirectory() as logs:
        words = ["-q", *(["--dns"] if dns else []), "-r", capture, "-w", logs, *program.TRUST, *extra]
        done = program.run(mailtap, words)
        if done.returncode != 0:
            raise program.RunError(f"{capture}: exit code {done.returncode}: {program.text(done.stderr)}")
        written = {path.name: path.read_bytes() for path in Path(logs).iterdir() if path.is_file()}
        report = program.run(mailtap, ["report", "--json", "-i", logs])
    tables = {line["table"]: line.get("rows") for line in program.json_lines(report.stdout)}
    lines = {name.removesuffix(".jsonl"): program.json_lines(data) for name, data in written.items()}
    return lines, tables, b"".join(written.values()) + report.stdout


def check(tap, passed, what, details):
    tap.check(passed, what, () if passed else str(details).splitlines())


def picked(sessions, keys):
    return [tuple(session[key] for key in keys) for session in sessions]


def check_sessions(tap, options, name, keys, wanted):
    capture = options.pcaps / f"{name}.pcap"
    lines, _, written = run(options.mailtap, capture)
    found = picked(lines["sessions"], keys)
    check(tap, found == wanted, f"{name}: as its recipe says", found)
    threads, *_ = run(options.mailtap, capture, ["--workers", "3"])
    check(tap, threads["sessions"] == lines["sessions"], f"{name}: the same with three workers", threads["sessions"])
    without, *_ = run(options.mailtap, capture, dns=False)
    left = KEYS & {key for session in without["sessions"] for key in session}
    check(tap, not left and set(lines["sessions"][0]) - set(without["sessions"][0]) == KEYS, f"{name}: its keys only with --dns", left)
    check(tap, not any(canary in written for canary in CANARIES), f"{name}: nothing of messages and people", "")
    return lines


def check_dane(tap, options):
    lines = check_sessions(tap, options, "dns-dane-postfix-postfix", DANE_KEYS, DANE)
    # Whoever goes on over a certificate that signs itself, and that its domain publishes, has not failed to check.
    first = lines["sessions"][0]
    check(tap, first["certificate_status"] == ["self_signed"] and first["client_verifies"] is None, "what is published may sign itself", first)


def check_evidence(tap, options):
    """What does not fit is evidence only where DNSSEC vouches for the records: with the anchors of the capture's zones."""
    capture = options.pcaps / "dns-dane-postfix-postfix.pcap"
    anchored, _, _ = run(options.mailtap, capture, ["--trust-anchors", capture.with_suffix(".anchors")])
    found = [(session["dane"], session["dane_dnssec"]) for session in anchored["sessions"]]
    check(tap, found == [(row[2], "secure") for row in DANE], "what is signed is secure", found)
    pieces = [(alert["kind"], alert["confidence"], alert["dane_name"], "dane_fitted_sha256" in alert) for alert in anchored["alerts"]]
    wanted = [
        ("certificate_substituted", "suspected", "mx.wrong.example", False),  # the records may be wrong
        ("certificate_substituted", "probable", "mx.key.example", True),  # they fitted a moment ago
    ]
    check(tap, pieces == wanted, "what does not fit is evidence", pieces)
    first, last = anchored["sessions"][0], anchored["alerts"][-1]
    check(tap, last["dane_fitted_sha256"] == first["server_chain"][0] != last["sha256"], "both certificates are told", last)
    alone, _, _ = run(options.mailtap, capture)
    found = [session["dane_dnssec"] for session in alone["sessions"]]
    check(tap, found == [None] * 6 and alone["alerts"] == [], "none without an anchor", f"{found} {alone['alerts']}")


def check_tables(tap, options):
    capture = options.pcaps / "dns-lookups-postfix-postfix.pcap"
    lines, tables, written = run(options.mailtap, capture)
    found = [{key: line[key] for key in LOOKUPS[0]} for line in lines["lookups"]]
    check(tap, found == LOOKUPS, "look-ups are as the recipe says", found)
    rows = [
        (row["looks_up"], row["networks"], row["network_share"]["of"], row["sessions"], row["session_share"]["of"], row["not_seen"])
        for row in tables["lookups"]
    ]
    check(tap, rows == TABLE_LOOKUPS, "the table of look-ups has them", rows)
    rows = [
        tuple(row[key] for key in ("server_operator", "sessions", "networks", "shared", "watched", "spf", "dkim", "dmarc"))
        for row in tables["lookup_operators"]
    ]
    check(tap, rows == TABLE_RECEIVERS, "operators look up what their networks do", rows)
    of_run = lines["statistics"][-1]["tables"]["lookups"]
    check(tap, of_run == tables["lookups"], "the run's table is that of a report", of_run)
    check(tap, not any(canary in written for canary in CANARIES), "look-ups: nothing of messages and people", "")


def service_rows(rows):
    return [
        (row["service"], row["address"], row["domains"], (row["domain_share"] or {}).get("of"), row["sessions"], (row["session_share"] or {}).get("of"))
        for row in rows
    ]


def check_services(tap, options, folder):
    capture = options.pcaps / "dns-mx-postfix-postfix.pcap"
    _, tables, _ = run(options.mailtap, capture, ["--csv", folder])
    rows = service_rows(tables["services"])
    check(tap, rows == TABLE_SERVICES, "domains that share an address are one service", rows)
    csv = Path(folder, "services.csv").read_text().splitlines()
    check(tap, [line.split(",")[0] for line in csv[1:]] == ["alias.example", "first.example", "other.example", ""], "the run's table has them, too", csv)
    key = Path(folder, "key")
    key.write_text("07" * 32 + "\n")
    key.chmod(0o600)
    lines, other, written = run(options.mailtap, capture, ["--anonymise", key])
    mapped = {old["server_ip"]: new["server_ip"] for old, new in zip(run(options.mailtap, capture)[0]["sessions"], lines["sessions"])}
    wanted = [(row[0], mapped.get(row[1]), *row[2:]) for row in TABLE_SERVICES]
    check(tap, sorted(service_rows(other["services"]), key=str) == sorted(wanted, key=str), "the same with other addresses", service_rows(other["services"]))
    check(tap, b"192.0.2." not in written and b"203.0.113." not in written, "no real address is left", "")
    alone = Path(folder, "tables-alone")
    program.run(options.mailtap, ["-q", "--dns", "-r", capture, "--anonymise", key, "--csv", alone])
    written = b"".join(path.read_bytes() for path in alone.iterdir())
    check(tap, b"/24" in written and b"192.0.2." not in written and b"203.0.113." not in written, "nor in tables without logs", "")
    with tempfile.TemporaryDirectory() as logs:
        program.run(options.mailtap, ["-q", "--dns", "-r", capture, "-w", logs])
        report = program.run(options.mailtap, ["report", "--json", "--anonymise", key, "-i", logs])
    rows = next(line["rows"] for line in program.json_lines(report.stdout) if line["table"] == "services")
    check(tap, rows == other["services"], "a report changes addresses as a run does", rows)


def check_tables_of_run(tap, options, folder):
    """A run counts what it has in memory, a report the lines that the run wrote of it."""
    key = Path(folder, "key-of-all")
    key.write_text("07" * 32 + "\n")
    key.chmod(0o600)
    for capture in sorted(options.pcaps.glob("dns-*.pcap")):
        anchors = capture.with_suffix(".anchors")
        trust = ["--trust-anchors", anchors] if anchors.is_file() else []
        for name, more in (("real", []), ("other", ["--anonymise", key])):
            lines, tables, _ = run(options.mailtap, capture, [*trust, *more])
            of_run = lines["statistics"][-1]["tables"]
            wrong = [f"{table}: {rows}, not {tables[table]}" for table, rows in of_run.items() if rows != tables[table]]
            counted = len(of_run["policies"]) > 0 and len(of_run["domain_properties"]) > 0
            tap.check(counted and not wrong, f"{capture.name}: the run's tables are a report's, with {name} addresses", wrong)


def check_page(tap, options, folder):
    """The page has both tables, and a report on logs with a damaged line says so and goes on."""
    logs = Path(folder, "logs")
    program.run(options.mailtap, ["-q", "--dns", "-r", options.pcaps / "dns-lookups-postfix-postfix.pcap", "-w", logs])
    with open(logs / "domains.jsonl", "a") as log:
        log.write("no line\n")
    page = Path(folder, "page.html")
    done = program.run(options.mailtap, ["report", "-i", logs, "-o", page])
    text = page.read_text()
    check(tap, done.returncode == 0 and b"no records of DNS" in done.stderr, "a damaged line is told of", program.text(done.stderr))
    check(tap, all(f'data-table="{name}"' in text or f"table-{name}" in text for name in ("lookups", "lookup_operators", "lookup_list")), "the page has what is looked up", "")


def moved(packets, folder, what):
    """The capture with the answers of DNS changed: all that `what` does not keep are left out, or come last."""
    capture = Path(folder) / "made.pcap"
    cf.write_pcap(capture, what(packets))
    return capture


def is_dns(packet, answers_only=False):
    frame = packet.data
    udp = frame[12:14] == b"\x08\x00" and frame[23] == 17
    source = int.from_bytes(frame[34:36], "big")
    return udp and (source == 53 or not answers_only)


def check_order(tap, options, folder):
    packets = cf.read(options.pcaps / "dns-mx-postfix-postfix.pcap")
    last = packets[-1].time

    def questions_gone(found):
        return [packet for packet in found if not (is_dns(packet) and not is_dns(packet, True))]

    def behind(found):
        mail = [packet for packet in found if not is_dns(packet)]
        names = [packet for packet in found if is_dns(packet)]
        return mail + [cf.Packet(last + 1 + number, packet.data, packet.length) for number, packet in enumerate(names)]

    for what, change in (("names that nobody was seen to ask for count for nothing", questions_gone), ("nor do names that come behind the session", behind)):
        lines, *_ = run(options.mailtap, moved(packets, folder, change))
        found = [(session["mx_names"], session["certificate_name_source"]) for session in lines["sessions"]]
        check(tap, found == [(None, "server_name")] * 6, what, found)


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    check_sessions(tap, options, "dns-mx-postfix-postfix", NAME_KEYS, NAMES)
    check_dane(tap, options)
    check_evidence(tap, options)
    check_tables(tap, options)
    with tempfile.TemporaryDirectory() as folder:
        check_services(tap, options, folder)
        check_tables_of_run(tap, options, folder)
        check_page(tap, options, folder)
        check_order(tap, options, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
