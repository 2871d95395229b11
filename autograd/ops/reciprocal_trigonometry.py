"""Secant, cosecant and cotangent, their hyperbolic kin, and the inverses of all: one row each.

NumPy has none of them; MyGrad has most under these names. Angles are in radians. The inverses are
`arccos(1 / x)` and so on, with the branch that follows from it: `arccot` lies in (-pi/2, pi/2] and
jumps at 0. At a pole the value is infinite, as that of `1 / 0`. Real and complex; nothing overflows
for large real arguments. Imports `calls`, `elementwise` and NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import unary
from autograd.ops.elementwise import hypot, over_lorentz, tanh

__all__ = [
    "arccot",
    "arccoth",
    "arccsc",
    "arccsch",
    "arcsec",
    "arcsech",
    "cot",
    "coth",
    "csc",
    "csch",
    "sec",
    "sech",
]


def _sech(x: Any) -> Any:
    if np.iscomplexobj(x):
        return 1 / np.cosh(x)
    e = np.exp(-np.abs(x))
    return 2 * e / (1 + e * e)


def _csch(x: Any) -> Any:
    if np.iscomplexobj(x):
        return 1 / np.sinh(x)
    y = -np.abs(x)
    return np.copysign(2 * np.exp(y) / -np.expm1(2 * y), x)


# The derivatives of the inverses: no square of x or y = 1 / x stands alone, because it may overflow
# or underflow. What follows the branches of complex roots is infinity over infinity at a pole, so
# that real numbers have a formula of their own.


def _of_arcsec(x: Any) -> Any:
    y = 1 / x
    return y * (y / np.sqrt((1 - y) * (1 + y)))


def _of_arccsch(x: Any) -> Any:
    y = 1 / x
    if x.dtype.kind == "c":
        return -y * (y / (np.sqrt(y - 1j) * np.sqrt(y + 1j)))
    return -np.abs(y) / hypot(x, 1.0)


def _of_arcsech(x: Any) -> Any:
    y = 1 / x
    if x.dtype.kind == "c":
        return -y * (y / (np.sqrt(y - 1) * np.sqrt(y + 1)))
    return -y / np.sqrt((1 - x) * (1 + x))


def _of_arccoth(x: Any) -> Any:
    y = 1 / x
    return -y * (y / ((1 - y) * (1 + y)))


# fmt: off
sec     = unary(lambda x: 1/np.cos(x),     name="sec",     x=lambda g, x, out: g * out * np.tan(x))
csc     = unary(lambda x: 1/np.sin(x),     name="csc",     x=lambda g, x, out: -g * out / np.tan(x))
cot     = unary(lambda x: 1/np.tan(x),     name="cot",     x=lambda g, out: -g * (1 + out * out))
sech    = unary(_sech,                     name="sech",    x=lambda g, x, out: -g * out * tanh(x))
csch    = unary(_csch,                     name="csch",    x=lambda g, x, out: -g * out / tanh(x))
coth    = unary(lambda x: 1/np.tanh(x),    name="coth",    x=lambda g, x: -g * csch(x) ** 2)

arcsec  = unary(lambda x: np.arccos(1/x),  name="arcsec",  x=lambda g, x: g * _of_arcsec(x))
arccsc  = unary(lambda x: np.arcsin(1/x),  name="arccsc",  x=lambda g, x: -g * _of_arcsec(x))
arccot  = unary(lambda x: np.arctan(1/x),  name="arccot",  x=lambda g, x: -over_lorentz(g, x))
arcsech = unary(lambda x: np.arccosh(1/x), name="arcsech", x=lambda g, x: g * _of_arcsech(x))
arccsch = unary(lambda x: np.arcsinh(1/x), name="arccsch", x=lambda g, x: g * _of_arccsch(x))
arccoth = unary(lambda x: np.arctanh(1/x), name="arccoth", x=lambda g, x: g * _of_arccoth(x))
# fmt: on
