# SPDX-License-Identifier: Apache-2.0
"""The figures of the statistics, computed from session records without looking at how mailtap does it.

Each function takes records (as in sessions.jsonl) and gives the rows of the table of its name as they
stand in its CSV: a set of tuples of texts, null as the empty one.
"""

import ipaddress
import math
from collections import Counter, defaultdict
from datetime import datetime, timezone

MAIL = ("smtp", "imap", "pop3")
HABITS = ("always", "sometimes", "never", "")
FAULTS = [
    "self_signed", "untrusted", "expired", "not_yet_valid", "revoked", "name_mismatch", "weak_key",
    "weak_signature", "incomplete_chain", "wrong_order", "not_a_server_certificate", "malformed",
]  # fmt: skip


def share(part, of):
    """part, of, value and the bounds of Wilson's 95 % interval, the roots of its equation."""
    if of == 0:
        return ("0", "0", "", "", "")
    z, p = 1.959964, part / of
    # (p - x)^2 = z^2 x (1 - x) / n, solved for x
    a, b, c = 1 + z * z / of, -(2 * p + z * z / of), p * p
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    return (str(part), str(of), *(f"{min(max(v, 0), 1):.6f}" for v in (p, low, high)))


def text(*values):
    return tuple("" if value is None else str(value) for value in values)


def habit(yes, no):
    if not yes and not no:
        return ""
    return "sometimes" if yes and no else "always" if yes else "never"


def is_mail(record):
    return record["protocol"] in MAIL or record["hop"] is not None


def carried(record):
    return record["verdict"] in ("encrypted", "cleartext", "stripped")


def network(address):
    ip = ipaddress.ip_address(address)
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def host(name):
    """The name in lower case, or None for what is no name of a host that others could know it by."""
    if name is None:
        return None
    name = name.removesuffix(".").lower()
    labels = name.split(".")
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    good = 1 < len(labels) and len(name) <= 253
    good &= all(0 < len(label) <= 63 and set(label) <= allowed for label in labels)
    return name if good and any(c.isalpha() for c in labels[-1]) else None


def domain(name):
    """The registered domain; the tests' names are all right below a top-level domain."""
    labels = (host(name) or "").split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else ""


def server(record):
    return record["server_ip"], record["server_port"]


def strongest(record):
    order = ["suspected", "probable", "confirmed"]
    found = [order.index(piece["confidence"]) for piece in record["evidence"] or []]
    return order[max(found)] if found else None


def verdicts(records):
    counts = Counter((r["verdict"], r["reason"]) for r in records)
    return {text(*key, n) + share(n, len(records)) for key, n in counts.items()}


def sessions(records):
    groups = defaultdict(list)
    for r in records:
        version = ipaddress.ip_address(r["server_ip"]).version
        groups[r["protocol"], r["hop"], r["server_port"], version].append(r)
    rows = set()
    for key, group in groups.items():
        n = Counter(r["verdict"] for r in group)
        kinds = ("encrypted", "cleartext", "stripped", "tls_failed", "no_mail", "not_mail", "partial")
        rows.add(
            text(*key, len(group), *(n[kind] for kind in kinds),
                 sum(r["messages"] or 0 for r in group), sum(r["message_bytes"] or 0 for r in group))
            + share(n["encrypted"], n["encrypted"] + n["cleartext"] + n["stripped"])
        )  # fmt: skip
    return rows


def distinct(records):
    sets = {
        "server_addresses": {r["server_ip"] for r in records},
        "servers": {server(r) for r in records},
        "client_addresses": {r["client_ip"] for r in records},
        "server_networks": {network(r["server_ip"]) for r in records},
        "client_networks": {network(r["client_ip"]) for r in records},
    }
    return {text(what, len(found), "exact") for what, found in sets.items()}


