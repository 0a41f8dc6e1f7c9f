#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input, bad options, bad outputs: one clear line, the promised exit code, nothing lost.

Exit codes: 0 all well; 1 an input or output failed (what could be read is written all the same);
2 the command line is wrong. Messages go to stderr, each line `mailtap: ...`.
"""

import gzip
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

OK, FAILED, USAGE = 0, 1, 2
LINK_USB = 189  # a link type that carries no IP
NOISE = ("Traceback", "Assertion", "Segmentation", "Sanitizer", "core dumped", "runtime error")


@dataclass
class Bench:
    """What every check needs: where to report, what to run, where to write."""

    tap: Tap
    mailtap: str
    folder: Path

    def run(self, *arguments, **how):
        return program.run(self.mailtap, arguments, **how)

    def path(self, name):
        return self.folder / name


def session(port=25, client_port=40000):
    """A short SMTP session in the clear."""
    talk = Conversation(port, client_port=client_port).open()
    talk.server(b"220 mx.example.org ESMTP\r\n").client(b"EHLO client.example.org\r\n")
    talk.server(b"250-mx.example.org\r\n250 8BITMIME\r\n").client(b"QUIT\r\n")
    return talk.server(b"221 2.0.0 Bye\r\n").close()


def complaints(done, code, lines=None):
    """What is wrong with an exit code and a stderr: a list of lines, empty if nothing."""
    wrong = []
    said = program.text(done.stderr or b"").splitlines()
    if done.returncode != code:
        wrong.append(f"exit code {done.returncode} instead of {code}")
    wrong += [f"noise: {line}" for line in said if any(word in line for word in NOISE)]
    messages = [line for line in said if line.startswith("mailtap: ")]
    if lines is not None and len(messages) != lines:
        wrong.append(f"{len(messages)} lines `mailtap: ...` on stderr instead of {lines}")
    if lines == 1 and len(said) != 1:
        wrong.append(f"{len(said)} lines on stderr instead of one")
    return wrong + [f"stderr: {line}" for line in said] if wrong else []


def one_line(bench, name, arguments, code, mentions=None, **how):
    """The run ends with `code` and exactly one line on stderr, which mentions what it is about."""
    done = bench.run(*arguments, **how)
    wrong = complaints(done, code, lines=1)
    if mentions and str(mentions) not in program.text(done.stderr):
        wrong.append(f"the line does not mention {mentions}: {program.text(done.stderr).strip()}")
    bench.tap.check(not wrong, name, wrong)


def records_of(done):
    return len(program.json_lines(done.stdout))


def quiet(*inputs):
    """Arguments that read these files and write records to standard output, without a summary."""
    reads = [part for file in inputs for part in ("-r", file)]
    return [*reads, "-o", "-", "-q"]


# --- key logs ---------------------------------------------------------------------------------


def key_logs(bench, good):
    """A key log that cannot be read ends it before anything is written; one with faults is told of once."""
    secret = "5e" * 48
    line = f"CLIENT_RANDOM {'ab' * 32} {secret}\n"
    files = {
        "good": (line, 0, None),
        "good, CR LF and comments": (f"# keys\r\n\r\n{line.strip()}\r\n", 0, None),
        "two lines of four malformed": (f"{line}CLIENT_RANDOM {secret}\nno key\n{line}", 1, "2 of 4 lines"),
        "a secret cut short": (line + line[:-20], 1, "1 of 2 lines"),
        "nothing of use": (f"SERVER_TRAFFIC_SECRET_0 {'ab' * 32} {secret}\n", 1, "no line of it"),
        "empty": ("", 1, "no line of it"),
    }
    for name, (text, lines, mentions) in files.items():
        path = bench.path("keys.log")
        path.write_bytes(text.encode())
        done = bench.run(*quiet(good), "--tls-keylog", path)
        said = program.text(done.stderr)
        wrong = complaints(done, OK, lines)
        wrong += [f"not said: {mentions}"] if mentions and mentions not in said else []
        wrong += ["a secret is in the message"] if secret[:8] in said else []
        bench.tap.check(not wrong, f"key log: {name}", wrong)
    logs = bench.path("logs-without-keys")
    for name, path in (("no such file", bench.path("missing.keylog")), ("a directory", bench.folder)):
        one_line(bench, f"key log: {name}", ["-r", good, "-w", logs, "--tls-keylog", path], FAILED, path.name)
        bench.tap.check(not logs.exists(), f"key log: {name}, nothing is written")


def patterns(bench, good):
    """A pattern that is wrong ends it before anything is written: file, line, and why."""
    files = {
        "no class": ("Mine /x/\n", ":1: a pattern before any [class]"),
        "unknown class": ("\n[sofware]\n", ':2: there is no class "sofware"'),
        "no expression": ("[software]\nPostfix\n", ":2: no pattern: expected"),
        "unknown flag": ("[software]\nMine /x/g\n", ":2: unknown flags"),
        "not to be compiled": ("[software]\nMine /good/\nMine /(/\n", ":3: Missing close parenthesis"),
        "backtracking": ("[software]\nMine /(a)\\1/\n", ":2: Back-references are unsupported"),
        "too large": ("[software]\nMine /a{40000}/\n", ":2: Bounded repeat is too large"),
        "not text": ("[software]\n\0\1\2\n", ":2: no pattern: expected"),
    }
    logs = bench.path("logs-without-patterns")
    path = bench.path("own.patterns")
    for name, (text, mentions) in files.items():
        path.write_text(text)
        arguments = ["-r", good, "-w", logs, "--patterns", path]
        one_line(bench, f"patterns: {name}", arguments, FAILED, f"own.patterns{mentions}")
        bench.tap.check(not logs.exists(), f"patterns: {name}, nothing is written")
    for name, path in (("no such file", bench.path("missing.patterns")), ("a directory", bench.folder)):
        one_line(bench, f"patterns: {name}", [*quiet(good), "--patterns", path], FAILED, path.name)


def own_patterns(bench, good):
    """A user's patterns stand before the program's, whatever becomes of the cache."""
    path = bench.path("own.patterns")
    cache = bench.path("cache")
    damaged = b""
    for name, pattern, expected in (
        ("not cached yet", "Own  / ESMTP/", "Own"),
        ("from the cache", "Own  / ESMTP/", "Own"),
        ("another pattern", "Other  / ESMTP/", "Other"),
        ("an exception", "-  / ESMTP/", None),
        ("damaged cache", "Own  / ESMTP/", "Own"),
        ("no place for a cache", "Own  / ESMTP/", "Own"),
    ):
        path.write_text(f"[software]\n{pattern}\n")
        for kept in cache.glob("*") if name == "damaged cache" else ():
            damaged = bytes([*kept.read_bytes()[:-9], *b"123456789"])
            kept.write_bytes(damaged)
        place = "/proc/cache" if name == "no place for a cache" else cache
        done = bench.run(*quiet(good), "--patterns", path, "--pattern-cache", place)
        wrong = complaints(done, OK, 0)
        found = [record["server_software"] for record in program.json_lines(done.stdout)]
        wrong += [f"{found} instead of {expected}"] if found != [expected] else []
        bench.tap.check(not wrong, f"own patterns: {name}", wrong)
    modes = {kept.stat().st_mode & 0o7777 for kept in cache.glob("*")}
    whole = damaged and all(kept.read_bytes() != damaged for kept in cache.glob("patterns-*"))
    bench.tap.check(modes == {0o600}, "own patterns: the cache is the user's own", [str(modes)])
    bench.tap.check(whole, "own patterns: a damaged cache is replaced")


# --- input files -----------------------------------------------------------------------------


def unreadable_files(bench):
    files = {
        "empty file": b"",
        "text file": b"From: someone@example.org\nThis is no capture.\n" * 20,
        "three bytes": b"\xd4\xc3\xb2",
        "pcap header cut short": cf.pcap_header(1)[:10],
        "zeros": bytes(4096),
        "gzip of text": gzip.compress(b"no capture\n" * 50),
        "gzip cut short": gzip.compress(bytes(5000))[:30],
    }
    for name, data in files.items():
        path = bench.path(name.replace(" ", "-"))
        path.write_bytes(data)
        one_line(bench, f"input: {name}", quiet(path), FAILED, path.name)
    missing = bench.path("missing.pcap")
    one_line(bench, "input: no such file", quiet(missing), FAILED, missing.name)
    one_line(bench, "input: a directory", quiet(bench.folder), FAILED, bench.folder.name)
    path = bench.path("usb.pcap")
    cf.write(path, [cf.Packet(0, bytes(64), 64, LINK_USB)])
    one_line(bench, "input: a link type without IP", quiet(path), FAILED, path.name)


def bare_header(bench):
    path = bench.path("no-packets.pcap")
    path.write_bytes(cf.pcap_header(cf.LINK_ETHERNET))
    done = bench.run(*quiet(path))
    wrong = complaints(done, OK, lines=0)
    if done.stdout:
        wrong.append("records out of nothing")
    bench.tap.check(not wrong, "input: a capture without packets is no error", wrong)


def truncated(bench):
    """Cut at many places: what stands before the cut is read, one line says that there was a cut."""
    packets = session().packets
    for name, write in (("pcap", cf.write_pcap), ("pcapng", cf.write_pcapng)):
        path = bench.path(f"cut.{name}")
        write(path, packets)
        whole = path.read_bytes()
        edges = packet_edges(whole, name)
        wrong = []
        for size in range(edges[0], len(whole)):
            if size % 7 and size not in edges:
                continue
            path.write_bytes(whole[:size])
            done = bench.run(*quiet(path))
            clean = size in edges
            bad = complaints(done, OK if clean else FAILED, lines=0 if clean else 1)
            if size >= edges[1] and records_of(done) != 1:
                bad.append(f"{records_of(done)} records though a packet is there")
            wrong += [f"cut at {size}: {line}" for line in bad]
        bench.tap.check(not wrong, f"input: {name} cut at every seventh byte", wrong[:20])


def packet_edges(data, name):
    """Sizes at which a capture file is whole: behind its head, and behind each packet."""
    if name == "pcap":
        edges, at = [24], 24
        while at < len(data):
            at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
            edges.append(at)
        return edges
    edges, at = [], 0
    while at < len(data):
        kind = int.from_bytes(data[at : at + 4], "little")
        at += int.from_bytes(data[at + 4 : at + 8], "little")
        if kind != cf.SECTION_HEADER:
            edges.append(at)
    return edges


def hostile_headers(bench):
    """Record headers that lie about lengths: an end, not a crash, not a gigabyte of memory."""
    good = bench.path("good.pcap")
    cf.write_pcap(good, session().packets)
    whole = good.read_bytes()
    path = bench.path("lies.pcap")
    wrong = []
    for size in (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x10000000):
        lie = size.to_bytes(4, "little")
        path.write_bytes(whole[:32] + lie + lie + whole[40:])
        wrong += [f"length {size:#x}: {c}" for c in complaints(bench.run(*quiet(path)), FAILED, 1)]
    bench.tap.check(not wrong, "input: absurd packet lengths", wrong)


def several_inputs(bench):
    one, two = bench.path("one.pcap"), bench.path("two.pcap")
    cf.write_pcap(one, session(client_port=40001).packets)
    cf.write_pcapng(two, session(client_port=40002).packets)
    missing = bench.path("missing.pcap")
    expect_records(bench, "input: -r twice", quiet(one, two), OK, 2)
    expect_records(bench, "input: two files behind one -r", ["-r", one, two, "-o", "-", "-q"], OK, 2)
    done = bench.run(*quiet(one, missing, two))
    wrong = complaints(done, FAILED, lines=1)
    if records_of(done) != 2:
        wrong.append(f"{records_of(done)} records: the good files must be read all the same")
    bench.tap.check(not wrong, "input: a bad file between two good ones", wrong)
    packed = bench.path("one.pcap.gz")
    packed.write_bytes(gzip.compress(one.read_bytes()))
    expect_records(bench, "input: gzip", quiet(packed), OK, 1)
    for path in (one, two, packed):
        with open(path, "rb") as file:
            done = bench.run(*quiet("-"), stdin=file)
        records_match(bench, f"input: standard input, {path.name}", done, OK, 1)


def expect_records(bench, name, arguments, code, count):
    records_match(bench, name, bench.run(*arguments), code, count)


def records_match(bench, name, done, code, count):
    wrong = complaints(done, code, lines=0)
    try:
        found = records_of(done)
    except program.RunError as error:
        wrong.append(str(error))
    else:
        if found != count:
            wrong.append(f"{found} records instead of {count}")
    bench.tap.check(not wrong, name, wrong)


# --- the command line ------------------------------------------------------------------------


def usage(bench, good):
    """Each of these is a mistake in the command line: exit code 2, one line, nothing read."""
    cases = {
        "unknown option": ["-r", good, "--no-such-option"],
        "unknown short option": ["-r", good, "-Y"],
        "-r without a file": ["-r"],
        "-w without a directory": ["-r", good, "-w"],
        "--log-dir without a directory": ["-r", good, "--log-dir"],
        "-o without a place": ["-r", good, "-o"],
        "-f without a filter": ["-r", good, "-f"],
        "--ports without a list": ["-r", good, "--ports"],
        "--memory without a size": ["-r", good, "--memory"],
        "nothing to read": ["-q"],
        "filter given twice": ["-r", good, "-f", "tcp", "port", "25"],
        "filter with a bad word": ["-r", good, "-f", "no such filter ("],
        "trailing filter with a bad word": ["-r", good, "tcp", "prot", "25"],
        "port 0": ["-r", good, "--ports", "0"],
        "port 65536": ["-r", good, "--ports", "65536"],
        "port that is no number": ["-r", good, "--ports", "smtp"],
        "port with an unknown protocol": ["-r", good, "--ports", "2526:gopher"],
        "empty port list": ["-r", good, "--ports", ""],
        "port list with a hole": ["-r", good, "--ports", "25,,143"],
        "memory of nothing": ["-r", good, "--memory", "0"],
        "memory that is no size": ["-r", good, "--memory", "much"],
        "negative memory": ["-r", good, "--memory", "-5M"],
        "standard input twice": ["-r", "-", "-r", "-"],
    }
    for name, arguments in cases.items():
        one_line(bench, f"usage: {name}", arguments, USAGE)


def usage_of_commands(bench):
    """The same of each command, by the one loop that they have: the line says whose mistake it is, and who helps."""
    commands = re.findall(r"^ +mailtap ([a-z]+) ", program.text(program.run(bench.mailtap, ["--help"]).stdout), re.M)
    bench.tap.check(len(commands) == 5, f"usage: there are {len(commands)} commands", commands)
    for name in commands:
        helped = program.text(program.run(bench.mailtap, [name, "--help"]).stdout)
        valued = re.search(r"--([a-z-]+) [A-Z\[]", helped.partition("\n\n")[2])[1]
        for mistake, words, said in (
            ("an unknown option", ["--no-such-option"], "unknown option --no-such-option"),
            ("an unknown letter", ["-Yh"], "unknown option -Y"),
            ("a value missing", [f"--{valued}"], f"--{valued}: needs a value"),
            ("a value where none is", ["--help=yes"], "--help: takes no value"),
        ):
            one_line(bench, f"usage: {name}: {mistake}", [name, *words], USAGE, f"{name}: {said}; see mailtap {name} --help")


def capture_as_output(bench):
    """Records are never written over a capture that is to be read, whatever it is called there."""
    path, link = bench.path("kept.pcap"), bench.path("link-to-kept.pcap")
    cf.write_pcap(path, session().packets)
    link.symlink_to(path)
    before = path.read_bytes()
    for name, output in (("by its name", path), ("by a link", link)):
        one_line(bench, f"usage: -o names a capture {name}", ["-r", path, "-o", output], USAGE, output)
        bench.tap.check(path.read_bytes() == before, f"usage: the capture is whole, {name}", [])


def too_much_memory(bench, good):
    """Far more than a process can address: refused at once. Sanitizers add lines."""
    env = program.environment()
    env.pop("MALLOC_PERTURB_", None)  # would touch what is only reserved
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
        env[name] = env[name] + ":allocator_may_return_null=1"
    done = bench.run("-r", good, "--memory", "512T", env=env)
    said = [line for line in program.text(done.stderr).splitlines() if line.startswith("mailtap: ")]
    right = done.returncode == FAILED and len(said) == 1 and "--memory" in said[0]
    bench.tap.check(right, "memory that no machine has", [] if right else [str(done.returncode), *said])


def helpful(bench):
    for option, word in (("--help", b"--ports"), ("--version", b"nDPI")):
        done = bench.run(option)
        wrong = complaints(done, OK, lines=0)
        if word not in done.stdout or done.stderr:
            wrong.append(f"standard output does not have {word.decode()}, or stderr is not empty")
        bench.tap.check(not wrong, f"usage: {option} goes to standard output", wrong)


def good_options(bench):
    """The spellings that the contract promises."""
    path = bench.path("odd-port.pcap")
    cf.write_pcap(path, session(port=2526).packets + session(port=25, client_port=40009).packets)
    cases = [
        ("--ports replaces the list", ["--ports", "2526:smtp"], {2526}),
        ("--ports with several", ["--ports", "25,2526:smtp,10143:imap,465:smtps"], {25, 2526}),
        ("--ports + adds to the list", ["--ports", "+2526:smtp"], {25, 2526}),
        ("--any-port finds what --ports does not name", ["--any-port"], {25, 2526}),
        ("--any-port behind --ports", ["--ports", "143", "--any-port"], {25, 2526}),
        ("--any-port before --ports", ["--any-port", "--ports", "143"], {25, 2526}),
        ("--no-ndpi", ["--no-ndpi"], {25}),
        ("-f keeps what matches", ["-f", "tcp port 25"], {25}),
        ("a filter that nothing matches", ["-f", "udp"], set()),
    ]
    for name, options, ports in cases:
        done = bench.run(*quiet(path), *options)
        check_ports(bench, f"options: {name}", done, ports)
    done = bench.run(*quiet(path), "tcp", "port", "25")
    check_ports(bench, "options: filter words at the end", done, {25})
    done = bench.run(*quiet(path), "--sensor", "tap-7")
    sensors = {record["sensor"] for record in program.json_lines(done.stdout)}
    bench.tap.check(sensors == {"tap-7"}, "options: --sensor is in the records", [str(sensors)])
    done = bench.run(*quiet(path), "--memory", "64M")
    bench.tap.check(not complaints(done, OK, 0), "options: --memory 64M", complaints(done, OK, 0))


def check_ports(bench, name, done, ports):
    """The records are about exactly these server ports (25 is always found by what is spoken)."""
    wrong = complaints(done, OK, lines=0)
    found = {record["server_port"] for record in program.json_lines(done.stdout)}
    if found != ports:
        wrong.append(f"records of ports {sorted(found)} instead of {sorted(ports)}")
    bench.tap.check(not wrong, name, wrong)


# --- outputs ---------------------------------------------------------------------------------


def summary_place(bench, good):
    """Records on standard output push the summary to stderr; -q silences it."""
    done = bench.run("-r", good)
    lines = [] if done.stdout and not done.stderr else ["the summary is not on standard output"]
    bench.tap.check(not lines, "output: summary on standard output", lines)
    done = bench.run("-r", good, "-o", "-")
    lines = [] if done.stderr and records_of(done) == 1 else ["no summary on stderr"]
    bench.tap.check(not lines, "output: with -o - the summary is on stderr", lines)
    done = bench.run("-r", good, "-q")
    lines = [program.text(done.stdout + done.stderr)] if done.stdout or done.stderr else []
    bench.tap.check(not lines, "output: -q says nothing", lines)


def log_directories(bench, good):
    logs = bench.path("logs")
    done = bench.run("-r", good, "-w", logs, "-q")
    wrong = complaints(done, OK, lines=0)
    log = logs / "sessions.jsonl"
    if not log.exists() or len(program.json_lines(log.read_bytes())) != 1:
        wrong.append("sessions.jsonl is not there, or not one record")
    bench.tap.check(not wrong, "output: -w makes its directory", wrong)
    blocked = ["-r", good, "-q", "-w"]
    place = bench.path("a-file")
    place.write_text("")
    one_line(bench, "output: log directory is a file", [*blocked, place], FAILED, place.name)
    inside = place / "logs"
    one_line(bench, "output: log directory below a file", [*blocked, inside], FAILED, "a-file")
    one_line(bench, "output: log directory cannot be made", [*blocked, "/proc/mailtap"], FAILED,
             "/proc/mailtap")  # fmt: skip
    logs = bench.path("logs-of-two")
    sums = [bench.run("-r", good, "--log-dir", logs, "-q").returncode for _ in range(2)]
    bench.tap.check(sums == [OK, OK], "output: --log-dir, a second run into the same", [str(sums)])


def many_sessions(path, number):
    packets = []
    for index in range(number):
        packets += session(client_port=10000 + index).packets
    cf.write_pcap(path, packets)


def full_disk(bench):
    many = bench.path("many.pcap")
    many_sessions(many, 300)
    one_line(bench, "output: -o /dev/full", ["-r", many, "-o", "/dev/full", "-q"], FAILED, "/dev/full")
    with open("/dev/full", "wb") as full:
        one_line(bench, "output: standard output full", quiet(many), FAILED, stdout=full)
        done = bench.run("-r", many, stdout=full)
        wrong = complaints(done, FAILED, lines=1)
        bench.tap.check(not wrong, "output: summary onto a full disk", wrong)
        one_line(bench, "output: help onto a full disk", ["--help"], FAILED, "standard output", stdout=full)
    with program.reader_gone() as pipe:
        wrong = complaints(bench.run("--help", stdout=pipe), OK, lines=0)
        bench.tap.check(not wrong, "output: help, whose reader has gone", wrong)
    limited_file_size(bench, many)


def limited_file_size(bench, many):
    """A log that cannot grow: some records are there, each line whole but the last, exit code 1."""
    logs = bench.path("limited")
    size = 16 * 1024

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = bench.run("-r", many, "-w", logs, "-q", preexec_fn=limit)
    wrong = complaints(done, FAILED, lines=1)
    log = logs / "sessions.jsonl"
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    if not lines:
        wrong.append("nothing was written before the disk was full")
    for line in lines:
        json.loads(line)
    bench.tap.check(not wrong, "output: log cannot grow", wrong)


def closed_pipe(bench):
    """The reader of our output goes away: exit code 1, at most one line, no noise."""
    many = bench.path("many.pcap")
    for name, arguments in (("records", quiet(many)), ("summary", ["-r", many])):
        with subprocess.Popen(
            [bench.mailtap, *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment(),
        ) as process:  # fmt: skip
            process.stdout.close()
            said = process.stderr.read()
            process.wait(timeout=program.TIMEOUT)
        done = subprocess.CompletedProcess([], process.returncode, b"", said)
        wrong = complaints(done, FAILED)
        if len(said.splitlines()) > 1:
            wrong.append(f"{len(said.splitlines())} lines on stderr")
        bench.tap.check(not wrong, f"output: closed pipe, {name}", wrong)


# --- the run ---------------------------------------------------------------------------------


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="bad-input-") as folder:
        bench = Bench(tap, options.mailtap, Path(folder))
        good = bench.path("session.pcap")
        cf.write_pcap(good, session().packets)
        unreadable_files(bench)
        bare_header(bench)
        truncated(bench)
        hostile_headers(bench)
        several_inputs(bench)
        key_logs(bench, good)
        patterns(bench, good)
        own_patterns(bench, good)
        usage(bench, good)
        usage_of_commands(bench)
        capture_as_output(bench)
        too_much_memory(bench, good)
        helpful(bench)
        good_options(bench)
        summary_place(bench, good)
        log_directories(bench, good)
        full_disk(bench)
        closed_pipe(bench)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
