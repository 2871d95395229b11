"""Rows of the losses with a margin and of the likelihoods, against loops over their formulas."""

import itertools

import numpy as np
from op_table import Case, Row

from nn import functional


def _row(name, twin, *cases, **options):
    return Row(f"nn.{name}", getattr(functional, name), twin, cases, method=False, **options)


def _reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](loss)


def _cases(make, **kwargs):
    return [Case(make=make, kwargs=kwargs | {"reduction": r}) for r in ("mean", "sum", "none")]


def _normal(*shapes, rest=()):
    return lambda rng: (*(rng.normal(size=shape) for shape in shapes), *rest)


SIGNS = np.array([1, -1, -1, 1])


def _ranking(x, y, t, margin=0.0, reduction="mean"):
    return _reduced(np.maximum(0, margin - t * (x - y)), reduction)


def _hinge(x, t, margin=1.0, reduction="mean"):
    return _reduced(np.where(t == 1, x, np.maximum(0, margin - x)), reduction)


def _cosine(x, y, t, margin=0.0, reduction="mean"):
    c = (x * y).sum(-1) / np.sqrt(((x**2).sum(-1) + 1e-12) * ((y**2).sum(-1) + 1e-12))
    return _reduced(np.where(t == 1, 1 - c, np.maximum(0, c - margin)), reduction)


def _soft_margin(x, t, reduction="mean"):
    return _reduced(np.log(1 + np.exp(-t * x)), reduction)


