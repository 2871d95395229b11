"""Connectionist temporal classification: labels without their places in time.

Imports `_loss` and `autograd`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Variable
from autograd.engine.calls import concrete
from autograd.extend import primitive
from autograd.ops.plain import plain
from nn.functional._loss import check_reduction, reduced
from nn.functional._numbers import real

__all__ = ["ctc_loss"]


def _later(a: Any, by: int, fill: float) -> Any:
    """Move entries `by` places along the last axis, dropping the last ones."""
    start = np.full((*a.shape[:-1], min(by, a.shape[-1])), fill, a.dtype)
    return np.concatenate((start, a[..., :-by]), axis=-1)


def _earlier(a: Any, by: int) -> Any:
    end = np.zeros((*a.shape[:-1], min(by, a.shape[-1])), a.dtype)
    return np.concatenate((a[..., by:], end), axis=-1)


def _paths_x(g: Any, x: Any, out: Any, skips: Any) -> Any:
    """Go back in time: the share that a state had in those that followed it is its gradient."""
    before, total = out[:-1], np.where(out[1:] == -np.inf, 0.0, out[1:])
    own = x[1:] - total
    stay = np.exp(before + own)
    move = np.exp(_later(before, 1, -np.inf) + own)
    skip = np.where(skips, np.exp(_later(before, 2, -np.inf) + own), 0.0)
    pulled = g[-1]
    found = [pulled]
    for t in range(x.shape[0] - 2, -1, -1):
        pulled = (
            g[t] + stay[t] * pulled + _earlier(move[t] * pulled, 1) + _earlier(skip[t] * pulled, 2)
        )
        found.append(pulled)
    return np.stack(found[::-1])


# One primitive: composed of logaddexp, both passes take 2.3 times as long (T = 100, N = 16).
@primitive(name="ctc_paths", x=_paths_x, nondiff=("skips",))
def _paths(x: Any, skips: Any) -> Any:
    """Return the log-probability of all paths that are in a state at a time.

    Args:
        x: log-probabilities of the states' labels, of shape (T, N, states).
        skips: (N, states), where a path may come from the state before the last.
    """
    out = np.full_like(x, -np.inf)
    out[0, :, :2] = x[0, :, :2]
    for t in range(1, len(x)):
        before = out[t - 1]
        total = np.logaddexp(before, _later(before, 1, -np.inf))
        jumped = np.where(skips, _later(before, 2, -np.inf), -np.inf)
        out[t] = x[t] + np.logaddexp(total, jumped)
    return out


def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return minus the log-probability of all ways to read the targets out of the input.

    A way names a class or the blank at each step; it reads as the targets once repetitions are
    merged and then blanks dropped.

    The gradient is that of `log_probs` as independent numbers. PyTorch's adds a term that vanishes
    in a log_softmax before this; behind one, both are equal.

    Args:
        log_probs: log-probabilities of shape (T, N, C), or (T, C) for a single sequence.
        targets: class indices of shape (N, S) with anything at the end of shorter ones, or (sum of
            target_lengths,), all after each other.
        input_lengths: N numbers of steps, at most T; one number for a single sequence.
        target_lengths: N numbers of targets, likewise.
        blank: the class of the blank.
        reduction: "mean" (each loss divided by the number of targets, then averaged), "sum" or
            "none".
        zero_infinity: whether losses are 0, without gradient, where the input is too short for the
            targets, instead of infinite.

    Raises:
        TypeError: for targets or lengths that are no integers.
        ValueError: where shapes or lengths do not fit, or a class index is out of range.

    References:
        A. Graves et al., Connectionist temporal classification, ICML 2006, eq. 6-8.

    Example:
        >>> import numpy as np, nn
        >>> even = np.log(np.full((2, 2), 0.5))  # "a", "a-" and "-a" of four ways read "a"
        >>> nn.functional.ctc_loss(even, np.array([1]), 2, 1, reduction="sum") + np.log(0.75)
        np.float64(0.0)
    """
    check_reduction("ctc_loss", reduction)
    real("ctc_loss", log_probs)
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs[:, None]
    if log_probs.ndim != 3:
        raise ValueError(
            f"ctc_loss: wanted log_probs of shape (T, N, C) or (T, C), got {log_probs.shape}"
        )
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: wanted a blank within {classes} classes, got {blank}")
    times = _lengths("input_lengths", input_lengths, batch)
    counts = _lengths("target_lengths", target_lengths, batch)
    targets = _integers("targets", targets)
    exact = targets.ndim == 1 and batch == 1  # not filled up
    padded = _padded(targets, counts)
    states, skips = _states(padded, times, counts, exact, steps, classes, blank)
    samples = np.arange(batch)
    paths = _paths(log_probs[:, samples[:, None], states], skips)
    on_blank = paths[times - 1, samples, 2 * counts]
    on_label = paths[times - 1, samples, np.maximum(2 * counts - 1, 0)]
    loss = -np.logaddexp(on_blank, autograd.where(counts > 0, on_label, -np.inf))
    if zero_infinity:
        loss = autograd.where(np.isinf(loss), 0.0, loss)
    if reduction == "mean":
        loss = loss / np.maximum(counts, 1).astype(loss.dtype)
    return loss[0] if single and reduction == "none" else reduced(loss, reduction)