def funnel(records):
    steps = {
        "connected": lambda r: True,
        "greeted": lambda r: True if r["server_banner"] is not None
        else False if r["verdict"] == "no_mail" else None,
        "listed": lambda r: True if r["capabilities"] is not None
        else False if r["esmtp"] is False else None,
        "offered": lambda r: r["starttls_offered"],
        "requested": lambda r: r["starttls_requested"],
        "accepted": lambda r: r["starttls_accepted"],
        "established": lambda r: r["tls_established"],
        "mail_in_tls": lambda r: None,
    }  # fmt: skip
    rows = set()
    for protocol in (None, *MAIL):
        group = [r for r in records if r["protocol"] == protocol and r["tls_mode"] != "implicit"]
        left = group
        for step, passed in steps.items():
            rows |= _funnel_row(protocol, step, [passed(r) for r in left])
            left = [r for r in left if passed(r)]
        clear = {"cleartext": True, "stripped": True, "partial": None}
        rows |= _funnel_row(protocol, "mail_in_clear", [clear.get(r["verdict"], False) for r in group])
    return rows


def _funnel_row(protocol, step, values):
    yes, no = values.count(True), values.count(False)
    row = text(protocol, step, yes, no, values.count(None)) + share(yes, yes + no)
    return {row} if values else set()


def _passive(r):
    weak = r["tls_cipher_weaknesses"]
    if r["verdict"] != "encrypted":
        return False if carried(r) else None
    return None if weak is None else not {"no_encryption", "export", "des"} & set(weak)


def _active(r):
    """False, "possible" or None."""
    if _passive(r) is False:
        return False
    if r["verdict"] != "encrypted":
        return None
    anonymous = "anonymous" in (r["tls_cipher_weaknesses"] or [])
    if r["certificate_status"] or anonymous or r["client_verifies"] is False:
        return False
    good = r["certificate_status"] == [] and r["certificate_name_match"] is True
    return "possible" if good else None


def protection(records):
    groups = defaultdict(list)
    for r in records:
        if carried(r) or r["verdict"] == "partial":
            groups[r["hop"]].append(r)
    rows = set()
    for hop, group in groups.items():
        passive = [_passive(r) for r in group]
        active = [_active(r) for r in group]
        yes, no = passive.count(True), passive.count(False)
        counts = [active.count(value) for value in ("possible", False, None)]
        rows.add(text(hop, yes, no, passive.count(None)) + share(yes, yes + no) + text(*counts))
    return rows


def _shown(r):
    """What TLS showed of the certificate; None: there was no TLS."""
    anonymous = "anonymous" in (r["tls_cipher_weaknesses"] or [])
    seen = r["server_certificate_source"] is not None
    if not (anonymous or seen or r["tls_established"]):
        return None
    if anonymous:
        return "none"
    if not seen:
        return ""
    status = r["certificate_status"]
    if status is None:
        return "not_judged"
    if set(status) - {"name_mismatch"}:
        return "invalid"
    if status:
        return "valid_but_mismatched"
    return "valid_and_matching" if r["certificate_name_match"] else "valid_name_unknown"


def _offered(r):
    if r["tls_mode"] != "implicit":
        return r["starttls_offered"]
    return True if r["tls_established"] else None


def _by_server(records):
    groups = defaultdict(list)
    for r in records:
        if is_mail(r):
            groups[server(r)].append(r)
    return groups


def _server_facts(group):
    offers = [_offered(r) for r in group]
    refuses = [r["tls_required_by_server"] for r in group]
    shown = {_shown(r) for r in group} - {None, ""}
    return {
        "hop": next((r["hop"] for r in group if r["hop"]), None),
        "offers": habit(offers.count(True), offers.count(False)),
        "refuses": habit(refuses.count(True), refuses.count(False)),
        "tls": True in offers or any(r["tls_established"] for r in group),
        "certificate": "mixed" if len(shown) > 1 else next(iter(shown), ""),
    }


