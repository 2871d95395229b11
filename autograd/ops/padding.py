"""Padding, in all of NumPy's modes. Imports `calls`, `contractions`, `creation`, `joining`.

Constant padding and slicing are each other's derivatives. The other modes are built axis by axis
from what is differentiable already: a gather (edge, wrap, even reflection), a product with a
matrix (odd reflection), or blocks joined to both ends (statistics, ramps).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine import graph
from autograd.engine.calls import as_operand, concrete, primitive
from autograd.ops import contractions
from autograd.ops._shared import beside
from autograd.ops.creation import linspace
from autograd.ops.indexing import getitem, shape_of, take
from autograd.ops.joining import concatenate
from autograd.ops.shaping import broadcast_to, swapaxes

__all__ = ["pad"]

_Pair = tuple[Any, Any]


def _inner(x_shape: tuple[int, ...], width: Any) -> tuple[slice, ...]:
    """Return the index of `x` in its padded self."""
    return tuple(slice(low, low + n) for n, (low, _) in zip(x_shape, width, strict=True))


@primitive(
    x=lambda g, x_shape, width: g[_inner(x_shape, width)],
    jvp=lambda tangents, _out, _x, width, _constants: pad_constant(tangents[0], width),
    name="pad",
)
def pad_constant(x: Any, width: Any, constants: Any = None) -> Any:
    """Put `width[i] = (before, after)` constants around each axis i; None: zeros."""
    if constants is not None:
        return np.pad(x, width, constant_values=constants)
    # np.pad takes 20 us for this, mostly in Python.
    total = np.zeros_like(x, shape=[n + sum(w) for n, w in zip(np.shape(x), width, strict=True)])
    total[_inner(np.shape(x), width)] = x
    return total


def _pairs(name: str, value: Any, ndim: int) -> list[_Pair]:
    """Spread a number, a pair or one of these per axis over all axes."""
    try:
        spread = np.broadcast_to(np.asarray(concrete(value, "pad"), dtype=object), (ndim, 2))
    except ValueError:
        msg = f"pad: wanted {name} as a number, a pair or {ndim} pairs, got {value!r}"
        raise ValueError(msg) from None
    return [tuple(pair) for pair in spread.tolist()]


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    if isinstance(pad_width, dict):
        each: list[Any] = [(0, 0)] * ndim
        for axis, value in pad_width.items():
            each[axis] = (value, value) if np.ndim(value) == 0 else tuple(value)
        pad_width = each
    pairs = _pairs("pad_width", pad_width, ndim)
    widths = tuple((int(low), int(high)) for low, high in pairs)
    if any(
        low != pair[0] or high != pair[1] for (low, high), pair in zip(widths, pairs, strict=True)
    ):
        msg = f"pad: wanted integers as pad_width, got {pad_width!r}"
        raise TypeError(msg)
    if any(n < 0 for pair in widths for n in pair):
        msg = f"pad: wanted pad_width of at least 0, got {pad_width!r}; slice to make x smaller"
        raise ValueError(msg)
    return widths


# -- one axis at a time ----------------------------------------------------------------------------


def _gather(x: Any, axis: int, width: tuple[int, int], mode: Any) -> Any:
    return take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode), axis)


def _reflect_odd(x: Any, axis: int, width: tuple[int, int], mode: Any) -> Any:
    """Reflect around the value at the edge: a linear map, found by padding the unit vectors."""
    unit = np.eye(x.shape[axis], dtype=x.dtype)
    matrix = np.pad(unit, (width, (0, 0)), mode=mode, reflect_type="odd")
    matrix = beside(matrix.T, x)
    return swapaxes(contractions.matmul(swapaxes(x, axis, -1), matrix), axis, -1)


def _slices(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, (*(slice(None),) * axis, slice(start, stop)))


def _joined(x: Any, axis: int, before: Any, after: Any) -> Any:
    return concatenate([b for b in (before, x, after) if b.shape[axis]], axis)


def _statistic(
    x: Any, axis: int, width: tuple[int, int], function: Callable[..., Any], lengths: _Pair
) -> Any:
    """Put a statistic of the outermost elements at each end."""
    n = x.shape[axis]
    first, last = (n if length is None else min(int(length), n) for length in lengths)
    if min(first, last) < 1:
        msg = f"pad: wanted a stat_length of at least 1, got {lengths}"
        raise ValueError(msg)

    def spread(part: Any, count: int) -> Any:
        value = function(part, axis=axis, keepdims=True)
        return broadcast_to(value, (*x.shape[:axis], count, *x.shape[axis + 1 :]))

    before = spread(_slices(x, axis, None, first), width[0])
    after = spread(_slices(x, axis, n - last, None), width[1])
    return _joined(x, axis, before, after)


def _ramp(x: Any, axis: int, width: tuple[int, int], ends: _Pair) -> Any:
    """Go in equal steps from each end's value to the element at the edge."""
    index: tuple[Any, ...] = (slice(None),) * axis
    first, last = getitem(x, (*index, 0)), getitem(x, (*index, -1))
    settings = {"endpoint": False, "dtype": x.dtype, "axis": axis}
    before = linspace(ends[0], first, width[0], **settings)
    after = linspace(ends[1], last, width[1], **settings)
    return _joined(x, axis, before, getitem(after, (*index, slice(None, None, -1))))


