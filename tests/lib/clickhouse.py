# SPDX-License-Identifier: Apache-2.0
"""A ClickHouse server of our own on the loopback, with everything it has in one folder, and the shipped schema."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from lib import program

CONFIGS = program.ROOT / "configs/clickhouse"
DATABASE = "mailtap"
PATIENCE = 60  # seconds for what has to happen some time
USER, PASSWORD = "tap", "clickhouse-canary-password"
SERVER = """<?xml version="1.0"?>
<yandex>
 <logger><level>warning</level><console>1</console></logger>
 <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>
 <listen_host>127.0.0.1</listen_host>
 <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
 <users_config>{folder}/users.xml</users_config>
 <default_profile>default</default_profile><default_database>default</default_database>
 <mark_cache_size>16777216</mark_cache_size><timezone>UTC</timezone>
 <remote_servers><taps>
  <shard><replica><host>127.0.0.1</host><port>{tcp}</port></replica></shard>
 </taps></remote_servers>
</yandex>
"""
USERS = """<?xml version="1.0"?>
<yandex>
 <profiles><default><max_threads>1</max_threads></default><taps><allow_ddl>0</allow_ddl></taps></profiles>
 <quotas><default></default></quotas>
 <users>
  <default><password></password><networks><ip>127.0.0.1</ip></networks>
   <profile>default</profile><quota>default</quota></default>
  <{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>
   <profile>taps</profile><quota>default</quota>
   <allow_databases><database>mailtap</database></allow_databases></{user}>
 </users>
</yandex>
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def split(text):
    """The statements of a text, without comments."""
    return [statement.strip() for statement in re.sub(r"(?m)--.*$", "", text).split(";") if statement.strip()]


def statements(name):
    """Those of a shipped file."""
    return split((CONFIGS / name).read_text())


class QueryError(Exception):
    """The server refuses a query."""


class ClickHouse:
    """The server. It may be stopped, killed, and started again with what it has."""

    def __init__(self, folder):
        self.folder, self.http, self.tcp = folder, free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self.process = None
        for name in ("data", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "config.xml").write_text(SERVER.format(folder=folder, http=self.http, tcp=self.tcp))
        (folder / "users.xml").write_text(USERS.format(user=USER, password=PASSWORD))

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        self.kill()

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["clickhouse-server", f"--config-file={self.folder / 'config.xml'}"],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not self.answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise program.RunError(f"ClickHouse: {program.text((self.folder / 'log').read_bytes())[-2000:]}")
            time.sleep(0.05)
        return self

    def answers(self):
        try:
            return self.ask("SELECT 1", database="default") == "1\n"
        except OSError:
            return False

    def kill(self):
        """As a crash does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def ask(self, query, database=DATABASE, body=b"", **settings):
        """The text of the answer."""
        parameters = urllib.parse.urlencode({"query": query, "database": database, **settings})
        try:
            with urllib.request.urlopen(f"{self.url}/?{parameters}", data=body, timeout=PATIENCE) as answer:
                return answer.read().decode("utf-8", "surrogateescape")
        except urllib.error.HTTPError as error:
            raise QueryError(f"{query[:200]}: {program.text(error.read())[:600]}") from error

    def refuses(self, query, user, password):
        """Whether the user may not do this."""
        parameters = urllib.parse.urlencode({"query": query, "database": DATABASE, "user": user, "password": password})
        try:
            with urllib.request.urlopen(f"{self.url}/?{parameters}", data=b"", timeout=PATIENCE):
                return False
        except urllib.error.HTTPError:
            return True

    def rows(self, query, **settings):
        """The rows of the answer, as objects; large integers are numbers."""
        text = self.ask(query + " FORMAT JSONEachRow", output_format_json_quote_64bit_integers=0, **settings)
        return [json.loads(line) for line in text.splitlines() if line]

    def number(self, query, **settings):
        return int(self.ask(query, **settings))

    def make(self, *files):
        """The database anew, with the statements of the shipped files."""
        self.ask(f"DROP DATABASE IF EXISTS {DATABASE}", database="default")
        self.ask(f"CREATE DATABASE {DATABASE}", database="default")
        for name in files:
            for statement in statements(name):
                self.ask(statement)
        return self
