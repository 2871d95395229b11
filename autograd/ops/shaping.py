"""Shapes: every function here moves elements and computes none, so the adjoint moves them back.

Shapes are written (d0, ..., dn); negative axes count from the end. Imports `calls`,
`indexing` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.arrays import UnreadError, copied, is_foreign
from autograd.engine import graph
from autograd.engine.backward import unbroadcast
from autograd.engine.calls import as_operand, concrete, primitive
from autograd.engine.graph import record, unwrap
from autograd.ops.indexing import getitem, normal_axis, scatter, shape_of

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "copy",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
    "trim_zeros",
]

# -- the same elements in another shape ------------------------------------------------------------


@primitive(
    a=lambda g, a_shape, order: (
        g.reshape(a_shape) if order == "C" else np.reshape(g, a_shape, order=order)
    ),
    linear=True,
)
def reshape(a: Any, shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    """Give the elements of `a` the shape `shape`; one entry may be -1.

    Args:
        a: the array.
        shape: the new shape, an integer or a tuple.
        order: "C" reads and writes with the last axis fastest, "F" with the first.
        copy: True always copies, None where it must, False never.

    Raises:
        ValueError: the number of elements differs, another `order`, or a copy that `copy` forbids.
    """
    if order == "C" and copy is None and (type(a) is np.ndarray or is_foreign(a)):
        return a.reshape(shape)  # np.reshape takes 0.4 us more
    if order not in ("C", "F"):
        msg = f"reshape: wanted order 'C' or 'F', got {order!r}, which depends on the memory layout"
        raise ValueError(msg)
    out = np.reshape(a, shape, order=order)  # type: ignore[call-overload]
    if copy:
        return out.copy()
    if copy is False and not np.may_share_memory(out, a):
        msg = f"reshape: wanted a view, got an array of shape {shape_of(a)} that must be copied"
        raise ValueError(msg)
    return out


def ravel(a: Any, order: str = "C") -> Any:
    """Flatten to one axis; order "A" and "K" follow the memory where it is Fortran's."""
    if order in ("A", "K"):
        flags = getattr(unwrap(a), "flags", None)
        order = "F" if flags is not None and flags.f_contiguous and not flags.c_contiguous else "C"
    return reshape(as_operand("ravel", "a", a), (-1,), order)


@primitive(a=lambda g, a_shape: g.reshape(a_shape), linear=True)
def squeeze(a: Any, axis: Any = None) -> Any:
    """Drop axes of length 1: all, or those named."""
    out = np.squeeze(a, axis)
    return out.view() if out is a else out  # each Variable has an array object of its own


@primitive(a=lambda g, a_shape: g.reshape(a_shape), linear=True)
def expand_dims(a: Any, axis: Any) -> Any:
    """Insert axes of length 1 at the positions `axis` of the result."""
    return np.expand_dims(a, axis)


def _at_least(x: Any, ndim: int) -> Any:
    """Give `x` at least `ndim` axes, as NumPy places them."""
    x = as_operand(f"atleast_{ndim}d", "x", x)
    shape = shape_of(x)
    if len(shape) >= ndim:
        return x
    if ndim < 3 or not shape:
        return reshape(x, (1,) * (ndim - len(shape)) + shape)
    return reshape(x, (1, shape[0], 1) if len(shape) == 1 else (*shape, 1))


def atleast_1d(*arys: Any) -> Any:
    """Turn numbers into arrays of shape (1,); a tuple for several arrays."""
    results = tuple(_at_least(x, 1) for x in arys)
    return results[0] if len(results) == 1 else results


def atleast_2d(*arys: Any) -> Any:
    """Put axes of length 1 in front up to two axes; a tuple for several arrays."""
    results = tuple(_at_least(x, 2) for x in arys)
    return results[0] if len(results) == 1 else results


def atleast_3d(*arys: Any) -> Any:
    """Add axes of length 1 up to three: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1)."""
    results = tuple(_at_least(x, 3) for x in arys)
    return results[0] if len(results) == 1 else results


# -- axes in another order -------------------------------------------------------------------------


def _inverse(axes: Any, ndim: int) -> Any:
    if axes is None or not np.ndim(axes):  # a single axis stays where it is
        return axes
    return sorted(range(ndim), key=[a % ndim for a in axes].__getitem__)


