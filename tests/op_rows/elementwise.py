"""Rows of `autograd/ops/elementwise.py`."""

import inspect

import numpy as np
from op_table import Case, Row

import autograd


def _one(name, domain="real", **options):
    """Return the row of an elementwise function of one operand."""
    options.setdefault("elementwise", True)
    return Row(
        name, getattr(autograd, name), getattr(np, name), [Case((3, 4), domain=domain)], **options
    )


def _two(name, domain="real", **options):
    """Return the row of an elementwise function of two operands."""
    options.setdefault("elementwise", True)
    cases = [Case((2, 3), (2, 3), domain=domain)]
    return Row(name, getattr(autograd, name), getattr(np, name), cases, **options)


def _beside(name, *pairs):
    """Return the row of a function of two operands at pairs of numbers of unlike or large size."""
    columns = np.array(pairs).T
    case = Case(make=lambda rng: tuple(columns.copy()))
    function = getattr(autograd, name)
    return Row(f"{name}[beside]", function, getattr(np, name), [case], method=False)


def _apart(rng):
    """Return two arrays that differ by more than 0.2 everywhere: no step meets a tie."""
    x = rng.normal(size=(2, 3))
    return x, x + rng.choice([-1.0, 1.0], (2, 3)) * rng.uniform(0.2, 1.0, (2, 3))


def _chosen(name):
    """Return the row of a choice of two operands, not resized, which would make ties."""
    cases = [
        Case(make=_apart),
        Case((2, 1, 3), (4, 1), domain="distinct"),
        Case((), (2,), domain=(_low, "positive")),
    ]
    return Row(name, getattr(autograd, name), getattr(np, name), cases, flat=True)


def _low(rng, shape):
    return rng.uniform(-2.0, -1.0, shape)


def _off_integers(rng, shape):
    """Draw numbers at least 0.2 away from every integer."""
    return rng.integers(-3, 3, shape) + rng.uniform(0.2, 0.8, shape)


def _off_multiples(rng):
    """Return x and y with x / y at least 0.2 away from every integer."""
    y = rng.uniform(0.5, 2.0, (2, 3)) * rng.choice([-1.0, 1.0], (2, 3))
    return y * _off_integers(rng, (2, 3)), y


def _divided(name):
    return Row(name, getattr(autograd, name), getattr(np, name), [Case(make=_off_multiples)])


def _inside_octaves(rng, shape):
    """Draw numbers of both signs that no small step takes across a power of two."""
    return rng.choice([-3.0, 0.75, 1.5, 6.0], shape) + rng.uniform(-0.2, 0.2, shape)


def _across(rng, shape):
    """Draw numbers inside and outside [-1, 1], none near a bound."""
    return rng.choice([-1.7, -0.6, 0.4, 1.6], shape) + rng.uniform(-0.2, 0.2, shape)


# NumPy has these names since 2.1.
_CLIP_BY_NAME = (
    [Case((3, 4), domain=_across, kwargs={"min": -1.0, "max": 1.0})]
    if "min" in inspect.signature(np.clip).parameters
    else []
)

