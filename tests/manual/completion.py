#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completion in a real bash, as a user meets it: commands, each option of each command, and values by their kind."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import truth  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

SCRIPT = program.ROOT / "configs/completion/mailtap"
# What bash does when the tab key is pressed: it sets the words, calls what `complete` named, and takes the answer.
PRESS_TAB = """
. "$1"; shift
read -r _ _ function name < <(complete -p mailtap | tail -n 1)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
"$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""


class Shell:
    def __init__(self, mailtap, folder):
        self.mailtap, self.folder = mailtap, folder

    def press(self, *words):
        """What is offered for the last word of a command line; what bash says on standard error is an error."""
        done = subprocess.run(["bash", "--norc", "-c", PRESS_TAB, "bash", str(SCRIPT), self.mailtap, *words],
                              capture_output=True, check=False, cwd=self.folder)  # fmt: skip
        if done.stderr:
            raise program.RunError(f"{words}: {program.text(done.stderr)}")
        return sorted(program.text(done.stdout).splitlines())


def check(tap, what, found, expected):
    tap.check(found == expected, what, [] if found == expected else [f"found {found}", f"expected {expected}"])


def options_of(help_text, beginning):
    names = {f"--{option.name}" for option in help_text.options} | {f"-{o.letter}" for o in help_text.options if o.letter}
    return sorted(name for name in names if name.startswith(beginning))


def check_options(tap, shell, commands):
    own = truth.help_of(shell.mailtap)
    check(tap, f"all {len(own.options)} options", shell.press("-"), options_of(own, "-"))
    check(tap, "long ones that begin so", shell.press("-q", "--rot"), options_of(own, "--rot"))
    for name in commands:
        wanted = options_of(truth.help_of(shell.mailtap, name), "-")
        check(tap, f"all options of {name}", shell.press(name, "-"), wanted)


def check_values(tap, shell):
    files, folders = ["a b.pcap", "key"], ["logs"]
    for name in files:
        shell.folder.joinpath(name).touch()
    shell.folder.joinpath("logs").mkdir()
    interfaces = sorted(["any", *os.listdir("/sys/class/net")])
    users = sorted({user.pw_name for user in pwd.getpwall() if user.pw_name.startswith("roo")})
    for what, words, expected in [
        ("files", ("-r", ""), files + folders),
        ("files that begin so", ("--read", "a"), ["a b.pcap"]),
        ("further files", ("-r", "key", ""), files + folders),
        ("behind an equals sign", ("--anonymise", "=", "k"), ["key"]),
        ("right behind it", ("--anonymise", "="), files + folders),
        ("directories", ("-w", ""), folders),
        ("directories of a command", ("report", "--csv", ""), folders),
        ("logs of a report", ("report", "-i", "l"), ["logs"]),
        ("interfaces", ("-i", ""), interfaces),
        ("interfaces that begin so", ("--interface", "l"), [name for name in interfaces if name.startswith("l")]),
        ("users", ("--user", "roo"), users),
        ("kinds of stores", ("--store", ""), ["sqlite", "clickhouse", "none"]),
        ("forms of an answer", ("query", "--format", ""), ["csv", "json", "table"]),
        ("windows, which begin with a number", ("top", "--window", "1"), ["15m", "1h"]),
        ("views, not files", ("query", "--store-file", "key", "fun"), ["funnel"]),
        ("the database, which is a file", ("query", "--store-file", "k"), ["key"]),
        ("nothing for a number", ("--workers", ""), []),
        ("nothing for the name of a sensor", ("--sensor", ""), []),
        ("nor for one that is asked for", ("query", "--sensor", ""), []),
    ]:
        check(tap, what, shell.press(*words), sorted(expected))


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    commands = truth.command_table()
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(options.mailtap, Path(folder))
        check(tap, "commands", shell.press(""), commands)
        check(tap, "a command that begins so", shell.press("rep"), ["report"])
        check_options(tap, shell, commands)
        check_values(tap, shell)
        check(tap, "in bash-completion's place", said_by_bash_completion(shell), ["--pattern-cache", "--patterns"])
    return tap.done()


def said_by_bash_completion(shell):
    """As the package bash-completion loads it: by the name of the command, when it is first asked for."""
    place = shell.folder / "share/bash-completion/completions"
    place.mkdir(parents=True)
    place.joinpath("mailtap").symlink_to(SCRIPT)
    shell.folder.joinpath("mailtap").symlink_to(shell.mailtap)
    script = """
. /usr/share/bash-completion/bash_completion
_completion_loader mailtap; [[ $? == 124 ]]
set -- mailtap --patt
""" + PRESS_TAB.replace('. "$1"; shift\n', "")
    environment = {**os.environ, "XDG_DATA_HOME": str(shell.folder / "share"), "PATH": f"{shell.folder}:{os.environ['PATH']}",
                   "BASH_COMPLETION_USER_DIR": str(shell.folder / "share/bash-completion")}  # fmt: skip
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, check=False, env=environment)
    return sorted(program.text(done.stdout).splitlines()) or [program.text(done.stderr)]


if __name__ == "__main__":
    sys.exit(main())
