"""Recurrent layers: one scan along time, for every kind of cell. Imports `autograd` only.

The steps of a batch lie one after the other in one matrix, as in a packed sequence: `sizes[t]` rows
for step t, the longest sequences first, so that a sequence that has ended is simply not among the
rows of later steps. A padded batch is the special case of equal sizes, a cell that of one step.

The input is projected for all steps by one matrix product before the scan, and what the scan
leaves for the input and the weights is one matrix product each after it. Backward, every kind of
cell is the same linear recurrence with other factors, which are computed for all steps at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.arrays import refuse_complex
from autograd.engine.calls import primitive
from nn.functional._dropout import check_probability
from nn.functional._dropout import dropout as _dropout
from nn.functional._linear import linear
from nn.utils.rnn import PackedSequence

__all__ = ["recurrent", "recurrent_cell"]


# -- cells -----------------------------------------------------------------------------------------
#
# `step` computes a step from the input's part x and the state's part r of the pre-activations, and
# writes what `factors` needs into `kept`. Columns of x, r and `kept` are blocks of H, one per gate.


class _Factors(NamedTuple):
    """What a cotangent of the state becomes one step earlier; arrays over all rows.

    With g of the hidden state and m of the memory: m + g * memory reaches the memory, the gates'
    pre-activations get m * from_memory and g * from_state (and `extra`), and earlier states
    g * kept_state and m * kept_memory besides what comes through the gates.
    """

    from_state: tuple[Any, ...]
    from_memory: tuple[Any, ...] = ()
    memory: Any = None
    kept_state: Any = None
    kept_memory: Any = None
    extra: Any = None


class _Elman:
    """h' = f(x + r), J. Elman, Finding structure in time, Cognitive Science 14 (1990)."""

    gates = 1
    columns = 0

    def __init__(self, function: Any, slope: Any) -> None:
        self.function = function
        self.slope = slope

    def step(self, x: Any, r: Any, _h: Any, _c: Any, _kept: Any) -> tuple[Any, Any]:
        return self.function(x + r), None

    def factors(self, hs: Any, *_: Any) -> _Factors:
        return _Factors((self.slope(hs),))

    def of_input(self, g: Any, *_: Any) -> Any:
        return g


class _LSTM:
    """S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997), with the
    forget gate of F. Gers et al. (2000): i, f, o are sigmoids, g is a tanh, c' = f c + i g and
    h' = o tanh(c').
    """

    gates = columns = 4

    def step(self, x: Any, r: Any, _h: Any, c: Any, kept: Any) -> tuple[Any, Any]:
        # One tanh over all gates in place, in twice the speed of a sigmoid and a tanh on strides.
        scale, shift = _halves(c.shape[1], kept.dtype)
        np.add(x, r, out=kept)
        np.multiply(kept, scale, out=kept)
        np.tanh(kept, out=kept)
        np.multiply(kept, scale, out=kept)
        np.add(kept, shift, out=kept)
        i, f, g, o = _blocks(kept, 4)
        c = f * c
        c += i * g
        return o * np.tanh(c), c

    def factors(
        self, _hs: Any, cs: Any, kept: Any, g_kept: Any, _before: Any, c_before: Any
    ) -> _Factors:
        i, f, g, o = _blocks(kept, 4)
        bent = np.tanh(cs)
        slopes = i * (1.0 - i), f * (1.0 - f), 1.0 - g * g, o * (1.0 - o)
        extra = None if g_kept is None else g_kept * np.concatenate(slopes, axis=1)
        return _Factors(
            from_state=(bent * slopes[3],),
            from_memory=(g * slopes[0], c_before * slopes[1], i * slopes[2]),
            memory=o * (1.0 - bent * bent),
            kept_memory=f,
            extra=extra,
        )

    def of_input(self, g: Any, *_: Any) -> Any:
        return g


