#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mailtap query`: its formats, what is harmless in them, what it refuses, and that it changes nothing."""

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.live_run import records_of, session  # noqa: E402
from lib.tap import Tap  # noqa: E402

# What a server says, and how it must not reach a terminal or a spreadsheet.
BANNERS = {
    "escape": b"220 \x1b[2Jmx.example.org\r\n",
    "turned": "220 \u202emx.example.org\r\n".encode(),
    "quotes": b'220 "a,b" mx.example.org\r\n',
    "raw": b"220 \xff\xfe mx.example.org\r\n",
    "zero": b"220 \x00mx.example.org\r\n",
}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)")


class Asker:
    def __init__(self, tap, mailtap, file):
        self.tap = tap
        self.mailtap = mailtap
        self.file = file

    def run(self, *arguments):
        return program.run(self.mailtap, ["query", *map(str, arguments)])

    def ask(self, *arguments, code=0):
        done = self.run("--store-file", self.file, *arguments)
        if done.returncode != code:
            raise program.RunError(f"{arguments}: exit code {done.returncode}: {program.text(done.stderr)}")
        return done


def make(mailtap, file):
    packets = cf.pcap_header(cf.LINK_ETHERNET)
    for number, banner in enumerate(BANNERS.values()):
        packets += records_of(session(number, banner=banner))
    capture = file.parent / "hostile.pcap"
    capture.write_bytes(packets)
    done = program.run(mailtap, ["-q", "-r", capture, "--store", "sqlite", "--store-file", file])
    if done.returncode != 0:
        raise program.RunError(program.text(done.stderr))


def formats(asker):
    tap, select = asker.tap, ["--sql", "SELECT start, server_banner, vlan, esmtp, sni, duration FROM sessions ORDER BY start"]
    rows = program.json_lines(asker.ask("--format", "json", *select).stdout)
    tap.check([row["server_banner"].startswith("220 ") for row in rows] == [True] * len(BANNERS), "json: all rows", map(str, rows))
    first = rows[0]
    tap.check(first["vlan"] == [] and first["esmtp"] is True and first["sni"] is None and isinstance(first["duration"], float),
              "json: lists, booleans, null and numbers are those of the records", [str(first)])  # fmt: skip
    tap.check("\u2400" in rows[4]["server_banner"], "json: a zero byte is a sign for it")
    text = asker.ask("--format", "csv", *select).stdout
    table = list(csv.reader(io.StringIO(program.text(text), newline="")))
    tap.check(len(table) == 1 + len(BANNERS) and all(len(row) == 6 for row in table), "csv: rows of the same length")
    tap.check(table[1][4] == "" and table[1][3] == "1", "csv: null is an empty cell", table[1])
    tap.check(table[1][1] == "220 \\x1b[2Jmx.example.org", "csv: what is escaped is there as a whole", table[1])
    tap.check(text.count(b"\r\n") == len(table) and text.count(b"\n") == len(table), "csv: a line a row")
    people = asker.ask(*select).stdout
    tap.check(people.count(b"\n") == len(table) and b" - " in people, "table: a line a row, a dash for null")
    for name, output in (("csv", text), ("table", people)):
        unsafe = [byte for byte in output if byte < 32 and byte not in b"\r\n"]
        tap.check(not unsafe and "\u202e" not in program.text(output), f"{name}: nothing that a terminal obeys", map(str, unsafe))
    for formula in FORMULAS:
        cell = asker.ask("--format", "csv", "--sql", f"SELECT '{formula}' AS a").stdout.splitlines()[1]
        tap.check(cell.startswith(b"'"), f"csv: {formula} is no formula", [str(cell)])
    lists = "SELECT count(*) AS n FROM sessions, json_each(capabilities), json_tree(evidence)"
    tap.check(json.loads(asker.ask("--format", "json", "--sql", lists).stdout)["n"] >= 0, "lists can be taken apart")
    named = asker.ask("--format", "json", "--sql", "SELECT 1 AS 'a\"\x1b'").stdout
    tap.check(list(json.loads(named).values()) == [1], "json: a name of a column is escaped", [str(named)])


