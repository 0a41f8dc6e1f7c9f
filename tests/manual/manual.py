#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The man pages say all that there is, and nothing that there is not: options and commands, keys of the configuration
file, keys of records, tables, metrics. What can be written from its one place is (--update writes it); the rest is
held to it. mandoc and man-db find nothing wrong with them."""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402
import pages  # noqa: E402
import truth  # noqa: E402

# Where in mailtap-records(5) the keys of what is written stand. A new log has a row here, and a section there.
SECTIONS = {
    "sessions.jsonl": {"SESSION RECORDS", "EVIDENCE"},
    "certificates.jsonl": {"CERTIFICATE RECORDS"},
    "domains.jsonl": {"DOMAIN RECORDS"},
    "lookups.jsonl": {"LOOK-UP RECORDS"},
    "messages.jsonl": {"MESSAGE RECORDS"},
    "alerts.jsonl": {"ALERT RECORDS", "EVIDENCE"},
    "statistics.jsonl": {"STATISTICS RECORDS", "CAPTURE", "TABLES"},
    "mailtap servers --json": {"SERVERS"},
    "mailtap report --json": {"CAPTURE", "TABLES"},
}
OWN_PAGES = "|".join(re.escape(page.rpartition(".")[0]) for page in pages.PAGES)


# --- their form ------------------------------------------------------------------------------


WIDTH = 80  # of a terminal


def said_by(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": str(WIDTH)})  # fmt: skip
    return program.text(done.stdout), program.text(done.stderr)


def check_form(tap, page):
    path = pages.MAN / page
    # It looks for the others where they are not installed yet.
    wrong = [line for line in said_by("mandoc", "-T", "lint", path)[0].splitlines()
             if not re.search(rf"referenced manual not found: Xr ({OWN_PAGES}) ", line)]  # fmt: skip
    tap.check(not wrong, f"{page}: mandoc -T lint", wrong[:20])
    shown, said = said_by("man", "--warnings", "-E", "UTF-8", "-l", path)
    wrong = said.splitlines()
    words = {"NAME", "DESCRIPTION", "SEE ALSO"}
    wrong += [f"no {word}" for word in words if not re.search(rf"^{word}$", shown, re.M)]
    wrong += [f"too wide: {line}" for line in shown.splitlines() if len(line) > WIDTH]
    tap.check(not wrong, f"{page}: man shows it", wrong[:20])


def check_parts(tap, page, parts):
    found = pages.parts_of(page)
    for name, text in found.items():
        lines = list(difflib.unified_diff(text.splitlines(), parts[name].splitlines(), "written", "wanted", "", "", 0))
        lines += ["tests/manual/manual.py --update writes it"] * bool(lines)
        tap.check(text and not lines, f"{page}: {name}, as there are", lines[:20])


# --- what they say ---------------------------------------------------------------------------


def check_commands(tap, mailtap):
    usage = truth.commands_of(truth.help_of(mailtap).usage)
    table = truth.command_table()
    tap.check(usage == table and table, f"--help names the {len(table)} commands", [] if usage == table else [f"{usage} {table}"])


def check_mentioned(tap, mailtap):
    """Options that the pages speak of."""
    own = truth.help_of(mailtap)
    known = {option.name for option in own.options} | {option.letter for option in own.options}
    for name in truth.commands_of(own.usage):
        known |= {option.name for option in truth.help_of(mailtap, name).options}
    mentioned = {word for page in pages.PAGES for word in re.findall(r"\bFl -?(\w[\w-]*)", pages.read(page))}
    unknown = sorted(mentioned - known)
    tap.check(len(known) > 40 and not unknown, f"{len(mentioned)} options are spoken of, which there are", unknown)
    sections = {key.section for key in truth.configuration()}
    keys = {key.name for key in truth.configuration()}
    names = {option.name for option in own.options}
    tap.check(keys <= names and len(sections) > 5, f"{len(keys)} keys are options", sorted(keys - names))


def documented_keys(sections=None):
    """What stands as a variable in these sections of the page on records; in all but that on metrics."""
    found = set()
    for part in re.split(r"^\.Sh ", pages.read("mailtap-records.5"), flags=re.M):
        title = part.partition("\n")[0]
        if title in sections if sections else title != "METRICS":
            for line in part.splitlines():
                if line.startswith((".Va ", ".It Va ")):
                    found |= {word for word in line.split() if re.fullmatch(r"[a-z][a-z0-9_]*", word)}
    return found


def check_records(tap, seen, tables):
    for name, keys in seen.items():
        missing = sorted(keys - documented_keys(SECTIONS[name]) - tables)
        tap.check(keys and not missing, f"{name}: {len(keys)} keys are documented", missing)
    documented, written = documented_keys(), truth.written_keys()
    missing = sorted(written - documented)
    tap.check(len(written) > 150 and not missing, f"so are all {len(written)} that writers name", missing)
    unknown = sorted(documented - truth.literals())
    tap.check(not unknown, f"{len(documented)} documented keys are written by somebody", unknown)


def check_evidence(tap):
    kinds = set(re.findall(r'\] = "(\w+_\w+)"', (truth.ANALYTICS / "evidence.c").read_text()))
    documented = set(re.findall(r"^\.It Sy (\w+)$", pages.read("mailtap-records.5"), re.M))
    tap.check(kinds == documented and kinds, f"{len(kinds)} kinds of evidence", sorted(kinds ^ documented))


def check_tables(tap, columns, seen):
    """The columns of the sources are those of the rows."""
    wrong = [f"{name}: {sorted(keys ^ {key for key, _ in columns.get(name, [])})}"
             for name, keys in seen.items() if keys and keys != {key for key, _ in columns.get(name, [])}]  # fmt: skip
    wrong += [f"{name}: no such table" for name in columns.keys() ^ seen.keys()]
    rows = sum(bool(keys) for keys in seen.values())
    tap.check(rows > 10 and not wrong, f"{len(columns)} tables, {rows} of them seen with rows", wrong)


# --- the documents ---------------------------------------------------------------------------


def anchors(text):
    """The places of a page that a link can name: its headings, as Markdown's readers make them."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def wrong_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        name, _, place = target.partition("#")
        path = page.parent / name if name else page
        if re.match(r"https?:", target):
            continue
        if not path.exists():
            yield f"{page.name}: {target}: there is no such file"
        elif place and place not in anchors(path.read_text()):
            yield f"{page.name}: {target}: there is no such heading"


