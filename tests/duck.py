"""A strict array of "another library", for the tests: NumPy's protocols and nothing else.

`Duck` stands for what CuPy's arrays are, on a machine without a GPU. It wraps an ndarray and
answers NumPy's functions with ducks, but

- nothing converts it: `np.asarray(duck)`, `float(duck)`, `if duck:` raise a TypeError; `duck.get()`
  is the way to NumPy, as in CuPy, and `np.asarray(array, like=duck)` the way from it;
- it does not mix: an ndarray beside a duck raises a TypeError, but as an index;
- results are ducks, 0-d ones too, never NumPy's scalars;
- of ufuncs it has the call only, no `np.add.reduce`, no `np.add.at`, and none of the generalised
  ones but matmul;
- floating-point errors are not reported: `np.errstate` sees nothing.
"""

import operator
import warnings

import numpy as np
from op_table import calls, is_floating, leaves, rebuild

import autograd
from autograd import Variable
from autograd.arrays import to_numpy

__all__ = ["Duck", "asarray", "compare", "ducks", "gotten"]

_NUMBERS = (bool, int, float, complex, np.generic)
# Where NumPy's arrays are welcome: to be made ducks, or as places.
_TAKES_ARRAYS = {np.asarray, np.array, np.asanyarray, np.take, np.take_along_axis}


class Duck:
    """An array that speaks NumPy's protocols and does not convert."""

    __slots__ = ("__weakref__", "_array", "base")

    def __init__(self, array, base=None):
        self._array, self.base = np.asarray(array), base

    # -- what it is --------------------------------------------------------------------------------

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    real = property(lambda self: self._part(self._array.real))
    imag = property(lambda self: self._part(self._array.imag))
    T = property(lambda self: self._part(self._array.T))

    @property
    def flags(self):
        return Flags(self._array.flags)

    def __len__(self):
        return len(self._array)

    def __repr__(self):
        return f"Duck({self._array!r})"

    def get(self):
        """Return the numbers as NumPy's array."""
        return self._array.copy()

    def item(self, *places):
        return self._array.item(*places)

    # -- what it is not ----------------------------------------------------------------------------

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Duck: implicit conversion to NumPy; write duck.get()")

    def __bool__(self):
        raise TypeError("Duck: a branch on a value")

    def __float__(self):
        raise TypeError("Duck: implicit conversion to float; write duck.item()")

    __int__ = __index__ = __complex__ = __float__

    # -- computing ---------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        if method != "__call__" or (ufunc.signature is not None and ufunc is not np.matmul):
            return NotImplemented
        for x in (*inputs, *(out or ())):
            if isinstance(x, np.ndarray):
                raise TypeError(f"Duck: {ufunc.__name__} of a duck and an ndarray")
            if not isinstance(x, (Duck, *_NUMBERS)):
                return NotImplemented
        if out is not None:
            kwargs["out"] = tuple(map(inner, out))
        with np.errstate(all="ignore"):
            result = ufunc(*map(inner, inputs), **kwargs)
        return ducked(result) if out is None else out[0]

    def __array_function__(self, function, types, args, kwargs):
        if not all(issubclass(t, (Duck, np.ndarray)) for t in types):
            return NotImplemented
        if function not in _TAKES_ARRAYS:
            refuse_arrays(function, (args, kwargs))
        if function is np.copyto:
            raise TypeError("Duck: np.copyto")
        with np.errstate(all="ignore"):
            return ducked(function(*inner(args), **inner(kwargs)))

    def _part(self, array):
        """Return a view of the memory of this array."""
        shares = isinstance(array, np.ndarray) and np.may_share_memory(array, self._array)
        owner = self if self.base is None else self.base
        return Duck(array, owner if shares else None)

    def __getitem__(self, index):
        return self._part(self._array[inner(index)])

    def __setitem__(self, index, value):
        if isinstance(value, np.ndarray):
            raise TypeError("Duck: an ndarray written into a duck")
        self._array[inner(index)] = inner(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
        return self._part(self._array.astype(dtype, order, casting, subok, copy))

    def copy(self, order="C"):
        return Duck(self._array.copy(order))

    def fill(self, value):
        self._array.fill(inner(value))


class Flags:
    """What is known of the memory: not whether it may be written to."""

    def __init__(self, flags):
        self.c_contiguous, self.f_contiguous = flags.c_contiguous, flags.f_contiguous
        self.owndata = flags.owndata


def inner(value):
    """Return NumPy's array in a duck, also in containers."""
    if isinstance(value, Duck):
        return value._array
    if type(value) in (tuple, list):
        return type(value)(map(inner, value))
    if type(value) is dict:
        return {key: inner(part) for key, part in value.items()}
    return value


def ducked(result):
    """Return ducks for arrays and NumPy's scalars, also in tuples and lists."""
    if isinstance(result, (np.ndarray, np.generic)):
        return Duck(result)
    if isinstance(result, (tuple, list)):
        parts = map(ducked, result)
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def refuse_arrays(function, value):
    if isinstance(value, np.ndarray):
        raise TypeError(f"Duck: {function.__name__} of a duck and an ndarray")
    for part in (
        value.values() if type(value) is dict else value if type(value) in (tuple, list) else ()
    ):
        refuse_arrays(function, part)


def _binary(function, *, swapped=False):
    def operate(self, other):
        if isinstance(other, np.ndarray):
            raise TypeError(f"Duck: {function.__name__} of a duck and an ndarray")
        if not isinstance(other, (Duck, *_NUMBERS)):
            return NotImplemented
        a, b = (inner(other), self._array) if swapped else (self._array, inner(other))
        with np.errstate(all="ignore"):
            return ducked(function(a, b))

    return operate


def _unary(function):
    return lambda self: ducked(function(self._array))


def _in_place(function):
    def operate(self, other):
        if not isinstance(other, (Duck, *_NUMBERS)):
            raise TypeError("Duck: something else written into a duck")
        with np.errstate(all="ignore"):
            function(self._array, inner(other))
        return self

    return operate


for _name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]:
    setattr(Duck, f"__{_name}__", _binary(getattr(operator, _name)))
    setattr(Duck, f"__r{_name}__", _binary(getattr(operator, _name), swapped=True))
    if _name != "matmul":
        setattr(Duck, f"__i{_name}__", _in_place(getattr(operator, f"i{_name}")))
