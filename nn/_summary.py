"""What a model is made of and what a call of it costs. Imports `autograd`, `_module`, `functional`.

One sample input runs through the model, watched where every operation is recorded: whatever a model
is composed of is counted, layers of one's own included.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Variable
from autograd.arrays import owner
from autograd.engine.graph import recorded
from autograd.engine.mode import watching
from autograd.ops import einstein
from autograd.random import snapshot
from nn._judging import kind
from nn._module import Module
from nn.functional import _conv, _linear, _recurrent

__all__ = ["Summary", "summary"]

_WIDTH = 79


class _Layer(NamedTuple):
    """One module, with all that is inside it.

    Attributes:
        name: Its path in the model, "" for the model itself.
        kind: Its class.
        output: The shapes of the arrays that its last call returned; None without a call.
        parameters: How many numbers are trained, or frozen, in it.
        flops: Additions and multiplications of its calls.
        memory: Bytes that its calls keep for the backward pass.
    """

    name: str
    kind: str
    output: list[tuple[int, ...]] | None
    parameters: int
    flops: int
    memory: int


class Summary:
    """What `summary` returns; ``print`` shows it as a table.

    Attributes:
        layers: The model and the modules in it, parents first; each number counts all inside.
        parameters: Numbers in the parameters of the model.
        trainable: Those of them that require a gradient.
        state: Bytes of the parameters and buffers.
        flops: Additions and multiplications of the call.
        memory: Bytes that the call keeps for the backward pass.
    """

    def __init__(self, layers: list[_Layer], trainable: int, state: int) -> None:
        self.layers, self.trainable, self.state = layers, trainable, state
        self.parameters, self.flops, self.memory = layers[0][3:]

    def __repr__(self) -> str:
        header = ("layer", "output", "parameters", "FLOPs", "memory")
        rows = [header, *map(_cells, self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        widths[0] = min(widths[0], _WIDTH - sum(widths[1:]) - 8)
        first, second, *others = widths
        lines = [
            "  ".join(
                (
                    layer[:first].ljust(first),
                    output.ljust(second),
                    *(n.rjust(width) for n, width in zip(numbers, others, strict=True)),
                )
            ).rstrip()
            for layer, output, *numbers in rows
        ]
        frozen = self.parameters - self.trainable
        more = f", {frozen:,} of them frozen" if frozen else ""
        end = f"{self.parameters:,} parameters{more}; {_scaled(self.state)}B with the buffers"
        return "\n".join([*lines, end])


def summary(model: Module, *inputs: Any, **keywords: Any) -> Summary:
    """Return the layers of a model with output shapes, parameters, FLOPs and memory.

    The model is called once, in evaluation mode; nothing of it changes. FLOPs are those of matrix
    products, `einsum`, convolutions and recurrent steps, where a multiplication with its addition
    counts as two; elementwise work, which takes time for its memory, counts as none. Memory is what
    the call keeps for the backward pass, besides parameters, buffers and inputs.

    Args:
        model: A ``Module``.
        *inputs: Arrays as ``model`` takes them: a batch of samples, for one.
        **keywords: Likewise.

    Raises:
        TypeError: ``model`` is no Module, or inputs are missing.

    Example:
        >>> import numpy as np, nn
        >>> model = nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))
        >>> table = nn.summary(model, np.zeros((32, 784), np.float32))
        >>> table
        layer       output    parameters    FLOPs    memory
        Sequential  (32, 10)      39,760  2.541 M  6.400 kB
          0 Linear  (32, 50)      39,250  2.509 M       0 B
          1 ReLU    (32, 50)           0       0   6.400 kB
          2 Linear  (32, 10)         510  32.00 k       0 B
        39,760 parameters; 159.0 kB with the buffers
        >>> table.flops == 2 * 32 * (784 * 50 + 50 * 10)
        True
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: wanted a Module, got {kind(model)}")
    if not inputs and not keywords:
        raise TypeError(
            "summary: wanted the inputs of a call, got none; pass arrays, as in "
            "nn.summary(model, np.zeros((1, 3), np.float32))"
        )
    count = _Count(model)
    given = [_watched(value) for value in inputs]
    named = {name: _watched(value) for name, value in keywords.items()}
    for array in _arrays([*given, *named.values()]):
        count.known[id(owner(array))] = array
    modules = list(model.modules())
    before = [(module.training, module._hooked) for module in modules]  # noqa: SLF001
    handles = [handle for module in modules for handle in count.follow(module)]
    restore = snapshot()
    model.eval()
    try:
        with autograd.enable_grad(), watching(count.observe):
            model(*given, **named)
    finally:
        for handle in handles:
            handle.remove()
        for module, (training, hooked) in zip(modules, before, strict=True):
            module.training, module._hooked = training, hooked  # noqa: SLF001
        restore()
    layers = [
        _Layer(
            name,
            type(module).__name__,
            count.outputs.get(module),
            sum(parameter.size for parameter in module.parameters()),
            count.flops.get(module, 0),
            count.memory.get(module, 0),
        )
        for name, module in model.named_modules()
    ]
    trainable = sum(p.size for p in model.parameters() if p.requires_grad)
    state = sum(value.nbytes for value in (*_data_of(model), *model.buffers()))
    return Summary(layers, trainable, state)


