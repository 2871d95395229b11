"""The array API standard, version 2024.12, for Variables: `x.__array_namespace__()`.

Names, signatures and results are those of the standard
(https://data-apis.org/array-api/2024.12), the arithmetic is that of `autograd`, so whatever is
written against the standard is recorded. Functions return Variables always, of integers and
booleans, too, and what they make can be assigned to. `special`, which SciPy looks for, and
`einsum`, `gradient` and `pad`, which xarray does, are no part of the standard.

    >>> import autograd
    >>> x = autograd.Variable([1.0, 2.0], requires_grad=True)
    >>> xp = x.__array_namespace__()
    >>> xp.concat([x, xp.zeros(2)]).requires_grad
    True

Not imported by `import autograd`.
"""

import typing as _typing

import numpy as np

from autograd import ops as _ops
from autograd import special as special
from autograd.array_api import _made
from autograd.array_api import fft as fft
from autograd.array_api import linalg as linalg
from autograd.array_api._made import as_variables as _as_variables
from autograd.engine import graph as _graph
from autograd.engine.graph import unwrap as _unwrap
from autograd.ops import einsum as einsum
from autograd.ops import gradient as gradient
from autograd.ops import pad as pad
from autograd.ops.creation import full as _full
from autograd.ops.creation import full_like as _full_like

_Any = _typing.Any

__array_api_version__ = "2024.12"

_SIGNATURES = """
abs acos acosh asin asinh atan atanh bitwise_invert conj cos cosh exp expm1 (x, /)
imag isfinite isinf isnan log log10 log1p log2 logical_not negative positive real (x, /)
reciprocal round sign signbit sin sinh sqrt square tan tanh (x, /)
add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift (x1, x2, /)
bitwise_xor copysign divide equal floor_divide greater greater_equal hypot less (x1, x2, /)
less_equal logaddexp logical_and logical_or logical_xor maximum minimum multiply (x1, x2, /)
nextafter not_equal pow remainder subtract matmul (x1, x2, /)
all any argmax argmin count_nonzero max mean min (x, /, *, axis=None, keepdims=False)
prod sum (x, /, *, axis=None, dtype=None, keepdims=False)
std var (x, /, *, axis=None, correction=0.0, keepdims=False)
cumulative_prod cumulative_sum (x, /, *, axis=None, dtype=None, include_initial=False)
diff (x, /, *, axis=-1, n=1, prepend=None, append=None)
broadcast_to (x, /, shape)
concat stack (arrays, /, *, axis=0)
expand_dims (x, /, axis=0)
flip (x, /, *, axis=None)
matrix_transpose nonzero unique_all unique_counts unique_inverse unique_values (x, /)
moveaxis (x, source, destination, /)
permute_dims (x, /, axes)
repeat (x, repeats, /, *, axis=None)
roll (x, /, shift, *, axis=None)
squeeze (x, /, axis)
take (x, indices, /, *, axis=None)
take_along_axis (x, indices, /, *, axis=-1)
tensordot (x1, x2, /, *, axes=2)
tile (x, repetitions, /)
tril triu (x, /, *, k=0)
unstack (x, /, *, axis=0)
vecdot (x1, x2, /, *, axis=-1)
where (condition, x1, x2, /)
"""

# -- constants and dtypes --------------------------------------------------------------------------

e, inf, nan, newaxis, pi = np.e, np.inf, np.nan, None, np.pi

# fmt: off
_DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "float32", "float64", "complex64", "complex128"]
# fmt: on


