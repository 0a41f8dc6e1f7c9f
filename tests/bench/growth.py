# SPDX-License-Identifier: Apache-2.0
"""How what a packet costs, and memory, grow with what the traffic is like: curves as SVG, in curves/."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import goals
import svg
import traces
from generate import LARGE_SESSION
from measure import middle, ratio, resident, tcpdump

from lib import program

CURVES = Path(__file__).resolve().parent / "curves"
INSTRUCTIONS_MOST = 1_000_000  # packets of a trace that callgrind is worth
CERTIFICATES = "imap-implicit-tls12-dovecot-curl"
CERTIFICATES_KEPT = 22  # packets, the last with data of both sides
SERIAL = b"\xa0\x03\x02\x01\x02\x02"  # the version of a certificate, and the tag of its serial number


@dataclass
class Curve:
    """Something that traffic can have more or less of."""

    name: str
    label: str
    logarithmic: bool
    values: Callable  # Bench -> list of x
    trace: Callable  # Bench, x -> trace


def mixed(bench, share):
    size = bench.size("150M", "6M")
    return goals.mixture(bench, f"mail-{share}", "--mail", share, "--concurrent", 20, "--size", size)


def disturbed(name):
    """Traces of the same sessions, all short ones of the captures; `name` says what happens to their packets."""

    def trace(bench, share):
        picks = [pick for pick in traces.templates(program.PCAPS) if pick.size < LARGE_SESSION]
        make = traces.numbered(picks, goals.SERVERS)

        def disturb(number):
            return traces.Disturbed(make(number), random.Random(number), **{"loss": 0, "reorder": 0, name: share})

        return bench.trace(f"{name}-{share}", traces.together(disturb, bench.size(20_000, 1_000), 100))

    return trace


def open_at_once(bench, concurrent):
    return goals.open_at_once(bench, bench.size(1_000_000, 5_000), concurrent)


def servers(bench, count):
    """Sessions in the clear with so many servers."""
    total = bench.size(200_000, 3_000)
    make = traces.numbered(goals.of_captures(goals.CLEARTEXT[:1]), count)
    return bench.trace(f"servers-{count}", traces.together(make, total, 500), goals.SLOW)


def with_certificates(count):
    """Makes sessions whose server shows one of so many certificates.

    They differ in their serial numbers. No signature fits, and all of it is judged nevertheless. A server keeps
    the one that it has, as far as there are servers.
    """
    (session,) = (pick.cut(0, CERTIFICATES_KEPT) for pick in goals.of_captures([CERTIFICATES]))
    index = next(index for index in range(len(session.parts)) if SERIAL in session.payload(index))
    at = session.payload(index).index(SERIAL) + len(SERIAL)
    end = at + 1 + session.payload(index)[at]
    make = traces.numbered([session], min(count, goals.SERVERS))

    def certified(number):
        made = make(number)
        made.template = session.patched(index, end - 4, (number % count).to_bytes(4, "big"))
        return made

    return certified


def certificates(bench, count):
    total = bench.size(200_000, 3_000)
    return bench.trace(f"certificates-{count}", traces.together(with_certificates(count), total, 500), goals.SLOW)


def upto(whole, quick, least=1):
    """Powers of ten from the least to the most."""

    def values(bench):
        most, value, found = bench.size(whole, quick), least, []
        while value < most:
            found.append(value)
            value *= 10
        return [*found, most]

    return values


def shares(*values):
    return lambda bench: list(values)


ALL = [
    Curve("concurrent", "sessions at once", True, upto(1_000_000, 5_000, 100), open_at_once),
    Curve("mail", "share of packets that are mail", False, shares(0, 0.02, 0.1, 0.25, 0.5, 0.75, 1), mixed),
    Curve("loss", "share of packets lost", False, shares(0, 0.01, 0.05, 0.1, 0.2, 0.4), disturbed("loss")),
    Curve("reorder", "share of packets out of order", False, shares(0, 0.01, 0.05, 0.1, 0.25, 0.5), disturbed("reorder")),
    Curve("certificates", "distinct certificates", False, upto(200_000, 3_000), certificates),
    Curve("servers", "servers", True, upto(200_000, 3_000), servers),
]
HEAD = "| curve | x | CPU ÷ tcpdump | instructions a packet | MiB |\n|---|---|---|---|---|"


def measure(bench, curve, folder):
    """Rows of the table; and draws the curve."""
    panels = [
        svg.Panel("CPU time", "× tcpdump's on the same trace", []),
        svg.Panel("Instructions", "a packet", []),
        svg.Panel("Memory", "MiB, most that was resident", []),
    ]
    for x in curve.values(bench):
        trace = curve.trace(bench, x)
        runs = bench.in_turns({"tcpdump": tcpdump(trace), "mailtap": bench.command(trace)})
        remark = goals.not_followed(bench.capture())
        few = bench.packets(trace) <= INSTRUCTIONS_MOST
        found = [ratio(runs["mailtap"], runs["tcpdump"]), bench.instructions(trace) if few else None,
                 middle(runs["mailtap"], resident)]  # fmt: skip
        for panel, y in zip(panels, found):
            if y is not None:
                panel.points.append((x, y))
        shown = [f"{found[0]:.2f}", f"{found[1]:.0f}" if found[1] else "–", f"{found[2]:.0f}{remark}"]
        yield f"| {curve.name} | {x:g} | {' | '.join(shown)} |"
        bench.drop(trace)
    label = curve.label + (" (small traces)" if bench.quick else "")
    drawn = svg.figure([panel for panel in panels if panel.points], label, curve.logarithmic)
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath(f"{curve.name}.svg").write_text(drawn)
