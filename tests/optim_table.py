"""One row per algorithm: options to try, and its formula as the paper writes it.

A formula takes (p, g, t, memory, options) and returns the new p. It is written out of place, from
the paper, and knows nothing of the code in `optim`; `memory` is a dict that it may keep things in,
`t` counts steps from 1, `options` are the algorithm's arguments.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import optim


@dataclass(frozen=True)
class Row:
    formula: Callable[..., Any]
    defaults: dict[str, Any]
    variants: tuple[dict[str, Any], ...]
    rosenbrock: tuple[dict[str, Any], int]  # options, and steps that get through the valley
    in_torch: bool = True
    matrices: bool = False  # takes nothing else
    complex: bool = True  # takes complex parameters


def penalised(p, g, o):
    return (-g if o.get("maximize") else g) + o.get("weight_decay", 0.0) * p


def mean(memory, key, new, beta):
    memory[key] = beta * memory.get(key, 0.0) + (1 - beta) * new
    return memory[key]


def sgd(p, g, t, memory, o):
    g = penalised(p, g, o) + o["weight_decay_l1"] * np.sign(p)
    if o["momentum"] == 0:
        return p - o["lr"] * g
    memory["b"] = g if t == 1 else o["momentum"] * memory["b"] + (1 - o["dampening"]) * g
    return p - o["lr"] * (g + o["momentum"] * memory["b"] if o["nesterov"] else memory["b"])


def adam(p, g, t, memory, o):
    (b1, b2) = o["betas"]
    p, g = decoupled(p, g, o)
    m = mean(memory, "m", g, b1) / (1 - b1**t)
    v = mean(memory, "v", g**2, b2)
    if o["amsgrad"]:
        v = memory["largest"] = np.maximum(memory.get("largest", 0.0), v)
    return p - o["lr"] * m / (np.sqrt(v / (1 - b2**t)) + o["eps"])


def rmsprop(p, g, t, memory, o):
    g = penalised(p, g, o)
    variance = mean(memory, "v", g**2, o["alpha"])
    if o["centered"]:
        variance = variance - mean(memory, "a", g, o["alpha"]) ** 2
    step = g / (np.sqrt(variance) + o["eps"])
    memory["b"] = o["momentum"] * memory.get("b", 0.0) + step
    return p - o["lr"] * memory["b"]


def adagrad(p, g, t, memory, o):
    g = penalised(p, g, o)
    memory["s"] = memory.get("s", o["initial_accumulator_value"]) + g**2
    rate = o["lr"] / (1 + (t - 1) * o["lr_decay"])
    return p - rate * g / (np.sqrt(memory["s"]) + o["eps"])


def adadelta(p, g, t, memory, o):
    g = penalised(p, g, o)
    v = mean(memory, "v", g**2, o["rho"])
    step = np.sqrt(memory.get("u", 0.0) + o["eps"]) / np.sqrt(v + o["eps"]) * g
    mean(memory, "u", step**2, o["rho"])
    return p - o["lr"] * step


def adamax(p, g, t, memory, o):
    (b1, b2) = o["betas"]
    g = penalised(p, g, o)
    memory["u"] = np.maximum(b2 * memory.get("u", 0.0), np.abs(g) + o["eps"])
    return p - o["lr"] / (1 - b1**t) * mean(memory, "m", g, b1) / memory["u"]


def decoupled(p, g, o):
    if not o["decoupled_weight_decay"]:
        return p, penalised(p, g, o)
    return p - o["lr"] * o["weight_decay"] * p, penalised(p, g, o | {"weight_decay": 0.0})


def nadam(p, g, t, memory, o):
    (b1, b2) = o["betas"]
    p, g = decoupled(p, g, o)
    mu = [b1 * (1 - 0.5 * 0.96 ** (i * o["momentum_decay"])) for i in range(1, t + 2)]
    m = mean(memory, "m", g, b1)
    v = mean(memory, "v", g**2, b2) / (1 - b2**t)
    ahead = mu[t] * m / (1 - math.prod(mu)) + (1 - mu[t - 1]) * g / (1 - math.prod(mu[:t]))
    return p - o["lr"] * ahead / (np.sqrt(v) + o["eps"])


def radam(p, g, t, memory, o):
    (b1, b2) = o["betas"]
    p, g = decoupled(p, g, o)
    m = mean(memory, "m", g, b1) / (1 - b1**t)
    v = mean(memory, "v", g**2, b2)
    limit = 2 / (1 - b2) - 1
    length = limit - 2 * t * b2**t / (1 - b2**t)
    if length <= 5:
        return p - o["lr"] * m
    rectified = math.sqrt(
        (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    )
    return p - o["lr"] * m * rectified * math.sqrt(1 - b2**t) / (np.sqrt(v) + o["eps"])


def rprop(p, g, t, memory, o):
    g = penalised(p, g, o)
    turn = g * memory.get("g", np.zeros_like(p))
    factor = np.where(turn > 0, o["etas"][1], np.where(turn < 0, o["etas"][0], 1.0))
    size = np.clip(memory.get("size", np.full_like(p, o["lr"])) * factor, *o["step_sizes"])
    memory.update(g=np.where(turn < 0, 0.0, g), size=size)
    return p - size * np.sign(memory["g"])


def lion(p, g, t, memory, o):
    (b1, b2) = o["betas"]
    g = penalised(p, g, o | {"weight_decay": 0.0})
    direction = np.sign(b1 * memory.get("m", 0.0) + (1 - b1) * g)
    mean(memory, "m", g, b2)
    return p - o["lr"] * o["weight_decay"] * p - o["lr"] * direction


def asgd(p, g, t, memory, o):
    g = penalised(p, g, o)
    eta = o["lr"] / (1 + o["lambd"] * o["lr"] * (t - 1)) ** o["alpha"]
    return p - eta * (g + o["lambd"] * p)


def adafactor(p, g, t, memory, o):
    if p.size == 0:
        return p
    g = -g if o["maximize"] else g
    floor = np.finfo(p.dtype).eps if o["eps"][0] is None else o["eps"][0]
    rate = max(o["eps"][1], np.sqrt(np.mean(p**2))) * min(o["lr"], 1 / math.sqrt(t))
    beta = 1 - t ** o["beta2_decay"]
    if p.ndim < 2:
        v = mean(memory, "v", g**2, beta)
    else:
        # The paper's sums; a factor of a mean cancels but for the floor.
        n, m = p.shape[-2:]
        r = mean(memory, "r", np.sum(g**2, axis=-1), beta)
        c = mean(memory, "c", np.sum(g**2, axis=-2), beta)
        total = np.sum(r, axis=-1)[..., None, None]
        v = np.einsum("...i,...j->...ij", r / m, c / n) / np.maximum(total / (n * m), floor)
    u = g / np.maximum(np.sqrt(v), floor)
    u = u / max(1.0, np.sqrt(np.mean(u**2)) / o["d"])
    return p * (1 - o["lr"] * o["weight_decay"]) - rate * u


def muon(p, g, t, memory, o):
    if p.size == 0:
        return p
    b = mean(memory, "b", g, o["momentum"])
    u, s, vh = np.linalg.svd(
        o["momentum"] * b + (1 - o["momentum"]) * g if o["nesterov"] else b, full_matrices=False
    )
    # The iteration is a polynomial of the singular values.
    s = s / max(np.linalg.norm(s), o["eps"])
    for _ in range(o["ns_steps"]):
        s = sum(k * s**n for k, n in zip(o["ns_coefficients"], (1, 3, 5), strict=True))
    n, m = p.shape
    ratio = math.sqrt(max(1, n / m))
    if o["adjust_lr_fn"] == "match_rms_adamw":
        ratio = 0.2 * math.sqrt(max(n, m))
    return p - o["lr"] * o["weight_decay"] * p - o["lr"] * ratio * (u * s) @ vh


BETAS = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "maximize": False}
DECOUPLED = BETAS | {"decoupled_weight_decay": False}
MUON = {
    "lr": 1e-3,
    "weight_decay": 0.1,
    "momentum": 0.95,
    "nesterov": True,
    "ns_coefficients": (3.4445, -4.775, 2.0315),
    "eps": 1e-7,
    "ns_steps": 5,
    "adjust_lr_fn": None,
}

TABLE = {
    optim.SGD: Row(
        sgd,
        {
            "lr": 1e-3,
            "momentum": 0.0,
            "dampening": 0.0,
            "weight_decay": 0.0,
            "nesterov": False,
            "maximize": False,
            "weight_decay_l1": 0.0,
        },
        (
            {},
            {"lr": 0.05, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.9},
            {"lr": 0.05, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01},
            {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
            {"lr": 0.05, "momentum": 0.9, "maximize": True, "weight_decay": 0.1},
            {"lr": 0.05, "weight_decay_l1": 0.1},
            {"lr": 0.05, "weight_decay_l1": 0.1, "weight_decay": 0.2, "momentum": 0.5},
        ),
        rosenbrock=({"lr": 1e-3, "momentum": 0.9}, 4000),
    ),
    optim.Adam: Row(
        adam,
        DECOUPLED | {"amsgrad": False},
        (
            {},
            {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3},
            {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
            {"lr": 0.1, "amsgrad": True, "betas": (0.9, 0.5)},
            {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True},
        ),
        rosenbrock=({"lr": 0.03}, 2500),
    ),
    optim.AdamW: Row(
        adam,
        DECOUPLED | {"amsgrad": False, "weight_decay": 1e-2, "decoupled_weight_decay": True},
        ({}, {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}, {"lr": 0.1, "maximize": True}),
        rosenbrock=({"lr": 0.03, "weight_decay": 0.0}, 2500),
    ),
    optim.RMSprop: Row(
        rmsprop,
        {
            "lr": 1e-2,
            "alpha": 0.99,
            "eps": 1e-8,
            "weight_decay": 0.0,
            "momentum": 0.0,
            "centered": False,
            "maximize": False,
        },
        (
            {},
            {"alpha": 0.5, "weight_decay": 0.1, "eps": 1e-2},
            {"centered": True, "eps": 1e-2},
            {"centered": True, "momentum": 0.9, "eps": 1e-2, "maximize": True},
            {"momentum": 0.5},
        ),
        rosenbrock=({"lr": 1e-3}, 6000),
    ),
    optim.Adagrad: Row(
        adagrad,
        {
            "lr": 1e-2,
            "lr_decay": 0.0,
            "weight_decay": 0.0,
            "initial_accumulator_value": 0.0,
            "eps": 1e-10,
            "maximize": False,
        },
        (
            {},
            {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.1},
            {"lr": 0.5, "initial_accumulator_value": 0.5, "eps": 1e-2, "maximize": True},
        ),
        rosenbrock=({"lr": 0.5}, 4000),
    ),
    optim.Adadelta: Row(
        adadelta,
        {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0, "maximize": False},
        ({}, {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1}, {"maximize": True}),
        rosenbrock=({}, 6000),
    ),
    optim.Adamax: Row(
        adamax,
        BETAS | {"lr": 2e-3},
        ({}, {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1}, {"lr": 0.1, "maximize": True}),
        rosenbrock=({"lr": 0.05}, 3000),
    ),
    optim.NAdam: Row(
        nadam,
        DECOUPLED | {"lr": 2e-3, "momentum_decay": 4e-3},
        (
            {},
            {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1},
            {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
        ),
        rosenbrock=({"lr": 0.03}, 2500),
    ),
    optim.RAdam: Row(
        radam,
        DECOUPLED,
        (
            {},
            {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1},
            {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
        ),
        rosenbrock=({"lr": 5e-3}, 4000),
    ),
    optim.Rprop: Row(
        rprop,
        {"lr": 1e-2, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0), "maximize": False},
        ({}, {"lr": 0.1, "etas": (0.4, 1.5), "step_sizes": (0.05, 0.2)}, {"maximize": True}),
        rosenbrock=({}, 3000),
    ),
    optim.ASGD: Row(
        asgd,
        {
            "lr": 1e-2,
            "lambd": 1e-4,
            "alpha": 0.75,
            "t0": 1e6,
            "weight_decay": 0.0,
            "maximize": False,
        },
        (
            {},
            {"lr": 0.1, "lambd": 0.5, "alpha": 0.6, "t0": 7, "weight_decay": 0.1},
            {"lr": 0.1, "t0": 0, "maximize": True},
        ),
        rosenbrock=({"lr": 2e-3, "lambd": 1e-5}, 1300),
    ),
    optim.Adafactor: Row(
        adafactor,
        {
            "lr": 1e-2,
            "beta2_decay": -0.8,
            "eps": (None, 1e-3),
            "d": 1.0,
            "weight_decay": 0.0,
            "maximize": False,
        },
        (
            {},
            {"lr": 0.1, "beta2_decay": -0.5, "eps": (0.3, 0.5), "weight_decay": 0.1},
            {"lr": 0.02, "d": 3.0, "maximize": True, "beta2_decay": 0.0},
        ),
        rosenbrock=({"lr": 0.05}, 1000),
        complex=False,
    ),
    optim.Muon: Row(
        muon,
        MUON,
        (
            {},
            {"lr": 0.1, "momentum": 0.5, "nesterov": False, "ns_steps": 3, "eps": 3.0},
            {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0},
            {"adjust_lr_fn": "original", "ns_coefficients": (2.0, -1.5, 0.5)},
        ),
        rosenbrock=({"lr": 0.01, "weight_decay": 0.0}, 600),
        matrices=True,
        complex=False,
    ),
    optim.Lion: Row(
        lion,
        {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0, "maximize": False},
        ({}, {"lr": 0.01, "betas": (0.5, 0.8), "weight_decay": 0.3}, {"maximize": True}),
        in_torch=False,
        rosenbrock=({"lr": 1e-3}, 3000),
    ),
}

# (algorithm, options) for every variant, and what pytest calls it.
CASES = [(algorithm, options) for algorithm, row in TABLE.items() for options in row.variants]
NAMES = [f"{a.__name__}({', '.join(f'{k}={v}' for k, v in o.items())})" for a, o in CASES]
