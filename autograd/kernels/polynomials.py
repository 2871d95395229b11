"""Exponentials and their kin as polynomials, which a compiler turns into vector instructions; the
calls of a mathematical library stay calls, one number at a time, and take four to seven times as
long. Imports `_jit` and NumPy.

Each name stands for a function of one float32 or float64, for use in loops; in plain Python it is
NumPy's. Errors are at most 4 units in the last place. nan goes through, infinities give limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd.kernels._jit import bits_of, float_of, inlined

__all__ = ["erf", "erfc", "exp", "exp_minus_square", "expit", "expm1", "from_order", "order",
           "precision", "tanh"]  # fmt: skip


def exp(x: Any) -> Any:
    """Return e^x."""
    return np.exp(x)


def expm1(x: Any) -> Any:
    """Return e^x - 1, without cancellation."""
    return np.expm1(x)


def exp_minus_square(x: Any) -> Any:
    """Return e^(-x^2), of which the square is not rounded."""
    return np.exp(-x * x)


def expit(x: Any) -> Any:
    """Return 1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent of x."""
    return np.tanh(x)


def erf(x: Any) -> Any:
    """Return the error function of x."""
    return type(x)(math.erf(x))


def erfc(x: Any) -> Any:
    """Return 1 - erf(x), without cancellation."""
    return type(x)(math.erfc(x))


def order(x: Any) -> Any:
    """Return an integer that is larger where x is: the maximum of integers is a vector instruction,
    that of numbers, which may be nan, is none.
    """
    return x


def from_order(i: Any) -> Any:
    """Return the number of an `order`."""
    return i


# -- constants -------------------------------------------------------------------------------------

# P(u) in erfc(a) = e^(-a^2) t P(u) with t = 1 / (1 + 0.4 a) and u = t U + V; highest power first.
# Our own: Chebyshev's interpolation on 0 <= a <= 28, computed by mpmath, relative error 4e-17 ...
_ERFC_DOUBLE = (
    -9.998194772357346e-11, 2.1131184574839116e-10, 7.145123447024274e-10, -2.4972198849453924e-09,
    -7.171582130830571e-10, 1.4427573577749062e-08, -1.8996479011667883e-08, -4.63170153905303e-08,
    1.797264066497826e-07, -8.894035636380144e-09, -1.0649343654380177e-06, 1.4482684060556415e-06,
    5.24458525335683e-06, -1.497539981759909e-05, -2.6197960955271933e-05, 0.00012668799502792936,
    0.00019317509680320807, -0.001062740705067785, -0.0027855525436595394, 0.0069456788719593834,
    0.05568619094098547, 0.16758558596407, 0.3240935522069313, 0.4492528500565146,
)  # fmt: skip
# ... and the minimax fit on 0 <= a <= 11 of `special.erf_kernel`, relative error 1e-8.
_ERFC_SINGLE = (
    -0.02920581719, 0.1959030154, -0.4938492162, 0.5408180517, -0.2788636122, 0.2691130587,
    0.1307001309, 0.2147005331, 0.2249783053, 0.2257055586,
)  # fmt: skip


def _powers(count: int) -> tuple[float, ...]:
    """Return the coefficients of (e^r - 1) / r, highest power first, to r^(count - 1)."""
    return tuple(1 / math.factorial(k) for k in range(count, 0, -1))


def _erf_series(count: int) -> tuple[float, ...]:
    """Return the coefficients of erf(x) / x as a series in x^2, highest power first."""
    terms = [(-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(count)]
    return tuple(2 / math.sqrt(math.pi) * term for term in reversed(terms))


_KNOWN: dict[Any, dict[str, Any]] = {
    # log(2) in two parts: products of the first with small integers are exact. Adding `magic`
    # rounds to an integer, which the last bits of the sum then are.
    np.float32: {
        "log2_high": 0.693359375, "log2_low": -2.1219444005469057e-4, "magic": 1.5 * 2.0**23,
        "low": -104.0, "high": 89.0, "least": -126.0, "most": 127.0, "powers": _powers(7),
        "end": 11.0, "U": 1.0, "V": 0.0, "erfc": _ERFC_SINGLE, "erf": _erf_series(7),
        "head": ~0xFFF, "bits": 23, "bias": 127, "last": 31, "rest": 0x7FFFFFFF,
    },
    np.float64: {
        "log2_high": 6.93147180369123816490e-1, "log2_low": 1.90821492927058770002e-10,
        "magic": 1.5 * 2.0**52, "low": -746.0, "high": 710.0, "least": -1022.0, "most": 1023.0,
        "powers": _powers(13), "end": 28.0, "U": 2.1785714285714284, "V": -1.1785714285714286,
        "erfc": _ERFC_DOUBLE, "erf": _erf_series(13), "head": ~0x7FFFFFF, "bits": 52, "bias": 1023,
        "last": 63, "rest": 0x7FFFFFFFFFFFFFFF,
    },
}  # fmt: skip


def precision(x: Any) -> SimpleNamespace:
    """Return the constants for numbers of numba's type `x`, each as such a number (`real`) or an
    integer of the same length (`whole`); functions that stand in loops take theirs from here.
    """
    real, whole = (np.float32, np.int32) if str(x) == "float32" else (np.float64, np.int64)
    known = {
        k: tuple(map(real, v)) if isinstance(v, tuple) else (whole if type(v) is int else real)(v)
        for k, v in _KNOWN[real].items()
    }
    return SimpleNamespace(real=real, whole=whole, log2e=real(1 / math.log(2)), **known)


# -- their code, chosen by the type of x -----------------------------------------------------------


@inlined(order)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    whole, last, rest = c.whole, c.last, c.rest

    def code(x: Any) -> Any:
        bits = bits_of(x)  # of a negative number they count downwards, but for the sign
        return whole(bits ^ ((bits >> last) & rest))

    return code


@inlined(from_order)
def _(i: Any) -> Callable[..., Any]:
    c = precision("float32" if i.bitwidth == 32 else "float64")
    whole, last, rest = c.whole, c.last, c.rest

    def code(i: Any) -> Any:
        return float_of(whole(i ^ ((i >> last) & rest)))

    return code


def _horner(total: Any, r: Any, coefficients: Any) -> Any:
    """Go on by Horner's rule: times r, plus the next coefficient, again and again."""
    raise NotImplementedError