class _GRU:
    """K. Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014, with
    the reset gate behind the product, as PyTorch: r and z are sigmoids, n = tanh(x_n + r r_n) and
    h' = (1 - z) n + z h.
    """

    gates = 3
    columns = 4

    def step(self, x: Any, r: Any, h: Any, _c: Any, kept: Any) -> tuple[Any, Any]:
        width = h.shape[1]
        gates = kept[:, : 2 * width]
        np.add(x[:, : 2 * width], r[:, : 2 * width], out=gates)
        gates *= 0.5
        np.tanh(gates, out=gates)
        gates *= 0.5
        gates += 0.5
        reset, update, new, linear_part = _blocks(kept, 4)
        linear_part[...] = r[:, 2 * width :]
        np.multiply(reset, linear_part, out=new)
        new += x[:, 2 * width :]
        np.tanh(new, out=new)
        return new + update * (h - new), None

    def factors(
        self, _hs: Any, _cs: Any, kept: Any, g_kept: Any, before: Any, _c_before: Any
    ) -> _Factors:
        reset, update, new, linear_part = _blocks(kept, 4)
        slope_r, slope_z = reset * (1.0 - reset), update * (1.0 - update)
        into_new = (1.0 - update) * (1.0 - new * new)
        extra = None
        if g_kept is not None:
            g_r, g_z, g_n, g_l = _blocks(g_kept, 4)
            g_n = g_n * (1.0 - new * new)
            through = ((g_r + g_n * linear_part) * slope_r, g_z * slope_z, g_l + g_n * reset)
            extra = np.concatenate(through, axis=1)
        return _Factors(
            from_state=(
                into_new * linear_part * slope_r,
                (before - new) * slope_z,
                into_new * reset,
            ),
            kept_state=update,
            extra=extra,
        )

    def of_input(self, g: Any, of_states: Sequence[Any], kept: Any, g_kept: Any) -> Any:
        """The new gate's input part has the cotangent of the state's part before the reset."""
        _, update, new, _ = _blocks(kept, 4)
        slope = 1.0 - new * new
        g_new = np.concatenate(of_states) * ((1.0 - update) * slope)
        if g_kept is not None:
            g_new = g_new + _blocks(g_kept, 4)[2] * slope
        return np.concatenate((g[:, : -new.shape[1]], g_new), axis=1)


_CELLS: dict[str, Any] = {
    "RNN_TANH": _Elman(np.tanh, lambda h: 1.0 - h * h),
    "RNN_RELU": _Elman(lambda x: np.maximum(x, 0.0), lambda h: h > 0),
    "LSTM": _LSTM(),
    "GRU": _GRU(),
}


def _blocks(a: Any, count: int) -> list[Any]:
    width = a.shape[1] // count
    return [a[:, k * width : (k + 1) * width] for k in range(count)]


# sigmoid(x) = (1 + tanh(x / 2)) / 2
@functools.lru_cache(maxsize=16)
def _halves(width: int, dtype: Any) -> tuple[Any, Any]:
    """Return what the gates of an LSTM are scaled with around a tanh, and what is added to them."""
    shift = np.repeat(np.array([0.5, 0.5, 0.0, 0.5], dtype), width)
    return 1.0 - shift, shift


# -- the scan --------------------------------------------------------------------------------------


def _times(rows: Any, weight: Any) -> Any:
    """Return rows times the transpose of a matrix; of B of them, row r times that of number r % B,
    as the examples of a batch lie.
    """
    if weight.ndim == 2:
        return rows @ weight.T
    groups = rows.reshape(-1, weight.shape[0], rows.shape[1]).swapaxes(0, 1)
    return (groups @ weight.swapaxes(1, 2)).swapaxes(0, 1).reshape(len(rows), -1)


def _steps(sizes: Sequence[int]) -> Iterator[tuple[slice, int]]:
    """Yield the rows of each step and their number."""
    start = 0
    for size in sizes:
        yield slice(start, start + size), size
        start += size


def _before(initial: Any, states: Any, sizes: Sequence[int]) -> Any:
    """Return the state that each row started from."""
    places = [rows.start for rows, _ in _steps(sizes[:-1])]
    earlier = [states[p : p + n] for p, n in zip(places, sizes[1:], strict=True)]
    return np.concatenate((initial, *earlier)) if earlier else initial


def _last(states: Any, sizes: Sequence[int]) -> Any:
    """Return the state that each sequence ended with, the longest first."""
    ends = [
        states[rows.start + following : rows.stop]
        for (rows, size), following in zip(_steps(sizes), (*sizes[1:], 0), strict=True)
        if size > following
    ]
    return ends[0] if len(ends) == 1 else np.concatenate(ends[::-1])


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _scaled(g: Any, factor: Any) -> Any:
    return np.where(factor, g, 0.0) if factor.dtype.kind == "b" else g * factor


def _lengthened(g: Any, rows: int) -> Any:
    """Add zeros for the sequences that end here: later steps have nothing to tell them."""
    if g is None or g.shape[0] == rows:
        return g
    return np.concatenate((g, np.zeros((rows - g.shape[0], g.shape[1]), g.dtype)))


