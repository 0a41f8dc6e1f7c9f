#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes into a store comes out of it: every value of every record of all captures as the logs have it, null where
they have null; once, however often it is stored; and the views give the figures of `mailtap report`."""

import json
import random
import re
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

TABLES = ("sessions", "certificates", "alerts", "statistics", "domains", "lookups", "messages")
# What tells a record from others, where a log may have several of it: the last is stored.
IDENTITY = {"domains": ("last_seen", "domain", "sensor")}
OWN = {"stored_by", "digest"}  # columns of the store, not of the record
DAY = 86400
VERDICTS = ("encrypted", "cleartext", "stripped", "tls_failed", "no_mail", "not_mail", "partial")
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z")
# Table of the report -> view, where they have different names.
VIEWS = {"sessions": "session_kinds", "certificates": "certificate_status", "distinct": "distinct_counts",
         "lookups": "lookup_kinds"}  # fmt: skip
# Tables without a view, since the record of a session does not have what they tell of: networks and countries are
# looked up in databases (--asn-db) when a report is made, operators are registered domains by the Public Suffix List.
WITHOUT_VIEW = {"networks", "countries", "operators", "operator_pairs"}
# Of the study: what DNS and the headers of mail say. Their views have the denominators, too.
STUDY = ("services", "policies", "domain_properties", "lookups", "lookup_list", "lookup_operators", "internal_hops", "enforcement",
         "enforcement_networks")  # fmt: skip
LISTS = {"client_list", "paths", "server_list", "times", "lookups", "domain_properties"}
# Cells that are no figures: the report reads names as names of hosts.
NO_FIGURES = {"server_name", "error"}


def log_lines(logs, name):
    return [line for path in sorted(logs.glob(f"{name}*.jsonl")) for line in program.json_lines(path.read_bytes())]


def told_apart(logs, table):
    """The records of a log that a store tells apart."""
    records = log_lines(logs, table)
    names = IDENTITY.get(table)
    return list({tuple(record[name] for name in names): record for record in records}.values()) if names else records


def same_time(text):
    """A time with as many digits as the store gives it."""
    found = TIME.fullmatch(text)
    return f"{found[1]}{(found[2] or '.').ljust(10, '0')}Z"


def as_stored(value):
    """A value of a record as its column has it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, str):
        return same_time(value) if TIME.fullmatch(value) else value.replace("\0", "\u2400")
    return value


def rows_of(database, table):
    """The rows as dictionaries of text for comparing; which columns there are."""
    answer = database.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in answer.description]
    json_columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[2] == "JSON"}
    rows = []
    for values in answer:
        row = {name: value for name, value in zip(names, values) if name not in OWN}
        for name in json_columns & set(row):
            if row[name] is not None:
                row[name] = json.dumps(json.loads(row[name]), sort_keys=True)
        rows.append(row)
    return rows, set(names) - OWN


def row_of(record, columns):
    """The row that a record should be. Keys without a column are the facts of an alert."""
    row = {name: as_stored(record[name]) if name in record else None for name in columns}
    if "duration" in row and row["duration"] is not None:
        row["duration"] = float(row["duration"])
    rest = {name: value for name, value in record.items() if name not in columns}
    if rest and "facts" in columns:
        row["facts"] = json.dumps(rest, sort_keys=True)
        rest = {}
    return row, rest


def sorted_rows(rows):
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def compare(tap, logs, file, what):
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    for table in TABLES:
        found, columns = rows_of(database, table)
        wanted, without_column = [], {}
        for record in told_apart(logs, table):
            row, rest = row_of(record, columns)
            wanted.append(row)
            without_column.update(rest)
        tap.check(not without_column, f"{what}: each key of {table} is a column", sorted(without_column))
        found, wanted = sorted_rows(found), sorted_rows(wanted)
        wrong = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:1]
        tap.check(found == wanted and wanted, f"{what}: {len(wanted)} {table} in, {len(found)} out", map(str, wrong))
    broken = database.execute("PRAGMA integrity_check").fetchall()
    tap.check(broken == [("ok",)], f"{what}: the database is whole", map(str, broken))
    database.close()


