"""Assignment to elements, in functional form: a new array with other elements.

`x[index] = value` itself is in `autograd.assignment`. Imports `calls`, `indexing` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import copied, is_foreign, moved
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, holds_variable, primitive
from autograd.ops._shared import beside
from autograd.ops.indexing import checked_index, names_each_once, own_index, scatter_all
from autograd.ops.plain import plain

__all__ = ["add_at", "set_at"]


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # what digits are lost to


def require_same_kind(name: str, x: Any, value: Any) -> None:
    """Refuse to write, say, floats into integers, which would drop digits and gradients."""
    kind = np.result_type(value).kind
    if kind not in _KINDS:
        raise TypeError(
            f"{name}: wanted numbers as values, got {np.result_type(value)}; write "
            "np.asarray(value, float), where None becomes nan and text is read as numbers"
        )
    if _KINDS[kind] > _KINDS[x.dtype.kind]:
        msg = (
            f"{name}: wanted values that fit {x.dtype}, got {np.result_type(value)}; "
            f"convert the array first, as in x.astype(float)"
        )
        raise TypeError(msg)


def as_value(name: str, value: Any) -> Any:
    """Return what is written into an array as something that NumPy computes with."""
    if value is None or isinstance(value, (str, bytes)):
        got, fix = "text", "float(value) for the number in it"
        if value is None:
            got, fix = "None", "np.nan for a missing number"
        raise TypeError(f"{name}: wanted a number or an array as value, got {got}; write {fix}")
    return as_operand(name, "value", [*value] if isinstance(value, range) else value)


@plain
def _stays(index: Any, shape: tuple[int, ...], value_shape: tuple[int, ...]) -> Any:
    """Tell which of the written values stay: of several for one element the last one does."""
    places = index if type(index) is tuple else (index,)
    like = next(filter(is_foreign, places), None)
    numbers = np.arange(int(np.prod(value_shape)), dtype=np.intp).reshape(value_shape)
    numbers, owner = moved(numbers, like), moved(np.zeros(shape, dtype=np.intp), like)
    owner[index] = numbers
    return owner[index] == numbers


def _set_at_jointly(
    g: Any, wanted: Any, x_shape: tuple[int, ...], index: Any, value_shape: tuple[int, ...]
) -> Any:
    """The cotangent of what was overwritten goes to the value, the rest to x.

    An array `g` is the rule's own: n assignments cost O(n), where a copy each would cost O(n^2).
    """
    to_value = None
    if wanted[2]:
        picked = g[index]
        if isinstance(picked, np.ndarray) and wanted[0]:
            picked = picked.copy()  # no view of what is overwritten below
        if not names_each_once(index):
            stays = beside(_stays(index, x_shape, picked.shape), picked)
            picked = np.where(stays, picked, 0.0)
        to_value = _back_to_value(picked, value_shape)
    if wanted[0] and isinstance(g, np.ndarray):
        g[index] = 0
    elif wanted[0]:
        g = set_at(g, index, 0.0)
    return g if wanted[0] else None, None, to_value


def _back_to_value(picked: Any, value_shape: tuple[int, ...]) -> Any:
    """Sum the cotangent of the elements that were written to the shape of the value; axes of length
    1 in front of it, which NumPy drops, come back.
    """
    extra = len(value_shape) - picked.ndim
    return unbroadcast(picked, value_shape[max(extra, 0) :]).reshape(value_shape)


def _set_at_push(tangents: Any, _out: Any, _x: Any, index: Any, _value: Any) -> Any:
    """Write the tangent of the value into that of x, an array of which is the rule's own."""
    tx, _, to_value = tangents
    to_value = 0.0 if to_value is None else to_value
    if not isinstance(tx, np.ndarray) or holds_variable((index, to_value)):
        return set_at(tx, index, to_value)
    tx[index] = to_value
    return tx


@primitive(
    joint=_set_at_jointly,
    jvp=_set_at_push,
    nondiff=("index",),
    makes_zeros=True,
    overwrites=True,
    name="set_at",
)
def _set_at(x: Any, index: Any, value: Any) -> Any:
    new = copied(x)
    require_same_kind("set_at", new, value)
    new[index] = value
    return new


set_plan = _set_at.primitive.plan


def set_at(x: Any, index: Any, value: Any) -> Any:
    """Return a new array that is `x` with `x[index] = value` done: assignment for recorded arrays.

    The gradient goes to `value` where it was written and to `x` everywhere else. Of several values
    written to one element the last stays and gets the gradient.

    Args:
        x: the array, left as it is.
        index: whatever `x[index]` takes.
        value: a number or an array that broadcasts to the shape of `x[index]`.

    Raises:
        TypeError: for a value whose dtype does not fit that of `x`, such as floats into integers.

    Example:
        >>> import autograd
        >>> x = autograd.Variable([1.0, 2.0, 3.0], requires_grad=True)
        >>> y = autograd.set_at(x, 0, x[2] * 10)
        >>> y.sum().backward()
        >>> y.data, x.grad
        (array([30.,  2.,  3.]), array([ 0.,  1., 11.]))
    """
    index, value = checked_index(index, "set_at"), as_value("set_at", value)
    return _set_at(x, own_index(index) if holds_variable((x, value)) else index, value)


@primitive(
    x=lambda g: g,
    value=lambda g, index, value_shape: _back_to_value(g[index], value_shape),
    nondiff=("index",),
    makes_zeros=True,
    name="add_at",
)
def _add_at(x: Any, index: Any, value: Any) -> Any:
    new = copied(x)
    require_same_kind("add_at", new, value)
    if names_each_once(index):
        new[index] = new[index] + value  # drops axes of length 1 in front of the value
    else:
        # Broadcast first: np.add.at reads past the end of a value that it has to broadcast.
        picked = new[index]
        value = np.broadcast_to(beside(value, new), picked.shape) if is_foreign(new) else value
        if is_foreign(new):
            return new + scatter_all(value, indices=(index,), shape=new.shape)
        picked = np.asarray(picked)  # of one element it is a number
        picked[...] = value
        np.add.at(new, index, picked)
    return new


def add_at(x: Any, index: Any, value: Any) -> Any:
    """Return a new array that is `x` with `value` added at `index`; duplicate indices add up.

    Arguments and errors are those of `set_at`.
    """
    index, value = checked_index(index, "add_at"), as_value("add_at", value)
    return _add_at(x, own_index(index) if holds_variable((x, value)) else index, value)
