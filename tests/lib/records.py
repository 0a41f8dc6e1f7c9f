# SPDX-License-Identifier: Apache-2.0
"""Session records: who talked to whom, and how the records of a connection are found again."""

import ipaddress
import json
from functools import lru_cache

# The ports that are followed unless --ports says otherwise, and what is spoken there.
PROTOCOL_OF_PORT = {
    25: "smtp", 465: "smtp", 587: "smtp", 2525: "smtp", 143: "imap", 993: "imap", 110: "pop3",
    995: "pop3",
}  # fmt: skip
MAIL_PORTS = set(PROTOCOL_OF_PORT)


def same(one, other):
    """Equal, with true and 1 (and 1 and 1.0) kept apart."""
    if type(one) is type(other) and not isinstance(one, (list, dict)):
        return one == other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@lru_cache(maxsize=4096)
def packed(address):
    """An address as bytes."""
    return ipaddress.ip_address(address).packed


def endpoints(record):
    """((client address, port), (server address, port)) with the addresses as bytes."""
    return tuple(
        (packed(record[f"{side}_ip"]), record[f"{side}_port"]) for side in ("client", "server")
    )


def connection(record):
    """A record's connection as text."""
    return "{client_ip}:{client_port} > {server_ip}:{server_port}".format_map(record)


def by_connection(records):
    """Records grouped by the unordered pair of endpoints, each group in the order of its starts."""
    groups = {}
    for record in records:
        groups.setdefault(tuple(sorted(endpoints(record))), []).append(record)
    for group in groups.values():
        group.sort(key=lambda record: record["start"] or "")
    return groups
