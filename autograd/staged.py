"""Rules in two stages, as HIPS autograd writes them: `defvjp(f, lambda ans, x: lambda g: ...)`.

The first stage takes the output and the arguments, the second the cotangent. They are rules as all
others to the engine: of operands that are found by position instead of by name. Imports the engine.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.engine.primitive import Primitive
from autograd.ops.plain import plain

__all__ = [
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
]


def _primitive(what: str, function: Any) -> Primitive:
    made = getattr(function, "primitive", None)
    if isinstance(made, Primitive):
        return made
    raise TypeError(
        f"{what}: wanted a function made by autograd.extend.primitive, got {function!r}; put "
        "@primitive above its def"
    )


def _arguments(made: Primitive, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
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
        return self.compute(g, out, *_arguments(self.made, values[:last]), *values[last:])


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
    count = len(_primitive("defvjp_argnum", function).parameters)
    _attach("defvjp_argnum", function, vjpmaker, range(count))


def _attach(what: str, function: Any, make: Callable[..., Any], argnums: Iterable[int]) -> None:
    made = _primitive(what, function)
    if made.variadic:

        def pull_at(g: Any, ans: Any, args: Any, kwargs: Any, index: int) -> Any:
            return make(index, ans, args, kwargs)(g)

        made.defvjp(**{made.parameters[0]: _Staged(made, pull_at, "index")})
        return

    def rule(argnum: int) -> _Staged:
        return _Staged(made, lambda g, ans, args, kwargs: make(argnum, ans, args, kwargs)(g))

    argnums = list(argnums)
    if any(n >= len(made.parameters) for n in argnums):
        raise TypeError(
            f"{what}: wanted at most {len(made.parameters)} rules for {made.name}"
            f"({', '.join(made.parameters)}), got one for argument {max(argnums)}"
        )
    made.defvjp(**{made.parameters[n]: rule(n) for n in argnums})


def defvjp_argnums(function: Any, vjpmaker: Callable[..., Any]) -> None:
    """Attach one rule in two stages to all operands together: `maker(argnums, ans, args, kwargs)`
    returns the function of the cotangent `g` that returns a cotangent for each of `argnums`.
    """
    made = _primitive("defvjp_argnums", function)

    def pull(g: Any, ans: Any, args: Any, kwargs: Any, wanted: tuple[bool, ...]) -> Any:
        argnums = tuple(i for i, asked in enumerate(wanted) if asked)
        found = dict(zip(argnums, vjpmaker(argnums, ans, args, kwargs)(g), strict=True))
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
            return np.zeros_like(ans)
        if fun == "same":
            return function(*args[:argnum], g, *args[argnum + 1 :], **kwargs)
        return fun(g, ans, *args, **kwargs)

    defjvp_argnum(function, push)


def defjvp_argnum(function: Any, jvpmaker: Callable[..., Any]) -> None:
    """Attach one tangent rule to all operands: `maker(argnum, g, ans, args, kwargs)`."""
    made = _primitive("defjvp_argnum", function)

    def jvp(tangents: list[Any], out: Any, *values: Any) -> Any:
        if made.variadic:
            count = len(values) - len(made.parameters) + 1
            values = (values[:count], *values[count:])
        args, kwargs = _arguments(made, values)
        parts = [jvpmaker(i, t, out, args, kwargs) for i, t in enumerate(tangents) if t is not None]
        return sum(parts[1:], parts[0])

    made.jvp = jvp

    def without(argnum: int, *_: Any) -> Any:
        raise _missing(function, argnum)

    lacking = [i for i, name in enumerate(made.parameters) if name not in made.rules]
    if made.joint is None:
        _attach("defjvp", function, without, lacking[:1] if made.variadic else lacking)


def def_linear(function: Any) -> None:
    """Say that a function is linear in each of its operands: its tangents are its own values."""
    made = _primitive("def_linear", function)
    defjvp(function, *["same"] * len(made.parameters))


def notrace_primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function whose result carries no gradient: it is called with arrays in place of
    Variables.
    """
    return plain(function)
