"""NumPy's functions on Variables: `np.concatenate([v, w])` is recorded like `autograd.concatenate`.

A NumPy function is one of three things. It has a recorded counterpart of the same name
(`HANDLERS`); or its result carries no gradient (`QUESTIONS`, `PLAIN`); or it is refused
where a gradient would be lost, with a TypeError that names it and what to write instead (`REFUSED`
knows better than the nearest name). Nothing is swallowed: an argument that the counterpart does not
take is an error, unless it says what is the default anyway. Seventh file to read, after
`ops/elementwise`; ufuncs are in `ufuncs`. Imports the calculus; the class body of Variable binds
what is here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import ops
from autograd.arrays import Many, is_array
from autograd.engine import graph
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import wrap
from autograd.ops.plain import plain
from autograd.protocols import scipy as _scipy

__all__ = [
    "HANDLERS",
    "PLAIN",
    "QUESTIONS",
    "REFUSED",
    "array_function",
    "classify",
    "nearest",
    "open_rooms",
    "parameters",
    "refuse",
    "requires_grad",
    "spelling",
    "strip",
    "without_rules",
    "wrapped",
]


def _named(names: str) -> list[Any]:
    """Return those of NumPy's functions that this version of NumPy has."""
    found = []
    for name in names.split():
        module, _, last = name.rpartition(".")
        function = getattr(getattr(np, module) if module else np, last, None)
        if function is not None:
            found.append(function)
    return found


# NumPy functions that look at shapes and dtypes only, or write text and files: called on the raw
# arrays.
PLAIN: set[Callable[..., Any]] = set(
    _named(
        "busday_count busday_offset can_cast common_type datetime_as_string diag_indices_from "
        "einsum_path empty_like is_busday iscomplexobj isrealobj ix_ may_share_memory "
        "min_scalar_type ndim ones_like result_type shape shares_memory size tril_indices_from "
        "triu_indices_from zeros_like array2string array_repr array_str save savetxt savez "
        "savez_compressed"
    )
)

# NumPy function -> its counterpart of the same name; those whose result has no gradient by nature
# are operations without rules.
HANDLERS: dict[Callable[..., Any], Callable[..., Any]] = {}
QUESTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}


def _enter(theirs: Any, ours: Any) -> None:
    """Enter the functions of one room."""
    for name in ours.__all__:
        function, counterpart = getattr(theirs, name, None), getattr(ours, name)
        if callable(function) and not isinstance(function, type):
            made = getattr(counterpart, "primitive", None)
            (QUESTIONS if made is not None and made.plain else HANDLERS)[function] = counterpart


_enter(np, ops)
HANDLERS[np.full] = ops.creation.full  # those of `autograd` are to assign to
HANDLERS[np.full_like] = ops.creation.full_like


@functools.cache
def open_rooms() -> None:
    """Enter the functions of np.linalg and np.fft, whose counterparts are imported when a function
    that is none of NumPy's own is asked for.
    """
    from autograd import fft, linalg, special

    _enter(np.linalg, linalg)
    _enter(np.fft, fft)
    HANDLERS[np.i0] = special.i0


_SET = "write x = autograd.set_at(x, index, value), which returns a new array"
_FIRST_PLACES = (
    "write x.ravel()[np.unique(x.detach(), return_index=True)[1]] for the different elements of x"
)
_COUNTS = (
    "counts have no gradient; pass x.detach(), or sum weights by "
    "autograd.bincount(np.digitize(x, edges) - 1, weights)"
)

# What to write instead of functions that lose a gradient by nature.
REFUSED: dict[Callable[..., Any], str] = {
    function: advice
    for names, advice in (
        ("copyto", _SET + "; and autograd.full_like(x, value) for np.full_like"),
        ("place put put_along_axis putmask", _SET),
        ("fill_diagonal", "write autograd.set_at(x, np.diag_indices(n), value)"),
        ("unique unique_all unique_counts unique_inverse unique_values", _FIRST_PLACES),
        ("intersect1d setdiff1d setxor1d union1d", _FIRST_PLACES),
        ("in1d", "write np.isin"),
        ("histogram histogram2d histogramdd histogram_bin_edges", _COUNTS),
        ("poly", "multiply the factors with autograd.convolve"),
        ("polyadd", "write p + q, the shorter one padded with zeros in front"),
        ("polysub", "write p - q, the shorter one padded with zeros in front"),
        ("polymul", "write autograd.convolve(p, q)"),
        ("polydiv", "write autograd.linalg.solve with the matrix of the divisor's coefficients"),
        ("polyder", "write p[:-1] * np.arange(len(p) - 1, 0, -1)"),
        ("polyint", "write autograd.append(p / np.arange(len(p), 0, -1), 0.0)"),
        ("polyfit", "write autograd.linalg.lstsq(np.vander(x, degree + 1), y)[0]"),
        ("roots", "write autograd.linalg.eigvals of the companion matrix"),
        ("sort_complex", "write autograd.sort"),
    )
    for function in _named(names)
}


def classify(function: Callable[..., Any]) -> str:
    """Tell what a NumPy function does with Variables: "recorded", "plain" or "refused"."""
    open_rooms()
    if function in HANDLERS:
        return "recorded"
    return "plain" if function in PLAIN or function in QUESTIONS else "refused"


# -- refusing --------------------------------------------------------------------------------------


