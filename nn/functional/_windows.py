"""Where a kernel stands: the geometry that convolution, pooling and unfolding share.

Everything here counts along n spatial axes, the last n of an array; the families of 1, 2 and 3 axes
are made from one function each by `over_axes`. Imports NumPy only.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nn.functional._numbers import check_numbers

__all__ = [
    "Function",
    "Sizes",
    "Windows",
    "batched",
    "check_sizes",
    "hashable",
    "over_axes",
    "per_axis",
    "windows_over",
]

Sizes = tuple[int, ...]
Function = Callable[..., Any]

_SPACES = {1: "L", 2: "H, W", 3: "D, H, W"}


@dataclass(frozen=True)
class Windows:
    """The places of a kernel along n axes.

    Element k of window p meets element `stride` p + `dilation` k - `before` of the space; what
    lies outside of it is padding.

    Attributes:
        size: lengths of the space.
        kernel: lengths of the kernel.
        stride: distance of neighbouring windows.
        dilation: distance of neighbouring elements of the kernel.
        before: length of the padding before the space.
        count: number of windows.
    """

    size: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    count: Sizes

    @cached_property
    def reach(self) -> Sizes:
        """Lengths from the first to the last element of the kernel, both included."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    @cached_property
    def span(self) -> Sizes:
        """Lengths of the padded space: all of the space, and all that windows meet."""
        ends = zip(self.stride, self.count, self.reach, self.before, self.size, strict=True)
        return tuple(max(s * (c - 1) + r, b + n) for s, c, r, b, n in ends)

    @cached_property
    def inside(self) -> tuple[Any, ...]:
        """Index of the space in the padded space."""
        return (..., *(slice(b, b + n) for b, n in zip(self.before, self.size, strict=True)))

    @cached_property
    def _slices(self) -> list[list[slice]]:
        """For each axis and each element of the kernel along it, what it meets."""
        return [
            [slice(d * i, d * i + s * (c - 1) + 1, s) for i in range(k)]
            for k, s, d, c in zip(self.kernel, self.stride, self.dilation, self.count, strict=True)
        ]

    @cached_property
    def taps(self) -> list[tuple[Any, ...]]:
        """For each element of the kernel, the index of what it meets in the padded space."""
        return [(..., *tap) for tap in itertools.product(*self._slices)]

    @cached_property
    def axes(self) -> list[list[tuple[Any, ...]]]:
        """For each axis and each element of the kernel along it, the index of what it meets."""
        after = [(slice(None),) * i for i in reversed(range(len(self.size)))]
        pairs = zip(self._slices, after, strict=True)
        return [[(..., tap, *rest) for tap in taps] for taps, rest in pairs]

    @cached_property
    def single(self) -> bool:
        """Whether each window is one element of the space, and each element a window."""
        return set(self.kernel) == {1} and self.count == self.size and not any(self.before)

    @cached_property
    def disjoint(self) -> bool:
        """Whether no two windows meet one element."""
        return all(s >= r for s, r in zip(self.stride, self.reach, strict=True))

    def padded(self, x: Any, value: float = 0) -> Any:
        """Return an array (..., *size) padded to (..., *span), laid out in memory as it is."""
        if self.span == self.size:
            return x
        total = np.full_like(x, value, shape=(*x.shape[: -len(self.size)], *self.span))
        total[self.inside] = x
        return total

    def view(self, padded: Any) -> Any:
        """View a padded array (G, N, *span, C) as (G, N, *count, *kernel, C)."""
        n = len(self.size)
        # (G, N, *places, C, *reach): every place and all between the elements of the kernel.
        windows = sliding_window_view(padded, self.reach, tuple(range(2, n + 2)))
        windows = windows[self._steps]
        return windows.transpose((*range(n + 2), *range(n + 3, 2 * n + 3), n + 2))

    @cached_property
    def turned(self) -> Windows | None:
        """The windows of the transposed convolution, by which a kernel that is turned over adds up
        what each element of the space gave to windows; None where no stride of 1 makes it one.
        """
        before = tuple(r - 1 - b for r, b in zip(self.reach, self.before, strict=True))
        if set(self.stride) != {1} or min(before) < 0:
            return None
        return Windows(self.count, self.kernel, self.stride, self.dilation, before, self.size)

    @cached_property
    def _steps(self) -> tuple[slice, ...]:
        every = slice(None)
        places = [slices[0] for slices in self._slices]
        return (every, every, *places, every, *(slice(None, None, d) for d in self.dilation))


