#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Statistics: what a run says, what `mailtap report` makes of its logs, and what figures.py computes from
the same records are the same; intervals add up; hostile and damaged logs stay harmless."""

import csv
import io
import json
import re
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import figures  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import mmdb, openmetrics, program  # noqa: E402
from lib.conversation import START, Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

SECOND = 1_000_000_000
WIDTH = 100  # of what people read
RESULT_TYPES = {  # RFC 8460 4.3
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
    "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
    "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid",
}  # fmt: skip


class Bench:
    """Where to report, what to run, where to write."""

    def __init__(self, tap, mailtap, folder):
        self.tap, self.mailtap, self.folder = tap, mailtap, folder

    def run(self, *arguments, code=0):
        done = program.run(self.mailtap, arguments)
        if done.returncode != code:
            said = program.text(done.stderr)[-1000:]
            raise program.RunError(f"{arguments}: exit code {done.returncode}: {said}")
        return done

    def report(self, *arguments, code=0):
        return self.run("report", *arguments, code=code)

    def path(self, name):
        return self.folder / name


# --- reading what was written ----------------------------------------------------------------


def read_csv(path):
    """Header and rows; RFC 4180 throughout: CRLF, and as many cells in each line."""
    data = path.read_bytes()
    if data.count(b"\n") != data.count(b"\r\n"):
        raise program.RunError(f"{path.name}: a line ends without CR LF")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    if {len(row) for row in rows} != {len(rows[0])}:
        raise program.RunError(f"{path.name}: lines of different lengths")
    return rows[0], [tuple(row) for row in rows[1:]]


def folder_files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def report_tables(done):
    lines = program.json_lines(done.stdout)
    return lines[0], {line["table"]: line for line in lines[1:]}


def sessions_of(folder):
    return program.json_lines((folder / "sessions.jsonl").read_bytes())


def write_log(folder, records):
    folder.mkdir(exist_ok=True)
    (folder / "sessions.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))


def difference(expected, found):
    lines = [f"missing {row}" for row in sorted(expected - found)[:5]]
    return lines + [f"instead {row}" for row in sorted(found - expected)[:5]]


def compare_with_figures(bench, name, records, csv_folder):
    """Every table's CSV against figures.py, row by row, each row once."""
    for table, compute in figures.TABLES.items():
        rows = read_csv(csv_folder / f"{table}.csv")[1]
        expected = compute(records)
        wrong = difference(expected, set(rows))
        if len(rows) != len(set(rows)):
            wrong.append("a row stands there twice")
        bench.tap.check(not wrong, f"{name}: {table} is what the records say ({len(rows)} rows)", wrong)


# --- the captures ----------------------------------------------------------------------------


def run_all(bench, captures):
    """One run over all captures, with everything that statistics can write."""
    logs = bench.path("logs")
    bench.run("-q", "-r", *captures, "-w", logs, "--sensor", "one", *program.TRUST, "--csv",
              bench.path("run-csv"), "--metrics", bench.path("run.prom"), "--tls-rpt",
              bench.path("run-rpt"))  # fmt: skip
    return logs


def metric_of(line):
    """The family that a line of metrics is of."""
    name = line.split()[2] if line.startswith(b"# ") and line != b"# EOF" else re.split(rb"[{ ]", line)[0]
    return name.decode().removesuffix("_total")


def same_as_run(bench, logs):
    done = bench.report("-i", logs, "--json", "--csv", bench.path("csv"), "--metrics",
                        bench.path("report.prom"), "--tls-rpt", bench.path("rpt"))  # fmt: skip
    bench.tap.check(not done.stderr, "the report has nothing to say of the run's own log",
                    program.text(done.stderr).splitlines())  # fmt: skip
    for name, one, other in (("CSV", "run-csv", "csv"), ("TLS reports", "run-rpt", "rpt")):
        one, other = folder_files(bench.path(one)), folder_files(bench.path(other))
        wrong = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
        bench.tap.check(bool(one) and not wrong, f"{name} of the run and of the report are the same", wrong)
    # The run's page has besides how that run went.
    run, report = (bench.path(name).read_bytes().splitlines() for name in ("run.prom", "report.prom"))
    families = openmetrics.parse(bench.path("report.prom").read_bytes())[1]
    own = [line for line in run if metric_of(line) not in families and line != b"# EOF"]
    same = [line for line in run if line not in own] == report
    bench.tap.check(same and own, "metrics of the run and of the report are the same")
    head, tables = report_tables(done)
    last = program.json_lines((logs / "statistics.jsonl").read_bytes())[-1]
    wrong = [name for name, rows in last["tables"].items() if rows != tables[name]["rows"]]
    wrong += [] if last["capture"] == head["capture"] and last["kind"] == "run" else ["capture"]
    bench.tap.check(len(last["tables"]) > 10 and not wrong, "statistics.jsonl's last line says the same", wrong)


