"""A diagram as text for other tools: DOT for Graphviz, Mermaid for Markdown pages. Imports
`diagram`.
"""

from __future__ import annotations

import html

from autograd.drawing.diagram import Box, Diagram

__all__ = ["dot", "listing", "mermaid"]

_SHAPES = {"leaf": ("ellipse", "([", "])"), "module": ("box3d", "[[", "]]")}
_BOX = ("box", "[", "]")


def _names(diagram: Diagram) -> dict[Box, str]:
    return {box: f"b{i}" for i, box in enumerate(diagram.sheet.walk())}


def dot(diagram: Diagram) -> str:
    """Return a diagram in the language of Graphviz."""
    names = _names(diagram)

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def lines(box: Box, indent: str) -> list[str]:
        if not box.boxes:
            label = quoted("\n".join([box.title, *box.lines]))
            shape = _SHAPES.get(box.kind, _BOX)[0]
            return [f"{indent}{names[box]} [label={label}, shape={shape}];"]
        inner = [line for part in box.boxes for line in lines(part, indent + "  ")]
        head = f"{indent}subgraph cluster_{names[box]} {{"
        return [head, f"{indent}  label={quoted(box.title)};", *inner, indent + "}"]

    body = [line for box in diagram.sheet.boxes for line in lines(box, "  ")]
    for edge in diagram.edges:
        label = f" [label={quoted(edge.label)}]" if edge.label else ""
        body.append(f"  {names[edge.source]} -> {names[edge.target]}{label};")
    return "\n".join(["digraph {", '  node [fontname="monospace"];', *body, "}"]) + "\n"


def mermaid(diagram: Diagram) -> str:
    """Return a diagram in the language of Mermaid, which Markdown of GitHub and GitLab shows."""
    names = _names(diagram)

    def quoted(parts: list[str]) -> str:
        said = (html.escape(p, quote=False).replace('"', "#quot;") for p in parts)
        return '"' + "<br/>".join(said) + '"'

    def lines(box: Box, indent: str) -> list[str]:
        if not box.boxes:
            _, before, after = _SHAPES.get(box.kind, _BOX)
            return [f"{indent}{names[box]}{before}{quoted([box.title, *box.lines])}{after}"]
        inner = [line for part in box.boxes for line in lines(part, indent + "  ")]
        head = f"{indent}subgraph {names[box]} [{quoted([box.title])}]"
        return [head, *inner, f"{indent}end"]

    body = [line for box in diagram.sheet.boxes for line in lines(box, "  ")]
    for edge in diagram.edges:
        label = f"|{quoted([edge.label])}|" if edge.label else ""
        body.append(f"  {names[edge.source]} -->{label} {names[edge.target]}")
    return "\n".join(["flowchart TD", *body]) + "\n"


def listing(diagram: Diagram) -> str:
    """Return a diagram as lines for a terminal, modules indented."""
    sources: dict[Box, list[str]] = {}
    for edge in diagram.edges:
        sources.setdefault(edge.target, []).append(edge.source.title.partition(" = ")[0])

    def lines(box: Box, indent: str) -> list[str]:
        inputs = f"  <- {', '.join(sources[box])}" if box in sources else ""
        facts = " ".join("; ".join(box.lines).replace(",; ", ", ").split())  # arrays in one line
        head = indent + box.title + inputs + (f"  [{facts}]" if facts else "")
        return [head, *(line for part in box.boxes for line in lines(part, indent + "  "))]

    return "\n".join(line for box in diagram.sheet.boxes for line in lines(box, ""))
