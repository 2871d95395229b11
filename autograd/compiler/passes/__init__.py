"""Passes that make a program smaller without changing a bit of its results, one in each file.

Each takes a `Graph` and changes it in place; each can be switched off by its name
(`autograd.compile(f, without=("common",))`). They run in this order. Fourth room to read.
"""

from __future__ import annotations

from collections.abc import Callable

from autograd.compiler.graph import Graph
from autograd.compiler.passes.common import common
from autograd.compiler.passes.dead_code import dead_code
from autograd.compiler.passes.exact import exact
from autograd.compiler.passes.fold import fold
from autograd.compiler.passes.lower import lower
from autograd.compiler.passes.spread import spread

__all__ = ["PASSES", "common", "dead_code", "exact", "fold", "lower", "spread"]

PASSES: dict[str, Callable[[Graph], None]] = {
    "fold": fold,
    "common": common,
    "exact": exact,
    "spread": spread,
    "lower": lower,
    "again": common,
    "dead_code": dead_code,
}
