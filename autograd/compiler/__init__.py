"""The compiler: a function of NumPy becomes a program in NumPy that a person can read."""

from autograd.compiler.compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
