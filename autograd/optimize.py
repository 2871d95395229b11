"""SciPy's solvers with exact derivatives, and with gradients through what they find.

`minimize`, `root`, `root_scalar`, `brentq` and `least_squares` call the functions of
`scipy.optimize` of these names, which get the derivatives that they ask for. Unknowns may be nested
lists, tuples and dicts of arrays. What is found is differentiable in the arguments, and in whatever
else the function uses, by the implicit function theorem: see `implicit.solution`.

Not imported by `import autograd`. Needs SciPy, the extra `special`. Imports `implicit` and the
transforms.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd._optional import require
from autograd.engine.calls import concrete, holds_variable
from autograd.engine.graph import unwrap, wrap
from autograd.engine.mode import no_grad
from autograd.implicit import solution
from autograd.ops import elementwise, joining, reductions
from autograd.transforms.containers import Rebuild, flatten, rebuilt
from autograd.transforms.gradients import grad, value_and_grad
from autograd.transforms.jacobian import hessian, jacobian
from autograd.transforms.products import vjp
from autograd.typed import user_level
from autograd.variable import Variable

__all__ = ["brentq", "least_squares", "minimize", "root", "root_scalar"]

# Methods of scipy.optimize.minimize that ask for less, or for more, than the gradient.
_WITHOUT_GRADIENT = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
_WITH_PRODUCT = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_WITH_HESSIAN = frozenset({"dogleg", "trust-exact"})
# Those of scipy.optimize.root that take a Jacobian.
_WITH_JACOBIAN = frozenset({"hybr", "lm"})


class _Unknowns:
    """What is looked for: one vector to SciPy, nested arrays to the user.

    Attributes:
        start: the vector to begin at, float64.
    """

    def __init__(self, what: str, x0: Any) -> None:
        self.what = what
        x0 = concrete(x0, what)
        # As in SciPy, a list of numbers is a vector and a number a vector of one.
        self.nested = isinstance(x0, (list, tuple, dict)) and not _is_numbers(x0)
        leaves, rebuild = flatten(x0) if self.nested else ([np.atleast_1d(x0)], next)
        self.rebuild: Rebuild = rebuild
        arrays: list[np.ndarray[Any, Any]] = list(map(np.asarray, leaves))
        for array in arrays:
            if array.dtype.kind not in "fiu":
                raise TypeError(
                    f"{what}: wanted real numbers in x0, got {array.dtype}; write complex unknowns "
                    "as two real ones"
                )
        self.shapes = [a.shape for a in arrays]
        self.dtypes = [a.dtype if a.dtype.kind == "f" else np.dtype(float) for a in arrays]
        self.ends = np.cumsum([a.size for a in arrays]).tolist()
        self.start = np.concatenate([a.astype(float).ravel() for a in arrays] or [np.empty(0)])

    def structured(self, vector: Any) -> Any:
        """Return a vector of SciPy's as the user has it."""
        if not self.nested and len(self.shapes[0]) == 1 and self.dtypes[0] == vector.dtype:
            return vector
        parts, begin = [], 0
        for shape, dtype, end in zip(self.shapes, self.dtypes, self.ends, strict=True):
            part = vector[begin:end].reshape(shape) if shape else vector[begin]
            parts.append(part if part.dtype == dtype else part.astype(dtype))
            begin = end
        return rebuilt(self.rebuild, parts)

    def spread(self, tree: Any, what: str) -> np.ndarray[Any, Any]:
        """Return numbers in the structure of x0, or one for all, as a vector."""
        if np.ndim(tree) == 0 and not isinstance(tree, dict):
            return np.full(len(self.start), tree, dtype=float)
        leaves = flatten(tree)[0] if self.nested else [tree]
        if len(leaves) != len(self.shapes):
            raise ValueError(
                f"{self.what}: wanted {what} with the structure of x0, {len(self.shapes)} arrays, "
                f"got {len(leaves)}"
            )
        spread = [np.broadcast_to(a, s).ravel() for a, s in zip(leaves, self.shapes, strict=True)]
        return np.concatenate(spread).astype(float)

    def finished(self, found: Any, condition: Callable[[Any], Any], given: Any) -> Any:
        """Return SciPy's result with x as the user has it, differentiable where that is wanted."""
        x = solution(condition, found.x)
        if isinstance(x, Variable) and not found.success:
            warnings.warn(
                f"{self.what}: the gradient of the solution supposes that it is one, and SciPy "
                f"says: {found.message}",
                RuntimeWarning,
                user_level(),
            )
        x = x if isinstance(x, Variable) or not holds_variable(given) else wrap(x)
        found["x"] = self.structured(x)
        return found


