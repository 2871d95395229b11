"""Rows of `autograd/fft.py`."""

import numpy as np
from op_table import Case, Row

import autograd

_NORMS = ("backward", "ortho", "forward")


def _complex(rng, shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def _one_axis(name, *, domain="real", minimum=1):
    """Return the row of a transform of one axis: odd and even lengths, padded and cropped."""
    cases = [Case((n,), domain=domain) for n in (5, 6) if n >= minimum]
    cases += [Case((2, 5), domain=domain, kwargs={"n": n, "axis": -1}) for n in (4, 7, 8)]
    cases += [Case((4, 3), domain=domain, kwargs={"axis": 0, "norm": norm}) for norm in _NORMS]
    primitives = {"hfft": ("fft.irfft", "conjugate"), "ihfft": ("fft.rfft", "conjugate")}
    return Row(
        f"fft.{name}",
        getattr(autograd.fft, name),
        getattr(np.fft, name),
        cases,
        primitives=primitives.get(name, (f"fft.{name}",)),
    )


def _several_axes(name, *, domain="real"):
    two = name.endswith("2")
    cases = [
        Case((3, 4), domain=domain),
        Case((2, 3, 4), domain=domain, kwargs={"axes": (0, 2), "norm": "ortho"}),
        Case((3, 4), domain=domain, kwargs={"s": (4, 5), "axes": (0, 1)}),
        Case((2, 3, 5), domain=domain, kwargs={} if two else {"axes": (-1,)}),
    ]
    steps = {"r": ("fft.rfft", "fft.fft"), "i": ("fft.ifft",), "f": ("fft.fft",)}
    primitives = ("fft.irfft", "fft.ifft") if name.startswith("irfft") else steps[name[0]]
    function, twin = getattr(autograd.fft, name), getattr(np.fft, name)
    return Row(f"fft.{name}", function, twin, cases, primitives=primitives)


ROWS = [
    *[_one_axis(name) for name in ("fft", "ifft", "rfft", "ihfft")],
    *[_one_axis(name, domain=_complex) for name in ("irfft", "hfft")],
    *[_several_axes(name) for name in ("fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn")],
    *[_several_axes(name, domain=_complex) for name in ("irfft2", "irfftn")],
    *[
        Row(
            f"fft.{name}",
            getattr(autograd.fft, name),
            getattr(np.fft, name),
            [Case((5,)), Case((3, 4), kwargs={"axes": 1}), Case((3, 4), kwargs={"axes": (0, 1)})],
            primitives=(f"fft.{name}",),
        )
        for name in ("fftshift", "ifftshift")
    ],
]