def _scan_pull(
    g: Any,
    h: Any,
    c: Any,
    weight: Any,
    projection: Any,
    out: Any,
    cell: Any,
    sizes: Sequence[int],
    wanted: tuple[bool, ...],
) -> tuple[Any, ...]:
    """Pull back from the last step to the first, then through the weights for all steps at once."""
    hs, cs, kept = out
    g_hs, g_cs, g_kept = g
    before = _before(h, hs, sizes)
    c_before = None if c is None else _before(c, cs, sizes)
    factors = cell.factors(hs, cs, kept, g_kept, before, c_before)
    g_h = g_c = None
    of_gates, of_outputs, of_states = [], [], []
    for rows, size in reversed(list(_steps(sizes))):
        g_h = _plus(_lengthened(g_h, size), None if g_hs is None else g_hs[rows])
        g_c = _plus(_lengthened(g_c, size), None if g_cs is None else g_cs[rows])
        if g_h is None:
            g_h = np.zeros(hs[rows].shape, hs.dtype)
        of_outputs.append(g_h)
        if projection is not None:
            g_h = g_h @ projection
        of_states.append(g_h)
        if factors.memory is not None:
            g_c = _plus(g_c, g_h * factors.memory[rows])
        parts = [g_c * f[rows] for f in factors.from_memory]
        parts += [_scaled(g_h, f[rows]) for f in factors.from_state]
        g_gates = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        if factors.extra is not None:
            g_gates = g_gates + factors.extra[rows]
        of_gates.append(g_gates)
        g_state, g_h = g_h, g_gates @ weight
        if factors.kept_state is not None:
            g_h = g_h + g_state * factors.kept_state[rows]
        if factors.kept_memory is not None:
            g_c = g_c * factors.kept_memory[rows]
    g_gates = np.concatenate(of_gates[::-1])
    g_x = cell.of_input(g_gates, of_states[::-1], kept, g_kept) if wanted[0] else None
    g_projection = None
    if wanted[5]:
        _, _, _, o = _blocks(kept, 4)
        g_projection = np.concatenate(of_outputs[::-1]).T @ (o * np.tanh(cs))
    return (
        g_x,
        g_h,
        g_c,
        g_gates.T @ before if wanted[3] else None,
        g_gates.sum(axis=0) if wanted[4] else None,
        g_projection,
        None,
        None,
    )


