"""Utilities."""

from nn.utils import rnn

__all__ = ["rnn"]