def foreign(asker):
    """Logs that another program wrote may have raw what mailtap escapes, in values that the store keeps as JSON, too."""
    logs, file = asker.file.parent / "foreign", asker.file.parent / "foreign.db"
    logs.mkdir()
    record = {"session_id": "1", "start": "2026-11-27T00:00:00Z", "capabilities": ["\x9b31m", "\u202e", "\x7f", "<b>"]}
    (logs / "sessions.jsonl").write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    done = program.run(asker.mailtap, ["store", "-q", "-i", logs, "--store-file", file])
    raw = program.run(asker.mailtap, ["query", "--store-file", file, "--format", "json", "sessions"]).stdout
    lists = [row["capabilities"] for row in program.json_lines(raw)]
    asker.tap.check(lists == [record["capabilities"]], "json: lists of others are there", [program.text(done.stderr), ascii(lists)])
    unsafe = [sign for sign in "\x9b\u202e\x7f<" if sign in program.text(raw)]
    asker.tap.check(not unsafe, "json: nothing in them that a terminal or a page obeys", map(ascii, unsafe))


def bounds(asker):
    tap = asker.tap
    five = program.json_lines(asker.ask("--format", "json", "--sql", "SELECT start FROM sessions ORDER BY start").stdout)
    third = five[2]["start"]
    since = program.json_lines(asker.ask("--format", "json", "--since", third, "verdicts").stdout)
    until = program.json_lines(asker.ask("--format", "json", "--until", third[:19], "verdicts").stdout)
    tap.check(sum(row["sessions"] for row in since) == 3, "since: that time counts", map(str, since))
    tap.check(sum(row["sessions"] for row in until) == 2, "until: it does not", map(str, until))
    until = program.json_lines(asker.ask("--format", "json", "--until", third, "verdicts").stdout)
    tap.check(sum(row["sessions"] for row in until) == 2, "until: not to the nanosecond", map(str, until))
    none = asker.ask("--since", "2999-01-01", "verdicts").stdout
    tap.check(none.count(b"\n") == 1, "nothing then: the names of the columns alone", [str(none)])
    limited = asker.ask("--limit", "2", "--sql", "SELECT start FROM sessions")
    tap.check(limited.stdout.count(b"\n") == 3 and b"more than 2 rows" in limited.stderr, "limit: it is told", [program.text(limited.stderr)])
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    done = asker.ask("--timeout", "1", "--sql", endless, code=1)
    tap.check(b"given up after 1 seconds" in done.stderr, "timeout: it is given up", [program.text(done.stderr)])


def by_sensor(asker):
    """What one of two taps saw: its sessions, the alerts of these, and its part of what the capture says."""
    tap, file, wanted = asker.tap, asker.file.parent / "sensors.db", {}
    for sensor, names in (("east", ["attack-remove-postfix-swaks", "smtp-cleartext-postfix-swaks"]),
                          ("it's west", ["attack-garble-x-postfix-swaks"])):  # fmt: skip
        logs = asker.file.parent / sensor
        done = program.run(asker.mailtap, ["-q", "-r", *[program.PCAPS / f"{name}.pcap" for name in names], "-w", logs,
                                           "--sensor", sensor, "--store", "sqlite", "--store-file", file])  # fmt: skip
        if done.returncode != 0:
            raise program.RunError(program.text(done.stderr))
        wanted[sensor] = {name: len(program.json_lines((logs / f"{name}.jsonl").read_bytes()))
                          for name in ("sessions", "alerts", "statistics")}  # fmt: skip
    wanted["nobody"] = dict.fromkeys(wanted["east"], 0)

    def ask(*arguments):
        done = asker.run("--store-file", file, "--format", "json", *arguments)
        return program.json_lines(done.stdout)

    def count(sensor, *bounds):
        return {name: len(ask("--sensor", sensor, *bounds, name)) for name in wanted[sensor]}

    for sensor, counts in wanted.items():
        found = count(sensor)
        tap.check(found == counts, f"sensor {sensor}: its records", [str(counts), str(found)])
        seen = sum(row["sessions"] for row in ask("--sensor", sensor, "verdicts"))
        tap.check(seen == counts["sessions"], f"sensor {sensor}: views are of them", [str(seen)])
    tap.check(all(row["alerts"] and row["sessions"] for row in list(wanted.values())[:2]), "both taps have alerts", [str(wanted)])
    packets = {sensor: next(iter([row["count"] for row in ask("--sensor", sensor, "capture") if row["counter"] == "packets_seen"]), 0)
               for sensor in wanted}  # fmt: skip
    whole = next(row["count"] for row in ask("capture") if row["counter"] == "packets_seen")
    tap.check(packets["east"] and packets["it's west"] and sum(packets.values()) == whole, "and what the capture says", [str(packets)])
    later = count("east", "--since", "2999-01-01")
    tap.check(not any(later.values()), "a sensor and a time: both", [str(later)])
    done = asker.run("--store-file", file, "--sensor", "", "verdicts")
    tap.check(done.returncode == 2, "a sensor without a name", [program.text(done.stderr)])


