#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus scrapes a run and loads the shipped rules; promtool checks the page and tries each alert; and
configs/prometheus/README.md describes each metric as the page does (--update writes it)."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import mmdb, openmetrics, program  # noqa: E402
from lib.prometheus import Prometheus  # noqa: E402
from lib.service import Service  # noqa: E402
from lib.tap import Tap  # noqa: E402

CONFIGS = program.ROOT / "configs/prometheus"
RULES, README = CONFIGS / "mailtap.rules.yml", CONFIGS / "README.md"
RULES_TEST = Path(__file__).with_name("mailtap.rules.test.yml")
BEGIN = "<!-- from here on written by tests/prometheus/prometheus.py --update -->\n"
STRIPPED = "attack-race-454-postfix-swaks.pcap"  # its evidence is confirmed
LATER = 120 * 10**9  # nanoseconds
OPEN = "Accept: application/openmetrics-text\r\n"


# --- what is documented ----------------------------------------------------------------------


def everything(mailtap, pcaps, folder):
    """The page of a run over all captures, so that every table has a row."""
    asn, country, page = folder / "asn.mmdb", folder / "country.mmdb", folder / "all.prom"
    networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
    mmdb.write(asn, "GeoLite2-ASN", {
        network: {"autonomous_system_number": 64496 + i, "autonomous_system_organization": f"Example {i}"}
        for i, network in enumerate(networks)})  # fmt: skip
    mmdb.write(country, "GeoLite2-Country", {network: {"country": {"iso_code": "ZZ"}} for network in networks})
    captures = program.captures(pcaps)
    done = program.run(mailtap, ["-q", "--any-port", "--dns", "--metrics", page, "--asn-db", asn, "--country-db", country,
                                 *program.TRUST, "-r", *captures])  # fmt: skip
    if done.returncode not in (0, 1):
        raise program.RunError(f"exit code {done.returncode}: {program.text(done.stderr)}")
    return openmetrics.parse(page.read_bytes())


def described(samples, families):
    """The table of the README: a row a family, in the order of the page."""
    labels = {}
    for name, pairs in samples:
        labels.setdefault(name.removesuffix("_total"), {}).update(dict(pairs))
    rows = [f"{BEGIN}| metric | type | labels | tells |\n|---|---|---|---|\n"]
    for name, heads in families.items():
        shown = name + openmetrics.TYPES[heads["TYPE"]]
        keys = ", ".join(f"`{key}`" for key in labels.get(name, {}))
        rows.append(f"| `{shown}` | {heads['TYPE']} | {keys} | {heads['HELP'].replace('|', '/')} |\n")
    return "".join(rows)


def check_readme(tap, options, page):
    before, _, written = README.read_text().partition(BEGIN)
    table = described(*page)
    if options.update:
        README.write_text(before + table)
        written = table.removeprefix(BEGIN)
    wanted = table.removeprefix(BEGIN).splitlines()
    wrong = [f"+ {line}" for line in wanted if line not in written.splitlines()]
    wrong += [f"- {line}" for line in written.splitlines() if line not in wanted]
    tap.check(not wrong and wanted == written.splitlines(), f"README.md describes the {len(wanted) - 2} metrics", wrong)
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    missing = [alert for alert in alerts if f"`{alert}`" not in before]
    tap.check(len(alerts) > 10 and not missing, f"and the {len(alerts)} alerts", missing)
    used = set(re.findall(r"\bmailtap_\w+", "\n".join(
        line for line in RULES.read_text().splitlines() if not line.lstrip().startswith("#"))))  # fmt: skip
    known = {name + end for name in page[1] for end in ("", "_total")}
    tap.check(used and used <= known, f"the rules use {len(used)} metrics, which there are", sorted(used - known))
    silent = sorted(set(page[1]) - {name.removesuffix("_total") for name, _ in page[0]})
    tap.check(not silent, "there is a sample of each in the captures", silent)


# --- promtool --------------------------------------------------------------------------------


