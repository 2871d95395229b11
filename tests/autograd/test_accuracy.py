"""Values, first and second derivatives in both precisions, against `mpmath` over whole domains.

The functions, their references and points are in `tests/accuracy_table.py`, and so are the cells
(function, operand, order, precision) that are not good, each with its reason.
"""

import functools
import math
import os

import numpy as np
import pytest

mp = pytest.importorskip("mpmath")
pytest.importorskip("scipy")

from accuracy_table import BY_RELEASE, ENTRIES, Entry, exceptions  # noqa: E402 - they need mpmath

import autograd  # noqa: E402

UNITS = 128
# Otherwise a third of the functions is judged between the points of the table, at one point for
# each of them, where `.ci/run` judges all, at three.
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE", "dev") != "dev"
PRECISIONS = {32: np.float32, 64: np.float64}
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)

# -- references ------------------------------------------------------------------------------------


def distance(x):
    """Return how far `x` is from 0, from 1 and from the poles and ends of domains at integers."""
    size = abs(x)
    to_integer = abs(x - mp.nint(x)) if size < 1000 else 0
    return min(to_integer or size or 1, size or 1, 1)


def derivatives(function, point, place):
    """Return f, f', f'' and f''' by differences, in as many digits as that takes."""
    for digits in (80, 420, 1500):
        with mp.workdps(digits):
            operands = [mp.mpf(v) for v in point]
            h = distance(operands[place]) * mp.mpf(10) ** -20
            values = []
            for k in (-2, -1, 0, 1, 2):
                moved = list(operands)
                moved[place] += k * h
                values.append(mp.re(function(*moved)))
            a, b, c, d, e = values
            found = [
                c,
                (d - b) / (2 * h),
                (d - 2 * c + b) / h**2,
                (e - 2 * d + 2 * b - a) / (2 * h**3),
            ]
            error = mp.mpf(10) ** (1 - digits) * (
                max(map(abs, values)) + abs(operands[place] * found[1])
            )
            errors = [error / h**k for k in range(4)]
        spare = (18, 18, 18, 2)  # digits to have
        if all(
            abs(v) > e * mp.mpf(10) ** n or e < mp.mpf(10) ** -335
            for v, e, n in zip(found, errors, spare, strict=True)
        ):
            return found
    return [v if abs(v) > 100 * e else mp.mpf(0) for v, e in zip(found, errors, strict=True)]


@functools.cache
def reference(entry, point, place):
    return derivatives(entry.reference, point, place)


@functools.cache
def sensitivity(entry, point, place):
    """Return, per order, what a relative change of the other operands does to the derivative."""
    total = [mp.mpf(0)] * 3
    found = reference(entry, point, place)
    for i, x in enumerate(point):
        if i != place and x:
            moved = [mp.mpf(v) for v in point]
            moved[i] *= 1 + mp.mpf(10) ** -6
            changed = derivatives(entry.reference, moved, place)
            for k in range(3):
                total[k] += abs(changed[k] - found[k]) * 10**6
    return total


# -- judging ---------------------------------------------------------------------------------------


def ours(entry, place, points, dtype):
    """Return the value and two derivatives with respect to one operand, at all points at once."""
    operands = [np.array(column, dtype) for column in zip(*points, strict=True)]

    def first(*operands):
        return autograd.grad(lambda *xs: entry.function(*xs).sum(), place)(*operands)

    with np.errstate(all="ignore"):
        return [
            entry.function(*operands),
            first(*operands),
            autograd.grad(lambda *xs: first(*xs).sum(), place)(*operands),
        ]


def error_in_units(entry, point, place, order, got, dtype):
    """Return the error beside what is allowed, in units in the last place."""
    limits = np.finfo(dtype)
    found = reference(entry, point, place)
    want = found[order]
    if abs(want) > limits.max * (1 - limits.eps):
        return 0.0 if np.isinf(got) and np.sign(got) == mp.sign(want) else math.inf
    if not np.isfinite(got):
        return math.inf
    error = abs(mp.mpf(float(got)) - want)
    moving = 0 if entry.strict else abs(point[place] * found[order + 1])
    own = float(limits.eps) * (abs(want) + moving)
    least = 4 * float(limits.tiny)
    if entry.strict or error <= UNITS * (own + least):
        return float(error / (own + least))
    other = float(limits.eps) * sensitivity(entry, point, place)[order]
    return float(error / (own + other + least))


