#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `mailtap report -o`, opened in a headless Chromium: it loads without a word and without asking for
anything, its figures and charts are those of `report --json`, tables sort by mouse and keyboard, what strangers
wrote stays text, it prints, and it fits on a screen of any width. --shots DIR keeps pictures of it."""

import html.parser
import ipaddress
import datetime
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import chromium, program  # noqa: E402
from lib.tap import Tap  # noqa: E402

HOSTILE = [
    "<script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">",
    "\"><svg onload=\"document.title='owned'\">", "' onmouseover='document.title=1", "</title></style></svg>",
    "&lt;b&gt;&#60;", "a\u202eb\u2066c\u200f", "nul\0 esc\x1b[2J \x7f\x85", "\\u003cscript>", "{{7*7}}",
    "javascript:document.title='owned'", "<!--", "]]>", "<" * 5000,
]  # fmt: skip


class Bench:
    def __init__(self, options, tap, folder):
        self.tap, self.folder, self.mailtap, self.shots = tap, Path(folder), options.mailtap, options.shots

    def run(self, *arguments):
        done = subprocess.run([self.mailtap, *map(str, arguments)], capture_output=True, timeout=program.TIMEOUT)
        if done.returncode != 0:
            raise program.RunError(f"{arguments}: {program.text(done.stderr)}")
        return done.stdout

    def page(self, logs, *options):
        path = self.folder / f"{logs.name}.html"
        self.run("report", "-i", logs, "-o", path, *options)
        return path

    def shoot(self, browser, name):
        if self.shots:
            height = browser.ask("document.documentElement.scrollHeight")
            width = browser.ask("innerWidth")
            browser.screenshot(Path(self.shots) / f"{name}.png", (0, 0, width, min(height, 8000)))


def tables_of(bench, logs):
    """The rows of each table, and what the capture counted."""
    lines = program.json_lines(bench.run("report", "-i", logs, "--json", "--all"))
    return {line["table"]: line["rows"] for line in lines[1:]}, lines[0]["capture"]


# --- the file itself ---------------------------------------------------------------------------


class Elements(html.parser.HTMLParser):
    """Which elements, attributes and addresses a document has."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.addresses = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("src", "href", "data", "action", "xlink:href"):
                self.addresses.append(value)


def whole_in_itself(bench, path):
    text = path.read_text(encoding="utf-8")
    found = Elements(text)
    outside = [address for address in found.addresses if not address.startswith(("#", "data:,"))]
    bench.tap.check(not outside, "the file refers to nothing outside itself", outside)
    wrong = sorted(name for name in found.attributes if name.startswith("on") or name == "style")
    bench.tap.check(not wrong, "no attribute of it is script or style", wrong)
    allowed = found.tags & {"img", "iframe", "object", "embed", "form", "base", "b-", "audio", "video"}
    bench.tap.check(not allowed, "no element of it loads anything", allowed)
    again = bench.folder / "again"
    again.mkdir()
    bench.run("report", "-i", bench.folder / "logs", "-o", again / "page.html")
    same = (again / "page.html").read_bytes() == path.read_bytes()
    bench.tap.check(same, f"the same logs give the same bytes ({len(text) // 1024} KiB)")


def keeps_addresses(bench, logs):
    """What a report with --anonymise shows of logs with real addresses: none of those."""
    key = bench.folder / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    real = {record[side] for record in program.json_lines((logs / "sessions.jsonl").read_bytes())
            for side in ("client_ip", "server_ip")}  # fmt: skip
    path = bench.folder / "anonymised.html"
    bench.run("report", "-i", logs, "-o", path, "--all", "--anonymise", key)
    text = path.read_text()
    plain = bench.page(logs, "--all").read_text()
    words = set(re.findall(r"[\w.:]+", text))
    found = sorted(real & words)
    shown = len(real & set(re.findall(r"[\w.:]+", plain)))
    bench.tap.check(shown > 5 and not found and "alert-confirmed" in text,
                    f"with --anonymise none of {shown} addresses is in it", found)  # fmt: skip
    networks = {str(ipaddress.ip_network((a, 24 if "." in a else 48), strict=False)) for a in real}
    found = sorted(n for n in networks if n in text)
    bench.tap.check(any(n in plain for n in networks) and not found, "nor one of their networks", found)


# --- what it shows -------------------------------------------------------------------------------

