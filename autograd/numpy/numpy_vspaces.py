"""Spaces of arrays, under the names that HIPS autograd has: both are those of all values."""

from autograd.core import VSpace as ArrayVSpace
from autograd.core import VSpace as ComplexArrayVSpace

__all__ = ["ArrayVSpace", "ComplexArrayVSpace"]
