#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Property test: what the network or the tap does to the packets must not invent facts.

From each capture of pcaps/ it makes variants (transform.py) and compares their records with the
original's by the rules in rules.py: transformations that keep every byte must keep every fact;
those that lose packets may only turn facts into "not seen". Any failure can be repeated with the
options that are printed with it; `--keep DIR` keeps the variants that failed.

`--share N` makes one in N of the variants: which ones the seed says, and N seeds in a row make a variant of
every kind from every capture. Those that once failed are made always. tests/run.sh makes a sixth of them,
and with the sanitizers, which take five times as long, a twenty-fourth, other ones. All of them, some minutes:

    MAILTAP=build/mailtap MAILTAP_FORK_SERVER=build/tests/fork_server.so python3 tests/property/variants.py
"""

import itertools
import random
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import rules  # noqa: E402
import transform  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import program, records  # noqa: E402
from lib.tap import Tap  # noqa: E402

REGRESSIONS = Path(__file__).resolve().with_name("regressions.txt")
DEFAULT_SEED = 1
SHOWN_PER_KIND = 15
MOST_CUTS = 150  # of a capture, to learn what its fields were on the way


@dataclass(frozen=True)
class Task:
    """One variant to make and to judge."""

    mailtap: str
    capture: Path
    kind: str
    seed: int
    round: int
    keep: Path | None

    def again(self):
        """The options that make this variant again."""
        return f"--only {self.capture.name} --kind {self.kind} --seed {self.seed} --round {self.round}"

    def file_name(self):
        return f"{self.capture.stem}.{self.kind}.{self.seed}.{self.round}"


@dataclass
class Result:
    """What came out of a task: comparisons made, and what was wrong."""

    task: Task
    compared: int = 0
    problems: list = field(default_factory=list)  # (field, text)


@lru_cache(maxsize=8)
def original(mailtap, capture):
    """The capture's records by connection, and its packets as a Trace."""
    groups = records.by_connection(program.sessions(mailtap, capture, program.TRUST))
    servers = {flow: records.endpoints(group[0])[1] for flow, group in groups.items()}
    return groups, transform.Trace(cf.read(capture), servers)


