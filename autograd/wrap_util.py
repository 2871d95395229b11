"""Operators on functions of one argument, made operators on functions of any. Imports `trace`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd.transforms.trace import positions_of

__all__ = ["unary_to_nary"]


def unary_to_nary(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Return `operator(function, argnum=0)`, which returns a function of all arguments, of an
    `operator(function, x)` of functions of one argument.

    For a tuple of numbers `x` is the tuple of those arguments. Further arguments of the operator
    come after `argnum`.
    """

    @functools.wraps(operator)
    def nary(fun: Callable[..., Any], argnum: Any = 0, *options: Any, **settings: Any) -> Any:
        places = positions_of(operator.__name__, fun, argnum)
        several = isinstance(argnum, Sequence)

        @functools.wraps(fun)
        def at(*args: Any, **kwargs: Any) -> Any:
            if not all(-len(args) <= i < len(args) for i in places):
                raise ValueError(
                    f"{operator.__name__}: wanted argnum below the number of positional arguments, "
                    f"{len(args)}, got {argnum}"
                )

            @functools.wraps(fun)
            def of_one(x: Any) -> Any:
                full = list(args)
                for i, value in zip(places, x if several else (x,), strict=True):
                    full[i] = value
                return fun(*full, **kwargs)

            del of_one.__wrapped__  # whose signature is another
            x = tuple(args[i] for i in places) if several else args[places[0]]
            return operator(of_one, x, *options, **settings)

        return at

    del nary.__wrapped__  # whose signature is another
    return nary
