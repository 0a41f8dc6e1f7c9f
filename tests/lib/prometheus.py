# SPDX-License-Identifier: Apache-2.0
"""A Prometheus server of our own on the loopback, scraping one target."""

import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from lib import program
from lib.service import PATIENCE

CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: mailtap
    static_configs: [targets: ["127.0.0.1:{port}"]]
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Prometheus:
    """The server, scraping one target. `rules`: a file of rules, or none."""

    def __init__(self, folder, target, rules=""):
        configuration, self.port = folder / "prometheus.yml", free_port()
        configuration.write_text(CONFIGURATION.format(rules=rules, port=target))
        self.log = (folder / "prometheus.log").open("w+b")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=self.log, stderr=subprocess.STDOUT)  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def ask(self, path, **query):
        """The data of an answer of its API; None while it does not answer yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except (OSError, ValueError):
            return None

    def value(self, query):
        """The first value, as a number."""
        found = (self.ask("query", query=query) or {}).get("result")
        return float(found[0]["value"][1]) if found else None

    def until(self, what):
        end = time.monotonic() + 2 * PATIENCE
        while not (value := what()):
            if time.monotonic() > end or self.process.poll() is not None:
                self.log.seek(0)
                raise program.RunError(f"Prometheus: {program.text(self.log.read())[-2000:]}")
            time.sleep(0.1)
        return value