class finfo_object(_typing.NamedTuple):  # noqa: N801 - the name of the standard
    """Limits of a floating-point type, of its real part where it is complex, as Python numbers."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[_Any]


def finfo(type: _Any, /) -> finfo_object:
    """Return the limits of a floating-point dtype, or of that of an array."""
    found = np.finfo(_dtype(type))
    eps, high, low = float(found.eps), float(found.max), float(found.min)
    return finfo_object(found.bits, eps, high, low, float(found.smallest_normal), found.dtype)


def iinfo(type: _Any, /) -> _Any:
    """Return the limits of an integer dtype, or of that of an array."""
    return np.iinfo(_dtype(type))


def isdtype(dtype: _Any, kind: _Any) -> bool:
    """Tell whether a dtype is of a kind, such as "real floating", or of one of several."""
    return np.isdtype(dtype, kind)


def can_cast(from_: _Any, to: _Any, /) -> bool:
    """Tell whether a dtype, or that of an array, can be cast to another by type promotion."""
    return np.can_cast(_dtype(from_), to)


def result_type(*arrays_and_dtypes: _Any) -> np.dtype[_Any]:
    """Return the dtype that arrays, dtypes and Python numbers promote to."""
    return np.result_type(*map(_unwrap, arrays_and_dtypes))


def _dtype(type: _Any) -> _Any:
    return getattr(type, "dtype", type) if isinstance(type, (_graph.Variable, np.ndarray)) else type


class __array_namespace_info__:  # noqa: N801 - the name of the standard
    """What is known of devices, dtypes and capabilities."""

    def __repr__(self) -> str:
        return "__array_namespace_info__()"

    def capabilities(self) -> dict[str, _Any]:
        """Return what this namespace can do of what the standard leaves open."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Return the one device."""
        return "cpu"

    def devices(self) -> list[str]:
        """Return all devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: _Any = None) -> dict[str, np.dtype[_Any]]:
        """Return the dtypes of what is made of Python numbers."""
        _made.on_cpu("default_dtypes", device)
        kinds = {"real floating": 1.0, "complex floating": 1j, "integral": 1, "indexing": 1}
        return {kind: np.asarray(number).dtype for kind, number in kinds.items()}

    def dtypes(self, *, device: _Any = None, kind: _Any = None) -> dict[str, np.dtype[_Any]]:
        """Return the dtypes by name: all, or those of a kind, or of one of several kinds."""
        _made.on_cpu("dtypes", device)
        every = {name: np.dtype(name) for name in _DTYPES}
        return {
            name: dtype for name, dtype in every.items() if kind is None or np.isdtype(dtype, kind)
        }


# -- making arrays ---------------------------------------------------------------------------------


def asarray(
    obj: _Any, /, *, dtype: _Any = None, device: _Any = None, copy: bool | None = None
) -> _Any:
    """Return numbers, nested sequences, an array or a Variable as a Variable, recorded.

    Raises:
        ValueError: `copy=False` where a copy is needed; another device than "cpu".
    """
    _made.on_cpu("asarray", device)
    made = _ops.creation.from_sequence(obj)
    if not isinstance(made, _graph.Variable):
        given = made if dtype is None else obj  # by way of float64 integers would lose digits
        return _graph.Variable(np.array(given, dtype=dtype, copy=copy), copy=False)
    changes = (dtype is not None and made.dtype != dtype) or made is not obj
    if copy is False and changes:
        raise ValueError("asarray: wanted copy=None or True for another dtype or a list, got False")
    return astype(made, made.dtype if dtype is None else dtype, copy=copy is True and made is obj)


def astype(x: _Any, dtype: _Any, /, *, copy: bool = True, device: _Any = None) -> _Any:
    """Convert to another dtype; integer and bool results carry no gradient."""
    _made.on_cpu("astype", device)
    return _as_variables(_ops.astype(x, dtype, copy=copy))


def from_dlpack(x: _Any, /, *, device: _Any = None, copy: bool | None = None) -> _Any:
    """Return a Variable on the memory of an array of another library."""
    _made.on_cpu("from_dlpack", device)
    return _ops.from_dlpack(x, copy=copy)


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: _Any = None,
    device: _Any = None,
) -> _Any:
    """Return the numbers from `start` up to `stop`, which is left out; of one number, from 0."""
    _made.on_cpu("arange", device)
    start, stop = (0, start) if stop is None else (start, stop)
    return _as_variables(np.arange(start, stop, step, dtype=dtype))


def empty(shape: _Any, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array to fill, with elements that mean nothing."""
    return full(shape, 0.0, dtype=dtype, device=device)


