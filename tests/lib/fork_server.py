# SPDX-License-Identifier: Apache-2.0
"""Many short runs of one program without starting it each time: see fork_server.c.

The variable MAILTAP_FORK_SERVER names the library; without it, every run is a process of its own.
"""

import os
import socket
import subprocess
import threading
from signal import SIGKILL

_own = threading.local()


class ForkServer:
    """The program, stopped in front of its main(). It ends when this object does, or this process."""

    def __init__(self, program, library, environment):
        self.process, self.program = os.getpid(), program
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            variables = {**environment, "LD_PRELOAD": library, "FORK_SERVER": str(number)}
            self.server = subprocess.Popen([program], env=variables, pass_fds=[number])

    def run(self, arguments, timeout):
        """As subprocess.run with both outputs captured and nothing on standard input."""
        command = [self.program, *arguments]
        with open(os.devnull, "rb") as nothing, _buffer() as output, _buffer() as errors:
            request = b"".join(os.fsencode(argument) + b"\0" for argument in command)
            files = [file.fileno() for file in (nothing, output, errors)]
            socket.send_fds(self.socket, [request], files)
            status = self._wait(command, timeout)
            return subprocess.CompletedProcess(command, status, _content(output), _content(errors))

    def _wait(self, command, timeout):
        self.socket.settimeout(None)
        child = self._number()
        self.socket.settimeout(timeout)
        try:
            return os.waitstatus_to_exitcode(self._number())
        except TimeoutError as error:
            os.kill(child, SIGKILL)
            self.socket.settimeout(None)
            self._number()
            raise subprocess.TimeoutExpired(command, timeout) from error

    def _number(self):
        answer = self.socket.recv(4)
        if len(answer) != 4:
            raise OSError(f"the fork server of {self.program} has ended")
        return int.from_bytes(answer, "little")


def _buffer():
    return open(os.memfd_create("output"), "r+b", buffering=0)


def _content(file):
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


def server_for(program, environment):
    """This thread's server for a program, or None where no library is named. `environment()`: the program's."""
    library = os.environ.get("MAILTAP_FORK_SERVER")
    if not library:
        return None
    library = os.path.abspath(library)
    server = getattr(_own, "server", None)
    if server is None or (server.process, server.program) != (os.getpid(), program):
        _own.server = server = ForkServer(program, library, environment())
    return server
