"""`check_function`: everything a differentiable function owes its callers, in one sweep.

Imports the modules beside it and NumPy.
"""

from __future__ import annotations

import inspect
import itertools
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd.function import Function
from autograd.testing._checker import check_gradients
from autograd.testing._errors import ContractError, ContractReport
from autograd.testing._layouts import LAYOUTS
from autograd.testing._packing import Array, flatten, is_inexact, pack, raw
from autograd.testing._problem import name_of, pull
from autograd.variable import Variable

THREADS = 4
_REFUSALS = (TypeError, ValueError, IndexError, np.linalg.LinAlgError)


class _Skip(Exception):  # noqa: N818 - no error
    """The function refuses such inputs, which it may."""


def check_function(
    function: Any,
    *inputs: Any,
    keywords: Mapping[str, Sequence[Any]] | None = None,
    elementwise: bool | None = None,
    order: int = 2,
    complex: bool = False,
    **options: Any,
) -> ContractReport:
    """Check all that callers rely on: gradients for every keyword and layout, dtypes, purity,
    threads.

    Checked are: gradients of all orders up to `order`, alone and for every keyword value given;
    that arrays and Variables give one value; that float32 stays float32; broadcasting (of functions
    of several operands, where the forward function broadcasts); 0-d, empty, non-contiguous and
    read-only inputs; negative axes against positive ones; that each operand may be the only one
    with a gradient; that inputs, incoming gradients and saved arrays are left alone; that two
    backward passes add up; that a zero cotangent gives zero; that unknown keywords are refused;
    and that threads do not disturb each other. Inputs that the forward function itself refuses
    with plain arrays are skipped.

    Args:
        function: a `Function` subclass, a primitive, or any function of arrays and Variables.
        *inputs: example arguments; the floating arrays among them are differentiated.
        keywords: for every keyword, the values to try, such as `{"axis": [None, 0, -1]}`. An `axis`
            that the function has and that is not given is tried with every single axis.
        elementwise: whether operands broadcast; None finds out.
        order: of the derivatives checked.
        complex: check complex inputs, too.
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
    sweep = _Sweep(function, inputs, dict(keywords or {}), order, options)
    report = sweep.report
    for name, check in sweep.checks(broadcasts=elementwise, with_complex=complex):
        try:
            check()
        except _Skip as reason:
            report.skipped[name] = str(reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            said = str(error) or "no message"
            report.failed[name] = (
                said if isinstance(error, AssertionError) else f"{type(error).__name__}: {said}"
            )
        else:
            report.passed.append(name)
    if report.failed:
        error_ = ContractError(str(report))
        error_.report = report
        raise error_
    return report


class _Sweep:
    """The checks of one function at one example."""

    def __init__(
        self,
        function: Any,
        inputs: tuple[Any, ...],
        keywords: dict[str, Sequence[Any]],
        order: int,
        options: dict[str, Any],
    ) -> None:
        is_class = isinstance(function, type) and issubclass(function, Function)
        self.fn: Callable[..., Any] = function.apply if is_class else function
        self.report = ContractReport(name_of(self.fn))
        self.inputs = tuple(raw(value) for value in inputs)
        self.operands = [i for i, value in enumerate(self.inputs) if is_inexact(value)]
        if not self.operands:
            raise TypeError(
                "check_function: wanted a floating array among the inputs of "
                f"{self.report.function}, got none; pass example arrays"
            )
        self.keywords = keywords
        self.order = order
        self.options = options
        self.rng = np.random.default_rng(0)

    # -- the list --------------------------------------------------------------------------------

    def checks(
        self, *, broadcasts: bool | None, with_complex: bool
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the checks with their names."""
        yield "gradient", partial(self._gradient, self.inputs)
        for key, value, refusable in self._keyword_values():
            check = partial(self._gradient, self.inputs, {key: value}, refusable=refusable)
            yield f"{key}={value!r}", check
        yield "negative axis", self._negative_axis
        yield "arrays and Variables", self._kinds
        yield "float32", self._float32
        if with_complex:
            yield "complex", partial(self._gradient, self._with(self._as_complex))
        if broadcasts is not False and len(self.operands) > 1:
            for name, moved in self._broadcasts():
                check = partial(self._gradient, moved, refusable=not broadcasts)
                yield f"broadcast {name}", check
        first = self._with(lambda a: a.reshape(-1)[:1].reshape(()))
        yield "0-d", partial(self._gradient, first, refusable=True)
        yield "empty", self._empty
        for name, layout in LAYOUTS.items():
            yield name, partial(self._same_gradient, layout)
        for i in self.operands:
            yield f"only operand {i}", partial(self._alone, i)
        yield "purity", self._purity
        yield "two passes", self._two_passes
        yield "zero cotangent", self._zero_cotangent
        yield "unknown keyword", self._unknown_keyword
        yield "threads", self._threads

    def _keyword_values(self) -> Iterator[tuple[str, Any, bool]]:
        """Yield keyword, value, and whether the function may refuse it (what nobody asked for)."""
        for key, values in self.keywords.items():
            for value in values:
                yield key, value, False
        if "axis" not in self.keywords and self._accepts("axis"):
            for axis in (*range(np.ndim(self.inputs[self.operands[0]])), -1):
                yield "axis", axis, True

    def _accepts(self, keyword: str) -> bool:
        """Tell whether the function has a parameter that the example leaves open."""
        try:
            parameters = inspect.signature(self.fn).parameters
        except (TypeError, ValueError):
            return False
        return keyword in list(parameters)[len(self.inputs) :]

    # -- tools -----------------------------------------------------------------------------------

    def _with(self, change: Callable[[Array], Any]) -> tuple[Any, ...]:
        return tuple(
            change(np.asarray(value)) if i in self.operands else value
            for i, value in enumerate(self.inputs)
        )

    def _as_complex(self, a: Array) -> Array:
        imaginary = self.rng.uniform(0.1, 0.5, a.shape)
        return (a + 1j * imaginary).astype(np.result_type(a.dtype, np.complex64))

    def _refuses(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Skip where the function itself, on plain arrays, refuses the inputs or has no value."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore", RuntimeWarning)
                values = pack(self._outputs(inputs, **kwargs))
        except _REFUSALS as error:
            raise _Skip(f"refused with {type(error).__name__}: {error}") from None
        if values.size and not np.isfinite(values).any():
            raise _Skip("not finite")

    def _gradient(
        self,
        inputs: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        refusable: bool = False,
    ) -> None:
        if refusable:
            self._refuses(inputs, kwargs or {})
        check_gradients(self.fn, *inputs, kwargs=kwargs, order=self.order, **self.options)

    def _leaves(self, inputs: tuple[Any, ...], only: int | None = None) -> list[Any]:
        return [
            Variable(value, requires_grad=True)
            if i in self.operands and only in (None, i)
            else value
            for i, value in enumerate(inputs)
        ]

    def _outputs(self, arguments: Sequence[Any], **kwargs: Any) -> list[Any]:
        result = self.fn(*arguments, **kwargs)
        return [value for _, value in flatten(result, "") if is_inexact(value)]

    def _pulled(self, inputs: tuple[Any, ...], **kwargs: Any) -> tuple[list[Array], list[Array]]:
        """Return values, and gradients for cotangents that depend on the position only."""
        arguments = self._leaves(inputs)
        outputs = self._outputs(arguments, **kwargs)
        cotangents = [_ramp(raw(o)) for o in outputs]
        leaves = [arguments[i] for i in self.operands]
        return [raw(o) for o in outputs], pull(outputs, leaves, cotangents)

    def _packed(self, inputs: tuple[Any, ...]) -> Array:
        values, gradients = self._pulled(inputs)
        return pack([*values, *gradients])

    # -- the checks ------------------------------------------------------------------------------

    def _negative_axis(self) -> None:
        if not self._accepts("axis"):
            raise _Skip("no keyword axis")
        ndim = np.ndim(self.inputs[self.operands[0]])
        if not ndim:
            raise _Skip("the example is 0-d")
        for axis in range(ndim):
            try:
                self._refuses(self.inputs, {"axis": axis})
            except _Skip:
                continue
            here, there = (
                self._pulled(self.inputs, axis=axis),
                self._pulled(self.inputs, axis=axis - ndim),
            )
            for what, one, two in zip(("values", "gradients"), here, there, strict=True):
                _same(one, two, f"{what} for axis={axis} and axis={axis - ndim} differ")

    def _kinds(self) -> None:
        plain = self._outputs(self.inputs)
        recorded = self._outputs(self._leaves(self.inputs))
        unrecorded = self._outputs(
            [Variable(v) if i in self.operands else v for i, v in enumerate(self.inputs)]
        )
        for outputs in (recorded, unrecorded):
            _same(
                [raw(o) for o in outputs],
                [raw(o) for o in plain],
                "values on arrays and Variables differ",
            )
            if not all(isinstance(o, Variable) for o in outputs):
                raise AssertionError(
                    "a Variable goes in and a plain array comes out: the gradient is lost"
                )

    def _float32(self) -> None:
        inputs = self._with(lambda a: a.astype(np.complex64 if a.dtype.kind == "c" else np.float32))
        self._refuses(inputs, {})
        values, gradients = self._pulled(inputs)
        for value in values:
            if value.dtype not in (np.float32, np.complex64):
                raise AssertionError(f"float32 goes in and {value.dtype} comes out")
        for g, i in zip(gradients, self.operands, strict=True):
            if g.dtype != inputs[i].dtype:
                raise AssertionError(f"the gradient of a {inputs[i].dtype} operand is {g.dtype}")
        self._gradient(inputs)

    def _broadcasts(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for i in self.operands:
            a = np.asarray(self.inputs[i])
            variants = {"with a new axis": a[None].repeat(2, axis=0)}
            if a.ndim:
                variants["without its first axis"] = a[0]
                for axis in range(a.ndim):
                    if a.shape[axis] > 1:
                        variants[f"of length 1 on axis {axis}"] = a.take([0], axis=axis)
                variants["0-d"] = a.reshape(-1)[0]
            for name, array in variants.items():
                yield f"operand {i} {name}", (*self.inputs[:i], array, *self.inputs[i + 1 :])

    def _empty(self) -> None:
        if all(np.ndim(self.inputs[i]) == 0 for i in self.operands):
            raise _Skip("the example is 0-d")
        inputs = self._with(lambda a: a[..., :0] if a.ndim else a)
        try:
            self._refuses(inputs, {})
        except _Skip:
            inputs = self._with(lambda a: a[:0] if a.ndim else a)
            self._refuses(inputs, {})
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # "Mean of empty slice"
            _, gradients = self._pulled(inputs)
        for g, i in zip(gradients, self.operands, strict=True):
            if g.shape != np.shape(inputs[i]):
                raise AssertionError(
                    f"the gradient of an operand of shape {np.shape(inputs[i])} has shape {g.shape}"
                )

    def _same_gradient(self, layout: Callable[[Array], Array]) -> None:
        expected, got = self._pulled(self.inputs), self._pulled(self._with(layout))
        for what, one, two in zip(("values", "gradients"), got, expected, strict=True):
            _same(one, two, f"{what} depend on the memory layout of the inputs")

    def _alone(self, k: int) -> None:
        arguments = self._leaves(self.inputs, only=k)
        outputs = self._outputs(arguments)
        (alone,) = pull(outputs, [arguments[k]], [_ramp(raw(o)) for o in outputs])
        together = self._pulled(self.inputs)[1][self.operands.index(k)]
        _same(
            [alone],
            [together],
            f"operand {k} has another gradient when it is the only one with one",
        )

    def _purity(self) -> None:
        before = [np.array(self.inputs[i]) for i in self.operands]
        arguments = self._leaves(self.inputs)
        outputs = self._outputs(arguments)
        cotangents = [_ramp(raw(o)) for o in outputs]
        kept = [g.copy() for g in cotangents]
        values = [raw(o).copy() for o in outputs]
        leaves = [arguments[i] for i in self.operands]
        gradients = pull(outputs, leaves, cotangents)
        now = [self.inputs[i] for i in self.operands]
        _same(now, before, "an input is changed in place")
        _same(cotangents, kept, "the incoming gradient is changed in place")
        _same([raw(o) for o in outputs], values, "the backward pass changes the output")
        for g, leaf in zip(gradients, leaves, strict=True):
            if g.size and np.shares_memory(g, leaf.data):
                raise AssertionError(
                    "a gradient shares memory with its operand; return a new array"
                )

    def _two_passes(self) -> None:
        arguments = self._leaves(self.inputs)
        outputs = self._outputs(arguments)
        leaves = [arguments[i] for i in self.operands]
        cotangents = [_ramp(raw(o)) for o in outputs]
        first = [g.copy() for g in pull(outputs, leaves, cotangents)]
        _same(
            pull(outputs, leaves, cotangents),
            first,
            "a second pass over the same graph gives another gradient",
        )

    def _zero_cotangent(self) -> None:
        arguments = self._leaves(self.inputs)
        outputs = self._outputs(arguments)
        zeros = [np.zeros_like(raw(o)) for o in outputs]
        if any(g.any() for g in pull(outputs, [arguments[i] for i in self.operands], zeros)):
            raise AssertionError("a cotangent of zero gives a gradient that is not zero")

    def _unknown_keyword(self) -> None:
        try:
            self.fn(*self._leaves(self.inputs), surely_not_a_keyword=True)
        except TypeError:
            return
        raise AssertionError(
            "an unknown keyword is swallowed; name every keyword, take no **kwargs"
        )

    def _threads(self) -> None:
        # Threads work on two different inputs, so that state shared between calls shows.
        variants = [self.inputs, self._with(lambda a: np.flip(a).copy())]
        expected = [self._packed(variant) for variant in variants]
        found: list[Any] = [[] for _ in range(THREADS)]
        start = threading.Barrier(THREADS)

        def work(k: int) -> None:
            start.wait()
            for _ in range(5):
                found[k].append(self._packed(variants[k % 2]))

        threads = [threading.Thread(target=work, args=(k,)) for k in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for k, results in enumerate(found):
            if len(results) < 5 or not all(
                np.array_equal(result, expected[k % 2], equal_nan=True) for result in results
            ):
                raise AssertionError("threads that run at the same time get other results")


def _ramp(like: Array) -> Array:
    """Return a cotangent without symmetries."""
    ramp = np.linspace(0.5, 1.5, like.size).reshape(like.shape)
    return (ramp * (1 + 0.5j) if like.dtype.kind == "c" else ramp).astype(like.dtype)


def _same(got: Sequence[Any], expected: Sequence[Any], complaint: str) -> None:
    for one, two in itertools.zip_longest(got, expected):
        if one is None or two is None or np.shape(one) != np.shape(two):
            raise AssertionError(f"{complaint}: shapes {np.shape(one)} and {np.shape(two)}")
        tolerance = 1e-4 if np.asarray(two).dtype in (np.float32, np.complex64) else 1e-10
        if not np.allclose(one, two, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True):
            raise AssertionError(complaint)
