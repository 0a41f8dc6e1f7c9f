#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run tells over HTTP while it goes on: figures as they are now, that add up; whether it lives and is
ready; and that nobody who asks wrongly, slowly or too often keeps others from an answer."""

import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import capture_file as cf  # noqa: E402
from lib import openmetrics, program  # noqa: E402
from lib.service import PATIENCE, Answer, Service, read_all  # noqa: E402
from lib.tap import Tap  # noqa: E402

CAPTURE = "attack-answer-454-postfix-postfix.pcap"
# And such as are passed over or put together first.
OTHERS = [
    "link-doubled-postfix-swaks.pcap",
    "link-vxlan-fragmented-postfix-swaks.pcap",
    "link-ip4-fragments-postfix-swaks.pcap",
    "any-port-no-mail-python-vsftpd-openssl-curl.pcap",
]
OPEN = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"
SAFE = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "connection": "close",
}
CONNECTIONS = 100  # more than it keeps


def pcap(packets):
    """A capture as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture"
        cf.write_pcap(path, packets)
        return path.read_bytes()


def figures(service):
    answer = service.get("/metrics", headers=OPEN)
    if answer.code != 200 or not answer.whole():
        raise program.RunError(f"/metrics: {answer.code} {answer.body}")
    return openmetrics.parse(answer.body)[0]


# --- figures ---------------------------------------------------------------------------------


def family(samples, name):
    """A family's samples by the value of its label."""
    return {labels[0][1] if labels else None: value for (sample, labels), value in samples.items()
            if sample in (f"mailtap_{name}", f"mailtap_{name}_total")}  # fmt: skip


def total(samples, name):
    return sum(family(samples, name).values())


def wrong_sums(samples):
    """Lines about figures that do not add up."""
    packets, datagrams = family(samples, "packets"), family(samples, "datagrams_read")
    pairs = {
        "packets received, and looked at": (total(samples, "received_packets"), sum(packets.values())),
        "packets looked at, and seen": (sum(packets.values()), total(samples, "capture_packets_seen")),
        "segments": (packets["segment"] + datagrams["segment"], total(samples, "segments")),
        "fragments": (packets["fragment"] + datagrams["fragment"], total(samples, "fragments")),
        "flows": (total(samples, "flows_created") - total(samples, "flows_ended"), total(samples, "flows")),
    }
    return [f"{what}: {one} and {other}" for what, (one, other) in pairs.items() if one != other]


def settled(service, count):
    """The figures, once this many packets are in them and all are where they belong."""

    def there():
        samples = figures(service)
        return samples if total(samples, "received_packets") == count and not wrong_sums(samples) else None

    return service.until(there)


def as_they_are_now(tap, mailtap, pcaps, workers):
    """Packets are in the figures while their connections and their interval go on."""
    packets = [packet for name in [CAPTURE, *OTHERS] for packet in cf.read(pcaps / name)]
    half = len(packets) // 4
    whole, first = pcap(packets), pcap(packets[:half])
    name = " ".join(workers)
    with Service(mailtap, "-q", *workers) as service:
        starting = service.get("/readyz")
        tap.check(starting.code == 503 and b"starting" in starting.body, f"{name}: not ready without a source")
        tap.check(service.get("/healthz").code == 200, f"{name}: alive without a source")
        tap.check(total(settled(service, 0), "sessions") == 0, f"{name}: figures without a source")
        service.feed(first)
        samples = settled(service, half)
        tap.check(total(samples, "flows") > 0, f"{name}: in the middle of connections")
        tap.check(service.get("/readyz").code == 200, f"{name}: ready while it reads")
        service.feed(whole[len(first) :])
        samples = settled(service, len(packets))
        said = total(samples, "received_bytes")
        tap.check(said == sum(packet.length for packet in packets), f"{name}: bytes of all packets", [str(said).strip()])
        began = time.time() - total(samples, "start_time_seconds")
        tap.check(0 <= began < 10 * PATIENCE, f"{name}: when it began", [began])
        made = time.time() - total(samples, "page_time_seconds")
        tap.check(0 <= made < PATIENCE, f"{name}: when the page was made", [made])
        tap.check(service.end() == 0, f"{name}: ends as ever", [program.text(service.said).strip()])