def _integers(which: str, x: Any) -> Any:
    x = x if isinstance(x, Variable) else np.asarray(x)
    if x.dtype.kind not in "iu" and x.size:
        raise TypeError(f"ctc_loss: wanted integers as {which}, got {x.dtype}")
    return x.astype(np.int64)


def _lengths(which: str, lengths: Any, batch: int) -> Any:
    lengths = _integers(which, lengths).reshape(-1)
    if lengths.size != batch:
        raise ValueError(
            f"ctc_loss: wanted {batch} {which}, one for each sequence, got {lengths.size}"
        )
    return lengths


def _padded(targets: Any, counts: Any) -> Any:
    """Return the targets in a row for each sample, with anything at the end of shorter ones."""
    batch = len(counts)
    if targets.ndim == 1 and batch == 1:
        return targets[None]
    if targets.ndim != 1:
        if targets.ndim != 2 or len(targets) != batch:
            raise ValueError(
                f"ctc_loss: wanted targets of shape ({batch}, S) or (sum of target_lengths,), got "
                f"{targets.shape}"
            )
        return targets
    # How many belong to a sample is in the values.
    targets, counts = concrete((targets, counts), "ctc_loss")
    if targets.size != counts.sum():
        raise ValueError(
            f"ctc_loss: wanted {counts.sum()} targets, the sum of target_lengths, got "
            f"{targets.size}"
        )
    padded = np.zeros((batch, counts.max(initial=0)), np.int64)
    padded[np.arange(padded.shape[1]) < counts[:, None]] = targets
    return padded


@plain
def _states(
    targets: Any,
    times: Any,
    counts: Any,
    exact: bool,
    steps: int,
    classes: int,
    blank: int,
) -> tuple[Any, Any]:
    """Return the label of each state, (N, 2 S + 1), and where a path may come from the state before
    the last: at the labels that differ from the one before. What follows a sample's own targets is
    blank.
    """
    longest = targets.shape[1]
    if exact and (counts < longest).any():
        raise ValueError(
            f"ctc_loss: wanted {counts.min()} targets, the sum of target_lengths, got {longest}"
        )
    for which, lengths, low, high in (
        ("input_lengths", times, 1, steps),
        ("target_lengths", counts, 0, longest),
    ):
        if (lengths < low).any() or (lengths > high).any():
            raise ValueError(
                f"ctc_loss: wanted {len(lengths)} {which} from {low} to {high}, got "
                f"{lengths.tolist()}"
            )
    present = np.arange(longest) < counts[:, None]
    wrong = present & ((targets < 0) | (targets >= classes) | (targets == blank))
    if wrong.any():
        raise ValueError(
            f"ctc_loss: wanted targets from 0 to {classes - 1} other than the blank, {blank}, got "
            f"{targets[wrong][0]}"
        )
    labels = np.where(present, targets, blank)
    states = np.full((len(labels), 2 * longest + 1), blank)
    states[:, 1::2] = labels
    skips = np.zeros(states.shape, dtype=bool)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return states, skips
