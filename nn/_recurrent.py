"""Recurrent layers and cells: parameters and their names; `nn.functional` computes.

Weights of the gates lie below each other in PyTorch's order: input, forget, cell and output gate
for an LSTM, reset, update and new gate for a GRU. All start from U(-1/sqrt(H), 1/sqrt(H)).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from autograd import new_generator
from nn import functional, init
from nn._module import Module
from nn._parameter import Parameter
from nn._random import RandomModule
from nn.functional._dropout import check_probability

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def _mode(layer: str, nonlinearity: str) -> str:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{layer}: wanted nonlinearity 'tanh' or 'relu', got {nonlinearity!r}")
    return f"RNN_{nonlinearity.upper()}"


def _check_sizes(layer: str, **sizes: Any) -> None:
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"{layer}: wanted {name} to be a positive integer, got {size!r}")


def _draw(module: Module, hidden_size: int, generator: Any) -> None:
    generator = new_generator(generator)
    bound = 1 / math.sqrt(hidden_size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound, generator)


class RNNBase(RandomModule):
    """What `RNN`, `LSTM` and `GRU` share.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: length E of the last axis of the input.
        hidden_size: length H of a state.
        num_layers: how many layers stand upon each other.
        bias: whether there are biases.
        batch_first: whether padded inputs and outputs are (N, T, ...) instead of (T, N, ...).
            States are (layers, N, ...) either way.
        dropout: probability of a zero, in training, in what a layer hands to the next.
        bidirectional: whether a second direction runs from the end to the start.
        proj_size: length P to which an LSTM maps its states; 0 for none.
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for initial values and dropout.

    Attributes:
        weight_ih_l0: Parameter of shape (gates H, E), and so on for each layer (l1, l2 ...; the
            input of further layers has P or H features per direction) and for the other direction
            (l0_reverse).
        weight_hh_l0: Parameter of shape (gates H, P or H).
        bias_ih_l0: Parameter of shape (gates H,), where there are biases.
        bias_hh_l0: Parameter of shape (gates H,), where there are biases.
        weight_hr_l0: Parameter of shape (P, H), where there is a projection.

    Raises:
        ValueError: for sizes that are not positive, or a dropout that is no probability.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(generator)
        name = type(self).__name__
        if mode not in _GATES:
            raise ValueError(f"{name}: wanted a mode among {', '.join(_GATES)}, got {mode!r}")
        _check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_probability(name, dropout)
        if proj_size and (mode != "LSTM" or not 0 < proj_size < hidden_size):
            raise ValueError(
                f"{name}: wanted a proj_size only for an LSTM, and below hidden_size "
                f"{hidden_size}, got {proj_size}"
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, state = _GATES[mode] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            below = state * self._directions if layer else input_size
            shapes = [(rows, below), (rows, state), (rows,), (rows,), (proj_size, hidden_size)]
            for names in self._names(layer):
                for key, shape in zip(names, shapes, strict=True):
                    if key is not None:
                        empty = np.empty(shape, np.float32 if dtype is None else dtype)
                        self.register_parameter(key, Parameter(empty))
        self.reset_parameters(self.generator)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _names(self, layer: int) -> list[list[str | None]]:
        """Return, for each direction, the names of its five parameters, None for absent ones."""
        there = (True, True, self.bias, self.bias, bool(self.proj_size))
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [
            [f"{k}_l{layer}{suffix}" if t else None for k, t in zip(kinds, there, strict=True)]
            for suffix in ("", "_reverse")[: self._directions]
        ]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction, as PyTorch lists them."""
        return [
            [getattr(self, name) for name in names if name is not None]
            for layer in range(self.num_layers)
            for names in self._names(layer)
        ]

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights and biases."""
        _draw(self, self.hidden_size, generator)

    def flatten_parameters(self) -> None:
        """Do nothing: weights are read where they are."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the last layer's states of all steps, and the last states of all layers.

        Args:
            input: shape (T, N, E) or, where `batch_first`, (N, T, E); (T, E) for one sequence; or a
                `PackedSequence` for sequences of different lengths.
            hx: initial states (layers * directions, N, H), for an LSTM a pair of states and
                memories; None for zeros.
        """
        weights = [
            [[None if n is None else getattr(self, n) for n in names] for names in self._names(k)]
            for k in range(self.num_layers)
        ]
        return functional.recurrent(
            self.mode,
            input,
            hx,
            weights,
            batch_first=self.batch_first,
            dropout=self.dropout,
            training=self.training,
            generator=self.generator,
        )

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        shown = [str(self.input_size), str(self.hidden_size)]
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            if getattr(self, name) != default:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)


