#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mirror port that delivers everything twice changes nothing but a counter.

All captures are read as they are, and with a copy of each packet a tenth of a millisecond later, routed (other
MAC addresses, TTL one less) where it can be. Records, alerts and certificates are the same, and every copy is
counted as one. Resets without an IP identification are the exception: hosts send these again and again, all
alike, so that nobody can tell which is a copy. With copies of them, too, only packets and times may differ.
Copies that come later than one can are none.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden import golden  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

DELAY = 100_000  # nanoseconds
FAR = 15_000_000  # more than a copy may take
ROUTED = b"\x02\x00\x00\x00\x0f\x01\x02\x00\x00\x00\x0f\x02"
# What a reset more in a connection changes, and what is remembered of it afterwards.
OF_RESETS = ["client_packets", "server_packets", "end", "duration", "evidence"]


def looks_like_others(segment):
    """A reset that cannot be told from another one."""
    no_id = segment.version == 6 or segment.ip[4:6] == b"\0\0"
    return bool(segment.flags & pk.RST) and no_id


def routed(packet):
    """The copy of a packet behind a router."""
    data = bytearray(packet.data)
    at = pk.ip_offset(packet.data, packet.linktype)
    if packet.linktype == cf.LINK_ETHERNET and len(data) >= 14:
        data[:12] = ROUTED
    if at is None or pk.parse_segment(packet) is None:
        return packet.with_data(bytes(data), packet.length)
    if data[at] >> 4 == 6:
        data[at + 7] -= 1
    else:
        size = (data[at] & 15) * 4
        data[at + 8] -= 1
        data[at + 10 : at + 12] = b"\0\0"
        data[at + 10 : at + 12] = pk.checksum(bytes(data[at : at + size])).to_bytes(2, "big")
    return packet.with_data(bytes(data), packet.length)


def doubled(packets, delay, resets):
    """All packets and their copies, in the order of their times as far as they were in it."""
    both, now = [], 0
    for number, packet in enumerate(packets):
        now = max(now, packet.time)
        both.append((now, number, packet))
        segment = pk.parse_segment(packet)
        if resets or not segment or not looks_like_others(segment):
            both.append((now + delay, number, routed(packet).at(packet.time + delay)))
    return [packet for *_, packet in sorted(both, key=lambda item: item[:2])]


class Bench:
    def __init__(self, tap, mailtap, folder):
        self.tap, self.mailtap, self.folder = tap, mailtap, folder

    def write(self, capture, make):
        """The capture changed, under the name that it had."""
        path = self.folder / capture.name.removesuffix(".gz")
        cf.write(path, make(cf.read(capture)), nano=True)
        return path

    def records(self, capture, make):
        try:
            return program.sessions(self.mailtap, self.write(capture, make), program.TRUST, original=capture)
        except program.RunError as error:
            self.tap.note(str(error))
            return None

    def accounting(self, captures):
        """What a run over all of them says that it read."""
        logs = self.folder / "logs"
        program.run(self.mailtap, ["-q", "-r", *captures, "--any-port", "-w", logs, "--interval", "0"], timeout=2 * program.TIMEOUT)
        return program.json_lines((logs / "statistics.jsonl").read_bytes())[-1]["capture"]


def without(record, keys):
    return {key: value for key, value in record.items() if key not in keys}


def differences(expected, found, ignored=()):
    """As golden's, of records without some fields."""
    return golden.differences(*([without(record, ignored) for record in records] for records in (expected, found)))


def check(bench, capture):
    packets = cf.read(capture)
    segments = [pk.parse_segment(packet) for packet in packets]
    expected = golden.read_golden(bench.mailtap, golden.golden_path(golden.GOLDEN, capture))
    wrong = []
    for resets in False, True:
        if resets and not any(segment and looks_like_others(segment) for segment in segments):
            continue  # the same again
        # What is inside a tunnel may be a reset as well.
        ignored = OF_RESETS if resets or None in segments else []
        found = bench.records(capture, lambda packets: doubled(packets, DELAY, resets))
        wrong += ["no records"] if found is None else differences(expected, found, ignored)
    bench.tap.check(not wrong, capture.name, wrong[:20])


def check_counts(bench, captures):
    def count(make):
        return bench.accounting([bench.write(capture, make) for capture in captures])

    before = count(lambda packets: packets)
    after = count(lambda packets: doubled(packets, DELAY, False))
    late = count(lambda packets: doubled(packets, FAR, False))
    copies = after["packets_kept"] - before["packets_kept"]
    counted = after["segments_duplicated"] - before["segments_duplicated"]
    bench.tap.check(counted > 0.98 * copies > 20000, f"{counted} of {copies} copies are counted as such",
                    [str(before), str(after)])  # fmt: skip
    bench.tap.check(late["segments_duplicated"] == 2 * before["segments_duplicated"], "what comes later is no copy",
                    [str(late)])  # fmt: skip


def main():
    tap = Tap()
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    captures = program.captures(options.pcaps)
    with tempfile.TemporaryDirectory(prefix="mailtap-mirror-") as name:
        bench = Bench(tap, options.mailtap, Path(name))
        for capture in captures:
            check(bench, capture)
        check_counts(bench, captures)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
