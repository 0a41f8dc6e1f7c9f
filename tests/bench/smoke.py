#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' traces are what they claim to be. Measures nothing."""

import random
import sys
import tempfile
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path

import goals
import growth
import shapes
import svg
import traces

from lib import capture_file as cf
from lib import packets as pk
from lib import program
from lib.tap import Tap

FEW = 6  # sessions of a trace


class Small:
    """In the place of what measures: everything as small as can be."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def size(self, whole, quick):
        return FEW

    def trace(self, name, frames, rate=traces.RATE):
        path = self.folder / f"{name}.pcap"
        traces.write(path, frames, rate)
        return path


def wrong_checksums(path):
    """How many segments of a trace have one."""
    pairs = ((packet, pk.parse_segment(packet)) for packet in cf.read(path))
    return sum(pk.build(packet, segment).data != packet.data for packet, segment in pairs)


def frames_of(path):
    return Counter(packet.data for packet in cf.read(path))


def check_numbers(tap, options, small):
    """As many at once as were asked for changes the order, and nothing else."""
    one, all_of_them = (goals.open_at_once(small, 2 * FEW, concurrent) for concurrent in (1, 2 * FEW))
    tap.check(frames_of(one) == frames_of(all_of_them), "the same frames, one session after the other or at once")
    tap.check(one.read_bytes() != all_of_them.read_bytes(), "in another order")
    tap.check(wrong_checksums(one) == 0, "checksums are right")
    for path in (one, all_of_them):
        found = program.sessions(options.mailtap, path)
        verdicts = Counter(record["verdict"] for record in found)
        tap.check(verdicts == {"encrypted": 2 * FEW}, f"{path.name}: {dict(verdicts)}")


def check_certificates(tap, options, small):
    for count in (1, 4):
        path = small.trace(f"certificates-{count}", traces.together(growth.with_certificates(count), FEW, 2))
        chains = {tuple(record["server_chain"]) for record in program.sessions(options.mailtap, path)}
        tap.check(len(chains) == count, f"{len(chains)} of {count} certificates")


def check_disturbed(tap):
    pick = traces.template(shapes.of_pairs(shapes.CLEARTEXT))

    def frames(loss, reorder):
        session = traces.Disturbed(traces.numbered([pick], 1)(0), random.Random(1), loss, reorder)
        return list(iter(session.next, None))

    whole, late, lost = frames(0, 0), frames(0, 0.5), frames(0.3, 0)
    tap.check(late != whole and Counter(late) == Counter(whole), "frames out of order, and all of them")
    tap.check(0 < len(lost) < len(whole) and not Counter(lost) - Counter(whole), "frames lost, and none made")


def check_shapes(tap, options, small):
    for shape in shapes.ALL:
        path = small.trace(shape.__name__, shape(small))
        records = program.sessions(options.mailtap, path)
        tap.check(records and wrong_checksums(path) == 0, f"{shape.__name__}: {len(records)} sessions")
    stripped = Counter(record["verdict"] for record in records)
    tap.check(stripped == {"stripped": FEW}, f"sessions with evidence: {dict(stripped)}")


def check_curves(tap):
    for logarithmic, points in ((True, [(1, 0.5), (1000, 70), (10**6, 900)]), (False, [(0, 0), (0.5, 0)])):
        drawn = svg.figure([svg.Panel("time", "seconds", points)] * 2, "x & y", logarithmic)
        circles = sum(element.tag.endswith("circle") for element in xml.etree.ElementTree.fromstring(drawn).iter())
        tap.check(circles == 2 * len(points), f"{circles} points drawn")


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        small = Small(folder)
        check_numbers(tap, options, small)
        check_certificates(tap, options, small)
        check_disturbed(tap)
        check_shapes(tap, options, small)
    check_curves(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
