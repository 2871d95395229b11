"""Rows of `nn/functional/_activation.py`, against their formulas as textbooks write them."""

import math

import numpy as np
from op_table import Case, Row

from nn import functional


def _row(name, twin, *cases, **options):
    options.setdefault("elementwise", True)
    return Row(
        f"nn.{name}", getattr(functional, name.partition("[")[0]), twin, cases or [Case((3, 4))],
        method=False, **options,
    )  # fmt: skip


def _apart(*points):
    """Draw from [-4, 4], at least 0.1 away from each of `points`, where the derivative jumps."""

    def draw(rng, shape):
        x = rng.uniform(-4, 4, shape)
        for point in points:
            x = np.where(np.abs(x - point) < 0.1, point + 0.2, x)
        return x

    return draw


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softplus(x, beta=1.0):
    return np.log(1 + np.exp(beta * x)) / beta


def _cdf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / np.sqrt(2)))


def _elu(x, alpha=1.0, rate=1.0):
    return np.where(x > 0, x, alpha * (np.exp(rate * x) - 1))


ROWS = [
    _row("relu", lambda x: np.where(x > 0, x, 0), flat=True),
    _row(
        "relu6",
        lambda x: np.clip(x, 0, 6),
        Case((3, 4), domain=_apart(0)),
        Case((3, 4), make=lambda rng: (np.array([5.5, 7.0]),)),
        flat=True,
    ),
    _row("sigmoid", _sigmoid),
    _row("logsigmoid", lambda x: np.log(_sigmoid(x))),
    _row("silu", lambda x: x * _sigmoid(x)),
    _row("mish", lambda x: x * np.tanh(_softplus(x))),
    _row("softsign", lambda x: x / (1 + np.abs(x))),
    _row("tanhshrink", lambda x: x - np.tanh(x)),
    _row(
        "hardsigmoid",
        lambda x: np.clip(x / 6 + 0.5, 0, 1),
        Case((3, 4), domain=_apart(-3, 3)),
        flat=True,
    ),
    _row(
        "hardswish",
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        Case((3, 4), domain=_apart(-3, 3)),
        Case((4,), make=lambda rng: (np.array([-4.0, -1.0, 2.0, 3.5]),)),
        flat=True,
    ),
    _row("gelu", lambda x: x * _cdf(x)),
    _row(
        "gelu[tanh]",
        lambda x, approximate: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
        Case((3, 4), kwargs={"approximate": "tanh"}),
    ),
    _row(
        "leaky_relu",
        lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
        Case((3, 4)),
        Case((3, 4), kwargs={"negative_slope": 0.3}),
        Case((3, 4), kwargs={"negative_slope": 0.0}),
        flat=True,
    ),
    _row("elu", _elu, Case((3, 4)), Case((3, 4), kwargs={"alpha": 0.5})),
    _row("selu", lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772)),
    _row(
        "celu",
        lambda x, alpha=1.0: _elu(x, alpha, 1 / alpha),
        Case((3, 4)),
        Case((3, 4), kwargs={"alpha": 0.5}),
    ),
    _row(
        "softplus",
        lambda x, beta=1.0, threshold=20.0: np.where(beta * x > threshold, x, _softplus(x, beta)),
        Case((3, 4)),
        Case((3, 4), kwargs={"beta": 3.0}),
        Case((3, 4), domain=_apart(0.5), kwargs={"beta": 2.0, "threshold": 1.0}),
    ),
    _row(
        "hardtanh",
        lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
        Case((3, 4), domain=_apart(-1, 1)),
        Case((3, 4), domain=_apart(-2, 0.5), args=(-2.0, 0.5)),
        flat=True,
    ),
    _row(
        "hardshrink",
        lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0),
        Case((3, 4), domain=_apart(-0.5, 0.5)),
        Case((3, 4), domain=_apart(-1, 1), args=(1.0,)),
        flat=True,
    ),
    _row(
        "softshrink",
        lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
        Case((3, 4), domain=_apart(-0.5, 0.5)),
        Case((3, 4), domain=_apart(-1, 1), args=(1.0,)),
        flat=True,
    ),
    _row(
        "threshold",
        lambda x, threshold, value: np.where(x > threshold, x, value),
        Case((3, 4), domain=_apart(0.5), args=(0.5, -3.0)),
        flat=True,
    ),
    _row(
        "prelu",
        lambda x, w: np.where(x > 0, x, w.reshape((-1,) + (1,) * (x.ndim - 2)) * x),
        Case((3, 4), (1,)),
        Case((3, 4), (4,)),
        Case((2, 3, 4), (3,)),
        elementwise=False,
    ),
    _row(
        "glu",
        lambda x, axis=-1: np.split(x, 2, axis)[0] * _sigmoid(np.split(x, 2, axis)[1]),
        Case((3, 4)),
        Case((2, 4, 3), kwargs={"axis": 1}),
        Case((4,)),
        elementwise=False,
    ),
    _row(
        "softmin",
        lambda x, axis=-1: np.exp(-x) / np.exp(-x).sum(axis, keepdims=True),
        Case((3, 4)),
        Case((3, 4), kwargs={"axis": 0}),
        elementwise=False,
    ),
]
