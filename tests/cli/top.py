#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mailtap top: the figures of a running tap on a terminal, its keys, terminals that grow and shrink, a tap that goes
and comes back, and hostile names that must not move the cursor."""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402
from lib.terminal import Terminal  # noqa: E402
from lib.watched import Watched, strange_traffic, traffic  # noqa: E402


def once(mailtap, port, *arguments):
    done = program.run(mailtap, ["top", "--once", "--connect", str(port), *arguments])
    return done.returncode, done.stdout.decode(), program.text(done.stderr)


# --- as text ---------------------------------------------------------------------------------


def row(text, name):
    """The numbers in the row of this name: how many, and of how many if it says so."""
    found = re.search(rf"(?:^|  ){re.escape(name)} +([0-9]+)(?: of +([0-9]+))?(?: |$)", text, re.M)
    return [int(number) for number in found.groups() if number] if found else None


def place(of):
    """A server, as people write it."""
    address = of["server_ip"]
    return f"[{address}]:{of['server_port']}" if ":" in address else f"{address}:{of['server_port']}"


def figures(tap, mailtap, service):
    """As /live.json has them."""
    for window in ("15m", "24h"):
        live = service.live(window)
        code, text, said = once(mailtap, service.port, "--window", window)
        tap.check(code == 0 and not said, f"{window}: printed", [said])
        wrong = [f"{name}: {row(text, name)}" for name, count in live["window"]["verdicts"].items() if row(text, name) != [count]]
        tap.check(not wrong, f"{window}: the verdicts", wrong)
        steps = {}
        for step in (step for step in live["tables"]["funnel"] if not step["step"].startswith("mail_in")):
            passed, of = steps.get(step["step"], (0, 0))
            steps[step["step"]] = (passed + step["passed"], of + step["passed"] + step["ended"])
        wrong = [f"{name}: {row(text, name)}" for name, (passed, of) in steps.items() if row(text, name) != [passed, of]]
        tap.check(not wrong and len(steps) > 5, f"{window}: the way to TLS", wrong)
        wrong = [hop["hop"] for hop in live["tables"]["protection"] if row(text, hop["hop"])
                 != [hop["passive_protected"], hop["passive_protected"] + hop["passive_exposed"]]]  # fmt: skip
        tap.check(not wrong, f"{window}: the protection by hop", wrong)
        wrong = [server["server_ip"] for server in live["servers"] if not re.search(
            rf"^ *{server['sessions']} +{server['established']} +{server['offered']} +{server['not_offered']} "
            rf" *{re.escape(place(server))}( |$)", text, re.M)]  # fmt: skip
        tap.check(not wrong and live["servers"], f"{window}: the servers", wrong)
        kinds = re.findall(r"^([0-9:]{8}) (\w+) +(\w+) +(\S+) <- (\S+)", text, re.M)
        expected = [(one["time"][11:19], one["kind"], one["confidence"], place(one), one["client_network"])
                    for one in live["alerts"][:50]]  # fmt: skip
        tap.check(kinds == expected and kinds, f"{window}: the alerts", kinds)
    tap.check("\x1b" not in text, "without colours")


def refusals(tap, mailtap):
    code, text, said = once(mailtap, 1)
    right = code == 1 and not text and "127.0.0.1:1" in said and said.count("\n") == 1
    tap.check(right, "nobody listens: a line, and exit code 1", [said])
    for arguments in (["--window", "2h"], ["--interval", "0"], ["--interval", "x"], ["--interval", "3601"],
                      ["--connect", "tap.example.org:1"], ["--connect", "127.0.0.1:0"], ["--connect"], ["--no"], ["x"]):  # fmt: skip
        done = program.run(mailtap, ["top", "--once", *arguments])
        said = program.text(done.stderr)
        tap.check(done.returncode == 2 and said.count("\n") == 1, f"wrong: {' '.join(arguments)}", [said])
    done = program.run(mailtap, ["top", "--connect", "1"])
    said = program.text(done.stderr)
    tap.check(done.returncode == 1 and "--once" in said, "standard output is no terminal", [said])


class Liar:
    """A web server that is no tap: says this to whoever comes, whatever is asked."""

    def __init__(self, body):
        self.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        connection, _ = self.socket.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self.answer)


def lies(tap, mailtap):
    """Whatever answers there, no crash and no escape sequence."""
    for body in (b"", b"<html>", b"[]", b"[" * 100000, b"{\"a\":" * 3000, b"\x00" * 999, b"{\"tables\":{\"funnel\":\"x\"}} {}"):
        code, text, said = once(mailtap, Liar(body).port)
        tap.check(code == 1 and said.count("\n") == 1, f"no tap: {body[:12]}", [said])
    odd = b'{"version":"\\u001b[2J","sensor":"\\u009b31m","window":{"start":"\\u001b]0;x\\u0007-------T-------------","verdicts":' \
          b'{"\\u001b[2J":-5,"x":1e99}},"now":{"seconds":-1,"packets":"y"},"workers":[1,{"told_before":"z"}],"servers":[[],{}],' \
          b'"alerts":[null,{"time":7,"left_out":-1}],"tables":{"funnel":[[],{"step":{}}],"protection":{"a":[]}}}'  # fmt: skip
    code, text, said = once(mailtap, Liar(odd).port)
    tap.check(code == 0 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), "values of other kinds, and escape sequences", [said])


TOLD = {
    "version": "0", "stage": "reading", "started": "2026-11-20T08:00:00Z", "connections": 1, "workers": [],
    "now": {"seconds": 10, "packets": 20, "bytes": 50, "segments": 10, "sessions": 5, "lost": 50},
    "window": {"name": "15m", "start": "2026-11-26T23:50:00Z", "end": "2026-11-27T00:05:00Z", "sessions": 9, "lost": 7,
               "verdicts": {"stripped": 9}, "capture": {"dropped_reported": 3, "missed_by_interfaces": 4, "packets_malformed": 2}},
    "alerts": [{"time": time, "kind": "path_difference", "confidence": "confirmed", "client_network": "192.0.2.0/24",
                "server_ip": "2001:db8::25", "server_port": 25} for time in ("2026-11-27T00:01:02Z", "2026-11-26T23:59:00Z")],
    "alerts_count": 2,
    "tables": {"funnel": [{"protocol": protocol, "step": step, "passed": 1, "ended": 1}
                          for protocol, steps in ((None, ("listed", "mail_in_clear")), ("smtp", ("connected", "greeted", "listed")))
                          for step in steps]},
}  # fmt: skip


def store(tap, mailtap):
    """A line where records do not reach the store, and none where they do."""
    well = {"kind": "clickhouse", "away": False, "stored": 7, "refused": 0, "lost": 0, "spool_bytes": 5 << 20, "spool_files": 3}
    for told, line in ((None, None), (well, None),
                       ({**well, "away": True}, "store clickhouse IS AWAY   lost 0   refused 0   waiting 5.0 MiB in 3 files"),
                       ({**well, "kind": "sqlite", "away": True, "lost": 3, "spool_bytes": 0}, "store sqlite IS AWAY   lost 3   refused 0"),
                       ({**well, "refused": 2, "spool_bytes": 1 << 19}, "store clickhouse   lost 0   refused 2   waiting 0.5 MiB in 3 files"),
                       ({**well, "lost": 9, "spool_bytes": 0}, "store clickhouse   lost 9   refused 0")):  # fmt: skip
        code, text, said = once(mailtap, Liar(json.dumps({**TOLD, "store": told}).encode()).port)
        found = [part for part in text.splitlines() if part.startswith("store ")]
        tap.check(code == 0 and found == ([line] if line else []), f"the store: {line}", [*found, said])
    odd = {"kind": "\x1b[2J", "away": "yes", "lost": "x", "refused": 1, "spool_bytes": -1}
    code, text, said = once(mailtap, Liar(json.dumps({**TOLD, "store": odd}).encode()).port)
    tap.check(code == 0 and "\x1b" not in text, "the store: values of other kinds", [said])


def red_lines(lines):
    """Those in which something is red. A colour goes on until another is chosen, also in the next line."""
    found, red = [], False
    for line in lines:
        any_red = False
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            if piece.startswith("\x1b"):
                codes = piece[2:-1].split(";")
                red = "31" in codes or (red and not {"", "0", "39"} & set(codes))
            any_red |= red and bool(piece.strip()) and not piece.startswith("\x1b")
        if any_red:
            found.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
    return found


def losses(tap, mailtap):
    """What was lost, now and in the window, is told and stands out; and how old alerts are."""
    _, text, _ = once(mailtap, Liar(json.dumps(TOLD).encode()).port)
    lines = text.splitlines()
    tap.check(lines[1].endswith("9 sessions, 7 lost") and lines[3].startswith("lost 5.0/s "), "losses in the head", lines[:4])
    counted = {name: row(text, name) for name in TOLD["window"]["capture"]}
    tap.check(counted == {name: [count] for name, count in TOLD["window"]["capture"].items()}, "and counted below", [counted])
    steps = re.findall("(connected|greeted|listed|mail_in_clear) +([0-9]+) of", text)
    tap.check(steps == [("connected", "1"), ("greeted", "1"), ("listed", "2")], "steps in their order, of all protocols", steps)
    when = [line.split()[0] for line in lines if "path_difference" in line]
    tap.check(when == ["00:01:02", "11-26"], "an alert of another day has its day", when)
    command = [mailtap, "top", "--connect", str(Liar(json.dumps(TOLD).encode()).port), "--interval", "3600"]
    with Terminal(command, lines=60) as terminal:
        terminal.until(lambda lines: shown(lines, "q quit") and shown(lines, "packets_malformed"))
        red = red_lines(terminal.screen(colours=True))
        wanted = ("last 15m", "lost 5.0/s", "stripped", "dropped_reported", "missed_by_interfaces", "packets_malformed")
        missing = [name for name in wanted if not any(line.startswith(name) for line in red)]
        tap.check(not missing and not shown(red, "checksums_wrong"), "losses are red", missing or red)


# --- on a terminal ---------------------------------------------------------------------------


def shown(lines, text):
    return any(text in line for line in lines)


def keys(tap, terminal):
    first = terminal.until(lambda lines: shown(lines, "VERDICTS"))
    tap.check(shown(first, "last 15m:") and shown(first, "WAY TO TLS"), "the first frame")
    terminal.keys("w")
    terminal.until(lambda lines: shown(lines, "last 1h:"))
    terminal.keys("w")
    terminal.until(lambda lines: shown(lines, "last 24h:"))
    terminal.keys("w")
    terminal.until(lambda lines: shown(lines, "last 15m:"))
    tap.check(True, "w goes through the windows")
    terminal.keys("h")
    terminal.until(lambda lines: shown(lines, "q        quit"))
    terminal.keys("h")
    terminal.until(lambda lines: shown(lines, "VERDICTS"))
    tap.check(True, "h helps, and back")
    terminal.keys("p")
    terminal.until(lambda lines: lines[-1].startswith("PAUSED"))
    terminal.keys("p")
    terminal.until(lambda lines: not shown(lines, "PAUSED"))
    tap.check(True, "p pauses, and goes on")
    terminal.keys("End")
    last = terminal.until(lambda lines: shown(lines, "SERVERS by sessions"))
    tap.check(not shown(last, "last 15m:"), "End scrolls")
    terminal.keys("s")
    terminal.until(lambda lines: shown(lines, "SERVERS by without TLS"))
    terminal.keys("s")
    terminal.until(lambda lines: shown(lines, "SERVERS by address"))
    tap.check(True, "s sorts the servers")
    terminal.keys("j", "k", "PageUp", "PageDown", "Up", "Down", "Home", "x", "F5", "Escape")
    terminal.until(lambda lines: shown(lines, "last 15m:"))
    tap.check(True, "Home scrolls back, and other keys do nothing")


def sizes(tap, terminal):
    for columns, lines in ((60, 12), (200, 60), (20, 5), (2, 2), (1, 1), (81, 24), (100, 30)):
        terminal.resize(columns, lines)
        terminal.keys("End", "Home")
        if columns >= 60:
            screen = terminal.until(lambda lines: shown(lines, "last 15m:") and shown(lines[-1:], "q quit"))
            right = all(len(line) <= columns for line in screen) and len(screen) == lines
            tap.check(right, f"{columns} columns and {lines} lines")
    tap.check(not terminal.ended(), "the smallest terminal does no harm")


def cut(tap, mailtap, service, terminal):
    """What has no room on a terminal of 80 columns says so: no number becomes another."""
    terminal.resize(80, 100)
    terminal.keys("w", "w")
    screen = terminal.until(lambda lines: shown(lines, "last 24h:") and shown(lines, "SERVERS by") and len(lines) == 100)
    _, text, _ = once(mailtap, service.port, "--window", "24h")
    whole = [line.rstrip() for line in text.splitlines()]
    begin = next(at for at, line in enumerate(screen) if line.startswith("ALERTS"))
    lists = [line for line in screen[begin + 1 : -1] if re.match("[0-9]{2}[:-]| +[0-9]+ +[0-9]", line)]
    marked = [line for line in lists if line not in whole]
    wrong = [line for line in marked if len(line) != 80 or line[-1] not in ">."
             or not any(full.startswith(line.rstrip(">.")) for full in whole)]  # fmt: skip
    tap.check(not wrong and len(marked) > 3, f"80 columns: {len(marked)} of {len(lists)} lines are cut, and say so", wrong)
    beside = [line for line in screen if line.startswith(("encrypted", "cleartext", "stripped"))]
    tap.check(beside and all(line.endswith("%") and len(line) == 80 for line in beside), "80 columns have room for two blocks", beside)
    terminal.keys("w")


def goes_and_comes_back(tap, mailtap, terminal, service):
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    lines = terminal.until(lambda lines: "NO ANSWER for" in lines[-1])
    tap.check(shown(lines, "VERDICTS"), "the tap is gone: that is said, and the old figures stay", lines[-1:])
    command = [mailtap, "-r", "-", "-q", "--sensor", "another", "--listen", f"127.0.0.1:{service.port}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=program.environment()) as other:
        terminal.until(lambda lines: shown(lines[:1], "another"))
        other.stdin.write(cf.pcap_header(cf.LINK_ETHERNET))
        other.stdin.close()
        tap.check(other.wait() == 0, "another tap in its place is shown")
    terminal.keys("q")
    tap.check(terminal_ends(terminal), "q quits")


def terminal_ends(terminal):
    for _ in range(600):
        if terminal.ended():
            return True
        time.sleep(0.05)
    return False


def on_a_terminal(tap, mailtap, service):
    command = [mailtap, "top", "--connect", str(service.port), "--interval", "1"]
    with Terminal(command, environment={"NO_COLOR": "1"}) as terminal:
        terminal.until(lambda lines: shown(lines, "stripped"))
        coloured = any(re.search(r"\x1b\[[0-9;]*3[0-7]m", line) for line in terminal.screen(colours=True))
        tap.check(not coloured, "NO_COLOR: none")
    with Terminal(["sh", "-c", '"$@"; echo "ended by $?"; sleep 60', "sh", *command], environment={"TERM": "dumb"}) as terminal:
        lines = terminal.until(lambda lines: shown(lines, "ended by"))
        tap.check(shown(lines, "--once") and shown(lines, "ended by 1"), "a terminal that cannot move its cursor", lines)
    with Terminal(command) as terminal:
        terminal.until(lambda lines: shown(lines, "stripped"))
        coloured = [line for line in terminal.screen(colours=True) if "stripped" in line and "\x1b[31m" in line]
        tap.check(len(coloured) == 1, "stripping is red", coloured)
        keys(tap, terminal)
        sizes(tap, terminal)
        cut(tap, mailtap, service, terminal)
        goes_and_comes_back(tap, mailtap, terminal, service)


def hostile_names(tap, mailtap, pcaps):
    with tempfile.TemporaryDirectory() as folder, Watched(mailtap, folder) as service:
        service.packets(strange_traffic(pcaps))
        command = [mailtap, "top", "--connect", str(service.port), "--window", "24h"]
        for locale in ("C.UTF-8", "C"):
            with Terminal(command, columns=180, lines=200, environment={"LC_ALL": locale}) as terminal:
                lines = terminal.until(lambda lines: shown(lines, "SERVERS by") and shown(lines, "q quit"))
                tap.check(int(re.search("([0-9]+) sessions", lines[1])[1]) > 40, f"{locale}: all these sessions", lines[1:2])
                right = lines[0].startswith("mailtap ") and lines[2].startswith("packets") and "q quit" in lines[-1]
                tap.check(right and not shown(lines, "\u202e"), f"{locale}: all stands where it belongs", lines[:3])
                ascii_only = all(line.isascii() for line in lines)
                tap.check(ascii_only or locale != "C", f"{locale}: no character that it cannot show")


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    refusals(tap, options.mailtap)
    lies(tap, options.mailtap)
    losses(tap, options.mailtap)
    store(tap, options.mailtap)
    hostile_names(tap, options.mailtap, options.pcaps)
    with tempfile.TemporaryDirectory() as folder, Watched(options.mailtap, folder) as service:
        service.packets(traffic(options.pcaps, 8))
        figures(tap, options.mailtap, service)
        on_a_terminal(tap, options.mailtap, service)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
