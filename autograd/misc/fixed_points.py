"""Solutions of x = f(a)(x): those of `autograd.implicit`."""

from autograd.implicit import fixed_point

__all__ = ["fixed_point"]
