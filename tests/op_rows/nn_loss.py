"""Rows of `nn/functional/_loss.py`, against their formulas as textbooks write them."""

import numpy as np
from op_table import Case, Row

from nn import functional


def _row(name, twin, *cases, **options):
    return Row(
        f"nn.{name}",
        getattr(functional, name.partition("[")[0]),
        twin,
        cases,
        method=False,
        **options,
    )


def _each_reduction(*shapes, domain="real", **kwargs):
    return [
        Case(*shapes, domain=domain, kwargs=kwargs | {"reduction": reduction})
        for reduction in ("mean", "sum", "none")
    ]


def _reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda x: x}[reduction](loss)


def _huber(x, y, reduction="mean", delta=1.0):
    d = np.abs(x - y)
    return _reduced(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)), reduction)


def _smooth(x, y, reduction="mean", beta=1.0):
    d = np.abs(x - y)
    if beta == 0:
        return _reduced(d, reduction)
    return _reduced(np.where(d < beta, d * d / (2 * beta), d - beta / 2), reduction)


def _bce(p, t, weight=1.0, reduction="mean"):
    return _reduced(-(t * np.log(p) + (1 - t) * np.log(1 - p)) * weight, reduction)


def _bce_logits(x, t, weight=1.0, reduction="mean", pos_weight=1.0):
    p = 1 / (1 + np.exp(-x))
    return _reduced(-(pos_weight * t * np.log(p) + (1 - t) * np.log(1 - p)) * weight, reduction)


def _kl(x, t, reduction="mean", log_target=False):
    loss = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
    return loss.sum() / len(x) if reduction == "batchmean" else _reduced(loss, reduction)


def _log_softmax(x, axis):
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def _nll(log_p, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """Loop over samples: slow and plain."""
    axis = 0 if log_p.ndim == 1 else 1
    rows = np.moveaxis(log_p, axis, -1)
    classes = rows.shape[-1]
    weight = np.ones(classes) if weight is None else weight
    target = np.asarray(target)
    losses = np.zeros(target.shape)
    total = 0.0
    for place in np.ndindex(target.shape):
        k = target[place]
        if k == ignore_index:
            continue
        losses[place] = -(1 - label_smoothing) * weight[k] * rows[place][k]
        losses[place] -= label_smoothing / classes * (weight * rows[place]).sum()
        total += weight[k]
    return losses.sum() / total if reduction == "mean" else _reduced(losses, reduction)


def _cross_entropy(
    x, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    axis = 0 if x.ndim == 1 else 1
    log_p = _log_softmax(x, axis)
    if np.shape(target) != x.shape:
        return _nll(log_p, target, weight, ignore_index, reduction, label_smoothing)
    weight = np.ones(x.shape[axis]) if weight is None else weight
    q = target * (1 - label_smoothing) + label_smoothing / x.shape[axis]
    shape = [1] * x.ndim
    shape[axis] = -1
    return _reduced(-(q * weight.reshape(shape) * log_p).sum(axis), reduction)


def _logits(*shape, target, **kwargs):
    return Case(make=lambda rng: (rng.normal(size=shape), np.array(target)), kwargs=kwargs)


WEIGHT = np.array([0.5, 2.0, 1.0])
SPACE = [[0, 1], [2, 1]]  # two samples with an extra axis of length 2

_CLASSES = [
    case
    for reduction in ("mean", "sum", "none")
    for case in (
        _logits(4, 3, target=[0, 2, 1, 1], reduction=reduction),
        _logits(4, 3, target=[0, 2, -100, 1], reduction=reduction, weight=WEIGHT),
        _logits(2, 3, 2, target=SPACE, reduction=reduction, ignore_index=1),
        _logits(3, target=2, reduction=reduction),
    )
]

ROWS = [
    _row(
        "mse_loss",
        lambda x, y, reduction: _reduced((x - y) ** 2, reduction),
        *_each_reduction((3, 2), (3, 2)),
        *_each_reduction((4,), (4,)),
    ),
    _row(
        "l1_loss",
        lambda x, y, reduction: _reduced(np.abs(x - y), reduction),
        *_each_reduction(
            (3, 2), (3, 2), domain=("positive", lambda rng, shape: -rng.uniform(1, 2, shape))
        ),
    ),
    _row(
        "huber_loss",
        _huber,
        *_each_reduction((3, 2), (3, 2)),
        *_each_reduction((4,), (4,), delta=0.3),
    ),
    _row(
        "smooth_l1_loss",
        _smooth,
        *_each_reduction((3, 2), (3, 2)),
        *_each_reduction((4,), (4,), beta=0.0),
        *_each_reduction((4,), (4,), beta=0.3),
    ),
    _row(
        "binary_cross_entropy",
        _bce,
        *_each_reduction((3, 2), (3, 2), domain=("probability", "probability")),
        Case((3, 2), (3, 2), domain="probability", kwargs={"weight": np.array([0.5, 3.0])}),
    ),
    _row(
        "binary_cross_entropy_with_logits",
        _bce_logits,
        *_each_reduction((3, 2), (3, 2), domain=("real", "probability")),
        Case(
            (3, 2),
            (3, 2),
            domain=("real", "probability"),
            kwargs={"weight": np.array([0.5, 3.0]), "pos_weight": np.array([2.0, 0.2])},
        ),
    ),
    _row(
        "kl_div",
        _kl,
        *_each_reduction((3, 2), (3, 2), domain=("real", "probability")),
        *_each_reduction((3, 2), (3, 2), log_target=True),
        Case((3, 2), (3, 2), domain=("real", "probability"), kwargs={"reduction": "batchmean"}),
    ),
    _row("nll_loss", _nll, *_CLASSES),
    _row(
        "cross_entropy",
        _cross_entropy,
        *_CLASSES,
        *[
            _logits(
                4,
                3,
                target=[0, 2, -100, 1],
                label_smoothing=0.1,
                weight=WEIGHT,
                reduction=reduction,
            )
            for reduction in ("mean", "sum", "none")
        ],
        _logits(2, 3, 2, target=SPACE, label_smoothing=0.2),
        Case((4, 3), (4, 3), domain=("real", "probability")),
        Case(
            (2, 3, 2),
            (2, 3, 2),
            domain=("real", "probability"),
            kwargs={"weight": WEIGHT, "label_smoothing": 0.3},
        ),
    ),
]
