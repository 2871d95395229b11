"""Ordinary differential equations, with gradients: `odeint` and `solve_ivp`, as in
`scipy.integrate`.

Not imported by `import autograd`.
"""

from autograd.integrate._odeint import odeint
from autograd.integrate._solve_ivp import OdeResult, solve_ivp

__all__ = ["OdeResult", "odeint", "solve_ivp"]
