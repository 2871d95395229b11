"""Fourier transforms, with the names and arguments of `np.fft`.

A discrete Fourier transform is a symmetric matrix, so the transpose that a rule needs is the
transform itself: `fft` pulls back by `fft`, `ifft` by `ifft`. Padding or cropping to `n` transposes
to cropping or padding. The real transforms follow from these; see each rule. float32 and complex64
stay in single precision. Imports `calls`, `ops` and NumPy.

References:
    Cooley, Tukey: An algorithm for the machine calculation of complex Fourier series, 1965.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.engine.calls import primitive
from autograd.ops.elementwise import conjugate
from autograd.publication import publish as _publish

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

fftfreq = np.fft.fftfreq
rfftfreq = np.fft.rfftfreq


def _fit(g: Any, shape: tuple[int, ...]) -> Any:
    """Crop `g`, or pad it with zeros, to `shape`: the transpose of padding or cropping."""
    if g.shape == shape:
        return g
    g = g[tuple(slice(length) for length in shape)]
    if g.shape == shape:
        return g
    return np.pad(g, [(0, want - have) for have, want in zip(g.shape, shape, strict=True)])


def _lengthened(shape: tuple[int, ...], axis: int, length: int) -> tuple[int, ...]:
    axis %= len(shape)
    return (*shape[:axis], length, *shape[axis + 1 :])


@primitive(
    a=lambda g, a_shape, axis, norm: _fit(np.fft.fft(g, None, axis, norm), a_shape),
    linear=True,
    name="fft.fft",
)
def fft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Transform along `axis`, cropped or zero-padded to length `n`; real or complex to complex."""
    return np.fft.fft(a, n, axis, norm)


@primitive(
    a=lambda g, a_shape, axis, norm: _fit(np.fft.ifft(g, None, axis, norm), a_shape),
    linear=True,
    name="fft.ifft",
)
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Invert `fft`."""
    return np.fft.ifft(a, n, axis, norm)


@primitive(
    # The first n//2 + 1 rows of the matrix of fft: its transpose is fft of g padded with zeros.
    a=lambda g, a_shape, n, axis, norm: _fit(
        np.fft.fft(g, a_shape[axis] if n is None else n, axis, norm), a_shape
    ),
    linear=True,
    name="fft.rfft",
)
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Transform real input along `axis`; the result has the n//2 + 1 non-negative frequencies."""
    return np.fft.rfft(a, n, axis, norm)


def _irfft_x(g: Any, a_shape: tuple[int, ...], axis: int, norm: Any) -> Any:
    """Transpose y = Re(W ifft-matrix x), where W counts twice what has a mirrored frequency."""
    n = g.shape[axis]
    half = n // 2 + 1
    weight = np.full(half, 2.0, dtype=g.dtype)
    weight[0] = 1.0
    if n % 2 == 0:
        weight[-1] = 1.0
    weight = weight.reshape([-1 if i == axis % g.ndim else 1 for i in range(g.ndim)])
    full = np.fft.ifft(g, None, axis, norm)
    return _fit(_fit(full, _lengthened(g.shape, axis, half)) * weight, a_shape)


@primitive(a=_irfft_x, linear=True, name="fft.irfft")
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Invert `rfft`: real output of length `n`, by default 2 (length - 1).

    The imaginary parts at frequency zero and, for even `n`, at the highest one are not used and
    have gradient zero.
    """
    return np.fft.irfft(a, n, axis, norm)


_SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _swapped(what: str, norm: Any) -> str:
    if norm not in _SWAPPED:
        msg = f"{what}: wanted norm 'backward', 'ortho', 'forward' or None, got {norm!r}"
        raise ValueError(msg)
    return _SWAPPED[norm]


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Transform a signal with Hermitian symmetry, given by its first half, to a real spectrum."""
    return irfft(conjugate(a), n, axis, _swapped("hfft", norm))


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """Invert `hfft`."""
    return conjugate(rfft(a, n, axis, _swapped("ihfft", norm)))


# -- several axes ----------------------------------------------------------------------------


def _axes(what: str, shape: tuple[int, ...], s: Any, axes: Any) -> tuple[Any, tuple[int, ...]]:
    """Return lengths (None: as they are) and axes, as NumPy reads them."""
    if axes is None:
        axes = range(-len(s), 0) if s is not None else range(len(shape))
    axes = tuple(axes)
    if s is None:
        return [None] * len(axes), axes
    if len(s) != len(axes):
        msg = f"{what}: wanted one length in s per axis, {len(axes)}, got {len(s)}"
        raise ValueError(msg)
    return [None if n in (None, -1) else n for n in s], axes


def _chain(
    what: str, last: Any, others: Any, x: Any, s: Any, axes: Any, norm: Any, *, first: bool
) -> Any:
    """Transform the last axis by `last`, the others by `others`; `first`: the last axis begins."""
    lengths, axes = _axes(what, np.shape(x), s, axes)
    if not axes:
        return x
    steps = list(zip(lengths, axes, strict=True))
    order = [(last, *steps[-1])], [(others, *step) for step in reversed(steps[:-1])]
    for transform, n, axis in (*order[0], *order[1]) if first else (*order[1], *order[0]):
        x = transform(x, n, axis, norm)
    return x


def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """Transform along several axes, by default all; `s` gives their lengths."""
    return _chain("fftn", fft, fft, a, s, axes, norm, first=True)


def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """Invert `fftn`."""
    return _chain("ifftn", ifft, ifft, a, s, axes, norm, first=True)


def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """Transform along two axes, by default the last."""
    return fftn(a, s, axes, norm)


def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """Invert `fft2`."""
    return ifftn(a, s, axes, norm)


def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """Transform real input: `rfft` along the last of `axes`, then `fft` along the others."""
    return _chain("rfftn", rfft, fft, a, s, axes, norm, first=True)


def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """Invert `rfftn`."""
    return _chain("irfftn", irfft, ifft, a, s, axes, norm, first=False)


def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """Transform real input along two axes, by default the last."""
    return rfftn(a, s, axes, norm)


def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """Invert `rfft2`."""
    return irfftn(a, s, axes, norm)


def _unshift(g: Any, axes: Any) -> Any:
    return np.fft.ifftshift(g, axes)


def _shift(g: Any, axes: Any) -> Any:
    return np.fft.fftshift(g, axes)


@primitive(x=_unshift, linear=True, name="fft.fftshift")
def fftshift(x: Any, axes: Any = None) -> Any:
    """Move the zero frequency to the middle."""
    return np.fft.fftshift(x, axes)


@primitive(x=_shift, linear=True, name="fft.ifftshift")
def ifftshift(x: Any, axes: Any = None) -> Any:
    """Invert `fftshift`."""
    return np.fft.ifftshift(x, axes)


_publish(__name__)
