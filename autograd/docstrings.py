"""What `help` says of the functions that are rows of a table and so have no text of their own.

One entry each: what it computes, the derivative with respect to each operand, and the convention
where there is a choice. Formulas are what a user could type, with the names of the operands, `out`
for the result and `g` for its cotangent; the tests compute them. Imports the standard library only.
"""

from __future__ import annotations

__all__ = ["TABLES", "Entry", "Question"]


class Entry:
    """The text of one function.

    Attributes:
        meaning: a sentence.
        convention: the derivative at ties, kinks and singular points; "": there are none.
        derivatives: the formula for each operand, by its public name; None: it is a constant.
    """

    def __init__(self, meaning: str, convention: str = "", /, **derivatives: str | None) -> None:
        self.meaning, self.convention, self.derivatives = meaning, convention, derivatives

    def docstring(self) -> str:
        """Return the text as `help` shows it."""
        lines = [
            f"With respect to `{name}` it is a constant: a gradient is refused there."
            if formula is None
            else f"Derivative with respect to `{name}`: `{formula}`"
            for name, formula in self.derivatives.items()
        ]
        formulas = " ".join(filter(None, self.derivatives.values()))
        if "out" in formulas:
            lines.append("where `out` is the result.")
        if "g @" in formulas:
            lines.append("where `g` is the gradient of the result.")
        if self.convention:
            lines.append(f"Convention: {self.convention}.")
        return "\n".join([self.meaning, "", *lines]) + "\n"


class Question(Entry):
    """The text of a function without a derivative."""

    def docstring(self) -> str:
        """Return the text as `help` shows it."""
        return f"{self.meaning}\n\nWithout a derivative: the result is plain, of Variables, too.\n"


_HALF_EACH = "equal operands get half each"
_STEPS = "as between the steps"
_ENDS = "infinite at the ends of the domain"
_ORIGIN = "0 at the origin"
_SHARED = "half each where both operands are the same infinity"
_POWER = "x**0 has slope 0 at 0; nan for the exponent of a negative base"