@functools.lru_cache(maxsize=1024)  # checked once per layer, not once per call (10 us)
def windows_over(
    operation: str,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: tuple[Sizes, Sizes],
    dilation: Sizes,
    *,
    ceil_mode: bool = False,
) -> Windows:
    """Return the windows that fit into a space with `padding` before and after it.

    Args:
        operation: for messages.
        size: lengths of the space.
        kernel: lengths of the kernel.
        stride: distance of neighbouring windows.
        padding: lengths before and lengths after the space.
        dilation: distance of neighbouring elements of the kernel.
        ceil_mode: also count a last window that reaches beyond the padding, if it starts before.

    Raises:
        ValueError: where a length, stride or dilation is not positive, a padding is negative, or
            the kernel does not fit.
    """
    check_sizes(operation, 1, kernel_size=kernel, stride=stride, dilation=dilation)
    check_sizes(operation, 0, padding=(*padding[0], *padding[1]))
    count = []
    for n, k, s, low, high, d in zip(size, kernel, stride, *padding, dilation, strict=True):
        free = n + low + high - d * (k - 1) - 1
        windows = (free + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (windows - 1) * s >= n + low:
            windows -= 1
        count.append(windows)
    if min(count) < 1:
        lengths = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        given = [n + low + high for n, low, high in zip(size, *padding, strict=True)]
        raise ValueError(
            f"{operation}: wanted a space of at least {_times(lengths)} with its padding, got "
            f"{_times(given)}; make the kernel smaller or the padding larger"
        )
    return Windows(size, kernel, stride, dilation, padding[0], tuple(count))


def check_sizes(operation: str, least: int, **sizes: Sizes) -> None:
    """Refuse lengths below `least`."""
    for name, values in sizes.items():
        if any(value < least for value in values):
            raise ValueError(
                f"{operation}: wanted {name} of at least {least}, got {_times(values, ', ')}"
            )


def _times(sizes: Any, between: str = " x ") -> str:
    return between.join(map(str, sizes))


def per_axis(operation: str, name: str, value: Any, n: int) -> Sizes:
    """Spread an integer over n axes, or check that there are n."""
    value = hashable(value)
    values = value if isinstance(value, tuple) else (value,)
    try:
        sizes = tuple(map(operator.index, values))
    except TypeError:
        sizes = ()
    if len(sizes) not in (1, n) or any(isinstance(v, bool) for v in values):
        many = f" or {n} of them" if n > 1 else ""
        raise TypeError(f"{operation}: wanted an integer{many} as {name}, got {value!r}")
    return sizes * n if len(sizes) == 1 else sizes


def batched(operation: str, input: Any, n: int) -> Any:
    """Return `input` with a batch axis before its channels and n spatial axes.

    Raises:
        TypeError: where it is no array of numbers.
        ValueError: where it has another number of axes.
    """
    check_numbers(operation, "an input", input)
    if input.ndim == n + 1:
        return input[None]
    if input.ndim != n + 2:
        raise ValueError(
            f"{operation}: wanted an input of shape (N, C, {_SPACES[n]}) or (C, {_SPACES[n]}), got "
            f"{input.shape}"
        )
    return input


def over_axes(name: str, function: Function) -> tuple[Function, Function, Function]:
    """Return `function(n, ...)` for n = 1, 2 and 3 spatial axes, under its name with 1d, 2d, 3d."""
    return _bound(name, function, 1), _bound(name, function, 2), _bound(name, function, 3)


def _bound(name: str, function: Function, n: int) -> Function:
    name = f"{name}{n}d"
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    signature = signature.replace(parameters=parameters)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(n, *args, **kwargs)
        except TypeError:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:  # Python would name the private function
                names = ", ".join(signature.parameters)
                raise TypeError(
                    f"{name}: wanted arguments for ({names}), got others: {error}"
                ) from None
            raise

    functools.update_wrapper(call, function)
    call.__name__ = call.__qualname__ = name
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def hashable(value: Any) -> Any:
    """Return lengths as something a cache can look up: tuples instead of lists and arrays."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return tuple(map(hashable, value))
    return value if isinstance(value, Hashable) else repr(value)
