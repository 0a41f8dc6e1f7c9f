#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signs messages and says what others make of them, python3-dkim and libopendkim: for headers.py.

Reads a list of cases as JSON from standard input and writes it back with what it made of them. A case has a
`message` (base64), `sign` (a list of what to sign it with), `alter` (pairs of what to replace in the signed message,
Latin-1) and `keys` (name -> text, of what DNS has for the checker). Added are `signed` (base64) and, by signature from
the top, `verdicts` of each of the two. Run with Debian's Python, whose packages it needs.
"""

import base64
import json
import sys

import dkim
from opendkim import OpenDkim


def signed(message, with_what, library):
    if with_what.get("signer") == "libopendkim":
        return library.sign(message, with_what["selector"].encode(), with_what["domain"].encode(),
                            with_what["key"].encode(), with_what["forms"])  # fmt: skip
    options = {
        "selector": with_what["selector"].encode(),
        "domain": with_what["domain"].encode(),
        "privkey": with_what["key"].encode(),
        "canonicalize": tuple(form.encode() for form in with_what.get("forms", ("relaxed", "relaxed"))),
        "signature_algorithm": with_what.get("algorithm", "rsa-sha256").encode(),
        "length": with_what.get("length", False),
    }
    if "fields" in with_what:
        options["include_headers"] = [field.encode() for field in with_what["fields"]]
    return dkim.sign(message, **options) + message


def verdicts(message, keys):
    def look_up(name, timeout=5):
        return keys.get(name.decode().rstrip("."), "").encode()

    found = []
    count = message.split(b"\r\n\r\n")[0].lower().count(b"dkim-signature:")
    for number in range(count):
        try:
            found.append(bool(dkim.DKIM(message).verify(number, dnsfunc=look_up)))
        except (dkim.DKIMException, ValueError):
            found.append(False)
    return found


def main():
    cases = json.load(sys.stdin)
    library = OpenDkim()
    for case in cases:
        message = base64.b64decode(case["message"])
        for with_what in case["sign"]:
            message = signed(message, with_what, library)
        for old, new in case["alter"]:
            if old.encode("latin-1") not in message:
                raise SystemExit(f"{case['name']}: there is no {old!r} to alter")
            message = message.replace(old.encode("latin-1"), new.encode("latin-1"), 1)
        case["signed"] = base64.b64encode(message).decode()
        case["verdicts"] = {
            "python3-dkim": verdicts(message, case["keys"]),
            "libopendkim": library.verdicts(message, case["keys"]),
        }
    json.dump(cases, sys.stdout)


if __name__ == "__main__":
    main()
