#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration file: the shipped one is complete and good, the command line goes before a file, and each
mistake in one is told with its line and column.
"""

import itertools
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

SHIPPED = program.ROOT / "configs" / "mailtap.yaml"
# Options that are no keys.
COMMAND_LINE_ONLY = {"help", "version", "config", "check-config", "list-interfaces"}
# Sources exclude each other: one of these sets at a time.
ALTERNATIVES = [{"read"}, {"interface"}, {"dpdk", "dpdk-ports"}]
# So do these: one or the other is left out.
EXCLUDE_EACH_OTHER = ["anonymise", "write-certs"]
KEY = re.compile(r"^  (#?)([a-z][a-z0-9-]*): ?(.*)$")
SECTION = re.compile(r"^([a-z]+):$")

# What a file says, and all that is wrong with it: lines behind the file's name.
MISTAKES = {
    "wrong names": (
        "logs:\n  log-dri: /var/log/mailtap\n  zebra: 1\nperformanc:\n  memory: 1G\n",
        ['2:3: unknown key "log-dri"; did you mean "log-dir"?',
         '3:3: unknown key "zebra"; mailtap --help lists them',
         '4:1: unknown section "performanc"; did you mean "performance"?'],
    ),
    "wrong places": (
        "memory: 1G\nlogs:\n  memory: 1G\n  version: true\n",
        ['1:1: "memory" belongs in the section "performance"',
         '3:3: "memory" belongs in the section "performance"',
         '4:3: "version" is for the command line only'],
    ),
    "wrong values": (
        "performance:\n  memory: 12x\ncapture:\n  ports: [25, 99999]\n  any-port: on\n  filter: port smtq\n"
        "statistics:\n  interval: -1\nlogs:\n  sensor: [a]\n  output:\n",
        ['2:11: memory: "12x" is no size: expected a number, K, M or G behind it',
         '4:10: ports: "99999" is no port: expected PORT or PORT:SERVICE, with one of smtp smtps imap imaps '
         "pop3 pop3s",
         '5:13: any-port: "on" is neither true nor false',
         "6:11: cannot use filter 'port smtq' on link type 1 (EN10MB): unknown port 'smtq'",
         '8:13: interval: "-1" is no number of seconds up to a year',
         "10:11: sensor: takes one value, not a list",
         "11:10: output: has no value; leave it out, or put # in front"],
    ),
    "said twice": (
        "logs:\n  sensor: a\n  sensor: b\nlogs:\n  quiet: true\n",
        ['3:3: "sensor" stands here a second time; the first is in line 2',
         '4:1: "logs" stands here a second time; the first is in line 1'],
    ),
    "what of YAML is not taken": (
        "logs: &l\n  sensor: !!str a\nevidence: *l\n",
        ["1:7: anchors and aliases (&, *) are not taken; quote a value that begins so",
         "2:11: tags (!) are not taken; quote a value that begins so",
         "3:11: anchors and aliases (&, *) are not taken; quote a value that begins so",
         "3:11: evidence: expected keys, each in a line of its own"],
    ),
    "not YAML": (
        "logs:\n  zebra: 1\n  sensor: 'a\n",
        ['2:3: unknown key "zebra"; mailtap --help lists them',
         "4:1: not YAML: found unexpected end of stream, while scanning a quoted scalar that begins in line 3"],
    ),
    "a tab": ("logs:\n\tsensor: a\n", ["2:1: a tab; YAML is indented with spaces"]),
    "two documents": ("logs:\n---\nlogs:\n", ["2:1: a second document begins; there may be only one"]),
    "a list": ("- read: a\n", ['1:1: expected sections, as "logs:"']),
    "between options": ("certificates:\n  pem: true\n",
                        ["2:8: --pem: certificates are written only with -w DIR or --store"]),
    "not UTF-8": (b"logs:\n  sensor: M\xfcnchen\n", ["2:12: not UTF-8: a byte 0xfc"]),
    "a NUL": (b"logs:\n  sensor: a\x00\n", ["2:12: a control character (byte 0x00)"]),
    "UTF-16": ("\ufefflogs:\n".encode("utf-16-le"), ["1:1: not UTF-8: a byte 0xff"]),
    "a bomb": ("a: &a [x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n", None),
    "far too deep": ("capture: " + "[" * 100000, None),
    "far too many": ("".join(f"k{i}: 1\n" for i in range(20000)), None),
}  # fmt: skip


class Bench:
    """A program, a folder for files, and where checks go."""

    def __init__(self, tap, mailtap, folder):
        self.tap, self.mailtap, self.folder = tap, mailtap, folder

    def file(self, content, name="mailtap.yaml"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *arguments, **popen):
        return program.run(self.mailtap, arguments, **popen)

    def judge(self, path):
        """What --check-config says: exit code, standard output and error."""
        done = self.run("--check-config", "--config", path)
        return done.returncode, program.text(done.stdout), program.text(done.stderr)

    def check_good(self, name, path):
        found = self.judge(path)
        right = found == (0, f"{path}: good\n", "")
        self.tap.check(right, name, [] if right else [str(found)])


# --- the shipped file --------------------------------------------------------------------------


def shipped_keys():
    """(section, key, whether it is set) of each line that is a key, as they stand."""
    section = None
    for line in SHIPPED.read_text().splitlines():
        if found := SECTION.match(line):
            section = found[1]
        elif found := KEY.match(line):
            yield section, found[2], not found[1]


def options_of_help(bench):
    """The long names of --help."""
    text = program.text(bench.run("--help").stdout)
    return re.findall(r"^  (?:-\w,|   ) --([a-z][a-z0-9-]*)", text, re.MULTILINE)


def with_examples(without, store):
    """The shipped file with all its examples set and what they need, but for these keys; this kind of store."""
    lines = []
    shipped = SHIPPED.read_text().replace("  store: none", f"  store: {store}")
    for line in shipped.replace("  dns: false", "  dns: true").splitlines():  # --trust-anchors asks for it
        found = KEY.match(line)
        lines.append(f"  {found[2]}: {found[3]}" if found and found[2] not in without else line)
    return "\n".join(lines) + "\n"


def shipped_file(bench):
    keys = [key for _, key, _ in shipped_keys()]
    options = options_of_help(bench)
    bench.tap.check("read" in options and "help" in options, "--help lists options")
    missing = sorted(set(options) - COMMAND_LINE_ONLY - set(keys))
    bench.tap.check(not missing, "configs/mailtap.yaml has every option", missing)
    odd = sorted(set(keys) - set(options)) + sorted({key for key in keys if keys.count(key) > 1})
    bench.tap.check(not odd, "configs/mailtap.yaml has nothing else, and nothing twice", odd)
    bench.check_good("configs/mailtap.yaml is good", SHIPPED)
    stores = itertools.cycle(["sqlite", "clickhouse"])
    for chosen, other, store in zip(ALTERNATIVES, itertools.cycle(EXCLUDE_EACH_OTHER), stores):
        path = bench.file(with_examples((set().union(*ALTERNATIVES) - chosen) | {other}, store))
        name = f"{', '.join(sorted(chosen))}, {store}, not {other}"
        bench.check_good(f"configs/mailtap.yaml with all its examples is good: {name}", path)
    readme = (program.ROOT / "README.md").read_text()
    wanted = ("--config", "--check-config", "configs/mailtap.yaml")
    missing = [word for word in wanted if word not in readme]
    bench.tap.check(not missing, "README.md tells of the configuration file", missing)
    bench.tap.check(set(options) >= {"config", "check-config"}, "--help does, too")


# --- mistakes ----------------------------------------------------------------------------------


def mistakes(bench):
    for name, (content, expected) in MISTAKES.items():
        path = bench.file(content)
        code, said, errors = bench.judge(path)
        lines = errors.splitlines()
        place = re.compile(re.escape(f"mailtap: {path}:") + r"\d+:\d+: ")
        if expected is not None:
            right = lines == [f"mailtap: {path}:{line}" for line in expected]
        else:
            right = bool(lines) and all(place.match(line) for line in lines[:20]) and len(lines) <= 21
        right = right and code == 2 and not said
        bench.tap.check(right, f"mistakes: {name}", [] if right else [str(code), *lines])


def many_mistakes(bench):
    path = bench.file("logs:\n" + "".join(f"  key-{number}: 1\n" for number in range(23)))
    code, _, errors = bench.judge(path)
    lines = errors.splitlines()
    right = code == 2 and len(lines) == 21 and lines[-1] == "mailtap: and 3 more"
    bench.tap.check(right, "mistakes: of many, 20 and how many more", [] if right else lines)
    done = bench.run("--config", path, "-r", path)
    right = done.returncode == 2 and program.text(done.stderr) == errors and not done.stdout
    bench.tap.check(right, "mistakes: a run says the same, and reads nothing")


def files_that_are_none(bench):
    huge = bench.file("#" * 300000, "huge.yaml")
    cases = {
        "missing": (bench.folder / "missing.yaml", "cannot be opened: No such file or directory"),
        "a directory": (bench.folder, "cannot be read: Is a directory"),
        "without an end": (Path("/dev/zero"), "larger than 256 KiB: no configuration"),
        "huge": (huge, "larger than 256 KiB: no configuration"),
    }
    for name, (path, reason) in cases.items():
        found = bench.judge(path)
        right = found == (2, "", f"mailtap: --config: {path}: {reason}\n")
        bench.tap.check(right, f"files: {name}", [] if right else [str(found)])
    usage = {
        "--check-config alone": (["--check-config"], "--check-config: name the file with --config FILE"),
        "--config twice": (["--config", huge, "--config", huge], "--config: given twice; name one"),
        "--config without a file": (["--config"], "--config: needs a value; see --help"),
    }
    for name, (arguments, reason) in usage.items():
        done = bench.run(*arguments)
        right = (done.returncode, program.text(done.stderr)) == (2, f"mailtap: {reason}\n")
        bench.tap.check(right, f"usage: {name}", [] if right else [program.text(done.stderr)])


# --- the file beside the command line ----------------------------------------------------------


def session(port, client_port):
    talk = Conversation(port, client_port=client_port)
    talk.open()
    talk.server(b"220 mx.example.org ESMTP ready\r\n")
    talk.client(b"EHLO client.example.net\r\n")
    talk.server(b"250 mx.example.org\r\n")
    talk.close()
    return talk.packets


def records(done):
    """(server port, sensor) of each record."""
    found = program.json_lines(done.stdout)
    return sorted((record["server_port"], record["sensor"]) for record in found)


def beside_command_line(bench):
    for name, port in (("one.pcap", 25), ("two.pcap", 2526)):
        cf.write_pcap(bench.folder / name, session(port, 40000 + port))
    config = bench.file(
        "capture:\n  read: [one.pcap, two.pcap]\n  ports: [25, 2526:smtp]\n"
        "logs:\n  output: '-'\n  sensor: file\n  quiet: true\n"
    )
    cases = {
        "the file alone": ([], [(25, "file"), (2526, "file")]),
        "a value": (["--sensor", "line"], [(25, "line"), (2526, "line")]),
        "a list": (["-r", "one.pcap"], [(25, "file")]),
        "ports": (["--ports", "25"], [(25, "file")]),
        "words of a filter": (["tcp", "port", "2526"], [(2526, "file")]),
    }
    for name, (arguments, expected) in cases.items():
        done = bench.run("--config", config, *arguments, cwd=bench.folder)
        right = done.returncode == 0 and not done.stderr and records(done) == expected
        bench.tap.check(right, f"beside the command line: {name}",
                        [] if right else [program.text(done.stderr), str(records(done))])  # fmt: skip
    done = bench.run("--config", config, cwd="/")
    right = done.returncode == 1 and b"one.pcap" in done.stderr
    bench.tap.check(right, "paths are relative to the directory that mailtap is started in",
                    [] if right else [program.text(done.stderr)])  # fmt: skip


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="config-") as folder:
        bench = Bench(tap, options.mailtap, Path(folder))
        shipped_file(bench)
        mistakes(bench)
        many_mistakes(bench)
        files_that_are_none(bench)
        beside_command_line(bench)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
