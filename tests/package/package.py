#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: they are built, lintian finds nothing, they are installed above the machine's own file system
(nothing of it changes), the service runs on an interface as its unit says, they are put in the place of older ones, and
purged they leave nothing. The build of the program under test lends its objects, so that nothing is compiled twice;
with --compile all is compiled as debian/rules says, and how it is hardened is looked at, too."""

import json
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
# Without the debugging symbols' packages.
QUICKLY = {"DEB_BUILD_OPTIONS": "nocheck noautodbgsym parallel=2", "DEB_BUILD_PROFILES": "nocheck", "LC_ALL": "C.UTF-8"}
# How each file of the program is to be compiled, and the program linked.
COMPILED_WITH = ["-O3", "-DNDEBUG", "-flto=auto", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fcf-protection",
                 "-fstack-clash-protection", "-Werror=format-security"]  # fmt: skip
LINKED_WITH = ["-pie", "-Wl,-z,relro", "-Wl,-z,now", "-flto-partition=one"]
TAP, PORT = "tap0", "port0"
CAPTURE = "smtp-starttls-tls13-postfix-swaks.pcap"
CONFIGURATION = "/etc/mailtap/mailtap.yaml"
LOGS = f"/var/log/mailtap/{TAP}"


def run(*command, **popen):
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, **popen)
    return done.returncode, program.text(done.stdout + done.stderr)


# --- building --------------------------------------------------------------------------------


def build(tap, folder, environment):
    """The packages, by name; None: they cannot be built."""
    source = folder / "source"
    shutil.copytree(program.ROOT, source, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    others = {key: value for key, value in os.environ.items() if not key.startswith(("DEB_", "CFLAGS", "LDFLAGS"))}
    code, said = run("dpkg-buildpackage", "-b", "-uc", "-us", cwd=source, env={**others, **QUICKLY, **environment})
    built = {path.name.split("_")[0]: path for path in folder.glob("*.deb")}
    good = code == 0 and sorted(built) == PACKAGES
    tap.check(good, f"dpkg-buildpackage makes {' and '.join(PACKAGES)}", [] if good else said.splitlines()[-40:])
    return built if good else None


def lent_by(mailtap):
    """An environment in which the objects of the build that made this program are taken for those of the packages."""
    lender = Path(mailtap).resolve().parent
    compiler = Path(__file__).resolve().parent / "compiled.sh"
    return {"CC": str(compiler), "COMPILED": str(lender)} if (lender / "build.ninja").exists() else {}


def check_flags(tap, place):
    """With what it is compiled and linked where nothing is lent; `place`: where it was built."""
    wrong = []
    commands = json.loads(place.joinpath("compile_commands.json").read_text())
    own = [entry for entry in commands if re.match(r"(capture|decode|analytics)/lib|mailtap\.p/", entry["output"])]
    for entry in own:
        missing = [word for word in COMPILED_WITH if word not in entry["command"].split()]
        wrong += [f"{entry['output']}: no {' '.join(missing)}"] * bool(missing)
        if entry["command"].rfind("-O3") < entry["command"].rfind(" -O2") or "FORTIFY_SOURCE=2" in entry["command"]:
            wrong.append(f"{entry['output']}: Debian's -O2 or FORTIFY_SOURCE=2")
    link = program.text(subprocess.run(["ninja", "-C", place, "-t", "commands", "-s", "mailtap"],
                                       capture_output=True, check=True).stdout).split()  # fmt: skip
    wrong += [f"the program is linked without {word}" for word in LINKED_WITH if word not in link]
    tap.check(len(own) > 300 and not wrong, f"{len(own)} files are optimised as a whole, and hardened", wrong[:10])


def check_hardening(tap, place):
    """Of what was compiled and linked there, by the test of it; nobody else has symbols to look at."""
    code, said = run(sys.executable, program.TESTS / "cli/hardening.py", "--mailtap", place / "mailtap")
    tap.check(code == 0, "what was built is hardened", [line for line in said.splitlines() if not line.startswith("ok")])


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
            content = file.read_bytes() if file.is_file() else b""
            wrong += [f"{file}: has the path of the build" for path in (folder, program.ROOT) if str(path).encode() in content]
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


def check_documents(tap, tree):
    """Pages that lead to another one, or to a file to be used, have it beside them; sources are in the repository."""
    top, wrong, count = tree.path("usr/share/doc/mailtap"), [], 0
    for page in sorted(top.rglob("*.md")):
        for target in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", page.read_text()):
            path = (page.parent / target).resolve()
            inside = os.path.relpath(path, top.resolve())
            if ":" in target or not inside.startswith(("configs/", "README", "SECURITY", "analytics/evidence/")) \
                    or inside == "configs/systemd":  # they are where systemd finds them
                continue
            count += 1
            wrong += [f"{page.relative_to(top)}: {target}"] * (not path.exists())
    tap.check(count > 50 and not wrong, f"{count} links between installed documents lead somewhere", wrong)


def check_units(tap, tree):
    for name in ("mailtap.service", f"mailtap@{TAP}.service"):
        code, said = tree.run("systemd-analyze", "verify", "--man=yes", name)
        mine = [line for line in said.splitlines() if "mailtap" in line]
        tap.check(not mine, f"systemd-analyze verify {name}", mine)


def pretend_systemd(tree):
    """It seems to run; what it is told by maintainers' scripts, and what is enabled, is written down. The file of that."""
    tree.path("run/systemd/system").mkdir(parents=True, exist_ok=True)
    tree.put_program("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n")  # images of containers forbid all
    tree.put_program("usr/local/sbin/systemctl", '#!/bin/sh\nprintf "%s\\n" "$*" >>/mnt/told\n')
    return tree.path("mnt/told")


