"""`vmap`: a function of one example becomes a function of a batch, which runs once.

How it works, from the outside in. `vmap` gives the function Variables whose data are `Batched`:
they have the shape of one example and hold all of them (`autograd.batching.values`). A kernel that
reads such data says so, the call that it was made for catches that, and the operation's *batch
rule* computes it for all examples: a few lines of NumPy that move an axis along, by family in
`autograd.batching`; elementwise operations need none but to make the numbers of axes equal. The
call is recorded as any other, in one graph, with nodes of the shape of one example, and vjp rules
run on batched Variables. So gradients inside (one for each example), gradients of the whole,
forward mode and nested batches are what they are without a batch.

Imports `trace`, `batching` and what is older.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.batching.run import enter, leave
from autograd.batching.values import Level, entered
from autograd.engine.graph import unwrap
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.trace import a_kind, positions_of
from autograd.variable import Variable

__all__ = ["vmap"]


def vmap(
    function: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    loop: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return the function of a batch for a function of one example: what a Python loop over the
    examples and `np.stack` of the results give, in one run.

    Inside, values have the shape of one example. Nest it, put `grad` inside (gradients for each
    example) or around it. A condition that differs from example to example is no Python branch;
    write `np.where`. Random numbers drawn inside are drawn once and are the same for all examples;
    pass numbers drawn outside for others.

    Args:
        function: takes and returns arrays, or nested lists, tuples and dicts of them.
        in_axes: the axis of the examples in each argument, None for an argument that is the same
            for all; one for all arguments, or a tuple with an entry for each, which may itself have
            the structure of its argument. Keyword arguments have it in front.
        out_axes: where the axis of the examples is to be in the results: one for all, or in the
            structure of the result. None for a result that does not depend on the example.
        loop: run operations that have no batch rule example by example, instead of an error.
        chunk_size: run at most so many examples at once, to save memory.

    Raises:
        NotImplementedError: an operation has no batch rule; the message names it.
        ValueError: axes that the arguments do not have, or of different lengths.
        RuntimeError: Python reads the value of one example: `if`, `float()`, `np.asarray`.

    Example:
        >>> import numpy as np
        >>> import autograd
        >>> distance = lambda x, y: np.sqrt(((x - y) ** 2).sum())
        >>> x = np.array([[0.0, 0.0], [3.0, 4.0]])
        >>> autograd.vmap(distance, in_axes=(0, None))(x, np.zeros(2))
        array([0., 5.])
        >>> autograd.vmap(autograd.grad(distance), in_axes=(0, None))(x, np.array([0.0, 8.0]))
        array([[ 0. , -1. ],
               [ 0.6, -0.8]])
    """
    positions_of("vmap", function, ())
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: wanted a chunk_size of at least 1, got {chunk_size}")

    @functools.wraps(function)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, rebuild = flatten((args, kwargs))
        axes = _axes_of(args, in_axes) + [0] * (len(leaves) - len(flatten(args)[0]))
        leaves = [x if a is None else _as_array(x) for x, a in zip(leaves, axes, strict=True)]
        size = _size_of(leaves, axes)
        recorded = any(isinstance(x, Variable) for x in leaves)
        run = functools.partial(
            _run, function, rebuild, axes=axes, out_axes=out_axes, loop=loop, recorded=recorded
        )
        if chunk_size is None or chunk_size >= size:
            outs, places, build = run(leaves, size)
            return rebuilt(build, outs)
        chunks = []
        for start in range(0, size, chunk_size):
            part = slice(start, min(start + chunk_size, size))
            cut = [
                x if a is None else x[(slice(None),) * (a % x.ndim) + (part,)]
                for x, a in zip(leaves, axes, strict=True)
            ]
            chunks.append(run(cut, part.stop - part.start))
        _, places, build = chunks[0]
        columns = zip(*[outs for outs, _, _ in chunks], strict=True)
        joined = [
            parts[0] if axis is None else np.concatenate(parts, axis)
            for parts, axis in zip(columns, places, strict=True)
        ]
        return rebuilt(build, joined)

    return batched


