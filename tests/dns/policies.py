#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is said of SPF, DMARC and keys of DKIM in the forms that readers get wrong, written here by hand.

- each domain of the capture has what stands below (the zone is in pcaps/make/recipes-names-policies.sh);
- of SPF's terms those that other records are included by are counted only where those were seen.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import program  # noqa: E402
from lib.tap import Tap  # noqa: E402

import dns  # noqa: E402

SPF_KEYS = ("spf", "spf_valid", "spf_all", "spf_redirect", "spf_lookups", "spf_lookups_total")
NO_SPF = (False, None, None, None, None, None)
BAD_SPF = (True, False, None, None, None, None)
SPF = {
    "hard": (True, True, "-all", False, 0, 0),
    "soft": (True, True, "~all", False, 2, 2),
    "neutral": (True, True, "?all", False, 0, 0),
    "pass": (True, True, "+all", False, 0, 0),
    "none": NO_SPF,  # other versions
    "upper": (True, True, "-all", False, 1, 2),
    "pieces": (True, True, "~all", False, 1, 2),
    "two": BAD_SPF,
    "macros": (True, True, "-all", False, 1, 1),
    "redirect": (True, True, None, True, 1, 3),
    "redirect-all": (True, True, "-all", False, 0, 0),  # RFC 7208 6.1
    "loop": (True, True, "-all", False, 1, 11),
    "eleven": (True, True, "-all", False, 11, 11),
    "behind": (True, True, "-all", False, 1, 1),  # RFC 7208 5.1
    "wrong": BAD_SPF,
    "spaces": (True, True, "-all", False, 1, 1),
}
DMARC_KEYS = ("dmarc", "dmarc_valid", "dmarc_policy", "dmarc_subdomain_policy", "dmarc_percent", "dmarc_rua")
NO_DMARC = (False, None, None, None, None, None)
DMARC = {
    "none": (True, True, "none", None, 100, False),
    "quarantine": (True, True, "quarantine", None, 20, True),
    "reject": (True, True, "reject", "none", 100, False),
    "spaces": (True, True, "reject", None, 100, False),
    "bad": (True, False, None, None, 100, True),
    "case": NO_DMARC,  # RFC 7489 6.4: upper case
    "order": NO_DMARC,  # the version comes first
    "two": (True, False, None, None, None, None),
    "percent": (True, True, "reject", None, 100, False),
    "pieces": (True, True, "reject", None, 100, False),
}
KEY_KEYS = ("key_type", "key_bits", "revoked", "testing")
KEYS = {
    "weak": ("rsa", 512, False, False),
    "less": ("rsa", 768, False, True),
    "usual": ("rsa", 1024, False, False),
    "large": ("rsa", 4096, False, False),
    "bare": ("rsa", None, False, False),
    "curve": ("ed25519", 256, False, False),
    "gone": ("rsa", None, True, False),
    "other": (None, None, False, False),
    "two": ("rsa", 1024, False, True),
}


def compare(tap, what, wanted, found):
    wrong = [f"{name}: {found.get(name)}, not {value}" for name, value in wanted.items() if found.get(name) != value]
    tap.check(not wrong, what, wrong)


def of(lines, kind, names, keys):
    found = {}
    for name in names:
        line = lines.get(f"{kind}-{name}.policies.example", {})
        found[name] = tuple(line.get(key) for key in keys)
    return found


def captured(tap, options):
    lines, *_ = dns.read(options.mailtap, options.pcaps / "dns-policies-nsd-dig.pcap")
    lines = {line["domain"]: line for line in lines}
    compare(tap, "SPF", SPF, of(lines, "spf", SPF, SPF_KEYS))
    compare(tap, "DMARC", DMARC, of(lines, "dmarc", DMARC, DMARC_KEYS))
    found = {key["selector"]: tuple(key[name] for name in KEY_KEYS) for key in lines["keys.policies.example"]["dkim"]}
    compare(tap, "keys of DKIM", KEYS, found)
    none, null = lines["mx-none.policies.example"], lines["mx-null.policies.example"]
    tap.check((none["mx_null"], none["mx"], null["mx_null"], null["mx"][0]["host"]) == (False, [], True, "."), "no MX, and one that says no")
    tap.check(null["dmarc"] is False and null["spf"] is None and none["dmarc"] is None, "what was asked for and is not there, and what nobody asked for")


def unseen(tap, options, folder):
    wire = dns.Wire()
    texts = {
        "a.example.org": "v=spf1 mx include:b.example.org -all",
        "c.example.org": "v=spf1 include:%{d}.example.org -all",
        "d.example.org": "v=spf1 include:a.example.org include:e.example.org -all",
    }
    for number, (name, text) in enumerate(texts.items()):
        wire.ask(dns.question(number, name, dns.MX))
        wire.tell(dns.answer(number, name, dns.MX, dns.mx("mx.example.org")))
        wire.ask(dns.question(10 + number, name, dns.TXT))
        wire.tell(dns.answer(10 + number, name, dns.TXT, dns.txt(text)))
    lines, *_ = dns.from_wire(options, wire, folder)
    found = {line["domain"]: (line["spf_lookups"], line["spf_lookups_total"]) for line in lines}
    wanted = {"a.example.org": (2, None), "c.example.org": (1, None), "d.example.org": (2, None)}
    compare(tap, "SPF that includes what was not seen", wanted, found)


def main():
    options = program.parse_arguments(program.arguments(__doc__))
    tap = Tap()
    captured(tap, options)
    with tempfile.TemporaryDirectory() as folder:
        unseen(tap, options, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
