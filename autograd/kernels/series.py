"""Logarithms, sines and cosines for loops, as `polynomials` has exponentials; other files take
these from here. Imports `_jit`, `polynomials` and NumPy.

Errors are at most 2 units in the last place. Whoever uses these looks where they hold, and lets
NumPy compute elsewhere: log for x > 0, log1p for x > -1, sin and cos up to 1e5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels._jit import bits_of, float_of, inlined
from autograd.kernels.polynomials import precision

__all__ = ["cos", "log", "log1p", "sin"]


def log(x: Any) -> Any:
    """Return the natural logarithm of x."""
    return np.log(x)


def log1p(x: Any) -> Any:
    """Return log(1 + x), without cancellation."""
    return np.log1p(x)


def sin(x: Any) -> Any:
    """Return the sine of x, in radians."""
    return np.sin(x)


def cos(x: Any) -> Any:
    """Return the cosine of x, in radians."""
    return np.cos(x)


# -- their code, chosen by the type of x -----------------------------------------------------------


def _log(x: Any, less: Any) -> Any:
    """Return log(x) - less for a normal number x > 0."""
    raise NotImplementedError


@inlined(_log)
def _(x: Any, less: Any) -> Callable[..., Any]:
    # With x = 2^n (1 + f), 1 + f in sqrt(1/2) ... sqrt(2), and s = f / (2 + f):
    # log(1 + f) = 2 artanh(s) = f - s (f - R), R = 2 s^2 / 3 + 2 s^4 / 5 ...
    c = precision(x)
    real, whole, two = c.real, c.whole, c.real(2)
    high, low, bits = c.log2_high, c.log2_low, c.bits
    root = c.whole(np.array(math.sqrt(0.5), real).view(c.whole)[()])
    terms = tuple(real(2 / k) for k in range(23 if real is np.float64 else 11, 1, -2))

    def code(x: Any, less: Any) -> Any:
        i = bits_of(x)
        whole_n = whole((i - root) >> bits)
        f = float_of(whole(i - (whole_n << bits))) - real(1)
        n = real(whole_n)
        s = f / (two + f)
        square = s * s
        R = real(0)
        for k in range(len(terms)):
            R = (R + terms[k]) * square
        return n * high + (f - ((s * (f - R) - n * low) + less))

    return code


@inlined(log)
def _(x: Any) -> Callable[..., Any]:
    real = precision(x).real
    zero, infinite, least = real(0), real(math.inf), np.finfo(real).tiny
    up, shift = real(2.0**64), real(64 * math.log(2))

    def code(x: Any) -> Any:
        tiny = x < least
        y = _log(x * up if tiny else x, shift if tiny else zero)
        return infinite if x == infinite else y

    return code


@inlined(log1p)
def _(x: Any) -> Callable[..., Any]:
    real = precision(x).real
    one, infinite, near = real(1), real(math.inf), real(2.0**-60)

    def code(x: Any) -> Any:
        u = one + x
        v = u if u < infinite else one
        y = _log(v, ((v - one) - x) / v)  # what was lost in u counts as much of it
        return x if abs(x) < near or x == infinite else y

    return code


# Their sum is pi / 2; products of the first two with integers up to 2^20 are exact.
_HALVES = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)


def _turned(x: Any, quarters: Any) -> Any:
    """Return the sine of x + quarters pi / 2."""
    raise NotImplementedError


@inlined(_turned)
def _(x: Any, quarters: Any) -> Callable[..., Any]:
    c = precision(np.float64(0) if str(x) != "float32" else x)
    real, magic, a, b, d = c.real, 1.5 * 2.0**52, *_HALVES
    sines = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(7, 0, -1))
    cosines = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(8, 0, -1))

    def code(x: Any, quarters: Any) -> Any:
        y = np.float64(x)
        n = y * (2 / math.pi) + magic
        q = bits_of(n) + quarters
        n = n - magic
        r = ((y - n * a) - n * b) - n * d
        square = r * r
        s, t = 0.0, 0.0
        for k in range(len(sines)):
            s = (s + sines[k]) * square
        for k in range(len(cosines)):
            t = (t + cosines[k]) * square
        value = 1.0 + t if q & 1 else r + r * s
        value = -value if q & 2 else value
        return real(value)

    return code


@inlined(sin)
def _(x: Any) -> Callable[..., Any]:
    def code(x: Any) -> Any:
        return _turned(x, 0)

    return code


@inlined(cos)
def _(x: Any) -> Callable[..., Any]:
    def code(x: Any) -> Any:
        return _turned(x, 1)

    return code
