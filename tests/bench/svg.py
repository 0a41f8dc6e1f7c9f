# SPDX-License-Identifier: Apache-2.0
"""Draws curves as SVG: panels beside each other over one kind of x, readable on light and on dark ground."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 340, 250  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 34, 50
STYLE = """
svg { background: #ffffff; font: 12px sans-serif; }
text { fill: #24292f; } .title { font-weight: bold; }
.grid { stroke: #d8dee4; } .axis { stroke: #57606a; }
.line { stroke: #0969da; stroke-width: 2; fill: none; } .dot { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; }
  .grid { stroke: #30363d; } .axis { stroke: #8d96a0; }
  .line { stroke: #58a6ff; } .dot { fill: #58a6ff; }
}
"""


@dataclass
class Panel:
    """One curve. Its y begins at 0."""

    title: str
    unit: str
    points: list  # (x, y)


def number(value):
    """A number as short as a tick's label has to be."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def ticks(most):
    """Round numbers from 0 to at least `most`, four or five steps."""
    power = 10 ** math.floor(math.log10(most / 4))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * 5 >= most)
    return [step * index for index in range(math.ceil(most / step - 1e-9) + 1)]


def figure(panels, label, logarithmic):
    """The SVG of some panels; `label` says what x is."""
    size = f"{WIDTH * len(panels)} {HEIGHT}"
    width, height = size.split()
    drawn = "".join(
        f'<g transform="translate({WIDTH * index} 0)">{_panel(panel, label, logarithmic)}</g>\n'
        for index, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {size}">\n'
        f"<style>{STYLE}</style>\n{drawn}</svg>\n"
    )


def _text(x, y, text, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


def _panel(panel, label, logarithmic):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    marks = ticks(max(y for _, y in panel.points) or 1)
    scale = _scale([x for x, _ in panel.points], logarithmic)
    places = [(LEFT + scale(x) * (right - LEFT), bottom - y / marks[-1] * (bottom - TOP)) for x, y in panel.points]
    middle = (TOP + bottom) / 2
    parts = [
        _text(LEFT, TOP - 16, panel.title, "start", ' class="title"'),
        _text((LEFT + right) / 2, HEIGHT - 10, label),
        _text(16, middle, panel.unit, extra=f' transform="rotate(-90 16 {middle})"'),
    ]
    for mark in marks:
        y = bottom - mark / marks[-1] * (bottom - TOP)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 6, y + 4, number(mark), "end"))
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts += _x_labels([(place, x) for (place, _), (x, _) in zip(places, panel.points)], bottom)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for (x, y), (of, value) in zip(places, panel.points):
        title = f"<title>{of:g}: {value:.4g}</title>"
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5">{title}</circle>')
    return "\n".join(parts)


def _x_labels(places, bottom):
    """Labels of the measured x, but for those that would touch the one before."""
    parts, end = [], -math.inf
    for place, x in places:
        text = number(x)
        half = 3.5 * len(text) + 3
        if place - half > end:
            parts.append(_text(place, bottom + 18, text))
            end = place + half
    return parts


def _scale(xs, logarithmic):
    """From x to 0 … 1."""
    of = math.log10 if logarithmic else float
    low, high = of(min(xs)), of(max(xs))
    return lambda x: (of(x) - low) / ((high - low) or 1)