def documents():
    folders = ("", "analytics/evidence", "configs", "configs/docs", "configs/prometheus", "configs/clickhouse", "configs/grafana")
    return sorted(page for name in folders for page in (program.ROOT / name).glob("*.md"))


def options_spoken_of(text):
    """Options of mailtap in a page: alone in a code span, or behind its name in one or on a line of its own."""
    spans = [span for span in re.findall(r"`([^`\n]+)`", text) if re.match(r"(mailtap |--)", span)]
    lines = [line.strip() for line in text.splitlines() if re.match(r"\s*(sudo )?mailtap ", line)]
    commands = [re.split(r" [|#>] |   ", words)[0] for words in spans + lines]
    return {name for words in commands for name in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", words)}


def words_of_sources():
    """What a source, or a view of SQL, calls something."""
    sources = [path for name in ("analytics", "capture", "decode", "configs/sql", "configs/clickhouse")
               for path in (program.ROOT / name).rglob("*") if path.suffix in (".c", ".h", ".sql")]  # fmt: skip
    return {path.stem for path in sources}.union(*(re.findall(r"\w+", path.read_text()) for path in sources))


def check_documents(tap, mailtap):
    """Options in the documents, and names of keys, tables and views, are none of yesterday's."""
    helps = [truth.help_of(mailtap), *(truth.help_of(mailtap, name) for name in truth.command_table())]
    options, words = {option.name for found in helps for option in found.options}, words_of_sources()
    words |= {form for name, *_ in truth.metrics() for form in (name, name.removesuffix("_total"))}
    wrong, count = [], 0
    for page in documents():
        if page.name.startswith(("adding-", "dpdk")):  # of what is to come, and of words for DPDK
            continue
        spoken, names = options_spoken_of(page.read_text()), set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", page.read_text()))
        foreign = {"fsync_after_insert", "http_port", "https_port"}  # of ClickHouse
        count += len(spoken) + len(names)
        wrong += [f"{page.parent.name}/{page.name}: --{name}: there is no such option" for name in sorted(spoken - options)]
        wrong += [f"{page.parent.name}/{page.name}: {name}: nothing has this name" for name in sorted(names - words - foreign)]
    tap.check(count > 400 and not wrong, f"{count} options and names in the documents are there", wrong)


def check_links(tap):
    found = documents()
    wrong = [line for page in found for line in wrong_links(page)]
    tap.check(len(found) > 10 and not wrong, f"links of {len(found)} pages lead somewhere", wrong)
    listed = (program.ROOT / "configs/docs/README.md").read_text()
    missing = [page.name for page in found if page.parent.name == "docs" and f"({page.name}" not in listed]
    missing.remove("README.md")
    tap.check(not missing, "configs/docs/README.md lists all documents", missing)


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write the parts that come of what there is")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        logs = truth.run_over_all(options.mailtap, options.pcaps, Path(folder))
        seen, tables, described = truth.seen_keys(options.mailtap, Path(folder), logs)
    columns = truth.columns()
    parts = pages.all_parts(options.mailtap, [line for line in described if line["table"]])
    for page in pages.PAGES:
        if options.update:
            (pages.MAN / page).write_text(pages.with_parts(page, parts))
        check_form(tap, page)
        check_parts(tap, page, parts)
    check_commands(tap, options.mailtap)
    check_mentioned(tap, options.mailtap)
    check_tables(tap, columns, tables)
    check_records(tap, seen, set(columns))
    check_evidence(tap)
    check_documents(tap, options.mailtap)
    check_links(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
