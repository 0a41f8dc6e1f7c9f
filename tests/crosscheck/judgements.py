#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cross-check: what mailtap says of certificates against `openssl verify`, and against what was made.

For every capture of pcaps/ and of the folder MAILTAP_EXTRA_CAPTURES, each list of certificates is
given to `openssl verify -attime` (the time of its session) with the roots and CRLs of
pcaps/certificates/, and its answers are compared with certificate_status and
certificate_name_match. The captures named certificate-… are also compared with
pcaps/certificates/expected.json, which was written by hand. Where OpenSSL sees it differently the
difference stands in known_judgements.py, one by one, with a reason.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import certificates as reader  # noqa: E402
from dissect import dissect  # noqa: E402
from known_judgements import KNOWN  # noqa: E402
from lib import program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

ROOTS, CRLS = program.CERTIFICATES / "roots.pem", program.CERTIFICATES / "crls"
EXPECTED = program.CERTIFICATES / "expected.json"

# Errors of `openssl verify` (X509_V_ERR_…) that have a status of their own.
SELF_SIGNED, NOT_YET_VALID, EXPIRED, REVOKED, PURPOSE, HOSTNAME, ADDRESS = 18, 9, 10, 23, 26, 62, 64
KEY_TOO_SMALL, DIGEST_TOO_WEAK = {66, 67}, {68}
BAD_TIME = {13, 14}  # a time that cannot be read
NO_ISSUER = {2, 20, 21}
ERROR = re.compile(r"^error (\d+) at (\d+) depth lookup", re.MULTILINE)


# --- openssl -----------------------------------------------------------------------------------


def pem(der):
    text = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


@cache
def is_readable(der):
    """Whether OpenSSL can read it as DER: `verify` says so in a sixth of the time that `x509` takes."""
    with tempfile.NamedTemporaryFile(prefix="judgements-") as file:
        file.write(der)
        file.flush()
        done = reader.openssl("verify", "-partial_chain", "-trusted", file.name, file.name)
        return b"Could not read" not in done.stderr


@cache
def answer(*command):
    """`openssl`'s exit code and what it says. Asked once: the same certificates have the same files."""
    done = reader.openssl(*command)
    return done.returncode, program.text(done.stdout + done.stderr)


