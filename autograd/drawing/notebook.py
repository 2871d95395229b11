"""What notebooks show of a Variable. Imports `picture`."""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from autograd.drawing.picture import draw
from autograd.recording import Record

__all__ = ["variable_html"]

_FEW = 60  # operations: more are drawn on demand


def variable_html(variable: Any) -> str:
    """Return the value of a Variable, its gradient, and its graph to be unfolded."""
    rows = [("value", repr(variable))]
    node = variable._node
    g = getattr(node, "grad", None)
    if g is not None:
        rows.append(("gradient", repr(np.asarray(g))))
    said = "".join(
        f"<tr><th>{name}</th><td><pre>{html.escape(text)}</pre></td></tr>" for name, text in rows
    )
    return f"<table>{said}</table>{_graph(variable)}"


def _graph(variable: Any) -> str:
    node = variable._node
    if node is None or not (node.parents or (node.hooks and Record in node.hooks)):
        return ""
    seen: set[Any] = set()
    waiting = [node]
    while waiting and len(seen) <= _FEW:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += node.parents
    if len(seen) > _FEW:
        return f"<p>from more than {_FEW} operations: <code>.draw()</code> draws them</p>"
    picture = draw(variable, (), None, {})._repr_html_()
    return f"<details><summary>graph</summary>{picture}</details>"
