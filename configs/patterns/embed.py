#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes pattern files as a C table (decode/shipped_patterns.h). Usage: embed.py OUTPUT FILE..."""

import sys
from pathlib import Path


def main():
    output, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    lines = ['// SPDX-License-Identifier: Apache-2.0', '#include "decode/shipped_patterns.h"', ""]
    for number, path in enumerate(files):
        data = path.read_bytes()
        lines.append(f"static const uint8_t text_{number}[] = {{")
        lines += [f"\t{', '.join(map(str, data[at : at + 24]))}," for at in range(0, len(data), 24)]
        lines += ["};", ""]
    lines.append("const struct shipped_patterns shipped_patterns[] = {")
    lines += [
        f'\t{{"{path.name}", text_{number}, sizeof text_{number}}},' for number, path in enumerate(files)
    ]
    lines += ["};", "", f"const size_t shipped_pattern_files = {len(files)};", ""]
    output.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