def _triplet(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
    def distance(x, y):
        return (np.abs(x - y + eps) ** p).sum(-1) ** (1 / p)

    far = distance(anchor, negative)
    if swap:
        far = np.minimum(far, distance(positive, negative))
    return _reduced(np.maximum(0, margin + distance(anchor, positive) - far), reduction)


def _manhattan(x, y):
    return np.abs(x - y).sum(-1)


def _with_distance(a, p, n, distance_function=None, margin=1.0, swap=False, reduction="mean"):
    return _triplet(a, p, n, margin, 1.0, 0.0, swap, reduction)


def _multi_margin(x, target, p=1, margin=1.0, weight=None, reduction="mean"):
    rows, target = np.atleast_2d(x), np.atleast_1d(target)
    losses = []
    for row, k in zip(rows, target, strict=True):
        others = [max(0, margin - row[k] + s) ** p for i, s in enumerate(row) if i != k]
        losses.append(sum(others) / len(row) * (1 if weight is None else weight[k]))
    losses = np.array(losses) if x.ndim == 2 else np.array(losses)[0]
    return _reduced(losses, reduction)


def _multilabel_margin(x, target, reduction="mean"):
    losses = []
    for row, listed in zip(np.atleast_2d(x), np.atleast_2d(target), strict=True):
        labels = list(itertools.takewhile(lambda k: k >= 0, listed))
        others = [i for i in range(len(row)) if i not in labels]
        pairs = [max(0, 1 - row[k] + row[i]) for k in labels for i in others]
        losses.append(sum(pairs) / len(row))
    losses = np.array(losses) if x.ndim == 2 else np.array(losses)[0]
    return _reduced(losses, reduction)


def _multilabel_soft_margin(x, t, weight=1.0, reduction="mean"):
    p = 1 / (1 + np.exp(-x))
    loss = -(t * np.log(p) + (1 - t) * np.log(1 - p)) * weight
    return _reduced(loss.mean(-1), reduction)


def _poisson(x, t, log_input=True, full=False, eps=1e-8, reduction="mean"):
    loss = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        large = np.where(t > 1, t, 1)
        stirling = large * np.log(large) - large + np.log(2 * np.pi * large) / 2
        loss = loss + np.where(t > 1, stirling, 0)
    return _reduced(loss, reduction)


def _gaussian(x, t, var, full=False, eps=1e-6, reduction="mean"):
    if var.shape == x.shape[:-1]:
        var = var[..., None]
    loss = (np.log(var) + (x - t) ** 2 / var) / 2 + (np.log(2 * np.pi) / 2 if full else 0)
    return _reduced(loss, reduction)


def _linear_cross_entropy(x, w, target, linear_bias=0.0, reduction="mean"):
    logits = x @ w.T + linear_bias
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return _reduced(-log_p[np.arange(len(x)), target], reduction)


def _ctc(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean"):
    """Sum over all ways there are to name a class at each step."""
    losses = []
    for n, (steps, count) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        total = 0.0
        for path in itertools.product(range(log_probs.shape[2]), repeat=steps):
            merged = [k for i, k in enumerate(path) if i == 0 or k != path[i - 1]]
            if [k for k in merged if k != blank] == list(targets[n][:count]):
                total += np.exp(sum(log_probs[t, n, k] for t, k in enumerate(path)))
        losses.append(-np.log(total))
    if reduction == "mean":
        return np.mean(np.array(losses) / np.maximum(target_lengths, 1))
    return _reduced(np.array(losses), reduction)


VECTORS = _normal((4, 3), (4, 3), (4, 3))
TARGETS = np.array([[1, 2, 2], [2, 1, 0], [0, 0, 0]])

ROWS = [
    _row(
        "margin_ranking_loss",
        _ranking,
        *_cases(_normal((4,), (4,), rest=(SIGNS,))),
        *_cases(_normal((4,), (4,), rest=(SIGNS,)), margin=0.7),
    ),
    _row(
        "hinge_embedding_loss",
        _hinge,
        *_cases(lambda rng: (rng.permutation([0.2, 0.7, 1.3, 1.8]), SIGNS)),
        *_cases(
            lambda rng: (rng.permutation([[0.2], [1.7]]) + SIGNS, -SIGNS * [[1], [-1]]), margin=2
        ),
    ),
    _row(
        "cosine_embedding_loss",
        _cosine,
        *_cases(_normal((4, 3), (4, 3), rest=(SIGNS,))),
        *_cases(_normal((4, 3), (4, 3), rest=(SIGNS,)), margin=-0.4),
        Case(make=_normal((3,), (3,), rest=(np.array(1),))),
        rtol=1e-5,
    ),
    _row(
        "soft_margin_loss", _soft_margin, *_cases(_normal((4, 2), rest=(SIGNS[:, None] * [1, -1],)))
    ),
    _row(
        "triplet_margin_loss",
        _triplet,
        *_cases(VECTORS),
        *_cases(VECTORS, margin=2.0, p=3.0),
        *_cases(VECTORS, swap=True, p=1.0),
        Case(make=_normal((3,), (3,), (3,)), kwargs={"margin": 9.0}),
    ),
    _row(
        "triplet_margin_with_distance_loss",
        _with_distance,
        *_cases(VECTORS, distance_function=_manhattan),
        *_cases(VECTORS, distance_function=_manhattan, swap=True, margin=3.0),
    ),
    _row(
        "multi_margin_loss",
        _multi_margin,
        *_cases(_normal((4, 3), rest=(np.array([0, 2, 1, 1]),))),
        *_cases(
            _normal((4, 3), rest=(np.array([0, 2, 1, 1]),)),
            p=2,
            margin=0.6,
            weight=np.array([0.5, 2.0, 1.0]),
        ),
        Case(make=_normal((3,), rest=(np.array(2),))),
    ),
    _row(
        "multilabel_margin_loss",
        _multilabel_margin,
        *_cases(_normal((3, 4), rest=(np.array([[3, 0, -1, 1], [1, -1, 0, 0], [-1, 2, 2, 2]]),))),
        *_cases(_normal((4,), rest=(np.array([2, 0, 1, -1]),))),
    ),
    _row(
        "multilabel_soft_margin_loss",
        _multilabel_soft_margin,
        *_cases(lambda rng: (rng.normal(size=(4, 3)), rng.integers(0, 2, (4, 3)))),
        *_cases(
            lambda rng: (rng.normal(size=(4, 3)), rng.uniform(size=(4, 3))),
            weight=np.array([0.5, 2.0, 1.0]),
        ),
    ),
    _row(
        "poisson_nll_loss",
        _poisson,
        *_cases(lambda rng: (rng.normal(size=5), rng.integers(0, 5, 5))),
        *_cases(lambda rng: (rng.uniform(0.5, 3, 5), rng.integers(0, 5, 5)), log_input=False),
        *_cases(lambda rng: (rng.normal(size=5), rng.uniform(1.5, 4, 5)), full=True),
        *_cases(lambda rng: (rng.normal(size=5), rng.integers(0, 5, 5)), full=True),
    ),
    _row(
        "gaussian_nll_loss",
        _gaussian,
        *_cases(lambda rng: (*rng.normal(size=(2, 4, 3)), rng.uniform(0.5, 2, (4, 3)))),
        *_cases(lambda rng: (*rng.normal(size=(2, 4, 3)), rng.uniform(0.5, 2, (4, 1))), full=True),
        *_cases(lambda rng: (*rng.normal(size=(2, 4, 3)), rng.uniform(0.5, 2, 4))),
        *_cases(lambda rng: (*rng.normal(size=(2, 4, 3)), np.array(0.7))),
    ),
    Row(
        "nn.linear_cross_entropy",
        lambda x, w, b, target: functional.linear_cross_entropy(x, w, target, linear_bias=b),
        lambda x, w, b, target: _linear_cross_entropy(x, w, target, b),
        [Case(make=_normal((4, 3), (5, 3), (5,), rest=(np.array([0, 4, 2, 2]),)))],
        method=False,
    ),
    _row(
        "ctc_loss",
        _ctc,
        *[
            Case(
                make=lambda rng: (rng.normal(size=(4, 3, 3)), TARGETS, [4, 4, 3], [2, 2, 0]),
                kwargs={"reduction": reduction},
                order=2,
            )
            for reduction in ("mean", "sum", "none")
        ],
        Case(
            make=lambda rng: (
                rng.normal(size=(4, 2, 3)),
                np.array([[2, 2], [0, 2]]),
                [4, 2],
                [2, 2],
            ),
            kwargs={"blank": 1, "reduction": "sum"},
        ),
    ),
]
