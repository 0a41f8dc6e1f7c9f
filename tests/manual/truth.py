# SPDX-License-Identifier: Apache-2.0
"""What there is to be documented, each from its one place: options and commands from what the program says, keys of
the configuration file from the shipped one, tables and counters from their sources, keys of records from those who
write them and from what they write."""

import re
from dataclasses import dataclass, field

from lib import mmdb, program

ANALYTICS = program.ROOT / "analytics"
SHIPPED = program.ROOT / "configs/mailtap.yaml"
METRICS = program.ROOT / "configs/prometheus/README.md"
# Writers of JSON that is no record: TLS reports are RFC 8460's, the file of remembered servers is mailtap's own.
OTHER_WRITERS = {"tls_rpt.c", "server_line_write.c"}
STRING = r'"((?:[^"\\]|\\.)*)"'


@dataclass
class Option:
    letter: str
    name: str
    value: str
    text: str


@dataclass
class Help:
    """What a command says to --help."""

    usage: list = field(default_factory=list)  # one line each
    before: list = field(default_factory=list)  # paragraphs: lists of lines
    options: list = field(default_factory=list)
    after: list = field(default_factory=list)


OPTION = re.compile(r"  (?:-([A-Za-z]), |    )--([a-z][a-z0-9-]*)(?: (\S.*?))?(?:  +(\S.*)|$)")
SHORT_OPTION = re.compile(r"  (?:-([A-Za-z]), |    )--([a-z][a-z0-9-]*)(?: ([A-Z\[]\S*))?(?: (\S.*)|$)")


def _usage(lines):
    found = []
    for line in lines:
        words = line.removeprefix("Usage:").strip()
        if words.startswith("mailtap "):
            found.append(words)
        else:
            found[-1] += " " + words
    return found


def _option(line):
    """An option's first line. Its text stands behind two spaces; behind one where there was no room for two."""
    found = OPTION.fullmatch(line) or SHORT_OPTION.fullmatch(line)
    return found and Option(found[1] or "", found[2], found[3] or "", found[4] or "")


def _options(lines):
    found = []
    for line in lines:
        if option := _option(line):
            if option.value and " " in option.value:  # the text came behind one space
                option = Option(*(SHORT_OPTION.fullmatch(line)[i] or "" for i in range(1, 5)))
            found.append(option)
        elif found:
            found[-1].text = (found[-1].text + " " + line.strip()).strip()
    return found


def help_of(mailtap, command=None):
    said = program.text(program.run(mailtap, [*([command] if command else []), "--help"]).stdout)
    paragraphs = [part.split("\n") for part in said.strip("\n").split("\n\n")]
    help_text = Help(usage=_usage(paragraphs[0]))
    for lines in paragraphs[1:]:
        if _option(lines[0]):
            help_text.options += _options(lines)
        else:
            (help_text.after if help_text.options else help_text.before).append(lines)
    return help_text


def commands_of(usage):
    """The commands that usage lines name."""
    return sorted({found[1] for line in usage if (found := re.match(r"mailtap ([a-z]+)\b", line))})


def command_table():
    return sorted(re.findall(r'\{"(\w+)", command_\w+\}', (ANALYTICS / "command.c").read_text()))


# --- the configuration file ------------------------------------------------------------------


@dataclass
class Key:
    section: str
    name: str
    value: str
    set: bool  # the value is the default; else an example
    text: str  # empty: it shares the text of the next


def configuration():
    """Each key, in its order; keys below one comment share it, the last has it."""
    found, section, comment = [], None, []
    for line in SHIPPED.read_text().splitlines():
        if heading := re.fullmatch(r"([a-z]+):", line):
            section, comment = heading[1], []
        elif section and (text := re.fullmatch(r"  # (.*)", line)):
            comment.append(text[1])
        elif section and (key := re.fullmatch(r"  (#?)([a-z][a-z0-9-]*): ?(.*)", line)):
            if found and not comment:
                found[-1].text, comment = "", found[-1].text.split("\n")
            found.append(Key(section, key[2], key[3], not key[1], "\n".join(comment)))
            comment = []
    return found


# --- tables, counters, metrics ---------------------------------------------------------------


