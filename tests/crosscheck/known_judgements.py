# SPDX-License-Identifier: Apache-2.0
"""Where mailtap judges a certificate otherwise than `openssl verify`, one by one, each with the reason."""

from dataclasses import dataclass

from lib.records import same


@dataclass(frozen=True, eq=False)
class Known:
    """One difference. `server` is "address port"; `ours` and `theirs` what only one of them says.

    `field` is "server status", "client status" or "name" against `openssl verify`, and a field of the
    record against what was made.
    """

    capture: str
    server: str
    field: str
    ours: object
    theirs: object
    reason: str

    def explains(self, capture, server, field, ours, theirs):
        place = (self.capture, self.server, self.field) == (capture, server, field)
        return place and same(self.ours, ours) and same(self.theirs, theirs)


CHAINS = "certificate-chains-postfix-openssl.pcap"
MALFORMED = "certificate-malformed-script-openssl.pcap"
NAMES = "certificate-names-postfix-openssl.pcap"
WITHOUT_SNI = "certificate-names-without-sni-postfix-openssl.pcap"
REVOCATION = "certificate-revocation-dovecot-openssl.pcap"
WEAK = "certificate-weak-openssl-openssl.pcap"

IN_COMMON_NAME = "only in the commonName: RFC 9525 does not take it, OpenSSL does"

KNOWN = [
    Known(
        CHAINS, "192.0.2.108 25", "server status", [], ["untrusted"],
        "two issuers of one name and no key identifier: openssl verify takes the first that was sent "
        "and stays with it, though the other has signed; mailtap tries both",
    ),
    Known(
        REVOCATION, "2001:db8:2::103 143", "server status", [], ["revoked"],
        "the CRL revokes it from 2090 on; OpenSSL does not look at the date (RFC 5280 5.3.2)",
    ),
    Known(
        WEAK, "192.0.2.102 995", "server status", ["weak_key"], [],
        "RSA of 2047 bits: OpenSSL counts its strength as 112 bits, like 2048",
    ),
    Known(
        MALFORMED, "192.0.2.105 995", "server status", None, "judged",
        "a signature algorithm that this OpenSSL does not know: another program may, so nothing is said",
    ),
    Known(
        MALFORMED, "192.0.2.108 995", "server status", None, "judged",
        "a kind of key that this OpenSSL does not know: another program may, so nothing is said",
    ),
    Known(
        MALFORMED, "192.0.2.134 995", "server status", ["wrong_order"], [],
        "the second certificate cannot be read: not the one that certifies the first, by its name",
    ),
    Known(
        MALFORMED, "192.0.2.114 995", "name", False, True,
        "an empty subjectAltName: OpenSSL then takes the commonName",
    ),
    Known(
        MALFORMED, "192.0.2.117 995", "name", False, True,
        "a subjectAltName with an address of five octets and no name: OpenSSL then takes the commonName",
    ),
    Known(
        NAMES, "192.0.2.108 25", "name", False, True,
        "m*.example.com: RFC 6125 left that to the client, RFC 9525 6.3 forbids it; OpenSSL's default "
        "allows it",
    ),
    Known(NAMES, "192.0.2.117 25", "name", False, True, IN_COMMON_NAME),
    Known(NAMES, "192.0.2.118 25", "name", False, True, IN_COMMON_NAME),
    Known(NAMES, "192.0.2.120 25", "name", False, True, IN_COMMON_NAME),
    Known(NAMES, "192.0.2.121 25", "name", False, True, IN_COMMON_NAME),
    Known(WITHOUT_SNI, "192.0.2.103 25", "name", False, True, IN_COMMON_NAME),
    Known(
        NAMES, "192.0.2.131 25", "name", True, False,
        "SNI with a dot at its end: the same host (RFC 1034 3.1); OpenSSL compares the text",
    ),
]  # fmt: skip