_OPERATIONS = {
    # -- arithmetic
    "add": Entry("Add two arrays, element by element.", x1="1", x2="1"),
    "subtract": Entry("Subtract `x2` from `x1`, element by element.", x1="1", x2="-1"),
    "multiply": Entry("Multiply two arrays, element by element.", x1="x2", x2="x1"),
    "divide": Entry("Divide `x1` by `x2`, element by element.", x1="1 / x2", x2="-out / x2"),
    "power": Entry(
        "Raise `x1` to the power `x2`, element by element.",
        _POWER,
        x1="x2 * x1 ** (x2 - 1)",
        x2="out * log(x1)",
    ),
    "float_power": Entry(
        "Raise `x1` to the power `x2` in double precision, integers included.",
        _POWER,
        x1="x2 * x1 ** (x2 - 1)",
        x2="out * log(x1)",
    ),
    "floor_divide": Entry("Divide `x1` by `x2` and round down.", _STEPS, x1="0", x2="0"),
    "remainder": Entry(
        "Return what `floor_divide` leaves over, with the sign of `x2`.",
        _STEPS,
        x1="1",
        x2="-floor(x1 / x2)",
    ),
    "fmod": Entry(
        "Return what a division rounded towards 0 leaves over, with the sign of `x1`.",
        _STEPS,
        x1="1",
        x2="-trunc(x1 / x2)",
    ),
    "maximum": Entry(
        "Return the larger of two elements, nan where one of them is nan.",
        _HALF_EACH,
        x1="where(x1 > x2, 1, 0)",
        x2="where(x2 > x1, 1, 0)",
    ),
    "minimum": Entry(
        "Return the smaller of two elements, nan where one of them is nan.",
        _HALF_EACH,
        x1="where(x1 < x2, 1, 0)",
        x2="where(x2 < x1, 1, 0)",
    ),
    "fmax": Entry(
        "Return the larger of two elements, the number where the other is nan.",
        _HALF_EACH,
        x1="where(x1 > x2, 1, 0)",
        x2="where(x2 > x1, 1, 0)",
    ),
    "fmin": Entry(
        "Return the smaller of two elements, the number where the other is nan.",
        _HALF_EACH,
        x1="where(x1 < x2, 1, 0)",
        x2="where(x2 < x1, 1, 0)",
    ),
    "copysign": Entry("Give `x1` the sign of `x2`.", _ORIGIN, x1="sign(x1) * sign(x2)", x2="0"),
    "heaviside": Entry(
        "Return 0 where `x1` is negative, 1 where it is positive, and `x2` where it is 0.",
        "1 for the second operand where the first is 0",
        x1="0",
        x2="where(x1 == 0, 1, 0)",
    ),
    "nextafter": Entry(
        "Return the number that follows `x1` in its dtype on the way to `x2`.", x1="1", x2="0"
    ),
    "ldexp": Entry("Return `x1 * 2**x2` for integers `x2`.", x1="2.0 ** x2", x2=None),
    "negative": Entry("Change the sign.", x="-1"),
    "positive": Entry("Return a copy with the same sign.", x="1"),
    "absolute": Entry(
        "Return the absolute value, the length of a complex number.", "0 at 0", x="sign(x)"
    ),
    "fabs": Entry("Return the absolute value of real numbers.", "0 at 0", x="sign(x)"),
    "reciprocal": Entry("Return one over each element.", x="-(out**2)"),
    "square": Entry("Multiply each element by itself.", x="2 * x"),
    "sqrt": Entry(
        "Return the square root, nan of negative numbers.",
        "infinite at 0; 0 behind a mask",
        x="1 / (2 * out)",
    ),
    "cbrt": Entry("Return the real cube root.", "infinite at 0", x="1 / (3 * out**2)"),
    # -- steps
    "floor": Entry("Round down.", x="0"),
    "ceil": Entry("Round up.", x="0"),
    "trunc": Entry("Round towards 0.", x="0"),
    "fix": Entry("Round towards 0.", x="0"),
    "rint": Entry("Round to the nearest integer, halves to the even one.", x="0"),
    "spacing": Entry("Return the distance to the next larger number of the dtype.", x="0"),
    # -- exponentials and logarithms
    "exp": Entry("Raise e to the power of each element.", x="exp(x)"),
    "exp2": Entry("Raise 2 to the power of each element.", x="out * log(2)"),
    "expm1": Entry("Return `exp(x) - 1`, accurate near 0.", x="exp(x)"),
    "log": Entry("Return the natural logarithm.", "infinite at 0", x="1 / x"),
    "log2": Entry("Return the logarithm to base 2.", "infinite at 0", x="1 / (x * log(2))"),
    "log10": Entry("Return the logarithm to base 10.", "infinite at 0", x="1 / (x * log(10))"),
    "log1p": Entry("Return `log(1 + x)`, accurate near 0.", "infinite at -1", x="1 / (1 + x)"),
    "logaddexp": Entry(
        "Return `log(exp(x1) + exp(x2))` without overflow.",
        _SHARED,
        x1="exp(x1 - out)",
        x2="exp(x2 - out)",
    ),
    "logaddexp2": Entry(
        "Return `log2(2**x1 + 2**x2)` without overflow.",
        _SHARED,
        x1="2 ** (x1 - out)",
        x2="2 ** (x2 - out)",
    ),
    # -- trigonometric and hyperbolic functions, of radians
    "sin": Entry("Return the sine of an angle in radians.", x="cos(x)"),
    "cos": Entry("Return the cosine of an angle in radians.", x="-sin(x)"),
    "tan": Entry("Return the tangent of an angle in radians.", x="1 + out**2"),
    "sec": Entry("Return 1 / cos(x).", x="out * tan(x)"),
    "csc": Entry("Return 1 / sin(x).", x="-out / tan(x)"),
    "cot": Entry("Return 1 / tan(x).", x="-(1 + out**2)"),
    "arcsin": Entry(
        "Return the angle in [-pi/2, pi/2] with this sine.", _ENDS, x="1 / sqrt(1 - x**2)"
    ),
    "arccos": Entry(
        "Return the angle in [0, pi] with this cosine.", _ENDS, x="-1 / sqrt(1 - x**2)"
    ),
    "arctan": Entry("Return the angle in [-pi/2, pi/2] with this tangent.", x="1 / (1 + x**2)"),
    "arcsec": Entry(
        "Return arccos(1 / x), in [0, pi], of real |x| >= 1.",
        "infinite at -1 and 1",
        x="1 / (x**2 * sqrt(1 - 1 / x**2))",
    ),
    "arccsc": Entry(
        "Return arcsin(1 / x), in [-pi/2, pi/2], of real |x| >= 1.",
        "infinite at -1 and 1",
        x="-1 / (x**2 * sqrt(1 - 1 / x**2))",
    ),
    "arccot": Entry(
        "Return arctan(1 / x), in (-pi/2, pi/2]; pi/2 at 0.",
        "at 0, where it jumps, as from either side",
        x="-1 / (1 + x**2)",
    ),
    "sinh": Entry("Return the hyperbolic sine.", x="cosh(x)"),
    "cosh": Entry("Return the hyperbolic cosine.", x="sinh(x)"),
    "tanh": Entry("Return the hyperbolic tangent.", x="1 - out**2"),
    "sech": Entry("Return 1 / cosh(x).", x="-out * tanh(x)"),
    "csch": Entry("Return 1 / sinh(x).", x="-out / tanh(x)"),
    "coth": Entry("Return 1 / tanh(x).", x="-(csch(x) ** 2)"),
    "arcsinh": Entry("Return the number with this hyperbolic sine.", x="1 / sqrt(x**2 + 1)"),
    "arccosh": Entry(
        "Return the positive number with this hyperbolic cosine.",
        _ENDS,
        x="1 / sqrt(x**2 - 1)",
    ),
    "arctanh": Entry("Return the number with this hyperbolic tangent.", _ENDS, x="1 / (1 - x**2)"),
    "arcsech": Entry(
        "Return arccosh(1 / x), of real x in (0, 1].", _ENDS, x="-1 / (x * sqrt(1 - x**2))"
    ),
    "arccsch": Entry(
        "Return arcsinh(1 / x).", "not finite at 0", x="-1 / (x**2 * sqrt(1 + 1 / x**2))"
    ),
    "arccoth": Entry("Return arctanh(1 / x), of real |x| > 1.", _ENDS, x="1 / (1 - x**2)"),
    "arctan2": Entry(
        "Return the angle in [-pi, pi] of the point with ordinate `x1` and abscissa `x2`.",
        _ORIGIN,
        x1="x2 / (x1**2 + x2**2)",
        x2="-x1 / (x1**2 + x2**2)",
    ),
    "hypot": Entry(
        "Return the length of the hypotenuse over the legs `x1` and `x2`.",
        _ORIGIN,
        x1="x1 / out",
        x2="x2 / out",
    ),
    "degrees": Entry("Convert radians to degrees.", x="180 / pi"),
    "rad2deg": Entry("Convert radians to degrees.", x="180 / pi"),
    "radians": Entry("Convert degrees to radians.", x="pi / 180"),
    "deg2rad": Entry("Convert degrees to radians.", x="pi / 180"),
    "sinc": Entry("Return `sin(pi * x) / (pi * x)`.", "smooth at 0", x="(cos(pi * x) - out) / x"),
    # -- complex numbers
    "conjugate": Entry("Change the sign of the imaginary parts.", x="1"),
    # -- products
    "matmul": Entry(
        "Multiply matrices, stacks of them included: (..., m, n), (..., n, k) -> (..., m, k).\n\n"
        "A vector is a row as first and a column as second operand, whose axis the result lacks.",
        x1="g @ x2.mT",
        x2="x1.mT @ g",
    ),
    # -- comparisons and logic
    "less": Question("Tell where `x1` is below `x2`.", x1=None, x2=None),
    "less_equal": Question("Tell where `x1` is at most `x2`.", x1=None, x2=None),
    "greater": Question("Tell where `x1` is above `x2`.", x1=None, x2=None),
    "greater_equal": Question("Tell where `x1` is at least `x2`.", x1=None, x2=None),
    "equal": Question("Tell where two arrays have the same elements.", x1=None, x2=None),
    "not_equal": Question("Tell where two arrays have other elements.", x1=None, x2=None),
    "bitwise_and": Question("Keep the bits that are set in both operands.", x1=None, x2=None),
    "bitwise_or": Question("Keep the bits that are set in one operand at least.", x1=None, x2=None),
    "bitwise_xor": Question("Keep the bits that are set in one operand alone.", x1=None, x2=None),
    "bitwise_count": Question("Count the bits that are set in absolute values.", x=None),
    "left_shift": Question("Move bits `x2` places up.", x1=None, x2=None),
    "right_shift": Question("Move bits `x2` places down.", x1=None, x2=None),
    "invert": Question("Flip all bits; of bools, negate.", x=None),
    "logical_and": Question("Tell where both operands are true.", x1=None, x2=None),
    "logical_or": Question("Tell where one operand at least is true.", x1=None, x2=None),
    "logical_xor": Question("Tell where one operand alone is true.", x1=None, x2=None),
    "logical_not": Question("Tell where the operand is false.", x=None),
    "gcd": Question("Return the greatest common divisor of integers.", x1=None, x2=None),
    "lcm": Question("Return the least common multiple of integers.", x1=None, x2=None),
    "packbits": Question("Pack eight bools each into the bits of one byte."),
    "unpackbits": Question("Unpack the bits of bytes."),
    # -- questions
    "all": Question("Tell whether all elements over `axis` are true."),
    "any": Question("Tell whether one of the elements over `axis` is true."),
    "allclose": Question("Tell whether all elements of two arrays agree within tolerances."),
    "isclose": Question("Tell which elements of two arrays agree within tolerances."),
    "array_equal": Question("Tell whether two arrays have the same shape and elements."),
    "array_equiv": Question("Tell whether two arrays are equal once they are broadcast."),
    "count_nonzero": Question("Count the elements over `axis` that are not 0."),
    "iscomplex": Question("Tell which elements have an imaginary part other than 0."),
    "isreal": Question("Tell which elements have an imaginary part of 0."),
    "isfinite": Question("Tell which elements are neither infinite nor nan.", x=None),
    "isinf": Question("Tell which elements are infinite.", x=None),
    "isnan": Question("Tell which elements are nan.", x=None),
    "isnat": Question("Tell which dates are missing.", x=None),
    "isneginf": Question("Tell which elements are minus infinity."),
    "isposinf": Question("Tell which elements are plus infinity."),
    "isin": Question("Tell which elements occur among those of another array."),
    "signbit": Question("Tell where the sign is negative, that of -0.0 included.", x=None),
    # -- places
    "argmax": Question("Return the places of the largest elements over `axis`, of the first ones."),
    "argmin": Question("Return the places of the smallest elements over `axis`."),
    "nanargmax": Question("Return the places of the largest elements that are not nan."),
    "nanargmin": Question("Return the places of the smallest elements that are not nan."),
    "argsort": Question("Return the places that sort the elements along `axis`."),
    "argpartition": Question("Return the places that bring the `kth` elements where they belong."),
    "lexsort": Question("Return the places that sort by several keys, the last one first."),
    "argwhere": Question("Return the places of elements other than 0, a row each."),
    "nonzero": Question("Return the places of elements other than 0, an array for each axis."),
    "flatnonzero": Question("Return the places of elements other than 0 in the flattened array."),
    "searchsorted": Question("Return where elements would be inserted to keep an array sorted."),
    "digitize": Question("Return the number of the interval that each element falls into."),
    "ravel_multi_index": Question("Convert places along axes to places in the flattened array."),
    "unravel_index": Question("Convert places in the flattened array to places along axes."),
}

