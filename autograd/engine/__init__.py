"""The engine: read mode, graph, backward, primitive and calls, in this order.

What of it is for users is the mode; the library and `autograd.extend` use the rest.
"""

from autograd.engine.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "set_grad_enabled"]