READ_TABLES = """Object.fromEntries(Array.from(document.querySelectorAll('table.sortable'), (table) =>
    [table.id.replace('table-', ''), Array.from(table.tBodies[0].rows, (row) => Array.from(row.cells, (cell) =>
        cell.querySelector('.unseen') ? null : cell.dataset.value ?? cell.textContent))]))"""


def as_shown(rows):
    """The rows of a table in JSON as the page has them."""
    def cell(value):
        if isinstance(value, dict):
            return f"{value['part'] / value['of']:.6f}"
        return None if value is None else str(value)

    return [[cell(value) for value in row.values()] for row in rows]


READ_TEXTS = """Object.fromEntries(Array.from(document.querySelectorAll('table.sortable'), (table) =>
    [table.id.replace('table-', ''), Array.from(table.tBodies[0].rows, (row) => Array.from(row.cells, (cell) =>
        cell.querySelector('.unseen') ? null : cell.textContent))]))"""


def as_read(rows):
    """And as people read them."""
    def cell(value):
        if not isinstance(value, dict):
            return None if value is None else str(value)
        low, high = (f"{int(10 * limit + 0.5) / 10:.1f}" for limit in wilson(value["part"], value["of"]))
        return f"{percent(value['part'], value['of'])} {low}–{high} of {value['of']}"

    return [[cell(value) for value in row.values()] for row in rows]


def tables_read_as_the_reports(bench, browser, tables, capture):
    """The figures that are shown, not those by which tables are sorted."""
    shown = {name: [[cell and cell.replace("\xa0", " ") for cell in row] for row in rows]
             for name, rows in browser.ask(READ_TEXTS).items()}  # fmt: skip
    wrong = [f"{name}: {one}, not {other}" for name, rows in shown.items() if name != "capture"
             for one, other in zip(rows, as_read(tables[name])) if one != other]  # fmt: skip
    bench.tap.check(not wrong, "and read so, with denominators and intervals", wrong[:5])
    counted = [row[:2] for row in shown["capture"]]
    bench.tap.check(counted == [[key, str(count)] for key, count in capture.items()] and len(counted) > 20,
                    f"{len(counted)} counters of the capture are those of the report", counted)  # fmt: skip


def whole_bars_are_the_reports(bench, browser, tables, capture):
    """One bar of all sessions, one of all packets; the legend above has the numbers."""
    verdicts = ["encrypted", "cleartext", "stripped", "tls_failed", "no_mail", "not_mail", "partial"]
    packets = ["packets_kept", "packets_other_port", "packets_other_protocol", "packets_malformed", "packets_unreadable"]
    counts = [sum(row["sessions"] for row in tables["verdicts"] if row["verdict"] == one) for one in verdicts]
    for section, chart, expected in (("sessions", "chart-verdicts", counts), ("capture", "chart-packets", [capture[key] for key in packets])):
        widths = browser.ask(f"Array.from(document.querySelectorAll('#{chart} rect:not(.trough)'), (r) => parseFloat(r.getAttribute('width')))")
        numbers = browser.ask(f"Array.from(document.querySelector('#{section} .legend').children, (e) => e.querySelector('b').textContent)")
        right = alike(widths, [100 * count / sum(expected) for count in expected if count]) and list(map(int, numbers)) == expected
        bench.tap.check(right and sum(expected), f"{chart}: {expected}", [widths, numbers])


def tables_are_the_reports(bench, browser, tables):
    shown = browser.ask(READ_TABLES)
    wrong = [name for name, rows in shown.items() if name != "capture" and rows != as_shown(tables[name])]
    missing = [name for name, rows in tables.items() if name and rows and name not in shown]
    bench.tap.check(not wrong and not missing and len(shown) > 15,
                    f"{len(shown)} tables have the rows of report --json", wrong + missing)  # fmt: skip


def wilson(part, of):
    """The interval at 95 %, in percent."""
    z, share = 1.959964, part / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return 100 * (middle - half), 100 * (middle + half)


