"""The derivatives that HIPS autograd has names for: `autograd.make_vjp`, `autograd.deriv` ...

They are spelled with `grad`, `vjp`, `jvp` and `hvp`, which are the better start for new code; those
of its names that are ours anyway are listed, too. Imported on demand. Imports `transforms`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.engine.graph import unwrap, wrap
from autograd.ops import contractions
from autograd.transforms.checkpoint import checkpoint
from autograd.transforms.containers import flatten, rebuilt
from autograd.transforms.gradients import elementwise_grad, grad, value_and_grad
from autograd.transforms.jacobian import hessian, jacobian
from autograd.transforms.products import hvp, jvp, vjp
from autograd.transforms.trace import Trace, positions_of
from autograd.variable import unit_cotangent
from autograd.wrap_util import unary_to_nary

__all__ = [
    "checkpoint",
    "deriv",
    "egrad",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_jvp_reversemode",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]

egrad = elementwise_grad
hessian_vector_product = hessian_tensor_product = hvp


def _ones(value: Any) -> Any:
    leaves, rebuild = flatten(value)
    return rebuilt(rebuild, [np.ones_like(unwrap(leaf)) for leaf in leaves])


@unary_to_nary
def make_vjp(fun: Callable[..., Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the pullback, which maps a cotangent of the output to one of the argument, and the
    output.

    Example:
        >>> pullback, out = make_vjp(lambda x: x**2)(3.0)
        >>> out, pullback(1.0)
        (np.float64(9.0), np.float64(6.0))
    """
    out, pullback = vjp(fun, x)
    return lambda g: pullback(g)[0], out


@unary_to_nary
def make_jvp(fun: Callable[..., Any], x: Any) -> Callable[[Any], Any]:
    """Return the function of a direction that returns the output and its derivative along it.

    Example:
        >>> make_jvp(lambda x: x**2)(3.0)(1.0)
        (np.float64(9.0), np.float64(6.0))
    """
    return lambda v: jvp(fun, (x,), (v,))


@unary_to_nary
def make_jvp_reversemode(fun: Callable[..., Any], x: Any) -> Callable[[Any], Any]:
    """Return the function of a direction that returns the derivative along it; forward mode serves
    it as well.
    """
    return lambda v: jvp(fun, (x,), (v,))[1]


@unary_to_nary
def make_hvp(fun: Callable[..., Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return the product of the Hessian with a vector, as a function, and the gradient.

    Example:
        >>> product, gradient = make_hvp(lambda x: x**3)(2.0)
        >>> gradient, product(1.0)
        (np.float64(12.0), np.float64(12.0))
    """
    made: tuple[Callable[[Any], Any], Any] = make_vjp(grad(fun))(x)
    return made


def _half_squares(x: Any) -> Any:
    return 0.5 * np.sum(x**2, axis=-1)


def make_ggnvp(
    f: Callable[..., Any], g: Callable[[Any], Any] = _half_squares, f_argnum: int = 0
) -> Callable[..., Any]:
    """Return the function of the arguments of `f` that returns the product with the generalized
    Gauss-Newton matrix, v -> J^T H J v, with the Jacobian J of `f` and the Hessian H of `g`.

    References:
        Schraudolph: Fast curvature matrix-vector products for second-order gradient descent, 2002.
    """

    def product(fun: Callable[..., Any], x: Any) -> Callable[[Any], Any]:
        out, pullback = vjp(fun, x)
        return lambda v: pullback(hvp(g)(out, jvp(fun, (x,), (v,))[1]))[0]

    made: Callable[..., Any] = unary_to_nary(product)(f, f_argnum)
    return made


def tensor_jacobian_product(fun: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return `product(*args, t)`, the tensor `t` contracted with the first axes of the Jacobian.

    Where `t` has all axes of the output, this is one backward pass.

    Example:
        >>> import numpy as np
        >>> square = lambda x: x**2
        >>> tensor_jacobian_product(square)(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
        array([2., 4.])
    """

    def contracted(*args: Any, **kwargs: Any) -> Any:
        *given, t = args
        return contractions.tensordot(t, fun(*given, **kwargs), np.ndim(unwrap(t)))

    return jacobian(contracted, argnum)


vector_jacobian_product = tensor_jacobian_product


def grad_and_aux(fun: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Return the function that returns the gradient of the first output of `fun`, and the second.

    Example:
        >>> grad_and_aux(lambda x: (x**2, {"half": x / 2}))(3.0)
        (np.float64(6.0), {'half': np.float64(1.5)})
    """
    positions = positions_of("grad_and_aux", fun, argnum)

    def gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        trace = Trace("grad_and_aux", fun, args, kwargs, positions)
        if not isinstance(trace.result, tuple) or len(trace.result) != 2:
            raise TypeError("grad_and_aux: wanted a function that returns (scalar, anything)")
        first, rest = trace.outputs[0], trace.outputs[1:]
        unit = unit_cotangent("grad_and_aux", first if hasattr(first, "_node") else wrap(first))
        return trace.arrange(trace.pull([unit, *[None] * len(rest)]), argnum), trace.value()[1]

    return gradient


def grad_named(fun: Callable[..., Any], argname: str) -> Callable[..., Any]:
    """Return the gradient function with respect to the argument of that name.

    Example:
        >>> grad_named(lambda x, y: x * y**2, "y")(1.0, 2.0)
        np.float64(4.0)
    """
    names = list(inspect.signature(fun).parameters)
    if argname not in names:
        raise ValueError(f"grad_named: wanted one of {', '.join(names)}, got {argname!r}")
    gradient: Callable[..., Any] = grad(fun, names.index(argname))
    return gradient


def multigrad_dict(fun: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Return the function that returns the gradients with respect to all arguments, by name.

    Example:
        >>> multigrad_dict(lambda x, y: x * y**2)(1.0, y=2.0)
        {'x': np.float64(4.0), 'y': np.float64(4.0)}
    """
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_all(arguments: dict[str, Any]) -> Any:
            again = inspect.BoundArguments(signature, arguments)
            return fun(*again.args, **again.kwargs)

        found: dict[str, Any] = grad(of_all)(dict(bound.arguments))
        return found

    return gradients


@unary_to_nary
def deriv(fun: Callable[..., Any], x: Any) -> Any:
    """Return the derivative of a function of a number, whatever the shape of its output, in forward
    mode.

    Example:
        >>> import numpy as np
        >>> deriv(lambda t: np.array([1.0, 2.0]) * t**2)(3.0)
        array([ 6., 12.])
    """
    return jvp(fun, (x,), (_ones(x),))[1]


@unary_to_nary
def holomorphic_grad(fun: Callable[..., Any], x: Any) -> Any:
    """Return the complex derivative of a holomorphic function, f'(z), for all elements at once.

    Example:
        >>> holomorphic_grad(lambda z: z**2)(1 + 1j)
        np.complex128(2+2j)
    """
    out, pullback = vjp(fun, x)
    # The pullback multiplies by the conjugate: see docs/conventions.md.
    return np.conj(pullback(_ones(out))[0])
