"""The error function, which NumPy has no kernel for and GELU needs without SciPy. Imports `arrays`
and NumPy.

The kernels keep float32. Accurate to five (erf) and ten (erfc) units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.arrays import refuse_complex

__all__ = ["erf", "erfc"]

_SQRT_PI = math.sqrt(math.pi)
_EDGE = 0.46875  # between the formula for small numbers and the others
_FALLBACK = np.dtype(np.float64)
# Elements per pass: the temporaries of one pass stay in the cache (measured: twice as fast on 10^6
# float64).
_BLOCK = 16384

# W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation
# 23 (1969), 631-637, with the coefficients of highest accuracy: erf on [0, 0.46875], erfc on
# [0.46875, 4] and on [4, inf); highest power first.
_NEAR = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e00,
        1.13864154151050156e02,
        3.77485237685302021e02,
        3.20937758913846947e03,
    ),
    (
        1.0,
        2.36012909523441209e01,
        2.44024637934444173e02,
        1.28261652607737228e03,
        2.84423683343917062e03,
    ),
)
_MIDDLE = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e00,
        6.61191906371416295e01,
        2.98635138197400131e02,
        8.81952221241769090e02,
        1.71204761263407058e03,
        2.05107837782607147e03,
        1.23033935479799725e03,
    ),
    (
        1.0,
        1.57449261107098347e01,
        1.17693950891312499e02,
        5.37181101862009858e02,
        1.62138957456669019e03,
        3.29079923573345963e03,
        4.36261909014324716e03,
        3.43936767414372164e03,
        1.23033935480374942e03,
    ),
)
_FAR = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242e00,
        1.87295284992346047e00,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], y: Any) -> Any:
    """Evaluate a rational function by Horner's rule."""
    numerator, denominator = coefficients
    p = numerator[0] * y + numerator[1]
    for c in numerator[2:]:
        p *= y
        p += c
    q = y + denominator[1]
    for c in denominator[2:]:
        q *= y
        q += c
    p /= q
    return p


def _exp_minus_square(a: Any) -> Any:
    """Return exp(-a^2) to full accuracy: the square is split so that its large part is exact."""
    head = np.trunc(a * 16) * 0.0625
    return np.exp(-head * head) * np.exp((head - a) * (head + a))


def _erf_near(x: Any) -> Any:
    return x * _ratio(_NEAR, x * x)


def _at_most(a: Any, limit: float) -> Any:
    """Return the smaller of each; NumPy takes four times as long for that with a number."""
    return np.minimum(a, np.full_like(a, limit))


def _erfc_of_size(a: Any) -> Any:
    """Return erfc for `a` from 0.46875 to 28, and anything below."""
    out = _ratio(_MIDDLE, np.maximum(_at_most(a, 4.0), np.full_like(a, _EDGE)))
    far = a > 4.0
    if far.any():
        z = a[far]
        w = 1 / (z * z)
        out[far] = (1 / _SQRT_PI - w * _ratio(_FAR, w)) / z
    out *= _exp_minus_square(a)
    return out


# Single precision needs one formula for all of [0, 11]: t = 1 / (1 + 0.4 a), and
# erfc(a) = exp(-a^2) t P(t). P is our own minimax fit (relative error 1e-8). Without branches it
# takes a quarter of the time on 10^5 elements.
_SINGLE = (
    -0.02920581719,
    0.1959030154,
    -0.4938492162,
    0.5408180517,
    -0.2788636122,
    0.2691130587,
    0.1307001309,
    0.2147005331,
    0.2249783053,
    0.2257055586,
)


def _erfc_single_block(x: Any, out: Any) -> None:
    a = _at_most(np.abs(x), 11.0)
    t = a * 0.4
    t += 1.0
    np.reciprocal(t, out=t)
    p = t * _SINGLE[0]
    p += _SINGLE[1]
    for c in _SINGLE[2:]:
        p *= t
        p += c
    p *= t
    # In double precision, where the square is exact: 0.7 of the time of two exponentials in single.
    wide = a.astype(np.float64)
    wide *= -wide
    p *= np.exp(wide, out=wide).astype(np.float32)
    _to_both_sides(p, x, out)


def _to_both_sides(p: Any, x: Any, out: Any) -> None:
    """Write p = erfc(|x|) to `out` where x >= 0, and 2 - p elsewhere, without a choice."""
    negative = (x < 0).astype(p.dtype)
    p -= negative
    np.abs(p, out=p)
    np.add(p, negative, out=out)


# Both formulas on all elements: to pick those of each and to put them back takes longer than the
# one too many (0.6 of the time for erfc, 0.7 for erf).


def _erf_block(x: Any, out: Any) -> None:
    a = _at_most(np.abs(x), 6.0)  # from there on erf is 1 to all digits
    p = 1 - _erfc_of_size(a)
    np.copyto(p, _erf_near(_at_most(a, _EDGE)), where=a <= _EDGE)
    np.copysign(p, x, out=out)


def _erfc_block(x: Any, out: Any) -> None:
    if x.dtype == np.float32:
        _erfc_single_block(x, out)
        return
    a = _at_most(np.abs(x), 28.0)  # from there on erfc is 0 in all dtypes
    p = _erfc_of_size(a)
    np.copyto(p, 1 - _erf_near(_at_most(a, _EDGE)), where=a <= _EDGE)
    _to_both_sides(p, x, out)


# Up to so many numbers, Python's own function of one number takes less time than the calls of a
# block: 1 us for 10 numbers, where those take 28.
_FEW = 256


def _blockwise(block: Callable[[Any, Any], None], one: Callable[[float], float], x: Any) -> Any:
    """Apply `block` to pieces of `x`, in its own floating-point dtype (integers become float64);
    or `one` to each of a few numbers.
    """
    x = np.asarray(x)
    dtype = x.dtype if x.dtype.kind == "f" else _FALLBACK
    refuse_complex("special.erf", x)
    if x.size <= _FEW and dtype.itemsize <= 8:
        few = np.fromiter(map(one, x.reshape(-1).tolist()), dtype, x.size).reshape(x.shape)
        return few if few.ndim else few[()]
    flat = np.ascontiguousarray(x, dtype=np.float32 if dtype.itemsize == 2 else dtype).reshape(-1)
    out = np.empty_like(flat)
    with np.errstate(under="ignore"):  # tails may underflow to 0, which is their value
        for start in range(0, flat.size, _BLOCK):
            block(flat[start : start + _BLOCK], out[start : start + _BLOCK])
    shaped = out.reshape(x.shape).astype(dtype, copy=False)
    return shaped if shaped.ndim else shaped[()]


def erf(x: Any) -> Any:
    """Return 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return _blockwise(_erf_block, math.erf, x)


def erfc(x: Any) -> Any:
    """Return 1 - erf(x) without cancellation."""
    return _blockwise(_erfc_block, math.erfc, x)
