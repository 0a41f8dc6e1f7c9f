#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of bounds (configs/bounds.md) say what the sources say.

Each constant named there has the value that is given, each bound of the sources (by its name: ..._MAX, ..._LIMIT,
..._MOST, ..._LONGEST) stands there, what is said to tell of it is there to be read, and so are the tests that go to
it. How well a test does that, only a reader can say.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.tap import Tap  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "configs" / "bounds.md"
EXAMPLE = ROOT / "configs" / "mailtap.yaml"
BOUND = re.compile(r"(^|_)(MAX|LIMIT|MOST|LONGEST)(_|$)")
CONSTANT = re.compile(r"`(\w+\.[ch]) (\w+)`")
QUOTED = re.compile(r"`([^`]+)`")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ms": 10**6, "s": 10**9, "min": 60 * 10**9,
         "h": 3600 * 10**9, "d": 86400 * 10**9}  # fmt: skip
ENUM = re.compile(r"\benum\s*\w*\s*\{([^}]*)\}")
ENUMERATOR = re.compile(r"\b([A-Z][A-Z0-9_]*)\b\s*(?:=\s*([^,]*))?(?:,|$)")
DEFINE = re.compile(r"^#define[ \t]+([A-Z][A-Z0-9_]*)[ \t]+(\S.*)$", re.M)
DURATION = re.compile(r"\bnanoseconds (\w+)\s*=\s*([^;]+);|\[(\w+)\]\s*=\s*\{?(SECONDS\([^\n{}]*?\)),[ \n]")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


# --- the sources -----------------------------------------------------------------------------


def constants_of(text):
    """Name -> expression of the constants in a source file."""
    text = COMMENT.sub("", text)
    found = {}
    for body in ENUM.findall(text):
        before = "-1"
        for name, value in ENUMERATOR.findall(body):
            found[name] = " ".join(value.split()) or f"{before} + 1"
            before = found[name]
    found.update((name, value) for name, value in DEFINE.findall(text))
    for name, value, index, timeout in DURATION.findall(text):
        found[name or index] = value or timeout
    return found


def sources():
    """File name -> its constants. Names of files are told apart by nothing else here."""
    found = {}
    for top in ("capture", "decode", "analytics"):
        for path in sorted(ROOT.joinpath(top).rglob("*.[ch]")):
            constants = constants_of(path.read_text(encoding="utf-8"))
            if constants and path.name in found:
                raise ValueError(f"two files are named {path.name}")
            if constants:
                found[path.name] = constants
    return found


def evaluate(files, name, expression):
    """The value of an expression in a file. Constants it names are the file's own, or the only ones of that name."""
    text = re.sub(r"\(nanoseconds\)|\(u?int\d+_t\)", "", expression)
    text = re.sub(r"\bU?INT\d+_C\((\w+)\)", r"\1", text)
    text = re.sub(r"\b0x[0-9a-f]+", lambda found: str(int(found[0], 16)), text)
    text = re.sub(r"\bsizeof\(void \*\)", "8", text)
    text = re.sub(r"\bsizeof \"([^\"]*)\"", lambda found: str(len(found[1]) + 1), text)
    text = re.sub(r"\bSECONDS\(", f"{10**9} * (", text)
    text = re.sub(r"\b(\d+)[uU]?[lL]*\b", r"\1", text)

    def value(found):
        scopes = [name] if found[0] in files[name] else [f for f in files if found[0] in files[f]]
        if len(scopes) != 1:
            raise ValueError(f"{found[0]} is in {len(scopes)} files")
        return str(evaluate(files, scopes[0], files[scopes[0]][found[0]]))

    text = re.sub(r"\b[A-Za-z_]\w*\b", value, text).replace("/", "//")
    if not re.fullmatch(r"[\d\s()+*/<>.-]+", text):
        raise ValueError(f"{expression} is no number")
    return eval(text)  # pylint: disable=eval-used  # digits and operators only


# --- the tables ------------------------------------------------------------------------------


def rows():
    """Each row of the tables, as heading -> cell."""
    headings = None
    for line in TABLES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else None
        if cells is None:
            headings = None
        elif headings is None:
            headings = cells
        elif set(line) - set("|- "):
            yield dict(zip(headings, cells, strict=True))


def amount(text):
    """A value as the tables give it."""
    number, _, unit = text.partition(" ")
    return (float(number) if "." in number else int(number)) * (UNITS[unit] if unit else 1)


def wrong_values(files, table):
    for row in table:
        if "constant" not in row:
            continue
        file, name = CONSTANT.fullmatch(row["constant"]).groups()
        expression = files.get(file, {}).get(name)
        if expression is None:
            yield f"{file} has no {name}"
        elif evaluate(files, file, expression) != amount(row["value"]):
            yield f"{file} {name} is {evaluate(files, file, expression)}, not {row['value']}"


def wrong_defaults(table):
    example = dict(re.findall(r"^ +#?([\w-]+): *(\S+)$", EXAMPLE.read_text(encoding="utf-8"), re.M))
    for row in table:
        if "option" in row:
            option = row["option"].strip("`-")
            if example.get(option) != row["default"]:
                yield f"--{option} is {example.get(option)}, not {row['default']}"


def missing(files, table):
    told = {CONSTANT.fullmatch(row["constant"]).groups() for row in table if "constant" in row}
    for file, constants in files.items():
        for name in constants:
            if BOUND.search(name) and (file, name) not in told:
                yield f"{file} {name} is in no table"


def silent(table):
    """What tells of a bound is a word that the sources write, or that says why nothing has to."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.joinpath("analytics").rglob("*.c")))
    for row in table:
        if "told by" not in row or (not row["told by"] and not row["at the bound"]):
            continue  # a line that only says more of the one before
        names = [name for name in QUOTED.findall(row["told by"]) if not BOUND.search(name)]
        for name in names:
            if f'"{name.removeprefix("mailtap_")}"' not in text:
                yield f"{row['what']}: nothing writes {name}"
        if not names and not re.match(r"nothing lost|a message|the |record: ", row["told by"]):
            yield f"{row['what']}: nothing tells of it"


def untested(table):
    for row in table:
        if "tests" not in row:
            continue
        names = QUOTED.findall(row["tests"])
        if row["tests"].startswith("none: "):
            continue
        if not names:
            yield f"{row['what']}: no test"
        for name in names:
            file, _, function = name.partition(" ")
            path = ROOT / "tests" / file
            if not path.is_file():
                yield f"{row['what']}: there is no tests/{file}"
            elif function and not re.search(rf"\b{function}\b", path.read_text(encoding="utf-8")):
                yield f"{row['what']}: tests/{file} has no {function}"


def main():
    tap = Tap()
    files, table = sources(), list(rows())
    tap.check(len(table) > 100, f"{len(table)} bounds")
    checks = {
        "values are those of the sources": wrong_values(files, table),
        "defaults are those of the options": wrong_defaults(table),
        "no bound of the sources is missing": missing(files, table),
        "something tells of each": silent(table),
        "each has a test": untested(table),
    }
    for what, lines in checks.items():
        tap.check(not (lines := list(lines)), what, lines)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
