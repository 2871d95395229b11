"""Calls that the reference shows of names whose docstring has no example, computed as shown.

Operations are called as a row of the table that the tests drive them through (`tests/op_rows`),
layers as one of the patterns below says, everything else with small arrays, where it takes them.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import runner

TESTS = Path(__file__).parent.parent / "tests"
WIDTH, LINES = 96, 8
# What a layer is made with, and the shape that it is called with, by its name.
LAYERS = (
    (r"LazyConv(Transpose)?(\d)d", "8, 3", "2, 3"),
    (r"Conv(Transpose)?(\d)d", "3, 8, 3", "2, 3"),
    (r"Lazy(Batch|Instance)Norm(\d)d", "", "2, 3"),
    (r"(Batch|Instance)Norm(\d)d", "3", "2, 3"),
    (r"Adaptive(Avg|Max)Pool(\d)d", "2", "2, 3"),
    (r"Fractional(Max)Pool(\d)d", "2, output_size=3", "2, 3"),
    (r"(Max|Avg)Pool(\d)d", "2", "2, 3"),
    (r"(LP)Pool(\d)d", "2, 2", "2, 3"),
    (r"(Constant)Pad(\d)d", "1, 0.5", "2, 3"),
    (r"(Circular|Reflection|Replication|Zero)Pad(\d)d", "1", "2, 3"),
    (r"(|Feature|Alpha|FeatureAlpha)Dropout(\d)d", "0.5, generator=0", "2, 3"),
    (r"UpsamplingNearest2d|UpsamplingBilinear2d", "scale_factor=2", "2, 3, 4, 4"),
    (r"GroupNorm", "2, 4", "3, 4"),
    (r"RMSNorm", "4", "3, 4"),
    (r"LocalResponseNorm", "2", "2, 3, 5"),
    (r"GLU", "", "2, 4"),
    (r"Softmax2d", "", "2, 3, 4, 4"),
    (r"Threshold", "0.1, 20.0", "2, 3"),
    (r"(GRU|LSTM|RNN)Cell", "3, 4", "2, 3"),
    (r"PixelShuffle|ChannelShuffle", "2", "1, 4, 6, 6"),
    (r"PixelUnshuffle|Unfold", "2", "1, 3, 4, 4"),
    (r"Fold", "4, 2", "1, 12, 9"),
)
ARRAYS = (
    "np.array([3.0, 1.0, 2.0])",
    "np.array([0.5, -1.0, 2.0]), np.array([1.0, 1.0, -1.0])",
    "np.array([[0.2, 1.5, -0.3], [1.0, 0.1, 0.4]]), np.array([1, 0])",
    "np.array([[3, 1, 2], [1, 2, 3]])",
    "np.array([6, 1, 4]), np.array([4, 1, 2])",
    "np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, -1.0]), np.array([1, -1, 1])",
    "np.array([[4.0, 1.0], [1.0, 3.0]])",
    "np.array([[0.5, -1.0], [2.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, -1])",
)
# Calls of their own, by the end of the address.
RATES = "[(optimizer.step(), schedule.step(), schedule.get_last_lr()[0])[-1] for _ in range(5)]"
SCHEDULED = {
    "ConstantLR": "factor=0.5, total_iters=3",
    "CosineAnnealingLR": "T_max=5",
    "CosineAnnealingWarmRestarts": "T_0=3",
    "CyclicLR": "base_lr=0.1, max_lr=1.0, step_size_up=2",
    "ExponentialLR": "gamma=0.5",
    "LambdaLR": "lr_lambda=lambda step: 1 / (1 + step)",
    "LinearLR": "start_factor=0.25, total_iters=3",
    "MultiStepLR": "milestones=[2, 4], gamma=0.5",
    "MultiplicativeLR": "lr_lambda=lambda step: 0.5",
    "OneCycleLR": "max_lr=1.0, total_steps=6",
    "PolynomialLR": "total_iters=4",
    "StepLR": "step_size=2, gamma=0.5",
}
LAYER = "layer = nn.Linear(4, 2, generator=0)"
MASK = "(layer.weight.data == 0).sum()"
PAIR = "np.array([[0.5, -1.0], [2.0, 1.0]])"
OWN = {
    "autograd.empty": ["autograd.empty((2, 3)).shape"],
    "autograd.full": ["autograd.full((2, 3), 0.5)"],
    "autograd.ones": ["autograd.ones((2, 3))"],
    "autograd.c_": ["autograd.c_[np.array([1.0, 2.0]), np.array([3.0, 4.0])]"],
    "autograd.r_": ["autograd.r_[np.array([1.0, 2.0]), 3.0]"],
    "autograd.checkpoint": ["autograd.grad(autograd.checkpoint(lambda x: np.sin(x) ** 2))(0.5)"],
    "autograd.apply_along_axis": [f"autograd.apply_along_axis(np.sum, 0, {PAIR})"],
    "autograd.apply_over_axes": [f"autograd.apply_over_axes(np.sum, {PAIR}, [0, 1])"],
    "autograd.astype": ["autograd.astype(np.array([1.5, 2.5]), np.float32)"],
    "autograd.is_grad_enabled": ["autograd.is_grad_enabled()"],
    "linalg.solve_sylvester": [
        "a, b = np.diag([1.0, 2.0]), np.diag([3.0, 4.0])",
        "autograd.linalg.solve_sylvester(a, b, np.ones((2, 2)))",
    ],
    "linalg.solve_banded": [
        "bands = np.array([[0.0, 1.0, 1.0], [4.0, 4.0, 4.0], [1.0, 1.0, 0.0]])",
        "autograd.linalg.solve_banded((1, 1), bands, np.array([1.0, 2.0, 3.0]))",
    ],
    "fft.fftfreq": ["autograd.fft.fftfreq(5)"],
    "fft.rfftfreq": ["autograd.fft.rfftfreq(5)"],
    "functional.cdist": [f"nn.functional.cdist({PAIR}, np.zeros((1, 2)))"],
    "functional.lp_pool2d": ["nn.functional.lp_pool2d(np.ones((1, 4, 4)), 2, 2)"],
    "functional.lp_pool3d": ["nn.functional.lp_pool3d(np.ones((1, 4, 4, 4)), 2, 2).shape"],
    "nn.BCELoss": ["nn.BCELoss()(np.array([0.9, 0.2]), np.array([1.0, 0.0]))"],
    "nn.Bilinear": ["nn.Bilinear(3, 4, 2)(np.ones((5, 3)), np.ones((5, 4))).shape"],
    "nn.CosineSimilarity": [f"nn.CosineSimilarity()({PAIR}, np.ones((2, 2)))"],
    "nn.GaussianNLLLoss": ["nn.GaussianNLLLoss()(np.ones(3), np.zeros(3), np.ones(3))"],
    "nn.GRU": ["out, h = nn.GRU(3, 4)(np.ones((7, 2, 3), np.float32))", "out.shape, h.shape"],
    "nn.TransformerEncoder": [
        "layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)",
        "nn.TransformerEncoder(layer, 2)(np.ones((3, 5, 8), np.float32)).shape",
    ],
    "nn.TransformerDecoder": [
        "layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)",
        "x, memory = np.ones((3, 5, 8), np.float32), np.ones((3, 6, 8), np.float32)",
        "nn.TransformerDecoder(layer, 2)(x, memory).shape",
    ],
    "init.dirac_": ["w = nn.Parameter(np.zeros((2, 2, 3), np.float32))", "nn.init.dirac_(w)"],
    "utils.vector_to_parameters": [
        LAYER,
        "nn.utils.vector_to_parameters(np.arange(10.0), layer.parameters())",
        "layer.bias.data",
    ],
    "utils.spectral_norm": [
        "layer = nn.utils.spectral_norm(nn.Linear(4, 4, generator=0), n_power_iterations=50)",
        "np.linalg.norm(layer.weight.data, 2).round(3)",
    ],
    "parametrizations.weight_norm": [
        "layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))",
        "sorted(layer.state_dict())",
    ],
    "parametrize.is_parametrized": [LAYER, "nn.utils.parametrize.is_parametrized(layer)"],
    "prune.random_unstructured": [
        "autograd.manual_seed(0)",
        LAYER,
        'pruned = nn.utils.prune.random_unstructured(layer, "weight", amount=0.5)',
        MASK,
    ],
    "prune.ln_structured": [
        LAYER,
        'pruned = nn.utils.prune.ln_structured(layer, "weight", amount=1, n=2, axis=0)',
        MASK,
    ],
    "prune.custom_from_mask": [
        LAYER,
        'pruned = nn.utils.prune.custom_from_mask(layer, "weight", np.eye(2, 4))',
        MASK,
    ],
    "prune.global_unstructured": [
        LAYER,
        "method = nn.utils.prune.L1Unstructured",
        'nn.utils.prune.global_unstructured([(layer, "weight")], method, amount=3)',
        MASK,
    ],
    "prune.is_pruned": [LAYER, "nn.utils.prune.is_pruned(layer)"],
}
SEVERAL = "[np.array([1.0, 2.0]), np.array([3.0, 4.0])]"
SETTING = "nn.init."


@functools.cache
def rows() -> dict[int, list[Any]]:
    """Return the cases of the op table by their function; none where the tests are not there."""
    found: dict[int, list[Any]] = {}
    sys.path.insert(0, str(TESTS))
    try:
        import op_table

        for row in op_table.collect():
            found.setdefault(id(row.function), []).extend(row.cases)
    except ModuleNotFoundError:  # an installation without the tests
        return {}
    finally:
        sys.path.remove(str(TESTS))
    return found


def literal(value: Any) -> str | None:
    """Return what a user would type for an argument, None where that is too much."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fib" or value.size > 12:
            return None
        numbers = np.round(value, 1) if value.dtype.kind == "f" else value
        return f"np.array({numbers.tolist()})"
    if isinstance(value, list | tuple) and any(isinstance(v, np.ndarray) for v in value):
        parts = [literal(v) for v in value]
        return None if None in parts else f"[{', '.join(map(str, parts))}]"
    plain = isinstance(value, int | float | str | bool | tuple | list | type(None))
    return repr(value) if plain and len(repr(value)) < 40 else None


