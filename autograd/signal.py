"""Convolution and correlation of arrays of any number of axes, with the names of `scipy.signal`.

`convolve` also takes the keywords `axes` and `dot_axes`, which say which axes to convolve over, and
which to sum over: a convolutional layer is one call. All is one primitive, its own derivative:

    full:  out[i, j, s] = sum over d and k of x[i, d, s - k] y[j, d, k]

and "valid" the part of it that all of y takes part in. The gradient of a full convolution is a
valid one with the other operand reversed, and the other way round. Computed by NumPy: as a matrix
product, or by Fourier transforms where that is less work.

Not imported by `import autograd`. Imports `calls`, `ops` and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.ops import elementwise, shaping
from autograd.ops.contractions import as_array, bilinear

__all__ = ["convolve", "correlate"]

# -- kernels: x (I, D, *S), y (J, D, *K) -> (I, J, *O) ---------------------------------------------


def _direct(x: Any, y: Any, mode: str) -> Any:
    """Sum products of windows of `x` with `y` reversed: one matrix product."""
    if mode == "full" and y.size > x.size:
        return _direct(y, x, mode).swapaxes(0, 1)
    sizes = y.shape[2:]
    spatial = tuple(range(2, x.ndim))
    if x.shape[:2] == y.shape[:2] == (1, 1) and len(sizes) == 1:
        return np.convolve(x[0, 0], y[0, 0], mode)[None, None]  # type: ignore[call-overload]
    if mode == "full":
        x = np.pad(x, [(0, 0), (0, 0), *((k - 1, k - 1) for k in sizes)])
    windows = np.lib.stride_tricks.sliding_window_view(x, sizes, spatial)  # (I, D, *O, *K)
    of_x = [1, *range(windows.ndim - len(sizes), windows.ndim)]
    out = np.tensordot(windows, np.flip(y, spatial), (of_x, [1, *spatial]))  # (I, *O, J)
    return np.moveaxis(out, -1, 1)


def _good_size(n: int) -> int:
    """Return the next number that has no other factors than 2, 3 and 5: transforms are fast."""
    best = 1 << (n - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            size = three << max(0, (-(-n // three) - 1).bit_length())
            best = min(best, size)
            three *= 3
        five *= 5
    return best


def _fourier(x: Any, y: Any, mode: str) -> Any:
    """Multiply transforms."""
    spatial = tuple(range(2, x.ndim))
    full = [s + k - 1 for s, k in zip(x.shape[2:], y.shape[2:], strict=True)]
    padded = [_good_size(n) for n in full]
    dtype = np.result_type(x, y)
    out: Any
    if dtype.kind == "c":
        product = _of_pairs(np.fft.fftn(x, padded, spatial), np.fft.fftn(y, padded, spatial))
        out = np.fft.ifftn(product, padded, spatial)
    else:
        product = _of_pairs(np.fft.rfftn(x, padded, spatial), np.fft.rfftn(y, padded, spatial))
        out = np.fft.irfftn(product, padded, spatial)
    if mode == "full":
        window = [slice(n) for n in full]
    else:
        window = [slice(k - 1, s) for s, k in zip(x.shape[2:], y.shape[2:], strict=True)]
    out = out[(..., *window)]
    return (np.rint(out) if dtype.kind in "iub" else out).astype(dtype)


def _of_pairs(x: Any, y: Any) -> Any:
    """Sum the products of transforms over d, for each pair (i, j)."""
    if x.shape[1] == 1:
        return x * y.swapaxes(0, 1)
    return np.einsum("id...,jd...->ij...", x, y, optimize=False)


def _is_large(x: Any, y: Any, mode: str) -> bool:
    """Tell whether Fourier transforms take less time.

    Measured on one core: as long as a step of a transform (of n log2 n) take 6 multiplications of
    `np.convolve`, 4 of a matrix product, and 1 where the product is of one row and one column.
    """
    if np.result_type(x, y).kind not in "fc":
        return False  # whole numbers are exact without
    pairs = list(zip(x.shape[2:], y.shape[2:], strict=True))
    full = math.prod(s + k - 1 for s, k in pairs)
    window = full if mode == "full" else math.prod(s - k + 1 for s, k in pairs)
    (i, d), j = x.shape[:2], len(y)
    products = i * j * d * window * min(math.prod(y.shape[2:]), math.prod(x.shape[2:]))
    ratio = 4 if i * j * d > 1 else 6 if len(pairs) == 1 else 1
    steps = (i * d + j * d + i * j) * full * max(1.0, math.log2(full))
    return bool(products > ratio * steps)


def _reversed(x: Any) -> Any:
    """Reverse the convolved axes, and exchange the two in front of them."""
    return shaping.swapaxes(shaping.flip(x, tuple(range(2, x.ndim))), 0, 1)


def _convolve_x(g: Any, y: Any, mode: str, method: str) -> Any:
    return _convolve(g, _reversed(y), "valid" if mode == "full" else "full", method)


def _convolve_y(g: Any, x: Any, mode: str, method: str) -> Any:
    if mode == "full":
        return _convolve(shaping.swapaxes(g, 0, 1), _reversed(x), "valid", method)
    return _reversed(_convolve(shaping.swapaxes(x, 0, 1), _reversed(g), "valid", method))


@primitive(
    x=_convolve_x,
    y=_convolve_y,
    jvp=lambda tangents, _out, x, y, mode, method: bilinear(
        _convolve, tangents, x, y, mode=mode, method=method
    ),
    name="signal.convolve",
)
def _convolve(x: Any, y: Any, mode: str, method: str) -> Any:
    if method == "fft" or (method == "auto" and _is_large(x, y, mode)):
        return _fourier(x, y, mode)
    return _direct(x, y, mode)


# -- axes ------------------------------------------------------------------------------------------


def _normal(name: str, axes: Any, shape: tuple[int, ...]) -> list[int]:
    given = list(axes)
    found = [int(a) % len(shape) if -len(shape) <= a < len(shape) else None for a in given]
    if None in found or len(set(found)) < len(found):
        raise ValueError(
            f"{name}: wanted different axes of an array of shape {shape}, got {tuple(given)}"
        )
    return found  # type: ignore[return-value]


def _pair(name: str, what: str, axes: Any, a: Any, b: Any) -> tuple[list[int], list[int]]:
    try:
        of_a, of_b = axes
        found = _normal(name, of_a, a.shape), _normal(name, of_b, b.shape)
    except TypeError:
        raise TypeError(
            f"{name}: wanted {what} as a pair of sequences, one for each operand, got {axes!r}"
        ) from None
    if len(found[0]) != len(found[1]):
        raise ValueError(f"{name}: wanted as many {what} of both operands, got {axes}")
    return found


def _in_order(x: Any, dots: list[int], convolved: list[int]) -> tuple[Any, tuple[int, ...]]:
    """Return `x` as (free, summed, *convolved), and the sizes of its free axes."""
    free = [i for i in range(x.ndim) if i not in dots and i not in convolved]
    order = [*free, *dots, *convolved]
    if order != sorted(order):
        x = shaping.transpose(x, tuple(order))
    sizes = x.shape[: len(free)]
    summed = x.shape[len(free) : len(free) + len(dots)]
    rest = x.shape[len(order) - len(convolved) :]
    return shaping.reshape(x, (math.prod(sizes), math.prod(summed), *rest)), sizes


def convolve(
    A: Any,
    B: Any,
    axes: Any = None,
    dot_axes: Any = ((), ()),
    mode: str = "full",
    method: str = "auto",
) -> Any:
    """Convolve two arrays: out[s] = sum over k of A[s - k] B[k], over any number of axes.

    Real and complex; differentiable in both arrays.

    Args:
        A: an array.
        B: an array.
        axes: a pair of sequences of axes of `A` and `B`: the convolved ones, in pairs. By default
            all that are not in `dot_axes`. A string is taken as `mode`, which stands here in
            `scipy.signal.convolve`.
        dot_axes: a pair of sequences of axes of equal lengths: products are summed over them.
        mode: "full" (m + n - 1 elements along a convolved axis), "same" (the middle m, the length
            of `A`), or "valid" (those that all of the smaller array takes part in).
        method: "direct", "fft", or "auto": the faster one. The error of "fft" is relative to the
            largest element of the result.

    Returns:
        Array of the axes of `A` that are named nowhere, those of `B`, and the convolved axes.

    Raises:
        ValueError: axes that do not fit, another mode or method, or neither array at least as
            large as the other along all convolved axes in mode "valid".

    Example:
        >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0]), mode="valid")
        array([3., 5.])
        >>> images, filters = np.ones((10, 3, 8, 8)), np.ones((16, 3, 5, 5))
        >>> convolve(images, filters, ([2, 3], [2, 3]), ([1], [1]), "valid").shape
        (10, 16, 4, 4)
    """
    if isinstance(axes, str):
        if dot_axes in ("auto", "direct", "fft"):
            method = dot_axes
        axes, dot_axes, mode = None, ((), ()), axes
    name = "signal.convolve"
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"{name}: wanted mode 'full', 'same' or 'valid', got {mode!r}")
    if method not in ("auto", "direct", "fft"):
        raise ValueError(f"{name}: wanted method 'auto', 'direct' or 'fft', got {method!r}")
    a, b = as_array(name, "A", A), as_array(name, "B", B)
    dot_a, dot_b = _pair(name, "dot_axes", dot_axes, a, b)
    if axes is None:
        axes = (
            [i for i in range(a.ndim) if i not in dot_a],
            [i for i in range(b.ndim) if i not in dot_b],
        )
    conv_a, conv_b = _pair(name, "axes", axes, a, b)
    if [a.shape[i] for i in dot_a] != [b.shape[i] for i in dot_b] or (
        {*dot_a} & {*conv_a} or {*dot_b} & {*conv_b}
    ):
        raise ValueError(
            f"{name}: wanted dot_axes of equal lengths that are not convolved, got {dot_axes} of "
            f"shapes {a.shape} and {b.shape}"
        )
    x, free_a = _in_order(a, dot_a, conv_a)
    y, free_b = _in_order(b, dot_b, conv_b)
    if 0 in x.shape[2:] or 0 in y.shape[2:]:
        raise ValueError(
            f"{name}: wanted at least one element along convolved axes, got shapes {a.shape} and "
            f"{b.shape}"
        )
    out = _in_mode(name, x, y, mode, method)
    return shaping.reshape(out, (*free_a, *free_b, *out.shape[2:]))


def _in_mode(name: str, x: Any, y: Any, mode: str, method: str) -> Any:
    pairs: Sequence[tuple[int, int]] = list(zip(x.shape[2:], y.shape[2:], strict=True))
    if not pairs:  # nothing is convolved: a product of matrices
        return x @ shaping.swapaxes(y, 0, 1)
    if mode == "full":
        return _convolve(x, y, mode, method)
    if mode == "same":
        middle = (slice((k - 1) // 2, (k - 1) // 2 + s) for s, k in pairs)
        return _convolve(x, y, "full", method)[(..., *middle)]
    if all(s >= k for s, k in pairs):
        return _convolve(x, y, mode, method)
    if all(s <= k for s, k in pairs):
        return shaping.swapaxes(_convolve(y, x, mode, method), 0, 1)
    raise ValueError(
        f"{name}: wanted one array at least as large as the other along all convolved axes in mode "
        f"'valid', got sizes {tuple(s for s, _ in pairs)} and {tuple(k for _, k in pairs)}"
    )


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Correlate two arrays of the same number of axes, as `scipy.signal.correlate`:
    out[k] = sum over n of in1[n + k] conj(in2[n]), with k from -(len(in2) - 1) on.

    Args:
        in1: an array.
        in2: an array; complex ones are conjugated.
        mode: as for `convolve`.
        method: as for `convolve`.
    """
    in2 = as_array("signal.correlate", "in2", in2)
    reflected = shaping.flip(in2)
    if in2.dtype.kind == "c":
        reflected = elementwise.conjugate(reflected)
    return convolve(in1, reflected, mode=mode, method=method)
