#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live capture by libpcap: `mailtap -i` finds what `mailtap -r` finds in tcpdump's capture of the same packets.

Packets go through pairs of interfaces in a network namespace of the test's own, made from the captures of
pcaps/ or byte by byte. Nothing here waits for a time: only for what the programs say or have done.
"""

import json
import os
import pty
import pwd
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import network as net  # noqa: E402
from lib import packets as pk  # noqa: E402
from lib import program  # noqa: E402
from lib.conversation import Conversation  # noqa: E402
from lib.tap import Tap  # noqa: E402

TAP, PORT = "tap0", "port0"
NET_RAW = 1 << 13  # capabilities(7)
OTHER_TAP, OTHER_PORT = "tap1", "port1"
# What names the run or its times; the kernel gives each capture a time of its own for the same packet.
OF_THE_RUN = {"session_id", "start", "end", "duration"}
RUN_ARGUMENTS = ["--sensor", program.SENSOR, "--any-port", *program.TRUST]


class Live(net.Capture):
    """mailtap on interfaces, writing its logs to a directory."""

    capturing = staticmethod(net.filtered_sockets)

    def __init__(self, options, interfaces, folder, *extra):
        self.folder = Path(folder)
        command = [options.mailtap, *interfaces, "-w", str(self.folder), *map(str, extra)]
        names = ",".join(name for name in interfaces if name != "-i")
        super().__init__(command, len(names.split(",")))

    def records(self):
        return program.json_lines((self.folder / "sessions.jsonl").read_bytes())

    def account(self):
        """What the run says of its capture."""
        lines = program.json_lines((self.folder / "statistics.jsonl").read_bytes())
        (run,) = [line for line in lines if line["kind"] == "run"]
        return run["capture"]


def comparable(records):
    """Records as a sorted list of lines, without what names the run."""
    kept = ({key: value for key, value in record.items() if key not in OF_THE_RUN} for record in records)
    return sorted(json.dumps(record, sort_keys=True) for record in kept)


def difference(found, expected):
    """Lines that say which records only one of two lists has."""
    found, expected = comparable(found), comparable(expected)
    lines = []
    for name, one, other in (("only live", found, expected), ("only from the file", expected, found)):
        lines += [f"{name}: {line[:600]}" for line in one if line not in other]
    if len(found) != len(expected):
        lines.append(f"{len(found)} records live, {len(expected)} from the file")
    return lines[:8]


def as_frames(packets):
    """What of a capture can be sent on Ethernet, as it would have been there."""
    for packet in packets:
        if packet.linktype != cf.LINK_ETHERNET and pk.ip_offset(packet.data, packet.linktype) is not None:
            packet = pk.relink(packet, cf.LINK_ETHERNET)
        if packet.linktype == cf.LINK_ETHERNET and 14 <= len(packet.data) <= net.MTU:
            yield packet


def all_frames(options):
    frames = []
    for capture in program.captures(options.pcaps):
        frames += as_frames(cf.read(capture))
    return frames


def mail(number, port=25, tags=(), lines=10000, **how):
    """A mail connection in the clear; `number` makes its addresses, `lines` its message."""
    talk = Conversation(port, f"192.0.2.{number}", "198.51.100.20", 40000 + number, **how).open()
    talk.server(b"220 mx.example.com ESMTP\r\n").client(b"EHLO client.example.org\r\n")
    talk.server(b"250-mx.example.com\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
    talk.client(b"MAIL FROM:<a@example.org>\r\n").server(b"250 OK\r\n")
    talk.client(b"RCPT TO:<b@example.com>\r\n").server(b"250 OK\r\n").client(b"DATA\r\n")
    talk.server(b"354 go on\r\n").client(b"Subject: x\r\n\r\n" + b"text\r\n" * lines + b".\r\n")
    talk.server(b"250 OK\r\n").client(b"QUIT\r\n").server(b"221 bye\r\n").close()
    return [pk.add_vlan(packet, tags) for packet in talk.packets] if tags else talk.packets


def other_traffic(count):
    """Packets that are no mail: UDP, and TCP to another port."""
    udp = pk.ip_header("192.0.2.1", "198.51.100.1", 17, 8 + 100)
    datagram = pk.ethernet_header(4) + udp + bytes.fromhex("d431 01bb 006c 0000") + bytes(100)
    web = Conversation(80).open().client(b"GET / HTTP/1.1\r\n\r\n").close().packets
    return [cf.Packet(0, datagram, len(datagram))] * count + web


# --- the tests -------------------------------------------------------------------------------


def record_and_capture(options, folder, frames, *extra, interface=TAP, copies=1):
    """Sends frames while tcpdump and mailtap capture: mailtap, and the records from tcpdump's file.

    `copies`: how often a packet comes by.
    """
    dump = Path(folder) / "dump.pcap"
    recorder = net.Recorder(interface, dump)
    live = Live(options, ["-i", interface], Path(folder) / "live", *extra)
    port = net.Port(PORT, TAP)
    port.send(frames)
    recorder.wait_for(len(frames) * copies)
    code, _ = live.stop()
    recorder.stop()
    port.close()
    if code != 0:
        raise net.NetworkError(f"mailtap ended with {code}: {live.lines}")
    done = program.run(options.mailtap, ["-r", dump, "-w", Path(folder) / "file", "-q", *extra])
    if done.returncode != 0:
        raise net.NetworkError(f"mailtap -r ended with {done.returncode}: {program.text(done.stderr)}")
    return live, program.json_lines((Path(folder) / "file" / "sessions.jsonl").read_bytes())


def replay(tap, options, folder):
    """All captures at once."""
    frames = all_frames(options)
    live, expected = record_and_capture(options, folder, frames, *RUN_ARGUMENTS)
    found = live.records()
    details = difference(found, expected)
    tap.check(not details and len(found) > 500, f"{len(found)} sessions of {len(frames)} packets", details)
    account = live.account()
    right = account["packets_on_interfaces"] == len(frames) and account["dropped_reported"] == 0
    tap.check(right, "the interface's count is that of the packets sent", [str(account)])


def tags(tap, options, folder):
    """One and two VLAN tags, of which the kernel takes off the first, and more."""
    stacks = {1: [(0x8100, 7)], 2: [(0x88A8, 8), (0x8100, 9)], 3: [(0x8100, 1), (0x8100, 2)],
              4: [(0x9100, 3), (0x8100, 4)], 5: [(0x88A8, 5), (0x8100, 6), (0x8100, 7)]}  # fmt: skip
    frames = other_traffic(50)
    for number, stack in stacks.items():
        frames += mail(number, tags=stack)
        frames += [pk.add_vlan(packet, stack) for packet in other_traffic(10)]
    live, expected = record_and_capture(options, folder, frames, "--sensor", program.SENSOR)
    found = {record["client_ip"]: record["vlan"] for record in live.records()}
    right = {f"192.0.2.{number}": [vlan for _, vlan in stack] for number, stack in stacks.items()}
    tap.check(found == right, "mail in VLANs is found, with its tags", [str(found)])
    tap.check(not difference(live.records(), expected), "as in the file")
    mail_packets = sum(len(mail(1)) for _ in stacks)
    account = live.account()
    right = account["packets_seen"] == mail_packets and account["packets_on_interfaces"] == len(frames)
    tap.check(right, "the kernel leaves out what is no mail, tagged or not", [str(account)])


def filters(tap, options, folder):
    """The user's filter, and one direction of two that the kernel has already told apart."""
    frames = mail(1) + mail(2) + mail(3)
    live, expected = record_and_capture(
        options, folder, frames, "--sensor", program.SENSOR, "-f", "host 192.0.2.2")  # fmt: skip
    found = [record["client_ip"] for record in live.records()]
    tap.check(found == ["192.0.2.2"], "a filter leaves only what matches", [str(found)])
    tap.check(not difference(live.records(), expected), "as in the file")
    left_out = live.account()["packets_filtered"]
    tap.check(left_out == len(mail(1)) + len(mail(3)), "what it left out is counted", [str(left_out)])


