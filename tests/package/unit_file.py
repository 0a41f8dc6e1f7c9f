# SPDX-License-Identifier: Apache-2.0
"""What a unit of systemd says, done by hand: where systemd does not run, and where only a tree of files is at hand."""

import shlex


class Unit:
    """A service, or an instance of one (%i)."""

    def __init__(self, path, instance=""):
        self.lines = []
        for line in path.read_text().splitlines():
            key, found, value = line.partition("=")
            if found and not line.startswith(("#", ";")):
                self.lines.append((key, value.replace("%i", instance).replace("%I", instance)))

    def all(self, key):
        return [value for name, value in self.lines if name == key]

    def value(self, key):
        (value,) = self.all(key)
        return value

    def directories(self):
        """(path, mode), as systemd makes them before it starts the service, for its user."""
        for kind, place in (("Logs", "/var/log"), ("State", "/var/lib"), ("Cache", "/var/cache")):
            for name in self.value(f"{kind}Directory").split():
                yield f"{place}/{name}", int(self.value(f"{kind}DirectoryMode"), 8)

    def command(self):
        """ExecStart with the user, the capabilities, the directory and the environment of the unit."""
        capabilities = ",".join("+" + name.lower().removeprefix("cap_") for name in self.value("AmbientCapabilities").split())
        bounding = ",".join("+" + name.lower().removeprefix("cap_") for name in self.value("CapabilityBoundingSet").split())
        become = ["setpriv", f"--reuid={self.value('User')}", f"--regid={self.value('Group')}", "--init-groups",
                  f"--inh-caps=-all,{capabilities}", f"--ambient-caps=-all,{capabilities}", f"--bounding-set=-all,{bounding}",
                  *["--no-new-privs"] * (self.value("NoNewPrivileges") == "yes")]  # fmt: skip
        start = f"umask {self.value('UMask')}; cd {shlex.quote(self.value('WorkingDirectory'))}; exec {self.value('ExecStart')}"
        return [*become, "env", "-i", "PATH=/usr/bin:/bin", *self.all("Environment"), "sh", "-c", start]
