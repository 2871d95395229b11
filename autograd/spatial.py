"""Distances between points, with the names of `scipy.spatial.distance`.

Not imported by `import autograd`. Imports `ops`, `linalg` and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import linalg
from autograd.ops import elementwise, reductions
from autograd.ops.contractions import as_array

__all__ = ["cdist", "pdist"]


def _cosine(a: Any, b: Any) -> Any:
    lengths = linalg.norm(a, axis=-1) * linalg.norm(b, axis=-1)
    return 1.0 - reductions.sum(a * b, axis=-1) / lengths


def _correlation(a: Any, b: Any) -> Any:
    a = a - reductions.mean(a, axis=-1, keepdims=True)
    return _cosine(a, b - reductions.mean(b, axis=-1, keepdims=True))


_METRICS: dict[str, Callable[..., Any]] = {
    "canberra": lambda a, b: reductions.sum(
        elementwise.absolute(a - b) / (elementwise.absolute(a) + elementwise.absolute(b)), axis=-1
    ),
    "chebyshev": lambda a, b: reductions.max(elementwise.absolute(a - b), axis=-1),
    "cityblock": lambda a, b: reductions.sum(elementwise.absolute(a - b), axis=-1),
    "correlation": _correlation,
    "cosine": _cosine,
    "euclidean": lambda a, b: linalg.norm(a - b, axis=-1),
    "minkowski": lambda a, b, p=2.0: linalg.norm(a - b, ord=p, axis=-1),
    "sqeuclidean": lambda a, b: reductions.sum((a - b) ** 2, axis=-1),
}


def cdist(XA: Any, XB: Any, metric: str = "euclidean", **options: Any) -> Any:
    """Return the distances between the points of two collections: (m, d), (n, d) -> (m, n).

    Differentiable in both. Where two points are the same, the gradient of a Euclidean, Minkowski or
    city block distance is zero there, as everywhere for a norm (see the conventions).

    Args:
        XA: m points.
        XB: n points.
        metric: "euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski" (with `p=`),
            "cosine", "correlation" or "canberra".
        **options: of the metric.

    Raises:
        ValueError: another metric; operands that are no matrices with equally many columns.
        TypeError: an option that the metric does not have.

    Example:
        >>> import autograd
        >>> points = np.array([[0.0, 0.0], [3.0, 4.0]])
        >>> autograd.spatial.cdist(points, points)
        array([[0., 5.],
               [5., 0.]])
    """
    a, b = _points("cdist", "XA", XA), _points("cdist", "XB", XB)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"cdist: wanted points with equally many numbers, got shapes {a.shape} and {b.shape}"
        )
    return _measure("cdist", metric, options)(a[:, np.newaxis], b[np.newaxis])


def pdist(X: Any, metric: str = "euclidean", **options: Any) -> Any:
    """Return the distances between all pairs of points, (m, d) -> (m (m - 1) / 2,), in the order
    (0, 1), (0, 2) ... (1, 2) ...: see `cdist`.

    Example:
        >>> import autograd
        >>> autograd.spatial.pdist(np.array([[0.0], [3.0], [7.0]]))
        array([3., 7., 4.])
    """
    x = _points("pdist", "X", X)
    first, second = np.triu_indices(len(x), 1)
    return _measure("pdist", metric, options)(x[first], x[second])


def _points(who: str, name: str, value: Any) -> Any:
    x = as_array(who, name, value)
    if x.ndim != 2:
        raise ValueError(f"{who}: wanted {name} as a matrix of points, got shape {x.shape}")
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def _measure(who: str, metric: str, options: dict[str, Any]) -> Callable[[Any, Any], Any]:
    if metric not in _METRICS:
        known = ", ".join(map(repr, sorted(_METRICS)))
        raise ValueError(f"{who}: wanted one of the metrics {known}, got {metric!r}")
    if set(options) - ({"p"} if metric == "minkowski" else set()):
        raise TypeError(
            f"{who}: wanted p= for 'minkowski' as the only option, got {', '.join(options)} for "
            f"{metric!r}"
        )
    return lambda a, b: _METRICS[metric](a, b, **options)
