"""`differentiable_property`: a function of arrays becomes a property test of its derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.testing._checker import check_gradients
from autograd.testing._contract import check_kinds
from autograd.testing._problem import name_of
from autograd.testing._vectors import floating, is_inexact, precise, raw

__all__ = ["differentiable_property"]

_DTYPES = ("float64", "float32")
_FULL_SIZE = 16


def differentiable_property(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    domain: Any = "real",
    order: int = 2,
    shapes: Any = None,
    dtypes: Sequence[Any] = _DTYPES,
    min_side: int = 0,
    symmetric: bool = False,
    **others: Any,
) -> Any:
    """Turn a function of arrays into a test, collected by pytest, that its derivatives are right.

    Every parameter of the function without a default gets an array, and those named here get what
    they are given: a strategy or a value, as in `differentiable_property(k=st.integers(1, 5))`. For
    arrays of all small shapes, and for empty, square and long ones, in several memory layouts, the
    test asks that

    - Variables give the value that plain arrays give, and float32 stays float32;
    - derivatives up to `order` agree with numbers, and all else that `check_gradients` asks for;
    - where the function broadcasts, it gives the value that it gives for inputs broadcast before.

    Hypothesis shrinks a failure to a small shape and simple numbers, and the GradientError tells
    how to see it again. Stack `hypothesis.settings` on top to choose the number of examples.

    Args:
        fn: the function; its name should start with `test_`.
        domain: of the values: a name out of `strategies.domain_names()`, a strategy for elements,
            or one of these per array.
        order: of the highest derivative checked.
        shapes: a strategy for tuples of shapes, one per array. None means an elementwise function:
            any shapes that broadcast with each other, which is then checked to be consistent.
        dtypes: to draw from.
        min_side: shortest axis. Empty arrays that the function refuses are left out.
        symmetric: move matrices symmetrically.
        **others: parameters of `fn`, and options of `check_gradients`.

    Returns:
        A test function without parameters; the function itself is its attribute `function`.

    Example:
        >>> import numpy as np
        >>> @differentiable_property(domain="positive")
        ... def test_entropy(p):
        ...     return -p * np.log(p)
        >>> test_entropy()
    """
    if fn is None:
        chosen = {"domain": domain, "order": order, "shapes": shapes, "dtypes": dtypes}
        chosen |= {"min_side": min_side, "symmetric": symmetric}
        return partial(differentiable_property, **chosen, **others)
    import hypothesis
    from hypothesis import strategies as st

    from autograd.testing import strategies  # says so where hypothesis is missing

    try:
        signature = inspect.signature(fn)
    except ValueError:  # made of a ufunc, which has no signature in older versions of NumPy
        signature = inspect.signature(fn, follow_wrapped=False)
    parameters = signature.parameters.values()
    given = {p.name: others.pop(p.name) for p in parameters if p.name in others}
    open_ = [p for p in parameters if p.default is p.empty or p.name in given]
    by_position = [p.name for p in open_ if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    count = sum(name not in given for name in by_position)
    if not count:
        raise TypeError(
            f"differentiable_property: wanted a function of at least one array, got {name_of(fn)}, "
            "which has no parameter without a default"
        )
    unknown = set(others) - set(inspect.signature(check_gradients).parameters)
    if unknown:
        raise TypeError(
            f"differentiable_property: wanted parameters of {name_of(fn)} and options of "
            f"check_gradients, got {', '.join(sorted(unknown))}"
        )
    domains = list(domain) if isinstance(domain, (list, tuple)) else [domain] * count
    if len(domains) != count:
        raise ValueError(
            f"differentiable_property: wanted one domain or one for each of the {count} arrays of "
            f"{name_of(fn)}, got {len(domains)}"
        )
    found = shapes
    if shapes is None:
        # Square, long, single and empty arrays too, which random shapes are too rarely; one of
        # several arrays may lack the first axis.
        bases = [base for base in ((2, 2), (2, 17), (1,), (0,)) if min_side <= min(base)]
        on_purpose = st.builds(
            lambda base, short: tuple(base[1:] if i == short else base for i in range(count)),
            st.sampled_from(bases or [(min_side,)]),
            st.integers(-1, count - 1 if count > 1 else -1),
        )
        any_shapes = strategies.broadcastable_shapes(count, min_side=min_side)
        found = st.one_of(any_shapes, on_purpose, on_purpose)

    @st.composite
    def cases(draw: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        dtype = np.dtype(draw(st.sampled_from(list(dtypes))))
        drawn = [
            draw(strategies.arrays(shape, dtype=dtype, domain=d, layouts=True))
            for shape, d in zip(draw(found), domains, strict=True)
        ]
        rest = (a if a.flags.writeable else a.copy() for a in drawn)  # writing shows better
        values = {
            name: draw(value) if isinstance(value, st.SearchStrategy) else value
            for name, value in given.items()
        }
        inputs = [values.pop(n) if n in values else next(rest) for n in by_position]
        return tuple(inputs), values

    def test(case: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
        __tracebackhide__ = True
        inputs, kwargs = case
        call = partial(fn, **kwargs) if kwargs else fn
        try:
            with np.errstate(all="ignore"):
                values = [raw(v) for v in floating(call(*inputs))]
        except (ValueError, TypeError, IndexError, ArithmeticError):
            hypothesis.assume(all(np.size(a) for a in inputs))
            raise
        hypothesis.assume(all(np.isfinite(value).all() for value in values))
        check_kinds(call, inputs)
        if shapes is None and count > 1:
            _check_broadcasting(call, inputs)
        # Full Jacobians up to here only: 100 examples take about 1 s instead of 5. What fails in a
        # larger example shrinks to this size anyway.
        fast = sum(np.size(part) for part in (*inputs, *values)) > _FULL_SIZE
        options = {"order": order, "symmetric": symmetric, "fast": fast, "kwargs": kwargs}
        check_gradients(fn, *inputs, **{**options, **others})

    test.__name__ = test.__qualname__ = "test" if fn.__name__ == "<lambda>" else fn.__name__
    test.__doc__, test.__module__ = fn.__doc__, fn.__module__
    wrapped = hypothesis.given(case=cases())(test)
    wrapped.function = fn  # type: ignore[attr-defined]
    return wrapped


def _check_broadcasting(call: Callable[..., Any], inputs: Sequence[Any]) -> None:
    """Compare with the value for inputs that were broadcast before."""
    arrays = [precise(value) for value in inputs if is_inexact(value)]
    full = map(np.array, np.broadcast_arrays(*arrays))
    value, whole = (
        floating(call(*[next(given) if is_inexact(v) else v for v in inputs]))[0]
        for given in (iter(arrays), full)
    )
    if value.shape != whole.shape or not np.allclose(value, whole, rtol=1e-10, atol=1e-12):
        raise AssertionError(
            f"{name_of(call)}: inputs of shapes {[a.shape for a in arrays]} give shape "
            f"{value.shape} or other values than the same inputs broadcast before; give shapes= to "
            "a function that is not elementwise"
        )
