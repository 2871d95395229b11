"""`check_function`: everything a differentiable function owes its callers, in one sweep."""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autograd import Function, Variable
from autograd.testing._checker import check_gradients
from autograd.testing._problem import name_of, pull
from autograd.testing._vectors import LAYOUTS, Array, floating, is_inexact, pack, raw

__all__ = ["ContractError", "ContractReport", "check_function", "check_kinds"]

_THREADS = 4
# Shapes that rules are written for too rarely; every operand gets them.
_SHAPES = {"0-d": (), "size 1": (1, 1), "square": (3, 3), "long last axis": (2, 17)}
_REAL = "it takes complex arrays; if it is for reals, have it refuse them or pass complex=False"


class ContractError(AssertionError):
    """A function breaks its contract; `report` tells all that was checked."""

    report: ContractReport


@dataclass
class ContractReport:
    """What `check_function` found, by name of the check.

    Attributes:
        function: name of the function.
        passed: checks that hold.
        skipped: checks that do not apply, with the reason.
        failed: checks that do not hold, with what is wrong.
    """

    function: str
    passed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = (
            f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        )
        lines = [f"{self.function}: {counts}"]
        lines += [f"  failed   {name}: {why}" for name, why in self.failed.items()]
        lines += [f"  skipped  {name}: {why}" for name, why in self.skipped.items()]
        return "\n".join(lines)


class _Skip(Exception):  # noqa: N818 - no error
    """The function refuses such inputs, which it may."""


