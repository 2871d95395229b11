"""Loops: which operations run together as one loop over numbers that numba compiles, chosen by
`compile(f, backend="numba")`. Read it after `source`; the text of a loop is made in `loop_text`.

A `Loop` counts the first k axes of its shape S, and goes over the elements of one row behind them
as often as it must: what depends on a sum over the row waits until the row was gone over once.
Imports `fuse`, `graph` and NumPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.compiler.fuse import Group, row_axes
from autograd.compiler.graph import Op, Value

__all__ = [
    "BEYOND",
    "COMPARISONS",
    "EXTREMES",
    "FEW",
    "ROW",
    "Loop",
    "form",
    "is_dot",
    "is_one_loop",
    "is_view",
    "operands",
    "pattern",
]

ROW = 65_536  # elements of a row that is gone over more than once
FEW = 512  # elements up to which a call of a mathematical library is faster than one of NumPy

_SUMS, EXTREMES = {"sum", "mean"}, {"max": "larger", "min": "smaller"}
# Of operands in the dtype of the result.
_FORMS = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}",
    "negative": "-{}", "positive": "{}", "absolute": "abs({})", "fabs": "abs({})",
    "square": "{0} * {0}", "reciprocal": "{one} / {}", "sqrt": "sqrt({})", "exp": "exp({})",
    "tanh": "tanh({})", "erf": "erf({})", "erfc": "erfc({})", "expm1": "expm1({})",
    "expit": "logistic(exp(-abs({0})), {0}, {one})",
    "maximum": "larger({}, {})", "minimum": "smaller({}, {})",
    "relu": "larger({}, {zero})", "broadcast_to": "{}", "astype": "{}", "detach": "{}",
    "detached": "{}", "copy": "{}", "bitwise_and": "{} & {}", "logical_and": "{} & {}",
    "bitwise_or": "{} | {}", "logical_or": "{} | {}", "bitwise_xor": "{} ^ {}",
    "invert": "not {}", "logical_not": "not {}", "where": "{1} if {0} else {2}",
    "gate": "{0} if {1} else {zero}", "log": "log({})", "log1p": "log1p({})", "sin": "sin({})",
    "cos": "cos({})", "logistic_slope": "slope(exp(-abs({})), {one})",
    "over_lorentz": "{0} / ({one} + {1} * {1})",
}  # fmt: skip
COMPARISONS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip
# Where those do not hold that are made of polynomials.
BEYOND = {"log": "{} <= 0", "log1p": "{} <= -1", "sin": "abs({}) > 1e5", "cos": "abs({}) > 1e5"}
_SLOW = {
    "tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
    "arctanh", "log2", "log10",
}  # fmt: skip
_POWERS = {1: "{0}", 2: "{0} * {0}", 3: "{0} * {0} * {0}", 4: "square({0} * {0})",
           0.5: "sqrt({0})", -1: "{one} / {0}"}  # fmt: skip
_LOGICAL = {n for n in _FORMS if n.startswith(("bitwise", "logical", "invert"))}
_VIEWS = {"reshape", "expand_dims", "squeeze", "getitem"}


# -- what can be in a loop -------------------------------------------------------------------------


def operands(op: Op) -> tuple[Any, ...]:
    """Return the arguments of an operation that are arrays or stand for one."""
    given = op.arguments
    if op.primitive.parameters == ("args", "kwargs"):
        given = () if given[1] else given[0]
    return given[:1] if op.primitive.name in ("broadcast_to", "astype") else given


def form(op: Op) -> str | None:
    """Return how a loop says an elementwise operation; None where it cannot."""
    name, given = op.primitive.name, operands(op)
    home = getattr(op.primitive.forward, "__module__", None) or "numpy"
    known = all(type(a) in (Value, int, float, bool) or isinstance(a, np.generic) for a in given)
    if not given or not known or op.several or not home.startswith(("numpy", "autograd.", "nn.")):
        return None
    if name in COMPARISONS:
        return f"{{}} {COMPARISONS[name]} {{}}"
    logical = op.out.dtype == bool
    if name == "power" and not logical and type(given[0]) is Value:
        return _POWERS.get(given[1]) if type(given[1]) in (int, float) else None
    if name in _SLOW and op.out.size <= FEW and not logical:
        return f"np.{name}({{}})"
    if logical and name not in {*_LOGICAL, "where", "broadcast_to", "detach", "detached", "copy"}:
        return None
    return None if name in _LOGICAL and not logical else _FORMS.get(name)


def is_view(op: Op) -> bool:
    """Tell whether a result has the elements of its operand in their order."""
    name, x = op.primitive.name, op.arguments[0] if op.arguments else None
    if type(x) is not Value or x.size != op.out.size or op.several or x.dtype != op.out.dtype:
        return False
    if name == "getitem":
        index = op.arguments[1] if type(op.arguments[1]) is tuple else (op.arguments[1],)
        steps = [i.step for i in index if type(i) is slice]
        return all(type(i) in (slice, int, type(None), type(...)) for i in index) and not any(
            step is not None and step < 0 for step in steps
        )
    one = (name in _SUMS or name in EXTREMES) and row_axes(op) is not None
    return one or (name in _VIEWS and (name != "reshape" or op.arguments[2:] == ("C", None)))


def is_dot(op: Op) -> bool:
    """Tell whether an operation is a product (..., 1, n) @ (..., n, 1)."""
    if op.primitive.name != "matmul" or not all(type(a) is Value for a in op.arguments):
        return False
    x, y = (a.shape for a in op.arguments)
    return len(x) == len(y) > 1 and x[:-2] == y[:-2] and x[-2] == y[-1] == 1


class Loop(Group):
    """Operations that run in one loop. A value in it has an element for each of S (is full), or one
    for each row.
    """

    def __init__(self, shape: tuple[int, ...], index: int) -> None:
        super().__init__(shape, index)
        self.ks = {k for k in range(len(shape)) if math.prod(shape[k:]) > 1} or {0}

    @property
    def k(self) -> int:
        """How many axes are counted: as few as possible, for long rows."""
        return min(self.ks)

    @staticmethod
    def may_join(op: Op) -> bool:
        """Tell whether an operation can be in a loop at all."""
        values = (*op.inputs, *op.outputs)
        if op.primitive.checks or any(v.dtype.char not in "fd?" or not v.size for v in values):
            return False
        reduces = op.primitive.name in {*_SUMS, *EXTREMES} and row_axes(op) is not None
        floats = op.out.dtype.kind == "f" if op.outputs else False
        return bool(form(op) or is_view(op) or (floats and (reduces or is_dot(op))))

    @staticmethod
    def seed(op: Op) -> tuple[int, ...] | None:
        """Return the shape of a loop that can begin with an operation."""
        if is_view(op):
            return None
        shape: tuple[int, ...] = op.out.shape if form(op) else op.inputs[0].shape
        return shape

    @property
    def totals(self) -> set[Value]:
        """Sums over all rows, which are known when the loop ends."""
        return {op.out for op in self.ops if self.is_total(op, self.k)}

    @totals.setter
    def totals(self, _: Any) -> None: ...

    def size(self, k: int) -> int:
        """Return the number of elements of a row."""
        return math.prod(self.shape[k:])

    def is_full(self, v: Value, k: int) -> bool | None:
        """Tell whether a value has an element for each of S or one for each row; None: neither."""
        if v.shape[:k] != self.shape[:k]:
            return None
        n = math.prod(v.shape[k:])
        return False if n == 1 else True if n == self.size(k) else None

    def is_total(self, op: Op, k: int) -> bool:
        """Tell whether an operation is a sum over all rows, of whole rows or of each element."""
        axes = row_axes(op) if op.primitive.name in _SUMS and not is_view(op) else None
        if axes is None or not self.is_full(op.inputs[0], k) or (not k and self.size(0) <= ROW):
            return False
        shape = op.inputs[0].shape
        behind = {a in axes for a in range(k, len(shape)) if shape[a] > 1}
        return all(a in axes for a in range(k) if shape[a] > 1) and len(behind) == 1

    def is_reduction(self, op: Op, k: int) -> bool:
        """Tell whether an operation makes one number of each row."""
        if form(op) or is_view(op) or self.size(k) > ROW or self.is_full(op.out, k) is not False:
            return False
        if not all(self.is_full(v, k) for v in op.inputs):
            return False
        axes, shape = row_axes(op) or [], op.inputs[0].shape
        return is_dot(op) or all((a in axes) is (a >= k) for a in range(len(shape)) if shape[a] > 1)

    def fitting(self, op: Op) -> set[int]:
        """Return for which of `ks` an operation can be a part of this."""
        return {k for k in self.ks if self._fits(op, k)}

    def _fits(self, op: Op, k: int) -> bool:
        made = {o.out for o in self.ops if self.is_total(o, k)}
        if any(v in made for v in op.inputs):
            return False
        if self.is_total(op, k) or self.is_reduction(op, k):
            return True
        full = self.is_full(op.out, k)
        if full is None:
            return False
        if is_view(op):
            return self.is_full(op.inputs[0], k) is full
        return bool(form(op)) and all(self._aligned(v, op.out, k) for v in op.inputs)

    def _aligned(self, v: Value, out: Value, k: int) -> bool:
        if v in self.values:
            return self.is_full(v, k) is not None and (not k or len(v.shape) == len(out.shape))
        return pattern(v, out, k) is not None


def pattern(v: Value, out: Value, k: int) -> tuple[tuple[int, ...], bool] | None:
    """Return the counted axes along which an operand moves, and whether it has whole rows; None
    where it has something in between.
    """
    shape = (1,) * (len(out.shape) - len(v.shape)) + v.shape
    row = math.prod(shape[k:])
    if row not in (1, math.prod(out.shape[k:])):
        return None
    return tuple(a for a in range(k) if shape[a] > 1), row > 1


def is_one_loop(units: list[Any]) -> bool:
    """Tell whether a program of few numbers is nothing but one loop: then to compute something
    again takes less time than to hand it over.
    """
    return len(units) == 1 and type(units[0]) is Loop and math.prod(units[0].shape) <= ROW // 64
