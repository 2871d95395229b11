"""Operations made outside of the library: what their functions and rules return is looked at.

Imports the engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import is_array
from autograd.engine import graph
from autograd.engine.graph import Cotangent, Fit, Node, Pull
from autograd.engine.primitive import Primitive

__all__ = ["CheckedPrimitive"]


class CheckedPrimitive(Primitive):
    """An operation made outside of the library."""

    checks = True

    def checked_output(self, out: Any) -> Any:
        """Return the output of the forward function as arrays."""
        if isinstance(out, tuple):
            return tuple(map(self.checked_output, out))
        if is_array(out):
            return out
        if isinstance(out, (bool, int, float, complex)):
            return np.asarray(out)[()]
        raise TypeError(
            f"{self.name}: wanted an array or a tuple of arrays from the forward function, got "
            f"{type(out).__name__}"
        )

    def checked(self, pull: Pull | None, operand: str) -> Pull | None:
        """Return a pull whose result is an array of numbers, or None."""
        if pull is None:
            return None

        def checked(g: Cotangent, saved: Any) -> Cotangent:
            gx = pull(g, saved)
            if isinstance(gx, (bool, int, float, complex)):
                return np.asarray(gx)
            if gx is None or is_array(gx) or isinstance(gx, graph.Variable):
                return gx
            raise self._wrong(operand, None, type(gx).__name__)

        return checked

    def fit(self, operand: str) -> Fit:
        """Return what brings a cotangent of numbers into the shape and dtype of `operand`."""
        fit = super().fit(operand)

        def fitted(gx: Cotangent, parent: Node) -> Cotangent:
            kind = gx.dtype.kind
            if kind not in "biufc" or (
                kind == "c" and parent.dtype.kind != "c" and not self.elementwise
            ):
                raise self._wrong(operand, parent, f"dtype {gx.dtype}")
            return fit(gx, parent)

        return fitted

    def _wrong(self, operand: str, parent: Node | None, got: str) -> TypeError:
        dtype = "" if parent is None else f" of dtype {parent.dtype}"
        return TypeError(
            f"{self.name}: wanted a gradient array{dtype} for operand {operand!r}, got {got}; "
            "return an array of the operand's shape, or None for no gradient"
        )