def servers(records):
    facts = [_server_facts(group) for group in _by_server(records).values()]
    rows = set()
    for hop in {f["hop"] for f in facts}:
        these = [f for f in facts if f["hop"] == hop]
        for name, key in (("offers_tls", "offers"), ("refuses_cleartext", "refuses")):
            rows |= _value_rows(hop, name, [f[key] for f in these])
        rows |= _value_rows(hop, "certificate", [f["certificate"] for f in these if f["tls"]])
    return rows


def _value_rows(hop, name, values):
    counts = Counter(values)
    of = sum(n for value, n in counts.items() if value)
    nothing = share(0, 0)
    return {text(hop, name, v, n) + (share(n, of) if v else nothing) for v, n in counts.items()}


def server_list(records):
    rows = set()
    for (address, port), group in _by_server(records).items():
        facts = _server_facts(group)
        names = [host(r["sni"]) or host(r["server_name"]) for r in group]
        offers = [_offered(r) for r in group]
        established = sum(r["tls_established"] is True for r in group)
        rows.add(
            text(address, port, next((n for n in reversed(names) if n), None), facts["hop"],
                 len(group), offers.count(True), offers.count(False), established,
                 facts["certificate"], facts["refuses"])
        )  # fmt: skip
    return rows


def certificates(records):
    tls = [r for r in records if is_mail(r) and _shown(r) is not None]
    judged = [r for r in tls if _shown(r) not in ("", "not_judged")]
    of = len(judged), len({server(r) for r in judged})
    rows = set()
    for kind in {_shown(r) for r in tls}:
        these = [r for r in tls if _shown(r) == kind]
        recalled = sum(r["server_certificate_source"] == "memory" for r in these)
        of_these = of if kind not in ("", "not_judged") else (0, 0)
        rows.add(_status_row("certificate", kind, these, of_these) + text(recalled))
    for fault in FAULTS:
        these = [r for r in tls if fault in (r["certificate_status"] or [])]
        if these:
            rows.add(_status_row("fault", fault, these, of) + ("",))
    return rows


def _status_row(axis, name, records, of):
    """`of`: sessions and servers that were judged; 0: no share is given."""
    n, with_it = len(records), len({server(r) for r in records})
    shares = [share(count, all_of) if all_of else share(0, 0) for count, all_of in ((n, of[0]), (with_it, of[1]))]
    return text(axis, name, n) + shares[0] + text(with_it) + shares[1]


def _by_client(records):
    groups = defaultdict(list)
    for r in records:
        if is_mail(r):
            groups[r["client_ip"]].append(r)
    return groups


def starttls_use(records):
    groups = {kind: [] for kind in HABITS}
    for group in _by_client(records).values():
        answers = [r["starttls_requested"] for r in group if r["starttls_offered"]]
        if answers:
            groups[habit(answers.count(True), answers.count(False))].append(answers)
    of = sum(len(group) for kind, group in groups.items() if kind)
    rows = set()
    for kind, group in groups.items():
        answers = [answer for client in group for answer in client]
        counts = [answers.count(value) for value in (True, False, None)]
        rows.add(text(kind, len(group)) + (share(len(group), of) if kind else share(0, 0)) + text(*counts))
    return rows


def verification(records):
    groups = {"refuses_bad": [], "accepts_bad": [], "both": [], "": []}
    for group in _by_client(records).values():
        tls = [r["client_verifies"] for r in group
               if r["tls_established"] or r["client_verifies"] is not None]  # fmt: skip
        if tls:
            kind = {(True, False): "refuses_bad", (False, True): "accepts_bad", (True, True): "both"}
            groups[kind.get((True in tls, False in tls), "")].append(tls)
    of = sum(len(group) for kind, group in groups.items() if kind)
    rows = set()
    for kind, group in groups.items():
        sums = [sum(map(len, group))] + [sum(tls.count(v) for tls in group) for v in (True, False)]
        rows.add(text(kind, len(group)) + (share(len(group), of) if kind else share(0, 0)) + text(*sums))
    return rows


