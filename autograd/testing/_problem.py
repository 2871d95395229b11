"""A differentiable function seen as one from R^n to R^m, and its derivative as another such
function.

Inputs and outputs may be nested containers of arrays and Variables. Complex numbers are pairs of
reals: with the gradient convention dL/dRe + i dL/dIm, a gradient packed into reals is the gradient
of the packed function, so nothing that judges derivatives needs to know of complex numbers. Imports
the engine and NumPy.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.testing._packing import (
    Array,
    Slot,
    flatten,
    is_inexact,
    pack,
    raw,
    rebuild,
    unpack,
)
from autograd.transforms.products import jvp
from autograd.transforms.trace import backward_pass
from autograd.variable import Variable


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
    seeds = [
        (output._node, g)
        for output, g in zip(outputs, cotangents, strict=True)
        if isinstance(output, Variable) and output._node is not None
    ]
    nodes: list[Any] = [x._node for x in inputs]
    found = (
        backward_pass(seeds, nodes, create_graph=create_graph, retain_graph=True) if seeds else {}
    )
    gradients = []
    for x, node in zip(inputs, nodes, strict=True):
        g = found.get(node)
        if g is None:
            g = np.zeros_like(x.data)
        gradients.append(g if not create_graph or isinstance(g, Variable) else Variable(g))
    return gradients


class Tape:
    """One recorded evaluation: its values, and gradients for any number of cotangents."""

    def __init__(self, problem: Problem, arrays: Sequence[Array]) -> None:
        self.inputs = [Variable(array.copy(), requires_grad=True) for array in arrays]
        self.outputs = problem.call(self.inputs)
        self.slots = problem.outputs

    def values(self) -> Array:
        """Return the outputs as a vector."""
        return pack([raw(output) for output in self.outputs])

    def gradient(self, cotangent: Array) -> Array:
        """Return the vector J^T v for a vector `v` of reals."""
        return pack(pull(self.outputs, self.inputs, unpack(cotangent, self.slots)))


class Problem:
    """A function of `leaves`, called with Variables; its outputs are described by `outputs` after
    the first evaluation.

    Attributes:
        title: name of the function, for messages.
        order: 1 for the function itself, 2 for its gradient, and so on.
        call: takes a list of Variables, returns a flat list of Variables or arrays.
        inputs: slots of the leaves.
        outputs: slots of the outputs.
        leaves: the point.
        checked: how many of the leaves are inputs of the user's function; the others are
            cotangents.
        evaluations: how often the function was called.
    """

    def __init__(
        self,
        title: str,
        call: Callable[[list[Variable]], list[Any]],
        leaves: Sequence[Array],
        names: Sequence[str],
        *,
        order: int = 1,
        checked: int | None = None,
    ) -> None:
        self.title = title
        self.order = order
        self.leaves = [np.array(leaf) for leaf in leaves]
        self.inputs = [
            Slot(name, leaf.shape, leaf.dtype)
            for name, leaf in zip(names, self.leaves, strict=True)
        ]
        self.checked = len(self.leaves) if checked is None else checked
        self.outputs: list[Slot] = []
        self.output_names: list[str] = []
        self.evaluations = 0
        self._call = call

    def call(self, variables: list[Variable]) -> list[Any]:
        """Evaluate, and describe the outputs when they are seen for the first time."""
        self.evaluations += 1
        outputs = self._call(variables)
        if not self.outputs:
            names = self.output_names or ["output"]
            names = (
                names
                if len(names) == len(outputs)
                else [f"output {i}" for i in range(len(outputs))]
            )
            arrays = map(raw, outputs)
            self.outputs = [
                Slot(name, a.shape, a.dtype) for name, a in zip(names, arrays, strict=True)
            ]
        return outputs

    def point(self) -> Array:
        """Return the leaves as a vector of reals."""
        return pack(self.leaves)

    def __call__(self, x: Array) -> Array:
        """Return the outputs at the vector `x` as a vector, without recording anything."""
        return pack(
            [raw(output) for output in self.call([Variable(a) for a in unpack(x, self.inputs)])]
        )

    def tangent(self, direction: Array) -> Array:
        """Return the vector J u for a vector `u` of reals, in forward mode."""
        self.evaluations += 1
        tangents = tuple(unpack(direction, self.inputs))
        _, pushed = jvp(lambda *xs: self._call(list(xs)), tuple(self.leaves), tangents)
        return pack([raw(t) for t in pushed])

    def holomorphic(self, z: Array) -> Array:
        """Return the outputs at a complex vector, all inputs and outputs continued into the complex
        plane.
        """
        outputs = self.call([Variable(a) for a in unpack(z, self.inputs)])
        return np.concatenate(
            [np.asarray(raw(output), dtype=complex).reshape(-1) for output in outputs]
        )

    @property
    def is_real(self) -> bool:
        """Whether all inputs and outputs are real, so that the complex step makes sense."""
        return all(slot.dtype.kind != "c" for slot in itertools.chain(self.inputs, self.outputs))

    @property
    def size(self) -> int:
        """Number of real coordinates of the inputs."""
        return sum(slot.reals for slot in self.inputs)

    @property
    def epsilon(self) -> float:
        """Rounding unit of the least precise output or input."""
        return max(
            (float(np.finfo(s.dtype).eps) for s in (*self.inputs, *self.outputs)), default=2.0**-52
        )

    def derivative(self, rng: np.random.Generator) -> Problem:
        """Return the function (x, v) -> J(x)^T v, at random cotangents `v`."""
        if not self.outputs:
            self(self.point())
        count = len(self.leaves)
        cotangents = unpack(rng.uniform(0.5, 1.5, sum(s.reals for s in self.outputs)), self.outputs)
        names = [f"cotangent of {slot.name}" for slot in self.outputs]

        def call(variables: list[Variable]) -> list[Any]:
            xs, vs = variables[:count], variables[count:]
            if any(v.requires_grad for v in variables):
                outputs = self._call(xs)
                return pull(outputs, xs, vs, create_graph=True)
            # The complex step: conjugating at both ends undoes the engine's conjugation, which is
            # not analytic.
            step = xs[0].dtype.kind == "c" and self.is_real
            leaves = [Variable(x.data, requires_grad=True) for x in xs]
            outputs = self._call(leaves)
            seeds = [
                np.conj(v.data).astype(output.dtype)
                if step and isinstance(output, Variable)
                else v.data
                for v, output in zip(vs, outputs, strict=True)
            ]
            gradients = pull(outputs, leaves, seeds)
            return [np.conj(g) for g in gradients] if step else gradients

        new = Problem(
            self.title,
            call,
            [*self.leaves, *cotangents],
            [slot.name for slot in self.inputs] + names,
            order=self.order + 1,
            checked=self.checked,
        )
        new.output_names = [f"gradient of {slot.name}" for slot in self.inputs]
        return new


def name_of(fn: Callable[..., Any]) -> str:
    """Name a function in messages."""
    inner = getattr(fn, "func", fn)
    owner = getattr(inner, "__self__", None)
    if isinstance(owner, type) and getattr(inner, "__name__", "") == "apply":  # MyFunction.apply
        return owner.__name__
    return getattr(inner, "__name__", None) or type(inner).__name__


def _parameter_names(fn: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return (names + [f"argument {i}" for i in range(len(names), count)])[:count]


def differentiated(leaves: Sequence[Any]) -> list[int]:
    """Return which leaves are differentiated: Variables that require a gradient, else floating
    arrays, else floats.
    """
    for test in (_is_tracked, is_inexact, _is_float):
        positions = [i for i, leaf in enumerate(leaves) if test(leaf)]
        if positions:
            return positions
    return []


def _is_tracked(value: Any) -> bool:
    return isinstance(value, Variable) and value.requires_grad


def _precise(value: Any) -> Any:
    """Return floating data in at least double precision."""
    array = raw(value)
    if isinstance(array, (np.ndarray, np.generic)) and array.dtype.kind in "fc":
        wide = np.result_type(array.dtype, np.float64)
        array = array.astype(wide)
    return Variable(array) if isinstance(value, Variable) else array


def make_problem(
    fn: Callable[..., Any],
    inputs: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    *,
    parameters: Sequence[Variable] = (),
    precise: bool = True,
) -> Problem:
    """Return the call `fn(*inputs, **kwargs)` as a Problem.

    Args:
        fn: the function.
        inputs: its arguments.
        kwargs: its keywords, constants.
        parameters: Variables that `fn` uses besides, differentiated as well.
        precise: convert all floating data to double precision.

    Raises:
        TypeError: nothing among the inputs, or nothing among the outputs, is floating.
    """
    title = name_of(fn)
    keywords = dict(kwargs or {})
    names = _parameter_names(fn, len(inputs))
    found = list(
        itertools.chain.from_iterable(flatten(v, n) for n, v in zip(names, inputs, strict=True))
    )
    values = [_precise(value) if precise else value for _, value in found]
    positions = differentiated([value for _, value in found])
    weights = [_precise(p.data) if precise else p.data for p in parameters]
    if not positions and not weights:
        raise TypeError(
            f"check_gradients: wanted a floating array among the inputs of {title}, got none; "
            "integers have no gradient, write np.array(..., dtype=float)"
        )

    def call(variables: list[Variable]) -> list[Any]:
        full = list(values)
        count = len(positions)
        for position, variable in zip(positions, variables[:count], strict=True):
            full[position] = variable
        leaves = iter(full)
        with _standing_in(parameters, variables[count:]):
            result = fn(*[rebuild(value, leaves) for value in inputs], **keywords)
        outputs = list(flatten(result, "output"))
        problem.output_names = [
            name for name, value in outputs if is_inexact(value) or _is_float(value)
        ]
        return [
            value if isinstance(value, Variable) else np.asarray(value)
            for _, value in outputs
            if is_inexact(value) or _is_float(value)
        ]

    problem = Problem(
        title,
        call,
        [*(np.asarray(raw(values[i])) for i in positions), *weights],
        [*(found[i][0] for i in positions), *(f"parameters[{i}]" for i in range(len(weights)))],
    )
    return problem


@contextlib.contextmanager
def _standing_in(parameters: Sequence[Variable], variables: Sequence[Variable]) -> Iterator[None]:
    """Have `parameters`, which a function holds itself, be `variables` for the time of a call."""
    kept = [(p._data, p._node) for p in parameters]
    try:
        for parameter, variable in zip(parameters, variables, strict=True):
            parameter._data, parameter._node = variable._data, variable._node
        yield
    finally:
        for parameter, (data, node) in zip(parameters, kept, strict=True):
            parameter._data, parameter._node = data, node


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, complex))