def readable(bench, logs):
    text = program.text(bench.report("-i", logs, "--all").stdout)
    long = [line for line in text.splitlines() if len(line) > WIDTH]
    bench.tap.check(not long, f"the report fits into {WIDTH} columns", long)
    blank = [line for line in text.splitlines() if line != line.rstrip()]
    bench.tap.check(not blank, "no line of it ends in blanks", blank[:3])
    short = bench.report("-i", logs).stdout
    more = re.findall(r"… and (\d+) more", program.text(short))
    left = len(text.splitlines()) - len(program.text(short).splitlines())
    bench.tap.check(bool(more) and left == sum(map(int, more)) - len(more), "what --all adds is what was left out")


def several_sensors(bench, captures):
    """Two taps' logs together give what one tap that saw all of it gives."""
    half = len(captures) // 2
    for name, part in (("a", captures[:half]), ("b", captures[half:])):
        bench.run("-q", "-r", *part, "-w", bench.path(name), "--sensor", name, *program.TRUST)
    records = sessions_of(bench.path("a")) + sessions_of(bench.path("b"))
    done = bench.report("-i", bench.path("a"), bench.path("b"), "--json", "--csv", bench.path("ab"))
    compare_with_figures(bench, "two sensors", records, bench.path("ab"))
    runs = [program.json_lines((bench.path(n) / "statistics.jsonl").read_bytes())[-1] for n in "ab"]
    total = {key: sum(run["capture"][key] for run in runs) for key in runs[0]["capture"]}
    head = report_tables(done)[0]
    bench.tap.check(head["capture"] == total and head["logs"] == 2, "their captures are added up")


# --- evidence --------------------------------------------------------------------------------


def with_evidence(records):
    """Some of the records as they would be with evidence: nothing in the captures has any."""
    kinds = ["capability_removed", "capability_garbled", "command_garbled", "banner_garbled"]
    changed, number = [], 0
    for record in records:
        record = dict(record)
        if record["verdict"] == "cleartext":
            number += 1
            if number % 3 == 0:
                record["verdict"], record["reason"] = "stripped", None
            if number % 3 != 1:
                pieces = [{"kind": kinds[number % 4], "confidence": "probable", "fact": 1}]
                pieces += [{"kind": kinds[number % 4], "confidence": "suspected"}]
                pieces += [{"kind": "injected_segment", "confidence": "confirmed"}] * (number % 2)
                record["evidence"] = pieces
                record["client_ip"] = f"192.0.2.{number}" if number % 4 else f"203.0.113.{number}"
        changed.append(record)
    return changed


def evidence(bench, records):
    records = with_evidence(records)
    write_log(bench.path("evidence"), records)
    done = bench.report("-i", bench.path("evidence"), "--csv", bench.path("evidence-csv"))
    compare_with_figures(bench, "evidence", records, bench.path("evidence-csv"))
    rows = [len(read_csv(bench.path("evidence-csv") / f"{name}.csv")[1]) for name in ("evidence", "paths")]
    bench.tap.check(min(rows) > 3, f"there are rows of evidence and paths ({rows})")
    wide = [line for line in program.text(done.stdout).splitlines() if len(line) > WIDTH]
    bench.tap.check(not wide, f"evidence and paths fit into {WIDTH} columns", wide)


# --- tables of addresses -----------------------------------------------------------------------