def reader_gone(asker):
    """`head` has what it wants: the rest is not computed, and nobody is told of it."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    for arguments in (["--format", "json", "--sql", endless], ["--format", "csv", "--sql", endless], []):
        query = subprocess.Popen([asker.mailtap, "query", "--store-file", asker.file, "--timeout", "0", *arguments],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        first = query.stdout.readline()
        query.stdout.close()
        said, code = query.stderr.read(), query.wait()
        asker.tap.check(first and code == 0 and not said, f"a reader that has gone: {arguments[1:2]}", [str(code), program.text(said)])
    with open("/dev/full", "wb") as full:
        done = subprocess.run([asker.mailtap, "query", "--store-file", asker.file, "--timeout", "0", "--format", "json", "--sql", endless],
                              stdout=full, stderr=subprocess.PIPE, check=False)  # fmt: skip
    said = program.text(done.stderr)
    asker.tap.check(done.returncode == 1 and said == "mailtap: standard output: cannot be written\n", "a full disk is told", [said])


def refused(asker):
    tap, before = asker.tap, asker.file.read_bytes()
    beside = asker.file.parent / "beside.db"
    # The file is opened for reading, and SQLite does not load extensions unless asked to. That is not relied on alone:
    # what does not get through says so.
    unauthorized = "not authorized"
    for statement, why in (
        *((statement, unauthorized) for statement in (
            f"ATTACH '{beside}' AS a", "DETACH main", "DELETE FROM sessions", "DROP VIEW verdicts", "UPDATE runs SET id = 9",
            "INSERT INTO runs(begun, version, imports) VALUES(1, 1, 1)", "CREATE TEMP TABLE a(b)",
            "CREATE VIRTUAL TABLE a USING fts5(b)", "ALTER TABLE runs ADD COLUMN a", "PRAGMA journal_mode = DELETE",
            "PRAGMA query_only = 0", "PRAGMA user_version", "SELECT * FROM pragma_user_version", "BEGIN", "SAVEPOINT a", "ANALYZE",
            "REINDEX", "SELECT load_extension('x')", "SELECT LOAD_EXTENSION('x')", "WITH a AS (SELECT 1) DELETE FROM alerts",
        )),
        (f"VACUUM INTO '{beside}'", "one SELECT"), ("SELECT 1; SELECT 2", "one SELECT"), (";", "one SELECT"), ("no sql", "syntax"),
    ):  # fmt: skip
        done = asker.ask("--sql", statement, code=1)
        said = program.text(done.stderr).strip()
        tap.check(not done.stdout and len(said.splitlines()) == 1 and why in said,
                  f"{statement.replace(str(beside), 'FILE')}: {why}", [said])  # fmt: skip
    tap.check(asker.file.read_bytes() == before and not beside.exists(), "nothing has changed")
    for arguments in (["verdicts"], ["--store-file", asker.file, "nothing"], ["--store-file", asker.file, "a", "b"],
                      ["--store-file", asker.file, "--since", "yesterday", "verdicts"], ["--format", "xml"], ["--limit", "x"],
                      ["--store-file", asker.file, "--sql", "SELECT 1", "verdicts"], ["--nothing"], ["--sql"]):  # fmt: skip
        done = asker.run(*arguments)
        tap.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1, f"wrong usage is told: {len(arguments)} words",
                  [program.text(done.stderr).strip()])  # fmt: skip
    os.mkfifo(asker.file.parent / "pipe")
    for name in (".", "pipe"):
        done = asker.run("--store-file", asker.file.parent / name, "verdicts")
        tap.check(done.returncode == 1 and b"is no database" in done.stderr, f"{name}: is told", [program.text(done.stderr)])
    done = asker.run("--store-file", asker.file.parent / "none.db", "verdicts")
    tap.check(done.returncode == 1 and b"no such file" in done.stderr, "no file is told", [program.text(done.stderr)])


def older_file(asker):
    """A view of what an older mailtap did not store says so; the others are there."""
    file = asker.file.parent / "older.db"
    shutil.copy(asker.file, file)
    with contextlib.closing(sqlite3.connect(file)) as writer:
        for (name,) in writer.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            writer.execute(f"DROP VIEW {name}")
        writer.executescript("DROP TABLE domains; ALTER TABLE sessions DROP COLUMN dns_read")
    for view in ("policies", "services"):
        done = asker.run("--store-file", file, view)
        said = program.text(done.stderr).strip()
        asker.tap.check(done.returncode == 1 and "of an older mailtap" in said and len(said.splitlines()) == 1, f"an older file: {view}", [said])
    asker.tap.check(asker.run("--store-file", file, "verdicts").returncode == 0, "an older file: what it has")
    done = asker.run("--store-file", asker.file, "--sql", "SELECT nonsense FROM sessions")
    asker.tap.check("older" not in program.text(done.stderr), "not every mistake is of an older file", [program.text(done.stderr)])


def hostile_file(asker):
    """A file that somebody made: what its views call does no harm, or is not called."""
    file = asker.file.parent / "made.db"
    shutil.copy(asker.file, file)
    made = Asker(asker.tap, asker.mailtap, file)
    with contextlib.closing(sqlite3.connect(file)) as writer:
        writer.executescript("""
            CREATE VIEW harmless AS SELECT upper(server_banner) AS banner FROM sessions;
            CREATE VIEW loads AS SELECT load_extension('x');
            CREATE VIEW reads AS SELECT rtreedepth(x'0000') AS depth;
            ALTER TABLE alerts RENAME TO other;
            CREATE VIEW alerts AS SELECT *, rtreecheck('other') AS checked FROM other;
        """)
    rows = made.ask("--format", "json", "--sql", "SELECT banner FROM harmless").stdout
    asker.tap.check(rows.count(b"MX.EXAMPLE.ORG") == len(BANNERS), "a made file: a view that does no harm", [program.text(rows)])
    asked = made.ask("--sql", "SELECT rtreedepth(x'0000')").stdout
    asker.tap.check(asked.count(b"\n") == 2, "a made file: who asks may call it", [program.text(asked)])
    for view, called in {"loads": "load_extension", "reads": "rtreedepth", "alerts": "rtreecheck"}.items():
        done = made.run("--store-file", file, "--sql", f"SELECT * FROM {view}")
        said = program.text(done.stderr).strip()
        asker.tap.check(done.returncode == 1 and f"unsafe use of {called}()" in said, f"a made file: a view calls {called}", [said])


def no_memory(asker):
    """A cell for which there is no memory is no empty cell."""
    if program.UNDER_VALGRIND or b"__asan_init" in Path(asker.mailtap).read_bytes():
        asker.tap.skip("csv: a cell for which there is no memory", "memcheck and sanitizers take all that they can have")
        return
    mebibytes = 1 << 20
    select = f"SELECT 1 AS a, hex(zeroblob({10 * mebibytes})) AS b, 2 AS c"
    asked = [asker.mailtap, "query", "--store-file", asker.file, "--format", "csv", "--sql", select]
    whole = subprocess.run(asked, capture_output=True, check=True).stdout
    asker.tap.check(len(whole) > 20 * mebibytes, "csv: a long cell", [str(len(whole))])
    done = subprocess.run(["prlimit", f"--as={256 * mebibytes}", *asked], capture_output=True, check=False)
    asker.tap.check(done.returncode == 1 and b"no memory" in done.stderr and done.stdout == b"a,b,c\r\n1,",
                    "csv: a cell for which there is no memory is told", [program.text(done.stderr), str(done.stdout[:40])])  # fmt: skip


def read_only_place(asker):
    """Somebody who may only read, also where nobody writes at the moment."""
    folder = asker.file.parent / "read-only"
    folder.mkdir()
    file = folder / "store.db"
    shutil.copy(asker.file, file)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"mount --bind -o ro {folder} {folder} && exec {asker.mailtap} query --store-file {file} verdicts"],
        capture_output=True, check=False)  # fmt: skip
    if b"unshare" in done.stderr or b"mount" in done.stderr:
        asker.tap.skip("a read-only place", program.text(done.stderr).strip())
        return
    asker.tap.check(done.returncode == 0 and done.stdout.count(b"\n") >= 2, "a read-only place is read", [program.text(done.stderr)])


def meanwhile(asker):
    """What another program has not finished is not seen, and does not hold anybody up."""
    writer = sqlite3.connect(asker.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM sessions")
    found = asker.ask("--format", "json", "--sql", "SELECT count(*) AS n FROM sessions").stdout
    writer.execute("ROLLBACK")
    writer.close()
    asker.tap.check(json.loads(found) == {"n": len(BANNERS)}, "it reads while another writes", [str(found)])


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    with tempfile.TemporaryDirectory() as name:
        asker = Asker(tap, options.mailtap, Path(name) / "store.db")
        make(options.mailtap, asker.file)
        for case in (formats, foreign, bounds, by_sensor, reader_gone, refused, older_file, hostile_file, no_memory, read_only_place,
                     meanwhile):  # fmt: skip
            case(asker)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
