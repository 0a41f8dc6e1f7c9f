#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates are judged at the time of the packets: one capture moved to other years, judged there.

Its certificate and the authority's are valid from 2020 to 2098; the last tenth begins in 2091.
"""

import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

CAPTURE = "certificate-good-rsa-postfix-curl.pcap"
# At noon of each day: status, expires soon, client_verifies. curl had no reason to refuse it in its own year;
# moved, it is a client that goes on over a certificate that no check lets pass.
DAYS = {
    "2019-12-31": (["not_yet_valid"], False, False),
    "2020-01-01": ([], False, None),
    "2091-01-01": ([], False, None),
    "2091-12-31": ([], True, None),
    "2098-12-30": ([], True, None),
    "2099-01-02": (["expired"], False, False),
}


def moved(packets, day):
    """The packets as if the first had come at noon of that day."""
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=timezone.utc)
    shift = int(noon.timestamp()) * 10**9 - packets[0].time
    return [packet.at(packet.time + shift) for packet in packets]


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    packets = cf.read(options.pcaps / CAPTURE)
    with tempfile.TemporaryDirectory(prefix="packet-time-") as folder:
        path = Path(folder) / CAPTURE
        for day, expected in DAYS.items():
            cf.write_pcap(path, moved(packets, day))
            (record,) = program.sessions(options.mailtap, path, program.TRUST)
            keys = ("certificate_status", "certificate_expires_soon", "client_verifies")
            found = tuple(record[key] for key in keys)
            right = found == expected and record["start"].startswith(day)
            tap.check(right, f"on {day}", [] if right else [f"{found} instead of {expected}"])
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
