"""Batching: one call of a function for a whole batch of examples. `values` is what a batched value
is, `run` how an operation is run on one; the other files are the batch rules by family.
"""

from autograd.batching import (
    contractions,
    factorizations,
    indexing,
    questions,
    reductions,
    shaping,
)
from autograd.batching.run import Run, batch_rule

__all__ = [
    "Run",
    "batch_rule",
    "contractions",
    "factorizations",
    "indexing",
    "questions",
    "reductions",
    "shaping",
]
