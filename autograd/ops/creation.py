"""Making arrays: of nested lists, of one number, of ranges between two. Imports `calls`,
`joining`, `shaping` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import is_foreign, refuse_mask
from autograd.engine import graph
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, primitive
from autograd.ops import elementwise
from autograd.ops._shared import beside
from autograd.ops.indexing import shape_of
from autograd.ops.joining import concatenate, require_floating, stack_arrays
from autograd.ops.shaping import astype, broadcast_to, reshape, transpose
from autograd.ops.shaping import copy as copied

__all__ = [
    "array",
    "asanyarray",
    "asarray",
    "ascontiguousarray",
    "c_",
    "from_dlpack",
    "geomspace",
    "linspace",
    "logspace",
    "meshgrid",
    "r_",
    "vander",
]

# -- of values -------------------------------------------------------------------------------------


def from_sequence(values: Any) -> Any:
    """Make one array of nested lists and tuples of numbers, arrays and Variables, recorded."""
    if not isinstance(values, (list, tuple)):
        return values
    if not any(isinstance(v, (graph.Variable, list, tuple)) for v in values):
        return np.asarray(values)
    parts = [from_sequence(v) for v in values]
    for part in parts:
        if not isinstance(part, graph.Variable):
            refuse_mask("array", part)
    if any(isinstance(v, graph.Variable) for v in parts):
        return stack_arrays(*parts)
    return np.asarray(parts)


def asarray(a: Any, dtype: Any = None) -> Any:
    """Return `a` as an array or Variable: nested lists that hold Variables are recorded.

    Arrays and Variables come back as they are, unless `dtype` says otherwise.
    """
    made = from_sequence(a)
    if not isinstance(made, graph.Variable):  # by way of float64 integers would lose digits
        return np.asarray(made if dtype is None else a, dtype=dtype)
    if dtype is None:
        return made
    require_floating("asarray", [made], dtype)
    return astype(made, dtype, copy=False)


asanyarray = asarray
ascontiguousarray = asarray


def from_dlpack(x: Any, /, *, copy: bool | None = None) -> Any:
    """Return a Variable on the memory of an array of another library, such as a CPU tensor.

    What is written into one is seen in the other, as with `Variable(array, copy=False)`; where the
    other library forbids writing, and always by NumPy 2.0, the data are read-only.

    Args:
        x: an object with `__dlpack__`: of PyTorch, CuPy, JAX ... or NumPy.
        copy: True for memory of its own.

    Raises:
        TypeError: `x` has no `__dlpack__`.
        BufferError: `x` requires a gradient, or its memory or dtype is one that NumPy lacks.

    Example:
        >>> import numpy as np, autograd
        >>> autograd.from_dlpack(np.ones(2))
        Variable([1., 1.])
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(
            f"from_dlpack: wanted an array with __dlpack__, got {type(x).__name__}; write "
            "Variable(values)"
        )
    return graph.Variable(np.from_dlpack(x), copy=bool(copy))


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0) -> Any:
    """Make an array, or a Variable where nested lists hold one, which is recorded.

    Args:
        object: an array, a Variable, a number or nested sequences of them.
        dtype: of the result; by default what the values promote to.
        copy: True for memory of its own; otherwise an array is returned as it is.
        ndmin: axes of length 1 are put in front up to so many.
    """
    made = from_sequence(object)
    if not isinstance(made, graph.Variable):
        given = made if dtype is None else object
        return np.array(given, dtype=dtype, copy=copy, ndmin=ndmin)
    if made is object and copy:
        made = copied(made)
    if dtype is not None:
        require_floating("array", [made], dtype)
        made = astype(made, dtype, copy=False)
    lacking = ndmin - made.ndim
    return reshape(made, (1,) * lacking + made.shape) if lacking > 0 else made


def _full_value(g: Any, fill_value_shape: tuple[int, ...]) -> Any:
    return unbroadcast(g, fill_value_shape)