class OpenSSL:
    """`openssl verify` on one list of certificates at one moment; their files are in a folder that all share."""

    def __init__(self, folder, chain, when, role, shown):
        self.folder, self.chain, self.when, self.role = folder, chain, when, role
        self.files = [self._file([der]) for der in chain]
        self.readable = [is_readable(der) for der in chain]
        rest = [der for der, good in zip(chain[1:], self.readable[1:]) if good]
        self.others = self._file(rest)
        self.shown = self._file(rest + [der for der in shown if is_readable(der)])

    def _file(self, ders):
        """A file of certificates, named after them; complete as soon as it is there."""
        content = "".join(map(pem, ders)).encode()
        path = self.folder / f"{hashlib.sha256(content).hexdigest()}.pem"
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(content)
            os.replace(file.name, path)
        return path

    def verify(self, *arguments, number=0, trusted=ROOTS, others=None, crls=()):
        """{(error, depth)} of a certificate; empty: it is fine. None: OpenSSL cannot even begin."""
        command = ["verify", "-partial_chain", "-trusted", str(trusted), *arguments]
        others = others or self.others
        if others.stat().st_size:
            command += ["-untrusted", str(others)]
        for file in crls:
            command += ["-CRLfile", str(file)]
        code, output = answer(*command, str(self.files[number]))
        found = {(int(error), int(depth)) for error, depth in ERROR.findall(output)}
        return None if code and not found else found

    def _path(self, others=None):
        purpose = "sslserver" if self.role == "server" else "any"
        return self.verify("-no_check_time", "-purpose", purpose, others=others)

    def path(self):
        """({statuses}, whether there is a path)."""
        found = self._path()
        if found is None:
            return {"untrusted"}, False
        statuses = set()
        if (PURPOSE, 0) in found:
            statuses.add("not_a_server_certificate")
        rest = found - {(PURPOSE, 0), (SELF_SIGNED, 0)}
        if (SELF_SIGNED, 0) in found:
            statuses.add("self_signed")
        elif rest:
            errors = {error for error, _ in rest}
            closed = errors <= NO_ISSUER and self._path(self.shown) == set()
            statuses.add("incomplete_chain" if closed else "untrusted")
        return statuses, not rest and "self_signed" not in statuses

    def dates(self, whole):
        """Of the first certificate as `openssl x509` prints them; of the path if there is one."""
        at = ["-attime", str(self.when), "-purpose", "any"]
        found = self.verify(*at) if whole else self.verify(*at, trusted=self.files[0])
        errors = {error for error, _ in found or ()}
        if errors & BAD_TIME:
            return set()
        statuses = {"expired"} if EXPIRED in errors else set()
        if NOT_YET_VALID in errors:
            statuses.add("not_yet_valid")  # there it stops, so:
            if self._ends() < self.when:
                statuses.add("expired")
        return statuses

    def _ends(self):
        options = ["-noout", "-enddate", "-dateopt", "iso_8601"]
        _, output = answer("x509", "-in", str(self.files[0]), *options)
        shown = output.strip().removeprefix("notAfter=")
        moment = datetime.strptime(shown, "%Y-%m-%d %H:%M:%SZ")
        return moment.replace(tzinfo=timezone.utc).timestamp()

    def strength(self, whole):
        """Security level 2: 112 bits. It stops at the first weakness."""
        trusted = ROOTS if whole else self.files[0]
        found = self.verify("-auth_level", "2", "-no_check_time", "-purpose", "any", trusted=trusted)
        errors = {error for error, _ in found or ()}
        statuses = {"weak_key"} if errors & KEY_TOO_SMALL else set()
        return statuses | ({"weak_signature"} if errors & DIGEST_TOO_WEAK else set())

    def revoked(self, crls):
        """Asked of each certificate sent but a trust anchor, as -crl_check looks at the first only."""
        arguments = ["-no_check_time", "-purpose", "any", "-crl_check"]
        for number, good in enumerate(self.readable):
            found = self.verify(*arguments, number=number, crls=crls) if good else None
            if (REVOKED, 0) in (found or ()):
                return {"revoked"}
        return set()

    def order(self):
        for number in range(1, len(self.chain)):
            if not (self.readable[number - 1] and self.readable[number]):
                continue
            found = self.verify(
                "-no_check_time", "-purpose", "any", number=number - 1, trusted=self.files[number],
                others=self._file([]),
            )  # fmt: skip
            twice = self.chain[number - 1] == self.chain[number]
            if twice or NO_ISSUER & {error for error, _ in found or ()}:
                return {"wrong_order"}
        return set()

    def statuses(self, crls):
        if not self.readable[0]:
            return {"malformed"}
        statuses, whole = self.path()
        statuses |= self.dates(whole) | self.strength(whole) | self.order()
        statuses |= self.revoked(crls) if whole else set()
        return statuses | (set() if all(self.readable) else {"malformed"})

    def matches(self, name):
        """Whether the first certificate is for this host or address."""
        option = "-verify_ip" if re.fullmatch(r"[0-9.]+|.*:.*", name) else "-verify_hostname"
        found = self.verify(option, name, "-no_check_time", trusted=self.files[0])
        return not {HOSTNAME, ADDRESS} & {error for error, _ in found or ()}


# --- the certificates in a capture ---------------------------------------------------------------


CERTIFICATES = "tls.handshake.certificate"


def certificates_in(capture, dissection):
    """SHA-256 -> DER of all that was sent in the clear, as tshark and the tests' own reader see it."""
    ders = []
    for row in dissection.rows:
        ders += [bytes.fromhex(text) for text in row[CERTIFICATES].split(",") if text]
    for stream in reader.streams(capture):
        ders += reader.sent(reader.handshakes(stream))
    return {hashlib.sha256(der).hexdigest(): der for der in ders}


