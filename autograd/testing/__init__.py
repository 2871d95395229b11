"""Proving gradients right: a checker that explains, hypothesis strategies, contract sweeps.

`check_gradients` and the other names here need NumPy only. `autograd.testing.strategies` and the
use of `differentiable_property` need hypothesis, the fixtures need pytest:
`pip install 'gradloom[test]'`. Of the library it imports what it makes public.
"""

from autograd.testing._checker import check_gradients, gradcheck, gradgradcheck
from autograd.testing._contract import ContractError, ContractReport, check_function
from autograd.testing._gauge import gauge_invariant
from autograd.testing._numerical import NumericalFunction, numerical_vjp
from autograd.testing._property import differentiable_property
from autograd.testing._report import GradientError

__all__ = [
    "ContractError",
    "ContractReport",
    "GradientError",
    "NumericalFunction",
    "check_function",
    "check_gradients",
    "differentiable_property",
    "gauge_invariant",
    "gradcheck",
    "gradgradcheck",
    "numerical_vjp",
]
