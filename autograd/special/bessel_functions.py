"""Bessel and Airy functions (DLMF 9, 10): one row each; orders are constants.

Derivatives of any order are sums of neighbours (DLMF 10.6.7, 10.29.5). Of the scaled functions
these sums cancel for large arguments, where integrals take their place. Imports `calls`, `ops`,
kernels and NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine.calls import binary, primitive, unary
from autograd.ops.elementwise import sinc
from autograd.special.kernels import (
    beyond,
    in_double,
    integral,
    of_reals,
    scipy_kernel,
    where_holds,
)

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kv",
    "kve",
    "spherical_bessel_j0",
    "y0",
    "y1",
    "yn",
    "yv",
]

_END = 42.0  # what decays by exp(-42) has ended

# -- derivatives as sums of neighbours -------------------------------------------------------------


def _neighbours(name: str, n: int, v: Any, x: Any, sign: int) -> Any:
    """Return 2^-n times the sum over k of C(n, k) sign^k f(v - n + 2k, x)."""
    f = scipy_kernel(name)
    return sum(math.comb(n, k) * sign**k * f(v - n + 2 * k, x) for k in range(n + 1)) / 2**n


def _scaled_neighbours(name: str, n: int, v: Any, x: Any, inner: int, outer: int) -> Any:
    """Return the n-th derivative of exp(outer x) f(v, x) from the functions so scaled."""
    terms = [
        math.comb(n, m) * outer ** (n - m) * inner**m * _neighbours(name, m, v, x, 1)
        for m in range(n + 1)
    ]
    return sum(terms)


# -- derivatives as integrals ----------------------------------------------------------------------


def _kve_integral(n: int, v: Any, x: Any) -> Any:
    """Integrate (1 - cosh t)^n exp(x (1 - cosh t)) cosh(v t) (DLMF 10.32.9)."""

    def f(t: Any, v: Any, x: Any) -> Any:
        decay = -2 * np.sinh(t / 2) ** 2
        return decay**n * np.exp(x * decay) * np.cosh(v * t)

    return integral(f, np.arcsinh(v / x) + np.arccosh(1 + _END / x), v, x)


def _ive_integral(n: int, v: Any, x: Any) -> Any:
    """Integrate (cos t - 1)^n exp(x (cos t - 1)) cos(v t), and the tail (DLMF 10.32.4)."""

    def f(t: Any, v: Any, x: Any) -> Any:
        decay = -2 * np.sin(t / 2) ** 2
        return decay**n * np.exp(x * decay) * np.cos(v * t)

    def tail(t: Any, v: Any, x: Any) -> Any:
        decay = -2 * np.cosh(t / 2) ** 2
        return decay**n * np.exp(x * decay - v * t)

    total = integral(f, np.arccos(np.maximum(1 - _END / x, -1.0)), v, x)
    beyond = integral(tail, np.arccosh(1 + _END / x), v, x)
    return (total - np.sin(math.pi * v) * beyond) / math.pi


def _kve_kernel(n: int, v: Any, x: Any) -> Any:
    v = np.abs(v)
    return where_holds(
        x > np.maximum(v, 1.0),
        lambda v, x: _kve_integral(n, v, x),
        lambda v, x: _scaled_neighbours("kve", n, v, x, -1, 1),
        v,
        x,
    )


def _ive_kernel(n: int, v: Any, x: Any) -> Any:
    def of_positive(v: Any, x: Any) -> Any:
        return where_holds(
            (x > (3.0 if n == 1 else 1.0)) & (x > v * v),
            lambda v, x: _ive_integral(n, v, x),
            lambda v, x: _scaled_neighbours("ive", n, v, x, 1, -1),
            v,
            x,
        )

    def of_negative(v: Any, x: Any) -> Any:  # I_v(-x) = (-1)^v I_v(x), for whole numbers v
        return (1 - 2 * np.mod(v + n, 2)) * of_positive(v, -x)

    slopes = where_holds(x < 0, of_negative, of_positive, v, x)
    # An odd function whose limits from both sides differ by exp(-|x|): 0 is in the middle.
    return np.where((x == 0) & (np.mod(v + n, 2) == 1), 0.0, slopes)


# -- rows ------------------------------------------------------------------------------------------


def _family(name: str, kernel: Callable[[int, Any, Any], Any]) -> Any:
    """Return `derivative(n, v, x)`, the n-th derivative of a function of order v."""

    def forward(n: int, v: Any, x: Any) -> Any:
        if np.iscomplexobj(x) and name not in ("ive", "kve"):  # whose integrals are of real x
            return kernel(n, np.asarray(v, float), x)
        return in_double(lambda v, x: kernel(n, v, x))(v, x)

    def rule(g: Any, n: int, v: Any, x: Any) -> Any:
        return g * derivative(n + 1, v, x)

    derivative = primitive(name=f"{name}_derivative", x=rule, nondiff=("n",), elementwise=True)(
        forward
    )
    return derivative


def _scaled_slope(
    name: str, derivative: Any, outer: int, near: Callable[[Any], Any]
) -> Callable[..., Any]:
    """Return the slope of exp(outer x) f(v, x) from its value: up to x = `near(v)` the sum of
    neighbours loses at most 4 bits.
    """
    f = scipy_kernel(name)

    def rule(g: Any, v: Any, x: Any) -> Any:
        return g * derivative(2, v, x)

    @primitive(name=f"{name}_slope", x=rule, nondiff=("out",), elementwise=True)
    def slope(v: Any, x: Any, out: Any) -> Any:
        v = np.asarray(v, out.dtype)  # the v - 1 of small integers would wrap around
        with np.errstate(invalid="ignore"):
            s = (-outer / 2) * (f(v - 1, x) + f(v + 1, x)) + outer * np.sign(x) * out
        far = (np.abs(x) > near(v)) | (s != s)  # noqa: PLR0124 - a difference of infinities
        return beyond(far, lambda v, x: derivative(1, v, x), s, v, x)

    return slope


# fmt: off
_jv  = _family("jv",  lambda n, v, x: _neighbours("jv", n, v, x, -1))
_yv  = _family("yv",  lambda n, v, x: _neighbours("yv", n, v, x, -1))
_iv  = _family("iv",  lambda n, v, x: _neighbours("iv", n, v, x, 1))
_kv  = _family("kv",  lambda n, v, x: (-1) ** n * _neighbours("kv", n, v, x, 1))
_ive = _family("ive", _ive_kernel)
_kve = _family("kve", _kve_kernel)
_ive_slope = _scaled_slope("ive", _ive, -1, lambda v: np.maximum(3.0, v * v))
_kve_slope = _scaled_slope("kve", _kve, 1, lambda v: np.maximum(1.0, np.abs(v)))

jv   = binary(scipy_kernel("jv"),  name="jv",  y=lambda g, x, y: g * _jv(1, x, y))
yv   = binary(scipy_kernel("yv"),  name="yv",  y=lambda g, x, y: g * _yv(1, x, y))
iv   = binary(scipy_kernel("iv"),  name="iv",  y=lambda g, x, y: g * _iv(1, x, y))
kv   = binary(scipy_kernel("kv"),  name="kv",  y=lambda g, x, y: g * _kv(1, x, y))
ive  = binary(of_reals(scipy_kernel("ive")), name="ive", y=lambda g, x, y, out: g * _ive_slope(x, y, out))
kve  = binary(of_reals(scipy_kernel("kve")), name="kve", y=lambda g, x, y, out: g * _kve_slope(x, y, out))
jn, yn = jv, yv

j0   = unary(scipy_kernel("j0"),  name="j0",  x=lambda g, x: -g * j1(x))
j1   = unary(scipy_kernel("j1"),  name="j1",  x=lambda g, x: g * _jv(1, 1.0, x))
y0   = unary(scipy_kernel("y0"),  name="y0",  x=lambda g, x: -g * y1(x))
y1   = unary(scipy_kernel("y1"),  name="y1",  x=lambda g, x: g * _yv(1, 1.0, x))
i0   = unary(scipy_kernel("i0"),  name="special.i0",  x=lambda g, x: g * i1(x))
i1   = unary(scipy_kernel("i1"),  name="i1",  x=lambda g, x: g * _iv(1, 1.0, x))
k0   = unary(scipy_kernel("k0"),  name="k0",  x=lambda g, x: -g * k1(x))
k1   = unary(scipy_kernel("k1"),  name="k1",  x=lambda g, x: g * _kv(1, 1.0, x))
i0e  = unary(scipy_kernel("i0e"), name="i0e", x=lambda g, x, out: g * _ive_slope(0.0, x, out))
i1e  = unary(scipy_kernel("i1e"), name="i1e", x=lambda g, x, out: g * _ive_slope(1.0, x, out))
k0e  = unary(scipy_kernel("k0e"), name="k0e", x=lambda g, x, out: g * _kve_slope(0.0, x, out))
k1e  = unary(scipy_kernel("k1e"), name="k1e", x=lambda g, x, out: g * _kve_slope(1.0, x, out))
# fmt: on
bessel_j0, bessel_j1, bessel_y0, bessel_y1 = j0, j1, y0, y1


def spherical_bessel_j0(x: Any) -> Any:
    """Return sin(x) / x."""
    return sinc(x / math.pi)


def _airy(part: int) -> Callable[[Any], Any]:
    return lambda x: scipy_kernel("airy")(x)[part]


# The Airy equation: Ai'' = x Ai (DLMF 9.2.1).
airy_ai = unary(_airy(0), name="airy_ai", x=lambda g, x: g * _airy_ai_slope(x))
_airy_ai_slope = unary(_airy(1), name="airy_ai_slope", x=lambda g, x: g * (x * airy_ai(x)))
