#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""alerts.jsonl: its keys, that what is confirmed is told of while the session goes on, where the server was
seen stripped from, and that each piece of evidence has a line or is counted in `left_out`."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

HEAD = ["time", "session_id", "kind", "confidence"]
WHERE = ["client_ip", "client_port", "client_network", "server_ip", "server_port", "server_name"]
NETWORKS = ["networks_stripped", "networks_stripped_count", "networks_clean", "networks_clean_count"]
CONFIDENCES = ["suspected", "probable", "confirmed"]
# Captures, and keys that the alert of one kind has besides.
CAPTURES = {
    "attack-remove-postfix-swaks.pcap": ("capability_removed", ["offered", "offered_networks", "offered_last"]),
    "attack-race-454-postfix-swaks.pcap": (
        "injected_segment",
        ["offset", "first_bytes", "second_bytes", "first_ttl", "second_ttl", "first_window", "second_window"],
    ),
    "attack-intercept-imap-dovecot-curl.pcap": ("certificate_substituted", ["usual_sha256", "sha256"]),
    "attack-two-taps-in-place-postfix-swaks.pcap": (
        "path_difference",
        ["differs", "here", "there", "vlan_here", "vlan_there"],
    ),
}
RACED = "attack-race-454-postfix-swaks.pcap"
VICTIM, OTHERS = "198.51.100.0/24", "203.0.113.0/24"


class Logs:
    """The session records and the alerts of a run."""

    def __init__(self, mailtap, capture, *extra):
        with tempfile.TemporaryDirectory() as folder:
            arguments = ["-r", program.PCAPS / capture, "-q", "-w", folder, *extra]
            done = program.run(mailtap, arguments)
            if done.returncode != 0:
                raise program.RunError(f"{capture}: exit code {done.returncode}")
            self.sessions = program.json_lines(Path(folder, "sessions.jsonl").read_bytes())
            self.alerts = program.json_lines(Path(folder, "alerts.jsonl").read_bytes())

    def evidence(self):
        """How many pieces there are, by kind."""
        return Counter(piece["kind"] for session in self.sessions for piece in session["evidence"])

    def told(self):
        """How many pieces the alerts account for, by kind. The last line of a group may be a mere count."""
        told = Counter()
        for alert in self.alerts:
            told[alert["kind"]] += alert["left_out"] + (alert["client_ip"] is not None)
        return told

    def of_kind(self, kind):
        return [alert for alert in self.alerts if alert["kind"] == kind and alert["client_ip"] is not None]


def is_in_order(keys, expected):
    return [key for key in keys if key in expected] == expected


def key_faults(alert, kind, facts):
    """What is wrong with the keys of a line."""
    keys = list(alert)
    if keys[:4] != HEAD or keys[-1] != "left_out" or not is_in_order(keys, WHERE):
        return [f"keys {keys}"]
    if alert["confidence"] not in CONFIDENCES:
        return [f"confidence {alert['confidence']}"]
    if alert["client_ip"] is None:  # a mere count
        return [] if alert["left_out"] > 0 and NETWORKS[0] not in alert else ["a count of nothing"]
    wanted = NETWORKS + (facts if alert["kind"] == kind else [])
    return [f"{alert['kind']} has no {key}" for key in wanted if key not in alert]


def lines(tap, mailtap):
    """Each line's keys; what a session's record says of the same evidence."""
    for capture, (kind, facts) in CAPTURES.items():
        logs = Logs(mailtap, capture, "--alert-interval", "0")
        wrong = [fault for alert in logs.alerts for fault in key_faults(alert, kind, facts)]
        if not logs.of_kind(kind):
            wrong.append(f"no {kind}")
        tap.check(not wrong, f"{capture}: keys", wrong)
        records = {session["session_id"]: session for session in logs.sessions}
        wrong = []
        for alert in logs.alerts:
            pieces = records[alert["session_id"]]["evidence"]
            same = [p for p in pieces if all(alert[key] == value for key, value in p.items())]
            wrong += [] if same else [f"{alert['kind']} is not in the record of its session"]
        tap.check(not wrong, f"{capture}: as the records say", wrong)


def accounting(tap, mailtap):
    """Without a limit each piece has its line; with one, what has none is counted."""
    for capture in CAPTURES:
        for interval in ("0", "600"):
            logs = Logs(mailtap, capture, "--alert-interval", interval)
            found, told = logs.evidence(), logs.told()
            wrong = [] if found == told else [f"found {dict(found)}, told of {dict(told)}"]
            if interval == "0" and any(alert["left_out"] for alert in logs.alerts):
                wrong.append("something was left out")
            tap.check(not wrong, f"{capture}: all accounted for, interval {interval}", wrong)


def limit(tap, mailtap):
    """Two alike within the interval: one line, and a count; one that is surer has a line of its own."""
    capture = "attack-intercept-imap-dovecot-curl.pcap"
    for extra, expected in (((), [0, 1]), (("--alert-interval", "0"), [0, 0])):
        alerts = Logs(mailtap, capture, *extra).alerts
        tap.check([a["left_out"] for a in alerts] == expected, f"{capture}: left out {expected}", map(str, alerts))
    capture = "attack-remove-postfix-swaks.pcap"
    found = [alert["confidence"] for alert in Logs(mailtap, capture).of_kind("capability_removed")]
    tap.check(found == ["suspected", "probable"], f"{capture}: surer evidence is not left out", [str(found)])


def early(tap, mailtap):
    """What is confirmed has a time before its session's end, and the session's own network is in it."""
    logs = Logs(mailtap, RACED)
    records = {session["session_id"]: session for session in logs.sessions}
    confirmed = logs.of_kind("injected_segment")
    times = [(alert["time"], records[alert["session_id"]]["end"]) for alert in confirmed]
    good = len(times) == 1 and all(told < ended for told, ended in times)
    tap.check(good, f"{RACED}: told of before the session's end", map(str, times))
    seen = [alert["networks_stripped"] for alert in confirmed]
    tap.check(seen == [[VICTIM]], f"{RACED}: from where, at once", map(str, seen))


def networks(tap, mailtap):
    """From where the server is seen stripped, and from where not; a doubtful network is neither."""
    for capture, stripped in (
        ("attack-remove-postfix-swaks.pcap", [VICTIM]),
        ("attack-intercept-imap-dovecot-curl.pcap", []),
    ):
        alert = Logs(mailtap, capture).alerts[0]
        found = (alert["networks_stripped"], alert["networks_clean"])
        tap.check(found == (stripped, [OTHERS]), f"{capture}: networks", [str(found)])


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    for part in (lines, accounting, limit, early, networks):
        part(tap, options.mailtap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
