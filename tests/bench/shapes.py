# SPDX-License-Identifier: Apache-2.0
"""Traffic that somebody makes to be dear: what a packet of it costs, and memory, beside ordinary mail.

Each shape is a trace of its own. What is many times as dear as ordinary mail is worth a look: a bound is
missing, or too large.
"""

import random
import struct

import goals
import growth
import traces
from measure import cpu, middle, ratio, resident
from traces import CLIENTS, SERVERS, Session, host

from lib import packets as pk
from lib import program
from lib.conversation import Conversation

CLEARTEXT, TLS = goals.CLEARTEXT[0], goals.TLS[0]


def repeated(make, bench, count, concurrent=500, lead=0):
    """Sessions of a numbered maker: so many, a tenth of it when it shall be quick."""
    return traces.together(make, bench.size(count, count // 10), concurrent, lead)


def scripted(talk):
    """The template of a conversation."""
    (pairs,) = traces.connections(talk.packets)
    return traces.template(pairs)


def of_pairs(name):
    """The last connection of a capture."""
    return traces.connections(traces.cf.read(program.PCAPS / f"{name}.pcap"))[-1]


def in_six(addresses):
    """Makes short sessions in IPv6 of clients whose last four words are a function of the number."""
    talk = Conversation(25, "2001:db8:c::1", "2001:db8:5::1").open()
    talk.server(b"220 mx.example ESMTP\r\n").client(b"QUIT\r\n").server(b"221 Bye\r\n").close()
    pick = scripted(talk)

    def make(number):
        client = host(CLIENTS[6], 0)[:8] + struct.pack("!4H", *addresses(number))
        return Session(pick, client, host(SERVERS[6], 1), 40000)

    return make


def colliding(number):
    """All with one sum of words and one XOR of words."""
    high, low = divmod(number, 0x10000)
    return low, low ^ 0xFFFF, high, high ^ 0xFFFF


def scattered(number):
    return struct.unpack("!4H", random.Random(number).randbytes(8))


def same_bucket(bench):
    """One bucket: all addresses have one sum and one XOR of their words (and one Toeplitz hash, by the usual key)"""
    return repeated(in_six(colliding), bench, 100_000, 100_000)


def other_buckets(bench):
    """The same with random addresses, to compare"""
    return repeated(in_six(scattered), bench, 100_000, 100_000)


def syn_flood(bench):
    """Nothing but SYNs, each of another client"""
    (session,) = goals.of_captures([CLEARTEXT])
    return repeated(traces.numbered([session.cut(0, 1)], goals.SERVERS), bench, 1_000_000)


def one_byte(bench):
    """Mail in segments of one byte, in the clear and with TLS"""
    picks = [traces.template(traces.segmented(of_pairs(name), 1)) for name in (CLEARTEXT, TLS)]
    return repeated(traces.numbered(picks, goals.SERVERS), bench, 400)


def capability_list(bench):
    """Answers to EHLO without an end: 1 MB of capabilities in each session"""
    talk = Conversation(25).open().server(b"220 mx.example ESMTP\r\n").client(b"EHLO c.example\r\n")
    talk.server(b"".join(b"250-X%060d\r\n" % number for number in range(15_000)))
    return repeated(traces.numbered([scripted(talk.close())], goals.SERVERS), bench, 100)


def endless_line(bench):
    """A line without an end: 1 MB in each session"""
    talk = Conversation(143).open().server(b"* OK [CAPABILITY IMAP4rev1").server(b" X" * 500_000)
    return repeated(traces.numbered([scripted(talk.close())], goals.SERVERS), bench, 100)


def pipelined(bench):
    """Commands that no answer ever comes to"""
    talk = Conversation(143).open().server(b"* OK\r\n")
    talk.client(b"".join(b"a%d NOOP\r\n" % number for number in range(50_000)))
    return repeated(traces.numbered([scripted(talk.close())], goals.SERVERS), bench, 100)


def behind_a_hole(bench):
    """Everything behind a byte that never comes, and that the other side does not acknowledge"""
    talk = Conversation(25).open().server(b"220 mx.example ESMTP\r\n").server(b"x", lose=True)
    talk.server(b"250 x\r\n" * 20_000)
    heard = talk.one_sided("server")
    talk.packets = [packet for packet in talk.packets if packet in heard or packet.time < heard[2].time]
    return repeated(traces.numbered([scripted(talk)], goals.SERVERS), bench, 200)


def distinct_certificates(bench):
    """A certificate in each session that nobody has seen before"""
    count = bench.size(1_000_000, 20_000)
    return traces.together(growth.with_certificates(count), count, 500)


def distinct_servers(bench):
    """A server in each session that nobody has seen before"""
    count = bench.size(1_000_000, 20_000)
    return traces.together(traces.numbered(goals.of_captures([CLEARTEXT]), count), count, 500)


def evidence(bench):
    """Sessions that are stripped, each with its evidence and its alert"""
    picks = [traces.template(of_pairs("attack-garble-x-postfix-swaks"))]
    return repeated(traces.numbered(picks, goals.SERVERS), bench, 50_000)


ALL = [same_bucket, other_buckets, syn_flood, one_byte, capability_list, endless_line, pipelined, behind_a_hole,
       distinct_certificates, distinct_servers, evidence]  # fmt: skip
HEAD = "| shape | packets | bytes a packet | ns a packet | × ordinary mail | MiB | × ordinary mail |\n|---|---|---|---|---|---|---|"


def measure(bench, shape):
    """Its row of the table. What it costs to start is left out of both, but not of memory."""
    ordinary, trace = goals.all_mail_trace(bench), bench.trace(shape.__name__, shape(bench))
    traces_of = {"start": bench.trace("empty", ()), "ordinary": ordinary, "shape": trace}
    runs = bench.in_turns({name: bench.command(path) for name, path in traces_of.items()})
    remark = goals.not_followed(bench.capture())
    start = middle(runs["start"], cpu)
    each, other = (
        (middle(runs[name], cpu) - start) / bench.packets(traces_of[name]) for name in ("shape", "ordinary")
    )
    count, size = bench.packets(trace), middle(runs["shape"], resident)
    what = " ".join(shape.__doc__.split())
    row = (
        f"| {what} | {count} | {trace.stat().st_size / count - 16:.0f} | {each * 1e9:.0f} | {each / other:.2f} "
        f"| {size:.0f}{remark} | {ratio(runs['shape'], runs['ordinary'], resident):.2f} |"
    )
    bench.drop(trace)
    return row
