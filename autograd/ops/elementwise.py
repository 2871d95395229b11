"""Elementwise functions: one row each, the NumPy function beside the derivative rule of each
operand.

Read a row as a line of a table of derivatives: `g` is the cotangent of the output, `out` the
output, `x` and `y` the operands. Broadcasting is undone by the engine, and so is the conjugation of
complex cotangents: rules multiply by the derivative as in a textbook. Angles are in radians unless
the name says degrees. Imports `calls`, `graph` and NumPy.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd.arrays import holds_nan, surely
from autograd.engine.calls import binary, holds, primitive, unary
from autograd.engine.primitive import same
from autograd.ops.plain import nonzero, plain

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "around",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "divmod",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fix",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "heaviside",
    "hypot",
    "imag",
    "ldexp",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "maximum",
    "minimum",
    "mod",
    "modf",
    "multiply",
    "nan_to_num",
    "negative",
    "nextafter",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "real",
    "reciprocal",
    "remainder",
    "rint",
    "round",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "spacing",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]

_LOG_2 = math.log(2)
_LOG_10 = math.log(10)
_DEGREE = math.pi / 180
_ndarray = np.ndarray
_FAST_PRODUCTS = frozenset({np.dtype(np.float32), np.dtype(np.float64)})

# -- arithmetic ------------------------------------------------------------------------------------


def _power(x: Any, y: Any) -> Any:
    """Return x^y; cubes and fourth powers as products, within a unit in the last place of NumPy's,
    which takes 50 times as long on 10^6 float64.
    """
    known = (y.__class__ is int or y.__class__ is float) and x.__class__ is _ndarray
    if known and y in (3, 4) and x.dtype in _FAST_PRODUCTS:
        square = x * x
        return square * (x if y == 3 else square)
    return x**y


def _power_x(g: Any, x: Any, y: Any, out_dtype: Any) -> Any:
    """Return y x^(y-1), with 0 at x = y = 0 where the formula says 0 * inf."""
    if isinstance(y, (int, float)):
        if y == 2:
            return g * (2 * x)
        return g * (y * _power(x, y - 1)) if y != 0 else np.zeros_like(g)
    y = floating(y, out_dtype)  # the y - 1 of small integers would wrap around
    slope = y * x ** (y - 1)
    if holds(~np.all(y), traced=True):
        slope = np.where((x == 0) & (y == 0), 0.0, slope)
    return g * slope


def _power_y(g: Any, out: Any, x: Any, y: Any) -> Any:
    """Return x^y log x; 0 at x = 0 with y >= 0, the limit from the right."""
    if isinstance(x, (int, float)) and x > 0:
        return g * (out * math.log(x))
    x = floating(x, out.dtype)
    return g * (out * np.log(np.where((x == 0) & (y >= 0), 1.0, x)))


def floating(x: Any, dtype: Any) -> Any:
    """Return integers and Python numbers as floating-point numbers of `dtype`."""
    if getattr(x, "dtype", np.dtype(int)).kind in "fc":
        return x
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


def _larger(g: Any, x: Any, y: Any) -> Any:
    """Give `g` to the larger operand, half each at a tie; a nan operand wins, as forward."""
    return np.where((x > y) | (x != x), g, np.where(x == y, g * 0.5, 0.0))  # noqa: PLR0124


def _smaller(g: Any, x: Any, y: Any) -> Any:
    return np.where((x < y) | (x != x), g, np.where(x == y, g * 0.5, 0.0))  # noqa: PLR0124


def _larger_not_nan(g: Any, x: Any, y: Any) -> Any:
    """As `_larger`, but a nan operand loses."""
    return np.where((x > y) | (y != y), g, np.where(x == y, g * 0.5, 0.0))  # noqa: PLR0124


def _smaller_not_nan(g: Any, x: Any, y: Any) -> Any:
    return np.where((x < y) | (y != y), g, np.where(x == y, g * 0.5, 0.0))  # noqa: PLR0124


def _zero(g: Any) -> Any:
    return np.zeros_like(g)


def _expit(x: Any) -> Any:
    with np.errstate(over="ignore"):  # then the result is 0, as it should be
        divisor = np.exp(x * -1.0)  # not -x: of unsigned integers that is positive
    divisor += 1.0
    return 1.0 / divisor


def _logistic_slope(x: Any) -> Any:
    e = np.exp(np.where(np.real(x) < 0, x, -x) if np.iscomplexobj(x) else -np.abs(x))
    divisor = e + 1.0
    divisor *= divisor
    return e / divisor


def _over_root(x: Any, y: Any) -> Any:
    """Return x (1 + y^2)^(-1/2), and x / |y| where the square overflows."""
    if surely(abs(np.vdot(y, y)) < math.inf):  # a tenth of the time of a look at each element
        return x / np.sqrt(1 + y * y)
    with np.errstate(over="ignore", invalid="ignore"):
        square = y * y
        size = np.where(np.real(y) < 0, -y, y)
        return np.where(np.isfinite(square), x / np.sqrt(1 + square), x / size)[()]


# fmt: off
add           = binary(np.add,      fast=operator.add, x=same, y=same)
subtract      = binary(np.subtract, fast=operator.sub, x=same, y=lambda g: -g)
multiply      = binary(np.multiply, fast=operator.mul, x=lambda g, y: g * y, y=lambda g, x: g * x)
divide        = binary(np.divide,   fast=operator.truediv,
                       x=lambda g, y: g / y,      y=lambda g, out, y: -g * out / y)
power         = binary(np.power, fast=_power, x=_power_x, y=_power_y)
float_power   = binary(np.float_power,              x=_power_x, y=_power_y)
remainder     = binary(np.remainder, fast=operator.mod,
                       x=same,                    y=lambda g, x, y: -g * np.floor_divide(x, y))
fmod          = binary(np.fmod,
                       x=same,                y=lambda g, x, y, out: -g * np.rint((x - out) / y))
floor_divide  = binary(np.floor_divide, fast=operator.floordiv, x=_zero, y=_zero)
maximum       = binary(np.maximum, makes_zeros=True,
                       x=_larger,                 y=lambda g, x, y: _larger(g, y, x))
minimum       = binary(np.minimum, makes_zeros=True,
                       x=_smaller,                y=lambda g, x, y: _smaller(g, y, x))
fmax          = binary(np.fmax, makes_zeros=True,
                       x=_larger_not_nan,         y=lambda g, x, y: _larger_not_nan(g, y, x))
fmin          = binary(np.fmin, makes_zeros=True,
                       x=_smaller_not_nan,        y=lambda g, x, y: _smaller_not_nan(g, y, x))
copysign      = binary(np.copysign,
                       x=lambda g, x, y: g * (np.sign(x) * np.copysign(np.sign(x), y)), y=_zero)
heaviside     = binary(np.heaviside, makes_zeros=True,
                       x=_zero,                   y=lambda g, x: np.where(x == 0, g, 0.0))
nextafter     = binary(np.nextafter, x=same, y=_zero)
ldexp         = binary(np.ldexp, x=lambda g, y: np.ldexp(g, y))  # noqa: PLW0108 - y is a need

negative      = unary(np.negative,   x=lambda g: -g)
positive      = unary(np.positive,   x=same)
absolute      = unary(np.absolute, preserves_dtype=False, x=lambda g, x: g * np.conj(np.sign(x)))
fabs          = unary(np.fabs,       x=lambda g, x: g * np.sign(x))
reciprocal    = unary(np.reciprocal, x=lambda g, out: -g * (out * out))
square        = unary(np.square,     x=lambda g, x: g * (2 * x))
sqrt          = unary(np.sqrt,       x=lambda g, out: g / (2 * out))
cbrt          = unary(np.cbrt,       x=lambda g, out: g / (3 * (out * out)))

# Piecewise constant: recorded, with a gradient of zero, so that a loss with them differentiates.
_real_sign    = unary(np.sign,  x=_zero)
floor         = unary(np.floor, x=_zero)
ceil          = unary(np.ceil,  x=_zero)
trunc         = unary(np.trunc, x=_zero)
rint          = unary(np.rint,  x=_zero)
fix           = unary(np.trunc, x=_zero, name="fix")
spacing       = unary(np.spacing, x=_zero)

# -- exponentials and logarithms -------------------------------------------------------------------
exp           = unary(np.exp,   x=lambda g, out: g * out)
exp2          = unary(np.exp2,  x=lambda g, out: g * (out * _LOG_2))
expm1         = unary(np.expm1, x=lambda g, x: g * np.exp(x))
log           = unary(np.log,   x=lambda g, x: g / x)
log2          = unary(np.log2,  x=lambda g, x: g / (x * _LOG_2))
log10         = unary(np.log10, x=lambda g, x: g / (x * _LOG_10))
log1p         = unary(np.log1p, x=lambda g, x: g / (1 + x))


# -- derivatives that are rows of their own, because theirs would cancel, overflow or underflow ----
# The logistic function and its slope, the derivatives of much in `special` and `nn`.
expit         = unary(_expit, name="expit", x=lambda g, x: g * logistic_slope(x))
logistic_slope = unary(_logistic_slope, name="logistic_slope",
                       x=lambda g, x, out: -g * (out * np.tanh(x / 2)))
# x / (1 + y^2), and x over the root of that
over_lorentz  = binary(lambda x, y: x / (1 + y * y), name="over_lorentz",
                       x=lambda g, y: over_lorentz(g, y),  # noqa: PLW0108 - y is a need
                       y=lambda g, y, out: g * (-2 * over_lorentz(y, y) * out))
over_root     = binary(_over_root, name="over_root",
                       x=lambda g, y: over_root(g, y),  # noqa: PLW0108 - likewise
                       y=lambda g, y, out: g * (-over_root(y, y) * over_root(1.0, y) * out))

# -- trigonometric and hyperbolic ------------------------------------------------------------------
sin           = unary(np.sin,     x=lambda g, x: g * np.cos(x))
cos           = unary(np.cos,     x=lambda g, x: -g * np.sin(x))
tan           = unary(np.tan,     x=lambda g, out: g * (1 + out * out))
arcsin        = unary(np.arcsin,  x=lambda g, x: g / np.sqrt(1 - x * x))
arccos        = unary(np.arccos,  x=lambda g, x: -g / np.sqrt(1 - x * x))
arctan        = unary(np.arctan,  x=lambda g, x: over_lorentz(g, x))  # noqa: PLW0108 - likewise
sinh          = unary(np.sinh,    x=lambda g, x: g * np.cosh(x))
cosh          = unary(np.cosh,    x=lambda g, x: g * np.sinh(x))
tanh          = unary(np.tanh,    x=lambda g, out: g * (1 - out * out))
arcsinh       = unary(np.arcsinh, x=lambda g, x: over_root(g, x))  # noqa: PLW0108 - likewise
arccosh       = unary(np.arccosh, x=lambda g, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)))
arctanh       = unary(np.arctanh, x=lambda g, x: g / (1 - x * x))
degrees       = unary(np.degrees, x=lambda g: g / _DEGREE)
radians       = unary(np.radians, x=lambda g: g * _DEGREE)
rad2deg       = unary(np.rad2deg, x=lambda g: g / _DEGREE)
deg2rad       = unary(np.deg2rad, x=lambda g: g * _DEGREE)
# fmt: on


def _x_over_square(x: Any, y: Any) -> Any:
    """Return x / (x^2 + y^2), with 0 at the origin, where the angle has no derivative.

    The length is divided by twice: its square would underflow below 1e-162 (1e-23 in float32).
    """
    r = _length(x, y)
    return x / r / r


def _x_over_length(x: Any, y: Any, r: Any) -> Any:  # noqa: ARG001 - the rules need y
    return x / (r + (r == 0))


def _length(x: Any, y: Any) -> Any:
    r = hypot(x, y)
    return r + (r == 0)


def _difference_of_squares(x: Any, y: Any) -> Any:
    return (x - y) * (x + y)


def _exact_difference(x: Any, y: Any) -> Any:
    """Return x - y, with 0 for two infinities that are alike."""
    out = x - y
    return np.where(x == y, 0.0, out)[()] if holds_nan(out) else out


# fmt: off
_over_square  = binary(_x_over_square, name="over_square",
                       x=lambda g, x, y, out: g * _difference_of_squares(_over_square(y, x), out),
                       y=lambda g, x, y, out: g * (-2 * out * _over_square(y, x)))
# x / r for the length r, with 0 at the origin, a subgradient of the length there.
_cosine       = primitive(
    name="cosine", nondiff=("r",), elementwise=True,
    x=lambda g, x, y, r: g * (_cosine(y, x, r) * (_cosine(y, x, r) / _length(x, y))),
    y=lambda g, x, y, r, out: -g * (out * (_cosine(y, x, r) / _length(x, y))),
)(_x_over_length)
_apart        = binary(_exact_difference, name="apart", x=same, y=lambda g: -g)

arctan2       = binary(np.arctan2,
                       x=lambda g, x, y: g * _over_square(y, x),
                       y=lambda g, x, y: -g * _over_square(x, y))
hypot         = binary(np.hypot,
                       x=lambda g, x, y, out: g * _cosine(x, y, out),
                       y=lambda g, x, y, out: g * _cosine(y, x, out))
# Shares from the difference of the operands, which is exact; out - x has the error of out.
logaddexp     = binary(np.logaddexp,
                       x=lambda g, x, y: g * expit(_apart(x, y)),
                       y=lambda g, x, y: g * expit(_apart(y, x)))
logaddexp2    = binary(np.logaddexp2,
                       x=lambda g, x, y: g * expit(_apart(x, y) * _LOG_2),
                       y=lambda g, x, y: g * expit(_apart(y, x) * _LOG_2))
# fmt: on


def sign(x: Any, /) -> Any:
    """Return -1, 0 or 1, with a gradient of zero; of complex numbers x / |x|, 0 at the origin."""
    if getattr(getattr(x, "dtype", None), "kind", "") != "c":
        return _real_sign(x)
    r = absolute(x)
    return x / where(r == 0, 1.0, r)


sign.primitive = _real_sign.primitive  # type: ignore[attr-defined]


def divmod(x: Any, y: Any, /) -> tuple[Any, Any]:
    """Return `(floor_divide(x, y), remainder(x, y))`."""
    return floor_divide(x, y), remainder(x, y)


@primitive(x=lambda g: np.zeros_like(g[1]) if g[0] is None else g[0], elementwise=True)
def modf(x: Any) -> Any:
    """Return the fractional and the integral part, both with the sign of `x`.

    The gradient is that of the fractional part: 1.
    """
    return np.modf(x)


@plain
def _exponent(x: Any) -> Any:
    return np.frexp(x)[1]


def frexp(x: Any) -> tuple[Any, Any]:
    """Return mantissa and integer exponent, with `x = mantissa * 2**exponent`.

    The exponent is piecewise constant: a plain array.
    """
    exponent = _exponent(x)
    return ldexp(x, -exponent), exponent


@primitive(a=_zero, elementwise=True)
def round(a: Any, decimals: int = 0) -> Any:
    """Round to `decimals` places, halves to even; gradient 0."""
    return np.round(a, decimals)


around = round


def _real_view(z: Any) -> Any:
    out = np.real(z)
    return out.view() if out is z else out  # each Variable has an array object of its own


# -- complex numbers -------------------------------------------------------------------------------
# Inside a backward pass cotangents are transposed, not conjugated (see "complex numbers" in
# docs/conventions.md): the cotangent of Re(x) is g, that of Im(x) is -i g, that of conj(x) is
# conj(g).

# fmt: off
conjugate     = unary(np.conjugate, x=lambda g: np.conjugate(g))  # noqa: PLW0108 - a rule has one g
_real         = unary(_real_view, name="real", preserves_dtype=False, x=same)
_imag         = unary(np.imag, preserves_dtype=False,
                      x=lambda g, x_dtype: g * -1j if x_dtype.kind == "c" else np.zeros_like(g))
# fmt: on


def real(val: Any) -> Any:
    """Return the real parts, with a gradient of 1; of real numbers themselves."""
    return _real(val)


def imag(val: Any) -> Any:
    """Return the imaginary parts, with a gradient of 1j; of real numbers 0 with a gradient of 0."""
    return _imag(val)


real.primitive, imag.primitive = _real.primitive, _imag.primitive  # type: ignore[attr-defined]


def _angle_slope(g: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.zeros_like(g)
    square = x.real * x.real + x.imag * x.imag
    return g * (-1j * np.conjugate(x) / np.where(square == 0, 1.0, square))


@primitive(z=lambda g, z, deg: _angle_slope(g / _DEGREE if deg else g, z), elementwise=True)
def angle(z: Any, deg: bool = False) -> Any:
    """Return the angle of complex numbers, in radians, or in degrees where `deg`.

    The gradient at the origin is 0.
    """
    return np.angle(z, deg=deg)


# -- choices ---------------------------------------------------------------------------------------


@primitive(
    name="where",
    x=lambda g, condition: np.where(condition, g, 0.0),
    y=lambda g, condition: np.where(condition, 0.0, g),
    nondiff=("condition",),
    elementwise=True,
    makes_zeros=True,
)
def _where(condition: Any, x: Any, y: Any) -> Any:
    return np.where(condition, x, y)


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Take elements of `x` where `condition` holds, of `y` elsewhere; of `condition` alone return
    the places where it holds, as `nonzero` does.

    The branch that was not taken gets a gradient of exactly zero, which stays zero whatever was
    computed to get there: `where(x > 0, sqrt(x), 0)` has gradient 0 at 0.
    """
    if x is y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError(
            "where: wanted both x and y or neither, got one; write where(mask, x, 0.0)"
        )
    return _where(condition, x, y)


