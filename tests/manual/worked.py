#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The worked examples of configs/docs/adding-*.md are applied to the sources as they stand there, compiled with all
warnings, linked with what the build has of the rest, and run: they print what stands there (--update writes it)."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import examples  # noqa: E402
from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

PAGES = sorted(path.name for path in examples.DOCS.glob("adding-*.md"))
BLOCK = re.compile(r"^```(c|diff) (\S+)\n(.*?)^```$", re.M | re.S)
# Flags that a program which runs for a second does not need; and those that name files beside the object.
SLOW = ("-O", "-g", "-D_FORTIFY", "-flto", "-ffat-lto", "-MF", "-MQ", "-MD")


class Overlay:
    """Sources that are other than those of the tree, in a folder that is looked into first."""

    def __init__(self, folder):
        self.folder, self.names = folder, set()

    def text(self, name):
        path = self.folder / name
        return (path if path.exists() else program.ROOT / name).read_text()

    def put(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.names.add(name)

    def apply(self, kind, name, block):
        """A whole file, or an edit: lines that are there, without and with those that come. False: not there, once."""
        if kind == "c":
            self.put(name, block)
            return not program.ROOT.joinpath(name).exists()
        lines = block.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        text = self.text(name)
        self.put(name, text.replace(before, after, 1))
        return text.count(before) == 1


class Build:
    """What is compiled anew, by the commands of the build: whatever includes one of the files that changed."""

    def __init__(self, mailtap, overlay):
        self.folder, self.overlay = Path(mailtap).parent, overlay
        commands = json.loads(self.folder.joinpath("compile_commands.json").read_text())
        self.commands = {}
        for entry in commands:
            name = os.path.relpath(self.folder / entry["file"], program.ROOT)
            if re.match(r"(analytics|decode)/lib|mailtap\.p", entry["output"]):
                self.commands[name] = shlex.split(entry["command"])

    def changed(self):
        """Sources whose objects are no longer right."""
        said = subprocess.run(["ninja", "-C", self.folder, "-t", "deps"], capture_output=True, check=True).stdout
        paths = {os.path.relpath(program.ROOT / name, self.folder) for name in self.overlay.names}
        found = set(self.overlay.names)
        for part in program.text(said).split("\n\n"):
            used = part.split("\n    ")[1:]
            if paths & set(used):
                found.add(os.path.relpath(self.folder / used[0], program.ROOT))
        return sorted(name for name in found if name.endswith(".c") and (name in self.commands or name in self.overlay.names))

    def command(self, name, output):
        """As the build compiles it, or another file of the same folder, but not optimised: it is to be quick."""
        like = name if name in self.commands else next(n for n in self.commands if n.split("/")[0] == name.split("/")[0])
        words = [word for word in self.commands[like] if not word.startswith(SLOW)]
        at = words.index("-o")
        source = self.overlay.folder / name if name in self.overlay.names else program.ROOT / name
        flags = [word for word in words[1:at] if not word.endswith(".d") and not word.endswith(".o")]
        first = next(i for i, word in enumerate(flags) if word.startswith("-"))  # the compiler may be two words
        return [words[0], *flags[:first], f"-I{self.overlay.folder}", *flags[first:], "-Werror", "-O0",
                "-fdiagnostics-color=never", "-o", output, "-c", source]  # fmt: skip

    def compile(self, name):
        output = self.overlay.folder / (name.replace("/", "_") + ".o")
        done = subprocess.run(list(map(str, self.command(name, output))), cwd=self.folder, capture_output=True, check=False)
        return output, program.text(done.stderr)

    def link(self, objects, output):
        said = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", "mailtap"], capture_output=True, check=True)
        words = shlex.split(program.text(said.stdout).splitlines()[-1])
        own = [word for word in words if word.startswith("mailtap.p/")]
        main = [word for word in own if not any(str(made).endswith("main.c.o") for made in objects)]
        words = [word for word in words if word not in own and not word.startswith("-flto")]
        at = words.index("-o")
        words[at + 1] = str(output)
        words[at + 2 : at + 2] = [*map(str, objects), *main]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, check=False)
        return done.returncode == 0, program.text(done.stderr)


def build(tap, mailtap, overlay):
    """The program with the examples of all pages; None: there is none."""
    work = Build(mailtap, overlay)
    changed = work.changed()
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(work.compile, changed))
    wrong = [line for _, said in made for line in said.splitlines()]
    tap.check(not wrong, f"{len(changed)} files are compiled without a warning", wrong[:30])
    output = overlay.folder / "mailtap"
    good, said = work.link([path for path, _ in made if path.exists()], output)
    tap.check(good, "and linked", said.splitlines()[-20:])
    return output if good and not wrong else None


def main():
    parser = program.arguments(__doc__)
    parser.add_argument("--update", action="store_true", help="write what the examples print")
    options = program.parse_arguments(parser)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        overlay = Overlay(Path(folder))
        for page in PAGES:
            blocks = BLOCK.findall((examples.DOCS / page).read_text())
            wrong = [f"{name}: {block}" for kind, name, block in blocks if not overlay.apply(kind, name, block)]
            tap.check(len(blocks) > 5 and not wrong, f"{page}: {len(blocks)} changes fit into the sources", wrong)
        made = build(tap, options.mailtap, overlay)
        os.environ["PYTHONPATH"] = str(program.TESTS)
        shown = sum(examples.check_page(tap, page, made, options.update) for page in PAGES) if made else 0
        tap.check(shown == len(PAGES) > 2, f"{shown} examples show what they print")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
