"""The op table: one row for each differentiable function, from which the property tests of all of
them are made.

A family keeps its rows in `tests/op_rows/<family>.py` as a list called `ROWS`;
`tests/autograd/ops/test_op_table.py` drives each row through the same checks. A primitive of
`autograd` that no row exercises fails the suite.

    from op_table import Case, Row

    ROWS = [
        Row("tanh", autograd.tanh, np.tanh, [Case((3, 4))], elementwise=True, complex=True),
        Row("sum", autograd.sum, np.sum, [Case((2, 3, 4), kwargs={"axis": (0, -1)})]),
        Row(
            "solve",
            autograd.linalg.solve,
            np.linalg.solve,
            [Case((2, 3, 3), (2, 3, 1), domain=("well_conditioned", "real"))],
        ),
        Row("take", autograd.take, np.take, [Case((3, 4), args=([2, 0, 2], 1))]),
        Row(
            "concatenate",
            autograd.concatenate,
            np.concatenate,
            [Case(make=lambda rng: ([rng.normal(size=(2, 3)), rng.normal(size=(1, 3))], 0))],
        ),
    ]

A `Case` is one set of arguments; a `Row` is a function, its NumPy twin and its cases; see the
attributes of both. Floating arrays among the positional arguments, also inside lists, tuples and
dicts, are what is differentiated; numbers, integer and bool arrays, and everything in `kwargs` are
constants. A function that takes an operand by keyword only, or whose result is unique only up to a
sign or a phase, is given as a small function of the arrays:

    Row("average", lambda x, w: autograd.average(x, weights=w), ...)
    Row("linalg.qr", lambda x: positive_diagonal(autograd.linalg.qr(x)), None, ...)

Symmetric arguments (cholesky, eigh) are best written as functions of a general matrix, `f((x +
x.mT) / 2)`, because differences step off the symmetric matrices otherwise.
"""

from __future__ import annotations

import importlib
import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# -- rows ------------------------------------------------------------------------------------------


class Case:
    """One set of arguments of a row.

    Attributes:
        shapes: shapes of the array operands; each is filled from its domain.
        domain: name of an entry of `DOMAINS`, or a function `(rng, shape) -> array`; one for all
            operands, or a tuple.
        args: further positional arguments after the arrays (constants).
        kwargs: keyword arguments (constants).
        make: `make(rng) -> positional arguments`, instead of `shapes`, `domain` and `args`.
        diff: which positional arguments are differentiated (default: all that hold floating
            arrays).
        complex: False leaves this case out of the complex variant of a row with `complex=True`.
        order: highest derivative checked here, where it is lower than the row's.
    """

    def __init__(
        self,
        *shapes: tuple[int, ...],
        domain: Any = "real",
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
        make: Callable[[np.random.Generator], tuple[Any, ...]] | None = None,
        diff: Sequence[int] | None = None,
        complex: bool = True,
        order: int | None = None,
    ) -> None:
        self.shapes = shapes
        self.domain = domain
        self.args = tuple(args)
        self.kwargs = dict(kwargs or {})
        self.make = make
        self.diff = diff
        self.complex = complex
        self.order = order

    def arguments(self, rng: np.random.Generator) -> tuple[Any, ...]:
        """Return the positional arguments, the same for the same state of `rng`."""
        if self.make is not None:
            return tuple(self.make(rng))
        domains = (
            self.domain if isinstance(self.domain, tuple) else (self.domain,) * len(self.shapes)
        )
        arrays = [
            np.asarray((domain if callable(domain) else DOMAINS[domain])(rng, shape))
            for domain, shape in zip(domains, self.shapes, strict=True)
        ]
        return (*arrays, *self.args)

    def __repr__(self) -> str:
        given = ", ".join(map(str, self.shapes)) or "make"
        return f"Case({given}, domain={self.domain!r}, args={self.args!r}, kwargs={self.kwargs!r})"


