"""NumPy's ufuncs on Variables: calls, keywords, and the methods reduce, accumulate and outer.

`np.exp(v)`, `array * v` and `np.add.outer(v, w)` come here. Imports `functions`, whose tables say
what is recorded, plain or refused.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from typing import Any

import numpy as np

from autograd.arrays import UnreadError, is_foreign
from autograd.engine import graph
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import unwrap
from autograd.engine.mode import current_mode
from autograd.ops import joining, shaping
from autograd.ops.plain import plain
from autograd.protocols import scipy as _scipy
from autograd.protocols.functions import (
    HANDLERS,
    QUESTIONS,
    parameters,
    refuse,
    requires_grad,
    spelling,
    strip,
    without_rules,
)

__all__ = ["array_ufunc"]

# Reductions and running results that have a function of their own; others go step by step.
_REDUCTIONS: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
_RUNNING: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Answer `np.ufunc(variable, ...)` and operators with a plain array on the left."""
    if any(_answers_itself(x, self) for x in inputs):
        return NotImplemented
    if method != "__call__":
        return _method(ufunc, method, inputs, kwargs)
    handler = HANDLERS.get(ufunc)
    if handler is not None and not kwargs:
        return handler(*inputs)
    if ufunc in QUESTIONS:
        return (plain(ufunc) if kwargs else QUESTIONS[ufunc])(*inputs, **kwargs)
    if not requires_grad(inputs) and not requires_grad(kwargs):
        if "out" not in kwargs:
            return without_rules(ufunc, inputs, kwargs)
        if current_mode().tracing:
            raise _writes(ufunc)
        ufunc(*map(unwrap, inputs), **unwrap_all(kwargs))
        return kwargs["out"][0]
    handler = handler or _scipy.counterpart(ufunc)
    if handler is None:
        raise refuse(ufunc)
    return _with_keywords(ufunc, handler, inputs, kwargs)


def _answers_itself(value: Any, variable: Any) -> bool:
    """Tell whether NumPy is to ask `value`, a table of xarray or the like, which is no array."""
    ours = isinstance(value, (np.ndarray, np.generic, graph.Variable)) or is_foreign(value)
    return (
        not ours
        and hasattr(type(value), "__array_ufunc__")
        and (type(value) is not type(unwrap(variable)))
    )


