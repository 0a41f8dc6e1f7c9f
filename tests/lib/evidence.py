# SPDX-License-Identifier: Apache-2.0
"""The evidence in a session's record: its pieces, what of it is an alarm, whether it holds together."""

CONFIDENCES = ("suspected", "probable", "confirmed")
ALARMING = CONFIDENCES[1:]  # what nothing honest may have

KINDS = {
    "capability_garbled", "banner_garbled", "capability_removed", "command_garbled", "illegal_reply",
    "refusal_contradicts_offer", "refusal_unlike_server", "offer_ignored_unlike_client",
    "ehlo_refused_unlike_server", "tls_broken_then_cleartext", "injected_segment", "path_difference",
    "certificate_substituted", "preauth_unexpected", "implicit_tls_blocked", "tls_downgrade_sentinel",
    "starttls_command_injection", "starttls_response_injection",
}  # fmt: skip


def pieces(record):
    """The pieces of evidence in a record: a list, empty too where nothing is gathered."""
    return record["evidence"] or []


def alarms(record):
    """Lines on what an honest session must not have: evidence, or `stripped`, above `suspected`."""
    high = [piece for piece in pieces(record) if piece["confidence"] in ALARMING]
    lines = [f"{piece['kind']} {piece['confidence']}" for piece in high]
    if record["verdict"] == "stripped" and record["confidence"] in ALARMING:
        lines.append(f"verdict stripped, {record['confidence']}")
    return lines


def suspected(record):
    """Kinds of the evidence that is suspected only."""
    return [piece["kind"] for piece in pieces(record) if piece["confidence"] == "suspected"]


def malformed(record):
    """Lines on how evidence and verdict contradict each other, or the contract of records."""
    found = pieces(record)
    lines = [f"no kind of evidence: {piece['kind']}" for piece in found if piece["kind"] not in KINDS]
    lines += [f"no confidence: {p['confidence']}" for p in found if p["confidence"] not in CONFIDENCES]
    stripped = record["verdict"] == "stripped"
    if stripped != (record["confidence"] is not None):
        lines.append(f"verdict {record['verdict']} with confidence {record['confidence']}")
    if stripped and record["confidence"] not in [piece["confidence"] for piece in found]:
        lines.append(f"stripped, {record['confidence']}, and no such evidence")
    return lines
