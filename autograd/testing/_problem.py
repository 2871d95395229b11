"""A differentiable function seen as one from R^n to R^m, and its derivative as another such one.

Inputs and outputs may be nested containers of arrays and Variables. Complex numbers are pairs of
reals: with the gradient convention dL/dRe + i dL/dIm, a gradient packed into reals is the gradient
of the packed function, so nothing that judges derivatives needs to know of complex numbers.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.arrays import refuse_mask
from autograd.testing._arrays import (
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

__all__ = [
    "Problem",
    "Tape",
    "make_problem",
    "name_of",
    "pull",
]


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
    """Return the gradients of `inputs` for `cotangents` of `outputs`; zeros where nothing connects
    them.
    """
    connected = [
        (output, g)
        for output, g in zip(outputs, cotangents, strict=True)
        if isinstance(output, Variable) and output.requires_grad
    ]
    if not connected:
        return [np.zeros_like(x.data) for x in inputs]
    found = autograd.grad(
        [output for output, _ in connected],
        inputs,
        [g for _, g in connected],
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
    )
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
            return [
                (f"gradient of {name}", g if isinstance(g, Variable) else np.asarray(g))
                for name, g in zip(names, gradients, strict=True)
            ]

        leaves = [*self.leaves, *(np.ones((), v.real.dtype) for v in vs)]
        names_ = names + [f"cotangent of {slot.name}" for slot in self.outputs]
        return Problem(self.title, call, leaves, names_, order=self.order + 1)


class Tape:
    """One recorded evaluation: its values, and gradients for any number of cotangents."""

    def __init__(self, problem: Problem) -> None:
        self.inputs = [Variable(leaf.copy(), requires_grad=True) for leaf in problem.leaves]
        self.outputs = problem.evaluate(self.inputs)
        self.slots = problem.outputs

    def values(self) -> Array:
        """Return the outputs as a vector."""
        return pack(self.outputs)

    def pull(self, cotangents: Sequence[Array]) -> list[Array]:
        """Return the gradients of all inputs."""
        return pull(self.outputs, self.inputs, cotangents)

    def gradient(self, v: Array) -> Array:
        """Return the vector J^T v for a vector `v` of reals."""
        return pack(self.pull(unpack(v, self.slots)))


# -- from a call to a Problem ----------------------------------------------------------------------


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


def make_problem(
    fn: Callable[..., Any],
    inputs: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    parameters: Sequence[Variable] = (),
    symmetric: bool | Collection[int] = False,
    wide: bool = True,
) -> Problem:
    """Return the call `fn(*inputs, **kwargs)` as a Problem.

    Args:
        fn: the function.
        inputs: its arguments.
        kwargs: its keywords, constants.
        parameters: Variables that `fn` uses besides, differentiated as well.
        symmetric: which of the differentiated arrays are made symmetric (Hermitian) first, so that
            moving an element moves its mirror image as well.
        wide: convert all floating data to double precision.

    Raises:
        TypeError: nothing among the inputs is floating.
    """
    title = name_of(fn)
    names = _parameter_names(fn, len(inputs))
    found = [leaf for n, value in zip(names, inputs, strict=True) for leaf in flatten(value, n)]
    for _, value in found:
        refuse_mask(title, value)
    widened: Callable[[Any], Any] = precise if wide else lambda value: value
    values = [widened(value) for _, value in found]
    # Variables that require a gradient, else floating arrays, else floats.
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
        return [
            (name, value if isinstance(value, Variable) else np.asarray(value))
            for name, value in flatten(result, "output")
            if is_inexact(value) or _is_float(value)
        ]

    return Problem(
        title,
        call,
        [*(np.asarray(raw(values[i])) for i in positions), *weights],
        [*(found[i][0] for i in positions), *(f"parameters[{i}]" for i in range(len(weights)))],
    )


# All that makes a Variable what it is; the one place here that looks behind its methods.
_STATE = [slot for slot in Variable.__slots__ if not slot.startswith("__")]


def _become(variable: Variable, state: dict[str, Any]) -> None:
    for slot in _STATE:
        if slot in state:
            setattr(variable, slot, state[slot])
        elif hasattr(variable, slot):
            delattr(variable, slot)


@contextlib.contextmanager
def _standing_in(parameters: Sequence[Variable], variables: Sequence[Variable]) -> Iterator[None]:
    """Have `parameters`, which a function holds itself, be `variables` for the time of a call."""
    own, lent = (
        [{slot: getattr(v, slot) for slot in _STATE if hasattr(v, slot)} for v in group]
        for group in (parameters, variables)
    )
    try:
        for parameter, state in zip(parameters, lent, strict=True):
            _become(parameter, state)
        yield
    finally:
        for parameter, state in zip(parameters, own, strict=True):
            _become(parameter, state)
