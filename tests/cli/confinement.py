#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a running mailtap may do: every thread of it behind its sandbox and without capabilities, as another user
where it is told to; the same records and files as without; and clear words where it cannot be.

What the sandbox refuses is tried by tests/unit/sandbox.c.
"""

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

NONE = "0000000000000000"
FILE_RIGHTS = "000000000000000a"  # CAP_DAC_OVERRIDE, CAP_FOWNER
SOMEBODY = pwd.getpwnam("nobody")
CAPTURES = ["smtp-starttls-tls13-postfix-swaks.pcap", "certificate-revoked-postfix-curl.pcap", "link-gzip.pcap.gz",
            "link-raw-ip-postfix-swaks.pcap", "imap-implicit-tls12-dovecot-curl.pcap"]  # fmt: skip
TOLD_BY_THE_CLOCK = (b"mailtap_page_time_seconds ", b"mailtap_start_time_seconds ")
LOGS = ("sessions.jsonl", "certificates.jsonl", "alerts.jsonl", "statistics.jsonl")


def status_of(pid):
    """The status of every thread, as dictionaries."""
    threads = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        threads.append({key: " ".join(value.split()) for key, value in (line.split(":", 1) for line in lines)})
    return threads


def wait_until_read(pipe):
    """Until the program has taken everything from its standard input: it is set up then."""
    deadline = time.monotonic() + 20
    left = bytearray(4)
    while time.monotonic() < deadline:
        fcntl.ioctl(pipe, termios.FIONREAD, left)
        if not any(left):
            return
        time.sleep(0.01)


def named_threads(pid, names):
    """The threads' status once there are some of these names: each takes its own when it first runs."""
    deadline = time.monotonic() + 20
    while True:
        threads = status_of(pid)
        if names <= {thread["Name"] for thread in threads} or time.monotonic() > deadline:
            return threads
        time.sleep(0.01)


def timeless(path):
    """The content of a file but for the lines that tell when it was written."""
    return b"".join(line for line in path.read_bytes().splitlines(True) if not line.startswith(TOLD_BY_THE_CLOCK))


class Bench:
    def __init__(self, tap, mailtap, pcaps, folder):
        self.tap, self.mailtap, self.pcaps, self.folder = tap, mailtap, pcaps, folder
        self.made = 0
        # Where another user comes in, too: the program may be built where only its owner does.
        self.for_all = folder / "mailtap"
        shutil.copy(mailtap, self.for_all)
        self.for_all.chmod(0o755)
        # Where it looks for its module.
        folder.joinpath("analytics").mkdir(mode=0o755)
        shutil.copy(Path(mailtap).parent / "analytics/mailtap-http.so", folder / "analytics")
        self.captures = []
        for name in CAPTURES:
            shutil.copy(pcaps / name, folder / name)
            (folder / name).chmod(0o644)
            self.captures.append(folder / name)

    def directory(self, user=None):
        self.made += 1
        path = self.folder / f"d{self.made}"
        path.mkdir()
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def running(self, *arguments, names=frozenset({"analytics"}), **popen):
        """The threads' status while it waits for packets, once they have these names; then its exit code."""
        capture = self.captures[0].read_bytes()
        command = [self.for_all, "-q", "-r", "-", "--sensor", "test", *arguments]
        with subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=program.environment(), **popen) as process:  # fmt: skip
            process.stdin.write(capture)
            process.stdin.flush()
            wait_until_read(process.stdin)
            threads = named_threads(process.pid, names)
            process.stdin.close()
            said = process.stderr.read()
            return threads, process.wait(), program.text(said)

    def run(self, *arguments, **popen):
        return program.run(self.for_all, arguments, **popen)

    def everything(self, directory, *arguments, **popen):
        """A run with all outputs that there are; (exit code, messages, files and their content)."""
        out = directory / "all"
        owner = directory.stat()
        for path in (out, out / "metrics", out / "memory"):
            path.mkdir()
            os.chown(path, owner.st_uid, owner.st_gid)
        done = self.run(
            "-r", *self.captures, "--sensor", "test", "-w", out / "logs", "--csv", out / "csv", "--tls-rpt",
            out / "rpt", "--write-certs", out / "certificates", "--metrics", out / "metrics" / "metrics", "--pem",
            "--interval", 1, "--server-memory", out / "memory" / "servers", "--pattern-cache", out / "cache",
            *program.TRUST, *arguments, **popen,
        )  # fmt: skip
        found = {str(path.relative_to(out)): timeless(path) for path in out.rglob("*") if path.is_file()}
        return done.returncode, program.text(done.stderr), found


