# SPDX-License-Identifier: Apache-2.0
"""A run of mailtap that reads from a pipe and answers HTTP, and what is asked of it over plain sockets."""

import re
import socket
import subprocess
import threading
import time

from lib import program

PATIENCE = 30 * program.PATIENCE  # seconds for what has to happen some time


class Service:
    """mailtap -r - --listen 127.0.0.1:0, fed through `feed`, until `end`."""

    def __init__(self, mailtap, *arguments, listen="127.0.0.1:0", stdout=subprocess.DEVNULL):
        command = [mailtap, "-r", "-", "--listen", listen, *map(str, arguments)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, env=program.environment()
        )
        line = self.process.stderr.readline().decode()
        found = re.fullmatch(r"mailtap: listening at http://(.*):([0-9]+)/metrics\n", line)
        if not found:
            self.process.kill()
            raise program.RunError(f"it does not listen: {line}{program.text(self.process.stderr.read())}")
        self.host, self.port = found[1].strip("[]"), int(found[2])
        self.name = f"{found[1]}:{self.port}"
        self.said = b""  # what else is on standard error: read, so that it never waits for us
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        self.said = self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def feed(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        """No more packets; the exit code."""
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.reader.join()
        return code

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def exchange(self, data):
        """What is answered to these bytes, until the other side closes."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough; what it said is still to be read
            return read_all(connection)

    def get(self, path, method="GET", headers="", host=None):
        return Answer(self.exchange(f"{method} {path} HTTP/1.1\r\nHost: {host or self.name}\r\n{headers}\r\n".encode()))

    @staticmethod
    def _tried(what):
        """What it gives. Under memcheck figures are not there within the time that a question is given."""
        try:
            return what()
        except program.RunError:
            if not program.UNDER_VALGRIND:
                raise
            return None

    def until(self, what):
        """Asks until `what` holds; its value."""
        end = time.monotonic() + PATIENCE
        while not (value := self._tried(what)):
            if time.monotonic() > end or self.process.poll() is not None:
                raise program.RunError(f"it did not come to be; {program.text(self.said)}")
            time.sleep(0.01)
        return value


class Answer:
    """An HTTP response: code, headers (in lower case), body."""

    def __init__(self, data):
        self.data = data
        head, found, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if not found or not re.fullmatch(r"HTTP/1\.[01] [0-9]{3} .*", lines[0]):
            raise program.RunError(f"no answer: {data[:200]}")
        self.code = int(lines[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}

    def whole(self):
        return len(self.body) == int(self.headers["content-length"])


def read_all(connection):
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionResetError:
        pass
    return found
