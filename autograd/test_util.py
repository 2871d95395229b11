"""Checks of gradients, under the names that HIPS autograd has: `check_gradients` does the work."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.testing import check_gradients
from autograd.transforms.containers import flatten
from autograd.wrap_util import unary_to_nary

__all__ = [
    "check_equivalent",
    "check_grads",
    "check_jvp",
    "check_vjp",
    "combo_check",
    "scalar_close",
]

_MODES = {"fwd": "forward", "rev": "reverse"}


@unary_to_nary
def check_grads(
    fun: Callable[..., Any], x: Any, modes: Sequence[str] = ("fwd", "rev"), order: int = 2
) -> None:
    """Check the derivatives of a function in an argument up to `order`, in forward ("fwd") and
    reverse ("rev") mode, to 1e-6: `check_grads(f, argnum=0, modes=..., order=...)(*args)`.

    What the function draws from NumPy's global generator is the same in every call.

    Raises:
        GradientError: an AssertionError that says what is wrong.

    Example:
        >>> import numpy as np
        >>> check_grads(np.tanh)(np.array([0.5, 1.0]))
    """
    if not modes or not set(modes) <= set(_MODES):
        raise ValueError(f"check_grads: wanted modes among 'fwd' and 'rev', got {modes!r}")
    _check(fun, x, order, tuple(_MODES[mode] for mode in modes))


def _check(fun: Callable[[Any], Any], x: Any, order: int, modes: tuple[str, ...]) -> None:
    @functools.wraps(fun)
    def repeatable(x: Any) -> Any:
        state = np.random.get_state()  # noqa: NPY002 - which code written for HIPS autograd uses
        try:
            return fun(x)
        finally:
            np.random.set_state(state)  # noqa: NPY002

    check_gradients(repeatable, x, order=order, modes=modes, rtol=1e-6, atol=1e-6)


def check_vjp(f: Callable[[Any], Any], x: Any) -> None:
    """Check the first derivatives of a function of one argument in reverse mode."""
    _check(f, x, 1, ("reverse",))


def check_jvp(f: Callable[[Any], Any], x: Any) -> None:
    """Check the first derivatives of a function of one argument in forward mode."""
    _check(f, x, 1, ("forward",))


def combo_check(fun: Callable[..., Any], *options: Any, **settings: Any) -> Callable[..., None]:
    """Return a check of every choice of arguments: each argument of it is a list of values, from
    which one is taken.

    Example:
        >>> import numpy as np
        >>> combo_check(np.sum)([np.ones(2), np.ones((2, 3))], axis=[None, 0])
    """
    check = check_grads(fun, *options, **settings)

    def check_all(*choices: Any, **named: Any) -> None:
        for args in itertools.product(*choices):
            for values in itertools.product(*named.values()):
                check(*args, **dict(zip(named, values, strict=True)))

    return check_all


def scalar_close(a: Any, b: Any) -> bool:
    """Tell whether two numbers agree to 1e-6, absolutely or relative to each other."""
    return bool(abs(a - b) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6)


def check_equivalent(x: Any, y: Any) -> None:
    """Assert that two structures have the same shapes, dtypes and, to 1e-6, numbers."""
    ours, theirs = (list(map(np.asarray, flatten(tree)[0])) for tree in (x, y))
    assert len(ours) == len(theirs), f"{len(ours)} arrays and {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), (
            f"{a.shape, a.dtype} and {b.shape, b.dtype}"
        )
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