@lru_cache(maxsize=8)
def history(mailtap, capture):
    """connection -> LAST_SEEN field -> the values it has where the capture ends earlier."""
    _, trace = original(mailtap, capture)
    found = {flow: {name: [] for name in rules.LAST_SEEN} for flow in trace.servers}
    indexes = trace.mail_indexes()
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        path = Path(folder) / capture.name
        for index in indexes[:: 1 + len(indexes) // MOST_CUTS]:
            cf.write(path, trace.packets[:index])
            groups = records.by_connection(program.sessions(mailtap, path, program.TRUST, original=capture))
            for flow, group in groups.items():
                for record, name in itertools.product(group, rules.LAST_SEEN):
                    found[flow][name].append(record[name])
    return found


def judge(task):
    """Make one variant, run mailtap on it, compare."""
    result = Result(task)
    kind = transform.KINDS[task.kind]
    groups, trace = original(task.mailtap, task.capture)
    if not trace.mail_indexes():
        return result
    rng = random.Random(f"{task.seed}/{task.capture.name}/{task.kind}/{task.round}")
    packets = kind.make(rng, trace)
    if packets == trace.packets and not kind.always_differs:
        return result
    with tempfile.TemporaryDirectory(prefix="variant-") as folder:
        path = Path(folder) / task.file_name()
        kind.write(path, packets)
        try:
            arguments = {"extra": program.TRUST, "codes": (0,), "original": task.capture}
            found = records.by_connection(program.sessions(task.mailtap, path, **arguments))
        except program.RunError as error:
            result.problems.append(("(run)", str(error)))
        else:
            compare(result, groups, found, kind, packets, trace.servers)
        if result.problems and task.keep:
            shutil.copy(path, task.keep)
    return result


def compare(result, before, after, kind, packets, servers):
    """All connections of the original and the variant."""
    left = cache(lambda: remaining(packets, servers))  # seldom asked for
    for flow in sorted(before.keys() | after.keys()):
        old, new = before.get(flow, []), after.get(flow, [])
        if len(new) > len(old) or len(new) < len(old) and (kind.lossless or expected(old, left)):
            title = records.connection((old or new)[0])
            result.problems.append(("(records)", f"{title}: {len(old)} records, now {len(new)}"))
        elif len(old) == len(new):
            for one, other in zip(old, new):
                compare_records(result, kind, flow, one, other)


def remaining(packets, servers):
    """The connections that still have a packet that says something: SYN or payload."""
    trace = transform.Trace(packets, servers)
    return {s.flow for s in trace.segments if s and (s.size or s.flags & transform.pk.SYN)}


def expected(old, left):
    """Must this connection still be reported? On a mail port, once, with a packet that says something."""
    flow = tuple(sorted(records.endpoints(old[0])))
    return len(old) == 1 and old[0]["server_port"] in records.MAIL_PORTS and flow in left()


def compare_records(result, kind, flow, one, other):
    def earlier():
        return history(result.task.mailtap, result.task.capture)[flow]

    compared, wrong = rules.violations(kind, result.task.capture.name, one, other, earlier)
    result.compared += compared
    for name in wrong:
        values = [program.show(record.get(name, "(no such field)"), 100) for record in (one, other)]
        result.problems.append((name, f"{records.connection(one)} {name}: {values[0]} -> {values[1]}"))


# --- the run ---------------------------------------------------------------------------------


def tasks(options):
    """All variants to make: captures outermost, so that a worker parses each only once or twice."""
    rounds = [options.round] if options.round is not None else range(options.rounds)
    for capture in program.readable(program.captures(options.pcaps)):
        if options.only and options.only not in capture.name:
            continue
        for kind in options.kind or transform.KINDS:
            if not shared(options, capture, kind):
                continue
            for number in rounds:
                yield Task(options.mailtap, capture, kind, options.seed, number, options.keep)
    if options.round is None:
        yield from regressions(options)


def shared(options, capture, kind):
    """Is it this seed's turn? By their names, so that one more capture does not move all others."""
    return (zlib.crc32(f"{capture.name}/{kind}".encode()) + options.seed) % options.share == 0


def regressions(options):
    """Variants that once failed, of those captures and kinds that are asked for."""
    for line in REGRESSIONS.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, kind, seed, number = line.split()
        asked = kind in (options.kind or transform.KINDS) and (options.only or "") in name
        if asked:
            capture = options.pcaps / name
            yield Task(options.mailtap, capture, kind, int(seed), int(number), options.keep)


def report(tap, kind, results, most):
    """One TAP line for a kind, with its problems."""
    compared = sum(result.compared for result in results)
    variants = sum(1 for result in results if result.compared)
    fields = Counter(name for result in results for name, _ in result.problems)
    lines = [f"{variants} variants, {compared} comparisons"]
    if fields:
        lines.append("wrong: " + ", ".join(f"{name} {n}" for name, n in fields.most_common()))
    shown = 0
    for result in results:
        for _, line in result.problems:
            if shown < most:
                lines += [line, f"    {result.task.again()}"]
            shown += 1
    if shown > most:
        lines.append(f"and {shown - most} more")
    if not compared:
        lines.append("nothing was compared")
    tap.check(compared > 0 and not fields, kind, lines)


def main():
    parser = program.arguments(__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--rounds", type=int, default=1, help="variants of each kind and capture")
    parser.add_argument("--round", type=int, help="only this round, as a failure names it")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="one in N, by the seed")
    parser.add_argument("--kind", action="append", choices=list(transform.KINDS), metavar="KIND")
    parser.add_argument("--only", metavar="TEXT", help="only captures with this in their name")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the variants that failed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--all", action="store_true", help="print every problem")
    options = program.parse_arguments(parser)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    tap = Tap()
    tap.note(f"seed {options.seed}, {options.rounds} rounds, one in {options.share}")
    results = {kind: [] for kind in options.kind or transform.KINDS}
    with ProcessPoolExecutor(options.jobs) as pool:
        for result in pool.map(judge, tasks(options), chunksize=8):
            results[result.task.kind].append(result)
    for kind, found in results.items():
        report(tap, kind, found, sys.maxsize if options.all else SHOWN_PER_KIND)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
