"""Weights of a given norm: length and direction apart, or the largest singular value 1.

Each comes twice, as in PyTorch: as a parametrization (`nn.utils.parametrizations`), and under the
older names of parameters (`weight_g`, `weight_v` and `weight_orig`), whose checkpoints load. Both
are one computation. Imports `_computed` and `autograd`.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

import numpy as np

from autograd import new_generator
from nn._module import Module
from nn._parameter import Parameter
from nn._state import plain
from nn.functional._names import dim_is_axis
from nn.utils._computed import (
    compute,
    computed,
    fixed,
    original_class,
    parameter_of,
    restore,
)

__all__ = [
    "as_matrix",
    "check_iterations",
    "from_lengths",
    "lengths",
    "normalized",
    "of_spectral_norm_one",
    "remove_spectral_norm",
    "remove_weight_norm",
    "spectral_axis",
    "spectral_norm",
    "weight_norm",
]

M = TypeVar("M", bound=Module)


# -- the computations ------------------------------------------------------------------------------


def lengths(v: Any, axis: int | None) -> Any:
    """Return the norms of `v` over all axes but `axis`, which are kept; one norm for None or -1."""
    if axis is None or axis == -1:
        return np.sqrt((v * v).sum())
    others = tuple(k for k in range(v.ndim) if k != axis % v.ndim)
    return np.sqrt((v * v).sum(axis=others, keepdims=True))


def from_lengths(g: Any, v: Any, axis: int | None) -> Any:
    """Return `v` with the lengths `g`."""
    return v * (g / lengths(v, axis))


def as_matrix(weight: Any, axis: int) -> Any:
    """Return a weight as a matrix, with a row for each entry along `axis`."""
    return np.moveaxis(weight, axis, 0).reshape((weight.shape[axis], -1))


def normalized(x: Any, eps: float) -> Any:
    """Return a vector of length 1, unless it is shorter than `eps`."""
    return x / np.maximum(np.sqrt((x * x).sum()), eps)


def of_spectral_norm_one(weight: Any, u: Any, v: Any, axis: int) -> Any:
    """Return the weight divided by its largest singular value, with vectors u and v held fixed."""
    return weight / (u @ (as_matrix(weight, axis) @ v))


def spectral_axis(module: Module, axis: int | None) -> int:
    """Return the axis of a weight's outputs, which is the second in transposed convolutions."""
    if axis is not None:
        return axis
    return 1 if original_class(module).__name__.startswith("ConvTranspose") else 0


def check_iterations(n_power_iterations: int) -> None:
    """Refuse what is not a number of iterations."""
    if n_power_iterations < 1:
        raise ValueError(
            f"spectral_norm: wanted at least 1 for n_power_iterations, got {n_power_iterations}"
        )


# -- under the older names -------------------------------------------------------------------------


def _replaced(module: Module, name: str, gone: tuple[str, ...], operation: str) -> None:
    """Make a computed parameter an ordinary one, and remove what it came from."""
    if name not in computed(module) or not all(f"{name}_{g}" in vars(module) for g in gone):
        raise ValueError(
            f"{operation}: wanted a parameter {name!r} with such a norm in "
            f"{type(module).__name__}, got one without"
        )
    value = np.array(plain(getattr(module, name)))
    restore(module, name)
    for part in gone:
        delattr(module, f"{name}_{part}")
    module.register_parameter(name, Parameter(value))


def _by_lengths(module: Any, name: str, axis: int | None) -> Any:
    return from_lengths(getattr(module, f"{name}_g"), getattr(module, f"{name}_v"), axis)


@dim_is_axis
def weight_norm(module: M, name: str = "weight", axis: int | None = 0) -> M:
    """Learn a weight's lengths `weight_g` and directions `weight_v` apart.

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

    Example:
        >>> import nn
        >>> layer = weight_norm(nn.Linear(3, 2))
        >>> {name: p.shape for name, p in layer.named_parameters()}
        {'bias': (2,), 'weight_g': (2, 1), 'weight_v': (2, 3)}
    """
    weight = parameter_of("weight_norm", module, name)
    delattr(module, name)
    g = np.asarray(lengths(weight.data, axis), dtype=weight.dtype)
    module.register_parameter(f"{name}_g", Parameter(g, weight.requires_grad))
    module.register_parameter(f"{name}_v", weight)
    get = functools.partial(_by_lengths, name=name, axis=axis)
    compute(module, name, get, fixed(name, f"{name}_g and {name}_v"))
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make a weight with `weight_norm` an ordinary parameter of its present value.

    Raises:
        ValueError: where the weight has no such norm.
    """
    _replaced(module, name, ("g", "v"), "remove_weight_norm")
    return module


def _by_spectrum(module: Any, name: str, axis: int, count: int, eps: float) -> Any:
    weight = getattr(module, f"{name}_orig")
    u, v = getattr(module, f"{name}_u"), getattr(module, f"{name}_v")
    if module.training:
        matrix = as_matrix(plain(weight), axis)
        for _ in range(count):
            v = normalized(matrix.T @ u, eps)
            u = normalized(matrix @ v, eps)
        setattr(module, f"{name}_u", u)
        setattr(module, f"{name}_v", v)
    return of_spectral_norm_one(weight, u, v, axis)


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
        module: the owner; its weight becomes `weight_orig`, with the vectors `weight_u` and
            `weight_v` as buffers.
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
    """
    check_iterations(n_power_iterations)
    weight = parameter_of("spectral_norm", module, name)
    axis = spectral_axis(module, axis)
    generator = new_generator(generator)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    for part, size in zip("uv", as_matrix(weight.data, axis).shape, strict=True):
        vector = normalized(generator.normal(size=size), eps).astype(weight.dtype)
        module.register_buffer(f"{name}_{part}", vector)
    get = functools.partial(_by_spectrum, name=name, axis=axis, count=n_power_iterations, eps=eps)
    compute(module, name, get, fixed(name, f"{name}_orig"))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make a weight with `spectral_norm` an ordinary parameter of its present value.

    Raises:
        ValueError: where the weight has no such norm.
    """
    _replaced(module, name, ("orig", "u", "v"), "remove_spectral_norm")
    return module
