#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a core dump would hold: while mailtap waits for more of a capture, the part of its memory that
the kernel would dump holds no password, body, recipient or subject of what it has read, and no secret of
a key log, nor the key of --anonymise.

The packets' own buffer, what connections keep while they are read, and key logs are marked as not to be
dumped (VmFlags "dd" in /proc/PID/smaps); everything else is searched. That the markers do lie in the
marked part shows that the search finds them.

What TLS protected is nowhere at all, whatever the key log holds, nor are the keys made from it.

The process that sends to a store has a password, and is not dumped at all.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import scenarios  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.live_run import records_of  # noqa: E402
from lib.tap import Tap  # noqa: E402

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
MARKERS = [*scenarios.IN_CAPTURES.values(), scenarios.PASSWORD_64.rstrip(b"=")]
CAPTURES = ["smtp-submission-auth-plain-clear-postfix-swaks", "smtp-submission-auth-login-clear-postfix-swaks",
            "smtp-cleartext-postfix-swaks", "imap-cleartext-login-dovecot-script",
            "imap-login-literal-dovecot-script", "pop3-cleartext-dovecot-fetchmail"]
KEYLOG_CAPTURES = ["keylog-imap-implicit-tls13-chacha20-dovecot-curl", "keylog-pop3-stls-tls13-dovecot-curl",
                   "keylog-imap-implicit-tls12-cbc-dovecot-curl",
                   "keylog-imap-implicit-tls13-early-data-openssl"]  # fmt: skip
# Signs the subject and what is addressed, in a line, and a body of which some bytes wait for more.
SIGNED = (b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=two; h=from:to:subject; bh=" + base64.b64encode(bytes(32)) + b"; b="
          + base64.b64encode(bytes(256)) + b"\r\n" + scenarios.MESSAGE)  # fmt: skip
KEPT_LABELS = ("CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) .*?(\S*)$")


def mappings(pid):
    """(start, end, name, would be dumped) of each writable mapping."""
    found = None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = MAPPING.match(line)
        if head:
            found = (int(head[1], 16), int(head[2], 16), head[4]) if "w" in head[3] else None
        elif found and line.startswith("VmFlags:"):
            yield (*found, "dd" not in line.split()[1:])


def found_in(pid, needles):
    """(what was found in memory that would be dumped, and in memory that would not), with its place."""
    seen = {True: set(), False: set()}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name, dumped in mappings(pid):
            memory.seek(start)
            content = memory.read(end - start)
            seen[dumped] |= {(needles[needle], name) for needle in needles if needle in content}
    return seen[True], seen[False]


def wait_until_read(process, size):
    """Until the process has taken all bytes from its standard input and waits for more."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        read = re.search(r"rchar: (\d+)", Path(f"/proc/{process.pid}/io").read_text())
        if int(read[1]) >= size and "S (sleeping)" in Path(f"/proc/{process.pid}/status").read_text():
            time.sleep(0.05)
            return
        time.sleep(0.01)


def search(mailtap, capture, needles, arguments=()):
    """As found_in, of mailtap when it has read a capture, or these bytes of one, and waits for more."""
    capture = capture if isinstance(capture, bytes) else PCAPS.joinpath(capture + ".pcap").read_bytes()
    command = [mailtap, "-r", "-", "-o", "-", "-q", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as process:
        process.stdin.write(capture)
        process.stdin.flush()
        wait_until_read(process, len(capture))
        found = found_in(process.pid, needles)
        process.stdin.close()
    return found


def check(tap, mailtap, name):
    dumped, kept_out = search(mailtap, name, {marker: marker.decode() for marker in MARKERS})
    tap.check(not dumped, f"{name}: nothing of it would be dumped", [str(found) for found in dumped])
    tap.check(bool(kept_out), f"{name}: the search finds what is kept out of dumps")


def check_headers(tap, mailtap):
    """Headers are held until they are whole, bodies hashed as they pass, and what is told of them goes on to other
    threads: names, and signatures, which are not secret."""
    talk = Conversation(25)
    signature = base64.b64encode(b"signature")
    scenarios.smtp_mail(scenarios.smtp_start(talk), message=scenarios.HEADER.replace(base64.b64encode(scenarios.BODY), signature) + SIGNED)
    packets = talk.packets
    header = [i for i, packet in enumerate(packets) if b"X-Token" in packet.data or scenarios.SUBJECT in packet.data]
    needles = {marker: name for name, marker in scenarios.MARKERS.items()}
    for what, count in (("of which a part has come", header[0] + 1), ("that has come", header[-1] + 1), ("that is told of", len(packets))):
        capture = cf.pcap_header(cf.LINK_ETHERNET) + records_of(packets[:count])
        dumped, kept_out = search(mailtap, capture, needles, ["--dns", "--mail-headers", "--workers", "1"])
        tap.check(not dumped, f"a header {what}: nothing of it would be dumped", [str(found) for found in dumped])
        tap.check(bool(kept_out), f"a header {what}: the search finds what is kept out of dumps")


def expand_label(secret, label, length):
    """A key or IV of TLS 1.3 (RFC 8446 7.1)."""
    hash_name = hashlib.sha384 if len(secret) == 48 else hashlib.sha256
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0\1"
    return hmac.new(secret, info, hash_name).digest()[:length]


def secrets(keylog):
    """bytes -> what they are: all that a key log holds and what is made from it, in memory's forms."""
    needles, kept = {}, []
    for line in keylog.read_text().splitlines():
        if line.startswith("#"):
            continue
        label, _, digits = line.split()
        secret = bytes.fromhex(digits)
        needles[digits.encode()] = needles[digits.upper().encode()] = f"{label} as text"
        needles[secret] = label
        if label in KEPT_LABELS:
            kept.append(label)
        if label.endswith("TRAFFIC_SECRET"):
            needles[expand_label(secret, b"key", 16)] = needles[expand_label(secret, b"key", 32)] = f"{label} key"
            needles[expand_label(secret, b"iv", 12)] = f"{label} iv"
    return needles, kept