@primitive(a=lambda g, axes, a_ndim: g.transpose(_inverse(axes, a_ndim)), linear=True)
def transpose(a: Any, axes: Any = None) -> Any:
    """Permute the axes; None reverses them."""
    try:
        return a.transpose(axes) if type(a) is np.ndarray else np.transpose(a, axes)
    except ValueError as error:
        given = np.atleast_1d(axes)
        hint = f"; write x.swapaxes{tuple(axes)} to exchange two" if given.shape == (2,) else ""
        raise ValueError(
            f"transpose: wanted a permutation of all {np.ndim(a)} axes, got {axes} ({error}){hint}"
        ) from None


permute_dims = transpose


@primitive(a=lambda g, axis1, axis2: g.swapaxes(axis1, axis2), linear=True)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    return a.swapaxes(axis1, axis2) if type(a) is np.ndarray else np.swapaxes(a, axis1, axis2)


def matrix_transpose(x: Any) -> Any:
    """Exchange the last two axes."""
    if len(shape_of(x)) < 2:
        msg = f"matrix_transpose: wanted at least 2 axes, got shape {shape_of(x)}; use transpose"
        raise ValueError(msg)
    return swapaxes(x, -1, -2)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Move the axes `source` to the positions `destination`; the others keep their order."""
    a = as_operand("moveaxis", "a", a)
    return transpose(a, tuple(_moved(len(shape_of(a)), source, destination)))


def _moved(ndim: int, source: Any, destination: Any) -> list[int]:
    sources = source if isinstance(source, (tuple, list)) else (source,)
    targets = destination if isinstance(destination, (tuple, list)) else (destination,)
    first = [normal_axis("moveaxis", a, ndim) for a in sources]
    last = [normal_axis("moveaxis", a, ndim) for a in targets]
    if len(first) != len(last) or len({*first}) < len(first) or len({*last}) < len(last):
        msg = (
            f"moveaxis: wanted as many different sources as destinations, got {source} and "
            f"{destination}"
        )
        raise ValueError(msg)
    order = [a for a in range(ndim) if a not in first]
    for target, axis in sorted(zip(last, first, strict=True)):
        order.insert(target, axis)
    return order


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Move `axis` to lie before the axis `start`."""
    a = as_operand("rollaxis", "a", a)
    ndim = len(shape_of(a))
    axis = normal_axis("rollaxis", axis, ndim)
    start = normal_axis("rollaxis", start, ndim + 1) if start >= 0 else start + ndim
    return moveaxis(a, axis, start - 1 if axis < start else start)


# -- elements in another order ---------------------------------------------------------------------


def _flipped(g: Any, axis: Any) -> Any:
    return np.flip(g, axis)


@primitive(m=_flipped, linear=True)
def flip(m: Any, axis: Any = None) -> Any:
    """Reverse the order along `axis`: None for all, an integer or a tuple."""
    return np.flip(m, axis)


def flipud(m: Any) -> Any:
    """Reverse the order along the first axis."""
    return flip(as_operand("flipud", "m", m), 0)


def fliplr(m: Any) -> Any:
    """Reverse the order along the second axis."""
    if len(shape_of(m)) < 2:
        msg = f"fliplr: wanted at least 2 axes, got shape {shape_of(m)}; use flip"
        raise ValueError(msg)
    return flip(as_operand("fliplr", "m", m), 1)


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift


@primitive(a=lambda g, shift, axis: np.roll(g, _opposite(shift), axis), linear=True)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Shift elements along `axis`, what leaves at the end enters at the start.

    `shift` and `axis` may be tuples; None rolls `a` flattened.
    """
    return np.roll(a, shift, axis)


@primitive(m=lambda g, k, axes: np.rot90(g, -k, axes), linear=True)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turn by `k` times 90 degrees in the plane of `axes`, from the first towards the second."""
    return np.rot90(m, k, axes)


# -- elements more than once -----------------------------------------------------------------------


def _summed(g: Any, array_shape: tuple[int, ...]) -> Any:
    return unbroadcast(g, array_shape)


@primitive(array=_summed, linear=True)
def broadcast_to(array: Any, shape: Any) -> Any:
    """Repeat `array` along new and length-1 axes up to `shape`, without copying."""
    return np.broadcast_to(array, shape)


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """Broadcast all arrays to their common shape."""
    operands = [as_operand("broadcast_arrays", "args", x) for x in args]
    shape = np.broadcast_shapes(*map(shape_of, operands))
    return tuple(x if shape_of(x) == shape else broadcast_to(x, shape) for x in operands)