def _run(
    function: Callable[..., Any],
    rebuild: Callable[..., Any],
    leaves: list[Any],
    size: int,
    *,
    axes: list[Any],
    out_axes: Any,
    loop: bool,
    recorded: bool,
) -> tuple[list[Any], list[Any], Any]:
    """Run the function once; return the results, where their examples are, and their structure."""
    with entered(size, loop=loop) as level:
        given = [
            x if axis is None else enter(x, level, axis)
            for x, axis in zip(leaves, axes, strict=True)
        ]
        args, kwargs = rebuilt(rebuild, given)
        result = function(*args, **kwargs)
        outs, build = flatten(result)
        places = _spread_axes("out_axes", out_axes, result, len(outs))
        results = [
            _result(out, level, axis, recorded=recorded)
            for out, axis in zip(outs, places, strict=True)
        ]
    return results, places, build


def _result(out: Any, level: Level, axis: int | None, *, recorded: bool) -> Any:
    """Return a result with the axis of examples; an array unless something outside goes on."""
    if axis is None:
        data = unwrap(out)
        if getattr(data, "level", None) is level:
            if data.varies:
                raise ValueError(
                    "vmap: wanted None in out_axes for results that are the same for all "
                    "examples, got one that differs; give the axis of the examples, as in "
                    "out_axes=0"
                )
            out = leave(out, level, 0)[0]
    else:
        out = out if isinstance(out, Variable) else np.asarray(out)
        if not -out.ndim - 1 <= axis <= out.ndim:
            raise ValueError(
                f"vmap: wanted out_axes in [{-out.ndim - 1}, {out.ndim}] for a result of shape "
                f"{out.shape}, got {axis}"
            )
        out = leave(out, level, axis % (out.ndim + 1))
    if recorded or not isinstance(out, Variable):
        return out if not recorded or isinstance(out, Variable) else Variable(out, copy=False)
    return (
        out._data if out._node is None and isinstance(out._data, (np.ndarray, np.generic)) else out
    )


# -- axes ------------------------------------------------------------------------------------------


def _as_array(x: Any) -> Any:
    if isinstance(x, Variable) or hasattr(x, "ndim"):
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"vmap: wanted arrays to take examples from, got {a_kind(x)}; give None in in_axes for "
            "what is the same for all examples"
        )
    return array


def _axes_of(args: tuple[Any, ...], in_axes: Any) -> list[Any]:
    """List the axis of each array of the arguments."""
    if isinstance(in_axes, (list, tuple)) and len(in_axes) != len(args):
        raise ValueError(
            f"vmap: wanted an entry of in_axes for each argument, {len(args)}, got {len(in_axes)}"
        )
    if isinstance(in_axes, (list, tuple)):
        in_axes = tuple(in_axes)
    return _spread_axes("in_axes", in_axes, args, len(flatten(args)[0]))


def _spread_axes(what: str, axes: Any, tree: Any, count: int) -> list[Any]:
    """List the axis of each leaf of a tree: `axes` has its structure, or the beginning of it."""
    if axes is None or (isinstance(axes, (int, np.integer)) and not isinstance(axes, bool)):
        return [axes] * count
    if isinstance(axes, dict):
        fits = isinstance(tree, dict) and list(axes) and set(axes) == set(tree)
        pairs = [(axes[key], tree[key]) for key in tree] if fits else []
    else:
        fits = isinstance(axes, (list, tuple)) and isinstance(tree, (list, tuple))
        fits = fits and len(axes) == len(tree)
        pairs = list(zip(axes, tree, strict=True)) if fits else []
    if not fits:
        raise ValueError(
            f"vmap: wanted {what} as a number, None, or numbers in the structure of what they are "
            f"for, got {axes!r} for {a_kind(tree)}"
        )
    return [
        a for axis, part in pairs for a in _spread_axes(what, axis, part, len(flatten(part)[0]))
    ]


def _size_of(leaves: list[Any], axes: list[Any]) -> int:
    """Return the number of examples."""
    sizes = {}
    for x, axis in zip(leaves, axes, strict=True):
        if axis is None:
            continue
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(
                f"vmap: wanted an axis in [{-x.ndim}, {x.ndim}) for an array of shape {x.shape}, "
                f"got {axis} in in_axes; None stands for what is the same for all examples"
            )
        sizes[x.shape[axis]] = x.shape
    if not sizes:
        raise ValueError(
            "vmap: wanted at least one argument with an axis of examples, got None in in_axes for "
            "all; call the function itself"
        )
    if len(sizes) > 1:
        raise ValueError(
            f"vmap: wanted the same number of examples in all arguments, got {sorted(sizes)}; give "
            "in_axes, with None for what is the same for all examples"
        )
    return int(next(iter(sizes)))
