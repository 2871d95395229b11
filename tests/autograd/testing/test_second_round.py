"""Fifty more wrong rules, written after the checker was finished: a second, independent round.

Each row is a function with rules that are right, and what was planted in a copy. They are of other
kinds than those of `benchmarks/_planted.py`: layers, losses and linear algebra as people write
them, faults in one quadrant, interval or block, rules with a memory of their own.
"""

import math

import numpy as np
import pytest

from autograd import Variable
from autograd.extend import primitive
from autograd.testing import check_function, check_gradients

ROWS = {}
RNG = np.random.default_rng(20240607)


def row(name, forward, right, wrong, *inputs, check=check_gradients, **options):
    assert name not in ROWS
    ROWS[name] = (forward, right, wrong, inputs, check, options)


def made(forward, rules):
    return primitive(name="fn", **rules)(forward)


def real(*shape):
    return RNG.uniform(0.2, 1.5, shape) * RNG.choice((-1.0, 1.0), shape)


def positive(*shape):
    return RNG.uniform(0.2, 1.5, shape)


def plain(value):
    return value.data if isinstance(value, Variable) else value


T = lambda a: np.swapaxes(a, -1, -2)

# -- layers --------------------------------------------------------------------------------------


def layer_norm(x):
    c = x - np.mean(x, axis=-1, keepdims=True)
    return c / np.sqrt(np.mean(c * c, axis=-1, keepdims=True) + 1e-5)


def layer_norm_x(g, x, spread=1.0, centre=1.0):
    c = x - np.mean(x, axis=-1, keepdims=True)
    s = np.sqrt(np.mean(c * c, axis=-1, keepdims=True) + 1e-5)
    out = c / s
    mean = np.mean(g, axis=-1, keepdims=True)
    along = out * np.mean(g * out, axis=-1, keepdims=True)
    return (g - centre * mean - spread * along) / s


row(
    "layer norm: the deviation counts as a constant",
    layer_norm,
    {"x": lambda g, x: layer_norm_x(g, x)},
    {"x": lambda g, x: layer_norm_x(g, x, spread=0.0)},
    real(2, 4),
)
row(
    "layer norm: the mean counts as a constant",
    layer_norm,
    {"x": lambda g, x: layer_norm_x(g, x)},
    {"x": lambda g, x: layer_norm_x(g, x, centre=0.0)},
    real(2, 4),
)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_x(g, x, inner=3 * 0.044715):
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + inner * x * x))


row(
    "gelu: the inner cube's factor 3 forgotten",
    gelu,
    {"x": lambda g, x: gelu_x(g, x)},
    {"x": lambda g, x: gelu_x(g, x, inner=0.044715)},
    real(5),
)

_KEEP = np.array([1.0, 0.0, 1.0, 1.0, 0.0]) / 0.6
row(
    "dropout: kept elements not scaled on the way back",
    lambda x: x * _KEEP,
    {"x": lambda g: g * _KEEP},
    {"x": lambda g: g * (_KEEP > 0)},
    real(5),
)


def pool_max(x):
    return np.max(x.reshape(-1, 2), axis=1)


row(
    "max pooling: the first of each window gets it",
    pool_max,
    {"x": lambda g, x, out: (g[:, None] * (x.reshape(-1, 2) == out[:, None])).reshape(-1)},
    {"x": lambda g: (g[:, None] * np.array([1.0, 0.0])).reshape(-1)},
    np.array([1.0, 2.0, 4.0, 3.0, 0.5, 0.1]),
)


def pool_mean(x):
    return (x[:-1] + x[1:]) / 2


row(
    "mean pooling: windows that overlap do not add up",
    pool_mean,
    {"x": lambda g: (np.pad(g, (0, 1)) + np.pad(g, (1, 0))) / 2},
    {"x": lambda g: np.pad(g, (0, 1)) / 2 + np.pad(g[-1:], (g.shape[0], 0)) / 2},
    real(5),
)


def conv(x, w):
    return np.stack([x[i : i + 3] @ w for i in range(x.shape[0] - 2)])


def spread_out(g, w, flip):
    kernel = w[::-1] if flip else w
    padded = np.pad(g, (2, 2))
    return np.stack([padded[i : i + 3] @ kernel for i in range(g.shape[0] + 2)])


row(
    "convolution: kernel not flipped on the way back",
    conv,
    {
        "x": lambda g, w: spread_out(g, w, flip=True),
        "w": lambda g, x: np.stack([g @ x[i : x.shape[0] - 2 + i] for i in range(3)]),
    },
    {"x": lambda g, w: spread_out(g, w, flip=False)},
    real(6),
    real(3),
)
row(
    "strided sum: the gaps are not put back",
    lambda x: x[::2] + x[1::2],
    {"x": lambda g: np.repeat(g, 2)},
    {"x": lambda g: np.concatenate([g, g])},
    real(6),
)