def seconds(time):
    """A record's time in seconds since 1970, cut."""
    moment = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S")
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


# --- comparing -----------------------------------------------------------------------------------


@cache
def crl_files():
    return sorted(CRLS.glob("*.pem"))


# With these there is no path whose further certificates both look at in the same way, and OpenSSL
# does not look at the signature of a certificate that nobody vouches for.
NO_PATH = {"self_signed", "untrusted"}
BEYOND_PATH = {"expired", "not_yet_valid", "weak_key", "weak_signature", "revoked"}


def compare_statuses(ours, theirs):
    """Lines on what differs. `malformed` is ours alone, unless OpenSSL cannot read a certificate."""
    missing, more = theirs - ours, ours - theirs - {"malformed", "name_mismatch"}
    if "malformed" in ours:
        # One of them may not read on and see no path; a key that cannot be read is small to OpenSSL.
        missing -= {"untrusted", "weak_key"}
        more -= {"untrusted"}
    if ours & NO_PATH:
        more -= BEYOND_PATH
    if {"weak_key", "weak_signature"} & theirs:
        more -= {"weak_key", "weak_signature"}  # it stops at the first
    return sorted(missing), sorted(more)


class Check:
    """The differences of one capture."""

    def __init__(self, capture):
        self.capture, self.lines, self.used, self.compared = capture, [], set(), 0

    def differs(self, record, field, ours, theirs):
        place = self.capture, "{server_ip} {server_port}".format_map(record), field
        for entry in KNOWN:
            if entry.explains(*place, ours, theirs):
                self.used.add(entry)
                return
        title = records.connection(record)
        self.lines.append(f"{title} {field}: mailtap {program.show(ours)}, not {program.show(theirs)}")


def chain_of(check, record, key, ders):
    """The certificates of a record's list. None: there is none, or it was not sent in the clear."""
    hashes = record[key]
    if not hashes or key == "server_chain" and record["server_certificate_source"] != "handshake":
        return None
    if any(sha256 not in ders for sha256 in hashes):
        check.lines.append(f"{records.connection(record)} {key}: not found in the capture")
        return None
    return [ders[sha256] for sha256 in hashes]


def check_side(check, record, role, chain, shown, folder):
    status = record["certificate_status" if role == "server" else "client_certificate_status"]
    if status is None:
        check.differs(record, f"{role} status", None, "judged")
        return
    openssl = OpenSSL(folder, chain, seconds(record["start"]), role, shown)
    missing, more = compare_statuses(set(status), openssl.statuses(crl_files()))
    check.compared += 1
    if missing or more:
        check.differs(record, f"{role} status", more, missing)
    name = record["sni"] or record["server_name"]
    if role == "server" and record["certificate_name_match"] is not None and openssl.readable[0]:
        theirs = openssl.matches(name)
        check.compared += 1
        if theirs != record["certificate_name_match"]:
            check.differs(record, "name", record["certificate_name_match"], theirs)


def against_openssl(folder, capture, found, dissection):
    """A Check of all lists of certificates in a capture."""
    check = Check(capture.name)
    ders = certificates_in(capture, dissection)
    chains = [
        (record, role, chain)
        for record in found
        for role in ("server", "client")
        if (chain := chain_of(check, record, f"{role}_chain", ders))
    ]
    shown = list({der: None for _, _, chain in chains for der in chain[1:]})
    for record, role, chain in chains:
        check_side(check, record, role, chain, shown, folder)
    return check


# --- against what was made ---------------------------------------------------------------------


def agrees(expected, found):
    if isinstance(expected, dict):
        return any(records.same(value, found) for value in expected["any"])
    return records.same(expected, found)


def status_agrees(row, found):
    expected = row["certificate_status"]
    if isinstance(expected, dict) or expected is None or found is None:
        return agrees(expected, found)
    return set(expected) <= set(found) <= set(expected) | set(row.get("may", []))


