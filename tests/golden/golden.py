#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden records: every capture of pcaps/ gives the session records that were once read and agreed on.

Each capture NAME has `tests/golden/NAME.jsonl`, one session record a line. A capture with a key log
beside it is read with it, one of ports that are not known for mail with --any-port. A capture without
a golden file fails, and so does a golden file whose capture is gone. After a wanted change:
`golden.py --update`, then read the difference before you commit it.
"""

import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

GOLDEN = Path(__file__).resolve().parent
ABSENT = object()
# What says of a session that it is the same and whole; the rest may come of what was seen before it.
SESSION = [
    "start", "end", "client_ip", "client_port", "server_ip", "server_port", "protocol", "verdict",
    "client_packets", "server_packets", "client_bytes", "server_bytes", "saw_start", "directions",
    "client_missing_bytes", "server_missing_bytes",
]  # fmt: skip

# Verdicts between which what is known of the same server from another capture may decide.
NOT_PROTECTED = ["cleartext", "no_mail", "stripped"]


def golden_path(folder, capture):
    return folder / f"{capture.name}.jsonl"


def differences(expected, found):
    """Lines that say, record by record and field by field, what is not as it was."""
    lines = []
    if len(expected) != len(found):
        lines.append(f"{len(expected)} records expected, {len(found)} found")
    for number, (old, new) in enumerate(zip(expected, found), 1):
        for field in sorted(old.keys() | new.keys()):
            lines += _field_difference(number, field, old.get(field, ABSENT), new.get(field, ABSENT))
    for number in range(len(found), len(expected)):
        lines.append(f"record {number + 1} is gone: {records.connection(expected[number])}")
    for number in range(len(expected), len(found)):
        lines.append(f"record {number + 1} is new: {records.connection(found[number])}")
    return lines


def _field_difference(number, field, old, new):
    if ABSENT not in (old, new) and records.same(old, new):
        return []
    shown = ["(no such field)" if value is ABSENT else program.show(value) for value in (old, new)]
    return [f"record {number} {field}:", f"    expected {shown[0]}", f"    found    {shown[1]}"]


def write_golden(path, found):
    lines = (json.dumps(record, ensure_ascii=True, separators=(", ", ": ")) for record in found)
    path.write_text("".join(line + "\n" for line in lines))


def read_golden(mailtap, path):
    expected = program.json_lines(path.read_bytes())
    return expected if program.names_all(mailtap) else program.without_names(expected)


def compare(tap, mailtap, capture, folder, update):
    """One capture against its golden file, or the golden file from the capture."""
    golden = golden_path(folder, capture)
    try:
        found = program.sessions(mailtap, capture, program.TRUST)
    except program.RunError as error:
        tap.check(False, capture.name, [str(error)])
        return
    if update:
        write_golden(golden, found)
    if not golden.exists():
        tap.check(False, capture.name, [f"no golden file: read what --update writes to {golden.name}"])
        return
    lines = differences(read_golden(mailtap, golden), found)
    tap.check(not lines, capture.name, lines)


def compare_together(tap, mailtap, paths, folder):
    """All captures read as one traffic, whose time goes back and forth: the sessions are those of each.

    All ports are followed: mail must not be found where there is none.
    """

    def value(record, field):
        if field == "verdict" and record[field] in NOT_PROTECTED:
            return NOT_PROTECTED
        return record[field]

    def sessions(found):
        return Counter(program.show([value(record, field) for field in SESSION], 999) for record in found)

    golden = (golden_path(folder, path) for path in paths)
    expected = sum((sessions(read_golden(mailtap, path)) for path in golden), Counter())
    for order, name in ((paths, "all together"), (paths[::-1], "all together, the last one first")):
        others = ["--any-port", "-r", *order[1:]]
        for path in order[1:]:
            others += program.keylog_arguments(program.keylog_of(path))
        try:
            found = sessions(program.sessions(mailtap, order[0], others))
        except program.RunError as error:
            tap.check(False, name, [str(error)])
            continue
        lines = [f"expected {session}" for session in (expected - found).elements()]
        lines += [f"found    {session}" for session in (found - expected).elements()]
        tap.check(not lines, name, lines)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="the folder of the golden files")
    parser.add_argument("--update", action="store_true", help="write what mailtap says now")
    parser.add_argument("names", nargs="*", help="only captures with one of these in their name")
    options = program.parse_arguments(parser)
    tap = Tap()
    paths = program.captures(options.pcaps)
    names = [path.name for path in paths]
    for path in paths:
        if names.count(path.name) > 1:
            tap.check(False, path.name, ["two captures of this name: they would share a golden file"])
        elif not options.names or any(part in path.name for part in options.names):
            compare(tap, options.mailtap, path, options.golden, options.update)
    if not options.names:
        compare_together(tap, options.mailtap, paths, options.golden)
        for golden in sorted(options.golden.glob("*.jsonl")):
            if golden.name.removesuffix(".jsonl") not in names:
                tap.check(False, golden.name, ["its capture is gone"])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
