#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of the summary, counted again from the records: what it says is what they say.

One run over all captures of pcaps/, and what a filter leaves out, which no record tells.
"""

import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

MAIL = ("smtp", "imap", "pop3")
VERDICTS = ("encrypted", "cleartext", "stripped", "tls_failed", "no_mail", "not_mail", "partial")


def count(sessions, key, value=True):
    return sum(session[key] == value for session in sessions)


def tally(sessions, key):
    """How many say yes, how many yes or no, how many neither."""
    yes, no = count(sessions, key), count(sessions, key, False)
    return yes, yes + no, len(sessions) - yes - no


def step(name, numbers, what):
    """A line with a share, as the summary writes it."""
    yes, known, unseen = numbers
    line = f"{name} {yes} of {known} {what}"
    line += f" ({100 * yes / known:.1f} %)" if known else ""
    return line + (f"; of {unseen} more it is not seen" if unseen else "")


def expected_table(sessions):
    verdicts = Counter((s["protocol"], s["server_port"], s["verdict"]) for s in sessions)
    rows = {(s["protocol"], s["server_port"]) for s in sessions}
    for protocol, port in rows:
        numbers = [verdicts[protocol, port, verdict] for verdict in VERDICTS]
        yield " ".join(map(str, (protocol or "nothing", port, sum(numbers), *numbers)))


def expected_funnel(sessions):
    clear = [s for s in sessions if s["protocol"] in MAIL and s["tls_mode"] != "implicit"]
    offered = [s for s in clear if s["starttls_offered"]]
    requested = [s for s in offered if s["starttls_requested"]]
    accepted = [s for s in requested if s["starttls_accepted"]]
    unoffered = count(clear, "starttls_requested") - len(requested)
    yield step("offered", tally(clear, "starttls_offered"), "sessions whose offer was seen")
    yield step("requested", tally(offered, "starttls_requested"), "offers")
    yield step("accepted", tally(requested, "starttls_accepted"), "such requests")
    yield step("established", tally(accepted, "tls_established"), "agreements")
    yield f"{unoffered} more asked for it without an offer that was seen; not counted above"


def expected_clear(sessions):
    with_mail = [s for s in sessions if s["messages"]]
    known = [s for s in sessions if s["messages"] is not None]
    numbers = len(with_mail), len(known), len(sessions) - len(known)
    unseen = count(with_mail, "message_bytes", None)
    messages = sum(s["messages"] for s in with_mail)
    octets = sum(s["message_bytes"] or 0 for s in with_mail)
    log_ins = sum(s["auth_mechanism"] is not None for s in sessions)
    yield step("credentials", tally(sessions, "credentials_exposed"), "sessions exposed a secret")
    yield step("mail", numbers, "sessions transferred messages")
    yield f"messages {messages}, {octets} bytes; of {unseen} of these sessions the bytes are not seen"
    yield f"log-ins {log_ins} sessions tried to log in"


def expected_versions(sessions):
    established = [s for s in sessions if s["tls_established"]]
    for version, number in Counter(s["tls_version"] for s in established).items():
        yield f"{version or 'not seen'} {number} ({100 * number / len(established):.1f} %)"


def with_servers(name, sessions):
    """A row of the certificates' table. Rows of nothing are left out."""
    servers = {(s["server_ip"], s["server_port"]) for s in sessions}
    return [f"{name} {len(servers)} {len(sessions)}"] if sessions else []


def expected_certificates(sessions):
    seen = [s for s in sessions if s["server_certificate_source"] in ("handshake", "keylog")]
    hellos = len(sessions) - count(sessions, "tls_version", None)
    yield (
        f"Certificates of servers, seen in {len(seen)} of the {hellos} sessions with a server's hello "
        f"({100 * len(seen) / hellos:.1f} %), "
        f"{count(seen, 'server_certificate_source', 'keylog')} by a key log"
    )
    judged = [s for s in seen if s["certificate_status"] is not None]
    faults = [set(s["certificate_status"]) - {"name_mismatch"} for s in judged]
    yield from with_servers("chain judged", judged)
    yield from with_servers("chain not judged", [s for s in seen if s["certificate_status"] is None])
    yield from with_servers("valid", [s for s, wrong in zip(judged, faults) if not wrong])
    for fault in set().union(*faults):
        yield from with_servers(fault, [s for s, wrong in zip(judged, faults) if fault in wrong])
    yield from with_servers("expires soon", [s for s in seen if s["certificate_expires_soon"]])
    named = [s for s in seen if s["certificate_name_match"] is not None or s["certificate_name_in"]]
    yield f"name known {len(named)}"
    yield from with_servers("for this name", [s for s in named if s["certificate_name_match"]])
    of_others = [s for s in named if not s["certificate_name_match"]]
    common = [s for s in of_others if s["certificate_name_in"] == "common_name"]
    yield from with_servers("only in the common name", common)
    yield from with_servers("for another name", [s for s in of_others if s not in common])
    remembered = count(sessions, "server_certificate_source", "memory")
    yield (
        f"of {remembered} more the server's certificate is known from its other sessions; "
        "they are not counted here"
    )
    yield f"refused it {count(sessions, 'client_verifies')}"
    yield f"went on {count(sessions, 'client_verifies', False)}"


def expected_losses(sessions):
    missing = [s["client_missing_bytes"] + s["server_missing_bytes"] for s in sessions]
    yield f"{len(sessions) - count(sessions, 'directions', 'both')} sessions with one direction only"
    yield f"{count(sessions, 'saw_start', False)} sessions whose start was not captured"
    yield f"{sum(number > 0 for number in missing)} sessions with bytes missing"
    yield f"{sum(missing)} bytes missing in sessions"


def words(text):
    """Its lines, each with single spaces: what stands in a column does not matter."""
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]


def figures(tap, mailtap, captures):
    keylogs = [word for path in captures for word in program.keylog_arguments(program.keylog_of(path))]
    with tempfile.TemporaryDirectory(prefix="summary-") as folder:
        done = program.run(mailtap, ["-r", *captures, *program.TRUST, *keylogs, "-w", folder])
        sessions = program.json_lines((Path(folder) / "sessions.jsonl").read_bytes())
    said = words(program.text(done.stdout))
    for name, expected in (
        ("sessions by protocol and port", expected_table),
        ("the way through STARTTLS", expected_funnel),
        ("in the clear", expected_clear),
        ("TLS versions", expected_versions),
        ("certificates and who checks them", expected_certificates),
        ("what was lost", expected_losses),
    ):
        wanted = list(expected(sessions))
        missing = [f"not in the summary: {line}" for line in wanted if line not in said]
        tap.check(wanted and not missing, name, missing)


def filtered(tap, mailtap, folder):
    """A filter that sees nothing of a VLAN says so; one that looks into it finds the session."""
    capture = folder / "link-vlan-postfix-swaks.pcap"
    for expression, sessions, hint in (("tcp port 25", 0, True), ("vlan and tcp port 25", 1, False)):
        done = program.run(mailtap, ["-r", capture, "-f", expression])
        said = words(program.text(done.stdout))
        right = f"mailtap {said[0].split()[1]} {sessions} session" in said[0]
        hinted = any(re.match(r"\d+ of them in VLANs", line) for line in said)
        right = right and hinted == hint
        tap.check(right, f"filter {expression} on a VLAN", [] if right else said)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    figures(tap, options.mailtap, program.captures(options.pcaps))
    filtered(tap, options.mailtap, options.pcaps)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