def _is_numbers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_numbers, value))
    return isinstance(value, (int, float, complex)) and not isinstance(value, np.ndarray)


def _vector(tree: Any) -> Any:
    """Return nested arrays as one vector, recorded."""
    leaves = [leaf.reshape((-1,)) if np.ndim(leaf) else [leaf] for leaf in flatten(tree)[0]]
    return joining.concatenate(leaves) if len(leaves) > 1 else joining.concatenate([leaves[0]])


def _as_tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


# -- minima ----------------------------------------------------------------------------------------


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str | None = None,
    *,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """Find a minimum with `scipy.optimize.minimize`, which gets the gradient, and the Hessian or
    its products where the method takes them.

    `x` of the result is differentiable in `args`, and in whatever else `fun` uses, to any order:
    there the gradient is 0, and unknowns at a bound stay there. It is as exact as the solution,
    so ask for a small `tol`. The gradient of `x0` is zero.

    Args:
        fun: `fun(x, *args)`, one real number.
        x0: where to begin: an array, or nested lists, tuples and dicts of arrays; a list of numbers
            is a vector.
        args: further arguments, a tuple.
        method: one of SciPy's names, such as "BFGS", "L-BFGS-B", "trust-ncg", "SLSQP".
        bounds: as in SciPy; where x0 is nested, pairs (low, high) in its structure, None for none,
            and what has no bounds may be left out of dicts.
        constraints: as in SciPy, on nested x; Jacobians are added. There are no gradients through a
            minimum with constraints.
        tol: tolerance of the method.
        callback: as in SciPy, of nested x.
        options: of the method.

    Returns:
        SciPy's `OptimizeResult`, where `x` and `jac` have the structure of `x0`.

    Raises:
        ImportError: SciPy is not installed.
        TypeError: unknowns that are not real; a gradient through constraints.

    Example:
        >>> def rosenbrock(p):
        ...     return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2
        >>> found = minimize(rosenbrock, {"x": -1.0, "y": 2.0}, method="trust-ncg")
        >>> round(found.x["x"], 6), round(found.x["y"], 6)
        (np.float64(1.0), np.float64(1.0))
    """
    scipy = require("scipy.optimize", extra="special")
    unknowns, args = _Unknowns("minimize", x0), _as_tuple(args)
    plain = concrete(args, "minimize")

    def value(vector: Any) -> Any:
        return fun(unknowns.structured(vector), *plain)

    def first_order(vector: Any) -> Any:
        found, slope = value_and_grad(value)(vector)
        return float(found), slope

    name = method.lower() if isinstance(method, str) else ""
    given: dict[str, Any] = {"jac": True}
    if name in _WITHOUT_GRADIENT:
        given = {}
    elif name in _WITH_PRODUCT:
        given["hessp"] = _Products(value)
    elif name in _WITH_HESSIAN:
        given["hess"] = hessian(value)
    low, high = np.full((2, len(unknowns.start)), [[-np.inf], [np.inf]])
    if bounds is not None:
        if unknowns.nested and not isinstance(bounds, scipy.Bounds):
            low, high = _nested_bounds(x0, bounds)
            bounds = scipy.Bounds(low, high)
        elif not isinstance(bounds, scipy.Bounds):
            bounds = scipy.Bounds(*map(np.array, zip(*map(_pair, bounds), strict=True)))
        low, high = (np.broadcast_to(side, low.shape) for side in (bounds.lb, bounds.ub))
        given["bounds"] = bounds
    with no_grad():
        found = scipy.minimize(
            first_order if given else lambda vector: float(unwrap(value(vector))),
            unknowns.start,
            method=method,
            constraints=_constraints(scipy, constraints, unknowns),
            tol=tol,
            callback=callback and _callback(callback, unknowns),
            options=options,
            **given,
        )
    reached, at_bound = found.x.copy(), (found.x <= low) | (found.x >= high)
    slope = grad(lambda vector: fun(unknowns.structured(vector), *args))

    def condition(vector: Any) -> Any:
        return elementwise.where(at_bound, vector - reached, slope(vector))

    unknowns.finished(found, condition, (x0, args))
    if _requires_grad(found.x) and constraints:
        raise TypeError(
            "minimize: wanted a minimum without constraints where its gradient is asked for, got "
            "constraints; write a penalty, or bounds, or call it inside autograd.no_grad()"
        )
    if "jac" in found and np.shape(found.jac) == unknowns.start.shape:
        found["jac"] = unknowns.structured(found.jac)
    return found


