#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a core dump would hold: while mailtap waits for more of a capture, the part of its memory that
the kernel would dump holds no password, body, recipient or subject of what it has read.

The packets' own buffer, and what connections keep while they are read, is marked as not to be dumped
(VmFlags "dd" in /proc/PID/smaps); everything else is searched. That the markers do lie in the marked
part shows that the search finds them.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
MARKERS = [b"CANARY-PASSWORD-7f3a", b"Q0FOQVJZLVBBU1NXT1JELTdmM2E", b"CANARY-BODY-5c1e",
           b"canary-recipient-91bd", b"CANARY-SUBJECT-2e8b"]
CAPTURES = ["smtp-submission-auth-plain-clear-postfix-swaks", "smtp-submission-auth-login-clear-postfix-swaks",
            "smtp-cleartext-postfix-swaks", "imap-cleartext-login-dovecot-script",
            "imap-login-literal-dovecot-script", "pop3-cleartext-dovecot-fetchmail"]
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


def markers_in(pid):
    """The markers found in memory that would be dumped, and in memory that would not."""
    seen = {True: set(), False: set()}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name, dumped in mappings(pid):
            memory.seek(start)
            content = memory.read(end - start)
            seen[dumped] |= {(marker.decode(), name) for marker in MARKERS if marker in content}
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


def check(tap, mailtap, name):
    capture = PCAPS.joinpath(name + ".pcap").read_bytes()
    command = [mailtap, "-r", "-", "-o", "-", "-q"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as process:
        process.stdin.write(capture)
        process.stdin.flush()
        wait_until_read(process, len(capture))
        dumped, kept_out = markers_in(process.pid)
        process.stdin.close()
    tap.check(not dumped, f"{name}: nothing of it would be dumped", [str(found) for found in dumped])
    tap.check(bool(kept_out), f"{name}: the search finds what is kept out of dumps")


def main():
    tap = Tap()
    mailtap = program.parse_arguments(program.arguments(__doc__.splitlines()[0])).mailtap
    for name in CAPTURES:
        check(tap, mailtap, name)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
