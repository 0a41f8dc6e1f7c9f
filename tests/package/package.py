#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: they are built, lintian finds nothing, they are installed above the machine's own file system
(nothing of it changes), the service runs on an interface as its unit says, and purged they leave nothing."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tree as trees  # noqa: E402
import unit_file  # noqa: E402
from lib import capture_file as cf  # noqa: E402
from lib import network as net  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

PACKAGES = ["mailtap", "mailtap-dpdk"]
NOT_NEEDED = ("build*", ".git", "pcaps", "golden", "found", "__pycache__")
# Built as quickly as it may be: without the debugging symbols' packages, and hardly optimised.
QUICKLY = {"DEB_BUILD_OPTIONS": "nocheck noautodbgsym parallel=2", "DEB_CFLAGS_APPEND": "-O1 -g0",
           "DEB_BUILD_PROFILES": "nocheck", "LC_ALL": "C.UTF-8"}  # fmt: skip
TAP, PORT = "tap0", "port0"
CAPTURE = "smtp-starttls-tls13-postfix-swaks.pcap"
CONFIGURATION = "/etc/mailtap/mailtap.yaml"
LOGS = f"/var/log/mailtap/{TAP}"


def run(*command, **popen):
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, **popen)
    return done.returncode, program.text(done.stdout + done.stderr)


# --- building --------------------------------------------------------------------------------


def build(tap, folder):
    """The packages, by name; None: they cannot be built."""
    source = folder / "source"
    shutil.copytree(program.ROOT, source, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DEB_", "CFLAGS", "LDFLAGS"))}
    code, said = run("dpkg-buildpackage", "-b", "-uc", "-us", cwd=source, env={**environment, **QUICKLY})
    built = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}
    good = code == 0 and sorted(built) == PACKAGES
    tap.check(good, f"dpkg-buildpackage makes {' and '.join(PACKAGES)}", [] if good else said.splitlines()[-40:])
    return built if good else None


def check_version(tap):
    """What is packaged is what is there."""
    version = re.search(r"version: '([^']*)'", program.ROOT.joinpath("meson.build").read_text())[1]
    packaged = re.match(r"mailtap \(([^-]+)-\d+\)", program.ROOT.joinpath("debian/changelog").read_text())[1]
    told = re.search(r"^## ([\d.]+)", program.ROOT.joinpath("CHANGELOG.md").read_text(), re.M)[1]
    tap.check(version == packaged == told, "meson, CHANGELOG.md and debian/changelog have one version",
              [] if version == packaged == told else [version, packaged, told])  # fmt: skip


def check_needs(tap):
    """Libraries that mailtap needs are needed by the packages' build."""
    control = program.ROOT.joinpath("debian/control").read_text()
    needed = re.findall(r"^(lib\S+-dev)$", program.ROOT.joinpath("configs/debian-packages").read_text(), re.M)
    missing = [name for name in needed if f" {name}" not in control and name != "libc6-dev"]
    tap.check(len(needed) > 10 and not missing, f"debian/control names the {len(needed)} libraries", missing)


def check_lintian(tap, folder):
    (changes,) = folder.glob("*.changes")
    code, said = run("lintian", "--allow-root", "--display-info", "--pedantic", changes, cwd=folder)
    found = [line for line in said.splitlines() if re.match(r"[A-Z]: ", line)]
    tap.check(code == 0 and not found, "lintian finds nothing", found if found or code == 0 else said.splitlines())


def check_reproducible(tap, folder, built):
    """Nothing in the packages tells where and when they were built."""
    wrong = []
    for name, path in built.items():
        place = folder / "unpacked" / name
        place.mkdir(parents=True)
        subprocess.run(["dpkg-deb", "-x", path, place], check=True)
        newest = int(run("dpkg-parsechangelog", "-STimestamp", "-l", program.ROOT / "debian/changelog")[1])
        for file in place.rglob("*"):
            wrong += [f"{file}: younger than the changelog"] * (file.lstat().st_mtime > newest)
            if file.is_file() and str(folder).encode() in file.read_bytes():
                wrong.append(f"{file}: has the path of the build")
    tap.check(not wrong, "nothing tells where and when they were built", wrong)


# --- installing ------------------------------------------------------------------------------


def install(tap, tree, built):
    code, said = tree.run("dpkg", "-i", f"/mnt/{built['mailtap'].name}")
    tap.check(code == 0, "mailtap is installed", [] if code == 0 else said.splitlines())
    code, said = tree.run("mailtap", "--check-config", "--config", CONFIGURATION)
    tap.check((code, said) == (0, f"{CONFIGURATION}: good\n"), "the configuration is good", said.splitlines())
    wrong = [page for page in ("mailtap", "mailtap.yaml", "mailtap-records") if tree.run("man", "-w", page)[0] != 0]
    tap.check(not wrong, "man finds the pages", wrong)
    code, said = tree.run("mailtap", "--dpdk", "--no-huge --no-pci", "-o", "-")
    tap.check(code == 1 and "the package mailtap-dpdk" in said, "without mailtap-dpdk a line names it", said.splitlines())
    code, said = tree.run("dpkg", "-i", f"/mnt/{built['mailtap-dpdk'].name}")
    tap.check(code == 0, "mailtap-dpdk is installed", [] if code == 0 else said.splitlines())
    code, said = tree.run("mailtap", "--dpdk", "--no-huge --no-pci -m 64", "-o", "-", "--no-sandbox")
    tap.check(code == 1 and "mailtap-dpdk.so" not in said and "port" in said, "with it there is, without a port",
              said.splitlines())  # fmt: skip
    enabled = sorted(str(path) for path in tree.path("etc/systemd/system").rglob("mailtap*"))
    tap.check(not enabled, "no service is enabled", enabled)