def from_table(address: str, function: Any) -> list[str]:
    """Return the shortest call of the op table, as lines of code."""
    names = [p.name for p in inspect.signature(function).parameters.values()]
    best, least = [], 0
    for case in rows().get(id(function), ()):
        positional = case.arguments(np.random.default_rng(0))
        texts = [literal(value) for value in positional]
        options = {key: literal(value) for key, value in case.kwargs.items()}
        if None in texts or None in options.values():
            arrays = [v for v in positional if isinstance(v, np.ndarray)]
            if None in options.values() or any(v.dtype.kind != "f" for v in arrays):
                continue
            texts = [
                f"np.random.default_rng({i}).normal(size={v.shape})"
                if isinstance(v, np.ndarray)
                else literal(v)
                for i, v in enumerate(positional)
            ]
            if case.domain not in ("real", "distinct") or None in texts:
                continue
        if any(value.size == 0 for value in positional if isinstance(value, np.ndarray)):
            continue
        lines, given = [], []
        for i, (value, text) in enumerate(zip(positional, texts, strict=True)):
            name = names[i] if i < len(names) and names[i].isidentifier() else f"x{i}"
            name = "x" if name in {"args", "operands", "arrays", "kwargs"} else name
            if (isinstance(value, np.ndarray) and value.ndim) or str(text).startswith("[np"):
                lines.append(f"{name} = {text}")
                given.append(name)
            else:
                given.append(str(text))
        given += [f"{key}={text}" for key, text in options.items()]
        lines.append(f"{address}({', '.join(given)})")
        fits = max(map(len, lines)) <= WIDTH
        small = all(np.ndim(v) == 0 for v in positional if not isinstance(v, list | tuple))
        interesting = 10 * (not options) + sum(map(len, lines)) + 1000 * ("normal" in lines[0])
        interesting += 500 * small
        if fits and (not best or interesting < least):
            best, least = lines, interesting
    return best


