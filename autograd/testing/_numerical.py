"""`numerical_vjp`: any array function becomes differentiable, by numbers.

Slow (6 evaluations of the function per input element) and labelled as such; meant to be replaced by
a rule, which `check_against` compares with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Function, Variable
from autograd.extend import Context
from autograd.testing._checker import check_gradients
from autograd.testing._differences import Oracle, Tolerance
from autograd.testing._problem import Problem, name_of
from autograd.testing._vectors import Array, is_inexact, pack, precise, raw, unpack

__all__ = ["NumericalFunction", "numerical_vjp"]


def numerical_vjp(fn: Callable[..., Any]) -> NumericalFunction:
    """Make a function of arrays differentiable, with gradients by numbers instead of rules.

    The function gets plain arrays, so it may call anything: SciPy, compiled code, a simulation. It
    must return an array or a tuple of arrays. Derivatives come from extrapolated differences, at
    the cost of 6 evaluations per input element. Second derivatives work, to about 6 digits.

    Args:
        fn: takes arrays (and anything else) by position; keywords are constants.

    Returns:
        A differentiable function with the attribute `is_numerical = True` and a `check_against`
        method; its nodes appear in graphs and messages as `numerical(<name>)`.

    Example:
        >>> import numpy as np, autograd
        >>> cube = numerical_vjp(lambda x: x**3)
        >>> x = autograd.Variable(2.0, requires_grad=True)
        >>> cube(x).backward()
        >>> x.grad
        array(12.)
    """
    return NumericalFunction(fn)


class NumericalFunction:
    """What `numerical_vjp` returns."""

    is_numerical = True

    def __init__(self, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn, updated=())
        self._fn = fn
        self.__name__ = f"numerical({name_of(fn)})"
        self._operation: type[Function] = type(self.__name__, (_Numerical,), {})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate; record where a Variable among `args` requires a gradient."""
        for key, value in kwargs.items():
            if isinstance(value, Variable) and value.requires_grad:
                raise TypeError(
                    f"{self.__name__}: wanted Variables that require a gradient by position, got "
                    f"one as {key!r}; keywords are constants here"
                )
        call = functools.partial(self._fn, **kwargs) if kwargs else self._fn
        return self._operation.apply(call, *args)

    def __repr__(self) -> str:
        return f"<{self.__name__}: gradients by numbers>"

    def check_against(self, exact: Callable[..., Any], *inputs: Any, **options: Any) -> bool:
        """Check a function with rules, meant to replace this one: its values, then its derivatives.

        Args:
            exact: the replacement.
            *inputs: the point.
            **options: of `check_gradients`.

        Raises:
            AssertionError: values differ; GradientError where a derivative is wrong.
        """
        __tracebackhide__ = True
        arrays = [raw(value) for value in inputs]
        kwargs = options.get("kwargs") or {}
        for i, (e, g) in enumerate(
            zip(
                _several(self._fn(*arrays, **kwargs)),
                _several(exact(*arrays, **kwargs)),
                strict=True,
            )
        ):
            if e.shape != g.shape or not np.allclose(e, g, rtol=1e-9, atol=1e-12, equal_nan=True):
                raise AssertionError(
                    f"{name_of(exact)}: wanted the values of {self.__name__}, got others in "
                    f"output {i}: {np.array2string(g, threshold=8)} for "
                    f"{np.array2string(e, threshold=8)}"
                )
        return check_gradients(exact, *inputs, **options)


def _several(result: Any) -> list[Array]:
    """Return the outputs of a call as arrays."""
    results = result if isinstance(result, (tuple, list)) else (result,)
    return [np.asarray(raw(r)) for r in results]


class _Numerical(Function):
    """Evaluates a function of arrays; its gradient evaluates the numeric pullback the same way."""

    @staticmethod
    def forward(ctx: Context, call: Any, *args: Any) -> Any:
        ctx.call = call  # type: ignore[attr-defined]
        ctx.constants = [None if is_inexact(a) else a for a in args]  # type: ignore[attr-defined]
        ctx.save_for_backward(*[a for a in args if is_inexact(a)])
        result = call(*args)
        return tuple(result) if isinstance(result, (tuple, list)) else result

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        saved = iter(ctx.saved_tensors)
        args = [next(saved) if c is None else c for c in ctx.constants]  # type: ignore[attr-defined]
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[1:]) if needed]
        pullback = functools.partial(
            _pulled_back,
            ctx.call,  # type: ignore[attr-defined]
            len(args),
            wanted,
        )
        returned: list[Any] = [None] * (len(args) + 1)
        for i, g in zip(wanted, _Numerical.apply(pullback, *args, *gradients), strict=True):
            returned[i + 1] = g
        return tuple(returned)


def _pulled_back(
    call: Callable[..., Any], count: int, wanted: list[int], *values: Any
) -> tuple[Array, ...]:
    """Return J^T cotangents for `values`, arguments and then cotangents, by numbers."""
    args, cotangents = list(values[:count]), values[count:]

    def evaluate(variables: list[Variable]) -> list[tuple[str, Any]]:
        for i, variable in zip(wanted, variables, strict=True):
            args[i] = variable.data
        return [("output", r) for r in _several(call(*args))]

    leaves = [np.asarray(args[i]) for i in wanted]
    names = [f"argument {i}" for i in wanted]
    problem = Problem(name_of(call), evaluate, [precise(leaf) for leaf in leaves], names)
    with np.errstate(all="ignore"):
        oracle = Oracle(problem)
        v = pack(unpack(pack(cotangents), problem.outputs))
        g = np.array([_slope(oracle, unit, v) for unit in np.eye(oracle.x.size)])
    found = unpack(g, problem.inputs)
    return tuple(g.astype(leaf.dtype) for g, leaf in zip(found, leaves, strict=True))


def _slope(oracle: Oracle, d: Array, v: Array) -> float:
    """Return v . J d, from other step sizes where the first does not tell."""
    best = oracle.differences(d)
    size = np.abs(best.value)
    if not np.all(best.error <= 1e-6 * size + 1e-9 * np.max(size)):
        _, best = oracle.windows(d, Tolerance(0.0, 1e-9 * size, best.error))
    used = v != 0
    return float(best.value[used] @ v[used])
