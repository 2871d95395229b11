"""What of NumPy can be differentiated, as a table: made from the registry, so it cannot lie.

`coverage()` has a row for each function of `np`, `np.linalg` and `np.fft` that takes arrays, each
method of arrays and each method of ufuncs. Imports everything that is older.
"""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from autograd.advice import CHANGES
from autograd.docstrings import TABLES
from autograd.engine.primitive import PRIMITIVES, Primitive
from autograd.protocols.functions import HANDLERS, REFUSED, classify, nearest, parameters
from autograd.transforms import forward as _forward
from autograd.variable import Variable


class Entry(NamedTuple):
    """One row of the table.

    Attributes:
        name: the spelling, "np.linalg.svd", "ndarray.sum" or "ufunc.reduce".
        gradient: "gradient"; "zero", recorded with a derivative that is zero; "none", where the
            result is plain, because nothing could be differentiated; or "refused" with a TypeError.
        limits: keywords of NumPy that are refused, or what else differs.
        forward: the tangent rule: "elementwise" (the vjp rule), "reduction" (the vjp rule, added
            up), "linear" (the function itself), "own", "transposed" (the vjp rule, twice), or
            "composed" of those of other functions.
        orders: the highest derivative that the tests compare with differences.
        convention: the derivative at ties, kinks and singular points; or what to write instead.
    """

    name: str
    gradient: str
    limits: str = ""
    forward: str = ""
    orders: int = 0
    convention: str = ""


class Coverage(list[Entry]):
    """The rows, printed as a table."""

    def __getitem__(self, key: Any) -> Any:
        """Return a row by its name, or rows by position."""
        if isinstance(key, str):
            for entry in self:
                if entry.name == key:
                    return entry
            raise KeyError(f"coverage: wanted a name such as 'np.sum', got {key!r}")
        return super().__getitem__(key)

    def counts(self) -> dict[str, int]:
        """Count the rows by what becomes of the gradient."""
        found = Counter(entry.gradient for entry in self)
        return {kind: found[kind] for kind in ("gradient", "zero", "none", "refused")}

    def __str__(self) -> str:
        rows = [tuple(map(str, entry)) for entry in (Entry._fields, *self)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
        return "\n".join(
            "  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows
        )


# What becomes of the gradient at ties, kinks and singular points, by name: of functions in a table
# as `help` says it, of the others here. tests/autograd/test_conventions.py has a test for each.
_EXTREMUM = "ties share the gradient"
_SPREAD = "0 at constants and for one element"
_QUANTILE = "goes to the elements that NumPy's value is made of"
_LINE = "0 where the vector is zero; ties of ord=inf share"
_PROD = "right with any number of zeros"
_SPLIT = "of equal values: those terms left out, with a RuntimeWarning"
_SYMMETRIC = "the gradient is that of a symmetric matrix"

CONVENTIONS: dict[str, str] = {
    name: entry.convention
    for name, entry in TABLES["autograd"].items()
    if entry.convention and hasattr(np, name)
}
CONVENTIONS |= {
    name: text
    for names, text in (
        ("max min nanmax nanmin ptp", _EXTREMUM),
        ("clip", "1 at a bound"),
        ("linalg.norm linalg.vector_norm linalg.matrix_norm", _LINE),
        ("where", "the branch not taken gets exactly 0, whatever was computed there"),
        ("prod nanprod cumprod nancumprod cumulative_prod", _PROD),
        ("std nanstd", _SPREAD),
        ("sort partition", "ties in the order of argsort"),
        ("median nanmedian quantile nanquantile percentile nanpercentile", _QUANTILE),
        ("linalg.det", "cofactors, right for singular matrices"),
        ("linalg.cholesky", _SYMMETRIC),
        ("linalg.eigh", f"{_SPLIT}; {_SYMMETRIC}"),
        ("linalg.eigvalsh", f"right for equal values; {_SYMMETRIC}"),
        ("linalg.svd", _SPLIT),
        ("linalg.svdvals", "right for equal values"),
        ("angle sign", "0 at the origin"),
        ("divmod", "as between the steps"),
    )
    for name in names.split()
    if hasattr(np, name.partition(".")[0])
}

# Recorded with a derivative of zero.
_ZERO = {"sign", "floor", "ceil", "trunc", "rint", "fix", "round", "around", "spacing"}
_ZERO |= {"floor_divide", "heaviside"}
# Highest derivative compared with differences, where it is not 3 for elementwise functions, else 2.
_ORDERS = {
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "remainder", "fmod", "floor_divide"), 2),
    "nan_to_num": 3,
    "nextafter": 1,
    "where": 3,
}
# Methods of arrays that give their values up in a way that says so.
_TAKES_OUT = frozenset({"item", "tolist"})
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Keywords that say how to compute, not what.
_HARMLESS = ("order", "like", "subok", "copy", "casting", "device")
_UFUNC_LIMITS = "where= only with an array as out="
_UFUNC_METHODS = {
    "ufunc.__call__": Entry("", "gradient", _UFUNC_LIMITS, "of the function", 2),
    "ufunc.reduce": Entry("", "gradient", "out", "composed", 2),
    "ufunc.accumulate": Entry("", "gradient", "out", "composed", 2),
    "ufunc.outer": Entry("", "gradient", "out", "composed", 2),
    "ufunc.at": Entry("", "refused", convention="write autograd.add_at(x, index, value)"),
    "ufunc.reduceat": Entry("", "refused", convention="split the array and reduce the parts"),
}


