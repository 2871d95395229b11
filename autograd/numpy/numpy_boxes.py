"""What values are while they are recorded, under the name that HIPS autograd has."""

from autograd.variable import Variable as ArrayBox

__all__ = ["ArrayBox"]
