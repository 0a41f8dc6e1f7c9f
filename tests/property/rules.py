# SPDX-License-Identifier: Apache-2.0
"""What a variant's records may differ in.

Lossless variants: every field is a fact and must be equal, but for those in NOT_FACTS.
Lossy variants: every fact must be equal or null (`equal_or_null`), but for those in LOSSY_RULES.
A field that neither table names is held to the strict rule, so a new field is never overlooked.
"""

from lib.records import same

# Not compared at all: field -> why it may differ between two captures of the same dialogue.
NOT_FACTS = {
    "session_id": "numbers the sessions of a run in the order they ended",
    "sensor": "the same in every run of this test",
    "start": "a time; moves with the first packet that is there",
    "end": "a time",
    "duration": "a time",
    "vlan": "of the tap's place, not of the dialogue; some transformations add tags",
    "client_packets": "counts packets, which the transformations cut, repeat and drop",
    "server_packets": "as client_packets",
    "client_bytes": "may count repeated bytes",
    "server_bytes": "as client_bytes",
}

# Keys of an evidence object that describe packets, not the dialogue.
NOT_FACTS_IN_EVIDENCE = {
    "time", "session_id", "when", "seconds", "accepted_last", "offered_last", "taken_last", "usual_last",
}  # fmt: skip

# Only compared for lossless variants: a lossy one is *meant* to change them.
CAPTURE_QUALITY = {
    "client_missing_bytes": "the loss itself",
    "server_missing_bytes": "the loss itself",
}

# verdict -> the others it may become when packets are missing, each with its reason.
VERDICT_MOVES = {
    "encrypted": {"partial": "the handshake, or its end, was lost"},
    "cleartext": {"partial": "the mail or log-in was lost"},
    "stripped": {
        "partial": "the line with the evidence and the mail were lost",
        "cleartext": "mail is seen in the clear, but not the evidence of why",
    },
    "tls_failed": {"partial": "the attempt, or how it ended, was lost"},
    "no_mail": {"partial": "whether mail followed cannot be known"},
    "not_mail": {"partial": "too little left to tell what is spoken"},
    "partial": {},
}

CONFIDENCE = ["suspected", "probable", "confirmed"]

# Evidence that compares with other sessions. Where one of them is lost, or ends after this one, a server or a
# client may look as if it had a habit that it has not: but never more than suspected.
COMPARING = {
    "capability_removed", "refusal_unlike_server", "offer_ignored_unlike_client",
    "ehlo_refused_unlike_server", "certificate_substituted", "implicit_tls_blocked",
}  # fmt: skip

# What a lost or cut ending turns an end into. A reset that hides behind a lost FIN and the
# reverse: which of the two was seen first.
END_MOVES = {
    "fin": {"rst", "timeout", "end_of_capture", "evicted"},
    "rst": {"fin", "timeout", "end_of_capture", "evicted"},
    "timeout": {"end_of_capture", "evicted"},
    "end_of_capture": {"timeout", "evicted"},
    "evicted": {"timeout", "end_of_capture"},
}


# Fields that hold what was seen last. With the last one lost an earlier one stands there: any value
# that the field has when the capture ends earlier.
LAST_SEEN = {
    "capabilities": "servers list them again after a log-in, or when asked again",
    "auth_mechanism": "a client may try one after the other",
    "login_outcome": "a client may try again",
    "client_name": "a client may greet again",
    "starttls_reply": "a client may ask again",
}


# Lossy variants of these captures may differ in these fields, because with packets missing another
# reading is as right: (captures, fields, reason).
AMBIGUOUS = [
    (
        ["keylog-imap-implicit-tls13-alpn-staple-openssl.pcap"],
        ["alpn"],
        "the server's choice is lost: the client's first offer stands there",
    ),
    (
        ["other-http-request-on-25-postfix-curl.pcap", "other-tls-on-25-postfix-openssl.pcap",
         "imap-tls-on-143-dovecot-openssl.pcap"],
        ["protocol", "hop", "verdict", "reason", "tls_client_version"],
        "the two ends speak different protocols: the one that is left is what is spoken",
    ),
    (
        ["other-https-server-on-993-openssl-curl.pcap", "other-ssh-on-25-openssh.pcap"],
        ["protocol", "hop", "verdict", "reason"],
        "without the one line or extension that tells, it is taken for what the port is for",
    ),
    (
        ["other-ftp-server-on-25-vsftpd-curl.pcap", "other-ftp-server-on-25-auth-tls-vsftpd-curl.pcap"],
        ["protocol", "hop", "verdict", "reason", "tls_mode", "tls_established", "server_banner",
         "server_name", "starttls_requested", "starttls_accepted", "tls_required_by_server",
         "credentials_exposed", "messages", "message_bytes"],
        "without AUTH TLS and the answer to USER, what is left could be said in SMTP, which the port is for",
    ),
    (
        ["smtp-data-bare-lf-second-mail-postfix-script.pcap"],
        ["messages", "message_bytes"],
        "a body with a dot between bare line feeds is one message or two, as the server takes it",
    ),
    (
        ["certificate-memory-postfix-swaks.pcap"],
        ["server_chain", "server_certificate_source", "certificate_status",
         "certificate_untrusted_because", "certificate_missing_issuer", "certificate_name_match",
         "certificate_name_in", "certificate_name_source", "certificate_expires_soon"],
        "the session in which the server showed another certificate is lost: what it showed in the "
        "others is recalled",
    ),
    (
        ["certificate-incomplete-postfix-openssl.pcap"],
        ["certificate_status", "certificate_untrusted_because", "certificate_missing_issuer"],
        "the session that showed the missing issuer is lost, and with it the path to the roots",
    ),
]  # fmt: skip