class _Products:
    """The Hessian times vectors, of which SciPy asks for several at one point."""

    def __init__(self, value: Callable[[Any], Any]) -> None:
        self.value = value
        self.at: Any = None

    def __call__(self, x: Any, v: Any, *_: Any) -> Any:
        if self.at is None or not np.array_equal(self.at, x):
            self.at = x.copy()
            self.pullback = vjp(grad(self.value), self.at)[1]
        return self.pullback(v)[0]


def _requires_grad(tree: Any) -> bool:
    return any(getattr(leaf, "requires_grad", False) for leaf in flatten(tree)[0])


def _pair(bound: Any) -> tuple[Any, Any]:
    low, high = (None, None) if bound is None else bound
    return -np.inf if low is None else low, np.inf if high is None else high


def _nested_bounds(x0: Any, bounds: Any) -> tuple[Any, ...]:
    """Return the lower and upper bounds of nested unknowns as vectors."""
    if isinstance(x0, dict):
        if not isinstance(bounds, dict) and bounds is not None:
            raise TypeError(
                "minimize: wanted bounds with the structure of x0, a dict of pairs (low, high), "
                f"got {type(bounds).__name__}"
            )
        parts = [_nested_bounds(x0[key], (bounds or {}).get(key)) for key in x0]
    elif isinstance(x0, (list, tuple)):
        given = [None] * len(x0) if bounds is None else bounds
        if len(given) != len(x0):
            raise ValueError(
                f"minimize: wanted bounds with the structure of x0, {len(x0)} parts, got "
                f"{len(given)}"
            )
        parts = [_nested_bounds(*both) for both in zip(x0, given, strict=True)]
    else:
        shape = np.shape(unwrap(x0))
        low, high = (np.array(side, dtype=float) for side in _pair(bounds))  # None becomes nan
        sides = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
        return tuple(np.broadcast_to(side, shape).ravel() for side in sides)
    lows, highs = zip(*parts, strict=True) if parts else ((), ())
    return np.concatenate(lows), np.concatenate(highs)


def _constraints(scipy: Any, constraints: Any, unknowns: _Unknowns) -> Any:
    """Return SciPy's constraints with functions of a vector, and with their Jacobians."""
    single = isinstance(constraints, dict) or hasattr(constraints, "lb")
    made: list[Any] = []
    for one in [constraints] if single else constraints:
        if isinstance(one, dict):
            of_vector = _of_vector(one["fun"], unknowns, one.get("args", ()))
            given = {key: part for key, part in one.items() if key != "args"}
            made.append(given | {"fun": _plain(of_vector), "jac": jacobian(of_vector)})
        elif hasattr(one, "fun"):
            of_vector = _of_vector(one.fun, unknowns, ())
            jac, fun = jacobian(of_vector), _plain(of_vector)
            kept = one.keep_feasible
            made.append(scipy.NonlinearConstraint(fun, one.lb, one.ub, jac, one.hess, kept))
        else:
            made.append(one)
    return made


def _of_vector(
    function: Callable[..., Any], unknowns: _Unknowns, args: tuple[Any, ...]
) -> Callable[[Any], Any]:
    """Return a function of nested unknowns as one of a vector, to a vector."""
    return lambda vector: _vector(function(unknowns.structured(vector), *args))