where.primitive = _where.primitive  # type: ignore[attr-defined]


def _within(x: Any, a_min: Any, a_max: Any) -> Any:
    if a_min is None:
        return x <= a_max if a_max is not None else np.ones(np.shape(x), dtype=bool)
    return x >= a_min if a_max is None else (x >= a_min) & (x <= a_max)


def _clipped_below(g: Any, x: Any, a_min: Any, a_max: Any) -> Any:
    below = x < a_min
    return np.where(below if a_max is None else below & (a_min <= a_max), g, 0.0)


@primitive(
    name="clip",
    x=lambda g, x, a_min, a_max: np.where(_within(x, a_min, a_max), g, 0.0),
    a_min=_clipped_below,
    a_max=lambda g, x, a_min, a_max: np.where(
        x > a_max if a_min is None else (x > a_max) | (a_min > a_max), g, 0.0
    ),
    elementwise=True,
    makes_zeros=True,
)
def _clip(x: Any, a_min: Any, a_max: Any) -> Any:
    return np.clip(x, a_min, a_max)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit `a` to `[a_min, a_max]`, or `[min, max]`; either bound may be None.

    At a bound the gradient goes to `a`, outside to the bound; where the bounds cross, to `a_max`,
    which is the result there.

    Raises:
        ValueError: for a bound that is given under both of its names.
    """
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        msg = "clip: wanted a bound as a_min or min (a_max or max), got both"
        raise ValueError(msg)
    return _clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


def _sinc_slope(x: Any, out: Any) -> Any:
    """Return (cos(pi x) - sinc x) / x; near 0, where it cancels, its series.

    All derivatives can follow the series. The first term left out is 1e-17 of the sum.
    """
    turn = x if x.dtype.kind == "c" else x - 2 * np.rint(x / 2)  # exact, as math.pi * x is not
    slope = (np.cos(math.pi * turn) - out) / np.where(x == 0, 1.0, x)
    near = np.abs(x) < 0.25
    if not holds(np.any(near), traced=True):
        return slope
    y = (math.pi * np.where(near, x, 0.0)) ** 2
    series: Any = 1.0
    for k in range(8, 0, -1):
        series = 1 - y / (2 * k * (2 * k + 3)) * series
    return np.where(near, x * (-(math.pi**2) / 3 * series), slope)


sinc = unary(np.sinc, x=lambda g, x, out: g * _sinc_slope(x, out))


def _finite_parts(g: Any, x: Any) -> Any:
    """Keep the cotangent of what `nan_to_num` left alone, of each part of a complex number."""
    if x.dtype.kind != "c":
        return np.where(np.isfinite(x), g, 0.0)
    kept_real, kept_imag = np.isfinite(x.real), np.isfinite(x.imag)
    return np.where(kept_real, g.real, 0.0) + 1j * np.where(kept_imag, g.imag, 0.0)


@primitive(x=_finite_parts, elementwise=True, makes_zeros=True)
def nan_to_num(
    x: Any,
    copy: bool = True,  # noqa: ARG001 - NumPy has it
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Any:
    """Replace nan and infinities by numbers; the replaced elements have gradient 0."""
    return np.nan_to_num(x, copy=True, nan=nan, posinf=posinf, neginf=neginf)


# -- second names, as NumPy has them ---------------------------------------------------------------
abs, mod, pow, true_divide, conj = absolute, remainder, power, divide, conjugate
acos, asin, atan, atan2 = arccos, arcsin, arctan, arctan2
acosh, asinh, atanh = arccosh, arcsinh, arctanh
