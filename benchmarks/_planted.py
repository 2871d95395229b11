"""Wrong rules planted in copies of real operations: what a gradient checker has to find.

Each `Plant` is a real operation, a copy of it with one thing wrong, and random inputs on which the
fault shows. The table is used by `planted_bugs.py` and, in part, by the test suite.
"""

# ruff: noqa: PLW0108 - a primitive reads the parameters of a Python function; NumPy's show none

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.extend import binary, primitive, unary
from autograd.testing import check_function, check_gradients

Make = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass
class Plant:
    """One planted bug.

    Attributes:
        kind: what is wrong, in a word.
        name: the operation and the fault.
        original: the operation that the copy is of.
        wrong: the copy.
        make: makes inputs for both from a random generator.
        options: of the checker.
        checker: `check_gradients` or `check_function`.
    """

    kind: str
    name: str
    original: Callable[..., Any]
    wrong: Callable[..., Any]
    make: Make
    options: dict[str, Any] = field(default_factory=dict)
    checker: Callable[..., Any] = check_gradients


PLANTS: list[Plant] = []

# -- inputs --------------------------------------------------------------------------------------


def shape_of(rng: np.random.Generator, dims: tuple[int, int] = (0, 3)) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, 4, rng.integers(*dims)))


def real(rng: np.random.Generator) -> tuple[Any, ...]:
    return (away(rng, shape_of(rng)),)


def positive(rng: np.random.Generator) -> tuple[Any, ...]:
    return (rng.uniform(0.2, 3.0, shape_of(rng)),)


def unit(rng: np.random.Generator) -> tuple[Any, ...]:
    x = rng.uniform(0.1, 0.9, shape_of(rng))
    return (x * rng.choice((-1, 1), x.shape),)


