"""Images of another size, and images read at given places. Imports `autograd`, `_resampling`.

`interpolate` is one product with a sparse matrix per axis; `grid_sample`, differentiable in the
places, too, is composed of gathers and weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd.arrays import refuse_complex
from autograd.extend import primitive
from nn.functional._adaptive_pooling import average
from nn.functional._numbers import check_numbers
from nn.functional._resampling import cubic_far, cubic_near, nearest, resample, smooth
from nn.functional._windows import check_sizes, per_axis

__all__ = ["affine_grid", "grid_sample", "interpolate"]

# How many spatial axes each mode is for.
_MODES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "trilinear": (3,),
    "bicubic": (2,),
}


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Make an image, a line or a volume larger or smaller.

    Args:
        input: shape (N, C, *size).
        size: lengths of the output; one integer for all axes.
        scale_factor: factors from lengths of the input to those of the output, instead of `size`.
        mode: "nearest", "nearest-exact" or "area" for 1 to 3 axes of space, "linear" for one,
            "bilinear" or "bicubic" for two, "trilinear" for three.
        align_corners: for the (bi-, tri-) linear and cubic modes: whether the middles of the
            outermost elements stay where they are, instead of their outer ends.
        recompute_scale_factor: whether places are computed from the lengths instead of from
            `scale_factor`; the lengths are rounded down.
        antialias: for "bilinear" and "bicubic": whether making smaller takes means.

    Returns:
        Shape (N, C, *size).

    Raises:
        TypeError: for what are no numbers.
        ValueError: where not one of `size` and `scale_factor` is given, or for options that the
            mode does not have.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.interpolate(np.array([[[0.0, 2.0]]]), scale_factor=2, mode="linear")
        array([[[0. , 0.5, 1.5, 2. ]]])
    """
    check_numbers("interpolate", "an input", input)
    n = input.ndim - 2
    if mode not in _MODES or n not in _MODES[mode]:
        known = [m for m, axes in _MODES.items() if n in axes]
        raise ValueError(
            f"interpolate: wanted an input of shape (N, C, *size) and a mode for its axes "
            f"({', '.join(known) or 'none for this shape'}), got {mode!r} for shape {input.shape}"
        )
    has_corners = mode.endswith(("linear", "cubic"))
    if align_corners is not None and not has_corners:
        raise ValueError(
            f"interpolate: wanted no align_corners in mode {mode!r}, got {align_corners}"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            f"interpolate: wanted antialias with mode 'bilinear' or 'bicubic', got {mode!r}"
        )
    lengths, factors = _lengths(input.shape[2:], size, scale_factor, recompute_scale_factor)
    if has_corners and input.dtype.kind in "biu":
        input = input.astype(np.float64)
    dtype = np.dtype(input.dtype if input.dtype.kind == "f" else np.float64)
    corners = bool(align_corners)
    for axis, (s, m, factor) in enumerate(zip(input.shape[2:], lengths, factors, strict=True), 2):
        step = s / m if factor is None else 1 / factor
        if corners:
            step = (s - 1) / (m - 1) if m > 1 else 0.0
        if mode == "area":
            input = average(input, axis, m)
        elif has_corners:
            kind = "cubic" if mode == "bicubic" else "linear"
            table = smooth(kind, s, m, step, corners, bool(antialias), dtype)
            input = resample(input, axis, table)
        else:
            shift = 0.5 if mode == "nearest-exact" else 0.0
            input = resample(input, axis, nearest(s, m, step, shift, dtype))
    return input


def _lengths(
    given: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool | None
) -> tuple[tuple[int, ...], Sequence[float | None]]:
    """Return the lengths of the output, and the factors by which places are computed, or None."""
    n = len(given)
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "interpolate: wanted size or scale_factor, got "
            f"{'neither' if size is None else 'both'}; pass one of them"
        )
    if scale_factor is None:
        if recompute:
            raise ValueError(
                "interpolate: wanted recompute_scale_factor with a scale_factor, got size"
            )
        lengths = per_axis("interpolate", "size", size, n)
        check_sizes("interpolate", 1, size=lengths, input=given)
        return lengths, (None,) * n
    many = isinstance(scale_factor, (tuple, list))
    factors = tuple(map(float, scale_factor)) if many else (float(scale_factor),) * n
    if len(factors) != n or not all(0 < f < math.inf for f in factors):
        raise ValueError(
            f"interpolate: wanted a positive scale_factor, or one for each of {n} axes, got "
            f"{scale_factor!r}"
        )
    lengths = tuple(math.floor(s * f) for s, f in zip(given, factors, strict=True))
    check_sizes("interpolate", 1, size=lengths, input=given)
    return lengths, (None,) * n if recompute else factors


# -- reading at given places -----------------------------------------------------------------------


