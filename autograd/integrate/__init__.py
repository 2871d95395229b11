"""Ordinary differential equations, with gradients: `odeint` and `solve_ivp`, as in
`scipy.integrate`.

Not imported by `import autograd`.
"""

from autograd.integrate._odeint import odeint
from autograd.integrate._solve_ivp import OdeResult, solve_ivp
from autograd.publication import publish as _publish

__all__ = ["OdeResult", "odeint", "solve_ivp"]

_publish(__name__)
