#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What may happen to a store's database: runs that are killed, a full disk, a file that is removed, locked, damaged or
somebody else's, two runs at a time, records that are too old or too many. What a run goes on with, what it says, and
that nothing is stored that is not told of. On small file systems of its own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.live_run import LiveRun, wait_for  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.tap import Tap  # noqa: E402
from storage import Bench, Listener, enter, fill  # noqa: E402
from traffic import FIRST_PORT, Traffic  # noqa: E402

DAY = 86400
SECOND = 1_000_000_000  # nanoseconds


def store(file):
    return ["--store", "sqlite", "--store-file", file]


def ask(file, statement):
    """What another program reads, while a run writes or not. Nothing if there is none yet."""
    if not Path(file).exists():
        return []
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        return database.execute(statement).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


def numbers(file):
    return sorted(port - FIRST_PORT for (port,) in ask(file, "SELECT client_port FROM sessions"))


def is_whole(file):
    return ask(file, "PRAGMA integrity_check") == [("ok",)]


def wait_for_rows(file, least):
    wait_for(lambda: len(numbers(file)) >= least, f"{least} sessions in the store")


def metric(page, name):
    """Of a page of metrics, over all tables."""
    return sum(int(value) for value in re.findall(rf"(?m)^mailtap_store_{name}(?:{{.*}})? (\d+)$", page))


# --- killed ----------------------------------------------------------------------------------------------


def killed(bench):
    """A run that is killed again and again leaves a whole database, and all that it had stored."""
    folder = bench.folder / "killed"
    folder.mkdir()
    file, traffic = folder / "store.db", Traffic()
    for turn in range(3):
        run = bench.live("--append", *store(file))
        before = len(numbers(file))
        run.give(traffic.take(200))
        wait_for_rows(file, before + 100)
        seen = len(numbers(file))
        run.give(traffic.take(50))
        run.kill()
        found = numbers(file)
        bench.tap.check(is_whole(file) and seen <= len(found) <= traffic.count, f"killed, turn {turn}: the database is whole",
                        [f"{len(found)} of {traffic.count}"])  # fmt: skip
        bench.tap.check(len(set(found)) == len(found), f"killed, turn {turn}: each session once")
    mode = os.stat(file).st_mode & 0o777
    bench.tap.check(mode == 0o640, "its file is for its owner and group", [oct(mode)])
    bench.run("-q", "-r", program.PCAPS / "smtp-cleartext-postfix-swaks.pcap", *store(file))
    ended = [row[0] is not None for row in ask(file, "SELECT ended FROM runs ORDER BY id")]
    bench.tap.check(ended == [False, False, False, True], "killed: it is told which runs have ended", [str(ended)])


# --- the disk is full ------------------------------------------------------------------------------------


def full(bench):
    disk, traffic = bench.disk("full", "8M"), Traffic()
    file = disk / "store.db"
    run = bench.live("--append", *store(file), "-o", bench.records())
    heard = Listener(run)
    run.give(traffic.take(50))
    wait_for_rows(file, 20)
    filler = fill(disk)
    run.give(traffic.take(100))
    heard.wait_for("records wait for it")
    stuck = len(numbers(file))
    run.give(traffic.take(50))
    filler.unlink()
    heard.wait_for("records can be stored again")
    run.give(traffic.take(20))
    code, said = heard.end()
    found = numbers(file)
    bench.tap.check(stuck < traffic.count - 70 and found == list(range(traffic.count)), "full: nothing is lost in the end",
                    [f"{stuck}, then {len(found)} of {traffic.count}"])  # fmt: skip
    bench.tap.check(code == 0 and len(said) == 2, "full: it is told once, and when it is well again", [str(code), *said])
    bench.tap.check(is_whole(file), "full: the database is whole")
    fill(disk)
    done = one_run(bench, disk / "another.db")
    said = program.text(done.stderr)
    bench.tap.check(done.returncode == 1 and "another.db: " in said, "full: a run cannot begin on it", [said])