# -- all of them -----------------------------------------------------------------------------------

_GATHERS = ("edge", "wrap", "reflect", "symmetric")
_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max,
    "minimum": np.min,
    "mean": np.mean,
    "median": np.median,
}
_KEYWORDS = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    **dict.fromkeys(_STATISTICS, "stat_length"),
}


def pad(
    array: Any,
    pad_width: Any,
    mode: str = "constant",
    *,
    constant_values: Any = None,
    end_values: Any = None,
    reflect_type: str | None = None,
    stat_length: Any = None,
) -> Any:
    """Enlarge `array` at the ends of its axes.

    Args:
        array: array of shape (d0, ..., dn).
        pad_width: how much before and after: one number, one pair, one pair per axis, or a dict
            from axis to number or pair.
        mode: "constant", "empty" (zeros here), "edge", "wrap", "reflect", "symmetric",
            "linear_ramp", "maximum", "minimum", "mean" or "median".
        constant_values: for "constant", in the forms of `pad_width`; without a gradient.
        end_values: for "linear_ramp", the outermost values; without a gradient.
        reflect_type: for "reflect" and "symmetric": "even", or "odd" for twice the edge less the
            reflected elements.
        stat_length: for statistics, how many of the outermost elements count; None: all.

    Raises:
        ValueError: for another mode, or a keyword that the mode does not take.
    """
    array = as_operand("pad", "array", array)
    given = {
        "constant_values": constant_values,
        "end_values": end_values,
        "reflect_type": reflect_type,
        "stat_length": stat_length,
    }
    modes = {"constant", "empty", "linear_ramp", *_GATHERS, *_STATISTICS}
    if mode not in modes:
        msg = f"pad: wanted a mode among {', '.join(sorted(modes))}, got {mode!r}"
        raise ValueError(msg)
    extra = [k for k, v in given.items() if v is not None and k != _KEYWORDS.get(mode)]
    if extra:
        msg = f"pad: wanted only keywords of mode {mode!r}, got {extra[0]}"
        raise ValueError(msg)
    shape = shape_of(array)
    width = _widths(pad_width, len(shape))
    if not shape or mode in ("constant", "empty"):
        return pad_constant(array, width, constant_values)
    if not isinstance(array, graph.Variable) and np.result_type(array).kind not in "fc":
        keywords = {k: v for k, v in given.items() if v is not None}
        return np.pad(array, width, mode, **keywords)  # type: ignore[call-overload] # rounds its means
    lengths = _pairs("stat_length", stat_length, len(shape))
    ends = _pairs("end_values", 0 if end_values is None else end_values, len(shape))
    for axis, each in enumerate(width):
        if each == (0, 0):
            continue
        if not shape[axis]:
            msg = f"pad: wanted elements to repeat along axis {axis}, got shape {shape}; pad zeros"
            raise ValueError(msg)
        if mode in _STATISTICS:
            array = _statistic(array, axis, each, _STATISTICS[mode], lengths[axis])
        elif mode == "linear_ramp":
            array = _ramp(array, axis, each, ends[axis])
        elif reflect_type == "odd":
            array = _reflect_odd(array, axis, each, mode)
        else:
            array = _gather(array, axis, each, mode)
    return array
