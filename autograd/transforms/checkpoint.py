"""Checkpointing: memory for time. Imports `trace` and what is older."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import random as _random
from autograd.engine import graph
from autograd.engine.backward import conjugated, find_route
from autograd.engine.graph import Leaf, Plan, record, wrap
from autograd.engine.mode import mode, set_grad_enabled
from autograd.transforms.containers import Rebuild, flatten, rebuilt
from autograd.transforms.trace import IDENTITY, backward_pass, free_nodes, node_of
from autograd.variable import Variable


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
        if not mode.recording:
            return function(*args, **kwargs)
        constants, rebuild = flatten((args, kwargs))
        given = [i for i, v in enumerate(constants) if isinstance(v, Variable) and v.requires_grad]
        parents = [constants[i]._node for i in given]
        kept = tuple(constants[i]._data for i in given)
        for i in given:
            constants[i] = None
        rewind = _random.snapshot()

        def evaluate(inputs: list[Any]) -> tuple[list[Any], Rebuild]:
            full = list(constants)
            for i, v in zip(given, inputs, strict=True):
                full[i] = v
            new_args, new_kwargs = rebuilt(rebuild, full)
            return flatten(function(*new_args, **new_kwargs))

        first = graph.next_number()
        outputs, rebuild_out = evaluate([wrap(d, Leaf(d.shape, d.dtype)) for d in kept])
        live = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
        if not live:
            return rebuilt(rebuild_out, outputs)
        free = free_nodes([o._node for o in live], first)

        def joint(g: Any, saved: tuple[Any, ...]) -> list[Any]:
            cotangents = g if type(g) is tuple else (g,)
            create_graph = any(isinstance(c, Variable) for c in cotangents)
            back_to_now = _random.snapshot()
            rewind()
            try:
                with set_grad_enabled(True), np.errstate(divide="warn", invalid="warn"):
                    inputs = [
                        record(IDENTITY, (node_of(v),), (v._data,), v._data)
                        if isinstance(v, Variable)
                        else wrap(v, Leaf(v.shape, v.dtype))
                        for v in saved
                    ]
                    again = [
                        o
                        for o in evaluate(inputs)[0]
                        if isinstance(o, Variable) and o.requires_grad
                    ]
            finally:
                back_to_now()
            if [_digest(o._data) for o in again] != digests:
                msg = (
                    "checkpoint: wanted the same output from the second evaluation, got another "
                    "one; draw "
                    "random numbers from autograd.new_generator(), and change nothing the function "
                    "reads "
                    "before the backward pass"
                )
                raise RuntimeError(msg)
            seeds = [
                (node_of(o), conjugated(node_of(o), c))
                for o, c in zip(again, cotangents, strict=True)
                if c is not None
            ]
            targets = [*map(node_of, inputs), *free]
            # What the arguments were computed from may be what the function closes over.
            route = find_route([node for node, _ in seeds], targets, closed=True)
            found = backward_pass(
                seeds, targets, create_graph=create_graph, retain_graph=create_graph, route=route
            )
            return [None if (p := found.get(t)) is None else conjugated(t, p) for t in targets]

        plan = Plan(
            "checkpoint",
            joint=joint,
            operands=tuple(f"argument {i}" for i in given) + ("closure",) * len(free),
            keep=lambda values: values[0],
            sources=tuple((i, None, i) for i in range(len(given))),
        )
        raw = tuple(o._data for o in live)
        digests = list(map(_digest, raw))
        recorded = record(plan, (*parents, *free), (kept,), raw if len(raw) > 1 else raw[0])
        fresh = iter(recorded if len(raw) > 1 else (recorded,))
        return rebuilt(
            rebuild_out, [next(fresh) if any(o is v for v in live) else o for o in outputs]
        )

    return checkpointed


def _digest(data: Any) -> int:
    """Return a checksum of an array, by which a second evaluation that differs is noticed."""
    return zlib.crc32(np.ascontiguousarray(data).data)
