"""Rules in two stages, as HIPS autograd writes them: `defvjp(f, lambda ans, x: lambda g: ...)`.

The first stage takes the output and the arguments, the second the cotangent. They are rules as all
others to the engine: of operands that are found by position instead of by name. Imports the engine.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.checked import require_recorded
from autograd.engine.primitive import Primitive
from autograd.ops.plain import plain
from autograd.typed import user_level

__all__ = [
    "arguments_of",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
]


def _primitive(what: str, function: Any) -> Primitive | None:
    """Return what is known of an operation; of other functions None, with a warning: their rules
    are never asked for.
    """
    made = getattr(function, "primitive", None)
    if isinstance(made, Primitive):
        return made
    warnings.warn(
        f"{what}: wanted a function made by autograd.extend.primitive, got {function!r}, whose "
        "rules are never asked for; put @primitive above its def",
        UserWarning,
        user_level(),
    )
    return None


def arguments_of(
    made: Primitive, values: tuple[Any, ...]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments as the caller may have written them: without defaults at the end."""
    names = made.parameters[1 if made.variadic else 0 :]
    count = len(values) - len(names)
    args, rest = list(values[:count]), values[count:]
    if made.variadic:
        (operands,) = args
        args = list(operands)
    given = dict(zip(names, rest, strict=True))
    positional = [] if made.variadic else list(names[: made.positional])
    while positional and _is_default(made, positional[-1], given[positional[-1]]):
        del given[positional.pop()]
    args += [given.pop(name) for name in positional]
    return tuple(args), {k: v for k, v in given.items() if not _is_default(made, k, v)}


def _is_default(made: Primitive, name: str, value: Any) -> bool:
    return name in made.defaults and value is made.defaults[name]


class _Staged:
    """A rule that asks for the output and all arguments, and hands them to the first stage.

    `compute(g, out, args, kwargs, more)`, where `more` is what the rule needs besides.
    """

    def __init__(self, made: Primitive, compute: Callable[..., Any], *more: str) -> None:
        self.made, self.compute, self.more = made, compute, len(more)
        kind = inspect.Parameter.POSITIONAL_ONLY
        names = ("g", "out", *made.parameters, *more)
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])

    def __call__(self, g: Any, out: Any, *values: Any) -> Any:
        last = len(values) - self.more
        return self.compute(g, out, *arguments_of(self.made, values[:last]), *values[last:])