def super_frames(tap, options, folder):
    """Segments as receive offloads put them together: up to 64 KiB, more of them at once than a batch holds."""
    frames = mail(1, mss=60000, lines=700_000)
    live, expected = record_and_capture(options, folder, frames, "--sensor", program.SENSOR)
    (record,) = live.records()
    right = record["verdict"] == "cleartext" and record["messages"] == 1 and not record["client_missing_bytes"]
    tap.check(right, f"{len(frames)} frames of up to 60000 bytes are read", [str(record)])
    tap.check(not difference(live.records(), expected), "as in the file")


def stop_at_once(tap, options, folder):
    """What came before the signal is read, though the kernel has not handed it over yet."""
    live = Live(options, ["-i", TAP], Path(folder) / "live")
    port = net.Port(PORT, TAP)
    port.send(frame for number in range(1, 101) for frame in mail(number, lines=1))
    code, _ = live.stop()
    port.close()
    whole = [record["messages"] for record in live.records()] == [1] * 100
    tap.check(code == 0 and whole, "100 sessions are found", [str(live.account())])


def two_interfaces(tap, options, folder):
    """The directions of an optical tap: each comes by an interface of its own."""
    frames = [frame for number in range(1, 40) for frame in mail(number, port=(25, 587, 2525)[number % 3])]
    dump = Path(folder) / "both.pcap"
    cf.write_pcap(dump, frames)
    expected = program.sessions(options.mailtap, dump)
    ports = [net.Port(PORT, TAP), net.Port(OTHER_PORT, OTHER_TAP)]
    for number, names in enumerate((["-i", TAP, "-i", OTHER_TAP], ["-i", f"{TAP},{OTHER_TAP}"])):
        recorders = [net.Recorder(name, Path(folder) / f"{name}.pcap") for name in (TAP, OTHER_TAP)]
        live = Live(options, names, Path(folder) / str(number), "--sensor", program.SENSOR)
        sent = [0, 0]
        for frame in frames:
            way = int(pk.parse_segment(frame).sport in (25, 587, 2525))
            ports[way].send([frame])
            sent[way] += 1
        for recorder, count in zip(recorders, sent):
            recorder.wait_for(count)
            recorder.stop()
        code, _ = live.stop()
        details = difference(live.records(), expected)
        tap.check(code == 0 and not details, f"{' '.join(names)}: {len(expected)} sessions are whole", details)
    for port in ports:
        port.close()


