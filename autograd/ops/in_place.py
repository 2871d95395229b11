"""Augmented assignment, `x += y`. Imports `graph`, `backward`, `calls` and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from autograd.arrays import references
from autograd.engine.backward import mark_changed
from autograd.engine.calls import Operation
from autograd.engine.graph import LEAF, Leaf, Node, unwrap
from autograd.engine.mode import current_mode, is_grad_enabled

__all__ = ["REFERENCES_TO_AN_ITEM", "augmented"]

_DEPTH = 8  # of views of views, about which the graph is asked


def augmented(symbol: str, operate: Operation, ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """Return the method of an augmented assignment, given the operation it stands for.

    - A result, or a constant: the name gets a new Variable, as names of numbers do.
    - A leaf that requires a gradient, or did: inside `no_grad` its data are changed in place, as
      PyTorch's manual update step wants; while operations are recorded it is an error.
    - A view of memory that something else refers to: an error, as NumPy would change that, too.
    """

    def method(self: Any, other: Any) -> Any:
        node = self._node
        if node is None:
            try:
                node = _frozen(self)
            except AttributeError:  # a constant
                node = None
        if type(node) is Leaf:
            return _updated(symbol, ufunc, self, other)
        if (mode := current_mode()).tracing:
            names = references(self) - REFERENCES_TO_AN_ITEM  # 0: of x[i], which is assigned to
            for observe in mode.observers if names > 0 else ():
                if hasattr(observe, "augmented"):
                    observe.augmented(symbol, self, names)
            return operate(self, other)
        base = getattr(self._data, "base", None)
        # Inputs of transforms look at the memory of the caller, whose array is no Variable.
        given = node is not None and (node.plan is LEAF or node.plan.name == "input")
        held = base is not None and references(self) > REFERENCES_TO_AN_ITEM
        if held and not given:
            count = references(base)
            _refuse_shared(symbol, node, base, count)
        return operate(self, other)

    return method


def _frozen(x: Any) -> Node | None:
    """Return the leaf of a Variable whose `requires_grad` was switched off."""
    return type(x)._frozen.__get__(x)  # type: ignore[no-any-return] # not by `__getattr__`, which explains


def _updated(symbol: str, ufunc: np.ufunc, x: Any, y: Any) -> Any:
    """Change the data of a leaf in place."""
    if is_grad_enabled() and (x.requires_grad or getattr(y, "requires_grad", False)):
        raise RuntimeError(
            f"{symbol}: wanted a result of operations, or a leaf inside autograd.no_grad(), got a "
            f"leaf that requires a gradient; write `with autograd.no_grad(): x {symbol} ...` to "
            f"update the leaf, or x = x {symbol[:-1]} ... for a new value"
        )
    data, operand = x._data, unwrap(y)
    if ufunc is not np.matmul and np.broadcast_shapes(x.shape, np.shape(operand)) != x.shape:
        raise ValueError(
            f"{symbol}: wanted an operand that broadcasts to the shape of the leaf, {x.shape}, got "
            f"{np.shape(operand)}; make a new Variable for a new shape"
        )
    if not isinstance(data, np.ndarray):  # a number cannot change, nor arrays of some libraries
        x._data = ufunc(data, operand).astype(data.dtype, casting="same_kind")
    else:
        mark_changed(data)
        ufunc(data, operand, out=data, casting="same_kind")
    return x


def _refuse_shared(symbol: str, node: Node | None, base: Any, count: int) -> None:
    """Raise where the memory that the output of `node` is a view of is held by something else than
    that and the graph: where `base`, its owner, has `count` references, more than they make.
    """
    known = 0
    for _ in range(_DEPTH):
        if node is None:
            break
        saved = node.saved if type(node.saved) is tuple else (node.saved,)
        known += sum(value is base for value in saved)
        node = node.parents[0] if node.parents else None
    if count > known + _REFERENCES_TO_A_BASE:
        raise RuntimeError(
            f"{symbol}: wanted an array of its own, got a view of memory that others hold too, "
            f"which NumPy would change; write x = x {symbol[:-1]} ... for a new value"
        )


def _references_to_a_base() -> int:
    """Count the references to an array that one view looks at, while a variable holds it."""
    view = np.empty(2)[1:]
    base = view.base
    return references(base)


_REFERENCES_TO_A_BASE = _references_to_a_base()


class _Items:
    """Counts the references to `x[i]` in `x[i] += y`, where no name holds it: Python assigns the
    result to `x[i]`, so nothing is lost.
    """

    count = 0

    def __getitem__(self, index: int) -> _Items:
        return _Items()

    def __setitem__(self, index: int, value: _Items) -> None:
        pass

    def __iadd__(self, other: int) -> Self:
        _Items.count = references(self)
        return self


_Items()[0] += 1
REFERENCES_TO_AN_ITEM = _Items.count
