"""Loops over parameters: the steps of SGD and Adam in one pass over memory. Imports the mechanism.

The names of options and of state are those of `optim`.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.kernels._arrays import alike
from autograd.kernels._jit import loop
from autograd.kernels._switch import instead_of

__all__ = ["adam", "sgd"]

_LARGE = 1 << 15  # elements from which a loop is faster than NumPy


@loop
def _sgd(p: Any, g: Any, buffer: Any, lr: float, keep: float, take: float, ahead: bool) -> None:
    real = p.dtype.type
    lr, keep, take = real(lr), real(keep), real(take)
    for i in range(p.size):
        b = keep * buffer[i] + take * g[i]
        buffer[i] = b
        p[i] -= lr * (g[i] + keep * b if ahead else b)


@instead_of("SGD", "update")
def sgd(self: Any, p: Any, g: Any, state: Any, group: Any, scratch: Any) -> Any:
    """Stand for `SGD.update` with momentum; the first step and penalties are left to it."""
    penalties = ("weight_decay", "weight_decay_l1", "maximize")
    buffer = state.get("momentum_buffer")
    if not alike(_LARGE, p, g, buffer) or state["step"] == 1 or any(group[k] for k in penalties):
        return NotImplemented
    momentum, take = float(group["momentum"]), 1.0 - group["dampening"]
    return _sgd(p, g, buffer, float(group["lr"]), momentum, take, bool(group["nesterov"]))


@loop
def _adam(
    p: Any, g: Any, mean: Any, square: Any, beta1: float, beta2: float, eps: float, rate: float,
    penalty: float, decay: float,
) -> None:  # fmt: skip
    real = p.dtype.type
    rest1, rest2 = real(1.0 - beta1), real(1.0 - beta2)
    beta1, beta2, eps, rate = real(beta1), real(beta2), real(eps), real(rate)
    penalty, decay = real(penalty), real(decay)
    for i in range(p.size):
        v = decay * p[i]
        slope = g[i] + penalty * v
        m = beta1 * mean[i] + rest1 * slope
        s = beta2 * square[i] + rest2 * (slope * slope)
        mean[i], square[i] = m, s
        p[i] = v - rate * (m / (math.sqrt(s) + eps))


@instead_of("Adam", "update")
def adam(self: Any, p: Any, g: Any, state: Any, group: Any, scratch: Any) -> Any:
    """Stand for `Adam.update`, and so for that of `AdamW`; the rare options are left to it."""
    mean, square = state["exp_avg"], state["exp_avg_sq"]
    if not alike(_LARGE, p, g, mean, square) or group["amsgrad"] or group["maximize"]:
        return NotImplemented
    (beta1, beta2), step, lr = group["betas"], state["step"], group["lr"]
    root = math.sqrt(1 - beta2**step)
    penalty, decay = group["weight_decay"], 1.0
    if group["decoupled_weight_decay"]:
        penalty, decay = 0.0, 1.0 - lr * penalty
    rate = lr * root / (1 - beta1**step)
    eps = group["eps"] * root
    return _adam(p, g, mean, square, beta1, beta2, eps, rate, float(penalty), float(decay))