def _repeat_x(g: Any, a_shape: tuple[int, ...], repeats: Any, axis: Any) -> Any:
    """Add up the copies of each element."""
    shape = (int(np.prod(a_shape)),) if axis is None or not a_shape else a_shape
    at = 0 if axis is None else axis % len(shape)
    repeats = concrete(repeats, "repeat")
    if np.size(repeats) == 1:
        count = int(np.reshape(repeats, ()))
        gx = g.reshape((*shape[: at + 1], count, *shape[at + 1 :])).sum(axis=at + 1)
    else:
        index = np.repeat(np.arange(shape[at]), repeats)
        gx = scatter(g, (slice(None),) * at + (index,), shape)
    return gx.reshape(a_shape)


@primitive(a=_repeat_x, nondiff=("repeats",), linear=True, makes_zeros=True)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Repeat each element.

    Args:
        a: the array.
        repeats: how often: one integer, or one per element along `axis`.
        axis: where to repeat; None flattens first.
    """
    return np.repeat(a, repeats, axis)


def _tile_x(g: Any, A_shape: tuple[int, ...], reps: Any) -> Any:
    """Add up the copies of the whole array."""
    reps = concrete(reps, "tile")
    counts = tuple(reps) if np.ndim(reps) else (reps,)
    ndim = max(len(counts), len(A_shape))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - len(A_shape)) + A_shape
    pairs = [n for pair in zip(counts, shape, strict=True) for n in pair]
    return g.reshape(pairs).sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(A_shape)


@primitive(A=_tile_x, linear=True)
def tile(A: Any, reps: Any) -> Any:
    """Lay copies of `A` side by side, `reps` per axis; missing counts are 1, in front."""
    return np.tile(A, reps)


def resize(a: Any, new_shape: Any) -> Any:
    """Fill an array of `new_shape` with the elements of `a` in C order, again and again."""
    flat = ravel(a)
    size = flat.size
    if not size:
        return np.resize(a, new_shape) if not isinstance(a, graph.Variable) else _no_elements(a)
    return getitem(flat, np.resize(np.arange(size), new_shape))


def _no_elements(x: Any) -> Any:
    msg = f"resize: wanted at least one element to repeat, got shape {x.shape}"
    raise ValueError(msg)


def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Cut zeros off the front ("f"), the back ("b") or both, along `axis` (None: all axes)."""
    filt = as_operand("trim_zeros", "filt", filt)
    shape = shape_of(filt)
    used = np.argwhere(concrete(filt, "trim_zeros") != 0)
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % max(len(shape), 1)
    index = [slice(None)] * len(shape)
    for i in axes:
        low = int(used[:, i].min()) if len(used) else shape[i]
        high = int(used[:, i].max()) + 1 if len(used) else shape[i] * ("f" in trim.lower())
        index[i] = slice(
            low if "f" in trim.lower() else 0, high if "b" in trim.lower() else shape[i]
        )
    return getitem(filt, tuple(index))


# -- copies ----------------------------------------------------------------------------------------


# The engine casts the cotangent of every operation to its operand's dtype.
@primitive(x=lambda g: g, linear=True, name="astype")
def _astype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if hasattr(x, "astype") else np.asarray(x).astype(dtype)


_ASTYPE = _astype.primitive


def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Convert to another dtype; the gradient comes back in the dtype of `x`.

    An integer or bool result carries no gradient. Without `copy`, an array of that dtype is
    returned as it is.
    """
    dtype = np.dtype(dtype)
    if isinstance(x, graph.Variable):
        if not copy and dtype == x.dtype:
            return x
        if dtype.kind not in "fc":
            try:
                out = x._data.astype(dtype)
            except UnreadError as reading:
                return reading.answer(_ASTYPE, [x, dtype])
            return record(_ASTYPE.constant, (), (), out, (x, dtype))
    elif not copy and isinstance(x, np.ndarray) and dtype == x.dtype:
        return x
    return _astype(x, dtype)


@primitive(a=lambda g: g, linear=True)
def copy(a: Any, order: str = "K") -> Any:
    """Return an equal array with memory of its own; `order` is its layout, "K" as `a`."""
    return copied(a, order)