class _Count:
    """Counts operations for the modules that are being called."""

    def __init__(self, model: Module) -> None:
        self.calls: list[Module] = []
        self.outputs: dict[Module, list[tuple[int, ...]]] = {}
        self.flops: dict[Module, int] = {}
        self.memory: dict[Module, int] = {}
        # What has been counted, by its identity; held, so that no identity comes twice.
        self.known = {id(owner(array)): array for array in (*_data_of(model), *model.buffers())}

    def follow(self, module: Module) -> Iterator[Any]:
        """Register what notes the calls of a module."""
        yield module.register_forward_pre_hook(lambda module, _: self.calls.append(module))
        yield module.register_forward_hook(self._ended)

    def _ended(self, module: Module, _: Any, out: Any) -> None:
        while self.calls.pop() is not module:
            pass  # calls that an error has ended
        self.outputs[module] = [array.shape for array in _arrays(out)]

    def observe(self, primitive: Any, arguments: tuple[Any, ...], out: Any) -> None:
        """Count one operation; called where it is recorded."""
        flops = _FLOPS[primitive](out, *arguments) if primitive in _FLOPS else 0
        node = recorded(out)
        kept = 0
        for array in _arrays(None if node is None else node.saved):
            memory = owner(array)
            if id(memory) not in self.known:
                self.known[id(memory)] = memory
                kept += memory.nbytes
        for module in set(self.calls):
            self.flops[module] = self.flops.get(module, 0) + flops
            self.memory[module] = self.memory.get(module, 0) + kept


def _matmul(out: Any, x: Any, _y: Any) -> int:
    return 2 * _size(out) * int(np.shape(x)[-1])


def _tensordot(out: Any, a: Any, b: Any, *_: Any) -> int:
    # Sizes are M K, K N and M N.
    return 2 * math.isqrt(_size(out) * _size(a) * _size(b))


def _einsum(_out: Any, *arguments: Any) -> int:
    operands, terms = arguments[:-3], arguments[-3]  # then the result's term, and `optimize`
    lengths = {
        letter: length
        for term, operand in zip(terms, operands, strict=True)
        for letter, length in zip(term, np.shape(operand), strict=True)
    }
    return len(operands) * math.prod(lengths.values()) if len(operands) > 1 else 0


def _scan(
    _out: Any, x: Any, _h: Any, _c: Any, weight: Any, _b: Any, projection: Any, *_: Any
) -> int:
    per_step = _size(weight) + (0 if projection is None else _size(projection))
    return 2 * len(x) * per_step


# (output, arguments ...) -> additions and multiplications.
_FLOPS: dict[Any, Callable[..., int]] = {
    _linear.linear.primitive: lambda out, _x, weight, *_: 2 * _size(out) * weight.shape[1],
    autograd.matmul.primitive: _matmul,
    autograd.tensordot.primitive: _tensordot,
    einstein.contract.primitive: _einsum,
    einstein.contract_diagonals.primitive: _einsum,
    _conv.conv.primitive: lambda out, _x, weight, *_: 2 * _size(out) * _size(weight[0]),
    _conv.conv_transpose.primitive: lambda _, x, weight, *__: 2 * _size(x) * _size(weight[0]),
    _recurrent._scan.primitive: _scan,  # noqa: SLF001 - a primitive that only its layers call
}


# -- small parts ---------------------------------------------------------------------------------


def _size(value: Any) -> int:
    return math.prod(np.shape(value))


def _watched(value: Any) -> Any:
    """Return an array as a Variable, so that what is computed from it alone is seen, too."""
    is_number = isinstance(value, np.ndarray) and value.dtype.kind in "fc"
    return Variable(value, copy=False) if is_number else value


def _data_of(model: Module) -> list[Any]:
    return [parameter.data for parameter in model.parameters()]


def _arrays(value: Any) -> Iterator[Any]:
    """Yield the arrays in lists, tuples and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from _arrays(part)
    elif isinstance(value, Variable):
        yield value.data
    elif isinstance(value, np.ndarray):
        yield value


def _cells(layer: _Layer) -> tuple[str, ...]:
    """Return the row of a layer in the table."""
    *above, name = layer.name.split(".")
    shown = "  " * (len(above) + 1) + f"{name} {layer.kind}" if name else layer.kind
    if layer.output is None:
        return shown, "-", f"{layer.parameters:,}", "- ", "- "
    more = f", +{len(layer.output) - 1}" if len(layer.output) > 1 else ""
    output = f"{layer.output[0]}{more}" if layer.output else "-"
    return (
        shown,
        output,
        f"{layer.parameters:,}",
        _scaled(layer.flops),
        _scaled(layer.memory) + "B",
    )


def _scaled(number: int) -> str:
    """Return a number in four digits, with its unit: 0 and what is below a thousand as it is."""
    if number < 1000:
        return f"{number} "
    power = min((len(str(number)) - 1) // 3, 5)
    return f"{number / 1000**power:#.4g}".rstrip(".") + " " + " kMGTP"[power]