class Row:
    """A differentiable function and how to test it.

    Attributes:
        name: the NumPy spelling ("linalg.norm", "fft.rfft"), unique in the table; a suffix in
            brackets tells rows of one function apart ("sum[where]").
        function: the function of `autograd`, of arrays or Variables.
        twin: the same in NumPy (or SciPy), None where there is none. A function of NumPy itself is
            also called with Variables, and must give the same node as `function`.
        cases: the arguments.
        primitives: names in `PRIMITIVES` that this row claims to exercise (checked).
        method: name of the method of Variable with the same meaning; by default `name`, where
            Variable has it; False: none.
        order: highest derivative that is checked against differences (elementwise rows: one more,
            on a single element).
        elementwise: broadcasts its array operands; adds broadcasting, 0-d and empty operands.
            Arrays may be resized.
        complex: every case is repeated with complex operands.
        float32: float32 operands give a float32 result (False for functions where NumPy itself
            says float64).
        rtol: tolerance of differences, relative to the largest derivative of the case.
        recorded: False for rows of functions that record nothing although a gradient is asked for.
        flat: constant in an operand on part of its domain, which the cases meet: there, an infinite
            cotangent must contribute zero.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        twin: Callable[..., Any] | None,
        cases: Sequence[Case],
        *,
        primitives: Sequence[str] = (),
        method: str | bool | None = None,
        order: int = 2,
        elementwise: bool = False,
        complex: bool = False,
        float32: bool = True,
        rtol: float = 1e-6,
        recorded: bool = True,
        flat: bool = False,
    ) -> None:
        self.name = name
        self.function = function
        self.twin = twin
        self.cases = list(cases)
        self.primitives = tuple(primitives)
        self.method = method
        self.order = order
        self.elementwise = elementwise
        self.complex = complex
        self.float32 = float32
        self.rtol = rtol
        self.recorded = recorded
        self.flat = flat

    def __repr__(self) -> str:
        return f"Row({self.name!r})"


def collect() -> list[Row]:
    """Return the rows of all files in `tests/op_rows`."""
    folder = pathlib.Path(__file__).parent / "op_rows"
    rows = []
    for path in sorted(folder.glob("*.py")):
        rows += importlib.import_module(f"op_rows.{path.stem}").ROWS
    return rows


# -- arguments by domain ---------------------------------------------------------------------------


def _real(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw from the standard normal distribution, moved away from 0 by 0.3."""
    x = np.clip(rng.normal(size=shape), -2.5, 2.5)
    return x + np.where(x < 0, -0.3, 0.3)


def _distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw numbers of both signs, any two at least 0.1 apart, none near 0."""
    size = int(np.prod(shape))
    grid = (np.arange(size) - size // 2) * 0.3 + 0.15
    return rng.permutation(grid + rng.uniform(-0.05, 0.05, size)).reshape(shape)


def _well_conditioned(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.normal(size=shape) * 0.5 + 2.0 * np.eye(*shape[-2:])


def _spd(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    a = rng.normal(size=shape)
    return a @ np.swapaxes(a, -1, -2) + shape[-1] * np.eye(shape[-1])


def _symmetric(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw symmetric matrices whose eigenvalues are about 1, 2, 3 ..."""
    a = 0.2 * rng.normal(size=shape)
    return a + np.swapaxes(a, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))


def _uniform(low: float, high: float) -> Callable[[np.random.Generator, tuple[int, ...]], Any]:
    return lambda rng, shape: rng.uniform(low, high, shape)


DOMAINS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "real": _real,
    "positive": _uniform(0.3, 3.0),
    "unit": _uniform(-0.9, 0.9),
    "probability": _uniform(0.05, 0.95),
    "small": _uniform(-0.5, 0.5),
    "above_one": _uniform(1.3, 4.0),
    "distinct": _distinct,
    "distinct_positive": lambda rng, shape: np.exp(0.5 * _distinct(rng, shape)),
    "well_conditioned": _well_conditioned,
    "spd": _spd,
    "symmetric": _symmetric,
    "complex": lambda rng, shape: _real(rng, shape) + 1j * _real(rng, shape),
    "bool": lambda rng, shape: rng.random(shape) < 0.5,
    "int": lambda rng, shape: rng.integers(1, 5, shape),
}

