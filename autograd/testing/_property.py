"""`differentiable_property`: a function of arrays becomes a property test of its derivatives.

Hypothesis is imported when the decorator is used. Imports the modules beside it and NumPy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.testing._checker import check_gradients
from autograd.testing._packing import Array, flatten, is_inexact, raw
from autograd.testing._problem import name_of, pull
from autograd.variable import Variable

DTYPES = ("float64", "float32")
FULL_SIZE = 16


def differentiable_property(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    domain: Any = "real",
    order: int = 2,
    shapes: Any = None,
    dtypes: Sequence[Any] = DTYPES,
    min_side: int = 1,
    symmetric: bool = False,
    **options: Any,
) -> Any:
    """Turn a function of arrays into a test, collected by pytest, that its derivatives are right.

    Every parameter of the function without a default gets an array. For arrays of all small shapes
    the test asks that

    - Variables give the value that plain arrays give, twice, and leave the inputs alone;
    - float32 in gives float32 out, and a gradient has the dtype of its input;
    - derivatives up to `order` agree with numbers (see `check_gradients`);
    - where the function broadcasts, it gives the value and the gradient that it gives for inputs
      that were broadcast before.

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
        min_side: shortest axis.
        symmetric: move matrices symmetrically.
        **options: of `check_gradients`.

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
        return lambda function: differentiable_property(
            function,
            domain=domain,
            order=order,
            shapes=shapes,
            dtypes=dtypes,
            min_side=min_side,
            symmetric=symmetric,
            **options,
        )
    hypothesis = require("hypothesis", extra="test")
    st = require("hypothesis.strategies", extra="test")
    from autograd.testing import strategies  # needs hypothesis

    count = _array_parameters(fn)
    elementwise = shapes is None
    found = strategies.broadcastable_shapes(count, min_side=min_side) if elementwise else shapes
    many = isinstance(domain, (list, tuple))
    domains = list(domain) if many else [domain] * count
    if len(domains) != count:
        raise ValueError(
            f"differentiable_property: wanted one domain or one for each of the {count} arrays of "
            f"{name_of(fn)}, got {len(domains)}"
        )

    @st.composite  # type: ignore[untyped-decorator]
    def inputs(draw: Any) -> tuple[Array, ...]:
        dtype = np.dtype(draw(st.sampled_from(list(dtypes))))
        return tuple(
            draw(strategies.arrays(shape, dtype=dtype, domain=d))
            for shape, d in zip(draw(found), domains, strict=True)
        )

    def test(arrays: tuple[Array, ...]) -> None:
        with np.errstate(all="ignore"):
            values = _values(fn(*[a.copy() for a in arrays]))
        hypothesis.assume(all(np.isfinite(value).all() for value in values))
        _check_values(fn, arrays, values)
        if elementwise and count > 1:
            _check_broadcasting(fn, arrays)
        # Full Jacobians up to here only: 100 examples take about 1 s instead of 5. What fails in a
        # larger example shrinks to this size anyway.
        fast = sum(part.size for part in (*arrays, *values)) > FULL_SIZE
        check_gradients(
            fn, *arrays, **{"order": order, "symmetric": symmetric, "fast": fast, **options}
        )

    test.__name__ = test.__qualname__ = "test" if fn.__name__ == "<lambda>" else fn.__name__
    test.__doc__, test.__module__ = fn.__doc__, fn.__module__
    wrapped = hypothesis.given(arrays=inputs())(test)
    wrapped.function = fn
    return wrapped


def _array_parameters(fn: Callable[..., Any]) -> int:
    parameters = inspect.signature(fn).parameters.values()
    count = sum(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in parameters
    )
    if not count:
        raise TypeError(
            f"differentiable_property: wanted a function of at least one array, got {name_of(fn)}, "
            "which has no parameter without a default"
        )
    return count


def _values(result: Any) -> list[Array]:
    return [raw(value) for _, value in flatten(result, "") if is_inexact(value)]


def _check_values(fn: Callable[..., Any], arrays: Sequence[Array], values: Sequence[Array]) -> None:
    """Compare values, dtypes and inputs with those of plain arrays."""
    name = name_of(fn)
    before = [a.copy() for a in arrays]
    leaves = [Variable(a, requires_grad=True) for a in arrays]
    for attempt in ("Variables", "Variables, the second time,"):
        result = fn(*leaves)
        outputs = [value for _, value in flatten(result, "") if is_inexact(value)]
        if len(outputs) != len(values):
            raise AssertionError(
                f"{name}: Variables give {len(outputs)} arrays, arrays {len(values)}"
            )
        for output, value in zip(outputs, values, strict=True):
            got = raw(output)
            if got.shape != value.shape or got.dtype != value.dtype:
                raise AssertionError(
                    f"{name}: {attempt} give shape {got.shape} and dtype {got.dtype}, arrays "
                    f"{value.shape} and {value.dtype}"
                )
            if not np.array_equal(got, value, equal_nan=True):
                raise AssertionError(f"{name}: {attempt} give other values than arrays")
            if value.dtype.itemsize > np.result_type(*arrays).itemsize:
                raise AssertionError(
                    f"{name}: {np.result_type(*arrays)} goes in and {value.dtype} comes out; "
                    "use Python numbers for constants"
                )
    cotangents = [np.ones_like(value) for value in values]
    for g, a in zip(pull(outputs, leaves, cotangents), arrays, strict=True):
        if g.shape != a.shape or g.dtype != a.dtype:
            raise AssertionError(
                f"{name}: an input of shape {a.shape} and dtype {a.dtype} has a gradient of shape "
                f"{g.shape} and dtype {g.dtype}"
            )
    if not all(map(np.array_equal, arrays, before)):
        raise AssertionError(f"{name}: an input is changed in place")


def _check_broadcasting(fn: Callable[..., Any], arrays: Sequence[Array]) -> None:
    """Compare with inputs that were broadcast before: equal values, and gradients that sum up."""
    wide = [a.astype(np.result_type(a.dtype, np.float64)) for a in arrays]
    full = [np.array(a) for a in np.broadcast_arrays(*wide)]
    value, gradients = _value_and_gradients(fn, wide)
    whole, parts = _value_and_gradients(fn, full)
    name = name_of(fn)
    if value.shape != whole.shape or not np.allclose(value, whole, rtol=1e-10, atol=1e-12):
        raise AssertionError(
            f"{name}: inputs of shapes {[a.shape for a in arrays]} give shape {value.shape} or "
            f"other values than the same inputs broadcast to {full[0].shape}; give shapes= to a "
            "function that is not elementwise"
        )
    for g, part, a in zip(gradients, parts, wide, strict=True):
        extra = part.ndim - a.ndim
        axes = tuple(
            i for i, n in enumerate(part.shape) if i < extra or (a.shape[i - extra] == 1 and n != 1)
        )
        total = part.sum(axis=axes).reshape(a.shape)
        if not np.allclose(
            g, total, rtol=1e-8, atol=1e-10 * (1 + np.max(np.abs(total), initial=0))
        ):
            raise AssertionError(
                f"{name}: the gradient of an input of shape {a.shape}, broadcast to {part.shape}, "
                "is not the sum over the broadcast axes"
            )


def _value_and_gradients(
    fn: Callable[..., Any], arrays: Sequence[Array]
) -> tuple[Array, list[Array]]:
    leaves = [Variable(a, requires_grad=True) for a in arrays]
    output = next(value for _, value in flatten(fn(*leaves), "") if is_inexact(value))
    return raw(output), pull([output], leaves, [np.ones_like(raw(output))])