def size_open(shape: str) -> bool:
    """Tell whether axes of space follow the batch and the channels."""
    return shape.count(",") == 1


def candidates(address: str, value: Any) -> list[list[str]]:
    """Return the calls to try, the best first."""
    name = address.rpartition(".")[2]
    own = ".".join(address.split(".")[-2:])
    if own in OWN:
        return [OWN[own]]
    if name in SCHEDULED:
        return [
            [
                "x = autograd.Variable([1.0], requires_grad=True)",
                "x.grad = np.ones(1)",
                "optimizer = optim.SGD([x], lr=1.0)",
                f"schedule = {address}(optimizer, {SCHEDULED[name]})",
                RATES,
            ]
        ]
    if address.startswith(SETTING):
        make = "w = nn.Parameter(np.zeros((2, 3), np.float32))"
        call = f"{address}(w, {{}})" if name in ("constant_", "sparse_") else f"{address}(w{{}})"
        chosen = {"constant_": "0.5", "sparse_": "0.5, generator=0"}.get(name)
        options = [chosen] if chosen else [", generator=0", ""]
        return [[make, call.format(option)] for option in options]
    if isinstance(value, type):
        for pattern, made, shape in LAYERS:
            if re.fullmatch(pattern, name):
                axes = int(name[-2]) if size_open(shape) and name[-2].isdigit() else 0
                size = f"{shape}{', 6' * axes}"
                code = f"{address}({made})(np.ones(({size}), np.float32))"
                return [["autograd.manual_seed(0)", f"{code}.shape"], [f"{code}[0].shape"]]
        return [[f"{address}()({arrays})"] for arrays in ARRAYS]
    first = next(iter(inspect.signature(value).parameters), "") if callable(value) else ""
    several = [SEVERAL] if first in ("arrays", "tup", "seq") else []
    return [[f"{address}({arrays})"] for arrays in (*several, *ARRAYS)]