def away(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers of both signs, away from zero."""
    return rng.uniform(0.2, 2.0, shape) * rng.choice((-1.0, 1.0), shape)


def pair(rng: np.random.Generator) -> tuple[Any, ...]:
    """Two arrays that broadcast."""
    shape = shape_of(rng, (1, 3))
    other = tuple(1 if rng.random() < 0.4 else n for n in shape)[int(rng.integers(0, 2)) :]
    arrays = [away(rng, shape), away(rng, other)]
    return tuple(arrays if rng.random() < 0.5 else arrays[::-1])


def positive_pair(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(np.abs(a) + 0.1 for a in pair(rng))


def tied(rng: np.random.Generator) -> tuple[Any, ...]:
    """Two arrays, equal in at least one place."""
    x = rng.permutation(np.arange(4.0))
    y = rng.permutation(np.arange(4.0))
    y[0] = x[0]
    return x, y


def matrices(rng: np.random.Generator) -> tuple[Any, ...]:
    n = int(rng.integers(2, 4))
    return away(rng, (n, n)), away(rng, (n, n))


def square(rng: np.random.Generator) -> tuple[Any, ...]:
    return (matrices(rng)[0],)


def three_by_three(rng: np.random.Generator) -> tuple[Any, ...]:
    return (away(rng, (3, 3)),)


def dominant(rng: np.random.Generator) -> tuple[Any, ...]:
    n = int(rng.integers(2, 4))
    return (rng.uniform(-1, 1, (n, n)) + np.diag(3.0 + np.arange(n)),)


def vector(rng: np.random.Generator) -> tuple[Any, ...]:
    return (away(rng, (int(rng.integers(3, 6)),)),)


def distinct(rng: np.random.Generator) -> tuple[Any, ...]:
    """Distinct values, in an order that is neither sorted nor its own inverse."""
    while True:
        order = rng.permutation(int(rng.integers(4, 7)))
        if not np.array_equal(order[order], np.arange(order.size)):
            return (order + rng.uniform(-0.2, 0.2, order.size),)


def complex_(rng: np.random.Generator) -> tuple[Any, ...]:
    shape = shape_of(rng)
    return (away(rng, shape) + 1j * away(rng, shape),)


def at(*values: Any) -> Make:
    """The same inputs always: points that random numbers do not hit."""
    return lambda _: tuple(np.array(v, dtype=float) for v in values)


def single(make: Make) -> Make:
    """The inputs of another domain in single precision."""
    return lambda rng: tuple(a.astype(np.float32) for a in make(rng))


# -- planting ------------------------------------------------------------------------------------


def plant(
    kind: str, name: str, original: Any, wrong: Any, make: Make = real, **options: Any
) -> None:
    PLANTS.append(Plant(kind, name, original, wrong, make, options))


def one(kind: str, name: str, function: Any, rule: Any, make: Make = real) -> None:
    """Plant a rule in a copy of a function of one operand, given by its NumPy function."""
    original = getattr(autograd, function.__name__)
    plant(kind, f"{function.__name__}: {name}", original, unary(function, x=rule), make)


def two(kind: str, name: str, function: Any, make: Make = pair, **changed: Any) -> None:
    """Plant a rule in a copy of a function of two operands; the other rule is the original's."""
    original = getattr(autograd, function.__name__)
    rules = {**original.primitive.rules, **changed}
    plant(kind, f"{function.__name__}: {name}", original, binary(function, **rules), make)


def general(kind: str, name: str, original: Any, forward: Any, make: Make, **settings: Any) -> None:
    """Plant rules in a copy of any operation."""
    wrong = primitive(name=name.partition(":")[0], **settings)(forward)
    plant(kind, name, original, wrong, make)


def plain(value: Any) -> Any:
    """What a rule must not do: leave the graph."""
    return value.data if isinstance(value, Variable) else value


# -- sign ----------------------------------------------------------------------------------------
two("sign", "subtrahend with a plus", np.subtract, y=lambda g: g)
two("sign", "denominator with a plus", np.divide, y=lambda g, out, y: g * out / y)
one("sign", "sine without the minus", np.cos, lambda g, x: g * np.sin(x))
one("sign", "without the minus", np.negative, lambda g: g)
one("sign", "without the minus", np.reciprocal, lambda g, out: g * (out * out))
one("sign", "without the minus", np.arccos, lambda g, x: g / np.sqrt(1 - x * x), unit)
one("sign", "cosh is even, not odd", np.cosh, lambda g, x: -g * np.sinh(x))
two("sign", "second operand with a plus", np.arctan2, y=lambda g, x, y: g * x / (x * x + y * y))

# -- factor --------------------------------------------------------------------------------------
one("factor", "x instead of 2 x", np.square, lambda g, x: g * x)
one("factor", "without the 2", np.sqrt, lambda g, out: g / out, positive)
one("factor", "2 instead of 3", np.cbrt, lambda g, out: g / (2 * (out * out)))
one("factor", "without log 2", np.exp2, lambda g, out: g * out)
one("factor", "without log 2", np.log2, lambda g, x: g / x, positive)
one("factor", "log 2 instead of log 10", np.log10, lambda g, x: g / (x * math.log(2)), positive)
one("factor", "inverted", np.degrees, lambda g: g * (math.pi / 180))
one("factor", "a rounded constant", np.radians, lambda g: g * 0.0174533)
two("factor", "exponent forgotten", np.power, positive_pair, x=lambda g, x, y: g * x ** (y - 1))

# -- wrong formula -------------------------------------------------------------------------------
one("formula", "1 - tanh instead of 1 - tanh^2", np.tanh, lambda g, out: g * (1 - out))
one("formula", "sinh of itself", np.sinh, lambda g, x: g * np.sinh(x))
one("formula", "output without the 1", np.expm1, lambda g, out: g * out)
one("formula", "1/x instead of 1/(1 + x)", np.log1p, lambda g, x: g / x, positive)
one("formula", "minus under the root", np.arcsin, lambda g, x: g / np.sqrt(1 + x * x), unit)
one("formula", "plus in the denominator", np.arctanh, lambda g, x: g / (1 + x * x), unit)
one("formula", "square of x, not of cos x", np.tan, lambda g, x: g * (1 + x * x))
two("formula", "exponent not lowered", np.power, positive_pair, x=lambda g, out, y: g * y * out)
two(
    "formula",
    "log of the exponent",
    np.power,
    positive_pair,
    y=lambda g, out, y: g * out * np.log(y),
)
two("formula", "not divided by the length", np.hypot, x=lambda g, x: g * x)
two("formula", "operands swapped", np.arctan2, x=lambda g, x, y: g * x / (x * x + y * y))
two("formula", "weights swapped", np.logaddexp, x=lambda g, y, out: g * np.exp(y - out))
two("formula", "own operand instead of the other", np.multiply, x=lambda g, x: g * x)

# -- missing term --------------------------------------------------------------------------------
two("missing term", "second operand constant", np.divide, y=lambda g: np.zeros_like(g))
two("missing term", "first operand constant", np.multiply, x=lambda g: np.zeros_like(g))


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _std_scale(x: Any) -> Any:
    return x - x.mean(axis=-1, keepdims=True)


general(
    "missing term",
    "softmax: without the sum",
    lambda x: autograd.softmax(x),
    _softmax,
    vector,
    x=lambda g, out: g * out,
)
general(
    "missing term",
    "var: mean not subtracted",
    lambda x: autograd.var(x),
    lambda x: np.var(x),
    vector,
    x=lambda g, x: g * 2 * x / x.size,
)


@primitive(x=lambda g, x: g * np.ones_like(x))
def _logsumexp(x: Any) -> Any:
    top = x.max(axis=-1, keepdims=True)
    return np.log(np.exp(x - top).sum(axis=-1, keepdims=True)) + top


plant(
    "missing term",
    "logsumexp: without the weights",
    lambda x: autograd.log(autograd.sum(autograd.exp(x), axis=-1, keepdims=True)),
    _logsumexp,
    vector,
)

# -- transposed ----------------------------------------------------------------------------------


def _matmul(x: Any, y: Any) -> Any:
    return np.matmul(x, y)


def _x_rule(g: Any, y: Any) -> Any:
    return g @ np.swapaxes(y, -1, -2)


def _y_rule(g: Any, x: Any) -> Any:
    return np.swapaxes(x, -1, -2) @ g


for _name, _rules in {
    "second factor not transposed": {"x": lambda g, y: g @ y, "y": _y_rule},
    "first factor not transposed": {"x": _x_rule, "y": lambda g, x: x @ g},
    "result transposed": {"x": _x_rule, "y": lambda g, x: np.swapaxes(g, -1, -2) @ x},
    "factors in the wrong order": {"x": lambda g, y: np.swapaxes(y, -1, -2) @ g, "y": _y_rule},
}.items():
    general(
        "transposed",
        f"matmul: {_name}",
        lambda x, y: autograd.matmul(x, y),
        _matmul,
        matrices,
        **_rules,
    )

general(
    "transposed",
    "transpose: axes not inverted",
    lambda x: autograd.transpose(x, (1, 2, 0)),
    lambda x: np.transpose(x, (1, 2, 0)),
    lambda rng: (away(rng, (2, 2, 2)),),
    x=lambda g: np.transpose(g, (1, 2, 0)),
)
general(
    "transposed",
    "transpose: reshaped instead of transposed back",
    lambda x: autograd.transpose(x),
    lambda x: np.transpose(x),
    lambda rng: (away(rng, (2, 3)),),
    x=lambda g, x_shape: g.reshape(x_shape),
)
general(
    "transposed",
    "inv: inverse not transposed",
    lambda x: autograd.linalg.inv(x),
    lambda x: np.linalg.inv(x),
    dominant,
    x=lambda g, out: -(out @ g @ out),
)
general(
    "transposed",
    "det: inverse not transposed",
    lambda x: autograd.linalg.det(x),
    lambda x: np.linalg.det(x),
    dominant,
    x=lambda g, x, out: g * out * np.linalg.inv(x),
)

# -- missing or wrong reduction ------------------------------------------------------------------
_along = {"axis": 1}


def _sum(x: Any) -> Any:
    return np.sum(x, axis=1)


def _mean(x: Any) -> Any:
    return np.mean(x, axis=1)


general(
    "reduction",
    "sum: broadcast along the wrong axis",
    lambda x: autograd.sum(x, axis=1),
    _sum,
    three_by_three,
    x=lambda g, x_shape: np.broadcast_to(g, x_shape),
)
general(
    "reduction",
    "mean: not divided",
    lambda x: autograd.mean(x, axis=1),
    _mean,
    three_by_three,
    x=lambda g, x_shape: np.broadcast_to(g[:, None], x_shape),
)
general(
    "reduction",
    "mean: divided by the number of all elements",
    lambda x: autograd.mean(x, axis=1),
    _mean,
    three_by_three,
    x=lambda g, x, x_shape: np.broadcast_to(g[:, None], x_shape) / x.size,
)
general(
    "reduction",
    "var: n instead of n - 1",
    lambda x: autograd.var(x, ddof=1),
    lambda x: np.var(x, ddof=1),
    vector,
    x=lambda g, x: g * 2 * (x - np.mean(x)) / x.size,
)
general(
    "reduction",
    "add: first row instead of the sum over a broadcast axis",
    lambda x, y: autograd.add(x, y),
    lambda x, y: x + y,
    lambda rng: (away(rng, (3, 2)), away(rng, (2,))),
    x=lambda g: g,
    y=lambda g: g[0],
)
general(
    "reduction",
    "add: mean instead of the sum over a broadcast axis",
    lambda x, y: autograd.add(x, y),
    lambda x, y: x + y,
    lambda rng: (away(rng, (3, 2)), away(rng, (2,))),
    x=lambda g: g,
    y=lambda g: np.mean(g, axis=0),
)
general(
    "reduction",
    "add: no sum over a broadcast axis",
    lambda x, y: autograd.add(x, y),
    lambda x, y: x + y,
    lambda rng: (away(rng, (3, 2)), away(rng, (2,))),
    x=lambda g: g,
    y=lambda g: g,
)
general(
    "reduction",
    "cumsum: not reversed",
    lambda x: autograd.cumsum(x),
    lambda x: np.cumsum(x),
    vector,
    x=lambda g: np.cumsum(g),
)
general(
    "reduction",
    "prod: divides by zero",
    lambda x: autograd.prod(x),
    lambda x: np.prod(x),
    at([2.0, 0.0, 3.0]),
    x=lambda g, x, out: g * out / np.where(x == 0, 1.0, x),
)

# -- ties and kinks ------------------------------------------------------------------------------
two(
    "kink",
    "both get all at a tie",
    np.maximum,
    tied,
    x=lambda g, x, y: np.where(x >= y, g, 0.0),
    y=lambda g, x, y: np.where(y >= x, g, 0.0),
)
two(
    "kink",
    "nobody gets anything at a tie",
    np.maximum,
    tied,
    x=lambda g, x, y: np.where(x > y, g, 0.0),
    y=lambda g, x, y: np.where(y > x, g, 0.0),
)
two(
    "kink",
    "the larger one wins",
    np.minimum,
    x=lambda g, x, y: np.where(x > y, g, 0.0),
    y=lambda g, x, y: np.where(y > x, g, 0.0),
)
one(
    "kink",
    "3 at zero",
    np.absolute,
    lambda g, x: g * np.where(x == 0, 3.0, np.sign(x)),
    at([0.0, 1.0, -2.0]),
)
one("kink", "sign forgotten", np.absolute, lambda g: g, at([-0.5, 1.0, -2.0]))


def _relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


_original_relu = lambda x: autograd.maximum(x, 0.0)
plant(
    "kink",
    "relu: -1 at zero",
    _original_relu,
    unary(_relu, x=lambda g, x: g * np.where(x == 0, -1.0, x > 0)),
    at([0.0, 1.0, -2.0]),
)
plant(
    "kink",
    "relu: leaks below zero",
    _original_relu,
    unary(_relu, x=lambda g, x: g * np.where(x > 0, 1.0, 0.01)),
    at([-0.5, 1.0, -2.0]),
)
plant(
    "kink",
    "relu: wrong threshold",
    _original_relu,
    unary(_relu, x=lambda g, x: g * (x > 0.5)),
    at([0.25, 1.0, -2.0]),
)
_clip = lambda x: np.clip(x, -1.0, 1.0)
_original_clip = lambda x: autograd.clip(x, -1.0, 1.0)
plant(
    "kink",
    "clip: passes outside the bounds",
    _original_clip,
    unary(_clip, name="clip", x=lambda g: g),
    at([-2.0, 0.5, 1.0]),
)
plant(
    "kink",
    "clip: 2 at a bound",
    _original_clip,
    unary(_clip, name="clip", x=lambda g, x: g * np.where(np.abs(x) == 1, 2.0, np.abs(x) < 1)),
    at([-1.0, 0.5, 1.0]),
)
general(
    "kink",
    "max: every largest element gets all",
    lambda x: autograd.max(x),
    lambda x: np.max(x),
    at([1.0, 2.0, 2.0]),
    x=lambda g, x, out: g * (x == out),
)
general(
    "kink",
    "max: spread over all elements",
    lambda x: autograd.max(x),
    lambda x: np.max(x),
    vector,
    x=lambda g, x: g * np.ones_like(x) / x.size,
)
general(
    "kink",
    "sort: not put back in order",
    lambda x: autograd.sort(x),
    lambda x: np.sort(x),
    distinct,
    x=lambda g: g,
)
general(
    "kink",
    "sort: permuted by the order instead of its inverse",
    lambda x: autograd.sort(x),
    lambda x: np.sort(x),
    distinct,
    x=lambda g, x: g[np.argsort(plain(x))],
)

# -- precision and dtype -------------------------------------------------------------------------
one("dtype", "output kept in single precision", np.exp, lambda g, out: g * out.astype(np.float32))
one(
    "dtype", "operand kept in half precision", np.sin, lambda g, x: g * np.cos(x.astype(np.float16))
)
one(
    "dtype",
    "a constant in single precision",
    np.exp2,
    lambda g, out: g * (out * float(np.float32(math.log(2)))),
)
one(
    "dtype",
    "wrong in single precision only",
    np.tanh,
    lambda g, out: g * (1 - out * out) * (1.05 if g.dtype == np.float32 else 1.0),
    single(unit),
)
one(
    "dtype",
    "overflows in single precision",
    np.log,
    lambda g, x: (
        g * (1e30 * x) / (x * x * 1e30)
        if g.dtype != np.float32
        else g * (x * 1e30) / ((x * 1e30) * (x * 1e30)) * 1e30
    ),
    single(positive),
)

# -- buffers and purity --------------------------------------------------------------------------


def _in_place_out(g: Any, out: Any) -> Any:
    if isinstance(out, Variable):
        return g * (1 - out * out)
    out *= -out
    out += 1
    out *= g
    return out


def _in_place_g(g: Any, x: Any) -> Any:
    if isinstance(g, Variable) or not g.ndim:
        return g * np.cos(x)
    g *= np.cos(x)
    return g


_sin_in_place = unary(np.sin, name="sin", x=_in_place_g)
_BUFFERS: dict[tuple[int, ...], Any] = {}


def _shared_buffer(x: Any) -> Any:
    """Return results in an array that the next call of the same shape writes over."""
    if np.iscomplexobj(x):
        return np.exp(x)
    buffer = _BUFFERS.setdefault(np.shape(x), np.empty(np.shape(x)))
    buffer[...] = np.exp(x)
    return buffer


def _writes_input(x: Any) -> Any:
    x *= 2
    return x * 0.5 + 0.0


_noise = np.random.default_rng(0)
one("buffer", "the rule writes into the saved output", np.tanh, _in_place_out, vector)
plant(
    "buffer",
    "sin: the rule writes into its incoming gradient, which add has handed to both",
    lambda x: autograd.sin(x) + x,
    lambda x: _sin_in_place(x) + x,
    vector,
)
plant(
    "buffer",
    "exp: one buffer for all calls",
    autograd.exp,
    unary(_shared_buffer, name="exp", x=lambda g, out: g * out),
    vector,
)
plant(
    "buffer",
    "identity: writes into its input",
    autograd.positive,
    unary(_writes_input, x=lambda g: g),
    vector,
)
plant(
    "buffer",
    "identity: noise in the value",
    autograd.positive,
    unary(lambda x: x + 1e-7 * _noise.normal(size=np.shape(x)), name="positive", x=lambda g: g),
    vector,
)

# -- not linear in the cotangent -----------------------------------------------------------------
one("linearity", "g squared", np.sin, lambda g, x: g * g * np.cos(x))
one("linearity", "clips the gradient", np.exp, lambda g, out: np.clip(g, -1.0, 1.0) * out)
one("linearity", "adds a weight decay", np.sin, lambda g, x: g * np.cos(x) + 1e-3 * x)

# -- second derivatives --------------------------------------------------------------------------
one("second order", "output leaves the graph", np.tanh, lambda g, out: g * (1 - plain(out) ** 2))
one("second order", "operand leaves the graph", np.sin, lambda g, x: g * np.cos(plain(x)))
one("second order", "gradient leaves the graph", np.square, lambda g, x: plain(g) * (2 * x))
_bad_cos = unary(np.cos, name="cos", x=lambda g, x: g * np.sin(x))
one("second order", "built on a wrong cosine", np.sin, lambda g, x: g * _bad_cos(x))
two(
    "second order",
    "slope kept as a constant",
    np.power,
    positive_pair,
    x=lambda g, x, y: g * plain(y * x ** (y - 1)),
)
two("second order", "other operand kept as a constant", np.multiply, x=lambda g, y: g * plain(y))
one(
    "second order",
    "other value on Variables",
    np.exp,
    lambda g, out: g * out * (1.5 if isinstance(g, Variable) else 1.0),
)

# -- indices and shapes --------------------------------------------------------------------------
_INDEX = np.array([0, 2, 0, 1])


def _overwrite(g: Any, x_shape: tuple[int, ...]) -> Any:
    """Scatter without adding up; linear, and right without duplicates."""
    last = np.zeros((g.shape[0], x_shape[0]))
    for position, i in enumerate(_INDEX):
        last[:, i] = 0
        last[position, i] = 1
    return g @ last


general(
    "index",
    "take: duplicate indices do not add up",
    lambda x: autograd.take(x, _INDEX),
    lambda x: x[_INDEX],
    lambda rng: (away(rng, (3,)),),
    x=_overwrite,
)
general(
    "index",
    "roll: rolled the same way",
    lambda x: autograd.roll(x, 1),
    lambda x: np.roll(x, 1),
    vector,
    x=lambda g: np.roll(g, 1),
)
general(
    "index",
    "flip: not flipped back",
    lambda x: autograd.flip(x),
    lambda x: np.flip(x),
    vector,
    x=lambda g: g,
)
general(
    "index",
    "repeat: not summed",
    lambda x: autograd.repeat(x, 2),
    lambda x: np.repeat(x, 2),
    vector,
    x=lambda g: g[::2],
)
general(
    "index",
    "tile: tiles as if repeated",
    lambda x: autograd.tile(x, 2),
    lambda x: np.tile(x, 2),
    vector,
    x=lambda g: g.reshape(-1, 2).sum(axis=1),
)
general(
    "index",
    "pad: cropped at the wrong place",
    lambda x: autograd.pad(x, (1, 2)),
    lambda x: np.pad(x, (1, 2)),
    vector,
    x=lambda g: g[2:-1],
)
general(
    "index",
    "diagonal: offset ignored",
    lambda x: autograd.diagonal(x, 1),
    lambda x: np.diagonal(x, 1),
    square,
    x=lambda g: np.pad(np.diag(g), (0, 1)),
)
general(
    "index",
    "concatenate: parts exchanged",
    lambda x, y: autograd.concatenate([x, y]),
    lambda x, y: np.concatenate([x, y]),
    lambda rng: (away(rng, (2,)), away(rng, (2,))),
    x=lambda g: g[2:],
    y=lambda g: g[:2],
)
general(
    "index",
    "where: both branches get all",
    lambda x, y: autograd.where([True, False], x, y),
    lambda x, y: np.where([True, False], x, y),
    lambda rng: (away(rng, (2,)), away(rng, (2,))),
    x=lambda g: g,
    y=lambda g: g,
)
general(
    "index",
    "tril: upper triangle of the gradient",
    lambda x: autograd.tril(x),
    lambda x: np.tril(x),
    square,
    x=lambda g: np.triu(g),
)

# -- complex numbers -----------------------------------------------------------------------------
one("complex", "not conjugated", np.absolute, lambda g, x: g * np.sign(x), complex_)
one("complex", "not conjugated", np.conjugate, lambda g: g, complex_)
one("complex", "wrong sign of i", np.imag, lambda g: g * 1j, complex_)
one("complex", "conjugated once too often", np.exp, lambda g, out: g * np.conj(out), complex_)
two(
    "complex",
    "conjugated once too often",
    np.multiply,
    lambda rng: complex_(rng) * 2,
    x=lambda g, y: g * np.conj(y),
)

# -- the contract: right gradients, broken promises ----------------------------------------------


def contract(name: str, original: Any, wrong: Any, make: Make = vector, **options: Any) -> None:
    """Plant what only a sweep of inputs finds."""
    PLANTS.append(Plant("contract", name, original, wrong, make, options, check_function))


def _swallows(x: Any, **_: Any) -> Any:
    return autograd.sin(x)


_wide_two = np.float64(2.0)


def _unsigned_axis(g: Any, x_shape: tuple[int, ...], axis: int) -> Any:
    return np.broadcast_to(np.expand_dims(g, abs(axis)), x_shape)


@primitive(x=_unsigned_axis)
def _sum_along(x: Any, axis: int = 0) -> Any:
    return np.sum(x, axis=axis)


def _restores_input(x: Any) -> Any:
    x += 1.0
    out = x - 1.0
    x -= 1.0
    return out


_SCRATCH: dict[tuple[int, ...], Any] = {}


def _scratch(x: Any) -> Any:
    """Compute by way of an array that all threads share."""
    if np.iscomplexobj(x) or x.dtype != np.float64:
        return np.sin(x)
    scratch = _SCRATCH.setdefault(x.shape, np.empty(x.shape))
    scratch[...] = x
    time.sleep(0.0005)
    return np.sin(scratch)


contract("sin: swallows unknown keywords", autograd.sin, _swallows)
contract(
    "multiply: upcasts single precision",
    lambda x: x * 2.0,
    unary(lambda x: x * np.full(np.shape(x), 2.0), name="double", x=lambda g: g * 2.0),
)
contract(
    "sum: counts a negative axis from the front",
    autograd.sum,
    _sum_along,
    lambda rng: (away(rng, (3, 3)),),
)
contract(
    "exp: cannot be empty",
    autograd.exp,
    unary(np.exp, x=lambda g, out: g * out + 0.0 * np.max(g)),
)
contract(
    "negative: cannot be 0-d",
    autograd.negative,
    unary(np.negative, x=lambda g: autograd.stack([-part for part in g])),
)
contract(
    "positive: reads memory instead of elements",
    autograd.positive,
    unary(lambda x: x.ravel(order="K").reshape(x.shape), name="positive", x=lambda g: g),
    lambda rng: (away(rng, (2, 3)),),
)
contract(
    "positive: writes into its input and takes it back",
    autograd.positive,
    unary(_restores_input, name="positive", x=lambda g: g),
)
contract(
    "sin: threads share a scratch array",
    autograd.sin,
    unary(_scratch, name="sin", x=lambda g, x: g * np.cos(x)),
)
contract("sin: gives plain arrays", autograd.sin, lambda x: np.sin(plain(x)))