_LINALG: dict[str, Entry] = {
    "matrix_rank": Question("Return the number of singular values that count as not 0."),
}

_SPECIAL = {
    # -- the error function and the normal distribution
    "erf": Entry(
        "Return the error function, the integral of `2 / sqrt(pi) * exp(-(t**2))` from 0 to `x`.",
        x="2 / sqrt(pi) * exp(-(x**2))",
    ),
    "erfc": Entry("Return `1 - erf(x)`, accurate far out.", x="-2 / sqrt(pi) * exp(-(x**2))"),
    "erfcx": Entry(
        "Return `exp(x**2) * erfc(x)`, which does not underflow.", x="2 * x * out - 2 / sqrt(pi)"
    ),
    "erfinv": Entry(
        "Return the number with this error function.",
        "infinite at -1 and 1",
        x="sqrt(pi) / 2 * exp(out**2)",
    ),
    "erfcinv": Entry(
        "Return the number with this `erfc`.",
        "infinite at 0 and 2",
        x="-sqrt(pi) / 2 * exp(out**2)",
    ),
    "dawsn": Entry(
        "Return Dawson's integral, that of `exp(t**2 - x**2)` from 0 to `x`.", x="1 - 2 * x * out"
    ),
    "ndtri": Entry(
        "Return the quantile of the standard normal distribution, the inverse of `ndtr`.",
        "infinite at 0 and 1",
        x="sqrt(2 * pi) * exp(out**2 / 2)",
    ),
    "log_ndtr": Entry(
        "Return the logarithm of `ndtr`, accurate far below 0.",
        x="exp(-(x**2) / 2 - out) / sqrt(2 * pi)",
    ),
    # -- exponential integrals, dilogarithm
    "exp1": Entry(
        "Return the exponential integral E1, that of `exp(-t) / t` from `x` to infinity.",
        "infinite at 0",
        x="-exp(-x) / x",
    ),
    "expi": Entry(
        "Return the exponential integral Ei, that of `exp(t) / t` from minus infinity to `x`.",
        "infinite at 0",
        x="exp(x) / x",
    ),
    "spence": Entry(
        "Return Spence's function, the integral of `log(t) / (1 - t)` from 1 to `x`.",
        "-1 at 1, the limit",
        x="log(x) / (1 - x)",
    ),
    # -- logistic function and entropies
    "expit": Entry("Return the logistic function `1 / (1 + exp(-x))`.", x="out * (1 - out)"),
    "log_expit": Entry("Return the logarithm of `expit` without overflow.", x="expit(-x)"),
    "logit": Entry(
        "Return `log(x / (1 - x))`, the inverse of `expit`.",
        "infinite at 0 and 1",
        x="1 / (x * (1 - x))",
    ),
    "entr": Entry(
        "Return the term `-x * log(x)` of an entropy, 0 at 0 and minus infinity below.",
        "infinite at 0",
        x="-log(x) - 1",
    ),
    "xlogy": Entry(
        "Return `x * log(y)`, 0 where `x` is 0.", "nan for `y` at x = y = 0", x="log(y)", y="x / y"
    ),
    "xlog1py": Entry(
        "Return `x * log(1 + y)`, 0 where `x` is 0.",
        "nan for `y` at x = 0, y = -1",
        x="log1p(y)",
        y="x / (1 + y)",
    ),
    # -- gamma and beta functions
    "gamma": Entry(
        "Return the gamma function, `(x - 1)!` for integers.",
        "not finite at the poles 0, -1, -2 ...",
        x="out * digamma(x)",
    ),
    "gammaln": Entry(
        "Return the logarithm of the absolute value of the gamma function.",
        "not finite at the poles 0, -1, -2 ...",
        x="digamma(x)",
    ),
    "rgamma": Entry(
        "Return one over the gamma function, 0 at its poles.",
        "(-1)**n * n! at the poles x = -n of the gamma function, the limit",
        x="-out * digamma(x)",
    ),
    "gammasgn": Entry("Return the sign of the gamma function.", x="0"),
    "digamma": Entry(
        "Return the derivative of `gammaln`, also named `psi`.",
        "not finite at the poles 0, -1, -2 ...",
        x="polygamma(1, x)",
    ),
    "beta": Entry(
        "Return the beta function `gamma(a) * gamma(b) / gamma(a + b)`.",
        a="out * (digamma(a) - digamma(a + b))",
        b="out * (digamma(b) - digamma(a + b))",
    ),
    "betaln": Entry(
        "Return the logarithm of the absolute value of the beta function.",
        a="digamma(a) - digamma(a + b)",
        b="digamma(b) - digamma(a + b)",
    ),
    "gammainc": Entry(
        "Return the regularized lower incomplete gamma function, which rises from 0 to 1.",
        a=None,
        x="exp(xlogy(a - 1, x) - x - gammaln(a))",
    ),
    "gammaincc": Entry(
        "Return the regularized upper incomplete gamma function, `1 - gammainc(a, x)`.",
        a=None,
        x="-exp(xlogy(a - 1, x) - x - gammaln(a))",
    ),
    "zeta": Entry(
        "Return the zeta function of Hurwitz, the sum of `(q + n) ** -x` over n = 0, 1, 2 ...",
        x=None,
        q="-x * zeta(x + 1, q)",
    ),
    "stdtr": Entry(
        "Return the distribution function of Student's t with `df` degrees of freedom.",
        df=None,
        t="exp(gammaln((df + 1) / 2) - gammaln(df / 2)) / sqrt(pi * df)"
        " * (1 + t**2 / df) ** (-(df + 1) / 2)",
    ),
    # -- Bessel functions
    "jv": Entry(
        "Return the Bessel function of the first kind of order `v`.",
        v=None,
        z="(jv(v - 1, z) - jv(v + 1, z)) / 2",
    ),
    "yv": Entry(
        "Return the Bessel function of the second kind of order `v`.",
        v=None,
        z="(yv(v - 1, z) - yv(v + 1, z)) / 2",
    ),
    "iv": Entry(
        "Return the modified Bessel function of the first kind of order `v`.",
        v=None,
        z="(iv(v - 1, z) + iv(v + 1, z)) / 2",
    ),
    "kv": Entry(
        "Return the modified Bessel function of the second kind of order `v`.",
        v=None,
        z="-(kv(v - 1, z) + kv(v + 1, z)) / 2",
    ),
    "ive": Entry(
        "Return `iv(v, z) * exp(-abs(z))`, which does not overflow.",
        v=None,
        z="(ive(v - 1, z) + ive(v + 1, z)) / 2 - sign(z) * out",
    ),
    "kve": Entry(
        "Return `kv(v, z) * exp(z)`, which does not underflow.",
        v=None,
        z="out - (kve(v - 1, z) + kve(v + 1, z)) / 2",
    ),
    "j0": Entry("Return the Bessel function of the first kind of order 0.", x="-j1(x)"),
    "j1": Entry(
        "Return the Bessel function of the first kind of order 1.", x="(j0(x) - jv(2, x)) / 2"
    ),
    "y0": Entry("Return the Bessel function of the second kind of order 0.", x="-y1(x)"),
    "y1": Entry(
        "Return the Bessel function of the second kind of order 1.", x="(y0(x) - yv(2, x)) / 2"
    ),
    "i0": Entry("Return the modified Bessel function of the first kind of order 0.", x="i1(x)"),
    "i1": Entry(
        "Return the modified Bessel function of the first kind of order 1.",
        x="(i0(x) + iv(2, x)) / 2",
    ),
    "i0e": Entry("Return `i0(x) * exp(-abs(x))`.", x="i1e(x) - sign(x) * out"),
    "i1e": Entry("Return `i1(x) * exp(-abs(x))`.", x="(i0e(x) + ive(2, x)) / 2 - sign(x) * out"),
    "k0": Entry("Return the modified Bessel function of the second kind of order 0.", x="-k1(x)"),
    "k1": Entry(
        "Return the modified Bessel function of the second kind of order 1.",
        x="-(k0(x) + kv(2, x)) / 2",
    ),
    "k0e": Entry("Return `k0(x) * exp(x)`.", x="out - k1e(x)"),
    "k1e": Entry("Return `k1(x) * exp(x)`.", x="out - (k0e(x) + kve(2, x)) / 2"),
    "airy_ai": Entry("Return the Airy function Ai.", x="airy(x)[1]"),
}

# The entries of each public package.
TABLES: dict[str, dict[str, Entry]] = {
    "autograd": _OPERATIONS,
    "autograd.linalg": _LINALG,
    "autograd.special": _SPECIAL,
}