def defvjp(function: Any, *vjpmakers: Any, argnums: Iterable[int] | None = None) -> None:
    """Attach a rule in two stages to each operand: `maker(ans, *args, **kwargs)` returns the
    function of the cotangent `g` that returns the cotangent of the operand.

    Args:
        function: made by `primitive`.
        *vjpmakers: None stands for a derivative of zero.
        argnums: positions of the operands, by default 0, 1, ...

    Example:
        >>> import autograd
        >>> from autograd.extend import defvjp, primitive
        >>> @primitive
        ... def cube(x):
        ...     return x**3
        >>> defvjp(cube, lambda ans, x: lambda g: g * 3 * x**2)
        >>> autograd.grad(cube)(2.0)
        np.float64(12.0)
    """
    by_place = dict(zip(itertools.count() if argnums is None else argnums, vjpmakers, strict=False))

    def make(argnum: int, ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
        if argnum not in by_place:
            raise _missing(function, argnum)
        maker = by_place[argnum]
        if maker is None:
            return lambda _: np.zeros_like(args[argnum])
        pull: Callable[[Any], Any] = maker(ans, *args, **kwargs)
        return pull

    _attach("defvjp", function, make, by_place)


def _missing(function: Any, argnum: int) -> NotImplementedError:
    return NotImplementedError(
        f"{function.__name__}: wanted a rule for argument {argnum}, got none; give defvjp one"
    )


def defvjp_argnum(function: Any, vjpmaker: Callable[..., Any]) -> None:
    """Attach one rule in two stages to all operands: `maker(argnum, ans, args, kwargs)` returns the
    function of the cotangent `g`.
    """
    _attach("defvjp_argnum", function, vjpmaker, None)


def _attach(
    what: str, function: Any, make: Callable[..., Any], argnums: Iterable[int] | None
) -> None:
    made = _primitive(what, function)
    if made is None:
        return
    loose = getattr(made, "loose", None)
    if loose is not None:
        loose.attach(make, argnums)
        if made.parameters == ("args",):
            return
    if made.variadic:

        def pull_at(g: Any, ans: Any, args: Any, kwargs: Any, index: int) -> Any:
            return _as_real(made.name, g, make(index, ans, args, kwargs)(g), args, index)

        _attach_rules(made, {made.parameters[0]: _Staged(made, pull_at, "index")})
        return

    def rule(argnum: int) -> _Staged:
        def pull(g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
            return _as_real(made.name, g, make(argnum, ans, args, kwargs)(g), args, argnum)

        return _Staged(made, pull)

    argnums = range(len(made.parameters)) if argnums is None else list(argnums)
    if any(n >= len(made.parameters) for n in argnums):
        raise TypeError(
            f"{what}: wanted at most {len(made.parameters)} rules for {made.name}"
            f"({', '.join(made.parameters)}), got one for argument {max(argnums)}"
        )
    _attach_rules(made, {made.parameters[n]: rule(n) for n in argnums})


def _attach_rules(made: Primitive, rules: dict[str, _Staged]) -> None:
    made.rules.update(rules)  # no keywords: an operand may be called `self`
    made.defvjp()  # forgets plans made before


def _as_real(name: str, g: Any, gx: Any, args: Sequence[Any], argnum: int) -> Any:
    """Return the real part of a cotangent, where the operand is real."""
    require_recorded(name, g, gx)
    if argnum < len(args) and np.iscomplexobj(gx) and not np.iscomplexobj(args[argnum]):
        return np.real(gx)
    return gx


def defvjp_argnums(function: Any, vjpmaker: Callable[..., Any]) -> None:
    """Attach one rule in two stages to all operands together: `maker(argnums, ans, args, kwargs)`
    returns the function of the cotangent `g` that returns a cotangent for each of `argnums`.
    """
    made = _primitive("defvjp_argnums", function)
    if made is None:
        return
    loose = getattr(made, "loose", None)
    if loose is not None:
        loose.pullback = vjpmaker
        if made.parameters == ("args",):
            return

    def pull(g: Any, ans: Any, args: Any, kwargs: Any, wanted: tuple[bool, ...]) -> Any:
        argnums = tuple(i for i, asked in enumerate(wanted) if asked)
        pulled = zip(argnums, vjpmaker(argnums, ans, args, kwargs)(g), strict=True)
        found = {i: _as_real(made.name, g, gx, args, i) for i, gx in pulled}
        return tuple(map(found.get, range(len(wanted))))

    made.joint = _Staged(made, pull, "wanted")
    made.defvjp()  # forgets plans made before


def defjvp(function: Any, *jvpfuns: Any, argnums: Iterable[int] | None = None) -> None:
    """Attach a tangent rule to each operand: `fun(g, ans, *args, **kwargs)` returns the tangent of
    the output for the tangent `g` of the operand. Forward mode takes it; without one it derives
    its own of the vjp.

    Args:
        function: made by `primitive`.
        *jvpfuns: None stands for zero, "same" for a function that is linear in the operand.
        argnums: positions of the operands, by default 0, 1, ...
    """
    by_place = dict(zip(itertools.count() if argnums is None else argnums, jvpfuns, strict=False))

    def push(argnum: int, g: Any, ans: Any, args: Any, kwargs: Any) -> Any:
        if argnum not in by_place:
            raise _missing(function, argnum)
        fun = by_place[argnum]
        if fun is None:
            return None
        if fun == "same":
            return function(*args[:argnum], g, *args[argnum + 1 :], **kwargs)
        return fun(g, ans, *args, **kwargs)

    defjvp_argnum(function, push)


def defjvp_argnum(function: Any, jvpmaker: Callable[..., Any]) -> None:
    """Attach one tangent rule to all operands: `maker(argnum, g, ans, args, kwargs)`."""
    made = _primitive("defjvp_argnum", function)
    if made is None or made.parameters == ("args",):  # whose tangents are derived
        return

    def jvp(tangents: list[Any], out: Any, *values: Any) -> Any:
        if made.variadic:
            count = len(values) - len(made.parameters) + 1
            values = (values[:count], *values[count:])
        args, kwargs = arguments_of(made, values)
        parts = [jvpmaker(i, t, out, args, kwargs) for i, t in enumerate(tangents) if t is not None]
        return _where_floating(functools.reduce(_added, parts), out)

    made.jvp = jvp

    def without(argnum: int, *_: Any) -> Any:
        raise _missing(function, argnum)

    lacking = [i for i, name in enumerate(made.parameters) if name not in made.rules]
    if made.joint is None:
        _attach("defjvp", function, without, lacking[:1] if made.variadic else lacking)


def _added(t: Any, s: Any) -> Any:
    """Add two tangents, where None is zero, each of several."""
    if t is None or s is None:
        return s if t is None else t
    return tuple(map(_added, t, s)) if type(t) is tuple else t + s


def _where_floating(t: Any, out: Any) -> Any:
    """Drop the tangents of outputs that are integers: they have none, and rules return anything."""
    if type(out) is tuple and t is not None:
        return tuple(map(_where_floating, t, out))
    return t if out.dtype.kind in "fc" else None


def def_linear(function: Any) -> None:
    """Say that a function is linear in each of its operands: its tangents are its own values."""
    made = _primitive("def_linear", function)
    if made is not None:
        defjvp(function, *["same"] * len(made.parameters))


def notrace_primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function whose result carries no gradient: it is called with arrays in place of
    Variables.
    """
    return plain(function)
