"""Compare our functions and layers with PyTorch's: signatures, outputs, gradients, state."""

import ast
import inspect

import numpy as np
import pytest

from autograd import Variable

# PyTorch's names for ours, and what we do not have: devices, and what is decided by its kernels.
_NAMES = {"dim": "axis", "start_dim": "start_axis", "end_dim": "end_axis", "keepdim": "keepdims"}
_ABSENT = {"self", "device", "dtype", "out", "compute_mode"}


def torch():
    """Return PyTorch, or skip the test."""
    return pytest.importorskip("torch")


def _tensor(value):
    return torch().tensor(value) if isinstance(value, np.ndarray) else value


def _outputs(result):
    return list(result) if isinstance(result, tuple) else [result]


def compare(ours, theirs, arrays, args=(), kwargs=None, rtol=1e-9, atol=1e-9):
    """Compare outputs and the gradients of all floating `arrays`; return ours.

    Args:
        ours: our function or layer.
        theirs: PyTorch's.
        arrays: operands; those of floating point get gradients.
        args: further arguments, arrays among them as tensors for PyTorch.
        kwargs: keyword arguments, likewise.
        rtol: relative tolerance of outputs and gradients.
        atol: absolute tolerance of both.
    """
    kwargs = kwargs or {}
    variables = [Variable(a, requires_grad=True) if a.dtype.kind == "f" else a for a in arrays]
    tensors = [torch().tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    results = _outputs(ours(*variables, *args, **kwargs))
    given = {key: _tensor(value) for key, value in kwargs.items()}
    wanted = _outputs(theirs(*tensors, *map(_tensor, args), **given))
    assert len(results) == len(wanted)
    for r, w in zip(results, wanted, strict=True):
        data = r.data if isinstance(r, Variable) else r
        assert data.dtype == w.detach().numpy().dtype
        np.testing.assert_allclose(data, w.detach().numpy(), rtol=rtol, atol=atol)
    out, goal = results[0], wanted[0]
    weights = np.cos(np.arange(out.size)).reshape(out.shape).astype(out.dtype)
    if goal.requires_grad:
        out.backward(weights)
        goal.backward(torch().tensor(weights))
    for v, t in zip(variables, tensors, strict=True):
        if t.requires_grad:
            found = np.zeros(v.shape) if v.grad is None else v.grad
            want = np.zeros(v.shape) if t.grad is None else t.grad.numpy()
            np.testing.assert_allclose(found, want, rtol=rtol, atol=atol)
    return results


def compare_layers(ours, theirs, *arrays, seed=0, **tolerances):
    """Give both layers the same random parameters; compare outputs, all gradients and buffers."""
    rng = np.random.default_rng(seed)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, parameter in ours.named_parameters():
        assert parameter.shape == tuple(theirs.get_parameter(name).shape)
        parameter.data[...] = rng.normal(size=parameter.shape)
        parameter.mark_changed()
    state = ours.state_dict()
    theirs.load_state_dict({k: torch().tensor(v) for k, v in state.items()})
    results = compare(ours, theirs, arrays, **tolerances)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-9, atol=1e-9)
        p.grad = q.grad = None
    for (name, b), (other, c) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert name == other
        np.testing.assert_allclose(b, c.numpy(), rtol=1e-9, atol=1e-12)
    return results


def parameters(function):
    """Return name -> default of what a function or class can be called with."""
    if inspect.isclass(function):
        function = function.__init__
    try:
        signature = inspect.signature(function)
    except ValueError:  # written in C++: the first line of its text has the signature
        line = next(text for text in function.__doc__.splitlines() if text.strip())
        tree = ast.parse(f"def f{line[line.index('(') : line.rindex(')') + 1]}: ...").body[0].args
        names = [argument.arg for argument in tree.args]
        defaults = [ast.literal_eval(d) for d in tree.defaults]
        missing = [inspect.Parameter.empty] * (len(names) - len(defaults))
        return dict(zip(names, [*missing, *defaults], strict=True))
    return {name: p.default for name, p in signature.parameters.items()}


def compare_signatures(ours, theirs):
    """Check that PyTorch's parameters are ours, in its order, with its defaults."""
    wanted = {_NAMES.get(k, k): v for k, v in parameters(theirs).items() if k not in _ABSENT}
    found = {k: v for k, v in parameters(ours).items() if k in wanted}
    assert list(found) == list(wanted)
    for name, default in wanted.items():
        assert found[name] == default, name


def compare_defaults(ours, theirs):
    """Check that the parameters of both have the same defaults; return how many both have."""
    found = parameters(ours)
    try:
        wanted = {_NAMES.get(k, k): v for k, v in parameters(theirs).items()}
    except ValueError:  # written in C++, with a text that does not begin with a signature
        return 0
    shared = found.keys() & wanted.keys()
    for name in shared:
        ours_is, theirs_is = found[name], wanted[name]
        # A function is a default, too: F.relu of an encoder layer.
        if callable(ours_is) and callable(theirs_is):
            ours_is, theirs_is = ours_is.__name__, theirs_is.__name__
        assert ours_is == theirs_is, name
    return len(shared)
