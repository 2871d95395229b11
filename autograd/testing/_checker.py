"""`check_gradients`: the analytic derivatives of a function against numbers, with an explanation
where they differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from autograd import Variable
from autograd.testing._compare import compare
from autograd.testing._level import Level, global_state
from autograd.testing._problem import make_problem
from autograd.testing._report import GradientError, Wrong
from autograd.testing._vectors import flatten, raw

__all__ = ["check_gradients", "gradcheck", "gradgradcheck"]


def check_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    kwargs: dict[str, Any] | None = None,
    parameters: Iterable[Variable] = (),
    order: int = 2,
    modes: Collection[str] = ("reverse", "forward"),
    fast: bool | None = None,
    symmetric: bool | Collection[int] = False,
    rtol: float = 1e-9,
    atol: float | None = None,
    seed: int = 0,
    **keywords: Any,
) -> bool:
    """Check the derivatives of `fn` at `inputs` against numbers; return True or raise an error that
    explains.

    Differentiated are the Variables among the inputs that require a gradient; without any, all
    floating arrays; without any of those, floats. Inputs and outputs may be nested lists, tuples
    and dicts, real or complex, of any shape. Keywords of `fn` are constants: `check_gradients(f, x,
    axis=0)`.

    The numbers come from extrapolated central differences, whose error estimate widens the
    tolerance. A value that disagrees is looked at again with other steps and from both sides: at a
    kink every value between the left and the right derivative is right. Data in single or half
    precision are judged in double precision first, and then the low-precision gradient against
    that. Besides, evaluation has to be repeatable and free of side effects, and the pullback
    linear, for cotangents of every size and memory layout.

    Args:
        fn: takes the inputs as arrays or Variables, and returns arrays or Variables.
        *inputs: the point.
        kwargs: keywords of `fn` that have the name of an option here.
        parameters: Variables that `fn` holds itself, such as `module.parameters()`, to be
            differentiated as well.
        order: 1 checks the gradient, 2 also the gradient of the gradient, and so on.
        modes: "reverse", "forward" or both.
        fast: compare random projections (a handful of evaluations) instead of the full Jacobian.
            None takes the full Jacobian while inputs and outputs have at most 256 real elements
            together.
        symmetric: move matrix inputs so that they stay symmetric (Hermitian): True for all, or the
            numbers of those among the differentiated arrays.
        rtol: relative tolerance, besides the error of the numeric derivative.
        atol: absolute tolerance, by default 1e-10 times the largest entry of the block of the
            Jacobian.
        seed: of the random directions.
        **keywords: keywords of `fn`.

    Returns:
        True.

    Raises:
        GradientError: a derivative is wrong; the message says where, by how much and probably why.
        TypeError: there is nothing to differentiate.
        ValueError: the function is not finite anywhere, so nothing can be judged; or an option is
            none.

    Example:
        >>> import numpy as np, autograd
        >>> check_gradients(autograd.multiply, np.array([1.0, 2.0]), np.array([[3.0], [4.0]]))
        True
    """
    __tracebackhide__ = True  # of the frames of pytest's report only the caller's says anything
    if not callable(fn):
        raise TypeError(
            f"check_gradients: wanted a function, got {type(fn).__name__}; write "
            "check_gradients(lambda x: ..., x)"
        )
    if isinstance(modes, str) or not modes or not set(modes) <= {"reverse", "forward"}:
        raise ValueError(
            f"check_gradients: wanted modes among 'reverse' and 'forward', got {modes!r}"
        )
    if order < 1:
        raise ValueError(f"check_gradients: wanted an order of at least 1, got {order}")
    held = tuple(parameters)
    given = {**(kwargs or {}), **keywords}
    try:
        with np.errstate(all="ignore"):  # what happens at the edge of the domain is judged
            rng, state = np.random.default_rng(seed), global_state()
            arrays = [raw(value) for _, value in flatten([inputs, given])]
            before = [(a, a.copy()) for a in arrays if isinstance(a, np.ndarray)]
            problem, low = (
                make_problem(fn, inputs, given, parameters=held, symmetric=symmetric, wide=wide)
                for wide in (True, False)
            )
            magnitude = 0.0
            for step in range(order):
                problem = problem.derivative(rng) if step else problem
                level = Level(problem, rng, rtol, atol, magnitude)
                if level.check_values(before, state):
                    compare(level, modes, fast=fast)
                    level.check_stale()
                    if not step and any(np.finfo(slot.dtype).eps > 1e-10 for slot in low.inputs):
                        level.check_precision(low)
                    magnitude = level.magnitude / float(np.min(level.oracle.sizes, initial=1.0))
    except Wrong as wrong:
        chosen: dict[str, Any] = {"kwargs": given or None, "parameters": held, "fast": fast}
        chosen |= {"symmetric": symmetric, "rtol": rtol, "atol": atol, "seed": seed}
        defaults = inspect.signature(check_gradients).parameters
        changed = {key: chosen[key] for key in chosen if chosen[key] != defaults[key].default}
        error, cause = GradientError.of(wrong, fn, inputs, changed), wrong.__cause__
    except (TypeError, ValueError, AttributeError, IndexError) as failed:
        for i, given in enumerate(inputs):
            if isinstance(given, (list, tuple)) and all(isinstance(n, (int, float)) for n in given):
                failed.add_note(
                    f"check_gradients: argument {i} is a {type(given).__name__} of numbers, which "
                    "counts as separate scalars; for a vector write np.array(values)"
                )
        raise
    else:
        return True
    raise error from cause


def gradcheck(fn: Callable[..., Any], inputs: Any, **options: Any) -> bool:
    """Check first derivatives: `check_gradients` in PyTorch's spelling, with the inputs as one
    tuple.
    """
    __tracebackhide__ = True
    inputs = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    return check_gradients(fn, *inputs, **{"order": 1, **options})


def gradgradcheck(fn: Callable[..., Any], inputs: Any, **options: Any) -> bool:
    """Check first and second derivatives: `check_gradients` in PyTorch's spelling, with the inputs
    as one tuple.
    """
    __tracebackhide__ = True
    inputs = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    return check_gradients(fn, *inputs, **{"order": 2, **options})
