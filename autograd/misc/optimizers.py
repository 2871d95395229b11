"""Optimizers in one call: `adam(gradient, parameters, callback)` returns better parameters.

`gradient(parameters, i)` is that of iteration i, and `callback(parameters, i, gradient)` is called
before each step. Parameters are nested lists, tuples and dicts of arrays. The class-like ones, with
more algorithms, are in `optim`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.misc.flatten import flatten

__all__ = ["adam", "rmsprop", "sgd", "unflatten_optimizer"]

_Gradient = Callable[[Any, int], Any]


def unflatten_optimizer(optimize: Callable[..., Any]) -> Callable[..., Any]:
    """Make an optimizer of vectors one of nested structures."""

    @functools.wraps(optimize)
    def optimizer(grad: _Gradient, x0: Any, callback: Any = None, *args: Any, **kwargs: Any) -> Any:
        vector, unflatten = flatten(x0)

        def of_vectors(x: Any, i: int) -> Any:
            return flatten(grad(unflatten(x), i))[0]

        def told(x: Any, i: int, g: Any) -> None:
            callback(unflatten(x), i, unflatten(g))

        called = told if callback else None
        return unflatten(optimize(of_vectors, vector, called, *args, **kwargs))

    return optimizer


def _descend(
    grad: _Gradient, x: Any, callback: Any, num_iters: int, step: Callable[[Any, int], Any]
) -> Any:
    for i in range(num_iters):
        g = grad(x, i)
        if callback:
            callback(x, i, g)
        x = x + step(g, i)
    return x


@unflatten_optimizer
def sgd(
    grad: _Gradient,
    x: Any,
    callback: Any = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Descend along a mean of the gradients, v = mass v - (1 - mass) g and x = x + step_size v.

    Example:
        >>> sgd(lambda x, i: 2 * x, 1.0, num_iters=2)
        np.float64(0.9424)
    """
    velocity = 0.0

    def step(g: Any, _: int) -> Any:
        nonlocal velocity
        velocity = mass * velocity - (1.0 - mass) * g
        return step_size * velocity

    return _descend(grad, x, callback, num_iters, step)


@unflatten_optimizer
def rmsprop(
    grad: _Gradient,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.1,
    gamma: float = 0.9,
    eps: float = 1e-8,
) -> Any:
    """Descend along gradients divided by the root of a running mean of their squares, which starts
    at 1.

    References:
        Tieleman, Hinton: Lecture 6.5, RMSProp, Coursera, 2012.
    """
    mean_square = 1.0

    def step(g: Any, _: int) -> Any:
        nonlocal mean_square
        mean_square = gamma * mean_square + (1.0 - gamma) * g**2
        return -step_size * g / (np.sqrt(mean_square) + eps)

    return _descend(grad, x, callback, num_iters, step)


@unflatten_optimizer
def adam(
    grad: _Gradient,
    x: Any,
    callback: Any = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Descend along running means of the gradients, divided by the root of those of their squares.

    References:
        Kingma, Ba: Adam: a method for stochastic optimization, 2015, algorithm 1.
    """
    first = second = 0.0

    def step(g: Any, i: int) -> Any:
        nonlocal first, second
        first = b1 * first + (1.0 - b1) * g
        second = b2 * second + (1.0 - b2) * g**2
        root = np.sqrt(second / (1.0 - b2 ** (i + 1)))
        return -step_size * (first / (1.0 - b1 ** (i + 1))) / (root + eps)

    return _descend(grad, x, callback, num_iters, step)
