"""charts.py: line charts as SVG and a page around them, which needs nothing but a browser.

SPDX-License-Identifier: Apache-2.0
"""

import html
import math

WIDTH, PLOT = 420, 210
LEFT, RIGHT, TOP, BOTTOM, LEGEND = 52, 12, 30, 40, 14  # a line of the legend

# Told apart in light and dark and by the colour-blind; further series repeat them.
COLOURS = ["#1c71d8", "#e66100", "#2ec27e", "#9141ac", "#c01c28", "#865e3c"]

STYLE = """
:root{color-scheme:light dark;--fg:#241f31;--dim:#77767b;--bg:#fafafa;--card:#fff;--grid:#deddda}
@media(prefers-color-scheme:dark){:root{--fg:#f6f5f4;--dim:#9a9996;--bg:#242424;--card:#303030;
--grid:#4a4a4a}}
body{font:16px/1.5 Cantarell,sans-serif;color:var(--fg);background:var(--bg);max-width:84rem;
margin:2rem auto;padding:0 1rem}
h1,h2{font-weight:800}table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.25rem 1.2rem .25rem 0;text-align:right;font-variant-numeric:tabular-nums;
border-bottom:1px solid var(--grid)}td:first-child,th:first-child{text-align:left}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1rem}
svg{background:var(--card);border-radius:12px;width:100%}
.grid{stroke:var(--grid)}.axis{font-size:11px;fill:var(--dim)}
.title{font-size:13px;font-weight:700;fill:var(--fg)}.dim{color:var(--dim)}
"""


def ticks(low, high):
    """About five round numbers."""
    if not high > low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / 4))
    while (high - low) / step > 6:
        step *= 2 if str(step).strip("0.")[0] in "15" else 2.5
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def label(value):
    return f"{value:.4g}"


class Chart:
    """Series of points; a thin one is a seed, a thick one a mean, a dashed one a fit."""

    def __init__(self, title, x_title, y_title):
        self.title, self.x_title, self.y_title = title, x_title, y_title
        self.series = []

    def add(self, name, points, colour=0, width=2.0, dashes="", dots=False):
        points = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if points:
            self.series.append((name, points, COLOURS[colour % len(COLOURS)], width, dashes, dots))
        return self

    def bounds(self):
        xs = [x for series in self.series for x, _ in series[1]]
        ys = [y for series in self.series for _, y in series[1]]
        low, high = min(ys), max(ys)
        margin = 0.05 * (high - low) or 0.5
        return min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, low - margin, high + margin

    def legend(self):
        """Names with colour and dashes, each once."""
        return list(dict.fromkeys((name, colour, dashes)
                                  for name, _, colour, _, dashes, _ in self.series if name))

    def svg(self):
        top = TOP + LEGEND * len(self.legend())  # the legend stands above, where no line is
        height = top + PLOT + BOTTOM
        out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img">',
               f'<text class="title" x="{LEFT}" y="18">{html.escape(self.title)}</text>']
        if not self.series:
            return "".join([*out, "</svg>"])
        x0, x1, y0, y1 = self.bounds()

        def at(x, y):
            return (LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT),
                    top + PLOT - (y - y0) / (y1 - y0) * PLOT)

        for value in ticks(y0, y1):
            _, y = at(x0, value)
            out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" '
                       f'y2="{y:.1f}"/><text class="axis" text-anchor="end" x="{LEFT - 5}" '
                       f'y="{y + 4:.1f}">{label(value)}</text>')
        for value in ticks(x0, x1):
            x, _ = at(value, y0)
            out.append(f'<text class="axis" text-anchor="middle" x="{x:.1f}" '
                       f'y="{top + PLOT + 15}">{label(value)}</text>')
        out.append(f'<text class="axis" text-anchor="middle" x="{(LEFT + WIDTH - RIGHT) / 2}" '
                   f'y="{height - 8}">{html.escape(self.x_title)}</text>'
                   f'<text class="axis" transform="translate(12 {top + PLOT / 2}) rotate(-90)" '
                   f'text-anchor="middle">{html.escape(self.y_title)}</text>')
        self.add_lines(out, at)
        self.add_legend(out)
        return "".join([*out, "</svg>"])

    def add_lines(self, out, at):
        for _, points, colour, width, dashes, dots in self.series:
            places = [at(x, y) for x, y in points]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" '
                       f'stroke-dasharray="{dashes}" opacity="{0.35 if width < 1 else 1}" '
                       f'points="{line}"/>')
            if dots:
                out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'
                        for x, y in places]

    def add_legend(self, out):
        for i, (name, colour, dashes) in enumerate(self.legend()):
            y = TOP + 2 + LEGEND * i
            out.append(f'<line x1="{LEFT}" x2="{LEFT + 18}" y1="{y}" y2="{y}" '
                       f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
                       f'<text class="axis" x="{LEFT + 24}" y="{y + 4}">{html.escape(name)}</text>')


def table(head, rows):
    cells = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>\n"


def grid(charts):
    return '<div class="charts">\n' + "\n".join(chart.svg() for chart in charts) + "\n</div>\n"


def paragraph(text):
    return f"<p>{html.escape(text)}</p>\n"


def write_page(path, title, parts):
    with open(path, "w", encoding="utf-8") as file:
        file.write('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
                   f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style></head><body>\n"
                   f"<h1>{html.escape(title)}</h1>\n" + "".join(parts) + "</body></html>\n")