@primitive(fill_value=_full_value, linear=True, name="full")
def _full(fill_value: Any, shape: Any, dtype: Any = None) -> Any:
    if is_foreign(fill_value):
        kind = fill_value.dtype if dtype is None else dtype
        return np.zeros_like(fill_value, kind, shape=shape) + fill_value.astype(kind)
    return np.full(shape, fill_value, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of `shape` filled with `fill_value`, which gets the sum of the gradients."""
    fill_value = as_operand("full", "fill_value", fill_value)
    require_floating("full", [fill_value], dtype)
    return _full(fill_value, shape, dtype)


def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Return an array with the shape and dtype of `a`, filled with `fill_value`.

    The gradient goes to `fill_value`; `a` gives no more than its shape and dtype.
    """
    a = as_operand("full_like", "a", a)
    fill_value = as_operand("full_like", "fill_value", fill_value)
    dtype = np.dtype(dtype) if dtype is not None else np.result_type(getattr(a, "dtype", a))
    require_floating("full_like", [fill_value], dtype)
    if not hasattr(fill_value, "shape"):
        fill_value = beside(fill_value, a)
    filled = _full(fill_value, shape_of(a) if shape is None else shape, dtype)
    if isinstance(a, graph.Variable) and not isinstance(filled, graph.Variable):
        return graph.wrap(filled)
    return filled


# -- ranges ----------------------------------------------------------------------------------------


def _weights(g: Any, num: int, endpoint: bool, axis: int) -> Any:
    """Return how far along the range each number is, 0 to 1, shaped to multiply `g`."""
    steps = max(num - 1 if endpoint else num, 1)
    t = beside((np.arange(num) / steps).astype(g.real.dtype), g)
    at = axis % g.ndim
    return t.reshape((1,) * at + (num,) + (1,) * (g.ndim - at - 1))


def _range_start(g: Any, num: int, endpoint: bool, axis: int, start_shape: Any) -> Any:
    t = _weights(g, num, endpoint, axis)
    return unbroadcast((g * (1 - t)).sum(axis=axis), start_shape)


def _range_stop(g: Any, num: int, endpoint: bool, axis: int, stop_shape: Any) -> Any:
    return unbroadcast((g * _weights(g, num, endpoint, axis)).sum(axis=axis), stop_shape)


# Linear in start and stop, but a constant among them makes it affine: tangents are derived.
@primitive(start=_range_start, stop=_range_stop, name="linspace")
def _linspace(
    start: Any, stop: Any, num: int, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    return np.linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` evenly spaced numbers from `start` to `stop`, both of which get gradients.

    Args:
        start: first number, or an array of them.
        stop: last number, left out where not `endpoint`.
        num: how many.
        endpoint: whether `stop` is the last one.
        retstep: return the spacing, too.
        dtype: of the result.
        axis: where the numbers are, if start and stop are arrays.
    """
    start = as_operand("linspace", "start", start)
    stop = as_operand("linspace", "stop", stop)
    require_floating("linspace", [start, stop], dtype)
    numbers = _linspace(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return numbers
    steps = num - 1 if endpoint else num
    return numbers, (stop - start) / steps if steps > 0 else np.nan


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `base` to the power of evenly spaced numbers from `start` to `stop`."""
    start, stop, base = (as_operand("logspace", "start", v) for v in (start, stop, base))
    if shape_of(base):
        ndim = max(len(shape_of(v)) for v in (start, stop, base))
        start, stop, base = (
            reshape(v, (1,) * (ndim - len(shape_of(v))) + shape_of(v)) for v in (start, stop, base)
        )
        at = axis % (ndim + 1)
        base = reshape(base, (*shape_of(base)[:at], 1, *shape_of(base)[at:]))
    out = elementwise.power(base, linspace(start, stop, num, endpoint, axis=axis))
    if dtype is None:
        return out
    require_floating("logspace", [out], dtype)
    return astype(out, dtype, copy=False)


def _progression_start(
    g: Any, num: int, endpoint: bool, axis: int, start: Any, out: Any, start_shape: Any
) -> Any:
    t = _weights(g, num, endpoint, axis)
    return unbroadcast((g * (1 - t) * out).sum(axis=axis), start_shape) / start


def _progression_stop(
    g: Any, num: int, endpoint: bool, axis: int, stop: Any, out: Any, stop_shape: Any
) -> Any:
    t = _weights(g, num, endpoint, axis)
    return unbroadcast((g * t * out).sum(axis=axis), stop_shape) / stop


@primitive(start=_progression_start, stop=_progression_stop, name="geomspace")
def _geomspace(
    start: Any, stop: Any, num: int, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    return np.geomspace(start, stop, num, endpoint, dtype, axis)


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers from `start` to `stop`, each a constant multiple of the one before."""
    start = as_operand("geomspace", "start", start)
    stop = as_operand("geomspace", "stop", stop)
    require_floating("geomspace", [start, stop], dtype)
    return _geomspace(start, stop, num, endpoint, dtype, axis)


def meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    """Return the coordinates of a grid, one array of the grid's shape for each vector.

    Args:
        *xi: the coordinates along each axis.
        copy: give each result memory of its own instead of a view.
        sparse: leave the axes that an array does not depend on at length 1.
        indexing: "xy" counts columns first, as in a plot; "ij" rows first, as in a matrix.
    """
    if indexing not in ("xy", "ij"):
        msg = f"meshgrid: wanted indexing 'xy' or 'ij', got {indexing!r}"
        raise ValueError(msg)
    count = len(xi)
    grids = []
    for i, x in enumerate(xi):
        vector = as_operand("meshgrid", "xi", x)
        at = 1 - i if indexing == "xy" and count > 1 and i < 2 else i
        grids.append(reshape(vector, (1,) * at + (-1,) + (1,) * (count - at - 1)))
    if not sparse:
        shape = np.broadcast_shapes(*map(shape_of, grids))
        grids = [broadcast_to(x, shape) for x in grids]
    return tuple(copied(x) for x in grids) if copy else tuple(grids)


def _vander_x(g: Any, x: Any, increasing: bool) -> Any:
    """Add p x^(p-1) over the powers p > 0."""
    powers = range(g.shape[1]) if increasing else range(g.shape[1] - 1, -1, -1)
    return sum((g[:, i] * (p * x ** (p - 1)) for i, p in enumerate(powers) if p), 0 * x)


@primitive(x=_vander_x)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the Vandermonde matrix: powers of `x` as columns.

    Args:
        x: vector (n,).
        N: how many powers, by default n.
        increasing: from x^0 to x^(N-1) instead of the other way round.
    """
    return np.vander(x, N, increasing)


# -- joining by index expressions ------------------------------------------------------------------


class _Joiner:
    """What `r_[...]` and `c_[...]` are: NumPy's joining of slices, numbers and arrays, recorded."""

    def __init__(self, plain: Any, axis: int, ndmin: int, place: int) -> None:
        self._plain = plain
        self._settings = (axis, ndmin, place)

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if not any(map(_holds_variable, items)):
            return self._plain[key]
        axis, ndmin, place = self._settings
        if isinstance(items[0], str):
            axis, ndmin, place = _directive(items[0], self._settings)
            items = items[1:]
        parts = [_expand(item) for item in items]
        kinds = [p if isinstance(p, (int, float, complex)) else p.dtype for p in parts]
        arrays = [_placed(asarray(p), ndmin, place) for p in parts]
        return concatenate(arrays, axis, dtype=np.result_type(*kinds))


def _directive(text: str, settings: tuple[int, int, int]) -> tuple[int, ...]:
    """Read "axis,ndim,place", of which the later ones may be missing."""
    try:
        given = [int(number) for number in text.split(",")]
    except ValueError:
        msg = f"r_: wanted integers 'axis,ndim,place' as first entry, got {text!r}"
        raise ValueError(msg) from None
    return (*given, *settings[len(given) :])


def _expand(item: Any) -> Any:
    """Turn a slice into its numbers; an imaginary step counts them."""
    if not isinstance(item, slice):
        return item if isinstance(item, (int, float, complex)) else asarray(item)
    if isinstance(item.step, complex):
        return linspace(0 if item.start is None else item.start, item.stop, int(abs(item.step)))
    return np.r_[item]


def _placed(x: Any, ndmin: int, place: int) -> Any:
    """Add axes up to `ndmin`, so that the first axis of `x` lies at `place`."""
    lacking = ndmin - x.ndim
    if lacking <= 0:
        return x
    x = reshape(x, (1,) * lacking + x.shape)
    first = place + lacking + 1 if place < 0 else place
    axes = list(range(ndmin))
    return transpose(x, (*axes[:first], *axes[lacking:], *axes[first:lacking]))


def _holds_variable(value: Any) -> bool:
    if isinstance(value, slice):
        value = (value.start, value.stop)
    if isinstance(value, (list, tuple)):
        return any(map(_holds_variable, value))
    return isinstance(value, graph.Variable)


r_ = _Joiner(np.r_, 0, 1, -1)
c_ = _Joiner(np.c_, -1, 2, 0)
