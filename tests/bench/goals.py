# SPDX-License-Identifier: Apache-2.0
"""The goals that mailtap's speed and memory are held to, each measured: rows of one table.

README.md says what each row means. A row that this machine or build cannot measure says why.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import generate
import traces
from measure import bare_loop, cpu, middle, ratio, resident, tcpdump, wall

from lib import capture_file as cf
from lib import program

HERE = Path(__file__).resolve().parent

# Sessions as they usually go, nothing odd about them.
CLEARTEXT = ["smtp-cleartext-postfix-swaks", "smtp-submission-auth-plain-clear-postfix-swaks",
             "imap-cleartext-dovecot-curl", "pop3-cleartext-dovecot-fetchmail"]  # fmt: skip
TLS = ["smtp-starttls-tls12-ecdsa-postfix-swaks", "smtp-starttls-tls12-rsa-postfix-swaks",
       "imap-implicit-tls12-dovecot-curl", "pop3-starttls-tls12-dovecot-fetchmail"]  # fmt: skip
RESUMED = "imap-implicit-tls13-resumed-psk-dovecot-openssl"  # its second session: TLS and no certificate
RESUMED_KEPT = 15  # packets until both sides have sent data
RESUMED_ROUNDS = 6  # of data, the first four of which it takes until nothing more can be learned
RESUMED_LEAD = RESUMED_KEPT + 2 * 4
SLOW = 20 * 10**6  # bits a second: a million sessions in less time than they may be silent
SERVERS = 512
MIB = 1 << 20


@dataclass
class Row:
    """A line of the table. `met` is None where nothing could be measured, or nothing is aimed at."""

    workload: str
    measure: str
    target: str
    measured: str
    met: bool | None = None

    def line(self):
        return f"| {self.workload} | {self.measure} | {self.target} | {self.measured} | {WORDS[self.met]} |"


WORDS = {True: "yes", False: "**no**", None: "–"}
HEAD = "| workload | measure | target | measured | met |\n|---|---|---|---|---|"


def at_most(workload, measure, most, value, text):
    return Row(workload, measure, f"≤ {most:g}", text, value <= most)


def at_least(workload, measure, least, value, text):
    return Row(workload, measure, f"≥ {least:g}", text, value >= least)


def of_captures(names):
    """The templates of these captures."""
    return [found for name in names for found in traces.of_capture(program.PCAPS / f"{name}.pcap")]


def mixture(bench, name, *arguments):
    """A trace that generate.py makes."""
    options = generate.options_of(["unused", *map(str, arguments)])
    return bench.trace(name, generate.Mixture(options).frames())


# --- traces beside other programs -------------------------------------------------------------


def beside(runs, reference, workload, most, missing=None):
    """The row of mailtap's CPU in units of another program's; `missing`: what it says without that program."""
    if reference not in runs:
        return Row(workload, f"CPU ÷ {reference}", f"≤ {most}", missing)
    value = ratio(runs["mailtap"], runs[reference])
    return at_most(workload, f"CPU ÷ {reference}", most, value, f"{value:.3f}")


def other_traffic(bench):
    """Hardly any mail: what reading and dropping costs."""
    trace = mixture(bench, "other", "--size", bench.size("400M", "40M"))
    bare = bare_loop(bench.mailtap)
    commands = {"tcpdump": tcpdump(trace), "mailtap": bench.command(trace)}
    if bare.exists():
        commands["bare loop"] = [bare, trace]
    runs = bench.in_turns(commands)
    yield beside(runs, "tcpdump", f"98 % other traffic, {trace.stat().st_size / 1e6:.0f} MB", 0.5)
    yield beside(runs, "bare loop", "the same", 1.25, missing="not built: ninja -C build tests/bench/bench-bare")


def all_mail_trace(bench):
    return mixture(bench, "mail", "--mail", 1, "--size", bench.size("200M", "20M"), "--concurrent", 2000)


def all_mail(bench):
    """Nothing but mail, about half of it TLS with certificates."""
    trace = all_mail_trace(bench)
    commands = {"mailtap": bench.command(trace), "tcpdump": tcpdump(trace)}
    if shutil.which("ndpiReader"):
        commands["ndpiReader"] = ["ndpiReader", "-i", trace, "-q"]
    runs = bench.in_turns(commands)
    yield beside(runs, "tcpdump", f"all mail, {trace.stat().st_size / 1e6:.0f} MB", 1.5)
    yield beside(runs, "ndpiReader", "the same", 0.125, missing="not installed: Debian's package libndpi-bin")


def passive_dns(bench):
    """What --dns costs where a tenth of the packets is DNS, and mail is as usual."""
    trace = mixture(bench, "names", "--dns", 0.1, "--size", bench.size("200M", "20M"))
    plain, reading = bench.command(trace), bench.command(trace, "--dns")
    runs = bench.in_turns({"plain": plain, "reading": reading})
    value = ratio(runs["reading"], runs["plain"])
    workload = f"10 % DNS, 2 % mail, {trace.stat().st_size / 1e6:.0f} MB"
    yield at_most(workload, "CPU with --dns ÷ without", 1.3, value, f"{value:.2f}")
    if shutil.which("valgrind"):
        value = bench.instructions(trace, "--dns") / bench.instructions(trace)
        yield Row("the same", "instructions", "–", f"{value:.2f}")


# --- many connections at once -----------------------------------------------------------------


def resumed_session():
    """A short session with TLS and without certificates, which lasts until it is only counted any more."""
    _, pairs = traces.connections(cf.read(program.PCAPS / f"{RESUMED}.pcap"))
    return traces.lasting(pairs, RESUMED_KEPT, RESUMED_ROUNDS)


def open_at_once(bench, total, concurrent):
    """A trace of such sessions, each past its handshake while others open and go on."""
    frames = traces.together(traces.numbered([resumed_session()], SERVERS), total, concurrent, RESUMED_LEAD)
    return bench.trace(f"open-{concurrent}-of-{total}", frames, SLOW)


def concurrency(bench):
    """The same sessions, few and many of them open at once; and what one of them takes while it is."""
    most = bench.size(1_000_000, 80_000)
    few, many = open_at_once(bench, most, 1000), open_at_once(bench, most, most)
    part = open_at_once(bench, most // 4, most // 4)
    runs = bench.in_turns({"few": bench.command(few), "part": bench.command(part), "many": bench.command(many)})
    left_out = not_followed(bench.capture())
    growth = ratio(runs["many"], runs["few"])
    each = middle(runs["few"], cpu) / bench.packets(few), middle(runs["many"], cpu) / bench.packets(many)
    text = f"{growth:.2f} ({each[0] * 1e9:.0f} → {each[1] * 1e9:.0f} ns)" + left_out
    row = at_most(f"1000 → {most} TLS sessions at once", "CPU a packet grows by", 2, growth, text)
    row.met = row.met and not left_out
    yield row
    yield from memory(f"{most} connections, cut over", runs["part"], runs["many"], most - most // 4, left_out)


def not_followed(capture):
    """A remark if some connections were given up: then neither time nor memory is that of all."""
    lost = capture["flows_evicted"] + capture["segments_refused"]
    return f"; {lost} evicted or refused" if lost else ""


def memory(workload, few, many, count, left_out, most=512):
    """What a connection takes, and all of them with the program, where it is a million."""
    whole = middle(many, resident)
    each = (whole - middle(few, resident)) * MIB / count
    row = at_most(workload, "bytes of each", most, each, f"{each:.0f}{left_out}")
    row.met = row.met and not left_out
    yield row
    if most == 512:
        yield at_most("the same", "MiB in all", 1024, whole, f"{whole:.0f}{left_out}")


def waiting(bench):
    """Connections that have only been opened, and some that wait in the middle of the dialogue."""
    (smtp,) = of_captures(CLEARTEXT[:1])
    for name, packets, most, count in (
        ("opened", 3, 512, bench.size(1_000_000, 50_000)),
        ("EHLO answered", 8, 2048, bench.size(200_000, 20_000)),
    ):
        make = traces.numbered([smtp.cut(0, packets)], SERVERS)
        few, many = (
            bench.trace(f"waiting-{packets}-{total}", traces.together(make, total, total, packets))
            for total in (count // 4, count)
        )
        runs = bench.in_turns({"few": bench.command(few), "many": bench.command(many)})
        left_out = not_followed(bench.capture())
        yield from memory(f"{count} connections, {name}", runs["few"], runs["many"], count - count // 4, left_out, most)


# --- what a session costs ---------------------------------------------------------------------


def sessions(bench):
    """Whole sessions with their records; what it costs to start is taken out by a trace of fewer."""
    count = bench.size(50_000, 5_000)
    for name, captures, most in (("cleartext", CLEARTEXT, 10), ("TLS, known certificates", TLS, 15)):
        picks = of_captures(captures)
        make = traces.numbered(picks, SERVERS)
        few, many = (
            bench.trace(f"{name.split(',')[0]}-{total}", traces.together(make, total, 500))
            for total in (count // 10, count)
        )
        runs = bench.in_turns({"few": bench.command(few), "many": bench.command(many)})
        each = (middle(runs["many"], cpu) - middle(runs["few"], cpu)) / (count - count // 10) * 1e6
        yield at_most(f"{count} sessions, {name}", "µs CPU a session", most, each,
                      f"{each:.1f} ({sum(len(pick.parts) for pick in picks) / len(picks):.0f} packets)")  # fmt: skip


# --- workers, DPDK ----------------------------------------------------------------------------


def workers(bench):
    """Throughput of two workers beside one, on as many processors as workers and on all there are."""
    trace = all_mail_trace(bench)
    there = sorted(os.sched_getaffinity(0))
    if len(there) < 2:
        yield Row("two workers against one, all mail", "throughput", "≥ 1.7", "needs two processors")
        return
    load = os.getloadavg()[0]
    one, two = bench.command(trace, "--workers", 1), bench.command(trace, "--workers", 2)
    for where, narrow in ((f"on {len(there)} processors both", there), ("each on as many processors", there[:1])):
        wide = there if len(narrow) > 1 else there[:2]
        rounds = [(bench.run(one, narrow), bench.run(two, wide)) for _ in range(bench.runs)]
        firsts, seconds = zip(*rounds)
        value = ratio(firsts, seconds, wall)
        yield at_least(f"two workers against one, all mail, {where}", "throughput", 1.7, value,
                       f"{value:.2f} (load before: {load:.1f})")  # fmt: skip


def dpdk(bench):
    """Packets from a DPDK port, beside a loop that receives and frees."""
    traffic = Path(bench.mailtap).parent / "tests/dpdk/dpdk-traffic"
    row = Row("DPDK (net_memif), 98 % other traffic", "packets/s ÷ bare receive loop", "≥ 0.8", "not built")
    if traffic.exists():
        trace = mixture(bench, "other", "--size", bench.size("400M", "40M"))
        command = [sys.executable, HERE / "dpdk.py", trace, "--traffic", traffic, "--mailtap", bench.mailtap,
                   "--rounds", bench.runs]  # fmt: skip
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
        rate, time = re.findall(r"ratio ([0-9.]+)", done.stdout)
        row.measured = f"{rate} ({len(os.sched_getaffinity(0))} processors; by processor time {time})"
        row.met = float(rate) >= 0.8
    yield row


ALL = [other_traffic, all_mail, passive_dns, concurrency, waiting, dpdk, workers, sessions]