def networks(bench, captures):
    asn, country = bench.path("asn.mmdb"), bench.path("country.mmdb")
    hostile = "=cmd|' /C calc'!A0\x1b[2J\"\n,"
    numbers = {"192.0.2.0/24": 64500, "203.0.113.0/24": 64501, "2001:db8::/32": 4200000000}
    mmdb.write(asn, "GeoLite2-ASN", {
        network: {"autonomous_system_number": number, "autonomous_system_organization": hostile}
        for network, number in numbers.items()
    })  # fmt: skip
    mmdb.write(country, "GeoLite2-Country", {
        "192.0.2.0/24": {"country": {"iso_code": "AT"}}, "2001:db8::/32": {"country": {"iso_code": "JP"}},
    })  # fmt: skip
    logs = bench.path("places")
    databases = ["--asn-db", asn, "--country-db", country]
    bench.run("-q", "-r", *captures, "-w", logs, *program.TRUST, "--csv", bench.path("places-run"), *databases)
    text = bench.report("-i", logs, "--csv", bench.path("places-csv"), "--metrics",
                        bench.path("places.prom"), *databases).stdout  # fmt: skip
    same = folder_files(bench.path("places-run")) == folder_files(bench.path("places-csv"))
    bench.tap.check(same, "networks and countries: run and report are the same")
    records = sessions_of(logs)
    _compare_places(bench, records, numbers)
    escapes = [c for c in program.text(text) if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]
    bench.tap.check(not escapes, "a hostile network's name moves no terminal")
    cells = {row[2] for row in read_csv(bench.path("places-csv") / "networks.csv")[1]}
    good = len(cells) == 1 and next(iter(cells)).startswith("'=cmd") and "\n" not in next(iter(cells))
    bench.tap.check(good, "a hostile network's name is no formula in CSV", cells)
    samples = openmetrics.parse(bench.path("places.prom").read_bytes())[0]
    labels = {dict(labels).get("network") for name, labels in samples if "networks" in name}
    bench.tap.check(any("\\x1b" in label for label in labels if label), "nor does it break a label", labels)


def _compare_places(bench, records, numbers):
    addresses = {}
    for record in records:
        for side in ("client_ip", "server_ip"):
            ip = figures.ipaddress.ip_address(record[side])
            for network, number in numbers.items():
                if ip in figures.ipaddress.ip_network(network):
                    addresses[record[side]] = number
    expected = figures.Counter(
        (side, str(addresses[record[f"{side}_ip"]]))
        for record in records for side in ("client", "server") if record[f"{side}_ip"] in addresses
    )  # fmt: skip
    rows = read_csv(bench.path("places-csv") / "networks.csv")[1]
    found = {(row[0], row[1]): int(row[3]) for row in rows}
    bench.tap.check(found == expected and len(found) > 3, "sessions by network", [found, expected])
    rows = read_csv(bench.path("places-csv") / "countries.csv")[1]
    found = {row[0] + row[1]: int(row[2]) for row in rows}
    wanted = {
        side + code: sum(figures.network(r[f"{side}_ip"]) == "192.0.2.0/24" if code == "AT"
                         else ":" in r[f"{side}_ip"] and r[f"{side}_ip"].startswith("2001:db8:") for r in records)
        for side in ("client", "server") for code in ("AT", "JP")
    }  # fmt: skip
    wanted = {place: count for place, count in wanted.items() if count}
    bench.tap.check(found == wanted, "sessions by country", [found, wanted])
    for table in ("operator_pairs", "operators"):
        rows = set(read_csv(bench.path("places-csv") / f"{table}.csv")[1])
        wrong = difference(figures.TABLES[table](records, addresses), rows)
        bench.tap.check(not wrong, f"{table}: a network stands for an operator without a name", wrong)


# --- intervals -------------------------------------------------------------------------------


def mail(start, number):
    """A session in the clear of 9 packets in as many milliseconds."""
    talk = Conversation(25, client_port=40000 + number, start=start).open()
    talk.server(b"220 mx.example.org ESMTP\r\n").client(b"EHLO client.example.org\r\n")
    talk.server(b"250-mx.example.org\r\n250 8BITMIME\r\n").client(b"QUIT\r\n")
    return talk.server(b"221 2.0.0 Bye\r\n").close().packets


