#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""However many workers follow the connections, the logs are the same bytes.

All captures are merged in the order of time, so that their sessions are under way together, and read with no
worker thread, with one, and with several. Only the order of alerts that stand for others, which a table with a
secret hash gives up at the end, is not fixed: those lines are compared as a set.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

WORKERS = (1, 2, 3, 8)
LOGS = ("sessions.jsonl", "certificates.jsonl", "statistics.jsonl", "alerts.jsonl")


def logs(options, capture, workers, folder):
    directory = Path(folder) / str(workers)
    command = [options.mailtap, "-r", capture, "-q", "--interval", "1", "--workers", str(workers), "-w", directory]
    subprocess.run(command, check=True, timeout=4 * program.TIMEOUT)
    found = {name: (directory / name).read_bytes() for name in LOGS}
    found["alerts.jsonl"] = b"".join(sorted(found["alerts.jsonl"].splitlines(keepends=True)))
    return found


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="workers-") as folder:
        captures = sorted(path for path in options.pcaps.iterdir() if path.suffix in (".pcap", ".pcapng"))
        merged = Path(folder) / "merged.pcapng"
        subprocess.run(["mergecap", "-w", merged, *captures], check=True)
        expected = logs(options, merged, 0, folder)
        sessions = expected["sessions.jsonl"].count(b"\n")
        tap.check(sessions >= len(captures), f"{sessions} sessions of {len(captures)} captures together")
        for workers in WORKERS:
            found = logs(options, merged, workers, folder)
            for name in LOGS:
                tap.check(found[name] == expected[name], f"{name} with {workers} worker threads")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
