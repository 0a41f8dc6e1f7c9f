#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the views as a C table (analytics/sqlite_views.h). Usage: embed.py OUTPUT FILE..."""

import sys
from pathlib import Path


def main():
    output, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    lines = ["// SPDX-License-Identifier: Apache-2.0", '#include "analytics/sqlite_views.h"', ""]
    for number, path in enumerate(files):
        data = path.read_bytes().strip() + b"\0"
        lines.append(f"static const char text_{number}[] = {{")
        lines += [f"\t{', '.join(map(str, data[at : at + 24]))}," for at in range(0, len(data), 24)]
        lines += ["};", ""]
    lines.append("const struct sqlite_view sqlite_views[] = {")
    lines += [f'\t{{"{path.stem}", text_{number}}},' for number, path in enumerate(files)]
    lines += ["};", "", f"const size_t sqlite_view_count = {len(files)};", ""]
    output.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