def intervals(bench):
    begin = START // (60 * SECOND) * 60 * SECOND
    times = [5, 30, 59, 59.995, 60, 61, 130, 100, 7200, 7100, 7201]  # seconds; back, a leap, and back again
    packets = [p for i, second in enumerate(times) for p in mail(begin + int(second * SECOND), i)]
    capture, logs = bench.path("intervals.pcap"), bench.path("intervals")
    cf.write(capture, packets, nano=True)
    for length in (1, 60, 3600):
        bench.run("-q", "-r", capture, "-w", logs, "--interval", str(length), "--metrics", bench.path("i.prom"))
        lines = program.json_lines((logs / "statistics.jsonl").read_bytes())
        *parts, run = lines
        kinds = [line["kind"] for line in lines]
        bench.tap.check(kinds == ["interval"] * len(parts) + ["run"], f"--interval {length}: kinds of lines", kinds)
        wrong = [key for key in run["capture"]
                 if sum(part["capture"][key] for part in parts) != run["capture"][key]]  # fmt: skip
        wrong += [] if sum(part["sessions"] for part in parts) == run["sessions"] == len(times) else ["sessions"]
        bench.tap.check(not wrong, f"--interval {length}: the intervals add up to the run", wrong)
        expected, found = _expected_intervals(packets, length), _intervals(lines)
        bench.tap.check(expected == found, f"--interval {length}: packets fall into theirs", [expected, found])
        openmetrics.parse(bench.path("i.prom").read_bytes())
    bench.run("-q", "-r", capture, "-w", bench.path("none"), "--interval", "0")
    alone = program.json_lines((bench.path("none") / "statistics.jsonl").read_bytes())
    bench.tap.check(alone == [run], "--interval 0: only the run, and it is the same", [str(len(alone))])
    complete = [part["complete"] for part in parts]
    bench.tap.check(complete == [False] * len(complete), "the first and the last interval are not complete")
    counts = [line["tables"]["sessions"] and line["tables"]["sessions"][0]["count"] for line in lines]
    bench.tap.check(sum(c or 0 for c in counts[:-1]) == counts[-1], "and so do their tables", counts)


def _expected_intervals(packets, length):
    """Packets by interval: time that goes back stays in the open one."""
    found, open_from = {}, None
    for packet in packets:
        start = packet.time // (length * SECOND) * length
        if open_from is None or start > open_from:
            open_from = start
        found[open_from] = found.get(open_from, 0) + 1
    return found


def _intervals(lines):
    def seconds(text):
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())

    return {seconds(line["start"]): line["capture"]["packets_seen"] for line in lines[:-1]}


# --- TLS reports and metrics -------------------------------------------------------------------


def tls_reports(bench, records):
    """RFC 8460 4.4, and the figures by domain."""
    found = {}
    for path in sorted(bench.path("rpt").iterdir()):
        report = json.loads(path.read_bytes())
        wrong = list(schema_faults(report))
        name = report["policies"][0]["policy"]["policy-domain"]
        sender, domain, begin, end = path.name.removesuffix(".json").split("!")
        if domain != name or not begin.isdigit() or not end.isdigit() or sender != "mailtap":
            wrong.append(f"its name: {path.name}")
        said = report["organization-name"] + report["report-id"]
        if "third-party" not in said or "not sent" not in report["contact-info"]:
            wrong.append("it does not say that it is a third party's")
        bench.tap.check(not wrong, f"TLS report for {name}", wrong)
        found[name] = tuple(report["policies"][0]["summary"].values())
    expected = {}
    for record in records:
        name = figures.domain(record["sni"] if figures.host(record["sni"]) else record["server_name"])
        result = tls_result(record)
        if record["hop"] == "relay" and name and result is not None:
            good, bad = expected.get(name, (0, 0))
            expected[name] = (good + result, bad + (not result))
    bench.tap.check(found == expected and len(found) > 1, "their sums", [found, expected])