def check_keylog(tap, mailtap, name):
    keylog = PCAPS / (name + ".keylog")
    needles, kept = secrets(keylog)
    dumped, kept_out = search(mailtap, name, needles, ["--tls-keylog", keylog])
    tap.check(not dumped, f"{name}: no secret would be dumped", [str(found) for found in dumped])
    held = {what for what, _ in kept_out}
    tap.check(held == set(kept), f"{name}: of the key log there is what opens handshakes, nothing else",
              [f"there: {sorted(held)}", f"expected: {sorted(set(kept))}"])  # fmt: skip
    inside = {marker: marker.decode() for marker in MARKERS}
    dumped, kept_out = search(mailtap, name, inside, ["--tls-keylog", keylog])
    tap.check(not dumped | kept_out, f"{name}: what was said inside is nowhere",
              [str(found) for found in dumped | kept_out])  # fmt: skip


def check_anonymisation(tap, mailtap, name):
    """The key is held in one place, which is kept out; what it is made ready for use as is in none."""
    key = hashlib.sha256(b"a key").digest()
    needles = {key[:16]: "key", key[16:]: "pad's origin", key.hex().encode(): "key as text",
               key[:16].hex().encode(): "first half as text"}  # fmt: skip
    with tempfile.NamedTemporaryFile() as file:  # made for the owner alone
        file.write(key.hex().encode())
        file.flush()
        dumped, kept_out = search(mailtap, name, needles, ["--anonymise", file.name])
    tap.check(not dumped, f"{name}: nothing of the key of --anonymise would be dumped", [str(found) for found in dumped])
    tap.check({what for what, _ in kept_out} == {"key"}, f"{name}: it is held as what it is used as, nothing else",
              [str(found) for found in kept_out])  # fmt: skip


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def may_be_looked_into(pid):
    """Whether its own user may look into a process. The kernel lets nobody look into what it would not dump but
    those who may look into everything, which root is for this not."""
    anybody = [] if os.geteuid() else ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
    done = subprocess.run([*anybody, "cat", f"/proc/{pid}/environ"], capture_output=True, check=False)
    return done.returncode == 0


def check_sender(tap, mailtap, name):
    """The process that keeps the sender, and the sender itself, which asks a server that is away."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sender-")))
        login = folder / "login"
        login.touch(mode=0o600)
        login.write_text("tap\npassword\n")
        process = stack.enter_context(subprocess.Popen(
            [mailtap, "-r", "-", "-o", "-", "-q", "--store", "clickhouse", "--store-url", "http://127.0.0.1:1/mailtap",
             "--store-spool", folder / "spool", "--store-login", login, "--sensor", program.SENSOR],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))  # fmt: skip
        capture = PCAPS.joinpath(name + ".pcap").read_bytes()
        process.stdin.write(capture)
        process.stdin.flush()
        wait_until_read(process, len(capture))
        keeper = children(process.pid)
        sender = [pid for parent in keeper for pid in children(parent)]
        looked = [may_be_looked_into(pid) for pid in (*keeper, *sender)]
        process.kill()
        said = process.stderr.read()
    tap.check(looked == [True, False], "the process that sends to a store would not be dumped; who keeps it would",
              [f"{looked}: {program.text(said)}"])  # fmt: skip


def main():
    tap = Tap()
    mailtap = program.parse_arguments(program.arguments(__doc__.splitlines()[0])).mailtap
    for name in CAPTURES:
        check(tap, mailtap, name)
    for name in KEYLOG_CAPTURES:
        check_keylog(tap, mailtap, name)
    for name in CAPTURES[:2]:
        check_anonymisation(tap, mailtap, name)
    check_headers(tap, mailtap)
    check_sender(tap, mailtap, CAPTURES[0])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