def _pairs(records, networks=None):
    """`networks`: address to AS number, for those without a name."""
    pairs = defaultdict(list)
    for r in records:
        sending = r["protocol"] == "smtp" or r["hop"] in ("relay", "submission")
        if sending and (carried(r) or r["verdict"] == "partial"):
            names = [r["client_name"], r["sni"] if host(r["sni"]) else r["server_name"]]
            ends = [domain(name) for name in names]
            for i, side in enumerate(("client_ip", "server_ip")):
                number = (networks or {}).get(r[side])
                ends[i] = ends[i] or (f"AS{number}" if number else "")
            pairs[tuple(ends)].append(r["verdict"])
    return pairs


def operator_pairs(records, networks=None):
    rows = set()
    for ends, found in _pairs(records, networks).items():
        yes, unseen = found.count("encrypted"), found.count("partial")
        no = len(found) - yes - unseen
        rows.add(text(*ends, habit(yes, no), yes, no, unseen) + share(yes, yes + no))
    return rows


def operators(records, networks=None):
    kinds = Counter(row[2] for row in operator_pairs(records, networks))
    of = sum(n for kind, n in kinds.items() if kind)
    return {text(k, kinds[k]) + (share(kinds[k], of) if k else share(0, 0)) for k in HABITS}


def _operator(r, side, networks=None):
    name = r["client_name"] if side == "client" else r["sni"] if host(r["sni"]) else r["server_name"]
    number = (networks or {}).get(r[f"{side}_ip"])
    return domain(name) or (f"AS{number}" if number else "")


def _headers(records, key):
    """What headers of messages came to (--mail-headers), of records with the same key."""
    groups = defaultdict(Counter)
    for r in records:
        figures = r.get("mail_headers")
        if figures and any(figures.values()):
            groups[key(r)].update(figures)
    return groups


def internal_hops(records, networks=None):
    """By who hands the message on, which of a mail store is the server."""
    rows = set()
    ends = {"access": "server"}
    groups = _headers(records, lambda r: (r["hop"], _operator(r, ends.get(r["hop"], "client"), networks)))
    for key, n in groups.items():
        tls, clear = n["hops_internal_tls"], n["hops_internal_clear"]
        rest = n["hops_internal_not_seen"], n["hops_unplaced"]
        if tls or clear or any(rest):
            rows.add(text(*key, tls, clear, *rest) + share(tls, tls + clear))
    return rows


def _enforcement(groups):
    rows = set()
    for name, n in groups.items():
        known = n["accepted"] + n["refused"] + n["deferred"]
        causes = [n[f"refused_{cause}"] for cause in ("spf", "dkim", "dmarc", "other")]
        if known or n["outcome_not_seen"]:
            rows.add(
                text(name, known, n["refused"], n["deferred"], *causes, n["outcome_not_seen"])
                + share(n["refused_with_cause"], known)
            )
    return rows


def enforcement(records, networks=None):
    return _enforcement(_headers(records, lambda r: _operator(r, "server", networks)))


def enforcement_networks(records):
    return _enforcement(_headers(records, lambda r: network(r["server_ip"])))


def credentials(records):
    groups = defaultdict(list)
    for r in records:
        if r["auth_mechanism"]:
            groups[r["auth_mechanism"], r["hop"]].append(r["credentials_exposed"])
    rows = set()
    for key, group in groups.items():
        yes, no = group.count(True), group.count(False)
        rows.add(text(*key, len(group), yes, no, group.count(None)) + share(yes, yes + no))
    return rows


def evidence(records):
    pieces, stripped = Counter(), Counter()
    for r in records:
        best = {}
        order = ["suspected", "probable", "confirmed"]
        for piece in r["evidence"] or []:
            best[piece["kind"]] = max(best.get(piece["kind"], 0), order.index(piece["confidence"]))
        for kind, confidence in best.items():
            pieces[kind, order[confidence]] += 1
            stripped[kind, order[confidence]] += r["verdict"] == "stripped"
    of = sum(1 for r in records if r["evidence"])
    return {text(*key, n, stripped[key]) + share(n, of) for key, n in pieces.items()}


