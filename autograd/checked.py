"""What users write: operations, rules and hooks. What these return is looked at, and what they are
given cannot be written to.

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
from autograd.engine.backward import cast
from autograd.engine.graph import Cotangent, Node, Plan, Pull
from autograd.engine.primitive import Primitive, Rule

__all__ = [
    "CheckedPrimitive",
    "UnrecordedRuleError",
    "guarded",
    "guarded_hook",
    "reading",
    "require_recorded",
    "shown",
]


def shown(value: Any) -> Any:
    """Return views that cannot be written to of an array, or of each of several."""
    return tuple(map(read_only, value)) if type(value) is tuple else read_only(value)


def guarded(what: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is shown its arrays read-only; where it writes, the error says so."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*map(shown, args), **kwargs)
        except ValueError as error:
            note_on_writing(error, what)
            raise

    return call


def reading(forward: Kernel) -> Kernel:
    """Return a forward function that is shown its arrays read-only, and returns arrays."""
    name, shielded = forward.__name__, guarded(forward.__name__, forward)

    @functools.wraps(forward)
    def protected(*args: Any, **kwargs: Any) -> Any:
        return _as_output(name, shielded(*args, **kwargs))

    return protected


def guarded_hook(hook: Callable[[Any], Any], shape: Any, dtype: Any) -> Callable[[Any], Any]:
    """Return a hook of gradients of a shape and dtype, whose results are looked at."""
    shielded, kinds = guarded("hook", hook), "biufc" if dtype.kind == "c" else "biuf"

    @functools.wraps(hook)
    def call(g: Any) -> Any:
        try:
            g = shielded(g)
        except RecursionError as error:
            raise RuntimeError(
                "backward: wanted hooks that run no backward pass through their own Variable, got "
                "one that does; let it compute with the gradient it is given"
            ) from error
        is_gradient = is_array(g) or isinstance(g, graph.Variable)
        if g is None or (is_gradient and g.shape == shape and g.dtype.kind in kinds):
            return g if g is None or g.dtype == dtype else cast(g, dtype)
        got = f"shape {g.shape}, dtype {g.dtype}" if is_gradient else type(g).__name__
        raise ValueError(
            f"hook: wanted None or a gradient of shape {shape}, got {got}; return an array of that "
            f"shape and of dtype {dtype}"
        )

    return call


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


class UnrecordedRuleError(TypeError):
    """Raised for a rule of which a derivative is asked for, and which leaves the graph."""


def require_recorded(name: str, g: Any, gx: Any) -> None:
    """Refuse what a rule made of a recorded cotangent, or of several, where its derivative is lost:
    a linear function of it is no constant but zero.
    """
    parts = g if type(g) is tuple else (g,)
    if getattr(gx, "_node", None) is None and any(getattr(p, "_node", None) for p in parts):
        value = graph.unwrap(gx)
        if not isinstance(value, Many) and np.any(value):
            raise UnrecordedRuleError(
                f"{name}: wanted a rule that can be differentiated, for forward mode or a "
                "derivative of higher order, got one that makes plain numbers of its cotangent; "
                "compute with functions of autograd or NumPy there, or use reverse mode"
            )


class CheckedPrimitive(Primitive):
    """An operation made outside of the library."""

    checks = True

    def defvjp(self, *makers: Any, **rules: Rule) -> None:
        """Attach vjp rules by operand name: see `Primitive.defvjp`."""
        if makers:
            x = self.parameters[0]
            raise TypeError(
                f"{self.name}: wanted rules by operand name, got one by position; write "
                f"{self.name}.defvjp({x}=lambda g, out, {x}: ...), or for rules in two stages "
                f"autograd.extend.defvjp({self.name}, lambda ans, {x}: lambda g: ...)"
            )
        super().defvjp(**rules)

    def checked(self, pull: Pull | None, operand: str) -> Pull | None:
        """Return a pull whose result is an array of numbers, or None."""
        if pull is None:
            return None
        shielded = guarded(f"{self.name}, rule of {operand}", pull)

        def checked(g: Cotangent, saved: Any) -> Cotangent:
            gx = shielded(g, saved)
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
