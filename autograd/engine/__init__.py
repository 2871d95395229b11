"""The engine: mode, graph, backward, primitive, calls, to be read in this order. Users need the
mode; the library and `autograd.extend` are made of the rest.
"""

from autograd.engine.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]