def all_are(threads, **expected):
    return len(threads) > 1 and all(
        thread[key] == value for thread in threads for key, value in expected.items()
    )


def shown(threads):
    keys = ("Name", "Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs", "Seccomp")
    return [" ".join(f"{key}={thread.get(key, '')}" for key in keys) for thread in threads]


def check_running(bench, sandboxed):
    tap = bench.tap
    names = {"mailtap", "analytics", "http", "worker-0", "worker-1"}
    threads, code, said = bench.running("--workers", 2, "--listen", "127.0.0.1:0", "-w", bench.directory(), names=names)
    tap.check(code == 0 and said.startswith("mailtap: listening at ") and said.count("\n") == 1,
              "it runs, and says nothing of its sandbox", [said])  # fmt: skip
    found = {thread["Name"] for thread in threads}
    tap.check(names <= found, "threads have their names", sorted(found))
    if sandboxed:
        tap.check(all_are(threads, Seccomp="2"), "every thread is behind its filter", shown(threads))
    tap.check(all_are(threads, NoNewPrivs="1"), "no thread may gain privileges", shown(threads))
    tap.check(all_are(threads, CapEff=NONE, CapPrm=NONE), "no thread has a capability", shown(threads))
    threads, code, said = bench.running("--no-sandbox", "-w", bench.directory())
    tap.check(all_are(threads, Seccomp="0", NoNewPrivs="1", CapPrm=NONE) and code == 0,
              "--no-sandbox leaves the sandbox out, and nothing else", shown(threads))  # fmt: skip


def check_outputs(bench):
    """Everything is written behind the sandbox, as it is without."""
    code, said, found = bench.everything(bench.directory())
    plain_code, plain_said, plain = bench.everything(bench.directory(), "--no-sandbox")
    bench.tap.check((code, plain_code, said, plain_said) == (0, 0, "", ""), "all outputs are written", [said])
    kinds = {name.split("/")[0] for name in plain}
    expected = {"logs", "csv", "rpt", "certificates", "metrics", "memory", "cache"}
    bench.tap.check(kinds == expected, "all kinds of outputs are among them", [sorted(kinds)])
    bench.tap.check(found.keys() == plain.keys(), "the same files as without the sandbox",
                    sorted(found.keys() ^ plain.keys()))  # fmt: skip
    other = [name for name in plain if found.get(name) != plain[name]]
    bench.tap.check({*LOGS} <= {Path(name).name for name in plain} and not other, "with the same content", other)


def check_filters(bench):
    """Names in filters are looked up behind the sandbox, for each kind of link."""
    for words, needed in (("port smtp or port imaps", True), ("host localhost or port 25", knows_localhost())):
        if not needed:
            bench.tap.skip(f"filter '{words}'", "this system does not know its own name")
            continue
        arguments = ["-r", *bench.captures, "-q", "-o", "-", "--sensor", "test", "-f", words]
        done, plain = bench.run(*arguments), bench.run(*arguments, "--no-sandbox")
        bench.tap.check(done.returncode == 0 and plain.stdout and done.stdout == plain.stdout,
                        f"filter '{words}' finds the same", [program.text(done.stderr)])  # fmt: skip


def knows_localhost():
    try:
        return socket.gethostbyname("localhost").startswith("127.")
    except OSError:
        return False