def check_units(tap, tree):
    for name in ("mailtap.service", f"mailtap@{TAP}.service"):
        code, said = tree.run("systemd-analyze", "verify", "--man=yes", name)
        mine = [line for line in said.splitlines() if "mailtap" in line]
        tap.check(not mine, f"systemd-analyze verify {name}", mine)


# --- running ---------------------------------------------------------------------------------


class Service(net.Capture):
    """An instance of the service in a tree, as systemd would start it."""

    capturing = staticmethod(net.filtered_sockets)

    def __init__(self, tree, name):
        template, _, instance = name.partition("@")
        unit = unit_file.Unit(tree.path(f"lib/systemd/system/{template}@.service"), instance)
        for path, mode in unit.directories():
            tree.run("install", "-d", "-o", unit.value("User"), "-g", unit.value("Group"), "-m", f"{mode:o}", path)
        super().__init__(["chroot", str(tree.root), *unit.command()], 1)


def run_service(tap, tree, mailtap):
    """Real packets of an interface, and the records of them."""
    net.make_pair(TAP, PORT)
    packets = cf.read(program.PCAPS / CAPTURE)
    service = Service(tree, f"mailtap@{TAP}")
    identity = Path(f"/proc/{service.process.pid}/status").read_text()
    port = net.Port(PORT, TAP)
    port.send(packets)
    port.close()
    log = tree.path(f"{LOGS}/sessions.jsonl")
    net.wait_until("the record of a session", lambda: log.exists() and log.stat().st_size > 0)
    code, said = service.stop(net.signal.SIGTERM)
    records = program.json_lines(log.read_bytes())
    wanted = program.sessions(mailtap, program.PCAPS / CAPTURE)
    right = code == 0 and [(r["verdict"], r["sni"]) for r in records] == [(r["verdict"], r["sni"]) for r in wanted]
    tap.check(right, f"the service sees {len(records)} session, and ends", [] if right else [str(code), *service.lines])
    number = int(re.search(r"^mailtap:x:(\d+):", tree.path("etc/passwd").read_text(), re.M)[1])
    uid = int(re.search(r"^Uid:\t(\d+)", identity, re.M)[1])
    kept = int(re.search(r"^CapEff:\t(\w+)", identity, re.M)[1], 16)
    mode = log.stat().st_mode & 0o777
    right = uid == number == log.stat().st_uid and kept == 0 and mode & 0o007 == 0
    tap.check(right, "as mailtap, without capabilities; nobody else reads its logs", [f"{uid} {number} {kept:x} {mode:o}"])
    logs = sorted(path.name for path in tree.path(LOGS).iterdir())
    tap.check({"sessions.jsonl", "certificates.jsonl", "statistics.jsonl"} <= set(logs), "with all logs", logs)
    memory = tree.path(f"/var/lib/mailtap/{TAP}/servers.jsonl")
    tap.check(memory.exists(), "and what it learned of servers", [])


# --- purging ---------------------------------------------------------------------------------


def purge(tap, tree, packages):
    code, said = tree.run("dpkg", "--remove", *PACKAGES)
    kept = [CONFIGURATION, f"{LOGS}/sessions.jsonl"]
    wrong = [path for path in kept if not tree.path(path).exists()] + said.splitlines() * (code != 0)
    tap.check(not wrong, "removed, its configuration and logs stay", wrong)
    code, said = tree.run("dpkg", "--purge", *PACKAGES)
    tap.check(code == 0, "it is purged", [] if code == 0 else said.splitlines())
    left = sorted(tree.changes()) + [paragraph[:200] for paragraph in tree.packages() ^ packages]
    left += [str(path) for path in tree.path("var/lib/dpkg/info").glob("mailtap*")]
    tap.check(not left, "and nothing is left", left)


def check_packages(tap, mailtap, folder):
    if not (built := build(tap, folder)):
        return
    check_version(tap)
    check_needs(tap)
    check_lintian(tap, folder)
    check_reproducible(tap, folder, built)
    tree = trees.Tree(folder, folder)
    packages = tree.packages()
    install(tap, tree, built)
    check_units(tap, tree)
    run_service(tap, tree, mailtap)
    purge(tap, tree, packages)


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    reason = net.enter()
    tap = Tap()
    if reason:
        tap.skip("packages", reason)
        return tap.done()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_packages(tap, options.mailtap, Path(folder))
        finally:
            net.end_captures()
            subprocess.run(["umount", "-R", "-l", f"{folder}/root"], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["umount", "-l", f"{folder}/layer"], check=False, stderr=subprocess.DEVNULL)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
