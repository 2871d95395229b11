"""The surface for authors of differentiable functions: `primitive`, `unary`, `binary`, `Function`,
and rules in two stages as code written for HIPS autograd has them (`defvjp` and its kin).

The library's own operations are made by the same factories. What comes in here is not trusted:
shape, dtype and type of what functions and rules return are checked on every call and in every
backward pass, and arrays are handed to them read-only (together about 0.7 us per operand).
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd.advice import instead_of_name
from autograd.batching.run import Run as BatchRun
from autograd.batching.run import batch_rule
from autograd.checked import CheckedPrimitive, reading
from autograd.engine import calls
from autograd.engine.calls import Operation
from autograd.engine.primitive import Primitive, Rule
from autograd.function import Context, Function
from autograd.loose import Loose, is_nested
from autograd.publication import publish as _publish
from autograd.staged import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    notrace_primitive,
)

__all__ = [
    "BatchRun",
    "Context",
    "Function",
    "Operation",
    "batch_rule",
    "binary",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
    "primitive",
    "unary",
]

if not TYPE_CHECKING:
    # Names of HIPS autograd, which are no part of this page.
    _OF_VALUES = ("Box", "VJPNode", "VSpace", "vspace")

    def __getattr__(name: str) -> object:
        if name in _OF_VALUES:
            return getattr(importlib.import_module("autograd.vspace"), name)
        raise instead_of_name(sys.modules[__name__], name)


def unary(
    forward: Callable[[Any], Any],
    *,
    x: Rule,
    name: str | None = None,
    makes_zeros: bool = False,
    preserves_dtype: bool = True,
) -> Operation:
    """Make a differentiable elementwise function of one operand `x`.

    Args:
        forward: computes the output from an array.
        x: the vjp rule: takes the cotangent `g` of the output and, by name, what it needs of `x`,
            `out` and their `_shape`, `_ndim`, `_dtype`; returns the cotangent of `x`.
        name: the public name; by default that of `forward`.
        makes_zeros: the rule puts exact zeros into cotangents (by a mask).
        preserves_dtype: False where the output may be real for a complex operand.

    Example:
        >>> import autograd
        >>> cube = unary(lambda x: x**3, name="cube", x=lambda g, x: g * 3 * x**2)
        >>> autograd.grad(cube)(2.0)
        np.float64(12.0)
    """
    made = CheckedPrimitive(
        name or forward.__name__,
        reading(forward),
        ("x",),
        {"x": x},
        elementwise=True,
        makes_zeros=makes_zeros,
        preserves_dtype=preserves_dtype,
    )
    return _published(calls.unary_call(made), made, forward)


def binary(
    forward: Callable[[Any, Any], Any],
    *,
    x: Rule | None = None,
    y: Rule | None = None,
    name: str | None = None,
    makes_zeros: bool = False,
) -> Operation:
    """Make a differentiable, broadcasting, elementwise function of two operands `x` and `y`.

    Args:
        forward: computes the output from two arrays or numbers.
        x: the vjp rule of the first operand: see `unary`. None: a Variable that requires a gradient
            is refused there.
        y: the vjp rule of the second operand.
        name: the public name; by default that of `forward`.
        makes_zeros: the rules put exact zeros into cotangents.
    """
    rules = {key: rule for key, rule in (("x", x), ("y", y)) if rule is not None}
    made = CheckedPrimitive(
        name or forward.__name__,
        reading(forward),
        ("x", "y"),
        rules,
        elementwise=True,
        makes_zeros=makes_zeros,
    )
    return _published(calls.binary_call(made), made, forward)


@overload
def primitive(forward: Callable[..., Any], /) -> Operation: ...


@overload
def primitive(**settings: Any) -> Callable[[Callable[..., Any]], Operation]: ...


def primitive(
    forward: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    joint: Rule | None = None,
    nondiff: tuple[str, ...] = (),
    elementwise: bool = False,
    linear: bool = False,
    makes_zeros: bool = False,
    jvp: Rule | None = None,
    **rules: Rule,
) -> Any:
    """Make a function of arrays differentiable: a decorator, with vjp rules by operand name.

    The decorated function takes Variables, arrays or both, by position or by keyword. Rules can
    also be attached later, with `function.defvjp(x=...)`. A Variable that requires a gradient, in
    an operand without a rule, is an error.

    Args:
        forward: the function, when used as a bare decorator. The operands of a ufunc are called
            x0, x1, ...
        name: the public name; by default that of the function.
        joint: one rule for all operands, returning a tuple with a cotangent or None for each.
        nondiff: operands that never have a gradient; Variables are unwrapped there.
        elementwise: the output broadcasts the operands against each other, and each output element
            depends on one element of each operand: the engine sums cotangents back to the
            operands' shapes.
        linear: jointly linear in the operands that have rules.
        makes_zeros: rules put exact zeros into cotangents.
        jvp: `(tangents, out, *arguments)`, with a tangent or None per argument, returns the tangent
            of `out`; without it forward mode derives one.
        **rules: the vjp rule of each operand.

    Example:
        >>> import numpy as np, autograd
        >>> @autograd.primitive(x=lambda g, x: g * 3 * x**2)
        ... def cube(x):
        ...     return x**3
        >>> autograd.grad(cube)(2.0)
        np.float64(12.0)
    """
    known = {
        "joint": joint,
        "nondiff": nondiff,
        "elementwise": elementwise,
        "linear": linear,
        "makes_zeros": makes_zeros,
        "jvp": jvp,
        **rules,
    }

    def decorate(forward: Callable[..., Any]) -> Operation:
        if isinstance(forward, np.ufunc):
            forward = _with_names(forward)
        if not any(known.values()) and _has_unnamed(forward):
            loose = Loose(name or forward.__name__, forward)
            return _published(functools.partial(loose.__call__), loose.primitive(), forward)
        _look_at_parameters(forward)
        known_of = calls.signature_of(forward, known)
        made = CheckedPrimitive(name or forward.__name__, reading(forward), **known_of)
        call = calls.general_call(made)
        if not any(known.values()):
            call = _of_structures(call, made, forward)
        return _published(call, made, forward)

    return decorate if forward is None else decorate(forward)


def _look_at_parameters(forward: Callable[..., Any]) -> None:
    """Refuse a function whose parameters have no names, or could swallow an operand."""
    code = getattr(forward, "__code__", None)
    if code is None:
        raise TypeError(
            f"primitive: wanted a Python function, whose parameters have names, got {forward!r} of "
            f"type {type(forward).__name__}; write a def around it"
        )
    _, star, stars = inspect.getargs(code)
    if stars or (star and code.co_argcount):
        got = "**keywords" if stars else "both kinds of operand"
        raise TypeError(
            f"{forward.__name__}: wanted named parameters, or *operands first and the others as "
            f"keywords, got {got}; name each, so that none can be swallowed"
        )


def _has_unnamed(forward: Any) -> bool:
    """Tell whether a function has parameters that no rule could name."""
    code = getattr(forward, "__code__", None)
    if code is None:  # of C, or a function of NumPy
        return callable(forward) and not isinstance(forward, type)
    star, keywords = code.co_flags & inspect.CO_VARARGS, code.co_flags & inspect.CO_VARKEYWORDS
    return bool(keywords or (star and code.co_argcount))


def _of_structures(call: Any, made: Primitive, forward: Any) -> Any:
    """Return a call that takes structures of Variables as well: rules of two stages may come."""
    loose = made.loose = Loose(made.name, forward)  # type: ignore[attr-defined]

    def called(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if arg.__class__ in _CONTAINERS and is_nested(arg):
                return loose(*args, **kwargs)
        return call(*args, **kwargs)

    return called


_CONTAINERS = frozenset({list, tuple, dict})


def _with_names(ufunc: np.ufunc) -> Callable[..., Any]:
    """Return a ufunc as a function whose parameters have names: x0, x1, ..."""
    names = ", ".join(f"x{i}" for i in range(ufunc.nin))
    function = eval(f"lambda {names}: ufunc({names})", {"ufunc": ufunc})  # noqa: S307 - of numbers
    function.__name__ = function.__qualname__ = ufunc.__name__
    return function  # type: ignore[no-any-return]


def _published(call: Any, made: Primitive, forward: Callable[..., Any]) -> Operation:
    functools.update_wrapper(call, forward)
    if made.name != getattr(forward, "__name__", None):
        call.__name__ = call.__qualname__ = made.name
    call.primitive = made
    call.defvjp = made.defvjp
    made.call = call
    return call  # type: ignore[no-any-return]


_publish(__name__)