def empty_like(x: _Any, /, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array to fill of the shape and dtype of `x`."""
    return full_like(x, 0, dtype=dtype, device=device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: _Any = None,
    device: _Any = None,
) -> _Any:
    """Return a matrix with ones on the `k`-th diagonal."""
    _made.on_cpu("eye", device)
    return _as_variables(np.eye(n_rows, n_cols, k=k, dtype=dtype or float))


def full(shape: _Any, fill_value: _Any, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of one number, which gets the sum of the gradients."""
    _made.on_cpu("full", device)
    return _as_variables(_full(shape, fill_value, dtype))


def full_like(x: _Any, /, fill_value: _Any, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of one number, of the shape and dtype of `x`."""
    _made.on_cpu("full_like", device)
    return _as_variables(_full_like(x, fill_value, dtype))


def linspace(
    start: _Any,
    stop: _Any,
    /,
    num: int,
    *,
    dtype: _Any = None,
    device: _Any = None,
    endpoint: bool = True,
) -> _Any:
    """Return `num` evenly spaced numbers from `start` to `stop`, both of which get gradients."""
    _made.on_cpu("linspace", device)
    return _as_variables(_ops.linspace(start, stop, num, endpoint, dtype=dtype))


def ones(shape: _Any, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of ones."""
    return full(shape, 1.0, dtype=dtype, device=device)


def ones_like(x: _Any, /, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of ones, of the shape and dtype of `x`."""
    return full_like(x, 1, dtype=dtype, device=device)


def zeros(shape: _Any, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of zeros."""
    return full(shape, 0.0, dtype=dtype, device=device)


def zeros_like(x: _Any, /, *, dtype: _Any = None, device: _Any = None) -> _Any:
    """Return an array of zeros, of the shape and dtype of `x`."""
    return full_like(x, 0, dtype=dtype, device=device)


def broadcast_arrays(*arrays: _Any) -> list[_Any]:
    """Broadcast arrays against each other."""
    return list(_as_variables(np.broadcast_arrays(*arrays)))


def meshgrid(*arrays: _Any, indexing: str = "xy") -> list[_Any]:
    """Return the coordinates of a grid, one array for each vector."""
    return list(_as_variables(_ops.meshgrid(*arrays, indexing=indexing)))


# -- where NumPy's functions have less -------------------------------------------------------------


def clip(x: _Any, /, min: _Any = None, max: _Any = None) -> _Any:
    """Limit the elements of `x`, whose dtype stays."""
    if min is None and max is None:
        return astype(x, x.dtype)
    return astype(_ops.clip(x, min, max), x.dtype, copy=False)


def _whole(function: _Any, x: _Any) -> _Any:
    """Leave integers as they are: NumPy 2.0 makes floating-point numbers of them."""
    return astype(x, x.dtype) if np.isdtype(x.dtype, "integral") else _as_variables(function(x))


def ceil(x: _Any, /) -> _Any:
    """Round to the next integer above."""
    return _whole(np.ceil, x)


def floor(x: _Any, /) -> _Any:
    """Round to the next integer below."""
    return _whole(np.floor, x)


def trunc(x: _Any, /) -> _Any:
    """Round to the next integer towards zero."""
    return _whole(np.trunc, x)


def argsort(x: _Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Any:
    """Return the places of the elements in order; equal ones keep theirs, in both directions."""
    if not descending:
        return _as_variables(_ops.argsort(x, axis=axis, stable=stable))
    order = _ops.argsort(_ops.flip(x, axis), axis=axis, stable=True)
    return _as_variables(x.shape[axis] - 1 - _ops.flip(order, axis))


def reshape(x: _Any, /, shape: _Any, *, copy: bool | None = None) -> _Any:
    """Return the elements in another shape; `copy` as in `autograd.reshape`."""
    return _as_variables(_ops.reshape(x, shape, copy=copy))


def sort(x: _Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> _Any:
    """Sort along an axis."""
    made = _ops.sort(x, axis=axis, stable=stable)
    return _as_variables(_ops.flip(made, axis) if descending else made)


def searchsorted(x1: _Any, x2: _Any, /, *, side: _Any = "left", sorter: _Any = None) -> _Any:
    """Return where each element of `x2` belongs into `x1`, which is sorted."""
    return _as_variables(_ops.searchsorted(x1, x2, side, sorter))


if _typing.TYPE_CHECKING:

    def __getattr__(name: str) -> _Any: ...

else:
    __getattr__, __dir__, _listed = _made.standard(__name__, np, _SIGNATURES)
    # fmt: off
    __all__ = [  # noqa: PLE0604 - strings all
        *_listed, *_DTYPES, "e", "inf", "nan", "newaxis", "pi", "fft", "linalg",
        "einsum", "finfo_object", "gradient", "pad", "special",
        "__array_api_version__", "__array_namespace_info__",
        "arange", "argsort", "asarray", "astype", "broadcast_arrays", "can_cast", "ceil", "clip",
        "empty", "empty_like", "eye", "finfo", "floor", "from_dlpack", "full", "full_like", "iinfo",
        "isdtype", "linspace", "meshgrid", "ones", "ones_like", "reshape", "result_type",
        "searchsorted", "sort", "trunc", "zeros", "zeros_like",
    ]
    # fmt: on

# At last, because `bool` is a type in the signatures above.
globals().update({name: np.dtype(name) for name in _DTYPES})
