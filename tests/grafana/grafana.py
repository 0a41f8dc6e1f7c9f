#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboards of configs/grafana: as Grafana takes them, and every query of them put to the real Prometheus, which
scrapes a real mailtap, and to the real ClickHouse, which a real mailtap has filled: no error, and no empty answer."""

import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import clickhouse as ch  # noqa: E402
from lib import program  # noqa: E402
from lib.prometheus import Prometheus  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.tap import Tap  # noqa: E402

FOLDER = program.ROOT / "configs/grafana"
BOARDS = {"mailtap-prometheus": "prometheus", "mailtap-clickhouse": "grafana-clickhouse-datasource"}
COLUMNS = 24  # of Grafana's grid
TYPES = {"row", "stat", "timeseries", "bargauge", "table"}
UNITS = {"short", "none", "percentunit", "cps", "pps", "bytes", "s"}  # of Grafana's, those that are used
GAP = 60 * 10**9  # nanoseconds between captures that are read as one
FEW = re.compile(r"attack-(remove|race|garble|intercept)|certificate|smtp-cleartext|imap-(cleartext|starttls)|"
                 r"submission|not-mail|fragment")  # fmt: skip
# What the page of Prometheus and the tables have of nothing in these captures.
PROMETHEUS = {"$job": "mailtap", "$instance": ".*", "$__rate_interval": "10s", "$__range": "1h"}


def panels_of(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


# --- structure -------------------------------------------------------------------------------


def overlaps(panels):
    """Pairs of panels that lie on each other."""
    places = [(panel["title"], panel["gridPos"]) for panel in panels]
    return [
        f"{one} and {other}" for i, (one, a) in enumerate(places) for other, b in places[i + 1 :]
        if a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    ]  # fmt: skip


def faults_of_panel(panel, kind, names):
    """Lines on what Grafana, or who reads it, could not make sense of."""
    place, title = panel["gridPos"], panel["title"]
    if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > COLUMNS:
        yield f"{title}: lies beside the grid"
    if panel["type"] not in TYPES:
        yield f"{title}: unknown type {panel['type']}"
    if panel["type"] == "row":
        return
    if len(panel.get("description", "")) < 20:
        yield f"{title}: has no description"
    defaults = panel["fieldConfig"]["defaults"]
    if defaults["unit"] not in UNITS:
        yield f"{title}: unknown unit {defaults['unit']}"
    if defaults["unit"] == "percentunit" and not re.search(r"\b[Oo]f\b", panel["description"]):
        yield f"{title}: a share of what?"
    if defaults["thresholds"]["steps"][0]["value"] is not None:
        yield f"{title}: its thresholds do not begin at the bottom"
    for source in [panel["datasource"], *[target["datasource"] for target in panel["targets"]]]:
        if source != {"type": kind, "uid": "${datasource}"}:
            yield f"{title}: unknown datasource {source}"
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) != len(references):
        yield f"{title}: two queries of one name"
    for target in panel["targets"]:
        for used in re.findall(r"\$\{?(\w+)", target.get("expr", "") + target.get("rawSql", "")):
            if used not in names and not used.startswith("__"):
                yield f"{title}: no variable ${used}"


def check_structure(tap, name, kind):
    board = json.loads((FOLDER / f"{name}.json").read_text())
    names = [variable["name"] for variable in board["templating"]["list"]]
    ids = [panel["id"] for panel in board["panels"]]
    faults = [fault for panel in board["panels"] for fault in faults_of_panel(panel, kind, names)]
    faults += overlaps(board["panels"])
    if len(set(ids)) != len(ids):
        faults.append("two panels of one id")
    if board["schemaVersion"] < 36 or board["uid"] != name:
        faults.append("schemaVersion, uid")
    source = board["templating"]["list"][0]
    if (source["type"], source["query"]) != ("datasource", kind):
        faults.append("its first variable is no datasource")
    tap.check(not faults, f"{name}: {len(ids)} panels are as Grafana takes them", faults)
    return board


# --- Prometheus ------------------------------------------------------------------------------


def one_capture(options, path):
    """Captures one after the other, as one."""
    time, packets = 1_700_000_000 * 10**9, []
    for capture in program.readable(program.captures(options.pcaps)):
        found = cf.read(capture) if FEW.search(capture.name) else []
        if not found or any(packet.linktype != cf.LINK_ETHERNET for packet in found):
            continue
        start = min(packet.time for packet in found)
        packets += [packet.at(time + packet.time - start) for packet in found]
        time = max(packet.time for packet in packets) + GAP
    cf.write_pcap(path, packets)


def substituted(text, variables):
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace("${" + name[1:] + "}", variables[name]).replace(name, variables[name])
    return text


def check_prometheus(tap, options, board, folder):
    capture = folder / "capture"
    one_capture(options, capture)
    store = ["--store", "sqlite", "--store-file", folder / "store"]
    with Service(options.mailtap, "-q", "-w", folder / "logs", *store, *program.TRUST) as service:
        service.feed(capture.read_bytes())
        with Prometheus(folder, service.port) as prometheus:
            # Twice, so that there are rates.
            prometheus.until(lambda: prometheus.value(
                'min(count_over_time(mailtap_sessions_total{job="mailtap"}[1m]))') not in (None, 0, 1))  # fmt: skip
            wrong = []
            for panel in panels_of(board):
                for target in panel["targets"]:
                    query = substituted(target["expr"], PROMETHEUS)
                    found = prometheus.ask("query", query=query)
                    if found is None or not found["result"]:
                        wrong.append(f"{panel['title']}: {'refused' if found is None else 'empty'}: {query}")
            count = sum(len(panel["targets"]) for panel in panels_of(board))
            tap.check(not wrong, f"Prometheus answers all {count} queries", wrong)
            known = prometheus.ask("label/__name__/values")
            used = {name for panel in panels_of(board) for target in panel["targets"]
                    for name in re.findall(r"mailtap_\w+", target["expr"])}  # fmt: skip
            tap.check(used <= set(known), f"with {len(used)} metrics", sorted(used - set(known)))


# --- ClickHouse ------------------------------------------------------------------------------


def sql(text):
    """A query as Grafana's data source for ClickHouse sends it."""
    text = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 >= $__fromTime AND \1 <= $__toTime", text)
    return substituted(text, {
        "$__fromTime": "toDateTime(1000000000)", "$__toTime": "toDateTime(4000000000)", "$__interval_s": "3600",
        "${sensor:singlequote}": "'tap-0','tap-1'",
    }).replace("${sensor:singlequote}", "'tap-0','tap-1'")  # fmt: skip


