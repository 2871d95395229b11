"""Operations without a derivative: comparisons, logic, places, counts and questions.

Their results are plain arrays, which is what `where` and indexing want; while a program is traced
they are Variables, so that it stays visible. Imports `calls` and NumPy.
"""

from __future__ import annotations

import operator

import numpy as np

from autograd.engine.calls import plain, plain_binary

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

# fmt: off
less          = plain_binary(np.less, operator.lt)
less_equal    = plain_binary(np.less_equal, operator.le)
greater       = plain_binary(np.greater, operator.gt)
greater_equal = plain_binary(np.greater_equal, operator.ge)
equal         = plain_binary(np.equal, operator.eq)
not_equal     = plain_binary(np.not_equal, operator.ne)
bitwise_and   = plain_binary(np.bitwise_and, operator.and_)
bitwise_or    = plain_binary(np.bitwise_or, operator.or_)
bitwise_xor   = plain_binary(np.bitwise_xor, operator.xor)
left_shift    = plain_binary(np.left_shift, operator.lshift)
right_shift   = plain_binary(np.right_shift, operator.rshift)

# -- questions -------------------------------------------------------------------------------------
all               = plain(np.all)
allclose          = plain(np.allclose)
any               = plain(np.any)
array_equal       = plain(np.array_equal)
array_equiv       = plain(np.array_equiv)
count_nonzero     = plain(np.count_nonzero)
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
