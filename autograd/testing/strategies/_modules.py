"""Random neural network layers with inputs that fit. Imports `nn` when used, and hypothesis."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np

from autograd.testing.strategies._arrays import arrays, shapes
from autograd.testing.strategies._hypothesis import st

SMOOTH = ("Identity", "Tanh", "Sigmoid", "Softplus", "GELU", "SiLU")
ACTIVATIONS = (*SMOOTH, "ReLU", "ELU", "LeakyReLU")


class ModuleCase(NamedTuple):
    """A module and an input for it."""

    module: Any
    inputs: np.ndarray[Any, Any]


@st.composite
def modules(
    draw: st.DrawFn, *, max_layers: int = 3, max_features: int = 4, kinks: bool = False
) -> ModuleCase:
    """Return a random stack of layers, as `nn.Sequential`, with an input batch.

    Linear layers with and without bias, activations, normalisation and dropout in evaluation mode,
    in double precision, on batches of any number of leading axes.

    Args:
        draw: hypothesis' own.
        max_layers: at most so many linear layers.
        max_features: at most so many features.
        kinks: ReLU and its like take part as well.
    """
    nn = importlib.import_module("nn")
    names = ACTIVATIONS if kinks else SMOOTH
    width = draw(st.integers(1, max_features))
    batch = draw(shapes(min_dims=1, max_dims=2, min_side=1))
    inputs = draw(arrays((*batch, width), domain="real"))
    layers: list[Any] = []
    for _ in range(draw(st.integers(1, max_layers))):
        features = draw(st.integers(1, max_features))
        layers.append(nn.Linear(width, features, bias=draw(st.booleans())))
        width = features
        if draw(st.booleans()):
            layers.append(getattr(nn, draw(st.sampled_from(names)))())
        if width > 1 and draw(st.booleans()):
            layers.append(nn.LayerNorm(width))
        if draw(st.booleans()):
            layers.append(nn.Dropout(0.5))
    module = nn.Sequential(*layers)
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    for parameter in module.parameters():
        parameter.data = rng.normal(size=parameter.shape).astype(parameter.dtype)
    module.eval()
    return ModuleCase(module, inputs)