def same_records(tap, mailtap, pcaps):
    """Who is watched works as one who is not."""
    plain = program.run(mailtap, ["-r", pcaps / CAPTURE, "-o", "-"])
    with Service(mailtap, "-o", "-", stdout=subprocess.PIPE) as service:
        service.feed(pcap(cf.read(pcaps / CAPTURE)))
        service.process.stdin.close()
        records = service.process.stdout.read()
        service.process.wait()
        service.reader.join()
    tap.check(records == plain.stdout and records, "the same records as without")
    tap.check(service.said == plain.stderr, "and the same summary", service.said.decode().splitlines())


def blocked(mailtap, pcaps):
    """A run whose records nobody takes, at the end of its packets."""
    captures = [path for path in program.captures(pcaps) if path.suffix == ".pcap"][:200]
    packets = [packet for path in captures for packet in cf.read(path) if packet.linktype == cf.LINK_ETHERNET]
    service = Service(mailtap, "-q", "-o", "-", stdout=subprocess.PIPE)
    service.feed(pcap(packets))
    service.process.stdin.close()
    return service


def drained(tap, service):
    """It is draining, and after a while its analytics thread counts as stuck."""
    service.until(lambda: b"draining" in service.get("/readyz").body)
    tap.check(service.get("/readyz").code == 503, "not ready while it drains")
    service.until(lambda: service.get("/healthz").code == 503)
    tap.check(True, "not healthy once the analytics thread is stuck")
    last = service.get("/metrics", headers=OPEN)
    tap.check(last.code == 503, "and no figures that it did not put together", [last.body])
    lines = service.process.stdout.read().count(b"\n")
    tap.check(service.process.wait() == 0 and lines > 200, f"all {lines} records come once they are taken")


# --- requests --------------------------------------------------------------------------------


