"""Hypothesis, imported in one place: it is an extra, and its absence is one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd._optional import require

if TYPE_CHECKING:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
else:
    st = require("hypothesis.strategies", extra="test")
    hnp = require("hypothesis.extra.numpy", extra="test")

__all__ = ["hnp", "st"]