for _name in ["and_", "or_", "xor", "lt", "le", "gt", "ge", "eq", "ne"]:
    setattr(Duck, f"__{_name.rstrip('_')}__", _binary(getattr(operator, _name)))
    if _name in ("and_", "or_", "xor"):
        setattr(Duck, f"__r{_name.rstrip('_')}__", _binary(getattr(operator, _name), swapped=True))
for _name in ["neg", "pos", "abs", "invert"]:
    setattr(Duck, f"__{_name}__", _unary(getattr(operator, _name)))
Duck.__hash__ = object.__hash__


def _method(name):
    def call(self, *args, **kwargs):
        refuse_arrays(call, (args, kwargs))
        with np.errstate(all="ignore"):
            out = getattr(self._array, name)(*inner(args), **inner(kwargs))
        return self._part(out) if isinstance(out, (np.ndarray, np.generic)) else out

    call.__name__ = name
    return call


_METHODS = (
    "reshape transpose swapaxes squeeze ravel flatten repeat diagonal trace view sum mean prod var "
    "std max min argmax argmin argsort cumsum cumprod all any conj conjugate dot round clip nonzero"
)
for _name in _METHODS.split():
    setattr(Duck, _name, _method(_name))


def _take(self, indices, axis=None):
    return Duck(self._array.take(inner(indices), axis))


Duck.take = _take


def asarray(array, dtype=None):
    """Make a duck of NumPy's array or of numbers: what `cupy.asarray` is to CuPy."""
    return array if isinstance(array, Duck) else Duck(np.array(array, dtype))


def ducks(value):
    """Return `value` with ducks for NumPy's arrays, also in lists, tuples and dicts."""
    if isinstance(value, np.ndarray):
        return Duck(value.copy())
    if type(value) in (tuple, list):
        return type(value)(map(ducks, value))
    if type(value) is dict:
        return {key: ducks(part) for key, part in value.items()}
    return value


def gotten(value):
    """Return `value` with NumPy's arrays for ducks, and refuse anything else that is an array."""
    assert isinstance(value, Duck), f"wanted a duck, got {type(value).__name__}"
    return value.get()


# -- rows of the op table --------------------------------------------------------------------------


def outcome(call, kind, order):
    """Return the outputs of a call, their gradients and, of order 2, those of the gradients."""
    leaf = [Variable(kind(x), requires_grad=True) for x in call.operands]
    rest = iter(leaf)
    arguments = [
        rebuild(a, lambda v: next(rest) if is_floating(v) else kind(v))
        if i in call.diff
        else kind(a)
        for i, a in enumerate(call.arguments)
    ]
    found = leaves(call.function(*arguments, **kind(call.kwargs)))
    outputs = [o for o in found if isinstance(o, Variable)]
    rng = np.random.default_rng(0)

    def weights(values):
        return [kind(np.asarray(rng.uniform(0.5, 1.5, v.shape), v.dtype)) for v in values]

    used = [o for o in outputs if o.requires_grad]
    seeds = weights(used)
    if order == 2:
        seeds = [Variable(w, requires_grad=True) for w in seeds]
    gradients = pull(used, leaf, seeds, create_graph=order == 2)
    results = [o.data for o in outputs] + [np.zeros(0) if g is None else g for g in gradients]
    if order == 2:
        used = [g for g in gradients if isinstance(g, Variable) and g.requires_grad]
        results += pull(used, leaf + seeds, weights(used))
    return [r.data if isinstance(r, Variable) else r for r in results]


def pull(outputs, inputs, seeds, *, create_graph=False):
    if not outputs:
        return []
    return autograd.grad(outputs, inputs, seeds, create_graph=create_graph, allow_unused=True)


def compare(row, order, kind=ducks, back=gotten, warn="ignore", most=None):
    """Check that a row of the op table gives the same on ducks as on NumPy's arrays."""
    for case, call in calls(row)[:most]:
        if case.order is not None and case.order < order:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter(warn)
            wanted, got = outcome(call, lambda x: x, order), outcome(call, kind, order)
        for w, g in zip(wanted, got, strict=True):
            if g is None or w is None or not np.size(w):  # no gradient is one of 0
                assert not np.any(w)
                assert g is None or not np.any(to_numpy(g))
                continue
            g = back(g)
            assert (g.shape, g.dtype) == (w.shape, w.dtype), case
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12, err_msg=str(case))
