"""Hypothesis strategies for code that computes with arrays and derivatives; needs hypothesis.

    from hypothesis import given
    from autograd.testing import check_gradients, strategies

    @given(strategies.broadcastable_arrays(2, domain="positive"))
    def test_division(arrays):
        check_gradients(np.divide, *arrays)

All of them shrink to small shapes and simple numbers: zeros, ones and short binary fractions.
"""

from autograd.testing.strategies._arrays import (
    arrays,
    broadcastable_arrays,
    broadcastable_shapes,
    dtypes,
    shapes,
    variables,
)
from autograd.testing.strategies._calls import axes, einsum_calls, indices, reductions
from autograd.testing.strategies._domains import domain_names, register_domain
from autograd.testing.strategies._modules import ModuleCase, modules
from autograd.testing.strategies._programs import programs

__all__ = [
    "ModuleCase",
    "arrays",
    "axes",
    "broadcastable_arrays",
    "broadcastable_shapes",
    "domain_names",
    "dtypes",
    "einsum_calls",
    "indices",
    "modules",
    "programs",
    "reductions",
    "register_domain",
    "shapes",
    "variables",
]
