"""A diagram as SVG: text that any browser shows, in the reader's light or dark colours.

Lines and text have the colour of the text around the picture, and fills let the ground shine
through, so that a picture inside a page follows that page; one in a file brings its own ground.
Imports `layout`.
"""

from __future__ import annotations

import html

from autograd.drawing.diagram import Box, Diagram
from autograd.drawing.layout import CHARACTER, HEADER, LINE, PADDING, Wire, arrange

__all__ = ["ALONE", "STYLE", "svg"]

_EDGE = 12.0  # pixels around everything
STYLE = """
.gradloom text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono",
  monospace; fill: currentColor; }
.gradloom .title { font-weight: 600; }
.gradloom .dim, .gradloom .operand { fill-opacity: .62; paint-order: stroke;
  stroke: var(--ground, none); stroke-width: 4px; stroke-linejoin: round; }
.gradloom .operand { font-size: 10px; }
.gradloom rect { stroke-width: 1.2; fill-opacity: .13; }
.gradloom .leaf { fill: #3fa34d; stroke: #3fa34d; }
.gradloom .operation { fill: #4a7fd4; stroke: #4a7fd4; }
.gradloom .output { fill: #d08a1d; stroke: #d08a1d; stroke-width: 2; }
.gradloom .module { fill: #9a63c7; stroke: #9a63c7; }
.gradloom .open { fill: #808080; stroke: #808080; fill-opacity: .06; }
.gradloom .more { fill: none; stroke: #808080; stroke-dasharray: 4 3; }
.gradloom .wire { fill: none; stroke: #808890; stroke-width: 1.3; }
.gradloom .tip { fill: #808890; }
"""
# A file knows nothing of what is around it.
ALONE = """
svg { color: #1d2330; --ground: #ffffff; background: var(--ground); }
@media (prefers-color-scheme: dark) { svg { color: #e4e7ec; --ground: #15181e; } }
"""


def svg(diagram: Diagram, *, alone: bool) -> str:
    """Return a diagram as SVG.

    Args:
        diagram: what is drawn.
        alone: as a file, with its own ground; else as part of a page.
    """
    wires = arrange(diagram)
    width, height = diagram.sheet.width + 2 * _EDGE, diagram.sheet.height + 2 * _EDGE
    kinds = diagram.count()
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gradloom" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.1f} {height:.1f}" role="img" '
        f'aria-label="graph: {told}" style="max-width: 100%; height: auto">'
    )
    parts = [
        head,
        f"<style>{STYLE}{ALONE if alone else ''}</style>",
        f'<g transform="translate({_EDGE:.0f} {_EDGE:.0f})">',
        *map(_wire, wires),  # below the titles of modules, which nothing shall cross
        *map(_box, diagram.sheet.walk()),
        *(_label(wire) for wire in wires if wire.arrow and wire.edge.label),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, kind: str, text: str, anchor: str = "start") -> str:
    said = html.escape(text)
    keep = ' xml:space="preserve"' if "  " in text else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"{keep}>{said}</text>'
    )


def _box(box: Box) -> str:
    is_open = box.kind == "open"
    tip = f"<title>{html.escape(box.tip)}</title>" if box.tip else ""
    head = (
        f'<g class="box">{tip}<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{8 if is_open else 6}" class="{box.kind}"/>'
    )
    parts = [head]
    if is_open:
        x = box.x + (box.width - PADDING if box.right else PADDING)
        anchor = "end" if box.right else "start"
        parts.append(_text(x, box.y + 17, "title dim", box.title, anchor))
        return "".join([*parts, "</g>"])
    middle, y = box.x + box.width / 2, box.y + 17.5
    parts.append(_text(middle, y, "title", box.title, "middle"))
    # Lines of an array stand below each other as they do in print.
    longest = max(map(len, box.lines), default=0) * CHARACTER
    for i, line in enumerate(box.lines):
        left = box.x + max(PADDING, (box.width - longest) / 2)
        parts.append(_text(left, box.y + HEADER + LINE * i + 11, "", line))
    return "".join([*parts, "</g>"])


def _label(wire: Wire) -> str:
    """Return the name of the operand that a wire goes to, beside its tip."""
    x, y = wire.points[-1]
    return _text(x + 5, y - 4, "operand", wire.edge.label)


def _wire(wire: Wire) -> str:
    (x, y), *rest = wire.points
    end_x, end_y = rest[-1]
    path = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in rest:
        if abs(next_x - x) < 0.5:
            path.append(f"V{next_y:.1f}")
        else:
            half = (y + next_y) / 2
            path.append(f"C{x:.1f} {half:.1f} {next_x:.1f} {half:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    parts = [f'<path class="wire" d="{"".join(path)}"/>']
    if wire.arrow:
        parts.append(f'<path class="tip" d="M{end_x:.1f} {end_y:.1f}l-4 -7.5h8z"/>')
    return "".join(parts)
