"""Batch rules of what works along an axis: reductions, running sums, softmax, Fourier transforms.
The axis is moved one place on. Imports `run`, `_axes` and NumPy.
"""

from __future__ import annotations

from typing import Any

from autograd.batching._axes import behind, spread_over, with_ndim
from autograd.batching.run import Run, batch_rule

__all__: list[str] = []


@batch_rule(
    *("sum", "mean", "prod", "var", "max", "min", "nanmax", "nanmin", "logsumexp", "cumsum"),
    *("cumprod", "recurrence", "running_peak", "weighted_peak", "softmax", "log_softmax"),
    *("shares_of", "diff", "unwrap", "linalg.vector_norm", "fft.fft", "fft.ifft", "fft.rfft"),
    *("fft.irfft", "fft.fftshift", "fft.ifftshift", "flip", "linalg.direction"),
)
def _along_axis(run: Run, *values: Any) -> Any:
    """Operands broadcast against the first one, or each other."""
    names = run.primitive.parameters
    place = names.index("axes" if "axes" in names else "axis")
    ndim = run.most_axes(values)
    operands = [
        with_ndim(v, ndim) if varies else v for v, varies in zip(values, run.varies, strict=True)
    ]
    full = 2 if run.name == "recurrence" else 1
    for i in range(full):
        operands[i] = with_ndim(spread_over(operands[i], run.size, varies=run.varies[i]), ndim)
    operands[place] = behind(values[place], ndim)
    return run(*operands)


@batch_rule("shares")
def _shares(run: Run, *values: Any) -> Any:
    ndim = run.most_axes(values)
    both = zip(values, run.varies, strict=True)
    return run(*[with_ndim(spread_over(v, run.size, varies=varies), ndim) for v, varies in both])