def check_another_user(bench):
    tap, ids = bench.tap, " ".join([str(SOMEBODY.pw_uid)] * 4)
    logs = bench.directory(SOMEBODY)
    threads, code, said = bench.running("--user", SOMEBODY.pw_name, "-w", logs)
    tap.check(code == 0 and not said, "--user: it runs as another user", [said])
    tap.check(all_are(threads, Uid=ids, Gid=" ".join([str(SOMEBODY.pw_gid)] * 4), CapEff=NONE, CapPrm=NONE,
                      Groups=str(SOMEBODY.pw_gid)), "--user: every thread, with that user's groups alone",
              shown(threads))  # fmt: skip
    written = {path.name: path.stat().st_uid for path in logs.iterdir()}
    tap.check(written.keys() >= set(LOGS) and set(written.values()) == {SOMEBODY.pw_uid},
              "--user: what is written is that user's", [written])  # fmt: skip
    roots = bench.directory()
    done = bench.run("-q", "-r", bench.captures[0], "--user", SOMEBODY.pw_name, "-w", roots / "logs")
    said = program.text(done.stderr)
    tap.check(done.returncode == 1 and said.count("\n") == 1 and str(roots) in said and SOMEBODY.pw_name in said,
              "--user: a directory that this user may not write is named at once", [said])  # fmt: skip
    tap.check(not list(roots.iterdir()), "--user: and nothing is made there")
    done = bench.run("-q", "-r", bench.captures[0], "--user", "no-such-user-here")
    said = program.text(done.stderr)
    tap.check(done.returncode == 1 and "no-such-user-here" in said and said.count("\n") == 1,
              "--user: one that there is not is named", [said])  # fmt: skip


def check_files_of_others(bench):
    """Root reads and writes what is somebody else's, as ever; it keeps two capabilities for it, no others."""
    theirs = bench.directory(SOMEBODY)
    capture = theirs / "capture.pcap"
    shutil.copy(bench.captures[0], capture)
    os.chown(capture, SOMEBODY.pw_uid, SOMEBODY.pw_gid)
    theirs.chmod(0o700)
    capture.chmod(0o600)
    done = bench.run("-q", "-r", bench.captures[1], capture, "-w", theirs / "logs", "--metrics", theirs / "metrics")
    bench.tap.check(done.returncode == 0 and (theirs / "metrics").exists(), "root: files of others are its to use",
                    [program.text(done.stderr)])  # fmt: skip
    threads, code, said = bench.running("-w", theirs / "logs")
    bench.tap.check(all_are(threads, CapEff=FILE_RIGHTS, CapPrm=FILE_RIGHTS) and code == 0,
                    "root: for them it keeps two capabilities", [said, *shown(threads)])  # fmt: skip


def check_rootless(bench):
    somebody = {"user": SOMEBODY.pw_uid, "group": SOMEBODY.pw_gid, "extra_groups": []}
    code, said, found = bench.everything(bench.directory(SOMEBODY), **somebody)
    _, _, plain = bench.everything(bench.directory())
    bench.tap.check(code == 0 and not said, "without root: all outputs are written", [said])
    other = [name for name in plain if found.get(name) != plain[name]]
    bench.tap.check(plain and not other, "without root: they are root's to the letter", other)
    done = bench.run("-q", "-r", bench.captures[0], "--user", "root", **somebody)
    said = program.text(done.stderr)
    bench.tap.check(done.returncode == 1 and "only root" in said, "without root: --user is refused", [said])


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    version = program.text(program.run(options.mailtap, ["--version"]).stdout)
    tap.check("sandbox: " in version, "--version tells of the sandbox", version.splitlines())
    sandboxed = "seccomp" in version
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        bench = Bench(tap, options.mailtap, options.pcaps, folder)
        check_running(bench, sandboxed)
        check_outputs(bench)
        check_filters(bench)
        if os.geteuid() == 0:
            check_another_user(bench)
            check_files_of_others(bench)
            check_rootless(bench)
        else:
            tap.skip("other users", "only root can become one")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
