#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cross-check: the attacks in pcaps/ are found, and what only looks like one is left alone.

Every capture attack-… and clean-… is read in a run of its own, and its sessions are compared with
pcaps/attacks/expected.json, which was written by hand from what the recipes do: what must be found with
which confidence, and that nothing above `suspected` is said of a session that nobody touched. How many
of the expected pieces were found is printed by attack, and by kind of evidence and confidence.
"""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import evidence, program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

EXPECTED = program.PCAPS / "attacks" / "expected.json"
NAMES = ("attack-", "clean-")


@dataclass
class Score:
    """Pieces of evidence expected, found, and found with the right confidence."""

    expected: int = 0
    found: int = 0
    right: int = 0

    def add(self, found, right):
        self.expected += 1
        self.found += found
        self.right += found and right

    def __str__(self):
        return f"{self.found} of {self.expected} found, {self.right} with the expected confidence"


@dataclass
class Scores:
    by_attack: dict = field(default_factory=lambda: defaultdict(Score))
    by_kind: dict = field(default_factory=lambda: defaultdict(Score))
    unseen: int = 0  # attacked sessions in which no tap can see it
    untouched: int = 0
    suspected: dict = field(default_factory=lambda: defaultdict(int))  # of untouched ones, by kind
    sessions: int = 0

    def add(self, attack, kind, confidence, found, right):
        self.by_attack[attack].add(found, right)
        self.by_kind[kind, confidence].add(found, right)

    def lines(self):
        yield f"{self.sessions} sessions, {self.untouched} of them untouched"
        yield f"{self.unseen} attacked sessions that no tap can tell by themselves"
        for attack, score in sorted(self.by_attack.items()):
            yield f"  {attack}: {score}"
        for (kind, confidence), score in sorted(self.by_kind.items()):
            yield f"  {kind} ({confidence}): {score}"
        for kind, count in sorted(self.suspected.items()):
            yield f"  untouched, yet {kind} suspected: {count}"


# --- one session -----------------------------------------------------------------------------


def wanted(text):
    """The alternatives in an expected value."""
    return text.split("|")


def compare_piece(pieces, kinds, confidences):
    """(found, with the right confidence) of an expected piece of evidence."""
    found = [piece["confidence"] for piece in pieces if piece["kind"] in wanted(kinds)]
    return bool(found), any(confidence in wanted(confidences) for confidence in found)


def compare_evidence(scores, attack, expected, pieces):
    """Lines on what was missed among these pieces."""
    for kinds, confidences in expected.items():
        found, right = compare_piece(pieces, kinds, confidences)
        scores.add(attack, kinds, confidences, found, right)
        if not right:
            said = [f"{piece['kind']} {piece['confidence']}" for piece in pieces] or ["nothing"]
            yield f"{kinds} {confidences} is missed; found: {', '.join(said)}"


def compare_attacked(scores, attack, row, record):
    """Lines on how the record of an attacked session is not as expected."""
    if record["client_ip"] != row["client"]:
        yield f"the client is {record['client_ip']}, not {row['client']}"
    if record["vlan"] != ([row["vlan"]] if "vlan" in row else []):
        yield f"the VLAN is {record['vlan']}, not {row.get('vlan')}"
    if record["verdict"] not in wanted(row["verdict"]):
        yield f"verdict {record['verdict']}, not {row['verdict']}"
    pieces = evidence.pieces(record)
    scores.unseen += not row["evidence"]
    yield from compare_evidence(scores, attack, row["evidence"], pieces)


def compare_untouched(scores, record):
    """Lines on false alarms in the record of a session that nobody touched."""
    scores.untouched += 1
    for kind in evidence.suspected(record):
        scores.suspected[kind] += 1
    yield from evidence.alarms(record)


# --- one capture -----------------------------------------------------------------------------


def rows_of(expected):
    """One row a session: None for one that nobody touched."""
    rows = []
    for row in expected["sessions"]:
        rows += [None] * row["untouched"] if "untouched" in row else [row]
    return rows


def compare_capture(scores, expected, found):
    rows = rows_of(expected)
    if len(rows) != len(found):
        yield f"{len(found)} sessions, not {len(rows)}"
        return
    for number, (row, record) in enumerate(zip(rows, found), 1):
        scores.sessions += 1
        lines = evidence.malformed(record)
        if row is None:
            lines += compare_untouched(scores, record)
        else:
            lines += compare_attacked(scores, expected["attack"], row, record)
        yield from (f"session {number} ({records.connection(record)}): {line}" for line in lines)


def check_capture(tap, options, scores, name, expected):
    try:
        found = program.sessions(options.mailtap, options.pcaps / name, program.TRUST)
    except program.RunError as error:
        tap.check(False, name, [str(error)])
        return
    found.sort(key=lambda record: (record["start"], record["vlan"]))
    lines = list(compare_capture(scores, expected, found))
    tap.check(not lines, f"{name}: {expected['attack'] or 'honest'}", lines)


def check_complete(tap, options, captures):
    """Every capture has its expectation, and every expectation its capture."""
    names = {path.name for path in program.captures(options.pcaps) if path.name.startswith(NAMES)}
    lines = [f"{name}: not in {EXPECTED.name}" for name in sorted(names - captures.keys())]
    lines += [f"{name}: its capture is gone" for name in sorted(captures.keys() - names)]
    tap.check(not lines, "every capture of an attack is expected to come to something", lines)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", default="", metavar="TEXT", help="only captures with this in their name")
    options = program.parse_arguments(parser)
    tap, scores = Tap(), Scores()
    captures = json.loads(EXPECTED.read_text(encoding="utf-8"))["captures"]
    if not options.only:
        check_complete(tap, options, captures)
    for name, expected in captures.items():
        if options.only in name:
            check_capture(tap, options, scores, name, expected)
    tap.note(scores.lines())
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
