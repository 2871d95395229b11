"""Random programs as a strategy; see `autograd.testing._programs`."""

from __future__ import annotations

import numpy as np

from autograd.testing._programs import Program, build_program
from autograd.testing.strategies._arrays import arrays, shapes
from autograd.testing.strategies._domains import Array
from autograd.testing.strategies._hypothesis import st


@st.composite
def programs(
    draw: st.DrawFn, *, max_inputs: int = 3, max_length: int = 6, kinks: bool = False
) -> tuple[Program, tuple[Array, ...]]:
    """Return a program, a composed function with shared subexpressions, and inputs for it.

    The program runs on arrays and on Variables, is bounded and smooth, and prints as source.

    Args:
        draw: hypothesis' own.
        max_inputs: at most so many inputs.
        max_length: at most so many statements.
        kinks: abs, maximum, clip, sort and max take part as well.
    """
    count = draw(st.integers(1, max_inputs))
    found = [draw(shapes(max_dims=2, min_side=1)) for _ in range(count)]
    length = draw(st.integers(1, max_length))
    program = build_program(
        lambda options: draw(st.sampled_from(options)), found, length, kinks=kinks
    )
    inputs = tuple(draw(arrays(shape, dtype=np.float64, domain="real")) for shape in found)
    return program, inputs