ROWS = [
    # arithmetic
    _two("add", complex=True),
    _two("subtract", complex=True),
    _two("multiply", complex=True),
    _two("divide", complex=True),
    _two("power", ("positive", "real"), complex=True),
    _two("float_power", ("positive", "real"), float32=False),
    Row(
        "power[constant]",
        autograd.power,
        np.power,
        [
            Case((3,), args=(2,)),
            Case((3,), args=(3.0,)),
            Case((3,), args=(0,)),
            Case((3,), args=(-1.0,)),
            Case((3,), domain="positive", args=(0.5,)),
            Case(make=lambda rng: (2.0, rng.normal(size=3))),
        ],
        complex=True,
    ),
    Row(
        "power[integers]",
        autograd.power,
        np.power,
        [
            Case((3,), args=(np.arange(3, dtype=np.uint8),)),
            Case((3,), args=(np.array([-2, 0, 3], np.int8),)),
            Case((3,), args=(np.uint8(1),)),
            Case(make=lambda rng: (np.array([2, 3], np.uint8), rng.normal(size=2))),
        ],
        method=False,
    ),
    _divided("remainder"),
    _divided("fmod"),
    _divided("floor_divide"),
    _chosen("maximum"),
    _chosen("minimum"),
    _chosen("fmax"),
    _chosen("fmin"),
    _two("copysign"),
    _two("heaviside"),
    _two("hypot"),
    _two("arctan2"),
    _two("logaddexp"),
    _two("logaddexp2"),
    _beside("hypot", (3.0, 1e4), (-1e4, 2.0), (0.0, 5.0), (5.0, 0.0)),
    _beside("arctan2", (3.0, 1e4), (-1e4, 2.0), (0.0, 5.0), (5.0, 0.0)),
    _beside("logaddexp", (1e3, 1e3), (1e3, 1001.5), (-800.0, -1000.0), (3.0, 3.0), (-np.inf, 2.0)),
    _beside("logaddexp2", (1e3, 1e3), (1e3, 1001.5), (-800.0, -1000.0), (3.0, 3.0), (-np.inf, 2.0)),
    _one("negative", complex=True),
    _one("positive", complex=True),
    _one("absolute", complex=True),
    _one("fabs"),
    _one("reciprocal", complex=True),
    _one("square", complex=True),
    _one("sqrt", "positive", complex=True),
    _one("cbrt"),
    # piecewise constant
    _one("sign"),
    Row(
        "sign[complex]",
        lambda x: autograd.sign(x),
        None,
        [Case((3, 4), domain="complex")],
        elementwise=True,
    ),
    _one("floor", _off_integers),
    _one("ceil", _off_integers),
    _one("trunc", _off_integers),
    _one("rint", lambda rng, shape: _off_integers(rng, shape) + 0.5),
    _one("fix", _off_integers),
    Row(
        "round",
        autograd.round,
        np.round,
        [
            Case((3, 4), domain=lambda rng, shape: _off_integers(rng, shape) + 0.5),
            Case((3,), domain=lambda rng, shape: (_off_integers(rng, shape) + 0.5) / 10, args=(1,)),
        ],
        elementwise=True,
    ),
    _one("spacing", lambda rng, shape: rng.uniform(1.2, 1.8, shape)),
    _divided("divmod"),
    _one("modf", _off_integers),
    Row("frexp", autograd.frexp, np.frexp, [Case((3, 4), domain=_inside_octaves)]),
    Row(
        "ldexp",
        autograd.ldexp,
        np.ldexp,
        [Case((3, 4), (4,), domain=("real", "int"))],
        elementwise=True,
    ),
    _two("nextafter", order=1),
    # exponentials and logarithms
    _one("exp", complex=True),
    _one("exp2", complex=True),
    _one("expm1", complex=True),
    _one("log", "positive", complex=True),
    _one("log2", "positive", complex=True),
    _one("log10", "positive", complex=True),
    _one("log1p", "positive", complex=True),
    # trigonometric and hyperbolic
    _one("sin", complex=True),
    _one("cos", complex=True),
    _one("tan", "unit", complex=True),
    _one("arcsin", "small", complex=True),
    _one("arccos", "small", complex=True),
    _one("arctan", complex=True),
    _one("sinh", complex=True),
    _one("cosh", complex=True),
    _one("tanh", complex=True),
    _one("arcsinh", complex=True),
    _one("arccosh", "above_one", complex=True),
    _one("arctanh", "small", complex=True),
    _one("degrees"),
    _one("radians"),
    _one("rad2deg"),
    _one("deg2rad"),
    _one("sinc"),
    Row(
        "sinc[near 0]",
        autograd.sinc,
        np.sinc,
        [Case(make=lambda rng: (np.array([0.0, 1e-9, -0.003, 0.02, 0.2499, 0.2501]),))],
        method=False,
    ),
    # complex numbers
    _one("conjugate", complex=True),
    _one("real", complex=True, method=False),
    _one("imag", complex=True, method=False),
    Row(
        "angle",
        autograd.angle,
        np.angle,
        [
            Case((3,), domain="complex"),
            Case((3,), domain="complex", kwargs={"deg": True}),
            Case((3,)),
        ],
        elementwise=True,
    ),
    # choices
    Row(
        "where",
        autograd.where,
        np.where,
        [Case((3, 4), (3, 4), (3, 4), domain=("bool", "real", "real"))],
        elementwise=True,
        complex=True,
    ),
    Row(
        "where[flat]",
        lambda x: autograd.where(x > 0, x, 0.0),
        lambda x: np.where(x > 0, x, 0.0),
        [Case((3, 4))],
        flat=True,
        method=False,
    ),
    Row(
        "clip",
        autograd.clip,
        np.clip,
        [
            Case((3, 4), domain=_across, args=(-1.0, 1.0)),
            Case((3, 4), domain=_across, args=(None, 1.0)),
            Case((3, 4), domain=_across, args=(-1.0, None)),
            *_CLIP_BY_NAME,
            Case(
                (3, 4),
                (4,),
                (3, 1),
                domain=(_across, lambda r, s: -np.ones(s), lambda r, s: np.ones(s)),
            ),
        ],
        flat=True,
    ),
    Row("nan_to_num", autograd.nan_to_num, np.nan_to_num, [Case((3, 4))], elementwise=True),
    Row(
        "nan_to_num[replaced]",
        autograd.nan_to_num,
        np.nan_to_num,
        [
            Case(
                make=lambda rng: (np.array([1.0, np.nan, np.inf, -np.inf, 2.0]),),
                kwargs={"nan": 1.0, "posinf": 2.0, "neginf": 3.0},
            )
        ],
        flat=True,
    ),
]
