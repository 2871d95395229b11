"""Batch rules of what layers and losses are made of, for `autograd.vmap`.

Layers that know rows take the examples as more rows; where weights differ from example to example,
as the gradients of weights do, the examples are groups of channels.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from autograd.extend import BatchRun, batch_rule

__all__: list[str] = []


def _spread(run: BatchRun, *operands: Any) -> list[Any]:
    """Return operands, the first of the arguments, with the axis of examples in front of each; None
    stays.
    """
    return [
        x if varies or x is None else np.broadcast_to(x, (run.size, *np.shape(x)))
        for x, varies in zip(operands, run.varies, strict=False)
    ]


def _merged(x: Any) -> Any:
    """Make rows of examples (B, N, ...) rows of one input (B N, ...)."""
    return np.reshape(x, (-1, *np.shape(x)[2:]))


def _parted(run: BatchRun, x: Any, axis: int = 0) -> Any:
    """Give examples that were counted with `axis` an axis of their own, in front."""
    shape = np.shape(x)
    parted = np.reshape(x, (*shape[:axis], run.size, -1, *shape[axis + 1 :]))
    return np.moveaxis(parted, axis, 0)


def _aligned(run: BatchRun, x: Any, *others: Any) -> list[Any]:
    """Return operands that broadcast against each other, with the examples in front of each."""
    operands = _spread(run, x, *others)
    most = max(np.ndim(v) for v in operands)
    return [
        np.reshape(v, (run.size, *(1,) * (most - np.ndim(v)), *np.shape(v)[1:])) for v in operands
    ]


# -- rows ------------------------------------------------------------------------------------------


@batch_rule(
    *("nn.functional._pooling." + name for name in ("max_pool", "sum_pool", "sum_unpool")),
    *("nn.functional._pooling." + name for name in ("chosen", "unpool", "pool_at")),
    *("nn.functional._folding." + name for name in ("columns_of", "add_columns")),
)
def _of_rows(run: BatchRun, *values: Any) -> Any:
    *operands, windows = values
    spread = _spread(run, *operands)
    rows = max(np.shape(x)[1] for x in spread)  # the numbers of places are one row for all
    merged = [_merged(np.broadcast_to(x, (run.size, rows, *np.shape(x)[2:]))) for x in spread]
    return _parted(run, run(*merged, windows))


@batch_rule("nn.functional._resampling.resample")
def _resample(run: BatchRun, x: Any, axis: int, table: Any) -> Any:
    return run(x, axis % (np.ndim(x) - 1) + 1, table)


@batch_rule("nn.functional._normalization._standardize")
def _standardize(run: BatchRun, x: Any, axis: Any, eps: float) -> Any:
    return run(x, tuple(a if a < 0 else a + 1 for a in axis), eps)


@batch_rule("nn.functional._normalization.channel_norm")
def _channel_norm(
    run: BatchRun, x: Any, weight: Any, bias: Any, axis: tuple[int, ...], eps: float
) -> Any:
    """Channels of examples are channels."""
    x, weight, bias = _spread(run, x, weight, bias)
    merged = np.swapaxes(x, 0, 1)  # (N, B, C, ...)
    shape = (merged.shape[0], run.size * merged.shape[2], *merged.shape[3:])
    parts = np.reshape(merged, shape), np.reshape(weight, -1), np.reshape(bias, -1)
    out, *statistics = run(*parts, axis, eps)
    apart = (merged.shape[0], run.size, *merged.shape[2:])
    ones = (run.size, 1, merged.shape[2], *(1,) * (merged.ndim - 3))
    return np.swapaxes(np.reshape(out, apart), 0, 1), *(np.reshape(s, ones) for s in statistics)


@batch_rule("nn.functional._normalization._line_norm")
def _line_norm(run: BatchRun, x: Any, weight: Any, bias: Any, eps: float, centred: bool) -> Any:
    """Lines of examples are lines; a scale of each example is multiplied afterwards."""
    if not any(run.varies[1:3]):
        return run(x, weight, bias, eps, centred)
    between = (1,) * (run.ndim((x, weight, bias), 0) - 1)
    weight, bias = (
        np.reshape(p, (run.size, *between, -1)) if varies else p
        for p, varies in zip((weight, bias), run.varies[1:3], strict=True)
    )
    z = run(x, None, None, eps, centred)
    z = z if weight is None else z * weight
    return z if bias is None else z + bias


@batch_rule("nn.functional._attention._attention_weights")
def _attention_weights(run: BatchRun, x: Any, bias: Any) -> Any:
    return run(x, None) if bias is None else run(*_aligned(run, x, bias))


@batch_rule("nn.functional._dropout.masked")
def _masked(run: BatchRun, x: Any, kept: Any, scale: Any) -> Any:
    return run(*_aligned(run, x, kept), scale)


batch_rule("nn.functional._interpolate._left", "nn.functional._interpolate._rounded")(
    lambda run, x: run(x)
)

# -- products --------------------------------------------------------------------------------------


@batch_rule("nn.functional._linear.linear")
def _linear(run: BatchRun, input: Any, weight: Any, bias: Any) -> Any:
    rows, weights, biases = run.varies
    if rows and not (weights or biases) and np.ndim(input) > 1:
        return run(input, weight, bias)
    input, weight = _spread(run, input, weight)
    shape = np.shape(input)
    input = np.reshape(input, (run.size, -1, shape[-1]))
    if input.dtype.kind not in "fc":
        input = input.astype(weight.dtype)
    out = np.matmul(input, weight.swapaxes(-1, -2))
    if bias is not None:
        out = out + (bias[:, None, :] if biases else bias)
    return np.reshape(out, (*shape[:-1], weight.shape[-2]))


def _with_bias(out: Any, bias: Any, *, varies: bool) -> Any:
    """Add biases (B, O) or (O,) to (B, N, O, ...)."""
    if bias is None:
        return out
    rest = (1,) * (out.ndim - 3)
    return out + np.reshape(bias, (*np.shape(bias)[:-1], *(1,) * varies, -1, *rest))


def _in_groups(x: Any) -> Any:
    """Make channels of examples (B, N, C, ...) groups of channels of one input (N, B C, ...)."""
    x = np.moveaxis(x, 0, 1)
    return np.reshape(x, (x.shape[0], -1, *x.shape[3:]))


@batch_rule("nn.functional._conv.conv", "nn.functional._conv.conv_transpose")
def _conv(run: BatchRun, x: Any, weight: Any, bias: Any, windows: Any, groups: int) -> Any:
    rows, weights, biases = run.varies[:3]
    if rows and not weights:
        out = _parted(run, run(_merged(x), weight, None if biases else bias, windows, groups))
        return _with_bias(out, bias, varies=True) if biases else out
    x, weight = _spread(run, x, weight)
    out = run(_in_groups(x), _merged(weight), None, windows, run.size * groups)
    return _with_bias(_parted(run, out, 1), bias, varies=biases)


@batch_rule("nn.functional._conv.conv_weight")
def _conv_weight(run: BatchRun, x: Any, output: Any, windows: Any, groups: int) -> Any:
    x, output = _spread(run, x, output)
    return _parted(run, run(_in_groups(x), _in_groups(output), windows, run.size * groups))


# -- sequences -------------------------------------------------------------------------------------


def _interleaved(x: Any) -> Any:
    """Make rows of examples (B, N, ...) rows of one input, those of one number side by side."""
    size, rows, *rest = x.shape
    return np.reshape(np.moveaxis(x, 0, 1), (size * rows, *rest))


def _apart(run: BatchRun, x: Any) -> Any:
    rows, *rest = x.shape
    return np.moveaxis(np.reshape(x, (rows // run.size, run.size, *rest)), 1, 0)


@batch_rule("nn.functional._recurrent._scan")
def _scan(run: BatchRun, *values: Any) -> Any:
    """Examples are sequences side by side, in the order of their lengths."""
    x, h, c, *weights, cell, sizes = values
    states = [v if v is None else _interleaved(v) for v in _spread(run, x, h, c)]
    own = [2, 1, 2]  # numbers of axes of one weight, bias and projection
    for i, (w, n, varies) in enumerate(zip(weights, own, run.varies[3:6], strict=True)):
        if w is None or np.ndim(w) - varies == n:
            continue  # one for all, or one for each example
        # A batch inside of this one had one for each of its examples.
        weights[i] = _interleaved(w) if varies else np.repeat(w, run.size, 0)
    out = run(*states, *weights, cell, tuple(size * run.size for size in sizes))
    return tuple(_apart(run, part) for part in out)


@batch_rule("nn.functional._recurrent._mirrored")
def _mirrored(run: BatchRun, x: Any, order: Any) -> Any:
    del run
    return x[:, order]


# -- losses ----------------------------------------------------------------------------------------


def _of_examples(x: Any) -> tuple[int, ...]:
    return tuple(range(1, np.ndim(x)))


@batch_rule("nn.functional._loss._squared_error")
def _squared_error(run: BatchRun, x: Any, y: Any, reduction: str) -> Any:
    x, y = _aligned(run, x, y)
    square = (x - y) ** 2
    if reduction == "none":
        return square
    return (np.mean if reduction == "mean" else np.sum)(square, axis=_of_examples(square))


@batch_rule("nn.functional._cross_entropy._nll", "nn.functional._cross_entropy._softmax_nll")
def _nll(run: BatchRun, x: Any, target: Any, coefficient: Any, axis: int, summed: bool) -> Any:
    x, target = _spread(run, x, target)
    if run.varies[2] and np.ndim(coefficient) < np.ndim(target):
        coefficient = np.reshape(coefficient, (-1,) + (1,) * (np.ndim(target) - 1))
    out = run(x, target, coefficient, axis + 1, False)
    if not summed:
        return out
    total = functools.partial(np.sum, axis=_of_examples(target))
    return (total(out[0]), out[1]) if type(out) is tuple else total(out)


@batch_rule("nn.functional._cross_entropy._less_one")
def _less_one(run: BatchRun, x: Any, target: Any, axis: int) -> Any:
    return run(*_spread(run, x, target), axis + 1)


@batch_rule("nn.functional._embedding._scaled_gradient")
def _scaled_gradient(run: BatchRun, x: Any, scale: Any) -> Any:
    return run(_spread(run, x)[0], scale)


# -- connectionist temporal classification ---------------------------------------------------------


@batch_rule("nn.functional._ctc_loss._paths")
def _paths(run: BatchRun, x: Any, skips: Any) -> Any:
    """Examples are more sequences side by side."""
    x, skips = _spread(run, x, skips)
    x = np.moveaxis(x, 0, 2)  # (T, N, B, states)
    out = run(np.reshape(x, (x.shape[0], -1, x.shape[3])), _interleaved(skips))
    return np.moveaxis(np.reshape(out, x.shape), 2, 0)


@batch_rule("nn.functional._ctc_loss._states")
def _states(run: BatchRun, *values: Any) -> Any:
    merged = map(_merged, _spread(run, *values[:3]))
    return tuple(_parted(run, part) for part in run.call(*merged, *values[3:]))


# -- indices ---------------------------------------------------------------------------------------


@batch_rule("nn.functional._numbers.within", "nn.functional._embedding._checked")
def _within(run: BatchRun, *values: Any) -> Any:
    return run.call(*values)


@batch_rule("nn.functional._embedding._scales")
def _scales(run: BatchRun, *values: Any) -> Any:
    """Count one by one: what takes time are the rows."""
    return run.one_by_one(*values)