def is_ambiguous(capture, field):
    return any(capture in captures and field in fields for captures, fields, _ in AMBIGUOUS)


# --- rules for one field of a lossy variant: (field, original, variant) -> allowed? -------------


def equal_or_null(field, original, variant):
    return variant[field] is None or same(variant[field], original[field])


def newly_compared(original, variant):
    """Is all evidence that the original did not have such that other sessions suggest, and suspected?"""
    kinds = {item["kind"] for item in original["evidence"] or []}
    new = [item for item in variant["evidence"] or [] if item["kind"] not in kinds]
    return bool(new) and all(
        item["kind"] in COMPARING and item["confidence"] == "suspected" for item in new
    )


def newly_suspected(original, variant):
    """`stripped` only for what other sessions suggest."""
    before, after = original["verdict"], variant["verdict"]
    return (
        (before, after, variant["confidence"]) == ("cleartext", "stripped", "suspected")
        and newly_compared(original, variant)
    )


def verdict(field, original, variant):
    before, after = original[field], variant[field]
    if newly_suspected(original, variant):
        return True
    kinds = {item["kind"] for item in original["evidence"] or []}
    failed = original["reason"] == "tls_failed" or "tls_broken_then_cleartext" in kinds
    what_followed_is_lost = failed and after == "tls_failed"
    return what_followed_is_lost or same(before, after) or after in VERDICT_MOVES.get(before, {})


def reason(field, original, variant):
    """As the original, or none; `stripped` that lost its evidence gets a reason of its own."""
    moved = (original["verdict"], variant["verdict"]) == ("stripped", "cleartext")
    return moved or equal_or_null(field, original, variant)


def confidence(field, original, variant):
    """Less may be seen, so the confidence may sink."""
    before, after = original[field], variant[field]
    if newly_suspected(original, variant):
        return True
    if after is None or same(before, after):
        return True
    return before in CONFIDENCE and CONFIDENCE.index(after) <= CONFIDENCE.index(before)


def evidence(field, original, variant):
    """No kind of evidence that the original did not have, but for what other sessions suggest."""
    kinds = {item["kind"] for item in original[field] or []}
    known = all(item["kind"] in kinds for item in variant[field] or [])
    return known or newly_compared(original, variant)


def protocol(field, original, variant):
    """`unknown` is what null is elsewhere: nothing recognised."""
    return variant[field] == "unknown" or equal_or_null(field, original, variant)


def count(field, original, variant):
    """Fewer, but none only where there were none: 0 says that the tap saw enough to say so."""
    before, after = original[field], variant[field]
    if after is None or same(before, after):
        return True
    return before is not None and 0 < after < before


def saw_start(field, original, variant):
    """About the capture, so true may become false; what was not there cannot appear."""
    return not variant[field] or bool(original[field])


def directions(field, original, variant):
    return original[field] == "both" or equal_or_null(field, original, variant)


def end_reason(field, original, variant):
    before, after = original[field], variant[field]
    return same(before, after) or after in END_MOVES.get(before, ())


def certificate_status(field, original, variant):
    """The same; without `name_mismatch` where the name is not known any more."""
    before, after = original[field], variant[field]
    if after is not None and before is not None and variant["certificate_name_match"] is None:
        before = [fault for fault in before if fault != "name_mismatch"]
    return after is None or same(before, after)


LOSSY_RULES = {
    "verdict": verdict,
    "reason": reason,
    "confidence": confidence,
    "evidence": evidence,
    "protocol": protocol,
    "messages": count,
    "message_bytes": count,
    "saw_start": saw_start,
    "directions": directions,
    "end_reason": end_reason,
    "certificate_status": certificate_status,
}


# --- comparing records -----------------------------------------------------------------------


def _comparable(field, value):
    """A field's value without what describes packets."""
    if field != "evidence" or not value:
        return value
    return [
        {key: item[key] for key in item if key not in NOT_FACTS_IN_EVIDENCE} for item in value
    ]


def fields_of(record, lossless):
    """The fields that are compared."""
    left_out = set(NOT_FACTS) if lossless else NOT_FACTS.keys() | CAPTURE_QUALITY.keys()
    return [field for field in record if field not in left_out]


def was_once(field, value, original, earlier):
    """Is this an earlier value of a LAST_SEEN field? A list torn in the middle is not."""
    if field not in LAST_SEEN or not any(same(value, old) for old in earlier()[field]):
        return False
    return not isinstance(value, list) or original[: len(value)] != value


def either_way(field, original, variant):
    """For another order around a hole: what one reading knows the other may not have seen."""
    rule = LOSSY_RULES.get(field, equal_or_null)
    return rule(field, original, variant) or rule(field, variant, original)


def equal(field, original, variant):
    return same(_comparable(field, original[field]), _comparable(field, variant[field]))


def rule_for(kind, original, field):
    """The rule by which a field of this kind of variant is judged."""
    if not kind.lossless:
        return LOSSY_RULES.get(field, equal_or_null)
    holes = original["client_missing_bytes"] or original["server_missing_bytes"]
    return either_way if kind.reorders and holes else equal


def violations(kind, capture, original, variant, earlier):
    """(number of comparisons, the fields that differ in a way that is not allowed).

    `earlier()` gives, for each field of LAST_SEEN, the values it had during the connection.
    """
    fields = fields_of(original, kind.lossless)
    wrong = sorted(set(fields_of(variant, kind.lossless)) ^ set(fields))
    for field in fields:
        if field not in variant or rule_for(kind, original, field)(field, original, variant):
            continue
        if not kind.lossless and (
            is_ambiguous(capture, field)
            or was_once(field, variant[field], original[field], earlier)
        ):
            continue
        wrong.append(field)
    return len(fields), wrong
