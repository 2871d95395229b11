"""Operations without a derivative: comparisons, logic, places, counts and questions.

Their results are plain arrays, which is what `where` and indexing want; while a program is traced
they are Variables, so that it stays visible. Imports `calls` and NumPy.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from autograd.arrays import Kernel, UnreadError, is_foreign
from autograd.engine import graph
from autograd.engine.calls import Operation, holds_variable, named, unwrap_all
from autograd.engine.graph import record, unwrap
from autograd.engine.primitive import Primitive

__all__ = [
    "all",
    "allclose",
    "any",
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "argwhere",
    "array_equal",
    "array_equiv",
    "bitwise_and",
    "bitwise_count",
    "bitwise_or",
    "bitwise_xor",
    "count_nonzero",
    "digitize",
    "equal",
    "flatnonzero",
    "gcd",
    "greater",
    "greater_equal",
    "invert",
    "isclose",
    "iscomplex",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "isnat",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "left_shift",
    "less",
    "less_equal",
    "lexsort",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "nanargmax",
    "nanargmin",
    "nonzero",
    "not_equal",
    "packbits",
    "ravel_multi_index",
    "right_shift",
    "searchsorted",
    "signbit",
    "unpackbits",
    "unravel_index",
]


_NESTED = frozenset({list, tuple, dict})


def plain(forward: Kernel, *, name: str | None = None) -> Operation:
    """Make an operation without rules, of any arguments: places, counts, questions.

    Its results are plain arrays, unless a program is traced.
    """
    made = Primitive(name or forward.__name__, forward, ("args", "kwargs"), {}, plain=True)
    made.evaluate = lambda values: forward(*values[0], **values[1])  # type: ignore[method-assign]

    def call(*args: Any, **kwargs: Any) -> Any:
        found, values = False, []
        for value in args:  # in half of the time of `unwrap_all`
            if isinstance(value, graph.Variable):
                found, value = True, value._data
            elif value.__class__ in _NESTED and holds_variable(value):
                found, value = True, unwrap_all(value)
            values.append(value)
        if kwargs and holds_variable(kwargs):
            found, keywords = True, unwrap_all(kwargs)
        else:
            keywords = kwargs
        try:
            out = forward(*values, **keywords)
        except UnreadError as reading:
            return reading.answer_plain(made, args, kwargs)
        if not found:
            return out
        out = np.asarray(out)[()] if out.__class__ in (bool, int) else out
        return record(made.constant, (), (), out, (args, kwargs))

    return named(functools.update_wrapper(call, forward), made)


def _plain_binary(forward: Kernel, fast: Kernel) -> Operation:
    """Make an operation without rules of two operands: a comparison, a logical operation."""
    made = Primitive(forward.__name__, forward, ("x", "y"), {}, elementwise=True, plain=True)

    def call(x: Any, y: Any, /) -> Any:
        if isinstance(x, graph.Variable) or isinstance(y, graph.Variable):
            try:
                out = fast(unwrap(x), unwrap(y))
            except UnreadError as reading:
                return reading.answer(made, [x, y])
            return record(made.constant, (), (), out, (x, y))
        return forward(x, y)

    return named(call, made)


def _count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Count the elements that are not 0."""
    if is_foreign(a):
        return (a != 0).sum(axis=axis, keepdims=keepdims)
    count = np.count_nonzero(a, axis=axis, keepdims=keepdims)
    return np.intp(count) if isinstance(count, int) else count  # before NumPy 2.4


# fmt: off
less          = _plain_binary(np.less, operator.lt)
less_equal    = _plain_binary(np.less_equal, operator.le)
greater       = _plain_binary(np.greater, operator.gt)
greater_equal = _plain_binary(np.greater_equal, operator.ge)
equal         = _plain_binary(np.equal, operator.eq)
not_equal     = _plain_binary(np.not_equal, operator.ne)
bitwise_and   = _plain_binary(np.bitwise_and, operator.and_)
bitwise_or    = _plain_binary(np.bitwise_or, operator.or_)
bitwise_xor   = _plain_binary(np.bitwise_xor, operator.xor)
left_shift    = _plain_binary(np.left_shift, operator.lshift)
right_shift   = _plain_binary(np.right_shift, operator.rshift)

# -- questions -------------------------------------------------------------------------------------
all               = plain(np.all)
allclose          = plain(np.allclose)
any               = plain(np.any)
array_equal       = plain(np.array_equal)
array_equiv       = plain(np.array_equiv)
count_nonzero     = plain(_count_nonzero, name="count_nonzero")
isclose           = plain(np.isclose)
iscomplex         = plain(np.iscomplex)
isfinite          = plain(np.isfinite)
isin              = plain(np.isin)
isinf             = plain(np.isinf)
isnan             = plain(np.isnan)
isnat             = plain(np.isnat)
isneginf          = plain(np.isneginf)
isposinf          = plain(np.isposinf)
isreal            = plain(np.isreal)
signbit           = plain(np.signbit)

# -- logic and integers ----------------------------------------------------------------------------
bitwise_count     = plain(np.bitwise_count)
gcd               = plain(np.gcd)
invert            = plain(np.invert)
lcm               = plain(np.lcm)
logical_and       = plain(np.logical_and)
logical_not       = plain(np.logical_not)
logical_or        = plain(np.logical_or)
logical_xor       = plain(np.logical_xor)
packbits          = plain(np.packbits)
unpackbits        = plain(np.unpackbits)

# -- places ----------------------------------------------------------------------------------------
argmax            = plain(np.argmax)
argmin            = plain(np.argmin)
argpartition      = plain(np.argpartition)
argsort           = plain(np.argsort)
argwhere          = plain(np.argwhere)
digitize          = plain(np.digitize)
flatnonzero       = plain(np.flatnonzero)
lexsort           = plain(np.lexsort)
nanargmax         = plain(np.nanargmax)
nanargmin         = plain(np.nanargmin)
nonzero           = plain(np.nonzero)
ravel_multi_index = plain(np.ravel_multi_index)
searchsorted      = plain(np.searchsorted)
unravel_index     = plain(np.unravel_index)
# fmt: on


@plain
def power_of_two(x: Any, axis: Any = None) -> Any:
    """Return the power of two next above the largest |x| over `axis`, keeping the axes; 1 for
    zeros.

    What is linear in x may be computed of x divided by it, which rounds nothing, and multiplied.
    """
    size = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    limit = np.finfo(size.dtype).maxexp - 2
    return np.ldexp(np.ones((), size.dtype), np.clip(np.frexp(size)[1], -limit, limit))