class RNN(RNNBase):
    """A plain recurrent layer: h[t] = tanh(W x[t] + b + U h[t-1] + c), or relu in place of tanh.

    Arguments are those of `RNNBase`, with `nonlinearity`, "tanh" or "relu", after `num_layers`.

    Shape:
        (T, N, E), (layers * directions, N, H) -> (T, N, directions * H), (layers * directions, N,
        H)

    References:
        J. Elman, Finding structure in time, Cognitive Science 14 (1990), 179-211.

    Example:
        >>> import numpy as np, nn
        >>> out, last = nn.RNN(3, 5, batch_first=True)(np.ones((2, 7, 3), np.float32))
        >>> out.shape, last.shape
        ((2, 7, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(
            _mode("RNN", nonlinearity),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            dtype=dtype,
            generator=generator,
        )
        self.nonlinearity = nonlinearity


class _Gated(RNNBase):
    _of_class: ClassVar[str]

    def __init__(self, input_size: int, hidden_size: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(self._of_class, input_size, hidden_size, *args, **kwargs)


class LSTM(_Gated):
    """Long short-term memory, with c[t] = f c[t-1] + i g and h[t] = o tanh(c[t]).

    The gates i, f and o are sigmoids and g is a tanh of W x[t] + b + U h[t-1] + c. Arguments are
    those of `RNNBase` without `mode`.

    Shape:
        (T, N, E), ((layers * directions, N, P or H), (layers * directions, N, H)) -> (T, N,
        directions * (P or H)), the same pair

    References:
        S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9 (1997),
        1735-1780; H. Sak et al., 2014, https://arxiv.org/abs/1402.1128 (projection).

    Example:
        >>> import numpy as np, nn
        >>> out, (h, c) = nn.LSTM(3, 5, num_layers=2)(np.ones((7, 2, 3), np.float32))
        >>> out.shape, h.shape, c.shape
        ((7, 2, 5), (2, 2, 5), (2, 2, 5))
    """

    _of_class = "LSTM"


class GRU(_Gated):
    """Gated units: h[t] = (1 - z) n + z h[t-1], with n = tanh(W x[t] + b + r (U h[t-1] + c)).

    The gates r and z are sigmoids. Arguments are those of `RNNBase` without `mode` and `proj_size`.

    Shape:
        (T, N, E), (layers * directions, N, H) -> (T, N, directions * H), (layers * directions, N,
        H)

    References:
        K. Cho et al., Learning phrase representations using RNN encoder-decoder for statistical
        machine translation, EMNLP 2014, https://arxiv.org/abs/1406.1078.
    """

    _of_class = "GRU"


class RNNCellBase(Module):
    """What `RNNCell`, `LSTMCell` and `GRUCell` share: one step, called once per step.

    Args:
        input_size: length E of the last axis of the input.
        hidden_size: length H of the state.
        bias: whether there are biases.
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        dtype: of the parameters; float32 by default.
        generator: a seed or np.random.Generator for the initial values.

    Attributes:
        weight_ih: Parameter of shape (gates H, E).
        weight_hh: Parameter of shape (gates H, H).
        bias_ih: Parameter of shape (gates H,), or None.
        bias_hh: Parameter of shape (gates H,), or None.
    """

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        mode: str,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__()
        _check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = _GATES[mode] * hidden_size

        def parameter(*shape: int) -> Parameter:
            return Parameter(np.empty(shape, np.float32 if dtype is None else dtype))

        self.weight_ih = parameter(rows, input_size)
        self.weight_hh = parameter(rows, hidden_size)
        self.bias_ih = parameter(rows) if bias else None
        self.bias_hh = parameter(rows) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Any = None) -> None:
        """Draw new weights and biases."""
        _draw(self, self.hidden_size, generator)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Return the state after a step.

        Args:
            input: shape (N, E) or (E,).
            hx: the state before, (N, H) or (H,), for an LSTM a pair of state and memory; None for
                zeros.
        """
        return functional.recurrent_cell(
            self.mode, input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """A step of an `RNN`: tanh(W x + b + U h + c), or relu in place of tanh.

    Example:
        >>> import numpy as np, nn
        >>> cell = nn.RNNCell(3, 5)
        >>> h = None
        >>> for x in np.ones((7, 2, 3), np.float32):
        ...     h = cell(x, h)
        >>> h.shape
        (2, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        mode = _mode("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, mode, dtype=dtype, generator=generator)
        self.nonlinearity = nonlinearity


class LSTMCell(RNNCellBase):
    """A step of an `LSTM`: takes and returns a pair of state and memory."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, "LSTM", dtype=dtype, generator=generator)


class GRUCell(RNNCellBase):
    """A step of a `GRU`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, "GRU", dtype=dtype, generator=generator)
