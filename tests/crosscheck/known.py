# SPDX-License-Identifier: Apache-2.0
"""Where mailtap and another reader are known to differ, one by one, each with the reason.

An entry that no longer differs as it says is a failure too: the table must stay true.
"""

from dataclasses import dataclass

from lib.records import same


@dataclass(frozen=True, eq=False)
class Known:
    """One difference. `flow` is "client:port > server:port" as the records write it."""

    capture: str
    flow: str
    field: str
    ours: object
    theirs: object
    reason: str

    def explains(self, capture, flow, field, ours, theirs):
        place = (self.capture, self.flow, self.field) == (capture, flow, field)
        return place and same(self.ours, ours) and same(self.theirs, theirs)


MISSED_STARTTLS = "link-tap-missed-starttls-postfix-swaks.pcap", "198.51.100.10:38288 > 192.0.2.25:25"
ONE_DIRECTION = "link-one-direction-postfix-swaks.pcap", "198.51.100.10:38298 > 192.0.2.25:25"
TLS_ON_25 = "other-tls-on-25-postfix-openssl.pcap", "198.51.100.10:40956 > 192.0.2.25:25"
INSERTED = "attack-insert-command-postfix-swaks.pcap", "198.51.100.10:51827 > 192.0.2.25:25"
MALFORMED = "certificate-malformed-script-openssl.pcap"

TSHARK = [
    Known(
        "certificate-good-3000-names-postfix-openssl.pcap", "198.51.100.10:58680 > 192.0.2.25:25",
        "server_chain",
        ["dc53bc66200507bedb954f7ec447a810ffe7baaedbd93dcef343b7c347e6c6b7"],
        None,
        "tshark puts together no handshake message beyond 64 KiB",
    ),
    Known(
        "certificate-good-64k-openssl-openssl.pcap", "198.51.100.10:60054 > 192.0.2.25:995",
        "server_chain",
        ["dd882906548648bf056d0801659a1c1bbdbf6439b31efa8128132a6ad27eb234"],
        None,
        "tshark puts together no handshake message beyond 64 KiB",
    ),
    Known(
        MALFORMED, "198.51.100.10:55116 > 192.0.2.125:995",
        "server_chain",
        ["94d65e1d9dba5bb7ed8fd40c8ac02b436d33f4acca29090e364f7ca31799b121"],
        [],
        "the certificate ends before its own length says so: tshark shows none",
    ),
    Known(
        MALFORMED, "198.51.100.10:40954 > 192.0.2.126:995",
        "server_chain",
        ["f90c1c768926d015692a87ce1bf8bdff88406a913e81ffd26592fda03bd4a5bb"],
        ["668f6a5430cd039b56c70ea5efb9a3db9ae0fc43e4c2c1eaeee8f62530a6236d"],
        "tshark takes the DER's own length, without the octet behind it",
    ),
    Known(
        MALFORMED, "198.51.100.10:45616 > 192.0.2.127:995",
        "server_chain",
        ["2cb9a2523b247e44c684d3096819815839af6aef20dd89e145735a3cb0e49483"],
        ["dcefe1b220f8319de057088a5d03d8447056480fa065ba6880484aaabd896cf9"],
        "tshark takes the DER's own length: the first of two in one entry",
    ),
    Known(
        MALFORMED, "198.51.100.10:43976 > 192.0.2.130:995",
        "server_chain",
        None,
        ["7a2a7c0a81d1bd595dff09b918f8ecb5b5e8493654a4f83496956ed8eb017674"],
        "an entry of no octets, which RFC 5246 does not allow: no list for mailtap, to tshark its length field",
    ),
    Known(
        MALFORMED, "198.51.100.10:46254 > 192.0.2.131:995",
        "server_chain",
        ["cad00f865e6b1b26bf830ced8abcd57547a15e4d1e94011456250c08baa7aed3"],
        ["1a306ec9680cf18309d877f903eccf186eac97b2bb1a517fe095fbf55a5faf04"],
        "PEM in place of DER: tshark takes what its first octets give as a length",
    ),
    Known(
        MALFORMED, "198.51.100.10:35340 > 192.0.2.132:995",
        "server_chain",
        ["1b44a58e0cb33909c883f5353aa8c5eab962e6e6bfeace02c7e9eef07c8d327b"],
        [],
        "tshark finds no certificate in random octets",
    ),
    Known(
        MALFORMED, "198.51.100.10:37982 > 192.0.2.134:995",
        "server_chain",
        [
            "31db85eb7a746c4a1f61b7b11237fbc52f429c7e566f47d26d30479f9a5da222",
            "3ddb79c4d4337ba7076d87b66021f3ce699ee7cc3eab746068ba3218556cc3d3",
        ],
        ["31db85eb7a746c4a1f61b7b11237fbc52f429c7e566f47d26d30479f9a5da222"],
        "tshark stops at the second certificate, which is cut short",
    ),
    Known(
        "imap-append-literal-dovecot-script.pcap",
        "198.51.100.10:42300 > 192.0.2.25:143", "starttls_requested", False, True,
        "a line of the appended message; tshark reads literals as commands",
    ),
    Known(
        *MISSED_STARTTLS, "starttls_requested", True, False,
        "the command is not in the capture; mailtap infers it from the TLS that follows",
    ),
    Known(
        *MISSED_STARTTLS, "tls_version", "TLSv1.3", None,
        "without the command tshark does not look for TLS",
    ),
    Known(
        *MISSED_STARTTLS, "tls_cipher", "TLS_AES_256_GCM_SHA384", None,
        "without the command tshark does not look for TLS",
    ),
    Known(
        *MISSED_STARTTLS, "ja3", "c12b4ccd5320bbb380ca1a9df90f771d", None,
        "without the command tshark does not look for TLS",
    ),
    Known(
        *MISSED_STARTTLS, "ja3s", "15af977ce25de452b96affa2addb1036", None,
        "without the command tshark does not look for TLS",
    ),
    Known(
        *MISSED_STARTTLS, "ja4", "t13i311000_e8f1e7e78f70_d41ae481755e", None,
        "without the command tshark does not look for TLS",
    ),
    Known(
        *ONE_DIRECTION, "ja3", "c12b4ccd5320bbb380ca1a9df90f771d", None,
        "without the server's answer tshark does not look for TLS",
    ),
    Known(
        *ONE_DIRECTION, "ja4", "t13i311000_e8f1e7e78f70_d41ae481755e", None,
        "without the server's answer tshark does not look for TLS",
    ),
    Known(
        *TLS_ON_25, "ja3", "c216e752cae6f8755fd27f561d031636", None,
        "tshark looks for TLS on port 25 only behind STARTTLS",
    ),
    Known(
        *TLS_ON_25, "ja4", "t13i310900_e8f1e7e78f70_1f22a2ca17c4", None,
        "tshark looks for TLS on port 25 only behind STARTTLS",
    ),
    Known(
        "keylog-imap-implicit-tls13-client-certificate-rejected-openssl.pcap",
        "198.51.100.10:45958 > 192.0.2.25:993", "tls_alert", None, "server:unknown_ca",
        "sent under the keys of application data, which mailtap does not take from a key log",
    ),
    Known(
        *INSERTED, "tls_version",
        "TLSv1.2",
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        *INSERTED, "tls_cipher",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        *INSERTED, "ja3",
        "c12b4ccd5320bbb380ca1a9df90f771d",
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        *INSERTED, "ja3s",
        "abade5a4a7f42baf54766e5d108283b6",
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        *INSERTED, "ja4",
        "t13i311000_e8f1e7e78f70_d41ae481755e",
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        *INSERTED, "server_chain",
        [
            "383989899de9f2a341a3f9bd8575447ffbd4b82d8ccf1f56dc249205e555e670",
            "9d0c1bac634ff03368979756285b0cba9a98d8f3be910cf8e5066f08dbedbc1f",
        ],
        None,
        "tshark looks for no TLS where commands follow STARTTLS in the clear",
    ),
    Known(
        "attack-two-taps-imap-dovecot-curl.pcap",
        "198.51.100.10:50134 > 192.0.2.25:143", "(number of connections)", 1, 2,
        "two copies with other sequence numbers: mailtap takes them for one session at two places",
    ),
    Known(
        "attack-two-taps-postfix-swaks.pcap",
        "198.51.100.10:42053 > 192.0.2.25:25", "(number of connections)", 1, 2,
        "two copies with other sequence numbers: mailtap takes them for one session at two places",
    ),
]  # fmt: skip

