#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real Postfix and Dovecot, real clients: what `mailtap -i` finds while they talk is what `mailtap -r` finds in
tcpdump's capture of it, and what they did.

The servers are in a network namespace of their own, behind a pair of interfaces; the offloads are on, as they are
on such pairs, so that the segments are larger than any on a wire.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import network as net  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402
from live import Live, difference  # noqa: E402

TAP, PORT = "tap0", "port0"
CLIENT, SERVER = "198.51.100.10", "192.0.2.25"
LOGIN, PASSWORD = "canary-user-3d77", "CANARY-PASSWORD-7f3a"
PROGRAMS = ["postfix", "dovecot", "swaks", "curl", "tcpdump", "openssl"]
MAIL_USER = "mail"

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
myhostname = mx.example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
local_transport = discard:
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_chain_files = {folder}/server.key {folder}/server.pem
smtpd_tls_security_level = may
smtpd_relay_restrictions = reject_unauth_destination
"""
MASTER_CF = """
25        inet  n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
proxymap  unix  - - n - - proxymap
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
DOVECOT_CONF = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap pop3
listen = *
mail_location = maildir:{folder}/mail/%n
mail_uid = {user}
mail_gid = {user}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
passdb {{
  driver = passwd-file
  args = username_format=%n {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={folder}/mail/%n
}}
"""


class Servers:
    """A network namespace behind PORT in which both run."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.running = []
        self.inside = []

    def start(self):
        keeper = self._start(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        net.wait_until("a namespace", lambda: os.readlink(f"/proc/{keeper.pid}/ns/net") != own)
        self.inside = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]
        net.make_pair(TAP, PORT)
        net.ip("link", "set", "dev", PORT, "netns", str(keeper.pid))
        for command in (f"link set lo up|addr add {SERVER}/24 dev {PORT}|link set {PORT} mtu 1500 up|"
                        f"route add 198.51.100.0/24 dev {PORT}").split("|"):  # fmt: skip
            self.run(*self.inside, "ip", *command.split())
        for command in (f"addr add {CLIENT}/24 dev {TAP}", f"link set {TAP} mtu 1500",
                        f"route add 192.0.2.0/24 dev {TAP}"):  # fmt: skip
            net.ip(*command.split())
        self._make_certificate()
        self._start_postfix()
        self._start_dovecot()
        for port in (25, 143, 993, 110):
            net.wait_until(f"port {port}", lambda port=port: self._listens(port))

    def stop(self):
        config = self.folder / "postfix"
        if config.is_dir():
            subprocess.run([*self.inside, "postfix", "-c", str(config), "stop"], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        for process in reversed(self.running):
            process.terminate()
            process.wait(timeout=net.PATIENCE)

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise net.NetworkError(f"{' '.join(command)}: {program.text(done.stderr)}")
        return done.stdout

    def _start(self, command):
        with open(self.folder / f"log-{len(self.running)}", "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def _listens(self, port):
        return bool(self.run(*self.inside, "ss", "-Hltn", f"sport = :{port}"))

    def _make_certificate(self):
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                  "-subj", "/CN=mx.example.com", "-keyout", str(self.folder / "server.key"),
                  "-out", str(self.folder / "server.pem"))  # fmt: skip

    def _start_postfix(self):
        config = self.folder / "postfix"
        for name in ("postfix", "queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        for name in Path("/etc/postfix").glob("*"):
            if name.name.startswith(("dynamicmaps", "postfix-files")):
                (shutil.copytree if name.is_dir() else shutil.copy)(name, config / name.name)
        (config / "main.cf").write_text(MAIN_CF.format(folder=self.folder))
        (config / "master.cf").write_text(MASTER_CF)
        self._start([*self.inside, "postfix", "-c", str(config), "start-fg"])

    def _start_dovecot(self):
        mail = self.folder / "mail"
        mail.mkdir()
        shutil.chown(mail, MAIL_USER, MAIL_USER)
        (self.folder / "users").write_text(f"{LOGIN}:{{PLAIN}}{PASSWORD}::::::\n")
        config = self.folder / "dovecot.conf"
        config.write_text(DOVECOT_CONF.format(folder=self.folder, user=MAIL_USER))
        self._start([*self.inside, "dovecot", "-F", "-c", str(config)])


def swaks(*extra):
    return ["swaks", "--server", SERVER, "--helo", "client.example.org", "--from", "a@example.org",
            "--to", "b@example.com", "--silent", "3", *extra]  # fmt: skip


def curl(url, *extra):
    return ["curl", "--silent", "--show-error", "--insecure", "--user", f"{LOGIN}:{PASSWORD}", url, *extra]


# What is done, how, on which port, and what must be said of it.
TALKS = [
    ("a message", swaks(), 25, {"verdict": "cleartext", "messages": 1, "starttls_offered": True}),
    ("a long one", swaks("--body", f"@{__file__}"), 25, {"verdict": "cleartext", "messages": 1}),
    ("by STARTTLS", swaks("--tls"), 25,
     {"verdict": "encrypted", "starttls_accepted": True, "tls_mode": "starttls"}),
    ("IMAP", curl(f"imap://{SERVER}/", "-X", "NOOP"), 143,
     {"verdict": "cleartext", "credentials_exposed": True}),
    ("IMAP by STARTTLS", curl(f"imap://{SERVER}/", "--ssl-reqd", "-X", "NOOP"), 143,
     {"verdict": "encrypted", "tls_mode": "starttls"}),
    ("IMAP in TLS", curl(f"imaps://{SERVER}/", "-X", "NOOP"), 993,
     {"verdict": "encrypted", "tls_mode": "implicit"}),
    ("POP3", curl(f"pop3://{SERVER}/"), 110, {"verdict": "cleartext", "credentials_exposed": True}),
    ("POP3 by STLS", curl(f"pop3://{SERVER}/", "--ssl-reqd"), 110,
     {"verdict": "encrypted", "tls_mode": "starttls"}),
]  # fmt: skip


def talk(command):
    """Does it; why it failed, or None."""
    done = subprocess.run(command, capture_output=True, check=False, timeout=net.PATIENCE)
    return None if done.returncode == 0 else f"{command[0]}: {program.text(done.stdout + done.stderr)}"


def check(tap, options, folder):
    dump = Path(folder) / "dump.pcap"
    recorder = net.Recorder(TAP, dump)
    live = Live(options, ["-i", TAP], Path(folder) / "live", "--sensor", program.SENSOR)
    failures = [reason for _, command, _, _ in TALKS if (reason := talk(command))]
    tap.check(not failures, "servers and clients talk", failures)
    code, _ = live.stop()
    recorder.wait_for(live.account()["packets_on_interfaces"])
    recorder.stop()
    file_logs = Path(folder) / "file"
    program.run(options.mailtap, ["-r", dump, "-w", file_logs, "-q", "--sensor", program.SENSOR])
    expected = program.json_lines((file_logs / "sessions.jsonl").read_bytes())
    found = live.records()
    details = difference(found, expected)
    tap.check(code == 0 and not details, f"{len(found)} sessions are as in the file", details)
    found.sort(key=lambda record: record["start"])
    tap.check(len(found) == len(TALKS), "every session has a record", [str(len(found))])
    for (name, _, port, facts), record in zip(TALKS, found):
        seen = {key: record[key] for key in facts}
        right = seen == facts and record["server_port"] == port and record["client_ip"] == CLIENT
        tap.check(right, name, [str(seen)])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    reason = f"not installed: {' '.join(missing)}" if missing else None
    reason = reason or net.enter()
    tap = Tap()
    if reason is not None:
        tap.skip("real servers, captured live", reason)
        return tap.done()
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        os.chmod(folder, 0o755)
        servers = Servers(folder)
        try:
            servers.start()
            check(tap, options, folder)
        except (net.NetworkError, OSError, subprocess.TimeoutExpired) as error:
            logs = [line for log in sorted(Path(folder).glob("*log*")) if log.is_file()
                    for line in log.read_text(errors="replace").splitlines()[-5:]]  # fmt: skip
            tap.check(False, "real servers", [str(error), *logs])
        finally:
            net.end_captures()
            servers.stop()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
