# SPDX-License-Identifier: Apache-2.0
"""What may stand between a client of HTTP and its server: passes requests on, keeps what it saw, and does harm to those
that insert when it is told to: answers itself, loses the answer, or breaks off in the middle."""

import gzip
import http.client
import http.server
import socket
import threading
import urllib.parse


class Request:
    def __init__(self, path, headers, body):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        self.query = query.get("query", [""])[0]
        self.name = query.get("query_id", [""])[0]
        self.headers, self.body = headers, body

    @property
    def inserts(self):
        return self.query.startswith("INSERT")

    def rows(self):
        return gzip.decompress(self.body).decode().splitlines() if self.inserts else []


class Between:
    """`harm`: a function that is given each request that inserts, and returns None (it is passed on), a pair of a status
    and a body (an answer of its own), or one of the words below."""

    LOSE_ANSWER = "the server has it, and the client never hears of it"
    BREAK_OFF = "the connection ends behind half of the request"
    STALL = "the server has it, and the answer comes too late"

    def __init__(self, port, tls=None):
        self.port, self.requests, self.harm = port, [], None
        self.over = threading.Event()
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one(self):
                between.serve(self)

            do_GET = do_POST = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.own = self.server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.own}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def inserted(self):
        return [request for request in self.requests if request.inserts]

    def serve(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        request = Request(handler.path, dict(handler.headers), b"")
        harm = self.harm(request) if self.harm and request.inserts else None
        if harm == self.BREAK_OFF:
            handler.rfile.read(length // 2)
            self.requests.append(request)
            return self.drop(handler)
        request.body = handler.rfile.read(length)
        self.requests.append(request)
        try:
            found = harm if isinstance(harm, tuple) else self.forward(handler, request.body)
            if harm == self.STALL:
                self.over.wait(30)
            if harm in (self.LOSE_ANSWER, self.STALL):
                return self.drop(handler)
            return self.answer(handler, *found)
        except OSError:  # one of the two has gone
            return self.drop(handler)

    def forward(self, handler, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in ("host", "connection")}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    @staticmethod
    def drop(handler):
        handler.close_connection = True
        try:
            handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def answer(handler, status, body):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
