"""NumPy's protocols: `np.exp(v)` and `np.concatenate([v, w])` on Variables are recorded like the functions of this package.

A NumPy function has a recorded counterpart of the same name, or needs none (its result carries no gradient), or is refused
with a TypeError that names it and the nearest alternative. Nothing is swallowed: an argument that the counterpart does not
take is an error, unless it says what is the default anyway. Sixth file to read, after `_variable`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd._graph import wrap
from autograd._variable import Variable, plain

# NumPy function -> recorded counterpart, filled by `register`.
HANDLERS: dict[Callable[..., Any], Callable[..., Any]] = {}

# NumPy functions whose result carries no gradient: called on the raw arrays.
PLAIN: set[Callable[..., Any]] = {
    getattr(np, name)
    for name in (
        "all allclose any argmax argmin argpartition argsort argwhere array2string array_equal array_equiv array_repr "
        "array_str bitwise_and bitwise_or bitwise_xor can_cast common_type count_nonzero digitize empty_like equal "
        "flatnonzero greater greater_equal histogram histogram_bin_edges iscomplex iscomplexobj isclose isfinite isinf isnan isnat isneginf "
        "isposinf isreal isrealobj left_shift less less_equal lexsort logical_and logical_not logical_or logical_xor "
        "may_share_memory min_scalar_type nanargmax nanargmin ndim nonzero not_equal ones_like result_type "
        "right_shift searchsorted shape shares_memory signbit size unravel_index zeros_like bitwise_count invert "
        "gcd lcm save savetxt savez"
    ).split()
    if hasattr(np, name)
}

# Arguments that say the default, and so need no counterpart.
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "out": (None, (None,)),
    "dtype": (None,),
    "order": ("C", "K", None),
    "subok": (True, False),
    "casting": ("same_kind",),
    "where": (True,),
    "initial": (np._NoValue,),  # type: ignore[attr-defined]  # noqa: SLF001
    "keepdims": (np._NoValue,),  # type: ignore[attr-defined]  # noqa: SLF001
}
_FIRST = ("a", "ary", "arr", "m", "array", "v", "x", "arrays", "x1")


def register(names: Iterable[str], functions: dict[str, Callable[..., Any]], module: Any) -> None:
    """Make functions of this package the counterparts of NumPy's of the same names in `module`."""
    for name in names:
        counterpart = getattr(module, name, None)
        if callable(counterpart) and not isinstance(counterpart, type):
            HANDLERS[counterpart] = functions[name]


def nearest(name: str) -> str:
    """Name the recorded function whose name is closest, as a hint in an error message."""
    names = [f.__name__ for f in HANDLERS if f.__name__ != name]
    close = difflib.get_close_matches(name, names, 1, 0.6)
    return f"the nearest recorded function is np.{close[0]}" if close else "see docs/numpy_coverage.md for what is recorded"


def refuse(name: str, reason: str) -> TypeError:
    """Return the error for a NumPy call that would lose a gradient."""
    return TypeError(
        f"np.{name}: wanted a function with a recorded counterpart, got one {reason}; {nearest(name)}, "
        f"or pass variable.detach() to compute without a gradient"
    )


def _requires_grad(value: Any) -> bool:
    if isinstance(value, Variable):
        return value.requires_grad
    if isinstance(value, (list, tuple)):
        return any(map(_requires_grad, value))
    if isinstance(value, dict):
        return any(map(_requires_grad, value.values()))
    return False


def _all_plain(value: Any) -> Any:
    if isinstance(value, Variable):
        return value._data
    if isinstance(value, (list, tuple)):
        return type(value)(map(_all_plain, value))
    if isinstance(value, dict):
        return {k: _all_plain(v) for k, v in value.items()}
    return value


def _strip(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Drop arguments that say the default."""
    return {
        k: v for k, v in kwargs.items() if not (k in _DEFAULTS and any(v is d or (type(v) is type(d) and v == d) for d in _DEFAULTS[k]))
    }


def array_function(self: Variable, function: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Answer `np.function(variable, ...)`."""
    handler = HANDLERS.get(function)
    if handler is not None:
        kwargs = _strip(kwargs) if kwargs else kwargs
        if not args:
            for key in _FIRST:
                if key in kwargs:
                    kwargs = dict(kwargs)
                    args = (kwargs.pop(key),)
                    break
        return handler(*args, **kwargs)
    if function in PLAIN:
        return function(*_all_plain(args), **_all_plain(kwargs))
    if _requires_grad(args) or _requires_grad(kwargs):
        raise refuse(function.__name__, "without one")
    return _wrapped(function(*_all_plain(args), **_all_plain(kwargs)))


def _wrapped(result: Any) -> Any:
    """Wrap floating results as Variables, so that kinds are kept where nothing is recorded."""
    if isinstance(result, (np.ndarray, np.generic)) and result.dtype.kind in "fc":
        return wrap(result)
    if isinstance(result, (tuple, list)):
        return type(result)(map(_wrapped, result)) if type(result) in (tuple, list) else result
    return result


def array_ufunc(self: Variable, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:  # noqa: ARG001
    """Answer `np.ufunc(variable, ...)` and operators with a plain array on the left."""
    if method == "__call__":
        handler = HANDLERS.get(ufunc)
        if not kwargs and handler is not None:
            return handler(*inputs)
        if ufunc in PLAIN:
            return ufunc(*map(plain, inputs), **_all_plain(kwargs))
        kwargs = _strip(kwargs)
        if handler is not None and not kwargs:
            return handler(*inputs)
        return _ufunc_with_keywords(ufunc, handler, inputs, kwargs)
    return _ufunc_method(ufunc, method, inputs, kwargs)


def _ufunc_with_keywords(ufunc: np.ufunc, handler: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not _requires_grad(inputs) and not _requires_grad(list(kwargs.values())):
        result = ufunc(*map(plain, inputs), **_all_plain(kwargs))
        return kwargs["out"][0] if "out" in kwargs else _wrapped(result)
    if handler is None:
        raise refuse(ufunc.__name__, "without one")
    if "out" in kwargs:
        msg = (
            f"np.{ufunc.__name__}: wanted a call without out=, got one that writes a Variable that requires a gradient into "
            f"an existing array; use the returned value, as in a = a + v instead of a += v"
        )
        raise TypeError(msg)
    raise refuse(ufunc.__name__, f"called with {', '.join(kwargs)}")


def _ufunc_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not _requires_grad(inputs):
        return _wrapped(getattr(ufunc, method)(*map(plain, inputs), **_all_plain(kwargs)))
    raise refuse(f"{ufunc.__name__}.{method}", "without one")


Variable.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Variable.__array_function__ = array_function  # type: ignore[attr-defined]
