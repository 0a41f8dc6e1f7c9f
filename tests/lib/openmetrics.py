# SPDX-License-Identifier: Apache-2.0
"""Reads OpenMetrics 1.0 text strictly: families with their head lines together, each sample in its
family, no label twice, no sample twice, `# EOF` at the end and nothing behind it."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HEAD = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ([0-9.eE+-]+)")
# Those that the older format of Prometheus, as node_exporter reads it, has too.
TYPES = {"counter": "_total", "gauge": ""}


class MetricsError(Exception):
    """The text is no OpenMetrics."""


def labels(text):
    found, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in found:
            raise MetricsError(f"labels: {text}")
        found[match[1]] = re.sub(r'\\(["\\n])', lambda m: "\n" if m[1] == "n" else m[1], match[2])
        at = match.end()
        if at < len(text):
            if text[at] != ",":
                raise MetricsError(f"labels: {text}")
            at += 1
    return found


def parse(data):
    """{(sample name, sorted labels): value}, and the families {name: {TYPE, UNIT, HELP}}."""
    lines = data.decode("utf-8").split("\n")
    if lines[-2:] != ["# EOF", ""]:
        raise MetricsError("no # EOF at the end")
    samples, families, family, sampled = {}, {}, None, False
    for line in lines[:-2]:
        head = HEAD.fullmatch(line)
        if head:
            kind, name, value = head.groups()
            if name != family or sampled:
                if name in families:
                    raise MetricsError(f"{name} stands in two places")
                family, sampled = name, False
                families[name] = {}
            if kind in families[name]:
                raise MetricsError(f"{name}: two lines {kind}")
            families[name][kind] = value
            continue
        sample = SAMPLE.fullmatch(line)
        if not sample:
            raise MetricsError(f"no sample: {line}")
        end = TYPES[families[family]["TYPE"]]
        if sample[1] != family + end:
            raise MetricsError(f"{sample[1]} is no sample of {family}")
        sampled = True
        key = sample[1], tuple(sorted(labels(sample[2] or "").items()))
        if key in samples:
            raise MetricsError(f"twice: {line}")
        samples[key] = float(sample[3])
    for name, heads in families.items():
        if set(heads) - {"UNIT"} != {"TYPE", "HELP"}:
            raise MetricsError(f"{name}: not described")
        if "UNIT" in heads and not name.endswith("_" + heads["UNIT"]):
            raise MetricsError(f"{name} does not end in its unit")
    return samples, families