def _plain(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda vector: unwrap(function(vector))


def _callback(callback: Callable[..., Any], unknowns: _Unknowns) -> Callable[..., Any]:
    """Return a callback of a vector; SciPy asks for the name of its parameter."""
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:

        def of_result(intermediate_result: Any) -> Any:
            shown = type(intermediate_result)(intermediate_result)
            shown["x"] = unknowns.structured(intermediate_result.x)
            return callback(intermediate_result=shown)

        return of_result
    return lambda x, *state: callback(unknowns.structured(x), *state)


# -- roots -----------------------------------------------------------------------------------------


def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    *,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """Solve `fun(x, *args) == 0` with `scipy.optimize.root`, which gets the Jacobian where the
    method takes one.

    `x` of the result is differentiable in `args`, and in whatever else `fun` uses, to any order.

    Args:
        fun: `fun(x, *args)`, as many numbers as `x` has, in any structure.
        x0: where to begin: an array, or nested lists, tuples and dicts of arrays; a list of numbers
            is a vector.
        args: further arguments, a tuple.
        method: one of SciPy's names, such as "hybr", "lm", "krylov".
        tol: tolerance of the method.
        callback: as in SciPy, of nested x and f.
        options: of the method.

    Returns:
        SciPy's `OptimizeResult`, where `x` has the structure of `x0`.

    Example:
        >>> import autograd
        >>> def cube_root(a):
        ...     return root(lambda x, a: x**3 - a, 1.0, (a,)).x[0]
        >>> autograd.value_and_grad(cube_root)(8.0)
        (np.float64(2.0), np.float64(0.0833...))
    """
    scipy = require("scipy.optimize", extra="special")
    unknowns, args = _Unknowns("root", x0), _as_tuple(args)
    of_vector = _of_vector(fun, unknowns, concrete(args, "root"))
    with no_grad():
        values = _plain(of_vector)
        count = values(unknowns.start).size
        if count != len(unknowns.start):
            raise ValueError(
                f"root: wanted as many equations as unknowns, {len(unknowns.start)}, got {count}; "
                "autograd.optimize.least_squares takes more"
            )
        found = scipy.root(
            values,
            unknowns.start,
            method=method,
            jac=jacobian(of_vector) if method in _WITH_JACOBIAN else None,
            tol=tol,
            callback=callback and (lambda x, f: callback(unknowns.structured(x), f)),
            options=options,
        )
    return unknowns.finished(found, _of_vector(fun, unknowns, args), (x0, args))


def root_scalar(
    f: Callable[..., Any],
    args: Any = (),
    method: str | None = None,
    bracket: Sequence[float] | None = None,
    *,
    x0: float | None = None,
    x1: float | None = None,
    **options: Any,
) -> Any:
    """Solve `f(x, *args) == 0` for one number with `scipy.optimize.root_scalar`, which gets the
    derivatives that "newton" and "halley" take.

    `root` of the result is differentiable in `args`, and in whatever else `f` uses, to any order.

    Args:
        f: `f(x, *args)`, one real number.
        args: further arguments, a tuple.
        method: one of SciPy's names, such as "brentq", "newton", "halley"; SciPy chooses by what is
            given: "brentq" for a bracket, "newton" for `x0`.
        bracket: two numbers between which `f` changes its sign.
        x0: where to begin.
        x1: a second start, for "secant".
        **options: further keywords of SciPy's function: `xtol`, `rtol`, `maxiter`, `options`.

    Returns:
        SciPy's `RootResults`.

    Raises:
        ValueError: `f` has the same sign at both ends of the bracket.

    Example:
        >>> import autograd
        >>> def cube_root(a):
        ...     return root_scalar(lambda x, a: x**3 - a, (a,), x0=1.0, method="newton").root
        >>> autograd.value_and_grad(cube_root)(8.0)
        (np.float64(2.0), np.float64(0.0833...))
    """
    return _scalar_root(f, args, method, bracket=bracket, x0=x0, x1=x1, **options)


def _scalar_root(
    f: Callable[..., Any], args: Any, method: str | None, *, strict: bool = False, **options: Any
) -> Any:
    """Find a root; where `strict`, raise if there is none."""
    scipy = require("scipy.optimize", extra="special")
    args = _as_tuple(args)
    plain = concrete(args, "root_scalar")

    def value(x: Any) -> Any:
        return f(x, *plain)

    def number(function: Callable[[Any], Any]) -> Callable[[Any], float]:
        def call(x: float) -> float:
            found = unwrap(function(np.float64(x)))
            if np.ndim(found):
                raise TypeError(
                    f"root_scalar: wanted one number from f, got shape {np.shape(found)}; "
                    "autograd.optimize.root solves several equations"
                )
            return float(found)

        return call

    if options.get("bracket") is None and options.get("x0") is None:
        raise ValueError(
            "root_scalar: wanted a bracket or x0, got neither; write bracket=(a, b), between which "
            "f changes its sign"
        )
    if method is None and options.get("bracket") is None and options.get("x1") is None:
        method = "newton"
    name = method.lower() if method else ""
    if name in ("newton", "halley"):
        options = {"fprime": number(grad(value))} | options
    if name == "halley":
        options = {"fprime2": number(grad(grad(value)))} | options
    with no_grad():
        found = scipy.root_scalar(number(value), method=method, **options)
    if strict and not found.converged:
        raise RuntimeError(f"brentq: wanted a root within {found.iterations} steps, got none")
    x = solution(lambda x: f(x, *args), np.float64(found.root))
    if isinstance(x, Variable) and not found.converged:
        warnings.warn(
            "root_scalar: the gradient of the root supposes that it is one, and SciPy says: "
            f"{found.flag}",
            RuntimeWarning,
            user_level(),
        )
    found["root"] = x
    return found


def brentq(f: Callable[..., Any], a: float, b: float, args: Any = (), **options: Any) -> Any:
    """Return the root of `f(x, *args)` between `a` and `b`, where its signs differ, by Brent's
    method (`scipy.optimize.brentq`), differentiable in `args` and in whatever else `f` uses.

    Args:
        f: `f(x, *args)`, one real number.
        a: one end of the bracket.
        b: the other end.
        args: further arguments, a tuple.
        **options: `xtol`, `rtol` and `maxiter` of SciPy's function.

    Raises:
        ValueError: `f` has the same sign at `a` and `b`.
        RuntimeError: no root after `maxiter` steps.

    Example:
        >>> import autograd
        >>> autograd.grad(lambda c: brentq(lambda x: np.cos(x) - c * x, 0, 1.5))(1.0)
        np.float64(-0.4416...)
    """
    return _scalar_root(f, args, "brentq", bracket=(a, b), strict=True, **options).root


# -- least squares ---------------------------------------------------------------------------------

# The losses of SciPy by the square z of a residual.
_LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2 * ((1 + z) ** 0.5 - 1),
    "huber": lambda z: elementwise.where(z <= 1, z, 2 * elementwise.maximum(z, 1.0) ** 0.5 - 1),
    "cauchy": elementwise.log1p,
    "arctan": elementwise.arctan,
}


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    bounds: Sequence[Any] = (-np.inf, np.inf),
    method: str = "trf",
    loss: str = "linear",
    f_scale: float = 1.0,
    **options: Any,
) -> Any:
    """Minimise the sum of squares of `fun(x, *args)` with `scipy.optimize.least_squares`, which
    gets the Jacobian.

    `x` of the result is differentiable in `args`, and in whatever else `fun` uses, to any order:
    there the gradient of the sum is 0, and unknowns at a bound stay there.

    Args:
        fun: residuals `fun(x, *args)`, in any structure.
        x0: where to begin: an array, or nested lists, tuples and dicts of arrays; a list of numbers
            is a vector.
        args: further arguments, a tuple.
        bounds: lower and upper ones, each a number or numbers in the structure of `x0`.
        method: "trf", "dogbox" or "lm".
        loss: "linear", "soft_l1", "huber", "cauchy" or "arctan".
        f_scale: the size of a residual where `loss` begins to be less than its square.
        **options: further keywords of SciPy's function.

    Returns:
        SciPy's `OptimizeResult`, where `x` has the structure of `x0`.

    Example:
        >>> t = np.array([0.0, 1.0, 2.0])
        >>> found = least_squares(lambda p: p[0] * np.exp(-p[1] * t) - [4.0, 2.0, 1.0], [1.0, 1.0])
        >>> np.round(found.x, 4)
        array([4.    , 0.6931])
    """
    scipy = require("scipy.optimize", extra="special")
    unknowns, args = _Unknowns("least_squares", x0), _as_tuple(args)
    if loss not in _LOSSES:
        names = ", ".join(map(repr, _LOSSES))
        raise ValueError(f"least_squares: wanted a loss among {names}, got {loss!r}")
    of_vector = _of_vector(fun, unknowns, concrete(args, "least_squares"))
    low, high = (unknowns.spread(concrete(side, "least_squares"), "bounds") for side in bounds)
    with no_grad():
        found = scipy.least_squares(
            _plain(of_vector),
            unknowns.start,
            jacobian(of_vector),
            (low, high),
            method,
            loss=loss,
            f_scale=f_scale,
            **options,
        )
    reached, at_bound = found.x.copy(), found.active_mask != 0
    residuals = _of_vector(fun, unknowns, args)
    slope = grad(lambda v: reductions.sum(_LOSSES[loss]((residuals(v) / f_scale) ** 2)))

    def condition(vector: Any) -> Any:
        return elementwise.where(at_bound, vector - reached, slope(vector))

    return unknowns.finished(found, condition, (x0, args))
