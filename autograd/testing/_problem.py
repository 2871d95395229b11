"""A differentiable function seen as one from R^n to R^m, and its derivative as another such one."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.testing._vectors import (
    Array,
    Slot,
    flatten,
    is_inexact,
    pack,
    precise,
    raw,
    rebuild,
    unpack,
)

__all__ = ["Problem", "make_problem", "name_of", "pull"]


def name_of(fn: Callable[..., Any]) -> str:
    """Name a function in messages."""
    inner = getattr(fn, "func", fn)
    owner = getattr(inner, "__self__", None)
    if isinstance(owner, type) and getattr(inner, "__name__", "") == "apply":  # MyFunction.apply
        return owner.__name__
    return getattr(inner, "__name__", None) or type(inner).__name__


def pull(
    outputs: Sequence[Any],
    inputs: Sequence[Variable],
    cotangents: Sequence[Any],
    *,
    create_graph: bool = False,
) -> list[Any]:
    """Return the gradients of `inputs`; zeros where nothing connects them with `outputs`."""
    pairs = zip(outputs, cotangents, strict=True)
    connected = [(o, g) for o, g in pairs if isinstance(o, Variable) and o.requires_grad]
    found: Sequence[Any] = [None] * len(inputs)
    if connected:
        heads, gs = zip(*connected, strict=True)
        options = {"create_graph": create_graph, "retain_graph": True, "allow_unused": True}
        found = autograd.grad(heads, inputs, gs, **options)
    return [np.zeros_like(x.data) if g is None else g for x, g in zip(inputs, found, strict=True)]


class Problem:
    """A function of `leaves`.

    Attributes:
        title: name of the function, for messages.
        order: 1 for the function itself, 2 for its gradient, and so on.
        call: takes a list of Variables, returns a list of (name, Variable or array).
        leaves: the point.
        inputs: slots of the leaves.
        outputs: slots of the outputs, known after the first evaluation.
    """

    def __init__(
        self,
        title: str,
        call: Callable[[list[Variable]], list[tuple[str, Any]]],
        leaves: Sequence[Array],
        names: Sequence[str],
        *,
        order: int = 1,
    ) -> None:
        self.title = title
        self.order = order
        self.call = call
        self.leaves = [np.array(leaf) for leaf in leaves]
        self.inputs = [
            Slot(name, leaf.shape, leaf.dtype)
            for name, leaf in zip(names, self.leaves, strict=True)
        ]
        self.outputs: list[Slot] = []

    def evaluate(self, variables: list[Variable]) -> list[Any]:
        """Return the outputs, and describe them when they are seen for the first time."""
        named = self.call(variables)
        if not self.outputs:
            self.outputs = [Slot(name, np.shape(a), raw(a).dtype) for name, a in named]
        return [value for _, value in named]

    def __call__(self, x: Array) -> Array:
        """Return the outputs at the vector `x` as a vector, without recording anything."""
        return pack(self.evaluate([Variable(a) for a in unpack(x, self.inputs)]))

    def record(self) -> tuple[list[Variable], list[Any]]:
        """Return leaves, and the outputs of a recorded evaluation."""
        leaves = [Variable(leaf.copy(), requires_grad=True) for leaf in self.leaves]
        return leaves, self.evaluate(leaves)

    def pullback(self, v: Array) -> tuple[Array, Array]:
        """Return the outputs as a vector, and the vector J^T v for a vector `v` of reals."""
        leaves, outputs = self.record()
        return pack(outputs), pack(pull(outputs, leaves, unpack(v, self.outputs)))

    def tangent(self, direction: Array) -> Array:
        """Return the vector J u for a vector `u` of reals, in forward mode."""
        tangents = tuple(unpack(direction, self.inputs))
        _, pushed = autograd.jvp(lambda *xs: self.evaluate(list(xs)), tuple(self.leaves), tangents)
        return pack(pushed)

    @property
    def epsilon(self) -> float:
        """Rounding unit of the least precise input or output."""
        return max((float(np.finfo(s.dtype).eps) for s in self.inputs + self.outputs), default=0.0)

    def at(self, x: Array) -> Problem:
        """Return the same function at another point."""
        names = [slot.name for slot in self.inputs]
        return Problem(self.title, self.call, unpack(x, self.inputs), names, order=self.order)

    def derivative(self, rng: np.random.Generator) -> Problem:
        """Return the function (x, t) -> J(x)^T (t v), for a random cotangent `v` and one number `t`
        per output, at t = 1.
        """
        count = len(self.leaves)
        vs = unpack(rng.uniform(0.5, 1.5, sum(s.reals for s in self.outputs)), self.outputs)
        names = [slot.name for slot in self.inputs]

        def call(variables: list[Variable]) -> list[tuple[str, Any]]:
            xs, ts = variables[:count], variables[count:]
            recorded = any(v.requires_grad for v in variables)
            if not recorded:
                xs = [Variable(x.data, requires_grad=True) for x in xs]
            cotangents = [(t if recorded else t.data) * v for t, v in zip(ts, vs, strict=True)]
            cotangents = [g.astype(v.dtype) for g, v in zip(cotangents, vs, strict=True)]
            gradients = pull(self.evaluate(xs), xs, cotangents, create_graph=recorded)
            titles = [f"gradient of {name}" for name in names]
            return list(zip(titles, map(_arrays, gradients), strict=True))

        leaves = [*self.leaves, *(np.ones((), v.real.dtype) for v in vs)]
        ends = [f"cotangent of {slot.name}" for slot in self.outputs]
        return Problem(self.title, call, leaves, names + ends, order=self.order + 1)


def make_problem(
    fn: Callable[..., Any],
    inputs: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    parameters: Sequence[Variable] = (),
    symmetric: bool | Collection[int] = False,
    wide: bool = True,
) -> Problem:
    """Return the call `fn(*inputs, **kwargs)` as a Problem; the arguments are those of
    `check_gradients`.

    Differentiated are the Variables that require a gradient, else floating arrays, else floats; all
    floating data in double precision where `wide`. Symmetric arrays are made so at first, so that
    moving an element moves its mirror image as well.

    Raises:
        TypeError: nothing among the inputs is floating.
    """
    title = name_of(fn)
    names = _parameter_names(fn, len(inputs))
    found = [leaf for n, value in zip(names, inputs, strict=True) for leaf in flatten(value, n)]
    if any(isinstance(value, np.ma.MaskedArray) for _, value in found):
        raise TypeError(
            f"{title}: wanted an array without a mask, got a masked one, whose hidden values would "
            "count; write data.filled(value)"
        )
    widened: Callable[[Any], Any] = precise if wide else lambda value: value
    values = [widened(value) for _, value in found]
    chosen = next((t for t in (_is_tracked, is_inexact, _is_float) if any(map(t, values))), None)
    positions = [i for i, value in enumerate(values) if chosen and chosen(value)]
    weights = [widened(p.data) for p in parameters]
    if not positions and not weights:
        raise TypeError(
            f"check_gradients: wanted a floating array among the inputs of {title}, got none; "
            "integers have no gradient, write np.array(..., dtype=float)"
        )
    constants = [Variable(v.data) if isinstance(v, Variable) else v for v in values]

    def call(variables: list[Variable]) -> list[tuple[str, Any]]:
        full = list(constants)
        for k, (position, x) in enumerate(zip(positions, variables, strict=False)):
            mirrored = symmetric if isinstance(symmetric, bool) else k in symmetric
            square = mirrored and x.ndim > 1 and x.shape[-1] == x.shape[-2]
            full[position] = (x + np.conj(np.swapaxes(x, -1, -2))) / 2 if square else x
        leaves = iter(full)
        with _standing_in(parameters, variables[len(positions) :]):
            result = fn(*[rebuild(value, leaves) for value in inputs], **kwargs)
        outputs = flatten(result, "output")
        return [(name, _arrays(v)) for name, v in outputs if is_inexact(v) or _is_float(v)]

    ends = [f"parameters[{i}]" for i in range(len(weights))]
    points = [*(np.asarray(raw(values[i])) for i in positions), *weights]
    return Problem(title, call, points, [*(found[i][0] for i in positions), *ends])


def _parameter_names(fn: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return (names + [f"argument {i}" for i in range(len(names), count)])[:count]


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, complex))


def _is_tracked(value: Any) -> bool:
    return isinstance(value, Variable) and value.requires_grad


def _arrays(value: Any) -> Any:
    return value if isinstance(value, Variable) else np.asarray(value)


@contextlib.contextmanager
def _standing_in(parameters: Sequence[Variable], variables: Sequence[Variable]) -> Iterator[None]:
    """Have `parameters`, which a function holds itself, be `variables` for the time of a call."""
    pairs = list(zip(parameters, variables, strict=True))
    for pair in pairs:
        _exchange(*pair)
    try:
        yield
    finally:
        for pair in pairs:
            _exchange(*pair)


def _exchange(one: Variable, other: Variable) -> None:
    """Let two Variables change places; the one thing here that looks behind their methods."""
    for slot in Variable.__slots__:
        if not slot.startswith("__"):
            values = [getattr(v, slot, _UNSET) for v in (other, one)]
            for variable, value in zip((one, other), values, strict=True):
                if value is not _UNSET:
                    setattr(variable, slot, value)
                elif hasattr(variable, slot):
                    delattr(variable, slot)


_UNSET = object()
