#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes in banners, names and lists that try to break a line, a cell, a label, a terminal or a page: one
capture of them through every output there is."""

import csv
import io
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import attack, capture_file, program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

HOSTILE = [
    b"\x1b]0;owned\x07\x1b[2J\x1b[31m",
    b"\xe2\x80\xae\xe2\x81\xa6gnp.exe",  # text turned around
    b"\xc2\x9b31m\xc2\x85\xe2\x80\xa8",  # controls and line ends beyond ASCII
    b"=HYPERLINK(\"http://x\",\"y\")",
    b"@SUM(1)\t+1",
    b"\",\"a\":\"b\"}\\",
    b"\"} 1e9\\n# HELP x{a=\"",
    b"</script><script>alert(1)</script>",
    b"<img/src=x>&amp;",
    b"'; DROP TABLE sessions; --",
    b"%s%n%08x${HOME}$(id)`id`",
    b"\xff\xfe\x00\x80",
    b"../../../../etc/passwd",
]
MARKS = [b"\x1b", b"\x07", b"\x7f", "\u202e".encode(), "\u2066".encode(), b"\xc2\x9b", b"\xc2\x85", "\u2028".encode()]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def conversations():
    """Sessions in which a server or a client says each of them wherever it can say something."""
    for number, text in enumerate(HOSTILE):
        word = text.replace(b" ", b"_")
        name = word + b".example.com"
        smtp = Conversation(25, server=f"198.51.100.{number + 1}", client_port=41000 + number).open()
        smtp.server(b"220 " + name + b" ESMTP " + text + b"\r\n").client(b"EHLO " + name + b"\r\n")
        smtp.server(b"250-" + name + b"\r\n250-" + text + b"\r\n250 STARTTLS\r\n").client(b"STARTTLS\r\n")
        smtp.server(b"502 " + text + b"\r\n").client(b"MAIL FROM:<a@example.org>\r\n")
        yield smtp.server(b"550 " + text + b"\r\n").client(b"QUIT\r\n").server(b"221 x\r\n").close()
        broken = Conversation(25, server="198.51.100.99", client_port=42000 + number).open()
        broken.server(b"220 mx.example.net ESMTP " + text + b"\r\n").client(b"EHLO " + name + b"\r\n")
        broken.server(b"250-mx.example.net\r\n250 STARTTLS\r\n").client(b"STARTTLS\r\n").server(b"220 go\r\n")
        yield broken.client(bytes.fromhex("16030100060100000203ff")).server(text + b"\r\n").close()
        imap = Conversation(143, server=f"198.51.100.{number + 101}", client_port=43000 + number).open()
        imap.server(b"* PREAUTH [CAPABILITY " + word + b"] " + text + b"\r\n").client(b"a " + word + b"\r\n")
        yield imap.server(b"a BAD " + text + b"\r\n").close()
        pop3 = Conversation(110, server=f"198.51.100.{number + 151}", client_port=44000 + number).open()
        pop3.server(b"+OK " + text + b" <" + text + b">\r\n").client(b"STLS\r\n")
        yield pop3.server(b"-ERR " + text + b"\r\n").client(b"USER a\r\n").server(b"+OK\r\n").close()


def all_packets():
    return sorted((p for c in conversations() for p in c.packets), key=lambda p: p.time)


def run(mailtap, *arguments):
    done = program.run(mailtap, [str(argument) for argument in arguments])
    if done.returncode != 0:
        raise program.RunError(f"{arguments[0]}: exit code {done.returncode}: {done.stderr[:200]}")
    return done.stdout if isinstance(done.stdout, bytes) else done.stdout.encode()


def outputs(mailtap, folder):
    """name -> bytes of everything that mailtap writes of these sessions."""
    capture = folder / "hostile.pcap"
    capture_file.write(capture, all_packets())
    logs, memory = folder / "logs", folder / "servers"
    found = {"summary": run(mailtap, "-r", capture, "-w", logs, "--server-memory", memory, "--csv", folder / "csv",
                            "--metrics", folder / "metrics.prom", "--tls-rpt", folder / "rpt")}  # fmt: skip
    found["records"] = run(mailtap, "-r", capture, "-q", "-o", "-")
    found["report"] = run(mailtap, "report", "-i", logs, "--all")
    found["report.json"] = run(mailtap, "report", "-i", logs, "--json")
    found["servers"] = run(mailtap, "servers", "--server-memory", memory)
    found["servers.json"] = run(mailtap, "servers", "--server-memory", memory, "--json")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != capture:
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def is_json(name):
    return name in ("records", "servers") or ".json" in name


def unreadable(name, data):
    """Lines that are no JSON object."""
    if name.startswith("rpt/"):
        json.loads(data)
        return []
    lines = [line for line in data.splitlines() if line.strip()]
    wrong = []
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            wrong.append(line[:120])
    return wrong


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        found = outputs(options.mailtap, Path(name))
    sessions = found["logs/sessions.jsonl"].splitlines()
    tap.check(len(sessions) == 4 * len(HOSTILE), "a record for each session", [f"{len(sessions)}"])
    for wanted in ("logs/alerts.jsonl", "metrics.prom", "servers"):
        tap.check(bool(found.get(wanted)), f"{wanted} says something")
    tap.check(any(n.startswith("rpt/") for n in found), "there is a TLS report", sorted(found))
    for name, data in found.items():
        seen = [repr(mark) for mark in MARKS if mark in data]
        tap.check(not seen, f"{name}: nothing moves a terminal", seen)
        if name.startswith(("logs/", "rpt/")) or name in ("records", "report.json", "servers.json"):
            tap.check(not unreadable(name, data), f"{name}: JSON", unreadable(name, data))
            tap.check(b"<script" not in data and b"<img" not in data, f"{name}: opens no element")
        if name.startswith("csv/"):
            rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
            formulas = [c for row in rows for c in row if c.startswith(FORMULA) and not c.lstrip("-").replace(".", "").isdigit()]
            tap.check(len({len(row) for row in rows}) == 1, f"{name}: as many cells in each row")
            tap.check(not formulas, f"{name}: no cell is a formula", formulas)
    labels = [line for line in found["metrics.prom"].splitlines() if line and not line.startswith(b"#")]
    broken = [line[:120] for line in labels if not line.rsplit(b" ", 1)[-1].replace(b".", b"").replace(b"e", b"").replace(b"-", b"").isdigit()]
    tap.check(not broken and not any(b"1e9" in line for line in labels), "metrics: one sample a line", broken)
    attack.check_beside(tap, "hostile texts", *attack.beside(options.mailtap, all_packets()), 12)  # all that --memory gives
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
