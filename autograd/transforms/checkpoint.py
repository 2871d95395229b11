"""Checkpointing: memory for time. Imports `trace` and what is older."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import random
from autograd.batching.values import current_level
from autograd.engine.graph import Plan, next_number, record, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.transforms.containers import Rebuild, flatten, rebuilt
from autograd.transforms.trace import Replay, free_nodes, fresh, here
from autograd.variable import Variable

__all__ = ["checkpoint"]


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that keeps only its arguments for the backward pass and computes
    everything inside again.

    Memory for time: the intermediates of `function` are freed at once, and one more evaluation is
    paid in the backward pass. Random numbers repeat: the generators of the library are set back
    for the second evaluation. Variables that `function` closes over get their gradients, too.

    References:
        Chen, Xu, Zhang, Guestrin: Training deep nets with sublinear memory cost, 2016.
    """

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        mode = current_mode()
        # A program that is traced, and a batch, are gone through.
        if not mode.recording or mode.tracing or current_level() is not None:
            return function(*args, **kwargs)
        leaves, rebuild = flatten((args, kwargs))
        given = [i for i, v in enumerate(leaves) if _requires_grad(v)]
        first, rewind = next_number(), random.snapshot()
        evaluate = functools.partial(_evaluated, function, leaves, rebuild, given)
        outputs, rebuild_out = evaluate([fresh(leaves[i]._data) for i in given])
        live = [o for o in outputs if _requires_grad(o)]
        if not live:
            return rebuilt(rebuild_out, outputs)
        free = free_nodes([o._node for o in live], first)
        parents = tuple(leaves[i]._node for i in given)
        values, arguments = tuple(leaves[i]._data for i in given), tuple(leaves[i] for i in given)
        for i in given:
            leaves[i] = None  # only the arrays are kept
        out = tuple(o._data for o in live)
        plan = _plan(evaluate, rewind, list(map(_digest, out)), given, free)
        result = record(
            plan, (*parents, *free), (values,), out if len(out) > 1 else out[0], arguments
        )
        results = iter(result if len(out) > 1 else (result,))
        return rebuilt(
            rebuild_out, [next(results) if any(o is v for v in live) else o for o in outputs]
        )

    return checkpointed


def _requires_grad(value: Any) -> bool:
    return isinstance(value, Variable) and value.requires_grad


def _evaluated(
    function: Callable[..., Any],
    leaves: list[Any],
    rebuild: Rebuild,
    given: list[int],
    inputs: list[Any],
) -> tuple[list[Any], Rebuild]:
    """Call `function` with `inputs` in the places `given`; return its outputs as a list."""
    full = list(leaves)
    for i, v in zip(given, inputs, strict=True):
        full[i] = v
    args, kwargs = rebuilt(rebuild, full)
    return flatten(function(*args, **kwargs))


_OPAQUE = Primitive("checkpoint", lambda *inputs: inputs, ("inputs",), {}, variadic=True)


def _plan(
    evaluate: Callable[..., Any],
    rewind: Callable[[], bool],
    digests: list[int],
    given: list[int],
    free: list[Any],
) -> Plan:
    """Return the plan of one checkpointed call."""

    def again(inputs: list[Any]) -> list[Any]:
        back_to_now = random.snapshot()
        rewind()
        try:
            outputs = [o for o in evaluate(inputs)[0] if _requires_grad(o)]
        finally:
            back_to_now()
        if [_digest(o._data) for o in outputs] != digests:
            raise RuntimeError(
                "checkpoint: wanted the same output from the second evaluation, got another one; "
                "draw random numbers from autograd.new_generator(), and change nothing the "
                "function reads before the backward pass"
            )
        return outputs

    def joint(g: Any, saved: tuple[Any, ...]) -> list[Any]:
        return Replay(again, saved, free).pull(g if type(g) is tuple else (g,))

    operands = tuple(f"argument {i}" for i in given) + ("closure",) * len(free)
    return Plan(
        _OPAQUE,
        joint=here(joint),
        operands=operands,
        save=lambda values: values[0],
        rewrap=lambda node: tuple(map(wrap, node.saved, node.parents)),
    )


def _digest(data: Any) -> int:
    """Return a checksum of an array, by which a second evaluation that differs is noticed."""
    return zlib.crc32(np.ascontiguousarray(data).data)
