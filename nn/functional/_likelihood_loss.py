"""Negative log-likelihoods of numbers under a distribution. Imports `_loss` and `autograd`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd.engine.calls import detached, holds
from nn.functional._loss import check_reduction, reduced
from nn.functional._margin_loss import alike

__all__ = ["gaussian_nll_loss", "poisson_nll_loss"]


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """Return rate - target log(rate), for counts that are distributed as Poisson(rate).

    Args:
        input: the rate's logarithm, or the rate, of any shape.
        target: counts of the same shape.
        log_input: whether `input` is the logarithm.
        full: whether Stirling's approximation of log(target!) is added, for targets above 1.
        eps: added to a rate before its logarithm is taken.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where the shapes differ.
    """
    check_reduction("poisson_nll_loss", reduction)
    input, target = alike("poisson_nll_loss", input=input, target=target)
    rate, logarithm = (np.exp(input), input) if log_input else (input, np.log(input + eps))
    loss = rate - target * logarithm
    if full:
        counts = autograd.where(target > 1, target, 1.0)
        stirling = counts * np.log(counts) - counts + 0.5 * np.log(2 * math.pi * counts)
        loss = loss + autograd.where(target > 1, stirling, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """Return (log(var) + (input - target)^2 / var) / 2, for targets distributed as N(input, var).

    Args:
        input: expectations of any shape.
        target: numbers of the same shape.
        var: variances: a number, of the shape of `input`, or of that shape without the last axis or
            with lengths of 1.
        full: whether log(2 pi) / 2 is added.
        eps: smaller variances are raised to it; their gradient is that at `eps`.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: where shapes do not fit or a variance is negative.

    References:
        D. Nix, A. Weigend, Estimating the mean and variance of the target probability distribution,
        ICNN 1994.
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    input, target = alike(name, input=input, target=target)
    if not hasattr(var, "dtype"):
        var = np.asarray(var, dtype=input.dtype)
    if var.ndim and var.shape == input.shape[:-1] != input.shape:
        var = var[..., None]
    elif var.ndim and not (
        var.ndim == input.ndim
        and all(n in (1, m) for n, m in zip(var.shape, input.shape, strict=True))
    ):
        raise ValueError(
            f"{name}: wanted a var of shape {input.shape}, {input.shape[:-1]} or with lengths of "
            f"1, got {var.shape}"
        )
    least = detached(var).min(initial=0.0)
    if holds(least < 0, traced=False):
        raise ValueError(f"{name}: wanted variances of at least 0, got {least:.6g}")
    # Raised by a constant, so that a variance below eps is still told in which direction to go.
    fixed = var.detach() if isinstance(var, autograd.Variable) else var
    var = var + (np.maximum(fixed, eps) - fixed)
    error = input - target
    loss = 0.5 * (np.log(var) + error * error / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