@inlined(_horner)
def _(total: Any, r: Any, coefficients: Any) -> Callable[..., Any]:
    def code(total: Any, r: Any, coefficients: Any) -> Any:
        for k in range(len(coefficients)):
            total = total * r + coefficients[k]
        return total

    return code


def _power(x: Any, more: Any) -> Any:
    """Return q and n with e^(x + more) = 2^n (1 + q); `more` is small."""
    raise NotImplementedError


@inlined(_power)
def _(x: Any, more: Any) -> Callable[..., Any]:
    c = precision(x)
    magic, log2e, log2_high, log2_low = c.magic, c.log2e, c.log2_high, c.log2_low
    low, high, first, powers = c.low, c.high, c.powers[0], c.powers[1:]

    def code(x: Any, more: Any) -> Any:
        x = low if x < low else x
        x = high if x > high else x
        n = (x * log2e + magic) - magic
        r = ((x - n * log2_high) - n * log2_low) + more
        return r * _horner(first, r, powers), n

    return code


def _two_to(n: Any) -> Any:
    """Return 2^n for an integer n, as a number of its own type, from `least` to `most`."""
    raise NotImplementedError


@inlined(_two_to)
def _(n: Any) -> Callable[..., Any]:
    c = precision(n)
    magic, whole, bias, bits = c.magic, c.whole, c.bias, c.bits

    def code(n: Any) -> Any:
        return float_of(whole((bits_of(n + magic) + bias) << bits))

    return code


def _scaled(q: Any, n: Any) -> Any:
    """Return 2^n (1 + q), also where 2^n is no normal number."""
    raise NotImplementedError


@inlined(_scaled)
def _(q: Any, n: Any) -> Callable[..., Any]:
    c = precision(q)
    least, most, one = c.least, c.most, c.real(1)

    def code(q: Any, n: Any) -> Any:
        near = least if n < least else n
        near = most if near > most else near
        return (q + one) * _two_to(near) * _two_to(n - near)

    return code


@inlined(exp)
def _(x: Any) -> Callable[..., Any]:
    zero = precision(x).real(0)

    def code(x: Any) -> Any:
        q, n = _power(x, zero)
        return _scaled(q, n)

    return code


@inlined(expm1)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    zero, one, least, most = c.real(0), c.real(1), c.least, c.most

    def code(x: Any) -> Any:
        q, n = _power(x, zero)
        near = least if n < least else n  # far below, where only the -1 counts
        near = most if near > most else near
        rest = n - near
        two = _two_to(near)
        return (two * q + (two - one)) * _two_to(zero if rest < zero else rest)

    return code


@inlined(exp_minus_square)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    head, end, whole = c.head, c.end, c.whole

    def code(x: Any) -> Any:
        a = abs(x)
        a = end if a > end else a
        b = float_of(whole(bits_of(a) & head))  # half of the digits, whose square is exact
        q, n = _power(-b * b, (b - a) * (b + a))
        return _scaled(q, n)

    return code


@inlined(expit)
def _(x: Any) -> Callable[..., Any]:
    one = precision(x).real(1)

    def code(x: Any) -> Any:
        return one / (one + exp(-x))

    return code


@inlined(tanh)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    zero, one, two, limit = c.real(0), c.real(1), c.real(2), c.real(-40)

    def code(x: Any) -> Any:
        # With m = e^(-2 |x|) - 1, which is 2^n (1 + q) - 1 where nothing overflows.
        y = -two * abs(x)
        q, n = _power(limit if y < limit else y, zero)
        scale = _two_to(n)
        m = scale * q + (scale - one)
        t = (zero - m) / (two + m)
        return -t if x < zero else t

    return code


@inlined(erfc)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    zero, one, two, slope = c.real(0), c.real(1), c.real(2), c.real(0.4)
    U, V, end, half = c.U, c.V, c.end, len(c.erfc) // 2
    some, others = c.erfc[:half], c.erfc[half:]  # loops over more than 16 are not unrolled

    def code(x: Any) -> Any:
        a = abs(x)
        a = end if a > end else a
        t = one / (one + slope * a)
        u = t * U + V
        p = exp_minus_square(a) * t * _horner(_horner(zero, u, some), u, others)
        return two - p if x < zero else p

    return code


@inlined(erf)
def _(x: Any) -> Callable[..., Any]:
    c = precision(x)
    half, one, first, series = c.real(0.5), c.real(1), c.erf[0], c.erf[1:]

    def code(x: Any) -> Any:
        near = half if x > half else (-half if x < -half else x)
        return x * _horner(first, near * near, series) if abs(x) < half else one - erfc(x)

    return code