def grid_sample(
    input: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """Read an image or a volume at places of its own for each output; differentiable in both.

    Args:
        input: shape (N, C, H, W) or (N, C, D, H, W).
        grid: places (x, y) in shape (N, H', W', 2), or (x, y, z) in (N, D', H', W', 3), from -1 to
            1, x along the last axis.
        mode: "nearest", "bilinear" (also for volumes), or "bicubic" for images.
        padding_mode: what is outside: "zeros", "border" (the nearest element) or "reflection".
        align_corners: whether -1 and 1 are the middles of the outermost elements, instead of their
            outer ends.

    Returns:
        Shape (N, C, H', W') or (N, C, D', H', W').

    Raises:
        TypeError: for what are no numbers.
        ValueError: for another mode, or shapes that do not fit.

    References:
        M. Jaderberg et al., Spatial transformer networks, NeurIPS 2015,
        https://arxiv.org/abs/1506.02025, eq. 3 to 7.
    """
    check_numbers("grid_sample", "an input", input)
    check_numbers("grid_sample", "a grid", grid)
    refuse_complex("grid_sample", grid)
    n = input.ndim - 2
    if n not in (2, 3) or grid.ndim != n + 2 or (len(grid), grid.shape[-1]) != (len(input), n):
        raise ValueError(
            "grid_sample: wanted an input (N, C, H, W) and a grid (N, H', W', 2), or an input "
            f"(N, C, D, H, W) and a grid (N, D', H', W', 3), got {input.shape} and {grid.shape}"
        )
    if mode not in ("nearest", "bilinear", "bicubic") or (mode == "bicubic" and n == 3):
        known = "'nearest', 'bilinear'" + (" or 'bicubic'" if n == 2 else "")
        raise ValueError(f"grid_sample: wanted a mode {known} for {n} axes, got {mode!r}")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "grid_sample: wanted a padding_mode 'zeros', 'border' or 'reflection', got "
            f"{padding_mode!r}"
        )
    check_sizes("grid_sample", 1, input=input.shape[2:])
    size, corners = input.shape[2:], bool(align_corners)
    taps = [
        _taps(grid[..., n - 1 - axis], size[axis], mode, padding_mode, corners) for axis in range(n)
    ]
    # Channels last: each place is then one row.
    rows = autograd.moveaxis(input, 1, -1).reshape((-1, input.shape[1]))
    batch = np.arange(len(input)).reshape((-1, *(1,) * n))
    out: Any = 0.0
    for tap in itertools.product(*taps):
        row = batch
        weight: Any = None
        for (index, part), length in zip(tap, size, strict=True):
            row = row * length + index
            weight = part if weight is None else weight * part
        out = out + autograd.take(rows, row, axis=0) * weight[..., None]
    return autograd.moveaxis(out, -1, 1)


def _taps(x: Any, size: int, mode: str, padding_mode: str, corners: bool) -> list[tuple[Any, Any]]:
    """Return which elements along an axis are read, and their weights, for coordinates `x`."""
    x = np.where(np.isnan(x), -1.0, x)  # as PyTorch reads nan
    place = (x + 1) * (0.5 * (size - 1)) if corners else ((x + 1) * size - 1) * 0.5
    if mode != "bicubic":
        place = _moved_inside(place, size, padding_mode, corners)
    left = _rounded(place) if mode == "nearest" else _left(place)
    t = place - left
    if mode == "nearest":
        weights: list[Any] = [t * 0.0 + 1.0]
    elif mode == "bilinear":
        weights = [1.0 - t, t]
    else:
        a = -0.75
        weights = [cubic_far(t + 1, a), cubic_near(t, a), cubic_near(1 - t, a), cubic_far(2 - t, a)]
    found = []
    for offset, weight in enumerate(weights, start=1 - (len(weights) + 1) // 2):
        index = left + offset
        if padding_mode == "zeros":
            weight = np.where((index >= 0) & (index < size), weight, 0.0)
        elif mode == "bicubic":
            index = _moved_inside(index, size, padding_mode, corners)
        found.append((np.clip(index, 0, size - 1).astype(np.intp), weight))
    return found


@primitive(nondiff=("x",))
def _left(x: Any) -> Any:
    return np.floor(x)


@primitive(nondiff=("x",))
def _rounded(x: Any) -> Any:
    return np.rint(x)


def _moved_inside(place: Any, size: int, padding_mode: str, corners: bool) -> Any:
    """Move places outside of 0 ... size - 1 to where the padding has its values from."""
    if padding_mode == "zeros":
        return place
    if padding_mode == "reflection":
        span, low = (size - 1, 0.0) if corners else (size, -0.5)
        if not span:
            return place * 0.0
        distance = np.abs(place - low)
        turns = _left(distance / span)
        rest = distance - turns * span
        place = np.where(turns % 2 == 0, rest, span - rest) + low
    return np.clip(place, 0, size - 1)


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool | None = None) -> Any:
    """Return the grid for `grid_sample` that maps an image or volume by affine maps.

    Args:
        theta: matrices of shape (N, 2, 3) for images, (N, 3, 4) for volumes.
        size: shape of the output of `grid_sample`, (N, C, H, W) or (N, C, D, H, W).
        align_corners: as in `grid_sample`.

    Returns:
        Shape (N, H, W, 2) or (N, D, H, W, 3).

    Raises:
        TypeError: for what are no numbers.
        ValueError: where shapes do not fit each other.

    Example:
        >>> import numpy as np, nn
        >>> nn.functional.affine_grid(np.eye(2, 3)[None], (1, 1, 1, 2))
        array([[[[-0.5,  0. ],
                 [ 0.5,  0. ]]]])
    """
    check_numbers("affine_grid", "a theta", theta)
    n = len(size) - 2
    if n not in (2, 3) or theta.shape != (size[0], n, n + 1):
        raise ValueError(
            "affine_grid: wanted a theta (N, 2, 3) with a size (N, C, H, W), or (N, 3, 4) with "
            f"(N, C, D, H, W), got {theta.shape} and {tuple(size)}"
        )
    check_sizes("affine_grid", 1, size=tuple(size))
    dtype = theta.dtype if theta.dtype.kind == "f" else np.float64
    axes = []
    for length in size[:1:-1]:  # x along the last axis
        ends = 1.0 if align_corners else 1.0 - 1.0 / length
        axes.append(np.linspace(-ends, ends, length) if length > 1 else np.zeros(1))
    base = np.stack([*np.meshgrid(*axes[::-1], indexing="ij")[::-1], np.ones(size[2:])], axis=-1)
    points = base.reshape((-1, n + 1)).astype(dtype) @ theta.mT
    return points.reshape((size[0], *size[2:], n))