def _with_keywords(
    ufunc: np.ufunc, handler: Any, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    kwargs = strip(kwargs)
    if kwargs.get("order") == "K":
        del kwargs["order"]
    mask = unwrap(kwargs.pop("where", None))
    outs = kwargs.pop("out", None)
    casting = kwargs.pop("casting", "same_kind")
    if "dtype" in kwargs:
        dtype = np.dtype(kwargs.pop("dtype"))
        inputs = tuple(_as_dtype(ufunc, x, dtype, casting) for x in inputs)
    unknown = [k for k in kwargs if k not in parameters(handler)[1]]
    if unknown:
        moved = "write np.moveaxis on the operands and on the result"
        advice = moved if unknown[0] in ("axes", "axis") else ""
        raise refuse(ufunc, f"that does not take {unknown[0]}=", advice)
    if mask is None:
        if outs is not None:
            raise _writes(ufunc)
        return handler(*inputs, **kwargs)
    if outs is None:
        msg = (
            f"{spelling(ufunc)}: wanted where= together with out=, which gives the other elements, "
            f"got where= alone, which leaves them undefined; write np.where(mask, "
            f"{spelling(ufunc)}(v), other)"
        )
        raise TypeError(msg)
    rest = outs[0]
    if len(outs) > 1 or isinstance(rest, graph.Variable):
        raise _writes(ufunc)
    with np.errstate(all="ignore"):  # NumPy does not compute what the mask leaves out
        result = handler(*inputs, **kwargs)
    chosen = HANDLERS[np.where](mask, result, rest)
    if not np.can_cast(chosen.dtype, rest.dtype, casting):
        raise _writes(ufunc)
    return chosen if chosen.dtype == rest.dtype else shaping.astype(chosen, rest.dtype)


def _writes(ufunc: np.ufunc) -> TypeError:
    return TypeError(
        f"{spelling(ufunc)}: wanted a call without out=, got one that writes a Variable that "
        f"requires a gradient, or is traced, into an existing array; use the returned value, as in "
        f"a = a + v instead of a += v"
    )


def _as_dtype(ufunc: np.ufunc, x: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    kind = x.dtype if hasattr(x, "dtype") else np.result_type(x)
    if dtype.kind not in "fc" or not np.can_cast(kind, dtype, casting):
        msg = (
            f"{spelling(ufunc)}: wanted dtype= of a floating type that {kind} can be cast to by "
            f"rule {casting!r}, got {dtype}"
        )
        raise TypeError(msg)
    return shaping.astype(x, dtype, copy=False)


# -- methods ---------------------------------------------------------------------------------------


def _method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if ufunc in QUESTIONS:
        return plain(getattr(ufunc, method))(*inputs, **kwargs)
    if not requires_grad(inputs) and not requires_grad(kwargs):
        return without_rules(getattr(ufunc, method), inputs, kwargs)
    handler = HANDLERS.get(ufunc) or _scipy.counterpart(ufunc)
    if handler is None:
        raise refuse(ufunc)
    if method in ("at", "reduceat"):
        advice = {
            "at": "write x = autograd.add_at(x, index, value), which returns a new array",
            "reduceat": "split the array with autograd.split and reduce the parts",
        }
        msg = (
            f"{spelling(ufunc)}.{method}: wanted a call without a Variable that requires a "
            f"gradient, got one; {advice[method]}"
        )
        raise TypeError(msg)
    kwargs = strip(kwargs)
    if "out" in kwargs:
        raise _writes(ufunc)
    with contextlib.suppress(UnreadError):
        getattr(ufunc, method)(*unwrap_all(inputs), **unwrap_all(kwargs))  # NumPy's own errors
    if method == "outer":
        return _outer(ufunc, handler, *inputs, **kwargs)
    (x, *rest) = inputs
    names = ("axis", "dtype", "out", "keepdims", "initial", "where")
    kwargs |= strip(dict(zip(names, rest, strict=False)))
    if "dtype" in kwargs:
        x = _as_dtype(ufunc, x, np.dtype(kwargs.pop("dtype")), "same_kind")
    axis = kwargs.pop("axis", 0)
    if method == "accumulate":
        axis = 0 if axis is None else axis[0] if type(axis) is tuple else axis  # there is one only
        if _RUNNING.get(ufunc) in HANDLERS:
            return HANDLERS[_RUNNING[ufunc]](x, axis=axis)
        steps = _steps(handler, list(shaping.moveaxis(x, axis, 0)))
        return joining.stack(steps, axis) if steps else x
    if ufunc in _REDUCTIONS:
        return HANDLERS[_REDUCTIONS[ufunc]](x, axis=axis, **kwargs)
    return _reduce(ufunc, handler, x, axis, **kwargs)


def _outer(ufunc: np.ufunc, handler: Any, x: Any, y: Any, /, **kwargs: Any) -> Any:
    x = shaping.reshape(x, (*np.shape(x), *(1,) * np.ndim(y)))
    return _with_keywords(ufunc, handler, (x, y), kwargs) if kwargs else handler(x, y)


def _steps(handler: Any, rows: list[Any]) -> list[Any]:
    """Combine the first row with the second, the result with the third, and so on."""
    return list(itertools.accumulate(rows, handler))


def _reduce(
    ufunc: np.ufunc, handler: Any, x: Any, axis: Any, keepdims: bool = False, **kwargs: Any
) -> Any:
    given = "initial" in kwargs
    initial = kwargs.pop("initial", ufunc.identity)
    if kwargs:
        raise refuse(ufunc, f"whose reduce does not take {next(iter(kwargs))}=")
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % max(x.ndim, 1)
    axes = tuple(int(a) for a in axes)
    left = [n for i, n in enumerate(x.shape) if i not in axes]
    count = math.prod(x.shape[a] for a in axes)
    flat = shaping.reshape(shaping.moveaxis(x, axes, tuple(range(len(axes)))), (count, *left))
    start = [initial] if initial is not None and (given or count < 2) else []
    out = shaping.broadcast_to(_steps(handler, [*start, *flat])[-1], left)
    return shaping.expand_dims(out, axes) if keepdims else out
