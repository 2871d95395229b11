"""Spaces of arrays, under the names that HIPS autograd has: both are those of all values."""

from autograd.vspace import VSpace as ArrayVSpace
from autograd.vspace import VSpace as ComplexArrayVSpace

__all__ = ["ArrayVSpace", "ComplexArrayVSpace"]
