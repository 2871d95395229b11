"""Operations made outside of the library: what their functions and rules return is looked at, and
what they are given cannot be written to.

The memory may be a leaf's data, the caller's array or another operand's gradient; `x *= 2` in a
function or a rule is an error there. Imports the engine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.advice import note_on_writing
from autograd.arrays import Kernel, Many, is_array, read_only
from autograd.engine import graph
from autograd.engine.graph import Cotangent, Node, Plan, Pull
from autograd.engine.primitive import Primitive

__all__ = ["CheckedPrimitive", "reading", "shown"]


def shown(value: Any) -> Any:
    """Return views that cannot be written to of an array, or of each of several."""
    return tuple(map(read_only, value)) if type(value) is tuple else read_only(value)


def reading(forward: Kernel) -> Kernel:
    """Return a forward function that is shown its arrays read-only, and returns arrays."""

    @functools.wraps(forward)
    def protected(*args: Any, **kwargs: Any) -> Any:
        try:
            return _as_output(forward.__name__, forward(*map(read_only, args), **kwargs))
        except ValueError as error:
            note_on_writing(error, forward.__name__)
            raise

    return protected


def _as_output(name: str, out: Any) -> Any:
    """Return the output of a forward function as arrays."""
    if isinstance(out, tuple):
        return tuple(_as_output(name, part) for part in out)
    if is_array(out):
        return out
    if isinstance(out, Many):  # an operand, returned as it is: no less in need of a batch rule
        out.read()
    if isinstance(out, (bool, int, float, complex)):
        return np.asarray(out)[()]
    raise TypeError(
        f"{name}: wanted an array or a tuple of arrays from the forward function, got "
        f"{type(out).__name__}"
    )


class CheckedPrimitive(Primitive):
    """An operation made outside of the library."""

    checks = True

    def checked(self, pull: Pull | None, operand: str) -> Pull | None:
        """Return a pull whose result is an array of numbers, or None."""
        if pull is None:
            return None

        def checked(g: Cotangent, saved: Any) -> Cotangent:
            try:
                gx = pull(shown(g), shown(saved))
            except ValueError as error:
                note_on_writing(error, f"{self.name}, rule of {operand}")
                raise
            if isinstance(gx, (bool, int, float, complex)):
                return np.asarray(gx)
            if gx is None or is_array(gx) or isinstance(gx, graph.Variable):
                return gx
            raise self._wrong(operand, None, type(gx).__name__)

        return checked

    def _make_plan(self, wanted: tuple[bool, ...], *, alike: bool = False) -> Plan:
        plan = super()._make_plan(wanted, alike=alike)
        plan.fit, plan.pulls = self.fit, tuple(map(self.checked, plan.pulls, plan.operands))
        if plan.joint is not None:
            joint: Callable[..., Any] = plan.joint
            plan.joint = lambda g, saved: joint(shown(g), shown(saved))
        return plan

    def fit(self, gx: Cotangent, parent: Node, operand: str) -> Cotangent:
        """Bring a cotangent of numbers into the shape and dtype of its operand."""
        kind = gx.dtype.kind
        if kind not in "biufc" or (
            kind == "c" and parent.dtype.kind != "c" and not self.elementwise
        ):
            raise self._wrong(operand, parent, f"dtype {gx.dtype}")
        return super().fit(gx, parent, operand)

    def _wrong(self, operand: str, parent: Node | None, got: str) -> TypeError:
        dtype = "" if parent is None else f" of dtype {parent.dtype}"
        return TypeError(
            f"{self.name}: wanted a gradient array{dtype} for operand {operand!r}, got {got}; "
            "return an array of the operand's shape, or None for no gradient"
        )