def spelling(function: Any) -> str:
    """Return how users write a function: np.linalg.svd."""
    module = getattr(function, "__module__", None)
    if module is None:
        module = "scipy.special" if _scipy.name_of(function) else "numpy"
    name = getattr(function, "__name__", type(function).__name__)
    return f"{module}.{name}".replace("numpy.", "np.", 1)


def nearest(name: str) -> str:
    """Name the recorded function whose name is closest, as a hint in an error message."""
    import difflib  # only for messages: importing the library must stay quick

    open_rooms()
    names = {spelling(f): f.__name__ for f in HANDLERS if f.__name__ != name}
    close = difflib.get_close_matches(name, names.values(), 1, 0.6)
    if not close:
        return "see docs/numpy_coverage.md for what is recorded"
    full = next(spelled for spelled, last in names.items() if last == close[0])
    return f"the nearest recorded function is {full}"


def refuse(function: Any, reason: str = "without one", advice: str = "") -> TypeError:
    """Return the error for a NumPy call that would lose a gradient."""
    advice = (
        advice
        or REFUSED.get(function)
        or _scipy.advice(function)
        or nearest(getattr(function, "__name__", ""))
    )
    return TypeError(
        f"{spelling(function)}: wanted a function with a recorded counterpart, got one {reason}; "
        f"{advice}; variable.detach() computes without a gradient"
    )


def requires_grad(value: Any) -> bool:
    """Tell whether a gradient could be lost, or the other examples of a batch: a Variable in
    `value`, also nested, requires one, or has a batch to itself.
    """
    if isinstance(value, graph.Variable):
        return value._node is not None or isinstance(value._data, Many)
    if isinstance(value, (list, tuple)):
        return any(map(requires_grad, value))
    if isinstance(value, dict):
        return any(map(requires_grad, value.values()))
    return False


def wrapped(result: Any) -> Any:
    """Wrap floating results as Variables: kinds are kept where nothing is recorded."""
    if is_array(result) and result.dtype.kind in "fc":
        return wrap(result)
    if isinstance(result, (tuple, list)):
        parts = map(wrapped, result)
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


_plain = functools.cache(plain)


def without_rules(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function that has no counterpart on Variables that require no gradient, where
    observers see it.
    """
    return wrapped(_plain(function)(*args, **kwargs))


# -- arguments -------------------------------------------------------------------------------------

# Arguments that say the default, and so need no counterpart.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "out": (None,),
    "dtype": (None,),
    "order": (None, "C"),
    "like": (None,),
    "subok": (True, False),
    "where": (True, np._NoValue),
    "initial": (np._NoValue,),
    "keepdims": (np._NoValue,),
}


def strip(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Drop arguments that say the default."""
    return {k: v for k, v in kwargs.items() if k not in _DEFAULTS or not _is_default(k, v)}


def _is_default(key: str, value: Any) -> bool:
    if key == "out":
        return value is None or (isinstance(value, tuple) and all(v is None for v in value))
    return any(value is d or (type(value) is type(d) and bool(value == d)) for d in _DEFAULTS[key])


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@functools.cache
def parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """Return the names that `function` takes by position, those by keyword, and if it has *args."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some of NumPy's C functions
        return (), frozenset(), True
    positional = tuple(p.name for p in found if p.kind in _POSITIONAL)
    keywords = frozenset(p.name for p in found if p.kind not in _POSITIONAL[:1])
    return positional, keywords, any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in found)


def _spelled(
    function: Callable[..., Any],
    handler: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Fit the arguments of NumPy's function to its counterpart, whose parameters have the same
    names: those that say the default are dropped, as in `np.sum(v, 0, None)`, others refused.
    """
    own, keywords, many = parameters(handler)
    kwargs = strip(kwargs)
    if not many and len(args) > len(own):
        names = parameters(function)[0][len(own) : len(args)]
        names += tuple(f"argument {i}" for i in range(len(own) + len(names), len(args)))
        kwargs |= strip(dict(zip(names, args[len(own) :], strict=True)))
        args = args[: len(own)]
    unknown = next((key for key in kwargs if key not in keywords), None)
    if unknown == "out":
        raise TypeError(
            f"{spelling(function)}: wanted a call without out=, got one that writes a Variable "
            f"into an existing array; use the returned value"
        )
    if unknown is not None:
        known = ", ".join(dict.fromkeys((*own, *sorted(keywords))))
        raise TypeError(
            f"{spelling(function)}: wanted arguments among {known}, got {unknown}, which has no "
            f"recorded counterpart"
        )
    return args, kwargs


def array_function(
    self: Any, function: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]
) -> Any:
    """Answer `np.function(variable, ...)`."""
    del self, types
    handler = HANDLERS.get(function)
    if handler is None and function not in QUESTIONS and function not in PLAIN:
        open_rooms()
        handler = HANDLERS.get(function)
    if handler is not None:
        if kwargs or len(args) > 1:  # np.exp(v) needs no look
            args, kwargs = _spelled(function, handler, args, kwargs)
        return handler(*args, **kwargs)
    if function in QUESTIONS:
        return QUESTIONS[function](*args, **kwargs)
    if function in PLAIN:
        return function(*unwrap_all(args), **unwrap_all(kwargs))
    if requires_grad(args) or requires_grad(kwargs):
        raise refuse(function)
    return without_rules(function, args, kwargs)
