#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a running tap shows on its page and as JSON: the figures of its logs, its alerts word for word, nothing under a
name that is not its own, and no byte that would do anything to who looks."""

import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import hostile  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402
from lib.watched import SECOND, Watched, strange_traffic, traffic  # noqa: E402

SPAN = {"15m": 900 * SECOND, "1h": 3600 * SECOND, "24h": 86400 * SECOND}
CELL = {"15m": 60 * SECOND, "1h": 300 * SECOND, "24h": 3600 * SECOND}


def nanoseconds(text):
    """A time of JSON, since 1970."""
    import datetime

    head, fraction = re.fullmatch(r"(.*?)(\.[0-9]+)?Z", text).groups()
    whole = datetime.datetime.fromisoformat(head + "+00:00").timestamp()
    return int(whole) * SECOND + int((fraction or ".0")[1:].ljust(9, "0"))


def report(mailtap, logs):
    """name -> rows of the tables of a report on these logs."""
    done = program.run(mailtap, ["report", "--json", "-i", logs])
    return {line["table"]: line["rows"] for line in program.json_lines(done.stdout) if line["table"]}


# --- figures ---------------------------------------------------------------------------------


def of_the_day(tap, mailtap, service):
    """All traffic is of the last day: its tables are those of a report on the logs."""
    live, expected = service.live(), report(mailtap, service.logs)
    different = [name for name, rows in live["tables"].items() if rows != expected[name]]
    tap.check(not different and len(live["tables"]) > 10, f"{len(live['tables'])} tables are a report's", different)
    tap.check(live["servers"] == expected["server_list"][:50] and live["servers"], "and so are the servers")
    count = live["window"]["sessions"]
    tap.check(count == len(service.lines("sessions")) == live["sessions"] > 0, f"all {count} sessions")
    said = service.lines("sessions")
    wrong = [verdict for verdict, number in live["window"]["verdicts"].items()
             if number != sum(line["verdict"] == verdict for line in said)]  # fmt: skip
    tap.check(not wrong, "by verdict", wrong)
    tap.check(live["window"]["capture"] == live["capture"], "what the capture counted is that of the run")
    tap.check(live["window"]["sessions_in_no_table"] == 0, "each session is in the tables")


def of_shorter_windows(tap, service):
    """What is older than a window is not in it, as the intervals of the log have it."""
    intervals = [line for line in service.lines("statistics") if line["kind"] == "interval"]
    whole = service.live()["window"]
    for window, span in SPAN.items():
        live = service.live(window)
        start, end = nanoseconds(live["window"]["start"]), nanoseconds(live["window"]["end"])
        before = [line for line in intervals if nanoseconds(line["end"]) <= start]
        sessions = whole["sessions"] - sum(line["sessions"] for line in before)
        right = live["window"]["sessions"] == sessions and (before or window == "24h")
        tap.check(right, f"{window}: {sessions} sessions", [live["window"]["sessions"], len(before)])
        right = end - start < span + CELL[window] and (end - start >= span or window == "24h")
        tap.check(right, f"{window}: {(end - start) // SECOND} s", [live["window"]["start"], live["window"]["end"]])
        series = live["series"]
        sums = [sum(cell[key] for cell in series) == live["window"][key] for key in ("sessions", "packets", "bytes")]
        steps = [nanoseconds(one["end"]) <= nanoseconds(next["start"]) for one, next in zip(series, series[1:])]
        tap.check(all(sums) and all(steps) and len(series) > 1, f"{window}: a series of {len(series)}", [sums, steps])


def alerts(tap, service):
    """Each line of the log, the newest first, before its block is full."""
    written, live = service.lines("alerts"), service.live()
    tap.check(live["alerts"] == written[::-1][:200] and len(written) > 3, f"the {len(written)} alerts of the log")
    stands_for = sum(line["left_out"] + ("client_port" not in line or line["client_port"] is not None) for line in written)
    tap.check(live["alerts_count"] == stands_for, f"which stand for {stands_for}", [live["alerts_count"]])
    page = service.page()
    kinds = {line["kind"] for line in written}
    tap.check(service.get("/").headers["content-type"] == "text/html; charset=utf-8", "a page of HTML")
    tap.check("mailtap live" in page and page.rstrip().endswith("</html>"), "which is whole")
    tap.check(all(kind in page for kind in kinds), f"and names {', '.join(sorted(kinds))}")


def state(tap, service):
    live = service.live()
    tap.check(live["stage"] == "reading" and live["sensor"] == "tap-1", "stage and sensor", [live["stage"]])
    tap.check(len(live["workers"]) == 2, "two workers", live["workers"])
    segments = sum(worker["segments"] for worker in live["workers"])
    tap.check(segments == live["capture"]["segments_tracked"], f"which followed {segments} segments")
    memory = live["memory"]
    right = 0 < memory["connections_in_use"] <= memory["connections_reserved"] <= memory["connections_limit"] == 1 << 26
    tap.check(right and memory["resident"] > 1 << 20, "memory", [memory])


def figures(tap, mailtap, pcaps):
    with tempfile.TemporaryDirectory() as folder:
        options = ("--sensor", "tap-1", "--workers", "2", "--memory", "64M")
        with Watched(mailtap, folder, *options) as service:
            packets = traffic(pcaps, 20)
            half = len(packets) // 2
            service.packets(packets[:half])
            before = service.live("15m")["window"]
            service.packets(packets[half:])
            after = service.live("15m")["window"]
            tap.check(after["start"] > before["start"], "the window moves", [before["start"], after["start"]])
            of_the_day(tap, mailtap, service)
            of_shorter_windows(tap, service)
            alerts(tap, service)
            state(tap, service)
            tap.check(service.end() == 0, "it ends as ever", [program.text(service.said).strip()])


def anonymised(tap, mailtap, pcaps):
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "key"
        key.write_bytes(bytes(range(32)))
        key.chmod(0o600)
        with Watched(mailtap, folder, "--anonymise", key) as service:
            service.packets(traffic(pcaps, 2))
            live = service.live()
            real = re.compile(r"\b(192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]")
            tap.check(live["alerts"] == service.lines("alerts")[::-1] and live["alerts"], "anonymised alerts are the log's")
            tap.check(live["anonymised"] is True, "it says so")
            for name, text in {"JSON": json.dumps(live), "page": service.page()}.items():
                found = real.search(text)
                tap.check(not found, f"no real address in the {name}", [found and text[found.start() - 40 : found.end()]])


# --- requests --------------------------------------------------------------------------------

OWN = ["{}", "127.0.0.1", "127.0.0.1:80", "localhost", "LocalHost:{port}", "[::1]:{port}", "192.0.2.7:9479",
       "tap.example.org", "TAP.example.org:9479", "b.example"]  # fmt: skip
STRANGE = ["attacker.example", "attacker.example:{port}", "localhost.attacker.example", "127.0.0.1.attacker.example",
           "127.0.0.1:80:80", "tap.example.org.", "example.org", "[::1", "[x]", "a,b.example", "127.1", "0x7f000001",
           "127.0.0.1:8a", "b.exampl", "tap.example.org,b.example"]  # fmt: skip


def names(tap, mailtap, folder):
    with Watched(mailtap, folder, "--listen-name", "tap.example.org,b.example") as service:
        for hosts, code in ((OWN, 200), (STRANGE, 421)):
            for host in hosts:
                host = host.replace("{port}", str(service.port)).replace("{}", service.name)
                found = [service.get(path, host=host) for path in ("/", "/live.json", "/live.json?window=2h")]
                codes = [answer.code for answer in found]
                right = codes == ([200, 200, 400] if code == 200 else [421] * 3)
                tap.check(right, f"{code} for \"{host}\"", codes)
                if code == 421:
                    clear = all(b"--listen-name" in answer.body and len(answer.body) < 200 for answer in found)
                    tap.check(clear, "which says what to do", [found[0].body])
        codes = [service.get(path, host=STRANGE[0]).code for path in ("/metrics", "/healthz")]
        tap.check(codes == [200, 200], "who collects metrics may call it as ever", codes)
        old = service.exchange(b"GET /live.json HTTP/1.0\r\n\r\n")
        tap.check(old.startswith(b"HTTP/1.1 200") or old.startswith(b"HTTP/1.0 200"), "HTTP/1.0 names nobody", [old[:40]])


def requests(tap, mailtap):
    with tempfile.TemporaryDirectory() as folder:
        names(tap, mailtap, folder)
    with tempfile.TemporaryDirectory() as folder, Watched(mailtap, folder) as service:
        page = service.get("/")
        policy = page.headers["content-security-policy"]
        directives = dict(one.strip().split(" ", 1) for one in policy.split(";"))
        right = directives["default-src"] == "'none'" and directives["frame-ancestors"] == "'none'"
        right = right and "unsafe" not in policy and directives["connect-src"] == "'self'"
        right = right and re.fullmatch(r"('sha256-[A-Za-z0-9+/=]{44}' ?)+", directives["script-src"])
        tap.check(right and "*" not in policy, "a strict policy", [policy])
        for query in ("?window=", "?window=15", "?window=15m%20", "?window=24h&window=x", "?window"):
            codes = [service.get(path + query).code for path in ("/", "/live.json")]
            tap.check(codes in ([400, 400], [200, 200]), f"{query}: {codes}")
        tap.check(service.get("/live.json?window=x").code == 400, "no window of that name")
        for path in ("/", "/live.json"):
            head, full = service.get(path, "HEAD"), service.get(path)
            tap.check(head.code == full.code == 200 and not head.body and full.whole(), f"GET and HEAD {path}")
            tap.check(service.get(path, "POST").code == 405, f"no POST {path}")
        empty = service.live()
        tap.check(empty["window"]["start"] is None and empty["now"] is None, "before the first packet nothing is known")


# --- hostile bytes ---------------------------------------------------------------------------


def hostile_bytes(tap, mailtap, pcaps):
    """What tests/cli/hostile.py has wherever somebody can say something."""
    with tempfile.TemporaryDirectory() as folder, Watched(mailtap, folder) as service:
        service.packets(strange_traffic(pcaps))
        for name, data in {"page": service.get("/").body, "JSON": service.get("/live.json").body,
                           "top": program.run(mailtap, ["top", "--once", "--connect", str(service.port)]).stdout}.items():  # fmt: skip
            found = [mark for mark in hostile.MARKS if mark in data]
            tap.check(not found and len(data) > 1000, f"nothing in the {name} moves a cursor or turns text", found)
        page = service.page()
        tap.check("<img" not in page and "<script>alert" not in page, "and no markup in the page is a stranger's")
        tap.check(service.live()["sessions"] > 40, "of all these sessions")


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    figures(tap, options.mailtap, options.pcaps)
    anonymised(tap, options.mailtap, options.pcaps)
    requests(tap, options.mailtap)
    hostile_bytes(tap, options.mailtap, options.pcaps)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
