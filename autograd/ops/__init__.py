"""The calculus: differentiable NumPy functions by family, forward beside rules."""
