# SPDX-License-Identifier: Apache-2.0
# The SVG: for each row a group of horizontal bars, the ratio to native on a logarithmic axis, and a tick at the target.
import math
from xml.sax.saxutils import escape

BAR, GAP, LEFT, RIGHT, PLOT, TOP = 9, 11, 270, 70, 560, 84
# Told apart by colour-blind readers, on white and on black.
COLOURS = {"husk": "#2f7ed8", "bwrap": "#2a9d78", "proot": "#d98e04", "runsc": "#b565a7", "uml": "#8c8c8c"}
MORE_HUSK = ["#2f7ed8", "#7fb2ea", "#1b4f8a"]
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.small { font-size: 10px; fill: #57606a } .title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8b949e; stroke-opacity: .3 } .one { stroke: #57606a; stroke-width: 1.5 }
.target { stroke: #d1242f; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3 } .small { fill: #9da7b1 } .one { stroke: #9da7b1 } .target { stroke: #ff7b72 }
}
"""


def colours(systems):
    husks = [s.id for s in systems if s.id.startswith("husk")]
    return {s.id: MORE_HUSK[husks.index(s.id) % 3] if s.id in husks else COLOURS[s.id] for s in systems}


def short(ratio):
    return "%.0f" % ratio if ratio >= 99.5 else "%.3g" % ratio


def svg(results):
    shown = [s for s in results.systems[1:] if results.samples[s.id]]
    rows = [r for r in results.rows if any(results.ratio(s.id, r) for s in shown)]
    if not rows:
        shown = []
    colour = colours(shown)
    values = [results.ratio(s.id, r) for r in rows for s in shown] + [results.target_ratio(r) for r in rows] + [0.5, 4]
    values = [v for v in values if v]
    low, high = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    step = max(1, math.ceil((high - low) / 9))

    def x(ratio):
        return LEFT + PLOT * (math.log2(ratio) - low) / (high - low)

    height = TOP + sum(len(shown) * BAR + GAP for _ in rows) + 34
    bottom = height - 30
    out = []
    for exponent in range(low, high + 1):
        if exponent % step and exponent != 0:
            continue
        at = x(2.0**exponent)
        out.append('<line class="%s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % ("one" if exponent == 0 else "grid", at, at, TOP - 6, bottom))
        label = "native" if exponent == 0 else "%g×" % 2.0**exponent
        out.append('<text class="small" x="%.1f" y="%d" text-anchor="middle">%s</text>' % (at, bottom + 14, label))
    y = TOP
    for row in rows:
        middle = y + len(shown) * BAR / 2 + 4
        out.append('<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (LEFT - 10, middle, escape(row.title)))
        target = results.target_ratio(row)
        if target:
            out.append('<line class="target" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>' % (x(target), x(target), y - 3, y + len(shown) * BAR + 2))
        for s in shown:
            ratio = results.ratio(s.id, row)
            if ratio:
                a, b = sorted((x(1), x(ratio)))
                tip = "%s, %s: %.2f" % (row.title, s.label, ratio)
                out.append(
                    '<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="1" fill="%s"><title>%s</title></rect>'
                    % (a, y, max(b - a, 1.5), BAR - 1, colour[s.id], escape(tip))
                )
                out.append('<text class="small" x="%.1f" y="%.1f">%s</text>' % (max(b, x(1)) + 4, y + BAR - 1.5, short(ratio)))
            elif results.failures[s.id].get(row.id):
                out.append('<text class="small" x="%.1f" y="%.1f">fail</text>' % (x(1) + 4, y + BAR - 1.5))
            y += BAR
        y += GAP
    legend, at = [], LEFT
    for s in shown:
        legend.append('<rect x="%d" y="50" width="12" height="12" rx="2" fill="%s"/>' % (at, colour[s.id]))
        legend.append('<text x="%d" y="60">%s</text>' % (at + 17, escape(s.label)))
        at += 35 + 8 * len(s.label)
    legend.append('<line class="target" x1="%d" x2="%d" y1="49" y2="63"/><text x="%d" y="60">husk\'s target</text>' % (at + 4, at + 4, at + 12))
    width = LEFT + PLOT + RIGHT
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">' % (width, height, width, height),
            "<style>%s</style>" % STYLE,
            '<text class="title" x="16" y="24">Cost relative to native (logarithmic; left of the line is cheaper than native)</text>',
            '<text class="small" x="16" y="40">%s</text>' % escape(results.summary()),
            *legend,
            *out,
            "</svg>",
            "",
        ]
    )