# One primitive, not one per step: 0.75 of an LSTM's time with T = 64, N = 32, H = 128, and 0.3 with
# T = 20, N = 4, H = 16 (benchmarks/sequences.py).
@primitive(name="scan", joint=_scan_pull, nondiff=("cell", "sizes"))
def _scan(
    x: Any, h: Any, c: Any, weight: Any, bias: Any, projection: Any, cell: Any, sizes: Any
) -> Any:
    """Return hidden states, memories and what the rule needs, a row for each row of `x`.

    Args:
        x: the input's part of the pre-activations, of shape (sum of sizes, gates H).
        h: initial hidden states (sizes[0], P), with P = H where there is no projection.
        c: initial memories (sizes[0], H), or None.
        weight: shape (gates H, P).
        bias: shape (gates H,), or None.
        projection: shape (P, H), or None. Where the examples of a batch are rows, there may be one
            weight, bias and projection for each, with the examples in front.
        cell: a kind of cell.
        sizes: rows of each step, none larger than the one before.
    """
    refuse_complex("recurrent layer", x, h, c, weight, bias, projection)
    rows = x.shape[0]
    width = x.shape[1] // cell.gates
    dtype = np.result_type(x, h, weight)
    hs = np.empty((rows, h.shape[1]), dtype)
    cs = np.empty((rows, width if c is not None else 0), dtype)
    kept = np.empty((rows, cell.columns * width), dtype)
    for place, size in _steps(sizes):
        h = h[:size]
        r = _times(h, weight)
        if bias is not None:
            r += bias if bias.ndim == 1 else np.tile(bias, (len(r) // len(bias), 1))
        h, c = cell.step(x[place], r, h, None if c is None else c[:size], kept[place])
        if projection is not None:
            h = _times(h, projection)
        hs[place] = h
        if c is not None:
            cs[place] = c
    return hs, cs, kept


def _mirrored_x(g: Any, order: Any) -> Any:
    return _mirrored(g, order)


@primitive(name="mirror", x=_mirrored_x, linear=True, nondiff=("order",))
def _mirrored(x: Any, order: Any) -> Any:
    """Return the rows of `x` in an order that is its own inverse, so that the rule is itself."""
    return x[order]


def _mirror(sizes: Sequence[int]) -> Any:
    """Return the order of rows in which each sequence runs from its end to its start."""
    starts = np.cumsum((0, *sizes[:-1]))
    lengths = np.sum(np.asarray(sizes)[:, None] > np.arange(sizes[0]), axis=0)
    order = [starts[lengths[:n] - 1 - t] + np.arange(n) for t, n in enumerate(sizes)]
    return np.concatenate(order)


# -- layers ----------------------------------------------------------------------------------------


def recurrent(
    mode: str,
    input: Any,
    hx: Any,
    weights: Sequence[Sequence[Sequence[Any]]],
    *,
    batch_first: bool = False,
    dropout: float = 0.0,
    training: bool = False,
    generator: Any = None,
) -> tuple[Any, Any]:
    """Run recurrent layers, one upon the other, over a batch of sequences.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input: shape (T, N, E), (T, E) for a single sequence, or a `PackedSequence`.
        hx: initial states of shape (layers * directions, N, H), a pair of states and memories for
            an LSTM; None for zeros. Without the axis N for a single sequence.
        weights: for each layer, for each direction (forward, backward): weight_ih (gates H, E),
            weight_hh (gates H, H), bias_ih and bias_hh (gates H,) or None, and for an LSTM
            weight_hr (P, H) or None, which maps states to the length P.
        batch_first: whether a padded input is (N, T, E), and the output alike.
        dropout: probability of a zero in what a layer hands to the next.
        training: whether there is dropout.
        generator: a seed or np.random.Generator for dropout.

    Returns:
        The last layer's states of all steps, of the kind of `input`, directions joined along the
        last axis; and the last states of all layers, of the kind of `hx`.

    Raises:
        TypeError: where `hx` is no pair for an LSTM, or one for another kind.
        ValueError: for shapes that do not fit, or an unknown mode.

    Example:
        >>> import numpy as np, nn
        >>> weights = [[(np.ones((2, 3)), np.eye(2), None, None, None)]]
        >>> out, last = nn.functional.recurrent("RNN_RELU", np.ones((4, 1, 3)), None, weights)
        >>> out.shape, last.tolist()
        ((4, 1, 2), [[[12.0, 12.0]]])
    """
    cell = _cell(mode)
    check_probability(mode, dropout)
    w_ih, w_hh, *_ = weights[0][0]
    rows, sizes, restored = _as_rows(mode, input, batch_first, w_ih.shape[1])
    count = sum(map(len, weights))
    single = not isinstance(input, PackedSequence) and input.ndim == 2
    lengths = (w_hh.shape[1],) if mode != "LSTM" else (w_hh.shape[1], w_hh.shape[0] // 4)
    batch = () if single else sizes[:1]
    states = _initial(mode, hx, [(count, *batch, n) for n in lengths], w_hh.dtype)
    if isinstance(input, PackedSequence):
        states = [_in_order(s, input.sorted_indices) for s in states]
    elif single:
        states = [s[:, None] for s in states]
    mirror = _mirror(sizes) if count > len(weights) else None
    ends: list[Any] = []
    for layer, directions in enumerate(weights):
        if layer and training and dropout:
            rows = _dropout(rows, dropout, generator=generator)
        outs = []
        for backward, (w_ih, w_hh, b_ih, b_hh, w_hr) in enumerate(directions):
            x = linear(_mirrored(rows, mirror) if backward else rows, w_ih, b_ih)
            start = [s[len(ends)] for s in states]
            hs, cs, _ = _scan(x, *start, *[None] * (2 - len(start)), w_hh, b_hh, w_hr, cell, sizes)
            ends.append([_last(s, sizes) for s in (hs, cs)[: len(start)]])
            outs.append(_mirrored(hs, mirror) if backward else hs)
        rows = outs[0] if len(outs) == 1 else np.concatenate(outs, axis=1)
    last = [np.stack(parts) for parts in zip(*ends, strict=True)]
    if isinstance(input, PackedSequence):
        last = [_in_order(s, input.unsorted_indices) for s in last]
    elif single:
        last = [s[:, 0] for s in last]
    return restored(rows), tuple(last) if mode == "LSTM" else last[0]


def recurrent_cell(
    mode: str,
    input: Any,
    hx: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any = None,
    bias_hh: Any = None,
) -> Any:
    """Return the state after one step: the scan of `recurrent` over a single step.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input: shape (N, E) or (E,).
        hx: the state (N, H) or (H,), for an LSTM a pair of state and memory; None for zeros.
        weight_ih: shape (gates H, E).
        weight_hh: shape (gates H, H).
        bias_ih: shape (gates H,), or None.
        bias_hh: shape (gates H,), or None.

    Returns:
        The new state, of the kind of `hx`.

    Raises:
        TypeError: where `hx` is no pair for an LSTM, or one for another kind.
        ValueError: for shapes that do not fit, or an unknown mode.
    """
    cell = _cell(mode)
    features, length = weight_ih.shape[1], weight_hh.shape[1]
    if input.ndim not in (1, 2) or input.shape[-1] != features:
        raise ValueError(
            f"{mode} cell: wanted an input of shape (batch, {features}) or ({features},), got "
            f"{input.shape}; the last axis is input_size"
        )
    single = input.ndim == 1
    shape = (length,) if single else (input.shape[0], length)
    shapes = [shape] * (1 + (mode == "LSTM"))
    states = _initial(f"{mode} cell", hx, shapes, weight_hh.dtype)
    if single:
        input, states = input[None], [s[None] for s in states]
    x = linear(input, weight_ih, bias_ih)
    memory = states[1] if mode == "LSTM" else None
    hs, cs, _ = _scan(x, states[0], memory, weight_hh, bias_hh, None, cell, (input.shape[0],))
    if single:
        hs, cs = hs[0], cs[0]
    return (hs, cs) if mode == "LSTM" else hs


# -- shapes ----------------------------------------------------------------------------------------


def _cell(mode: str) -> Any:
    if mode not in _CELLS:
        raise ValueError(f"recurrent: wanted a mode among {', '.join(_CELLS)}, got {mode!r}")
    return _CELLS[mode]


def _as_rows(
    mode: str, input: Any, batch_first: bool, features: int
) -> tuple[Any, tuple[int, ...], Callable[[Any], Any]]:
    """Return the rows of all steps, the number of rows of each, and what undoes that."""
    if isinstance(input, PackedSequence):
        if input.data.shape[1:] != (features,):
            raise ValueError(
                f"{mode}: wanted packed data of shape (rows, {features}), got {input.data.shape}; "
                "the last axis is input_size"
            )
        return input.data, tuple(map(int, input.batch_sizes)), lambda a: input._replace(data=a)
    if not hasattr(input, "ndim"):
        raise TypeError(
            f"{mode}: wanted an array, a Variable or a PackedSequence, got {type(input).__name__}"
        )
    if input.ndim not in (2, 3) or input.shape[-1] != features or 0 in input.shape[:-1]:
        axes = "batch, time" if batch_first else "time, batch"
        raise ValueError(
            f"{mode}: wanted an input of shape ({axes}, {features}) or (time, {features}), none of "
            f"them 0, got {input.shape}; the last axis is input_size"
        )
    if input.ndim == 2:
        return input, (1,) * input.shape[0], lambda a: a
    if batch_first:
        input = input.swapaxes(0, 1)
    steps, batch = input.shape[:2]

    def restored(rows: Any) -> Any:
        out = rows.reshape((steps, batch, rows.shape[1]))
        return out.swapaxes(0, 1) if batch_first else out

    return input.reshape((steps * batch, features)), (batch,) * steps, restored


def _initial(name: str, hx: Any, shapes: Sequence[tuple[int, ...]], dtype: Any) -> list[Any]:
    """Return the initial state, and the memory where two shapes are given; zeros for None."""
    if hx is None:
        return [np.zeros(shape, dtype) for shape in shapes]
    pair = isinstance(hx, (tuple, list))
    if pair != (len(shapes) == 2) or (pair and len(hx) != 2):
        wanted = "a pair (h, c) as hx" if len(shapes) == 2 else "an array or a Variable as hx"
        raise TypeError(f"{name}: wanted {wanted}, got {type(hx).__name__}")
    states = list(hx) if pair else [hx]
    for state, shape, letter in zip(states, shapes, "hc", strict=False):
        if state.shape != shape:
            raise ValueError(
                f"{name}: wanted an initial state {letter} of shape {shape}, got {state.shape}"
            )
    return states


def _in_order(states: Any, order: Any) -> Any:
    """Return states (layers, N, ...) with their sequences in another order."""
    return states if order is None else states[:, order]
