"""Ready-made parametrizations. Imports `_norms` and `parametrize`."""

from __future__ import annotations

from typing import Any, TypeVar

from autograd import new_generator
from nn._module import Module
from nn._state import plain
from nn.functional._names import dim_is_axis
from nn.utils import _norms
from nn.utils.parametrize import register_parametrization

__all__ = ["spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    """Lengths and directions, which `original0` and `original1` are."""

    def __init__(self, axis: int | None) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, g: Any, v: Any) -> Any:
        return _norms.from_lengths(g, v, self.axis)

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        return _norms.lengths(weight, self.axis), weight


class _SpectralNorm(Module):
    """A weight divided by its largest singular value."""

    _u: Any
    _v: Any

    def __init__(self, weight: Any, count: int, eps: float, axis: int, generator: Any) -> None:
        super().__init__()
        self.axis = axis
        self.count = count
        self.eps = eps
        if weight.ndim > 1:
            matrix, generator = _norms.as_matrix(weight, axis), new_generator(generator)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                vector = _norms.normalized(generator.normal(size=size), eps)
                self.register_buffer(name, vector.astype(weight.dtype))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Any, count: int) -> None:
        for _ in range(count):
            self._u = _norms.normalized(matrix @ self._v, self.eps)
            self._v = _norms.normalized(matrix.T @ self._u, self.eps)

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return _norms.normalized(weight, self.eps)
        if self.training:
            self._iterate(_norms.as_matrix(plain(weight), self.axis), self.count)
        return _norms.of_spectral_norm_one(weight, self._u, self._v, self.axis)

    def right_inverse(self, value: Any) -> Any:
        return value


@dim_is_axis
def weight_norm(module: M, name: str = "weight", axis: int | None = 0) -> M:
    """Learn a weight's lengths (`original0`) and directions (`original1`) apart.

    Args:
        module: the owner.
        name: of the weight.
        axis: a length for each entry along this axis; None for one length; `dim` is taken for it.

    Returns:
        The module.

    Raises:
        ValueError: where there is no such parameter.

    References:
        T. Salimans, D. Kingma, Weight normalization, NeurIPS 2016,
        https://arxiv.org/abs/1602.07868, eq. 2.
    """
    register_parametrization(module, name, _WeightNorm(axis), unsafe=True)
    return module


@dim_is_axis
def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    axis: int | None = None,
    *,
    generator: Any = None,
) -> M:
    """Divide a weight by its largest singular value, which power iteration follows in training.

    Args:
        module: the owner.
        name: of the weight.
        n_power_iterations: iterations each time the weight is read in training.
        eps: the least divisor in normalisations.
        axis: of the outputs, by default the first, in transposed convolutions the second; `dim` is
            taken for it.
        generator: a seed or np.random.Generator for the first vectors.

    Returns:
        The module.

    Raises:
        ValueError: where there is no such parameter, or no iteration.

    References:
        T. Miyato et al., Spectral normalization for generative adversarial networks, ICLR 2018,
        https://arxiv.org/abs/1802.05957, algorithm 1.

    Example:
        >>> import numpy as np, nn
        >>> layer = spectral_norm(nn.Linear(3, 2, generator=0), generator=0)
        >>> np.linalg.norm(layer.weight.data, 2)
        np.float32(1.0)
    """
    _norms.check_iterations(n_power_iterations)
    weight = getattr(module, name, None)
    if weight is None:
        raise ValueError(
            f"spectral_norm: wanted the name of a parameter of {type(module).__name__}, got "
            f"{name!r}"
        )
    made = _SpectralNorm(
        plain(weight), n_power_iterations, eps, _norms.spectral_axis(module, axis), generator
    )
    register_parametrization(module, name, made)
    return module