TRUTH = [
    Known(
        "mercury__smtp.pcap",
        "192.168.122.11:54320 > 149.20.54.225:25", "server_banner", None,
        "220 test.smtp.org ESMTP Sendmail 8.14.9 ready at Fri, 10 Oct 2014 14:11:49 -0700 (PDT); "
        "see http://test.smtp.org/",
        "the capture has no SYN: the first line there need not be the first of the connection",
    ),
    Known(
        "ndpi__6in4tunnel.pcap",
        "2001:470:1f17:13f:25a3:3292:16f9:2ce0:60491 > 2604:a880:1:20::224:b001:993",
        "(reported)", False, True,
        "no packet of this connection: it is quoted in an ICMPv6 error",
    ),
    Known(
        "ndpi__http_guessed_host_and_guessed.pcapng",
        "192.168.0.1:179 > 170.33.13.5:110", "protocol", None, "pop3",
        "random bytes in a single packet; the other goes by the port",
    ),
    Known(
        "ndpi__http_guessed_host_and_guessed.pcapng",
        "192.168.0.1:179 > 170.33.13.5:110", "server_banner", None,
        "\u0084\u00c9\u00afA\u00c5\u007f\u0000\u0000\u00f6I5\u00cf8\"A\u00f16 HTTP/1.1",
        "random bytes in a single packet, without a SYN",
    ),
    Known(
        "ndpi__imap.pcap",
        "10.40.4.2:46045 > 10.40.3.2:143", "messages", None, 1,
        "the capture ends inside the first FETCH",
    ),
    Known(
        "ndpi__imaps.pcap",
        "192.168.0.1:51529 > 10.10.10.1:993", "server_chain", None,
        ["5f9e1d3ac19b61930e141378e188f44a725f2ee64e4db3fdfc7814b2a05e6279", None],
        "the Certificate message is not whole in the capture",
    ),
    Known(
        "suricata-verify__detect-email-received-input.pcap",
        "1.1.1.1:5555 > 2.2.2.2:25", "messages", None, 1,
        "made by hand: the banner has no line end, so every reply stands one command late",
    ),
    Known(
        "suricata-verify__smtp-data-rejected-10.7.29.101_49898-178.63.41.150_25.pcap",
        "10.7.29.101:49898 > 178.63.41.150:25", "messages", 0, 1,
        "the server refused the message after its end (554): not taken",
    ),
    Known(
        "zeek__smtp-attachment-msg.pcap",
        "::1:56660 > ::1:25", "messages", None, 1,
        "only the client's side was captured: whether the server took it is not known",
    ),
    Known(
        "zeek__smtp-one-side-only.pcap",
        "192.150.187.22:57722 > 192.150.186.11:25", "messages", None, 2,
        "only the client's side was captured: whether the server took them is not known",
    ),
]  # fmt: skip
