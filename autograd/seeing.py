"""Drawings, explanations and recorded values: what is public of them. The rooms behind are loaded
when they are used. Imports `variable` and what is older; binds `Variable.draw`
and what notebooks show of a Variable.
"""

from __future__ import annotations

import sys
from typing import Any

from autograd.engine.mode import watching
from autograd.variable import Variable

__all__ = ["draw", "explain", "record_values"]


def draw(what: Any, *inputs: Any, depth: int | None = None) -> Any:
    """Draw a graph: operations, shapes and dtypes, names, small values and their gradients.

    Values of a result are known as long as its Variable lives; those of all operations, constants
    too, where a function is drawn, or inside `record_values`, which also keeps the graph for
    drawings after `backward`.

    Args:
        what: a Variable (or several, in lists, tuples and dicts), or a function or Module.
        *inputs: what to call the function with: arrays and numbers. A Module is called in
            evaluation mode, and nothing of it changes.
        depth: how many levels of modules are open; by default as many as do not make it large.

    Returns:
        A drawing. Notebooks show it; `.save("y.svg")` writes it (`.dot` and `.mmd` as well),
        `.svg`, `.dot` and `.mermaid` are its text, `.fold(depth)` folds modules, and `print`
        lists it.

    Raises:
        TypeError: for what has no graph.
        RuntimeError: a backward pass has freed the graph, and no values were recorded.

    Example:
        >>> import autograd
        >>> a, b = (autograd.Variable(v, requires_grad=True) for v in (2.0, -3.0))
        >>> with autograd.record_values():
        ...     d = a * b + 10
        >>> d.backward()
        >>> print(autograd.draw(d))
        a  [data 2; grad -3]
        b  [data -3; grad 2]
        multiply  <- a, b  [data -6; grad 1]
        d = add(·, 10)  <- multiply  [data 4; grad 1]
    """
    from autograd import drawing
    from autograd.recording import names_of

    return drawing.draw(what, inputs, depth, names_of(sys._getframe(1)))


def explain(what: Any, *inputs: Any) -> Any:
    """Explain why gradients are these numbers: every operation between inputs and result, its local
    rule as a formula and as a number, and the products that make the gradient.

    Nothing is freed, and no `.grad` changes. All values are known inside `record_values`, where it
    also works after `backward`, and of a function; elsewhere those of results that still live.

    Args:
        what: a Variable of a single number, or a function or Module that returns one.
        *inputs: the Variables whose gradients are asked for (none: all leaves); what to call the
            function with.

    Returns:
        The explanation. `print` and notebooks show it; `.operations`, `.gradients` and `.paths`
        have its numbers.

    Raises:
        TypeError: for what has no graph, and for complex numbers.
        RuntimeError: the result is no single number, or its graph was freed.
        ValueError: the result does not depend on an input.

    Example:
        >>> import autograd
        >>> autograd.explain(lambda a, b: (a * b + 1) ** 2, 2.0, -3.0)
        v3 = multiply(a, b) = -6...
        v4 = add(v3, 1) = -5...
        y = power(v4, 2) = 25...
        <BLANKLINE>
        Back from dy/dy = 1:
        y = power(v4, 2)    dy/dy = 1
            x1' = x2 * x1 ** (x2 - 1) = 2 * (-5) ** (2 - 1) = -10
            dy/dv4 = dy/dy * x1' = 1 * (-10) = -10
        v4 = add(v3, 1)    dy/dv4 = -10
            x1' = 1
            dy/dv3 = dy/dv4 * x1' = (-10) * 1 = -10
        v3 = multiply(a, b)    dy/dv3 = -10
            x1' = x2 = -3
            dy/da = dy/dv3 * x1' = (-10) * (-3) = 30
            x2' = x1 = 2
            dy/db = dy/dv3 * x2' = (-10) * 2 = -20
        <BLANKLINE>
        dy/da = 30
            y <- v4 <- v3 <- a: (-10) * 1 * (-3) = 30
        dy/db = -20
            y <- v4 <- v3 <- b: (-10) * 1 * 2 = -20
    """
    from autograd import explaining
    from autograd.recording import names_of

    return explaining.explain(what, inputs, names_of(sys._getframe(1)))


def record_values() -> Any:
    """Keep the values and gradients of all operations for drawings and explanations: a context
    manager, or a decorator.

    Inside, results keep their gradients as with `retain_grad`, and what `backward` frees is kept
    for `draw` and `explain` as long as the results live. It takes about 20 us per operation.

    Example:
        >>> import autograd
        >>> x = autograd.Variable(3.0, requires_grad=True)
        >>> with autograd.record_values():
        ...     y = x * x
        ...     z = 2 * y
        >>> z.backward()
        >>> y.grad
        array(2.)
    """
    from autograd.recording import Recorder

    return watching(Recorder())


def _draw(self: Variable, *, depth: int | None = None) -> Any:
    """Draw the graph of this Variable: see `autograd.draw`."""
    from autograd import drawing
    from autograd.recording import names_of

    return drawing.draw(self, (), depth, names_of(sys._getframe(1)))


def _repr_html(self: Variable) -> str:
    from autograd.drawing.notebook import variable_html

    return variable_html(self)


def _treescope(self: Variable, path: str | None, subtree_renderer: Any) -> Any:
    from autograd.drawing.tree import tree

    inside = {"data": self.data, "requires_grad": self.requires_grad}
    if getattr(self._own_node(), "grad", None) is not None:
        inside["grad"] = self.grad
    return tree(self, inside | ({"name": self.name} if self.name else {}), path, subtree_renderer)


Variable.draw = _draw
Variable._repr_html_ = _repr_html
Variable.__treescope_repr__ = _treescope
