# SPDX-License-Identifier: Apache-2.0
"""A terminal that nobody sits at: a program in it, keys for it, and what is on the screen (by tmux)."""

import os
import subprocess
import tempfile
import time

PATIENCE = 30  # seconds for what has to happen some time


class Terminal:
    """A program in a terminal of its own; ends with the block."""

    def __init__(self, command, columns=100, lines=30, environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="terminal-")
        self.socket = os.path.join(self.folder.name, "socket")
        variables = {"LC_ALL": "C.UTF-8", "TERM": "screen-256color", **(environment or {})}
        words = ["env", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), "--", *words)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._tmux("kill-server", check=False)
        self.folder.cleanup()

    def _tmux(self, *words, check=True):
        done = subprocess.run(
            ["tmux", "-S", self.socket, *words], capture_output=True, check=check, env={**os.environ, "LC_ALL": "C.UTF-8"}
        )
        return done.stdout.decode()

    def keys(self, *names):
        self._tmux("send-keys", *names)

    def resize(self, columns, lines):
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self, colours=False):
        """Its lines; with the escape sequences of their colours, or without."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else [])).split("\n")[:-1]

    def ended(self):
        return not self._tmux("list-sessions", check=False)

    def until(self, what):
        """Looks until this holds of the screen; its lines."""
        end = time.monotonic() + PATIENCE
        while not what(screen := self.screen()):
            if time.monotonic() > end:
                raise TimeoutError("\n".join(["it did not come to be on the screen:", *screen]))
            time.sleep(0.05)
        return screen