def run(mailtap, *arguments, codes=(0,)):
    done = program.run(mailtap, [str(argument) for argument in arguments])
    if done.returncode not in codes:
        raise program.RunError(f"{arguments}: {program.text(done.stderr)}")
    return done


def ask(mailtap, file, *arguments):
    done = run(mailtap, "query", "--store-file", file, "--format", "json", *arguments)
    return program.json_lines(done.stdout)


# --- figures ------------------------------------------------------------------------------------------


def with_denominators(table, row):
    """A row of the report with what its shares are of, as a view has it."""
    of = {name: value["of"] if value else None for name, value in row.items() if name.endswith("share")}
    if table in ("lookup_list", "lookup_operators"):  # one for all of them
        return {**row, "watched": max(value or 0 for value in of.values())}
    return {**row, **{f"{name}_of": value for name, value in of.items()}}


def figures(row):
    """A row's figures: a share is its value."""
    cells = {}
    for name, value in row.items():
        if isinstance(value, dict):
            value = value["part"] / value["of"] if value["of"] else None
        if name not in NO_FIGURES:
            cells[name] = round(value, 9) if isinstance(value, float) else value
    return json.dumps(cells, sort_keys=True)


def is_empty(table, row):
    """A row of the report that counts nothing, of a table that has a row for each kind of things. In a list of what
    there was, a row of zeros is one."""
    return table not in LISTS and all(not value for value in row.values() if isinstance(value, int)) and len(row) > 2


def series_row(name, begin, records):
    """What by_hour and by_day say of these sessions."""
    verdicts = Counter(record["verdict"] for record in records)
    offers = Counter(record["starttls_offered"] for record in records)
    carried = verdicts["encrypted"] + verdicts["cleartext"] + verdicts["stripped"]
    return {
        name: begin, "sessions": len(records), **{verdict: verdicts[verdict] for verdict in VERDICTS},
        "encrypted_share": verdicts["encrypted"] / carried if carried else None,
        "offered": offers[True], "not_offered": offers[False],
        "offered_share": offers[True] / (offers[True] + offers[False]) if offers[True] + offers[False] else None,
        "with_evidence": sum(record["evidence"] != [] for record in records),
    }  # fmt: skip


def check_series(tap, mailtap, logs, file):
    sessions = log_lines(logs, "sessions")
    for view, digits, end in (("by_hour", 13, ":00:00Z"), ("by_day", 10, "T00:00:00Z")):
        groups = {}
        for record in sessions:
            groups.setdefault(record["start"][:digits] + end, []).append(record)
        wanted = sorted(figures(series_row(view[3:], begin, records)) for begin, records in groups.items())
        found = sorted(map(figures, ask(mailtap, file, view)))
        wrong = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]
        tap.check(found == wanted and len(wanted) > 2, f"{view}: {len(wanted)} rows as the log has it", map(str, wrong))


