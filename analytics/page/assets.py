# SPDX-License-Identifier: Apache-2.0
"""Makes a C source of files that the page embeds: their bytes, and the hash that its Content-Security-Policy
calls them by. Run by meson: assets.py OUTPUT HEADER NAME=FILE..."""

import base64
import hashlib
import sys
from pathlib import Path


def asset(name, path):
    text = Path(path).read_bytes()
    if not text.isascii() or b"</" in text or b"<!--" in text:
        sys.exit(f"{path}: must be ASCII, and must not end the element that it stands in")
    hash_ = base64.b64encode(hashlib.sha256(text).digest()).decode()
    rows = [",".join(map(str, text[at : at + 24])) for at in range(0, len(text), 24)]
    return (
        f"static const char {name}_text[] = {{\n" + ",\n".join(rows) + "\n};\n"
        f'const struct page_asset {name} = {{{name}_text, sizeof {name}_text, "sha256-{hash_}"}};\n'
    )


def main():
    output, header, *assets = sys.argv[1:]
    parts = [f'#include "{header}"\n', *(asset(*one.split("=", 1)) for one in assets)]
    Path(output).write_text("\n".join(parts))


if __name__ == "__main__":
    main()