def check_clickhouse(tap, options, board, folder):
    captures = [path for path in program.readable(program.captures(options.pcaps))
                if FEW.search(path.name) or path.name.startswith(("dns-lookups", "dns-mx", "headers-"))]  # fmt: skip
    with ch.ClickHouse(folder / "server") as server:
        server.make("schema.sql", "views.sql")
        for number in range(2):
            done = program.run(options.mailtap, [
                "-q", "--dns", "--mail-headers", "-r", *captures[number::2], *program.TRUST, "--store", "clickhouse", "--sensor", f"tap-{number}",
                "--store-url", server.url, "--store-spool", folder / f"spool-{number}"])  # fmt: skip
            if done.returncode not in (0, 1):
                raise program.RunError(program.text(done.stderr))
        # None of the captures' certificates need be about to expire.
        server.ask("INSERT INTO certificates (sha256, first_seen, not_after, sensor) VALUES "
                   "('00', now(), now() + 86400, 'tap-0')")  # fmt: skip
        wrong = []
        queries = [(panel["title"], target["rawSql"]) for panel in panels_of(board) for target in panel["targets"]]
        queries += [(v["name"], v["query"]) for v in board["templating"]["list"] if v["type"] == "query"]
        for title, query in queries:
            try:
                rows = server.rows(sql(query))
            except ch.QueryError as error:
                wrong.append(f"{title}: {error}")
                continue
            if not rows or all(value in (None, "", 0) for row in rows for value in row.values()):
                wrong.append(f"{title}: empty: {sql(query)}")
        tap.check(not wrong, f"ClickHouse answers all {len(queries)} queries", wrong)


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    boards = {name: check_structure(tap, name, kind) for name, kind in BOARDS.items()}
    tap.check(sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(BOARDS), "there are no other dashboards")
    with tempfile.TemporaryDirectory(prefix="grafana-") as name:
        for server, check, board in [("prometheus", check_prometheus, "mailtap-prometheus"),
                                     ("clickhouse-server", check_clickhouse, "mailtap-clickhouse")]:  # fmt: skip
            if not tap.needs(server):
                continue
            folder = Path(name) / server
            folder.mkdir()
            check(tap, options, boards[board], folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