def unit_vector(x):
    return x / np.sqrt(np.sum(x * x))


row(
    "normalisation: projects on x instead of away from it",
    unit_vector,
    {"x": lambda g, x, out: (g - out * np.sum(g * out)) / np.sqrt(np.sum(x * x))},
    {"x": lambda g, x, out: (g - x * np.sum(g * out)) / np.sqrt(np.sum(x * x))},
    real(4),
)


def cosine(x, y):
    return np.sum(x * y) / (np.sqrt(np.sum(x * x)) * np.sqrt(np.sum(y * y)))


def cosine_x(g, x, y, out):
    return g * (y / (np.sqrt(np.sum(x * x)) * np.sqrt(np.sum(y * y))) - out * x / np.sum(x * x))


row(
    "cosine similarity: lengths of the second count as constants",
    cosine,
    {"x": cosine_x, "y": lambda g, x, y, out: cosine_x(g, y, x, out)},
    {"y": lambda g, x, y: g * x / (np.sqrt(np.sum(x * x)) * np.sqrt(np.sum(y * y)))},
    real(4),
    real(4),
)


def scores(q, k):
    return q @ T(k) / math.sqrt(q.shape[-1])


row(
    "attention scores: keys not scaled",
    scores,
    {
        "q": lambda g, k: g @ k / math.sqrt(k.shape[-1]),
        "k": lambda g, q: T(g) @ q / math.sqrt(q.shape[-1]),
    },
    {"k": lambda g, q: T(g) @ q},
    real(2, 3),
    real(4, 3),
)
row(
    "recurrent step: slope of tanh taken at the input",
    lambda h, w: np.tanh(h * w),
    {
        "h": lambda g, w, out: g * (1 - out * out) * w,
        "w": lambda g, h, out: g * (1 - out * out) * h,
    },
    {"h": lambda g, h, w: g * (1 - h * h) * w},
    real(3),
    real(3),
)

# -- losses --------------------------------------------------------------------------------------

_TARGET = np.array([[0.9, 0.05, 0.05], [0.05, 0.05, 0.9]])


def smoothed(x):
    top = np.max(x, axis=-1, keepdims=True)
    logs = x - top - np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True))
    return -np.mean(np.sum(_TARGET * logs, axis=-1))


def softmax(x):
    e = np.exp(x - plain(np.max(x, axis=-1, keepdims=True)))
    return e / np.sum(e, axis=-1, keepdims=True)


row(
    "cross entropy: label smoothing forgotten",
    smoothed,
    {"x": lambda g, x: g * (softmax(x) - _TARGET) / x.shape[0]},
    {"x": lambda g, x: g * (softmax(x) - np.round(_TARGET)) / x.shape[0]},
    real(2, 3),
)
row(
    "cross entropy: not divided by the batch",
    smoothed,
    {"x": lambda g, x: g * (softmax(x) - _TARGET) / x.shape[0]},
    {"x": lambda g, x: g * (softmax(x) - _TARGET)},
    real(2, 3),
)


def huber(x):
    return np.where(np.abs(x) < 0.5, 0.5 * x * x, 0.5 * (np.abs(x) - 0.25))


row(
    "huber: slope 1 beyond the threshold",
    huber,
    {"x": lambda g, x: g * np.clip(x, -0.5, 0.5)},
    {"x": lambda g, x: g * np.where(np.abs(x) < 0.5, x, np.sign(x))},
    np.array([0.2, -0.3, 1.0, -1.5]),
)


def focal(p):
    return -((1 - p) ** 2) * np.log(p)


row(
    "focal loss: the modulating factor counts as a constant",
    focal,
    {"p": lambda g, p: g * (2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p)},
    {"p": lambda g, p: -g * (1 - p) ** 2 / p},
    RNG.uniform(0.1, 0.9, 4),
)
row(
    "divergence: the 1 of the product rule forgotten",
    lambda p, q: np.sum(p * np.log(p / q)),
    {"p": lambda g, p, q: g * (np.log(p / q) + 1), "q": lambda g, p, q: -g * p / q},
    {"p": lambda g, p, q: g * np.log(p / q)},
    positive(3),
    positive(3),
)
row(
    "hinge: violators get the slope of the others",
    lambda x: np.maximum(0.0, 1 - x),
    {"x": lambda g, x: np.where(x < 1, -g, 0.0)},
    {"x": lambda g, x: np.where(x < 1, 0.0, -g)},
    np.array([0.3, 1.7, -0.5]),
)

