"""What values are, under the names that HIPS autograd has: `Box`, what Variables are instances of,
`VJPNode`, the start of a graph by hand, and `VSpace`, the space that a value is a vector of.

Imported on demand, by `extend`, `tracer` and `core`. Imports the engine, `ops` and the transforms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.arrays import KINDS
from autograd.engine import graph
from autograd.engine.graph import Leaf, unwrap
from autograd.ops import contractions, elementwise
from autograd.transforms.containers import flatten, rebuilt

__all__ = ["Box", "VJPNode", "VSpace", "refuse_kind", "vspace"]


def refuse_kind(what: str, kind: type[Any]) -> None:
    """Take note of a class of values, which must be one of arrays.

    Raises:
        TypeError: for objects of another kind.
    """
    if not issubclass(kind, (np.ndarray, np.generic, float, complex, list, tuple, dict)):
        raise TypeError(
            f"{what}.register: wanted arrays, or nested lists, tuples and dicts of them, which are "
            f"what is differentiated, got the class {kind.__name__}; keep what it is made of in a "
            "dict, and write a function of that"
        )
    if issubclass(kind, np.ndarray):
        _counts_as_array(kind)


class _Mappings(dict[Any, Any]):
    """Takes note of classes of arrays, `mappings[kind] = ...`, as `register` does."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what

    def __setitem__(self, kind: Any, made: Any) -> None:
        refuse_kind(self._what, kind)
        super().__setitem__(kind, made)


def _counts_as_array(kind: type[Any]) -> None:
    """Let arrays of a subclass of ndarray with an arithmetic of its own be differentiated, as what
    they hold; in operations with Variables they give way.
    """
    own = kind.__array_ufunc__
    if kind in KINDS or own is np.ndarray.__array_ufunc__:
        return
    KINDS.add(kind)

    def gives_way(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, graph.Variable) for x in inputs):
            return NotImplemented
        return own(self, ufunc, method, *inputs, **kwargs)

    kind.__array_ufunc__ = gives_way


class _Boxes(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, graph.Variable)


class Box(metaclass=_Boxes):
    """What Variables are instances of, for checks by `isinstance`; nothing is made of it."""

    type_mappings = _Mappings("Box")

    @classmethod
    def register(cls, kind: type[Any]) -> None:
        """Take note of a class of arrays; others are refused: see `autograd.Variable`."""
        refuse_kind(cls.__name__, kind)


class VJPNode(Leaf):
    """The start of a graph, for `new_box`."""

    __slots__ = ()

    @classmethod
    def new_root(cls, *_: Any) -> VJPNode:
        """Make one."""
        return cls.__new__(cls)


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
    mappings = _Mappings("VSpace")

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
