# SPDX-License-Identifier: Apache-2.0
"""The parts of the man pages that come of what there is: mdoc(7) between two marks."""

import re
import textwrap

from lib import program
import truth

MAN = program.ROOT / "configs/man"
PAGES = ["mailtap.1", "mailtap.yaml.5", "mailtap-records.5"]
PART = re.compile(
    r'(?<=^\.\\" from here on written by tests/manual/manual\.py --update: )(\w+)\n(.*?)(?=^\.\\" end$)', re.M | re.S
)


# --- words -----------------------------------------------------------------------------------


def escaped(text):
    """Text that groff and mandoc print as it is."""
    text = text.replace("\\", "\\e")
    return re.sub(r"(?<![\w.])-(?=[-\w])|(?<=-)-(?=\w)", r"\\-", text)


def prose(text):
    """Lines of text, each sentence on one of its own, `words` as they would be typed."""
    lines = []
    for sentence in re.split(r"(?<=[^A-Z][.:?])\s+(?=[A-Z])", " ".join(text.split())):
        for line in textwrap.wrap(escaped(sentence), 78, break_long_words=False, break_on_hyphens=False):
            lines.append("\\&" + line if line[0] in ".'" else line)
    return "\n".join(lines) + "\n"


def literal(lines):
    return ".Bd -literal -offset indent\n" + "".join(f"{escaped(line)}\n" for line in lines) + ".Ed\n"


def argument(value):
    return f" Ar {value}" if value else ""


# --- parts -----------------------------------------------------------------------------------


def option_list(options):
    rows = []
    for option in options:
        letter = f"Fl {option.letter} , " if option.letter else ""
        rows.append(f".It {letter}Fl -{option.name}{argument(option.value)}\n{prose(option.text)}")
    return f".Bl -tag -width Ds\n{''.join(rows)}.El\n"


def usage_words(words):
    """What stands in a usage line, as macros."""
    macros, in_optional = [], False
    for word in words.split():
        if word.startswith("["):
            macros, in_optional, word = macros + ["Op"], True, word[1:]
        closes = in_optional and word.endswith("]")
        bare = word[:-1] if closes else word
        if bare.startswith("-"):
            macros.append(f"Fl {bare[1:]}")
        elif bare.isupper() or bare.rstrip(".").isupper() or in_optional:
            macros.append(f"Ar {bare}" if macros[-1:] == ["Op"] or not in_optional or bare.isupper() else bare)
        else:
            macros.append(f"Cm {bare}")
        in_optional = in_optional and not closes
        if closes:
            macros.append("\n")
    lines = " ".join(macros).split("\n")
    return "".join(f".{line.strip()}\n" for line in lines if line.strip())


def synopsis(usage):
    return "".join(".Nm\n" + usage_words(line.removeprefix("mailtap ")) for line in usage)


def paragraphs(found):
    """Text as the help has it; what is indented there stays as it is."""
    parts = []
    for lines in found:
        while lines:
            indented = lines[0].startswith("  ")
            count = next((i for i, line in enumerate(lines) if line.startswith("  ") != indented), len(lines))
            parts.append(literal(line[2:] for line in lines[:count]) if indented else prose(" ".join(lines[:count])))
            lines = lines[count:]
        parts.append(".Pp\n")
    return "".join(parts[:-1])


def command_section(name, help_text):
    first, last = paragraphs(help_text.before), paragraphs(help_text.after)
    return f".Ss mailtap {name}\n{first}{option_list(help_text.options)}" + (f".Pp\n{last}" if last else "")


def key_list(keys):
    parts, section = [], None
    for key in keys:
        if key.section != section:
            parts += [".El\n"] * (section is not None) + [f".Ss {key.section}\n.Bl -tag -width Ds\n"]
            section = key.section
        value = f": {key.value}" if key.set else f" No (as {key.value})"
        parts.append(f".It Ic {key.name}{escaped(value)}\n")
        parts.append(prose(key.text.replace("\n", " ")) if key.text else "")
    return "".join(parts) + ".El\n"


def named_list(rows):
    return ".Bl -tag -width Ds\n" + "".join(f".It Va {key}\n{prose(what)}" for key, what in rows) + ".El\n"


def table_list(columns, described):
    parts = []
    for line in described:
        name, title, of, unseen = (line[key] for key in ("table", "title", "of", "unseen"))
        parts.append(f".Ss {name}\n{prose(title + '.')}" + prose(f"Of: {of}.") + prose(f"Not seen: {unseen}."))
        parts.append(named_list(columns[name]))
    return "".join(parts)


def metric_list(metrics):
    rows = (f".It Va {name}{' ' + labels if labels else ''}\n{prose(what)}" for name, labels, what in metrics)
    return f".Bl -tag -width Ds\n{''.join(rows)}.El\n"


# --- pages -----------------------------------------------------------------------------------


def read(page):
    return (MAN / page).read_text()


def parts_of(page):
    """The parts of a page that are written so, by name."""
    return {name: text for name, text in PART.findall(read(page))}


def with_parts(page, parts):
    return PART.sub(lambda found: f"{found[1]}\n{parts[found[1]]}", read(page))


def all_parts(mailtap, described):
    own = truth.help_of(mailtap)
    commands = [(name, truth.help_of(mailtap, name)) for name in truth.commands_of(own.usage)]
    return {
        "synopsis": synopsis(own.usage),
        "options": option_list(own.options),
        "commands": "".join(command_section(*command) for command in commands),
        "keys": key_list(truth.configuration()),
        "capture": named_list(truth.counters()),
        "tables": table_list(truth.columns(), described),
        "metrics": metric_list(truth.metrics()),
    }