# -- linear algebra ------------------------------------------------------------------------------


def well(n):
    return RNG.uniform(-0.5, 0.5, (n, n)) + np.diag(2.0 + np.arange(n))


row(
    "solve: the matrix gets a plus",
    lambda a, b: np.linalg.solve(a, b),
    {
        "a": lambda g, a, out: -np.outer(np.linalg.solve(T(a), g), out),
        "b": lambda g, a: np.linalg.solve(T(a), g),
    },
    {"a": lambda g, a, out: np.outer(np.linalg.solve(T(a), g), out)},
    well(3),
    real(3),
)
row(
    "solve: the right-hand side instead of the solution",
    lambda a, b: np.linalg.solve(a, b),
    {
        "a": lambda g, a, out: -np.outer(np.linalg.solve(T(a), g), out),
        "b": lambda g, a: np.linalg.solve(T(a), g),
    },
    {"a": lambda g, a, b: -np.outer(np.linalg.solve(T(a), g), b)},
    well(3),
    real(3),
)
row(
    "solve: the transpose forgotten in one of two places",
    lambda a, b: np.linalg.solve(a, b),
    {
        "a": lambda g, a, out: -np.outer(np.linalg.solve(T(a), g), out),
        "b": lambda g, a: np.linalg.solve(T(a), g),
    },
    {"b": lambda g, a: np.linalg.solve(a, g)},
    well(3),
    real(3),
)
row(
    "log determinant: inverse not transposed",
    lambda a: np.linalg.slogdet(a)[1],
    {"a": lambda g, a: g * T(np.linalg.inv(a))},
    {"a": lambda g, a: g * np.linalg.inv(a)},
    well(3),
)
row(
    "quadratic form: matrix taken for symmetric",
    lambda x, a: x @ a @ x,
    {"x": lambda g, x, a: g * ((a + T(a)) @ x), "a": lambda g, x: g * np.outer(x, x)},
    {"x": lambda g, x, a: 2 * g * (a @ x)},
    real(3),
    real(3, 3),
)
row(
    "trace of a product: factor not transposed",
    lambda a, b: np.sum(a * T(b)),
    {"a": lambda g, b: g * T(b), "b": lambda g, a: g * T(a)},
    {"a": lambda g, b: g * b},
    real(3, 3),
    real(3, 3),
)
row(
    "three factors: the middle one's gradient is transposed",
    lambda a, b, c: a @ b @ c,
    {
        "a": lambda g, b, c: g @ T(b @ c),
        "b": lambda g, a, c: T(a) @ g @ T(c),
        "c": lambda g, a, b: T(a @ b) @ g,
    },
    {"b": lambda g, a, c: T(T(a) @ g @ T(c))},
    real(2, 2),
    real(2, 2),
    real(2, 2),
)
row(
    "triangular product: what is above the diagonal is not left out",
    lambda a, x: np.tril(a) @ x,
    {"a": lambda g, x: np.tril(np.outer(g, x)), "x": lambda g, a: T(np.tril(a)) @ g},
    {"a": lambda g, x: np.outer(g, x)},
    real(3, 3),
    real(3),
)
row(
    "outer product: second factor summed over the wrong axis",
    lambda x, y: np.outer(x, y),
    {"x": lambda g, y: g @ y, "y": lambda g, x: x @ g},
    {"y": lambda g, x: g @ x},
    real(3),
    real(3),
)
row(
    "Frobenius norm: divided by the square",
    lambda a: np.sqrt(np.sum(a * a)),
    {"a": lambda g, a, out: g * a / out},
    {"a": lambda g, a, out: g * a / (out * out)},
    real(2, 3),
)

# -- one region, one interval --------------------------------------------------------------------

row(
    "logistic sum: overflows at large arguments",
    lambda x: np.logaddexp(0.0, x),
    {"x": lambda g, x: g * 0.5 * (1 + np.tanh(x / 2))},
    {"x": lambda g, x: g * np.exp(x) / (1 + np.exp(x))},
    np.array([1.0, -3.0, 800.0]),
)


def sinc(x):
    return np.where(np.abs(x) < 0.05, 1 - x * x / 6 + x**4 / 120, np.sin(x) / x)


def sinc_x(g, x, small):
    slope = (np.cos(x) - np.sin(x) / x) / x
    return g * np.where(np.abs(x) < 0.05, small(x), slope)


