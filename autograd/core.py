"""Products with Jacobians, spaces of vectors and a graph by hand, under the names that the core of
HIPS autograd has; what that passes on from other modules is here, too. Imported on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.engine.backward import run_backward
from autograd.engine.graph import unwrap
from autograd.extend import (
    def_linear,
    defjvp,
    defjvp_argnum,
    defvjp,
    defvjp_argnum,
    defvjp_argnums,
    primitive,
)
from autograd.ops import contractions, elementwise
from autograd.tracer import (
    Box,
    Node,
    VJPNode,
    getval,
    isbox,
    new_box,
    refuse_kind,
    toposort,
    trace,
)
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.products import jvp, vjp
from autograd.util import func, subval, subvals

__all__ = [
    "Box",
    "Node",
    "VJPNode",
    "VSpace",
    "backward_pass",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "func",
    "getval",
    "isbox",
    "make_jvp",
    "make_vjp",
    "new_box",
    "primitive",
    "subval",
    "subvals",
    "toposort",
    "trace",
    "vspace",
]


def make_vjp(fun: Callable[[Any], Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the pullback of a function of one argument at `x`, and its value there.

    Unlike `autograd.make_vjp` it takes the point at once.

    Example:
        >>> pullback, value = make_vjp(lambda x: x**2, 3.0)
        >>> value, pullback(1.0)
        (np.float64(9.0), np.float64(6.0))
    """
    out, pullback = vjp(fun, x)
    return lambda g: pullback(g)[0], out


def make_jvp(fun: Callable[[Any], Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """Return the function of a direction that returns the value of `fun` at `x` and its derivative
    along it.
    """
    return lambda g: jvp(fun, (x,), (g,))


def backward_pass(g: Any, end_node: Any) -> Any:
    """Return the gradient at the start of a graph made with `new_box`, for the cotangent `g` of the
    output that `end_node` stands for; any number of times.

    Example:
        >>> from autograd.tracer import new_box, trace_stack
        >>> with trace_stack.new_trace() as t:
        ...     start = new_box(3.0, t, VJPNode.new_root())
        ...     end = start * start
        >>> backward_pass(1.0, end._node)
        np.float64(6.0)
    """
    seen = {end_node}
    stack = [end_node]
    while stack:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    starts = [node for node in seen if isinstance(node, VJPNode)]
    if len(starts) != 1:
        raise ValueError(
            f"backward_pass: wanted a graph with one start made by new_box, got {len(starts)}; use "
            "make_vjp(f, x)"
        )
    cotangent = np.asarray(unwrap(g), end_node.dtype)
    if cotangent.shape != end_node.shape:
        raise ValueError(
            f"backward_pass: wanted a cotangent of shape {end_node.shape}, got {cotangent.shape}"
        )
    found = run_backward([(end_node, cotangent)], starts, retain_graph=True)
    gradient = found.get(starts[0])
    return np.zeros(starts[0].shape, starts[0].dtype) if gradient is None else gradient


class VSpace:
    """The space of the vectors that a value is one of: an array or a number, or nested lists,
    tuples and dicts of them.

    Attributes:
        shape: of an array; of a structure the same one of spaces.
        dtype: of an array.
        size: number of real numbers in a vector.
        iscomplex: whether an array is complex.
    """

    iscomplex = False

    def __init__(self, value: Any) -> None:
        value = unwrap(value)
        leaves, self._rebuild = flatten(value)
        self._leaves: list[Any] = []
        if isinstance(value, (list, tuple, dict)):
            spaces = [VSpace(leaf) for leaf in leaves]
            self.shape = rebuilt(self._rebuild, spaces)
            self._leaves = [leaf for space in spaces for leaf in space._leaves]
            return
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            raise TypeError(
                "vspace: wanted numbers, arrays or nested lists, tuples and dicts of them, got "
                f"{type(value).__name__}"
            )
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.iscomplex = array.dtype.kind == "c"
        self._leaves = [self]

    @classmethod
    def register(cls, value_type: type[Any], vspace_maker: Any = None) -> None:
        """Take note of a class of arrays; others are refused."""
        del vspace_maker
        refuse_kind(cls.__name__, value_type)

    @property
    def size(self) -> int:
        """Number of real numbers in a vector."""
        return sum(int(np.prod(s.shape)) * (1 + s.iscomplex) for s in self._leaves)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VSpace) or self.shape != other.shape:
            return False
        return getattr(self, "dtype", None) == getattr(other, "dtype", None)

    __hash__ = None  # type: ignore[assignment] # as of other things that are compared by value

    def __repr__(self) -> str:
        return f"VSpace({self.shape}{f', {self.dtype}' if self._leaves == [self] else ''})"

    # -- vectors -----------------------------------------------------------------------------------

    def _of(self, make: Callable[[Any], Any]) -> Any:
        return rebuilt(self._rebuild, [make(space) for space in self._leaves])

    def zeros(self) -> Any:
        """Return the vector of zeros."""
        return self._of(lambda s: np.zeros(s.shape, s.dtype))

    def ones(self) -> Any:
        """Return the sum of the basis: 1, or 1 + 1j."""
        return self._of(lambda s: np.full(s.shape, 1 + 1j if s.iscomplex else 1, s.dtype))

    def randn(self) -> Any:
        """Return a vector of normal numbers, drawn from NumPy's global generator."""

        def draw(space: VSpace) -> Any:
            values = np.random.standard_normal((2, *space.shape))  # noqa: NPY002 - as there
            made = values[0] + 1j * values[1] if space.iscomplex else values[0]
            return made.astype(space.dtype)

        return self._of(draw)

    def standard_basis(self) -> Iterator[Any]:
        """Go through the vectors with one 1, or 1j, among zeros."""
        for k, space in enumerate(self._leaves):
            for index in np.ndindex(space.shape):
                for unit in (1.0, 1.0j) if space.iscomplex else (1.0,):
                    parts = [np.zeros(s.shape, s.dtype) for s in self._leaves]
                    parts[k][index] = unit
                    yield rebuilt(self._rebuild, parts)

    # -- operations, recorded ----------------------------------------------------------------------

    def _each(self, operate: Callable[..., Any], *vectors: Any) -> Any:
        parts = zip(*(flatten(vector)[0] for vector in vectors), strict=True)
        return rebuilt(self._rebuild, [operate(*values) for values in parts])

    def add(self, x_prev: Any, x_new: Any) -> Any:
        """Return the sum of two vectors."""
        return self._each(elementwise.add, x_prev, x_new)

    def mut_add(self, x_prev: Any, x_new: Any) -> Any:
        """Return the sum of two vectors; None stands for zero."""
        return self.add(self.zeros() if x_prev is None else x_prev, x_new)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        """Return a vector times a real number."""
        return self._each(lambda part: elementwise.multiply(part, a), x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """Return the real inner product of two vectors, Re(sum conj(x) y)."""
        pairs = zip(flatten(x)[0], flatten(y)[0], strict=True)
        return sum((elementwise.real(contractions.vdot(a, b)) for a, b in pairs), start=0.0)

    def covector(self, x: Any) -> Any:
        """Return what the pullback takes for the vector `x`: itself, as gradients are dL/dx +
        i dL/dy.
        """
        return x


def vspace(value: Any) -> VSpace:
    """Return the space of the vectors that `value` is one of.

    Example:
        >>> import numpy as np
        >>> space = vspace({"a": np.zeros((2, 3)), "b": 1.0})
        >>> space.size, space.ones()["b"]
        (7, array(1.))
    """
    return VSpace(value)