def picture(address: str) -> list[str]:
    """Return the rates of a schedule as a drawing, [] for what is none."""
    name = address.rpartition(".")[2]
    if not address.startswith("optim.lr_scheduler.") or name not in SCHEDULED:
        return []
    import optim
    from autograd import Variable

    x = Variable([1.0], requires_grad=True)
    schedule = eval(
        f"{address}(optimizer, {SCHEDULED[name]})",
        {"optim": optim, "optimizer": optim.SGD([x], lr=1.0)},
    )
    return ["", f'<p class="picture">{runner.image(schedule._repr_svg_())}</p>', ""]


def example(address: str, value: Any) -> list[str]:
    """Return an example in the form of a session, [] where none of the calls works."""
    import autograd
    import nn
    import optim

    tries = [from_table(address, value)] if isinstance(value, FunctionType) else []
    tries += candidates(address, value)
    for lines in filter(None, tries):
        names: dict[str, Any] = {"np": np, "autograd": autograd, "nn": nn, "optim": optim}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                for line in lines[:-1]:
                    exec(line, names)
                result = eval(lines[-1], names)
                shown = repr(result)
        except Exception:  # noqa: BLE001 - it wants other arguments
            continue
        if result is None or " object at " in shown or shown.startswith("<"):
            continue
        if shown.count("\n") >= LINES and hasattr(result, "shape"):
            lines, shown = [*lines[:-1], f"{lines[-1]}.shape"], repr(result.shape)
        if shown.count("\n") >= 2 * LINES:
            continue
        code = " ".join(lines)
        packages = [p for p in ("autograd", "nn", "optim") if re.search(rf"\b{p}\.", code)]
        start = f"import numpy as np, {', '.join(packages)}"
        return [
            "```pycon",
            f">>> {start}",
            *(f">>> {x}" for x in lines),
            *shown.splitlines(),
            "```",
        ]
    return []