row(
    "sinc: no slope near zero",
    sinc,
    {"x": lambda g, x: sinc_x(g, x, lambda x: -x / 3 + x**3 / 30)},
    {"x": lambda g, x: sinc_x(g, x, lambda x: 0 * x)},
    np.array([0.01, 0.04, 1.0, -2.0]),
)
row(
    "angle: right in the right half-plane only",
    lambda y, x: np.arctan2(y, x),
    {"y": lambda g, y, x: g * x / (x * x + y * y), "x": lambda g, y, x: -g * y / (x * x + y * y)},
    {"y": lambda g, y, x: g * np.abs(x) / (x * x + y * y)},
    np.array([0.5, 1.0, -0.7]),
    np.array([1.0, -1.2, 0.3]),
)
row(
    "power of the absolute value: sign forgotten",
    lambda x: np.abs(x) ** 2.5,
    {"x": lambda g, x: g * 2.5 * np.abs(x) ** 1.5 * np.sign(x)},
    {"x": lambda g, x: g * 2.5 * np.abs(x) ** 1.5},
    real(4),
)
row(
    "remainder: the divisor has no part in it",
    lambda x, y: x - np.floor(x / y) * y,
    {"x": lambda g: g, "y": lambda g, x, y: -g * np.floor(x / y)},
    {"y": lambda g: g * 0.0},
    np.array([1.3, 2.9, 4.1]),
    np.array([0.7, 0.8, 1.5]),
)
row(
    "a clipped logit: goes on beyond the bounds",
    lambda p: np.log(np.clip(p, 0.1, 0.9) / (1 - np.clip(p, 0.1, 0.9))),
    {"p": lambda g, p: np.where((p > 0.1) & (p < 0.9), g / (p * (1 - p)), 0.0)},
    {"p": lambda g, p: g / (p * (1 - p))},
    np.array([0.05, 0.3, 0.7, 0.97]),
)
row(
    "sine by a series: the slope breaks off a term too early",
    lambda x: x - x**3 / 6 + x**5 / 120 - x**7 / 5040,
    {"x": lambda g, x: g * (1 - x**2 / 2 + x**4 / 24 - x**6 / 720)},
    {"x": lambda g, x: g * (1 - x**2 / 2 + x**4 / 24)},
    np.array([0.1, 0.2, -0.3]),
)
row(
    "smooth step: derivative of another polynomial",
    lambda x: x * x * (3 - 2 * x),
    {"x": lambda g, x: 6 * g * x * (1 - x)},
    {"x": lambda g, x: g * (30 * x * x * (1 - x) ** 2)},
    RNG.uniform(0.2, 0.8, 4),
)

# -- indices and shapes --------------------------------------------------------------------------


def cumulated(x):
    return np.cumprod(x)


def cumulated_x(g, x, out):
    return np.cumsum((g * out)[::-1])[::-1] / x


row(
    "cumulative product: sums from the wrong end",
    cumulated,
    {"x": cumulated_x},
    {"x": lambda g, x, out: np.cumsum(g * out) / x},
    real(4),
)
_PICK = np.array([True, False, True, True])
row(
    "a scalar where: also counts where it was not taken",
    lambda x, s: np.where(_PICK, x, s),
    {"x": lambda g: np.where(_PICK, g, 0.0), "s": lambda g: np.sum(np.where(_PICK, 0.0, g))},
    {"s": lambda g: np.sum(g)},
    real(4),
    np.array(0.7),
)
row(
    "stack along the last axis: taken apart along the first",
    lambda x, y: np.stack([x, y], axis=-1),
    {"x": lambda g: g[..., 0], "y": lambda g: g[..., 1]},
    {"y": lambda g: g[1]},
    real(2),
    real(2),
)
row(
    "roll of two axes: one is not rolled back",
    lambda x: np.roll(x, (1, 2), axis=(0, 1)),
    {"x": lambda g: np.roll(g, (-1, -2), axis=(0, 1))},
    {"x": lambda g: np.roll(g, (-1, 2), axis=(0, 1))},
    real(3, 3),
)
_LOWER = np.tril_indices(3)


def unpacked(v):
    full = np.zeros((3, 3), v.dtype)
    full[_LOWER] = v
    return full + np.tril(full, -1).T


