"""The Variable: an array that remembers how it was computed. Eighth file to read, after
`protocols/functions`.

Operators are bound in the class body straight to primitives; so are the methods that NumPy arrays
have. What leaves the graph says so: conversions of a Variable that requires a gradient raise a
TypeError that names what to write instead.

Imports everything that is older: `engine`, `ops`, `protocols`.
"""

from __future__ import annotations

import importlib
import operator
import sys
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar, NoReturn

import numpy as np

from autograd._hooks import HookHandle
from autograd.advice import instead_of_attribute, instead_of_conversion, with_axis
from autograd.arrays import (
    Many,
    is_array,
    is_foreign,
    moved,
    one_kind,
    plain_array,
    refuse_complex,
    refuse_mask,
    same_library,
    separate,
    to_numpy,
)
from autograd.checked import guarded_hook
from autograd.engine import graph
from autograd.engine.backward import mark_changed, run_backward
from autograd.engine.calls import holds_variable
from autograd.engine.graph import FREED, LEAF, OUTPUT, Leaf, Node, record, unwrap, wrap
from autograd.engine.mode import current_mode
from autograd.engine.primitive import Primitive
from autograd.ops import (
    contractions,
    creation,
    cumulative,
    diagonals,
    elementwise,
    gates,
    indexing,
    plain,
    reductions,
    shaping,
)
from autograd.ops.in_place import augmented
from autograd.protocols import array_function, array_ufunc
from autograd.typed import Place, user_frame, user_level

__all__ = [
    "IN_RECORDED_RULE",
    "Outer",
    "Variable",
    "as_cotangent",
    "unit_cotangent",
]

_FLOATING = "fc"

# Whether a rule in two stages runs for a derivative of higher order.
IN_RECORDED_RULE: ContextVar[bool] = ContextVar("in_recorded_rule", default=False)