def check_function(
    function: Any,
    *inputs: Any,
    keywords: Mapping[str, Sequence[Any]] | None = None,
    elementwise: bool | None = None,
    order: int = 2,
    complex: bool | None = None,
    **options: Any,
) -> ContractReport:
    """Check all that callers rely on: gradients for every keyword, precision, shape and layout,
    purity, threads.

    Checked are, besides what `check_gradients` asks for at the example itself: every keyword value
    given, axes of both signs; that arrays and Variables give one value; float32,
    which must stay float32, float16 and complex operands; broadcasting (of functions of several
    operands, where the forward function broadcasts); operands of 0-d, empty, square and long
    shapes; other memory layouts and byte orders; one object as two operands; that each operand may
    be the only one with a gradient; that two calls share no memory; that unknown keywords are
    refused; and that threads do not disturb each other. What the forward function itself refuses
    with plain arrays is skipped.

    Args:
        function: a `Function` subclass, a primitive, or any function of arrays and Variables.
        *inputs: example arguments; the floating arrays among them are differentiated.
        keywords: for every keyword, the values to try, such as `{"axis": [None, 0, -1]}`. An `axis`
            that the function has and that is not given is tried with every single axis.
        elementwise: whether operands broadcast; None finds out.
        order: of the derivatives checked.
        complex: whether operands may be complex; None finds out.
        **options: of `check_gradients`.

    Returns:
        The report.

    Raises:
        ContractError: a check failed; the message lists all that did.

    Example:
        >>> import numpy as np, autograd
        >>> report = check_function(autograd.tanh, np.array([[0.5, -1.0]]))
        >>> "float32" in report.passed
        True
    """
    __tracebackhide__ = True
    is_class = isinstance(function, type) and issubclass(function, Function)
    fn = function.apply if is_class else function
    sweep = _Sweep(fn, tuple(map(raw, inputs)), {"order": order, **options})
    report = ContractReport(name_of(fn))
    for name, check in sweep.checks(keywords or {}, elementwise, complex):
        try:
            check()
        except _Skip as reason:
            report.skipped[name] = str(reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            said = str(error) or "no message"
            if not isinstance(error, AssertionError):
                said = f"{type(error).__name__}: {said}"
            if name == "complex" and complex is None:
                said = f"{_REAL}\n  {said}"
            report.failed[name] = said
            if name == "gradient":
                report.skipped["everything else"] = "the gradient is wrong at the example itself"
                break
        else:
            report.passed.append(name)
    if report.failed:
        failure = ContractError(str(report))
        failure.report = report
        raise failure
    return report


class _Sweep:
    """The checks of one function at one example."""

    def __init__(
        self, fn: Callable[..., Any], inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self.fn = fn
        self.inputs = inputs
        self.operands = [i for i, value in enumerate(inputs) if is_inexact(value)]
        self.options = options
        if not self.operands:
            raise TypeError(
                "check_function: wanted a floating array among the inputs of "
                f"{name_of(fn)}, got none; pass example arrays"
            )

    def checks(
        self,
        keywords: Mapping[str, Sequence[Any]],
        broadcasts: bool | None,
        turns_complex: bool | None,
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the checks with their names."""
        yield "arrays and Variables", partial(check_kinds, self.fn, self.inputs)
        yield "gradient", partial(self._gradient, self.inputs)
        for key, values in keywords.items():
            for value in values:
                yield f"{key}={value!r}", partial(self._gradient, self.inputs, {key: value})
        if "axis" in self._free_parameters() and "axis" not in keywords:
            ndim = np.ndim(self.inputs[self.operands[0]])
            for axis in range(-ndim, ndim):
                yield f"axis={axis}", partial(self._if_taken, self.inputs, {"axis": axis})
        yield "float32", partial(self._precision, np.float32)
        yield "float16", partial(self._precision, np.float16)
        if turns_complex is not False:
            check = self._gradient if turns_complex else self._if_taken
            yield "complex", partial(check, self._with(_turned))
        if broadcasts is not False and len(self.operands) > 1:
            check = self._gradient if broadcasts else self._if_taken
            for i in self.operands:
                for name, array in _broadcasts(np.asarray(self.inputs[i])):
                    inputs = (*self.inputs[:i], array, *self.inputs[i + 1 :])
                    yield f"broadcast operand {i} {name}", partial(check, inputs)
        for name, inputs in self._shapes():
            yield name, partial(self._if_taken, inputs)
        for name, layout in LAYOUTS.items():
            yield name, partial(self._layout, layout)
        yield "big-endian", partial(self._layout, lambda a: a.astype(a.dtype.newbyteorder(">")))
        for i in self.operands:
            yield f"only operand {i}", partial(self._alone, i)
            for j in self.operands:
                if i < j and np.shape(self.inputs[i]) == np.shape(self.inputs[j]):
                    yield f"one object as operands {i} and {j}", partial(self._twice, i, j)
        yield "memory of its own", self._memory
        yield "unknown keyword", self._unknown_keyword
        yield "threads", self._threads

    # -- inputs ----------------------------------------------------------------------------------

    def _with(self, change: Callable[[Array], Any]) -> tuple[Any, ...]:
        return tuple(
            change(np.asarray(value)) if i in self.operands else value
            for i, value in enumerate(self.inputs)
        )

    def _free_parameters(self) -> list[str]:
        try:
            return list(inspect.signature(self.fn).parameters)[len(self.inputs) :]
        except (TypeError, ValueError):
            return []

    def _shapes(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        arrays = [np.asarray(self.inputs[i]) for i in self.operands]
        yield "empty", self._with(lambda a: a[..., :0] if a.ndim else a)
        structured = any(a.ndim > 1 and a.shape[-1] == a.shape[-2] for a in arrays)
        for name, shape in _SHAPES.items():
            if all(a.size for a in arrays) and not (name == "square" and structured):
                yield name, self._with(partial(_resized, shape))

    # -- the checks ------------------------------------------------------------------------------

    def _gradient(self, inputs: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # "Mean of empty slice"
            check_gradients(self.fn, *inputs, kwargs=kwargs, **self.options)

    def _refuses(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Skip where the function itself, on plain arrays, refuses the inputs or has no value."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", RuntimeWarning)
                values = pack(floating(self.fn(*inputs, **kwargs)))
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            raise _Skip(f"refused with {type(error).__name__}: {error}") from None
        if values.size and not np.isfinite(values).any():
            raise _Skip("not finite")

    def _if_taken(self, inputs: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        """Check gradients for what nobody asked for, so the function may refuse it."""
        self._refuses(inputs, kwargs or {})
        self._gradient(inputs, kwargs)

    def _precision(self, dtype: Any) -> None:
        inputs = self._with(
            lambda a: a.astype(np.result_type(dtype, "F") if a.dtype.kind == "c" else dtype)
        )
        self._refuses(inputs, {})
        if dtype == np.float32:
            check_kinds(self.fn, inputs)
        self._gradient(inputs)

    def _pulled(self, inputs: tuple[Any, ...]) -> list[Array]:
        """Return values, and gradients for cotangents that depend on the position only."""
        leaves = [Variable(inputs[i], requires_grad=True) for i in self.operands]
        rest = iter(leaves)
        arguments = (next(rest) if i in self.operands else v for i, v in enumerate(inputs))
        outputs = floating(self.fn(*arguments))
        values = [raw(o) for o in outputs]
        return [*values, *pull(outputs, leaves, list(map(_ramp, values)))]

    def _layout(self, layout: Callable[[Array], Array]) -> None:
        complaint = "values or gradients depend on the memory layout of the inputs"
        _same(self._pulled(self._with(layout)), self._pulled(self.inputs), complaint)

    def _alone(self, k: int) -> None:
        inputs = list(self.inputs)
        inputs[k] = Variable(inputs[k], requires_grad=True)
        check_gradients(self.fn, *inputs, **self.options)

    def _twice(self, i: int, j: int) -> None:
        def once(x: Any) -> Any:
            return self.fn(*(x if k in (i, j) else v for k, v in enumerate(self.inputs)))

        self._refuses(tuple(self.inputs[i if k == j else k] for k in range(len(self.inputs))), {})
        check_gradients(once, self.inputs[i], **self.options)

    def _memory(self) -> None:
        one, two = (floating(self.fn(*self._with(np.copy))) for _ in range(2))
        if any(a.size and np.shares_memory(raw(a), raw(b)) for a in one for b in two):
            raise AssertionError("two calls return one array; return a new array from every call")

    def _unknown_keyword(self) -> None:
        try:
            self.fn(*self._with(partial(Variable, requires_grad=True)), surely_not_a_keyword=True)
        except TypeError:
            return
        raise AssertionError(
            "an unknown keyword is swallowed; name every keyword, take no **kwargs"
        )

    def _threads(self) -> None:
        # Threads work on two different inputs, so that state shared between calls shows.
        variants = [self.inputs, self._with(lambda a: np.flip(a).copy())]
        expected = [self._pulled(variant) for variant in variants]
        start = threading.Barrier(_THREADS)

        def work(k: int) -> list[list[Array]]:
            start.wait()
            return [self._pulled(variants[k % 2]) for _ in range(5)]

        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(work, range(_THREADS)))
        for k, results in enumerate(found):
            for result in results:
                _same(
                    result, expected[k % 2], "threads that run at the same time get other results"
                )


def check_kinds(fn: Callable[..., Any], inputs: Sequence[Any]) -> None:
    """Compare what a function makes of arrays and of Variables; single precision must stay."""
    name = name_of(fn)
    arrays = [value for value in inputs if is_inexact(value)]
    with np.errstate(all="ignore"):
        values = floating(fn(*inputs))
    for requires_grad in (True, False):
        given = [
            Variable(v.copy(), requires_grad=requires_grad) if is_inexact(v) else v for v in inputs
        ]
        outputs = floating(fn(*given))
        if not all(
            np.array_equal(raw(v), w, equal_nan=is_inexact(w))
            for v, w in zip(given, inputs, strict=True)
        ):
            raise AssertionError(f"{name}: an input is changed in place")
        found = [raw(o) for o in outputs]
        if [a.dtype for a in found] != [a.dtype for a in values]:
            raise AssertionError(f"{name}: dtypes differ on arrays and Variables")
        _same(found, values, f"{name}: Variables give other values than arrays")
        if not all(isinstance(o, Variable) for o in outputs):
            raise AssertionError(
                f"{name}: a Variable goes in and a plain array comes out: the gradient is lost"
            )
    size = np.result_type(*arrays).itemsize
    for value in values:
        if value.dtype.itemsize > (size if value.dtype.kind == arrays[0].dtype.kind else 2 * size):
            raise AssertionError(
                f"{name}: {np.result_type(*arrays)} goes in and {value.dtype} comes out; "
                "use Python numbers for constants"
            )


def _resized(shape: tuple[int, ...], a: Array) -> Array:
    """Return an array of another shape with the values of `a`, repeated ones a little larger."""
    count = int(np.prod(shape))
    repeats = np.arange(count) // a.size
    return (np.resize(a, count) * (1 + repeats / 64)).reshape(shape).astype(a.dtype)


def _turned(a: Array) -> Array:
    """Return complex numbers with the values of `a` as real parts."""
    imaginary = np.random.default_rng(a.size).uniform(0.1, 0.5, a.shape)
    return a + 1j * np.asarray(imaginary, a.real.dtype)


def _broadcasts(a: Array) -> Iterator[tuple[str, Array]]:
    """Yield arrays of other shapes that broadcast with that of `a`."""
    yield "with a new axis", a[None].repeat(2, axis=0)
    if a.ndim:
        yield "without its first axis", a[0]
        for axis in range(a.ndim):
            if a.shape[axis] > 1:
                yield f"of length 1 on axis {axis}", a.take([0], axis=axis)
        yield "0-d", a.reshape(-1)[0]


def _ramp(like: Array) -> Array:
    """Return a cotangent without symmetries."""
    ramp = np.linspace(0.5, 1.5, like.size).reshape(like.shape)
    return (ramp * (1 + 0.5j) if like.dtype.kind == "c" else ramp).astype(like.dtype)


def _same(got: Sequence[Array], expected: Sequence[Array], complaint: str) -> None:
    if [np.shape(a) for a in got] != [np.shape(a) for a in expected]:
        raise AssertionError(f"{complaint}, down to their shapes")
    for a, b in zip(got, expected, strict=True):
        size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        atol = 1e2 * float(np.finfo(b.dtype).eps) * size
        if not np.allclose(a, b, rtol=0.0, atol=atol, equal_nan=True):
            raise AssertionError(complaint)