def lost(bench):
    """What is left at the end on a disk that stays full is lost, and counted."""
    disk, traffic = bench.disk("lost", "8M"), Traffic()
    file, metrics = disk / "store.db", bench.folder / "lost.prom"
    run = bench.live("--append", *store(file), "--metrics", metrics)
    heard = Listener(run)
    run.give(traffic.take(50))
    wait_for_rows(file, 20)
    fill(disk)
    run.give(traffic.take(400))
    heard.wait_for("records wait for it")
    code, said = heard.end()
    found = len(numbers(file))
    told = [re.search(r"(\d+) records were lost$", line) for line in said if line.endswith("records were lost")]
    page = metrics.read_text()
    bench.tap.check(told and metric(page, "lost_total") == int(told[0][1]) and metric(page, "away") == 1,
                    "lost: metrics say how many", [line for line in page.splitlines() if "mailtap_store" in line and line[0] != "#"])  # fmt: skip
    bench.tap.check(code == 1 and len(told) == 1, "lost: it is told at the end", [str(code), *said])
    bench.tap.check(found < traffic.count and is_whole(file), "lost: the database is whole", [f"{found} of {traffic.count}"])


def spool_full(bench):
    """The disk of a spool fills while no server is there: each line of the logs waits there, or is counted as lost."""
    spool, metrics = bench.disk("spool", "300k") / "spool", bench.folder / "spooled.prom"
    captures, lines = sorted(program.PCAPS.glob("attack-*.pcap")), 0
    for name, some in (("few", captures[:3]), ("many", captures)):  # what few leave there waits whatever many do
        logs = bench.folder / name
        done = bench.run("-q", "-r", *some, "-w", logs, "--metrics", metrics, "--sensor", "tap", "--store", "clickhouse",
                         "--store-url", "http://127.0.0.1:1/mailtap", "--store-spool", spool)  # fmt: skip
        lines += sum(len(program.json_lines(path.read_bytes())) for path in logs.glob("*.jsonl"))
    batches = [path.stem.rsplit("-", 1) for path in spool.glob("*.gz")]
    waiting, gone = sum(int(rows) for _, rows in batches), metric(metrics.read_text(), "lost_total")
    bench.tap.check(done.returncode == 1 and waiting > 0 < gone and waiting + gone == lines, "spool: what has no room is counted",
                    [f"{waiting} wait, {gone} lost, {lines} lines", program.text(done.stderr).strip()])  # fmt: skip


# --- somebody else -----------------------------------------------------------------------------------------


def removed(bench):
    folder = bench.folder / "removed"
    folder.mkdir()
    file, traffic = folder / "store.db", Traffic()
    run = bench.live("--append", *store(file))
    heard = Listener(run)
    run.give(traffic.take(20))
    wait_for_rows(file, 10)
    had = set(numbers(file))
    for path in folder.iterdir():
        path.unlink()
    run.give(traffic.take(20))
    heard.wait_for("it was removed or moved away, and is begun anew")
    code, said = heard.end()
    found = set(numbers(file))
    bench.tap.check(code == 0 and found | had == set(range(40)), "removed: it is begun anew, nothing is lost",
                    [str(code), *said, str(sorted(found))])  # fmt: skip


def locked(bench):
    """Another program writes for longer than is waited for."""
    folder = bench.folder / "locked"
    folder.mkdir()
    file, traffic = folder / "store.db", Traffic()
    run = bench.live("--append", *store(file))
    heard = Listener(run)
    run.give(traffic.take(20))
    wait_for_rows(file, 10)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run.give(traffic.take(20))
    heard.wait_for("database is locked")
    other.execute("COMMIT")
    other.close()
    heard.wait_for("records can be stored again")
    code, said = heard.end()
    bench.tap.check(code == 0 and numbers(file) == list(range(40)), "locked: nothing is lost", [str(code), *said])


def watched(bench):
    """Who looks at a run sees that its store is away, and what got there in the end."""
    folder, metrics, traffic = bench.folder / "watched", bench.folder / "watched.prom", Traffic()
    folder.mkdir()
    with Service(bench.mailtap, "-q", "--append", *store(folder / "store.db"), "--metrics", metrics) as service:
        def state():
            answer = service.get("/live.json")
            return json.loads(answer.body)["store"] if answer.code == 200 else {"stored": 0}  # not begun yet

        service.feed(cf.pcap_header(cf.LINK_ETHERNET) + traffic.take(30))
        service.until(lambda: state()["stored"] >= 20)
        well = state()
        folder.rename(bench.folder / "elsewhere")
        service.feed(traffic.take(30))
        service.until(lambda: state()["away"])
        page = program.text(service.get("/").body)
        bench.tap.check(well["kind"] == "sqlite" and not well["away"] and "the store is away" in page
                        and metric(program.text(service.get("/metrics").body), "away") == 1, "watched: it is shown", [str(well)])  # fmt: skip
        (bench.folder / "elsewhere").rename(folder)
        code = service.end()
    found, page = numbers(folder / "store.db"), metrics.read_text()
    bench.tap.check(code == 0 and found == list(range(60)), "watched: nothing is lost", [str(code), str(len(found))])
    shown = re.search(r'mailtap_store_records_total{table="sessions"} (\d+)', page)
    bench.tap.check(shown and int(shown[1]) == 60 and metric(page, "away") == metric(page, "lost_total") == 0,
                    "watched: the last page of metrics has all of it", [str(shown)])  # fmt: skip


