"""Modules and functions of ours beside those of PyTorch: the same weights, inputs and cotangents.

    ours = nn.LSTM(3, 5, dtype=np.float64)
    compare_modules(torch, ours, torch.nn.LSTM(3, 5, dtype=torch.float64), x)

compares outputs, gradients of all floating-point inputs and of all parameters, and buffers.
"""

import numpy as np

from autograd import Variable

TOLERANCE = {"rtol": 1e-9, "atol": 1e-11}


def leaves(value):
    """List the arrays of nested tuples and lists, in order; None is left out."""
    if value is None:
        return []
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def convert(value, change):
    """Copy nested tuples and lists, with `change` applied to the arrays in them."""
    if isinstance(value, (tuple, list)):
        parts = [convert(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return change(value) if isinstance(value, np.ndarray) else value


def cotangents(outputs):
    """Return fixed weights of the outputs, none of them 0."""
    return [np.cos(1.0 + np.arange(o.size)).reshape(o.shape) + 0.1 for o in outputs]


def ours(function, args, kwargs, parameters=()):
    """Return the outputs of `function`, and the gradients of inputs and parameters."""
    found = []

    def make(array):
        if array.dtype.kind != "f":
            return array
        found.append(Variable(array.copy(), requires_grad=True))
        return found[-1]

    args = convert(list(args), make)
    kwargs = {key: convert(value, make) for key, value in kwargs.items()}
    outputs = leaves(function(*args, **kwargs))
    differentiable = [o for o in outputs if isinstance(o, Variable) and o.requires_grad]
    total = sum(
        (o * w).sum() for o, w in zip(differentiable, cotangents(differentiable), strict=True)
    )
    for parameter in parameters:
        parameter.grad = None
    total.backward()
    return [np.asarray(getattr(o, "data", o)) for o in outputs], [
        x.grad for x in (*found, *parameters)
    ]


def theirs(torch, function, args, kwargs, parameters=()):
    """Return the same of PyTorch."""
    found = []

    def make(array):
        tensor = torch.tensor(array)
        if array.dtype.kind == "f":
            found.append(tensor.requires_grad_())
        return tensor

    args = convert(list(args), make)
    kwargs = {key: convert(value, make) for key, value in kwargs.items()}
    outputs = leaves(function(*args, **kwargs))
    differentiable = [o for o in outputs if o.requires_grad]
    weights = cotangents([o.detach().numpy() for o in differentiable])
    total = sum((o * torch.tensor(w)).sum() for o, w in zip(differentiable, weights, strict=True))
    for parameter in parameters:
        parameter.grad = None
    total.backward()
    return [o.detach().numpy() for o in outputs], [
        None if x.grad is None else x.grad.numpy() for x in (*found, *parameters)
    ]


def same(got, wanted, **tolerance):
    """Compare lists of arrays; None equals zeros."""
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        if a is None or b is None:
            assert not np.any(a if b is None else b)
            continue
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, **(TOLERANCE | tolerance))


def compare_functions(torch, function, other, *args, **kwargs):
    """Compare values and gradients of two functions; `kwargs` of arrays are inputs, too."""
    tolerance = kwargs.pop("tolerance", {})
    got = ours(function, args, kwargs)
    wanted = theirs(torch, other, args, kwargs)
    for a, b in zip(got, wanted, strict=True):
        same(a, b, **tolerance)


def exchange(module, other, torch):
    """Give the module of PyTorch the weights of ours."""
    state = {key: torch.tensor(value) for key, value in module.state_dict().items()}
    other.load_state_dict(state)


def compare_modules(torch, module, other, *args, **kwargs):
    """Compare outputs, gradients of inputs and parameters, and buffers of two modules."""
    assert list(module.state_dict()) == list(other.state_dict())
    exchange(module, other, torch)
    got = ours(module, args, kwargs, list(module.parameters()))
    wanted = theirs(torch, other, args, kwargs, list(other.parameters()))
    for a, b in zip(got, wanted, strict=True):
        same(a, b)
    buffers = [b.numpy() for b in other.buffers()]
    same(list(module.buffers()), buffers)