def check_told(tap, told, what, wanted):
    lines = told.read_text().splitlines() if told.exists() else []
    missing = [line for line in wanted if line not in lines]
    tap.check(not missing, what, [*(f"not told: {line}" for line in missing), *lines])
    told.write_text("")


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


# --- a newer one -----------------------------------------------------------------------------


def newer(folder, package):
    """The package, as if it were of a later version that ships another configuration."""
    place = folder / "newer"
    subprocess.run(["dpkg-deb", "-R", package, place], check=True)
    control, shipped = place / "DEBIAN/control", place / CONFIGURATION[1:]
    control.write_text(re.sub(r"^Version: .*", r"\g<0>+newer", control.read_text(), count=1, flags=re.M))
    shipped.write_text(shipped.read_text() + "# of a newer one\n")
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", place, folder / "newer.deb"], check=True, capture_output=True)


def upgrade(tap, tree, folder, package):
    """What somebody wrote into the configuration stays, as do logs, what is known of servers, and the user's number."""
    newer(folder, package)
    told = pretend_systemd(tree)
    configuration, users = tree.path(CONFIGURATION), tree.path("etc/passwd").read_text()
    edited = configuration.read_text().replace("  #sensor: tap-1", "  sensor: tap-of-mine")
    configuration.write_text(edited)
    kept = {path: path.read_bytes() for top in (LOGS, f"/var/lib/mailtap/{TAP}") for path in tree.path(top).iterdir()}
    code, said = tree.run("dpkg", "--force-confold", "-i", "/mnt/newer.deb")
    wrong = said.splitlines() * (code != 0) + [str(path) for path, was in kept.items() if path.read_bytes() != was]
    wrong += ["the configuration is another"] * (configuration.read_text() != edited or "tap-of-mine" not in edited)
    wrong += ["the new one is not beside it"] * (not tree.path(f"{CONFIGURATION}.dpkg-dist").exists())
    wrong += ["users are others"] * (tree.path("etc/passwd").read_text() != users)
    tap.check(kept and not wrong, f"a newer one leaves an edited configuration, {len(kept)} files and the user", wrong)
    code, said = tree.run("mailtap", "--check-config", "--config", CONFIGURATION)
    tap.check(code == 0, "which is good", said.splitlines() * (code != 0))
    check_told(tap, told, "services that run are restarted", ["try-restart mailtap.service", "try-restart mailtap@*.service"])


# --- purging ---------------------------------------------------------------------------------


def purge(tap, tree, packages):
    links = [f"etc/systemd/system/multi-user.target.wants/{unit}.service" for unit in ("mailtap", f"mailtap@{TAP}")]
    for link in links:  # as systemctl enable does
        tree.path(link).symlink_to(f"/lib/systemd/system/{'mailtap@' if '@' in link else 'mailtap'}.service")
    code, said = tree.run("dpkg", "--remove", *PACKAGES)
    check_told(tap, tree.path("mnt/told"), "removed, it ends", ["stop mailtap.service mailtap@*.service"])
    kept = [CONFIGURATION, f"{LOGS}/sessions.jsonl"]
    wrong = [path for path in kept if not tree.path(path).exists()] + said.splitlines() * (code != 0)
    tap.check(not wrong, "removed, its configuration and logs stay", wrong)
    code, said = tree.run("dpkg", "--purge", *PACKAGES)
    tap.check(code == 0, "it is purged", [] if code == 0 else said.splitlines())
    left = sorted(tree.changes()) + [paragraph[:200] for paragraph in tree.packages() ^ packages]
    left += [str(path) for path in tree.path("var/lib/dpkg/info").glob("mailtap*")]
    tap.check(not left, "and nothing is left", left)


def check_packages(tap, mailtap, folder, compiled):
    environment = {} if compiled else lent_by(mailtap)
    if not (built := build(tap, folder, environment)):
        return
    (place,) = folder.glob("source/obj-*")
    check_flags(tap, place)
    if not environment:
        check_hardening(tap, place)
    check_version(tap)
    check_needs(tap)
    check_lintian(tap, folder)
    check_reproducible(tap, folder, built)
    tree = trees.Tree(folder, folder)
    packages = tree.packages()
    install(tap, tree, built)
    check_documents(tap, tree)
    check_units(tap, tree)
    run_service(tap, tree, mailtap)
    upgrade(tap, tree, folder, built["mailtap"])
    purge(tap, tree, packages)


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--compile", action="store_true", help="as who builds the packages for use")
    options = program.parse_arguments(parser)
    reason = net.enter()
    tap = Tap()
    if reason:
        tap.skip("packages", reason)
        return tap.done()
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_packages(tap, options.mailtap, Path(folder), options.compile)
        finally:
            net.end_captures()
            subprocess.run(["umount", "-R", "-l", f"{folder}/root"], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["umount", "-l", f"{folder}/layer"], check=False, stderr=subprocess.DEVNULL)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