def figures_are_the_reports(bench, browser, tables):
    n = {}
    for row in tables["verdicts"]:
        n[row["verdict"]] = n.get(row["verdict"], 0) + row["sessions"]
    carried = n["encrypted"] + n["cleartext"] + n["stripped"]
    offered = [row for row in tables["funnel"] if row["step"] == "offered"]
    of_offered = sum(row["passed"] + row["ended"] for row in offered)
    seen = [row for row in tables["tls_versions"] if row["version"]]
    expected = {
        "encrypted": (n["encrypted"], carried), "cleartext": (n["cleartext"], carried),
        "stripped": (n["stripped"], carried), "offered": (sum(row["passed"] for row in offered), of_offered),
        "tls13": (sum(r["sessions"] for r in seen if r["version"] == "TLSv1.3"), sum(r["sessions"] for r in seen)),
    }  # fmt: skip
    judged = [row for row in tables["certificates"] if row["axis"] == "certificate" and row["sessions_share"]]
    good = [row for row in judged if row["status"] == "valid_and_matching"]
    expected["certificates"] = (sum(row["sessions"] for row in good), sum(row["sessions"] for row in judged))
    exposed = sum(row["exposed"] for row in tables["credentials"])
    expected["exposed"] = (exposed, exposed + sum(row["not_exposed"] for row in tables["credentials"]))
    requested = [row for row in tables["funnel"] if row["step"] == "requested"]
    expected["requested"] = (sum(row["passed"] for row in requested), sum(row["passed"] + row["ended"] for row in requested))
    wrong = []
    for name, (part, of) in expected.items():
        text = browser.ask(f"document.querySelector('#figure-{name} p.of').textContent")
        value = browser.ask(f"document.querySelector('#figure-{name} .value').textContent")
        interval = browser.ask(f"document.querySelector('#figure-{name} .interval').textContent")
        low, high = map(float, interval.split("–"))
        between = wilson(part, of)
        near = abs(float(value.replace("\xa0%", "")) - 100 * part / of) <= 0.051 and low <= 100 * part / of <= high
        near = near and abs(low - between[0]) < 0.06 and abs(high - between[1]) < 0.06
        if not text.endswith(f": {part} of {of}") or not near:
            wrong.append(f"{name}: {text} {value} {interval}, not {part} of {of}")
    bench.tap.check(not wrong, f"{len(expected)} headline figures have their numbers", wrong)