def two_writers(bench):
    """Two taps store in one database, and somebody reads it meanwhile."""
    file = bench.folder / "two.db"
    runs = [bench.live("--append", "--sensor", name, *store(file)) for name in ("east", "west")]
    traffic = [Traffic(), Traffic()]
    for _ in range(5):
        for run, sessions in zip(runs, traffic):
            run.give(sessions.take(20))
        wait_for(lambda: numbers(file), "rows while both write")
    ends = [run.end() for run in runs]
    counted = ask(file, "SELECT sensor, count(*) FROM sessions GROUP BY sensor ORDER BY sensor")
    bench.tap.check([code for code, _ in ends] == [0, 0] and not any(said for _, said in ends), "two: both end well", map(str, ends))
    bench.tap.check(counted == [("east", 100), ("west", 100)] and is_whole(file), "two: all of both, the same ones once",
                    map(str, counted))  # fmt: skip


# --- what it finds -----------------------------------------------------------------------------------------


def one_run(bench, file):
    return bench.run("-q", "-r", program.PCAPS / "smtp-cleartext-postfix-swaks.pcap", *store(file))


def damaged(bench):
    folder = bench.folder / "damaged"
    folder.mkdir()
    file = folder / "store.db"
    run = bench.live("--append", *store(file))
    run.give(Traffic().take(300))
    run.end()
    data = bytearray(file.read_bytes())
    data[8192:-4096] = b"\xa5" * (len(data) - 12288)
    file.write_bytes(data)
    done = one_run(bench, file)
    said = program.text(done.stderr)
    aside = [path for path in folder.glob("store.db.damaged-*") if path.name.endswith("Z")]
    bench.tap.check(done.returncode == 0 and "is damaged, was put aside as" in said, "damaged: it is told", [said])
    bench.tap.check(len(aside) == 1 and aside[0].read_bytes() == data, "damaged: it is put aside as it was", map(str, aside))
    bench.tap.check(is_whole(file) and len(numbers(file)) == 1, "damaged: another one is begun")


def not_ours(bench):
    folder = bench.folder / "others"
    folder.mkdir()
    text, other, newer = folder / "text", folder / "other.db", folder / "newer.db"
    text.write_text("no database\n" * 100)
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE sessions(a)")
    database.commit()
    database.close()
    one_run(bench, newer)
    database = sqlite3.connect(newer)
    database.execute("PRAGMA user_version = 99")
    database.close()
    for file, why in ((text, "is no database"), (other, "of another program"), (newer, "of a newer mailtap")):
        before = file.read_bytes()
        done = one_run(bench, file)
        said = program.text(done.stderr)
        bench.tap.check(done.returncode == 1 and why in said, f"{file.name}: refused", [said])
        bench.tap.check(file.read_bytes() == before, f"{file.name}: left as it is")
        done = bench.run("query", "--store-file", file, "verdicts")
        bench.tap.check(done.returncode == 1 and len(done.stderr.splitlines()) == 1, f"{file.name}: not asked", [program.text(done.stderr)])


NAMES = ("domains", "lookups", "messages")


def names_run(bench, file, *arguments):
    """What DNS and the headers of mail say, stored."""
    captures = [program.PCAPS / f"{name}.pcap" for name in ("dns-lookups-postfix-postfix", "headers-dkim-opendkim-opendkim")]
    return bench.run("-q", "--dns", "--mail-headers", "-r", *captures, *store(file), *arguments)


