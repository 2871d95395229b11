"""Proving gradients right: a checker that explains, hypothesis strategies, contract sweeps, a
numeric fallback.

`check_gradients` and what is imported here need NumPy only. `autograd.testing.strategies` and
`differentiable_property` need hypothesis, `autograd.testing.plugin` needs pytest: `pip install
'gradloom[test]'`.
"""

from autograd.testing._checker import check_gradients, gradcheck, gradgradcheck
from autograd.testing._diagnosis import GradientError

__all__ = ["GradientError", "check_gradients", "gradcheck", "gradgradcheck"]