def _source(path):
    """C without its macros: each name of one is replaced by what it stands for, adjacent strings by one."""
    text = path.read_text().replace("\\\n", "\n")
    for name, body in re.findall(r"^#define (\w+)[ \t]*\n((?:[ \t]+.*\n)+)", text, re.M):
        text = re.sub(rf"\b{name}\b", lambda _, body=body: body, text)
    return re.sub(r'"\s*\n\s*"', "", text)


def columns():
    """Table -> [(key, help)], as the sources have them."""
    found = {}
    for path in sorted(ANALYTICS.glob("table_*.c")):
        text = _source(path)
        arrays = {
            name: re.findall(rf"\{{\s*{STRING},\s*(?:{STRING}|NULL),\s*{STRING},\s*COLUMN_", body)
            for name, body in re.findall(r"struct column (\w+)\[\] = \{(.*?)\n\};", text, re.S)
        }
        for body in re.findall(r"const struct table_ops \w+ = \{(.*?)\n\};", text, re.S):
            name = re.search(rf"\.name = {STRING}", body)[1]
            found[name] = [(key, what) for key, _, what in arrays[re.search(r"TABLE_COLUMNS\((\w+)\)", body)[1]]]
    return found


def counters():
    """[(key, help)] of the capture's accounting."""
    text = _source(ANALYTICS / "capture_accounting.c")
    return re.findall(rf"\{{\s*{STRING},\s*{STRING}\s*\}}", text)


def metrics():
    """[(name, labels, help)], as configs/prometheus/README.md describes them (tests/prometheus holds it to the page)."""
    rows = re.findall(r"^\| `(mailtap_\w+)` \| \w+ \| (.*?) \| (.*) \|$", METRICS.read_text(), re.M)
    return [(name, labels.replace("`", ""), what) for name, labels, what in rows]


# --- records ---------------------------------------------------------------------------------


def written_keys():
    """Keys that writers of records name, by their calls."""
    named = r"(?:\w*key\w*|json_mark|evidence_\w+)\(\s*[&\w>.-]+|write_\w+\(\s*json"
    call = re.compile(rf"\b(?:{named}),\s*{STRING}")
    return {
        key
        for path in ANALYTICS.rglob("*.c") if path.name not in OTHER_WRITERS
        for key in call.findall(_source(path)) if re.fullmatch(r"[a-z][a-z0-9_]*", key)
    }  # fmt: skip


def literals():
    """All strings of the sources: a key that is in none of them is written by nobody."""
    return {text for path in ANALYTICS.rglob("*.c") for text in re.findall(STRING, _source(path))}


def _keys(value):
    if isinstance(value, dict):
        return set(value).union(*map(_keys, value.values()))
    return set().union(*map(_keys, value)) if isinstance(value, list) else set()


def run_over_all(mailtap, pcaps, folder):
    """A run over all captures, with what makes it write all that it can; its log directory."""
    asn, country, logs = folder / "asn.mmdb", folder / "country.mmdb", folder / "logs"
    networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
    mmdb.write(asn, "GeoLite2-ASN", {network: {"autonomous_system_number": 64496} for network in networks})
    mmdb.write(country, "GeoLite2-Country", {network: {"country": {"iso_code": "ZZ"}} for network in networks})
    done = program.run(mailtap, ["-q", "--any-port", "--dns", "--pem", "-w", logs, "--asn-db", asn, "--country-db", country,
                                 "--server-memory", folder / "servers", *program.TRUST,
                                 "-r", *program.captures(pcaps)])  # fmt: skip
    if done.returncode not in (0, 1):
        raise program.RunError(f"exit code {done.returncode}: {program.text(done.stderr)}")
    return logs


def seen_keys(mailtap, folder, logs):
    """What was written -> the keys in it, at any depth."""
    found = {path.name: program.json_lines(path.read_bytes()) for path in sorted(logs.glob("*.jsonl"))}
    tables = {}
    for name, arguments in {
        "mailtap servers --json": ["servers", "--server-memory", folder / "servers", "--json"],
        "mailtap report --json": ["report", "--json", "-i", logs],
    }.items():
        found[name] = program.json_lines(program.run(mailtap, arguments).stdout)
    for line in found["mailtap report --json"]:
        if line["table"]:
            tables[line["table"]] = set().union(*map(set, line["rows"]))
    return {name: _keys(lines) for name, lines in found.items()}, tables, found["mailtap report --json"]
