#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check: which room may include which, how long a function may be,
that every file says what it is."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.tap import Tap  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["capture/base", "capture", "decode", "analytics"]  # each may include itself and those before
FUNCTION_LINES = 50
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
# Hashes that are written down, and must be the same in the next run; and the one of those who make keys.
SAME_EACH_TIME = {"analytics/session_id.c", "analytics/sqlite_store.c", "analytics/network_set.c",
                  "analytics/server_fingerprint.c", "capture/base/hash.c", "decode/pattern_cache.c"}  # fmt: skip
KEY_SET = re.compile(r"\(struct hash_key\)|const struct hash_key \w+\b[^)]*;|struct hash_key \w+ = (?!hash_key_random\(\);).*")
KEY_MEMBER = re.compile(r"^\tstruct hash_key (\w+);", re.M)


def room(path):
    """The innermost room of a path below the root."""
    return next(name for name in sorted(ROOMS, key=len, reverse=True) if path.startswith(name + "/"))


def sources():
    for top in ("capture", "decode", "analytics"):
        yield from sorted(ROOT.joinpath(top).rglob("*.[ch]"))


def wrong_includes(path):
    name = str(path.relative_to(ROOT))
    allowed = ROOMS[: ROOMS.index(room(name)) + 1]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found and room(found[1] + "/") not in allowed:
            yield f"{name}:{number}: {room(name)} must not know {found[1]}"


def long_functions(path):
    """Functions whose body, braces included, is longer than a screen."""
    start = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES:
                yield f"{path.relative_to(ROOT)}:{start}: {number - start + 1} lines"
            start = None


def without_header(path):
    lines = path.read_text().splitlines()
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        yield f"{path.relative_to(ROOT)}: no licence line"
    elif path.suffix == ".h" and not lines[1].startswith("// "):
        yield f"{path.relative_to(ROOT)}: does not say what it is"


def known_keys(path):
    """Keys of tables' hashes that whoever reads this knows, or that nobody sets: what is in such tables strangers choose."""
    name, text = str(path.relative_to(ROOT)), path.read_text()
    if name in SAME_EACH_TIME:
        return
    for found in KEY_SET.finditer(text):
        yield f"{name}: {found[0]}"
    for key in KEY_MEMBER.findall(text) if path.suffix == ".c" else ():
        if not re.search(rf"\b{key} = (hash_key_random\(\)|\*\w+);", text):
            yield f"{name}: {key} is never set"


def main():
    tap = Tap()
    files = list(sources())
    checks = {
        "includes point upstream only": wrong_includes,
        f"no function is longer than {FUNCTION_LINES} lines": long_functions,
        "every file has a licence and says what it is": without_header,
        "keys of hashes are made at random": known_keys,
    }
    for what, check in checks.items():
        tap.check(bool(files) and not (bad := [line for f in files for line in check(f)]), what, bad)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
