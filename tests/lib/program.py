# SPDX-License-Identifier: Apache-2.0
"""Running mailtap and reading what it wrote; finding the captures; what all tests' options share."""

import argparse
import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib import fork_server
from lib.capture_file import CAPTURE_SUFFIXES, CaptureError, read

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
PCAPS = ROOT / "pcaps"
SENSOR = "test"  # instead of the host's name, which would differ from machine to machine
# Under memcheck (tests/static/valgrind) all takes some fifty times as long, and its memory is not the program's.
UNDER_VALGRIND = "MAILTAP_UNDER_VALGRIND" in os.environ
PATIENCE = 20 if UNDER_VALGRIND else 1
TIMEOUT = 60 * PATIENCE
# Who the captures' certificates are judged by, whatever the machine itself trusts.
CERTIFICATES = PCAPS / "certificates"
TRUST = ["--ca-file", CERTIFICATES / "roots.pem", "--crl-dir", CERTIFICATES / "crls"]


class RunError(Exception):
    """mailtap did not do what every test takes for granted."""


def arguments(description):
    """A parser with the options that every test has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--mailtap", default=os.environ.get("MAILTAP"), help="the program under test")
    parser.add_argument("--pcaps", type=Path, default=PCAPS, help="the captures (default: pcaps/)")
    return parser


def parse_arguments(parser):
    """Parse, and insist on a program to test."""
    options = parser.parse_args()
    if not options.mailtap:
        parser.error("no program to test: set MAILTAP or give --mailtap")
    options.mailtap = os.path.abspath(options.mailtap)
    if not os.access(options.mailtap, os.X_OK):
        parser.error(f"{options.mailtap}: not an executable file")
    return options


def captures(folder):
    """The capture files of a folder and the folders below it, sorted."""
    found = (path for path in Path(folder).rglob("*") if path.name.endswith(CAPTURE_SUFFIXES))
    return sorted(path for path in found if path.is_file())


def readable(captures_found):
    """Those of some captures that can be read at all: damaged ones are other tests' matter."""
    for capture in captures_found:
        try:
            read(capture)
        except CaptureError:
            continue
        yield capture


def keylog_of(capture):
    """The key log beside a capture, or None: NAME.keylog for NAME.pcap."""
    path = Path(capture).with_suffix(".keylog")
    return path if path.is_file() else None


def keylog_arguments(keylog):
    """mailtap's arguments for a key log, or for none."""
    return ["--tls-keylog", keylog] if keylog else []


# Captures of mail on ports that are not known for it begin like this: mailtap has to be asked for them.
ANY_PORT = ("any-port-", "lmtp-")


def port_arguments(capture):
    """mailtap's arguments for the ports of a capture."""
    return ["--any-port"] if Path(capture).name.startswith(ANY_PORT) else []


# The protocols that mailtap knows by itself; names of others come from nDPI.
OWN_PROTOCOLS = {None, "smtp", "imap", "pop3", "ssh", "http", "ftp", "tls", "unknown"}


@functools.cache
def names_all(mailtap):
    """True if it was built with nDPI."""
    return b"with nDPI" in run(mailtap, ["--version"]).stdout


def without_names(found):
    """Records as they are without nDPI."""
    foreign = {"protocol": "unknown"}
    return [record if record["protocol"] in OWN_PROTOCOLS else {**record, **foreign} for record in found]


def extra_captures():
    """The captures that MAILTAP_EXTRA_CAPTURES (a folder) adds, or None where it is not set."""
    folder = os.environ.get("MAILTAP_EXTRA_CAPTURES")
    return captures(folder) if folder else None


def environment():
    """The environment, with exit codes for sanitizers that mailtap itself does not use.

    And with a place for compiled patterns, whether or not the user has a home: it takes longer to compile
    them than all else that most tests do.
    """
    return {
        **os.environ,
        "XDG_CACHE_HOME": os.path.join(tempfile.gettempdir(), f"mailtap-tests-{os.getuid()}"),
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":exitcode=99",
        "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "") + ":exitcode=99",
        "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "") + ":exitcode=99",
    }


@contextlib.contextmanager
def reader_gone():
    """A pipe to write to, that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def run(mailtap, arguments, timeout=TIMEOUT, **popen):
    """Run mailtap to its end; bytes on both outputs. Never through a shell."""
    if not popen and (server := fork_server.server_for(mailtap, environment)):
        return server.run([str(argument) for argument in arguments], timeout)
    popen.setdefault("env", environment())
    popen.setdefault("stdin", subprocess.DEVNULL)
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    command = [mailtap, *map(str, arguments)]
    return subprocess.run(command, timeout=timeout, check=False, **popen)


def sessions(mailtap, capture, extra=(), codes=(0, 1), original=None):
    """The session records of a capture. A capture cut short (exit code 1) still has records.

    With the key log beside it, and the ports it needs, or those of the capture that it was made from.
    """
    ports = port_arguments(original or capture)
    keylog = keylog_arguments(keylog_of(original or capture))
    try:
        done = run(mailtap, ["-r", capture, "-o", "-", "--sensor", SENSOR, *keylog, *ports, *extra])
    except subprocess.TimeoutExpired as error:
        raise RunError(f"did not end within {error.timeout} s") from error
    if done.returncode not in codes:
        raise RunError(f"exit code {done.returncode}: {text(done.stderr)[-2000:]}")
    return json_lines(done.stdout)


def all_sessions(mailtap, captures_found, extra=()):
    """Capture -> its session records, of those that can be read; two at a time."""
    chosen = list(readable(captures_found))
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(chosen, pool.map(lambda capture: sessions(mailtap, capture, extra), chosen)))


def json_lines(data):
    """JSON Lines as a list of objects; every line must be complete on its own."""
    records = []
    lines = data.decode("utf-8").split("\n")
    if lines.pop():
        raise RunError("the last line has no end")
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise RunError(f"line {number} is no JSON: {error}: {line[:200]}") from error
        if not isinstance(record, dict):
            raise RunError(f"line {number} is no object: {line[:200]}")
        records.append(record)
    return records


def text(data):
    """Output for people to read, whatever bytes it holds."""
    return data.decode("utf-8", "backslashreplace")


def show(value, limit=160):
    """A value as one short line of JSON; null, false and "null" stay distinguishable."""
    shown = json.dumps(value, ensure_ascii=True)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def fail(message):
    """End a test that cannot even start."""
    print(f"Bail out! {message}", flush=True)
    sys.exit(1)
