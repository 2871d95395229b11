"""Einstein's summation, and the diagonal scatter that is its adjoint for repeated indices.

The rule of einsum is einsum: pulling back to one operand contracts the cotangent with the other
operands, with that operand's subscripts as the output. So derivatives of any order stay in the
family. Imports `calls`, `graph`, `contractions` and NumPy.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.arrays import is_foreign, moved
from autograd.engine import graph
from autograd.engine.calls import primitive
from autograd.ops.contractions import as_array
from autograd.ops.shaping import broadcast_to, reshape

__all__ = ["einsum"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# -- the primitives --------------------------------------------------------------------------------


def _unique(term: str) -> str:
    return "".join(dict.fromkeys(term))


@functools.lru_cache(maxsize=1024)
def _route(
    inputs: tuple[str, ...], result: str, index: int, shape: tuple[int, ...]
) -> tuple[tuple[str, ...], str, str, tuple[int, ...]]:
    """Return how to pull back to operand `index` of `shape`, once for each kind of call.

    The subscripts of the contraction (the cotangent's first), those of its result, those that the
    operand has, each once, and their lengths.
    """
    term = inputs[index]
    sizes = dict(zip(term, shape, strict=True))
    others = [t for i, t in enumerate(inputs) if i != index]
    known = set(result).union(*others)
    letters = _unique(term)
    # A length of 1 was stretched (or summed with nothing): leaving the letter out sums over it. A
    # letter that occurs nowhere else was only summed: the gradient is constant along it.
    wanted = "".join(c for c in letters if c in known and sizes[c] != 1)
    return (result, *others), wanted, letters, tuple(sizes[c] for c in letters)


def _pull(
    g: Any,
    operands: tuple[Any, ...],
    index: int,
    inputs: tuple[str, ...],
    result: str,
    optimize: Any,
) -> Any:
    """Contract the cotangent with all operands but one, onto the subscripts of that one."""
    shape = operands[index].shape
    terms, wanted, letters, full = _route(inputs, result, index, shape)
    factors = (g, *operands[:index], *operands[index + 1 :])
    recorded = any(isinstance(x, graph.Variable) for x in factors)
    product = contract if recorded else _sum_products
    gx = product(*factors, inputs=terms, result=wanted, optimize=bool(optimize))
    if gx.shape != full:
        lengths = dict(zip(wanted, gx.shape, strict=True))
        kept = tuple(lengths.get(c, 1) for c in letters)
        if recorded:
            gx = broadcast_to(reshape(gx, kept), full)
        else:
            filled = np.empty_like(gx, shape=full)
            filled[...] = gx.reshape(kept)
            gx = filled
    return diagonal_scatter(gx, inputs[index], shape) if len(letters) != len(shape) else gx


def _sum_products(
    *operands: Any, inputs: tuple[str, ...], result: str, optimize: Any = False
) -> Any:
    """Sum products of `operands` over the letters of `inputs` that are not in `result`."""
    if optimize is False and len(operands) > 1:
        optimize = _is_large(operands, inputs)
    return np.einsum(f"{','.join(inputs)}->{result}", *operands, optimize=optimize)


def _is_large(operands: tuple[Any, ...], inputs: tuple[str, ...]) -> bool:
    """Tell whether looking for products by BLAS pays: it costs 8 us, as much as 30,000 products."""
    if math.prod([x.size for x in operands]) <= 30_000:
        return False
    sizes: dict[str, int] = {}
    for term, x in zip(inputs, operands, strict=True):
        sizes.update(zip(term, x.shape, strict=True))
    return math.prod(sizes.values()) > 30_000


def _push(tangents: Any, _out: Any, *arguments: Any) -> Any:
    """Return the sum over the operands of einsum with that operand replaced by its tangent."""
    *operands, inputs, result, optimize = arguments
    total = None
    for i, t in enumerate(tangents):
        if t is None:
            continue
        replaced = [*operands[:i], t, *operands[i + 1 :]]
        part = contract(*replaced, inputs=inputs, result=result, optimize=optimize)
        total = part if total is None else total + part
    return total


contract = primitive(operands=_pull, name="einsum", jvp=_push)(_sum_products)
# Where a letter is repeated within one operand, what is off its diagonal gets exact zeros.
contract_diagonals = primitive(
    operands=_pull, name="einsum_diagonals", jvp=_push, makes_zeros=True
)(_sum_products)


@primitive(
    values=lambda g, term: contract(g, inputs=(term,), result=_unique(term)),
    linear=True,
    makes_zeros=True,
)
def diagonal_scatter(values: Any, term: str, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with `values` on a diagonal: the adjoint of `einsum("iij->ij", x)`.

    Args:
        values: one axis for each different letter of `term`, by first occurrence.
        term: one letter per axis of the result; axes of the same letter are walked together.
        shape: the shape of the result.
    """
    if is_foreign(values):  # whose views may be copies
        first = [term.index(letter) for letter in term]
        grid = np.ogrid[tuple(map(slice, shape))]
        mask = functools.reduce(np.logical_and, [grid[i] == grid[j] for i, j in enumerate(first)])
        lanes = [n if i == j else 1 for i, (j, n) in enumerate(zip(first, shape, strict=True))]
        return np.where(moved(mask, values), values.reshape(lanes), values.dtype.type(0))
    total = np.zeros_like(values, shape=shape)
    np.einsum(f"{term}->{_unique(term)}", total)[...] = values
    return total


# -- NumPy's spellings -----------------------------------------------------------------------------


def einsum(*operands: Any, optimize: Any = False) -> Any:
    """Sum products of arrays over repeated subscripts.

    `einsum("ij,jk->ik", x, y)`, or with lists of integers `einsum(x, [0, 1], y, [1, 2], [0, 2])`.
    Subscripts may repeat within an operand (`ii->i` the diagonal, `ii` the trace), be summed in one
    operand alone (`ij->i`), and have an ellipsis for any number of axes, which broadcast like
    lengths of 1 elsewhere. Without `->` the output has the ellipsis and then the letters that occur
    once, in alphabetical order.

    Args:
        *operands: the subscripts and the arrays.
        optimize: as in NumPy: order of the contractions, and products by BLAS. An explicit path
            holds for the forward pass; rules look for their own.

    Raises:
        ValueError: the subscripts do not fit the operands.
        TypeError: subscripts that are no string and no list follow no array.

    Example:
        >>> import numpy as np
        >>> einsum("ij,j", np.eye(2), np.array([1.0, 2.0]))
        array([1., 2.])
    """
    if not operands:
        raise ValueError("einsum: wanted subscripts and at least one operand, got nothing")
    if isinstance(operands[0], str):
        arrays = [as_array("einsum", f"operand {i}", a) for i, a in enumerate(operands[1:])]
        inputs, result = _parse(operands[0], tuple([a.ndim for a in arrays]))
    else:
        arrays, terms, out = _interleaved(operands)
        inputs, result = _expand(terms, out, [a.ndim for a in arrays])
    repeated = any(len(set(term)) < len(term) for term in inputs)
    product = contract_diagonals if repeated else contract
    return product(*arrays, inputs=inputs, result=result, optimize=optimize)


@functools.lru_cache(maxsize=256)
def _parse(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Return the letters of each operand and of the result."""
    inputs, out = _split(subscripts)
    if len(inputs) != len(ndims):
        raise ValueError(
            f"einsum: wanted as many operands as subscripts ({len(inputs)}), got {len(ndims)}"
        )
    return _expand(inputs, out, ndims)


def _split(subscripts: str) -> tuple[list[str], str | None]:
    """Split `"ij,jk->ik"` into its terms; an ellipsis becomes a single dot."""
    text = subscripts.replace(" ", "").replace("...", ".")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    for term in (*terms, right):
        if term.count(".") > 1 or any(c != "." and c not in _LETTERS for c in term):
            raise ValueError(
                f"einsum: wanted letters and at most one ellipsis per operand, got {subscripts!r}"
            )
    return terms, right if arrow else None


def _interleaved(operands: tuple[Any, ...]) -> tuple[list[Any], list[str], str | None]:
    """Turn `x, [0, 1], y, [1, 2], [0, 2]` into arrays and terms."""
    pairs = len(operands) // 2
    arrays = [as_array("einsum", f"operand {i}", operands[2 * i]) for i in range(pairs)]
    lists = [operands[2 * i + 1] for i in range(pairs)]
    if len(operands) % 2:
        lists.append(operands[-1])
    terms = [_term(subscripts) for subscripts in lists]
    return (arrays, terms[:-1], terms[-1]) if len(operands) % 2 else (arrays, terms, None)


def _term(subscripts: Sequence[Any]) -> str:
    if not isinstance(subscripts, (list, tuple)):
        raise TypeError(
            f"einsum: wanted a string first, or a list of integers after each operand, got "
            f"{type(subscripts).__name__}"
        )
    if any(s is not Ellipsis and not 0 <= s < len(_LETTERS) for s in subscripts):
        raise ValueError(f"einsum: wanted integers from 0 to 51 as subscripts, got {subscripts}")
    return "".join("." if s is Ellipsis else _LETTERS[s] for s in subscripts)


def _expand(
    inputs: Sequence[str], out: str | None, ndims: Sequence[int]
) -> tuple[tuple[str, ...], str]:
    """Give the axes of ellipses letters of their own, and the output its implicit subscripts."""
    used = set("".join(inputs)) | set(out or "")
    free = [c for c in _LETTERS if c not in used]
    longest = 0
    for term, ndim in zip(inputs, ndims, strict=True):
        named = len(term.replace(".", ""))
        if named > ndim or (named < ndim and "." not in term):
            raise ValueError(
                f"einsum: wanted {named} axes for the subscripts {term.replace('.', '...')!r}, got "
                f"an operand with {ndim}"
            )
        if "." in term:
            longest = max(longest, ndim - named)
    if longest > len(free):
        raise ValueError(
            f"einsum: wanted at most 52 different axes, got {longest} in an ellipsis beside "
            f"{len(used - {'.'})} letters"
        )
    shared = "".join(free[:longest])
    expanded = tuple(
        term.replace(".", shared[longest - (ndim - len(term) + 1) :] if "." in term else "")
        for term, ndim in zip(inputs, ndims, strict=True)
    )
    if out is None:
        letters = "".join(inputs).replace(".", "")
        return expanded, shared + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if shared and "." not in out:
        raise ValueError(
            "einsum: wanted an ellipsis in the output, as in the operands, got '->" + out + "'"
        )
    return expanded, out.replace(".", shared)