def tls_result(record):
    """Success, failure or neither."""
    verdict, reason = record["verdict"], record["reason"]
    if verdict == "encrypted":
        return True
    if verdict == "tls_failed" or (verdict == "stripped" and reason is None):
        return False
    if verdict in ("cleartext", "stripped") and reason in ("not_offered", "refused", "tls_failed"):
        return False
    return None


def schema_faults(report):
    """What RFC 8460 demands of a report: fields, their types, sums."""
    for key in ("organization-name", "contact-info", "report-id"):
        if not isinstance(report.get(key), str):
            yield f"{key} is no text"
    dates = report.get("date-range", {})
    if set(dates) != {"start-datetime", "end-datetime"} or any(
        not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", date) for date in dates.values()
    ):
        yield f"date-range: {dates}"
    if not isinstance(report.get("policies"), list) or not report["policies"]:
        yield "no policies"
    for entry in report.get("policies", []):
        yield from policy_faults(entry)
    known = {"organization-name", "date-range", "contact-info", "report-id", "policies"}
    if set(report) != known:
        yield f"fields: {set(report) ^ known}"


def policy_faults(entry):
    policy, summary = entry.get("policy", {}), entry.get("summary", {})
    if policy.get("policy-type") not in ("tlsa", "sts", "no-policy-found"):
        yield f"policy-type: {policy}"
    if not isinstance(policy.get("policy-domain"), str):
        yield "policy-domain is no text"
    counts = ["total-successful-session-count", "total-failure-session-count"]
    if list(summary) != counts or any(type(n) is not int or n < 0 for n in summary.values()):
        yield f"summary: {summary}"
    failed = 0
    for detail in entry.get("failure-details", []):
        if detail.get("result-type") not in RESULT_TYPES:
            yield f"result-type: {detail}"
        for key in ("sending-mta-ip", "receiving-ip"):
            figures.ipaddress.ip_address(detail[key])
        optional = {"receiving-mx-hostname", "receiving-mx-helo", "additional-information"}
        known = {"result-type", "sending-mta-ip", "receiving-ip", "failed-session-count", "failure-reason-code"}
        if set(detail) - optional != known or not isinstance(detail["failure-reason-code"], str):
            yield f"fields: {detail}"
        failed += detail["failed-session-count"]
    if failed != summary.get(counts[1]):
        yield f"details of {failed} failures, a summary of {summary}"


def metrics(bench):
    data = bench.path("report.prom").read_bytes()
    samples, families = openmetrics.parse(data)
    bench.tap.check(len(samples) > 300, f"OpenMetrics: {len(families)} families, {len(samples)} samples")
    header, rows = read_csv(bench.path("csv") / "sessions.csv")
    wrong = []
    for row in rows:
        labels = tuple(sorted(zip(header[:4], row[:4])))
        for column in range(4, 14):
            name = "mailtap_sessions" + ("" if column == 4 else "_" + header[column]) + "_total"
            if samples.get((name, labels)) != int(row[column]):
                wrong.append(f"{name}{labels}: {row[column]}")
    bench.tap.check(not wrong, "metrics and CSV of the sessions are the same", wrong)
    if not bench.tap.needs("promtool"):
        return
    # Its older format does not know that a counter's family is named without _total.
    done = subprocess.run(["promtool", "check", "metrics"], input=data, capture_output=True, check=False)
    said = [line for line in program.text(done.stderr + done.stdout).splitlines()
            if not line.endswith("_total no help text")]  # fmt: skip
    bench.tap.check(done.returncode in (0, 3) and not said, "promtool reads them as node_exporter does", said)
    timed = re.sub(rb"(?m)^([^#].*)$", rb"\1 1700000000", data)
    (bench.folder / "timed.om").write_bytes(timed)
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", bench.path("timed.om"), bench.path("tsdb")]
    done = subprocess.run(command, capture_output=True, check=False)
    said = program.text(done.stderr).splitlines()
    bench.tap.check(done.returncode == 0, "promtool reads them as OpenMetrics", said)


# --- hostile and damaged logs ------------------------------------------------------------------

