# SPDX-License-Identifier: Apache-2.0
"""TAP version 13 output: one line per check, `# ` lines for what explains it."""

import shutil
import sys


class Tap:
    """Counts and prints checks; `done` prints the plan and gives the exit code."""

    def __init__(self):
        self.count = 0
        self.failed = 0
        print("TAP version 13", flush=True)

    def check(self, passed, name, details=()):
        """One check. `details` (lines) are printed whether it passed or not."""
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {_plain(name)}")
        self.note(details)
        return passed

    def needs(self, *programs):
        """Programs of packages that configs/debian-packages names for the tests: without them a test fails. One that was
        passed over where they ought to be would look like one that passed."""
        missing = [name for name in programs if not shutil.which(name)]
        if missing:
            self.check(False, "the programs that this test needs", [f"no {', '.join(missing)}: see configs/install-packages.sh test"])
        return not missing

    def skip(self, name, reason):
        """A check that could not be made, and why: loud, so that nobody takes it for passed."""
        self.count += 1
        print(f"ok {self.count} - {_plain(name)} # SKIP {reason}", flush=True)

    def note(self, lines):
        for line in [lines] if isinstance(lines, str) else lines:
            print(f"# {line}")
        sys.stdout.flush()

    def done(self):
        """Print the plan. A test that checked nothing has failed."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def _plain(name):
    """A description without `#`, which would start a TAP directive."""
    return str(name).replace("#", "").strip()
