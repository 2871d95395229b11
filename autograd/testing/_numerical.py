"""`numerical_vjp`: any array function becomes differentiable, by numbers.

Slow (some evaluations of the function per input element) and labelled as such; meant to be
replaced by a rule, which `check_against` compares with it. Imports `_function`, the oracle and
NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.function import Context, Function
from autograd.testing._checker import check_gradients
from autograd.testing._oracle import Oracle
from autograd.testing._packing import Array, is_inexact, pack, raw, unpack
from autograd.testing._problem import Problem, name_of
from autograd.variable import Variable


def numerical_vjp(fn: Callable[..., Any]) -> NumericalFunction:
    """Make a function of arrays differentiable, with gradients by numbers instead of rules.

    The function gets plain arrays, so it may call anything: SciPy, compiled code, a simulation. It
    must return an array or a tuple of arrays. Derivatives come from the complex step where the
    function proves to be analytic, else from extrapolated differences, at the cost of 1 or 8
    evaluations per input element. Second derivatives work, to about 6 digits.

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
        arrays = [raw(value) for value in inputs]
        kwargs = options.get("kwargs") or {}
        expected, got = self._fn(*arrays, **kwargs), exact(*arrays, **kwargs)
        several = isinstance(expected, (tuple, list))
        pairs = zip(expected, got, strict=True) if several else [(expected, got)]
        for i, (e, g) in enumerate(pairs):
            e, g = np.asarray(raw(e)), np.asarray(raw(g))
            if e.shape != g.shape or not np.allclose(e, g, rtol=1e-9, atol=1e-12, equal_nan=True):
                raise AssertionError(
                    f"{name_of(exact)}: wanted the values of {self.__name__}, got others in "
                    f"output {i}: {np.array2string(g, threshold=8)} for "
                    f"{np.array2string(e, threshold=8)}"
                )
        return check_gradients(exact, *inputs, **options)


class _Numerical(Function):
    """Evaluates a function of arrays; its gradient evaluates the numeric pullback the same way."""

    @staticmethod
    def forward(ctx: Context, call: Any, *args: Any) -> Any:
        ctx.call = call  # type: ignore[attr-defined]
        ctx.constants = tuple(  # type: ignore[attr-defined]
            None if is_inexact(a) else a for a in args
        )
        ctx.save_for_backward(*[a for a in args if is_inexact(a)])
        result = call(*args)
        return tuple(result) if isinstance(result, (tuple, list)) else result

    @staticmethod
    def backward(ctx: Context, *gradients: Any) -> Any:
        saved = iter(ctx.saved_tensors)
        args = [next(saved) if c is None else c for c in ctx.constants]  # type: ignore[attr-defined]
        wanted = [i for i, needed in enumerate(ctx.needs_input_grad[1:]) if needed]
        pullback = _Pullback(ctx.call, len(args), wanted)  # type: ignore[attr-defined]
        found = _Numerical.apply(pullback, *args, *gradients)
        returned: list[Any] = [None] * (len(args) + 1)
        for i, g in zip(wanted, found, strict=True):
            returned[i + 1] = g
        return tuple(returned)


class _Pullback:
    """The array function (arguments, cotangents) -> J^T cotangents, by numbers."""

    def __init__(self, call: Callable[..., Any], count: int, wanted: Sequence[int]) -> None:
        self.call = call
        self.count = count
        self.wanted = wanted

    def __call__(self, *values: Any) -> tuple[Array, ...]:
        args, cotangents = list(values[: self.count]), values[self.count :]

        def call(variables: list[Variable]) -> list[Any]:
            full = list(args)
            for i, variable in zip(self.wanted, variables, strict=True):
                full[i] = variable.data
            result = self.call(*full)
            results = result if isinstance(result, (tuple, list)) else (result,)
            return [np.asarray(r) for r in results]

        leaves = [np.asarray(args[i]) for i in self.wanted]
        wide = [leaf.astype(np.result_type(leaf.dtype, np.float64)) for leaf in leaves]
        problem = Problem(name_of(self.call), call, wide, [f"argument {i}" for i in self.wanted])
        x = problem.point()
        fx = problem(x)
        oracle = Oracle(problem, fx)
        oracle.choose(np.random.default_rng(0))
        v = pack(
            [np.asarray(c, dtype=s.dtype) for c, s in zip(cotangents, problem.outputs, strict=True)]
        )
        g = np.array([_slope(oracle, unit, v) for unit in np.eye(x.size)])
        gradients = unpack(g.reshape(-1), problem.inputs)
        return tuple(g.astype(leaf.dtype) for g, leaf in zip(gradients, leaves, strict=True))


def _slope(oracle: Oracle, d: Array, v: Array) -> float:
    """Return v . J d from the best of several step sizes for each output."""
    best = oracle.along(d)
    value, error = best.value, best.error
    for shift in (4, 8, 12):
        if np.all(error <= 1e-6 * np.abs(value) + 1e-9 * np.max(np.abs(value), initial=0.0)):
            break
        other = oracle.differences(d, shift)
        better = other.error < error
        value, error = np.where(better, other.value, value), np.where(better, other.error, error)
    used = v != 0
    return float(value[used] @ v[used])