def any_interface(tap, options, folder):
    """All interfaces at once, with the cooked header that libpcap puts in front: here, both ends of the pair.

    Only one tag: kernels since 6.10 contradict themselves in a second one's cooked header.
    """
    frames = mail(1) + mail(2, tags=[(0x88A8, 8)]) + other_traffic(50)
    live, expected = record_and_capture(
        options, folder, frames, "--sensor", program.SENSOR, interface="any", copies=2)  # fmt: skip
    details = difference(live.records(), expected)
    tap.check(len(expected) == 2 and not details, "as in the file", details)
    seen = live.account()["packets_seen"]
    tap.check(seen == 4 * len(mail(1)), "the kernel leaves out what is no mail", [str(seen)])


def outages(tap, options, folder):
    """An interface goes down and comes up, goes away and comes back."""
    live = Live(options, ["-i", TAP, "-i", OTHER_TAP], Path(folder) / "live", "--sensor", program.SENSOR)
    other = net.Port(OTHER_PORT, OTHER_TAP)
    net.ip("link", "set", "dev", TAP, "down")
    live.wait_for_line(f"{TAP}: it is down")
    other.send(mail(1))
    net.ip("link", "set", "dev", TAP, "up")
    live.wait_for_line(f"{TAP}: back after")
    port = net.Port(PORT, TAP)
    port.send(mail(2))
    port.close()
    net.remove_pair(TAP)
    live.wait_for_line(f"{TAP}: ")
    other.send(mail(3))
    net.make_pair(TAP, PORT)
    live.wait_for_line(f"{TAP}: back after")
    port = net.Port(PORT, TAP)
    recorder = net.Recorder(TAP, Path(folder) / "dump.pcap")
    port.send(mail(4))
    recorder.wait_for(len(mail(4)))
    recorder.stop()
    code, out = live.stop(signal.SIGTERM)
    found = sorted(record["client_ip"] for record in live.records())
    right = code == 0 and found == [f"192.0.2.{number}" for number in (1, 2, 3, 4)]
    tap.check(right, "what comes before, meanwhile and afterwards is found", [f"{code} {found}", *live.lines])
    account = live.account()
    tap.check(account["interface_outages"] == 2, "both outages are counted", [str(account)])
    said = [line for line in live.lines if TAP in line]  # a build with a sanitizer has no sandbox, and says so
    tap.check(len(said) == 4, "a line each when it goes and when it is back", live.lines)
    told = b"2 times that an interface was down" in out and b"4 sessions" in out
    tap.check(told, "SIGTERM ends it with a summary", program.text(out).splitlines()[-6:])
    other.close()
    port.close()


