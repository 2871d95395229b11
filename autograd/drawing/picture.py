"""The picture of a graph, and how it is asked for. Imports what is beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from autograd.drawing.diagram import Diagram, diagram_of
from autograd.drawing.svg import svg
from autograd.drawing.text import dot, listing, mermaid
from autograd.engine.graph import Node
from autograd.recording import Step, run_recorded, steps_behind
from autograd.transforms.containers import flatten
from autograd.variable import Variable

__all__ = ["Drawing", "draw"]


class Drawing:
    """A picture of a graph: shown by notebooks, saved as a file, or taken as text.

    Attributes:
        diagram: the boxes and edges.
        svg: the picture as an SVG file.
        dot: the same in the language of Graphviz.
        mermaid: the same in that of Mermaid, for Markdown.
    """

    def __init__(
        self, steps: Sequence[Step], roots: Sequence[Node], depth: int | None = None
    ) -> None:
        self._steps, self._roots = steps, roots
        self.diagram: Diagram = diagram_of(steps, roots, depth)

    @property
    def svg(self) -> str:
        """The picture as an SVG file, in light or dark as the reader's system is."""
        return svg(self.diagram, alone=True)

    @property
    def dot(self) -> str:
        """The picture in the language of Graphviz."""
        return dot(self.diagram)

    @property
    def mermaid(self) -> str:
        """The picture in the language of Mermaid."""
        return mermaid(self.diagram)

    def fold(self, depth: int) -> Self:
        """Return the picture with `depth` levels of modules open, 0 for none."""
        return type(self)(self._steps, self._roots, depth)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file: .svg, .dot (or .gv) or .mmd.

        Raises:
            ValueError: for another ending.
        """
        texts: dict[str, Callable[[Diagram], str]] = {
            ".svg": lambda diagram: svg(diagram, alone=True),
            ".dot": dot,
            ".gv": dot,
            ".mmd": mermaid,
        }
        target = Path(path)
        if target.suffix not in texts:
            raise ValueError(
                f"save: wanted a path ending in .svg, .dot, .gv or .mmd, got {str(path)!r}; "
                "a browser prints .svg as a PDF"
            )
        target.write_text(texts[target.suffix](self.diagram), encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return svg(self.diagram, alone=False)

    def __repr__(self) -> str:
        told = ", ".join(f"{n} {kind}" for kind, n in self.diagram.count().items())
        return f"Drawing({told})"

    def __str__(self) -> str:
        return listing(self.diagram)


def draw(
    what: Any, inputs: tuple[Any, ...], depth: int | None, names: Mapping[Node | None, str]
) -> Drawing:
    """Draw a result, or a function at a point: see `autograd.draw`."""
    if callable(what) and not isinstance(what, Variable):
        outputs, _ = run_recorded("draw", what, inputs)
    else:
        outputs, _ = flatten(what)
    roots = [v for v in outputs if isinstance(v, Variable) and v._node is not None]
    if not roots or (inputs and not callable(what)):
        got = type(what).__name__
        raise TypeError(
            "draw: wanted a Variable that was computed from one with requires_grad=True, or a "
            f"function and its inputs, got {got if roots or not outputs else 'a constant'}; write "
            "draw(y) or draw(f, x)"
        )
    nodes = [node for root in roots if (node := root._node) is not None]
    return Drawing(steps_behind("draw", roots, names), nodes, depth)