def answers(tap, service):
    page = service.get("/metrics", headers=OPEN)
    kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    tap.check(page.code == 200 and page.headers["content-type"] == kind, "OpenMetrics for who asks for it")
    classic = service.get("/metrics")
    kind = "text/plain; version=0.0.4; charset=utf-8"
    tap.check(classic.code == 200 and classic.headers["content-type"] == kind, "the older format for others")
    expected = re.sub(rb"# (UNIT .*|EOF)\n", b"", page.body)
    expected = re.sub(rb"(# TYPE \S+)( counter\n# HELP \S+)", rb"\1_total\2_total", expected)
    hide = re.compile(rb"(?m)^(mailtap_page_time_seconds) .*$")
    same = hide.sub(rb"\1", expected) == hide.sub(rb"\1", classic.body)
    tap.check(same and b"_total counter\n" in classic.body, "which says the same")
    for path in ("/metrics", "/healthz", "/readyz", "/metrics?x=1"):
        full, head = service.get(path), service.get(path, "HEAD")
        wrong = [key for key, value in SAFE.items() if full.headers.get(key) != value]
        same = set(head.headers) == set(full.headers) and head.code == full.code and not head.body
        tap.check(full.whole() and not wrong and same, f"GET and HEAD {path}", wrong)
    for path in ("/live", "/metrics/", "//metrics", "/metrics/../metrics", "/METRICS", "/%2e%2e/etc/passwd", "/x" * 900):
        answer = service.get(path)
        tap.check(answer.code == 404 and answer.headers.items() >= SAFE.items(), f"no {path[:40]}")
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "METRICS"):
        answer = service.get("/metrics", method)
        right = answer.code == 405 and answer.headers["allow"] == "GET, HEAD"
        tap.check(right and answer.headers.items() >= SAFE.items(), f"no {method}", [answer.data[:80]])


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /metrics HTTP/1.1\r\nHost: x\r\n"
# What comes, and how it is answered: a code, or by an error if at all.
NONSENSE = {
    "nothing": (b"", None),
    "line ends": (b"\r\n\r\n\r\n", None),
    "half a request": (GET, None),
    "a TLS hello": (bytes.fromhex("16030100c8010000c40303") + bytes(200), None),
    "all bytes": (bytes(range(256)) * 300, None),
    "zeros": (bytes(100000), None),
    "SMTP": (b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n", None),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", None),
    "HTTP/9.9": (b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", None),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "a long path": (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "a long header": (GET + b"X: " + b"a" * 20000 + b"\r\n\r\n", 431),
    "many headers": (GET + b"X: y\r\n" * 5000 + b"\r\n", 431),
    "a long body": (POST + b"Content-Length: 4000000000\r\n\r\n" + b"a" * 60000, 405),
    "a chunked body": (POST + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n", 405),
    "a body of GET": (GET + b"Content-Length: 5\r\n\r\nhello", 200),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
}


def send(service, data):
    """A connection over which this was said, and no more will be."""
    connection = service.connect()
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has heard enough; what it said is still to be read
    return connection


def nonsense(tap, service):
    """Whatever comes, it answers with an error, or closes, and goes on."""
    connections = {name: send(service, data) for name, (data, _) in NONSENSE.items()}
    for name, connection in connections.items():
        found, expected = read_all(connection), NONSENSE[name][1]
        said = Answer(found).code if found.startswith(b"HTTP/1.") else None
        right = said == expected or (expected is None and (not found or (said or 0) >= 400))
        tap.check(right, f"{name}: {said or 'closed'}", [] if right else [repr(found[:80])])
    found = service.exchange((GET + b"\r\n") * 20)
    tap.check(found.count(b"HTTP/1.1 200") == 1, "of requests in a row the first is answered")
    tap.check(service.get("/healthz").code == 200, "it goes on after all that")


def slow(tap, service):
    """Connections that never come to an end: others get through, and they are closed."""
    held = [service.connect() for _ in range(CONNECTIONS)]
    for connection in held[::2]:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n")
    tap.check(service.get("/metrics").code == 200, f"a scrape gets through beside {CONNECTIONS} that hang on")
    asking = []
    for _ in range(CONNECTIONS):
        connection = service.connect()
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        asking.append(connection)
    answered = sum(read_all(connection).startswith(b"HTTP/1.1 200") for connection in asking)
    tap.check(answered > 0 and service.get("/metrics").code == 200, f"{answered} of {CONNECTIONS} at once are answered")
    dripping = service.connect()
    ended, began = False, time.monotonic()
    while not ended and time.monotonic() - began < PATIENCE:
        try:
            dripping.sendall(b"x")
            dripping.settimeout(0.2)
            ended = dripping.recv(1) == b""
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            ended = True
    tap.check(ended, "who drips a request byte by byte is cut off")
    for connection in held:
        read_all(connection)
        connection.close()
    tap.check(True, "and so are all that hung on")


# --- where it listens ------------------------------------------------------------------------


def where(tap, mailtap, pcaps):
    with Service(mailtap, "-q") as service:
        tap.check(service.host == "127.0.0.1", "on the loopback address", [service.host])
        done = program.run(mailtap, ["-r", pcaps / CAPTURE, "-q", "--listen", f"127.0.0.1:{service.port}"])
        said = program.text(done.stderr)
        right = done.returncode == 1 and "in use" in said and said.count("\n") == 1
        tap.check(right, "not where somebody listens already", [str(said).strip()])
    with Service(mailtap, "-q", listen="0") as service:
        tap.check(service.host == "127.0.0.1", "a port alone is of the loopback address", [service.host])
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError as error:
        tap.skip("on [::1]", str(error))
    else:
        with Service(mailtap, "-q", listen="[::1]:0") as service:
            tap.check(service.get("/healthz").code == 200, "on [::1]")
    for value in ("localhost:9479", ":9479", "127.0.0.1", "127.0.0.1:99999", ""):
        done = program.run(mailtap, ["-r", pcaps / CAPTURE, "-q", "--listen", value])
        said = program.text(done.stderr)
        right = done.returncode == 2 and "--listen" in said and said.count("\n") == 1
        tap.check(right, f"not at \"{value}\"", [str(said).strip()])


def main():
    options = program.parse_arguments(program.arguments(__doc__.splitlines()[0]))
    tap = Tap()
    for workers in (["--workers", "0"], ["--workers", "2"]):
        as_they_are_now(tap, options.mailtap, options.pcaps, workers)
    same_records(tap, options.mailtap, options.pcaps)
    where(tap, options.mailtap, options.pcaps)
    packets = cf.read(options.pcaps / CAPTURE)
    with blocked(options.mailtap, options.pcaps) as stuck, Service(options.mailtap, "-q") as service:
        service.feed(pcap(packets))
        settled(service, len(packets))
        answers(tap, service)
        nonsense(tap, service)
        slow(tap, service)
        tap.check(service.end() == 0, "it ends as ever", [program.text(service.said).strip()])
        drained(tap, stuck)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