def older(bench):
    """A column or a table that came later is added; what is there is null in it. Views are made anew."""
    file = bench.folder / "older.db"
    one_run(bench, file)
    database = sqlite3.connect(file)
    views = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    for name in views:
        database.execute(f"DROP VIEW {name}")
    database.execute("ALTER TABLE sessions DROP COLUMN verdict")
    for name in NAMES:
        database.execute(f"DROP TABLE {name}")
    database.execute("CREATE VIEW verdicts AS SELECT 1 AS old")
    database.commit()
    database.close()
    done = bench.run("-q", "-r", program.PCAPS / "smtp-starttls-tls13-postfix-swaks.pcap", *store(file))
    found = ask(file, "SELECT verdict, sessions FROM verdicts ORDER BY verdict")
    bench.tap.check(done.returncode == 0 and found == [(None, 1), ("encrypted", 1)], "older: it gets the column and the views",
                    [program.text(done.stderr), str(found)])  # fmt: skip
    after = [name for (name,) in ask(file, "SELECT name FROM sqlite_schema WHERE type = 'view'")]
    bench.tap.check(sorted(after) == sorted(views), "older: all views are there again")
    done = names_run(bench, file)
    rows = [len(ask(file, f"SELECT 1 FROM {name}")) for name in NAMES]
    bench.tap.check(done.returncode == 0 and all(rows), "older: and tables that came later", [program.text(done.stderr), str(rows)])


# --- retention ---------------------------------------------------------------------------------------------


def too_old(bench):
    """Records of more than two days ago leave, to the minute; certificates that others name stay."""
    file, metrics = bench.folder / "old.db", bench.folder / "old.prom"
    traffic, old, edge, now = Traffic(), Traffic(), Traffic(), time.time_ns()
    traffic.start = now - 200 * 60 * SECOND
    old.start = traffic.start - 30 * DAY * SECOND
    edge.start = now - (2 * DAY + 50 * 60) * SECOND  # a session a minute
    run = bench.live(*store(file))
    run.give(old.take(100))
    run.give(edge.take(100, certificates=False))
    run.end()
    before = len(ask(file, "SELECT 1 FROM sessions"))
    certificates = len(ask(file, "SELECT 1 FROM certificates"))
    run = bench.live(*store(file), "--store-keep", "2", "--metrics", metrics)
    run.give(traffic.take(100, certificates=False))
    run.end()
    minutes = (time.time_ns() - now) // (60 * SECOND) + 1  # that it took
    day_ago = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // SECOND - DAY))
    left = [port - FIRST_PORT for (port,) in ask(file, f"SELECT client_port FROM sessions WHERE start < '{day_ago}' ORDER BY start")]
    bench.tap.check(before == 200 and left and 50 <= left[0] <= 50 + minutes and left == list(range(left[0], 100)),
                    "old: what is older is removed, and nothing else", [str(before), str(left)])  # fmt: skip
    bench.tap.check(len(numbers(file)) == len(left) + 100, "old: what comes is there")
    removed = re.search(r'mailtap_store_removed_total\{table="sessions"\} (\d+)', metrics.read_text())
    bench.tap.check(removed and int(removed[1]) == 200 - len(left), "old: metrics say how many", [str(removed)])
    gone = len(ask(file, "SELECT 1 FROM certificates"))
    bench.tap.check(certificates > gone == 0, "old: and certificates that nothing names any more", [f"{certificates}, {gone}"])


def too_much(bench):
    """The oldest records leave where the database is too large, and the file becomes smaller."""
    file = bench.folder / "large.db"
    traffic = Traffic()
    run = bench.live("--interval", "0", *store(file))
    run.give(traffic.take(5000, certificates=False))
    run.end()
    before = file.stat().st_size
    run = bench.live("--interval", "0", *store(file), "--store-size", "1M")
    run.give(traffic.take(1, certificates=False))
    code, said = run.end()
    found, size = numbers(file), file.stat().st_size
    bench.tap.check(before > 2 << 20 and size <= 1 << 20, "large: it is made smaller", [f"{before}, then {size}", *said])
    bench.tap.check(code == 0 and 500 < len(found) < 5000 and found == list(range(found[0], 5001)), "large: the latest stay",
                    [f"{len(found)} from {found[0]} to {found[-1]}"])  # fmt: skip
    bench.tap.check(is_whole(file), "large: the database is whole")


