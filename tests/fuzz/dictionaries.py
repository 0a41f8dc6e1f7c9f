# SPDX-License-Identifier: Apache-2.0
"""Words for libFuzzer's mutations, by target: those of its protocols (*.dict), and what its seeds and the sources say
themselves: keys of JSON and YAML, object identifiers."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1]
MAIL = ["mail", "tls"]
CAPTURES = ["packets", *MAIL, "dns"]
# Those that are not here read choices, in which no words are.
FIELDS = {
    "headers": ["packets"], "container": ["packets"], "capture": CAPTURES, "traffic": CAPTURES, "pipeline": MAIL,
    "smtp": MAIL, "imap": MAIL, "pop3": MAIL, "tls": ["tls"], "dns": ["dns"], "messages": ["messages"],
    "names": ["names"], "config": ["text"], "session_lines": ["text"], "alert_lines": ["text"], "top": ["text"],
    "server_memory": ["text"], "patterns": [], "x509": [], "chains": [],
}  # fmt: skip
KEYS_OF_JSON, KEYS_OF_YAML = rb'"[a-z_0-9]+":', rb"(?m)^ *#?[a-z-]+:"
OWN = {
    "session_lines": KEYS_OF_JSON, "alert_lines": KEYS_OF_JSON, "top": KEYS_OF_JSON, "server_memory": KEYS_OF_JSON,
    "config": KEYS_OF_YAML, "patterns": rb"\[[a-z-]+\]|\{[a-z_]+=\d\}|\[[^]]*\][*+{]|\([^|)]*\||\\[bdsw]",
}  # fmt: skip
LONGEST = 64  # bytes that libFuzzer takes for a word
OBJECT_IDENTIFIERS = ["x509_algorithms.c", "x509_extensions.c", "x509_text.c"]


def escaped(word):
    return '"' + "".join(chr(c) if 32 <= c < 127 and chr(c) not in '"\\' else f"\\x{c:02x}" for c in word) + '"'


def object_identifiers():
    """With their tag and their length, from the sources."""
    for name in OBJECT_IDENTIFIERS:
        for octets in re.findall(r'"((?:\\x[0-9a-f]{2})+)"', (SOURCES / "decode" / name).read_text()):
            value = bytes.fromhex(octets.replace("\\x", ""))
            yield bytes([6, len(value)]) + value


def own_words(target, seeds):
    if target in ("x509", "chains"):
        return set(object_identifiers())
    found = set()
    for path in seeds.iterdir() if target in OWN else ():
        found.update(word.strip(b" #") for word in re.findall(OWN[target], path.read_bytes()))
    return found


def option(target, seeds, path):
    """Writes the words for a target whose seeds are in a directory, if it has any: libFuzzer's option for them."""
    if target not in FIELDS:
        return []
    fields = "".join((HERE / f"{field}.dict").read_text() for field in FIELDS[target])
    own = "".join(escaped(word) + "\n" for word in sorted(own_words(target, seeds)) if len(word) < LONGEST)
    path.write_text(fields + own)
    return [f"-dict={path}"]
