#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Property test: a long day of honest traffic, in which nobody must be accused.

From the connections in the honest captures of pcaps/ it makes a day of a network with hundreds of
servers and thousands of sessions (day_plan.py): servers with and without STARTTLS, some that turn
it on or off, are replaced, renew their certificate or break, balancers with differing back ends, servers
that offer it to some networks only, clients that cannot agree on a cipher and come again in clear, scanners;
and a tap that loses packets, cuts them short, or sees one direction. Whatever of that may be `suspected`
is counted and printed by kind; nothing may be `probable` or `confirmed`, and no verdict `stripped`
with that confidence.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import day_plan  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import evidence, program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

SEEDS = (1, 2, 3)
SERVERS, SESSIONS = 400, 6000
SHOWN = 12
LEAST = {"encrypted": 300, "cleartext": 300, "no_mail": 50, "tls_failed": 20, "partial": 20}


def alarms(found, plan):
    """Lines on the accusations in the records, with what was really going on."""
    lines = []
    for record in found:
        for line in evidence.alarms(record) + evidence.malformed(record):
            story = plan.stories.get(record["server_ip"], "a server")
            lines.append(f"{record['start']} {records.connection(record)}: {line}; it is {story}")
    return lines


def check_day(tap, options, library, seed):
    """One day: whether it was a day at all, and whether somebody was accused."""
    plan = day_plan.plan(library, seed, options.servers, options.sessions)
    with tempfile.TemporaryDirectory(prefix="day-") as folder:
        path = Path(options.keep or folder) / f"day-{seed}.pcap"
        cf.write(path, plan.packets())
        try:
            found = program.sessions(options.mailtap, path, program.TRUST)
        except program.RunError as error:
            tap.check(False, f"day {seed}", [str(error)])
            return
    verdicts = Counter(record["verdict"] for record in found)
    offering = {record["server_ip"] for record in found if record["starttls_offered"]}
    lines = [f"{verdict}: {verdicts[verdict]}, fewer than {least}"
             for verdict, least in LEAST.items() if verdicts[verdict] < least]  # fmt: skip
    servers = {record["server_ip"] for record in found}
    tap.check(
        not lines and len(found) >= plan.connections * 0.9,
        f"day {seed}: {len(found)} sessions of {plan.connections} with {len(servers)} servers, of which "
        f"{len(offering)} offer STARTTLS",
        [*lines, ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())],
    )
    lines = alarms(found, plan)
    tap.check(not lines, f"day {seed}: nobody is accused ({len(lines)} times)", lines[:SHOWN])
    suspected = Counter(kind for record in found for kind in evidence.suspected(record))
    tap.note(f"suspected: {kind} {count}" for kind, count in suspected.most_common())
    tap.note(f"{sum(suspected.values())} suspected pieces in {len(found)} sessions")


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, action="append", help="only this day (may be repeated)")
    parser.add_argument("--servers", type=int, default=SERVERS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--keep", metavar="DIR", help="leave the captures there")
    options = program.parse_arguments(parser)
    tap = Tap()
    library = day_plan.Library(options.mailtap, options.pcaps)
    tap.note(f"made of {library.connections} connections from {library.captures} captures")
    for seed in options.seed or SEEDS:
        check_day(tap, options, library, seed)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