def in_range(point, dtype):
    with np.errstate(over="ignore"):
        return all(float(dtype(v)) == v for v in point)


def judge(entry, points):
    """Return {cell: (error in units, point, got, wanted)}, the worst point of each."""
    worst = {}
    for name, place in entry.cells():
        for bits, dtype in PRECISIONS.items():
            chosen = [p for p in points if in_range(p, dtype)]
            results = ours(entry, place, chosen, dtype)[: entry.orders]
            for order, values in enumerate(results):
                assert values.dtype == dtype
                errors = [
                    error_in_units(entry, p, place, order, v, dtype)
                    for p, v in zip(chosen, values, strict=True)
                ]
                i = int(np.argmax(errors))
                want = reference(entry, chosen[i], place)[order]
                worst[f"{name} {order} {bits}"] = errors[i], chosen[i], values[i], want
    return worst


def described(cell, row):
    error, point, got, want = row
    return f"{cell}: {error:.3g} units at {point}: got {got!r}, want {mp.nstr(want, 10)}"


@each_entry
def test_derivatives_have_the_digits_their_functions_have(entry):
    stated = exceptions()
    worst = judge(entry, entry.points)
    bad = [described(c, row) for c, row in worst.items() if row[0] > UNITS and c not in stated]
    assert not bad, "\n".join(bad)
    better = [c for c, row in worst.items() if row[0] <= UNITS and c in stated]
    better = [c for c in better if stated[c] != BY_RELEASE]
    assert not better, f"these cells have become good, and are no exceptions: {better}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", ENTRIES if THOROUGH else ENTRIES[::3], ids=lambda entry: entry.name
)
def test_derivatives_have_their_digits_between_the_points_too(entry):
    rng = np.random.default_rng(0)
    stated = exceptions()
    points = [moved(entry, p, rng) for p in entry.points for _ in range(3)]
    points = points if THOROUGH else points[::3]
    worst = judge(entry, points)
    bad = [described(c, row) for c, row in worst.items() if row[0] > 4 * UNITS and c not in stated]
    assert not bad, "\n".join(bad)


def moved(entry, point, rng):
    """Return a point further on: operands times one factor, but for constants, zeros and ends."""
    towards_0, away = rng.uniform(0.6, 1.0), rng.uniform(1.0, 1.6)
    factors = [towards_0 if abs(x) < 1 else away for x in point]
    if entry.strict:  # what lies near each other stays so
        factors = [away] * len(point)
    return tuple(
        x
        if name.startswith("_") or 0.999 <= abs(x) < 1.1 or not in_range((x,), np.float32)
        else float(np.float32(x * f))
        for x, f, name in zip(point, factors, entry.operands, strict=True)
    )


def test_at_least_95_percent_of_the_cells_are_good():
    names = [name for entry in ENTRIES for name, _ in entry.cells()]
    cells = [
        f"{name} {order} {bits}" for name in names for order in range(3) for bits in PRECISIONS
    ]
    assert len(cells) == len(set(cells))
    stated = exceptions()
    assert not set(stated) - set(cells), "exceptions that are no cells"
    assert all(stated.values()), "every exception has a reason"
    assert len(stated) <= 0.05 * len(cells)


# -- the judge is judged ---------------------------------------------------------------------------


def cells_of(function, points, **options):
    entry = Entry("f", function, lambda x: mp.exp(x) - 1, points, **options)
    return judge(entry, entry.points)


def test_a_loss_of_digits_is_found():
    worst = cells_of(lambda x: np.exp(x) - 1, [1e-8, 1.0])
    assert worst["f 0 64"][0] > 1e6
    assert worst["f 1 64"][0] < UNITS
    assert all(row[0] < UNITS for row in cells_of(np.expm1, [1e-8, 1.0, 700.0]).values())


def test_a_wrong_second_derivative_is_found():
    flat = autograd.extend.unary(np.expm1, name="flat", x=lambda g, out: g * (np.floor(out) + 1))
    worst = cells_of(flat, [0.0])
    assert worst["f 1 64"][0] < UNITS < worst["f 2 64"][0]


def test_infinities_are_as_wanted_and_nan_is_not():
    assert cells_of(np.expm1, [1e4])["f 0 32"][0] == 0
    assert cells_of(lambda x: np.expm1(x) * np.nan, [1e4])["f 0 32"][0] == math.inf