# -- walking nested arguments and results ----------------------------------------------------------


def is_floating(value: Any) -> bool:
    """Tell whether `value` is a floating or complex array: what a row differentiates."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


def leaves(value: Any) -> list[Any]:
    """List what nested lists, tuples and dicts hold, in order."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key])]
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def rebuild(value: Any, change: Callable[[Any], Any]) -> Any:
    """Copy nested lists, tuples and dicts, with `change` applied to what they hold."""
    if isinstance(value, dict):
        return {key: rebuild(part, change) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [rebuild(part, change) for part in value]
        if hasattr(value, "_fields"):
            return type(value)(*parts)
        return type(value)(parts)
    return change(value)


class Call:
    """A row's function of the list of its differentiable operands, all else held fixed."""

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], case: Case
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.kwargs = case.kwargs
        self.diff = range(len(arguments)) if case.diff is None else case.diff
        self.operands = [x for i in self.diff for x in leaves(arguments[i]) if is_floating(x)]

    def arguments_with(self, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the positional arguments with `operands` for the differentiable arrays."""
        rest = iter(operands)
        return tuple(
            rebuild(a, lambda v: next(rest) if is_floating(v) else v) if i in self.diff else a
            for i, a in enumerate(self.arguments)
        )

    def __call__(self, operands: Sequence[Any]) -> list[Any]:
        result = self.function(*self.arguments_with(operands), **self.kwargs)
        return [part for part in leaves(result) if np.result_type(part.dtype).kind in "fc"]


def calls(row: Row) -> list[tuple[Case, Call]]:
    """Return the calls that a row describes, complex variants included."""
    found = []
    for i, case in enumerate(row.cases):
        rng = np.random.default_rng([zlib.crc32(row.name.encode()), i])
        call = Call(row.function, case.arguments(rng), case)
        found.append((case, call))
        if row.complex and case.complex and all(x.dtype.kind == "f" for x in call.operands):
            turned = [np.asarray(x + 1j * (0.5 * rng.normal(size=x.shape))) for x in call.operands]
            found.append((case, Call(row.function, call.arguments_with(turned), case)))
    return found


# -- differences -----------------------------------------------------------------------------------


def inner(weights: Sequence[Any], values: Sequence[Any]) -> float:
    """Return Re sum(conj(w) v), what a backward pass from `weights` differentiates."""
    return float(sum(np.sum(np.conj(w) * v).real for w, v in zip(weights, values, strict=True)))


def directions(
    operands: Sequence[np.ndarray], rng: np.random.Generator, full: int = 12, some: int = 4
) -> list[list[np.ndarray]]:
    """Return the directions in which differences are taken.

    Each coordinate (real and imaginary) where there are few; otherwise `some` random directions,
    in which a wrong entry of the gradient shows just as well, only less readably.
    """
    sizes = [x.size * (2 if x.dtype.kind == "c" else 1) for x in operands]
    if sum(sizes) <= full:
        found = []
        for i, x in enumerate(operands):
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                for k in range(x.size):
                    direction = [np.zeros_like(y) for y in operands]
                    direction[i].flat[k] = unit
                    found.append(direction)
        return found
    return [[_noise(x, rng) for x in operands] for _ in range(some)]


def _noise(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # 0.3 keeps random directions as short as the steps along a coordinate, so that no domain is
    # left.
    d = 0.3 * rng.normal(size=x.shape)
    return d + 0.3j * rng.normal(size=x.shape) if x.dtype.kind == "c" else d


def difference(
    function: Callable[[list[Any]], float], operands: Sequence[Any], direction: Sequence[Any]
) -> float:
    """Differentiate along `direction`: central differences at two steps (error h^4)."""
    h = 1e-3

    def at(t: float) -> float:
        return function([x + t * d for x, d in zip(operands, direction, strict=True)])

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