def compare_session(check, row, record):
    if not status_agrees(row, record["certificate_status"]):
        check.differs(record, "certificate_status", record["certificate_status"], row["certificate_status"])
    for field in row.keys() - {"server", "what", "may", "debatable", "certificate_status"}:
        if not agrees(row[field], record[field]):
            check.differs(record, field, record[field], row[field])


def server_of(record):
    form = "[{server_ip}]:{server_port}" if ":" in record["server_ip"] else "{server_ip}:{server_port}"
    return form.format_map(record)


def against_expected(tap, options, rows_of):
    used = set()
    for name, rows in rows_of.items():
        check = Check(name)
        found = program.sessions(options.mailtap, options.pcaps / name, program.TRUST)
        found.sort(key=lambda record: record["start"])
        if [server_of(record) for record in found] != [row["server"] for row in rows]:
            check.lines.append("other sessions than expected")
        for row, record in zip(rows, found):
            compare_session(check, row, record)
        tap.check(not check.lines, f"{name} as it was made ({len(rows)} sessions)", check.lines)
        used |= check.used
    return used


def all_expected(tap, options, rows_of):
    """Every capture of certificates has its row, and every row its capture."""
    names = {path.name for path in program.captures(options.pcaps)}
    captures = {name for name in names if name.startswith("certificate-")}
    lines = [f"{name}: not in {EXPECTED.name}" for name in sorted(captures - rows_of.keys())]
    lines += [f"{name}: its capture is gone" for name in sorted(rows_of.keys() - captures)]
    tap.check(not lines, "every capture of certificates is expected to come to something", lines)


# --- the run ---------------------------------------------------------------------------------


def report_stale(tap, captures, used):
    names = {capture.name for capture in captures}
    stale = [entry for entry in KNOWN if entry.capture in names and entry not in used]
    lines = [f"{e.capture} {e.server} {e.field}: no longer differs as known" for e in stale]
    tap.check(not stale, f"every known difference still is one ({len(used)})", lines)


def all_against_openssl(mailtap, captures):
    """A Check of each capture in which something came of its certificates."""
    sessions = {
        capture: found
        for capture, found in program.all_sessions(mailtap, captures, program.TRUST).items()
        if any(record["server_chain"] or record["client_chain"] for record in found)
    }
    dissections = dissect(sessions, [CERTIFICATES])
    with tempfile.TemporaryDirectory(prefix="judgements-") as folder, ThreadPoolExecutor(2) as pool:
        asked = [(Path(folder), capture, sessions[capture], found) for capture, found in dissections.items()]
        checks = pool.map(lambda one: against_openssl(*one), asked)
        yield from (check for check in checks if check.compared or check.lines)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="TEXT", help="only captures with this in their name")
    options = program.parse_arguments(parser)
    tap = Tap()
    rows_of = json.loads(EXPECTED.read_text(encoding="utf-8"))["captures"]
    rows_of = {name: rows for name, rows in rows_of.items() if not options.only or options.only in name}
    if not options.only:
        all_expected(tap, options, rows_of)
    used, compared = against_expected(tap, options, rows_of), 0
    if not shutil.which("tshark") or not shutil.which("openssl"):
        tap.skip("against openssl verify", "needs tshark and openssl")
        return tap.done()
    extra = program.extra_captures()
    if extra is None:
        tap.skip("extra captures", "MAILTAP_EXTRA_CAPTURES is not set")
    captures = [c for c in program.captures(options.pcaps) + (extra or [])
                if not options.only or options.only in c.name]  # fmt: skip
    for check in all_against_openssl(options.mailtap, captures):
        used |= check.used
        compared += check.compared
        tap.check(not check.lines, f"{check.capture} against openssl verify", check.lines)
    tap.check(compared > 0, f"{compared} answers of openssl verify")
    report_stale(tap, captures, used)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
