#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records on a real ClickHouse server: what the logs have, as the schema says; views that give the figures of `mailtap
report` over several sensors; and whatever happens to server, network, spool or mailtap, nothing is lost uncounted and
nothing is there twice."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "privacy"))

import scenarios  # noqa: E402
from lib import clickhouse as ch  # noqa: E402
from lib import live_run, program  # noqa: E402
from lib.between import Between  # noqa: E402
from lib.live_run import LiveRun, wait_for  # noqa: E402
from lib.tap import Tap  # noqa: E402

TABLES = ["sessions", "certificates", "alerts", "statistics", "domains", "lookups", "messages"]
JSON_COLUMNS = ("evidence", "facts", "capture", "tables", "mail_headers", "mx", "dkim", "hops", "authentication_results")
FEW = ["attack-remove-postfix-swaks.pcap", "smtp-cleartext-postfix-swaks.pcap"]
SECOND = 10**9
DATETIME_LAST, INT64_LAST = 4291747199, 2**63 - 1  # the end of 2105


def store(url, spool, sensor="tap-1", flush=1, timeout=20, **more):
    """mailtap's arguments for a store. `more`: login="file" is --store-login file."""
    given = {"store": "clickhouse", "store-url": f"{url}/{ch.DATABASE}", "store-spool": spool, "sensor": sensor,
             "store-flush": flush, "store-timeout": timeout,
             **{f"store-{name.replace('_', '-')}": value for name, value in more.items()}}  # fmt: skip
    return [str(word) for name, value in given.items() for word in (f"--{name}", value)]


def lines_of(folder, table):
    path = Path(folder) / f"{table}.jsonl"
    return program.json_lines(path.read_bytes()) if path.is_file() else []


def said(done):
    return program.text(done.stderr).strip().splitlines()


def run(tap, options, arguments, codes=(0,)):
    done = program.run(options.mailtap, ["-q", *program.TRUST, *arguments])
    if done.returncode not in codes:
        tap.check(False, f"exit code {done.returncode}", said(done))
    return done


def left(spool):
    """The spool's files, but for its lock."""
    return sorted(path.name for path in Path(spool).iterdir() if path.name != "lock")


def drain(tap, options, url, spool, folder, **how):
    """Runs until all is sent that waits, as the last flush has ten seconds; the log folders of these runs. Each is a sensor
    of its own, where nothing else is said: it has the sessions of others again."""
    folders = []
    while left(spool) and len(folders) < 10:
        name = f"drain-{len(folders)}-{time.monotonic_ns()}"
        folders.append(folder / name)
        run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folders[-1], *store(url, spool, **{"sensor": name, **how})])
    return folders


# --- what a row is ---------------------------------------------------------------------------


def seconds_and_nanoseconds(text):
    """A time of a record, as the two columns that it becomes."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())
    shown = datetime.fromtimestamp(min(max(seconds, 0), DATETIME_LAST), timezone.utc)
    nanoseconds = seconds * SECOND + int((rest + "0" * 9)[:9])
    return shown.strftime("%Y-%m-%d %H:%M:%S"), min(nanoseconds, INT64_LAST)


def expected(record, columns, sensor):
    """A record as the row that the table should have, by the types of its columns."""
    row = {"sensor": record.get("sensor") or sensor}
    for name, kind in columns.items():
        value = record.get(name)
        if name in ("sensor", "batch") or name.rpartition("_")[0] in columns and name.endswith(("_ns", "_seen")):
            continue
        if kind.startswith("Array"):
            row[name], row[f"{name}_seen"] = value or [], int(value is not None)
        elif "DateTime" in kind:
            row[name], row[f"{name}_ns"] = seconds_and_nanoseconds(value) if value is not None else (None, None)
            if value is None and not kind.startswith("Nullable"):
                row[name] = "1970-01-01 00:00:00"
        elif isinstance(value, bool):
            row[name] = int(value)
        elif isinstance(value, (dict, list)):
            row[name] = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        elif name == "facts":
            others = {k: v for k, v in record.items() if k not in columns}
            row[name] = json.dumps(others) if others else None
        else:
            row[name] = value
    return row


def comparable(row):
    """Without what only the table has; JSON as what it says."""
    shown = {name: value for name, value in row.items() if name != "batch"}
    for name in JSON_COLUMNS:
        if isinstance(shown.get(name), str):
            shown[name] = json.loads(shown[name])
    for name, value in shown.items():
        if isinstance(value, float):  # whose last bit old versions read as they like
            shown[name] = f"{value:.12g}"
        elif value == "0000-00-00 00:00:00":  # as old versions show the first second that there is
            shown[name] = "1970-01-01 00:00:00"
    return json.dumps(shown, sort_keys=True)


def differences(wanted, found):
    """What the first two rows that have no like differ in."""
    for a, b in zip(map(json.loads, wanted), map(json.loads, found)):
        return [f"{key}: log {a.get(key)!r}, table {b.get(key)!r}" for key in a | b if a.get(key) != b.get(key)][:5]
    return [*wanted[:1], *found[:1]]


def check_rows(tap, server, folders):
    """Each line of the logs is a row, value for value, and there is no other."""
    for table in TABLES:
        columns = {row["name"]: row["type"] for row in server.rows(
            f"SELECT name, type FROM system.columns WHERE database = '{ch.DATABASE}' AND table = '{table}'")}  # fmt: skip
        wanted = sorted(comparable(expected(record, columns, sensor))
                        for sensor, folder in folders for record in lines_of(folder, table))  # fmt: skip
        found = sorted(comparable(row) for row in server.rows(f"SELECT * FROM {table}"))
        wrong = differences(sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted)))
        tap.check(wanted and wanted == found, f"{table}: each of the {len(wanted)} lines of the logs is a row",
                  [f"{len(found)} rows", *wrong] if wanted != found else [])  # fmt: skip


# --- the views -------------------------------------------------------------------------------


def reported(options, folders):
    done = program.run(options.mailtap, ["report", "--json", *[word for folder in folders for word in ("-i", folder)]])
    tables = {}
    for line in program.json_lines(done.stdout):
        tables.setdefault(line.get("table"), []).extend(line.get("rows", []))
    return tables


# Table of the report -> view.
VIEWS = {"verdicts": "verdicts", "sessions": "session_kinds", "funnel": "funnel", "protection": "protection",
         "evidence": "evidence_kinds", "tls_versions": "tls_versions", "tls_ciphers": "tls_ciphers",
         "tls_groups": "tls_groups", "credentials": "credentials", "client_list": "client_list",
         "starttls_use": "starttls_use", "verification": "verification", "certificates": "certificate_status",
         "servers": "servers", "server_list": "server_list", "paths": "paths", "times": "times",
         "services": "services", "policies": "policies", "domain_properties": "domain_properties", "lookups": "lookup_kinds",
         "lookup_list": "lookup_list", "lookup_operators": "lookup_operators", "internal_hops": "internal_hops",
         "enforcement": "enforcement", "enforcement_networks": "enforcement_networks"}  # fmt: skip
KINDS = {"starttls_use", "verification", "certificates"}  # that have a row for each kind of things, if there are any or not


# Cells that are no figures: the report reads names as names of hosts, in the order of the logs.
NO_FIGURES = {"server_name"}


# View -> its columns that are parts or denominators of shares, by the report's share.
SHARES = {
    "services": {"domain_share_of": ("domain_share", "of"), "session_share_of": ("session_share", "of")},
    "policies": {"share_of": ("share", "of")},
    "lookup_kinds": {"network_share_of": ("network_share", "of"), "session_share_of": ("session_share", "of")},
    "enforcement": {"named": ("share", "part")}, "enforcement_networks": {"named": ("share", "part")},
}  # fmt: skip


def with_parts(view, row):
    """A row of the report with what the view has of its shares."""
    row = {**row, **{name: (row[share] or {}).get(side) for name, (share, side) in SHARES.get(view, {}).items()}}
    if view == "lookup_list":
        row["watched"] = (row["spf_share"] or {"of": 0})["of"]
    return row


def comparable_rows(rows):
    """Rows as they are compared: nulls as '', as the views have them."""
    return sorted((sorted((k, "" if v is None else v) for k, v in row.items() if not k.endswith("share") and k not in NO_FIGURES)
                   for row in rows), key=str)  # fmt: skip


def in_records(time):
    """A time of the server, as records have it."""
    return time.replace(" ", "T") + "Z"


def counts_nothing(row):
    return not any(value for value in row.values() if isinstance(value, int))


def check_views(tap, server, options, folders):
    report = reported(options, folders)
    for table, view in VIEWS.items():
        wanted = comparable_rows(with_parts(view, row) for row in report[table] if not (table in KINDS and counts_nothing(row)))
        found = comparable_rows({**row, "start": in_records(row["start"])} if "start" in row else row
                               for row in server.rows(f"SELECT * FROM {view}"))  # fmt: skip
        wrong = [f"report {a}\n# view   {b}" for a, b in zip(wanted, found) if a != b][:2]
        tap.check(wanted and wanted == found, f"{view}: the {len(wanted)} rows of mailtap report's {table}",
                  [f"{len(found)} rows", *wrong] if wanted != found else [])  # fmt: skip
    counts = server.rows("SELECT * FROM distinct_counts")[0]
    wanted = {row["what"]: row["different"] for row in report["distinct"]}
    tap.check(counts == wanted, f"distinct_counts: {len(wanted)} numbers of different things",
              [f"report {wanted}", f"view   {counts}"] if counts != wanted else [])  # fmt: skip
    tap.check(server.number("SELECT count() FROM certificates_known")
              == len({record["sha256"] for folder in folders for record in lines_of(folder, "certificates")}),
              "certificates_known: each certificate once")  # fmt: skip


def check_spans(tap, server, options, folder):
    """The view `times` takes the shortest spans of which 240 reach, however far sessions are apart."""
    del options, folder
    server.make()
    table = "TABLE sessions (start_ns Nullable(Int64), verdict Nullable(String)) ENGINE = Memory"  # the real one takes its time
    server.ask(f"CREATE {table}")
    server.ask(next(view for view in ch.statements("views.sql") if " times AS" in view))
    tap.check(not server.rows("SELECT * FROM times"), "times: no sessions, no rows")
    first, minute, day = 1767225630, 60, 86400
    for apart, width in ((0, 60), (239 * minute, 60), (240 * minute, 300), (1195 * minute, 300), (1200 * minute, 900), (239 * 3600, 3600),
                         (720 * 3600 - 31, 10800), (720 * 3600, 21600), (239 * day, day), (240 * day, 2 * day), (1000 * day, 8 * day),
                         (20000 * day, 128 * day)):  # fmt: skip
        begins = [first, first + apart]
        server.ask("DROP TABLE sessions")
        server.ask(f"CREATE {table}")
        server.ask("INSERT INTO sessions VALUES " + ", ".join(f"({begin}999999999, 'cleartext')" for begin in begins))
        rows = server.rows("SELECT toUInt32(start) AS begin, seconds, sessions, cleartext FROM times")
        wanted = sorted({begin // width * width for begin in begins})
        tap.check([row["begin"] for row in rows] == wanted and {row["seconds"] for row in rows} == {width}
                  and sum(row["sessions"] for row in rows) == sum(row["cleartext"] for row in rows) == 2,
                  f"times: {apart} seconds apart", map(program.show, rows))  # fmt: skip


def check_services(tap, server, options, folder):
    """Domains that share an address, one with the other, are one service; where that is too far to follow it is an error."""
    del options, folder
    server.make()
    server.ask("CREATE TABLE domains (domain Nullable(String), mx Nullable(String), mx_operator Nullable(String), last_seen_ns Nullable(Int64), "
               "dnssec_sets Nullable(UInt64), batch String) ENGINE = Memory")  # fmt: skip
    server.ask("CREATE TABLE sessions (server_ip Nullable(String), server_port Nullable(UInt64), verdict Nullable(String), dns_read Nullable(UInt8)) ENGINE = Memory")
    for statement in ch.statements("views.sql"):
        if " service" in statement.partition(" AS")[0]:
            server.ask(statement)
    tap.check(not server.rows("SELECT * FROM services"), "services: no domains, no rows")

    def add(name, operator, addresses, seen=1):
        hosts = json.dumps([{"host": f"mx.{operator}", "addresses": addresses}], separators=(",", ":"))
        server.ask("INSERT INTO domains FORMAT JSONEachRow", body=json.dumps(
            {"domain": name, "mx": hosts, "mx_operator": operator, "last_seen_ns": seen, "dnssec_sets": 1, "batch": ""}).encode())  # fmt: skip

    for number in range(6):
        add(f"chain{number}.example", f"op{number % 2}.example", [f"192.0.2.{number + 9}", f"192.0.2.{number + 10}"])
    for number in range(20):
        add(f"star{number}.example", "star.example", [f"198.51.100.{number + 1}", "2001:db8::1"])
    add("star0.example", "star.example", ["192.0.2.9"], seen=0)  # before
    add("one.example", None, ["192.0.2.200"])
    add("none.example", None, None)
    server.ask("INSERT INTO sessions VALUES ('192.0.2.9', 25, 'encrypted', 1), ('192.0.2.15', 25, 'cleartext', 1), ('192.0.2.9', 587, 'encrypted', 1), "
               "('192.0.2.77', 25, 'encrypted', 1), ('192.0.2.9', 25, 'encrypted', NULL)")  # fmt: skip
    found = [tuple(row.values()) for row in server.rows("SELECT * FROM services")]
    wanted = [("star.example", "198.51.100.1", 21, 20, 27, 0, 2), ("op0.example", "192.0.2.9", 7, 6, 27, 2, 2),
              ("", "192.0.2.200", 1, 1, 27, 0, 2), ("", "", None, 1, None, 1, None)]  # fmt: skip
    tap.check(found == wanted, "services: chains and stars of domains", [f"wanted {wanted}", f"there  {found}"])
    for number in range(40):
        add(f"long{number}.example", "long.example", [f"203.0.113.{number + 1}", f"203.0.113.{number + 2}"])
    try:
        found = str(server.rows("SELECT * FROM services"))
    except ch.QueryError as error:
        found = str(error)
    tap.check("throwIf" in found, "services: a chain that is too long is an error, and no table", [found])


def check_everything(tap, server, options, folder):
    """All captures, by two sensors."""
    server.make("schema.sql", "views.sql")
    captures = list(program.readable(program.captures(options.pcaps)))
    folders = []
    for number, some in enumerate([captures[::2], captures[1::2]]):
        sensor = f"tap-{number}"
        done = run(tap, options, ["-r", *some, "-w", folder / sensor, "--any-port", "--pem", "--dns", "--mail-headers",
                                  *store(server.url, folder / f"spool-{number}", sensor)], (0, 1))  # fmt: skip
        # A machine that has much to do may take longer than a last flush waits.
        more = drain(tap, options, server.url, folder / f"spool-{number}", folder, sensor=sensor)
        folders += [(sensor, logs) for logs in (folder / sensor, *more)]
        tap.check(not left(folder / f"spool-{number}"), f"{sensor}: {len(some)} captures, and the spool is empty",
                  [line for line in said(done) if "ClickHouse" in line or "spool" in line])  # fmt: skip
    check_rows(tap, server, folders)
    check_views(tap, server, options, [logs for _, logs in folders])
    check_sums(tap, server, folders)
    check_cluster(tap, server)
    check_rebuild(tap, server)


def is_mail(record):
    return record["protocol"] in ("smtp", "imap", "pop3") or record["hop"] is not None


def saw_tls(record):
    return record["tls_established"] or record["server_certificate_source"] is not None


# A figure of a table of sums -> what a session adds to it.
SUMS = {
    "sum(sessions_daily.sessions) FROM sessions_daily": lambda r: 1,
    "sum(sessions_daily.messages) FROM sessions_daily": lambda r: r["messages"] or 0,
    "sum(sessions_daily.credentials_exposed) FROM sessions_daily": lambda r: int(r["credentials_exposed"] or 0),
    "sum(sessions_daily.with_evidence) FROM sessions_daily": lambda r: int(bool(r["evidence"])),
    "sumIf(passed, step = 'connected') FROM funnel_daily":
        lambda r: int(r["protocol"] in (None, "smtp", "imap", "pop3") and r["tls_mode"] != "implicit"),
    "sum(passive_protected + passive_exposed + passive_not_seen) FROM protection_daily":
        lambda r: int(r["verdict"] in ("encrypted", "cleartext", "stripped", "partial")),
    "sum(tls_daily.sessions) FROM tls_daily": lambda r: int(bool(r["tls_established"] and is_mail(r))),
    "sumIf(tls_daily.sessions, version = 'TLSv1.3' AND hop = 'relay') FROM tls_daily":
        lambda r: int(bool(r["tls_established"] and r["tls_version"] == "TLSv1.3" and r["hop"] == "relay")),
    "sum(certificate_faults_daily.sessions) FROM certificate_faults_daily":
        lambda r: max(1, len(r["certificate_status"] or [])) if saw_tls(r) else 0,
    "sum(evidence_daily.sessions) FROM evidence_daily": lambda r: len({one["kind"] for one in r["evidence"]}),
}  # fmt: skip


def check_sums(tap, server, folders):
    """The sums of each day and sensor."""
    records = [(record["start"][:10], sensor, record) for sensor, folder in folders for record in lines_of(folder, "sessions")]
    days = {(day, sensor) for day, sensor, _ in records}
    for figure, added in SUMS.items():
        wanted = dict.fromkeys(days, 0)
        for day, sensor, record in records:
            wanted[day, sensor] += added(record)
        found = dict.fromkeys(days, 0)
        for row in server.rows(f"SELECT day, sensor, {figure.replace(' FROM', ' AS figure FROM')} GROUP BY day, sensor"):
            found[row["day"], row["sensor"]] = row["figure"]
        tap.check(wanted == found and any(wanted.values()), f"by day and sensor: {figure}",
                  [f"{key}: logs {wanted.get(key)}, there {value}" for key, value in found.items() if wanted.get(key) != value][:3])  # fmt: skip
    found = {(row["day"], row["sensor"]): row["clients"] for row in server.rows(
        "SELECT day, sensor, uniqMerge(client_addresses) AS clients FROM distinct_daily GROUP BY day, sensor")}  # fmt: skip
    wanted = {key: len({record["client_ip"] for day, sensor, record in records if (day, sensor) == key}) for key in days}
    tap.check(len(days) > 3 and wanted == found, "by day and sensor: clients", [f"logs {wanted}", f"there {found}"] if wanted != found else [])


def check_cluster(tap, server):
    """Over all shards (one here) is the same."""
    for statement in ch.statements("cluster.sql"):
        server.ask(statement)
    tables = [row["name"] for row in server.rows(
        f"SELECT name FROM system.tables WHERE database = '{ch.DATABASE}' AND engine = 'Distributed'")]  # fmt: skip
    wrong = [name for name in tables if server.number(f"SELECT count() FROM {name}")
             != server.number(f"SELECT count() FROM {name.removeprefix('all_')}")]  # fmt: skip
    tap.check(len(tables) == 15 and not wrong, f"cluster.sql: {len(tables)} tables over all shards", wrong)
    tap.check(server.ask("SELECT uniqMerge(servers) FROM all_distinct_daily")
              == server.ask("SELECT servers FROM distinct_counts"), "which merge")  # fmt: skip


def check_rebuild(tap, server):
    """What a killed server may leave behind is found, and mended."""
    check = ch.statements("check.sql")[0]
    tap.check(not server.rows(check), "check.sql finds nothing amiss")
    before = server.rows("SELECT * FROM verdicts"), server.rows("SELECT * FROM distinct_counts")
    columns = ", ".join(row["name"] for row in server.rows(
        f"SELECT name FROM system.columns WHERE database = '{ch.DATABASE}' AND table = 'sessions'"))  # fmt: skip
    server.ask("DETACH TABLE fill_sessions_daily")
    server.ask(f"INSERT INTO sessions ({columns}) SELECT {columns} FROM sessions LIMIT 3")
    server.ask("ATTACH TABLE fill_sessions_daily")
    found = server.rows(check)
    tap.check(len(found) > 0, "and the days of which a view lacks sessions", [program.show(row) for row in found][:2])
    done = subprocess.run([ch.CONFIGS / "rebuild.sh"], check=True, capture_output=True)
    rebuilt = ch.split(program.text(done.stdout))
    for statement in rebuilt:
        server.ask(statement)
    total = sum(row["sessions"] for row in server.rows("SELECT * FROM verdicts"))
    tap.check(len(rebuilt) == 16 and not server.rows(check) and total == sum(row["sessions"] for row in before[0]) + 3
              and server.rows("SELECT * FROM distinct_counts") == before[1], "rebuild.sh makes them anew")  # fmt: skip


# --- what may happen -------------------------------------------------------------------------


def totals(server):
    return {table: server.number(f"SELECT count() FROM {table}") for table in TABLES}


def twice(server):
    """Sessions that are there more than once."""
    return server.number("SELECT count() - uniqExact(session_id, start_ns, sensor) FROM sessions")


def check_same(tap, server, logs, what, notes=()):
    """As many rows as lines, of all tables, and no session twice."""
    wanted = {table: sum(len(lines_of(folder, table)) for folder in logs) for table in TABLES}
    found, doubled = totals(server), twice(server)
    tap.check(wanted == found and doubled == 0, what, [*notes, f"logs  {wanted}", f"there {found}, twice {doubled}"])


def check_server_killed(tap, server, options, folder):
    """Killed and started again in the middle of a run, three times."""
    server.make("schema.sql")
    live = LiveRun(options.mailtap, "--append", "-w", folder / "logs", *store(server.url, folder / "spool", timeout=5))
    for part in range(4):
        live.sessions(range(part * 40, part * 40 + 40))
        wait_for(lambda part=part: server.number("SELECT count() FROM sessions") >= part * 40 + 20, "rows")
        if part < 3:
            server.kill()
            live.sessions(range(part * 40 + 1000, part * 40 + 1010))
            time.sleep(0.3)
            server.start()
    code, lines = live.end()
    told = [line for line in lines if "ClickHouse" in line]
    more = drain(tap, options, server.url, folder / "spool", folder)
    check_same(tap, server, [folder / "logs", *more], "the server is killed three times: nothing is lost, nothing is twice",
               told)  # fmt: skip
    tap.check(code == 0 and not left(folder / "spool"), "the run ends well, the spool is empty", left(folder / "spool"))


def child_of(pid):
    """The child of a process, or None."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


def sender_of(process, other_than=None):
    """The process that sends, and the one that keeps it."""
    keeper = wait_for(lambda: child_of(process.pid), "a keeper")

    def found():
        sender = child_of(keeper)
        return sender if sender != other_than else None

    return wait_for(found, "a sender"), keeper


def spooled(folder):
    """Lines in the spool that are no batch yet."""
    count = 0
    for path in Path(folder).glob("*-sessions.*"):
        if path.suffix in (".open", ".lines"):
            try:
                count += path.read_bytes().count(b"\n") - 1
            except FileNotFoundError:
                pass  # it is a batch by now
    return count


def check_mailtap_killed(tap, server, options, folder):
    """kill -9 of mailtap while the server is away; the next run sends what the killed one left."""
    server.make("schema.sql")
    server.kill()
    spool, fed = folder / "spool", 0
    for _ in range(3):
        live = LiveRun(options.mailtap, *store(server.url, spool, flush=600))
        live.sessions(range(fed, fed + 25))
        fed += 25
        wait_for(lambda: spooled(spool) >= 24, "lines in the spool")
        lines_there = spooled(spool)
        sender, _ = sender_of(live.process)
        live.process.kill()
        wait_for(lambda: spooled(spool) == 0, "batches of what is left")  # the sender does so when the tap is gone
        os.kill(sender, signal.SIGKILL)  # rather than wait for its last flush
        live.kill()
        tap.note(f"{lines_there} lines in the spool when it was killed")
    server.start()
    more = 9 * len(drain(tap, options, server.url, spool, folder))
    there = server.number("SELECT count() FROM sessions")
    tap.check(fed - 3 + more <= there <= fed + more and twice(server) == 0 and not left(spool),
              "mailtap is killed three times: the next run sends what is left, once",
              [f"{fed} + {more} sessions, {there} there, {twice(server)} twice", *left(spool)])  # fmt: skip


def check_sender_killed(tap, server, options, folder):
    server.make("schema.sql")
    spool = folder / "spool"
    live = LiveRun(options.mailtap, "--append", "-w", folder / "logs", *store(server.url, spool))
    live.sessions(range(30))
    first, keeper = sender_of(live.process)
    wait_for(lambda: server.number("SELECT count() FROM sessions") > 0, "rows")  # it has begun to work
    status = Path(f"/proc/{first}/status").read_text()
    confined = b"sandbox: seccomp" in program.run(options.mailtap, ["--version"]).stdout
    tap.check((re.search(r"Seccomp:\s+2", status) or not confined) and re.search(r"NoNewPrivs:\s+1", status)
              and re.search(r"CapEff:\s+0{16}", status), "the sender is in a sandbox, without capabilities",
              re.findall(r"(?:Seccomp|NoNewPrivs|CapEff):.*", status))  # fmt: skip
    os.kill(first, signal.SIGKILL)
    second, _ = sender_of(live.process, first)
    live.sessions(range(30, 60))
    wait_for(lambda: server.number("SELECT count() FROM sessions") >= 50, "rows of the new sender")
    os.kill(keeper, signal.SIGKILL)
    os.kill(second, signal.SIGKILL)
    live.sessions(range(60, 90))
    code, lines = live.end()
    tap.check(any("begun anew" in line for line in lines) and any("has ended" in line for line in lines) and code == 0,
              "a sender that is killed is begun anew; where none is left, that is told", lines)  # fmt: skip
    more = drain(tap, options, server.url, spool, folder)
    check_same(tap, server, [folder / "logs", *more], "and the next run sends the rest")


def check_uncertain(tap, server, options, folder):
    """Answers that never come: of each batch once, before anything else is sent again."""
    harms = [Between.LOSE_ANSWER, Between.BREAK_OFF, (500, b""), Between.STALL,
             (200, b"<html>a proxy</html>")]  # fmt: skip
    with Between(server.http) as between:
        for number, harm in enumerate(harms):
            server.make("schema.sql")
            harmed = []
            between.requests.clear()

            def once(request, harm=harm, harmed=harmed):
                return None if harmed else harmed.append(request) or harm

            between.harm = once
            spool, logs = folder / f"spool-{number}", folder / f"logs-{number}"
            arguments = ["-r", options.pcaps / FEW[0], *store(between.url, spool, timeout=1)]
            done = run(tap, options, [*arguments, "-w", logs])
            more = drain(tap, options, between.url, spool, folder)
            asked = [request.query for request in between.requests if "system.processes" in request.query]
            check_same(tap, server, [logs, *more],
                       f"{harm if isinstance(harm, str) else f'an answer {harm[0]} of another'}: once",
                       [f"{len(between.inserted())} insertions, asked {len(asked)} times", *said(done)])  # fmt: skip
            tap.check(len(harmed) == 1 and asked and not left(spool), "the server was asked, and the spool is empty")


def check_killed_in_batch(tap, server, options, folder):
    """kill -9 of mailtap and of its sender while a batch is on its way: the server has it, or never gets it."""
    for number, has_it in enumerate((True, False)):
        server.make("schema.sql")
        spool, reached, let_go = folder / f"spool-{number}", threading.Event(), threading.Event()

        def once(request, has_it=has_it, reached=reached, let_go=let_go):
            del request
            reached.set()
            if has_it:
                return Between.STALL
            let_go.wait()
            return 503, b""

        with Between(server.http) as between:
            between.harm = once
            live = LiveRun(options.mailtap, *store(between.url, spool))
            live.sessions(range(20))
            wait_for(reached.is_set, "a batch on its way")
            if has_it:
                wait_for(lambda: sum(totals(server).values()), "rows")
            sender, keeper = sender_of(live.process)
            for pid in (keeper, sender):
                os.kill(pid, signal.SIGKILL)
            live.kill()
            let_go.set()
        marked = [name for name in left(spool) if name.endswith(".sent")]
        tap.check(len(marked) == 1, "a batch that is on its way when all is killed is marked so", left(spool))
        more = 9 * len(drain(tap, options, server.url, spool, folder))
        there, doubled = server.number("SELECT count() FROM sessions"), twice(server)
        batches = server.number("SELECT uniqExact(batch) FROM sessions")
        tap.check(there > more and doubled == 0 and not left(spool) and batches >= 2,
                  f"and is there once afterwards, {'as it was' if has_it else 'sent again'}",
                  [f"{there} there, {more} of later runs, {doubled} twice", *left(spool)])  # fmt: skip


def check_order(tap, server, options, folder):
    """What waits is sent from the oldest on: of the runs, and of the batches of each."""
    server.make("schema.sql")
    spool, nowhere = folder / "spool", f"http://127.0.0.1:{ch.free_port()}"
    captures = sorted(path for path in program.captures(options.pcaps) if path.name.startswith("attack-"))
    for name in (captures[:9], captures[9:14]):
        run(tap, options, ["-r", *name, *store(nowhere, spool)])
    waiting = left(spool)
    with Between(server.http) as between:
        drain(tap, options, between.url, spool, folder)
        sent = [request.name for request in between.inserted()]
    runs = [name.partition("-")[0] for name in sent]
    tap.check(sent == sorted(sent) and len(set(runs)) >= 3 and len(sent) >= 12 and len(waiting) >= 8,
              f"{len(sent)} batches of {len(set(runs))} runs are sent from the oldest on", sent)  # fmt: skip


def check_two_taps(tap, server, options, folder):
    """Two taps at a time, each with its spool; a second one with the spool of another is refused."""
    server.make("schema.sql")
    names = ["east", "west"]
    runs = [LiveRun(options.mailtap, "--append", "-w", folder / name, *store(server.url, folder / f"spool-{name}", name))
            for name in names]  # fmt: skip
    for part in range(3):
        for live in runs:
            live.sessions(range(part * 20, part * 20 + 20))
    wait_for(lambda: server.number("SELECT uniqExact(sensor) FROM sessions") == 2, "rows of both")
    done = run(tap, options, ["-r", options.pcaps / FEW[0], *store(server.url, folder / "spool-east", "third")], (1,))
    tap.check(len(said(done)) == 1 and "another run uses it" in said(done)[0], "the spool of another is refused", said(done))
    ends = [live.end() for live in runs]
    logs = [folder / name for name in names]
    for name in names:
        logs += drain(tap, options, server.url, folder / f"spool-{name}", folder)
    check_same(tap, server, logs, "two taps at a time: all of both, once", map(str, ends))


def check_paused(tap, server, options, folder):
    """A server that is stopped with the whole request before it, and takes it when it goes on."""
    server.make("schema.sql")
    live = LiveRun(options.mailtap, "--append", "-w", folder / "logs", *store(server.url, folder / "spool", timeout=1))
    live.sessions(range(20))
    wait_for(lambda: server.number("SELECT count() FROM sessions") > 0, "rows")
    server.pause()
    live.sessions(range(20, 40))
    time.sleep(4)
    server.go_on()
    code, lines = live.end()
    more = drain(tap, options, server.url, folder / "spool", folder)
    check_same(tap, server, [folder / "logs", *more],
               "a server that sleeps and then takes what came meanwhile: once", [f"exit code {code}", *lines])  # fmt: skip


def shown_store(page):
    """What metrics say of the store, summed over its tables."""
    sums = {}
    for name, value in re.findall(r"^mailtap_store_(\w+?)(?:_total)?(?:\{[^}]*\})? (\d+)$", page.read_text(), re.M):
        sums[name] = sums.get(name, 0) + int(value)
    return sums


def check_full(tap, server, options, folder):
    """No server, and a spool that is too small: what has no room is counted."""
    server.kill()
    spool = folder / "spool"
    captures = [path for path in program.captures(options.pcaps) if path.name.startswith("attack-")]
    done = run(tap, options, ["-r", *captures, "-w", folder / "logs", "--metrics", folder / "metrics",
                              *store(server.url, spool, spool_size="128K")], (1,))  # fmt: skip
    size = sum((spool / name).stat().st_size for name in left(spool))
    lost = re.search(r"(\d+) records were lost", program.text(done.stderr))
    server.start()
    server.make("schema.sql")
    more = drain(tap, options, server.url, spool, folder)
    lines = {table: sum(len(lines_of(path, table)) for path in [folder / "logs", *more]) for table in TABLES}
    there = totals(server)
    tap.check(size <= 128 << 10 and lost and sum(lines.values()) - sum(there.values()) == int(lost[1]),
              "a spool that is full: what is lost is counted, to the record",
              [f"{size} bytes", f"logs {lines}", f"there {there}", *said(done)])  # fmt: skip
    tap.check(sum("spool is full" in line for line in said(done)) == 1, "and told once")
    shown = shown_store(folder / "metrics")
    tap.check(shown["lost"] == int(lost[1]) and shown["away"] == 1 and shown["spool_limit_bytes"] == 128 << 10
              and 32 << 10 < shown["spool_bytes"] <= 128 << 10 and shown["spool_files"] > 0,
              "metrics say what waits and what was lost", [str(shown)])  # fmt: skip


def check_login(tap, server, options, folder):
    """A wrong password is told once, and not tried again and again; nothing shows it."""
    server.make("schema.sql")
    login, spool = folder / "login", folder / "spool"
    with Between(server.http) as between:
        login.write_text(f"{ch.USER}\nwrong-{ch.PASSWORD}\n")
        login.chmod(0o600)
        # README.md says what this user may not do.
        server.ask("CREATE DATABASE beside", database="default")
        server.ask("CREATE TABLE beside.a (b UInt8) ENGINE = Log", database="default")
        refused = [statement for statement in ("DROP TABLE sessions", "ALTER TABLE sessions DROP COLUMN hop", "SELECT * FROM beside.a")
                   if server.refuses(statement, ch.USER, ch.PASSWORD)]  # fmt: skip
        tap.check(len(refused) == 3, "the tap's user may do what is needed, and no more", refused)
        arguments = ["-w", folder / "logs", "-r", options.pcaps / FEW[0], *store(between.url, spool, login=login)]
        done = run(tap, options, arguments)
        told = [line for line in said(done) if "assword" in line or "uthent" in line]
        tap.check(len(told) == 1 and len(between.requests) <= 2 and left(spool),
                  f"a wrong password: told once, tried {len(between.requests)} times, records wait", said(done))  # fmt: skip
        login.write_text(f"{ch.USER}\n{ch.PASSWORD}\n")
        again = run(tap, options, [*store(between.url, spool, login=login), "-w", folder / "more",
                                   "-r", options.pcaps / FEW[1]])  # fmt: skip
        more = drain(tap, options, between.url, spool, folder, login=login)
        check_same(tap, server, [folder / "logs", folder / "more", *more], "the right one: all are there", said(again))
        shown = done.stderr + again.stderr + b"".join(path.read_bytes() for path in spool.iterdir())
        bodies = b"".join(request.path.encode() if hasattr(request, "path") else request.query.encode()
                          for request in between.requests)  # fmt: skip
        tap.check(ch.PASSWORD.encode() not in shown + bodies
                  and all(request.headers["X-ClickHouse-Key"].endswith(ch.PASSWORD) for request in between.requests),
                  "the password is in a header of HTTP, and nowhere else")  # fmt: skip
    login.chmod(0o600)
    with Between(server.http) as between:
        captures = [path for path in program.captures(options.pcaps) if "cleartext" in path.name]
        run(tap, options, ["-r", *captures, "--any-port", *store(between.url, spool, login=login)])
        sent = "\n".join(line for request in between.inserted() for line in request.rows()).encode()
        leaks = [name for name, marker in scenarios.MARKERS.items() if marker.lower() in sent.lower()]
        tap.check(len(sent) > 10000 and not leaks, f"no secret of {len(captures)} captures is sent", leaks)
    login.chmod(0o644)
    done = run(tap, options, ["-r", options.pcaps / FEW[0], *store(server.url, spool, login=login)], (1,))
    tap.check("chmod 600" in program.text(done.stderr), "a password that others may read is refused", said(done))


def check_lasting(tap, server, options, folder):
    """What only the operator can mend, and what is in a batch."""
    spool = folder / "spool"
    server.make()
    done = run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folder / "logs", *store(server.url, spool)])
    tap.check(len(said(done)) == 2 and "is not there" in said(done)[0], "no table: told once, records wait", said(done))
    server.make("schema.sql")
    server.ask("ALTER TABLE sessions DROP COLUMN tls_version")
    done = run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folder / "logs2", *store(server.url, spool)])
    tap.check("has no column tls_version" in program.text(done.stderr), "a column that is not there", said(done))
    server.ask("ALTER TABLE sessions ADD COLUMN tls_version Nullable(UInt64)")
    done = run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folder / "logs3", *store(server.url, spool)])
    tap.check("column tls_version is Nullable(UInt64)" in program.text(done.stderr), "and of another type", said(done))
    server.ask("ALTER TABLE sessions DROP COLUMN tls_version")
    server.ask("ALTER TABLE sessions ADD COLUMN tls_version Nullable(String)")
    done = run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folder / "logs4", *store(server.url, spool)])
    logs = [folder / name for name in ("logs", "logs2", "logs3", "logs4")]
    logs += drain(tap, options, server.url, spool, folder)
    wanted = {table: sum(len(lines_of(folder, table)) for folder in logs) for table in TABLES}
    tap.check(totals(server) == wanted and not left(spool), "mended: all are there", [*said(done), str(wanted)])
    with Between(server.http) as between:
        between.harm = lambda request: (400, b"Code: 27, e.displayText() = DB::Exception: Cannot parse input") \
            if "certificates" in request.query else None  # fmt: skip
        before = totals(server)
        done = run(tap, options, ["-r", options.pcaps / FEW[0], *store(between.url, spool)], (1,))
        refused = [name for name in left(spool) if name.endswith(".refused")]
        tries = sum("certificates" in request.query for request in between.inserted())
        tap.check(len(refused) == 1 and len(left(spool)) == 1 and tries >= 3
                  and totals(server)["sessions"] == before["sessions"] + 9,
                  "a batch that is refused for what is in it is put aside, and the others go on",
                  [*left(spool), *said(done)])  # fmt: skip


def check_tls(tap, server, options, folder):
    server.make("schema.sql")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Between(server.http, context) as between:
        spool = folder / "spool"
        done = run(tap, options, ["-r", options.pcaps / FEW[0], "-w", folder / "logs", *store(between.url, spool)])
        tap.check(not between.requests and left(spool), "a certificate that nobody vouches for: nothing is sent",
                  said(done))  # fmt: skip
        url = between.url.replace("127.0.0.1", "localhost")
        done = run(tap, options, ["-r", options.pcaps / FEW[1], "-w", folder / "more",
                                  *store(url, spool, ca_file=certificate)])  # fmt: skip
        more = drain(tap, options, url, spool, folder, ca_file=certificate)
        check_same(tap, server, [folder / "logs", folder / "more", *more], "with --store-ca-file, by name: all are there",
                   said(done))  # fmt: skip


CHECKS = [check_everything, check_spans, check_services, check_server_killed, check_mailtap_killed, check_sender_killed, check_uncertain,
          check_killed_in_batch, check_order, check_two_taps, check_paused, check_full, check_login, check_lasting, check_tls]  # fmt: skip


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", help="of the checks, those whose name has this in it")
    options = program.parse_arguments(parser)
    tap = Tap()
    if not tap.needs("clickhouse-server"):
        return tap.done()
    with tempfile.TemporaryDirectory(prefix="clickhouse-") as name, ch.ClickHouse(Path(name) / "server") as server:
        for check in CHECKS:
            if options.only and options.only not in check.__name__:
                continue
            tap.note(check.__name__)
            folder = Path(name) / check.__name__
            folder.mkdir()
            check(tap, server, options, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
