#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the single tests in meson's logs (TAP lines), prints what failed, and ends with one line:
N passed, N failed. The exit code is 1 if anything failed or nothing ran."""

import json
import re
import sys

OK = re.compile(r"^\s*ok\b(?!.*#\s*SKIP)", re.MULTILINE | re.IGNORECASE)
SKIPPED = re.compile(r"^\s*ok\b.*#\s*SKIP.*$", re.MULTILINE | re.IGNORECASE)
NOT_OK = re.compile(r"^\s*not ok\b.*(?:\n\s*#.*)*", re.MULTILINE)


def read(path):
    """One (name, passed, failures as text, skips as text) for each test program of a log."""
    with open(path, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            output = test.get("stdout") or ""
            failures = NOT_OK.findall(output)
            if not failures and test["result"] not in ("OK", "SKIP"):
                failures = [f"{test['result']}\n{output[-2000:]}{(test.get('stderr') or '')[-4000:]}"]
            yield test["name"], len(OK.findall(output)), failures, SKIPPED.findall(output)


def main(paths):
    passed = failed = 0
    for path in paths:
        for name, good, failures, skips in read(path):
            passed += good
            failed += len(failures)
            for text in failures:
                print(f"{name}: {text}")
            for text in skips:
                print(f"{name}: skipped: {text}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