def bars_of(browser, chart, pitch):
    """The widths of each bar's parts, in percent, by the fill."""
    rectangles = browser.ask(
        f"Array.from(document.querySelectorAll('#{chart} rect:not(.trough)'), (r) => [r.getAttribute('class'),"
        "parseFloat(r.getAttribute('width')), parseFloat(r.getAttribute('y'))])"
    )
    bars = {}
    for fill, width, y in rectangles:
        bars.setdefault(int(y // pitch), {})[fill] = width
    return bars


def near(found, expected):
    expected = {fill: value for fill, value in expected.items() if value}
    return found.keys() == expected.keys() and all(abs(found[f] - v) < 0.01 for f, v in expected.items())


def charts_are_the_reports(bench, browser, tables):
    wrong, position = [], 0
    for protocol in ("smtp", "imap", "pop3"):
        position = next(i for i, row in enumerate(tables["funnel"]) if row["protocol"] == protocol)
        steps = [row for row in tables["funnel"] if row["protocol"] == protocol and not row["step"].startswith("mail_")]
        bars = bars_of(browser, f"chart-funnel-{position}", 46)
        for i, step in enumerate(steps):
            fills = {"fill-encrypted": "passed", "fill-cleartext": "ended", "fill-unseen": "not_seen"}
            expected = {fill: 100 * step[key] / steps[0]["passed"] for fill, key in fills.items()}
            wrong += [] if near(bars.get(i, {}), expected) else [f"{protocol} {step['step']}: {bars.get(i)} {expected}"]
    bench.tap.check(not wrong, "the bars of the funnel are as long as its numbers", wrong)
    bars = bars_of(browser, "chart-listener", 46)
    fills = {"fill-encrypted": "passive_protected", "fill-cleartext": "passive_exposed", "fill-unseen": "passive_not_seen"}
    wrong = []
    for i, row in enumerate(tables["protection"]):
        expected = {fill: 100 * row[key] / sum(row[k] for k in fills.values()) for fill, key in fills.items()}
        wrong += [] if near(bars.get(i, {}), expected) else [f"{row['hop']}: {bars.get(i)} {expected}"]
    bench.tap.check(not wrong, "so are those of the protection by hop", wrong)
    heights = browser.ask("Array.from(document.querySelectorAll('#chart-times rect'), (r) => [r.getAttribute('class'),"
                          "parseFloat(r.getAttribute('height'))])")  # fmt: skip
    most = max(row["sessions"] for row in tables["times"])
    scale = (most + most % 2) / 170
    total = round(sum(height for fill, height in heights if fill == "fill-encrypted") * scale)
    bench.tap.check(total == sum(row["encrypted"] for row in tables["times"]),
                    f"the bars over time add up to the {total} sessions that are encrypted")  # fmt: skip


COLUMN_CHARTS = {  # chart: table, what it calls rows, their share, which of them
    **{f"chart-versions-{hop}": ("tls_versions", "version", "share", {"hop": hop}) for hop in ("submission", "relay", "access")},
    "chart-ciphers": ("tls_ciphers", "cipher", "share", {}),
    "chart-groups": ("tls_groups", "group", "share", {}),
    "chart-certificates": ("certificates", "status", "sessions_share", {"axis": "certificate"}),
    "chart-faults": ("certificates", "status", "sessions_share", {"axis": "fault"}),
}  # fmt: skip

READ_CHART = """(() => { const of = (what) => Array.from(document.querySelectorAll('#CHART ' + what));
    const number = (element, name) => parseFloat(element.getAttribute(name));
    return [of('.label').map((t) => t.textContent), of('.note').map((t) => t.textContent),
        of('rect:not(.trough)').map((r) => [number(r, 'y'), number(r, 'width')]),
        of('rect.trough').map((r) => [number(r, 'y'), number(r, 'width')]),
        of('line.whisker').map((l) => [number(l, 'x1'), number(l, 'x2')])]; })()"""


def percent(part, of):
    """As the page rounds: what is neither none nor all does not become it."""
    tenths = int(1000 * part / of + 0.5)
    tenths = 1 if tenths == 0 and part else 999 if tenths == 1000 and part < of else tenths
    return f"{tenths // 10}.{tenths % 10} %"


def a_column_chart(rows, share):
    """Labels, notes, widths of bars and of what is behind them, and intervals; all in percent of the chart."""
    whole = max(max(row["sessions"], row[share]["of"] if row[share] else 0) for row in rows)
    notes, bars, behind, intervals = [], [], [], []
    for row in rows:
        part = row[share]
        notes.append(f"{part['part']} of {part['of']} ({percent(part['part'], part['of'])})" if part else str(row["sessions"]))
        bars.append(100 * row["sessions"] / whole)
        if part:
            behind.append(100 * part["of"] / whole)
            intervals += [value * part["of"] / whole for value in wilson(part["part"], part["of"])]
    return notes, bars, behind, intervals


def alike(found, expected):
    return len(found) == len(expected) and all(abs(a - b) < 0.02 for a, b in zip(found, expected))


def bars_are_their_shares(bench, browser, tables):
    for chart, (table, name, share, where) in COLUMN_CHARTS.items():
        rows = [row for row in tables[table] if where.items() <= row.items()]
        most = 12 if chart == "chart-faults" else 10 if chart == "chart-certificates" else 8
        labels, notes, bars, behind, intervals = browser.ask(READ_CHART.replace("CHART", chart))
        expected = a_column_chart(rows[:most], share)
        wrong = [] if labels == [row[name] or "not seen" for row in rows[:most]] else [f"labels: {labels}"]
        wrong += [] if notes == expected[0] else [f"notes: {notes}, not {expected[0]}"]
        wrong += [] if alike([width for _, width in bars], expected[1]) else [f"bars: {bars}, not {expected[1]}"]
        wrong += [] if alike([width for _, width in behind], expected[2]) else [f"behind: {behind}, not {expected[2]}"]
        wrong += [] if alike(sum(intervals, []), expected[3]) else [f"intervals: {intervals}, not {expected[3]}"]
        bench.tap.check(not wrong and rows, f"{chart}: {len(rows)} rows, bars as long as their shares, with intervals", wrong)
    notes = browser.ask("Array.from(document.querySelectorAll('#chart-attacker .note'), (t) => t.textContent)")
    safe = [(row["active_possible"], row["active_possible"] + row["active_exposed"]) for row in tables["protection"]]
    expected = [f"{part} of {of} ({percent(part, of)})" if of else "" for part, of in safe]
    bench.tap.check(notes == expected, "beside a hop stands how many are safe, of how many", [notes, expected])


def seconds_of(text):
    """A time of JSON, since 1970."""
    whole, fraction = re.fullmatch(r"(.*?)(\.[0-9]+)?Z", text).groups()
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float(fraction or 0)


def times_stand_where_they_belong(bench, browser, tables):
    """Ticks and bars are on one axis."""
    bars = browser.ask("Array.from(document.querySelectorAll('#chart-times rect'), (r) => [r.textContent.split(' ')[0],"
                       "parseFloat(r.getAttribute('x'))])")  # fmt: skip
    ticks = browser.ask("Array.from(document.querySelectorAll('#chart-times .tick'), (t) => [t.textContent,"
                        "parseFloat(t.getAttribute('x'))]).slice(2)")  # fmt: skip
    seconds = [(seconds_of(text), x) for text, x in bars]
    (first, left), (last, right) = min(seconds), max(seconds)
    wrong = []
    for text, x in ticks:
        time = seconds_of(text + "T00:00:00Z")
        place = left + (time - first) * (right - left) / (last - first)
        wrong += [] if abs(place - x) < 0.05 else [f"{text} at {x}, not {place}"]
    strip = browser.ask("Array.from(document.querySelectorAll('#chart-capture rect'), (r) => [r.getAttribute('class'),"
                        "parseFloat(r.getAttribute('x')), parseFloat(r.getAttribute('width'))]).slice(1)")  # fmt: skip
    begun = sorted({time for time, _ in seconds})
    before, after = max(zip(begun, begun[1:]), key=lambda pair: pair[1] - pair[0])
    gap = left + ((before + after) / 2 - first) * (right - left) / (last - first)
    there = [fill for fill, x, width in strip if x <= gap <= x + width]
    bench.tap.check(not there and len(strip) > 2, f"where nothing was captured the strip says so (at {gap:.1f} %)", strip)
    whole = (last - first) / (right - left)  # seconds of a percent
    lines = program.json_lines((bench.folder / "logs" / "statistics.jsonl").read_bytes())
    captured = sum(seconds_of(line["end"]) - seconds_of(line["start"]) for line in lines if line["kind"] == "interval")
    shown = sum(width for _, _, width in strip if width * whole < 0.9 * tables["times"][0]["seconds"])
    bench.tap.check(abs(shown - captured / whole) < 0.01 and captured, f"{captured:.0f} s of capture are as long", [shown, captured / whole])
    said = browser.ask("document.querySelector('#times > p').textContent")
    bench.tap.check(not wrong and 2 <= len(ticks) <= 7 and "UTC" in said, f"{len(ticks)} times below the bars stand at theirs", wrong)


def paths_are_the_reports(bench, browser, tables):
    cells = browser.ask("Array.from(document.querySelectorAll('#matrix-paths tbody td:not(.empty)'), (c) => c.innerText)")
    expected = []
    for row in tables["paths"]:
        parts = [(row["evidence"], "▲", "with evidence"), (row["unaffected"], "✓", "see TLS"), (row["not_seen"], "?", "not seen")]
        expected.append("\n".join([f"{mark} {count} {what}" for count, mark, what in parts if count] + [f"of\xa0{row['sessions']}"]))
    bench.tap.check(sorted(cells) == sorted(expected) and expected, f"{len(expected)} paths say how many sessions see what", cells)


def matrix_is_the_reports(bench, browser, tables):
    cells = browser.ask("Array.from(document.querySelectorAll('#matrix-operators td:not(.empty)'), (c) => c.textContent)")
    expected = sorted(f"of\xa0{row['encrypted'] + row['cleartext']}" for row in tables["operator_pairs"]
                      if row["encrypted"] + row["cleartext"])  # fmt: skip
    found = sorted(cell.split(" ")[-1] for cell in cells if "of" in cell)
    shares = [(row["encrypted"], row["encrypted"] + row["cleartext"]) for row in tables["operator_pairs"]]
    shares = sorted(percent(part, of).replace(" ", "\xa0") for part, of in shares if of)
    found, expected = (found, sorted(cell.split(" ")[0] for cell in cells if "of" in cell)), (expected, shares)
    bench.tap.check(found == expected, f"the matrix has the {len(shares)} pairs of operators", [found, expected])
    alerts = browser.ask("document.querySelectorAll('.alert').length")
    kinds = browser.ask("Array.from(document.querySelectorAll('.alert .level'), (e) => e.textContent)")
    order = [["confirmed", "probable", "suspected"].index(kind) for kind in kinds]
    bench.tap.check(alerts > 10 and order == sorted(order), f"{alerts} alerts, the surest first")
    all_of = len(program.json_lines((bench.folder / "logs" / "alerts.jsonl").read_bytes()))
    told = browser.ask("document.querySelector('#stripping').textContent")
    left = re.search(r"(\d+) of (\d+) alerts are left out", told)
    bench.tap.check(left is not None and int(left[2]) >= all_of, "how many alerts are left out is said", [str(left)])


# --- what one does with it ---------------------------------------------------------------------------


def column_of(browser, table, index):
    return browser.ask(f"Array.from(document.querySelectorAll('#table-{table} tbody tr'), (r) => r.cells[{index}].dataset"
                       f".value ?? r.cells[{index}].textContent)")  # fmt: skip


def sorts(bench, browser):
    heading = "#table-evidence th:nth-child(3)"
    before = [int(value) for value in column_of(browser, "evidence", 2)]
    browser.click(f"{heading} button")
    down = [int(value) for value in column_of(browser, "evidence", 2)]
    said = browser.ask(f"document.querySelector('{heading}').getAttribute('aria-sort')")
    good = before != down and down == sorted(before, reverse=True) and said == "descending"
    bench.tap.check(good, "a click on a heading sorts, the greatest first", [before, down, said])
    browser.press("Enter", "Enter", "\r")
    up = [int(value) for value in column_of(browser, "evidence", 2)]
    said = browser.ask(f"document.querySelector('{heading}').getAttribute('aria-sort')")
    bench.tap.check(up == sorted(before) and said == "ascending", "Enter turns it round", [up, said])
    browser.ask("document.querySelector('#table-evidence th:nth-child(1) button').focus()")
    browser.press("Tab", "Tab")
    browser.press(" ", "Space", " ")
    names = column_of(browser, "evidence", 1)
    marked = browser.ask("Array.from(document.querySelectorAll('#table-evidence th[aria-sort]'), (e) => e.cellIndex)")
    bench.tap.check(names == sorted(names) and marked == [1], "Tab leads to the next heading, Space sorts by it", names)
    for table, column, key in (("times", 1, str), ("times", 3, int), ("verdicts", 4, float), ("server_list", 2, int)):
        shown = []
        for _ in range(2):
            browser.click(f"#table-{table} th:nth-child({column}) button")
            shown.append([key(value) for value in column_of(browser, table, column - 1)])
        right = sorted(shown[0]) in shown and sorted(shown[0], reverse=True) in shown and len(set(shown[0])) > 2
        bench.tap.check(right, f"{table} sorts by its column {column}, up and down", shown)
    browser.click("#table-paths th:nth-child(8) button")
    unseen = browser.ask("Array.from(document.querySelectorAll('#table-paths tbody tr'),"
                         "(r) => !!r.cells[7].querySelector('.unseen'))")  # fmt: skip
    bench.tap.check(any(unseen) and unseen == sorted(unseen), "what was not seen stays last")
    browser.click("#table-paths th:nth-child(8) button")
    unseen = browser.ask("Array.from(document.querySelectorAll('#table-paths tbody tr'),"
                         "(r) => !!r.cells[7].querySelector('.unseen'))")  # fmt: skip
    bench.tap.check(any(unseen) and unseen == sorted(unseen), "also when it is turned round")


def fits(bench, browser, path):
    wrong = []
    for width, scheme in ((1280, "light"), (390, "light"), (390, "dark"), (1280, "dark")):
        browser.window(width, 900, scheme)
        browser.open(path)
        wide = browser.ask("document.documentElement.scrollWidth")
        wrong += [] if wide <= width else [f"{wide} > {width}"]
        ground = browser.ask("getComputedStyle(document.body).backgroundColor")
        dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 384
        wrong += [] if dark == (scheme == "dark") else [f"{scheme}: {ground}"]
        overlapping = browser.ask(OVERLAP)
        wrong += [f"{width}: {text}" for text in overlapping]
        bench.shoot(browser, f"{path.stem}-{width}-{scheme}")
    bench.tap.check(not wrong, "it fits on 1280 and 390 pixels, light and dark, and no two labels overlap", wrong)


# Texts of one chart whose boxes touch.
OVERLAP = """Array.from(document.querySelectorAll('svg.chart')).flatMap((chart) => {
    const texts = Array.from(chart.querySelectorAll('text'), (t) => [t.textContent, t.getBoundingClientRect()])
        .filter(([text, box]) => text && box.width);
    return texts.flatMap(([text, a], i) => texts.slice(i + 1)
        .filter(([, b]) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3 && b.top + 3 < a.bottom - 3)
        .map(([other]) => `${chart.id}: ${text} / ${other}`)); })"""


def prints(bench, browser, path, tables):
    browser.window(1280, 900)
    browser.open(path)
    narrow = 704  # pixels between the margins of A4
    browser.window(narrow, 900, media="print")
    cut = browser.ask("Array.from(document.querySelectorAll('table'), (t) => [t.id, t.getBoundingClientRect().right])")
    cut = [name for name, right in cut if right > narrow]
    bench.tap.check(not cut, "on paper no table is cut", cut)
    browser.window(1280, 900)
    printed = bench.folder / "page.pdf"
    browser.print(printed)
    text = subprocess.run(["pdftotext", "-layout", printed, "-"], capture_output=True, check=True).stdout.decode()
    sessions = sum(row["sessions"] for row in tables["verdicts"])
    wanted = [f"{sessions} sessions", "Encrypted", "connected", "capability_garbled", "TLSv1.3", "packets_seen"]
    wrong = [word for word in wanted if word not in text]
    wrong += ["the list of sections is printed"] if re.search(r"Overview\s+Sessions\s+Time", text) else []
    bench.tap.check(not wrong, f"it prints, and the figures are text on paper ({text.count(chr(12))} pages)", wrong)


def without_script(bench, browser, path):
    browser.script(False)
    browser.open(path)
    browser.script(True)
    shown = browser.ask("[document.querySelectorAll('th button').length, document.querySelectorAll('section').length,"
                        "document.querySelector('#figure-encrypted .value').textContent]")  # fmt: skip
    bench.tap.check(shown[0] == 0 and shown[1] >= 12 and "%" in shown[2], "it reads without script, too", [str(shown)])


# --- strangers ------------------------------------------------------------------------------------------


def hostile_logs(bench, records, alerts):
    """Logs in which every text from the wire is one that wants to be more."""
    folder = bench.folder / "hostile"
    folder.mkdir()
    texts = ["server_banner", "server_name", "client_name", "sni", "server_software", "tls_version", "tls_cipher",
             "tls_group", "auth_mechanism", "protocol", "sensor"]  # fmt: skip
    lines = []
    for i, record in enumerate(records):
        bad = HOSTILE[i % len(HOSTILE)]
        short = {"auth_mechanism": 20, "tls_version": 63, "tls_cipher": 63, "tls_group": 63}
        record = dict(record, **{key: bad[: short.get(key, 5000)] for key in texts if record.get(key) is not None})
        lines.append(json.dumps(record))
    (folder / "sessions.jsonl").write_text("\n".join(lines) + "\n")
    changed = []
    for i, alert in enumerate(alerts):
        bad = HOSTILE[i % len(HOSTILE)]
        keep = ("time", "confidence", "client_ip", "server_ip", "left_out", "server_port")
        changed.append(json.dumps({key if i % 2 else bad[:300] + key if isinstance(value, bool) else key:
                                   value if key in keep or not isinstance(value, str) else bad
                                   for key, value in alert.items()}))  # fmt: skip
    (folder / "alerts.jsonl").write_text("\n".join(changed) + "\n")
    return folder


def strangers_stay_text(bench, browser, records, alerts):
    path = bench.page(hostile_logs(bench, records, alerts), "--all")
    data = path.read_bytes()
    raw = [name for name, bytes_ in (("NUL", b"\0"), ("ESC", b"\x1b"), ("bidi", "\u202e".encode())) if bytes_ in data]
    bench.tap.check(not raw, "no control or bidi character is in the file", raw)
    browser.window(390, 900)
    browser.open(path)
    state = browser.ask("[document.title, document.querySelectorAll('script').length, document.querySelectorAll("
                        "'img, iframe, svg[onload], [onerror], [onmouseover]').length]")  # fmt: skip
    bench.tap.check(state == ["mailtap report", 1, 0], "names and banners do not run and are no elements", [str(state)])
    complaints, asked = browser.complaints(), browser.requests()
    bench.tap.check(not complaints and len(asked) == 1, "nor does the browser say or ask anything", complaints + asked)
    wide = browser.ask("document.documentElement.scrollWidth")
    shown = browser.ask("document.body.textContent.includes(\"<script>document.title='owned'</script>\")")
    bench.tap.check(shown and wide <= 390, "they stand there as text, and the page is no wider", [str(wide)])


def losses(bench, browser, logs):
    """What the capture lost stands at the top, and in the times in which it was."""
    seen = json.loads((logs / "statistics.jsonl").read_text().splitlines()[-1])["capture"]["packets_seen"]
    said = []
    for number, lost in enumerate(({}, {"dropped_reported": 7}, {"missed_by_interfaces": 5}, {"dropped_by_ring": 3})):
        folder = bench.folder / f"lost-{number}"
        shutil.copytree(logs, folder)
        lines = program.json_lines((folder / "statistics.jsonl").read_bytes())
        for line in lines[:1] + lines[-1:]:
            line["capture"].update(lost)
        (folder / "statistics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        browser.open(bench.page(folder))
        text = browser.ask("document.querySelector('#losses').textContent")
        strips = browser.ask("document.querySelectorAll('#chart-capture .fill-stripped').length")
        expected = f"{sum(lost.values())} packets were lost, beside {seen} " if lost else f"No packet is known to be lost, beside {seen} "
        bench.tap.check(text.startswith(expected) and strips == bool(lost), f"losses: {expected}", [text, f"{strips} spans"])
        said.append(text)
    link = browser.ask("document.querySelector(document.querySelector('#losses a').getAttribute('href')).id")
    bench.tap.check(link == "capture" and len(set(said)) == len(said), "and lead to what the capture says", said)


def many(bench, browser, records):
    """20 000 sessions of as many clients, servers and operators."""
    folder = bench.folder / "many"
    folder.mkdir()
    sample = [r for r in records if r["protocol"] == "smtp" and r["verdict"] in ("encrypted", "stripped")][:40]
    with (folder / "sessions.jsonl").open("w") as out:
        for i in range(20000):
            record = dict(sample[i % len(sample)], client_ip=f"198.18.{i >> 8}.{i & 255}",
                          server_ip=f"198.19.{i % 7000 >> 8}.{i % 7000 & 255}",
                          client_name=f"mx.client-{i % 5000}.example", server_name=f"mx.server-{i % 300}.example")  # fmt: skip
            record["sni"] = None
            out.write(json.dumps(record) + "\n")
    path = bench.page(folder)
    size = path.stat().st_size
    browser.open(path)
    left = browser.ask("Array.from(document.querySelectorAll('.left-out'), (e) => e.textContent)")
    rows = browser.ask("Math.max(...Array.from(document.querySelectorAll('table'), (t) => t.rows.length))")
    bench.tap.check(size < 400_000 and rows < 60 and len(left) >= 4,
                    f"20 000 sessions make a page of {size // 1024} KiB, which says what is left out", left)  # fmt: skip
    said = browser.ask("document.querySelector('#times').textContent")
    bench.tap.check("When there was a capture is not known" in said, "without intervals it says that gaps are not known")
    lost = browser.ask("document.querySelector('#capture').textContent")
    top = browser.ask("document.querySelector('#losses').textContent")
    bench.tap.check("is not known" in lost and top.startswith("What the capture lost is not known"), "without statistics it says that losses are not known")


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--shots", help="a directory for pictures of the page")
    options = program.parse_arguments(parser)
    tap = Tap()
    if not tap.needs("chromium", "pdftotext"):
        return tap.done()
    with tempfile.TemporaryDirectory() as folder, chromium.Browser() as browser:
        bench = Bench(options, tap, folder)
        captures = [path for path in program.captures(options.pcaps)
                    if path.name.startswith(("attack-", "clean-", "imap-", "smtp-", "pop3-", "certificate-"))]  # fmt: skip
        logs = bench.folder / "logs"
        bench.run("-q", "-r", *program.readable(captures), "-w", logs, "--sensor", "one", *program.TRUST)
        tables, capture = tables_of(bench, logs)
        path = bench.page(logs)
        whole_in_itself(bench, path)
        keeps_addresses(bench, logs)
        path = bench.page(logs, "--all")
        browser.window(1280, 900)
        browser.open(path)
        asked, complaints = browser.requests(), browser.complaints()
        tap.check(asked == [path.resolve().as_uri()], "the browser asks for the file alone", asked)
        tap.check(not complaints, "and has nothing to complain of", complaints)
        tables_are_the_reports(bench, browser, tables)
        tables_read_as_the_reports(bench, browser, tables, capture)
        whole_bars_are_the_reports(bench, browser, tables, capture)
        figures_are_the_reports(bench, browser, tables)
        charts_are_the_reports(bench, browser, tables)
        bars_are_their_shares(bench, browser, tables)
        times_stand_where_they_belong(bench, browser, tables)
        paths_are_the_reports(bench, browser, tables)
        matrix_is_the_reports(bench, browser, tables)
        sorts(bench, browser)
        path = bench.page(logs)
        fits(bench, browser, path)
        prints(bench, browser, path, tables)
        without_script(bench, browser, path)
        records, alerts = (program.json_lines((logs / name).read_bytes()) for name in ("sessions.jsonl", "alerts.jsonl"))
        strangers_stay_text(bench, browser, records, alerts)
        losses(bench, browser, logs)
        many(bench, browser, records)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
