#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cross-check: certificates.jsonl, --pem and --write-certs against `openssl x509` and the sessions.

Every certificate that a session of pcaps/ shows has one record, no matter how often it is shown; the
record's hash, PEM and file are the same certificate; and what OpenSSL can read of it OpenSSL reads the
same way. Times of first sight lie within a session that shows it.
"""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

FIELDS = ["-subject", "-issuer", "-serial", "-startdate", "-enddate"]
NAMES = re.compile(r"(?:^|, )(DNS|IP Address|email):([^,]*)")
PLAIN = re.compile(r"^[ -~]*$")


def der_of(pem):
    lines = pem.strip().split("\n")
    assert lines[0] == "-----BEGIN CERTIFICATE-----" and lines[-1] == "-----END CERTIFICATE-----"
    assert all(len(line) == 64 for line in lines[1:-2]) and len(lines[-2]) <= 64
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def openssl(pem):
    """What `openssl x509` prints of it, by field; None where it cannot read it."""
    command = ["openssl", "x509", "-noout", "-nameopt", "RFC2253,-esc_msb,utf8", *FIELDS]
    command += ["-ext", "subjectAltName"]
    done = subprocess.run(command, input=pem.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        return None
    out = done.stdout.decode("utf-8", "replace")
    fields = dict(line.split("=", 1) for line in out.splitlines() if re.match(r"^\w+=", line))
    fields["names"] = NAMES.findall(out.split("Alternative Name:", 1)[-1].split("\n    ", 1)[-1].strip())
    return fields


def date(text):
    moment = datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text):
    """A record's time as something that can be compared: they leave out zeros at the end."""
    return text.rstrip("Z") if "." in text else text.rstrip("Z") + "."


def differences(record):
    """Lines that say where OpenSSL reads a sound certificate otherwise."""
    fields = openssl(record["pem"])
    if fields is None or record["malformed"]:
        return []
    pairs = [
        ("subject", fields["subject"].strip()),
        ("issuer", fields["issuer"].strip()),
        ("serial", fields["serial"]),
        ("not_before", date(fields["notBefore"])),
        ("not_after", date(fields["notAfter"])),
    ]
    lines = [
        f"{record['sha256'][:12]} {key}: {record[key]!r}, openssl {theirs!r}"
        for key, theirs in pairs
        if record[key] != theirs and PLAIN.match(theirs) and "\\" not in theirs
    ]
    names = [name for kind, name in fields["names"] if kind == "DNS"]
    ours = [name.strip() for name in record["dns_names"]]
    if names != ours and all(PLAIN.match(name) for name in ours):
        lines.append(f"{record['sha256'][:12]} names: {record['dns_names'][:3]}, openssl {names[:3]}")
    return lines


def check_files(tap, folder, records):
    wrong = []
    for record in records:
        path = folder / f"{record['sha256']}.pem"
        same = path.exists() and path.read_text() == record["pem"]
        if not same or hashlib.sha256(der_of(record["pem"])).hexdigest() != record["sha256"]:
            wrong.append(record["sha256"])
    wrong += [str(path) for path in folder.iterdir() if path.suffix != ".pem"]
    tap.check(not wrong, f"{len(records)} certificates: hash, PEM and file agree", wrong)


def check_sessions(tap, sessions, records):
    """One record for each certificate shown, first seen in a session that shows it."""
    spans = {}
    for session in sessions:
        if session["server_certificate_source"] == "memory":
            continue
        for sha256 in (session["server_chain"] or []) + (session["client_chain"] or []):
            spans.setdefault(sha256, []).append((session["start"], session["end"]))
    known = [record["sha256"] for record in records]
    wrong = [f"{sha256}: shown, no record" for sha256 in spans.keys() - set(known)]
    wrong += [f"{sha256}: {known.count(sha256)} records" for sha256 in set(known) if known.count(sha256) > 1]
    for record in records:
        inside = any(
            moment(start) <= moment(record["first_seen"]) <= moment(end)
            for start, end in spans.get(record["sha256"], [])
        )
        if record["sha256"] in spans and not inside:
            wrong.append(f"{record['sha256']}: first seen {record['first_seen']}, in no session")
    tap.check(not wrong and spans, f"{len(spans)} certificates of {len(sessions)} sessions", wrong)


def check_roles(tap, sessions, records):
    leaves = {"server": set(), "client": set()}
    for session in sessions:
        for role, chain in (("server", session["server_chain"]), ("client", session["client_chain"])):
            leaves[role].update((chain or [])[:1])
    wrong = [
        f"{record['sha256']}: {record['role']}"
        for record in records
        if record["role"] in leaves and record["sha256"] not in leaves[record["role"]] and not record["malformed"]
    ]
    roles = {record["role"] for record in records}
    tap.check(not wrong and roles == {"server", "client", "issuer"}, "roles", wrong or [str(roles)])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    if shutil.which("openssl") is None:
        program.fail("openssl is not installed")
    captures = program.captures(options.pcaps)
    with tempfile.TemporaryDirectory(prefix="certificate-log-") as name:
        folder, logs = Path(name) / "files", Path(name) / "logs"
        arguments = ["-q", "-r", *captures, "-w", logs, "--pem", "--write-certs", folder]
        done = program.run(options.mailtap, arguments)
        tap.check(done.returncode == 0, "the run", [program.text(done.stderr)])
        records = program.json_lines((logs / "certificates.jsonl").read_bytes())
        sessions = program.json_lines((logs / "sessions.jsonl").read_bytes())
        check_files(tap, folder, records)
    check_sessions(tap, sessions, records)
    check_roles(tap, sessions, records)
    with ThreadPoolExecutor() as pool:
        wrong = [line for lines in pool.map(differences, records) for line in lines]
    tap.check(not wrong, "what openssl x509 reads", wrong)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