def check_spans(tap, mailtap, file, folder):
    """The view `times` takes the shortest spans of which 240 reach, however far sessions are apart."""
    copy = folder / "spans.db"
    shutil.copy(file, copy)
    first, minute = "2026-01-01 00:00:30", 60
    for apart, width in ((0, 60), (239 * minute, 60), (240 * minute, 300), (1195 * minute, 300), (1200 * minute, 900), (59 * 3600, 900),
                         (239 * 3600, 3600), (720 * 3600 - 31, 10800), (720 * 3600, 21600), (239 * DAY, DAY), (240 * DAY, 2 * DAY),
                         (1000 * DAY, 8 * DAY)):  # fmt: skip
        database = sqlite3.connect(copy)
        database.execute("UPDATE sessions SET \"start\" = strftime('%Y-%m-%dT%H:%M:%S.999999999Z', ?, '+' || (rowid % 2 * ?) || ' seconds')",
                         [first, apart])  # fmt: skip
        database.commit()
        begins = [int(row[0]) for row in database.execute("SELECT DISTINCT strftime('%s', substr(\"start\", 1, 19)) FROM sessions")]
        database.close()
        rows = ask(mailtap, copy, "times")
        wanted = {datetime.fromtimestamp(second // width * width, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for second in begins}
        tap.check({row["seconds"] for row in rows} == {width} and {row["start"] for row in rows} == wanted, f"times: {apart} seconds apart",
                  [program.show(row) for row in rows][:2])  # fmt: skip


def reported(mailtap, *logs):
    lines = program.json_lines(run(mailtap, "report", "--json", *[word for one in logs for word in ("-i", one)]).stdout)
    return {row["table"]: row for row in lines}


def compare_tables(tap, mailtap, report, file, tables, *bounds):
    for table in tables:
        rows = [row for row in report[table]["rows"] if not is_empty(table, row)]
        wanted = sorted(figures(with_denominators(table, row) if table in STUDY else row) for row in rows)
        found = sorted(map(figures, ask(mailtap, file, *bounds, VIEWS.get(table, table))))
        wrong = [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2]
        tap.check(found == wanted and wanted, f"{' '.join((table, *bounds))}: {len(wanted)} rows as in the report", map(str, wrong))


def check_taps(tap, mailtap, captures, folder):
    """What two taps saw of DNS and of headers, in one store: as a report on the logs of both, and of each."""
    file, taps = folder / "taps.db", {}
    some = [path for path in captures if path.name.startswith(("dns-", "headers-"))]
    for sensor, part in (("east", some[::2]), ("west", some[1::2])):
        taps[sensor] = folder / sensor
        run(mailtap, "-q", "--dns", "--mail-headers", "-r", *part, "-w", taps[sensor], "--store", "sqlite", "--store-file", file,
            "--sensor", sensor)  # fmt: skip
    taps["north"] = folder / "north"  # does not read DNS
    run(mailtap, "-q", "-r", *some[:1], "-w", taps["north"], "--store", "sqlite", "--store-file", file, "--sensor", "north")
    for logs in (taps.values(), reversed(taps.values())):
        compare_tables(tap, mailtap, reported(mailtap, *logs), file, STUDY)
    del taps["north"]
    for sensor, logs in taps.items():
        report = reported(mailtap, logs)
        compare_tables(tap, mailtap, report, file, [table for table in STUDY if report[table]["rows"]], "--sensor", sensor)


def check_services(tap, mailtap, folder):
    """Domains that share an address in long chains, and at random, of both families: as the report has them."""
    some = random.Random(7)
    pool = [f"192.0.2.{number}" for number in range(1, 200)] + [f"2001:db8::{number:x}" for number in range(1, 60)]
    chain = [[f"198.51.100.{number}", f"198.51.100.{number + 1}"] for number in range(1, 60)]
    hosts = chain + [some.sample(pool, some.randrange(4)) or None for _ in range(150)]
    for folder_name, order in (("in-order", list), ("any-order", lambda lines: some.sample(lines, len(lines)))):
        logs, file = folder / folder_name, folder / f"{folder_name}.db"
        logs.mkdir()
        (logs / "sessions.jsonl").write_bytes(b"")
        lines = []
        for number, addresses in enumerate(hosts):
            operator = f"op{some.randrange(30)}.example" if number % 7 else None
            mx = [{"preference": 10, "host": f"mx.{operator}" if operator else "localhost", "addresses": addresses}]
            lines.append({"domain": f"d{number}.example", "last_seen": f"2026-11-27T12:00:{number % 60:02}Z", "mx": mx if number % 11 or number < len(chain) else None,
                          "mx_operator": operator, "registered_domain": f"d{number}.example"})  # fmt: skip
            if number % 13 == 0:  # what was said before counts no more
                lines.append({**lines[-1], "last_seen": "2026-11-27T11:00:00Z", "mx": [{**mx[0], "addresses": [pool[0]]}]})
        (logs / "domains.jsonl").write_text("".join(json.dumps(line) + "\n" for line in order(lines)))
        run(mailtap, "store", "-q", "-i", logs, "--store-file", file)
        compare_tables(tap, mailtap, reported(mailtap, logs), file, ["services", "domain_properties"])
        most = max(row["domains"] for row in ask(mailtap, file, "services") if row["address"])
        tap.check(most > 40, f"a service of {most} domains")


def compare_figures(tap, mailtap, logs, file):
    report = reported(mailtap, logs)
    head = report.pop(None)
    compare_tables(tap, mailtap, report, file, sorted(set(report) - WITHOUT_VIEW))
    capture = {row["counter"]: row["count"] for row in ask(mailtap, file, "capture")}
    tap.check(capture == head["capture"], "capture: as in the report", [str(capture), str(head["capture"])])
    check_series(tap, mailtap, logs, file)
    half = sorted(row["start"] for row in ask(mailtap, file, "--sql", "SELECT start FROM sessions"))[head["sessions"] // 2]
    parts = [ask(mailtap, file, "verdicts", *bound) for bound in (["--since", half], ["--until", half])]
    sums = [sum(row["sessions"] for row in part) for part in parts]
    tap.check(all(sums) and sum(sums) == head["sessions"], "since and until: each session on one side", [str(sums)])


def check_views(tap, mailtap, file):
    """All views that are listed can be asked, here and by another program."""
    listed = program.text(run(mailtap, "query").stdout).splitlines()
    names = [line for line in listed if line and not line.startswith(" ")]
    tap.check("verdicts" in names and len(listed) > 3 * len(names), f"{len(names)} views are listed with what they count")
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    for name in names:
        here = len(ask(mailtap, file, name))
        there = len(database.execute(f"SELECT * FROM {name}").fetchall())
        tap.check(here == there > 0, f"{name}: {here} rows", [f"{there} by another program"])
    database.close()


# --- the whole ----------------------------------------------------------------------------------------


def check_twice(tap, mailtap, logs, folder):
    """The same logs twice, and beside what a run stored."""
    file = folder / "imported.db"
    lines = [len(log_lines(logs, table)) for table in TABLES]
    once = [len(told_apart(logs, table)) for table in TABLES]
    for time, wanted in (("first", [a - b for a, b in zip(lines, once)]), ("second", lines)):
        done = run(mailtap, "store", "-i", logs, "--store-file", file)
        known = [int(line.split()[5]) for line in program.text(done.stdout).splitlines()]
        tap.check(known == wanted, f"stored the {time} time", [str(known), str(wanted)])
    compare(tap, logs, file, "imported twice")


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    captures = list(program.readable(program.captures(options.pcaps)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for workers in (0, 2):
            logs, file = folder / f"logs-{workers}", folder / f"{workers}.db"
            run(options.mailtap, "-q", "--dns", "--mail-headers", "-r", *captures, "-w", logs, "--store", "sqlite", "--store-file", file,
                "--pem", "--workers", workers, "--sensor", "tap", *program.TRUST)  # fmt: skip
            compare(tap, logs, file, f"{workers} workers")
        compare_figures(tap, options.mailtap, logs, file)
        check_views(tap, options.mailtap, file)
        check_spans(tap, options.mailtap, file, folder)
        check_twice(tap, options.mailtap, logs, folder)
        check_taps(tap, options.mailtap, captures, folder)
        check_services(tap, options.mailtap, folder)
        key, hidden = folder / "key", folder / "hidden.db"
        key.write_bytes(bytes(range(32)))
        key.chmod(0o600)
        run(options.mailtap, "-q", "--dns", "--mail-headers", "-r", *captures, "-w", folder / "hidden", "--store", "sqlite", "--store-file", hidden,
            "--anonymise", key, *program.TRUST)  # fmt: skip
        compare(tap, folder / "hidden", hidden, "anonymised")
        real = {row["client_ip"] for row in ask(options.mailtap, file, "--sql", "SELECT client_ip FROM sessions")}
        stored = hidden.read_bytes()
        left = [address for address in real if len(address) > 8 and address.encode() in stored]
        tap.check(len(real) > 5 and not left, f"anonymised: none of {len(real)} real addresses in the file", left)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