def few_and_large(bench):
    """Few sessions may take much room, too."""
    file, large = bench.folder / "few.db", "x" * 60000
    one_run(bench, file)
    database = sqlite3.connect(file)
    (columns,) = database.execute("SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('sessions')"
                                  " WHERE name NOT IN ('start', 'session_id', 'server_banner')").fetchone()  # fmt: skip
    database.execute(f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
        INSERT INTO sessions({columns}, "start", session_id, server_banner)
        SELECT {columns}, strftime('%Y-%m-%dT%H:%M:%S.000000000Z', "start", '+' || i || ' seconds'), 'n' || i, ? FROM sessions, n""", [large])
    database.commit()
    database.close()
    before = file.stat().st_size
    run = bench.live("--interval", "0", *store(file), "--store-size", "1M")
    run.give(Traffic().take(1, certificates=False))
    run.end()
    left = [name for (name,) in ask(file, "SELECT session_id FROM sessions WHERE length(server_banner) = 60000 ORDER BY start")]
    bench.tap.check(before > 4 << 20 and file.stat().st_size <= 1 << 20 and 5 < len(left) < 20 and left[-1] == "n90",
                    "few: it is made smaller", [f"{before}, then {file.stat().st_size}", str(left)])  # fmt: skip


def multiply(file):
    """The names of a store, 2000 times a minute apart and the last of them now, and nothing else."""
    database = sqlite3.connect(file)
    for name, time_of in zip(NAMES, ("last_seen", "start", "time")):
        (columns,) = database.execute(f"""SELECT group_concat('"' || name || '"') FROM pragma_table_info('{name}')
            WHERE name NOT IN ('{time_of}', 'sensor')""").fetchone()
        database.execute(f"""WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
            INSERT INTO {name}({columns}, "{time_of}", sensor)
            SELECT {columns}, strftime('%Y-%m-%dT%H:%M:%S.000000000Z', 'now', '-' || i || ' minutes'), 'n' || i FROM {name}, n""")
        database.execute(f"DELETE FROM {name} WHERE sensor IS NULL")
    for name in ("sessions", "alerts", "statistics", "certificates"):
        database.execute(f"DELETE FROM {name}")
    database.commit()
    database.close()


def names_alone(bench):
    """What DNS and headers say has the same bounds, also where there is nothing else."""
    file, again = bench.folder / "names.db", bench.folder / "names-again.db"
    names_run(bench, file)
    multiply(file)
    shutil.copy(file, again)
    before = file.stat().st_size
    run = bench.live("--interval", "0", *store(file), "--store-size", "1M")
    run.end()
    left = {name: [int(sensor[1:]) for (sensor,) in ask(file, f"SELECT DISTINCT sensor FROM {name}")] for name in NAMES}
    bench.tap.check(before > 4 << 20 and file.stat().st_size <= 1 << 20, "names: the store is made smaller", [f"{before}, then {file.stat().st_size}"])
    bench.tap.check(all(0 in kept and max(kept) < 1900 and len(kept) == max(kept) + 1 for kept in left.values()), "names: the latest stay",
                    [f"{name}: {len(kept)}, up to {max(kept, default=None)}" for name, kept in left.items()])  # fmt: skip
    run = bench.live("--interval", "0", *store(again), "--store-keep", "1")
    run.end()
    oldest = {name: max(int(sensor[1:]) for (sensor,) in ask(again, f"SELECT sensor FROM {name}")) for name in NAMES}
    bench.tap.check(all(1400 < age <= 1440 for age in oldest.values()), "names: those of more than a day ago leave", [str(oldest)])


def asked_to_reload(bench):
    """Signals for logs and statistics do nothing to the store."""
    file, logs, traffic = bench.folder / "signals.db", bench.folder / "signals", Traffic()
    run = bench.live("--append", "-w", logs, *store(file))
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
        run.give(traffic.take(20))
        wait_for_rows(file, traffic.count - 15)
        run.signal(number)
    run.give(traffic.take(20))
    code, said = run.end()
    kinds = dict(ask(file, "SELECT kind, count(*) FROM statistics GROUP BY kind"))
    bench.tap.check(code == 0 and numbers(file) == list(range(80)), "signals: nothing is lost", [str(code), *said])
    bench.tap.check(kinds.get("so_far") == 1 and kinds.get("run") == 1, "signals: statistics are stored as well", [str(kinds)])


CASES = [killed, full, lost, spool_full, removed, locked, watched, two_writers, damaged, not_ours, older, too_old, too_much, few_and_large,
         names_alone, asked_to_reload]  # fmt: skip


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    why = enter()
    tap = Tap()
    if why:
        tap.skip("stores", why)
        return tap.done()
    folder = Path(tempfile.mkdtemp(prefix="mailtap-store-"))
    try:
        for case in CASES:
            case(Bench(tap, options.mailtap, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