def promtool(*arguments, **popen):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, check=False, **popen)
    said = program.text(done.stdout + done.stderr).strip()
    return done.returncode, said


def check_rules(tap, folder):
    code, said = promtool("check", "rules", RULES)
    tap.check(code == 0, "promtool check rules", said.splitlines())
    shutil.copy(RULES, folder)
    shutil.copy(RULES_TEST, folder)
    code, said = promtool("test", "rules", folder / RULES_TEST.name)
    tap.check(code == 0 and "SUCCESS" in said, "promtool test rules", said.splitlines())
    tested = set(re.findall(r"alertname: (\w+)\n +exp_alerts:\n", RULES_TEST.read_text()))
    untested = sorted(set(re.findall(r"alert: (\w+)", RULES.read_text())) - tested)
    tap.check(not untested, "each alert is tried where it is due", untested)


def check_page(tap, service, folder, page):
    code, said = promtool("check", "metrics", input=service.get("/metrics").body)
    tap.check(code == 0 and not said, "promtool check metrics", said.splitlines())
    scraped = service.get("/metrics", headers=OPEN).body
    families = openmetrics.parse(scraped)[1]
    tap.check(families == page[1], "what is scraped has the metrics of a file")
    timed = folder / "timed.om"
    timed.write_bytes(re.sub(rb"(?m)^([^#].*)$", rb"\1 1700000000", scraped))
    code, said = promtool("tsdb", "create-blocks-from", "openmetrics", timed, folder / "blocks")
    tap.check(code == 0, "promtool takes it as OpenMetrics", said.splitlines())


# --- Prometheus ------------------------------------------------------------------------------


def scrape(tap, service, folder, page, count):
    with Prometheus(folder, service.port, RULES) as prometheus:
        seen = 'mailtap_capture_packets_seen_total{job="mailtap"}'
        prometheus.until(lambda: prometheus.value(seen) == count)
        tap.check(prometheus.value('up{job="mailtap"}') == 1, f"Prometheus sees all {count} packets")
        known = {entry["metric"]: entry for entry in prometheus.ask("targets/metadata")}
        # It knows a counter by the family's name, without the end of its samples.
        wrong = [f"{name}: {known.get(name)}" for name, heads in page[1].items()
                 if (known.get(name, {}).get("type"), known.get(name, {}).get("help"))
                 != (heads["TYPE"], heads["HELP"])]  # fmt: skip
        tap.check(not wrong, "and type and meaning of each metric", wrong[:5])
        groups = prometheus.until(lambda: prometheus.ask("rules")["groups"])
        prometheus.until(lambda: all(
            rule["health"] == "ok" for group in prometheus.ask("rules")["groups"] for rule in group["rules"]))  # fmt: skip
        tap.check(True, f"it evaluates {sum(len(group['rules']) for group in groups)} rules")

        def firing():
            alerts = prometheus.ask("alerts")["alerts"]
            return [alert for alert in alerts if alert["state"] == "firing"
                    and alert["labels"]["alertname"] == "MailtapStrippingConfirmed"]  # fmt: skip

        alerts = prometheus.until(firing)
        tap.check(True, "it gives the alarm of stripping", [alerts[0]["annotations"]["summary"]])


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the table of README.md")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="prometheus-") as name:
        folder = Path(name)
        page = everything(options.mailtap, options.pcaps, folder)
        check_readme(tap, options, page)
        if not tap.needs("prometheus", "promtool"):
            return tap.done()
        check_rules(tap, folder)
        packets = cf.read(options.pcaps / STRIPPED)
        packets += [packet.at(packet.time + LATER) for packet in packets]  # so that time goes on
        with Service(options.mailtap, "-q") as service:
            capture = folder / "capture"
            cf.write_pcap(capture, packets)
            service.feed(capture.read_bytes())
            check_page(tap, service, folder, page)
            scrape(tap, service, folder, page, len(packets))
            tap.check(service.end() == 0, "the run ends as ever", [program.text(service.said).strip()])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