def another_user(tap, options, folder):
    """As another user, without effective privileges, it opens an interface again that came back."""
    logs, user = Path(folder) / "live", pwd.getpwnam("nobody")
    logs.mkdir()
    os.chown(logs, user.pw_uid, user.pw_gid)
    os.chmod(folder, 0o755)
    live = Live(options, ["-i", TAP], logs, "--user", user.pw_name)
    net.remove_pair(TAP)
    live.wait_for_line(f"{TAP}: ")
    threads = [path.read_text() for path in Path(f"/proc/{live.process.pid}/task").glob("*/status")]
    held = [
        {line.split(":")[0]: line.split()[1] for line in text.splitlines() if line.startswith(("Cap", "Uid"))}
        for text in threads
    ]
    right = len(held) > 1 and all(
        thread["Uid"] == str(user.pw_uid) and int(thread["CapEff"], 16) == 0 and int(thread["CapPrm"], 16) == NET_RAW
        for thread in held
    )
    tap.check(right, "CAP_NET_RAW is permitted, not effective, and nothing else", [str(held)])
    net.make_pair(TAP, PORT)
    live.wait_for_line(f"{TAP}: back after")
    port = net.Port(PORT, TAP)
    recorder = net.Recorder(TAP, Path(folder) / "dump.pcap")
    port.send(mail(1))
    recorder.wait_for(len(mail(1)))
    recorder.stop()
    code, _ = live.stop(signal.SIGTERM)
    port.close()
    tap.check(code == 0 and len(live.records()) == 1, "packets of the interface that came back", live.lines)


def moments(tap, options, folder):
    """A link that is lost for less time than it takes to look is counted all the same."""
    live = Live(options, ["-i", TAP], Path(folder) / "live")
    net.ip("link", "set", "dev", PORT, "down")
    net.ip("link", "set", "dev", PORT, "up")
    said = ("its link was lost for a moment", "back after")
    net.wait_until("a line", lambda: any(text in line for line in live.said() for text in said))
    live.stop()
    counted = live.account()["interface_outages"]
    tap.check(counted == 1, "counted", [str(counted), *live.lines])


def drops(tap, options, folder):
    """Packets for which the kernel has no room, while nobody reads: every one is accounted for."""
    frames = [frame for number in range(1, 41) for frame in mail(number)]
    live = Live(options, ["-i", TAP], Path(folder) / "live", "--buffer", "1M")
    live.process.send_signal(signal.SIGSTOP)
    port = net.Port(PORT, TAP)
    port.send(frames)
    port.close()
    live.process.send_signal(signal.SIGCONT)
    live.stop()
    account = live.account()
    lost = account["dropped_reported"]
    right = lost > 0 and account["packets_seen"] + lost == account["packets_on_interfaces"] == len(frames)
    tap.check(right, "seen and dropped are all there were", [str(account)])