HOSTILE = [
    "=cmd|' /C calc'!A0", "+1+1", "-2", "@SUM(A1)", "\tx", "\rx", 'a"b', "a,b", "a\nb", "a\r\nb",
    "\x1b]0;owned\x07", "\x1b[2J", "\u202egnp.exe", "\u009b31m", "x\u0000y", "\u2028", "}", "mx.example.org\"} 1",
]  # fmt: skip


def hostile_records(record):
    for number, text in enumerate(HOSTILE):
        yield {
            **record, "client_name": text, "server_name": text, "sni": text, "server_banner": text,
            "auth_mechanism": text, "sensor": text, "server_ip": f"198.51.100.{number}",
            "verdict": "stripped", "evidence": [{"kind": "banner_garbled", "confidence": "suspected"}],
        }  # fmt: skip


def hostile_texts(bench, record):
    records = list(hostile_records(record))
    write_log(bench.path("hostile"), records)
    done = bench.report("-i", bench.path("hostile"), "--all", "--csv", bench.path("hostile-csv"), "--metrics",
                        bench.path("hostile.prom"), "--tls-rpt", bench.path("hostile-rpt"))  # fmt: skip
    shown = program.text(done.stdout + done.stderr)
    bad = {c for c in shown if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2028"}
    bench.tap.check(not bad, "hostile texts move no terminal", [ascii(bad)])
    wrong = []
    for path in sorted(bench.path("hostile-csv").iterdir()):
        header, rows = read_csv(path)
        cells = [cell for row in rows for cell in row]
        wrong += [f"{path.name}: {cell!r}" for cell in cells if cell[:1] in tuple("=+-@\t\r")]
        wrong += [f"{path.name}: {cell!r}" for cell in cells if not cell.isprintable()]
    bench.tap.check(not wrong, "nor are they formulas, or more than a cell, in CSV", wrong)
    mechanisms = read_csv(bench.path("hostile-csv") / "credentials.csv")[1]
    bench.tap.check(len(mechanisms) >= len(HOSTILE) - 1, f"they are there: {len(mechanisms)}", mechanisms)
    samples = openmetrics.parse(bench.path("hostile.prom").read_bytes())[0]
    seen = {dict(labels)["mechanism"] for name, labels in samples if name == "mailtap_credentials_logins_total"}
    bench.tap.check('a"b' in seen and "a,b" in seen and r"a\x0ab" in seen, "nor do they break a label", seen)
    names = [path.name for path in bench.path("hostile-rpt").iterdir()]
    bench.tap.check(names == [], "what is no host name gives no TLS report", names)
    lines = program.json_lines(bench.report("-i", bench.path("hostile"), "--json").stdout)
    bench.tap.check(lines[0]["sessions"] == len(HOSTILE), "nor more than a line of JSON")


def damaged(bench, records):
    whole = [json.dumps(record).encode() for record in records[:20]]
    newer = json.dumps({**records[0], "verdict": "enchanted", "newer_key": [1]}).encode()
    bad = [
        b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'{"verdict":"encrypted"}', b"{" * 5000, b"[" * 100000,
        whole[0].replace(b'"server_port": ', b'"server_port": 999'),
        whole[0].replace(b'"starttls_offered": ', b'"starttls_offered": 1, "x": '),
        json.dumps({**records[0], "client_ip": "192.0.2.256"}).encode(),
        json.dumps({**records[0], "start": "2026-13-45"}).encode(),
        json.dumps({**records[0], "evidence": {"kind": 1}}).encode(),
        b'{"a":"' + b"x" * (2 << 20) + b'"}', b'{"a":1e999999}', bytes(range(1, 10)),
    ]  # fmt: skip
    path = bench.path("damaged.jsonl")
    lines = [line for pair in zip(whole, bad + [b""] * 20) for line in pair] + [newer]
    path.write_bytes(b"\n".join(lines) + b"\n" + whole[0][:200])
    done = bench.report("-i", path, "--json")
    head, tables = report_tables(done)
    said = program.text(done.stderr).splitlines()
    bench.tap.check(head["sessions"] == len(whole) + 1, "damaged lines are passed over, the others counted", head)
    numbers = re.search(r"(\d+) of (\d+) lines .*\((\d+) damaged, (\d+) too long, (\d+) torn", said[0])
    good = len(said) == 2 and numbers and list(map(int, numbers.groups()))[2:] == [len(bad) - 2, 1, 1]
    bench.tap.check(bool(good), "how many of which kind is said in one line", said)
    newer_said = len(said) == 2 and "1 of" in said[1] and "does not know" in said[1]
    bench.tap.check(newer_said, "newer keys and values are said in another", said)
    partial = [row["sessions"] for row in tables["verdicts"]["rows"] if row["verdict"] == "partial"]
    bench.tap.check(bool(partial), "an unknown verdict is no verdict")
    path.write_bytes(whole[0])  # without its end, but whole
    head = report_tables(bench.report("-i", path, "--json"))[0]
    bench.tap.check(head["sessions"] == 1, "a last line that only lacks its end is taken")


def wrong_use(bench, logs):
    for name, arguments, code, mentions in (
        ("no log named", [], 2, "nothing to read"),
        ("an unknown option", ["-i", logs, "--nonsense"], 2, "unknown option"),
        ("a value missing", ["-i"], 2, "report: -i: needs a value; see mailtap report --help"),
        ("given twice", ["-i", logs, "--csv", "a", "--csv", "b"], 2, "twice"),
        ("a log that is not there", ["-i", bench.path("nowhere")], 1, "nowhere"),
        ("no log at all", ["-i", bench.path("run.prom")], 1, "no session records"),
        ("a table that is none", ["-i", logs, "--asn-db", bench.path("run.prom")], 1, "run.prom"),
        ("a directory that cannot be", ["-q", "-i", logs, "--csv", bench.path("run.prom") / "x"], 1, "run.prom"),
        ("metrics that cannot be", ["-q", "-i", logs, "--metrics", "/proc/x"], 1, "/proc/x"),
    ):
        done = program.run(bench.mailtap, ["report", *arguments])
        said = program.text(done.stderr)
        good = done.returncode == code and str(mentions) in said and said.count("\n") == 1
        bench.tap.check(good, f"report: {name}", [f"exit code {done.returncode}", *said.splitlines()])
    with program.reader_gone() as pipe:
        for arguments in (["-i", logs, "--csv", bench.path("gone")], ["-i", logs, "--json"], ["-i", logs, "-o", "-"], ["--help"]):
            done = program.run(bench.mailtap, ["report", *arguments], stdout=pipe)
            bench.tap.check(done.returncode == 0 and not done.stderr, f"report: a reader that has gone: {arguments[-1]}",
                            [f"exit code {done.returncode}", program.text(done.stderr)])  # fmt: skip
    bench.tap.check((bench.path("gone") / "funnel.csv").is_file(), "and what is to be done besides is done")
    with open("/dev/full", "wb") as full:
        for arguments in (["-i", logs], ["-i", logs, "-o", "-"]):
            done = program.run(bench.mailtap, ["report", *arguments], stdout=full)
            bench.tap.check(done.returncode == 1 and b"standard output: cannot" in done.stderr, f"report: a full disk: {arguments[-1]}",
                            [program.text(done.stderr)])  # fmt: skip
    for value in ("x", "-5", "1e3", "", "99999999999"):
        done = program.run(bench.mailtap, ["-r", "x", "--interval", value])
        bench.tap.check(done.returncode == 2, f"--interval {value!r} is refused")
    left = [path.name for path in bench.folder.rglob("*.new")]
    bench.tap.check(not left, "no half-written file is left", left)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    captures = program.captures(options.pcaps)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(tap, options.mailtap, Path(folder))
        logs = run_all(bench, captures)
        records = sessions_of(logs)
        same_as_run(bench, logs)
        compare_with_figures(bench, "all captures", records, bench.path("csv"))
        readable(bench, logs)
        several_sensors(bench, captures)
        evidence(bench, records)
        networks(bench, captures)
        intervals(bench)
        tls_reports(bench, records)
        metrics(bench)
        hostile_texts(bench, next(r for r in records if r["auth_mechanism"] and r["hop"] == "submission"))
        damaged(bench, records)
        wrong_use(bench, logs)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
