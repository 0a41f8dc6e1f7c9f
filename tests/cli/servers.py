#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mailtap servers`: a memory of servers made here, by its description (analytics/server_line.h), and what
the program prints of it; damaged files, wrong command lines, outputs that cannot be written."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

OK, FAILED, USAGE = 0, 1, 2
COLUMNS = 100
DAY = 24 * 3600
MARCH = 1772323200  # 2026-03-01
LEAF = {
    "sha256": "ab" * 32, "spki_sha256": "00" * 32, "first": MARCH, "last": MARCH + DAY, "not_after": 0,
    "sessions": 2, "trusted": True, "self_signed": False, "networks": [[1, 2]], "next": 0,
}  # fmt: skip


def tally(count, networks=1, last=MARCH + DAY):
    return {
        "count": count, "first": MARCH, "last": last, "networks": [[n, 1] for n in range(1, networks + 1)], "next": 0,
    }  # fmt: skip


def server(sessions, port=25, last=MARCH + DAY, leaves=(), **facts):
    return {"port": port, "first": MARCH, "last": last, "sessions": sessions, **facts, "leaves": list(leaves)}


def line(facts):
    """A line with its check."""
    rest = json.dumps(facts)[1:]
    return f'{{"check":"{hashlib.sha256(rest.encode()).hexdigest()[:16]}",{rest}'


def memory(*servers):
    head = json.dumps({"mailtap_server_memory": 1, "servers": len(servers)})
    return "".join(f"{text}\n" for text in [head, *map(line, servers)])


SERVERS = [
    server(3, address="192.0.2.25", offered=tally(2), not_offered=tally(1)),
    server(
        500, address="2001:0db8:1111:2222:3333:4444:5555:6666", offered=tally(300, 16), proven=tally(7),
        accepted=tally(7), established=tally(7, 2), last=MARCH + 40 * DAY, leaves=[LEAF],
    ),  # fmt: skip
    server(40, port=993, address="192.0.2.25", established=tally(40, 3)),
    server(9, name="mail.a-rather-long-name-of-a-department.example.com", offered=tally(9), proven=tally(9)),
]


class Bench:
    def __init__(self, tap, mailtap, folder):
        self.tap, self.mailtap, self.folder = tap, mailtap, Path(folder)
        self.path = self.folder / "servers.jsonl"

    def run(self, *arguments, **how):
        return program.run(self.mailtap, ["servers", *arguments], **how)

    def read(self, *arguments, **how):
        return self.run("--server-memory", self.path, *arguments, **how)

    def check(self, name, done, code, said=None, wrong=()):
        """Exit code, and one line on stderr that says this, or none."""
        wrong = list(wrong)
        lines = program.text(done.stderr or b"").splitlines()
        if done.returncode != code:
            wrong.append(f"exit code {done.returncode} instead of {code}")
        if len(lines) != (said is not None) or not all(text.startswith("mailtap: ") for text in lines):
            wrong.append(f"{len(lines)} lines on stderr")
        if said and not any(said in text for text in lines):
            wrong.append(f"not said: {said}")
        self.tap.check(not wrong, name, wrong + lines if wrong else [])


def table(bench):
    bench.path.write_text(memory(*SERVERS))
    done = bench.read()
    lines = program.text(done.stdout).splitlines()
    columns = [text.split() for text in lines]
    expected = [
        "server port sessions offered absent TLS nets last seen",
        "2001:db8:1111:2222:3333:4444:5555:6666 25 500 300 0 7 16 2026-04-10 proven",
        "192.0.2.25 993 40 0 0 40 3 2026-03-02",
        "mail.a-rather-long-name-of-a-departm... 25 9 9 0 0 1 2026-03-02 proven",
        "192.0.2.25 25 3 2 1 0 1 2026-03-02",
    ]
    wrong = [] if [" ".join(words) for words in columns] == expected else lines
    wrong += [f"{len(text)} columns: {text}" for text in lines if len(text) > COLUMNS]
    bench.check("table: the most sessions first", done, OK, wrong=wrong)
    bench.path.write_text(memory())
    done = bench.read()
    bench.check("table: of nothing", done, OK, wrong=[] if len(done.stdout.splitlines()) == 1 else ["rows"])


def json_lines(bench):
    bench.path.write_text(memory(*SERVERS))
    done = bench.read("--json")
    records = program.json_lines(done.stdout)
    first = records[0]
    expected = {
        "server_ip": "2001:db8:1111:2222:3333:4444:5555:6666", "server_name": None, "server_port": 25,
        "first": "2026-03-01T00:00:00Z", "last": "2026-04-10T00:00:00Z", "sessions": 500, "offered": 300,
        "offered_networks": 16, "offered_last": "2026-03-02T00:00:00Z", "offer_proven": True, "not_offered": 0,
        "accepted": 7, "accepted_last": "2026-03-02T00:00:00Z", "refused": 0, "established": 7,
        "established_networks": 2, "established_last": "2026-03-02T00:00:00Z", "ehlo_taken": 0,
        "ehlo_networks": 0, "greeted_ok": 0, "greeted_preauth": 0,
        "leaves": [{
            "sha256": "ab" * 32, "spki_sha256": None, "first": "2026-03-01T00:00:00Z",
            "last": "2026-03-02T00:00:00Z", "not_after": None, "sessions": 2, "networks": 1, "trusted": True,
            "self_signed": False,
        }],
    }  # fmt: skip
    wrong = [] if first == expected else [program.show(first, 2000)]
    if [record["sessions"] for record in records] != [500, 40, 9, 3]:
        wrong.append("order")
    if records[2]["server_name"] != SERVERS[3]["name"] or records[2]["server_ip"] is not None:
        wrong.append(program.show(records[2]))
    bench.check("json: all there is", done, OK, wrong=wrong)