def progress(tap, options, folder):
    """On a terminal a line tells of packets and drops; Ctrl-C ends it with a summary."""
    leader, follower = pty.openpty()
    command = [options.mailtap, "-i", TAP]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=program.environment())
    os.close(follower)
    net.wait_until("it to capture", lambda: net.filtered_sockets(process.pid) == 1)
    port = net.Port(PORT, TAP)
    port.send(mail(1))
    shown = b""

    def told():
        nonlocal shown
        while select.select([leader], [], [], 0)[0]:
            shown += os.read(leader, 4096)
        return f"{TAP}: {len(mail(1))} packets".encode() in shown and b"0 dropped" in shown

    net.wait_until("the line", told)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=net.PATIENCE)
    right = process.returncode == 0 and b"1 session," in out and b"interrupted" not in out
    tap.check(right, "progress, and a summary", program.text(out).splitlines()[:3])
    os.close(leader)
    port.close()


WRONG = {
    "an interface that is not there": (["-i", "nosuch0"], 1, "no such interface; there are: lo"),
    "a name that is too long": (["-i", "a" * 40], 1, "no such interface"),
    "one of two is not there": (["-i", f"{TAP},nosuch0"], 1, "nosuch0"),
    "the same twice": (["-i", TAP, "-i", TAP], 1, "named twice"),
    "an empty name": (["-i", f"{TAP},"], 1, "empty"),
    "any beside another": (["-i", "any", "-i", TAP], 1, "stands alone"),
    "one that is down": (["-i", "down0"], 1, "ip link set down0 up"),
    "captures as well": (["-i", TAP, "-r", "x.pcap"], 2, "-r, -i"),
    "a buffer that is too small": (["-i", TAP, "--buffer", "1K"], 2, "--buffer"),
    "a filter that is none": (["-i", TAP, "-f", "nonsense and"], 2, "filter"),
}


def errors(tap, options, folder):
    del folder
    net.ip("link", "add", "name", "down0", "type", "veth", "peer", "name", "down1")
    for name, (arguments, code, text) in WRONG.items():
        done = program.run(options.mailtap, arguments)
        said = program.text(done.stderr)
        right = done.returncode == code and text in said and said.count("\n") == 1
        tap.check(right, name, [f"{done.returncode}: {said}"])
    command = ["setpriv", "--bounding-set", "-net_raw", options.mailtap, "-i", TAP]
    done = subprocess.run(command, capture_output=True, check=False, env=program.environment())
    right = done.returncode == 1 and b"not permitted" in done.stderr and b"setcap" in done.stderr
    tap.check(right, "no right to capture", [program.text(done.stderr)])
    out = program.text(program.run(options.mailtap, ["-D"]).stdout)
    listed = {line.split()[0]: line for line in out.splitlines()}
    right = "up," in listed[TAP] and "down," in listed["down0"] and "any" in listed
    tap.check(right, "-D lists them", out.splitlines())


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    reason = net.enter()
    tap = Tap()
    if reason is not None:
        tap.skip("live capture", reason)
        return tap.done()
    net.make_pair(TAP, PORT)
    net.make_pair(OTHER_TAP, OTHER_PORT)
    tests = [replay, tags, filters, super_frames, stop_at_once, two_interfaces, any_interface, outages,
             another_user, moments, drops, progress, errors]  # fmt: skip
    for test in tests:
        tap.note(f"{test.__name__}: {test.__doc__.splitlines()[0] if test.__doc__ else ''}")
        with tempfile.TemporaryDirectory(prefix="live-") as folder:
            try:
                test(tap, options, folder)
            except (net.NetworkError, OSError, subprocess.TimeoutExpired) as error:
                tap.check(False, test.__name__, [str(error)])
            finally:
                net.end_captures()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
