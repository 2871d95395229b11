"""The extension `fft` of the array API standard: see `autograd.array_api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.array_api import _made

_SIGNATURES = """
fft ifft rfft irfft hfft ihfft(x, /, *, n=None, axis=-1, norm='backward')
fftn ifftn rfftn irfftn(x, /, *, s=None, axes=None, norm='backward')
fftshift ifftshift(x, /, *, axes=None)
"""


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """Return the frequencies of `fft`: see `numpy.fft.fftfreq`."""
    _made.on_cpu("fft.fftfreq", device)
    return _made.as_variables(np.fft.fftfreq(n, d).astype(dtype or float))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
    """Return the frequencies of `rfft`: see `numpy.fft.rfftfreq`."""
    _made.on_cpu("fft.rfftfreq", device)
    return _made.as_variables(np.fft.rfftfreq(n, d).astype(dtype or float))


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...

else:
    __getattr__, __dir__, __all__ = _made.standard(__name__, np.fft, _SIGNATURES)
    __all__ += ["fftfreq", "rfftfreq"]