def coverage() -> Coverage:
    """Return the table of what NumPy offers and what becomes of its gradients here.

    Example:
        >>> table = coverage()
        >>> table["np.tanh"]
        Entry(name='np.tanh', gradient='gradient', ..., forward='elementwise', orders=3, ...)
        >>> table["np.argmax"].gradient
        'none'
    """
    rows = Coverage()
    for prefix, module in (("", np), ("linalg.", np.linalg), ("fft.", np.fft)):
        for name in sorted(vars(module)):
            function = getattr(module, name, None)
            if not name.startswith("_") and _takes_arrays(function):
                rows.append(_row(f"np.{prefix}{name}", prefix, function))
    rows += [_method(name) for name in sorted(vars(np.ndarray)) if _is_method(name)]
    rows += [entry._replace(name=name) for name, entry in _UFUNC_METHODS.items()]
    return rows


def _takes_arrays(function: Any) -> bool:
    """Tell whether NumPy asks the types of its arguments what to do."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def _row(spelled: str, prefix: str, function: Any) -> Entry:
    kind = classify(function)
    if kind == "plain":
        return Entry(spelled, "none")
    name = prefix + function.__name__
    if kind == "refused":
        return Entry(spelled, "refused", convention=REFUSED.get(function) or nearest(name))
    handler = HANDLERS[function]
    gradient = "zero" if name in _ZERO else "gradient"
    spec = _primitive(handler)
    forward = "composed" if spec is None else _forward.kind(spec)
    return Entry(
        spelled,
        gradient,
        _limits(function, handler),
        forward,
        _ORDERS.get(name) or _orders(spec),
        CONVENTIONS.get(name, ""),
    )


def _primitive(handler: Any) -> Primitive | None:
    """Return the primitive that a public function is, None where it is made of several."""
    spec = getattr(handler, "primitive", None)
    return spec if isinstance(spec, Primitive) and PRIMITIVES.get(spec.name) is spec else None


def _orders(spec: Primitive | None) -> int:
    """Return the highest derivative that the op table checks; there, rows say so themselves."""
    return 3 if spec is not None and spec.elementwise and len(spec.parameters) <= 2 else 2


def _limits(function: Any, handler: Any) -> str:
    """List the keywords of NumPy's function that its counterpart refuses."""
    if isinstance(function, np.ufunc):
        return _UFUNC_LIMITS
    own, keywords, many = parameters(handler)
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return ""
    positional = parameters(function)[0]
    taken = keywords.union(positional if many else positional[: len(own)], _HARMLESS)
    named = (p.name for p in found.values() if p.kind not in _MANY)
    return ", ".join(name for name in named if name not in taken)


# -- methods ---------------------------------------------------------------------------------------


def _is_method(name: str) -> bool:
    return not name.startswith("_") and callable(getattr(np.ndarray, name))


def _method(name: str) -> Entry:
    spelled = f"ndarray.{name}"
    function = getattr(np, name, None)
    if name in CHANGES:
        return Entry(spelled, "refused", convention=f"write {CHANGES[name]}")
    if not hasattr(Variable, name):
        return Entry(spelled, "refused", convention=f"write x.detach().data.{name}")
    if name in _TAKES_OUT or (function and classify(function) == "plain"):
        return Entry(spelled, "none")
    if _takes_arrays(function) and function in HANDLERS:
        return _row(spelled, "", function)
    return Entry(spelled, "gradient", "", "composed", 2)


__all__ = ["CONVENTIONS", "Coverage", "Entry", "coverage"]