row(
    "symmetric matrix from its triangle: mirrored elements count once",
    unpacked,
    {"v": lambda g: (np.tril(g) + np.tril(T(g), -1))[_LOWER]},
    {"v": lambda g: g[_LOWER]},
    real(6),
)
_BINS = np.array([0, 1, 1, 2, 0])
row(
    "sums by group: members of a group share instead of each getting all",
    lambda w: np.bincount(_BINS, w),
    {"w": lambda g: g[_BINS]},
    {"w": lambda g: g[_BINS] / np.array([2.0, 2.0, 2.0, 1.0, 2.0])},
    real(5),
)
_KNOTS = np.array([0.0, 1.0, 2.0, 3.0])
_VALUES = np.array([0.0, 1.0, -1.0, 2.0])
_SLOPES = np.diff(_VALUES)
row(
    "piecewise linear: slope of the next interval",
    lambda x: np.interp(x, _KNOTS, _VALUES),
    {"x": lambda g, x: g * _SLOPES[np.floor(plain(x)).astype(int)]},
    {"x": lambda g, x: g * _SLOPES[np.minimum(np.floor(plain(x)).astype(int) + 1, 2)]},
    np.array([0.3, 1.4, 1.6]),
)
row(
    "median of an even number: the upper one gets all",
    lambda x: np.median(x),
    {"x": lambda g: g * np.array([0.0, 0.5, 0.0, 0.5])},
    {"x": lambda g: g * np.array([0.0, 0.0, 0.0, 1.0])},
    np.array([0.1, 1.0, 3.0, 2.0]),
)
row(
    "quantile: weights of the neighbours exchanged",
    lambda x: np.quantile(x, 0.6),
    {"x": lambda g: g * np.array([0.0, 0.8, 0.2])},
    {"x": lambda g: g * np.array([0.0, 0.2, 0.8])},
    np.array([0.1, 1.0, 3.0]),
)

# -- rules with a memory, and faults that few inputs show -----------------------------------------

_REMEMBERED = {}


def remembered(g, x):
    if isinstance(g, Variable):
        return g * np.cos(x)
    return _REMEMBERED.setdefault((g.shape, plain(x).tobytes()), g * np.cos(x))


row(
    "sine: the first gradient of a shape is kept for all",
    lambda x: np.sin(x),
    {"x": lambda g, x: g * np.cos(x)},
    {"x": remembered},
    real(3),
)
_LAST = {}


def of_the_last_call(g):
    return g * np.cos(_LAST["x"])


def sine_that_remembers(x):
    _LAST["x"] = plain(x)
    return np.sin(x)


row(
    "sine: uses the input of the last call",
    sine_that_remembers,
    {"x": lambda g, x: g * np.cos(x)},
    {"x": of_the_last_call},
    real(3),
)
row(
    "multiply: wrong where only the second operand is asked for",
    lambda x, y: x * y,
    {"joint": lambda g, x, y: (g * y, g * x)},
    {"joint": lambda g, x, y, wanted: (g * y, g * x * (1.0 if wanted[0] else 2.0))},
    real(3),
    real(3),
    check=check_function,
    elementwise=False,
)
row(
    "square: half precision beyond four thousand elements",
    lambda x: x * x,
    {"x": lambda g, x: 2 * g * x},
    {"x": lambda g, x: 2 * g * (x if x.size < 4096 else plain(x).astype(np.float16))},
    real(5000),
    order=1,
)
row(
    "square: the last block of a large array is off by a little",
    lambda x: x * x,
    {"x": lambda g, x: 2 * g * x},
    {"x": lambda g, x: 2 * g * x * np.where(np.arange(x.size) < x.size - 100, 1.0, 1.0003)},
    real(30_000),
    order=1,
)
row(
    "exp: second derivative with the sign of the cotangent only",
    lambda x: np.exp(x),
    {"x": lambda g, out: g * out},
    {"x": lambda g, out: np.abs(plain(g)) * out if isinstance(g, Variable) else g * out},
    real(3),
)
row(
    "sine in single precision: a table of few digits",
    lambda x: np.sin(x),
    {"x": lambda g, x: g * np.cos(x)},
    {
        "x": lambda g, x: (
            g * np.cos(x)
            if plain(x).dtype != np.float32
            else g * np.asarray(np.round(np.cos(plain(x)), 4), np.float32)
        )
    },
    real(3).astype(np.float32),
    order=1,
)

IDS = list(ROWS)


def run(row, wrong):
    forward, right, planted, inputs, check, options = row
    return check(made(forward, {**right, **planted} if wrong else right), *inputs, **options)


@pytest.mark.parametrize("name", IDS)
def test_the_fault_is_found(name):
    with pytest.raises(AssertionError):
        run(ROWS[name], wrong=True)


@pytest.mark.parametrize("name", IDS)
def test_the_right_rules_pass(name):
    assert run(ROWS[name], wrong=False)


def test_there_are_fifty():
    assert len(ROWS) >= 50