class Variable:
    """An array that records the operations on it, so that gradients can be pulled back to it.

    Args:
        data: an array, of NumPy or of a library that answers NumPy's functions, a number, or
            nested lists of numbers.
        requires_grad: whether `backward` shall compute a gradient for it; the data must then be
            floating or complex.
        dtype: converts the data.
        name: shown by `repr`, drawings and explanations.
        copy: copy the data, as `np.array` does, so that an optimizer never changes the array that
            was given; False shares it where that is possible, as `np.asarray` does.
        **others: what other libraries have and this has not is an error.

    Raises:
        TypeError: for data that is no array of numbers, masked arrays, integer data with
            `requires_grad=True`, and a Variable as data.

    Example:
        >>> x = Variable([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        array([2., 4.])
    """

    __slots__ = ("__weakref__", "_data", "_filling", "_frozen", "_name", "_node")

    # `np.exp(v)` and `array + v`; `np.concatenate([v, w])`.
    __array_ufunc__ = array_ufunc
    __array_function__ = array_function
    # Above ndarray's and NumPy scalars', so that `array * variable` comes here.
    __array_priority__: ClassVar[float] = 1000.0
    # What the engine makes of nested lists that hold Variables.
    _from_sequence: ClassVar[Callable[[Any], Any]] = staticmethod(creation.from_sequence)
    _data: Any
    _node: Node | None
    _name: str | None
    # The leaf of a Variable whose requires_grad was switched off: graphs recorded before know it.
    _frozen: Node | None
    # Of a Variable that is assigned to: see autograd.assignment.
    _filling: Any

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        *,
        dtype: Any = None,
        name: str | None = None,
        copy: bool = True,
        **others: Any,
    ) -> None:
        for other in others:
            spelled = {"grad": "requires_grad=True", "label": "name="}.get(other)
            raise TypeError(
                "Variable: wanted keywords among requires_grad, dtype, name, copy, got "
                f"{other!r}" + (f"; write {spelled}" if spelled else "")
            )
        self._data = _as_data(data, dtype, copy=copy)
        self._node = None
        if name is not None:
            self._name = name
        if requires_grad:
            self.requires_grad = True

    # -- what it is --------------------------------------------------------------------------------

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array itself. Call `mark_changed` after writing into it, or assign a new array of
        the same shape (which is shared, not copied).
        """
        _refuse_while_tracing("x.data")
        data = self._data
        # 0-d results stay NumPy scalars inside, ten times as fast as 0-d arrays.
        if isinstance(data, np.generic):
            data = self._data = np.asarray(data)
        return data  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: Any) -> None:
        _refuse_while_tracing("x.data = ...")
        new = _as_data(value, self._data.dtype, copy=False)
        if new.shape != self._data.shape:
            msg = (
                f"data: wanted an array of shape {self._data.shape}, got {new.shape}; make a new "
                "Variable for a new shape"
            )
            raise ValueError(msg)
        if self._node is not None and self._node.plan is not LEAF:
            msg = (
                "data: wanted a leaf, got the result of an operation; write variable.detach() first"
            )
            raise RuntimeError(msg)
        self.mark_changed()
        self._data = new

    def mark_changed(self) -> None:
        """Tell that `data` was changed in place, so that graphs recorded before it refuse to run
        backward.
        """
        mark_changed(self._data)

    def _own_node(self) -> Node | None:
        return self._node if self._node is not None else getattr(self, "_frozen", None)

    @property
    def grad(self) -> np.ndarray[Any, Any] | None:
        """The gradient that backward passes have added up, of the shape and dtype of `data`, or
        None.
        """
        node = self._own_node()
        if node is None:
            return None
        g = getattr(node, "grad", None)
        if g is None and node.plan is not LEAF and not hasattr(node, "grad"):
            warnings.warn(
                "grad: wanted a leaf, got the result of an operation, which keeps none; call "
                "retain_grad() on it before the backward pass",
                stacklevel=user_level(),
            )
        if isinstance(g, np.generic):
            g = node.grad = np.asarray(g, dtype=node.dtype)  # a scalar has no byte order
        return g

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._own_node()
        if value is None:
            if node is not None and hasattr(node, "grad"):
                node.grad = None
            return
        if node is None:
            msg = (
                "grad: wanted a Variable that requires a gradient, got one that does not; set "
                "requires_grad = True first"
            )
            raise RuntimeError(msg)
        fix = "write x.zero_grad() or x.grad = None to start from nothing"
        g = as_cotangent("grad", value, self, fix=fix)
        node.grad = separate(g) if is_foreign(g) else np.array(g)

    def zero_grad(self) -> None:
        """Forget the gradient; the next backward pass starts from nothing."""
        self.grad = None

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Variable are recorded. Settable on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if node is not None and node.plan is not LEAF:
            if not value:
                msg = (
                    "requires_grad: wanted a leaf, got the result of an operation; use "
                    "variable.detach() to cut it off"
                )
                raise RuntimeError(msg)
        elif not value:
            if node is not None:
                self._frozen, self._node = node, None
        elif node is None:
            if self._data.dtype.kind not in _FLOATING:
                msg = (
                    f"requires_grad: wanted floating or complex data, got {self._data.dtype}; "
                    f"write Variable(data, dtype=float, requires_grad=True)"
                )
                raise TypeError(msg)
            self._node = self._own_node() or Leaf(self._data)

    def requires_grad_(self, requires_grad: bool = True) -> Variable:
        """Set `requires_grad` and return the Variable itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made it (or nothing was recorded), rather than a recorded operation."""
        return self._node is None or self._node.plan is LEAF

    @property
    def name(self) -> str | None:
        """The name given, or None."""
        return getattr(self, "_name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        self._name = value

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._data.size  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def device(self) -> str:
        """Where the data are: "cpu", the name that the array API standard has for it."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: None = None) -> Variable:
        """Return the Variable itself for "cpu", refuse other devices."""
        if device != "cpu" or stream is not None:
            raise ValueError(
                f"to_device: wanted 'cpu', where all data are, got {device!r}; leave the call out"
            )
        return self

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._data.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The array with its axes reversed."""
        return shaping.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802 - NumPy's name
        """The array with its last two axes exchanged."""
        if self.ndim < 2:
            msg = f"mT: wanted at least 2 axes, got shape {self.shape}; use .T"
            raise ValueError(msg)
        return shaping.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        """The real part."""
        return elementwise.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return elementwise.imag(self)

    @property
    def flat(self) -> Iterator[Any]:
        """Iterate over the elements, in C order."""
        return iter(shaping.reshape(self, (-1,)))

    # -- as HIPS autograd has it -------------------------------------------------------------------

    @property
    def _value(self) -> Any:
        """What is in the box: the array, but inside of a rule that is recorded, for a derivative of
        higher order, the same Variable as one of the outer derivative, and in that the array.
        """
        nested = IN_RECORDED_RULE.get() and self._node is not None and type(self) is not Outer
        if not nested:
            return self._data
        outer = Outer.__new__(Outer)
        outer._data, outer._node = self._data, self._node
        return outer

    @property
    def _trace(self) -> int:
        """Tell recorded values, 0, from constants, -1: nested derivatives are not told apart."""
        return -1 if self._node is None else 0

    # -- gradients ---------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool = False, **others: Any) -> None:
        """Pull gradients back to the leaves and add them to their `.grad`; frees the graph.

        Args:
            gradient: the cotangent, an array of the shape of this Variable; optional for a single
                real element (then 1).
            retain_graph: keep the graph for another pass.
            **others: what PyTorch has and this has not is an error.

        Raises:
            RuntimeError: nothing was recorded, the output is not a scalar, the graph was freed, or
                saved data changed.
            ValueError: `gradient` has another shape.
        """
        for name in others:
            raise TypeError(
                f"backward: wanted keywords among gradient, retain_graph, got {name!r}; write "
                "autograd.grad(loss, [w], create_graph=True) for gradients to be differentiated"
            )
        _refuse_while_tracing("x.backward()", "autograd.grad or value_and_grad of a function")
        node = self._node
        if node is None:
            msg = (
                "backward: wanted a Variable computed from one with requires_grad=True, got one "
                "that nothing was recorded "
                "for; create the leaf with Variable(data, requires_grad=True) and compute outside "
                "no_grad()"
            )
            raise RuntimeError(msg)
        if isinstance(self._data, Many):
            msg = (
                "backward: wanted a Variable outside of vmap, got one inside, which stands for many"
                " examples; write autograd.grad(f)(x), for the gradients of each example"
            )
            raise RuntimeError(msg)  # noqa: TRY004 - it is where it stands that is wrong
        if gradient is None:
            run_backward([(node, unit_cotangent("backward", self))], retain_graph=retain_graph)
        else:
            g = as_cotangent("backward", gradient, self)
            run_backward([(node, g)], retain_graph=retain_graph)

    def register_hook(self, hook: Callable[[Any], Any]) -> HookHandle:
        """Call `hook(g)` with the gradient of this Variable in every backward pass; what it
        returns replaces the gradient, None leaves it. The hook must not write into `g`, which is
        read-only.

        Returns:
            A handle: `handle.remove()` takes the hook away.
        """
        node = self._node
        if node is None:
            msg = "register_hook: wanted a Variable that requires a gradient, got one that does not"
            raise RuntimeError(msg)
        if not callable(hook):
            msg = f"register_hook: wanted a function of the gradient, got {type(hook).__name__}"
            raise TypeError(msg)
        node.hooks = {} if node.hooks is None else node.hooks
        return HookHandle(node.hooks, guarded_hook(hook, node.shape, node.dtype))

    def retain_grad(self) -> None:
        """Have backward passes keep `.grad` on this Variable although it is the result of an
        operation.
        """
        node = self._node
        if node is None:
            msg = "retain_grad: wanted a Variable that requires a gradient, got one that does not"
            raise RuntimeError(msg)
        if node.plan is not LEAF and not hasattr(node, "grad"):
            node.grad = None
            node.hooks = {} if node.hooks is None else node.hooks
            node.hooks[None] = None

    def detach(self) -> Variable:
        """Return a Variable on the same memory that the graph knows nothing of."""
        if current_mode().tracing:
            return record(_DETACHED.constant, (), (), self._data, (self,))  # type: ignore[no-any-return]
        data = self.data if self.is_leaf else self._data
        # A view: it tells `+=` that the memory is somebody else's.
        return wrap(data.view() if isinstance(data, np.ndarray) else data)  # type: ignore[no-any-return]

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the array, where nothing is lost by it: see `detach`; of another library, as
        NumPy's.
        """
        return (
            to_numpy(self._data)
            if is_foreign(self._data) and self._node is None
            else self.__array__()
        )

    def item(self, *args: Any) -> Any:
        """Return one element as a Python number, for printing and logging."""
        _refuse_while_tracing("x.item()")
        return self._data.item(*args)

    def tolist(self) -> Any:
        """Return nested lists of Python numbers, for printing and logging."""
        _refuse_while_tracing("x.tolist()")
        return self._data.tolist()

    # -- operators: straight to the primitives -----------------------------------------------------

    __add__ = elementwise.add
    __sub__ = elementwise.subtract
    __mul__ = elementwise.multiply
    __truediv__ = elementwise.divide
    __floordiv__ = elementwise.floor_divide
    __mod__ = elementwise.remainder
    __pow__ = elementwise.power
    __neg__ = elementwise.negative
    __pos__ = elementwise.positive
    __abs__ = elementwise.absolute
    __getitem__ = indexing.getitem

    # A result is replaced by a new one, as numbers are; a leaf is changed.
    __iadd__ = augmented("+=", elementwise.add, np.add)
    __isub__ = augmented("-=", elementwise.subtract, np.subtract)
    __imul__ = augmented("*=", elementwise.multiply, np.multiply)
    __itruediv__ = augmented("/=", elementwise.divide, np.divide)
    __ifloordiv__ = augmented("//=", elementwise.floor_divide, np.floor_divide)
    __imod__ = augmented("%=", elementwise.remainder, np.remainder)
    __ipow__ = augmented("**=", elementwise.power, np.power)
    __imatmul__ = augmented("@=", contractions.matmul, np.matmul)

    def __radd__(self, other: Any) -> Any:
        return elementwise.add(other, self)

    def __rsub__(self, other: Any) -> Any:
        return elementwise.subtract(other, self)

    def __rmul__(self, other: Any) -> Any:
        return elementwise.multiply(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return elementwise.divide(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return elementwise.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return elementwise.remainder(other, self)

    def __rpow__(self, other: Any) -> Any:
        return elementwise.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        try:
            return contractions.matmul(self, other)
        except TypeError:
            from autograd.linalg import _sparse  # which most programs never need

            if not _sparse.is_sparse(other):
                raise
            return _sparse.sparse_matmul(other.T, self.T).T

    def __rmatmul__(self, other: Any) -> Any:
        try:
            return contractions.matmul(other, self)
        except TypeError:
            from autograd.linalg import _sparse

            if not _sparse.is_sparse(other):
                raise
            return _sparse.sparse_matmul(other, self)

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return elementwise.floor_divide(self, other), elementwise.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return elementwise.floor_divide(other, self), elementwise.remainder(other, self)

    def __round__(self, digits: int | None = None) -> Any:
        if digits:
            return elementwise.rint(self * 10.0**digits) / 10.0**digits
        return elementwise.rint(self)

    # Comparisons and logic carry no gradient: plain arrays are what `where` and indexing want.
    __lt__ = plain.less
    __le__ = plain.less_equal
    __gt__ = plain.greater
    __ge__ = plain.greater_equal
    __eq__ = plain.equal
    __ne__ = plain.not_equal
    __and__ = plain.bitwise_and
    __or__ = plain.bitwise_or
    __xor__ = plain.bitwise_xor
    __invert__ = plain.invert
    __lshift__ = plain.left_shift
    __rshift__ = plain.right_shift

    def __rand__(self, other: Any) -> Any:
        return plain.bitwise_and(other, self)

    def __rlshift__(self, other: Any) -> Any:
        return plain.left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return plain.right_shift(other, self)

    def __ror__(self, other: Any) -> Any:
        return plain.bitwise_or(other, self)

    def __rxor__(self, other: Any) -> Any:
        return plain.bitwise_xor(other, self)

    __hash__ = object.__hash__

    # -- methods that arrays have ------------------------------------------------------------------

    sum = with_axis(reductions.sum)
    mean = with_axis(reductions.mean)
    prod = with_axis(reductions.prod)
    var = with_axis(reductions.var)
    std = with_axis(reductions.std)
    max = with_axis(reductions.max)
    min = with_axis(reductions.min)
    dot = contractions.dot
    round = elementwise.round
    cumsum = with_axis(cumulative.cumsum)
    cumprod = with_axis(cumulative.cumprod)
    squeeze = shaping.squeeze
    swapaxes = shaping.swapaxes
    copy = shaping.copy
    ravel = flatten = shaping.ravel
    repeat = shaping.repeat
    diagonal = diagonals.diagonal
    trace = diagonals.trace
    take = with_axis(indexing.take)
    choose = indexing.choose
    all = with_axis(plain.all)
    any = with_axis(plain.any)
    argmax = with_axis(plain.argmax)
    argmin = with_axis(plain.argmin)
    argsort = with_axis(plain.argsort)
    argpartition = with_axis(plain.argpartition)
    nonzero = plain.nonzero
    searchsorted = plain.searchsorted
    conj = conjugate = elementwise.conjugate
    clip = elementwise.clip

    # -- methods that PyTorch's tensors and micrograd's values have --------------------------------

    abs, sign, square, sqrt = (
        elementwise.abs, elementwise.sign, elementwise.square, elementwise.sqrt
    )  # fmt: skip
    exp, expm1, log, log1p = elementwise.exp, elementwise.expm1, elementwise.log, elementwise.log1p
    sin, cos, tan = elementwise.sin, elementwise.cos, elementwise.tan
    sinh, cosh, tanh = elementwise.sinh, elementwise.cosh, elementwise.tanh
    sigmoid = elementwise.expit

    def relu(self) -> Any:
        """Return max(x, 0); the gradient at 0 is 0."""
        refuse_complex("relu", self)
        return gates.relu(self)

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """Return the same elements in another shape; `shape` as one tuple or as separate
        integers.
        """
        return shaping.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy)

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes; none given reverses them."""
        return shaping.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        """Convert to another dtype; integer and bool results carry no gradient."""
        return shaping.astype(self, dtype, copy)

    def compress(self, condition: Any, axis: Any = None) -> Any:
        """Take the slices along `axis` where `condition` holds."""
        return indexing.compress(condition, self, axis)

    def __getattr__(self, name: str) -> NoReturn:
        """Explain what arrays have and Variables have not; called for missing attributes only."""
        said = instead_of_attribute(name, np.ndarray)
        said = said or f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(said, name=name, obj=self)

    # -- leaving the graph -------------------------------------------------------------------------

    def _refuse(self, what: str) -> NoReturn:
        raise TypeError(instead_of_conversion(what))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        _refuse_while_tracing("np.asarray(x)", "x itself, in functions of NumPy")
        if self._node is not None or isinstance(self._data, Many):
            caller = sys._getframe(1)
            if caller.f_code.co_name == "_matmul_dispatch" and "scipy.sparse" in sys.modules:
                return np.empty((), object)  # to a sparse matrix: leave it to `__rmatmul__`
            if self._node is not None:
                self._refuse("np.asarray")
        return np.array(self._data, dtype=dtype) if copy else np.asarray(self._data, dtype=dtype)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise ValueError(
                "__array_namespace__: wanted a version of the standard from 2021.12 to 2024.12, "
                f"got {api_version!r}"
            )
        # By name: most programs never ask for it.
        return importlib.import_module("autograd.array_api")

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: Any = None,
        dl_device: Any = None,
        copy: Any = None,
    ) -> Any:
        if self._node is not None:
            raise BufferError(
                "__dlpack__: wanted a Variable that requires no gradient, got one that does, which "
                "another library would not record; write .detach() first"
            )
        given = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        said = {key: value for key, value in given.items() if value is not None}
        return self.data.__dlpack__(**said)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.data.__dlpack_device__()

    @property
    def _mask(self) -> Any:
        """Refuse `numpy.ma`, which takes `_data` of what it meets and then asks for this."""
        if self._node is not None:
            self._refuse("np.ma")
        return np.False_

    def __float__(self) -> float:
        _refuse_while_tracing("float(x)")
        if self._node is not None:
            self._refuse("float")
        return float(self._data)

    def __int__(self) -> int:
        _refuse_while_tracing("int(x)")
        if self._node is not None:
            self._refuse("int")
        return int(self._data)

    def __complex__(self) -> complex:
        _refuse_while_tracing("complex(x)")
        if self._node is not None:
            self._refuse("complex")
        return complex(self._data)

    def __index__(self) -> int:
        _refuse_while_tracing("x as a number of elements or a place", "x as an index, or an int")
        return operator.index(self._data)

    def __bool__(self) -> bool:
        _refuse_while_tracing("a branch on x", "np.where(condition, a, b)")
        return bool(self._data)

    def __len__(self) -> int:
        if not self._data.ndim:
            msg = "len: wanted an array with at least one axis, got a 0-d Variable"
            raise TypeError(msg)
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return (indexing.getitem(self, i) for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        _refuse_while_tracing("value in x", "np.any(x == value)")
        return bool((self._data == unwrap(value)).any())

    __setitem__: Callable[[Any, Any, Any], None]  # of autograd.assignment
    draw: Callable[..., Any]  # of autograd.seeing
    _repr_html_: Callable[[Any], str]  # likewise
    __treescope_repr__: Callable[..., Any]  # likewise

    # -- copying, saving, showing ------------------------------------------------------------------

    def _require_leaf(self, what: str) -> None:
        if not self.is_leaf:
            msg = (
                f"{what}: wanted a leaf, got the result of a recorded operation; use "
                "variable.detach() first"
            )
            raise RuntimeError(msg)

    def __copy__(self) -> Any:
        return shaping.copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        self._require_leaf("deepcopy")
        import copy

        new = copy._reconstruct(self, memo, *self.__reduce__(), deepcopy=copy.deepcopy)  # type: ignore[attr-defined]
        memo[id(self)] = new
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        self._require_leaf("pickle")
        state = getattr(self, "__dict__", None)
        return (
            _rebuild,
            (type(self), self.data, self.requires_grad, self.grad, self.name),
            state or None,
        )

    def _kind(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        kind = self._kind()
        data = self.data
        text = repr(data)
        if not is_foreign(data):  # which may be long to compute
            text = np.array2string(data, separator=", ", prefix=kind + "(", threshold=200)
        parts = [text]
        if self._data.dtype not in (np.float64, np.bool_, np.int64) and not is_foreign(data):
            parts.append(f"dtype={self._data.dtype}")
        node = self._node
        if node is not None:
            made = node.parents[0] if node.plan is OUTPUT else node  # one of several
            freed = made.plan is FREED
            origin = f"from {made.saved}, graph freed" if freed else f"from {made.plan.name}"
            parts.append("requires_grad=True" if node.plan is LEAF else origin)
        if self.name:
            parts.append(f"name={self.name!r}")
        return f"{kind}({', '.join(parts)})"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self._data.size == 1:
            _refuse_while_tracing("a number in a string")
            return format(self._data.item(), spec)
        msg = f"format: wanted a single element for {spec!r}, got shape {self.shape}"
        raise TypeError(msg)


_DETACHED = Primitive("detached", lambda x: x, ("x",), {})  # unlike `detach` still a Variable


def _refuse_while_tracing(what: str, fix: str = "a function of NumPy") -> None:
    """Raise where the value of a Variable is asked for that a traced program does not know."""
    if current_mode().tracing:
        raise RuntimeError(
            f"compile: wanted a program that is the same for all values, got {what}, which asks "
            f"for one, at {Place.of(user_frame())}; write {fix}, give the number as a plain Python "
            "argument (each value is traced anew), or compute it outside of the compiled function"
        )


def _as_data(data: Any, dtype: Any = None, *, copy: bool) -> Any:
    """Return what a Variable holds: an array, for a number a NumPy scalar."""
    if isinstance(data, Variable):
        msg = (
            "Variable: wanted an array, a number or nested lists, got a Variable; use it as it is, "
            "or its .detach()"
        )
        raise TypeError(msg)
    if isinstance(data, (list, tuple)) and holds_variable(data):
        msg = (
            "Variable: wanted numbers, got a list that holds Variables; write "
            "autograd.array(values), which is recorded"
        )
        raise TypeError(msg)
    data = plain_array("Variable", data)
    if isinstance(data, (bool, int, float, complex)):
        new: Any = np.array(data, dtype=dtype)[()]
    elif isinstance(data, np.generic) and dtype is None:
        new = data
    elif data.__class__ is not np.ndarray and is_foreign(data):
        new = data if dtype is None else data.astype(np.dtype(dtype))
        new = separate(new) if copy and new is data else new
    else:
        try:
            new = np.asarray(data, dtype=dtype)
        except ValueError as error:
            if not isinstance(data, (list, tuple)):
                raise
            msg = (
                f"Variable: wanted nested lists of equal lengths, got others ({error}); pad the "
                "shorter ones, or make several Variables"
            )
            raise ValueError(msg) from None
    if new.dtype.kind not in "biufc":
        msg = (
            f"Variable: wanted numbers, got {type(data).__name__} of dtype {new.dtype}; convert "
            "the data first"
        )
        raise TypeError(msg)
    if copy and isinstance(new, np.ndarray) and not isinstance(data, (list, tuple)):
        shared = not is_array(data) or np.may_share_memory(new, data)
        return new.copy("K") if shared else new
    return new


def _rebuild(
    cls: type[Variable], data: Any, requires_grad: bool, grad: Any, name: str | None
) -> Variable:
    """Make a leaf again from what `pickle` and `deepcopy` kept."""
    variable = cls.__new__(cls)
    Variable.__init__(variable, data, requires_grad or grad is not None, name=name, copy=False)
    if grad is not None:
        variable.grad = grad
        variable.requires_grad = requires_grad
    return variable


def unit_cotangent(what: str, variable: Any) -> Any:
    """Return the cotangent 1 for a real scalar output."""
    data = variable._data
    if data.size != 1:
        msg = (
            f"{what}: wanted a scalar output, got shape {data.shape}; reduce it first, as in "
            "output.sum(), or pass the "
            f"gradient of the output"
        )
        raise RuntimeError(msg)
    if data.dtype.kind == "c":
        msg = (
            f"{what}: wanted a real output, got {data.dtype}; take .real or abs() of it, or pass "
            "the gradient of the output"
        )
        raise RuntimeError(msg)
    is_number = not data.ndim and isinstance(data, (np.ndarray, np.generic))
    return data.dtype.type(1) if is_number else np.ones_like(data)


class Outer(Variable):
    """A Variable as one of the outer derivative alone: see `Variable._value`."""

    __slots__ = ()


def as_cotangent(
    what: str,
    gradient: Any,
    variable: Any,
    *,
    kind: str = "gradient",
    fix: str = "it must have the shape of its Variable",
) -> Any:
    """Return `gradient` as an array of the shape and dtype of `variable`."""
    refuse_mask(what, gradient)
    data = unwrap(gradient)
    g: Any = gradient if isinstance(data, Many) else data if is_foreign(data) else np.asarray(data)
    g = moved(g, variable._data) if isinstance(g, np.ndarray) else g
    if not same_library(unwrap(g), variable._data):
        raise one_kind(what, unwrap(g), variable._data)
    if g.shape != variable.shape:
        msg = f"{what}: wanted a {kind} of shape {variable.shape}, got {g.shape}; {fix}"
        raise ValueError(msg)
    if g.dtype.kind not in ("biufc" if variable.dtype.kind == "c" else "biuf"):
        msg = f"{what}: wanted a {kind} of dtype {variable.dtype}, got {g.dtype}; convert it first"
        raise TypeError(msg)
    return g.astype(variable.dtype, copy=False)


graph.Variable = Variable
