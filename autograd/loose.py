"""Functions of any arguments, `f(*args, **kwargs)`, with rules in two stages: the operands are all
Variables among the positional arguments, also in nested lists, tuples and dicts, and the outputs
all arrays in what it returns.

This is the mechanism for functions whose parameters have no names, and for calls with structures of
Variables, as code written for HIPS autograd has them. Imports what is older than `extend`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.checked import require_recorded
from autograd.engine import graph
from autograd.engine.backward import cast
from autograd.engine.calls import unwrap_all
from autograd.engine.graph import unwrap, wrap
from autograd.engine.primitive import Primitive
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.trace import record_jointly
from autograd.variable import IN_RECORDED_RULE

__all__ = ["Loose", "is_nested"]


def is_nested(value: Any) -> bool:
    """Tell whether there are Variables in a container that is no plain list of them."""
    if type(value) is dict:
        return any(map(_is_variable, flatten(value)[0]))
    if type(value) in (list, tuple):
        inner = [part for part in value if type(part) in (list, tuple, dict)]
        return any(map(_is_variable, flatten(inner)[0])) if inner else False
    return False


def _is_variable(value: Any) -> bool:
    return isinstance(value, graph.Variable)


class Loose:
    """A function of any arguments."""

    def __init__(self, name: str, forward: Callable[..., Any]) -> None:
        self.name, self.forward = name, forward
        # (positions, output, args, kwargs) -> function of the cotangent of the output that returns
        # a cotangent for each of the positions.
        self.pullback: Callable[..., Callable[[Any], Any]] = self._missing

    def _missing(self, argnums: Any, *_: Any) -> Callable[[Any], Any]:
        raise TypeError(
            f"{self.name}: wanted arguments {tuple(argnums)} without a gradient, because "
            f"{self.name} has no rules; give it some with autograd.extend.defvjp"
        )

    def attach(self, make: Callable[..., Any], argnums: Iterable[int] | None) -> None:
        """Take a rule for each argument: `make(argnum, ans, args, kwargs)`."""
        known, before = None if argnums is None else set(argnums), self.pullback

        def pullback(wanted: Any, ans: Any, args: Any, kwargs: Any) -> Callable[[Any], Any]:
            pulls = [
                make(i, ans, args, kwargs)
                if known is None or i in known
                else lambda g, i=i: before((i,), ans, args, kwargs)(g)[0]
                for i in wanted
            ]
            return lambda g: [pull(g) for pull in pulls]

        self.pullback = pullback

    def primitive(self) -> Primitive:
        """Return what stands for the function where primitives are asked for."""
        made = Primitive(self.name, self.forward, ("args",), {}, variadic=True)
        made.loose = self  # type: ignore[attr-defined]
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call; record where a Variable that requires a gradient is among the arguments."""
        found = [flatten(arg) for arg in args]
        variables = [v for leaves, _ in found for v in leaves if _is_variable(v)]
        plain = [rebuilt(rebuild, map(unwrap, leaves)) for leaves, rebuild in found]
        out = self.forward(*plain, **kwargs)
        parents = [v._node for v in variables if v._node is not None]
        if not variables:
            return out
        outs, build = flatten(out)
        outs = [o if hasattr(o, "dtype") else np.asarray(o)[()] for o in map(unwrap, outs)]
        if not parents:
            return rebuilt(build, [wrap(o) for o in outs])
        # As they are now: a Variable that is assigned to stands for another value later.
        kept = [
            rebuilt(rebuild, [wrap(v._data, v._node) if _is_variable(v) else v for v in leaves])
            for leaves, rebuild in found
        ]
        joint = functools.partial(self._pull, kept, kwargs, build, outs)
        results = record_jointly(self.name, joint, parents, tuple(outs), args)
        return rebuilt(build, results)

    def _pull(self, args: Any, kwargs: Any, build: Any, outs: Any, g: Any, saved: Any) -> list[Any]:
        """Return a cotangent for each Variable among the arguments that requires a gradient."""
        recorded = any(map(_is_variable, g))
        parts = [np.zeros_like(unwrap(o)) if p is None else p for p, o in zip(g, outs, strict=True)]
        given = args if recorded else unwrap_all(args)
        wanted = [i for i, arg in enumerate(args) if any(map(_needs, flatten(arg)[0]))]
        token = IN_RECORDED_RULE.set(recorded)
        try:
            pull = self.pullback(tuple(wanted), rebuilt(build, saved), given, kwargs)
            pulled = pull(rebuilt(build, parts))
        finally:
            IN_RECORDED_RULE.reset(token)
        found = []
        for i, gx in zip(wanted, pulled, strict=True):
            leaves = self._leaves(i, args[i], gx)
            for leaf in leaves:
                require_recorded(self.name, g if type(g) is tuple else (g,), leaf)
            found += leaves
        return found

    def _leaves(self, i: int, tree: Any, gx: Any) -> list[Any]:
        """List the parts of a cotangent, which has the structure of its argument, or that of an
        array of its elements, for the Variables that require one.
        """
        if isinstance(tree, dict):
            return [leaf for key in tree for leaf in self._leaves(i, tree[key], gx[key])]
        if isinstance(tree, (list, tuple)):
            return [leaf for k, part in enumerate(tree) for leaf in self._leaves(i, part, gx[k])]
        if not _needs(tree):
            return []
        gx = gx if hasattr(gx, "dtype") else np.asarray(gx)
        if gx.shape != tree.shape:
            raise ValueError(
                f"{self.name}: wanted a gradient of shape {tree.shape} for argument {i}, got "
                f"{gx.shape}"
            )
        return [gx if gx.dtype == tree.dtype else cast(gx, tree.dtype)]


def _needs(value: Any) -> bool:
    return _is_variable(value) and value._node is not None
