"""Compiled kernels in the place of NumPy's, where a user asks for them: `use_kernels("numba")`.

The readable path does not know of this room. A kernel names what it stands for, the forward
function or a rule of a primitive, or a method of an optimizer, and has its signature:

    @instead_of("softmax", "x")
    def softmax_x(g, out, axis): ...

It computes where it was given what it was made for (plain arrays of float32 or float64 of some
size), and returns NotImplemented otherwise, also where it met nan or infinity: then NumPy computes,
and warns in its own words. Variables are always left to NumPy, so derivatives of higher order,
traced programs, `vmap` and `compile` are what they were.
"""

from autograd.kernels._switch import (
    Chunks,
    instead_of,
    offer,
    run_rows,
    set_num_threads,
    use_kernels,
)

__all__ = ["Chunks", "instead_of", "offer", "run_rows", "set_num_threads", "use_kernels"]