def paths(records):
    affected = {server(r) for r in records if is_mail(r) and r["evidence"]}
    groups = defaultdict(list)
    for r in records:
        if is_mail(r) and server(r) in affected:
            groups[(*server(r), network(r["client_ip"]))].append(r)
    rows = set()
    order = [None, "suspected", "probable", "confirmed"]
    for (address, port, client), group in groups.items():
        names = [host(r["sni"]) or host(r["server_name"]) for r in group]
        with_it = [r for r in group if r["evidence"]]
        plain = [r for r in group if not r["evidence"] and (r["starttls_offered"] or r["tls_established"])]
        rows.add(
            text(address, port, next((n for n in reversed(names) if n), None), client, len(group),
                 sum(r["verdict"] == "stripped" for r in group), len(with_it),
                 max((strongest(r) for r in group), key=order.index), len(plain),
                 len(group) - len(with_it) - len(plain))
        )  # fmt: skip
    return rows


def client_list(records):
    rows = set()
    for address, group in _by_client(records).items():
        uses = [r["starttls_requested"] for r in group if r["starttls_offered"]]
        checks = [r["client_verifies"] for r in group]
        n = Counter(r["verdict"] for r in group if carried(r))
        if uses or any(r["tls_established"] for r in group) or set(checks) != {None} or n:
            counts = n["encrypted"], n["cleartext"], n["stripped"]
            rows.add(
                text(address, sum(counts), *counts, *(v.count(x) for v in (uses, checks) for x in (True, False)))
                + share(n["encrypted"], sum(counts))
            )
    return rows


def _with_tls(records):
    return [r for r in records if is_mail(r) and r["tls_established"]]


def tls_versions(records):
    groups = Counter((r["hop"], r["tls_version"]) for r in _with_tls(records))
    of = Counter(r["hop"] for r in _with_tls(records) if r["tls_version"])
    return {text(*key, n) + (share(n, of[key[0]]) if key[1] else share(0, 0)) for key, n in groups.items()}


def _chosen(groups):
    of = sum(n for key, n in groups.items() if key[0])
    return {text(*key, n) + (share(n, of) if key[0] else share(0, 0)) for key, n in groups.items()}


def tls_ciphers(records):
    return _chosen(Counter((r["tls_cipher"],) for r in _with_tls(records)))


def tls_groups(records):
    return _chosen(Counter((r["tls_group"] or (r["tls_post_quantum"] and "none"), r["tls_post_quantum"]) for r in _with_tls(records)))


def times(records):
    """By the narrowest spans of which there are 240 at most."""
    minutes = [datetime.fromisoformat(r["start"][:16] + "+00:00").timestamp() // 60 for r in records]
    widths = [1, 5, 15, 60, 180, 360, *(1440 << i for i in range(16))]
    width = next(w for w in widths if max(minutes) // w - min(minutes) // w < 240)
    groups = defaultdict(list)
    for minute, r in zip(minutes, records):
        groups[minute // width * width].append(r["verdict"])
    rows = set()
    for start, group in groups.items():
        n = Counter(group)
        stamp = datetime.fromtimestamp(start * 60, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        kinds = ("encrypted", "cleartext", "stripped", "tls_failed", "no_mail", "not_mail", "partial")
        rows.add(
            text(stamp, width * 60, len(group), *(n[kind] for kind in kinds))
            + share(n["encrypted"], n["encrypted"] + n["cleartext"] + n["stripped"])
        )
    return rows


TABLES = {
    function.__name__: function
    for function in (verdicts, sessions, distinct, funnel, protection, servers, server_list,
                     certificates, starttls_use, verification, operators, operator_pairs, internal_hops, enforcement,
                     enforcement_networks,
                     credentials, evidence, paths, client_list, tls_versions, tls_ciphers, tls_groups,
                     times)
}  # fmt: skip