def only_some(bench):
    bench.path.write_text(memory(*SERVERS))
    cases = {
        "an address, all its ports": (["192.0.2.25"], [993, 25]),
        "an address written otherwise": (["2001:DB8:1111:2222:3333:4444:5555:6666"], [25]),
        "a name in capitals": ([SERVERS[3]["name"].upper() + "."], [25]),
        "two": (["192.0.2.25", SERVERS[3]["name"], "--json"], [993, 25, 25]),
    }
    for name, (arguments, ports) in cases.items():
        done = bench.read("--json", *arguments)
        found = [record["server_port"] for record in program.json_lines(done.stdout)]
        bench.check(f"only {name}", done, OK, wrong=[] if found == ports else [str(found)])
    bench.check("only one that is not there", bench.read("192.0.2.99"), FAILED, "nothing is remembered")


def damaged(bench):
    whole = memory(*SERVERS)
    lines = whole.splitlines(keepends=True)
    cases = {
        "a digit changed": (whole.replace('"sessions": 40', '"sessions": 41'), 3, "servers.jsonl:4: the line is damaged"),
        "cut short": (whole[:-30], 3, "servers.jsonl:5: the line is damaged"),
        "a line lost at its end": ("".join(lines[:-1]), 3, "servers.jsonl:5: the file ends before its end"),
        "a text instead of a line": (lines[0] + "\x1b[2Jhello\n" + "".join(lines[2:]), 3, "servers.jsonl:2:"),
        "no memory at all": ("From: nobody\n", 0, "no memory of servers"),
        "of a later version": (whole.replace('memory": 1', 'memory": 7'), 0, "another version"),
        "empty": ("", 0, "it is empty"),
    }  # fmt: skip
    for name, (text, rows, said) in cases.items():
        bench.path.write_text(text)
        done = bench.read("--json")
        found = len(done.stdout.splitlines())
        bench.check(f"file: {name}", done, FAILED, said, [] if found == rows else [f"{found} rows"])
    bench.path.unlink()
    bench.check("file: missing", bench.read(), FAILED, "servers.jsonl: cannot be read: there is no such file")
    done = bench.run("--server-memory", bench.folder)
    bench.check("file: a directory", done, FAILED, str(bench.folder))


def usage(bench):
    bench.path.write_text(memory(*SERVERS))
    cases = {
        "no file named": [],
        "an empty file name": ["--server-memory="],
        "a file name that is missing": ["--server-memory"],
        "two files": ["--server-memory", bench.path, "--server-memory", bench.path],
        "an unknown option": ["--server-memory", bench.path, "--yaml"],
        "a value where none is": ["--server-memory", bench.path, "--json=yes"],
        "no address": ["--server-memory", bench.path, "192.0.2"],
        "an address with an escape sequence": ["--server-memory", bench.path, "a\x1b[2Jb"],
    }
    for name, arguments in cases.items():
        bench.check(f"usage: {name}", bench.run(*arguments), USAGE, "server")
    done = bench.run("--help")
    wrong = [] if b"mailtap servers --server-memory" in done.stdout else ["not helpful"]
    bench.check("usage: --help", done, OK, wrong=wrong)
    wide = [text for text in program.text(done.stdout).splitlines() if len(text) > COLUMNS]
    bench.check("usage: --help fits", done, OK, wrong=wide)
    done = program.run(bench.mailtap, ["--help"])
    wrong = [] if b"mailtap servers" in done.stdout else ["not mentioned"]
    bench.check("usage: mailtap --help mentions it", done, OK, wrong=wrong)


def outputs(bench):
    bench.path.write_text(memory(*[server(n + 1, port=n + 1, address="192.0.2.1") for n in range(2000)]))
    for name, arguments in (("table", []), ("json", ["--json"])):
        with open("/dev/full", "wb") as full:
            done = bench.read(*arguments, stdout=full)
        bench.check(f"output: {name} onto a full disk", done, FAILED, "standard output")
        with program.reader_gone() as pipe:
            done = bench.read(*arguments, stdout=pipe)
        bench.check(f"output: {name}, whose reader has gone", done, OK)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="servers-") as folder:
        bench = Bench(tap, options.mailtap, folder)
        table(bench)
        json_lines(bench)
        only_some(bench)
        damaged(bench)
        usage(bench)
        outputs(bench)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
